package party

import (
	"strings"
	"time"
	"unicode/utf8"
)

// CheckResident judges a resident identity number (GB 11643): 6 digits of a place, 8
// of the day of birth, 3 of an order whose last is odd for men, and a check character
// by ISO 7064 MOD 11-2. today bounds the day of birth. Numbers of fifteen digits,
// issued until 1999 and out of use since 2013, have no check: they are suspicious.
func CheckResident(code string, today time.Time) Verdict {
	v := Verdict{Kind: ResidentID, Code: Clean(code), Status: Bad}
	var digits, birth string
	switch len(v.Code) {
	case 18:
		digits, birth = v.Code[:17], v.Code[6:14]
	case 15:
		digits, birth = v.Code, "19"+v.Code[6:12]
	default:
		v.Reason, v.Detail = "length", "a resident identity number has 18 characters"
		return v
	}
	last := v.Code[len(v.Code)-1]
	if strings.Trim(digits, "0123456789") != "" || (last < '0' || last > '9') && last != 'X' {
		v.Reason, v.Detail = "character", "a resident identity number has digits, and at its end a digit or X"
		return v
	}
	if len(v.Code) == 18 && last != ResidentCheckChar(digits) {
		v.Reason, v.Detail = "check", "the check character does not fit: a character is mistyped"
		return v
	}
	if !common().codes[v.Code[:2]] {
		v.Reason, v.Detail = "region", "no province has the code "+v.Code[:2]
		return v
	}
	born, err := time.Parse("20060102", birth)
	if err != nil || born.After(today) {
		v.Reason, v.Detail = "date", "it was not possible to be born on "+birth
		return v
	}
	if v.Status = Valid; len(v.Code) == 15 {
		v.Status, v.Reason = Suspicious, "retired"
		v.Detail = "of fifteen digits, out of use since 2013; ask for the number of 18 characters"
	}
	return v
}

// ResidentCheckChar returns the 18th character for the first 17 digits of a resident
// identity number.
func ResidentCheckChar(digits string) byte {
	sum, weight := 0, 1
	for i := len(digits) - 1; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(digits[i]-'0') * weight
	}
	return "10X98765432"[sum%11]
}

// Judge finds out which kind of code it is and checks that: nine characters are an
// organisation code, fifteen digits a resident identity number, eighteen a credit
// code or such a number, whichever holds, else whichever it looks like.
func Judge(code string, today time.Time) Verdict {
	clean := Clean(code)
	switch n := utf8.RuneCountInString(strings.ReplaceAll(clean, "-", "")); {
	case n == 9:
		return CheckOrg(clean)
	case len(clean) == 15 && strings.Trim(clean, "0123456789") == "":
		return CheckResident(clean, today)
	case len(clean) != 18:
		return Check(clean)
	}
	credit, resident := Check(clean), CheckResident(clean, today)
	if credit.Status != Valid && (resident.Status == Valid || looksResident(clean, today)) {
		return resident
	}
	return credit
}

// looksResident says that a code of 18 characters starts with 17 digits, of which the
// first are a province and others a possible day of birth.
func looksResident(code string, today time.Time) bool {
	born, err := time.Parse("20060102", code[6:14])
	return err == nil && strings.Trim(code[:17], "0123456789") == "" && born.Year() >= 1850 && !born.After(today) && common().codes[code[:2]]
}
