package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Recalculated interest follows the principal that is really out. A period is cut on the
// days on which money moved, and each part's interest is rounded HALF_EVEN. What is overdue
// earns interest until the day of the state, and is taken as paid from then on; rows to
// come are taken as paid on their due dates.

// recalc is what a replay with recalculated interest knows beside its rows.
type recalc struct {
	emi    []money.Fen // instalment by row
	moved  []draw      // principal: out above zero, back below, in the order of the days
	credit money.Fen   // paid ahead, that Move takes off the next rows
	frozen []bool      // rows whose interest does not change any more
}

// recalculates says whether interest follows the balance.
func (e *engine) recalculates() bool {
	return e.t.Recalculation != nil && e.t.Schedule.Interest != schedule.Flat && e.t.Schedule.Rate > 0
}

// startRecalc takes the rows as they are laid out.
func (e *engine) startRecalc() {
	if !e.recalculates() {
		return
	}
	r := &e.re
	r.emi = make([]money.Fen, len(e.rows))
	r.frozen = make([]bool, len(e.rows))
	for i := range e.rows {
		r.emi[i] = e.rows[i].Due.Principal + e.rows[i].Due.Interest
		if i == len(e.rows)-1 && i > 0 {
			r.emi[i] = r.emi[i-1]
		}
	}
	e.basis = e.t.Schedule.Basis()
}

// drawRecalculated makes the instalments after a further drawdown equal again.
func (e *engine) drawRecalculated(on money.Date) error {
	if !e.recalculates() || len(e.draws) < 2 {
		return nil
	}
	for len(e.re.emi) < len(e.rows) { // a down payment or an extra row was put in
		e.re.emi = append(e.re.emi, 0)
		e.re.frozen = append(e.re.frozen, false)
	}
	for i := range e.rows {
		e.re.frozen[i] = e.re.frozen[i] && e.rows[i].DueOn <= on
	}
	rest := e.balance
	for i := range e.rows {
		r := &e.rows[i]
		if rest <= 0 {
			break
		}
		if r.DueOn <= on || r.Kind != Instalment {
			rest -= max(r.Open().Principal, 0)
			continue
		}
		emi, err := e.equal(rest, r.From, i)
		if err != nil {
			return err
		}
		for k := i; k <= e.lastRow(); k++ {
			e.re.emi[k] = emi
		}
		return nil
	}
	return nil
}

// equal is the equal instalment of a balance from row i on, whose period begins on a day.
func (e *engine) equal(balance money.Fen, from money.Date, i int) (money.Fen, error) {
	t := e.t.Schedule
	t.Principal, t.Start, t.N = balance, from, e.lastRow()-i+1
	t.Grace, t.GraceInterest, t.InterestFree, t.DownPayment, t.FirstDue = 0, 0, 0, 0, 0
	plan, err := schedule.Make(t)
	if err != nil {
		return 0, err
	}
	return plan[0].Due, nil
}

// lastRow is the last instalment; rows for later charges may follow it.
func (e *engine) lastRow() int {
	i := len(e.rows) - 1
	for i > 0 && e.rows[i].Kind != Instalment {
		i--
	}
	return i
}

// outBy is the principal out at the end of a day.
func (e *engine) outBy(d money.Date) (out money.Fen) {
	for _, m := range e.re.moved {
		if m.date <= d {
			out += m.amount
		}
	}
	return out
}

// drawnBy is the principal drawn by the end of a day.
func (e *engine) drawnBy(d money.Date) (out money.Fen) {
	for _, x := range e.draws {
		if x.date <= d {
			out += x.amount
		}
	}
	return out
}

// relay lays out interest and principal of the rows again, as known on a day.
func (e *engine) relay(asOf money.Date) error {
	r := &e.re
	credit := r.credit
	var gone money.Fen // principal of the rows before
	last := e.lastRow()
	for i := range e.rows {
		row := &e.rows[i]
		if row.Kind != Instalment {
			gone += row.Due.Principal
			continue
		}
		left := e.drawnBy(row.DueOn-1) - gone
		if i == last && e.t.Upfront { // else a drawdown on the last day has a row of its own
			left = e.drawnBy(row.DueOn) - gone
		}
		for k := i + 1; k <= last; k++ {
			left -= e.rows[k].Paid.Principal // is not out any more
		}
		if left <= 0 && row.Paid.Principal == 0 && row.Paid.Interest == 0 {
			row.Due.Principal, row.Due.Interest = 0, 0
			continue
		}
		if !r.frozen[i] {
			x, err := e.earnedIn(i, asOf, left)
			if err != nil {
				return err
			}
			row.Due.Interest = max(x, row.Paid.Interest)
			row.Due.Principal = max(r.emi[i]-x, row.Paid.Principal, 0)
			if row.Paid.Principal <= r.emi[i]-x { // nothing ahead in this row
				cut := min(credit, row.Due.Principal-row.Paid.Principal)
				credit -= cut
				row.Due.Principal -= cut
			}
			if row.Due.Principal >= left || i == last {
				row.Due.Principal = max(left, row.Paid.Principal)
			}
		}
		gone += row.Due.Principal
		switch {
		case row.Open().Total() > 0:
			row.PaidOn = 0
		case row.PaidOn == 0 && row.Due.Total() > 0:
			row.PaidOn = asOf
		}
	}
	return nil
}

