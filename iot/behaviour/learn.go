package behaviour

import (
	"context"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
)

// Class is what a window is judged to be.
type Class int

// The classes. Standing is told from lying so that it is not counted as lying.
const (
	Resting Class = iota // lies, awake or asleep, and may ruminate
	Walking
	Grazing
	Standing
	classes int = iota
)

// String is the class as files and reports call it.
func (c Class) String() string {
	return [...]string{"resting", "walking", "grazing", "standing"}[c]
}

// ClassOf is the class that a label of a file means; other labels (drinking,
// licking, rising) are of no class and are left out.
func ClassOf(label string) (Class, bool) {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "resting", "lying":
		return Resting, true
	case "walking":
		return Walking, true
	case "grazing":
		return Grazing, true
	case "standing":
		return Standing, true
	}
	return 0, false
}

// ErrLearn is returned when the segments cannot be learnt from.
var ErrLearn = fault.New(fault.Invalid, "behaviour.learn", "nothing can be learnt from these segments: {why}")

// Config is how a model is learnt.
type Config struct {
	Window float64 `json:"window_s"` // length of a window; runs are cut into parts of about it
	Ridge  float64 `json:"ridge"`    // weight of the squares of the coefficients
}

// Grid is the configurations that are chosen from, on the animals learnt from.
func Grid() []Config {
	var g []Config
	for _, w := range []float64{5, 10, 20} {
		for _, r := range []float64{1, 10, 100} {
			g = append(g, Config{w, r})
		}
	}
	return g
}

const (
	// doubt is the mean probability of its own label, by a model of the other
	// animals, below which a segment is taken for wrongly labelled and not learnt
	// from. Segments that are measured are never left out for it.
	doubt = 0.1
	// balance is the power of a class's seconds that its windows are weighted down
	// by: 1 would make all classes equally likely beforehand, 0 as likely as in the
	// data, where nobody chose the hours of filming to be those of a day.
	balance = 0.75
	// clip keeps a feature that lies far outside what was learnt from deciding alone.
	clip = 3.0
	// mass is the sum of the weights of all windows, whatever their number, so that
	// a ridge means the same for every window length.
	mass = 1000.0
	// wanted is the accuracy of answers that the threshold is set for.
	wanted = 0.95
)

// window is a labelled part of a segment.
type window struct {
	group   string
	segment int
	class   Class
	seconds float64
	f       [Features]float64
}

// windows cuts segments with a class into windows of about length seconds; none
// straddles two segments.
func windows(segments []Segment, length float64) []window {
	var out []window
	var s scratch
	for i := range segments {
		c, ok := ClassOf(segments[i].Label)
		if !ok {
			continue
		}
		x := resample(segments[i].XYZ, segments[i].Hz)
		bounds := cut(len(x), int(length*Rate))
		for k := 1; k < len(bounds); k++ {
			w := x[bounds[k-1]:bounds[k]]
			out = append(out, window{segments[i].Group, i, c, float64(len(w)) / Rate, s.extract(w)})
		}
	}
	return out
}

// weights are a model's numbers: features are standardised by mean and spread, clipped, and scored.
type weights struct {
	Mean  [Features]float64 `json:"mean"`
	Scale [Features]float64 `json:"scale"`
	Coef  logistic          `json:"coef"` // of every class but the last, the constant last
}

// score fills p with the probability of each class.
func (m *weights) score(f *[Features]float64, x *[Features]float64, p *[classes]float64) {
	m.standard(f, x)
	probabilities(m.Coef, x[:], p[:])
}

func (m *weights) standard(f, x *[Features]float64) {
	for k, v := range f {
		x[k] = math.Max(-clip, math.Min(clip, (v-m.Mean[k])/m.Scale[k]))
	}
}

// learn fits the windows that keep chooses.
func learn(ws []window, keep func(*window) bool, ridge float64) *weights {
	m := new(weights)
	var count [classes]float64
	n := 0.0
	for i := range ws {
		if w := &ws[i]; keep(w) {
			count[w.class] += w.seconds
			n++
			for k, v := range w.f {
				m.Mean[k] += v
			}
		}
	}
	for k := range m.Mean {
		m.Mean[k] /= n
	}
	for i := range ws {
		if w := &ws[i]; keep(w) {
			for k, v := range w.f {
				m.Scale[k] += (v - m.Mean[k]) * (v - m.Mean[k]) / n
			}
		}
	}
	for k, v := range m.Scale {
		m.Scale[k] = math.Max(math.Sqrt(v), 1e-6)
	}
	total := 0.0
	for _, c := range count {
		total += math.Pow(c, 1-balance)
	}
	examples := make([]example, 0, int(n))
	for i := range ws {
		if w := &ws[i]; keep(w) {
			var x [Features]float64
			m.standard(&w.f, &x)
			examples = append(examples, example{x[:], int(w.class), mass * w.seconds / math.Pow(count[w.class], balance) / total})
		}
	}
	m.Coef = fit(examples, classes, ridge)
	return m
}

