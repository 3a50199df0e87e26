package telemetry_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/store/telemetry"
)

func open(tb testing.TB, path string) *telemetry.Store {
	tb.Helper()
	s, err := telemetry.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	seriestest.Run(t, func(t *testing.T) series.Store { return open(t, filepath.Join(t.TempDir(), "telemetry.db")) })
}

func BenchmarkWrite(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "telemetry.db"))
	defer s.Close()
	v := 29.5
	batch := make([]iot.Reading, 1000)
	at := time.Now()
	for n := 0; b.Loop(); n++ {
		for i := range batch {
			at := at.Add(time.Duration(n) * time.Second)
			batch[i] = iot.Reading{Tenant: "a", Tag: fmt.Sprint("t", i), At: at, Received: at, Lon: &v, Lat: &v, Temp: &v, Activity: &v}
		}
		if err := s.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(batch)*b.N)/b.Elapsed().Seconds(), "readings/s")
}
