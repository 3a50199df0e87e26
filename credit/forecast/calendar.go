package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/money"
)

// Frequency is the step of a series, told by its dates.
type Frequency string

// Frequencies.
const (
	Daily     Frequency = "daily"
	Weekly    Frequency = "weekly"
	Monthly   Frequency = "monthly"
	Quarterly Frequency = "quarterly"
	Yearly    Frequency = "yearly"
)

// Season is the usual length of a season in steps.
func (f Frequency) Season() int {
	switch f {
	case Daily:
		return 7
	case Weekly:
		return 52
	case Monthly:
		return 12
	case Quarterly:
		return 4
	default: // years
		return 1
	}
}

// frequencyOf tells the step by the middle distance of days, which must ascend.
func frequencyOf(days []money.Date) (Frequency, bool) {
	gaps := make([]int, 0, len(days))
	for i := 1; i < len(days); i++ {
		gaps = append(gaps, int(days[i]-days[i-1]))
	}
	if len(gaps) == 0 {
		return "", false
	}
	slices.Sort(gaps)
	switch g := gaps[len(gaps)/2]; {
	case g == 1:
		return Daily, true
	case g >= 5 && g <= 9:
		return Weekly, true
	case g >= 27 && g <= 33:
		return Monthly, true
	case g >= 88 && g <= 94:
		return Quarterly, true
	case g >= 360 && g <= 370:
		return Yearly, true
	}
	return "", false
}

// step numbers a day by its step since 1970; equal numbers are the same step. Weeks
// are counted from the weekday of the first day of a series, so it is passed.
func (f Frequency) step(d, first money.Date) int {
	t := time.Unix(int64(d)*86400, 0).UTC()
	month := t.Year()*12 + int(t.Month()) - 1
	switch f {
	case Daily:
		return int(d)
	case Weekly:
		return int(math.Round(float64(d-first) / 7))
	case Quarterly:
		return month / 3
	case Yearly:
		return t.Year()
	default: // months
		return month
	}
}

// after is the day of the step so many steps after a day: the same day of the month,
// or its last when the month is shorter or the day was a last one.
func (f Frequency) after(d money.Date, steps int) money.Date {
	months := 1
	switch f {
	case Daily:
		return d + money.Date(steps)
	case Weekly:
		return d + money.Date(7*steps)
	case Quarterly:
		months = 3
	case Yearly:
		months = 12
	default: // months
	}
	t := time.Unix(int64(d)*86400, 0).UTC()
	last := func(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }
	to := time.Date(t.Year(), t.Month()+time.Month(months*steps), 1, 0, 0, 0, 0, time.UTC)
	day := min(t.Day(), last(to.Year(), to.Month()))
	if t.Day() == last(t.Year(), t.Month()) && t.Day() > 27 {
		day = last(to.Year(), to.Month())
	}
	return money.NewDate(to.Year(), to.Month(), day)
}
