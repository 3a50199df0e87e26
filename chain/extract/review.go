package extract

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with a decision about a fact.
var (
	ErrFactNotFound = fault.New(fault.NotFound, "fact.not_found", "there is no such fact")
	ErrFactDecided  = fault.New(fault.Conflict, "fact.decided", "this fact is {state} already")
	ErrFactOpen     = fault.New(fault.Conflict, "fact.open", "nothing is decided about this fact yet")
	ErrFactUnnamed  = fault.New(fault.Invalid, "fact.unnamed", "choose the firm that “{name}” means before accepting the fact")
	ErrFactSelf     = fault.New(fault.Invalid, "fact.self", "both names mean the same firm; a firm does not trade with itself")
)

// Status is the place of a name among the firms of a tenant.
type Status string

// Statuses.
const (
	Known     Status = "known"
	Ambiguous Status = "ambiguous" // several firms fit
	New       Status = "new"       // none does
)

// Match is the firm that a name means.
type Match struct {
	Status Status  `json:"status"`
	FirmID string  `json:"firm_id,omitempty"` // when known
	Score  float64 `json:"score"`             // 0 to 1
}

// Resolver finds the firm that a name in a document means.
type Resolver interface {
	Resolve(ctx context.Context, tenant, name string) (Match, error)
}

// State is what was decided about a fact.
type State string

// States.
const (
	Pending  State = "pending"
	Accepted State = "accepted"
	Rejected State = "rejected"
)

