package hazard

import (
	"fmt"
	"math"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
)

const (
	vciYears   = 5 // of the plot's own, without which there is no index
	vciSure    = 10
	vciDays    = 8    // about the day of the year: a window of 16 days, as MODIS composites
	vciDepth   = 30   // years looked back
	vciSwing   = 0.05 // between the years; under it the index means nothing
	vciSevere  = 35.0
	vciGreen   = 0.45 // usual NDVI of days when a crop stands
	vciLoss    = 0.85 // of the usual NDVI: low among alike years is no loss
	vciLooks   = 3
	vciSpan    = 20 // days
	vciAgrees  = 0.15
	vciReality = 0.75 // greatest confidence of the index alone
)

// ShortHistory is the reason why a plot has no condition index.
const ShortHistory = "short_history"

// Condition holds a plot against its own earlier years.
type Condition struct {
	Years  int              // most earlier years that any look can be held against
	Reason string           // [ShortHistory] where they are too few for an index; ""
	Points []ConditionPoint // by date; none with a Reason
}

// ConditionPoint is one clear look among the same days of earlier years.
type ConditionPoint struct {
	Date       time.Time
	NDVI       float64
	Low, Usual float64 // lowest and median of the earlier years
	High       float64
	VCI        float64 // 0..100
	Years      int
}

// Compare gives the vegetation condition index VCI = 100·(NDVI - min)/(max - min)
// (Kogan 1995) of every clear look, with min and max of the plot's own earlier
// years within eight days of the same day of the year, cut to 0..100. Under five
// such years there is none, and the answer says why.
func Compare(p Plot) Condition {
	var c Condition
	for _, s := range p.Sights {
		if !s.Valid || zero(s.Water) >= dryShare {
			continue
		}
		past := p.sameDays(s.Date)
		c.Years = max(c.Years, len(past))
		if len(past) < vciYears {
			continue
		}
		middle := median(past) // sorts
		low, high := past[0], past[len(past)-1]
		if high-low < vciSwing {
			continue
		}
		c.Points = append(c.Points, ConditionPoint{
			Date: s.Date, NDVI: s.NDVI, Low: low, Usual: middle, High: high, Years: len(past),
			VCI: max(0, min(100, 100*(s.NDVI-low)/(high-low))),
		})
	}
	if c.Years < vciYears {
		c.Reason = ShortHistory
	}
	return c
}

// sameDays is the mean NDVI of each earlier year about the same day of the year.
func (p Plot) sameDays(t time.Time) []float64 {
	var sum [vciDepth + 1]float64
	var n [vciDepth + 1]int
	for _, s := range p.History {
		if !s.Valid || !s.Date.Before(t) {
			continue
		}
		back := int(math.Round(t.Sub(s.Date).Hours() / 24 / 365.25))
		if back < 1 || back > vciDepth || !within(s.Date, t.AddDate(-back, 0, 0), vciDays) {
			continue
		}
		sum[back] += s.NDVI
		n[back]++
	}
	var out []float64
	for back := range sum {
		if n[back] > 0 {
			out = append(out, sum[back]/float64(n[back]))
		}
	}
	return out
}

// class names an index (Environmental Systems Research 2020).
func class(vci float64) string {
	switch {
	case vci <= 20:
		return "very_severe"
	case vci <= 35:
		return "severe"
	case vci <= 50:
		return "moderate"
	case vci <= 60:
		return "slight"
	}
	return "normal"
}

// drought finds weeks in which the plot stood far below its own earlier years. What
// fields of the same crop told already is confirmed by it, and a field that fell
// behind its peers with wet leaves is not called dry.
func drought(p Plot, known []geo.Hazard) []geo.Hazard {
	c := Compare(p)
	if c.Reason != "" {
		for i := range known {
			if known[i].Kind == geo.Drought { // why there is no index
				known[i].Evidence["history_years"] = fmt.Sprintf("%d < %d", c.Years, vciYears)
			}
		}
		return known
	}
	if !p.agreed() || p.Answer.Crop == "" || p.Answer.Crop == crop.Fallow {
		return known
	}
	h, ok := p.dryWeeks(c)
	if !ok || p.explained(known, h.Start, h.End) {
		return known
	}
	told := false
	for i := range known {
		k := &known[i]
		if k.Kind != geo.Drought && k.Kind != geo.VigourLoss || k.Start.After(h.End) || k.End.Before(h.Start) {
			continue
		}
		told = true
		for name, v := range h.Evidence {
			if name != "method" {
				k.Evidence[name] = v
			}
		}
		if k.Kind == geo.Drought {
			k.Evidence["method"] += ", " + h.Evidence["method"]
			k.Confidence = min(0.9, k.Confidence+vciAgrees)
		}
	}
	if !told {
		known = append(known, h)
	}
	return known
}

// dryWeeks is the longest run of looks in severe condition while a crop usually
// stands and before this one is harvested.
func (p Plot) dryWeeks(c Condition) (geo.Hazard, bool) {
	var run, best []ConditionPoint
	for _, k := range c.Points {
		if k.VCI > vciSevere || k.Usual < vciGreen || k.NDVI > vciLoss*k.Usual || p.harvested(k.Date) {
			run = nil
			continue
		}
		run = append(run, k)
		if len(run) > len(best) {
			best = run
		}
	}
	if len(best) < vciLooks || best[len(best)-1].Date.Sub(best[0].Date) < vciSpan*24*time.Hour {
		return geo.Hazard{}, false
	}
	worst, years := best[0], best[0].Years
	for _, k := range best {
		years = min(years, k.Years)
		if k.VCI < worst.VCI || k.VCI == worst.VCI && k.NDVI/k.Usual < worst.NDVI/worst.Usual {
			worst = k
		}
	}
	h := geo.Hazard{Kind: geo.Drought, Start: best[0].Date, End: best[len(best)-1].Date, Share: 1, Confidence: 0.5, Evidence: map[string]string{
		"method":        "VCI",
		"vci":           fmt.Sprintf("%.0f (%s)", worst.VCI, worst.Date.Format(time.DateOnly)),
		"vci_class":     class(worst.VCI),
		"own_years":     fmt.Sprintf("%.2f–%.2f", worst.Low, worst.High),
		"history_years": fmt.Sprint(years),
	}}
	if worst.VCI <= 20 {
		h.Confidence += 0.1
	}
	if years >= vciSure {
		h.Confidence += 0.1
	}
	h.Confidence = min(vciReality, h.Confidence)
	h.Before = p.scene(p.Sights[0].Date, h.Start.Add(-1), true, nil)
	h.After = p.scene(h.Start, h.End, false, nil)
	return h, true
}

// harvested says whether a day lies in or after the harvest of the season about it,
// as the calendar or the curve has it.
func (p Plot) harvested(t time.Time) bool {
	for _, m := range p.Answer.Matches {
		if m.Part.Kind != crop.Annual {
			continue
		}
		from, to := m.Part.When.Harvest.In(m.Year)
		if m.Season.End != nil {
			from = earlier(from, *m.Season.End)
		}
		if !t.Before(from.AddDate(0, 0, -earlyDays)) && !t.After(to) {
			return true
		}
	}
	return false
}