// trim drops rows at the end that nothing is left for.
func (e *engine) trim() {
	if !e.recalculates() || e.t.Prepayment == "" || e.pg != nil {
		return
	}
	for n := len(e.rows); n > 1 && e.rows[n-1].Due.Total() == 0 && e.rows[n-1].Kind == Instalment; n-- {
		e.rows = e.rows[:n-1]
	}
}

// earnedIn is the interest of row i on what is out in it; left is what it would be at its
// begin if all rows before were paid.
func (e *engine) earnedIn(i int, asOf money.Date, left money.Fen) (money.Fen, error) {
	row := &e.rows[i]
	rate := e.t.Schedule.Rate
	balance := left
	if row.From < asOf {
		balance = e.outBy(row.From)
	}
	var sum money.Fen
	part := func(from, to money.Date, balance money.Fen) error {
		if from >= to || balance <= 0 {
			return nil
		}
		num, den := e.basis.Part(row.From, row.DueOn, from, to)
		if from == row.From && to == row.DueOn {
			num, den = e.basis.Whole(from, to)
		}
		x, err := schedule.NewFactor(rate, num, den).Of(balance)
		sum += x
		return err
	}
	from := row.From
	for _, m := range e.re.moved {
		if m.date <= row.From || m.date >= row.DueOn {
			continue
		}
		if err := part(from, m.date, balance); err != nil {
			return 0, err
		}
		balance += m.amount
		from = m.date
	}
	if row.From < asOf && asOf < row.DueOn && !e.t.Recalculation.ByInstalment {
		// From now on what is overdue counts as paid.
		if over := e.overdueBefore(i, asOf); over > 0 {
			if err := part(from, asOf, balance); err != nil {
				return 0, err
			}
			balance -= over
			from = asOf
		}
	}
	err := part(from, row.DueOn, balance)
	return sum, err
}

// overdueBefore is the principal of rows before i that is due by a day and not paid.
func (e *engine) overdueBefore(i int, d money.Date) (sum money.Fen) {
	for k := range e.rows[:i] {
		if r := &e.rows[k]; r.DueOn <= d {
			sum += max(r.Open().Principal, 0)
		}
	}
	return sum
}

// repayRecalculated takes money where interest follows the balance.
func (e *engine) repayRecalculated(tx *Transaction, amount money.Fen) error {
	if e.t.Recalculation.KeepEnded {
		for i := range e.rows {
			e.re.frozen[i] = e.re.frozen[i] || e.rows[i].DueOn < tx.Date
		}
	}
	if err := e.relay(tx.Date); err != nil {
		return err
	}
	left := amount
	before := tx.Principal
	a := &e.t.Allocation
	for _, w := range [...]When{PastDue, Due} {
		left = e.group(a, tx, w, a.parts(w), left)
	}
	if left > 0 {
		var err error
		if e.t.Prepayment == "" {
			left, err = e.payNext(tx, left)
		} else {
			left, err = e.payAhead(tx, left)
		}
		if err != nil {
			return err
		}
	}
	paid := tx.Principal - before
	e.re.moved = append(e.re.moved, draw{e.rest(tx.Date), -paid})
	e.balance -= paid
	tx.Excess += left
	e.overpaid += left
	return e.relay(tx.Date)
}

// rest is the day from which money that was paid on a day earns nothing any more.
func (e *engine) rest(d money.Date) money.Date {
	if e.t.Recalculation.ByInstalment {
		for i := range e.rows {
			if r := &e.rows[i]; r.Kind == Instalment && r.DueOn >= d {
				return r.DueOn
			}
		}
	}
	return d
}

// parts is the order of the parts of a When.
func (a *Allocation) parts(w When) []Part {
	if len(a.Order) == 0 {
		return standard
	}
	out := make([]Part, 0, 4)
	for _, s := range a.Order {
		if s.When == w {
			out = append(out, s.Part)
		}
	}
	return out
}

