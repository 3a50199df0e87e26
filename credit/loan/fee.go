package loan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with giving the money of a loan back.
var (
	ErrNoCooling = fault.New(fault.Conflict, "loan.no_cooling", "this loan has no days in which it can be given back; repay it early instead, which costs no penalty")
	ErrCooled    = fault.New(fault.Conflict, "loan.cooled", "the money could be given back until {last}; repay the loan early instead, which costs no penalty")
	ErrBackSum   = fault.New(fault.Conflict, "loan.back_sum", "giving the loan back takes {total} yuan now; look at it again and confirm")
)

// charges are the fees of a loan whose principal goes out on a day.
func charges(l *Loan, t schedule.Terms, principal money.Fen, on money.Date) ([]cost.Charge, error) {
	if len(l.Fees) == 0 {
		return nil, nil
	}
	t.Principal, t.Start = principal, on
	rows, err := schedule.Make(t)
	if err != nil {
		return nil, err
	}
	return cost.Charges(l.Fees, t, rows)
}

// fees are the charge events of the contract. Those of later periods are booked ahead:
// they count from their day on, for what is out then.
func (b *book) fees(p *Payment) ([]servicing.Event, error) {
	list, err := charges(&b.Loan, b.terms().Schedule, p.Amount, p.Date)
	if err != nil {
		return nil, err
	}
	out := make([]servicing.Event, len(list))
	for i, c := range list {
		fee := b.Fees[slices.IndexFunc(b.Fees, func(f cost.Fee) bool { return f.Code == c.Fee })]
		charge := servicing.Charge{Name: fee.Name["zh-CN"], DueOn: c.DueOn, Of: c.Of}
		if c.Payee != cost.Bank {
			charge.Payee = string(c.Payee)
		}
		out[i] = servicing.Event{
			ID: fmt.Sprintf("%s:fee:%d", p.ID, i+1), Kind: servicing.Charged, Date: c.On, Amount: c.Amount, Charge: &charge,
		}
	}
	return out, nil
}

// undone says whether an event was reversed.
func (b *book) undone(id string) bool {
	return slices.ContainsFunc(b.events, func(ev servicing.Event) bool { return ev.Kind == servicing.Reverse && ev.Target == id })
}

// next is the day of the first event that is booked ahead of a day, 0 for none.
func (b *book) next(day money.Date) (first money.Date) {
	for i := range b.events {
		if ev := &b.events[i]; ev.Date > day && (first == 0 || ev.Date < first) && !b.undone(ev.ID) {
			first = ev.Date
		}
	}
	return first
}

// rows shows the rows of a state with the fees that are still to come in them.
func (b *book) rows(st *servicing.State) []Instalment {
	out := instalments(st.Rows, b.DayEnd)
	if !b.live() || b.ChargedOff != 0 {
		return out
	}
	for i := range b.events {
		ev := &b.events[i]
		if ev.Kind != servicing.Charged || ev.Date <= b.DayEnd || b.undone(ev.ID) {
			continue
		}
		k := slices.IndexFunc(out, func(r Instalment) bool { return ev.Charge.DueOn <= r.DueOn })
		if k < 0 {
			continue
		}
		amount := ev.Amount
		if of := ev.Charge.Of; of > 0 {
			amount, _ = money.Mul(amount, int64(min(of, out[k].Balance+out[k].Principal)), int64(of)) // a part of an amount
		}
		out[k].Fee += amount
		out[k].Due += amount
	}
	return out
}

// StepBack is what it takes to give the money of a loan back.
type StepBack struct {
	Quote Quote      `json:"quote"`
	Fees  money.Fen  `json:"fees"` // charged so far, and given back or dropped
	Last  money.Date `json:"last"` // day on which it can be done
}

// Cooling says what giving the loan back takes today: its principal and the interest of the
// days, no fee. ErrNotFound, ErrState, ErrNoCooling, ErrCooled.
func (s *Service) Cooling(ctx context.Context, tenant, id string) (StepBack, error) {
	b, err := s.load(ctx, tenant, id)
	if err != nil {
		return StepBack{}, err
	}
	return s.cooling(b)
}

func (s *Service) cooling(b *book) (StepBack, error) {
	today := s.today(&b.Loan)
	last := b.DrawnOn + money.Date(b.CoolingDays)
	switch {
	case !b.live():
		return StepBack{}, ErrState.With("state", b.State)
	case b.CoolingDays == 0:
		return StepBack{}, ErrNoCooling
	case b.Paying() != 0:
		return StepBack{}, ErrTranchePaying
	case today > last:
		return StepBack{}, ErrCooled.With("last", last)
	}
	out := StepBack{Last: last}
	for _, ev := range b.charged() {
		if ev.Date <= today {
			out.Fees += ev.Amount
		}
	}
	without := *b
	without.events = slices.Clone(b.events)
	for _, ev := range b.charged() {
		without.events = append(without.events, servicing.Event{ID: ev.ID + ":back", Kind: servicing.Reverse, Target: ev.ID, Date: today})
	}
	var err error
	out.Quote, err = without.quote(today)
	return out, err
}

// charged are the charges that stand.
func (b *book) charged() (out []servicing.Event) {
	for i := range b.events {
		if ev := &b.events[i]; ev.Kind == servicing.Charged && !b.undone(ev.ID) {
			out = append(out, *ev)
		}
	}
	return out
}

// back ends a loan as if it had only been used for some days: its principal and their
// interest are paid on the day on which the borrower asked, and its charges are undone.
func (s *Service) back(b *book, p Payment) []Happening {
	list := []Happening{s.happening(p, servicing.Event{ID: p.ID, Kind: servicing.Payoff, Date: p.Date, Amount: p.Amount})}
	for _, ev := range b.charged() {
		list = append(list, s.happening(p, servicing.Event{ID: ev.ID + ":back", Kind: servicing.Reverse, Target: ev.ID, Date: p.Date}))
	}
	return list
}

// StepBack collects amount, what [Service.Cooling] says, and ends the loan with it. An
// answer of the bank that comes later than the last day does not hurt the borrower: the day
// of asking counts. It returns what Cooling does, ErrBackSum and ErrPayment.
func (s *Service) StepBack(ctx context.Context, tenant, loanID string, amount money.Fen, key string) (Loan, error) {
	hash := bodyHash("step_back", loanID, amount)
	if p, err := s.known(ctx, tenant, key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	now := s.now()
	var p Payment
	l, err := s.update(ctx, tenant, loanID, func(b *book) (Change, error) {
		q, err := s.cooling(b)
		if err != nil {
			return Change{}, err
		}
		if q.Quote.Total != amount || amount <= 0 {
			return Change{}, ErrBackSum.At("body.amount").With("total", q.Quote.Total)
		}
		p = Payment{
			ID: ident.New(), Tenant: tenant, LoanID: loanID, Direction: pay.In, StepBack: true, Amount: amount, Outcome: pay.Unknown,
			Date: q.Quote.Date, Key: key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		return Change{Payment: &p}, nil
	})
	if err != nil {
		return s.rival(ctx, tenant, key, hash, err)
	}
	return s.settle(ctx, p, pay.Do(ctx, s.cfg.Rail, order(l, p)))
}
