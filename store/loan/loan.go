// Package loan keeps loans, schedules and payments in the database, and writes them
// together with their ledger entries.
package loan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/profile"
)

// Store implements loan.Store. Changes that are saved at the same time share a transaction.
type Store struct {
	db    *store.DB
	saves *store.Gather[loan.Change, loan.Loan]
}

var _ loan.Store = (*Store)(nil)

// A step is bounded, so that nobody waits long for the others.
const mostSaves = 200

// New returns a store on db.
func New(db *store.DB) *Store {
	s := &Store{db: db}
	s.saves = store.NewGather(mostSaves, s.save)
	return s
}

// Save implements loan.Store.
func (s *Store) Save(ctx context.Context, c loan.Change) (loan.Loan, error) {
	return s.saves.Do(ctx, c)
}

// errApart is of changes of one application, which are saved one after the other: each sees
// what the one before it left of the limit.
var errApart = errors.New("two changes of one application")

// save saves changes in one transaction.
func (s *Store) save(ctx context.Context, changes []loan.Change) ([]loan.Loan, error) {
	var lines []string
	groups := make([][]ledger.Entry, len(changes))
	ids := make(map[string]bool, len(changes))
	for i := range changes {
		l := &changes[i].Loan
		if ids[l.ID] || ids[l.ApplicationID] {
			return nil, errApart
		}
		ids[l.ID], ids[l.ApplicationID] = true, true
		groups[i], lines = changes[i].Entries, append(lines, profile.Line(l.Tenant))
	}
	out := make([]loan.Loan, len(changes))
	err := s.db.TxInTurn(ctx, append(lines, ledgerstore.Lines(groups...)...), func(tx *store.Tx) error {
		w := newWriter(tx)
		for i := range changes {
			c := &changes[i]
			out[i] = c.Loan
			out[i].Version++
			if c.New {
				if err := room(ctx, tx, out[i], c); err != nil {
					return err
				}
			}
			if err := w.change(ctx, out[i], c); err != nil {
				return err
			}
		}
		if err := w.close(ctx); err != nil {
			return err
		}
		for i := range changes {
			c := &changes[i]
			if c.Out > 0 {
				if err := within(ctx, tx, out[i], c); err != nil {
					return err
				}
			}
			if err := profile.Follow(ctx, tx, c.Loan.Tenant, c.Loan.ApplicationID, nil); err != nil {
				return err
			}
		}
		return post(ctx, tx, groups...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// SaveBatch implements loan.Store.
func (s *Store) SaveBatch(ctx context.Context, b loan.Batch) error {
	lines := ledgerstore.Lines(b.Entries)
	if slices.ContainsFunc(b.Changes, func(c loan.Change) bool { return c.Moved }) {
		lines = append(lines, profile.Line(b.Run.Tenant))
	}
	return s.db.TxInTurn(ctx, lines, func(tx *store.Tx) error {
		w := newWriter(tx)
		for i := range b.Days {
			d := b.Days[i]
			d.Version++
			if err := w.day(ctx, b.Run.Tenant, &d, true); err != nil {
				return err
			}
		}
		for i := range b.Changes {
			l := b.Changes[i].Loan
			l.Version++
			if err := w.change(ctx, l, &b.Changes[i]); err != nil {
				return err
			}
		}
		if err := w.close(ctx); err != nil {
			return err
		}
		for i := range b.Changes {
			if c := &b.Changes[i]; c.Moved {
				if err := profile.Follow(ctx, tx, c.Loan.Tenant, c.Loan.ApplicationID, nil); err != nil {
					return err
				}
			}
		}
		if err := saveRun(ctx, tx, b.Run); err != nil {
			return err
		}
		return post(ctx, tx, b.Entries)
	})
}

// post comes last in a transaction, so that writers of other processes wait for the head of
// the ledger's chain for a short time.
func post(ctx context.Context, tx *store.Tx, groups ...[]ledger.Entry) error {
	for _, g := range groups {
		for i := range g {
			if err := fundstore.Follow(ctx, tx, g[i]); err != nil {
				return err
			}
		}
	}
	_, err := ledgerstore.Append(ctx, tx, groups...)
	return err
}

// writer writes loans, many at once. Loans and days that others have changed meanwhile are
// not written; close tells.
type writer struct {
	tx          *store.Tx
	loans, days *store.Inserter
	tiers       *store.Inserter
	changes     []*loan.Change // whose payments, events and actions refer to loans that may be new
	nLoans      int64
	nDays       int64
}

func newWriter(tx *store.Tx) *writer {
	return &writer{
		tx: tx,
		loans: tx.Insert("loans", []string{
			"id", "tenant", "application_id", "user_id", "subject_id", "state", "outstanding", "overdue_amount", "worst_overdue", "day_end",
			"updated_at", "version", "body", "terms", "product", "class", "overdue_days", "stage", "expected_loss", "retail", "floor",
			"posted", "events", "undrawn",
		}, `on conflict (id) do update set state = excluded.state, outstanding = excluded.outstanding,
			overdue_amount = excluded.overdue_amount, worst_overdue = excluded.worst_overdue, day_end = excluded.day_end,
			updated_at = excluded.updated_at, version = excluded.version, body = excluded.body, class = excluded.class,
			overdue_days = excluded.overdue_days, stage = excluded.stage, expected_loss = excluded.expected_loss, floor = excluded.floor,
			posted = excluded.posted, events = excluded.events, undrawn = excluded.undrawn where loans.version < excluded.version`),
		days: tx.Insert("loan_days", []string{
			"loan_id", "tenant", "product", "version", "day_end", "accrued", "earned", "seg_from", "seg_to", "seg_interest", "live",
		}, `on conflict (loan_id) do update set version = excluded.version, day_end = excluded.day_end, accrued = excluded.accrued,
			earned = excluded.earned, seg_from = excluded.seg_from, seg_to = excluded.seg_to, seg_interest = excluded.seg_interest,
			live = excluded.live where loan_days.version = excluded.version - 1`),
		tiers: tx.Insert("loan_tiers", []string{"id", "tenant", "loan_id", "date", "from_tier", "to_tier", "why", "days", "amount", "at"}, ""),
	}
}

func (w *writer) day(ctx context.Context, tenant string, d *loan.Day, live bool) error {
	w.nDays++
	return w.days.Add(ctx, d.LoanID, tenant, d.Product, d.Version, d.DayEnd.String(), int64(d.Accrued), int64(d.Earned),
		int64(d.Segment.From), int64(d.Segment.To), int64(d.Segment.Interest), live)
}

// change writes a loan with its new version and what goes with it.
func (w *writer) change(ctx context.Context, l loan.Loan, c *loan.Change) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	var terms []byte
	if l.Position.Terms != nil && c.New { // they are frozen
		if terms, err = json.Marshal(l.Position.Terms); err != nil {
			return err
		}
	}
	posted, err := json.Marshal(l.Position.Posted)
	if err != nil {
		return err
	}
	owed := l.Outstanding + l.Paying()
	if l.State == loan.Drawing { // it is on its way
		owed = l.Principal
	}
	w.nLoans++
	if err := w.loans.Add(ctx, l.ID, l.Tenant, l.ApplicationID, l.UserID, l.Subject.ID, string(l.State), int64(owed),
		int64(l.OverdueAmount), int64(l.WorstOverdue), l.DayEnd.String(), store.Millis(l.UpdatedAt), l.Version, string(body), string(terms),
		l.Product, string(l.Class), int64(l.OverdueDays), int64(l.Stage), int64(l.ExpectedLoss), l.Retail(), string(l.Position.Floor),
		string(posted), int64(l.Position.Events), int64(l.Undrawn)); err != nil {
		return err
	}
	live := l.State == loan.Active || l.State == loan.Overdue
	d := loan.Day{LoanID: l.ID, Product: l.Product, Version: l.Version, DayEnd: l.DayEnd, Accrued: l.Accrued, Earned: l.Position.Earned, Segment: l.Position.Segment}
	if err := w.day(ctx, l.Tenant, &d, live); err != nil {
		return err
	}
	if m := c.Tier; m != nil { // of a loan that is there
		if err := w.tiers.Add(ctx, m.ID, m.Tenant, m.LoanID, m.Date.String(), string(m.From), string(m.To), string(m.Why), int64(m.Days),
			int64(m.Amount), store.Millis(m.At)); err != nil {
			return err
		}
	}
	if len(c.Happenings) > 0 || c.Payment != nil || c.Action != nil {
		w.changes = append(w.changes, c)
	}
	return nil
}

// close writes what is gathered. ErrStale: a loan has a newer version.
func (w *writer) close(ctx context.Context) error {
	loans, err := w.loans.Close(ctx)
	if err != nil {
		return err
	}
	days, err := w.days.Close(ctx)
	if err != nil {
		return err
	}
	if loans != w.nLoans || days != w.nDays {
		return loan.ErrStale
	}
	if _, err = w.tiers.Close(ctx); err != nil {
		return err
	}
	return w.happened(ctx)
}

// happened writes the payments, events and actions of the changes. ErrStale: others used
// their numbers or keys meanwhile.
func (w *writer) happened(ctx context.Context) error {
	payments := w.tx.Insert("payments", []string{"id", "tenant", "loan_id", "outcome", "idem_key", "key_hash", "body"},
		`on conflict (id) do update set outcome = excluded.outcome, body = excluded.body`)
	events := w.tx.Insert("loan_events", strings.Split(happeningColumns, ", "), "")
	for _, c := range w.changes {
		if c.Payment != nil {
			if err := stale(addPayment(ctx, payments, c.Payment)); err != nil {
				return err
			}
		}
		for i := range c.Happenings {
			if err := stale(addHappening(ctx, events, &c.Happenings[i])); err != nil {
				return err
			}
		}
		if c.Action != nil {
			if err := saveAction(ctx, w.tx, *c.Action); err != nil {
				return err
			}
		}
	}
	w.changes = nil
	if _, err := payments.Close(ctx); err != nil {
		return stale(err)
	}
	_, err := events.Close(ctx)
	return stale(err)
}

func stale(err error) error {
	if store.Conflict(err) {
		return loan.ErrStale
	}
	return err
}

// room says whether a new loan may start: only while its application is signed, so that a
// withdrawal at the same moment and a draw cannot both succeed; alone, unless the limit is
// drawn again and again; and within what is left of it.
func room(ctx context.Context, tx *store.Tx, l loan.Loan, c *loan.Change) error {
	var state string
	var limit, others int64
	err := tx.QueryRow(ctx, `select state, credit_limit, (select count(*) from loans where application_id = $2 and state <> 'failed')
		from applications where tenant = $1 and id = $2`, l.Tenant, l.ApplicationID).Scan(&state, &limit, &others)
	if errors.Is(err, sql.ErrNoRows) {
		return loan.ErrDrawn
	}
	if err != nil {
		return err
	}
	if !c.Revolving && others > 0 || state != "signed" && (!c.Revolving || state != "active") {
		return loan.ErrDrawn
	}
	owed, err := Owed(ctx, tx, l.Tenant, l.ApplicationID)
	if err != nil {
		return err
	}
	if left := min(money.Fen(limit), c.Most) - owed; l.Committed() > left {
		return loan.ErrLimit.At("body.amount").With("left", max(left, 0))
	}
	return nil
}

// within says whether a tranche that was just written may go out: while its application is
// active, and within the limit.
func within(ctx context.Context, tx *store.Tx, l loan.Loan, c *loan.Change) error {
	var limit int64
	err := tx.QueryRow(ctx, `select credit_limit from applications where tenant = $1 and id = $2 and state in ('signed', 'active')`,
		l.Tenant, l.ApplicationID).Scan(&limit)
	if errors.Is(err, sql.ErrNoRows) {
		return loan.ErrState.With("state", loan.Closed)
	}
	if err != nil {
		return err
	}
	owed, err := Owed(ctx, tx, l.Tenant, l.ApplicationID)
	if err != nil {
		return err
	}
	if left := min(money.Fen(limit), c.Most) - (owed - c.Out); c.Out > left {
		return loan.ErrLimit.At("body.amount").With("left", max(left, 0))
	}
	return nil
}

// Undrawn implements loan.Store.
func (s *Store) Undrawn(ctx context.Context, tenant, after string, limit int) ([]loan.Loan, error) {
	return s.loans(ctx, `where l.tenant = $1 and l.undrawn > 0 and l.id > $2 order by l.id limit $3`, tenant, after, limit)
}

// Owed is the principal that is out, or on its way, under an application.
func Owed(ctx context.Context, q store.Queryer, tenant, applicationID string) (money.Fen, error) {
	var owed int64
	// Of a loan on its way, the column holds what was asked for.
	err := q.QueryRow(ctx, `select cast(coalesce(sum(outstanding), 0) as bigint) from loans
		where tenant = $1 and application_id = $2 and state in ('drawing', 'active', 'overdue')`, tenant, applicationID).Scan(&owed)
	return money.Fen(owed), err
}

func addPayment(ctx context.Context, to *store.Inserter, p *loan.Payment) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return to.Add(ctx, p.ID, p.Tenant, p.LoanID, string(p.Outcome), p.Key, p.KeyHash, string(body))
}

func addHappening(ctx context.Context, to *store.Inserter, h *loan.Happening) error {
	e := h.Event
	body := ""
	if e.Charge != nil || e.Change != nil {
		b, err := json.Marshal(servicing.Event{Charge: e.Charge, Change: e.Change})
		if err != nil {
			return err
		}
		body = string(b)
	}
	return to.Add(ctx, h.LoanID, h.Nr, h.Tenant, e.ID, string(e.Kind), e.Date.String(), int64(e.Amount), e.Target, body, h.By, h.ByName, h.Second,
		h.SecondName, h.Note, h.Key, h.KeyHash, store.Millis(h.At))
}

const happeningColumns = `loan_id, nr, tenant, id, kind, date, amount, target, body, by_id, by_name, second, second_name, note, idem_key, key_hash, at`

func scanHappening(row store.Row) (loan.Happening, error) {
	var h loan.Happening
	var kind, date, body string
	var amount, at int64
	if err := row.Scan(&h.LoanID, &h.Nr, &h.Tenant, &h.Event.ID, &kind, &date, &amount, &h.Event.Target, &body, &h.By, &h.ByName, &h.Second,
		&h.SecondName, &h.Note, &h.Key, &h.KeyHash, &at); err != nil {
		return h, err
	}
	if body != "" {
		var more servicing.Event
		if err := json.Unmarshal([]byte(body), &more); err != nil {
			return h, err
		}
		h.Event.Charge, h.Event.Change = more.Charge, more.Change
	}
	h.Event.Kind, h.Event.Amount = servicing.Kind(kind), money.Fen(amount)
	h.At = store.Time(at)
	h.Event.At = h.At
	return h, h.Event.Date.UnmarshalText([]byte(date))
}

// Happenings implements loan.Store.
func (s *Store) Happenings(ctx context.Context, tenant string, loanIDs ...string) (map[string][]loan.Happening, error) {
	out := make(map[string][]loan.Happening, len(loanIDs))
	if len(loanIDs) == 0 {
		return out, nil
	}
	in, args := store.In([]any{tenant}, loanIDs)
	list, err := store.Collect(ctx, s.db, scanHappening, `select `+happeningColumns+` from loan_events where tenant = $1 and loan_id in `+in+`
		order by loan_id, nr`, args...)
	for _, h := range list {
		out[h.LoanID] = append(out[h.LoanID], h)
	}
	return out, err
}

// HappeningByKey implements loan.Store.
func (s *Store) HappeningByKey(ctx context.Context, tenant, key string) (loan.Happening, error) {
	h, err := scanHappening(s.db.QueryRow(ctx, `select `+happeningColumns+` from loan_events where tenant = $1 and idem_key = $2`, tenant, key))
	if errors.Is(err, sql.ErrNoRows) {
		return loan.Happening{}, loan.ErrNotFound
	}
	return h, err
}

const loanFrom = `select l.tenant, l.version, l.body, l.terms, l.posted, l.events, l.floor, d.version, d.day_end, d.accrued, d.earned,
	d.seg_from, d.seg_to, d.seg_interest from loans l join loan_days d on d.loan_id = l.id `

// row is a loan as it stands in the tables.
type row struct {
	loan.Loan
	bare bool // what the ledger holds of it must be read there
}

// scanLoan puts together what changes with events and what changes by the day.
func scanLoan(r store.Row) (row, error) {
	var x row
	l := &x.Loan
	var tenant, body, terms, posted, floor, dayEnd string
	var loanVersion, version, events, accrued, earned, from, to, interest int64
	if err := r.Scan(&tenant, &loanVersion, &body, &terms, &posted, &events, &floor, &version, &dayEnd, &accrued, &earned, &from, &to, &interest); err != nil {
		return x, err
	}
	if err := json.Unmarshal([]byte(body), l); err != nil {
		return x, err
	}
	l.Tenant, l.Version, l.Accrued = tenant, version, money.Fen(accrued)
	p := &l.Position
	p.Events, p.Earned, p.Floor = int(events), money.Fen(earned), loan.Class(floor)
	p.Segment = loan.Segment{From: money.Date(from), To: money.Date(to), Interest: money.Fen(interest)}
	if terms != "" {
		p.Terms = &servicing.Terms{}
		if err := json.Unmarshal([]byte(terms), p.Terms); err != nil {
			return x, err
		}
	}
	if x.bare = posted == ""; !x.bare {
		if err := json.Unmarshal([]byte(posted), &p.Posted); err != nil {
			return x, err
		}
	}
	return x, l.DayEnd.UnmarshalText([]byte(dayEnd))
}

// loans answers a query of loanFrom.
func (s *Store) loans(ctx context.Context, where string, args ...any) ([]loan.Loan, error) {
	rows, err := store.Collect(ctx, s.db, scanLoan, loanFrom+where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]loan.Loan, len(rows))
	for i := range rows {
		out[i] = rows[i].Loan
		if rows[i].bare {
			l := &out[i]
			sums, err := s.Booked(ctx, l.Tenant, l.ID)
			if err != nil {
				return nil, err
			}
			l.Position.Posted = loan.PostedFrom(sums[l.ID])
		}
	}
	return out, nil
}

// Booked implements loan.Store.
func (s *Store) Booked(ctx context.Context, tenant string, items ...string) (map[string]map[string]money.Fen, error) {
	out := make(map[string]map[string]money.Fen, len(items))
	type balance struct {
		account, item string
		amount        money.Fen
	}
	for part := range slices.Chunk(items, 500) {
		in, args := store.In([]any{tenant}, part)
		list, err := store.Collect(ctx, s.db, func(r store.Row) (b balance, err error) {
			return b, r.Scan(&b.account, &b.item, (*int64)(&b.amount))
		}, `select account, item, amount from ledger_balances where tenant = $1 and item in `+in, args...)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if out[b.item] == nil {
				out[b.item] = map[string]money.Fen{}
			}
			out[b.item][b.account] = b.amount
		}
	}
	return out, nil
}

