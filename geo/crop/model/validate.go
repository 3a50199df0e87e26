package model

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// What can be wrong with a wish to train or validate.
var (
	ErrClasses = fault.New(fault.Invalid, "model.classes", "the samples have {n} label(s); a classifier needs two or more")
	ErrFew     = fault.New(fault.Invalid, "model.few", "label {label} has {n} sample(s) with data; give {least} or more, or leave the label out")
	ErrThin    = fault.New(fault.Invalid, "model.thin", "without {fold} there are {n} sample(s) with data of {labels} label(s) left to learn from; take another group, fewer folds or more samples")
	ErrGroupBy = fault.New(fault.Invalid, "model.group", "{text} says no way to part the samples; write block:1deg or the name of a column")
)

// LeastSamples is how many samples with data a label needs.
const LeastSamples = 5

// Config says how samples are parted and which method learns from them. The zero
// value is the default method on 5 random folds.
type Config struct {
	Method string // one of [Methods]; "" is the default
	Folds  int    // 0 leaves out one group at a time, with Group; else 5
	Group  string // "" for random folds, "block:1deg", or a column
	Seed   uint64
}

// Result is the accuracy of a method on samples that it has not seen.
type Result struct {
	Method  string `json:"method"`
	Group   string `json:"group,omitempty"`
	Seed    uint64 `json:"seed"`
	FoldsOf int    `json:"folds"`
	*sample.Score

	labels  []string
	answers []*learn.Matrix // of each member, of the samples that have data
	truth   []int
	known   []int // index of those samples
}

