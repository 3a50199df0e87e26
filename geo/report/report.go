// Package report makes the satellite evidence of plots: it measures them on the
// scenes of a season, draws the curve, names the crop, grades its growth, finds
// hazards, checks what is claimed and values the harvest. [Maker.HTML] shows a
// report on one page.
//
// Every plot that goes in comes out, in its place. Where nothing can be said the
// report is Unknown and its reason says why.
package report

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/growth"
	"github.com/furrowcredit/furrow/geo/hazard"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/geo/tile"
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
	RulesOnly = geo.RulesOnly // no trained model was made for this place: calendar and curve answered
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

// Classifier names the crop of a plot by what it learnt from samples: *model.Model.
type Classifier interface {
	// Covers says whether the model may be used at a place.
	Covers(at orb.Point) bool
	// Classify gives the likely crops, most probable first, or why it cannot tell.
	Classify(sights []series.Sight, start, end time.Time) (guesses []geo.CropGuess, unsure string, err error)
}

// Maker makes reports. It is safe for concurrent use.
type Maker struct {
	cat   *scene.Catalogue
	crops *crop.Catalogue
	now   func() time.Time
	tiles *tile.Renderer
	model Classifier // nil without one
	name  string     // of the model
	inner float64    // metres
}

// Option changes how reports are made.
type Option func(*Maker)

// WithModel lets a trained model name the crop where it covers the plot; reports
// carry its name and version as their method. Where none covers, the rules answer
// with low confidence and say so.
func WithModel(name string, c Classifier) Option {
	return func(m *Maker) { m.model, m.name = c, name }
}

// WithInner leaves out the outermost metres of every plot, whose pixels are shared
// with neighbours; 0 measures the whole plot with exact coverage.
func WithInner(metres float64) Option { return func(m *Maker) { m.inner = metres } }

// New returns a Maker that reads the scenes of cat.
func New(cat *scene.Catalogue, crops *crop.Catalogue, now func() time.Time, options ...Option) *Maker {
	m := &Maker{cat: cat, crops: crops, now: now, tiles: tile.New(tile.Config{Scenes: cat, Now: now})}
	for _, o := range options {
		o(m)
	}
	return m
}

// draft is a report in the making, with what it rests on.
type draft struct {
	*geo.CropReport
	plot    geo.Plot
	region  crop.Region
	ev      hazard.Plot
	harvest *harvest // nil when none was seen
}

// Make reports on plots for a season, one report a plot in their order. Plots of
// one crop serve as each other's measure for growth, worth and drought, so pass a
// neighbourhood together. A plot that cannot be judged is Unknown with a reason; the
// error is that of ctx, of the model or of the machine.
func (m *Maker) Make(ctx context.Context, plots []geo.Plot, season geo.Season) ([]geo.CropReport, error) {
	reports := make([]geo.CropReport, len(plots))
	var drafts []*draft
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
		region, _ := m.crops.Region(p.Region, p.Polygon.Bound().Center())
		drafts = append(drafts, &draft{CropReport: &reports[i], plot: p, region: region})
		shapes = append(shapes, p.Polygon)
	}
	samples, err := m.sample(ctx, shapes, season.Start, season.End, quantities())
	if err != nil {
		return nil, err
	}
	past, err := m.sample(ctx, shapes, season.Start.AddDate(-historyYears, 0, 0), season.Start.Add(-1), quantities()[:1])
	if err != nil {
		return nil, err
	}
	for k, d := range drafts {
		m.see(d, samples, k)
		d.ev.History = looks(past, k, shapes[k].Bound())
		if err := m.recognise(d); err != nil {
			return nil, err
		}
	}
	evidence := make([]hazard.Plot, len(drafts))
	fields := make([]growth.Field, len(drafts))
	for k, d := range drafts {
		evidence[k], fields[k] = d.ev, m.field(d)
	}
	found, grown := hazard.Find(evidence), growth.Compare(fields)
	for k, d := range drafts {
		m.conclude(d, found[k], grown[k])
	}
	m.value(drafts)
	return reports, nil
}

