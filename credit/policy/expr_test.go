package policy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/money"
)

// drawNumber, drawText and drawFlag write expressions over facts, deeper and deeper.
func drawNumber(t *rapid.T, depth int, whole bool) string {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		if whole {
			return rapid.SampledFrom([]string{"debts", "asked", "queries_6m", "clear_age", "7", "100", "len(alerts)"}).Draw(t, "int")
		}
		return rapid.SampledFrom([]string{"confidence", "flood", "proven", "0.5", "1.25", "card_use"}).Draw(t, "float")
	}
	a, b := drawNumber(t, depth-1, whole), drawNumber(t, depth-1, whole)
	ops := []string{"(%s + %s)", "(%s - %s)", "(%s * %s)", "min(%s, %s)", "max(%s, %s)"}
	if whole {
		ops = append(ops, "part(%s, 2500 + 0 * (%s))")
	} else {
		ops = append(ops, "(%s / (%s + 0.125))")
	}
	if rapid.IntRange(0, 5).Draw(t, "if") == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", drawFlag(t, depth-1), a, b)
	}
	return fmt.Sprintf(rapid.SampledFrom(ops).Draw(t, "op"), a, b)
}

func drawText(t *rapid.T) string {
	return rapid.SampledFrom([]string{"crop", "region", "crop_status", `"rice"`, `"known"`, `""`}).Draw(t, "text")
}

func drawFlag(t *rapid.T, depth int) string {
	if depth <= 0 {
		return rapid.SampledFrom([]string{"pledged", "has_bureau", "true", "false", "never_sown"}).Draw(t, "flag")
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return "(" + drawFlag(t, depth-1) + rapid.SampledFrom([]string{" and ", " or ", " && ", " || ", " == ", " != "}).Draw(t, "op") + drawFlag(t, depth-1) + ")"
	case 1:
		return "not (" + drawFlag(t, depth-1) + ")"
	case 2:
		return "(" + drawText(t) + rapid.SampledFrom([]string{" == ", " != ", " < ", " >= ", " startsWith ", " contains "}).Draw(t, "op") + drawText(t) + ")"
	case 3:
		return "(" + drawText(t) + ` in ["rice", "known", "x"])`
	case 4:
		return rapid.SampledFrom([]string{"any", "all", "none"}).Draw(t, "of") + `(alerts, # in ["flood", "drought"] or # == crop)`
	default:
		op := rapid.SampledFrom([]string{" < ", " <= ", " > ", " >= ", " == ", " != "}).Draw(t, "op")
		return "(" + drawNumber(t, depth-1, rapid.Bool().Draw(t, "whole")) + op + drawNumber(t, depth-1, rapid.Bool().Draw(t, "whole")) + ")"
	}
}

// What is compiled to functions says the same as expr's own machine.
func TestFunctionsAgreeWithTheMachine(t *testing.T) {
	t.Parallel()
	compiled := 0
	rapid.Check(t, func(t *rapid.T) {
		source := drawFlag(t, 4)
		kind := reflect.Bool
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 1:
			source, kind = drawNumber(t, 4, true), reflect.Int
		case 2:
			source, kind = drawNumber(t, 4, false), reflect.Float64
		}
		c := &compiler{p: &Policy{texts: map[string]text{}, format: 1}, nodes: map[string]*node{}}
		x := c.compile("x", src{text: source}, kind)
		if x == nil {
			t.Fatalf("%s: %v", source, c.problems)
		}
		r := c.p.newRun()
		r.Facts = feature.Gather(credit.Evidence{}, feature.Terms{})
		r.Debts, r.Asked, r.Queries = rapid.IntRange(-5, 5000).Draw(t, "debts"), rapid.IntRange(0, 9).Draw(t, "asked"), rapid.IntRange(0, 9).Draw(t, "queries")
		r.Confidence, r.Flood, r.Proven = rapid.Float64Range(0, 1).Draw(t, "confidence"), 0.5, rapid.Float64Range(-1, 1).Draw(t, "proven")
		r.Pledged, r.Crop, r.CropStatus = rapid.Bool().Draw(t, "pledged"), rapid.SampledFrom([]string{"rice", "flood", ""}).Draw(t, "crop"), "known"
		r.Alerts = rapid.SampledFrom([][]string{nil, {"flood"}, {"flood", "theft"}}).Draw(t, "alerts")
		want := r.eval(x)
		var got any
		switch {
		case x.flag != nil:
			got = x.flag(r)
		case x.int != nil:
			got = x.int(r)
		case x.num != nil:
			got = x.num(r)
		default:
			return
		}
		compiled++
		if n, ok := want.(int); ok && kind == reflect.Float64 {
			want = float64(n)
		}
		if r.err == nil && got != want {
			t.Fatalf("%s: %v, the machine says %v", source, got, want)
		}
	})
	if compiled < 50 {
		t.Errorf("only %d of them are functions", compiled)
	}
}

func TestAmountsInTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64().Draw(t, "fen"))
		if got := string(appendYuan(nil, f)); got != f.String() {
			t.Fatalf("%s, not %s", got, f)
		}
		bp := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "bp")
		if got := string(appendBP(nil, bp)); got != money.BP(bp).String() {
			t.Fatalf("%s, not %s", got, money.BP(bp))
		}
		amount, share := rapid.Int64Range(-1<<52, 1<<52).Draw(t, "amount"), rapid.Int64Range(-20_000, 20_000).Draw(t, "share")
		want, _ := money.Mul(money.Fen(amount), share, 10_000)
		if got, err := part(int(amount), int(share)); err != nil || got != int(want) {
			t.Fatalf("part(%d, %d) is %d, not %d: %v", amount, share, got, want, err)
		}
	})
}

// A cell holds a number exactly when its words say so, after joining and negating too.
func TestCellsHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]reflect.Kind{reflect.Int, reflect.Float64}).Draw(t, "kind")
		var tests []string
		var holds []func(float64) bool
		for range rapid.IntRange(1, 4).Draw(t, "n") {
			a, w := float64(rapid.IntRange(-6, 6).Draw(t, "a")), float64(rapid.IntRange(1, 4).Draw(t, "w"))
			if kind == reflect.Float64 {
				a /= 2
			}
			switch rapid.IntRange(0, 4).Draw(t, "test") {
			case 0:
				tests, holds = append(tests, fmt.Sprint("< ", a)), append(holds, func(v float64) bool { return v < a })
			case 1:
				tests, holds = append(tests, fmt.Sprint(">= ", a)), append(holds, func(v float64) bool { return v >= a })
			case 2:
				tests, holds = append(tests, fmt.Sprintf("[%g..%g)", a, a+w)), append(holds, func(v float64) bool { return v >= a && v < a+w })
			case 3:
				tests, holds = append(tests, fmt.Sprintf("(%g..%g]", a, a+w)), append(holds, func(v float64) bool { return v > a && v <= a+w })
			default:
				tests, holds = append(tests, fmt.Sprint("!= ", a)), append(holds, func(v float64) bool { return v != a })
			}
		}
		text, negated := strings.Join(tests, ", "), rapid.Bool().Draw(t, "not")
		if negated {
			text = "not(" + text + ")"
		}
		c, err := parseCell(text, kind)
		if err != nil {
			t.Fatal(err)
		}
		for i := -20; i <= 20; i++ {
			v := float64(i)
			if kind == reflect.Float64 {
				v /= 4
			}
			want := negated
			for _, h := range holds {
				if h(v) {
					want = !negated
				}
			}
			if got := c.holds(kind, &probe{num: v}); got != want {
				t.Fatalf("%s of %g is %v: %+v", text, v, got, c.ranges)
			}
		}
		if c.holds(kind, &probe{missing: true}) {
			t.Fatalf("%s holds what is missing", text)
		}
	})
}

func FuzzParseCell(f *testing.F) {
	for _, s := range []string{"-", ">= 0.5", "[1..2)", "not(1, \"a\")", "missing, < 3", "true", "'x'"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		for _, k := range []reflect.Kind{reflect.Int, reflect.Float64, reflect.String, reflect.Bool} {
			if c, err := parseCell(s, k); err == nil {
				c.holds(k, &probe{num: 1, text: "a"})
			}
		}
	})
}
