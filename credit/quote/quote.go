// Package quote decides about borrowers on the evidence that is kept of them, without
// an application: a partner asks what somebody could borrow, and a bank that changed
// its policy asks it of everybody at once. A snapshot is the evidence of one borrower
// for one subject and product as it was last gathered; deciding about it reads nothing
// else.
package quote

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with quotes.
var (
	ErrNotFound  = fault.New(fault.NotFound, "quote.not_found", "no evidence is kept under this id: apply once, so that it is gathered")
	ErrNoConsent = fault.New(fault.Forbidden, "quote.no_consent", "the borrower has not agreed to a decision about this evidence")
	ErrRun       = fault.New(fault.NotFound, "quote.run", "there is no such run, or it has ended")
)

// Snapshot is the newest frozen evidence of a borrower for a subject and product.
type Snapshot struct {
	ID       string         `json:"id"`
	Tenant   string         `json:"-"`
	UserID   string         `json:"user_id"`
	Subject  credit.Subject `json:"subject"`
	Product  string         `json:"product"`
	Evidence []byte         `json:"-"`             // canonical JSON of credit.Evidence
	Hash     string         `json:"evidence_hash"` // its SHA-256, hex
	TakenAt  time.Time      `json:"taken_at"`
	// BroughtBy are the user ids of who brought an application for its borrower, subject and
	// product, and the ids of the firms they speak for.
	BroughtBy []string `json:"-"`
}

// visibleTo says whether somebody of the tenant may know of a snapshot: a partner only of
// those that an application of its own is about.
func (s Snapshot) visibleTo(who access.Actor) bool {
	return who.Role != access.Partner || slices.Contains(s.BroughtBy, who.UserID) || who.FirmID != "" && slices.Contains(s.BroughtBy, who.FirmID)
}

// Verdict is what was last decided about a snapshot by a run.
type Verdict struct {
	SnapshotID   string         `json:"snapshot_id"`
	RunID        string         `json:"run_id"`
	Outcome      credit.Outcome `json:"outcome"`
	Limit        money.Fen      `json:"limit"`
	Rate         money.Rate     `json:"rate"`
	Score        int            `json:"score"`
	Policy       string         `json:"policy"` // name@version:hash; "" when nothing could be decided
	EvidenceHash string         `json:"evidence_hash"`
	Error        string         `json:"error,omitempty"`
	At           time.Time      `json:"at"`
}

// Kept is a quote with what it saw.
type Kept struct {
	Tenant   string
	Snapshot string
	Decision credit.Decision
	Frozen   strategy.Frozen // without the evidence where that is the snapshot's
	Product  string          // SHA-256 of Frozen.Product, hex
	Policy   string          // SHA-256 of Frozen.Policy, hex
	Line     access.Entry    // of the audit trail
}

