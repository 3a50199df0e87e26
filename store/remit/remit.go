// Package remit keeps payouts of collected fees in the database.
package remit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/store"
)

// Store implements remit.Store.
type Store struct{ db *store.DB }

var _ remit.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Add implements remit.Store.
func (s *Store) Add(ctx context.Context, r remit.Remittance, parts []remit.RemittancePart) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `insert into remittance (id, tenant, payee, state, idem_key, key_hash, updated_at, body)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.ID, r.Tenant, r.Payee, r.State, r.Key, r.KeyHash, store.Millis(r.UpdatedAt), string(body)); err != nil {
			return err
		}
		in := tx.Insert("remittance_part", []string{"remittance_id", "loan_id", "borrower", "product", "amount"}, "")
		for _, p := range parts {
			if err := in.Add(ctx, r.ID, p.LoanID, p.Borrower, p.Product, int64(p.Amount)); err != nil {
				return err
			}
		}
		_, err := in.Close(ctx)
		return err
	})
	if !store.Conflict(err) {
		return err
	}
	if _, known := s.ByKey(ctx, r.Tenant, r.Key); known == nil {
		return remit.ErrTaken.Because(err)
	}
	return remit.ErrOpen.Because(err)
}

const columns = `tenant, idem_key, key_hash, body`

func scan(row store.Row) (r remit.Remittance, err error) {
	var tenant, key, hash, body string
	if err := row.Scan(&tenant, &key, &hash, &body); err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(body), &r)
	r.Tenant, r.Key, r.KeyHash = tenant, key, hash
	return r, err
}

func one(row *sql.Row) (remit.Remittance, error) {
	r, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return r, remit.ErrNotFound
	}
	return r, err
}

// Remittance implements remit.Store.
func (s *Store) Remittance(ctx context.Context, tenant, id string) (remit.Remittance, error) {
	return one(s.db.QueryRow(ctx, `select `+columns+` from remittance where tenant = $1 and id = $2`, tenant, id))
}

// ByKey implements remit.Store.
func (s *Store) ByKey(ctx context.Context, tenant, key string) (remit.Remittance, error) {
	return one(s.db.QueryRow(ctx, `select `+columns+` from remittance where tenant = $1 and idem_key = $2`, tenant, key))
}

// Parts implements remit.Store.
func (s *Store) Parts(ctx context.Context, tenant, id string) ([]remit.RemittancePart, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (p remit.RemittancePart, err error) {
		err = row.Scan(&p.LoanID, &p.Borrower, &p.Product, (*int64)(&p.Amount))
		return p, err
	}, `select p.loan_id, p.borrower, p.product, p.amount from remittance_part p join remittance r on r.id = p.remittance_id
		where r.tenant = $1 and r.id = $2 order by p.loan_id`, tenant, id)
}

// Remittances implements remit.Store.
func (s *Store) Remittances(ctx context.Context, tenant string, f remit.Filter) ([]remit.Remittance, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	return store.Collect(ctx, s.db, scan, `select `+columns+` from remittance
		where tenant = $1 and ($2 = '' or payee = $2) and ($3 = '' or id < $3) order by id desc limit $4`, tenant, f.Payee, f.Before, f.Limit)
}

// Move implements remit.Store.
func (s *Store) Move(ctx context.Context, r remit.Remittance, from string) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	res, err := s.db.Exec(ctx, `update remittance set state = $4, updated_at = $5, body = $6 where tenant = $1 and id = $2 and state = $3`,
		r.Tenant, r.ID, from, r.State, store.Millis(r.UpdatedAt), string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return remit.ErrState
}

// Sending implements remit.Store.
func (s *Store) Sending(ctx context.Context, before time.Time, limit int) ([]remit.Remittance, error) {
	return store.Collect(ctx, s.db, scan, `select `+columns+` from remittance where state = 'sending' and updated_at < $1 order by updated_at, id limit $2`,
		store.Millis(before), limit)
}
