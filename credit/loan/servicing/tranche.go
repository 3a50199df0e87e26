package servicing

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// grow adds to the rows what the contract promises more with its last drawdown than without
// it: the schedule of all that went out less that of what went out before. Rows that were
// paid off or moved meanwhile come back for the new money alone, so that interest is asked
// for what is out, from the day on which it went.
func (e *engine) grow(on money.Date, amount money.Fen) error {
	before, err := e.promised(e.draws[:1])
	if err != nil {
		return err
	}
	if on >= before[len(before)-1].DueOn { // the contract plans nothing for it, nor for any later
		return e.increase(on, amount)
	}
	if before, err = e.promised(e.draws[:len(e.draws)-1]); err != nil {
		return err
	}
	after, err := e.promised(e.draws)
	if err != nil {
		return err
	}
	left := amount
	for i := range after {
		x := &after[i]
		more := Parts{Principal: x.Principal - before[i].Principal, Interest: x.Interest - before[i].Interest}
		if i == len(after)-1 {
			more.Principal = left
		}
		if x.DueOn <= on || more == (Parts{}) {
			continue
		}
		r := e.rowOn(max(on, x.From), x.DueOn)
		had := r.earned(on)
		// A row that asks for less than before never asks for less than was settled of it.
		more.Principal = max(more.Principal, -max(0, r.Open().Principal))
		more.Interest = max(more.Interest, -max(0, r.Open().Interest))
		left -= more.Principal
		r.Due = r.Due.Plus(more)
		if r.From < on {
			r.turn, r.had = on, had
		}
		if r.Open().Total() > 0 {
			r.PaidOn = 0
		}
	}
	// What a settled row could not ask less of, the last open ones do.
	for i := len(e.rows) - 1; left < 0 && i >= 0; i-- {
		if r := &e.rows[i]; r.DueOn > on {
			less := min(-left, max(0, r.Open().Principal))
			r.Due.Principal -= less
			left += less
		}
	}
	return nil
}

// promised is the schedule of the contract for drawdowns; those of one day are one.
func (e *engine) promised(draws []draw) ([]schedule.Row, error) {
	t := e.t.Schedule
	t.Principal, t.Start = draws[0].amount, draws[0].date
	t.Tranches = nil
	for _, d := range draws[1:] {
		switch n := len(t.Tranches); {
		case d.date <= t.Start:
			t.Principal += d.amount
		case n > 0 && t.Tranches[n-1].On == d.date:
			t.Tranches[n-1].Amount += d.amount
		default:
			t.Tranches = append(t.Tranches, schedule.Tranche{On: d.date, Amount: d.amount})
		}
	}
	return schedule.Make(t)
}

// rowOn is the row that falls due on a day, made anew where there is none.
func (e *engine) rowOn(from, due money.Date) *Row {
	at := len(e.rows)
	for i := range e.rows {
		switch r := &e.rows[i]; {
		case r.DueOn == due && r.Kind == Instalment:
			return r
		case r.DueOn > due:
			at = min(at, i)
		}
	}
	e.insert(at, Row{From: from, DueOn: due})
	return &e.rows[at]
}

// insert puts a row in, and keeps charges with theirs.
func (e *engine) insert(at int, r Row) {
	e.rows = slices.Insert(e.rows, at, r)
	for k := range e.charges {
		if int(e.charges[k].row) >= at {
			e.charges[k].row++
		}
	}
	e.number()
}
