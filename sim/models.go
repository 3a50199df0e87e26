package sim

import (
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/money"
)

// pastLoans is how many loans of earlier years each model of the demo is trained on, and
// on how many more it is measured. Nothing of them is real.
const pastLoans = 2000

// trait is one feature of the borrowers of earlier years: how it is spread, how much one
// unit of it adds to the log odds of default, and how often nobody knew it.
type trait struct {
	name    string
	draw    func(r *rand.Rand) float64
	risk    float64
	unknown float64
}

// habits are the kinds of borrowers whose past is invented, with the log odds of a
// borrower of whom all is zero.
var habits = []struct {
	model  string // as the shipped policies ask for it; the kind of applicant too
	name   string // who answers for it
	base   float64
	traits []trait
}{
	{"farmer", "信贷管理部", 1.2, append([]trait{
		{"vigour", bell(1, 0.12), -4, 0}, {"confidence", between(0.6, 1), -1.5, 0},
		{"flood", seldom(0.06, 0.4), 3, 0}, {"drought", seldom(0.06, 0.5), 2, 0}, {"area_off", seldom(0.5, 0.04), 3, 0},
	}, person...)},
	{"herder", "信贷管理部", -0.6, append([]trait{
		{"verified_share", between(0.6, 1), -5, 0}, {"sick_share", seldom(0.4, 0.04), 15, 0}, {"heard_age", whole(seldom(0.3, 3)), 0.25, 0},
	}, person...)},
	{"firm", "公司业务部", -1.9, append([]trait{
		{"proven", between(0.3, 1), -4, 0}, {"active_months", whole(between(6, 13)), -0.1, 0}, {"sales_variation", between(0.1, 1), 1.5, 0},
		{"buyer_hhi", between(0.05, 1), 0.8, 0}, {"payment_days", between(20, 120), 0.01, 0.2}, {"void_share", seldom(0.5, 0.02), 6, 0},
		{"sales_growth", bell(0.05, 0.25), -1, 0.1},
	}, person...)},
}

// person is what is known of whoever asks.
var person = []trait{
	{"worst_overdue", whole(seldom(0.12, 25)), 0.03, 0},
	{"overdue_months", whole(seldom(0.2, 2)), 0.3, 0.6},
	{"bureau_overdue", whole(seldom(0.15, 20)), 0.02, 0.6},
	{"queries_6m", whole(seldom(0.6, 2)), 0.12, 0.6},
}

func between(low, high float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return low + (high-low)*r.Float64() }
}

func bell(mean, sd float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return mean + sd*r.NormFloat64() }
}

// seldom is zero but for a share, and then of a mean.
func seldom(share, mean float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 {
		if r.Float64() >= share {
			return 0
		}
		return mean * r.ExpFloat64()
	}
}

func whole(draw func(*rand.Rand) float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return math.Floor(draw(r)) }
}

// history invents loans with their outcome.
func history(base float64, traits []trait, rows int, r *rand.Rand) (*frame.Frame, frame.Outcome) {
	f, out := &frame.Frame{Rows: rows}, frame.Outcome{Column: "bad", Value: "1"}
	for _, t := range traits {
		f.Columns = append(f.Columns, frame.Column{Name: t.name})
	}
	for range rows {
		odds := base
		for i, t := range traits {
			v := t.draw(r)
			odds += t.risk * v
			if r.Float64() < t.unknown {
				v = math.NaN()
			}
			f.Columns[i].Num = append(f.Columns[i].Num, math.Round(v*1e4)/1e4)
		}
		out.Bad = append(out.Bad, r.Float64() < 1/(1+math.Exp(-odds)))
	}
	return f, out
}

// trained is a model of the invented past, with the points of its training rows.
type trained struct {
	applicant, owner string
	file             []byte
	scores           string // CSV
	version          string
}

