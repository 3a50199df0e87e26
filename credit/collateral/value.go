package collateral

import (
	"time"

	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// Why a value is not known, or fell to nothing.
const (
	NoReport  = "no_report"
	NoWorth   = "no_worth" // the report values nothing: no crop seen yet
	CutEarly  = "early_harvest"
	NotSown   = "never_sown"
	Gone      = "off_farm"
	Died      = "dead"
	NotSeen   = "unverified" // the tags and counts do not verify the animal
	NotOwed   = "not_owed"   // the receivable binds nobody, or is paid
	OverdueBy = "overdue"
)

// OfCrop is the value of the crop of a plot by its newest report: the low value that
// limits are lent on too. A crop that was cut before its time or never sown is worth
// nothing, whatever the model of its yield says.
func OfCrop(r geo.CropReport) Valuation {
	v := Valuation{On: money.DateOf(r.MadeAt), Source: "crop_report", Method: r.Method}
	for _, h := range r.Hazards {
		switch h.Kind {
		case geo.EarlyHarvest:
			v.Known, v.Reason = true, CutEarly
			return v
		case geo.NeverSown:
			v.Known, v.Reason = true, NotSown
			return v
		default:
		}
	}
	switch {
	case r.Status == geo.Unknown:
		v.Reason = r.Reason
		if v.Reason == "" {
			v.Reason = NoReport
		}
	case r.Worth == nil:
		v.Reason = NoWorth
	default:
		v.Known, v.Low, v.Middle, v.High = true, max(0, r.Worth.Low), r.Worth.Middle, r.Worth.High
		v.Method = r.Worth.Basis
	}
	return v
}

// HerdAnimal is an animal of a herd with its status by the watch, and its weight among the
// others: what it is worth alone.
type HerdAnimal struct {
	Animal   iot.Animal
	Verified bool
	Weight   money.Fen
}

// OfHerd divides the value of a herd's report over its verified animals in proportion to
// their weights, to the fen, so that the pledged animals of one herd are never worth more
// together than the herd is, whoever they are pledged to: what counts do not support and
// what the animals' errors share is borne by all. The others are worth nothing. It is keyed
// by animal. A report that knows nothing values none.
func OfHerd(r iot.HerdReport, animals []HerdAnimal) map[string]Valuation {
	out := make(map[string]Valuation, len(animals))
	weights := make([]money.Fen, len(animals))
	for i, a := range animals {
		if a.Verified {
			weights[i] = max(1, a.Weight)
		}
	}
	low, middle, high := receivable.ProRata(r.ValueLow, weights), receivable.ProRata(r.Value, weights), receivable.ProRata(r.ValueHigh, weights)
	for i, a := range animals {
		v := Valuation{Known: true, On: money.DateOf(r.MadeAt), Source: "herd_report", Method: r.Method}
		switch {
		case a.Animal.Status == iot.Dead:
			v.Reason = Died
		case !a.Animal.Here():
			v.Reason = Gone
		case r.Status == "unknown":
			v.Known, v.Reason = false, r.Reason
		case !a.Verified:
			v.Reason = NotSeen
		default:
			// The remainders of the three divisions fall on different animals.
			v.Middle = middle[i]
			v.Low, v.High = min(low[i], v.Middle), max(high[i], v.Middle)
		}
		out[a.Animal.ID] = v
	}
	return out
}

// Too old is a receivable that many days past its day: it is worth nothing to a lender, as
// in the borrowing base.
const tooOld = 60

// OfReceivable is what is open of a part: it is owed, so low, middle and high are one.
func OfReceivable(r receivable.Receivable, partID string, now time.Time) Valuation {
	today := money.DateOf(now)
	v := Valuation{Known: true, On: today, Source: "receivable", Method: r.Number}
	p, ok := r.Part(partID)
	switch {
	case !ok || r.State != receivable.Accepted:
		v.Reason = NotOwed
	case int(today-r.Due) > tooOld:
		v.Reason = OverdueBy
	default:
		v.Low, v.Middle, v.High = p.Open(), p.Open(), p.Open()
	}
	return v
}
