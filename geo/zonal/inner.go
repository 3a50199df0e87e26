package zonal

import (
	"fmt"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// ErrInner says that the edge of a polygon cannot be taken off.
var ErrInner = fault.New(fault.Invalid, "zonal.inner", "the edge of the polygon cannot be taken off; is its outline free of crossings?")

// arcs is the number of straight pieces that stand for a quarter circle around
// corners that point inwards: off by less than 0.5 % of the distance.
const arcs = 8

// shrink takes metres off the edges of polygons in pixel coordinates: what remains
// lies at least that far inside, which may be several parts or nothing. Pixels
// that are not square on the ground count with both sides.
func shrink(g scene.Grid, pixels []orb.MultiPolygon, metres float64) ([]orb.MultiPolygon, error) {
	middles := make([]orb.Point, len(pixels))
	for i, mp := range pixels {
		middles[i] = mp.Bound().Center()
	}
	sizes, err := g.PixelsMetres(middles)
	if err != nil {
		return nil, err
	}
	out := make([]orb.MultiPolygon, len(pixels))
	for i, mp := range pixels {
		if area(mp) == 0 || !(sizes[i][0] > 0 && sizes[i][1] > 0) { // it cannot be placed
			continue
		}
		ground := scaled(mp, sizes[i][0], sizes[i][1])
		if ground, err = buffer(ground, -metres); err != nil {
			return nil, ErrInner.At("polygon %d", i+1).Because(err)
		}
		out[i] = scaled(ground, 1/sizes[i][0], 1/sizes[i][1])
	}
	return out, nil
}

func scaled(mp orb.MultiPolygon, x, y float64) orb.MultiPolygon {
	mp = mp.Clone()
	for _, poly := range mp {
		for _, ring := range poly {
			for k, p := range ring {
				ring[k] = orb.Point{p[0] * x, p[1] * y}
			}
		}
	}
	return mp
}

// buffer widens polygons by a distance, or narrows them by a negative one.
func buffer(mp orb.MultiPolygon, distance float64) (orb.MultiPolygon, error) {
	body, err := wkb.Marshal(mp)
	if err != nil {
		return nil, err
	}
	g, err := godal.NewGeometryFromWKB(body, nil, godal.ErrLogger(scene.Failures))
	if err != nil {
		return nil, err
	}
	defer g.Close()
	b, err := g.Buffer(distance, arcs, godal.ErrLogger(scene.Failures))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if body, err = b.WKB(); err != nil {
		return nil, err
	}
	shape, err := wkb.Unmarshal(body)
	if err != nil {
		return nil, err
	}
	switch s := shape.(type) {
	case orb.Polygon:
		if len(s) == 0 {
			return nil, nil
		}
		return orb.MultiPolygon{s}, nil
	case orb.MultiPolygon:
		return s, nil
	}
	return nil, fmt.Errorf("a %s remains", shape.GeoJSONType())
}
