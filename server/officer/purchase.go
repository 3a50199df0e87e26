package officer

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
)

// Purchases is what the bank does with sellers and sees of orders; purchase.Service does it.
type Purchases interface {
	Enrol(ctx context.Context, who access.Actor, e purchase.Enrolment) (purchase.Seller, error)
	Amend(ctx context.Context, who access.Actor, id string, e purchase.Enrolment) (purchase.Seller, error)
	Approve(ctx context.Context, who access.Actor, id string) (purchase.Seller, error)
	Suspend(ctx context.Context, who access.Actor, id, reason string) (purchase.Seller, error)
	Reinstate(ctx context.Context, who access.Actor, id string) (purchase.Seller, error)
	Seller(ctx context.Context, tenant, id string) (purchase.Seller, error)
	Sellers(ctx context.Context, tenant string, f purchase.SellerFilter) ([]purchase.Seller, error)
	Order(ctx context.Context, who access.Actor, id string) (purchase.Order, []purchase.Event, error)
	Orders(ctx context.Context, who access.Actor, f purchase.Filter) ([]purchase.Order, error)
	Trace(ctx context.Context, who access.Actor, loanID string) (purchase.Trace, error)
}

// Payments is the outbox in front of the bank; pay.Outbox is one.
type Payments interface {
	Orders(ctx context.Context, tenant string, f pay.OrderFilter) ([]pay.Instruction, error)
	Find(ctx context.Context, tenant, id string) (pay.Instruction, []pay.Note, error)
	Ask(ctx context.Context, tenant, id string) (pay.Instruction, error)
}

// Statements compares the bank's statements with the books; pay.Reconciler does.
type Statements interface {
	Run(ctx context.Context, tenant, by string, s pay.Statement) (pay.Report, error)
	Report(ctx context.Context, tenant string, day money.Date) (pay.Report, error)
	Reports(ctx context.Context, tenant, before string, limit int) ([]pay.Report, error)
	Resolve(ctx context.Context, who access.Actor, day money.Date, id, action, note string) (pay.Report, error)
	Confirm(ctx context.Context, who access.Actor, day money.Date, id string) (pay.Report, error)
	Reject(ctx context.Context, who access.Actor, day money.Date, id string) (pay.Report, error)
}

func (f face) registerPurchases(a *route.API, get, post func(id, path, summary string) route.Op) {
	const seller, day = "/sellers/{id}", "/statements/{day}"
	route.Register(a, get("sellers", "/sellers", "Sellers that directed money may go to, newest first"), f.sellers)
	route.Register(a, get("seller", seller, "A seller"), f.seller)
	route.Register(a, post("seller-enrol", "/sellers", "Propose a firm as a seller; a second officer approves it"), f.enrol)
	route.Register(a, post("seller-amend", seller+"/amend", "Propose other terms; nothing is paid until they are approved"), f.amend)
	route.Register(a, post("seller-approve", seller+"/approve", "Enrol a seller that somebody else proposed"), f.approveSeller)
	route.Register(a, post("seller-suspend", seller+"/suspend", "Stop orders from and payments to a seller"), f.suspend)
	route.Register(a, post("seller-reinstate", seller+"/reinstate", "Propose a suspended seller again"), f.reinstate)
	route.Register(a, get("purchases", "/purchases", "Orders of directed money, newest first"), f.purchases)
	route.Register(a, get("purchase", "/purchases/{id}", "An order and what happened to it"), f.purchase)
	route.Register(a, get("loan-trace", "/loans/{id}/trace", "The money of a loan, followed to goods"), f.trace)
	route.Register(a, get("payments", "/payments", "Payment orders, newest first; outcome=unknown for those that the bank has not answered"), f.payments)
	route.Register(a, get("payment", "/payments/{id}", "A payment order with everything that happened to it"), f.payment)
	route.Register(a, post("payment-ask", "/payments/{id}/ask", "Ask the bank now what became of it"), f.askPayment)
	upload := post("statement-compare", "/statements", "Compare the bank's statement of a day with the books")
	upload.MaxBytes = route.MaxUpload
	route.Register(a, upload, f.compare)
	route.Register(a, get("statements", "/statements", "What was compared, newest first"), f.statements)
	route.Register(a, get("statement", day, "The differences of a day"), f.statement)
	route.Register(a, post("difference-resolve", day+"/differences/{id}/resolve", "Say what a difference was found to be, or propose to book it"), f.resolve)
	route.Register(a, post("difference-confirm", day+"/differences/{id}/confirm", "Book what somebody else proposed"), f.confirmDifference)
	route.Register(a, post("difference-reject", day+"/differences/{id}/reject", "Send a proposed booking back"), f.rejectDifference)
}

