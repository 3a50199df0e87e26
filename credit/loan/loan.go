// Package loan keeps what was lent: schedules, draws, repayments, arrears and the
// five tiers. Every amount is integer fen, every day a bank date in China.
package loan

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a loan.
var (
	ErrNotFound  = fault.New(fault.NotFound, "loan.not_found", "there is no such loan")
	ErrState     = fault.New(fault.Conflict, "loan.state", "a loan that is {state} cannot take this")
	ErrAmount    = fault.New(fault.Invalid, "loan.amount", "give an amount above zero")
	ErrKeyReused = fault.New(fault.Conflict, "idempotency.reused", "this idempotency key was used with other content; make a new key")
	ErrStale     = fault.New(fault.Conflict, "loan.stale", "the loan has changed meanwhile; load it again")
	ErrDrawn     = fault.New(fault.Conflict, "loan.drawn", "money was drawn under this application already")
	ErrLimit     = fault.New(fault.Conflict, "loan.limit", "{left} yuan of the limit can be drawn now")
	ErrPayment   = fault.New(fault.Conflict, "loan.payment_failed", "the bank refused the payment: {reason}")
)

// State of a loan.
type State string

// States.
const (
	Drawing State = "drawing" // the payment out is under way
	Failed  State = "failed"  // the payment out was refused; nothing was lent
	Active  State = "active"
	Overdue State = "overdue" // an instalment is past due
	Closed  State = "closed"  // repaid
)

// Class is one of the five tiers of the Measures 2023 No. 1.
type Class string

// Tiers by days overdue: 0, 1-90, 91-270, 271-360, over 360.
const (
	Normal         Class = "normal"
	SpecialMention Class = "special_mention"
	Substandard    Class = "substandard"
	Doubtful       Class = "doubtful"
	Loss           Class = "loss"
)

// Classify gives the tier of a loan that is days overdue.
func Classify(days int) Class {
	switch {
	case days <= 0:
		return Normal
	case days <= 90:
		return SpecialMention
	case days <= 270:
		return Substandard
	case days <= 360:
		return Doubtful
	}
	return Loss
}

// Loan is money lent under one application.
type Loan struct {
	ID            string         `json:"id"`
	Tenant        string         `json:"-"`
	ApplicationID string         `json:"application_id"`
	UserID        string         `json:"user_id"`
	UserName      string         `json:"user_name"`
	Subject       credit.Subject `json:"subject"`
	SubjectName   string         `json:"subject_name"`
	Product       string         `json:"product"`

	Principal   money.Fen      `json:"principal"`
	Rate        money.Rate     `json:"rate"`         // a year, simple; 1e-8 units
	PenaltyRate money.Rate     `json:"penalty_rate"` // a year, on what is overdue
	Method      Method         `json:"method"`
	DayCount    money.DayCount `json:"day_count"`
	TermMonths  int            `json:"term_months"`
	DrawnOn     money.Date     `json:"drawn_on"`
	DueOn       money.Date     `json:"due_on"` // of the last instalment

	State        State     `json:"state"`
	Class        Class     `json:"class"`
	OverdueDays  int       `json:"overdue_days"`
	WorstOverdue int       `json:"worst_overdue_days"`
	Outstanding  money.Fen `json:"outstanding"` // principal not repaid
	Accrued      money.Fen `json:"accrued"`     // interest earned and not paid
	Penalty      money.Fen `json:"penalty"`     // penalty interest not paid
	// OverdueAmount is principal and interest past due, with penalty.
	OverdueAmount money.Fen `json:"overdue_amount"`
	// Credit is money of the borrower that waits for the next due date, or after
	// closing is owed back.
	Credit     money.Fen  `json:"credit"`
	NextDue    money.Date `json:"next_due"`    // "" when nothing is left
	NextAmount money.Fen  `json:"next_amount"` // due then, not counting arrears
	DayEnd     money.Date `json:"day_end"`     // last date whose day end is done
	Version    int64      `json:"-"`           // optimistic lock
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
}

