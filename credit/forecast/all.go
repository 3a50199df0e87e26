package forecast

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/furrowcredit/furrow/money"
)

// Outlook is the forecast of one series of a table, or the reason why there is none:
// "too_short" under six values, "no_values" when nothing but zeros is there.
type Outlook struct {
	ID     string       `json:"series_id"`
	Reason string       `json:"reason,omitempty"`
	Method string       `json:"method,omitempty"`
	Dates  []money.Date `json:"dates"`
	Points []Point      `json:"points"`
}

// All forecasts every series. season 0 takes the usual length of the frequency. It
// uses all processors; the outcome does not depend on them.
func All(ctx context.Context, series []Series, horizon, season int) ([]Outlook, error) {
	out := make([]Outlook, len(series))
	err := each(ctx, len(series), func(i int) {
		out[i] = outlook(&series[i], horizon, season)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func outlook(s *Series, horizon, season int) Outlook {
	o := Outlook{ID: s.ID, Dates: []money.Date{}, Points: []Point{}}
	y := Filled(s.Values)
	switch {
	case len(y) < shortest:
		o.Reason = "too_short"
		return o
	case constant(y) && y[0] == 0:
		o.Reason = "no_values"
		return o
	}
	if season == 0 {
		season = s.Frequency.Season()
	}
	e := Fit(y, season)
	o.Method, o.Points = e.Name(), e.Outlook(horizon)
	for h := range horizon {
		o.Dates = append(o.Dates, s.Frequency.after(s.Last, h+1))
	}
	return o
}

// each does n pieces of work on all processors.
func each(ctx context.Context, n int, do func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
