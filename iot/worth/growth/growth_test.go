package growth_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot/worth/growth"
)

func TestCurves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		curve growth.Curve
		age   float64
		want  float64
	}{
		// The figures of the sources that print them.
		{growth.Curve{Model: growth.Gompertz, A: 50, B: 2.45, K: 0.0035, Unit: "day"}, 234.8 * 12 / 365.2425, 17.0},               // Korean native goat
		{growth.Curve{Model: growth.Gompertz, A: 56.6049, B: 2.8851, K: 0.1705}, 6.21, 20.823},                                    // Hubei black-head goat, inflection
		{growth.Curve{Model: growth.Bertalanffy, A: 44.6193, B: 0.6433, K: 0.1575}, 4.17, 13.221},                                 // the same, females
		{growth.Curve{Model: growth.Bertalanffy, A: 38.384, B: 0.527, K: 0.118}, 3.9, 11.4},                                       // Fuqing goat
		{growth.Curve{Model: growth.Brody, A: 1669, B: 1627. / 1669, K: 0.2237, Unit: "year"}, 24, 1669 - 1627*math.Exp(-0.4474)}, // Rode Geus at two years
		{growth.Curve{Model: growth.Logistic, A: 710.5, B: 8.147, K: 0.1655}, 0, 710.5 / 9.147},
		{growth.Curve{Model: growth.Richards, A: 100, B: 0.5, K: 1, M: 2}, 0, 25},
		{growth.Curve{Model: growth.Brody, A: 100, B: 0.5, K: 1, Unit: "week"}, -3, 50}, // not yet born
	} {
		if got := c.curve.Kg(c.age); math.Abs(got-c.want) > 0.021*c.want {
			t.Errorf("%+v at %v: %v, want %v", c.curve, c.age, got, c.want)
		}
	}
	born := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	if m := growth.Months(born, born.Add(12*growth.Month)); math.Abs(m-12) > 1e-9 {
		t.Error(m)
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	good := growth.Curve{Model: growth.Richards, A: 100, B: 0.5, K: 1, M: 2, Source: "x"}
	if why := good.Problem(); why != "" {
		t.Error(why)
	}
	for says, spoil := range map[string]func(*growth.Curve){
		"model":  func(c *growth.Curve) { c.Model = "" },
		"unit":   func(c *growth.Curve) { c.Unit = "moon" },
		"a is":   func(c *growth.Curve) { c.A = math.NaN() },
		"b is":   func(c *growth.Curve) { c.B = 1 },
		"k is":   func(c *growth.Curve) { c.K = 0 },
		"m is":   func(c *growth.Curve) { c.M = 0 },
		"source": func(c *growth.Curve) { c.Source = "" },
	} {
		c := good
		spoil(&c)
		if why := c.Problem(); !strings.Contains(why, says) {
			t.Errorf("%q: %q", says, why)
		}
	}
}

// level is a model without a curve: every animal weighs 1, more or less.
func level(s growth.Spread) growth.Model {
	return growth.Model{Mean: func(float64) float64 { return 0 }, Spread: s}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	m := level(growth.Spread{Level: 0.1, Wander: 0.08, Length: 6, Noise: 0.02})
	prior := math.Hypot(0.1, 0.08)
	none := m.Forecast(nil, 10)
	if none.Kg() != 1 || math.Abs(none.SD-prior) > 1e-12 || none.Share != 1 {
		t.Errorf("%+v", none)
	}
	// One weighing: log 1.2 × (0.0164 / (0.0164 + 0.0004)) at the moment of it.
	one := []growth.Point{{Age: 10, Kg: 1.2}}
	if f := m.Forecast(one, 10); math.Abs(f.Log-math.Log(1.2)*0.0164/0.0168) > 1e-6 {
		t.Errorf("%+v", f)
	}
	// The further ahead, the wider, and never wider than knowing nothing.
	last := 0.0
	for ahead := range 60 {
		f := m.Forecast(one, 10+float64(ahead))
		if f.SD < last-1e-12 || f.SD > prior {
			t.Fatalf("%d months ahead: %v after %v", ahead, f.SD, last)
		}
		last = f.SD
	}
	// A good spell goes on for a while.
	rising := []growth.Point{{Age: 6, Kg: 1}, {Age: 8, Kg: 1.05}, {Age: 10, Kg: 1.1}}
	falling := []growth.Point{{Age: 6, Kg: 1.2}, {Age: 8, Kg: 1.15}, {Age: 10, Kg: 1.1}}
	if up, down := m.Forecast(rising, 11), m.Forecast(falling, 11); up.Kg() < 1.003*down.Kg() {
		t.Errorf("%v kg after a good spell, %v kg after a bad one", up.Kg(), down.Kg())
	}
}