// payAhead lets money that is not due lower the principal, in the row that falls due on
// the day or next, and makes what follows smaller, shorter or later.
func (e *engine) payAhead(tx *Transaction, left money.Fen) (money.Fen, error) {
	at := -1
	for i := range e.rows {
		if r := &e.rows[i]; r.Kind == Instalment && (r.DueOn == tx.Date || r.DueOn > tx.Date && r.Open().Total() > 0) {
			at = i
			break
		}
	}
	if at < 0 {
		return left, nil
	}
	r := &e.rows[at]
	for _, p := range [...]Part{Penalty, Fee} {
		left -= e.put(tx, at, p, left)
	}
	out := e.balance - tx.Principal
	if left >= out {
		// All of it: the interest ends with the day.
		x, err := e.accruedIn(at, tx.Date)
		if err != nil {
			return 0, err
		}
		r.Due.Interest = max(x, r.Paid.Interest)
		e.re.frozen[at] = true
		left -= e.put(tx, at, Interest, left)
	} else if e.t.Recalculation.ByInstalment {
		// The money does not count before the due date, so the row earns all its interest.
		for _, p := range e.t.Allocation.parts(InAdvance) {
			left -= e.put(tx, at, p, left)
		}
		out = e.balance - tx.Principal
	}
	x := min(left, out)
	r.Due.Principal = max(r.Due.Principal, r.Paid.Principal+x)
	left -= e.put(tx, at, Principal, x)
	if e.balance == tx.Principal { // paid off: charges to come are paid with it
		for i := range e.rows {
			left -= e.put(tx, i, Penalty, left)
			left -= e.put(tx, i, Fee, left)
		}
	}
	ahead := r.Due.Principal + r.Due.Interest - e.re.emi[at]
	if ahead <= 0 || at == e.lastRow() {
		return left, nil
	}
	switch e.t.Prepayment {
	case Move:
		e.re.credit += ahead
	case Lower:
		rest := e.balance - tx.Principal
		if rest <= 0 {
			return left, nil
		}
		emi, err := e.equal(rest, r.DueOn, at+1)
		if err != nil {
			return 0, err
		}
		for k := at + 1; k <= e.lastRow(); k++ {
			e.re.emi[k] = emi
		}
	default:
	}
	return left, nil
}

// accruedIn is the interest of row i up to a day, or all of it where a payoff asks for the
// whole period.
func (e *engine) accruedIn(i int, d money.Date) (money.Fen, error) {
	row := e.rows[i]
	if d <= row.From {
		return 0, nil
	}
	if e.t.Recalculation.PayoffFullPeriod || d >= row.DueOn {
		return row.Due.Interest, nil
	}
	var sum money.Fen
	balance, from := e.outBy(row.From), row.From
	part := func(to money.Date) error {
		num, den := e.basis.Part(row.From, row.DueOn, from, to)
		x, err := schedule.NewFactor(e.t.Schedule.Rate, num, den).Of(max(balance, 0))
		sum += x
		from = to
		return err
	}
	for _, m := range e.re.moved {
		if m.date > row.From && m.date < d {
			if err := part(m.date); err != nil {
				return 0, err
			}
			balance += m.amount
		}
	}
	return sum, part(d)
}

// payNext lets money that is not due pay the next instalments: the interest earned so far
// and principal for the rest of each.
func (e *engine) payNext(tx *Transaction, left money.Fen) (money.Fen, error) {
	for i := range e.rows {
		r := &e.rows[i]
		if left <= 0 || r.Kind != Instalment || r.DueOn <= tx.Date || r.Open().Total() <= 0 {
			continue
		}
		x, err := e.accruedIn(i, tx.Date)
		if err != nil {
			return 0, err
		}
		x = max(x, r.Paid.Interest)
		out := e.balance - tx.Principal
		principal := min(max(e.re.emi[i]-x, r.Paid.Principal), r.Paid.Principal+out)
		if i == e.lastRow() {
			principal = r.Paid.Principal + out
		}
		if r.Due.Fee+r.Due.Penalty-r.Paid.Fee-r.Paid.Penalty+x-r.Paid.Interest+principal-r.Paid.Principal <= left {
			r.Due.Interest, r.Due.Principal = x, principal
			e.re.frozen[i] = true
		}
		for _, p := range e.t.Allocation.parts(InAdvance) {
			left -= e.put(tx, i, p, left)
		}
	}
	return left, nil
}

// payoffRecalculated is what pays the loan off on a day.
func (e *engine) payoffRecalculated(on money.Date) (sum Parts, err error) {
	if e.pg != nil {
		return e.payoffProgressive(on)
	}
	if err = e.relay(on); err != nil {
		return sum, err
	}
	for i := range e.rows {
		r := &e.rows[i]
		open := r.Open()
		if r.DueOn > on {
			x, err := e.accruedIn(i, on)
			if err != nil {
				return sum, err
			}
			if r.From >= on {
				x = 0
			}
			open.Interest = max(x-r.Paid.Interest, 0)
		}
		sum = sum.Plus(open)
	}
	return sum, nil
}
