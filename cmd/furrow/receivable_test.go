package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/store/firm"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestReceivableVerify(t *testing.T) {
	t.Parallel()
	ctx, dsn := context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")
	db := storetest.Open(t, dsn)
	if err := firm.New(db).SaveFirms(ctx, []chain.Party{{ID: "anchor", Tenant: "bank", Name: "a"}, {ID: "mill", Tenant: "bank", Name: "m"}}); err != nil {
		t.Fatal(err)
	}
	e, err := receivable.Seal(receivable.Event{
		ReceivableID: "r", Seq: 1, Kind: receivable.Propose, At: time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC),
		Terms: &receivable.Terms{Number: "AR1", ObligorID: "anchor", CreditorID: "mill", Amount: 100, Due: 20_000},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := receivable.Replay("bank", []receivable.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	if err := receivablestore.New(db).Append(ctx, []receivable.Change{{After: r, Event: e, Key: "k", Touched: r.Parts}}); err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(ctx, append([]string{"receivable", "verify"}, args...), stdio{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	if code, out := verify("--db", dsn); code != 0 || !strings.Contains(out, "bank: 1 receivables, 1 events") {
		t.Errorf("%d %s", code, out)
	}
	if _, err := db.Exec(ctx, `update receivable set body = replace(body, '"remaining":100', '"remaining":99')`); err != nil {
		t.Fatal(err)
	}
	code, out := verify("--db", dsn, "--json")
	var got struct {
		OK    bool               `json:"ok"`
		Books []receivable.Audit `json:"books"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.OK || len(got.Books) != 1 || len(got.Books[0].Faults) != 1 {
		t.Errorf("%d %s %v", code, out, err)
	}
	if code, out := verify("--db", "sqlite:/nowhere/furrow.db"); code != 2 || !strings.Contains(out, "no database") {
		t.Errorf("%d %s", code, out)
	}
}
