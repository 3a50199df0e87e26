// Package geo holds what satellites tell about a plot of land: where it is, how
// many mu, which crop grows on it, how well, what befell it and what it is worth.
//
// The root package has the shared values and the plot register; the methods live
// in the sub-packages scene, zonal, series, crop, hazard, worth, register, tile
// and report. Coordinates are WGS84 longitude, latitude; areas are geodesic m².
package geo

import (
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/money"
)

// M2PerMu is the area of one mu: 10000/15 m².
const M2PerMu = 10000.0 / 15

// Date is a calendar date, "2026-05-31", in Asia/Shanghai.
type Date string

// Plot is a field with one holder.
type Plot struct {
	ID        string      `json:"id"`
	Tenant    string      `json:"-"`
	OwnerID   string      `json:"owner_id"` // access.User of the holder
	OwnerName string      `json:"owner_name"`
	Name      string      `json:"name"`
	Region    string      `json:"region"`     // GB/T 2260 county code
	Polygon   orb.Polygon `json:"polygon"`    // WGS84, outer ring counter-clockwise, closed
	AreaM2    float64     `json:"area_m2"`    // geodesic
	ClaimedM2 float64     `json:"claimed_m2"` // as the holder or the register states it; 0 when nobody did
	Crop      string      `json:"crop"`       // crop code as declared by the holder; "" if none
	SourceCRS string      `json:"source_crs"`
	Source    string      `json:"source"` // "drawn", "import:<file>"
	CreatedAt time.Time   `json:"created_at"`
}

// Mu returns the area of the plot in mu.
func (p Plot) Mu() float64 { return p.AreaM2 / M2PerMu }

