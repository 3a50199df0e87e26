package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestFundCommands(t *testing.T) {
	t.Parallel()
	ctx, dsn := context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")
	db := storetest.Open(t, dsn)
	now := func() time.Time { return time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC) }
	shared := fund.New(fund.Config{
		Store: fundstore.New(db), Now: now,
		Book:      ledger.New(ledgerstore.New(db), ledger.Chart{{Code: "cash"}, {Code: fund.PoolMoney}}, now),
		Catalogue: &fund.Catalogue{Funders: []fund.Participant{{Code: "county_relief", Kind: fund.Pool}}},
	})
	// The county pays a thousand yuan into its pool.
	if _, err := shared.Settle(ctx, "bank", fund.FundSettlement{
		Funder: "county_relief", Amount: -100_000, Date: money.DateOf(now()), Ref: "wire", Key: "k1",
	}); err != nil {
		t.Fatal(err)
	}
	furrow := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(ctx, append([]string{"fund"}, args...), stdio{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	if code, out := furrow("check", "--db", dsn); code != 0 || !strings.Contains(out, "bank: 0 shared loans, 1 entries, 2 postings") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := furrow("statement", "county_relief", "2026-05", "--db", dsn); code != 0 || !strings.Contains(out, "total,0.00") || !strings.Contains(out, "-1000.00,1000.00") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := furrow("statement", "county_relief", "May", "--db", dsn); code != 2 || !strings.Contains(out, "2026-05") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := furrow("statement", "county_relief", "2026Q2", "--db", dsn); code != 2 || !strings.Contains(out, "is a pool") {
		t.Errorf("%d %s", code, out)
	}
	if _, err := db.Exec(ctx, `update fund_line set amount = amount + 1 where account = 'cash'`); err != nil {
		t.Fatal(err)
	}
	if code, out := furrow("check", "--db", dsn, "--json"); code != 1 || !strings.Contains(out, `"ok": false`) {
		t.Errorf("%d %s", code, out)
	}
}
