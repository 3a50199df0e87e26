package watch_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// There is no real series of cattle with known fevers, heats and deaths. What follows
// is SYNTHETIC: a herd made of the few published figures (ear 28.69 °C, +0.76 °C and
// +36 % activity or more at oestrus, lying bouts of an hour, fevers of 1 to 2.5 °C)
// with weather, scatter and individual differences made up around them. Its figures
// show that the rules do what they say, not how well they do on a farm.

// trouble is a planted incident.
type trouble struct {
	kind     iot.EventKind
	from, to float64 // h
	size     float64
}

// beast is one synthetic animal.
type beast struct {
	sex                 string
	pregnant            bool
	warm, vigour, rumen float64
	drift, phase, pace  float64
	home                orb.Point
	troubles            []trouble
}

func (b *beast) under(kind iot.EventKind, hour float64) (trouble, bool) {
	for _, t := range b.troubles {
		if t.kind == kind && hour >= t.from && hour < t.to {
			return t, true
		}
	}
	return trouble{}, false
}

// synthetic makes a herd of n for some days, with troubles after the first ten.
func synthetic(n, days int, rng *rand.Rand) []beast {
	herd := make([]beast, n)
	for i := range herd {
		b := &herd[i]
		b.sex = []string{"f", "f", "m"}[rng.IntN(3)]
		b.pregnant = b.sex == "f" && rng.IntN(2) == 0
		b.warm, b.vigour, b.rumen = 28.7+0.8*rng.NormFloat64(), 0.25*rng.NormFloat64(), 0.33*(1+0.15*rng.NormFloat64())
		b.home, b.phase, b.pace = orb.Point{150 * (rng.Float64() - 0.5), 150 * (rng.Float64() - 0.5)}, 100*rng.Float64(), 0.7+rng.Float64()
		first := 24*11 + rng.Float64()*24*float64(days-15)
		switch {
		case i%12 == 0:
			b.troubles = append(b.troubles, trouble{iot.Fever, first, first + 24 + 36*rng.Float64(), 1.3 + 1.2*rng.Float64()})
		case i%12 == 1:
			b.troubles = append(b.troubles, trouble{iot.Idleness, first, first + 40, 0.40 + 0.2*rng.Float64()})
		case i%25 == 2:
			b.troubles = append(b.troubles, trouble{iot.Stillness, first, math.Inf(1), 0})
		case i%25 == 3:
			b.troubles = append(b.troubles, trouble{iot.Carrier, first, math.Inf(1), 0})
		case b.sex == "f" && !b.pregnant:
			for at := 24 * 21 * rng.Float64(); at < float64(24*days); at += 24 * (18 + 6*rng.Float64()) {
				b.troubles = append(b.troubles, trouble{iot.Oestrus, at, at + 12 + 6*rng.Float64(), 0.36 + 0.5*rng.Float64()})
			}
		}
	}
	return herd
}

// reading is what the tag of animal i says at an hour.
func (b *beast) reading(tag string, hour, air float64, plane fence.Plane, rng *rand.Rand) iot.Reading {
	at := start.Add(time.Duration(hour * float64(time.Hour)))
	day := math.Mod(hour+8, 24) // clock of longitude 113
	b.drift = 0.95*b.drift + 0.1*rng.NormFloat64()
	ear := b.warm + 0.3*(air-15) + 0.3*math.Sin(2*math.Pi*(day-10)/24) + b.drift + 0.3*rng.NormFloat64()
	graze := 0.15 + 0.6*math.Exp(-square(day-6)/4) + 0.7*math.Exp(-square(day-18)/5)
	activity := 0.1 + 0.1*rng.ExpFloat64()
	if rng.Float64() < graze {
		activity = 0.8 + 1.4*rng.Float64()
	}
	activity *= math.Exp(b.vigour)
	rumen := 900 * b.rumen * (1.2 - graze) * (0.6 + 0.8*rng.Float64())
	// The herd walks together, each animal in its own way around its own place in it.
	p := orb.Point{200*math.Sin(hour/5) + b.home[0] + 30*math.Sin(b.pace*hour+b.phase) + 5*rng.NormFloat64(),
		200*math.Cos(hour/7) + b.home[1] + 30*math.Cos(1.3*b.pace*hour+b.phase) + 5*rng.NormFloat64()}
	if f, ok := b.under(iot.Fever, hour); ok {
		ear += f.size
		activity *= 0.8
		rumen *= 0.7
	}
	if o, ok := b.under(iot.Oestrus, hour); ok {
		ear += 0.76
		activity *= 1 + o.size
		if rng.Float64() < 0.3 {
			activity = max(activity, 1+rng.Float64()) // restless
		}
	}
	if idle, ok := b.under(iot.Idleness, hour); ok {
		rumen *= 1 - idle.size
	}
	if d, ok := b.under(iot.Stillness, hour); ok {
		ear = air + (ear-air)*math.Exp(-(hour-d.from)/2) + 0.2*rng.NormFloat64()
		activity, rumen, p = 0.01+0.01*rng.Float64(), 0, b.home
	}
	if c, ok := b.under(iot.Carrier, hour); ok { // on a dog's collar, outside of its coat
		ear = air + (ear-air)*math.Exp(-(hour-c.from)) + 0.3*rng.NormFloat64()
		activity, rumen = 0.1+1.5*rng.Float64(), 0
	}
	c := plane.Degrees(p)
	return iot.Reading{Tenant: "x", Tag: tag, At: at, Received: at, Lon: &c[0], Lat: &c[1], Accuracy: ptr(5.0), Temp: &ear, Ambient: ptr(air + 0.3*rng.NormFloat64()),
		Activity: &activity, Ruminating: &rumen, Attached: ptr(true)}
}

