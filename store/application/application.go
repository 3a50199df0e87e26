// Package application keeps applications, decisions with what they saw, contracts and
// pledges in the database.
package application

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/collateral"
	"github.com/furrowcredit/furrow/store/herd"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/profile"
)

// Store implements apply.Store. Applications that move at the same time share a
// transaction.
type Store struct {
	db    *store.DB
	moves *store.Gather[move, struct{}]
}

var _ apply.Store = (*Store)(nil)

// A step is bounded, so that nobody waits long for the others.
const mostMoves = 100

// New returns a store on db.
func New(db *store.DB) *Store {
	s := &Store{db: db}
	s.moves = store.NewGather(mostMoves, func(ctx context.Context, list []move) ([]struct{}, error) {
		return make([]struct{}, len(list)), s.move(ctx, list)
	})
	return s
}

const columns = `id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked, term_months,
	purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at,
	channel, brought_by, brought_firm, stated_on, stated_why`

// Add implements apply.Store.
func (s *Store) Add(ctx context.Context, a apply.Application) (apply.Application, error) {
	var out apply.Application
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		known, err := scan(tx.QueryRow(ctx, `select `+columns+` from applications where tenant = $1 and user_id = $2 and idem_key = $3`,
			a.Tenant, a.UserID, a.Key))
		switch {
		case err == nil && known.KeyHash == a.KeyHash:
			out = known
			return nil
		case err == nil:
			return apply.ErrKeyReused
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		out = a
		_, err = tx.Exec(ctx, `insert into applications (`+columns+`) values
			($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
			a.ID, a.Tenant, a.UserID, a.UserName, string(a.Subject.Kind), a.Subject.ID, a.SubjectName, a.Product, int64(a.Asked),
			a.TermMonths, a.Purpose, string(a.State), a.DecisionID, a.LoanID, int64(a.Limit), int64(a.Rate), a.Key, a.KeyHash,
			store.Millis(a.CreatedAt), store.Millis(a.UpdatedAt), a.Channel, a.BroughtBy, a.BroughtFirm, a.StatedOn.String(), a.StatedWhy)
		if err != nil {
			return err
		}
		return addStep(ctx, tx, apply.Step{ApplicationID: a.ID, To: a.State, Actor: a.UserID, ActorName: a.UserName, Note: a.StatedWhy, At: a.CreatedAt})
	})
	if store.Conflict(err) { // the same request twice at once
		return s.Add(ctx, a)
	}
	return out, err
}

func addStep(ctx context.Context, tx *store.Tx, st apply.Step) error {
	_, err := tx.Exec(ctx, `insert into application_steps (application_id, nr, from_state, to_state, actor, actor_name, note, at)
		select $1, count(*) + 1, $2, $3, $4, $5, $6, $7 from application_steps where application_id = $1`,
		st.ApplicationID, string(st.From), string(st.To), st.Actor, st.ActorName, st.Note, store.Millis(st.At))
	return err
}

// Application implements apply.Store.
func (s *Store) Application(ctx context.Context, tenant, id string) (apply.Application, error) {
	a, err := scan(s.db.QueryRow(ctx, `select `+columns+` from applications where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return apply.Application{}, apply.ErrNotFound
	}
	return a, err
}

// Applications implements apply.Store.
func (s *Store) Applications(ctx context.Context, tenant string, f apply.Filter) ([]apply.Application, error) {
	query := `select ` + columns + ` from applications where tenant = $1`
	args := []any{tenant}
	if f.UserID != "" { // a condition that may not count would hide the index
		args = append(args, f.UserID)
		query += fmt.Sprintf(` and user_id = $%d`, len(args))
	}
	if f.Before != "" {
		args = append(args, f.Before)
		query += fmt.Sprintf(` and id < $%d`, len(args))
	}
	if len(f.States) > 0 {
		var in string
		in, args = store.In(args, f.States)
		query += ` and state in ` + in
	}
	if f.Subject.ID != "" {
		args = append(args, f.Subject.ID)
		query += fmt.Sprintf(` and subject_id = $%d`, len(args))
	}
	if f.Subject.Kind != "" {
		args = append(args, string(f.Subject.Kind))
		query += fmt.Sprintf(` and subject_kind = $%d`, len(args))
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	args = append(args, min(limit, 500))
	return store.Collect(ctx, s.db, scan, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// move is what Move is asked for.
type move struct {
	from apply.State
	apply.Application
	apply.Step
	apply.Record
}

// follows says whether the exposure changes; what a referral saw counts when an officer
// approves it.
func (m *move) follows() bool { return counts(m.from) || counts(m.State) || m.Seen != nil }

// Move implements apply.Store.
func (s *Store) Move(ctx context.Context, from apply.State, a apply.Application, st apply.Step, r apply.Record) error {
	_, err := s.moves.Do(ctx, move{from, a, st, r})
	return err
}

// move moves applications in one transaction.
func (s *Store) move(ctx context.Context, list []move) error {
	var lines []string
	var groups [][]ledger.Entry
	for i := range list {
		m := &list[i]
		if m.Signature != nil {
			lines = append(lines, signing(m.Tenant)...)
		}
		if m.follows() {
			lines = append(lines, profile.Line(m.Tenant))
		}
		if c := m.Collateral; c != nil {
			groups = append(groups, c.Entries)
		}
	}
	return s.db.TxInTurn(ctx, append(lines, ledgerstore.Lines(groups...)...), func(tx *store.Tx) error {
		for i := range list {
			if err := list[i].write(ctx, tx); err != nil {
				return err
			}
		}
		_, err := ledgerstore.Append(ctx, tx, groups...)
		return err
	})
}

// write moves an application, without the ledger's entries.
func (m *move) write(ctx context.Context, tx *store.Tx) error {
	from, a, st, r := m.from, m.Application, m.Step, m.Record
	// What was decided moves only with a decision, and what is signed is what was read.
	res, err := tx.Exec(ctx, `update applications set state = $4, loan_id = $5, updated_at = $6
		where tenant = $1 and id = $2 and state = $3 and ($4 not in ('signed', 'accepted') or decision_id = $7)`,
		a.Tenant, a.ID, string(from), string(a.State), a.LoanID, store.Millis(a.UpdatedAt), a.DecisionID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return refuse(ctx, tx, a)
	}
	if err := pledge(ctx, tx, a, r); err != nil {
		return err
	}
	if r.Collateral != nil {
		if err := collateral.Write(ctx, tx, *r.Collateral); err != nil {
			return err
		}
	}
	if r.Decision != nil {
		if err := decided(ctx, tx, a); err != nil {
			return err
		}
		if err := addDecision(ctx, tx, a.Tenant, *r.Decision, *r.Frozen, cmp.Or(r.Source, apply.Asked)); err != nil {
			return err
		}
	}
	if r.Change != nil {
		if err := addLimitChange(ctx, tx, *r.Change); err != nil {
			return err
		}
	}
	if r.Contract != nil {
		if err := addContract(ctx, tx, *r.Contract); err != nil {
			return err
		}
	}
	if r.Review != nil {
		if err := addReview(ctx, tx, *r.Review); err != nil {
			return err
		}
	}
	if err := answerReviews(ctx, tx, a.Tenant, st); err != nil {
		return err
	}
	if m.follows() {
		if err := profile.Follow(ctx, tx, a.Tenant, a.ID, r.Seen); err != nil {
			return err
		}
	}
	if err := addStep(ctx, tx, st); err != nil {
		return err
	}
	return sign(ctx, tx, a, r)
}

// counts says whether an application in a state is part of what the house lends.
func counts(s apply.State) bool {
	return s == apply.Offered || s == apply.Accepted || s == apply.Signed || s == apply.Active
}

// refuse says why no row was moved.
func refuse(ctx context.Context, tx *store.Tx, a apply.Application) error {
	var state string
	err := tx.QueryRow(ctx, `select state from applications where tenant = $1 and id = $2`, a.Tenant, a.ID).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return apply.ErrNotFound
	}
	if err != nil {
		return err
	}
	if (a.State == apply.Signed || a.State == apply.Accepted) && (state == string(apply.Offered) || state == string(apply.Accepted)) {
		return apply.ErrContract // decided again since it was shown
	}
	return apply.ErrState.With("state", state).With("to", a.State)
}

func decided(ctx context.Context, tx *store.Tx, a apply.Application) error {
	_, err := tx.Exec(ctx, `update applications set decision_id = $3, credit_limit = $4, rate = $5 where tenant = $1 and id = $2`,
		a.Tenant, a.ID, a.DecisionID, int64(a.Limit), int64(a.Rate))
	return err
}

// pledge takes or frees what is borrowed on.
func pledge(ctx context.Context, tx *store.Tx, a apply.Application, r apply.Record) error {
	switch {
	case a.State == apply.Signed:
		for _, id := range append([]string{a.Subject.ID}, r.Rivals...) {
			holder, err := pledgeOf(ctx, tx, a.Tenant, credit.Subject{Kind: a.Subject.Kind, ID: id})
			if err != nil {
				return err
			}
			if holder != "" {
				return apply.ErrPledged.With("application", holder)
			}
		}
		_, err := tx.Exec(ctx, `insert into pledges (tenant, subject_kind, subject_id, application_id) values ($1, $2, $3, $4)`,
			a.Tenant, string(a.Subject.Kind), a.Subject.ID, a.ID)
		if store.Conflict(err) {
			return apply.ErrPledged.With("application", "")
		}
		if err != nil {
			return err
		}
		return herd.Pledge(ctx, tx, a.Tenant, a.ID, r.Animals, a.UpdatedAt)
	case slices.Contains([]apply.State{apply.Withdrawn, apply.Expired, apply.Closed}, a.State):
		var loans int
		if err := tx.QueryRow(ctx, `select count(*) from loans where application_id = $1 and state <> 'failed' and (state <> 'closed' or $2 <> 'closed')`,
			a.ID, string(a.State)).Scan(&loans); err != nil {
			return err
		}
		if loans > 0 {
			return apply.ErrState.With("state", apply.Active).With("to", a.State)
		}
	case a.State != apply.Refused:
		return nil
	}
	if _, err := tx.Exec(ctx, `delete from pledges where application_id = $1`, a.ID); err != nil {
		return err
	}
	return herd.Release(ctx, tx, a.Tenant, a.ID, a.UpdatedAt)
}

func addDecision(ctx context.Context, tx *store.Tx, tenant string, d credit.Decision, f strategy.Frozen, source string) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	hash := credit.Hash(f.Policy)
	if _, err := tx.Exec(ctx, `insert into policies (hash, source) values ($1, $2) on conflict (hash) do nothing`, hash, string(f.Policy)); err != nil {
		return err
	}
	models, err := addModels(ctx, tx, f.Models)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into decisions (id, tenant, application_id, body, evidence, product, policy_hash, models, source)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.ID, tenant, d.ApplicationID, string(body), string(f.Evidence), string(f.Product), hash, models, source)
	return err
}

// addModels keeps models under their hashes and gives the JSON of names and hashes.
func addModels(ctx context.Context, tx *store.Tx, models map[string][]byte) (string, error) {
	if len(models) == 0 {
		return "", nil
	}
	hashes := make(map[string]string, len(models))
	for name, b := range models {
		hashes[name] = credit.Hash(b)
		if _, err := tx.Exec(ctx, `insert into decision_models (hash, source) values ($1, $2) on conflict (hash) do nothing`,
			hashes[name], string(b)); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(hashes)
	return string(b), err
}

// Steps implements apply.Store.
func (s *Store) Steps(ctx context.Context, tenant, applicationID string) ([]apply.Step, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (apply.Step, error) {
		var st apply.Step
		var from, to string
		var at int64
		err := row.Scan(&st.ApplicationID, &from, &to, &st.Actor, &st.ActorName, &st.Note, &at)
		st.From, st.To, st.At = apply.State(from), apply.State(to), store.Time(at)
		return st, err
	}, `select s.application_id, s.from_state, s.to_state, s.actor, s.actor_name, s.note, s.at
		from application_steps s join applications a on a.id = s.application_id
		where a.tenant = $1 and a.id = $2 order by s.nr`, tenant, applicationID)
}

// Decision implements apply.Store.
func (s *Store) Decision(ctx context.Context, tenant, id string) (credit.Decision, error) {
	var d credit.Decision
	var body string
	if err := found(s.db.QueryRow(ctx, `select body from decisions where tenant = $1 and id = $2`, tenant, id).Scan(&body)); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(body), &d)
}

