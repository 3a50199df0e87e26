package servicing

import "github.com/furrowcredit/furrow/money"

// credit makes money owed again that the borrower got back: a payment claimed back, or an
// overpayment paid out. What is overpaid covers it first; the rest is principal of the
// next row that falls due, or of a row of its own after the last.
func (e *engine) credit(i int) {
	ev := &e.events[i]
	amount := ev.Amount
	covered := min(e.overpaid, amount)
	e.overpaid -= covered
	parts := e.creditParts(i, amount-covered)
	tx := Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Amount: amount, Parts: parts, Excess: covered}
	e.balance += parts.Principal
	tx.Balance = e.balance
	if amount > covered {
		r := &e.rows[e.creditRow(ev.Date)]
		r.Due = r.Due.Plus(parts)
		r.Due.Principal += covered
		r.Credited += parts.Principal + covered
		r.PaidOn = 0
		if covered > 0 {
			r.Paid.Principal += covered
			switch {
			case ev.Date < r.DueOn:
				r.InAdvance.Principal += covered
			case ev.Date > r.DueOn:
				r.Late.Principal += covered
			}
		}
	}
	e.txs = append(e.txs, tx)
}

// creditParts says what an amount is owed for: the parts of the payment that it takes
// back, in the order of the terms, else principal.
func (e *engine) creditParts(i int, amount money.Fen) Parts {
	ev := &e.events[i]
	if len(e.t.Chargeback) == 0 || ev.Kind != Chargeback {
		return Parts{Principal: amount}
	}
	var was, out Parts
	for k := range e.txs {
		if e.txs[k].Event == ev.Target && ev.Target != "" {
			was = e.txs[k].Parts
		}
	}
	// Earlier chargebacks of the same payment took their share.
	for k := range e.events[:i] {
		if b := &e.events[k]; b.Kind == Chargeback && b.Target == ev.Target && !e.undone[k] {
			for t := range e.txs {
				if e.txs[t].Event == b.ID {
					was = was.Minus(e.txs[t].Parts)
				}
			}
		}
	}
	for _, p := range e.t.Chargeback {
		x := min(amount, max(*was.of(p), 0))
		*out.of(p) += x
		amount -= x
	}
	out.Principal += amount
	return out
}

// creditRow is the row that takes what is owed again from a day on.
func (e *engine) creditRow(on money.Date) int {
	last := -1
	for i := range e.rows {
		r := &e.rows[i]
		if r.Kind == DownRow {
			continue
		}
		if r.Kind == ExtraRow {
			r.DueOn = max(r.DueOn, on)
			return i
		}
		if r.DueOn > on {
			return i
		}
		last = i
	}
	if last >= 0 && e.rows[last].DueOn == on {
		return last
	}
	return e.extra(on)
}
