package profile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// slots over which a sum is spread.
const slots = 16

// item is what one application adds to which sums.
type item struct {
	id, user, household, party, anchor, product, region string
	amount                                              int64
}

// names are the sums that an item counts to. Writers take them in this order.
func (x item) names() [][2]string {
	out := [][2]string{{"total", ""}}
	for _, n := range [][2]string{
		{"anchor", x.anchor}, {"household", x.household}, {"party", x.party}, {"product", x.product}, {"region", x.region}, {"user", x.user},
	} {
		if n[1] != "" {
			out = append(out, n)
		}
	}
	return out
}

func (x item) slot() int {
	h := fnv.New32a()
	h.Write([]byte(x.id))
	return int(h.Sum32() % slots)
}

// Follow brings the exposure of an application up to date with its state and its loans,
// in the transaction that changed them. An offer or a signed contract counts with its
// limit, a loan with its balance. anchorID is that of the decision, "" keeps the known.
func Follow(ctx context.Context, tx *store.Tx, tenant, applicationID, anchorID string) error {
	var state string
	var limit, lent int64
	var now item
	var had sql.NullInt64
	var was item
	err := tx.QueryRow(ctx, `select a.user_id, a.product, a.state, a.credit_limit,
			coalesce((select cast(sum(l.outstanding) as bigint) from loans l where l.application_id = a.id and l.state in ('active', 'overdue')), 0),
			coalesce(b.household, ''), coalesce(b.party, ''), coalesce(b.region, ''),
			i.amount, coalesce(i.user_id, ''), coalesce(i.household, ''), coalesce(i.party, ''), coalesce(i.anchor, ''), coalesce(i.product, ''), coalesce(i.region, '')
		from applications a
		left join borrower b on b.tenant = a.tenant and b.user_id = a.user_id
		left join exposure_item i on i.tenant = a.tenant and i.application_id = a.id
		where a.tenant = $1 and a.id = $2`, tenant, applicationID).Scan(
		&now.user, &now.product, &state, &limit, &lent, &now.household, &now.party, &now.region,
		&had, &was.user, &was.household, &was.party, &was.anchor, &was.product, &was.region)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the caller tells of an application that is not there
	}
	if err != nil {
		return err
	}
	now.id, was.id, was.amount = applicationID, applicationID, had.Int64
	now.anchor = anchorID
	if anchorID == "" {
		now.anchor = was.anchor
	}
	switch state {
	case "offered", "accepted", "signed":
		now.amount = limit
	case "active":
		now.amount = lent
	}
	if now.amount == was.amount && (now == was || now.amount == 0) {
		return nil
	}
	return replace(ctx, tx, tenant, was, now)
}

// replace takes an item out of its sums and puts another in its place.
func replace(ctx context.Context, tx *store.Tx, tenant string, was, now item) error {
	_, err := tx.Exec(ctx, `insert into exposure_item (tenant, application_id, user_id, household, party, anchor, product, region, amount)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant, application_id) do update set user_id = excluded.user_id,
		household = excluded.household, party = excluded.party, anchor = excluded.anchor, product = excluded.product,
		region = excluded.region, amount = excluded.amount`,
		tenant, now.id, now.user, now.household, now.party, now.anchor, now.product, now.region, now.amount)
	if err != nil {
		return err
	}
	change := map[[2]string]int64{}
	for _, n := range was.names() {
		change[n] -= was.amount
	}
	for _, n := range now.names() {
		change[n] += now.amount
	}
	args := []any{tenant, now.slot()}
	var rows []string
	for _, n := range append(was.names(), now.names()...) {
		if change[n] == 0 {
			continue
		}
		rows = append(rows, fmt.Sprintf("($1, $%d, $%d, cast($2 as bigint), cast($%d as bigint))", len(args)+1, len(args)+2, len(args)+3))
		args = append(args, n[0], n[1], change[n])
		delete(change, n)
	}
	if len(rows) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `insert into exposure (tenant, kind, name, slot, amount) values `+strings.Join(rows, ", ")+`
		on conflict (tenant, kind, name, slot) do update set amount = exposure.amount + excluded.amount`, args...)
	return err
}

// Exposure implements profile.Store.
func (s *Store) Exposure(ctx context.Context, tenant string, a profile.Around) (credit.Exposures, error) {
	own := item{user: a.UserID, household: a.Household, party: a.Group, anchor: a.AnchorID, product: a.Product, region: a.Region}
	args := []any{tenant, a.Except}
	parts := []string{`select 'own' as kind, cast(coalesce(sum(amount), 0) as bigint) as amount from exposure_item where tenant = $1 and application_id = $2`}
	for _, n := range own.names() {
		args = append(args, n[1])
		parts = append(parts, fmt.Sprintf(`select '%s' as kind, cast(coalesce(sum(amount), 0) as bigint) as amount from exposure
			where tenant = $1 and kind = '%s' and name = $%d`, n[0], n[0], len(args)))
	}
	sums := map[string]money.Fen{}
	rows, err := s.db.Query(ctx, strings.Join(parts, " union all "), args...)
	if err != nil {
		return credit.Exposures{}, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var kind string
		var amount int64
		if err := rows.Scan(&kind, &amount); err != nil {
			return credit.Exposures{}, err
		}
		sums[kind] = money.Fen(amount)
	}
	if err := rows.Err(); err != nil {
		return credit.Exposures{}, err
	}
	if err := s.leaveOut(ctx, tenant, a, own, sums); err != nil {
		return credit.Exposures{}, err
	}
	household := sums["household"]
	if a.Household == "" {
		household = sums["user"]
	}
	return credit.Exposures{
		Household: household, Group: sums["party"], Anchor: sums["anchor"], AnchorID: a.AnchorID,
		Product: sums["product"], Region: sums["region"], Total: sums["total"],
	}, nil
}

// leaveOut takes the own part of an application out of the sums that it is in.
func (s *Store) leaveOut(ctx context.Context, tenant string, a profile.Around, own item, sums map[string]money.Fen) error {
	if sums["own"] == 0 {
		return nil
	}
	was, err := scanItem(s.db.QueryRow(ctx, `select `+itemColumns+` from exposure_item where tenant = $1 and application_id = $2`, tenant, a.Except))
	if err != nil {
		return err
	}
	in := map[[2]string]bool{}
	for _, n := range was.names() {
		in[n] = true
	}
	for _, n := range own.names() {
		if in[n] {
			sums[n[0]] -= money.Fen(was.amount)
		}
	}
	return nil
}

const itemColumns = `application_id, user_id, household, party, anchor, product, region, amount`

func scanItem(row store.Row) (item, error) {
	var x item
	err := row.Scan(&x.id, &x.user, &x.household, &x.party, &x.anchor, &x.product, &x.region, &x.amount)
	return x, err
}
