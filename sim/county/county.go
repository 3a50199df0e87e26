// Package county makes the land of the demo county: fields between roads and a
// river, what grows on them, what befalls them, and the satellite scenes that
// show it. Nothing here is real. The truth is known, so that every answer of the
// product can be checked against it.
//
// Growth is drawn from leaf area and mixed spectra, not from the calendars and
// curves of the classifier: each field has its own dates, vigour and noise.
package county

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
)

// Region is the GB/T 2260 code of the county that lends the demo its place.
const Region = "410725"

const (
	epsg   = 32650         // WGS 84 / UTM zone 50N
	size   = 512           // pixels of 10 m a side
	pixel  = 10.0          // m
	west   = 255200.0      // easting of the left edge
	north  = 3879200.0     // northing of the upper edge: about 35.02 N 114.33 E
	extent = size * pixel  // m
	days   = 430           // of scenes before now
	step   = 10 * 24       // hours between scenes
	shift  = 12.0          // most that a field's dates differ from the crop's, in days
	plots  = 430           // registered; the other fields have no holder in the register
	hour   = 3 * time.Hour // of the overpass, UTC
	day    = 24 * time.Hour
)

// Config says which county to make.
type Config struct {
	Seed uint64
	Now  time.Time // the demo's today; scenes end shortly before
}

// County is the land and its truth.
type County struct {
	Season geo.Season  `json:"season"`
	Dates  []time.Time `json:"dates"` // of the scenes
	Plots  []Plot      `json:"plots"` // the registered ones

	seed   uint64
	fields []field
	cover  []float64 // cloudy share of each date
	zones  map[geo.HazardKind]span
}

// Plot is a registered plot with its truth.
type Plot struct {
	Key       string      `json:"key"` // "p001"
	Name      string      `json:"name"`
	Owner     int         `json:"owner"`    // holders are counted from 0
	Polygon   orb.Polygon `json:"polygon"`  // WGS84
	Declared  string      `json:"declared"` // crop the holder states
	Crop      string      `json:"crop"`     // crop that grows, "fallow" for none
	AreaM2    float64     `json:"area_m2"`
	Incidents []Incident  `json:"incidents,omitempty"`
	Overlaps  string      `json:"overlaps,omitempty"` // key of the plot pledged twice
}

// Incident is something planted that must be found.
type Incident struct {
	Kind  geo.HazardKind `json:"kind"`
	Start time.Time      `json:"start"`
	End   time.Time      `json:"end"`
}

type span struct{ from, to time.Time }

// field is a parcel of land, registered or not, in metres from the upper left.
type field struct {
	ring  orb.Ring
	crop  string
	grow  growth
	flood bool
	dry   bool
	cut   time.Time // harvested early
	wet   float64   // share of the field that the flood covered
	seed  uint64
}

// New lays out the county. The same configuration gives the same county.
func New(cfg Config) (*County, error) {
	r := rand.New(rand.NewPCG(cfg.Seed, 1))
	end := cfg.Now.UTC().Truncate(day)
	c := &County{
		seed:   cfg.Seed,
		Season: geo.Season{Name: end.Format("2006") + "-year", Start: end.AddDate(0, 0, -days), End: end},
	}
	for t := c.Season.Start.Add(hour); t.Before(cfg.Now); t = t.Add(step * time.Hour) {
		c.Dates = append(c.Dates, t)
	}
	c.zones = map[geo.HazardKind]span{
		geo.Flood:        c.latest("07-18", 20),
		geo.Drought:      c.latest("07-08", 60),
		geo.EarlyHarvest: c.latest("08-12", 45),
		geo.NeverSown:    c.latest("05-01", 130),
	}
	c.forecast(r)
	c.parcel(r)
	c.sow(r)
	if err := c.register(r); err != nil {
		return nil, err
	}
	return c, nil
}

// latest gives the last span of that length from a month-day on that ended before
// the season's end.
func (c *County) latest(monthDay string, length int) span {
	for year := c.Season.End.Year(); ; year-- {
		from, err := time.Parse(time.DateOnly, fmt.Sprintf("%d-%s", year, monthDay))
		if err != nil {
			panic(err) // a constant of this package
		}
		if to := from.AddDate(0, 0, length); !to.After(c.Season.End.AddDate(0, 0, -20)) {
			return span{from, to}
		}
	}
}

// river gives the easting of its middle at a northing, both in metres from the
// upper left.
func river(y float64) float64 {
	return 0.22*extent + 260*math.Sin(y/900) + 110*math.Sin(y/310+1) + 0.08*y
}

const riverHalf = 38.0 // m

