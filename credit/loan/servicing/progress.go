package servicing

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// progress is the plan of a progressive loan: periods with an instalment each, cut where
// money moves. The interest of a part is balance × factor, HALF_EVEN; what a period has
// earned and its instalment does not hold is carried to the next. The last period that is
// not paid takes what the others leave.
type progress struct {
	basis   schedule.Basis
	rate    money.Rate
	rates   []schedule.RateChange
	unit    money.Fen // instalments are rounded to it
	grace   int       // first periods that pay interest alone
	spans   []span
	credits []credit
	overdue money.Date // principal overdue has earned interest up to here
	free    money.Date // nothing is earned after it; 0 is never
}

// span is a period.
type span struct {
	from, due        money.Date
	whole            money.Date // due date that the basis counts to
	emi, orig        money.Fen  // instalment, and as it was first laid out
	paidP, paidI     money.Fen
	creditP, creditI money.Fen // owed again, on top of the instalment
	parts            []stretch
	broken           bool      // of a re-age: its length is not that of the contract
	open             money.Fen // balance at its begin
	interest         money.Fen // due
	principal        money.Fen // due
}

// stretch is a part of a period on whose days the balance is the same.
type stretch struct {
	from, to money.Date
	factor   schedule.Factor
	drawn    money.Fen // paid out on to
	moved    money.Fen // paid or owed again, on to
	late     money.Fen // overdue from to on, or not any more
	paused   bool
}

type credit struct {
	on                  money.Date
	principal, interest money.Fen
}

func newProgress(t *schedule.Terms, rows []Row) *progress {
	p := &progress{basis: t.Basis(), rate: t.Rate, unit: t.Multiple, grace: t.Grace}
	for i := range rows {
		r := &rows[i]
		p.spans = append(p.spans, span{from: r.From, due: r.DueOn, whole: r.DueOn, parts: []stretch{{from: r.From, to: r.DueOn}}})
	}
	p.factors()
	return p
}

// clone is a deep copy.
func (p *progress) clone() *progress {
	c := *p
	c.spans = slices.Clone(p.spans)
	for i := range c.spans {
		c.spans[i].parts = slices.Clone(c.spans[i].parts)
	}
	c.credits = slices.Clone(p.credits)
	return &c
}

func (p *progress) factors() {
	for i := range p.spans {
		s := &p.spans[i]
		for k := range s.parts {
			x := &s.parts[k]
			x.factor = schedule.Factor{}
			if x.paused || x.from >= x.to || p.free != 0 && x.from >= p.free {
				continue
			}
			rate := p.rate
			for _, c := range p.rates {
				if c.On <= x.from {
					rate = c.Rate
				}
			}
			num, den := p.basis.Part(s.from, s.whole, x.from, x.to)
			if x.from == s.from && x.to == s.whole {
				num, den = p.basis.Whole(s.from, s.whole)
			}
			if s.broken {
				num, den = p.basis.Broken(x.from, x.to)
			}
			x.factor = schedule.NewFactor(rate, num, den)
		}
	}
}

// at is the period that holds a day: after its first, up to its last; the first holds its
// first day too. A day after the last is of the last.
func (p *progress) at(d money.Date) int {
	for i := range p.spans {
		if d <= p.spans[i].due {
			return i
		}
	}
	return len(p.spans) - 1
}

// cutAt makes a part end on a day and returns it.
func (p *progress) cutAt(on money.Date) *stretch {
	s := &p.spans[p.at(on)]
	for k := range s.parts {
		x := &s.parts[k]
		if x.to == on {
			return x
		}
		if x.from <= on && on < x.to {
			s.parts = slices.Insert(s.parts, k+1, stretch{from: on, to: x.to, drawn: x.drawn, moved: x.moved, late: x.late, paused: x.paused})
			x = &s.parts[k]
			x.to, x.drawn, x.moved, x.late = on, 0, 0, 0
			p.factors()
			return x
		}
	}
	return &s.parts[len(s.parts)-1]
}

func (s *span) total() money.Fen { return s.emi + s.creditP + s.creditI }

func (s *span) full() bool { return s.total() == s.paidP+s.paidI }

// lay walks the periods with the instalments as they are.
func (p *progress) lay() error {
	for i := range p.spans {
		p.spans[i].creditP, p.spans[i].creditI = 0, 0
	}
	for _, c := range p.credits {
		i := 0
		for i < len(p.spans)-1 && c.on >= p.spans[i].due {
			i++
		}
		p.spans[i].creditP += c.principal
		p.spans[i].creditI += c.interest
	}
	balance, carry := money.Fen(0), money.Fen(0)
	for i := range p.spans {
		s := &p.spans[i]
		s.open = balance
		earned := carry + s.creditI
		for k := range s.parts {
			x := &s.parts[k]
			fen, err := x.factor.Of(max(balance, 0))
			if err != nil {
				return err
			}
			earned += fen
			balance += x.drawn + x.moved + x.late
		}
		earned = max(earned, 0)
		due := min(earned, s.total())
		if s.paidP > max(s.total()-earned, 0) {
			due = s.paidI
		}
		s.interest = max(due, s.paidI)
		s.principal = max(s.total()-s.interest, s.paidP)
		carry = earned - s.interest
		balance += s.paidP - s.principal
	}
	return nil
}

