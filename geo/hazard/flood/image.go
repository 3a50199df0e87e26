package flood

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/geo/scene"
)

// voter is a band or an index in which water stands above land.
type voter struct {
	name        string
	radar       bool
	usual       float64 // the threshold that is usual in the literature
	least, most float64 // no threshold of water lies outside
	low, high   float64 // range of the values
	spread      float64 // of the values, where no rim can be measured
	value       func(p *pixel) float64
}

// pixel holds reflectance 0..1 of six bands; NaN where there is no clear light.
type pixel struct{ blue, green, red, nir, swir1, swir2 float64 }

const (
	radarVoter  = "radar"
	changeVoter = "radar_change"
)

// Usual thresholds per polarisation in dB: water in VV lies under -14 to -16 (see
// docs/formats/hazard.md) and 6 dB lower in VH; a fall of 3 dB doubles as the sign
// of a change.
const (
	usualVV   = 14.0
	usualVH   = 20.0
	usualFall = 3.0
)

// lightVoters are the indices; each has its zero where water begins.
func lightVoters() []voter {
	index := func(name string, value func(p *pixel) float64) voter {
		return voter{name: name, least: -0.2, most: 0.4, low: -1, high: 1, spread: 0.2, value: value}
	}
	return []voter{
		// McFeeters 1996.
		index("ndwi", func(p *pixel) float64 { return (p.green - p.nir) / (p.green + p.nir) }),
		// Xu 2006.
		index("mndwi", func(p *pixel) float64 { return (p.green - p.swir1) / (p.green + p.swir1) }),
		// Rogers and Kearney 2004: red light also sees water full of soil.
		index("ndwi_red", func(p *pixel) float64 { return (p.red - p.swir1) / (p.red + p.swir1) }),
		// Feyisa and others 2014, for scenes with shadow and for those without.
		{name: "awei_sh", least: -0.2, most: 0.2, low: -3, high: 3, spread: 0.1, value: func(p *pixel) float64 {
			return p.blue + 2.5*p.green - 1.5*(p.nir+p.swir1) - 0.25*p.swir2
		}},
		{name: "awei_nsh", least: -0.5, most: 0.5, low: -4, high: 4, spread: 0.3, value: func(p *pixel) float64 {
			return 4*(p.green-p.swir1) - (0.25*p.nir + 2.75*p.swir2)
		}},
	}
}

// radarVoters vote on the sum of the polarisations, smoothed, and on its fall
// since an image of before.
func radarVoters(both, change bool) []voter {
	n, usual := 1.0, usualVV
	if both {
		n, usual = 2, usualVV+usualVH
	}
	out := []voter{{name: radarVoter, radar: true, usual: usual, least: usual - n, most: usual + 3*n, low: -60 * n, high: 60 * n, spread: 2.5 * n}}
	if change {
		out = append(out, voter{name: changeVoter, radar: true, usual: usualFall * n, least: 2 * n, most: 8 * n, low: -40 * n, high: 40 * n, spread: 2.5 * n})
	}
	return out
}

// inputs are the opened images.
type inputs struct {
	grid                   scene.Grid
	s1, before             *scene.Raster
	s2, known, mask, label *scene.Raster
	radar, radarBefore     []int // bands of VV and VH, from 1
	light                  []int // of blue, green, red, nir, swir1, swir2
	cirrus                 int   // 0 where there is none
	scale                  float64
}

// names of the bands of light, and their place among 12 (L2A) or 13 (L1C) bands.
var lightBands = []struct {
	names []string
	place int
}{
	{[]string{"b2", "b02", "blue"}, 2}, {[]string{"b3", "b03", "green"}, 3}, {[]string{"b4", "b04", "red"}, 4},
	{[]string{"b8", "b08", "nir"}, 8}, {[]string{"b11", "swir1", "swir16"}, 12}, {[]string{"b12", "swir2", "swir22"}, 13},
}

const cirrusPlace = 11

