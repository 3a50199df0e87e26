package bin

import (
	"math"
)

// Trend is how risk may go along the bins of a number.
type Trend int

// The trends.
const (
	Auto       Trend = iota // the best of those below, none excepted
	Ascending               // risk rises
	Descending              // risk falls
	Peak                    // risk rises, then falls
	Valley                  // risk falls, then rises
	Free                    // as it comes
)

// Cell is the good and bad rows of a prebin or of a bin.
type Cell struct{ Good, Bad float64 }

func (c Cell) add(d Cell) Cell { return Cell{c.Good + d.Good, c.Bad + d.Bad} }

// rate is the share of bad rows.
func (c Cell) rate() float64 { return c.Bad / (c.Good + c.Bad) }

// likelihood is the log likelihood of a bin under its own rate.
func (c Cell) likelihood() float64 {
	l, n := 0.0, c.Good+c.Bad
	if c.Good > 0 {
		l += c.Good * math.Log(c.Good/n)
	}
	if c.Bad > 0 {
		l += c.Bad * math.Log(c.Bad/n)
	}
	return l
}

// Limits bound the bins that Merge makes.
type Limits struct {
	Bins    int     // at most
	Share   float64 // of all rows a bin has at least
	Penalty float64 // log likelihood that one more bin must bring
}

// Merge joins neighbouring prebins so that the log likelihood less the penalty is the
// greatest that the trend and the limits allow: exactly, by dynamic programming over the
// last bin and the number of bins. It gives the prebin before which each bin but the
// first begins. Auto takes a turning point only where it pays two penalties more.
func Merge(cells []Cell, trend Trend, lim Limits) []int {
	if len(cells) < 2 {
		return nil
	}
	m := newMerger(cells, lim)
	if trend != Auto {
		cuts, _ := m.best(trend)
		return cuts
	}
	cuts, most := m.best(Ascending)
	for _, t := range []Trend{Descending, Peak, Valley} {
		c, v := m.best(t)
		if t == Peak || t == Valley {
			v -= 2 * lim.Penalty
		}
		if v > most+1e-9 {
			cuts, most = c, v
		}
	}
	return cuts
}

// merger holds the sums of all runs of prebins.
type merger struct {
	n     int
	run   [][]Cell    // run[i][j]: prebins i to j-1
	value [][]float64 // of a bin of them; -Inf where it is too small
	lim   Limits
}

func newMerger(cells []Cell, lim Limits) *merger {
	m := &merger{n: len(cells), lim: lim}
	var all Cell
	for _, c := range cells {
		all = all.add(c)
	}
	least := lim.Share * (all.Good + all.Bad)
	for i := range m.n {
		m.run, m.value = append(m.run, make([]Cell, m.n+1)), append(m.value, make([]float64, m.n+1))
		var c Cell
		for j := i + 1; j <= m.n; j++ {
			c = c.add(cells[j-1])
			m.run[i][j] = c
			m.value[i][j] = c.likelihood() - lim.Penalty
			if c.Good+c.Bad < least && !(i == 0 && j == m.n) {
				m.value[i][j] = math.Inf(-1)
			}
		}
	}
	return m
}

// step tells whether risk may go from one bin to the next; turned says that it has turned
// before, and the answer whether it has afterwards.
func (t Trend) step(from, to float64, turned bool) (ok, turns bool) {
	up, down := to >= from, to <= from
	switch t {
	case Ascending:
		return up, false
	case Descending:
		return down, false
	case Peak:
		if !turned && up {
			return true, false
		}
		return down, true
	case Valley:
		if !turned && down {
			return true, false
		}
		return up, true
	default:
		return true, false
	}
}

// best finds the cuts of a trend and their value. State: the last bin (i, j), whether the
// risk has turned, and how many bins there are.
func (m *merger) best(t Trend) ([]int, float64) {
	type state struct {
		value float64
		from  int // where the bin before began
		turn  int // whether the risk had turned by then
	}
	bins := min(max(m.lim.Bins, 1), m.n)
	// at[k][turned][i][j]: best value of k+1 bins, the last of which is i to j-1.
	at := make([][2][][]state, bins)
	for k := range at {
		for turned := range 2 {
			at[k][turned] = make([][]state, m.n)
			for i := range m.n {
				at[k][turned][i] = make([]state, m.n+1)
				for j := range at[k][turned][i] {
					at[k][turned][i][j].value = math.Inf(-1)
				}
			}
		}
	}
	for j := 1; j <= m.n; j++ {
		at[0][0][0][j] = state{value: m.value[0][j]}
	}
	for k := 1; k < bins; k++ {
		for i := k; i < m.n; i++ {
			for j := i + 1; j <= m.n; j++ {
				v := m.value[i][j]
				if math.IsInf(v, -1) {
					continue
				}
				for h := k - 1; h < i; h++ {
					for turned := range 2 {
						before := at[k-1][turned][h][i].value
						if math.IsInf(before, -1) {
							continue
						}
						ok, turns := t.step(m.run[h][i].rate(), m.run[i][j].rate(), turned == 1)
						to := 0
						if turns {
							to = 1
						}
						if ok && before+v > at[k][to][i][j].value {
							at[k][to][i][j] = state{before + v, h, turned}
						}
					}
				}
			}
		}
	}
	best, bestK, bestTurn, bestI := math.Inf(-1), 0, 0, 0
	for k := range at {
		for turned := range 2 {
			for i := range m.n {
				if v := at[k][turned][i][m.n].value; v > best+1e-9 {
					best, bestK, bestTurn, bestI = v, k, turned, i
				}
			}
		}
	}
	var cuts []int
	for k, i, j, turn := bestK, bestI, m.n, bestTurn; k > 0; k-- {
		cuts = append([]int{i}, cuts...)
		s := at[k][turn][i][j]
		i, j, turn = s.from, i, s.turn
	}
	return cuts, best
}

// Value is the information value of bins: the sum over bins of the difference between
// their shares of good and of bad rows, times the weight of evidence.
func Value(cells []Cell) float64 {
	var all Cell
	for _, c := range cells {
		all = all.add(c)
	}
	iv := 0.0
	for _, c := range cells {
		if c.Good+c.Bad > 0 {
			g, b := (c.Good+0.5)/(all.Good+0.5), (c.Bad+0.5)/(all.Bad+0.5)
			iv += (g - b) * math.Log(g/b)
		}
	}
	return iv
}
