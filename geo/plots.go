package geo

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with a plot.
var (
	ErrPlotNotFound = fault.New(fault.NotFound, "plot.not_found", "there is no such plot")
	ErrSelfCrossing = fault.New(fault.Invalid, "plot.self_crossing", "the boundary crosses itself near {at}; draw it again without a knot")
	ErrRing         = fault.New(fault.Invalid, "plot.ring", "a plot needs at least three different corners and a closed boundary")
	ErrTooSmall     = fault.New(fault.Invalid, "plot.too_small", "the plot has {m2} m²; the smallest that can be registered is {min} m²")
	ErrTooLarge     = fault.New(fault.Invalid, "plot.too_large", "the plot has {mu} mu; the largest that can be registered is {max} mu")
	ErrHole         = fault.New(fault.Invalid, "plot.hole", "the hole near {at} does not lie inside the boundary; draw it within, or leave it out")
	ErrCorners      = fault.New(fault.Invalid, "plot.corners", "the boundary has more than {max} corners; simplify it")
	ErrDuplicate    = fault.New(fault.Conflict, "plot.duplicate", "the holder has registered this plot already, as {name}")
	ErrCoordinates  = fault.New(fault.Invalid, "plot.coordinates", "coordinates must be longitude and latitude in degrees (WGS84), got {at}")
	ErrPlotExists   = fault.New(fault.Conflict, "plot.exists", "there is a plot with this id already")
	ErrReportAbsent = fault.New(fault.NotFound, "plot.no_report", "the satellite report of this plot is not ready yet")
)

// Overlap is the part that a plot shares with another one.
type Overlap struct {
	PlotID string  `json:"plot_id"`
	Share  float64 `json:"share"` // of the smaller of the two
	M2     float64 `json:"m2"`
}

// PlotFilter selects plots; zero fields do not restrict.
type PlotFilter struct {
	OwnerID string
	Bound   *orb.Bound // plots whose bounding box meets it
	After   string     // keyset: ids greater than this
	Limit   int        // 0 means 100; at most 1000
}

// Store keeps plots and their reports. Implemented in store/plot.
type Store interface {
	// AddPlot saves p; fault.Conflict when the id is taken.
	AddPlot(ctx context.Context, p Plot) error
	// Plot returns ErrPlotNotFound when the tenant has none of that id.
	Plot(ctx context.Context, tenant, id string) (Plot, error)
	// Plots returns plots in id order.
	Plots(ctx context.Context, tenant string, f PlotFilter) ([]Plot, error)
	// SaveReport keeps r as the newest report of its plot; older ones stay.
	SaveReport(ctx context.Context, tenant string, r CropReport) error
	// LatestReport returns ErrReportAbsent when there is none.
	LatestReport(ctx context.Context, tenant, plotID string) (CropReport, error)
	// LatestReports returns the newest report of each plot that has one, by plot id.
	LatestReports(ctx context.Context, tenant string, plotIDs []string) (map[string]CropReport, error)
}

// sameShare is the part of each other that two drawings of one field share at the
// least: hands differ by a metre or two along the edges.
const sameShare = 0.99

// PlotCheck is what a drawn boundary came to, before it is registered.
type PlotCheck struct {
	Polygon    orb.Polygon `json:"polygon"` // as it would be stored
	AreaM2     float64     `json:"area_m2"`
	Mu         float64     `json:"mu"`
	PerimeterM float64     `json:"perimeter_m"`
	Overlaps   []Overlap   `json:"overlaps"`
}

// Plots is the register of plots.
type Plots struct {
	Store Store
	Now   func() time.Time
}

// Check validates a boundary and measures it, with the registered plots of the
// tenant that it overlaps. Errors are those of [ValidatePolygon] and of the store.
func (s *Plots) Check(ctx context.Context, tenant string, poly orb.Polygon) (PlotCheck, error) {
	valid, err := ValidatePolygon(poly)
	if err != nil {
		return PlotCheck{}, err
	}
	overlaps, err := s.Overlaps(ctx, tenant, valid, "")
	if err != nil {
		return PlotCheck{}, err
	}
	m2 := AreaM2(valid)
	return PlotCheck{Polygon: valid, AreaM2: m2, Mu: m2 / M2PerMu, PerimeterM: PerimeterM(valid), Overlaps: overlaps}, nil
}

// Add registers a plot: the boundary is validated and brought to its stored form,
// id, area and time are set. A plot that its holder has registered before is
// [ErrDuplicate]; overlaps with other holders' plots are no error here, they are
// evidence that [Plots.Overlaps] shows.
func (s *Plots) Add(ctx context.Context, tenant string, p Plot) (Plot, error) {
	valid, err := ValidatePolygon(p.Polygon)
	if err != nil {
		return Plot{}, err
	}
	p.Polygon, p.AreaM2 = valid, AreaM2(valid)
	p.Tenant, p.ID, p.CreatedAt = tenant, ident.New(), s.Now().UTC().Truncate(time.Millisecond)
	p.SourceCRS, p.Source = cmp.Or(p.SourceCRS, "EPSG:4326"), cmp.Or(p.Source, "drawn")
	err = s.meeting(ctx, tenant, valid, func(other Plot, m2 float64) error {
		if other.OwnerID == p.OwnerID && m2 >= sameShare*math.Max(other.AreaM2, p.AreaM2) {
			return ErrDuplicate.With("name", cmp.Or(other.Name, other.ID))
		}
		return nil
	})
	if err != nil {
		return Plot{}, err
	}
	if err := s.Store.AddPlot(ctx, p); err != nil {
		return Plot{}, err
	}
	return p, nil
}

// Overlaps lists the tenant's plots that share more than a square metre with a
// valid polygon, the greatest share first. The plot exceptID is left out.
func (s *Plots) Overlaps(ctx context.Context, tenant string, poly orb.Polygon, exceptID string) ([]Overlap, error) {
	out := []Overlap{}
	own := AreaM2(poly)
	err := s.meeting(ctx, tenant, poly, func(p Plot, m2 float64) error {
		if p.ID != exceptID && m2 > 1 {
			out = append(out, Overlap{PlotID: p.ID, M2: m2, Share: math.Min(1, m2/math.Min(own, p.AreaM2))})
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Overlap) int { return cmp.Compare(b.Share, a.Share) })
	return out, err
}

// meeting calls visit for every plot whose bounding box meets the polygon's, with
// the area that both share.
func (s *Plots) meeting(ctx context.Context, tenant string, poly orb.Polygon, visit func(p Plot, m2 float64) error) error {
	const page = 1000
	bound := poly.Bound()
	f := PlotFilter{Bound: &bound, Limit: page}
	for {
		plots, err := s.Store.Plots(ctx, tenant, f)
		if err != nil {
			return err
		}
		for _, p := range plots {
			if err := visit(p, OverlapM2(poly, p.Polygon)); err != nil {
				return err
			}
			f.After = p.ID
		}
		if len(plots) < page {
			return nil
		}
	}
}
