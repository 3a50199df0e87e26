// Package quote keeps snapshots of evidence, quotes and runs in the database.
package quote

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/people"
)

// Store implements quote.Store. Quotes that come at once are written in one transaction,
// and snapshots that are asked for at once are read by one question.
type Store struct {
	db    *store.DB
	keep  *store.Gather[row, struct{}]
	read  *store.Gather[string, *quote.Snapshot]
	texts texts
}

var _ quote.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store {
	s := &Store{db: db}
	// Under load a transaction carries the quotes of 4 ms, about what the disk takes to keep it.
	s.keep = store.NewGather(256, s.insert).Apart(4 * time.Millisecond)
	s.read = store.NewGather(256, s.fetch).Apart(time.Millisecond)
	return s
}

// texts are hashes whose bodies are in the database for certain.
type texts struct {
	mu    sync.Mutex
	known map[string]struct{}
}

// missing gives those of the hashes that are not known to be there.
func (t *texts) missing(bodies map[string][]byte) map[string][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string][]byte)
	for hash, body := range bodies {
		if _, ok := t.known[hash]; !ok {
			out[hash] = body
		}
	}
	return out
}

// add remembers hashes once their transaction is through.
func (t *texts) add(bodies map[string][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 1 << 16
	if t.known == nil || len(t.known) > most {
		t.known = make(map[string]struct{})
	}
	for hash := range bodies {
		t.known[hash] = struct{}{}
	}
}

const snapshotColumns = `id, tenant, user_id, subject_kind, subject_id, product, evidence_hash, evidence, taken_at`

func scanSnapshot(r store.Row) (s quote.Snapshot, err error) {
	var kind string
	var taken int64
	err = r.Scan(&s.ID, &s.Tenant, &s.UserID, &kind, &s.Subject.ID, &s.Product, &s.Hash, &s.Evidence, &taken)
	s.Subject.Kind, s.TakenAt = credit.SubjectKind(kind), store.Time(taken)
	return s, err
}

// retire copies the evidence of snapshots that are about to go to where it stays readable
// by its hash: quotes and verdicts may rest on it.
func retire(ctx context.Context, tx *store.Tx, which string, args ...any) error {
	_, err := tx.Exec(ctx, `insert into evidence (hash, body) select distinct evidence_hash, evidence from snapshot where `+which+` on conflict (hash) do nothing`, args...)
	return err
}

// Put implements quote.Store.
func (s *Store) Put(ctx context.Context, snapshots []quote.Snapshot) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, n := range snapshots {
			if err := retire(ctx, tx, `tenant = $1 and user_id = $2 and subject_kind = $3 and subject_id = $4 and product = $5 and taken_at < $6 and evidence_hash <> $7`,
				n.Tenant, n.UserID, string(n.Subject.Kind), n.Subject.ID, n.Product, store.Millis(n.TakenAt), n.Hash); err != nil {
				return err
			}
		}
		in := tx.Insert("snapshot", []string{"id", "tenant", "user_id", "subject_kind", "subject_id", "product", "evidence_hash", "evidence", "taken_at"},
			`on conflict (tenant, user_id, subject_kind, subject_id, product) do update set
			evidence_hash = excluded.evidence_hash, evidence = excluded.evidence, taken_at = excluded.taken_at
			where excluded.taken_at > snapshot.taken_at`)
		for _, n := range snapshots {
			if err := in.Add(ctx, n.ID, n.Tenant, n.UserID, string(n.Subject.Kind), n.Subject.ID, n.Product, n.Hash, string(n.Evidence), store.Millis(n.TakenAt)); err != nil {
				return err
			}
		}
		_, err := in.Close(ctx)
		return err
	})
}

// Snapshot implements quote.Store.
func (s *Store) Snapshot(ctx context.Context, tenant, id string) (quote.Snapshot, error) {
	found, err := s.read.Do(ctx, id)
	if err != nil {
		return quote.Snapshot{}, err
	}
	if found == nil || found.Tenant != tenant {
		return quote.Snapshot{}, quote.ErrNotFound
	}
	return *found, nil
}

