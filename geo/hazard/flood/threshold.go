package flood

import "math"

const (
	bandWidth = 10 // pixels on either side of the rim: 100 m of Sentinel-1 and -2
	minRegion = 20 // pixels; smaller spots are speckle or roofs and show no rim
	minBand   = 200
	maxRounds = 12
	bins      = 4096
	tails     = 0.001 // of the values at either end left out of the histogram
)

// Threshold is where a voter's values part water from land.
type Threshold struct {
	Value  float64 `json:"value"`           // water is above it
	Spread float64 `json:"spread"`          // standard deviation along the rim: the unit of a vote
	Pixels int64   `json:"pixels"`          // beside the rim, on which it rests; 0 when the usual one is used
	Usual  bool    `json:"usual,omitempty"` // no rim was found: the value is the literature's
}

// plane is one voter's values over a block.
type plane struct {
	v    []float32 // NaN without data
	w, h int
}

// find gives the threshold of Otsu along the rim of the water which the threshold
// itself shows, starting from the usual one.
func (v voter) find(sample []plane) Threshold {
	t := Threshold{Value: v.usual}
	for range maxRounds {
		hist := newHistogram(v.low, v.high)
		for _, p := range sample {
			for i, in := range rim(p.v, p.w, p.h, t.Value) {
				if in {
					hist.add(float64(p.v[i]))
				}
			}
		}
		if hist.n < minBand {
			break
		}
		last := t.Value
		t = Threshold{Value: max(v.least, min(v.most, hist.otsu())), Spread: hist.spread(), Pixels: hist.n}
		if math.Abs(t.Value-last) < 1e-3*(v.most-v.least) {
			break
		}
	}
	if t.Pixels == 0 || !(t.Spread > 0) {
		return Threshold{Value: v.usual, Spread: v.spread, Usual: true}
	}
	return t
}

// rim marks the pixels within bandWidth of both sides of the border between water,
// what lies above t, and the rest. Spots of water under minRegion do not count.
func rim(v []float32, w, h int, t float64) []bool {
	wet := make([]bool, len(v))
	for i, x := range v {
		wet[i] = float64(x) > t // NaN is not
	}
	dropSpots(wet, w, h)
	// Sums over rectangles from the corner make every count four look-ups.
	sums := make([]int32, (w+1)*(h+1))
	for y := range h {
		var row int32
		for x := range w {
			if wet[y*w+x] {
				row++
			}
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	for y := range h {
		y0, y1 := max(0, y-bandWidth), min(h, y+bandWidth+1)
		for x := range w {
			x0, x1 := max(0, x-bandWidth), min(w, x+bandWidth+1)
			n := sums[y1*(w+1)+x1] - sums[y0*(w+1)+x1] - sums[y1*(w+1)+x0] + sums[y0*(w+1)+x0]
			i := y*w + x
			wet[i] = n > 0 && int(n) < (y1-y0)*(x1-x0) && v[i] == v[i]
		}
	}
	return wet
}

// dropSpots clears regions of under minRegion pixels, joined by their sides.
func dropSpots(wet []bool, w, h int) {
	seen := make([]bool, len(wet))
	var stack, region []int
	for start := range wet {
		if !wet[start] || seen[start] {
			continue
		}
		seen[start] = true
		stack, region = append(stack[:0], start), region[:0]
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack, region = stack[:len(stack)-1], append(region, i)
			x := i % w
			for _, next := range [4]struct {
				at     int
				inside bool
			}{{i - 1, x > 0}, {i + 1, x < w-1}, {i - w, i >= w}, {i + w, i < w*(h-1)}} {
				if next.inside && wet[next.at] && !seen[next.at] {
					seen[next.at] = true
					stack = append(stack, next.at)
				}
			}
		}
		if len(region) < minRegion {
			for _, i := range region {
				wet[i] = false
			}
		}
	}
}

func countTrue(v []bool) int {
	n := 0
	for _, b := range v {
		if b {
			n++
		}
	}
	return n
}

// histogram counts values of a known range; what lies outside goes to the ends.
type histogram struct {
	low, step float64
	count     [bins]int64
	n         int64
}

func newHistogram(low, high float64) *histogram {
	return &histogram{low: low, step: (high - low) / bins}
}

func (h *histogram) add(x float64) {
	h.count[max(0, min(bins-1, int((x-h.low)/h.step)))]++
	h.n++
}

func (h *histogram) middle(i int) float64 { return h.low + (float64(i)+0.5)*h.step }

// otsu is the value that parts the histogram, without its tails, into two classes
// with the greatest variance between them.
func (h *histogram) otsu() float64 {
	from, to := 0, bins-1
	cut := int64(tails * float64(h.n))
	for seen := h.count[from]; seen <= cut && from < to; seen += h.count[from] {
		from++
	}
	for seen := h.count[to]; seen <= cut && to > from; seen += h.count[to] {
		to--
	}
	var n, sum float64
	for i := from; i <= to; i++ {
		n += float64(h.count[i])
		sum += float64(h.count[i]) * h.middle(i)
	}
	best, at := 0.0, h.middle(from)
	var below, belowSum float64
	for i := from; i < to; i++ {
		below += float64(h.count[i])
		belowSum += float64(h.count[i]) * h.middle(i)
		above := n - below
		if below == 0 || above == 0 {
			continue
		}
		d := belowSum/below - (sum-belowSum)/above
		if between := below * above * d * d; between > best {
			best, at = between, h.middle(i)+h.step/2
		}
	}
	return at
}

// spread is the standard deviation.
func (h *histogram) spread() float64 {
	var sum, squares float64
	for i, c := range h.count {
		x := h.middle(i)
		sum += float64(c) * x
		squares += float64(c) * x * x
	}
	mean := sum / float64(h.n)
	return math.Sqrt(max(0, squares/float64(h.n)-mean*mean))
}
