package cases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// parts of the names of payment strategies.
var partNames = map[string]servicing.Part{
	"PENALTY": servicing.Penalty, "PENALTIES": servicing.Penalty, "FEE": servicing.Fee, "FEES": servicing.Fee,
	"INTEREST": servicing.Interest, "PRINCIPAL": servicing.Principal,
}

// rate reads per cent a year.
func rate(pct string) (money.Rate, error) {
	if pct == "" {
		return 0, nil
	}
	whole, frac, _ := strings.Cut(pct, ".")
	if len(frac) > 6 {
		frac = frac[:6]
	}
	var r int64
	if _, err := fmt.Sscan(whole+frac+strings.Repeat("0", 6-len(frac)), &r); err != nil {
		return 0, fmt.Errorf("%q is not a rate in per cent", pct)
	}
	return money.Rate(r), nil // 1e-8 is 1e-6 of a per cent
}

// allocation reads the name of a strategy: its words in order, in one list for all rows,
// or in one for what is due and one for what is in advance.
func allocation(name, processing string) servicing.Allocation {
	if strings.HasPrefix(name, "ADVANCED") {
		all := []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Principal, servicing.Interest}
		return servicing.Allocation{Order: servicing.Order(all, all, all), Vertical: processing == "VERTICAL"}
	}
	due, ahead, two := strings.Cut(name, "IN_ADVANCE")
	list := func(s string) (out []servicing.Part) {
		for _, w := range strings.Split(s, "_") {
			if p, ok := partNames[w]; ok {
				out = append(out, p)
			}
		}
		return out
	}
	d := list(due)
	if len(d) != 4 {
		return servicing.Allocation{}
	}
	a := servicing.Allocation{Order: servicing.Order(d, d, d)}
	if l := list(ahead); two && len(l) == 4 {
		a.Order, a.ChargesFirst = servicing.Order(d, d, l), true
	}
	return a
}

var units = map[string]schedule.Unit{
	"DAYS": schedule.Days, "WEEKS": schedule.Weeks, "MONTHS": schedule.Months, "YEARS": schedule.Years,
}

// futures are the rules for money in advance.
var futures = map[string]servicing.Future{
	"NEXT_INSTALLMENT": servicing.Next, "LAST_INSTALLMENT": servicing.Last, "REAMORTIZATION": servicing.Reamortised,
}

// words are the values that the fields of words may have; "" is always one.
var words = map[string][]string{
	"interest_type":                {"FLAT", "DECLINING_BALANCE", "DecliningBalance", "DECLINING"},
	"interest_calculation_period":  {"DAILY", "SAME_AS_REPAYMENT_PERIOD"},
	"amortization":                 {"EQUAL_INSTALLMENTS", "EQUAL_PRINCIPAL_PAYMENTS"},
	"repay_unit":                   {"DAYS", "WEEKS", "MONTHS", "YEARS"},
	"day_count_days_in_year":       {"ACTUAL", "360", "364", "365"},
	"day_count_days_in_month":      {"ACTUAL", "30"},
	"schedule_type":                {"CUMULATIVE", "PROGRESSIVE"},
	"schedule_processing":          {"HORIZONTAL", "VERTICAL"},
	"pre_closure":                  {"TILL_PRE_CLOSE_DATE", "TILL_REST_FREQUENCY_DATE"},
	"reschedule_strategy":          {"REDUCE_EMI_AMOUNT", "REDUCE_NUMBER_OF_INSTALLMENTS", "RESCHEDULE_NEXT_REPAYMENTS", "ADJUST_LAST_UNPAID_PERIOD"},
	"rest_frequency":               {"DAILY", "SAME_AS_REPAYMENT"},
	"compounding":                  {"NONE"},
	"month_end_due_date_strategy":  {"LAST_DAY_OF_MONTH", "FIRST_DAY_OF_NEXT_MONTH"},
	"days_in_year_custom_strategy": {"FULL_LEAP_YEAR"},
	"charge_off_behaviour":         {"REGULAR", "ZERO_INTEREST", "ACCELERATE_MATURITY"},
}

