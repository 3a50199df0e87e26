// Package species reads what the house knows of each kind of livestock: thresholds
// of the watch, growth curves, breeds, market classes and prices (species.yaml,
// breeds.yaml and livestock_prices.csv of the catalogue).
package species

import (
	"fmt"
	"io"
	"io/fs"
	"sort"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
)

// File is where the catalogue keeps species.
const File = "species.yaml"

// ErrCatalogue is returned for a species file that cannot be used.
var ErrCatalogue = fault.New(fault.Invalid, "species.catalogue", "the species catalogue is not usable: {why}")

// Species is one kind of livestock.
type Species struct {
	Code      string            `yaml:"code" json:"code"`
	Name      map[string]string `yaml:"name" json:"name"` // by language
	CN67      string            `yaml:"cn67" json:"-"`    // first digits that its cn-67 codes may have; "" has none
	House     bool              `yaml:"house" json:"-"`   // kept and counted by the house: poultry
	Watch     Watch             `yaml:"watch" json:"-"`
	Growth    Growth            `yaml:"growth" json:"-"`
	Classes   []Class           `yaml:"classes" json:"-"` // of the market; the first that fits, and the last fits all
	Pregnancy Pregnancy         `yaml:"pregnancy" json:"-"`
	Price     Pricing           `yaml:"price" json:"-"`
	Mortality Mortality         `yaml:"mortality" json:"-"`
	Haircut   Haircut           `yaml:"haircut" json:"-"`
	Breeds    []Breed           `yaml:"-" json:"-"` // of breeds.yaml, in its order
}

// Watch holds the thresholds of iot/watch.
type Watch struct {
	MaxSpeed      float64 `yaml:"max_speed_mps"`    // m/s of a running animal
	Walk          float64 `yaml:"walk_mps"`         // m/s it keeps for longer than a sprint
	MaxAccuracy   float64 `yaml:"max_accuracy_m"`   // m, 1 sigma
	MarginShare   float64 `yaml:"margin_share"`     // of the root of the fence's area
	MarginMin     float64 `yaml:"margin_min_m"`     // m
	MarginMax     float64 `yaml:"margin_max_m"`     // m
	Confirmations int     `yaml:"confirmations"`    // fixes in a row
	Sure          float64 `yaml:"sure_m"`           // m beyond the margin
	Burst         float64 `yaml:"burst"`            // m/s², 5 s standard deviation of the acceleration norm
	StillHours    float64 `yaml:"still_hours"`      // without a burst
	AmbientWithin float64 `yaml:"ambient_within_c"` // °C between tag and air
	SilenceFactor float64 `yaml:"silence_factor"`   // of the tag's median interval
	SilenceMin    float64 `yaml:"silence_min_minutes"`

	CarrierHours    float64 `yaml:"carrier_hours"`    // moving at the air's temperature
	FeverRise       float64 `yaml:"fever_rise_c"`     // °C above the own baseline and the herd's deviation
	FeverHours      float64 `yaml:"fever_hours"`      // in a row
	OestrusActivity float64 `yaml:"oestrus_activity"` // share above the own baseline
	OestrusRise     float64 `yaml:"oestrus_rise_c"`   // °C above the own baseline
	BreedingMonths  float64 `yaml:"breeding_months"`  // age of the first oestrus; 0 looks for none
	IdleDrop        float64 `yaml:"idle_drop"`        // share below the own mean of a week
}

// Still is the time without a burst after which an animal is in doubt.
func (w Watch) Still() time.Duration { return time.Duration(w.StillHours * float64(time.Hour)) }

// Quiet is the shortest time after which a tag may be called silent.
func (w Watch) Quiet() time.Duration { return time.Duration(w.SilenceMin * float64(time.Minute)) }

// Catalogue is every species by code.
type Catalogue struct {
	byCode map[string]Species
	prices map[quoted][]Price // in the order of dates
}

