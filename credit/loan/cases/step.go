package cases

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// steps are sentences and what they do. The first that matches counts.
var steps = []struct {
	re *regexp.Regexp
	do func(r *run, m []string, e *Event) string
}{
	// What is refused, or belongs to another loan.
	{regexp.MustCompile(`(?i)\bfails?\b|\bfailed\b|forbidden|not possible|not able|not allowed|cannot|can not|\bmust return\b|` +
		`results? (in )?an? (\d+ )?error|results? (in )?error|second (loan|client|default)|the same idempotency key`),
		func(*run, []string, *Event) string { return "" }},
	{regexp.MustCompile(`(?i)creates a new customised loan submitted on date: "([^"]+)", with principal: "([^"]+)", a loantermfrequency: (\d+) (\w+), and numberofrepayments: (\d+)`), (*run).custom},
	{regexp.MustCompile(`(?i)creates a fully customized loan`), (*run).customTable},
	{regexp.MustCompile(`(?i)creates a new (default )?(progressive )?loan(?: with date: "([^"]+)")?(.*1 day loan term)?`), (*run).standard},
	{regexp.MustCompile(`(?i)modify the loan and changes the submitted on date to "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		r.p.Submitted.Date = d
		return reason(err)
	}},
	{regexp.MustCompile(`(?i)successfully (rejects|withdrawn|approves) the loan on "([^"]+)"(?: with "([\d.]+)" amount)?`), func(r *run, m []string, _ *Event) string {
		if strings.EqualFold(m[1], "approves") {
			r.approve(cents(m[3]))
			return ""
		}
		r.status0 = map[string]string{"rejects": "rejected", "withdrawn": "withdrawn by applicant"}[strings.ToLower(m[1])]
		return ""
	}},
	{regexp.MustCompile(`(?i)undone the loan approval`), func(r *run, _ []string, _ *Event) string { r.status0 = "submitted and pending approval"; return "" }},
	{regexp.MustCompile(`(?i)undone the loan disbursal`), func(r *run, _ []string, _ *Event) string { return r.undoDraw(false) }},
	{regexp.MustCompile(`(?i)disburse the loan (without auto downpayment )?on "([^"]+)" with "([\d.]+)" EUR transaction amount$`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[2])
		if err != nil {
			return err.Error()
		}
		e := &Event{Type: "disburse", Date: Date{d}, Amount: Amount{Fen: cents(m[3])}}
		if m[1] != "" {
			return r.drawWithout(e)
		}
		return r.disburse(e)
	}},
	{regexp.MustCompile(`(?i)runs (inline )?cob (job|catch)`), func(r *run, _ []string, _ *Event) string { return r.dayEnd() }},
	{regexp.MustCompile(`(?i)runs the (increase business date|recalculate interest|accrual activity|loan delinquency|add (?:periodic )?accrual)`), (*run).job},
	{regexp.MustCompile(`(?i)(puts|removes) "([^"]+)" business step`), func(r *run, m []string, _ *Event) string {
		r.config[m[2]] = map[string]string{"puts": "on"}[strings.ToLower(m[1])]
		return ""
	}},
	{regexp.MustCompile(`(?i)global config "([^"]+)" value set to "([^"]+)"`), func(r *run, m []string, _ *Event) string { r.config[m[1]] = m[2]; return "" }},
	{regexp.MustCompile(`(?i)undo "?(\d+)"?(?:st|nd|rd|th)? repayment`), func(r *run, m []string, _ *Event) string {
		n, _ := strconv.Atoi(m[1])
		return r.undoRepayment(n)
	}},
	{regexp.MustCompile(`(?i)adjust "?(\d+)"?(?:st|nd|rd|th)? repayment on "([^"]+)" with amount "([\d.]+)"`), (*run).adjustRepayment},
	{regexp.MustCompile(`(?i)undo "?(\d+)"?(?:st|nd|rd|th)? "([^"]+)" transaction made on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[3])
		if err != nil {
			return err.Error()
		}
		n, _ := strconv.Atoi(m[1])
		for k, name := range kindNames {
			if strings.EqualFold(name, m[2]) {
				return r.undo(n, d, k)
			}
		}
		return "unknown transaction " + m[2]
	}},
	{regexp.MustCompile(`(?i)undo "?(\d+)"?(?:st|nd|rd|th)? transaction made on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[2])
		if err != nil {
			return err.Error()
		}
		n, _ := strconv.Atoi(m[1])
		return r.undo(n, d)
	}},
	{regexp.MustCompile(`(?i)makes a repayment undo on "([^"]+)"`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.Repay) }},
	{regexp.MustCompile(`(?i)^refund undo happens on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		if err != nil {
			return err.Error()
		}
		return r.undo(1, d, servicing.PayoutRefund, servicing.MerchantRefund)
	}},
	{regexp.MustCompile(`(?i)^refund happens on "([^"]+)" with ([\d.]+) EUR`), func(r *run, m []string, _ *Event) string {
		return r.pay(servicing.PayoutRefund, m[1], m[2])
	}},
	{regexp.MustCompile(`(?i)successfully undo last disbursal`), func(r *run, _ []string, _ *Event) string { return r.undoDraw(true) }},
	{regexp.MustCompile(`(?i)successfully undo disbursal`), func(r *run, _ []string, _ *Event) string { return r.undoDraw(false) }},
	{regexp.MustCompile(`(?i)adds "([^"]+)" due date charge with "([^"]+)" due date and ([\d.]+) EUR`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[2])
		if err != nil {
			return err.Error()
		}
		return r.charge(m[1], d, cents(m[3]))
	}},
	{regexp.MustCompile(`(?i)adds an nsf fee because of payment bounce with "([^"]+)" transaction date`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		if err != nil {
			return err.Error()
		}
		return r.charge("LOAN_NSF_FEE", d, 1000)
	}},
	{regexp.MustCompile(`(?i)adds a ([\d.]+) % processing charge to the loan .* on date: "([^"]+)"`), (*run).processing},
	{regexp.MustCompile(`(?i)adds "([^"]+)" charge with ([\d.]+) % of transaction amount`), (*run).percent},
	{regexp.MustCompile(`(?i)waives charge|waives due date charge`), (*run).waive},
	{regexp.MustCompile(`(?i)charge adjustment for the last "([^"]+)" type charge which is due on "([^"]+)" with ([\d.]+) EUR`), (*run).adjust},
	{regexp.MustCompile(`(?i)reverts the charge adjustment which was raised on "([^"]+)" with ([\d.]+) EUR`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		if err != nil {
			return err.Error()
		}
		return r.undo(1, d, servicing.AdjustCharge)
	}},
	{regexp.MustCompile(`(?i)does a charge-off undo the loan`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.ChargeOff) }},
	{regexp.MustCompile(`(?i)does (a )?write-?off the loan on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[2])
		if err != nil {
			return err.Error()
		}
		return r.add(servicing.Event{Kind: servicing.WriteOff, Date: d})
	}},
	{regexp.MustCompile(`(?i)undo (a |the )?loan re-aging`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.ReAge) }},
	{regexp.MustCompile(`(?i)undo (a |the )?loan re-amortization`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.ReAmortise) }},
	{regexp.MustCompile(`(?i)(create|update) (?:an|the) interest pause period with start date "([^"]+)" and end date "([^"]+)"`), (*run).pauseInterest},
	{regexp.MustCompile(`(?i)delete the interest pause`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.PauseInterest) }},
	{regexp.MustCompile(`(?i)adds capitalized income with "[^"]+" payment type to the loan on "([^"]+)" with "?([\d.]+)"? EUR`), func(r *run, m []string, _ *Event) string {
		return r.pay(servicing.Capitalise, m[1], m[2])
	}},
	{regexp.MustCompile(`(?i)undo(?:es)? (?:the )?(?:loan )?contract termination`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.Terminate) }},
	{regexp.MustCompile(`(?i)terminates loan contract`), func(r *run, _ []string, _ *Event) string {
		return r.add(servicing.Event{Kind: servicing.Terminate, Date: r.today})
	}},
	{regexp.MustCompile(`(?i)adds interest refund for "[^"]+" transaction made on "([^"]+)" with ([\d.]+) EUR`), func(r *run, m []string, _ *Event) string {
		return r.pay(servicing.InterestRefund, m[1], m[2])
	}},
	{regexp.MustCompile(`(?i)re-aging preview|re-amortization preview`), func(*run, []string, *Event) string {
		return "previews are not kept: rows are compared with the loan as it is"
	}},
	{regexp.MustCompile(`(?i)creates a loan re-aging transaction`), (*run).reAge},
	{regexp.MustCompile(`(?i)creates a loan re-amortization transaction`), func(r *run, _ []string, _ *Event) string {
		return r.add(servicing.Event{Kind: servicing.ReAmortise, Date: r.today})
	}},
	{regexp.MustCompile(`(?i)reschedule ?loan from "([^"]+)" to "([^"]+)" submitted on date: "([^"]+)"`), (*run).move},
	{regexp.MustCompile(`(?i)creates and approves loan reschedule with the following data`), (*run).reschedule},
	{regexp.MustCompile(`(?i)sets repaymentstartdatetype for "([^"]+)" loan product to "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		if m[1] == r.p.Product && len(r.events) == 0 && strings.HasPrefix(m[2], "SUBMITTED") {
			r.t.Seed = r.p.Submitted.Date
		}
		return ""
	}},
	{regexp.MustCompile(`(?i)makes waive undone for charge`), func(r *run, _ []string, _ *Event) string { return r.undoLast(servicing.Waive) }},
	{regexp.MustCompile(`(?i)adds "([^"]+)" installment charge with ([\d.]+) amount`), (*run).percent},
	{regexp.MustCompile(`(?i)makes "[^"]+" chargeback with ([\d.]+) EUR transaction amount for (payment|downpayment|mir) nr\. ([\d.]+)`), (*run).chargebackOf},
	{regexp.MustCompile(`(?i)makes (?:externalid controlled )?"([^"]+)" (?:repayment|transaction)(?: with "[^"]+" payment type)? on "([^"]+)" with ([\d.]+) EUR transaction amount`), (*run).payment},
	{regexp.MustCompile(`(?i)makes credit balance refund transaction on "([^"]+)" with ([\d.]+) EUR`), func(r *run, m []string, _ *Event) string {
		return r.pay(servicing.CreditRefund, m[1], m[2])
	}},
	{regexp.MustCompile(`(?i)does (?:a )?charge-off the loan.* on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		if err != nil {
			return err.Error()
		}
		return r.add(servicing.Event{Kind: servicing.ChargeOff, Date: d})
	}},
	{regexp.MustCompile(`(?i)loan pay-off is made on "([^"]+)"`), func(r *run, m []string, _ *Event) string {
		d, err := parseDay(m[1])
		if err != nil {
			return err.Error()
		}
		return r.payOff(&Event{Date: Date{d}})
	}},
	{call, func(r *run, m []string, _ *Event) string { return r.call(m) }},
	// What a sentence only checks, or a setting that changes no figures.
	{regexp.MustCompile(`(?i)^(then |and |when )?(loan|on loan|in loan|loan\w*event|charge is|repayment is|global config\w*|status|details)\b|` +
		`is reverted|fraud flag|delinquen|marked as charged-off|not possible|not able to|not allowed|fails|failed|cannot|can not|` +
		`results? an? (\d+ )?error|business step|journal entr|external owner|creates? (a )?(new )?(client|user|savings)|event`),
		func(*run, []string, *Event) string { return "" }},
}

