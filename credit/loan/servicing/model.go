package servicing

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Model is a loan whose interest follows the balance that is really out. Its periods are
// cut where money moves; the interest of each part is balance × factor, HALF_EVEN. A
// period that is paid before its end owes what was paid; the interest that the balance
// still earns in it is carried to the next.
type Model struct {
	basis   schedule.Basis
	rate    money.Rate
	rates   []schedule.RateChange
	unit    money.Fen // instalments are rounded to it
	Periods []ModelPeriod
}

// ModelPeriod is one instalment of a Model.
type ModelPeriod struct {
	From      money.Date
	DueOn     money.Date
	EMI       money.Fen
	Interest  money.Fen // due
	Principal money.Fen // due
	Balance   money.Fen // after it
	Parts     []ModelPart
	paid      Parts
	carry     money.Fen // interest that the period before earned and this one owes
	open      money.Fen // balance at its begin
}

// ModelPart is a part of a period on whose days the balance is the same.
type ModelPart struct {
	From, To money.Date
	Factor   schedule.Factor
	Balance  money.Fen
	Interest money.Fen
	moved    money.Fen // drawn or paid on To
}

// NewModel lays out periods that end on the days given; from is where the first begins.
func NewModel(t schedule.Terms, from money.Date, due []money.Date) *Model {
	m := &Model{basis: t.Basis(), rate: t.Rate, unit: t.Multiple, Periods: make([]ModelPeriod, len(due))}
	for i, d := range due {
		m.Periods[i] = ModelPeriod{From: from, DueOn: d, Parts: make([]ModelPart, 1, 4)}
		m.Periods[i].Parts[0] = ModelPart{From: from, To: d}
		m.factor(i)
		from = d
	}
	return m
}

// rateOn is the rate on a day.
func (m *Model) rateOn(d money.Date) money.Rate {
	r := m.rate
	for _, c := range m.rates {
		if c.On <= d {
			r = c.Rate
		}
	}
	return r
}

// factor computes the factors of the parts of period i.
func (m *Model) factor(i int) {
	p := &m.Periods[i]
	for k := range p.Parts {
		part := &p.Parts[k]
		if part.From == p.From && part.To == p.DueOn {
			num, den := m.basis.Whole(p.From, p.DueOn)
			part.Factor = schedule.NewFactor(m.rateOn(part.From), num, den)
			continue
		}
		num, den := m.basis.Part(p.From, p.DueOn, part.From, part.To)
		part.Factor = schedule.NewFactor(m.rateOn(part.From), num, den)
	}
}

// period is the one that holds a day: after its first, up to its last. The first holds
// its first day too.
func (m *Model) period(d money.Date) int {
	for i := range m.Periods {
		if d <= m.Periods[i].DueOn {
			return i
		}
	}
	return len(m.Periods) - 1
}

// due is the period that falls due on a day, or the one that holds it.
func (m *Model) due(d money.Date) *ModelPeriod { return &m.Periods[m.period(d)] }

// move changes the balance on a day.
func (m *Model) move(on money.Date, amount money.Fen) {
	i := m.period(on)
	p := &m.Periods[i]
	for k := range p.Parts {
		part := &p.Parts[k]
		if part.To == on {
			part.moved += amount
			return
		}
		if part.From <= on && on < part.To {
			p.Parts = slices.Insert(p.Parts, k+1, ModelPart{From: on, To: part.To, moved: part.moved})
			p.Parts[k].To, p.Parts[k].moved = on, amount
			m.factor(i)
			return
		}
	}
	p.Parts[len(p.Parts)-1].moved += amount
}

// Draw adds money that goes out on a day, and makes the instalments of the periods that
// end after it equal.
func (m *Model) Draw(on money.Date, amount money.Fen) error {
	m.move(on, amount)
	return m.equal(on)
}

// ChangeRate sets another rate from a day on.
func (m *Model) ChangeRate(on money.Date, rate money.Rate) error {
	m.rates = append(m.rates, schedule.RateChange{On: on, Rate: rate})
	if i := m.period(on); m.Periods[i].From < on && on < m.Periods[i].DueOn {
		m.move(on, 0)
	}
	for i := range m.Periods {
		m.factor(i)
	}
	return m.equal(on)
}

