package crop

import "github.com/furrowcredit/furrow/geo/series"

// Match explains the seasons of a plot by one crop that is known from elsewhere: by
// a trained model. It is empty where the region has no calendar for the crop or too
// little was seen.
func (c *Catalogue) Match(ev Evidence, code string) []Match {
	parts := c.Parts(code, ev.Region)
	if len(parts) == 0 {
		return nil
	}
	seen := ev.clear()
	curve, err := series.Fit(dryObservations(seen), ev.Start, ev.End)
	if err != nil || len(seen) < minDates {
		return nil
	}
	k, err := c.Crop(code)
	if err != nil {
		return nil
	}
	_, matches := newScale(curve, series.Seasons(curve), seen).cost(k, parts)
	return matches
}
