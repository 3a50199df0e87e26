package scene

import "math"

// mask is a layer of classes.
type mask struct {
	layer
	table []Class // by stored number; nil where the type holds too many

	// Of masks whose clouds grow: half[g] is how many pixels a cloud g rows away
	// reaches to either side, padX the greatest of them.
	half  []int
	padX  int
	grown []Class
	far   []int32
	row   []float64
	line  []Class
}

func newMask(l layer) (mask, error) {
	m := mask{layer: l}
	n := 0
	switch l.DataType {
	case "uint8":
		n = 1 << 8
	case "uint16":
		n = 1 << 16
	}
	for v := range n {
		m.table = append(m.table, l.ClassAt(float64(v)))
	}
	if l.Dilate <= 0 {
		return m, nil
	}
	w, h, err := l.Grid.PixelMetres()
	if err != nil {
		return mask{}, err
	}
	// A pixel at just that distance is in. On the ground a pixel of a map grid is up to
	// a few thousandths longer than its name says.
	reach := l.Dilate * 1.005
	for g := 0.0; g*h <= reach; g++ {
		m.half = append(m.half, int(math.Sqrt(reach*reach-g*g*h*h)/w))
	}
	m.padX = m.half[0]
	return m, nil
}

// load reads what lies under the window, with the clouds around that grow into it.
func (m *mask) load(w Window) error {
	padY := max(0, len(m.half)-1)
	if err := m.layer.load(w, m.padX, padY); err != nil || m.empty {
		return err
	}
	if len(m.half) > 0 {
		m.grow()
	}
	return nil
}

// classes fills out with the classes of row y of the item's grid from column x on.
func (m *mask) classes(x, y int, out []Class) {
	if m.empty {
		fill(out, NoData)
		return
	}
	if m.same {
		m.stored(x, y, out)
		return
	}
	sy := int(m.rows.mid[y])
	lo, hi := m.cols.span(x, len(out))
	if sy < 0 || lo >= hi {
		fill(out, NoData)
		return
	}
	if cap(m.line) < hi-lo {
		m.line = make([]Class, hi-lo)
	}
	line := m.line[:hi-lo]
	m.stored(lo, sy, line)
	for i := range out {
		if c := m.cols.mid[x+i]; c < 0 {
			out[i] = NoData
		} else {
			out[i] = line[int(c)-lo]
		}
	}
}

// stored gives the classes of a row of the mask's own grid.
func (m *mask) stored(x, y int, out []Class) {
	if len(m.half) > 0 {
		w := m.pixels.Window
		copy(out, m.grown[(y-w.Y)*w.W+x-w.X:])
		return
	}
	m.read(x, y, out)
}

// read turns stored numbers into classes.
func (m *mask) read(x, y int, out []Class) {
	m.row = grow(m.row, len(out))
	m.pixels.Values(x, y, m.row)
	if m.table == nil {
		for i, v := range m.row {
			out[i] = m.ClassAt(v)
		}
		return
	}
	for i, v := range m.row {
		out[i] = m.table[int(v)]
	}
}

func fill(out []Class, c Class) {
	for i := range out {
		out[i] = c
	}
}

// grow makes Cloud of the clear pixels that lie within the distance of one, middle
// to middle. First every pixel learns how many rows the nearest cloud of its column
// is away, then each row is swept both ways with the reach of those clouds: the
// work for a pixel does not grow with the distance.
func (m *mask) grow() {
	w := m.pixels.Window
	n := w.W * w.H
	if cap(m.grown) < n {
		m.grown, m.far = make([]Class, n), make([]int32, n)
	}
	m.grown, m.far = m.grown[:n], m.far[:n]
	none := int32(len(m.half))
	seen := false
	for y := range w.H {
		line := m.grown[y*w.W : (y+1)*w.W]
		m.read(w.X, w.Y+y, line)
		for x, c := range line {
			k := y*w.W + x
			switch {
			case c == Cloud:
				m.far[k], seen = 0, true
			case y > 0:
				m.far[k] = min(m.far[k-w.W]+1, none)
			default:
				m.far[k] = none
			}
		}
	}
	if !seen {
		return
	}
	for k := n - w.W - 1; k >= 0; k-- {
		m.far[k] = min(m.far[k], m.far[k+w.W]+1)
	}
	for y := range w.H {
		line, far := m.grown[y*w.W:(y+1)*w.W], m.far[y*w.W:(y+1)*w.W]
		reach := -1
		for x, g := range far {
			if g < none {
				reach = max(reach, x+m.half[g])
			}
			if reach >= x && line[x] == Clear {
				line[x] = Cloud
			}
		}
		reach = w.W
		for x := w.W - 1; x >= 0; x-- {
			if g := far[x]; g < none {
				reach = min(reach, x-m.half[g])
			}
			if reach <= x && line[x] == Clear {
				line[x] = Cloud
			}
		}
	}
}
