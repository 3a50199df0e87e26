package application

import (
	"context"
	"encoding/json"

	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/loan"
	"github.com/furrowcredit/furrow/store/profile"
)

// Redecide implements apply.Store.
func (s *Store) Redecide(ctx context.Context, r apply.Redecision) (apply.Application, error) {
	var after apply.Application
	err := s.db.TxInTurn(ctx, []string{profile.Line(r.Before.Tenant)}, func(tx *store.Tx) error {
		a, err := scan(tx.QueryRow(ctx, `select `+columns+` from applications where tenant = $1 and id = $2`, r.Before.Tenant, r.Before.ID))
		if err != nil {
			return found(err)
		}
		if a.State != r.Before.State || a.DecisionID != r.Before.DecisionID || a.Limit != r.Before.Limit {
			return apply.ErrMoved
		}
		if r.Decision != nil {
			if err := addDecision(ctx, tx, a.Tenant, *r.Decision, *r.Frozen, apply.Reconsidered); err != nil {
				return err
			}
		}
		to := r.Limit
		if a.State != apply.Offered { // a draw may have come in between
			owed, err := loan.Owed(ctx, tx, a.Tenant, a.ID)
			if err != nil {
				return err
			}
			to = max(to, owed)
		}
		after = a
		if to == a.Limit && a.State == apply.Offered {
			return nil // the offer stands as it was shown
		}
		after.Limit, after.Rate = to, r.Rate
		if r.Decision != nil {
			after.DecisionID = r.Decision.ID
		}
		// updated_at stays: an offer does not wait longer because it was looked at again.
		if _, err := tx.Exec(ctx, `update applications set credit_limit = $3, rate = $4, decision_id = $5 where tenant = $1 and id = $2`,
			a.Tenant, a.ID, int64(after.Limit), int64(after.Rate), after.DecisionID); err != nil {
			return err
		}
		if to == a.Limit {
			return nil
		}
		r.Change.From, r.Change.To = a.Limit, to
		if err := addLimitChange(ctx, tx, r.Change); err != nil {
			return err
		}
		return profile.Follow(ctx, tx, a.Tenant, a.ID, r.Seen)
	})
	return after, err
}

func addLimitChange(ctx context.Context, tx *store.Tx, c apply.LimitChange) error {
	reasons, err := json.Marshal(c.Reasons)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into limit_change (application_id, nr, from_limit, to_limit, decision_id, cause, reasons, at)
		select $1, count(*) + 1, $2, $3, $4, $5, $6, $7 from limit_change where application_id = $1`,
		c.ApplicationID, int64(c.From), int64(c.To), c.DecisionID, string(c.Cause), string(reasons), store.Millis(c.At))
	return err
}

// LimitChanges implements apply.Store.
func (s *Store) LimitChanges(ctx context.Context, tenant, applicationID string) ([]apply.LimitChange, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (apply.LimitChange, error) {
		var c apply.LimitChange
		var from, to, at int64
		var cause, reasons string
		if err := row.Scan(&c.ApplicationID, &from, &to, &c.DecisionID, &cause, &reasons, &at); err != nil {
			return c, err
		}
		c.From, c.To, c.Cause, c.At = money.Fen(from), money.Fen(to), apply.Cause(cause), store.Time(at)
		return c, json.Unmarshal([]byte(reasons), &c.Reasons)
	}, `select c.application_id, c.from_limit, c.to_limit, c.decision_id, c.cause, c.reasons, c.at
		from limit_change c join applications a on a.id = c.application_id
		where a.tenant = $1 and a.id = $2 order by c.nr`, tenant, applicationID)
}
