// Package model keeps the register of models in the database, and reads the decisions
// made with them.
package model

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/store"
)

// Store implements model.Store.
type Store struct{ db *store.DB }

var _ model.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Add implements model.Store.
func (s *Store) Add(ctx context.Context, tenant string, e model.ScoreModel, file []byte) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into model (tenant, name, version, id, applicant, status, seq, added_at, published_at, retired_at, body, file)
		values ($1, $2, $3, $4, $5, $6, 0, $7, null, null, $8, $9)`,
		tenant, e.Name, e.Version, e.ID, e.Applicant, string(e.Status), store.Millis(e.AddedAt), string(body), string(file))
	if store.Conflict(err) {
		return model.ErrTaken.With("name", e.Name+"@"+e.Version)
	}
	return err
}

// Entries implements model.Store.
func (s *Store) Entries(ctx context.Context, tenant string, f model.Filter) ([]model.ScoreModel, error) {
	list, err := store.Collect(ctx, s.db, scan, `select body, status, seq, published_at, retired_at from model
		where tenant = $1 and ($2 = '' or name = $2) and ($3 = '' or status = $3) and ($4 = '' or applicant = $4)
		order by name, added_at desc, version desc`, tenant, f.Name, string(f.Status), f.Applicant)
	if err != nil || len(list) == 0 {
		return list, err
	}
	return list, s.reviews(ctx, tenant, f.Name, list)
}

func scan(row store.Row) (model.ScoreModel, error) {
	var e model.ScoreModel
	var body, status string
	var seq int64
	var published, retired sql.NullInt64
	if err := row.Scan(&body, &status, &seq, &published, &retired); err != nil {
		return e, err
	}
	err := json.Unmarshal([]byte(body), &e)
	e.Status, e.Seq, e.PublishedAt, e.RetiredAt = model.Status(status), seq, store.NullTime(published), store.NullTime(retired)
	e.Reviews = []model.ModelReview{}
	return e, err
}

// reviews puts the reviews to their entries, oldest first.
func (s *Store) reviews(ctx context.Context, tenant, name string, list []model.ScoreModel) error {
	type line struct{ name, version, body string }
	lines, err := store.Collect(ctx, s.db, func(row store.Row) (l line, err error) {
		err = row.Scan(&l.name, &l.version, &l.body)
		return l, err
	}, `select name, version, body from model_review where tenant = $1 and ($2 = '' or name = $2) order by name, version, id`, tenant, name)
	if err != nil {
		return err
	}
	at := make(map[[2]string]int, len(list))
	for i, e := range list {
		at[[2]string{e.Name, e.Version}] = i
	}
	for _, l := range lines {
		i, ok := at[[2]string{l.name, l.version}]
		if !ok {
			continue
		}
		var r model.ModelReview
		if err := json.Unmarshal([]byte(l.body), &r); err != nil {
			return err
		}
		list[i].Reviews = append(list[i].Reviews, r)
	}
	return nil
}

// File implements model.Store.
func (s *Store) File(ctx context.Context, tenant, name, version string) ([]byte, error) {
	files, err := store.Collect(ctx, s.db, func(row store.Row) (file string, err error) {
		err = row.Scan(&file)
		return file, err
	}, `select file from model where tenant = $1 and name = $2 and version = $3`, tenant, name, version)
	if err == nil && len(files) == 0 {
		err = model.ErrNotFound.With("name", name+"@"+version)
	}
	if err != nil {
		return nil, err
	}
	return []byte(files[0]), nil
}

// Save implements model.Store.
func (s *Store) Save(ctx context.Context, tenant string, e model.ScoreModel, r *model.ModelReview) error {
	stale := model.ErrStale.With("name", e.Name+"@"+e.Version)
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if e.Status == model.Published {
			_, err := tx.Exec(ctx, `update model set status = $1, retired_at = $2, seq = seq + 1
				where tenant = $3 and name = $4 and status = $5 and version <> $6`,
				string(model.Retired), store.NullMillis(e.PublishedAt), tenant, e.Name, string(model.Published), e.Version)
			if err != nil {
				return err
			}
		}
		res, err := tx.Exec(ctx, `update model set status = $1, published_at = $2, retired_at = $3, seq = seq + 1
			where tenant = $4 and name = $5 and version = $6 and seq = $7`,
			string(e.Status), store.NullMillis(e.PublishedAt), store.NullMillis(e.RetiredAt), tenant, e.Name, e.Version, e.Seq)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			if err == nil {
				err = stale
			}
			return err
		}
		if r == nil {
			return nil
		}
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into model_review (tenant, name, version, id, body) values ($1, $2, $3, $4, $5)`, tenant, e.Name, e.Version, r.ID, string(body))
		return err
	})
	if store.Conflict(err) {
		return stale
	}
	return err
}

// page is how many decisions are read at once.
const page = 500

// Observations implements model.Store.
func (s *Store) Observations(ctx context.Context, tenant string, from, to time.Time, f func(model.Observation) error) error {
	after, until := first(from), first(to)
	for {
		list, err := store.Collect(ctx, s.db, observation, `select d.id, d.body, d.evidence, d.product, l.body
			from decisions d
			left join applications a on a.id = d.application_id and a.decision_id = d.id
			left join loans l on l.application_id = a.id and l.state <> 'failed'
			where d.tenant = $1 and d.id > $2 and d.id < $3 order by d.id limit $4`, tenant, after, until, page)
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := f(o); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		after = list[len(list)-1].DecisionID
	}
}

// first is what all ids made from a time on are greater than: a UUIDv7 begins with its
// milliseconds.
func first(t time.Time) string {
	ms := max(0, t.UnixMilli()) & (1<<48 - 1)
	return fmt.Sprintf("%08x-%04x-", ms>>16, ms&0xffff)
}

func observation(row store.Row) (model.Observation, error) {
	var o model.Observation
	var decision, evidence, product string
	var lent sql.NullString
	if err := row.Scan(&o.DecisionID, &decision, &evidence, &product, &lent); err != nil {
		return o, err
	}
	var d credit.Decision
	if err := json.Unmarshal([]byte(decision), &d); err != nil {
		return o, err
	}
	o.MadeAt, o.Scores, o.Evidence, o.Product = d.MadeAt, d.Scores, []byte(evidence), []byte(product)
	if !lent.Valid {
		return o, nil
	}
	var l loan.Loan
	err := json.Unmarshal([]byte(lent.String), &l)
	o.Loan = &model.Loan{DrawnOn: l.DrawnOn.Start(), Closed: l.State == loan.Closed, OverdueDays: l.OverdueDays, WorstOverdue: l.WorstOverdue}
	return o, err
}
