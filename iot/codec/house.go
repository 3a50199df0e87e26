package codec

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

// House decodes messages of every format. Its zero value knows no device profiles.
// Its methods may be called from many goroutines; the messages of one Sparkplug edge
// node, which stand on several topics, must come in their order.
type House struct {
	// Profiles say how devices' bytes and keys are read.
	Profiles *profile.Catalogue
	// Device finds a tag behind a gateway or a network server, for its profile;
	// iot.ErrDeviceNotFound. Nil reads everything by the publisher's profile.
	Device func(ctx context.Context, tenant, id string) (iot.Device, error)
	// Sparkplug keeps births and asks for rebirths.
	Sparkplug sparkplug.Host
	// Presence is told of gateways and tags that are reachable or no longer; of
	// Sparkplug's edge nodes Sparkplug.Edge is. May be nil.
	Presence func(ctx context.Context, tenant string, p iot.Presence)
}

// Decode reads one message that device published at address and appends what it
// holds to dst. Errors refuse the whole message; Item.Err one part of it. The
// caller fills Tenant and Received of readings, and Gateway where it is empty and a
// gateway published. An error of kind fault.Unavailable refuses nothing: a store
// did not answer, and the same message must be decoded again.
func (h *House) Decode(ctx context.Context, a Address, device iot.Device, payload []byte, received time.Time, dst []Item) ([]Item, error) {
	if len(payload) > MaxBytes {
		return dst, errTooLong
	}
	switch {
	case a.Format == JSON && a.Part == partStatus:
		return dst, h.status(ctx, device, payload, received)
	case a.Part == partConnect, a.Part == partDisconnect:
		return dst, h.connection(ctx, a, device, payload, received)
	}
	switch a.Format {
	case ThingsBoard:
		return h.thingsboard(ctx, a, device, payload, received, dst)
	case ChirpStack:
		return h.chirpstack(ctx, a, device, payload, received, dst)
	case Sparkplug:
		return h.sparkplug(ctx, a, device, payload, received, dst)
	case Counts:
		return decodeCounts(device, payload, received, dst)
	case JSON, CBOR:
	}
	if isCBOR(payload) {
		return DecodeCBOR(payload, dst)
	}
	return Decode(payload, dst)
}

// profileOf is the profile by which the messages of tag are read: its own, else
// that of the device which published them, else the one named after the format.
func (h *House) profileOf(ctx context.Context, format Format, device iot.Device, tag string) (*profile.Profile, error) {
	code := device.Profile
	if tag != "" && tag != device.ID && h.Device != nil {
		d, err := h.Device(ctx, device.Tenant, tag)
		switch {
		case errors.Is(err, iot.ErrDeviceNotFound): // whoever takes the reading refuses it
		case err != nil:
			return nil, err
		case d.Profile != "":
			code = d.Profile
		}
	}
	if code == "" {
		return h.Profiles.Default(string(format)), nil
	}
	return h.Profiles.Profile(code)
}
