// Package worth values the standing crop: yield of the catalogue, moved by the
// plot's vigour, times the farm price of the catalogue, as a range.
//
// There is no yield truth behind it. A yield model does not travel between
// regions, so the range stays at least 20 % wide on either side and says what it
// rests on.
package worth

import (
	"fmt"
	"math"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/money"
)

const (
	spread    = 0.20 // least half-width of the range, of the middle
	minVigour = 0.4
	maxVigour = 1.15 // a greener field is not endlessly a better one
	// floodLoss is the part of the yield that a flooded share of the plot loses
	// in the middle case; in the low case all of it is lost.
	floodLoss   = 0.5
	droughtLoss = 0.35
	vigourLoss  = 0.2
)

// Value gives the worth of areaM2 of crop k. Vigour is the plot's peak NDVI
// against the usual one, 1 for usual. Hazards lower the yield by their share of
// the plot. A crop cut early or never sown has no worth left standing; the second
// answer is false then. The basis names the yields of the catalogue, the factors of
// vigour and hazards, and the price, with ≈ when it is an estimate.
func Value(k crop.Crop, areaM2, vigour float64, hazards []geo.Hazard) (geo.Worth, bool) {
	low, mid, high := k.Yield[0], k.Yield[1], k.Yield[2]
	v := max(minVigour, min(maxVigour, vigour))
	// Vigour moves the middle between the ends of the catalogue's range: a usual
	// field yields the middle, one at the edge of what is usual its end.
	mid *= v
	lowFactor, midFactor := 1.0, 1.0
	for _, h := range hazards {
		switch h.Kind {
		case geo.NeverSown, geo.EarlyHarvest:
			return geo.Worth{}, false
		case geo.Flood:
			lowFactor *= 1 - h.Share
			midFactor *= 1 - floodLoss*h.Share
		case geo.Drought:
			lowFactor *= 1 - min(1, 2*droughtLoss)*h.Share
			midFactor *= 1 - droughtLoss*h.Share
		case geo.VigourLoss:
			lowFactor *= 1 - min(1, 2*vigourLoss)*h.Share
			midFactor *= 1 - vigourLoss*h.Share
		}
	}
	middle := mid * midFactor
	w := geo.Worth{
		YieldKgPerMu: [3]float64{
			round(min(low*v*lowFactor, middle*(1-spread))),
			round(middle),
			round(max(high*v*midFactor, middle*(1+spread))),
		},
		PriceFenKg: k.Price.Fen,
		PriceDate:  k.Price.Date,
	}
	mu := areaM2 / geo.M2PerMu
	w.Low, w.Middle, w.High = fen(w.YieldKgPerMu[0], mu, k.Price.Fen), fen(w.YieldKgPerMu[1], mu, k.Price.Fen), fen(w.YieldKgPerMu[2], mu, k.Price.Fen)
	about := ""
	if k.Price.Estimate {
		about = "≈ "
	}
	w.Basis = fmt.Sprintf("%s: %g–%g–%g kg/mu × %.2f × %.2f; %s%s/kg, %s, %s",
		k.Code, k.Yield[0], k.Yield[1], k.Yield[2], v, midFactor, about, k.Price.Fen, k.Price.Date, k.Price.Source)
	return w, true
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// fen multiplies in integers of 0.1 kg/mu and 0.0001 mu, rounding once, HALF_EVEN.
func fen(kgPerMu, mu float64, price money.Fen) money.Fen {
	v, err := money.Mul(price, int64(math.Round(kgPerMu*10))*int64(math.Round(mu*1e4)), 1e5)
	if err != nil {
		return math.MaxInt64 // no plot and price that the catalogue accepts comes near
	}
	return v
}
