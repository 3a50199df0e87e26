// Package ledger is the double-entry book of a tenant: append-only, balanced,
// chained by hashes and idempotent. A mistake is corrected by a reversal, never
// by an edit.
package ledger

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with an entry.
var (
	ErrUnbalanced = fault.New(fault.Invalid, "ledger.unbalanced", "debits and credits differ by {amount} yuan; post both sides")
	ErrEmpty      = fault.New(fault.Invalid, "ledger.empty", "an entry needs a key and at least two postings that are not zero")
	ErrAccount    = fault.New(fault.Invalid, "ledger.account", "there is no account {account} in the chart of accounts")
	ErrKeyReused  = fault.New(fault.Conflict, "ledger.key_reused", "the key {key} was posted with other content; make a new key")
	ErrNotFound   = fault.New(fault.NotFound, "ledger.not_found", "there is no such entry")
	ErrReversed   = fault.New(fault.Conflict, "ledger.reversed", "this entry is reversed already")
)

// Class of an account in the balance sheet.
type Class string

// Classes.
const (
	Asset     Class = "asset"
	Liability Class = "liability"
	Income    Class = "income"
	Expense   Class = "expense"
)

// Account of the chart: catalog/accounts.yaml.
type Account struct {
	Code  string            `json:"code" yaml:"code"`
	Class Class             `json:"class" yaml:"class"`
	Name  map[string]string `json:"name" yaml:"name"` // by language: "zh-CN", "en"
}

// Posting changes one account. Amount is positive for a debit, negative for a credit.
type Posting struct {
	Account string    `json:"account"`
	Item    string    `json:"item"` // sub-account: the loan id, or ""
	Amount  money.Fen `json:"amount"`
}

// Entry is one balanced event. Seq, InputHash, Prev and Hash are set when it is posted.
type Entry struct {
	Seq       int64      `json:"seq"` // 1, 2, ... in the tenant, without gaps
	Tenant    string     `json:"-"`
	Key       string     `json:"key"`  // idempotency key, unique in the tenant
	Kind      string     `json:"kind"` // "draw", "accrual", "penalty", "repayment", "reversal", ...
	Item      string     `json:"item"` // the loan it concerns, or ""
	Date      money.Date `json:"date"` // bank date it counts for
	Memo      string     `json:"memo,omitempty"`
	Postings  []Posting  `json:"postings"`
	At        time.Time  `json:"at"`         // when it was posted
	InputHash string     `json:"input_hash"` // SHA-256 of what the caller gave
	Prev      string     `json:"prev"`
	Hash      string     `json:"hash"`
}

// Balance of one account and item: the sum of its postings.
type Balance struct {
	Account string    `json:"account"`
	Item    string    `json:"item"`
	Amount  money.Fen `json:"amount"`
}

// Filter selects entries in order of Seq; zero fields do not restrict.
type Filter struct {
	Item  string
	After int64
	Limit int // 0 means 200; at most 1000
}

// Store keeps entries and balances. Implemented in store/ledger.
type Store interface {
	// Append posts e, which is checked already, and adds it to the saved balances in
	// one transaction. A known key gives the entry posted then when InputHash is the
	// same, and ErrKeyReused otherwise.
	Append(ctx context.Context, e Entry) (Entry, error)
	Entries(ctx context.Context, tenant string, f Filter) ([]Entry, error)
	// Entry finds by key; ErrNotFound.
	Entry(ctx context.Context, tenant, key string) (Entry, error)
	// Balances returns the saved balances of an account; "" means all.
	Balances(ctx context.Context, tenant, account string) ([]Balance, error)
	Tenants(ctx context.Context) ([]string, error)
}

// Fault is one thing that Verify found wrong.
type Fault struct {
	Seq     int64  `json:"seq,omitempty"`
	Account string `json:"account,omitempty"`
	Item    string `json:"item,omitempty"`
	Problem string `json:"problem"`
}

// Audit is what Verify found.
type Audit struct {
	Tenant   string    `json:"tenant"`
	Entries  int64     `json:"entries"`
	Accounts int       `json:"accounts"` // pairs of account and item
	Debits   money.Fen `json:"debits"`   // sum of all debits, equal to all credits
	Head     string    `json:"head"`     // hash of the last entry
	Faults   []Fault   `json:"faults"`
}

// OK says that the book is sound.
func (a Audit) OK() bool { return len(a.Faults) == 0 }
