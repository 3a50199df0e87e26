package officer

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Ledger is the book of the bank; ledger.Service is one.
type Ledger interface {
	Chart() ledger.Chart
	Trial(ctx context.Context, tenant string, from, to money.Date) (ledger.Trial, error)
	Entries(ctx context.Context, tenant string, f ledger.Filter) ([]ledger.Entry, error)
	WriteJournal(ctx context.Context, w io.Writer, tenant, lang string, r ledger.JournalRange) (int64, error)
	Moves(ctx context.Context, tenant string, f ledger.MoveFilter) ([]ledger.Move, error)
	AsOf(ctx context.Context, tenant, account string, item *string, m ledger.Moment) (money.Fen, error)
	Held(ctx context.Context, tenant, account, item string) (ledger.Balance, error)
	Verify(ctx context.Context, tenant string) (ledger.Audit, error)
}

// Periods closes periods of the book by two persons; ledger.Periods does.
type Periods interface {
	List(ctx context.Context, tenant string) (closed money.Date, list []ledger.Period, err error)
	Propose(ctx context.Context, who access.Actor, through money.Date, memo string) (ledger.Period, error)
	Agree(ctx context.Context, who access.Actor, id string) (ledger.Period, error)
	Refuse(ctx context.Context, who access.Actor, id, note string) (ledger.Period, error)
}

// ErrLedgerDates is returned for a time that ends before it begins.
var ErrLedgerDates = fault.New(fault.Invalid, "ledger.dates", "the last day is before the first")

// ErrLedgerCursor is returned for a place of a page that no page gave.
var ErrLedgerCursor = fault.New(fault.Invalid, "ledger.cursor", "this is no place in a list; start again from its beginning")

func (f face) registerLedger(a *route.API, get, post func(id, path, summary string) route.Op) {
	route.Register(a, get("ledger-trial", "/ledger/trial", "The trial balance of a day or a time, by bank date"), f.trial)
	route.Register(a, get("ledger-journal", "/ledger/journal", "The entries of the book, in order"), f.journal)
	route.Register(a, get("ledger-export", "/ledger/journal.csv", "The journal as CSV that spreadsheets open"), f.exportJournal)
	route.Register(a, get("ledger-account", "/ledger/accounts/{code}", "An account: its balance at a moment, and its postings, newest first"), f.account)
	const periods = "/ledger/periods"
	route.Register(a, get("ledger-periods", periods, "Up to which day the book is closed, and who closed it"), f.periods)
	route.Register(a, post("ledger-period", periods, "Propose to close the book up to a day; a second person agrees"), f.proposePeriod)
	route.Register(a, post("ledger-period-agree", periods+"/{id}/agree", "Close what somebody else proposed"), f.agreePeriod)
	route.Register(a, post("ledger-period-refuse", periods+"/{id}/refuse", "Refuse to close a period"), f.refusePeriod)
	route.Register(a, post("ledger-verify", "/ledger/verify", "Make every balance and the chain again from the entries and compare"), f.verifyLedger)
}

// LedgerRange is a time by bank date. It is exported because the framework passes over
// unexported embedded fields.
type LedgerRange struct {
	From string `query:"from" format:"date" doc:"first bank date"`
	To   string `query:"to" format:"date" doc:"last bank date"`
}

func (r LedgerRange) dates() (from, to money.Date, err error) {
	if err := from.UnmarshalText([]byte(r.From)); err != nil {
		return 0, 0, at(err, "query.from")
	}
	if err := to.UnmarshalText([]byte(r.To)); err != nil {
		return 0, 0, at(err, "query.to")
	}
	if from != 0 && to != 0 && to < from {
		return 0, 0, ErrLedgerDates.At("query.to")
	}
	return from, to, nil
}

func at(err error, place string) error {
	if f, ok := err.(*fault.Error); ok { //nolint:errorlint // money returns it bare
		return f.At("%s", place)
	}
	return err
}

type trialIn struct{ LedgerRange }

func (f face) trial(ctx context.Context, who access.Actor, in *trialIn) (*route.Body[ledger.Trial], error) {
	from, to, err := in.dates()
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Ledger.Trial(ctx, who.Tenant, from, to))
}

type journalIn struct {
	LedgerRange
	Item  string `query:"item" maxLength:"200" doc:"the entries of one loan"`
	After string `query:"after" maxLength:"20" doc:"next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (f face) journal(ctx context.Context, who access.Actor, in *journalIn) (*route.Body[route.List[ledger.Entry]], error) {
	from, to, err := in.dates()
	if err != nil {
		return nil, err
	}
	filter := ledger.Filter{Item: in.Item, From: from, To: to, Limit: in.Limit}
	if in.After != "" {
		if filter.After, err = strconv.ParseInt(in.After, 10, 64); err != nil {
			return nil, ErrLedgerCursor.At("query.after")
		}
	}
	list, err := f.Ledger.Entries(ctx, who.Tenant, filter)
	return route.Page(list, err, in.Limit, func(e ledger.Entry) string { return strconv.FormatInt(e.Seq, 10) })
}

type exportIn struct {
	LedgerRange
	Item string `query:"item" maxLength:"200" doc:"the entries of one loan"`
}

func (f face) exportJournal(ctx context.Context, who access.Actor, in *exportIn) (*huma.StreamResponse, error) {
	from, to, err := in.dates()
	if err != nil {
		return nil, err
	}
	lang := route.Lang(ctx)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="journal.csv"`)
		// Who reads it sees a file that breaks off if this fails; the headers are gone.
		_, _ = f.Ledger.WriteJournal(ctx, hc.BodyWriter(), who.Tenant, lang, ledger.JournalRange{From: from, To: to, Item: in.Item})
	}}, nil
}

