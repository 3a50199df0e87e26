package chain_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
)

func ExampleNumberKey() {
	fmt.Println(chain.NumberKey(" ｉnv-001 "), chain.NumberKey("合同（2026）第7号"))
	// Output:
	// INV001 合同2026第7号
}

func TestNumberKeyIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		k := chain.NumberKey(s)
		if again := chain.NumberKey(k); again != k {
			t.Fatalf("%q: %q becomes %q", s, k, again)
		}
	})
}

func TestRowKey(t *testing.T) {
	t.Parallel()
	d := chain.Document{Kind: chain.Invoice, Number: "INV-1", SellerID: "a", BuyerID: "b", Amount: 1, Date: "2026-01-01", Goods: "x"}
	same := d
	same.Number, same.Amount, same.Goods, same.Date, same.UploadID = "inv 1", 2, "y", "2026-02-01", "u"
	if chain.RowKey(d) != chain.RowKey(same) {
		t.Error("what is not identity changes the key")
	}
	for name, change := range map[string]func(*chain.Document){
		"kind":   func(d *chain.Document) { d.Kind = chain.Order },
		"number": func(d *chain.Document) { d.Number = "INV-2" },
		"seller": func(d *chain.Document) { d.SellerID = "ab"; d.BuyerID = "" },
		"buyer":  func(d *chain.Document) { d.BuyerID = "c" },
		"funder": func(d *chain.Document) { d.Funder = "f" },
	} {
		other := d
		change(&other)
		if chain.RowKey(other) == chain.RowKey(d) {
			t.Errorf("another %s has the same key", name)
		}
	}
}
