// Package collateral keeps what stands behind loans in the database, and takes and frees
// the pledges of plots and animals together with it.
package collateral

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/ledger"
)

// Store implements collateral.Store.
type Store struct{ db *store.DB }

var _ collateral.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Append implements collateral.Store.
func (s *Store) Append(ctx context.Context, c collateral.Change) error {
	err := s.db.TxInTurn(ctx, ledger.Lines(c.Entries), func(tx *store.Tx) error {
		if err := Write(ctx, tx, c); err != nil {
			return err
		}
		_, err := ledger.Append(ctx, tx, c.Entries)
		return err
	})
	if store.Conflict(err) { // the same key, or the same new pool, at once
		return collateral.ErrStale
	}
	return err
}

// Write writes a change within a transaction of another store, so that a contract and what
// is pledged with it are signed together. Its ledger entries are the caller's to post.
func Write(ctx context.Context, tx *store.Tx, c collateral.Change) error {
	p := c.After
	if err := savePool(ctx, tx, c.Before, p); err != nil {
		return err
	}
	body, err := json.Marshal(c.Event)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into collateral_event (tenant, application_id, seq, kind, at, body) values ($1, $2, $3, $4, $5, $6)`,
		p.Tenant, p.ApplicationID, c.Event.Seq, string(c.Event.Kind), store.Millis(c.Event.At), string(body)); err != nil {
		return err
	}
	if c.Key != "" {
		if _, err := tx.Exec(ctx, `insert into collateral_key (tenant, idem_key, hash, application_id, seq) values ($1, $2, $3, $4, $5)`,
			p.Tenant, c.Key, c.Hash, p.ApplicationID, c.Event.Seq); err != nil {
			return err
		}
	}
	// What comes in is taken before what leaves is freed.
	for _, a := range c.Taken {
		if err := take(ctx, tx, p, a); err != nil {
			return err
		}
	}
	if err := pledgeAnimals(ctx, tx, p, c.Taken, c.Event.At); err != nil {
		return err
	}
	return free(ctx, tx, p, c.Gone, c.Event.At)
}

func savePool(ctx context.Context, tx *store.Tx, before int64, p collateral.Pool) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if before == 0 {
		_, err := tx.Exec(ctx, `insert into collateral_pool (tenant, application_id, user_id, closed, called, version, updated_at, body)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			p.Tenant, p.ApplicationID, p.UserID, p.Closed, p.Call != nil, p.Version, store.Millis(p.UpdatedAt), string(body))
		return err
	}
	res, err := tx.Exec(ctx, `update collateral_pool set closed = $4, called = $5, version = $6, updated_at = $7, body = $8
		where tenant = $1 and application_id = $2 and version = $3`,
		p.Tenant, p.ApplicationID, before, p.Closed, p.Call != nil, p.Version, store.Millis(p.UpdatedAt), string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return collateral.ErrStale
}