// step carries out a sentence.
func (r *run) step(e *Event) string {
	for i := range steps {
		if m := steps[i].re.FindStringSubmatch(e.Text); m != nil {
			return steps[i].do(r, m, e)
		}
	}
	return "this sentence is not known: " + e.Text
}

// job runs a job by its name.
func (r *run) job(m []string, _ *Event) string {
	switch strings.ToLower(m[1]) {
	case "increase business date":
		r.today++
	case "recalculate interest":
		return r.recalculate()
	case "add accrual", "add periodic accrual":
		return r.accrueDue(r.today)
	}
	return "" // the others change no figures
}

// adjustRepayment takes the nth repayment back and books another amount in its place.
func (r *run) adjustRepayment(m []string, _ *Event) string {
	n, _ := strconv.Atoi(m[1])
	if why := r.undoRepayment(n); why != "" {
		return why
	}
	if x := cents(m[3]); x > 0 {
		return r.pay(servicing.Repay, m[2], m[3])
	}
	return ""
}

// standard makes the loan that upstream's tests make without figures.
func (r *run) standard(m []string, _ *Event) string {
	d := r.today
	var err error
	if m[3] != "" {
		if d, err = parseDay(m[3]); err != nil {
			return err.Error()
		}
	}
	r.p = defaults()
	r.p.Submitted.Date = d
	if m[2] != "" {
		r.p.Strategy, r.p.Terms.Schedule, r.p.Terms.Processing = "ADVANCED_PAYMENT_ALLOCATION", "PROGRESSIVE", "HORIZONTAL"
	}
	if m[4] != "" {
		r.p.Every = 1
	}
	r.t, err = r.p.terms()
	return reason(err)
}

