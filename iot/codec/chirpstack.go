package codec

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

// chirpstackEvents are the events of ChirpStack's MQTT integration, version 4.
var chirpstackEvents = []string{"up", "status", "join", "ack", "txack", "log", "location", "integration"}

// uplink is what of a ChirpStack event matters here.
type uplink struct {
	devEUI  string
	time    time.Time // when the network server took it
	heard   time.Time // by the gateway or the server, of the best reception
	gateway string
	best    float64 // signal of the best reception
	port    int
	data    []byte
	object  bool // ChirpStack has decoded it
	noCell  bool // the tag does not measure its battery
	found   found
}

// chirpstack reads docs/formats/chirpstack.md: events of ChirpStack 4 in JSON. An
// uplink, a status and a location make a reading; the others are about the radio.
func (h *House) chirpstack(ctx context.Context, a Address, device iot.Device, payload []byte, received time.Time, dst []Item) ([]Item, error) {
	switch a.Part {
	case "up", "status", "location":
	default:
		return dst, nil
	}
	p, err := h.profileOf(ctx, ChirpStack, device, a.Device)
	if err != nil {
		return dst, err
	}
	d := &decoder{b: payload}
	d.space()
	if d.peek() != '{' {
		d.fail("expected an object")
		return dst, d.end()
	}
	u := uplink{best: math.Inf(-1), found: found{reading: iot.Reading{Tag: a.Device, Source: string(ChirpStack)}}}
	d.object(func(key []byte) { d.event(&u, a.Part, p, string(key)) })
	if err := d.end(); err != nil {
		return dst, err
	}
	if u.devEUI != "" && u.devEUI != a.Device {
		return dst, ErrField.With("field", "deviceInfo.devEui").With("why", "it is not the device of the topic")
	}
	it := u.item(a.Part, p, received)
	it.Raw = payload
	if it.Err == nil && a.Part == "status" && (u.noCell || it.Reading.Battery == nil) {
		return dst, nil // the profile does not say what its per cent mean in volts
	}
	return append(dst, it), nil
}

// item completes the reading.
func (u *uplink) item(part string, p *profile.Profile, received time.Time) Item {
	f, r := &u.found, &u.found.reading
	at := r.At // the tag's own clock, if it sent one
	if part == "up" && !u.object && len(u.data) > 0 && f.err == nil {
		if err := p.Decode(u.port, u.data, r); err != nil {
			return Item{Err: err}
		}
		at = r.At
	}
	for _, t := range []time.Time{u.time, u.heard, received} {
		if at.IsZero() {
			at = t
		}
	}
	r.At, r.Gateway = milli(at), u.gateway
	if part == "status" {
		f.strange = nil
	}
	return Item{Reading: *r, Err: f.check()}
}

// event reads one member of an event.
func (d *decoder) event(u *uplink, part string, p *profile.Profile, name string) {
	r := &u.found.reading
	switch name {
	case "deviceInfo":
		d.members(func(key string) {
			if key == "devEui" {
				u.devEUI = strings.ToLower(d.label("deviceInfo.devEui", &u.found))
			} else {
				d.skip(1)
			}
		})
	case "time":
		u.time = d.moment("time", &u.found)
	case "rxInfo":
		d.elements(func() { d.reception(u) })
	case "fCnt":
		if x, k := d.number(); k == kindNumber && profile.Seq.Fits(x) {
			profile.Seq.Set(r, x)
		} else if k != kindNull {
			u.found.refuse("fCnt", "it must be a whole number")
		}
	case "fPort":
		x, k := d.number()
		if k == kindNumber && x >= 0 && x <= 255 && x == math.Trunc(x) {
			u.port = int(x)
		} else if k != kindNull {
			u.found.refuse("fPort", "it must be a whole number between 0 and 255")
		}
	case "data":
		text := d.label("data", &u.found)
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			u.found.refuse("data", "it must be base64")
		}
		u.data = b
	case "object":
		if part == "up" && d.peek() == '{' {
			d.values(&u.found, p, "", 0)
			u.object = u.found.known || len(u.found.strange) > 0
			return
		}
		d.skip(0)
	case "batteryLevel":
		if part != "status" {
			d.skip(0)
			return
		}
		d.values(&u.found, p, name, 0)
	case "location":
		if part != "location" {
			d.skip(0)
			return
		}
		d.members(func(key string) { d.location(&u.found, key) })
	case "externalPowerSource", "batteryLevelUnavailable":
		if d.skip(0) == kindTrue {
			u.noCell = true
		}
	default:
		d.skip(0)
	}
}

