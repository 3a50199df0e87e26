package learn_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/crop/learn"
)

// rings are points about the origin: class 0 near, class 1 far, so that no straight
// line parts them.
func rings(n int, seed uint64) (*learn.Matrix, []int) {
	r := rand.New(rand.NewPCG(seed, 0))
	x, y := learn.NewMatrix(n, 3), make([]int, n)
	for i := range n {
		y[i] = i % 2
		a, d := r.Float64()*2*math.Pi, 1+2*float64(y[i])+0.3*r.NormFloat64()
		copy(x.Row(i), []float64{d * math.Cos(a), d * math.Sin(a), r.NormFloat64()})
	}
	return x, y
}

func right(y []int, predict func(i int, p []float64)) float64 {
	n, p := 0.0, make([]float64, 2)
	for i, k := range y {
		predict(i, p)
		if (p[1] > p[0]) == (k == 1) {
			n++
		}
	}
	return n / float64(len(y))
}

func TestMethodsLearnWhatNoLineParts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	x, y := rings(400, 1)
	fresh, truth := rings(300, 2)
	f, err := learn.TrainForest(ctx, x, y, 2, learn.ForestConfig{Trees: 60, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := right(truth, func(i int, p []float64) { f.Predict(fresh.Row(i), p) }); a < 0.95 {
		t.Errorf("the forest is right on %.3f", a)
	}
	if f.Importance[2] > f.Importance[0]/2 || math.Abs(f.Importance[0]+f.Importance[1]+f.Importance[2]-1) > 1e-9 {
		t.Errorf("importance is %v; the third feature is noise", f.Importance)
	}
	for _, d := range []learn.Distance{learn.Whitened, learn.Manhattan} {
		k, err := learn.TrainKernel(ctx, []learn.Sight{{Distance: d, Rows: x}}, y, 2, 1)
		if err != nil {
			t.Fatal(err)
		}
		if a := right(truth, func(i int, p []float64) { k.Predict([][]float64{fresh.Row(i)}, p) }); a < 0.95 {
			t.Errorf("the %s kernel machine is right on %.3f", d, a)
		}
	}
}

func TestRocketKnowsAShapeWhereverItStands(t *testing.T) {
	t.Parallel()
	curves := func(n int, seed uint64) (*learn.Matrix, []int) {
		r := rand.New(rand.NewPCG(seed, 0))
		x, y := learn.NewMatrix(n, 30), make([]int, n)
		for i := range n {
			y[i] = i % 2
			at := 6 + r.IntN(18)
			for j := range x.Row(i) {
				d := math.Abs(float64(j - at))
				v := math.Max(0, 1-d/4) // one broad peak
				if y[i] == 1 {
					v = math.Max(math.Max(0, 1-math.Abs(d-3)/1.5), 0) // two narrow ones
				}
				x.Row(i)[j] = v + 0.1*r.NormFloat64()
			}
		}
		return x, y
	}
	x, y := curves(200, 1)
	fresh, truth := curves(200, 2)
	k, err := learn.TrainRocket(context.Background(), x, 1, y, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if a := right(truth, func(i int, p []float64) { k.Predict(fresh.Row(i), p) }); a < 0.95 {
		t.Errorf("right on %.3f", a)
	}
}

func TestSameSeedSameBitsOnAnyNumberOfCores(t *testing.T) { // not parallel: it sets the cores
	ctx := context.Background()
	x, y := rings(300, 3)
	train := func(cores int) (*learn.Forest, *learn.Kernel) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		f, err := learn.TrainForest(ctx, x, y, 2, learn.ForestConfig{Trees: 20, Seed: 7})
		k, kerr := learn.TrainKernel(ctx, []learn.Sight{{Distance: learn.Whitened, Rows: x}}, y, 2, 7)
		if err := errors.Join(err, kerr); err != nil {
			t.Fatal(err)
		}
		return f, k
	}
	f1, k1 := train(1)
	f4, k4 := train(4)
	if !reflect.DeepEqual(f1, f4) || !reflect.DeepEqual(k1, k4) {
		t.Error("the number of cores changed the result")
	}
	other, err := learn.TrainForest(ctx, x, y, 2, learn.ForestConfig{Trees: 20, Seed: 8})
	if err != nil || reflect.DeepEqual(f1.Trees, other.Trees) {
		t.Error("another seed gave the same forest")
	}
}

func TestRefusesSamplesThatAreAllAlike(t *testing.T) {
	t.Parallel()
	_, err := learn.TrainKernel(context.Background(), []learn.Sight{{Distance: learn.Manhattan, Rows: learn.NewMatrix(10, 2)}}, make([]int, 10), 2, 1)
	if !errors.Is(err, learn.ErrSingular) {
		t.Errorf("got %v", err)
	}
}

func TestCholeskySolves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 150).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		a, m := learn.NewMatrix(n, n), learn.NewMatrix(n, n)
		for i := range a.Data {
			a.Data[i] = r.NormFloat64()
		}
		for i := range n {
			for j := range n {
				for k := range n {
					m.Row(i)[j] += a.Row(i)[k] * a.Row(j)[k]
				}
			}
			m.Row(i)[i]++
		}
		l, x := learn.NewMatrix(n, n), learn.NewMatrix(1, n)
		copy(l.Data, m.Data)
		want := make([]float64, n)
		for i := range want {
			want[i] = r.NormFloat64()
		}
		copy(x.Row(0), want)
		if err := errors.Join(learn.Cholesky(context.Background(), l), learn.CholeskySolve(context.Background(), l, x)); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			got := 0.0
			for j := range n {
				got += m.Row(i)[j] * x.Row(0)[j]
			}
			if math.Abs(got-want[i]) > 1e-7*float64(n) {
				t.Fatalf("row %d of %d gives %g, want %g", i, n, got, want[i])
			}
		}
	})
}

