package score

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseNumber reads a number as tables write it: 1234.5, -8, 1.2e6, $1,234.50, ￥12, 35%.
// It is false for what is not a finite number.
func ParseNumber(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if c := s[0]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == '+' {
		if f, err := strconv.ParseFloat(s, 64); err == nil && plain(s) {
			return f, !math.IsInf(f, 0) && !math.IsNaN(f)
		}
	}
	scale, negative := 1.0, false
	if t, ok := strings.CutSuffix(s, "%"); ok {
		s, scale = t, 100
	}
	if t, ok := strings.CutPrefix(s, "-"); ok {
		s, negative = t, true
	}
	for _, sign := range []string{"$", "¥", "￥", "€", "£"} {
		if t, ok := strings.CutPrefix(s, sign); ok {
			s = strings.TrimSpace(t)
			break
		}
	}
	if strings.Contains(s, ",") {
		if !thousands(s) {
			return 0, false
		}
		s = strings.ReplaceAll(s, ",", "")
	}
	if s == "" || (s[0] < '0' || s[0] > '9') && s[0] != '.' || !plain(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	if negative {
		f = -f
	}
	return f / scale, true
}

// plain keeps out the hexadecimal, underscored and worded numbers that Go reads.
func plain(s string) bool {
	return strings.Trim(s, "0123456789+-.eE") == "" && !strings.ContainsAny(s, "xX_")
}

// thousands tells 1,234,567.8 from 1,2.
func thousands(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	parts := strings.Split(whole, ",")
	for i, p := range parts {
		if i == 0 && (len(p) == 0 || len(p) > 3) || i > 0 && len(p) != 3 {
			return false
		}
	}
	return true
}

// ParseDay reads a day as days since 1970-01-01: 2026-05-31, 2026/5/31, 2026年5月31日,
// 31-May-26, with or without a time behind it.
func ParseDay(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 8 || len(s) > 40 || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	if i := strings.IndexAny(s, " T"); i > 0 {
		s = s[:i]
	}
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "2-Jan-06", "2-Jan-2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return math.Floor(float64(t.Unix()) / 86400), true
		}
	}
	return 0, false
}
