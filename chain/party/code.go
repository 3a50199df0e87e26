// Package party identifies firms: it checks their codes, normalises and splits
// their names, and finds the firm that an uploaded row means.
package party

import (
	"strings"
	"unicode/utf8"

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

// CodeKind says which code was judged.
type CodeKind string

// Kinds of code.
const (
	CreditCode CodeKind = "uscc"
	OrgCode    CodeKind = "org_code"
	ResidentID CodeKind = "resident_id"
)

// Verdict is what a check of a code found.
type Verdict struct {
	Kind   CodeKind `json:"kind"`
	Code   string   `json:"code"` // cleaned: half width, upper case, no spaces
	Status Status   `json:"status"`
	// Reason is "", "length", "character", "check", "org_check", "early_series",
	// "region", "date" or "retired".
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"` // English, for people
}

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY" // no I, O, S, V, Z

// Check judges a unified social credit code (GB 32100-2015): 17 characters with
// the weights 3^i mod 31 and a check character, of which characters 9 to 17 are
// an organisation code (GB 11714) with a check of its own.
func Check(code string) Verdict {
	v := Verdict{Kind: CreditCode, Code: Clean(code), Status: Bad}
	if utf8.RuneCountInString(v.Code) != 18 {
		v.Reason, v.Detail = "length", "a credit code has 18 characters"
		return v
	}
	for _, c := range v.Code {
		if !strings.ContainsRune(alphabet, c) {
			v.Reason, v.Detail = "character", "the letters I, O, S, V, Z and signs do not occur in a credit code"
			return v
		}
	}
	creditOK := v.Code[17] == CheckChar(v.Code[:17])
	orgOK := v.Code[16] == OrgCheckChar(v.Code[8:16])
	switch {
	case creditOK && orgOK:
		v.Status = Valid
	case orgOK && early(v.Code):
		v.Status, v.Reason = Suspicious, "early_series"
		v.Detail = "of the early M0000 and M0001 series of Fujian, whose last character was issued wrong; verify it"
	case !creditOK:
		v.Reason, v.Detail = "check", "the check character does not fit: a character is mistyped"
	default:
		v.Status, v.Reason = Suspicious, "org_check"
		v.Detail = "the organisation code inside it does not add up; verify it"
	}
	return v
}

// early says that a code is of the pilot series of Fujian (35), whose organisation
// codes start with M0000 and M0001.
func early(code string) bool {
	return code[2:4] == "35" && (strings.HasPrefix(code[8:], "M0000") || strings.HasPrefix(code[8:], "M0001"))
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
	v := Verdict{Kind: OrgCode, Code: strings.ReplaceAll(Clean(code), "-", ""), Status: Bad}
	if utf8.RuneCountInString(v.Code) != 9 {
		v.Reason, v.Detail = "length", "an organisation code has 9 characters"
		return v
	}
	for i, c := range v.Code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z' || i == 8 && c != 'X') {
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
