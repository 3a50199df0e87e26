package goods_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/flow/goods"
)

func ExampleOverlap() {
	invoice, delivery := goods.Key("*谷物加工品*高筋面粉 25kg"), goods.Key("面粉")
	fmt.Println(invoice, goods.Overlap(invoice, delivery), goods.Dice(invoice, delivery))
	// Output: 高筋面粉 1 0.5
}

func TestKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "*": "", "**": "", "*粮食*": "粮食", "*粮食*小麦": "小麦", "Ｓteel Plate 3.5mm*1200": "steelplate", "面粉（25kg/袋）": "面粉袋", "123": "",
	} {
		if got := goods.Key(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestBlankIsNoEvidence(t *testing.T) {
	t.Parallel()
	if goods.Overlap("", "") != 0 || goods.Dice("", "") != 0 || goods.Dice("玉米", "") != 0 {
		t.Error("blank goods are alike")
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("玉米面粉淀ab")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		for name, f := range map[string]func(a, b string) float64{"overlap": goods.Overlap, "dice": goods.Dice} {
			v := f(a, b)
			if v < 0 || v > 1 || v != f(b, a) || a == b && a != "" && v != 1 {
				t.Fatalf("%s(%q, %q) = %v, the other way %v", name, a, b, v, f(b, a))
			}
		}
		if goods.Dice(a, b) > goods.Overlap(a, b) {
			t.Fatal("dice above overlap")
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add("*谷物*面粉 25kg")
	f.Add("*")
	f.Fuzz(func(t *testing.T, s string) {
		if k := goods.Key(s); k != "" && goods.Dice(k, k) != 1 {
			t.Errorf("%q: %q is not like itself", s, k)
		}
	})
}