func TestPoolBelievesTheBetterAndTempersTheBoastful(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 0))
	n := 2000
	good, noise, truth := learn.NewMatrix(n, 2), learn.NewMatrix(n, 2), make([]int, n)
	for i := range n {
		truth[i] = i % 2
		said := truth[i]
		if r.Float64() < 0.2 { // right four times in five, and claims to be all but certain
			said = 1 - said
		}
		good.Row(i)[said], good.Row(i)[1-said] = 0.99, 0.01
		noise.Row(i)[0] = r.Float64()
		noise.Row(i)[1] = 1 - noise.Row(i)[0]
	}
	p := learn.FitPool([]*learn.Matrix{good, noise}, truth)
	if !p.Sound() || p.Weight[0] < 0.8 {
		t.Errorf("weights are %v", p.Weight)
	}
	out := make([]float64, 2)
	p.Join([][]float64{{0.99, 0.01}, {0.5, 0.5}}, out)
	if math.Abs(out[0]-0.8) > 0.05 || math.Abs(out[0]+out[1]-1) > 1e-9 {
		t.Errorf("the joint probabilities are %v, want about 0.8 and 0.2", out)
	}
}

func ExampleFitPool() {
	// Two classifiers on four rows: the first is right thrice, the second by chance.
	a := &learn.Matrix{Rows: 4, Cols: 2, Data: []float64{0.9, 0.1, 0.9, 0.1, 0.1, 0.9, 0.9, 0.1}}
	b := &learn.Matrix{Rows: 4, Cols: 2, Data: []float64{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}}
	pool := learn.FitPool([]*learn.Matrix{a, b}, []int{0, 0, 1, 1})
	out := make([]float64, 2)
	pool.Join([][]float64{{0.9, 0.1}, {0.5, 0.5}}, out)
	fmt.Println(pool.Weight[0] > pool.Weight[1], out[0] > 0.6 && out[0] < 0.9)
	// Output: true true
}
