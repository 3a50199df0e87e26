package feature

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/furrowcredit/furrow/credit/score"
)

// Units of features.
const (
	Fen     = "fen"
	Share   = "share"     // 0..1
	Days    = "days"      // the age of evidence; [NeverDays] is missing
	Lasting = "days_long" // a length of time in days
	Months  = "months"    // count of calendar months
	Count   = "count"
	BP      = "bp" // basis points
	Years   = "years"
	Mu      = "mu"
	Yes     = "yes/no"
	Code    = "code"
	Ratio   = "ratio"
)

// Feature is an entry of the catalogue.
type Feature struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Source  string `json:"source"`  // part of the evidence: applicant, crop, herd, ..., application, decision
	Formula string `json:"formula"` // over the fields of credit.Evidence
	// Direction says which way is better for the applicant: +1 more, -1 less, 0 neither.
	Direction int `json:"direction"`
	// Actionable is what an applicant can change.
	Actionable bool   `json:"actionable"`
	EN         string `json:"en"`
	ZH         string `json:"zh"`

	kind   reflect.Kind // Int, Float64, Bool, String or Slice (of strings)
	offset uintptr
	known  func(*Facts) bool // nil: always
	blank  bool              // zero is missing
}

// List returns the catalogue, in the order of [Facts].
func List() []Feature { return slices.Clone(list) }

// Find returns the entry of a name.
func Find(name string) (Feature, bool) {
	i, ok := byName[name]
	if !ok {
		return Feature{}, false
	}
	return list[i], true
}

// Lookup returns what reads a feature as an input of a model: numbers and yes (1) or no
// (0) as numbers, codes as texts, and what is not known as missing. Lists are no inputs.
func Lookup(name string) (func(*Facts) score.Value, bool) {
	f, ok := Find(name)
	if !ok || f.kind == reflect.Slice {
		return nil, false
	}
	return f.Value, true
}

// Kind is the Go kind of the field: Int, Float64, Bool, String, or Slice of strings.
func (f *Feature) Kind() reflect.Kind { return f.kind }

// Known tells whether there is evidence for the feature.
func (f *Feature) Known(x *Facts) bool {
	if f.known != nil && !f.known(x) {
		return false
	}
	switch {
	case f.Unit == Days && f.kind == reflect.Int:
		return f.Int(x) != NeverDays
	case f.kind == reflect.String:
		return f.Text(x) != ""
	case f.blank:
		return f.Int(x) != 0
	}
	return true
}

// Always tells that the feature is never missing.
func (f *Feature) Always() bool {
	return f.known == nil && !f.blank && f.kind != reflect.String && (f.Unit != Days || f.kind != reflect.Int)
}

// Value reads the feature; see [Lookup].
func (f *Feature) Value(x *Facts) score.Value {
	if !f.Known(x) {
		return score.Missing
	}
	switch f.kind {
	case reflect.String:
		return score.Text(f.Text(x))
	case reflect.Slice:
		return score.Missing
	default:
		return score.Num(f.Num(x))
	}
}

// at is the address of the field. The offset is that of a field of Facts with the kind
// that the callers ask for, as the catalogue is checked to agree with the struct.
func (f *Feature) at(x *Facts) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(x), f.offset) }

// Int reads a feature of kind Int.
func (f *Feature) Int(x *Facts) int { return *(*int)(f.at(x)) }

// Text reads a feature of kind String.
func (f *Feature) Text(x *Facts) string { return *(*string)(f.at(x)) }

// Flag reads a feature of kind Bool.
func (f *Feature) Flag(x *Facts) bool { return *(*bool)(f.at(x)) }

// Float reads a feature of kind Float64.
func (f *Feature) Float(x *Facts) float64 { return *(*float64)(f.at(x)) }

// Texts reads a feature of kind Slice.
func (f *Feature) Texts(x *Facts) []string { return *(*[]string)(f.at(x)) }

// Num reads a number, or yes as 1 and no as 0.
func (f *Feature) Num(x *Facts) float64 {
	switch f.kind {
	case reflect.Int:
		return float64(f.Int(x))
	case reflect.Float64:
		return f.Float(x)
	case reflect.Bool:
		if f.Flag(x) {
			return 1
		}
	default:
	}
	return 0
}

// SetNum sets a number, rounded to what the field holds, or a yes (not 0) or no. It is
// for asking what would be if a fact were another.
func (f *Feature) SetNum(x *Facts, v float64) {
	switch f.kind {
	case reflect.Int:
		*(*int)(f.at(x)) = int(v)
	case reflect.Float64:
		*(*float64)(f.at(x)) = v
	case reflect.Bool:
		*(*bool)(f.at(x)) = v != 0
	default:
	}
}

var (
	list   = catalogue()
	byName = func() map[string]int {
		m := make(map[string]int, len(list))
		for i := range list {
			m[list[i].Name] = i
		}
		return m
	}()
)

// known tells of each part whether it is there.
var parts = map[string]func(*Facts) bool{
	"crop":     func(f *Facts) bool { return f.HasCrop },
	"herd":     func(f *Facts) bool { return f.HasHerd },
	"standing": func(f *Facts) bool { return f.HasStanding },
	"bureau":   func(f *Facts) bool { return f.HasBureau },
	"bank":     func(f *Facts) bool { return f.HasBank },
	"turnover": func(f *Facts) bool { return f.HasForecast },
	"exposure": func(f *Facts) bool { return f.HasExposure },
}