type sellersIn struct {
	State  string `query:"state" enum:",proposed,enrolled,suspended"`
	FirmID string `query:"firm_id" maxLength:"64"`
	Before string `query:"before" maxLength:"64"`
	Limit  int    `query:"limit" minimum:"0" maximum:"500"`
}

func (f face) sellers(ctx context.Context, who access.Actor, in *sellersIn) (*route.Body[route.List[purchase.Seller]], error) {
	filter := purchase.SellerFilter{FirmID: in.FirmID, Before: in.Before, Limit: in.Limit}
	if in.State != "" {
		filter.States = []purchase.SellerState{purchase.SellerState(in.State)}
	}
	list, err := f.Purchases.Sellers(ctx, who.Tenant, filter)
	return route.Page(list, err, in.Limit, func(s purchase.Seller) string { return s.ID })
}

func (f face) seller(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Seller], error) {
	return route.Answer(f.Purchases.Seller(ctx, who.Tenant, in.ID))
}

// SellerTerms are those of an enrolment.
type SellerTerms struct {
	Regions    []string   `json:"regions,omitempty" maxItems:"100" doc:"where it may sell, GB/T 2260 with two, four or six digits; none: everywhere"`
	Categories []string   `json:"categories" minItems:"1" maxItems:"50" doc:"of goods"`
	Account    string     `json:"account" maxLength:"64" doc:"number of the bank account that is paid"`
	Bank       string     `json:"bank" maxLength:"200"`
	From       money.Date `json:"from"`
	To         money.Date `json:"to" doc:"the last day"`
}

func (t SellerTerms) enrolment(firm string) purchase.Enrolment {
	return purchase.Enrolment{FirmID: firm, Regions: t.Regions, Categories: t.Categories, Account: t.Account, Bank: t.Bank, From: t.From, To: t.To}
}

type sellerEnrolIn struct {
	Body struct {
		FirmID string `json:"firm_id" minLength:"1" maxLength:"64"`
		SellerTerms
	}
}

func (f face) enrol(ctx context.Context, who access.Actor, in *sellerEnrolIn) (*route.Body[purchase.Seller], error) {
	s, err := f.Purchases.Enrol(ctx, who, in.Body.enrolment(in.Body.FirmID))
	route.Touch(ctx, s.ID)
	return route.Answer(s, err)
}

type sellerAmendIn struct {
	ByID
	Body SellerTerms
}

func (f face) amend(ctx context.Context, who access.Actor, in *sellerAmendIn) (*route.Body[purchase.Seller], error) {
	return route.Answer(f.Purchases.Amend(ctx, who, in.ID, in.Body.enrolment("")))
}

func (f face) approveSeller(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Seller], error) {
	return route.Answer(f.Purchases.Approve(ctx, who, in.ID))
}

