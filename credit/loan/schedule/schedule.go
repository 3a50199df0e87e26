// Package schedule lays out what a loan contract promises: due dates, principal and
// interest of every instalment. Every amount is integer fen; the same terms give the
// same rows on every machine. docs/formats/schedule.md explains the methods.
package schedule

import (
	"math"

	"github.com/furrowcredit/furrow/money"
)

// Make lays out the instalments of t. Each row's interest is balance × rate factor (see
// [Factor]), HALF_EVEN; the last row takes what principal is left, so the principals add
// up exactly to what was lent. It returns ErrTerms or [money.ErrOverflow].
//
// A given Instalment that is paid back before N ends the schedule there, as does a
// Multiple of cumulative and of flat schedules; otherwise there are N rows, and one more
// for each down payment.
func Make(t Terms) ([]Row, error) {
	t = t.whole()
	if err := t.Check(); err != nil {
		return nil, err
	}
	p := plan{t: t, basis: t.Basis()}
	if err := p.dates(); err != nil {
		return nil, err
	}
	if err := p.events(); err != nil {
		return nil, err
	}
	if t.Interest == Flat {
		if err := p.flat(); err != nil {
			return nil, err
		}
	} else if err := p.declining(); err != nil {
		return nil, err
	}
	p.trim()
	return p.withDownPayments()
}

// event changes the balance or the rate on a day.
type event struct {
	on     money.Date
	amount money.Fen // that goes out, less the down payment
	down   money.Fen // what is paid down at once
	rate   money.Rate
	rates  bool // the rate is a change
}

// plan is a schedule in the making.
type plan struct {
	t       Terms
	basis   Basis
	rows    []Row
	broken  bool      // the first period is not a regular one
	net     money.Fen // principal of the first tranche less its down payment
	down    money.Fen
	changes []event // tranches and rates after the start, in order of days
	factors []Factor
	carried []money.Fen // interest put off by row; nil when none is
}

// dates lays out the periods.
func (p *plan) dates() error {
	t := &p.t
	n := t.N
	if n == 0 {
		n = maxRows
	}
	c := t.Calendar()
	due := c.Due
	if t.Method.Dated() {
		due = func(i int) money.Date { return t.Holidays.Shift(t.Payments[i-1].On, t.Shift) }
		p.broken = true
	}
	if t.Method == Bullet {
		due = func(int) money.Date { return c.Due(t.N) }
		n = 1
	}
	p.rows = make([]Row, n)
	from := t.Start
	for i := range p.rows {
		d := due(i + 1)
		if d <= from {
			return ErrTerms.With("why", "two payments fall on the same day")
		}
		p.rows[i] = Row{Nr: i + 1, From: from, DueOn: d, Days: int(d - from)}
		from = d
	}
	if t.FirstDue != 0 {
		whole := Calendar{Start: t.Start, Every: t.Every, Unit: t.Unit, MonthEnd: t.MonthEnd}
		p.broken = c.Regular(1) != whole.Regular(1)
	}
	return nil
}

// events puts tranches and changes of the rate in order.
func (p *plan) events() error {
	t := &p.t
	part := func(amount money.Fen) (money.Fen, error) {
		down, err := money.Mul(amount, int64(t.DownPayment), int64(money.RateOne))
		if m := Multiple(down, t.Multiple); m < amount {
			down = m
		}
		return down, err
	}
	down, err := part(t.Principal)
	if err != nil {
		return err
	}
	p.down, p.net = down, t.Principal-down
	end := p.rows[len(p.rows)-1].DueOn
	tranches, rates := t.Tranches, t.Rates
	if len(tranches)+len(rates) == 0 {
		return nil
	}
	p.changes = make([]event, 0, len(tranches)+len(rates))
	for len(tranches) > 0 || len(rates) > 0 {
		var e event
		if len(rates) == 0 || len(tranches) > 0 && tranches[0].On <= rates[0].On {
			x := tranches[0]
			if down, err = part(x.Amount); err != nil {
				return err
			}
			e, tranches = event{on: x.On, amount: x.Amount - down, down: down}, tranches[1:]
		} else {
			e, rates = event{on: rates[0].On, rate: rates[0].Rate, rates: true}, rates[1:]
		}
		if e.on >= end {
			return ErrTerms.With("why", "tranches and changes of the rate come before the last instalment")
		}
		p.changes = append(p.changes, e)
	}
	return nil
}

