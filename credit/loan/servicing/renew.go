package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// A plan is laid out anew by leaving to the periods that are due what was paid of them. What
// they have earned and was not paid is carried to the first period of the new instalments,
// which pay it before principal; principal that was overdue is in the balance anyway.

// settleBy leaves to the periods that are due by a day what was paid of them, and returns
// how many they are.
func (p *progress) settleBy(on money.Date) (n int) {
	p.overdue = 0
	for i := range p.spans {
		s := &p.spans[i]
		for k := range s.parts {
			s.parts[k].late = 0 // is out, and not only overdue
		}
		if s.due <= on {
			n++
			s.emi = s.paidP + s.paidI - s.creditP - s.creditI
		}
	}
	return n
}

// balanceOn is the principal out at the end of a day in period k, less what is owed again on
// top of the instalments.
func (p *progress) balanceOn(k int, on money.Date) money.Fen {
	b := p.spans[k].open
	for i := k; i < len(p.spans); i++ {
		b -= p.spans[i].creditP
	}
	for _, x := range p.spans[k].parts {
		if x.to <= on {
			b += x.drawn + x.moved
		}
	}
	return b
}

// reAmortise spreads what is not paid of the periods due by a day over those to come.
func (p *progress) reAmortise(on money.Date) error {
	k := p.settleBy(on)
	if err := p.lay(); err != nil {
		return err
	}
	return p.level(k, p.balanceOn(k, on), true)
}

// reAge ends the plan with the periods due by a day, and lets new ones end on given days.
func (p *progress) reAge(on money.Date, due []money.Date) error {
	n := p.settleBy(on)
	last, gone := &p.spans[n-1], p.spans[n:]
	from := last.due
	spans := p.spans[:n:n]
	for _, d := range due {
		spans = append(spans, span{from: from, due: d, whole: d, broken: true, parts: []stretch{{from: from, to: d}}})
		from = d
	}
	p.spans = spans
	last = &p.spans[n-1]
	for i := range gone {
		s := &gone[i]
		last.paidP, last.paidI = last.paidP+s.paidP, last.paidI+s.paidI
		last.emi += s.paidP + s.paidI
		for _, x := range s.parts {
			if x.drawn == 0 && x.moved == 0 && !x.paused {
				continue
			}
			if x.paused {
				p.cutAt(x.from)
			}
			cut := p.cutAt(x.to)
			cut.drawn, cut.moved, cut.paused = cut.drawn+x.drawn, cut.moved+x.moved, x.paused
		}
	}
	p.factors()
	if err := p.lay(); err != nil {
		return err
	}
	return p.level(n, p.balanceOn(n, on), true)
}

// renewPlan lays a plan with interest out anew: by re-amortisation or by re-age.
func (e *engine) renewPlan(ev *Event) error {
	refuse := func(why string) error { return ErrDate.With("event", ev.ID).With("why", why) }
	if err := e.pg.late(ev.Date, e.wholePeriods()); err != nil {
		return err
	}
	e.sync(ev.Date)
	tx := Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Balance: e.balance}
	due, left := 0, 0
	for i := range e.rows {
		r := &e.rows[i]
		if e.span(r) < 0 {
			continue
		}
		open := r.Open()
		if r.DueOn <= ev.Date {
			due++
			tx.Interest += open.Interest
		} else {
			left++
		}
		if r.DueOn <= ev.Date || ev.Kind == ReAge {
			tx.Principal += open.Principal
		}
	}
	tx.Amount = tx.Total()
	var err error
	switch c := ev.Change; {
	case ev.Kind == ReAmortise && tx.Amount == 0: // nothing is overdue
	case ev.Kind == ReAmortise && left == 0:
		return refuse("nothing falls due later that could take what is overdue")
	case ev.Kind == ReAmortise:
		err = e.pg.reAmortise(ev.Date)
	case due == 0:
		return refuse("a loan is re-aged after its first due date")
	case c == nil || c.N < 1 || c.From <= ev.Date:
		return refuse("a re-age needs a first due date after it, and a number of rows")
	default:
		err = e.reAgePlan(ev.Date, c)
	}
	if err != nil {
		return err
	}
	e.txs = append(e.txs, tx)
	e.sync(ev.Date)
	return nil
}

// reAgePlan puts new rows in the place of those that are not due, which leave their charges
// to the first of them.
func (e *engine) reAgePlan(on money.Date, c *Change) error {
	cal := schedule.Calendar{Start: c.From, Every: max(c.Every, 1), Unit: c.Unit}
	due := make([]money.Date, c.N)
	for k := range due {
		due[k] = cal.Due(k)
	}
	kept := make([]Row, 0, len(e.rows)+c.N)
	place := make([]int32, len(e.rows))
	var gone Row
	last := 0
	var later []Row // rows that are not of the plan
	for i := range e.rows {
		r := e.rows[i]
		switch {
		case e.span(&r) >= 0 && r.DueOn > on:
			gone.Due.Fee, gone.Due.Penalty = gone.Due.Fee+r.Due.Fee, gone.Due.Penalty+r.Due.Penalty
			gone.Waived = gone.Waived.Plus(r.Waived)
			gone.Paid.Fee, gone.Paid.Penalty = gone.Paid.Fee+r.Paid.Fee, gone.Paid.Penalty+r.Paid.Penalty
			gone.InAdvance.Fee, gone.InAdvance.Penalty = gone.InAdvance.Fee+r.InAdvance.Fee, gone.InAdvance.Penalty+r.InAdvance.Penalty
			r.Paid.Fee, r.Paid.Penalty, r.InAdvance.Fee, r.InAdvance.Penalty = 0, 0, 0, 0
			l := &kept[last] // what was paid ahead is with the last row that is due, as in the plan
			l.Paid, l.InAdvance = l.Paid.Plus(r.Paid), l.InAdvance.Plus(r.InAdvance)
			place[i] = -1
		case r.DueOn > on:
			place[i] = -2 - int32(len(later)) //nolint:gosec // rows are few
			later = append(later, r)
		default:
			if e.span(&r) >= 0 {
				last = len(kept)
			}
			place[i] = int32(len(kept)) //nolint:gosec // rows are few
			kept = append(kept, r)
		}
	}
	if err := e.pg.reAge(on, due); err != nil {
		return err
	}
	first, from := len(kept), e.pg.spans[len(e.pg.spans)-c.N].from
	for k, d := range due {
		row := Row{Kind: ReAgedRow, From: from, DueOn: d}
		if k == 0 {
			row.Due, row.Paid, row.InAdvance, row.Waived = gone.Due, gone.Paid, gone.InAdvance, gone.Waived
		}
		kept = append(kept, row)
		from = d
	}
	kept = append(kept, later...)
	e.rows = kept
	for k := range e.charges {
		switch at := place[e.charges[k].row]; {
		case at == -1:
			e.charges[k].row = int32(first) //nolint:gosec // rows are few
		case at < -1:
			e.charges[k].row = int32(first+c.N) - 2 - at //nolint:gosec // rows are few
		default:
			e.charges[k].row = at
		}
	}
	e.number()
	return nil
}