// Run is one deciding about everybody.
type Run struct {
	ID        string     `json:"id"`
	Tenant    string     `json:"-"`
	Product   string     `json:"product,omitempty"` // code; "" is all
	By        string     `json:"by"`
	After     string     `json:"after"` // the last snapshot that is done
	Done      int64      `json:"done"`
	Offers    int64      `json:"offers"`
	Referrals int64      `json:"referrals"`
	Refusals  int64      `json:"refusals"`
	Failed    int64      `json:"failed"`
	Raised    int64      `json:"raised"` // limits, against the verdict before
	Lowered   int64      `json:"lowered"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// Store keeps snapshots, quotes and runs. Implemented in store/quote.
type Store interface {
	// Put keeps the newest evidence of each borrower, subject and product; older
	// evidence changes nothing. What it replaces stays readable, for the quotes about it.
	Put(ctx context.Context, snapshots []Snapshot) error
	// Snapshot returns ErrNotFound. It and ByUser say who brought applications.
	Snapshot(ctx context.Context, tenant, id string) (Snapshot, error)
	// Of returns the snapshot of a borrower's subject and product; ErrNotFound.
	Of(ctx context.Context, tenant, userID string, s credit.Subject, product string) (Snapshot, error)
	// Snapshots are at most limit of them in the order of their ids, after an id.
	Snapshots(ctx context.Context, tenant, product, after string, limit int) ([]Snapshot, error)
	// ByUser are those of a borrower, without their evidence.
	ByUser(ctx context.Context, tenant, userID string) ([]Snapshot, error)
	// Drop forgets the snapshots of a borrower: nothing is decided on them any more. What
	// was decided on their evidence can still be replayed.
	Drop(ctx context.Context, tenant, userID string) error
	// Keep saves a quote and its line of the audit trail, both or neither.
	Keep(ctx context.Context, k Kept) error
	// Quote returns a quote and what it saw; ErrNotFound.
	Quote(ctx context.Context, tenant, id string) (credit.Decision, strategy.Frozen, error)
	// AddRun begins a run; Run returns ErrRun.
	AddRun(ctx context.Context, r Run) error
	Run(ctx context.Context, tenant, id string) (Run, error)
	Runs(ctx context.Context, tenant string, limit int) ([]Run, error)
	// Advance saves verdicts and the run, in one transaction; it counts into r.Raised
	// and r.Lowered the limits that differ from the verdicts before. ErrRun when the
	// stored run is not where r came from: another process runs it.
	Advance(ctx context.Context, r Run, from string, v []Verdict) (Run, error)
	Verdict(ctx context.Context, tenant, snapshotID string) (Verdict, error)
}

// Strategies say who decides; strategy.Service is one.
type Strategies interface {
	Choose(ctx context.Context, tenant, name string, who credit.Applicant) (strategy.Choice, error)
	Decide(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product, at time.Time) (credit.Decision, strategy.Frozen, error)
	Raises(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product) ([]credit.Reason, error)
}

// Config is what the service needs.
type Config struct {
	Store      Store
	Strategies Strategies
	Products   *product.Catalogue
	Agreed     func(ev credit.Evidence) bool // whether its consents carry a decision
	Now        func() time.Time
}

// Service decides about snapshots.
type Service struct {
	cfg   Config
	known *lately
	terms terms
}

// New returns a service.
func New(cfg Config) *Service { return &Service{cfg: cfg, known: newLately(1024)} }

// terms are the texts of the catalogue's products, which never change, by code.
type terms struct {
	mu   sync.Mutex
	text map[string]term
}

type term struct {
	json []byte
	hash string
}

func (t *terms) of(p product.Product) (term, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x, ok := t.text[p.Code]; ok {
		return x, nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return term{}, err
	}
	if t.text == nil {
		t.text = make(map[string]term)
	}
	t.text[p.Code] = term{b, credit.Hash(b)}
	return t.text[p.Code], nil
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Request asks for a quote. The amount and the term may differ from those that the
// evidence was gathered for; zero means the same.
type Request struct {
	SnapshotID string    `json:"snapshot_id"`
	Asked      money.Fen `json:"asked,omitempty"`
	TermMonths int       `json:"term_months,omitempty"`
	// Raises asks also for what would raise the limit, which takes some dozens of decisions.
	Raises bool   `json:"raises,omitempty"`
	Action string `json:"-"` // what the audit trail calls it
}

// Quote decides about a snapshot and keeps the decision with all it saw, and with the
// line of the audit trail: one wait for the disk and not two. ErrNotFound, ErrNoConsent,
// product.ErrAmount, product.ErrTerm.
func (s *Service) Quote(ctx context.Context, actor access.Actor, req Request) (credit.Decision, error) {
	snap, err := s.cfg.Store.Snapshot(ctx, actor.Tenant, req.SnapshotID)
	if err != nil {
		return credit.Decision{}, err
	}
	if !snap.visibleTo(actor) {
		return credit.Decision{}, ErrNotFound
	}
	ev, err := s.known.evidence(snap)
	if err != nil {
		return credit.Decision{}, err
	}
	if !s.cfg.Agreed(ev) {
		return credit.Decision{}, ErrNoConsent
	}
	prod, err := s.cfg.Products.Product(snap.Product)
	if err != nil {
		return credit.Decision{}, err
	}
	var other []byte // evidence that is not the snapshot's
	if req.Asked != 0 || req.TermMonths != 0 {
		if req.Asked != 0 {
			ev.Asked = req.Asked
		}
		if req.TermMonths != 0 {
			ev.TermMonths = req.TermMonths
		}
		if err := prod.Check(snap.Subject.Kind, ev.Asked, ev.TermMonths); err != nil {
			return credit.Decision{}, err
		}
		if other, snap.Hash, err = credit.Canonical(ev); err != nil {
			return credit.Decision{}, err
		}
	}
	text, err := s.terms.of(prod)
	if err != nil {
		return credit.Decision{}, err
	}
	k := Kept{Tenant: actor.Tenant, Snapshot: snap.ID, Product: text.hash}
	var by *policy.Policy
	if k.Decision, k.Frozen, by, err = s.decide(ctx, snap, ev, prod); err != nil {
		return credit.Decision{}, err
	}
	k.Policy = by.Hash
	if req.Raises {
		if k.Decision.Raises, err = s.cfg.Strategies.Raises(ctx, snap.Tenant, by, ev, prod); err != nil {
			return credit.Decision{}, err
		}
	}
	k.Frozen.Evidence, k.Frozen.Product = other, text.json
	k.Line = access.Entry{Tenant: actor.Tenant, Actor: actor.UserID, Action: req.Action, Object: k.Decision.ID, Result: "done", At: s.now()}
	return k.Decision, s.cfg.Store.Keep(ctx, k)
}

// decide gives a decision, what it saw but the evidence and the product, and the policy.
func (s *Service) decide(ctx context.Context, snap Snapshot, ev credit.Evidence, prod product.Product) (credit.Decision, strategy.Frozen, *policy.Policy, error) {
	choice, err := s.cfg.Strategies.Choose(ctx, snap.Tenant, prod.Policy, ev.Applicant)
	if err != nil {
		return credit.Decision{}, strategy.Frozen{}, nil, err
	}
	began := time.Now()
	d, frozen, err := s.cfg.Strategies.Decide(ctx, snap.Tenant, choice.Decides.Policy, ev, prod, s.now())
	if err != nil {
		return credit.Decision{}, strategy.Frozen{}, nil, err
	}
	d.ID, d.EvidenceHash, d.Micros = ident.New(), snap.Hash, time.Since(began).Microseconds()
	return d, frozen, choice.Decides.Policy, nil
}

// lately remembers evidence that was read, by its hash: the same people are asked
// about again and again.
type lately struct {
	mu   sync.Mutex
	most int
	now  map[string]credit.Evidence
	old  map[string]credit.Evidence // those before now was full
}

func newLately(most int) *lately {
	return &lately{most: most, now: make(map[string]credit.Evidence), old: make(map[string]credit.Evidence)}
}

func (l *lately) evidence(snap Snapshot) (credit.Evidence, error) {
	l.mu.Lock()
	ev, ok := l.now[snap.Hash]
	if !ok {
		ev, ok = l.old[snap.Hash]
	}
	l.mu.Unlock()
	if ok {
		return ev, nil
	}
	ev, err := credit.Read(snap.Evidence)
	if err != nil {
		return ev, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.now) >= l.most {
		l.now, l.old = make(map[string]credit.Evidence, l.most), l.now
	}
	l.now[snap.Hash] = ev
	return ev, nil
}

// Start begins a run over everybody, or over those of a product.
func (s *Service) Start(ctx context.Context, actor access.Actor, prod string) (Run, error) {
	if prod != "" {
		if _, err := s.cfg.Products.Product(prod); err != nil {
			return Run{}, err
		}
	}
	r := Run{ID: ident.New(), Tenant: actor.Tenant, Product: prod, By: actor.UserID, StartedAt: s.now()}
	return r, s.cfg.Store.AddRun(ctx, r)
}

// page is how many snapshots are decided about in one step of a run.
const page = 4096

// Go takes a run on from where it stands to its end, and tells each step. After a crash
// or a cancelled ctx it is called again with the same id: what is done stays done.
func (s *Service) Go(ctx context.Context, tenant, id string, workers int, tell func(Run)) (Run, error) {
	r, err := s.cfg.Store.Run(ctx, tenant, id)
	if err != nil || r.EndedAt != nil {
		return r, err
	}
	type read struct {
		snaps []Snapshot
		err   error
	}
	ahead := make(chan read, 1)
	ctx, cancel := context.WithCancel(ctx)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	product, after := r.Product, r.After // r moves on beside the reader
	reader.Go(func() {
		for {
			snaps, err := s.cfg.Store.Snapshots(ctx, tenant, product, after, page)
			select {
			case ahead <- read{snaps, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || len(snaps) == 0 {
				return
			}
			after = snaps[len(snaps)-1].ID
		}
	})
	for {
		var next read
		select {
		case next = <-ahead:
		case <-ctx.Done():
			return r, ctx.Err()
		}
		if next.err != nil {
			return r, next.err
		}
		verdicts := s.verdicts(ctx, r, next.snaps, workers)
		if err := ctx.Err(); err != nil {
			return r, err
		}
		from := r.After
		if len(next.snaps) == 0 {
			now := s.now()
			r.EndedAt = &now
		} else {
			r.After = next.snaps[len(next.snaps)-1].ID
		}
		if r, err = s.cfg.Store.Advance(ctx, count(r, verdicts), from, verdicts); err != nil {
			return r, err
		}
		tell(r)
		if r.EndedAt != nil {
			return r, nil
		}
	}
}

func count(r Run, verdicts []Verdict) Run {
	for _, v := range verdicts {
		r.Done++
		switch {
		case v.Error != "":
			r.Failed++
		case v.Outcome == credit.Offer:
			r.Offers++
		case v.Outcome == credit.Refer:
			r.Referrals++
		default:
			r.Refusals++
		}
	}
	return r
}

// verdicts decides about snapshots on so many workers, in their order.
func (s *Service) verdicts(ctx context.Context, r Run, snaps []Snapshot, workers int) []Verdict {
	out := make([]Verdict, len(snaps))
	var wait sync.WaitGroup
	for part := range slices.Chunk(indexes(len(snaps)), max(1, (len(snaps)+workers-1)/workers)) {
		wait.Go(func() {
			for _, i := range part {
				if ctx.Err() != nil {
					return
				}
				out[i] = s.verdict(ctx, r, snaps[i])
			}
		})
	}
	wait.Wait()
	return out
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (s *Service) verdict(ctx context.Context, r Run, snap Snapshot) Verdict {
	v := Verdict{SnapshotID: snap.ID, RunID: r.ID, EvidenceHash: snap.Hash, At: s.now()}
	d, err := func() (credit.Decision, error) {
		ev, err := credit.Read(snap.Evidence)
		if err != nil {
			return credit.Decision{}, err
		}
		if !s.cfg.Agreed(ev) {
			return credit.Decision{}, ErrNoConsent
		}
		prod, err := s.cfg.Products.Product(snap.Product)
		if err != nil {
			return credit.Decision{}, err
		}
		d, _, _, err := s.decide(ctx, snap, ev, prod)
		return d, err
	}()
	if err != nil {
		v.Error = err.Error()
		return v
	}
	v.Outcome, v.Limit, v.Rate, v.Score, v.Policy = d.Outcome, d.Limit, d.Rate, d.Score, d.Policy
	return v
}

// Kept are the snapshots of a borrower that the actor may know of, without their evidence.
func (s *Service) Kept(ctx context.Context, actor access.Actor, userID string) ([]Snapshot, error) {
	all, err := s.cfg.Store.ByUser(ctx, actor.Tenant, userID)
	return slices.DeleteFunc(all, func(x Snapshot) bool { return !x.visibleTo(actor) }), err
}

// Runs are the last ones, newest first.
func (s *Service) Runs(ctx context.Context, tenant string, limit int) ([]Run, error) {
	return s.cfg.Store.Runs(ctx, tenant, limit)
}

// Freeze makes the snapshot of evidence.
func Freeze(tenant string, ev credit.Evidence) (Snapshot, error) {
	b, hash, err := credit.Canonical(ev)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{
		ID: ident.New(), Tenant: tenant, UserID: ev.Applicant.UserID, Subject: ev.Subject, Product: ev.Product,
		Evidence: b, Hash: hash, TakenAt: ev.TakenAt,
	}, nil
}
