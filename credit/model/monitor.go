package model

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
)

// Observation is one decision with what became of it.
type Observation struct {
	DecisionID string
	MadeAt     time.Time
	Scores     []credit.Score
	Evidence   []byte // frozen
	Product    []byte // frozen
	Loan       *Loan  // when money was lent on this decision
}

// Loan is what is known of the money lent on a decision.
type Loan struct {
	DrawnOn      time.Time
	Closed       bool
	OverdueDays  int
	WorstOverdue int // days
}

// Bounds of the judgement.
const (
	BadDays       = 90  // a loan once overdue for more is bad
	OutcomeMonths = 12  // a loan that old has had its time to go bad
	ShiftPSI      = 0.1 // drift from which to look
	MajorPSI      = 0.25
	fewestDrift   = 100 // decisions below which drift is not told
	fewestBand    = 20  // loans below which a band's rate is not judged
	bands         = 10
	leastScores   = 100
)

// PointsReference is a distribution of points: shares of the intervals that end below the
// edges, and of the last.
type PointsReference struct {
	Edges  []int     `json:"edges"`
	Shares []float64 `json:"shares"`
	Rows   int       `json:"rows"`
}

// NewReference cuts points into tenths. It returns ErrScoresLow.
func NewReference(points []int) (*PointsReference, error) {
	if len(points) < leastScores {
		return nil, ErrScoresLow.With("least", leastScores).With("count", len(points))
	}
	sorted := slices.Clone(points)
	slices.Sort(sorted)
	r := &PointsReference{Rows: len(points)}
	for i := 1; i < bands; i++ {
		edge := sorted[i*len(sorted)/bands]
		if edge > sorted[0] && (len(r.Edges) == 0 || edge > r.Edges[len(r.Edges)-1]) {
			r.Edges = append(r.Edges, edge)
		}
	}
	counts := make([]int, len(r.Edges)+1)
	for _, p := range sorted {
		counts[r.band(p)]++
	}
	for _, c := range counts {
		r.Shares = append(r.Shares, float64(c)/float64(len(points)))
	}
	return r, nil
}

// band is the interval that points fall into.
func (r *PointsReference) band(points int) int {
	i, found := slices.BinarySearch(r.Edges, points)
	if found {
		i++
	}
	return i
}

// PSI is the population stability index: the sum of (now - then) ln(now / then) over
// the shares, with half a row put into every class so that an empty one is no end of
// the world. then is in shares of rows, now in counts.
func PSI(then []float64, rows int, now []int) float64 {
	total := 0
	for _, n := range now {
		total += n
	}
	k := float64(len(then))
	var psi float64
	for i, e := range then {
		before := (e*float64(rows) + 0.5) / (float64(rows) + 0.5*k)
		after := (float64(now[i]) + 0.5) / (float64(total) + 0.5*k)
		psi += (after - before) * math.Log(after/before)
	}
	return psi
}

