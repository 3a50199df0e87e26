package firm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/store"
)

// sums adds the documents up that from selects as d, one row for each value of keys, which
// are two: the seller and the buyer. Documents of one number are one: an invoice promised
// to two funders counts once, one that was cancelled not at all. An order counts as
// ordered unless its contract does.
func sums(keys, from string) string {
	count := func(kind chain.DocKind, as string) string {
		return `sum(case when kind = '` + string(kind) + `' then live else 0 end) as ` + as + `, `
	}
	amount := func(kind chain.DocKind, as string) string {
		return `cast(sum(case when kind = '` + string(kind) + `' then live * amount else 0 end) as bigint) as ` + as + `, `
	}
	return `select seller_id, buyer_id, cast(sum(n) as bigint) as documents, ` +
		count(chain.Contract, "contracts") + count(chain.Order, "orders") + count(chain.Delivery, "deliveries") + count(chain.Invoice, "invoices") +
		count(chain.Payment, "payments") + count(chain.Confirmation, "confirmations") +
		`cast(sum(live * ordered) as bigint) as ordered, ` + amount(chain.Invoice, "invoiced") + amount(chain.Payment, "paid") +
		`coalesce(min(case when live = 1 then day end), '') as first_day, coalesce(max(case when live = 1 then last end), '') as last_day
		from (
			select ` + keys + `, d.kind, count(*) as n, max(d.amount) as amount, min(d.day) as day, max(d.day) as last,
				case when d.kind in ('suppliers', 'statements') then 0 else min(case when d.void then 0 else 1 end) end as live,
				max(case when d.kind = 'contracts' then d.amount when d.kind <> 'orders' then 0
					when d.contract_key <> '' and exists (select 1 from trade_document c where c.tenant = d.tenant and c.seller_id = d.seller_id
						and c.buyer_id = d.buyer_id and c.kind = 'contracts' and c.number_key = d.contract_key and not c.void) then 0
					else d.amount end) as ordered
			from ` + from + `
			group by 1, 2, d.kind, d.number_key
		) t group by seller_id, buyer_id`
}

var (
	linkKeys  = []string{"tenant", "seller_id", "buyer_id", "revision"}
	linkSums  = []string{"documents", "contracts", "orders", "deliveries", "invoices", "payments", "confirmations", "ordered", "invoiced", "paid", "first_day", "last_day"}
	noSums    = []any{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "", ""}
	afreshAll = upsert(append([]string{"revision"}, linkSums...)...)
)

func columnList(columns []string) string { return strings.Join(columns, ", ") }

func upsert(columns ...string) string {
	text := `on conflict (tenant, seller_id, buyer_id) do update set `
	for i, c := range columns {
		if i > 0 {
			text += `, `
		}
		text += c + ` = excluded.` + c
	}
	return text
}

// pair is a seller and a buyer.
type pair struct{ seller, buyer string }

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.seller, b.seller), cmp.Compare(a.buyer, b.buyer))
}

