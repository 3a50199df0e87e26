package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/money"
)

const (
	// No bank has ten trillion yuan in one posting.
	maxAmount money.Fen = 1e15
	// So that the postings of an entry add up within 64 bits.
	maxPostings = 1000
	maxText     = 200
	maxMemo     = 2000
)

// Service posts and checks entries.
type Service struct {
	store    Store
	chart    Chart
	accounts map[string]Account
	now      func() time.Time
}

// New returns a service over a store and the accounts that it may post to.
func New(store Store, chart Chart, now func() time.Time) *Service {
	s := &Service{store: store, chart: chart, accounts: make(map[string]Account, len(chart)), now: now}
	for _, a := range chart {
		s.accounts[a.Code] = a
	}
	return s
}

// Chart returns the accounts.
func (s *Service) Chart() Chart { return s.chart }

// Prepare checks e and stamps InputHash and At, for a store that posts it together
// with other records. It returns ErrEmpty, ErrText, ErrOp, ErrPostings, ErrAccount,
// ErrHeading, ErrAmount, ErrMemo or ErrUnbalanced.
func (s *Service) Prepare(e Entry) (Entry, error) {
	e.Until = e.Until.UTC().Truncate(time.Millisecond)
	if e.Until.UnixMilli() == (time.Time{}).UnixMilli() {
		e.Until = time.Time{}
	}
	if e.Postings == nil {
		e.Postings = []Posting{} // as the store gives it back
	}
	if err := s.check(e); err != nil {
		return Entry{}, err
	}
	e.limits = nil
	for i, p := range e.Postings {
		if limit := s.accounts[p.Account].Limit; limit != Free {
			if e.limits == nil {
				e.limits = make([]Limit, len(e.Postings))
			}
			e.limits[i] = limit
		}
	}
	e.InputHash = inputHash(e)
	e.At = s.now().UTC().Truncate(time.Millisecond)
	e.Seq, e.Prev, e.Hash, e.Existed = 0, "", "", false
	return e, nil
}

func (s *Service) check(e Entry) error {
	if e.Key == "" || e.Tenant == "" {
		return ErrEmpty
	}
	if err := e.texts(); err != nil {
		return err
	}
	if err := e.shape(); err != nil {
		return err
	}
	if e.Op == Close && e.Item != "" {
		return s.postable(e.Item)
	}
	return s.checkPostings(e.Postings)
}

// texts says whether every database can keep what e says: ErrText.
func (e Entry) texts() error {
	for _, t := range []struct {
		field, value string
		most         int
	}{
		{"key", e.Key, maxText}, {"kind", e.Kind, maxText}, {"item", e.Item, maxText}, {"memo", e.Memo, maxMemo}, {"hold", e.Hold, maxText},
	} {
		if !plain(t.value, t.most) {
			return ErrText.With("field", t.field).With("most", t.most)
		}
	}
	for _, p := range e.Postings {
		if !plain(p.Item, maxText) {
			return ErrText.With("field", "item").With("most", maxText)
		}
	}
	return nil
}

func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// shape says whether e has what its op needs and nothing else: ErrEmpty, ErrPostings, ErrOp.
func (e Entry) shape() error {
	moves := e.Op == Post || e.Op == Held || e.Op == Settle
	ends := e.Op == Settle || e.Op == Void
	switch {
	case moves && len(e.Postings) < 2:
		return ErrEmpty
	case len(e.Postings) > maxPostings:
		return ErrPostings.With("most", maxPostings)
	case !moves && !ends && e.Op != Close:
		return ErrOp.With("field", "op")
	case !moves && len(e.Postings) > 0:
		return ErrOp.With("field", "postings")
	case ends != (e.Hold != ""), ends && e.Hold == e.Key:
		return ErrOp.With("field", "hold")
	case e.Op != Held && !e.Until.IsZero():
		return ErrOp.With("field", "until")
	case e.Date == 0:
		return ErrOp.With("field", "date")
	}
	return nil
}