// settle lays out the periods; the last one that is not paid takes what the others leave.
func (p *progress) settle() error {
	for range 2*len(p.spans) + 4 {
		if err := p.lay(); err != nil {
			return err
		}
		var out, owed, asked, paid money.Fen
		for i := range p.spans {
			s := &p.spans[i]
			out += s.principal - s.paidP
			paid += s.paidP
		}
		for i := range p.spans {
			s := &p.spans[i]
			if over := s.principal - s.paidP - out; over > 0 && s.principal > s.paidP {
				s.emi = max(s.emi-over, s.paidP+s.paidI-s.creditP-s.creditI, 0)
			}
		}
		last := -1
		for i := range p.spans {
			s := &p.spans[i]
			if !s.full() {
				last = i
			}
			owed += s.interest + s.creditP
			asked += s.total()
			for k := range s.parts {
				owed += s.parts[k].drawn
			}
		}
		if last < 0 && (paid == 0 || owed > asked) { // as where a few fen make no instalment
			last = len(p.spans) - 1
		}
		if last < 0 || owed == asked {
			return nil
		}
		s := &p.spans[last]
		floor := s.paidP + s.paidI - s.creditP - s.creditI
		s.emi = max(s.emi+owed-asked, floor)
	}
	return p.lay()
}

// equal makes the instalments of the periods that end after a day equal.
func (p *progress) equal(on money.Date) error {
	k := 0
	for k < len(p.spans)-1 && p.spans[k].due <= on {
		k++
	}
	if err := p.lay(); err != nil {
		return err
	}
	for ; k < min(p.grace, len(p.spans)-1); k++ {
		p.spans[k].emi = 0
		for j := range p.spans[k].parts {
			x, err := p.spans[k].parts[j].factor.Of(max(p.balanceAt(k, j), 0))
			if err != nil {
				return err
			}
			p.spans[k].emi += x
		}
		p.spans[k].orig = p.spans[k].emi
		if err := p.lay(); err != nil {
			return err
		}
	}
	balance := p.spans[k].open
	for j := range p.spans[k].parts {
		balance += p.spans[k].parts[j].drawn
	}
	return p.level(k, balance, false)
}

// level makes the instalments from period k on equal, so that they pay a balance back. What
// was paid of them counts, or, where they are anew, comes on top.
func (p *progress) level(k int, balance money.Fen, anew bool) error {
	factors := make([]schedule.Factor, len(p.spans)-k)
	for i := range factors {
		s := &p.spans[k+i]
		for j := range s.parts {
			factors[i] = factors[i].Add(s.parts[j].factor)
		}
	}
	emi, err := schedule.EMI(max(balance, 0), factors)
	if err != nil {
		return err
	}
	_, err = schedule.Smooth(schedule.Multiple(emi, p.unit), len(factors), p.unit, func(emi money.Fen) (money.Fen, error) {
		had := money.Fen(0)
		for i := k; i < len(p.spans); i++ {
			s := &p.spans[i]
			if anew {
				had = s.paidP + s.paidI
			}
			if emi+had >= s.paidP+s.paidI {
				s.emi, s.orig = emi+had, emi+had
			}
		}
		err := p.settle()
		return p.spans[len(p.spans)-1].emi - had, err
	})
	return err
}

// balanceAt is the balance in part j of period i.
func (p *progress) balanceAt(i, j int) money.Fen {
	b := p.spans[i].open
	for k := range j {
		x := &p.spans[i].parts[k]
		b += x.drawn + x.moved + x.late
	}
	return b
}

func (p *progress) draw(on money.Date, amount money.Fen) error {
	p.cutAt(on).drawn += amount
	return p.equal(on)
}

// change sets another rate from a day on. The interest of the day itself is at the new
// rate, so the balance of the evening before earns it.
func (p *progress) change(on money.Date, rate money.Rate) error {
	p.rates = append(p.rates, schedule.RateChange{On: on - 1, Rate: rate})
	if on-1 > p.spans[0].from {
		p.cutAt(on - 1)
	}
	p.factors()
	return p.equal(on - 1)
}

// pause lets nothing be earned on the days from one to another, both included.
func (p *progress) pause(from, to money.Date) error {
	from = max(from-1, p.spans[0].from)
	if from > p.spans[0].from {
		p.cutAt(from)
	}
	if to < p.spans[len(p.spans)-1].due {
		p.cutAt(to)
	}
	for i := range p.spans {
		for k := range p.spans[i].parts {
			if x := &p.spans[i].parts[k]; x.from >= from && x.to <= to {
				x.paused = true
			}
		}
	}
	p.factors()
	return p.settle()
}

