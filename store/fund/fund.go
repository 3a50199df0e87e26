// Package fund keeps shared loans in the database: their frozen terms, the lines of their
// ledger entries, and the sums of these by loan and pool.
package fund

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
)

// Store implements fund.Store.
type Store struct{ db *store.DB }

var _ fund.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store { return &Store{db} }

// Follow keeps what an entry says of shared loans, within the transaction that appends it.
// Entries of others, and those that it has seen, are passed over. loan.ErrStale says that a
// pool has less left than the entry takes.
func Follow(ctx context.Context, tx *store.Tx, e ledger.Entry) error {
	for nr, l := range fund.Lines(e) {
		res, err := tx.Exec(ctx, `insert into fund_line (tenant, entry_key, nr, kind, loan_id, event, date, account, party, amount)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (tenant, entry_key, nr) do nothing`,
			e.Tenant, l.Key, nr, l.Kind, l.LoanID, l.Event, l.Date.String(), l.Account, l.Party, int64(l.Amount))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		switch {
		case l.Account == fund.Principal:
			if err := hold(ctx, tx, e.Tenant, l); err != nil {
				return err
			}
		case l.Account == fund.PoolMoney && l.Kind != fund.Settle:
			if err := use(ctx, tx, e.Tenant, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold changes what a party has lent. The first drawdown takes the place of what was reserved.
func hold(ctx context.Context, tx *store.Tx, tenant string, l fund.ShareLine) error {
	res, err := tx.Exec(ctx, `update fund_position set held = held - $4 where tenant = $1 and loan_id = $2 and party = $3`,
		tenant, l.LoanID, l.Party, int64(l.Amount))
	if store.Conflict(err) {
		return loan.ErrStale.Because(err)
	}
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fund.ErrNotFound.With("loan", l.LoanID))
	}
	if l.Kind != fund.Draw {
		return nil
	}
	_, err = tx.Exec(ctx, `update fund_loan set drawn = drawn - $3, own_reserved = 0, reserved = 0 where tenant = $1 and loan_id = $2`,
		tenant, l.LoanID, int64(l.Amount))
	return err
}

// use counts what a pool pays, up to its cap.
func use(ctx context.Context, tx *store.Tx, tenant string, l fund.ShareLine) error {
	res, err := tx.Exec(ctx, `update fund_pool set used = used + $3 where tenant = $1 and bucket = $2 and ($3 <= 0 or used + $3 <= max_used)`,
		tenant, l.Party, int64(l.Amount))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, loan.ErrStale)
	}
	return nil
}

// Freeze implements fund.Store.
func (s *Store) Freeze(ctx context.Context, f fund.SharedLoan, decide func(fund.Exposure) (fund.SharingTerms, error)) (fund.SharedLoan, error) {
	out := f
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		known, err := frozen(ctx, tx, f.Tenant, f.LoanID)
		if err == nil {
			out = known
			return nil
		}
		if !errors.Is(err, fund.ErrNotFound) {
			return err
		}
		e, err := exposure(ctx, tx, f.Tenant, f.FrozenAt)
		if err != nil {
			return err
		}
		out = f
		if out.Terms, err = decide(e); err != nil || !out.Terms.Shared() {
			return err
		}
		return insert(ctx, tx, out)
	})
	return out, err
}

