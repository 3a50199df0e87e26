package scene

import (
	"context"
	"math"
	"strings"
)

// Block is a window of an item in physical values, on the item's grid.
type Block struct {
	Window Window
	Bands  [][]float64 // in the order asked for, row by row; NaN where nothing was seen
	Class  []Class     // what the masks say; all Clear when the item has none
}

// Reader reads windows of one item. It is not safe for concurrent use, as GDAL's
// datasets are not: open one for each goroutine.
//
// Bands of another grid than the item's are brought onto it by area: a pixel takes
// the mean of the pixels below it, weighed by the part of it that each covers. Where
// the grids nest (20 m under 10 m) that repeats the coarse pixel, and a plot's mean
// is the one on the coarse grid; nothing between two pixels is made up. A pixel of
// which less than half holds data says nothing. Decibels are averaged as power.
// Masks give the class under the middle of the pixel: classes have no mean.
type Reader struct {
	item    Item
	bands   []layer
	masks   []mask
	rasters map[string]*Raster
	block   Block
	class   []Class
	row     []float64
	part    []float64
}

// layer is a band of an item, and its pixels in the window last loaded.
type layer struct {
	Band
	raster     *Raster
	pixels     Pixels
	same       bool // it lies on the item's grid
	cols, rows overlap
	empty      bool // the window lies outside
}

