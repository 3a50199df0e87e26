// Package collateral is the one register of what stands behind a loan: crops of plots,
// single animals of herds, confirmed receivables, and those who answer for the debt.
//
// All that stands behind one application is its [Pool]. A pool changes by events alone,
// each with the hash of the one before and, where the held value moves, a memo entry in
// the ledger: [Decide] turns an act into an event or says why not, [Apply] turns a pool
// and an event into the next pool. [Service] keeps them, each act once, and tells loans
// and alerts what follows.
//
//	cover = Σ low value × advance rate, of what is owed: principal, interest, penalty
//
// docs/formats/collateral.md has the rules.
package collateral

import (
	"context"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with collateral.
var (
	ErrNotFound  = fault.New(fault.NotFound, "collateral.not_found", "nothing was ever pledged under this application")
	ErrAsset     = fault.New(fault.NotFound, "collateral.asset", "{id} is not pledged under this application")
	ErrPledged   = fault.New(fault.Conflict, "collateral.pledged", "{label} is pledged already under {holder}; it cannot stand behind two loans")
	ErrOverlap   = fault.New(fault.Conflict, "collateral.overlap", "{label} shares {share} of its ground with {other}, which is pledged already under {holder}")
	ErrStale     = fault.New(fault.Conflict, "collateral.stale", "the collateral has changed meanwhile; look at it again")
	ErrClosed    = fault.New(fault.Conflict, "collateral.closed", "the pledges of this application ended; nothing can be done with them")
	ErrCover     = fault.New(fault.Conflict, "collateral.cover", "what stays would not cover what is owed: repay {amount} yuan first")
	ErrCalled    = fault.New(fault.Conflict, "collateral.called", "a margin call of {amount} yuan is open: meet it before anything is released")
	ErrProof     = fault.New(fault.Conflict, "collateral.proof", "the value of {label} is of {date}, older than the {days} days that are allowed: have it valued anew first")
	ErrNoRelease = fault.New(fault.Conflict, "collateral.no_release", "this product releases what is pledged only when all is repaid")
	ErrNoReplace = fault.New(fault.Conflict, "collateral.no_replace", "this product does not let other things come in for those that leave")
	ErrWorse     = fault.New(fault.Conflict, "collateral.worse", "what comes in is worth {amount} yuan less than what leaves: add more")
	ErrUnvalued  = fault.New(fault.Conflict, "collateral.unvalued", "{label} cannot be valued now ({reason}); it cannot be taken")
	ErrValue     = fault.New(fault.Invalid, "collateral.value", "give values above zero and at most {max} yuan, the low one not above the middle, nor that above the high one")
	ErrSource    = fault.New(fault.Invalid, "collateral.source", "say where the value comes from")
	ErrWhy       = fault.New(fault.Invalid, "collateral.why", "say in a few words why")
	ErrNothing   = fault.New(fault.Invalid, "collateral.nothing", "name what this is about: at least one thing, each once")
	ErrKind      = fault.New(fault.Invalid, "collateral.kind", "there is nothing like {kind} that could be pledged or done")
	ErrOwner     = fault.New(fault.Conflict, "collateral.owner", "{label} belongs to somebody else; only what belongs to the borrower is taken")
	ErrRank      = fault.New(fault.Invalid, "collateral.rank", "the rank is 1 without claims before ours, and 2 or more with their amount")
	ErrMoney     = fault.New(fault.Invalid, "collateral.money", "the proceeds must be more than zero, and the costs not negative")
	ErrBuyer     = fault.New(fault.Invalid, "collateral.buyer", "say who bought it, in at most 200 characters")
	ErrDate      = fault.New(fault.Invalid, "collateral.date", "the day must lie between the pledge and today")
	ErrEnforce   = fault.New(fault.Conflict, "collateral.enforce", "nothing may be sold against the borrower's will before a margin call is past its day or the loan overdue")
	ErrFiling    = fault.New(fault.Invalid, "collateral.filing", "write the registration number as on the certificate, 8 to 40 digits and letters, and an end after its beginning")
	ErrFiled     = fault.New(fault.Conflict, "collateral.filed", "the registration {number} is entered already")
	ErrKey       = fault.New(fault.Invalid, "collateral.key", "send a key of 8 to 128 characters with it, a new one for each act")
	ErrKeyReused = fault.New(fault.Conflict, "collateral.key_reused", "this key was used with other content; make a new key")
	ErrProposal  = fault.New(fault.NotFound, "collateral.proposal", "there is no such proposal")
	ErrDecided   = fault.New(fault.Conflict, "collateral.decided", "this proposal was decided already")
	ErrSecond    = fault.New(fault.Forbidden, "collateral.second", "you proposed this yourself: another person must agree")
	ErrBroken    = fault.New(fault.Conflict, "collateral.broken", "the history of the collateral of {id} does not fit at event {seq}: {why}")
	ErrInPool    = fault.New(fault.Conflict, "collateral.in_pool", "this stands behind the application {application}: release it there")
	ErrTooMany   = fault.New(fault.Invalid, "collateral.too_many", "at most {max} things stand behind one application")
)

// Bounds.
const (
	MaxValue  money.Fen = 10_000_000_000_000 // 100 billion yuan: more is a mistake of unit
	MaxAssets int       = 100_000
	maxText   int       = 500
)

// Kind of what is pledged.
type Kind string

// Kinds.
const (
	Crop       Kind = "crop"       // of a plot; Ref is the plot
	Animal     Kind = "animal"     // Ref is the animal, Parent its herd
	Receivable Kind = "receivable" // Ref is the part, Parent the receivable
	Surety     Kind = "surety"     // somebody answers; Ref is who
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Crop, Animal, Receivable, Surety} }