// columns of the table of a loan, by words that its heading has.
var columns = []struct {
	words string
	set   func(p *Params, v string) error
}{
	{"loanproduct", func(p *Params, v string) error { p.Product = v; return nil }},
	{"submitted", func(p *Params, v string) error {
		d, err := parseDay(v)
		p.Submitted.Date = d
		return err
	}},
	{"principalamount|with principal", func(p *Params, v string) error { return p.Principal.UnmarshalJSON([]byte(v)) }},
	{"interest rate", func(p *Params, v string) error { p.Rate = json.Number(v); return nil }},
	{"interest type", func(p *Params, v string) error { p.Interest = v; return nil }},
	{"interest calculation period", func(p *Params, v string) error { p.Period = v; return nil }},
	{"amortization", func(p *Params, v string) error { p.Amortise = v; return nil }},
	{"number of repayments|numberofrepayments", func(p *Params, v string) (err error) { p.N, err = strconv.Atoi(v); return err }},
	{"repaymentfrequencytype|repayment frequency type", func(p *Params, v string) error { p.Unit = v; return nil }},
	{"repaymentevery|repayment every|repaymentfrequency", func(p *Params, v string) (err error) { p.Every, err = strconv.Atoi(v); return err }},
	{"graceonprincipal|grace on principal", func(p *Params, v string) (err error) { p.Grace, err = strconv.Atoi(v); return err }},
	{"interest free period", func(p *Params, v string) (err error) { p.GracePaying, err = strconv.Atoi(v); return err }},
	{"strategy", func(p *Params, v string) error { p.Strategy = v; return nil }},
}

