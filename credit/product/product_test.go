package product_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

func TestBuiltIn(t *testing.T) {
	t.Parallel()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := product.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	kinds, classes := map[credit.SubjectKind]bool{}, map[product.Class]bool{}
	for _, p := range c.All() {
		kinds[p.SubjectKind] = true
		if got := p.PenaltyRate(money.BP(400)); got != money.BP(4*p.PenaltyFactor) {
			t.Errorf("%s: penalty %s", p.Code, got)
		}
		if len(p.Purposes) == 0 || p.Purpose["zh-CN"] == "" || p.Purpose["en"] == "" || p.Formula == nil || p.Regulation == "" {
			t.Errorf("%s is half described: %+v", p.Code, p)
		}
		classes[p.Class] = true
	}
	if len(classes) != 4 || len(c.All()) < 10 {
		t.Errorf("%d products of classes %v", len(c.All()), classes)
	}
	if len(kinds) != 3 {
		t.Errorf("plot, herd and firm each need a product: %v", kinds)
	}
	if _, err := c.Product("none"); !errors.Is(err, product.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

const good = `products: [{code: a, name: {zh-CN: 甲, en: A}, subject_kind: plot, min_fen: 1, max_fen: 2, terms: [6],
  base_rate_bp: 400, max_rate_bp: 900, penalty_factor: 150, method: bullet, day_count: act/360, policy: p}]`

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"code":    {"code: a", "code: ''"},
		"name":    {"en: A", "fr: A"},
		"subject": {"subject_kind: plot", "subject_kind: house"},
		"amounts": {"max_fen: 2", "max_fen: 0"},
		"terms":   {"terms: [6]", "terms: [0]"},
		"rate":    {"max_rate_bp: 900", "max_rate_bp: 2500"},
		"penalty": {"penalty_factor: 150", "penalty_factor: 300"},
		"method":  {"method: bullet", "method: gift"},
		"days":    {"act/360", "act/361"},
		"policy":  {"policy: p", "policy: ''"},
		"yaml":    {"products:", "products"},
		"empty":   {good, "products: []"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c[0], c[1], 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := product.Load(fstest.MapFS{"products.yaml": {Data: []byte(text)}})
			if !errors.Is(err, product.ErrFile) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := product.Load(fstest.MapFS{"products.yaml": {Data: []byte(good)}}); err != nil {
		t.Error(err)
	}
	if _, err := product.Load(fstest.MapFS{}); err == nil {
		t.Error("a catalogue without products is read")
	}
}
