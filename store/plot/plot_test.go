package plot_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
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
			p, err := reg.Add(ctx, "a", geo.Plot{OwnerID: fmt.Sprint("u", i%2), OwnerName: "张三", Name: fmt.Sprint("东地", i), Region: "410122", Crop: "wheat", ClaimedM2: 40000.5, Polygon: field(114+float64(i)*0.01, 34.7)})
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
			{"peers", "a", geo.PlotFilter{Region: "410122", Crop: "wheat", Bound: &bound}, all[1:3]},
			{"another crop", "a", geo.PlotFilter{Region: "410122", Crop: "rice"}, []geo.Plot{}},
			{"another county", "a", geo.PlotFilter{Region: "410123"}, []geo.Plot{}},
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

// Whatever the sizes of plots and boxes, a query by box gives what comparing all
// boxes gives.
func TestPlotsByBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s, r := context.Background(), plot.New(db), rand.New(rand.NewPCG(1, 2))
		var all []geo.Plot
		for range 600 {
			// From 20 m to 6 km, and one in ten wider than any grid; also on the grid lines.
			w := 0.0002 * math.Pow(300, r.Float64())
			lon, lat := 114+r.Float64(), 34+r.Float64()
			switch r.IntN(10) {
			case 0:
				w = 0.2
			case 1:
				lon, lat, w = math.Round(lon*512)/512, math.Round(lat*512)/512, 1.0/512
			}
			all = append(all, geo.Plot{ID: ident.New(), Tenant: "a", SourceCRS: geo.WGS84, CreatedAt: now, Polygon: orb.Polygon{{{lon, lat}, {lon + w, lat}, {lon + w, lat + w}, {lon, lat}}}})
		}
		if err := s.AddPlots(ctx, all); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(all, func(a, b geo.Plot) int { return strings.Compare(a.ID, b.ID) })
		for i := range 60 {
			w := 0.0001 * math.Pow(5000, r.Float64())
			lo := orb.Point{114 + r.Float64(), 34 + r.Float64()}
			if i%5 == 0 {
				lo = all[i].Polygon[0][1] // touches
			}
			bound := orb.Bound{Min: lo, Max: orb.Point{lo[0] + w, lo[1] + w}}
			var want []string
			for _, p := range all {
				if p.Polygon.Bound().Intersects(bound) {
					want = append(want, p.ID)
				}
			}
			var got []string
			f := geo.PlotFilter{Bound: &bound, Limit: 7}
			for {
				page, err := s.Plots(ctx, "a", f)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range page {
					got, f.After = append(got, p.ID), p.ID
				}
				if len(page) < f.Limit {
					break
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("box of %v°: %s", w, d)
			}
		}
	})
}

// A file's plots are saved together; what its holder has already, and what the file
// repeats, is named.
func TestImport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), plot.New(db)
		reg := &geo.Plots{Store: s, Now: func() time.Time { return now }}
		if _, err := reg.Add(ctx, "a", geo.Plot{OwnerID: "u1", Name: "东地", Polygon: field(114, 34.7)}); err != nil {
			t.Fatal(err)
		}
		list := []geo.Plot{
			{OwnerID: "u1", Name: "again", Polygon: field(114.000001, 34.7)},
			{OwnerID: "u2", Name: "pledged twice", Polygon: field(114.000001, 34.7)},
			{OwnerID: "u1", Name: "new", ClaimedM2: 1000, Polygon: field(114.1, 34.7)},
			{OwnerID: "u1", Name: "new again", Polygon: field(114.1, 34.7)},
			{OwnerID: "u1", Name: "no polygon"},
		}
		saved, refused, err := reg.Import(ctx, "a", list)
		if err != nil || len(saved) != 2 || len(refused) != 3 {
			t.Fatalf("%d saved, %v refused, %v", len(saved), refused, err)
		}
		for i, want := range []struct {
			index int
			err   error
		}{{0, geo.ErrDuplicate}, {3, geo.ErrDuplicate}, {4, geo.ErrRing}} {
			if refused[i].Index != want.index || !errors.Is(refused[i].Err, want.err) {
				t.Errorf("refused %+v, want %+v", refused[i], want)
			}
		}
		all, err := s.Plots(ctx, "a", geo.PlotFilter{})
		if err != nil || len(all) != 3 || cmp.Diff(saved, all[1:]) != "" {
			t.Errorf("%d in the register, %v: %s", len(all), err, cmp.Diff(saved, all[1:]))
		}
		clashes, err := reg.Clashes(ctx, "a", 0.01)
		if err != nil || len(clashes) != 1 || clashes[0].A.Name != "东地" || clashes[0].B.Name != "pledged twice" || clashes[0].Share < 0.99 {
			t.Errorf("%+v, %v", clashes, err)
		}
		// One id that is taken, and nothing of the list is saved.
		if err := s.AddPlots(ctx, []geo.Plot{{ID: ident.New(), Tenant: "a", Polygon: field(115, 35)}, all[0]}); !errors.Is(err, fault.Conflict) {
			t.Errorf("a taken id: %v", err)
		}
		if all, err := s.Plots(ctx, "a", geo.PlotFilter{}); err != nil || len(all) != 3 {
			t.Errorf("a failed import left %d plots, %v", len(all)-3, err)
		}
	})
}

// A retry finds the plot of the first try; a key does not serve twice.
func TestAddOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		reg := &geo.Plots{Store: plot.New(db), Now: func() time.Time { return now }}
		p := geo.Plot{OwnerID: "u1", Name: "东地", Polygon: field(114, 34.7)}
		first, err := reg.AddOnce(ctx, "a", p, "key-0001")
		if err != nil {
			t.Fatal(err)
		}
		again, err := reg.AddOnce(ctx, "a", p, "key-0001")
		if err != nil || cmp.Diff(first, again) != "" {
			t.Errorf("the retry: %v, %s", err, cmp.Diff(first, again))
		}
		other := p
		other.Name = "西地"
		if _, err := reg.AddOnce(ctx, "a", other, "key-0001"); !errors.Is(err, geo.ErrKeyUsed) {
			t.Errorf("another plot under the key: %v", err)
		}
		if _, err := reg.AddOnce(ctx, "a", p, "key-0002"); !errors.Is(err, geo.ErrDuplicate) {
			t.Errorf("the same plot under another key: %v", err)
		}
		p.OwnerID = "u2"
		if q, err := reg.AddOnce(ctx, "a", p, "key-0001"); err != nil || q.ID == first.ID {
			t.Errorf("another holder's key: %+v, %v", q, err)
		}
		// Many at once, and one plot.
		p.OwnerID, p.Polygon = "u3", field(115, 35)
		ids := make([]string, 6)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				q, err := reg.AddOnce(ctx, "a", p, "key-0003")
				if err != nil {
					t.Error(err)
				}
				ids[i] = q.ID
			})
		}
		wg.Wait()
		if slices.ContainsFunc(ids, func(id string) bool { return id != ids[0] }) {
			t.Errorf("several plots under one key: %v", ids)
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
