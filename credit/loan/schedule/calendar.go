package schedule

import "github.com/furrowcredit/furrow/money"

// Known says whether u is one of the units above.
func (u Unit) Known() bool { return u == Months || u == Weeks || u == Days || u == Years }

// after is d and n units.
func (u Unit) after(d money.Date, n int) money.Date {
	switch u {
	case Weeks:
		return d + money.Date(7*n)
	case Days:
		return d + money.Date(n)
	case Years:
		return d.AddMonths(12 * n)
	default:
		return d.AddMonths(n)
	}
}

// Calendar gives due dates. They count from a seed, so that the 31st clamps to a shorter
// month and comes back.
type Calendar struct {
	Start money.Date // the seed
	Every int        // units between due dates
	Unit  Unit
}

// Due is the n-th due date, from 1; 0 is the seed.
func (c Calendar) Due(n int) money.Date { return c.Unit.after(c.Start, n*c.Every) }

// Fraction is the part of a year of a whole period of every units from one date to the
// next, as a fraction. By the month and year, 30/360 is exactly 1/12 a month, whichever
// way the due date was clamped.
func Fraction(count money.DayCount, unit Unit, every int, from, due money.Date) (num, den int64) {
	if count == money.Thirty360 {
		switch unit {
		case Months, "":
			return int64(every), 12
		case Years:
			return int64(every), 1
		}
	}
	return count.Fraction(from, due)
}
