package geobench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/airbusgeo/godal"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
	"github.com/furrowcredit/furrow/sim/season"
)

// A whole Sentinel-2 tile has 10980 pixels a side; a quarter of it says the same in a
// quarter of the time.
var seasonSide = flag.Int("season-side", 5490, "side of the tile of the season, in pixels of 10 m")

// seasonPeak is what sampling a whole tile's season may take of memory, in bytes.
const seasonPeak = 3 << 29

func seasonOf(dir string, side int) season.Config {
	return season.Config{Dir: dir, Side: side, Files: 3, Dates: 36}
}

func seasonArgs(args []string) (season.Config, error) {
	side, err := strconv.Atoi(args[1])
	return seasonOf(args[0], side), err
}

// childMake writes the season.
func childMake(ctx context.Context, args []string) error {
	c, err := seasonArgs(args)
	if err != nil {
		return err
	}
	return c.Write(ctx)
}

// seasonAnswer is what a sampling says of itself.
type seasonAnswer struct {
	Parcels int
	Cells   int     // plots and dates with a value
	NDVI    float64 // their mean
}

// childSample measures all parcels on all dates.
func childSample(ctx context.Context, args []string) error {
	c, err := seasonArgs(args)
	if err != nil {
		return err
	}
	plots, err := c.Parcels()
	if err != nil {
		return err
	}
	items := c.Items()
	got, err := zonal.Sample(ctx, scene.New(items), items, plots, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI(), zonal.NDWI(), zonal.Band("blue")}})
	if err != nil {
		return err
	}
	a := seasonAnswer{Parcels: len(plots)}
	for _, s := range got {
		if s.Err != nil {
			return s.Err
		}
		for _, p := range s.Plots {
			if ndvi := p.Cells[0]; ndvi.Share > 0 {
				a.Cells++
				a.NDVI += ndvi.Mean
			}
		}
	}
	a.NDVI /= float64(a.Cells)
	return json.NewEncoder(os.Stdout).Encode(a)
}

// childBare decodes every block of the season with GDAL, on as many threads as sampling uses.
func childBare(_ context.Context, args []string) error {
	c, err := seasonArgs(args)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, it := range c.Items() {
		group.Go(func() error {
			for _, b := range it.Bands {
				if err := decodeBand(b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// decodeBand decodes a band with GDAL, in the type of its file.
func decodeBand(b scene.Band) (err error) {
	ds, err := scene.OpenDataset(b.File, godal.RasterOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ds.Close()) }()
	band := ds.Bands()[b.Index-1]
	const block = 1024
	var buf any = make([]uint16, block*block)
	if b.DataType == "uint8" {
		buf = make([]uint8, block*block)
	}
	for y := 0; y < b.Grid.Height; y += block {
		for x := 0; x < b.Grid.Width; x += block {
			w, h := min(block, b.Grid.Width-x), min(block, b.Grid.Height-y)
			if err := band.Read(x, y, buf, w, h, godal.ErrLogger(scene.Failures)); err != nil {
				return err
			}
		}
	}
	return nil
}

func BenchmarkSeason(b *testing.B) {
	dir, err := filepath.Abs(filepath.Join("..", "..", ".cache", "season"))
	if err != nil {
		b.Fatal(err)
	}
	args := []string{dir, strconv.Itoa(*seasonSide)}
	child(b, "make", args...)
	us := best(2,
		func() usage { return child(b, "sample", args...) },
		func() usage { return child(b, "bare", args...) },
	)
	var a seasonAnswer
	if err := json.Unmarshal(us[0].Out, &a); err != nil {
		b.Fatalf("%v: %s", err, us[0].Out)
	}
	if a.Parcels == 0 || a.Cells < a.Parcels*36/2 || math.IsNaN(a.NDVI) || math.Abs(a.NDVI) > 1 {
		b.Fatalf("the season was not measured: %+v", a)
	}
	if us[0].Peak > seasonPeak {
		b.Errorf("sampling took %d MiB at most, promised %d", us[0].Peak>>20, int64(seasonPeak)>>20)
	}
	report(b, line{
		What: fmt.Sprintf("season: 36 dates x 4 bands + mask, %d² px, %d parcels", *seasonSide, a.Parcels), Unit: "dates",
		Ours: 36 / us[0].CPU.Seconds(), Peer: "bare decoding by GDAL", Theirs: 36 / us[1].CPU.Seconds(), Least: 1 / 1.5,
		Note: fmt.Sprintf("%.1f s against %.1f s of processor, %.1f against %.1f by the clock, peak %d MiB",
			us[0].CPU.Seconds(), us[1].CPU.Seconds(), us[0].Wall.Seconds(), us[1].Wall.Seconds(), us[0].Peak>>20),
	})
}