func TestBias(t *testing.T) {
	t.Parallel()
	m := level(growth.Spread{Level: 0.05, Wander: 0.05, Length: 6, Noise: 0.02})
	if off, left := m.Bias(nil, 0.1); off != 0 || math.Abs(left-0.1) > 1e-12 {
		t.Error(off, left)
	}
	if off, left := m.Bias([][]growth.Point{{{Age: 1, Kg: 2}}}, 0); off != 0 || left != 0 {
		t.Error(off, left)
	}
	var herd [][]growth.Point
	for range 200 {
		herd = append(herd, []growth.Point{{Age: 5, Kg: 1.1}})
	}
	if off, left := m.Bias(herd, 0.1); math.Abs(off-math.Log(1.1)) > 0.001 || left > 0.01 {
		t.Error(off, left)
	}
}

func TestPlausible(t *testing.T) {
	t.Parallel()
	m := level(growth.Spread{Level: 0.1, Wander: 0.08, Length: 6, Noise: 0.02})
	got := m.Plausible([]growth.Point{{Age: 1, Kg: 1}, {Age: 2, Kg: 1.02}, {Age: 2.1, Kg: 10}, {Age: 3, Kg: 0}, {Age: 3.1, Kg: 0.5}, {Age: 4, Kg: 1.03}})
	if d := cmp.Diff([]bool{true, true, false, false, false, true}, got); d != "" {
		t.Error(d)
	}
	if got := m.Plausible(nil); len(got) != 0 {
		t.Error(got)
	}
}

// herd makes animals on Gompertz curves of their own, weighed with an error.
func herd(animals, weighings int, noise float64) []growth.Weighed {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]growth.Weighed, animals)
	for i := range out {
		out[i].Animal = fmt.Sprintf("%03d", i)
		size, rate := math.Exp(0.08*rng.NormFloat64()), math.Exp(0.05*rng.NormFloat64())
		for j := range weighings {
			age := 5 + 20*(float64(j)+rng.Float64())/float64(weighings)
			kg := 750 * size * math.Exp(-2.9*math.Exp(-0.1*rate*age)+noise*rng.NormFloat64())
			out[i].Points = append(out[i].Points, growth.Point{Age: age, Kg: kg})
		}
	}
	return out
}

// TestTry: with animals of known spread the error is near that of the scale, the
// interval holds what it says, and every simpler way is worse.
func TestTry(t *testing.T) {
	t.Parallel()
	got, err := growth.Try(herd(60, 10, 0.01), 10)
	if err != nil {
		t.Fatal(err)
	}
	if got.MAPE > 0.016 || got.Coverage < 0.8 || got.Coverage > 0.99 || got.Tested != 60 || got.Folds != 10 {
		t.Errorf("%+v", got)
	}
	if p := got.Peers; p.Curve < 2*got.MAPE || p.Scaled < got.MAPE || p.Last < got.MAPE {
		t.Errorf("%.4f beside %+v", got.MAPE, p)
	}
	again, err := growth.Try(herd(60, 10, 0.01), 10)
	if d := cmp.Diff(got, again); err != nil || d != "" {
		t.Error(err, d)
	}
}

// TestTryUnseen: what is to be foretold and what is foretold never meet: whatever the
// last weight of an animal is, its forecast is the same.
func TestTryUnseen(t *testing.T) {
	t.Parallel()
	animals := herd(12, 6, 0.01)
	before, err := growth.Try(animals, 4)
	if err != nil {
		t.Fatal(err)
	}
	animals[5].Points[5].Kg *= 1.5
	after, err := growth.Try(animals, 4)
	if err != nil {
		t.Fatal(err)
	}
	if b, a := before.Forecasts[5], after.Forecasts[5]; b.Forecast != a.Forecast || b.Low != a.Low || b.Kg == a.Kg {
		t.Errorf("%+v became %+v", b, a)
	}
}

