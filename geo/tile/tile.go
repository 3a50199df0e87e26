// Package tile draws scenes as web-mercator map tiles: PNG pictures of 256 × 256
// pixels, transparent where nothing was seen.
package tile

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// What can be wrong with a request for a tile.
var (
	ErrLayer = fault.New(fault.NotFound, "tile.layer", "there is no layer {layer}; use truecolor or ndvi")
	ErrTile  = fault.New(fault.Invalid, "tile.place", "there is no tile {place}; zoom runs from 0 to 22")
)

// The layers.
const (
	TrueColor = "truecolor" // red, green, blue as the eye sees them
	NDVI      = "ndvi"      // brown for bare soil to teal for dense growth; grey under cloud
)

const (
	size    = 256
	maxZoom = 22
	cached  = 1024 // tiles kept in memory, about 50 kB each at the most
	// world is half the width of the web-mercator square, in metres.
	world = math.Pi * 6378137
)

// Renderer draws tiles of one catalogue and remembers the latest. It is safe for
// concurrent use: every tile opens its own datasets.
type Renderer struct {
	cat   *scene.Catalogue
	busy  chan struct{} // bounds the tiles drawn at the same time
	blank []byte

	mu    sync.Mutex
	order *list.List // of entry, the latest used in front
	byKey map[key]*list.Element
}

type key struct {
	layer, item string
	z, x, y     int
}

type entry struct {
	key  key
	body []byte
}

// New returns a renderer for the scenes of cat.
func New(cat *scene.Catalogue) *Renderer {
	r := &Renderer{cat: cat, busy: make(chan struct{}, runtime.GOMAXPROCS(0)), order: list.New(), byKey: map[key]*list.Element{}}
	r.blank, _ = encode(image.NewNRGBA(image.Rect(0, 0, size, size))) // writing to memory cannot fail
	return r
}

// PNG draws the tile z/x/y of a layer of an item. Errors are [ErrLayer],
// [ErrTile], [scene.ErrNoItem], [scene.ErrNoBand] where the scene lacks what the
// layer shows, and [scene.ErrUnreadable].
func (r *Renderer) PNG(ctx context.Context, layer, itemID string, z, x, y int) ([]byte, error) {
	if layer != TrueColor && layer != NDVI {
		return nil, ErrLayer.With("layer", layer)
	}
	if z < 0 || z > maxZoom || x < 0 || y < 0 || x >= 1<<z || y >= 1<<z {
		return nil, ErrTile.With("place", fmt.Sprintf("%d/%d/%d", z, x, y))
	}
	it, err := r.cat.Item(itemID)
	if err != nil {
		return nil, err
	}
	k := key{layer, itemID, z, x, y}
	if body, ok := r.get(k); ok {
		return body, nil
	}
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if body, ok := r.get(k); ok { // drawn while we waited
		return body, nil
	}
	body, err := r.draw(it, k)
	if err != nil {
		return nil, err
	}
	r.put(k, body)
	return body, nil
}

func (r *Renderer) get(k key) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	el, ok := r.byKey[k]
	if !ok {
		return nil, false
	}
	r.order.MoveToFront(el)
	return el.Value.(*entry).body, true
}

func (r *Renderer) put(k key, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byKey[k]; ok {
		return
	}
	r.byKey[k] = r.order.PushFront(&entry{k, body})
	for r.order.Len() > cached {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.byKey, last.Value.(*entry).key)
	}
}

// bounds is the tile's square in web-mercator metres: west, south, east, north.
func (k key) bounds() [4]float64 {
	side := 2 * world / float64(int(1)<<k.z)
	west, north := float64(k.x)*side-world, world-float64(k.y)*side
	return [4]float64{west, north - side, west + side, north}
}

// meets says whether the tile may show something of the item.
func (k key) meets(it scene.Item) bool {
	if len(it.Footprint) == 0 {
		return true
	}
	b := it.Footprint.Bound()
	mercator := func(lon, lat float64) (float64, float64) {
		lat = max(-85.06, min(85.06, lat)) * math.Pi / 180
		return lon / 180 * world, math.Log(math.Tan(math.Pi/4+lat/2)) / math.Pi * world
	}
	w, s := mercator(b.Min[0], b.Min[1])
	e, n := mercator(b.Max[0], b.Max[1])
	t := k.bounds()
	return w < t[2] && e > t[0] && s < t[3] && n > t[1]
}

