package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/train"
)

// borrowers is an invented table: debt and age of the firm speak for themselves, trade
// has a good and a bad kind, -9 is a code, and debt and trade act together.
func borrowers(rows int, seed uint64) (*frame.Frame, frame.Outcome) {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // an invented table must be repeatable
	f := &frame.Frame{Rows: rows}
	debt, years, noise := frame.Column{Name: "debt"}, frame.Column{Name: "years"}, frame.Column{Name: "noise"}
	trade := frame.Column{Name: "trade", Kind: frame.Category, Levels: []string{"coal", "rice", "tea"}}
	out := frame.Outcome{Column: "default", Value: "1"}
	for range rows {
		d, y, k := r.ExpFloat64()*50, float64(r.IntN(30)), int32(r.IntN(3)) //nolint:gosec // three trades
		logit := -1.6 + d/60 - y/12
		if k == 0 {
			logit += 0.8 + d/60
		}
		if r.IntN(10) == 0 {
			y, logit = -9, logit+1
		}
		if r.IntN(20) == 0 {
			d = math.NaN()
		}
		debt.Num, years.Num, noise.Num, trade.Code = append(debt.Num, d), append(years.Num, y), append(noise.Num, r.NormFloat64()), append(trade.Code, k)
		out.Bad = append(out.Bad, r.Float64() < 1/(1+math.Exp(-logit)))
	}
	f.Columns = []frame.Column{debt, years, noise, trade}
	return f, out
}

