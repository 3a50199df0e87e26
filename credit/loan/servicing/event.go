package servicing

import (
	"time"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Kind of event.
type Kind string

// Kinds.
const (
	Disburse       Kind = "disburse"
	Repay          Kind = "repay"
	DownPaid       Kind = "down_payment"
	Payoff         Kind = "payoff" // all that is owed on the day; Amount 0 takes what Quote says
	Charged        Kind = "charge"
	Waive          Kind = "waive" // Target is the charge; Amount 0 is what is left of it
	WaiveInterest  Kind = "waive_interest"
	AdjustCharge   Kind = "adjust_charge" // Target is the charge that gave rise to it
	Goodwill       Kind = "goodwill"
	MerchantRefund Kind = "merchant_refund"
	PayoutRefund   Kind = "payout_refund"
	CreditRefund   Kind = "credit_refund" // overpayment paid back to the borrower
	Chargeback     Kind = "chargeback"    // Target is the payment that is claimed back
	RateChange     Kind = "rate_change"
	Reschedule     Kind = "reschedule" // moves the row due on Change.From to Change.To
	Extend         Kind = "extend"
	ReAge          Kind = "re_age"
	ReAmortise     Kind = "re_amortise"
	PausePenalty   Kind = "pause_penalty" // from Date to Change.To, both included
	// PauseInterest lets a progressive loan earn nothing from Change.From to Change.To,
	// both included.
	PauseInterest Kind = "pause_interest"
	// Terminate makes all that is left of a progressive loan due on Date.
	Terminate      Kind = "terminate"
	Capitalise     Kind = "capitalise"      // a fee of the bank that is lent with the loan
	InterestWaiver Kind = "interest_waiver" // a repayment that the bank makes for the borrower
	InterestRefund Kind = "interest_refund" // interest given back with a refund
	ChargeOff      Kind = "charge_off"
	WriteOff       Kind = "write_off"
	PaidAtDraw     Kind = "paid_at_draw" // only in transactions: a charge taken out of a drawdown
	Accrue         Kind = "accrue"       // income of the bank as booked; Split says of what
	Recovery       Kind = "recovery"
	Reverse        Kind = "reverse" // Target is the event that is undone
)

// Event is something that happened to a loan. Events are replayed by Date, and on the
// same date in the order of the list.
type Event struct {
	ID     string     `json:"id"`
	Kind   Kind       `json:"kind"`
	Date   money.Date `json:"date"`        // value date
	At     time.Time  `json:"at,omitzero"` // when it was booked; zero is on Date
	Amount money.Fen  `json:"amount,omitempty"`
	Target string     `json:"target,omitempty"`
	Charge *Charge    `json:"charge,omitempty"`
	Split  Parts      `json:"split,omitzero"`
	Change *Change    `json:"change,omitempty"`
}

// Charge is a fee, or a penalty that is not by day.
type Charge struct {
	Name    string     `json:"name,omitempty"`
	DueOn   money.Date `json:"due_on"`
	Penalty bool       `json:"penalty,omitempty"`
	// AtDisbursement is paid out of the drawdown of DueOn and belongs to no row.
	AtDisbursement bool `json:"at_disbursement,omitempty"`
	// Of is the principal that the amount was reckoned on, 0 for none: where less is out on
	// the day of the charge, it is that much smaller, and nothing is charged on a loan that has
	// ended.
	Of money.Fen `json:"of,omitempty"`
	// Payee gets the money where that is not the lender.
	Payee string `json:"payee,omitempty"`
}

// Change of the schedule; which fields count depends on the kind of event.
type Change struct {
	From money.Date `json:"from,omitzero"` // due date of the first row that changes, or first day
	To   money.Date `json:"to,omitzero"`   // its new due date, or last day
	Rate money.Rate `json:"rate,omitempty"`
	// GracePrincipal and GraceInterest are how many rows from From on pay none of it; Extra
	// rows come after the last.
	GracePrincipal int `json:"grace_principal,omitempty"`
	GraceInterest  int `json:"grace_interest,omitempty"`
	Extra          int `json:"extra,omitempty"`
	// N rows every Every Unit from From on: re-age.
	N     int           `json:"n,omitempty"`
	Every int           `json:"every,omitempty"`
	Unit  schedule.Unit `json:"unit,omitempty"`
}
