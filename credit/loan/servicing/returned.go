package servicing

import "github.com/furrowcredit/furrow/money"

// refund takes money that a seller gives back for goods that were returned. Where the terms
// let it pay what is not due, the loan is smaller from that day on: interest that is not
// earned yet follows the principal that is left, and money that covers all ends the loan.
func (e *engine) refund(ev *Event) error {
	a, ok := e.t.Special[ev.Kind]
	if !ok || !a.Ahead || e.recalculates() || e.flat() {
		return e.repay(ev)
	}
	if ev.Amount+e.overpaid >= e.owed(ev.Date).Total() {
		e.cut(ev.Date)
		e.useHeld(ev.Date)
		return e.repay(ev)
	}
	before := e.planned(ev.Date)
	if err := e.repay(ev); err != nil {
		return err
	}
	return e.lower(ev.Date, before, e.planned(ev.Date))
}

// planned is by row the principal that is out in it when all before it is paid as agreed,
// for rows that are not due.
func (e *engine) planned(on money.Date) []money.Fen {
	out := make([]money.Fen, len(e.rows)+1)
	for i := len(e.rows) - 1; i >= 0; i-- {
		out[i] = out[i+1]
		if r := &e.rows[i]; r.DueOn > on {
			out[i] += r.Open().Principal
		}
	}
	return out
}

// lower makes the interest of rows that are not due follow their principal. Of the row that
// runs, what is earned stays.
func (e *engine) lower(on money.Date, before, after []money.Fen) error {
	for i := range e.rows {
		r := &e.rows[i]
		if r.DueOn <= on || before[i] == after[i] {
			continue
		}
		earned := r.earned(on)
		rest, err := money.Mul(r.Due.Interest-earned, int64(after[i]), int64(before[i]))
		if err != nil {
			return err
		}
		settled := r.Paid.Interest + r.Waived.Interest + r.Written.Interest
		r.Due.Interest = max(earned+rest, settled)
		r.Balance = after[i+1]
		if on > r.From {
			r.turn, r.had = on, earned
		}
		if r.Open().Total() == 0 {
			r.PaidOn = on
		}
	}
	return nil
}

// Growing is since when and by how much interest of the row grows evenly until its due date.
func (r *Row) Growing() (from money.Date, interest money.Fen) {
	if r.turn != 0 {
		return r.turn, r.Due.Interest - r.had
	}
	return r.From, r.Due.Interest
}
