// Package boundary suggests the outline of the field that a person points at, from
// one season of satellite images.
//
// The land around the place is divided by region merging on the season's images
// (segment.go); the piece that holds the place is outlined to a part of a pixel
// (outline.go) and checked as any drawn plot is. Nothing is learned from samples:
// what counts as an edge follows from how alike neighbouring pixels are on these
// images. Where no answer can be trusted, the error says why, and the person draws.
package boundary

import (
	"context"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
)

// Why there may be no suggestion.
var (
	ErrOutside = fault.New(fault.NotFound, "boundary.outside", "no satellite image of the season shows this place; draw the boundary by hand")
	ErrCloud   = fault.New(fault.NotFound, "boundary.cloud", "only {n} images of the season are clear here, {want} are needed; draw the boundary by hand")
	ErrBare    = fault.New(fault.NotFound, "boundary.bare", "nothing grew here in the season: this looks like a road, a building or water; point at the middle of the field")
	ErrSmall   = fault.New(fault.NotFound, "boundary.too_small", "the piece of land around this place is too small for the images; draw the boundary by hand")
	ErrOpen    = fault.New(fault.NotFound, "boundary.open", "no clear edge surrounds this place: the neighbours look alike; draw the boundary by hand")
	ErrPlace   = fault.New(fault.Invalid, "boundary.place", "point at a place: longitude and latitude in degrees (WGS84)")
)

// What the images must give.
const (
	reach     = 400.0 // m of land seen on each side of the place
	minDates  = 4     // looks at the place; fewer do not tell fields apart
	maxDates  = 16    // more looks add little and take time
	minClear  = 0.8   // share of the land that is clear on a date that is used
	minPixels = 8     // whole pixels that a field needs (geo.CropReport)
	growing   = 0.3   // NDVI that something growing reaches in its season
)

// Suggestion is the outline of a field as the images show it.
type Suggestion struct {
	Polygon    orb.Polygon `json:"polygon"` // coordinates of a GeoJSON polygon, WGS84
	AreaM2     float64     `json:"area_m2"`
	Mu         float64     `json:"mu"`
	Confidence float64     `json:"confidence"` // 0..1: how clearly the field stands out all around
	Dates      []time.Time `json:"dates"`      // of the images it was seen on
	Unreadable []string    `json:"unreadable"` // scenes whose files cannot be read
}

// Finder suggests boundaries from a catalogue. It is safe for concurrent use.
type Finder struct {
	scenes func() *scene.Catalogue
	slots  chan struct{} // each suggestion keeps the cores busy: more at once gain nothing
}

// New makes a finder; scenes gives the catalogue of the moment.
func New(scenes func() *scene.Catalogue) *Finder {
	return &Finder{scenes, make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Suggest outlines the field at a place by the images of a season. Without a
// trustworthy outline it returns [ErrOutside], [ErrCloud], [ErrBare], [ErrSmall] or
// [ErrOpen]; [ErrPlace] when at is no place on the earth.
func (f *Finder) Suggest(ctx context.Context, at orb.Point, season geo.Season) (Suggestion, error) {
	if !(math.Abs(at[0]) <= 180 && math.Abs(at[1]) <= 90) { // NaN fails too
		return Suggestion{}, ErrPlace
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return Suggestion{}, ctx.Err()
	}
	cat := f.scenes()
	items := around(cat, at, season)
	if len(items) == 0 {
		return Suggestion{}, ErrOutside
	}
	v, err := look(ctx, cat, items, at)
	if err != nil {
		return Suggestion{}, err
	}
	if v.peak(v.tap) < growing {
		return Suggestion{}, ErrBare
	}
	return v.suggest()
}

// around are the images that show the place, all on one grid: the finest, and of
// several the one with the most images.
func around(cat *scene.Catalogue, at orb.Point, season geo.Season) []scene.Item {
	grids := map[scene.Grid][]scene.Item{}
	for _, it := range cat.Between(season.Start, season.End) {
		if (it.Has("red", "nir") || it.Has("ndvi")) && planar.PolygonContains(it.Footprint, at) {
			grids[it.Grid] = append(grids[it.Grid], it)
		}
	}
	var best []scene.Item
	for _, items := range grids {
		if best == nil {
			best = items
			continue
		}
		a, b := metres(items[0].Grid), metres(best[0].Grid)
		switch {
		case a < b*0.99, a < b*1.01 && len(items) > len(best),
			a < b*1.01 && len(items) == len(best) && items[0].ID < best[0].ID:
			best = items
		}
	}
	return best
}

// metres is the side of a pixel on the ground.
func metres(g scene.Grid) float64 {
	w, h, err := g.PixelMetres()
	if err != nil {
		return math.Inf(1)
	}
	return math.Sqrt(w * h)
}

// suggest outlines the piece of land at the tapped pixel.
func (v *view) suggest() (Suggestion, error) {
	piece, confidence, err := v.segment()
	if err != nil {
		return Suggestion{}, err
	}
	ring, err := v.outline(piece)
	if err != nil {
		return Suggestion{}, err
	}
	valid, err := geo.ValidatePolygon(ring)
	if err != nil {
		return Suggestion{}, ErrOpen.Because(err)
	}
	if !planar.PolygonContains(valid, v.at) {
		return Suggestion{}, ErrOpen // the place lies on the edge itself
	}
	m2 := geo.AreaM2(valid)
	dates := slices.Clone(v.dates)
	slices.SortFunc(dates, time.Time.Compare)
	return Suggestion{Polygon: valid, AreaM2: m2, Mu: m2 / geo.M2PerMu, Confidence: confidence, Dates: dates, Unreadable: v.unreadable}, nil
}