// Instalment is one row of a schedule.
type Instalment struct {
	Nr        int        `json:"nr"`
	From      money.Date `json:"from"`
	DueOn     money.Date `json:"due_on"`
	Days      int        `json:"days"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"`
	Due       money.Fen  `json:"due"`     // principal and interest
	Balance   money.Fen  `json:"balance"` // principal left after it
	// Penalty grows by the day while the row is overdue.
	Penalty       money.Fen `json:"penalty"`
	PaidPrincipal money.Fen `json:"paid_principal"`
	PaidInterest  money.Fen `json:"paid_interest"`
	PaidPenalty   money.Fen `json:"paid_penalty"`
	Status        string    `json:"status"` // "future", "due", "overdue", "paid"
}

// Unpaid returns what is open of principal, interest and penalty.
func (i Instalment) Unpaid() money.Fen {
	return i.Principal - i.PaidPrincipal + i.Interest - i.PaidInterest + i.Penalty - i.PaidPenalty
}

// Payment is money that moved, or tries to.
type Payment struct {
	ID        string        `json:"id"` // the order id on the rail
	Tenant    string        `json:"-"`
	LoanID    string        `json:"loan_id"`
	Direction pay.Direction `json:"direction"` // "out": drawn, "in": repaid
	Amount    money.Fen     `json:"amount"`
	Outcome   pay.Outcome   `json:"outcome"` // "unknown" until the rail has told
	Ref       string        `json:"ref,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Penalty   money.Fen     `json:"penalty"` // how a repayment was taken
	Interest  money.Fen     `json:"interest"`
	Principal money.Fen     `json:"principal"`
	Credit    money.Fen     `json:"credit"` // kept for the borrower
	// Payee is who gets the money where that is not the borrower: the seller of Purchase.
	Payee     *pay.Payee `json:"payee,omitempty"`
	Purchase  string     `json:"purchase,omitempty"`
	Date      money.Date `json:"date"`
	Key       string     `json:"-"` // idempotency key of the caller
	KeyHash   string     `json:"-"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// Filter selects loans, newest first; zero fields do not restrict.
type Filter struct {
	UserID        string
	SubjectID     string
	ApplicationID string
	States        []State
	Before        string
	Limit         int // 0 means 50; at most 500
}

// Totals are the sums of a tenant's book.
type Totals struct {
	ByState     map[State]int `json:"by_state"`
	Outstanding money.Fen     `json:"outstanding"`
	Overdue     money.Fen     `json:"overdue"`
}

// Change is what one operation writes, all or none.
type Change struct {
	Loan    Loan         // Version is the one that was read; the store raises it
	Rows    []Instalment // nil leaves the schedule as it is
	Payment *Payment     // inserted, or updated by id
	Entries []ledger.Entry
	New     bool // the loan is new
	// Most may be owed under the application of a new loan, together with what its limit
	// says. Revolving lets others stand beside it.
	Most      money.Fen
	Revolving bool
}

// Store keeps loans, schedules and payments. Implemented in store/loan.
type Store interface {
	// Save writes c in one transaction. ErrStale: the loan's version has moved on, or the
	// payment's key is taken. ErrDrawn: the application of a new loan has one that did not
	// fail, or is not signed. ErrLimit: the limit has less left than the new loan takes.
	Save(ctx context.Context, c Change) (Loan, error)
	// Loan returns ErrNotFound.
	Loan(ctx context.Context, tenant, id string) (Loan, error)
	Loans(ctx context.Context, tenant string, f Filter) ([]Loan, error)
	// Owed is the principal that is out, or on its way, under an application.
	Owed(ctx context.Context, tenant, applicationID string) (money.Fen, error)
	// ByApplication returns the newest loan of an application that did not fail; ErrNotFound.
	ByApplication(ctx context.Context, tenant, applicationID string) (Loan, error)
	Rows(ctx context.Context, tenant, loanID string) ([]Instalment, error)
	Payments(ctx context.Context, tenant, loanID string) ([]Payment, error)
	// PaymentByKey finds the payment made with an idempotency key; ErrNotFound.
	PaymentByKey(ctx context.Context, tenant, key string) (Payment, error)
	// Open returns the ids of loans that are not closed or failed and whose day end is
	// before the date, in id order after an id.
	Open(ctx context.Context, tenant string, before money.Date, after string, limit int) ([]string, error)
	// Unsettled returns payments whose outcome is unknown.
	Unsettled(ctx context.Context, tenant string) ([]Payment, error)
	Totals(ctx context.Context, tenant string) (Totals, error)
	// Debts returns a person's outstanding principal and worst days overdue since a time.
	Debts(ctx context.Context, tenant, userID string, since time.Time) (money.Fen, int, error)
}