// Frozen implements apply.Store.
func (s *Store) Frozen(ctx context.Context, tenant, decisionID string) (strategy.Frozen, error) {
	var evidence, product, policy, models string
	err := found(s.db.QueryRow(ctx, `select d.evidence, d.product, p.source, d.models from decisions d join policies p on p.hash = d.policy_hash
		where d.tenant = $1 and d.id = $2`, tenant, decisionID).Scan(&evidence, &product, &policy, &models))
	f := strategy.Frozen{Evidence: []byte(evidence), Product: []byte(product), Policy: []byte(policy)}
	if err != nil || models == "" {
		return f, err
	}
	var hashes map[string]string
	if err := json.Unmarshal([]byte(models), &hashes); err != nil {
		return f, err
	}
	f.Models = make(map[string][]byte, len(hashes))
	for name, hash := range hashes {
		var source string
		if err := s.db.QueryRow(ctx, `select source from decision_models where hash = $1`, hash).Scan(&source); err != nil {
			return f, err
		}
		f.Models[name] = []byte(source)
	}
	return f, nil
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return apply.ErrNotFound
	}
	return err
}

// PledgeOf implements apply.Store.
func (s *Store) PledgeOf(ctx context.Context, tenant string, sub credit.Subject) (string, error) {
	return pledgeOf(ctx, s.db, tenant, sub)
}

