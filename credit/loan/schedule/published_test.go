package schedule_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/money"
)

// yuan reads an amount of a published case without a float.
type yuan string

func (y *yuan) UnmarshalJSON(b []byte) error { *y = yuan(b); return nil }

func (y yuan) fen(tb testing.TB) money.Fen {
	tb.Helper()
	s := strings.TrimSpace(string(y))
	if s == "" || s == "null" {
		return 0
	}
	if whole, frac, ok := strings.Cut(s, "."); ok && len(frac) > 2 {
		s = whole + "." + frac[:2]
	}
	f, err := money.ParseFen(s)
	if err != nil {
		tb.Fatalf("%q: %v", s, err)
	}
	return f
}

// rate reads per cent with up to six decimals.
func (y yuan) rate(tb testing.TB) money.Rate {
	tb.Helper()
	whole, frac, _ := strings.Cut(string(y), ".")
	var r int64
	if _, err := fmt.Sscan(whole+(frac + "000000")[:6], &r); err != nil {
		tb.Fatalf("%q: %v", y, err)
	}
	return money.Rate(r)
}

type publishedRow struct {
	Nr        int    `json:"nr"`
	Period    int    `json:"period"`
	Sub       int    `json:"sub_period"`
	Days      *int   `json:"days"`
	DueDate   string `json:"due_date"`
	Balance   yuan   `json:"balance"`
	Principal yuan   `json:"principal"`
	Interest  yuan   `json:"interest"`
}

type published struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Params struct {
		Principal     yuan   `json:"principal"`
		Rate          yuan   `json:"annual_rate_pct"`
		Interest      string `json:"interest_type"`
		Period        string `json:"interest_calculation_period"`
		Amortization  string `json:"amortization"`
		N             int    `json:"number_of_repayments"`
		Every         int    `json:"repay_every"`
		Unit          string `json:"repay_unit"`
		Submitted     string `json:"submitted_on"`
		Grace         int    `json:"grace_on_principal_periods"`
		GraceInterest int    `json:"grace_on_interest_payment_periods"`
		Free          int    `json:"interest_free_periods"`
		Year          string `json:"days_in_year"`
		Month         string `json:"days_in_month"`
		Periods       []struct {
			DueDate string `json:"due_date"`
		} `json:"periods"`
		Product struct {
			Type     string `json:"schedule_type"`
			Year     string `json:"day_count_days_in_year"`
			Month    string `json:"day_count_days_in_month"`
			MonthEnd string `json:"month_end_due_date_strategy"`
			Multiple int64  `json:"installment_amount_in_multiples_of"`
			Down     int64  `json:"down_payment_pct"`
		} `json:"product_terms"`
	} `json:"params"`
	Events []struct {
		Type   string         `json:"type"`
		Date   string         `json:"date"`
		Amount yuan           `json:"amount"`
		Rows   []publishedRow `json:"rows"`
	} `json:"events"`
}

// terms translates what the other system calls its parameters.
func (c published) terms(tb testing.TB) schedule.Terms {
	tb.Helper()
	p := c.Params
	counts := map[string]money.DayCount{
		"360/30": money.Thirty360, "364/30": money.Thirty364, "365/30": money.Thirty365, "ACTUAL/30": money.ThirtyAct,
		"ACTUAL/ACTUAL": money.ActActEnd, "360/ACTUAL": money.Act360, "364/ACTUAL": money.Act364, "365/ACTUAL": money.Act365,
		"360/INVALID": money.Act360,
	}
	t := schedule.Terms{
		Principal: p.Principal.fen(tb), Rate: p.Rate.rate(tb), Method: schedule.EqualInstalments,
		DayCount: counts[strings.ReplaceAll(p.Year+p.Product.Year+"/"+p.Month+p.Product.Month, "DAYS_", "")],
		N:        max(p.N, len(p.Periods)), Every: p.Every, Unit: schedule.Unit(strings.ToLower(p.Unit)),
		Grace: p.Grace, GraceInterest: p.GraceInterest, InterestFree: p.Free,
		Cumulative: p.Product.Type == "CUMULATIVE", Multiple: money.Fen(100 * p.Product.Multiple),
		DownPayment: money.Rate(p.Product.Down) * money.RateOne / 100,
		MonthEnd:    schedule.MonthEnd(strings.ToLower(strings.TrimSuffix(p.Product.MonthEnd, "_OF_MONTH"))),
	}
	if p.Product.MonthEnd == "FIRST_DAY_OF_NEXT_MONTH" {
		t.MonthEnd = schedule.NextMonth
	}
	if p.Interest == "FLAT" {
		t.Interest = schedule.Flat
	}
	if p.Period == "SAME_AS_REPAYMENT_PERIOD" {
		t.Period = schedule.Repayment
	}
	if p.Amortization == "EQUAL_PRINCIPAL_PAYMENTS" {
		t.Method = schedule.EqualPrincipal
	}
	start := p.Submitted
	for _, e := range c.Events {
		if e.Type == "disburse" {
			start, t.Principal = e.Date, e.Amount.fen(tb)
		}
	}
	var err error
	if t.Start, err = money.ParseDate(start); err != nil {
		tb.Fatal(err)
	}
	return t
}

// The published schedules of another lending system's own tests, every row to the fen.
func TestPublishedSchedules(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][2]int{"schedules.json": {19, 100}, "schedules_all.json": {20, 100}} {
		b, err := os.ReadFile(filepath.Join(realdata.Dir(t, "credit"), file))
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Cases []published `json:"cases"`
		}
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		cases, matched := 0, 0
		for _, c := range f.Cases {
			if c.Kind != "pure_schedule" {
				continue
			}
			cases++
			matched += compare(t, c)
		}
		if cases < want[0] || matched < want[1] {
			t.Errorf("%s: only %d cases and %d rows were compared", file, cases, matched)
		}
		t.Logf("%s: %d cases, %d rows", file, cases, matched)
	}
}

func compare(t *testing.T, c published) (matched int) {
	t.Helper()
	rows, err := schedule.Make(c.terms(t))
	if err != nil {
		t.Errorf("%s: %v", c.ID, err)
		return 0
	}
	for _, e := range c.Events {
		for _, want := range e.Rows {
			nr := max(want.Nr, want.Period)
			if nr == 0 { // the money going out
				continue
			}
			if nr > len(rows) {
				t.Errorf("%s: no row %d", c.ID, nr)
				continue
			}
			got := rows[nr-1]
			if got.Principal != want.Principal.fen(t) || got.Interest != want.Interest.fen(t) || got.Balance != want.Balance.fen(t) ||
				want.DueDate != "" && got.DueOn.String() != want.DueDate || want.Days != nil && got.Days != *want.Days {
				t.Errorf("%s row %d: %+v, want %+v", c.ID, nr, got, want)
				continue
			}
			matched++
		}
	}
	return matched
}
