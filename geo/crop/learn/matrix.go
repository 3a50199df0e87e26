// Package learn trains classifiers on rows of features: extremely randomised
// trees, kernel machines, a random convolution transform with a linear head, and
// the pool of several. It knows nothing of crops or dates. Everything is repeatable: the same input
// and seed give the same bits on any number of cores.
package learn

import (
	"context"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
)

// ErrSingular is what a matrix gets that no solution exists for.
var ErrSingular = fault.New(fault.Invalid, "learn.singular", "the samples are so alike that no classifier can be fitted; leave out doubles")

// Matrix is rows of float64, one after the other.
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix makes a matrix of zeros.
func NewMatrix(rows, cols int) *Matrix {
	return &Matrix{rows, cols, make([]float64, rows*cols)}
}

// Row is the row i, not a copy.
func (m *Matrix) Row(i int) []float64 { return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols] }

// Transpose is a copy with rows and columns changed over.
func (m *Matrix) Transpose() *Matrix {
	t := NewMatrix(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Data[j*m.Rows+i] = v
		}
	}
	return t
}

// Pick is a copy of some rows.
func (m *Matrix) Pick(rows []int) *Matrix {
	out := NewMatrix(len(rows), m.Cols)
	for i, k := range rows {
		copy(out.Row(i), m.Row(k))
	}
	return out
}

// dot is the inner product. Four sums in turn let the processor work ahead; their
// order is fixed, so the result is too.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// Cholesky overwrites the lower triangle of the symmetric positive definite m by L
// with m = L·Lᵀ, on all cores. It returns ErrSingular.
func Cholesky(ctx context.Context, m *Matrix) error {
	const block = 64
	n := m.Rows
	for k := 0; k < n; k += block {
		end := min(k+block, n)
		for i := k; i < end; i++ { // the block on the diagonal
			ri := m.Row(i)
			for j := k; j <= i; j++ {
				rj := m.Row(j)
				s := ri[j] - dot(ri[k:j], rj[k:j])
				if i > j {
					ri[j] = s / rj[j]
					continue
				}
				if !(s > 1e-12) || math.IsInf(s, 0) {
					return ErrSingular
				}
				ri[i] = math.Sqrt(s)
			}
		}
		if err := parallel(ctx, end, n, block, func(i int) { // the rows below
			ri := m.Row(i)
			for j := k; j < end; j++ {
				rj := m.Row(j)
				ri[j] = (ri[j] - dot(ri[k:j], rj[k:j])) / rj[j]
			}
		}); err != nil {
			return err
		}
		if err := parallel(ctx, end, n, block, func(i int) { // what is left
			ri := m.Row(i)
			a := ri[k:end]
			j := end
			for ; j+2 <= i+1; j += 2 {
				p, q := dot2(a, m.Row(j)[k:end], m.Row(j + 1)[k:end])
				ri[j] -= p
				ri[j+1] -= q
			}
			for ; j <= i; j++ {
				ri[j] -= dot(a, m.Row(j)[k:end])
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// dot2 is two inner products with the same a, which is then read once.
func dot2(a, b, c []float64) (float64, float64) {
	var p0, p1, q0, q1 float64
	b, c = b[:len(a)], c[:len(a)]
	i := 0
	for ; i+2 <= len(a); i += 2 {
		x0, x1 := a[i], a[i+1]
		p0 += x0 * b[i]
		p1 += x1 * b[i+1]
		q0 += x0 * c[i]
		q1 += x1 * c[i+1]
	}
	for ; i < len(a); i++ {
		p0 += a[i] * b[i]
		q0 += a[i] * c[i]
	}
	return p0 + p1, q0 + q1
}

// CholeskySolve overwrites b, one right-hand side a row, by the solutions of
// L·Lᵀ·x = b.
func CholeskySolve(ctx context.Context, l, b *Matrix) error {
	n := l.Rows
	return parallel(ctx, 0, b.Rows, 1, func(r int) {
		x := b.Row(r)
		for i := range n {
			li := l.Row(i)
			x[i] = (x[i] - dot(li[:i], x[:i])) / li[i]
		}
		for i := n - 1; i >= 0; i-- { // by rows, for those lie together in memory
			li := l.Row(i)
			x[i] /= li[i]
			for j, v := range li[:i] {
				x[j] -= v * x[i]
			}
		}
	})
}

// parallel calls do for lo..hi-1 on all cores, in chunks. Calls must not depend on
// each other.
func parallel(ctx context.Context, lo, hi, chunk int, do func(i int)) error {
	if hi-lo <= chunk {
		for i := lo; i < hi; i++ {
			do(i)
		}
		return ctx.Err()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for a := lo; a < hi; a += chunk {
		group.Go(func() error {
			for i := a; i < min(a+chunk, hi); i++ {
				do(i)
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}
