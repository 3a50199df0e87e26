package rail

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
)

// ErrCallback is returned for a callback that cannot be read.
var ErrCallback = fault.New(fault.Invalid, "rail.callback", "this callback cannot be read: {why}")

// Callback takes what a bank tells by itself.
type Callback struct {
	Key Key
	// Once keeps a nonce, or returns pay.ErrReplayed when it is there; those before oldest
	// may be forgotten.
	Once func(ctx context.Context, nonce string, at, oldest time.Time) error
	// Order finds what was ordered: pay.ErrNotFound.
	Order func(ctx context.Context, id string) (pay.Instruction, error)
	// Receive takes the outcome: (*pay.Outbox).Receive.
	Receive func(ctx context.Context, r pay.Receipt) error
	Now     func() time.Time
}

// Take checks the signature, the time and the nonce of a callback and hands its receipt
// on: ErrSignature, pay.ErrReplayed, ErrCallback, pay.ErrNotFound. A receipt that came
// already, in a new message, changes nothing.
func (c *Callback) Take(ctx context.Context, h http.Header, body []byte) error {
	now := c.Now()
	if err := c.Key.Check(h, http.MethodPost, CallbackPath, body, now); err != nil {
		return err
	}
	var m ReceiptMessage
	if err := json.Unmarshal(body, &m); err != nil || m.OrderID == "" {
		return ErrCallback.With("why", "it is no receipt")
	}
	i, err := c.Order(ctx, m.OrderID)
	if err != nil {
		return err
	}
	r, err := receipt(body, i.Order.ID, i.Order.Amount)
	if err != nil {
		return ErrCallback.With("why", err)
	}
	if err := c.Once(ctx, h.Get(NonceHeader), now, now.Add(-2*Window)); err != nil {
		return err
	}
	return c.Receive(ctx, r)
}
