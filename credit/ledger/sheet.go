package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// A balance stays below four quintillions of fen, so that it and what is held add up
// within 64 bits.
const maxBalance money.Fen = 4e18

// Head is the end of a tenant's chain, and what holds for the whole book.
type Head struct {
	Tenant  string
	Seq     int64
	Hash    string
	At      time.Time             // of the last entry
	Expires time.Time             // not later than the first open hold expires; zero: none does
	Closed  map[string]money.Date // up to which date by account; "" is the whole book
	Bare    int64                 // so many of the first entries are not in the index of accounts
}

// State of a hold.
type State string

// States.
const (
	Open    State = "open"
	Settled State = "settled"
	Voided  State = "voided"
	Lapsed  State = "expired"
)

// Hold is what became of an entry that promises.
type Hold struct {
	Key   string    `json:"key"`
	Seq   int64     `json:"seq"` // of the entry that promised
	State State     `json:"state"`
	Until time.Time `json:"until,omitzero"`
	By    string    `json:"by,omitempty"` // key of the entry that ended it
}

// Sheet is the part of a tenant's book that some entries touch: a store fills it, posts,
// and writes what changed. It decides alone, without a database, so that every store
// decides alike. It is for one goroutine.
type Sheet struct {
	Head     Head
	Balances map[Sub]Balance
	Entries  map[string]Entry // by key: those of the keys and holds that the entries name
	Holds    map[string]Hold  // of the holds that the entries name

	// What was posted.
	New     []Entry
	Touched map[Sub]bool    // balances that changed
	Ended   map[string]bool // holds that changed
	Days    map[Day]Turnover
}

// Day is a bank date of an account.
type Day struct {
	Account string
	Date    money.Date
}

// NewSheet returns a sheet with nothing on it.
func NewSheet(h Head) *Sheet {
	return &Sheet{
		Head: h, Balances: map[Sub]Balance{}, Entries: map[string]Entry{}, Holds: map[string]Hold{},
		Touched: map[Sub]bool{}, Ended: map[string]bool{}, Days: map[Day]Turnover{},
	}
}

// draft is what a group of entries would change.
type draft struct {
	*Sheet
	head     Head
	balances map[Sub]Balance
	holds    map[string]Hold
	days     map[Day]Turnover
	posted   []Entry
	limits   map[Sub]Limit
}

// Post posts entries that belong together: all of them, or none when it returns
// ErrKeyReused, ErrDebitLimit, ErrCreditLimit, ErrOverflow, ErrClosed, ErrShut, ErrReopen,
// ErrNotFound (of a hold), ErrNotHold, ErrSettled, ErrVoided, ErrExpired, ErrPast,
// ErrHoldExceeded or ErrHoldDiffers. Limits hold once the whole group is posted. An entry
// whose key and content are known gives the answer of then, with Existed set.
func (s *Sheet) Post(group []Entry) ([]Entry, error) {
	d := draft{
		Sheet: s, head: s.Head, balances: make(map[Sub]Balance, 2*len(group)), limits: map[Sub]Limit{},
	}
	out := make([]Entry, len(group))
	for i, e := range group {
		var err error
		if out[i], err = d.post(e); err != nil {
			if len(group) > 1 {
				err = at(err, i)
			}
			return nil, err
		}
	}
	if err := d.checkLimits(group); err != nil {
		return nil, err
	}
	d.keep()
	return out, nil
}

// at names the entry of a group that was refused.
func at(err error, i int) error {
	if f, ok := err.(*fault.Error); ok { //nolint:errorlint // those above are returned bare
		return f.At("entries[%d]", i)
	}
	return err
}

// keep makes the draft the book.
func (d *draft) keep() {
	d.Head = d.head
	for sub, b := range d.balances {
		d.Balances[sub], d.Touched[sub] = b, true
	}
	for key, h := range d.holds {
		d.Holds[key], d.Ended[key] = h, true
	}
	for day, t := range d.days {
		d.Days[day] = t
	}
	for _, e := range d.posted {
		d.Entries[e.Key] = e
	}
	d.New = append(d.New, d.posted...)
}

// known finds an entry by key, in the book or in the group.
func (d *draft) known(key string) (Entry, bool) {
	if e, ok := d.Entries[key]; ok {
		return e, true
	}
	i := slices.IndexFunc(d.posted, func(e Entry) bool { return e.Key == key })
	if i < 0 {
		return Entry{}, false
	}
	return d.posted[i], true
}

