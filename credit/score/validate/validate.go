// Package validate measures a way of making models of default on rows that the models
// have not seen: in folds that respect classes, groups and time, with calibration,
// gains, stability, segments and fairness.
package validate

import (
	"context"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/fault"
)

// ErrShare is a share of approvals that cannot be.
var ErrShare = fault.New(fault.Invalid, "score.share", "the share of rows approved lies between 0 and 1, got {share}")

// Config says how to measure.
type Config struct {
	Train     train.Config
	Folds     int
	Repeats   int // of the folds, each with the next seed; 1 when 0
	Seed      uint64
	Group     string  // column whose rows stay in one fold; it is no input
	Time      string  // column in whose order folds go; it is no input
	Segment   string  // column by which figures are told apart; it stays an input
	Protected string  // column by which fairness is checked; it is no input
	Approve   float64 // share of rows that fairness takes as approved; 0.8 when 0
}

// Result is what was measured. The figures are means over the folds, with their standard
// deviations.
type Result struct {
	Method     string          `json:"method"`
	Rows       int             `json:"rows"`
	Bad        int             `json:"bad"`
	FoldsOf    string          `json:"folds_of"` // stratified, group or time
	Folds      int             `json:"folds"`
	Repeats    int             `json:"repeats"`
	Seed       uint64          `json:"seed"`
	AUC        float64         `json:"auc"`
	AUCSD      float64         `json:"auc_sd"`
	AUCLow     float64         `json:"auc_low"` // 95 % interval of the mean (DeLong)
	AUCHigh    float64         `json:"auc_high"`
	KS         float64         `json:"ks"`
	KSSD       float64         `json:"ks_sd"`
	Gini       float64         `json:"gini"`
	GiniSD     float64         `json:"gini_sd"`
	Brier      float64         `json:"brier"`
	BrierSD    float64         `json:"brier_sd"`
	LogLoss    float64         `json:"log_loss"`
	LogLossSD  float64         `json:"log_loss_sd"`
	TrainAUC   float64         `json:"train_auc"` // on the rows learnt from: far above auc means learning by heart
	PSI        float64         `json:"psi"`       // of points, between training and test
	ECE        float64         `json:"calibration_error"`
	Covered    float64         `json:"covered"` // share of tenths of risk whose bad rate lies in the mean interval
	Findings   Findings        `json:"findings"`
	Unknown    []Unknown       `json:"unknown_categories"`
	PerFold    []FoldFigures   `json:"per_fold"`
	Tenths     []Tenth         `json:"tenths"`
	ROC        []measure.Point `json:"-"`
	Points     []Span          `json:"points"`
	CSI        []Shift         `json:"csi"`
	Segments   []Part          `json:"segments,omitempty"`
	Protected  []Fair          `json:"protected,omitempty"`
	Approve    float64         `json:"approve"`
	Segment    string          `json:"segment,omitempty"`
	ProtectedC string          `json:"protected_column,omitempty"`
}

// Findings are the columns left out and those warned of.
type Findings struct {
	Left []train.Finding `json:"left_out"`
	Warn []train.Finding `json:"warnings"`
}

// Unknown is a column that had categories at test that training had not.
type Unknown struct {
	Column string  `json:"column"`
	Rows   int     `json:"rows"`
	Share  float64 `json:"share"`
}

// FoldFigures are the figures of one fold.
type FoldFigures struct {
	Train   int     `json:"train"`
	Test    int     `json:"test"`
	AUC     float64 `json:"auc"`
	KS      float64 `json:"ks"`
	Brier   float64 `json:"brier"`
	LogLoss float64 `json:"log_loss"`
	PSI     float64 `json:"psi"`
}

// Tenth is a tenth of the rows by risk, the riskiest first.
type Tenth struct {
	Rows    int     `json:"rows"`
	Bad     int     `json:"bad"`
	Said    float64 `json:"said"`     // mean probability
	Rate    float64 `json:"rate"`     // that came true
	Low     float64 `json:"low"`      // mean interval
	High    float64 `json:"high"`     //
	CumBad  float64 `json:"cum_bad"`  // share of all bad rows down to here
	CumRows float64 `json:"cum_rows"` //
	Lift    float64 `json:"lift"`     // of all down to here
}

// Span is an interval of points and the rows in it.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"` // up to, not with
	Good int `json:"good"`
	Bad  int `json:"bad"`
}

// Shift is how much an input's bins differ between training and test.
type Shift struct {
	Column string  `json:"column"`
	CSI    float64 `json:"csi"`
}

