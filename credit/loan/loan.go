// Package loan keeps what was lent: schedules, draws, repayments, arrears and the
// five tiers. Every amount is integer fen, every day a bank date in China.
package loan

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
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
	ErrPayment   = fault.New(fault.Conflict, "loan.payment_failed", "the bank refused the payment: {refusal}")
	ErrCredit    = fault.New(fault.Conflict, "loan.credit", "{most} yuan of the borrower's money can be paid back")
)

// State of a loan.
type State string

// States.
const (
	Drawing    State = "drawing" // the payment out is under way
	Failed     State = "failed"  // the payment out was refused; nothing was lent
	Active     State = "active"
	Overdue    State = "overdue"     // an instalment is past due
	Closed     State = "closed"      // repaid
	WrittenOff State = "written_off" // given up; what still comes in is a recovery
)

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
	// Fees of the contract, each charged on its day; CoolingDays is how long after the payout
	// the borrower may give the money back. Both are frozen with the loan.
	Fees        []cost.Fee `json:"fees,omitempty"`
	CoolingDays int        `json:"cooling_days,omitempty"`
	// Tranches are the plan of a loan that goes out in parts: Principal is what has gone out
	// (the first of them while that is on its way), Undrawn what may still do so.
	Tranches []Tranche `json:"tranches,omitempty"`
	Undrawn  money.Fen `json:"undrawn,omitempty"`

	State        State     `json:"state"`
	Class        Class     `json:"class"`
	OverdueDays  int       `json:"overdue_days"`
	WorstOverdue int       `json:"worst_overdue_days"`
	Outstanding  money.Fen `json:"outstanding"` // principal not repaid
	Accrued      money.Fen `json:"accrued"`     // interest earned and not paid
	Penalty      money.Fen `json:"penalty"`     // penalty interest not paid
	Fee          money.Fen `json:"fee"`         // fees and other charges not paid
	// OverdueAmount is principal and interest past due, with fees and penalty.
	OverdueAmount money.Fen `json:"overdue_amount"`
	// Credit is money of the borrower that waits for the next due date, or after
	// closing is owed back.
	Credit     money.Fen  `json:"credit"`
	NextDue    money.Date `json:"next_due"`    // "" when nothing is left
	NextAmount money.Fen  `json:"next_amount"` // due then, not counting arrears
	DayEnd     money.Date `json:"day_end"`     // last date whose day end is done
	// Restructured is the day of the last change of terms for a borrower in trouble; ""
	// when there was none.
	Restructured money.Date `json:"restructured,omitzero"`
	ChargedOff   money.Date `json:"charged_off,omitzero"` // the day of the charge-off
	// Stage and ExpectedLoss are those of the last look at the loan.
	Stage        provision.Stage `json:"stage,omitempty"`
	ExpectedLoss money.Fen       `json:"expected_loss,omitempty"`
	Version      int64           `json:"-"` // optimistic lock
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	ClosedAt     *time.Time      `json:"closed_at,omitempty"`

	Position Position `json:"-"`
}

// Retail says whether the debtor is a person, whose debts are judged one by one.
func (l *Loan) Retail() bool { return l.Subject.Kind != credit.FirmSubject }

func (l *Loan) live() bool { return l.State == Active || l.State == Overdue }

// Position is what the book keeps of a loan beside what people see.
type Position struct {
	Terms  *servicing.Terms // frozen with the loan; nil follows from Rate, Method and so on
	Events int              // how many there are
	Posted Posted           // what the ledger holds of the loan, without accruals
	Earned money.Fen        // interest earned in all, which the ledger holds too
	// Segment is the row in which interest grows by the day while nothing else happens.
	Segment Segment
	Floor   Class // at least, for the debtor's other debts
}

// Segment is a running instalment. The zero value says that each day needs a replay.
type Segment struct {
	From     money.Date
	To       money.Date // its due date
	Interest money.Fen
}

// Instalment is one row of a schedule.
type Instalment struct {
	Nr        int        `json:"nr"`
	From      money.Date `json:"from"`
	DueOn     money.Date `json:"due_on"`
	Days      int        `json:"days"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"`
	Fee       money.Fen  `json:"fee"`     // fees and charges due with it
	Due       money.Fen  `json:"due"`     // principal, interest and fee
	Balance   money.Fen  `json:"balance"` // principal left after it
	// Penalty grows by the day while the row is overdue.
	Penalty       money.Fen `json:"penalty"`
	PaidPrincipal money.Fen `json:"paid_principal"`
	PaidInterest  money.Fen `json:"paid_interest"`
	PaidPenalty   money.Fen `json:"paid_penalty"`
	PaidFee       money.Fen `json:"paid_fee"`
	InAdvance     money.Fen `json:"in_advance"`     // of what is paid: before the due date
	Late          money.Fen `json:"late"`           // and after it
	Waived        money.Fen `json:"waived"`         // let off or written off
	Kind          string    `json:"kind,omitempty"` // "down_payment", "extra", "re_aged", or "" for an instalment
	Status        string    `json:"status"`         // "future", "due", "overdue", "paid"
}

