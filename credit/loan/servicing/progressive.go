package servicing

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// A progressive loan follows a plan of its own, see progress. The rows take principal and
// interest from the plan; what is paid of them is told to the plan.

// progressive says whether the loan follows a plan of progress.
func (e *engine) progressive() bool { return e.t.Progressive && e.recalculates() }

// wholePeriods says whether overdue principal earns to the end of the period that runs.
func (e *engine) wholePeriods() bool {
	return e.t.Recalculation.ByInstalment && e.t.Recalculation.PayoffFullPeriod
}

// op is a change of the plan that takes place on a day.
type op struct {
	on     money.Date
	change Change
	pause  bool
}

// ops are the changes that were agreed over the life, by the day on which they begin.
func (e *engine) startOps() {
	for _, i := range e.queue {
		ev := &e.events[i]
		if e.undone[i] || ev.Change == nil {
			continue
		}
		switch {
		case ev.Kind == PauseInterest:
			e.ops = append(e.ops, op{on: ev.Change.From, change: *ev.Change, pause: true})
		case ev.Change.Rate > 0:
			e.ops = append(e.ops, op{on: ev.Change.From, change: *ev.Change})
		}
	}
	slices.SortStableFunc(e.ops, func(a, b op) int { return cmp.Compare(a.on, b.on) })
}

// changes carries out what was agreed to begin by a day.
func (e *engine) changes(to money.Date) error {
	for e.pg != nil && len(e.ops) > 0 && e.ops[0].on <= to {
		o := e.ops[0]
		e.ops = e.ops[1:]
		var err error
		if o.pause {
			err = e.pg.pause(o.change.From, o.change.To)
		} else {
			err = e.pg.change(o.change.From, o.change.Rate)
		}
		if err != nil {
			return err
		}
		e.sync(o.on)
	}
	return nil
}

// drawProgressive lays out the plan with the first drawdown, and lays it out again with
// the next ones.
func (e *engine) drawProgressive(ev *Event) error {
	e.draws = append(e.draws, draw{ev.Date, ev.Amount})
	down := e.down(ev.Amount)
	if e.pg == nil {
		if err := e.dates(); err != nil {
			return err
		}
		e.pg = newProgress(&e.t.Schedule, e.rows)
		e.startOps()
	} else if err := e.pg.late(ev.Date, e.wholePeriods()); err != nil {
		return err
	}
	if down > 0 {
		e.insertDown(ev.Date, down)
	}
	e.number()
	if err := e.pg.draw(ev.Date, ev.Amount-down); err != nil {
		return err
	}
	e.sync(ev.Date)
	if e.overpaid > 0 {
		return e.drawOverpaid(len(e.txs) - 1)
	}
	return nil
}

// span is the period of a row in the plan; -1 is none.
func (e *engine) span(r *Row) int {
	if r.Kind != Instalment && r.Kind != ReAgedRow {
		return -1
	}
	for i := range e.pg.spans {
		if e.pg.spans[i].due == r.DueOn {
			return i
		}
	}
	return -1
}

// sync takes the rows from the plan as of a day.
func (e *engine) sync(on money.Date) {
	for k := range e.rows {
		r := &e.rows[k]
		i := e.span(r)
		if i < 0 {
			continue
		}
		s := &e.pg.spans[i]
		r.Due.Principal, r.Due.Interest, r.Credited = s.principal, s.interest, s.creditP
		switch open := r.Open().Total(); {
		case open > 0:
			r.PaidOn = 0
		case r.PaidOn == 0 && (r.Due.Total() > 0 || e.balance == 0):
			r.PaidOn = on
		}
	}
}

