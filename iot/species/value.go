package species

import (
	"fmt"

	"github.com/furrowcredit/furrow/iot/worth/growth"
	"github.com/furrowcredit/furrow/money"
)

// Growth has the curves by sex and how animals spread around them.
type Growth struct {
	Male          growth.Curve `yaml:"m"`                  // of castrated males too
	Female        growth.Curve `yaml:"f"`                  // of animals of unknown sex too: the lower one
	UnknownMonths float64      `yaml:"unknown_age_months"` // the age of an animal whose birth nobody knows
	Spread        Spread       `yaml:"spread"`
}

// Spread is how weights depart from a curve: standard deviations in basis points of
// the weight.
type Spread struct {
	HerdBP   int64   `yaml:"herd_bp"`   // of a whole herd, for its feed and blood: one error for all its animals
	AnimalBP int64   `yaml:"animal_bp"` // of an animal within its herd, for good
	WanderBP int64   `yaml:"wander_bp"` // of an animal's better and worse spells
	Months   float64 `yaml:"wander_months"`
	ScaleBP  int64   `yaml:"scale_bp"` // of one weighing
	Source   string  `yaml:"source"`
}

// Departure is the spread of animals within their herd, by months of age.
func (s Spread) Departure() growth.Spread {
	return growth.Spread{Level: bp(s.AnimalBP), Wander: bp(s.WanderBP), Length: s.Months, Noise: bp(s.ScaleBP)}
}

// Herd is the standard deviation of a herd's mean weight around the curve, as a share.
func (s Spread) Herd() float64 { return bp(s.HerdBP) }

func bp(v int64) float64 { return float64(v) / 10_000 }

// Class is a kind of animal that the market prices apart.
type Class struct {
	Code        string            `yaml:"code"`
	Name        map[string]string `yaml:"name"` // by language
	Sex         string            `yaml:"sex"`  // "f", "m", "c"; "" any
	From        float64           `yaml:"from_months"`
	To          float64           `yaml:"to_months"`    // below it; 0 has no end
	MortalityBP int64             `yaml:"mortality_bp"` // until disposal; 0 is the species'
}

func (c Class) fits(sex string, months float64) bool {
	return (c.Sex == "" || c.Sex == sex) && months >= c.From && (c.To == 0 || months < c.To)
}

// Class is the market's class of an animal of that sex and age.
func (s Species) Class(sex string, months float64) Class {
	for _, c := range s.Classes {
		if c.fits(sex, months) {
			return c
		}
	}
	return Class{}
}

// Pregnancy says what the unborn add to a bred female. Zero adds nothing.
type Pregnancy struct {
	Days   int64     `yaml:"gestation_days"`
	From   int64     `yaml:"from_days"` // when it can be told
	Young  money.Fen `yaml:"young_fen"` // of what is born, at term
	Source string    `yaml:"source"`
}

// Pricing says how sure prices are.
type Pricing struct {
	SpreadBP int64  `yaml:"spread_bp"`    // standard deviation of a sale against the table
	MaxAge   int    `yaml:"max_age_days"` // an older price is of low confidence
	Source   string `yaml:"source"`
}

// Mortality is the deaths to be expected.
type Mortality struct {
	BP       int64  `yaml:"bp"`        // until disposal
	BadBP    int64  `yaml:"bad_bp"`    // the same in one year of twenty
	WeeklyBP int64  `yaml:"weekly_bp"` // of a house, since it was last counted
	Source   string `yaml:"source"`
}

// Haircut is the cost and loss of a forced sale.
type Haircut struct {
	BP     int64  `yaml:"bp"`
	Source string `yaml:"source"`
}

// Curve is the curve of a breed and sex: the breed's own, or else its species'.
func (s Species) Curve(breed, sex string) growth.Curve {
	male := sex == "m" || sex == "c"
	for _, b := range s.Breeds {
		if b.Code != breed {
			continue
		}
		if male && b.Male != nil {
			return *b.Male
		}
		if !male && b.Female != nil {
			return *b.Female
		}
	}
	if male {
		return s.Growth.Male
	}
	return s.Growth.Female
}

