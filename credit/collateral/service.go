package collateral

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Accounts off the balance sheet, by application: what is held at its low value, and its
// other side.
const (
	HeldAccount   = "collateral_held"
	ContraAccount = "collateral_held_contra"
)

// System is who acts for the house itself.
var System = access.Actor{UserID: "system", Name: "system"}

type (
	// Loans is what collateral asks of what was lent.
	Loans interface {
		// Debts are the open loans of an application, oldest first, as they stand today.
		Debts(ctx context.Context, tenant, applicationID string) ([]Debt, error)
		// Receive takes money that came in for a loan from elsewhere than its borrower, once
		// a key. A Conflict says that the loan takes none any more.
		Receive(ctx context.Context, tenant, loanID string, amount money.Fen, on money.Date, key string) error
		// Remit pays a borrower what is left of proceeds, once a key.
		Remit(ctx context.Context, p Pool, amount money.Fen, key string) error
	}
	// Evidence finds things and what they are worth by the newest reports.
	Evidence interface {
		// Find returns what was named, in its order, each with kind, ref, parent, label,
		// owner, obligor, mark, ground and value; NotFound for what is not there.
		Find(ctx context.Context, tenant string, named []Named) ([]Asset, error)
		// Owned names what a person has of a kind, by label; none of sureties.
		Owned(ctx context.Context, tenant, userID string, k Kind) ([]Named, error)
	}
	// Desk keeps the holds on receivables; nil keeps none.
	Desk interface {
		// Hold has a part stand behind an application for amount, again without effect.
		Hold(ctx context.Context, tenant, applicationID string, a Asset, owed money.Fen) error
		// Free ends that, again without effect.
		Free(ctx context.Context, tenant, applicationID string, a Asset) error
	}
	// Alerts is where calls are told: *watch.Desk.
	Alerts interface {
		Raise(ctx context.Context, a watch.Alert) error
		Clear(ctx context.Context, tenant, kind, subjectID, item, cause string) error
	}
)

// Config is what the service needs.
type Config struct {
	Store    Store
	Book     *ledger.Service
	Loans    Loans
	Evidence Evidence
	Desk     Desk // nil: no receivables
	Alerts   Alerts
	Rules    Rules
	Products *product.Catalogue
	Now      func() time.Time
}

// Service keeps pools.
type Service struct{ cfg Config }

// New returns the service.
func New(cfg Config) *Service { return &Service{cfg} }

// tries bounds how often an act is decided again because others got through.
const tries = 64

// Opening is what a signature pledges. Animals are those of a herd; a plot is its crop.
type Opening struct {
	Tenant        string
	ApplicationID string
	UserID        string
	UserName      string
	Product       string
	Limit         money.Fen
	Subject       credit.Subject
	Animals       []string
	By            access.Actor
}

// Open prepares the pool of an application that is being signed, for a store that writes it
// together with the signature. What cannot be valued now is taken without a value.
func (s *Service) Open(ctx context.Context, o Opening) (*Change, error) {
	prod, err := s.cfg.Products.Product(o.Product)
	if err != nil {
		return nil, err
	}
	var named []Named
	switch o.Subject.Kind {
	case credit.PlotSubject:
		named = append(named, Named{Kind: Crop, Ref: o.Subject.ID})
	case credit.HerdSubject:
		for _, id := range o.Animals {
			named = append(named, Named{Kind: Animal, Ref: id, Parent: o.Subject.ID})
		}
	case credit.FirmSubject: // its receivables are pledged one by one
	}
	if y := prod.Surety; y != nil && y.Kind == "company" {
		if sum := portion(o.Limit, y.ShareBP, one); sum > 0 {
			named = append(named, Named{Kind: Surety, Ref: y.Name["zh-CN"], Label: y.Name["zh-CN"], Amount: sum})
		}
	}
	found, err := s.find(ctx, o.Tenant, named)
	if err != nil {
		return nil, err
	}
	p := Pool{ApplicationID: o.ApplicationID, Tenant: o.Tenant, Terms: s.cfg.Rules.Terms(prod)}
	e := PoolEvent{
		ApplicationID: o.ApplicationID, Seq: 1, Kind: Opened, At: s.now(), UserID: o.By.UserID, UserName: o.By.Name,
		Opening: &PoolOpening{UserID: o.UserID, UserName: o.UserName, Product: o.Product, Terms: p.Terms},
	}
	for _, a := range found {
		e.Took = append(e.Took, p.held(a, e.At, ident.New))
	}
	c, err := s.changed(Pool{Tenant: o.Tenant}, e, "", "")
	return &c, err
}