// Check looks whether a set can be trained on. It returns ErrClasses or ErrFew.
func Check(set *sample.Set) (labels []string, err error) {
	count := map[string]int{}
	for i := range set.Samples {
		if s := &set.Samples[i]; s.Label != "" {
			n := 1
			if s.Blank() {
				n = 0
			}
			count[s.Label] += n
		}
	}
	for l := range count {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	if len(labels) < 2 {
		return nil, ErrClasses.With("n", len(labels))
	}
	for _, l := range labels {
		if count[l] < LeastSamples {
			return nil, ErrFew.With("label", strconv.Quote(l)).With("n", count[l]).With("least", LeastSamples)
		}
	}
	return labels, nil
}

// split gives the fold of every sample and the names of the folds.
func split(set *sample.Set, cfg Config) (fold []int, names []string, err error) {
	folds := cfg.Folds
	if cfg.Group == "" {
		labels := make([]string, len(set.Samples))
		for i := range labels {
			labels[i] = set.Samples[i].Label
		}
		fold, err = sample.Random(labels, cmp.Or(folds, defaultFolds), cfg.Seed)
	} else {
		var groups []string
		if width, ok := strings.CutPrefix(cfg.Group, "block:"); ok {
			deg, perr := strconv.ParseFloat(strings.TrimSuffix(width, "deg"), 64)
			if perr != nil {
				return nil, nil, ErrGroupBy.With("text", strconv.Quote(cfg.Group))
			}
			groups, err = set.Blocks(deg)
		} else {
			groups, err = set.Column(cfg.Group)
		}
		if err != nil {
			return nil, nil, err
		}
		fold, names, err = sample.Grouped(groups, folds, cfg.Seed)
	}
	if err != nil {
		return nil, nil, err
	}
	if names == nil {
		for i := range slices.Max(fold) + 1 {
			names = append(names, strconv.Itoa(i+1))
		}
	}
	return fold, names, nil
}

// Validate trains on all folds but one and answers for that one, in turn. The
// weights of the members and the calibration for a fold are fitted to the answers
// for the other folds, never to its own. Samples without a label are left out. It
// returns ErrMethod, ErrClasses, ErrFew, an error of the folds, or ErrThin when
// what is left without a fold has fewer than two labels.
func Validate(ctx context.Context, set *sample.Set, cfg Config) (*Result, error) {
	cfg.Method = cmp.Or(cfg.Method, Default)
	if err := checkMethod(cfg.Method); err != nil {
		return nil, err
	}
	labels, err := Check(set)
	if err != nil {
		return nil, err
	}
	set = labelled(set)
	fold, names, err := split(set, cfg)
	if err != nil {
		return nil, err
	}
	r := &Result{Method: cfg.Method, Group: cfg.Group, Seed: cfg.Seed, FoldsOf: len(names), labels: labels}
	raw := make([][][]float64, len(set.Samples))
	for f := range names {
		var in, out []int
		for i, k := range fold {
			if k == f {
				out = append(out, i)
			} else {
				in = append(in, i)
			}
		}
		rest := set.Subset(in)
		if n, kinds := learnable(rest); kinds < 2 {
			return nil, ErrThin.With("fold", strconv.Quote(names[f])).With("n", n).With("labels", kinds)
		}
		m, err := train(ctx, rest, labels, cfg.Method, cfg.Seed)
		if err != nil {
			return nil, fmt.Errorf("fold %s: %w", names[f], err)
		}
		columns := m.frame.columns(set.Bands)
		if err := each(ctx, len(out), func(i int) {
			raw[out[i]], _ = m.answers(&set.Samples[out[i]], columns)
		}); err != nil {
			return nil, err
		}
	}
	r.collect(set, raw)
	r.score(set, raw, fold, names)
	return r, nil
}

// learnable counts the samples with a label and data, and their labels.
func learnable(set *sample.Set) (n, labels int) {
	seen := map[string]bool{}
	for i := range set.Samples {
		if s := &set.Samples[i]; s.Label != "" && !s.Blank() {
			n++
			seen[s.Label] = true
		}
	}
	return n, len(seen)
}

func labelled(set *sample.Set) *sample.Set {
	var keep []int
	for i := range set.Samples {
		if set.Samples[i].Label != "" {
			keep = append(keep, i)
		}
	}
	return set.Subset(keep)
}

// collect keeps the members' answers as matrices, for a pool to be fitted to.
func (r *Result) collect(set *sample.Set, raw [][][]float64) {
	for i, a := range raw {
		if a != nil {
			r.known = append(r.known, i)
			k, _ := slices.BinarySearch(r.labels, set.Samples[i].Label)
			r.truth = append(r.truth, k)
		}
	}
	for m := range membersOf[r.Method] {
		a := learn.NewMatrix(len(r.known), len(r.labels))
		for row, i := range r.known {
			copy(a.Row(row), raw[i][m])
		}
		r.answers = append(r.answers, a)
	}
}

// pool is fitted to the answers of the rows that pass.
func (r *Result) pool(pass func(row int) bool) learn.Pool {
	var rows, truth []int
	for row := range r.known {
		if pass(row) {
			rows, truth = append(rows, row), append(truth, r.truth[row])
		}
	}
	part := make([]*learn.Matrix, len(r.answers))
	for m, a := range r.answers {
		part[m] = a.Pick(rows)
	}
	return learn.FitPool(part, truth)
}

// score joins the members' answers fold by fold and measures them.
func (r *Result) score(set *sample.Set, raw [][][]float64, fold []int, names []string) {
	pools := make([]learn.Pool, len(names))
	for f := range pools {
		pools[f] = r.pool(func(row int) bool { return fold[r.known[row]] != f })
	}
	answers := make([]sample.Answer, len(raw))
	for i, a := range raw {
		answers[i] = sample.Answer{Truth: set.Samples[i].Label, Fold: fold[i]}
		if a != nil {
			answers[i].Probability = make([]float64, len(r.labels))
			pools[fold[i]].Join(a, answers[i].Probability)
		}
	}
	r.Score = sample.Measure(answers, r.labels, names)
}

// threshold is the least probability from which on the answers of the validation
// are right as often as wanted; 1 when they never are. It looks at the calibrated
// answers of all folds.
func (r *Result) threshold(pool learn.Pool, wanted float64) float64 {
	type answer struct {
		p     float64
		right bool
	}
	var list []answer
	rows, p := make([][]float64, len(r.answers)), make([]float64, len(r.labels))
	for row, t := range r.truth {
		for m, a := range r.answers {
			rows[m] = a.Row(row)
		}
		pool.Join(rows, p)
		top := sample.Top(p)
		list = append(list, answer{p[top], top == t})
	}
	slices.SortStableFunc(list, func(a, b answer) int {
		switch {
		case a.p > b.p:
			return -1
		case a.p < b.p:
			return 1
		}
		return 0
	})
	best, right := 1.0, 0.0
	for i, a := range list {
		if a.right {
			right++
		}
		last := i+1 == len(list) || list[i+1].p < a.p
		if last && right >= wanted*float64(i+1) {
			best = a.p
		}
	}
	return math.Floor(best*1e4) / 1e4
}

// each calls do for 0..n-1 on all cores. Calls must not depend on each other.
func each(ctx context.Context, n int, do func(i int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 64
	for a := 0; a < n; a += chunk {
		group.Go(func() error {
			for i := a; i < min(a+chunk, n); i++ {
				do(i)
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}
