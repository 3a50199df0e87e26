// Package codec reads and writes what tags, gateways, network servers and cameras
// publish: [Parse] reads a topic, [House] a payload of any format, [Decode] and
// [Append] the house's own JSON (docs/formats/reading-json.md).
package codec

import (
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

// What can be wrong with a payload. ErrPayload refuses the whole message; the
// others refuse one reading of it.
var (
	ErrTopic   = fault.New(fault.Invalid, "reading.topic", "no format is published on this topic: use furrow/v1/<tenant>/<device>/telemetry or one of the other formats' topics")
	ErrPayload = fault.New(fault.Invalid, "reading.payload", "the payload cannot be read: {why} at byte {at}")
	ErrTooMany = fault.New(fault.TooLarge, "reading.too_many", "a message may hold at most {max} readings")
	ErrField   = fault.New(fault.Invalid, "reading.field", "the field {field} is not usable: {why}")
	ErrNoTime  = fault.New(fault.Invalid, "reading.no_time", "the reading has no device time: send ts in Unix milliseconds")
)

var errTooLong = ErrPayload.With("why", "it is larger than 512 KiB").With("at", MaxBytes)

// Limits of one message.
const (
	MaxReadings = 2000
	MaxBytes    = 512 << 10
	maxDepth    = 8 // of unknown fields
)

// Item is one reading or one count of a message, or why it was refused. Raw is its
// part of the payload.
type Item struct {
	Reading iot.Reading
	Count   *iot.Headcount // instead of a reading
	Err     error
	Raw     []byte
}

// Decode reads a message, one object or an array of them, and appends its readings
// to dst in order. A message that is not JSON is refused whole (ErrPayload,
// ErrTooMany); a reading with a bad field only itself. Unknown fields are skipped;
// null means absent. Tenant, Received and Gateway are left to the caller.
func Decode(payload []byte, dst []Item) ([]Item, error) {
	d := decoder{b: payload}
	if len(payload) > MaxBytes {
		return dst, errTooLong
	}
	d.space()
	start := len(dst)
	if d.peek() == '[' {
		d.i++
		d.space()
		if d.peek() == ']' {
			d.i++
		} else {
			for {
				if len(dst)-start >= MaxReadings {
					return dst[:start], ErrTooMany.With("max", MaxReadings)
				}
				dst = append(dst, d.reading())
				d.space()
				c := d.next()
				if c == ']' && d.why == "" {
					break
				}
				if c != ',' {
					d.fail("expected a comma or the end of the list")
				}
				if d.why != "" {
					break
				}
				d.space()
			}
		}
	} else {
		dst = append(dst, d.reading())
	}
	if err := d.end(); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// values holds the numbers of one reading, so that its pointers cost one allocation;
// moreValues those that few readings have.
type values struct {
	lon, lat, acc, temp, ambient, activity, battery float64
	attached                                        bool
	seq                                             int64
}

type moreValues struct {
	lying, grazing, walking, ruminating, weight float64
	heads                                       int64
}

// reading reads one object.
func (d *decoder) reading() Item {
	var it Item
	start := d.i
	if d.next() != '{' {
		d.fail("expected an object")
		return it
	}
	r, v := &it.Reading, new(values)
	r.Source = string(JSON)
	var more *moreValues
	extra := func() *moreValues {
		if more == nil {
			more = new(moreValues)
		}
		return more
	}
	bad := func(field, why string) {
		if it.Err == nil {
			it.Err = ErrField.With("field", field).With("why", why)
		}
	}
	number := func(f profile.Field, to *float64) *float64 {
		x, kind := d.number()
		switch {
		case kind == kindNull:
			return nil
		case kind != kindNumber:
			bad(f.String(), "it must be a number")
			return nil
		case !f.Fits(x):
			bad(f.String(), f.Problem(x))
			return nil
		}
		*to = x
		return to
	}
	whole := func(f profile.Field) (int64, bool) {
		x, kind := d.number()
		switch {
		case kind == kindNull:
			return 0, false
		case kind != kindNumber:
			bad(f.String(), "it must be a whole number")
			return 0, false
		case !f.Fits(x):
			bad(f.String(), f.Problem(x))
			return 0, false
		}
		return int64(x), true
	}
	hasTime := false
	d.space()
	if d.peek() == '}' {
		d.i++
	} else {
		for d.why == "" {
			key := d.text()
			d.space()
			if d.next() != ':' {
				d.fail("expected a colon")
			}
			d.space()
			if d.why != "" {
				break
			}
			switch string(key) {
			case "tag":
				r.Tag = ""
				if d.peek() != '"' {
					if d.skip(0) != kindNull {
						bad("tag", "it must be text")
					}
				} else if tag := d.text(); iot.ValidDeviceID(string(tag)) {
					r.Tag = string(tag)
				} else {
					bad("tag", whyTag)
				}
			case "ts":
				ms, ok := whole(profile.Time)
				if hasTime = ok; ok {
					r.At = time.UnixMilli(ms).UTC()
				}
			case "lon":
				r.Lon = number(profile.Lon, &v.lon)
			case "lat":
				r.Lat = number(profile.Lat, &v.lat)
			case "acc_m":
				r.Accuracy = number(profile.Accuracy, &v.acc)
			case "temp_c":
				r.Temp = number(profile.Temp, &v.temp)
			case "ambient_c":
				r.Ambient = number(profile.Ambient, &v.ambient)
			case "activity":
				r.Activity = number(profile.Activity, &v.activity)
			case "battery_v":
				r.Battery = number(profile.Battery, &v.battery)
			case "attached":
				r.Attached = nil
				switch d.skip(0) {
				case kindTrue:
					v.attached, r.Attached = true, &v.attached
				case kindFalse:
					v.attached, r.Attached = false, &v.attached
				case kindNull:
				default:
					bad("attached", "it must be true or false")
				}
			case "seq":
				r.Seq = nil
				if n, ok := whole(profile.Seq); ok {
					v.seq, r.Seq = n, &v.seq
				}
			case "lying_s":
				r.Lying = number(profile.Lying, &extra().lying)
			case "grazing_s":
				r.Grazing = number(profile.Grazing, &extra().grazing)
			case "walking_s":
				r.Walking = number(profile.Walking, &extra().walking)
			case "ruminating_s":
				r.Ruminating = number(profile.Ruminating, &extra().ruminating)
			case "weight_kg":
				r.Weight = number(profile.Weight, &extra().weight)
			case "heads":
				r.Heads = nil
				if n, ok := whole(profile.Heads); ok {
					extra().heads = n
					r.Heads = &more.heads
				}
			case "motion":
				r.Motion = d.motion(bad)
			default:
				d.skip(0)
			}
			d.space()
			c := d.next()
			if c == '}' {
				break
			}
			if c != ',' {
				d.fail("expected a comma or the end of the object")
			}
			d.space()
		}
	}
	it.check(hasTime)
	it.Raw = d.b[start:d.i]
	return it
}

// whyTag says what a tag's number must be.
const whyTag = "it must be 1 to 64 letters, digits, dots, dashes, colons or underscores"

// check refuses a reading that lacks what belongs together.
func (it *Item) check(hasTime bool) {
	switch {
	case it.Err != nil:
	case !hasTime:
		it.Err = ErrNoTime
	case (it.Reading.Lon == nil) != (it.Reading.Lat == nil):
		it.Err = ErrField.With("field", "lon").With("why", "lon and lat go together")
	}
}

// motion reads a burst of raw acceleration, {"hz":10,"xyz":[[x,y,z],...]}, or null.
func (d *decoder) motion(bad func(field, why string)) *iot.Motion {
	if d.peek() != '{' {
		if d.skip(0) != kindNull {
			bad("motion", "it must be an object")
		}
		return nil
	}
	m, why := &iot.Motion{}, ""
	d.object(func(key []byte) {
		switch string(key) {
		case "hz":
			x, kind := d.number()
			if kind != kindNumber {
				why = "hz must be a number"
			}
			m.Hz = x
		case "xyz":
			if d.peek() != '[' {
				d.skip(0)
				why = "xyz must be a list"
				return
			}
			m.XYZ = m.XYZ[:0]
			d.array(func() {
				s, ok := d.sample()
				if !ok {
					why = "a sample must be three numbers"
				}
				if len(m.XYZ) <= profile.MaxSamples {
					m.XYZ = append(m.XYZ, s)
				}
			})
		default:
			d.skip(0)
		}
	})
	if why == "" {
		why = profile.MotionProblem(m)
	}
	if why != "" {
		bad("motion", why)
		return nil
	}
	return m
}

// sample reads [x,y,z].
func (d *decoder) sample() (s [3]float64, ok bool) {
	if d.peek() != '[' {
		d.skip(0)
		return s, false
	}
	n := 0
	ok = true
	d.array(func() {
		x, kind := d.number()
		if kind != kindNumber || n >= 3 {
			ok = false
		} else {
			s[n] = x
		}
		n++
	})
	return s, ok && n == 3
}

// Append writes r as one Furrow JSON object, without the fields that the house adds.
func Append(dst []byte, r iot.Reading) []byte {
	dst = append(dst, '{')
	if r.Tag != "" {
		dst = append(dst, `"tag":"`...)
		dst = append(dst, r.Tag...)
		dst = append(dst, `",`...)
	}
	dst = append(dst, `"ts":`...)
	dst = strconv.AppendInt(dst, r.At.UnixMilli(), 10)
	number := func(key string, v *float64) {
		if v == nil {
			return
		}
		dst = append(dst, ',', '"')
		dst = append(dst, key...)
		dst = append(dst, '"', ':')
		dst = strconv.AppendFloat(dst, *v, 'g', -1, 64)
	}
	number("lon", r.Lon)
	number("lat", r.Lat)
	number("acc_m", r.Accuracy)
	number("temp_c", r.Temp)
	number("ambient_c", r.Ambient)
	number("activity", r.Activity)
	number("battery_v", r.Battery)
	if r.Attached != nil {
		dst = append(dst, `,"attached":`...)
		dst = strconv.AppendBool(dst, *r.Attached)
	}
	whole := func(key string, v *int64) {
		if v == nil {
			return
		}
		dst = append(dst, ',', '"')
		dst = append(dst, key...)
		dst = append(dst, '"', ':')
		dst = strconv.AppendInt(dst, *v, 10)
	}
	whole("seq", r.Seq)
	number("lying_s", r.Lying)
	number("grazing_s", r.Grazing)
	number("walking_s", r.Walking)
	number("ruminating_s", r.Ruminating)
	number("weight_kg", r.Weight)
	whole("heads", r.Heads)
	if r.Motion != nil {
		dst = appendMotion(dst, r.Motion)
	}
	return append(dst, '}')
}

func appendMotion(dst []byte, m *iot.Motion) []byte {
	dst = append(dst, `,"motion":{"hz":`...)
	dst = strconv.AppendFloat(dst, m.Hz, 'g', -1, 64)
	dst = append(dst, `,"xyz":[`...)
	for i, s := range m.XYZ {
		if i > 0 {
			dst = append(dst, ',')
		}
		for axis, a := range s {
			dst = append(dst, "[,,"[axis])
			dst = strconv.AppendFloat(dst, a, 'g', -1, 64)
		}
		dst = append(dst, ']')
	}
	return append(dst, `]}`...)
}

// AppendAll writes readings as one array.
func AppendAll(dst []byte, readings []iot.Reading) []byte {
	dst = append(dst, '[')
	for i, r := range readings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = Append(dst, r)
	}
	return append(dst, ']')
}
