package schedule

import (
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrTerms is returned for terms that make no schedule.
var ErrTerms = fault.New(fault.Invalid, "loan.terms", "these terms make no schedule: {why}")

// Method says how principal comes back.
type Method string

// Methods.
const (
	EqualInstalments Method = "equal_instalments" // the same amount each time
	EqualPrincipal   Method = "equal_principal"   // the same principal, falling interest
	InterestFirst    Method = "interest_first"    // interest each time, principal with the last
	Bullet           Method = "bullet"            // everything at once
	Harvest          Method = "harvest"           // parts of the principal on the days of sale, with the interest so far
	Irregular        Method = "irregular"         // given amounts on given days, the rest with the last
)

// Known says whether m is one of the methods above.
func (m Method) Known() bool {
	switch m {
	case EqualInstalments, EqualPrincipal, InterestFirst, Bullet, Harvest, Irregular:
		return true
	}
	return false
}

// Dated says whether the days of payment are given one by one.
func (m Method) Dated() bool { return m == Harvest || m == Irregular }

// Unit of the time between two instalments.
type Unit string

// Units; "" means months.
const (
	Months Unit = "months"
	Weeks  Unit = "weeks"
	Days   Unit = "days"
	Years  Unit = "years"
)

// Known says whether u is one of the units above.
func (u Unit) Known() bool { return u == Months || u == Weeks || u == Days || u == Years }

// Interest says what interest is reckoned on.
type Interest string

// Ways; "" means declining.
const (
	Declining Interest = "declining" // on the balance
	Flat      Interest = "flat"      // on what was lent, over the whole term, in equal parts
)

// Period says how the length of a period counts.
type Period string

// Ways; "" means daily.
const (
	Daily     Period = "daily"     // by the day count
	Repayment Period = "repayment" // a month is 1/12, a week 1/52 and a day 1/365 of a year
)

// MonthEnd says what becomes of a day that a month lacks.
type MonthEnd string

// Ways; "" means that the day is clamped to the last of the month.
const (
	Clamp      MonthEnd = "last_day"
	NextMonth  MonthEnd = "first_day_of_next_month"
	EndOfMonth MonthEnd = "end_of_month" // every due date is the last day of its month
)

// Tranche is money that goes out after the first.
type Tranche struct {
	On     money.Date `json:"on"`
	Amount money.Fen  `json:"amount"`
}

// RateChange sets another yearly rate from a day on.
type RateChange struct {
	On   money.Date `json:"on"`
	Rate money.Rate `json:"rate"`
}

// Payment is a day of payment of the dated methods. A Harvest pays a share of all the
// principal, or an amount of principal, and the interest so far. An Irregular payment is
// the whole instalment; the last pays what is left.
type Payment struct {
	On     money.Date `json:"on"`
	Share  money.Rate `json:"share,omitempty"` // all together are 100 %
	Amount money.Fen  `json:"amount,omitempty"`
}

// Terms make a schedule.
type Terms struct {
	Principal money.Fen      `json:"principal"` // goes out on Start
	Rate      money.Rate     `json:"rate"`      // a year
	Method    Method         `json:"method"`
	DayCount  money.DayCount `json:"day_count"`
	Start     money.Date     `json:"start"`
	// N counts the instalments. A Bullet has one row over N periods; the dated methods count
	// their payments; with an Instalment it may be 0.
	N        int        `json:"n"`
	Every    int        `json:"every,omitempty"` // units between instalments; 0 means 1
	Unit     Unit       `json:"unit,omitempty"`
	FirstDue money.Date `json:"first_due,omitempty"` // makes the first period longer or shorter
	Length   int        `json:"length,omitempty"`    // units from Start to the last due date, which makes the last period longer or shorter

	Interest Interest `json:"interest,omitempty"`
	Period   Period   `json:"period,omitempty"`
	// Cumulative reckons the equal instalment from a whole regular period, not from the days
	// of each, and leaves the difference in the last row.
	Cumulative bool `json:"cumulative,omitempty"`

	Grace         int `json:"grace,omitempty"`          // first instalments without principal
	GraceInterest int `json:"grace_interest,omitempty"` // first instalments whose interest the next one pays
	InterestFree  int `json:"interest_free,omitempty"`  // first periods without interest

	Multiple    money.Fen  `json:"multiple,omitempty"`     // instalments are rounded to it
	Instalment  money.Fen  `json:"instalment,omitempty"`   // given, not reckoned
	Balloon     money.Fen  `json:"balloon,omitempty"`      // principal that is left to the last instalment
	DownPayment money.Rate `json:"down_payment,omitempty"` // share of each tranche that is due at once

	Tranches []Tranche    `json:"tranches,omitempty"`
	Rates    []RateChange `json:"rates,omitempty"`
	Payments []Payment    `json:"payments,omitempty"`

	MonthEnd MonthEnd `json:"month_end,omitempty"`
	Shift    Shift    `json:"shift,omitempty"` // of due dates off days without business
	Holidays Holidays `json:"holidays,omitzero"`
}

// Row is one instalment of a schedule.
type Row struct {
	Nr        int        `json:"nr"`
	From      money.Date `json:"from"`
	DueOn     money.Date `json:"due_on"`
	Days      int        `json:"days"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"`
	Fee       money.Fen  `json:"fee"`
	Due       money.Fen  `json:"due"`     // principal, interest and fee
	Balance   money.Fen  `json:"balance"` // principal left after it
}

// Bounds of a schedule.
const (
	maxRows = 1200 // 100 years by the month
	// MaxRate is 10,000 % a year.
	MaxRate = 100 * money.RateOne
)

// Lent is all the money that goes out; it returns [money.ErrOverflow].
func (t Terms) Lent() (money.Fen, error) {
	sum := t.Principal
	for _, x := range t.Tranches {
		if sum += x.Amount; sum < 0 {
			return 0, money.ErrOverflow
		}
	}
	return sum, nil
}

// whole fills in what may be left out.
func (t Terms) whole() Terms {
	if t.Every == 0 {
		t.Every = 1
	}
	if t.Unit == "" {
		t.Unit = Months
	}
	if t.Interest == "" {
		t.Interest = Declining
	}
	if t.Period == "" {
		t.Period = Daily
	}
	if t.Method.Dated() && t.N == 0 {
		t.N = len(t.Payments)
	}
	return t
}

// Check returns ErrTerms when t makes no schedule.
func (t Terms) Check() error {
	t = t.whole()
	for _, check := range []func(*Terms) string{(*Terms).checkBasics, (*Terms).checkGrace, (*Terms).checkAmounts, (*Terms).checkDates, (*Terms).checkPayments} {
		if why := check(&t); why != "" {
			return ErrTerms.With("why", why)
		}
	}
	return nil
}

func (t *Terms) checkBasics() string {
	switch {
	case t.Principal <= 0:
		return "the principal must be above zero"
	case t.Rate < 0 || t.Rate > MaxRate:
		return "the rate is out of bounds"
	case !t.Method.Known():
		return "unknown repayment method"
	case !t.DayCount.Known():
		return "unknown day count"
	case !t.Unit.Known():
		return "unknown time unit"
	case t.Interest != Declining && t.Interest != Flat:
		return "interest is declining or flat"
	case t.Period != Daily && t.Period != Repayment:
		return "periods count daily or by repayment"
	case t.N < 1 && (t.N < 0 || t.Instalment == 0), t.Every < 1, t.N > maxRows, t.Every > maxRows:
		return "the number of instalments must be between 1 and 1200"
	case t.Start < -700_000 || t.Start > 2_000_000:
		return "the start is out of bounds"
	}
	return ""
}

func (t *Terms) checkGrace() string {
	instalments := t.Method == EqualInstalments || t.Method == EqualPrincipal
	n := t.N
	if n == 0 {
		n = maxRows
	}
	switch {
	case t.Grace < 0 || t.Grace >= n:
		return "grace must leave at least one instalment that pays principal"
	case t.Grace > 0 && !instalments:
		return "grace goes with equal instalments and equal principal"
	case t.GraceInterest < 0 || t.InterestFree < 0 || t.GraceInterest+t.InterestFree >= n && t.GraceInterest+t.InterestFree > 0:
		return "grace must leave at least one instalment that pays interest"
	case t.GraceInterest+t.InterestFree > 0 && t.Method == Bullet:
		return "a single payment has no grace on interest"
	}
	return ""
}

func (t *Terms) checkAmounts() string {
	lent, err := t.Lent()
	switch {
	case err != nil:
		return "the tranches are too large"
	case t.Multiple < 0 || t.Instalment < 0 || t.Balloon < 0:
		return "amounts may not be below zero"
	case t.Instalment > 0 && t.Method != EqualInstalments:
		return "a given instalment goes with equal instalments"
	case t.Instalment > 0 && t.Interest == Flat:
		return "a given instalment goes with declining interest"
	case t.Instalment > 0 && t.Balloon > 0:
		return "give an instalment or a balloon, not both"
	case t.Balloon > 0 && t.Method != EqualInstalments && t.Method != EqualPrincipal:
		return "a balloon goes with equal instalments and equal principal"
	case t.DownPayment < 0 || t.DownPayment >= money.RateOne:
		return "a down payment is less than all"
	}
	if t.Balloon > 0 {
		down, err := money.Mul(lent, int64(t.DownPayment), int64(money.RateOne))
		if err != nil || t.Balloon >= lent-down {
			return "the balloon must be less than what is lent"
		}
	}
	return ""
}

func (t *Terms) checkDates() string {
	switch t.MonthEnd {
	case "", Clamp, NextMonth, EndOfMonth:
	default:
		return "unknown rule for month ends"
	}
	if !t.Shift.Known() {
		return "unknown rule for days without business"
	}
	if t.FirstDue != 0 && (t.FirstDue <= t.Start || t.FirstDue > 2_100_000 || t.Method.Dated()) {
		return "the first due date must come after the start, and a schedule of given dates has its own"
	}
	if t.Length < 0 || t.Length > maxRows*maxRows || t.Length > 0 && (t.Method.Dated() || t.Method == Bullet || t.N == 0 || t.Length <= t.Every*(t.N-1)) {
		return "a fixed length ends instalments after the last but one"
	}
	at := t.Start
	for _, x := range t.Tranches {
		switch {
		case x.On <= at:
			return "the tranches must come after the start, one after the other"
		case x.Amount <= 0:
			return "a tranche must be above zero"
		}
		at = x.On
	}
	if len(t.Tranches) > 0 && t.Interest == Flat {
		return "tranches go with declining interest"
	}
	at = t.Start
	for _, x := range t.Rates {
		switch {
		case x.On <= at:
			return "the changes of the rate must come after the start, one after the other"
		case x.Rate < 0 || x.Rate > MaxRate:
			return "the rate is out of bounds"
		}
		at = x.On
	}
	if len(t.Rates) > 0 && t.Interest == Flat {
		return "changes of the rate go with declining interest"
	}
	return ""
}

func (t *Terms) checkPayments() string {
	if !t.Method.Dated() {
		if len(t.Payments) > 0 {
			return "given dates go with the methods harvest and irregular"
		}
		return ""
	}
	if len(t.Payments) == 0 || t.N != len(t.Payments) {
		return "give the days of payment"
	}
	var shares money.Rate
	var amounts money.Fen
	at := t.Start
	for i, p := range t.Payments {
		switch {
		case p.On <= at || p.On > 2_100_000:
			return "the days of payment must come after the start, one after the other"
		case p.Share < 0 || p.Share > money.RateOne || p.Amount < 0:
			return "shares are between 0 and 100 %, amounts not below zero"
		case p.Share > 0 && (p.Amount > 0 || t.Method == Irregular):
			return "give a share or an amount; an irregular payment has an amount"
		case t.Method == Irregular && p.Amount == 0 && i < len(t.Payments)-1:
			return "an irregular payment has an amount, but for the last"
		}
		at, shares = p.On, shares+p.Share
		if amounts += p.Amount; amounts < 0 {
			return "the amounts are too large"
		}
	}
	lent, err := t.Lent()
	if t.Method == Irregular || err != nil {
		return ""
	}
	down, err := money.Mul(lent, int64(t.DownPayment), int64(money.RateOne))
	switch {
	case err != nil, shares > 0 && amounts > 0:
		return "give shares for all payments, or amounts for all"
	case shares > 0 && shares != money.RateOne:
		return "the shares must add up to 100 %"
	case shares == 0 && amounts != lent-down:
		return "the amounts must add up to the principal"
	}
	return ""
}