// declining lays out interest on the balance: once from the start, and again from the
// period of every change, with what is known by then.
func (p *plan) declining() error {
	p.factors = make([]Factor, len(p.rows))
	if p.t.GraceInterest > 0 || p.t.Method == Irregular {
		p.carried = make([]money.Fen, len(p.rows))
	}
	if err := p.stage(0, p.net, 0); err != nil {
		return err
	}
	for k := range p.changes {
		s := p.rowOf(p.changes[k].on)
		balance := p.net
		if s > 0 {
			balance = p.rows[s-1].Balance
		}
		if err := p.stage(s, balance, k+1); err != nil {
			return err
		}
	}
	return nil
}

// rowOf is the row whose period holds the day; a due date belongs to the next.
func (p *plan) rowOf(on money.Date) int {
	for i := range p.rows {
		if on < p.rows[i].DueOn {
			return i
		}
	}
	return len(p.rows) - 1
}

// within are the first k changes that fall into row i.
func (p *plan) within(i, k int) []event {
	from, due := p.rows[i].From, p.rows[i].DueOn
	a := 0
	for a < k && p.changes[a].on < from {
		a++
	}
	z := a
	for z < k && p.changes[z].on < due {
		z++
	}
	return p.changes[a:z]
}

// rateAt is the rate on a day with the first k changes.
func (p *plan) rateAt(on money.Date, k int) money.Rate {
	rate := p.t.Rate
	for _, e := range p.changes[:k] {
		if e.rates && e.on <= on {
			rate = e.rate
		}
	}
	return rate
}

// fraction is the part of a year of row i.
func (p *plan) fraction(i int) (num, den int64) {
	r := &p.rows[i]
	switch {
	case p.t.Method == Bullet:
		whole := p.basis
		whole.Every *= p.t.N
		if p.broken {
			return whole.Broken(r.From, r.DueOn)
		}
		return whole.Whole(r.From, r.DueOn)
	case p.t.Method.Dated(), p.broken && i == 0, p.t.Length > 0 && i == len(p.rows)-1:
		return p.basis.Broken(r.From, r.DueOn)
	}
	return p.basis.Whole(r.From, r.DueOn)
}

// spans walks the parts of row i between changes of the balance or the rate; amount goes
// out at the begin of the part.
func (p *plan) spans(i, k int, do func(amount money.Fen, f Factor)) {
	r := &p.rows[i]
	num, den := p.fraction(i)
	rate := p.rateAt(r.From, k)
	in := p.within(i, k)
	if len(in) == 0 {
		do(0, NewFactor(rate, num, den))
		return
	}
	_, _, nominal := p.basis.nominal(r.From)
	at, amount := r.From, money.Fen(0)
	flush := func(to money.Date) {
		if to == at {
			return
		}
		switch {
		case !nominal:
			n, d := p.basis.Count.Fraction(at, to)
			do(amount, NewFactor(rate, n, d))
		default:
			do(amount, NewFactor(rate, num*int64(to-at), den*int64(r.Days)))
		}
		at, amount = to, 0
	}
	for _, e := range in {
		flush(e.on)
		amount += e.amount
		if e.rates {
			rate = e.rate
		}
	}
	flush(r.DueOn)
}

// earn is the interest of row i on a balance at its begin, with the first k changes, and
// the balance at its end.
func (p *plan) earn(i, k int, balance money.Fen) (interest, end money.Fen, err error) {
	if i < p.t.InterestFree {
		for _, e := range p.within(i, k) {
			balance += e.amount
		}
		return 0, balance, nil
	}
	if len(p.within(i, k)) == 0 {
		interest, err = p.factors[i].Of(balance)
		return interest, balance, err
	}
	var sum Accrual
	p.spans(i, k, func(amount money.Fen, f Factor) {
		balance += amount
		sum = sum.Plus(balance, f)
	})
	interest, err = sum.Fen()
	return interest, balance, err
}

