package firm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/store"
)

var _ extract.Store = (*Store)(nil)

const claimColumns = `id, tenant, fact_key, document, sha256, fact, head_id, tail_id, state, reason, decided_by, decided_at, created_at`

// SaveClaims implements extract.Store, all or none.
func (s *Store) SaveClaims(ctx context.Context, claims []extract.Claim) (added int, err error) {
	if len(claims) == 0 {
		return 0, nil
	}
	err = s.change(ctx, claims[0].Tenant, func(tx *store.Tx) error {
		added = 0
		for some := range slices.Chunk(claims, batch) {
			fresh, err := addClaims(ctx, tx, some)
			if err != nil {
				return err
			}
			added += len(fresh)
			for _, c := range fresh {
				if err := state(ctx, tx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return added, err
}

// addClaims returns those that were not there yet.
func addClaims(ctx context.Context, tx *store.Tx, claims []extract.Claim) ([]extract.Claim, error) {
	q := newQuery(`insert into trade_fact (id, tenant, fact_key, document, sha256, head, relation, tail, fact, head_id, tail_id, state, reason, decided_by, decided_at, created_at) values `)
	for i, c := range claims {
		raw, err := json.Marshal(c.Fact)
		if err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
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
	ids, err := store.Collect(ctx, tx, scanText, q.text+` on conflict (tenant, fact_key) do nothing returning id`, q.args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	fresh := make([]extract.Claim, 0, len(ids))
	for _, c := range claims {
		if slices.Contains(ids, c.ID) {
			fresh = append(fresh, c)
		}
	}
	return fresh, nil
}

// state makes an accepted fact of supply a link of the graph: a document without an
// amount. Fact and document have one id.
func state(ctx context.Context, tx *store.Tx, c extract.Claim) error {
	seller, buyer, ok := c.Supply()
	if !ok {
		return nil
	}
	now, err := next(ctx, tx, c.Tenant)
	if err != nil {
		return err
	}
	in := tx.Insert("trade_document", documentColumns, ``)
	if err := in.Add(ctx, c.ID, c.Tenant, string(chain.Statement), c.ID, chain.NumberKey(c.ID), "", "", "", "", "", seller, buyer, 0, 0,
		c.Fact.Qualifiers.Product, 0.0, "", "", "", c.CreatedAt.UTC().Format(time.DateOnly), "", false, "", "", ""); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	if _, err := in.Close(ctx); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	// What sums the documents of a pair counts this one as well: one more is right,
	// whoever was first.
	_, err = tx.Exec(ctx, `insert into trade_link (`+columnList(linkKeys)+`, `+columnList(linkSums)+`)
		values ($1, $2, $3, $4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '')
		on conflict (tenant, seller_id, buyer_id) do update set documents = trade_link.documents + 1, revision = excluded.revision`, c.Tenant, seller, buyer, now)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// unstate takes the link of a fact out of the graph again, if it has one.
func unstate(ctx context.Context, tx *store.Tx, tenant, id string) error {
	pairs, err := store.Collect(ctx, tx, scanPair,
		`select seller_id, buyer_id from trade_document where tenant = $1 and id = $2 and kind = $3`, tenant, id, string(chain.Statement))
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	for _, p := range pairs {
		now, err := next(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from trade_document where tenant = $1 and id = $2`, tenant, id); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		_, err = tx.Exec(ctx, `update trade_link set documents = documents - 1, revision = $4 where tenant = $1 and seller_id = $2 and buyer_id = $3`,
			tenant, p.seller, p.buyer, now)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
	}
	return nil
}

// next counts a change of the tenant's books and returns the revision that it makes.
func next(ctx context.Context, tx *store.Tx, tenant string) (int64, error) {
	if err := revise(ctx, tx, tenant); err != nil {
		return 0, err
	}
	return revision(ctx, tx, tenant)
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
		members, err := s.members(ctx, tenant, f.FirmID) // those that were found to be it as well
		if err != nil {
			return nil, err
		}
		in := list(q, members)
		q.text += ` and (head_id in ` + in + ` or tail_id in ` + in + `)`
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
	err := s.change(ctx, tenant, func(tx *store.Tx) error {
		c, err := scanClaim(tx.QueryRow(ctx, `select `+claimColumns+` from trade_fact where tenant = $1 and id = $2`, tenant, id))
		if err != nil {
			return err
		}
		if out, err = c.Decide(d); err != nil {
			return err
		}
		if err := apart(ctx, tx, out); err != nil {
			return err
		}
		var at *int64
		if out.DecidedAt != nil {
			ms := store.Millis(*out.DecidedAt)
			at = &ms
		}
		res, err := tx.Exec(ctx, `update trade_fact set state = $1, reason = $2, head_id = $3, tail_id = $4, decided_by = $5, decided_at = $6
			where tenant = $7 and id = $8 and state = $9`,
			string(out.State), out.Reason, out.HeadID, out.TailID, out.DecidedBy, at, tenant, id, string(c.State))
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, extract.ErrFactDecided.With("state", "decided"))
		}
		if out.State == extract.Accepted {
			return state(ctx, tx, out)
		}
		return unstate(ctx, tx, tenant, id)
	})
	if err != nil {
		return extract.Claim{}, err
	}
	return out, nil
}

// apart makes sure that an accepted fact is between two firms of the tenant that were not
// found to be one.
func apart(ctx context.Context, tx *store.Tx, c extract.Claim) error {
	if c.State != extract.Accepted {
		return nil
	}
	var survivors [2]string
	for i, id := range []string{c.HeadID, c.TailID} {
		err := tx.QueryRow(ctx, `select survivor_id from firm where tenant = $1 and id = $2`, c.Tenant, id).Scan(&survivors[i])
		if errors.Is(err, sql.ErrNoRows) {
			return chain.ErrFirmNotFound
		}
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
	}
	if survivors[0] == survivors[1] {
		return extract.ErrFactSelf
	}
	return nil
}
