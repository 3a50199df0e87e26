// Package strategy keeps versions of policies, and what shadows said, in the database.
package strategy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/store"
)

// Store implements strategy.Store.
type Store struct{ db *store.DB }

var _ strategy.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

const (
	columns = `id, tenant, name, number, label, source, hash, status, share_bp, note, author, by_name, based_on, revision, created_at, updated_at`
	lean    = `id, tenant, name, number, label, '', hash, status, share_bp, note, author, by_name, based_on, revision, created_at, updated_at`
)

func scan(row store.Row) (v strategy.Version, err error) {
	var status string
	var created, updated int64
	err = row.Scan(&v.ID, &v.Tenant, &v.Name, &v.Number, &v.Label, &v.Source, &v.Hash, &status, &v.ShareBP, &v.Note, &v.Author, &v.ByName,
		&v.BasedOn, &v.Revision, &created, &updated)
	v.Status, v.CreatedAt, v.UpdatedAt = strategy.Status(status), store.Time(created), store.Time(updated)
	return v, err
}

// Add implements strategy.Store.
func (s *Store) Add(ctx context.Context, v strategy.Version, e strategy.VersionEvent) (strategy.Version, error) {
	const tries = 5 // two drafts at once get two numbers
	var err error
	for range tries {
		err = s.db.Tx(ctx, func(tx *store.Tx) error {
			var last sql.NullInt64
			err := tx.QueryRow(ctx, `select max(number) from strategy where tenant = $1 and name = $2`, v.Tenant, v.Name).Scan(&last)
			if err != nil {
				return err
			}
			v.Number = int(last.Int64) + 1
			_, err = tx.Exec(ctx, `insert into strategy (`+columns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
				v.ID, v.Tenant, v.Name, v.Number, v.Label, v.Source, v.Hash, string(v.Status), v.ShareBP, v.Note, v.Author, v.ByName, v.BasedOn,
				v.Revision, store.Millis(v.CreatedAt), store.Millis(v.UpdatedAt))
			if err != nil {
				return err
			}
			return addEvent(ctx, tx, e)
		})
		if !store.Conflict(err) {
			break
		}
	}
	return v, err
}

func addEvent(ctx context.Context, tx *store.Tx, e strategy.VersionEvent) error {
	_, err := tx.Exec(ctx, `insert into strategy_event (strategy_id, nr, from_status, to_status, actor, actor_name, note, at)
		select $1, count(*) + 1, $2, $3, $4, $5, $6, $7 from strategy_event where strategy_id = $1`,
		e.VersionID, string(e.From), string(e.To), e.Actor, e.ActorName, e.Note, store.Millis(e.At))
	return err
}

// Revise implements strategy.Store.
func (s *Store) Revise(ctx context.Context, v strategy.Version) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `update strategy set label = $4, source = $5, hash = $6, note = $7, author = $8, by_name = $9, revision = $3, updated_at = $10
			where tenant = $1 and id = $2 and status = 'draft' and revision = $3 - 1`,
			v.Tenant, v.ID, v.Revision, v.Label, v.Source, v.Hash, v.Note, v.Author, v.ByName, store.Millis(v.UpdatedAt))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		now, err := version(ctx, tx, v.Tenant, v.ID)
		switch {
		case err != nil:
			return err
		case now.Status != strategy.Draft:
			return strategy.ErrStatus.With("status", now.Status).With("to", strategy.Draft)
		}
		return strategy.ErrChanged
	})
}

// Version implements strategy.Store.
func (s *Store) Version(ctx context.Context, tenant, id string) (strategy.Version, error) {
	return version(ctx, s.db, tenant, id)
}

