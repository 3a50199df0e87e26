// Package purchase directs money that is lent for a purpose: it goes only to enrolled
// sellers, for goods in their categories, within price bands, in season and in quantities
// that the ground or the herd can take, after delivery where the product asks for it. What
// a seller gives back goes back to the loan, and every yuan can be followed from the
// drawdown to the goods.
package purchase

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with sellers, orders and refunds.
var (
	ErrSellerNotFound = fault.New(fault.NotFound, "purchase.seller_not_found", "there is no such seller")
	ErrSellerKnown    = fault.New(fault.Conflict, "purchase.seller_known", "this firm is enrolled, or proposed, already; change that enrolment")
	ErrSellerState    = fault.New(fault.Conflict, "purchase.seller_step", "a seller that is {state} cannot take this")
	ErrSellerFirm     = fault.New(fault.Invalid, "purchase.seller_firm", "a seller is a firm with a unified social credit code; add the code first")
	ErrSellerFields   = fault.New(fault.Invalid, "purchase.seller_fields", "the enrolment is incomplete: {why}")
	ErrSecond         = fault.New(fault.Forbidden, "purchase.second_person", "whoever proposed a seller cannot approve it; ask a colleague")
	ErrReason         = fault.New(fault.Invalid, "purchase.reason", "say in a few words why")

	ErrNotFound  = fault.New(fault.NotFound, "purchase.not_found", "there is no such order")
	ErrState     = fault.New(fault.Conflict, "purchase.state", "an order that is {state} cannot take this")
	ErrStale     = fault.New(fault.Conflict, "purchase.stale", "the order has changed meanwhile; load it again")
	ErrKey       = fault.New(fault.Invalid, "purchase.key", "give an idempotency key of 8 to 128 characters")
	ErrKeyReused = fault.New(fault.Conflict, "idempotency.reused", "this idempotency key was used with other content; make a new key")
	ErrReceipt   = fault.New(fault.Invalid, "purchase.receipt", "give the SHA-256 of the signed receipt, 64 hexadecimal digits")
	ErrBuyerOnly = fault.New(fault.Conflict, "purchase.buyer_confirms", "with this product the buyer confirms the delivery")
	ErrRefund    = fault.New(fault.Invalid, "purchase.refund", "a refund is above zero and at most the {left} yuan that are left of the line")
	ErrRefunding = fault.New(fault.Conflict, "purchase.refunding", "a refund of this order is under way; wait for the bank")

	ErrRefused = fault.New(fault.Invalid, "purchase.refused", "this order cannot be placed: {count} things are to be mended, see below")
)

// SellerState is where an enrolment stands.
type SellerState string

// States of a seller.
const (
	Proposed  SellerState = "proposed" // waits for a second officer
	Enrolled  SellerState = "enrolled"
	Suspended SellerState = "suspended"
)

// Seller is a firm that directed money may go to.
type Seller struct {
	ID         string      `json:"id"`
	Tenant     string      `json:"-"`
	FirmID     string      `json:"firm_id"`
	USCC       string      `json:"uscc"`
	Name       string      `json:"name"`
	Regions    []string    `json:"regions"` // where it may sell, beginnings of GB/T 2260; empty: everywhere
	Categories []string    `json:"categories"`
	Account    string      `json:"account"` // number of the bank account that is paid
	Bank       string      `json:"bank"`
	From       money.Date  `json:"from"`
	To         money.Date  `json:"to"` // the last day
	State      SellerState `json:"state" enum:"proposed,enrolled,suspended"`
	Reason     string      `json:"reason,omitempty"` // why it was suspended
	ProposedBy string      `json:"proposed_by"`
	ApprovedBy string      `json:"approved_by,omitempty"`
	ChangedBy  string      `json:"changed_by"`
	CreatedAt  time.Time   `json:"created_at"`
	UpdatedAt  time.Time   `json:"updated_at"`
	Version    int64       `json:"-"`
}

// Party is who is paid.
func (s Seller) Party() pay.Payee {
	return pay.Payee{ID: s.FirmID, Name: s.Name, Account: s.Account, Bank: s.Bank}
}

// State of an order.
type State string