func (s *Service) checkPostings(postings []Posting) error {
	var sum, memo money.Fen
	for _, p := range postings {
		switch {
		case p.Amount == 0:
			return ErrEmpty
		case p.Amount > maxAmount || p.Amount < -maxAmount:
			return ErrAmount.With("amount", p.Amount)
		}
		if err := s.postable(p.Account); err != nil {
			return err
		}
		sum += p.Amount
		if s.accounts[p.Account].Class == Memo {
			memo += p.Amount
		}
	}
	if sum != 0 {
		return ErrUnbalanced.With("amount", sum)
	}
	if memo != 0 {
		return ErrMemo.With("amount", memo)
	}
	return nil
}

func (s *Service) postable(code string) error {
	a, ok := s.accounts[code]
	if !ok {
		return ErrAccount.With("account", code)
	}
	if a.Heading {
		return ErrHeading.With("account", code)
	}
	return nil
}

// Post appends e. The same key with the same content gives the first answer again, with
// Existed set; with other content it is ErrKeyReused. What else stands against it:
// Prepare, and Sheet.Post.
func (s *Service) Post(ctx context.Context, e Entry) (Entry, error) {
	out, err := s.PostAll(ctx, []Entry{e})
	if err != nil {
		return Entry{}, err
	}
	return out[0], nil
}

// PostAll appends entries of one tenant that belong together: all or, with the error of
// the first that is refused at its place, none.
func (s *Service) PostAll(ctx context.Context, group []Entry) ([]Entry, error) {
	if len(group) == 0 {
		return nil, ErrEmpty
	}
	ready := make([]Entry, len(group))
	for i, e := range group {
		var err error
		if e.Tenant != group[0].Tenant {
			return nil, ErrTenants.At("entries[%d]", i)
		}
		if ready[i], err = s.Prepare(e); err != nil {
			if len(group) > 1 {
				err = at(err, i)
			}
			return nil, err
		}
	}
	return s.store.Append(ctx, ready)
}

// Hold promises the postings of e, until then or, when it is zero, until it is settled or
// released. What is held counts against the limits of its accounts and in no balance.
func (s *Service) Hold(ctx context.Context, e Entry, until time.Time) (Entry, error) {
	e.Op, e.Until = Held, until
	return s.Post(ctx, e)
}

// End says how a hold ends.
type End struct {
	Tenant, Key, Hold string // keys of the entry that ends it and of the hold
	Kind, Memo        string // kind "": that of the hold
	Date              money.Date
	Postings          []Posting // to settle: nil is all that is held
}

// Settle posts a hold, in full or in part, once; the rest of it is released. It returns
// ErrNotFound, ErrNotHold, ErrSettled, ErrVoided, ErrExpired, ErrHoldExceeded,
// ErrHoldDiffers and what Post returns.
func (s *Service) Settle(ctx context.Context, end End) (Entry, error) {
	return s.end(ctx, end, Settle)
}

// Void releases a hold, once; errors as of Settle.
func (s *Service) Void(ctx context.Context, end End) (Entry, error) {
	end.Postings = nil
	return s.end(ctx, end, Void)
}

func (s *Service) end(ctx context.Context, end End, op Op) (Entry, error) {
	e, err := s.Ending(ctx, end, op)
	if err != nil {
		return Entry{}, err
	}
	return s.Post(ctx, e)
}

// Ending is the entry that ends a hold by Settle or Void, to be posted with others.
func (s *Service) Ending(ctx context.Context, end End, op Op) (Entry, error) {
	held, err := s.store.Entry(ctx, end.Tenant, end.Hold)
	if err != nil {
		return Entry{}, err
	}
	if held.Op != Held {
		return Entry{}, ErrNotHold.With("key", end.Hold)
	}
	e := Entry{Tenant: end.Tenant, Key: end.Key, Kind: end.Kind, Item: held.Item, Date: end.Date, Memo: end.Memo, Op: op, Hold: end.Hold, Postings: end.Postings}
	if e.Kind == "" {
		e.Kind = held.Kind
	}
	if op == Settle && e.Postings == nil {
		e.Postings = slices.Clone(held.Postings) // what was posted does not change, so no rival can
	}
	return e, nil
}

