package crop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Parse reads a catalogue. Unknown fields are errors: they are misspelt ones. The
// error names the place: the crop, region or province, and the field.
func Parse(text []byte) (*Catalogue, error) {
	var file struct {
		Version   int        `yaml:"version"`
		Sources   []Source   `yaml:"sources"`
		Groups    []Group    `yaml:"groups"`
		Regions   []Region   `yaml:"regions"`
		Provinces []Province `yaml:"provinces"`
		Crops     []Crop     `yaml:"crops"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrCatalogue.With("why", err).At("crops.yaml")
	}
	if file.Version != 1 {
		return nil, wrong("version", "must be 1")
	}
	c := &Catalogue{
		sources: file.Sources, groups: file.Groups, regions: file.Regions, provinces: file.Provinces,
		crops: file.Crops, byCode: map[string]int{},
	}
	for _, check := range []func() error{c.checkSources, c.checkGroups, c.checkRegions, c.checkCrops, c.checkGenerics, c.checkProvinces, c.checkShares} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func wrong(place, why string) error { return ErrCatalogue.With("why", why).At("crops.yaml: %s", place) }

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// named checks a code and both names; seen collects the codes.
func named(seen map[string]bool, what, code, zh, en string) error {
	switch {
	case !codeForm.MatchString(code):
		return wrong(what+" "+code, "code must be small letters, digits and _")
	case seen[code]:
		return wrong(what+" "+code, "the code is there twice")
	case zh == "" || en == "":
		return wrong(what+" "+code, "both names, zh and en, are needed")
	}
	seen[code] = true
	return nil
}

func (c *Catalogue) checkSources() error {
	seen := map[string]bool{}
	for _, s := range c.sources {
		if err := named(seen, "source", s.Code, s.Text, s.Text); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalogue) checkGroups() error {
	seen := map[string]bool{}
	for _, g := range c.groups {
		if err := named(seen, "group", g.Code, g.Zh, g.En); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalogue) checkGenerics() error {
	for _, g := range c.groups {
		if g.Generic == "" {
			continue
		}
		if i, ok := c.byCode[g.Generic]; !ok || c.crops[i].Group != g.Code {
			return wrong("group "+g.Code, "generic "+g.Generic+" must be a crop of the group")
		}
	}
	return nil
}

func (c *Catalogue) checkRegions() error {
	seen := map[string]bool{}
	for _, r := range c.regions {
		if err := named(seen, "region", r.Code, r.Zh, r.En); err != nil {
			return err
		}
		for _, b := range r.Boxes {
			if !(b[0] < b[2] && b[1] < b[3] && b[0] >= -180 && b[2] <= 180 && b[1] >= -90 && b[3] <= 90) {
				return wrong("region "+r.Code, "boxes must be west, south, east, north in degrees")
			}
		}
		if r.Shares != nil && !c.hasSource(r.Source) {
			return wrong("region "+r.Code, "shares_source must name a source of the file")
		}
	}
	return nil
}

func (c *Catalogue) hasSource(code string) bool {
	_, ok := c.Source(code)
	return ok
}

func (c *Catalogue) checkCrops() error {
	seen := map[string]bool{}
	for i := range c.crops {
		k := &c.crops[i]
		if err := named(seen, "crop", k.Code, k.Zh, k.En); err != nil {
			return err
		}
		if k.Code == Fallow {
			return wrong("crop "+k.Code, "the code is reserved for land on which nothing grew")
		}
		if !slices.ContainsFunc(c.groups, func(g Group) bool { return g.Code == k.Group }) {
			return wrong("crop "+k.Code, "group "+k.Group+" is not among the groups")
		}
		if err := c.checkCrop(k); err != nil {
			return err
		}
		c.byCode[k.Code] = i
	}
	return nil
}

// checkCrop validates k and orders its windows; parts must come before it.
func (c *Catalogue) checkCrop(k *Crop) error {
	place := "crop " + k.Code
	if len(k.Parts) > 0 {
		for _, p := range k.Parts {
			if i, ok := c.byCode[p]; !ok || len(c.crops[i].Parts) > 0 {
				return wrong(place, "part "+p+" must be a single crop further up")
			}
		}
		return nil
	}
	switch {
	case !slices.Contains([]Kind{Annual, Cycles, Perennial, Evergreen, Covered}, k.Kind):
		return wrong(place, "kind must be cycles, perennial, evergreen, covered or absent")
	case !(k.PeakNDVI[0] > 0 && k.PeakNDVI[0] < k.PeakNDVI[1] && k.PeakNDVI[1] <= 1):
		return wrong(place, "peak_ndvi must be a rising pair up to 1")
	case k.Kind == Cycles && !rising(k.Cycles):
		return wrong(place, "cycles must be a rising pair from 2")
	case k.Kind != Annual && k.Kind != Cycles && !(k.WinterNDVI[0] < k.WinterNDVI[1]):
		return wrong(place, "winter_ndvi must be a rising pair")
	case len(k.Calendar) == 0:
		return wrong(place, "calendar is missing")
	case !c.hasSource(k.CalendarSource):
		return wrong(place, "calendar_source must name a source of the file")
	}
	if err := c.checkFigures(place, k.in(Calendar{})); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range k.Calendar {
		cal := &k.Calendar[i]
		in := place + ", region " + cal.Region
		switch {
		case !slices.ContainsFunc(c.regions, func(r Region) bool { return r.Code == cal.Region }):
			return wrong(in, "the region is not in the file")
		case seen[cal.Region]:
			return wrong(in, "the calendar of the region is there twice")
		case cal.Cycles != nil && !rising(*cal.Cycles):
			return wrong(in, "cycles must be a rising pair from 2")
		}
		seen[cal.Region] = true
		if err := c.checkFigures(in, k.in(*cal)); err != nil {
			return err
		}
		if k.Kind == Annual || k.Kind == Perennial {
			if err := cal.order(in); err != nil {
				return err
			}
		}
		cal.drawn = newBand(*k, *cal)
	}
	return nil
}

func rising(v [2]int) bool { return v[0] >= 2 && v[0] <= v[1] && v[1] <= 12 }

// checkFigures validates yield, cost and price of a crop, everywhere or in a region.
func (c *Catalogue) checkFigures(place string, k Part) error {
	y, cost, spent := k.Yield, k.Cost.Fen, k.Cost.Spent
	switch {
	case !(y[0] > 0 && y[0] <= y[1] && y[1] <= y[2] && y[2] < 1e5): // NaN is refused as well
		return wrong(place, "yield_kg_per_mu must be low, middle, high")
	case !c.hasSource(k.YieldSource):
		return wrong(place, "yield_source must name a source of the file")
	case cost[0] <= 0 || cost[0] > cost[1] || cost[1] > cost[2] || cost[2] >= 1e8:
		return wrong(place, "cost.fen_per_mu must be low, middle, high")
	case !(spent[0] >= 0 && spent[0] <= spent[1] && spent[1] <= spent[2] && spent[2] <= 1):
		return wrong(place, "cost.spent must be rising shares up to 1: when sown, at the peak, before the harvest")
	case !c.hasSource(k.Cost.Source):
		return wrong(place, "cost.source must name a source of the file")
	case k.Price.Fen <= 0 || k.Price.Fen > 1e7 || k.Price.Source == "":
		return wrong(place, "price needs fen_per_kg and source")
	}
	if _, err := time.Parse(time.DateOnly, k.Price.Date); err != nil {
		return wrong(place, "price date must be such as 2026-05-31")
	}
	return nil
}

// order turns the windows about the peak: sowing and greening before it, harvest after.
func (cal *Calendar) order(place string) error {
	for i, w := range []Window{cal.Sow, cal.Green, cal.Peak, cal.Harvest} {
		if w.From == w.To {
			name := []string{"sow", "green", "peak", "harvest"}[i]
			return wrong(place, "the calendar needs sow, green, peak and harvest; "+name+" is missing or one day")
		}
	}
	for _, w := range []*Window{&cal.Sow, &cal.Green} {
		for w.From > cal.Peak.From {
			*w = w.plus(-365)
		}
	}
	for cal.Harvest.To < cal.Peak.To {
		cal.Harvest = cal.Harvest.plus(365)
	}
	if cal.Harvest.To-cal.Sow.From > 640 {
		return wrong(place, "from sowing to harvest it is more than a year and three quarters: one of the dates is wrong")
	}
	return nil
}

func (c *Catalogue) checkProvinces() error {
	seen, prefixes := map[string]bool{}, map[string]bool{}
	digits := regexp.MustCompile(`^[0-9]+$`)
	for _, p := range c.provinces {
		place := "province " + p.Code
		switch {
		case len(p.Code) != 2 || !digits.MatchString(p.Code) || seen[p.Code]:
			return wrong(place, "a province needs two digits of GB/T 2260, each once")
		case p.Zh == "" || p.En == "":
			return wrong(place, "both names, zh and en, are needed")
		case len(p.Parts) == 0:
			return wrong(place, "parts are missing")
		}
		seen[p.Code] = true
		rest := false
		for _, a := range p.Parts {
			in := place + ", region " + a.Region
			if !slices.ContainsFunc(c.regions, func(r Region) bool { return r.Code == a.Region }) {
				return wrong(in, "the region is not in the file")
			}
			if !(a.Cropland > 0 && a.Cropland < 1e6) {
				return wrong(in, "cropland_kha is missing")
			}
			if len(a.Counties) == 0 {
				if rest {
					return wrong(in, "only one part may be the rest of the province; give counties to the others")
				}
				rest = true
			}
			for _, prefix := range a.Counties {
				if !digits.MatchString(prefix) || len(prefix) > 6 || !strings.HasPrefix(prefix, p.Code) || len(prefix) < 3 || prefixes[prefix] {
					return wrong(in, "county "+prefix+" must be a code of the province, or its beginning, each once")
				}
				prefixes[prefix] = true
			}
			if err := c.checkShareMap(in, a.Region, a.Shares); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkShares validates the shares of the regions and fills in those of regions
// that have none: the mean over their parts of provinces, by cropland.
func (c *Catalogue) checkShares() error {
	for i := range c.regions {
		r := &c.regions[i]
		if r.Shares != nil {
			if err := c.checkShareMap("region "+r.Code, r.Code, r.Shares); err != nil {
				return err
			}
			continue
		}
		n := 0.0
		r.Shares = map[string]float64{}
		for _, p := range c.provinces {
			for _, a := range p.Parts {
				if a.Region != r.Code {
					continue
				}
				n += a.Cropland
				for code, s := range a.Shares {
					r.Shares[code] += s * a.Cropland
				}
			}
		}
		for code := range r.Shares {
			r.Shares[code] /= n
		}
	}
	return nil
}

// checkShareMap checks that every crop has a calendar in the region and that the
// shares are no more than all the fields.
func (c *Catalogue) checkShareMap(place, region string, shares map[string]float64) error {
	if len(shares) == 0 {
		return wrong(place, "shares are missing")
	}
	sum := 0.0
	for _, code := range slices.Sorted(maps.Keys(shares)) {
		i, ok := c.byCode[code]
		switch {
		case !ok:
			return wrong(place, "the file has no crop "+code)
		case !(shares[code] > 0 && shares[code] <= 1):
			return wrong(place, "the share of "+code+" must be above 0 and up to 1")
		case c.crops[i].PartOnly:
			return wrong(place, code+" is grown only as a part of a rotation")
		case c.Parts(code, region) == nil:
			return wrong(place, code+" has no calendar in the region")
		}
		sum += shares[code]
	}
	if sum > 1.05 {
		return wrong(place, fmt.Sprintf("the shares add up to %.2f", sum))
	}
	return nil
}