// takeProgressive allocates an amount: what is due first, then ahead of the plan.
func (e *engine) takeProgressive(tx *Transaction, amount money.Fen) error {
	if err := e.pg.late(tx.Date, e.wholePeriods()); err != nil {
		return err
	}
	e.sync(tx.Date)
	a := &e.t.Allocation
	if s, ok := e.t.Special[tx.Kind]; ok {
		a = &s
	}
	all, err := e.payoffProgressive(tx.Date)
	if err != nil {
		return err
	}
	off := amount >= all.Total()
	earned := tx.Date
	if off && e.t.Recalculation.PayoffFullPeriod && tx.Date > e.pg.spans[0].from {
		earned = e.pg.spans[e.pg.at(tx.Date)].due
	}
	before := tx.Principal
	left := amount
	for _, w := range [...]When{PastDue, Due} {
		for i := range e.rows {
			if left > 0 && when(&e.rows[i], tx.Date) == w {
				left = e.settle(a, tx, i, w, a.parts(w), left)
			}
		}
	}
	e.sync(tx.Date)
	if off {
		left, err = e.payOff(a, tx, earned, left)
	} else {
		left, err = e.ahead(a, tx, left)
	}
	if err != nil {
		return err
	}
	e.balance -= tx.Principal - before
	tx.Excess += left
	e.overpaid += left
	e.sync(tx.Date)
	return e.broken
}

// payOff pays all rows that are not due, with the interest earned by a day.
func (e *engine) payOff(a *Allocation, tx *Transaction, earned money.Date, left money.Fen) (money.Fen, error) {
	c, err := e.pg.until(earned)
	if err != nil {
		return 0, err
	}
	for k := range e.rows {
		r := &e.rows[k]
		if i := e.span(r); i >= 0 && when(r, tx.Date) == InAdvance {
			r.Due.Principal, r.Due.Interest = c.spans[i].principal, c.spans[i].interest
		}
	}
	for i := range e.rows {
		if when(&e.rows[i], tx.Date) == InAdvance {
			left = e.settle(a, tx, i, InAdvance, a.parts(InAdvance), left)
		}
	}
	return left, nil
}

// ahead pays rows that are not due: the interest earned by the day, and principal for the
// rest of each instalment.
func (e *engine) ahead(a *Allocation, tx *Transaction, left money.Fen) (money.Fen, error) {
	parts := a.parts(InAdvance)
	prepare := func(i int) error {
		k := e.span(&e.rows[i])
		if k < 0 {
			return nil
		}
		principal, interest, err := e.pg.payable(k, tx.Date)
		if err == nil {
			paid := e.rows[i].Paid.Principal
			e.rows[i].Due.Principal = max(min(principal, paid+e.out()), paid)
			e.rows[i].Due.Interest = max(interest, e.rows[i].Paid.Interest)
		}
		return err
	}
	if a.Future == Reamortised {
		return e.aheadEvenly(parts, tx, left, prepare)
	}
	for left > 0 {
		before := left
		for n := range e.rows {
			i := n
			if a.Future == Last {
				i = len(e.rows) - 1 - n
			}
			if left <= 0 || when(&e.rows[i], tx.Date) != InAdvance || e.rows[i].Open().Total() <= 0 {
				continue
			}
			if err := prepare(i); err != nil {
				return 0, err
			}
			left = e.settle(a, tx, i, InAdvance, parts, left)
			e.sync(tx.Date)
		}
		if left == before { // a row may have taken over what the others leave
			break
		}
	}
	return left, nil
}

// aheadEvenly gives every row that is not due the same, until nothing takes more.
func (e *engine) aheadEvenly(parts []Part, tx *Transaction, left money.Fen, prepare func(int) error) (money.Fen, error) {
	for left > 0 {
		before := left
		open := make([]int, 0, len(e.rows))
		for i := range e.rows {
			if when(&e.rows[i], tx.Date) == InAdvance && e.rows[i].Open().Total() > 0 {
				open = append(open, i)
				if err := prepare(i); err != nil {
					return 0, err
				}
			}
		}
		if len(open) == 0 {
			return left, nil
		}
		each, err := money.Mul(left, 1, int64(len(open)))
		if err != nil {
			return 0, err
		}
		for n, i := range open {
			share := each
			if n == len(open)-1 {
				share = before - each*money.Fen(n) // the rounding
			}
			for _, p := range parts {
				x := min(share, left)
				if p == Principal {
					x = min(x, e.out())
				}
				x = e.put(tx, i, p, x)
				share -= x
				left -= x
			}
		}
		e.sync(tx.Date)
		if left == before {
			break
		}
	}
	return left, nil
}

