package collateral

import (
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// EventKind is what happened to a pool.
type EventKind string

// Kinds of events.
const (
	Opened     EventKind = "open" // with the signature
	Pledge     EventKind = "pledge"
	Revalue    EventKind = "revalue"
	Release    EventKind = "release"
	Substitute EventKind = "substitute"
	Sale       EventKind = "sale"    // with the borrower's will; also a receivable that was paid
	Realise    EventKind = "realise" // against it
	Loss       EventKind = "loss"
	Routed     EventKind = "routed" // proceeds reached the loans
	Filed      EventKind = "file"   // entered in the public register
	Called     EventKind = "call"
	Escalated  EventKind = "escalate"
	Cured      EventKind = "cure"
	Ended      EventKind = "end" // all repaid, or nothing lent
)

// acts are the kinds that people can ask for.
var acts = []EventKind{Pledge, Revalue, Release, Substitute, Sale, Realise, Loss, Filed}

// AssetValue is a new value of an asset.
type AssetValue struct {
	AssetID string    `json:"asset_id"`
	Value   Valuation `json:"value"`
}

// AssetEnd says how an asset left.
type AssetEnd struct {
	AssetID string `json:"asset_id"`
	Status  Status `json:"status"`
}

// PoolOpening is how a pool began.
type PoolOpening struct {
	UserID   string     `json:"user_id"`
	UserName string     `json:"user_name"`
	Product  string     `json:"product"`
	Terms    CoverTerms `json:"terms"`
}

// PoolEvent is one thing that happened to a pool, with who and when, and what the rule saw.
// Events are only ever added; each carries the hash of the one before.
type PoolEvent struct {
	ApplicationID string       `json:"application_id"`
	Seq           int64        `json:"seq"` // 1, 2, ... without gaps
	Kind          EventKind    `json:"kind"`
	At            time.Time    `json:"at"`
	UserID        string       `json:"user_id"` // "system" for the house itself
	UserName      string       `json:"user_name,omitempty"`
	SecondID      string       `json:"second_id,omitempty"` // who agreed
	Opening       *PoolOpening `json:"opening,omitempty"`
	Took          []Asset      `json:"took,omitempty"`
	Values        []AssetValue `json:"values,omitempty"`
	Ends          []AssetEnd   `json:"ends,omitempty"`
	Proceeds      *Proceeds    `json:"proceeds,omitempty"`
	Filing        *Filing      `json:"filing,omitempty"`
	Call          *MarginCall  `json:"call,omitempty"`
	Owed          money.Fen    `json:"owed"` // what was owed when it was decided
	// Delta is by how much the held value moves: the memo entry Entry of the ledger has
	// the same amount, and there is none when it is 0.
	Delta money.Fen `json:"delta"`
	Entry string    `json:"entry,omitempty"` // its idempotency key
	Note  string    `json:"note,omitempty"`
	Prev  string    `json:"prev"`
	Hash  string    `json:"hash"`
}

// seal sets Prev and Hash.
func seal(e PoolEvent, prev string) (PoolEvent, error) {
	e.Prev, e.Hash = prev, ""
	var err error
	if e.Hash, err = ident.Hash(e); err != nil {
		return PoolEvent{}, fmt.Errorf("collateral: %w", err)
	}
	return e, nil
}

// Replay makes a pool from all its events. ErrBroken for a history with a gap, a wrong hash
// or a sum that does not fit.
func Replay(tenant string, events []PoolEvent) (Pool, error) {
	var p Pool
	for _, e := range events {
		sealed, err := seal(e, e.Prev)
		if err != nil {
			return Pool{}, err
		}
		if sealed.Hash != e.Hash {
			return Pool{}, broken(e, "the hash is another")
		}
		if p, err = Apply(p, e); err != nil {
			return Pool{}, err
		}
	}
	p.Tenant = tenant
	return p, nil
}

func broken(e PoolEvent, why string) error {
	return ErrBroken.With("id", e.ApplicationID).With("seq", e.Seq).With("why", why)
}

// Apply returns the pool after e; p is not changed. It holds no business rule, only what
// must be true of every history: ErrBroken otherwise.
func Apply(p Pool, e PoolEvent) (Pool, error) {
	switch {
	case e.Seq != p.Version+1, e.Prev != p.Head, (e.Kind == Opened) != (p.Version == 0), p.Version > 0 && e.ApplicationID != p.ApplicationID:
		return Pool{}, broken(e, "it does not follow the one before")
	case p.Closed && e.Kind != Routed:
		return Pool{}, broken(e, "the pool had ended")
	}
	before := Measure(p, 0).Value
	p.Assets, p.Proceeds, p.Filings = slices.Clone(p.Assets), slices.Clone(p.Proceeds), slices.Clone(p.Filings)
	if e.Kind == Opened {
		if e.Opening == nil {
			return Pool{}, broken(e, "it has no opening")
		}
		o := e.Opening
		p = Pool{
			ApplicationID: e.ApplicationID, UserID: o.UserID, UserName: o.UserName, Product: o.Product, Terms: o.Terms,
			Assets: []Asset{}, Filings: []Filing{}, Proceeds: []Proceeds{}, OpenedAt: e.At,
		}
	}
	if why := change(&p, e); why != "" {
		return Pool{}, broken(e, why)
	}
	if Measure(p, 0).Value-before != e.Delta {
		return Pool{}, broken(e, "the held value moved by another amount")
	}
	p.Version, p.Head, p.UpdatedAt = e.Seq, e.Hash, e.At
	return p, nil
}

// change applies what e holds, and says what does not fit.
func change(p *Pool, e PoolEvent) string {
	for _, a := range e.Took {
		if p.index(a.ID) >= 0 || a.Status != Held {
			return "it takes what is there already"
		}
		p.Assets = append(p.Assets, a)
	}
	for _, v := range e.Values {
		i := p.index(v.AssetID)
		if i < 0 || p.Assets[i].Status != Held {
			return "it values what is not held"
		}
		p.Assets[i].Value = v.Value
	}
	for _, x := range e.Ends {
		i := p.index(x.AssetID)
		if i < 0 || p.Assets[i].Status != Held || x.Status == Held {
			return "it ends what is not held"
		}
		at := e.At
		p.Assets[i].Status, p.Assets[i].EndedAt = x.Status, &at
	}
	if e.Filing != nil {
		p.Filings = append(p.Filings, *e.Filing)
	}
	switch e.Kind {
	case Sale, Realise:
		if e.Proceeds == nil || e.Proceeds.Seq != e.Seq {
			return "it has no proceeds"
		}
		p.Proceeds = append(p.Proceeds, *e.Proceeds)
	case Routed:
		i := -1
		if e.Proceeds != nil {
			i = slices.IndexFunc(p.Proceeds, func(x Proceeds) bool { return x.Seq == e.Proceeds.Seq && !x.Routed })
		}
		if i < 0 {
			return "it routes what does not wait"
		}
		p.Proceeds[i] = *e.Proceeds
	case Called:
		if e.Call == nil || p.Call != nil {
			return "a call is open already"
		}
		p.Call = e.Call
		p.Calls++
	case Escalated, Cured:
		if e.Call == nil || p.Call == nil || e.Call.ID != p.Call.ID {
			return "there is no such call"
		}
		if p.Call = e.Call; e.Kind == Cured {
			p.Call = nil
		}
	case Ended:
		if len(p.Holds()) > 0 {
			return "it ends while something is held"
		}
		p.Closed, p.Call = true, nil
	default:
	}
	return ""
}