// TestTryFew: few animals, few weighings, equal ages and shrinking animals are foretold too.
func TestTryFew(t *testing.T) {
	t.Parallel()
	for name, animals := range map[string][]growth.Weighed{
		"three animals": herd(3, 6, 0.01),
		"two weighings": herd(20, 2, 0.01),
		"many":          herd(5, 200, 0.01),
	} {
		if got, err := growth.Try(animals, 10); err != nil || got.MAPE > 0.25 || math.IsNaN(got.MAPE) {
			t.Errorf("%s: %v %+v", name, err, got.MAPE)
		}
	}
	same, thin := herd(8, 3, 0.01), herd(8, 3, 0.01)
	for i := range same {
		for j := range 3 {
			same[i].Points[j].Age = float64(10 * j)
			thin[i].Points[j] = growth.Point{Age: float64(j), Kg: 100 * math.Exp(-0.1*float64(j)+0.01*float64(i%3))}
		}
	}
	for name, animals := range map[string][]growth.Weighed{"equal ages": same, "wasting": thin} {
		if got, err := growth.Try(animals, 10); err != nil || !(got.MAPE < 0.30) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	if _, err := growth.Try(herd(2, 2, 0.01), 10); !errors.Is(err, growth.ErrFewWeighings) {
		t.Error(err)
	}
	if _, err := growth.Try(nil, 10); !errors.Is(err, growth.ErrFewWeighings) {
		t.Error(err)
	}
}

// TestFitUnits: a herd weighed in pounds or aged in days is the same herd.
func TestFitUnits(t *testing.T) {
	t.Parallel()
	a, b := herd(20, 6, 0.01), herd(20, 6, 0.01)
	for i := range b {
		for j := range b[i].Points {
			b[i].Points[j].Age *= 30
			b[i].Points[j].Kg *= 2.2046
		}
	}
	x, err1 := growth.Try(a, 5)
	y, err2 := growth.Try(b, 5)
	if err1 != nil || err2 != nil || math.Abs(x.MAPE-y.MAPE) > 0.001 {
		t.Error(err1, err2, x.MAPE, y.MAPE)
	}
}

func TestForecastBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := growth.Spread{Level: rapid.Float64Range(0, 1).Draw(t, "level"), Wander: rapid.Float64Range(0, 1).Draw(t, "wander"),
			Length: rapid.Float64Range(0.01, 100).Draw(t, "length"), Noise: rapid.Float64Range(0.0001, 1).Draw(t, "noise")}
		m := level(s)
		var history []growth.Point
		age := 0.0
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			age += rapid.Float64Range(0, 10).Draw(t, "gap")
			history = append(history, growth.Point{Age: age, Kg: rapid.Float64Range(0.1, 10).Draw(t, "kg")})
		}
		f := m.Forecast(history, age+rapid.Float64Range(0, 50).Draw(t, "ahead"))
		if math.IsNaN(f.Log) || !(f.SD >= 0) || f.SD > math.Hypot(s.Level, s.Wander)+1e-9 {
			t.Fatalf("%+v", f)
		}
		if len(history) != len(m.Plausible(history)) {
			t.Fatal("not every weighing is judged")
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add("animal,month,weight\n1,2,50\n1,3,60\n2,2,NA\n")
	f.Add("\uFEFFeartag,age_days,weight_g\na,1,42\n")
	f.Add("耳标,月龄,体重\n\"1\",2,50\n")
	f.Fuzz(func(t *testing.T, text string) {
		var h growth.Herd
		if err := h.Read(strings.NewReader(text), "f", "month"); err != nil {
			if !errors.Is(err, growth.ErrFile) && !errors.Is(err, growth.ErrColumn) && !errors.Is(err, growth.ErrValue) {
				t.Error(err)
			}
			return
		}
		for _, a := range h.Animals() {
			last := math.Inf(-1)
			for _, p := range a.Points {
				if !(p.Kg > 0) || !(p.Age > last) || math.IsInf(p.Age, 0) {
					t.Errorf("%s: %+v after %v", a.Animal, p, last)
				}
				last = p.Age
			}
		}
	})
}

func ExampleModel_Forecast() {
	curve := growth.Curve{Model: growth.Gompertz, A: 789.3, B: 2.899, K: 0.1026, Source: "Hanwoo steers"}
	m := growth.Model{
		Mean:   func(months float64) float64 { return math.Log(curve.Kg(months)) },
		Spread: growth.Spread{Level: 0.05, Wander: 0.075, Length: 7, Noise: 0.025},
	}
	for _, history := range [][]growth.Point{nil, {{Age: 18, Kg: 540}}, {{Age: 15, Kg: 450}, {Age: 18, Kg: 540}}} {
		f := m.Forecast(history, 20)
		fmt.Printf("%d weighings: %.0f kg, give or take %.1f %%\n", len(history), f.Kg(), 100*f.SD)
	}
	// Output:
	// 0 weighings: 544 kg, give or take 9.0 %
	// 1 weighings: 582 kg, give or take 3.8 %
	// 2 weighings: 582 kg, give or take 3.8 %
}

func TestTryWithNothingToForetell(t *testing.T) {
	t.Parallel()
	var herd []growth.Weighed
	for i := range 20 {
		herd = append(herd, growth.Weighed{Animal: fmt.Sprint(i), Points: []growth.Point{{Age: float64(6 + i), Kg: 200 + float64(i)}}})
	}
	if got, err := growth.Try(herd, 10); !errors.Is(err, growth.ErrOnce) {
		t.Errorf("of animals weighed once: %+v, %v", got, err)
	}
}

func TestReadSaysThatAFileIsNotUTF8(t *testing.T) {
	t.Parallel()
	var h growth.Herd
	if err := h.Read(strings.NewReader("\xb6\xfa\xb1\xea,age_months,kg\n1,6,200\n"), "gbk.csv", "month"); !errors.Is(err, growth.ErrFile) {
		t.Errorf("%v", err)
	}
}
