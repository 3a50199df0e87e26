package geo

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"
)

// Clash is ground that two plots of different holders share: pledged by both, it
// would secure two loans.
type Clash struct {
	A     ClashPlot `json:"a"` // the one listed first
	B     ClashPlot `json:"b"`
	M2    float64   `json:"m2"`
	Share float64   `json:"share"` // of the smaller of the two
}

// ClashPlot names one of the two plots.
type ClashPlot struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	OwnerID   string  `json:"owner_id"`
	OwnerName string  `json:"owner_name"`
	AreaM2    float64 `json:"area_m2"`
}

func clashPlot(p *Plot) ClashPlot {
	return ClashPlot{p.ID, p.Name, p.OwnerID, p.OwnerName, p.AreaM2}
}

// Clashes finds all pairs of valid plots of different holders that share more than
// a square metre and at least the given share (0..1) of the smaller one, the
// greatest share first. Holders are told apart by their ids, where there are none
// by their names; plots without either are taken to have different holders.
func Clashes(ctx context.Context, plots []Plot, least float64) ([]Clash, error) {
	pairs, err := meetingPairs(ctx, plots, func(a, b *Plot) (float64, bool) {
		if sameHolder(a, b) {
			return 0, false
		}
		m2 := OverlapM2(a.Polygon, b.Polygon)
		return m2, m2 > 1 && m2 >= least*math.Min(a.AreaM2, b.AreaM2)
	})
	out := make([]Clash, len(pairs))
	for i, p := range pairs {
		a, b := &plots[p.a], &plots[p.b]
		out[i] = Clash{A: clashPlot(a), B: clashPlot(b), M2: p.m2, Share: math.Min(1, p.m2/math.Min(a.AreaM2, b.AreaM2))}
	}
	slices.SortStableFunc(out, func(a, b Clash) int { return cmp.Compare(b.Share, a.Share) })
	return out, err
}

func sameHolder(a, b *Plot) bool {
	if a.OwnerID != "" || b.OwnerID != "" {
		return a.OwnerID == b.OwnerID
	}
	return a.OwnerName != "" && a.OwnerName == b.OwnerName
}

// pair is two plots by their places in a list, a < b, and what they share.
type pair struct {
	a, b int
	m2   float64
}

