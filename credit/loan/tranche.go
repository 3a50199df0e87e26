package loan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Why a tranche cannot go out, and what else can be wrong with one.
var (
	ErrTrancheUnknown = fault.New(fault.NotFound, "loan.tranche_unknown", "the plan of this loan has no part {nr}")
	ErrTrancheEarly   = fault.New(fault.Conflict, "loan.tranche_early", "part {nr} can be drawn from {date} on")
	ErrTrancheOver    = fault.New(fault.Conflict, "loan.tranche_over", "part {nr} could be drawn until {date}; it has lapsed")
	ErrTrancheState   = fault.New(fault.Conflict, "loan.tranche_state", "part {nr} is {state} already")
	ErrTrancheOrder   = fault.New(fault.Conflict, "loan.tranche_order", "draw or give up part {before} first")
	ErrTrancheAmount  = fault.New(fault.Invalid, "loan.tranche_amount", "draw at most {most} yuan of part {nr}")
	ErrTrancheOverdue = fault.New(fault.Conflict, "loan.tranche_overdue", "{amount} yuan are overdue; pay them first")
	ErrTrancheRelief  = fault.New(fault.Conflict, "loan.tranche_relief", "the terms of this loan were changed on {date}; nothing more of it goes out, ask your loan officer")
	ErrTrancheUnasked = fault.New(fault.Conflict, "loan.tranche_unasked", "part {nr} goes out without an inspection")
	ErrTranchePaying  = fault.New(fault.Conflict, "loan.tranche_paying", "a part of this loan is being paid out; try again when the bank has answered")
	ErrUninspected    = fault.New(fault.Conflict, "loan.uninspected", "nobody has inspected for part {nr} yet")
)

// TrancheState is how far a tranche has come.
type TrancheState string

// States of a tranche.
const (
	TranchePlanned   TrancheState = "planned"
	TranchePaying    TrancheState = "paying" // the bank has not said yet
	TrancheDrawn     TrancheState = "drawn"
	TrancheCancelled TrancheState = "cancelled" // given up by the borrower, or with the loan
	TrancheLapsed    TrancheState = "lapsed"    // not drawn in time
)

// Condition must hold before a tranche goes out.
type Condition string

// CropGrows asks that the declared crop is seen to grow, or that an inspection which two
// persons stand for found it.
const CropGrows Condition = "crop"

// Tranche is a part of a loan that is planned to go out, and what became of it.
type Tranche struct {
	Nr        int               `json:"nr"`             // 1, 2, ...
	Name      map[string]string `json:"name,omitempty"` // by language: what it is for
	Amount    money.Fen         `json:"amount"`         // planned
	On        money.Date        `json:"on"`             // it can be drawn from then
	Until     money.Date        `json:"until"`          // to the end of this day
	Condition Condition         `json:"condition,omitempty" enum:"crop"`
	State     TrancheState      `json:"state" enum:"planned,paying,drawn,cancelled,lapsed"`
	Drawn     money.Fen         `json:"drawn,omitempty"` // what went out, or is on its way
	DrawnOn   money.Date        `json:"drawn_on,omitzero"`
	EndedBy   string            `json:"ended_by,omitempty"` // who gave it up
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
	// Inspections of what the condition asks for, oldest first.
	Inspections []Inspection `json:"inspections,omitempty"`
}

// Inspection is what somebody saw on the ground. It counts when a second person has
// confirmed it.
type Inspection struct {
	Found      bool       `json:"found"` // the condition holds
	Note       string     `json:"note"`
	By         string     `json:"by"`
	ByName     string     `json:"by_name"`
	At         time.Time  `json:"at"`
	Second     string     `json:"second,omitempty"`
	SecondName string     `json:"second_name,omitempty"`
	SecondAt   *time.Time `json:"second_at,omitempty"`
}

// Inspected says whether the last inspection that two persons stand for found that the
// condition holds.
func (t *Tranche) Inspected() bool {
	for _, x := range slices.Backward(t.Inspections) {
		if x.Second != "" {
			return x.Found
		}
	}
	return false
}

// Committed is what has gone out of a loan and what may still do so.
func (l *Loan) Committed() money.Fen { return l.Principal + l.Undrawn }

// Paying is money of later tranches that is on its way.
func (l *Loan) Paying() (sum money.Fen) {
	for i := range l.Tranches {
		if t := &l.Tranches[i]; t.State == TranchePaying && i > 0 {
			sum += t.Drawn
		}
	}
	return sum
}

// Next is the first tranche that is planned, or nil.
func (l *Loan) Next() *Tranche {
	for i := range l.Tranches {
		if t := &l.Tranches[i]; t.State == TranchePlanned && i > 0 {
			return t
		}
	}
	return nil
}

