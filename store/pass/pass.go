// Package pass remembers which satellite scenes have been passed on to the plots
// beneath them: the geo.Passes on SQLite and PostgreSQL.
package pass

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/store"
)

// Store implements geo.Passes.
type Store struct{ db *store.DB }

var _ geo.Passes = (*Store)(nil)

// New returns the store of an open database.
func New(db *store.DB) *Store { return &Store{db} }

// Tenants implements geo.Passes.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	return store.Collect(ctx, s.db, text, `select distinct tenant from plot order by tenant`)
}

func text(r store.Row) (v string, err error) {
	err = r.Scan(&v)
	return v, err
}

// NewScenes implements geo.Passes.
func (s *Store) NewScenes(ctx context.Context, tenant string, ids []string) ([]string, error) {
	marked, err := store.Collect(ctx, s.db, text, `select item from scene_pass where tenant = $1`, tenant)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(marked))
	for _, id := range marked {
		seen[id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return seen[id] }), nil
}

// Passed implements geo.Passes.
func (s *Store) Passed(ctx context.Context, tenant string, ids []string, at time.Time) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for some := range slices.Chunk(ids, 500) {
			args := []any{tenant, store.Millis(at)}
			rows := make([]string, len(some))
			for i, id := range some {
				args = append(args, id)
				rows[i] = `($1, $` + strconv.Itoa(len(args)) + `, $2)`
			}
			if _, err := tx.Exec(ctx, `insert into scene_pass (tenant, item, seen_at) values `+strings.Join(rows, ", ")+
				` on conflict (tenant, item) do nothing`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}
