package firm

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

var _ party.Merges = (*Store)(nil)

// What a person answered about two firms.
const (
	same      = "same"
	different = "different"
)

const mergeColumns = `id, tenant, kind, firm_id, other_id, by_id, by_name, at, why, score, evidence, undoes, ended_by`

func scanMerge(row store.Row, more ...any) (party.Merge, error) {
	var (
		m        party.Merge
		at       int64
		evidence string
	)
	err := row.Scan(append([]any{&m.ID, &m.Tenant, &m.Kind, &m.FirmID, &m.OtherID, &m.ByID, &m.ByName, &at, &m.Why, &m.Score,
		&evidence, &m.Undoes, &m.EndedBy}, more...)...)
	if err == nil {
		err = json.Unmarshal([]byte(evidence), &m.Evidence)
	}
	m.At = store.Time(at)
	return m, err
}

// Merge implements party.Merges.
func (s *Store) Merge(ctx context.Context, m party.Merge) (party.Merge, error) {
	return s.join(ctx, m, party.Merged, func(g *group) error {
		a, b := g.survivor[g.m.FirmID], g.survivor[g.m.OtherID]
		if g.m.ByID == "" && a == b {
			return party.ErrMergeDone
		}
		if g.m.ByID == "" && a < b { // the machine keeps the firm that was there first
			a, b = b, a
		}
		if err := g.allowed(a, b); err != nil {
			return err
		}
		g.survivorBefore = a
		if err := g.decide(same); err != nil {
			return err
		}
		if err := g.log(); err != nil {
			return err
		}
		g.edges = append(g.edges, g.m)
		return g.settle(b)
	})
}

// Split implements party.Merges.
func (s *Store) Split(ctx context.Context, m party.Merge) (party.Merge, error) {
	return s.join(ctx, m, party.Parted, func(g *group) error {
		g.survivorBefore = g.survivor[g.m.FirmID]
		if err := g.decide(different); err != nil {
			return err
		}
		if err := g.log(); err != nil {
			return err
		}
		for {
			path := g.path(g.m.FirmID, g.m.OtherID)
			if path == nil {
				return g.settle("")
			}
			weakest, err := g.weakest(path)
			if err != nil {
				return err
			}
			if err := g.end(weakest); err != nil {
				return err
			}
		}
	})
}

// Undo implements party.Merges.
func (s *Store) Undo(ctx context.Context, m party.Merge) (party.Merge, error) {
	return s.join(ctx, m, party.Undone, func(g *group) error {
		if err := g.log(); err != nil {
			return err
		}
		if err := g.end(g.undone); err != nil {
			return err
		}
		if err := g.takeBack(); err != nil {
			return err
		}
		if g.undone.Kind == party.Parted {
			if err := g.revive(); err != nil {
				return err
			}
		}
		return g.settle(g.before)
	})
}

// group is the firms that a change touches: those one with either of its two, with
// what holds them together.
type group struct {
	ctx      context.Context
	tx       *store.Tx
	m        party.Merge
	ids      []string
	survivor map[string]string
	edges    []party.Merge // merges that hold
	undone   party.Merge   // of an undo: what it takes back
	before   string        // of an undo: the survivor before that
	seeds    [][2]string   // of an undo: the ends of the merges that come back

	survivorBefore, decisionBefore string // what the entry is to say
}

// join runs body on the firms that m touches, in one transaction.
func (s *Store) join(ctx context.Context, m party.Merge, kind party.MergeKind, body func(*group) error) (party.Merge, error) {
	m.ID, m.Kind, m.EndedBy = ident.New(), kind, ""
	var done party.Merge
	err := s.change(ctx, m.Tenant, func(tx *store.Tx) error {
		g := &group{ctx: ctx, tx: tx, m: m}
		if kind == party.Undone {
			if err := g.undoes(); err != nil {
				return err
			}
		}
		if g.m.FirmID == g.m.OtherID {
			return party.ErrMergeSelf
		}
		if err := g.load(); err != nil {
			return err
		}
		if err := revise(ctx, tx, m.Tenant); err != nil {
			return err
		}
		now, err := revision(ctx, tx, m.Tenant)
		if err != nil {
			return err
		}
		if err := relink(ctx, tx, m.Tenant, now, g.ids); err != nil {
			return err
		}
		if err := body(g); err != nil {
			return err
		}
		done = g.m
		return relink(ctx, tx, m.Tenant, now, g.ids)
	})
	return done, err
}