// customTable makes a loan from a table; what the table leaves out is of the product.
func (r *run) customTable(_ []string, e *Event) string {
	if len(e.Table) == 0 {
		return "the table is missing"
	}
	p := *r.p
	for name, v := range e.Table[0] {
		if strings.EqualFold(name, "LoanProduct") && strings.HasPrefix(v, "LP") {
			p.Terms = productTerms(v)
		}
	}
	for name, v := range e.Table[0] {
		name = strings.ToLower(name)
		for _, c := range columns {
			found := false
			for _, w := range strings.Split(c.words, "|") {
				found = found || strings.Contains(name, w)
			}
			if found {
				if v != "" {
					if err := c.set(&p, v); err != nil {
						return fmt.Sprintf("%s: %v", name, err)
					}
				}
				break
			}
		}
	}
	if m := downPercent.FindStringSubmatch(e.Text); m != nil {
		p.Terms.DownPayment = json.Number(m[1])
		p.Terms.AutoDown = !strings.Contains(strings.ToLower(e.Text), "no auto")
	}
	if m := fixedLength.FindStringSubmatch(e.Text); m != nil {
		p.Length, _ = strconv.Atoi(m[1])
	}
	if strings.Contains(e.Text, "forced disabled downpayment") {
		p.Terms.DownPayment, p.Terms.AutoDown = "0", false
	}
	t, err := p.terms()
	if err != nil {
		return err.Error()
	}
	r.p, r.t = &p, t
	return ""
}

