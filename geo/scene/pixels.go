package scene

import "math"

// Pixels is a window of one band in the type in which its file stores it, so that
// a block costs no more memory than in the file and only what is asked for becomes
// float64. The zero value is ready for [Raster.Load].
type Pixels struct {
	Window Window
	kind   string // of the cells
	cells  cells
}

// Values fills out with the stored numbers of the row y from column x on, both on
// the grid of the raster and inside the window.
func (p *Pixels) Values(x, y int, out []float64) {
	p.cells.values((y-p.Window.Y)*p.Window.W+x-p.Window.X, out)
}

// Cells is the slice of stored numbers, row by row of the window: []uint8 to
// []float64, by the type of the file.
func (p *Pixels) Cells() any { return p.cells.buffer() }

// cells are numbers of one type.
type cells interface {
	values(from int, out []float64)
	resize(n int) cells
	buffer() any
}

// Number is a type of stored numbers.
type Number interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32 | float32 | float64
}

type typed[T Number] []T

func (t typed[T]) values(from int, out []float64) {
	for i, v := range t[from : from+len(out)] {
		out[i] = float64(v)
	}
}

func (t typed[T]) resize(n int) cells {
	if cap(t) < n {
		return make(typed[T], n)
	}
	return t[:n]
}

func (t typed[T]) buffer() any { return []T(t) }

// newCells gives cells for a STAC data type; what is unknown becomes float64.
func newCells(dataType string) cells {
	switch dataType {
	case "uint8":
		return typed[uint8]{}
	case "int8":
		return typed[int8]{}
	case "uint16":
		return typed[uint16]{}
	case "int16":
		return typed[int16]{}
	case "uint32":
		return typed[uint32]{}
	case "int32":
		return typed[int32]{}
	case "float32":
		return typed[float32]{}
	}
	return typed[float64]{}
}

// overlap says which pixels of a row (or column) of another grid lie under each
// pixel of this one, and with what part of it.
type overlap struct {
	first []int32   // of each pixel: the first pixel below it; -1 outside
	from  []int32   // where its weights begin; one more than pixels
	part  []float64 // weights; their sum is the part of the pixel that is covered
	mid   []int32   // the pixel under its middle; -1 outside
	lone  bool      // no pixel lies over more than one
}

// aligned is how near to an edge, in pixels, counts as on it: files state their
// origins with rounded numbers.
const aligned = 1e-3

// newOverlap lays n pixels over size others; at turns a position on the one axis
// into one on the other.
func newOverlap(n, size int, at func(float64) float64) overlap {
	o := overlap{first: make([]int32, n), from: make([]int32, n+1), mid: make([]int32, n), lone: true}
	for i := range n {
		a, b := edge(at(float64(i))), edge(at(float64(i+1)))
		if a > b {
			a, b = b, a
		}
		o.first[i], o.mid[i] = -1, -1
		if m := math.Floor((a + b) / 2); m >= 0 && m < float64(size) {
			o.mid[i] = int32(m)
		}
		lo, hi := max(0, math.Floor(a)), min(float64(size), math.Ceil(b))
		if lo < hi {
			o.first[i] = int32(lo)
		}
		for c := lo; c < hi; c++ {
			o.part = append(o.part, (min(b, c+1)-max(a, c))/(b-a))
		}
		o.from[i+1] = int32(len(o.part))
		o.lone = o.lone && o.from[i+1]-o.from[i] <= 1
	}
	return o
}

func edge(v float64) float64 {
	if r := math.Round(v); math.Abs(v-r) < aligned {
		return r
	}
	return v
}

// span is the range of pixels of the other grid under those from x on.
func (o *overlap) span(x, n int) (lo, hi int) {
	lo, hi = math.MaxInt, 0
	for i := x; i < x+n; i++ {
		if f := int(o.first[i]); f >= 0 {
			lo, hi = min(lo, f), max(hi, f+int(o.from[i+1]-o.from[i]))
		}
	}
	return lo, hi
}
