package party

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with merges.
var (
	ErrMergeSelf     = fault.New(fault.Invalid, "merge.self", "a firm cannot be merged with itself; name two firms")
	ErrMergeDone     = fault.New(fault.Conflict, "merge.done", "the two are one firm already")
	ErrMergeDecided  = fault.New(fault.Conflict, "merge.decided", "{who} said that {a} and {b} are {answer}; undo that first")
	ErrMergeNotFound = fault.New(fault.NotFound, "merge.not_found", "there is no such merge or split")
	ErrMergeEnded    = fault.New(fault.Conflict, "merge.ended", "that is undone already, or is an undo itself; merge or split again instead")
)

// MergeKind is what was done to two firms.
type MergeKind string

// Kinds of change. A split says that two firms are not the same; an undo takes one of
// the others back.
const (
	Merged MergeKind = "merge"
	Parted MergeKind = "split"
	Undone MergeKind = "undo"
)

// Merge is an entry of the log of merges: who did what to which firms, when and why.
type Merge struct {
	ID      string    `json:"id"`
	Tenant  string    `json:"-"`
	Kind    MergeKind `json:"kind"`
	FirmID  string    `json:"firm_id"`  // was found to be, or not to be,
	OtherID string    `json:"other_id"` // this one, which survives
	// ByID is the person who decided, "" for the machine. A person's word holds
	// against the machine until a person takes it back.
	ByID     string            `json:"by_id,omitempty"`
	ByName   string            `json:"by_name"`
	At       time.Time         `json:"at"`
	Why      string            `json:"why"`
	Score    float64           `json:"score"` // of a machine: probability that they are the same
	Evidence map[string]string `json:"evidence,omitempty"`
	Undoes   string            `json:"undoes,omitempty"`
	EndedBy  string            `json:"ended_by,omitempty"` // the undo or split that took it back
}

// Pair is two firms that may be one: for a person to look at.
type Pair struct {
	Tenant  string            `json:"-"`
	FirmID  string            `json:"firm_id"`
	OtherID string            `json:"other_id"`
	Score   float64           `json:"score"`
	Reasons map[string]string `json:"reasons"`
	FoundAt time.Time         `json:"found_at"`
}

// Merges keeps which firms are one. Implemented in store/firm. Firms never change
// their ids: a merge says for whom they count, and undoing it tells them apart again.
type Merges interface {
	// Merge makes the firm and those one with it count for the other's survivor; the
	// machine always keeps the older of the two. It returns ErrMergeSelf,
	// chain.ErrFirmNotFound, ErrMergeDone, or ErrMergeDecided when a person said
	// that a firm of the one side is not one of the other.
	Merge(ctx context.Context, m Merge) (Merge, error)
	// Split is a person's word that two firms are not the same. Where they were one,
	// the weakest merges of the machine between them end. It returns
	// ErrMergeDecided when people's merges alone hold them together.
	Split(ctx context.Context, m Merge) (Merge, error)
	// Undo takes the merge or split m.Undoes back. It returns ErrMergeNotFound,
	// ErrMergeEnded, or ErrMergeDecided when that would join what people said is not one.
	Undo(ctx context.Context, m Merge) (Merge, error)
	// History returns the log, newest first, of a firm or, with firmID "", of all.
	History(ctx context.Context, tenant, firmID string, limit int) ([]Merge, error)
	// Suggest keeps pairs for a person to look at, except those that a person
	// decided or that are one already; Suggestions returns them, surest first.
	Suggest(ctx context.Context, tenant string, pairs []Pair) error
	Suggestions(ctx context.Context, tenant string, limit int) ([]Pair, error)
}
