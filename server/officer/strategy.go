package officer

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/server/route"
)

// Strategies brings policies into force: credit/strategy.Service.
type Strategies interface {
	Draft(ctx context.Context, actor access.Actor, source, note, basedOn string) (strategy.Version, error)
	Revise(ctx context.Context, actor access.Actor, id string, revision int, source, note string) (strategy.Version, error)
	Submit(ctx context.Context, actor access.Actor, id, note string) (strategy.Version, error)
	Recall(ctx context.Context, actor access.Actor, id, note string) (strategy.Version, error)
	Review(ctx context.Context, actor access.Actor, id string, approve bool, note string) (strategy.Version, error)
	Publish(ctx context.Context, actor access.Actor, id, note string) (strategy.Version, error)
	Challenge(ctx context.Context, actor access.Actor, id string, shareBP int, note string) (strategy.Version, error)
	Observe(ctx context.Context, actor access.Actor, id, note string) (strategy.Version, error)
	Stop(ctx context.Context, actor access.Actor, id, note string) (strategy.Version, error)
	Version(ctx context.Context, tenant, id string) (strategy.Version, error)
	Versions(ctx context.Context, tenant, name string, before, limit int) ([]strategy.Version, error)
	Events(ctx context.Context, tenant, id string) ([]strategy.VersionEvent, error)
	Haunting(ctx context.Context, tenant, id string) (strategy.Comparison, error)
	BackTest(ctx context.Context, tenant, id string, f strategy.HistoryFilter) (strategy.Comparison, error)
	Try(ctx context.Context, tenant, source string, ev credit.Evidence, prod product.Product, lang string) (credit.Decision, error)
	InUse(ctx context.Context, tenant string) ([]strategy.InUse, error)
}

func (f face) registerStrategies(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/strategy-versions/{id}"
	route.Register(a, get("strategies", "/strategies", "Policies by name, with what decides now"), f.strategies)
	route.Register(a, get("strategy-versions", "/strategy-versions", "Versions of a policy, newest first"), f.strategyVersions)
	route.Register(a, get("strategy-version", one, "A version with its text and its moves"), f.strategyVersion)
	route.Register(a, post("strategy-draft", "/strategy-versions", "Keep a new draft; its text is checked"), f.strategyDraft)
	route.Register(a, post("strategy-revise", one+"/revise", "Put another text in a draft"), f.strategyRevise)
	route.Register(a, post("strategy-move", one+"/move", "Submit, recall, approve, reject, publish, challenge, observe or stop a version"), f.strategyMove)
	route.Register(a, post("strategy-try", "/strategies/try", "Decide about an application's frozen evidence by a text, and keep nothing"), f.strategyTry)
	route.Register(a, post("strategy-back-test", one+"/back-test", "Decide the past anew by a version and compare it with the one that decides now"), f.backTest)
	route.Register(a, get("strategy-shadow", one+"/shadow", "What a shadow would have decided beside what was"), f.haunting)
}

func (f face) strategies(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[strategy.InUse]], error) {
	all, err := f.Strategies.InUse(ctx, who.Tenant)
	return route.Page(all, err, 0, func(strategy.InUse) string { return "" })
}

type versionsIn struct {
	Name   string `query:"name" maxLength:"64" doc:"of the policy; empty means all"`
	Before int    `query:"before" minimum:"0" doc:"number of the last version of the page before"`
	Limit  int    `query:"limit" minimum:"0" maximum:"500"`
}

func (f face) strategyVersions(ctx context.Context, who access.Actor, in *versionsIn) (*route.Body[route.List[strategy.Version]], error) {
	all, err := f.Strategies.Versions(ctx, who.Tenant, in.Name, in.Before, in.Limit)
	return route.Page(all, err, 0, func(strategy.Version) string { return "" })
}

// StrategyVersion is a version with its moves.
type StrategyVersion struct {
	strategy.Version
	Events []strategy.VersionEvent `json:"events"`
}

func (f face) strategyVersion(ctx context.Context, who access.Actor, in *ByID) (*route.Body[StrategyVersion], error) {
	v, err := f.Strategies.Version(ctx, who.Tenant, in.ID)
	return f.withEvents(ctx, who, v, err)
}

func (f face) withEvents(ctx context.Context, who access.Actor, v strategy.Version, err error) (*route.Body[StrategyVersion], error) {
	if err != nil {
		return nil, err
	}
	events, err := f.Strategies.Events(ctx, who.Tenant, v.ID)
	return route.Answer(StrategyVersion{v, events}, err)
}

type draftIn struct {
	Body struct {
		Source  string `json:"source" minLength:"1" maxLength:"1000000" doc:"the policy, YAML"`
		Note    string `json:"note" minLength:"1" maxLength:"1000"`
		BasedOn string `json:"based_on,omitempty" maxLength:"64" doc:"version"`
	}
}

