package servicing

import "github.com/furrowcredit/furrow/money"

var standard = []Part{Penalty, Fee, Interest, Principal}

// repay takes money of the borrower, or for the borrower.
func (e *engine) repay(ev *Event) error { return e.repayWith(ev, 0) }

// repayWith takes money in together with what was held for the borrower, which counts as an
// excess below zero.
func (e *engine) repayWith(ev *Event, held money.Fen) error {
	e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Amount: ev.Amount})
	tx := &e.txs[len(e.txs)-1]
	if err := e.allocate(tx, ev.Amount+held); err != nil {
		return err
	}
	tx.Excess -= held
	tx.Balance = e.balance
	return nil
}

// allocate takes an amount of tx in the way of the loan.
func (e *engine) allocate(tx *Transaction, amount money.Fen) error {
	switch {
	case e.pg != nil:
		return e.takeProgressive(tx, amount)
	case e.recalculates():
		return e.repayRecalculated(tx, amount)
	}
	e.take(tx, amount)
	return nil
}

// take allocates an amount of tx to the rows; what is left is the borrower's.
func (e *engine) take(tx *Transaction, amount money.Fen) {
	a := &e.t.Allocation
	if s, ok := e.t.Special[tx.Kind]; ok {
		a = &s
	}
	before := tx.Principal
	left := amount
	if a.ChargesFirst {
		e.up = e.chargesUp(tx.Date)
	}
	if a.Vertical {
		left = e.vertical(a, tx, left)
	} else {
		left = e.horizontal(a, tx, left)
	}
	tx.Excess += left
	e.overpaid += left
	e.balance -= tx.Principal - before
}

// horizontal settles row by row, past due, due and in advance in the order in which they
// first appear.
func (e *engine) horizontal(a *Allocation, tx *Transaction, left money.Fen) money.Fen {
	if len(a.Order) == 0 {
		for _, w := range [...]When{PastDue, Due, InAdvance} {
			left = e.group(a, tx, w, standard, left)
		}
		return left
	}
	var done [3]When
	n := 0
	for i, s := range a.Order {
		if s.When == done[0] || s.When == done[1] || s.When == done[2] || n == 3 {
			continue
		}
		done[n] = s.When
		n++
		var parts [4]Part
		k := 0
		for _, o := range a.Order[i:] {
			if o.When == s.When && k < len(parts) {
				parts[k] = o.Part
				k++
			}
		}
		left = e.group(a, tx, s.When, parts[:k], left)
	}
	return left
}

func (e *engine) group(a *Allocation, tx *Transaction, w When, parts []Part, left money.Fen) money.Fen {
	if w == InAdvance && e.t.Prepayment == Hold && !a.Ahead {
		return left
	}
	if w != InAdvance || a.Future == Next || a.Future == "" {
		for i := range e.rows {
			if left > 0 && when(&e.rows[i], tx.Date) == w {
				left = e.settle(a, tx, i, w, parts, left)
			}
		}
		return left
	}
	if a.Future == Last {
		for i := len(e.rows) - 1; i >= 0; i-- {
			if left > 0 && when(&e.rows[i], tx.Date) == w {
				left = e.settle(a, tx, i, w, parts, left)
			}
		}
		return left
	}
	for left > 0 {
		before := left
		rows := e.open(tx.Date, func(open Parts) bool { return open.Total() > 0 })
		for _, p := range parts {
			left = e.spread(tx, rows, p, left)
		}
		if left == before {
			break
		}
	}
	return left
}

// settle pays the parts of one row.
func (e *engine) settle(a *Allocation, tx *Transaction, i int, w When, parts []Part, left money.Fen) money.Fen {
	if e.rows[i].settled() {
		return left
	}
	if w == InAdvance && a.ChargesFirst {
		for _, p := range parts {
			if p == Fee || p == Penalty {
				left -= e.put(tx, i, p, min(left, *e.up.of(p)))
			}
		}
	}
	for _, p := range parts {
		left -= e.put(tx, i, p, left)
	}
	return left
}

// spread divides an amount evenly over rows, the last taking the rounding.
func (e *engine) spread(tx *Transaction, rows []int, p Part, left money.Fen) money.Fen {
	n := len(rows)
	if n == 0 || left <= 0 {
		return left
	}
	each, _ := money.Mul(left, 1, int64(n)) // a part of an amount cannot overflow
	rest := left - each*money.Fen(n)
	for k, i := range rows {
		share := each
		if k == n-1 {
			share += rest
		}
		left -= e.put(tx, i, p, min(share, left)) // shares may have been rounded up
	}
	return left
}

// open are the rows in advance of which something is open that counts.
func (e *engine) open(on money.Date, counts func(open Parts) bool) (rows []int) {
	for i := range e.rows {
		if when(&e.rows[i], on) == InAdvance && counts(e.rows[i].Open()) {
			rows = append(rows, i)
		}
	}
	return rows
}

// vertical takes one part over all rows before the next.
func (e *engine) vertical(a *Allocation, tx *Transaction, left money.Fen) money.Fen {
	order := a.Order
	if len(order) == 0 {
		order = Order(standard, standard, standard)
	}
	for _, s := range order {
		switch {
		case left <= 0:
			return left
		case s.When == InAdvance && e.t.Prepayment == Hold && !a.Ahead:
		case s.When == InAdvance && a.Future == Reamortised:
			for left > 0 {
				before := left
				rows := e.open(tx.Date, func(open Parts) bool { return *open.of(s.Part) > 0 })
				if left = e.spread(tx, rows, s.Part, left); left == before {
					break
				}
			}
		case s.When == InAdvance && a.Future == Last:
			for i := len(e.rows) - 1; i >= 0; i-- {
				if when(&e.rows[i], tx.Date) == s.When {
					left -= e.put(tx, i, s.Part, left)
				}
			}
		default:
			for i := range e.rows {
				if when(&e.rows[i], tx.Date) == s.When {
					left -= e.put(tx, i, s.Part, left)
				}
			}
		}
	}
	return left
}

func when(r *Row, on money.Date) When {
	switch {
	case r.DueOn < on:
		return PastDue
	case r.DueOn == on:
		return Due
	}
	return InAdvance
}

// put pays up to amount of a part of row i and returns how much.
func (e *engine) put(tx *Transaction, i int, p Part, amount money.Fen) money.Fen {
	r := &e.rows[i]
	open := r.Open()
	x := min(amount, *open.of(p))
	if x <= 0 {
		return 0
	}
	*r.Paid.of(p) += x
	*tx.of(p) += x
	switch {
	case tx.Date < r.DueOn:
		*r.InAdvance.of(p) += x
	case tx.Date > r.DueOn:
		*r.Late.of(p) += x
	}
	if p == Fee || p == Penalty {
		tx.Passed += e.payCharges(i, p, x)
	}
	e.told(r, tx.Date, p, x)
	if open.Total() == x {
		r.PaidOn = tx.Date
	}
	return x
}