func (r *Renderer) draw(it scene.Item, k key) ([]byte, error) {
	keys := []string{"red", "green", "blue"}
	how := "bilinear"
	if k.layer == NDVI {
		keys, how = []string{"nir", "red"}, "near"
		if !it.Has(keys...) && it.Has("ndvi") {
			keys = []string{"ndvi"}
		}
	}
	var bands []scene.Band
	for _, name := range keys {
		b, ok := it.Bands[name]
		if !ok {
			return nil, scene.ErrNoBand.At("%s", it.ID).With("band", name)
		}
		bands = append(bands, b)
	}
	if !k.meets(it) {
		return r.blank, nil
	}
	layers, err := warp(bands, k.bounds(), how)
	if err != nil {
		return nil, err
	}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	if k.layer == TrueColor {
		for i := range size * size {
			red, green, blue := layers[0][i], layers[1][i], layers[2][i]
			if math.IsNaN(red + green + blue) {
				continue
			}
			copy(img.Pix[4*i:], []uint8{stretch(red), stretch(green), stretch(blue), 255})
		}
		return encode(img)
	}
	// Classes cannot be averaged, so masks are always taken from the nearest pixel.
	masks := it.Masks()
	marks, err := warp(masks, k.bounds(), "near")
	if err != nil {
		return nil, err
	}
	for i := range size * size {
		v := layers[0][i]
		if len(layers) == 2 {
			v = (layers[0][i] - layers[1][i]) / (layers[0][i] + layers[1][i])
		}
		c := ndviColour(v)
		for m, b := range masks {
			switch b.ClassAt(marks[m][i]) {
			case scene.Clear:
			case scene.Snow, scene.Cloud:
				c = hidden
			case scene.NoData:
				c = color.NRGBA{}
			}
		}
		if math.IsNaN(v) {
			continue
		}
		copy(img.Pix[4*i:], []uint8{c.R, c.G, c.B, c.A})
	}
	return encode(img)
}

// warp brings bands onto the tile in physical values, one slice each. Bands of the
// same file are read together. GDAL takes the file's overviews at low zoom.
func warp(bands []scene.Band, bounds [4]float64, how string) ([][]float64, error) {
	scene.RegisterDrivers()
	out := make([][]float64, len(bands))
	done := map[string]bool{}
	for _, b := range bands {
		if done[b.File] {
			continue
		}
		done[b.File] = true
		var at []int
		for i, other := range bands {
			if other.File == b.File {
				at = append(at, i)
			}
		}
		if err := warpFile(b.File, bands, at, bounds, how, out); err != nil {
			return nil, scene.ErrUnreadable.At("%s", b.File).Because(err)
		}
	}
	return out, nil
}

// warpFile opens the file anew: GDAL lets no two threads read through one dataset,
// and BuildVRT would share one among all who name the same file.
func warpFile(file string, bands []scene.Band, at []int, bounds [4]float64, how string, out [][]float64) error {
	src, err := scene.OpenDataset(file)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // only read
	pick := []string{"-of", "VRT"}
	var nodata []string
	for _, i := range at {
		pick = append(pick, "-b", strconv.Itoa(bands[i].Index))
		if nd := bands[i].NoData; nd != nil {
			nodata = append(nodata, strconv.FormatFloat(*nd, 'g', -1, 64))
		}
	}
	picked, err := src.Translate("", pick, godal.ErrLogger(scene.Failures))
	if err != nil {
		return err
	}
	defer func() { _ = picked.Close() }()
	args := []string{"-of", "MEM", "-t_srs", "EPSG:3857", "-ot", "Float64", "-dstnodata", "nan", "-r", how,
		"-ts", strconv.Itoa(size), strconv.Itoa(size), "-te"}
	for _, v := range bounds {
		args = append(args, strconv.FormatFloat(v, 'f', 6, 64))
	}
	if len(nodata) == len(at) {
		args = append(args, "-srcnodata", strings.Join(nodata, " "))
	}
	ds, err := picked.Warp("", args, godal.ErrLogger(scene.Failures))
	if err != nil {
		return err
	}
	defer func() { _ = ds.Close() }()
	for n, i := range at {
		buf := make([]float64, size*size)
		if err := ds.Bands()[n].Read(0, 0, buf, size, size, godal.ErrLogger(scene.Failures)); err != nil {
			return err
		}
		bands[i].Physical(buf)
		out[i] = buf
	}
	return nil
}

// stretch turns reflectance into brightness, the same for every scene so that
// pictures of different dates compare: 0.3 is white, dark tones are lifted.
func stretch(v float64) uint8 {
	const white, gamma = 0.3, 1.5
	return uint8(math.Round(255 * math.Pow(max(0, min(1, v/white)), 1/gamma)))
}

// ramp runs from brown over pale to teal (ColorBrewer's BrBG), which people with
// any common colour blindness can tell apart, from NDVI 0 to 1.
var ramp = []color.NRGBA{
	{0x54, 0x30, 0x05, 255}, {0x8c, 0x51, 0x0a, 255}, {0xbf, 0x81, 0x2d, 255}, {0xdf, 0xc2, 0x7d, 255}, {0xf6, 0xe8, 0xc3, 255},
	{0xc7, 0xea, 0xe5, 255}, {0x80, 0xcd, 0xc1, 255}, {0x35, 0x97, 0x8f, 255}, {0x01, 0x66, 0x5e, 255}, {0x00, 0x3c, 0x30, 255},
}

// hidden marks what cloud or snow covers: the value below is not the crop's.
var hidden = color.NRGBA{0xb0, 0xb0, 0xb0, 0xa0}

// ndviColour is the colour of a value; NaN is transparent.
func ndviColour(v float64) color.NRGBA {
	if math.IsNaN(v) {
		return color.NRGBA{}
	}
	at := max(0, min(1, v)) * float64(len(ramp)-1)
	i := min(int(at), len(ramp)-2)
	f := at - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	a, b := ramp[i], ramp[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		return nil, err
	}
	return slices.Clip(b.Bytes()), nil
}
