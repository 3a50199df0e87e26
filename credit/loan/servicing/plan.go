package servicing

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// layAhead lays out the rows of all drawdowns, changes and charges of the life.
func (e *engine) layAhead() error {
	for _, i := range e.queue {
		ev := &e.events[i]
		if e.undone[i] {
			continue
		}
		switch ev.Kind {
		case Disburse:
			e.draws = append(e.draws, draw{ev.Date, ev.Amount})
		case Reschedule, Extend, RateChange:
			if ev.Change != nil {
				e.moves = append(e.moves, *ev.Change)
			}
		default:
			continue
		}
		e.laid[i] = true
	}
	if len(e.draws) == 0 {
		return nil
	}
	if err := e.lay(); err != nil {
		return err
	}
	cut := e.replayed()
	for _, i := range e.queue {
		if e.events[i].Kind == Charged && !e.undone[i] && int(i) < cut {
			if err := e.fee(i); err != nil {
				return err
			}
			e.laid[i] = true
		}
	}
	return nil
}

// replayed is the number of events that were booked up to the last one that made the
// bank go through all payments again: one dated before another, one undone, or a
// drawdown after a payment. Charges booked before that lie under every payment; a later
// one takes its place behind those that were booked before it.
func (e *engine) replayed() int {
	cut := 0
	var last money.Date
	for i := range e.events {
		ev := &e.events[i]
		if ev.Date > e.to {
			break
		}
		switch ev.Kind {
		case Reverse:
			cut = i + 1
		case Charged:
			if ev.Charge.DueOn < last {
				cut = i + 1
			}
		case Disburse, Reschedule, Extend, RateChange:
			if last != 0 {
				cut = i + 1
			}
		case Accrue:
		default:
			if ev.Date < last {
				cut = i + 1
			}
			last = max(last, ev.Date)
		}
	}
	return cut
}

// draw lays out the rows of one drawdown when nothing is laid ahead.
func (e *engine) draw(ev *Event) error {
	e.draws = append(e.draws, draw{ev.Date, ev.Amount})
	if len(e.draws) == 1 {
		return e.lay()
	}
	down := e.down(ev.Amount)
	if down > 0 {
		e.insertDown(ev.Date, down)
	}
	return e.increase(ev.Date, ev.Amount-down)
}

// down is the down payment on a drawdown.
func (e *engine) down(amount money.Fen) money.Fen {
	if e.t.DownPayment == nil {
		return 0
	}
	d, _ := money.Portion(amount, e.t.DownPayment.Percent, 1, 1)
	return min(schedule.Multiple(d, e.t.Multiple), amount)
}

// insertDown puts a down payment before the rows that are due later, or on the same day
// before the instalment.
func (e *engine) insertDown(on money.Date, amount money.Fen) {
	at := len(e.rows)
	for i := range e.rows {
		if e.rows[i].DueOn > on || e.rows[i].DueOn == on && e.rows[i].Kind != DownRow {
			at = i
			break
		}
	}
	e.rows = slices.Insert(e.rows, at, Row{Kind: DownRow, From: on, DueOn: on, Due: Parts{Principal: amount}})
	for k := range e.charges {
		if int(e.charges[k].row) >= at {
			e.charges[k].row++
		}
	}
	e.number()
}

func (e *engine) number() {
	for i := range e.rows {
		e.rows[i].Nr = i + 1
	}
}

// increase spreads more principal evenly over the instalments that are not due before a
// day; the last takes the rounding.
func (e *engine) increase(on money.Date, amount money.Fen) error {
	n := int64(0)
	last := -1
	for i := range e.rows {
		if e.rows[i].Kind == Instalment && e.rows[i].DueOn >= on {
			n++
			last = i
		}
	}
	if n == 0 {
		e.rows[e.extra(on)].Due.Principal += amount
		return nil
	}
	each, err := money.Mul(amount, 1, n)
	if err != nil {
		return err
	}
	each = schedule.Multiple(each, e.t.Multiple)
	for i := range e.rows {
		if r := &e.rows[i]; r.Kind == Instalment && r.DueOn >= on {
			x := each
			if i == last {
				x = amount - each*money.Fen(n-1)
			}
			r.Due.Principal += x
			r.PaidOn = 0
		}
	}
	return nil
}

// dates lays out the due dates, with the changes that were agreed.
func (e *engine) dates() {
	t := &e.t.Schedule
	seed := e.draws[0].date
	if e.t.Seed != 0 {
		seed = e.t.Seed
	}
	cal := schedule.Calendar{Start: seed, Every: max(t.Every, 1), Unit: t.Unit}
	e.rows = make([]Row, 0, t.N+len(e.draws)+2)
	from := e.draws[0].date
	n := t.N
	for i := range e.moves {
		n += e.moves[i].Extra
	}
	k := 0
	for i := 0; i < n; i++ {
		k++
		due := cal.Due(k)
		for m := range e.moves {
			if c := &e.moves[m]; c.To != 0 && c.From == due {
				due = c.To
				cal.Start, k = due, 0
			}
		}
		e.rows = append(e.rows, Row{From: from, DueOn: due})
		from = due
	}
}

