package train

import (
	"math"

	"github.com/furrowcredit/furrow/credit/score"
)

// calibrate makes the curve from points to probability. The inner folds' log odds of rows
// not seen are set against what happened: log odds of default = shift + slope times theirs
// (Platt), both drawn a little towards 0 and 1, the targets smoothed as Platt does. A base
// rate moves the log odds as Bayes' rule says.
func (f *fitted) calibrate(file *score.File, bad []bool, baseRate float64) []score.Knot {
	shift, slope := platt(f.oof, bad)
	if baseRate > 0 {
		rate := float64(count(bad)) / float64(len(bad))
		shift += math.Log(baseRate/(1-baseRate)) - math.Log(rate/(1-rate))
	}
	// In points, log odds of bad are (BasePoints - points) / factor - ln(BaseOdds).
	factor := file.Scale.Factor()
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range f.oof {
		lo, hi = min(lo, s), max(hi, s)
	}
	hi = max(hi, lo+1)
	at := func(logit float64) score.Knot {
		points := math.Round(file.Scale.BasePoints - factor*(logit+math.Log(file.Scale.BaseOdds)))
		logit = (file.Scale.BasePoints-points)/factor - math.Log(file.Scale.BaseOdds)
		p := 1 / (1 + math.Exp(-(shift + slope*logit)))
		return score.Knot{Points: points, PD: max(1e-9, min(1-1e-9, significant(p)))}
	}
	return []score.Knot{at(hi), at(lo)}
}

// significant keeps nine digits of a probability, so that knots read well.
func significant(p float64) float64 {
	if p <= 0 {
		return 0
	}
	scale := math.Pow(10, 9-math.Ceil(math.Log10(p)))
	return math.Round(p*scale) / scale
}

// platt fits shift and slope by Newton's method.
func platt(logit []float64, bad []bool) (shift, slope float64) {
	n := float64(count(bad))
	high, low := (n+1)/(n+2), 1/(float64(len(bad))-n+2)
	const weak = 1.0 // of the prior that slope is 1
	slope = 1
	for range 50 {
		var g0, g1, h00, h01, h11 float64
		for i, s := range logit {
			y := low
			if bad[i] {
				y = high
			}
			p := 1 / (1 + math.Exp(-(shift + slope*s)))
			w := p * (1 - p)
			g0 += y - p
			g1 += (y - p) * s
			h00 += w
			h01 += w * s
			h11 += w * s * s
		}
		g1 -= weak * (slope - 1)
		h11 += weak
		h00 += 1e-9
		det := h00*h11 - h01*h01
		if det <= 0 {
			break
		}
		d0, d1 := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		shift += d0
		slope += d1
		if math.Abs(d0)+math.Abs(d1) < 1e-10 {
			break
		}
	}
	return shift, max(slope, 0.05) // more points are never more risk
}
