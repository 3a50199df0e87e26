// Package receivable keeps electronic receivables in the database.
package receivable

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Store implements receivable.Store.
type Store struct{ db *store.DB }

var (
	_ receivable.Store  = (*Store)(nil)
	_ receivable.Papers = (*Store)(nil)
)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Receivable implements receivable.Store.
func (s *Store) Receivable(ctx context.Context, tenant, id string) (receivable.Receivable, error) {
	r, err := scan(s.db.QueryRow(ctx, `select tenant, body from receivable where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, receivable.ErrNotFound
	}
	return r, err
}

func scan(row store.Row) (receivable.Receivable, error) {
	var r receivable.Receivable
	var tenant, body string
	if err := row.Scan(&tenant, &body); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("store/receivable: %w", err)
	}
	r.Tenant = tenant
	return r, nil
}

// Receivables implements receivable.Store.
func (s *Store) Receivables(ctx context.Context, tenant string, f receivable.Filter) ([]receivable.Receivable, error) {
	text, args := `select tenant, body from receivable r where tenant = $1`, []any{tenant}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	in := func(values []string) (list string) {
		list, args = store.In(args, values)
		return list
	}
	if len(f.ObligorIDs) > 0 {
		text += ` and obligor_id in ` + theirs(in(f.ObligorIDs))
	}
	if len(f.FirmIDs) > 0 {
		text += ` and issued <> '' and id in (select receivable_id from receivable_part where tenant = $1 and holder_id in ` + theirs(in(f.FirmIDs)) + `)`
	}
	if f.Hold != "" {
		text += ` and id in (select receivable_id from receivable_part where tenant = $1 and hold = ` + arg(string(f.Hold)) + `)`
	}
	if len(f.States) > 0 {
		states := make([]string, len(f.States))
		for i, x := range f.States {
			states[i] = string(x)
		}
		text += ` and state in ` + in(states)
	}
	if f.OverdueOn != 0 {
		text += ` and outstanding > 0 and due < ` + arg(f.OverdueOn.String())
	}
	if f.DueFrom != 0 {
		text += ` and due >= ` + arg(f.DueFrom.String())
	}
	if f.DueTo != 0 {
		text += ` and due <= ` + arg(f.DueTo.String())
	}
	if f.Batch != "" {
		text += ` and batch = ` + arg(f.Batch)
	}
	if f.Number != "" {
		text += ` and id in (select receivable_id from receivable_part where tenant = $1 and number = ` + arg(strings.ToUpper(strings.TrimSpace(f.Number))) + `)`
	}
	if f.Before != "" {
		text += ` and id < ` + arg(f.Before)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	text += ` order by id desc limit ` + arg(min(limit, 500))
	return store.Collect(ctx, s.db, scan, text, args...)
}

// theirs selects the firms of a list and all that were found to be one of them.
func theirs(list string) string {
	return `(select id from firm where tenant = $1 and survivor_id in (select survivor_id from firm where tenant = $1 and id in ` + list + `))`
}

// Events implements receivable.Store.
func (s *Store) Events(ctx context.Context, tenant, id string, upTo int64) ([]receivable.Event, error) {
	events, err := store.Collect(ctx, s.db, func(row store.Row) (receivable.Event, error) {
		var e receivable.Event
		var body string
		if err := row.Scan(&body); err != nil {
			return e, err
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			return e, fmt.Errorf("store/receivable: %w", err)
		}
		return e, nil
	}, `select body from receivable_event where tenant = $1 and receivable_id = $2 and ($3 = 0 or seq <= $3) order by seq`, tenant, id, upTo)
	if err == nil && len(events) == 0 {
		return nil, receivable.ErrNotFound
	}
	return events, err
}

// batch bounds the parameters of one statement.
const batch = 500

// Done implements receivable.Store.
func (s *Store) Done(ctx context.Context, tenant string, keys []string) (map[string]receivable.Done, error) {
	out := map[string]receivable.Done{}
	for some := range slices.Chunk(keys, batch) {
		list, args := store.In([]any{tenant}, some)
		_, err := store.Collect(ctx, s.db, func(row store.Row) (struct{}, error) {
			var key string
			var d receivable.Done
			err := row.Scan(&key, &d.Hash, &d.ReceivableID, &d.Seq)
			out[key] = d
			return struct{}{}, err
		}, `select idem_key, input_hash, receivable_id, seq from receivable_request where tenant = $1 and idem_key in `+list, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Used implements receivable.Store.
func (s *Store) Used(ctx context.Context, tenant string, keys []string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	for some := range slices.Chunk(keys, batch) {
		m, err := used(ctx, s.db, tenant, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, m)
	}
	return out, nil
}

func used(ctx context.Context, q store.Queryer, tenant string, keys []string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	list, args := store.In([]any{tenant}, keys)
	_, err := store.Collect(ctx, q, func(row store.Row) (struct{}, error) {
		var key string
		var used int64
		err := row.Scan(&key, &used)
		out[key] = money.Fen(used)
		return struct{}{}, err
	}, `select doc_key, used from receivable_support where tenant = $1 and doc_key in `+list, args...)
	return out, err
}

// Between implements receivable.Papers.
func (s *Store) Between(ctx context.Context, tenant, obligorID string, creditorIDs []string) ([]chain.Document, error) {
	var out []chain.Document
	for some := range slices.Chunk(creditorIDs, batch) {
		buyers, args := store.In([]any{tenant}, []string{obligorID})
		sellers, args := store.In(args, some)
		docs, err := store.Collect(ctx, s.db, func(row store.Row) (chain.Document, error) {
			d := chain.Document{Tenant: tenant}
			err := row.Scan(&d.ID, &d.Kind, &d.Number, &d.InvoiceNo, &d.SellerID, &d.BuyerID, &d.Amount, &d.Date, &d.Due, &d.Void, &d.Funder, &d.Code)
			return d, err
		}, `select id, kind, number, invoice_no, seller_id, buyer_id, amount, day, due, void, funder, code from trade_document
			where tenant = $1 and seller_id in `+theirs(sellers)+` and buyer_id in `+theirs(buyers)+` and kind in ('invoices', 'payments', 'confirmations')`, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, nil
}

// Append implements receivable.Store. What rivals meet on comes first, in a fixed
// order: the totals of the obligor, the documents, the versions.
func (s *Store) Append(ctx context.Context, changes []receivable.Change) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := totals(ctx, tx, changes); err != nil {
			return err
		}
		if err := supports(ctx, tx, changes); err != nil {
			return err
		}
		for some := range slices.Chunk(changes, batch/12) {
			if err := write(ctx, tx, some); err != nil {
				return err
			}
		}
		return nil
	})
	if store.Conflict(err) { // a key, a version or a number that is there already
		return receivable.ErrStale.Because(err)
	}
	return err
}

type obligor struct{ tenant, firm string }

type sums struct {
	outstanding, financed int64
	limited               bool
}

func totals(ctx context.Context, tx *store.Tx, changes []receivable.Change) error {
	all := map[obligor]sums{}
	for _, c := range changes {
		if c.Outstanding == 0 && c.Financed == 0 {
			continue
		}
		k := obligor{c.After.Tenant, c.After.ObligorID}
		x := all[k]
		x.outstanding += int64(c.Outstanding)
		x.financed += int64(c.Financed)
		x.limited = x.limited || c.Limited
		all[k] = x
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b obligor) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.firm, b.firm))
	})
	for _, k := range keys {
		x := all[k]
		if _, err := tx.Exec(ctx, `insert into receivable_total (tenant, firm_id, outstanding, financed) values ($1, $2, 0, 0)
			on conflict (tenant, firm_id) do nothing`, k.tenant, k.firm); err != nil {
			return err
		}
		n, err := affected(tx.Exec(ctx, `update receivable_total set outstanding = outstanding + $3, financed = financed + $4
			where tenant = $1 and firm_id = $2 and ($5 = 0 or max_owed is null or outstanding + $3 <= max_owed)`,
			k.tenant, k.firm, x.outstanding, x.financed, flag(x.limited)))
		if err != nil {
			return err
		}
		if n == 0 {
			return overLimit(ctx, tx, k)
		}
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func overLimit(ctx context.Context, tx *store.Tx, k obligor) error {
	var free int64
	err := tx.QueryRow(ctx, `select max_owed - outstanding from receivable_total where tenant = $1 and firm_id = $2`, k.tenant, k.firm).Scan(&free)
	if err != nil {
		return err
	}
	return receivable.ErrLimit.With("free", money.Fen(max(free, 0)))
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// supports takes from each document what the changes need of it, or gives it back.
func supports(ctx context.Context, tx *store.Tx, changes []receivable.Change) error {
	type place struct{ tenant, key string }
	all := map[place]receivable.Use{}
	for _, c := range changes {
		for _, u := range c.Uses {
			k := place{c.After.Tenant, u.Key}
			x, there := all[k]
			if !there || u.Amount >= 0 && u.Limit < x.Limit {
				x.Limit = u.Limit
			}
			x.Key, x.Number = u.Key, u.Number
			x.Amount += u.Amount
			all[k] = x
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.key, b.key))
	})
	for some := range slices.Chunk(keys, batch/4) {
		uses := make([]receivable.Use, len(some))
		for i, k := range some {
			uses[i] = all[k]
		}
		if err := support(ctx, tx, some[0].tenant, uses); err != nil {
			return err
		}
	}
	return nil
}

// support changes documents of one tenant. What would stand for more than it supports
// stays as it is, which the count of changed rows tells.
func support(ctx context.Context, tx *store.Tx, tenant string, uses []receivable.Use) error {
	names := make([]string, len(uses))
	for i, u := range uses {
		names[i] = u.Key
	}
	before, err := used(ctx, tx, tenant, names)
	if err != nil {
		return err
	}
	q := rows{text: `insert into receivable_support as s (tenant, doc_key, used, bears) values `}
	for _, u := range uses {
		if u.Amount < 0 {
			if _, err := tx.Exec(ctx, `update receivable_support set used = used + $3 where tenant = $1 and doc_key = $2`, tenant, u.Key, int64(u.Amount)); err != nil {
				return err
			}
			continue
		}
		if before[u.Key]+u.Amount > u.Limit {
			return receivable.ErrUnsupported.With("number", u.Number).With("free", max(u.Limit-before[u.Key], 0)).With("amount", u.Amount)
		}
		q.add(tenant, u.Key, int64(u.Amount), int64(u.Limit))
	}
	n, err := q.exec(ctx, tx, ` on conflict (tenant, doc_key) do update set used = s.used + excluded.used, bears = excluded.bears
		where s.used + excluded.used <= excluded.bears`)
	if err == nil && n != int64(q.n) {
		return receivable.ErrStale // a rival took some of it
	}
	return err
}

// rows is a statement with many rows of values.
type rows struct {
	text string
	args []any
	n    int
}

func (r *rows) add(values ...any) {
	if r.n++; r.n > 1 {
		r.text += ","
	}
	for i, v := range values {
		r.args = append(r.args, v)
		sep := ","
		if i == 0 {
			sep = "("
		}
		r.text += fmt.Sprintf("%s$%d", sep, len(r.args))
	}
	r.text += ")"
}

// exec returns how many rows were written.
func (r *rows) exec(ctx context.Context, tx *store.Tx, tail string) (int64, error) {
	if r.n == 0 {
		return 0, nil
	}
	return affected(tx.Exec(ctx, r.text+tail, r.args...))
}

// write writes states, events, keys and parts. A new state is inserted, an old one
// changed only while it has the version that the change was made from.
func write(ctx context.Context, tx *store.Tx, changes []receivable.Change) error {
	const into = `insert into receivable (tenant, id, number, obligor_id, creditor_id, batch, state, issued, due, outstanding, version, body) values `
	news, olds := rows{text: into}, rows{text: into}
	events := rows{text: `insert into receivable_event (tenant, receivable_id, seq, kind, at, user_id, firm_id, body, hash) values `}
	keys := rows{text: `insert into receivable_request (tenant, idem_key, input_hash, receivable_id, seq) values `}
	for _, c := range changes {
		r, e := c.After, c.Event
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("store/receivable: %w", err)
		}
		text, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("store/receivable: %w", err)
		}
		q := &news
		if c.Before > 0 {
			q = &olds
		}
		q.add(r.Tenant, r.ID, r.Number, r.ObligorID, r.CreditorID, r.Batch, string(r.State), r.Issued.String(), r.Due.String(), int64(r.Outstanding()), r.Version, string(body))
		events.add(r.Tenant, r.ID, e.Seq, string(e.Kind), store.Millis(e.At), e.UserID, e.FirmID, string(text), e.Hash)
		keys.add(r.Tenant, c.Key, c.Hash, r.ID, e.Seq)
	}
	n, err := olds.exec(ctx, tx, ` on conflict (tenant, id) do update set state = excluded.state, issued = excluded.issued,
		outstanding = excluded.outstanding, version = excluded.version, body = excluded.body
		where receivable.version = excluded.version - 1`)
	if err != nil {
		return err
	}
	if n != int64(olds.n) {
		return receivable.ErrStale
	}
	for _, q := range []*rows{&news, &events, &keys} {
		if _, err := q.exec(ctx, tx, ""); err != nil {
			return err
		}
	}
	return parts(ctx, tx, changes)
}

func parts(ctx context.Context, tx *store.Tx, changes []receivable.Change) error {
	type part struct {
		r receivable.Receivable
		p receivable.Part
	}
	var touched []part
	for _, c := range changes {
		for _, p := range c.Touched {
			touched = append(touched, part{c.After, p})
		}
	}
	for some := range slices.Chunk(touched, batch/9) {
		q := rows{text: `insert into receivable_part (tenant, id, receivable_id, number, holder_id, hold, owed, remaining, paid) values `}
		for _, x := range some {
			var hold string
			var owed int64
			if x.p.Hold != nil {
				hold, owed = string(x.p.Hold.Kind), int64(x.p.Hold.Owed)
			}
			q.add(x.r.Tenant, x.p.ID, x.r.ID, x.p.Number, x.p.HolderID, hold, owed, int64(x.p.Remaining), int64(x.p.Paid))
		}
		if _, err := q.exec(ctx, tx, ` on conflict (tenant, id) do update
			set hold = excluded.hold, owed = excluded.owed, remaining = excluded.remaining, paid = excluded.paid`); err != nil {
			return err
		}
	}
	return nil
}

// Exposures implements receivable.Store.
func (s *Store) Exposures(ctx context.Context, tenant string, today money.Date) ([]receivable.Exposure, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (receivable.Exposure, error) {
		var x receivable.Exposure
		var limit sql.NullInt64
		var next string
		if err := row.Scan(&x.ObligorID, &limit, &x.Outstanding, &x.Financed, &x.Count, &x.Overdue, &next); err != nil {
			return x, err
		}
		if limit.Valid {
			l := money.Fen(limit.Int64)
			x.Limit = &l
		}
		return x, x.NextDue.UnmarshalText([]byte(next))
	}, `select o.firm_id, o.max_owed, o.outstanding, o.financed, coalesce(r.n, 0), coalesce(r.overdue, 0), coalesce(r.next_due, '')
		from receivable_total o left join (
			select obligor_id, count(*) as n,
				cast(sum(case when due < $2 then outstanding else 0 end) as bigint) as overdue,
				min(case when due >= $2 then due end) as next_due
			from receivable where tenant = $1 and outstanding > 0 group by obligor_id
		) r on r.obligor_id = o.firm_id
		where o.tenant = $1 order by o.outstanding desc, o.firm_id`, tenant, today.String())
}

// SetLimit implements receivable.Store.
func (s *Store) SetLimit(ctx context.Context, tenant, obligorID string, limit *money.Fen) error {
	var most sql.NullInt64
	if limit != nil {
		most = sql.NullInt64{Int64: int64(*limit), Valid: true}
	}
	_, err := s.db.Exec(ctx, `insert into receivable_total (tenant, firm_id, max_owed, outstanding, financed) values ($1, $2, $3, 0, 0)
		on conflict (tenant, firm_id) do update set max_owed = excluded.max_owed`, tenant, obligorID, most)
	return err
}

// Tenants implements receivable.Store.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	return store.Collect(ctx, s.db, text, `select distinct tenant from receivable order by tenant`)
}

// IDs implements receivable.Store.
func (s *Store) IDs(ctx context.Context, tenant, after string, limit int) ([]string, error) {
	return store.Collect(ctx, s.db, text, `select id from receivable where tenant = $1 and id > $2 order by id limit $3`, tenant, after, limit)
}

func text(row store.Row) (string, error) {
	var s string
	return s, row.Scan(&s)
}