// Unpaid returns what is open of principal, interest, fee and penalty.
func (i Instalment) Unpaid() money.Fen {
	return i.Principal - i.PaidPrincipal + i.Interest - i.PaidInterest + i.Penalty - i.PaidPenalty + i.Fee - i.PaidFee - i.Waived
}

// Payment is money that moved, or tries to.
type Payment struct {
	ID        string        `json:"id"` // the order id on the rail
	Tenant    string        `json:"-"`
	LoanID    string        `json:"loan_id"`
	Direction pay.Direction `json:"direction"`        // "out": drawn or refunded, "in": repaid
	Refund    bool          `json:"refund,omitempty"` // an overpayment that goes back
	// StepBack gives the money of the loan back within its days of cooling off.
	StepBack  bool        `json:"step_back,omitempty"`
	Amount    money.Fen   `json:"amount"`
	Outcome   pay.Outcome `json:"outcome"` // "unknown" until the rail has told
	Ref       string      `json:"ref,omitempty"`
	Reason    string      `json:"reason,omitempty"`
	Penalty   money.Fen   `json:"penalty"` // how a repayment was taken
	Interest  money.Fen   `json:"interest"`
	Principal money.Fen   `json:"principal"`
	Fee       money.Fen   `json:"fee,omitempty"`
	Credit    money.Fen   `json:"credit"` // kept for the borrower
	// Payee is who gets the money where that is not the borrower: the seller of Purchase.
	Payee     *pay.Payee `json:"payee,omitempty"`
	Purchase  string     `json:"purchase,omitempty"`
	Tranche   int        `json:"tranche,omitempty"` // of the plan, that it pays out
	Date      money.Date `json:"date"`
	Key       string     `json:"-"` // idempotency key of the caller
	KeyHash   string     `json:"-"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// Happening is a line in the life of a loan: what was done, by whom and why. The list only
// grows; what turns out wrong is undone by another line.
type Happening struct {
	Nr     int             `json:"nr"` // 1, 2, ... within the loan
	Event  servicing.Event `json:"event"`
	By     string          `json:"by"` // user id, or "system"
	ByName string          `json:"by_name"`
	// Second is who approved it, where two persons were needed.
	Second     string    `json:"second,omitempty"`
	SecondName string    `json:"second_name,omitempty"`
	Note       string    `json:"note,omitempty"`
	At         time.Time `json:"at"`

	Tenant  string `json:"-"`
	LoanID  string `json:"-"`
	Key     string `json:"-"` // idempotency key of the caller
	KeyHash string `json:"-"`
}

// Filter selects loans, newest first; zero fields do not restrict.
type Filter struct {
	UserID        string
	SubjectID     string
	ApplicationID string
	Product       string
	States        []State
	Classes       []Class
	// OverdueFrom is the least number of days overdue.
	OverdueFrom int
	Before      string
	Limit       int // 0 means 50; at most 500
}

// Totals are the sums of a tenant's book.
type Totals struct {
	ByState     map[State]int `json:"by_state"`
	Outstanding money.Fen     `json:"outstanding"`
	Overdue     money.Fen     `json:"overdue"`
}

// Change is what one operation writes, all or none.
type Change struct {
	Loan       Loan
	Happenings []Happening
	Payment    *Payment
	Action     *Action
	Tier       *TierMove // when it moved
	Entries    []ledger.Entry
	New        bool // the loan is new
	Moved      bool // its state or principal is another than before
	// Most may be owed under the application of a new loan, together with what its limit
	// says. Revolving lets others stand beside it.
	Most      money.Fen
	Revolving bool
	// Out goes out of a loan that runs; with it no more than Most may be owed.
	Out money.Fen
}

// Day is what a day end reads and writes of a loan on which nothing happens but interest.
type Day struct {
	LoanID  string
	Product string
	Version int64
	DayEnd  money.Date
	Accrued money.Fen
	Earned  money.Fen
	Segment Segment
}

// Batch is a step of a day end, written all or none.
type Batch struct {
	Run     DayRun
	Days    []Day // with the version that was read
	Changes []Change
	Entries []ledger.Entry
}

// Store keeps loans, events and payments. Implemented in store/loan.
type Store interface {
	// Save writes c in one transaction. ErrStale: the loan's version has moved on, or the
	// key of the payment or of the event is taken. ErrDrawn: the application of a new loan
	// has one that did not fail, or is not signed. ErrLimit: the limit has less left than
	// the new loan, or a tranche, takes.
	Save(ctx context.Context, c Change) (Loan, error)
	// Loan returns ErrNotFound.
	Loan(ctx context.Context, tenant, id string) (Loan, error)
	Loans(ctx context.Context, tenant string, f Filter) ([]Loan, error)
	// Booked returns the balances of the ledger's items, by item and account. What is zero
	// may be missing.
	Booked(ctx context.Context, tenant string, items ...string) (map[string]map[string]money.Fen, error)
	// Some returns the loans with these ids, in any order, without those that are not there.
	Some(ctx context.Context, tenant string, ids []string) ([]Loan, error)
	// Owed is the principal that is out, or on its way, under an application.
	Owed(ctx context.Context, tenant, applicationID string) (money.Fen, error)
	// ByApplication returns the newest loan of an application that did not fail; ErrNotFound.
	ByApplication(ctx context.Context, tenant, applicationID string) (Loan, error)
	// Happenings returns the events of loans by loan, each in the order of Nr.
	Happenings(ctx context.Context, tenant string, loanIDs ...string) (map[string][]Happening, error)
	// Undrawn returns loans with planned tranches, in id order after an id.
	Undrawn(ctx context.Context, tenant, after string, limit int) ([]Loan, error)
	// HappeningByKey finds the event booked with an idempotency key; ErrNotFound.
	HappeningByKey(ctx context.Context, tenant, key string) (Happening, error)
	Payments(ctx context.Context, tenant, loanID string) ([]Payment, error)
	// PaymentByKey finds the payment made with an idempotency key; ErrNotFound.
	PaymentByKey(ctx context.Context, tenant, key string) (Payment, error)
	// Unsettled returns payments whose outcome is unknown.
	Unsettled(ctx context.Context, tenant string) ([]Payment, error)
	// Action returns ErrActionNotFound.
	Action(ctx context.Context, tenant, id string) (Action, error)
	// SaveAction adds a proposal, or refuses one that stands. ErrStale: its key is taken.
	// ErrActionState: it was decided already.
	SaveAction(ctx context.Context, a Action) error
	// ActionByKey finds the action proposed with an idempotency key; ErrActionNotFound.
	ActionByKey(ctx context.Context, tenant, key string) (Action, error)
	Actions(ctx context.Context, tenant string, f ActionFilter) ([]Action, error)

	// Statement returns a version of the statement of a month, "2026-05", the newest for 0;
	// ErrNotFound.
	Statement(ctx context.Context, tenant, loanID, month string, version int) (Monthly, error)
	// SaveStatement adds a version. ErrStale: it is there.
	SaveStatement(ctx context.Context, tenant, month string, m Monthly) error
	// SaveStatements adds the first versions of a step of a day end, without those that are
	// there already, and keeps its progress.
	SaveStatements(ctx context.Context, run DayRun, month string, list []Monthly) error
	// Drawn returns loans that were drawn, in id order after an id, without those that
	// nothing has happened to since they ended before a day.
	Drawn(ctx context.Context, tenant string, from money.Date, after string, limit int) ([]Loan, error)

	TierMoves(ctx context.Context, tenant string, f MoveFilter) ([]TierMove, error)
	Migrations(ctx context.Context, tenant string, from, to money.Date) ([]Migration, error)

	// Behind returns the earliest day to which a running loan has been brought, 0 when none runs.
	Behind(ctx context.Context, tenant string) (money.Date, error)
	// Days returns running loans whose day end is before a date, in id order after an id.
	Days(ctx context.Context, tenant string, before money.Date, after string, limit int) ([]Day, error)
	// SaveBatch writes b and its progress. ErrStale: one of the loans has moved on.
	SaveBatch(ctx context.Context, b Batch) error
	// Debtors returns the debtors that are no persons with a running loan that is
	// non-performing or carries a floor, each with all its running loans.
	Debtors(ctx context.Context, tenant string) ([]Debtor, error)
	// Run returns the day end of a date; ErrNotFound.
	Run(ctx context.Context, tenant string, date money.Date) (DayRun, error)
	SaveRun(ctx context.Context, r DayRun) error
	Runs(ctx context.Context, tenant string, limit int) ([]DayRun, error)
	// Classes sums the running loans by tier and stage.
	Classes(ctx context.Context, tenant string) ([]ClassSum, error)
	Totals(ctx context.Context, tenant string) (Totals, error)
	// Debts returns a person's outstanding principal and worst days overdue since a time.
	Debts(ctx context.Context, tenant, userID string, since time.Time) (money.Fen, int, error)
}
