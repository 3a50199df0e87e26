package crop_test

import (
	"testing"

	"github.com/furrowcredit/furrow/geo/crop"
)

// What it costs to tell the crop of one plot with 14 months of looks.
func BenchmarkClassify(b *testing.B) {
	c := builtin(b)
	from, to := date("2025-10-15"), date("2026-11-10")
	sights := field{base: 0.2, rises: []rise{wheat, maize}}.sights(from, to, 9)
	b.ReportAllocs()
	for b.Loop() {
		c.Classify(crop.Evidence{Region: "huanghuai", County: "410725", Start: from, End: to, Sights: sights})
	}
}
