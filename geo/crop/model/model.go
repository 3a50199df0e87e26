// Package model tells crops apart by learning from a bank's own fields: it trains
// a method on labelled series, measures it on fields that it has not seen, keeps it
// in a file with its training record, and answers for plots of the same land.
//
// A model says how sure it is, stays silent when that is not enough, and knows
// where its training fields lay.
package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
	"github.com/furrowcredit/furrow/geo/series"
)

// ErrBands is what a model gets that wants a band the observations do not have.
var ErrBands = fault.New(fault.Invalid, "model.bands", "the model wants the band(s) {bands}, which the series do not have; use a model trained on what there is")

// ErrSeason is what a model gets for a plot when its samples begin all over the year.
var ErrSeason = fault.New(fault.Invalid, "model.season", "the model's samples begin all over the year, so it answers only for series that say when their own season began; train it on samples of one season of the calendar")

// Why a model does not name a crop, or names it with a warning.
const (
	NoData  = "no_data"               // no value of any band
	FewData = crop.FewDates           // most dates of the season are missing
	Unclear = crop.Unclear            // no crop is probable enough
	Outside = "outside_training_area" // far from every field that it was trained on; the crop is named all the same
)

const (
	// wanted is how often an answer must be right for the model to give it.
	wanted = 0.9
	// leastSeen is the share of the season's dates without which it is silent.
	leastSeen = 0.4
	// margin is how many degrees from a training field's 1° cell the model still
	// speaks of the same land.
	margin = 0.5
)

// Record is how a model came to be.
type Record struct {
	Made        string            `json:"made"`           // date
	Samples     int               `json:"samples"`        // that it was trained on
	Rows        int               `json:"rows"`           // of the table
	SHA256      string            `json:"samples_sha256"` // of the table's text, unpacked
	Counts      map[string]int    `json:"class_counts"`
	Method      string            `json:"method"`
	Versions    map[string]string `json:"versions"` // of the members
	Seed        uint64            `json:"seed"`
	Folds       int               `json:"folds"`
	Random      *Accuracy         `json:"random"`            // by random folds
	Spatial     *Accuracy         `json:"spatial,omitempty"` // by 1° blocks; where places are known
	Grouped     *Accuracy         `json:"grouped,omitempty"` // by the column asked for
	Calibration string            `json:"calibrated_on"`     // which of the three the probabilities were fitted to
	Wanted      float64           `json:"wanted_precision"`
	Threshold   float64           `json:"threshold"` // the least probability at which it answers
	Importance  Importance        `json:"importance"`
}

// Accuracy sums a validation up.
type Accuracy struct {
	Group   string             `json:"group,omitempty"`
	Folds   int                `json:"folds"`
	Overall float64            `json:"overall_accuracy"`
	MacroF1 float64            `json:"macro_f1"`
	Kappa   float64            `json:"kappa"`
	Calib   sample.Calibration `json:"calibration"`
}

// Model is a trained method with its record. It is safe for concurrent use.
type Model struct {
	Record Record
	// Cells are the south-west corners of the 1° squares that hold training fields.
	// Without any, nobody knows where the model may be used.
	Cells [][2]int

	machine   *machine
	pool      learn.Pool
	threshold float64
}

// Training is a wish for a model.
type Training struct {
	Config
	Now time.Time // its date goes into the record
}

// Train validates by random folds, by 1° blocks where the places are known and by
// the group asked for, then trains on all samples. Probabilities and the threshold
// are fitted to the strictest of these. It returns what [Validate] does.
func Train(ctx context.Context, set *sample.Set, wish Training) (*Model, error) {
	wish.Method = cmp.Or(wish.Method, Default)
	labels, err := Check(set)
	if err != nil {
		return nil, err
	}
	m := &Model{Record: Record{
		Made: wish.Now.UTC().Format(time.DateOnly), Rows: set.Rows, SHA256: set.Sum, Counts: map[string]int{},
		Method: wish.Method, Versions: map[string]string{}, Seed: wish.Seed, Folds: cmp.Or(wish.Folds, defaultFolds), Wanted: wanted,
	}}
	strict, err := m.validate(ctx, set, wish.Config)
	if err != nil {
		return nil, err
	}
	all := func(int) bool { return true }
	m.pool = strict.pool(all)
	m.threshold = strict.threshold(m.pool, wanted)
	if m.machine, err = train(ctx, set, labels, wish.Method, wish.Seed); err != nil {
		return nil, err
	}
	for _, n := range m.machine.names {
		m.Record.Versions[n] = version(n)
	}
	m.Record.Calibration, m.Record.Threshold = cmp.Or(strict.Group, "random"), m.threshold
	m.Record.Importance, err = m.lean(ctx, set, labels)
	m.survey(set)
	return m, err
}

