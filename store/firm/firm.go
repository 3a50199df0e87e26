// Package firm keeps firms, their trade documents and uploads, and the reference
// chain, in the project's database.
package firm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
)

// Store implements chain.Store and chain.ReferenceStore.
type Store struct {
	db *store.DB
	// Changed is told after documents or merges of a tenant have changed, by whatever way;
	// nil tells nobody. It is set before the store is used.
	Changed func(ctx context.Context, tenant string)
}

var (
	_ chain.Store          = (*Store)(nil)
	_ chain.ReferenceStore = (*Store)(nil)
	_ chain.Changes        = (*Store)(nil)
)

// New returns a store over db.
func New(db *store.DB) *Store { return &Store{db: db} }

const firmColumns = `id, tenant, uscc, name, name_key, owner_id, anchor, industry, region, phone, legal_rep, created_at,
	controller, address, industry_code, scope, founded, capital, former_names, short_names, survivor_id`

type scanner interface{ Scan(dest ...any) error }

// scanFirm reads firmColumns, after the columns that go to before.
func scanFirm(row scanner, before ...any) (chain.Party, error) {
	var (
		p             chain.Party
		at            int64
		former, short string
	)
	err := row.Scan(append(before, &p.ID, &p.Tenant, &p.USCC, &p.Name, &p.NameKey, &p.OwnerID, &p.AnchorOf,
		&p.Industry, &p.Region, &p.Phone, &p.LegalRep, &at, &p.Controller, &p.Address, &p.IndustryCode, &p.Scope, &p.Founded,
		&p.Capital, &former, &short, &p.MergedInto)...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, chain.ErrFirmNotFound
	}
	if err == nil {
		p.FormerNames, err = readNames(former)
	}
	if err == nil {
		p.ShortNames, err = readNames(short)
	}
	if err != nil {
		return p, fmt.Errorf("store/firm: %w", err)
	}
	if p.MergedInto == p.ID {
		p.MergedInto = ""
	}
	p.CreatedAt = store.Time(at)
	return p, nil
}

func readNames(text string) ([]string, error) {
	if text == "[]" {
		return nil, nil
	}
	var names []string
	err := json.Unmarshal([]byte(text), &names)
	return names, err
}

func writeNames(names []string) (string, error) {
	if len(names) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(names)
	return string(text), err
}

// Firm implements chain.Store.
func (s *Store) Firm(ctx context.Context, tenant, id string) (chain.Party, error) {
	return scanFirm(s.db.QueryRow(ctx, `select `+firmColumns+` from firm where tenant = $1 and id = $2`, tenant, id))
}

