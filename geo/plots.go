package geo

import (
	"context"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a plot.
var (
	ErrPlotNotFound = fault.New(fault.NotFound, "plot.not_found", "there is no such plot")
	ErrSelfCrossing = fault.New(fault.Invalid, "plot.self_crossing", "the boundary crosses itself near {at}; draw it again without a knot")
	ErrRing         = fault.New(fault.Invalid, "plot.ring", "a plot needs at least three different corners and a closed boundary")
	ErrTooSmall     = fault.New(fault.Invalid, "plot.too_small", "the plot has {m2} m²; the smallest that can be registered is {min} m²")
	ErrTooLarge     = fault.New(fault.Invalid, "plot.too_large", "the plot has {mu} mu; the largest that can be registered is {max} mu")
	ErrCoordinates  = fault.New(fault.Invalid, "plot.coordinates", "coordinates must be longitude and latitude in degrees (WGS84), got {at}")
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
