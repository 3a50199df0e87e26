package learn

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Rocket is a convolution transform with a linear head, of the MiniRocket family
// (Dempster, Schmidt and Webb 2021): 84 fixed kernels of length 9 with weights −1
// and 2 at several dilations; a feature is the share of dates at which a kernel's
// output lies above a bias taken from the training series. The head is ridge
// regression, one against the rest.
type Rocket struct {
	Classes, Bands, Steps int
	BandMean, BandScale   []float64
	Kernels               []Convolution
	Mean, Scale           []float64 // of every feature, and then of every value
	Weight                *Matrix   // of each feature, a row for every class; the last is the constant
}

// Convolution is one kernel at one dilation with its biases.
type Convolution struct {
	At       [3]int    `json:"at"` // where the weight is 2
	Dilation int       `json:"dilation"`
	Bands    []int     `json:"bands"`
	Bias     []float64 `json:"bias"`
}

const (
	kernelLength   = 9
	rocketFeatures = 2000
	maxRocketRows  = 6000
	tuneRows       = 600
)

// TrainRocket fits the transform and its head to rows of bands series, band by band.
func TrainRocket(ctx context.Context, x *Matrix, bands int, y []int, classes int, seed uint64) (*Rocket, error) {
	if x.Rows > maxRocketRows {
		keep := thin(y, maxRocketRows, seed)
		x, y = x.Pick(keep), pickInts(y, keep)
	}
	r := &Rocket{Classes: classes, Bands: bands, Steps: x.Cols / bands}
	r.scaleBands(x)
	r.draw(x, seed)
	z := NewMatrix(x.Rows, r.features())
	if err := parallel(ctx, 0, x.Rows, 8, func(i int) { r.transform(x.Row(i), z.Row(i)) }); err != nil {
		return nil, err
	}
	r.Mean, r.Scale = standard(z)
	for i := range z.Rows {
		r.standardise(z.Row(i))
	}
	best, err := tuneRidge(ctx, z, y, classes, seed)
	if err != nil {
		return nil, err
	}
	return r, r.head(ctx, z, y, best)
}

func (r *Rocket) scaleBands(x *Matrix) {
	n := float64(x.Rows * r.Steps)
	r.BandMean, r.BandScale = make([]float64, r.Bands), make([]float64, r.Bands)
	for b := range r.Bands {
		var sum, square float64
		for i := range x.Rows {
			for _, v := range x.Row(i)[b*r.Steps : (b+1)*r.Steps] {
				sum += v
				square += v * v
			}
		}
		r.BandMean[b] = sum / n
		r.BandScale[b] = 1 / max(math.Sqrt(max(square/n-sum*sum/n/n, 0)), 1e-9)
	}
}

// draw makes the kernels: every triple at every dilation that fits, on a random
// choice of bands, with biases at quantiles of its output on random rows.
func (r *Rocket) draw(x *Matrix, seed uint64) {
	g := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // repeatable, not secret
	var dilations []int
	for d := 1; d == 1 || d*(kernelLength-1) < r.Steps; d *= 2 {
		dilations = append(dilations, d)
	}
	per := max(1, rocketFeatures/(84*len(dilations)))
	scaled := make([]float64, x.Cols)
	out := make([]float64, r.Steps)
	for a := range kernelLength {
		for b := a + 1; b < kernelLength; b++ {
			for c := b + 1; c < kernelLength; c++ {
				for _, d := range dilations {
					k := Convolution{At: [3]int{a, b, c}, Dilation: d}
					k.Bands = g.Perm(r.Bands)[:1+g.IntN(r.Bands)]
					slices.Sort(k.Bands)
					for range per {
						r.scale(x.Row(g.IntN(x.Rows)), scaled)
						k.convolve(scaled, r.Steps, out)
						slices.Sort(out)
						k.Bias = append(k.Bias, out[g.IntN(len(out))])
					}
					r.Kernels = append(r.Kernels, k)
				}
			}
		}
	}
}

func (r *Rocket) features() int {
	n := r.Bands * r.Steps
	for _, k := range r.Kernels {
		n += len(k.Bias)
	}
	return n
}

func (r *Rocket) scale(row, out []float64) {
	for i, v := range row {
		b := i / r.Steps
		out[i] = (v - r.BandMean[b]) * r.BandScale[b]
	}
}

// convolve writes the output of the kernel at every date; beyond the ends are zeros.
func (k *Convolution) convolve(scaled []float64, steps int, out []float64) {
	for t := range steps {
		sum := 0.0
		for j := range kernelLength {
			at := t + (j-kernelLength/2)*k.Dilation
			if at < 0 || at >= steps {
				continue
			}
			w := -1.0
			if j == k.At[0] || j == k.At[1] || j == k.At[2] {
				w = 2
			}
			for _, b := range k.Bands {
				sum += w * scaled[b*steps+at]
			}
		}
		out[t] = sum
	}
}

