package worth_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/money"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func get(tb testing.TB, code string) species.Species {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := species.Load(files)
	if err != nil {
		tb.Fatal(err)
	}
	s, ok := c.Get(code)
	if !ok {
		tb.Fatal("no species", code)
	}
	return s
}

func aged(months float64, sex string) iot.Animal {
	return iot.Animal{Sex: sex, Born: now.Add(-time.Duration(months * 365.2425 / 12 * 24 * float64(time.Hour)))}
}

// TestRealWeights holds the curve of male cattle against 460 weighings of 43 steers.
func TestRealWeights(t *testing.T) {
	t.Parallel()
	dir, cattle := realdata.Dir(t, "iot"), get(t, "cattle")
	var n int
	var sum float64
	for _, name := range []string{"weight_hanwoo1.csv", "weight_hanwoo2.csv"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		col := make(map[string]int)
		for i, h := range rows[0] {
			col[h] = i
		}
		for _, row := range rows[1:] {
			month, err1 := strconv.ParseFloat(row[col["month"]], 64)
			kg, err2 := strconv.ParseFloat(row[col["weight"]], 64)
			if err1 != nil || err2 != nil {
				continue
			}
			sum += math.Abs(float64(worth.Grams(cattle, aged(month, "m"), now))/1000-kg) / kg
			n++
		}
	}
	mape := 100 * sum / float64(n)
	t.Logf("%d weighings, mean error %.1f %%", n, mape)
	if n < 400 || mape > 12 {
		t.Errorf("%d weighings, mean error %.1f %%, want at most 12", n, mape)
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"cattle", "sheep"} {
		s := get(t, code)
		for _, sex := range []string{"m", "f", ""} {
			last := int64(0)
			for months := range 121 {
				g := worth.Grams(s, aged(float64(months), sex), now)
				if g < last || g > int64(1000*s.Growth.Male.A) {
					t.Fatalf("%s %q at %d months: %d g after %d g", code, sex, months, g, last)
				}
				last = g
			}
		}
		if worth.Grams(s, iot.Animal{}, now) != worth.Grams(s, aged(s.Growth.UnknownMonths, "f"), now) {
			t.Errorf("%s: an animal of unknown birth does not count as just weaned", code)
		}
		if worth.Grams(s, aged(-5, "f"), now) != worth.Grams(s, aged(0, "f"), now) {
			t.Errorf("%s: an unborn animal weighs something else than a newborn", code)
		}
	}
}

// flat is a species whose animals weigh a kg at any age.
func flat(kg float64, price money.Fen, mortality, haircut, spread int64) species.Species {
	curve := species.Gompertz{A: kg, B: 0, K: 1}
	return species.Species{Growth: species.Growth{Male: curve, Female: curve, SpreadBP: spread},
		Price: species.Price{FenPerKg: price}, MortalityBP: mortality, HaircutBP: haircut}
}

func ExampleOf() {
	// 100 kg at 26 yuan, 3 % expected deaths, 20 % cost of a forced sale, ±10 %.
	v, _ := worth.Of(flat(100, 2600, 300, 2000, 1000), []iot.Animal{{}}, time.Now())
	fmt.Println(v.Low, v.Middle, v.High)
	// Output: 1815.84 2017.60 2219.36
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kg      float64
		haircut int64
		want    money.Fen
	}{
		{0.005, 0, 0}, // half a fen at 100 fen/kg goes to the even neighbour
		{0.015, 0, 2},
		{0.025, 0, 2},
		{1, 10_000, 0},
	} {
		v, err := worth.Of(flat(c.kg, 100, 0, c.haircut, 0), []iot.Animal{{}}, now)
		if err != nil || v.Middle != c.want || v.Low != v.Middle || v.High != v.Middle {
			t.Errorf("%v kg: %+v, %v; want %d", c.kg, v, err, c.want)
		}
	}
	if v, err := worth.Of(get(t, "cattle"), nil, now); err != nil || v.Low != 0 || v.High != 0 {
		t.Errorf("an empty herd is worth %+v, %v", v, err)
	}
	if _, err := worth.Of(flat(1e15, 1e9, 0, 0, 0), []iot.Animal{{}}, now); !errors.Is(err, money.ErrOverflow) {
		t.Error("overflow:", err)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	cattle := get(t, "cattle")
	rapid.Check(t, func(t *rapid.T) {
		s := cattle
		s.MortalityBP = rapid.Int64Range(0, 10_000).Draw(t, "mortality")
		s.HaircutBP = rapid.Int64Range(0, 10_000).Draw(t, "haircut")
		s.Growth.SpreadBP = rapid.Int64Range(0, 10_000).Draw(t, "spread")
		var animals []iot.Animal
		for range rapid.IntRange(0, 50).Draw(t, "heads") {
			animals = append(animals, aged(rapid.Float64Range(0, 200).Draw(t, "months"), rapid.SampledFrom([]string{"m", "f", ""}).Draw(t, "sex")))
		}
		v, err := worth.Of(s, animals, now)
		if err != nil {
			t.Fatal(err)
		}
		if v.Low < 0 || v.Low > v.Middle || v.Middle > v.High {
			t.Fatalf("%+v", v)
		}
		more, err := worth.Of(s, append(animals, iot.Animal{}), now)
		if err != nil || more.Middle < v.Middle {
			t.Fatalf("one head more makes %v of %v", more.Middle, v.Middle)
		}
	})
}
