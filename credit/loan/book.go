package loan

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
)

// Accounts of the chart that loans post to.
const (
	Cash               = "cash"
	PrincipalAccount   = "loan_principal"
	InterestReceivable = "interest_receivable"
	PenaltyReceivable  = "penalty_receivable"
	BorrowerCredit     = "borrower_credit"
	InterestIncome     = "interest_income"
	PenaltyIncome      = "penalty_income"
)

// book is a loan with its schedule and the postings of one operation. Its methods are
// pure: they change the copy and gather entries.
type book struct {
	Loan
	rows    []Instalment
	entries []ledger.Entry
}

func open(l Loan, rows []Instalment) *book { return &book{Loan: l, rows: slices.Clone(rows)} }

func (b *book) post(key, kind string, date money.Date, p ...ledger.Posting) {
	p = slices.DeleteFunc(p, func(p ledger.Posting) bool { return p.Amount == 0 })
	if len(p) == 0 {
		return
	}
	for i := range p {
		p[i].Item = b.ID
	}
	b.entries = append(b.entries, ledger.Entry{Tenant: b.Tenant, Key: key, Kind: kind, Item: b.ID, Date: date, Postings: p})
}

// start puts the money out on a day.
func (b *book) start(payment string, day money.Date) error {
	rows, err := Schedule(Terms{
		Principal: b.Principal, Rate: b.Rate, Method: b.Method, DayCount: b.DayCount, Start: day, N: b.TermMonths,
	})
	if err != nil {
		return err
	}
	b.rows = rows
	b.State, b.DrawnOn, b.DueOn, b.DayEnd, b.Outstanding = Active, day, rows[len(rows)-1].DueOn, day, b.Principal
	b.post("draw:"+payment, "draw", day,
		ledger.Posting{Account: PrincipalAccount, Amount: b.Principal}, ledger.Posting{Account: Cash, Amount: -b.Principal})
	return b.settle(day)
}

// earned is the interest of all rows up to a day. Within a row it grows evenly with
// the days, HALF_EVEN, so that the whole of it is earned on the due date.
func (b *book) earned(day money.Date) (money.Fen, error) {
	var sum money.Fen
	for _, r := range b.rows {
		switch {
		case day >= r.DueOn:
			sum += r.Interest
		case day > r.From:
			part, err := money.Mul(r.Interest, int64(day-r.From), int64(r.Days))
			if err != nil {
				return 0, err
			}
			sum += part
		}
	}
	return sum, nil
}

// to brings the loan to the end of a day, one day after another: interest earned,
// money held for the borrower taken for what is due, penalty on what is overdue.
func (b *book) to(day money.Date) error {
	for b.DayEnd < day {
		before, err := b.earned(b.DayEnd)
		if err != nil {
			return err
		}
		b.DayEnd++
		after, err := b.earned(b.DayEnd)
		if err != nil {
			return err
		}
		key := b.ID + ":" + b.DayEnd.String()
		b.post("accrue:"+key, "accrual", b.DayEnd,
			ledger.Posting{Account: InterestReceivable, Amount: after - before},
			ledger.Posting{Account: InterestIncome, Amount: before - after})
		if held := b.Credit; held > 0 {
			s, rest := b.due(held, b.DayEnd)
			b.Credit = rest
			b.post("credit:"+key, "credit_used", b.DayEnd, append(s.postings(), ledger.Posting{Account: BorrowerCredit, Amount: held - rest})...)
		}
		if err := b.penalise(key); err != nil {
			return err
		}
		if err := b.settle(b.DayEnd); err != nil {
			return err
		}
	}
	return nil
}

// penalise charges one day of penalty interest on the principal and interest of each
// row that is past due, ACT/360, HALF_EVEN a row and day. Penalty bears no penalty.
func (b *book) penalise(key string) error {
	var sum money.Fen
	for i := range b.rows {
		r := &b.rows[i]
		open := r.Principal - r.PaidPrincipal + r.Interest - r.PaidInterest
		if r.DueOn >= b.DayEnd || open == 0 {
			continue
		}
		day, err := money.Interest(open, b.PenaltyRate, 1, 360)
		if err != nil {
			return err
		}
		r.Penalty += day
		sum += day
	}
	b.post("penalty:"+key, "penalty", b.DayEnd,
		ledger.Posting{Account: PenaltyReceivable, Amount: sum}, ledger.Posting{Account: PenaltyIncome, Amount: -sum})
	return nil
}

// split is how money was taken.
type split struct{ penalty, interest, principal money.Fen }

func (s split) postings() []ledger.Posting {
	return []ledger.Posting{
		{Account: PenaltyReceivable, Amount: -s.penalty},
		{Account: InterestReceivable, Amount: -s.interest},
		{Account: PrincipalAccount, Amount: -s.principal},
	}
}

