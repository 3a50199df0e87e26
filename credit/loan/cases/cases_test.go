package cases_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/cases"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// head is a loan of 900 over three months without interest, as a case writes it.
const head = `{"cases": [{"id": "a", "title": "t", "kind": "servicing", "params": {
	"principal": 900, "annual_rate_pct": 0, "interest_type": "FLAT", "interest_calculation_period": "SAME_AS_REPAYMENT_PERIOD",
	"amortization": "EQUAL_INSTALLMENTS", "number_of_repayments": 3, "repay_every": 1, "repay_unit": "MONTHS", "submitted_on": "2023-03-05",
	"payment_strategy": "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER", "product_terms": {"schedule_type": "CUMULATIVE", "installment_amount_in_multiples_of": 1}},
	"events": [{"type": "business_date", "date": "2023-03-05"}, {"type": "disburse", "date": "2023-03-05", "amount": 900.0}, `

func read(tb testing.TB, events string) []cases.Case {
	tb.Helper()
	list, err := cases.Read("test", strings.NewReader(head+events+"]}]}"))
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events  string
		matched int
		all     int
		why     string // of the first difference
	}{
		"rows": {`{"type": "expect_schedule", "rows": [
			{"nr": 0, "days": null, "due_date": "2023-03-05", "balance": 900.0, "principal": null},
			{"nr": 1, "days": 31, "due_date": "2023-04-05", "paid_date": null, "balance": 600.0, "principal": 300.0, "interest": 0.0, "outstanding": 300.0},
			{"nr": 2, "days": 30, "due_date": "2023-05-05", "balance": 300.0, "principal": 300.0},
			{"nr": 3, "days": 31, "due_date": "2023-06-05", "balance": 0.0, "principal": 300.01}]}`, 3, 4, "principal: 300.00, expected 300.01"},
		"a row too few":     {`{"type": "expect_schedule", "rows": [{"nr": 0, "due_date": "2023-03-05"}, {"nr": 1, "principal": 300.0}]}`, 1, 2, "2 more rows follow"},
		"a row too many":    {`{"type": "expect_schedule", "rows": [{"nr": 0}, {"nr": 1}, {"nr": 2}, {"nr": 3}, {"nr": 4}]}`, 4, 5, "there is no such row"},
		"an unknown column": {`{"type": "expect_totals", "totals": {"due": 900.0, "colour": 1}}`, 0, 1, "colour: unknown column"},
		"transactions in any order": {`{"type": "business_date", "date": "2023-04-05"}, {"type": "repayment", "date": "2023-04-05", "amount": 310.0}, {"type": "expect_transactions", "rows": [
			{"transaction_date": "2023-04-05", "transaction_type": "Repayment", "amount": 310.0, "principal": 310.0, "loan_balance": 590.0},
			{"transaction_date": "2023-03-05", "transaction_type": "Disbursement", "amount": 900.0, "loan_balance": 900.0}]}`, 2, 2, ""},
		"a payment undone": {`{"type": "business_date", "date": "2023-04-05"}, {"type": "repayment", "date": "2023-04-05", "amount": 310.0}, {"type": "business_date", "date": "2023-04-06"},
			{"type": "step", "text": "Customer undo \"2\"th transaction made on \"05 April 2023\""},
			{"type": "step", "text": "Customer undo \"1\"th transaction made on \"05 April 2023\""}, {"type": "expect_totals", "totals": {"paid": 0.0}}`, 1, 1, ""},
		"an event that is not known":       {`{"type": "expect_totals", "totals": {"due": 900.0}}, {"type": "gift", "date": "2023-03-06", "amount": 5}, {"type": "expect_totals", "totals": {"due": 900.0}}, {"type": "expect_status", "status": "ACTIVE"}`, 2, 2, ""},
		"a sentence that is not known":     {`{"type": "step", "text": "Admin paints the loan green", "table": null}, {"type": "expect_totals", "totals": {"due": 900.0}}`, 1, 1, ""},
		"an expectation that is not known": {`{"type": "expect_weather", "rows": [{"sun": 1}]}`, 0, 0, "this kind of expectation is not known"},
		"an amount below zero":             {`{"type": "repayment", "date": "2023-04-05", "amount": -5}, {"type": "expect_totals", "totals": {"due": 900.0}}`, 1, 1, ""},
		"a loan that is closed": {`{"type": "business_date", "date": "2023-04-06"}, {"type": "repayment", "date": "2023-04-05", "amount": 950}, {"type": "expect_status", "status": "OVERPAID"}, {"type": "expect_amount", "what": "overpaid", "amount": 50.0},
			{"type": "credit_balance_refund", "date": "2023-04-06", "amount": 50}, {"type": "expect_totals", "totals": {"outstanding": 0.0, "in_advance": 600.0, "paid": 900.0}}, {"type": "expect_status", "status": "Closed (obligations met)"}`, 1, 1, ""},
		"a payment before its day": {`{"type": "repayment", "date": "2023-04-05", "amount": 310.0}, {"type": "expect_totals", "totals": {"paid": 0.0}}`, 1, 1, ""},
		"rows of one day in any order": {`{"type": "disburse", "date": "2023-03-05", "amount": 90.0}, {"type": "expect_schedule", "rows": [
			{"nr": 0, "balance": 90.0, "due_date": "2023-03-05"}, {"nr": 0, "balance": 900.0, "due_date": "2023-03-05"}, {"nr": 1}, {"nr": 2}, {"nr": 3}]}`, 5, 5, ""},
		"a repayment adjusted": {`{"type": "business_date", "date": "2023-04-06"}, {"type": "repayment", "date": "2023-04-05", "amount": 310.0},
			{"type": "step", "text": "Customer adjust \"1\"th repayment on \"06 April 2023\" with amount \"200\""}, {"type": "expect_totals", "totals": {"paid": 200.0, "late": 200.0}}`, 1, 1, ""},
		"what is refused does nothing": {`{"type": "business_date", "date": "2023-04-05"}, {"type": "step", "text": "Customer makes \"AUTOPAY\" repayment on \"06 April 2023\" with 100 EUR transaction amount (and transaction fails because of wrong date)"},
			{"type": "expect_totals", "totals": {"paid": 0.0}}`, 1, 1, ""},
		"a loan by its table": {`{"type": "step", "text": "Admin creates a fully customized loan with downpayment 20%, NO auto downpayment, and with the following data:", "table": [{"LoanProduct": "X", "submitted on date": "01 March 2023", "with Principal": "500", "ANNUAL interest rate %": "0", "number of repayments": "2", "repaymentEvery": "1"}]},
			{"type": "step", "text": "Admin successfully undo disbursal"},
			{"type": "expect_schedule", "rows": [{"nr": 0, "due_date": "2023-03-01", "balance": 500.0}, {"nr": 1, "principal": 100.0}, {"nr": 2, "principal": 200.0}, {"nr": 3, "principal": 200.0}]}`, 4, 4, ""},
		"a loan of a fixed length, its terms by the product's name": {`{"type": "step", "text": "Admin creates a fully customized loan with fixed length 75 and with the following data:", "table": [{"LoanProduct": "LP2_DOWNPAYMENT_ADV_PMT_ALLOC_PROGRESSIVE_LOAN_SCHEDULE_HORIZONTAL", "submitted on date": "01 March 2023", "with Principal": "500", "ANNUAL interest rate %": "0", "number of repayments": "2", "repaymentEvery": "30", "repaymentFrequencyType": "DAYS"}]},
			{"type": "step", "text": "Admin successfully undo disbursal"},
			{"type": "expect_schedule", "rows": [{"nr": 0, "due_date": "2023-03-01", "balance": 500.0}, {"nr": 1, "principal": 125.0}, {"nr": 2, "principal": 187.5, "days": 30}, {"nr": 3, "principal": 187.5, "days": 45, "due_date": "2023-05-15"}]}`, 4, 4, ""},
		"charged and waived": {`{"type": "step", "text": "Admin adds an NSF fee because of payment bounce with \"10 March 2023\" transaction date"},
			{"type": "expect_totals", "totals": {"penalties": 10.0}}, {"type": "step", "text": "Admin waives charge"}, {"type": "expect_totals", "totals": {"penalties": 10.0, "waived": 10.0, "outstanding": 900.0}}`, 2, 2, ""},
		"income by due dates": {`{"type": "add_charge", "charge": "LOAN_NSF_FEE", "due_date": "2023-03-10", "amount": 10}, {"type": "add_charge", "charge": "LOAN_SNOOZE_FEE", "due_date": "2023-04-20", "amount": 5},
			{"type": "business_date", "date": "2023-07-01"}, {"type": "close_of_business"}, {"type": "expect_transactions", "rows": [
			{"transaction_type": "Accrual", "transaction_date": "2023-04-05", "amount": 10.0, "penalties": 10.0}, {"transaction_type": "Accrual", "transaction_date": "2023-05-05", "amount": 5.0, "fees": 5.0}]}`, 2, 2, ""},
		"the jobs of a night": {`{"type": "add_charge", "charge": "LOAN_SNOOZE_FEE", "due_date": "2023-03-06", "amount": 5}, {"type": "step", "text": "Admin runs the Increase Business Date by 1 day job"},
			{"type": "step", "text": "Admin runs the Add Periodic Accrual Transactions job"}, {"type": "expect_transactions", "rows": [{"transaction_type": "Accrual", "transaction_date": "2023-03-06", "amount": 5.0}]}`, 1, 1, ""},
		"put off": {`{"type": "step", "text": "Admin creates and approves Loan reschedule with the following data:", "table": [{"rescheduleFromDate": "05 May 2023", "submittedOnDate": "10 March 2023", "adjustedDueDate": "20 May 2023", "graceOnPrincipal": "", "graceOnInterest": "", "extraTerms": "", "newInterestRate": ""}]},
			{"type": "expect_schedule", "rows": [{"nr": 0}, {"nr": 1, "due_date": "2023-04-05"}, {"nr": 2, "due_date": "2023-05-20", "days": 45}, {"nr": 3, "due_date": "2023-06-20"}]}`, 4, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cases.Run(&read(t, c.events)[0])
			if r.Matched != c.matched || r.Expected != c.all {
				t.Errorf("%d of %d rows, want %d of %d: %+v", r.Matched, r.Expected, c.matched, c.all, r.Differences)
			}
			got := ""
			if len(r.Differences) > 0 {
				got = r.Differences[0].Why
			}
			if got != c.why {
				t.Errorf("the first difference is %q, want %q", got, c.why)
			}
		})
	}
}

