package product

import (
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Tranche is a part of the loan that goes out in its time of the season. The first goes out
// when the borrower draws the loan, each later one when the borrower asks for it from its
// day on.
type Tranche struct {
	Name    map[string]string `json:"name" yaml:"name"`         // what it is for, by language
	ShareBP int64             `json:"share_bp" yaml:"share_bp"` // of the loan; all together are 10,000
	// AfterDays from the first tranche on, or On a day of the season, "03-01", it can be drawn.
	AfterDays int    `json:"after_days,omitempty" yaml:"after_days"`
	On        string `json:"on,omitempty" yaml:"on"`
	// OpenDays is how long it can be drawn before it lapses; 0 means [OpenDays].
	OpenDays int `json:"open_days,omitempty" yaml:"open_days"`
	// Condition must hold before it goes out; "" asks for nothing.
	Condition loan.Condition `json:"condition,omitempty" yaml:"condition" enum:"crop"`
}

// OpenDays is how long a tranche can be drawn when its product does not say.
const OpenDays = 30

// apartDays is how long after one tranche the next may come: what would come sooner goes
// out with it.
const apartDays = 7

// Tranches is the plan of a loan; nil where it goes out at once. Shares are cut to whole
// yuan and the last takes the rest. A tranche whose day of the season does not come within
// the loan, 30 days before its last due date or sooner, goes out with the one before: what
// is borrowed after the top dressing waits for none.
func (c *Catalogue) Tranches(p Product, d Drawing) []loan.Tranche {
	if len(p.Tranches) == 0 {
		return nil
	}
	last := c.lastDue(p, d)
	left := d.Principal
	var out []loan.Tranche
	for i, t := range p.Tranches {
		amount := left
		if i < len(p.Tranches)-1 {
			amount, _ = money.Mul(d.Principal, t.ShareBP, 10_000) // a part of an amount
			amount -= amount % 100
		}
		left -= amount
		if i == 0 {
			out = append(out, loan.Tranche{Nr: 1, Name: t.Name, Amount: amount, On: d.Start, Until: d.Start, State: loan.TranchePlanned})
			continue
		}
		before := &out[len(out)-1]
		on := t.day(d.Start, before.On+apartDays)
		if amount == 0 || on < before.On+apartDays || on > last-harvestDays {
			before.Amount += amount
			continue
		}
		open := money.Date(t.OpenDays)
		if open == 0 {
			open = OpenDays
		}
		out = append(out, loan.Tranche{
			Nr: len(out) + 1, Name: t.Name, Amount: amount, On: on, Until: min(on+open, last-1), Condition: t.Condition, State: loan.TranchePlanned,
		})
	}
	if out[0].Amount == 0 { // a share of less than a yuan
		out[0].Amount, out[1].Amount = out[1].Amount, 0
		out = append(out[:1], out[2:]...)
		for i := range out {
			out[i].Nr = i + 1
		}
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

// lastDue is the last day on which d is repaid.
func (c *Catalogue) lastDue(p Product, d Drawing) money.Date {
	t := c.untranched(p, d)
	end := d.Start.AddMonths(d.Months)
	if n := len(t.Payments); n > 0 {
		end = min(end, t.Payments[n-1].On)
	}
	return end
}

// day is the first on which a tranche can be drawn.
func (t *Tranche) day(start, from money.Date) money.Date {
	if t.On == "" {
		return start + money.Date(t.AfterDays)
	}
	month, day, err := dayOfYear(t.On)
	if err != nil {
		return from // refused at load
	}
	year, _, _ := from.Civil()
	if on := money.NewDate(year, month, day); on >= from {
		return on
	}
	return money.NewDate(year+1, month, day)
}

// dayOfYear reads "07-10"; 29 February is no day of every year.
func dayOfYear(text string) (time.Month, int, error) {
	at, err := time.Parse(time.DateOnly, "2025-"+text)
	return at.Month(), at.Day(), err
}

func checkTranches(p Product, bad wrong) {
	if len(p.Tranches) == 0 {
		return
	}
	if n := len(p.Tranches); n < 2 || n > 6 {
		bad("a plan has 2 to 6 tranches; leave it away for a loan that goes out at once", "tranches")
	}
	switch {
	case p.Revolving:
		bad("a revolving limit is drawn as needed; it has no tranches", "tranches")
	case len(p.Fees) > 0:
		bad("a loan with tranches has no fees beside its interest", "tranches")
	case p.Repayment != nil && p.Repayment.BalloonBP > 0:
		bad("a loan with tranches has no balloon", "tranches")
	}
	var sum int64
	after := 0
	for i, t := range p.Tranches {
		checkName(t.Name, bad, "tranches", i, "name")
		if t.ShareBP <= 0 {
			bad("a tranche has a share above zero", "tranches", i, "share_bp")
		}
		sum += t.ShareBP
		if t.OpenDays < 0 || t.OpenDays > 180 {
			bad("open_days is between 1 and 180", "tranches", i, "open_days")
		}
		if t.Condition != "" && t.Condition != loan.CropGrows {
			bad("condition must be crop, or left away", "tranches", i, "condition")
		}
		if t.Condition == loan.CropGrows && (p.SubjectKind != credit.PlotSubject || !p.Reads("crop")) {
			bad("the condition crop needs a loan on a plot, with crop in its evidence", "tranches", i, "condition")
		}
		if i == 0 {
			if t.AfterDays != 0 || t.On != "" || t.Condition != "" || t.OpenDays != 0 {
				bad("the first tranche goes out when the loan is drawn: it has a name and a share only", "tranches", 0)
			}
			continue
		}
		checkTrancheDay(p, i, after, bad)
		after = max(after, t.AfterDays)
	}
	if sum != 10_000 {
		bad(fmt.Sprintf("the shares of the tranches must sum to 10000, these sum to %d", sum), "tranches")
	}
}

func checkTrancheDay(p Product, i, after int, bad wrong) {
	t := p.Tranches[i]
	switch {
	case (t.AfterDays != 0) == (t.On != ""):
		bad("a later tranche has either after_days or on, a day of the year", "tranches", i)
	case t.On != "":
		if _, _, err := dayOfYear(t.On); err != nil {
			bad("write the day like 03-01; 29 February is not in every year", "tranches", i, "on")
		}
	case t.AfterDays < after+apartDays:
		bad(fmt.Sprintf("after_days must be at least %d days after the tranche before", apartDays), "tranches", i, "after_days")
	case len(p.Terms) > 0 && t.AfterDays > 30*slices.Min(p.Terms)-harvestDays:
		bad(fmt.Sprintf("after_days must leave %d days before the end of the shortest term", harvestDays), "tranches", i, "after_days")
	}
}

// inTranches has t let the money out by the plan of d.
func (c *Catalogue) inTranches(t *schedule.Terms, p Product, d Drawing) {
	for i, x := range c.Tranches(p, d) {
		if i == 0 {
			t.Principal = x.Amount
			continue
		}
		t.Tranches = append(t.Tranches, schedule.Tranche{On: x.On, Amount: x.Amount})
	}
}