// Status of an asset.
type Status string

// Statuses.
const (
	Held     Status = "held"
	Released Status = "released" // back to the borrower, the loan still owed
	Replaced Status = "replaced" // another came in for it
	Sold     Status = "sold"     // its proceeds went to the loan
	Lost     Status = "lost"     // dead or destroyed
	Settled  Status = "settled"  // a receivable that was paid
	Freed    Status = "freed"    // with the end of the loan
)

// Valuation is what an asset is worth by one source. Fen; nothing known is Known false
// with the reason, and counts for nothing.
type Valuation struct {
	Known  bool       `json:"known"`
	Reason string     `json:"reason,omitempty"` // why not known, or why it fell: a code
	Low    money.Fen  `json:"low"`              // what a lender counts on
	Middle money.Fen  `json:"middle"`
	High   money.Fen  `json:"high"`
	On     money.Date `json:"on"`     // of the evidence behind it
	Source string     `json:"source"` // "crop_report", "herd_report", "receivable", "contract" or what a person wrote
	Method string     `json:"method,omitempty"`
}

// Spread is half the width of the interval as a share of the middle, 0 when that is 0.
func (v Valuation) Spread() float64 {
	if v.Middle <= 0 {
		return 0
	}
	return float64(v.High-v.Low) / 2 / float64(v.Middle)
}

// Asset is one thing in a pool. Rank is the place of our claim: before a claim of rank 2
// those of others take Prior first.
type Asset struct {
	ID        string    `json:"id"`
	Kind      Kind      `json:"kind"`
	Ref       string    `json:"ref"`
	Parent    string    `json:"parent,omitempty"`
	Label     string    `json:"label"` // what a person calls it
	OwnerID   string    `json:"owner_id,omitempty"`
	ObligorID string    `json:"obligor_id,omitempty"` // of a receivable: who is told of the pledge
	Rank      int       `json:"rank"`
	Prior     money.Fen `json:"prior,omitempty"`
	AdvanceBP int64     `json:"advance_bp"`
	Value     Valuation `json:"value"`
	Status    Status    `json:"status"`
	// Mark names the thing across all tenants of the house; "" of sureties, who may
	// answer for many. Ground is the land of a crop, WGS84.
	Mark     string      `json:"mark,omitempty"`
	Ground   orb.Polygon `json:"ground,omitempty"`
	HeldAt   time.Time   `json:"held_at"`
	EndedAt  *time.Time  `json:"ended_at,omitempty"`
	Replaces string      `json:"replaces,omitempty"`
}

