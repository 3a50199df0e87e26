package iot

import (
	"strconv"
	"strings"
	"time"
)

// ParseTime reads a time as loggers write it in their files: RFC 3339, the same
// without an offset or with a space for the T, which is UTC, or Unix milliseconds.
func ParseTime(s string) (at time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) < len(time.DateTime) {
		ms, err := strconv.ParseInt(s, 10, 64)
		return time.UnixMilli(ms).UTC(), err == nil && ms > 0 && ms < 1e14
	}
	layouts := []string{time.RFC3339, "2006-01-02T15:04:05"} // all take fractions of a second
	if s[len(time.DateOnly)] == ' ' {
		layouts = []string{time.DateTime}
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
