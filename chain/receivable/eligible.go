package receivable

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Holding is one part in the hands of a firm, as a lender looks at it.
type Holding struct {
	ReceivableID string
	PartID       string
	ObligorID    string
	Open         money.Fen
	Due          money.Date
	Held         bool // asked for, pledged or frozen: no security for more
}

// Holdings are the open parts that a firm holds.
func Holdings(list []Receivable, same func(firmID string) bool) []Holding {
	var out []Holding
	for _, r := range list {
		if r.State != Accepted {
			continue
		}
		for _, p := range r.Parts {
			if p.Open() > 0 && same(p.HolderID) {
				out = append(out, Holding{r.ID, p.ID, r.ObligorID, p.Open(), r.Due, p.Hold != nil})
			}
		}
	}
	return out
}

// BaseRules turn holdings into what may be lent on them. The defaults are habits of
// asset-based lending, not law; docs/formats/receivable.md names their sources.
type BaseRules struct {
	Advance        money.Rate `json:"advance"`          // share of the eligible amount that is lent
	MaxOverdueDays int        `json:"max_overdue_days"` // older ones do not count
	CrossAge       money.Rate `json:"cross_age"`        // an anchor with more than this share too old does not count at all
	Concentration  money.Rate `json:"concentration"`    // most that one anchor may be of the whole
	DilutionFree   money.Rate `json:"dilution_free"`    // mean dilution that the advance rate covers already
	DilutionFactor int64      `json:"dilution_factor"`  // standard deviations of dilution kept in reserve
}

// DefaultBaseRules are 80 % on what is at most 60 days overdue, the rest of an anchor
// out when more than half of it is older, no anchor above half, and a reserve of five
// standard deviations of dilution beside what exceeds 5 % on average.
func DefaultBaseRules() BaseRules {
	return BaseRules{
		Advance: money.BP(8000), MaxOverdueDays: 60, CrossAge: money.BP(5000), Concentration: money.BP(5000),
		DilutionFree: money.BP(500), DilutionFactor: 5,
	}
}

// Ageing is what is open by the days since it was due.
type Ageing struct {
	NotDue money.Fen `json:"not_due"`
	To30   money.Fen `json:"to_30"`
	To60   money.Fen `json:"to_60"`
	To90   money.Fen `json:"to_90"`
	Over90 money.Fen `json:"over_90"`
}

func (a *Ageing) add(days int, amount money.Fen) {
	switch {
	case days <= 0:
		a.NotDue += amount
	case days <= 30:
		a.To30 += amount
	case days <= 60:
		a.To60 += amount
	case days <= 90:
		a.To90 += amount
	default:
		a.Over90 += amount
	}
}

// ObligorBase is the part of one anchor.
type ObligorBase struct {
	ObligorID    string    `json:"obligor_id"`
	Open         money.Fen `json:"open"`
	Age          Ageing    `json:"age"`
	Held         money.Fen `json:"held"`         // left out: not free
	TooOld       money.Fen `json:"too_old"`      // left out
	CrossAged    money.Fen `json:"cross_aged"`   // left out because the anchor pays late
	Concentrated money.Fen `json:"concentrated"` // left out above the cap
	Eligible     money.Fen `json:"eligible"`
}

// BorrowingBase is what may be lent on holdings: Open = Held + TooOld + CrossAged +
// Concentrated + Eligible, for each anchor and in all.
type BorrowingBase struct {
	Open      money.Fen     `json:"open"`
	Age       Ageing        `json:"age"`
	Eligible  money.Fen     `json:"eligible"`
	Dilution  money.Rate    `json:"dilution"` // share kept in reserve
	Reserve   money.Fen     `json:"reserve"`
	Available money.Fen     `json:"available"`
	Obligors  []ObligorBase `json:"obligors"` // largest first
}

