package flood_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/hazard/flood"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// The labelled chip and its parts: no part has thresholds from another. The floors
// lie a few hundredths under what was measured, the better part of it the labels'
// own doubt; the whole chip must beat the best single threshold tuned on it.
func TestMapOnLabelledFlood(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "geo", "flood")
	image := func(s string) string { return filepath.Join(dir, "spain_"+s+"Hand.tif") }
	for _, c := range []struct {
		name           string
		x, y, w, h     int
		fused, radar   float64
		light, nothing float64 // nothing: greatest share of false water
	}{
		{name: "whole", w: 256, h: 512, fused: 0.70, radar: 0.50, light: 0.68},
		{name: "top", w: 256, h: 256, fused: 0.74, radar: 0.54, light: 0.74},
		{name: "bottom", y: 256, w: 256, h: 256, fused: 0.52, radar: 0.35, light: 0.45},
		{name: "left", w: 128, h: 512, fused: 0.71, radar: 0.48, light: 0.69},
		{name: "right", x: 128, w: 128, h: 512, fused: 0.66, radar: 0.49, light: 0.63},
		{name: "fields that stayed dry", y: 85, w: 256, h: 50, nothing: 0.06},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := map[string]string{}
			for _, s := range []string{"S1", "S2", "Label"} {
				at[s] = cut(t, image(s), c.x, c.y, c.w, c.h)
			}
			for _, k := range []struct {
				name  string
				cfg   flood.Config
				floor float64
			}{
				{"fused", flood.Config{S1: at["S1"], S2: at["S2"]}, c.fused},
				{"radar", flood.Config{S1: at["S1"]}, c.radar},
				{"light", flood.Config{S2: at["S2"]}, c.light},
			} {
				k.cfg.Truth = at["Label"]
				got, err := flood.Map(t.Context(), k.cfg)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: IoU %.4f, precision %.4f, recall %.4f", k.name, got.IoU, got.Precision, got.Recall)
				if got.IoU < k.floor {
					t.Errorf("%s: IoU %.4f, want at least %.2f", k.name, got.IoU, k.floor)
				}
				if c.nothing > 0 && got.WaterShare > c.nothing {
					t.Errorf("%s: water on %.1f %% of dry land", k.name, got.WaterShare*100)
				}
			}
		})
	}
}

// cut writes a window of an image into a file of its own.
func cut(tb testing.TB, path string, x, y, w, h int) string {
	tb.Helper()
	ds, err := scene.OpenDataset(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = ds.Close() }()
	out := filepath.Join(tb.TempDir(), filepath.Base(path))
	part, err := ds.Translate(out, []string{"-srcwin", strconv.Itoa(x), strconv.Itoa(y), strconv.Itoa(w), strconv.Itoa(h)})
	if err != nil {
		tb.Fatal(err)
	}
	if err := part.Close(); err != nil {
		tb.Fatal(err)
	}
	return out
}

// Hills, clouds' shadows and haze, but not a drop of water.
func TestDrySceneStaysDry(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(realdata.Dir(t, "geo", "eolearn", "s2_l1c_13band"), "*.tif"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenes", err)
	}
	for _, f := range files {
		got, err := flood.Map(t.Context(), flood.Config{S2: f})
		if err != nil {
			t.Fatal(err)
		}
		if got.WaterShare > 0.005 {
			t.Errorf("%s: water on %.1f %%", filepath.Base(f), got.WaterShare*100)
		}
	}
}

// world is a made-up scene whose water is known.
type world struct {
	w, h  int
	wet   func(x, y int) bool // now
	river func(x, y int) bool // always
	cloud func(x, y int) bool
	blind func(x, y int) bool // to the radar
}

func never(int, int) bool { return false }

func lake(x, y int) bool {
	return math.Hypot(float64(x)-150, float64(y)-90) < 60 || x > 480 && x < 600 && y > 30 && y < 80
}

func newWorld() world {
	return world{w: 640, h: 200, wet: lake, river: never, cloud: never, blind: never}
}

