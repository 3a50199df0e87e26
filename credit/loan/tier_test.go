package loan_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/money"
)

func TestTier(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s    loan.Standing
		want loan.Class
	}{
		"on time":                     {loan.Standing{Balance: 100}, loan.Normal},
		"a day late":                  {loan.Standing{OverdueDays: 1, Balance: 100}, loan.SpecialMention},
		"90 days":                     {loan.Standing{OverdueDays: 90, Balance: 100}, loan.SpecialMention},
		"91 days":                     {loan.Standing{OverdueDays: 91, Balance: 100}, loan.Substandard},
		"270 days":                    {loan.Standing{OverdueDays: 270, Balance: 100}, loan.Substandard},
		"271 days":                    {loan.Standing{OverdueDays: 271, Balance: 100}, loan.Doubtful},
		"360 days":                    {loan.Standing{OverdueDays: 360, Balance: 100}, loan.Doubtful},
		"361 days":                    {loan.Standing{OverdueDays: 361, Balance: 100}, loan.Loss},
		"restructured and on time":    {loan.Standing{Balance: 100, Observed: true}, loan.SpecialMention},
		"its debtor is bad elsewhere": {loan.Standing{Balance: 100, Floor: loan.Substandard}, loan.Substandard},
		"half of it expected lost":    {loan.Standing{OverdueDays: 100, Balance: 100, ExpectedLoss: 50, Stage: provision.Impaired}, loan.Doubtful},
		"nearly half":                 {loan.Standing{OverdueDays: 100, Balance: 100, ExpectedLoss: 49, Stage: provision.Impaired}, loan.Substandard},
		"nine tenths":                 {loan.Standing{OverdueDays: 100, Balance: 100, ExpectedLoss: 90, Stage: provision.Impaired}, loan.Loss},
	} {
		if got := loan.Tier(c.s); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestFloorOfDebtor(t *testing.T) {
	t.Parallel()
	debtor := func(bad, good int64) loan.Debtor {
		return loan.Debtor{Debts: []loan.Debt{{Own: loan.Substandard, Balance: fen(bad)}, {Own: loan.Normal, Balance: fen(good)}}}
	}
	if got := debtor(10, 90).Floor(); got != "" {
		t.Errorf("exactly a tenth: %s", got)
	}
	if got := debtor(11, 90).Floor(); got != loan.Substandard {
		t.Errorf("more than a tenth: %q", got)
	}
}

func fen(n int64) money.Fen { return money.Fen(n) }