func insert(ctx context.Context, tx *store.Tx, f fund.SharedLoan) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	t := f.Terms
	var guarantor, bucket string
	var bp int64
	parties := map[string]bool{}
	for _, p := range t.Parties {
		parties[p.Code] = true
	}
	if t.Guarantor != nil {
		guarantor, bp = t.Guarantor.Code, t.Guarantor.ShareBP
		parties[guarantor] = false
	}
	if t.Pool != nil {
		bucket = t.Pool.Bucket
		parties[t.Pool.Code] = false
		if _, err := tx.Exec(ctx, `insert into fund_pool (tenant, bucket, max_used, used) values ($1, $2, 0, 0)
			on conflict (tenant, bucket) do nothing`, f.Tenant, bucket); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `insert into fund_loan (tenant, loan_id, application_id, product, agreement, internet, own, guarantor,
		guarantor_bp, bucket, debtor, own_reserved, reserved, drawn, body, frozen_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15)`,
		f.Tenant, f.LoanID, f.ApplicationID, f.Product, t.Agreement, t.Internet && t.Joint(), t.Parties[0].Code, guarantor, bp, bucket,
		t.Debtor, int64(t.OwnPart()), int64(t.Principal), string(body), store.Millis(f.FrozenAt)); err != nil {
		return err
	}
	for code, lends := range parties {
		if _, err := tx.Exec(ctx, `insert into fund_position (tenant, loan_id, party, lends, held) values ($1, $2, $3, $4, 0)`,
			f.Tenant, f.LoanID, code, lends); err != nil {
			return err
		}
	}
	return nil
}

// Release implements fund.Store.
func (s *Store) Release(ctx context.Context, tenant, loanID string) error {
	_, err := s.db.Exec(ctx, `update fund_loan set own_reserved = 0, reserved = 0 where tenant = $1 and loan_id = $2`, tenant, loanID)
	return err
}

func scanFrozen(row store.Row) (f fund.SharedLoan, err error) {
	var body string
	if err := row.Scan(&f.Tenant, &body); err != nil {
		return f, err
	}
	tenant := f.Tenant
	err = json.Unmarshal([]byte(body), &f)
	f.Tenant = tenant
	return f, err
}

func frozen(ctx context.Context, q store.Queryer, tenant, loanID string) (fund.SharedLoan, error) {
	f, err := scanFrozen(q.QueryRow(ctx, `select tenant, body from fund_loan where tenant = $1 and loan_id = $2`, tenant, loanID))
	if errors.Is(err, sql.ErrNoRows) {
		return f, fund.ErrNotFound
	}
	return f, err
}

// Frozen implements fund.Store.
func (s *Store) Frozen(ctx context.Context, tenant, loanID string) (fund.SharedLoan, error) {
	return frozen(ctx, s.db, tenant, loanID)
}

// FrozenAfter implements fund.Store.
func (s *Store) FrozenAfter(ctx context.Context, tenant, after string, limit int) ([]fund.SharedLoan, error) {
	return store.Collect(ctx, s.db, scanFrozen, `select tenant, body from fund_loan where tenant = $1 and loan_id > $2 order by loan_id limit $3`,
		tenant, after, limit)
}

// Exposure implements fund.Store.
func (s *Store) Exposure(ctx context.Context, tenant string, now time.Time) (fund.Exposure, error) {
	return exposure(ctx, s.db, tenant, now)
}

// underWay says whether a reservation of fund_loan l counts: for an hour, and for as long
// as the payment is under way. What was reserved for a loan that never was kept ends so.
const underWay = `(l.frozen_at > $2 or exists (select 1 from loans x where x.tenant = l.tenant and x.id = l.loan_id and x.state = 'drawing'))`

// reserved is for how long a reservation counts by itself.
const reserved = time.Hour