// Load reads and validates species.yaml, breeds.yaml and livestock_prices.csv. Errors
// are ErrCatalogue with the file, the line where there is one, and the reason.
func Load(fsys fs.FS) (*Catalogue, error) {
	var c *Catalogue
	for _, part := range []struct {
		file string
		read func(io.Reader) error
	}{
		{File, func(r io.Reader) (err error) { c, err = read(r); return err }},
		{BreedFile, func(r io.Reader) error { return c.readBreeds(r) }},
		{PriceFile, func(r io.Reader) error { return c.readPrices(r) }},
	} {
		f, err := fsys.Open(part.file)
		if err != nil {
			return nil, ErrCatalogue.With("why", "the file is missing").At("%s", part.file).Because(err)
		}
		err = part.read(f)
		_ = f.Close() // read only
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func read(r io.Reader) (*Catalogue, error) {
	bad := func(format string, args ...any) error {
		return ErrCatalogue.With("why", fmt.Sprintf(format, args...)).At(File)
	}
	var doc struct {
		Version int       `yaml:"version"`
		Species []Species `yaml:"species"`
	}
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return nil, bad("%v", err)
	}
	if doc.Version != 1 {
		return nil, bad("version %d is not known; it must be 1", doc.Version)
	}
	if len(doc.Species) == 0 {
		return nil, bad("it lists no species")
	}
	c := &Catalogue{byCode: make(map[string]Species, len(doc.Species))}
	for _, s := range doc.Species {
		if s.Code == "" || s.Name["zh-CN"] == "" || s.Name["en"] == "" {
			return nil, bad("each species needs a code and a name in zh-CN and en")
		}
		if _, twice := c.byCode[s.Code]; twice {
			return nil, bad("%s is listed twice", s.Code)
		}
		if why := s.problem(); why != "" {
			return nil, bad("%s: %s", s.Code, why)
		}
		c.byCode[s.Code] = s
	}
	return c, nil
}

// problem names the first value that makes no sense.
func (s Species) problem() string {
	w := s.Watch
	for _, v := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"max_speed_mps", w.MaxSpeed, 1, 50},
		{"walk_mps", w.Walk, 0.1, w.MaxSpeed},
		{"max_accuracy_m", w.MaxAccuracy, 1, 10_000},
		{"margin_share", w.MarginShare, 0, 1},
		{"margin_min_m", w.MarginMin, 0, 1000},
		{"margin_max_m", w.MarginMax, w.MarginMin, 10_000},
		{"confirmations", float64(w.Confirmations), 1, 100},
		{"sure_m", w.Sure, 1, 100_000},
		{"burst", w.Burst, 0.01, 20},
		{"still_hours", w.StillHours, 0.5, 72},
		{"ambient_within_c", w.AmbientWithin, 0.1, 20},
		{"silence_factor", w.SilenceFactor, 2, 100},
		{"silence_min_minutes", w.SilenceMin, 1, 1440},
		{"carrier_hours", w.CarrierHours, 0.5, 72},
		{"fever_rise_c", w.FeverRise, 0.2, 10},
		{"fever_hours", w.FeverHours, 1, 72},
		{"oestrus_activity", w.OestrusActivity, 0.05, 5},
		{"oestrus_rise_c", w.OestrusRise, 0, 5},
		{"breeding_months", w.BreedingMonths, 0, 120},
		{"idle_drop", w.IdleDrop, 0.05, 0.95},
	} {
		if !(v.value >= v.low && v.value <= v.high) {
			return fmt.Sprintf("%s is %v; it must be between %v and %v", v.name, v.value, v.low, v.high)
		}
	}
	return s.valueProblem()
}

// Get returns the species of a code.
func (c *Catalogue) Get(code string) (Species, bool) {
	s, ok := c.byCode[code]
	return s, ok
}

// Known tells whether the catalogue has the species.
func (c *Catalogue) Known(code string) bool {
	_, ok := c.byCode[code]
	return ok
}

// All returns every species in code order.
func (c *Catalogue) All() []Species {
	all := make([]Species, 0, len(c.byCode))
	for _, s := range c.byCode {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Code < all[j].Code })
	return all
}
