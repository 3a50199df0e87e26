// Package receivable keeps electronic receivables (应收账款电子凭证): what an anchor
// confirms to owe a supplier, in a form that can be split, passed on, financed and is
// paid to the fen.
//
// The core is pure: [Decide] turns a command into an event or says why not, [Apply]
// turns a state and an event into the next state, and [Replay] makes the state again
// from the events alone. [Service] keeps them in a [Store], each command once.
//
// A receivable is a tree of parts. A part never changes its holder: what moves leaves
// as a new part below it, so the path to the root is the chain of owners. At every
// part and at every time
//
//	amount = remaining + the amounts of its children
//
// and what remains, over all parts, is the amount of the receivable.
// docs/formats/receivable.md describes the rules with their sources.
package receivable

import (
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a receivable or with what is asked of it.
var (
	ErrNotFound    = fault.New(fault.NotFound, "receivable.not_found", "there is no such receivable")
	ErrPart        = fault.New(fault.NotFound, "receivable.part", "this receivable has no such part")
	ErrNotYours    = fault.New(fault.Forbidden, "receivable.not_yours", "only {want} may do this")
	ErrState       = fault.New(fault.Conflict, "receivable.state", "the receivable is {state}: this cannot be done any more, or not yet")
	ErrHeld        = fault.New(fault.Conflict, "receivable.held", "this part is {state}; it cannot be used before it is released")
	ErrNotHeld     = fault.New(fault.Conflict, "receivable.not_held", "this part is not {state}")
	ErrAmount      = fault.New(fault.Invalid, "receivable.amount", "the amount must be more than zero and at most {max} yuan")
	ErrTooMuch     = fault.New(fault.Conflict, "receivable.too_much", "only {free} yuan of this part are free")
	ErrOverpaid    = fault.New(fault.Conflict, "receivable.overpaid", "only {open} yuan are still owed; pay no more than that")
	ErrTerm        = fault.New(fault.Invalid, "receivable.term", "the due date may be {latest} at the latest: a term is at most {months} months")
	ErrDue         = fault.New(fault.Invalid, "receivable.due", "the due date must lie after {day}")
	ErrReason      = fault.New(fault.Invalid, "receivable.reason", "the term is longer than {months} months; say why in the note")
	ErrStretched   = fault.New(fault.Invalid, "receivable.stretched", "the document {number} is to be paid by {due}; the receivable may not be due later")
	ErrPastDue     = fault.New(fault.Conflict, "receivable.past_due", "the receivable is due on {due}; from that day it can only be paid or set off")
	ErrSelf        = fault.New(fault.Invalid, "receivable.self", "this firm holds the part already; name another one")
	ErrOwnDebt     = fault.New(fault.Invalid, "receivable.own_debt", "this firm owes the receivable itself; set it off instead of passing it on")
	ErrUnverified  = fault.New(fault.Conflict, "receivable.unverified", "the firm {name} has no valid credit code; have it verified first")
	ErrMoved       = fault.New(fault.Conflict, "receivable.moved", "the receivable has been used already; it can no longer be cancelled")
	ErrAsked       = fault.New(fault.Conflict, "receivable.asked", "you have asked for this already; the other side must agree")
	ErrParts       = fault.New(fault.Conflict, "receivable.parts", "a receivable has at most {max} parts")
	ErrRef         = fault.New(fault.Invalid, "receivable.ref", "give the reference of the payment or the loan")
	ErrRefUsed     = fault.New(fault.Conflict, "receivable.ref_used", "the payment {ref} is recorded already")
	ErrPayDate     = fault.New(fault.Invalid, "receivable.pay_date", "the day of the payment lies between {from} and today")
	ErrWhy         = fault.New(fault.Invalid, "receivable.why", "say why in the note")
	ErrReview      = fault.New(fault.Invalid, "receivable.review", "the term is longer than {months} months; say in the note why it is usual in this trade before you finance it")
	ErrNote        = fault.New(fault.Invalid, "receivable.note", "shorten the text to {max} characters")
	ErrFunder      = fault.New(fault.Invalid, "receivable.funder", "say who finances it")
	ErrRegistered  = fault.New(fault.Conflict, "receivable.registered", "this pledge is registered already under {number}")
	ErrRegNumber   = fault.New(fault.Invalid, "receivable.registration", "write the registration number as on the certificate: 8 to 40 digits and letters")
	ErrPledged     = fault.New(fault.Conflict, "receivable.pledged", "the document {number} is promised to {funder} already")
	ErrNoDocument  = fault.New(fault.Invalid, "receivable.no_document", "name the invoice or the confirmation that shows what is owed")
	ErrDocument    = fault.New(fault.Invalid, "receivable.document", "there is no invoice or confirmation {number} of this supplier to you")
	ErrVoid        = fault.New(fault.Conflict, "receivable.void", "the document {number} was cancelled")
	ErrUnsupported = fault.New(fault.Conflict, "receivable.unsupported", "the document {number} supports {free} yuan more, not {amount}")
	ErrLimit       = fault.New(fault.Conflict, "receivable.limit", "the limit of this anchor would be exceeded; {free} yuan are free")
	ErrKeyReused   = fault.New(fault.Conflict, "receivable.key_reused", "this key was used with other content; make a new key")
	ErrNoKey       = fault.New(fault.Invalid, "receivable.no_key", "send a key of 8 to 128 characters with it, a new one for each act")
	ErrBusy        = fault.New(fault.Unavailable, "receivable.busy", "others are changing this receivable; try again in a moment")
	ErrStale       = fault.New(fault.Conflict, "receivable.stale", "the receivable has changed in the meantime; look at it again")
	ErrBroken      = fault.New(fault.Conflict, "receivable.broken", "the history of receivable {id} does not fit at event {seq}: {why}")
	ErrCommand     = fault.New(fault.Invalid, "receivable.command", "there is nothing like {kind} to be done with a receivable")
)

// Bounds of a receivable.
const (
	MaxAmount money.Fen = 10_000_000_000_000 // 100 billion yuan: more is a mistake of unit
	MaxParts  int       = 2000               // each command reads and writes all of them
	maxText   int       = 500
)

// Rules are what a house may set tighter than the law.
type Rules struct {
	TermMonths int // the term without a due date, and the longest one without a reason
	MaxMonths  int // the longest term
}

// DefaultRules are those of the Chinese rule in force since 2025-06-15: six months in
// principle, one year at most.
func DefaultRules() Rules { return Rules{TermMonths: 6, MaxMonths: 12} }

// State is where a receivable stands.
type State string

// States. A receivable that is confirmed or accepted is owed; see [Receivable.Overdue].
const (
	Proposed  State = "proposed"  // drawn up by the obligor, binds nobody
	Confirmed State = "confirmed" // the obligor owes it
	Accepted  State = "accepted"  // the supplier took it: it can move
	Redeemed  State = "redeemed"  // paid or set off to the last fen
	Cancelled State = "cancelled"
)

// HoldKind says why a part cannot move.
type HoldKind string

// Kinds of hold.
const (
	Asked   HoldKind = "asked"   // its holder asks for finance
	Pledged HoldKind = "pledged" // financed
	Frozen  HoldKind = "frozen"  // stopped by the bank, for a dispute or a court
)

// Hold keeps a part from moving. Of a pledge, Owed is what the holder owes the funder
// now: that much of each payment goes there first.
type Hold struct {
	Kind         HoldKind  `json:"kind"`
	Since        time.Time `json:"since"`
	Funder       string    `json:"funder,omitempty"`
	Ref          string    `json:"ref,omitempty"` // loan or application
	Owed         money.Fen `json:"owed,omitempty"`
	Registration string    `json:"registration,omitempty"` // of the pledge in the public register (中登网)
	Note         string    `json:"note,omitempty"`
}

// Part is what one firm got. Remaining is what it has not passed on, paid or not.
type Part struct {
	ID        string    `json:"id"`
	Number    string    `json:"number"`
	ParentID  string    `json:"parent_id,omitempty"` // "" of the root
	HolderID  string    `json:"holder_id"`
	Amount    money.Fen `json:"amount"`
	Remaining money.Fen `json:"remaining"`
	Paid      money.Fen `json:"paid"`
	Hold      *Hold     `json:"hold,omitempty"`
	MadeAt    time.Time `json:"made_at"`
}

// Open is what the obligor still owes on the part.
func (p Part) Open() money.Fen { return p.Remaining - p.Paid }

// Free is what its holder may pass on.
func (p Part) Free() money.Fen {
	if p.Hold != nil {
		return 0
	}
	return p.Open()
}

// Support is a document that shows the debt, and for how much of it the receivable
// stands. Key is the same for all documents of one invoice.
type Support struct {
	DocumentID string    `json:"document_id"`
	Kind       string    `json:"kind"` // of chain.DocKind
	Number     string    `json:"number"`
	Key        string    `json:"key"`
	Amount     money.Fen `json:"amount"`
}

// Redemption is the fact that the obligor paid. Shares are in its event only.
type Redemption struct {
	Ref    string     `json:"ref"` // of the bank transfer
	Amount money.Fen  `json:"amount"`
	Date   money.Date `json:"date"`
	Shares []Share    `json:"shares,omitempty"`
}

// Share is what one part gets of a payment: the funder first, up to what is owed to
// it, the rest to the holder.
type Share struct {
	PartID   string    `json:"part_id"`
	HolderID string    `json:"holder_id"`
	ToHolder money.Fen `json:"to_holder"`
	Funder   string    `json:"funder,omitempty"`
	ToFunder money.Fen `json:"to_funder,omitempty"`
}

// Receivable is the state after Version events. Parts are in the order in which they
// were made; the first is the root and has the receivable's own id.
type Receivable struct {
	ID         string     `json:"id"`
	Tenant     string     `json:"-"`
	Number     string     `json:"number"`
	ObligorID  string     `json:"obligor_id"`
	CreditorID string     `json:"creditor_id"` // the supplier who got it first
	Amount     money.Fen  `json:"amount"`
	Paid       money.Fen  `json:"paid"`    // in money
	SetOff     money.Fen  `json:"set_off"` // against what a holder owed the obligor
	Issued     money.Date `json:"issued"`  // when it was confirmed; "" before
	Due        money.Date `json:"due"`
	Documents  []Support  `json:"documents"`
	Note       string     `json:"note,omitempty"`
	Batch      string     `json:"batch,omitempty"` // the file that brought it
	State      State      `json:"state"`
	// CancelAskedBy is the firm that wants to cancel, while the other has not agreed.
	CancelAskedBy string       `json:"cancel_asked_by,omitempty"`
	Version       int64        `json:"version"`
	Head          string       `json:"head"` // hash of the last event
	ProposedAt    time.Time    `json:"proposed_at"`
	UpdatedAt     time.Time    `json:"updated_at"`
	Payments      []Redemption `json:"payments"`
	Parts         []Part       `json:"parts"`
}

// Outstanding is what the obligor still owes.
func (r Receivable) Outstanding() money.Fen {
	if r.State != Confirmed && r.State != Accepted {
		return 0
	}
	return r.Amount - r.Paid - r.SetOff
}

// Financed is what the holders owe their funders on it.
func (r Receivable) Financed() money.Fen {
	var sum money.Fen
	for _, p := range r.Parts {
		if p.Hold != nil && p.Hold.Kind == Pledged {
			sum += p.Hold.Owed
		}
	}
	return sum
}

// Overdue says whether it was to be paid before today and is not.
func (r Receivable) Overdue(today money.Date) bool { return r.Outstanding() > 0 && today > r.Due }

// Part returns a part by its id; "" is the root.
func (r Receivable) Part(id string) (Part, bool) {
	if i := r.index(id); i >= 0 {
		return r.Parts[i], true
	}
	return Part{}, false
}

func (r Receivable) index(id string) int {
	if id == "" {
		id = r.ID
	}
	return slices.IndexFunc(r.Parts, func(p Part) bool { return p.ID == id })
}

// Chain is the way of a part from the first creditor, the root first.
func (r Receivable) Chain(id string) []Part {
	var way []Part
	for p, ok := r.Part(id); ok; p, ok = r.Part(p.ParentID) {
		way = append(way, p)
		if p.ParentID == "" {
			break
		}
	}
	slices.Reverse(way)
	return way
}

// SeenBy leaves what one of the firms may see: the obligor all, a holder its own
// parts, where they came from and what it passed on, without the pledges of others. ok
// is false for firms that have nothing to do with it.
func (r Receivable) SeenBy(firms []string) (seen Receivable, ok bool) {
	if slices.Contains(firms, r.ObligorID) {
		return r, true
	}
	keep := map[string]bool{}
	for _, p := range r.Parts {
		if !slices.Contains(firms, p.HolderID) {
			continue
		}
		for _, q := range r.Chain(p.ID) {
			keep[q.ID] = true
		}
	}
	for _, p := range r.Parts {
		if parent, found := r.Part(p.ParentID); found && p.ParentID != "" && slices.Contains(firms, parent.HolderID) {
			keep[p.ID] = true
		}
	}
	seen = r
	seen.Parts, seen.Payments = []Part{}, []Redemption{}
	for _, p := range r.Parts {
		if !keep[p.ID] {
			continue
		}
		if !slices.Contains(firms, p.HolderID) {
			p.Hold = nil
		}
		seen.Parts = append(seen.Parts, p)
	}
	// Before it is confirmed, the supplier has nothing to see.
	return seen, len(seen.Parts) > 0 && r.Issued != 0
}

// Filter selects receivables, newest first; zero fields do not restrict.
type Filter struct {
	ObligorIDs []string
	FirmIDs    []string // hold or held a part; proposals are left out
	States     []State
	OverdueOn  money.Date // only those owed and due before this day
	DueFrom    money.Date
	DueTo      money.Date
	Hold       HoldKind // with a part held so
	Batch      string
	Number     string // of the receivable or of a part
	Before     string // cursor: the id of the last one seen
	Limit      int    // 0 means 50; at most 500
}

// Use is how much of a document a change takes (or gives back) and what the document
// supports in all.
type Use struct {
	Key    string
	Number string // for the message
	Amount money.Fen
	Limit  money.Fen
}

// Change is one event with what it leaves behind; a store writes it whole or not at
// all.
type Change struct {
	Before  int64 // version that the change was made from; 0 for a new receivable
	After   Receivable
	Event   Event
	Key     string // with the firm, so that keys of strangers do not meet
	Hash    string // of what was asked
	Touched []Part // parts that are new or changed
	Uses    []Use
	// Outstanding and Financed are by how much the obligor's totals change; Limited says
	// that the change may not pass its limit.
	Outstanding money.Fen
	Financed    money.Fen
	Limited     bool
}

// Done is what an earlier request with the same key did.
type Done struct {
	Hash         string
	ReceivableID string
	Seq          int64
}

// Exposure is what one anchor owes, over all its receivables.
type Exposure struct {
	ObligorID   string     `json:"obligor_id"`
	Limit       *money.Fen `json:"limit,omitempty"` // absent while none was set
	Count       int        `json:"count"`           // of receivables that are owed
	Outstanding money.Fen  `json:"outstanding"`
	Overdue     money.Fen  `json:"overdue"`
	Financed    money.Fen  `json:"financed"`
	NextDue     money.Date `json:"next_due"` // of those not yet due
}

// Store keeps receivables and their events. Implemented in store/receivable.
type Store interface {
	// Receivable returns ErrNotFound when the tenant has none of that id.
	Receivable(ctx context.Context, tenant, id string) (Receivable, error)
	// Receivables lists without restriction on who may see them; Parts are there.
	Receivables(ctx context.Context, tenant string, f Filter) ([]Receivable, error)
	// Events returns the history in order, up to a version; 0 means all.
	Events(ctx context.Context, tenant, id string, upTo int64) ([]Event, error)
	// Done returns what the keys have done; unknown keys are left out.
	Done(ctx context.Context, tenant string, keys []string) (map[string]Done, error)
	// Used returns how much of each document receivables stand for.
	Used(ctx context.Context, tenant string, keys []string) (map[string]money.Fen, error)
	// Append writes the changes of one tenant, all or none. It returns ErrStale when a receivable has
	// moved on from Before or a key is there already, ErrUnsupported when a document
	// would stand for more than it supports, and ErrLimit.
	Append(ctx context.Context, changes []Change) error
	// Exposures lists anchors by what they owe, largest first.
	Exposures(ctx context.Context, tenant string, today money.Date) ([]Exposure, error)
	// SetLimit sets what an anchor may owe over all receivables; nil takes it away.
	SetLimit(ctx context.Context, tenant, obligorID string, limit *money.Fen) error
	// Tenants and IDs list what there is, for the audit.
	Tenants(ctx context.Context) ([]string, error)
	IDs(ctx context.Context, tenant, after string, limit int) ([]string, error)
}
