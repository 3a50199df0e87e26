package season_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
	"github.com/furrowcredit/furrow/sim/season"
)

func TestSeasonCanBeSampled(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := season.Config{Dir: t.TempDir(), Side: 1200, Files: 2, Dates: 5}
	b := a
	b.Dir = t.TempDir()
	for _, c := range []season.Config{a, b} {
		if err := c.Write(ctx); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(a.Dir, "*.tif"))
	if err != nil || len(files) != 10 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		one, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(b.Dir, filepath.Base(f)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s comes out differently", filepath.Base(f))
		}
	}
	plots, err := a.Parcels()
	if err != nil {
		t.Fatal(err)
	}
	items := a.Items()
	got, err := zonal.Sample(ctx, scene.New(items), items, plots, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI()}})
	if err != nil {
		t.Fatal(err)
	}
	if len(plots) < 200 || len(got) != a.Dates {
		t.Fatalf("%d parcels on %d dates", len(plots), len(got))
	}
	clear, cloudy := 0, 0
	for d, s := range got {
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		for k, p := range s.Plots {
			if p.Inside != 1 || p.Full < 500 {
				t.Fatalf("parcel %d: %+v", k, p)
			}
			switch {
			case p.Clear == 1:
				clear++
				if v := p.Cells[0]; v.Mean < 0.1 || v.Mean > 0.95 || v.StdDev > 0.05 {
					t.Fatalf("parcel %d on date %d: %+v", k, d, v)
				}
			case p.Cloud > 0.5:
				cloudy++
			}
		}
	}
	if clear < 2*cloudy || cloudy == 0 {
		t.Errorf("%d clear, %d cloudy", clear, cloudy)
	}
}