// due takes amount for what is due on a day or before: first all penalty, then all
// interest, then all principal, each from the oldest row on. It returns the rest.
func (b *book) due(amount money.Fen, day money.Date) (s split, rest money.Fen) {
	take := func(owed money.Fen, paid, sum *money.Fen) {
		x := min(amount, owed-*paid)
		*paid += x
		*sum += x
		amount -= x
	}
	last := 0
	for last < len(b.rows) && b.rows[last].DueOn <= day {
		last++
	}
	rows := b.rows[:last]
	for i := range rows {
		take(rows[i].Penalty, &rows[i].PaidPenalty, &s.penalty)
	}
	for i := range rows {
		take(rows[i].Interest, &rows[i].PaidInterest, &s.interest)
	}
	for i := range rows {
		take(rows[i].Principal, &rows[i].PaidPrincipal, &s.principal)
	}
	return s, amount
}

// Quote is what ends a loan on a day.
type Quote struct {
	Date      money.Date `json:"date"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"` // earned to the day and not paid
	Penalty   money.Fen  `json:"penalty"`
	Credit    money.Fen  `json:"credit"` // held for the borrower already
	Total     money.Fen  `json:"total"`  // to pay now
}

// quote is for the day to which the loan has been brought.
func (b *book) quote() Quote {
	q := Quote{Date: b.DayEnd, Principal: b.Outstanding, Interest: b.Accrued, Penalty: b.Penalty, Credit: b.Credit}
	q.Total = max(0, q.Principal+q.Interest+q.Penalty-q.Credit)
	return q
}

// repay takes a payment on the day to which the loan has been brought. What is due
// goes first. Money beyond that ends the loan when it covers all that is earned to the
// day, and the interest of later days falls away; if it does not, it is held and taken
// on the next due dates.
func (b *book) repay(p *Payment) error {
	amount := p.Amount + b.Credit
	quote := b.quote()
	s, rest := b.due(amount, b.DayEnd)
	if amount >= quote.Principal+quote.Interest+quote.Penalty {
		if err := b.cut(); err != nil {
			return err
		}
		var more split
		more, rest = b.due(rest, b.DayEnd)
		s = split{s.penalty + more.penalty, s.interest + more.interest, s.principal + more.principal}
	}
	p.Penalty, p.Interest, p.Principal, p.Credit = s.penalty, s.interest, s.principal, rest-b.Credit
	b.post("repay:"+p.ID, "repayment", b.DayEnd, append(s.postings(),
		ledger.Posting{Account: Cash, Amount: p.Amount},
		ledger.Posting{Account: BorrowerCredit, Amount: b.Credit - rest})...)
	b.Credit = rest
	return b.settle(b.DayEnd)
}

// cut ends the loan with the present day: the row that runs falls due with the interest
// earned so far, later rows with their principal alone.
func (b *book) cut() error {
	for i := range b.rows {
		r := &b.rows[i]
		if r.DueOn <= b.DayEnd {
			continue
		}
		from := min(r.From, b.DayEnd)
		part, err := money.Mul(r.Interest, int64(b.DayEnd-from), int64(r.Days))
		if err != nil {
			return err
		}
		r.From, r.DueOn, r.Days = from, b.DayEnd, int(b.DayEnd-from)
		r.Interest, r.Due = part, r.Principal+part
	}
	b.DueOn = b.DayEnd
	return nil
}

// settle recomputes everything that follows from the rows.
func (b *book) settle(day money.Date) error {
	earned, err := b.earned(day)
	if err != nil {
		return err
	}
	b.Outstanding, b.Accrued, b.Penalty, b.OverdueAmount, b.OverdueDays = 0, earned, 0, 0, 0
	b.NextDue, b.NextAmount = 0, 0
	var open money.Fen
	for i := range b.rows {
		r := &b.rows[i]
		b.Outstanding += r.Principal - r.PaidPrincipal
		b.Accrued -= r.PaidInterest
		b.Penalty += r.Penalty - r.PaidPenalty
		unpaid := r.Unpaid()
		open += unpaid
		switch {
		case unpaid == 0:
			r.Status = "paid"
		case r.DueOn < day:
			r.Status = "overdue"
			b.OverdueAmount += unpaid
			b.OverdueDays = max(b.OverdueDays, int(day-r.DueOn))
		case r.DueOn == day:
			r.Status = "due"
		default:
			r.Status = "future"
		}
		if r.DueOn >= day && unpaid > 0 && b.NextDue == 0 {
			b.NextDue, b.NextAmount = r.DueOn, unpaid
		}
	}
	b.WorstOverdue = max(b.WorstOverdue, b.OverdueDays)
	b.Class = Classify(b.OverdueDays)
	switch {
	case open == 0:
		b.State = Closed
	case b.OverdueDays > 0:
		b.State = Overdue
	default:
		b.State = Active
	}
	return nil
}
