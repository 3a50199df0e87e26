package iot

import (
	"strconv"

	"github.com/furrowcredit/furrow/fault"
)

// ErrAnimalCode is returned for a code that breaks the rules of its scheme.
var ErrAnimalCode = fault.New(fault.Invalid, "animal.code",
	"{code} is not a valid {scheme} animal code: {why}")

// Schemes of animal identity. Both print as 15 digits, so a code means nothing
// without its scheme.
const (
	SchemeCN67 = "cn-67"     // China, ministry order 67 of 2006: species 1, county 6, sequence 8
	SchemeISO  = "iso-11784" // ISO 11784: country or manufacturer 3, national number 12
)

// maxISONumber is the largest national number that fits the 38 bits of ISO 11784.
const maxISONumber = 1<<38 - 1

// speciesDigits are the first digits of cn-67 codes; 7 is a breeding sow.
var speciesDigits = map[byte]string{'1': "pig", '2': "cattle", '3': "sheep", '7': "pig"}

// Validate checks the code against its scheme. species may be "" when unknown.
// Neither scheme prints a check digit, so a valid code may still be a wrong one.
func (id AnimalID) Validate(species string) error {
	bad := func(why string) error {
		return ErrAnimalCode.With("code", id.Code).With("scheme", id.Scheme).With("why", why)
	}
	if id.Scheme != SchemeCN67 && id.Scheme != SchemeISO {
		return bad("the scheme must be cn-67 or iso-11784")
	}
	if len(id.Code) != 15 {
		return bad("it must have 15 digits")
	}
	for _, c := range id.Code {
		if c < '0' || c > '9' {
			return bad("it must have 15 digits")
		}
	}
	if id.Scheme == SchemeISO {
		// 900 to 998 are manufacturers, 999 is for tests; below are ISO 3166 countries.
		if maker := id.Code[:3]; maker == "000" || maker == "999" {
			return bad("its country or manufacturer is not assigned")
		}
		if n, _ := strconv.ParseInt(id.Code[3:], 10, 64); n > maxISONumber {
			return bad("its national number does not fit 38 bits")
		}
		return nil
	}
	kind, known := speciesDigits[id.Code[0]]
	switch {
	case !known:
		return bad("its first digit must be 1, 2, 3 or 7")
	case species != "" && kind != species:
		return bad("its first digit is of another species")
	case id.Code[1] == '0' || id.Code[1] == '9':
		return bad("digits 2 to 7 are not a county")
	case id.Code[7:] == "00000000":
		return bad("its sequence must not be zero")
	}
	return nil
}