// pay counts money paid on a day for period i.
func (p *progress) pay(i int, on money.Date, principal, interest money.Fen) error {
	s := &p.spans[i]
	s.paidI += interest
	s.paidP += principal
	if principal > 0 {
		p.cutAt(min(on, s.due)).moved -= principal
	}
	if on < s.due && s.paidP+s.paidI > s.total() && p.unpaid() > 1 {
		s.emi = s.paidP + s.paidI - s.creditP - s.creditI
	}
	return p.settle()
}

func (p *progress) unpaid() (n int) {
	for i := range p.spans {
		if !p.spans[i].full() {
			n++
		}
	}
	return n
}

// credit makes money owed again from a day on.
func (p *progress) credit(on money.Date, principal, interest money.Fen) error {
	p.cutAt(on).moved += principal
	p.credits = append(p.credits, credit{on, principal, interest})
	return p.settle()
}

// until is the plan as if nothing were earned after a day.
func (p *progress) until(d money.Date) (*progress, error) {
	c := p.clone()
	if d >= c.spans[len(c.spans)-1].due {
		return c, nil
	}
	in := c.at(d)
	for i := range c.spans {
		s := &c.spans[i]
		switch {
		case s.due <= d:
		case i != in:
			for k := range s.parts {
				s.parts[k].factor = schedule.Factor{}
			}
		default:
			if d > s.from {
				c.cutAt(d)
			}
			for k := range s.parts {
				if s.parts[k].from >= d {
					s.parts[k].factor = schedule.Factor{}
				}
			}
		}
	}
	return c, c.settle()
}

// payable is what period i would ask for if it were paid on a day: the interest earned by
// then, and principal for the rest of the instalment.
func (p *progress) payable(i int, on money.Date) (principal, interest money.Fen, err error) {
	c, err := p.until(on)
	if err != nil {
		return 0, 0, err
	}
	s := &c.spans[i]
	if on <= s.from && c.unpaid() > 1 {
		out := money.Fen(0)
		for k := range c.spans {
			out += c.spans[k].principal - c.spans[k].paidP
		}
		s.emi = s.orig
		if err := c.lay(); err != nil {
			return 0, 0, err
		}
		s.emi -= max(s.principal-s.paidP-out, 0)
		if err := c.lay(); err != nil {
			return 0, 0, err
		}
	}
	return s.principal, s.interest, nil
}

// late lets principal that is overdue earn interest up to a day. By instalment it earns to
// the end of the period that runs.
func (p *progress) late(on money.Date, byInstalment bool) error {
	end := p.spans[len(p.spans)-1].due
	on = min(on, end)
	if on <= p.overdue {
		return nil
	}
	var one, all money.Fen
	in := p.at(on)
	move := func(i int) error {
		s := &p.spans[i]
		from := s.from
		if p.overdue != 0 && from <= p.overdue {
			from = p.overdue
		}
		p.cutAt(from).late += one
		if on > s.from && on <= s.due {
			to := on
			if byInstalment {
				to = s.due
			}
			p.cutAt(to).late -= all
			if all > 0 {
				p.overdue = to
			}
		}
		return p.settle()
	}
	for i := range p.spans {
		if p.spans[i].due >= on {
			break
		}
		if one != 0 {
			if err := move(i); err != nil {
				return err
			}
		}
		one = p.spans[i].principal - p.spans[i].paidP
		all += one
	}
	if all <= 0 {
		return nil
	}
	if err := move(in); err != nil {
		return err
	}
	p.overdue = max(p.overdue, on)
	return nil
}

// end makes all that is left due on a day, with the interest earned by then.
func (p *progress) end(on money.Date) error {
	i := 0
	for i < len(p.spans)-1 && p.spans[i].due < on {
		i++
	}
	var paidP, paidI money.Fen
	for k := i + 1; k < len(p.spans); k++ {
		paidP += p.spans[k].paidP
		paidI += p.spans[k].paidI
	}
	if on > p.spans[i].from && on < p.spans[i].due {
		p.cutAt(on)
		s := &p.spans[i]
		for k := range s.parts {
			if s.parts[k].from >= on {
				for _, x := range s.parts[k:] {
					s.parts[k-1].drawn += x.drawn
					s.parts[k-1].moved += x.moved
					s.parts[k-1].late += x.late
				}
				s.parts = s.parts[:k]
				break
			}
		}
		s.due = on
	}
	p.spans = p.spans[:i+1]
	p.spans[i].paidP += paidP
	p.spans[i].paidI += paidI
	if err := p.lay(); err != nil {
		return err
	}
	return p.settle()
}
