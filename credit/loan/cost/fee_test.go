package cost_test

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// 12,000 yuan for a year at 6 %, repaid in halves, with 1 % a year for the guarantor and 30
// yuan for the register. By hand: interest is 12,000 × 6 % / 2 = 360 and 6,000 × 6 % / 2 = 180,
// the guarantee 12,000 × 1 % = 120, all fees 150, due with the first half. The principal is in
// use for 12,000 × 181 + 6,000 × 184 = 3,276,000 yuan and days, so that the simple rate is
// (540 + 150) × 365 / 3,276,000 = 7.687729 %. Paid are 6,000 + 360 + 150 = 6,510 and
// 6,000 + 180 = 6,180: 12,000 = 6,510 v + 6,180 v² with v = (√339,020,100 - 6,510)
// / 12,360 = 0.96298531 for half a year; 1 / v² - 1 = 7.835231 % a year.
func ExampleCharges() {
	t := schedule.Terms{
		Principal: 1_200_000, Rate: money.BP(600), Method: schedule.EqualPrincipal, DayCount: money.Thirty360, Start: date("2026-01-01"), N: 2, Every: 6,
	}
	rows, _ := schedule.Make(t)
	charges, _ := cost.Charges([]cost.Fee{
		{Code: "guarantee", Payee: cost.Guarantor, When: cost.Yearly, YearBP: 100},
		{Code: "register", Payee: cost.Agency, When: cost.Signing, Fen: 3_000},
	}, t, rows)
	for _, c := range charges {
		fmt.Println(c.On, c.DueOn, c.Fee, c.Amount)
	}
	a, _ := cost.Of(t, cost.Charged(rows, charges), nil)
	fmt.Println(a.Interest, a.Fees, a.Simple, a.Effective)
	// Output:
	// 2026-01-01 2026-07-01 guarantee 120.00
	// 2026-01-01 2026-07-01 register 30.00
	// 540.00 150.00 7.687729% 7.835231%
}

func TestChargesFollowTheirMoment(t *testing.T) {
	t.Parallel()
	// 18,000 yuan by 18 months: 1,000 a month, 6,000 are out after a year.
	x := schedule.Terms{
		Principal: 1_800_000, Rate: money.BP(480), Method: schedule.EqualPrincipal, DayCount: money.Act365, Start: date("2026-03-10"), N: 18,
	}
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	bullet := x
	bullet.Method = schedule.Bullet
	one, err := schedule.Make(bullet)
	if err != nil {
		t.Fatal(err)
	}
	type day struct {
		on, due string
		amount  money.Fen
	}
	for name, c := range map[string]struct {
		fee  cost.Fee
		rows []schedule.Row
		n    int
		want []day
	}{
		"once, fixed":              {cost.Fee{When: cost.Drawdown, Fen: 500}, rows, 1, []day{{"2026-03-10", "2026-04-10", 500}}},
		"once, a share":            {cost.Fee{When: cost.Signing, ShareBP: 30}, rows, 1, []day{{"2026-03-10", "2026-04-10", 5400}}},
		"once, for the whole term": {cost.Fee{When: cost.Drawdown, YearBP: 40}, one, 1, []day{{"2026-03-10", "2027-09-10", 10_800}}}, // 7,200 a year and a half
		// 0.8 % of 18,000 for a year, of 6,000 for half a year.
		"yearly of what is out": {cost.Fee{When: cost.Yearly, YearBP: 80}, rows, 2, []day{{"2026-03-10", "2026-04-10", 14_400}, {"2027-03-11", "2027-04-10", 2_400}}},
		"yearly, fixed":         {cost.Fee{When: cost.Yearly, Fen: 700}, rows, 2, []day{{"2026-03-10", "2026-04-10", 700}, {"2027-03-11", "2027-04-10", 700}}},
		"yearly of a bullet":    {cost.Fee{When: cost.Yearly, YearBP: 80}, one, 2, []day{{"2026-03-10", "2027-09-10", 14_400}, {"2027-03-11", "2027-09-10", 7_200}}},
		// 1.2 % of 18,000 for 31 days, of 17,000 for 30 days: 18.345 → 18.35 (18.3452), 16.767.
		"each period": {cost.Fee{When: cost.Instalment, YearBP: 120}, rows, 18, []day{{"2026-03-10", "2026-04-10", 1835}, {"2026-04-11", "2026-05-10", 1677}}},
		"nothing":     {cost.Fee{When: cost.Drawdown, ShareBP: 0, YearBP: 0}, rows, 0, nil},
	} {
		terms := x
		terms.Method = schedule.Method("")
		got, err := cost.Charges([]cost.Fee{c.fee}, terms, c.rows)
		if err != nil || len(got) != c.n {
			t.Errorf("%s: %v %v", name, got, err)
			continue
		}
		for i, w := range c.want {
			if g := (day{got[i].On.String(), got[i].DueOn.String(), got[i].Amount}); g != w {
				t.Errorf("%s: charge %d is %v, want %v", name, i, g, w)
			}
		}
	}
	if _, err := cost.Charges([]cost.Fee{{Code: "x", Fen: 1}}, x, rows); !errors.Is(err, cost.ErrFee) {
		t.Errorf("a fee without a moment: %v", err)
	}
}

