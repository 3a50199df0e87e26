package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/graph/export"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

const trades = `id,seller,buyer,amount,date,kind
1,farm,mill,1200.5,2026-01-31,order
2,farm,mill,99.50,2026-02-28,invoice
3,mill,brand,,,
4,mill,mill,,,
5,other farm,mill,x,,
`

func TestChainGraphFromTableToReachAndExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table, file := filepath.Join(dir, "trades.csv"), filepath.Join(dir, "trades.graph")
	if err := os.WriteFile(table, []byte(trades), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := tool(t, "chain", "import", table, "--out", file, "--refusals")
	if code != 0 || !strings.Contains(out, "5 rows: 2 links, 1 added to a link, 0 duplicates, 2 refused; 3 firms") || !strings.Contains(out, "trades.csv:5: self_loop") {
		t.Fatal(code, out, errs)
	}
	code, out, errs = tool(t, "chain", "reach", "--graph", file, "--from", "brand", "--paths", "--json")
	var got struct {
		Reached int
		Tiers   []tierCount
		List    []reached
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if got.Reached != 2 || len(got.List) != 2 || got.List[1].ID != "farm" || got.List[1].Hops != 2 {
		t.Fatalf("%+v", got)
	}
	first := got.List[1].Path[0]
	if first != (hop{"farm", "mill", "order;invoice", 2, 130_000, "2026-01-31", "2026-02-28"}) || got.List[1].Path[1].Buyer != "brand" {
		t.Errorf("%+v", got.List[1].Path)
	}
	if code, out, _ := tool(t, "chain", "reach", "--graph", file, "--from", "farm", "mill", "--direction", "down", "--hops", "1"); code != 0 || !strings.Contains(out, "together: tier 1: 1, 1 firms") {
		t.Error(code, out)
	}
	for _, format := range []string{"parquet", "nebula", "neo4j"} {
		to := filepath.Join(dir, format)
		if code, out, errs := tool(t, "chain", "export", "--graph", file, "--format", format, "--out", to); code != 0 || !strings.Contains(out, "3 firms and 2 links") {
			t.Error(code, out, errs)
		}
		if code, _, errs := tool(t, "chain", "export", "--graph", file, "--format", format, "--out", to); code == 0 || !strings.Contains(errs, "there already") {
			t.Error(code, errs)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"reach", "--graph", file, "--from", "nobody"}, "nobody"},
		{[]string{"reach", "--graph", table, "--from", "farm"}, "not a graph file"},
		{[]string{"reach", "--graph", filepath.Join(dir, "absent"), "--from", "farm"}, "absent"},
		{[]string{"reach", "--graph", file, "--from", "farm", "--direction", "left"}, "--direction"},
		{[]string{"export", "--graph", file, "--format", "xml", "--out", filepath.Join(dir, "x")}, "xml"},
		{[]string{"import", table, "--from", "supplier"}, "supplier"},
		{[]string{"import", dir, "--out", file}, ".csv"},
		{[]string{"import", table, "--out", filepath.Join(dir, "absent", "g")}, "cannot be written"},
	} {
		if code, _, errs := tool(t, append([]string{"chain"}, c.args...)...); code == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s", c.args, code, errs)
		}
	}
}

func TestChainGraphOfReferenceSupply(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "supply.graph")
	table := filepath.Join(realdata.Dir(t, "chain"), "ckg_implied_supply.csv")
	code, out, errs := tool(t, "chain", "import", table, "--from", "supplier_code", "--to", "buyer_code", "--out", file, "--json")
	var got struct {
		Rows, Links, Summed, Duplicates, Firms int
		Refused                                map[string]int
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	sum := got.Links + got.Summed + got.Duplicates
	for _, n := range got.Refused {
		sum += n
	}
	if got.Rows != sum || got.Links == 0 || got.Firms == 0 {
		t.Errorf("%+v", got)
	}
	if code, out, _ := tool(t, "chain", "reach", "--graph", file, "--from", "000019.SZ", "--direction", "down", "--list", "0"); code != 0 || !strings.Contains(out, "000019.SZ: tier 1:") {
		t.Error(code, out)
	}
}

// TestChainExportOfBooks: what a house knows of trade comes out in every format, and is
// the trade of the bank that was asked for.
func TestChainExportOfBooks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "furrow.db")
	books := firm.New(storetest.Open(t, dsn))
	now := time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)
	if err := books.SaveFirms(t.Context(), []chain.Party{{ID: "anchor", Tenant: "bank", Name: "青穗集团", AnchorOf: true, CreatedAt: now}}); err != nil {
		t.Fatal(err)
	}
	desk := upload.New(upload.Config{Store: books, Now: func() time.Time { return now }})
	who := upload.Who{Tenant: "bank", AnchorID: "anchor", UserID: "u", UserName: "采购员"}
	u, err := desk.Check(t.Context(), who, chain.Invoice, "x.csv", []byte("发票号码,卖方,买方,金额,开票日期\nI1,丰岭厂,青穗集团,1000,2026-03-01\nI2,南坡厂,丰岭厂,500.25,2026-03-02\nI3,南坡厂,丰岭厂,100,2026-04-02\n"))
	if err == nil {
		_, err = desk.Commit(t.Context(), who, u.ID, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"parquet", "nebula", "neo4j"} {
		code, out, errs := tool(t, "chain", "export", "--db", dsn, "--tenant", "bank", "--format", format, "--out", filepath.Join(dir, format))
		if code != 0 || !strings.Contains(out, "3 firms and 2 links") {
			t.Error(format, code, out, errs)
		}
	}
	links, err := parquet.ReadFile[export.Link](filepath.Join(dir, "parquet", "links.parquet"))
	if err != nil || len(links) != 2 {
		t.Fatal(err, links)
	}
	slices.SortFunc(links, func(a, b export.Link) int { return int(b.AmountFen - a.AmountFen) })
	if l := links[0]; l.Buyer != "anchor" || l.AmountFen != 100_000 || l.Documents != 1 || l.Kinds != "invoice" || l.First != graph.Day("2026-03-01") {
		t.Errorf("%+v", l)
	}
	if l := links[1]; l.Buyer != links[0].Seller || l.AmountFen != 60_025 || l.Documents != 2 || l.First != graph.Day("2026-03-02") || l.Last != graph.Day("2026-04-02") {
		t.Errorf("%+v", l)
	}
	for _, args := range [][]string{{"--db", dsn, "--tenant", "other"}, {"--db", "sqlite:" + filepath.Join(dir, "absent.db")}} {
		to := filepath.Join(dir, "none")
		if code, out, _ := tool(t, append([]string{"chain", "export", "--format", "parquet", "--out", to}, args...)...); code == 0 {
			t.Error(args, out)
		}
		if _, err := os.Stat(to); err == nil {
			t.Error("something was written", args)
		}
	}
}
