// Package growth describes how animals put on weight: the published curves of a
// population, how one animal departs from them, and what it will weigh.
package growth

import (
	"fmt"
	"math"
	"time"
)

// Month is the mean Gregorian month.
const Month = time.Duration(365.2425 * 24 / 12 * float64(time.Hour))

// The models that a curve may follow.
const (
	Gompertz    = "gompertz"    // a·exp(-b·exp(-k·t))
	Brody       = "brody"       // a·(1 - b·exp(-k·t))
	Bertalanffy = "bertalanffy" // a·(1 - b·exp(-k·t))³
	Logistic    = "logistic"    // a/(1 + b·exp(-k·t))
	Richards    = "richards"    // a·(1 - b·exp(-k·t))^m
)

// months is the length of a unit of time in months.
var months = map[string]float64{
	"": 1, "month": 1, "day": 12 / 365.2425, "week": 7 * 12 / 365.2425, "year": 12,
}

// Curve is the weight of a population by age: kg against units of age.
type Curve struct {
	Model  string  `yaml:"model"`
	A      float64 `yaml:"a"` // kg, the weight that growth tends to
	B      float64 `yaml:"b"`
	K      float64 `yaml:"k"`    // per unit of age
	M      float64 `yaml:"m"`    // of Richards only
	Unit   string  `yaml:"unit"` // "day", "week", "month", "year"; "" is month
	Source string  `yaml:"source"`
}

// Kg is the weight at an age in months; ages below zero count as birth.
func (c Curve) Kg(age float64) float64 {
	e := math.Exp(-c.K * max(0, age) / months[c.Unit])
	switch c.Model {
	case Brody:
		return c.A * (1 - c.B*e)
	case Bertalanffy:
		left := 1 - c.B*e
		return c.A * left * left * left
	case Logistic:
		return c.A / (1 + c.B*e)
	case Richards:
		return c.A * math.Pow(1-c.B*e, c.M)
	default:
		return c.A * math.Exp(-c.B*e)
	}
}

// Problem names the first value that makes no sense, or is "". A good curve has a
// source, is positive at birth and never falls.
func (c Curve) Problem() string {
	switch c.Model {
	case Gompertz, Brody, Bertalanffy, Logistic, Richards:
	default:
		return fmt.Sprintf("model is %q; it must be gompertz, brody, bertalanffy, logistic or richards", c.Model)
	}
	if _, ok := months[c.Unit]; !ok {
		return fmt.Sprintf("unit is %q; it must be day, week, month or year", c.Unit)
	}
	type bound struct {
		name      string
		value     float64
		low, high float64
	}
	bounds := []bound{{"a", c.A, 0.01, 5000}, {"b", c.B, 0, 50}, {"k", c.K, 1e-5, 10}}
	if c.Model == Richards {
		bounds = append(bounds, bound{"m", c.M, 0.1, 50})
	}
	if c.Model == Brody || c.Model == Bertalanffy || c.Model == Richards {
		bounds[1].high = 0.999 // or the weight at birth is not positive
	}
	for _, v := range bounds {
		if !(v.value >= v.low && v.value <= v.high) {
			return fmt.Sprintf("%s is %v; it must be between %v and %v", v.name, v.value, v.low, v.high)
		}
	}
	if c.Source == "" {
		return "it has no source"
	}
	return ""
}

// Months is the age in months at a time; 0 before birth.
func Months(born, at time.Time) float64 { return max(0, float64(at.Sub(born))/float64(Month)) }
