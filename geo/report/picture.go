package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/tile"
)

const (
	pictureSize = 240 // pixels a side
	plotSize    = 140 // of them that the plot may take
	tilePixels  = 256
	finest      = 17 // zoom at which a pixel is about a metre: satellites see no more
)

// picture is what a scene saw of a plot and around it, in true colour or as NDVI
// where it has no colours, with the outline of the plot: an image that stands in the
// page itself. It is "" where the scene is not there any more or cannot be drawn.
func (m *Maker) picture(ctx context.Context, id string, p orb.Polygon) (template.URL, error) {
	it, err := m.cat.Item(id)
	if err != nil || len(p) == 0 {
		return "", nil //nolint:nilerr // an old report outlives its scenes
	}
	layer := tile.TrueColor
	if !it.Has("red", "green", "blue") {
		layer = tile.NDVI
	}
	f := frameOf(p)
	img := image.NewRGBA(image.Rect(0, 0, pictureSize, pictureSize))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{0xe6}), image.Point{}, draw.Src)
	for ty := int(f.y) / tilePixels; ty <= (int(f.y)+pictureSize-1)/tilePixels; ty++ {
		for tx := int(f.x) / tilePixels; tx <= (int(f.x)+pictureSize-1)/tilePixels; tx++ {
			body, err := m.tiles.Draw(ctx, tile.Request{Layer: layer, Item: id, Z: f.zoom, X: tx, Y: ty})
			if err != nil {
				return "", ctx.Err() // a scene that cannot be drawn leaves its name on the page
			}
			part, err := png.Decode(bytes.NewReader(body))
			if err != nil {
				return "", err
			}
			at := part.Bounds().Add(image.Pt(tx*tilePixels-int(f.x), ty*tilePixels-int(f.y)))
			draw.Draw(img, at, part, part.Bounds().Min, draw.Over)
		}
	}
	for _, ring := range p {
		for i := range ring {
			stroke(img, f.pixel(ring[i]), f.pixel(ring[(i+1)%len(ring)]))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(out.Bytes())), nil //nolint:gosec // our own picture
}

// mercator is a piece of the web-mercator plane: its upper left pixel at a zoom.
type mercator struct {
	zoom int
	x, y float64
}

// frameOf puts a plot into the middle of a picture.
func frameOf(p orb.Polygon) mercator {
	f := mercator{zoom: finest}
	b := p.Bound()
	for ; f.zoom > 0; f.zoom-- {
		a, z := f.plane(orb.Point{b.Min[0], b.Max[1]}), f.plane(orb.Point{b.Max[0], b.Min[1]})
		if max(z[0]-a[0], z[1]-a[1]) <= plotSize {
			break
		}
	}
	c := f.plane(b.Center())
	f.x, f.y = max(0, math.Floor(c[0]-pictureSize/2)), max(0, math.Floor(c[1]-pictureSize/2))
	return f
}

// plane gives pixels from the north-west corner of the world.
func (f mercator) plane(p orb.Point) orb.Point {
	n := float64(int(tilePixels) << f.zoom)
	lat := p[1] * math.Pi / 180
	return orb.Point{(p[0] + 180) / 360 * n, (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2 * n}
}

func (f mercator) pixel(p orb.Point) orb.Point {
	q := f.plane(p)
	return orb.Point{q[0] - f.x, q[1] - f.y}
}

// stroke draws a line of the outline, dark beside light so that it shows on anything.
func stroke(img *image.RGBA, a, b orb.Point) {
	steps := math.Ceil(max(math.Abs(b[0]-a[0]), math.Abs(b[1]-a[1]), 1))
	for i := 0.0; i <= steps; i++ {
		x, y := int(math.Floor(a[0]+(b[0]-a[0])*i/steps)), int(math.Floor(a[1]+(b[1]-a[1])*i/steps))
		img.Set(x+1, y+1, color.Gray{0x20})
		img.Set(x, y, color.RGBA{0xff, 0xe0, 0x30, 0xff})
	}
}
