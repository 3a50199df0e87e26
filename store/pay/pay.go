// Package pay keeps payment orders with all that happened to them, and the reports on the
// bank's statements.
package pay

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/store"
)

// Store implements pay.OutboxStore and pay.StatementStore.
type Store struct{ db *store.DB }

var (
	_ pay.OutboxStore    = (*Store)(nil)
	_ pay.StatementStore = (*Store)(nil)
)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// kept is the body of a row: the hash is not part of what people see.
type kept struct {
	pay.Instruction
	Hash string `json:"hash"`
}

const orderColumns = `body`

func scanOrder(row store.Row) (pay.Instruction, error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return pay.Instruction{}, err
	}
	var k kept
	err := json.Unmarshal([]byte(body), &k)
	k.Instruction.Hash = k.Hash
	return k.Instruction, err
}

func oneOrder(row *sql.Row) (pay.Instruction, error) {
	i, err := scanOrder(row)
	if errors.Is(err, sql.ErrNoRows) {
		return pay.Instruction{}, pay.ErrNotFound
	}
	return i, err
}

func columns(i pay.Instruction) ([]any, error) {
	body, err := json.Marshal(kept{i, i.Hash})
	day := ""
	if d, ok := i.SettledOn(); ok {
		day = d.String()
	}
	return []any{i.Order.ID, i.Order.Tenant, string(i.Order.Direction), int64(i.Order.Amount), string(i.Outcome), i.Told,
		store.Millis(i.NextAt), day, string(body)}, err
}

// Put implements pay.OutboxStore.
func (s *Store) Put(ctx context.Context, i pay.Instruction) (pay.Instruction, error) {
	args, err := columns(i)
	if err != nil {
		return i, err
	}
	var known pay.Instruction
	err = s.db.TxRows(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `insert into pay_order (id, tenant, direction, amount, outcome, told, next_at, settled_on, body)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing`, args...); err != nil {
			return err
		}
		var err error
		known, err = oneOrder(tx.QueryRow(ctx, `select `+orderColumns+` from pay_order where id = $1`, i.Order.ID))
		return err
	})
	return known, err
}

// Order implements pay.OutboxStore.
func (s *Store) Order(ctx context.Context, id string) (pay.Instruction, error) {
	return oneOrder(s.db.QueryRow(ctx, `select `+orderColumns+` from pay_order where id = $1`, id))
}

// Record implements pay.OutboxStore.
func (s *Store) Record(ctx context.Context, id string, f func(i *pay.Instruction) []pay.Note) (pay.Instruction, error) {
	var i pay.Instruction
	err := s.db.TxRows(ctx, func(tx *store.Tx) (err error) {
		if i, err = oneOrder(tx.QueryRow(ctx, `select `+orderColumns+` from pay_order where id = $1`, id)); err != nil {
			return err
		}
		for _, n := range f(&i) {
			i.Notes++
			n.Seq = i.Notes
			body, err := json.Marshal(n)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `insert into pay_note (order_id, seq, body) values ($1, $2, $3)`, id, n.Seq, string(body)); err != nil {
				return err
			}
		}
		args, err := columns(i)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update pay_order set tenant = $2, direction = $3, amount = $4, outcome = $5, told = $6, next_at = $7,
			settled_on = $8, body = $9 where id = $1`, args...)
		return err
	})
	return i, err
}

// Due implements pay.OutboxStore.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]pay.Instruction, error) {
	return store.Collect(ctx, s.db, scanOrder, `select `+orderColumns+` from pay_order
		where told = false and next_at <= $1 order by next_at, id limit $2`, store.Millis(at), limit)
}

// Orders implements pay.OutboxStore.
func (s *Store) Orders(ctx context.Context, tenant string, f pay.OrderFilter) ([]pay.Instruction, error) {
	query := `select ` + orderColumns + ` from pay_order where tenant = $1 and ($2 = '' or outcome = $2) and ($3 = '' or id < $3)`
	args := []any{tenant, string(f.Outcome), f.Before}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 500)
	if f.On != 0 {
		args = append(args, f.On.String())
		query += fmt.Sprintf(` and settled_on = $%d`, len(args))
		limit = 100_000
	}
	if f.Disputed {
		query += ` and body like '%"disputed":true%'`
	}
	args = append(args, limit)
	return store.Collect(ctx, s.db, scanOrder, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// Notes implements pay.OutboxStore.
func (s *Store) Notes(ctx context.Context, id string) ([]pay.Note, error) {
	return store.Collect(ctx, s.db, scanJSON[pay.Note], `select body from pay_note where order_id = $1 order by seq`, id)
}

// Once keeps a nonce until it is older than what is taken anyway: pay.ErrReplayed when it
// is there already.
func (s *Store) Once(ctx context.Context, nonce string, at, oldest time.Time) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from pay_nonce where at < $1`, store.Millis(oldest)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into pay_nonce (nonce, at) values ($1, $2)`, nonce, store.Millis(at))
		return err
	})
	if store.Conflict(err) {
		return pay.ErrReplayed
	}
	return err
}

// Statement implements pay.StatementStore.
func (s *Store) Statement(ctx context.Context, tenant string, day string) (pay.Report, error) {
	r, err := scanReport(s.db.QueryRow(ctx, `select version, body from pay_statement where tenant = $1 and day = $2`, tenant, day))
	if errors.Is(err, sql.ErrNoRows) {
		return pay.Report{}, pay.ErrNoStatement
	}
	return r, err
}

func scanReport(row store.Row) (r pay.Report, err error) {
	var body string
	var version int64
	if err := row.Scan(&version, &body); err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(body), &r)
	r.Version = version
	return r, err
}

// Statements implements pay.StatementStore.
func (s *Store) Statements(ctx context.Context, tenant, before string, limit int) ([]pay.Report, error) {
	return store.Collect(ctx, s.db, scanReport, `select version, body from pay_statement
		where tenant = $1 and ($2 = '' or day < $2) order by day desc limit $3`, tenant, before, limit)
}

// SaveStatement implements pay.StatementStore.
func (s *Store) SaveStatement(ctx context.Context, tenant string, r pay.Report) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	open := r.Open()
	if r.Version == 0 {
		_, err := s.db.Exec(ctx, `insert into pay_statement (tenant, day, open, version, body) values ($1, $2, $3, 1, $4)`,
			tenant, r.Day.String(), open, string(body))
		if store.Conflict(err) {
			return pay.ErrStatementMoved
		}
		return err
	}
	res, err := s.db.Exec(ctx, `update pay_statement set open = $3, version = version + 1, body = $4
		where tenant = $1 and day = $2 and version = $5`, tenant, r.Day.String(), open, string(body), r.Version)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return pay.ErrStatementMoved
}

func scanJSON[T any](row store.Row) (T, error) {
	var v T
	var body string
	if err := row.Scan(&body); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(body), &v)
}