// odd are the terms that are not known, or have values that are not.
func (p *Params) odd() []string {
	out := slices.Concat(p.Unread, p.Terms.Unread)
	for _, f := range []struct{ name, value string }{
		{"interest_type", p.Interest},
		{"interest_calculation_period", p.Period},
		{"amortization", p.Amortise},
		{"repay_unit", p.Unit},
		{"day_count_days_in_year", p.Terms.DaysInYear},
		{"day_count_days_in_month", p.Terms.DaysInMonth},
		{"schedule_type", p.Terms.Schedule},
		{"schedule_processing", p.Terms.Processing},
		{"pre_closure", p.Terms.PreClosure},
		{"reschedule_strategy", p.Terms.Reschedule},
		{"rest_frequency", p.Terms.Rest},
		{"compounding", p.Terms.Compounding},
		{"month_end_due_date_strategy", p.Terms.MonthEnd},
		{"days_in_year_custom_strategy", p.Terms.YearStrategy},
		{"charge_off_behaviour", p.Terms.ChargeOff},
	} {
		if f.value != "" && !slices.Contains(words[f.name], f.value) {
			out = append(out, f.name+" "+f.value)
		}
	}
	if b := p.Terms.ChargeOff; b != "" && b != "REGULAR" && (!p.Terms.Recalculation || p.Terms.Schedule != "PROGRESSIVE") {
		out = append(out, "charge_off_behaviour "+b+" of a loan that follows no plan")
	}
	if len(p.Terms.Refund) > 0 {
		out = append(out, "supported_interest_refund_types: interest is given back only where an event says so")
	}
	if p.Strategy != "" && !strings.HasPrefix(p.Strategy, "ADVANCED") && len(allocation(p.Strategy, "").Order) == 0 {
		out = append(out, "payment_strategy "+p.Strategy)
	}
	return out
}

// terms builds what the engine needs.
func (p *Params) terms() (servicing.Terms, error) {
	r, err := rate(p.Rate.String())
	if err != nil {
		return servicing.Terms{}, err
	}
	t := servicing.Terms{
		Schedule: schedule.Terms{
			Rate: r, Method: schedule.EqualInstalments, DayCount: p.dayCount(),
			N: p.N, Every: max(p.Every, 1), Unit: units[p.Unit],
			Grace: p.Grace, GraceInterest: p.GracePaying, InterestFree: p.Free,
			Cumulative: p.Terms.Schedule == "CUMULATIVE", Length: cmp.Or(p.Length, p.Terms.Length),
		},
		Allocation: allocation(p.Strategy, p.Terms.Processing),
		Upfront:    p.Terms.Schedule == "CUMULATIVE",
	}
	if p.Interest == "FLAT" {
		t.Schedule.Interest = schedule.Flat
	}
	if p.Period == "SAME_AS_REPAYMENT_PERIOD" {
		t.Schedule.Period = schedule.Repayment
	}
	if p.Terms.MonthEnd == "FIRST_DAY_OF_NEXT_MONTH" {
		t.Schedule.MonthEnd = schedule.NextMonth
	}
	if p.Amortise == "EQUAL_PRINCIPAL_PAYMENTS" {
		t.Schedule.Method = schedule.EqualPrincipal
	}
	if m := p.Terms.Multiple; m != nil {
		t.Schedule.Multiple = money.Fen(*m) * 100
	}
	if t.Schedule.DownPayment, err = rate(p.Terms.DownPayment.String()); err != nil {
		return t, err
	}
	p.advanced(&t)
	for _, w := range p.Terms.Credit["CHARGEBACK"] {
		t.Chargeback = append(t.Chargeback, partNames[w])
	}
	if p.Terms.Recalculation {
		t.Progressive = p.Terms.Schedule == "PROGRESSIVE"
		t.AtChargeOff = map[string]servicing.AtChargeOff{"ZERO_INTEREST": servicing.NoInterest, "ACCELERATE_MATURITY": servicing.AllDue}[p.Terms.ChargeOff]
		t.Recalculation = &servicing.Recalculation{
			ByInstalment:     p.Terms.Rest == "SAME_AS_REPAYMENT",
			PayoffFullPeriod: p.Terms.PreClosure == "TILL_REST_FREQUENCY_DATE",
			KeepEnded:        true, // recalculated with every payment; a day end does it only where a case says so
		}
		switch p.Terms.Reschedule {
		case "REDUCE_EMI_AMOUNT":
			t.Prepayment = servicing.Lower
		case "REDUCE_NUMBER_OF_INSTALLMENTS":
			t.Prepayment = servicing.Shorten
		case "RESCHEDULE_NEXT_REPAYMENTS":
			t.Prepayment = servicing.Move
		}
	}
	return t, nil
}

