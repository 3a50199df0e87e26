package firm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/store"
)

var _ extract.Store = (*Store)(nil)

const claimColumns = `id, tenant, fact_key, document, sha256, fact, head_id, tail_id, state, reason, decided_by, decided_at, created_at`

// SaveClaims implements extract.Store, all or none.
func (s *Store) SaveClaims(ctx context.Context, claims []extract.Claim) (added int, err error) {
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		added = 0
		for some := range slices.Chunk(claims, batch) {
			n, err := addClaims(ctx, tx, some)
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	return added, err
}

func addClaims(ctx context.Context, tx *store.Tx, claims []extract.Claim) (int, error) {
	q := newQuery(`insert into trade_fact (id, tenant, fact_key, document, sha256, head, relation, tail, fact, head_id, tail_id, state, reason, decided_by, decided_at, created_at) values `)
	for i, c := range claims {
		raw, err := json.Marshal(c.Fact)
		if err != nil {
			return 0, fmt.Errorf("store/firm: %w", err)
		}
		if i > 0 {
			q.text += `,`
		}
		var decided *int64
		if c.DecidedAt != nil {
			ms := store.Millis(*c.DecidedAt)
			decided = &ms
		}
		q.text += list(q, []any{
			c.ID, c.Tenant, c.Key, c.Document, c.SHA256, c.Fact.Head, string(c.Fact.Relation), c.Fact.Tail, string(raw),
			c.HeadID, c.TailID, string(c.State), c.Reason, c.DecidedBy, decided, store.Millis(c.CreatedAt),
		})
	}
	res, err := tx.Exec(ctx, q.text+` on conflict (tenant, fact_key) do nothing`, q.args...)
	if err != nil {
		return 0, fmt.Errorf("store/firm: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("store/firm: %w", err)
	}
	return int(n), nil
}

func scanClaim(row scanner) (extract.Claim, error) {
	var (
		c       extract.Claim
		fact    string
		decided sql.NullInt64
		created int64
	)
	err := row.Scan(&c.ID, &c.Tenant, &c.Key, &c.Document, &c.SHA256, &fact, &c.HeadID, &c.TailID, &c.State, &c.Reason, &c.DecidedBy, &decided, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return c, extract.ErrFactNotFound
	}
	if err == nil {
		err = json.Unmarshal([]byte(fact), &c.Fact)
	}
	if err != nil {
		return c, fmt.Errorf("store/firm: %w", err)
	}
	c.DecidedAt, c.CreatedAt = store.NullTime(decided), store.Time(created)
	return c, nil
}

// Claim implements extract.Store.
func (s *Store) Claim(ctx context.Context, tenant, id string) (extract.Claim, error) {
	return scanClaim(s.db.QueryRow(ctx, `select `+claimColumns+` from trade_fact where tenant = $1 and id = $2`, tenant, id))
}

// Claims implements extract.Store.
func (s *Store) Claims(ctx context.Context, tenant string, f extract.ClaimFilter) ([]extract.Claim, error) {
	q := newQuery(`select `+claimColumns+` from trade_fact where tenant = $1`, tenant)
	if f.State != "" {
		q.and(`state = `, string(f.State))
	}
	if f.FirmID != "" {
		id := q.arg(f.FirmID)
		q.text += ` and (head_id = ` + id + ` or tail_id = ` + id + `)`
	}
	if f.After != "" {
		q.and(`id > `, f.After)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	q.text += ` order by id limit ` + q.arg(min(limit, 1000))
	rows, err := s.db.Query(ctx, q.text, q.args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	var out []extract.Claim
	for rows.Next() {
		c, err := scanClaim(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// DecideClaim implements extract.Store. Of two who decide at once one gets
// extract.ErrFactDecided.
func (s *Store) DecideClaim(ctx context.Context, tenant, id string, d extract.Decision) (extract.Claim, error) {
	var out extract.Claim
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		c, err := scanClaim(tx.QueryRow(ctx, `select `+claimColumns+` from trade_fact where tenant = $1 and id = $2`, tenant, id))
		if err != nil {
			return err
		}
		if out, err = c.Decide(d); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `update trade_fact set state = $1, reason = $2, head_id = $3, tail_id = $4, decided_by = $5, decided_at = $6
			where tenant = $7 and id = $8 and state = $9`,
			string(out.State), out.Reason, out.HeadID, out.TailID, out.DecidedBy, store.Millis(d.At), tenant, id, string(extract.Pending))
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, extract.ErrFactDecided.With("state", "decided"))
		}
		return nil
	})
	if err != nil {
		return extract.Claim{}, err
	}
	return out, nil
}
