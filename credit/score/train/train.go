// Package train makes models of default from a table: optimally binned scorecards, and
// additive models of smoothed and boosted bins with a few pairs. Whatever must be chosen
// is chosen by folds inside the rows given; the same rows and seed give the same bytes.
package train

import (
	"context"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a wish for a model.
var (
	ErrMethod   = fault.New(fault.Invalid, "score.method", "there is no method {method}; take scorecard or additive")
	ErrMonotone = fault.New(fault.Invalid, "score.monotone", "{column} cannot be made monotone: {why}")
	ErrNothing  = fault.New(fault.Invalid, "score.nothing", "no column is left to learn from: {why}")
)

// The methods.
const (
	Additive  = "additive"
	Scorecard = "scorecard"
)

// Methods are all of them, the usual one first.
func Methods() []string { return []string{Additive, Scorecard} }

// Config says how to make a model.
type Config struct {
	Name, Version, Dimension string
	Method                   string         // the usual one when empty
	Folds                    int            // inner ones, 5 when 0
	Seed                     uint64         // of the inner folds
	Groups                   []string       // of the rows, which the inner folds keep together; may be nil
	Monotone                 map[string]int // +1: more of it never lowers the points; -1: never raises them
	Pairs                    int            // at most; negative for none; 0 for up to 20, or all where they say something only together
	Scale                    score.Scale    // the usual one when zero
	BaseRate                 float64        // share of bad ones where the model will be used; 0 takes that of the rows
	From, To                 string         // first and last day of the rows, for the record
}

// UsualScale gives 600 points at odds of 30 good to 1 bad, and doubles the odds every 40.
func UsualScale() score.Scale { return score.Scale{PDO: 40, BasePoints: 600, BaseOdds: 30} }

// defaults fills what is not said.
func (c Config) defaults() Config {
	if c.Name == "" {
		c.Name = "score"
	}
	if c.Version == "" {
		c.Version = "1"
	}
	if c.Method == "" {
		c.Method = Additive
	}
	if c.Folds == 0 {
		c.Folds = 5
	}
	if c.Scale == (score.Scale{}) {
		c.Scale = UsualScale()
	}
	return c
}

// Fit makes a model of the columns of a table, which does not hold the outcome.
func Fit(ctx context.Context, f *frame.Frame, out frame.Outcome, cfg Config) (*score.Model, error) {
	cfg = cfg.defaults()
	if !slices.Contains(Methods(), cfg.Method) {
		return nil, ErrMethod.With("method", cfg.Method)
	}
	checked, err := Check(f, out)
	if err != nil {
		return nil, err
	}
	if err := checked.monotone(cfg.Monotone); err != nil {
		return nil, err
	}
	folds, err := innerFolds(out.Bad, cfg)
	if err != nil {
		return nil, err
	}
	file := score.File{
		Format: score.Format, Name: cfg.Name, Version: cfg.Version, Dimension: cfg.Dimension, Method: cfg.Method,
		Target: out.Column, Bad: out.Value, Scale: cfg.Scale, Notes: checked.Notes(),
		Training: &score.Training{
			Rows: f.Rows, Bad: count(out.Bad), Data: checked.Frame.Hash(), Seed: cfg.Seed, From: cfg.From, To: cfg.To, BaseRate: cfg.BaseRate,
		},
	}
	for _, l := range checked.Left {
		file.Training.LeftOut = append(file.Training.LeftOut, l.Column)
	}
	d, err := newDesign(checked.Frame, out.Bad, cfg.Monotone, fineBins, cfg.Seed)
	if err != nil {
		return nil, err
	}
	var fit *fitted
	if cfg.Method == Scorecard {
		fit, err = fitScorecard(ctx, d, folds)
	} else {
		fit, err = fitAdditive(ctx, d, folds, cfg.Pairs)
	}
	if err != nil {
		return nil, err
	}
	file.Training.Chosen = fit.chosen
	fit.write(&file, out.Bad)
	file.Calibration = fit.calibrate(&file, out.Bad, cfg.BaseRate)
	return score.New(file)
}

// innerFolds are as many as wished, or as the fewer class allows.
func innerFolds(bad []bool, cfg Config) ([]fold.Fold, error) {
	n := min(cfg.Folds, count(bad), len(bad)-count(bad))
	if cfg.Groups != nil {
		if folds, err := fold.Grouped(cfg.Groups, bad, n, cfg.Seed); err == nil {
			return folds, nil
		}
	}
	return fold.Stratified(bad, n, cfg.Seed)
}

// write turns log odds into points. Effects are centred first, so that the base is that
// of an ordinary row, and neighbours of equal points become one bin.
func (f *fitted) write(file *score.File, bad []bool) {
	factor := file.Scale.Factor()
	d, a := f.design, f.model.clone()
	for j := range d.feats {
		if d.feats[j].pair != nil {
			continue
		}
		mean := 0.0
		for _, c := range d.feats[j].codes {
			mean += a.effects[j][c]
		}
		mean /= float64(len(bad))
		a.base += mean
		for k := range a.effects[j] {
			a.effects[j][k] -= mean
		}
	}
	points := func(effect float64) int { return int(math.Round(-factor * effect)) }
	file.Base = int(math.Round(file.Scale.BasePoints - factor*(a.base+math.Log(file.Scale.BaseOdds))))
	n := float64(len(bad))
	rate := float64(count(bad)) / n
	file.BaseSE = math.Sqrt(1 / (n * rate * (1 - rate)))
	place := make([][]int, len(d.feats)) // bin of the model by bin of the design
	use := make([]bool, len(d.feats))
	for j := range d.feats {
		if p := d.feats[j].pair; p != nil {
			use[p.a], use[p.b] = true, true
		}
	}
	at := make([]int, len(d.feats))
	for j := range d.feats {
		if d.feats[j].pair != nil {
			continue
		}
		in, where, flat := d.feats[j].input(a.effects[j], a.vars[j], bad, points, use[j])
		if flat && !use[j] && len(file.Inputs)+1 < len(d.feats) && j+1 < len(d.feats) {
			file.Training.LeftOut = append(file.Training.LeftOut, in.Name)
			continue
		}
		at[j] = len(file.Inputs)
		place[j] = where
		file.Inputs = append(file.Inputs, in)
	}
	for j := range d.feats {
		p := d.feats[j].pair
		if p != nil && slices.ContainsFunc(a.effects[j], func(e float64) bool { return points(e) != 0 }) {
			file.Pairs = append(file.Pairs, p.write(a.effects[j], points, at[p.a], at[p.b], place[p.a], place[p.b]))
		}
	}
}

// input writes a feature; flat tells that it gives the same points whatever its value.
// Bins of equal points are joined where they are neighbours, unless a pair keeps them apart.
func (f *feature) input(effect, vars []float64, bad []bool, points func(float64) int, paired bool) (in score.Input, place []int, flat bool) {
	rows, ill := make([]int, f.bins), make([]int, f.bins)
	goods, bads := 0.0, 0.0
	for r, c := range f.codes {
		rows[c]++
		if bad[r] {
			ill[c]++
			bads++
		} else {
			goods++
		}
	}
	in = score.Input{Name: f.spec.Name, Kind: f.spec.Kind.String(), Monotone: -f.monotone}
	place, flat = make([]int, f.bins), true
	s := &f.spec
	for k := range f.bins {
		b := score.Bin{Points: points(effect[k]), Rows: rows[k], Bad: ill[k], SE: tidy(math.Sqrt(vars[k]))}
		flat = flat && b.Points == 0
		intervals := len(s.Edges) + 1
		isInterval := s.Ordered() > 0 && k < intervals
		switch {
		case k == s.Missing():
			b.Missing = true
		case isInterval && k < len(s.Edges):
			e := s.Edges[k]
			b.Below = &e
		case isInterval:
		case s.Ordered() > 0:
			b.Special = s.Specials[k-intervals]
		case k < len(s.Groups):
			b.Values = s.Groups[k]
		default:
			b.Other = true
		}
		if last := len(in.Bins) - 1; isInterval && k > 0 && !paired && in.Bins[last].Points == b.Points {
			b.Rows += in.Bins[last].Rows
			b.Bad += in.Bins[last].Bad
			b.SE = max(b.SE, in.Bins[last].SE)
			in.Bins[last] = b
		} else {
			in.Bins = append(in.Bins, b)
		}
		place[k] = len(in.Bins) - 1
	}
	for k := range in.Bins {
		b := &in.Bins[k]
		good, ill := float64(b.Rows-b.Bad), float64(b.Bad)
		b.WOE = tidy(math.Log((good + 0.5) / (goods + 0.5) * (bads + 0.5) / (ill + 0.5)))
	}
	return in, place, flat
}

// tidy keeps six digits: more say nothing.
func tidy(v float64) float64 { return math.Round(v*1e6) / 1e6 }

func (p *pair) write(cell []float64, points func(float64) int, a, b int, placeA, placeB []int) score.Pair {
	out := score.Pair{A: a, B: b}
	for i := range p.left.n {
		line := make([]int, p.right.n)
		for j := range line {
			line[j] = points(cell[i*p.right.n+j])
		}
		out.Points = append(out.Points, line)
	}
	out.GroupA, out.GroupB = through(placeA, p.left.group), through(placeB, p.right.group)
	return out
}

// through carries groups of a design's bins over to a model's bins.
func through(place, group []int) []int {
	out := make([]int, slices.Max(place)+1)
	for k, at := range place {
		out[at] = group[k]
	}
	return out
}
