package schedule

import "github.com/furrowcredit/furrow/money"

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
	Start    money.Date // the seed
	Every    int        // units between due dates
	Unit     Unit
	FirstDue money.Date // is the seed of those after it; 0 leaves it to Start
	Last     int        // the due date that lies Length units after Start; 0 is none
	Length   int
	MonthEnd MonthEnd
	Shift    Shift
	Holidays Holidays
}

// Calendar of the due dates of t.
func (t Terms) Calendar() Calendar {
	t = t.whole()
	c := Calendar{
		Start: t.Start, Every: t.Every, Unit: t.Unit, FirstDue: t.FirstDue, MonthEnd: t.MonthEnd,
		Shift: t.Shift, Holidays: t.Holidays,
	}
	if t.Length > 0 {
		c.Last, c.Length = t.N, t.Length
	}
	return c
}

// Due is the n-th due date, from 1.
func (c Calendar) Due(n int) money.Date { return c.Holidays.Shift(c.Regular(n), c.Shift) }

// Regular is the n-th due date before it moves off days without business.
func (c Calendar) Regular(n int) money.Date {
	seed := c.Start
	units := n * c.Every
	switch {
	case c.Last > 0 && n == c.Last:
		units = c.Length
	case c.FirstDue != 0:
		seed, units = c.FirstDue, units-c.Every
	}
	d := c.Unit.after(seed, units)
	if c.Unit != Months && c.Unit != Years && c.Unit != "" {
		return d
	}
	switch c.MonthEnd {
	case EndOfMonth:
		return d.MonthEnd()
	case NextMonth:
		_, _, want := seed.Civil()
		if _, _, got := d.Civil(); got < want {
			return d + 1
		}
	case Clamp:
	}
	return d
}

// Basis says how interest counts time.
type Basis struct {
	Count  money.DayCount
	Period Period
	Unit   Unit
	Every  int
}

// Basis of t. A cumulative schedule has years of 365 days where others count the actual
// ones.
func (t Terms) Basis() Basis {
	t = t.whole()
	b := Basis{Count: t.DayCount, Period: t.Period, Unit: t.Unit, Every: t.Every}
	if t.Cumulative {
		switch b.Count {
		case money.ActAct, money.ActActEnd:
			b.Count = money.Act365
		case money.ThirtyAct:
			b.Count = money.Thirty365
		default:
		}
	}
	return b
}

// nominal is the part of a year of one unit, and says whether the basis counts units and
// not days. from is the first day of the period.
func (b Basis) nominal(from money.Date) (num, den int64, ok bool) {
	if b.Period == Repayment {
		switch b.Unit {
		case Weeks:
			return 1, 52, true
		case Years:
			return 1, 1, true
		case Days:
			if b.Count == money.ActAct || b.Count == money.ActActEnd || b.Count == money.ThirtyAct {
				return 1, 365, true
			}
			return 1, b.Count.YearDays(from), true
		case Months:
		}
		return 1, 12, true
	}
	if !b.Count.Thirty() {
		return 0, 0, false
	}
	den = b.Count.YearDays(from)
	switch b.Unit {
	case Weeks:
		return 7, den, true
	case Days:
		return 1, den, true
	case Years:
		return 360, den, true
	case Months:
	}
	return 30, den, true
}

// Whole is the part of a year of a regular period, as a fraction. Where the basis counts
// months of 30 days or whole periods, each is Every units, whichever way its due date was
// clamped or shifted.
func (b Basis) Whole(from, due money.Date) (num, den int64) {
	if num, den, ok := b.nominal(from); ok {
		return num * int64(b.Every), den
	}
	return b.Count.Fraction(from, due)
}

// Fraction is the part of a year of a regular period that counts daily; see [Basis.Whole].
func Fraction(count money.DayCount, unit Unit, every int, from, due money.Date) (num, den int64) {
	return Basis{Count: count, Unit: unit, Every: every}.Whole(from, due)
}

// regular is the part of a year of a regular period, the same for all: a month has 30 days.
func (b Basis) regular(from money.Date) (num, den int64) {
	if num, den, ok := b.nominal(from); ok {
		return num * int64(b.Every), den
	}
	den = b.Count.YearDays(from)
	switch b.Unit {
	case Weeks:
		num = 7
	case Days:
		num = 1
	case Years:
		num = 365
	default:
		num = 30
	}
	return num * int64(b.Every), den
}

// Broken is the part of a year of a period that is longer or shorter than Every units:
// whole units, and the days left over the days of the unit in which they lie.
func (b Basis) Broken(from, due money.Date) (num, den int64) {
	num, den, ok := b.nominal(from)
	if !ok {
		return b.Count.Fraction(from, due)
	}
	units := int64(0)
	at := from
	for {
		next := b.Unit.after(from, int(units)+1)
		if next > due {
			long := int64(next - at)
			return num * (units*long + int64(due-at)), den * long
		}
		units, at = units+1, next
	}
}

// Part is what the days from a to z are of a period, as a part of a year: by the day count,
// or by their share of the days of the period.
func (b Basis) Part(from, due, a, z money.Date) (num, den int64) {
	num, den, ok := b.nominal(from)
	if !ok {
		return b.Count.Fraction(a, z)
	}
	return num * int64(b.Every) * int64(z-a), den * int64(due-from)
}