// Eligible works out the borrowing base of holdings on a day:
//
//	available = advance × eligible − reserve, at least 0
//	reserve   = eligible × min(1, max(0, mean − free) + factor × sd)
//
// where mean and sd are of dilution, the share of each month's invoiced amount that came
// back as returns and red letters; without at least three months sd is not known and
// dilution is not reserved for. The cap of concentration is a share of what is eligible
// before the cap; with a single anchor it cuts that one too.
func Eligible(holdings []Holding, today money.Date, dilution []float64, rules BaseRules) (BorrowingBase, error) {
	by := map[string]*ObligorBase{}
	var b BorrowingBase
	for _, h := range holdings {
		o := by[h.ObligorID]
		if o == nil {
			o = &ObligorBase{ObligorID: h.ObligorID}
			by[h.ObligorID] = o
		}
		days := int(today - h.Due)
		o.Open += h.Open
		o.Age.add(days, h.Open)
		b.Open += h.Open
		b.Age.add(days, h.Open)
		switch {
		case days > rules.MaxOverdueDays:
			o.TooOld += h.Open
		case h.Held:
			o.Held += h.Open
		default:
			o.Eligible += h.Open
		}
	}
	var before money.Fen
	for _, o := range by {
		late, err := money.Mul(o.Open, int64(rules.CrossAge), int64(money.RateOne))
		if err != nil {
			return BorrowingBase{}, err
		}
		if o.TooOld > late {
			o.CrossAged, o.Eligible = o.Eligible, 0
		}
		before += o.Eligible
	}
	limit := down(before, rules.Concentration)
	for _, id := range slices.Sorted(maps.Keys(by)) {
		o := by[id]
		if o.Eligible > limit {
			o.Concentrated, o.Eligible = o.Eligible-limit, limit
		}
		b.Eligible += o.Eligible
		b.Obligors = append(b.Obligors, *o)
	}
	slices.SortStableFunc(b.Obligors, func(x, y ObligorBase) int { return cmp.Compare(y.Open, x.Open) })
	b.Dilution = reserveRate(dilution, rules)
	b.Reserve = b.Eligible - down(b.Eligible, money.RateOne-b.Dilution)
	b.Available = max(0, down(b.Eligible, rules.Advance)-b.Reserve)
	return b, nil
}

// down is amount × rate rounded down, for rates up to 1: nothing is lent on a part of a
// fen.
func down(amount money.Fen, rate money.Rate) money.Fen {
	whole, rest := amount/money.Fen(money.RateOne), amount%money.Fen(money.RateOne)
	return whole*money.Fen(rate) + rest*money.Fen(rate)/money.Fen(money.RateOne)
}

// Dilution is the share of each month's invoiced amount that red letters took back, for
// those of the twelve full months before today in which the seller invoiced anything.
func Dilution(docs []chain.Document, seller func(firmID string) bool, today money.Date) []float64 {
	this := today.String()[:7]
	first := today.AddMonths(-12).String()[:7]
	sold, back := map[string]money.Fen{}, map[string]money.Fen{}
	for _, d := range docs {
		if d.Kind != chain.Invoice || d.Void || !seller(d.SellerID) || len(d.Date) < 7 || d.Date[:7] < first || d.Date[:7] >= this {
			continue
		}
		if d.Amount > 0 {
			sold[d.Date[:7]] += d.Amount
		} else {
			back[d.Date[:7]] -= d.Amount
		}
	}
	var out []float64
	for _, month := range slices.Sorted(maps.Keys(sold)) {
		out = append(out, min(1, float64(back[month])/float64(sold[month])))
	}
	return out
}

func reserveRate(dilution []float64, rules BaseRules) money.Rate {
	if len(dilution) < 3 {
		return 0
	}
	var mean, sd float64
	for _, d := range dilution {
		mean += d / float64(len(dilution))
	}
	for _, d := range dilution {
		sd += (d - mean) * (d - mean) / float64(len(dilution)-1)
	}
	one := float64(money.RateOne)
	share := max(0, mean-float64(rules.DilutionFree)/one) + float64(rules.DilutionFactor)*math.Sqrt(sd)
	return money.Rate(math.Ceil(min(1, max(0, share)) * one))
}