// undoes finds the entry that an undo takes back.
func (g *group) undoes() error {
	row := g.tx.QueryRow(g.ctx, `select `+mergeColumns+`, survivor_before from firm_merge where tenant = $1 and id = $2`, g.m.Tenant, g.m.Undoes)
	undone, err := scanMerge(row, &g.before)
	if errors.Is(err, sql.ErrNoRows) {
		return party.ErrMergeNotFound
	}
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	if undone.EndedBy != "" || undone.Kind == party.Undone {
		return party.ErrMergeEnded
	}
	g.undone, g.m.FirmID, g.m.OtherID, g.m.Score = undone, undone.FirmID, undone.OtherID, undone.Score
	return nil
}

// load reads the firms that are one with either of the two, and why.
func (g *group) load() error {
	seeds := []string{g.m.FirmID, g.m.OtherID}
	if g.undone.Kind == party.Parted { // and the ends of the merges that it ended
		ended, err := store.Collect(g.ctx, g.tx, scanTwo, `select firm_id, other_id from firm_merge where tenant = $1
			and (ended_by = $2 or id = $2) order by id`, g.m.Tenant, g.undone.ID)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		g.seeds = append(g.seeds, ended...)
	}
	for _, s := range g.seeds {
		seeds = append(seeds, s[:]...)
	}
	q := newQuery(`select id, survivor_id from firm where tenant = $1 and survivor_id in (
		select survivor_id from firm where tenant = $1 and id in `, g.m.Tenant)
	q.text += list(q, seeds) + `)`
	rows, err := store.Collect(g.ctx, g.tx, scanTwo, q.text, q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	slices.SortFunc(rows, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) }) // see members
	g.ids, g.survivor = nil, map[string]string{}
	for _, r := range rows {
		g.ids = append(g.ids, r[0])
		g.survivor[r[0]] = r[1]
	}
	if g.survivor[g.m.FirmID] == "" || g.survivor[g.m.OtherID] == "" {
		return chain.ErrFirmNotFound
	}
	g.edges = nil
	for some := range slices.Chunk(g.ids, chunk) {
		q := newQuery(`select `+mergeColumns+` from firm_merge where tenant = $1 and kind = 'merge' and ended_by = '' and firm_id in `, g.m.Tenant)
		found, err := store.Collect(g.ctx, g.tx, func(r store.Row) (party.Merge, error) { return scanMerge(r) }, q.text+list(q, some)+` order by id`, q.args...)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		g.edges = append(g.edges, found...)
	}
	return nil
}

func scanTwo(row store.Row) (p [2]string, err error) {
	err = row.Scan(&p[0], &p[1])
	return p, err
}

// allowed refuses to join two sides of which a person said that they are not one,
// except a person who now says so of the very two.
func (g *group) allowed(a, b string) error {
	rows, err := g.decisions()
	if err != nil {
		return err
	}
	low, high := order(g.m.FirmID, g.m.OtherID)
	for _, d := range rows {
		x, y := g.survivor[d.low], g.survivor[d.high]
		between := x == a && y == b || x == b && y == a
		if d.answer == different && between && (g.m.ByID == "" || d.low != low || d.high != high) {
			return g.decided(d)
		}
	}
	return nil
}

type decision struct{ low, high, answer, mergeID string }

