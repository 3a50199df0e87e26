package learn

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Distance is how far apart a kernel machine sees two rows.
type Distance string

// The distances.
const (
	// Whitened is the Euclidean distance after the covariance within the classes
	// is made round (Mahalanobis): what varies anyway among fields of one crop, such as
	// a shift of the whole curve, counts little.
	Whitened Distance = "whitened"
	// Manhattan is the sum of the differences of standardised features.
	Manhattan Distance = "manhattan"
)

const (
	// ridge is the weight of the squared norm. Accuracy on samples of several
	// regions moves by less than half a point between 0.01 and 0.1.
	ridge = 0.03
	// shrink is the share of the round covariance in the whitening; between 0.02 and
	// 0.2 it moves accuracy by less than half a point.
	shrink = 0.1
	// MaxKernelRows bounds the time and memory of a kernel machine, n³ and n². Of more
	// samples it takes as many at random, the same share of every class.
	MaxKernelRows = 6000
	// sharpness turns scores, which lie about -1 to 1, into log-odds.
	sharpness = 4
)

// Sight is the features of the training rows and the distance that they are seen by.
type Sight struct {
	Distance Distance
	Rows     *Matrix
}

// Kernel is a least-squares support vector machine (Suykens and Vandewalle 1999),
// one against the rest. Its kernel is the mean over its views of exp(−d/m): d the
// distance of two rows and m the median distance of the training rows. That kernel
// has no width to be tuned and, unlike the Gaussian one, keeps telling apart rows
// that are near each other.
type Kernel struct {
	Classes int
	Kept    []int // which of the training rows it keeps; nil when all
	Views   []View
	Weight  *Matrix // of each training row kept, a row for every class
}

// View is one way to see how far apart rows are.
type View struct {
	Distance Distance
	Mean     []float64 // of every feature
	Scale    []float64 // 1 / standard deviation
	White    *Matrix   // Cholesky factor of the covariance within the classes; for Whitened
	Width    float64   // m
	Rows     *Matrix   // the training rows, standardised and whitened

	norm []float64 // squared length of each row
}

// TrainKernel fits a kernel machine to rows with classes y, each seen in all ways.
func TrainKernel(ctx context.Context, sights []Sight, y []int, classes int, seed uint64) (*Kernel, error) {
	k := &Kernel{Classes: classes, Views: make([]View, len(sights))}
	if len(y) > MaxKernelRows {
		k.Kept = thin(y, MaxKernelRows, seed)
		sights = slices.Clone(sights)
		y = pickInts(y, k.Kept)
		for i, s := range sights {
			sights[i].Rows = s.Rows.Pick(k.Kept)
		}
	}
	sum := NewMatrix(len(y), len(y))
	for i, s := range sights {
		if err := k.Views[i].fit(ctx, s, y, classes); err != nil {
			return nil, err
		}
		if err := k.Views[i].add(ctx, sum, 1/float64(len(sights))); err != nil {
			return nil, err
		}
	}
	for i := range y {
		sum.Row(i)[i] = 1 + ridge
	}
	if err := Cholesky(ctx, sum); err != nil {
		return nil, err
	}
	k.Weight = targets(y, classes)
	if err := CholeskySolve(ctx, sum, k.Weight); err != nil {
		return nil, err
	}
	round32(k.Weight.Data)
	return k, nil
}

// fit prepares the training rows.
func (v *View) fit(ctx context.Context, s Sight, y []int, classes int) error {
	v.Distance = s.Distance
	v.Mean, v.Scale = standard(s.Rows)
	v.Rows = NewMatrix(s.Rows.Rows, s.Rows.Cols)
	for i := range s.Rows.Rows {
		v.standardise(s.Rows.Row(i), v.Rows.Row(i))
	}
	if v.Distance == Whitened {
		var err error
		if v.White, err = within(ctx, v.Rows, y, classes); err != nil {
			return err
		}
		round32(v.White.Data)
		for i := range v.Rows.Rows {
			v.whiten(v.Rows.Row(i))
		}
	}
	round32(v.Rows.Data)
	v.norm = make([]float64, v.Rows.Rows)
	for i := range v.norm {
		v.norm[i] = dot(v.Rows.Row(i), v.Rows.Row(i))
	}
	return nil
}

// add puts the kernel of the training rows onto the lower triangle of sum, with a
// weight, and finds its width.
func (v *View) add(ctx context.Context, sum *Matrix, weight float64) error {
	n := v.Rows.Rows
	g := NewMatrix(n, n)
	if err := parallel(ctx, 0, n, 16, func(i int) {
		row := g.Row(i)
		for j := range i {
			row[j] = v.distance(v.Rows.Row(i), v.norm[i], j)
		}
	}); err != nil {
		return err
	}
	if v.Width = middle(g); !(v.Width > 0) {
		return ErrSingular
	}
	return parallel(ctx, 0, n, 16, func(i int) {
		from, to := g.Row(i), sum.Row(i)
		for j := range i {
			to[j] += weight * math.Exp(-from[j]/v.Width)
		}
	})
}

// RestoreKernel makes a machine again from the training rows that it kept, the width
// of each view and its weights.
func RestoreKernel(ctx context.Context, sights []Sight, y []int, widths []float64, weight *Matrix) (*Kernel, error) {
	k := &Kernel{Classes: weight.Rows, Views: make([]View, len(sights)), Weight: weight}
	for i, s := range sights {
		if err := k.Views[i].fit(ctx, s, y, weight.Rows); err != nil {
			return nil, err
		}
		k.Views[i].Width = widths[i]
	}
	return k, nil
}

