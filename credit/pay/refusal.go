package pay

import (
	"regexp"
	"strings"
)

var refusalForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}$`)

// WithCode puts the code of a refusal before the bank's words, where a reason keeps it. Codes
// are those of ISO 20022, external status reasons: "AC04" is a closed account. What does not
// look like one is left out.
func WithCode(code, said string) string {
	if !refusalForm.MatchString(code) {
		return said
	}
	return strings.TrimSpace(code + " " + said)
}

// Refusal takes the code and the bank's words of a reason apart; without a code it is all words.
func Refusal(reason string) (code, said string) {
	first, rest, _ := strings.Cut(reason, " ")
	if !refusalForm.MatchString(first) {
		return "", reason
	}
	return first, rest
}