// markLinks says that the trade of pairs changes at a revision; sumLinks then sums it.
func markLinks(ctx context.Context, tx *store.Tx, tenant string, revision int64, pairs map[pair]bool) error {
	in := tx.Insert("trade_link", slices.Concat(linkKeys, linkSums), afreshAll)
	sorted := make([]pair, 0, len(pairs))
	for p := range pairs {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, comparePairs)
	for _, p := range sorted {
		if err := in.Add(ctx, append([]any{tenant, p.seller, p.buyer, revision}, noSums...)...); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
	}
	if _, err := in.Close(ctx); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// sumLinks sums the trade of the pairs that were marked at a revision.
func sumLinks(ctx context.Context, tx *store.Tx, tenant string, revision int64) error {
	_, err := tx.Exec(ctx, `insert into trade_link (`+columnList(linkKeys)+`, `+columnList(linkSums)+`)
		select $1, seller_id, buyer_id, cast($2 as bigint), `+columnList(linkSums)+` from (`+
		sums(`d.seller_id, d.buyer_id`, `trade_link l join trade_document d on d.tenant = l.tenant and d.seller_id = l.seller_id and d.buyer_id = l.buyer_id
			where l.tenant = $1 and l.revision = $2`)+`) s where true `+afreshAll, tenant, revision)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// relink says that every link of firms changes at a revision, because whom they count for
// does. A merge calls it with all firms that are one, before and after it makes them so.
func relink(ctx context.Context, tx *store.Tx, tenant string, revision int64, firmIDs []string) error {
	for some := range slices.Chunk(firmIDs, chunk) {
		q := newQuery(`insert into trade_link (`+columnList(linkKeys)+`, `+columnList(linkSums)+`)
			select distinct l.tenant, s.survivor_id, b.survivor_id, cast($2 as bigint), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', ''
			from trade_link l join firm s on s.id = l.seller_id join firm b on b.id = l.buyer_id where l.tenant = $1`, tenant, revision)
		in := list(q, some)
		tail := ` and (l.seller_id in ` + in + ` or l.buyer_id in ` + in + `) ` + upsert("revision")
		if _, err := tx.Exec(ctx, q.text+tail, q.args...); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if _, err := tx.Exec(ctx, `update trade_link set revision = $2 where tenant = $1 and (seller_id in `+in+` or buyer_id in `+in+`)`, q.args...); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
	}
	return nil
}

// linkRow is a row of trade_link: between whom it was written and for whom it counts.
type linkRow struct {
	chain.Link
	documents int64
	own, now  pair
}

const linkSelect = `select l.seller_id, l.buyer_id, coalesce(s.survivor_id, l.seller_id) as seller_now, coalesce(b.survivor_id, l.buyer_id) as buyer_now,
	coalesce(s.name, '') as seller, coalesce(b.name, '') as buyer, l.documents, l.contracts, l.orders, l.deliveries, l.invoices, l.payments,
	l.confirmations, l.ordered, l.invoiced, l.paid, l.first_day, l.last_day
	from trade_link l left join firm s on s.id = l.seller_id left join firm b on b.id = l.buyer_id where l.tenant = $1`

func scanLink(rows scanner) (linkRow, error) {
	var r linkRow
	err := rows.Scan(&r.own.seller, &r.own.buyer, &r.now.seller, &r.now.buyer, &r.Seller, &r.Buyer, &r.documents, &r.Contracts, &r.Orders,
		&r.Deliveries, &r.Invoices, &r.Payments, &r.Confirmations, &r.Ordered, &r.Invoiced, &r.Paid, &r.FirstDate, &r.LastDate)
	if err != nil {
		return r, fmt.Errorf("store/firm: %w", err)
	}
	r.SellerID, r.BuyerID = r.own.seller, r.own.buyer
	return r, nil
}

// Links implements chain.Store.
func (s *Store) Links(ctx context.Context, tenant, firmID string) ([]chain.Link, error) {
	members, err := s.members(ctx, tenant, firmID)
	if err != nil {
		return nil, err
	}
	q := newQuery(linkSelect, tenant)
	in := list(q, members)
	var out []chain.Link
	err = s.links(ctx, tenant, false, func(l chain.Link) error {
		out = append(out, l)
		return nil
	}, q.text+` and l.seller_id in `+in+` union all `+linkSelect+` and l.buyer_id in `+in+` and l.seller_id not in `+in, q.args...)
	slices.SortFunc(out, func(a, b chain.Link) int {
		return cmp.Or(cmp.Compare(b.Invoiced, a.Invoiced), cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID))
	})
	return out, err
}

// AllLinks implements chain.Store; first come the links of firms that are no merger of
// others, in the order of their sellers' and buyers' ids, then the rest.
func (s *Store) AllLinks(ctx context.Context, tenant string, f func(chain.Link) error) error {
	return s.links(ctx, tenant, false, f, linkSelect+` and l.documents > 0 order by l.seller_id, l.buyer_id`, tenant)
}

// ChangedLinks implements chain.Changes.
func (s *Store) ChangedLinks(ctx context.Context, tenant string, since int64, f func(chain.Link) error) (int64, error) {
	// The revision first: what is committed while the links are read comes once more the
	// next time.
	now, err := s.Revision(ctx, tenant)
	if err != nil {
		return 0, err
	}
	return now, s.links(ctx, tenant, true, f, linkSelect+` and l.revision > $2 order by l.seller_id, l.buyer_id`, tenant, since)
}

// links hands on the links that a query of linkSelect finds, each between the firms for
// which it counts; with gone also those that are no more.
func (s *Store) links(ctx context.Context, tenant string, gone bool, f func(chain.Link) error, query string, args ...any) error {
	merged := map[pair]bool{}
	err := s.eachLinks(ctx, func(rows []linkRow) error {
		joined, err := s.joined(ctx, tenant, rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.own != r.now || joined[r.now.seller] || joined[r.now.buyer] {
				if r.now.seller != r.now.buyer {
					merged[r.now] = true
				}
				if r.own == r.now {
					continue
				}
				r.Link, r.documents = chain.Link{SellerID: r.own.seller, BuyerID: r.own.buyer, Seller: r.Seller, Buyer: r.Buyer}, 0
			}
			if gone || r.documents > 0 {
				if err := f(r.Link); err != nil {
					return err
				}
			}
		}
		return nil
	}, query, args...)
	if err != nil {
		return err
	}
	pairs := make([]pair, 0, len(merged))
	for p := range merged {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, comparePairs)
	for _, p := range pairs {
		l, documents, err := s.merged(ctx, tenant, p)
		if err == nil && (gone || documents > 0) {
			err = f(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachLinks hands on the rows of a query some at a time.
func (s *Store) eachLinks(ctx context.Context, f func([]linkRow) error, query string, args ...any) error {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	some := make([]linkRow, 0, 4096)
	for rows.Next() {
		r, err := scanLink(rows)
		if err != nil {
			return err
		}
		if some = append(some, r); len(some) == cap(some) {
			if err := f(some); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return f(some)
}

// joined says which firms of rows others were merged into.
func (s *Store) joined(ctx context.Context, tenant string, rows []linkRow) (map[string]bool, error) {
	out := map[string]bool{}
	if some, err := s.anyMerged(ctx, tenant); err != nil || !some {
		return out, err
	}
	asked := map[string]bool{}
	var ids []string
	for _, r := range rows {
		for _, id := range []string{r.now.seller, r.now.buyer} {
			if !asked[id] {
				asked[id] = true
				ids = append(ids, id)
			}
		}
	}
	for some := range slices.Chunk(ids, chunk) {
		q := newQuery(`select distinct survivor_id from firm where tenant = $1 and survivor_id <> id and survivor_id in `, tenant)
		found, err := store.Collect(ctx, s.db, scanText, q.text+list(q, some), q.args...)
		if err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
		}
		for _, id := range found {
			out[id] = true
		}
	}
	return out, nil
}

// anyMerged says whether any firm of a tenant was found to be another.
func (s *Store) anyMerged(ctx context.Context, tenant string) (some bool, err error) {
	if err := s.db.QueryRow(ctx, `select exists (select 1 from firm where tenant = $1 and survivor_id <> id)`, tenant).Scan(&some); err != nil {
		return false, fmt.Errorf("store/firm: %w", err)
	}
	return some, nil
}

func scanText(row store.Row) (string, error) {
	var s string
	err := row.Scan(&s)
	return s, err
}

// members are the firms that were found to be one with a firm, itself included.
func (s *Store) members(ctx context.Context, tenant, firmID string) ([]string, error) {
	ids, err := store.Collect(ctx, s.db, scanText, `select id from firm where tenant = $1 and survivor_id in (
		select survivor_id from firm where tenant = $1 and id = $2)`, tenant, firmID)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	slices.Sort(ids) // here, because an order by id has SQLite walk through all firms of the tenant
	if len(ids) == 0 {
		ids = []string{firmID}
	}
	return ids, nil
}

// merged sums the trade between two firms that others were merged into.
func (s *Store) merged(ctx context.Context, tenant string, p pair) (l chain.Link, documents int64, err error) {
	l.SellerID, l.BuyerID = p.seller, p.buyer
	ends, err := s.FirmsByID(ctx, tenant, []string{p.seller, p.buyer})
	if err != nil {
		return l, 0, err
	}
	for _, e := range ends {
		if e.ID == p.seller {
			l.Seller = e.Name
		} else {
			l.Buyer = e.Name
		}
	}
	q := newQuery(sums(`'' as seller_id, '' as buyer_id`, `trade_document d where d.tenant = $1
		and d.seller_id in (select id from firm where tenant = $1 and survivor_id = $2)
		and d.buyer_id in (select id from firm where tenant = $1 and survivor_id = $3)`), tenant, p.seller, p.buyer)
	var none string
	rows, err := store.Collect(ctx, s.db, func(row store.Row) (chain.Link, error) {
		err := row.Scan(&none, &none, &documents, &l.Contracts, &l.Orders, &l.Deliveries, &l.Invoices, &l.Payments, &l.Confirmations,
			&l.Ordered, &l.Invoiced, &l.Paid, &l.FirstDate, &l.LastDate)
		return l, err
	}, q.text, q.args...)
	if err != nil {
		return l, 0, fmt.Errorf("store/firm: %w", err)
	}
	if len(rows) == 0 {
		documents = 0
	}
	return l, documents, nil
}
