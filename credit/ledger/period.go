package ledger

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with closing a period.
var (
	ErrPeriod       = fault.New(fault.NotFound, "ledger.period", "nobody proposed to close such a period")
	ErrPeriodRuns   = fault.New(fault.Invalid, "ledger.period_runs", "a period is closed up to a day that is over, before {today}")
	ErrPeriodBehind = fault.New(fault.Conflict, "ledger.period_behind", "the day end has brought the loans to {date} only; run it up to {through} first")
	ErrPeriodClosed = fault.New(fault.Conflict, "ledger.period_closed", "the book is closed up to {date} already")
	ErrPeriodSecond = fault.New(fault.Forbidden, "ledger.period_second", "you proposed this yourself: another person must agree")
	ErrPeriodState  = fault.New(fault.Conflict, "ledger.period_state", "this proposal was decided already")
	ErrPeriodWhy    = fault.New(fault.Invalid, "ledger.period_why", "say in at most 500 characters why")
)

// States of a proposal to close a period.
const (
	PeriodAsked   = "asked"
	PeriodClosed  = "closed"
	PeriodRefused = "refused"
)

// Period is the book up to and with a bank date, which one person proposes to close and
// another agrees to.
type Period struct {
	ID          string     `json:"id"`
	Tenant      string     `json:"-"`
	Through     money.Date `json:"through"`
	State       string     `json:"state" enum:"asked,closed,refused"`
	Memo        string     `json:"memo"`
	AskedBy     string     `json:"asked_by"`
	AskedName   string     `json:"asked_name"`
	AskedAt     time.Time  `json:"asked_at"`
	DecidedBy   string     `json:"decided_by,omitempty"`
	DecidedName string     `json:"decided_name,omitempty"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
	Note        string     `json:"note,omitempty"`
}

// PeriodStore keeps proposals. Implemented in store/ledger.
type PeriodStore interface {
	AddPeriod(ctx context.Context, p Period) error
	// Period returns ErrPeriod.
	Period(ctx context.Context, tenant, id string) (Period, error)
	// Periods are the newest first.
	Periods(ctx context.Context, tenant string, limit int) ([]Period, error)
	// Closed is the last day up to which the whole book is closed, 0 without one.
	Closed(ctx context.Context, tenant string) (money.Date, error)
	// DecidePeriod ends one that was asked; ErrPeriodState.
	DecidePeriod(ctx context.Context, p Period) error
}

// Periods closes periods of the whole book, by two persons.
type Periods struct {
	Book  *Service
	Store PeriodStore
	// Behind is the earliest day to which a running loan of a tenant has been brought, 0
	// when none runs.
	Behind func(ctx context.Context, tenant string) (money.Date, error)
	Now    func() time.Time
}

// Propose asks to close the book up to and with a day. ErrPeriodRuns, ErrPeriodBehind,
// ErrPeriodClosed, ErrPeriodWhy.
func (s *Periods) Propose(ctx context.Context, who access.Actor, through money.Date, memo string) (Period, error) {
	memo = strings.TrimSpace(memo)
	if utf8.RuneCountInString(memo) > 500 {
		return Period{}, ErrPeriodWhy.At("body.memo")
	}
	if err := s.ready(ctx, who.Tenant, through); err != nil {
		return Period{}, err
	}
	p := Period{
		ID: ident.New(), Tenant: who.Tenant, Through: through, State: PeriodAsked, Memo: memo,
		AskedBy: who.UserID, AskedName: who.Name, AskedAt: s.now(),
	}
	return p, s.Store.AddPeriod(ctx, p)
}

func (s *Periods) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// ready says whether the book may be closed up to a day.
func (s *Periods) ready(ctx context.Context, tenant string, through money.Date) error {
	if today := money.DateOf(s.Now()); through == 0 || through >= today {
		return ErrPeriodRuns.At("body.through").With("today", today)
	}
	closed, err := s.Closed(ctx, tenant)
	if err != nil {
		return err
	}
	if closed >= through {
		return ErrPeriodClosed.At("body.through").With("date", closed)
	}
	behind, err := s.Behind(ctx, tenant)
	if err != nil {
		return err
	}
	if behind != 0 && behind < through {
		return ErrPeriodBehind.At("body.through").With("date", behind).With("through", through)
	}
	return nil
}

// Closed is the last day of the periods that are closed, 0 without one.
func (s *Periods) Closed(ctx context.Context, tenant string) (money.Date, error) {
	return s.Store.Closed(ctx, tenant)
}

// Agree closes what another person proposed, by what holds now. ErrPeriod, ErrPeriodSecond,
// ErrPeriodState, and what Propose returns: then the proposal stays.
func (s *Periods) Agree(ctx context.Context, who access.Actor, id string) (Period, error) {
	p, err := s.open(ctx, who.Tenant, id)
	if err != nil {
		return Period{}, err
	}
	if p.AskedBy == who.UserID {
		return Period{}, ErrPeriodSecond
	}
	key := "close:" + p.ID
	// After a crash between the two writes the book is closed, and only the proposal is left.
	if _, err := s.Book.store.Entry(ctx, who.Tenant, key); errors.Is(err, ErrNotFound) {
		if err := s.ready(ctx, who.Tenant, p.Through); err != nil {
			return Period{}, err
		}
	} else if err != nil {
		return Period{}, err
	}
	if _, err := s.Book.Close(ctx, Closing{Tenant: who.Tenant, Key: key, Memo: p.Memo, Through: p.Through}); err != nil {
		return Period{}, err
	}
	return s.decide(ctx, who, p, PeriodClosed, "")
}

// Refuse ends a proposal; who asked may do so too. ErrPeriod, ErrPeriodState, ErrPeriodWhy.
func (s *Periods) Refuse(ctx context.Context, who access.Actor, id, note string) (Period, error) {
	note = strings.TrimSpace(note)
	if note == "" || utf8.RuneCountInString(note) > 500 {
		return Period{}, ErrPeriodWhy.At("body.note")
	}
	p, err := s.open(ctx, who.Tenant, id)
	if err != nil {
		return Period{}, err
	}
	return s.decide(ctx, who, p, PeriodRefused, note)
}

func (s *Periods) open(ctx context.Context, tenant, id string) (Period, error) {
	p, err := s.Store.Period(ctx, tenant, id)
	if err == nil && p.State != PeriodAsked {
		err = ErrPeriodState
	}
	return p, err
}

func (s *Periods) decide(ctx context.Context, who access.Actor, p Period, state, note string) (Period, error) {
	now := s.now()
	p.State, p.DecidedBy, p.DecidedName, p.DecidedAt, p.Note = state, who.UserID, who.Name, &now, note
	return p, s.Store.DecidePeriod(ctx, p)
}

// List gives the newest proposals, and the last day that is closed.
func (s *Periods) List(ctx context.Context, tenant string) (closed money.Date, list []Period, err error) {
	if closed, err = s.Closed(ctx, tenant); err != nil {
		return 0, nil, err
	}
	list, err = s.Store.Periods(ctx, tenant, 200)
	return closed, list, err
}
