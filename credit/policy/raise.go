package policy

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
)

// mostRaises are told of a decision.
const mostRaises = 5

// Raises finds what would raise the limit: for each fact that the applicant can change,
// and of which the catalogue says which way is better, the nearest better numbers at which
// the policy or a model changes its mind are put in its place, everything else kept, and
// the policy decides again. The largest raise comes first; a fact is told at its nearest
// number that raises at all. Amount is the raise.
//
// It decides some ten to fifty times and is no part of [Policy.Decide].
func (p *Policy) Raises(ev credit.Evidence, prod product.Product, models Models) ([]credit.Reason, error) {
	if p.format < 2 {
		return nil, nil
	}
	if err := feature.Check(&ev); err != nil {
		return nil, err
	}
	r := p.newRun()
	defer r.release()
	r.Fill(&ev, feature.Terms{Min: prod.MinFen, Max: prod.MaxFen})
	facts := r.Facts
	at := func(f *feature.Facts) money.Fen {
		p.again(r, f)
		d, err := p.decide(r, &ev, &prod, models, time.Time{})
		if err != nil {
			return 0
		}
		return d.Limit
	}
	was := at(&facts)
	var out []credit.Reason
	for _, l := range p.levers(models) {
		f := &l.feature
		if !f.Known(&facts) {
			continue
		}
		from := f.Num(&facts)
		for _, to := range better(f, from, l.steps) {
			changed := facts
			f.SetNum(&changed, to)
			if limit := at(&changed); limit > was {
				out = append(out, raise(f, from, to, was, limit))
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b credit.Reason) int { return int(min(max(b.Amount-a.Amount, -1), 1)) })
	return out[:min(len(out), mostRaises)], nil
}

// again empties the run for another decision on other facts.
func (p *Policy) again(r *run, f *feature.Facts) {
	r.Facts, r.err, r.outcome = *f, nil, credit.Offer
	clear(r.known)
	r.reasons, r.limits, r.prices, r.allowed = r.reasons[:0], r.limits[:0], r.prices[:0], r.allowed[:0]
	r.pieces, r.buf, r.scores = r.pieces[:0], r.buf[:0], r.scores[:0]
}

// lever is a fact that the applicant can change, with the numbers at which something
// changes its mind.
type lever struct {
	feature feature.Feature
	steps   []float64
}

// levers are worked out once for the models in force.
func (p *Policy) levers(models Models) []lever {
	key := ""
	for _, name := range p.Models() {
		if models != nil {
			if m, _ := models.Model(name); m != nil {
				key += m.ID() + " "
			}
		}
	}
	if known, ok := p.lever.Load(key); ok {
		return known.([]lever)
	}
	steps := p.steps(models)
	var out []lever
	for _, f := range feature.List() {
		if f.Actionable && f.Direction != 0 && len(steps[f.Name]) > 0 {
			list := append([]float64{0}, steps[f.Name]...)
			slices.Sort(list)
			out = append(out, lever{f, slices.Compact(list)})
		}
	}
	p.lever.Store(key, out)
	return out
}

// steps are the numbers at which the policy or its models change their minds, by fact.
func (p *Policy) steps(models Models) map[string][]float64 {
	out := map[string][]float64{}
	for _, b := range p.bounds {
		if !math.IsInf(b.value, 0) {
			out[b.name] = append(out[b.name], b.value)
		}
	}
	for _, name := range p.Models() {
		var m *score.Model
		if models != nil {
			m, _ = models.Model(name)
		}
		if m == nil {
			continue
		}
		for _, in := range m.File().Inputs {
			for _, bin := range in.Bins {
				if bin.Below != nil {
					out[in.Name] = append(out[in.Name], *bin.Below)
				}
			}
		}
	}
	return out
}

// mostSteps are tried for one fact.
const mostSteps = 4

// better are values of a fact that are better than from, the nearest first: at each step
// and just past it, as a bound may or may not belong to the better side.
func better(f *feature.Feature, from float64, steps []float64) (out []float64) {
	past := 1.0
	if f.Unit == feature.Share || f.Unit == feature.Ratio {
		past = 0.01
	}
	for _, s := range steps {
		for _, v := range []float64{s, s + past*float64(f.Direction)} {
			if f.Unit == feature.Share && (v < 0 || v > 1) || v < 0 && f.Unit != feature.Fen && f.Unit != feature.Ratio {
				continue
			}
			if (v-from)*float64(f.Direction) > 0 {
				out = append(out, v)
			}
		}
	}
	slices.SortFunc(out, func(a, b float64) int {
		switch d := math.Abs(a-from) - math.Abs(b-from); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	out = slices.Compact(out)
	return out[:min(len(out), mostSteps)]
}

func raise(f *feature.Feature, from, to float64, was, limit money.Fen) credit.Reason {
	args := map[string]string{"fact": f.Name, "from": show(f, from), "to": show(f, to), "yuan": limit.String()}
	t := builtinTold["raise.fact"]
	var msg []byte
	for _, s := range t.text {
		msg = append(msg, s.text...)
		if s.arg == "fact" {
			msg = append(msg, f.EN...)
		} else {
			msg = append(msg, args[s.arg]...)
		}
	}
	return credit.Reason{Code: t.code, Effect: Raise, Msg: string(msg), Args: args, Amount: limit - was}
}

func show(f *feature.Feature, v float64) string {
	switch f.Unit {
	case feature.Fen:
		return money.Fen(v).String()
	case feature.Share, feature.Ratio:
		return string(appendPercent(nil, v))
	default:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
}
