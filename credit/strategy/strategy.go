// Package strategy brings policies into force: a draft is checked, a second person
// reviews it, it is published, and it can be taken back. Versions never change once
// they are under review. Beside the champion, which decides, a challenger may decide
// for a share of the applicants, and shadows decide without effect; what they would
// have said is kept and compared. History can be decided anew by any version.
package strategy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with versions.
var (
	ErrNotFound   = fault.New(fault.NotFound, "strategy.not_found", "there is no such version of a policy")
	ErrStatus     = fault.New(fault.Conflict, "strategy.status", "a version that is {status} cannot become {to}")
	ErrSamePerson = fault.New(fault.Forbidden, "strategy.same_person", "a second person reviews it: you wrote this version yourself")
	ErrName       = fault.New(fault.Invalid, "strategy.name", "the policy is named {got}, and this is a version of {want}")
	ErrNote       = fault.New(fault.Invalid, "strategy.note", "say in a few words why")
	ErrShare      = fault.New(fault.Invalid, "strategy.share", "a challenger decides for between 0.01 % and 50 % of the applicants")
	ErrMany       = fault.New(fault.Conflict, "strategy.many", "{most} shadows of a policy run already: stop one first")
	ErrChanged    = fault.New(fault.Conflict, "strategy.changed", "somebody else changed this draft meanwhile: read it again")
	ErrNoEvidence = fault.New(fault.Conflict, "strategy.no_evidence", "nothing was decided about this application yet: choose another one")
	ErrDouble     = fault.New(fault.Conflict, "strategy.double", "another version of this policy is {status} already: stop it first")
)

// Status of a version.
type Status string

// Statuses.
const (
	Draft      Status = "draft"
	InReview   Status = "in_review"
	Approved   Status = "approved" // reviewed, without effect
	Rejected   Status = "rejected"
	Champion   Status = "champion"   // decides
	Challenger Status = "challenger" // decides for its share
	Shadow     Status = "shadow"     // decides without effect
	Retired    Status = "retired"    // was a champion
)

// moves are the ways from one status to another.
var moves = map[Status][]Status{
	Draft:      {InReview},
	InReview:   {Draft, Approved, Rejected},
	Approved:   {Champion, Challenger, Shadow},
	Challenger: {Champion, Approved},
	Shadow:     {Champion, Challenger, Approved},
	Champion:   {Retired},
	Retired:    {Champion},
}

// May says whether a version can go from one status to another.
func May(from, to Status) bool { return slices.Contains(moves[from], to) }

// Effective are the statuses of versions that decide, with or without effect.
func Effective() []Status { return []Status{Champion, Challenger, Shadow} }

// Version is one text of a policy. Once it has left Draft its text never changes.
type Version struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"-"`
	Name      string    `json:"name"`    // of the policy: "plot", "herd", "firm", ...
	Number    int       `json:"number"`  // 1, 2, ... within the name
	Label     string    `json:"version"` // as the text calls itself
	Source    string    `json:"source,omitempty"`
	Hash      string    `json:"hash"` // SHA-256 of Source, hex
	Status    Status    `json:"status"`
	ShareBP   int       `json:"share_bp,omitempty"` // of a challenger, basis points of the applicants
	Note      string    `json:"note"`
	Author    string    `json:"author"`
	ByName    string    `json:"author_name"`
	BasedOn   string    `json:"based_on,omitempty"` // version
	Revision  int       `json:"revision"`           // of a draft's text
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// VersionEvent is one move of a version.
type VersionEvent struct {
	VersionID string    `json:"version_id"`
	From      Status    `json:"from"`
	To        Status    `json:"to"`
	Actor     string    `json:"actor"`
	ActorName string    `json:"actor_name"`
	Note      string    `json:"note,omitempty"`
	At        time.Time `json:"at"`
}

// Gist is what a decision comes to.
type Gist struct {
	Outcome credit.Outcome `json:"outcome"`
	Limit   money.Fen      `json:"limit"`
	Rate    money.Rate     `json:"rate"`
	Codes   []string       `json:"codes"` // of its reasons to refuse or refer
}

// Ghost is what a shadow would have decided beside a decision.
type Ghost struct {
	DecisionID    string    `json:"decision_id"`
	VersionID     string    `json:"version_id"`
	ApplicationID string    `json:"application_id"`
	Was           Gist      `json:"was"`
	Would         Gist      `json:"would"`
	Error         string    `json:"error,omitempty"` // why it could not decide
	At            time.Time `json:"at"`
}

// Store keeps versions. Implemented in store/strategy.
type Store interface {
	// Add numbers a draft within its name and keeps it with its first event.
	Add(ctx context.Context, v Version, e VersionEvent) (Version, error)
	// Revise puts v's text and note in place of a draft's of revision v.Revision − 1;
	// ErrChanged, ErrStatus, ErrNotFound.
	Revise(ctx context.Context, v Version) error
	// Version returns ErrNotFound.
	Version(ctx context.Context, tenant, id string) (Version, error)
	// Versions are those of a policy, or of all with "", newest first, without their
	// sources; before is a number or 0.
	Versions(ctx context.Context, tenant, name string, before, limit int) ([]Version, error)
	// Move saves the status and share of v if its stored status is still e.From, with
	// the event. A version that becomes Champion retires the one before it, in the same
	// transaction, by an event of its own. ErrStatus; ErrDouble when there is another
	// challenger; ErrMany when there are most shadows.
	Move(ctx context.Context, v Version, e VersionEvent) error
	Events(ctx context.Context, tenant, versionID string) ([]VersionEvent, error)
	// InForce are the versions that decide, with their sources, and a revision that
	// changes with them.
	InForce(ctx context.Context, tenant string) ([]Version, error)
	Revision(ctx context.Context, tenant string) (int64, error)
	// Haunt keeps what shadows said; the same decision and version once.
	Haunt(ctx context.Context, tenant string, ghosts []Ghost) error
	// Ghosts are those of a version, newest first, before a decision id or "".
	Ghosts(ctx context.Context, tenant, versionID, before string, limit int) ([]Ghost, error)
}

// MostShadows of one policy run at once.
const MostShadows = 3

// Record is a decision of the past with its frozen inputs.
type Record struct {
	Decision credit.Decision
	Evidence []byte // canonical JSON of credit.Evidence
	Product  []byte // JSON of the product
}

// HistoryFilter selects decisions of the past, newest first; zero fields do not
// restrict.
type HistoryFilter struct {
	Policy   string    // name
	Product  string    // code
	From, To time.Time // From <= made < To
	Limit    int       // 0 means 1,000
}

// Fits says whether a decision is among those selected.
func (f HistoryFilter) Fits(r Record) (bool, error) {
	name, _, _ := strings.Cut(r.Decision.Policy, "@")
	if f.Policy != "" && name != f.Policy || !f.To.IsZero() && !r.Decision.MadeAt.Before(f.To) || !f.From.IsZero() && r.Decision.MadeAt.Before(f.From) {
		return false, nil
	}
	if f.Product == "" {
		return true, nil
	}
	var p struct {
		Code string `json:"code"`
	}
	err := json.Unmarshal(r.Product, &p)
	return p.Code == f.Product, err
}

// History reads decisions of the past.
type History interface {
	History(ctx context.Context, tenant string, f HistoryFilter, each func(Record) error) error
}
