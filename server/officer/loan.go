package officer

import (
	"bytes"
	"context"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Servicing changes what was lent; loan.Service is one.
type Servicing interface {
	Transactions(ctx context.Context, tenant, id string) ([]loan.Transaction, error)
	Happenings(ctx context.Context, tenant, id string) ([]loan.Happening, error)
	PayoffOn(ctx context.Context, tenant, id string, day money.Date) (loan.Quote, error)
	Cooling(ctx context.Context, tenant, id string) (loan.StepBack, error)
	StepBack(ctx context.Context, tenant, loanID string, amount money.Fen, key string) (loan.Loan, error)
	Preview(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event) (loan.View, error)
	Apply(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event, key string) (loan.Loan, error)
	Refund(ctx context.Context, actor access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error)
	Propose(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event, reason, key string) (loan.Action, error)
	Approve(ctx context.Context, actor access.Actor, id, note string) (loan.Action, error)
	Refuse(ctx context.Context, actor access.Actor, id, note string) (loan.Action, error)
	Actions(ctx context.Context, tenant string, f loan.ActionFilter) ([]loan.Action, error)
	Statement(ctx context.Context, tenant, id, month string) (loan.Monthly, error)
	StatementVersion(ctx context.Context, tenant, id, month string, version int) (loan.Monthly, error)
	Statements(ctx context.Context, tenant, userID, month string) ([]loan.Monthly, error)
	Runs(ctx context.Context, tenant string, limit int) ([]loan.DayRun, error)
	Classes(ctx context.Context, tenant string) ([]loan.ClassSum, error)
	TierMoves(ctx context.Context, tenant string, f loan.MoveFilter) ([]loan.TierMove, error)
	Migrations(ctx context.Context, tenant string, from, to money.Date) ([]loan.Migration, error)
}

func (f face) registerLoans(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/loans/{id}"
	route.Register(a, get("loans", "/loans", "Loans, newest first"), f.loans)
	route.Register(a, get("loan", one, "A loan with schedule, transactions, events, proposals, payments and postings"), f.loan)
	route.Register(a, get("loan-payoff", one+"/payoff", "What ends a loan on a day"), f.payoff)
	route.Register(a, post("loan-preview", one+"/preview", "A loan with one more event; nothing is kept"), f.previewEvent)
	route.Register(a, post("loan-apply", one+"/events", "Book an event on a loan that one person may book"), f.applyEvent)
	route.Register(a, post("loan-refund", one+"/refund", "Pay money that is held for the borrower back by the bank"), f.refundLoan)
	route.Register(a, get("loan-cooling", one+"/step-back", "What giving the money of a loan back takes today"), f.coolingLoan)
	route.Register(a, post("loan-step-back", one+"/step-back", "Give the money of a loan back for a borrower at the counter"), f.stepBackLoan)
	f.registerTranches(a, get, post)
	route.Register(a, post("loan-propose", one+"/proposals", "Propose an event that a second person must approve"), f.proposeEvent)
	route.Register(a, get("loan-proposals", "/loan-proposals", "Proposals, newest first"), f.loanProposals)
	route.Register(a, post("loan-approve", "/loan-proposals/{id}/approve", "Approve what a colleague proposed"), f.approveEvent)
	route.Register(a, post("loan-refuse", "/loan-proposals/{id}/refuse", "Refuse a proposal"), f.refuseEvent)
	route.Register(a, get("loan-statement", one+"/statement", "A loan in one month"), f.loanStatement)
	route.Register(a, get("loan-statements", "/borrowers/{id}/statements", "All loans of a borrower in one month"), f.loanStatements)
	route.Register(a, get("loan-statements-csv", "/borrowers/{id}/statements.csv", "All loans of a borrower in one month, as CSV"), f.statementsCSV)
	route.Register(a, get("dayends", "/dayends", "Day ends, newest first, with how far they have come"), f.dayEnds)
	route.Register(a, get("classes", "/loan-classes", "Running loans by tier and stage"), f.classes)
	route.Register(a, get("tier-moves", "/tier-moves", "Movements of loans between tiers with their reasons, newest first"), f.tierMoves)
	route.Register(a, get("tier-matrix", "/tier-matrix", "The loans that moved within a time, by the tiers before and after"), f.tierMatrix)
}

type loansIn struct {
	State       []string `query:"state" doc:"states, separated by commas; none means all"`
	Class       []string `query:"class" doc:"tiers, separated by commas; none means all"`
	Product     string   `query:"product" maxLength:"64"`
	UserID      string   `query:"user_id" maxLength:"64"`
	OverdueFrom int      `query:"overdue_from" minimum:"0" doc:"least number of days overdue"`
	Before      string   `query:"before" doc:"cursor"`
	Limit       int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) loans(ctx context.Context, who access.Actor, in *loansIn) (*route.Body[route.List[loan.Loan]], error) {
	filter := loan.Filter{Before: in.Before, Limit: in.Limit, Product: in.Product, UserID: in.UserID, OverdueFrom: in.OverdueFrom}
	for _, s := range in.State {
		filter.States = append(filter.States, loan.State(s))
	}
	for _, c := range in.Class {
		filter.Classes = append(filter.Classes, loan.Class(c))
	}
	items, err := f.Book.Loans(ctx, who.Tenant, filter)
	return route.Page(items, err, in.Limit, func(l loan.Loan) string { return l.ID })
}

// LoanCharge is a fee, or a penalty that is not by day.
type LoanCharge struct {
	Name    string `json:"name,omitempty" maxLength:"100"`
	DueOn   string `json:"due_on" format:"date"`
	Penalty bool   `json:"penalty,omitempty"`
}

// LoanChange is a change of the schedule; which fields count depends on the kind of event.
type LoanChange struct {
	From           string `json:"from,omitempty" format:"date" doc:"due date of the first row that changes, or first day"`
	To             string `json:"to,omitempty" format:"date" doc:"its new due date, or last day"`
	RateBP         int64  `json:"rate_bp,omitempty" minimum:"0" doc:"new rate a year, in basis points"`
	GracePrincipal int    `json:"grace_principal,omitempty" minimum:"0"`
	GraceInterest  int    `json:"grace_interest,omitempty" minimum:"0"`
	Extra          int    `json:"extra,omitempty" minimum:"0" doc:"rows after the last"`
	N              int    `json:"n,omitempty" minimum:"0" doc:"rows of a re-age"`
	Every          int    `json:"every,omitempty" minimum:"0"`
	Unit           string `json:"unit,omitempty" enum:"days,weeks,months,years"`
}

// LoanEvent is something that happened to a loan, or shall.
type LoanEvent struct {
	ID     string      `json:"id,omitempty" readOnly:"true"`
	Kind   string      `json:"kind" maxLength:"32" doc:"such as charge, waive, waive_interest, goodwill, extend, reschedule, rate_change, re_age, pause_penalty, charge_off, write_off, recovery, reverse"`
	Date   string      `json:"date,omitempty" format:"date" doc:"value date; today when it is not given"`
	Amount money.Fen   `json:"amount,omitempty" minimum:"0" doc:"fen; 0 for kinds that take all of it"`
	Target string      `json:"target,omitempty" maxLength:"64" doc:"the event that it refers to"`
	Charge *LoanCharge `json:"charge,omitempty"`
	Change *LoanChange `json:"change,omitempty"`
}

func parseDay(text, place string) (money.Date, error) {
	if text == "" {
		return 0, nil
	}
	d, err := money.ParseDate(text)
	if err != nil {
		return 0, money.ErrDate.With("text", text).At("%s", place)
	}
	return d, nil
}

func (e *LoanEvent) event() (ev servicing.Event, err error) {
	ev = servicing.Event{Kind: servicing.Kind(e.Kind), Amount: e.Amount, Target: e.Target}
	if ev.Date, err = parseDay(e.Date, "body.date"); err != nil {
		return ev, err
	}
	if c := e.Charge; c != nil {
		ev.Charge = &servicing.Charge{Name: c.Name, Penalty: c.Penalty}
		if ev.Charge.DueOn, err = parseDay(c.DueOn, "body.charge.due_on"); err != nil {
			return ev, err
		}
	}
	if c := e.Change; c != nil {
		ev.Change = &servicing.Change{
			Rate: money.BP(c.RateBP), GracePrincipal: c.GracePrincipal, GraceInterest: c.GraceInterest, Extra: c.Extra, N: c.N, Every: c.Every,
			Unit: schedule.Unit(c.Unit),
		}
		if ev.Change.From, err = parseDay(c.From, "body.change.from"); err != nil {
			return ev, err
		}
		if ev.Change.To, err = parseDay(c.To, "body.change.to"); err != nil {
			return ev, err
		}
	}
	return ev, nil
}

func shown(ev servicing.Event) LoanEvent {
	e := LoanEvent{ID: ev.ID, Kind: string(ev.Kind), Date: ev.Date.String(), Amount: ev.Amount, Target: ev.Target}
	if c := ev.Charge; c != nil {
		e.Charge = &LoanCharge{Name: c.Name, DueOn: c.DueOn.String(), Penalty: c.Penalty}
	}
	if c := ev.Change; c != nil {
		e.Change = &LoanChange{
			From: c.From.String(), To: c.To.String(), RateBP: c.Rate.BP(), GracePrincipal: c.GracePrincipal, GraceInterest: c.GraceInterest,
			Extra: c.Extra, N: c.N, Every: c.Every, Unit: string(c.Unit),
		}
	}
	return e
}

// LoanHappening is a line in the life of a loan: what was done, by whom and why.
type LoanHappening struct {
	Nr         int       `json:"nr"`
	Event      LoanEvent `json:"event"`
	By         string    `json:"by"`
	ByName     string    `json:"by_name"`
	Second     string    `json:"second,omitempty"`
	SecondName string    `json:"second_name,omitempty"`
	Note       string    `json:"note,omitempty"`
	At         time.Time `json:"at"`
}

// LoanProposal is an event that one person proposes and another approves or refuses.
type LoanProposal struct {
	ID          string     `json:"id"`
	LoanID      string     `json:"loan_id"`
	Event       LoanEvent  `json:"event"`
	Reason      string     `json:"reason"`
	State       string     `json:"state" enum:"proposed,approved,refused"`
	By          string     `json:"by"`
	ByName      string     `json:"by_name"`
	At          time.Time  `json:"at"`
	DecidedName string     `json:"decided_name,omitempty"`
	Note        string     `json:"note,omitempty"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
}

func proposal(a loan.Action) LoanProposal {
	return LoanProposal{
		a.ID, a.LoanID, shown(a.Event), a.Reason, string(a.State), a.By, a.ByName, a.At, a.DecidedName, a.Note, a.DecidedAt,
	}
}

// LoanPage is a loan with its books.
type LoanPage struct {
	Loan         loan.Loan          `json:"loan"`
	Schedule     []loan.Instalment  `json:"schedule"`
	Transactions []loan.Transaction `json:"transactions"`
	Events       []LoanHappening    `json:"events"`
	Proposals    []LoanProposal     `json:"proposals"`
	Payoff       *loan.Quote        `json:"payoff,omitempty"` // of a running loan, today
	Entries      []ledger.Entry     `json:"entries"`
	Payments     []loan.Payment     `json:"payments"`
}

func (f face) loan(ctx context.Context, who access.Actor, in *ByID) (*route.Body[LoanPage], error) {
	p := LoanPage{Events: []LoanHappening{}, Proposals: []LoanProposal{}}
	var err error
	if p.Loan, err = f.Book.Loan(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Schedule, err = f.Book.Schedule(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Transactions, err = f.Book.Transactions(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	past, err := f.Book.Happenings(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	for _, h := range past {
		p.Events = append(p.Events, LoanHappening{h.Nr, shown(h.Event), h.By, h.ByName, h.Second, h.SecondName, h.Note, h.At})
	}
	actions, err := f.Book.Actions(ctx, who.Tenant, loan.ActionFilter{LoanID: in.ID, Limit: 500})
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		p.Proposals = append(p.Proposals, proposal(a))
	}
	if p.Loan.State == loan.Active || p.Loan.State == loan.Overdue {
		q, err := f.Book.PayoffOn(ctx, who.Tenant, in.ID, 0)
		if err != nil {
			return nil, err
		}
		p.Payoff = &q
	}
	if p.Payments, err = f.Book.Payments(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	p.Entries, err = f.Book.Entries(ctx, who.Tenant, in.ID)
	return route.Answer(p, err)
}

type payoffIn struct {
	ByID
	Date string `query:"date" format:"date" doc:"today when it is not given"`
}

func (f face) payoff(ctx context.Context, who access.Actor, in *payoffIn) (*route.Body[loan.Quote], error) {
	day, err := parseDay(in.Date, "query.date")
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Book.PayoffOn(ctx, who.Tenant, in.ID, day))
}

// LoanPreview is a loan as it would be.
type LoanPreview struct {
	Event        LoanEvent          `json:"event"`
	Second       bool               `json:"second"` // a second person must agree
	Loan         loan.Loan          `json:"loan"`
	Schedule     []loan.Instalment  `json:"schedule"`
	Transactions []loan.Transaction `json:"transactions"`
	Movements    []loan.Movement    `json:"movements"`
	Entries      []ledger.Entry     `json:"entries"`
}

type loanPreviewIn struct {
	ByID
	Body LoanEvent
}

func (f face) previewEvent(ctx context.Context, who access.Actor, in *loanPreviewIn) (*route.Body[LoanPreview], error) {
	ev, err := in.Body.event()
	if err != nil {
		return nil, err
	}
	v, err := f.Book.Preview(ctx, who, in.ID, ev)
	if err != nil {
		return nil, err
	}
	return route.Answer(LoanPreview{shown(v.Event), v.Second, v.Loan, v.Schedule, v.Transactions, v.Movements, v.Entries}, nil)
}

type loanApplyIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each event, the same one for each retry"`
	Body LoanEvent
}

func (f face) applyEvent(ctx context.Context, who access.Actor, in *loanApplyIn) (*route.Body[loan.Loan], error) {
	ev, err := in.Body.event()
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Book.Apply(ctx, who, in.ID, ev, who.UserID+":"+in.Key))
}

type loanRefundIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each refund, the same one for each retry"`
	Body struct {
		Amount money.Fen `json:"amount" minimum:"1" doc:"fen"`
	}
}

func (f face) refundLoan(ctx context.Context, who access.Actor, in *loanRefundIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Book.Refund(ctx, who, in.ID, in.Body.Amount, who.UserID+":"+in.Key))
}

func (f face) coolingLoan(ctx context.Context, who access.Actor, in *ByID) (*route.Body[loan.StepBack], error) {
	return route.Answer(f.Book.Cooling(ctx, who.Tenant, in.ID))
}

func (f face) stepBackLoan(ctx context.Context, who access.Actor, in *loanRefundIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Book.StepBack(ctx, who.Tenant, in.ID, in.Body.Amount, who.UserID+":"+in.Key))
}

type actionIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each proposal, the same one for each retry"`
	Body struct {
		Event  LoanEvent `json:"event"`
		Reason string    `json:"reason" minLength:"1" maxLength:"500"`
	}
}

func (f face) proposeEvent(ctx context.Context, who access.Actor, in *actionIn) (*route.Body[LoanProposal], error) {
	ev, err := in.Body.Event.event()
	if err != nil {
		return nil, err
	}
	a, err := f.Book.Propose(ctx, who, in.ID, ev, in.Body.Reason, who.UserID+":"+in.Key)
	return route.Answer(proposal(a), err)
}