// Part is a segment.
type Part struct {
	Value string   `json:"value"`
	Rows  int      `json:"rows"`
	Bad   int      `json:"bad"`
	AUC   *float64 `json:"auc"` // null where one class is missing
	Said  float64  `json:"said"`
	Rate  float64  `json:"rate"`
}

// Fair is a protected group.
type Fair struct {
	Part
	Approved float64 `json:"approved"` // share of its rows
	Ratio    float64 `json:"ratio"`    // of that to the group approved most; under 0.8 is a warning
	GoodIn   float64 `json:"good_in"`  // share of its good rows approved
	Gap      float64 `json:"gap"`      // of that to the group where it is largest (equal opportunity)
}

// seen is a row scored by a model that has not seen it.
type seen struct {
	row           int
	bad           bool
	pd, low, high float64
	points        int
}

// Run measures.
func Run(ctx context.Context, table *frame.Frame, out frame.Outcome, cfg Config) (*Result, error) {
	if cfg.Repeats == 0 {
		cfg.Repeats = 1
	}
	if cfg.Approve == 0 {
		cfg.Approve = 0.8
	}
	if !(cfg.Approve > 0 && cfg.Approve < 1) {
		return nil, ErrShare.With("share", cfg.Approve)
	}
	inputs, err := cfg.inputs(table, out.Column)
	if err != nil {
		return nil, err
	}
	checked, err := train.Check(inputs, out)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, table: table, inputs: inputs, out: out, unknown: map[string]int{}, csi: map[string][]float64{}}
	res := &Result{
		Method: cfg.Train.Method, Rows: table.Rows, FoldsOf: "stratified", Repeats: cfg.Repeats, Seed: cfg.Seed, Approve: cfg.Approve,
		Findings: Findings{Left: orEmpty(checked.Left), Warn: orEmpty(checked.Warn)}, Segment: cfg.Segment, ProtectedC: cfg.Protected,
	}
	if res.Method == "" {
		res.Method = train.Methods()[0]
	}
	for _, b := range out.Bad {
		if b {
			res.Bad++
		}
	}
	for k := range cfg.Repeats {
		folds, of, err := cfg.parts(table, out.Bad, cfg.Seed+uint64(k)) //nolint:gosec // few repeats
		if err != nil {
			return nil, err
		}
		res.FoldsOf, res.Folds = of, len(folds)
		for _, f := range folds {
			if err := r.fold(ctx, f); err != nil {
				return nil, err
			}
		}
		if of == "time" {
			res.Repeats = 1
			break
		}
	}
	r.sum(res)
	return res, nil
}

