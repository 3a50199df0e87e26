package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/store"
)

// writer posts to the book of one tenant, whose head it holds until the transaction ends.
type writer struct {
	tx    *store.Tx
	sheet *ledger.Sheet
}

// post posts groups of entries, those of a tenant in their order, and answers in theirs.
func post(ctx context.Context, tx *store.Tx, groups [][]ledger.Entry) ([]answer, error) {
	out := make([]answer, len(groups))
	mine := map[string][]int{}
	for i, g := range groups {
		tenant := g[0].Tenant
		if slices.ContainsFunc(g, func(e ledger.Entry) bool { return e.Tenant != tenant }) {
			out[i].refused = ledger.ErrTenants
			continue
		}
		mine[tenant] = append(mine[tenant], i)
	}
	// In one order, so that two transactions cannot wait for each other.
	for _, tenant := range slices.Sorted(maps.Keys(mine)) {
		if err := postTenant(ctx, tx, tenant, mine[tenant], groups, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func postTenant(ctx context.Context, tx *store.Tx, tenant string, mine []int, groups [][]ledger.Entry, out []answer) error {
	w, err := lock(ctx, tx, tenant)
	if err != nil {
		return err
	}
	now := groups[mine[len(mine)-1]][0].At
	if e := w.sheet.Head.Expires; !e.IsZero() && !e.After(now) {
		if _, err := w.lapse(ctx, now); err != nil {
			return err
		}
	}
	var all []ledger.Entry
	for _, i := range mine {
		all = append(all, groups[i]...)
	}
	if err := w.load(ctx, all); err != nil {
		return err
	}
	for _, i := range mine {
		out[i].entries, out[i].refused = w.sheet.Post(groups[i])
	}
	return w.save(ctx)
}

// lock takes the head of a tenant's chain. It is written before anything is numbered by
// it, so that a rival on PostgreSQL meets a serialisation failure, which is tried again,
// and not a broken key.
func lock(ctx context.Context, tx *store.Tx, tenant string) (*writer, error) {
	h, err := scanHead(tx.QueryRow(ctx, `insert into ledger_heads (tenant, seq, hash) values ($1, 0, '')
		on conflict (tenant) do update set seq = ledger_heads.seq returning `+headColumns, tenant))
	return &writer{tx, ledger.NewSheet(h)}, err
}

const headColumns = `tenant, seq, hash, at, expires, closed, bare`

func scanHead(row store.Row) (h ledger.Head, err error) {
	var at, expires int64
	var closed string
	if err := row.Scan(&h.Tenant, &h.Seq, &h.Hash, &at, &expires, &closed, &h.Bare); err != nil {
		return h, err
	}
	if at != 0 {
		h.At = store.Time(at)
	}
	if expires != 0 {
		h.Expires = store.Time(expires)
	}
	return h, json.Unmarshal([]byte(closed), &h.Closed)
}

const lapseAtOnce = 500

// lapse ends the first holds whose time is over and says how many.
func (w *writer) lapse(ctx context.Context, now time.Time) (int, error) {
	if err := w.save(ctx); err != nil { // what is due is looked up
		return 0, err
	}
	due, err := store.Collect(ctx, w.tx, scanHold, `select `+holdColumns+` from ledger_holds
		where tenant = $1 and state = 'open' and until > 0 and until <= $2 order by until, idem_key limit $3`,
		w.sheet.Head.Tenant, store.Millis(now), lapseAtOnce)
	if err != nil {
		return 0, err
	}
	keys := make([]string, len(due))
	for i, h := range due {
		keys[i] = h.Key
	}
	if err := w.loadEntries(ctx, keys); err != nil {
		return 0, err
	}
	held := make([]ledger.Entry, 0, len(due))
	for _, h := range due {
		w.sheet.Holds[h.Key] = h
		held = append(held, w.sheet.Entries[h.Key])
	}
	if err := w.loadBalances(ctx, held); err != nil {
		return 0, err
	}
	for _, h := range due {
		if err := w.sheet.Lapse(h.Key, now); err != nil {
			return 0, err
		}
	}
	if err := w.save(ctx); err != nil {
		return 0, err
	}
	var next int64
	err = w.tx.QueryRow(ctx, `select coalesce(min(until), 0) from ledger_holds where tenant = $1 and state = 'open' and until > 0`,
		w.sheet.Head.Tenant).Scan(&next)
	w.sheet.Head.Expires = time.Time{}
	if next != 0 {
		w.sheet.Head.Expires = store.Time(next)
	}
	return len(due), err
}

// load fills the sheet with what the book knows of the keys, holds and sub-accounts that
// entries name.
func (w *writer) load(ctx context.Context, entries []ledger.Entry) error {
	keys := make([]string, 0, len(entries))
	var holds []string
	for _, e := range entries {
		keys = append(keys, e.Key)
		if e.Hold != "" {
			holds = append(holds, e.Hold)
		}
	}
	if err := w.loadEntries(ctx, append(keys, holds...)); err != nil {
		return err
	}
	for _, key := range holds {
		h, err := scanHold(w.tx.QueryRow(ctx, `select `+holdColumns+` from ledger_holds where tenant = $1 and idem_key = $2`, w.sheet.Head.Tenant, key))
		switch {
		case err == nil:
			w.sheet.Holds[key] = h
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
	}
	// A hold is ended on the sub-accounts of the entry that promised.
	for _, key := range holds {
		if held, ok := w.sheet.Entries[key]; ok {
			entries = append(entries, held)
		}
	}
	return w.loadBalances(ctx, entries)
}

// loadEntries reads those entries of the keys that are there, of which there are few.
func (w *writer) loadEntries(ctx context.Context, keys []string) error {
	var there []string
	for part := range slices.Chunk(keys, mostValues) {
		list, args := values(w.sheet.Head.Tenant, part)
		found, err := store.Collect(ctx, w.tx, scanText, `with v(idem_key) as `+list+` select f from (select (select e.idem_key
			from ledger_entries e where e.tenant = $1 and e.idem_key = v.idem_key) as f from v) t where f is not null`, args...)
		if err != nil {
			return err
		}
		there = append(there, found...)
	}
	for _, key := range there {
		e, err := ByKey(ctx, w.tx, w.sheet.Head.Tenant, key)
		if err != nil {
			return err
		}
		w.sheet.Entries[key] = e
	}
	return nil
}

func scanText(row store.Row) (s string, err error) { return s, row.Scan(&s) }

// mostValues is how many things are looked up by one statement.
const mostValues = 1 << 8

// values makes the arguments and the VALUES list of a statement that looks up each of its
// rows by a subquery. However old the statistics of a table are, and however few rows it
// had when the statement was planned, a database can do that only by the key. Lists are
// filled up to powers of two by their last row, so that there are few statements to prepare.
func values(tenant string, columns ...[]string) (string, []any) {
	rows := len(columns[0])
	n := 1
	for n < rows {
		n *= 2
	}
	args := make([]any, 1, 1+n*len(columns))
	args[0] = tenant
	var b strings.Builder
	for i := range n {
		for j, c := range columns {
			args = append(args, c[min(i, rows-1)])
			b.WriteString([...]string{", ($", ", $"}[min(j, 1)])
			b.WriteString(strconv.Itoa(len(args)))
		}
		b.WriteByte(')')
	}
	return "(values " + b.String()[2:] + ")", args
}

// loadBalances reads the sub-accounts and the days that entries touch.
func (w *writer) loadBalances(ctx context.Context, entries []ledger.Entry) error {
	subs, days := map[ledger.Sub]bool{}, map[ledger.Day]bool{}
	for _, e := range entries {
		for _, p := range e.Postings {
			subs[ledger.Sub{Account: p.Account, Item: p.Item}] = true
			days[ledger.Day{Account: p.Account, Date: e.Date}] = true
		}
	}
	for part := range slices.Chunk(sorted(subs), mostValues) {
		err := w.look(ctx, `select amount || ' ' || held_debits || ' ' || held_credits from ledger_balances b
			where b.tenant = $1 and b.account = v.a and b.item = v.b`, part, func(sub ledger.Sub, found string) error {
			b := ledger.Balance{Account: sub.Account, Item: sub.Item}
			_, err := fmt.Sscan(found, (*int64)(&b.Amount), (*int64)(&b.HeldDebits), (*int64)(&b.HeldCredits))
			w.sheet.Balances[sub] = b
			return err
		})
		if err != nil {
			return err
		}
	}
	dated := map[ledger.Sub]bool{}
	for day := range days {
		dated[ledger.Sub{Account: day.Account, Item: day.Date.String()}] = true
	}
	for part := range slices.Chunk(sorted(dated), mostValues) {
		err := w.look(ctx, `select debits || ' ' || credits from ledger_days d
			where d.tenant = $1 and d.account = v.a and d.date = v.b`, part, func(sub ledger.Sub, found string) error {
			t := ledger.Turnover{Account: sub.Account}
			if _, err := fmt.Sscan(found, (*int64)(&t.Debits), (*int64)(&t.Credits)); err != nil {
				return err
			}
			err := t.Date.UnmarshalText([]byte(sub.Item))
			w.sheet.Days[ledger.Day{Account: t.Account, Date: t.Date}] = t
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// look looks up pairs by a subquery on v.a and v.b; f gets those that are there.
func (w *writer) look(ctx context.Context, subquery string, pairs []ledger.Sub, f func(pair ledger.Sub, found string) error) error {
	a, b := make([]string, len(pairs)), make([]string, len(pairs))
	for i, p := range pairs {
		a[i], b[i] = p.Account, p.Item
	}
	list, args := values(w.sheet.Head.Tenant, a, b)
	rows, err := w.tx.Query(ctx, `with v(a, b) as `+list+` select a, b, f from (select v.a, v.b, (`+subquery+`) as f from v) t where f is not null`, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var p ledger.Sub
		var found string
		if err := rows.Scan(&p.Account, &p.Item, &found); err != nil {
			return err
		}
		if err := f(p, found); err != nil {
			return err
		}
	}
	return rows.Err()
}

// save writes what was posted.
func (w *writer) save(ctx context.Context) error {
	s := w.sheet
	if len(s.New) == 0 {
		return nil
	}
	if err := w.saveEntries(ctx); err != nil {
		return err
	}
	if err := w.saveMoves(ctx, s.New); err != nil {
		return err
	}
	if err := w.saveBalances(ctx); err != nil {
		return err
	}
	if err := w.saveHolds(ctx); err != nil {
		return err
	}
	closed, err := json.Marshal(s.Head.Closed)
	if err != nil {
		return err
	}
	if s.Head.Closed == nil {
		closed = []byte("{}")
	}
	_, err = w.tx.Exec(ctx, `update ledger_heads set seq = $2, hash = $3, at = $4, expires = $5, closed = $6 where tenant = $1`,
		s.Head.Tenant, s.Head.Seq, s.Head.Hash, store.Millis(s.Head.At), millis(s.Head.Expires), string(closed))
	s.New = nil
	clear(s.Touched)
	clear(s.Ended)
	return err
}

// millis is t as stored; 0 is none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Millis(t)
}

func (w *writer) saveEntries(ctx context.Context) error {
	in := w.tx.Insert("ledger_entries", strings.Split(columns, ", "), "")
	for _, e := range w.sheet.New {
		postings, err := json.Marshal(e.Postings)
		if err != nil {
			return err
		}
		if err := in.Add(ctx, e.Tenant, e.Seq, e.Key, e.Kind, e.Item, e.Date.String(), e.Memo, string(e.Op), e.Hold, millis(e.Until), e.Override,
			string(postings), store.Millis(e.At), e.InputHash, e.Prev, e.Hash); err != nil {
			return err
		}
	}
	_, err := in.Close(ctx)
	return err
}

// saveMoves puts what moves balances into the index of accounts.
func (w *writer) saveMoves(ctx context.Context, entries []ledger.Entry) error {
	in := w.tx.Insert("ledger_postings", []string{"tenant", "account", "seq", "nr", "item", "date", "amount"}, "")
	for _, e := range entries {
		if !e.Booked() {
			continue
		}
		date := e.Date.String()
		for nr, p := range e.Postings {
			if err := in.Add(ctx, w.sheet.Head.Tenant, p.Account, e.Seq, nr, p.Item, date, int64(p.Amount)); err != nil {
				return err
			}
		}
	}
	_, err := in.Close(ctx)
	return err
}

func (w *writer) saveBalances(ctx context.Context) error {
	tenant := w.sheet.Head.Tenant
	in := w.tx.Insert("ledger_balances", []string{"tenant", "account", "item", "amount", "held_debits", "held_credits"},
		`on conflict (tenant, account, item) do update
			set amount = excluded.amount, held_debits = excluded.held_debits, held_credits = excluded.held_credits`)
	for _, sub := range sorted(w.sheet.Touched) {
		b := w.sheet.Balances[sub]
		if err := in.Add(ctx, tenant, b.Account, b.Item, int64(b.Amount), int64(b.HeldDebits), int64(b.HeldCredits)); err != nil {
			return err
		}
	}
	if _, err := in.Close(ctx); err != nil {
		return err
	}
	return w.saveDays(ctx)
}

func sorted(subs map[ledger.Sub]bool) []ledger.Sub {
	return slices.SortedFunc(maps.Keys(subs), func(a, b ledger.Sub) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Item, b.Item))
	})
}

func (w *writer) saveDays(ctx context.Context) error {
	days := map[ledger.Day]bool{}
	for _, e := range w.sheet.New {
		if e.Booked() {
			for _, p := range e.Postings {
				days[ledger.Day{Account: p.Account, Date: e.Date}] = true
			}
		}
	}
	in := w.tx.Insert("ledger_days", []string{"tenant", "account", "date", "debits", "credits"},
		`on conflict (tenant, account, date) do update set debits = excluded.debits, credits = excluded.credits`)
	for day := range days {
		t := w.sheet.Days[day]
		if err := in.Add(ctx, w.sheet.Head.Tenant, t.Account, t.Date.String(), int64(t.Debits), int64(t.Credits)); err != nil {
			return err
		}
	}
	_, err := in.Close(ctx)
	return err
}

const holdColumns = `idem_key, seq, state, until, ended_by`

func scanHold(row store.Row) (h ledger.Hold, err error) {
	var state string
	var until int64
	err = row.Scan(&h.Key, &h.Seq, &state, &until, &h.By)
	h.State = ledger.State(state)
	if until != 0 {
		h.Until = store.Time(until)
	}
	return h, err
}

func (w *writer) saveHolds(ctx context.Context) error {
	in := w.tx.Insert("ledger_holds", []string{"tenant", "idem_key", "seq", "state", "until", "ended_by"},
		`on conflict (tenant, idem_key) do update set state = excluded.state, ended_by = excluded.ended_by`)
	for _, key := range slices.Sorted(maps.Keys(w.sheet.Ended)) {
		h := w.sheet.Holds[key]
		if err := in.Add(ctx, w.sheet.Head.Tenant, h.Key, h.Seq, string(h.State), millis(h.Until), h.By); err != nil {
			return err
		}
	}
	_, err := in.Close(ctx)
	return err
}