// plan is 1,200 at 1 % a month over three months that follow a plan: 408.03 each.
const plan = `{"cases": [{"id": "a", "title": "t", "kind": "servicing", "params": {
	"principal": 1200, "annual_rate_pct": 12, "interest_type": "DECLINING_BALANCE", "interest_calculation_period": "DAILY",
	"amortization": "EQUAL_INSTALLMENTS", "number_of_repayments": 3, "repay_every": 1, "repay_unit": "MONTHS", "submitted_on": "2024-01-01",
	"payment_strategy": "ADVANCED_PAYMENT_ALLOCATION", "product_terms": {"schedule_type": "PROGRESSIVE", "schedule_processing": "HORIZONTAL",
	"day_count_days_in_year": "360", "day_count_days_in_month": "30", "interest_recalculation": true, "pre_closure": "TILL_PRE_CLOSE_DATE",
	"rest_frequency": "DAILY", "reschedule_strategy": "ADJUST_LAST_UNPAID_PERIOD", "compounding": "NONE", "accrual_activity": true}},
	"events": [{"type": "business_date", "date": "2024-01-01"}, {"type": "disburse", "date": "2024-01-01", "amount": 1200.0}, `

// TestRunPlan changes a plan by sentences; the figures are those of TestProgressive in
// credit/loan/servicing.
func TestRunPlan(t *testing.T) {
	t.Parallel()
	for name, events := range map[string]string{
		"income after the last due date, at once": `{"type": "business_date", "date": "2024-06-01"}, {"type": "close_of_business"}, {"type": "expect_transactions", "rows": [
			{"transaction_type": "Accrual", "transaction_date": "2024-04-01", "amount": 24.08, "interest": 24.08}]}`,
		"interest stands still": `{"type": "step", "text": "Create an interest pause period with start date \"11 February 2024\" and end date \"20 February 2024\""},
			{"type": "expect_schedule", "rows": [{"nr": 0}, {"nr": 1, "interest": 12.0}, {"nr": 2, "interest": 5.27}, {"nr": 3, "interest": 4.01}]},
			{"type": "step", "text": "Update the interest pause period with start date \"11 March 2024\" and end date \"20 March 2024\""}, {"type": "step", "text": "Delete the interest pause period"},
			{"type": "expect_totals", "totals": {"interest": 24.08}}`,
		"terminated": `{"type": "business_date", "date": "2024-02-15"}, {"type": "repayment", "date": "2024-02-01", "amount": 408.03}, {"type": "step", "text": "Admin successfully terminates loan contract"},
			{"type": "expect_schedule", "rows": [{"nr": 0}, {"nr": 1}, {"nr": 2, "due_date": "2024-02-15", "principal": 803.97, "interest": 3.88}]},
			{"type": "expect_transactions", "rows": [{"transaction_type": "Contract Termination", "transaction_date": "2024-02-15", "amount": 807.85}]},
			{"type": "step", "text": "Admin successfully undo contract termination"}, {"type": "expect_totals", "totals": {"principal_due": 1200.0}}`,
		"a fee that is lent": `{"type": "business_date", "date": "2024-02-01"}, {"type": "repayment", "date": "2024-02-01", "amount": 408.03},
			{"type": "step", "text": "Admin adds capitalized income with \"AUTOPAY\" payment type to the loan on \"01 February 2024\" with \"100\" EUR transaction amount"},
			{"type": "expect_schedule", "rows": [{"nr": 0, "balance": 1200.0}, {"nr": 1}, {"nr": 0, "balance": 100.0}, {"nr": 2, "principal": 449.74}, {"nr": 3, "principal": 454.23}]}`,
		"re-aged": `{"type": "business_date", "date": "2024-02-15"}, {"type": "step", "text": "Admin creates a Loan re-aging transaction with the following data:", "table": [{"frequencyNumber": "1", "frequencyType": "MONTHS", "startDate": "15 March 2024", "numberOfInstallments": "2"}]},
			{"type": "expect_schedule", "rows": [{"nr": 0}, {"nr": 1, "due": 0.0}, {"nr": 2, "due_date": "2024-03-15", "principal": 588.35, "interest": 29.42}, {"nr": 3, "due_date": "2024-04-15", "principal": 611.65, "interest": 6.12}]},
			{"type": "expect_transactions", "rows": [{"transaction_type": "Re-age", "amount": 1212.0, "principal": 1200.0, "interest": 12.0}]}`,
		"paid by the bank": `{"type": "business_date", "date": "2024-02-02"}, {"type": "step", "text": "Admin makes \"INTEREST_PAYMENT_WAIVER\" transaction with \"AUTOPAY\" payment type on \"01 February 2024\" with 408.03 EUR transaction amount"},
			{"type": "close_of_business"}, {"type": "expect_transactions", "rows": [
			{"transaction_type": "Interest Payment Waiver", "amount": 408.03, "principal": 396.03, "interest": 12.0},
			{"transaction_type": "Accrual Activity", "transaction_date": "2024-02-01", "amount": 12.0, "interest": 12.0}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := cases.Read("plan", strings.NewReader(plan+events+"]}]}"))
			if err != nil {
				t.Fatal(err)
			}
			if r := cases.Run(&list[0]); r.Matched != r.Expected || r.Expected == 0 || len(r.Unknown) > 0 {
				t.Errorf("%d of %d rows: %+v, unknown %+v", r.Matched, r.Expected, r.Differences, r.Unknown)
			}
		})
	}
}

// TestUnknown names what was not understood.
func TestUnknown(t *testing.T) {
	t.Parallel()
	r := cases.Run(&read(t, `{"type": "step", "text": "Admin paints the loan green", "table": null}, {"type": "gift", "amount": 5}, {"type": "repayment", "date": "2023-03-05", "amount": -5}`)[0])
	if len(r.Unknown) != 3 {
		t.Fatalf("%d are told, want 3: %+v", len(r.Unknown), r.Unknown)
	}
	if r.Passed {
		t.Error("the case passes")
	}
	for i, want := range []string{"Admin paints the loan green", "this kind of event is not known", "give an amount above zero"} {
		if got := r.Unknown[i]; got.Event != i+2 || !strings.Contains(got.Why, want) {
			t.Errorf("%+v, want %q of event %d", got, want, i+2)
		}
	}
}

// TestUnknownField names a field that has no meaning, with its place; the case fails though
// its rows are met.
func TestUnknownField(t *testing.T) {
	t.Parallel()
	r := cases.RunAll(read(t, `{"type": "expect_totals", "totals": {"due": 900.0}, "colour": "green"}, {"type": "repayment", "date": "2023-03-05", "amount": 5, "fixed_emi": 7}`), "")
	c := r.Cases[0]
	if r.Matched != 1 || r.Passed != 0 || c.Passed || len(c.Unknown) != 2 {
		t.Fatalf("%+v", r)
	}
	for i, want := range []cases.Difference{{Event: 2, Of: "expect_totals", Why: `unknown field colour "green"`}, {Event: 3, Of: "repayment", Why: "unknown field fixed_emi 7"}} {
		if c.Unknown[i] != want {
			t.Errorf("%+v, want %+v", c.Unknown[i], want)
		}
	}
}

// TestReadPacked reads a packed file by its name, and names terms that it does not know.
func TestReadPacked(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	text := strings.Replace(head, `"schedule_type": "CUMULATIVE"`, `"schedule_type": "CUMULATIVE", "colour": "green", "rest_frequency": "HOURLY", "currency": "EUR"`, 1)
	if _, err := z.Write([]byte(text + `{"type": "expect_totals", "totals": {"due": 900.0}}]}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	list, err := cases.Read("cases.json.gz", &packed)
	if err != nil {
		t.Fatal(err)
	}
	r := cases.Run(&list[0])
	if r.Matched != 1 || len(r.Unknown) != 2 || r.Unknown[0].Why != `colour "green"` || r.Unknown[1].Why != "rest_frequency HOURLY" {
		t.Errorf("%+v", r)
	}
	if _, err := cases.Read("cases.json.gz", strings.NewReader("{}")); !errors.Is(err, cases.ErrFile) {
		t.Errorf("what is not packed gives %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[]", `{"cases": []}`, head + `{"type": "disburse", "amount": 1.234}]}]}`, head + `{"type": "disburse", "date": "2023-02-29"}]}]}`} {
		if _, err := cases.Read("x", strings.NewReader(text)); err == nil {
			t.Errorf("%.60q was read", text)
		}
	}
	if _, err := cases.Read("x", strings.NewReader("{")); !errors.Is(err, cases.ErrFile) {
		t.Errorf("the error is %v", err)
	}
}

