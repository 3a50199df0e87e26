package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// File is the chart of accounts in the catalogue.
const File = "accounts.yaml"

// ErrChart is returned for a chart of accounts that cannot be used.
var ErrChart = fault.New(fault.Invalid, "ledger.chart", "the chart of accounts is wrong: {why}")

// ErrAmount is returned for a posting beyond ten trillion yuan, which no bank has and
// which keeps every balance within 64 bits.
var ErrAmount = fault.New(fault.Invalid, "ledger.amount", "the posting of {amount} yuan is too large")

const maxAmount money.Fen = 1e15

// Chart is the list of accounts that may be posted to.
type Chart []Account

// LoadChart reads accounts.yaml; it returns ErrChart.
func LoadChart(fsys fs.FS) (Chart, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var f struct {
		Accounts Chart `yaml:"accounts"`
	}
	if err := yaml.Unmarshal(b, &f); err != nil {
		return nil, ErrChart.At(File).With("why", err)
	}
	seen := map[string]bool{}
	for _, a := range f.Accounts {
		known := slices.Contains([]Class{Asset, Liability, Income, Expense}, a.Class)
		if a.Code == "" || seen[a.Code] || !known || a.Name["zh-CN"] == "" || a.Name["en"] == "" {
			return nil, ErrChart.At(File).With("why", "account "+a.Code+" needs a code of its own, a class and names in zh-CN and en")
		}
		seen[a.Code] = true
	}
	return f.Accounts, nil
}

// Service posts and checks entries.
type Service struct {
	store Store
	chart Chart
	now   func() time.Time
}

// New returns a service over a store and the accounts that it may post to.
func New(store Store, chart Chart, now func() time.Time) *Service {
	return &Service{store: store, chart: chart, now: now}
}

// Chart returns the accounts.
func (s *Service) Chart() Chart { return s.chart }

// Prepare checks e and stamps InputHash and At, for a store that posts it together
// with other records. It returns ErrEmpty, ErrAccount, ErrAmount or ErrUnbalanced.
func (s *Service) Prepare(e Entry) (Entry, error) {
	if err := s.check(e); err != nil {
		return Entry{}, err
	}
	e.InputHash = inputHash(e)
	e.At = s.now().UTC().Truncate(time.Millisecond)
	e.Seq, e.Prev, e.Hash = 0, "", ""
	return e, nil
}

func (s *Service) check(e Entry) error {
	if e.Key == "" || e.Tenant == "" || len(e.Postings) < 2 {
		return ErrEmpty
	}
	var sum money.Fen
	for _, p := range e.Postings {
		switch {
		case p.Amount == 0:
			return ErrEmpty
		case p.Amount > maxAmount || p.Amount < -maxAmount:
			return ErrAmount.With("amount", p.Amount)
		case !slices.ContainsFunc(s.chart, func(a Account) bool { return a.Code == p.Account }):
			return ErrAccount.With("account", p.Account)
		}
		sum += p.Amount
	}
	if sum != 0 {
		return ErrUnbalanced.With("amount", sum)
	}
	return nil
}

// Post appends e. The same key with the same content gives the first answer again;
// with other content it is ErrKeyReused.
func (s *Service) Post(ctx context.Context, e Entry) (Entry, error) {
	e, err := s.Prepare(e)
	if err != nil {
		return Entry{}, err
	}
	return s.store.Append(ctx, e)
}

// Reverse posts the opposite of the entry with key, once; ErrNotFound, ErrReversed.
func (s *Service) Reverse(ctx context.Context, tenant, key, memo string, date money.Date) (Entry, error) {
	e, err := s.store.Entry(ctx, tenant, key)
	if err != nil {
		return Entry{}, err
	}
	back := Entry{
		Tenant: tenant, Key: "reverse:" + key, Kind: "reversal", Item: e.Item, Date: date, Memo: memo,
		Postings: slices.Clone(e.Postings),
	}
	if _, err := s.store.Entry(ctx, tenant, back.Key); err == nil {
		return Entry{}, ErrReversed
	}
	for i := range back.Postings {
		back.Postings[i].Amount = -back.Postings[i].Amount
	}
	return s.Post(ctx, back)
}

// Entries lists entries in order.
func (s *Service) Entries(ctx context.Context, tenant string, f Filter) ([]Entry, error) {
	return s.store.Entries(ctx, tenant, f)
}