// Season is the time between two dates in which a crop may grow, both included.
type Season struct {
	Name  string    `json:"name"` // "2026-summer"
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Status says whether an answer could be given.
type Status string

// The states of an answer. Unknown always carries a reason.
const (
	Known         Status = "known"
	LowConfidence Status = "low_confidence"
	Unknown       Status = "unknown"
)

// Observation is one date of a plot. Gaps are observations with Valid false.
type Observation struct {
	Date     time.Time `json:"date"`
	NDVI     float64   `json:"ndvi"`     // coverage-weighted mean of clear pixels; 0 when not Valid
	StdDev   float64   `json:"std_dev"`  // within the plot
	Coverage float64   `json:"coverage"` // clear share of the plot, 0..1
	Valid    bool      `json:"valid"`
	Reason   string    `json:"reason,omitempty"` // why not valid: "cloud", "nodata", "missing_scene", "snow"
	Scene    string    `json:"scene,omitempty"`  // STAC item id
}

// SmoothPoint is the smoothed curve on a regular grid; InGap marks points with no
// clear observation near enough to trust the curve.
type SmoothPoint struct {
	Date  time.Time `json:"date"`
	NDVI  float64   `json:"ndvi"`
	InGap bool      `json:"in_gap"`
}

// CropGuess is one candidate crop.
type CropGuess struct {
	Crop        string  `json:"crop"` // crop code of the catalogue
	Probability float64 `json:"probability"`
}

// Phenology are the dates of the main season, by the threshold method at 20 % of
// the amplitude.
type Phenology struct {
	Start    *time.Time `json:"start,omitempty"`
	Peak     *time.Time `json:"peak,omitempty"`
	End      *time.Time `json:"end,omitempty"`
	PeakNDVI float64    `json:"peak_ndvi"`
	Seasons  int        `json:"seasons"` // growing seasons seen in the period
	// Sown and Harvested are the days within which it must have happened; nil when not seen.
	Sown      *DateRange `json:"sown,omitempty"`
	Harvested *DateRange `json:"harvested,omitempty"`
	Stage     Stage      `json:"stage,omitempty"` // on the last clear date
}

// DateRange is a date with its error: the likely day and the days it may lie between.
type DateRange struct {
	Date time.Time `json:"date"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Stage is how far a crop has come.
type Stage string

// The stages, in the order of a season.
const (
	StageBare      Stage = "bare"
	StageEmerging  Stage = "emerging" // under half of the way up to its peak
	StageGrowing   Stage = "growing"
	StagePeak      Stage = "peak" // within a tenth of the amplitude of its peak
	StageRipening  Stage = "ripening"
	StageHarvested Stage = "harvested"
)

// Growth is how a crop stands against its neighbours of the same crop and against
// its own past years.
type Growth struct {
	Grade      int           `json:"grade"`            // 1 poor .. 5 very good; 0 when nothing can be compared
	GradeLow   int           `json:"grade_low"`        // what the grade may be, given its uncertainty
	GradeHigh  int           `json:"grade_high"`       //
	Percentile float64       `json:"percentile"`       // among the peers on the latest comparable dates, 0..100
	Peers      int           `json:"peers"`            // plots of the same crop in the county that were compared
	Points     []GrowthPoint `json:"points"`           // by date
	Past       []PastYear    `json:"past"`             // own earlier years, newest first
	Reason     string        `json:"reason,omitempty"` // why there is no grade
}

// GrowthPoint is one date of a plot beside its peers.
type GrowthPoint struct {
	Date       time.Time `json:"date"`
	NDVI       float64   `json:"ndvi"`
	Percentile float64   `json:"percentile"` // share of peers that stand lower, 0..100
	Low        float64   `json:"low"`        // lower quartile of the peers
	Middle     float64   `json:"middle"`     // their median
	High       float64   `json:"high"`       // upper quartile
}

// PastYear compares this season with the plot's own season of an earlier year.
type PastYear struct {
	Year     int     `json:"year"`
	PeakNDVI float64 `json:"peak_ndvi"`
	Change   float64 `json:"change"` // mean NDVI of this season's days so far less that year's same days
}

// AreaCheck is what the images say of the size of a plot and of what is claimed.
type AreaCheck struct {
	ClaimedMu    float64       `json:"claimed_mu"`    // 0 when nothing is claimed
	PlantedShare float64       `json:"planted_share"` // of the plot, 0..1; NaN is never stored: see Known
	PlantedMu    float64       `json:"planted_mu"`
	Known        bool          `json:"known"` // whether the planted share could be measured
	Findings     []AreaFinding `json:"findings"`
}

// AreaFinding names a doubt about what is claimed.
type AreaFinding string

// The doubts.
const (
	ClaimedMore AreaFinding = "claimed_more" // the claimed area is greater than the drawn one
	PartPlanted AreaFinding = "part_planted" // a good part of the drawn plot grows nothing
	NotCropland AreaFinding = "not_cropland" // trees, water or built-up land all year
	WrongCrop   AreaFinding = "wrong_crop"   // another crop than the declared one grows
)

// HazardKind names what befell a plot.
type HazardKind string

// The hazards.
const (
	Flood        HazardKind = "flood"
	Drought      HazardKind = "drought"
	VigourLoss   HazardKind = "vigour_loss"
	EarlyHarvest HazardKind = "early_harvest"
	NeverSown    HazardKind = "never_sown"
	Abandoned    HazardKind = "abandoned" // a part of the plot is left while the rest grows
)

// Hazard is one finding with its evidence.
type Hazard struct {
	Kind       HazardKind        `json:"kind"`
	Start      time.Time         `json:"start"`
	End        time.Time         `json:"end"`
	Share      float64           `json:"share"`                // of the plot, 0..1
	Confidence float64           `json:"confidence"`           // 0..1
	Evidence   map[string]string `json:"evidence"`             // named values in plain text
	Candidates []string          `json:"candidates,omitempty"` // what may have caused it, never certain: "pest", "hail", "lodging"
	Before     string            `json:"before,omitempty"`     // scene ids: the last look before
	After      string            `json:"after,omitempty"`      // and the first that shows it
}

// Worth is the value of a harvest as a range: of the crop that stands now or, when
// none does, of the one that was harvested last.
type Worth struct {
	Crop          string     `json:"crop"`            // the single crop that is valued; of a rotation, one of its two
	Standing      bool       `json:"standing"`        // still in the field; false once harvested
	YieldKgPerMu  [3]float64 `json:"yield_kg_per_mu"` // low, middle, high
	PriceFenKg    money.Fen  `json:"price_fen_per_kg"`
	PriceDate     string     `json:"price_date"`
	Low           money.Fen  `json:"low"`
	Middle        money.Fen  `json:"middle"`
	High          money.Fen  `json:"high"`
	Basis         string     `json:"basis"`          // how it was reached, with sources
	Index         float64    `json:"index"`          // relative yield index, 1 = usual for the crop and place
	RemainingCost money.Fen  `json:"remaining_cost"` // still to be spent until the harvest is sold
	Prudent       money.Fen  `json:"prudent"`        // lower bound net of remaining cost: what a lender may count on
}

// CropReport is the satellite evidence of one plot and season. It is a fact for
// credit: every field travels with its source, time, method and uncertainty.
type CropReport struct {
	PlotID       string        `json:"plot_id"`
	Season       Season        `json:"season"`
	Status       Status        `json:"status"`
	Reason       string        `json:"reason,omitempty"` // why Unknown or LowConfidence
	AreaM2       float64       `json:"area_m2"`
	Mu           float64       `json:"mu"`
	Crop         string        `json:"crop"`       // "" when unknown; "fallow" when nothing grew
	Confidence   float64       `json:"confidence"` // 0..1 of Crop
	Guesses      []CropGuess   `json:"guesses"`
	Declared     string        `json:"declared"`
	Vigour       float64       `json:"vigour"` // peak NDVI against the crop's usual peak, 1 = usual
	Phenology    Phenology     `json:"phenology"`
	Observations []Observation `json:"observations"`
	Curve        []SmoothPoint `json:"curve"`
	Hazards      []Hazard      `json:"hazards"`
	Worth        *Worth        `json:"worth,omitempty"`
	Growth       *Growth       `json:"growth,omitempty"`
	Area         *AreaCheck    `json:"area,omitempty"`
	FullPixels   int           `json:"full_pixels"` // pixels wholly inside, on the finest grid
	ClearDates   int           `json:"clear_dates"`
	TotalDates   int           `json:"total_dates"`
	LastClear    *time.Time    `json:"last_clear,omitempty"`
	Sources      []string      `json:"sources"` // collections used
	Scenes       []string      `json:"scenes"`  // every scene that was read for it, by time
	Method       string        `json:"method"`  // what named the crop, "rules/2" or a trained model
	MadeAt       time.Time     `json:"made_at"`
}

// RulesOnly is the reason of low confidence that no trained model covers the place,
// so that crop calendar and curve answered.
const RulesOnly = "rules_only"

// Doubts counts the reasons of low confidence that concern this very plot: all but
// [RulesOnly], which holds for its whole neighbourhood.
func (r CropReport) Doubts() (n int) {
	if r.Status != LowConfidence {
		return 0
	}
	for why := range strings.SplitSeq(r.Reason, ",") {
		if why != RulesOnly {
			n++
		}
	}
	return n
}
