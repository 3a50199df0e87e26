// Package tile draws scenes as web-mercator map tiles: pictures of 256 × 256
// pixels, transparent where nothing is to be shown.
//
// True colour and NDVI come from the pixels of a scene alone. The layers crop,
// growth and hazard paint the plots of a tenant by their newest reports, on the
// date of a scene. [Renderer.Legend] says what their colours mean.
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
	"time"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// What can be wrong with a request for a tile.
var (
	ErrLayer  = fault.New(fault.NotFound, "tile.layer", "there is no layer {layer} here; use truecolor or ndvi, and as an officer crop, growth or hazard")
	ErrTile   = fault.New(fault.Invalid, "tile.place", "there is no tile {place}; zoom runs from 0 to 22")
	ErrFormat = fault.New(fault.Invalid, "tile.format", "a tile is drawn as png or webp, not as {format}")
)

// Layer names what a tile shows.
type Layer string

// The layers.
const (
	TrueColor Layer = "truecolor" // red, green, blue as the eye sees them
	NDVI      Layer = "ndvi"      // brown for bare soil to teal for dense growth; grey under cloud
	Crop      Layer = "crop"      // plots in the colour of their crop, paler when less sure
	Growth    Layer = "growth"    // pixels of plots against the peers of the plot on that date
	Hazard    Layer = "hazard"    // plots in the colour of what befell them on that date
)

// Format is how a tile is encoded.
type Format string

// The formats.
const (
	PNG  Format = "png"
	WebP Format = "webp"
)

// Request is one tile: z/x/y in the usual numbering from the north-west.
type Request struct {
	Tenant  string // whose plots are painted; nothing to TrueColor and NDVI
	Layer   Layer
	Item    string // scene
	Format  Format // "" means PNG
	Z, X, Y int
}

// ofPlots says whether the layer paints plots, which change with their reports.
func (l Layer) ofPlots() bool { return l == Crop || l == Growth || l == Hazard }

const (
	size    = 256
	maxZoom = 22
	cached  = 1024 // tiles kept in memory, about 50 kB each at the most
	// fresh is how long a tile of plots is kept where nobody tells of new reports:
	// they may be made by another process.
	fresh = time.Minute
	// world is half the width of the web-mercator square, in metres.
	world = math.Pi * 6378137
)

// Config is what a Renderer draws from.
type Config struct {
	Scenes *scene.Catalogue
	Fields Fields           // nil: there are no layers of plots
	Crops  []Kind           // in the order of the legend
	Now    func() time.Time // for the age of cached tiles
}

// Renderer draws tiles of one catalogue and remembers the latest. It is safe for
// concurrent use: every tile opens its own datasets.
type Renderer struct {
	cfg   Config
	crops palette
	busy  chan struct{} // bounds the tiles drawn at the same time

	mu    sync.Mutex
	order *list.List // of entry, the latest used in front
	byKey map[key]*list.Element
}

type key = Request

type entry struct {
	key  key
	body []byte
	made time.Time
}

// New returns a renderer.
func New(cfg Config) *Renderer {
	return &Renderer{
		cfg: cfg, crops: newPalette(cfg.Crops), busy: make(chan struct{}, runtime.GOMAXPROCS(0)),
		order: list.New(), byKey: map[key]*list.Element{},
	}
}

// Draw draws a tile. Errors are [ErrLayer], [ErrTile], [ErrFormat],
// [scene.ErrNoItem], [scene.ErrNoBand] where the scene lacks what the layer shows,
// [scene.ErrUnreadable], and those of Fields.
func (r *Renderer) Draw(ctx context.Context, k Request) ([]byte, error) {
	switch k.Layer {
	case TrueColor, NDVI:
		k.Tenant = "" // the same for all
	case Crop, Growth, Hazard:
		if r.cfg.Fields == nil {
			return nil, ErrLayer.With("layer", string(k.Layer))
		}
	default:
		return nil, ErrLayer.With("layer", string(k.Layer))
	}
	if k.Format == "" {
		k.Format = PNG
	}
	if k.Format != PNG && k.Format != WebP {
		return nil, ErrFormat.With("format", string(k.Format))
	}
	if k.Z < 0 || k.Z > maxZoom || k.X < 0 || k.Y < 0 || k.X >= 1<<k.Z || k.Y >= 1<<k.Z {
		return nil, ErrTile.With("place", fmt.Sprintf("%d/%d/%d", k.Z, k.X, k.Y))
	}
	it, err := r.cfg.Scenes.Item(k.Item)
	if err != nil {
		return nil, err
	}
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
	made := r.cfg.Now()
	img, err := r.draw(ctx, it, k)
	if err != nil {
		return nil, err
	}
	body, err := encode(img, k.Format)
	if err != nil {
		return nil, err
	}
	r.put(k, body, made)
	return body, nil
}

// Changed forgets the tiles that show plots of a tenant.
func (r *Renderer) Changed(tenant string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, el := range r.byKey {
		if k.Layer.ofPlots() && k.Tenant == tenant {
			r.order.Remove(el)
			delete(r.byKey, k)
		}
	}
}