// take keeps an asset as held, once in the house.
func take(ctx context.Context, tx *store.Tx, p collateral.Pool, a collateral.Asset) error {
	if a.Mark != "" {
		by, err := holder(ctx, tx, p.Tenant, a.Mark)
		if err != nil {
			return err
		}
		if by != "" {
			return collateral.ErrPledged.With("label", a.Label).With("holder", by)
		}
	}
	var box [4]sql.NullFloat64
	ground := ""
	if len(a.Ground) > 0 {
		if err := clash(ctx, tx, p, a); err != nil {
			return err
		}
		b := a.Ground.Bound()
		for i, x := range []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]} {
			box[i] = sql.NullFloat64{Float64: x, Valid: true}
		}
		text, err := json.Marshal(a.Ground)
		if err != nil {
			return err
		}
		ground = string(text)
	}
	if _, err := tx.Exec(ctx, `insert into collateral_hold (tenant, asset_id, application_id, kind, ref, parent, obligor_id, label, mark, status,
		west, south, east, north, ground, held_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		p.Tenant, a.ID, p.ApplicationID, string(a.Kind), a.Ref, a.Parent, a.ObligorID, a.Label, a.Mark, string(a.Status),
		box[0], box[1], box[2], box[3], ground, store.Millis(a.HeldAt)); err != nil {
		return err
	}
	if a.Kind != collateral.Crop {
		return nil
	}
	var by string
	err := tx.QueryRow(ctx, `select application_id from pledges where tenant = $1 and subject_kind = 'plot' and subject_id = $2`, p.Tenant, a.Ref).Scan(&by)
	switch {
	case err == nil && by == p.ApplicationID: // the signature took it
		return nil
	case err == nil:
		return collateral.ErrPledged.With("label", a.Label).With("holder", by)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.Exec(ctx, `insert into pledges (tenant, subject_kind, subject_id, application_id) values ($1, 'plot', $2, $3)`, p.Tenant, a.Ref, p.ApplicationID)
	return err
}

// holder names where a mark is held: the application, or another tenant of the house.
func holder(ctx context.Context, tx *store.Tx, tenant, mark string) (string, error) {
	var t, by string
	err := tx.QueryRow(ctx, `select tenant, application_id from collateral_hold where mark = $1 and ended_at is null`, mark).Scan(&t, &by)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return who(tenant, t, by), err
}

// who does not tell one tenant the business of another.
func who(tenant, other, application string) string {
	if other == tenant {
		return application
	}
	return other
}

// shared is the part of the smaller ground that two pledges may share: what is more is one
// piece of land pledged twice.
const shared = 0.1

// clash looks whether the ground is pledged already under another plot, in any tenant.
func clash(ctx context.Context, tx *store.Tx, p collateral.Pool, a collateral.Asset) error {
	type other struct {
		tenant, application, label string
		ground                     orb.Polygon
	}
	b := a.Ground.Bound()
	found, err := store.Collect(ctx, tx, func(r store.Row) (o other, err error) {
		var text string
		if err := r.Scan(&o.tenant, &o.application, &o.label, &text); err != nil {
			return o, err
		}
		return o, json.Unmarshal([]byte(text), &o.ground)
	}, `select tenant, application_id, label, ground from collateral_hold where ended_at is null and west is not null
		and west <= $1 and east >= $2 and south <= $3 and north >= $4`, b.Max[0], b.Min[0], b.Max[1], b.Min[1])
	if err != nil {
		return err
	}
	for _, o := range found {
		if o.tenant == p.Tenant && o.application == p.ApplicationID {
			continue
		}
		m2 := geo.OverlapM2(a.Ground, o.ground)
		// A tenth of either: the rule of signatures, which asks for the new plot's share.
		if share := m2 / min(area(a.Ground), area(o.ground)); m2 > 1 && share > shared {
			label := o.label
			if o.tenant != p.Tenant {
				label = "…" // of another bank
			}
			return collateral.ErrOverlap.With("label", a.Label).With("share", fmt.Sprintf("%.0f %%", share*100)).With("other", label).
				With("holder", who(p.Tenant, o.tenant, o.application))
		}
	}
	return nil
}

func area(p orb.Polygon) float64 { return geo.OverlapM2(p, p) }

func pledgeAnimals(ctx context.Context, tx *store.Tx, p collateral.Pool, taken []collateral.Asset, at time.Time) error {
	var ids []string
	for _, a := range taken {
		if a.Kind == collateral.Animal {
			ids = append(ids, a.Ref)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return herd.Pledge(ctx, tx, p.Tenant, p.ApplicationID, ids, at)
}

// free ends holds and the pledges that stand for them.
func free(ctx context.Context, tx *store.Tx, p collateral.Pool, gone []collateral.Asset, at time.Time) error {
	var animals []string
	for _, a := range gone {
		if _, err := tx.Exec(ctx, `update collateral_hold set status = $3, ended_at = $4 where tenant = $1 and asset_id = $2`,
			p.Tenant, a.ID, string(a.Status), store.Millis(at)); err != nil {
			return err
		}
		switch a.Kind {
		case collateral.Crop:
			if _, err := tx.Exec(ctx, `delete from pledges where tenant = $1 and subject_kind = 'plot' and subject_id = $2 and application_id = $3`,
				p.Tenant, a.Ref, p.ApplicationID); err != nil {
				return err
			}
		case collateral.Animal:
			animals = append(animals, a.Ref)
		default:
		}
	}
	return herd.ReleaseAnimals(ctx, tx, p.Tenant, p.ApplicationID, animals, at)
}

// Pool implements collateral.Store.
func (s *Store) Pool(ctx context.Context, tenant, applicationID string) (collateral.Pool, error) {
	p, err := scanPool(s.db.QueryRow(ctx, `select tenant, body from collateral_pool where tenant = $1 and application_id = $2`, tenant, applicationID))
	if errors.Is(err, sql.ErrNoRows) {
		return collateral.Pool{}, collateral.ErrNotFound
	}
	return p, err
}

func scanPool(row store.Row) (p collateral.Pool, err error) {
	var tenant, body string
	if err := row.Scan(&tenant, &body); err != nil {
		return p, err
	}
	err = json.Unmarshal([]byte(body), &p)
	p.Tenant = tenant
	return p, err
}

// Pools implements collateral.Store.
func (s *Store) Pools(ctx context.Context, tenant string, f collateral.Filter) ([]collateral.Pool, error) {
	query := `select tenant, body from collateral_pool p where tenant = $1 and ($2 = '' or user_id = $2) and ($3 = '' or application_id < $3)`
	args := []any{tenant, f.UserID, f.Before}
	if f.Open {
		query += ` and closed = false`
	}
	if f.Called {
		query += ` and called = true`
	}
	if !f.EndedSince.IsZero() {
		args = append(args, store.Millis(f.EndedSince))
		query += fmt.Sprintf(` and closed = true and updated_at >= $%d`, len(args))
	}
	if f.Kind != "" {
		args = append(args, string(f.Kind), f.Ref, f.Parent)
		n := len(args)
		query += fmt.Sprintf(` and exists (select 1 from collateral_hold h where h.tenant = p.tenant and h.application_id = p.application_id
			and h.ended_at is null and h.kind = $%d and ($%d = '' or h.ref = $%d) and ($%d = '' or h.parent = $%d))`, n-2, n-1, n-1, n, n)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	args = append(args, min(limit, 500))
	return store.Collect(ctx, s.db, scanPool, query+fmt.Sprintf(` order by application_id desc limit $%d`, len(args)), args...)
}

// Events implements collateral.Store.
func (s *Store) Events(ctx context.Context, tenant, applicationID string, upTo int64) ([]collateral.PoolEvent, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (e collateral.PoolEvent, err error) {
		return e, scanJSON(r, &e)
	}, `select body from collateral_event where tenant = $1 and application_id = $2 and ($3 = 0 or seq <= $3) order by seq`, tenant, applicationID, upTo)
}

func scanJSON(r store.Row, into any) error {
	var body string
	if err := r.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), into)
}

// Done implements collateral.Store.
func (s *Store) Done(ctx context.Context, tenant, key string) (d collateral.Done, ok bool, err error) {
	err = s.db.QueryRow(ctx, `select hash, application_id, seq from collateral_key where tenant = $1 and idem_key = $2`, tenant, key).
		Scan(&d.Hash, &d.ApplicationID, &d.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	return d, err == nil, err
}

// SaveDay implements collateral.Store.
func (s *Store) SaveDay(ctx context.Context, tenant, applicationID string, d collateral.CoverDay) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into collateral_day (tenant, application_id, day, body) values ($1, $2, $3, $4)
		on conflict (tenant, application_id, day) do update set body = excluded.body`, tenant, applicationID, int64(d.Date), string(body))
	return err
}

