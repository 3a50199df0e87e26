package purchase_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/money"
)

// What products may buy can be bought, and seasons name crops that exist.
func TestShippedGoods(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	goods, err := purchase.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	products, err := product.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	crops, err := crop.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range products.All() {
		for _, x := range p.Purposes {
			for _, c := range x.Goods {
				if !slices.ContainsFunc(goods.Goods, func(g purchase.Goods) bool { return g.Category == c }) {
					t.Errorf("%s may buy %s, of which there is none", p.Code, c)
				}
			}
		}
	}
	for _, g := range goods.Goods {
		for _, s := range g.Seasons {
			for _, c := range s.Crops {
				if _, err := crops.Crop(c); err != nil {
					t.Errorf("%s: there is no crop %s", g.Code, c)
				}
			}
		}
		if _, ok := g.Price("", money.NewDate(2026, 6, 1)); !ok {
			t.Errorf("%s has no price", g.Code)
		}
	}
}

func TestGoodsAreChecked(t *testing.T) {
	t.Parallel()
	const good = `
units: [{code: kg, name: {zh-CN: 公斤, en: kg}}]
categories: [{code: seed, name: {zh-CN: 种子, en: Seed}}]
goods:
  - {code: a, category: seed, name: {zh-CN: 甲, en: A}, unit: kg, per: mu, most: "2.5", prices: [{low: 1, high: 2, from: 2026-01-01, to: 2026-12-31, source: s}], seasons: [{months: [1]}]}
`
	if c, err := purchase.Parse([]byte(good)); err != nil || c.Goods[0].Most != 250 {
		t.Fatalf("%+v %v", c, err)
	}
	for old, wrong := range map[string]string{
		"code: a,":               "code: A b,",
		"zh-CN: 甲, ":             "",
		"category: seed,":        "category: none,",
		"unit: kg,":              "unit: none,",
		"per: mu,":               "per: barn,",
		`most: "2.5"`:            `most: "0"`,
		"low: 1":                 "low: 0",
		"high: 2":                "high: 0",
		"to: 2026-12-31":         "to: 2025-12-31",
		"source: s":              `source: ""`,
		"months: [1]":            "months: [13]",
		"seasons:":               "reasons:",
		"{low: 1":                "{regions: [4x], low: 1",
		"from: 2026-01-01":       "from: yesterday",
		"goods:\n  - {code: a, ": "goods:\n  - {code: b, ",
	} {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not there", old)
		}
		_, err := purchase.Parse([]byte(strings.Replace(good, old, wrong, 1)))
		if fine := strings.Contains(wrong, "code: b"); (err == nil) != fine || err != nil && !errors.Is(err, purchase.ErrFile) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestMonthsFollowTheGround(t *testing.T) {
	t.Parallel()
	g := purchase.Goods{Seasons: []purchase.Season{
		{Crops: []string{"wheat"}, Months: []int{9, 10}},
		{Crops: []string{"maize"}, Months: []int{4, 5}},
		{Crops: []string{"maize"}, Regions: []string{"23"}, Months: []int{3}},
	}}
	for _, tt := range []struct {
		county string
		crops  []string
		want   []int
	}{
		{"410101", []string{"wheat"}, []int{9, 10}},
		{"410101", []string{"maize"}, []int{4, 5}},
		{"230101", []string{"maize"}, []int{3, 4, 5}},
		{"410101", []string{"rice"}, []int{4, 5, 9, 10}}, // another crop comes next
		{"", nil, []int{4, 5, 9, 10}},
	} {
		if got := g.Months(tt.county, tt.crops); !slices.Equal(got, tt.want) {
			t.Errorf("%s %v: %v, want %v", tt.county, tt.crops, got, tt.want)
		}
	}
}

func FuzzParseGoods(f *testing.F) {
	f.Add([]byte("goods: []"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := purchase.Parse(text)
		if err != nil {
			return
		}
		for _, g := range c.Goods {
			if len(g.Prices) == 0 || g.Prices[0].Low <= 0 || g.Most < 0 {
				t.Fatalf("%+v", g)
			}
		}
	})
}
