// Package ledger is the double-entry book of a tenant: append-only, balanced,
// chained by hashes and idempotent. A mistake is corrected by a reversal, never
// by an edit. Everything that happens to the book is an entry of the one chain:
// postings, holds and what became of them, and the closing of periods.
package ledger

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with an entry by itself.
var (
	ErrUnbalanced = fault.New(fault.Invalid, "ledger.unbalanced", "debits and credits differ by {amount} yuan; post both sides")
	ErrMemo       = fault.New(fault.Invalid, "ledger.memo_accounts", "accounts outside the balance sheet differ by {amount} yuan by themselves; post both sides among them")
	ErrEmpty      = fault.New(fault.Invalid, "ledger.empty", "an entry needs a key and at least two postings that are not zero")
	ErrPostings   = fault.New(fault.Invalid, "ledger.postings", "an entry takes at most {most} postings; split it")
	ErrText       = fault.New(fault.Invalid, "ledger.text", "{field} is not plain text of at most {most} bytes")
	ErrAccount    = fault.New(fault.Invalid, "ledger.account", "there is no account {account} in the chart of accounts")
	ErrHeading    = fault.New(fault.Invalid, "ledger.heading", "{account} is a heading; post to an account beneath it")
	ErrAmount     = fault.New(fault.Invalid, "ledger.amount", "the posting of {amount} yuan is too large")
	ErrOp         = fault.New(fault.Invalid, "ledger.op", "what an entry of this kind needs is missing, or what it must not have is there: {field}")
	ErrTenants    = fault.New(fault.Invalid, "ledger.tenants", "entries that go together are of one tenant")
)

// What can stand against an entry in the book.
var (
	ErrKeyReused    = fault.New(fault.Conflict, "ledger.key_reused", "the key {key} was posted with other content ({differs}); make a new key")
	ErrNotFound     = fault.New(fault.NotFound, "ledger.not_found", "there is no such entry")
	ErrReversed     = fault.New(fault.Conflict, "ledger.reversed", "this entry is reversed already")
	ErrReversal     = fault.New(fault.Conflict, "ledger.reversal", "a reversal is not reversed; post what is right as a new entry")
	ErrNotBooked    = fault.New(fault.Conflict, "ledger.not_booked", "the entry {key} moved no balance, so there is nothing to reverse")
	ErrDebitLimit   = fault.New(fault.Conflict, "ledger.debit_limit", "debits of {account} {item} would exceed its credits by {amount} yuan")
	ErrCreditLimit  = fault.New(fault.Conflict, "ledger.credit_limit", "credits of {account} {item} would exceed its debits by {amount} yuan")
	ErrOverflow     = fault.New(fault.Conflict, "ledger.overflow", "the balance of {account} {item} would no longer fit into the book")
	ErrClosed       = fault.New(fault.Conflict, "ledger.closed", "the book is closed up to {through}; date the entry later")
	ErrShut         = fault.New(fault.Conflict, "ledger.account_closed", "the account {account} is closed up to {through}; date the entry later")
	ErrReopen       = fault.New(fault.Conflict, "ledger.reopen", "it is closed up to {through} already; to open what was closed needs the right to")
	ErrNotHold      = fault.New(fault.Conflict, "ledger.not_hold", "the entry {key} is not a hold")
	ErrSettled      = fault.New(fault.Conflict, "ledger.hold_settled", "the hold {key} is settled already")
	ErrVoided       = fault.New(fault.Conflict, "ledger.hold_voided", "the hold {key} was released already")
	ErrExpired      = fault.New(fault.Conflict, "ledger.hold_expired", "the hold {key} has expired")
	ErrPast         = fault.New(fault.Conflict, "ledger.hold_past", "the hold would have expired before it began")
	ErrHoldExceeded = fault.New(fault.Conflict, "ledger.hold_exceeded", "{amount} yuan on {account} {item} is more than is held")
	ErrHoldDiffers  = fault.New(fault.Conflict, "ledger.hold_differs", "nothing is held on this side of {account} {item}")
)

// Op is what an entry does to the book.
type Op string

// Ops.
const (
	Post   Op = ""       // moves balances
	Held   Op = "hold"   // promises its postings: they count against limits, not in balances
	Settle Op = "settle" // posts a hold, in full or in part; the rest of it is released
	Void   Op = "void"   // releases a hold
	Expire Op = "expire" // releases a hold whose time is over; the book does it by itself
	Close  Op = "close"  // closes the account of Item, or the whole book, up to and with Date
)

// Posting changes one account. Amount is positive for a debit, negative for a credit.
type Posting struct {
	Account string    `json:"account"`
	Item    string    `json:"item"` // sub-account: the loan id, or ""
	Amount  money.Fen `json:"amount"`
}

