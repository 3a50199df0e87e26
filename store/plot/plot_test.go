package plot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/plot"
	"github.com/furrowcredit/furrow/store/storetest"
)

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func field(lon, lat float64) orb.Polygon {
	return orb.Polygon{{{lon, lat}, {lon + 0.002, lat}, {lon + 0.002, lat + 0.002}, {lon, lat + 0.002}, {lon, lat}}}
}

func TestPlots(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), plot.New(db)
		reg := &geo.Plots{Store: s, Now: func() time.Time { return now }}
		var all []geo.Plot
		for i := range 5 {
			p, err := reg.Add(ctx, "a", geo.Plot{OwnerID: fmt.Sprint("u", i%2), OwnerName: "张三", Name: fmt.Sprint("东地", i), Region: "410122", Crop: "wheat", Polygon: field(114+float64(i)*0.01, 34.7)})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		got, err := s.Plot(ctx, "a", all[2].ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(all[2], got); d != "" {
			t.Errorf("plot changed in the store: %s", d)
		}
		if _, err := s.Plot(ctx, "b", all[2].ID); !errors.Is(err, geo.ErrPlotNotFound) {
			t.Errorf("another tenant sees the plot: %v", err)
		}
		if err := s.AddPlot(ctx, all[2]); !errors.Is(err, fault.Conflict) {
			t.Errorf("the same id twice: %v", err)
		}
		bound := orb.Bound{Min: orb.Point{114.005, 34}, Max: orb.Point{114.0205, 35}}
		for _, c := range []struct {
			name   string
			tenant string
			f      geo.PlotFilter
			want   []geo.Plot
		}{
			{"all", "a", geo.PlotFilter{}, all},
			{"pages", "a", geo.PlotFilter{After: all[1].ID, Limit: 2}, all[2:4]},
			{"owner", "a", geo.PlotFilter{OwnerID: "u1"}, []geo.Plot{all[1], all[3]}},
			{"box", "a", geo.PlotFilter{Bound: &bound}, all[1:3]},
			{"other tenant", "b", geo.PlotFilter{}, []geo.Plot{}},
		} {
			got, err := s.Plots(ctx, c.tenant, c.f)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s: %s", c.name, d)
			}
		}
	})
}

func TestDuplicatesAndOverlaps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		reg := &geo.Plots{Store: plot.New(db), Now: func() time.Time { return now }}
		first, err := reg.Add(ctx, "a", geo.Plot{OwnerID: "u1", Name: "东地", Polygon: field(114, 34.7)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reg.Add(ctx, "a", geo.Plot{OwnerID: "u1", Name: "again", Polygon: field(114.000001, 34.7)}); !errors.Is(err, geo.ErrDuplicate) {
			t.Errorf("the holder registers the plot twice: %v", err)
		}
		other, err := reg.Add(ctx, "a", geo.Plot{OwnerID: "u2", Polygon: field(114.001, 34.7)})
		if err != nil {
			t.Fatalf("overlaps are evidence, not errors: %v", err)
		}
		check, err := reg.Check(ctx, "a", field(114, 34.7))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(check.Overlaps); n != 2 || check.Overlaps[0].PlotID != first.ID || check.Overlaps[1].PlotID != other.ID {
			t.Fatalf("overlaps: %+v", check.Overlaps)
		}
		if s := check.Overlaps[1].Share; s < 0.499 || s > 0.501 {
			t.Errorf("half of the plot overlaps, got %v", s)
		}
		own, err := reg.Overlaps(ctx, "a", first.Polygon, first.ID)
		if err != nil || len(own) != 1 {
			t.Errorf("the plot itself is no overlap: %v, %v", own, err)
		}
		if out, err := reg.Overlaps(ctx, "b", first.Polygon, ""); err != nil || len(out) != 0 {
			t.Errorf("another tenant's plots show: %v, %v", out, err)
		}
	})
}

func TestReports(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), plot.New(db)
		p := geo.Plot{ID: ident.New(), Tenant: "a", OwnerID: "u1", Polygon: field(114, 34.7), CreatedAt: now}
		if err := s.AddPlot(ctx, p); err != nil {
			t.Fatal(err)
		}
		if _, err := s.LatestReport(ctx, "a", p.ID); !errors.Is(err, geo.ErrReportAbsent) {
			t.Errorf("before the first report: %v", err)
		}
		newer := geo.CropReport{PlotID: p.ID, Crop: "maize", Status: geo.Known, MadeAt: now.Add(time.Hour)}
		older := geo.CropReport{PlotID: p.ID, Crop: "wheat", Status: geo.Known, MadeAt: now}
		for _, r := range []geo.CropReport{newer, older} {
			if err := s.SaveReport(ctx, "a", r); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.LatestReport(ctx, "a", p.ID)
		if err != nil || cmp.Diff(newer, got) != "" {
			t.Errorf("the report made later is the newest: %+v, %v", got, err)
		}
		if err := s.SaveReport(ctx, "a", geo.CropReport{PlotID: "none"}); !errors.Is(err, geo.ErrPlotNotFound) {
			t.Errorf("a report of no plot: %v", err)
		}
		if err := s.SaveReport(ctx, "b", newer); !errors.Is(err, geo.ErrPlotNotFound) {
			t.Errorf("a report of another tenant's plot: %v", err)
		}
		ids := []string{"none", p.ID}
		for range 600 {
			ids = append(ids, ident.New())
		}
		found, err := s.LatestReports(ctx, "a", ids)
		if err != nil || len(found) != 1 {
			t.Errorf("reports of many: %d, %v", len(found), err)
		}
	})
}
