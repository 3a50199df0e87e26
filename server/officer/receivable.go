package officer

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Receivables is what the bank sees and does of receivables; chain/receivable.Service
// does it.
type Receivables interface {
	Do(ctx context.Context, who receivable.Who, id, key string, c receivable.Command) (receivable.Receivable, error)
	Get(ctx context.Context, who receivable.Who, id string) (receivable.Receivable, error)
	Events(ctx context.Context, who receivable.Who, id string) ([]receivable.Event, error)
	Owed(ctx context.Context, who receivable.Who, f receivable.Filter) ([]receivable.Receivable, error)
	Exposures(ctx context.Context, tenant string) ([]receivable.Exposure, error)
	SetLimit(ctx context.Context, tenant, obligorID string, limit *money.Fen) error
	Base(ctx context.Context, tenant, firmID string, rules receivable.BaseRules) (receivable.BorrowingBase, error)
	Today() money.Date
}

func (f face) registerReceivables(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/receivables/{id}"
	route.Register(a, get("receivables", "/receivables", "Receivables, newest first; overdue=true for those not paid in time"), f.receivables)
	route.Register(a, get("receivable", one, "A receivable with its whole chain of owners"), f.receivable)
	route.Register(a, get("receivable-events", one+"/events", "Its history"), f.receivableEvents)
	route.Register(a, post("receivable-pledge", one+"/pledge", "Finance a part for which its holder asked"), f.pledge)
	route.Register(a, post("receivable-owe", one+"/owe", "Say what the holder owes on a pledged part now"), f.owe)
	route.Register(a, post("receivable-file", one+"/file", "Enter the number of the pledge in the public register"), f.file)
	route.Register(a, post("receivable-freeze", one+"/freeze", "Stop a part from moving"), f.freeze)
	route.Register(a, post("receivable-release", one+"/release", "Release a pledge or a freeze, or decline what was asked"), f.release)
	route.Register(a, get("exposures", "/exposures", "Anchors by what they owe, with their limits"), f.exposures)
	route.Register(a, post("exposure-limit", "/exposures/{id}/limit", "Set what an anchor may owe in all"), f.setLimit)
	route.Register(a, get("borrowing-base", "/firms/{id}/borrowing-base", "What may be lent on the receivables of a firm"), f.base)
}

type receivablesIn struct {
	view.ReceivableQuery
	ObligorID string `query:"obligor_id" maxLength:"64"`
	FirmID    string `query:"firm_id" maxLength:"64" doc:"holds or held a part"`
}

func (f face) receivables(ctx context.Context, who access.Actor, in *receivablesIn) (*route.Body[route.List[view.ReceivableLine]], error) {
	filter, err := in.Filter(f.Receivables.Today())
	if err != nil {
		return nil, err
	}
	if in.ObligorID != "" {
		filter.ObligorIDs = []string{in.ObligorID}
	}
	if in.FirmID != "" {
		filter.FirmIDs = []string{in.FirmID}
	}
	list, err := f.Receivables.Owed(ctx, view.ForBank(who), filter)
	return f.lines().Page(ctx, who, list, err, in.Limit)
}

func (f face) receivable(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.ReceivableLine], error) {
	r, err := f.Receivables.Get(ctx, view.ForBank(who), in.ID)
	return f.lines().One(ctx, who, r, err)
}

func (f face) lines() view.Receivables {
	return view.Receivables{Firms: f.Firms, Today: f.Receivables.Today()}
}

func (f face) receivableEvents(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[receivable.Event]], error) {
	events, err := f.Receivables.Events(ctx, view.ForBank(who), in.ID)
	return route.Page(events, err, 0, func(receivable.Event) string { return "" })
}

// ReceivableAct makes an act on a receivable happen once.
type ReceivableAct struct {
	ByID
	Key string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each act, the same one for each retry"`
}

func (f face) actOn(ctx context.Context, who access.Actor, act ReceivableAct, c receivable.Command) (*route.Body[view.ReceivableLine], error) {
	r, err := f.Receivables.Do(ctx, view.ForBank(who), act.ID, act.Key, c)
	return f.lines().One(ctx, who, r, err)
}

