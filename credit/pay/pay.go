// Package pay moves money over a rail: out to the payee that the contract names,
// and in from the borrower. An outcome that is not known is asked for, never guessed.
package pay

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a payment.
var (
	// ErrUnseen is returned by Query when the rail never got the order.
	ErrUnseen = fault.New(fault.NotFound, "pay.unseen", "the bank has not seen this payment")
	ErrRail   = fault.New(fault.Unavailable, "pay.unavailable", "the bank does not answer; the payment is looked up again by itself")
)

// Direction of a payment as the lender sees it.
type Direction string

// Directions.
const (
	Out Direction = "out" // to the borrower or the seller that the contract names
	In  Direction = "in"  // from the borrower
)

// Outcome of an order.
type Outcome string

// Outcomes.
const (
	Settled Outcome = "settled"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown" // ask again
)

// Payee is who gets money, or gives it. A borrower's account is known to the bank by ID;
// a seller's is the one under which the seller is enrolled.
type Payee struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Account string `json:"account,omitempty"` // number
	Bank    string `json:"bank,omitempty"`    // name or code of the bank that keeps it
}

// Order is an instruction. ID is made by the payer and is the idempotency key of
// the rail: the same order sent twice moves money once. Money is in yuan, always.
type Order struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant,omitempty"` // whose books the money stands in
	Direction Direction `json:"direction"`
	Amount    money.Fen `json:"amount"`
	PartyID   string    `json:"party_id"` // who is paid, or pays
	PartyName string    `json:"party_name"`
	Account   string    `json:"account,omitempty"` // of the party, see [Payee]
	Bank      string    `json:"bank,omitempty"`
	Purpose   string    `json:"purpose"` // the loan or the purchase that the money is for
}

// With returns o with p as the one who is paid, or pays.
func (o Order) With(p Payee) Order {
	o.PartyID, o.PartyName, o.Account, o.Bank = p.ID, p.Name, p.Account, p.Bank
	return o
}

// Receipt is what the rail says of an order.
type Receipt struct {
	OrderID string    `json:"order_id"`
	Outcome Outcome   `json:"outcome"`
	Ref     string    `json:"ref,omitempty"`    // the rail's own number
	Reason  string    `json:"reason,omitempty"` // why it failed, see [WithCode]
	At      time.Time `json:"at"`
}

// Rail is a bank or another payment system.
type Rail interface {
	// Send carries out o at most once, however often it is sent. An error means that
	// the outcome is unknown.
	Send(ctx context.Context, o Order) (Receipt, error)
	// Query tells what became of an order; ErrUnseen when it never arrived.
	Query(ctx context.Context, orderID string) (Receipt, error)
}

// Do sends o and, when the answer is lost, asks for it. A receipt with outcome
// Unknown means that nobody can tell yet: call [Settle] later. Do returns no error
// for that, because nothing has failed.
func Do(ctx context.Context, r Rail, o Order) Receipt {
	got, err := r.Send(ctx, o)
	if err == nil && got.Outcome != Unknown {
		return got
	}
	got, err = r.Query(ctx, o.ID)
	if err != nil || got.Outcome == Unknown {
		return Receipt{OrderID: o.ID, Outcome: Unknown}
	}
	return got
}

// Settle finds out what became of an order whose outcome was unknown. An order that
// never arrived is sent again under its own number.
func Settle(ctx context.Context, r Rail, o Order) Receipt {
	got, err := r.Query(ctx, o.ID)
	switch {
	case err == nil && got.Outcome != Unknown:
		return got
	case errors.Is(err, ErrUnseen):
		return Do(ctx, r, o)
	}
	return Receipt{OrderID: o.ID, Outcome: Unknown}
}