// write makes the files and returns them with the truth of the flood.
func (s world) write(tb testing.TB) flood.Config {
	tb.Helper()
	dir, r := tb.TempDir(), rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a made-up scene
	n := s.w * s.h
	now, before := [][]float32{make([]float32, n), make([]float32, n)}, [][]float32{make([]float32, n), make([]float32, n)}
	light := make([][]int16, 13)
	for k := range light {
		light[k] = make([]int16, n)
	}
	permanent, truth := make([]byte, n), make([]byte, n)
	land := [13]float64{1300, 1100, 1000, 900, 1400, 2000, 2300, 2500, 2600, 700, 12, 2100, 1300}
	water := [13]float64{1300, 1000, 900, 700, 600, 450, 420, 400, 380, 150, 11, 200, 120}
	nan := float32(math.NaN())
	for y := range s.h {
		for x := range s.w {
			p := y*s.w + x
			river := s.river(x, y)
			wet := river || s.wet(x, y)
			noise := func() float32 { return float32(r.NormFloat64() * 1.5) }
			radar := func(wet bool) (vv, vh float32) {
				if wet {
					return -18 + noise(), -25 + noise()
				}
				return -9 + noise(), -15 + noise()
			}
			now[0][p], now[1][p] = radar(wet)
			before[0][p], before[1][p] = radar(river)
			if s.blind(x, y) {
				now[0][p], now[1][p] = nan, nan
			}
			for k := range light {
				v := land[k]
				if wet {
					v = water[k]
				}
				if s.cloud(x, y) {
					v = 4500
				}
				light[k][p] = int16(v * (1 + 0.03*r.NormFloat64()))
			}
			if river {
				permanent[p] = 1
			}
			if wet && !river {
				truth[p] = 1
			}
		}
	}
	return flood.Config{
		S1: save(tb, filepath.Join(dir, "s1.tif"), godal.Float32, s.w, s.h, now[0], now[1]), S1Before: save(tb, filepath.Join(dir, "before.tif"), godal.Float32, s.w, s.h, before[0], before[1]),
		S2: save(tb, filepath.Join(dir, "s2.tif"), godal.Int16, s.w, s.h, light...), Permanent: save(tb, filepath.Join(dir, "permanent.tif"), godal.Byte, s.w, s.h, permanent),
		Truth: save(tb, filepath.Join(dir, "truth.tif"), godal.Byte, s.w, s.h, truth),
	}
}

func save[T any](tb testing.TB, path string, kind godal.DataType, w, h int, bands ...[]T) string {
	tb.Helper()
	scene.RegisterDrivers()
	ds, err := godal.Create(godal.GTiff, path, len(bands), kind, w, h)
	if err != nil {
		tb.Fatal(err)
	}
	ref, err := godal.NewSpatialRefFromEPSG(32650)
	if err != nil {
		tb.Fatal(err)
	}
	defer ref.Close()
	err = errors.Join(ds.SetSpatialRef(ref), ds.SetGeoTransform([6]float64{500000, 10, 0, 4000000, 0, -10}))
	for k, b := range bands {
		err = errors.Join(err, ds.Bands()[k].Write(0, 0, b, w, h))
	}
	if err = errors.Join(err, ds.Close()); err != nil {
		tb.Fatal(err)
	}
	return path
}