// stage lays out the rows from s on, with the first k changes.
func (p *plan) stage(s int, balance money.Fen, k int) error {
	t := &p.t
	for i := s; i < len(p.rows); i++ {
		p.factors[i] = Factor{}
		if i >= t.InterestFree {
			p.spans(i, k, func(_ money.Fen, f Factor) { p.factors[i] = p.factors[i].Add(f) })
		}
	}
	lent := balance
	for _, e := range p.within(s, k) {
		lent += e.amount
	}
	first := max(s, t.Grace) // that pays principal
	n := len(p.rows) - first
	switch t.Method {
	case EqualInstalments:
		return p.instalments(s, first, k, balance, lent)
	case EqualPrincipal:
		each, err := money.Mul(lent-t.Balloon, 1, int64(n))
		if err != nil {
			return err
		}
		return p.fill(s, k, balance, func(i int, _, _ money.Fen) money.Fen {
			if i < first {
				return 0
			}
			return each
		})
	case Harvest:
		var total money.Fen
		for _, e := range p.changes[:k] {
			total += e.amount
		}
		total += p.net
		return p.fill(s, k, balance, func(i int, _, _ money.Fen) money.Fen {
			part := t.Payments[i].Amount
			if share := t.Payments[i].Share; share > 0 {
				part, _ = money.Mul(total, int64(share), int64(money.RateOne)) // less than total
			}
			return part
		})
	case Irregular:
		return p.fill(s, k, balance, func(i int, interest, carried money.Fen) money.Fen {
			return t.Payments[i].Amount - interest - carried
		})
	case InterestFirst, Bullet:
	}
	return p.fill(s, k, balance, func(int, money.Fen, money.Fen) money.Fen { return 0 })
}

// instalments lays out equal ones from the row first on.
func (p *plan) instalments(s, first, k int, balance, lent money.Fen) error {
	t := &p.t
	lay := func(emi money.Fen) (money.Fen, error) {
		err := p.fill(s, k, balance, func(i int, interest, _ money.Fen) money.Fen {
			if i < first {
				return 0
			}
			return emi - interest
		})
		last := len(p.rows) - 1
		due := p.rows[last].Due - t.Balloon
		if p.carried != nil && last > 0 {
			due -= p.carried[last-1] // is no part of the instalment
		}
		return due, err
	}
	if t.Instalment > 0 {
		if _, err := lay(t.Instalment); err != nil {
			return err
		}
		if last := p.rows[len(p.rows)-1]; t.N == 0 && last.Due > t.Instalment {
			return ErrTerms.With("why", "the instalment is too small to pay the loan back")
		}
		return nil
	}
	factors := p.factors[first:]
	if t.Cumulative {
		num, den := p.basis.regular(p.rows[first].From)
		regular := NewFactor(p.rateAt(p.rows[len(p.rows)-1].From, k), num, den)
		factors = make([]Factor, len(factors))
		for i := range factors {
			factors[i] = regular
		}
	}
	emi, err := annuity(lent, t.Balloon, factors)
	if err != nil {
		return err
	}
	if m := Multiple(emi, t.Multiple); m > 0 || t.Cumulative {
		emi = m // a small loan is not put into one instalment by the multiple
	}
	if t.Cumulative {
		_, err = lay(emi)
		return err
	}
	_, err = Smooth(emi, len(factors), t.Multiple, lay)
	return err
}

// fill walks the rows from s with the principal that pay gives for a row (given its number,
// the interest of its period and that of earlier ones) and puts the rest into the last one.
func (p *plan) fill(s, k int, balance money.Fen, pay func(i int, interest, carried money.Fen) money.Fen) error {
	var carried money.Fen // interest put off so far
	if s > 0 && p.carried != nil {
		carried = p.carried[s-1]
	}
	last := len(p.rows) - 1
	for i := s; i <= last; i++ {
		interest, owed, err := p.earn(i, k, balance)
		if err != nil {
			return err
		}
		principal := owed
		if i < last {
			principal = min(max(pay(i, interest, carried), 0), owed)
		}
		balance = owed - principal
		if interest > math.MaxInt64-carried {
			return money.ErrOverflow
		}
		interest += carried
		if carried = 0; i < last {
			interest, carried = p.putOff(i, interest)
		}
		if p.carried != nil {
			p.carried[i] = carried
		}
		if interest > math.MaxInt64-principal {
			return money.ErrOverflow
		}
		r := &p.rows[i]
		r.Principal, r.Interest, r.Due, r.Balance = principal, interest, principal+interest, balance
	}
	return nil
}

// putOff splits the interest of row i into what is due and what a later row pays: by grace,
// or because an irregular payment is smaller.
func (p *plan) putOff(i int, interest money.Fen) (due, later money.Fen) {
	switch {
	case i < p.t.GraceInterest:
		return 0, interest
	case p.t.Method == Irregular && p.t.Payments[i].Amount < interest:
		return p.t.Payments[i].Amount, interest - p.t.Payments[i].Amount
	}
	return interest, 0
}