func (d *draft) post(e Entry) (Entry, error) {
	if old, ok := d.known(e.Key); ok {
		if old.InputHash != e.InputHash {
			return Entry{}, ErrKeyReused.With("key", e.Key).With("differs", strings.Join(Differences(old, e), ", "))
		}
		old.Existed = true
		return old, nil
	}
	if err := d.open(e); err != nil {
		return Entry{}, err
	}
	e.At = later(e.At, d.head.At)
	if err := d.do(e); err != nil {
		return Entry{}, err
	}
	e = Seal(e, d.head.Seq+1, d.head.Hash)
	d.head.Seq, d.head.Hash, d.head.At = e.Seq, e.Hash, e.At
	d.posted = append(d.posted, e)
	return e, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// open says whether the book is open for e: ErrClosed, ErrShut.
func (d *draft) open(e Entry) error {
	if e.Override || len(d.head.Closed) == 0 || len(e.Postings) == 0 {
		return nil
	}
	if through := d.head.Closed[""]; e.Date <= through {
		return ErrClosed.With("through", through)
	}
	for _, p := range e.Postings {
		if through, ok := d.head.Closed[p.Account]; ok && e.Date <= through {
			return ErrShut.With("account", p.Account).With("through", through)
		}
	}
	return nil
}

func (d *draft) do(e Entry) error {
	switch e.Op {
	case Post:
		return d.book(e)
	case Held:
		return d.hold(e)
	case Settle, Void, Expire:
		return d.end(e)
	default:
		return d.shut(e)
	}
}

func (d *draft) balance(s Sub) Balance {
	if b, ok := d.balances[s]; ok {
		return b
	}
	if b, ok := d.Balances[s]; ok {
		return b
	}
	return Balance{Account: s.Account, Item: s.Item}
}

// book adds the postings to the balances.
func (d *draft) book(e Entry) error {
	for i, p := range e.Postings {
		s := Sub{p.Account, p.Item}
		b := d.balance(s)
		b.Amount += p.Amount
		if b.Amount > maxBalance || b.Amount < -maxBalance {
			return ErrOverflow.With("account", p.Account).With("item", p.Item)
		}
		d.balances[s] = b
		d.limit(s, e, i)
		if err := d.turn(p, e.Date); err != nil {
			return err
		}
	}
	return nil
}

// limit remembers the rule of a sub-account that must hold in the end. Who overrides
// leaves it out; another entry of the group may bring it back.
func (d *draft) limit(s Sub, e Entry, i int) {
	if i < len(e.limits) && e.limits[i] != Free && !e.Override {
		d.limits[s] = e.limits[i]
	}
}

func (d *draft) turn(p Posting, date money.Date) error {
	day := Day{p.Account, date}
	t, ok := d.days[day]
	if !ok {
		t = d.Days[day]
		t.Account, t.Date = p.Account, date
	}
	if p.Amount > 0 {
		t.Debits += p.Amount
	} else {
		t.Credits -= p.Amount
	}
	if t.Debits > maxBalance || t.Credits > maxBalance {
		return ErrOverflow.With("account", p.Account).With("item", "")
	}
	if d.days == nil {
		d.days = map[Day]Turnover{}
	}
	d.days[day] = t
	return nil
}

// hold promises the postings.
func (d *draft) hold(e Entry) error {
	if !e.Until.IsZero() && !e.Until.After(e.At) {
		return ErrPast
	}
	for i, p := range e.Postings {
		s := Sub{p.Account, p.Item}
		b := promise(d.balance(s), p.Amount, 1)
		if b.HeldDebits > maxBalance || b.HeldCredits > maxBalance {
			return ErrOverflow.With("account", p.Account).With("item", p.Item)
		}
		d.balances[s] = b
		d.limit(s, e, i)
	}
	d.setHold(Hold{Key: e.Key, Seq: d.head.Seq + 1, State: Open, Until: e.Until})
	if !e.Until.IsZero() && (d.head.Expires.IsZero() || e.Until.Before(d.head.Expires)) {
		d.head.Expires = e.Until
	}
	return nil
}

func promise(b Balance, amount money.Fen, sign money.Fen) Balance {
	if amount > 0 {
		b.HeldDebits += sign * amount
	} else {
		b.HeldCredits -= sign * amount
	}
	return b
}

func (d *draft) setHold(h Hold) {
	if d.holds == nil {
		d.holds = map[string]Hold{}
	}
	d.holds[h.Key] = h
}

// end settles or releases a hold, once.
func (d *draft) end(e Entry) error {
	held, ok := d.known(e.Hold)
	if !ok {
		return ErrNotFound
	}
	if held.Op != Held {
		return ErrNotHold.With("key", e.Hold)
	}
	h, ok := d.holds[e.Hold]
	if !ok {
		if h, ok = d.Holds[e.Hold]; !ok {
			return ErrNotFound
		}
	}
	switch h.State {
	case Open:
	case Settled:
		return ErrSettled.With("key", e.Hold)
	case Voided:
		return ErrVoided.With("key", e.Hold)
	case Lapsed:
		return ErrExpired.With("key", e.Hold)
	}
	due := !h.Until.IsZero() && !h.Until.After(e.At)
	if due && e.Op != Expire {
		return ErrExpired.With("key", e.Hold)
	}
	if err := within(held.Postings, e.Postings); err != nil {
		return err
	}
	for _, p := range held.Postings {
		s := Sub{p.Account, p.Item}
		d.balances[s] = promise(d.balance(s), p.Amount, -1)
	}
	h.State, h.By = endState(e.Op), e.Key
	d.setHold(h)
	return d.book(e)
}

func endState(op Op) State {
	if op == Settle {
		return Settled
	}
	if op == Void {
		return Voided
	}
	return Lapsed
}

// within says whether each posting is held on its sub-account and side, and enough of
// it: ErrHoldDiffers, ErrHoldExceeded.
func within(held, postings []Posting) error {
	type side struct {
		Sub
		debit bool
	}
	left := map[side]money.Fen{}
	for _, p := range held {
		left[side{Sub{p.Account, p.Item}, p.Amount > 0}] += abs(p.Amount)
	}
	for _, p := range postings {
		s := side{Sub{p.Account, p.Item}, p.Amount > 0}
		rest, ok := left[s]
		switch {
		case !ok:
			return ErrHoldDiffers.With("account", p.Account).With("item", p.Item)
		case rest < abs(p.Amount):
			return ErrHoldExceeded.With("amount", abs(p.Amount)).With("account", p.Account).With("item", p.Item)
		}
		left[s] = rest - abs(p.Amount)
	}
	return nil
}

func abs(f money.Fen) money.Fen {
	if f < 0 {
		return -f
	}
	return f
}

// shut closes an account or the whole book; to open what was closed takes the right to.
func (d *draft) shut(e Entry) error {
	if through := d.head.Closed[e.Item]; e.Date < through && !e.Override {
		return ErrReopen.With("through", through)
	}
	closed := maps.Clone(d.head.Closed)
	if closed == nil {
		closed = map[string]money.Date{}
	}
	closed[e.Item] = e.Date
	d.head.Closed = closed
	return nil
}

// checkLimits refuses a group that leaves a limited sub-account further beyond its limit
// than it was: ErrDebitLimit, ErrCreditLimit.
func (d *draft) checkLimits(group []Entry) error {
	subs := slices.SortedFunc(maps.Keys(d.limits), func(a, b Sub) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Item, b.Item))
	})
	for _, s := range subs {
		rule, was, is := d.limits[s], d.Balances[s], d.balances[s]
		over := rule.beyond(is)
		if over <= max(0, rule.beyond(was)) {
			continue
		}
		err := ErrDebitLimit
		if rule == CreditsLimited {
			err = ErrCreditLimit
		}
		err = err.With("account", s.Account).With("item", s.Item).With("amount", over)
		if len(group) > 1 {
			// The limit holds for the group; the last entry that moves the account is named.
			for i, e := range slices.Backward(group) {
				if slices.ContainsFunc(e.Postings, func(p Posting) bool { return Sub{p.Account, p.Item} == s }) {
					return err.At("entries[%d]", i)
				}
			}
		}
		return err
	}
	return nil
}

