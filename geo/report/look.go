package report

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/geo/zonal"
)

// The quantities measured, in the order of the cells. Of earlier years only the
// first is.
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

// sample measures plots on the scenes between two times that may show one of them.
func (m *Maker) sample(ctx context.Context, shapes []orb.Polygon, from, to time.Time, qs []zonal.Quantity) ([]zonal.ItemSample, error) {
	bounds := make([]orb.Bound, len(shapes))
	for i, p := range shapes {
		bounds[i] = p.Bound()
	}
	items := slices.DeleteFunc(m.cat.Between(from, to), func(it scene.Item) bool {
		return !slices.ContainsFunc(bounds, func(b orb.Bound) bool { return mayShow(it, b) })
	})
	return zonal.Sample(ctx, m.cat, items, shapes, zonal.Spec{Quantities: qs, InnerM: m.inner})
}

// mayShow says whether the item's footprint, where it states one, meets a bound.
func mayShow(it scene.Item, b orb.Bound) bool {
	return len(it.Footprint) == 0 || it.Footprint.Bound().Intersects(b)
}

func optical(it scene.Item) bool { return it.Has("ndvi") || it.Has("nir", "red") }

// shot is what one scene, or several of one day, say of a plot.
type shot struct {
	item  scene.Item
	light bool // optical, not radar
	plot  zonal.PlotSample
	bad   bool // the scene could not be read
}

// shots gives one look of plot k a day, optical and radar apart, by time. Of several
// scenes of a day the one that covers most of the plot counts, then the clearest:
// neighbouring tiles and zones overlap, and a product may be delivered twice. Scenes
// that each show another part of the plot make one look together.
func shots(samples []zonal.ItemSample, k int, bound orb.Bound) []shot {
	type key struct {
		day   int64
		light bool
	}
	var order []key
	days := map[key][]shot{}
	for _, s := range samples {
		h := shot{item: s.Item, light: optical(s.Item), bad: s.Err != nil}
		switch {
		case h.bad && (!h.light || !mayShow(s.Item, bound)):
			continue
		case !h.bad:
			if h.plot = s.Plots[k]; h.plot.Inside == 0 {
				continue
			}
		}
		at := key{s.Item.Time.Unix() / (24 * 3600), h.light}
		if days[at] == nil {
			order = append(order, at)
		}
		days[at] = append(days[at], h)
	}
	out := make([]shot, 0, len(order))
	for _, at := range order {
		out = append(out, oneOf(days[at]))
	}
	slices.SortStableFunc(out, func(a, b shot) int { return a.item.Time.Compare(b.item.Time) })
	return out
}

// apart is how far the parts of a plot in two scenes may sum above the whole plot
// for them to be different parts.
const apart = 0.01

func oneOf(same []shot) shot {
	slices.SortStableFunc(same, func(a, b shot) int {
		if a.bad != b.bad {
			return int(truth(a.bad) - truth(b.bad))
		}
		return cmp.Or(-cmp.Compare(round(a.plot.Inside), round(b.plot.Inside)), -cmp.Compare(round(a.plot.Clear), round(b.plot.Clear)), cmp.Compare(a.item.ID, b.item.ID))
	})
	best := same[0]
	for _, s := range same[1:] {
		if !s.bad && s.item.Collection == best.item.Collection && best.plot.Inside+s.plot.Inside <= 1+apart {
			best.plot = join(best.plot, s.plot)
		}
	}
	return best
}

// join adds the measures of two parts of a plot.
func join(a, b zonal.PlotSample) zonal.PlotSample {
	out := zonal.PlotSample{
		Inside: min(1, a.Inside+b.Inside), Clear: min(1, a.Clear+b.Clear), Snow: a.Snow + b.Snow, Cloud: a.Cloud + b.Cloud,
		Full: a.Full + b.Full, Lost: max(0, a.Lost+b.Lost-1), Cells: make([]zonal.Cell, len(a.Cells)),
	}
	out.NoData = max(0, 1-out.Clear-out.Snow-out.Cloud)
	for i, x := range a.Cells {
		y := b.Cells[i]
		switch {
		case x.Share == 0:
			out.Cells[i] = y
			continue
		case y.Share == 0:
			out.Cells[i] = x
			continue
		}
		w := x.Share / (x.Share + y.Share)
		mean := w*x.Mean + (1-w)*y.Mean
		spread := w*(x.StdDev*x.StdDev+x.Mean*x.Mean) + (1-w)*(y.StdDev*y.StdDev+y.Mean*y.Mean) - mean*mean
		out.Cells[i] = zonal.Cell{Mean: mean, StdDev: math.Sqrt(max(0, spread)), Count: x.Count + y.Count, Share: min(1, x.Share+y.Share)}
	}
	return out
}

// see gathers the looks at plot k, fills the observations of the report, and its
// reason where the plot is too small for the pixels.
func (m *Maker) see(d *draft, samples []zonal.ItemSample, k int) {
	bound := d.plot.Polygon.Bound()
	for _, s := range samples {
		if s.Err == nil && s.Plots[k].Inside > 0 {
			d.Scenes = append(d.Scenes, s.Item.ID)
		}
	}
	lost := 1.0
	for _, h := range shots(samples, k, bound) {
		s := h.sight()
		d.ev.Sights = append(d.ev.Sights, s)
		if !h.bad && !slices.Contains(d.Sources, h.item.Collection) {
			d.Sources = append(d.Sources, h.item.Collection)
		}
		if !h.light {
			continue
		}
		if !h.bad && h.plot.Full >= d.FullPixels {
			d.FullPixels, lost = h.plot.Full, h.plot.Lost
		}
		d.Observations = append(d.Observations, s.Observation)
		d.TotalDates++
		if s.Valid {
			d.ClearDates++
			d.LastClear = &d.Observations[len(d.Observations)-1].Date
		}
	}
	// Without its edge a narrow plot has nothing left that a scene could show.
	narrow := m.inner > 0 && slices.ContainsFunc(samples, func(s zonal.ItemSample) bool { return optical(s.Item) && mayShow(s.Item, bound) })
	switch {
	case len(d.Sources) == 0 && narrow:
		d.Reason = FewPixels
	case len(d.Sources) == 0 || d.TotalDates == 0:
		d.Reason = NoScenes
	case d.FullPixels < minFull:
		d.Reason = FewPixels
	case lost > maxLost:
		d.Reason = Edges
	}
}

// looks gives the optical looks at plot k.
func looks(samples []zonal.ItemSample, k int, bound orb.Bound) []series.Sight {
	var out []series.Sight
	for _, h := range shots(samples, k, bound) {
		if h.light {
			out = append(out, h.sight())
		}
	}
	return out
}

// sight turns a shot into a look. A value that was not measured is NaN.
func (h shot) sight() series.Sight {
	mean := func(q int) float64 {
		if q >= len(h.plot.Cells) {
			return math.NaN()
		}
		return h.plot.Cells[q].Mean
	}
	o := geo.Observation{Date: h.item.Time, Scene: h.item.ID}
	switch {
	case h.bad:
		o.Reason = "missing_scene"
	case !h.light:
		o.Reason = "radar"
	default:
		h.observe(&o)
	}
	return series.Sight{
		Observation: o, Water: mean(water), Moisture: mean(moisture), Yellow: mean(yellow),
		VV: mean(vv), VH: mean(vh), Bare: mean(bare),
	}
}

// observe makes the look valid when enough of the plot is clear, or says what hid it.
func (h shot) observe(o *geo.Observation) {
	p := h.plot
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
}
