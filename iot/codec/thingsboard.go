package codec

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

// thingsboard reads docs/formats/thingsboard.md: of a device {"key": value}, with a
// time {"ts": ms, "values": {...}}, or an array of those; of a gateway an object of
// such by device.
func (h *House) thingsboard(ctx context.Context, a Address, device iot.Device, payload []byte, received time.Time, dst []Item) ([]Item, error) {
	d, j := &decoder{b: payload}, join(dst)
	start := len(dst)
	d.space()
	if a.Part != partGateway {
		p, err := h.profileOf(ctx, ThingsBoard, device, "")
		if err != nil {
			return dst, err
		}
		d.telemetry(j, p, "", received)
	} else if err := h.gatewayTelemetry(ctx, d, j, device, received); err != nil {
		return dst, err
	}
	if err := d.end(); err != nil {
		return j.dst[:start], err
	}
	if j.len() > MaxReadings {
		return j.dst[:start], ErrTooMany.With("max", MaxReadings)
	}
	return j.dst, nil
}

func (h *House) gatewayTelemetry(ctx context.Context, d *decoder, j *joiner, device iot.Device, received time.Time) (err error) {
	if d.peek() != '{' {
		d.fail("expected an object of devices")
		return nil
	}
	d.object(func(key []byte) {
		tag, start := string(key), d.i
		if err != nil {
			d.skip(0)
			return
		}
		if !iot.ValidDeviceID(tag) {
			d.skip(0)
			j.add(Item{Err: ErrField.With("field", "tag").With("why", whyTag), Raw: d.b[start:d.i]})
			return
		}
		p, lookErr := h.profileOf(ctx, ThingsBoard, device, tag)
		if lookErr != nil {
			d.skip(0)
			err = lookErr
			return
		}
		d.telemetry(j, p, tag, received)
	})
	return err
}

// telemetry reads one device's part: an object, or an array of objects.
func (d *decoder) telemetry(j *joiner, p *profile.Profile, tag string, received time.Time) {
	one := func() {
		if j.len() > MaxReadings {
			d.skip(0)
			return
		}
		j.add(d.telemetryObject(p, tag, received))
	}
	if d.peek() == '[' {
		d.array(one)
		return
	}
	one()
}

func (d *decoder) telemetryObject(p *profile.Profile, tag string, received time.Time) Item {
	start := d.i
	if d.peek() != '{' {
		d.fail("expected an object")
		return Item{}
	}
	f := found{reading: iot.Reading{Tag: tag, At: milli(received), Source: string(ThingsBoard)}}
	d.object(func(key []byte) {
		switch name := string(key); {
		case name == "values" && d.peek() == '{':
			d.values(&f, p, "", 0)
		case name == "ts":
			x, k := d.number()
			if k == kindNull {
				return
			}
			switch {
			case k != kindNumber:
				f.err = ErrField.With("field", "ts").With("why", "it must be a number")
			case !profile.Time.Fits(x):
				f.err = ErrField.With("field", "ts").With("why", profile.Time.Problem(x))
			default:
				f.known = true
				profile.Time.Set(&f.reading, x)
			}
		default:
			d.values(&f, p, name, 0)
		}
	})
	return Item{Reading: f.reading, Err: f.check(), Raw: d.b[start:d.i]}
}
