package geobench

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/crop/sample"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// cropSeries is how many series each method answers for in a turn.
const cropSeries = 20_000

// BenchmarkCrop names the crop of many series with models trained on 1,218 fields
// of Mato Grosso, 12 dates of NDVI and 4 crops. Nobody else's rate is known for
// them. The samples themselves are answered for over and over, and must come out
// as labelled.
func BenchmarkCrop(b *testing.B) {
	set, err := sample.Open(filepath.Join(realdata.Dir(b, "geo", "series"), "samples_modis_ndvi.csv"), sample.Options{})
	if err != nil {
		b.Fatal(err)
	}
	index := make([]int, cropSeries)
	for i := range index {
		index[i] = i % len(set.Samples)
	}
	var before, after runtime.MemStats
	for _, method := range []string{model.Default, model.SVM, model.Forest} {
		wish := model.Training{Config: model.Config{Method: method, Seed: 42}, Now: time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)}
		var m *model.Model
		trained := inside(func() { m, err = model.Train(b.Context(), set, wish) })
		if err != nil {
			b.Fatal(err)
		}
		many := set.Subset(index)
		var answers []model.Answer
		runtime.GC()
		runtime.ReadMemStats(&before)
		u := best(3, func() usage {
			return inside(func() { answers, err = m.AnswerAll(b.Context(), many) })
		})
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		right := 0
		for i, a := range answers {
			if a.Guesses[0].Crop == many.Samples[i].Label {
				right++
			}
		}
		if right < cropSeries*9/10 {
			b.Errorf("%s: %d of %d series as labelled", method, right, cropSeries)
		}
		perMillion := (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / cropSeries // bytes a series = MB a million
		report(b, line{
			What: "crop of a series, " + method, Unit: "series", Ours: cropSeries / u[0].CPU.Seconds(),
			Note: fmt.Sprintf("a million in %.0f core-s, their answers %.0f MB; trained and validated on 1,218 fields in %.1f core-s",
				1e6/cropSeries*u[0].CPU.Seconds(), perMillion, trained.CPU.Seconds()),
		})
	}
	var read *sample.Set
	u := best(3, func() usage {
		return inside(func() {
			read, err = sample.Open(filepath.Join(realdata.Dir(b, "geo", "series"), "samples_modis_ndvi.csv"), sample.Options{})
		})
	})
	if err != nil {
		b.Fatal(err)
	}
	report(b, line{What: "reading samples from CSV", Unit: "rows", Ours: float64(read.Rows) / u[0].CPU.Seconds()})
}