// ModelMonitoring is how a model fares in a span of time.
type ModelMonitoring struct {
	Model     string    `json:"model"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Decisions int       `json:"decisions"` // scored by this version
	Loans     int       `json:"loans"`     // lent on them
	Observed  int       `json:"observed"`  // of them with an outcome: bad, closed, or a year old
	// ScorePSI is null when there are too few decisions to tell. Baseline says what it is
	// measured against: "training", or "first_decisions" of the span when the register has
	// no scores of the training rows.
	ScorePSI *float64     `json:"score_psi"`
	Baseline string       `json:"baseline" enum:"training,first_decisions,none"`
	Drift    string       `json:"drift" enum:"stable,shift,major,unknown"`
	Inputs   []InputDrift `json:"inputs"` // most drift first
	Unread   int          `json:"unread"` // decisions whose evidence could not be read again
	Bands    []PointsBand `json:"bands"`  // from few points to many
	// Predicted and Rate are the mean probability of default of loans with an outcome and
	// the share that went bad.
	Predicted *float64 `json:"predicted"`
	Rate      *float64 `json:"rate"`
	// Warnings are codes: "review_overdue", "drift", "input_drift", "under_predicted",
	// "over_predicted", "not_ranked", "too_few".
	Warnings []string `json:"warnings"`
}

// InputDrift is the stability of one input against the training rows.
type InputDrift struct {
	Input string     `json:"input"`
	CSI   float64    `json:"csi"`
	Drift string     `json:"drift" enum:"stable,shift,major"`
	Bins  []BinDrift `json:"bins"`
}

// BinDrift is the share of one bin then and now.
type BinDrift struct {
	Bin  string  `json:"bin"`
	Then float64 `json:"then"`
	Now  float64 `json:"now"`
}

// PointsBand is what is known of one range of points. Low is where it begins, High where the
// next begins; null beyond the ends.
type PointsBand struct {
	Low       *int     `json:"low"`
	High      *int     `json:"high"`
	Decisions int      `json:"decisions"`
	Loans     int      `json:"loans"`
	Overdue   int      `json:"overdue"`    // overdue today
	Ever30    int      `json:"ever_30"`    // once overdue for more than 30 days
	Observed  int      `json:"observed"`   // with an outcome
	Bad       int      `json:"bad"`        // once overdue for more than 90 days
	Predicted *float64 `json:"predicted"`  // mean probability of default of those with an outcome
	Rate      *float64 `json:"rate"`       // bad of those
	RateLow   *float64 `json:"rate_low"`   // its 95 % interval (Wilson)
	RateHigh  *float64 `json:"rate_high"`  //
	Calibrate string   `json:"calibrated"` // "yes", "under", "over", or "unknown" when there are too few
}

// Monitor looks at the decisions that a version scored in a span of time.
func (s *Service) Monitor(ctx context.Context, tenant, name, version string, from, to time.Time) (ModelMonitoring, error) {
	e, err := s.get(ctx, tenant, name, version)
	if err != nil {
		return ModelMonitoring{}, err
	}
	m, err := s.File(ctx, tenant, name, version)
	if err != nil {
		return ModelMonitoring{}, err
	}
	t := newTally(m)
	if err := s.Store.Observations(ctx, tenant, from, to, t.take); err != nil {
		return ModelMonitoring{}, err
	}
	return t.report(&e, s.Now(), from, to), nil
}

// seen is one decision, boiled down.
type seen struct {
	points int
	pd     float64
	loan   *Loan
}

// tally gathers observations.
type tally struct {
	model  *score.Model
	read   []func(*feature.Facts) score.Value
	seen   []seen
	counts [][]int // by input and bin
	facts  feature.Facts
	unread int
}

func newTally(m *score.Model) *tally {
	t := &tally{model: m}
	for i, name := range m.Inputs() {
		get, ok := feature.Lookup(name)
		if !ok {
			get = nil
		}
		t.read = append(t.read, get)
		t.counts = append(t.counts, make([]int, len(m.File().Inputs[i].Bins)))
	}
	return t
}

func (t *tally) take(o Observation) error {
	i := slices.IndexFunc(o.Scores, func(s credit.Score) bool { return s.Model == t.model.ID() })
	if i < 0 {
		return nil
	}
	t.seen = append(t.seen, seen{o.Scores[i].Points, o.Scores[i].PD, o.Loan})
	var ev credit.Evidence
	var p product.Product
	if json.Unmarshal(o.Evidence, &ev) != nil || json.Unmarshal(o.Product, &p) != nil {
		t.unread++
		return nil
	}
	t.facts.Fill(&ev, feature.Terms{Min: p.MinFen, Max: p.MaxFen})
	for i, get := range t.read {
		if get != nil {
			t.counts[i][t.model.Bin(i, get(&t.facts))]++
		}
	}
	return nil
}

func (t *tally) report(e *ScoreModel, now, from, to time.Time) ModelMonitoring {
	r := ModelMonitoring{
		Model: e.ID, From: from, To: to, Decisions: len(t.seen), Unread: t.unread,
		Baseline: "none", Drift: "unknown", Inputs: []InputDrift{}, Bands: []PointsBand{}, Warnings: []string{},
	}
	if e.Overdue {
		r.Warnings = append(r.Warnings, "review_overdue")
	}
	if len(t.seen) < fewestDrift {
		r.Warnings = append(r.Warnings, "too_few")
	}
	ref := t.drift(e, &r)
	t.inputs(&r)
	t.bandsOf(ref, now, &r)
	return r
}

// drift fills the stability of the scores, and returns the bands.
func (t *tally) drift(e *ScoreModel, r *ModelMonitoring) *PointsReference {
	ref, now := e.Reference, t.seen
	if ref != nil {
		r.Baseline = "training"
	} else if half := len(t.seen) / 2; half >= fewestDrift {
		var points []int
		for _, s := range t.seen[:half] {
			points = append(points, s.points)
		}
		ref, _ = NewReference(points) // there are enough
		now, r.Baseline = t.seen[half:], "first_decisions"
	}
	if ref == nil {
		return &PointsReference{}
	}
	if len(now) >= fewestDrift {
		counts := make([]int, len(ref.Shares))
		for _, s := range now {
			counts[ref.band(s.points)]++
		}
		psi := PSI(ref.Shares, ref.Rows, counts)
		r.ScorePSI, r.Drift = &psi, level(psi)
		if psi >= ShiftPSI {
			r.Warnings = append(r.Warnings, "drift")
		}
	}
	return ref
}

func level(psi float64) string {
	switch {
	case psi < ShiftPSI:
		return "stable"
	case psi < MajorPSI:
		return "shift"
	}
	return "major"
}

// inputs fills the stability of each input against the rows of its bins in training.
func (t *tally) inputs(r *ModelMonitoring) {
	if len(t.seen)-t.unread < fewestDrift {
		return
	}
	moved := false
	for i, in := range t.model.File().Inputs {
		rows, total := 0, 0
		for b := range in.Bins {
			rows, total = rows+in.Bins[b].Rows, total+t.counts[i][b]
		}
		if t.read[i] == nil || rows == 0 || total == 0 {
			continue
		}
		d := InputDrift{Input: in.Name}
		then := make([]float64, len(in.Bins))
		for b := range in.Bins {
			then[b] = float64(in.Bins[b].Rows) / float64(rows)
			d.Bins = append(d.Bins, BinDrift{t.model.BinText(i, b), then[b], float64(t.counts[i][b]) / float64(total)})
		}
		d.CSI = PSI(then, rows, t.counts[i])
		d.Drift = level(d.CSI)
		moved = moved || d.CSI >= MajorPSI
		r.Inputs = append(r.Inputs, d)
	}
	slices.SortStableFunc(r.Inputs, func(a, b InputDrift) int {
		switch {
		case a.CSI > b.CSI:
			return -1
		case a.CSI < b.CSI:
			return 1
		}
		return 0
	})
	if moved {
		r.Warnings = append(r.Warnings, "input_drift")
	}
}

// mature tells whether a loan has its outcome.
func (l *Loan) mature(now time.Time) bool {
	return l.WorstOverdue > BadDays || l.Closed || !now.Before(l.DrawnOn.AddDate(0, OutcomeMonths, 0))
}

// bandsOf fills what became of the loans by band of points, and the calibration.
func (t *tally) bandsOf(ref *PointsReference, now time.Time, r *ModelMonitoring) {
	list := make([]PointsBand, len(ref.Edges)+1)
	sums := make([]float64, len(list))
	for i := range list {
		if i > 0 {
			list[i].Low = &ref.Edges[i-1]
		}
		if i < len(ref.Edges) {
			list[i].High = &ref.Edges[i]
		}
	}
	for _, s := range t.seen {
		i := ref.band(s.points)
		b := &list[i]
		b.Decisions++
		if s.loan == nil {
			continue
		}
		b.Loans++
		b.Overdue += count(s.loan.OverdueDays > 0)
		b.Ever30 += count(s.loan.WorstOverdue > 30)
		if s.loan.mature(now) {
			b.Observed++
			b.Bad += count(s.loan.WorstOverdue > BadDays)
			sums[i] += s.pd
		}
	}
	all, sum := PointsBand{}, 0.0
	for i := range list {
		list[i].calibrate(sums[i])
		all.Loans, all.Observed, all.Bad = all.Loans+list[i].Loans, all.Observed+list[i].Observed, all.Bad+list[i].Bad
		sum += sums[i]
	}
	all.calibrate(sum)
	r.Bands, r.Loans, r.Observed, r.Predicted, r.Rate = list, all.Loans, all.Observed, all.Predicted, all.Rate
	switch all.Calibrate {
	case "under":
		r.Warnings = append(r.Warnings, "under_predicted")
	case "over":
		r.Warnings = append(r.Warnings, "over_predicted")
	}
	if unranked(list) {
		r.Warnings = append(r.Warnings, "not_ranked")
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// calibrate compares the mean prediction with the interval of the rate.
func (b *PointsBand) calibrate(sum float64) {
	b.Calibrate = "unknown"
	if b.Observed == 0 {
		return
	}
	n := float64(b.Observed)
	predicted, rate := sum/n, float64(b.Bad)/n
	low, high := wilson(rate, n)
	b.Predicted, b.Rate, b.RateLow, b.RateHigh = &predicted, &rate, &low, &high
	switch {
	case b.Observed < fewestBand:
	case predicted < low:
		b.Calibrate = "under"
	case predicted > high:
		b.Calibrate = "over"
	default:
		b.Calibrate = "yes"
	}
}

// wilson is the 95 % interval of a rate (Wilson 1927).
func wilson(rate, n float64) (low, high float64) {
	const z = 1.959964
	middle := (rate + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(rate*(1-rate)/n+z*z/(4*n*n))
	return math.Max(0, middle-half), math.Min(1, middle+half)
}

// unranked tells whether some band surely went worse than one with fewer points.
func unranked(list []PointsBand) bool {
	for i, worse := range list {
		for _, better := range list[i+1:] {
			if worse.Observed >= fewestBand && better.Observed >= fewestBand && *better.RateLow > *worse.RateHigh {
				return true
			}
		}
	}
	return false
}
