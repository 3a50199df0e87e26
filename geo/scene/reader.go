package scene

import (
	"context"
	"math"
)

// Block is a window of an item in physical values, on the item's grid.
type Block struct {
	Window Window
	Bands  [][]float64 // in the order asked for, row by row; NaN where nothing was seen
	Class  []Class     // what the masks say; all Clear when the item has none
}

// Reader reads blocks of one item. It is not safe for concurrent use, as GDAL's
// datasets are not: open one for each goroutine.
type Reader struct {
	item    Item
	bands   []source
	masks   []source
	rasters map[string]*Raster
	block   Block
	raw     []float64
	scratch []float64
}

type source struct {
	Band
	raster *Raster
	class  func(float64) Class
}

// Reader opens the files of the bands of an item, and of its masks. It returns
// [ErrNoBand] for a band that the item lacks, [ErrUnreadable] for a bad file.
func (c *Catalogue) Reader(item Item, bands []string) (*Reader, error) {
	r := &Reader{item: item, rasters: map[string]*Raster{}}
	for _, k := range bands {
		b, ok := item.Bands[k]
		if !ok {
			r.Close()
			return nil, ErrNoBand.At("%s", item.ID).With("band", k)
		}
		if err := r.add(&r.bands, b); err != nil {
			r.Close()
			return nil, err
		}
	}
	for _, b := range item.Masks() {
		if err := r.add(&r.masks, b); err != nil {
			r.Close()
			return nil, err
		}
	}
	r.block.Bands = make([][]float64, len(r.bands))
	return r, nil
}

// add opens the file of b, once however many bands lie in it.
func (r *Reader) add(list *[]source, b Band) error {
	ra, ok := r.rasters[b.File]
	if !ok {
		var err error
		if ra, err = OpenRaster(b.File); err != nil {
			return err
		}
		r.rasters[b.File] = ra
	}
	if !ra.Grid.near(b.Grid) {
		return ErrCatalogue.At("%s", b.File).Because(errGridChanged)
	}
	s := source{Band: b, raster: ra}
	if b.Kind == Mask {
		s.class = classTable(b.Classes)
	}
	*list = append(*list, s)
	return nil
}

// Close frees the files.
func (r *Reader) Close() {
	for _, ra := range r.rasters {
		ra.Close()
	}
}

// Grid is the grid of the blocks.
func (r *Reader) Grid() Grid { return r.item.Grid }

// Read returns the block of a window, which must lie inside the grid. The block
// is valid until the next Read.
func (r *Reader) Read(ctx context.Context, w Window) (Block, error) {
	n := w.W * w.H
	r.block.Window = w
	for i, s := range r.bands {
		if err := ctx.Err(); err != nil {
			return Block{}, err
		}
		r.block.Bands[i] = grow(r.block.Bands[i], n)
		if err := r.read(s, w, r.block.Bands[i]); err != nil {
			return Block{}, err
		}
		s.Physical(r.block.Bands[i])
	}
	if cap(r.block.Class) < n {
		r.block.Class = make([]Class, n)
	}
	r.block.Class = r.block.Class[:n]
	clear(r.block.Class)
	for _, s := range r.masks {
		r.raw = grow(r.raw, n)
		if err := r.read(s, w, r.raw); err != nil {
			return Block{}, err
		}
		for i, v := range r.raw {
			r.block.Class[i] = max(r.block.Class[i], s.class(v))
		}
	}
	return r.block, nil
}

func grow(b []float64, n int) []float64 {
	if cap(b) < n {
		return make([]float64, n)
	}
	return b[:n]
}

// read fills out with the stored numbers of s on the item's grid. Coarser bands
// are repeated (nearest neighbour), NaN lies outside of them.
func (r *Reader) read(s source, w Window, out []float64) error {
	g := r.item.Grid
	if s.Grid == g {
		return s.raster.Read(s.Index, w, out)
	}
	cols := make([]int, w.W)
	for i := range cols {
		c, _ := s.Grid.Pixel(g.World(float64(w.X+i)+0.5, float64(w.Y)+0.5))
		cols[i] = int(math.Floor(c))
	}
	rows := make([]int, w.H)
	for i := range rows {
		_, y := s.Grid.Pixel(g.World(float64(w.X)+0.5, float64(w.Y+i)+0.5))
		rows[i] = int(math.Floor(y))
	}
	x0, x1 := span(cols, s.Grid.Width)
	y0, y1 := span(rows, s.Grid.Height)
	if x0 >= x1 || y0 >= y1 {
		for i := range out {
			out[i] = math.NaN()
		}
		return nil
	}
	sw := Window{x0, y0, x1 - x0, y1 - y0}
	r.scratch = grow(r.scratch, sw.W*sw.H)
	if err := s.raster.Read(s.Index, sw, r.scratch); err != nil {
		return err
	}
	for j, y := range rows {
		line := out[j*w.W : (j+1)*w.W]
		for i, x := range cols {
			if x < x0 || x >= x1 || y < y0 || y >= y1 {
				line[i] = math.NaN()
				continue
			}
			line[i] = r.scratch[(y-y0)*sw.W+x-x0]
		}
	}
	return nil
}

// span is the part of 0..n that the positions touch.
func span(pos []int, n int) (lo, hi int) {
	lo, hi = n, 0
	for _, p := range pos {
		if p >= 0 && p < n {
			lo, hi = min(lo, p), max(hi, p+1)
		}
	}
	return lo, hi
}

// Physical turns stored numbers into physical values in place, NaN where they say
// that nothing was seen.
func (b Band) Physical(v []float64) {
	nd := math.NaN()
	if b.NoData != nil {
		nd = *b.NoData
	}
	switch {
	case b.Transform == Decibel:
		for i, x := range v {
			if x == nd || x*b.Scale <= 0 {
				v[i] = math.NaN()
			} else {
				v[i] = 20*math.Log10(x*b.Scale) + b.Offset
			}
		}
	case b.Scale != 1 || b.Offset != 0 || b.NoData != nil:
		for i, x := range v {
			if x == nd {
				v[i] = math.NaN()
			} else {
				v[i] = x*b.Scale + b.Offset
			}
		}
	}
}
