package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
)

// file is a model of one input: the longer the term, the fewer points.
func file(version string) []byte {
	edge := func(v float64) *float64 { return &v }
	m, err := score.New(score.File{
		Format: score.Format, Name: "field", Version: version, Dimension: "owner", Method: "scorecard", Target: "bad", Bad: "1",
		Scale: score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 20}, Base: 540,
		Inputs: []score.Input{{Name: "term_months", Kind: score.Number, Bins: []score.Bin{
			{Below: edge(6), Points: 60, Rows: 400, Bad: 8}, {Below: edge(12), Points: 30, Rows: 400, Bad: 30}, {Points: 0, Rows: 190, Bad: 40}, {Missing: true, Points: 10, Rows: 10, Bad: 1},
		}}},
		Calibration: []score.Knot{{Points: 540, PD: 0.2}, {Points: 600, PD: 0.02}},
		Training:    &score.Training{Rows: 1000, Bad: 79, Data: "abc", Seed: 42, Figures: map[string]float64{"auc": 0.71}},
	})
	if err != nil {
		panic(err)
	}
	return m.Bytes()
}

// shelf is a store in memory for what monitoring needs.
type shelf struct {
	model.Store
	entry model.ScoreModel
	file  []byte
	seen  []model.Observation
}

func (s *shelf) Entries(context.Context, string, model.Filter) ([]model.ScoreModel, error) {
	if s.entry.Name == "" {
		return nil, nil
	}
	return []model.ScoreModel{s.entry}, nil
}

func (s *shelf) Add(_ context.Context, _ string, e model.ScoreModel, file []byte) error {
	s.entry, s.file = e, file
	return nil
}

func (s *shelf) File(context.Context, string, string, string) ([]byte, error) { return s.file, nil }

func (s *shelf) Observations(_ context.Context, _ string, _, _ time.Time, f func(model.Observation) error) error {
	for _, o := range s.seen {
		if err := f(o); err != nil {
			return err
		}
	}
	return nil
}

var today = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// decide makes n decisions of which each has the term that pick gives; a share of the
// loans of a year ago goes bad as the model says, times worse.
func (s *shelf) decide(tb testing.TB, n int, worse float64, pick func(r *rand.Rand) int) {
	tb.Helper()
	m, err := score.Read(s.file)
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var out score.Result
	for i := range n {
		term := pick(r)
		ev, err := json.Marshal(credit.Evidence{TermMonths: term})
		if err != nil {
			tb.Fatal(err)
		}
		m.Score([]score.Value{score.Num(float64(term))}, &out)
		o := model.Observation{
			DecisionID: fmt.Sprint(i), Evidence: ev, Product: []byte("{}"),
			Scores: []credit.Score{{Model: "other@1:00", Points: 1}, {Model: m.ID(), Points: out.Points, PD: out.PD}},
			Loan:   &model.Loan{DrawnOn: today.AddDate(-2, 0, 0)},
		}
		if r.Float64() < worse*out.PD {
			o.Loan.WorstOverdue, o.Loan.OverdueDays = 120, 120
		}
		s.seen = append(s.seen, o)
	}
}

func register(tb testing.TB, scores []int) (*model.Service, *shelf) {
	tb.Helper()
	s := &shelf{}
	svc := model.NewService(s, func() time.Time { return today }, func() string { return "id" })
	if _, err := svc.Add(tb.Context(), access.Actor{UserID: "ann", Name: "Ann", Tenant: "t"}, file("1"), model.New{Owner: "risk", Applicant: "farmer", Scores: scores}); err != nil {
		tb.Fatal(err)
	}
	return svc, s
}

func likeTraining(r *rand.Rand) int {
	return []int{3, 9, 24}[slices.Index([]bool{r.Float64() < 0.404, r.Float64() < 0.68, true}, true)]
}

func trainingScores() []int {
	r := rand.New(rand.NewPCG(9, 9))
	var out []int
	for range 2000 {
		out = append(out, map[int]int{3: 600, 9: 570, 24: 540}[likeTraining(r)])
	}
	return out
}

func TestMonitoringTellsDriftFromNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pick  func(*rand.Rand) int
		drift string
		warn  bool
	}{
		"as in training": {likeTraining, "stable", false},
		"longer terms":   {func(*rand.Rand) int { return 24 }, "major", true},
	} {
		svc, s := register(t, trainingScores())
		s.decide(t, 800, 1, c.pick)
		got, err := svc.Monitor(t.Context(), "t", "field", "1", today.AddDate(-1, 0, 0), today)
		if err != nil {
			t.Fatal(err)
		}
		if got.Decisions != 800 || got.Baseline != "training" || got.Drift != c.drift || slices.Contains(got.Warnings, "drift") != c.warn || slices.Contains(got.Warnings, "input_drift") != c.warn {
			t.Errorf("%s: %+v", name, got)
		}
		if len(got.Inputs) != 1 || got.Inputs[0].Input != "term_months" || (got.Inputs[0].CSI > 0.25) != c.warn {
			t.Errorf("%s: inputs %+v", name, got.Inputs)
		}
	}
}