// valueProblem names the first value of growth and worth that makes no sense.
func (s Species) valueProblem() string {
	for _, c := range []struct {
		name  string
		curve growth.Curve
	}{{"growth.m", s.Growth.Male}, {"growth.f", s.Growth.Female}} {
		if why := c.curve.Problem(); why != "" {
			return c.name + ": " + why
		}
	}
	g, p := s.Growth.Spread, s.Pregnancy
	for _, v := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"unknown_age_months", s.Growth.UnknownMonths, 0, 240},
		{"herd_bp", float64(g.HerdBP), 0, 10_000},
		{"animal_bp", float64(g.AnimalBP), 0, 10_000},
		{"wander_bp", float64(g.WanderBP), 0, 10_000},
		{"wander_months", g.Months, 0.01, 240},
		{"scale_bp", float64(g.ScaleBP), 1, 10_000},
		{"gestation_days", float64(p.Days), 0, 700},
		{"from_days", float64(p.From), 0, float64(p.Days)},
		{"young_fen", float64(p.Young), 0, 1e8},
		{"price.spread_bp", float64(s.Price.SpreadBP), 0, 10_000},
		{"price.max_age_days", float64(s.Price.MaxAge), 1, 3650},
		{"mortality.bp", float64(s.Mortality.BP), 0, 10_000},
		{"mortality.bad_bp", float64(s.Mortality.BadBP), float64(s.Mortality.BP), 10_000},
		{"mortality.weekly_bp", float64(s.Mortality.WeeklyBP), 0, 5_000},
		{"haircut.bp", float64(s.Haircut.BP), 0, 10_000},
	} {
		if !(v.value >= v.low && v.value <= v.high) {
			return fmt.Sprintf("%s is %v; it must be between %v and %v", v.name, v.value, v.low, v.high)
		}
	}
	for _, v := range []struct{ name, source string }{
		{"growth.spread", g.Source}, {"price", s.Price.Source}, {"mortality", s.Mortality.Source}, {"haircut", s.Haircut.Source},
	} {
		if v.source == "" {
			return v.name + " has no source; write \"planning value\" where there is none"
		}
	}
	if p.Young > 0 && p.Source == "" {
		return "pregnancy has no source; write \"planning value\" where there is none"
	}
	return s.classProblem()
}

func (s Species) classProblem() string {
	seen := make(map[string]bool)
	for i, c := range s.Classes {
		switch {
		case c.Code == "" || c.Name["zh-CN"] == "" || c.Name["en"] == "":
			return "each class needs a code and a name in zh-CN and en"
		case seen[c.Code]:
			return fmt.Sprintf("class %s is listed twice", c.Code)
		case c.Sex != "" && c.Sex != "f" && c.Sex != "m" && c.Sex != "c":
			return fmt.Sprintf("class %s: sex is %q; it must be f, m, c or nothing", c.Code, c.Sex)
		case !(c.From >= 0 && c.From <= 600 && c.To >= 0 && c.To <= 600), c.To != 0 && c.To <= c.From:
			return fmt.Sprintf("class %s: from_months and to_months must be ages of at most 600 months, in order", c.Code)
		case c.MortalityBP < 0 || c.MortalityBP > 10_000:
			return fmt.Sprintf("class %s: mortality_bp is %d; it must be between 0 and 10000", c.Code, c.MortalityBP)
		}
		seen[c.Code] = true
		if last := i == len(s.Classes)-1; last && (c.Sex != "" || c.From != 0 || c.To != 0) {
			return fmt.Sprintf("class %s is the last and must fit every animal", c.Code)
		}
	}
	if len(s.Classes) == 0 {
		return "it has no class; give at least one that fits every animal"
	}
	return ""
}
