// Package report makes the satellite evidence of plots: it measures them on the
// scenes of a season, draws the curve, names the crop, finds hazards and values
// the harvest. [Maker.HTML] shows a report on one page.
//
// Every plot that goes in comes out, in its place. Where nothing can be said the
// report is Unknown and its reason says why.
package report

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/hazard"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/geo/worth"
	"github.com/furrowcredit/furrow/geo/zonal"
)

// Reasons of a report that is Unknown or of low confidence. Those of the crop
// (crop.FewDates and its like) stand beside them; several are joined by commas.
// Texts for people are in the text folder.
const (
	NoScenes  = "no_scenes"   // no scene of the season shows the plot
	FewPixels = "few_pixels"  // fewer than 8 pixels lie wholly inside
	Edges     = "edge_pixels" // more than 60 % of the plot lies in pixels shared with neighbours
	Boundary  = "boundary"    // the boundary is no polygon on the earth
	SmallPlot = "small_plot"  // under 7.5 mu
	Doubtful  = "doubtful"    // the crop is likely, not sure
	Clouded   = "clouded"     // fewer than 10 clear dates
)

const (
	// JRC/IWEPS (Remote Sensing 2020, 12, 2195): reliable with at least 8 full
	// pixels and under 60 % of the pixels lost at the edge; under 0.5 ha often not.
	minFull     = 8
	maxLost     = 0.6
	smallM2     = 7.5 * geo.M2PerMu
	smallFactor = 0.8
	minCoverage = 0.4 // clear share of a plot that makes an observation
	sureFrom    = 0.6
	fewDates    = 10
	curveStep   = 5 // days between points of the curve
	bareNDVI    = 0.3
)

// Maker makes reports. It is safe for concurrent use.
type Maker struct {
	cat   *scene.Catalogue
	crops *crop.Catalogue
	now   func() time.Time
}

// New returns a Maker that reads the scenes of cat.
func New(cat *scene.Catalogue, crops *crop.Catalogue, now func() time.Time) *Maker {
	return &Maker{cat: cat, crops: crops, now: now}
}

// The quantities measured, in the order of the cells.
const (
	ndvi = iota
	water
	moisture
	yellow
	vv
	vh
	bare
)

func quantities() []zonal.Quantity {
	return []zonal.Quantity{
		ndvi: zonal.NDVI(),
		water: {Name: "water", Forms: []zonal.Form{
			{Bands: []string{"green", "swir16", "nir"}, Of: func(v []float64) float64 {
				return truth(index(v[0], v[1]) > 0.1 && v[2] < 0.2)
			}},
			{Bands: []string{"green", "nir"}, Of: func(v []float64) float64 { return truth(index(v[0], v[1]) > 0.05) }},
		}},
		moisture: zonal.NDMI(),
		yellow:   zonal.Difference("ndyi", "green", "blue"),
		vv:       zonal.Band("vv"),
		vh:       zonal.Band("vh"),
		bare: {Name: "bare", Forms: []zonal.Form{
			{Bands: []string{"nir", "red"}, Of: func(v []float64) float64 { return truth(index(v[0], v[1]) < bareNDVI) }},
			{Bands: []string{"ndvi"}, Of: func(v []float64) float64 { return truth(v[0] < bareNDVI) }},
		}},
	}
}

