package collateral

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
)

// RuleFile is the part of the catalogue with the rules.
const RuleFile = "collateral.yaml"

// ErrFile is returned for rules that cannot be used.
var ErrFile = fault.New(fault.Invalid, "collateral.file", "the rules of collateral are wrong: {why}")

// CoverTerms are what a contract says of its collateral.
type CoverTerms struct {
	AdvanceBP map[Kind]int64 `json:"advance_bp"` // lent on a hundred yuan of low value, by kind
	// ReleaseBP is the least value of what stays, of what is owed; 0 releases nothing in
	// part. Replace lets other things come in.
	ReleaseBP int64  `json:"release_bp"`
	Replace   bool   `json:"replace"`
	ProofDays int    `json:"proof_days"`           // how old the value of what stays may be; 0: any age
	ReleaseBy string `json:"release_by,omitempty"` // "officer" or "system": who confirms what the borrower asks
	// CallBP is the cover below which a margin call opens, CureBP that which meets it;
	// 0: what was lent does not rest on things, and none opens.
	CallBP   int64 `json:"call_bp"`
	CureBP   int64 `json:"cure_bp"`
	CureDays int   `json:"cure_days"`
	Escalate []int `json:"escalate"` // days past the day of a call at which it is escalated
}

// Rules are catalog/collateral.yaml.
type Rules struct {
	Advance    map[Kind]int64 `yaml:"advance_bp"`
	CallBP     int64          `yaml:"call_bp"`
	CureBP     int64          `yaml:"cure_bp"`
	CureDays   int            `yaml:"cure_days"`
	Escalate   []int          `yaml:"escalate_days"`
	FilingWarn int            `yaml:"filing_warn_days"`
	Second     []EventKind    `yaml:"second_person"` // acts that need one
	Funder     string         `yaml:"funder"`        // who is named as the pledgee of receivables
}

// LoadRules reads collateral.yaml; it returns ErrFile.
func LoadRules(fsys fs.FS) (Rules, error) {
	b, err := fs.ReadFile(fsys, RuleFile)
	if err != nil {
		return Rules{}, fmt.Errorf("collateral: %w", err)
	}
	var r Rules
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return Rules{}, ErrFile.At(RuleFile).With("why", err)
	}
	if why := r.problem(); why != "" {
		return Rules{}, ErrFile.At(RuleFile).With("why", why)
	}
	return r, nil
}

func (r Rules) problem() string {
	for _, k := range Kinds() {
		if bp := r.Advance[k]; bp <= 0 || bp > one {
			return fmt.Sprintf("advance_bp of %s is %d; it must be between 1 and %d", k, bp, one)
		}
	}
	for k := range r.Advance {
		if !slices.Contains(Kinds(), k) {
			return fmt.Sprintf("advance_bp names %s, which is no kind of collateral", k)
		}
	}
	for _, k := range r.Second {
		if !slices.Contains(acts, k) {
			return fmt.Sprintf("second_person names %s, which nobody can do", k)
		}
	}
	switch {
	case r.CallBP <= 0 || r.CallBP > 10*one:
		return fmt.Sprintf("call_bp is %d; it must be between 1 and %d", r.CallBP, 10*one)
	case r.CureBP < r.CallBP || r.CureBP > 10*one:
		return fmt.Sprintf("cure_bp is %d; it must be at least call_bp", r.CureBP)
	case r.CureDays < 1 || r.CureDays > 365:
		return "cure_days must be between 1 and 365"
	case r.FilingWarn < 1 || r.FilingWarn > 365:
		return "filing_warn_days must be between 1 and 365"
	case !slices.IsSorted(r.Escalate) || len(r.Escalate) > 0 && r.Escalate[0] < 1:
		return "escalate_days must rise from at least 1"
	case r.Funder == "":
		return "funder must name who takes receivables in pledge"
	}
	return ""
}

// Terms are those of a product. The advance rate of its own formula goes before that of
// the kind; only loans that rest on things, or on trade, call for more cover.
func (r Rules) Terms(p product.Product) CoverTerms {
	t := CoverTerms{AdvanceBP: map[Kind]int64{}, Escalate: slices.Clone(r.Escalate)}
	for k, bp := range r.Advance {
		t.AdvanceBP[k] = bp
	}
	if f := p.Formula; f != nil {
		kind := map[string]Kind{"crop_worth": Crop, "herd_value": Animal}[f.Name]
		if bp := f.Params["advance_bp"]; kind != "" && bp > 0 && bp <= one {
			t.AdvanceBP[kind] = bp
		}
	}
	if p.Class == product.Pledge {
		t.CallBP, t.CureBP, t.CureDays = r.CallBP, r.CureBP, r.CureDays
	}
	if p.Release != nil {
		t.ReleaseBP, t.Replace, t.ProofDays, t.ReleaseBy = p.Release.CoverBP, p.Release.Replace, p.Release.ProofDays, p.Release.By
	}
	return t
}