// A last day that holidays move by a few days does not begin another year.
func TestShiftedEndIsNoYear(t *testing.T) {
	t.Parallel()
	rows := []schedule.Row{{Nr: 1, From: date("2026-03-10"), DueOn: date("2027-03-14"), Principal: 100_000, Due: 100_000}}
	x := schedule.Terms{Principal: 100_000, Start: rows[0].From}
	got, err := cost.Charges([]cost.Fee{{When: cost.Yearly, Fen: 100}}, x, rows)
	if err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
}

func drawFees(t *rapid.T) []cost.Fee {
	list := make([]cost.Fee, rapid.IntRange(1, 4).Draw(t, "fees"))
	for i := range list {
		list[i] = cost.Fee{
			Code:  fmt.Sprint("f", i),
			Payee: rapid.SampledFrom([]cost.Payee{cost.Bank, cost.Guarantor, cost.Insurer, cost.Agency}).Draw(t, "payee"),
			When:  rapid.SampledFrom([]cost.Moment{cost.Signing, cost.Drawdown, cost.Yearly, cost.Instalment}).Draw(t, "when"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "base") {
		case 0:
			list[i].Fen = money.Fen(rapid.Int64Range(1, 2_000).Draw(t, "fen"))
		case 1:
			list[i].ShareBP = rapid.Int64Range(1, 20).Draw(t, "share")
		default:
			list[i].YearBP = rapid.Int64Range(1, 100).Draw(t, "year")
		}
	}
	return list
}

// With any fees the disclosed rate of return discounts the payments to the money received,
// the cost is above that without, and each fee stands in the rows to the fen.
func TestDisclosedCostHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := draw(t)
		x.Tranches, x.Unit = nil, schedule.Months
		plain, err := schedule.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		charges, err := cost.Charges(drawFees(t), x, plain)
		if err != nil {
			t.Fatal(err)
		}
		rows := cost.Charged(plain, charges)
		var fees money.Fen
		for i, c := range charges {
			fees += c.Amount
			if c.Amount <= 0 || c.On < x.Start || c.DueOn < c.On || i > 0 && c.On < charges[i-1].On {
				t.Fatalf("charge %+v", c)
			}
		}
		for i, r := range rows {
			fees -= r.Fee
			if r.Due != r.Principal+r.Interest+r.Fee || plain[i].Fee != 0 {
				t.Fatalf("row %+v", r)
			}
		}
		if fees != 0 {
			t.Fatalf("the rows lack %s of the fees", fees)
		}
		without, err := cost.Of(x, plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		with, err := cost.Of(x, rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(charges) > 0 && (with.Simple < without.Simple || with.Effective < without.Effective || with.Nominal < without.Nominal) {
			t.Fatalf("%+v with fees, %+v without", with, without)
		}
		if value, paid := present(x, rows, with.Nominal); off64(value, x.Principal) > tolerance(paid) {
			t.Fatalf("at %s the payments are worth %s, received were %s", with.Nominal, value, x.Principal)
		}
	})
}

// present is what the rows are worth on the first day at 1/12 of a nominal rate a month, in
// fractions, and their sum. Every row lies whole months and days after the first day.
func present(x schedule.Terms, rows []schedule.Row, nominal money.Rate) (value, paid money.Fen) {
	monthly := new(big.Rat).SetFrac64(int64(nominal), 12*int64(money.RateOne))
	one := big.NewRat(1, 1)
	sum := new(big.Rat)
	for _, r := range rows {
		months := 0
		for x.Start.AddMonths(months+1) <= r.DueOn {
			months++
		}
		from, to := x.Start.AddMonths(months), x.Start.AddMonths(months+1)
		growth := new(big.Rat).Add(one, new(big.Rat).Mul(monthly, big.NewRat(int64(r.DueOn-from), int64(to-from))))
		for range months {
			growth.Mul(growth, new(big.Rat).Add(one, monthly))
		}
		sum.Add(sum, new(big.Rat).Quo(new(big.Rat).SetInt64(int64(r.Due)), growth))
		paid += r.Due
	}
	f, _ := sum.Float64()
	return money.Fen(f + 0.5), paid
}

// tolerance is what half of the last digit of a rate, 1e-8 a year, can move over five years.
func tolerance(paid money.Fen) money.Fen { return 2 + paid/10_000_000 }

func off64(a, b money.Fen) money.Fen { return max(a-b, b-a) }
