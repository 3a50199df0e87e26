package partner

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
)

// Purchases takes orders for registered borrowers; purchase.Service does.
type Purchases interface {
	Shelf(ctx context.Context, who access.Actor, applicationID, lang string) (purchase.Shelf, error)
	Place(ctx context.Context, who access.Actor, r purchase.Request, key string) (purchase.Order, error)
	Order(ctx context.Context, who access.Actor, id string) (purchase.Order, []purchase.Event, error)
}

// Callbacks takes what a bank tells by itself; rail.Callback does.
type Callbacks interface {
	Take(ctx context.Context, h http.Header, body []byte) error
}

func (f face) registerPurchases(a *route.API) {
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "partner-" + id, Method: method, Path: "/partner" + path, Summary: summary, Tag: "partner"}
	}
	route.Register(a, op("shelf", http.MethodGet, "/applications/{id}/shelf", "What directed money may buy now: goods, prices, months, sellers"), f.shelf)
	route.Register(a, op("purchase-place", http.MethodPost, "/purchases", "Order goods for a borrower"), f.placePurchase)
	route.Register(a, op("purchase", http.MethodGet, "/purchases/{id}", "An order and what happened to it"), f.purchase)
	route.Register(a, route.Op{
		ID: "rail-callback", Method: http.MethodPost, Path: "/rail/callback", Tag: "rail", MaxBytes: 64 << 10, Raw: true,
		Summary: "What the bank tells of a payment order by itself, signed",
	}, f.callback)
}

func (f face) shelf(ctx context.Context, who access.Actor, in *byID) (*route.Body[purchase.Shelf], error) {
	return route.Answer(f.Purchases.Shelf(ctx, who, in.ID, route.Lang(ctx)))
}

type purchaseIn struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each order, the same one for each retry"`
	Body farmer.PurchaseAsk
}

func (f face) placePurchase(ctx context.Context, who access.Actor, in *purchaseIn) (*route.Body[purchase.Order], error) {
	o, err := f.Purchases.Place(ctx, who, in.Body.Request(route.Lang(ctx)), in.Key)
	route.Touch(ctx, o.ID)
	return route.Answer(o, err)
}

// PurchasePage is an order with its steps.
type PurchasePage struct {
	Order  purchase.Order   `json:"order"`
	Events []purchase.Event `json:"events"`
}

func (f face) purchase(ctx context.Context, who access.Actor, in *byID) (*route.Body[PurchasePage], error) {
	o, events, err := f.Purchases.Order(ctx, who, in.ID)
	return route.Answer(PurchasePage{o, events}, err)
}

type callbackIn struct {
	Key       string `header:"Furrow-Key" required:"true" maxLength:"128" doc:"id of the secret"`
	Time      string `header:"Furrow-Time" required:"true" maxLength:"20" doc:"Unix seconds"`
	Nonce     string `header:"Furrow-Nonce" required:"true" minLength:"16" maxLength:"128" doc:"never used twice"`
	Signature string `header:"Furrow-Signature" required:"true" maxLength:"64" doc:"hex of HMAC-SHA256, see docs/formats/payment.md"`
	RawBody   []byte `contentType:"application/json"`
}

// CallbackTaken says that a callback was taken.
type CallbackTaken struct {
	Taken bool `json:"taken"`
}

func (f face) callback(ctx context.Context, _ access.Actor, in *callbackIn) (*route.Body[CallbackTaken], error) {
	if f.Callbacks == nil {
		return nil, route.ErrPartAbsent.With("part", "rail")
	}
	h := http.Header{}
	h.Set("Furrow-Key", in.Key)
	h.Set("Furrow-Time", in.Time)
	h.Set("Furrow-Nonce", in.Nonce)
	h.Set("Furrow-Signature", in.Signature)
	return route.Answer(CallbackTaken{true}, f.Callbacks.Take(ctx, h, in.RawBody))
}
