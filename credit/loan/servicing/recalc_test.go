package servicing_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// TestRecalculation follows the balance of 1,200.00 at 1 % a month over three months from
// 1 January 2024 (408.03 each). Interest by hand: balance × 1 % × days of the period's days.
func TestRecalculation(t *testing.T) {
	t.Parallel()
	pay := func(day string, amount money.Fen) servicing.Event {
		return servicing.Event{ID: "p" + day, Kind: servicing.Repay, Date: on(day), Amount: amount}
	}
	for name, c := range map[string]struct {
		re   servicing.Recalculation
		pay  []servicing.Event
		to   string
		rows []row
	}{
		// 14 of 31 days on 1,200.00: 5.42; then 700.00: 3.84. All of the money is principal.
		"early": {servicing.Recalculation{}, []servicing.Event{pay("2024-01-15", 50000)}, "2024-01-15",
			[]row{{50000, 926}, {34826, 700}, {35174, 352}}},
		// The row earns 12.00 whatever comes before its end; the money pays that first. What is
		// left, 712.00 over two: 361.35.
		"early, by instalment": {servicing.Recalculation{ByInstalment: true}, []servicing.Event{pay("2024-01-15", 50000)}, "2024-01-15",
			[]row{{48800, 1200}, {35423, 712}, {35777, 358}}},
		"part of a row early, by instalment": {servicing.Recalculation{ByInstalment: true}, []servicing.Event{pay("2024-01-15", 10000)}, "2024-01-15",
			[]row{{39603, 1200}, {39999, 804}, {40398, 404}}},
		// 9 of 29 days on 1,200.00: 3.72; 803.97 for 20: 5.54.
		"late": {servicing.Recalculation{}, []servicing.Event{pay("2024-02-10", 40803)}, "2024-02-10",
			[]row{{39603, 1200}, {39877, 926}, {40520, 405}}},
		// All of February on 1,200.00.
		"late, by instalment": {servicing.Recalculation{ByInstalment: true}, []servicing.Event{pay("2024-02-10", 40803)}, "2024-02-10",
			[]row{{39603, 1200}, {39603, 1200}, {40794, 408}}},
		// February earned on 1,200.00; March 9 of 31 days on 1,200.00: 3.48, then 407.94: 2.90.
		"two rows late": {servicing.Recalculation{}, []servicing.Event{pay("2024-03-10", 40803)}, "2024-03-10",
			[]row{{39603, 1200}, {39603, 1200}, {40794, 638}}},
		// February stays as it was laid out; then 403.98: 2.87.
		"two rows late, what has ended is kept": {servicing.Recalculation{KeepEnded: true}, []servicing.Event{pay("2024-03-10", 40803)}, "2024-03-10",
			[]row{{39603, 1200}, {39999, 804}, {40398, 635}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			terms := progressive()
			terms.Progressive, terms.Prepayment, terms.Recalculation = false, servicing.Lower, &c.re
			terms.Schedule.Cumulative = true
			events := append([]servicing.Event{{ID: "d", Kind: servicing.Disburse, Date: on("2024-01-01"), Amount: 120000}}, c.pay...)
			s, err := servicing.Replay(terms, events, on(c.to))
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range s.Rows {
				if got := (row{r.Due.Principal, r.Due.Interest}); got != c.rows[i] {
					t.Errorf("row %d: %v, want %v", i+1, got, c.rows[i])
				}
			}
		})
	}
}

// TestSpread gives a payment ahead the same part for every row that is open when it comes:
// of 300.01, 10.00 settle the fee of the third row, which would take 96.67 of principal too;
// the others have 96.67 each, and then 48.34 and 48.33 of what that leaves.
func TestSpread(t *testing.T) {
	t.Parallel()
	terms := servicing.Terms{
		Schedule:   schedule.Terms{Method: schedule.EqualPrincipal, DayCount: money.Act365, N: 2, Every: 1, Unit: schedule.Months},
		Allocation: servicing.Allocation{Future: servicing.Reamortised},
	}
	s, err := servicing.Replay(terms, []servicing.Event{
		{ID: "d", Kind: servicing.Disburse, Date: on("2024-01-01"), Amount: 100000},
		{ID: "c", Kind: servicing.Charged, Date: on("2024-01-02"), Amount: 1000, Charge: &servicing.Charge{DueOn: on("2024-04-01")}},
		{ID: "p", Kind: servicing.Repay, Date: on("2024-01-15"), Amount: 30001},
	}, on("2024-01-15"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []money.Fen{14501, 14500, 1000} {
		if got := s.Rows[i].Paid.Total(); got != want {
			t.Errorf("row %d: %s paid, want %s", i+1, got, want)
		}
	}
}