// location reads a member of a place that the network server worked out. Accuracy 0
// is protobuf's way to say that it is not known.
func (d *decoder) location(f *found, key string) {
	field, known := map[string]profile.Field{"latitude": profile.Lat, "longitude": profile.Lon, "accuracy": profile.Accuracy}[key]
	if !known {
		d.skip(1)
		return
	}
	f.known = true
	x, k := d.number()
	switch {
	case k == kindNull || field == profile.Accuracy && x == 0:
	case k != kindNumber:
		f.refuse("location."+key, "it must be a number")
	case !field.Fits(x):
		f.refuse("location."+key, field.Problem(x))
	default:
		field.Set(&f.reading, x)
	}
}

// reception reads one gateway's part of rxInfo; the strongest names the gateway.
func (d *decoder) reception(u *uplink) {
	var gateway string
	var gwTime, nsTime time.Time
	rssi, snr := math.Inf(-1), 0.0
	d.members(func(key string) {
		switch key {
		case "gatewayId":
			gateway = strings.ToLower(d.label("rxInfo.gatewayId", &u.found))
		case "gwTime":
			gwTime = d.moment("rxInfo.gwTime", &u.found)
		case "nsTime":
			nsTime = d.moment("rxInfo.nsTime", &u.found)
		case "rssi":
			if x, k := d.number(); k == kindNumber {
				rssi = x
			}
		case "snr":
			if x, k := d.number(); k == kindNumber {
				snr = x
			}
		default:
			d.skip(2)
		}
	})
	// Below the noise floor the signal-to-noise ratio takes part of the strength.
	signal := rssi + math.Min(snr, 0)
	if gateway != "" && !iot.ValidDeviceID(gateway) {
		u.found.refuse("rxInfo.gatewayId", whyTag)
		return
	}
	if gateway == "" || u.gateway != "" && (signal < u.best || signal == u.best && gateway > u.gateway) {
		return
	}
	u.best, u.gateway = signal, gateway
	if u.heard = gwTime; gwTime.IsZero() {
		u.heard = nsTime
	}
}

func (f *found) refuse(field, why string) {
	if f.err == nil {
		f.err = ErrField.With("field", field).With("why", why)
	}
}

// members walks an object, or passes over anything else.
func (d *decoder) members(member func(key string)) {
	if d.peek() != '{' {
		d.skip(0)
		return
	}
	d.object(func(key []byte) { member(string(key)) })
}

// elements walks a list, or passes over anything else.
func (d *decoder) elements(element func()) {
	if d.peek() != '[' {
		d.skip(0)
		return
	}
	d.array(element)
}

// label reads a text; null is "".
func (d *decoder) label(field string, f *found) string {
	if d.peek() != '"' {
		if d.skip(0) != kindNull {
			f.refuse(field, "it must be text")
		}
		return ""
	}
	return string(d.text())
}

var errYear = errors.New("year")

// moment reads a time of RFC 3339; null is the zero time.
func (d *decoder) moment(field string, f *found) time.Time {
	text := d.label(field, f)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && (t.Year() < 1970 || t.Year() > 9999) {
		err = errYear
	}
	if err != nil {
		f.refuse(field, "it must be a time such as 2026-06-01T08:00:00Z")
		return time.Time{}
	}
	return t.UTC()
}