// trainPast makes the model of one kind of borrower, and measures it on loans of its own.
func trainPast(ctx context.Context, kind int, today money.Date) (trained, error) {
	h := habits[kind]
	r := rand.New(rand.NewPCG(Seed, uint64(kind))) //nolint:gosec // the county is the same each time
	f, out := history(h.base, h.traits, pastLoans, r)
	fresh, truth := history(h.base, h.traits, pastLoans, r)
	directions := map[string]int{}
	for _, t := range h.traits {
		if ft, ok := feature.Find(t.name); ok && ft.Direction != 0 {
			directions[t.name] = ft.Direction
		}
	}
	m, err := train.Fit(ctx, f, out, train.Config{
		Name: h.model, Version: "demo-1", Dimension: "whole", Seed: Seed, Monotone: directions, Pairs: -1,
		From: today.AddMonths(-48).String(), To: today.AddMonths(-12).String(),
	})
	if err != nil {
		return trained{}, err
	}
	file := *m.File()
	record := *file.Training
	_, pd := pointsOf(m, fresh)
	record.Figures = map[string]float64{"auc": math.Round(measure.AUC(pd, truth.Bad)*1e4) / 1e4}
	file.Training = &record
	file.Notes = append(slices.Clone(file.Notes), "simulated: every loan that it was trained on is invented for the demo")
	if m, err = score.New(file); err != nil {
		return trained{}, err
	}
	points, _ := pointsOf(m, f)
	var text strings.Builder
	w := csv.NewWriter(&text)
	lines := [][]string{{"points"}}
	for _, p := range points {
		lines = append(lines, []string{strconv.Itoa(p)})
	}
	err = w.WriteAll(lines)
	return trained{applicant: h.model, owner: h.name, file: m.Bytes(), scores: text.String(), version: file.Version}, err
}

// pointsOf scores all rows of a table.
func pointsOf(m *score.Model, f *frame.Frame) (points []int, pd []float64) {
	at := make([]*frame.Column, 0, len(f.Columns))
	for _, name := range m.Inputs() {
		i := slices.IndexFunc(f.Columns, func(c frame.Column) bool { return c.Name == name })
		at = append(at, &f.Columns[i])
	}
	row := make([]score.Value, len(at))
	var res score.Result
	for r := range f.Rows {
		for i, c := range at {
			row[i] = c.Value(r)
		}
		m.Score(row, &res)
		points, pd = append(points, res.Points), append(pd, res.PD)
	}
	return points, pd
}

// models trains a model for each kind of borrower on an invented past; the first officer
// puts it into the register, the second looks at it and puts it in use.
func (s *settler) models(ctx context.Context) error {
	today := money.DateOf(s.Clock.Now())
	made := make([]trained, len(habits))
	g, fitting := errgroup.WithContext(ctx)
	for i := range habits {
		g.Go(func() (err error) {
			made[i], err = trainPast(fitting, i, today)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	first, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	for i, m := range made {
		fields := map[string]string{
			"owner": m.owner, "applicant": m.applicant, "scores": m.scores, "made_by": "演示模拟器（样本为模拟数据）", "made_at": today.String(),
			"folds": strconv.Itoa(pastLoans) + " 笔另行模拟的贷款",
		}
		if err := first.upload(ctx, "/officer/models", fields, m.applicant+".json", m.file, nil); err != nil {
			return err
		}
		path := modelPath(m.applicant, m.version)
		if err := first.post(ctx, path+"/submit", nil, nil); err != nil {
			return err
		}
		if err := s.lookAt(ctx, path, "核对了样本来源、分箱表和方向，区分能力尚可；样本为模拟数据，仅供演示"); err != nil {
			return err
		}
		second, err := s.as(ctx, secondLogin)
		if err != nil {
			return err
		}
		if err := second.post(ctx, path+"/publish", nil, nil); err != nil {
			return err
		}
		s.Progress("models", i+1, len(made))
	}
	return nil
}

func modelPath(name, version string) string { return "/officer/models/" + name + "/" + version }

// lookAt has the second officer approve a version.
func (s *settler) lookAt(ctx context.Context, path, note string) error {
	second, err := s.as(ctx, secondLogin)
	if err != nil {
		return err
	}
	return second.post(ctx, path+"/review", map[string]any{"verdict": model.Approve, "note": note}, nil)
}

// lookAgain reviews the models in use after half a year, all but the last: that one is late.
func (s *settler) lookAgain(ctx context.Context) error {
	for _, h := range habits[:len(habits)-1] {
		if err := s.lookAt(ctx, modelPath(h.model, "demo-1"), "复核了近半年的评分分布与逾期，继续使用"); err != nil {
			return err
		}
	}
	return nil
}
