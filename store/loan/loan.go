// Package loan keeps loans, schedules and payments in the database, and writes them
// together with their ledger entries.
package loan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/profile"
)

// Store implements loan.Store.
type Store struct{ db *store.DB }

var _ loan.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Save implements loan.Store.
func (s *Store) Save(ctx context.Context, c loan.Change) (loan.Loan, error) {
	l := c.Loan
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		l = c.Loan
		l.Version++
		if err := saveLoan(ctx, tx, l, c); err != nil {
			return err
		}
		if err := profile.Follow(ctx, tx, l.Tenant, l.ApplicationID, ""); err != nil {
			return err
		}
		if c.Payment != nil {
			if err := savePayment(ctx, tx, *c.Payment); err != nil {
				return err
			}
		}
		if c.Rows != nil {
			if err := saveRows(ctx, tx, l.ID, c.Rows); err != nil {
				return err
			}
		}
		for _, e := range c.Entries {
			if _, err := ledger.Append(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return l, err
}

func saveLoan(ctx context.Context, tx *store.Tx, l loan.Loan, c loan.Change) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if !c.New {
		res, err := tx.Exec(ctx, `update loans set state = $3, outstanding = $4, overdue_amount = $5, worst_overdue = $6,
			day_end = $7, updated_at = $8, version = $9, body = $10 where tenant = $1 and id = $2 and version = $9 - 1`,
			l.Tenant, l.ID, string(l.State), int64(l.Outstanding), int64(l.OverdueAmount), l.WorstOverdue,
			l.DayEnd.String(), store.Millis(l.UpdatedAt), l.Version, string(body))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return loan.ErrStale
	}
	if err := room(ctx, tx, l, c); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into loans (id, tenant, application_id, user_id, subject_id, state, outstanding, overdue_amount,
		worst_overdue, day_end, updated_at, version, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		l.ID, l.Tenant, l.ApplicationID, l.UserID, l.Subject.ID, string(l.State), int64(l.Outstanding), int64(l.OverdueAmount),
		l.WorstOverdue, l.DayEnd.String(), store.Millis(l.UpdatedAt), l.Version, string(body))
	return err
}

// room says whether a new loan may start: only while its application is signed, so that a
// withdrawal at the same moment and a draw cannot both succeed; alone, unless the limit is
// drawn again and again; and within what is left of it.
func room(ctx context.Context, tx *store.Tx, l loan.Loan, c loan.Change) error {
	var state string
	var limit, others int64
	err := tx.QueryRow(ctx, `select state, credit_limit, (select count(*) from loans where application_id = $2 and state <> 'failed')
		from applications where tenant = $1 and id = $2`, l.Tenant, l.ApplicationID).Scan(&state, &limit, &others)
	if errors.Is(err, sql.ErrNoRows) {
		return loan.ErrDrawn
	}
	if err != nil {
		return err
	}
	if !c.Revolving && others > 0 || state != "signed" && (!c.Revolving || state != "active") {
		return loan.ErrDrawn
	}
	owed, err := Owed(ctx, tx, l.Tenant, l.ApplicationID)
	if err != nil {
		return err
	}
	if left := min(money.Fen(limit), c.Most) - owed; l.Principal > left {
		return loan.ErrLimit.At("body.amount").With("left", max(left, 0))
	}
	return nil
}

// Owed is the principal that is out, or on its way, under an application.
func Owed(ctx context.Context, q store.Queryer, tenant, applicationID string) (money.Fen, error) {
	loans, err := store.Collect(ctx, q, scanLoan, `select `+loanColumns+` from loans
		where tenant = $1 and application_id = $2 and state in ('drawing', 'active', 'overdue')`, tenant, applicationID)
	var owed money.Fen
	for _, l := range loans {
		if l.State == loan.Drawing {
			owed += l.Principal
		} else {
			owed += l.Outstanding
		}
	}
	return owed, err
}

func savePayment(ctx context.Context, tx *store.Tx, p loan.Payment) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into payments (id, tenant, loan_id, outcome, idem_key, key_hash, body)
		values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do update set outcome = excluded.outcome, body = excluded.body`,
		p.ID, p.Tenant, p.LoanID, string(p.Outcome), p.Key, p.KeyHash, string(body))
	if store.Conflict(err) {
		return loan.ErrStale
	}
	return err
}

func saveRows(ctx context.Context, tx *store.Tx, id string, rows []loan.Instalment) error {
	for _, r := range rows {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into instalments (loan_id, nr, body) values ($1, $2, $3)
			on conflict (loan_id, nr) do update set body = excluded.body`, id, r.Nr, string(body)); err != nil {
			return err
		}
	}
	return nil
}

const loanColumns = `tenant, version, body`

func scanLoan(row store.Row) (loan.Loan, error) {
	var l loan.Loan
	var tenant, body string
	var version int64
	if err := row.Scan(&tenant, &version, &body); err != nil {
		return l, err
	}
	err := json.Unmarshal([]byte(body), &l)
	l.Tenant, l.Version = tenant, version
	return l, err
}

func one(row *sql.Row) (loan.Loan, error) {
	l, err := scanLoan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return loan.Loan{}, loan.ErrNotFound
	}
	return l, err
}

