package codec

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// House decodes messages of every format. Its methods may be called from many
// goroutines; messages of one [Address.Stream] must come in their order.
type House struct{}

// Decode reads one message that device published at address and appends what it
// holds to dst. Errors refuse the whole message; Item.Err one part of it. The
// caller fills Tenant and Received of readings, and Gateway where it is empty and a
// gateway published. An error of kind fault.Unavailable refuses nothing: a store
// did not answer, and the same message must be decoded again.
func (h *House) Decode(_ context.Context, a Address, _ iot.Device, payload []byte, _ time.Time, dst []Item) ([]Item, error) {
	if a.Format != JSON && a.Format != CBOR {
		return dst, ErrTopic
	}
	if isCBOR(payload) {
		return DecodeCBOR(payload, dst)
	}
	return Decode(payload, dst)
}
