package product

import (
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Repayment says how the instalments of a product are laid out where that is not one a
// month from the day of drawing.
type Repayment struct {
	Every         int               `json:"every,omitempty" yaml:"every"` // units between instalments; 0 means 1
	Unit          schedule.Unit     `json:"unit,omitempty" yaml:"unit" enum:"months,weeks,days,years"`
	Grace         int               `json:"grace,omitempty" yaml:"grace"`                   // first instalments without principal
	GraceInterest int               `json:"grace_interest,omitempty" yaml:"grace_interest"` // first ones whose interest the next one pays
	BalloonBP     int64             `json:"balloon_bp,omitempty" yaml:"balloon_bp"`         // of the principal, left to the last instalment
	MultipleFen   money.Fen         `json:"multiple_fen,omitempty" yaml:"multiple_fen"`     // equal instalments are rounded to it
	MonthEnd      schedule.MonthEnd `json:"month_end,omitempty" yaml:"month_end" enum:"last_day,first_day_of_next_month,end_of_month"`
	Shift         schedule.Shift    `json:"shift,omitempty" yaml:"shift" enum:"none,following,preceding,modified_following"` // of due dates off days without business
	// Harvests are the days of the year on which the crop or the herd is sold.
	Harvests []HarvestDay `json:"harvests,omitempty" yaml:"harvests"`
}

// HarvestDay is a day of sale, in every year.
type HarvestDay struct {
	On      string `json:"on" yaml:"on"`             // "07-10"
	ShareBP int64  `json:"share_bp" yaml:"share_bp"` // of the sales of a year
}

// Drawing is what a schedule needs to know beyond the product.
type Drawing struct {
	Principal money.Fen
	Rate      money.Rate
	Months    int
	Start     money.Date
	Method    schedule.Method // one of the product's ways; "" is its usual one
}

// harvestDays is how long after drawing money may fall due by a harvest: a crop that is
// sold sooner was not grown with it.
const harvestDays = 30

// ScheduleTerms lays out d by the product: the preview, the contract and the loan take
// their rows from the same terms. The holidays that the terms keep are those within the
// life of the loan. A product with tranches lets them out as planned.
func (c *Catalogue) ScheduleTerms(p Product, d Drawing) schedule.Terms {
	t := c.untranched(p, d)
	c.inTranches(&t, p, d)
	return t
}

// untranched lays d out as if all of it went out at once.
func (c *Catalogue) untranched(p Product, d Drawing) schedule.Terms {
	r := p.Repayment
	if r == nil {
		r = &Repayment{}
	}
	t := schedule.Terms{
		Principal: d.Principal, Rate: d.Rate, Method: d.Method, DayCount: p.DayCount, Start: d.Start, N: d.Months,
		MonthEnd: r.MonthEnd, Shift: r.Shift,
	}
	if t.Method == "" {
		t.Method = p.Method
	}
	end := d.Start.AddMonths(d.Months)
	switch t.Method {
	case schedule.Bullet:
	case schedule.Harvest:
		t.N, t.Payments = 0, r.sales(d.Start, end)
	default:
		r.layOut(&t, d.Months, end)
	}
	if t.Method == schedule.EqualInstalments || t.Method == schedule.EqualPrincipal {
		t.Grace = min(r.Grace, t.N-1)
		t.Balloon, _ = money.Mul(d.Principal, r.BalloonBP, 10_000) // less than the principal
	}
	if t.Method == schedule.EqualInstalments {
		t.Multiple = r.MultipleFen
	}
	if t.Method != schedule.Bullet && t.Method != schedule.Harvest {
		t.GraceInterest = min(r.GraceInterest, t.N-1)
	}
	if t.Shift != "" && t.Shift != schedule.NoShift {
		t.Holidays = c.holidays.Between(d.Start, end+31)
	}
	return t
}

// layOut sets number and distance of the instalments so that the last falls on the end; a
// first period that is left over is shorter.
func (r *Repayment) layOut(t *schedule.Terms, months int, end money.Date) {
	every := max(r.Every, 1)
	switch r.Unit {
	case schedule.Weeks, schedule.Days:
		days := every
		if r.Unit == schedule.Weeks {
			days *= 7
		}
		t.N = max(1, int(end-t.Start)/days)
		t.Every, t.Unit = every, r.Unit
		return
	case schedule.Years:
		every *= 12
	case schedule.Months:
	}
	if every == 1 {
		return
	}
	t.Every, t.N = every, (months+every-1)/every
	if short := months % every; short > 0 {
		t.FirstDue = t.Start.AddMonths(short)
	}
}

// sales are the harvests from start to end. When none lies between, all is due at the end.
func (r *Repayment) sales(start, end money.Date) []schedule.Payment {
	var out []schedule.Payment
	var all int64
	first, _, _ := start.Civil()
	last, _, _ := end.Civil()
	type sale struct {
		on money.Date
		bp int64
	}
	var sales []sale
	for y := first; y <= last; y++ {
		for _, h := range r.Harvests {
			month, day, err := h.day()
			if err != nil {
				continue // refused at load
			}
			if on := money.NewDate(y, month, day); on >= start+harvestDays && on <= end {
				sales = append(sales, sale{on, h.ShareBP})
				all += h.ShareBP
			}
		}
	}
	if len(sales) == 0 {
		return []schedule.Payment{{On: end, Share: money.RateOne}}
	}
	slices.SortFunc(sales, func(a, b sale) int { return int(a.on - b.on) })
	left := money.RateOne
	for i, s := range sales {
		share := money.RateOne * money.Rate(s.bp) / money.Rate(all)
		if i == len(sales)-1 {
			share = left
		}
		left -= share
		out = append(out, schedule.Payment{On: s.on, Share: share})
	}
	return out
}

func (h HarvestDay) day() (time.Month, int, error) { return dayOfYear(h.On) }

func checkRepayment(p Product, bad wrong) {
	ways := append([]schedule.Method{p.Method}, p.Ways...)
	harvest := slices.Contains(ways, schedule.Harvest)
	r := p.Repayment
	if r == nil {
		r = &Repayment{}
	}
	level := slices.Contains(ways, schedule.EqualInstalments) || slices.Contains(ways, schedule.EqualPrincipal)
	switch {
	case harvest && len(r.Harvests) == 0:
		bad("the method harvest needs the days of sale under repayment: harvests", "repayment")
	case !harvest && len(r.Harvests) > 0:
		bad("harvests go with the method harvest", "repayment", "harvests")
	}
	if r.Unit != "" && !r.Unit.Known() {
		bad("unit must be months, weeks, days or years", "repayment", "unit")
	}
	if r.Every < 0 || r.Every > 1000 {
		bad("every must be between 1 and 1000", "repayment", "every")
	}
	if r.Grace < 0 || r.Grace > 0 && !level {
		bad("grace counts instalments and goes with equal_instalments and equal_principal", "repayment", "grace")
	}
	if r.GraceInterest < 0 {
		bad("grace_interest counts instalments", "repayment", "grace_interest")
	}
	if r.BalloonBP < 0 || r.BalloonBP > 9_000 || r.BalloonBP > 0 && !level {
		bad("balloon_bp is at most 9000 and goes with equal_instalments and equal_principal", "repayment", "balloon_bp")
	}
	if r.MultipleFen < 0 || r.MultipleFen > 100_000 {
		bad("multiple_fen is between 1 and 100000", "repayment", "multiple_fen")
	}
	switch r.MonthEnd {
	case "", schedule.Clamp, schedule.NextMonth, schedule.EndOfMonth:
	default:
		bad("month_end must be last_day, first_day_of_next_month or end_of_month", "repayment", "month_end")
	}
	if !r.Shift.Known() {
		bad("shift must be none, following, preceding or modified_following", "repayment", "shift")
	}
	checkHarvests(r.Harvests, bad)
	checkGraceFits(p, r, bad)
}

func checkHarvests(days []HarvestDay, bad wrong) {
	var all int64
	for i, h := range days {
		if _, _, err := h.day(); err != nil {
			bad("write the day of sale like 07-10; 29 February is not in every year", "repayment", "harvests", i, "on")
		}
		if i > 0 && h.On <= days[i-1].On {
			bad("the days of sale come in the order of the year", "repayment", "harvests", i, "on")
		}
		if h.ShareBP <= 0 {
			bad("a day of sale has a share above zero", "repayment", "harvests", i, "share_bp")
		}
		all += h.ShareBP
	}
	if len(days) > 0 && all != 10_000 {
		bad("the shares of the harvests must sum to 10000", "repayment", "harvests")
	}
}

// checkGraceFits lays out the shortest term.
func checkGraceFits(p Product, r *Repayment, bad wrong) {
	if len(p.Terms) == 0 || slices.Min(p.Terms) < 1 || r.Every < 0 || r.Every > 1000 {
		return
	}
	t := schedule.Terms{Start: money.NewDate(2026, time.January, 1), N: slices.Min(p.Terms)}
	r.layOut(&t, t.N, t.Start.AddMonths(t.N))
	if most := max(r.Grace, r.GraceInterest); most > 0 && most >= t.N {
		bad(fmt.Sprintf("grace must leave an instalment that pays: the shortest term has %d", t.N), "repayment", "grace")
	}
}
