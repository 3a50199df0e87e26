package remit_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/remit"
)

const good = `payees:
  - {code: a, kind: insurer, name: {zh-CN: 甲, en: A}, account: "6200", bank: 某行}
  - {code: b, kind: insurer, name: {zh-CN: 乙, en: B}, account: "6201", bank: 某行}
`

func TestPayees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, why string }{
		"as it is":        {},
		"a field":         {"bank: 某行", "bankk: 某行", "bankk"},
		"no account":      {`account: "6200"`, `account: ""`, "account"},
		"the bank itself": {"kind: insurer", "kind: bank", "kind is"},
		"twice":           {"code: b", "code: a", "twice"},
		"no name":         {"zh-CN: 甲, ", "", "name"},
		"a code":          {"code: a", "code: A b", "code"},
	} {
		list, err := remit.Parse([]byte(strings.Replace(good, c.old, c.new, 1)))
		if c.why == "" && (err != nil || len(list) != 2) || c.why != "" && (!errors.Is(err, remit.ErrFile) || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %+v %v", name, list, err)
		}
	}
}

func TestPayeesOfProducts(t *testing.T) {
	t.Parallel()
	fee := func(code string, kind cost.Payee, to string) cost.Fee {
		return cost.Fee{Code: code, Payee: kind, To: to}
	}
	for name, c := range map[string]struct {
		fees []cost.Fee
		why  string
	}{
		"the first of the kind":    {[]cost.Fee{fee("x", cost.Insurer, ""), fee("y", cost.Insurer, "a")}, ""},
		"by name":                  {[]cost.Fee{fee("x", cost.Insurer, "b"), fee("y", cost.Bank, "")}, ""},
		"two of a kind":            {[]cost.Fee{fee("x", cost.Insurer, "b"), fee("y", cost.Insurer, "")}, "same one"},
		"nobody of the kind":       {[]cost.Fee{fee("x", cost.Agency, "")}, "agency"},
		"nobody of the name":       {[]cost.Fee{fee("x", cost.Insurer, "c")}, `"c"`},
		"of another kind":          {[]cost.Fee{fee("x", cost.Agency, "a")}, "agency"},
		"the bank names somebody":  {[]cost.Fee{fee("x", cost.Bank, "a")}, "bank"},
		"the bank alone has no to": {[]cost.Fee{fee("x", cost.Bank, "")}, ""},
	} {
		_, err := remit.Load(fstest.MapFS{remit.File: {Data: []byte(good)}}, []product.Product{{Code: "p", Fees: c.fees}})
		if c.why == "" && err != nil || c.why != "" && (!errors.Is(err, remit.ErrFile) || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShippedPayees(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	products, err := product.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	list, err := remit.Load(files, products.All())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := list.Find("county_guarantee"); err != nil || p.Kind != cost.Guarantor {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := list.Find("nobody"); !errors.Is(err, remit.ErrPayee) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := remit.Parse(text)
		for _, p := range list {
			if err == nil && (p.Code == "" || p.Account == "" || p.Kind == cost.Bank) {
				t.Errorf("%+v", p)
			}
		}
	})
}
