package sheet

import (
	"regexp"
	"strconv"
	"time"
)

var (
	dashed = regexp.MustCompile(`^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([ T].*)?$`)
	solid  = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	serial = regexp.MustCompile(`^(\d{5})(\.\d+)?$`)
)

// Day reads 2026-02-28, 2026/2/28, 2026.2.28, 2026年2月28日, 20260228, each with or
// without a time of day, and the serial day numbers of spreadsheets, which count from
// 1899-12-30, or from 1904-01-01 where the workbook says so. ok is false for text that
// is no date; a date of no calendar, such as 2026-02-30, is the zero time.
func Day(s string, from1904 bool) (day time.Time, ok bool) {
	if len(s) == 10 && (s[4] == '-' || s[4] == '/') && s[7] == s[4] { // nearly always
		if y, m, d := digits([]byte(s[:4])), digits([]byte(s[5:7])), digits([]byte(s[8:])); y >= 0 && m >= 0 && d >= 0 {
			return date(y, m, d), true
		}
	}
	m := dashed.FindStringSubmatch(s)
	if m == nil {
		m = solid.FindStringSubmatch(s)
	}
	if m != nil {
		return date(atoi(m[1]), atoi(m[2]), atoi(m[3])), true
	}
	if m = serial.FindStringSubmatch(s); m == nil {
		return time.Time{}, false
	}
	day = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, atoi(m[1]))
	if from1904 {
		day = day.AddDate(0, 0, 1462)
	}
	return day, true
}

// date is the zero time for a day of no calendar.
func date(y, m, d int) time.Time {
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if day.Day() != d || day.Month() != time.Month(m) {
		return time.Time{}
	}
	return day
}

// atoi is for text that a pattern has shown to be a few digits.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
