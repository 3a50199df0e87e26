package county

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/scene"
)

// spectrum is the reflectance in B02, B03, B04, B08, B05, B11, B12.
type spectrum [7]float64

// Typical surfaces, rounded from what the literature shows for Sentinel-2.
var (
	soilDry = spectrum{0.085, 0.118, 0.150, 0.235, 0.182, 0.300, 0.255}
	soilWet = spectrum{0.055, 0.078, 0.098, 0.160, 0.122, 0.180, 0.140}
	straw   = spectrum{0.088, 0.130, 0.172, 0.272, 0.215, 0.352, 0.275}
	leaves  = spectrum{0.024, 0.054, 0.029, 0.470, 0.098, 0.190, 0.088}
	thirsty = spectrum{0.040, 0.068, 0.062, 0.380, 0.120, 0.285, 0.170}
	flowers = spectrum{0.058, 0.178, 0.135, 0.480, 0.225, 0.205, 0.105}
	muddy   = spectrum{0.068, 0.092, 0.080, 0.048, 0.075, 0.020, 0.014}
	stream  = spectrum{0.062, 0.080, 0.062, 0.032, 0.055, 0.014, 0.010}
	houses  = spectrum{0.130, 0.145, 0.160, 0.215, 0.185, 0.240, 0.215}
	verge   = spectrum{0.070, 0.096, 0.098, 0.260, 0.150, 0.245, 0.175}
	white   = spectrum{0.62, 0.63, 0.64, 0.66, 0.65, 0.32, 0.26}
	snowed  = spectrum{0.78, 0.78, 0.77, 0.70, 0.74, 0.10, 0.08}
)

func mixed(a, b spectrum, t float64) spectrum {
	for i := range a {
		a[i] += (b[i] - a[i]) * t
	}
	return a
}

func (s state) spectrum(wet float64) spectrum {
	ground := mixed(mixed(soilDry, soilWet, 0.8*wet), straw, s.stub)
	ground = mixed(ground, muddy, s.water)
	green := mixed(mixed(leaves, thirsty, s.dry), flowers, s.yellow)
	return mixed(ground, green, s.cover)
}

// part is the share of a pixel that a piece of land takes; land -1 is roads and
// villages, -2 the river.
type part struct {
	land  int16
	share float32
}

const (
	roads   = -1
	water   = -2
	samples = 4 // a side of a pixel, for its parts
)

// fabric says for every pixel which land it shows.
func (c *County) fabric() [][]part {
	const n = size * samples
	land := make([]int16, n*n)
	for i := range land {
		land[i] = roads
	}
	metre := pixel / samples
	for y := range n {
		m := river((float64(y) + 0.5) * metre)
		for x := range n {
			if math.Abs((float64(x)+0.5)*metre-m) < riverHalf {
				land[y*n+x] = water
			}
		}
	}
	for k, f := range c.fields {
		b := f.ring.Bound()
		for y := int(b.Min[1] / metre); y <= int(b.Max[1]/metre); y++ {
			for _, s := range crossings(f.ring, (float64(y)+0.5)*metre) {
				for x := int(math.Ceil(s[0]/metre - 0.5)); float64(x)+0.5 < s[1]/metre; x++ {
					land[y*n+x] = int16(k)
				}
			}
		}
	}
	out := make([][]part, size*size)
	for y := range size {
		for x := range size {
			var ps []part
			for j := range samples {
			next:
				for i := range samples {
					l := land[(y*samples+j)*n+x*samples+i]
					for k := range ps {
						if ps[k].land == l {
							ps[k].share += 1.0 / (samples * samples)
							continue next
						}
					}
					ps = append(ps, part{l, 1.0 / (samples * samples)})
				}
			}
			out[y*size+x] = ps
		}
	}
	return out
}

