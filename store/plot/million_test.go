package plot_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store/plot"
	"github.com/furrowcredit/furrow/store/storetest"
)

// BenchmarkOverlaps looks one plot up among a million, side by side like fields, on
// SQLite, and on PostgreSQL where there is one.
func BenchmarkOverlaps(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { overlaps(b, "sqlite:"+filepath.Join(b.TempDir(), "furrow.db")) })
	if os.Getenv("FURROW_TEST_POSTGRES") != "" {
		b.Run("postgres", func(b *testing.B) { overlaps(b, storetest.Postgres(b)) })
	}
}

func overlaps(b *testing.B, dsn string) {
	const side, step = 1000, 0.0021
	ctx := context.Background()
	db := storetest.Open(b, dsn)
	s := plot.New(db)
	reg := &geo.Plots{Store: s, Now: func() time.Time { return now }}
	start := time.Now()
	for row := range side {
		plots := make([]geo.Plot, side)
		for i := range plots {
			p := geo.Plot{ID: ident.New(), Tenant: "a", OwnerID: fmt.Sprint("u", row, i%7), Polygon: field(110+float64(i)*step, 30+float64(row)*step), SourceCRS: geo.WGS84, CreatedAt: now}
			p.AreaM2 = geo.AreaM2(p.Polygon)
			plots[i] = p
		}
		if err := s.AddPlots(ctx, plots); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%.0f plots saved a second", float64(side*side)/time.Since(start).Seconds())
	if db.Kind() == "postgres" {
		if _, err := db.Exec(ctx, `analyze plot`); err != nil {
			b.Fatal(err)
		}
	}
	check(b, reg, side, step)
}

func check(b *testing.B, reg *geo.Plots, side int, step float64) {
	b.Helper()
	i := 0
	for b.Loop() {
		i += 7919
		poly := field(110+float64(i%side)*step+0.001, 30+float64(i/side%side)*step+0.001)
		found, err := reg.Overlaps(context.Background(), "a", poly, "")
		if err != nil || len(found) == 0 {
			b.Fatalf("%d overlaps, %v", len(found), err)
		}
	}
}
