package reference_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func source(name string, lines ...string) reference.Source {
	return reference.Source{Name: name, R: strings.NewReader(strings.Join(lines, "\n"))}
}

func small() []reference.Source {
	return []reference.Source{ // edges before nodes: the order of the files does not matter
		source("ckg_product_product.jsonl",
			`{"from":"面包","to":"面粉","rel":"上游材料"}`, `{"from":"面粉","to":"小麦","rel":"上游材料"}`,
			`{"from":"小麦","to":"麦片","rel":"下游产品"}`, `{"from":"面包","to":"全麦面包","rel":"产品小类"}`,
			`{"from":"面包","to":"面粉","rel":"上游材料"}`, `{"from":"面包","to":"面包","rel":"上游材料"}`,
			`{"from":"面包","to":"石油","rel":"上游材料"}`, `{"from":"面包","to":"麦片","rel":"similar"}`),
		source("ckg_product.jsonl", `{"name":"面包"}`, `{"name":"面粉"}`, `{"name":"小麦"}`, `{"name":"麦片"}`, `{"name":"全麦面包"}`, `{"name":"面粉"}`, `{"name":" "}`),
		source("ckg_company.jsonl", `{"code":"000001SZ","name":"丰岭","fullname":"丰岭面业（青穗）股份有限公司"}`, `{"code":"000002","fullname":"禾垄农业"}`, `not json`),
		source("ckg_company_product.jsonl", `{"company_code":"000001.SZ","product":"面粉","weight":0.6}`, `{"company_code":"000001.SZ","product":"面包","weight":0}`,
			`{"company_code":"000001.SZ","product":"面包","weight":1.2}`, `{"company_code":"000009.SZ","product":"面包","weight":0.2}`,
			`{"company_code":"000002.SZ","product":"小麦","weight":"x"}`, `{"company_code":"000002.SZ","product":"小麦","weight":1}`, ``),
		source("ckg_industry.jsonl", `{"code":"11","name":"农业"}`, `{"code":"1101","name":"种植"}`),
		source("ckg_industry_industry.jsonl", `{"from_code":"1101","to_code":"11"}`, `{"from_code":"1101","to_code":"99"}`),
		source("ckg_industry_up.jsonl", `{"industry":"农业","ups":{"种植":4,"采矿":1}}`, `{"industry":"种植","ups":{}}`, `{"industry":"采矿","ups":{}}`),
		source("ckg_company_industry.jsonl", `{"company_code":"000002.SZ","industry_code":"1101"}`, `{"company_code":"000007.SZ","industry_code":"1101"}`),
	}
}

func ExampleImport() {
	c, _, err := reference.Import(context.Background(), small(), nil)
	if err != nil {
		panic(err)
	}
	for _, n := range c.Upstream(c.Find("面包")[0].ID) {
		fmt.Println("bread needs", n.Name)
	}
	for _, n := range c.Downstream(c.Find("丰岭面业(青穗)股份有限公司")[0].ID) {
		fmt.Println("its", n.Via, "goes into", n.Name)
	}
	// Output:
	// bread needs 面粉
	// its 面粉 goes into 面包
}

