package firm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
)

// partnerSums are the columns of a link that rows of one partner add up to.
var partnerSums = []string{"contracts", "orders", "deliveries", "invoices", "payments", "confirmations", "ordered", "invoiced", "paid"}

// noTenure is after every date.
const noTenure = "9999"

// partnersOf selects as t what the members of a firm trade with each partner, added up.
// Where no firm was found to be another, a link is a partner, and nothing needs adding.
func partnersOf(q *query, f chain.PartnerFilter, members []string, merged bool) string {
	mine, other := "l.buyer_id", "l.seller_id"
	if f.Buyers {
		mine, other = other, mine
	}
	where := ` where l.tenant = $1 and l.documents > 0 and ` + mine + ` in ` + list(q, members)
	if !merged {
		return `(select ` + other + ` as partner, 1 as pairs, ` + strings.Join(partnerSums, ", ") + `,
			case when l.first_day <> '' then l.first_day else '` + noTenure + `' end as first_day, l.last_day as last_day from trade_link l` + where + `) t`
	}
	var sums strings.Builder
	for _, c := range partnerSums {
		fmt.Fprintf(&sums, "cast(sum(l.%[1]s) as bigint) as %[1]s, ", c)
	}
	return `(select coalesce(s.survivor_id, ` + other + `) as partner, count(*) as pairs, ` + sums.String() + `
		coalesce(min(case when l.first_day <> '' then l.first_day end), '` + noTenure + `') as first_day, max(l.last_day) as last_day
		from trade_link l left join firm s on s.id = ` + other + where + ` group by 1) t`
}

// Partners implements chain.Partners. The order is that of what was added up: an invoice
// that two firms reported before they were found to be one counts twice in it, but once in
// the link that is shown.
func (s *Store) Partners(ctx context.Context, tenant string, f chain.PartnerFilter) (chain.PartnerPage, error) {
	var page chain.PartnerPage
	members, err := s.members(ctx, tenant, f.FirmID)
	if err != nil {
		return page, err
	}
	self, err := s.survivor(ctx, tenant, f.FirmID)
	if err != nil {
		return page, err
	}
	merged, err := s.anyMerged(ctx, tenant)
	if err != nil {
		return page, err
	}
	q := newQuery(``, tenant)
	from, matches := partnersOf(q, f, members, merged), `true`
	if f.Query != "" || f.Sort == chain.ByName {
		// SQLite keeps the order of a cross join: without it, it looks through the sums once
		// for each firm of the tenant.
		from += ` cross join firm p where p.id = t.partner and p.tenant = $1 and t.partner <> ` + q.arg(self)
	} else {
		from += ` where t.partner <> ` + q.arg(self)
	}
	if f.Query != "" {
		// A code is looked for by its start; a name by any part, since most start with a place.
		name, code := q.arg(contains(party.Normalise(f.Query))), q.arg(starts(party.Clean(f.Query)))
		matches = `(p.name_key like ` + name + ` escape '!' or p.uscc like ` + code + ` escape '!')`
	}
	err = s.db.QueryRow(ctx, `select coalesce(sum(case when `+matches+` then 1 else 0 end), 0), cast(coalesce(sum(t.invoiced), 0) as bigint) from `+from, q.args...).
		Scan(&page.Total, &page.Invoiced)
	if err != nil {
		return page, fmt.Errorf("store/firm: %w", err)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	key, order, err := partnerOrder(q, f)
	if err != nil {
		return page, err
	}
	rows, err := store.Collect(ctx, s.db, scanPartner, `select t.partner, t.pairs, `+key+` as sort_key, t.`+strings.Join(partnerSums, ", t.")+`, t.first_day, t.last_day from `+
		from+` and `+matches+order+` limit `+q.arg(limit+1), q.args...)
	if err != nil {
		return page, fmt.Errorf("store/firm: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		page.Next = string(f.Sort) + ":" + last.id + ":" + last.key
	}
	return page, s.complete(ctx, tenant, self, f, rows, &page)
}

// partnerRow is the trade with a partner and its place in the order.
type partnerRow struct {
	id    string
	link  chain.Link
	pairs int
	key   string
}

// partnerOrder returns the expression by which partners are in order, and the rest of the
// statement from the place to go on from.
func partnerOrder(q *query, f chain.PartnerFilter) (key, rest string, err error) {
	key, by, after := `t.invoiced`, ` desc`, ` < `
	switch f.Sort {
	case chain.ByName:
		key, by, after = `p.name`, ``, ` > `
	case chain.ByTenure:
		key, by, after = `t.first_day`, ``, ` > `
	case chain.ByInvoiced:
	}
	if f.After == "" {
		return key, ` order by ` + key + by + `, t.partner`, nil
	}
	parts := strings.SplitN(f.After, ":", 3)
	if len(parts) != 3 || parts[0] != string(f.Sort) {
		return "", "", chain.ErrPartnersAfter.With("after", f.After)
	}
	var at any = parts[2]
	if key == `t.invoiced` {
		if at, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
			return "", "", chain.ErrPartnersAfter.With("after", f.After)
		}
	}
	place, id := q.arg(at), q.arg(parts[1])
	return key, ` and (` + key + after + place + ` or ` + key + ` = ` + place + ` and t.partner > ` + id + `) order by ` + key + by + `, t.partner`, nil
}

func scanPartner(row store.Row) (r partnerRow, err error) {
	l := &r.link
	err = row.Scan(&r.id, &r.pairs, &r.key, &l.Contracts, &l.Orders, &l.Deliveries, &l.Invoices, &l.Payments,
		&l.Confirmations, &l.Ordered, &l.Invoiced, &l.Paid, &l.FirstDate, &l.LastDate)
	if l.FirstDate == noTenure {
		l.FirstDate = ""
	}
	return r, err
}

// complete tells who the partners are, names the ends of the links, and sums afresh those
// of mergers.
func (s *Store) complete(ctx context.Context, tenant, self string, f chain.PartnerFilter, rows []partnerRow, page *chain.PartnerPage) error {
	ids := []string{self}
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	firms, err := s.FirmsByID(ctx, tenant, ids)
	if err != nil {
		return err
	}
	byID := make(map[string]chain.Party, len(firms))
	for _, p := range firms {
		byID[p.ID] = p
	}
	page.Partners = make([]chain.Partner, len(rows))
	for i, r := range rows {
		p := pair{r.id, self}
		if f.Buyers {
			p = pair{self, r.id}
		}
		if r.pairs > 1 {
			if r.link, _, err = s.merged(ctx, tenant, p); err != nil {
				return err
			}
		}
		r.link.SellerID, r.link.BuyerID, r.link.Seller, r.link.Buyer = p.seller, p.buyer, byID[p.seller].Name, byID[p.buyer].Name
		page.Partners[i] = chain.Partner{Firm: byID[r.id], Link: r.link}
	}
	return nil
}

// survivor is the firm that a firm counts for; one that is not known counts for itself.
func (s *Store) survivor(ctx context.Context, tenant, id string) (string, error) {
	var to string
	err := s.db.QueryRow(ctx, `select survivor_id from firm where tenant = $1 and id = $2`, tenant, id).Scan(&to)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	if err != nil {
		return "", fmt.Errorf("store/firm: %w", err)
	}
	return to, nil
}

// starts makes a LIKE pattern that finds what begins with s.
func starts(s string) string { return strings.TrimPrefix(contains(s), "%") }