func index(a, b float64) float64 { return (a - b) / (a + b) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Make reports on plots for a season, one report a plot in their order. Plots of
// one crop serve as each other's measure for drought, so pass a neighbourhood
// together. A plot that cannot be judged is Unknown with a reason; the error is
// that of ctx or of the machine.
func (m *Maker) Make(ctx context.Context, plots []geo.Plot, season geo.Season) ([]geo.CropReport, error) {
	reports := make([]geo.CropReport, len(plots))
	var good []int
	var shapes []orb.Polygon
	for i, p := range plots {
		reports[i] = m.blank(p, season)
		if !onEarth(p.Polygon) {
			reports[i].Reason = Boundary
			continue
		}
		if reports[i].AreaM2 == 0 {
			reports[i].AreaM2 = geo.AreaM2(p.Polygon)
			reports[i].Mu = reports[i].AreaM2 / geo.M2PerMu
		}
		good = append(good, i)
		shapes = append(shapes, p.Polygon)
	}
	items := m.cat.Between(season.Start, season.End)
	samples, err := zonal.Sample(ctx, m.cat, items, shapes, zonal.Spec{Quantities: quantities()})
	if err != nil {
		return nil, err
	}
	evidence := make([]hazard.Plot, len(good))
	regions := make([]crop.Region, len(good))
	for k, i := range good {
		p, r := plots[i], &reports[i]
		regions[k], _ = m.crops.Region(p.Region, p.Polygon.Bound().Center())
		sights := m.look(samples, k, r)
		evidence[k] = hazard.Plot{
			Sights:   sights,
			Answer:   m.crops.Classify(crop.Evidence{Region: regions[k].Code, Start: season.Start, End: season.End, Sights: sights}),
			Crop:     p.Crop,
			Declared: m.crops.Parts(p.Crop, regions[k].Code),
		}
		if r.Reason != "" { // too small to be judged: no crop, and no peer of others
			evidence[k].Answer.Crop, evidence[k].Answer.Matches, evidence[k].Crop, evidence[k].Declared = "", nil, "", nil
		}
	}
	found := hazard.Find(evidence)
	for k, i := range good {
		m.conclude(&reports[i], regions[k], evidence[k], found[k])
	}
	return reports, nil
}

func (m *Maker) blank(p geo.Plot, season geo.Season) geo.CropReport {
	return geo.CropReport{
		PlotID: p.ID, Season: season, Status: geo.Unknown, AreaM2: p.AreaM2, Mu: p.Mu(), Declared: p.Crop,
		Guesses: []geo.CropGuess{}, Observations: []geo.Observation{}, Curve: []geo.SmoothPoint{},
		Hazards: []geo.Hazard{}, Sources: []string{}, Method: crop.Method, MadeAt: m.now().UTC(),
	}
}

func onEarth(p orb.Polygon) bool {
	if len(p) == 0 {
		return false
	}
	for _, ring := range p {
		if len(ring) < 4 {
			return false
		}
		for _, q := range ring {
			if !(math.Abs(q[0]) <= 180 && math.Abs(q[1]) <= 85) {
				return false
			}
		}
	}
	return true
}

// look gathers what the scenes say of plot k, fills the observations of the
// report, and its reason where the plot is too small for the pixels.
func (m *Maker) look(samples []zonal.ItemSample, k int, r *geo.CropReport) []series.Sight {
	var sights []series.Sight
	pixelM2 := math.Inf(1)
	for _, s := range samples {
		optical := s.Item.Has("ndvi") || s.Item.Has("nir", "red")
		if s.Err != nil {
			if optical {
				sights = append(sights, unseen(s.Item, "missing_scene"))
			}
			continue
		}
		p := s.Plots[k]
		if p.Inside == 0 {
			continue
		}
		if optical && p.Full >= r.FullPixels {
			r.FullPixels = p.Full
			pixelM2 = r.AreaM2 * p.Inside / pixelsOf(p, r.AreaM2, s.Item.Grid)
		}
		sight := unseen(s.Item, "radar")
		if optical {
			sight.Observation = observe(s.Item, p)
		}
		sight.Water, sight.Moisture, sight.Yellow = p.Cells[water].Mean, p.Cells[moisture].Mean, p.Cells[yellow].Mean
		sight.VV, sight.VH, sight.Bare = p.Cells[vv].Mean, p.Cells[vh].Mean, p.Cells[bare].Mean
		sights = append(sights, sight)
		if !slices.Contains(r.Sources, s.Item.Collection) {
			r.Sources = append(r.Sources, s.Item.Collection)
		}
	}
	for _, s := range sights {
		if s.Reason == "radar" {
			continue
		}
		r.Observations = append(r.Observations, s.Observation)
		r.TotalDates++
		if s.Valid {
			r.ClearDates++
			r.LastClear = &r.Observations[len(r.Observations)-1].Date
		}
	}
	switch lost := 1 - float64(r.FullPixels)*pixelM2/r.AreaM2; {
	case len(r.Sources) == 0 || r.TotalDates == 0:
		r.Reason = NoScenes
	case r.FullPixels < minFull:
		r.Reason = FewPixels
	case lost > maxLost:
		r.Reason = Edges
	}
	return sights
}

// observe turns a sample into an observation: valid when enough of the plot is clear.
func observe(it scene.Item, p zonal.PlotSample) geo.Observation {
	o := unseen(it, "").Observation
	o.Coverage = round(p.Cells[ndvi].Share)
	switch {
	case o.Coverage >= minCoverage:
		o.Valid = true
		o.NDVI, o.StdDev = round(p.Cells[ndvi].Mean), round(p.Cells[ndvi].StdDev)
	case p.NoData >= p.Cloud && p.NoData >= p.Snow:
		o.Reason = "nodata"
	case p.Snow > p.Cloud:
		o.Reason = "snow"
	default:
		o.Reason = "cloud"
	}
	return o
}

func unseen(it scene.Item, why string) series.Sight {
	nan := math.NaN()
	return series.Sight{
		Observation: geo.Observation{Date: it.Time, Scene: it.ID, Reason: why},
		Water:       nan, Moisture: nan, Yellow: nan, VV: nan, VH: nan, Bare: nan,
	}
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// conclude fills what follows from crop and hazards.
func (m *Maker) conclude(r *geo.CropReport, region crop.Region, ev hazard.Plot, found []geo.Hazard) {
	a := ev.Answer
	if a.Curve != nil {
		r.Curve = a.Curve.Points(curveStep)
		r.Phenology = series.Phenology(a.Seasons)
		r.Phenology.PeakNDVI = round(r.Phenology.PeakNDVI)
	}
	if r.Reason != "" {
		return
	}
	if len(found) > 0 {
		r.Hazards = found
	}
	if a.Guesses != nil {
		r.Guesses = a.Guesses
	}
	if a.Crop == "" {
		r.Reason = a.Unsure
		return
	}
	r.Status, r.Crop, r.Confidence = geo.Known, a.Crop, a.Confidence
	var why []string
	if r.AreaM2 < smallM2 {
		why = append(why, SmallPlot)
		r.Confidence = round(r.Confidence * smallFactor)
	}
	if r.ClearDates < fewDates {
		why = append(why, Clouded)
	}
	if r.Confidence < sureFrom {
		why = append(why, Doubtful)
	}
	if len(why) > 0 {
		r.Status, r.Reason = geo.LowConfidence, strings.Join(why, ",")
	}
	if len(a.Matches) == 0 {
		return
	}
	// The harvest in question is the latest one whose peak was seen.
	main := slices.MaxFunc(a.Matches, func(x, y crop.Match) int { return x.Season.Peak.Compare(*y.Season.Peak) })
	r.Vigour = round(main.Season.PeakNDVI / ((main.Part.PeakNDVI[0] + main.Part.PeakNDVI[1]) / 2))
	if !region.Prices {
		return
	}
	var felt []geo.Hazard
	for _, h := range r.Hazards {
		if h.End.After(main.Season.Peak.AddDate(0, -3, 0)) {
			felt = append(felt, h)
		}
	}
	if w, ok := worth.Value(main.Part.Crop, r.AreaM2, r.Vigour, felt); ok {
		r.Worth = &w
	}
}

// pixelsOf is the plot's part in the scene counted in pixels, from the cells that
// hold data or, without any, from the grid.
func pixelsOf(p zonal.PlotSample, areaM2 float64, g scene.Grid) float64 {
	for _, c := range p.Cells {
		if c.Share > 0 {
			return c.Count / c.Share * p.Inside
		}
	}
	return areaM2 * p.Inside / max(g.PixelM2(), 1)
}
