package tile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/tile"
)

// legendColour is the colour that the legend gives a code.
func legendColour(t *testing.T, r *tile.Renderer, l tile.Layer, code string) color.NRGBA {
	t.Helper()
	entries, err := r.Legend(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Code == code {
			c := color.NRGBA{A: 255}
			if _, err := fmt.Sscanf(e.Colour, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
				t.Fatal(err)
			}
			return c
		}
	}
	t.Fatalf("the legend of %s has no %s: %v", l, code, entries)
	return color.NRGBA{}
}

func near(a, b color.NRGBA) bool {
	far := func(x, y uint8) bool { return max(x, y)-min(x, y) > 3 }
	return !far(a.R, b.R) && !far(a.G, b.G) && !far(a.B, b.B)
}

func TestLayersOfPlots(t *testing.T) {
	t.Parallel()
	cat := noise(t)
	it := cat.Items()[0]
	const zoom = 14
	m := maptile.At(it.Footprint.Bound().Center(), zoom)
	b := m.Bound()
	// Three plots side by side, each a quarter of the tile wide.
	strip := func(i int) orb.Polygon {
		w := (b.Max[0] - b.Min[0]) / 4
		return orb.Bound{Min: orb.Point{b.Min[0] + w*float64(i), b.Min[1] - 1}, Max: orb.Point{b.Min[0] + w*float64(i+1), b.Max[1] + 1}}.ToPolygon()
	}
	flooded := &geo.CropReport{Crop: "rice", Confidence: 1, Hazards: []geo.Hazard{
		{Kind: geo.Flood, Start: it.Time.AddDate(0, 0, -3), End: it.Time.AddDate(0, 0, 3), Share: 1, Confidence: 1},
	}}
	dried := &geo.CropReport{Crop: "cotton", Confidence: 1,
		Hazards: []geo.Hazard{{Kind: geo.Drought, Start: it.Time.AddDate(0, -2, 0), End: it.Time.AddDate(0, -1, 0), Share: 1, Confidence: 1}},
		Growth:  &geo.Growth{Points: []geo.GrowthPoint{{Date: it.Time, Low: -2, Middle: -1.9, High: -1.8}}},
	}
	fields := []tile.Field{{Polygon: strip(0), Report: flooded}, {Polygon: strip(1), Report: dried}, {Polygon: strip(2)}}
	asked := 0
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	r := tile.New(tile.Config{
		Scenes: cat, Now: func() time.Time { return now },
		Crops: []tile.Kind{{Code: "rice", Group: "cereal"}, {Code: "cotton", Group: "fibre"}},
		Fields: func(_ context.Context, tenant string, _ orb.Bound, visit func(tile.Field) error) error {
			asked++
			if tenant != "bank" {
				return nil
			}
			for _, f := range fields {
				if err := visit(f); err != nil {
					return err
				}
			}
			return nil
		},
	})
	shot := func(l tile.Layer, tenant string, f tile.Format) []byte {
		t.Helper()
		body, err := r.Draw(context.Background(), tile.Request{Tenant: tenant, Layer: l, Item: it.ID, Format: f, Z: zoom, X: int(m.X), Y: int(m.Y)})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	at := func(l tile.Layer, strip int) color.NRGBA {
		return color.NRGBAModel.Convert(decode(t, shot(l, "bank", tile.PNG)).At(strip*64+32, 128)).(color.NRGBA)
	}
	for _, c := range []struct {
		layer tile.Layer
		strip int
		code  string // "" for nothing painted
	}{
		{tile.Crop, 0, "rice"}, {tile.Crop, 1, "cotton"}, {tile.Crop, 2, "unknown"}, {tile.Crop, 3, ""},
		{tile.Hazard, 0, "flood"}, {tile.Hazard, 1, ""}, {tile.Hazard, 2, ""}, // the drought was over
		{tile.Growth, 0, "unknown"}, {tile.Growth, 2, "unknown"}, {tile.Growth, 3, ""},
	} {
		got := at(c.layer, c.strip)
		if c.code == "" {
			if got.A != 0 {
				t.Errorf("%s, strip %d: %v is painted", c.layer, c.strip, got)
			}
			continue
		}
		if want := legendColour(t, r, c.layer, c.code); got.A == 0 || !near(got, want) {
			t.Errorf("%s, strip %d: %v, want the colour of %s, %v", c.layer, c.strip, got, c.code, want)
		}
	}
	growth, err := r.Legend(tile.Growth)
	if err != nil {
		t.Fatal(err)
	}
	best := growth[len(growth)-2] // the last is unknown
	if got := at(tile.Growth, 1); fmt.Sprintf("#%02x%02x%02x", got.R, got.G, got.B) != best.Colour || best.From == nil {
		t.Errorf("a plot far above its peers is %v, the best colour is %+v", got, best)
	}

	before := asked
	shot(tile.Crop, "bank", tile.PNG)
	if asked != before {
		t.Error("a tile just drawn was drawn again")
	}
	fields[0].Report = &geo.CropReport{Crop: "cotton", Confidence: 1}
	r.Changed("other")
	if got := at(tile.Crop, 0); !near(got, legendColour(t, r, tile.Crop, "rice")) {
		t.Error("another tenant's change drew the tile anew")
	}
	r.Changed("bank")
	if got := at(tile.Crop, 0); !near(got, legendColour(t, r, tile.Crop, "cotton")) {
		t.Error("a new report does not show")
	}
	fields[0].Report = flooded
	now = now.Add(2 * time.Minute)
	if got := at(tile.Crop, 0); !near(got, legendColour(t, r, tile.Crop, "rice")) {
		t.Error("a report of another process does not show after a while")
	}
	if got := opaque(decode(t, shot(tile.Crop, "other", tile.PNG))); got != 0 {
		t.Error("a tenant sees the plots of another")
	}
	if body := shot(tile.Crop, "bank", tile.WebP); !bytes.HasPrefix(body, []byte("RIFF")) || !bytes.Equal(body[8:12], []byte("WEBP")) {
		t.Errorf("%q is no WebP", body[:12])
	}
	if _, err := r.Draw(context.Background(), tile.Request{Layer: tile.Crop, Item: it.ID, Format: "gif"}); !errors.Is(err, tile.ErrFormat) {
		t.Errorf("a GIF: %v", err)
	}
	if _, err := r.Legend("infrared"); !errors.Is(err, tile.ErrLayer) {
		t.Errorf("a legend of nothing: %v", err)
	}
}
