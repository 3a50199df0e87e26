// Package crop knows the crops of a region, their calendars and usual curves, and
// tells from the curve of a plot which of them grew there.
//
// The catalogue is a YAML file that a bank may edit (docs/formats/crops.md). The
// classifier, rules/2, holds the looks at a plot and the seen seasons against the
// calendar of every crop of the region; it abstains where the evidence is thin or
// fits nothing.
package crop

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a catalogue.
var (
	ErrCatalogue = fault.New(fault.Invalid, "crop.catalogue", "the crop catalogue is wrong: {why}")
	ErrNoCrop    = fault.New(fault.NotFound, "crop.not_found", "the catalogue has no crop {code}")
)

// Fallow is the code of land on which nothing grew. It is no crop of the catalogue.
const Fallow = "fallow"

// Kind says how a crop shows in the curve of a year.
type Kind string

// The kinds of crops.
const (
	Annual    Kind = ""          // one rise and fall by the calendar
	Cycles    Kind = "cycles"    // several short rises at any time
	Perennial Kind = "perennial" // a long season that does not fall to bare soil
	Evergreen Kind = "evergreen" // green all the year
	Covered   Kind = "covered"   // under plastic or glass, which dulls every season
)

// Catalogue is the crops by code, the groups, the regions and how the fields of
// each province are used. It is immutable.
type Catalogue struct {
	sources   []Source
	groups    []Group
	regions   []Region
	provinces []Province
	crops     []Crop
	byCode    map[string]int
}

// Source is where facts of the catalogue come from.
type Source struct {
	Code     string `yaml:"code"`
	Text     string `yaml:"text"`
	Estimate bool   `yaml:"estimate"` // a round figure of the project, no quotation
}

// Group is crops that are alike to a lender, and often to a satellite.
type Group struct {
	Code    string `yaml:"code"`
	Zh      string `yaml:"zh"`
	En      string `yaml:"en"`
	Generic string `yaml:"generic"` // the crop to name when only the group is sure; "" for none
}

// Region is a part of the world with one crop calendar.
type Region struct {
	Code   string             `yaml:"code"`
	Zh     string             `yaml:"zh"`
	En     string             `yaml:"en"`
	Boxes  [][4]float64       `yaml:"boxes"`  // west, south, east, north: for plots without a county code
	Prices bool               `yaml:"prices"` // whether yields and prices of the file hold here
	Shares map[string]float64 `yaml:"shares"` // of the fields, by crop; without them the mean over its parts of provinces
	Source string             `yaml:"shares_source"`
}

// Province is a province-level division of GB/T 2260 with the use of its fields.
type Province struct {
	Code  string `yaml:"code"` // two digits
	Zh    string `yaml:"zh"`
	En    string `yaml:"en"`
	Parts []Area `yaml:"parts"`
}

// Area is the part of a province that lies in one region.
type Area struct {
	Region   string             `yaml:"region"`
	Counties []string           `yaml:"counties"`     // prefixes of GB/T 2260 codes; none for the rest of the province
	Cropland float64            `yaml:"cropland_kha"` // 1000 ha: the weight of the part in its region
	Shares   map[string]float64 `yaml:"shares"`       // rough share of the fields, by crop or rotation
}

// Crop is a crop, or a rotation of several.
type Crop struct {
	Code           string     `yaml:"code"`
	Zh             string     `yaml:"zh"`
	En             string     `yaml:"en"`
	Group          string     `yaml:"group"`
	Kind           Kind       `yaml:"kind"`
	Flooded        bool       `yaml:"flooded"`     // stands in water before it greens
	Yellow         bool       `yaml:"yellow"`      // flowers yellow at its peak
	PartOnly       bool       `yaml:"part_only"`   // grown only in a rotation
	Cycles         [2]int     `yaml:"cycles"`      // seasons a year, for Cycles
	WinterNDVI     [2]float64 `yaml:"winter_ndvi"` // lowest of the year, for Perennial, Evergreen and Covered
	PeakNDVI       [2]float64 `yaml:"peak_ndvi"`
	Yield          [3]float64 `yaml:"yield_kg_per_mu"` // low, middle, high
	YieldSource    string     `yaml:"yield_source"`
	Cost           Cost       `yaml:"cost"`
	Price          Price      `yaml:"price"`
	CalendarSource string     `yaml:"calendar_source"`
	Calendar       []Calendar `yaml:"calendar"`
	Parts          []string   `yaml:"parts"` // of a rotation, in the order of the year
}

