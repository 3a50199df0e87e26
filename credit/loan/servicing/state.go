package servicing

import "github.com/furrowcredit/furrow/money"

// Parts are amounts by what they are for.
type Parts struct {
	Principal money.Fen `json:"principal"`
	Interest  money.Fen `json:"interest"`
	Fee       money.Fen `json:"fee"`
	Penalty   money.Fen `json:"penalty"`
}

// Total is the sum.
func (p Parts) Total() money.Fen { return p.Principal + p.Interest + p.Fee + p.Penalty }

// Plus adds q.
func (p Parts) Plus(q Parts) Parts {
	return Parts{p.Principal + q.Principal, p.Interest + q.Interest, p.Fee + q.Fee, p.Penalty + q.Penalty}
}

// Minus takes q away.
func (p Parts) Minus(q Parts) Parts {
	return Parts{p.Principal - q.Principal, p.Interest - q.Interest, p.Fee - q.Fee, p.Penalty - q.Penalty}
}

func (p *Parts) of(part Part) *money.Fen {
	switch part {
	case Principal:
		return &p.Principal
	case Interest:
		return &p.Interest
	case Fee:
		return &p.Fee
	default:
		return &p.Penalty
	}
}

// RowKind tells rows apart that are not instalments of the contract.
type RowKind string

// Kinds of rows; "" is an instalment.
const (
	Instalment RowKind = ""
	DownRow    RowKind = "down_payment"
	ExtraRow   RowKind = "extra" // after the last due date, for what came up later
	ReAgedRow  RowKind = "re_aged"
)

// Row is one due date and what it asks for. Paid counts everything paid, InAdvance and
// Late the parts of it that came before and after the due date.
type Row struct {
	Nr        int        `json:"nr"`
	Kind      RowKind    `json:"kind,omitempty"`
	From      money.Date `json:"from"`
	DueOn     money.Date `json:"due_on"`
	Due       Parts      `json:"due"`
	Paid      Parts      `json:"paid"`
	InAdvance Parts      `json:"in_advance"`
	Late      Parts      `json:"late"`
	Waived    Parts      `json:"waived"`
	Written   Parts      `json:"written_off"`
	Credited  money.Fen  `json:"credited,omitempty"` // principal in Due that came back by chargebacks
	Balance   money.Fen  `json:"balance"`            // principal left after it, as planned
	PaidOn    money.Date `json:"paid_on,omitzero"`   // when the last of it was settled

	turn    money.Date // had was earned by then, the rest grows from there; 0 is none
	had     money.Fen
	pending money.Fen // penalty of days of grace, which falls away if the row is paid by then
}

// Days from the day before to the due date.
func (r *Row) Days() int { return int(r.DueOn - r.From) }

// Open is what is not settled.
func (r *Row) Open() Parts { return r.Due.Minus(r.Paid).Minus(r.Waived).Minus(r.Written) }

// settled says whether nothing of the row is open.
func (r *Row) settled() bool {
	return r.Due.Total() == r.Paid.Total()+r.Waived.Total()+r.Written.Total()
}

// Transaction is what an event did. The parts of a repayment and Excess add up to Amount.
type Transaction struct {
	Event  string     `json:"event"`
	Kind   Kind       `json:"kind"`
	Date   money.Date `json:"date"`
	Amount money.Fen  `json:"amount"`
	Parts             // what it took off, or put on
	Excess money.Fen  `json:"excess"` // not needed: kept for the borrower
	// Passed is the part of Fee and Penalty that is for others than the lender.
	Passed   money.Fen `json:"passed,omitempty"`
	Balance  money.Fen `json:"balance"` // principal out after it
	Reversed bool      `json:"reversed,omitempty"`
}

// PassedOn is what charges for one who is not the lender came to.
type PassedOn struct {
	Payee   string    `json:"payee"`
	Charged money.Fen `json:"charged"`
	Waived  money.Fen `json:"waived"`
	Paid    money.Fen `json:"paid"`
}

// Status of a loan.
type Status string

// Statuses.
const (
	Approved   Status = "approved" // nothing paid out
	Active     Status = "active"
	Closed     Status = "closed" // all obligations met
	Overpaid   Status = "overpaid"
	WrittenOff Status = "written_off"
)

// State of a loan on a day.
type State struct {
	Date         money.Date    `json:"date"`
	Status       Status        `json:"status"`
	Rows         []Row         `json:"rows"`
	Transactions []Transaction `json:"transactions"`
	// Outstanding is what is not settled of all rows, due or not.
	Outstanding Parts `json:"outstanding"`
	// Overdue is the part of it whose due date has passed.
	Overdue Parts `json:"overdue"`
	// Accrued is interest earned up to Date and not paid.
	Accrued     money.Fen  `json:"accrued"`
	Recognised  Parts      `json:"recognised"` // income that Accrue events have booked
	Disbursed   money.Fen  `json:"disbursed"`
	Overpaid    money.Fen  `json:"overpaid"` // money of the borrower
	WrittenOff  Parts      `json:"written_off"`
	OverdueDays int        `json:"overdue_days"`
	NextDue     money.Date `json:"next_due,omitzero"`
	NextAmount  money.Fen  `json:"next_amount"`
	ChargedOff  money.Date `json:"charged_off,omitzero"`
	PassedOn    []PassedOn `json:"passed_on,omitempty"`
	ClosedOn    money.Date `json:"closed_on,omitzero"`
}
