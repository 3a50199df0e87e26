package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/report"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/credit/score/validate"
)

var update = flag.Bool("update", false, "write the golden pages")

func model(t *testing.T) *score.Model {
	t.Helper()
	below := func(f float64) *float64 { return &f }
	m, err := score.New(score.File{
		Format: score.Format, Name: "firm", Version: "2", Dimension: "firm", Method: train.Additive, Target: "default", Bad: "<1>",
		Scale: score.Scale{PDO: 40, BasePoints: 600, BaseOdds: 30}, Base: 520, Notes: []string{"lates: looks like the outcome"},
		Inputs: []score.Input{
			{Name: "years", Kind: score.Number, Monotone: 1, Bins: []score.Bin{
				{Below: below(2), Points: -30, Rows: 40, Bad: 12, WOE: -0.7}, {Below: below(6), Points: 5, Rows: 50, Bad: 5, WOE: 0.4},
				{Points: 20, Rows: 60, Bad: 3, WOE: 1.1}, {Special: []float64{-9}, Rows: 4, Bad: 2, Points: -12}, {Missing: true, Points: -3},
			}},
			{Name: "<script>", Kind: score.Category, Bins: []score.Bin{{Values: []string{"茶", "rice"}, Points: 8, Rows: 90, Bad: 8}, {Other: true, Rows: 64, Bad: 14, Points: -9}, {Missing: true}}},
		},
		Pairs:       []score.Pair{{A: 0, B: 1, GroupA: []int{0, 1, 1, 0, 0}, GroupB: []int{0, 1, 1}, Points: [][]int{{-4, 2}, {3, -1}}}},
		Calibration: []score.Knot{{Points: 400, PD: 0.4}, {Points: 620, PD: 0.02}},
		Training:    &score.Training{Rows: 154, Bad: 22, Data: "00ff", Seed: 42, From: "2024-01-01", To: "2025-12-31"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func figures() *validate.Result {
	auc := 0.7
	res := &validate.Result{
		Method: train.Additive, Rows: 154, Bad: 22, FoldsOf: "time", Folds: 2, Repeats: 1, Seed: 42, AUC: 0.75, AUCSD: 0.02, AUCLow: 0.7, AUCHigh: 0.8,
		KS: 0.4, Gini: 0.5, Brier: 0.1, TrainAUC: 0.8, PSI: 0.3, ECE: 0.01, Approve: 0.8, Segment: "trade", ProtectedC: "sex",
		Findings: validate.Findings{Left: []train.Finding{{Column: "row", Why: train.ID}}, Warn: []train.Finding{{Column: "lates", Why: train.Leak, AUC: 0.991}}},
		Unknown:  []validate.Unknown{{Column: "trade", Rows: 16, Share: 0.1}},
		PerFold:  []validate.FoldFigures{{Train: 77, Test: 77, AUC: 0.74}, {Train: 100, Test: 54, AUC: 0.76}},
		ROC:      []measure.Point{{}, {False: 0.2, True: 0.6, Risk: 0.3}, {False: 1, True: 1, Risk: 0.01}},
		Points:   []validate.Span{{From: 400, To: 450, Good: 20, Bad: 12}, {From: 450, To: 500, Good: 112, Bad: 10}},
		CSI:      []validate.Shift{{Column: "years", CSI: 0.12}},
		Segments: []validate.Part{{Value: "茶", Rows: 90, Bad: 8, AUC: &auc, Said: 0.1, Rate: 0.09}, {Value: "?", Rows: 2}},
		Protected: []validate.Fair{
			{Part: validate.Part{Value: "1", Rows: 80, AUC: &auc}, Approved: 0.9, Ratio: 1, GoodIn: 0.9},
			{Part: validate.Part{Value: "2", Rows: 74, AUC: &auc}, Approved: 0.6, Ratio: 0.67, GoodIn: 0.7, Gap: -0.2},
		},
	}
	for k := range 10 {
		res.Tenths = append(res.Tenths, validate.Tenth{Rows: 15, Bad: 5 - k/2, Said: 0.3 - 0.03*float64(k), Rate: 0.31 - 0.03*float64(k), Low: 0.01, High: 0.5, CumRows: float64(k+1) / 10, CumBad: 1 - float64(9-k)*float64(9-k)/100, Lift: 1.5})
	}
	return res
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, lang := range report.Languages() {
		var b bytes.Buffer
		if err := report.Write(&b, lang, model(t), figures()); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "page."+lang+".html")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, b.Bytes()) {
			t.Errorf("the %s page has changed; look at it, then run with -update", lang)
		}
		page := b.String()
		for _, bad := range []string{"<script", "http://", "https://", "NaN", "%!", "&lt;nil"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page holds %q", lang, bad)
			}
		}
	}
}

// The charts are well formed, and a model that was only fitted has a page too.
func TestPageOfAFittedModel(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.Write(&b, "en", model(t), nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "lates: looks like the outcome") || strings.Contains(b.String(), "ROC") {
		t.Error("the page of a fitted model lacks its warnings, or shows curves")
	}
	b.Reset()
	if err := report.Write(&b, "zh-CN", model(t), figures()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for at := strings.Index(page, "<svg"); at >= 0; at = strings.Index(page, "<svg") {
		end := strings.Index(page, "</svg>") + len("</svg>")
		d := xml.NewDecoder(strings.NewReader(page[at:end]))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a chart is not well formed: %v", err)
			}
		}
		page = page[end:]
	}
}