// decisions returns what people said about any two of the group.
func (g *group) decisions() ([]decision, error) {
	var out []decision
	for some := range slices.Chunk(g.ids, chunk) {
		q := newQuery(`select low_id, high_id, answer, merge_id from firm_decision where tenant = $1 and low_id in `, g.m.Tenant)
		found, err := store.Collect(g.ctx, g.tx, func(r store.Row) (d decision, err error) {
			err = r.Scan(&d.low, &d.high, &d.answer, &d.mergeID)
			return d, err
		}, q.text+list(q, some)+` order by low_id, high_id`, q.args...)
		if err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
		}
		for _, d := range found {
			if g.survivor[d.high] != "" {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// decided names the person and the firms of a decision that stands against a change.
func (g *group) decided(d decision) error {
	who := "somebody"
	if err := g.tx.QueryRow(g.ctx, `select by_name from firm_merge where tenant = $1 and id = $2`, g.m.Tenant, d.mergeID).Scan(&who); err != nil &&
		!errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store/firm: %w", err)
	}
	names := map[string]string{}
	rows, err := store.Collect(g.ctx, g.tx, scanTwo, `select id, name from firm where tenant = $1 and id in ($2, $3)`, g.m.Tenant, d.low, d.high)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	for _, r := range rows {
		names[r[0]] = r[1]
	}
	return party.ErrMergeDecided.With("who", who).With("a", names[d.low]).With("b", names[d.high]).With("answer", d.answer)
}

// decide remembers a person's answer, and in the entry what it was before.
func (g *group) decide(answer string) error {
	m := g.m
	low, high := order(m.FirmID, m.OtherID)
	if err := g.exec(`delete from firm_candidate where tenant = $1 and low_id = $2 and high_id = $3`, m.Tenant, low, high); err != nil {
		return err
	}
	if m.ByID == "" {
		return nil
	}
	var was, by string
	err := g.tx.QueryRow(g.ctx, `select answer, merge_id from firm_decision where tenant = $1 and low_id = $2 and high_id = $3`,
		m.Tenant, low, high).Scan(&was, &by)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store/firm: %w", err)
	}
	if err == nil {
		g.decisionBefore = was + " " + by
	}
	return g.exec(`insert into firm_decision (tenant, low_id, high_id, answer, merge_id) values ($1, $2, $3, $4, $5)
		on conflict (tenant, low_id, high_id) do update set answer = excluded.answer, merge_id = excluded.merge_id`,
		m.Tenant, low, high, answer, m.ID)
}

// takeBack puts the decision back that stood before the entry that is undone, unless a
// later one stands now.
func (g *group) takeBack() error {
	low, high := order(g.undone.FirmID, g.undone.OtherID)
	var before string
	err := g.tx.QueryRow(g.ctx, `select decision_before from firm_merge where tenant = $1 and id = $2`, g.m.Tenant, g.undone.ID).Scan(&before)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	if before == "" {
		return g.exec(`delete from firm_decision where tenant = $1 and low_id = $2 and high_id = $3 and merge_id = $4`,
			g.m.Tenant, low, high, g.undone.ID)
	}
	var answer, by string
	if _, err := fmt.Sscan(before, &answer, &by); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return g.exec(`update firm_decision set answer = $5, merge_id = $6 where tenant = $1 and low_id = $2 and high_id = $3 and merge_id = $4`,
		g.m.Tenant, low, high, g.undone.ID, answer, by)
}

// log writes the entry of the change.
func (g *group) log() error {
	m := g.m
	evidence, err := json.Marshal(m.Evidence)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return g.exec(`insert into firm_merge (`+mergeColumns+`, survivor_before, decision_before)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)`, m.ID, m.Tenant, string(m.Kind), m.FirmID, m.OtherID, m.ByID, m.ByName,
		store.Millis(m.At), m.Why, m.Score, string(evidence), m.Undoes, m.EndedBy, g.survivorBefore, g.decisionBefore)
}

// end takes a merge or split out of force.
func (g *group) end(m party.Merge) error {
	g.edges = slices.DeleteFunc(g.edges, func(e party.Merge) bool { return e.ID == m.ID })
	return g.exec(`update firm_merge set ended_by = $3 where tenant = $1 and id = $2`, g.m.Tenant, m.ID, g.m.ID)
}

// revive puts the merges in force again that a split ended, unless a person has said
// since that firms they would join are not one.
func (g *group) revive() error {
	err := g.exec(`update firm_merge set ended_by = '' where tenant = $1 and ended_by = $2 and kind = 'merge'`, g.m.Tenant, g.undone.ID)
	if err != nil {
		return err
	}
	if err := g.load(); err != nil {
		return err
	}
	rows, err := g.decisions()
	if err != nil {
		return err
	}
	for _, d := range rows {
		if d.answer == different && g.path(d.low, d.high) != nil {
			return g.decided(d)
		}
	}
	return nil
}

// path returns the merges that lead from one firm to another, nil when none do.
func (g *group) path(from, to string) []party.Merge {
	came := map[string]*party.Merge{from: nil}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			break
		}
		for i := range g.edges {
			next := g.edges[i].FirmID
			if next == at {
				next = g.edges[i].OtherID
			} else if g.edges[i].OtherID != at {
				continue
			}
			if _, seen := came[next]; !seen {
				came[next] = &g.edges[i]
				queue = append(queue, next)
			}
		}
	}
	var out []party.Merge
	for at := to; came[at] != nil; {
		e := *came[at]
		out = append(out, e)
		if at == e.FirmID {
			at = e.OtherID
		} else {
			at = e.FirmID
		}
	}
	return out
}

// weakest returns the merge of a path that a split takes back: the machine's least
// sure one, else a person's of the very two firms.
func (g *group) weakest(path []party.Merge) (party.Merge, error) {
	low, high := order(g.m.FirmID, g.m.OtherID)
	own := func(e party.Merge) bool {
		l, h := order(e.FirmID, e.OtherID)
		return l == low && h == high
	}
	machine := slices.DeleteFunc(slices.Clone(path), func(e party.Merge) bool { return e.ByID != "" && !own(e) })
	if len(machine) == 0 {
		e := path[0]
		l, h := order(e.FirmID, e.OtherID)
		return e, g.decided(decision{low: l, high: h, answer: same, mergeID: e.ID})
	}
	return slices.MinFunc(machine, func(a, b party.Merge) int { return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.ID, b.ID)) }), nil
}

