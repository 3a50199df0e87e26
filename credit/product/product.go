// Package product reads what the bank offers from catalog/products.yaml.
package product

import (
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// File is where the products stand in the catalogue.
const File = "products.yaml"

// What can be wrong with products and with asking for one.
var (
	ErrFile    = fault.New(fault.Invalid, "product.file", "the product {code} is wrong: {why}")
	ErrUnknown = fault.New(fault.Invalid, "product.unknown", "there is no product {code}")
	ErrAmount  = fault.New(fault.Invalid, "product.amount", "ask for an amount between {min} and {max} yuan")
	ErrTerm    = fault.New(fault.Invalid, "product.term", "choose a term of {terms} months")
	ErrSubject = fault.New(fault.Invalid, "product.subject", "this product lends on a {want}, not on a {got}")
)

// Product is one kind of loan.
type Product struct {
	Code          string             `json:"code" yaml:"code"`
	Name          map[string]string  `json:"name" yaml:"name"`       // by language: "zh-CN", "en"
	Purpose       map[string]string  `json:"purpose" yaml:"purpose"` // what the money may be used for
	SubjectKind   credit.SubjectKind `json:"subject_kind" yaml:"subject_kind"`
	MinFen        money.Fen          `json:"min_fen" yaml:"min_fen"`
	MaxFen        money.Fen          `json:"max_fen" yaml:"max_fen"`
	Terms         []int              `json:"terms" yaml:"terms"` // months
	BaseRateBP    int64              `json:"base_rate_bp" yaml:"base_rate_bp"`
	MaxRateBP     int64              `json:"max_rate_bp" yaml:"max_rate_bp"`       // the price never goes above it
	PenaltyFactor int64              `json:"penalty_factor" yaml:"penalty_factor"` // penalty rate in per cent of the contract rate
	Method        loan.Method        `json:"method" yaml:"method"`
	DayCount      money.DayCount     `json:"day_count" yaml:"day_count"`
	Policy        string             `json:"policy" yaml:"policy"` // name of the policy that decides
}

// PenaltyRate is what overdue money costs a year.
func (p Product) PenaltyRate(rate money.Rate) money.Rate {
	return rate * money.Rate(p.PenaltyFactor) / 100
}

// Catalogue holds the products by code.
type Catalogue struct {
	list []Product
}

// Load reads and checks products.yaml; it returns ErrFile.
func Load(fsys fs.FS) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("product: %w", err)
	}
	var file struct {
		Products []Product `yaml:"products"`
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return nil, ErrFile.At(File).With("code", "").With("why", err)
	}
	seen := map[string]bool{}
	for _, p := range file.Products {
		why := p.check()
		if seen[p.Code] {
			why = "the code is used twice"
		}
		if why != "" {
			return nil, ErrFile.At(File).With("code", p.Code).With("why", why)
		}
		seen[p.Code] = true
	}
	if len(file.Products) == 0 {
		return nil, ErrFile.At(File).With("code", "").With("why", "the file lists no product")
	}
	return &Catalogue{list: file.Products}, nil
}

func (p Product) check() string {
	switch {
	case p.Code == "":
		return "give it a code"
	case p.Name["zh-CN"] == "" || p.Name["en"] == "":
		return "give it a name in zh-CN and en"
	case p.SubjectKind != credit.PlotSubject && p.SubjectKind != credit.HerdSubject && p.SubjectKind != credit.FirmSubject:
		return "subject_kind must be plot, herd or firm"
	case p.MinFen <= 0 || p.MaxFen < p.MinFen:
		return "min_fen must be above zero and max_fen at least min_fen"
	case len(p.Terms) == 0 || slices.Min(p.Terms) < 1 || slices.Max(p.Terms) > 360:
		return "terms must list months between 1 and 360"
	case p.BaseRateBP <= 0 || p.MaxRateBP < p.BaseRateBP || p.MaxRateBP > 2400:
		return "rates must be above zero, and max_rate_bp at least base_rate_bp and at most 2400"
	case p.PenaltyFactor < 100 || p.PenaltyFactor > 200:
		return "penalty_factor must be between 100 and 200"
	case !p.Method.Known():
		return "method must be equal_instalments, equal_principal, interest_first or bullet"
	case !p.DayCount.Known():
		return "day_count must be 30/360, act/360, act/365 or act/act"
	case p.Policy == "":
		return "name the policy that decides"
	}
	return ""
}

// All returns the products in the order of the file.
func (c *Catalogue) All() []Product { return slices.Clone(c.list) }

// Product returns ErrUnknown.
func (c *Catalogue) Product(code string) (Product, error) {
	for _, p := range c.list {
		if p.Code == code {
			return p, nil
		}
	}
	return Product{}, ErrUnknown.With("code", code)
}

// Check says whether the product lends on kind, that amount and term; it returns
// ErrSubject, ErrAmount or ErrTerm.
func (p Product) Check(kind credit.SubjectKind, asked money.Fen, termMonths int) error {
	switch {
	case kind != p.SubjectKind:
		return ErrSubject.At("body.subject.kind").With("want", p.SubjectKind).With("got", kind)
	case asked < p.MinFen || asked > p.MaxFen:
		return ErrAmount.At("body.asked").With("min", p.MinFen).With("max", p.MaxFen)
	case !slices.Contains(p.Terms, termMonths):
		return ErrTerm.At("body.term_months").With("terms", fmt.Sprint(p.Terms))
	}
	return nil
}