// Reader opens the files of the bands of an item, and of its masks. It returns
// [ErrNoBand] for a band that the item lacks, [ErrUnreadable] for a bad file and
// [ErrGrid] for a band that lies in another coordinate system than the item.
func (c *Catalogue) Reader(item Item, bands []string) (*Reader, error) {
	r := &Reader{item: item, rasters: map[string]*Raster{}}
	r.block.Bands = make([][]float64, len(bands))
	for _, k := range bands {
		b, ok := item.Bands[k]
		if !ok {
			r.Close()
			return nil, ErrNoBand.At("%s", item.ID).With("band", k)
		}
		l, err := r.open(b)
		if err != nil {
			r.Close()
			return nil, err
		}
		r.bands = append(r.bands, l)
	}
	for _, b := range item.Masks() {
		l, err := r.open(b)
		if err == nil {
			var m mask
			if m, err = newMask(l); err == nil {
				r.masks = append(r.masks, m)
			}
		}
		if err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// open opens the file of b, once however many bands lie in it.
func (r *Reader) open(b Band) (layer, error) {
	ra, ok := r.rasters[b.File]
	if !ok {
		var err error
		if ra, err = OpenRaster(b.File); err != nil {
			return layer{}, err
		}
		r.rasters[b.File] = ra
	}
	if !ra.Grid.near(b.Grid) {
		return layer{}, ErrCatalogue.At("%s", b.File).Because(errGridChanged)
	}
	g := r.item.Grid
	l := layer{Band: b, raster: ra, same: b.Grid == g}
	if l.same {
		return l, nil
	}
	if g.CRS != b.Grid.CRS && strings.HasPrefix(g.CRS, "EPSG:") && strings.HasPrefix(b.Grid.CRS, "EPSG:") {
		return layer{}, ErrGrid.At("%s", b.File).With("why", "it lies in "+b.Grid.CRS+", the other bands of its scene in "+g.CRS)
	}
	if !g.upright() || !b.Grid.upright() {
		return layer{}, ErrGrid.At("%s", b.File).With("why", "its rows do not run along those of the other bands of its scene")
	}
	l.cols = newOverlap(g.Width, b.Grid.Width, func(c float64) float64 {
		x, _ := b.Grid.Pixel(g.World(c, 0))
		return x
	})
	l.rows = newOverlap(g.Height, b.Grid.Height, func(c float64) float64 {
		_, y := b.Grid.Pixel(g.World(0, c))
		return y
	})
	return l, nil
}

// Close frees the files.
func (r *Reader) Close() {
	for _, ra := range r.rasters {
		ra.Close()
	}
}

// Grid is the grid of the windows.
func (r *Reader) Grid() Grid { return r.item.Grid }

// Load reads a window, which must lie inside the grid, in the types of the files.
// What it holds is valid until the next Load or Read.
func (r *Reader) Load(ctx context.Context, w Window) error {
	for i := range r.bands {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.bands[i].load(w, 0, 0); err != nil {
			return err
		}
	}
	for i := range r.masks {
		if err := r.masks[i].load(w); err != nil {
			return err
		}
	}
	return nil
}

// Values fills out with the physical values of the i-th band from column x of row
// y on, NaN where nothing was seen. The pixels must lie in the window loaded.
func (r *Reader) Values(i, x, y int, out []float64) {
	l := &r.bands[i]
	switch {
	case l.same:
		l.pixels.Values(x, y, out)
		l.Physical(out)
	case l.empty:
		blank(out)
	case l.cols.lone && l.rows.lone:
		r.repeat(l, x, y, out)
	default:
		r.average(l, x, y, out)
	}
}

func blank(out []float64) {
	for i := range out {
		out[i] = math.NaN()
	}
}

// covered is the part of a pixel that must hold data.
const covered = 0.5

// repeat gives each pixel the value of the one below it.
func (r *Reader) repeat(l *layer, x, y int, out []float64) {
	lo, hi := l.cols.span(x, len(out))
	sy := l.rows.first[y]
	if sy < 0 || lo >= hi {
		blank(out)
		return
	}
	r.row = grow(r.row, hi-lo)
	l.pixels.Values(lo, int(sy), r.row)
	l.Physical(r.row)
	part := l.rows.part[l.rows.from[y]]
	for i := range out {
		c := l.cols.first[x+i]
		if c < 0 || part*l.cols.part[l.cols.from[x+i]] < covered-aligned {
			out[i] = math.NaN()
			continue
		}
		out[i] = r.row[int(c)-lo]
	}
}

// average gives each pixel the mean of those below it.
func (r *Reader) average(l *layer, x, y int, out []float64) {
	clear(out)
	r.part = grow(r.part, len(out))
	clear(r.part)
	lo, hi := l.cols.span(x, len(out))
	from, to := l.rows.from[y], l.rows.from[y+1]
	power := l.Kind == Radar
	for j := from; j < to && lo < hi; j++ {
		r.row = grow(r.row, hi-lo)
		l.pixels.Values(lo, int(l.rows.first[y]+j-from), r.row)
		l.Physical(r.row)
		if power {
			for i, v := range r.row {
				r.row[i] = FromDB(v)
			}
		}
		for i := range out {
			a, b := l.cols.from[x+i], l.cols.from[x+i+1]
			for k := a; k < b; k++ {
				v := r.row[int(l.cols.first[x+i]+k-a)-lo]
				if w := l.rows.part[j] * l.cols.part[k]; !math.IsNaN(v) {
					out[i] += w * v
					r.part[i] += w
				}
			}
		}
	}
	for i, w := range r.part {
		switch {
		case w < covered-aligned:
			out[i] = math.NaN()
		case power:
			out[i] = ToDB(out[i] / w)
		default:
			out[i] /= w
		}
	}
}

// FromDB is the ratio that decibels stand for.
func FromDB(db float64) float64 { return math.Exp(db * (math.Ln10 / 10)) }

// ToDB is a ratio in decibels.
func ToDB(power float64) float64 { return 10 * math.Log10(power) }

// Classes fills out with the classes from column x of row y on: the worst of what
// the masks say, Clear where there is none. The pixels must lie in the window
// loaded.
func (r *Reader) Classes(x, y int, out []Class) {
	clear(out)
	for i := range r.masks {
		if cap(r.class) < len(out) {
			r.class = make([]Class, len(out))
		}
		c := r.class[:len(out)]
		r.masks[i].classes(x, y, c)
		for k, v := range c {
			out[k] = max(out[k], v)
		}
	}
}

// Masked says whether the item has masks.
func (r *Reader) Masked() bool { return len(r.masks) > 0 }

// Read returns the block of a window, which must lie inside the grid. The block
// is valid until the next Read.
func (r *Reader) Read(ctx context.Context, w Window) (Block, error) {
	if err := r.Load(ctx, w); err != nil {
		return Block{}, err
	}
	n := w.W * w.H
	r.block.Window = w
	if cap(r.block.Class) < n {
		r.block.Class = make([]Class, n)
	}
	r.block.Class = r.block.Class[:n]
	for i := range r.bands {
		r.block.Bands[i] = grow(r.block.Bands[i], n)
	}
	for y := range w.H {
		for i := range r.bands {
			r.Values(i, w.X, w.Y+y, r.block.Bands[i][y*w.W:(y+1)*w.W])
		}
		r.Classes(w.X, w.Y+y, r.block.Class[y*w.W:(y+1)*w.W])
	}
	return r.block, nil
}

func grow(b []float64, n int) []float64 {
	if cap(b) < n {
		return make([]float64, n)
	}
	return b[:n]
}

// load reads what lies under a window of the item's grid, and padX, padY pixels of
// its own around it.
func (l *layer) load(w Window, padX, padY int) error {
	sw := w
	if !l.same {
		x0, x1 := l.cols.span(w.X, w.W)
		y0, y1 := l.rows.span(w.Y, w.H)
		if l.empty = x0 >= x1 || y0 >= y1; l.empty {
			return nil
		}
		sw = Window{x0, y0, x1 - x0, y1 - y0}
	}
	x1, y1 := min(l.Grid.Width, sw.X+sw.W+padX), min(l.Grid.Height, sw.Y+sw.H+padY)
	sw.X, sw.Y = max(0, sw.X-padX), max(0, sw.Y-padY)
	sw.W, sw.H = x1-sw.X, y1-sw.Y
	return l.raster.Load(l.Index, sw, &l.pixels)
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