// PayInterest counts interest paid for the period that is due on a day.
func (m *Model) PayInterest(due money.Date, amount money.Fen) error {
	m.due(due).paid.Interest += amount
	return m.settle()
}

// PayPrincipal counts principal that was paid on a day for the period due on another.
// What comes late lowers the balance from the due date on; see Overdue.
func (m *Model) PayPrincipal(due, on money.Date, amount money.Fen) error {
	m.due(due).paid.Principal += amount
	m.move(min(due, on), -amount)
	return m.settle()
}

// Correct changes the balance on a day without a payment, as for principal overdue.
func (m *Model) Correct(on money.Date, amount money.Fen) error {
	m.move(on, amount)
	return m.settle()
}

// equal makes the instalments of the periods that end after a day equal.
func (m *Model) equal(on money.Date) error {
	k := 0
	for k < len(m.Periods)-1 && m.Periods[k].DueOn <= on {
		k++
	}
	if err := m.lay(); err != nil {
		return err
	}
	p := m.Periods[k:]
	balance := p[0].open
	for i := range p[0].Parts {
		if x := p[0].Parts[i].moved; x > 0 {
			balance += x
		}
	}
	factors := make([]schedule.Factor, len(p))
	for i := range p {
		for _, part := range p[i].Parts {
			factors[i] = factors[i].Add(part.Factor)
		}
	}
	emi, err := schedule.EMI(balance, factors)
	if err != nil {
		return err
	}
	_, err = schedule.Smooth(schedule.Multiple(emi, m.unit), len(p), m.unit, func(emi money.Fen) (money.Fen, error) {
		for i := range p {
			p[i].EMI = emi
		}
		err := m.settle()
		return p[len(p)-1].EMI, err
	})
	return err
}

// settle lays out the periods; the last one that is not paid takes the rest.
func (m *Model) settle() error {
	if err := m.lay(); err != nil {
		return err
	}
	for i := len(m.Periods) - 1; i >= 0; i-- {
		p := &m.Periods[i]
		if p.EMI > 0 && p.paid.Principal+p.paid.Interest == p.EMI && i > 0 && m.Periods[len(m.Periods)-1].Balance == 0 {
			continue
		}
		last := &p.Parts[len(p.Parts)-1]
		rest := last.Balance + last.moved + p.paid.Principal
		interest := p.Interest
		if i > 0 || len(m.Periods) == 1 {
			interest = p.earned()
			if i > 0 {
				interest += m.Periods[i-1].carried()
			}
		}
		p.EMI = max(rest, 0) + max(interest, p.paid.Interest)
		return m.lay()
	}
	return nil
}

// earned is the interest of the parts of a period.
func (p *ModelPeriod) earned() (sum money.Fen) {
	for i := range p.Parts {
		sum += p.Parts[i].Interest
	}
	return sum
}

// carried is the interest that a period has earned and the next one owes.
func (p *ModelPeriod) carried() money.Fen { return p.earned() + p.carry - p.Interest }

// lay walks the periods with the instalments as they are.
func (m *Model) lay() error {
	balance, carry := money.Fen(0), money.Fen(0)
	for i := range m.Periods {
		p := &m.Periods[i]
		p.open = balance
		b := balance
		for k := range p.Parts {
			part := &p.Parts[k]
			part.Balance = b
			x, err := part.Factor.Of(max(b, 0))
			if err != nil {
				return err
			}
			part.Interest = x
			b += part.moved
		}
		p.carry = carry
		calc := p.earned() + carry
		p.Interest = max(min(calc, p.EMI), p.paid.Interest)
		if p.paid.Principal > p.EMI-min(calc, p.EMI) {
			p.Interest = p.paid.Interest
		}
		carry = calc - p.Interest
		p.Principal = max(p.EMI-p.Interest, p.paid.Principal)
		balance = b - p.Principal + p.paid.Principal
		p.Balance = balance
	}
	return nil
}
