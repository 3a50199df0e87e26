package provision

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// File holds the tables in the catalogue.
const File = "provision.yaml"

// ErrFile is returned for tables that cannot be used.
var ErrFile = fault.New(fault.Invalid, "provision.file", "the tables of expected loss are wrong: {why}")

// Table says how loss is foretold.
type Table struct {
	Stage2Days int       `json:"stage_2_days" yaml:"stage_2_days"` // more days overdue: stage 2
	Stage3Days int       `json:"stage_3_days" yaml:"stage_3_days"` // more days overdue: stage 3
	Most       int       `json:"most_months" yaml:"most_months"`   // longest life that is looked at
	Segments   []Segment `json:"segments" yaml:"segments"`         // the first that names the product; the last names none
}

// Segment is a group of products that default and lose alike.
type Segment struct {
	Name     string     `json:"name" yaml:"name"`
	Products []string   `json:"products,omitempty" yaml:"products"` // empty: all others
	PD       []Band     `json:"pd" yaml:"pd"`                       // default within a year, by days overdue
	LGDBP    int64      `json:"lgd_bp" yaml:"lgd_bp"`               // lost of what is out at default
	Default  []Band     `json:"default" yaml:"default"`             // lost of what is out, by days overdue, once in default
	LGD      money.Rate `json:"-" yaml:"-"`
}

// Band is a rate from a number of days overdue on.
type Band struct {
	FromDays int   `json:"from_days" yaml:"from_days"`
	BP       int64 `json:"bp" yaml:"bp"`
}

// Load reads provision.yaml; it returns ErrFile.
func Load(fsys fs.FS) (*Table, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("provision: %w", err)
	}
	return Parse(b)
}

// Parse reads the text of the tables; it returns ErrFile.
func Parse(b []byte) (*Table, error) {
	var t Table
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrFile.At(File).With("why", err)
	}
	if why := t.check(); why != "" {
		return nil, ErrFile.At(File).With("why", why)
	}
	return &t, nil
}

func (t *Table) check() string {
	switch {
	case t.Stage2Days < 0 || t.Stage3Days <= t.Stage2Days:
		return "stage_2_days and stage_3_days must rise from 0 on"
	case t.Most < 12 || t.Most > 600:
		return "most_months must be between 12 and 600"
	case len(t.Segments) == 0 || len(t.Segments[len(t.Segments)-1].Products) > 0:
		return "the last segment must be for all other products: give it no products"
	}
	for i := range t.Segments {
		s := &t.Segments[i]
		switch {
		case s.Name == "":
			return "each segment needs a name"
		case i < len(t.Segments)-1 && len(s.Products) == 0:
			return "segment " + s.Name + " hides those behind it: give it products"
		case s.LGDBP < 0 || s.LGDBP > 10_000:
			return "lgd_bp of segment " + s.Name + " must be between 0 and 10000"
		}
		for name, bands := range map[string][]Band{"pd": s.PD, "default": s.Default} {
			if !rising(bands) {
				return name + " of segment " + s.Name + " must start at 0 days and rise in days and in bp, up to 10000"
			}
		}
		s.LGD = money.BP(s.LGDBP)
	}
	return ""
}

func rising(bands []Band) bool {
	if len(bands) == 0 || bands[0].FromDays != 0 {
		return false
	}
	for i, b := range bands {
		if b.BP < 0 || b.BP > 10_000 || i > 0 && (b.FromDays <= bands[i-1].FromDays || b.BP < bands[i-1].BP) {
			return false
		}
	}
	return true
}

func (t *Table) segment(product string) *Segment {
	for i := range t.Segments {
		if slices.Contains(t.Segments[i].Products, product) {
			return &t.Segments[i]
		}
	}
	return &t.Segments[len(t.Segments)-1]
}

func (s *Segment) defaults(days int) money.Rate  { return at(s.PD, days) }
func (s *Segment) lossGiven(days int) money.Rate { return at(s.Default, days) }

func at(bands []Band, days int) money.Rate {
	r := bands[0]
	for _, b := range bands {
		if days >= b.FromDays {
			r = b
		}
	}
	return money.BP(r.BP)
}