// Loan implements loan.Store.
func (s *Store) Loan(ctx context.Context, tenant, id string) (loan.Loan, error) {
	return one(s.db.QueryRow(ctx, `select `+loanColumns+` from loans where tenant = $1 and id = $2`, tenant, id))
}

// ByApplication implements loan.Store.
func (s *Store) ByApplication(ctx context.Context, tenant, applicationID string) (loan.Loan, error) {
	return one(s.db.QueryRow(ctx, `select `+loanColumns+` from loans
		where tenant = $1 and application_id = $2 and state <> 'failed' order by id desc limit 1`, tenant, applicationID))
}

// Owed implements loan.Store.
func (s *Store) Owed(ctx context.Context, tenant, applicationID string) (money.Fen, error) {
	return Owed(ctx, s.db, tenant, applicationID)
}

// Loans implements loan.Store.
func (s *Store) Loans(ctx context.Context, tenant string, f loan.Filter) ([]loan.Loan, error) {
	query := `select ` + loanColumns + ` from loans where tenant = $1 and ($2 = '' or user_id = $2)
		and ($3 = '' or subject_id = $3) and ($4 = '' or id < $4) and ($5 = '' or application_id = $5)`
	args := []any{tenant, f.UserID, f.SubjectID, f.Before, f.ApplicationID}
	if len(f.States) > 0 {
		var in string
		in, args = store.In(args, f.States)
		query += ` and state in ` + in
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	args = append(args, min(limit, 500))
	return store.Collect(ctx, s.db, scanLoan, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// Rows implements loan.Store.
func (s *Store) Rows(ctx context.Context, tenant, loanID string) ([]loan.Instalment, error) {
	return store.Collect(ctx, s.db, scanJSON[loan.Instalment], `select i.body from instalments i join loans l on l.id = i.loan_id
		where l.tenant = $1 and l.id = $2 order by i.nr`, tenant, loanID)
}

const paymentColumns = `tenant, idem_key, key_hash, body`

func scanPayment(row store.Row) (loan.Payment, error) {
	var p loan.Payment
	var tenant, key, hash, body string
	if err := row.Scan(&tenant, &key, &hash, &body); err != nil {
		return p, err
	}
	err := json.Unmarshal([]byte(body), &p)
	p.Tenant, p.Key, p.KeyHash = tenant, key, hash
	return p, err
}

// Payments implements loan.Store.
func (s *Store) Payments(ctx context.Context, tenant, loanID string) ([]loan.Payment, error) {
	return store.Collect(ctx, s.db, scanPayment, `select `+paymentColumns+` from payments where tenant = $1 and loan_id = $2 order by id`, tenant, loanID)
}

// PaymentByKey implements loan.Store.
func (s *Store) PaymentByKey(ctx context.Context, tenant, key string) (loan.Payment, error) {
	p, err := scanPayment(s.db.QueryRow(ctx, `select `+paymentColumns+` from payments where tenant = $1 and idem_key = $2`, tenant, key))
	if errors.Is(err, sql.ErrNoRows) {
		return loan.Payment{}, loan.ErrNotFound
	}
	return p, err
}

// Open implements loan.Store.
func (s *Store) Open(ctx context.Context, tenant string, before money.Date, after string, limit int) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (id string, err error) {
		return id, row.Scan(&id)
	}, `select id from loans where tenant = $1 and state in ('active', 'overdue') and day_end < $2 and id > $3 order by id limit $4`,
		tenant, before.String(), after, limit)
}

// Unsettled implements loan.Store.
func (s *Store) Unsettled(ctx context.Context, tenant string) ([]loan.Payment, error) {
	return store.Collect(ctx, s.db, scanPayment, `select `+paymentColumns+` from payments where tenant = $1 and outcome = $2 order by id`,
		tenant, string(pay.Unknown))
}

// Totals implements loan.Store.
func (s *Store) Totals(ctx context.Context, tenant string) (loan.Totals, error) {
	t := loan.Totals{ByState: map[loan.State]int{}}
	rows, err := s.db.Query(ctx, `select state, count(*), cast(sum(outstanding) as bigint), cast(sum(overdue_amount) as bigint)
		from loans where tenant = $1 group by state`, tenant)
	if err != nil {
		return t, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var state string
		var n int
		var outstanding, overdue int64
		if err := rows.Scan(&state, &n, &outstanding, &overdue); err != nil {
			return t, err
		}
		t.ByState[loan.State(state)] = n
		t.Outstanding += money.Fen(outstanding)
		t.Overdue += money.Fen(overdue)
	}
	return t, rows.Err()
}

// Debts implements loan.Store.
func (s *Store) Debts(ctx context.Context, tenant, userID string, since time.Time) (money.Fen, int, error) {
	var owed, worst int64
	err := s.db.QueryRow(ctx, `select cast(coalesce(sum(outstanding), 0) as bigint),
		cast(coalesce(max(case when updated_at >= $3 then worst_overdue else 0 end), 0) as bigint)
		from loans where tenant = $1 and user_id = $2`, tenant, userID, store.Millis(since)).Scan(&owed, &worst)
	return money.Fen(owed), int(worst), err
}

func scanJSON[T any](row store.Row) (T, error) {
	var v T
	var body string
	if err := row.Scan(&body); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(body), &v)
}
