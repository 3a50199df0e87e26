package receivable

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Firms is what the service asks about firms and their documents; a chain.Store is one.
type Firms interface {
	party.Registry // for files
	// Firm returns chain.ErrFirmNotFound.
	Firm(ctx context.Context, tenant, id string) (chain.Party, error)
	FirmsByID(ctx context.Context, tenant string, ids []string) ([]chain.Party, error)
	Documents(ctx context.Context, tenant, firmID string, kind chain.DocKind) ([]chain.Document, error)
}

// Papers are the documents on which receivables stand. Implemented in store/receivable.
type Papers interface {
	// Between returns the invoices, payments and confirmations that the creditors, and
	// the firms that were found to be one of them, have with the obligor, in no order.
	Between(ctx context.Context, tenant, obligorID string, creditorIDs []string) ([]chain.Document, error)
}

// Promises knows which invoices are promised to a funder, in this house or beyond it.
type Promises interface {
	// Promised returns the first of the documents that a funder other than this one has
	// been promised, and that funder; "" when there is none.
	Promised(ctx context.Context, tenant, funder string, docs []chain.Document) (number, other string, err error)
}

// Config is what the service needs.
type Config struct {
	Store    Store
	Firms    Firms
	Papers   Papers
	Promises Promises // nil: only the books of Firms are asked
	Rules    Rules    // the zero value means DefaultRules
	Now      func() time.Time
}

// Service does what the firms and the bank want done with receivables, each request
// once: the same key with the same content gives the first answer again.
type Service struct {
	store    Store
	firms    Firms
	papers   Papers
	promises Promises
	rules    Rules
	now      func() time.Time
}

// New returns the service.
func New(cfg Config) *Service {
	if cfg.Rules == (Rules{}) {
		cfg.Rules = DefaultRules()
	}
	return &Service{store: cfg.Store, firms: cfg.Firms, papers: cfg.Papers, promises: cfg.Promises, rules: cfg.Rules, now: cfg.Now}
}

// tries bounds how often a command is decided again because others got through: each
// failure means that somebody else did.
const tries = 64

// Do carries out a command and returns what the actor may see of the receivable after
// it. What is none of the actor's business is ErrNotFound; the errors of [Decide] and
// [Store.Append] say what is in the way.
func (s *Service) Do(ctx context.Context, who Who, id, key string, c Command) (Receivable, error) {
	key, err := keyOf(who, key)
	if err != nil {
		return Receivable{}, err
	}
	hash, err := ident.Hash(struct {
		ID string
		Command
	}{id, c})
	if err != nil {
		return Receivable{}, err
	}
	return s.sure(ctx, who, key, hash, func() (Receivable, error) { return s.once(ctx, who, id, key, hash, c) })
}

// sure tries an act until it is done or refused, and looks each time whether its key
// has done it before: also after a refusal, which may come from what a twin of the
// request has just done.
func (s *Service) sure(ctx context.Context, who Who, key, hash string, act func() (Receivable, error)) (Receivable, error) {
	if r, known, err := s.again(ctx, who, key, hash); known || err != nil {
		return r, err
	}
	for range tries {
		r, refusal := act()
		if refusal == nil {
			return r, nil
		}
		if r, known, err := s.again(ctx, who, key, hash); known || err != nil {
			return r, err
		}
		if !errors.Is(refusal, ErrStale) {
			return Receivable{}, refusal
		}
	}
	return Receivable{}, ErrBusy
}

// again gives the answer that a key got before.
func (s *Service) again(ctx context.Context, who Who, key, hash string) (r Receivable, known bool, err error) {
	done, err := s.store.Done(ctx, who.Tenant, []string{key})
	d, known := done[key]
	switch {
	case err != nil || !known:
		return Receivable{}, false, err
	case d.Hash != hash:
		return Receivable{}, true, ErrKeyReused
	}
	events, err := s.store.Events(ctx, who.Tenant, d.ReceivableID, d.Seq)
	if err != nil {
		return Receivable{}, true, err
	}
	if r, err = Replay(who.Tenant, events); err != nil {
		return Receivable{}, true, err
	}
	same, err := s.same(ctx, who, r)
	if err != nil {
		return Receivable{}, true, err
	}
	r, err = seen(who, r, same)
	return r, true, err
}

