package report

import (
	"cmp"
	"context"
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
// facts, hazards with the pictures before and after, worth. lang is "zh-CN" or "en";
// any other reads Chinese.
func (m *Maker) HTML(ctx context.Context, w io.Writer, p geo.Plot, r geo.CropReport, lang string) error {
	words, lang, err := wordsOf(lang)
	if err != nil {
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
		"grades":  func() []int { return []int{1, 2, 3, 4, 5} },
		"crop":    func(code string) string { return m.cropName(code, lang, words) },
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{Lang: lang, Plot: p, R: r, Crop: words["unknown_crop"], Chart: chart(r, words), Portrait: strings.Join(portrait(r, words), words["between"])}
	if r.Crop != "" {
		v.Crop = m.cropName(r.Crop, lang, words)
	}
	if r.Declared != "" {
		v.Declared = m.cropName(r.Declared, lang, words)
	}
	for _, code := range strings.Split(r.Reason, ",") {
		if code != "" {
			v.Why = append(v.Why, cmp.Or(words["why."+code], code))
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
			switch k {
			case "crop":
				value = m.cropName(value, lang, words)
			case "vci_class":
				value = cmp.Or(words["vci."+value], value)
			}
			view.Facts = append(view.Facts, name+": "+value)
		}
		for _, c := range h.Candidates {
			view.Candidates = append(view.Candidates, cmp.Or(words["candidate."+c], c))
		}
		if view.Pictures[0], err = m.picture(ctx, h.Before, p.Polygon); err != nil {
			return err
		}
		if view.Pictures[1], err = m.picture(ctx, h.After, p.Polygon); err != nil {
			return err
		}
		v.Hazards = append(v.Hazards, view)
	}
	return tmpl.Execute(w, v)
}

// wordsOf gives the words of a language, and which one it is.
func wordsOf(lang string) (words map[string]string, is string, err error) {
	source, is := zhText, "zh-CN"
	if strings.HasPrefix(lang, "en") {
		source, is = enText, "en"
	}
	return words, is, json.Unmarshal(source, &words)
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
	Portrait string
}

type hazardView struct {
	geo.Hazard
	Facts      []string
	Candidates []string        // in words, over those of the hazard
	Pictures   [2]template.URL // before and after; "" where there is none
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