// States of an order. Delivery stands in the order itself: with products that pay first it
// comes after Paid.
const (
	Draft     State = "draft"
	Submitted State = "submitted" // waits for the seller
	Confirmed State = "confirmed" // by the seller
	Delivered State = "delivered" // and not paid yet
	Paying    State = "paying"    // the bank has not said yet
	Paid      State = "paid"
	Refunding State = "refunding" // the bank has not said yet
	Refunded  State = "refunded"  // all of it; a part leaves it Paid
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// reserves are the states in which an order holds a part of the limit.
func reserves() []State { return []State{Submitted, Confirmed, Delivered, Paying} }

// Reserves says whether an order in s holds a part of the limit that is not drawn yet.
func (s State) Reserves() bool {
	for _, r := range reserves() {
		if s == r {
			return true
		}
	}
	return false
}

// Line is one position of an order.
type Line struct {
	Nr       int       `json:"nr"` // from 1
	Goods    string    `json:"goods"`
	Category string    `json:"category"`
	Quantity Quantity  `json:"quantity"`
	Unit     string    `json:"unit"`
	Price    money.Fen `json:"price"` // fen a unit
	Amount   money.Fen `json:"amount"`
	Refunded money.Fen `json:"refunded"`
}

// Delivery tells who said that the goods are there.
type Delivery struct {
	By          string    `json:"by" enum:"buyer,seller"`
	UserID      string    `json:"user_id"`
	At          time.Time `json:"at"`
	ReceiptHash string    `json:"receipt_hash,omitempty"` // SHA-256 of the signed receipt
}

// Refund is money that a seller gives back.
type Refund struct {
	ID      string       `json:"id"` // of the payment order
	Amount  money.Fen    `json:"amount"`
	Lines   []RefundLine `json:"lines"`
	Reason  string       `json:"reason"`
	Outcome pay.Outcome  `json:"outcome"`
	Ref     string       `json:"ref,omitempty"`
	Failure string       `json:"failure,omitempty"`
	// Event is what the loan made of it; "" until it is booked there.
	Event string    `json:"event,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Key   string    `json:"key"`
	Hash  string    `json:"hash"` // of the request
}

// RefundLine is the part of a refund on one line.
type RefundLine struct {
	Nr     int       `json:"nr"`
	Amount money.Fen `json:"amount"`
}

// Order is a purchase with directed money.
type Order struct {
	ID            string           `json:"id"`
	Tenant        string           `json:"-"`
	ApplicationID string           `json:"application_id"`
	UserID        string           `json:"user_id"`
	UserName      string           `json:"user_name"`
	Subject       credit.Subject   `json:"subject"`
	Product       string           `json:"product"`
	Rule          product.Delivery `json:"rule,omitempty"` // when the product pays
	SellerID      string           `json:"seller_id"`
	FirmID        string           `json:"firm_id"` // of the seller
	Payee         pay.Payee        `json:"payee"`   // as enrolled when it was confirmed
	Lines         []Line           `json:"lines"`
	Amount        money.Fen        `json:"amount"`
	Currency      string           `json:"currency"` // "CNY"
	State         State            `json:"state" enum:"draft,submitted,confirmed,delivered,paying,paid,refunding,refunded,cancelled,expired"`
	Reason        string           `json:"reason,omitempty"` // why it was cancelled, or could not be paid
	Attempt       int              `json:"attempt"`          // of the payment
	LoanID        string           `json:"loan_id,omitempty"`
	Delivery      *Delivery        `json:"delivery,omitempty"`
	Refunds       []Refund         `json:"refunds,omitempty"`
	Refunded      money.Fen        `json:"refunded"`
	ExpiresAt     time.Time        `json:"expires_at"` // when nobody has paid by then
	PaidAt        *time.Time       `json:"paid_at,omitempty"`
	CreatedAt     time.Time        `json:"created_at"`
	UpdatedAt     time.Time        `json:"updated_at"`
	Key           string           `json:"-"`
	KeyHash       string           `json:"-"`
	Version       int64            `json:"-"`
}

// Event is one step of an order, kept for good.
type Event struct {
	Seq    int64     `json:"seq"`
	Kind   string    `json:"kind" enum:"draft,submit,confirm,deliver,pay,paid,unpaid,refund,refunded,unrefunded,cancel,expire"`
	State  State     `json:"state"` // after it
	At     time.Time `json:"at"`
	UserID string    `json:"user_id"` // "system" by itself
	Detail string    `json:"detail,omitempty"`
}

// SellerFilter selects sellers; zero fields do not restrict.
type SellerFilter struct {
	States []SellerState
	FirmID string
	Before string
	Limit  int // 0 means 50; at most 500
}

// Filter selects orders, newest first; zero fields do not restrict.
type Filter struct {
	ApplicationID, UserID, FirmID, LoanID string
	States                                []State
	Before                                string
	Limit                                 int // 0 means 50; at most 500
}

// Change is what one step writes, all or none.
type Change struct {
	Order  Order // Version is the one that was read; 0 adds it
	Events []Event
	// Most, above zero, is what may be reserved under the application with this order.
	Most money.Fen
}

// Store keeps sellers and orders. Implemented in store/purchase.
type Store interface {
	// SaveSeller adds s (Version 0) or replaces the version that was read: ErrSellerKnown, ErrStale.
	SaveSeller(ctx context.Context, s Seller) (Seller, error)
	// Seller returns ErrSellerNotFound.
	Seller(ctx context.Context, tenant, id string) (Seller, error)
	Sellers(ctx context.Context, tenant string, f SellerFilter) ([]Seller, error)
	// Save writes c: ErrStale; a limit fault when too much is reserved. The key of a new order
	// that is known gives the order saved then, or ErrKeyReused.
	Save(ctx context.Context, c Change) (Order, error)
	// Order returns ErrNotFound.
	Order(ctx context.Context, tenant, id string) (Order, error)
	Orders(ctx context.Context, tenant string, f Filter) ([]Order, error)
	Events(ctx context.Context, tenant, id string) ([]Event, error)
	// Waiting returns orders of all tenants that wait for the bank, and those that nobody
	// paid by a time.
	Waiting(ctx context.Context, at time.Time, limit int) ([]Order, error)
}