// crossings gives the spans of a horizontal line inside a ring.
func crossings(ring orb.Ring, y float64) [][2]float64 {
	var xs []float64
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if (a[1] > y) != (b[1] > y) {
			xs = append(xs, a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	slices.Sort(xs)
	var out [][2]float64
	for i := 1; i < len(xs); i += 2 {
		out = append(out, [2]float64{xs[i-1], xs[i]})
	}
	return out
}

// The files of a date and their layout, docs/formats/scene-folder.md.
const sidecar = `{
  "collection": "demo-s2-l2a",
  "title": "Demo county, made by furrow: no real image",
  "files": [
    {"pattern": "S2_{tile}_{date}_10m.tif", "bands": [
      {"name": "B02", "scale": 0.0001, "offset": -0.1, "nodata": 0},
      {"name": "B03", "scale": 0.0001, "offset": -0.1, "nodata": 0},
      {"name": "B04", "scale": 0.0001, "offset": -0.1, "nodata": 0},
      {"name": "B08", "scale": 0.0001, "offset": -0.1, "nodata": 0}]},
    {"pattern": "S2_{tile}_{date}_20m.tif", "bands": [
      {"name": "B05", "scale": 0.0001, "offset": -0.1, "nodata": 0},
      {"name": "B11", "scale": 0.0001, "offset": -0.1, "nodata": 0},
      {"name": "B12", "scale": 0.0001, "offset": -0.1, "nodata": 0}]},
    {"pattern": "S2_{tile}_{date}_SCL.tif", "bands": [{"name": "SCL"}]}
  ]
}
`

// WriteScenes writes the scenes as cloud-optimised GeoTIFFs with their sidecar
// into dir, ready for furrow scene index. Progress may be nil.
func (c *County) WriteScenes(ctx context.Context, dir string, progress func(done, total int)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	scene.RegisterDrivers()
	ref, err := godal.NewSpatialRefFromEPSG(epsg)
	if err != nil {
		return err
	}
	defer ref.Close()
	p := painter{county: c, fabric: c.fabric(), ref: ref, dir: dir}
	r := rand.New(rand.NewPCG(c.seed, 2))
	texture := newNoise(r)
	p.texture = make([]float64, size*size)
	for i := range p.texture {
		x, y := float64(i%size), float64(i/size)
		p.texture[i] = 1 + 0.10*(texture.at(x/9, y/9)-0.5) + 0.06*(texture.at(x/2.5+9, y/2.5)-0.5)
	}
	for k, t := range c.Dates {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.paint(rand.New(rand.NewPCG(c.seed, uint64(100+k))), t, c.cover[k]); err != nil {
			return fmt.Errorf("scene of %s: %w", t.Format(time.DateOnly), err)
		}
		if progress != nil {
			progress(k+1, len(c.Dates))
		}
	}
	return os.WriteFile(filepath.Join(dir, "furrow-scenes.json"), []byte(sidecar), 0o644)
}

type painter struct {
	county  *County
	fabric  [][]part
	texture []float64 // growth differs within a field
	ref     *godal.SpatialRef
	dir     string
}

const half = size / 2

func (p *painter) paint(r *rand.Rand, t time.Time, clouds float64) error {
	sky := newSky(r, t, clouds)
	seen := make([]spectrum, len(p.county.fields))
	states := make([]state, len(p.county.fields))
	for i, f := range p.county.fields {
		states[i] = f.on(p.county, t)
		// Soil differs from field to field, and so does its wetness after rain.
		seen[i] = states[i].spectrum(math.Mod(sky.wet+float64(f.seed%97)/97*0.5, 1))
	}
	summer := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(t.YearDay())-20)/365)
	road := mixed(mixed(houses, verge, 0.4), leaves, 0.25*summer)
	fine := make([][]uint16, 4)
	for b := range fine {
		fine[b] = make([]uint16, size*size)
	}
	coarse := make([][half * half]float64, 3)
	classes := make([]uint8, half*half)
	rank := make([]int, half*half)
	for i, parts := range p.fabric {
		var s spectrum
		wet := 0.0
		for _, q := range parts {
			var one spectrum
			switch q.land {
			case roads:
				one = road
			case water:
				one = stream
				wet += float64(q.share)
			default:
				one = seen[q.land]
				wet += float64(q.share) * states[q.land].water * (1 - states[q.land].cover)
			}
			for b := range s {
				s[b] += float64(q.share) * one[b]
			}
		}
		// Uneven growth shows as more or less near infrared and red.
		k := p.texture[i]
		if wet < 0.3 {
			s[3] *= k
			s[2] /= k
		}
		if sky.snow && wet < 0.5 {
			s = mixed(s, snowed, 0.85)
		}
		class := uint8(5)
		switch ndvi := (s[3] - s[2]) / (s[3] + s[2]); {
		case sky.snow && wet < 0.5:
			class = 11
		case wet > 0.5:
			class = 6
		case ndvi > 0.4:
			class = 4
		}
		if sky.shadow[i] {
			s = mixed(s, spectrum{}, 0.5)
			class = 3
		}
		if c := float64(sky.cloud[i]); c > 0 {
			s = mixed(s, white, c)
			// The thin rim of a cloud goes unnoticed, as it does in real masks.
			switch {
			case c > 0.6:
				class = 9
			case c > 0.3:
				class = 8
			case c > 0.22:
				class = 10
			}
		}
		x, y := i%size, i/size
		for b := range fine {
			fine[b][i] = digital(s[b]*sky.gain + r.NormFloat64()*0.004)
		}
		j := y/2*half + x/2
		for b := range coarse {
			coarse[b][j] += s[4+b] / 4
		}
		if w := worse(class); w >= rank[j] {
			rank[j], classes[j] = w, class
		}
	}
	low := make([][]uint16, len(coarse))
	for b := range coarse {
		low[b] = make([]uint16, half*half)
		for j, v := range coarse[b] {
			low[b][j] = digital(v*sky.gain + r.NormFloat64()*0.004)
		}
	}
	stem := filepath.Join(p.dir, "S2_T50SKD_"+t.Format("20060102T150405"))
	if err := write(p, stem+"_10m.tif", size, fine, []string{"B02", "B03", "B04", "B08"}); err != nil {
		return err
	}
	if err := write(p, stem+"_20m.tif", half, low, []string{"B05", "B11", "B12"}); err != nil {
		return err
	}
	return write(p, stem+"_SCL.tif", half, [][]uint8{classes}, []string{"SCL"})
}