// Entry is one balanced event. Seq, At, InputHash, Prev, Hash and Existed are set when
// it is posted.
type Entry struct {
	Seq       int64      `json:"seq"` // 1, 2, ... in the tenant, without gaps
	Tenant    string     `json:"-"`
	Key       string     `json:"key"`  // idempotency key, unique in the tenant
	Kind      string     `json:"kind"` // "draw", "accrual", "penalty", "repayment", "reversal", ...
	Item      string     `json:"item"` // the loan it concerns, or ""
	Date      money.Date `json:"date"` // bank date it counts for
	Memo      string     `json:"memo,omitempty"`
	Op        Op         `json:"op,omitempty"`
	Hold      string     `json:"hold,omitempty"`     // key of the hold that it ends
	Until     time.Time  `json:"until,omitzero"`     // when a hold expires by itself; zero: never
	Override  bool       `json:"override,omitempty"` // by right, whose holder the caller has checked: into a closed period, beyond a limit
	Postings  []Posting  `json:"postings"`
	At        time.Time  `json:"at"`         // when it was posted; never before the entry before it
	InputHash string     `json:"input_hash"` // SHA-256 of what the caller gave
	Prev      string     `json:"prev"`
	Hash      string     `json:"hash"`
	Existed   bool       `json:"-"` // the answer is that of an earlier call: nothing was posted now

	limits []Limit // of the accounts of Postings, in their order
}

// Booked says that the entry moves balances.
func (e Entry) Booked() bool { return e.Op == Post || e.Op == Settle }

// Balance of one account and item: the sum of its postings, and what is promised.
type Balance struct {
	Account     string    `json:"account"`
	Item        string    `json:"item"`
	Amount      money.Fen `json:"amount"`
	HeldDebits  money.Fen `json:"held_debits,omitempty"`
	HeldCredits money.Fen `json:"held_credits,omitempty"`
}

// Sub names a sub-account.
type Sub struct{ Account, Item string }

// Filter selects entries in order of Seq; zero fields do not restrict.
type Filter struct {
	Item     string
	From, To money.Date // bank dates, both included; zero: no bound
	After    int64
	Limit    int // 0 means 200; at most 1000
}

// Move is a posting of an account with the entry that it belongs to.
type Move struct {
	Seq  int64      `json:"seq"`
	Nr   int        `json:"nr"` // place in the entry, from 0
	Date money.Date `json:"date"`
	Posting
}

// AsOf is a moment of the book; zero fields do not restrict. Date is the bank date for
// which entries count, Seq the last entry that was known.
type AsOf struct {
	Date money.Date
	Seq  int64
}

// Turnover is what moved in an account on a bank date, or in a time.
type Turnover struct {
	Account string     `json:"account"`
	Date    money.Date `json:"date,omitzero"`
	Debits  money.Fen  `json:"debits"`
	Credits money.Fen  `json:"credits"` // not negative
}

// Store keeps entries and balances. Implemented in store/ledger.
type Store interface {
	// Append posts entries of one tenant, which Prepare has checked, all of them or
	// none: what the book says against them (see Sheet.Post).
	Append(ctx context.Context, group []Entry) ([]Entry, error)
	Entries(ctx context.Context, tenant string, f Filter) ([]Entry, error)
	// Entry finds by key; ErrNotFound.
	Entry(ctx context.Context, tenant, key string) (Entry, error)
	// Balances returns saved balances of an account in order of item, at most limit
	// after one; account "" means all, limit 0 no limit.
	Balances(ctx context.Context, tenant, account, after string, limit int) ([]Balance, error)
	// Balance is one of them; zero when nothing was posted.
	Balance(ctx context.Context, tenant string, sub Sub) (Balance, error)
	// Sum adds the postings of an account up to a moment; with item only that one's.
	Sum(ctx context.Context, tenant, account string, item *string, at AsOf) (money.Fen, error)
	// Moves lists postings of an account, newest first, before a place of the last page
	// (zero: from the newest).
	Moves(ctx context.Context, tenant, account string, item *string, seq int64, nr, limit int) ([]Move, error)
	// Turnovers are the sums of each account over bank dates, both included; zero from
	// means since ever.
	Turnovers(ctx context.Context, tenant string, from, to money.Date) ([]Turnover, error)
	// LastAt is the number of the last entry that was posted by then; 0 without any.
	LastAt(ctx context.Context, tenant string, at time.Time) (int64, error)
	// Expire ends the holds of a tenant whose time is over and says how many.
	Expire(ctx context.Context, tenant string, now time.Time) (int, error)
	// Due are the tenants with a hold whose time is over.
	Due(ctx context.Context, now time.Time) ([]string, error)
	Tenants(ctx context.Context) ([]string, error)
	// Read shows one unmoving state of the book to f, while others go on posting.
	Read(ctx context.Context, tenant string, f func(Reader) error) error
}

// Reader walks a book from its first entry to its last, in bounded memory.
type Reader interface {
	Head(ctx context.Context) (Head, error)
	EachEntry(ctx context.Context, f func(Entry) error) error
	// EachSaved walks the balances and the postings in the index of accounts together:
	// all of one sub-account one after the other, the saved balance first.
	EachSaved(ctx context.Context, f func(Saved) error) error
	EachTurnover(ctx context.Context, f func(Turnover) error) error
	EachHold(ctx context.Context, f func(Hold) error) error
	// Indexed are the postings that the index of accounts has of some entries.
	Indexed(ctx context.Context, from, to int64) ([]Move, error)
}

// Saved is a saved balance, or a posting in the index of accounts.
type Saved struct {
	Balance *Balance
	Move    Move
}
