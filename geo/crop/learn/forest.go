package learn

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// ForestConfig says how a forest grows. The zero value takes 300 trees.
type ForestConfig struct {
	Trees int
	Seed  uint64
}

// Forest is extremely randomised trees (Geurts, Ernst and Wehenkel 2006): at every
// node the best of √d features, each cut at a random place; grown until leaves are
// pure, every tree on all samples. A probability is the share of trees.
type Forest struct {
	Classes  int
	Features int
	Trees    []Tree
	// Importance is the mean decrease of the Gini impurity by each feature, of 1.
	Importance []float64
}

// Tree is nodes in one order: children come after their parent, the right one just
// after the left one.
type Tree struct {
	Feature   []int32   // -1 at a leaf
	Threshold []float32 // left when below it
	Next      []int32   // the left child; the class at a leaf
}

// TrainForest grows a forest on the rows of x with classes y, on all cores and
// always the same for one seed.
func TrainForest(ctx context.Context, x *Matrix, y []int, classes int, cfg ForestConfig) (*Forest, error) {
	if cfg.Trees == 0 {
		cfg.Trees = 300
	}
	f := &Forest{Classes: classes, Features: x.Cols, Trees: make([]Tree, cfg.Trees), Importance: make([]float64, x.Cols)}
	columns := x.Transpose()
	gain := make([][]float64, cfg.Trees)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for t := range f.Trees {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			g := grower{
				x: columns, y: y, classes: classes,
				r:     rand.New(rand.NewPCG(cfg.Seed, uint64(t))), //nolint:gosec // repeatable, not secret
				index: make([]int32, x.Rows), draw: make([]int32, x.Cols), gain: make([]float64, x.Cols),
				left: make([]int, classes), all: make([]int, classes),
				try: int(math.Round(math.Sqrt(float64(x.Cols)))),
			}
			f.Trees[t], gain[t] = g.grow(), g.gain
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	total := 0.0
	for _, g := range gain {
		for i, v := range g {
			f.Importance[i] += v
			total += v
		}
	}
	for i := range f.Importance {
		f.Importance[i] /= max(total, math.SmallestNonzeroFloat64)
	}
	return f, nil
}

// Predict writes the probability of every class for a row of features into p.
func (f *Forest) Predict(row, p []float64) {
	clear(p)
	for i := range f.Trees {
		p[f.Trees[i].class(row)]++
	}
	for k := range p {
		p[k] /= float64(len(f.Trees))
	}
}

func (t *Tree) class(row []float64) int32 {
	n := int32(0)
	for {
		k := t.Feature[n]
		if k < 0 {
			return t.Next[n]
		}
		if row[k] < float64(t.Threshold[n]) {
			n = t.Next[n]
		} else {
			n = t.Next[n] + 1
		}
	}
}

// grower grows one tree.
type grower struct {
	x       *Matrix // a row for every feature
	y       []int
	classes int
	try     int
	r       *rand.Rand
	index   []int32 // of the samples, parted by node
	draw    []int32 // the features, in the order drawn
	left    []int   // samples of each class below a cut
	all     []int
	gain    []float64
}

func (g *grower) grow() Tree {
	for i := range g.index {
		g.index[i] = int32(i) //nolint:gosec // a table has fewer than 2^31 samples
	}
	for i := range g.draw {
		g.draw[i] = int32(i) //nolint:gosec // and fewer features
	}
	var t Tree
	type span struct {
		node   int32
		lo, hi int
	}
	add := func() int32 {
		t.Feature = append(t.Feature, -1)
		t.Threshold = append(t.Threshold, 0)
		t.Next = append(t.Next, 0)
		return int32(len(t.Feature) - 1) //nolint:gosec // twice the samples at most
	}
	todo := []span{{add(), 0, len(g.index)}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		rows := g.index[s.lo:s.hi]
		major, pure := g.count(rows)
		t.Next[s.node] = int32(major) //nolint:gosec // a class
		if pure {
			continue
		}
		feature, cut, ok := g.cut(rows)
		if !ok {
			continue
		}
		mid := s.lo + part(rows, g.x.Row(feature), cut)
		a := add()
		b := add()
		t.Feature[s.node], t.Threshold[s.node], t.Next[s.node] = int32(feature), cut, a //nolint:gosec // a feature
		todo = append(todo, span{b, mid, s.hi}, span{a, s.lo, mid})
	}
	return t
}

// count fills all with the classes of rows and gives the most frequent one.
func (g *grower) count(rows []int32) (major int, pure bool) {
	clear(g.all)
	for _, i := range rows {
		g.all[g.y[i]]++
	}
	for k, n := range g.all {
		if n > g.all[major] {
			major = k
		}
	}
	return major, g.all[major] == len(rows)
}

// cut draws features without repeating one, skips those that are the same in all
// rows, and takes the best random cut of try others.
func (g *grower) cut(rows []int32) (feature int, at float32, ok bool) {
	best, tried := math.Inf(-1), 0
	for i := 0; i < len(g.draw) && tried < g.try; i++ {
		j := i + g.r.IntN(len(g.draw)-i)
		g.draw[i], g.draw[j] = g.draw[j], g.draw[i]
		v := g.x.Row(int(g.draw[i]))
		lo, hi := v[rows[0]], v[rows[0]]
		for _, k := range rows[1:] {
			lo, hi = min(lo, v[k]), max(hi, v[k])
		}
		cut := float32(lo + g.r.Float64()*(hi-lo))
		if float64(cut) <= lo { // rounding must leave something on both sides
			cut = math.Nextafter32(float32(lo), math.MaxFloat32)
		}
		if !(float64(cut) <= hi) || !(lo < hi) {
			continue
		}
		tried++
		if s := g.purity(rows, v, float64(cut)); s > best {
			best, feature, at, ok = s, int(g.draw[i]), cut, true
		}
	}
	if ok {
		n, whole := float64(len(rows)), 0.0
		for _, c := range g.all {
			whole += float64(c) * float64(c)
		}
		g.gain[feature] += best - whole/n
	}
	return feature, at, ok
}

// purity is Σ n²/N of both sides: the greater, the lower the Gini impurity.
func (g *grower) purity(rows []int32, v []float64, cut float64) float64 {
	clear(g.left)
	n := 0
	for _, i := range rows {
		if v[i] < cut {
			g.left[g.y[i]]++
			n++
		}
	}
	if n == 0 || n == len(rows) {
		return math.Inf(-1)
	}
	var l, r float64
	for k, c := range g.left {
		d := g.all[k] - c
		l += float64(c) * float64(c)
		r += float64(d) * float64(d)
	}
	return l/float64(n) + r/float64(len(rows)-n)
}

// part moves the rows below the cut to the front and counts them.
func part(rows []int32, v []float64, cut float32) int {
	n := 0
	for i, k := range rows {
		if v[k] < float64(cut) {
			rows[i], rows[n] = rows[n], rows[i]
			n++
		}
	}
	return n
}