// Balance sums an account over its items, or gives one item of it; item "" is all.
func (s *Service) Balance(ctx context.Context, tenant, account, item string) (money.Fen, error) {
	list, err := s.store.Balances(ctx, tenant, account)
	var sum money.Fen
	for _, b := range list {
		if item == "" || b.Item == item {
			sum += b.Amount
		}
	}
	return sum, err
}

// inputHash covers what the caller gave, not when or where it was posted.
func inputHash(e Entry) string {
	return digest(struct {
		Tenant, Key, Kind, Item, Date, Memo string
		Postings                            []Posting
	}{e.Tenant, e.Key, e.Kind, e.Item, e.Date.String(), e.Memo, e.Postings})
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

// Verify rebuilds every balance from the entries and compares it with the saved one,
// and checks that no entry was changed, dropped or put in between. It may run while
// entries are being posted.
func (s *Service) Verify(ctx context.Context, tenant string) (Audit, error) {
	v := verifier{audit: Audit{Tenant: tenant, Faults: []Fault{}}, sums: map[[2]string]money.Fen{}}
	if err := v.read(ctx, s.store); err != nil {
		return Audit{}, err
	}
	for {
		saved, err := s.store.Balances(ctx, tenant, "")
		if err != nil {
			return Audit{}, err
		}
		// Entries posted between the two reads would look like wrong balances.
		seen := v.audit.Entries
		if err := v.read(ctx, s.store); err != nil {
			return Audit{}, err
		}
		if v.audit.Entries == seen {
			v.compare(saved)
			return v.audit, nil
		}
	}
}

type verifier struct {
	audit Audit
	sums  map[[2]string]money.Fen
	seq   int64
}

func (v *verifier) fault(f Fault) { v.audit.Faults = append(v.audit.Faults, f) }

func (v *verifier) read(ctx context.Context, store Store) error {
	for {
		list, err := store.Entries(ctx, v.audit.Tenant, Filter{After: v.seq, Limit: 1000})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, e := range list {
			v.entry(e)
		}
	}
}

func (v *verifier) entry(e Entry) {
	if e.Seq != v.seq+1 {
		v.fault(Fault{Seq: v.seq + 1, Problem: fmt.Sprintf("entries %d to %d are missing", v.seq+1, e.Seq-1)})
	}
	if e.Prev != v.audit.Head {
		v.fault(Fault{Seq: e.Seq, Problem: "does not follow the entry before it"})
	}
	e.Tenant = v.audit.Tenant
	if e.InputHash != inputHash(e) || Seal(e, e.Seq, e.Prev).Hash != e.Hash {
		v.fault(Fault{Seq: e.Seq, Problem: "was changed after it was posted"})
	}
	var sum money.Fen
	for _, p := range e.Postings {
		sum += p.Amount
		v.sums[[2]string{p.Account, p.Item}] += p.Amount
		if p.Amount > 0 && v.audit.Debits <= math.MaxInt64-p.Amount {
			v.audit.Debits += p.Amount
		}
	}
	if sum != 0 {
		v.fault(Fault{Seq: e.Seq, Problem: "debits and credits differ by " + sum.String()})
	}
	v.seq, v.audit.Head = e.Seq, e.Hash
	v.audit.Entries++
}

func (v *verifier) compare(saved []Balance) {
	v.audit.Accounts = len(v.sums)
	for _, b := range saved {
		key := [2]string{b.Account, b.Item}
		if want := v.sums[key]; want != b.Amount {
			v.fault(Fault{Account: b.Account, Item: b.Item, Problem: fmt.Sprintf("the saved balance is %s, the entries give %s", b.Amount, want)})
		}
		delete(v.sums, key)
	}
	for key, sum := range v.sums {
		if sum != 0 {
			v.fault(Fault{Account: key[0], Item: key[1], Problem: "the balance of " + sum.String() + " is not saved"})
		}
	}
	slices.SortFunc(v.audit.Faults, func(a, b Fault) int {
		switch {
		case a.Seq != b.Seq:
			return int(min(max(a.Seq-b.Seq, -1), 1))
		case a.Account != b.Account:
			return strings.Compare(a.Account, b.Account)
		}
		return strings.Compare(a.Item, b.Item)
	})
}
