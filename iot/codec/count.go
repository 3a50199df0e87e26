package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with counts, beside ErrPayload, ErrTooMany and ErrField.
var (
	ErrCountDevice = fault.New(fault.Forbidden, "count.device", "a {kind} may not publish counts: only cameras and gates do")
	ErrCountHerd   = fault.New(fault.Invalid, "count.no_herd", "the device {device} belongs to no herd: claim it first")
)

// Limits of a count.
const (
	MaxSeen   = 100_000
	MaxWindow = 24 * time.Hour
)

// decodeCounts reads docs/formats/camera-count.md: one object or an array of them.
func decodeCounts(device iot.Device, payload []byte, received time.Time, dst []Item) ([]Item, error) {
	var kind iot.CountKind
	switch device.Kind {
	case iot.Camera:
		kind = iot.ByCamera
	case iot.Gate:
		kind = iot.ByGate
	default:
		return dst, ErrCountDevice.With("kind", string(device.Kind))
	}
	if device.HerdID == "" {
		return dst, ErrCountHerd.With("device", device.ID)
	}
	d, start := decoder{b: payload}, len(dst)
	one := func() {
		if len(dst)-start <= MaxReadings {
			dst = append(dst, d.count(iot.Headcount{Tenant: device.Tenant, HerdID: device.HerdID, PenID: device.PenID,
				Device: device.ID, Kind: kind, Received: received}))
		} else {
			d.skip(0)
		}
	}
	d.space()
	if d.peek() == '[' {
		d.array(one)
	} else {
		one()
	}
	if err := d.end(); err != nil {
		return dst[:start], err
	}
	if len(dst)-start > MaxReadings {
		return dst[:start], ErrTooMany.With("max", MaxReadings)
	}
	return dst, nil
}

// count reads one object into h.
func (d *decoder) count(h iot.Headcount) Item {
	start := d.i
	if d.peek() != '{' {
		d.fail("expected an object")
		return Item{}
	}
	var err error
	bad := func(field, why string) {
		if err == nil {
			err = ErrField.With("field", field).With("why", why)
		}
	}
	whole := func(field string, low, high float64) (int64, bool) {
		x, kind := d.number()
		switch {
		case kind == kindNull:
			return 0, false
		case kind != kindNumber || x != float64(int64(x)):
			bad(field, "it must be a whole number")
		case x < low || x > high:
			bad(field, "it must be between "+strconv.FormatFloat(low, 'f', -1, 64)+" and "+strconv.FormatFloat(high, 'f', -1, 64))
		default:
			return int64(x), true
		}
		return 0, false
	}
	const maxTime = 1 << 53
	var from, to, seen bool
	d.object(func(key []byte) {
		var n int64
		switch string(key) {
		case "from":
			n, from = whole("from", 0, maxTime)
			h.From = time.UnixMilli(n).UTC()
		case "to":
			n, to = whole("to", 0, maxTime)
			h.To = time.UnixMilli(n).UTC()
		case "seen":
			n, seen = whole("seen", 0, MaxSeen)
			h.Seen = int(n)
		case "out":
			n, _ = whole("out", 0, MaxSeen)
			h.Out = int(n)
		case "matched":
			h.Matched = nil
			if n, ok := whole("matched", 0, MaxSeen); ok {
				m := int(n)
				h.Matched = &m
			}
		case "pen":
			if pen, ok := d.word(); !ok {
				bad("pen", "it must be a text of at most 64 bytes without control characters")
			} else if pen != "" {
				h.PenID = pen
			}
		case "picture":
			picture, ok := d.word()
			if h.Picture = strings.ToLower(picture); !ok || picture != "" && !isSHA256(h.Picture) {
				bad("picture", "it must be the picture's SHA-256 in 64 hexadecimal digits")
			}
		default:
			d.skip(0)
		}
	})
	if err == nil {
		err = problemOf(h, from, to, seen)
	}
	h.ID = countID(h)
	it := Item{Err: err, Raw: d.b[start:d.i]}
	if err == nil {
		it.Count = &h
	}
	return it
}

// word reads a text of at most 64 bytes without control characters, which databases
// refuse, or null as ""; anything else is not ok.
func (d *decoder) word() (string, bool) {
	if d.peek() != '"' {
		return "", d.skip(0) == kindNull
	}
	s := d.text()
	return string(s), len(s) <= 64 && bytes.IndexFunc(s, unicode.IsControl) < 0
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// problemOf says what does not belong together.
func problemOf(h iot.Headcount, from, to, seen bool) error {
	for _, c := range []struct {
		wrong      bool
		field, why string
	}{
		{!from, "from", "it must be there, in Unix milliseconds"},
		{!to, "to", "it must be there, in Unix milliseconds"},
		{!seen, "seen", "it must be there"},
		{h.To.Before(h.From), "to", "it must not be before from"},
		{h.To.Sub(h.From) > MaxWindow, "to", "a window may last at most a day"},
		{h.Out > h.Seen, "out", "it must not be more than seen"},
		{h.Out > 0 && h.Kind != iot.ByGate, "out", "only a gate knows who went out"},
		{h.Matched != nil && *h.Matched > h.Seen, "matched", "it must not be more than seen"},
		{h.Picture == "" && h.Kind == iot.ByCamera, "picture", "a camera must give the SHA-256 of its picture"},
	} {
		if c.wrong {
			return ErrField.With("field", c.field).With("why", c.why)
		}
	}
	return nil
}

// countID is the same for the same device, place and window, so that a count which
// is sent twice is one count.
func countID(h iot.Headcount) string {
	name := strings.Join([]string{h.Tenant, h.Device, h.PenID, strconv.FormatInt(h.From.UnixMilli(), 10), strconv.FormatInt(h.To.UnixMilli(), 10)}, "/")
	return uuid.NewHash(sha256.New(), uuid.Nil, []byte(name), 8).String()
}

// AppendCount writes h as docs/formats/camera-count.md has it.
func AppendCount(dst []byte, h iot.Headcount) []byte {
	dst = strconv.AppendInt(append(dst, `{"from":`...), h.From.UnixMilli(), 10)
	dst = strconv.AppendInt(append(dst, `,"to":`...), h.To.UnixMilli(), 10)
	dst = strconv.AppendInt(append(dst, `,"seen":`...), int64(h.Seen), 10)
	if h.Out > 0 {
		dst = strconv.AppendInt(append(dst, `,"out":`...), int64(h.Out), 10)
	}
	if h.Matched != nil {
		dst = strconv.AppendInt(append(dst, `,"matched":`...), int64(*h.Matched), 10)
	}
	if h.PenID != "" {
		dst = strconv.AppendQuote(append(dst, `,"pen":`...), h.PenID)
	}
	if h.Picture != "" {
		dst = append(append(append(dst, `,"picture":"`...), h.Picture...), '"')
	}
	return append(dst, '}')
}