var (
	downPercent = regexp.MustCompile(`(?i)downpayment ([\d.]+)%`)
	fixedLength = regexp.MustCompile(`(?i)fixed length "?(\d+)`)
)

func cents(s string) money.Fen {
	var a Amount
	if a.UnmarshalJSON([]byte(s)) != nil {
		return 0
	}
	return a.Fen
}

// payment is money in, named by its kind or its channel.
func (r *run) payment(m []string, _ *Event) string {
	k, ok := map[string]servicing.Kind{
		"GOODWILL_CREDIT": servicing.Goodwill, "MERCHANT_ISSUED_REFUND": servicing.MerchantRefund, "PAYOUT_REFUND": servicing.PayoutRefund,
		"INTEREST_PAYMENT_WAIVER": servicing.InterestWaiver,
	}[m[1]]
	if !ok {
		k = servicing.Repay
	}
	return r.pay(k, m[2], m[3])
}

// chargebackOf claims back the nth payment of a kind.
func (r *run) chargebackOf(m []string, _ *Event) string {
	kind := map[string]servicing.Kind{"payment": servicing.Repay, "downpayment": servicing.DownPaid, "mir": servicing.MerchantRefund}[strings.ToLower(m[2])]
	nth, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return err.Error()
	}
	n := 0
	for i := range r.events {
		if r.events[i].Kind != kind {
			continue
		}
		if n++; n == int(nth) {
			return r.add(servicing.Event{Kind: servicing.Chargeback, Date: r.today, Amount: cents(m[1]), Target: r.events[i].ID})
		}
	}
	return "there is no such payment"
}

// custom makes the default loan with other figures.
func (r *run) custom(m []string, _ *Event) string {
	d, err := parseDay(m[1])
	if err != nil {
		return err.Error()
	}
	r.p = defaults()
	r.p.Submitted.Date = d
	r.p.Principal.Fen = cents(m[2])
	n, _ := strconv.Atoi(m[5])
	term, _ := strconv.Atoi(m[3])
	r.p.N, r.p.Every = n, max(term/max(n, 1), 1)
	r.p.Unit = strings.ToUpper(m[4])
	r.t, err = r.p.terms()
	if err != nil {
		return err.Error()
	}
	return ""
}

func (r *run) pay(k servicing.Kind, day, amount string) string {
	d, err := parseDay(day)
	if err != nil {
		return err.Error()
	}
	return r.add(servicing.Event{Kind: k, Date: d, Amount: cents(amount)})
}

// undoDraw takes back the last drawdown and what came with it, or all of them.
func (r *run) undoDraw(last bool) string {
	for i := len(r.events) - 1; i >= 0; i-- {
		if ev := &r.events[i]; ev.Kind == servicing.Disburse {
			r.events = r.events[:i]
			if last {
				break
			}
		}
	}
	s, err := servicing.Replay(r.t, r.events, r.horizon())
	if err != nil {
		return err.Error()
	}
	r.state = s
	return ""
}

