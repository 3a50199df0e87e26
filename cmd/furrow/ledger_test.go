package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestLedgerVerify(t *testing.T) {
	t.Parallel()
	ctx, dsn := context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")
	db := storetest.Open(t, dsn)
	book := ledger.New(ledgerstore.New(db), ledger.Chart{{Code: "cash"}, {Code: "loan_principal"}}, time.Now)
	_, err := book.Post(ctx, ledger.Entry{Tenant: "bank", Key: "k", Kind: "draw", Date: money.DateOf(time.Now()), Postings: []ledger.Posting{
		{Account: "loan_principal", Item: "l", Amount: 500}, {Account: "cash", Item: "l", Amount: -500},
	}})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(ctx, append([]string{"ledger", "verify"}, args...), stdio{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	if code, out := verify("--db", dsn); code != 0 || !strings.Contains(out, "bank: 1 entries") {
		t.Errorf("%d %s", code, out)
	}
	if _, err := db.Exec(ctx, `update ledger_balances set amount = 400 where account = 'loan_principal'`); err != nil {
		t.Fatal(err)
	}
	code, out := verify("--db", dsn, "--json")
	var got struct {
		OK    bool           `json:"ok"`
		Books []ledger.Audit `json:"books"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.OK || len(got.Books) != 1 || len(got.Books[0].Faults) != 1 {
		t.Errorf("%d %s %v", code, out, err)
	}
	if code, out := verify("--db", "sqlite:/nowhere/furrow.db"); code != 2 || !strings.Contains(out, "no database") {
		t.Errorf("%d %s", code, out)
	}
	if code, _ := verify("surplus"); code != 2 {
		t.Errorf("bad usage gives %d", code)
	}
}

func TestLedgerTrialAndJournal(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "furrow.db")
	book := ledger.New(ledgerstore.New(storetest.Open(t, dsn)), ledger.Chart{{Code: "cash"}, {Code: "loan_principal"}}, time.Now)
	day := money.NewDate(2026, 7, 1)
	post := func(tenant string, n int) {
		t.Helper()
		for i := range n {
			_, err := book.Post(ctx, ledger.Entry{Tenant: tenant, Key: strconv.Itoa(i), Kind: "draw", Item: "l", Date: day + money.Date(i), Postings: []ledger.Posting{
				{Account: "loan_principal", Item: "l", Amount: 50000}, {Account: "cash", Item: "l", Amount: -50000},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	post("bank", 3)
	furrow := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(ctx, append(append([]string{"ledger"}, args...), "--db", dsn), stdio{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	if code, out := furrow("trial", "--on", "2026-07-02"); code != 0 || !strings.Contains(out, "贷款本金") || !strings.Contains(out, "1000.00") || strings.Contains(out, "1500.00") {
		t.Errorf("%d %s", code, out)
	}
	code, out := furrow("trial", "--from", "2026-07-02", "--json")
	var got struct {
		OK    bool           `json:"ok"`
		Books []ledger.Trial `json:"books"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || !got.OK || got.Books[0].Debits != 100000 || got.Books[0].Lines[0].Opening == 0 {
		t.Errorf("%d %s %v", code, out, err)
	}
	file := filepath.Join(dir, "journal.csv")
	if code, out := furrow("journal", "--from", "2026-07-02", "--out", file); code != 0 || !strings.Contains(out, "2 entries") {
		t.Errorf("%d %s", code, out)
	}
	if b, err := os.ReadFile(file); err != nil || bytes.Count(b, []byte("\n")) != 5 || !bytes.Contains(b, []byte("结算存款")) {
		t.Errorf("%s %v", b, err)
	}
	post("other", 1)
	for name, args := range map[string][]string{
		"two books":    {"journal", "--out", file},
		"no file":      {"journal", "--tenant", "bank"},
		"no such book": {"trial", "--tenant", "nobody"},
		"no such day":  {"trial", "--on", "2026-02-29"},
		"backwards":    {"trial", "--from", "2026-02-02", "--to", "2026-02-01"},
		"two ends":     {"trial", "--on", "2026-02-02", "--to", "2026-02-01"},
		"surplus":      {"trial", "surplus"},
	} {
		if code, out := furrow(args...); code != 2 {
			t.Errorf("%s gives %d %s", name, code, out)
		}
	}
	if code, out := furrow("journal", "--tenant", "other", "--lang", "en", "--out", file+".gz", "--json"); code != 0 || !strings.Contains(out, `"entries": 1`) {
		t.Errorf("%d %s", code, out)
	}
}
