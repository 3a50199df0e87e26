package worth_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/money"
)

var now = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func builtin(tb testing.TB) *species.Catalogue {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := species.Load(files)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func aged(id, kind, sex string, months float64) iot.Animal {
	return iot.Animal{ID: id, Species: kind, Sex: sex, Born: now.Add(-time.Duration(months * 365.2425 / 12 * float64(day)))}
}

func value(tb testing.TB, c *species.Catalogue, in worth.Input) worth.Value {
	tb.Helper()
	if in.At.IsZero() {
		in.At = now
	}
	v, err := worth.Of(c, in)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// terms of a species whose animals weigh 100 kg at any age.
type terms struct {
	price                   money.Fen
	mortality, bad, haircut int64
	herd, spread            int64
}

// flat is a catalogue of one species, "ox", of 100 kg.
func flat(tb testing.TB, x terms) *species.Catalogue {
	tb.Helper()
	text := fmt.Sprintf(`version: 1
species:
  - code: ox
    name: {zh-CN: 牛, en: Ox}
    watch: {max_speed_mps: 10, walk_mps: 1, max_accuracy_m: 100, margin_share: 0.1, margin_min_m: 3, margin_max_m: 30, confirmations: 3,
      sure_m: 100, burst: 0.5, still_hours: 5, ambient_within_c: 3, silence_factor: 6, silence_min_minutes: 10, carrier_hours: 3,
      fever_rise_c: 1, fever_hours: 4, oestrus_activity: 0.3, oestrus_rise_c: 0.4, breeding_months: 12, idle_drop: 0.3}
    growth:
      m: {model: gompertz, a: 100, b: 0, k: 1, source: x}
      f: {model: gompertz, a: 100, b: 0, k: 1, source: x}
      unknown_age_months: 8
      spread: {herd_bp: %d, animal_bp: 500, wander_bp: 0, wander_months: 7, scale_bp: 250, source: x}
    classes: [{code: all, name: {zh-CN: 牛, en: Ox}}]
    pregnancy: {gestation_days: 100, from_days: 10, young_fen: 10000, source: x}
    price: {spread_bp: %d, max_age_days: 180, source: x}
    mortality: {bp: %d, bad_bp: %d, source: x}
    haircut: {bp: %d, source: x}
`, x.herd, x.spread, x.mortality, max(x.bad, x.mortality), x.haircut)
	prices := "species,class,region,date,fen_per_kg,fen_per_head,source\n"
	if x.price > 0 {
		prices += fmt.Sprintf("ox,,,2026-11-01,%d,,x\n", x.price)
	}
	c, err := species.Load(fstest.MapFS{species.File: {Data: []byte(text)}, species.BreedFile: {Data: []byte("version: 1\nbreeds: []\n")},
		species.PriceFile: {Data: []byte(prices)}})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestValue(t *testing.T) {
	t.Parallel()
	// 100 kg at 26 yuan, 3 % expected deaths, 20 % cost of a forced sale.
	c := flat(t, terms{price: 2600, mortality: 300, haircut: 2000, herd: 1000, spread: 800})
	one := value(t, c, worth.Input{Animals: []iot.Animal{{ID: "a", Species: "ox"}}})
	if one.Middle != 201_760 || one.Grams != 100_000 || one.Counted != 1 || one.Weighed != 0 || len(one.Doubts) != 0 {
		t.Errorf("%+v", one)
	}
	// √(0.10² herd + 0.08² price + 0.05² animal + 0.03/0.97 survival) = 22.3 %, × 1.645.
	if want := 0.633; math.Abs(float64(one.Low)/float64(one.Middle)-want) > 0.001 {
		t.Errorf("low is %.4f of the middle, want %v", float64(one.Low)/float64(one.Middle), want)
	}
	// Of a thousand animals only what they share is left: √(0.10² + 0.08²) = 12.8 %.
	var many []iot.Animal
	for i := range 1000 {
		many = append(many, iot.Animal{ID: fmt.Sprint(i), Species: "ox"})
	}
	if v := value(t, c, worth.Input{Animals: many}); math.Abs(float64(v.Low)/float64(v.Middle)-0.789) > 0.001 || v.Middle != 1000*one.Middle {
		t.Errorf("%+v", v)
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price   money.Fen
		haircut int64
		want    money.Fen
	}{
		{1, 9950, 0}, // half a fen goes to the even neighbour
		{3, 9950, 2},
		{5, 9950, 2},
		{1, 10_000, 0},
	} {
		v := value(t, flat(t, terms{price: c.price, haircut: c.haircut}), worth.Input{Animals: []iot.Animal{{ID: "a", Species: "ox"}}})
		if v.Middle != c.want {
			t.Errorf("%+v: %d", c, v.Middle)
		}
	}
	c := builtin(t)
	if v := value(t, c, worth.Input{}); v.Low != 0 || v.High != 0 || len(v.Terms) != 0 {
		t.Errorf("an empty herd is worth %+v", v)
	}
	if _, err := worth.Of(c, worth.Input{Animals: []iot.Animal{{Species: "yak"}}, At: now}); !errors.Is(err, worth.ErrSpecies) {
		t.Error(err)
	}
	house := iot.Animal{ID: "h", Species: "broiler", Born: now.Add(-40 * day)}
	if _, err := worth.Of(c, worth.Input{Animals: []iot.Animal{house}, Houses: map[string]worth.House{"h": {Heads: math.MaxInt64, At: now}}, At: now}); !errors.Is(err, money.ErrOverflow) {
		t.Error("overflow:", err)
	}
}

func weighing(id string, daysAgo int, kg float64) iot.Weighing {
	return iot.Weighing{AnimalID: id, At: now.Add(-time.Duration(daysAgo) * day), Kg: kg, Method: worth.Scale}
}

// TestOwnWeight: weighings move an animal from the curve to where it is, narrow its
// interval, and what they say fades with time. One animal's weighings tell a little
// about the rest of the herd.
func TestOwnWeight(t *testing.T) {
	t.Parallel()
	cattle, _ := builtin(t).Get("cattle")
	a, mate := aged("a", "cattle", "m", 15), aged("b", "cattle", "m", 15)
	curve := cattle.Curve("", "m").Kg(15)
	at := func(w ...iot.Weighing) (worth.Weight, worth.Weight) {
		x := worth.Weights(cattle, []iot.Animal{a, mate}, map[string][]iot.Weighing{"a": w}, now)
		return x[0], x[1]
	}
	none, _ := at()
	if math.Abs(float64(none.Grams)/1000-curve) > 0.01 || none.Weighings != 0 {
		t.Errorf("%+v without weighings, the curve has %v", none, curve)
	}
	heavy := 1.2 * curve
	fresh, other := at(weighing("a", 1, heavy))
	if kg := float64(fresh.Grams) / 1000; math.Abs(kg-heavy) > 0.05*heavy || fresh.Own > none.Own/2 || fresh.Herd > none.Herd/5 {
		t.Errorf("%+v after %v kg yesterday", fresh, heavy)
	}
	if other.Grams <= none.Grams || other.Grams >= fresh.Grams || other.Herd >= none.Herd {
		t.Errorf("its mate: %+v", other)
	}
	old, _ := at(weighing("a", 400, 1.2*cattle.Curve("", "m").Kg(15-400/30.44)))
	if old.Own <= fresh.Own || old.Own >= none.Own || old.Grams >= fresh.Grams || old.Grams <= none.Grams {
		t.Errorf("after a weighing of 400 days ago: %+v", old)
	}
	many, _ := at(weighing("a", 1, heavy), weighing("a", 2, heavy), weighing("a", 3, heavy), weighing("a", 4, heavy))
	if many.Own >= fresh.Own || many.Weighings != 4 {
		t.Errorf("%+v after four weighings", many)
	}
	byTape := weighing("a", 1, heavy)
	byTape.Method = worth.Tape
	if w, _ := at(byTape); w.Own <= fresh.Own || w.Own >= none.Own || w.Grams >= fresh.Grams {
		t.Errorf("%+v by tape, %+v by scale", w, fresh)
	}
	// A typing error, a guess and the future change nothing.
	guess, future := weighing("a", 2, 900), weighing("a", -2, 900)
	guess.Method = worth.Estimate
	if odd, _ := at(weighing("a", 1, heavy), weighing("a", 1, 10*heavy), guess, future); odd.Grams != fresh.Grams {
		t.Errorf("%+v with rubbish, %+v without", odd, fresh)
	}
	// An animal of unknown birth is as old as it looks.
	a.Born = time.Time{}
	if w, _ := at(weighing("a", 30, 400)); math.Abs(float64(w.Grams)/1000-420) > 20 {
		t.Errorf("%+v a month after 400 kg", w)
	}
	if w, _ := at(); math.Abs(float64(w.Grams)/1000-cattle.Curve("", "m").Kg(8)) > 0.01 {
		t.Errorf("%+v of unknown birth", w)
	}
}

func TestPlausible(t *testing.T) {
	t.Parallel()
	cattle, _ := builtin(t).Get("cattle")
	a := aged("a", "cattle", "m", 20)
	good := worth.Plausible(cattle, a, []iot.Weighing{weighing("a", 10, 5100), weighing("a", 40, 495), weighing("a", 100, 430), weighing("a", 70, 200), weighing("a", 5, 0)}, now)
	if !slices.Equal(good, []bool{false, true, true, false, false}) {
		t.Error(good)
	}
}

func TestUnborn(t *testing.T) {
	t.Parallel()
	cattle, _ := builtin(t).Get("cattle")
	full := cattle.Pregnancy.Young
	for _, c := range []struct {
		days int
		sex  string
		want money.Fen
	}{
		{59, "f", 0}, {60, "f", full * 60 / 283}, {283, "f", full}, {300, "f", full}, {312, "f", 0}, {100, "m", 0}, {-5, "f", 0},
	} {
		a := iot.Animal{Species: "cattle", Sex: c.sex, Bred: now.Add(-time.Duration(c.days) * day)}
		if got := worth.Unborn(cattle, a, now); got != c.want {
			t.Errorf("%s %d days: %d, want %d", c.sex, c.days, got, c.want)
		}
	}
	if worth.Unborn(cattle, iot.Animal{Sex: "f"}, now) != 0 {
		t.Error("a cow that was not bred carries a calf")
	}
	for code, days := range map[string]int64{"cattle": 283, "dairy": 283, "sheep": 150, "goat": 150, "pig": 114, "broiler": 0} {
		if s, _ := builtin(t).Get(code); s.Pregnancy.Days != days {
			t.Errorf("%s: %d days", code, s.Pregnancy.Days)
		}
	}
}

// TestClasses: a dairy cow and a sow are sold by the head, a heifer and a hog by weight.
func TestClasses(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	v := value(t, c, worth.Input{Animals: []iot.Animal{aged("1", "dairy", "f", 40), aged("2", "dairy", "f", 12), aged("3", "pig", "f", 20), aged("4", "pig", "c", 6), aged("5", "pig", "f", 1)}})
	var got []string
	for _, x := range v.Terms {
		got = append(got, fmt.Sprintf("%s/%s %d: %d or %d", x.Species, x.Class, x.Heads, x.PriceFenKg, x.PriceFenHead))
	}
	want := "dairy/cow 1: 0 or 1200000|dairy/heifer 1: 2200 or 0|pig/fattening 1: 1250 or 0|pig/piglet 1: 2300 or 0|pig/sow 1: 0 or 150000"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if v := value(t, c, worth.Input{Animals: []iot.Animal{aged("3", "pig", "f", 20)}}); v.Middle != 150000*95/100*80/100 {
		t.Errorf("a sow is worth %v", v.Middle)
	}
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	ox := []iot.Animal{{ID: "a", Species: "ox"}}
	if v := value(t, flat(t, terms{}), worth.Input{Animals: ox}); v.Middle != 0 || v.High != 0 || !slices.Equal(v.Doubts, []string{worth.NoPrice}) {
		t.Errorf("%+v", v)
	}
	late := now.AddDate(1, 0, 0)
	if v := value(t, flat(t, terms{price: 1000}), worth.Input{Animals: ox, At: late}); v.Middle == 0 || !slices.Equal(v.Doubts, []string{worth.OldPrice}) {
		t.Errorf("%+v", v)
	}
}

// TestHouse: a house is its birds by the last count, less the deaths since, at the
// weight of its curve or of its scale.
func TestHouse(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	broiler, _ := c.Get("broiler")
	house := iot.Animal{ID: "h", Species: "broiler", Born: now.Add(-35 * day), Heads: 10_000}
	v := value(t, c, worth.Input{Animals: []iot.Animal{house}})
	if heads := v.Terms[0].Heads; heads != 9509 { // 10,000 × 0.99⁵
		t.Errorf("%d birds", heads)
	}
	kg := broiler.Curve("", "").Kg(35 * 12 / 365.2425)
	if got := float64(v.Grams) / 1000 / 9509; math.Abs(got-kg) > 0.01 || kg < 1.7 || kg > 2.4 {
		t.Errorf("%v kg a bird, the curve has %v", got, kg)
	}
	counted := value(t, c, worth.Input{Animals: []iot.Animal{house}, Houses: map[string]worth.House{"h": {Heads: 8000, At: now.Add(-7 * day)}},
		Weighings: map[string][]iot.Weighing{"h": {weighing("h", 1, kg*0.9)}}})
	if counted.Terms[0].Heads != 7920 || counted.Middle >= v.Middle || counted.Weighed != 1 {
		t.Errorf("%+v", counted)
	}
}

func TestCap(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	var animals []iot.Animal
	for i := range 10 {
		animals = append(animals, aged(fmt.Sprint(i), "cattle", "m", float64(4+2*i)))
	}
	n := func(i int) *int { return &i }
	all := value(t, c, worth.Input{Animals: animals})
	five := value(t, c, worth.Input{Animals: animals, Cap: n(5), CapLow: n(3)})
	light := value(t, c, worth.Input{Animals: animals[:3]})
	if five.Counted != 5 || math.Abs(float64(five.Middle)-float64(all.Middle)/2) > 1 || five.Low != light.Low {
		t.Errorf("%+v of %+v; the lightest three %+v", five, all, light)
	}
	if none := value(t, c, worth.Input{Animals: animals, Cap: n(0)}); none.Middle != 0 || none.Low != 0 || none.High != 0 {
		t.Errorf("%+v", none)
	}
	if more := value(t, c, worth.Input{Animals: animals, Cap: n(99), CapLow: n(99)}); more.Middle != all.Middle || more.Low != all.Low {
		t.Errorf("%+v", more)
	}
}

// TestOrder: low, middle and high are in order, and a value grows with price, heads,
// weight and cap and falls with the haircut.
func TestOrder(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	kinds := c.All()
	rapid.Check(t, func(t *rapid.T) {
		in := worth.Input{At: now, Weighings: make(map[string][]iot.Weighing)}
		for i := range rapid.IntRange(0, 12).Draw(t, "heads") {
			a := aged(fmt.Sprint(i), rapid.SampledFrom(kinds).Draw(t, "species").Code, rapid.SampledFrom([]string{"m", "f", "c", ""}).Draw(t, "sex"), rapid.Float64Range(0, 200).Draw(t, "months"))
			if rapid.Bool().Draw(t, "unknown") {
				a.Born = time.Time{}
			}
			for range rapid.IntRange(0, 3).Draw(t, "weighings") {
				in.Weighings[a.ID] = append(in.Weighings[a.ID], weighing(a.ID, rapid.IntRange(-10, 500).Draw(t, "days"), rapid.Float64Range(-1, 2000).Draw(t, "kg")))
			}
			a.Heads = rapid.IntRange(0, 100).Draw(t, "birds")
			a.Bred = now.Add(-time.Duration(rapid.IntRange(-10, 400).Draw(t, "bred")) * day)
			in.Animals = append(in.Animals, a)
		}
		most, least := rapid.IntRange(0, 14).Draw(t, "cap"), rapid.IntRange(0, 14).Draw(t, "low")
		in.Cap, in.CapLow = &most, &least
		v, err := worth.Of(c, in)
		if err != nil {
			t.Fatal(err)
		}
		if v.Low < 0 || v.Low > v.Middle || v.Middle > v.High {
			t.Fatalf("%+v", v)
		}
		more, fewer := most+1, max(0, least-1)
		in.Cap = &more
		w, err := worth.Of(c, in)
		if err != nil || w.Middle < v.Middle || w.High < v.High || w.Low < v.Low {
			t.Fatalf("cap %d: %+v, cap %d: %+v", most, v, more, w)
		}
		in.Cap, in.CapLow = &most, &fewer
		if w, err = worth.Of(c, in); err != nil || w.Middle != v.Middle || w.Low > v.Low {
			t.Fatalf("low %d: %+v, low %d: %+v", least, v, fewer, w)
		}
	})
}

func TestMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		x := terms{price: money.Fen(rapid.Int64Range(1, 10_000).Draw(rt, "price")), mortality: rapid.Int64Range(0, 9_000).Draw(rt, "mortality"),
			haircut: rapid.Int64Range(0, 9_999).Draw(rt, "haircut"), herd: rapid.Int64Range(0, 3000).Draw(rt, "herd"), spread: rapid.Int64Range(0, 3000).Draw(rt, "spread")}
		kg := rapid.Float64Range(90, 105).Draw(rt, "kg")
		of := func(x terms, kg float64) worth.Value {
			return value(t, flat(t, x), worth.Input{Animals: []iot.Animal{{ID: "a", Species: "ox", Born: now.AddDate(-2, 0, 0)}},
				Weighings: map[string][]iot.Weighing{"a": {weighing("a", 3, kg)}}})
		}
		v := of(x, kg)
		dearer, harder := x, x
		dearer.price++
		harder.haircut++
		for name, w := range map[string]worth.Value{"price": of(dearer, kg), "weight": of(x, kg+1)} {
			if w.Middle < v.Middle || w.Low < v.Low || w.High < v.High {
				rt.Errorf("more %s makes %+v of %+v", name, w, v)
			}
		}
		if w := of(harder, kg); w.Middle > v.Middle || w.Low > v.Low || w.High > v.High {
			rt.Errorf("more haircut makes %+v of %+v", w, v)
		}
	})
}

func ExampleOf() {
	files, _ := catalog.Open("")
	c, _ := species.Load(files)
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	steer := iot.Animal{ID: "1", Species: "cattle", Sex: "c", Born: at.AddDate(-1, -6, 0)}
	curve, _ := worth.Of(c, worth.Input{Animals: []iot.Animal{steer}, At: at})
	weighed, _ := worth.Of(c, worth.Input{Animals: []iot.Animal{steer}, At: at, Weighings: map[string][]iot.Weighing{
		"1": {{AnimalID: "1", At: at.AddDate(0, 0, -10), Kg: 540, Method: worth.Scale}},
	}})
	fmt.Printf("by the curve %d kg, %s yuan, at least %s\n", curve.Grams/1000, curve.Middle, curve.Low)
	fmt.Printf("by its scale %d kg, %s yuan, at least %s\n", weighed.Grams/1000, weighed.Middle, weighed.Low)
	// Output:
	// by the curve 500 kg, 10254.20 yuan, at least 6887.56
	// by its scale 546 kg, 11202.45 yuan, at least 8447.49
}