type pledgeIn struct {
	ReceivableAct
	Body struct {
		PartID string    `json:"part_id" minLength:"1" maxLength:"64"`
		Funder string    `json:"funder" minLength:"1" maxLength:"200"`
		Ref    string    `json:"ref" minLength:"1" maxLength:"200" doc:"loan or application"`
		Owed   money.Fen `json:"owed" minimum:"1" doc:"fen that the funder is paid first"`
		Note   string    `json:"note,omitempty" maxLength:"500" doc:"needed when the term is longer than six months: why it is usual in this trade"`
	}
}

func (f face) pledge(ctx context.Context, who access.Actor, in *pledgeIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return f.actOn(ctx, who, in.ReceivableAct, receivable.Command{
		Kind: receivable.Pledge, PartID: b.PartID, Funder: b.Funder, Ref: b.Ref, Owed: b.Owed, Note: b.Note,
	})
}

type oweIn struct {
	ReceivableAct
	Body struct {
		PartID string    `json:"part_id" minLength:"1" maxLength:"64"`
		Owed   money.Fen `json:"owed" minimum:"0" doc:"fen"`
		Note   string    `json:"note,omitempty" maxLength:"500"`
	}
}

func (f face) owe(ctx context.Context, who access.Actor, in *oweIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return f.actOn(ctx, who, in.ReceivableAct, receivable.Command{Kind: receivable.Owe, PartID: b.PartID, Owed: b.Owed, Note: b.Note})
}

type fileIn struct {
	ReceivableAct
	Body struct {
		PartID       string `json:"part_id" minLength:"1" maxLength:"64"`
		Registration string `json:"registration" minLength:"1" maxLength:"64" doc:"number of the certificate of zhongdengwang.org.cn"`
	}
}

func (f face) file(ctx context.Context, who access.Actor, in *fileIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return f.actOn(ctx, who, in.ReceivableAct, receivable.Command{Kind: receivable.File, PartID: b.PartID, Registration: b.Registration})
}

type freezeIn struct {
	ReceivableAct
	Body struct {
		PartID string    `json:"part_id,omitempty" maxLength:"64" doc:"the root when absent"`
		Amount money.Fen `json:"amount,omitempty" minimum:"1" doc:"fen; all that is free when absent"`
		Note   string    `json:"note" minLength:"1" maxLength:"500" doc:"why"`
	}
}

func (f face) freeze(ctx context.Context, who access.Actor, in *freezeIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return f.actOn(ctx, who, in.ReceivableAct, receivable.Command{Kind: receivable.Freeze, PartID: b.PartID, Amount: b.Amount, Note: b.Note})
}

type releaseIn struct {
	ReceivableAct
	Body struct {
		PartID string `json:"part_id" minLength:"1" maxLength:"64"`
		Note   string `json:"note,omitempty" maxLength:"500" doc:"needed while the holder still owes"`
	}
}

func (f face) release(ctx context.Context, who access.Actor, in *releaseIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return f.actOn(ctx, who, in.ReceivableAct, receivable.Command{Kind: receivable.Release, PartID: b.PartID, Note: b.Note})
}

// ExposureLine is what an anchor owes, with its name.
type ExposureLine struct {
	Name     string              `json:"name"`
	Exposure receivable.Exposure `json:"exposure"`
}

func (f face) exposures(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[ExposureLine]], error) {
	list, err := f.Receivables.Exposures(ctx, who.Tenant)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, x := range list {
		ids[i] = x.ObligorID
	}
	firms, err := f.Firms.FirmsByID(ctx, who.Tenant, ids)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, x := range firms {
		names[x.ID] = x.Name
	}
	lines := make([]ExposureLine, len(list))
	for i, x := range list {
		lines[i] = ExposureLine{names[x.ObligorID], x}
	}
	return route.Page(lines, nil, 0, func(l ExposureLine) string { return l.Exposure.ObligorID })
}

type limitIn struct {
	ByID
	Body struct {
		Limit *money.Fen `json:"limit,omitempty" minimum:"0" doc:"fen; absent takes the limit away"`
	}
}

func (f face) setLimit(ctx context.Context, who access.Actor, in *limitIn) (*route.Body[route.List[ExposureLine]], error) {
	if err := f.Receivables.SetLimit(ctx, who.Tenant, in.ID, in.Body.Limit); err != nil {
		return nil, err
	}
	return f.exposures(ctx, who, nil)
}

func (f face) base(ctx context.Context, who access.Actor, in *ByID) (*route.Body[receivable.BorrowingBase], error) {
	return route.Answer(f.Receivables.Base(ctx, who.Tenant, in.ID, receivable.DefaultBaseRules()))
}
