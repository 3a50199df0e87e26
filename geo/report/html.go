package report

import (
	_ "embed" // the page and its words
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

//go:embed page.html
var page string

//go:embed text/zh-CN.json
var zhText []byte

//go:embed text/en.json
var enText []byte

// HTML writes the report of a plot as one page that needs nothing else: curve,
// facts, hazards, worth. lang is "zh-CN" or "en"; any other reads Chinese.
func (m *Maker) HTML(w io.Writer, p geo.Plot, r geo.CropReport, lang string) error {
	source := zhText
	if strings.HasPrefix(lang, "en") {
		source, lang = enText, "en"
	} else {
		lang = "zh-CN"
	}
	words := map[string]string{}
	if err := json.Unmarshal(source, &words); err != nil {
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
		"date":    dateText,
		"percent": func(v float64) string { return fmt.Sprintf("%.0f %%", v*100) },
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{Lang: lang, Plot: p, R: r, Crop: words["unknown_crop"], Chart: chart(r, words)}
	if r.Crop != "" {
		v.Crop = m.cropName(r.Crop, lang, words)
	}
	if r.Declared != "" {
		v.Declared = m.cropName(r.Declared, lang, words)
	}
	for _, code := range strings.Split(r.Reason, ",") {
		if s := words["why."+code]; s != "" {
			v.Why = append(v.Why, s)
		} else if code != "" {
			v.Why = append(v.Why, code)
		}
	}
	for _, g := range r.Guesses {
		v.Guesses = append(v.Guesses, fmt.Sprintf("%s %.0f %%", m.cropName(g.Crop, lang, words), g.Probability*100))
	}
	for _, h := range r.Hazards {
		view := hazardView{Hazard: h}
		for _, k := range slices.Sorted(maps.Keys(h.Evidence)) {
			name, value := words["evidence."+k], h.Evidence[k]
			if name == "" {
				name = k
			}
			if k == "crop" {
				value = m.cropName(value, lang, words)
			}
			view.Facts = append(view.Facts, name+": "+value)
		}
		v.Hazards = append(v.Hazards, view)
	}
	return tmpl.Execute(w, v)
}

type view struct {
	Lang     string
	Plot     geo.Plot
	R        geo.CropReport
	Crop     string
	Declared string
	Why      []string
	Guesses  []string
	Hazards  []hazardView
	Chart    template.HTML
}

type hazardView struct {
	geo.Hazard
	Facts []string
}

func (m *Maker) cropName(code, lang string, words map[string]string) string {
	if code == "fallow" {
		return words["fallow"]
	}
	return m.crops.Name(code, lang)
}

// dateText gives the calendar date of a moment, or of a pointer to one.
func dateText(v any) string {
	switch t := v.(type) {
	case time.Time:
		return t.Format(time.DateOnly)
	case *time.Time:
		return t.Format(time.DateOnly)
	}
	return ""
}

// The chart's frame in its own units.
const (
	chartW, chartH        = 960.0, 300.0
	left, right, top, low = 40.0, 10.0, 12.0, 40.0
	ndviMin, ndviMax      = -0.2, 1.0
)

// chart draws the curve as SVG: a line where it is trusted, nothing in gaps,
// observations as dots, lost ones as ticks on the axis, hazards as bands.
func chart(r geo.CropReport, words map[string]string) template.HTML {
	if len(r.Observations) == 0 || !r.Season.End.After(r.Season.Start) {
		return ""
	}
	span := r.Season.End.Sub(r.Season.Start).Hours()
	x := func(t time.Time) float64 {
		return left + (chartW-left-right)*max(0, min(1, t.Sub(r.Season.Start).Hours()/span))
	}
	y := func(v float64) float64 {
		return top + (chartH-top-low)*(ndviMax-max(ndviMin, min(ndviMax, v)))/(ndviMax-ndviMin)
	}
	var b strings.Builder
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	esc := template.HTMLEscapeString
	put(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, chartW, chartH, esc(words["curve"]))
	for _, h := range r.Hazards {
		a, z := x(h.Start), x(h.End)
		put(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#e8b27a" fill-opacity=".35"><title>%s</title></rect>`, a, top, max(z-a, 3), chartH-top-low, esc(words["hazard."+string(h.Kind)]))
	}
	for _, v := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
		put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#d9e0da"/><text x="%.1f" y="%.1f" text-anchor="end">%.1f</text>`, left, chartW-right, y(v), y(v), left-6, y(v)+4, v)
	}
	months := int(span/24/30) + 1
	every := max(1, (months+13)/14)
	for t := time.Date(r.Season.Start.Year(), r.Season.Start.Month()+1, 1, 0, 0, 0, 0, time.UTC); t.Before(r.Season.End); t = t.AddDate(0, every, 0) {
		put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#d9e0da"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(t), x(t), chartH-low, chartH-low+5, x(t), chartH-low+18, t.Format("06-01"))
	}
	pen := false
	var path strings.Builder
	for i, p := range r.Curve {
		if p.InGap {
			if !pen && i > 0 && r.Curve[i-1].InGap {
				put(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#eef1ee"><title>%s</title></rect>`, x(r.Curve[i-1].Date), top, x(p.Date)-x(r.Curve[i-1].Date)+0.3, chartH-top-low, esc(words["gap"]))
			}
			pen = false
			continue
		}
		move := "L"
		if !pen {
			move = "M"
		}
		pen = true
		_, _ = fmt.Fprintf(&path, "%s%.1f %.1f", move, x(p.Date), y(p.NDVI))
	}
	put(`<path d="%s" fill="none" stroke="#2f7d3b" stroke-width="2"/>`, path.String())
	for _, o := range r.Observations {
		if o.Valid {
			put(`<circle cx="%.1f" cy="%.1f" r="3.2" fill="#fff" stroke="#2f7d3b"><title>%s %.2f</title></circle>`, x(o.Date), y(o.NDVI), o.Date.Format(time.DateOnly), o.NDVI)
		} else {
			put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#9aa59d" stroke-width="2"><title>%s %s</title></line>`, x(o.Date), x(o.Date), chartH-low-7, chartH-low, o.Date.Format(time.DateOnly), esc(o.Reason))
		}
	}
	put(`<circle cx="%.0f" cy="%.0f" r="3.2" fill="#fff" stroke="#2f7d3b"/><text x="%.0f" y="%.0f">%s</text>`, left, chartH-6, left+8, chartH-2, esc(words["observation"]))
	put(`<line x1="%.0f" x2="%.0f" y1="%.0f" y2="%.0f" stroke="#9aa59d" stroke-width="2"/><text x="%.0f" y="%.0f">%s</text>`, left+160, left+160, chartH-12, chartH-3, left+168, chartH-2, esc(words["lost"]))
	put(`<rect x="%.0f" y="%.0f" width="12" height="10" fill="#e1e6e1"/><text x="%.0f" y="%.0f">%s</text></svg>`, left+320, chartH-12, left+338, chartH-2, esc(words["gap"]))
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped above
}
