package schedule_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

func holidays(tb testing.TB) schedule.Holidays {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	h, err := schedule.LoadHolidays(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestBusinessDays(t *testing.T) {
	t.Parallel()
	h := holidays(t)
	for s, want := range map[string]bool{
		"2026-02-16": false, // Monday of Spring Festival
		"2026-02-14": true,  // Saturday that is worked
		"2026-02-15": false, // Sunday
		"2026-02-24": true,
		"2025-10-08": false,
		"2025-10-11": true,
		"2024-05-11": true,
		"2024-06-10": false,
		"2026-03-07": false, // a plain Saturday
		"2026-03-09": true,
	} {
		if got := h.Business(day(t, s)); got != want {
			t.Errorf("business on %s: %v", s, got)
		}
	}
}

func TestShift(t *testing.T) {
	t.Parallel()
	h := holidays(t)
	for _, c := range []struct {
		date  string
		shift schedule.Shift
		want  string
	}{
		{"2026-10-01", schedule.Following, "2026-10-08"},
		{"2026-10-01", schedule.Preceding, "2026-09-30"},
		{"2026-10-01", schedule.ModifiedFollowing, "2026-10-08"},
		{"2026-10-01", schedule.NoShift, "2026-10-01"},
		{"2026-10-01", "", "2026-10-01"},
		{"2026-05-31", schedule.Following, "2026-06-01"},         // Sunday
		{"2026-05-31", schedule.ModifiedFollowing, "2026-05-29"}, // June is another month
		{"2026-02-14", schedule.Following, "2026-02-14"},         // Saturday that is worked
	} {
		if got := h.Shift(day(t, c.date), c.shift); got.String() != c.want {
			t.Errorf("%s %s: %s, want %s", c.date, c.shift, got, c.want)
		}
	}
}

// A due date moves to the next business day, and interest by days goes with it.
func TestShiftedSchedule(t *testing.T) {
	t.Parallel()
	x := terms(t)
	x.Start, x.Method, x.N, x.Shift, x.Holidays = day(t, "2026-09-01"), schedule.InterestFirst, 2, schedule.Following, holidays(t)
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	want := "2026-10-08 0.00 59.20 12000.00\n2026-11-02 12000.00 40.00 0.00" // 37 and 25 days
	if got := lines(rows); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	x.Holidays = x.Holidays.Between(day(t, "2026-09-01"), day(t, "2026-12-01"))
	again, err := schedule.Make(x)
	if err != nil || lines(again) != want || len(x.Holidays.Closed) > 10 {
		t.Errorf("the holidays of the term give\n%s %v", lines(again), err)
	}
}

// A moved date is a business day, and never farther than the days off reach.
func TestShiftFindsBusiness(t *testing.T) {
	t.Parallel()
	h := holidays(t)
	rapid.Check(t, func(t *rapid.T) {
		d := money.Date(rapid.IntRange(19700, 20900).Draw(t, "date"))
		s := rapid.SampledFrom([]schedule.Shift{schedule.Following, schedule.Preceding, schedule.ModifiedFollowing}).Draw(t, "shift")
		got := h.Shift(d, s)
		if !h.Business(got) || got-d > 12 || d-got > 12 || (h.Business(d) && got != d) {
			t.Fatalf("%s goes to %s", d, got)
		}
	})
}

func TestParseHolidaysRefuses(t *testing.T) {
	t.Parallel()
	good := "years:\n  - year: 2027\n    source: a notice\n    off: [{from: 2027-01-01, to: 2027-01-03}]\n    work: [2027-01-09]\n"
	if h, err := schedule.ParseHolidays([]byte(good)); err != nil || len(h.Closed) != 1 || len(h.Open) != 1 {
		t.Fatalf("%+v %v", h, err)
	}
	for name, edit := range map[string][2]string{
		"no source":    {"source: a notice", "source: ''"},
		"year":         {"year: 2027", "year: 27"},
		"other year":   {"from: 2027-01-01", "from: 2020-01-01"},
		"backwards":    {"to: 2027-01-03", "to: 2026-12-30"},
		"no date":      {"2027-01-03", "2027-02-30"},
		"long":         {"2027-01-03", "2027-12-03"},
		"worked week":  {"2027-01-09", "2027-01-08"},
		"misspelt":     {"    work:", "    worked:"},
		"no structure": {"years:\n", "years: 3\nx:\n"},
	} {
		text := strings.Replace(good, edit[0], edit[1], 1)
		if _, err := schedule.ParseHolidays([]byte(text)); !errors.Is(err, schedule.ErrHolidays) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseHolidays(f *testing.F) {
	f.Add("years:\n  - {year: 2027, source: a, off: [{from: 2027-01-01, to: 2027-01-03}], work: [2027-01-09]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := schedule.ParseHolidays([]byte(text))
		if err != nil {
			return
		}
		for _, d := range h.Open {
			if !h.Business(d) {
				t.Fatalf("%s is worked and is no business day", d)
			}
		}
	})
}
