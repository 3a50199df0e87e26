package application

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/store"
)

const reviewColumns = `tenant, id, application_id, decision_id, user_id, user_name, reason, opened_at, closed_at, closed_by, answer`

// AddReview implements apply.Store.
func (s *Store) AddReview(ctx context.Context, r apply.Review) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return addReview(ctx, tx, r) })
}

func addReview(ctx context.Context, tx *store.Tx, r apply.Review) error {
	res, err := tx.Exec(ctx, `insert into review (`+reviewColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, null, '', '')
		on conflict (tenant, decision_id) do nothing`,
		r.Tenant, r.ID, r.ApplicationID, r.DecisionID, r.UserID, r.UserName, r.Reason, store.Millis(r.OpenedAt))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return apply.ErrReviewed
}

// answerReviews ends the open review of an application on which an officer decided.
func answerReviews(ctx context.Context, tx *store.Tx, tenant string, st apply.Step) error {
	if st.From != apply.Referred || (st.To != apply.Offered && st.To != apply.Refused) {
		return nil
	}
	_, err := tx.Exec(ctx, `update review set closed_at = $3, closed_by = $4, answer = $5
		where tenant = $1 and application_id = $2 and closed_at is null`, tenant, st.ApplicationID, store.Millis(st.At), st.Actor, st.Note)
	return err
}

// Reviews implements apply.Store.
func (s *Store) Reviews(ctx context.Context, tenant string, f apply.ReviewFilter) ([]apply.Review, error) {
	query := `select ` + reviewColumns + ` from review where tenant = $1 and ($2 = '' or application_id = $2) and id > $3`
	if f.Open {
		query += ` and closed_at is null`
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, scanReview, query+fmt.Sprintf(` order by id limit %d`, min(limit, 500)), tenant, f.ApplicationID, f.After)
}

// CloseReview implements apply.Store.
func (s *Store) CloseReview(ctx context.Context, r apply.Review) (apply.Review, error) {
	var out apply.Review
	err := s.db.Tx(ctx, func(tx *store.Tx) (err error) {
		out, err = scanReview(tx.QueryRow(ctx, `update review set closed_at = $3, closed_by = $4, answer = $5
			where tenant = $1 and id = $2 and closed_at is null returning `+reviewColumns,
			r.Tenant, r.ID, store.NullMillis(r.ClosedAt), r.ClosedBy, r.Answer))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return apply.Review{}, apply.ErrReviewAbsent
	}
	return out, err
}

func scanReview(row store.Row) (apply.Review, error) {
	var r apply.Review
	var opened int64
	var closed sql.NullInt64
	err := row.Scan(&r.Tenant, &r.ID, &r.ApplicationID, &r.DecisionID, &r.UserID, &r.UserName, &r.Reason, &opened, &closed, &r.ClosedBy, &r.Answer)
	r.OpenedAt, r.ClosedAt = store.Time(opened), store.NullTime(closed)
	return r, err
}
