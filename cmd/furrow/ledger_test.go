package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
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