// ExpireDue ends the holds of all tenants whose time is over and says how many. A book
// that fails does not stop the others.
func (s *Service) ExpireDue(ctx context.Context) (n int, err error) {
	due, err := s.store.Due(ctx, s.now())
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, tenant := range due {
		ended, err := s.Expire(ctx, tenant)
		n += ended
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

// Expire ends the holds of a tenant whose time is over and says how many. The book does it
// before each posting by itself; this is for the time in which nobody posts.
func (s *Service) Expire(ctx context.Context, tenant string) (int, error) {
	return s.store.Expire(ctx, tenant, s.now())
}

// Closing closes an account, or with "" the whole book, for entries dated up to and with
// Through. Override, by right, opens again what is after Through.
type Closing struct {
	Tenant, Key, Account, Memo string
	Through                    money.Date
	Override                   bool
}

// Close closes a period; ErrAccount, ErrHeading, ErrReopen.
func (s *Service) Close(ctx context.Context, c Closing) (Entry, error) {
	return s.Post(ctx, Entry{
		Tenant: c.Tenant, Key: c.Key, Kind: string(Close), Op: Close, Item: c.Account, Date: c.Through, Memo: c.Memo, Override: c.Override, Postings: []Posting{},
	})
}

// Reverse posts the opposite of the entry with key, once; ErrNotFound, ErrReversed,
// ErrReversal, ErrNotBooked, and what Post returns: a limit stops a reversal too.
func (s *Service) Reverse(ctx context.Context, tenant, key, memo string, date money.Date) (Entry, error) {
	return s.reverse(ctx, tenant, key, memo, date, false)
}

// ReverseByRight reverses whatever limits and closed periods say.
func (s *Service) ReverseByRight(ctx context.Context, tenant, key, memo string, date money.Date) (Entry, error) {
	return s.reverse(ctx, tenant, key, memo, date, true)
}

func (s *Service) reverse(ctx context.Context, tenant, key, memo string, date money.Date, override bool) (Entry, error) {
	e, err := s.store.Entry(ctx, tenant, key)
	switch {
	case err != nil:
		return Entry{}, err
	case e.Kind == reversal && strings.HasPrefix(e.Key, reversePrefix):
		return Entry{}, ErrReversal
	case !e.Booked():
		return Entry{}, ErrNotBooked.With("key", key)
	}
	back := Entry{
		Tenant: tenant, Key: reversePrefix + key, Kind: reversal, Item: e.Item, Date: date, Memo: memo, Override: override,
		Postings: slices.Clone(e.Postings),
	}
	for i := range back.Postings {
		back.Postings[i].Amount = -back.Postings[i].Amount
	}
	out, err := s.Post(ctx, back)
	if errors.Is(err, ErrKeyReused) || err == nil && out.Existed {
		return Entry{}, ErrReversed
	}
	return out, err
}

const reversal, reversePrefix = "reversal", "reverse:"

// Entry finds by key; ErrNotFound.
func (s *Service) Entry(ctx context.Context, tenant, key string) (Entry, error) {
	return s.store.Entry(ctx, tenant, key)
}

// Entries lists entries in order.
func (s *Service) Entries(ctx context.Context, tenant string, f Filter) ([]Entry, error) {
	return s.store.Entries(ctx, tenant, f)
}

// Balance sums an account over its items, or gives one item of it; item "" is all.
func (s *Service) Balance(ctx context.Context, tenant, account, item string) (money.Fen, error) {
	if item == "" {
		return s.AsOf(ctx, tenant, account, nil, Moment{})
	}
	b, err := s.store.Balance(ctx, tenant, Sub{account, item})
	return b.Amount, err
}

// Held is the saved balance of a sub-account with what is promised on it.
func (s *Service) Held(ctx context.Context, tenant, account, item string) (Balance, error) {
	return s.store.Balance(ctx, tenant, Sub{account, item})
}

// Moment asks for the book as of a bank date, as it was known at a time; zero fields do
// not restrict.
type Moment struct {
	Date  money.Date
	Known time.Time
}

// AsOf is the balance of an account, or of one item of it, at a moment.
func (s *Service) AsOf(ctx context.Context, tenant, account string, item *string, m Moment) (money.Fen, error) {
	at := AsOf{Date: m.Date}
	if !m.Known.IsZero() {
		var err error
		if at.Seq, err = s.store.LastAt(ctx, tenant, m.Known); err != nil || at.Seq == 0 {
			return 0, err
		}
	}
	if item != nil && at == (AsOf{}) {
		b, err := s.store.Balance(ctx, tenant, Sub{account, *item})
		return b.Amount, err
	}
	if item == nil && at.Seq == 0 {
		return s.turned(ctx, tenant, account, at.Date)
	}
	return s.store.Sum(ctx, tenant, account, item, at)
}

// turned is the balance of an account from its turnovers, of which there are few.
func (s *Service) turned(ctx context.Context, tenant, account string, to money.Date) (money.Fen, error) {
	list, err := s.store.Turnovers(ctx, tenant, 0, to)
	for _, t := range list {
		if t.Account == account {
			return t.Debits - t.Credits, err
		}
	}
	return 0, err
}

// inputHash covers what the caller gave, not when or where it was posted. Fields that an
// entry of old did not have are left out when they are empty, so that its hash stays.
func inputHash(e Entry) string {
	var until int64
	if !e.Until.IsZero() {
		until = e.Until.UnixMilli()
	}
	return digest(struct {
		Tenant, Key, Kind, Item, Date, Memo string
		Op                                  Op     `json:",omitempty"`
		Hold                                string `json:",omitempty"`
		Until                               int64  `json:",omitempty"`
		Override                            bool   `json:",omitempty"`
		Postings                            []Posting
	}{e.Tenant, e.Key, e.Kind, e.Item, e.Date.String(), e.Memo, e.Op, e.Hold, until, e.Override, e.Postings})
}

// Seal gives e its place in the chain: Seq, Prev and Hash. The hash covers everything
// else of the entry, the tenant and the hash before it.
func Seal(e Entry, seq int64, prev string) Entry {
	e.Seq, e.Prev = seq, prev
	e.Hash = digest(struct {
		Tenant, Prev, Input string
		Seq, At             int64
	}{e.Tenant, prev, e.InputHash, seq, e.At.UnixMilli()})
	return e
}

func digest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return credit.Hash(b)
}

// MoveFilter selects postings of an account, newest first, before a place of the page
// before; Seq 0 begins with the newest.
type MoveFilter struct {
	Account string
	Item    *string // nil: of all
	Seq     int64
	Nr      int
	Limit   int
}

// Moves lists postings of an account.
func (s *Service) Moves(ctx context.Context, tenant string, f MoveFilter) ([]Move, error) {
	return s.store.Moves(ctx, tenant, f.Account, f.Item, f.Seq, f.Nr, f.Limit)
}

// Subs walks the sub-accounts of an account in order of item, a page at a time.
func (s *Service) Subs(ctx context.Context, tenant, account string, f func(Balance) error) error {
	const page = 1000
	after := ""
	for {
		list, err := s.store.Balances(ctx, tenant, account, after, page)
		if err != nil {
			return err
		}
		for _, b := range list {
			if err := f(b); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		after = list[len(list)-1].Item
	}
}
