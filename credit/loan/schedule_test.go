package loan_test

import (
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
