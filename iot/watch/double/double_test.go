package double_test

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/double"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func cattle(tb testing.TB) *species.Watch {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	all, err := species.Load(files)
	if err != nil {
		tb.Fatal(err)
	}
	c, _ := all.Get("cattle")
	return &c.Watch
}

// run lets fixes pass a gate and follows the places, as the watch does; it returns at
// which fix two places were told, or -1.
func run(w *species.Watch, all []fence.Fix) int {
	var gate fence.Gate
	var places *double.Places
	for i, f := range all {
		before := gate.Last
		why := gate.Step(f, w)
		switch {
		case places != nil:
			if !places.Step(f, w) {
				places = nil
			}
		case why == fence.Speed:
			places = double.NewPlaces(before, f)
		}
		if places != nil && places.Open {
			return i
		}
	}
	return -1
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	w := cattle(t)
	rng := rand.New(rand.NewPCG(1, 2))
	near := func(x float64) orb.Point { return orb.Point{x + 8*rng.NormFloat64(), 8 * rng.NormFloat64()} }
	for _, c := range []struct {
		name string
		at   func(i int) orb.Point
		want bool
	}{
		{"one animal", func(int) orb.Point { return near(0) }, false},
		{"single errors of the receiver, each somewhere else", func(i int) orb.Point {
			if i%4 == 3 {
				return orb.Point{5000 * rng.NormFloat64(), 5000 * rng.NormFloat64()}
			}
			return near(0)
		}, false},
		{"a lorry", func(i int) orb.Point { return near(float64(max(0, i-20)) * 6000) }, false},
		{"there and back by lorry", func(i int) orb.Point { return near(float64(min(i%40, 40-i%40)) * 3000) }, false},
		{"two tags by turns", func(i int) orb.Point { return near(float64(i%2) * 20000) }, true},
		{"two tags, not quite by turns", func(int) orb.Point { return near(float64(rng.IntN(2)) * 20000) }, true},
		{"the second one speaks seldom", func(i int) orb.Point {
			if i%5 == 0 {
				return near(20000)
			}
			return near(0)
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []fence.Fix
			for i := range 120 {
				all = append(all, fence.Fix{At: start.Add(time.Duration(i) * 5 * time.Minute), P: c.at(i), Accuracy: 8})
			}
			at := run(w, all)
			if (at >= 0) != c.want {
				t.Errorf("told at fix %d", at)
			}
			if c.want && at > 40 {
				t.Errorf("told only at fix %d", at)
			}
		})
	}
}

// TestRealHaveOnePlace: real tags, with all their errors and a lorry, have one place.
func TestRealHaveOnePlace(t *testing.T) {
	t.Parallel()
	w := cattle(t)
	plane := fence.NewPlane(orb.Point{-116.2, 43.6})
	for tag, all := range tracks(t, "gps_cows_flagged.csv") {
		for i := range all {
			all[i].P = plane.Metres(all[i].P)
		}
		if at := run(w, all); at >= 0 {
			t.Errorf("tag %s has two places at %v", tag, all[at].At)
		}
	}
	for tag, all := range tracks(t, "rtls_calves.csv.gz") {
		if at := run(w, all); at >= 0 {
			t.Errorf("tag %s has two places at %v", tag, all[at].At)
		}
	}
}

// tracks reads the fixes of a real file by tag, in the order of time, without zeros.
func tracks(tb testing.TB, name string) map[string][]fence.Fix {
	tb.Helper()
	f, err := fixes.Open(filepath.Join(realdata.Dir(tb, "iot"), name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r, err := fixes.NewReader(f, name)
	if err != nil {
		tb.Fatal(err)
	}
	by := make(map[string][]fence.Fix)
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if !fence.IsZero(fix.P) {
			tag := strings.Clone(fix.Tag)
			by[tag] = append(by[tag], fence.Fix{At: fix.At, P: fix.P, Accuracy: fix.Accuracy, Speed: fix.Speed})
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(by)) {
		sort.SliceStable(by[tag], func(i, j int) bool { return by[tag][i].At.Before(by[tag][j].At) })
	}
	return by
}

func TestPair(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		name  string
		apart float64 // m between the bodies
		sigma float64
		want  bool
	}{
		{"one body, good receivers", 0, 1, true},
		{"one body, ordinary receivers", 0, 5, true},
		{"a calf at foot", 12, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := double.NewPair(start)
			at, one := orb.Point{}, true
			for i := range 30 * 12 {
				if i%3 == 0 {
					at = orb.Point{at[0] + 40*rng.NormFloat64(), at[1] + 40*rng.NormFloat64()}
				}
				noise := func(x float64) orb.Point {
					return orb.Point{at[0] + x*rng.NormFloat64() + c.sigma*rng.NormFloat64(), at[1] + x*rng.NormFloat64() + c.sigma*rng.NormFloat64()}
				}
				if !p.Step(start.Add(time.Duration(i)*5*time.Minute), noise(0), noise(c.apart), c.sigma, c.sigma) {
					one = false
					break
				}
			}
			if got := one && p.One(); got != c.want {
				t.Errorf("one body: %v (%d moves, correlation %.4f)", got, p.Moves(), p.Correlation())
			}
		})
	}
}
