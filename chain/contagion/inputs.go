package contagion

import (
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// Inputs say how the firms of a sector need what another sector makes. A code stands
// for all that begin with it ("C36" for "C3670"), "*" for every sector; of several
// lines that fit, the one with the longest supplier code counts, then the longest
// buyer code.
type Inputs struct {
	Otherwise Need // where no line fits
	lines     map[[2]string]Need
}

// NewInputs has no lines: every input is as otherwise says.
func NewInputs(otherwise Need) *Inputs {
	return &Inputs{Otherwise: otherwise, lines: map[[2]string]Need{}}
}

// ReadInputs reads a CSV with the columns supplier_sector, buyer_sector and essential.
// ErrFile, ErrColumn and ErrCell say where it is wrong.
func ReadInputs(r io.Reader, name string, otherwise Need) (*Inputs, error) {
	return readInputs(r, name, otherwise, func(string) bool { return true })
}

// InputsFile is the place of the inputs in the catalogue.
const InputsFile = "chain/inputs.csv"

// LoadInputs reads the inputs of the catalogue, whose sectors are beginnings of codes of
// GB/T 4754; an input that no line tells of is Useful. Errors as ReadInputs, and
// fs.ErrNotExist for a catalogue without the file.
func LoadInputs(fsys fs.FS) (*Inputs, error) {
	f, err := fsys.Open(InputsFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return readInputs(f, InputsFile, Useful, sector.MatchString)
}

var sector = regexp.MustCompile(`^(\*|[A-T](\d\d(\d\d?)?)?)$`)

func readInputs(r io.Reader, name string, otherwise Need, fits func(sector string) bool) (*Inputs, error) {
	t, err := newTable(Source{name, r})
	if err != nil {
		return nil, err
	}
	supplier, buyer, essential := t.find("supplier_sector"), t.find("buyer_sector"), t.find("essential")
	if err := t.need("supplier_sector", supplier, "buyer_sector", buyer, "essential", essential); err != nil {
		return nil, err
	}
	in := NewInputs(otherwise)
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return in, nil
		} else if err != nil {
			return nil, err
		}
		key := [2]string{strings.Clone(t.cell(supplier)), strings.Clone(t.cell(buyer))}
		for k, c := range []int{supplier, buyer} {
			if key[k] == "" {
				return nil, t.bad(c, "give a sector, or * for all")
			}
			if !fits(key[k]) {
				return nil, t.bad(c, "give the beginning of a code of GB/T 4754 such as C, C36 or C3670, or * for all")
			}
		}
		if _, twice := in.lines[key]; twice {
			return nil, t.bad(supplier, "this pair is there twice")
		}
		if in.lines[key], err = t.essential(essential); err != nil {
			return nil, err
		}
	}
}

// Add sets the need of one pair of sectors.
func (in *Inputs) Add(supplierSector, buyerSector string, need Need) {
	in.lines[[2]string{supplierSector, buyerSector}] = need
}

// Need is how a firm of the buyer's sector needs what the supplier's sector makes.
func (in *Inputs) Need(supplierSector, buyerSector string) Need {
	if len(in.lines) == 0 {
		return in.Otherwise
	}
	for s := range prefixes(supplierSector) {
		for b := range prefixes(buyerSector) {
			if need, ok := in.lines[[2]string{s, b}]; ok {
				return need
			}
		}
	}
	return in.Otherwise
}

// prefixes are a code and its beginnings, the longest first, and last "*".
func prefixes(code string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for n := len(code); n > 0; n-- {
			if !yield(code[:n]) {
				return
			}
		}
		yield("*")
	}
}
