package servicing_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// progressive are 1,200.00 at 1 % a month over three months from 1 January 2024: 408.03,
// 408.03 and 408.02.
func progressive() servicing.Terms {
	return servicing.Terms{
		Schedule: schedule.Terms{Rate: 12_000_000, Method: schedule.EqualInstalments, DayCount: money.Thirty360,
			N: 3, Every: 1, Unit: schedule.Months},
		Progressive: true, Recalculation: &servicing.Recalculation{},
	}
}

func on(s string) money.Date {
	d, err := money.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// row is principal and interest of an instalment.
type row struct{ principal, interest money.Fen }

// TestProgressive lays out and changes a plan. Interest by hand: balance × 1 % × days of
// the period's days, HALF_EVEN by part.
func TestProgressive(t *testing.T) {
	t.Parallel()
	drawn := servicing.Event{ID: "d", Kind: servicing.Disburse, Date: on("2024-01-01"), Amount: 120000}
	paid := servicing.Event{ID: "p", Kind: servicing.Repay, Date: on("2024-02-01"), Amount: 40803}
	none := func(*servicing.Terms) {}
	for name, c := range map[string]struct {
		terms  func(*servicing.Terms)
		events []servicing.Event
		to     string
		rows   []row
		open   money.Fen
	}{
		"as agreed": {none, []servicing.Event{drawn}, "2024-01-01", []row{{39603, 1200}, {39999, 804}, {40398, 404}}, 122408},
		// 1,200.00 for 14 of 29 days: 5.79; 803.97 for 15: 4.16.
		"overdue": {none, []servicing.Event{drawn}, "2024-02-15", []row{{39603, 1200}, {39808, 995}, {40589, 406}}, 122601},
		// 9 of 29 days: 2.50, then 10 days free, then 10: 2.77.
		"interest stands still": {none, []servicing.Event{drawn, {ID: "s", Kind: servicing.PauseInterest, Date: on("2024-01-02"),
			Change: &servicing.Change{From: on("2024-02-11"), To: on("2024-02-20")}}}, "2024-01-02", []row{{39603, 1200}, {40276, 527}, {40121, 401}}, 122128},
		// 14 of 29 days on 803.97: 3.88.
		"terminated":           {none, []servicing.Event{drawn, paid, {ID: "t", Kind: servicing.Terminate, Date: on("2024-02-15")}}, "2024-02-15", []row{{39603, 1200}, {80397, 388}}, 80785},
		"all due, charged off": {func(t *servicing.Terms) { t.AtChargeOff = servicing.AllDue }, []servicing.Event{drawn, paid, {ID: "c", Kind: servicing.ChargeOff, Date: on("2024-02-15")}}, "2024-03-15", []row{{39603, 1200}, {80397, 388}}, 80785},
		"free, charged off":    {func(t *servicing.Terms) { t.AtChargeOff = servicing.NoInterest }, []servicing.Event{drawn, paid, {ID: "c", Kind: servicing.ChargeOff, Date: on("2024-02-15")}}, "2024-03-15", []row{{39603, 1200}, {40415, 388}, {39982, 0}}, 80785},
		// 803.97 at 2 % a month over two: 414.08.
		"another rate": {none, []servicing.Event{drawn, paid, {ID: "r", Kind: servicing.RateChange, Date: on("2024-02-01"),
			Change: &servicing.Change{From: on("2024-02-02"), Rate: 24_000_000}}}, "2024-02-01", []row{{39603, 1200}, {39800, 1608}, {40597, 812}}, 82817},
		// 903.97 at 1 % over two: 458.78.
		"a fee that is lent": {none, []servicing.Event{drawn, paid, {ID: "k", Kind: servicing.Capitalise, Date: on("2024-02-01"), Amount: 10000}}, "2024-02-01", []row{{39603, 1200}, {44974, 904}, {45423, 454}}, 91755},
		// 14 of 31 days on 1,200.00: 5.42, and nothing after.
		"paid off early": {none, []servicing.Event{drawn, {ID: "o", Kind: servicing.Payoff, Date: on("2024-01-15")}}, "2024-01-15", []row{{40261, 542}, {40803, 0}, {38936, 0}}, 0},
		// 100.00 more in the next row, which earn with the rest of it: 9.04 of 903.97.
		"claimed back": {none, []servicing.Event{drawn, paid, {ID: "b", Kind: servicing.Chargeback, Date: on("2024-02-01"), Amount: 10000, Target: "p"}}, "2024-02-01", []row{{39603, 1200}, {49899, 904}, {40498, 405}}, 91706},
		// January's 12.00 and all principal are still out: February earns 12.00 more, and two
		// equal instalments pay 1,224.00 and what March earns.
		"spread over what is to come": {none, []servicing.Event{drawn, {ID: "a", Kind: servicing.ReAmortise, Date: on("2024-02-15")}}, "2024-02-15", []row{{0, 0}, {59105, 2400}, {60895, 609}}, 123009},
		// From 1 February a month and 14 of 31 days on 1,200.00: 17.42, with January's 12.00.
		"re-aged": {none, []servicing.Event{drawn, {ID: "a", Kind: servicing.ReAge, Date: on("2024-02-15"),
			Change: &servicing.Change{From: on("2024-03-15"), N: 2, Every: 1, Unit: schedule.Months}}}, "2024-02-15", []row{{0, 0}, {58835, 2942}, {61165, 612}}, 123554},
		// 2.50 of February and 97.50 were paid ahead; 706.47 for a month and 5 of 31 days: 8.20.
		"re-aged after money ahead": {none, []servicing.Event{drawn, paid, {ID: "q", Kind: servicing.Repay, Date: on("2024-02-10"), Amount: 10000},
			{ID: "a", Kind: servicing.ReAge, Date: on("2024-02-15"), Change: &servicing.Change{From: on("2024-03-15"), N: 1}}}, "2024-02-15", []row{{49353, 1450}, {70647, 820}}, 71467},
		// Undone, the loan is as in "overdue".
		"a re-age undone": {none, []servicing.Event{drawn, {ID: "a", Kind: servicing.ReAge, Date: on("2024-02-15"),
			Change: &servicing.Change{From: on("2024-03-15"), N: 2}}, {ID: "u", Kind: servicing.Reverse, Date: on("2024-02-15"), Target: "a"}}, "2024-02-15", []row{{39603, 1200}, {39808, 995}, {40589, 406}}, 122601},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			terms := progressive()
			c.terms(&terms)
			s, err := servicing.Replay(terms, c.events, on(c.to))
			if err != nil {
				t.Fatal(err)
			}
			got := []row{}
			for _, r := range s.Rows {
				got = append(got, row{r.Due.Principal, r.Due.Interest})
			}
			if len(got) != len(c.rows) {
				t.Fatalf("rows %v, want %v", got, c.rows)
			}
			for i := range got {
				if got[i] != c.rows[i] {
					t.Errorf("row %d: %v, want %v", i+1, got[i], c.rows[i])
				}
			}
			if s.Outstanding.Total() != c.open {
				t.Errorf("%s are open, want %s", s.Outstanding.Total(), c.open)
			}
		})
	}
}