type sellerSuspendIn struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"2000"`
	}
}

func (f face) suspend(ctx context.Context, who access.Actor, in *sellerSuspendIn) (*route.Body[purchase.Seller], error) {
	return route.Answer(f.Purchases.Suspend(ctx, who, in.ID, in.Body.Reason))
}

func (f face) reinstate(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Seller], error) {
	return route.Answer(f.Purchases.Reinstate(ctx, who, in.ID))
}

type purchasesIn struct {
	farmer.PurchaseQuery
	UserID string `query:"user_id" maxLength:"64"`
	FirmID string `query:"firm_id" maxLength:"64" doc:"of the seller"`
	LoanID string `query:"loan_id" maxLength:"64"`
}

func (f face) purchases(ctx context.Context, who access.Actor, in *purchasesIn) (*route.Body[route.List[purchase.Order]], error) {
	filter := in.Filter()
	filter.UserID, filter.FirmID, filter.LoanID = in.UserID, in.FirmID, in.LoanID
	list, err := f.Purchases.Orders(ctx, who, filter)
	return route.Page(list, err, in.Limit, func(o purchase.Order) string { return o.ID })
}

// PurchasePage is an order with its steps.
type PurchasePage struct {
	Order  purchase.Order   `json:"order"`
	Events []purchase.Event `json:"events"`
}

func (f face) purchase(ctx context.Context, who access.Actor, in *ByID) (*route.Body[PurchasePage], error) {
	o, events, err := f.Purchases.Order(ctx, who, in.ID)
	return route.Answer(PurchasePage{o, events}, err)
}

func (f face) trace(ctx context.Context, who access.Actor, in *ByID) (*route.Body[purchase.Trace], error) {
	return route.Answer(f.Purchases.Trace(ctx, who, in.ID))
}

type paymentsIn struct {
	Outcome  string `query:"outcome" enum:",settled,failed,unknown"`
	Disputed bool   `query:"disputed" doc:"only those of which the bank told two outcomes"`
	Before   string `query:"before" maxLength:"64"`
	Limit    int    `query:"limit" minimum:"0" maximum:"500"`
}

func (f face) payments(ctx context.Context, who access.Actor, in *paymentsIn) (*route.Body[route.List[pay.Instruction]], error) {
	list, err := f.Payments.Orders(ctx, who.Tenant, pay.OrderFilter{Outcome: pay.Outcome(in.Outcome), Disputed: in.Disputed, Before: in.Before, Limit: in.Limit})
	return route.Page(list, err, in.Limit, func(i pay.Instruction) string { return i.Order.ID })
}

// PaymentPage is a payment order with its notes.
type PaymentPage struct {
	Payment pay.Instruction `json:"payment"`
	Notes   []pay.Note      `json:"notes"`
}

func (f face) payment(ctx context.Context, who access.Actor, in *ByID) (*route.Body[PaymentPage], error) {
	i, notes, err := f.Payments.Find(ctx, who.Tenant, in.ID)
	return route.Answer(PaymentPage{i, notes}, err)
}

func (f face) askPayment(ctx context.Context, who access.Actor, in *ByID) (*route.Body[pay.Instruction], error) {
	return route.Answer(f.Payments.Ask(ctx, who.Tenant, in.ID))
}

type statementCompareIn struct {
	RawBody huma.MultipartFormFiles[struct {
		Day  string        `form:"day" required:"true" doc:"2026-05-31"`
		File huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"CSV (UTF-8, GBK) or XLSX"`
	}]
}

func (f face) compare(ctx context.Context, who access.Actor, in *statementCompareIn) (*route.Body[pay.Report], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	day, err := money.ParseDate(form.Day)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(form.File)
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, day.String())
	return route.Answer(f.Statements.Run(ctx, who.Tenant, who.UserID, pay.Statement{Name: form.File.Filename, Body: body, Day: day}))
}

type statementsIn struct {
	Before string `query:"before" maxLength:"10" doc:"a day"`
	Limit  int    `query:"limit" minimum:"1" maximum:"366" default:"31"`
}

func (f face) statements(ctx context.Context, who access.Actor, in *statementsIn) (*route.Body[route.List[pay.Report]], error) {
	list, err := f.Statements.Reports(ctx, who.Tenant, in.Before, in.Limit)
	return route.Page(list, err, in.Limit, func(r pay.Report) string { return r.Day.String() })
}

// ByDay is the day of a statement in a path.
type ByDay struct {
	Day string `path:"day" maxLength:"10" doc:"2026-05-31"`
}

func (f face) statement(ctx context.Context, who access.Actor, in *ByDay) (*route.Body[pay.Report], error) {
	day, err := money.ParseDate(in.Day)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Statements.Report(ctx, who.Tenant, day))
}

// ByDifference names a difference of a day.
type ByDifference struct {
	ByDay
	ByID
}

type differenceResolveIn struct {
	ByDifference
	Body struct {
		Action string `json:"action" enum:"explain,book"`
		Note   string `json:"note" maxLength:"2000"`
	}
}

func (f face) resolve(ctx context.Context, who access.Actor, in *differenceResolveIn) (*route.Body[pay.Report], error) {
	day, err := money.ParseDate(in.Day)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Statements.Resolve(ctx, who, day, in.ID, in.Body.Action, in.Body.Note))
}

func (f face) confirmDifference(ctx context.Context, who access.Actor, in *ByDifference) (*route.Body[pay.Report], error) {
	day, err := money.ParseDate(in.Day)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Statements.Confirm(ctx, who, day, in.ID))
}

func (f face) rejectDifference(ctx context.Context, who access.Actor, in *ByDifference) (*route.Body[pay.Report], error) {
	day, err := money.ParseDate(in.Day)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Statements.Reject(ctx, who, day, in.ID))
}