func version(ctx context.Context, q store.Queryer, tenant, id string) (strategy.Version, error) {
	v, err := scan(q.QueryRow(ctx, `select `+columns+` from strategy where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = strategy.ErrNotFound
	}
	return v, err
}

// Versions implements strategy.Store.
func (s *Store) Versions(ctx context.Context, tenant, name string, before, limit int) ([]strategy.Version, error) {
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, scan, `select `+lean+` from strategy where tenant = $1 and ($2 = '' or name = $2) and ($3 = 0 or number < $3)
		order by number desc, name limit $4`, tenant, name, before, min(limit, 500))
}

// Move implements strategy.Store.
func (s *Store) Move(ctx context.Context, v strategy.Version, e strategy.VersionEvent) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if v.Status == strategy.Champion {
			if err := retire(ctx, tx, v, e); err != nil {
				return err
			}
		}
		if v.Status == strategy.Shadow {
			var n int
			if err := tx.QueryRow(ctx, `select count(*) from strategy where tenant = $1 and name = $2 and status = 'shadow'`, v.Tenant, v.Name).Scan(&n); err != nil {
				return err
			}
			if n >= strategy.MostShadows {
				return strategy.ErrMany.With("most", strategy.MostShadows)
			}
		}
		res, err := tx.Exec(ctx, `update strategy set status = $4, share_bp = $5, updated_at = $6 where tenant = $1 and id = $2 and status = $3`,
			v.Tenant, v.ID, string(e.From), string(v.Status), v.ShareBP, store.Millis(v.UpdatedAt))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			now, err := version(ctx, tx, v.Tenant, v.ID)
			if err != nil {
				return err
			}
			return strategy.ErrStatus.With("status", now.Status).With("to", v.Status)
		}
		if _, err := tx.Exec(ctx, `insert into strategy_revision (tenant, revision) values ($1, 1)
			on conflict (tenant) do update set revision = strategy_revision.revision + 1`, v.Tenant); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
	if store.Conflict(err) {
		return strategy.ErrDouble.With("status", v.Status)
	}
	return err
}

// retire ends the champion that another takes the place of.
func retire(ctx context.Context, tx *store.Tx, v strategy.Version, e strategy.VersionEvent) error {
	var old string
	err := tx.QueryRow(ctx, `select id from strategy where tenant = $1 and name = $2 and status = 'champion'`, v.Tenant, v.Name).Scan(&old)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update strategy set status = 'retired', updated_at = $2 where id = $1`, old, store.Millis(v.UpdatedAt)); err != nil {
		return err
	}
	e.VersionID, e.From, e.To = old, strategy.Champion, strategy.Retired
	return addEvent(ctx, tx, e)
}

// Events implements strategy.Store.
func (s *Store) Events(ctx context.Context, tenant, id string) ([]strategy.VersionEvent, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (e strategy.VersionEvent, err error) {
		var from, to string
		var at int64
		err = row.Scan(&e.VersionID, &from, &to, &e.Actor, &e.ActorName, &e.Note, &at)
		e.From, e.To, e.At = strategy.Status(from), strategy.Status(to), store.Time(at)
		return e, err
	}, `select e.strategy_id, e.from_status, e.to_status, e.actor, e.actor_name, e.note, e.at
		from strategy_event e join strategy s on s.id = e.strategy_id where s.tenant = $1 and s.id = $2 order by e.nr`, tenant, id)
}

// InForce implements strategy.Store.
func (s *Store) InForce(ctx context.Context, tenant string) ([]strategy.Version, error) {
	in, args := store.In([]any{tenant}, strategy.Effective())
	return store.Collect(ctx, s.db, scan, `select `+columns+` from strategy where tenant = $1 and status in `+in+` order by name, number`, args...)
}

// Revision implements strategy.Store.
func (s *Store) Revision(ctx context.Context, tenant string) (n int64, err error) {
	err = s.db.QueryRow(ctx, `select revision from strategy_revision where tenant = $1`, tenant).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, err
}

// Haunt implements strategy.Store.
func (s *Store) Haunt(ctx context.Context, tenant string, ghosts []strategy.Ghost) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, g := range ghosts {
			body, err := json.Marshal(g)
			if err != nil {
				return fmt.Errorf("store/strategy: %w", err)
			}
			if _, err := tx.Exec(ctx, `insert into strategy_ghost (strategy_id, decision_id, body)
				select id, $3, $4 from strategy where tenant = $1 and id = $2 on conflict (strategy_id, decision_id) do nothing`,
				tenant, g.VersionID, g.DecisionID, string(body)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Ghosts implements strategy.Store.
func (s *Store) Ghosts(ctx context.Context, tenant, versionID, before string, limit int) ([]strategy.Ghost, error) {
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, func(row store.Row) (g strategy.Ghost, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return g, err
		}
		return g, json.Unmarshal([]byte(body), &g)
	}, `select g.body from strategy_ghost g join strategy s on s.id = g.strategy_id
		where s.tenant = $1 and s.id = $2 and ($3 = '' or g.decision_id < $3) order by g.decision_id desc limit $4`,
		tenant, versionID, before, min(limit, 500))
}