// Price is the farm-gate price.
type Price struct {
	Fen      money.Fen `yaml:"fen_per_kg"`
	Date     string    `yaml:"date"`
	Source   string    `yaml:"source"`
	Estimate bool      `yaml:"estimate"`
}

// Calendar is when a crop stands in a region, and what of its figures differs there.
type Calendar struct {
	Region      string      `yaml:"region"`
	Sow         Window      `yaml:"sow"`
	Green       Window      `yaml:"green"`
	Peak        Window      `yaml:"peak"`
	Harvest     Window      `yaml:"harvest"`
	Cycles      *[2]int     `yaml:"cycles"`
	Yield       *[3]float64 `yaml:"yield_kg_per_mu"`
	YieldSource string      `yaml:"yield_source"`
	Cost        *Cost       `yaml:"cost"`
	Price       *Price      `yaml:"price"`

	drawn *band
}

// Window is a span of days, counted from 1 January of the year of the peak: the
// sowing of winter wheat is negative.
type Window struct{ From, To int }

// UnmarshalYAML reads [month-day, month-day].
func (w *Window) UnmarshalYAML(n *yaml.Node) error {
	var ends [2]string
	if err := n.Decode(&ends); err != nil {
		return err
	}
	for i, s := range ends {
		t, err := time.Parse(time.DateOnly, "2025-"+s) // a common year
		if err != nil {
			return errors.New(s + " is not a month-day such as 05-31")
		}
		if d := t.YearDay() - 1; i == 0 {
			w.From = d
		} else {
			w.To = d
		}
	}
	if w.To < w.From {
		w.To += 365
	}
	return nil
}

// In gives the window around the peak of a year: first and last day.
func (w Window) In(year int) (from, to time.Time) {
	jan := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	return jan.AddDate(0, 0, w.From), jan.AddDate(0, 0, w.To)
}

// Mid is the middle day.
func (w Window) Mid() int { return (w.From + w.To) / 2 }

func (w Window) plus(days int) Window { return Window{w.From + days, w.To + days} }

// Load reads crops.yaml of a catalogue folder and checks it as a whole.
func Load(fsys fs.FS) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, "crops.yaml")
	if err != nil {
		return nil, ErrCatalogue.With("why", "crops.yaml is missing").Because(err)
	}
	return Parse(b)
}

// Crops returns all crops in the order of the file. The caller must not change them.
func (c *Catalogue) Crops() []Crop { return c.crops }

// Groups returns the groups of crops in the order of the file.
func (c *Catalogue) Groups() []Group { return c.groups }

// Provinces returns the provinces in the order of the file.
func (c *Catalogue) Provinces() []Province { return c.provinces }

// Source returns the source of that code; the second answer is false when the
// catalogue has none.
func (c *Catalogue) Source(code string) (Source, bool) {
	i := slices.IndexFunc(c.sources, func(s Source) bool { return s.Code == code })
	if i < 0 {
		return Source{}, false
	}
	return c.sources[i], true
}

// Crop returns the crop of that code, or [ErrNoCrop].
func (c *Catalogue) Crop(code string) (Crop, error) {
	i, ok := c.byCode[code]
	if !ok {
		return Crop{}, ErrNoCrop.With("code", code)
	}
	return c.crops[i], nil
}

// Name gives the name of a crop in "zh-CN" or "en"; an unknown code is its own name.
func (c *Catalogue) Name(code, lang string) string {
	zh := strings.HasPrefix(lang, "zh")
	if i, ok := c.byCode[code]; ok {
		if zh {
			return c.crops[i].Zh
		}
		return c.crops[i].En
	}
	if code == Fallow && zh {
		return "休耕（无作物）"
	}
	return code
}

