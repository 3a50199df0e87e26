package herd

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
	"github.com/furrowcredit/furrow/store"
)

var _ sparkplug.Births = (*Store)(nil)

// SaveBirth implements sparkplug.Births.
func (s *Store) SaveBirth(ctx context.Context, tenant string, b sparkplug.Birth) error {
	metrics, err := json.Marshal(b.Metrics)
	if err != nil {
		return fmt.Errorf("store: birth of %s: %w", b.Edge, err)
	}
	var session sql.NullInt64
	if b.BdSeq != nil {
		session = sql.NullInt64{Int64: int64(*b.BdSeq), Valid: true}
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if b.Device == "" {
			if _, err := tx.Exec(ctx, `delete from sparkplug_birth where tenant = $1 and grp = $2 and edge = $3`,
				tenant, b.Group, b.Edge); err != nil {
				return fmt.Errorf("store: births of %s: %w", b.Edge, err)
			}
		}
		_, err := tx.Exec(ctx, `insert into sparkplug_birth (tenant, grp, edge, device, bd_seq, received, metrics)
			values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (tenant, grp, edge, device) do update set
				bd_seq = excluded.bd_seq, received = excluded.received, metrics = excluded.metrics`,
			tenant, b.Group, b.Edge, b.Device, session, store.Millis(b.At), string(metrics))
		if err != nil {
			return fmt.Errorf("store: birth of %s: %w", b.Edge, err)
		}
		return nil
	})
}

// Births implements sparkplug.Births.
func (s *Store) Births(ctx context.Context, tenant, group, edge string) ([]sparkplug.Birth, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (sparkplug.Birth, error) {
		b := sparkplug.Birth{Group: group, Edge: edge}
		var session sql.NullInt64
		var received int64
		var metrics string
		if err := r.Scan(&b.Device, &session, &received, &metrics); err != nil {
			return b, err
		}
		if session.Valid {
			n := uint64(session.Int64)
			b.BdSeq = &n
		}
		b.At = store.Time(received)
		if err := json.Unmarshal([]byte(metrics), &b.Metrics); err != nil {
			return b, fmt.Errorf("store: birth of %s: %w", edge, err)
		}
		return b, nil
	}, `select device, bd_seq, received, metrics from sparkplug_birth
		where tenant = $1 and grp = $2 and edge = $3 order by device`, tenant, group, edge)
}
