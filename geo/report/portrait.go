package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

// Portrait tells in sentences what became of the crop: sown when, fullest when, how
// it stands today, beside its neighbours and its own past. lang is as for [Maker.HTML].
func Portrait(r geo.CropReport, lang string) ([]string, error) {
	words, _, err := wordsOf(lang)
	if err != nil {
		return nil, err
	}
	return portrait(r, words), nil
}

func portrait(r geo.CropReport, words map[string]string) []string {
	var out []string
	say := func(key string, pairs ...string) {
		out = append(out, strings.NewReplacer(pairs...).Replace(words["portrait."+key]))
	}
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	span := func(key string, d *geo.DateRange) {
		if d != nil {
			say(key, "{date}", day(d.Date), "{from}", day(d.From), "{to}", day(d.To))
		}
	}
	p := r.Phenology
	switch {
	case p.Sown != nil:
		span("sown", p.Sown)
	case p.Start != nil:
		say("start", "{date}", day(*p.Start))
	}
	if p.Peak != nil {
		say("peak", "{date}", day(*p.Peak), "{ndvi}", fmt.Sprintf("%.2f", p.PeakNDVI))
	}
	span("harvested", p.Harvested)
	if p.Stage != "" && r.LastClear != nil {
		say("today", "{date}", day(*r.LastClear), "{stage}", words["stage."+string(p.Stage)])
	}
	g := r.Growth
	if g == nil {
		return out
	}
	switch {
	case g.Grade > 0:
		key := "grade"
		if g.GradeLow == g.GradeHigh {
			key = "grade_sure"
		}
		say(key, "{grade}", words[fmt.Sprint("grade.", g.Grade)], "{low}", words[fmt.Sprint("grade.", g.GradeLow)], "{high}", words[fmt.Sprint("grade.", g.GradeHigh)],
			"{percentile}", fmt.Sprintf("%.0f", g.Percentile), "{peers}", fmt.Sprint(g.Peers))
	case g.Reason != "":
		say("no_grade", "{why}", words["growth."+g.Reason])
	}
	if len(g.Past) > 0 {
		y := g.Past[0]
		key := "past_like"
		switch {
		case y.Change >= sameNDVI:
			key = "past_above"
		case y.Change <= -sameNDVI:
			key = "past_below"
		}
		say(key, "{year}", fmt.Sprint(y.Year), "{change}", fmt.Sprintf("%+.2f", y.Change))
	}
	return out
}

// sameNDVI is the change of a parcel's mean that its noise explains.
const sameNDVI = 0.02
