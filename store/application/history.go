package application

import (
	"context"
	"encoding/json"

	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/store"
)

var _ strategy.History = (*Store)(nil)

// History implements strategy.History: in the order of ids, which is that of time.
func (s *Store) History(ctx context.Context, tenant string, f strategy.HistoryFilter, each func(strategy.Record) error) error {
	left := f.Limit
	if left <= 0 {
		left = 1000
	}
	const page = 200
	for before := ""; left > 0; {
		type row struct{ body, evidence, product string }
		rows, err := store.Collect(ctx, s.db, func(r store.Row) (x row, err error) {
			return x, r.Scan(&x.body, &x.evidence, &x.product)
		}, `select body, evidence, product from decisions where tenant = $1 and ($2 = '' or id < $2) order by id desc limit $3`, tenant, before, page)
		if err != nil {
			return err
		}
		for _, x := range rows {
			r := strategy.Record{Evidence: []byte(x.evidence), Product: []byte(x.product)}
			if err := json.Unmarshal([]byte(x.body), &r.Decision); err != nil {
				return err
			}
			before = r.Decision.ID
			if !f.From.IsZero() && r.Decision.MadeAt.Before(f.From) {
				return nil
			}
			fits, err := f.Fits(r)
			if err != nil {
				return err
			}
			if !fits {
				continue
			}
			if err := each(r); err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
		if len(rows) < page {
			return nil
		}
	}
	return nil
}
