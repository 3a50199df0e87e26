// Package officer is the face of the bank's loan officers: the queue of work, the
// map, the evidence behind each application, alerts and loans. Auditors read it.
package officer

import (
	"context"
	"net/http"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Desk decides applications; apply.Service is one.
type Desk interface {
	Applications(ctx context.Context, who access.Actor, f apply.Filter) ([]apply.Application, error)
	CountByState(ctx context.Context, tenant string) (map[apply.State]int, error)
	PledgedPlots(ctx context.Context, tenant string) ([]string, error)
	PledgeOf(ctx context.Context, tenant string, s credit.Subject) (string, error)
	Detail(ctx context.Context, who access.Actor, id string) (apply.Detail, error)
	// DetailIn gives the reasons in the words of lang.
	DetailIn(ctx context.Context, who access.Actor, id, lang string) (apply.Detail, error)
	Approve(ctx context.Context, who access.Actor, id, note string) (apply.Application, error)
	Refuse(ctx context.Context, who access.Actor, id, note string) (apply.Application, error)
	Reassess(ctx context.Context, who access.Actor, id string) (apply.Application, error)
	Replay(ctx context.Context, who access.Actor, decisionID string) (apply.ReplayResult, error)
	Applying
	Tranches
	Reviews(ctx context.Context, tenant string, f apply.ReviewFilter) ([]apply.Review, error)
	CloseReview(ctx context.Context, who access.Actor, id, answer string) (apply.Review, error)
	// Localise puts the reasons of a decision into a language.
	Localise(ctx context.Context, who access.Actor, d credit.Decision, lang string) (credit.Decision, error)
}

// Book shows what was lent; loan.Service is one.
type Book interface {
	Totals(ctx context.Context, tenant string) (loan.Totals, error)
	Loans(ctx context.Context, tenant string, f loan.Filter) ([]loan.Loan, error)
	Loan(ctx context.Context, tenant, id string) (loan.Loan, error)
	Schedule(ctx context.Context, tenant, id string) ([]loan.Instalment, error)
	Payments(ctx context.Context, tenant, id string) ([]loan.Payment, error)
	Entries(ctx context.Context, tenant, id string) ([]ledger.Entry, error)
	Servicing
	Inspections
}

// Overlapper finds the plots that share ground with a polygon; geo.Plots is one.
type Overlapper interface {
	Overlaps(ctx context.Context, tenant string, poly orb.Polygon, exceptID string) ([]geo.Overlap, error)
}

// Standings tell what the chain knows about a firm; flow.Network is one.
type Standings interface {
	Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error)
}

// Alerts lists and closes alerts; credit/watch.Desk is one.
type Alerts interface {
	List(ctx context.Context, tenant string, f watch.Filter) ([]watch.Alert, error)
	CountOpen(ctx context.Context, tenant string) (map[string]int, error)
	Close(ctx context.Context, who access.Actor, id, cause string) (watch.Alert, error)
}

// Trail reads the audit trail; access.Store is one.
type Trail interface {
	Entries(ctx context.Context, tenant string, after int64, limit int) ([]access.Entry, error)
}

// Config is what the face shows.
type Config struct {
	Desk      Desk
	Book      Book
	Plots     geo.Store
	Overlaps  Overlapper
	Herds     iot.Registry
	HerdWatch HerdWatch
	Animals   Animals
	Profiles  Profiles
	Consents  Consents
	People    People
	Firms     chain.Store
	Standings Standings
	Alerts    Alerts
	// Chain is the graph of the firms, Industries the nodes on which they are mounted.
	Chain      Chain
	Industries *industry.Catalogue
	Shocks     Shocks
	Merges     party.Merges
	// Documents takes files; Facts are what they say.
	Documents Documents
	Facts     extract.Store
	// Receivables are the electronic receivables of all anchors.
	Receivables Receivables
	Collateral  Collateral
	Fund        Fund
	// Purchases, Payments and Statements are directed money and the bank that moves it.
	Purchases  Purchases
	Payments   Payments
	Statements Statements
	// Ledger is the double-entry book.
	Ledger  Ledger
	Periods Periods
	// Remittances pay out fees that are collected for others.
	Remittances Remittances
	// Models is the register of the models that score.
	Models Models
	// Strategies are the versions of the policies.
	Strategies Strategies
	Scenes     func() []view.Scene
	Trail      Trail
	Now        func() time.Time
	// Words gives the text of a quarantined message's reason in a language.
	Words func(lang, code, english string, args map[string]string) string
}