// settle gives each part of the group its survivor: the one that it has; when it has
// several or none the preferred one, else the oldest.
func (g *group) settle(preferred string) error {
	done := map[string]bool{}
	for _, id := range g.ids {
		if done[id] {
			continue
		}
		part := g.part(id)
		var had []string
		for _, p := range part {
			done[p] = true
			if g.survivor[p] == p {
				had = append(had, p)
			}
		}
		survivor := part[0]
		switch {
		case len(had) == 1:
			survivor = had[0]
		case slices.Contains(part, preferred):
			survivor = preferred
		case len(had) > 1:
			survivor = had[0]
		}
		for _, p := range part {
			if g.survivor[p] == survivor {
				continue
			}
			if err := g.exec(`update firm set survivor_id = $3 where tenant = $1 and id = $2`, g.m.Tenant, p, survivor); err != nil {
				return err
			}
		}
	}
	return nil
}

// part returns the firms that merges hold together with one, sorted.
func (g *group) part(id string) []string {
	seen := map[string]bool{id: true}
	for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
		for _, e := range g.edges {
			for _, p := range [][2]string{{e.FirmID, e.OtherID}, {e.OtherID, e.FirmID}} {
				if p[0] == queue[0] && !seen[p[1]] {
					seen[p[1]] = true
					queue = append(queue, p[1])
				}
			}
		}
	}
	out := make([]string, 0, len(seen))
	for p := range seen {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

func (g *group) exec(text string, args ...any) error {
	if _, err := g.tx.Exec(g.ctx, text, args...); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

func order(a, b string) (low, high string) { return min(a, b), max(a, b) }

// History implements party.Merges.
func (s *Store) History(ctx context.Context, tenant, firmID string, limit int) ([]party.Merge, error) {
	q := newQuery(`select `+mergeColumns+` from firm_merge where tenant = $1`, tenant)
	if firmID != "" {
		id := q.arg(firmID)
		q.text += ` and (firm_id = ` + id + ` or other_id = ` + id + `)`
	}
	out, err := store.Collect(ctx, s.db, func(r store.Row) (party.Merge, error) { return scanMerge(r) },
		q.text+` order by id desc limit `+q.arg(min(cmp.Or(limit, 100), 1000)), q.args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	return out, nil
}

// Suggest implements party.Merges.
func (s *Store) Suggest(ctx context.Context, tenant string, pairs []party.Pair) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, p := range pairs {
			if p.FirmID == p.OtherID {
				return party.ErrMergeSelf
			}
			reasons, err := json.Marshal(p.Reasons)
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
			low, high := order(p.FirmID, p.OtherID)
			_, err = tx.Exec(ctx, `insert into firm_candidate (tenant, low_id, high_id, score, reasons, found_at)
				select a.tenant, a.id, b.id, cast($4 as double precision), cast($5 as text), cast($6 as bigint) from firm a join firm b on b.tenant = a.tenant
				where a.tenant = $1 and a.id = $2 and b.id = $3 and a.survivor_id <> b.survivor_id
				and not exists (select 1 from firm_decision d where d.tenant = $1 and d.low_id = $2 and d.high_id = $3)
				on conflict (tenant, low_id, high_id) do update set score = excluded.score, reasons = excluded.reasons`,
				tenant, low, high, p.Score, string(reasons), store.Millis(p.FoundAt))
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
		}
		return nil
	})
}

// Suggestions implements party.Merges.
func (s *Store) Suggestions(ctx context.Context, tenant string, limit int) ([]party.Pair, error) {
	out, err := store.Collect(ctx, s.db, func(r store.Row) (party.Pair, error) {
		p := party.Pair{Tenant: tenant}
		var (
			reasons string
			at      int64
		)
		err := r.Scan(&p.FirmID, &p.OtherID, &p.Score, &reasons, &at)
		if err == nil {
			err = json.Unmarshal([]byte(reasons), &p.Reasons)
		}
		p.FoundAt = store.Time(at)
		return p, err
	}, `select c.low_id, c.high_id, c.score, c.reasons, c.found_at from firm_candidate c
		join firm a on a.id = c.low_id join firm b on b.id = c.high_id
		where c.tenant = $1 and a.survivor_id <> b.survivor_id order by c.score desc, c.low_id, c.high_id limit $2`,
		tenant, min(cmp.Or(limit, 100), 1000))
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	return out, nil
}
