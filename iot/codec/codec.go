// Package codec reads and writes the payloads of tags and gateways: the Furrow JSON
// format of docs/formats/reading-json.md, and the topic it is published on.
package codec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with a payload. ErrPayload refuses the whole message; the
// others refuse one reading of it.
var (
	ErrTopic   = fault.New(fault.Invalid, "reading.topic", "publish on furrow/v1/<tenant>/<device>/telemetry")
	ErrPayload = fault.New(fault.Invalid, "reading.payload", "the payload is not Furrow JSON: {why} at byte {at}")
	ErrTooMany = fault.New(fault.TooLarge, "reading.too_many", "a message may hold at most {max} readings")
	ErrField   = fault.New(fault.Invalid, "reading.field", "the field {field} is not usable: {why}")
	ErrNoTime  = fault.New(fault.Invalid, "reading.no_time", "the reading has no device time: send ts in Unix milliseconds")
)

// Limits of one message.
const (
	MaxReadings = 2000
	MaxBytes    = 512 << 10
	maxDepth    = 8 // of unknown fields
)

// Topic returns the tenant and the device that a telemetry topic names.
func Topic(topic string) (tenant, device string, err error) {
	rest, ok := strings.CutPrefix(topic, "furrow/v1/")
	if !ok {
		return "", "", ErrTopic
	}
	rest, ok = strings.CutSuffix(rest, "/telemetry")
	if !ok {
		return "", "", ErrTopic
	}
	tenant, device, ok = strings.Cut(rest, "/")
	if !ok || tenant == "" || strings.ContainsAny(tenant, "+#") || !iot.ValidDeviceID(device) {
		return "", "", ErrTopic
	}
	return tenant, device, nil
}

// TopicOf is the topic that a device publishes on.
func TopicOf(tenant, device string) string {
	return "furrow/v1/" + tenant + "/" + device + "/telemetry"
}

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
		return dst, ErrPayload.With("why", "it is larger than 512 KiB").With("at", MaxBytes)
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
	d.space()
	if d.why == "" && d.i < len(d.b) {
		d.fail("there is text after the end")
	}
	if d.why != "" {
		return dst[:start], ErrPayload.With("why", d.why).With("at", d.at)
	}
	return dst, nil
}

// values holds the numbers of one reading, so that its pointers cost one allocation.
type values struct {
	lon, lat, acc, temp, ambient, activity, battery float64
	attached                                        bool
	seq                                             int64
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
	bad := func(field, why string) {
		if it.Err == nil {
			it.Err = ErrField.With("field", field).With("why", why)
		}
	}
	number := func(field string, to *float64, low, high float64) *float64 {
		x, kind := d.number()
		switch {
		case kind == kindNull:
			return nil
		case kind != kindNumber:
			bad(field, "it must be a number")
			return nil
		case !(x >= low && x <= high):
			bad(field, "it must be between "+strconv.FormatFloat(low, 'g', -1, 64)+" and "+strconv.FormatFloat(high, 'g', -1, 64))
			return nil
		}
		*to = x
		return to
	}
	whole := func(field string) (int64, bool) {
		x, kind := d.number()
		switch {
		case kind == kindNull:
			return 0, false
		case kind != kindNumber || x != math.Trunc(x) || math.Abs(x) > 1<<53:
			bad(field, "it must be a whole number")
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
					bad("tag", "it must be 1 to 64 letters, digits, dots, dashes or underscores")
				}
			case "ts":
				ms, ok := whole("ts")
				if hasTime = ok; ok {
					r.At = time.UnixMilli(ms).UTC()
				}
			case "lon":
				r.Lon = number("lon", &v.lon, -180, 180)
			case "lat":
				r.Lat = number("lat", &v.lat, -90, 90)
			case "acc_m":
				r.Accuracy = number("acc_m", &v.acc, 0, 1e6)
			case "temp_c":
				r.Temp = number("temp_c", &v.temp, -90, 120)
			case "ambient_c":
				r.Ambient = number("ambient_c", &v.ambient, -90, 90)
			case "activity":
				r.Activity = number("activity", &v.activity, 0, 1000)
			case "battery_v":
				r.Battery = number("battery_v", &v.battery, 0, 60)
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
				if n, ok := whole("seq"); ok {
					v.seq, r.Seq = n, &v.seq
				}
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
	switch {
	case it.Err != nil:
	case !hasTime:
		it.Err = ErrNoTime
	case (r.Lon == nil) != (r.Lat == nil):
		bad("lon", "lon and lat go together")
	}
	it.Raw = d.b[start:d.i]
	return it
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
	if r.Seq != nil {
		dst = append(dst, `,"seq":`...)
		dst = strconv.AppendInt(dst, *r.Seq, 10)
	}
	return append(dst, '}')
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
