package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// reAmortise takes what is overdue off its rows and spreads it over those to come.
func (e *engine) reAmortise(ev *Event) {
	over := e.collect(ev.Date, func(r *Row) bool { return r.DueOn <= ev.Date })
	e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ReAmortise, Date: ev.Date, Amount: over,
		Parts: Parts{Principal: over}, Balance: e.balance})
	n := int64(0)
	last := -1
	for i := range e.rows {
		if r := &e.rows[i]; r.DueOn > ev.Date && r.Kind == Instalment {
			n++
			last = i
		}
	}
	if n == 0 {
		e.rows[e.extra(ev.Date)].Due.Principal += over
		return
	}
	each, _ := money.Mul(over, 1, n)
	each = schedule.Multiple(each, e.t.Schedule.Multiple)
	for i := range e.rows {
		if r := &e.rows[i]; r.DueOn > ev.Date && r.Kind == Instalment {
			x := each
			if i == last {
				x = over
			}
			r.Due.Principal += x
			r.PaidOn = 0
			over -= x
		}
	}
}

// collect takes the principal that is open off the rows that match, which are settled
// by that, and returns it.
func (e *engine) collect(on money.Date, match func(*Row) bool) money.Fen {
	sum := money.Fen(0)
	for i := range e.rows {
		r := &e.rows[i]
		open := r.Open().Principal
		if !match(r) || open <= 0 {
			continue
		}
		sum += open
		r.Due.Principal -= open
		r.Credited = min(r.Credited, r.Due.Principal)
		if r.Open().Total() == 0 {
			r.PaidOn = on
		}
	}
	return sum
}

// reAge puts all principal that is open into new rows.
func (e *engine) reAge(ev *Event) {
	c := ev.Change
	if c == nil || c.N < 1 {
		return
	}
	all := e.collect(ev.Date, func(*Row) bool { return true })
	e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ReAge, Date: ev.Date, Amount: all,
		Parts: Parts{Principal: all}, Balance: e.balance})
	cal := schedule.Calendar{Start: c.From, Every: max(c.Every, 1), Unit: c.Unit}
	each, _ := money.Mul(all, 1, int64(c.N))
	each = schedule.Multiple(each, e.t.Schedule.Multiple)
	// Rows that would fall due after the new start are given up when nothing was paid.
	kept := e.rows[:0]
	for _, r := range e.rows {
		if r.DueOn < c.From || r.Due.Total() > 0 || r.DueOn <= ev.Date {
			kept = append(kept, r)
		}
	}
	e.rows = kept
	from := e.draws[0].date
	if len(e.rows) > 0 {
		from = e.rows[len(e.rows)-1].DueOn
	}
	for k := 0; k < c.N; k++ {
		x := each
		if k == c.N-1 {
			x = all - each*money.Fen(c.N-1)
		}
		e.rows = append(e.rows, Row{Kind: ReAgedRow, From: from, DueOn: cal.Due(k), Due: Parts{Principal: x}})
		from = cal.Due(k)
	}
	e.number()
}

// chargeOff marks the loan; it stays owed.
func (e *engine) chargeOff(ev *Event) error {
	if e.pg != nil {
		var err error
		switch e.t.AtChargeOff {
		case AllDue:
			err = e.endPlan(ev.Date)
		case NoInterest:
			if err = e.pg.late(ev.Date, e.wholePeriods()); err == nil {
				e.pg.cutAt(ev.Date)
				e.pg.free = ev.Date
				e.pg.factors()
				err = e.pg.settle()
				e.sync(ev.Date)
			}
		}
		if err != nil {
			return err
		}
	}
	tx := Transaction{Event: ev.ID, Kind: ChargeOff, Date: ev.Date, Balance: 0}
	for i := range e.rows {
		tx.Parts = tx.Plus(e.rows[i].Open())
	}
	tx.Amount = tx.Total()
	e.off, e.isOff = ev.Date, true
	e.txs = append(e.txs, tx)
	return nil
}

// capitalise lends a fee of the bank with the loan.
func (e *engine) capitalise(ev *Event) error {
	e.balance += ev.Amount
	e.drawn += ev.Amount
	e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: Capitalise, Date: ev.Date, Amount: ev.Amount,
		Parts: Parts{Principal: ev.Amount}, Balance: e.balance})
	if e.pg == nil {
		return e.increase(ev.Date, ev.Amount)
	}
	if err := e.pg.late(ev.Date, e.wholePeriods()); err != nil {
		return err
	}
	if err := e.pg.draw(ev.Date, ev.Amount); err != nil {
		return err
	}
	e.sync(ev.Date)
	return nil
}

// writeOff gives up what is open.
func (e *engine) writeOff(ev *Event) {
	tx := Transaction{Event: ev.ID, Kind: WriteOff, Date: ev.Date}
	for i := range e.rows {
		r := &e.rows[i]
		open := r.Open()
		if open.Total() == 0 {
			continue
		}
		r.Written = r.Written.Plus(open)
		r.PaidOn = ev.Date
		tx.Parts = tx.Plus(open)
	}
	tx.Amount = tx.Total()
	e.written = e.written.Plus(tx.Parts)
	e.balance -= tx.Principal
	tx.Balance = e.balance
	e.isGone = true
	e.txs = append(e.txs, tx)
}
