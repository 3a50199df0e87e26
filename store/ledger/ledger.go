// Package ledger keeps the double-entry book in the database.
package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Store implements ledger.Store.
type Store struct{ db *store.DB }

var _ ledger.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

const columns = `tenant, seq, idem_key, kind, item, date, memo, postings, at, input_hash, prev, hash`

// Append implements ledger.Store.
func (s *Store) Append(ctx context.Context, e ledger.Entry) (ledger.Entry, error) {
	var out ledger.Entry
	err := s.db.Tx(ctx, func(tx *store.Tx) (err error) {
		out, err = Append(ctx, tx, e)
		return err
	})
	return out, err
}

// Append posts e within a transaction of another store.
func Append(ctx context.Context, tx *store.Tx, e ledger.Entry) (ledger.Entry, error) {
	known, err := byKey(ctx, tx, e.Tenant, e.Key)
	switch {
	case err == nil && known.InputHash == e.InputHash:
		return known, nil
	case err == nil:
		return ledger.Entry{}, ledger.ErrKeyReused.With("key", e.Key)
	case !errors.Is(err, ledger.ErrNotFound):
		return ledger.Entry{}, err
	}
	var seq int64
	var prev string
	// The head is written before anything is numbered by it, so that a rival on PostgreSQL
	// meets a serialisation failure, which is tried again, and not a broken key.
	err = tx.QueryRow(ctx, `insert into ledger_heads (tenant, seq, hash) values ($1, 1, '')
		on conflict (tenant) do update set seq = ledger_heads.seq + 1 returning seq, hash`, e.Tenant).Scan(&seq, &prev)
	if err != nil {
		return ledger.Entry{}, err
	}
	e = ledger.Seal(e, seq, prev)
	postings, err := json.Marshal(e.Postings)
	if err != nil {
		return ledger.Entry{}, err
	}
	if _, err := tx.Exec(ctx, `insert into ledger_entries (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		e.Tenant, e.Seq, e.Key, e.Kind, e.Item, e.Date.String(), e.Memo, string(postings), store.Millis(e.At), e.InputHash, e.Prev, e.Hash); err != nil {
		return ledger.Entry{}, err
	}
	for _, p := range e.Postings {
		if _, err := tx.Exec(ctx, `insert into ledger_balances (tenant, account, item, amount) values ($1, $2, $3, $4)
			on conflict (tenant, account, item) do update set amount = ledger_balances.amount + excluded.amount`,
			e.Tenant, p.Account, p.Item, int64(p.Amount)); err != nil {
			return ledger.Entry{}, err
		}
	}
	_, err = tx.Exec(ctx, `update ledger_heads set hash = $2 where tenant = $1`, e.Tenant, e.Hash)
	return e, err
}

// Entry implements ledger.Store.
func (s *Store) Entry(ctx context.Context, tenant, key string) (ledger.Entry, error) {
	return byKey(ctx, s.db, tenant, key)
}

func byKey(ctx context.Context, q store.Queryer, tenant, key string) (ledger.Entry, error) {
	e, err := scan(q.QueryRow(ctx, `select `+columns+` from ledger_entries where tenant = $1 and idem_key = $2`, tenant, key))
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Entry{}, ledger.ErrNotFound
	}
	return e, err
}

// Entries implements ledger.Store.
func (s *Store) Entries(ctx context.Context, tenant string, f ledger.Filter) ([]ledger.Entry, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 200
	}
	rows, err := s.db.Query(ctx, `select `+columns+` from ledger_entries
		where tenant = $1 and seq > $2 and ($3 = '' or item = $3) order by seq limit $4`,
		tenant, f.After, f.Item, min(limit, 1000))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := []ledger.Entry{}
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

func scan(row store.Row) (ledger.Entry, error) {
	var e ledger.Entry
	var date, postings string
	var at int64
	if err := row.Scan(&e.Tenant, &e.Seq, &e.Key, &e.Kind, &e.Item, &date, &e.Memo, &postings, &at, &e.InputHash, &e.Prev, &e.Hash); err != nil {
		return ledger.Entry{}, err
	}
	e.At = store.Time(at)
	if err := e.Date.UnmarshalText([]byte(date)); err != nil {
		return ledger.Entry{}, fmt.Errorf("ledger entry %d: %w", e.Seq, err)
	}
	if err := json.Unmarshal([]byte(postings), &e.Postings); err != nil {
		return ledger.Entry{}, fmt.Errorf("ledger entry %d: %w", e.Seq, err)
	}
	return e, nil
}

// Balances implements ledger.Store.
func (s *Store) Balances(ctx context.Context, tenant, account string) ([]ledger.Balance, error) {
	rows, err := s.db.Query(ctx, `select account, item, amount from ledger_balances
		where tenant = $1 and ($2 = '' or account = $2) order by account, item`, tenant, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := []ledger.Balance{}
	for rows.Next() {
		var b ledger.Balance
		var amount int64
		if err := rows.Scan(&b.Account, &b.Item, &amount); err != nil {
			return nil, err
		}
		b.Amount = money.Fen(amount)
		out = append(out, b)
	}
	return out, rows.Err()
}

// Tenants implements ledger.Store.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, `select tenant from ledger_heads order by tenant`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := []string{}
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