// out is the principal that the plan has not been paid.
func (e *engine) out() (sum money.Fen) {
	for i := range e.pg.spans {
		s := &e.pg.spans[i]
		for k := range s.parts {
			sum += s.parts[k].drawn
		}
		sum += s.creditP - s.paidP
	}
	return sum
}

// told tells the plan what was paid of a row.
func (e *engine) told(r *Row, on money.Date, p Part, x money.Fen) {
	if e.pg == nil || p != Principal && p != Interest {
		return
	}
	i := e.span(r)
	if i < 0 {
		return
	}
	var err error
	if p == Principal {
		err = e.pg.pay(i, on, x, 0)
	} else {
		err = e.pg.pay(i, on, 0, x)
	}
	if err != nil && e.broken == nil {
		e.broken = err
	}
}

// payoffProgressive is what pays the loan off on a day.
func (e *engine) payoffProgressive(on money.Date) (sum Parts, err error) {
	p := e.pg.clone()
	if err := p.late(on, e.wholePeriods()); err != nil {
		return sum, err
	}
	if e.t.Recalculation.PayoffFullPeriod && on > p.spans[0].from {
		on = p.spans[p.at(on)].due
	}
	if p, err = p.until(on); err != nil {
		return sum, err
	}
	for i := range p.spans {
		sum.Principal += p.spans[i].principal - p.spans[i].paidP
		sum.Interest += p.spans[i].interest - p.spans[i].paidI
	}
	for i := range e.rows {
		open := e.rows[i].Open()
		sum.Fee += open.Fee
		sum.Penalty += open.Penalty
		if e.span(&e.rows[i]) < 0 {
			sum.Principal += open.Principal
			sum.Interest += open.Interest
		}
	}
	return sum, nil
}

// endPlan makes all that is left due on a day.
func (e *engine) endPlan(on money.Date) error {
	if err := e.pg.late(on, e.wholePeriods()); err != nil {
		return err
	}
	keep := 0
	for keep < len(e.pg.spans)-1 && e.pg.spans[keep].due < on {
		keep++
	}
	was := e.pg.spans[keep].due
	if err := e.pg.end(on); err != nil {
		return err
	}
	last := -1
	kept := e.rows[:0]
	for _, r := range e.rows {
		if r.Kind == Instalment && r.DueOn > was && last >= 0 {
			l := &kept[last] // what was paid or charged of it goes with the last
			l.Due.Fee, l.Due.Penalty = l.Due.Fee+r.Due.Fee, l.Due.Penalty+r.Due.Penalty
			l.Paid, l.InAdvance, l.Waived = l.Paid.Plus(r.Paid), l.InAdvance.Plus(r.InAdvance), l.Waived.Plus(r.Waived)
			continue
		}
		if r.Kind == Instalment && r.DueOn == was {
			last = len(kept)
			r.DueOn = e.pg.spans[keep].due
		}
		kept = append(kept, r)
	}
	e.rows = kept
	for k := range e.charges {
		if int(e.charges[k].row) >= len(e.rows) {
			e.charges[k].row = int32(max(last, 0)) //nolint:gosec // rows are few
		}
	}
	e.number()
	e.sync(on)
	return nil
}

// terminate ends the contract: all that is left falls due, with the interest earned.
func (e *engine) terminate(ev *Event) error {
	if e.pg == nil {
		return ErrDate.With("event", ev.ID).With("why", "only a progressive loan with recalculated interest can be terminated")
	}
	if err := e.endPlan(ev.Date); err != nil {
		return err
	}
	tx := Transaction{Event: ev.ID, Kind: Terminate, Date: ev.Date, Balance: 0}
	for i := range e.rows {
		tx.Parts = tx.Plus(e.rows[i].Open())
	}
	tx.Amount = tx.Total()
	e.txs = append(e.txs, tx)
	return nil
}