func exposure(ctx context.Context, q store.Queryer, tenant string, now time.Time) (fund.Exposure, error) {
	since := store.Millis(now.Add(-reserved))
	e := fund.Exposure{Own: map[string]money.Fen{}, Liability: map[string]map[string]money.Fen{}}
	type sum struct {
		party, debtor string
		bp, amount    int64
	}
	rows, err := store.Collect(ctx, q, func(row store.Row) (x sum, err error) {
		return x, row.Scan(&x.party, &x.amount)
	}, `select p.party, cast(sum(o.held + case when `+underWay+` then l.own_reserved else 0 end) as bigint) from fund_loan l
		join fund_position o on o.tenant = l.tenant and o.loan_id = l.loan_id and o.party = l.own
		join fund_position p on p.tenant = l.tenant and p.loan_id = l.loan_id and p.lends
		where l.tenant = $1 and l.internet group by p.party, l.own order by p.party`, tenant, since)
	if err != nil {
		return e, err
	}
	for _, x := range rows {
		e.Own[x.party] = money.Fen(x.amount)
	}
	var all int64
	if err := q.QueryRow(ctx, `select cast(coalesce(sum(o.held + case when `+underWay+` then l.own_reserved else 0 end), 0) as bigint) from fund_loan l
		join fund_position o on o.tenant = l.tenant and o.loan_id = l.loan_id and o.party = l.own
		where l.tenant = $1 and l.internet`, tenant, since).Scan(&all); err != nil {
		return e, err
	}
	e.All = money.Fen(all)
	rows, err = store.Collect(ctx, q, func(row store.Row) (x sum, err error) {
		return x, row.Scan(&x.party, &x.debtor, &x.bp, &x.amount)
	}, `select l.guarantor, l.debtor, l.guarantor_bp, cast(sum(case when `+underWay+` then l.reserved else 0 end + (select coalesce(sum(p.held), 0) from fund_position p
			where p.tenant = l.tenant and p.loan_id = l.loan_id and p.lends)) as bigint)
		from fund_loan l where l.tenant = $1 and l.guarantor <> '' group by l.guarantor, l.debtor, l.guarantor_bp`, tenant, since)
	for _, x := range rows {
		if e.Liability[x.party] == nil {
			e.Liability[x.party] = map[string]money.Fen{}
		}
		e.Liability[x.party][x.debtor] += fund.Liability(money.Fen(x.amount), x.bp)
	}
	return e, err
}

// Positions implements fund.Store.
func (s *Store) Positions(ctx context.Context, tenant, party string) ([]fund.Position, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (p fund.Position, err error) {
		return p, row.Scan(&p.LoanID, &p.Party, &p.Held)
	}, `select loan_id, party, held from fund_position where tenant = $1 and ($2 = '' or party = $2) order by loan_id, party`, tenant, party)
}

func scanLine(row store.Row) (l fund.ShareLine, err error) {
	var date string
	if err := row.Scan(&l.Key, &l.Kind, &l.LoanID, &l.Event, &date, &l.Account, &l.Party, &l.Amount); err != nil {
		return l, err
	}
	return l, l.Date.UnmarshalText([]byte(date))
}

const where = ` from fund_line where tenant = $1 and ($2 = '' or loan_id = $2) and ($3 = '' or party = $3) and ($4 = '' or kind = $4)
	and ($5 = '' or date >= $5) and ($6 = '' or date <= $6)`

func args(tenant string, f fund.LineFilter) []any {
	return []any{tenant, f.LoanID, f.Party, f.Kind, f.From.String(), f.To.String()}
}

// Lines implements fund.Store.
func (s *Store) Lines(ctx context.Context, tenant string, f fund.LineFilter) ([]fund.ShareLine, error) {
	return store.Collect(ctx, s.db, scanLine, `select entry_key, kind, loan_id, event, date, account, party, amount`+where+
		` order by date, entry_key, nr`, args(tenant, f)...)
}

// Balance implements fund.Store.
func (s *Store) Balance(ctx context.Context, tenant, account, party string) (money.Fen, error) {
	var sum int64
	err := s.db.QueryRow(ctx, `select cast(coalesce(sum(amount), 0) as bigint) from fund_line where tenant = $1 and account = $2 and party = $3`,
		tenant, account, party).Scan(&sum)
	return money.Fen(sum), err
}

// Pool implements fund.Store.
func (s *Store) Pool(ctx context.Context, tenant, bucket string) (fund.PoolState, error) {
	p := fund.PoolState{Bucket: bucket}
	err := s.db.QueryRow(ctx, `select coalesce((select used from fund_pool where tenant = $1 and bucket = $2), 0),
		cast((select coalesce(sum(drawn), 0) from fund_loan where tenant = $1 and bucket = $2) as bigint),
		cast((select coalesce(sum(p.held), 0) from fund_loan l join fund_position p on p.tenant = l.tenant and p.loan_id = l.loan_id and p.lends
			where l.tenant = $1 and l.bucket = $2) as bigint)`, tenant, bucket).Scan(&p.Used, &p.Disbursed, &p.Outstanding)
	return p, err
}

