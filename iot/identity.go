package iot

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with an animal's code.
var (
	ErrScheme      = fault.New(fault.Invalid, "animal.scheme", "the scheme {scheme} of animal {code} is not known: use cn-67, iso-11784, rfid or dev-eui")
	ErrCodeDigits  = fault.New(fault.Invalid, "animal.digits", "the animal code {code} must have 15 digits")
	ErrCodeSpecies = fault.New(fault.Invalid, "animal.species_digit",
		"the first digit of animal code {code} must be that of its species: 1 or 7 pig, 2 cattle, 3 sheep or goat")
	ErrCodeCounty   = fault.New(fault.Invalid, "animal.county", "digits 2 to 7 of animal code {code} are not a county")
	ErrCodeSequence = fault.New(fault.Invalid, "animal.sequence", "the sequence of animal code {code} must not be zero")
	ErrCodeISO      = fault.New(fault.Invalid, "animal.iso", "{code} is not an ISO 11784 number: its country or maker is not assigned, or its number does not fit 38 bits")
	ErrCodeChip     = fault.New(fault.Invalid, "animal.chip", "the chip number {code} must be 15 digits, or 16 to 64 hexadecimal digits as the reader shows them")
	ErrCodeEUI      = fault.New(fault.Invalid, "animal.dev_eui", "the DevEUI {code} must have 16 hexadecimal digits")
)

// Schemes of animal identity. Two of them print as 15 digits and never convert into
// each other, so a code means nothing without its scheme.
const (
	SchemeCN67 = "cn-67"     // China, ministry order 67 of 2006: species 1, county 6, sequence 8
	SchemeISO  = "iso-11784" // ISO 11784: country or manufacturer 3, national number 12
	SchemeChip = "rfid"      // a chip as a reader shows it: an EPC in hex, or 15 digits
	SchemeEUI  = "dev-eui"   // the radio of a LoRaWAN tag: 16 hex digits
)

// Schemes are all schemes. An animal goes by its code of the first of them that it has.
func Schemes() []string { return []string{SchemeCN67, SchemeISO, SchemeChip, SchemeEUI} }

// Forever tells whether a code of the scheme belongs to one animal for all time. A
// radio wanders: it may be given to another animal once the first has lost it.
func Forever(scheme string) bool { return scheme != SchemeEUI }

// maxISONumber is the largest national number that fits the 38 bits of ISO 11784.
const maxISONumber = 1<<38 - 1

// speciesDigits are the first digits that cn-67 codes of a species have: 1 a pig, 7 a
// breeding sow, 2 cattle, 3 a sheep or goat. Poultry has none.
var speciesDigits = map[string]string{
	"pig": "17", "cattle": "2", "dairy": "2", "buffalo": "2", "yak": "2", "sheep": "3", "goat": "3", "broiler": "", "layer": "",
}

// Normal returns the identity as it is stored and compared: full-width digits made
// narrow, white space and the separators of hex digits gone, letters small.
func (id AnimalID) Normal() AnimalID {
	scheme := strings.ToLower(strings.TrimSpace(id.Scheme))
	hexadecimal := scheme == SchemeChip || scheme == SchemeEUI
	code := strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ':
			r -= '０' - '0'
		case r == ' ', r == '\t', r == '\u3000', r == '\ufeff', r == '\u200b', hexadecimal && (r == ':' || r == '-'):
			return -1
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, id.Code)
	return AnimalID{Scheme: scheme, Code: code}
}

// Validate checks the code against its scheme. species may be "" when unknown.
// No scheme prints a check digit, so a valid code may still be a wrong one.
func (id AnimalID) Validate(species string) error {
	digits := len(id.Code) == 15 && strings.Trim(id.Code, "0123456789") == ""
	switch id.Scheme {
	case SchemeCN67, SchemeISO:
		if !digits {
			return ErrCodeDigits.With("code", id.Code)
		}
		if id.Scheme == SchemeISO {
			return id.validateISO()
		}
		return id.validateCN67(species)
	case SchemeChip:
		if _, err := hex.DecodeString(id.Code); !digits && (err != nil || len(id.Code) < 16 || len(id.Code) > 64) {
			return ErrCodeChip.With("code", id.Code)
		}
		return nil
	case SchemeEUI:
		if b, err := hex.DecodeString(id.Code); err != nil || len(b) != 8 {
			return ErrCodeEUI.With("code", id.Code)
		}
		return nil
	}
	return ErrScheme.With("scheme", id.Scheme).With("code", id.Code)
}