// parcel divides the land: roads between blocks, strips within them.
func (c *County) parcel(r *rand.Rand) {
	const cos, sin = 0.9925, 0.1219 // the roads run 7 degrees off north
	cuts := func(lo, hi float64) []float64 {
		var v []float64
		for x := -0.2 * extent; x < 1.2*extent; x += lo + (hi-lo)*r.Float64() {
			v = append(v, x)
		}
		return v
	}
	xs, ys := cuts(190, 330), cuts(230, 380)
	node := make([][]orb.Point, len(xs))
	for i := range xs {
		node[i] = make([]orb.Point, len(ys))
		for j := range ys {
			x, y := xs[i]+r.NormFloat64()*11, ys[j]+r.NormFloat64()*11
			node[i][j] = orb.Point{x*cos - y*sin + 0.04*extent, x*sin + y*cos - 0.04*extent}
		}
	}
	for i := range len(xs) - 1 {
		for j := range len(ys) - 1 {
			if r.Float64() < 0.06 {
				continue // a village
			}
			a, b, d, e := node[i][j], node[i+1][j], node[i+1][j+1], node[i][j+1]
			n := 1 + r.IntN(3)
			for k := range n {
				lo, hi := float64(k)/float64(n), float64(k+1)/float64(n)
				gap := 5 + 5*r.Float64() // half a road or ditch, m
				corners := [4]orb.Point{between(a, b, lo), between(a, b, hi), between(e, d, hi), between(e, d, lo)}
				c.addField(strip(r, corners, gap), r.Uint64())
			}
		}
	}
}

func between(a, b orb.Point, t float64) orb.Point {
	return orb.Point{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}
}

// strip draws the outline of a field within four corners, clockwise on the map:
// moved in by gap metres, with bent edges.
func strip(r *rand.Rand, corners [4]orb.Point, gap float64) orb.Ring {
	var mid orb.Point
	for _, p := range corners {
		mid[0], mid[1] = mid[0]+p[0]/4, mid[1]+p[1]/4
	}
	var ring orb.Ring
	for i, p := range corners {
		q := corners[(i+1)%4]
		length := math.Hypot(q[0]-p[0], q[1]-p[1])
		in := func(p orb.Point, by float64) orb.Point {
			d := math.Hypot(mid[0]-p[0], mid[1]-p[1])
			return between(p, mid, min(by/d, 0.4))
		}
		ring = append(ring, in(p, gap*1.4))
		// A bend along the edge, outwards or inwards but never into the road.
		bend := in(between(p, q, 0.3+0.4*r.Float64()), gap+min(length*0.04, 9)*r.Float64())
		ring = append(ring, bend)
	}
	return append(ring, ring[0])
}

func (c *County) addField(ring orb.Ring, seed uint64) {
	for _, p := range ring {
		if p[0] < 25 || p[1] < 25 || p[0] > extent-25 || p[1] > extent-25 || math.Abs(p[0]-river(p[1])) < riverHalf+12 {
			return
		}
	}
	c.fields = append(c.fields, field{ring: ring, seed: seed})
}

// place is where incidents happen, in metres from the upper left.
type place struct {
	x, y, radius float64
}

func (p place) holds(f field) bool {
	m := middle(f.ring)
	return math.Hypot(m[0]-p.x, m[1]-p.y) < p.radius
}

func middle(ring orb.Ring) orb.Point {
	var m orb.Point
	for _, p := range ring[1:] {
		m[0], m[1] = m[0]+p[0]/float64(len(ring)-1), m[1]+p[1]/float64(len(ring)-1)
	}
	return m
}

// mix is what grows in the county, in parts of 100.
var mix = []struct {
	crop  string
	parts int
}{
	{"wheat_maize", 34}, {"wheat_rice", 12}, {"rice", 8}, {"cotton", 10}, {"peanut", 12},
	{"rapeseed", 8}, {"apple", 8}, {"vegetable", 6}, {fallow, 2},
}

const fallow = "fallow"

// sow decides what grows on every field and what befalls it.
func (c *County) sow(r *rand.Rand) {
	floodY := 0.62 * extent
	flood := place{river(floodY) + 260, floodY, 300}
	dry := place{0.74 * extent, 0.28 * extent, 420}
	for i := range c.fields {
		f := &c.fields[i]
		n := r.IntN(100)
		for _, m := range mix {
			if n -= m.parts; n < 0 {
				f.crop = m.crop
				break
			}
		}
		switch {
		case flood.holds(*f):
			f.flood, f.wet = true, 0.93+0.07*r.Float64()
			f.crop = []string{"wheat_maize", "wheat_maize", "cotton", "peanut"}[r.IntN(4)]
		case dry.holds(*f): // an unwatered patch: no rice, no orchard
			f.dry = true
			f.crop = []string{"wheat_maize", "wheat_maize", "cotton"}[r.IntN(3)]
		}
		f.grow = newGrowth(r, f.crop)
	}
}