func TestMap(t *testing.T) {
	t.Parallel()
	everything := func(int, int) bool { return true }
	half := func(x, _ int) bool { return x < 320 }
	stream := func(_, y int) bool { return y > 170 && y < 185 }
	for name, c := range map[string]struct {
		change func(*world)
		use    func(*flood.Config)
		iou    float64 // at least
		check  func(flood.Result) bool
	}{
		"radar and light": {iou: 0.97, check: func(r flood.Result) bool { return r.Fused == 128000 && r.NoData == 0 }},
		"radar alone":     {use: func(c *flood.Config) { c.S2 = "" }, iou: 0.93, check: func(r flood.Result) bool { return r.RadarOnly == 128000 }},
		"light alone":     {use: func(c *flood.Config) { c.S1 = "" }, iou: 0.99, check: func(r flood.Result) bool { return r.LightOnly == 128000 }},
		"under cloud the radar sees": {change: func(s *world) { s.cloud = half }, iou: 0.93, check: func(r flood.Result) bool {
			return r.RadarOnly == 64000 && r.Fused == 64000
		}},
		"beside the swath light sees": {change: func(s *world) { s.blind = half }, iou: 0.97, check: func(r flood.Result) bool { return r.LightOnly == 64000 }},
		"neither sees": {change: func(s *world) { s.blind, s.cloud = half, half }, iou: 0, check: func(r flood.Result) bool {
			return r.NoData == 64000 && r.Recall < 0.5 && r.Precision > 0.97
		}},
		"a river is no flood, says the mask":  {change: func(s *world) { s.river = stream }, use: func(c *flood.Config) { c.S1Before = "" }, iou: 0.9, check: func(r flood.Result) bool { return r.Permanent > 8000 }},
		"a river is no flood, says the radar": {change: func(s *world) { s.river = stream }, use: func(c *flood.Config) { c.Permanent = "" }, iou: 0.9, check: func(r flood.Result) bool { return r.Permanent > 8000 }},
		"without either a river counts":       {change: func(s *world) { s.river = stream }, use: func(c *flood.Config) { c.Permanent, c.S1Before = "", "" }, check: func(r flood.Result) bool { return r.Permanent == 0 && r.Precision < 0.8 }},
		"no water, no threshold of its own": {change: func(s *world) { s.wet = never }, iou: 1, check: func(r flood.Result) bool {
			return r.Water == 0 && r.Thresholds["mndwi"].Usual && r.Thresholds["radar"].Usual
		}},
		"nothing but water":                  {change: func(s *world) { s.wet = everything }, iou: 0.999, check: func(r flood.Result) bool { return r.Dry == 0 && r.Thresholds["radar"].Usual }},
		"a drop in a wide dry land is seen":  {change: func(s *world) { s.wet = func(x, y int) bool { return x > 600 && y > 170 } }, iou: 0.9, check: func(r flood.Result) bool { return !r.Thresholds["radar"].Usual }},
		"water over the seam between blocks": {change: func(s *world) { s.wet = func(x, y int) bool { return x > 490 && x < 540 } }, use: func(c *flood.Config) { c.S2 = "" }, iou: 0.9, check: func(r flood.Result) bool { return r.Water > 9000 }},
		"shadowless bare radar of one band":  {use: func(c *flood.Config) { c.S2 = "" }, iou: 0.9, check: func(r flood.Result) bool { return len(r.Thresholds) == 2 }},
		"a mask of clouds is obeyed":         {use: func(c *flood.Config) { c.Clouds = c.Truth }, iou: 0.9, check: func(r flood.Result) bool { return r.RadarOnly > 15000 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWorld()
			if c.change != nil {
				c.change(&s)
			}
			cfg := s.write(t)
			if c.use != nil {
				c.use(&cfg)
			}
			if cfg.S1 == "" {
				cfg.S1Before = ""
			}
			cfg.Out = filepath.Join(t.TempDir(), "mask.tif")
			got, err := flood.Map(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got.IoU < c.iou || !c.check(got) {
				t.Errorf("got %+v %+v", got, got.Score)
			}
			if got.Water+got.Dry+got.NoData != int64(s.w*s.h) {
				t.Errorf("pixels were lost: %+v", got)
			}
			checkMask(t, cfg.Out, got)
		})
	}
}

// Masks of zeros and ones often declare zero as nodata; it says clear or dry all the
// same. What a truth labels otherwise is not judged.
func TestMasksThatDeclareZeroAsNoData(t *testing.T) {
	t.Parallel()
	s := newWorld()
	cfg := s.write(t)
	clouds, truth := make([]byte, s.w*s.h), make([]byte, s.w*s.h)
	for p := range truth {
		x, y := p%s.w, p/s.w
		switch {
		case x < 100:
			clouds[p] = 1
		case x >= 540:
			truth[p] = 2
		}
		if x < 540 && lake(x, y) {
			truth[p] = 1
		}
	}
	dir := t.TempDir()
	cfg.Clouds = save(t, filepath.Join(dir, "clouds.tif"), godal.Byte, s.w, s.h, clouds)
	cfg.Truth = save(t, filepath.Join(dir, "truth.tif"), godal.Byte, s.w, s.h, truth)
	for _, path := range []string{cfg.Clouds, cfg.Truth} {
		ds, err := godal.Open(path, godal.Update())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ds.Bands()[0].SetNoData(0), ds.Close()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := flood.Map(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.RadarOnly != 100*200 || got.Fused != 540*200 || got.Judged != 540*200 || got.IoU < 0.97 {
		t.Errorf("got %+v %+v", got, got.Score)
	}
}

// checkMask reads the file back: its place, its values, its counts.
func checkMask(tb testing.TB, path string, want flood.Result) {
	tb.Helper()
	r, err := scene.OpenRaster(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	if r.Grid.CRS != "EPSG:32650" || r.Grid.Transform[0] != 500000 || r.Bands[0].DataType != "uint8" || r.Bands[0].NoData == nil || *r.Bands[0].NoData != flood.NoData {
		tb.Errorf("the mask lies at %+v with %+v", r.Grid, r.Bands[0])
	}
	v := make([]byte, r.Grid.Width*r.Grid.Height)
	if err := r.Read(1, scene.Window{W: r.Grid.Width, H: r.Grid.Height}, v); err != nil {
		tb.Fatal(err)
	}
	n := map[byte]int64{}
	for _, x := range v {
		n[x]++
	}
	if n[flood.Dry] != want.Dry || n[flood.Water] != want.Water || n[flood.NoData] != want.NoData {
		tb.Errorf("the mask holds %v, reported were %+v", n, want)
	}
}

func TestMapIsDeterministic(t *testing.T) {
	t.Parallel()
	cfg := newWorld().write(t)
	var got [2][]byte
	for i := range got {
		cfg.Out = filepath.Join(t.TempDir(), "mask.tif")
		if _, err := flood.Map(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		var err error
		if got[i], err = os.ReadFile(cfg.Out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got[0], got[1]) {
		t.Error("the same images gave two masks")
	}
}

// What cannot be used is refused by name, and an older mask stays as it was.
func TestMapRefuses(t *testing.T) {
	t.Parallel()
	small := world{w: 40, h: 30, wet: never, river: never, cloud: never, blind: never}
	other := world{w: 41, h: 30, wet: never, river: never, cloud: never, blind: never}
	blind := small
	blind.blind = func(int, int) bool { return true }
	n := 40 * 30
	for name, c := range map[string]struct {
		cfg  func(tb testing.TB) flood.Config
		want error
	}{
		"a truth without a label": {func(tb testing.TB) flood.Config {
			cfg := small.write(tb)
			cfg.Truth = cfg.S2
			return cfg
		}, flood.ErrTruth},
		"no image": {func(testing.TB) flood.Config { return flood.Config{} }, flood.ErrNoImage},
		"a missing file": {func(tb testing.TB) flood.Config {
			return flood.Config{S1: filepath.Join(tb.TempDir(), "none.tif")}
		}, scene.ErrUnreadable},
		"another grid": {func(tb testing.TB) flood.Config {
			return flood.Config{S1: small.write(tb).S1, S2: other.write(tb).S2}
		}, flood.ErrGrids},
		"a picture of 8 bits": {func(tb testing.TB) flood.Config {
			b := make([]byte, n)
			return flood.Config{S2: save(tb, filepath.Join(tb.TempDir(), "rgb.tif"), godal.Byte, 40, 30, b, b, b, b, b, b, b, b, b, b, b, b, b)}
		}, scene.ErrEightBit},
		"bands missing": {func(tb testing.TB) flood.Config {
			b := make([]int16, n)
			return flood.Config{S2: save(tb, filepath.Join(tb.TempDir(), "few.tif"), godal.Int16, 40, 30, b, b, b, b)}
		}, flood.ErrBands},
		"radar in power": {func(tb testing.TB) flood.Config {
			b := make([]float32, n)
			for i := range b {
				b[i] = 0.1
			}
			return flood.Config{S1: save(tb, filepath.Join(tb.TempDir(), "power.tif"), godal.Float32, 40, 30, b, b)}
		}, flood.ErrDecibels},
		"no data anywhere": {func(tb testing.TB) flood.Config { return flood.Config{S1: blind.write(tb).S1} }, flood.ErrEmpty},
		"radar of before without radar of now": {func(tb testing.TB) flood.Config {
			c := small.write(tb)
			return flood.Config{S2: c.S2, S1Before: c.S1Before}
		}, flood.ErrNoImage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := c.cfg(t)
			dir := t.TempDir()
			cfg.Out = filepath.Join(dir, "mask.tif")
			if err := os.WriteFile(cfg.Out, []byte("older"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := flood.Map(t.Context(), cfg); !errors.Is(err, c.want) || !errors.Is(err, fault.Invalid) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			left(t, dir)
		})
	}
	cfg := small.write(t)
	image, err := os.ReadFile(cfg.S1)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Out = cfg.S1
	if _, err := flood.Map(t.Context(), cfg); !errors.Is(err, flood.ErrOutput) {
		t.Errorf("writing over an image gave %v", err)
	}
	if now, err := os.ReadFile(cfg.S1); err != nil || !bytes.Equal(now, image) {
		t.Error("the image was overwritten")
	}
	dir := t.TempDir()
	cfg.Out = filepath.Join(dir, "mask.tif")
	if err := os.WriteFile(cfg.Out, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := flood.Map(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run gave %v", err)
	}
	left(t, dir)
}

// left checks that a folder holds the older mask and nothing else.
func left(tb testing.TB, dir string) {
	tb.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		tb.Errorf("left behind: %v %v", files, err)
	}
	if body, err := os.ReadFile(filepath.Join(dir, "mask.tif")); err != nil || string(body) != "older" {
		tb.Errorf("the older mask is %q %v", body, err)
	}
}

func ExampleMap() {
	if _, err := flood.Map(context.Background(), flood.Config{Out: "mask.tif"}); err != nil {
		fmt.Println(err)
	}
	// Output: give an image of the flood: from Sentinel-1 in dB, from Sentinel-2, or both
}
