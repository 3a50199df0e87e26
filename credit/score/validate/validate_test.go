package validate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/credit/score/validate"
)

// county is an invented table with groups, months and two kinds of people; the county
// changes its ways in the last months.
func county(t *testing.T) (*frame.Frame, frame.Outcome) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // an invented table must be repeatable
	var b strings.Builder
	b.WriteString("household,month,kind,mu,rain,default\n")
	for i := range 1200 {
		mu, kind := r.ExpFloat64()*20, "north"
		month := 1 + i/100
		if month > 9 {
			mu *= 3
		}
		p := 0.35 / (1 + mu/15)
		if r.IntN(3) == 0 {
			kind, p = "south", p*1.4
		}
		bad := 0
		if r.Float64() < p {
			bad = 1
		}
		fmt.Fprintf(&b, "h%d,2025-%02d-01,%s,%.1f,%d,%d\n", r.IntN(300), month, kind, mu, r.IntN(100), bad)
	}
	f, err := frame.Read(strings.NewReader(b.String()), "county.csv")
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Outcome("default", "")
	if err != nil {
		t.Fatal(err)
	}
	return f, out
}

func TestFiguresOfAValidation(t *testing.T) {
	t.Parallel()
	f, out := county(t)
	res, err := validate.Run(context.Background(), f, out, validate.Config{
		Train: train.Config{Method: train.Scorecard}, Folds: 4, Seed: 42, Group: "household", Segment: "kind", Protected: "kind",
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.FoldsOf != "group" || res.AUC < 0.6 || res.AUC > 0.8 || res.AUCLow >= res.AUC || res.AUCHigh <= res.AUC || res.Gini != 2*res.AUC-1 {
		t.Errorf("%s folds, AUC %v in %v to %v, Gini %v", res.FoldsOf, res.AUC, res.AUCLow, res.AUCHigh, res.Gini)
	}
	rows, bad := 0, 0
	for _, x := range res.Tenths {
		rows, bad = rows+x.Rows, bad+x.Bad
	}
	spans := 0
	for _, s := range res.Points {
		spans += s.Good + s.Bad
	}
	if rows != f.Rows || bad != res.Bad || spans != f.Rows || res.Tenths[0].Lift <= 1.2 {
		t.Errorf("%d rows and %d bad in tenths, %d in spans, first lift %v", rows, bad, spans, res.Tenths[0].Lift)
	}
	if len(res.Segments) != 2 || len(res.Protected) != 2 || max(res.Protected[0].Ratio, res.Protected[1].Ratio) != 1 || min(res.Protected[0].Gap, res.Protected[1].Gap) >= 0 {
		t.Errorf("segments %+v, groups %+v", res.Segments, res.Protected)
	}
	body, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"auc", "auc_sd", "ks", "ks_sd", "gini", "gini_sd", "brier", "brier_sd"} {
		if !strings.Contains(string(body), `"`+key+`":`) {
			t.Errorf("the figures have no %s", key)
		}
	}
}

func TestTimeShowsThatInputsMoved(t *testing.T) {
	t.Parallel()
	f, out := county(t)
	f, err := f.Drop("household")
	if err != nil {
		t.Fatal(err)
	}
	cfg := validate.Config{Train: train.Config{Method: train.Scorecard}, Folds: 3, Seed: 42, Time: "month"}
	late, err := validate.Run(context.Background(), f, out, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Time = ""
	if f, err = f.Drop("month"); err != nil {
		t.Fatal(err)
	}
	mixed, err := validate.Run(context.Background(), f, out, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if late.FoldsOf != "time" || late.PSI < 2*mixed.PSI || late.CSI[0].Column != "mu" {
		t.Errorf("PSI %.3f by time, %.3f mixed, first %+v", late.PSI, mixed.PSI, late.CSI[0])
	}
}

func TestUnknownCategoriesAreCounted(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("when,trade,x,bad\n")
	for i := range 400 {
		trade := []string{"tea", "rice"}[i%2]
		if i >= 360 {
			trade = "salt"
		}
		fmt.Fprintf(&b, "%d,%s,%d,%d\n", i/40, trade, i*7%50, i*7%50*3%7/5)
	}
	f, err := frame.Read(strings.NewReader(b.String()), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Outcome("bad", "")
	if err != nil {
		t.Fatal(err)
	}
	res, err := validate.Run(context.Background(), f, out, validate.Config{Train: train.Config{Method: train.Scorecard}, Folds: 1, Seed: 1, Time: "when"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Unknown) != 1 || res.Unknown[0].Column != "trade" || res.Unknown[0].Rows != 40 {
		t.Errorf("unknown %+v", res.Unknown)
	}
}

func TestWishesThatCannotBeMet(t *testing.T) {
	t.Parallel()
	f, out := county(t)
	for name, c := range map[string]struct {
		cfg  validate.Config
		want error
	}{
		"column":  {validate.Config{Folds: 5, Group: "village"}, frame.ErrColumn},
		"folds":   {validate.Config{Folds: 5000}, fold.ErrFolds},
		"approve": {validate.Config{Folds: 5, Approve: 2}, validate.ErrShare},
		"segment": {validate.Config{Folds: 5, Segment: "x"}, frame.ErrColumn},
	} {
		if _, err := validate.Run(context.Background(), f, out, c.cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
