package loan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Statement implements loan.Store.
func (s *Store) Statement(ctx context.Context, tenant, loanID, month string, version int) (m loan.Monthly, err error) {
	var body string
	err = s.db.QueryRow(ctx, `select body from loan_statements where tenant = $1 and loan_id = $2 and month = $3 and ($4 = 0 or version = $4)
		order by version desc limit 1`, tenant, loanID, month, version).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return m, loan.ErrNotFound
	}
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(body), &m)
}

// SaveStatement implements loan.Store.
func (s *Store) SaveStatement(ctx context.Context, tenant, month string, m loan.Monthly) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into loan_statements (loan_id, month, version, tenant, body) values ($1, $2, $3, $4, $5)`,
		m.LoanID, month, m.Version, tenant, string(body))
	if store.Conflict(err) {
		return loan.ErrStale
	}
	return err
}

// SaveStatements implements loan.Store.
func (s *Store) SaveStatements(ctx context.Context, run loan.DayRun, month string, list []loan.Monthly) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		in := tx.Insert("loan_statements", []string{"loan_id", "month", "version", "tenant", "body"}, `on conflict (loan_id, month, version) do nothing`)
		for i := range list {
			body, err := json.Marshal(&list[i])
			if err != nil {
				return err
			}
			if err := in.Add(ctx, list[i].LoanID, month, int64(list[i].Version), run.Tenant, string(body)); err != nil {
				return err
			}
		}
		if _, err := in.Close(ctx); err != nil {
			return err
		}
		return saveRun(ctx, tx, run)
	})
}

// Drawn implements loan.Store.
func (s *Store) Drawn(ctx context.Context, tenant string, from money.Date, after string, limit int) ([]loan.Loan, error) {
	return s.loans(ctx, `where l.tenant = $1 and l.id > $2 and (l.state in ('active', 'overdue')
		or l.state in ('closed', 'written_off') and l.updated_at >= $3) order by l.id limit $4`,
		tenant, after, store.Millis(from.Start()), limit)
}

// TierMoves implements loan.Store.
func (s *Store) TierMoves(ctx context.Context, tenant string, f loan.MoveFilter) ([]loan.TierMove, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	to := ""
	if f.To != 0 {
		to = f.To.String()
	}
	return store.Collect(ctx, s.db, func(r store.Row) (m loan.TierMove, err error) {
		var date, body string
		var at int64
		if err := r.Scan(&m.ID, &m.Tenant, &m.LoanID, &date, &m.From, &m.To, &m.Why, &m.Days, (*int64)(&m.Amount), &at, &body); err != nil {
			return m, err
		}
		var l loan.Loan
		if err := json.Unmarshal([]byte(body), &l); err != nil {
			return m, err
		}
		m.At, m.Borrower = store.Time(at), l.UserName
		return m, m.Date.UnmarshalText([]byte(date))
	}, `select t.id, t.tenant, t.loan_id, t.date, t.from_tier, t.to_tier, t.why, t.days, t.amount, t.at, l.body
		from loan_tiers t join loans l on l.id = t.loan_id where t.tenant = $1 and ($2 = '' or t.loan_id = $2) and t.date >= $3
		and ($4 = '' or t.date <= $4) and ($5 = '' or t.id < $5) order by t.id desc limit $6`,
		tenant, f.LoanID, f.From.String(), to, f.Before, min(limit, 500))
}

// Migrations implements loan.Store.
func (s *Store) Migrations(ctx context.Context, tenant string, from, to money.Date) ([]loan.Migration, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (m loan.Migration, err error) {
		return m, r.Scan(&m.From, &m.To, &m.Loans, (*int64)(&m.Amount))
	}, `select a.from_tier, b.to_tier, count(*), cast(sum(b.amount) as bigint)
		from (select loan_id, min(id) as first, max(id) as last from loan_tiers where tenant = $1 and date between $2 and $3 group by loan_id) m
		join loan_tiers a on a.id = m.first join loan_tiers b on b.id = m.last
		group by a.from_tier, b.to_tier order by a.from_tier, b.to_tier`, tenant, from.String(), to.String())
}

// Behind implements loan.Store.
func (s *Store) Behind(ctx context.Context, tenant string) (money.Date, error) {
	var date string
	var d money.Date
	err := s.db.QueryRow(ctx, `select coalesce(min(day_end), '') from loan_days where tenant = $1 and live`, tenant).Scan(&date)
	if err == nil {
		err = d.UnmarshalText([]byte(date))
	}
	return d, err
}

// Days implements loan.Store.
func (s *Store) Days(ctx context.Context, tenant string, before money.Date, after string, limit int) ([]loan.Day, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (d loan.Day, err error) {
		var dayEnd string
		var accrued, earned, from, to, interest int64
		if err := r.Scan(&d.LoanID, &d.Product, &d.Version, &dayEnd, &accrued, &earned, &from, &to, &interest); err != nil {
			return d, err
		}
		d.Accrued, d.Earned = money.Fen(accrued), money.Fen(earned)
		d.Segment = loan.Segment{From: money.Date(from), To: money.Date(to), Interest: money.Fen(interest)}
		return d, d.DayEnd.UnmarshalText([]byte(dayEnd))
	}, `select loan_id, product, version, day_end, accrued, earned, seg_from, seg_to, seg_interest from loan_days
		where tenant = $1 and live and loan_id > $2 and day_end < $3 order by loan_id limit $4`, tenant, after, before.String(), limit)
}

// Debtors implements loan.Store.
func (s *Store) Debtors(ctx context.Context, tenant string) ([]loan.Debtor, error) {
	type line struct {
		user string
		debt loan.Debt
	}
	// More than 90 days overdue is non-performing by itself.
	list, err := store.Collect(ctx, s.db, func(r store.Row) (l line, err error) {
		var days int
		var floor string
		err = r.Scan(&l.user, &l.debt.LoanID, &days, (*int64)(&l.debt.Balance), &floor)
		l.debt.Own, l.debt.Floor = loan.Classify(days), loan.Class(floor)
		return l, err
	}, `select user_id, id, overdue_days, outstanding, floor from loans where tenant = $1 and not retail and state in ('active', 'overdue')
		and user_id in (select user_id from loans where tenant = $1 and not retail and state in ('active', 'overdue')
			and (overdue_days > 90 or floor <> '')) order by user_id, id`, tenant)
	var out []loan.Debtor
	for _, l := range list {
		if n := len(out); n == 0 || out[n-1].UserID != l.user {
			out = append(out, loan.Debtor{UserID: l.user})
		}
		d := &out[len(out)-1]
		d.Debts = append(d.Debts, l.debt)
	}
	return out, err
}

const runColumns = `tenant, date, phase, after_id, loans, replayed, overdue, failed, interest, start_at, end_at`

func scanRun(r store.Row) (loan.DayRun, error) {
	var x loan.DayRun
	var date string
	var start int64
	var end sql.NullInt64
	if err := r.Scan(&x.Tenant, &date, &x.Phase, &x.After, &x.Loans, &x.Replayed, &x.Overdue, &x.Failed, (*int64)(&x.Interest), &start, &end); err != nil {
		return x, err
	}
	x.StartAt, x.EndAt = store.Time(start), store.NullTime(end)
	return x, x.Date.UnmarshalText([]byte(date))
}

// Run implements loan.Store.
func (s *Store) Run(ctx context.Context, tenant string, date money.Date) (loan.DayRun, error) {
	r, err := scanRun(s.db.QueryRow(ctx, `select `+runColumns+` from day_end_runs where tenant = $1 and date = $2`, tenant, date.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return loan.DayRun{}, loan.ErrNotFound
	}
	return r, err
}

// Runs implements loan.Store.
func (s *Store) Runs(ctx context.Context, tenant string, limit int) ([]loan.DayRun, error) {
	return store.Collect(ctx, s.db, scanRun, `select `+runColumns+` from day_end_runs where tenant = $1 order by date desc limit $2`,
		tenant, min(max(limit, 1), 500))
}

// SaveRun implements loan.Store.
func (s *Store) SaveRun(ctx context.Context, r loan.DayRun) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return saveRun(ctx, tx, r) })
}

func saveRun(ctx context.Context, tx *store.Tx, r loan.DayRun) error {
	_, err := tx.Exec(ctx, `insert into day_end_runs (`+runColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (tenant, date) do update set phase = excluded.phase, after_id = excluded.after_id, loans = excluded.loans,
		replayed = excluded.replayed, overdue = excluded.overdue, failed = excluded.failed, interest = excluded.interest, end_at = excluded.end_at`,
		r.Tenant, r.Date.String(), string(r.Phase), r.After, r.Loans, r.Replayed, r.Overdue, r.Failed, int64(r.Interest),
		store.Millis(r.StartAt), store.NullMillis(r.EndAt))
	return err
}

