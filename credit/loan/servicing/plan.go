package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// agreed collects the changes of the schedule that were agreed over the life: due dates
// are those agreed last, from the start.
func (e *engine) agreed() {
	for _, i := range e.queue {
		switch ev := &e.events[i]; ev.Kind {
		case Reschedule, Extend, RateChange:
			if ev.Change != nil && !e.undone[i] {
				e.moves = append(e.moves, *ev.Change)
				e.laid[i] = true
			}
		default:
		}
	}
}

// layAhead lays out the rows of all drawdowns and charges of the life.
func (e *engine) layAhead() error {
	for _, i := range e.queue {
		if ev := &e.events[i]; ev.Kind == Disburse && !e.undone[i] {
			e.draws = append(e.draws, draw{ev.Date, ev.Amount})
			e.laid[i] = true
		}
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
// bank go through all payments again: a charge, an event dated before another, one undone,
// or a drawdown after a payment. Charges booked before that lie under every payment; a
// later one takes its place behind those that were booked before it.
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
			cut = i + 1
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
	if e.inParts && len(e.moves) == 0 && !e.recalculates() {
		return e.grow(ev.Date, ev.Amount)
	}
	down := e.down(ev.Amount)
	if down > 0 {
		e.insertDown(ev.Date, down)
	}
	if e.t.Schedule.Rate > 0 && !e.recalculates() {
		if done, err := e.again(ev.Date, ev.Amount-down); done || err != nil {
			return err
		}
	}
	return e.increase(ev.Date, ev.Amount-down)
}

// again lays out the instalments after a day once more, with all that was drawn so far. It
// leaves them when they are not those of the contract any more, as after a re-age.
func (e *engine) again(on money.Date, amount money.Fen) (bool, error) {
	plan := engine{t: e.t, draws: e.draws, moves: e.moves}
	if err := plan.lay(); err != nil {
		return false, err
	}
	rows := make([]int, 0, len(e.rows))
	more := money.Fen(0)
	k := 0
	for i := range e.rows {
		r := &e.rows[i]
		if r.Kind != Instalment {
			continue
		}
		for k < len(plan.rows) && plan.rows[k].Kind != Instalment {
			k++
		}
		if k == len(plan.rows) || plan.rows[k].DueOn != r.DueOn {
			return false, nil
		}
		if r.DueOn > on {
			x := plan.rows[k].Due
			if x.Principal+r.Credited < r.Due.Principal || x.Interest < r.Paid.Interest+r.Waived.Interest {
				return false, nil // would ask for less than before, perhaps than was paid
			}
			rows = append(rows, i, k)
			more += plan.rows[k].Due.Principal - r.Due.Principal + r.Credited
		}
		k++
	}
	if more != amount {
		return false, nil
	}
	for n := 0; n < len(rows); n += 2 {
		r, x := &e.rows[rows[n]], &plan.rows[rows[n+1]]
		r.Due.Principal = x.Due.Principal + r.Credited
		r.Due.Interest = x.Due.Interest
		r.PaidOn = 0
	}
	return true, nil
}

func (e *engine) flat() bool { return e.t.Schedule.Interest == schedule.Flat }

// down is the down payment on a drawdown.
func (e *engine) down(amount money.Fen) money.Fen {
	t := &e.t.Schedule
	d, _ := money.Mul(amount, int64(t.DownPayment), int64(money.RateOne)) // a part of an amount
	if m := schedule.Multiple(d, t.Multiple); m < amount {
		d = m
	}
	return d
}

// insertDown puts a down payment before the rows that are due later; where all is laid
// ahead also before the instalment of its day.
func (e *engine) insertDown(on money.Date, amount money.Fen) {
	at := len(e.rows)
	for i := range e.rows {
		if e.rows[i].DueOn > on || e.t.Upfront && e.rows[i].DueOn == on && e.rows[i].Kind != DownRow {
			at = i
			break
		}
	}
	e.insert(at, Row{Kind: DownRow, From: on, DueOn: on, Due: Parts{Principal: amount}})
}

func (e *engine) number() {
	for i := range e.rows {
		e.rows[i].Nr = i + 1
	}
}

// increase spreads more principal evenly over the instalments that are due after a day;
// the last takes the rounding.
func (e *engine) increase(on money.Date, amount money.Fen) error {
	n := int64(0)
	last := -1
	for i := range e.rows {
		if e.rows[i].takes(on) {
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
	left := amount
	for i := range e.rows {
		if r := &e.rows[i]; r.takes(on) {
			x := schedule.Multiple(r.Due.Principal+each, e.t.Schedule.Multiple) - r.Due.Principal
			if x = min(x, left); i == last { // shares may have been rounded up
				x = left
			}
			left -= x
			r.Due.Principal += x
			r.PaidOn = 0
		}
	}
	return nil
}

// takes says whether a drawdown on a day is paid back with the row.
func (r *Row) takes(on money.Date) bool {
	return (r.Kind == Instalment || r.Kind == ReAgedRow) && r.DueOn > on
}

// dates lays out the due dates, with the changes that were agreed.
func (e *engine) dates() error {
	t0 := e.t.Schedule
	t0.Principal, t0.Start = e.draws[0].amount, e.draws[0].date
	if err := t0.Check(); err != nil {
		return err
	}
	t := &e.t.Schedule
	from := e.draws[0].date
	if e.t.Seed != 0 {
		from = e.t.Seed
	}
	cal := t.Calendar()
	cal.Start = from
	e.rows = make([]Row, 0, t.N+len(e.draws)+2)
	n := t.N
	for i := range e.moves {
		n += e.moves[i].Extra + e.moves[i].GracePrincipal
	}
	k := 0
	if n > maxRows {
		return schedule.ErrTerms.With("why", "the number of instalments must be between 1 and 1200")
	}
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
	// A drawdown after the last due date adds a period.
	for last := e.draws[len(e.draws)-1].date; len(e.rows) > 0 && last > from; {
		k++
		if len(e.rows) >= maxRows {
			return schedule.ErrTerms.With("why", "a drawdown lies too far after the last row")
		}
		e.rows = append(e.rows, Row{From: from, DueOn: cal.Due(k)})
		from = cal.Due(k)
	}
	return nil
}

// make takes the rows from the schedule of the contract.
func (e *engine) make() error {
	t := e.t.Schedule
	t.Principal, t.Start = e.draws[0].amount, e.draws[0].date
	plan, err := schedule.Make(t)
	if err != nil {
		return err
	}
	e.rows = make([]Row, len(plan), len(plan)+2)
	for i := range plan {
		p := &plan[i]
		e.rows[i] = Row{Nr: p.Nr, From: p.From, DueOn: p.DueOn, Due: Parts{Principal: p.Principal, Interest: p.Interest}}
		if t.DownPayment > 0 && p.From == p.DueOn {
			e.rows[i].Kind = DownRow
		}
	}
	return nil
}

// lay makes all rows from the drawdowns and changes known so far.
func (e *engine) lay() error {
	defer e.startRecalc()
	if len(e.draws) == 1 && len(e.moves) == 0 && e.t.Seed == 0 && e.t.Commitment == 0 {
		return e.make()
	}
	if err := e.dates(); err != nil {
		return err
	}
	e.basis = e.t.Schedule.Basis()
	n := len(e.rows)
	var (
		balance, drawn, out, each, sum money.Fen // out is drawn less the down payments
		next                           int
		downs                          []Row
	)
	free := e.t.Schedule.Grace // rows before it pay no principal
	rate := e.t.Schedule.Rate
	moved := false
	for i := range e.rows {
		r := &e.rows[i]
		changed := i == 0 || i == free
		for next < len(e.draws) && (e.draws[next].date < r.DueOn || e.t.Upfront && e.draws[next].date == r.DueOn || i == n-1) {
			d := e.draws[next]
			down := e.down(d.amount)
			if down > 0 {
				downs = append(downs, Row{Kind: DownRow, From: d.date, DueOn: d.date, Due: Parts{Principal: down}})
			}
			drawn += d.amount
			out += d.amount - down
			balance += d.amount - down
			changed = true
			next++
		}
		for m := range e.moves {
			if c := &e.moves[m]; c.From == r.DueOn || c.To == r.DueOn {
				free = max(free, i+c.GracePrincipal)
				changed, moved = true, true
			}
			if c := &e.moves[m]; c.Rate > 0 && c.From <= r.DueOn {
				rate = c.Rate
			}
		}
		interest, err := e.interest(r, rate, balance, drawn, next)
		if err != nil {
			return err
		}
		if changed && i >= free {
			if each, err = e.instalment(i, rate, moved, balance, drawn, out, interest); err != nil {
				return err
			}
		}
		if e.flat() && i == n-1 && len(e.draws) == 1 && len(e.moves) == 0 {
			// The last row takes the rounding of the interest over the whole term.
			if interest, err = e.wholeTerm(rate, drawn, n); err != nil {
				return err
			}
			interest -= sum
		}
		sum += interest
		r.Due.Interest = interest
		r.Due.Principal = balance
		if i < n-1 {
			r.Due.Principal = 0
			if i >= free {
				r.Due.Principal = each
				if e.t.Schedule.Method == schedule.EqualInstalments {
					r.Due.Principal -= interest
				}
			}
			r.Due.Principal = min(max(r.Due.Principal, 0), balance)
		}
		balance -= r.Due.Principal
		if r.Due.Total() == 0 {
			r.PaidOn = e.draws[0].date // nothing falls due
		}
	}
	for _, d := range downs {
		e.insertDown(d.DueOn, d.Due.Principal)
	}
	e.number()
	return nil
}

// factor of a row, or of a part of it that ends with it.
func (e *engine) factor(rate money.Rate, from money.Date, r *Row) schedule.Factor {
	if from == r.From {
		num, den := e.basis.Whole(r.From, r.DueOn)
		return schedule.NewFactor(rate, num, den)
	}
	num, den := e.basis.Part(r.From, r.DueOn, from, r.DueOn)
	return schedule.NewFactor(rate, num, den)
}

// interest of a row on the balance that its drawdowns have made.
func (e *engine) interest(r *Row, rate money.Rate, balance, drawn money.Fen, next int) (money.Fen, error) {
	if rate == 0 {
		return 0, nil
	}
	if e.flat() {
		return e.factor(rate, r.From, r).Of(drawn)
	}
	late := money.Fen(0) // drawn within the period
	var sum schedule.Accrual
	for k := next - 1; k >= 0 && e.draws[k].date > r.From; k-- {
		d := e.draws[k]
		amount := d.amount - e.down(d.amount)
		sum = sum.Plus(amount, e.factor(rate, d.date, r))
		late += amount
	}
	return sum.Plus(balance-late, e.factor(rate, r.From, r)).Fen()
}

// wholeTerm is flat interest over n regular periods.
func (e *engine) wholeTerm(rate money.Rate, drawn money.Fen, n int) (money.Fen, error) {
	whole := e.basis
	whole.Every *= n
	num, den := whole.Whole(e.rows[0].From, e.rows[n-1].DueOn)
	return schedule.NewFactor(rate, num, den).Of(drawn)
}

// instalment is what the rows from i on pay: with interest where instalments are equal,
// else the principal alone.
func (e *engine) instalment(i int, rate money.Rate, moved bool, balance, drawn, out, interest money.Fen) (money.Fen, error) {
	t := &e.t.Schedule
	n := int64(len(e.rows) - i)
	if e.t.Commitment > 0 && !e.flat() && rate > 0 {
		return e.emi(rate, max(e.t.Commitment, drawn), 0)
	}
	switch {
	case t.Method == schedule.InterestFirst, t.Method == schedule.Bullet:
		return 0, nil
	case t.Method == schedule.EqualPrincipal:
		return money.Mul(balance, 1, n)
	case e.flat() || rate == 0:
		if e.t.Upfront && t.Grace == 0 && !moved && i < t.N {
			balance, n = out, int64(t.N) // an equal part of all that was lent
		}
		each, err := money.Mul(balance, 1, n)
		if err != nil || t.Method != schedule.EqualInstalments {
			return each, err
		}
		return schedule.Multiple(each+interest, t.Multiple), nil
	}
	return e.emi(rate, balance, i)
}

// emi is the equal instalment of a balance over the rows from like on.
func (e *engine) emi(rate money.Rate, balance money.Fen, like int) (money.Fen, error) {
	t := &e.t.Schedule
	factors := make([]schedule.Factor, len(e.rows)-like)
	for k := range factors {
		r := &e.rows[like+k]
		if t.Cumulative {
			r = &e.rows[like]
		}
		factors[k] = e.factor(rate, r.From, r)
	}
	emi, err := schedule.EMI(balance, factors)
	if err != nil || t.Cumulative {
		return schedule.Multiple(emi, t.Multiple), err
	}
	return schedule.Smooth(schedule.Multiple(emi, t.Multiple), len(factors), t.Multiple, func(emi money.Fen) (money.Fen, error) {
		left := balance
		for k := range factors {
			x, err := factors[k].Of(left)
			if err != nil || k == len(factors)-1 {
				return left + x, err
			}
			left -= min(max(emi-x, 0), left)
		}
		return 0, nil
	})
}