// End prepares the end of a pool, all that is held freed, for a store that writes it
// together with the end of the application; nil when there is none or it has ended.
func (s *Service) End(ctx context.Context, by access.Actor, tenant, applicationID string) (*Change, error) {
	p, err := s.cfg.Store.Pool(ctx, tenant, applicationID)
	if errors.Is(err, ErrNotFound) || err == nil && p.Closed {
		return nil, nil //nolint:nilnil // nothing to write is no error
	}
	if err != nil {
		return nil, err
	}
	e := PoolEvent{ApplicationID: applicationID, Seq: p.Version + 1, Kind: Ended, At: s.now(), UserID: by.UserID, UserName: by.Name}
	for _, a := range p.Holds() {
		e.Ends = append(e.Ends, AssetEnd{a.ID, Freed})
	}
	c, err := s.changed(p, e, "", "")
	return &c, err
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Today is the bank date of the service's clock.
func (s *Service) Today() money.Date { return money.DateOf(s.cfg.Now()) }

// find finds and values things; sureties are what they say.
func (s *Service) find(ctx context.Context, tenant string, named []Named) ([]Asset, error) {
	var ask []Named
	for _, n := range named {
		if n.Kind != Surety {
			ask = append(ask, n)
		}
	}
	var found []Asset
	if len(ask) > 0 {
		var err error
		if found, err = s.cfg.Evidence.Find(ctx, tenant, ask); err != nil {
			return nil, err
		}
		if len(found) != len(ask) {
			return nil, fmt.Errorf("collateral: %d things were named and %d found", len(ask), len(found))
		}
	}
	out := make([]Asset, len(named))
	for i, n := range named {
		if n.Kind == Surety {
			out[i] = Asset{Kind: Surety, Ref: n.Ref, Label: n.Label, Value: Valuation{
				Known: n.Amount > 0, Low: n.Amount, Middle: n.Amount, High: n.Amount, On: s.Today(), Source: "contract",
			}}
			if out[i].Label == "" {
				out[i].Label = n.Ref
			}
		} else {
			out[i], found = found[0], found[1:]
		}
		out[i].Rank, out[i].Prior = max(1, n.Rank), n.Prior
		if n.Rank < 0 {
			out[i].Rank = n.Rank
		}
	}
	return out, nil
}

// changed works out all that an event leaves behind.
func (s *Service) changed(p Pool, e PoolEvent, key, hash string) (Change, error) {
	probe, err := preview(p, e)
	if err != nil {
		return Change{}, err
	}
	e.Delta = Measure(probe, 0).Value - Measure(p, 0).Value
	c := Change{Before: p.Version, Key: key, Hash: hash}
	if e.Delta != 0 {
		e.Entry = fmt.Sprintf("collateral:%s:%d", e.ApplicationID, e.Seq)
		entry, err := s.cfg.Book.Prepare(ledger.Entry{
			Tenant: p.Tenant, Key: e.Entry, Kind: "collateral_" + string(e.Kind), Item: e.ApplicationID, Date: money.DateOf(e.At),
			Postings: []ledger.Posting{
				{Account: HeldAccount, Item: e.ApplicationID, Amount: e.Delta},
				{Account: ContraAccount, Item: e.ApplicationID, Amount: -e.Delta},
			},
		})
		if err != nil {
			return Change{}, err
		}
		c.Entries = append(c.Entries, entry)
	}
	if c.Event, err = seal(e, p.Head); err != nil {
		return Change{}, err
	}
	if c.After, err = Apply(p, c.Event); err != nil {
		return Change{}, err
	}
	c.After.Tenant = p.Tenant
	c.Taken = e.Took
	for _, x := range e.Ends {
		a, _ := c.After.Asset(x.AssetID)
		c.Gone = append(c.Gone, a)
	}
	return c, nil
}

// preview is the pool after an event whose delta is not known yet.
func preview(p Pool, e PoolEvent) (Pool, error) {
	if e.Kind == Opened {
		return Pool{Assets: e.Took}, nil
	}
	p.Assets, p.Proceeds, p.Filings = slices.Clone(p.Assets), slices.Clone(p.Proceeds), slices.Clone(p.Filings)
	if why := change(&p, e); why != "" {
		return Pool{}, broken(e, why)
	}
	return p, nil
}

// Answer is what an act did: the pool after it, or what waits for a second person.
type Answer struct {
	Pool     Pool      `json:"pool"`
	Cover    Cover     `json:"cover"`
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Do carries out an act, or keeps it for a second person where the rules ask for one. An
// act that the rules of the contract forbid is refused at once, not proposed. A borrower
// may ask for the release of own things only.
func (s *Service) Do(ctx context.Context, who access.Actor, applicationID, key string, a PoolAct) (Answer, error) {
	if n := utf8.RuneCountInString(key); n < 8 || n > 128 {
		return Answer{}, ErrKey
	}
	p, err := s.pool(ctx, who, applicationID)
	if err != nil {
		return Answer{}, err
	}
	mine := who.Role == access.Borrower
	if !slices.Contains(acts, a.Kind) {
		return Answer{}, ErrKind.At("kind").With("kind", a.Kind)
	}
	if mine && a.Kind != Release {
		return Answer{}, access.ErrRole
	}
	key = who.UserID + "/" + key
	hash, err := hashOf(applicationID, a)
	if err != nil {
		return Answer{}, err
	}
	waits := slices.Contains(s.cfg.Rules.Second, a.Kind) && (a.Kind != Revalue || len(a.Values) > 0)
	if mine {
		waits = p.Terms.ReleaseBy != "system"
	}
	if !waits {
		return s.execute(ctx, who, "", applicationID, key, hash, a)
	}
	if d, ok, err := s.cfg.Store.Done(ctx, who.Tenant, key); err != nil || ok {
		return s.again(ctx, who.Tenant, d, hash, err)
	}
	if _, _, err := s.decide(ctx, p, who, "", a); err != nil {
		return Answer{}, err
	}
	asked, err := s.cfg.Store.AddProposal(ctx, Proposal{
		ID: ident.New(), Tenant: who.Tenant, ApplicationID: applicationID, Act: a, State: Open, Key: key, Hash: hash,
		AskedBy: who.UserID, AskedName: who.Name, ByBorrower: mine, AskedAt: s.now(),
	})
	if err != nil {
		return Answer{}, err
	}
	if asked.Hash != hash {
		return Answer{}, ErrKeyReused
	}
	out, err := s.answer(ctx, p)
	out.Proposal = &asked
	return out, err
}

// Offers are the things of a kind that could be pledged under an application: those of its
// borrower that stand behind none of the borrower's loans, by label. ErrNotFound.
func (s *Service) Offers(ctx context.Context, who access.Actor, applicationID string, k Kind) ([]Named, error) {
	p, err := s.pool(ctx, who, applicationID)
	if err != nil {
		return nil, err
	}
	owned, err := s.cfg.Evidence.Owned(ctx, p.Tenant, p.UserID, k)
	if err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for f := (Filter{Open: true, UserID: p.UserID, Limit: 200}); ; {
		pools, err := s.cfg.Store.Pools(ctx, p.Tenant, f)
		if err != nil {
			return nil, err
		}
		for _, x := range pools {
			for _, a := range x.Holds() {
				held[string(a.Kind)+"/"+a.Ref] = true
			}
		}
		if len(pools) < f.Limit {
			break
		}
		f.Before = pools[len(pools)-1].ApplicationID
	}
	return slices.DeleteFunc(owned, func(n Named) bool { return held[string(n.Kind)+"/"+n.Ref] }), nil
}

// pool is one that the actor may see.
func (s *Service) pool(ctx context.Context, who access.Actor, applicationID string) (Pool, error) {
	p, err := s.cfg.Store.Pool(ctx, who.Tenant, applicationID)
	if err == nil && who.Role == access.Borrower && p.UserID != who.UserID {
		return Pool{}, ErrNotFound
	}
	return p, err
}

func (s *Service) answer(ctx context.Context, p Pool) (Answer, error) {
	debts, err := s.cfg.Loans.Debts(ctx, p.Tenant, p.ApplicationID)
	sum, _ := owed(debts)
	return Answer{Pool: p, Cover: Measure(p, sum)}, err
}

func (s *Service) again(ctx context.Context, tenant string, d Done, hash string, err error) (Answer, error) {
	if err != nil {
		return Answer{}, err
	}
	if d.Hash != hash {
		return Answer{}, ErrKeyReused
	}
	p, err := s.follow(ctx, tenant, d.ApplicationID)
	if err != nil {
		return Answer{}, err
	}
	return s.answer(ctx, p)
}

// execute decides and writes an act until it is done or refused.
func (s *Service) execute(ctx context.Context, who access.Actor, second, applicationID, key, hash string, a PoolAct) (Answer, error) {
	for range tries {
		if d, ok, err := s.cfg.Store.Done(ctx, who.Tenant, key); err != nil || ok {
			return s.again(ctx, who.Tenant, d, hash, err)
		}
		p, err := s.cfg.Store.Pool(ctx, who.Tenant, applicationID)
		if err != nil {
			return Answer{}, err
		}
		e, debts, err := s.decide(ctx, p, who, second, a)
		if err != nil {
			return Answer{}, err
		}
		c, err := s.changed(p, e, key, hash)
		if err != nil {
			return Answer{}, err
		}
		if err := s.hold(ctx, c, debts); err != nil {
			return Answer{}, err
		}
		if err = s.cfg.Store.Append(ctx, c); errors.Is(err, ErrStale) {
			continue
		}
		if err != nil {
			return Answer{}, errors.Join(err, s.free(ctx, p.Tenant, applicationID, c.Taken))
		}
		if p, err = s.follow(ctx, who.Tenant, applicationID); err != nil {
			return Answer{}, err
		}
		return s.answer(ctx, p)
	}
	return Answer{}, ErrStale
}

// decide gathers what an act needs to know and decides it.
func (s *Service) decide(ctx context.Context, p Pool, who access.Actor, second string, a PoolAct) (PoolEvent, []Debt, error) {
	sc := Scene{Who: who, Second: second, Now: s.now(), NewID: ident.New}
	var err error
	if sc.Debts, err = s.cfg.Loans.Debts(ctx, p.Tenant, p.ApplicationID); err != nil {
		return PoolEvent{}, nil, err
	}
	if a.Kind == Pledge || a.Kind == Substitute {
		for i, n := range a.Take {
			if !slices.Contains(Kinds(), n.Kind) || n.Ref == "" {
				return PoolEvent{}, nil, ErrKind.At("take[%d].kind", i).With("kind", n.Kind)
			}
		}
		if sc.Found, err = s.find(ctx, p.Tenant, a.Take); err != nil {
			return PoolEvent{}, nil, err
		}
	}
	if a.Kind == Revalue && len(a.Values) == 0 {
		if sc.Values, err = s.values(ctx, p); err != nil {
			return PoolEvent{}, nil, err
		}
	}
	e, err := Decide(p, a, sc)
	return e, sc.Debts, err
}

// values are those of all that is held, by the evidence of now.
func (s *Service) values(ctx context.Context, p Pool) ([]AssetValue, error) {
	var named []Named
	var held []Asset
	for _, a := range p.Holds() {
		if a.Kind != Surety {
			named, held = append(named, Named{Kind: a.Kind, Ref: a.Ref, Parent: a.Parent}), append(held, a)
		}
	}
	found, err := s.find(ctx, p.Tenant, named)
	if err != nil {
		return nil, err
	}
	out := []AssetValue{}
	for i, a := range found {
		old := held[i].Value
		young := old.Method == byPerson && int(s.Today()-old.On) <= personDays
		if nothing := a.Value.Known && a.Value.Low == 0; !young || nothing {
			out = append(out, AssetValue{held[i].ID, a.Value})
		}
	}
	return out, nil
}

// personDays is how long what a person valued is not valued anew by reports, unless they
// show that nothing is left.
const personDays = 30

// hold has receivables that come in held by their own room, before they count.
func (s *Service) hold(ctx context.Context, c Change, debts []Debt) error {
	if s.cfg.Desk == nil {
		return nil
	}
	sum, _ := owed(debts)
	for _, a := range c.Taken {
		if a.Kind != Receivable {
			continue
		}
		if err := s.cfg.Desk.Hold(ctx, c.After.Tenant, c.After.ApplicationID, a, sum); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) free(ctx context.Context, tenant, applicationID string, list []Asset) (err error) {
	if s.cfg.Desk == nil {
		return nil
	}
	for _, a := range list {
		if a.Kind == Receivable {
			err = errors.Join(err, s.cfg.Desk.Free(ctx, tenant, applicationID, a))
		}
	}
	return err
}

// write appends an event of the house itself; ErrStale when somebody was faster.
func (s *Service) write(ctx context.Context, p Pool, e PoolEvent) (Pool, error) {
	c, err := s.changed(p, e, "", "")
	if err != nil {
		return Pool{}, err
	}
	return c.After, s.cfg.Store.Append(ctx, c)
}

func hashOf(applicationID string, a PoolAct) (string, error) {
	return ident.Hash(struct {
		ApplicationID string
		PoolAct
	}{applicationID, a})
}

// Proposal waits for another person than the one who asked.
type Proposal struct {
	ID            string     `json:"id"`
	Tenant        string     `json:"-"`
	ApplicationID string     `json:"application_id"`
	Act           PoolAct    `json:"act"`
	State         string     `json:"state" enum:"open,agreed,declined"`
	Key           string     `json:"-"`
	Hash          string     `json:"-"`
	AskedBy       string     `json:"asked_by"`
	AskedName     string     `json:"asked_name"`
	ByBorrower    bool       `json:"by_borrower"`
	AskedAt       time.Time  `json:"asked_at"`
	DecidedBy     string     `json:"decided_by,omitempty"`
	DecidedName   string     `json:"decided_name,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
	Note          string     `json:"note,omitempty"`
}

// States of a proposal.
const (
	Open     = "open"
	Agreed   = "agreed"
	Declined = "declined"
)

// Agree carries out what somebody else proposed, by the rules and values of now. The act is
// in the name of who asked, with who agreed. ErrProposal, ErrSecond, ErrDecided, and what
// [Decide] returns: then the proposal stays open.
func (s *Service) Agree(ctx context.Context, who access.Actor, id string) (Answer, error) {
	x, err := s.cfg.Store.Proposal(ctx, who.Tenant, id)
	if err != nil {
		return Answer{}, err
	}
	if x.AskedBy == who.UserID {
		return Answer{}, ErrSecond
	}
	if x.State == Declined {
		return Answer{}, ErrDecided
	}
	asked := access.Actor{UserID: x.AskedBy, Name: x.AskedName, Tenant: who.Tenant}
	out, err := s.execute(ctx, asked, who.UserID, x.ApplicationID, x.Key, x.Hash, x.Act)
	if err != nil {
		return Answer{}, err
	}
	now := s.now()
	x.State, x.DecidedBy, x.DecidedName, x.DecidedAt = Agreed, who.UserID, who.Name, &now
	if err := s.cfg.Store.Decide(ctx, x); err != nil && !errors.Is(err, ErrDecided) {
		return Answer{}, err // asked again, it finds the act done
	}
	out.Proposal = &x
	return out, nil
}

// Decline ends a proposal; who asked may do so too. ErrProposal, ErrDecided, ErrWhy.
func (s *Service) Decline(ctx context.Context, who access.Actor, id, note string) (Proposal, error) {
	x, err := s.cfg.Store.Proposal(ctx, who.Tenant, id)
	if err != nil {
		return Proposal{}, err
	}
	if x.Note = strings.TrimSpace(note); x.Note == "" || utf8.RuneCountInString(x.Note) > maxText {
		return Proposal{}, ErrWhy.At("body.note")
	}
	now := s.now()
	x.State, x.DecidedBy, x.DecidedName, x.DecidedAt = Declined, who.UserID, who.Name, &now
	return x, s.cfg.Store.Decide(ctx, x)
}

// Proposals of an application, or of all; open leaves those that wait.
func (s *Service) Proposals(ctx context.Context, tenant, applicationID string, open bool) ([]Proposal, error) {
	return s.cfg.Store.Proposals(ctx, tenant, applicationID, open)
}