// flat lays out interest on what was lent over the whole term, in equal parts.
func (p *plan) flat() error {
	t := &p.t
	num, den, err := p.term()
	if err != nil {
		return err
	}
	all, err := NewFactor(t.Rate, num, den).Of(t.Principal)
	if err != nil {
		return err
	}
	n := len(p.rows)
	part, err := money.Mul(all, 1, int64(n))
	if err != nil {
		return err
	}
	all -= min(all, part*money.Fen(t.InterestFree))
	if t.Method == EqualInstalments { // what grace puts off is spread over the rest
		if part, err = money.Mul(all, 1, int64(n-t.GraceInterest-t.InterestFree)); err != nil {
			return err
		}
	}
	level, err := money.Mul(p.net-t.Balloon, 1, int64(n-t.Grace))
	if err != nil {
		return err
	}
	balance, left, carried := p.net, all, money.Fen(0)
	for i := range p.rows {
		r := &p.rows[i]
		interest := min(part, left)
		switch {
		case i == n-1:
			interest = left
		case i < t.GraceInterest && t.Method == EqualInstalments, i >= t.GraceInterest && i < t.GraceInterest+t.InterestFree:
			interest = 0
		}
		left -= interest
		principal := balance
		if i < n-1 {
			principal = min(max(p.flatPrincipal(i, level, interest), 0), balance)
		}
		balance -= principal
		interest, carried = interest+carried, 0
		if i < t.GraceInterest && i < n-1 {
			interest, carried = 0, interest
		}
		if interest > math.MaxInt64-principal {
			return money.ErrOverflow
		}
		r.Principal, r.Interest, r.Due, r.Balance = principal, interest, principal+interest, balance
	}
	return nil
}

// flatPrincipal is the principal of row i: so much that with the interest it makes a
// multiple.
func (p *plan) flatPrincipal(i int, level, interest money.Fen) money.Fen {
	t := &p.t
	switch {
	case i < t.Grace:
		return 0
	case t.Method == Harvest && t.Payments[i].Share > 0:
		part, _ := money.Mul(p.net, int64(t.Payments[i].Share), int64(money.RateOne)) // less than net
		return part
	case t.Method == Harvest:
		return t.Payments[i].Amount
	case t.Method == Irregular:
		return t.Payments[i].Amount - interest
	case t.Method == InterestFirst:
		return 0
	case t.Multiple > 1:
		return Multiple(level, t.Multiple) + Multiple(interest, t.Multiple) - interest
	}
	return level
}

// term is the whole life of the loan as a part of a year.
func (p *plan) term() (num, den int64, err error) {
	from, due := p.t.Start, p.rows[len(p.rows)-1].DueOn
	if _, _, nominal := p.basis.nominal(from); !nominal {
		num, den = p.basis.Count.Fraction(from, due)
		return num, den, nil
	}
	num, den = p.fraction(0)
	for i := 1; i < len(p.rows); i++ {
		n, d := p.fraction(i)
		if num, den = num*d+n*den, den*d; d != 0 {
			g := gcd(num, den)
			num, den = num/g, den/g
		}
		if num > 1<<43 || den > 1<<43 {
			return 0, 0, money.ErrOverflow
		}
	}
	return num, den, nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}

// trim cuts off what comes after the balance has come to nothing before its time.
func (p *plan) trim() {
	if t := &p.t; !t.Cumulative && t.Instalment == 0 && t.Interest != Flat {
		return
	}
	for n := len(p.rows); n > 1 && p.rows[n-1].Due == 0 && p.rows[n-2].Balance == 0; n-- {
		p.rows = p.rows[:n-1]
	}
}

// withDownPayments adds a row for what is paid down of each tranche on its day.
func (p *plan) withDownPayments() ([]Row, error) {
	if p.t.DownPayment == 0 {
		return p.rows, nil
	}
	out := make([]Row, 0, len(p.rows)+1+len(p.changes))
	balance := p.net
	down := func(on money.Date, amount money.Fen) {
		if amount > 0 {
			out = append(out, Row{From: on, DueOn: on, Principal: amount, Due: amount, Balance: balance})
		}
	}
	down(p.t.Start, p.down)
	k := 0
	for _, r := range p.rows {
		for ; k < len(p.changes) && p.changes[k].on < r.DueOn; k++ {
			balance += p.changes[k].amount
			down(p.changes[k].on, p.changes[k].down)
		}
		balance = r.Balance
		out = append(out, r)
	}
	for i := range out {
		out[i].Nr = i + 1
	}
	return out, nil
}
