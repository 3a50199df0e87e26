package growth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot/worth/growth"
)

// TestRealWeights foretells the last weighing of real animals that the curve has
// not seen. The bounds are what the best simple way does, and the target of 2.9 %.
func TestRealWeights(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	for _, c := range []struct {
		name  string
		files []string
		most  float64
	}{
		{"hanwoo", []string{"weight_hanwoo1.csv", "weight_hanwoo2.csv"}, 2.9},
		{"hanwoo 1", []string{"weight_hanwoo1.csv"}, 2.9},
		{"hanwoo 2", []string{"weight_hanwoo2.csv"}, 2.9},
		{"cows", []string{"weight_diggle_cow.csv"}, 3.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var h growth.Herd
			for _, name := range c.files {
				f, err := os.Open(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := h.Read(f, name, "month"); err != nil {
					t.Fatal(err)
				}
			}
			got, err := growth.Try(h.Animals(), 10)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d of %d animals, %d weighings: %.2f %%, median %.2f, rmse %.1f kg, coverage %.2f, dropped %d, peers %+v",
				got.Tested, got.Animals, got.Weighings, 100*got.MAPE, 100*got.Median, got.RMSE, got.Coverage, got.Implausible, got.Peers)
			for _, x := range got.Horizons {
				t.Logf("%+v", x)
			}
			if 100*got.MAPE > c.most || got.Coverage < 0.75 || got.MAPE > got.Peers.Scaled {
				t.Errorf("mean error %.2f %% with %.2f in the interval", 100*got.MAPE, got.Coverage)
			}
		})
	}
}
