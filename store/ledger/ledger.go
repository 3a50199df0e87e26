// Package ledger keeps the double-entry book in the database: the entries, which are the
// truth, and what follows from them: balances, turnovers, holds, and the postings by
// account.
package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Store implements ledger.Store. Callers that post at the same time share a transaction.
type Store struct {
	db    *store.DB
	posts *store.Gather[[]ledger.Entry, answer]
}

var _ ledger.Store = (*Store)(nil)

// answer to one group of a step. What the book refuses does not stop the others.
type answer struct {
	entries []ledger.Entry
	refused error
}

// A step is bounded, so that nobody waits long for the others.
const mostGroups = 1000

// New returns a store on db.
func New(db *store.DB) *Store {
	s := &Store{db: db}
	s.posts = store.NewGather(mostGroups, s.step)
	return s
}

// Append implements ledger.Store.
func (s *Store) Append(ctx context.Context, group []ledger.Entry) ([]ledger.Entry, error) {
	a, err := s.posts.Do(ctx, group)
	if err != nil {
		return nil, err
	}
	return a.entries, a.refused
}

// step posts what several callers asked for in one transaction.
func (s *Store) step(ctx context.Context, groups [][]ledger.Entry) ([]answer, error) {
	var out []answer
	err := s.db.TxInTurn(ctx, Lines(groups...), func(tx *store.Tx) (err error) {
		out, err = post(ctx, tx, groups)
		return err
	})
	return out, err
}

// Lines are where a transaction that posts these entries waits for its turn, since it will
// take the head of its tenant's chain; without entries nowhere.
func Lines(groups ...[]ledger.Entry) []string {
	var lines []string
	last := ""
	for _, g := range groups {
		for i := range g {
			if t := g[i].Tenant; t != last || lines == nil {
				lines, last = append(lines, line(t)), t
			}
		}
	}
	return lines
}

func line(tenant string) string { return "ledger " + tenant }

// Append posts groups of entries, each of one tenant, within a transaction of another store
// that is in turn of [Lines] and must not commit when it fails. However many entries there
// are, it takes about ten statements for each tenant. It returns all as they were posted.
func Append(ctx context.Context, tx *store.Tx, groups ...[]ledger.Entry) ([]ledger.Entry, error) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g []ledger.Entry) bool { return len(g) == 0 })
	out, err := post(ctx, tx, groups)
	if err != nil {
		return nil, err
	}
	var posted []ledger.Entry
	for i := range out {
		if err := out[i].refused; err != nil {
			return nil, err
		}
		posted = append(posted, out[i].entries...)
	}
	return posted, nil
}

// Expire implements ledger.Store.
func (s *Store) Expire(ctx context.Context, tenant string, now time.Time) (n int, err error) {
	err = s.db.TxInTurn(ctx, []string{line(tenant)}, func(tx *store.Tx) error {
		n = 0
		w, err := lock(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for {
			lapsed, err := w.lapse(ctx, now)
			if err != nil {
				return err
			}
			if n += lapsed; lapsed < lapseAtOnce {
				return w.save(ctx)
			}
		}
	})
	return n, err
}

const columns = `tenant, seq, idem_key, kind, item, date, memo, op, hold, until, override, postings, at, input_hash, prev, hash`

// Entry implements ledger.Store.
func (s *Store) Entry(ctx context.Context, tenant, key string) (ledger.Entry, error) {
	return ByKey(ctx, s.db, tenant, key)
}

// ByKey finds an entry on a database or within a transaction; ledger.ErrNotFound.
func ByKey(ctx context.Context, q store.Queryer, tenant, key string) (ledger.Entry, error) {
	e, err := scan(q.QueryRow(ctx, `select `+columns+` from ledger_entries where tenant = $1 and idem_key = $2`, tenant, key))
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Entry{}, ledger.ErrNotFound
	}
	return e, err
}

// Entries implements ledger.Store.
func (s *Store) Entries(ctx context.Context, tenant string, f ledger.Filter) ([]ledger.Entry, error) {
	query, args := `select `+columns+` from ledger_entries where tenant = $1 and seq > $2`, []any{tenant, f.After}
	restrict := func(condition string, value any) {
		args = append(args, value)
		query += fmt.Sprintf(condition, len(args))
	}
	if f.Item != "" {
		restrict(` and item = $%d`, f.Item)
	}
	if f.From != 0 {
		restrict(` and date >= $%d`, f.From.String())
	}
	if f.To != 0 {
		restrict(` and date <= $%d`, f.To.String())
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 200
	}
	restrict(` order by seq limit $%d`, min(limit, 1000))
	return store.Collect(ctx, s.db, scan, query, args...)
}

func scan(row store.Row) (ledger.Entry, error) {
	e, broken, err := scanAny(row)
	if err == nil && broken != nil {
		err = fmt.Errorf("ledger entry %d: %w", e.Seq, broken)
	}
	return e, err
}

