package provision_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/money"
)

const text = `
stage_2_days: 30
stage_3_days: 90
most_months: 360
segments:
  - name: all
    pd: [{from_days: 0, bp: 1200}, {from_days: 31, bp: 2400}]
    lgd_bp: 5000
    default: [{from_days: 0, bp: 5000}, {from_days: 361, bp: 10000}]
`

func table(t *testing.T) *provision.Table {
	t.Helper()
	tab, err := provision.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestLoss(t *testing.T) {
	t.Parallel()
	tab, day := table(t), money.NewDate(2026, 1, 1)
	bullet := func(months int) []provision.Share {
		return []provision.Share{{DueOn: day.AddMonths(months), Principal: 1_000_000}}
	}
	for name, c := range map[string]struct {
		x      provision.Exposure
		stage  provision.Stage
		amount money.Fen
	}{
		// 12 months × 1 % a month × 50 % of 10,000 yuan, without discount.
		"twelve months":   {provision.Exposure{Principal: 1_000_000, Shares: bullet(36)}, 1, 60_000},
		"six months left": {provision.Exposure{Principal: 1_000_000, Shares: bullet(6)}, 1, 30_000},
		"30 days":         {provision.Exposure{Principal: 1_000_000, Shares: bullet(12), OverdueDays: 30}, 1, 60_000},
		"31 days":         {provision.Exposure{Principal: 1_000_000, Shares: bullet(12), OverdueDays: 31}, 2, 120_000},
		// Two years at 12 % a year: the second of 88 % that have survived.
		"risen risk, whole life":  {provision.Exposure{Principal: 1_000_000, Shares: bullet(24), Increased: true}, 2, 60_000 + 52_800},
		"90 days":                 {provision.Exposure{Principal: 1_000_000, Shares: bullet(12), OverdueDays: 90}, 2, 120_000},
		"91 days":                 {provision.Exposure{Principal: 1_000_000, Shares: bullet(12), OverdueDays: 91}, 3, 500_000},
		"361 days, with interest": {provision.Exposure{Principal: 1_000_000, Interest: 1000, OverdueDays: 361}, 3, 1_001_000},
		"nothing owed":            {provision.Exposure{OverdueDays: 400}, 3, 0},
	} {
		c.x.Date = day
		if got := tab.Loss(c.x); got.Stage != c.stage || got.Amount != c.amount {
			t.Errorf("%s: %+v, want stage %d and %s", name, got, c.stage, c.amount)
		}
	}
}

// The loss is never negative, never above what is owed, and does not fall with the stage.
func TestLossIsBounded(t *testing.T) {
	t.Parallel()
	tab := table(t)
	rapid.Check(t, func(t *rapid.T) {
		x := provision.Exposure{
			Date: money.Date(rapid.IntRange(18000, 22000).Draw(t, "day")), Principal: money.Fen(rapid.Int64Range(0, 1e12).Draw(t, "principal")),
			Interest: money.Fen(rapid.Int64Range(0, 1e9).Draw(t, "interest")), Rate: money.BP(rapid.Int64Range(0, 3600).Draw(t, "rate")),
		}
		left := x.Principal
		for i := range rapid.IntRange(1, 60).Draw(t, "rows") {
			p := left / 7
			x.Shares = append(x.Shares, provision.Share{DueOn: x.Date.AddMonths(i + 1), Principal: p})
			left -= p
		}
		x.Shares = append(x.Shares, provision.Share{DueOn: x.Date.AddMonths(61), Principal: left})
		one := tab.Loss(x)
		x.Increased = true
		two := tab.Loss(x)
		if one.Amount < 0 || two.Amount < one.Amount || two.Amount > x.Principal+x.Interest {
			t.Fatalf("%+v %+v", one, two)
		}
	})
}

func TestShippedTable(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Load(files); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, b []byte) {
		tab, err := provision.Parse(b)
		if err != nil {
			if !errors.Is(err, provision.ErrFile) {
				t.Fatal(err)
			}
			return
		}
		tab.Loss(provision.Exposure{Principal: 100, Product: "x"})
	})
}
