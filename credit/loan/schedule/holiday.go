package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrHolidays is returned for a file of holidays that is wrong.
var ErrHolidays = fault.New(fault.Invalid, "loan.holidays", "the calendar of holidays is wrong: {why}")

// Shift says where a due date goes that falls on a day without business.
type Shift string

// Shifts; "" leaves the date.
const (
	NoShift   Shift = "none"
	Following Shift = "following" // the next business day
	Preceding Shift = "preceding" // the one before
	// ModifiedFollowing is the next business day of the same month, otherwise the one before.
	ModifiedFollowing Shift = "modified_following"
)

// Known says whether s is one of the shifts above, or "".
func (s Shift) Known() bool {
	return s == "" || s == NoShift || s == Following || s == Preceding || s == ModifiedFollowing
}

// Holidays are the days on which business differs from the week: closed from Monday to
// Friday, open on a Saturday or Sunday. Both rise.
type Holidays struct {
	Closed []money.Date `json:"closed,omitempty"`
	Open   []money.Date `json:"open,omitempty"`
}

// IsZero says that only weekends are without business.
func (h Holidays) IsZero() bool { return len(h.Closed) == 0 && len(h.Open) == 0 }

// Business says whether d is a business day.
func (h Holidays) Business(d money.Date) bool {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		_, open := slices.BinarySearch(h.Open, d)
		return open
	}
	_, closed := slices.BinarySearch(h.Closed, d)
	return !closed
}

// Shift moves d to a business day.
func (h Holidays) Shift(d money.Date, s Shift) money.Date {
	if s == "" || s == NoShift || h.Business(d) {
		return d
	}
	next, last := d, d
	for !h.Business(next) {
		next++
	}
	for !h.Business(last) {
		last--
	}
	if s == Preceding || s == ModifiedFollowing && next > d.MonthEnd() {
		return last
	}
	return next
}

// Between are the holidays from a to z, to be kept with the terms of a loan.
func (h Holidays) Between(a, z money.Date) Holidays {
	cut := func(days []money.Date) []money.Date {
		i, _ := slices.BinarySearch(days, a)
		j, _ := slices.BinarySearch(days, z+1)
		if i >= j {
			return nil
		}
		return slices.Clone(days[i:j])
	}
	return Holidays{Closed: cut(h.Closed), Open: cut(h.Open)}
}

// HolidayFile is where the holidays stand in the catalogue.
const HolidayFile = "holidays.yaml"

// holidayFile is the form of [HolidayFile].
type holidayFile struct {
	Years []struct {
		Year   int    `yaml:"year"`
		Source string `yaml:"source"`
		Off    []struct {
			Name map[string]string `yaml:"name"`
			From string            `yaml:"from"`
			To   string            `yaml:"to"`
		} `yaml:"off"`
		Work []string `yaml:"work"` // days of a weekend that are worked
	} `yaml:"years"`
}

// LoadHolidays reads holidays.yaml; it returns ErrHolidays.
func LoadHolidays(fsys fs.FS) (Holidays, error) {
	b, err := fs.ReadFile(fsys, HolidayFile)
	if err != nil {
		return Holidays{}, fmt.Errorf("schedule: %w", err)
	}
	return ParseHolidays(b)
}

// ParseHolidays reads the text of holidays.yaml; see [LoadHolidays].
func ParseHolidays(text []byte) (h Holidays, err error) {
	bad := func(format string, args ...any) error {
		return ErrHolidays.At(HolidayFile).With("why", fmt.Sprintf(format, args...))
	}
	var f holidayFile
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return h, bad("%v", err)
	}
	for _, y := range f.Years {
		if y.Year < 1950 || y.Year > 2200 || y.Source == "" {
			return h, bad("a year needs its number and its source")
		}
		read := func(s string) (money.Date, error) {
			d, err := money.ParseDate(s)
			if err != nil {
				return 0, bad("%s is not a date", s)
			}
			// The days off around New Year may begin in the year before.
			if at, _, _ := d.Civil(); at != y.Year && at != y.Year-1 {
				return 0, bad("%s is not in %d", s, y.Year)
			}
			return d, nil
		}
		for _, off := range y.Off {
			from, err := read(off.From)
			if err != nil {
				return h, err
			}
			to, err := read(off.To)
			if err != nil {
				return h, err
			}
			if to < from || to > from+30 {
				return h, bad("%s to %s is no holiday", off.From, off.To)
			}
			for d := from; d <= to; d++ {
				if w := d.Weekday(); w != time.Saturday && w != time.Sunday {
					h.Closed = append(h.Closed, d)
				}
			}
		}
		for _, s := range y.Work {
			d, err := read(s)
			if err != nil {
				return h, err
			}
			if w := d.Weekday(); w != time.Saturday && w != time.Sunday {
				return h, bad("%s is no day of a weekend", s)
			}
			h.Open = append(h.Open, d)
		}
	}
	slices.Sort(h.Closed)
	slices.Sort(h.Open)
	h.Closed, h.Open = slices.Compact(h.Closed), slices.Compact(h.Open)
	return h, nil
}