// worse orders classes so that a coarse pixel shows the worst of its four.
func worse(class uint8) int {
	switch class {
	case 9:
		return 5
	case 8:
		return 4
	case 10:
		return 3
	case 3:
		return 2
	case 11:
		return 1
	}
	return 0
}

// digital stores a reflectance as Sentinel-2 L2A does since baseline 04.00.
func digital(v float64) uint16 { return uint16(max(1, min(15000, math.Round(v*10000)+1000))) }

func write[T uint8 | uint16](p *painter, name string, side int, bands [][]T, names []string) (err error) {
	kind := godal.Byte
	if _, ok := any(bands).([][]uint16); ok {
		kind = godal.UInt16
	}
	mem, err := godal.Create(godal.Memory, "", len(bands), kind, side, side)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := mem.Close(); err == nil {
			err = cerr
		}
	}()
	if err := mem.SetSpatialRef(p.ref); err != nil {
		return err
	}
	res := extent / float64(side)
	if err := mem.SetGeoTransform([6]float64{west, res, 0, north, 0, -res}); err != nil {
		return err
	}
	for i, b := range mem.Bands() {
		if err := b.Write(0, 0, bands[i], side, side); err != nil {
			return err
		}
		if err := b.SetDescription(names[i]); err != nil {
			return err
		}
		if kind == godal.UInt16 {
			if err := b.SetNoData(0); err != nil {
				return err
			}
		}
	}
	cog, err := mem.Translate(name, []string{"-of", "COG", "-co", "COMPRESS=DEFLATE", "-co", "PREDICTOR=YES", "-co", "LEVEL=4", "-co", "OVERVIEWS=NONE"})
	if err != nil {
		return err
	}
	return cog.Close()
}