// validate fills the record with what the method reaches and gives the strictest
// result.
func (m *Model) validate(ctx context.Context, set *sample.Set, cfg Config) (*Result, error) {
	asked := cfg
	cfg.Group, cfg.Folds = "", cmp.Or(cfg.Folds, defaultFolds)
	strict, err := Validate(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	m.Record.Random = strict.sum()
	if asked.Group != Blocks {
		spatial, err := Spatial(ctx, set, cfg, Validate)
		if err != nil {
			return nil, err
		}
		if spatial != nil {
			strict, m.Record.Spatial = spatial, spatial.sum()
		}
	}
	if asked.Group == "" {
		return strict, nil
	}
	if strict, err = Validate(ctx, set, asked); err != nil {
		return nil, err
	}
	if asked.Group == Blocks {
		m.Record.Spatial = strict.sum()
	} else {
		m.Record.Grouped = strict.sum()
	}
	return strict, nil
}

// Spatial validates by 1° blocks. The result is nil where that says nothing:
// places are not known, all lie in one square, or nearly all, so that too little is
// left to learn from without it.
func Spatial(ctx context.Context, set *sample.Set, cfg Config, validate func(context.Context, *sample.Set, Config) (*Result, error)) (*Result, error) {
	blocks, err := set.Blocks(1)
	if err != nil || !slices.ContainsFunc(blocks, func(b string) bool { return b != blocks[0] }) {
		return nil, nil //nolint:nilnil,nilerr // nothing to show is no mistake
	}
	cfg.Group = Blocks
	r, err := validate(ctx, set, cfg)
	if errors.Is(err, ErrThin) {
		return nil, nil //nolint:nilnil // as said
	}
	return r, err
}

func (r *Result) sum() *Accuracy {
	return &Accuracy{Group: r.Group, Folds: r.FoldsOf, Overall: r.Accuracy, MacroF1: r.MacroF1, Kappa: r.Kappa, Calib: r.Calibration}
}

// lean works out which dates and bands tell the crops apart, by the trees of the
// model or by a small forest grown for it.
func (m *Model) lean(ctx context.Context, set *sample.Set, labels []string) (Importance, error) {
	var f *learn.Forest
	for _, k := range m.machine.members {
		if g, ok := k.(*forest); ok {
			f = (*learn.Forest)(g)
		}
	}
	if f == nil {
		t := newTraining(set, labels, m.Record.Seed)
		var err error
		if f, err = learn.TrainForest(ctx, t.rich, t.y, t.classes, learn.ForestConfig{Trees: 60, Seed: t.seed}); err != nil {
			return Importance{}, err
		}
	}
	frame := &m.machine.frame
	return importance(f.Importance, frame.Bands, len(frame.Grid.Offset)), nil
}

// survey notes how many fields of each crop there were, and where.
func (m *Model) survey(set *sample.Set) {
	cells := map[[2]int]bool{}
	for i := range set.Samples {
		s := &set.Samples[i]
		if s.Label == "" || s.Blank() {
			continue
		}
		m.Record.Samples++
		m.Record.Counts[s.Label]++
		if s.Placed() {
			cells[[2]int{int(math.Floor(s.At[0])), int(math.Floor(s.At[1]))}] = true
		}
	}
	for c := range cells {
		m.Cells = append(m.Cells, c)
	}
	slices.SortFunc(m.Cells, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
}

// Bands gives the bands that the model wants.
func (m *Model) Bands() []string { return slices.Clone(m.machine.frame.Bands) }

// Name is what reports call the model: its method, day and the samples behind it.
func (m *Model) Name() string {
	return fmt.Sprintf("model/%s %s %.8s", m.Record.Method, m.Record.Made, m.Record.SHA256)
}

// Covers says whether a place lies in a 1° square with training fields or within
// half a degree of one.
func (m *Model) Covers(at orb.Point) bool {
	for _, c := range m.Cells {
		w, s := float64(c[0]), float64(c[1])
		if at[0] >= w-margin && at[0] <= w+1+margin && at[1] >= s-margin && at[1] <= s+1+margin {
			return true
		}
	}
	return false
}

// Answer is what a model says of a series.
type Answer struct {
	Crop       string          // "" when it is silent
	Confidence float64         // of Crop
	Guesses    []geo.CropGuess // most probable first; none without data
	Reason     string          // why it is silent, or [Outside]
}

// Answer names the crop of a series whose bands stand at columns (see
// [Model.Columns]).
func (m *Model) Answer(s *sample.Sample, columns []int) Answer {
	raw, seen := m.machine.answers(s, columns)
	if raw == nil {
		return Answer{Reason: NoData}
	}
	p := make([]float64, len(m.machine.labels))
	m.pool.Join(raw, p)
	var a Answer
	for k, v := range p {
		a.Guesses = append(a.Guesses, geo.CropGuess{Crop: m.machine.labels[k], Probability: math.Round(v*1e4) / 1e4})
	}
	slices.SortStableFunc(a.Guesses, func(a, b geo.CropGuess) int { return cmp.Compare(b.Probability, a.Probability) })
	switch {
	case seen < leastSeen:
		a.Reason = FewData
	case a.Guesses[0].Probability < m.threshold:
		a.Reason = Unclear
	default:
		a.Crop, a.Confidence = a.Guesses[0].Crop, a.Guesses[0].Probability
		if len(m.Cells) > 0 && s.Placed() && !m.Covers(s.At) {
			a.Reason = Outside
		}
	}
	return a
}

// Columns gives where each band of the model stands among bands, or ErrBands.
func (m *Model) Columns(bands []string) ([]int, error) {
	at := m.machine.frame.columns(bands)
	var lack []string
	for i, c := range at {
		if c < 0 {
			lack = append(lack, m.machine.frame.Bands[i])
		}
	}
	if lack != nil {
		return nil, ErrBands.With("bands", strings.Join(lack, ", "))
	}
	return at, nil
}

// AnswerAll answers for every sample of a set, on all cores. It returns ErrBands.
func (m *Model) AnswerAll(ctx context.Context, set *sample.Set) ([]Answer, error) {
	columns, err := m.Columns(set.Bands)
	if err != nil {
		return nil, err
	}
	out := make([]Answer, len(set.Samples))
	return out, each(ctx, len(out), func(i int) { out[i] = m.Answer(&set.Samples[i], columns) })
}

// sightBands are the bands that a plot's observations can give, in lower case.
var sightBands = map[string]func(series.Sight) float64{
	"ndvi":  func(s series.Sight) float64 { return s.NDVI },
	"ndmi":  func(s series.Sight) float64 { return s.Moisture },
	"ndyi":  func(s series.Sight) float64 { return s.Yellow },
	"water": func(s series.Sight) float64 { return s.Water },
	"vv":    func(s series.Sight) float64 { return s.VV },
	"vh":    func(s series.Sight) float64 { return s.VH },
}

// Classify answers for the observations of a plot, by date, in the season from
// start to end: every crop with its probability, most probable first, and why the
// model would not name one, "" when it would. It returns ErrBands when the model
// wants a band that observations do not have, and ErrSeason when it counts the days
// of a season from a start that nobody knows of a plot.
func (m *Model) Classify(sights []series.Sight, start, end time.Time) (guesses []geo.CropGuess, unsure string, err error) {
	if m.machine.frame.Grid.Anchor < 0 {
		return nil, "", ErrSeason
	}
	s := sample.Sample{Start: sample.Day(start), End: sample.Day(end), At: orb.Point{math.NaN(), math.NaN()}}
	columns := make([]int, len(m.machine.frame.Bands))
	var lack []string
	for i, name := range m.machine.frame.Bands {
		value, ok := sightBands[strings.ToLower(name)]
		if !ok {
			lack = append(lack, name)
			continue
		}
		columns[i] = i
		line := make([]float64, 0, len(sights))
		for _, k := range sights {
			if k.Valid {
				line = append(line, value(k))
			}
		}
		s.Values = append(s.Values, line)
	}
	if lack != nil {
		return nil, "", ErrBands.With("bands", strings.Join(lack, ", "))
	}
	for _, k := range sights {
		if k.Valid {
			s.Days = append(s.Days, sample.Day(k.Date))
		}
	}
	a := m.Answer(&s, columns)
	return a.Guesses, a.Reason, nil
}
