// Package score holds models of default that stay tables: each input is cut into
// bins, each bin gives points, a few pairs of inputs give points for a cell, and
// the sum of the points gives the probability of default. A person can read the
// model, and a machine adds it up in less than a microsecond.
//
// More points mean less risk. How models are made is told in package train, how
// they are measured in package validate.
package score

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// Format is the value of "format" in a model's file.
const Format = "furrow-score/1"

// ErrModel says what is wrong with a model's file.
var ErrModel = fault.New(fault.Invalid, "score.model", "this is no model of scores: {why}")

// The kinds of inputs.
const (
	Number   = "number"   // numbers, cut into intervals
	Category = "category" // texts, gathered into groups
	Date     = "date"     // days, counted from 1970-01-01 and cut into intervals
)

// File is a model as it is written: the whole of it, in JSON.
type File struct {
	Format      string    `json:"format"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Dimension   string    `json:"dimension,omitempty"` // what it looks at: owner, firm, industry, enhancement, scene
	Method      string    `json:"method"`
	Target      string    `json:"target"`
	Bad         string    `json:"bad"`
	Scale       Scale     `json:"scale"`
	Base        int       `json:"base"`    // points of every row
	BaseSE      float64   `json:"base_se"` // standard error of the base, in log odds
	Inputs      []Input   `json:"inputs"`
	Pairs       []Pair    `json:"pairs,omitempty"`
	Calibration []Knot    `json:"calibration"`
	Training    *Training `json:"training,omitempty"`
	Notes       []string  `json:"notes,omitempty"` // what the maker of the model was warned of
}

// Scale turns log odds of being good into points: the base odds (good to bad) are
// worth the base points, and every PDO points double them.
type Scale struct {
	PDO        float64 `json:"pdo"`
	BasePoints float64 `json:"base_points"`
	BaseOdds   float64 `json:"base_odds"`
}

// Factor is the points of one unit of log odds.
func (s Scale) Factor() float64 { return s.PDO / math.Ln2 }

// Input is one column and its bins. The bins of a number or a date are first the intervals
// in ascending order, then special values, then missing; those of a category are
// groups, then other (values not seen before), then missing.
type Input struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Monotone int    `json:"monotone,omitempty"` // +1: more never lowers the points; -1: more never raises them
	Bins     []Bin  `json:"bins"`
}

// Bin is what falls together and the points that it gives.
type Bin struct {
	Below   *float64  `json:"below,omitempty"`   // an interval ends before this number; the last interval has none
	Special []float64 `json:"special,omitempty"` // numbers that are codes, not amounts
	Values  []string  `json:"values,omitempty"`  // a group of categories
	Other   bool      `json:"other,omitempty"`   // categories in no group
	Missing bool      `json:"missing,omitempty"` // nothing known
	Points  int       `json:"points"`
	SE      float64   `json:"se"`   // standard error of the points, in log odds
	Rows    int       `json:"rows"` // training rows in the bin
	Bad     int       `json:"bad"`  // of them bad
	WOE     float64   `json:"woe"`  // ln(share of good / share of bad), smoothed
}

// Pair gives points to two inputs together, on top of their own. GroupA and GroupB
// say for each bin of the input which row or column of the table is its.
type Pair struct {
	A      int     `json:"a"`
	B      int     `json:"b"`
	GroupA []int   `json:"group_a"`
	GroupB []int   `json:"group_b"`
	Points [][]int `json:"points"`
}

// Knot is one point of the curve from points to probability: straight lines between
// the log odds of neighbours, the slope of the scale beyond the ends.
type Knot struct {
	Points float64 `json:"points"`
	PD     float64 `json:"pd"`
}

// Training is the record of how the model was made.
type Training struct {
	Rows     int                `json:"rows"`
	Bad      int                `json:"bad"`
	Data     string             `json:"data"` // SHA-256 of the table's cells
	Seed     uint64             `json:"seed"`
	From     string             `json:"from,omitempty"` // first and last day of the rows, where they have a time
	To       string             `json:"to,omitempty"`
	BaseRate float64            `json:"base_rate,omitempty"` // the rate that probabilities were moved to
	Chosen   map[string]float64 `json:"chosen,omitempty"`    // what the inner folds chose
	Figures  map[string]float64 `json:"figures,omitempty"`   // measured on rows not used, where they were
	LeftOut  []string           `json:"left_out,omitempty"`
}

// Model is a file made ready to score. It never changes and may be used by many at once.
type Model struct {
	file   File
	bytes  []byte
	id     string
	names  []string
	inputs []input
	pairs  []pair
	curve  curve
}

// Result is the score of a row. Keep one and use it again: Score then allocates nothing.
type Result struct {
	Points    int
	PD        float64 // probability of default
	Low, High float64 // its interval, 90 %
	Parts     []Part  // what cost points, most first
}

// Part is what an input costs against its best bin, less its half of what its pairs give:
// below nothing it is a gain.
type Part struct {
	Input int
	Bin   int
	Lost  float64
}

// Read checks a model's file and makes it ready.
func Read(b []byte) (*Model, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var f File
	if err := dec.Decode(&f); err != nil {
		return nil, ErrModel.With("why", err.Error())
	}
	if dec.More() {
		return nil, ErrModel.With("why", "something follows the model")
	}
	return New(f)
}

// New checks a model and makes it ready; its bytes are canonical.
func New(f File) (*Model, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, ErrModel.With("why", err.Error())
	}
	// What the caller keeps must not reach into the model: it is read back from its bytes.
	m := &Model{bytes: append(b, '\n')}
	if err := json.Unmarshal(m.bytes, &m.file); err != nil {
		return nil, ErrModel.With("why", err.Error())
	}
	sum := sha256.Sum256(m.bytes)
	m.id = m.file.Name + "@" + m.file.Version + ":" + hex.EncodeToString(sum[:8])
	for i := range m.file.Inputs {
		m.names = append(m.names, m.file.Inputs[i].Name)
		m.inputs = append(m.inputs, newInput(&m.file.Inputs[i]))
	}
	for i := range m.file.Pairs {
		m.pairs = append(m.pairs, newPair(&m.file.Pairs[i]))
	}
	m.curve = newCurve(m.file.Calibration, m.file.Scale)
	return m, nil
}

// Bytes is the model's file; the same model has the same bytes.
func (m *Model) Bytes() []byte { return slices.Clone(m.bytes) }

// ID names the model for ever: name@version:hash.
func (m *Model) ID() string { return m.id }

// Inputs are the columns of a row, in order.
func (m *Model) Inputs() []string { return slices.Clone(m.names) }

// Dimension is what the model looks at, of the five views of a borrower; it may be empty.
func (m *Model) Dimension() string { return m.file.Dimension }

// File is what the model says of itself. It is shared: do not change it.
func (m *Model) File() *File { return &m.file }

// BinText is a bin in words of no language: "≥ 12, < 36", "A | B", "-8", "?" (missing), "*" (other).
func (m *Model) BinText(in, bin int) string {
	if in < 0 || in >= len(m.file.Inputs) || bin < 0 || bin >= len(m.file.Inputs[in].Bins) {
		return ""
	}
	return m.file.Inputs[in].Text(bin)
}

// Text is what falls into a bin, in words of no language.
func (in *Input) Text(bin int) string {
	b := in.Bins[bin]
	switch {
	case b.Missing:
		return "?"
	case b.Other:
		return "*"
	case len(b.Special) > 0:
		s := make([]string, len(b.Special))
		for i, v := range b.Special {
			s[i] = Num(v).String()
		}
		return strings.Join(s, " | ")
	case len(b.Values) > 0:
		return strings.Join(b.Values, " | ")
	}
	low := ""
	if bin > 0 {
		low = "≥ " + in.edge(bin-1)
	}
	switch {
	case b.Below == nil && low == "":
		return "…"
	case b.Below == nil:
		return low
	case low == "":
		return "< " + in.edge(bin)
	default:
		return low + ", < " + in.edge(bin)
	}
}

// edge is the end of an interval in words.
func (in *Input) edge(bin int) string {
	if in.Kind == Date {
		return time.Unix(int64(*in.Bins[bin].Below)*86400, 0).UTC().Format(time.DateOnly)
	}
	return Num(*in.Bins[bin].Below).String()
}

// interval tells a plain interval of numbers.
func (b *Bin) interval() bool {
	return !b.Missing && !b.Other && len(b.Special) == 0 && len(b.Values) == 0
}

func (f *File) check() error {
	bad := func(format string, args ...any) error { return ErrModel.With("why", fmt.Sprintf(format, args...)) }
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case f.Format != Format:
		return bad("its format is %q, not %q", f.Format, Format)
	case f.Name == "" || strings.ContainsAny(f.Name, "@: \n"):
		return bad("it needs a name without blanks, @ and colon")
	case f.Version == "" || strings.ContainsAny(f.Version, "@: \n"):
		return bad("it needs a version without blanks, @ and colon")
	case !(f.Scale.PDO > 0) || !(f.Scale.BaseOdds > 0) || !finite(f.Scale.PDO) || !finite(f.Scale.BaseOdds) || !finite(f.Scale.BasePoints):
		return bad("its scale needs a pdo and base odds above 0")
	case !(f.BaseSE >= 0) || !finite(f.BaseSE):
		return bad("base_se is at least 0")
	case len(f.Inputs) == 0:
		return bad("it has no inputs")
	case len(f.Calibration) == 0:
		return bad("it has no calibration")
	}
	seen := make(map[string]bool)
	for i := range f.Inputs {
		in := &f.Inputs[i]
		if in.Name == "" || seen[in.Name] {
			return bad("input %d needs a name of its own", i)
		}
		seen[in.Name] = true
		if err := in.check(); err != "" {
			return bad("input %s: %s", in.Name, err)
		}
	}
	for i := range f.Pairs {
		if why := f.Pairs[i].check(f.Inputs); why != "" {
			return bad("pair %d: %s", i, why)
		}
	}
	for i, k := range f.Calibration {
		if !(k.PD > 0 && k.PD < 1) || !finite(k.Points) {
			return bad("calibration %d: a pd lies between 0 and 1", i)
		}
		if i > 0 && (k.Points <= f.Calibration[i-1].Points || k.PD > f.Calibration[i-1].PD) {
			return bad("calibration %d: points rise and the pd does not", i)
		}
	}
	return nil
}

// most is more bins, groups or points than any sane model has.
const most = 1 << 24

func (in *Input) check() string {
	if in.Kind != Number && in.Kind != Category && in.Kind != Date {
		return "its kind is number, category or date"
	}
	if in.Monotone < -1 || in.Monotone > 1 || in.Kind == Category && in.Monotone != 0 {
		return "monotone is -1, 0 or 1, and 0 for a category"
	}
	stage, open, missing, other := 0, false, 0, 0
	values, specials := make(map[string]bool), make(map[float64]bool)
	for i := range in.Bins {
		b := &in.Bins[i]
		if b.Points > most || b.Points < -most || !(b.SE >= 0) || math.IsInf(b.SE, 0) {
			return fmt.Sprintf("bin %d: its points or its se make no sense", i)
		}
		says := 0
		for _, is := range []bool{b.Missing, b.Other, len(b.Special) > 0, len(b.Values) > 0, b.Below != nil} {
			if is {
				says++
			}
		}
		if says > 1 {
			return fmt.Sprintf("bin %d: it says two things at once", i)
		}
		switch {
		case b.Missing:
			missing++
			stage = 3
		case b.Other:
			other++
			stage = max(stage, 2)
		case len(b.Special) > 0:
			for _, v := range b.Special {
				if specials[v] {
					return fmt.Sprintf("bin %d: the special value %v stands twice", i, v)
				}
				specials[v] = true
			}
			stage = max(stage, 1)
		case len(b.Values) > 0:
			for _, v := range b.Values {
				if v == "" || values[v] {
					return fmt.Sprintf("bin %d: the value %q is empty or stands twice", i, v)
				}
				values[v] = true
			}
		default:
			if stage > 0 || open {
				return fmt.Sprintf("bin %d: intervals come first, and only the last has no end", i)
			}
			open = b.Below == nil
			if !open && i > 0 && *b.Below <= *in.Bins[i-1].Below {
				return fmt.Sprintf("bin %d: intervals ascend", i)
			}
		}
	}
	switch {
	case missing != 1:
		return "it needs one bin for missing"
	case in.Kind != Category && (!open || other > 0 || len(values) > 0):
		return "a number needs intervals, the last one without an end, and has no groups"
	case in.Kind == Category && (open || other != 1 || len(specials) > 0 || in.Bins[0].interval()):
		return "a category needs one bin for other values and has no intervals"
	}
	return in.checkMonotone()
}

func (in *Input) checkMonotone() string {
	for i := 1; in.Monotone != 0 && i < len(in.Bins) && in.Bins[i].interval(); i++ {
		if in.Monotone*(in.Bins[i].Points-in.Bins[i-1].Points) < 0 {
			return fmt.Sprintf("bin %d: the points break the declared direction", i)
		}
	}
	return ""
}

func (p *Pair) check(inputs []Input) string {
	if p.A < 0 || p.B < 0 || p.A >= len(inputs) || p.B >= len(inputs) || p.A == p.B {
		return "it names two inputs by their place"
	}
	rows := len(p.Points)
	if rows == 0 || len(p.Points[0]) == 0 {
		return "it has no points"
	}
	cols := len(p.Points[0])
	for _, line := range p.Points {
		if len(line) != cols {
			return "its lines are of unequal length"
		}
		for _, v := range line {
			if v > most || v < -most {
				return "its points make no sense"
			}
		}
	}
	for _, side := range []struct {
		in     int
		groups []int
		n      int
	}{{p.A, p.GroupA, rows}, {p.B, p.GroupB, cols}} {
		if len(side.groups) != len(inputs[side.in].Bins) {
			return "it needs a group for each bin of " + inputs[side.in].Name
		}
		for _, g := range side.groups {
			if g < 0 || g >= side.n {
				return "a group is not in its table"
			}
		}
	}
	return ""
}

// Interval tells whether a bin is a plain interval of numbers.
func (in *Input) Interval(bin int) bool { return in.Kind != Category && in.Bins[bin].interval() }

// Run is the text of neighbouring intervals together.
func (in *Input) Run(from, to int) string {
	if from == to {
		return in.Text(from)
	}
	joined := Input{Name: in.Name, Kind: in.Kind, Bins: []Bin{in.Bins[to]}}
	if from > 0 {
		joined.Bins = []Bin{in.Bins[from-1], in.Bins[to]}
	}
	return joined.Text(len(joined.Bins) - 1)
}
