// Package shape stands in for values of rooms that are being built.
package shape

import (
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
)

// PlotCheck is what a drawing came to.
type PlotCheck struct {
	Polygon    orb.Polygon   `json:"polygon"`
	AreaM2     float64       `json:"area_m2"`
	Mu         float64       `json:"mu"`
	PerimeterM float64       `json:"perimeter_m"`
	Overlaps   []geo.Overlap `json:"overlaps"`
}

// Who uploads.
type Who struct{ Tenant, AnchorID, UserID, UserName string }
