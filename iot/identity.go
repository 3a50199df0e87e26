package iot

import (
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with an animal's code.
var (
	ErrScheme      = fault.New(fault.Invalid, "animal.scheme", "the scheme {scheme} of animal {code} is not known: use cn-67 or iso-11784")
	ErrCodeDigits  = fault.New(fault.Invalid, "animal.digits", "the animal code {code} must have 15 digits")
	ErrCodeSpecies = fault.New(fault.Invalid, "animal.species_digit",
		"the first digit of animal code {code} must be that of its species: 1 or 7 pig, 2 cattle, 3 sheep")
	ErrCodeCounty   = fault.New(fault.Invalid, "animal.county", "digits 2 to 7 of animal code {code} are not a county")
	ErrCodeSequence = fault.New(fault.Invalid, "animal.sequence", "the sequence of animal code {code} must not be zero")
	ErrCodeISO      = fault.New(fault.Invalid, "animal.iso", "{code} is not an ISO 11784 number: its country or maker is not assigned, or its number does not fit 38 bits")
)

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
	if id.Scheme != SchemeCN67 && id.Scheme != SchemeISO {
		return ErrScheme.With("scheme", id.Scheme).With("code", id.Code)
	}
	if len(id.Code) != 15 || strings.Trim(id.Code, "0123456789") != "" {
		return ErrCodeDigits.With("code", id.Code)
	}
	if id.Scheme == SchemeISO {
		// 900 to 998 are manufacturers, 999 is for tests; below are ISO 3166 countries.
		number, _ := strconv.ParseInt(id.Code[3:], 10, 64)
		if maker := id.Code[:3]; maker == "000" || maker == "999" || number > maxISONumber {
			return ErrCodeISO.With("code", id.Code)
		}
		return nil
	}
	kind, known := speciesDigits[id.Code[0]]
	switch {
	case !known || species != "" && kind != species:
		return ErrCodeSpecies.With("code", id.Code)
	case id.Code[1] == '0' || id.Code[1] == '9':
		return ErrCodeCounty.With("code", id.Code)
	case id.Code[7:] == "00000000":
		return ErrCodeSequence.With("code", id.Code)
	}
	return nil
}