// TestPublished holds the figures that docs/formats/cases.md gives.
func TestPublished(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "credit")
	for file, want := range map[string]map[string]cases.Count{
		"schedules.json":     {"pure_schedule": {Matched: 191, Expected: 191}, "servicing": {Matched: 256, Expected: 268}},
		"schedules_all.json": {"pure_schedule": {Matched: 199, Expected: 199}, "servicing": {Matched: 3640, Expected: 3654}},
	} {
		text, err := os.ReadFile(filepath.Join(dir, file)) //nolint:gosec // a file of the data
		if err != nil {
			t.Fatal(err)
		}
		list, err := cases.Read(file, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r := cases.RunAll(list, "")
		for kind, w := range want {
			if got := *r.Kinds[kind]; got.Expected != w.Expected || got.Matched < w.Matched {
				t.Errorf("%s %s: %+v, want %+v", file, kind, got, w)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + `{"type": "repayment", "date": "2023-04-05", "amount": 310.0}, {"type": "expect_schedule", "rows": [{"nr": 0}]}]}]}`)
	f.Add(head + `{"type": "step", "text": "Admin creates a Loan re-aging transaction with the following data:", "table": [{"frequencyNumber": "1", "frequencyType": "MONTHS", "startDate": "01 March 2024", "numberOfInstallments": "6"}]}, {"type": "expect_totals", "totals": {}}]}]}`)
	f.Add(head + `{"type": "step", "text": "payPrincipal(x, LocalDate.of(2024, 2, 1), op)"}, {"type": "expect_periods", "rows": [{"period": 1, "sub_period": 0}]}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := cases.Read("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		r := cases.RunAll(list, "")
		if r.Matched > r.Expected || r.Matched < 0 {
			t.Fatalf("%d of %d rows", r.Matched, r.Expected)
		}
	})
}
