// Package crop knows the crops of a region, their calendars and usual curves, and
// tells from the curve of a plot which of them grew there.
//
// The catalogue is a YAML file that a bank may edit (docs/formats/crops.md). The
// classifier, rules/1, holds the seen seasons against the calendar of every crop
// of the region; it abstains where the evidence is thin or fits nothing.
package crop

import (
	"bytes"
	"errors"
	"io"
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
)

// Catalogue is the crops by code and the regions. It is immutable.
type Catalogue struct {
	regions []Region
	crops   []Crop
	byCode  map[string]int
}

// Region is a part of the world with one crop calendar.
type Region struct {
	Code     string     `yaml:"code"`
	Zh       string     `yaml:"zh"`
	En       string     `yaml:"en"`
	Counties []string   `yaml:"counties"` // prefixes of GB/T 2260 codes
	BBox     [4]float64 `yaml:"bbox"`     // west, south, east, north
	Prices   bool       `yaml:"prices"`   // whether yields and prices of the file hold here
}

// Crop is a crop, or a rotation of two.
type Crop struct {
	Code       string             `yaml:"code"`
	Zh         string             `yaml:"zh"`
	En         string             `yaml:"en"`
	Group      string             `yaml:"group"`
	Kind       Kind               `yaml:"kind"`
	Flooded    bool               `yaml:"flooded"`     // stands in water before it greens
	Yellow     bool               `yaml:"yellow"`      // flowers yellow at its peak
	PartOnly   bool               `yaml:"part_only"`   // grown only in a rotation
	Cycles     [2]int             `yaml:"cycles"`      // seasons a year, for Cycles
	WinterNDVI [2]float64         `yaml:"winter_ndvi"` // lowest of the year, for Perennial and Evergreen
	PeakNDVI   [2]float64         `yaml:"peak_ndvi"`
	Yield      [3]float64         `yaml:"yield_kg_per_mu"` // low, middle, high
	Price      Price              `yaml:"price"`
	Calendar   []Calendar         `yaml:"calendar"`
	Parts      []string           `yaml:"parts"`  // of a rotation, in the order of the year
	Shares     map[string]float64 `yaml:"shares"` // of a rotation, by region
}

// Price is the farm-gate price.
type Price struct {
	Fen      money.Fen `yaml:"fen_per_kg"`
	Date     string    `yaml:"date"`
	Source   string    `yaml:"source"`
	Estimate bool      `yaml:"estimate"`
}

// Calendar is when a crop stands in a region.
type Calendar struct {
	Region  string  `yaml:"region"`
	Share   float64 `yaml:"share"` // of the region's fields; the prior of the classifier
	Sow     Window  `yaml:"sow"`
	Green   Window  `yaml:"green"`
	Peak    Window  `yaml:"peak"`
	Harvest Window  `yaml:"harvest"`
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

// Load reads crops.yaml of a catalogue folder and checks it as a whole.
func Load(fsys fs.FS) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, "crops.yaml")
	if err != nil {
		return nil, ErrCatalogue.With("why", "crops.yaml is missing").Because(err)
	}
	return Parse(b)
}

