package cases

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// reason is the text of an error, "" for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// comparePeriods compares the periods of a model, and their parts.
func (r *run) comparePeriods(want []map[string]any) {
	for i, w := range want {
		if r.model == nil {
			r.judge("periods", i, "the case gives no periods")
			continue
		}
		r.judge("periods", i, r.period(w))
	}
}

func (r *run) period(w map[string]any) string {
	n, err := strconv.Atoi(fmt.Sprint(w["period"]))
	if err != nil || n < 1 || n > len(r.p.Periods) {
		return "there is no such period"
	}
	periods, err := r.model.Periods()
	if err != nil {
		return err.Error()
	}
	p := &periods[n-1]
	k, err := strconv.Atoi(fmt.Sprint(w["sub_period"]))
	if err != nil || k < 0 || k >= len(p.Parts) {
		return "there is no such part of the period"
	}
	part := &p.Parts[k]
	why := differ(w, cells{
		"period": n, "sub_period": k, "emi": p.EMI, "interest": p.Interest, "principal": p.Principal,
		"balance": max(p.Balance, 0), "interest_sub": part.Interest, "rate_factor": factorOf(part),
	})
	return why
}

// factor is a rate factor in units of 1e-12.
type factor money.Fen

func factorOf(part *servicing.ModelPart) factor {
	f, err := part.Factor.Of(1e12)
	if err != nil {
		return -1
	}
	return factor(f)
}

func (f factor) String() string { return fmt.Sprintf("0.%012d", int64(f)) }

// is says whether a number of the file is the factor, at 12 decimals.
func (f factor) is(number string) bool {
	whole, frac, _ := strings.Cut(number, ".")
	return whole == "0" && len(frac) <= 12 && "0."+frac+strings.Repeat("0", 12-len(frac)) == f.String()
}

var (
	call     = regexp.MustCompile(`^(payPrincipal|payInterest|addBalanceCorrection|changeInterestRate)\(\w+, *(.*)\)$`)
	javaDate = regexp.MustCompile(`LocalDate\.of\((\d+), (\d+), (\d+)\)`)
	number   = regexp.MustCompile(`(\d+(?:\.\d+)?|BigDecimal\.ZERO)\)*$`)
	titleOn  = regexp.MustCompile(`_on(\d\d)(\d\d)`)
	titlePct = regexp.MustCompile(`_(\d+)per`)
)

// call carries out a call of upstream's unit tests on the model. Some name variables whose
// values the case does not carry: their day is then that of the case's title, their period
// the one that holds the day, and later the one after, from its first day; their amount is
// what the given ones leave of the instalment.
func (r *run) call(m []string) string {
	if r.model == nil {
		return "the case gives no periods"
	}
	var dates []money.Date
	for _, d := range javaDate.FindAllStringSubmatch(m[2], -1) {
		on, err := parseDay(fmt.Sprintf("%s-%02s-%02s", d[1], d[2], d[3]))
		if err != nil {
			return err.Error()
		}
		dates = append(dates, on)
	}
	on := r.titleDay()
	if len(dates) > 0 {
		on = dates[len(dates)-1]
	}
	due := on
	if len(dates) > 0 {
		due = dates[0]
	}
	if len(dates) == 1 && strings.Contains(m[1], "pay") {
		on = r.titleDay()
	}
	text := javaDate.ReplaceAllString(m[2], "")
	amount, given := money.Fen(0), false
	if n := number.FindStringSubmatch(text); n != nil {
		given = true
		if n[1] != "BigDecimal.ZERO" {
			amount = cents(n[1])
		}
	}
	if on == 0 {
		return "the case does not say the day"
	}
	switch m[1] {
	case "payInterest":
		if len(dates) == 0 {
			due = r.unnamed
		}
		return reason(r.model.PayInterest(r.dueAfter(due), amount))
	case "payPrincipal":
		due = r.dueAfter(due)
		if len(dates) == 0 {
			if due <= r.unnamed { // that period had its turn
				on = r.unnamed
				due = r.dueAfter(on + 1)
			}
			r.unnamed = due
		}
		if !given {
			amount = r.rest(due)
		}
		return reason(r.model.PayPrincipal(due, on, amount))
	case "addBalanceCorrection":
		return reason(r.model.Correct(on, amount))
	}
	pct := titlePct.FindStringSubmatch(r.c.Title)
	if pct == nil {
		return "the case does not say the rate"
	}
	rt, err := rate(pct[1])
	if err != nil {
		return err.Error()
	}
	return reason(r.model.ChangeRate(on, rt))
}

// titleDay is the day in the title of a case, as _on0215, in the year of its first period.
func (r *run) titleDay() money.Date {
	m := titleOn.FindStringSubmatch(r.c.Title)
	if m == nil || len(r.p.Periods) == 0 {
		return 0
	}
	year, _, _ := r.p.Periods[0].From.Civil()
	d, err := parseDay(fmt.Sprintf("%d-%s-%s", year, m[1], m[2]))
	if err != nil {
		return 0
	}
	return d
}

// dueAfter is the due date of the period that holds a day.
func (r *run) dueAfter(d money.Date) money.Date {
	for i := range r.p.Periods {
		if p := &r.p.Periods[i]; d <= p.Due.Date {
			return p.Due.Date
		}
	}
	return d
}

// rest is what the amounts given later for a period leave of its instalment.
func (r *run) rest(due money.Date) money.Fen {
	left := money.Fen(0)
	periods, _ := r.model.Periods() // without them nothing is left
	for i := range periods {
		if p := &periods[i]; p.DueOn == due {
			left = p.EMI
		}
	}
	for i := r.at + 1; i < len(r.c.Events); i++ {
		m := call.FindStringSubmatch(r.c.Events[i].Text)
		if m == nil {
			break
		}
		d := javaDate.FindStringSubmatch(m[2])
		if d != nil {
			on, err := parseDay(fmt.Sprintf("%s-%02s-%02s", d[1], d[2], d[3]))
			if err != nil || r.dueAfter(on) != due {
				continue
			}
		}
		if n := number.FindStringSubmatch(javaDate.ReplaceAllString(m[2], "")); n != nil {
			left -= cents(n[1])
		}
	}
	return max(left, 0)
}