func square(x float64) float64 { return x * x }

// TestSyntheticHerd prints how many planted troubles are found, how soon, and how many
// alarms have no cause.
func TestSyntheticHerd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	const n, days, minutes = 150, 32, 15
	rng := rand.New(rand.NewPCG(2026, 6))
	herd := synthetic(n, days, rng)
	store := &iottest.Store{}
	animals := make([]iot.Animal, n)
	for i := range animals {
		animals[i] = iot.Animal{ID: fmt.Sprint("a", i), HerdID: "h", Species: "cattle", Sex: herd[i].sex, Born: start.AddDate(-3, 0, 0), TagID: fmt.Sprint("t", i)}
		if herd[i].pregnant {
			animals[i].Bred = start.AddDate(0, -3, 0)
		}
	}
	if err := store.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: pasture(500), CreatedAt: start}, animals, nil); err != nil {
		t.Fatal(err)
	}
	now := start
	alarms := make(map[string][]iot.Event)
	e := watch.New(watch.Config{Herds: store, Series: &seriestest.Memory{}, Species: kinds, Now: func() time.Time { return now },
		Raise: func(_ context.Context, ev iot.Event) error {
			if !ev.Cleared {
				alarms[ev.Subject] = append(alarms[ev.Subject], ev)
			}
			return nil
		}})
	if err := e.Reload(t.Context(), "x", "h"); err != nil {
		t.Fatal(err)
	}
	plane := fence.NewPlane(origin)
	front := 0.0 // weather: a cold or warm week, with sudden changes
	batch := make([]iot.Reading, 0, n)
	for minute := 0; minute < days*24*60; minute += minutes {
		hour := float64(minute) / 60
		if minute%(24*60) == 0 {
			front = 0.6*front + 4*rng.NormFloat64()
		}
		air := 14 + front + 5*math.Sin(2*math.Pi*(math.Mod(hour+8, 24)-9)/24)
		batch = batch[:0]
		for i := range herd {
			batch = append(batch, herd[i].reading(animals[i].TagID, hour+float64(i)/10000, air, plane, rng))
		}
		now = batch[n-1].Received
		e.Observe(batch)
	}

	type score struct {
		planted, found, false int
		late                  float64 // h, summed
	}
	scores := map[iot.EventKind]*score{iot.Fever: {}, iot.Oestrus: {}, iot.Idleness: {}, iot.Stillness: {}, iot.Carrier: {}}
	other := 0
	for i := range herd {
		used := make(map[int]bool)
		for _, tr := range herd[i].troubles {
			if tr.from < 24*8 || tr.to > 24*days && !math.IsInf(tr.to, 1) {
				continue // before baselines are known, or cut off by the end
			}
			s := scores[tr.kind]
			s.planted++
			for j, a := range alarms[animals[i].ID] {
				at := a.At.Sub(start).Hours()
				if a.Kind == tr.kind && at >= tr.from && at < tr.to+12 {
					if !used[j] && (j == 0 || !used[j-1] || alarms[animals[i].ID][j-1].Kind != a.Kind) {
						s.late += at - tr.from
						s.found++
					}
					used[j] = true
					break
				}
			}
		}
		for j, a := range alarms[animals[i].ID] {
			at := a.At.Sub(start).Hours()
			caused := used[j]
			for _, tr := range herd[i].troubles { // a second alarm of the same trouble, or what a sick animal also does
				caused = caused || at >= tr.from && at < tr.to+24
			}
			switch s := scores[a.Kind]; {
			case caused:
			case s == nil:
				other++
				t.Log("unexpected:", a.Kind, a.Subject, a.At, a.Evidence)
			default:
				s.false++
			}
		}
	}
	animalDays := float64(n * (days - 8))
	for _, c := range []struct {
		kind        iot.EventKind
		least, most float64 // share found; false alarms per 1,000 animal-days
	}{
		{iot.Fever, 0.9, 1}, {iot.Oestrus, 0.8, 3}, {iot.Idleness, 0.9, 1}, {iot.Stillness, 1, 0}, {iot.Carrier, 1, 0},
	} {
		s := scores[c.kind]
		found, wrong := float64(s.found)/float64(s.planted), 1000*float64(s.false)/animalDays
		t.Logf("synthetic %-9s: %3d planted, %3.0f %% found after %.1f h; %.2f false alarms per 1,000 animal-days", c.kind, s.planted, 100*found, s.late/math.Max(1, float64(s.found)), wrong)
		if s.planted < 4 || found < c.least || wrong > c.most {
			t.Errorf("%s: found %.2f of %d, want %.2f; %.2f false alarms, want at most %.2f", c.kind, found, s.planted, c.least, wrong, c.most)
		}
	}
	if other > 0 {
		t.Errorf("%d alarms of other kinds", other)
	}
}