// LedgerAccount is an account, or one sub-account of it, at a moment.
type LedgerAccount struct {
	Account     ledger.Account `json:"account"`
	Item        string         `json:"item,omitempty"`
	Balance     money.Fen      `json:"balance" doc:"positive is debit, negative credit"`
	HeldDebits  money.Fen      `json:"held_debits,omitempty" doc:"promised now, of a sub-account"`
	HeldCredits money.Fen      `json:"held_credits,omitempty"`
	Moves       []ledger.Move  `json:"moves"`
	Next        string         `json:"next"`
}

type accountIn struct {
	Code   string `path:"code" maxLength:"200"`
	Item   string `query:"item" maxLength:"200" doc:"one sub-account, such as a loan"`
	On     string `query:"on" format:"date" doc:"bank date of the balance; now when absent"`
	Known  string `query:"known" format:"date-time" doc:"the balance as the book knew it at this time"`
	Before string `query:"before" maxLength:"40" doc:"next of the page before"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (f face) account(ctx context.Context, who access.Actor, in *accountIn) (*route.Body[LedgerAccount], error) {
	account, ok := f.Ledger.Chart().Account(in.Code)
	if !ok {
		return nil, ledger.ErrNotFound
	}
	var m ledger.Moment
	if err := m.Date.UnmarshalText([]byte(in.On)); err != nil {
		return nil, at(err, "query.on")
	}
	if in.Known != "" {
		var err error
		if m.Known, err = time.Parse(time.RFC3339, in.Known); err != nil {
			return nil, ErrLedgerCursor.At("query.known")
		}
	}
	filter := ledger.MoveFilter{Account: in.Code, Limit: in.Limit}
	if in.Before != "" {
		if _, err := fmt.Sscanf(in.Before, "%d.%d", &filter.Seq, &filter.Nr); err != nil {
			return nil, ErrLedgerCursor.At("query.before")
		}
	}
	out := LedgerAccount{Account: account, Item: in.Item}
	if in.Item != "" {
		filter.Item = &in.Item
		b, err := f.Ledger.Held(ctx, who.Tenant, in.Code, in.Item)
		if err != nil {
			return nil, err
		}
		out.HeldDebits, out.HeldCredits = b.HeldDebits, b.HeldCredits
	}
	var err error
	if out.Balance, err = f.Ledger.AsOf(ctx, who.Tenant, in.Code, filter.Item, m); err != nil {
		return nil, err
	}
	if out.Moves, err = f.Ledger.Moves(ctx, who.Tenant, filter); err != nil {
		return nil, err
	}
	if n := len(out.Moves); n == in.Limit {
		out.Next = strings.Join([]string{strconv.FormatInt(out.Moves[n-1].Seq, 10), strconv.Itoa(out.Moves[n-1].Nr)}, ".")
	}
	return route.Answer(out, nil)
}

func (f face) verifyLedger(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[ledger.Audit], error) {
	return route.Answer(f.Ledger.Verify(ctx, who.Tenant))
}

// LedgerPeriods is how far the book is closed.
type LedgerPeriods struct {
	Closed  money.Date      `json:"closed,omitzero" doc:"the last day that is closed"`
	Periods []ledger.Period `json:"periods"` // newest first
}

func (f face) periods(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[LedgerPeriods], error) {
	closed, list, err := f.Periods.List(ctx, who.Tenant)
	return route.Answer(LedgerPeriods{closed, list}, err)
}

type periodIn struct {
	Body struct {
		Through money.Date `json:"through" doc:"the last bank date that is closed"`
		Memo    string     `json:"memo,omitempty" maxLength:"500"`
	}
}

func (f face) proposePeriod(ctx context.Context, who access.Actor, in *periodIn) (*route.Body[ledger.Period], error) {
	p, err := f.Periods.Propose(ctx, who, in.Body.Through, in.Body.Memo)
	route.Touch(ctx, p.ID)
	return route.Answer(p, err)
}

func (f face) agreePeriod(ctx context.Context, who access.Actor, in *ByID) (*route.Body[ledger.Period], error) {
	return route.Answer(f.Periods.Agree(ctx, who, in.ID))
}

type periodRefuseIn struct {
	ByID
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500"`
	}
}

func (f face) refusePeriod(ctx context.Context, who access.Actor, in *periodRefuseIn) (*route.Body[ledger.Period], error) {
	return route.Answer(f.Periods.Refuse(ctx, who, in.ID, in.Body.Note))
}