func TestMonitoringTellsWhenThePredictionIsTooKind(t *testing.T) {
	t.Parallel()
	for worse, want := range map[float64]string{1: "", 2.5: "under_predicted", 0.2: "over_predicted"} {
		svc, s := register(t, trainingScores())
		s.decide(t, 1500, worse, likeTraining)
		got, err := svc.Monitor(t.Context(), "t", "field", "1", today.AddDate(-1, 0, 0), today)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []string{"under_predicted", "over_predicted"} {
			if slices.Contains(got.Warnings, w) != (w == want) {
				t.Errorf("%g times as bad: %v, predicted %.3f, went %.3f", worse, got.Warnings, *got.Predicted, *got.Rate)
			}
		}
		sum := model.PointsBand{}
		for _, b := range got.Bands {
			sum.Decisions, sum.Loans, sum.Bad, sum.Overdue = sum.Decisions+b.Decisions, sum.Loans+b.Loans, sum.Bad+b.Bad, sum.Overdue+b.Overdue
		}
		if sum.Decisions != 1500 || sum.Loans != got.Loans || sum.Bad != sum.Overdue || sum.Bad == 0 {
			t.Errorf("bands do not add up: %+v", sum)
		}
	}
}

func TestMonitoringWithoutTrainingScores(t *testing.T) {
	t.Parallel()
	svc, s := register(t, nil)
	s.decide(t, 90, 1, likeTraining)
	got, err := svc.Monitor(t.Context(), "t", "field", "1", today, today)
	if err != nil || got.ScorePSI != nil || got.Drift != "unknown" || got.Baseline != "none" || !slices.Contains(got.Warnings, "too_few") {
		t.Errorf("few: %+v %v", got, err)
	}
	s.decide(t, 410, 1, likeTraining)
	got, err = svc.Monitor(t.Context(), "t", "field", "1", today, today)
	if err != nil || got.ScorePSI == nil || got.Baseline != "first_decisions" || got.Drift != "stable" {
		t.Errorf("many: %+v %v", got, err)
	}
}

// A loan has its outcome when it is bad, closed or a year old.
func TestYoungLoansHaveNoOutcome(t *testing.T) {
	t.Parallel()
	svc, s := register(t, nil)
	s.decide(t, 4, 0, likeTraining)
	s.seen[0].Loan = &model.Loan{DrawnOn: today.AddDate(0, -3, 0), WorstOverdue: 40}
	s.seen[1].Loan = &model.Loan{DrawnOn: today.AddDate(0, -3, 0), WorstOverdue: 91}
	s.seen[2].Loan = &model.Loan{DrawnOn: today.AddDate(0, -3, 0), Closed: true}
	s.seen[3].Loan = nil
	got, err := svc.Monitor(t.Context(), "t", "field", "1", today, today)
	if err != nil || got.Decisions != 4 || got.Loans != 3 || got.Observed != 2 || *got.Rate != 0.5 || got.Bands[0].Ever30 != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

func ExamplePSI() {
	// The example of Siddiqi's Credit Risk Scorecards is of this kind: shares then, counts now.
	fmt.Printf("%.3f %.3f\n", model.PSI([]float64{0.25, 0.5, 0.25}, 1000, []int{250, 500, 250}), model.PSI([]float64{0.25, 0.5, 0.25}, 1000, []int{500, 400, 100}))
	// Output: 0.000 0.332
}

func TestNewReferenceCutsTenths(t *testing.T) {
	t.Parallel()
	var points []int
	for i := range 1000 {
		points = append(points, i)
	}
	r, err := model.NewReference(points)
	if err != nil || len(r.Edges) != 9 || r.Edges[0] != 100 || math.Abs(r.Shares[9]-0.1) > 1e-9 {
		t.Errorf("%+v %v", r, err)
	}
	r, err = model.NewReference(slices.Repeat([]int{7}, 200))
	if err != nil || len(r.Edges) != 0 || r.Shares[0] != 1 {
		t.Errorf("all the same: %+v %v", r, err)
	}
	if _, err := model.NewReference([]int{1, 2}); !errors.Is(err, fault.Invalid) {
		t.Errorf("two scores: %v", err)
	}
}

// The published example of Wilson's interval for 1 of 10.
func TestWilson(t *testing.T) {
	t.Parallel()
	low, high := model.Wilson(0.1, 10)
	if math.Abs(low-0.0179) > 5e-4 || math.Abs(high-0.4042) > 5e-4 {
		t.Errorf("%f %f", low, high)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	svc := model.NewService(&shelf{}, func() time.Time { return today }, nil)
	ok := model.New{Owner: "risk", Applicant: "firm"}
	for name, c := range map[string]struct {
		file []byte
		in   model.New
		want error
	}{
		"no model":      {[]byte("{}"), ok, score.ErrModel},
		"no owner":      {file("1"), model.New{Applicant: "firm"}, model.ErrField},
		"whose":         {file("1"), model.New{Owner: "x", Applicant: "dog"}, model.ErrField},
		"of what":       {file("1"), model.New{Owner: "x", Applicant: "firm", Dimension: "moon"}, model.ErrField},
		"too few score": {file("1"), model.New{Owner: "x", Applicant: "firm", Scores: []int{1}}, model.ErrScoresLow},
	} {
		if _, err := svc.Add(t.Context(), access.Actor{}, c.file, c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