// Predict writes the probability of every class into p for a row of features as
// each view wants them. It is the softmax of the scores, which is not calibrated.
func (k *Kernel) Predict(rows [][]float64, p []float64) {
	n := k.Weight.Cols
	near := make([]float64, n)
	for i := range k.Views {
		v := &k.Views[i]
		z := make([]float64, len(rows[i]))
		v.standardise(rows[i], z)
		if v.Distance == Whitened {
			v.whiten(z)
		}
		norm := dot(z, z)
		for j := range near {
			near[j] += math.Exp(-v.distance(z, norm, j) / v.Width)
		}
	}
	for c := range p {
		p[c] = sharpness * dot(k.Weight.Row(c), near) / float64(len(k.Views))
	}
	Softmax(p)
}

// distance of z, of squared length norm, to the training row j.
func (v *View) distance(z []float64, norm float64, j int) float64 {
	r := v.Rows.Row(j)
	if v.Distance == Whitened {
		return math.Sqrt(max(0, norm+v.norm[j]-2*dot(z, r)))
	}
	return manhattan(z, r)
}

// manhattan is the sum of differences; four sums in turn, as in [dot].
func manhattan(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += math.Abs(x[0] - y[0])
		s1 += math.Abs(x[1] - y[1])
		s2 += math.Abs(x[2] - y[2])
		s3 += math.Abs(x[3] - y[3])
	}
	for ; i < len(a); i++ {
		s0 += math.Abs(a[i] - b[i])
	}
	return s0 + s1 + s2 + s3
}

func (v *View) standardise(row, z []float64) {
	for j, x := range row {
		z[j] = (x - v.Mean[j]) * v.Scale[j]
	}
}

// whiten solves L·w = z in place.
func (v *View) whiten(z []float64) {
	for i := range z {
		l := v.White.Row(i)
		z[i] = (z[i] - dot(l[:i], z[:i])) / l[i]
	}
}

// standard gives mean and 1/deviation of every column; a column that is the same
// everywhere gets 0, which leaves it out.
func standard(x *Matrix) (mean, scale []float64) {
	mean, scale = make([]float64, x.Cols), make([]float64, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(x.Rows)
	}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			scale[j] += (v - mean[j]) * (v - mean[j])
		}
	}
	for j, s := range scale {
		if s = math.Sqrt(s / float64(x.Rows)); s > 1e-9 {
			scale[j] = 1 / s
		} else {
			scale[j] = 0
		}
	}
	return mean, scale
}

// within is the Cholesky factor of the covariance within the classes, shrunk
// towards a round one of the same trace.
func within(ctx context.Context, z *Matrix, y []int, classes int) (*Matrix, error) {
	mean, count := NewMatrix(classes, z.Cols), make([]float64, classes)
	for i := range z.Rows {
		m := mean.Row(y[i])
		for j, v := range z.Row(i) {
			m[j] += v
		}
		count[y[i]]++
	}
	for c, n := range count {
		for j := range mean.Row(c) {
			mean.Row(c)[j] /= max(n, 1)
		}
	}
	rest := NewMatrix(z.Cols, z.Rows) // a row for every feature
	for i := range z.Rows {
		m := mean.Row(y[i])
		for j, v := range z.Row(i) {
			rest.Row(j)[i] = v - m[j]
		}
	}
	cov := NewMatrix(z.Cols, z.Cols)
	if err := parallel(ctx, 0, z.Cols, 1, func(a int) {
		for b := range a + 1 {
			cov.Row(a)[b] = dot(rest.Row(a), rest.Row(b)) / float64(z.Rows)
		}
	}); err != nil {
		return nil, err
	}
	trace := 0.0
	for a := range cov.Rows {
		trace += cov.Row(a)[a]
	}
	for a := range cov.Rows {
		for b := range a + 1 {
			cov.Row(a)[b] *= 1 - shrink
		}
		cov.Row(a)[a] += shrink*trace/float64(cov.Rows) + 1e-6
	}
	return cov, Cholesky(ctx, cov)
}

// middle is the median of the values below the diagonal, of a part of the rows
// when there are many.
func middle(g *Matrix) float64 {
	step := 1 + g.Rows/1000
	var v []float64
	for i := 0; i < g.Rows; i += step {
		for j := 0; j < i; j++ {
			v = append(v, g.Row(i)[j])
		}
	}
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// round32 rounds to what a model file keeps, so that a model answers the same
// before and after it is written.
func round32(v []float64) {
	for i := range v {
		v[i] = float64(float32(v[i]))
	}
}

// Softmax turns scores into probabilities.
func Softmax(p []float64) {
	top, sum := slices.Max(p), 0.0
	for i, v := range p {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

// thin draws about n rows, of every class the same share and at least one; in order.
func thin(y []int, n int, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // repeatable, not secret
	of := map[int][]int{}
	for _, i := range r.Perm(len(y)) {
		of[y[i]] = append(of[y[i]], i)
	}
	var keep []int
	for _, rows := range of {
		keep = append(keep, rows[:max(1, len(rows)*n/len(y))]...)
	}
	slices.Sort(keep)
	return keep
}

func pickInts(v, index []int) []int {
	out := make([]int, len(index))
	for i, k := range index {
		out[i] = v[k]
	}
	return out
}
