// Package textbook has methods as their first papers write them, in plain C and
// compiled as C is usually compiled (-O2), to be raced against. Nothing of the
// product imports it.
package textbook

// #cgo CFLAGS: -O2
// #include "whittaker.h"
import "C"

// Whittaker smooths the series of n ≥ 4 steps, one after another in y and w, into z.
func Whittaker(z, y, w []float64, n int, lambda float64) {
	scratch := make([]float64, 3*n)
	p := func(v []float64) *C.double { return (*C.double)(&v[0]) }
	C.whittaker_all(p(z), p(y), p(w), C.long(len(y)/n), C.int(n), C.double(lambda), p(scratch))
}
