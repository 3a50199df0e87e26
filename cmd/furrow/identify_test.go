package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/internal/realdata"
)

type identifyAnswer struct {
	Count int          `json:"count"`
	Firms []identified `json:"firms"`
}

func identify(t *testing.T, args ...string) (identifyAnswer, error) {
	t.Helper()
	var out, errs strings.Builder
	err := runChainIdentify(t.Context(), append(args, "--json"), stdio{Out: &out, Err: &errs})
	var a identifyAnswer
	if err == nil || errors.Is(err, errNo) {
		if e := json.Unmarshal([]byte(out.String()), &a); e != nil {
			t.Fatal(e, out.String())
		}
	}
	return a, err
}

const invoiceTable = `进货发票
卖方名称,买方名称,发票号码,金额,开票日期,货物名称
青穗铸造有限公司,丰岭汽车有限公司,1,"120,000.00",2026-03-01,*金属制品*铝合金压铸件
青穗铸造有限公司,丰岭汽车有限公司,2,"80,000.00",2026/4/1,*金属制品*铝合金压铸件
禾垄钢材有限公司,青穗铸造有限公司,3,5000元,2026-04-02,*黑色金属冶炼压延品*生铁
丰岭汽车有限公司,南坡汽车销售有限公司,4,900000,2026-04-03,轿车
`

func TestIdentifyFromInvoices(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	if err := os.WriteFile(file, []byte(invoiceTable), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := identify(t, "--anchor", "丰岭汽车（有限公司）", "--invoices", file, "--out", out)
	if err != nil || a.Count != 2 || a.Firms[0].Name != "青穗铸造有限公司" || a.Firms[0].Amount != "200000.00" || a.Firms[0].OfBuyer != 1 || a.Firms[1].Tier != 2 {
		t.Errorf("%+v %v", a, err)
	}
	if len(a.Firms[0].Nodes) == 0 || a.Firms[0].Nodes[0] != "automotive.casting.die" {
		t.Errorf("%v", a.Firms[0].Nodes)
	}
	table, err := os.ReadFile(out)
	if err != nil || strings.Count(string(table), "\n") != 3 || !strings.HasPrefix(string(table), "tier,id,name,confidence") {
		t.Errorf("%s %v", table, err)
	}
	if a, err = identify(t, "--anchor", "丰岭汽车有限公司", "--invoices", file, "--dealers"); err != nil || a.Count != 1 || a.Firms[0].Name != "南坡汽车销售有限公司" {
		t.Errorf("%+v %v", a, err)
	}
	if a, err = identify(t, "--anchor", "禾垄钢材有限公司", "--invoices", file); !errors.Is(err, errNo) || a.Count != 0 {
		t.Errorf("%+v %v", a, err)
	}
	for name, args := range map[string][]string{
		"no anchor":     {"--invoices", file},
		"no source":     {"--anchor", "a"},
		"two sources":   {"--anchor", "a", "--graph", "x", "--reference", "y"},
		"no files":      {"--anchor", "a", "--invoices"},
		"unknown firm":  {"--anchor", "不在", "--invoices", file},
		"tiers":         {"--anchor", "a", "--invoices", file, "--tiers", "9"},
		"absent file":   {"--anchor", "a", "--invoices", dir + "/absent.csv"},
		"no header":     {"--anchor", "a", "--invoices", out},
		"no such node":  {"--anchor", "丰岭汽车有限公司", "--invoices", file, "--node", "nonsense"},
		"absent folder": {"--anchor", "a", "--reference", dir + "/absent"},
	} {
		if _, err := identify(t, args...); err == nil || errors.Is(err, errNo) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentifyFromGraph(t *testing.T) {
	t.Parallel()
	index := graph.NewIndex()
	trade := graph.Trade{Kinds: graph.Orders | graph.Invoices | graph.Payments, Count: 9, Amount: 700, First: 20_000, Last: 20_100}
	links := []graph.Link{
		{From: index.Add("s"), To: index.Add("a"), Trade: trade},
		{From: index.Add("t"), To: index.Add("s"), Trade: graph.Trade{}},
		{From: index.Add("o"), To: index.Add("a"), Trade: graph.Trade{Kinds: graph.Orders, Count: 1, Amount: 300, First: 20_100, Last: 20_100}},
	}
	file := filepath.Join(t.TempDir(), "x.graph")
	if err := (&graph.Snapshot{Graph: graph.BuildLinks(index.Len(), links), Index: index}).Write(file); err != nil {
		t.Fatal(err)
	}
	a, err := identify(t, "--anchor", "a", "--graph", file)
	if err != nil || a.Count != 3 || a.Firms[0].ID != "s" || a.Firms[0].OfBuyer != 0.7 || a.Firms[1].ID != "o" || a.Firms[2].ID != "t" || a.Firms[2].Reasons[0] != "named_only" {
		t.Errorf("%+v %v", a, err)
	}
	for _, want := range []graph.Trade{trade, {}, {Kinds: graph.Confirmations, Count: 4, Amount: 1}} {
		if got := graph.TradeOf(linkOf("x", "y", want)); got != want {
			t.Errorf("%+v, not %+v", got, want)
		}
	}
	if _, err := identify(t, "--anchor", "nobody", "--graph", file); err == nil {
		t.Error("a firm that the graph lacks")
	}
}

func TestIdentifyFromReference(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "chain")
	a, err := identify(t, "--anchor", "宁德时代", "--reference", dir, "--tiers", "1", "--limit", "50")
	if err != nil || a.Count == 0 {
		t.Fatal(a.Count, err)
	}
	inTrade := 0
	for _, f := range a.Firms {
		if f.Confidence <= 0 || f.Confidence > 0.6 || f.Evidence == "" {
			t.Errorf("%+v", f)
		}
		if onNode(f.Nodes, "newenergy") || onNode(f.Nodes, "chemicals") {
			inTrade++
		}
	}
	if inTrade < a.Count*3/4 {
		t.Errorf("only %d of %d are of the trade", inTrade, a.Count)
	}
	a, err = identify(t, "--anchor", "CSF0000002238", "--reference", filepath.Join(dir, "kag"))
	if err != nil || a.Count != 1 || a.Firms[0].ID != "CSF0000001579" || a.Firms[0].Reasons[0] != "main_supply" {
		t.Errorf("%+v %v", a, err)
	}
}