// Buckets implements fund.Store.
func (s *Store) Buckets(ctx context.Context, tenant string) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (b string, err error) { return b, row.Scan(&b) },
		`select bucket from fund_pool where tenant = $1 order by bucket`, tenant)
}

// SetCap implements fund.Store.
func (s *Store) SetCap(ctx context.Context, tenant, bucket string, limit money.Fen) error {
	_, err := s.db.Exec(ctx, `update fund_pool set max_used = $3 where tenant = $1 and bucket = $2 and max_used <> $3`, tenant, bucket, int64(limit))
	return err
}

// Post implements fund.Store.
func (s *Store) Post(ctx context.Context, seen int, f fund.LineFilter, entries []ledger.Entry) error {
	return s.db.TxInTurn(ctx, ledgerstore.Lines(entries), func(tx *store.Tx) error {
		for _, e := range entries {
			var n int
			if err := tx.QueryRow(ctx, `select count(*) from fund_line where tenant = $1 and entry_key = $2`, e.Tenant, e.Key).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				if _, err := ledgerstore.Append(ctx, tx, []ledger.Entry{e}); err != nil { // other content is refused
					return err
				}
				continue
			}
			if err := tx.QueryRow(ctx, `select count(*)`+where, args(e.Tenant, f)...).Scan(&n); err != nil {
				return err
			}
			if n != seen {
				return loan.ErrStale
			}
			if _, err := ledgerstore.Append(ctx, tx, []ledger.Entry{e}); err != nil {
				return err
			}
			if err := Follow(ctx, tx, e); err != nil {
				return err
			}
			seen += count(e, f)
		}
		return nil
	})
}

// count is how many lines of e a filter selects.
func count(e ledger.Entry, f fund.LineFilter) (n int) {
	for _, l := range fund.Lines(e) {
		if (f.LoanID == "" || l.LoanID == f.LoanID) && (f.Party == "" || l.Party == f.Party) && (f.Kind == "" || l.Kind == f.Kind) {
			n++
		}
	}
	return n
}

// Choose implements fund.Store.
func (s *Store) Choose(ctx context.Context, tenant, applicationID, agreement, userID string, at time.Time) error {
	if agreement == "" {
		_, err := s.db.Exec(ctx, `delete from fund_choice where tenant = $1 and application_id = $2`, tenant, applicationID)
		return err
	}
	_, err := s.db.Exec(ctx, `insert into fund_choice (tenant, application_id, agreement, user_id, at) values ($1, $2, $3, $4, $5)
		on conflict (tenant, application_id) do update set agreement = excluded.agreement, user_id = excluded.user_id, at = excluded.at`,
		tenant, applicationID, agreement, userID, store.Millis(at))
	return err
}

// Chosen implements fund.Store.
func (s *Store) Chosen(ctx context.Context, tenant, applicationID string) (agreement string, err error) {
	err = s.db.QueryRow(ctx, `select agreement from fund_choice where tenant = $1 and application_id = $2`, tenant, applicationID).Scan(&agreement)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("fund: chosen agreement: %w", err)
	}
	return agreement, nil
}

// Related gives the borrowers of a debtor's household and joint-liability group, the
// debtor included.
func (s *Store) Related(ctx context.Context, tenant, debtor string) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (id string, err error) { return id, row.Scan(&id) },
		`select b.user_id from borrower a join borrower b on b.tenant = a.tenant
			and (b.user_id = a.user_id or a.household <> '' and b.household = a.household or a.party <> '' and b.party = a.party)
		where a.tenant = $1 and a.user_id = $2 order by b.user_id`, tenant, debtor)
}
