package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Model is the plan of a progressive loan, moved by hand: what is drawn, paid and changed is
// told to it period by period.
type Model struct{ plan *progress }

// ModelPeriod is one instalment of a Model.
type ModelPeriod struct {
	From      money.Date
	DueOn     money.Date
	EMI       money.Fen
	Interest  money.Fen // due
	Principal money.Fen // due
	Balance   money.Fen // after it
	Parts     []ModelPart
}

// ModelPart is a part of a period on whose days the balance is the same.
type ModelPart struct {
	From, To money.Date
	Factor   schedule.Factor
	Interest money.Fen
}

// NewModel lays out periods that end on the days given; from is where the first begins.
func NewModel(t schedule.Terms, from money.Date, due []money.Date) *Model {
	rows := make([]Row, len(due))
	for i, d := range due {
		rows[i] = Row{From: from, DueOn: d}
		from = d
	}
	return &Model{plan: newProgress(&t, rows)}
}

// Draw adds money that goes out on a day, and makes the instalments of the periods that
// end after it equal.
func (m *Model) Draw(on money.Date, amount money.Fen) error { return m.plan.draw(on, amount) }

// ChangeRate sets another rate from a day on: the day itself still earns the old one.
func (m *Model) ChangeRate(on money.Date, rate money.Rate) error { return m.plan.change(on+1, rate) }

// PayInterest counts interest paid for the period that is due on a day.
func (m *Model) PayInterest(due money.Date, amount money.Fen) error {
	return m.plan.pay(m.plan.at(due), due, 0, amount)
}

// PayPrincipal counts principal that was paid on a day for the period due on another.
// What comes late lowers the balance from the due date on.
func (m *Model) PayPrincipal(due, on money.Date, amount money.Fen) error {
	return m.plan.pay(m.plan.at(due), on, amount, 0)
}

// Correct changes the balance on a day without a payment, as for principal overdue.
func (m *Model) Correct(on money.Date, amount money.Fen) error {
	m.plan.cutAt(on).moved += amount
	return m.plan.settle()
}

// Periods are the periods as they stand.
func (m *Model) Periods() ([]ModelPeriod, error) {
	out := make([]ModelPeriod, len(m.plan.spans))
	for i := range m.plan.spans {
		s := &m.plan.spans[i]
		p := ModelPeriod{From: s.from, DueOn: s.due, EMI: s.emi, Interest: s.interest, Principal: s.principal}
		balance := s.open
		for k := range s.parts {
			x := &s.parts[k]
			interest, err := x.factor.Of(max(balance, 0))
			if err != nil {
				return nil, err
			}
			p.Parts = append(p.Parts, ModelPart{From: x.from, To: x.to, Factor: x.factor, Interest: interest})
			balance += x.drawn + x.moved + x.late
		}
		p.Balance = balance + s.paidP - s.principal
		out[i] = p
	}
	return out, nil
}
