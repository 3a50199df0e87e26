package view

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// ReceivableLine is a receivable with what follows from it today, and the names of the
// firms in it.
type ReceivableLine struct {
	Receivable  receivable.Receivable `json:"receivable"`
	Outstanding money.Fen             `json:"outstanding"`
	Overdue     bool                  `json:"overdue"`
	Names       map[string]string     `json:"names"` // by firm id
}

// Receivables answers with receivables as they stand today.
type Receivables struct {
	Firms chain.Store
	Today money.Date
}

// One is the answer of what reads or changes one receivable.
func (v Receivables) One(ctx context.Context, who access.Actor, r receivable.Receivable, err error) (*route.Body[ReceivableLine], error) {
	if err != nil {
		return nil, err
	}
	lines, err := v.lines(ctx, who.Tenant, []receivable.Receivable{r})
	if err != nil {
		return nil, err
	}
	return route.Answer(lines[0], nil)
}

// Page is the answer of what lists receivables; limit is the page's length.
func (v Receivables) Page(ctx context.Context, who access.Actor, list []receivable.Receivable, err error, limit int) (*route.Body[route.List[ReceivableLine]], error) {
	if err != nil {
		return nil, err
	}
	lines, err := v.lines(ctx, who.Tenant, list)
	return route.Page(lines, err, limit, func(l ReceivableLine) string { return l.Receivable.ID })
}

func (v Receivables) lines(ctx context.Context, tenant string, list []receivable.Receivable) ([]ReceivableLine, error) {
	seen := map[string]bool{}
	var ids []string
	note := func(id string) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, r := range list {
		note(r.ObligorID)
		note(r.CreditorID)
		for _, p := range r.Parts {
			note(p.HolderID)
		}
	}
	found, err := v.Firms.FirmsByID(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, f := range found {
		names[f.ID] = f.Name
	}
	lines := make([]ReceivableLine, len(list))
	for i, r := range list {
		l := ReceivableLine{Receivable: r, Outstanding: r.Outstanding(), Overdue: r.Overdue(v.Today), Names: map[string]string{}}
		l.Names[r.ObligorID], l.Names[r.CreditorID] = names[r.ObligorID], names[r.CreditorID]
		for _, p := range r.Parts {
			l.Names[p.HolderID] = names[p.HolderID]
		}
		lines[i] = l
	}
	return lines, nil
}

// ForFirms is the actor as the receivables know them.
func ForFirms(who access.Actor, firms ...string) receivable.Who {
	return receivable.Who{Tenant: who.Tenant, UserID: who.UserID, Name: who.Name, Firms: firms}
}

// ForBank is an officer as the receivables know them.
func ForBank(who access.Actor) receivable.Who {
	return receivable.Who{Tenant: who.Tenant, UserID: who.UserID, Name: who.Name, Bank: true}
}

// ReceivableQuery filters a list of receivables.
type ReceivableQuery struct {
	State   []string `query:"state" doc:"states, separated by commas; none means all"`
	Overdue bool     `query:"overdue" doc:"only those that were due before today and are not paid"`
	DueFrom string   `query:"due_from" doc:"such as 2026-05-31"`
	DueTo   string   `query:"due_to" doc:"such as 2026-11-30"`
	Hold    string   `query:"hold" enum:"asked,pledged,frozen" doc:"only those with a part held so"`
	Batch   string   `query:"batch" maxLength:"64"`
	Number  string   `query:"number" maxLength:"64" doc:"of the receivable or of a part"`
	Before  string   `query:"before" maxLength:"64" doc:"cursor"`
	Limit   int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// Filter is the query as the store takes it; it returns money.ErrDate.
func (q ReceivableQuery) Filter(today money.Date) (f receivable.Filter, err error) {
	f = receivable.Filter{Hold: receivable.HoldKind(q.Hold), Batch: q.Batch, Number: q.Number, Before: q.Before, Limit: q.Limit}
	for _, s := range q.State {
		f.States = append(f.States, receivable.State(s))
	}
	if q.Overdue {
		f.OverdueOn = today
	}
	if q.DueFrom != "" {
		if f.DueFrom, err = money.ParseDate(q.DueFrom); err != nil {
			return f, err
		}
	}
	if q.DueTo != "" {
		f.DueTo, err = money.ParseDate(q.DueTo)
	}
	return f, err
}
