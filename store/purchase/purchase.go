// Package purchase keeps the sellers and the orders of directed money.
package purchase

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Store implements purchase.Store.
type Store struct{ db *store.DB }

var _ purchase.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// SaveSeller implements purchase.Store.
func (s *Store) SaveSeller(ctx context.Context, x purchase.Seller) (purchase.Seller, error) {
	body, err := json.Marshal(x)
	if err != nil {
		return x, err
	}
	if x.Version == 0 {
		x.Version = 1
		_, err := s.db.Exec(ctx, `insert into purchase_seller (tenant, id, firm_id, state, version, body) values ($1, $2, $3, $4, 1, $5)`,
			x.Tenant, x.ID, x.FirmID, string(x.State), string(body))
		if store.Conflict(err) {
			return x, purchase.ErrSellerKnown.At("body.firm_id")
		}
		return x, err
	}
	res, err := s.db.Exec(ctx, `update purchase_seller set state = $3, version = version + 1, body = $4
		where tenant = $1 and id = $2 and version = $5`, x.Tenant, x.ID, string(x.State), string(body), x.Version)
	if err != nil {
		return x, err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return x, errors.Join(err, purchase.ErrStale)
	}
	x.Version++
	return x, nil
}

func scanSeller(row store.Row) (x purchase.Seller, err error) {
	var tenant, body string
	var version int64
	if err := row.Scan(&tenant, &version, &body); err != nil {
		return x, err
	}
	err = json.Unmarshal([]byte(body), &x)
	x.Tenant, x.Version = tenant, version
	return x, err
}

// Seller implements purchase.Store.
func (s *Store) Seller(ctx context.Context, tenant, id string) (purchase.Seller, error) {
	x, err := scanSeller(s.db.QueryRow(ctx, `select tenant, version, body from purchase_seller where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return purchase.Seller{}, purchase.ErrSellerNotFound
	}
	return x, err
}

func bound(limit int) int {
	if limit <= 0 {
		return 50
	}
	return min(limit, 500)
}

// Sellers implements purchase.Store.
func (s *Store) Sellers(ctx context.Context, tenant string, f purchase.SellerFilter) ([]purchase.Seller, error) {
	query := `select tenant, version, body from purchase_seller where tenant = $1 and ($2 = '' or firm_id = $2) and ($3 = '' or id < $3)`
	args := []any{tenant, f.FirmID, f.Before}
	if len(f.States) > 0 {
		var in string
		in, args = store.In(args, f.States)
		query += ` and state in ` + in
	}
	args = append(args, bound(f.Limit))
	return store.Collect(ctx, s.db, scanSeller, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// Save implements purchase.Store.
func (s *Store) Save(ctx context.Context, c purchase.Change) (purchase.Order, error) {
	o := c.Order
	body, err := json.Marshal(o)
	if err != nil {
		return o, err
	}
	var known *purchase.Order
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		known = nil
		if c.Order.Version == 0 {
			before, err := byKey(ctx, tx, o)
			if err == nil {
				known = &before
				return nil
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if c.Most > 0 {
			if err := reserve(ctx, tx, o, c.Most); err != nil {
				return err
			}
		}
		if err := write(ctx, tx, o, string(body)); err != nil {
			return err
		}
		return addEvents(ctx, tx, o, c.Events)
	})
	if err != nil {
		return purchase.Order{}, err
	}
	if known != nil {
		if known.KeyHash != o.KeyHash {
			return purchase.Order{}, purchase.ErrKeyReused
		}
		return *known, nil
	}
	o.Version++
	return o, nil
}

const orderColumns = `tenant, idem_key, key_hash, version, body`

func byKey(ctx context.Context, q store.Queryer, o purchase.Order) (purchase.Order, error) {
	return scanOrder(q.QueryRow(ctx, `select `+orderColumns+` from purchase_order where tenant = $1 and idem_key = $2`, o.Tenant, o.Key))
}

// reserve holds the orders of an application that are not drawn yet, with o, to what is free.
func reserve(ctx context.Context, tx *store.Tx, o purchase.Order, most money.Fen) error {
	var others int64
	if err := tx.QueryRow(ctx, `select cast(coalesce(sum(amount), 0) as bigint) from purchase_order
		where tenant = $1 and application_id = $2 and id <> $3 and loan_id = '' and state in ('submitted', 'confirmed', 'delivered', 'paying')`,
		o.Tenant, o.ApplicationID, o.ID).Scan(&others); err != nil {
		return err
	}
	if left := most - money.Fen(others); o.Amount > left {
		return purchase.ErrLimit.At("body.lines").With("left", max(left, 0))
	}
	return nil
}

func write(ctx context.Context, tx *store.Tx, o purchase.Order, body string) error {
	if o.Version == 0 {
		_, err := tx.Exec(ctx, `insert into purchase_order (tenant, id, application_id, user_id, seller_id, firm_id, state, amount,
			loan_id, expires_at, idem_key, key_hash, version, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)`,
			o.Tenant, o.ID, o.ApplicationID, o.UserID, o.SellerID, o.FirmID, string(o.State), int64(o.Amount), o.LoanID,
			store.Millis(o.ExpiresAt), o.Key, o.KeyHash, body)
		if store.Conflict(err) {
			return purchase.ErrStale
		}
		return err
	}
	res, err := tx.Exec(ctx, `update purchase_order set state = $3, loan_id = $4, expires_at = $5, version = version + 1, body = $6
		where tenant = $1 and id = $2 and version = $7`, o.Tenant, o.ID, string(o.State), o.LoanID, store.Millis(o.ExpiresAt), body, o.Version)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return purchase.ErrStale
}

func addEvents(ctx context.Context, tx *store.Tx, o purchase.Order, events []purchase.Event) error {
	var last int64
	if err := tx.QueryRow(ctx, `select cast(coalesce(max(seq), 0) as bigint) from purchase_event where tenant = $1 and order_id = $2`,
		o.Tenant, o.ID).Scan(&last); err != nil {
		return err
	}
	for i, e := range events {
		e.Seq = last + int64(i) + 1
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into purchase_event (tenant, order_id, seq, body) values ($1, $2, $3, $4)`,
			o.Tenant, o.ID, e.Seq, string(body)); err != nil {
			return err
		}
	}
	return nil
}

