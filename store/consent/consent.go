// Package consent keeps the history of what people agreed to in the database.
package consent

import (
	"context"

	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/store"
)

// Store implements consent.Store.
type Store struct{ db *store.DB }

var _ consent.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Add implements consent.Store.
func (s *Store) Add(ctx context.Context, tenant string, events []consent.Act) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			_, err := tx.Exec(ctx, `insert into consent (tenant, user_id, nr, id, kind, purpose, part, words, version, at, saved_at,
				channel, device, brought, proof) select $1, $2, coalesce(max(nr), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
				from consent where tenant = $1 and user_id = $2`,
				tenant, e.UserID, e.ID, string(e.Kind), e.Purpose, e.Part, e.Text, e.Version, store.Millis(e.At), store.Millis(e.SavedAt),
				e.Channel, e.Device, e.By, e.Proof)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if store.Conflict(err) { // two at once counted to the same number
		return s.Add(ctx, tenant, events)
	}
	return err
}

// Acts implements consent.Store.
func (s *Store) Acts(ctx context.Context, tenant, userID string) ([]consent.Act, error) {
	return store.Collect(ctx, s.db, scan, `select user_id, id, kind, purpose, part, words, version, at, saved_at, channel, device, brought, proof
		from consent where tenant = $1 and user_id = $2 order by nr`, tenant, userID)
}

func scan(row store.Row) (consent.Act, error) {
	var e consent.Act
	var kind string
	var at, saved int64
	err := row.Scan(&e.UserID, &e.ID, &kind, &e.Purpose, &e.Part, &e.Text, &e.Version, &at, &saved, &e.Channel, &e.Device, &e.By, &e.Proof)
	e.Kind, e.At, e.SavedAt = consent.Kind(kind), store.Time(at), store.Time(saved)
	return e, err
}
