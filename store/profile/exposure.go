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
	revolving                                           bool
	amount, granted                                     int64 // fen: what is out, what was granted
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

// Line is where transactions that call [Follow] wait for their turn: each reads what its
// application owes, and those of a tenant work on neighbouring rows.
func Line(tenant string) string { return "exposure " + tenant }

// Follow brings the exposure of an application up to date with its state and its loans,
// in the transaction that changed them. seen is what a decision that comes with the change
// saw; nil keeps the known.
//
// By credit granted, an offer, a contract and a revolving limit count with the limit, other
// loans with their balance and what is planned to go out yet. By loans outstanding, a revolving limit counts with what is
// drawn of it, or is on its way.
func Follow(ctx context.Context, tx *store.Tx, tenant, applicationID string, seen *profile.Seen) error {
	var state string
	var limit, lent int64
	var now item
	var was item
	err := tx.QueryRow(ctx, `select a.user_id, a.product, a.state, a.credit_limit,
			coalesce((select cast(sum(l.outstanding + l.undrawn) as bigint) from loans l where l.application_id = a.id and l.state in ('drawing', 'active', 'overdue')), 0),
			coalesce(b.household, ''), coalesce(b.party, ''), coalesce(b.region, ''),
			coalesce(i.amount, 0), coalesce(i.granted, 0), coalesce(i.revolving, false), coalesce(i.user_id, ''), coalesce(i.household, ''), coalesce(i.party, ''), coalesce(i.anchor, ''), coalesce(i.product, ''), coalesce(i.region, '')
		from applications a
		left join borrower b on b.tenant = a.tenant and b.user_id = a.user_id
		left join exposure_item i on i.tenant = a.tenant and i.application_id = a.id
		where a.tenant = $1 and a.id = $2`, tenant, applicationID).Scan(
		&now.user, &now.product, &state, &limit, &lent, &now.household, &now.party, &now.region,
		&was.amount, &was.granted, &was.revolving, &was.user, &was.household, &was.party, &was.anchor, &was.product, &was.region)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the caller tells of an application that is not there
	}
	if err != nil {
		return err
	}
	now.id, was.id = applicationID, applicationID
	now.anchor, now.revolving = was.anchor, was.revolving
	if seen != nil {
		now.anchor, now.revolving = seen.AnchorID, seen.Revolving
	}
	now.count(state, limit, lent)
	if now == was || seen == nil && now.granted == 0 && was.granted == 0 {
		return nil
	}
	return replace(ctx, tx, tenant, was, now)
}

// count sets the amounts of an application in a state, with a limit and what is lent.
func (x *item) count(state string, limit, lent int64) {
	switch state {
	case "offered", "accepted", "signed":
		x.granted, x.amount = limit, limit
	case "active":
		x.granted, x.amount = lent, lent
	default:
		return
	}
	if x.revolving {
		x.granted, x.amount = max(limit, lent), lent
	}
}

// sum is fen that are out, and that were granted.
type sum struct{ out, granted int64 }

// replace takes an item out of its sums and puts another in its place.
func replace(ctx context.Context, tx *store.Tx, tenant string, was, now item) error {
	_, err := tx.Exec(ctx, `insert into exposure_item (tenant, application_id, user_id, household, party, anchor, product, region, revolving,
			amount, granted)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (tenant, application_id) do update set user_id = excluded.user_id,
		household = excluded.household, party = excluded.party, anchor = excluded.anchor, product = excluded.product,
		region = excluded.region, revolving = excluded.revolving, amount = excluded.amount, granted = excluded.granted`,
		tenant, now.id, now.user, now.household, now.party, now.anchor, now.product, now.region, now.revolving, now.amount, now.granted)
	if err != nil {
		return err
	}
	change := map[[2]string]sum{}
	for _, n := range was.names() {
		change[n] = sum{change[n].out - was.amount, change[n].granted - was.granted}
	}
	for _, n := range now.names() {
		change[n] = sum{change[n].out + now.amount, change[n].granted + now.granted}
	}
	args := []any{tenant, now.slot()}
	var rows []string
	for _, n := range append(was.names(), now.names()...) {
		if change[n] == (sum{}) {
			continue
		}
		rows = append(rows, fmt.Sprintf("($1, $%d, $%d, cast($2 as bigint), cast($%d as bigint), cast($%d as bigint))",
			len(args)+1, len(args)+2, len(args)+3, len(args)+4))
		args = append(args, n[0], n[1], change[n].out, change[n].granted)
		delete(change, n)
	}
	if len(rows) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `insert into exposure (tenant, kind, name, slot, amount, granted) values `+strings.Join(rows, ", ")+`
		on conflict (tenant, kind, name, slot) do update set amount = exposure.amount + excluded.amount, granted = exposure.granted + excluded.granted`, args...)
	return err
}

// Exposure implements profile.Store.
func (s *Store) Exposure(ctx context.Context, tenant string, a profile.Around) (credit.Exposures, error) {
	own := item{user: a.UserID, household: a.Household, party: a.Group, anchor: a.AnchorID, product: a.Product, region: a.Region}
	args := []any{tenant, a.Except}
	const both = `cast(coalesce(sum(amount), 0) as bigint) as amount, cast(coalesce(sum(granted), 0) as bigint) as granted`
	parts := []string{`select 'own' as kind, ` + both + ` from exposure_item where tenant = $1 and application_id = $2`}
	for _, n := range own.names() {
		args = append(args, n[1])
		parts = append(parts, fmt.Sprintf(`select '%s' as kind, `+both+` from exposure
			where tenant = $1 and kind = '%s' and name = $%d`, n[0], n[0], len(args)))
	}
	sums := map[string]sum{}
	rows, err := s.db.Query(ctx, strings.Join(parts, " union all "), args...)
	if err != nil {
		return credit.Exposures{}, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var kind string
		var x sum
		if err := rows.Scan(&kind, &x.out, &x.granted); err != nil {
			return credit.Exposures{}, err
		}
		sums[kind] = x
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
	group, anchor, prod, region, total := sums["party"], sums["anchor"], sums["product"], sums["region"], sums["total"]
	return credit.Exposures{
		Household: money.Fen(household.out), Group: money.Fen(group.out), Anchor: money.Fen(anchor.out), AnchorID: a.AnchorID,
		Product: money.Fen(prod.out), Region: money.Fen(region.out), Total: money.Fen(total.out),
		Granted: credit.Granted{
			Household: money.Fen(household.granted), Group: money.Fen(group.granted), Anchor: money.Fen(anchor.granted),
			Product: money.Fen(prod.granted), Region: money.Fen(region.granted), Total: money.Fen(total.granted),
		},
	}, nil
}

// leaveOut takes the own part of an application out of the sums that it is in.
func (s *Store) leaveOut(ctx context.Context, tenant string, a profile.Around, own item, sums map[string]sum) error {
	if sums["own"] == (sum{}) {
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
			sums[n[0]] = sum{sums[n[0]].out - was.amount, sums[n[0]].granted - was.granted}
		}
	}
	return nil
}

const itemColumns = `application_id, user_id, household, party, anchor, product, region, revolving, amount, granted`

func scanItem(row store.Row) (item, error) {
	var x item
	err := row.Scan(&x.id, &x.user, &x.household, &x.party, &x.anchor, &x.product, &x.region, &x.revolving, &x.amount, &x.granted)
	return x, err
}