// scanAny reads an entry even when what it says was damaged, and how.
func scanAny(row store.Row) (e ledger.Entry, broken, err error) {
	var date, op, postings string
	var at, until int64
	if err := row.Scan(&e.Tenant, &e.Seq, &e.Key, &e.Kind, &e.Item, &date, &e.Memo, &op, &e.Hold, &until, &e.Override,
		&postings, &at, &e.InputHash, &e.Prev, &e.Hash); err != nil {
		return e, nil, err
	}
	e.Op, e.At = ledger.Op(op), store.Time(at)
	if until != 0 {
		e.Until = store.Time(until)
	}
	return e, errors.Join(e.Date.UnmarshalText([]byte(date)), json.Unmarshal([]byte(postings), &e.Postings)), nil
}

const balanceColumns = `account, item, amount, held_debits, held_credits`

func scanBalance(row store.Row) (b ledger.Balance, err error) {
	return b, row.Scan(&b.Account, &b.Item, &b.Amount, &b.HeldDebits, &b.HeldCredits)
}

// Balances implements ledger.Store.
func (s *Store) Balances(ctx context.Context, tenant, account, after string, limit int) ([]ledger.Balance, error) {
	if limit <= 0 {
		limit = 1 << 30
	}
	return store.Collect(ctx, s.db, scanBalance, `select `+balanceColumns+` from ledger_balances
		where tenant = $1 and ($2 = '' or account = $2) and ($3 = '' or item > $3) order by account, item limit $4`, tenant, account, after, limit)
}

// Balance implements ledger.Store.
func (s *Store) Balance(ctx context.Context, tenant string, sub ledger.Sub) (ledger.Balance, error) {
	b, err := scanBalance(s.db.QueryRow(ctx, `select `+balanceColumns+` from ledger_balances
		where tenant = $1 and account = $2 and item = $3`, tenant, sub.Account, sub.Item))
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Balance{Account: sub.Account, Item: sub.Item}, nil
	}
	return b, err
}

// Sum implements ledger.Store.
func (s *Store) Sum(ctx context.Context, tenant, account string, item *string, at ledger.AsOf) (money.Fen, error) {
	query, args := `select cast(coalesce(sum(amount), 0) as bigint) from ledger_postings where tenant = $1 and account = $2`, []any{tenant, account}
	restrict := func(condition string, value any) {
		args = append(args, value)
		query += fmt.Sprintf(condition, len(args))
	}
	if item != nil {
		restrict(` and item = $%d`, *item)
	}
	if at.Date != 0 {
		restrict(` and date <= $%d`, at.Date.String())
	}
	if at.Seq != 0 {
		restrict(` and seq <= $%d`, at.Seq)
	}
	var sum int64
	err := s.db.QueryRow(ctx, query, args...).Scan(&sum)
	return money.Fen(sum), err
}

// Moves implements ledger.Store.
func (s *Store) Moves(ctx context.Context, tenant, account string, item *string, seq int64, nr, limit int) ([]ledger.Move, error) {
	query, args := `select account, item, seq, nr, date, amount from ledger_postings where tenant = $1 and account = $2`, []any{tenant, account}
	if item != nil {
		args = append(args, *item)
		query += ` and item = $3`
	}
	if seq > 0 {
		query += fmt.Sprintf(` and (seq, nr) < ($%d, $%d)`, len(args)+1, len(args)+2)
		args = append(args, seq, nr)
	}
	args = append(args, limit)
	return store.Collect(ctx, s.db, scanMove, query+fmt.Sprintf(` order by seq desc, nr desc limit $%d`, len(args)), args...)
}

func scanMove(row store.Row) (m ledger.Move, err error) {
	var date string
	if err := row.Scan(&m.Account, &m.Item, &m.Seq, &m.Nr, &date, &m.Amount); err != nil {
		return m, err
	}
	return m, m.Date.UnmarshalText([]byte(date))
}

// Turnovers implements ledger.Store.
func (s *Store) Turnovers(ctx context.Context, tenant string, from, to money.Date) ([]ledger.Turnover, error) {
	query, args := `select account, '', cast(sum(debits) as bigint), cast(sum(credits) as bigint) from ledger_days where tenant = $1 and date >= $2`,
		[]any{tenant, from.String()}
	if to != 0 {
		query += ` and date <= $3`
		args = append(args, to.String())
	}
	return store.Collect(ctx, s.db, scanTurnover, query+` group by account order by account`, args...)
}

func scanTurnover(row store.Row) (t ledger.Turnover, err error) {
	var date string
	if err := row.Scan(&t.Account, &date, &t.Debits, &t.Credits); err != nil {
		return t, err
	}
	return t, t.Date.UnmarshalText([]byte(date))
}

// LastAt implements ledger.Store. Entries are in order of time, so it looks in halves.
func (s *Store) LastAt(ctx context.Context, tenant string, at time.Time) (int64, error) {
	var low, high int64 // low was posted by then, what is after high was not
	err := s.db.QueryRow(ctx, `select seq from ledger_heads where tenant = $1`, tenant).Scan(&high)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	for err == nil && low < high {
		mid := low + (high-low+1)/2
		var posted int64
		if err = s.db.QueryRow(ctx, `select at from ledger_entries where tenant = $1 and seq = $2`, tenant, mid).Scan(&posted); err != nil {
			break
		}
		if posted <= store.Millis(at) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low, err
}

// Tenants implements ledger.Store.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (t string, err error) {
		return t, row.Scan(&t)
	}, `select tenant from ledger_heads where seq > 0 order by tenant`)
}