func TestEveryRecordIsAccountedFor(t *testing.T) {
	t.Parallel()
	_, r, err := reference.Import(t.Context(), small(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range r.Refusals {
		got = append(got, fmt.Sprintf("%s:%d %s", strings.TrimPrefix(x.File, "ckg_"), x.Line, x.Reason))
	}
	want := []string{
		"company.jsonl:3 bad_json", "product.jsonl:6 duplicate", "product.jsonl:7 missing_field",
		"industry_industry.jsonl:2 unknown_industry", "industry_up.jsonl:1 unknown_industry", "industry_up.jsonl:3 unknown_industry",
		"company_industry.jsonl:2 unknown_company",
		"company_product.jsonl:2 weight_not_positive", "company_product.jsonl:3 weight_over_one",
		"company_product.jsonl:4 unknown_company", "company_product.jsonl:5 bad_json",
		"product_product.jsonl:5 duplicate", "product_product.jsonl:6 self_loop", "product_product.jsonl:7 unknown_product", "product_product.jsonl:8 unknown_relation",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	balanced(t, r)
	if r.In != 34 || r.Nodes != 9 || r.Edges != 9 {
		t.Errorf("in %d, %d nodes, %d edges", r.In, r.Nodes, r.Edges)
	}
}

// balanced checks that count in equals count out, as a whole and file by file.
func balanced(t *testing.T, r reference.Report) {
	t.Helper()
	in, out, refused := 0, 0, 0
	for _, f := range r.Files {
		if f.In != f.Out+f.Refused {
			t.Errorf("%+v", f)
		}
		in, out, refused = in+f.In, out+f.Out, refused+f.Refused
	}
	byReason := 0
	for _, n := range r.Refused {
		byReason += n
	}
	if in != r.In || out != r.Out || r.In != r.Out+len(r.Refusals) || refused != len(r.Refusals) || byReason != refused {
		t.Errorf("in %d %d, out %d %d, refused %d %d %d", in, r.In, out, r.Out, refused, len(r.Refusals), byReason)
	}
}

// TestRealChain: the counts and defects that references/chain.md gives.
func TestRealChain(t *testing.T) {
	t.Parallel()
	sources, closeAll, err := reference.Files(realdata.Dir(t, "chain"))
	defer closeAll()
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	c, r, err := reference.Import(t.Context(), sources, func(string, int) { steps++ })
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, r)
	if len(r.Files) != 8 || steps < 8 || r.Nodes != 100_649 || r.Nodes+r.Edges > r.Out {
		t.Errorf("%d files, %d steps, %d nodes, %d edges of %d", len(r.Files), steps, r.Nodes, r.Edges, r.Out)
	}
	if r.Refused[reference.NotPlus] != 1050 || r.Refused[reference.OverOne] != 48 || r.Refused[reference.BadJSON] != 0 {
		t.Errorf("%v", r.Refused)
	}
	t.Logf("%d in, %d out, refused %v", r.In, r.Out, r.Refused)
	flour := c.Find("面粉")
	if len(flour) == 0 || len(c.Downstream(flour[0].ID)) != 745 {
		t.Errorf("面粉 goes into %d products", len(c.Downstream(flour[0].ID)))
	}
	maotai := c.Find("600519.SH")
	if len(maotai) == 0 {
		maotai = c.Find("600519")
	}
	if len(maotai) != 1 || maotai[0].Name != "贵州茅台酒股份有限公司" || len(c.Products(maotai[0].ID)) == 0 {
		t.Errorf("%v", maotai)
	}
}

func TestFilesAreToldByName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sources []reference.Source
		want    error
	}{
		"none":      {nil, reference.ErrNoFiles},
		"unknown":   {[]reference.Source{source("people.jsonl", "{}")}, reference.ErrFileName},
		"twice":     {[]reference.Source{source("a/ckg_product.jsonl"), source("product.jsonl.gz")}, reference.ErrTwice},
		"cut gzip":  {[]reference.Source{source("ckg_product.jsonl.gz", "\x1f\x8b")}, reference.ErrUnread},
		"one line":  {[]reference.Source{source("ckg_product.jsonl", strings.Repeat("x", 2<<20))}, reference.ErrLongLine},
		"truncated": {[]reference.Source{{Name: "product.jsonl", R: io.MultiReader(strings.NewReader(`{"name":"a"}`), failing{})}}, reference.ErrUnread},
	} {
		if _, _, err := reference.Import(t.Context(), c.sources, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(`{"name":"a"}`)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, r, err := reference.Import(t.Context(), []reference.Source{{Name: "product.jsonl.gz", R: &z}}, nil); err != nil || r.Nodes != 1 {
		t.Error(err, r)
	}
	if _, _, err := reference.Files(t.TempDir() + "/absent"); !errors.Is(err, reference.ErrNoFiles) {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk") }

func TestImportCanBeCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	lines := strings.Repeat(`{"name":"x"}`+"\n", 20_000)
	_, _, err := reference.Import(ctx, []reference.Source{source("product.jsonl", lines)}, func(string, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNewOfAPart(t *testing.T) {
	t.Parallel()
	c := reference.New([]chain.RefNode{{ID: 7, Kind: chain.RefProduct, Key: "a", Name: "a"}},
		[]chain.RefEdge{{Rel: chain.RefNeeds, From: 7, To: 8}})
	if n := c.Upstream(7); len(n) != 0 {
		t.Errorf("a node that is not there: %v", n)
	}
	if n := c.Upstream(9); n != nil {
		t.Errorf("%v", n)
	}
}

func FuzzImport(f *testing.F) {
	f.Add("company_product", `{"company_code":"1","product":"a","weight":0.5}`)
	f.Add("industry_up", `{"industry":"a","ups":{"b":1,"b":2}}`)
	f.Add("product_product", `{"from":"a","to":"b","rel":"上游材料"}`)
	f.Fuzz(func(t *testing.T, kind, text string) {
		_, r, err := reference.Import(t.Context(), []reference.Source{source(kind+".jsonl", text)}, nil)
		if err == nil {
			balanced(t, r)
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		}
	})
}
