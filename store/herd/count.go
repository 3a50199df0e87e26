package herd

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/store"
)

var _ count.Store = (*Store)(nil)

// AddHeadcounts implements count.Store.
func (s *Store) AddHeadcounts(ctx context.Context, counts []iot.Headcount) error {
	if len(counts) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, h := range counts {
			var matched sql.NullInt64
			if h.Matched != nil {
				matched = sql.NullInt64{Int64: int64(*h.Matched), Valid: true}
			}
			_, err := tx.Exec(ctx, `insert into headcount
				(tenant, id, herd_id, pen_id, device, kind, from_at, to_at, seen, outward, matched, picture, received_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
				on conflict do nothing`, // be it the id that is known, or the window and picture
				h.Tenant, h.ID, h.HerdID, h.PenID, h.Device, string(h.Kind), store.Millis(h.From), store.Millis(h.To), h.Seen, h.Out, matched,
				h.Picture, store.Millis(h.Received))
			if err != nil {
				return fmt.Errorf("store: headcount: %w", err)
			}
		}
		return nil
	})
}

// Headcounts implements count.Store.
func (s *Store) Headcounts(ctx context.Context, tenant, herd string, kind iot.CountKind, from, to time.Time) ([]iot.Headcount, error) {
	args := []any{tenant, herd, store.Millis(from), store.Millis(to)}
	of := ""
	if kind != "" {
		args, of = append(args, string(kind)), "and kind = $5"
	}
	return store.Collect(ctx, s.db, func(r store.Row) (iot.Headcount, error) {
		var h iot.Headcount
		var begin, end, received int64
		var matched sql.NullInt64
		err := r.Scan(&h.Tenant, &h.ID, &h.HerdID, &h.PenID, &h.Device, &h.Kind, &begin, &end, &h.Seen, &h.Out, &matched, &h.Picture, &received)
		h.From, h.To, h.Received = store.Time(begin), store.Time(end), store.Time(received)
		if matched.Valid {
			n := int(matched.Int64)
			h.Matched = &n
		}
		return h, err
	}, `select tenant, id, herd_id, pen_id, device, kind, from_at, to_at, seen, outward, matched, picture, received_at from headcount
		where tenant = $1 and herd_id = $2 and to_at >= $3 and to_at < $4 `+of+` order by to_at, id`, args...)
}