// Claim is a fact in the books: whom it is about and what was decided.
type Claim struct {
	ID       string `json:"id"`
	Tenant   string `json:"-"`
	Key      string `json:"-"` // identity, made by Claims: the same document again has the same
	Document string `json:"document"`
	SHA256   string `json:"sha256"`
	Fact     Fact   `json:"fact"`
	HeadID   string `json:"head_id,omitempty"`
	TailID   string `json:"tail_id,omitempty"`
	State    State  `json:"state"`
	// Reason is why it waits: low_confidence, planned, scanned, head_ambiguous, head_new,
	// tail_ambiguous, tail_new, reopened; or what a person said to it.
	Reason    string     `json:"reason,omitempty"`
	DecidedBy string     `json:"decided_by,omitempty"` // a person's id, or the extractor with its version
	DecidedAt *time.Time `json:"decided_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
}

// AcceptFrom is the confidence from which a fact about known firms needs no person.
const AcceptFrom = 0.8

// Claims resolves the firms of facts and says which of them stand by themselves and
// which wait for a person. A fact whose two names mean one firm is dropped and counted.
func Claims(ctx context.Context, r Resolver, tenant string, d Document, facts []Fact, o *Outcome, now time.Time) ([]Claim, error) {
	matches := map[string]Match{}
	resolve := func(name string) (Match, error) {
		if m, ok := matches[name]; ok {
			return m, nil
		}
		m, err := r.Resolve(ctx, tenant, name)
		if err != nil {
			return m, fmt.Errorf("extract: resolve a name: %w", err)
		}
		matches[name] = m
		return m, nil
	}
	out := make([]Claim, 0, len(facts))
	for _, f := range facts {
		head, err := resolve(f.Head)
		if err != nil {
			return nil, err
		}
		tail, err := resolve(f.Tail)
		if err != nil {
			return nil, err
		}
		if head.FirmID != "" && head.FirmID == tail.FirmID {
			o.Drop("self")
			continue
		}
		claim := Claim{
			ID: ident.New(), Tenant: tenant, Key: key(d, f), Document: d.Name, SHA256: d.SHA256, Fact: f,
			HeadID: head.FirmID, TailID: tail.FirmID, State: Pending, CreatedAt: now,
		}
		switch {
		case head.Status != Known:
			claim.Reason = "head_" + string(head.Status)
		case tail.Status != Known:
			claim.Reason = "tail_" + string(tail.Status)
		case d.Scanned:
			claim.Reason = "scanned"
		case f.Planned:
			claim.Reason = "planned"
		case f.Confidence*head.Score*tail.Score < AcceptFrom:
			claim.Reason = "low_confidence"
		default:
			claim.State, claim.DecidedBy, claim.DecidedAt = Accepted, f.Extractor+" "+f.Version, &now
		}
		out = append(out, claim)
	}
	o.Close(len(out), o.Empty)
	return out, nil
}

// Supply returns the firms between which the claim is a link of trade: only what is
// accepted, and only where it is said who sells to whom. A deal in shares or a contract
// whose sides are not told apart would be a guess.
func (c Claim) Supply() (sellerID, buyerID string, ok bool) {
	return c.HeadID, c.TailID, c.State == Accepted && c.Fact.Relation == Supply && c.HeadID != "" && c.TailID != ""
}

// key is the identity of a fact in the books: what it says and where. Extractor and
// confidence are not part of it, so that what a person decided stays decided.
func key(d Document, f Fact) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{d.SHA256, f.identity(), f.Quote}, "\x1e")))
	return hex.EncodeToString(sum[:])
}

// ClaimFilter selects facts; zero fields do not restrict.
type ClaimFilter struct {
	State  State
	FirmID string // as head or tail
	After  string // id
	Limit  int    // 0 means 100; at most 1000
}

// Decision is what a person makes of a fact. HeadID and TailID name the firms when the
// names did not; "" leaves what was resolved.
type Decision struct {
	State          State // Accepted or Rejected; Pending takes a decision back
	Reason         string
	HeadID, TailID string
	By             string
	At             time.Time
}

// Store keeps facts with their decisions. Implemented in store/firm.
type Store interface {
	// SaveClaims adds those that are not in the books yet and leaves the others as
	// they are; it returns how many were added.
	SaveClaims(ctx context.Context, claims []Claim) (added int, err error)
	// Claim returns ErrFactNotFound.
	Claim(ctx context.Context, tenant, id string) (Claim, error)
	// Claims are in the order of their ids, which is that of their creation.
	Claims(ctx context.Context, tenant string, f ClaimFilter) ([]Claim, error)
	// DecideClaim accepts or rejects a pending fact, or takes that back. An accepted fact
	// of supply is a link between its firms for as long as it stays accepted. It returns
	// ErrFactNotFound, ErrFactDecided when somebody was faster, ErrFactOpen when there is
	// nothing to take back, ErrFactUnnamed when a firm is still missing, ErrFactSelf when
	// both are one, chain.ErrFirmNotFound for a firm that is not there.
	DecideClaim(ctx context.Context, tenant, id string, d Decision) (Claim, error)
}

// reopened is why a fact waits whose decision was taken back.
const reopened = "reopened"

// Decide is the claim as the decision makes it. It returns ErrFactDecided, ErrFactOpen,
// ErrFactUnnamed or ErrFactSelf.
func (c Claim) Decide(d Decision) (Claim, error) {
	if d.State == Pending {
		if c.State == Pending {
			return c, ErrFactOpen
		}
		c.State, c.Reason, c.DecidedBy, c.DecidedAt = Pending, reopened, "", nil
		return c, nil
	}
	if c.State != Pending {
		return c, ErrFactDecided.With("state", string(c.State))
	}
	if d.HeadID != "" {
		c.HeadID = d.HeadID
	}
	if d.TailID != "" {
		c.TailID = d.TailID
	}
	if d.State == Accepted {
		switch {
		case c.HeadID == "":
			return c, ErrFactUnnamed.With("name", c.Fact.Head)
		case c.TailID == "":
			return c, ErrFactUnnamed.With("name", c.Fact.Tail)
		case c.HeadID == c.TailID:
			return c, ErrFactSelf
		}
	}
	c.State, c.Reason, c.DecidedBy, c.DecidedAt = d.State, d.Reason, d.By, &d.At
	return c, nil
}
