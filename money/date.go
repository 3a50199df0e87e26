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

// AddMonths moves by whole months and clamps to the last day of a shorter month:
// 31 January and one month give 28 or 29 February. Add multiples to the first
// date, not one month at a time, or the 31st is lost.
func (d Date) AddMonths(n int) Date {
	t := d.utc()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date(first.Unix()/86400) + Date(min(t.Day(), last)-1)
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
)

// Known says whether c is one of the day counts above.
func (c DayCount) Known() bool {
	switch c {
	case Thirty360, Act360, Act364, Act365, ActAct:
		return true
	}
	return false
}

// Fraction returns the exact part of a year from a to b as a fraction. For 30/360
// a month end counts as day 30.
func (c DayCount) Fraction(a, b Date) (num, den int64) {
	switch c {
	case Thirty360:
		s, e := a.utc(), b.utc()
		return int64(360*(e.Year()-s.Year()) + 30*int(e.Month()-s.Month()) + day30(b) - day30(a)), 360
	case Act364:
		return int64(b - a), 364
	case Act365:
		return int64(b - a), 365
	case ActAct:
		var common, leap int64
		for s := a; s < b; {
			end := min(b, NewDate(s.utc().Year()+1, time.January, 1))
			if yearDays(s.utc().Year()) == 366 {
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
	default:
		return int64(b - a), 360
	}
}

// day30 is the day of the month in a calendar of 30-day months.
func day30(d Date) int {
	if (d + 1).utc().Day() == 1 {
		return 30
	}
	return d.utc().Day()
}

func yearDays(y int) int {
	return int(NewDate(y+1, time.January, 1) - NewDate(y, time.January, 1))
}