func open(cfg Config) (*inputs, error) {
	if cfg.S1 == "" && cfg.S2 == "" {
		return nil, ErrNoImage
	}
	in := &inputs{}
	for _, f := range []struct {
		path string
		to   **scene.Raster
	}{{cfg.S1, &in.s1}, {cfg.S2, &in.s2}, {cfg.S1Before, &in.before}, {cfg.Permanent, &in.known}, {cfg.Clouds, &in.mask}, {cfg.Truth, &in.label}} {
		if f.path == "" {
			continue
		}
		r, err := scene.OpenRaster(f.path)
		if err != nil {
			in.close()
			return nil, err
		}
		*f.to = r
		first := cmp.Or(in.s1, in.s2)
		if !same(r.Grid, first.Grid) {
			in.close()
			return nil, ErrGrids.At("%s", f.path).With("other", first.Path)
		}
		in.grid = first.Grid
	}
	if err := in.bands(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// same says whether two grids agree to a hundredth of a pixel.
func same(a, b scene.Grid) bool {
	if a.CRS != b.CRS || a.Width != b.Width || a.Height != b.Height {
		return false
	}
	for _, c := range [][2]float64{{0, 0}, {float64(a.Width), 0}, {0, float64(a.Height)}} {
		col, row := a.Pixel(b.World(c[0], c[1]))
		if !(math.Abs(col-c[0]) <= 0.01 && math.Abs(row-c[1]) <= 0.01) {
			return false
		}
	}
	return true
}

func (in *inputs) close() {
	for _, r := range []*scene.Raster{in.s1, in.s2, in.before, in.known, in.mask, in.label} {
		if r != nil {
			r.Close()
		}
	}
}

// bands finds the bands by name, or by place where they carry no names.
func (in *inputs) bands() error {
	if in.s1 != nil {
		in.radar = radarBands(in.s1)
	}
	if in.before != nil {
		if in.s1 == nil {
			return ErrNoImage.At("%s", in.before.Path)
		}
		if in.radarBefore = radarBands(in.before); len(in.radarBefore) != len(in.radar) {
			return ErrBands.At("%s", in.before.Path).With("band", "VH")
		}
	}
	if in.s2 == nil {
		return nil
	}
	n := len(in.s2.Bands)
	for _, b := range lightBands {
		at := named(in.s2, b.names...)
		if at == 0 && (n == 12 || n == 13) && !slices.ContainsFunc(in.s2.Bands, func(b scene.RasterBand) bool { return b.Description != "" }) {
			at = b.place
			if n == 12 && at > cirrusPlace { // L2A has no cirrus band
				at--
			}
		}
		if at == 0 {
			return ErrBands.At("%s", in.s2.Path).With("band", strings.ToUpper(b.names[0]))
		}
		in.light = append(in.light, at)
	}
	in.cirrus = named(in.s2, "b10", "cirrus")
	if in.cirrus == 0 && n == 13 && in.light[5] == n {
		in.cirrus = cirrusPlace
	}
	in.scale = 1
	switch t := in.s2.Bands[in.light[0]-1].DataType; {
	case t == "uint8" || t == "int8":
		return scene.ErrEightBit.At("%s", in.s2.Path).With("band", in.light[0])
	case strings.Contains(t, "int"):
		in.scale = 1e-4 // the number that stands for a reflectance of 1 is 10000 in every product
	}
	return nil
}

// radarBands gives VV and, where there is one, VH.
func radarBands(r *scene.Raster) []int {
	vv, vh := named(r, "vv"), named(r, "vh")
	if vv == 0 {
		vv = 1
		if vh == 0 && len(r.Bands) > 1 {
			vh = 2
		}
	}
	if vh == 0 || vh == vv {
		return []int{vv}
	}
	return []int{vv, vh}
}

// named finds a band by its description, from 1; 0 when there is none.
func named(r *scene.Raster, names ...string) int {
	return 1 + slices.IndexFunc(r.Bands, func(b scene.RasterBand) bool {
		return slices.Contains(names, strings.ToLower(strings.TrimSpace(b.Description)))
	})
}

// voters are those that the images can feed.
func (in *inputs) voters() []voter {
	var out []voter
	if in.s2 != nil {
		out = lightVoters()
	}
	if in.s1 != nil {
		out = append(out, radarVoters(len(in.radar) > 1, in.before != nil)...)
	}
	return out
}

// block is a window of the images, ready to vote.
type block struct {
	n          int
	dark       []float32 // how far below 0 dB the smoothed radar lies, polarisations added
	fall       []float32 // since before
	darkBefore []float32
	light      [6][]float32 // reflectance, NaN where not clear
	permanent  []bool
	radar      bool // there is radar data
	negative   bool // and some of it lies below 0 dB
}

// planes computes the values of every voter.
func (b *block) planes(voters []voter) [][]float32 {
	out := make([][]float32, len(voters))
	for i, v := range voters {
		switch v.name {
		case radarVoter:
			out[i] = b.dark
		case changeVoter:
			out[i] = b.fall
		default:
			out[i] = make([]float32, b.n)
			for p := range out[i] {
				px := pixel{float64(b.light[0][p]), float64(b.light[1][p]), float64(b.light[2][p]), float64(b.light[3][p]), float64(b.light[4][p]), float64(b.light[5][p])}
				x := v.value(&px)
				if math.IsInf(x, 0) {
					x = math.NaN()
				}
				out[i][p] = float32(x)
			}
		}
	}
	return out
}

const (
	speckleSigma = 2.0 // pixels of the Gaussian that calms speckle
	margin       = 8   // pixels beyond which it is nothing
	// Clouds that need no mask: thick ones are bright where water never is, thin ones
	// shine in the cirrus band of L1C (Sen2Cor's first cirrus threshold).
	cloudBlue  = 0.30
	cloudSwir  = 0.20
	cloudCirro = 0.012
)

func (in *inputs) read(w scene.Window) (*block, error) {
	b := &block{n: w.W * w.H}
	if in.s1 != nil {
		var err error
		if b.dark, err = in.readDark(in.s1, in.radar, w, b); err != nil {
			return nil, err
		}
		if in.before != nil {
			if b.darkBefore, err = in.readDark(in.before, in.radarBefore, w, b); err != nil {
				return nil, err
			}
			b.fall = make([]float32, b.n)
			for p := range b.fall {
				b.fall[p] = b.dark[p] - b.darkBefore[p]
			}
		}
	}
	if in.s2 != nil {
		if err := in.readLight(w, b); err != nil {
			return nil, err
		}
	}
	if in.known != nil {
		v, err := readBand(in.known, 1, w)
		if err != nil {
			return nil, err
		}
		b.permanent = make([]bool, b.n)
		for p, x := range v {
			b.permanent[p] = x == x && x != 0
		}
	}
	return b, nil
}

// readDark adds the polarisations with a margin, turns them round and calms them.
func (in *inputs) readDark(r *scene.Raster, bands []int, w scene.Window, b *block) ([]float32, error) {
	big := scene.Window{X: max(0, w.X-margin), Y: max(0, w.Y-margin)}
	big.W = min(in.grid.Width, w.X+w.W+margin) - big.X
	big.H = min(in.grid.Height, w.Y+w.H+margin) - big.Y
	sum, zeros := make([]float32, big.W*big.H), make([]int, big.W*big.H)
	for _, band := range bands {
		v, err := readBand(r, band, big)
		if err != nil {
			return nil, err
		}
		for p, x := range v {
			if x == 0 {
				zeros[p]++
			}
			b.radar, b.negative = b.radar || x == x, b.negative || x < 0
			sum[p] -= x
		}
	}
	for p, n := range zeros {
		if n == len(bands) { // the rim of a swath is often filled with zeros
			sum[p] = float32(math.NaN())
		}
	}
	return crop(calm(sum, big.W, big.H), big, w), nil
}

// crop cuts window w out of a larger one.
func crop(v []float32, big, w scene.Window) []float32 {
	out := make([]float32, 0, w.W*w.H)
	for y := range w.H {
		at := (w.Y-big.Y+y)*big.W + w.X - big.X
		out = append(out, v[at:at+w.W]...)
	}
	return out
}

// calm is a Gaussian mean over the pixels with data; in dB speckle adds to the
// signal, so the mean is a geometric one of the power.
func calm(v []float32, w, h int) []float32 {
	var kernel [2*margin + 1]float64
	for k := range kernel {
		d := float64(k - margin)
		kernel[k] = math.Exp(-d * d / (2 * speckleSigma * speckleSigma))
	}
	pass := func(sum, weight []float64, step, n, lines, lineStep int) ([]float64, []float64) {
		outSum, outWeight := make([]float64, len(sum)), make([]float64, len(sum))
		for l := range lines {
			for i := range n {
				var s, t float64
				for j := max(0, i-margin); j <= min(n-1, i+margin); j++ {
					k := kernel[j-i+margin]
					s += k * sum[l*lineStep+j*step]
					t += k * weight[l*lineStep+j*step]
				}
				outSum[l*lineStep+i*step], outWeight[l*lineStep+i*step] = s, t
			}
		}
		return outSum, outWeight
	}
	sum, weight := make([]float64, len(v)), make([]float64, len(v))
	for i, x := range v {
		if x == x {
			sum[i], weight[i] = float64(x), 1
		}
	}
	sum, weight = pass(sum, weight, 1, w, h, w)
	sum, weight = pass(sum, weight, w, h, w, 1)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(math.NaN())
		if x == x {
			out[i] = float32(sum[i] / weight[i])
		}
	}
	return out
}

func (in *inputs) readLight(w scene.Window, b *block) error {
	for k, band := range in.light {
		v, err := readBand(in.s2, band, w)
		if err != nil {
			return err
		}
		b.light[k] = v
	}
	var cirrus, hidden []float32
	var err error
	if in.cirrus > 0 {
		if cirrus, err = readBand(in.s2, in.cirrus, w); err != nil {
			return err
		}
	}
	if in.mask != nil {
		if hidden, err = readStored(in.mask, w); err != nil {
			return err
		}
	}
	for p := range b.n {
		// A file that declares no nodata leaves zeros where it has nothing.
		bad := !slices.ContainsFunc(b.light[:], func(v []float32) bool { return v[p] != 0 })
		bad = bad || hidden != nil && hidden[p] != 0 || cirrus != nil && in.reflectance(in.cirrus, cirrus[p]) > cloudCirro
		for k, band := range in.light {
			x := in.reflectance(band, b.light[k][p])
			b.light[k][p] = float32(x)
			bad = bad || math.IsNaN(x)
		}
		if bad || b.light[0][p] > cloudBlue && b.light[4][p] > cloudSwir {
			for k := range b.light {
				b.light[k][p] = float32(math.NaN())
			}
		}
	}
	return nil
}

// reflectance turns a stored number into reflectance 0..1.
func (in *inputs) reflectance(band int, x float32) float64 {
	if b := in.s2.Bands[band-1]; b.HasScale {
		return float64(x)*b.Scale + b.Offset
	}
	return float64(x) * in.scale
}

// truth reads the label of a window.
func (in *inputs) truth(w scene.Window) ([]float32, error) { return readStored(in.label, w) }

// readStored reads the first band of a mask as it is kept. A mask of zeros and ones
// often declares zero as nodata; it says dry or clear all the same.
func readStored(r *scene.Raster, w scene.Window) ([]float32, error) {
	v := make([]float32, w.W*w.H)
	return v, r.Read(1, w, v)
}

// readBand reads stored numbers; nodata and what is no number becomes NaN.
func readBand(r *scene.Raster, band int, w scene.Window) ([]float32, error) {
	v := make([]float32, w.W*w.H)
	if err := r.Read(band, w, v); err != nil {
		return nil, err
	}
	nodata := r.Bands[band-1].NoData
	for i, x := range v {
		if math.IsInf(float64(x), 0) || nodata != nil && x == float32(*nodata) {
			v[i] = float32(math.NaN())
		}
	}
	return v, nil
}
