// Package alert keeps alerts in the database.
package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

// Store implements watch.Store.
type Store struct{ db *store.DB }

var _ watch.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

const columns = `id, tenant, kind, severity, subject_kind, subject_id, item, label, loan_id, evidence, seen,
	event_at, opened_at, updated_at, closed_at, closed_by, cause`

// Raise implements watch.Store.
func (s *Store) Raise(ctx context.Context, a watch.Alert) (watch.Alert, bool, error) {
	saved, opened, err := s.RaiseAll(ctx, []watch.Alert{a})
	if err != nil {
		return watch.Alert{}, false, err
	}
	return saved[0], opened[0], nil
}

// RaiseAll implements watch.Store.
func (s *Store) RaiseAll(ctx context.Context, list []watch.Alert) (saved []watch.Alert, opened []bool, err error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = ident.New()
	}
	err = s.db.TxRows(ctx, func(tx *store.Tx) error {
		saved, opened = make([]watch.Alert, 0, len(list)), make([]bool, 0, len(list))
		for i, a := range list {
			evidence, err := json.Marshal(a.Evidence)
			if err != nil {
				return err
			}
			// An update keeps when and under which id the matter was opened.
			x, err := scan(tx.QueryRow(ctx, `insert into alerts (`+columns+`)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13, null, '', '')
				on conflict (tenant, kind, subject_id, item) where closed_at is null do update set
					severity = excluded.severity, label = excluded.label, evidence = excluded.evidence,
					loan_id = case when excluded.loan_id = '' then alerts.loan_id else excluded.loan_id end,
					seen = alerts.seen + 1, updated_at = excluded.updated_at
				returning `+columns,
				ids[i], a.Tenant, a.Kind, a.Severity, a.SubjectKind, a.SubjectID, a.Item, a.Label, a.LoanID, string(evidence),
				store.Millis(a.EventAt), store.Millis(a.OpenedAt), store.Millis(a.UpdatedAt)))
			if err != nil {
				return err
			}
			saved, opened = append(saved, x), append(opened, x.ID == ids[i])
		}
		return nil
	})
	return saved, opened, err
}

// Clear implements watch.Store.
func (s *Store) Clear(ctx context.Context, tenant, kind, subjectID, item string, at time.Time, by, cause string) (watch.Alert, bool, error) {
	var closed watch.Alert
	err := s.db.TxRows(ctx, func(tx *store.Tx) (err error) {
		closed, err = scan(tx.QueryRow(ctx, `update alerts set closed_at = $5, updated_at = $5, closed_by = $6, cause = $7
			where tenant = $1 and kind = $2 and subject_id = $3 and item = $4 and closed_at is null returning `+columns,
			tenant, kind, subjectID, item, store.Millis(at), by, cause))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return watch.Alert{}, false, nil
	}
	return closed, err == nil, err
}

// Close implements watch.Store.
func (s *Store) Close(ctx context.Context, tenant, id string, at time.Time, by, cause string) (watch.Alert, error) {
	var closed watch.Alert
	err := s.db.TxRows(ctx, func(tx *store.Tx) (err error) {
		closed, err = scan(tx.QueryRow(ctx, `select `+columns+` from alerts where tenant = $1 and id = $2`, tenant, id))
		if errors.Is(err, sql.ErrNoRows) {
			return watch.ErrNotFound
		}
		if err != nil {
			return err
		}
		if closed.ClosedAt != nil {
			return watch.ErrClosed
		}
		closed, err = scan(tx.QueryRow(ctx, `update alerts set closed_at = $3, updated_at = $3, closed_by = $4, cause = $5
			where tenant = $1 and id = $2 returning `+columns, tenant, id, store.Millis(at), by, cause))
		return err
	})
	if err != nil {
		return watch.Alert{}, err
	}
	return closed, nil
}

// Alerts implements watch.Store.
func (s *Store) Alerts(ctx context.Context, tenant string, f watch.Filter) ([]watch.Alert, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	rows, err := s.db.Query(ctx, `select `+columns+` from alerts where tenant = $1
		and ($2 = false or closed_at is null) and ($3 = '' or subject_id = $3) and ($4 = '' or kind = $4)
		and ($5 = '' or id < $5) order by id desc limit $6`,
		tenant, f.Open, f.SubjectID, f.Kind, f.Before, min(limit, 500))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := []watch.Alert{}
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// CountOpen implements watch.Store.
func (s *Store) CountOpen(ctx context.Context, tenant string) (map[string]int, error) {
	rows, err := s.db.Query(ctx, `select severity, count(*) from alerts where tenant = $1 and closed_at is null group by severity`, tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := map[string]int{}
	for rows.Next() {
		var severity string
		var n int
		if err := rows.Scan(&severity, &n); err != nil {
			return nil, err
		}
		out[severity] = n
	}
	return out, rows.Err()
}

func scan(row store.Row) (watch.Alert, error) {
	var a watch.Alert
	var evidence string
	var event, opened, updated int64
	var closed sql.NullInt64
	if err := row.Scan(&a.ID, &a.Tenant, &a.Kind, &a.Severity, &a.SubjectKind, &a.SubjectID, &a.Item, &a.Label, &a.LoanID,
		&evidence, &a.Count, &event, &opened, &updated, &closed, &a.ClosedBy, &a.Cause); err != nil {
		return watch.Alert{}, err
	}
	a.EventAt, a.OpenedAt, a.UpdatedAt, a.ClosedAt = store.Time(event), store.Time(opened), store.Time(updated), store.NullTime(closed)
	return a, json.Unmarshal([]byte(evidence), &a.Evidence)
}