// Tranche returns one by its number; ErrTrancheUnknown.
func (l *Loan) Tranche(nr int) (*Tranche, error) {
	if nr < 1 || nr > len(l.Tranches) {
		return nil, ErrTrancheUnknown.With("nr", nr)
	}
	return &l.Tranches[nr-1], nil
}

// Hinders is what the loan itself says against drawing a tranche on a day: not yet, not any
// more, not before another, not with arrears. Conditions are for those who lend.
func (l *Loan) Hinders(t *Tranche, today money.Date) (why []*fault.Error) {
	if t.State != TranchePlanned {
		return []*fault.Error{ErrTrancheState.With("nr", t.Nr).With("state", t.State)}
	}
	if !l.live() {
		return []*fault.Error{ErrState.With("state", l.State)}
	}
	for i := range t.Nr - 1 {
		if s := l.Tranches[i].State; s == TranchePlanned || s == TranchePaying {
			why = append(why, ErrTrancheOrder.With("before", i+1))
			break
		}
	}
	switch {
	case today < t.On:
		why = append(why, ErrTrancheEarly.With("nr", t.Nr).With("date", t.On))
	case today > t.Until:
		why = append(why, ErrTrancheOver.With("nr", t.Nr).With("date", t.Until))
	}
	if l.OverdueDays > 0 {
		why = append(why, ErrTrancheOverdue.With("amount", l.OverdueAmount))
	}
	if l.Restructured != 0 {
		why = append(why, ErrTrancheRelief.With("date", l.Restructured))
	}
	return why
}

// plan sets what follows from the tranches: what may still go out, which ends with the loan.
func (l *Loan) plan(by string, at time.Time) {
	l.Undrawn = 0
	for i := range l.Tranches {
		t := &l.Tranches[i]
		if t.State == TranchePlanned && i > 0 && (!l.live() && l.State != Drawing || l.ChargedOff != 0) {
			t.end(TrancheCancelled, by, at)
		}
		if t.State == TranchePlanned && i > 0 {
			l.Undrawn += t.Amount
		}
	}
}

func (t *Tranche) end(as TrancheState, by string, at time.Time) {
	t.State, t.EndedBy, t.EndedAt = as, by, &at
}

// drawn marks the tranche of a payment that went out.
func (l *Loan) drawn(p *Payment) {
	if p.Tranche == 0 {
		return
	}
	t := &l.Tranches[p.Tranche-1]
	t.State, t.Drawn, t.DrawnOn = TrancheDrawn, p.Amount, p.Date
}

// TrancheRequest asks for the next tranche of a running loan.
type TrancheRequest struct {
	Tenant string
	LoanID string
	Nr     int
	Amount money.Fen // 0 is all of it; what is left of it is given up
	Key    string    // idempotency key
	// Most may be owed under the application with it.
	Most money.Fen
	// Payee and Purchase are as in [DrawRequest].
	Payee    pay.Payee
	Purchase string
}

