package plot

import (
	"math"

	"github.com/paulmach/orb"
)

// grids are the cells per degree of the grids by which plots are found, finest
// first: from about 217 m to 14 km of latitude. A plot belongs to the
// finest grid whose cells are as wide and as high as its box; what is larger than
// all of them is kept under one key, [anywhere]. Powers of two keep the arithmetic
// exact, so that SQL (migration 0006) and Go find the same cell.
var grids = [...]float64{512, 256, 128, 64, 32, 16, 8}

const anywhere = int64(len(grids)) << 40

// maxCells bounds the keys of a query. A greater box holds so many plots that
// reading them in order of their ids is the better plan.
const maxCells = 1500

// cellOf is the key under which a plot of that box is found: number of the grid,
// row and column of the south-west corner.
func cellOf(b orb.Bound) int64 {
	for g, n := range grids {
		if b.Max[0]-b.Min[0] <= 1/n && b.Max[1]-b.Min[1] <= 1/n {
			return key(g, row(b.Min[1], n), column(b.Min[0], n))
		}
	}
	return anywhere
}

func key(grid int, row, column int64) int64 { return int64(grid)<<40 + row<<20 + column }

func row(lat, n float64) int64 { return int64(math.Floor((lat + 90) * n)) }

func column(lon, n float64) int64 { return int64(math.Floor((lon + 180) * n)) }

// cellsOf are the keys under which plots can lie whose box meets b; false when they
// would be too many. No plot is wider than a cell of its grid, so that one more
// column and row to the south-west hold all that reach into the box.
func cellsOf(b orb.Bound) ([]int64, bool) {
	keys := []int64{anywhere}
	for g, n := range grids {
		x0, x1 := column(math.Max(b.Min[0], -180), n)-1, column(math.Min(b.Max[0], 180), n)
		y0, y1 := row(math.Max(b.Min[1], -90), n)-1, row(math.Min(b.Max[1], 90), n)
		if x1 < x0 || y1 < y0 {
			continue
		}
		if int64(len(keys))+(x1-x0+1)*(y1-y0+1) > maxCells {
			return nil, false
		}
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				keys = append(keys, key(g, y, x))
			}
		}
	}
	return keys, true
}
