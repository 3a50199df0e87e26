package officer

import (
	"bytes"
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Collateral is the register of what stands behind loans; collateral.Service is one.
type Collateral interface {
	Pools(ctx context.Context, tenant string, f collateral.Filter) ([]collateral.Answer, error)
	Picture(ctx context.Context, who access.Actor, applicationID string) (collateral.Picture, error)
	Plan(ctx context.Context, who access.Actor, applicationID string, pay money.Fen, ids []string) (collateral.ReleasePlan, error)
	Events(ctx context.Context, who access.Actor, applicationID string) ([]collateral.PoolEvent, error)
	Do(ctx context.Context, who access.Actor, applicationID, key string, a collateral.PoolAct) (collateral.Answer, error)
	Agree(ctx context.Context, who access.Actor, id string) (collateral.Answer, error)
	Decline(ctx context.Context, who access.Actor, id, note string) (collateral.Proposal, error)
	Proposals(ctx context.Context, tenant, applicationID string, open bool) ([]collateral.Proposal, error)
	Offers(ctx context.Context, who access.Actor, applicationID string, k collateral.Kind) ([]collateral.Named, error)
}

func (f face) registerCollateral(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/applications/{id}/collateral"
	route.Register(a, get("pools", "/collateral", "What stands behind loans, newest first; called=true for open margin calls"), f.pools)
	route.Register(a, get("pools-csv", "/collateral.csv", "The same as CSV, one line a thing"), f.poolsCSV)
	route.Register(a, get("collateral", one, "All that stands behind an application, with its cover, its history by day and what may leave now"), f.collateral)
	route.Register(a, get("collateral-csv", one+".csv", "The same as CSV"), f.collateralCSV)
	route.Register(a, get("collateral-events", one+"/events", "Its history: each event with its memo entry"), f.collateralEvents)
	route.Register(a, get("collateral-plan", one+"/plan", "What repaying an amount frees, and what must be repaid for things to be free"), f.collateralPlan)
	route.Register(a, get("collateral-offers", one+"/offers", "Things of the borrower that could be pledged, by name"), f.collateralOffers)
	act := func(id, summary string, kind collateral.EventKind) {
		route.Register(a, post("collateral-"+id, one+"/"+id, summary), f.act(kind))
	}
	act("pledge", "Take more things", collateral.Pledge)
	act("value", "Value things by hand, or without values all by their evidence of now", collateral.Revalue)
	act("release", "Release things while the others still cover what is owed", collateral.Release)
	act("substitute", "Take things for others that leave, not worth less", collateral.Substitute)
	act("sale", "Things were sold with the borrower's will: the proceeds go to the loan", collateral.Sale)
	act("realise", "Things were sold against the borrower's will", collateral.Realise)
	act("loss", "Things are dead or destroyed", collateral.Loss)
	act("file", "Enter the number of the public register", collateral.Filed)
	route.Register(a, get("proposals", "/collateral-proposals", "Acts that wait for a second person, newest first"), f.proposals)
	route.Register(a, post("proposal-agree", "/collateral-proposals/{id}/agree", "Agree to what somebody else proposed: it is done now"), f.agree)
	route.Register(a, post("proposal-decline", "/collateral-proposals/{id}/decline", "Decline a proposal"), f.decline)
}

type poolsIn struct {
	Open   bool   `query:"open" doc:"only those that have not ended"`
	Called bool   `query:"called" doc:"only those with an open margin call"`
	UserID string `query:"user_id" maxLength:"64"`
	Before string `query:"before" maxLength:"64" doc:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (in poolsIn) filter() collateral.Filter {
	return collateral.Filter{Open: in.Open, Called: in.Called, UserID: in.UserID, Before: in.Before, Limit: in.Limit}
}

func (f face) pools(ctx context.Context, who access.Actor, in *poolsIn) (*route.Body[route.List[collateral.Answer]], error) {
	list, err := f.Collateral.Pools(ctx, who.Tenant, in.filter())
	return route.Page(list, err, in.Limit, func(x collateral.Answer) string { return x.Pool.ApplicationID })
}

// csvOut is a CSV file.
type csvOut struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func asCSV(name string, list []collateral.Answer, err error) (*csvOut, error) {
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := collateral.WriteCSV(&b, list); err != nil {
		return nil, err
	}
	return &csvOut{"text/csv; charset=utf-8", `attachment; filename="` + name + `"`, b.Bytes()}, nil
}

func (f face) poolsCSV(ctx context.Context, who access.Actor, in *poolsIn) (*csvOut, error) {
	list, err := f.Collateral.Pools(ctx, who.Tenant, in.filter())
	return asCSV("collateral.csv", list, err)
}

func (f face) collateral(ctx context.Context, who access.Actor, in *ByID) (*route.Body[collateral.Picture], error) {
	return route.Answer(f.Collateral.Picture(ctx, who, in.ID))
}

func (f face) collateralCSV(ctx context.Context, who access.Actor, in *ByID) (*csvOut, error) {
	p, err := f.Collateral.Picture(ctx, who, in.ID)
	return asCSV("collateral.csv", []collateral.Answer{{Pool: p.Pool, Cover: p.Cover}}, err)
}

func (f face) collateralEvents(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[collateral.PoolEvent]], error) {
	events, err := f.Collateral.Events(ctx, who, in.ID)
	return route.Page(events, err, 0, func(collateral.PoolEvent) string { return "" })
}

type planIn struct {
	ByID
	Pay    money.Fen `query:"pay" minimum:"0" doc:"fen to repay"`
	Assets []string  `query:"assets" maxItems:"500" doc:"ids of things that shall leave"`
}

func (f face) collateralPlan(ctx context.Context, who access.Actor, in *planIn) (*route.Body[collateral.ReleasePlan], error) {
	return route.Answer(f.Collateral.Plan(ctx, who, in.ID, in.Pay, in.Assets))
}

type offersIn struct {
	ByID
	Kind string `query:"kind" required:"true" enum:"crop,animal,receivable"`
}

func (f face) collateralOffers(ctx context.Context, who access.Actor, in *offersIn) (*route.Body[route.List[collateral.Named]], error) {
	list, err := f.Collateral.Offers(ctx, who, in.ID, collateral.Kind(in.Kind))
	return route.Page(list, err, 0, func(collateral.Named) string { return "" })
}

// CollateralAct is what is to be done; which fields count depends on the act.
type CollateralAct struct {
	Assets []string                `json:"assets,omitempty" maxItems:"10000" doc:"ids of things that leave: release, substitute, sale, realise, loss"`
	Take   []collateral.Named      `json:"take,omitempty" maxItems:"10000" doc:"things that come in: pledge, substitute"`
	Values []collateral.GivenValue `json:"values,omitempty" maxItems:"10000" doc:"value: by hand, with its source"`
	Gross  money.Fen               `json:"gross,omitempty" doc:"fen of proceeds: sale, realise"`
	Costs  money.Fen               `json:"costs,omitempty" doc:"fen of an enforced sale, paid out of the proceeds"`
	Payer  string                  `json:"payer,omitempty" maxLength:"200" doc:"who bought"`
	On     money.Date              `json:"on,omitzero" doc:"when it was sold or lost; today when absent"`
	Filing *collateral.Filing      `json:"filing,omitempty"`
	Note   string                  `json:"note,omitempty" maxLength:"500"`
}

type collateralActIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each act, the same one for each retry"`
	Body CollateralAct
}

// act carries out acts of one kind, or proposes them where a second person must agree.
func (f face) act(kind collateral.EventKind) func(context.Context, access.Actor, *collateralActIn) (*route.Body[collateral.Answer], error) {
	return func(ctx context.Context, who access.Actor, in *collateralActIn) (*route.Body[collateral.Answer], error) {
		b := in.Body
		return route.Answer(f.Collateral.Do(ctx, who, in.ID, in.Key, collateral.PoolAct{
			Kind: kind, Assets: b.Assets, Take: b.Take, Values: b.Values, Gross: b.Gross, Costs: b.Costs, Payer: b.Payer, On: b.On, Filing: b.Filing, Note: b.Note,
		}))
	}
}

type proposalsIn struct {
	ApplicationID string `query:"application_id" maxLength:"64"`
	All           bool   `query:"all" doc:"also those that were decided"`
}

func (f face) proposals(ctx context.Context, who access.Actor, in *proposalsIn) (*route.Body[route.List[collateral.Proposal]], error) {
	list, err := f.Collateral.Proposals(ctx, who.Tenant, in.ApplicationID, !in.All)
	return route.Page(list, err, 0, func(p collateral.Proposal) string { return p.ID })
}

func (f face) agree(ctx context.Context, who access.Actor, in *ByID) (*route.Body[collateral.Answer], error) {
	return route.Answer(f.Collateral.Agree(ctx, who, in.ID))
}

type collateralDeclineIn struct {
	ByID
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500"`
	}
}

func (f face) decline(ctx context.Context, who access.Actor, in *collateralDeclineIn) (*route.Body[collateral.Proposal], error) {
	return route.Answer(f.Collateral.Decline(ctx, who, in.ID, in.Body.Note))
}