// DrawTranche sends a tranche. It goes out once for a key, and for all keys together: what
// comes back while nobody can tell is a loan with a tranche that is being paid. Errors are
// those of [Loan.Hinders], ErrLimit, and ErrPayment when the bank refused, which leaves the
// tranche as it was.
func (s *Service) DrawTranche(ctx context.Context, req TrancheRequest) (Loan, error) {
	if req.Amount < 0 {
		return Loan{}, ErrAmount.At("body.amount")
	}
	if err := checkKey(req.Key); err != nil {
		return Loan{}, err
	}
	hash := credit.Hash(fmt.Appendf(nil, "tranche\n%s\n%d\n%d\n%s\n%s\n%s", req.LoanID, req.Nr, req.Amount, req.Purchase, req.Payee.ID, req.Payee.Account))
	if p, err := s.known(ctx, req.Tenant, req.Key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	now := s.now()
	var p Payment
	l, err := s.update(ctx, req.Tenant, req.LoanID, func(b *book) (Change, error) {
		t, err := b.Tranche(req.Nr)
		if err != nil {
			return Change{}, err
		}
		amount := cmp.Or(req.Amount, t.Amount)
		today := s.today(&b.Loan)
		p = Payment{
			ID: ident.New(), Tenant: b.Tenant, LoanID: b.ID, Direction: pay.Out, Amount: amount, Outcome: pay.Unknown, Tranche: t.Nr,
			Date: today, Key: req.Key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		if req.Purchase != "" {
			p.Payee, p.Purchase = &req.Payee, req.Purchase
		}
		if b.live() { // arrears of today count, not those of the last day end
			if err := b.carry(today, "day:"+p.ID, "day_end"); err != nil {
				return Change{}, err
			}
		}
		if why := b.Hinders(t, today); len(why) > 0 {
			return Change{}, why[0]
		}
		if amount > t.Amount {
			return Change{}, ErrTrancheAmount.At("body.amount").With("nr", t.Nr).With("most", t.Amount)
		}
		t.State, t.Drawn = TranchePaying, amount
		return Change{Payment: &p, Out: amount, Most: req.Most}, nil
	})
	if err != nil {
		return s.rival(ctx, req.Tenant, req.Key, hash, err)
	}
	return s.settle(ctx, p, pay.Do(ctx, s.cfg.Rail, order(l, p)))
}

// part lends a later tranche on the day on which the bank has paid it out.
func (s *Service) part(b *book, p *Payment) []Happening {
	p.Date = s.today(&b.Loan)
	b.Principal += p.Amount
	b.drawn(p)
	return []Happening{s.happening(*p, servicing.Event{ID: p.ID, Kind: servicing.Disburse, Date: p.Date, Amount: p.Amount})}
}

// unpaid puts a tranche back that the bank did not pay.
func (b *book) unpaid(p *Payment) {
	t := &b.Tranches[p.Tranche-1]
	t.State, t.Drawn = TranchePlanned, 0
}

// CancelTranches gives up all that has not gone out of a loan. What is on its way goes out.
// Doing it again changes nothing.
func (s *Service) CancelTranches(ctx context.Context, actor access.Actor, loanID string) (Loan, error) {
	return s.update(ctx, actor.Tenant, loanID, func(b *book) (Change, error) {
		if b.State == Drawing { // its first tranche may fail, and the plan with it
			return Change{}, ErrState.With("state", b.State)
		}
		t := b.Next()
		if t == nil {
			return Change{}, errNothing
		}
		for ; t != nil; t = b.Next() {
			t.end(TrancheCancelled, actor.UserID, s.now())
		}
		return Change{}, nil
	})
}

// Inspect writes down what somebody saw who inspected for a tranche; it counts when a
// second person confirms it. ErrReason, ErrTrancheUnknown, ErrTrancheState, and
// ErrTrancheUnasked for a tranche that has no condition.
func (s *Service) Inspect(ctx context.Context, actor access.Actor, loanID string, nr int, found bool, note string) (Loan, error) {
	if actor.Role != access.Officer {
		return Loan{}, access.ErrRole
	}
	note = strings.TrimSpace(note)
	if n := utf8.RuneCountInString(note); n == 0 || n > 500 {
		return Loan{}, ErrReason.At("body.note")
	}
	return s.inspect(ctx, actor, loanID, nr, func(t *Tranche) error {
		if n := len(t.Inspections); n > 0 {
			if x := t.Inspections[n-1]; x.Second == "" && x.By == actor.UserID && x.Found == found && x.Note == note {
				return errNothing // the answer was lost
			}
		}
		t.Inspections = append(slices.Clone(t.Inspections), Inspection{Found: found, Note: note, By: actor.UserID, ByName: actor.Name, At: s.now()})
		return nil
	})
}

// Confirm has a second person stand for the last inspection; ErrUninspected, ErrSamePerson.
func (s *Service) Confirm(ctx context.Context, actor access.Actor, loanID string, nr int) (Loan, error) {
	if actor.Role != access.Officer {
		return Loan{}, access.ErrRole
	}
	return s.inspect(ctx, actor, loanID, nr, func(t *Tranche) error {
		n := len(t.Inspections)
		if n == 0 {
			return ErrUninspected.With("nr", nr)
		}
		t.Inspections = slices.Clone(t.Inspections)
		x := &t.Inspections[n-1]
		switch {
		case x.Second == actor.UserID:
			return errNothing
		case x.Second != "":
			return ErrActionState.With("state", Approved)
		case x.By == actor.UserID:
			return ErrSamePerson
		}
		now := s.now()
		x.Second, x.SecondName, x.SecondAt = actor.UserID, actor.Name, &now
		return nil
	})
}

func (s *Service) inspect(ctx context.Context, actor access.Actor, loanID string, nr int, f func(*Tranche) error) (Loan, error) {
	return s.update(ctx, actor.Tenant, loanID, func(b *book) (Change, error) {
		t, err := b.Tranche(nr)
		switch {
		case err != nil:
			return Change{}, err
		case t.Condition == "":
			return Change{}, ErrTrancheUnasked.With("nr", nr)
		case t.State != TranchePlanned:
			return Change{}, ErrTrancheState.With("nr", nr).With("state", t.State)
		}
		return Change{}, f(t)
	})
}

// lapse ends the tranches that nobody drew by a date.
func (s *Service) lapse(ctx context.Context, tenant string, date money.Date) error {
	for after := ""; ; {
		page, err := s.cfg.Store.Undrawn(ctx, tenant, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if t := page[i].Next(); t == nil || t.Until > date {
				continue
			}
			_, err := s.update(ctx, tenant, page[i].ID, func(b *book) (Change, error) {
				changed := false
				for t := b.Next(); t != nil && t.Until <= date; t = b.Next() {
					t.end(TrancheLapsed, System.UserID, s.now())
					changed = true
				}
				if !changed {
					return Change{}, errNothing
				}
				return Change{}, nil
			})
			if err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}
