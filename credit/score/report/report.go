// Package report writes what is known of a model of default as one page of HTML that
// needs nothing else: its tables of points, and where it was validated the curves, the
// gains, the stability, the segments, the fairness and the warnings.
package report

import (
	"cmp"
	_ "embed" // the page and its words
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/train"
	"github.com/furrowcredit/furrow/credit/score/validate"
)

//go:embed page.html
var page string

//go:embed text/zh-CN.json
var chinese []byte

//go:embed text/en.json
var english []byte

// Languages are those of the page.
func Languages() []string { return []string{"zh-CN", "en"} }

// view is what the page shows.
type view struct {
	Lang                                string
	M                                   *score.File
	ID                                  string
	R                                   *validate.Result // nil for a model that was only fitted
	Inputs                              []inputView
	Pairs                               []pairView
	ROC, KS, Calibration, Gains, Points template.HTML
}

type inputView struct {
	score.Input
	Value float64 // information value of its bins
	Range int     // points between its best and worst bin
	Bins  []binView
}

type binView struct {
	score.Bin
	Text  string
	Share float64 // of the rows
	Rate  float64 // of bad ones
	Bar   template.HTML
}

type pairView struct {
	A, B    string
	Range   int // points between its best and worst cell
	Columns []string
	Lines   []pairLine
}

type pairLine struct {
	Text   string
	Points []int
}

// Write writes the page; lang is one of Languages, and any other reads Chinese.
func Write(w io.Writer, lang string, m *score.Model, r *validate.Result) error {
	body := chinese
	if lang == "en" {
		body = english
	} else {
		lang = "zh-CN"
	}
	var words map[string]string
	if err := json.Unmarshal(body, &words); err != nil {
		return err
	}
	say := func(key string) (string, error) {
		s, ok := words[key]
		if !ok {
			return "", fmt.Errorf("the page has no word for %q", key)
		}
		return s, nil
	}
	tmpl, err := template.New("page").Funcs(template.FuncMap{
		"t":       say,
		"f4":      func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) },
		"f3":      func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) },
		"percent": percent,
		"maybe": func(v *float64) string {
			if v == nil {
				return "–"
			}
			return strconv.FormatFloat(*v, 'f', 4, 64)
		},
		"bin": func(s string) string {
			switch s {
			case "?":
				return words["missing"]
			case "*":
				return words["other"]
			default:
				return s
			}
		},
		"why":    func(f train.Finding) (string, error) { return say("finding." + f.Why) },
		"psi":    func(v float64) (string, error) { return say(shiftWord(v)) },
		"method": func(s string) (string, error) { return say("method." + s) },
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{Lang: lang, M: m.File(), ID: m.ID(), R: r}
	for i := range v.M.Inputs {
		v.Inputs = append(v.Inputs, viewInput(&v.M.Inputs[i]))
	}
	for i := range v.M.Pairs {
		v.Pairs = append(v.Pairs, viewPair(v.M, &v.M.Pairs[i]))
	}
	slices.SortStableFunc(v.Pairs, func(a, b pairView) int { return cmp.Compare(b.Range, a.Range) })
	if r != nil {
		v.ROC, v.KS = rocChart(r.ROC, words), ksChart(r.ROC, words)
		v.Calibration, v.Gains = calibrationChart(r.Tenths, words), gainsChart(r.Tenths, words)
		v.Points = distributionChart(r.Points, words)
	}
	return tmpl.Execute(w, v)
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// shiftWord is the usual reading of a stability index.
func shiftWord(v float64) string {
	switch {
	case v < 0.1:
		return "shift.none"
	case v < 0.25:
		return "shift.some"
	default:
		return "shift.much"
	}
}

func viewInput(in *score.Input) inputView {
	v := inputView{Input: *in}
	rows, lo, hi := 0, in.Bins[0].Points, in.Bins[0].Points
	good, bad := 0.0, 0.0
	for _, b := range in.Bins {
		rows += b.Rows
		lo, hi = min(lo, b.Points), max(hi, b.Points)
		good += float64(b.Rows - b.Bad)
		bad += float64(b.Bad)
	}
	v.Range = hi - lo
	for i, b := range in.Bins {
		bv := binView{Bin: b, Text: in.Text(i)}
		if rows > 0 {
			bv.Share = float64(b.Rows) / float64(rows)
		}
		if b.Rows > 0 {
			bv.Rate = float64(b.Bad) / float64(b.Rows)
			v.Value += (float64(b.Rows-b.Bad)/max(good, 1) - float64(b.Bad)/max(bad, 1)) * b.WOE
		}
		bv.Bar = bar(b.Points, lo, hi)
		v.Bins = append(v.Bins, bv)
	}
	return v
}

func viewPair(f *score.File, p *score.Pair) pairView {
	a, b := &f.Inputs[p.A], &f.Inputs[p.B]
	v := pairView{A: a.Name, B: b.Name}
	for c := range p.Points[0] {
		v.Columns = append(v.Columns, groupText(b, p.GroupB, c))
	}
	lo, hi := p.Points[0][0], p.Points[0][0]
	for r, line := range p.Points {
		lo, hi = min(lo, slices.Min(line)), max(hi, slices.Max(line))
		v.Lines = append(v.Lines, pairLine{groupText(a, p.GroupA, r), line})
	}
	v.Range = hi - lo
	return v
}

// groupText is the bins of a group in words: runs of intervals are told by their ends.
func groupText(in *score.Input, groups []int, g int) string {
	out := ""
	for i := 0; i < len(groups); i++ {
		if groups[i] != g {
			continue
		}
		if out != "" {
			out += " | "
		}
		to := i
		for to+1 < len(groups) && groups[to+1] == g && in.Interval(i) && in.Interval(to+1) {
			to++
		}
		out += in.Run(i, to)
		i = to
	}
	if out == "" {
		return "–"
	}
	return out
}