// Classes implements loan.Store.
func (s *Store) Classes(ctx context.Context, tenant string) ([]loan.ClassSum, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (c loan.ClassSum, err error) {
		return c, r.Scan(&c.Class, &c.Stage, &c.Loans, (*int64)(&c.Outstanding), (*int64)(&c.Overdue), (*int64)(&c.ExpectedLoss))
	}, `select class, stage, count(*), cast(sum(outstanding) as bigint), cast(sum(overdue_amount) as bigint), cast(sum(expected_loss) as bigint)
		from loans where tenant = $1 and state in ('active', 'overdue') group by class, stage order by class, stage`, tenant)
}

// Action implements loan.Store.
func (s *Store) Action(ctx context.Context, tenant, id string) (loan.Action, error) {
	return s.action(ctx, `where tenant = $1 and id = $2`, tenant, id)
}

// ActionByKey implements loan.Store.
func (s *Store) ActionByKey(ctx context.Context, tenant, key string) (loan.Action, error) {
	return s.action(ctx, `where tenant = $1 and idem_key = $2`, tenant, key)
}

const actionColumns = `tenant, idem_key, key_hash, body`

func scanAction(r store.Row) (loan.Action, error) {
	var a loan.Action
	var tenant, key, hash, body string
	if err := r.Scan(&tenant, &key, &hash, &body); err != nil {
		return a, err
	}
	err := json.Unmarshal([]byte(body), &a)
	a.Tenant, a.Key, a.KeyHash = tenant, key, hash
	return a, err
}

