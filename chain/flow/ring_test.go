package flow

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
)

// TestAGiantRing is not parallel because it measures memory: of 200,000 firms that sell to
// each other round and round the newest documents are searched, in whatever order they
// come, and the memory does not grow with the others.
func TestAGiantRing(t *testing.T) {
	firms := 200_000
	id := func(i int) string { return fmt.Sprintf("firm%06d", i%firms) }
	sale := func(i, to int, date string) chain.Document {
		return chain.Document{
			ID: fmt.Sprintf("I%d-%d", i, to), Number: fmt.Sprint(i, "/", to), Kind: chain.Invoice, SellerID: id(i), BuyerID: id(to), Amount: 5_000_000, Date: date, Goods: "小麦",
		}
	}
	look := func(order func(i int) int) []chain.Finding {
		most := firms / 10
		s := &scan{rules: DefaultRules(), behind: map[string]bool{}, most: most}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for k := range firms {
			i := order(k)
			docs := []chain.Document{sale(i, i+1, fmt.Sprintf("2025-%02d-%02d", 1+i%12, 1+i%28))}
			switch i { // the only short circle, of May 2026
			case 7, 8:
				docs = append(docs, sale(i, i+1, "2026-05-0"+fmt.Sprint(i)))
			case 9:
				docs = append(docs, sale(9, 7, "2026-05-09"))
			}
			docs[0].ID += "x"
			docs[0].Number += "x"
			for _, d := range docs {
				s.keep(d, false)
			}
			if len(s.inside) > most+most/4 {
				t.Fatalf("%d documents are held", len(s.inside))
			}
		}
		s.thin(s.most)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; held > 60 {
			t.Errorf("%d MiB are held", held)
		}
		return fraud.Circles(s.inside, s.rules.Fraud)
	}
	for _, c := range []struct {
		name  string
		firms int
		order func(i int) int
	}{
		{"mixed", 200_000, func(i int) int { return i * 7919 % firms }},
		{"forwards", 5_000, func(i int) int { return i }},
		{"backwards", 5_000, func(i int) int { return firms - 1 - i }},
	} {
		firms = c.firms
		got := look(c.order)
		if len(got) != 1 || len(got[0].Documents) != 3 || !slices.Contains(got[0].FirmIDs, id(8)) {
			t.Errorf("%s: %d circles: %+v", c.name, len(got), got[:min(len(got), 2)])
		}
	}
}
