package geo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
	ErrKeyUsed      = fault.New(fault.Conflict, "plot.key", "this Idempotency-Key came with another plot before; use a new key for a new plot")
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
	Region  string     // county code
	Crop    string     // as declared
	Bound   *orb.Bound // plots whose bounding box meets it
	After   string     // keyset: ids greater than this
	Limit   int        // 0 means 100; at most 1000
}

// Store keeps plots and their reports. Implemented in store/plot.
type Store interface {
	// AddPlot saves p; fault.Conflict when the id is taken.
	AddPlot(ctx context.Context, p Plot) error
	// AddPlotOnce saves p under a key of its owner, with the hash of what was sent;
	// fault.Conflict when id or key are taken.
	AddPlotOnce(ctx context.Context, p Plot, key, hash string) error
	// PlotOfKey returns the plot that was saved under a key, and the hash;
	// ErrPlotNotFound when there is none.
	PlotOfKey(ctx context.Context, tenant, ownerID, key string) (p Plot, hash string, err error)
	// AddPlots saves all of plots or none; fault.Conflict when an id is taken.
	AddPlots(ctx context.Context, plots []Plot) error
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

// WGS84 is the system in which plots are kept.
const WGS84 = "EPSG:4326"

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
	return s.add(ctx, tenant, p, func(p Plot) error { return s.Store.AddPlot(ctx, p) })
}

// AddOnce is [Plots.Add] under a key of the holder: sent again with the same plot it
// gives the plot that was registered, with another one [ErrKeyUsed].
func (s *Plots) AddOnce(ctx context.Context, tenant string, p Plot, key string) (Plot, error) {
	body, err := json.Marshal([]any{p.Name, p.Crop, p.Region, p.Polygon, p.ClaimedM2, p.SourceCRS, p.Source})
	if err != nil {
		return Plot{}, ErrCoordinates.Because(err) // NaN has no JSON
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(body))
	before := func() (Plot, error) {
		known, was, err := s.Store.PlotOfKey(ctx, tenant, p.OwnerID, key)
		if err == nil && was != hash {
			err = ErrKeyUsed
		}
		return known, err
	}
	if known, err := before(); !errors.Is(err, ErrPlotNotFound) {
		return known, err
	}
	added, err := s.add(ctx, tenant, p, func(p Plot) error { return s.Store.AddPlotOnce(ctx, p, key, hash) })
	if errors.Is(err, fault.Conflict) { // a rival with the same key was faster
		if known, kerr := before(); !errors.Is(kerr, ErrPlotNotFound) {
			return known, kerr
		}
	}
	return added, err
}

func (s *Plots) add(ctx context.Context, tenant string, p Plot, save func(Plot) error) (Plot, error) {
	valid, err := ValidatePolygon(p.Polygon)
	if err != nil {
		return Plot{}, err
	}
	p.Polygon, p.AreaM2 = valid, AreaM2(valid)
	p.Tenant, p.ID, p.CreatedAt = tenant, ident.New(), s.Now().UTC().Truncate(time.Millisecond)
	p.SourceCRS, p.Source = cmp.Or(p.SourceCRS, WGS84), cmp.Or(p.Source, "drawn")
	err = s.meeting(ctx, tenant, valid, func(other Plot, m2 float64) error {
		if other.OwnerID == p.OwnerID && m2 >= sameShare*math.Max(other.AreaM2, p.AreaM2) {
			return ErrDuplicate.With("name", cmp.Or(other.Name, other.ID))
		}
		return nil
	})
	if err != nil {
		return Plot{}, err
	}
	if err := save(p); err != nil {
		return Plot{}, err
	}
	return p, nil
}

// Refused is a plot of a list that was not registered.
type Refused struct {
	Index int // in the list
	Err   error
}

