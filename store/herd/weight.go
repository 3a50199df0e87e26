package herd

import (
	"context"
	"fmt"
	"math"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/store"
)

var _ worth.Weighings = (*Store)(nil)

// AddWeighings implements worth.Weighings.
func (s *Store) AddWeighings(ctx context.Context, tenant string, weighings []iot.Weighing) error {
	if len(weighings) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, w := range weighings {
			_, err := tx.Exec(ctx, `insert into weighing (tenant, animal_id, at, method, grams) values ($1, $2, $3, $4, $5)
				on conflict (tenant, animal_id, at, method) do nothing`,
				tenant, w.AnimalID, store.Millis(w.At), w.Method, int64(math.Round(1000*w.Kg)))
			if err != nil {
				return fmt.Errorf("store: weighing of %s: %w", w.AnimalID, err)
			}
		}
		return nil
	})
}

// askedAtOnce is how many animals one question names; SQLite takes 32,766 values.
const askedAtOnce = 1000

// Weighings implements worth.Weighings.
func (s *Store) Weighings(ctx context.Context, tenant string, animals []string) (map[string][]iot.Weighing, error) {
	out := make(map[string][]iot.Weighing)
	for from := 0; from < len(animals); from += askedAtOnce {
		list, args := store.In([]any{tenant}, animals[from:min(len(animals), from+askedAtOnce)])
		found, err := store.Collect(ctx, s.db, scanWeighing, `select tenant, animal_id, at, method, grams from weighing
			where tenant = $1 and animal_id in `+list+` order by animal_id, at, method`, args...)
		if err != nil {
			return nil, fmt.Errorf("store: weighings: %w", err)
		}
		for _, w := range found {
			out[w.AnimalID] = append(out[w.AnimalID], w)
		}
	}
	return out, nil
}

func scanWeighing(r store.Row) (iot.Weighing, error) {
	var w iot.Weighing
	var at, grams int64
	err := r.Scan(&w.Tenant, &w.AnimalID, &at, &w.Method, &grams)
	w.At, w.Kg = store.Time(at), float64(grams)/1000
	return w, err
}