// Worth is what the pool holds of it: the low value less claims before ours.
func (a Asset) Worth() money.Fen {
	if a.Status != Held || !a.Value.Known {
		return 0
	}
	return max(0, a.Value.Low-a.Prior)
}

// Advance is what may be lent on it, rounded down.
func (a Asset) Advance() money.Fen { return portion(a.Worth(), a.AdvanceBP, one) }

// Filing is the evidence of a registration in the public register of movables
// (动产融资统一登记公示系统, zhongdengwang.org.cn).
type Filing struct {
	Number string     `json:"number"`
	On     money.Date `json:"on"`
	Until  money.Date `json:"until"` // its last day
	By     string     `json:"by,omitempty"`
}

// MarginCall asks for more cover.
type MarginCall struct {
	ID     string     `json:"id"`
	On     money.Date `json:"on"`
	Due    money.Date `json:"due"`
	Repay  money.Fen  `json:"repay"` // either repay this much
	Add    money.Fen  `json:"add"`   // or pledge things on which this much may be lent
	Cover  int64      `json:"cover_bp"`
	Stage  int        `json:"stage"` // 0 asked; 1 past its day; each more an escalation
	Cured  money.Date `json:"cured,omitzero"`
	Reason string     `json:"reason,omitempty"` // what the cure was
}

// LoanShare is what of proceeds repays one loan.
type LoanShare struct {
	LoanID string    `json:"loan_id"`
	Amount money.Fen `json:"amount"`
}

// Proceeds of things that were sold, or of a receivable that was paid. Gross = Costs + the
// shares + Excess, unless Costs are more: then nothing is left to share.
type Proceeds struct {
	Seq      int64       `json:"seq"` // of the event
	AssetIDs []string    `json:"asset_ids"`
	Gross    money.Fen   `json:"gross"`
	Costs    money.Fen   `json:"costs"` // of an enforced sale, paid out of the proceeds
	Shares   []LoanShare `json:"shares"`
	Excess   money.Fen   `json:"excess"` // to the borrower
	Payer    string      `json:"payer"`
	On       money.Date  `json:"on"`
	Enforced bool        `json:"enforced,omitempty"`
	Routed   bool        `json:"routed"` // it has reached the loans and the borrower
}

// Net is what is left after the costs.
func (p Proceeds) Net() money.Fen { return max(0, p.Gross-p.Costs) }

// Pool is all that stands, or stood, behind one application, after Version events.
type Pool struct {
	ApplicationID string      `json:"application_id"`
	Tenant        string      `json:"-"`
	UserID        string      `json:"user_id"`
	UserName      string      `json:"user_name"`
	Product       string      `json:"product"`
	Terms         CoverTerms  `json:"terms"` // as they were when the contract was signed
	Closed        bool        `json:"closed"`
	Assets        []Asset     `json:"assets"`
	Filings       []Filing    `json:"filings"`
	Call          *MarginCall `json:"call,omitempty"`
	Calls         int         `json:"calls"` // how many there were
	Proceeds      []Proceeds  `json:"proceeds"`
	Version       int64       `json:"version"`
	Head          string      `json:"head"` // hash of the last event
	OpenedAt      time.Time   `json:"opened_at"`
	UpdatedAt     time.Time   `json:"updated_at"`
}

// Asset finds one by its id.
func (p Pool) Asset(id string) (Asset, bool) {
	i := p.index(id)
	if i < 0 {
		return Asset{}, false
	}
	return p.Assets[i], true
}

func (p Pool) index(id string) int {
	return slices.IndexFunc(p.Assets, func(a Asset) bool { return a.ID == id })
}