func (s *Store) one(ctx context.Context, where string, args ...any) (loan.Loan, error) {
	list, err := s.loans(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = loan.ErrNotFound
	}
	if err != nil {
		return loan.Loan{}, err
	}
	return list[0], nil
}

// Loan implements loan.Store.
func (s *Store) Loan(ctx context.Context, tenant, id string) (loan.Loan, error) {
	return s.one(ctx, `where l.tenant = $1 and l.id = $2`, tenant, id)
}

// Some implements loan.Store.
func (s *Store) Some(ctx context.Context, tenant string, ids []string) ([]loan.Loan, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := store.In([]any{tenant}, ids)
	return s.loans(ctx, `where l.tenant = $1 and l.id in `+in+` order by l.id`, args...)
}

// ByApplication implements loan.Store.
func (s *Store) ByApplication(ctx context.Context, tenant, applicationID string) (loan.Loan, error) {
	return s.one(ctx, `where l.tenant = $1 and l.application_id = $2 and l.state <> 'failed' order by l.id desc limit 1`, tenant, applicationID)
}

// Owed implements loan.Store.
func (s *Store) Owed(ctx context.Context, tenant, applicationID string) (money.Fen, error) {
	return Owed(ctx, s.db, tenant, applicationID)
}

// Loans implements loan.Store.
func (s *Store) Loans(ctx context.Context, tenant string, f loan.Filter) ([]loan.Loan, error) {
	where, args := `where l.tenant = $1`, []any{tenant}
	and := func(condition string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(` and `+condition+`$%d`, len(args))
	}
	for _, c := range [...]struct{ condition, value string }{ // one that may not count would hide the index
		{"l.user_id = ", f.UserID}, {"l.subject_id = ", f.SubjectID}, {"l.id < ", f.Before}, {"l.application_id = ", f.ApplicationID},
		{"l.product = ", f.Product},
	} {
		if c.value != "" {
			and(c.condition, c.value)
		}
	}
	if f.OverdueFrom > 0 {
		and("l.overdue_days >= ", f.OverdueFrom)
	}
	var in string
	if len(f.States) > 0 {
		in, args = store.In(args, f.States)
		where += ` and l.state in ` + in
	}
	if len(f.Classes) > 0 {
		in, args = store.In(args, f.Classes)
		where += ` and l.class in ` + in
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	args = append(args, min(limit, 500))
	return s.loans(ctx, where+fmt.Sprintf(` order by l.id desc limit $%d`, len(args)), args...)
}

const paymentColumns = `tenant, idem_key, key_hash, body`

func scanPayment(row store.Row) (loan.Payment, error) {
	var p loan.Payment
	var tenant, key, hash, body string
	if err := row.Scan(&tenant, &key, &hash, &body); err != nil {
		return p, err
	}
	err := json.Unmarshal([]byte(body), &p)
	p.Tenant, p.Key, p.KeyHash = tenant, key, hash
	return p, err
}

// Payments implements loan.Store.
func (s *Store) Payments(ctx context.Context, tenant, loanID string) ([]loan.Payment, error) {
	return store.Collect(ctx, s.db, scanPayment, `select `+paymentColumns+` from payments where tenant = $1 and loan_id = $2 order by id`, tenant, loanID)
}

// PaymentByKey implements loan.Store.
func (s *Store) PaymentByKey(ctx context.Context, tenant, key string) (loan.Payment, error) {
	p, err := scanPayment(s.db.QueryRow(ctx, `select `+paymentColumns+` from payments where tenant = $1 and idem_key = $2`, tenant, key))
	if errors.Is(err, sql.ErrNoRows) {
		return loan.Payment{}, loan.ErrNotFound
	}
	return p, err
}

// Unsettled implements loan.Store.
func (s *Store) Unsettled(ctx context.Context, tenant string) ([]loan.Payment, error) {
	return store.Collect(ctx, s.db, scanPayment, `select `+paymentColumns+` from payments where tenant = $1 and outcome = $2 order by id`,
		tenant, string(pay.Unknown))
}

// Totals implements loan.Store.
func (s *Store) Totals(ctx context.Context, tenant string) (loan.Totals, error) {
	t := loan.Totals{ByState: map[loan.State]int{}}
	rows, err := s.db.Query(ctx, `select state, count(*), cast(sum(case when state = 'drawing' then 0 else outstanding end) as bigint), cast(sum(overdue_amount) as bigint)
		from loans where tenant = $1 group by state`, tenant)
	if err != nil {
		return t, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var state string
		var n int
		var outstanding, overdue int64
		if err := rows.Scan(&state, &n, &outstanding, &overdue); err != nil {
			return t, err
		}
		t.ByState[loan.State(state)] = n
		t.Outstanding += money.Fen(outstanding)
		t.Overdue += money.Fen(overdue)
	}
	return t, rows.Err()
}

// Debts implements loan.Store.
func (s *Store) Debts(ctx context.Context, tenant, userID string, since time.Time) (money.Fen, int, error) {
	var owed, worst int64
	err := s.db.QueryRow(ctx, `select cast(coalesce(sum(outstanding), 0) as bigint),
		cast(coalesce(max(case when updated_at >= $3 then worst_overdue else 0 end), 0) as bigint)
		from loans where tenant = $1 and user_id = $2 and state <> 'drawing'`, tenant, userID, store.Millis(since)).Scan(&owed, &worst)
	return money.Fen(owed), int(worst), err
}
