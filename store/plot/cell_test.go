package plot

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// Plots that were saved before there were cells are found as new ones are: the
// migration's SQL gives the cells that Go gives.
func TestMigrationGivesTheSameCells(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join("..", "migrations", "0006_plot_cell.sql"))
	if err != nil {
		t.Fatal(err)
	}
	update := regexp.MustCompile(`(?s)update plot.*?end`).Find(body)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s, r := context.Background(), New(db), rand.New(rand.NewPCG(5, 6))
		var plots []geo.Plot
		want := map[string]int64{}
		for i := range 300 {
			w := 0.3 * r.Float64() * r.Float64() * r.Float64()
			lo := orb.Point{-180 + 359*r.Float64(), -90 + 179*r.Float64()}
			if i%10 == 0 {
				w = 1 / grids[i/10%len(grids)]
			}
			p := geo.Plot{Tenant: "a", ID: ident.New(), Polygon: orb.Bound{Min: lo, Max: orb.Point{lo[0] + w, lo[1] + w/2}}.ToPolygon()}
			plots, want[p.ID] = append(plots, p), cellOf(p.Polygon.Bound())
		}
		if err := s.AddPlots(ctx, plots); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, `update plot set cell = 0`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, string(update)); err != nil {
			t.Fatal(err)
		}
		type row struct {
			id   string
			cell int64
		}
		rows, err := store.Collect(ctx, db, func(r store.Row) (x row, err error) { return x, r.Scan(&x.id, &x.cell) }, `select id, cell from plot`)
		if err != nil || len(rows) != len(plots) {
			t.Fatal(len(rows), err)
		}
		for _, x := range rows {
			if want[x.id] != x.cell {
				t.Errorf("%s: %d in SQL, %d in Go", x.id, x.cell, want[x.id])
			}
		}
	})
}