// Holds are the assets that stand now, in the order of their pledge.
func (p Pool) Holds() []Asset {
	out := []Asset{}
	for _, a := range p.Assets {
		if a.Status == Held {
			out = append(out, a)
		}
	}
	return out
}

// Debt is one loan of the application as it stands today.
type Debt struct {
	LoanID  string
	Owed    money.Fen // principal, interest and penalty to the day, less what is held for the borrower
	Overdue bool
	Drawing bool // the money is on its way out: it counts, but nothing can be repaid yet
}

func owed(debts []Debt) (sum money.Fen, overdue bool) {
	for _, d := range debts {
		sum += d.Owed
		overdue = overdue || d.Overdue
	}
	return sum, overdue
}

// Filter selects pools, newest first; zero fields do not restrict.
type Filter struct {
	Open       bool
	Called     bool // with a margin call that is open
	EndedSince time.Time
	UserID     string
	// Kind and Ref, or Kind and Parent, select pools that hold such an asset.
	Kind   Kind
	Ref    string
	Parent string
	Before string
	Limit  int // 0 means 50; at most 500
}

// Change is one event with what it leaves behind; a store writes it whole or not at all.
type Change struct {
	Before  int64 // version that it was made from; 0 opens the pool
	After   Pool
	Event   PoolEvent
	Key     string // idempotency key, "" of what the house does by itself
	Hash    string // of what was asked
	Entries []ledger.Entry
	// Taken and Gone are assets that became held, or were.
	Taken []Asset
	Gone  []Asset
}

// Done is what an earlier act with the same key did.
type Done struct {
	Hash          string
	ApplicationID string
	Seq           int64
}

// CoverDay is the cover at the end of a day.
type CoverDay struct {
	Date  money.Date `json:"date"`
	Cover Cover      `json:"cover"`
}

// Notice tells an obligor that a receivable is pledged: it is to be paid to the funder.
type Notice struct {
	ApplicationID string     `json:"application_id"`
	AssetID       string     `json:"asset_id"`
	ReceivableID  string     `json:"receivable_id"`
	PartID        string     `json:"part_id"`
	Label         string     `json:"label"`
	Status        Status     `json:"status"`
	HeldAt        time.Time  `json:"held_at"`
	EndedAt       *time.Time `json:"ended_at,omitempty"`
}

// Store keeps pools. Implemented in store/collateral.
type Store interface {
	// Pool returns ErrNotFound.
	Pool(ctx context.Context, tenant, applicationID string) (Pool, error)
	Pools(ctx context.Context, tenant string, f Filter) ([]Pool, error)
	// Events are all of a pool, in order, up to a version; 0 means all.
	Events(ctx context.Context, tenant, applicationID string, upTo int64) ([]PoolEvent, error)
	// Done returns what a key did; ok is false for an unknown one.
	Done(ctx context.Context, tenant, key string) (d Done, ok bool, err error)
	// Append writes c, its ledger entries, and the pledges of plots and animals that it
	// takes or frees, in one transaction. ErrStale: the pool has moved on from Before, or
	// the key is there. ErrPledged, ErrOverlap: something is held elsewhere in the house.
	Append(ctx context.Context, c Change) error
	// SaveDay keeps the cover of a day; the last of the day stays.
	SaveDay(ctx context.Context, tenant, applicationID string, d CoverDay) error
	Days(ctx context.Context, tenant, applicationID string, from, to money.Date) ([]CoverDay, error)
	// Notices are the pledges of what a firm owes, newest first.
	Notices(ctx context.Context, tenant, obligorID string, limit int) ([]Notice, error)

	// AddProposal keeps what waits for a second person, once a key.
	AddProposal(ctx context.Context, p Proposal) (Proposal, error)
	// Proposal returns ErrProposal.
	Proposal(ctx context.Context, tenant, id string) (Proposal, error)
	Proposals(ctx context.Context, tenant, applicationID string, open bool) ([]Proposal, error)
	// Decide ends an open proposal; ErrDecided.
	Decide(ctx context.Context, p Proposal) error
}