func (f face) strategyDraft(ctx context.Context, who access.Actor, in *draftIn) (*route.Body[StrategyVersion], error) {
	v, err := f.Strategies.Draft(ctx, who, in.Body.Source, in.Body.Note, in.Body.BasedOn)
	return f.withEvents(ctx, who, v, err)
}

type reviseIn struct {
	ByID
	Body struct {
		Source   string `json:"source" minLength:"1" maxLength:"1000000"`
		Note     string `json:"note" minLength:"1" maxLength:"1000"`
		Revision int    `json:"revision" minimum:"1" doc:"of the draft as it was read"`
	}
}

func (f face) strategyRevise(ctx context.Context, who access.Actor, in *reviseIn) (*route.Body[StrategyVersion], error) {
	v, err := f.Strategies.Revise(ctx, who, in.ID, in.Body.Revision, in.Body.Source, in.Body.Note)
	return f.withEvents(ctx, who, v, err)
}

type moveIn struct {
	ByID
	Body struct {
		To      string `json:"to" enum:"submit,recall,approve,reject,publish,challenge,observe,stop"`
		Note    string `json:"note" minLength:"1" maxLength:"1000"`
		ShareBP int    `json:"share_bp,omitempty" minimum:"0" maximum:"5000" doc:"of a challenger: basis points of the applicants"`
	}
}

func (f face) strategyMove(ctx context.Context, who access.Actor, in *moveIn) (*route.Body[StrategyVersion], error) {
	s, id, note := f.Strategies, in.ID, in.Body.Note
	move := map[string]func() (strategy.Version, error){
		"submit":    func() (strategy.Version, error) { return s.Submit(ctx, who, id, note) },
		"recall":    func() (strategy.Version, error) { return s.Recall(ctx, who, id, note) },
		"approve":   func() (strategy.Version, error) { return s.Review(ctx, who, id, true, note) },
		"reject":    func() (strategy.Version, error) { return s.Review(ctx, who, id, false, note) },
		"publish":   func() (strategy.Version, error) { return s.Publish(ctx, who, id, note) },
		"challenge": func() (strategy.Version, error) { return s.Challenge(ctx, who, id, in.Body.ShareBP, note) },
		"observe":   func() (strategy.Version, error) { return s.Observe(ctx, who, id, note) },
		"stop":      func() (strategy.Version, error) { return s.Stop(ctx, who, id, note) },
	}[in.Body.To]
	v, err := move()
	return f.withEvents(ctx, who, v, err)
}

type tryIn struct {
	Body struct {
		Source        string `json:"source" minLength:"1" maxLength:"1000000"`
		ApplicationID string `json:"application_id" minLength:"1" maxLength:"64" doc:"whose frozen evidence is decided about"`
	}
}

// Tried is what a text decides beside what was decided.
type Tried struct {
	Was   credit.Decision `json:"was"`
	Would credit.Decision `json:"would"`
}

func (f face) strategyTry(ctx context.Context, who access.Actor, in *tryIn) (*route.Body[Tried], error) {
	d, err := f.Desk.Detail(ctx, who, in.Body.ApplicationID)
	if err != nil {
		return nil, err
	}
	if d.Decision == nil || d.Evidence == nil {
		return nil, strategy.ErrNoEvidence.At("body.application_id")
	}
	was, err := f.Desk.Localise(ctx, who, *d.Decision, route.Lang(ctx))
	if err != nil {
		return nil, err
	}
	would, err := f.Strategies.Try(ctx, who.Tenant, in.Body.Source, *d.Evidence, d.Product, route.Lang(ctx))
	return route.Answer(Tried{was, would}, err)
}

type backTestIn struct {
	ByID
	Body struct {
		Product string    `json:"product,omitempty" maxLength:"64" doc:"code; empty means all"`
		From    time.Time `json:"from,omitempty"`
		To      time.Time `json:"to,omitempty"`
		Limit   int       `json:"limit,omitempty" minimum:"0" maximum:"20000" doc:"newest decisions; 0 means 1,000"`
	}
}

func (f face) backTest(ctx context.Context, who access.Actor, in *backTestIn) (*route.Body[strategy.Comparison], error) {
	b := in.Body
	return route.Answer(f.Strategies.BackTest(ctx, who.Tenant, in.ID, strategy.HistoryFilter{Product: b.Product, From: b.From, To: b.To, Limit: b.Limit}))
}

func (f face) haunting(ctx context.Context, who access.Actor, in *ByID) (*route.Body[strategy.Comparison], error) {
	return route.Answer(f.Strategies.Haunting(ctx, who.Tenant, in.ID))
}
