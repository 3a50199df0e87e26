package servicing_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

func date(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func terms() servicing.Terms {
	return servicing.Terms{Schedule: schedule.Terms{
		Rate: money.BP(1200), Method: schedule.EqualInstalments, DayCount: money.Thirty360, N: 3,
	}}
}

func TestRepaymentOfOneInstalment(t *testing.T) {
	t.Parallel()
	day := func(s string) money.Date { return date(t, s) }
	s, err := servicing.Replay(terms(), []servicing.Event{
		{ID: "d", Kind: servicing.Disburse, Date: day("2024-01-01"), Amount: 300000},
		{ID: "r", Kind: servicing.Repay, Date: day("2024-02-01"), Amount: 102007},
	}, day("2024-02-01"))
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Transactions[1]
	if tx.Interest != 3000 || tx.Principal != 99007 || tx.Balance != 200993 {
		t.Errorf("the repayment was taken as %+v", tx)
	}
	if r := s.Rows[0]; r.PaidOn != day("2024-02-01") || r.Open().Total() != 0 {
		t.Errorf("the first row is %+v", r)
	}
}
