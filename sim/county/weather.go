package county

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

// sky is the weather over the county at one overpass, on the 10 m grid.
type sky struct {
	cloud  []float32 // thickness, 0 clear to 1 opaque
	shadow []bool
	snow   bool
	wet    float64 // of bare soil, 0 dry to 1 dark after rain
	gain   float64 // error of the atmospheric correction
}

// forecast draws the cloudy share of every date. After a bad overpass the next one
// is better, as it would be among the four a satellite pair makes in 20 days; the
// days of the flood are clear, for the demo shows what satellites can see.
func (c *County) forecast(r *rand.Rand) {
	for i, t := range c.Dates {
		u := r.Float64()
		if i > 0 && c.cover[i-1] > 0.5 {
			u *= 0.8
		}
		var share float64
		switch {
		case u < 0.48:
			share = 0.02 * r.Float64()
		case u < 0.80:
			share = 0.08 + 0.4*r.Float64()
		default:
			share = 0.75 + 0.25*r.Float64()
		}
		if z := c.zones[geo.Flood]; !t.Before(z.from.AddDate(0, 0, -10)) && t.Before(z.to.AddDate(0, 0, 10)) {
			share = min(share, 0.02)
		}
		if snowy(t) {
			share = min(share, 0.2)
		}
		c.cover = append(c.cover, share)
	}
}

func snowy(t time.Time) bool { return t.Month() == time.January && t.Day() <= 10 }

// newSky draws the weather of a date of which share is under cloud.
func newSky(r *rand.Rand, t time.Time, share float64) sky {
	s := sky{
		cloud: make([]float32, size*size), shadow: make([]bool, size*size), snow: snowy(t),
		wet: r.Float64(), gain: 1 + r.NormFloat64()*0.012,
	}
	if share < 0.005 {
		return s
	}
	noise := newNoise(r)
	values := make([]float64, size*size)
	var hist [512]int
	for y := range size {
		for x := range size {
			v := noise.at(float64(x)/90, float64(y)/90)*0.6 + noise.at(float64(x)/31+7, float64(y)/31)*0.28 + noise.at(float64(x)/11, float64(y)/11+3)*0.12
			values[y*size+x] = v
			hist[int(max(0, min(511, v*511)))]++
		}
	}
	level, left := 511, int(share*size*size)
	for level > 0 && left > 0 {
		left -= hist[level]
		level--
	}
	cut := float64(level) / 511
	for i, v := range values {
		if v > cut {
			s.cloud[i] = float32(min(1, 0.15+(v-cut)*14))
		}
	}
	for y := range size { // the sun stands in the south-east: shadows lie to the north-west
		for x := range size {
			if sx, sy := x+9, y+14; sx < size && sy < size && s.cloud[sy*size+sx] > 0.5 && s.cloud[y*size+x] == 0 {
				s.shadow[y*size+x] = true
			}
		}
	}
	return s
}

// noise is smooth random ground between lattice points, 0..1.
type noise struct{ lattice [64 * 64]float64 }

func newNoise(r *rand.Rand) *noise {
	n := new(noise)
	for i := range n.lattice {
		n.lattice[i] = r.Float64()
	}
	return n
}

func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := smooth(x-fx), smooth(y-fy)
	at := func(i, j int) float64 { return n.lattice[(j&63)*64+i&63] }
	i, j := int(fx), int(fy)
	top := at(i, j)*(1-tx) + at(i+1, j)*tx
	low := at(i, j+1)*(1-tx) + at(i+1, j+1)*tx
	return top*(1-ty) + low*ty
}