// fetch reads snapshots by their ids; nil stands for one that is not there.
func (s *Store) fetch(ctx context.Context, ids []string) ([]*quote.Snapshot, error) {
	in, args := store.In(nil, ids)
	rows, err := s.brought(ctx, `select `+snapshotColumns+` from snapshot where id in `+in, args...)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*quote.Snapshot, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	out := make([]*quote.Snapshot, len(ids))
	for i, id := range ids {
		out[i] = byID[id]
	}
	return out, nil
}

// Of implements quote.Store.
func (s *Store) Of(ctx context.Context, tenant, userID string, sub credit.Subject, product string) (quote.Snapshot, error) {
	found, err := scanSnapshot(s.db.QueryRow(ctx, `select `+snapshotColumns+` from snapshot
		where tenant = $1 and user_id = $2 and subject_kind = $3 and subject_id = $4 and product = $5`, tenant, userID, string(sub.Kind), sub.ID, product))
	return found, absent(err, quote.ErrNotFound)
}

func absent(err, as error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return as
	}
	return err
}

// Snapshots implements quote.Store.
func (s *Store) Snapshots(ctx context.Context, tenant, product, after string, limit int) ([]quote.Snapshot, error) {
	return store.Collect(ctx, s.db, scanSnapshot, `select `+snapshotColumns+` from snapshot
		where tenant = $1 and id > $2 and ($3 = '' or product = $3) order by id limit $4`, tenant, after, product, limit)
}

// brought reads snapshots, and who brought applications for them.
func (s *Store) brought(ctx context.Context, query string, args ...any) ([]quote.Snapshot, error) {
	list, err := store.Collect(ctx, s.db, scanSnapshot, query, args...)
	if err != nil || len(list) == 0 {
		return list, err
	}
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	in, args := store.In(nil, slices.Collect(maps.Keys(at)))
	type bringer struct{ snapshot, user, firm string }
	by, err := store.Collect(ctx, s.db, func(r store.Row) (b bringer, err error) {
		return b, r.Scan(&b.snapshot, &b.user, &b.firm)
	}, `select distinct s.id, a.brought_by, a.brought_firm from snapshot s join applications a on a.tenant = s.tenant and a.user_id = s.user_id
		and a.subject_kind = s.subject_kind and a.subject_id = s.subject_id and a.product = s.product
		where a.brought_by <> '' and s.id in `+in, args...)
	for _, b := range by {
		s := &list[at[b.snapshot]]
		if s.BroughtBy = append(s.BroughtBy, b.user); b.firm != "" {
			s.BroughtBy = append(s.BroughtBy, b.firm)
		}
	}
	return list, err
}

// ByUser implements quote.Store.
func (s *Store) ByUser(ctx context.Context, tenant, userID string) ([]quote.Snapshot, error) {
	return s.brought(ctx, `select id, tenant, user_id, subject_kind, subject_id, product, evidence_hash, '', taken_at
		from snapshot where tenant = $1 and user_id = $2 order by id`, tenant, userID)
}

