// Package view has the few shapes that more than one face shows and that are no
// value of a domain room.
package view

import (
	"time"

	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// Scene is a satellite image that the map can show.
type Scene struct {
	ID         string     `json:"id"`
	Date       time.Time  `json:"date"`
	Collection string     `json:"collection"`
	CloudShare float64    `json:"cloud_share"` // 0..1
	BBox       [4]float64 `json:"bbox"`        // west, south, east, north; WGS84 degrees
}

// ReportSummary is a crop report without its curves.
type ReportSummary struct {
	Status     geo.Status       `json:"status"`
	Reason     string           `json:"reason,omitempty"`
	Crop       string           `json:"crop"`
	Confidence float64          `json:"confidence"`
	Vigour     float64          `json:"vigour"`
	Hazards    []geo.HazardKind `json:"hazards"`
	WorthLow   money.Fen        `json:"worth_low"`
	WorthHigh  money.Fen        `json:"worth_high"`
	LastClear  *time.Time       `json:"last_clear,omitempty"`
	MadeAt     time.Time        `json:"made_at"`
}

// Summary takes the summary of r.
func Summary(r geo.CropReport) *ReportSummary {
	s := &ReportSummary{
		Status: r.Status, Reason: r.Reason, Crop: r.Crop, Confidence: r.Confidence,
		Vigour: r.Vigour, Hazards: Hazards(r), LastClear: r.LastClear, MadeAt: r.MadeAt,
	}
	if r.Worth != nil {
		s.WorthLow, s.WorthHigh = r.Worth.Low, r.Worth.High
	}
	return s
}

// Hazards lists what befell the plot of r, each kind once.
func Hazards(r geo.CropReport) []geo.HazardKind {
	var kinds []geo.HazardKind
	seen := map[geo.HazardKind]bool{}
	for _, h := range r.Hazards {
		if !seen[h.Kind] {
			seen[h.Kind] = true
			kinds = append(kinds, h.Kind)
		}
	}
	return kinds
}

// HerdLine is a herd with its report.
type HerdLine struct {
	Herd   iot.Herd       `json:"herd"`
	Report iot.HerdReport `json:"report"`
}

// AlertID is the cursor of a list of alerts.
func AlertID(a watch.Alert) string { return a.ID }