func (s *Service) once(ctx context.Context, who Who, id, key, hash string, c Command) (Receivable, error) {
	r, err := s.store.Receivable(ctx, who.Tenant, id)
	if err != nil {
		return Receivable{}, err
	}
	if c.Kind == Transfer {
		if c.To, err = s.firmOf(ctx, who.Tenant, c.To); err != nil {
			return Receivable{}, err
		}
	}
	same, err := s.same(ctx, who, r, c.To)
	if err != nil {
		return Receivable{}, err
	}
	if _, err := seen(who, r, same); err != nil {
		return Receivable{}, err
	}
	change, err := s.change(r, c, Env{Who: who, Now: s.now(), Rules: s.rules, NewID: ident.New, Same: same}, key, hash)
	if err != nil {
		return Receivable{}, err
	}
	switch c.Kind {
	case Transfer:
		to, err := s.firms.Firm(ctx, who.Tenant, same(c.To))
		if err != nil {
			return Receivable{}, err
		}
		if err := verified(to); err != nil {
			return Receivable{}, err
		}
	case Confirm:
		k, err := s.desk(ctx, r.Tenant, r.ObligorID, r.CreditorID)
		if err != nil {
			return Receivable{}, err
		}
		if change.Uses, err = k.recheck(ctx, r); err != nil {
			return Receivable{}, err
		}
	case Pledge:
		k, err := s.desk(ctx, r.Tenant, r.ObligorID, r.CreditorID)
		if err != nil {
			return Receivable{}, err
		}
		if err := k.unpromised(ctx, r, change.Event.Hold.Funder); err != nil {
			return Receivable{}, err
		}
	default:
	}
	if err := s.store.Append(ctx, []Change{change}); err != nil {
		return Receivable{}, err
	}
	return seen(who, change.After, same)
}

// change decides a command and works out all that it leaves behind.
func (s *Service) change(r Receivable, c Command, env Env, key, hash string) (Change, error) {
	e, err := Decide(r, c, env)
	if err != nil {
		return Change{}, err
	}
	return changed(r, e, key, hash)
}

func changed(r Receivable, e Event, key, hash string) (Change, error) {
	e, err := Seal(e, r.Head)
	if err != nil {
		return Change{}, err
	}
	after, err := Apply(r, e)
	if err != nil {
		return Change{}, err
	}
	after.Tenant = r.Tenant
	ch := Change{
		Before: r.Version, After: after, Event: e, Key: key, Hash: hash,
		Outstanding: after.Outstanding() - r.Outstanding(), Financed: after.Financed() - r.Financed(),
		Limited: e.Kind == Confirm,
	}
	for i, p := range after.Parts {
		if i >= len(r.Parts) || p != r.Parts[i] {
			ch.Touched = append(ch.Touched, p)
		}
	}
	if after.State == Cancelled && r.State != Cancelled {
		for _, d := range r.Documents {
			ch.Uses = append(ch.Uses, Use{Key: d.Key, Number: d.Number, Amount: -d.Amount})
		}
	}
	return ch, nil
}

// firmOf is the id of a firm that is named by its id or its credit code.
func (s *Service) firmOf(ctx context.Context, tenant, name string) (string, error) {
	if party.Check(name).Status == party.Bad {
		return name, nil
	}
	found, err := s.firms.FirmsByUSCC(ctx, tenant, []string{party.Clean(name)})
	if f, ok := found[party.Clean(name)]; ok {
		return f.ID, nil
	}
	if err == nil {
		err = chain.ErrFirmNotFound
	}
	return "", err
}

// verified refuses a firm that has no valid credit code.
func verified(f chain.Party) error {
	if f.USCC == "" || party.Check(f.USCC).Status == party.Bad {
		return ErrUnverified.With("name", f.Name)
	}
	return nil
}

// same makes the function that says which firm a firm was found to be, for all firms
// that matter to r.
func (s *Service) same(ctx context.Context, who Who, r Receivable, more ...string) (func(string) string, error) {
	ids := append([]string{r.ObligorID, r.CreditorID}, who.Firms...)
	ids = append(ids, more...)
	for _, p := range r.Parts {
		ids = append(ids, p.HolderID)
	}
	return s.survivors(ctx, who.Tenant, ids)
}

