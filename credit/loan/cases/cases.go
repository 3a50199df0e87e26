// Package cases reads files of loan cases, each a list of events with the rows that are
// expected between them, and replays them on the engine of servicing. Every difference is
// told; a row that cannot be judged counts as not matched.
package cases

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrFile is returned for a file that is not one of cases.
var ErrFile = fault.New(fault.Invalid, "cases.file", "{file} is not a file of loan cases: {why}")

// maxFile bounds a file of cases.
const maxFile = 64 << 20

// Amount is an amount with two decimals in the file and in cents here. Blank is one that
// the file leaves out.
type Amount struct {
	Fen   money.Fen
	Blank bool
}

// UnmarshalJSON reads 12.3, "12.30" or null.
func (a *Amount) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" || s == "" {
		*a = Amount{Blank: true}
		return nil
	}
	whole, cents, _ := strings.Cut(strings.ReplaceAll(s, ",", ""), ".")
	cents = strings.TrimRight(cents, "0")
	if len(cents) > 2 {
		return ErrFile.With("file", "it").With("why", s+" has more than two decimals")
	}
	f, err := money.ParseFen(whole + "." + (cents + "00")[:2])
	a.Fen = f
	return err
}

// Date is a day in the file, as 2024-01-31; zero where it is left out.
type Date struct{ money.Date }

// UnmarshalJSON reads a day or null.
func (d *Date) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" || s == "" {
		d.Date = 0
		return nil
	}
	day, err := parseDay(s)
	d.Date = day
	return err
}

// parseDay reads 2024-01-31 and 31 January 2024.
func parseDay(s string) (money.Date, error) {
	if t, err := time.Parse("2 January 2006", s); err == nil {
		return money.NewDate(t.Year(), t.Month(), t.Day()), nil
	}
	return money.ParseDate(s)
}

// Case is one loan with its life.
type Case struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Kind   string  `json:"kind"` // "pure_schedule" or "servicing"
	Params *Params `json:"params"`
	Events []Event `json:"events"`

	Touches json.RawMessage `json:"touches"`
	Source  json.RawMessage `json:"source"`
	Unread  []string        `json:"-"` // fields that are not known
}

// Params are the terms of a loan. Absent ones mean what the runner says in defaults.
type Params struct {
	Principal   Amount      `json:"principal"`
	Rate        json.Number `json:"annual_rate_pct"`
	Interest    string      `json:"interest_type"`
	Period      string      `json:"interest_calculation_period"`
	Amortise    string      `json:"amortization"`
	N           int         `json:"number_of_repayments"`
	Every       int         `json:"repay_every"`
	Unit        string      `json:"repay_unit"`
	Submitted   Date        `json:"submitted_on"`
	DisbursedOn Date        `json:"disbursed_on"`
	Grace       int         `json:"grace_on_principal_periods"`
	GracePaying int         `json:"grace_on_interest_payment_periods"`
	Free        int         `json:"interest_free_periods"`
	Strategy    string      `json:"payment_strategy"`
	Length      int         `json:"fixed_length"` // in repay units
	Product     string      `json:"product"`
	Terms       Product     `json:"product_terms"`
	DaysInYear  string      `json:"days_in_year"`
	DaysInMonth string      `json:"days_in_month"`
	Periods     []Period    `json:"periods"`
	Unread      []string    `json:"-"` // fields that are not known
}

// Product is what a product adds.
type Product struct {
	DaysInYear    string              `json:"day_count_days_in_year"`
	DaysInMonth   string              `json:"day_count_days_in_month"`
	Multiple      *int                `json:"installment_amount_in_multiples_of"`
	Schedule      string              `json:"schedule_type"`
	Processing    string              `json:"schedule_processing"`
	Recalculation bool                `json:"interest_recalculation"`
	PreClosure    string              `json:"pre_closure"`
	Reschedule    string              `json:"reschedule_strategy"`
	Rest          string              `json:"rest_frequency"`
	Partial       *bool               `json:"allow_partial_period_interest"`
	DownPayment   json.Number         `json:"down_payment_pct"`
	AutoDown      bool                `json:"auto_down_payment"`
	Multi         bool                `json:"multi_disburse"`
	MonthEnd      string              `json:"month_end_due_date_strategy"`
	Credit        map[string][]string `json:"credit_allocation"`
	Compounding   string              `json:"compounding"`
	YearStrategy  string              `json:"days_in_year_custom_strategy"`
	ChargeOff     string              `json:"charge_off_behaviour"`
	Refund        []string            `json:"supported_interest_refund_types"`
	Activity      bool                `json:"accrual_activity"`
	Length        int                 `json:"fixed_length"` // where the loan has none of its own
	Unread        []string            `json:"-"`            // fields that are not known
}