type face struct{ Config }

// Register adds the operations of the face.
func Register(a *route.API, cfg Config) {
	f := face{cfg}
	get := func(id, path, summary string) route.Op {
		return route.Op{ID: "officer-" + id, Method: http.MethodGet, Path: "/officer" + path, Summary: summary, Tag: "officer"}
	}
	post := func(id, path, summary string) route.Op {
		return route.Op{ID: "officer-" + id, Method: http.MethodPost, Path: "/officer" + path, Summary: summary, Tag: "officer"}
	}
	route.Register(a, get("home", "/home", "Numbers of the work queue"), f.home)
	route.Register(a, get("applications", "/applications", "Applications, newest first"), f.applications)
	route.Register(a, get("application", "/applications/{id}", "An application with all that stands behind it"), f.application)
	route.Register(a, post("approve", "/applications/{id}/approve", "Approve a referred application"), f.approve)
	route.Register(a, post("refuse", "/applications/{id}/refuse", "Refuse a referred application"), f.refuse)
	route.Register(a, post("reassess", "/applications/{id}/reassess", "Gather evidence for a referred application again"), f.reassess)
	route.Register(a, post("replay", "/decisions/{id}/replay", "Decide the stored snapshot again and compare"), f.replay)
	f.registerBorrowers(a)
	f.registerApplying(a, get, post)
	route.Register(a, get("plots", "/plots", "Plots with the gist of their reports"), f.plots)
	route.Register(a, get("plot", "/plots/{id}", "A plot with its report"), f.plot)
	route.Register(a, get("scenes", "/scenes", "Satellite images of the map, newest first"), f.scenes)
	route.Register(a, get("herds", "/herds", "Herds with their reports"), f.herds)
	route.Register(a, get("herd", "/herds/{id}", "A herd with the state of every animal"), f.herd)
	route.Register(a, post("herd-count", "/herds/{id}/counts", "Enter a count that was made on the spot"), f.addCount)
	route.Register(a, get("animal-timeline", "/animals/{id}/timeline", "What an animal did and how it was, step by step"), f.timeline)
	route.Register(a, post("animal-confirm", "/animals/{id}/confirm", "Say that an animal in doubt was seen alive or dead"), f.confirm)
	route.Register(a, post("animal-weigh", "/animals/{id}/weighings", "Enter a weighing"), f.weigh)
	route.Register(a, get("herd-animals", "/herds/{id}/animals", "The animals of a herd, those that are gone included"), f.animals)
	route.Register(a, get("animal-find", "/animals", "Animals by a code that they have or had"), f.findAnimals)
	route.Register(a, get("animal", "/animals/{id}", "An animal with its life: codes, tags, events, pledges"), f.animal)
	route.Register(a, get("firms", "/firms", "Firms by name or credit code"), f.firms)
	route.Register(a, get("firm", "/firms/{id}", "A firm with its standing and neighbours"), f.firm)
	route.Register(a, get("alerts", "/alerts", "Alerts, newest first"), f.alerts)
	route.Register(a, post("alert-close", "/alerts/{id}/close", "Close an alert with its cause"), f.closeAlert)
	f.registerLoans(a, get, post)
	route.Register(a, get("quarantine", "/quarantine", "Tag messages that were refused but kept, newest first"), f.quarantine)
	route.Register(a, get("quarantine-counts", "/quarantine/counts", "How many tag messages are kept, by reason"), f.quarantineCounts)
	route.Register(a, get("audit", "/audit", "The audit trail, oldest first"), f.audit)
	f.registerChain(a, get, post)
	f.registerFacts(a, get, post)
	f.registerReceivables(a, get, post)
	f.registerLedger(a, get, post)
	f.registerCollateral(a, get, post)
	f.registerFund(a, get, post)
	f.registerRemittances(a, get, post)
	f.registerPurchases(a, get, post)
	f.registerModels(a, get, post)
	f.registerStrategies(a, get, post)
}

// Home is the officer's first page.
type Home struct {
	Applications map[apply.State]int `json:"applications"` // by state
	Alerts       map[string]int      `json:"alerts"`       // open, by severity
	Plots        int                 `json:"plots"`
	Herds        int                 `json:"herds"`
	Firms        int                 `json:"firms"`
	Loans        map[loan.State]int  `json:"loans"` // by state
	Outstanding  money.Fen           `json:"outstanding_fen"`
	Overdue      money.Fen           `json:"overdue_fen"`
}

