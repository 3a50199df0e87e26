package score

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/credit/score/bin"
	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/credit/score/validate"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// TestBlackBox sets the readable models beside gradient-boosted trees, bags of five, by
// the same folds. The table of 30,000 rows takes minutes and is asked for with
// FURROW_BENCH_SCORE=all.
func TestBlackBox(t *testing.T) {
	if testing.Short() {
		t.Skip("trains hundreds of trees")
	}
	dir := realdata.Dir(t, "credit")
	for _, c := range []struct {
		file, target string
		drop         []string
		rate         float64
		depth        int
		behind       float64 // how far the readable model may be behind
		long         bool
	}{
		{file: "german_credit_statlog.csv", target: "creditability", rate: 0.03, depth: 5, behind: 0.004},
		{file: "taiwan_default_uci.csv.gz", target: "Default", drop: []string{"ID"}, rate: 0.06, depth: 4, behind: 0.004, long: true},
	} {
		t.Run(c.file, func(t *testing.T) {
			if c.long && os.Getenv("FURROW_BENCH_SCORE") != "all" {
				t.Skip("FURROW_BENCH_SCORE=all asks for it")
			}
			f, err := frame.Open(filepath.Join(dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			if f, err = f.Drop(c.drop...); err != nil {
				t.Fatal(err)
			}
			out, err := f.Outcome(c.target, "")
			if err != nil {
				t.Fatal(err)
			}
			readable := map[string]float64{}
			for _, method := range train.Methods() {
				res, err := validate.Run(context.Background(), f, out, validate.Config{Train: train.Config{Method: method}, Folds: 5, Seed: 42})
				if err != nil {
					t.Fatal(err)
				}
				readable[method] = res.AUC
			}
			if f, err = f.Drop(c.target); err != nil {
				t.Fatal(err)
			}
			black := blackBox(t, f, out.Bad, boosting{
				rate: c.rate, depth: c.depth, l2: 5, least: 2, rowShare: 0.6, colShare: 0.3, rounds: 1500, patience: 40,
			})
			t.Logf("black box %.4f, additive %.4f, scorecard %.4f", black, readable[train.Additive], readable[train.Scorecard])
			if black-readable[train.Additive] > c.behind {
				t.Errorf("the readable model is %.4f behind", black-readable[train.Additive])
			}
		})
	}
}

// blackBox is the mean AUC of bagged trees over five folds of seed 42.
func blackBox(t *testing.T, f *frame.Frame, bad []bool, b boosting) float64 {
	t.Helper()
	folds, err := fold.Stratified(bad, 5, 42)
	if err != nil {
		t.Fatal(err)
	}
	var aucs []float64
	for _, part := range folds {
		cut := &table{bad: bad}
		learn := f.Take(part.Train)
		for i := range learn.Columns {
			opt := bin.Fine{Bins: 32, MinRows: max(5, len(part.Train)/200)}
			s := bin.Numbers(&learn.Columns[i], opt)
			if learn.Columns[i].Kind == frame.Category {
				opt.Bins = 64
				s = bin.Levels(&learn.Columns[i], opt)
			}
			cut.codes, cut.bins, cut.ordered = append(cut.codes, s.Codes(&f.Columns[i])), append(cut.bins, s.Len()), append(cut.ordered, s.Ordered())
		}
		var known, truth []bool
		for _, r := range part.Train {
			known = append(known, bad[r])
		}
		for _, r := range part.Test {
			truth = append(truth, bad[r])
		}
		inner, err := fold.Stratified(known, 5, 42)
		if err != nil {
			t.Fatal(err)
		}
		risk := make([]float64, len(part.Test))
		for k, in := range inner {
			b.seed = uint64(k) //nolint:gosec // five bags
			m := b.fit(cut, through(part.Train, in.Train), through(part.Train, in.Test))
			for i, r := range part.Test {
				risk[i] += m.logit(cut, r) / 5
			}
		}
		aucs = append(aucs, measure.AUC(risk, truth))
	}
	return measure.Mean(aucs)
}

func through(rows, places []int) []int {
	out := make([]int, len(places))
	for i, p := range places {
		out[i] = rows[p]
	}
	return out
}