func orEmpty[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// inputs leaves out the columns that are none.
func (c Config) inputs(table *frame.Frame, target string) (*frame.Frame, error) {
	names := []string{target}
	for _, n := range []string{c.Group, c.Time, c.Protected} {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if c.Segment != "" {
		if _, err := table.Column(c.Segment); err != nil {
			return nil, err
		}
	}
	return table.Drop(names...)
}

func (c Config) parts(table *frame.Frame, bad []bool, seed uint64) ([]fold.Fold, string, error) {
	switch {
	case c.Time != "":
		col, err := table.Column(c.Time)
		if err != nil {
			return nil, "", err
		}
		times, err := moments(col)
		if err != nil {
			return nil, "", err
		}
		f, err := fold.Expanding(times, bad, c.Folds)
		if err == nil && c.Group != "" {
			f, err = c.apart(table, f, bad)
		}
		return f, "time", err
	case c.Group != "":
		g, err := texts(table, c.Group)
		if err != nil {
			return nil, "", err
		}
		f, err := fold.Grouped(g, bad, c.Folds, seed)
		return f, "group", err
	default:
		f, err := fold.Stratified(bad, c.Folds, seed)
		return f, "stratified", err
	}
}

// apart takes rows out of the training of folds by time whose group is tested.
func (c Config) apart(table *frame.Frame, folds []fold.Fold, bad []bool) ([]fold.Fold, error) {
	g, err := texts(table, c.Group)
	if err != nil {
		return nil, err
	}
	for i := range folds {
		tested := map[string]bool{}
		for _, r := range folds[i].Test {
			tested[g[r]] = true
		}
		folds[i].Train = slices.DeleteFunc(folds[i].Train, func(r int) bool { return tested[g[r]] })
	}
	return folds, fold.Sound(folds, bad)
}

func texts(table *frame.Frame, column string) ([]string, error) {
	col, err := table.Column(column)
	if err != nil {
		return nil, err
	}
	out := make([]string, table.Rows)
	for r := range out {
		out[r] = col.Text(r)
	}
	return out, nil
}

// moments gives times that can be ordered: days and numbers as they are, texts such as
// 2024Q1 by their letters. A row without one cannot be placed.
func moments(c *frame.Column) ([]float64, error) {
	out := make([]float64, len(c.Num)+len(c.Code))
	for r := range out {
		if c.IsMissing(r) {
			return nil, fold.ErrFolds.With("folds", "the").With("why", "row "+strconv.Itoa(r+1)+" has no "+c.Name)
		}
		if c.Kind == frame.Category {
			out[r] = float64(c.Code[r]) // levels are sorted
		} else {
			out[r] = c.Num[r]
		}
	}
	return out, nil
}

// run gathers what the folds tell.
type run struct {
	cfg       Config
	table     *frame.Frame
	inputs    *frame.Frame
	out       frame.Outcome
	folds     []FoldFigures
	variances []float64
	trainAUC  []float64
	rows      []seen
	unknown   map[string]int
	csi       map[string][]float64
}

func (r *run) fold(ctx context.Context, f fold.Fold) error {
	out := frame.Outcome{Column: r.out.Column, Value: r.out.Value}
	for _, row := range f.Train {
		out.Bad = append(out.Bad, r.out.Bad[row])
	}
	cfg := r.cfg.Train
	cfg.Seed = r.cfg.Seed
	if r.cfg.Group != "" {
		g, err := texts(r.table, r.cfg.Group)
		if err != nil {
			return err
		}
		for _, row := range f.Train {
			cfg.Groups = append(cfg.Groups, g[row])
		}
	}
	learnt := r.inputs.Take(f.Train)
	m, err := train.Fit(ctx, learnt, out, cfg)
	if err != nil {
		return err
	}
	before, after := Rows(m, r.inputs, f.Train), Rows(m, r.inputs, f.Test)
	var pd, old []float64
	var bad []bool
	for i, s := range after.Results {
		row := f.Test[i]
		pd, bad = append(pd, s.PD), append(bad, r.out.Bad[row])
		r.rows = append(r.rows, seen{row: row, bad: r.out.Bad[row], pd: s.PD, low: s.Low, high: s.High, points: s.Points})
	}
	for _, s := range before.Results {
		old = append(old, s.PD)
	}
	auc, variance := measure.DeLong(pd, bad)
	r.folds = append(r.folds, FoldFigures{
		Train: len(f.Train), Test: len(f.Test), AUC: auc, KS: measure.KS(pd, bad), Brier: measure.Brier(pd, bad), LogLoss: measure.LogLoss(pd, bad),
		PSI: measure.PSI(ints(before.Results), ints(after.Results)),
	})
	r.variances = append(r.variances, variance)
	r.trainAUC = append(r.trainAUC, measure.AUC(old, out.Bad))
	for i, name := range m.Inputs() {
		r.csi[name] = append(r.csi[name], measure.Shift(before.Bins[i], after.Bins[i]))
	}
	r.strangers(learnt, f)
	return nil
}

// strangers counts the categories of the test that training had not.
func (r *run) strangers(learnt *frame.Frame, f fold.Fold) {
	for i := range learnt.Columns {
		c := &learnt.Columns[i]
		if c.Kind != frame.Category {
			continue
		}
		known := make([]bool, len(c.Levels))
		for _, k := range c.Code {
			if k >= 0 {
				known[k] = true
			}
		}
		for _, row := range f.Test {
			if k := r.inputs.Columns[i].Code[row]; k >= 0 && !known[k] {
				r.unknown[c.Name]++
			}
		}
	}
}

func ints(results []score.Result) []float64 {
	out := make([]float64, len(results))
	for i, s := range results {
		out[i] = float64(s.Points)
	}
	return out
}

// Scored are rows scored by a model.
type Scored struct {
	Results []score.Result // without parts
	Bins    [][]int        // by input, rows in each bin
}

// Rows scores rows of a table; a column that the model needs and the table has not is
// missing.
func Rows(m *score.Model, f *frame.Frame, rows []int) Scored {
	file := m.File()
	cols := make([]*frame.Column, len(file.Inputs))
	out := Scored{Results: make([]score.Result, len(rows)), Bins: make([][]int, len(cols))}
	for i := range cols {
		if c, err := f.Column(file.Inputs[i].Name); err == nil {
			cols[i] = c
		}
		out.Bins[i] = make([]int, len(file.Inputs[i].Bins))
	}
	row := make([]score.Value, len(cols))
	var res score.Result
	for k, r := range rows {
		for i, c := range cols {
			if row[i] = score.Missing; c != nil {
				row[i] = c.Value(r)
			}
		}
		m.Score(row, &res)
		out.Results[k] = score.Result{Points: res.Points, PD: res.PD, Low: res.Low, High: res.High}
		for _, p := range res.Parts {
			out.Bins[p.Input][p.Bin]++
		}
	}
	return out
}

// sum makes the result of what was gathered.
func (r *run) sum(res *Result) {
	pick := func(of func(FoldFigures) float64) (mean, sd float64) {
		v := make([]float64, len(r.folds))
		for i, f := range r.folds {
			v[i] = of(f)
		}
		return measure.Mean(v), measure.Deviation(v)
	}
	res.PerFold = r.folds
	res.AUC, res.AUCSD = pick(func(f FoldFigures) float64 { return f.AUC })
	res.KS, res.KSSD = pick(func(f FoldFigures) float64 { return f.KS })
	res.Gini, res.GiniSD = 2*res.AUC-1, 2*res.AUCSD
	res.Brier, res.BrierSD = pick(func(f FoldFigures) float64 { return f.Brier })
	res.LogLoss, res.LogLossSD = pick(func(f FoldFigures) float64 { return f.LogLoss })
	res.PSI, _ = pick(func(f FoldFigures) float64 { return f.PSI })
	res.TrainAUC = measure.Mean(r.trainAUC)
	// Repeats measure the same rows again: they make the mean steadier, not the rows more.
	se := math.Sqrt(measure.Mean(r.variances) / float64(res.Folds))
	res.AUCLow, res.AUCHigh = max(0, res.AUC-1.96*se), min(1, res.AUC+1.96*se)
	names := make([]string, 0, len(r.unknown))
	for n := range r.unknown {
		names = append(names, n)
	}
	slices.Sort(names)
	res.Unknown = []Unknown{}
	for _, n := range names {
		res.Unknown = append(res.Unknown, Unknown{n, r.unknown[n], float64(r.unknown[n]) / float64(len(r.rows))})
	}
	for n, v := range r.csi {
		res.CSI = append(res.CSI, Shift{n, measure.Mean(v)})
	}
	slices.SortFunc(res.CSI, func(a, b Shift) int {
		if a.CSI != b.CSI {
			if a.CSI > b.CSI {
				return -1
			}
			return 1
		}
		if a.Column < b.Column {
			return -1
		}
		return 1
	})
	sort.SliceStable(r.rows, func(i, j int) bool { return r.rows[i].pd > r.rows[j].pd })
	var pd []float64
	var bad []bool
	for _, s := range r.rows {
		pd, bad = append(pd, s.pd), append(bad, s.bad)
	}
	res.ROC = measure.Thin(measure.ROC(pd, bad), 200)
	res.tenths(r.rows)
	res.spans(r.rows)
	if r.cfg.Segment != "" {
		res.Segments = r.segments(r.cfg.Segment)
	}
	if r.cfg.Protected != "" {
		res.Protected = r.fairness()
	}
}

// tenths cuts rows, ordered by risk, into ten.
func (res *Result) tenths(rows []seen) {
	all := 0.0
	for _, s := range rows {
		if s.bad {
			all++
		}
	}
	have, cum, inside := 0, 0.0, 0.0
	for k := range 10 {
		part := rows[k*len(rows)/10 : (k+1)*len(rows)/10]
		if len(part) == 0 {
			continue
		}
		t := Tenth{Rows: len(part)}
		for _, s := range part {
			t.Said += s.pd
			t.Low += s.low
			t.High += s.high
			if s.bad {
				t.Bad++
			}
		}
		n := float64(len(part))
		t.Said, t.Low, t.High, t.Rate = t.Said/n, t.Low/n, t.High/n, float64(t.Bad)/n
		have += t.Rows
		cum += float64(t.Bad)
		t.CumRows, t.CumBad = float64(have)/float64(len(rows)), cum/all
		t.Lift = t.CumBad / t.CumRows
		res.ECE += math.Abs(t.Said-t.Rate) * n / float64(len(rows))
		if t.Rate >= t.Low && t.Rate <= t.High {
			inside++
		}
		res.Tenths = append(res.Tenths, t)
	}
	res.Covered = inside / float64(max(1, len(res.Tenths)))
}

// spans counts rows by points, in about twenty steps of a round number.
func (res *Result) spans(rows []seen) {
	lo, hi := rows[0].points, rows[0].points
	for _, s := range rows {
		lo, hi = min(lo, s.points), max(hi, s.points)
	}
	width := 1
	for _, w := range []int{2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 10000, 1 << 20} {
		if (hi-lo)/width < 24 {
			break
		}
		width = w
	}
	first := int(math.Floor(float64(lo)/float64(width))) * width
	res.Points = make([]Span, (hi-first)/width+1)
	for i := range res.Points {
		res.Points[i].From, res.Points[i].To = first+i*width, first+(i+1)*width
	}
	for _, s := range rows {
		p := &res.Points[(s.points-first)/width]
		if s.bad {
			p.Bad++
		} else {
			p.Good++
		}
	}
}

// mostParts is how many segments or groups are told apart; amounts are cut into fifths.
const mostParts = 30

// by sorts rows into the values of a column.
func (r *run) by(column string) (names []string, rows map[string][]seen) {
	col, err := r.table.Column(column)
	if err != nil {
		return nil, nil // looked for before
	}
	name := func(row int) string {
		if col.IsMissing(row) {
			return "?"
		}
		return col.Text(row)
	}
	if col.Kind != frame.Category && col.Distinct() > 10 {
		name = fifths(col)
	}
	rows = map[string][]seen{}
	for _, s := range r.rows {
		n := name(s.row)
		if rows[n] == nil {
			names = append(names, n)
		}
		rows[n] = append(rows[n], s)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, okX := score.ParseNumber(a)
		y, okY := score.ParseNumber(b)
		switch {
		case okX && okY && x != y && x < y, (!okX || !okY || x == y) && a < b:
			return -1
		default:
			return 1
		}
	})
	if len(names) > mostParts {
		slices.SortStableFunc(names, func(a, b string) int { return len(rows[b]) - len(rows[a]) })
		names = names[:mostParts]
	}
	return names, rows
}

func fifths(col *frame.Column) func(int) string {
	var v []float64
	for _, x := range col.Num {
		if !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	slices.Sort(v)
	var cuts []float64
	for k := 1; k < 5; k++ {
		if c := v[k*len(v)/5]; len(cuts) == 0 || c > cuts[len(cuts)-1] {
			cuts = append(cuts, c)
		}
	}
	text := func(x float64) string {
		c := frame.Column{Kind: col.Kind, Num: []float64{x}}
		return c.Text(0)
	}
	return func(row int) string {
		if col.IsMissing(row) {
			return "?"
		}
		at, same := slices.BinarySearch(cuts, col.Num[row])
		if same {
			at++
		}
		switch {
		case at == 0:
			return "1: < " + text(cuts[0])
		case at == len(cuts):
			return strconv.Itoa(at+1) + ": ≥ " + text(cuts[at-1])
		default:
			return strconv.Itoa(at+1) + ": ≥ " + text(cuts[at-1]) + ", < " + text(cuts[at])
		}
	}
}

func partOf(name string, rows []seen) Part {
	p := Part{Value: name, Rows: len(rows)}
	var pd []float64
	var bad []bool
	for _, s := range rows {
		p.Said += s.pd
		pd, bad = append(pd, s.pd), append(bad, s.bad)
		if s.bad {
			p.Bad++
		}
	}
	p.Said /= float64(len(rows))
	p.Rate = float64(p.Bad) / float64(len(rows))
	if auc := measure.AUC(pd, bad); !math.IsNaN(auc) {
		p.AUC = &auc
	}
	return p
}

func (r *run) segments(column string) (out []Part) {
	names, rows := r.by(column)
	for _, n := range names {
		out = append(out, partOf(n, rows[n]))
	}
	return out
}

// fairness takes the safest rows as approved and compares the groups.
func (r *run) fairness() (out []Fair) {
	cut := r.rows[int(float64(len(r.rows))*(1-r.cfg.Approve))].pd
	names, rows := r.by(r.cfg.Protected)
	mostApproved, mostGood := 0.0, 0.0
	for _, n := range names {
		f := Fair{Part: partOf(n, rows[n])}
		goods := 0.0
		for _, s := range rows[n] {
			in := s.pd <= cut
			if in {
				f.Approved++
			}
			if !s.bad {
				goods++
				if in {
					f.GoodIn++
				}
			}
		}
		f.Approved /= float64(len(rows[n]))
		if goods > 0 {
			f.GoodIn /= goods
		}
		mostApproved, mostGood = max(mostApproved, f.Approved), max(mostGood, f.GoodIn)
		out = append(out, f)
	}
	for i := range out {
		if mostApproved > 0 {
			out[i].Ratio = out[i].Approved / mostApproved
		}
		out[i].Gap = out[i].GoodIn - mostGood
	}
	return out
}