// answer is a window judged by a model that has not seen its animal.
type answer struct {
	*window
	p [classes]float64
}

// apart judges every window of groups by a model of the other groups, without the
// segments in bad.
func apart(ws []window, groups []string, bad map[int]bool, ridge float64) []answer {
	in := make(map[string]bool, len(groups))
	for _, g := range groups {
		in[g] = true
	}
	var out []answer
	var x [Features]float64
	for _, g := range groups {
		m := learn(ws, func(w *window) bool { return in[w.group] && w.group != g && !bad[w.segment] }, ridge)
		for i := range ws {
			if w := &ws[i]; w.group == g {
				a := answer{window: w}
				m.score(&w.f, &x, &a.p)
				out = append(out, a)
			}
		}
	}
	return out
}

// doubtful are the segments whose own label a model of the other animals hardly
// believes.
func doubtful(answers []answer) map[int]bool {
	own, all := map[int]float64{}, map[int]float64{}
	for _, a := range answers {
		own[a.segment] += a.p[a.class] * a.seconds
		all[a.segment] += a.seconds
	}
	bad := make(map[int]bool)
	for s := range own {
		if own[s] < doubt*all[s] {
			bad[s] = true
		}
	}
	return bad
}

// choice is a model and how it was chosen.
type choice struct {
	Config
	weights   *weights
	threshold float64
	doubtful  map[int]bool
}

// choose picks the configuration with the best macro F1 over animals left out one
// at a time, among groups only, and learns from all of groups with it. byLength has
// the windows of each window length of the grid.
func choose(ctx context.Context, byLength map[float64][]window, groups []string, grid []Config) (*choice, error) {
	type trial struct {
		f1        float64
		threshold float64
		doubtful  map[int]bool
	}
	trials := make([]trial, len(grid))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, cfg := range grid {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			ws := byLength[cfg.Window]
			bad := doubtful(apart(ws, groups, nil, cfg.Ridge))
			answers := apart(ws, groups, bad, cfg.Ridge)
			trusted := slices.DeleteFunc(answers, func(a answer) bool { return bad[a.segment] })
			trials[i] = trial{confuse(trusted, Three, 0).MacroF1(), threshold(trusted), bad}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	best := 0
	for i := range trials {
		if trials[i].f1 > trials[best].f1 {
			best = i
		}
	}
	cfg, t := grid[best], trials[best]
	in := make(map[string]bool, len(groups))
	for _, g := range groups {
		in[g] = true
	}
	m := learn(byLength[cfg.Window], func(w *window) bool { return in[w.group] && !t.doubtful[w.segment] }, cfg.Ridge)
	return &choice{cfg, m, t.threshold, t.doubtful}, nil
}

// parallel is how many configurations are tried at once.
const parallel = 2

// threshold is the least probability from which on answers are right wanted of the
// time, by seconds; from 0.5, below which an answer is a guess, to 0.9.
func threshold(answers []answer) float64 {
	type judged struct{ p, seconds, right float64 }
	all := make([]judged, len(answers))
	var seconds, right float64
	for i, a := range answers {
		c := top(a.p[:])
		all[i] = judged{p: a.p[c], seconds: a.seconds}
		if Class(c) == a.class {
			all[i].right = a.seconds
		}
		seconds += all[i].seconds
		right += all[i].right
	}
	slices.SortFunc(all, func(a, b judged) int {
		switch {
		case a.p < b.p:
			return -1
		case a.p > b.p:
			return 1
		}
		return 0
	})
	least := 0.0
	for _, a := range all {
		if right >= wanted*seconds {
			break
		}
		seconds -= a.seconds
		right -= a.right
		least = a.p
	}
	return math.Max(0.5, math.Min(least, 0.9))
}

func top(p []float64) int {
	best := 0
	for c, v := range p {
		if v > p[best] {
			best = c
		}
	}
	return best
}

// prepare cuts the segments for every window length of the grid and lists the
// animals. ErrLearn when a class or an animal is missing.
func prepare(segments []Segment, grid []Config) (byLength map[float64][]window, groups []string, err error) {
	byLength = make(map[float64][]window)
	for _, cfg := range grid {
		if byLength[cfg.Window] == nil {
			byLength[cfg.Window] = windows(segments, cfg.Window)
		}
	}
	in := map[Class]map[string]bool{}
	for _, w := range byLength[grid[0].Window] {
		if in[w.class] == nil {
			in[w.class] = map[string]bool{}
		}
		in[w.class][w.group] = true
		if !slices.Contains(groups, w.group) {
			groups = append(groups, w.group)
		}
	}
	slices.Sort(groups)
	for c := range Class(classes) {
		if len(in[c]) < 3 {
			return nil, nil, ErrLearn.With("why", "at least three animals must be labelled "+c.String()+" for 3 s or more")
		}
	}
	return byLength, groups, nil
}