func (r *run) undoLast(k servicing.Kind) string {
	for i := len(r.events) - 1; i >= 0; i-- {
		if r.events[i].Kind == k && !r.reversed(r.events[i].ID) {
			return r.reverse(r.events[i].ID)
		}
	}
	return "there is nothing to undo"
}

// processing is a charge in per cent of principal and interest.
func (r *run) processing(m []string, _ *Event) string {
	d, err := parseDay(m[2])
	if err != nil {
		return err.Error()
	}
	pct, err := rate(m[1])
	if err != nil {
		return err.Error()
	}
	base := money.Fen(0)
	for i := range r.state.Rows {
		base += r.state.Rows[i].Due.Principal + r.state.Rows[i].Due.Interest
	}
	x, err := money.Portion(base, pct, 1, 1)
	if err != nil {
		return err.Error()
	}
	return r.charge("LOAN_PROCESSING_FEE", d, x)
}

// percent is a charge in per cent that is due at a time which its name says: with the
// drawdown, or with every instalment.
func (r *run) percent(m []string, _ *Event) string {
	pct, err := rate(m[2])
	if err != nil {
		return err.Error()
	}
	switch {
	case strings.Contains(m[1], "TRANCHE"):
		r.tranche, r.trancheName = pct, m[1]
		for i := range r.events {
			if ev := r.events[i]; ev.Kind == servicing.Disburse && !r.reversed(ev.ID) {
				if why := r.trancheFee(ev.Date, ev.Amount); why != "" {
					return why
				}
			}
		}
		return ""
	case strings.Contains(m[1], "DISBURSEMENT"):
		x, err := money.Portion(r.p.Principal.Fen, pct, 1, 1)
		if err != nil {
			return err.Error()
		}
		on := max(r.p.Submitted.Date, r.today)
		return r.add(servicing.Event{Kind: servicing.Charged, Date: r.today, Amount: x,
			Charge: &servicing.Charge{Name: m[1], DueOn: on, AtDisbursement: true}})
	case strings.Contains(m[1], "INSTALLMENT"):
		if r.state == nil {
			return "the loan is not drawn"
		}
		for _, row := range r.state.Rows {
			if row.Kind == servicing.DownRow {
				continue
			}
			base := row.Due.Principal + row.Due.Interest
			switch {
			case strings.HasSuffix(m[1], "PERCENTAGE_AMOUNT"):
				base = row.Due.Principal
			case strings.HasSuffix(m[1], "PERCENTAGE_INTEREST"):
				base = row.Due.Interest
			}
			x, err := money.Portion(base, pct, 1, 1)
			if err != nil {
				return err.Error()
			}
			if strings.HasSuffix(m[1], "FLAT") {
				x = cents(m[2])
			}
			if x == 0 {
				continue
			}
			if why := r.charge(m[1], row.DueOn, x); why != "" {
				return why
			}
		}
		return ""
	}
	return "charges of the kind " + m[1] + " are not known"
}

// trancheFee takes the charge on a tranche out of it.
func (r *run) trancheFee(on money.Date, amount money.Fen) string {
	x, err := money.Portion(amount, r.tranche, 1, 1)
	if err != nil || x == 0 {
		return reason(err)
	}
	return r.add(servicing.Event{Kind: servicing.Charged, Date: on, Amount: x,
		Charge: &servicing.Charge{Name: r.trancheName, DueOn: on, AtDisbursement: true}})
}

// waive gives up the last charge that has a due date of its own.
func (r *run) waive([]string, *Event) string {
	for i := len(r.events) - 1; i >= 0; i-- {
		ev := &r.events[i]
		if ev.Kind == servicing.Charged && !ev.Charge.AtDisbursement && !strings.Contains(ev.Charge.Name, "PROCESSING") && !strings.Contains(ev.Charge.Name, "INSTALLMENT") {
			return r.add(servicing.Event{Kind: servicing.Waive, Date: r.waiveDate(ev), Target: ev.ID})
		}
	}
	return "there is no charge"
}