// lay makes all rows from the drawdowns and changes known so far.
func (e *engine) lay() error {
	e.dates()
	n := len(e.rows)
	var (
		balance, drawn, each, sum money.Fen
		next                      int
		downs                     []Row
	)
	grace := e.t.Schedule.Grace
	for i := range e.rows {
		r := &e.rows[i]
		changed := i == 0 || i == grace
		for next < len(e.draws) && (e.draws[next].date <= r.DueOn || i == n-1) {
			d := e.draws[next]
			down := e.down(d.amount)
			if down > 0 {
				downs = append(downs, Row{Kind: DownRow, From: d.date, DueOn: d.date, Due: Parts{Principal: down}})
			}
			drawn += d.amount
			balance += d.amount - down
			changed = true
			next++
		}
		for m := range e.moves {
			if c := &e.moves[m]; c.From == r.DueOn || c.To == r.DueOn {
				if c.GracePrincipal > 0 {
					grace = i + c.GracePrincipal
				}
				changed = true
			}
		}
		interest, err := e.interest(r, balance, drawn, next)
		if err != nil {
			return err
		}
		if changed && i >= grace {
			if each, err = e.instalment(i, balance, drawn, interest); err != nil {
				return err
			}
		}
		if e.t.Flat && i == n-1 && len(e.draws) == 1 && len(e.moves) == 0 {
			// The last row takes the rounding of the interest over the whole term.
			if interest, err = e.whole(drawn, n); err != nil {
				return err
			}
			interest -= sum
		}
		sum += interest
		r.Due.Interest = interest
		r.Due.Principal = balance
		if i < n-1 {
			r.Due.Principal = 0
			if i >= grace {
				r.Due.Principal = each
				if e.t.Schedule.Method == schedule.EqualInstalments {
					r.Due.Principal -= interest
				}
			}
			r.Due.Principal = min(max(r.Due.Principal, 0), balance)
		}
		balance -= r.Due.Principal
	}
	for _, d := range downs {
		e.insertDown(d.DueOn, d.Due.Principal)
	}
	e.number()
	return nil
}

// factor of a row, or of a part of it that ends with it.
func (e *engine) factor(from money.Date, r *Row) schedule.Factor {
	t := &e.t.Schedule
	whole := from == r.From
	if whole {
		num, den := schedule.Fraction(t.DayCount, t.Unit, max(t.Every, 1), r.From, r.DueOn)
		return schedule.NewFactor(t.Rate, num, den)
	}
	num, den := t.DayCount.Fraction(from, r.DueOn)
	return schedule.NewFactor(t.Rate, num, den)
}

// interest of a row on the balance that its drawdowns have made.
func (e *engine) interest(r *Row, balance, drawn money.Fen, next int) (money.Fen, error) {
	if e.t.Schedule.Rate == 0 {
		return 0, nil
	}
	if e.t.Flat {
		return e.factor(r.From, r).Of(drawn)
	}
	late := money.Fen(0) // drawn within the period
	sum := money.Fen(0)
	for k := next - 1; k >= 0 && e.draws[k].date > r.From; k-- {
		d := e.draws[k]
		amount := d.amount - e.down(d.amount)
		x, err := e.factor(d.date, r).Of(amount)
		if err != nil {
			return 0, err
		}
		sum += x
		late += amount
	}
	x, err := e.factor(r.From, r).Of(balance - late)
	return sum + x, err
}

// whole is flat interest over n regular periods.
func (e *engine) whole(drawn money.Fen, n int) (money.Fen, error) {
	t := &e.t.Schedule
	num, den := schedule.Fraction(t.DayCount, t.Unit, max(t.Every, 1)*n, e.rows[0].From, e.rows[n-1].DueOn)
	return schedule.NewFactor(t.Rate, num, den).Of(drawn)
}

// instalment is what the rows from i on pay: with interest where instalments are equal,
// else the principal alone.
func (e *engine) instalment(i int, balance, drawn, interest money.Fen) (money.Fen, error) {
	t := &e.t.Schedule
	n := int64(len(e.rows) - i)
	if e.t.Commitment > 0 && !e.t.Flat && t.Rate > 0 {
		balance = max(balance, e.t.Commitment-drawn+balance)
	}
	switch {
	case t.Method == schedule.InterestFirst:
		return 0, nil
	case t.Method == schedule.EqualPrincipal:
		return money.Mul(balance, 1, n)
	case e.t.Flat || t.Rate == 0:
		each, err := money.Mul(balance, 1, n)
		if err != nil || t.Method != schedule.EqualInstalments {
			return each, err
		}
		return schedule.Multiple(each+interest, e.t.Multiple), nil
	}
	factors := make([]schedule.Factor, n)
	for k := range factors {
		r := &e.rows[i+k]
		if e.t.FirstPeriod {
			r = &e.rows[i]
		}
		factors[k] = e.factor(r.From, r)
	}
	emi, err := schedule.EMI(balance, factors)
	if err != nil || e.t.FirstPeriod {
		return schedule.Multiple(emi, e.t.Multiple), err
	}
	return schedule.Smooth(schedule.Multiple(emi, e.t.Multiple), int(n), e.t.Multiple, func(emi money.Fen) (money.Fen, error) {
		left := balance
		for k := range factors {
			x, err := factors[k].Of(left)
			if err != nil {
				return 0, err
			}
			if k == len(factors)-1 {
				return left + x, nil
			}
			left -= min(max(emi-x, 0), left)
		}
		return 0, nil
	})
}
