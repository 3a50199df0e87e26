package report

import (
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
)

const (
	claimSlack   = 1.05 // a boundary drawn on a phone errs by some metres
	plantedDays  = 25   // on either side of the peak; then a sown part covers its soil
	plantedLooks = 2
	partPlanted  = 0.8 // paths, ditches and graves take up to a fifth

	// A crop is called another one only when that is beyond doubt: it is an accusation.
	surely   = 0.8
	unlikely = 0.05 // of the declared crop

	// All year is at least 300 days and 12 looks without a long gap: winter wheat and
	// rice after it may stay green but for six weeks.
	yearDays   = 300
	yearLooks  = 12
	wetGap     = 60
	landGap    = 45
	wetShare   = 0.5  // of the plot under water
	evergreen  = 0.5  // NDVI that no field which is ploughed once a year keeps
	everLeast  = 0.45 // not even on one day
	barrenNDVI = 0.2  // below even the weeds of fallow land
	barrenMost = 0.3
	rare       = 0.1 // part of the looks that may be otherwise: missed clouds, a rain puddle
)

// checkArea holds what is claimed of the plot against what was seen.
func (m *Maker) checkArea(d *draft) geo.AreaCheck {
	c := geo.AreaCheck{ClaimedMu: round(d.plot.ClaimedM2 / geo.M2PerMu), Findings: []geo.AreaFinding{}}
	if d.plot.ClaimedM2 > claimSlack*d.AreaM2 {
		c.Findings = append(c.Findings, geo.ClaimedMore)
	}
	if d.Growth == nil || d.ev.Answer.Curve == nil { // too small for its pixels, or hardly seen
		return c
	}
	if kind, all := allYear(d.ev.Sights); all && m.notCropland(d, kind) {
		c.Findings = append(c.Findings, geo.NotCropland)
		return c
	}
	c.PlantedShare, c.Known = planted(d)
	c.PlantedMu = round(c.PlantedShare * d.Mu)
	if c.Known && c.PlantedShare < partPlanted {
		c.Findings = append(c.Findings, geo.PartPlanted)
	}
	if d.Status != geo.Unknown && d.Doubts() == 0 && d.Confidence >= surely && d.Crop != crop.Fallow && m.otherCrop(d.Declared, d.Crop) && m.chance(d) < unlikely {
		c.Findings = append(c.Findings, geo.WrongCrop)
	}
	return c
}

// planted is the share of the plot that was green when its crop stood fullest: the
// middle of the looks of those weeks. The second answer is false where too few saw it,
// or only a roof.
func planted(d *draft) (float64, bool) {
	peak := d.Phenology.Peak
	if d.harvest != nil {
		peak = d.harvest.match.Season.Peak
	}
	if peak == nil || d.harvest != nil && d.harvest.match.Part.Kind == crop.Covered {
		return 0, false
	}
	var v []float64
	for _, s := range d.ev.Sights {
		if s.Valid && !math.IsNaN(s.Bare) && math.Abs(s.Date.Sub(*peak).Hours()) <= plantedDays*24 {
			v = append(v, 1-s.Bare)
		}
	}
	if len(v) < plantedLooks {
		return 0, false
	}
	slices.Sort(v)
	return round(v[len(v)/2]), true
}

// land is what covers a plot all the year.
type land int

const (
	trees land = iota
	openWater
	barren
)

// allYear says whether the plot looked alike at nearly every look of a whole year:
// green as trees, under water, or without any plant.
func allYear(sights []series.Sight) (land, bool) {
	var green, wet, bare, n, gap float64
	least, most := math.Inf(1), math.Inf(-1)
	var last, first time.Time
	for _, s := range sights {
		if !s.Valid {
			continue
		}
		if n == 0 {
			first = s.Date
		} else {
			gap = max(gap, s.Date.Sub(last).Hours()/24)
		}
		last = s.Date
		n++
		least, most = min(least, s.NDVI), max(most, s.NDVI)
		green += truth(s.NDVI >= evergreen)
		wet += truth(s.Water >= wetShare)
		bare += truth(s.NDVI < barrenNDVI)
	}
	nearly := (1 - rare) * n
	switch {
	case n < yearLooks || last.Sub(first).Hours() < yearDays*24 || gap > wetGap:
		return 0, false
	case wet >= nearly:
		return openWater, true
	case gap > landGap:
		return 0, false
	case green >= nearly && least >= everLeast:
		return trees, true
	case bare >= nearly && most < barrenMost:
		return barren, true
	}
	return 0, false
}

// chance is the probability that the declared crop grows, alone or in a rotation.
func (m *Maker) chance(d *draft) float64 {
	var p float64
	for _, g := range d.ev.Answer.Guesses {
		if !m.otherCrop(d.Declared, g.Crop) {
			p += g.Probability
		}
	}
	return p
}

// notCropland says whether land that is alike all year belies what is claimed of it.
// Water is no field, whatever is declared. Trees and bare ground are none for a crop
// that is sown and cut; for tea, citrus or a greenhouse they prove nothing.
func (m *Maker) notCropland(d *draft, l land) bool {
	if l == openWater {
		return true
	}
	parts := d.ev.Declared
	if len(parts) == 0 {
		return false
	}
	for _, p := range parts {
		if p.Kind != crop.Annual {
			return false
		}
	}
	return true
}

// otherCrop says whether two crops have nothing in common. A rotation has its parts,
// and crops of one group are alike to a satellite: rice after wheat and single rice,
// apples and an orchard of any kind.
func (m *Maker) otherCrop(declared, seen string) bool {
	if declared == "" || declared == seen {
		return false
	}
	a, b := m.groups(declared), m.groups(seen)
	return !slices.ContainsFunc(a, func(group string) bool { return slices.Contains(b, group) })
}

// groups are those of the single crops of a code; a code of a model's own is one.
func (m *Maker) groups(code string) []string {
	k, err := m.crops.Crop(code)
	if err != nil {
		return []string{code}
	}
	if len(k.Parts) == 0 {
		return []string{k.Group}
	}
	var out []string
	for _, p := range k.Parts {
		out = append(out, m.groups(p)...)
	}
	return out
}
