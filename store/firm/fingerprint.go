package firm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/store"
)

var _ chain.FingerprintStore = (*Store)(nil)

// SaveFingerprints implements chain.FingerprintStore.
func (s *Store) SaveFingerprints(ctx context.Context, tenant string, f []chain.Fingerprint) (added int, err error) {
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		added = 0
		for some := range slices.Chunk(f, batch) {
			q := newQuery(`insert into fingerprint (tenant, hash, publisher, published) values `)
			for i, p := range some {
				if i > 0 {
					q.text += `, `
				}
				q.text += list(q, []any{tenant, p.Hash, p.Publisher, store.Millis(p.Published)})
			}
			res, err := tx.Exec(ctx, q.text+` on conflict do nothing`, q.args...)
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
			added += int(n)
		}
		return nil
	})
	return added, err
}

// Fingerprints implements chain.FingerprintStore.
func (s *Store) Fingerprints(ctx context.Context, tenant string, hashes []string) ([]chain.Fingerprint, error) {
	var out []chain.Fingerprint
	for some := range slices.Chunk(hashes, chunk) {
		q := newQuery(`select hash, publisher, published from fingerprint where tenant = $1 and hash in `, tenant)
		q.text += list(q, some)
		err := s.fingerprints(ctx, q, &out)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b chain.Fingerprint) int {
		return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Publisher, b.Publisher))
	})
	return slices.Compact(out), nil
}

func (s *Store) fingerprints(ctx context.Context, q *query, out *[]chain.Fingerprint) error {
	rows, err := s.db.Query(ctx, q.text, q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f chain.Fingerprint
		var at int64
		if err := rows.Scan(&f.Hash, &f.Publisher, &at); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		f.Published = store.Time(at)
		*out = append(*out, f)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}