func fit(t *testing.T, f *frame.Frame, out frame.Outcome, cfg train.Config) *score.Model {
	t.Helper()
	m, err := train.Fit(context.Background(), f, out, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func scores(m *score.Model, f *frame.Frame) (pd []float64) {
	row := make([]score.Value, len(m.Inputs()))
	var res score.Result
	for r := range f.Rows {
		for i, n := range m.Inputs() {
			c, err := f.Column(n)
			if err != nil {
				panic(err)
			}
			row[i] = c.Value(r)
		}
		m.Score(row, &res)
		pd = append(pd, res.PD)
	}
	return pd
}

func TestModelsTellBadFromGood(t *testing.T) {
	t.Parallel()
	learn, out := borrowers(3000, 1)
	fresh, truth := borrowers(3000, 2)
	for method, least := range map[string]float64{train.Additive: 0.76, train.Scorecard: 0.75} {
		m := fit(t, learn, out, train.Config{Method: method})
		pd := scores(m, fresh)
		if auc := measure.AUC(pd, truth.Bad); auc < least {
			t.Errorf("%s: AUC %.4f on fresh rows", method, auc)
		}
		said, came := measure.Mean(pd), 0.0
		for _, b := range truth.Bad {
			if b {
				came += 1 / float64(len(pd))
			}
		}
		if math.Abs(said-came) > 0.02 {
			t.Errorf("%s: says %.3f on the whole, %.3f came true", method, said, came)
		}
		again := fit(t, learn, out, train.Config{Method: method})
		if !bytes.Equal(m.Bytes(), again.Bytes()) {
			t.Errorf("%s: the same rows gave another model", method)
		}
	}
}

func TestSpecialsAreNeverMixedWithAmounts(t *testing.T) {
	t.Parallel()
	f, out := borrowers(2000, 3)
	for _, method := range train.Methods() {
		in := fit(t, f, out, train.Config{Method: method}).File().Inputs[1]
		var special *score.Bin
		for i := range in.Bins {
			if slices.Equal(in.Bins[i].Special, []float64{-9}) {
				special = &in.Bins[i]
			}
		}
		if in.Name != "years" || special == nil || special.Rows == 0 || special.Points >= in.Bins[len(in.Bins)-4].Points {
			t.Errorf("%s: the code -9 of %s has no bin of its own with its own points: %+v", method, in.Name, special)
		}
	}
}

// More of what is declared better never lowers the points, whatever else a row says and
// however the data speak against it.
func TestDeclaredDirectionsHold(t *testing.T) {
	t.Parallel()
	f, out := borrowers(1500, 4)
	for _, method := range train.Methods() {
		m := fit(t, f, out, train.Config{Method: method, Monotone: map[string]int{"debt": -1, "years": 1, "noise": 1}})
		rapid.Check(t, func(t *rapid.T) {
			at := func(name string) score.Value {
				if rapid.IntRange(0, 4).Draw(t, name+" missing") == 0 {
					return score.Missing
				}
				return score.Num(rapid.Float64Range(0, 200).Draw(t, name))
			}
			row := []score.Value{at("debt"), at("years"), at("noise"), score.Text(rapid.SampledFrom([]string{"coal", "rice", "tea", "new"}).Draw(t, "trade"))}
			which := rapid.IntRange(0, 2).Draw(t, "which")
			a, b := rapid.Float64Range(0, 300).Draw(t, "a"), rapid.Float64Range(0, 300).Draw(t, "b")
			better, worse := max(a, b), min(a, b)
			if which == 0 {
				better, worse = worse, better
			}
			points := func(v float64) int {
				values := make([]score.Value, 0, 4)
				for i, name := range []string{"debt", "years", "noise", "trade"} {
					if slices.Contains(m.Inputs(), name) {
						if i == which {
							values = append(values, score.Num(v))
						} else {
							values = append(values, row[i])
						}
					}
				}
				var res score.Result
				m.Score(values, &res)
				return res.Points
			}
			if points(better) < points(worse) {
				t.Fatalf("%s: input %d at %v gives %d points, at %v %d", method, which, better, points(better), worse, points(worse))
			}
		})
	}
}

// thin is an invented table of eleven marks, high or low, and an amount: any two of them
// together say a little, none says anything alone but for the first.
func thin(rows int, seed uint64) (*frame.Frame, frame.Outcome) {
	const marks = 12
	truth := rand.New(rand.NewPCG(1, 3)) //nolint:gosec // an invented table must be repeatable
	var together [marks][marks]float64
	for i := range marks {
		for j := range i {
			together[i][j] = 0.12 * float64(2*truth.IntN(2)-1)
		}
	}
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // an invented table must be repeatable
	f := &frame.Frame{Rows: rows, Columns: make([]frame.Column, marks)}
	out := frame.Outcome{Column: "default", Value: "1"}
	for j := range f.Columns {
		f.Columns[j].Name = fmt.Sprintf("mark_%d", j)
	}
	for range rows {
		var x [marks]float64
		for j := range x {
			x[j] = float64(2*r.IntN(2) - 1)
		}
		x[marks-1] = r.NormFloat64()
		logit := -1 - 0.4*x[0]
		for i := range marks {
			f.Columns[i].Num = append(f.Columns[i].Num, x[i])
			for j := range i {
				logit += together[i][j] * x[i] * x[j]
			}
		}
		out.Bad = append(out.Bad, r.Float64() < 1/(1+math.Exp(-logit)))
	}
	return f, out
}

// What is spread thinly over all pairs is learnt from all of them, unless few are asked for.
func TestPairsThatSpeakOnlyTogether(t *testing.T) {
	t.Parallel()
	learn, out := thin(1500, 1)
	fresh, truth := thin(4000, 2)
	auc := map[int]float64{}
	for _, most := range []int{0, 20, -1} {
		m := fit(t, learn, out, train.Config{Pairs: most, Monotone: map[string]int{"mark_0": 1}})
		auc[most] = measure.AUC(scores(m, fresh), truth.Bad)
		if n := len(m.File().Pairs); most > 0 && n > most || most < 0 && n > 0 || most == 0 && n < 40 {
			t.Errorf("%d pairs, asked for %d", n, most)
		}
	}
	if auc[0] < auc[20]+0.01 || auc[20] < auc[-1] {
		t.Errorf("AUC %.4f with all pairs, %.4f with 20, %.4f with none", auc[0], auc[20], auc[-1])
	}
}

func TestColumnsThatCannotBeLearntFromAreSaid(t *testing.T) {
	t.Parallel()
	f, out := borrowers(400, 5)
	add := func(name string, of func(int) float64) {
		c := frame.Column{Name: name}
		for r := range f.Rows {
			c.Num = append(c.Num, of(r))
		}
		f.Columns = append(f.Columns, c)
	}
	add("always", func(int) float64 { return 7 })
	add("row", func(r int) float64 { return float64(r + 1) })
	add("charged_off", func(r int) float64 {
		if out.Bad[r] {
			return 100 + float64(r)
		}
		return math.NaN()
	})
	add("default_date_known", func(r int) float64 { return float64(r % 3) })
	m := fit(t, f, out, train.Config{})
	if got := fmt.Sprint(m.File().Training.LeftOut); !strings.HasPrefix(got, "[always row") {
		t.Errorf("left out %s", got)
	}
	notes := strings.Join(m.File().Notes, "\n")
	for _, want := range []string{"charged_off: looks like the outcome", "default_date_known: is named like the outcome"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q: %s", want, notes)
		}
	}
	if strings.Contains(notes, "debt") {
		t.Errorf("an honest column was warned of: %s", notes)
	}
}

func TestWishesThatCannotBeMet(t *testing.T) {
	t.Parallel()
	f, out := borrowers(200, 6)
	for name, c := range map[string]struct {
		cfg  train.Config
		want error
	}{
		"method":             {train.Config{Method: "magic"}, train.ErrMethod},
		"monotone of texts":  {train.Config{Monotone: map[string]int{"trade": 1}}, train.ErrMonotone},
		"monotone of nobody": {train.Config{Monotone: map[string]int{"x": 1}}, frame.ErrColumn},
	} {
		if _, err := train.Fit(context.Background(), f, out, c.cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	one := frame.Outcome{Bad: make([]bool, 200)}
	if _, err := train.Fit(context.Background(), f, one, train.Config{}); err == nil {
		t.Error("a model was made of one class")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := train.Fit(ctx, f, out, train.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled fit gave %v", err)
	}
}

func TestBaseRateMovesProbabilities(t *testing.T) {
	t.Parallel()
	f, out := borrowers(2000, 7)
	plain, moved := fit(t, f, out, train.Config{Method: train.Scorecard}), fit(t, f, out, train.Config{Method: train.Scorecard, BaseRate: 0.02})
	a := scores(plain, f)
	b := scores(moved, f)
	if measure.Mean(b) > 0.06 || math.Abs(measure.AUC(a, out.Bad)-measure.AUC(b, out.Bad)) > 1e-9 {
		t.Errorf("mean %.3f became %.3f, AUC %.4f %.4f", measure.Mean(a), measure.Mean(b), measure.AUC(a, out.Bad), measure.AUC(b, out.Bad))
	}
}

// A category of a thousand levels without meaning must not be learnt by heart.
func TestManyLevelsAreNotLearntByHeart(t *testing.T) {
	t.Parallel()
	f, out := borrowers(2000, 8)
	fresh, truth := borrowers(3000, 10)
	without := scores(fit(t, f, out, train.Config{}), fresh)
	r := rand.New(rand.NewPCG(9, 9)) //nolint:gosec // an invented table must be repeatable
	for _, to := range []*frame.Frame{f, fresh} {
		c := frame.Column{Name: "village", Kind: frame.Category}
		for l := range 1000 {
			c.Levels = append(c.Levels, fmt.Sprintf("v%04d", l))
		}
		for range to.Rows {
			c.Code = append(c.Code, int32(r.IntN(1000))) //nolint:gosec // a thousand villages
		}
		to.Columns = append(to.Columns, c)
	}
	with := scores(fit(t, f, out, train.Config{}), fresh)
	if a, b := measure.AUC(without, truth.Bad), measure.AUC(with, truth.Bad); b < a-0.005 {
		t.Errorf("AUC on fresh rows fell from %.4f to %.4f", a, b)
	}
}
