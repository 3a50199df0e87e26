package servicing

import "github.com/furrowcredit/furrow/money"

// credit makes money owed again that the borrower got back: a payment claimed back, or an
// overpayment paid out. It is owed with the next row that falls due, or a row of its own
// after the last; what is overpaid pays it first.
func (e *engine) credit(i int) error {
	ev := &e.events[i]
	covered := min(e.overpaid, ev.Amount)
	e.overpaid -= covered
	tx := Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Amount: ev.Amount, Excess: covered}
	split := len(e.t.Chargeback) > 0 && ev.Kind == Chargeback
	if split {
		tx.Parts = e.creditParts(i, ev.Amount)
	} else {
		tx.Principal = ev.Amount - covered
	}
	if ev.Amount > covered || split {
		owed := tx.Parts
		if !split {
			owed.Principal += covered
		}
		e.balance += owed.Principal
		if e.pg != nil && ev.Date <= e.pg.spans[len(e.pg.spans)-1].due {
			if err := e.creditPlan(ev.Date, &owed); err != nil {
				return err
			}
		}
		r := &e.rows[e.creditRow(ev.Date)]
		r.Due = r.Due.Plus(owed)
		r.Credited += owed.Principal
		r.PaidOn = 0
		for _, p := range [...]Part{Penalty, Fee, Interest, Principal} {
			x := min(covered, *owed.of(p))
			covered -= x
			*r.Paid.of(p) += x
			switch {
			case ev.Date < r.DueOn:
				*r.InAdvance.of(p) += x
			case ev.Date > r.DueOn:
				*r.Late.of(p) += x
			}
			if p == Principal {
				e.balance -= x
			}
		}
		if r.Open().Total() == 0 {
			r.PaidOn = ev.Date
		}
	}
	tx.Balance = e.balance
	e.txs = append(e.txs, tx)
	return nil
}

// creditPlan puts principal and interest that are owed again into the plan, and takes
// them off what the row gets.
func (e *engine) creditPlan(on money.Date, owed *Parts) error {
	if err := e.pg.late(on, e.wholePeriods()); err != nil {
		return err
	}
	if err := e.pg.credit(on, owed.Principal, owed.Interest); err != nil {
		return err
	}
	owed.Principal, owed.Interest = 0, 0
	e.sync(on)
	return nil
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
