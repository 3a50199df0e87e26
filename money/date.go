package money

import (
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// ErrDate is returned for text that is not a calendar date.
var ErrDate = fault.New(fault.Invalid, "money.date", "{text} is not a date; write it like 2026-05-31")

// China is the time zone of bank dates. It has had no summer time since 1991.
var China = time.FixedZone("Asia/Shanghai", 8*60*60)

// Date is a bank's calendar date in days since 1970-01-01. Its text and JSON form
// is "2026-05-31"; the zero date is "".
type Date int32

// DateOf returns the calendar date of t in China.
func DateOf(t time.Time) Date {
	y, m, d := t.In(China).Date()
	return NewDate(y, m, d)
}

// NewDate normalises like time.Date: 30 February is 1 or 2 March.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDate reads "2026-05-31" and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 9000 {
		return 0, ErrDate.With("text", s)
	}
	return Date(t.Unix() / 86400), nil
}

// Start returns midnight of d in China, in UTC.
func (d Date) Start() time.Time {
	t := d.utc()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, China).UTC()
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String gives "2026-05-31", or "" for the zero date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it returns ErrDate.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := ParseDate(string(b))
	*d = v
	return err
}

// Civil gives year, month and day of the month.
func (d Date) Civil() (year int, month time.Month, day int) {
	// Years begin on 1 March, so that the leap day is their last; 400 of them are an era of
	// 146,097 days. 719,468 days lie between 1 March of year 0 and 1970.
	z := int(d) + 719_468
	era := z / 146_097
	if z < 0 {
		era = (z - 146_096) / 146_097
	}
	doe := z - era*146_097
	yoe := (doe - doe/1460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	m := (5*doy + 2) / 153 // from March
	day = doy - (153*m+2)/5 + 1
	year = yoe + 400*era
	if month = time.Month(m + 3); m > 9 {
		month, year = time.Month(m-9), year+1
	}
	return year, month, day
}

// monthStart is the first day of a month; month may lie outside 1..12.
func monthStart(year, month int) Date {
	month += 12*year - 1
	year = month / 12
	if month %= 12; month < 0 {
		year, month = year-1, month+12
	}
	m := month - 2 // from March
	if m < 0 {
		year, m = year-1, m+12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - 400*era
	return Date(era*146_097 + 365*yoe + yoe/4 - yoe/100 + (153*m+2)/5 - 719_468)
}

// MonthEnd is the last day of the month of d.
func (d Date) MonthEnd() Date {
	y, m, _ := d.Civil()
	return monthStart(y, int(m)+1) - 1
}

// AddMonths moves by whole months and clamps to the last day of a shorter month:
// 31 January and one month give 28 or 29 February. Add multiples to the first
// date, not one month at a time, or the 31st is lost.
func (d Date) AddMonths(n int) Date {
	y, m, day := d.Civil()
	first, next := monthStart(y, int(m)+n), monthStart(y, int(m)+n+1)
	return min(first+Date(day)-1, next-1)
}

// Weekday of d.
func (d Date) Weekday() time.Weekday {
	w := (int(d) + 4) % 7 // 1970 began on a Thursday
	if w < 0 {
		w += 7
	}
	return time.Weekday(w)
}

// DayCount names how the time between two dates becomes a fraction of a year.
type DayCount string

// Day counts.
const (
	Thirty360 DayCount = "30/360"  // every month is 1/12 of a year
	Act360    DayCount = "act/360" // actual days over 360, the bank's usual
	Act364    DayCount = "act/364" // 52 weeks of 7 days
	Act365    DayCount = "act/365"
	ActAct    DayCount = "act/act" // a span over New Year is split: days of leap years over 366
	// ActActEnd is act/act where a day belongs to the year in which it ends: the night to
	// New Year counts in the new year, so that a span is split on 31 December.
	ActActEnd DayCount = "act/act-end"
	Thirty364 DayCount = "30/364" // months of 30 days over 364
	Thirty365 DayCount = "30/365"
	ThirtyAct DayCount = "30/act" // over 365, or 366 when the span begins in a leap year
)

// Known says whether c is one of the day counts above.
func (c DayCount) Known() bool {
	switch c {
	case Thirty360, Act360, Act364, Act365, ActAct, ActActEnd, Thirty364, Thirty365, ThirtyAct:
		return true
	}
	return false
}

// Thirty says whether c counts months of 30 days.
func (c DayCount) Thirty() bool {
	return c == Thirty360 || c == Thirty364 || c == Thirty365 || c == ThirtyAct
}

// YearDays is the length of a year that c divides by for a span that begins on d.
func (c DayCount) YearDays(d Date) int64 {
	switch c {
	case Act364, Thirty364:
		return 364
	case Act365, Thirty365:
		return 365
	case ActAct, ActActEnd, ThirtyAct:
		y, _, _ := d.Civil()
		return int64(yearDays(y))
	case Thirty360, Act360:
	}
	return 360
}

// Fraction returns the exact part of a year from a to b as a fraction. For 30/360
// a month end counts as day 30.
func (c DayCount) Fraction(a, b Date) (num, den int64) {
	switch c {
	case Thirty360, Thirty364, Thirty365, ThirtyAct:
		sy, sm, sd := civil30(a)
		ey, em, ed := civil30(b)
		return int64(360*(ey-sy) + 30*(em-sm) + ed - sd), c.YearDays(a)
	case ActAct:
		return split(a, b, 0)
	case ActActEnd:
		return split(a, b, 1)
	case Act360, Act364, Act365:
	}
	return int64(b - a), c.YearDays(a)
}

// split counts the days from a to b by the length of their year, which begins lead days
// before 1 January.
func split(a, b, lead Date) (num, den int64) {
	var common, leap int64
	for s := a; s < b; {
		y, _, _ := (s + lead).Civil()
		end := min(b, monthStart(y+1, 1)-lead)
		if yearDays(y) == 366 {
			leap += int64(end - s)
		} else {
			common += int64(end - s)
		}
		s = end
	}
	switch {
	case leap == 0:
		return common, 365
	case common == 0:
		return leap, 366
	}
	return common*366 + leap*365, 365 * 366
}

// civil30 is d in a calendar of 30-day months: the end of a month is day 30.
func civil30(d Date) (year, month, day int) {
	y, m, day := d.Civil()
	if monthStart(y, int(m)+1) == d+1 {
		day = 30
	}
	return y, int(m), day
}

func yearDays(y int) int {
	if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 366
	}
	return 365
}