// Period is a due date that is given.
type Period struct {
	Nr   int  `json:"nr"`
	From Date `json:"from_date"`
	Due  Date `json:"due_date"`
}

// Event is one line of a case; Type says which fields count.
type Event struct {
	Type    string              `json:"type"`
	Date    Date                `json:"date"`
	Amount  Amount              `json:"amount"`
	Charge  string              `json:"charge"`
	DueDate Date                `json:"due_date"`
	Channel string              `json:"channel"`
	What    string              `json:"what"`
	Status  string              `json:"status"`
	Text    string              `json:"text"`
	Table   []map[string]string `json:"table"`
	Rows    []map[string]any    `json:"rows"`
	Totals  map[string]any      `json:"totals"`
	Nth     int                 `json:"nth,string"`
	Of      string              `json:"of"`
	Product string              `json:"product"`
	Tx      string              `json:"transaction_type"`
	Future  string              `json:"future_installment_rule"`
	Unread  []string            `json:"-"` // fields that are not known
}

// benign are fields that change no figure that is compared.
var benign = map[string]bool{
	"term": true, "term_unit": true, "upstream_columns": true, "rounding": true, "method": true, "note": true, "currency": true,
	"currency_digits": true, "rounding_mode": true, "principal_threshold_for_last_installment_pct": true, "grace_on_arrears_ageing": true,
	"overdue_days_for_npa": true, "installment_level_delinquency": true, "rest_interval": true, "line": true, "expected_disbursement": true, "disabled_upstream": true,
}

// meaningless are values that say the same as an absent field.
var meaningless = map[string]bool{"null": true, `""`: true, "false": true, "0": true, "0.0": true, `"NONE"`: true, "[]": true, "{}": true}

// UnmarshalJSON keeps the names of fields that are not read.
func (p *Params) UnmarshalJSON(b []byte) error {
	type plain Params
	if err := json.Unmarshal(b, (*plain)(p)); err != nil {
		return err
	}
	p.Unread = unread(b, Params{})
	return nil
}

// UnmarshalJSON keeps the names of fields that are not read.
func (p *Product) UnmarshalJSON(b []byte) error {
	type plain Product
	if err := json.Unmarshal(b, (*plain)(p)); err != nil {
		return err
	}
	p.Unread = unread(b, Product{})
	return nil
}

// UnmarshalJSON keeps the names of fields that are not read.
func (c *Case) UnmarshalJSON(b []byte) error {
	type plain Case
	if err := decode(b, (*plain)(c)); err != nil {
		return err
	}
	c.Unread = unread(b, Case{})
	return nil
}

// UnmarshalJSON keeps the names of fields that are not read.
func (e *Event) UnmarshalJSON(b []byte) error {
	type plain Event
	if err := decode(b, (*plain)(e)); err != nil {
		return err
	}
	e.Unread = unread(b, Event{})
	return nil
}

// decode reads an object with its numbers as they are written.
func decode(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(v)
}

// unread are the fields of an object that a type has no place for, with their values.
func unread(b []byte, v any) (out []string) {
	var all map[string]json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return nil
	}
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(all, name)
	}
	for k, raw := range all {
		if !benign[k] && !meaningless[string(raw)] {
			out = append(out, k+" "+string(raw))
		}
	}
	slices.Sort(out)
	return out
}

// Read reads a file of cases; one whose name ends in .gz is unpacked.
func Read(name string, r io.Reader) ([]Case, error) {
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, ErrFile.With("file", name).With("why", err.Error())
		}
		r = z
	}
	var f struct {
		Cases []Case `json:"cases"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxFile)).Decode(&f); err != nil {
		return nil, ErrFile.With("file", name).With("why", err.Error())
	}
	if len(f.Cases) == 0 {
		return nil, ErrFile.With("file", name).With("why", "it has no cases")
	}
	return f.Cases, nil
}
