package loan_test

import (
	"fmt"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
)

func day(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func ExampleSchedule() {
	start, _ := money.ParseDate("2025-01-31")
	rows, _ := loan.Schedule(loan.Terms{
		Principal: 1_000_000, Rate: money.BP(1200), Method: loan.EqualInstalments, DayCount: money.Thirty360, Start: start, N: 3,
	})
	for _, r := range rows {
		fmt.Println(r.DueOn, r.Principal, r.Interest, r.Due)
	}
	// Output:
	// 2025-02-28 3300.22 100.00 3400.22
	// 2025-03-31 3333.22 67.00 3400.22
	// 2025-04-30 3366.56 33.67 3400.23
}

func TestClassifyBounds(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]loan.Class{
		-1: loan.Normal, 0: loan.Normal, 1: loan.SpecialMention, 90: loan.SpecialMention, 91: loan.Substandard,
		270: loan.Substandard, 271: loan.Doubtful, 360: loan.Doubtful, 361: loan.Loss, 5000: loan.Loss,
	} {
		if got := loan.Classify(days); got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
}