// transform writes the features of a row: shares above the biases, then the values.
func (r *Rocket) transform(row, out []float64) {
	scaled := make([]float64, len(row))
	r.scale(row, scaled)
	line := make([]float64, r.Steps)
	n := 0
	for i := range r.Kernels {
		k := &r.Kernels[i]
		k.convolve(scaled, r.Steps, line)
		for _, b := range k.Bias {
			above := 0
			for _, v := range line {
				if v > b {
					above++
				}
			}
			out[n] = float64(above) / float64(r.Steps)
			n++
		}
	}
	copy(out[n:], scaled)
}

func (r *Rocket) standardise(z []float64) {
	for j, v := range z {
		z[j] = (v - r.Mean[j]) * r.Scale[j]
	}
}

// gram is the lower triangle of z·zᵀ with alpha on its diagonal, and 1 added
// throughout for the constant.
func gram(ctx context.Context, z *Matrix, alpha float64) (*Matrix, error) {
	g := NewMatrix(z.Rows, z.Rows)
	return g, parallel(ctx, 0, z.Rows, 16, func(i int) {
		row := g.Row(i)
		for j := range i + 1 {
			row[j] = 1 + dot(z.Row(i), z.Row(j))
		}
		row[i] += alpha
	})
}

func targets(y []int, classes int) *Matrix {
	t := NewMatrix(classes, len(y))
	for i, c := range y {
		for k := range classes {
			t.Row(k)[i] = -1
		}
		t.Row(c)[i] = 1
	}
	return t
}

// tuneRidge takes the alpha with the least squared error on rows left out one at a
// time, which follows from one inverse: the residual is a_i/G⁻¹_ii. Of many rows a
// part is enough.
func tuneRidge(ctx context.Context, z *Matrix, y []int, classes int, seed uint64) (float64, error) {
	share := 1.0
	if z.Rows > tuneRows {
		keep := thin(y, tuneRows, seed)
		share = float64(len(keep)) / float64(z.Rows)
		z, y = z.Pick(keep), pickInts(y, keep)
	}
	best, least := 0.0, math.Inf(1)
	for _, per := range []float64{0.003, 0.03, 0.3, 3} {
		alpha := per * float64(z.Cols)
		g, err := gram(ctx, z, alpha)
		if err != nil {
			return 0, err
		}
		if err := Cholesky(ctx, g); err != nil {
			return 0, err
		}
		inverse := NewMatrix(z.Rows, z.Rows)
		for i := range z.Rows {
			inverse.Row(i)[i] = 1
		}
		if err := CholeskySolve(ctx, g, inverse); err != nil {
			return 0, err
		}
		t, loss := targets(y, classes), 0.0
		for c := range classes {
			for i := range z.Rows {
				e := dot(inverse.Row(i), t.Row(c)) / inverse.Row(i)[i]
				loss += e * e
			}
		}
		if loss < least {
			best, least = alpha/share, loss
		}
	}
	return best, nil
}

// head solves the ridge regression in its dual form and keeps the weights of features.
func (r *Rocket) head(ctx context.Context, z *Matrix, y []int, alpha float64) error {
	g, err := gram(ctx, z, alpha)
	if err != nil {
		return err
	}
	if err := Cholesky(ctx, g); err != nil {
		return err
	}
	a := targets(y, r.Classes)
	if err := CholeskySolve(ctx, g, a); err != nil {
		return err
	}
	r.Weight = NewMatrix(r.Classes, z.Cols+1)
	for c := range r.Classes {
		w := r.Weight.Row(c)
		for i, v := range a.Row(c) {
			for j, x := range z.Row(i) {
				w[j] += v * x
			}
			w[z.Cols] += v
		}
	}
	round32(r.Weight.Data)
	return nil
}

// Sound says whether a transform that was read from a file fits together.
func (r *Rocket) Sound() bool {
	if r.Bands < 1 || r.Steps < 1 || len(r.BandMean) != r.Bands || len(r.BandScale) != r.Bands || r.features() != len(r.Mean) ||
		len(r.Scale) != len(r.Mean) || len(r.Weight.Data) != r.Weight.Rows*r.Weight.Cols {
		return false
	}
	for _, k := range r.Kernels {
		if k.Dilation < 1 || k.Dilation > 1<<20 {
			return false
		}
		for _, b := range k.Bands {
			if b < 0 || b >= r.Bands {
				return false
			}
		}
	}
	for _, v := range r.Weight.Data {
		if math.IsNaN(v) {
			return false
		}
	}
	return true
}

// Predict writes the softmax of the scores into p; it is not calibrated.
func (r *Rocket) Predict(row, p []float64) {
	z := make([]float64, len(r.Mean))
	r.transform(row, z)
	r.standardise(z)
	for c := range p {
		w := r.Weight.Row(c)
		p[c] = sharpness * (dot(z, w[:len(z)]) + w[len(z)])
	}
	Softmax(p)
}
