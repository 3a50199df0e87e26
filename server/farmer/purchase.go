package farmer

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Purchases is what a buyer does with directed money; purchase.Service does it.
type Purchases interface {
	Shelf(ctx context.Context, who access.Actor, applicationID, lang string) (purchase.Shelf, error)
	Check(ctx context.Context, who access.Actor, r purchase.Request) (lines []purchase.Line, sum money.Fen, no []*fault.Error, err error)
	Place(ctx context.Context, who access.Actor, r purchase.Request, key string) (purchase.Order, error)
	Submit(ctx context.Context, who access.Actor, id, lang string) (purchase.Order, error)
	Order(ctx context.Context, who access.Actor, id string) (purchase.Order, []purchase.Event, error)
	Orders(ctx context.Context, who access.Actor, f purchase.Filter) ([]purchase.Order, error)
	Deliver(ctx context.Context, who access.Actor, id, receiptHash string) (purchase.Order, error)
	Cancel(ctx context.Context, who access.Actor, id, reason string) (purchase.Order, error)
	Pay(ctx context.Context, who access.Actor, id string) (purchase.Order, error)
	Trace(ctx context.Context, who access.Actor, loanID string) (purchase.Trace, error)
}

func (f face) registerPurchases(a *route.API, op func(id, method, path, summary string) route.Op) {
	get, post := http.MethodGet, http.MethodPost
	const one = "/purchases/{id}"
	route.Register(a, op("shelf", get, "/applications/{id}/shelf", "What directed money may buy now: goods, prices, months, sellers"), f.shelf)
	route.Register(a, op("purchase-check", post, "/purchases/check", "What an order would come to, and all that speaks against it; nothing is kept"), f.checkPurchase)
	route.Register(a, op("purchase-place", post, "/purchases", "Order goods; the seller is asked, or it is kept as a draft"), f.placePurchase)
	route.Register(a, op("purchases", get, "/purchases", "My orders, newest first"), f.purchases)
	route.Register(a, op("purchase", get, one, "An order and what happened to it"), f.purchase)
	route.Register(a, op("purchase-submit", post, one+"/submit", "Send a draft to the seller"), f.submitPurchase)
	route.Register(a, op("purchase-deliver", post, one+"/deliver", "Say that the goods are there; the seller is paid where the product waits for it"), f.deliverPurchase)
	route.Register(a, op("purchase-cancel", post, one+"/cancel", "Cancel an order before its money moves"), f.cancelPurchase)
	route.Register(a, op("purchase-pay", post, one+"/pay", "Try a payment again that was refused"), f.payPurchase)
	route.Register(a, op("loan-trace", get, "/loans/{id}/trace", "The money of a loan, followed to goods"), f.trace)
}

// PurchaseWanted is one line as it is asked for.
type PurchaseWanted struct {
	Goods    string    `json:"goods" minLength:"1" maxLength:"64" doc:"code from the shelf"`
	Quantity string    `json:"quantity" minLength:"1" maxLength:"20" doc:"decimal above zero, at most two decimals: 12.5"`
	Unit     string    `json:"unit,omitempty" maxLength:"20" doc:"that of the shelf when absent"`
	Price    money.Fen `json:"price" doc:"fen a unit"`
}

// PurchaseAsk is an order as a buyer asks for it.
type PurchaseAsk struct {
	ApplicationID string           `json:"application_id" minLength:"1" maxLength:"64"`
	SellerID      string           `json:"seller_id" minLength:"1" maxLength:"64"`
	Lines         []PurchaseWanted `json:"lines" maxItems:"100"`
	Amount        money.Fen        `json:"amount,omitempty" doc:"fen; what the lines should make, checked when given"`
	Currency      string           `json:"currency,omitempty" maxLength:"8" doc:"CNY"`
	Draft         bool             `json:"draft,omitempty" doc:"keep it without asking the seller"`
}

// Request is r for the desk, in a language.
func (r PurchaseAsk) Request(lang string) purchase.Request {
	lines := make([]purchase.Wanted, len(r.Lines))
	for i, l := range r.Lines {
		lines[i] = purchase.Wanted(l)
	}
	return purchase.Request{
		ApplicationID: r.ApplicationID, SellerID: r.SellerID, Lines: lines, Amount: r.Amount, Currency: r.Currency, Draft: r.Draft, Lang: lang,
	}
}