// FirmsByID implements chain.Store.
func (s *Store) FirmsByID(ctx context.Context, tenant string, ids []string) ([]chain.Party, error) {
	found := make(map[string]chain.Party, len(ids))
	for some := range slices.Chunk(ids, chunk) {
		q := newQuery(`select `+firmColumns+` from firm where tenant = $1 and id in `, tenant)
		q.text += list(q, some)
		firms, err := s.firms(ctx, q.text, q.args...)
		if err != nil {
			return nil, err
		}
		for _, p := range firms {
			found[p.ID] = p
		}
	}
	out := make([]chain.Party, 0, len(found))
	for _, id := range ids {
		if p, ok := found[id]; ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// FirmByUSCC implements chain.Store.
func (s *Store) FirmByUSCC(ctx context.Context, tenant, uscc string) (chain.Party, error) {
	if uscc == "" {
		return chain.Party{}, chain.ErrFirmNotFound
	}
	return scanFirm(s.db.QueryRow(ctx, `select `+firmColumns+` from firm where tenant = $1 and uscc = $2`, tenant, uscc))
}

// FirmByName implements chain.Store.
func (s *Store) FirmByName(ctx context.Context, tenant, nameKey string) ([]chain.Party, error) {
	firms, err := s.firms(ctx, `select `+firmColumns+` from firm where tenant = $1 and name_key = $2 order by id`, tenant, nameKey)
	if err == nil && len(firms) == 0 {
		err = chain.ErrFirmNotFound
	}
	return firms, err
}

// FirmsByUSCC implements chain.Store.
func (s *Store) FirmsByUSCC(ctx context.Context, tenant string, codes []string) (map[string]chain.Party, error) {
	out := make(map[string]chain.Party, len(codes))
	for some := range slices.Chunk(codes, chunk) {
		q := newQuery(`select `+firmColumns+` from firm where tenant = $1 and uscc <> '' and uscc in `, tenant)
		q.text += list(q, some)
		firms, err := s.firms(ctx, q.text, q.args...)
		if err != nil {
			return nil, err
		}
		for _, p := range firms {
			out[p.USCC] = p
		}
	}
	return out, nil
}

// FirmsByName implements chain.Store.
func (s *Store) FirmsByName(ctx context.Context, tenant string, keys []string) (map[string][]chain.Party, error) {
	out := make(map[string][]chain.Party, len(keys))
	for some := range slices.Chunk(keys, chunk) {
		q := newQuery(`select n.name_key, `+columnsOf("f")+` from (
			select name_key, id from firm where tenant = $1 and name_key <> '' and name_key in `, tenant)
		in := list(q, some)
		q.text += in + ` union select name_key, firm_id from firm_alias where tenant = $1 and name_key in ` + in + `
			) n join firm f on f.tenant = $1 and f.id = n.id order by n.name_key, f.id`
		if err := s.named(ctx, out, q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) named(ctx context.Context, out map[string][]chain.Party, q *query) error {
	rows, err := s.db.Query(ctx, q.text, q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var key string
		p, err := scanFirm(rows, &key)
		if err != nil {
			return err
		}
		out[key] = append(out[key], p)
	}
	return rows.Err()
}

// columnsOf returns firmColumns of a table's alias.
func columnsOf(alias string) string {
	names := strings.Split(firmColumns, ",")
	for i, name := range names {
		names[i] = alias + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}

// Firms implements chain.Store; the order is that of the ids, which is that of creation.
func (s *Store) Firms(ctx context.Context, tenant string, f chain.PartyFilter) ([]chain.Party, error) {
	q := newQuery(`select `+firmColumns+` from firm where tenant = $1`, tenant)
	if f.OwnerID != "" {
		q.and(`owner_id = `, f.OwnerID)
	}
	if f.Anchors {
		q.and(`anchor = `, true)
	}
	if f.After != "" {
		q.and(`id > `, f.After)
	}
	if f.Query != "" {
		name, code := q.arg(contains(party.Normalise(f.Query))), q.arg(contains(party.Clean(f.Query)))
		q.text += ` and (name_key like ` + name + ` escape '!' or uscc like ` + code + ` escape '!')`
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	q.text += ` order by id limit ` + q.arg(min(limit, 1000))
	return s.firms(ctx, q.text, q.args...)
}

func (s *Store) firms(ctx context.Context, query string, args ...any) ([]chain.Party, error) {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	var out []chain.Party
	for rows.Next() {
		p, err := scanFirm(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// SaveFirms implements chain.Store. It returns chain.ErrFirmTaken when a credit
// code belongs to another firm of the tenant.
func (s *Store) SaveFirms(ctx context.Context, firms []chain.Party) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return saveFirms(ctx, tx, firms, "") })
}

func saveFirms(ctx context.Context, tx *store.Tx, firms []chain.Party, uploadID string) error {
	tenants := map[string]bool{}
	for _, p := range firms {
		if !tenants[p.Tenant] {
			tenants[p.Tenant] = true
			if err := revise(ctx, tx, p.Tenant); err != nil {
				return err
			}
		}
	}
	firms = lastOfEach(firms)
	if err := upsertFirms(ctx, tx, firms, uploadID); err != nil {
		return err
	}
	for some := range slices.Chunk(firms, batch) {
		if err := saveNames(ctx, tx, some); err != nil {
			return err
		}
	}
	return nil
}

// lastOfEach leaves out what a later value of the same firm overwrites: one statement
// cannot change a row twice.
func lastOfEach(firms []chain.Party) []chain.Party {
	at := make(map[string]int, len(firms))
	out := make([]chain.Party, 0, len(firms))
	for _, p := range firms {
		if i, ok := at[p.ID]; ok {
			out[i] = p
			continue
		}
		at[p.ID] = len(out)
		out = append(out, p)
	}
	return out
}

// firmTaken replaces what the books know of a firm. survivor_id is left as it is: only a
// merge moves a firm.
const firmTaken = `on conflict (id) do update set uscc = excluded.uscc, name = excluded.name,
	name_key = excluded.name_key, owner_id = excluded.owner_id, anchor = excluded.anchor, industry = excluded.industry,
	region = excluded.region, phone = excluded.phone, legal_rep = excluded.legal_rep, controller = excluded.controller,
	address = excluded.address, industry_code = excluded.industry_code, scope = excluded.scope, founded = excluded.founded,
	capital = excluded.capital, former_names = excluded.former_names, short_names = excluded.short_names
	where firm.tenant = excluded.tenant`

func upsertFirms(ctx context.Context, tx *store.Tx, firms []chain.Party, uploadID string) error {
	in := tx.Insert("firm", strings.Split(firmColumns+`, upload_id`, ","), firmTaken)
	for _, p := range firms {
		former, err := writeNames(p.FormerNames)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		short, err := writeNames(p.ShortNames)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		err = in.Add(ctx, p.ID, p.Tenant, p.USCC, p.Name, party.Normalise(p.Name), p.OwnerID, p.AnchorOf, p.Industry, p.Region,
			p.Phone, p.LegalRep, store.Millis(p.CreatedAt), p.Controller, p.Address, p.IndustryCode, p.Scope, p.Founded,
			int64(p.Capital), former, short, p.ID, uploadID)
		if err != nil {
			return firmFault(err)
		}
	}
	if _, err := in.Close(ctx); err != nil {
		return firmFault(err)
	}
	return nil
}

func firmFault(err error) error {
	if store.Conflict(err) {
		return chain.ErrFirmTaken.Because(err)
	}
	return fmt.Errorf("store/firm: %w", err)
}

// saveNames keeps the keys under which firms are known besides their names.
func saveNames(ctx context.Context, tx *store.Tx, firms []chain.Party) error {
	q := newQuery(`delete from firm_alias where (tenant, firm_id) in (values `)
	for i, p := range firms {
		if i > 0 {
			q.text += `,`
		}
		q.text += list(q, []string{p.Tenant, p.ID})
	}
	if _, err := tx.Exec(ctx, q.text+`)`, q.args...); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	for _, p := range firms {
		for _, name := range slices.Concat(p.FormerNames, p.ShortNames) {
			key := party.Normalise(name)
			if key == "" {
				continue
			}
			_, err := tx.Exec(ctx, `insert into firm_alias (tenant, name_key, firm_id) values ($1, $2, $3) on conflict do nothing`,
				p.Tenant, key, p.ID)
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
		}
	}
	return nil
}

// change runs a transaction on the books of trade and tells of it.
func (s *Store) change(ctx context.Context, tenant string, body func(*store.Tx) error) error {
	err := s.db.Tx(ctx, body)
	if err == nil && s.Changed != nil {
		s.Changed(ctx, tenant)
	}
	return err
}

// Revision implements chain.Store.
func (s *Store) Revision(ctx context.Context, tenant string) (int64, error) {
	return revision(ctx, s.db, tenant)
}

func revision(ctx context.Context, db store.Queryer, tenant string) (int64, error) {
	var n int64
	err := db.QueryRow(ctx, `select coalesce(max(n), 0) from firm_revision where tenant = $1`, tenant).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store/firm: %w", err)
	}
	return n, nil
}

// revise counts a change of the tenant's books.
func revise(ctx context.Context, tx *store.Tx, tenant string) error {
	_, err := tx.Exec(ctx, `insert into firm_revision (tenant, n) values ($1, 1)
		on conflict (tenant) do update set n = firm_revision.n + 1`, tenant)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// query builds a statement with a changing number of conditions.
type query struct {
	text string
	args []any
}

func newQuery(text string, args ...any) *query { return &query{text, args} }

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *query) and(condition string, v any) { q.text += ` and ` + condition + q.arg(v) }

// list adds values as "($3,$4,...)".
func list[T any](q *query, values []T) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = q.arg(v)
	}
	return "(" + strings.Join(marks, ",") + ")"
}

// contains makes a LIKE pattern that finds s as it stands.
func contains(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}