// catalogue joins the entries with the fields of Facts. It panics when they differ, which
// the first test of this package would show.
func catalogue() []Feature {
	t := reflect.TypeFor[Facts]()
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		if x := t.Field(i); x.IsExported() {
			fields[x.Tag.Get("expr")] = x
		}
	}
	out := slices.Clone(entries)
	for i := range out {
		e := &out[i]
		x, ok := fields[e.Name]
		if !ok {
			panic(fmt.Sprintf("feature: the catalogue has %s, which Facts has not, or twice", e.Name))
		}
		delete(fields, e.Name)
		e.kind, e.offset = x.Type.Kind(), x.Offset
		if special, ok := needs[e.Name]; ok {
			e.known = special
		} else if e.Unit != Yes || e.Name == "never_sown" {
			e.known = parts[e.Source]
		}
		e.blank = e.Name == "age"
	}
	for name := range fields {
		panic(fmt.Sprintf("feature: Facts has %s, which the catalogue has not", name))
	}
	slices.SortStableFunc(out, func(a, b Feature) int { return int(a.offset) - int(b.offset) })
	return out
}

func bit(b figure) func(*Facts) bool {
	return func(f *Facts) bool { return f.figures&uint16(b) != 0 }
}

func seen(f *Facts) bool    { return f.HasCrop && f.CropStatus != "unknown" }
func told(f *Facts) bool    { return f.HasHerd && f.HerdStatus != "unknown" }
func linked(f *Facts) bool  { return f.HasStanding && f.FirmStatus != "unknown" }
func counted(f *Facts) bool { return f.CountStatus == "known" || f.CountStatus == "low_confidence" }
func always(*Facts) bool    { return true }

// needs are features that are known when something else than their part is.
var needs = map[string]func(*Facts) bool{
	"worth_low": func(f *Facts) bool { return f.HasWorth }, "worth_middle": func(f *Facts) bool { return f.HasWorth },
	"confidence": seen, "vigour": seen, "flood": seen, "drought": seen, "vigour_loss": seen,
	"early_harvest": seen, "abandoned": seen, "never_sown": seen,
	"verified": told, "verified_share": told, "herd_value": told, "herd_value_low": told, "tagged": told,
	"count_low": counted, "count_high": counted, "count_estimate": counted,
	"invoiced_12m": linked, "proven": linked, "proven_bp": linked, "firm_confidence": linked, "recent": linked,
	"active_months": linked,
	"trade_months":  bit(tradeMonths), "sales_variation": bit(salesVariation), "sales_growth": bit(salesGrowth),
	"buyer_hhi": bit(buyerHHI), "supplier_hhi": bit(supplierHHI), "payment_days": bit(paymentDays),
	"paid_late": bit(paidLate), "return_share": bit(returnShare), "void_share": bit(voidShare), "shock_loss": bit(shockLoss),
	"crop_age": always, "herd_age": always, "standing_age": always, "bureau_age": always, "bank_age": always,
	"turnover_age": always, "bank_months": always, "forecast_months": always, "forecast_history": always,
	"forecast_reason": always, "crop_missing": always, "herd_missing": always, "standing_missing": always,
	"bureau_missing": always, "bank_missing": always, "turnover_missing": always, "exposure_missing": always,
}

// Set sets a feature from a value of a file: a number, a text, true or false, or a list
// of texts, as the field needs. It says what the field needs when v is something else.
func (f *Feature) Set(x *Facts, v any) error {
	switch f.kind {
	case reflect.String:
		if s, ok := v.(string); ok {
			*(*string)(f.at(x)) = s
			return nil
		}
		return fmt.Errorf("%s is a text", f.Name)
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			*(*bool)(f.at(x)) = b
			return nil
		}
		return fmt.Errorf("%s is true or false", f.Name)
	case reflect.Slice:
		var out []string
		list, ok := v.([]any)
		for _, e := range list {
			s, isText := e.(string)
			ok = ok && isText
			out = append(out, s)
		}
		if !ok {
			return fmt.Errorf("%s is a list of texts", f.Name)
		}
		*(*[]string)(f.at(x)) = out
		return nil
	default:
	}
	switch n := v.(type) {
	case int:
		f.SetNum(x, float64(n))
		return nil
	case float64:
		if f.kind == reflect.Float64 || n == float64(int(n)) {
			f.SetNum(x, n)
			return nil
		}
	}
	if f.kind == reflect.Int {
		return fmt.Errorf("%s is a whole number", f.Name)
	}
	return fmt.Errorf("%s is a number", f.Name)
}

// SetThere says that a part of the evidence is there, as has_crop and so on do.
func SetThere(x *Facts, part string) {
	switch part {
	case "crop":
		x.HasCrop = true
	case "herd":
		x.HasHerd = true
	case "standing":
		x.HasStanding = true
	case "bureau":
		x.HasBureau = true
	case "bank":
		x.HasBank = true
	case "turnover":
		x.HasForecast = true
	case "exposure":
		x.HasExposure = true
	}
}

// MarkKnown says that a figure of the books is known, as when it was set by hand.
func (f *Feature) MarkKnown(x *Facts) {
	for b, name := range figureNames {
		if name == f.Name {
			x.figures |= uint16(b)
		}
	}
}

var figureNames = map[figure]string{
	tradeMonths: "trade_months", salesVariation: "sales_variation", salesGrowth: "sales_growth", buyerHHI: "buyer_hhi",
	supplierHHI: "supplier_hhi", paymentDays: "payment_days", paidLate: "paid_late", returnShare: "return_share",
	voidShare: "void_share", shockLoss: "shock_loss",
}
