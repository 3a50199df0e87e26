package model

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/sample"
	"github.com/furrowcredit/furrow/geo/series"
)

// RulesAnswers answers for every sample by the calendar and the curve of the
// catalogue, without any training: a crop is a code of the catalogue. It looks at the
// band NDVI; a series without a place has no calendar. It returns ErrBands.
func RulesAnswers(ctx context.Context, cat *crop.Catalogue, set *sample.Set) ([]Answer, error) {
	band := slices.IndexFunc(set.Bands, func(b string) bool { return strings.EqualFold(b, "ndvi") })
	if band < 0 {
		return nil, ErrBands.With("bands", "NDVI")
	}
	out := make([]Answer, len(set.Samples))
	return out, each(ctx, len(out), func(i int) { out[i] = rulesAnswer(cat, &set.Samples[i], band) })
}

func rulesAnswer(cat *crop.Catalogue, s *sample.Sample, band int) Answer {
	if s.Blank() {
		return Answer{Reason: NoData}
	}
	ev := crop.Evidence{Start: sample.Date(s.Start), End: sample.Date(s.End)}
	if s.Placed() {
		if r, ok := cat.Region("", s.At); ok {
			ev.Region = r.Code
		}
	}
	nan := math.NaN()
	for k, v := range s.Values[band] {
		if !math.IsNaN(v) {
			ev.Sights = append(ev.Sights, series.Sight{
				Observation: geo.Observation{Date: sample.Date(s.Days[k]), NDVI: v, Coverage: 1, Valid: true},
				Water:       nan, Moisture: nan, Yellow: nan, VV: nan, VH: nan, Bare: nan,
			})
		}
	}
	a := cat.Classify(ev)
	return Answer{Crop: a.Crop, Confidence: a.Confidence, Guesses: a.Guesses, Reason: a.Unsure}
}

// ValidateRules measures the rules. A label is right when it is the code of the
// crop named; where the rules stay silent they count as wrong. They learn nothing,
// so folds only part the figures.
func ValidateRules(ctx context.Context, cat *crop.Catalogue, set *sample.Set, cfg Config) (*Result, error) {
	labels, err := Check(set)
	if err != nil {
		return nil, err
	}
	set = labelled(set)
	fold, names, err := split(set, cfg)
	if err != nil {
		return nil, err
	}
	said, err := RulesAnswers(ctx, cat, set)
	if err != nil {
		return nil, err
	}
	for _, a := range said {
		if k, ok := slices.BinarySearch(labels, a.Crop); a.Crop != "" && !ok {
			labels = slices.Insert(labels, k, a.Crop)
		}
	}
	answers := make([]sample.Answer, len(said))
	for i, a := range said {
		answers[i] = sample.Answer{Truth: set.Samples[i].Label, Fold: fold[i]}
		if a.Crop != "" {
			answers[i].Probability = make([]float64, len(labels))
			k, _ := slices.BinarySearch(labels, a.Crop)
			answers[i].Probability[k] = a.Confidence
		}
	}
	r := &Result{Method: Rules, Group: cfg.Group, Seed: cfg.Seed, FoldsOf: len(names), labels: labels}
	r.Score = sample.Measure(answers, labels, names)
	return r, nil
}