func (r *run) waiveDate(ev *servicing.Event) money.Date { return ev.Charge.DueOn }

// adjust credits a charge back.
func (r *run) adjust(m []string, _ *Event) string {
	d, err := parseDay(m[2])
	if err != nil {
		return err.Error()
	}
	for i := len(r.events) - 1; i >= 0; i-- {
		if ev := &r.events[i]; ev.Kind == servicing.Charged && ev.Charge.Name == m[1] && ev.Charge.DueOn == d {
			return r.add(servicing.Event{Kind: servicing.AdjustCharge, Date: r.today, Target: ev.ID, Amount: cents(m[3])})
		}
	}
	return "there is no such charge"
}

// reAge starts new instalments.
func (r *run) reAge(_ []string, e *Event) string {
	if len(e.Table) == 0 {
		return "the table is missing"
	}
	row := e.Table[0]
	if how := row["reAgeInterestHandling"]; how != "" && how != "DEFAULT" {
		return "this handling of the interest of a re-age is not known: " + how
	}
	d, err := parseDay(row["startDate"])
	if err != nil {
		return err.Error()
	}
	every, _ := strconv.Atoi(row["frequencyNumber"])
	n, err := strconv.Atoi(row["numberOfInstallments"])
	if err != nil {
		return "numberOfInstallments is no number"
	}
	return r.add(servicing.Event{Kind: servicing.ReAge, Date: r.today,
		Change: &servicing.Change{From: d, N: n, Every: every, Unit: units[row["frequencyType"]]}})
}

// pauseInterest lets nothing be earned for some days; an update takes the place of the last
// pause.
func (r *run) pauseInterest(m []string, _ *Event) string {
	from, err := parseDay(m[2])
	if err != nil {
		return err.Error()
	}
	to, err := parseDay(m[3])
	if err != nil {
		return err.Error()
	}
	if strings.EqualFold(m[1], "update") {
		if why := r.undoLast(servicing.PauseInterest); why != "" {
			return why
		}
	}
	return r.add(servicing.Event{Kind: servicing.PauseInterest, Date: r.today, Change: &servicing.Change{From: from, To: to}})
}

func (r *run) move(m []string, _ *Event) string {
	from, err := parseDay(m[1])
	if err != nil {
		return err.Error()
	}
	to, err := parseDay(m[2])
	if err != nil {
		return err.Error()
	}
	on, err := parseDay(m[3])
	if err != nil {
		return err.Error()
	}
	return r.add(servicing.Event{Kind: servicing.Reschedule, Date: on, Change: &servicing.Change{From: from, To: to}})
}

// reschedule reads the table of an agreed change.
func (r *run) reschedule(_ []string, e *Event) string {
	if len(e.Table) == 0 {
		return "the table is missing"
	}
	row := e.Table[0]
	c := servicing.Change{}
	var err error
	if c.From, err = parseDay(row["rescheduleFromDate"]); err != nil {
		return err.Error()
	}
	if s := row["adjustedDueDate"]; s != "" {
		if c.To, err = parseDay(s); err != nil {
			return err.Error()
		}
	}
	if s := row["newInterestRate"]; s != "" {
		if c.Rate, err = rate(s); err != nil {
			return err.Error()
		}
	}
	c.GracePrincipal, _ = strconv.Atoi(row["graceOnPrincipal"])
	c.GraceInterest, _ = strconv.Atoi(row["graceOnInterest"])
	c.Extra, _ = strconv.Atoi(row["extraTerms"])
	on, err := parseDay(row["submittedOnDate"])
	if err != nil {
		on = r.today
	}
	return r.add(servicing.Event{Kind: servicing.Reschedule, Date: on, Change: &c})
}
