package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
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