func (m *Maker) blank(p geo.Plot, season geo.Season) geo.CropReport {
	return geo.CropReport{
		PlotID: p.ID, Season: season, Status: geo.Unknown, AreaM2: p.AreaM2, Mu: p.Mu(), Declared: p.Crop,
		Guesses: []geo.CropGuess{}, Observations: []geo.Observation{}, Curve: []geo.SmoothPoint{},
		Hazards: []geo.Hazard{}, Sources: []string{}, Scenes: []string{}, Method: crop.Method, MadeAt: m.now().UTC(),
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

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// recognise names the crop: by the model where it covers the plot, else by the
// rules, which give seasons and matches in any case.
func (m *Maker) recognise(d *draft) error {
	ev := crop.Evidence{Region: d.region.Code, County: d.plot.Region, Start: d.Season.Start, End: d.Season.End, Sights: d.ev.Sights}
	a := m.crops.Classify(ev)
	if m.model != nil && d.Reason == "" && m.model.Covers(d.plot.Polygon.Bound().Center()) {
		if err := m.learned(d, ev, &a); err != nil {
			return err
		}
	}
	d.ev.Answer, d.ev.Crop, d.ev.Declared = a, d.plot.Crop, m.crops.Parts(d.plot.Crop, d.region.Code)
	if d.Reason != "" { // too small to be judged: no crop, and no peer of others
		d.ev.Answer.Crop, d.ev.Answer.Matches, d.ev.Crop, d.ev.Declared = "", nil, "", nil
	}
	return nil
}

// learned puts the model's answer over that of the rules. Scenes without the bands that
// the model wants, or a model without a calendar, leave it to them, as if it did not
// cover the place.
func (m *Maker) learned(d *draft, ev crop.Evidence, a *crop.Answer) error {
	guesses, unsure, err := m.model.Classify(d.ev.Sights, ev.Start, ev.End)
	switch {
	case errors.Is(err, model.ErrBands) || errors.Is(err, model.ErrSeason):
		return nil
	case err != nil:
		return err
	}
	d.Method = m.name
	a.Guesses, a.Unsure = likely(guesses), unsure
	if unsure != "" || len(guesses) == 0 {
		a.Crop, a.Confidence, a.Matches = "", 0, nil
		return nil
	}
	if guesses[0].Crop != a.Crop {
		a.Matches = m.crops.Match(ev, guesses[0].Crop)
	}
	a.Crop, a.Confidence = guesses[0].Crop, guesses[0].Probability
	return nil
}

// likely cuts the candidates to those worth showing.
func likely(guesses []geo.CropGuess) []geo.CropGuess {
	const most, least = 5, 0.005
	out := make([]geo.CropGuess, 0, most)
	for _, g := range guesses {
		if len(out) < most && g.Probability >= least {
			out = append(out, g)
		}
	}
	return out
}

// field is the plot as growth compares it.
func (m *Maker) field(d *draft) growth.Field {
	f := growth.Field{Region: d.plot.Region, Crop: d.ev.Answer.Crop, Curve: d.ev.Answer.Curve, Sights: d.ev.Sights}
	if f.Crop == crop.Fallow {
		f.Crop = ""
	}
	if k, err := m.crops.Crop(f.Crop); err == nil {
		f.OwnTimes = k.Kind == crop.Cycles || k.Kind == crop.Covered
	}
	return f
}

// conclude fills what follows from crop, hazards and peers, but for the worth.
func (m *Maker) conclude(d *draft, found []geo.Hazard, grown geo.Growth) {
	a := d.ev.Answer
	if a.Curve != nil {
		d.Curve = a.Curve.Points(curveStep)
		d.Phenology = series.Phenology(a.Seasons)
		d.Phenology.PeakNDVI = round(d.Phenology.PeakNDVI)
	}
	if d.Reason == "" {
		d.Growth = &grown
		if len(found) > 0 {
			d.Hazards = found
		}
		if a.Guesses != nil {
			d.Guesses = a.Guesses
		}
		m.judge(d)
		d.harvest = latest(d)
		d.Phenology = timing(d.Phenology, d.harvest)
		m.past(d)
	}
	check := m.checkArea(d)
	d.Area = &check
}

// judge sets status, crop and confidence, with the reasons of doubt.
func (m *Maker) judge(d *draft) {
	a := d.ev.Answer
	if a.Crop == "" {
		d.Reason = a.Unsure
		return
	}
	d.Status, d.Crop, d.Confidence = geo.Known, a.Crop, a.Confidence
	var why []string
	if d.AreaM2 < smallM2 {
		why = append(why, SmallPlot)
		d.Confidence = round(d.Confidence * smallFactor)
	}
	if d.Method == crop.Method {
		why = append(why, RulesOnly)
	}
	if d.ClearDates < fewDates {
		why = append(why, Clouded)
	}
	if d.Confidence < sureFrom {
		why = append(why, Doubtful)
	}
	if len(why) > 0 {
		d.Status, d.Reason = geo.LowConfidence, strings.Join(why, ",")
	}
}