func (f face) home(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[Home], error) {
	var h Home
	var err error
	if h.Applications, err = f.Desk.CountByState(ctx, who.Tenant); err != nil {
		return nil, err
	}
	if h.Alerts, err = f.Alerts.CountOpen(ctx, who.Tenant); err != nil {
		return nil, err
	}
	if h.Plots, err = f.countPlots(ctx, who.Tenant); err != nil {
		return nil, err
	}
	herds, err := f.Herds.Herds(ctx, who.Tenant, "")
	if err != nil {
		return nil, err
	}
	h.Herds = len(herds)
	if h.Firms, err = f.countFirms(ctx, who.Tenant); err != nil {
		return nil, err
	}
	totals, err := f.Book.Totals(ctx, who.Tenant)
	h.Loans, h.Outstanding, h.Overdue = totals.ByState, totals.Outstanding, totals.Overdue
	return route.Answer(h, err)
}

const page = 1000 // the most that the stores give at once

func (f face) countPlots(ctx context.Context, tenant string) (n int, err error) {
	for after := ""; ; {
		plots, err := f.Plots.Plots(ctx, tenant, geo.PlotFilter{After: after, Limit: page})
		if n += len(plots); err != nil || len(plots) < page {
			return n, err
		}
		after = plots[len(plots)-1].ID
	}
}

func (f face) countFirms(ctx context.Context, tenant string) (n int, err error) {
	for after := ""; ; {
		firms, err := f.Firms.Firms(ctx, tenant, chain.PartyFilter{After: after, Limit: page})
		if n += len(firms); err != nil || len(firms) < page {
			return n, err
		}
		after = firms[len(firms)-1].ID
	}
}

type applicationsIn struct {
	State  []string `query:"state" doc:"states, separated by commas; none means all"`
	Before string   `query:"before" doc:"cursor"`
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) applications(ctx context.Context, who access.Actor, in *applicationsIn) (*route.Body[route.List[apply.Application]], error) {
	filter := apply.Filter{Before: in.Before, Limit: in.Limit}
	for _, s := range in.State {
		filter.States = append(filter.States, apply.State(s))
	}
	items, err := f.Desk.Applications(ctx, who, filter)
	return route.Page(items, err, in.Limit, func(a apply.Application) string { return a.ID })
}

// ByID names one thing.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

func (f face) application(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.Detail], error) {
	return route.Answer(f.Desk.DetailIn(ctx, who, in.ID, route.Lang(ctx)))
}

type noteIn struct {
	ByID
	Body struct {
		Note string `json:"note,omitempty" maxLength:"2000"`
	}
}

func (f face) approve(ctx context.Context, who access.Actor, in *noteIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Approve(ctx, who, in.ID, in.Body.Note))
}

func (f face) refuse(ctx context.Context, who access.Actor, in *noteIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Refuse(ctx, who, in.ID, in.Body.Note))
}

func (f face) reassess(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Reassess(ctx, who, in.ID))
}

func (f face) replay(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.ReplayResult], error) {
	return route.Answer(f.Desk.Replay(ctx, who, in.ID))
}

type alertsIn struct {
	Open      bool   `query:"open" doc:"only those that are open"`
	Kind      string `query:"kind"`
	SubjectID string `query:"subject_id"`
	Before    string `query:"before" doc:"cursor"`
	Limit     int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) alerts(ctx context.Context, who access.Actor, in *alertsIn) (*route.Body[route.List[watch.Alert]], error) {
	items, err := f.Alerts.List(ctx, who.Tenant, watch.Filter{
		Open: in.Open, Kind: in.Kind, SubjectID: in.SubjectID, Before: in.Before, Limit: in.Limit,
	})
	return route.Page(items, err, in.Limit, view.AlertID)
}

type closeIn struct {
	ByID
	Body struct {
		Cause string `json:"cause" minLength:"1" maxLength:"500"`
	}
}

func (f face) closeAlert(ctx context.Context, who access.Actor, in *closeIn) (*route.Body[watch.Alert], error) {
	return route.Answer(f.Alerts.Close(ctx, who, in.ID, in.Body.Cause))
}

func (f face) scenes(context.Context, access.Actor, *struct{}) (*route.Body[route.List[view.Scene]], error) {
	return route.Page(f.Scenes(), nil, 0, func(s view.Scene) string { return s.ID })
}
