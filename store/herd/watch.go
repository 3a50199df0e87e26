package herd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/store"
)

var _ watch.Memory = (*Store)(nil)

// SaveWatch implements watch.Memory.
func (s *Store) SaveWatch(ctx context.Context, tenant, herdID string, at time.Time, state []byte) error {
	_, err := s.db.Exec(ctx, `insert into watch_state (tenant, herd_id, at, state) values ($1, $2, $3, $4)
		on conflict (tenant, herd_id) do update set at = excluded.at, state = excluded.state`,
		tenant, herdID, store.Millis(at), state)
	if err != nil {
		return fmt.Errorf("store: watch: %w", err)
	}
	return nil
}

// LoadWatch implements watch.Memory.
func (s *Store) LoadWatch(ctx context.Context, tenant, herdID string) (time.Time, []byte, error) {
	var at int64
	var state []byte
	err := s.db.QueryRow(ctx, `select at, state from watch_state where tenant = $1 and herd_id = $2`, tenant, herdID).Scan(&at, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil, nil
	case err != nil:
		return time.Time{}, nil, fmt.Errorf("store: watch: %w", err)
	}
	return store.Time(at), state, nil
}
