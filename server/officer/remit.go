package officer

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Remittances pays out fees that are collected for others; remit.Service does.
type Remittances interface {
	Payees() remit.Payees
	Statement(ctx context.Context, tenant, code string, through money.Date) (remit.PayeeStatement, error)
	Propose(ctx context.Context, who access.Actor, code string, through money.Date, memo, key string) (remit.Remittance, error)
	Agree(ctx context.Context, who access.Actor, id string) (remit.Remittance, error)
	Refuse(ctx context.Context, who access.Actor, id, note string) (remit.Remittance, error)
	Remittances(ctx context.Context, tenant string, f remit.Filter) ([]remit.Remittance, error)
	Remittance(ctx context.Context, tenant, id string) (remit.Remittance, []remit.RemittancePart, error)
}

func (f face) registerRemittances(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/remittances/{id}"
	route.Register(a, get("payees", "/payees", "Who gets fees that are collected with loans, and to which account"), f.payees)
	route.Register(a, get("payee-statement", "/payees/{code}/statement", "What a payee is owed up to a day: collected, paid out, open, claims, by loan"), f.payeeStatement)
	route.Register(a, get("payee-statement-csv", "/payees/{code}/statement.csv", "The same as CSV"), f.payeeStatementCSV)
	route.Register(a, post("remittance-propose", "/payees/{code}/remittances", "Propose to pay out what a payee is owed up to a day; a second person agrees"), f.proposeRemittance)
	route.Register(a, get("remittances", "/remittances", "Payouts of collected fees, newest first"), f.remittances)
	route.Register(a, get("remittance", one, "A payout with the part of each loan"), f.remittance)
	route.Register(a, post("remittance-agree", one+"/agree", "Have the bank pay what somebody else proposed"), f.agreeRemittance)
	route.Register(a, post("remittance-refuse", one+"/refuse", "Refuse a payout"), f.refuseRemittance)
}

func (f face) payees(context.Context, access.Actor, *struct{}) (*route.Body[route.List[remit.FeePayee]], error) {
	return route.Page(f.Remittances.Payees(), nil, 0, func(remit.FeePayee) string { return "" })
}

// ByPayee names a payee.
type ByPayee struct {
	Code string `path:"code" maxLength:"50"`
}

type payeeStatementIn struct {
	ByPayee
	Through string `query:"through" format:"date" doc:"last bank date that counts; today when absent"`
}

func (f face) payeeStatement(ctx context.Context, who access.Actor, in *payeeStatementIn) (*route.Body[remit.PayeeStatement], error) {
	return route.Answer(f.owed(ctx, who, in))
}

func (f face) owed(ctx context.Context, who access.Actor, in *payeeStatementIn) (remit.PayeeStatement, error) {
	var through money.Date
	if err := through.UnmarshalText([]byte(in.Through)); err != nil {
		return remit.PayeeStatement{}, at(err, "query.through")
	}
	return f.Remittances.Statement(ctx, who.Tenant, in.Code, through)
}

func (f face) payeeStatementCSV(ctx context.Context, who access.Actor, in *payeeStatementIn) (*csvOut, error) {
	st, err := f.owed(ctx, who, in)
	return tableCSV(in.Code+"-"+st.Through.String()+".csv", st, err)
}

type remittanceIn struct {
	ByPayee
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"100" doc:"a new one for each payout, the same one for each retry"`
	Body struct {
		Through money.Date `json:"through" doc:"last bank date that counts"`
		Memo    string     `json:"memo,omitempty" maxLength:"500"`
	}
}

func (f face) proposeRemittance(ctx context.Context, who access.Actor, in *remittanceIn) (*route.Body[remit.Remittance], error) {
	r, err := f.Remittances.Propose(ctx, who, in.Code, in.Body.Through, in.Body.Memo, in.Key)
	route.Touch(ctx, r.ID)
	return route.Answer(r, err)
}

type remittancesIn struct {
	Payee  string `query:"payee" maxLength:"50"`
	Before string `query:"before" maxLength:"40" doc:"next of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

func (f face) remittances(ctx context.Context, who access.Actor, in *remittancesIn) (*route.Body[route.List[remit.Remittance]], error) {
	list, err := f.Remittances.Remittances(ctx, who.Tenant, remit.Filter{Payee: in.Payee, Before: in.Before, Limit: in.Limit})
	return route.Page(list, err, in.Limit, func(r remit.Remittance) string { return r.ID })
}

// RemittanceDetail is a payout with the part of each loan.
type RemittanceDetail struct {
	remit.Remittance
	Parts []remit.RemittancePart `json:"parts"`
}

func (f face) remittance(ctx context.Context, who access.Actor, in *ByID) (*route.Body[RemittanceDetail], error) {
	r, parts, err := f.Remittances.Remittance(ctx, who.Tenant, in.ID)
	return route.Answer(RemittanceDetail{r, parts}, err)
}

func (f face) agreeRemittance(ctx context.Context, who access.Actor, in *ByID) (*route.Body[remit.Remittance], error) {
	return route.Answer(f.Remittances.Agree(ctx, who, in.ID))
}

type remittanceRefuseIn struct {
	ByID
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500"`
	}
}

func (f face) refuseRemittance(ctx context.Context, who access.Actor, in *remittanceRefuseIn) (*route.Body[remit.Remittance], error) {
	return route.Answer(f.Remittances.Refuse(ctx, who, in.ID, in.Body.Note))
}