// advanced sets what upstream's products with an advanced allocation have beside the
// strategy: rules for payments of special kinds, except those without down payment and
// that of recalculation up to a payoff, and an order of their own for the customised.
func (p *Params) advanced(t *servicing.Terms) {
	if !strings.HasPrefix(p.Strategy, "ADVANCED") {
		return
	}
	if strings.Contains(p.Product, "_CUST_") || strings.Contains(p.Product, "_CUSTOM_") {
		own := []servicing.Part{servicing.Interest, servicing.Principal, servicing.Penalty, servicing.Fee}
		t.Allocation.Order = servicing.Order(own, own, own)
	}
	t.Special = map[servicing.Kind]servicing.Allocation{}
	if strings.HasPrefix(p.Product, "LP2_ADV_PMT_ALLOC_") || strings.HasSuffix(p.Product, "_TILL_PRECLOSE") {
		return
	}
	for k, f := range map[servicing.Kind]servicing.Future{
		servicing.Goodwill: servicing.Last, servicing.MerchantRefund: servicing.Reamortised, servicing.PayoutRefund: servicing.Next,
	} {
		a := t.Allocation
		a.Future = f
		t.Special[k] = a
	}
}

// dayCount joins the two day counts of upstream.
func (p *Params) dayCount() money.DayCount {
	year, month := p.Terms.DaysInYear, p.Terms.DaysInMonth
	if p.DaysInYear != "" {
		year, month = strings.TrimPrefix(p.DaysInYear, "DAYS_"), strings.TrimPrefix(p.DaysInMonth, "DAYS_")
	}
	switch {
	case month == "30":
		return money.Thirty360
	case year == "360":
		return money.Act360
	case year == "364":
		return money.Act364
	case year == "365":
		return money.Act365
	}
	return money.ActActEnd // upstream counts 31 December with the new year
}

// productTerms reads what the name of an upstream product says of its terms, for a case
// that gives the name alone.
func productTerms(name string) Product {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	}
	p := Product{DaysInYear: "ACTUAL", DaysInMonth: "ACTUAL", Schedule: "CUMULATIVE", Multi: has("MULTIDISB", "MULTI_DISB")}
	if has("DOWNPAYMENT") {
		p.DownPayment, p.AutoDown = "25", has("_AUTO")
	}
	if has("ADV") && !has("LP1") {
		p.Schedule, p.Processing = "PROGRESSIVE", "HORIZONTAL"
		if has("VERTICAL") {
			p.Processing = "VERTICAL"
		}
	}
	if has("CREDIT_ALLOCATION", "FIXED_LENGTH") {
		p.Credit = map[string][]string{"CHARGEBACK": {"PENALTY", "FEE", "INTEREST", "PRINCIPAL"}}
	}
	if has("FIXED_LENGTH") {
		p.Length = 90
	}
	if !has("DOWNPAYMENT_ADV_", "EMI") { // those instalments are not rounded
		one := 1
		p.Multiple = &one
	}
	switch {
	case has("360_30"):
		p.DaysInYear, p.DaysInMonth = "360", "30"
	case has("365_ACTUAL"):
		p.DaysInYear = "365"
	}
	if has("RECALCULATION", "RECALC") {
		p.Recalculation, p.Compounding, p.Rest, p.PreClosure = true, "NONE", "DAILY", "TILL_PRE_CLOSE_DATE"
		p.Reschedule = "REDUCE_EMI_AMOUNT"
		if p.Schedule == "PROGRESSIVE" {
			p.Reschedule = "ADJUST_LAST_UNPAID_PERIOD"
		}
		switch {
		case has("REDUCE_NR"):
			p.Reschedule = "REDUCE_NUMBER_OF_INSTALLMENTS"
		case has("RESCH_NEXT"):
			p.Reschedule = "RESCHEDULE_NEXT_REPAYMENTS"
		}
		if has("SAME_AS_REPAYMENT") {
			p.Rest = "SAME_AS_REPAYMENT"
		}
		if has("TILL_REST") {
			p.PreClosure = "TILL_REST_FREQUENCY_DATE"
		}
	}
	return p
}

// defaults is the loan that upstream's tests make when a case gives no terms: 1,000 over
// one period of 30 days, without interest.
func defaults() *Params {
	one := 1
	return &Params{
		Principal: Amount{Fen: 100000}, Rate: "0", Interest: "FLAT", Period: "SAME_AS_REPAYMENT_PERIOD",
		Amortise: "EQUAL_INSTALLMENTS", N: 1, Every: 30, Unit: "DAYS", Strategy: "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER",
		Product: "LP1", Terms: Product{DaysInYear: "ACTUAL", DaysInMonth: "ACTUAL", Multiple: &one, Schedule: "CUMULATIVE"},
	}
}
