package industry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain/industry"
)

func shipped(t testing.TB) *industry.Catalogue {
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

func TestShippedCatalogue(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	t.Logf("%d directions, %d sub-chains, %d nodes", len(c.Directions()), len(c.Chains("")), len(c.Nodes()))
}

const head = "chain,node,stage,zh,en,words,codes,without,feeds\n"

// small is two directions with a word that both have.
func small(t *testing.T, change func(fstest.MapFS)) (*industry.Catalogue, error) {
	t.Helper()
	files := fstest.MapFS{
		"chain/cars.csv": {Data: []byte(head + ",,,汽车,cars,车用,,,\ntyre,,,轮胎,tyres,,,,\n" +
			"tyre,rubber,up,橡胶原料,rubber,顺丁橡胶|胶料,C2652,,tyre\ntyre,tyre,mid,轮胎,tyres,子午线轮胎,C2911,硫化机,food.bakery.oven\n")},
		"chain/food.csv": {Data: []byte(head + ",,,食品,food,食用,,,\nbakery,,,烘焙,bakery,,,,\nbakery,gum,up,食品胶,gum,胶料,C1495,,oven\nbakery,oven,down,面包,bread,吐司,C1411,机,\n")},
	}
	change(files)
	return industry.Load(files)
}

func TestLoadNamesTheMistake(t *testing.T) {
	t.Parallel()
	line := func(s string) func(fstest.MapFS) {
		return func(m fstest.MapFS) {
			m["chain/cars.csv"].Data = append(m["chain/cars.csv"].Data, []byte(s+"\n")...)
		}
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"none":              {func(m fstest.MapFS) { clear(m) }, "no industry chains"},
		"header":            {func(m fstest.MapFS) { m["chain/cars.csv"].Data = []byte("a,b\n") }, "chain/cars.csv:1"},
		"columns":           {line("tyre,x,up"), "chain/cars.csv:6"},
		"no name":           {line("tyre,x,up,,x,,,,"), "chain/cars.csv:6: the catalogue of industry chains is wrong: a name"},
		"stage":             {line("tyre,x,top,甲,x,,,,"), "chain/cars.csv:6"},
		"code":              {line("tyre,x,up,甲,x,,3670,,"), "3670"},
		"word twice":        {line("tyre,x,up,甲,x,乙|乙,,,"), "乙"},
		"empty word":        {line("tyre,x,up,甲,x,--,,,"), "neither"},
		"node twice":        {line("tyre,tyre,up,甲,x,,,,"), "twice"},
		"chain twice":       {line("tyre,,,甲,x,,,,"), "twice"},
		"direction twice":   {line(",,,甲,x,,,,"), "second time"},
		"unknown supplied":  {line("tyre,x,up,甲,x,,,,nobody"), "nobody"},
		"supplies itself":   {line("tyre,x,up,甲,x,,,,x"), "itself"},
		"empty chain":       {line("brake,,,甲,x,,,,"), "cars.brake has no node"},
		"node before chain": {line("brake,x,up,甲,x,,,,"), "below the row"},
		"node of no chain":  {line(",x,up,甲,x,,,,"), "no sub-chain"},
		"codes of a chain":  {line("brake,,,甲,x,,C3670,,"), "only nodes"},
		"capitals":          {line("Brake,,,甲,x,,,,"), "small letters"},
		"no direction":      {func(m fstest.MapFS) { m["chain/x.csv"] = &fstest.MapFile{Data: []byte(head)} }, "chain/x.csv:2"},
		"quote":             {line("tyre,x,up,\"甲,x,,,,"), "chain/cars.csv"},
	} {
		_, err := small(t, c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := small(t, func(fstest.MapFS) {})
	if err != nil || !c.Feeds("cars.tyre.tyre", "food.bakery.oven") || c.Feeds("food.bakery.oven", "cars.tyre.tyre") || !slices.Equal(c.Suppliers("cars.tyre.tyre"), []string{"cars.tyre.rubber"}) {
		t.Error(err)
	}
}

// TestPlaceOfAWord: a word that two nodes have goes where the rest of the firm is; what
// the text says beside a word may rule it out.
func TestPlaceOfAWord(t *testing.T) {
	t.Parallel()
	c, err := small(t, func(fstest.MapFS) {})
	if err != nil {
		t.Fatal(err)
	}
	goods := func(texts ...string) industry.Firm {
		var f industry.Firm
		for _, s := range texts {
			f.Goods = append(f.Goods, industry.Item{Text: s})
		}
		return f
	}
	for name, x := range map[string]struct {
		firm industry.Firm
		want []string
	}{
		"nothing":             {industry.Firm{}, nil},
		"nothing known":       {goods("钟表"), nil},
		"head":                {goods("车用子午线轮胎"), []string{"cars.tyre.tyre"}},
		"tail of trade":       {goods("子午线轮胎销售"), []string{"cars.tyre.tyre"}},
		"size":                {goods("子午线轮胎 17寸 R-205"), []string{"cars.tyre.tyre"}},
		"tax class":           {goods("*橡胶制品*子午线轮胎"), []string{"cars.tyre.tyre"}},
		"full width":          {goods("（车用）子午线　轮胎"), []string{"cars.tyre.tyre"}},
		"ruled out":           {goods("轮胎硫化机"), nil},
		"rivals, cars":        {goods("胶料", "子午线轮胎"), []string{"cars.tyre.rubber", "cars.tyre.tyre"}},
		"rivals, food":        {goods("胶料", "吐司"), []string{"food.bakery.gum", "food.bakery.oven"}},
		"code with letter":    {industry.Firm{Codes: []string{"C2911"}}, []string{"cars.tyre.tyre"}},
		"code without letter": {industry.Firm{Codes: []string{"2911"}}, []string{"cars.tyre.tyre"}},
		"scope":               {industry.Firm{Scope: "许可项目：面包生产；一般项目：货物进出口"}, []string{"food.bakery.oven"}},
		"name":                {industry.Firm{Name: "青穗县丰岭轮胎有限公司"}, []string{"cars.tyre.tyre"}},
	} {
		p := c.Place(x.firm)
		var got []string
		for _, m := range p.Mounts {
			got = append(got, m.Node)
			if m.Confidence < 0.2 || m.Confidence > 1 || len(m.Reasons) == 0 {
				t.Errorf("%s: %+v", name, m)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(x.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestMoreEvidenceIsSurer: goods outweigh a name, and both together are surer.
func TestMoreEvidenceIsSurer(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	confidence := func(f industry.Firm) float64 {
		p := c.Place(f)
		if len(p.Mounts) == 0 {
			return 0
		}
		if p.Mounts[0].Node != "automotive.tyre.tyre" {
			t.Errorf("%+v", p.Mounts[0])
		}
		return p.Mounts[0].Confidence
	}
	goods := []industry.Item{{Text: "子午线轮胎", Weight: 9e6}, {Text: "运费", Weight: 1e4}}
	name := confidence(industry.Firm{Name: "青穗丰岭轮胎有限公司"})
	sold := confidence(industry.Firm{Goods: goods})
	both := confidence(industry.Firm{Name: "青穗丰岭轮胎有限公司", Goods: goods, Codes: []string{"C2911"}})
	if !(name > 0.3 && name < sold && sold < both && both <= 1) {
		t.Error(name, sold, both)
	}
}

func ExampleCatalogue_Place() {
	fsys, err := catalog.Open("")
	if err != nil {
		panic(err)
	}
	c, err := industry.Load(fsys)
	if err != nil {
		panic(err)
	}
	p := c.Place(industry.Firm{
		Name:  "青穗县丰岭机械有限公司",
		Goods: []industry.Item{{Text: "*汽车零部件*铝合金压铸件", Weight: 900_000}, {Text: "*运输服务*运费", Weight: 10_000}},
	})
	fmt.Println(p.Mounts[0].Zh, p.Mounts[0].Stage, p.Mounts[0].Reasons[0].Word)
	// Output: 压铸件 mid 压铸件
}

func FuzzLoad(f *testing.F) {
	f.Add(head + ",,,汽车,cars,,,,\ntyre,,,轮胎,tyres,,,,\ntyre,tyre,mid,轮胎,tyres,,C2911,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := industry.Load(fstest.MapFS{"chain/x.csv": {Data: []byte(text)}})
		if err != nil {
			return
		}
		for _, n := range c.Nodes() {
			for _, to := range n.Feeds {
				if _, ok := c.Node(to); !ok {
					t.Error(to)
				}
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("*谷物*玉米（饲料级）、大豆/豆粕", "C3670", "一般项目：汽车零部件销售")
	f.Add("(((", "", "")
	f.Add("Ｍ８*２０ 螺丝", "29", "。")
	c := shipped(f)
	f.Fuzz(func(t *testing.T, goods, code, scope string) {
		m := c.Matcher()
		for _, h := range m.Match(goods) {
			if h.Strength <= 0 || h.Strength > 1 {
				t.Errorf("%+v", h)
			}
		}
		p := m.Place(industry.Firm{Name: scope, Codes: []string{code}, Scope: scope, Goods: []industry.Item{{Text: goods, Weight: -1}}})
		sum := 0.0
		for _, d := range p.Directions {
			sum += d.Share
		}
		if sum > 1.01 || len(p.Mounts) > 8 {
			t.Errorf("%+v", p)
		}
		for _, x := range p.Mounts {
			if !(x.Confidence > 0 && x.Confidence <= 1) {
				t.Errorf("%+v", x)
			}
		}
	})
}
