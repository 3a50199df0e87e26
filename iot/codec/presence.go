package codec

import (
	"bytes"
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// ErrStatus is returned for a status that is neither of the two words.
var ErrStatus = fault.New(fault.Invalid, "reading.status", "the status must be the word online or offline")

// status reads what a gateway says of itself, or its will does: one of two words.
func (h *House) status(ctx context.Context, device iot.Device, payload []byte, received time.Time) error {
	online := false
	switch string(bytes.TrimSpace(payload)) {
	case "online":
		online = true
	case "offline":
	default:
		return ErrStatus
	}
	h.tell(ctx, device, iot.Presence{Online: online, At: milli(received)})
	return nil
}

// connection reads what a ThingsBoard gateway says of a tag: {"device": "A-017"}; other
// keys are skipped.
func (h *House) connection(ctx context.Context, a Address, device iot.Device, payload []byte, received time.Time) error {
	d, tag := &decoder{b: payload}, ""
	d.space()
	if d.peek() != '{' {
		d.fail("expected an object")
	} else {
		d.object(func(key []byte) {
			if string(key) == "device" {
				tag, _ = d.word()
			} else {
				d.skip(0)
			}
		})
	}
	if err := d.end(); err != nil {
		return err
	}
	if !iot.ValidDeviceID(tag) {
		return ErrField.With("field", "device").With("why", whyTag)
	}
	h.tell(ctx, device, iot.Presence{Tag: tag, Online: a.Part == partConnect, At: milli(received)})
	return nil
}

// tell passes on what a gateway says.
func (h *House) tell(ctx context.Context, device iot.Device, p iot.Presence) {
	if h.Presence != nil {
		p.Gateway = device.ID
		h.Presence(ctx, device.Tenant, p)
	}
}
