// Package profile keeps borrowers, their uploaded histories and what is lent around them
// in the database.
package profile

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/store"
)

// Store implements profile.Store.
type Store struct{ db *store.DB }

var _ profile.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Borrower implements profile.Store.
func (s *Store) Borrower(ctx context.Context, tenant, userID string) (profile.Borrower, error) {
	b := profile.Borrower{UserID: userID}
	var at int64
	err := s.db.QueryRow(ctx, `select kind, birth_year, region, industry, household, party, updated_at, updated_by
		from borrower where tenant = $1 and user_id = $2`, tenant, userID).Scan(
		&b.Kind, &b.BirthYear, &b.Region, &b.Industry, &b.Household, &b.Group, &at, &b.UpdatedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return profile.Borrower{}, profile.ErrNotFound
	}
	b.UpdatedAt = store.Time(at)
	return b, err
}

// SetBorrower implements profile.Store.
func (s *Store) SetBorrower(ctx context.Context, tenant string, b profile.Borrower) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `insert into borrower (tenant, user_id, kind, birth_year, region, industry, household, party, updated_at, updated_by)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (tenant, user_id) do update set kind = excluded.kind,
			birth_year = excluded.birth_year, region = excluded.region, industry = excluded.industry, household = excluded.household,
			party = excluded.party, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			tenant, b.UserID, b.Kind, b.BirthYear, b.Region, b.Industry, b.Household, b.Group, store.Millis(b.UpdatedAt), b.UpdatedBy)
		if err != nil {
			return err
		}
		items, err := store.Collect(ctx, tx, scanItem, `select `+itemColumns+` from exposure_item
			where tenant = $1 and user_id = $2 order by application_id`, tenant, b.UserID)
		if err != nil {
			return err
		}
		for _, was := range items {
			now := was
			now.household, now.party, now.region = b.Household, b.Group, b.Region
			if now == was {
				continue
			}
			if err := replace(ctx, tx, tenant, was, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddHistories implements profile.Store.
func (s *Store) AddHistories(ctx context.Context, tenant string, all []profile.History) ([]profile.History, error) {
	var kept []profile.History
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		kept = make([]profile.History, 0, len(all))
		for _, h := range all {
			var content any = h.Bureau
			if h.Kind == profile.Bank {
				content = h.Bank
			}
			body, err := json.Marshal(content)
			if err != nil {
				return err
			}
			res, err := tx.Exec(ctx, `insert into history (tenant, user_id, kind, hash, id, at, saved_at, brought, file, file_hash, body, purpose, consent_id)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (tenant, user_id, kind, hash) do nothing`,
				tenant, h.UserID, string(h.Kind), h.Hash, h.ID, store.Millis(h.At), store.Millis(h.SavedAt), h.By, h.File, h.FileHash, string(body), h.Purpose, h.ConsentID)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				h, err = scan(tx.QueryRow(ctx, `select `+columns+` from history where tenant = $1 and user_id = $2 and kind = $3 and hash = $4`,
					tenant, h.UserID, string(h.Kind), h.Hash))
				if err != nil {
					return err
				}
			}
			kept = append(kept, h)
		}
		return nil
	})
	return kept, err
}

const columns = `user_id, kind, hash, id, at, saved_at, brought, file, file_hash, body, purpose, consent_id`

func scan(row store.Row) (profile.History, error) {
	var h profile.History
	var kind, body string
	var at, saved int64
	if err := row.Scan(&h.UserID, &kind, &h.Hash, &h.ID, &at, &saved, &h.By, &h.File, &h.FileHash, &body, &h.Purpose, &h.ConsentID); err != nil {
		return h, err
	}
	h.Kind, h.At, h.SavedAt = profile.Kind(kind), store.Time(at), store.Time(saved)
	if h.Kind == profile.Bank {
		h.Bank = &credit.Bank{}
		return h, json.Unmarshal([]byte(body), h.Bank)
	}
	h.Bureau = &credit.Bureau{}
	return h, json.Unmarshal([]byte(body), h.Bureau)
}

// Newest implements profile.Store.
func (s *Store) Newest(ctx context.Context, tenant, userID string, k profile.Kind) (profile.History, error) {
	h, err := scan(s.db.QueryRow(ctx, `select `+columns+` from history where tenant = $1 and user_id = $2 and kind = $3
		order by at desc, saved_at desc, id desc limit 1`, tenant, userID, string(k)))
	if errors.Is(err, sql.ErrNoRows) {
		return profile.History{}, profile.ErrAbsent
	}
	return h, err
}

// Histories implements profile.Store.
func (s *Store) Histories(ctx context.Context, tenant, userID string) ([]profile.History, error) {
	return store.Collect(ctx, s.db, scan, `select `+columns+` from history where tenant = $1 and user_id = $2
		order by at desc, saved_at desc, id desc`, tenant, userID)
}

// Uploads implements profile.Store.
func (s *Store) Uploads(ctx context.Context, tenant, after string, limit int) ([]profile.Uploads, error) {
	type line struct {
		user string
		profile.UploadsKind
	}
	// A borrower has one line of each kind, so twice the limit holds that many of them.
	lines, err := store.Collect(ctx, s.db, func(row store.Row) (line, error) {
		var x line
		var newest, saved int64
		err := row.Scan(&x.user, &x.Kind, &x.Count, &newest, &saved)
		x.Newest, x.SavedAt = store.Time(newest), store.Time(saved)
		return x, err
	}, `select user_id, kind, count(*), max(at), max(saved_at) from history where tenant = $1 and user_id > $2
		group by user_id, kind order by user_id, kind limit $3`, tenant, after, 2*limit)
	var out []profile.Uploads
	for _, x := range lines {
		if n := len(out); n > 0 && out[n-1].UserID == x.user {
			out[n-1].Kinds = append(out[n-1].Kinds, x.UploadsKind)
			continue
		}
		if len(out) == limit {
			break
		}
		out = append(out, profile.Uploads{UserID: x.user, Kinds: []profile.UploadsKind{x.UploadsKind}})
	}
	return out, err
}
