// Package worth values a crop: the yield of the catalogue, moved by how the plot
// stands against usual, times the farm price of the catalogue, as a range.
//
// There is no yield truth behind it. A yield model does not travel between
// regions, so the range stays at least 20 % wide on either side and says what it
// rests on. [Index] is the relative yield index, [Value] the worth.
package worth

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/money"
)

const (
	spread = 0.20 // least half-width of the range, of the middle
	// Without peers the index rests on the usual peak of the catalogue alone, which no
	// sensor and no place was measured for.
	alone    = 0.25
	maxIndex = 1.15 // a greener field is not endlessly a better one

	soilNDVI   = 0.15 // bare soil, as in the seasons of a curve
	windowDays = 20   // heading to filling, on either side of the peak
	minPeers   = 8

	// The part of the yield that an affected share of the plot loses in the middle
	// case. In the low case a flood takes all, the others twice as much.
	floodLoss   = 0.5
	droughtLoss = 0.35
	vigourLoss  = 0.2

	exact = 1e-6 // rounding noise of products that are whole tenths
)

// Window is the mean NDVI of a curve over the 20 days on either side of a peak, the
// weeks of heading and filling that decide a yield. The second answer is false where
// fewer than half of those days are outside gaps and up to the last day seen.
func Window(c *series.Curve, peak, last time.Time) (float64, bool) {
	var sum, n float64
	for d := -windowDays; d <= windowDays; d++ {
		day := peak.AddDate(0, 0, d)
		if v, ok := c.At(day); ok && !day.After(last) {
			sum += v
			n++
		}
	}
	return sum / n, n > windowDays
}

// Index is the relative yield index, 1 = usual for the crop and place. With N the
// mean NDVI of [Window], s = 0.15 that of bare soil and the median taken over the
// windows of at least 8 peers,
//
//	index = (N − s) / (median(peers) − s) × min(1, (P − s) / (low − s))
//
// where P is the peers' median peak and low the lower end of the peak NDVI that the
// catalogue calls usual: a county whose fields are all poor is not usual. Without
// peers it is (peak − s) / (middle of the usual peak − s). NDVI mixes linearly with
// soil, so a part of the plot that grows nothing lowers the index by its share.
// The second answer says whether peers were used.
func Index(window, peak float64, peers, peerPeaks []float64, usual [2]float64) (float64, bool) {
	over := func(v float64) float64 { return max(0, v-soilNDVI) }
	if len(peers) < minPeers || len(peerPeaks) < minPeers || over(median(peers)) == 0 {
		return over(peak) / over((usual[0]+usual[1])/2), false
	}
	return over(window) / over(median(peers)) * min(1, over(median(peerPeaks))/over(usual[0])), true
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Stand is the harvest in question on a plot.
type Stand struct {
	AreaM2   float64
	Index    float64   // relative yield index, 1 = usual
	Peers    bool      // whether the index rests on peers
	Peak     time.Time // when the crop stood fullest
	Standing bool      // still in the field; false once harvested
	// RemainingFen is what the crop still costs a mu until it is sold.
	RemainingFen money.Fen
	Hazards      []geo.Hazard // of this harvest only
	// Yields and Costs say where the figures of the catalogue come from.
	Yields, Costs crop.Source
}

// Value gives the worth of crop k as it stands. The index moves the yields of the
// catalogue. What befell the plot lowers the low case in any case, and the middle
// one where it lasted past the weeks that the index shows; before, it is in the
// index. A crop cut early or never sown has no worth left standing; the second
// answer is false then. The basis names the yields, the index, the loss, the price and
// the cost with their sources, with ≈ before estimates.
//
// Prudent is the low value less the remaining cost, never below zero.
func Value(k crop.Crop, s Stand) (geo.Worth, bool) {
	v := max(0, min(maxIndex, s.Index))
	low, mid, high := k.Yield[0]*v, k.Yield[1]*v, k.Yield[2]*v
	lowFactor, midFactor := 1.0, 1.0
	shown := s.Peak.AddDate(0, 0, windowDays)
	for _, h := range s.Hazards {
		var loss, worst float64
		switch h.Kind {
		case geo.NeverSown, geo.EarlyHarvest:
			return geo.Worth{}, false
		case geo.Flood:
			loss, worst = floodLoss, 1
		case geo.Abandoned:
			loss, worst = 1, 1
		case geo.Drought:
			loss, worst = droughtLoss, 2*droughtLoss
		case geo.VigourLoss:
			loss, worst = vigourLoss, 2*vigourLoss
		}
		lowFactor *= 1 - worst*h.Share
		if h.End.After(shown) {
			midFactor *= 1 - loss*h.Share
		}
	}
	wide := spread
	if !s.Peers {
		wide = alone
	}
	mid = math.Round(mid*midFactor*10) / 10
	w := geo.Worth{
		Crop: k.Code, Standing: s.Standing, Index: math.Round(s.Index*100) / 100,
		YieldKgPerMu: [3]float64{
			math.Floor(min(low*lowFactor, mid*(1-wide))*10+exact) / 10,
			mid,
			math.Ceil(max(high*midFactor, mid*(1+wide))*10-exact) / 10,
		},
		PriceFenKg: k.Price.Fen,
		PriceDate:  k.Price.Date,
	}
	mu := s.AreaM2 / geo.M2PerMu
	w.Low, w.Middle, w.High = fen(w.YieldKgPerMu[0], mu, k.Price.Fen), fen(w.YieldKgPerMu[1], mu, k.Price.Fen), fen(w.YieldKgPerMu[2], mu, k.Price.Fen)
	w.RemainingCost = fen(1, mu, s.RemainingFen)
	w.Prudent = max(0, w.Low-w.RemainingCost)
	w.Basis = fmt.Sprintf("%s: %s%g–%g–%g kg/mu%s × %.2f × %.2f; %s%s/kg, %s, %s",
		k.Code, about(s.Yields.Estimate), k.Yield[0], k.Yield[1], k.Yield[2], from(s.Yields), v, midFactor,
		about(k.Price.Estimate), k.Price.Fen, k.Price.Date, k.Price.Source)
	if s.RemainingFen > 0 {
		w.Basis += fmt.Sprintf("; − %s%s/mu%s", about(s.Costs.Estimate), s.RemainingFen, from(s.Costs))
	}
	return w, true
}

func about(estimate bool) string {
	if estimate {
		return "≈ "
	}
	return ""
}

func from(s crop.Source) string {
	if s.Text == "" {
		return ""
	}
	return " (" + s.Text + ")"
}

// fen multiplies in integers of 0.1 kg/mu and 0.0001 mu, rounding once, HALF_EVEN.
func fen(kgPerMu, mu float64, price money.Fen) money.Fen {
	v, err := money.Mul(price, int64(math.Round(kgPerMu*10))*int64(math.Round(mu*1e4)), 1e5)
	if err != nil {
		return math.MaxInt64 // no plot and price that the catalogue accepts comes near
	}
	return v
}