// TestProgressiveRefuses refuses changes of a plan that there is not.
func TestProgressiveRefuses(t *testing.T) {
	t.Parallel()
	terms := progressive()
	terms.Progressive = false
	drawn := servicing.Event{ID: "d", Kind: servicing.Disburse, Date: on("2024-01-01"), Amount: 120000}
	for _, k := range []servicing.Kind{servicing.PauseInterest, servicing.Terminate} {
		ev := servicing.Event{ID: "x", Kind: k, Date: on("2024-02-01"), Change: &servicing.Change{From: on("2024-02-01"), To: on("2024-02-05")}}
		if _, err := servicing.Replay(terms, []servicing.Event{drawn, ev}, on("2024-02-01")); err == nil {
			t.Errorf("%s is accepted", k)
		}
	}
}

// Two fen that are left and re-aged over five rows make no instalment: the last row asks for them.
func TestReAgeOfAFewFen(t *testing.T) {
	t.Parallel()
	terms := progressive()
	terms.Schedule.N, terms.Schedule.DayCount = 1, money.Thirty360
	first := on("2024-01-31")
	events := []servicing.Event{
		{ID: "d", Kind: servicing.Disburse, Date: first, Amount: 10000},
		{ID: "a", Kind: servicing.Repay, Date: first, Amount: 9998},
		{ID: "A", Kind: servicing.ReAge, Date: first + 29, Change: &servicing.Change{From: first + 30, N: 5, Every: 1, Unit: schedule.Days}},
	}
	s := replay(t, terms, "2024-02-29", events...)
	if last := s.Rows[len(s.Rows)-1]; last.Due.Principal != 2 || s.Outstanding.Principal != 2 || s.Status != servicing.Active {
		t.Errorf("%s is owed, the last row asks for %s: %s", s.Outstanding.Principal, last.Due.Principal, s.Status)
	}
}