// Region finds the region of a plot by its county code or, without one, by the
// smallest box that holds it. The second answer is false where no calendar is known.
func (c *Catalogue) Region(county string, at orb.Point) (Region, bool) {
	if a := c.area(county); a != nil {
		return c.region(a.Region), true
	}
	var best Region
	least, found := 0.0, false
	for _, r := range c.regions {
		for _, b := range r.Boxes {
			if at[0] < b[0] || at[1] < b[1] || at[0] > b[2] || at[1] > b[3] {
				continue
			}
			if size := (b[2] - b[0]) * (b[3] - b[1]); !found || size < least {
				best, least, found = r, size, true
			}
		}
	}
	return best, found
}

// region returns the region of a code that the check has found to exist.
func (c *Catalogue) region(code string) Region {
	return c.regions[slices.IndexFunc(c.regions, func(r Region) bool { return r.Code == code })]
}

// area finds the part of a province that a county lies in, nil for none.
func (c *Catalogue) area(county string) *Area {
	var best *Area
	length := 1
	for i := range c.provinces {
		p := &c.provinces[i]
		if !strings.HasPrefix(county, p.Code) {
			continue
		}
		for k := range p.Parts {
			a := &p.Parts[k]
			if len(a.Counties) == 0 && length < 2 {
				best, length = a, 2
			}
			for _, prefix := range a.Counties {
				if len(prefix) > length && strings.HasPrefix(county, prefix) {
					best, length = a, len(prefix)
				}
			}
		}
	}
	return best
}

// Part is one crop with its calendar in a region. Yield, cost and price are those
// of the region where it has its own.
type Part struct {
	Crop
	When  Calendar
	drawn *band
}

// Parts gives the single crops of a code in a region, in the order of the year:
// one for a crop, several for a rotation, none where the crop is unknown there.
func (c *Catalogue) Parts(code, region string) []Part {
	i, ok := c.byCode[code]
	if !ok {
		return nil
	}
	codes := c.crops[i].Parts
	if len(codes) == 0 {
		codes = []string{code}
	}
	out := make([]Part, 0, len(codes))
	for _, p := range codes {
		k := c.crops[c.byCode[p]]
		j := slices.IndexFunc(k.Calendar, func(cal Calendar) bool { return cal.Region == region })
		if j < 0 {
			return nil
		}
		out = append(out, k.in(k.Calendar[j]))
	}
	return out
}

// in gives the crop as it is in one region.
func (k Crop) in(cal Calendar) Part {
	if cal.Yield != nil {
		k.Yield = *cal.Yield
	}
	if cal.YieldSource != "" {
		k.YieldSource = cal.YieldSource
	}
	if cal.Cost != nil {
		k.Cost = *cal.Cost
	}
	if cal.Price != nil {
		k.Price = *cal.Price
	}
	if cal.Cycles != nil {
		k.Cycles = *cal.Cycles
	}
	return Part{Crop: k, When: cal, drawn: cal.drawn}
}

// Shares gives the rough share of the fields under every crop and rotation where a
// plot lies: those of its county's part of the province or, without a county, of
// the region. A crop that the region grows and the province does not name keeps a
// small share, or none where even the region grows little of it. The map is the
// caller's.
func (c *Catalogue) Shares(county, region string) map[string]float64 {
	const (
		elsewhere = 0.1   // of the region's share, for a crop that is no usual one of the province
		least     = 0.001 // share of such a crop that makes it a candidate
	)
	i := slices.IndexFunc(c.regions, func(r Region) bool { return r.Code == region })
	if i < 0 {
		return nil
	}
	out := make(map[string]float64, len(c.regions[i].Shares))
	a := c.area(county)
	if a != nil && a.Region != region {
		a = nil
	}
	for code, s := range c.regions[i].Shares {
		if a != nil {
			if s *= elsewhere; s < least {
				continue
			}
		}
		out[code] = s
	}
	if a != nil {
		for code, s := range a.Shares {
			out[code] = s
		}
	}
	return out
}
