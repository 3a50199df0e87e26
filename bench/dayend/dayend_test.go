// Package dayend_test measures the day end of many loans on both databases, beside the
// least that SQL must do for it: one statement that moves each loan, one that adds each
// posting and one that moves each balance, without any reading, hashing or proof.
//
//	FURROW_BENCH_LOANS=1000000 go test -run '^$' -bench . -benchtime 1x -timeout 60m ./bench/dayend
package dayend_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/job"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/alert"
	"github.com/furrowcredit/furrow/store/application"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	queues "github.com/furrowcredit/furrow/store/queue"
	"github.com/furrowcredit/furrow/store/storetest"
)

const tenant = "t"

type bank struct{}

func (bank) Send(_ context.Context, o pay.Order) (pay.Receipt, error) {
	return pay.Receipt{OrderID: o.ID, Outcome: pay.Settled}, nil
}

func (bank) Query(_ context.Context, id string) (pay.Receipt, error) {
	return pay.Receipt{OrderID: id, Outcome: pay.Settled}, nil
}

type house struct {
	db    *store.DB
	loans *loan.Service
	book  *ledger.Service
	now   time.Time
}

func open(b *testing.B, dsn string) *house {
	files, err := catalog.Open("")
	must(b, err)
	chart, err := ledger.LoadChart(files)
	must(b, err)
	table, err := provision.Load(files)
	must(b, err)
	h := &house{db: storetest.Open(b, dsn), now: time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	h.book = ledger.New(ledgerstore.New(h.db), chart, clock)
	products, err := product.Load(files)
	must(b, err)
	funders, err := fund.Load(files, products.All())
	must(b, err)
	shares := fundstore.New(h.db)
	share := fund.New(fund.Config{Store: shares, Catalogue: funders, Book: h.book, Related: shares.Related, Now: clock})
	driver, err := queues.Driver(context.Background(), h.db)
	must(b, err)
	runner, err := job.New(driver, job.Work{}, job.Options{Log: slog.New(slog.DiscardHandler)})
	must(b, err)
	h.loans = loan.New(loan.Config{
		Store: loanstore.New(h.db), Book: h.book, Rail: bank{}, Alerts: &watch.Desk{Store: alert.New(h.db), Now: clock}, Now: clock, Provision: table,
		Share: share.Share, Admit: share.Admit,
	})
	h.loans.OnChange(share.Changed)
	apply.New(apply.Config{Store: application.New(h.db), Products: products, Loans: h.loans, Queue: runner, Now: clock})
	return h
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// measured is the day that is measured; on the next all that fell due on it are late.
var measured = money.NewDate(2026, 4, 13)

// kinds are loans of which one in ten falls due on the day that is measured and nobody pays,
// and one in twenty is overdue already. Half of them are shared with another bank.
func (h *house) kinds(b *testing.B) []loan.Loan {
	ctx := context.Background()
	var out []loan.Loan
	for i := range 40 {
		day := money.NewDate(2026, 3, 15) + money.Date(i%25)
		switch {
		case i < 4:
			day = money.NewDate(2026, 3, 13)
		case i >= 38:
			day = money.NewDate(2026, 1, 20)
		}
		code := []string{"crop", "cold_chain"}[i%2]
		h.now = day.Start().Add(12 * time.Hour)
		app := fmt.Sprintf("a%d", i)
		_, err := h.db.Exec(ctx, `insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked,
			term_months, purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
			values ($1, 't', $1, 'n', 'plot', $1, 's', $2, 1, 12, '', 'signed', '', '', 100000000, 0, $1, '', 0, 0)`, app, code)
		must(b, err)
		l, err := h.loans.Draw(ctx, loan.DrawRequest{Key: app, Most: 1e9, Loan: loan.Loan{
			Tenant: tenant, ApplicationID: app, UserID: app, UserName: "n", Subject: credit.Subject{Kind: credit.PlotSubject, ID: app}, Product: code,
			Principal: 5_000_000, Rate: money.BP(600), PenaltyRate: money.BP(900), Method: loan.EqualInstalments, DayCount: money.Act360, TermMonths: 12,
		}})
		must(b, err)
		out = append(out, l)
	}
	return out
}

// many draws loans of all kinds, brings them to a day and copies them until there are n.
func (h *house) many(b *testing.B, n int, first money.Date) {
	kinds := h.kinds(b)
	ctx := context.Background()
	h.now = first.Start().Add(12 * time.Hour)
	_, err := h.loans.DayEnd(ctx, tenant, first)
	must(b, err)
	each := n/len(kinds) - 1
	if each <= 0 {
		return
	}
	numbers := `with recursive n(i) as (select 1 union all select i + 1 from n where i < ` + strconv.Itoa(each) + `) `
	for _, k := range kinds {
		for _, stmt := range []string{
			`insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked, term_months, purpose,
				state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
				select a.id || '-' || n.i, tenant, a.id || '-' || n.i, user_name, subject_kind, subject_id, subject_name, product, asked, term_months,
				purpose, state, decision_id, loan_id, credit_limit, rate, a.id || '-' || n.i, key_hash, created_at, updated_at
				from n, applications a where a.id = (select application_id from loans where id = $1)`,
			`insert into loans (id, tenant, application_id, user_id, subject_id, state, outstanding, overdue_amount, worst_overdue, day_end, updated_at,
				version, body, terms, product, class, overdue_days, stage, expected_loss, retail, floor, posted, events)
				select l.id || '-' || n.i, tenant, application_id || '-' || n.i, user_id || '-' || n.i, subject_id, state, outstanding, overdue_amount,
				worst_overdue, day_end, updated_at, version, replace(body, l.id, l.id || '-' || n.i), terms, product, class, overdue_days, stage,
				expected_loss, retail, floor, posted, events from n, loans l where l.id = $1`,
			`insert into loan_days (loan_id, tenant, product, version, day_end, accrued, earned, seg_from, seg_to, seg_interest, live)
				select loan_id || '-' || n.i, tenant, product, version, day_end, accrued, earned, seg_from, seg_to, seg_interest, live
				from n, loan_days where loan_id = $1`,
			`insert into loan_events (loan_id, nr, tenant, id, kind, date, amount, target, body, by_id, by_name, second, second_name, note, idem_key, key_hash, at)
				select loan_id || '-' || n.i, nr, tenant, e.id, kind, date, amount, target, body, by_id, by_name, second, second_name, note,
				idem_key || '-' || n.i, key_hash, at from n, loan_events e where loan_id = $1`,
			`insert into fund_loan (tenant, loan_id, application_id, product, agreement, internet, own, guarantor, guarantor_bp, bucket, debtor, own_reserved,
				reserved, drawn, body, frozen_at)
				select tenant, loan_id || '-' || n.i, application_id || '-' || n.i, product, agreement, internet, own, guarantor, guarantor_bp, bucket, debtor,
				own_reserved, reserved, drawn, body, frozen_at from n, fund_loan where loan_id = $1`,
			`insert into fund_position (tenant, loan_id, party, lends, held) select tenant, loan_id || '-' || n.i, party, lends, held
				from n, fund_position where loan_id = $1`,
			`insert into fund_line (tenant, entry_key, nr, kind, loan_id, event, date, account, party, amount) select tenant, entry_key || '-' || n.i, nr,
				kind, loan_id || '-' || n.i, event, date, account, party, amount from n, fund_line where loan_id = $1`,
		} {
			_, err := h.db.Exec(ctx, numbers+stmt, k.ID)
			must(b, err)
		}
	}
	// The loans were copied beneath the ledger: without as many balances, of another book, the
	// database would plan its look-ups for a table of a few rows.
	_, err = h.db.Exec(ctx, `insert into ledger_balances (tenant, account, item, amount) select 'another', 'loan_principal', id, outstanding from loans`)
	must(b, err)
	if h.db.Kind() == "postgres" {
		_, err := h.db.Exec(ctx, `analyze`)
		must(b, err)
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkDayEnd(b *testing.B) { onBoth(b, run) }

// BenchmarkMonthEnd measures the last day of a month, on which every loan is replayed and its
// statement made.
func BenchmarkMonthEnd(b *testing.B) {
	onBoth(b, func(b *testing.B, dsn string, n int) {
		h, ctx := open(b, dsn), context.Background()
		last := money.NewDate(2026, 4, 30)
		h.many(b, n, last-1)
		for b.Loop() {
			h.day(b, last, "")
		}
		var stated int
		must(b, h.db.QueryRow(ctx, `select count(*) from loan_statements where month = '2026-04'`).Scan(&stated))
		if stated < n {
			b.Fatalf("%d statements of %d loans", stated, n)
		}
	})
}

func onBoth(b *testing.B, run func(b *testing.B, dsn string, n int)) {
	n := 2000
	if text := os.Getenv("FURROW_BENCH_LOANS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		must(b, err)
	}
	b.Run("sqlite", func(b *testing.B) { run(b, "sqlite:"+filepath.Join(b.TempDir(), "f.db"), n) })
	b.Run("postgres", func(b *testing.B) { run(b, storetest.Postgres(b), n) })
}

func run(b *testing.B, dsn string, n int) {
	h, ctx := open(b, dsn), context.Background()
	h.many(b, n, measured-1)
	size := h.size(b)
	for b.Loop() {
		h.day(b, measured, "")
		grown := h.size(b) - size
		h.day(b, measured+1, "late-")
		b.ReportMetric(float64(grown)/float64(n), "B/loan")
	}
	audit, err := h.book.Verify(ctx, tenant)
	must(b, err)
	if !audit.OK() {
		b.Fatalf("%+v", audit.Faults[:min(3, len(audit.Faults))])
	}
}

// day measures a day end.
func (h *house) day(b *testing.B, day money.Date, what string) {
	ctx := context.Background()
	h.now = day.Start().Add(12 * time.Hour)
	begin, used := time.Now(), cpu()
	report, err := h.loans.DayEnd(ctx, tenant, day)
	must(b, err)
	took := time.Since(begin)
	runs, err := h.loans.Runs(ctx, tenant, 1)
	must(b, err)
	b.ReportMetric(float64(report.Loans)/took.Seconds(), what+"loans/s")
	b.ReportMetric(took.Seconds()*1e6/float64(report.Loans), what+"s/million")
	b.ReportMetric((cpu()-used).Seconds()*1e6/float64(report.Loans), what+"own-cpu-s/million")
	b.ReportMetric(float64(runs[0].Replayed)/float64(report.Loans)*100, what+"%replayed")
	b.ReportMetric(took.Seconds()/h.plain(b).Seconds(), what+"x-plain-sql")
}

// size is how many bytes of ledger entries, postings and funders' lines there are, as text.
func (h *house) size(b *testing.B) (sum int64) {
	b.Helper()
	for _, q := range []string{
		`select coalesce(sum(length(idem_key) + length(postings) + 250), 0) from ledger_entries`,
		`select coalesce(sum(length(account) + length(item) + 60), 0) * 2 from ledger_postings`,
		`select coalesce(sum(length(entry_key) + length(loan_id) + 100), 0) from fund_line`,
	} {
		var n int64
		must(b, h.db.QueryRow(context.Background(), q).Scan(&n))
		sum += n
	}
	return sum
}

// plain is the least that SQL must do for a day: in one transaction a row of each loan
// moves, a posting is added for each, and a balance of each moves.
func (h *house) plain(b *testing.B) time.Duration {
	b.Helper()
	ctx := context.Background()
	for _, stmt := range []string{
		`drop table if exists plain_postings`,
		`create table plain_postings (tenant text not null, account text not null, seq bigint not null, nr bigint not null, item text not null,
			date text not null, amount bigint not null, primary key (tenant, account, seq, nr))`,
		`create index plain_postings_item on plain_postings (tenant, item, account)`,
	} {
		_, err := h.db.Exec(ctx, stmt)
		must(b, err)
	}
	begin := time.Now()
	must(b, h.db.Tx(ctx, func(tx *store.Tx) error {
		for _, stmt := range []string{
			`update loan_days set accrued = accrued + 1, earned = earned + 1 where tenant = 't' and live`,
			`insert into plain_postings (tenant, account, seq, nr, item, date, amount)
				select tenant, 'interest_receivable', 1, row_number() over (order by loan_id), loan_id, day_end, 1 from loan_days where tenant = 't' and live`,
			`update ledger_balances set amount = amount + 1 where tenant = 't' and account = 'interest_receivable'`,
		} {
			if _, err := tx.Exec(ctx, stmt); err != nil {
				return err
			}
		}
		return nil
	}))
	took := time.Since(begin)
	// What it moved goes back, so that the book can be verified.
	for _, stmt := range []string{
		`update loan_days set accrued = accrued - 1, earned = earned - 1 where tenant = 't' and live`,
		`update ledger_balances set amount = amount - 1 where tenant = 't' and account = 'interest_receivable'`,
	} {
		_, err := h.db.Exec(ctx, stmt)
		must(b, err)
	}
	return took
}