func (s *Store) action(ctx context.Context, where string, args ...any) (loan.Action, error) {
	a, err := scanAction(s.db.QueryRow(ctx, `select `+actionColumns+` from loan_actions `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return loan.Action{}, loan.ErrActionNotFound
	}
	return a, err
}

// Actions implements loan.Store.
func (s *Store) Actions(ctx context.Context, tenant string, f loan.ActionFilter) ([]loan.Action, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, scanAction, `select `+actionColumns+` from loan_actions where tenant = $1 and ($2 = '' or loan_id = $2)
		and ($3 = '' or state = $3) and ($4 = '' or id < $4) order by id desc limit $5`, tenant, f.LoanID, string(f.State), f.Before, min(limit, 500))
}

// SaveAction implements loan.Store.
func (s *Store) SaveAction(ctx context.Context, a loan.Action) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return saveAction(ctx, tx, a) })
}

// saveAction adds a proposal, or decides one that stands.
func saveAction(ctx context.Context, tx *store.Tx, a loan.Action) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if a.State == loan.Proposed {
		_, err = tx.Exec(ctx, `insert into loan_actions (id, tenant, loan_id, state, idem_key, key_hash, body) values ($1, $2, $3, $4, $5, $6, $7)`,
			a.ID, a.Tenant, a.LoanID, string(a.State), a.Key, a.KeyHash, string(body))
		if store.Conflict(err) {
			return loan.ErrStale
		}
		return err
	}
	res, err := tx.Exec(ctx, `update loan_actions set state = $3, body = $4 where tenant = $1 and id = $2 and state = 'proposed'`,
		a.Tenant, a.ID, string(a.State), string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return loan.ErrActionState.With("state", "decided")
}
