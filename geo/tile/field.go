package tile

import (
	"context"
	"image"
	"image/color"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
)

// Field is a plot with its newest report; without a report it is painted as
// unknown.
type Field struct {
	Polygon orb.Polygon // WGS84
	Report  *geo.CropReport
}

// Fields visits the plots of a tenant whose bounding boxes meet a bound (WGS84), one
// after the other: a tile of a whole county holds more reports than memory does.
type Fields func(ctx context.Context, tenant string, b orb.Bound, visit func(Field) error) error

// minFieldZoom is the least zoom at which plots are painted: from farther away a
// plot of some mu is smaller than a pixel.
const minFieldZoom = 10

// fields paints the plots of a layer.
func (r *Renderer) fields(ctx context.Context, img *image.NRGBA, it scene.Item, bands []scene.Band, k key) error {
	if k.Z < minFieldZoom {
		return nil
	}
	var v []float64
	var class []scene.Class
	return r.cfg.Fields(ctx, k.Tenant, k.degrees(), func(f Field) (err error) {
		if k.Layer == Growth && v == nil {
			if v, class, err = vegetation(it, bands, k); err != nil {
				return err
			}
		}
		colour := func(int) color.NRGBA { return unknown }
		switch {
		case k.Layer == Crop && f.Report != nil && f.Report.Crop != "":
			c := r.crops.of(f.Report.Crop)
			c.A = uint8(120 + 110*max(0, min(1, f.Report.Confidence)))
			colour = func(int) color.NRGBA { return c }
		case k.Layer == Hazard:
			h, ok := inForce(f.Report, it.Time)
			if !ok {
				return nil
			}
			c := hazardColours[h.Kind]
			c.A = uint8(110 + 120*max(0, min(1, h.Share)))
			colour = func(int) color.NRGBA { return c }
		case k.Layer == Growth:
			if at, ok := peersOn(f.Report, it.Time); ok {
				colour = func(i int) color.NRGBA {
					return paint(v[i], class[i], func(v float64) color.NRGBA { return growthColour(standing(v, at)) })
				}
			}
		}
		k.fill(img, f.Polygon, colour)
		return nil
	})
}

// degrees is the tile's square in WGS84.
func (k Request) degrees() orb.Bound {
	b := k.bounds()
	lat := func(y float64) float64 { return (2*math.Atan(math.Exp(y/world*math.Pi)) - math.Pi/2) * 180 / math.Pi }
	return orb.Bound{Min: orb.Point{b[0] / world * 180, lat(b[1])}, Max: orb.Point{b[2] / world * 180, lat(b[3])}}
}

// fill lays a colour over the pixels of a polygon by the part that it covers of
// each, so that its edge is smooth.
func (k Request) fill(img *image.NRGBA, p orb.Polygon, colour func(i int) color.NRGBA) {
	b := k.bounds()
	perPixel := (b[2] - b[0]) / size
	shape := make(orb.Polygon, len(p))
	for i, ring := range p {
		shape[i] = make(orb.Ring, len(ring))
		for j, q := range ring {
			x, y := mercator(q[0], q[1])
			shape[i][j] = orb.Point{(x - b[0]) / perPixel, (b[3] - y) / perPixel}
		}
	}
	for _, run := range zonal.NewCover(orb.MultiPolygon{shape}, size, size).Runs {
		for x := run.X; x < run.X+run.N; x++ {
			i := int(run.Y)*size + int(x)
			over(img.Pix[4*i:4*i+4], colour(i), run.W)
		}
	}
}

// over lays a colour with alpha c.A·part over a pixel (Porter and Duff 1984).
func over(pix []uint8, c color.NRGBA, part float64) {
	a := float64(c.A) / 255 * part
	below := float64(pix[3]) / 255 * (1 - a)
	all := a + below
	if all == 0 {
		return
	}
	for n, v := range []uint8{c.R, c.G, c.B} {
		pix[n] = uint8(math.Round((float64(v)*a + float64(pix[n])*below) / all))
	}
	pix[3] = uint8(math.Round(all * 255))
}

// inForce is the gravest hazard of a report on the day of a scene.
func inForce(r *geo.CropReport, at time.Time) (geo.Hazard, bool) {
	if r == nil {
		return geo.Hazard{}, false
	}
	const day = 24 * time.Hour
	var found []geo.Hazard
	for _, h := range r.Hazards {
		if !at.Before(h.Start.Truncate(day)) && at.Before(h.End.Truncate(day).Add(day)) {
			found = append(found, h)
		}
	}
	if len(found) == 0 {
		return geo.Hazard{}, false
	}
	return slices.MaxFunc(found, func(a, b geo.Hazard) int {
		switch d := a.Share*a.Confidence - b.Share*b.Confidence; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	}), true
}

// peersOn is how the peers of a plot stood on the day of a scene.
func peersOn(r *geo.CropReport, at time.Time) (geo.GrowthPoint, bool) {
	if r == nil || r.Growth == nil {
		return geo.GrowthPoint{}, false
	}
	for _, p := range r.Growth.Points {
		if p.Date.UTC().Format(time.DateOnly) == at.UTC().Format(time.DateOnly) {
			return p, true
		}
	}
	return geo.GrowthPoint{}, false
}

// standing is a value in interquartile ranges above the median of the peers. Peers
// that are all alike still differ by what a pixel of a field usually does.
func standing(v float64, p geo.GrowthPoint) float64 {
	const least = 0.04
	return (v - p.Middle) / max(p.High-p.Low, least)
}