type loanProposalsIn struct {
	State  string `query:"state" enum:"proposed,approved,refused" doc:"none means all"`
	LoanID string `query:"loan_id" maxLength:"64"`
	Before string `query:"before" doc:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) loanProposals(ctx context.Context, who access.Actor, in *loanProposalsIn) (*route.Body[route.List[LoanProposal]], error) {
	list, err := f.Book.Actions(ctx, who.Tenant, loan.ActionFilter{LoanID: in.LoanID, State: loan.ActionState(in.State), Before: in.Before, Limit: in.Limit})
	out := make([]LoanProposal, len(list))
	for i, a := range list {
		out[i] = proposal(a)
	}
	return route.Page(out, err, in.Limit, func(p LoanProposal) string { return p.ID })
}

type loanDecideIn struct {
	ByID
	Body struct {
		Note string `json:"note,omitempty" maxLength:"500"`
	}
}

func (f face) approveEvent(ctx context.Context, who access.Actor, in *loanDecideIn) (*route.Body[LoanProposal], error) {
	a, err := f.Book.Approve(ctx, who, in.ID, in.Body.Note)
	return route.Answer(proposal(a), err)
}

func (f face) refuseEvent(ctx context.Context, who access.Actor, in *loanDecideIn) (*route.Body[LoanProposal], error) {
	a, err := f.Book.Refuse(ctx, who, in.ID, in.Body.Note)
	return route.Answer(proposal(a), err)
}

type monthIn struct {
	ByID
	Month string `query:"month" required:"true" doc:"such as 2026-05"`
}

type statementIn struct {
	ByID
	Month   string `query:"month" required:"true" doc:"such as 2026-05"`
	Version int    `query:"version" minimum:"0" doc:"a version that was given out before; 0 is the newest"`
}

func (f face) loanStatement(ctx context.Context, who access.Actor, in *statementIn) (*route.Body[loan.Monthly], error) {
	if in.Version > 0 {
		return route.Answer(f.Book.StatementVersion(ctx, who.Tenant, in.ID, in.Month, in.Version))
	}
	return route.Answer(f.Book.Statement(ctx, who.Tenant, in.ID, in.Month))
}

func (f face) loanStatements(ctx context.Context, who access.Actor, in *monthIn) (*route.Body[route.List[loan.Monthly]], error) {
	list, err := f.Book.Statements(ctx, who.Tenant, in.ID, in.Month)
	return route.Page(list, err, 0, func(s loan.Monthly) string { return s.LoanID })
}

func (f face) statementsCSV(ctx context.Context, who access.Actor, in *monthIn) (*csvOut, error) {
	list, err := f.Book.Statements(ctx, who.Tenant, in.ID, in.Month)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := loan.WriteStatements(&b, list); err != nil {
		return nil, err
	}
	return &csvOut{"text/csv; charset=utf-8", `attachment; filename="statements-` + in.Month + `.csv"`, b.Bytes()}, nil
}

type dayEndsIn struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) dayEnds(ctx context.Context, who access.Actor, in *dayEndsIn) (*route.Body[route.List[loan.DayRun]], error) {
	list, err := f.Book.Runs(ctx, who.Tenant, in.Limit)
	return route.Page(list, err, 0, func(r loan.DayRun) string { return r.Date.String() })
}

func (f face) classes(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[loan.ClassSum]], error) {
	list, err := f.Book.Classes(ctx, who.Tenant)
	return route.Page(list, err, 0, func(loan.ClassSum) string { return "" })
}

type tierMovesIn struct {
	LedgerRange
	LoanID string `query:"loan_id" maxLength:"64"`
	Before string `query:"before" maxLength:"64" doc:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) tierMoves(ctx context.Context, who access.Actor, in *tierMovesIn) (*route.Body[route.List[loan.TierMove]], error) {
	from, to, err := in.dates()
	if err != nil {
		return nil, err
	}
	list, err := f.Book.TierMoves(ctx, who.Tenant, loan.MoveFilter{LoanID: in.LoanID, From: from, To: to, Before: in.Before, Limit: in.Limit})
	return route.Page(list, err, in.Limit, func(m loan.TierMove) string { return m.ID })
}

// TierMatrix is who moved between which tiers within a time.
type TierMatrix struct {
	From  money.Date       `json:"from"`
	To    money.Date       `json:"to"`
	Cells []loan.Migration `json:"cells"`
}

type tierMatrixIn struct{ LedgerRange }

func (f face) tierMatrix(ctx context.Context, who access.Actor, in *tierMatrixIn) (*route.Body[TierMatrix], error) {
	from, to, err := in.dates()
	if err != nil {
		return nil, err
	}
	if to == 0 {
		to = money.DateOf(f.Now())
	}
	if from == 0 {
		from = to.AddMonths(-1)
	}
	cells, err := f.Book.Migrations(ctx, who.Tenant, from, to)
	return route.Answer(TierMatrix{from, to, cells}, err)
}