// Parse reads a catalogue. Unknown fields are errors: they are misspelt ones.
func Parse(text []byte) (*Catalogue, error) {
	var file struct {
		Version int      `yaml:"version"`
		Regions []Region `yaml:"regions"`
		Crops   []Crop   `yaml:"crops"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrCatalogue.With("why", err).At("crops.yaml")
	}
	if file.Version != 1 {
		return nil, wrong("crops.yaml", "version must be 1")
	}
	c := &Catalogue{regions: file.Regions, crops: file.Crops, byCode: map[string]int{}}
	regions := map[string]bool{}
	for _, r := range file.Regions {
		if r.Code == "" || r.Zh == "" || r.En == "" || regions[r.Code] {
			return nil, wrong(r.Code, "a region needs a code of its own and both names")
		}
		regions[r.Code] = true
	}
	for i := range c.crops {
		k := &c.crops[i]
		if _, twice := c.byCode[k.Code]; twice || k.Code == Fallow || k.Code == "" || k.Zh == "" || k.En == "" {
			return nil, wrong(k.Code, "a crop needs a code of its own and both names")
		}
		if err := k.check(c, regions); err != nil {
			return nil, err
		}
		c.byCode[k.Code] = i
	}
	return c, nil
}

func wrong(place, why string) error { return ErrCatalogue.With("why", why).At("crops.yaml: %s", place) }

// check validates k and orders its windows; parts must come before it.
func (k *Crop) check(c *Catalogue, regions map[string]bool) error {
	if len(k.Parts) > 0 {
		for _, p := range k.Parts {
			if i, ok := c.byCode[p]; !ok || len(c.crops[i].Parts) > 0 {
				return wrong(k.Code, "part "+p+" must be a single crop further up")
			}
		}
		for r, s := range k.Shares {
			if !regions[r] || !(s > 0 && s <= 1) {
				return wrong(k.Code, "shares name a region and a share up to 1")
			}
		}
		return nil
	}
	lo, mid, hi := k.Yield[0], k.Yield[1], k.Yield[2]
	switch {
	case !(lo > 0 && lo <= mid && mid <= hi && hi < 1e5):
		return wrong(k.Code, "yield_kg_per_mu must be low, middle, high")
	case !(k.PeakNDVI[0] > 0 && k.PeakNDVI[0] < k.PeakNDVI[1] && k.PeakNDVI[1] <= 1):
		return wrong(k.Code, "peak_ndvi must be a rising pair up to 1")
	case k.Price.Fen <= 0 || k.Price.Fen > 1e7 || k.Price.Source == "":
		return wrong(k.Code, "price needs fen_per_kg and source")
	case !slices.Contains([]Kind{Annual, Cycles, Perennial, Evergreen}, k.Kind):
		return wrong(k.Code, "kind must be cycles, perennial, evergreen or absent")
	case k.Kind == Cycles && (k.Cycles[0] < 2 || k.Cycles[0] > k.Cycles[1]):
		return wrong(k.Code, "cycles must be a rising pair from 2")
	case (k.Kind == Perennial || k.Kind == Evergreen) && !(k.WinterNDVI[0] < k.WinterNDVI[1]):
		return wrong(k.Code, "winter_ndvi must be a rising pair")
	case len(k.Calendar) == 0:
		return wrong(k.Code, "calendar is missing")
	}
	if _, err := time.Parse(time.DateOnly, k.Price.Date); err != nil {
		return wrong(k.Code, "price date must be such as 2026-05-31")
	}
	for i := range k.Calendar {
		cal := &k.Calendar[i]
		if !regions[cal.Region] || !(cal.Share >= 0 && cal.Share <= 1) {
			return wrong(k.Code, "a calendar needs a region of the file and a share up to 1")
		}
		if k.Kind == Cycles || k.Kind == Evergreen {
			continue
		}
		for _, w := range []*Window{&cal.Sow, &cal.Green, &cal.Peak, &cal.Harvest} {
			if w.From == w.To {
				return wrong(k.Code, "calendar needs sow, green, peak and harvest")
			}
		}
		// Sowing and greening come before the peak, harvest after it.
		for _, w := range []*Window{&cal.Sow, &cal.Green} {
			for w.From > cal.Peak.From {
				w.From, w.To = w.From-365, w.To-365
			}
		}
		for cal.Harvest.To < cal.Peak.To {
			cal.Harvest.From, cal.Harvest.To = cal.Harvest.From+365, cal.Harvest.To+365
		}
	}
	return nil
}

// Crops returns all crops in the order of the file. The caller must not change them.
func (c *Catalogue) Crops() []Crop { return c.crops }

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

// Region finds the region of a plot by its county code or, without one, by where
// it lies. The second answer is false where no calendar is known.
func (c *Catalogue) Region(county string, at orb.Point) (Region, bool) {
	best, length := -1, 0
	for i, r := range c.regions {
		for _, p := range r.Counties {
			if len(p) > length && strings.HasPrefix(county, p) {
				best, length = i, len(p)
			}
		}
	}
	if best >= 0 {
		return c.regions[best], true
	}
	for _, r := range c.regions {
		if at[0] >= r.BBox[0] && at[1] >= r.BBox[1] && at[0] <= r.BBox[2] && at[1] <= r.BBox[3] {
			return r, true
		}
	}
	return Region{}, false
}

// Part is one crop with its calendar in a region.
type Part struct {
	Crop
	When Calendar
}

// Parts gives the single crops of a code in a region, in the order of the year:
// one for a crop, two for a rotation, none where the crop is unknown there.
func (c *Catalogue) Parts(code, region string) []Part {
	i, ok := c.byCode[code]
	if !ok {
		return nil
	}
	k := c.crops[i]
	codes := k.Parts
	if len(codes) == 0 {
		codes = []string{code}
	}
	var out []Part
	for _, p := range codes {
		single := c.crops[c.byCode[p]]
		j := slices.IndexFunc(single.Calendar, func(cal Calendar) bool { return cal.Region == region })
		if j < 0 {
			return nil
		}
		out = append(out, Part{single, single.Calendar[j]})
	}
	return out
}

// share is how usual the crop is in the region; 0 means that it is no candidate.
func (k Crop) share(region string) float64 {
	if k.PartOnly {
		return 0
	}
	if len(k.Parts) > 0 {
		return k.Shares[region]
	}
	for _, cal := range k.Calendar {
		if cal.Region == region {
			return cal.Share
		}
	}
	return 0
}
