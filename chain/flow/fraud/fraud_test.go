package fraud_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/money"
)

func doc(kind chain.DocKind, number, seller, buyer string, yuan int64, date string) chain.Document {
	return chain.Document{
		ID: string(kind) + "/" + number + "/" + seller + "/" + buyer, Kind: kind, Number: number, SellerID: seller, BuyerID: buyer,
		Amount: money.Fen(yuan * 100), Date: date,
	}
}

func to(d chain.Document, funder string) chain.Document {
	d.Funder = funder
	d.ID += "/" + funder
	return d
}

func ExampleCircles() {
	found := fraud.Circles([]chain.Document{
		doc(chain.Invoice, "1", "a", "b", 100_000, "2026-03-01"),
		doc(chain.Invoice, "2", "b", "c", 101_000, "2026-03-05"),
		doc(chain.Invoice, "3", "c", "a", 102_000, "2026-03-11"),
		doc(chain.Invoice, "4", "c", "d", 102_000, "2026-03-11"),
	}, fraud.DefaultRules())
	for _, f := range found {
		fmt.Println(f.Kind, f.FirmIDs, f.Evidence["days"], "days")
	}
	// Output:
	// circular_trade [a b c] 10 days
}

func TestReused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"clean":                       {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "2", "s", "c", 10, "2026-01-01")}, 0},
		"same number, other seller":   {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "1", "x", "b", 10, "2026-01-01")}, 0},
		"two buyers":                  {[]chain.Document{doc(chain.Invoice, "No.1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "ｎｏ 1", "s", "c", 10, "2026-01-01")}, 1},
		"two funders":                 {[]chain.Document{to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "X"), to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "Y")}, 1},
		"funder told later":           {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "Y")}, 0},
		"orders repeat their numbers": {[]chain.Document{doc(chain.Order, "1", "s", "b", 10, "2026-01-01"), doc(chain.Order, "1", "s", "c", 10, "2026-01-01")}, 0},
	} {
		if got := fraud.Reused(c.docs); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

func TestCircles(t *testing.T) {
	t.Parallel()
	ring := func(dates [3]string, amounts [3]int64) []chain.Document {
		return []chain.Document{
			doc(chain.Invoice, "1", "a", "b", amounts[0], dates[0]),
			doc(chain.Invoice, "2", "b", "c", amounts[1], dates[1]),
			doc(chain.Invoice, "3", "c", "a", amounts[2], dates[2]),
		}
	}
	dates, amounts := [3]string{"2026-03-01", "2026-03-08", "2026-03-20"}, [3]int64{1000, 1020, 990}
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"circle":           {ring(dates, amounts), 1},
		"starts elsewhere": {ring([3]string{"2026-03-08", "2026-03-20", "2026-03-01"}, amounts), 1},
		"back in time":     {ring([3]string{"2026-03-20", "2026-03-08", "2026-03-01"}, amounts), 0},
		"too slow":         {ring([3]string{"2026-01-01", "2026-03-08", "2026-03-20"}, amounts), 0},
		"other amounts":    {ring(dates, [3]int64{1000, 1020, 500}), 0},
		"twice round is one finding": {append(ring(dates, amounts), func() []chain.Document {
			again := ring([3]string{"2026-04-01", "2026-04-08", "2026-04-20"}, amounts)
			for i := range again {
				again[i].ID += "x"
			}
			return again
		}()...), 1},
		"six hops": {[]chain.Document{
			doc(chain.Invoice, "1", "a", "b", 100, "2026-03-01"), doc(chain.Invoice, "2", "b", "c", 100, "2026-03-02"),
			doc(chain.Invoice, "3", "c", "d", 100, "2026-03-03"), doc(chain.Invoice, "4", "d", "e", 100, "2026-03-04"),
			doc(chain.Invoice, "5", "e", "f", 100, "2026-03-05"), doc(chain.Invoice, "6", "f", "a", 100, "2026-03-06"),
		}, 0},
		"chain": {[]chain.Document{
			doc(chain.Invoice, "1", "a", "b", 100, "2026-03-01"), doc(chain.Invoice, "2", "b", "c", 100, "2026-03-02"),
			doc(chain.Invoice, "3", "a", "c", 100, "2026-03-03"),
		}, 0},
	} {
		if got := fraud.Circles(c.docs, fraud.DefaultRules()); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

// TestNoCircleWithoutOne: sales that only go down a fixed order of firms have none.
func TestNoCircleWithoutOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var docs []chain.Document
		for i := range rapid.IntRange(0, 40).Draw(t, "n") {
			a, b := rapid.IntRange(0, 5).Draw(t, "a"), rapid.IntRange(0, 5).Draw(t, "b")
			if a != b {
				docs = append(docs, doc(chain.Invoice, fmt.Sprint(i), fmt.Sprint(min(a, b)), fmt.Sprint(max(a, b)), 100, "2026-03-01"))
			}
		}
		if got := fraud.Circles(docs, fraud.DefaultRules()); len(got) > 0 {
			t.Fatalf("%v", got)
		}
	})
}

func TestCirclesOfDenseTradeEnd(t *testing.T) {
	t.Parallel()
	var docs []chain.Document
	for i := range 60 {
		for j := range 60 {
			if i != j {
				docs = append(docs, doc(chain.Invoice, fmt.Sprint(i, ".", j), fmt.Sprint(i), fmt.Sprint(j), 100, "2026-03-01"))
			}
		}
	}
	done := make(chan int)
	go func() { done <- len(fraud.Circles(docs, fraud.DefaultRules())) }()
	select {
	case n := <-done:
		if n == 0 {
			t.Error("found none")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still searching")
	}
}