func (s *Service) survivors(ctx context.Context, tenant string, ids []string) (func(string) string, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	firms, err := s.firms.FirmsByID(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	merged := map[string]string{}
	for _, f := range firms {
		if f.MergedInto != "" {
			merged[f.ID] = f.MergedInto
		}
	}
	return func(id string) string {
		if to, ok := merged[id]; ok {
			return to
		}
		return id
	}, nil
}

// seen leaves what the actor may see: ErrNotFound when that is nothing.
func seen(who Who, r Receivable, same func(string) string) (Receivable, error) {
	if who.Bank {
		return r, nil
	}
	mine := map[string]bool{}
	for _, f := range who.Firms {
		mine[same(f)] = true
	}
	var firms []string
	for _, p := range r.Parts {
		if mine[same(p.HolderID)] {
			firms = append(firms, p.HolderID)
		}
	}
	if mine[same(r.ObligorID)] {
		firms = append(firms, r.ObligorID)
	}
	r, ok := r.SeenBy(firms)
	if !ok {
		return Receivable{}, ErrNotFound
	}
	return r, nil
}

// Get returns what the actor may see of a receivable, or ErrNotFound.
func (s *Service) Get(ctx context.Context, who Who, id string) (Receivable, error) {
	r, err := s.store.Receivable(ctx, who.Tenant, id)
	if err != nil {
		return Receivable{}, err
	}
	same, err := s.same(ctx, who, r)
	if err != nil {
		return Receivable{}, err
	}
	return seen(who, r, same)
}

// Events returns the history for those who may see the whole of it, the obligor and
// the bank; a holder is given what it did itself.
func (s *Service) Events(ctx context.Context, who Who, id string) ([]Event, error) {
	r, err := s.Get(ctx, who, id)
	if err != nil {
		return nil, err
	}
	events, err := s.store.Events(ctx, who.Tenant, id, 0)
	if err != nil || who.Bank {
		return events, err
	}
	same, err := s.same(ctx, who, r)
	if err != nil {
		return nil, err
	}
	mine := func(firm string) bool {
		return slices.ContainsFunc(who.Firms, func(f string) bool { return same(f) == same(firm) })
	}
	if mine(r.ObligorID) {
		return events, nil
	}
	return slices.DeleteFunc(events, func(e Event) bool { return e.FirmID == "" || !mine(e.FirmID) }), nil
}

// Owed lists what the actor's firms owe, newest first; the bank gets all.
func (s *Service) Owed(ctx context.Context, who Who, f Filter) ([]Receivable, error) {
	if !who.Bank {
		if f.ObligorIDs = who.Firms; len(f.ObligorIDs) == 0 {
			return []Receivable{}, nil
		}
	}
	return s.store.Receivables(ctx, who.Tenant, f)
}

// Held lists what the actor's firms hold or held, newest first, as far as they may see
// it.
func (s *Service) Held(ctx context.Context, who Who, f Filter) ([]Receivable, error) {
	if f.FirmIDs = who.Firms; len(f.FirmIDs) == 0 {
		return []Receivable{}, nil
	}
	list, err := s.store.Receivables(ctx, who.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := make([]Receivable, 0, len(list))
	for _, r := range list {
		same, err := s.same(ctx, who, r)
		if err != nil {
			return nil, err
		}
		if r, err := seen(who, r, same); err == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// Exposures lists anchors by what they owe, largest first.
func (s *Service) Exposures(ctx context.Context, tenant string) ([]Exposure, error) {
	return s.store.Exposures(ctx, tenant, money.DateOf(s.now()))
}

// SetLimit sets what an anchor may owe over all receivables; nil takes it away. Below
// what is owed already it only stops new ones.
func (s *Service) SetLimit(ctx context.Context, tenant, obligorID string, limit *money.Fen) error {
	if limit != nil && (*limit < 0 || *limit > 1000*MaxAmount) {
		return ErrAmount.With("max", 1000*MaxAmount)
	}
	if _, err := s.firms.Firm(ctx, tenant, obligorID); err != nil {
		return err
	}
	return s.store.SetLimit(ctx, tenant, obligorID, limit)
}

// Base works out what may be lent on what a firm holds, with the dilution of its own
// invoices in the last twelve full months.
func (s *Service) Base(ctx context.Context, tenant, firmID string, rules BaseRules) (BorrowingBase, error) {
	firm, err := s.firms.Firm(ctx, tenant, firmID)
	if err != nil {
		return BorrowingBase{}, err
	}
	who := Who{Tenant: tenant, Firms: []string{firm.ID}}
	var list []Receivable
	ids := []string{firm.ID}
	for f := (Filter{States: []State{Accepted}, Limit: 500}); ; {
		some, err := s.Held(ctx, who, f)
		if err != nil {
			return BorrowingBase{}, err
		}
		for _, r := range some {
			for _, p := range r.Parts {
				ids = append(ids, p.HolderID)
			}
		}
		if list = append(list, some...); len(some) < f.Limit {
			break
		}
		f.Before = some[len(some)-1].ID
	}
	docs, err := s.firms.Documents(ctx, tenant, firm.Survivor(), chain.Invoice)
	if err != nil {
		return BorrowingBase{}, err
	}
	for _, d := range docs {
		ids = append(ids, d.SellerID)
	}
	same, err := s.survivors(ctx, tenant, ids)
	if err != nil {
		return BorrowingBase{}, err
	}
	mine := func(id string) bool { return same(id) == firm.Survivor() }
	return Eligible(Holdings(list, mine), s.Today(), Dilution(docs, mine, s.Today()), rules)
}

// Today is the bank date of the service's clock.
func (s *Service) Today() money.Date { return money.DateOf(s.now()) }

func keyOf(who Who, key string) (string, error) {
	key = strings.TrimSpace(key)
	if n := utf8.RuneCountInString(key); n < 8 || n > 128 {
		return "", ErrNoKey
	}
	return who.UserID + "/" + key, nil
}
