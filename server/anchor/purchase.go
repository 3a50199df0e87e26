package anchor

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
)

// Sales is what a seller does with orders of directed money; purchase.Service does it.
type Sales interface {
	Order(ctx context.Context, who access.Actor, id string) (purchase.Order, []purchase.Event, error)
	Orders(ctx context.Context, who access.Actor, f purchase.Filter) ([]purchase.Order, error)
	Confirm(ctx context.Context, who access.Actor, id string) (purchase.Order, error)
	Deliver(ctx context.Context, who access.Actor, id, receiptHash string) (purchase.Order, error)
	Cancel(ctx context.Context, who access.Actor, id, reason string) (purchase.Order, error)
	Refund(ctx context.Context, who access.Actor, id string, lines []purchase.RefundLine, reason, key string) (purchase.Order, error)
}

func (f face) registerSales(a *route.API, op func(id, method, path, summary string) route.Op) {
	get, post := http.MethodGet, http.MethodPost
	const one = "/sales/{id}"
	route.Register(a, op("sales", get, "/sales", "Orders that we are to deliver, newest first"), f.sales)
	route.Register(a, op("sale", get, one, "An order and what happened to it"), f.sale)
	route.Register(a, op("sale-confirm", post, one+"/confirm", "Say that the goods can be had; we are paid where the product does not wait for the delivery"), f.confirmSale)
	route.Register(a, op("sale-decline", post, one+"/decline", "Decline an order before its money moves"), f.declineSale)
	route.Register(a, op("sale-deliver", post, one+"/deliver", "Give the hash of the receipt that the buyer signed"), f.deliverSale)
	route.Register(a, op("sale-refund", post, one+"/refund", "Give money back; it goes to the loan"), f.refundSale)
}

type salesIn struct{ farmer.PurchaseQuery }

func (f face) sales(ctx context.Context, who access.Actor, in *salesIn) (*route.Body[route.List[purchase.Order]], error) {
	list, err := f.Sales.Orders(ctx, who, in.Filter())
	return route.Page(list, err, in.Limit, func(o purchase.Order) string { return o.ID })
}

// SalePage is an order with its steps.
type SalePage struct {
	Order  purchase.Order   `json:"order"`
	Events []purchase.Event `json:"events"`
}

func (f face) sale(ctx context.Context, who access.Actor, in *ByID) (*route.Body[SalePage], error) {
	o, events, err := f.Sales.Order(ctx, who, in.ID)
	return route.Answer(SalePage{o, events}, err)
}

func (f face) confirmSale(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Sales.Confirm(ctx, who, in.ID))
}

type saleDeclineIn struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"2000"`
	}
}

func (f face) declineSale(ctx context.Context, who access.Actor, in *saleDeclineIn) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Sales.Cancel(ctx, who, in.ID, in.Body.Reason))
}

type saleReceiptIn struct {
	ByID
	Body struct {
		ReceiptHash string `json:"receipt_hash" maxLength:"64" doc:"SHA-256 of the signed receipt, hex"`
	}
}

func (f face) deliverSale(ctx context.Context, who access.Actor, in *saleReceiptIn) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Sales.Deliver(ctx, who, in.ID, in.Body.ReceiptHash))
}

type saleRefundIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each refund, the same one for each retry"`
	Body struct {
		Lines []struct {
			Nr     int       `json:"nr" minimum:"1"`
			Amount money.Fen `json:"amount" minimum:"1" doc:"fen"`
		} `json:"lines" minItems:"1" maxItems:"50"`
		Reason string `json:"reason" maxLength:"2000"`
	}
}

func (f face) refundSale(ctx context.Context, who access.Actor, in *saleRefundIn) (*route.Body[purchase.Order], error) {
	lines := make([]purchase.RefundLine, len(in.Body.Lines))
	for i, l := range in.Body.Lines {
		lines[i] = purchase.RefundLine{Nr: l.Nr, Amount: l.Amount}
	}
	return route.Answer(f.Sales.Refund(ctx, who, in.ID, lines, in.Body.Reason, in.Key))
}