// validateISO: 900 to 998 are manufacturers, 999 is for tests, the others are the
// numeric countries of ISO 3166-1.
func (id AnimalID) validateISO() error {
	issuer, _ := strconv.Atoi(id.Code[:3])
	number, _ := strconv.ParseInt(id.Code[3:], 10, 64)
	_, country := slices.BinarySearch(countries, issuer)
	if maker := issuer >= 900 && issuer <= 998; !maker && !country || number > maxISONumber {
		return ErrCodeISO.With("code", id.Code)
	}
	return nil
}

func (id AnimalID) validateCN67(species string) error {
	digits, known := speciesDigits[species]
	if !known {
		digits = "1237" // a species that a bank added
	}
	switch {
	case strings.IndexByte(digits, id.Code[0]) < 0:
		return ErrCodeSpecies.With("code", id.Code)
	case !ValidCounty(id.Code[1:7]):
		return ErrCodeCounty.With("code", id.Code)
	case id.Code[7:] == "00000000":
		return ErrCodeSequence.With("code", id.Code)
	}
	return nil
}

// ValidCounty tells whether code can be a county of GB/T 2260: a province that is
// assigned, and neither its prefecture nor its county zero. Counties come and go, and
// tags outlive them, so the list of counties itself is not asked.
func ValidCounty(code string) bool {
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	return slices.Contains(provinces, code[:2]) && code[2:4] != "00" && code[4:] != "00"
}

// provinces are the first two digits of GB/T 2260.
var provinces = []string{
	"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37",
	"41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
}

// countries are the numeric codes of ISO 3166-1, in order.
var countries = []int{
	4, 8, 10, 12, 16, 20, 24, 28, 31, 32, 36, 40, 44, 48, 50, 51, 52, 56, 60, 64, 68, 70, 72, 74, 76, 84, 86, 90, 92, 96,
	100, 104, 108, 112, 116, 120, 124, 132, 136, 140, 144, 148, 152, 156, 158, 162, 166, 170, 174, 175, 178, 180, 184, 188, 191, 192, 196,
	203, 204, 208, 212, 214, 218, 222, 226, 231, 232, 233, 234, 238, 239, 242, 246, 248, 250, 254, 258, 260, 262, 266, 268, 270, 275, 276,
	288, 292, 296, 300, 304, 308, 312, 316, 320, 324, 328, 332, 334, 336, 340, 344, 348, 352, 356, 360, 364, 368, 372, 376, 380, 384, 388, 392, 398,
	400, 404, 408, 410, 414, 417, 418, 422, 426, 428, 430, 434, 438, 440, 442, 446, 450, 454, 458, 462, 466, 470, 474, 478, 480, 484, 492, 496, 498, 499,
	500, 504, 508, 512, 516, 520, 524, 528, 531, 533, 534, 535, 540, 548, 554, 558, 562, 566, 570, 574, 578, 580, 581, 583, 584, 585, 586, 591, 598,
	600, 604, 608, 612, 616, 620, 624, 626, 630, 634, 638, 642, 643, 646, 652, 654, 659, 660, 662, 663, 666, 670, 674, 678, 682, 686, 688, 690, 694,
	702, 703, 704, 705, 706, 710, 716, 724, 728, 729, 732, 740, 744, 748, 752, 756, 760, 762, 764, 768, 772, 776, 780, 784, 788, 792, 795, 796, 798,
	800, 804, 807, 818, 826, 831, 832, 833, 834, 840, 850, 854, 858, 860, 862, 876, 882, 887, 894,
}
