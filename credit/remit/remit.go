// Package remit pays out the fees that are collected with loans for a guarantor, an insurer
// or an agency: what borrowers have paid of them, loan by loan, by two persons and over the
// payment rail, exactly once.
package remit

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong.
var (
	ErrFile     = fault.New(fault.Invalid, "remit.file", "{item} is wrong: {why}")
	ErrPayee    = fault.New(fault.NotFound, "remit.payee", "there is no payee {code}")
	ErrNotFound = fault.New(fault.NotFound, "remit.not_found", "there is no such payout")
	ErrNothing  = fault.New(fault.Conflict, "remit.nothing", "nothing is to be paid out up to {through}: {open} yuan are collected, {claim} yuan were paid out too much before")
	ErrAhead    = fault.New(fault.Invalid, "remit.ahead", "{through} is not over yet; pay out what was collected up to today, {today}, or earlier")
	ErrOpen     = fault.New(fault.Conflict, "remit.open", "another payout to {payee} is under way; wait for it, or refuse it")
	ErrSecond   = fault.New(fault.Forbidden, "remit.second", "you proposed this yourself: another person must agree")
	ErrState    = fault.New(fault.Conflict, "remit.state", "this payout was decided already")
	ErrChanged  = fault.New(fault.Conflict, "remit.changed", "what is owed on loan {loan} has changed since; refuse this payout and propose it again")
	ErrWhy      = fault.New(fault.Invalid, "remit.why", "say in at most 500 characters why")
	ErrKey      = fault.New(fault.Conflict, "remit.key", "this idempotency key was used for another payout; make a new key")
	// ErrTaken is returned by a store for a key that is there.
	ErrTaken = fault.New(fault.Conflict, "remit.taken", "this payout was proposed already")
)

// States of a payout.
const (
	Asked   = "asked"
	Sending = "sending" // agreed; the bank has not said yet what became of it
	Paid    = "paid"
	Failed  = "failed" // the bank refused; what was held is free again
	Refused = "refused"
)

// Remittance is a payout to one payee, of what was collected up to and with a day.
type Remittance struct {
	ID          string     `json:"id"` // and of the payment order
	Tenant      string     `json:"-"`
	Payee       string     `json:"payee"`
	Through     money.Date `json:"through"`
	Amount      money.Fen  `json:"amount"`
	Loans       int        `json:"loans"` // how many it has parts of
	State       string     `json:"state" enum:"asked,sending,paid,failed,refused"`
	Memo        string     `json:"memo"`
	AskedBy     string     `json:"asked_by"`
	AskedName   string     `json:"asked_name"`
	AskedAt     time.Time  `json:"asked_at"`
	DecidedBy   string     `json:"decided_by,omitempty"`
	DecidedName string     `json:"decided_name,omitempty"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
	Note        string     `json:"note,omitempty"`   // why it was refused
	Ref         string     `json:"ref,omitempty"`    // the bank's number
	Reason      string     `json:"reason,omitempty"` // why the bank refused
	PaidOn      money.Date `json:"paid_on,omitzero"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Key         string     `json:"-"`
	KeyHash     string     `json:"-"`
}

// RemittancePart is what a payout has of one loan; below zero it takes back what was paid out too much.
type RemittancePart struct {
	LoanID   string    `json:"loan_id"`
	Borrower string    `json:"borrower"`
	Product  string    `json:"product"`
	Amount   money.Fen `json:"amount"`
}

// Filter selects payouts, newest first; zero fields do not restrict.
type Filter struct {
	Payee  string
	Before string
	Limit  int // 0 means 50
}

// Store keeps payouts. Implemented in store/remit.
type Store interface {
	// Add keeps a new payout with its parts. ErrOpen: the payee has one that is asked or
	// sending. ErrTaken: its key is there.
	Add(ctx context.Context, r Remittance, parts []RemittancePart) error
	// Remittance returns ErrNotFound.
	Remittance(ctx context.Context, tenant, id string) (Remittance, error)
	// ByKey returns ErrNotFound.
	ByKey(ctx context.Context, tenant, key string) (Remittance, error)
	// Parts of a payout in order of loan.
	Parts(ctx context.Context, tenant, id string) ([]RemittancePart, error)
	Remittances(ctx context.Context, tenant string, f Filter) ([]Remittance, error)
	// Move changes a payout that is in state from; ErrState.
	Move(ctx context.Context, r Remittance, from string) error
	// Sending are those of all tenants that nobody has looked at since a time.
	Sending(ctx context.Context, before time.Time, limit int) ([]Remittance, error)
}

// PayeeLoan is what a loan has for a payee.
type PayeeLoan struct {
	LoanID    string    `json:"loan_id"`
	Borrower  string    `json:"borrower"`
	Product   string    `json:"product"`
	Charged   money.Fen `json:"charged"`   // and not let off
	Collected money.Fen `json:"collected"` // paid by the borrower up to the day
	Remitted  money.Fen `json:"remitted"`  // paid out so far
	Open      money.Fen `json:"open"`      // Collected - Remitted; below zero it is a claim on the payee
}

// PayeeStatement is what a payee is owed. Due = Open - Claim, if that is above zero.
type PayeeStatement struct {
	Payee   FeePayee   `json:"payee"`
	Through money.Date `json:"through"`
	Open    money.Fen  `json:"open"`  // collected and not paid out
	Claim   money.Fen  `json:"claim"` // paid out, and given back to borrowers since
	Due     money.Fen  `json:"due"`   // to pay out now: claims are set off
	// Pending is what a payout that is under way will take of it.
	Pending money.Fen   `json:"pending"`
	Loans   []PayeeLoan `json:"loans"` // with something open, claims first
}

// account is where what is paid out of a kind of fee is booked; "" for the bank's own.
func account(kind cost.Payee) string {
	switch kind {
	case cost.Guarantor:
		return "guarantor_remitted"
	case cost.Insurer:
		return "insurer_remitted"
	case cost.Agency:
		return "agency_remitted"
	default:
		return ""
	}
}