// Import registers many plots at once, as [Plots.Add] does one: all that can be
// registered are saved in one transaction, and the others come back with the
// reason. Saved and refused are in the order of the list and together as many.
func (s *Plots) Import(ctx context.Context, tenant string, plots []Plot) (saved []Plot, refused []Refused, err error) {
	now := s.Now().UTC().Truncate(time.Millisecond)
	var index []int // of saved in plots
	for i, p := range plots {
		valid, err := ValidatePolygon(p.Polygon)
		if err != nil {
			refused = append(refused, Refused{i, err})
			continue
		}
		p.Polygon, p.AreaM2 = valid, AreaM2(valid)
		p.Tenant, p.ID, p.CreatedAt = tenant, ident.New(), now
		p.SourceCRS, p.Source = cmp.Or(p.SourceCRS, WGS84), cmp.Or(p.Source, "import")
		saved, index = append(saved, p), append(index, i)
	}
	twice, err := s.repeated(ctx, tenant, saved)
	if err != nil {
		return nil, nil, err
	}
	kept := saved[:0]
	for i, p := range saved {
		if first, ok := twice[i]; ok {
			refused = append(refused, Refused{index[i], ErrDuplicate.With("name", first)})
			continue
		}
		kept = append(kept, p)
	}
	slices.SortFunc(refused, func(a, b Refused) int { return cmp.Compare(a.Index, b.Index) })
	if len(kept) == 0 {
		return nil, refused, nil
	}
	if err := s.Store.AddPlots(ctx, kept); err != nil {
		return nil, nil, err
	}
	return kept, refused, nil
}

// repeated finds the plots that their holder has registered before, or that come
// earlier in the list: by their place in the list, the name of the first.
func (s *Plots) repeated(ctx context.Context, tenant string, plots []Plot) (map[int]string, error) {
	if len(plots) == 0 {
		return nil, nil
	}
	bound, owners := plots[0].Polygon.Bound(), map[string]bool{}
	for _, p := range plots {
		bound, owners[p.OwnerID] = bound.Union(p.Polygon.Bound()), true
	}
	var all []Plot // registered ones of these holders, then those of the list
	err := s.within(ctx, tenant, bound, func(p Plot) error {
		if owners[p.OwnerID] {
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	known := len(all)
	all = append(all, plots...)
	twice := map[int]string{}
	pairs, err := meetingPairs(ctx, all, func(a, b *Plot) (float64, bool) {
		large := math.Max(a.AreaM2, b.AreaM2)
		if a.OwnerID != b.OwnerID || math.Min(a.AreaM2, b.AreaM2) < sameShare*large {
			return 0, false
		}
		m2 := OverlapM2(a.Polygon, b.Polygon)
		return m2, m2 >= sameShare*large
	})
	for _, p := range pairs {
		if i := p.b - known; i >= 0 {
			twice[i] = cmp.Or(all[p.a].Name, all[p.a].ID)
		}
	}
	return twice, err
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

// Clashes lists the tenant's plots of different holders that share ground: see
// [Clashes].
func (s *Plots) Clashes(ctx context.Context, tenant string, least float64) ([]Clash, error) {
	var all []Plot
	err := s.within(ctx, tenant, orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}, func(p Plot) error {
		all = append(all, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return Clashes(ctx, all, least)
}

// meeting calls visit for every plot whose bounding box meets the polygon's, with
// the area that both share.
func (s *Plots) meeting(ctx context.Context, tenant string, poly orb.Polygon, visit func(p Plot, m2 float64) error) error {
	return s.within(ctx, tenant, poly.Bound(), func(p Plot) error { return visit(p, OverlapM2(poly, p.Polygon)) })
}

// within calls visit for every plot whose bounding box meets another one.
func (s *Plots) within(ctx context.Context, tenant string, bound orb.Bound, visit func(p Plot) error) error {
	const page = 1000
	f := PlotFilter{Bound: &bound, Limit: page}
	for {
		plots, err := s.Store.Plots(ctx, tenant, f)
		if err != nil {
			return err
		}
		for _, p := range plots {
			if err := visit(p); err != nil {
				return err
			}
			f.After = p.ID
		}
		if len(plots) < page {
			return nil
		}
	}
}
