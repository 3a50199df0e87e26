package servicing_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// BenchmarkReplay replays a loan of 12 rows and 15 events, of which a payment is late and
// one is early.
func BenchmarkReplay(b *testing.B) {
	day := func(s string) money.Date { return date(b, s) }
	t := servicing.Terms{
		Schedule: schedule.Terms{
			Rate: money.BP(870), Method: schedule.EqualInstalments, DayCount: money.Act360, N: 12,
		},
		Prepayment: servicing.Hold,
		Penalty:    servicing.PenaltyTerms{Rate: money.BP(1305), Grace: 3},
	}
	events := []servicing.Event{
		{ID: "draw", Kind: servicing.Disburse, Date: day("2024-01-31"), Amount: 5_000_000},
		{ID: "fee", Kind: servicing.Charged, Date: day("2024-02-10"), Amount: 5_000, Charge: &servicing.Charge{DueOn: day("2024-03-15")}},
	}
	start := day("2024-01-31")
	for i := 1; i <= 12; i++ {
		on := start.AddMonths(i)
		if i == 5 {
			on += 9
		}
		events = append(events, servicing.Event{ID: string(rune('a' + i)), Kind: servicing.Repay, Date: on, Amount: 440_000})
	}
	events = append(events, servicing.Event{ID: "waive", Kind: servicing.Waive, Date: day("2025-01-31")})
	to := day("2025-02-10")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := servicing.Replay(t, events, to); err != nil {
			b.Fatal(err)
		}
	}
}