func pledgeOf(ctx context.Context, q store.Queryer, tenant string, sub credit.Subject) (string, error) {
	var id string
	err := q.QueryRow(ctx, `select application_id from pledges where tenant = $1 and subject_kind = $2 and subject_id = $3`,
		tenant, string(sub.Kind), sub.ID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// PledgedPlots implements apply.Store.
func (s *Store) PledgedPlots(ctx context.Context, tenant string) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (id string, err error) { return id, row.Scan(&id) },
		`select subject_id from pledges where tenant = $1 and subject_kind = 'plot' order by subject_id`, tenant)
}

// CountByState implements apply.Store.
func (s *Store) CountByState(ctx context.Context, tenant string) (map[apply.State]int, error) {
	rows, err := s.db.Query(ctx, `select state, count(*) from applications where tenant = $1 group by state`, tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := map[apply.State]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		out[apply.State(state)] = n
	}
	return out, rows.Err()
}

func scan(row store.Row) (apply.Application, error) {
	var a apply.Application
	var kind, state, stated string
	var asked, limit, rate, created, updated int64
	if err := row.Scan(&a.ID, &a.Tenant, &a.UserID, &a.UserName, &kind, &a.Subject.ID, &a.SubjectName, &a.Product, &asked,
		&a.TermMonths, &a.Purpose, &state, &a.DecisionID, &a.LoanID, &limit, &rate, &a.Key, &a.KeyHash, &created, &updated,
		&a.Channel, &a.BroughtBy, &a.BroughtFirm, &stated, &a.StatedWhy); err != nil {
		return apply.Application{}, err
	}
	a.Subject.Kind, a.State = credit.SubjectKind(kind), apply.State(state)
	a.Asked, a.Limit, a.Rate = money.Fen(asked), money.Fen(limit), money.Rate(rate)
	a.CreatedAt, a.UpdatedAt = store.Time(created), store.Time(updated)
	return a, a.StatedOn.UnmarshalText([]byte(stated))
}
