package servicing

import "github.com/furrowcredit/furrow/money"

// daily says whether days matter beside events: penalty grows, held money is used.
func (e *engine) daily() bool { return e.t.Penalty.Rate > 0 || e.t.Prepayment == Hold }

// advance lets the days up to and with a date pass: penalty interest grows on what is
// overdue, and money that is held pays what falls due.
func (e *engine) advance(to money.Date) error {
	if !e.daily() {
		return nil
	}
	if e.day == 0 && len(e.draws) > 0 {
		e.day = e.draws[0].date
	}
	for e.day != 0 && e.day < to {
		next := to
		for i := range e.rows {
			if d := e.rows[i].DueOn; d > e.day && d < next {
				next = d
			}
		}
		if err := e.penalise(next); err != nil {
			return err
		}
		e.day = next
		e.useHeld(next)
	}
	return nil
}

// useHeld lets held money pay what is due by a date.
func (e *engine) useHeld(on money.Date) {
	if e.t.Prepayment == Hold && e.overpaid > 0 {
		e.useOverpaid(on)
	}
}

// penalise charges the days after e.day up to and with a date, on which no row falls due
// in between: HALF_EVEN by row and day. Penalty bears no penalty.
func (e *engine) penalise(to money.Date) error {
	p := &e.t.Penalty
	if p.Rate <= 0 || e.isOff || e.isGone {
		return nil
	}
	basis := 360
	if p.DayCount == money.Act365 {
		basis = 365
	}
	from := e.day
	for i := range e.rows {
		r := &e.rows[i]
		if r.DueOn > from {
			continue
		}
		open := r.Open()
		base := open.Principal
		if p.OnInterest {
			base += open.Interest
		}
		if base <= 0 {
			r.pending = 0
			continue
		}
		each, err := money.Interest(base, p.Rate, 1, basis)
		if err != nil {
			return err
		}
		days := money.Fen(to-from) - e.paused(from, to)
		r.pending += each * days
		if to > r.DueOn+money.Date(p.Grace) {
			r.Due.Penalty += r.pending
			r.pending = 0
		}
	}
	return nil
}

// paused counts the days after from up to and with to on which penalty stands still.
func (e *engine) paused(from, to money.Date) (n money.Fen) {
	for d := range e.pauses {
		a, b := max(e.pauses[d].From, from+1), min(e.pauses[d].To, to)
		n += money.Fen(max(0, b-a+1))
	}
	return n
}

// earned is the interest of a row up to a day: it grows evenly with the days, HALF_EVEN,
// so that the whole of it is earned on the due date.
func (r *Row) earned(day money.Date) money.Fen {
	switch {
	case day >= r.DueOn:
		return r.Due.Interest
	case day <= r.From:
		return 0
	}
	from, to, had, interest := r.From, r.DueOn, money.Fen(0), r.Due.Interest
	switch {
	case r.turn != 0 && day <= r.turn:
		to, interest = r.turn, r.had
	case r.turn != 0:
		from, had, interest = r.turn, r.had, interest-r.had
	}
	part, err := money.Mul(interest, int64(day-from), int64(to-from))
	if err != nil {
		return had + interest
	}
	return had + part
}

// accruedBy is what is earned by a day and not settled. After a charge-off nothing more
// is earned.
func (e *engine) accruedBy(day money.Date) money.Fen {
	if e.isOff {
		day = min(day, e.off)
	}
	var sum money.Fen
	for i := range e.rows {
		r := &e.rows[i]
		sum += r.earned(day) - r.Paid.Interest - r.Waived.Interest - r.Written.Interest
	}
	return max(0, sum)
}

// cut ends the loan with a day: the row that runs falls due with the interest earned so
// far, later rows with their principal alone.
func (e *engine) cut(on money.Date) {
	for i := range e.rows {
		r := &e.rows[i]
		if r.DueOn <= on {
			continue
		}
		settled := r.Paid.Interest + r.Waived.Interest + r.Written.Interest
		r.Due.Interest = max(r.earned(on), settled)
		r.From, r.DueOn = min(r.From, on), on
		r.turn, r.had = 0, 0
	}
}

// owed is what a cut on a day would leave open.
func (e *engine) owed(on money.Date) (sum Parts) {
	for i := range e.rows {
		r := e.rows[i]
		if r.DueOn > on {
			settled := r.Paid.Interest + r.Waived.Interest + r.Written.Interest
			r.Due.Interest = max(r.earned(on), settled)
		}
		sum = sum.Plus(r.Open())
	}
	return sum
}

// payoff ends the loan. When a replay finds that the money does not suffice any more, it
// is an ordinary repayment.
func (e *engine) payoff(ev *Event) error {
	if e.recalculates() {
		owed, err := e.payoffRecalculated(ev.Date)
		if err != nil {
			return err
		}
		pay := *ev
		if pay.Amount == 0 {
			pay.Amount = max(0, owed.Total()-e.overpaid)
		}
		held := e.overpaid
		if pay.Amount+held < owed.Total() {
			held = 0
		}
		e.overpaid -= held
		return e.repayWith(&pay, held)
	}
	owed := e.owed(ev.Date).Total()
	pay := *ev
	if pay.Amount == 0 {
		pay.Amount = max(0, owed-e.overpaid)
	}
	if pay.Amount+e.overpaid >= owed {
		e.cut(ev.Date)
		e.useHeld(ev.Date)
	}
	return e.repay(&pay)
}

// waiveOpen gives up what is open of a part and has come up by the day, oldest first;
// Amount 0 is all of it.
func (e *engine) waiveOpen(ev *Event, p Part) {
	left, all := ev.Amount, ev.Amount == 0
	tx := Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Balance: e.balance}
	for i := range e.rows {
		r := &e.rows[i]
		if r.DueOn > ev.Date {
			continue
		}
		open := r.Open()
		x := *open.of(p)
		if !all {
			x = min(x, left)
		}
		if x <= 0 {
			continue
		}
		left -= x
		*r.Waived.of(p) += x
		*tx.of(p) += x
		if r.Open().Total() == 0 {
			r.PaidOn = ev.Date
		}
	}
	tx.Amount = tx.Total()
	e.txs = append(e.txs, tx)
}
