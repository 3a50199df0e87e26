package bin

import (
	"math"
	"slices"
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
		cuts, _ := m.best(trend, 0)
		return cuts
	}
	// What has not turned yet in a peak is ascending, and in a valley descending.
	peak, high := m.best(Peak, 2*lim.Penalty)
	valley, low := m.best(Valley, 2*lim.Penalty)
	if low > high+1e-9 {
		return valley
	}
	return peak
}

// merger holds the sums of all runs of prebins.
type merger struct {
	n     int
	rate  [][]float64 // rate[i][j]: share of bad rows of prebins i to j-1
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
		m.rate, m.value = append(m.rate, make([]float64, m.n+1)), append(m.value, make([]float64, m.n+1))
		var c Cell
		for j := i + 1; j <= m.n; j++ {
			c = c.add(cells[j-1])
			m.rate[i][j] = c.rate()
			m.value[i][j] = c.likelihood() - lim.Penalty
			if c.Good+c.Bad < least && (i > 0 || j < m.n) {
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

// best finds the cuts of a trend and their value; a risk that has turned costs turning.
// State: the number of bins, the last bin (i to j-1), and whether the risk has turned.
func (m *merger) best(t Trend, turning float64) ([]int, float64) {
	n, bins := m.n, min(max(m.lim.Bins, 1), m.n)
	place := func(k, turned, i, j int) int { return ((k*2+turned)*n+i)*(n+1) + j }
	value := make([]float64, bins*2*n*(n+1))
	from := make([]int32, len(value)) // twice where the bin before began, and whether the risk had turned
	for i := range value {
		value[i] = math.Inf(-1)
	}
	for j := 1; j <= n; j++ {
		value[place(0, 0, 0, j)] = m.value[0][j]
	}
	for k := 1; k < bins; k++ {
		for i := k; i < n; i++ {
			for j := i + 1; j <= n; j++ {
				if v := m.value[i][j]; !math.IsInf(v, -1) {
					m.reach(t, k, i, j, v, value, from, place)
				}
			}
		}
	}
	best, bestK, bestTurn, bestI := math.Inf(-1), 0, 0, 0
	for k := range bins {
		for turned := range 2 {
			for i := range n {
				v := value[place(k, turned, i, n)] - turning*float64(turned)
				if v > best+1e-9 {
					best, bestK, bestTurn, bestI = v, k, turned, i
				}
			}
		}
	}
	var cuts []int
	for k, i, j, turned := bestK, bestI, n, bestTurn; k > 0; k-- {
		cuts = append(cuts, i)
		f := int(from[place(k, turned, i, j)])
		i, j, turned = f/2, i, f%2
	}
	slices.Reverse(cuts)
	return cuts, best
}

// reach finds the best ways to a bin, i to j-1, as the k-th after the first.
func (m *merger) reach(t Trend, k, i, j int, v float64, value []float64, from []int32, place func(k, turned, i, j int) int) {
	to := [2]int{place(k, 0, i, j), place(k, 1, i, j)}
	for h := k - 1; h < i; h++ {
		for turned := range 2 {
			before := value[place(k-1, turned, h, i)]
			if math.IsInf(before, -1) {
				continue
			}
			ok, turns := t.step(m.rate[h][i], m.rate[i][j], turned == 1)
			at := to[0]
			if turns {
				at = to[1]
			}
			if ok && before+v > value[at] {
				value[at], from[at] = before+v, int32(2*h+turned) //nolint:gosec // few prebins
			}
		}
	}
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