// Drop implements quote.Store.
func (s *Store) Drop(ctx context.Context, tenant, userID string) error {
	const which = `tenant = $1 and user_id = $2`
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := retire(ctx, tx, which, tenant, userID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from snapshot where `+which, tenant, userID)
		return err
	})
}

// row is a quote as it is written.
type row struct {
	id, tenant, snapshot, body        string
	evidence, product, policy, models string // hashes; models: JSON of hashes by name
	evidenceText                      []byte // nil where it is the snapshot's
	policyText                        []byte
	texts                             map[string][]byte // products and models by hash
	line                              access.Entry
}

// Keep implements quote.Store.
func (s *Store) Keep(ctx context.Context, k quote.Kept) error {
	body, err := json.Marshal(k.Decision)
	if err != nil {
		return err
	}
	r := row{
		id: k.Decision.ID, tenant: k.Tenant, snapshot: k.Snapshot, body: string(body), evidence: k.Decision.EvidenceHash,
		product: k.Product, policy: k.Policy, models: "{}",
		evidenceText: k.Frozen.Evidence, policyText: k.Frozen.Policy, line: k.Line,
	}
	r.texts = map[string][]byte{r.product: k.Frozen.Product}
	if len(k.Frozen.Models) > 0 {
		hashes := make(map[string]string, len(k.Frozen.Models))
		for name, b := range k.Frozen.Models {
			hashes[name] = credit.Hash(b)
			r.texts[hashes[name]] = b
		}
		list, err := json.Marshal(hashes)
		if err != nil {
			return err
		}
		r.models = string(list)
	}
	_, err = s.keep.Do(ctx, r)
	return err
}

// insert writes quotes with the texts that they rest on and their lines of the trail.
func (s *Store) insert(ctx context.Context, rows []row) ([]struct{}, error) {
	evidence, frozen, policies := map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	lines := make([]access.Entry, len(rows))
	for i, r := range rows {
		lines[i] = r.line
		policies[r.policy] = r.policyText
		if r.evidenceText != nil {
			evidence[r.evidence] = r.evidenceText
		}
		for hash, body := range r.texts {
			frozen[hash] = body
		}
	}
	tables := []struct {
		name, key, value string
		bodies           map[string][]byte
	}{
		{"evidence", "hash", "body", s.texts.missing(evidence)},
		{"frozen_text", "hash", "body", s.texts.missing(frozen)},
		{"policies", "hash", "source", s.texts.missing(policies)},
	}
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, t := range tables {
			in := tx.Insert(t.name, []string{t.key, t.value}, "on conflict ("+t.key+") do nothing")
			for hash, body := range t.bodies {
				if err := in.Add(ctx, hash, string(body)); err != nil {
					return err
				}
			}
			if _, err := in.Close(ctx); err != nil {
				return err
			}
		}
		in := tx.Insert("quote", []string{"id", "tenant", "snapshot_id", "body", "evidence_hash", "product_hash", "policy_hash", "models"}, "")
		for _, r := range rows {
			if err := in.Add(ctx, r.id, r.tenant, r.snapshot, r.body, r.evidence, r.product, r.policy, r.models); err != nil {
				return err
			}
		}
		if _, err := in.Close(ctx); err != nil {
			return err
		}
		_, err := people.Append(ctx, tx, lines)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		s.texts.add(t.bodies)
	}
	return make([]struct{}, len(rows)), nil
}

// Quote implements quote.Store.
func (s *Store) Quote(ctx context.Context, tenant, id string) (d credit.Decision, f strategy.Frozen, err error) {
	var body, evidence, product, policy, models string
	err = s.db.QueryRow(ctx, `select q.body, coalesce(n.evidence, e.body), t.body, p.source, q.models from quote q
		left join snapshot n on n.id = q.snapshot_id and n.evidence_hash = q.evidence_hash left join evidence e on e.hash = q.evidence_hash
		join frozen_text t on t.hash = q.product_hash join policies p on p.hash = q.policy_hash where q.tenant = $1 and q.id = $2`,
		tenant, id).Scan(&body, &evidence, &product, &policy, &models)
	if err != nil {
		return d, f, absent(err, quote.ErrNotFound)
	}
	hashes := map[string]string{}
	if err := errors.Join(json.Unmarshal([]byte(body), &d), json.Unmarshal([]byte(models), &hashes)); err != nil {
		return d, f, fmt.Errorf("store/quote: %w", err)
	}
	f = strategy.Frozen{Evidence: []byte(evidence), Product: []byte(product), Policy: []byte(policy)}
	for name, hash := range hashes {
		var b string
		if err := s.db.QueryRow(ctx, `select body from frozen_text where hash = $1`, hash).Scan(&b); err != nil {
			return d, f, err
		}
		if f.Models == nil {
			f.Models = map[string][]byte{}
		}
		f.Models[name] = []byte(b)
	}
	return d, f, nil
}

// AddRun implements quote.Store.
func (s *Store) AddRun(ctx context.Context, r quote.Run) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into quote_run (id, tenant, after, body) values ($1, $2, '', $3)`, r.ID, r.Tenant, string(body))
	return err
}

func scanRun(row store.Row) (r quote.Run, err error) {
	var tenant, body string
	if err := row.Scan(&tenant, &body); err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(body), &r)
	r.Tenant = tenant
	return r, err
}

// Run implements quote.Store.
func (s *Store) Run(ctx context.Context, tenant, id string) (quote.Run, error) {
	r, err := scanRun(s.db.QueryRow(ctx, `select tenant, body from quote_run where tenant = $1 and id = $2`, tenant, id))
	return r, absent(err, quote.ErrRun)
}