// TestProgressiveProperty: whatever is paid when, the rows ask for what was lent, the money
// is somewhere, and a payoff leaves nothing owed.
func TestProgressiveProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := progressive()
		terms.Schedule.N = rapid.IntRange(1, 12).Draw(t, "n")
		terms.Schedule.Rate = money.Rate(rapid.Int64Range(1_000_000, 60_000_000).Draw(t, "rate"))
		terms.Schedule.DayCount = rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act365, money.ActActEnd}).Draw(t, "count")
		terms.Recalculation.PayoffFullPeriod = rapid.Bool().Draw(t, "whole")
		terms.Recalculation.ByInstalment = rapid.Bool().Draw(t, "by")
		terms.Allocation.Future = rapid.SampledFrom([]servicing.Future{"", servicing.Last, servicing.Reamortised}).Draw(t, "future")
		first := on("2024-01-31")
		events := []servicing.Event{{ID: "d", Kind: servicing.Disburse, Date: first, Amount: money.Fen(rapid.Int64Range(10000, 500000).Draw(t, "drawn"))}}
		day, paid := first, money.Fen(0)
		for i := range rapid.IntRange(0, 8).Draw(t, "payments") {
			day += money.Date(rapid.IntRange(0, 60).Draw(t, "days"))
			x := money.Fen(rapid.Int64Range(1, 100000).Draw(t, "amount"))
			events = append(events, servicing.Event{ID: string(rune('a' + i)), Kind: servicing.Repay, Date: day, Amount: x})
			paid += x
			if rapid.IntRange(0, 4).Draw(t, "renew") > 0 {
				continue
			}
			more := servicing.Event{ID: string(rune('A' + i)), Kind: servicing.ReAmortise, Date: day}
			if rapid.Bool().Draw(t, "re-age") {
				more.Kind, more.Change = servicing.ReAge, &servicing.Change{From: day + money.Date(rapid.IntRange(1, 90).Draw(t, "from")),
					N: rapid.IntRange(1, 6).Draw(t, "rows"), Every: rapid.IntRange(1, 20).Draw(t, "every"), Unit: rapid.SampledFrom([]schedule.Unit{schedule.Days, schedule.Months}).Draw(t, "unit")}
			}
			if _, err := servicing.Replay(terms, append(events, more), day); err == nil { // else it is too early or too late for it
				events = append(events, more)
			}
		}
		s, err := servicing.Replay(terms, events, day)
		if err != nil {
			t.Fatal(err)
		}
		var asked, taken money.Fen
		for _, r := range s.Rows {
			asked += r.Due.Principal
			taken += r.Paid.Total()
			if o := r.Open(); o.Principal < 0 || o.Interest < 0 {
				t.Fatalf("row %d is paid too much: %+v", r.Nr, r)
			}
		}
		if asked != s.Disbursed {
			t.Fatalf("the rows ask for %s of %s", asked, s.Disbursed)
		}
		if taken+s.Overpaid != paid {
			t.Fatalf("%s and %s of %s", taken, s.Overpaid, paid)
		}
		if s.Status != servicing.Active {
			return
		}
		s, err = servicing.Replay(terms, append(events, servicing.Event{ID: "off", Kind: servicing.Payoff, Date: day}), day)
		// More may have been held for the borrower than was owed.
		if err != nil || s.Status != servicing.Closed && (s.Status != servicing.Overpaid || s.Outstanding.Total() != 0) {
			t.Fatalf("%v: a payoff leaves %+v", err, s)
		}
	})
}
