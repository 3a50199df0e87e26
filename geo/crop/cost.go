package crop

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// Cost is what a mu costs from the tilling to the sale, without the rent of land.
type Cost struct {
	Fen    [3]money.Fen `yaml:"fen_per_mu"` // low, middle, high
	Spent  [3]float64   `yaml:"spent"`      // share that is spent once it is sown, at the peak, and before the harvest
	Source string       `yaml:"source"`
}

// left gives what is still to be spent when that share is spent, rounded up: what
// remains is never understated.
func (c Cost) left(spent float64) [3]money.Fen {
	open := int64(math.Ceil(1000 - spent*1000 - 1e-6)) // but for the noise of the product
	var out [3]money.Fen
	for i, v := range c.Fen {
		out[i] = money.Fen((int64(v)*open + 999) / 1000)
	}
	return out
}

// RemainingCost gives what a mu of the crop still costs at a stage until its
// harvest is sold, in fen: low, middle, high. Before sowing it is the whole cost,
// after the harvest nothing. A stage that is not known counts as sown just now.
func (k Crop) RemainingCost(stage geo.Stage) [3]money.Fen {
	s := k.Cost.Spent
	switch stage {
	case geo.StageBare:
		return k.Cost.left(0)
	case geo.StageGrowing:
		return k.Cost.left((s[0] + s[1]) / 2)
	case geo.StagePeak:
		return k.Cost.left(s[1])
	case geo.StageRipening:
		return k.Cost.left(s[2])
	case geo.StageHarvested:
		return [3]money.Fen{}
	default:
		return k.Cost.left(s[0])
	}
}

// RemainingCostOn gives the same by the calendar of the region: year is that of
// the peak. Between sowing, peak and harvest, each in the middle of its window, the
// spending is even. A crop without a calendar is counted as half way to its peak.
func (p Part) RemainingCostOn(day time.Time, year int) [3]money.Fen {
	if p.Kind != Annual && p.Kind != Perennial {
		return p.RemainingCost(geo.StageGrowing)
	}
	jan := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	at := day.Sub(jan).Hours() / 24
	sow, peak, harvest := float64(p.When.Sow.Mid()), float64(p.When.Peak.Mid()), float64(p.When.Harvest.Mid())
	s := p.Cost.Spent
	along := func(from, to, a, b float64) float64 { return a + (b-a)*(at-from)/max(1, to-from) }
	switch {
	case at < sow:
		return p.Cost.left(0)
	case at < peak:
		return p.Cost.left(along(sow, peak, s[0], s[1]))
	case at < harvest:
		return p.Cost.left(along(peak, harvest, s[1], s[2]))
	default:
		return [3]money.Fen{}
	}
}