// Runs implements quote.Store.
func (s *Store) Runs(ctx context.Context, tenant string, limit int) ([]quote.Run, error) {
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, scanRun, `select tenant, body from quote_run where tenant = $1 order by id desc limit $2`, tenant, min(limit, 500))
}

// Advance implements quote.Store.
func (s *Store) Advance(ctx context.Context, r quote.Run, from string, verdicts []quote.Verdict) (quote.Run, error) {
	out := r
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		out = r
		if len(verdicts) > 0 {
			before, err := limits(ctx, tx, r.Tenant, verdicts)
			if err != nil {
				return err
			}
			for _, v := range verdicts {
				was, ok := before[v.SnapshotID]
				switch {
				case !ok || v.Error != "":
				case offered(v) > was:
					out.Raised++
				case offered(v) < was:
					out.Lowered++
				}
			}
			if err := save(ctx, tx, r.Tenant, verdicts); err != nil {
				return err
			}
		}
		body, err := json.Marshal(out)
		if err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `update quote_run set after = $4, body = $5 where tenant = $1 and id = $2 and after = $3`, r.Tenant, r.ID, from, r.After, string(body))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return quote.ErrRun
	})
	return out, err
}

func offered(v quote.Verdict) int64 {
	if v.Outcome == credit.Refuse {
		return 0
	}
	return int64(v.Limit)
}

// limits are those of the verdicts before, by snapshot.
func limits(ctx context.Context, tx *store.Tx, tenant string, verdicts []quote.Verdict) (map[string]int64, error) {
	// Verdicts come in the order of their snapshots.
	rows, err := tx.Query(ctx, `select snapshot_id, outcome, credit_limit from verdict where tenant = $1 and snapshot_id between $2 and $3 and error = ''`,
		tenant, verdicts[0].SnapshotID, verdicts[len(verdicts)-1].SnapshotID)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := make(map[string]int64, len(verdicts))
	for rows.Next() {
		var id, outcome string
		var limit int64
		if err := rows.Scan(&id, &outcome, &limit); err != nil {
			return nil, err
		}
		if credit.Outcome(outcome) == credit.Refuse {
			limit = 0
		}
		out[id] = limit
	}
	return out, rows.Err()
}

const verdictColumns = `snapshot_id, run_id, outcome, credit_limit, rate, score, policy, evidence_hash, error, at`

func save(ctx context.Context, tx *store.Tx, tenant string, verdicts []quote.Verdict) error {
	in := tx.Insert("verdict", []string{"snapshot_id", "tenant", "run_id", "outcome", "credit_limit", "rate", "score", "policy", "evidence_hash", "error", "at"},
		`on conflict (snapshot_id) do update set run_id = excluded.run_id, outcome = excluded.outcome, credit_limit = excluded.credit_limit,
		rate = excluded.rate, score = excluded.score, policy = excluded.policy, evidence_hash = excluded.evidence_hash, error = excluded.error, at = excluded.at`)
	for _, v := range verdicts {
		if err := in.Add(ctx, v.SnapshotID, tenant, v.RunID, string(v.Outcome), int64(v.Limit), int64(v.Rate), int64(v.Score), v.Policy, v.EvidenceHash, v.Error, store.Millis(v.At)); err != nil {
			return err
		}
	}
	_, err := in.Close(ctx)
	return err
}

// Verdict implements quote.Store.
func (s *Store) Verdict(ctx context.Context, tenant, snapshotID string) (v quote.Verdict, err error) {
	var outcome string
	var limit, rate, at int64
	err = s.db.QueryRow(ctx, `select `+verdictColumns+` from verdict where tenant = $1 and snapshot_id = $2`, tenant, snapshotID).
		Scan(&v.SnapshotID, &v.RunID, &outcome, &limit, &rate, &v.Score, &v.Policy, &v.EvidenceHash, &v.Error, &at)
	v.Outcome, v.Limit, v.Rate, v.At = credit.Outcome(outcome), money.Fen(limit), money.Rate(rate), store.Time(at)
	return v, absent(err, quote.ErrNotFound)
}