// meetingPairs calls test for every two plots whose boxes meet, from several
// goroutines, and lists the pairs that pass, in order.
//
// The land is cut into bands of latitude about as high as the plots. In each band
// the plots that touch it are swept from west to east; a pair counts in the band
// in which its common part begins. So the work grows with the number of plots and
// of pairs, however many plots there are and however their sizes differ.
func meetingPairs(ctx context.Context, plots []Plot, test func(a, b *Plot) (m2 float64, ok bool)) ([]pair, error) {
	boxes := make([]orb.Bound, len(plots))
	heights := make([]float64, len(plots))
	south := math.Inf(1)
	for i, p := range plots {
		boxes[i] = p.Polygon.Bound()
		heights[i] = boxes[i].Max[1] - boxes[i].Min[1]
		south = math.Min(south, boxes[i].Min[1])
	}
	slices.Sort(heights)
	var height float64
	if n := len(heights); n > 0 {
		// At least the mean, lest a few great ones lie in very many bands.
		height = 2 * math.Max(heights[n/2], sum(heights)/float64(n))
	}
	if height == 0 {
		return nil, nil
	}
	bandOf := func(lat float64) int { return int((lat - south) / height) }
	bands := map[int][]int{}
	for i, b := range boxes {
		for k := bandOf(b.Min[1]); k <= bandOf(b.Max[1]); k++ {
			bands[k] = append(bands[k], i)
		}
	}
	keys := make([]int, 0, len(bands))
	for k := range bands {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	found := make([][]pair, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for n, k := range keys {
		group.Go(func() error {
			in := bands[k]
			slices.SortFunc(in, func(i, j int) int {
				return cmp.Or(cmp.Compare(boxes[i].Min[0], boxes[j].Min[0]), cmp.Compare(i, j))
			})
			for at, i := range in {
				if err := ctx.Err(); err != nil {
					return err
				}
				for _, j := range in[at+1:] {
					if boxes[j].Min[0] > boxes[i].Max[0] {
						break
					}
					begin := math.Max(boxes[i].Min[1], boxes[j].Min[1])
					if begin > math.Min(boxes[i].Max[1], boxes[j].Max[1]) || bandOf(begin) != k {
						continue
					}
					a, b := min(i, j), max(i, j)
					if m2, ok := test(&plots[a], &plots[b]); ok {
						found[n] = append(found[n], pair{a, b, m2})
					}
				}
			}
			return nil
		})
	}
	err := group.Wait()
	out := slices.Concat(found...)
	slices.SortFunc(out, func(p, q pair) int { return cmp.Or(cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b)) })
	return out, err
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

// OverlapM2 is the area in m² that two valid polygons share, exact up to rounding.
//
// Both are drawn on an equal-area plane. The plane is cut into horizontal slabs at
// every corner and at every place where an edge of one crosses an edge of the
// other. Within a slab no edges cross, so the shared width changes evenly and its
// value at half height times the height of the slab is exact.
func OverlapM2(a, b orb.Polygon) float64 {
	if len(a) == 0 || len(b) == 0 || !a.Bound().Intersects(b.Bound()) {
		return 0
	}
	pl := planeAt(a.Bound().Center())
	ea, eb := planeEdges(pl, a), planeEdges(pl, b)
	if len(ea) == 0 || len(eb) == 0 {
		return 0
	}
	low := max(lowest(ea), lowest(eb))
	high := min(highest(ea), highest(eb))
	if low >= high {
		return 0
	}
	apart := func(e planeEdge) bool { return e.y1 <= low || e.y0 >= high }
	ea, eb = slices.DeleteFunc(ea, apart), slices.DeleteFunc(eb, apart)
	cuts := []float64{low, high}
	for _, e := range append(slices.Clone(ea), eb...) {
		cuts = append(cuts, e.y0, e.y1)
	}
	for _, s := range ea {
		for _, t := range eb {
			if y, ok := s.crosses(t); ok {
				cuts = append(cuts, y)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var sum float64
	var xa, xb []float64
	for i := 1; i < len(cuts); i++ {
		y0, y1 := cuts[i-1], cuts[i]
		if y0 < low || y1 > high {
			continue
		}
		mid := (y0 + y1) / 2
		xa, xb = cut(ea, mid, xa[:0]), cut(eb, mid, xb[:0])
		sum += commonWidth(xa, xb) * (y1 - y0)
	}
	return sum
}

// planeEdge runs upwards, y0 < y1.
type planeEdge struct{ x0, y0, x1, y1 float64 }

func (e planeEdge) x(y float64) float64 { return e.x0 + (e.x1-e.x0)*(y-e.y0)/(e.y1-e.y0) }

// crosses gives the height at which two edges cross.
func (e planeEdge) crosses(f planeEdge) (y float64, ok bool) {
	lo, hi := max(e.y0, f.y0), min(e.y1, f.y1)
	if lo >= hi {
		return 0, false
	}
	d0, d1 := e.x(lo)-f.x(lo), e.x(hi)-f.x(hi)
	if d0 == 0 || d1 == 0 || (d0 > 0) == (d1 > 0) {
		return 0, false
	}
	return lo + (hi-lo)*d0/(d0-d1), true
}

func planeEdges(pl plane, p orb.Polygon) []planeEdge {
	var out []planeEdge
	for _, r := range p {
		for i := range r {
			a, b := pl.project(r[i]), pl.project(r[(i+1)%len(r)])
			if a[1] > b[1] {
				a, b = b, a
			}
			if a[1] < b[1] {
				out = append(out, planeEdge{a[0], a[1], b[0], b[1]})
			}
		}
	}
	return out
}

func lowest(es []planeEdge) float64 {
	y := math.Inf(1)
	for _, e := range es {
		y = min(y, e.y0)
	}
	return y
}

func highest(es []planeEdge) float64 {
	y := math.Inf(-1)
	for _, e := range es {
		y = max(y, e.y1)
	}
	return y
}

// cut gives the places, from west to east, where a line at height y enters and
// leaves the polygon.
func cut(es []planeEdge, y float64, xs []float64) []float64 {
	for _, e := range es {
		if e.y0 < y && y < e.y1 {
			xs = append(xs, e.x(y))
		}
	}
	slices.Sort(xs)
	return xs
}

// commonWidth is the length that two sorted lists of enter, leave, enter, ...
// have in common.
func commonWidth(a, b []float64) float64 {
	var sum float64
	for i, j := 0, 0; i+1 < len(a) && j+1 < len(b); {
		if lo, hi := max(a[i], b[j]), min(a[i+1], b[j+1]); lo < hi {
			sum += hi - lo
		}
		if a[i+1] < b[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return sum
}