func scanOrder(row store.Row) (o purchase.Order, err error) {
	var tenant, key, hash, body string
	var version int64
	if err := row.Scan(&tenant, &key, &hash, &version, &body); err != nil {
		return o, err
	}
	err = json.Unmarshal([]byte(body), &o)
	o.Tenant, o.Key, o.KeyHash, o.Version = tenant, key, hash, version
	return o, err
}

// Order implements purchase.Store.
func (s *Store) Order(ctx context.Context, tenant, id string) (purchase.Order, error) {
	o, err := scanOrder(s.db.QueryRow(ctx, `select `+orderColumns+` from purchase_order where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return purchase.Order{}, purchase.ErrNotFound
	}
	return o, err
}

// Orders implements purchase.Store.
func (s *Store) Orders(ctx context.Context, tenant string, f purchase.Filter) ([]purchase.Order, error) {
	query := `select ` + orderColumns + ` from purchase_order where tenant = $1 and ($2 = '' or application_id = $2)
		and ($3 = '' or user_id = $3) and ($4 = '' or firm_id = $4) and ($5 = '' or loan_id = $5) and ($6 = '' or id < $6)`
	args := []any{tenant, f.ApplicationID, f.UserID, f.FirmID, f.LoanID, f.Before}
	if len(f.States) > 0 {
		var in string
		in, args = store.In(args, f.States)
		query += ` and state in ` + in
	}
	args = append(args, bound(f.Limit))
	return store.Collect(ctx, s.db, scanOrder, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// Events implements purchase.Store.
func (s *Store) Events(ctx context.Context, tenant, id string) ([]purchase.Event, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (e purchase.Event, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return e, err
		}
		return e, json.Unmarshal([]byte(body), &e)
	}, `select body from purchase_event where tenant = $1 and order_id = $2 order by seq`, tenant, id)
}

// Waiting implements purchase.Store.
func (s *Store) Waiting(ctx context.Context, at time.Time, limit int) ([]purchase.Order, error) {
	return store.Collect(ctx, s.db, scanOrder, `select `+orderColumns+` from purchase_order
		where state in ('paying', 'refunding') or state in ('draft', 'submitted', 'confirmed') and expires_at <= $1
		order by expires_at, id limit $2`, store.Millis(at), limit)
}
