// Package party identifies firms: it checks their codes, normalises and splits
// their names, and finds the firm that an uploaded row means.
package party

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Status is the verdict on a code.
type Status string

// Verdicts. A suspicious code may well be in use: early pilot codes were issued
// with a check character that does not add up, so it is never a hard reject.
const (
	Valid      Status = "valid"
	Suspicious Status = "suspicious"
	Bad        Status = "invalid"
)

// Verdict is what a check of a credit code found.
type Verdict struct {
	Code   string `json:"code"` // cleaned: half width, upper case, no spaces
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"` // "", "length", "character", "check", "org_check", "early_series"
	Detail string `json:"detail,omitempty"` // English, for people
}

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY" // no I, O, S, V, Z

// Check judges a unified social credit code (GB 32100-2015): 17 characters with
// the weights 3^i mod 31 and a check character, of which characters 9 to 17 are
// an organisation code (GB 11714) with a check of its own.
func Check(code string) Verdict {
	v := Verdict{Code: Clean(code), Status: Bad}
	if len(v.Code) != 18 {
		v.Reason, v.Detail = "length", "a credit code has 18 characters"
		return v
	}
	for _, c := range v.Code {
		if !strings.ContainsRune(alphabet, c) {
			v.Reason, v.Detail = "character", "the letters I, O, S, V, Z and signs do not occur in a credit code"
			return v
		}
	}
	body, early := v.Code[:17], strings.HasPrefix(v.Code[8:], "M000")
	creditOK := v.Code[17] == CheckChar(body)
	orgOK := v.Code[16] == OrgCheckChar(v.Code[8:16])
	switch {
	case creditOK && orgOK:
		v.Status = Valid
	case early:
		v.Status, v.Reason = Suspicious, "early_series"
		v.Detail = "of the early M000 series, whose check character was often issued wrong; verify it"
	case !creditOK:
		v.Reason, v.Detail = "check", "the check character does not fit: a character is mistyped"
	default:
		v.Status, v.Reason = Suspicious, "org_check"
		v.Detail = "the organisation code inside it does not add up; verify it"
	}
	return v
}

// CheckChar returns the 18th character for the first 17 of a credit code, which
// must be of its alphabet; 31 stands for 0.
func CheckChar(body string) byte {
	sum, weight := 0, 1
	for i := range len(body) {
		sum += strings.IndexByte(alphabet, body[i]) * weight
		weight = weight * 3 % 31
	}
	return alphabet[(31-sum%31)%31]
}

// OrgCheckChar returns the 9th character for the first 8 of an organisation code
// (GB 11714): digits and letters with A=10..Z=35.
func OrgCheckChar(body string) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i := range min(len(body), len(weights)) {
		c := body[i]
		n := int(c - '0')
		if c >= 'A' {
			n = int(c-'A') + 10
		}
		sum += n * weights[i]
	}
	switch c := 11 - sum%11; c {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + c)
	}
}

// CheckOrg judges an organisation code of nine characters; a hyphen before the
// last is usual and ignored.
func CheckOrg(code string) Verdict {
	v := Verdict{Code: strings.ReplaceAll(Clean(code), "-", ""), Status: Bad}
	if len(v.Code) != 9 {
		v.Reason, v.Detail = "length", "an organisation code has 9 characters"
		return v
	}
	for _, c := range v.Code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			v.Reason, v.Detail = "character", "an organisation code has digits and capital letters only"
			return v
		}
	}
	if v.Code[8] != OrgCheckChar(v.Code[:8]) {
		v.Reason, v.Detail = "org_check", "the check character does not fit: a character is mistyped"
		return v
	}
	v.Status = Valid
	return v
}

// Clean brings a code to half width and upper case and takes out white space
// and invisible marks.
func Clean(code string) string {
	return strings.ToUpper(strip(norm.NFKC.String(code)))
}