func (r *Renderer) get(k key) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	el, ok := r.byKey[k]
	if !ok {
		return nil, false
	}
	e := el.Value.(*entry)
	if k.Layer.ofPlots() && r.cfg.Now().Sub(e.made) > fresh {
		return nil, false
	}
	r.order.MoveToFront(el)
	return e.body, true
}

func (r *Renderer) put(k key, body []byte, made time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if el, ok := r.byKey[k]; ok {
		r.order.Remove(el)
	}
	r.byKey[k] = r.order.PushFront(&entry{k, body, made})
	for r.order.Len() > cached {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.byKey, last.Value.(*entry).key)
	}
}

// bounds is the tile's square in web-mercator metres: west, south, east, north.
func (k Request) bounds() [4]float64 {
	side := 2 * world / float64(int(1)<<k.Z)
	west, north := float64(k.X)*side-world, world-float64(k.Y)*side
	return [4]float64{west, north - side, west + side, north}
}

// mercator projects degrees to web-mercator metres.
func mercator(lon, lat float64) (x, y float64) {
	lat = max(-85.06, min(85.06, lat)) * math.Pi / 180
	return lon / 180 * world, math.Log(math.Tan(math.Pi/4+lat/2)) / math.Pi * world
}

// meets says whether the tile may show something of the item.
func (k Request) meets(it scene.Item) bool {
	if len(it.Footprint) == 0 {
		return true
	}
	b := it.Footprint.Bound()
	w, s := mercator(b.Min[0], b.Min[1])
	e, n := mercator(b.Max[0], b.Max[1])
	t := k.bounds()
	return w < t[2] && e > t[0] && s < t[3] && n > t[1]
}

func (r *Renderer) draw(ctx context.Context, it scene.Item, k key) (*image.NRGBA, error) {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	bands, err := k.bands(it)
	if err != nil || !k.meets(it) {
		return img, err
	}
	switch k.Layer {
	case TrueColor:
		return img, trueColor(img, bands, k)
	case NDVI:
		v, class, err := vegetation(it, bands, k)
		if err != nil {
			return nil, err
		}
		for i := range v {
			set(img, i, paint(v[i], class[i], ndviColour))
		}
		return img, nil
	default:
		return img, r.fields(ctx, img, it, bands, k)
	}
}

func trueColor(img *image.NRGBA, bands []scene.Band, k key) error {
	layers, err := warp(bands, k.bounds(), "bilinear")
	if err != nil {
		return err
	}
	for i := range size * size {
		red, green, blue := layers[0][i], layers[1][i], layers[2][i]
		if !math.IsNaN(red + green + blue) {
			set(img, i, color.NRGBA{stretch(red), stretch(green), stretch(blue), 255})
		}
	}
	return nil
}

// bands are what the layer needs of an item.
func (k Request) bands(it scene.Item) ([]scene.Band, error) {
	var keys []string
	switch k.Layer {
	case TrueColor:
		keys = []string{"red", "green", "blue"}
	case NDVI, Growth:
		keys = []string{"nir", "red"}
		if !it.Has(keys...) && it.Has("ndvi") {
			keys = []string{"ndvi"}
		}
	default: // the others paint plots, not pixels
		return nil, nil
	}
	var bands []scene.Band
	for _, name := range keys {
		b, ok := it.Bands[name]
		if !ok {
			return nil, scene.ErrNoBand.At("%s", it.ID).With("band", name)
		}
		bands = append(bands, b)
	}
	return bands, nil
}

// vegetation is NDVI and the class of every pixel of the tile. Classes cannot be
// averaged, so pixels are the nearest ones.
func vegetation(it scene.Item, bands []scene.Band, k key) ([]float64, []scene.Class, error) {
	layers, err := warp(bands, k.bounds(), "near")
	if err != nil {
		return nil, nil, err
	}
	masks := it.Masks()
	marks, err := warp(masks, k.bounds(), "near")
	if err != nil {
		return nil, nil, err
	}
	v, class := layers[0], make([]scene.Class, size*size)
	for i := range v {
		if len(layers) == 2 {
			v[i] = (layers[0][i] - layers[1][i]) / (layers[0][i] + layers[1][i])
		}
		for m, b := range masks {
			class[i] = max(class[i], b.ClassAt(marks[m][i]))
		}
	}
	return v, class, nil
}

// paint colours a value where the pixel is clear.
func paint(v float64, class scene.Class, ramp func(float64) color.NRGBA) color.NRGBA {
	switch {
	case math.IsNaN(v) || class == scene.NoData:
		return color.NRGBA{}
	case class != scene.Clear:
		return hidden
	}
	return ramp(v)
}

func set(img *image.NRGBA, i int, c color.NRGBA) {
	copy(img.Pix[4*i:], []uint8{c.R, c.G, c.B, c.A})
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

func encode(img *image.NRGBA, f Format) ([]byte, error) {
	if f == WebP {
		return webp(img)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		return nil, err
	}
	return slices.Clip(b.Bytes()), nil
}