// Days implements collateral.Store.
func (s *Store) Days(ctx context.Context, tenant, applicationID string, from, to money.Date) ([]collateral.CoverDay, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (d collateral.CoverDay, err error) {
		return d, scanJSON(r, &d)
	}, `select body from collateral_day where tenant = $1 and application_id = $2 and day >= $3 and day <= $4 order by day`,
		tenant, applicationID, int64(from), int64(to))
}

// Notices implements collateral.Store.
func (s *Store) Notices(ctx context.Context, tenant, obligorID string, limit int) ([]collateral.Notice, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (n collateral.Notice, err error) {
		var status string
		var held int64
		var ended sql.NullInt64
		err = r.Scan(&n.ApplicationID, &n.AssetID, &n.ReceivableID, &n.PartID, &n.Label, &status, &held, &ended)
		n.Status, n.HeldAt, n.EndedAt = collateral.Status(status), store.Time(held), store.NullTime(ended)
		return n, err
	}, `select application_id, asset_id, parent, ref, label, status, held_at, ended_at from collateral_hold
		where tenant = $1 and obligor_id = $2 and kind = 'receivable' order by asset_id desc limit $3`, tenant, obligorID, min(max(limit, 1), 500))
}

// AddProposal implements collateral.Store.
func (s *Store) AddProposal(ctx context.Context, p collateral.Proposal) (collateral.Proposal, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `insert into collateral_proposal (tenant, id, application_id, idem_key, state, body, hash) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (tenant, idem_key) do nothing`, p.Tenant, p.ID, p.ApplicationID, p.Key, p.State, string(body), p.Hash)
		return err
	})
	if err != nil {
		return p, err
	}
	return scanProposal(s.db.QueryRow(ctx, `select `+proposalColumns+` from collateral_proposal where tenant = $1 and idem_key = $2`, p.Tenant, p.Key))
}

const proposalColumns = `tenant, idem_key, hash, body`

func scanProposal(row store.Row) (p collateral.Proposal, err error) {
	var tenant, key, hash, body string
	if err := row.Scan(&tenant, &key, &hash, &body); err != nil {
		return p, err
	}
	err = json.Unmarshal([]byte(body), &p)
	p.Tenant, p.Key, p.Hash = tenant, key, hash
	return p, err
}

// Proposal implements collateral.Store.
func (s *Store) Proposal(ctx context.Context, tenant, id string) (collateral.Proposal, error) {
	p, err := scanProposal(s.db.QueryRow(ctx, `select `+proposalColumns+` from collateral_proposal where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, collateral.ErrProposal
	}
	return p, err
}

// Proposals implements collateral.Store.
func (s *Store) Proposals(ctx context.Context, tenant, applicationID string, open bool) ([]collateral.Proposal, error) {
	return store.Collect(ctx, s.db, scanProposal, `select `+proposalColumns+` from collateral_proposal
		where tenant = $1 and ($2 = '' or application_id = $2) and ($3 = false or state = 'open') order by id desc limit 500`, tenant, applicationID, open)
}

// Decide implements collateral.Store.
func (s *Store) Decide(ctx context.Context, p collateral.Proposal) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	res, err := s.db.Exec(ctx, `update collateral_proposal set state = $3, body = $4 where tenant = $1 and id = $2 and state = 'open'`,
		p.Tenant, p.ID, p.State, string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return collateral.ErrDecided
}
