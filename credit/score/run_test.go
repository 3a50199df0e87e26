package score_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/score"
)

func below(f float64) *float64 { return &f }

// little is a model that a person can add up in the head.
func little() score.File {
	return score.File{
		Format: score.Format, Name: "little", Version: "1", Dimension: "firm", Method: "scorecard", Target: "default", Bad: "1",
		Scale: score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 50}, Base: 500, BaseSE: 0.1,
		Inputs: []score.Input{
			{Name: "years", Kind: score.Number, Monotone: 1, Bins: []score.Bin{
				{Below: below(2), Points: -30}, {Below: below(5), Points: 0}, {Points: 25},
				{Special: []float64{-9}, Points: -10}, {Missing: true, Points: -20, SE: 0.3},
			}},
			{Name: "trade", Kind: score.Category, Bins: []score.Bin{
				{Values: []string{"rice", "tea"}, Points: 10}, {Values: []string{"1"}, Points: -5}, {Other: true, Points: -15, SE: 0.3}, {Missing: true, Points: -12},
			}},
		},
		Pairs:       []score.Pair{{A: 0, B: 1, GroupA: []int{0, 1, 1, 0, 0}, GroupB: []int{0, 1, 1, 1}, Points: [][]int{{-4, 0}, {6, 0}}}},
		Calibration: []score.Knot{{Points: 460, PD: 0.5}, {Points: 500, PD: 0.2}, {Points: 560, PD: 0.02}},
	}
}

func TestRowsAreAddedUp(t *testing.T) {
	t.Parallel()
	m, err := score.New(little())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		row    []score.Value
		points int
		first  string
	}{
		{"best", []score.Value{score.Num(5), score.Text("tea")}, 541, "years"},
		{"just below an edge", []score.Value{score.Num(1.999), score.Text("rice")}, 476, "years"},
		{"special", []score.Value{score.Num(-9), score.Text("rice")}, 496, "years"},
		{"missing and unknown", []score.Value{score.Missing, score.Text("coal")}, 465, "years"},
		{"a number as text", []score.Value{score.Text("7"), score.Num(1)}, 520, "trade"},
		{"no text for a number", []score.Value{score.Text("many"), score.Missing}, 468, "years"},
		{"a short row", nil, 468, "years"},
	} {
		var out score.Result
		m.Score(c.row, &out)
		if out.Points != c.points || m.Inputs()[out.Parts[0].Input] != c.first {
			t.Errorf("%s: %d points, first reason %s, want %d, %s", c.name, out.Points, m.Inputs()[out.Parts[0].Input], c.points, c.first)
		}
		if !(out.Low < out.PD && out.PD < out.High) {
			t.Errorf("%s: pd %v is not inside %v to %v", c.name, out.PD, out.Low, out.High)
		}
	}
}
