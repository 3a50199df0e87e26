package reference_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func industries(t testing.TB) *industry.Catalogue {
	t.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := industry.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cars is a maker of tyres with two cuts of revenue, a maker of cars, and a cook.
func cars() []reference.Source {
	return []reference.Source{
		source("company.jsonl", `{"code":"1","fullname":"丰岭轮胎"}`, `{"code":"2","fullname":"禾垄汽车"}`, `{"code":"3","fullname":"青穗食品"}`, `{"code":"4","fullname":"无货公司"}`),
		source("product.jsonl", `{"name":"轮胎"}`, `{"name":"子午线轮胎"}`, `{"name":"轿车"}`, `{"name":"分部间抵销"}`, `{"name":"鸡蛋"}`, `{"name":"洗涤"}`),
		source("company_product.jsonl",
			`{"company_code":"1","product":"轮胎","weight":0.9}`, `{"company_code":"1","product":"子午线轮胎","weight":0.9}`,
			`{"company_code":"1","product":"分部间抵销","weight":0.2}`, `{"company_code":"1","product":"洗涤","weight":0.001}`,
			`{"company_code":"2","product":"轿车","weight":1}`, `{"company_code":"3","product":"鸡蛋","weight":0.8}`),
		source("product_product.jsonl", `{"from":"轿车","to":"轮胎","rel":"上游材料"}`, `{"from":"轿车","to":"鸡蛋","rel":"上游材料"}`, `{"from":"鸡蛋","to":"轿车","rel":"上游材料"}`),
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	c, r, err := reference.Import(t.Context(), cars(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(reference.Defects{Offsets: 1, Nominal: 1, SeveralCuts: 1, NoProducts: 1, TwoCycles: 1, Needs: 3}, r.Defects); d != "" {
		t.Error(d)
	}
	if d := c.Defects(industries(t)); d.FoodNeeds != 1 {
		t.Errorf("%+v", d)
	}
	sum := 0.0
	for _, p := range c.Shares(c.Find("1")[0].ID) {
		if p.Weight > reference.Nominal {
			sum += p.Weight
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("shares add up to %v", sum)
	}
	got := reference.NewCandidates(c, industries(t)).Suppliers(c.Find("2")[0].ID)
	if len(got) != 2 || got[0].Supplier != "丰岭轮胎" || got[0].Evidence != "needs" || got[0].SupplierShare != 0.5 || got[1].Supplier != "青穗食品" {
		t.Fatalf("%+v", got)
	}
	if got[1].Confidence > got[0].Confidence/3 || got[0].Confidence >= 0.6 {
		t.Errorf("a car needs no eggs, and a candidate is no fact: %v %v", got[0].Confidence, got[1].Confidence)
	}
	if n := len(reference.NewCandidates(c, nil).Suppliers(c.Find("4")[0].ID)); n != 0 {
		t.Errorf("%d suppliers of a firm without products", n)
	}
}

// TestImpliedSupply: the candidates hold every pair of the derived join.
func TestImpliedSupply(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "chain")
	sources, closeAll, err := reference.Files(dir)
	defer closeAll()
	if err != nil {
		t.Fatal(err)
	}
	c, report, err := reference.Import(t.Context(), sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	cat := industries(t)
	t.Logf("%+v", c.Defects(cat))
	if report.Defects.NoProducts != 754 || report.Defects.TwoCycles == 0 {
		t.Errorf("%+v", report.Defects)
	}
	f, err := os.Open(filepath.Join(dir, "ckg_implied_supply.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, r := range rows[1:] {
		want[r[0][:6]+">"+r[1][:6]] = true
	}
	found := map[string]bool{}
	var sure, all int
	reference.NewCandidates(c, cat).Needs(func(x reference.Candidate) {
		found[x.SupplierCode+">"+x.BuyerCode] = true
		if all++; x.Confidence >= 0.2 {
			sure++
		}
		if x.Confidence <= 0 || x.Confidence > 0.6 {
			t.Fatalf("%+v", x)
		}
	})
	hit := 0
	for p := range want {
		if found[p] {
			hit++
		}
	}
	t.Logf("%d of %d pairs found; %d candidates between %d pairs, %d of them with a confidence of 0.2 or more", hit, len(want), all, len(found), sure)
	if float64(hit) < 0.95*float64(len(want)) {
		t.Errorf("%d of %d", hit, len(want))
	}
}

func TestMainSupplyOfTheExample(t *testing.T) {
	t.Parallel()
	f, err := reference.ReadFunds(os.DirFS(filepath.Join(realdata.Dir(t, "chain"), "kag")))
	if err != nil {
		t.Fatal(err)
	}
	got := f.MainSupply()
	t.Logf("%d firms, %d products, %d transfers: %+v", len(f.Names), len(f.Feeds), len(f.Transfers), got)
	for _, m := range got {
		if m.Share <= 0.5 || m.Material == "" {
			t.Errorf("%+v", m)
		}
	}
	if len(f.Transfers) != 19 || len(got) == 0 {
		t.Errorf("%d transfers, %d pairs", len(f.Transfers), len(got))
	}
}

func ExampleFunds_MainSupply() {
	f, err := reference.ReadFunds(fstest.MapFS{
		"Company.csv":                   {Data: []byte("id,name,product\ns,丰岭橡胶,橡胶\nb,禾垄轮胎,轮胎\no,别家,面粉\n")},
		"Product.csv":                   {Data: []byte("id,belongToIndustry,hasSupplyChain\n橡胶,化工,\"轮胎,鞋\"\n")},
		"Company_fundTrans_Company.csv": {Data: []byte("srcId,dstId,transDate,transAmt\nb,s,20260101,60\no,s,20260102,40\n")},
	})
	if err != nil {
		panic(err)
	}
	for _, m := range f.MainSupply() {
		fmt.Printf("%s pays %s %.0f%% of its inflow; %s goes into %s\n", m.Buyer, m.Supplier, 100*m.Share, m.Material, m.Product)
	}
	// Output: b pays s 60% of its inflow; 橡胶 goes into 轮胎
}

func TestFundsNeedTheirColumns(t *testing.T) {
	t.Parallel()
	good := func() fstest.MapFS {
		return fstest.MapFS{
			"Company.csv":                   {Data: []byte("id,name,product\na,b,c\n")},
			"Product.csv":                   {Data: []byte("id,hasSupplyChain\n")},
			"Company_fundTrans_Company.csv": {Data: []byte("srcId,dstId,transDate,transAmt\n")},
		}
	}
	for name, change := range map[string]func(fstest.MapFS){
		"no file":   func(m fstest.MapFS) { delete(m, "Product.csv") },
		"no column": func(m fstest.MapFS) { m["Product.csv"].Data = []byte("id,other\n") },
		"empty":     func(m fstest.MapFS) { m["Company.csv"].Data = nil },
		"no number": func(m fstest.MapFS) {
			m["Company_fundTrans_Company.csv"].Data = []byte("srcId,dstId,transDate,transAmt\na,b,c,x\n")
		},
		"below 0": func(m fstest.MapFS) {
			m["Company_fundTrans_Company.csv"].Data = []byte("srcId,dstId,transDate,transAmt\na,b,c,-1\n")
		},
	} {
		m := good()
		change(m)
		if _, err := reference.ReadFunds(m); err == nil {
			t.Error(name)
		}
	}
	if _, err := reference.ReadFunds(good()); err != nil {
		t.Error(err)
	}
}

func FuzzReadFunds(f *testing.F) {
	f.Add("id,name,product\na,b,c\n", "srcId,dstId,transDate,transAmt\na,a,1,2\n")
	f.Fuzz(func(t *testing.T, companies, transfers string) {
		funds, err := reference.ReadFunds(fstest.MapFS{
			"Company.csv": {Data: []byte(companies)}, "Product.csv": {Data: []byte("id,hasSupplyChain\nc,c\n")}, "Company_fundTrans_Company.csv": {Data: []byte(transfers)},
		})
		if err == nil {
			for _, m := range funds.MainSupply() {
				if m.Supplier == m.Buyer || m.Share > 1 {
					t.Error(m)
				}
			}
		}
	})
}