// register chooses the fields that have a holder, and adds the special plots: one
// harvested early, one never sown, one pledged twice.
func (c *County) register(r *rand.Rand) error {
	order := r.Perm(len(c.fields))
	// Incidents must be in the register.
	var chosen, rest []int
	for _, i := range order {
		if f := c.fields[i]; f.flood || f.dry {
			chosen = append(chosen, i)
		} else {
			rest = append(rest, i)
		}
	}
	chosen = append(chosen, rest...)
	if len(chosen) < plots-1 {
		return fmt.Errorf("seed %d gives only %d fields, %d plots are wanted", c.seed, len(chosen), plots)
	}
	chosen = chosen[:plots-1]
	var early, never, twice int
	for k, i := range chosen {
		f := &c.fields[i]
		p := Plot{
			Key: fmt.Sprintf("p%03d", k+1), Name: name(k), Owner: k * 97 % 140,
			Polygon: orb.Polygon{f.ring}, Declared: f.crop, Crop: f.crop,
		}
		incident := func(kind geo.HazardKind) {
			p.Incidents = append(p.Incidents, Incident{kind, c.zones[kind].from, c.zones[kind].to})
		}
		area := ringArea(f.ring)
		switch {
		case f.flood:
			incident(geo.Flood)
		case f.dry:
			incident(geo.Drought)
		case early == 0 && f.crop == "wheat_maize" && area > 15000:
			early = k + 1
			f.cut = c.zones[geo.EarlyHarvest].from
			incident(geo.EarlyHarvest)
		case never == 0 && f.crop == "cotton" && area > 15000:
			never = k + 1
			f.crop, p.Crop = fallow, fallow
			f.grow = newGrowth(r, fallow)
			incident(geo.NeverSown)
		case twice == 0 && f.crop == "wheat_maize" && area > 30000:
			twice = k + 1
		case f.crop == fallow:
			p.Declared = ""
		}
		c.Plots = append(c.Plots, p)
	}
	if early*never*twice == 0 {
		return fmt.Errorf("seed %d has no field for one of the incidents", c.seed)
	}
	again := c.Plots[twice-1]
	again.Overlaps, again.Key, again.Name = again.Key, fmt.Sprintf("p%03d", plots), name(plots-1)
	again.Owner++
	again.Polygon = orb.Polygon{partOf(again.Polygon[0])}
	c.Plots = append(c.Plots, again)
	c.Plots[twice-1].Overlaps = again.Key
	return c.locate()
}

// partOf gives the part of a field that the second holder claims: most of it.
func partOf(ring orb.Ring) orb.Ring {
	m := middle(ring)
	out := make(orb.Ring, len(ring))
	for i, p := range ring {
		out[i] = between(p, m, 0.12)
	}
	return out
}

func name(k int) string {
	villages := []string{"东柳", "西柳", "前屯", "后屯", "河湾", "大桥", "白杨", "石佛", "南营", "北营"}
	return fmt.Sprintf("%s村%d组%d号地", villages[k%len(villages)], k/len(villages)%6+1, k/60*7+k%7+1)
}

// locate turns the plots' metres into longitude and latitude and fills the areas,
// those of the plane divided by the square of the projection's scale.
func (c *County) locate() error {
	utm, err := godal.NewSpatialRefFromEPSG(epsg)
	if err != nil {
		return err
	}
	defer utm.Close()
	wgs, err := godal.NewSpatialRefFromEPSG(4326)
	if err != nil {
		return err
	}
	defer wgs.Close()
	tr, err := godal.NewTransform(utm, wgs)
	if err != nil {
		return err
	}
	defer tr.Close()
	for i := range c.Plots {
		p := &c.Plots[i]
		ring := p.Polygon[0]
		x, y := make([]float64, len(ring)), make([]float64, len(ring))
		for k, q := range ring {
			x[k], y[k] = west+q[0], north-q[1]
		}
		// Scale of transverse Mercator: k0 (1 + d²/2R²), d from the central meridian.
		d := (x[0] - 500000) / 6371000
		k := 0.9996 * (1 + d*d/2)
		p.AreaM2 = math.Round(ringArea(ring)/(k*k)*10) / 10
		if err := tr.TransformEx(x, y, nil, nil); err != nil {
			return err
		}
		out := make(orb.Ring, len(ring))
		for k := range ring {
			out[k] = orb.Point{x[k], y[k]}
		}
		if out.Orientation() == orb.CW {
			out.Reverse()
		}
		p.Polygon = orb.Polygon{out}
	}
	return nil
}

func ringArea(ring orb.Ring) float64 {
	var s float64
	for i := 1; i < len(ring); i++ {
		s += ring[i-1][0]*ring[i][1] - ring[i][0]*ring[i-1][1]
	}
	return math.Abs(s) / 2
}

// WriteTruth writes the truth as JSON.
func (c *County) WriteTruth(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(c)
}