// PurchasePage is an order with its steps.
type PurchasePage struct {
	Order  purchase.Order   `json:"order"`
	Events []purchase.Event `json:"events"`
}

// PurchaseCheck is what an order would come to.
type PurchaseCheck struct {
	Lines    []purchase.Line   `json:"lines"`
	Amount   money.Fen         `json:"amount"`
	Refusals []PurchaseRefusal `json:"refusals"` // empty: it may be placed
}

// PurchaseRefusal is one thing that speaks against an order.
type PurchaseRefusal struct {
	Code     string `json:"code"`
	Location string `json:"location"`
	Message  string `json:"message"` // in the reader's language
}

func (f face) shelf(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Shelf], error) {
	return route.Answer(f.Purchases.Shelf(ctx, who, in.ID, route.Lang(ctx)))
}

type purchaseCheckIn struct{ Body PurchaseAsk }

func (f face) checkPurchase(ctx context.Context, who access.Actor, in *purchaseCheckIn) (*route.Body[PurchaseCheck], error) {
	lang := route.Lang(ctx)
	lines, sum, no, err := f.Purchases.Check(ctx, who, in.Body.Request(lang))
	out := PurchaseCheck{Lines: lines, Amount: sum, Refusals: []PurchaseRefusal{}}
	for _, x := range no {
		out.Refusals = append(out.Refusals, PurchaseRefusal{x.Code, x.Place, f.Words(lang, x.Code, x.Msg, x.Args)})
	}
	return route.Answer(out, err)
}

type purchasePlaceIn struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each order, the same one for each retry"`
	Body PurchaseAsk
}

func (f face) placePurchase(ctx context.Context, who access.Actor, in *purchasePlaceIn) (*route.Body[purchase.Order], error) {
	o, err := f.Purchases.Place(ctx, who, in.Body.Request(route.Lang(ctx)), in.Key)
	route.Touch(ctx, o.ID)
	return route.Answer(o, err)
}

// PurchaseQuery selects orders.
type PurchaseQuery struct {
	ApplicationID string `query:"application_id" maxLength:"64"`
	State         string `query:"state" enum:",draft,submitted,confirmed,delivered,paying,paid,refunding,refunded,cancelled,expired"`
	Before        string `query:"before" maxLength:"64"`
	Limit         int    `query:"limit" minimum:"0" maximum:"500"`
}

// Filter is q for the desk.
func (q PurchaseQuery) Filter() purchase.Filter {
	f := purchase.Filter{ApplicationID: q.ApplicationID, Before: q.Before, Limit: q.Limit}
	if q.State != "" {
		f.States = []purchase.State{purchase.State(q.State)}
	}
	return f
}

type purchasesIn struct{ PurchaseQuery }

func (f face) purchases(ctx context.Context, who access.Actor, in *purchasesIn) (*route.Body[route.List[purchase.Order]], error) {
	list, err := f.Purchases.Orders(ctx, who, in.Filter())
	return route.Page(list, err, in.Limit, func(o purchase.Order) string { return o.ID })
}

func (f face) purchase(ctx context.Context, who access.Actor, in *ByID) (*route.Body[PurchasePage], error) {
	o, events, err := f.Purchases.Order(ctx, who, in.ID)
	return route.Answer(PurchasePage{o, events}, err)
}

func (f face) submitPurchase(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Purchases.Submit(ctx, who, in.ID, route.Lang(ctx)))
}

type purchaseDeliverIn struct {
	ByID
	Body struct {
		ReceiptHash string `json:"receipt_hash,omitempty" maxLength:"64" doc:"SHA-256 of a signed receipt, hex"`
	}
}

func (f face) deliverPurchase(ctx context.Context, who access.Actor, in *purchaseDeliverIn) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Purchases.Deliver(ctx, who, in.ID, in.Body.ReceiptHash))
}

type purchaseCancelIn struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"2000"`
	}
}

func (f face) cancelPurchase(ctx context.Context, who access.Actor, in *purchaseCancelIn) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Purchases.Cancel(ctx, who, in.ID, in.Body.Reason))
}

func (f face) payPurchase(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Order], error) {
	return route.Answer(f.Purchases.Pay(ctx, who, in.ID))
}

func (f face) trace(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Trace], error) {
	return route.Answer(f.Purchases.Trace(ctx, who, in.ID))
}
