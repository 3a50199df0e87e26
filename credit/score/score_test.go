package score_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
)

func ExampleModel_Score() {
	m, err := score.New(little())
	if err != nil {
		panic(err)
	}
	var out score.Result
	m.Score([]score.Value{score.Num(3), score.Text("coal")}, &out)
	fmt.Println(out.Points)
	for _, p := range out.Parts {
		fmt.Printf("%s [%s] costs %.0f\n", m.Inputs()[p.Input], m.BinText(p.Input, p.Bin), p.Lost)
	}
	// Output:
	// 485
	// years [≥ 2, < 5] costs 25
	// trade [*] costs 25
}

func TestSameModelSameBytes(t *testing.T) {
	t.Parallel()
	m, err := score.New(little())
	if err != nil {
		t.Fatal(err)
	}
	again, err := score.Read(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes(), again.Bytes()) || m.ID() != again.ID() || !strings.HasPrefix(m.ID(), "little@1:") {
		t.Fatalf("%s became %s", m.ID(), again.ID())
	}
	// What the caller does with the file does not reach the model.
	f := little()
	kept, err := score.New(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Inputs[0].Bins[0].Points = 1000
	var out score.Result
	if kept.Score([]score.Value{score.Num(1), score.Text("tea")}, &out); out.Points != 476 {
		t.Fatalf("a change outside reached the model: %d points", out.Points)
	}
}

func TestModelsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*score.File){
		"format":             func(f *score.File) { f.Format = "furrow-score/9" },
		"name":               func(f *score.File) { f.Name = "a@b" },
		"no inputs":          func(f *score.File) { f.Inputs = nil },
		"twice":              func(f *score.File) { f.Inputs[1].Name = "years" },
		"no missing bin":     func(f *score.File) { f.Inputs[0].Bins = f.Inputs[0].Bins[:4] },
		"falling edges":      func(f *score.File) { f.Inputs[0].Bins[1].Below = below(1) },
		"special twice":      func(f *score.File) { f.Inputs[0].Bins[3].Special = []float64{-9, -9} },
		"broken direction":   func(f *score.File) { f.Inputs[0].Bins[2].Points = -5 },
		"no other":           func(f *score.File) { f.Inputs[1].Bins[2] = score.Bin{Values: []string{"x"}} },
		"two things at once": func(f *score.File) { f.Inputs[1].Bins[0].Other = true },
		"pair out of range":  func(f *score.File) { f.Pairs[0].B = 7 },
		"pair group":         func(f *score.File) { f.Pairs[0].GroupA[0] = 9 },
		"pd of one":          func(f *score.File) { f.Calibration[0].PD = 1 },
		"rising pd":          func(f *score.File) { f.Calibration[2].PD = 0.9 },
		"no calibration":     func(f *score.File) { f.Calibration = nil },
		"scale":              func(f *score.File) { f.Scale.PDO = 0 },
	} {
		f := little()
		spoil(&f)
		if _, err := score.New(f); !errors.Is(err, score.ErrModel) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// With a pair that keeps the direction too, more of a declared input never costs points.
func TestMoreOfADeclaredInputNeverLowersPoints(t *testing.T) {
	t.Parallel()
	f := little()
	f.Pairs[0] = score.Pair{A: 0, B: 1, GroupA: []int{0, 1, 1, 2, 2}, GroupB: []int{0, 1, 1, 1}, Points: [][]int{{-4, 0}, {6, 0}, {0, 3}}}
	m, err := score.New(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, trade := range []score.Value{score.Text("tea"), score.Text("1"), score.Text("x"), score.Missing} {
		last := -1 << 30
		for years := 0.0; years < 9; years += 0.25 {
			var out score.Result
			m.Score([]score.Value{score.Num(years), trade}, &out)
			if out.Points < last {
				t.Fatalf("%v years of %v: %d points after %d", years, trade, out.Points, last)
			}
			last = out.Points
		}
	}
}

func TestNumbersAsTablesWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"12": 12, "-8": -8, "1.5e3": 1500, "$1,234.50": 1234.5, "-$60,000.00": -60000, "￥12": 12, "35%": 0.35, "1,234,567": 1234567, "+3": 3, ".5": 0.5,
	} {
		if got, ok := score.ParseNumber(text); !ok || got != want {
			t.Errorf("%q: got %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "1,2", "12,34", "0x10", "1_000", "Inf", "NaN", "1e999", "1 2", "--3", "%", "$"} {
		if got, ok := score.ParseNumber(text); ok {
			t.Errorf("%q is no number, got %v", text, got)
		}
	}
	for text, want := range map[string]float64{"1970-01-02": 1, "2026/5/31": 20604, "2026年5月31日": 20604, "31-May-26": 20604, "2026-05-31 08:00:00": 20604} {
		if got, ok := score.ParseDay(text); !ok || got != want {
			t.Errorf("%q: got %v %v, want %v", text, got, ok, want)
		}
	}
}

func TestScoreAllocatesNothing(t *testing.T) {
	m, row := wide(t, true)
	var out score.Result
	m.Score(row, &out)
	if n := testing.AllocsPerRun(100, func() { m.Score(row, &out) }); n != 0 {
		t.Fatalf("%v allocations a score", n)
	}
}

// wide is a model of twenty inputs with five pairs, or all of them.
func wide(tb testing.TB, all bool) (*score.Model, []score.Value) {
	tb.Helper()
	f := little()
	f.Inputs, f.Pairs = nil, nil
	var row []score.Value
	for i := range 20 {
		in := score.Input{Name: fmt.Sprintf("x%d", i), Kind: score.Number}
		for k := range 11 {
			in.Bins = append(in.Bins, score.Bin{Below: below(float64(k * 10)), Points: k*3 - i})
		}
		in.Bins = append(in.Bins, score.Bin{Points: 40}, score.Bin{Missing: true, Points: -7})
		v := score.Num(float64(i * 7 % 120))
		if i%4 == 3 {
			in = score.Input{Name: in.Name, Kind: score.Category, Bins: []score.Bin{{Values: []string{"red", "green"}, Points: 3}, {Values: []string{"blue"}, Points: -3}, {Other: true}, {Missing: true}}}
			v = score.Text("blue")
		}
		f.Inputs, row = append(f.Inputs, in), append(row, v)
	}
	groups := func(in int) []int {
		out := make([]int, len(f.Inputs[in].Bins))
		for k := range out {
			out[k] = k % 4
		}
		return out
	}
	for b := range f.Inputs {
		for a := range b {
			if all || b%4 == 1 && a == b-1 {
				f.Pairs = append(f.Pairs, score.Pair{A: a, B: b, GroupA: groups(a), GroupB: groups(b), Points: [][]int{{1, 2, 3, 4}, {0, 0, 0, 0}, {5, 6, 7, 8}, {-1, -2, -3, -4}}})
			}
		}
	}
	m, err := score.New(f)
	if err != nil {
		tb.Fatal(err)
	}
	return m, row
}

func BenchmarkScore(b *testing.B) {
	for name, all := range map[string]bool{"pairs=5": false, "pairs=190": true} {
		b.Run(name, func(b *testing.B) {
			m, row := wide(b, all)
			var out score.Result
			b.ReportAllocs()
			for b.Loop() {
				m.Score(row, &out)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	m, err := score.New(little())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Bytes())
	f.Add([]byte(`{"format":"furrow-score/1","inputs":[{"bins":[]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := score.Read(b)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatalf("an error that nobody can act on: %v", err)
			}
			return
		}
		again, err := score.Read(m.Bytes())
		if err != nil || again.ID() != m.ID() {
			t.Fatalf("a model does not read back: %v", err)
		}
		var out score.Result
		m.Score(nil, &out)
		m.Score([]score.Value{score.Num(1), score.Text("x"), score.Num(-9)}, &out)
		if !(out.PD >= 0 && out.PD <= 1 && out.Low <= out.PD && out.PD <= out.High) {
			t.Fatalf("pd %v in %v to %v", out.PD, out.Low, out.High)
		}
	})
}
