package servicing

import (
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// charge is what became of a Charged event.
type charge struct {
	event  int32
	row    int32 // by index; -1 is none
	part   Part
	due    money.Date
	amount money.Fen
	paid   money.Fen
	waived money.Fen
}

func (c *charge) open() money.Fen { return c.amount - c.paid - c.waived }

// charge puts event i into the row of its due date.
func (e *engine) charge(i int32) {
	ev := &e.events[i]
	c := charge{event: i, row: -1, part: Fee, due: ev.Charge.DueOn, amount: e.charged(ev)}
	if c.amount == 0 {
		return
	}
	if ev.Charge.Penalty {
		c.part = Penalty
	}
	c.row = int32(e.rowFor(c.due))
	r := &e.rows[c.row]
	*r.Due.of(c.part) += c.amount
	r.PaidOn = 0
	e.charges = append(e.charges, c)
}

// charged is what a charge comes to, which may follow the principal that is out: HALF_EVEN.
func (e *engine) charged(ev *Event) money.Fen {
	of := ev.Charge.Of
	switch {
	case of <= 0 || e.balance >= of && !e.isOff && !e.isGone:
		return ev.Amount
	case e.balance <= 0 || e.isOff || e.isGone:
		return 0
	}
	part, _ := money.Mul(ev.Amount, int64(e.balance), int64(of)) // a part of an amount
	return part
}

// rowFor is the row whose period holds a date: after the due date before, up to its own;
// the first period holds its first day too. A date after the last row makes an extra row,
// or moves it.
func (e *engine) rowFor(d money.Date) int {
	last := -1
	for i := range e.rows {
		r := &e.rows[i]
		if r.Kind == DownRow {
			continue
		}
		if d <= r.DueOn {
			return i
		}
		last = i
	}
	if last >= 0 && e.rows[last].Kind == ExtraRow {
		e.rows[last].DueOn = d
		return last
	}
	return e.extra(d)
}

// extra appends a row after the last due date.
func (e *engine) extra(d money.Date) int {
	from := d
	if n := len(e.rows); n > 0 {
		from = e.rows[n-1].DueOn
	}
	e.rows = append(e.rows, Row{Nr: len(e.rows) + 1, Kind: ExtraRow, From: from, DueOn: d})
	return len(e.rows) - 1
}

// chargesUp is what the charges come to that are due by a date and not paid in full.
func (e *engine) chargesUp(on money.Date) (sum Parts) {
	for k := range e.charges {
		if c := &e.charges[k]; c.due <= on && c.open() > 0 {
			*sum.of(c.part) += c.amount
		}
	}
	return sum
}

// payCharges gives x to the charges of row i, the oldest due date first, and says how much
// of it is for others than the lender.
func (e *engine) payCharges(i int, p Part, x money.Fen) (passed money.Fen) {
	for x > 0 {
		var first *charge
		for k := range e.charges {
			c := &e.charges[k]
			if int(c.row) == i && c.part == p && c.open() > 0 && (first == nil || c.due < first.due) {
				first = c
			}
		}
		if first == nil {
			break // penalty by day belongs to no charge
		}
		paid := min(x, first.open())
		first.paid += paid
		x -= paid
		if e.events[first.event].Charge.Payee != "" {
			passed += paid
		}
	}
	return passed
}

// passedOn sums the charges of those who are not the lender, by payee in the order of the
// charges.
func (e *engine) passedOn() []PassedOn {
	var out []PassedOn
	for k := range e.charges {
		c := &e.charges[k]
		payee := e.events[c.event].Charge.Payee
		if payee == "" {
			continue
		}
		i := slices.IndexFunc(out, func(p PassedOn) bool { return p.Payee == payee })
		if i < 0 {
			i = len(out)
			out = append(out, PassedOn{Payee: payee})
		}
		out[i].Charged += c.amount
		out[i].Waived += c.waived
		out[i].Paid += c.paid
	}
	return out
}

// fee books the charge of event i.
func (e *engine) fee(i int32) error {
	ev := &e.events[i]
	if e.laid[i] {
		return nil
	}
	if ev.Charge.AtDisbursement {
		return nil // with the drawdown
	}
	if len(e.rows) == 0 {
		return ErrNotDrawn.With("event", ev.ID).With("date", ev.Date.String())
	}
	e.charge(i)
	switch {
	case e.overpaid <= 0:
	case e.t.Prepayment == Hold:
		e.useHeld(max(ev.effective(), e.day))
	default:
		e.useOverpaid(0)
	}
	return nil
}

// paidAtDraw books the charges that are taken out of a drawdown.
func (e *engine) paidAtDraw(ev *Event) {
	for i := range e.events {
		c := &e.events[i]
		if c.Kind != Charged || e.undone[i] || c.Date > e.to || !c.Charge.AtDisbursement || c.Charge.DueOn != ev.Date {
			continue
		}
		e.txs = append(e.txs, Transaction{Event: c.ID, Kind: PaidAtDraw, Date: ev.Date, Amount: c.Amount,
			Parts: Parts{Fee: c.Amount}, Balance: e.balance})
	}
}

// drawOverpaid lets money of the borrower pay what a drawdown has brought due. It counts
// with the transaction of the drawdown, as an excess below zero.
func (e *engine) drawOverpaid(k int) error {
	tx := &e.txs[k]
	for e.txs[k].Kind != Disburse {
		k--
		tx = &e.txs[k]
	}
	left := e.overpaid
	e.overpaid = 0
	if err := e.allocate(tx, left); err != nil {
		return err
	}
	tx.Excess -= left
	tx.Balance = e.balance
	return nil
}

// useOverpaid lets money of the borrower pay what has come up, as part of the payments
// that it is left of: on a day, or for 0 on theirs.
func (e *engine) useOverpaid(on money.Date) {
	for k := range e.txs {
		tx := &e.txs[k]
		if tx.Reversed || tx.Excess <= 0 || tx.Kind == CreditRefund || tx.Kind == Chargeback {
			continue
		}
		left := min(tx.Excess, e.overpaid)
		tx.Excess -= left
		e.overpaid -= left
		was := tx.Date
		tx.Date = max(on, was)
		if e.pg != nil {
			if err := e.takeProgressive(tx, left); err != nil && e.broken == nil {
				e.broken = err
			}
		} else {
			e.take(tx, left)
		}
		tx.Date = was
		tx.Balance = e.balance
	}
}

// waive gives up a charge, or a part of it.
func (e *engine) waive(i int) error {
	ev := &e.events[i]
	k, err := e.find(i, ev.Target)
	if err != nil {
		return err
	}
	for j := range e.charges {
		c := &e.charges[j]
		if int(c.event) != k {
			continue
		}
		x := c.open()
		if ev.Amount > 0 {
			x = min(x, ev.Amount)
		}
		c.waived += x
		r := &e.rows[c.row]
		*r.Waived.of(c.part) += x
		if r.Open().Total() == 0 {
			r.PaidOn = ev.Date
		}
		e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: Waive, Date: ev.Date, Amount: x, Balance: e.balance})
	}
	return nil
}
