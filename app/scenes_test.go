package app_test

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/sim/county"
)

// TestNewScene indexes the folder of a running house anew: the plots beneath the
// scene that came are judged again, the others are not.
func TestNewScene(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*app.App) error{
		"seen by the watch": func(*app.App) error { return nil },
		"seen by a job":     func(a *app.App) error { return a.SeeScenes(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newScene(t, first)
		})
	}
}

// newScene lets a scene come over the west of two plots. first may see it before the
// house looks.
func newScene(t *testing.T, first func(*app.App) error) {
	l, ctx := demoLand(t), t.Context()
	all, err := scene.Open(l.catalogue)
	if err != nil {
		t.Fatal(err)
	}
	known := all.Between(june.AddDate(0, -2, 0), june)
	known, came := known[:len(known)-1], known[len(known)-1]
	dir := t.TempDir()
	catalogue := filepath.Join(dir, "catalogue")
	publish := func(items []scene.Item) {
		t.Helper()
		if err := index.Write(catalogue, index.Title{ID: "scenes"}, items); err != nil {
			t.Fatal(err)
		}
	}
	publish(known)

	looks := make(chan time.Time)
	house := apptest.Start(t, app.Config{
		Data: dir, DB: "sqlite:" + filepath.Join(dir, "furrow.db"), Scenes: catalogue, Tenant: "bank", Now: func() time.Time { return june },
	}, func(a *app.App) { a.LookAt(looks) })
	idle := func() {
		t.Helper()
		apptest.Poll(t, 60*time.Second, "rest", func() bool {
			n, err := house.Jobs(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return n == 0
		})
	}
	operator := apptest.SignIn(t, house.URL(), apptest.Operator)

	operator.Post("/operator/users", map[string]any{"login": "farmer", "password": apptest.Password, "name": "农户", "role": "borrower"}, nil)
	farmer := apptest.SignIn(t, house.URL(), "farmer")
	fields := slices.Clone(l.Plots)
	slices.SortFunc(fields, func(a, b county.Plot) int { return cmp.Compare(a.Polygon.Bound().Min[0], b.Polygon.Bound().Min[0]) })
	place := map[string]county.Plot{"west": fields[0], "east": fields[len(fields)-1]}
	ids := map[string]string{}
	for _, where := range slices.Sorted(maps.Keys(place)) {
		var p geo.Plot
		farmer.Post("/farmer/plots", map[string]any{"name": where, "polygon": place[where].Polygon}, &p)
		ids[where] = p.ID
	}
	idle()
	reports := func() map[string]int {
		t.Helper()
		out := map[string]int{}
		for where, id := range ids {
			if out[where], err = house.Reports(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	want := func(when string, west, east int) {
		t.Helper()
		if got := reports(); got["west"] != west || got["east"] != east {
			t.Fatalf("%s: reports %v, want %d of the west and %d of the east", when, got, west, east)
		}
	}
	want("after registration", 1, 1)
	looks <- june
	idle()
	want("after a look at the same scenes", 1, 1)

	west, east := place["west"].Polygon.Bound(), place["east"].Polygon.Bound()
	came.Footprint = orb.Bound{Min: came.Footprint.Bound().Min, Max: orb.Point{(west.Max[0] + east.Min[0]) / 2, came.Footprint.Bound().Max[1]}}.ToPolygon()
	publish(append(slices.Clone(known), came))
	if err := first(house); err != nil {
		t.Fatal(err)
	}
	looks <- june
	looks <- june // taken when the first look is over
	idle()
	want("after a scene of the west came", 2, 1)
	var page struct{ Report geo.CropReport }
	farmer.Get("/farmer/plots/"+ids["west"], &page)
	if !slices.Contains(page.Report.Scenes, came.ID) {
		t.Errorf("the new report does not know %s: %v", came.ID, page.Report.Scenes)
	}
}

// TestImportedCropsAreCodes reads a register as land offices write it: crops in words.
func TestImportedCropsAreCodes(t *testing.T) {
	t.Parallel()
	w := newTown(t, app.Config{Data: t.TempDir()})
	owner := w.register(access.Borrower, "farmer", "")
	r := w.as(apptest.Operator).Upload("/operator/plots/import", map[string]string{"owner_id": owner}, "东村.csv",
		[]byte("\uFEFF地块名称,作物,wkt\n东地,夏玉米,\"SRID=4490;POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.702,114 34.7))\"\n"+
			"西地,星星草,\"SRID=4490;POLYGON((114.1 34.7,114.102 34.7,114.102 34.702,114.1 34.702,114.1 34.7))\"\n"))
	var out operator.PlotImport
	if r.Read(t, &out); out.Saved != 2 || out.Plots[0].Crop != "summer_maize" || out.Plots[1].Crop != "" {
		t.Errorf("%+v", out)
	}
}