// beyond is by how much a balance breaks the rule; negative is what is left.
func (l Limit) beyond(b Balance) money.Fen {
	if l == DebitsLimited {
		return b.Amount + b.HeldDebits
	}
	return b.HeldCredits - b.Amount
}

// Lapse releases a hold whose time is over, as an entry of the book itself.
func (s *Sheet) Lapse(key string, now time.Time) error {
	e := Entry{
		Tenant: s.Head.Tenant, Key: "expire:" + key, Kind: string(Expire), Op: Expire, Hold: key,
		Item: s.Entries[key].Item, Date: money.DateOf(now), Postings: []Posting{}, At: now.UTC().Truncate(time.Millisecond),
	}
	e.InputHash = inputHash(e)
	_, err := s.Post([]Entry{e})
	return err
}

// Differences names the fields in which two entries of one key differ.
func Differences(a, b Entry) []string {
	var out []string
	differ := func(name string, is bool) {
		if is {
			out = append(out, name)
		}
	}
	differ("kind", a.Kind != b.Kind)
	differ("item", a.Item != b.Item)
	differ("date", a.Date != b.Date)
	differ("memo", a.Memo != b.Memo)
	differ("op", a.Op != b.Op)
	differ("hold", a.Hold != b.Hold)
	differ("until", !a.Until.Equal(b.Until))
	differ("override", a.Override != b.Override)
	accounts := func(p Posting) Sub { return Sub{p.Account, p.Item} }
	amounts := func(p Posting) money.Fen { return p.Amount }
	differ("account", !sameBy(a.Postings, b.Postings, accounts))
	differ("amount", !sameBy(a.Postings, b.Postings, amounts))
	return out
}

func sameBy[K comparable](a, b []Posting, key func(Posting) K) bool {
	return slices.EqualFunc(a, b, func(x, y Posting) bool { return key(x) == key(y) })
}
