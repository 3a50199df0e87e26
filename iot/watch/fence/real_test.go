package fence_test

import (
	"errors"
	"io"
	"maps"
	"math"
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
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// calves returns the real fixes of 20 steers in pen 14, by tag in time order.
func calves(t *testing.T) (map[string][]fence.Fix, *fence.Ground) {
	t.Helper()
	dir := realdata.Dir(t, "iot")
	f, err := fixes.Open(filepath.Join(dir, "rtls_calves.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := fixes.NewReader(f, "rtls_calves.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string][]fence.Fix)
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		by[fix.Tag] = append(by[fix.Tag], fence.Fix{At: fix.At, P: fix.P, Accuracy: fix.Accuracy})
	}
	for _, all := range by {
		sort.Slice(all, func(i, j int) bool { return all[i].At.Before(all[j].At) })
	}
	pen, err := fixes.Open(filepath.Join(dir, "rtls_pen_objects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer pen.Close()
	p, err := fixes.ReadFence(pen, "rtls_pen_objects.csv", "14")
	if err != nil {
		t.Fatal(err)
	}
	return by, fence.NewLocal(p...)
}

// cattle is the catalogue's thresholds; nothing is fitted to the files.
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

// follow lets fixes of one tag pass and returns at which of them an exit was told,
// or -1, and where it is held to be at the end.
func follow(all []fence.Fix, g *fence.Ground, w *species.Watch) (exit int, end fence.Place) {
	var gate fence.Gate
	var presence fence.Presence
	margins := fence.NewMargins(*w, g)
	exit = -1
	for i, f := range all {
		if !gate.Step(f, w).Believed() {
			continue
		}
		for _, b := range gate.Behind() {
			presence.Step(g.Distance(b.P), b.Accuracy, margins)
		}
		presence.Step(g.Distance(f.P), f.Accuracy, margins)
		if exit < 0 && presence.Place() == fence.Outside {
			exit = i
		}
	}
	return exit, presence.Place()
}

// TestRealPen replays 36 hours in which nobody left the pen: whole, thinned out, with
// gaps, and in random parts.
func TestRealPen(t *testing.T) {
	t.Parallel()
	by, ground := calves(t)
	w := cattle(t)
	seen, raw := 0, 0
	for _, all := range by {
		inside := true
		for _, f := range all {
			d := ground.Distance(f.P)
			if d > 0 && inside {
				raw++
			}
			inside = d <= 0
			seen++
		}
	}
	t.Logf("%d fixes of %d tags: %d raw exits; size %.1f m, margin %.1f m", seen, len(by), raw, ground.Size(), fence.NewMargins(*w, ground).Out)
	if len(by) != 20 || seen < 80_000 || raw < 500 {
		t.Errorf("the data is not what it was: %d tags, %d fixes, %d raw exits", len(by), seen, raw)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	replays, exits := 0, 0
	check := func(all []fence.Fix) {
		replays++
		if at, end := follow(all, ground, w); at >= 0 || end != fence.Inside {
			exits++
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(by)) {
		all := by[tag]
		check(all)
		for _, every := range []int{2, 5, 12} {
			for from := range every {
				var part []fence.Fix
				for i := from; i < len(all); i += every {
					part = append(part, all[i])
				}
				check(part)
			}
		}
		for range 5 { // gaps of up to three hours
			var part []fence.Fix
			var until time.Time
			for _, f := range all {
				if f.At.Before(until) {
					continue
				}
				if rng.Float64() < 0.002 {
					until = f.At.Add(time.Duration(rng.Int64N(int64(3 * time.Hour))))
				}
				part = append(part, f)
			}
			check(part)
		}
		for range 10 { // bootstrap: a random third of the fixes
			var part []fence.Fix
			for _, f := range all {
				if rng.IntN(3) == 0 {
					part = append(part, f)
				}
			}
			check(part)
		}
	}
	t.Logf("%d replays, %d with a false exit", replays, exits)
	if exits != 0 {
		t.Errorf("%d false exits", exits)
	}
}

// TestRealPenTrueExit lets steers leave at random moments, with their own real scatter
// and rhythm: walking or running off in any direction, or being somewhere else at once,
// tens of metres away or more. The exit must be told within three fixes beyond the margin.
func TestRealPenTrueExit(t *testing.T) {
	t.Parallel()
	by, ground := calves(t)
	w := cattle(t)
	margin := fence.NewMargins(*w, ground).Out
	rng := rand.New(rand.NewPCG(1, 2))
	tags := slices.Sorted(maps.Keys(by))
	const planted = 2000
	early, missed := 0, 0
	var within [4]int
	for range planted {
		all := by[tags[rng.IntN(len(tags))]]
		from := 100 + rng.IntN(len(all)-400)
		part := slices.Clone(all[max(0, from-300) : from+300])
		at := part[min(from, 300)].At
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		pace := []float64{0.7, 1.2, 2, 5, math.Inf(1)}[rng.IntN(5)] // m/s
		far := 45 + 300*rng.Float64()                               // m: out of the pen in any direction
		beyond, third := 0, -1
		for i := range part {
			if part[i].At.Before(at) {
				continue
			}
			gone := far
			if s := part[i].At.Sub(at).Seconds(); !math.IsInf(pace, 1) {
				gone = min(far, pace*s)
			}
			part[i].P = orb.Point{part[i].P[0] + gone*cos, part[i].P[1] + gone*sin}
			if ground.Distance(part[i].P) > margin && third < 0 {
				if beyond++; beyond == 3 {
					third = i
				}
			}
		}
		if third < 0 {
			continue // the data ends before
		}
		exit, _ := follow(part, ground, w)
		switch {
		case exit < 0 || exit > third:
			missed++
		case part[exit].At.Before(at):
			early++
		default:
			n := 0
			for i := exit + 1; i <= third; i++ {
				if ground.Distance(part[i].P) > margin {
					n++
				}
			}
			within[3-n]++
		}
	}
	t.Logf("%d planted exits: told at the 1st, 2nd, 3rd fix beyond the margin: %v; later: %d; before they left: %d", planted, within[1:], missed, early)
	if missed > 0 || early > 0 {
		t.Errorf("%d later than the third fix, %d too early", missed, early)
	}
}

// TestRealGPS cleans 1,714 raw fixes of range cows. Others have flagged each fix: two
// flags or more count as an error, also on the way to the range, where the cows
// went by lorry and were driven.
func TestRealGPS(t *testing.T) {
	t.Parallel()
	f, err := fixes.Open(filepath.Join(realdata.Dir(t, "iot"), "gps_cows_flagged.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := fixes.NewReader(f, "gps_cows_flagged.csv")
	if err != nil {
		t.Fatal(err)
	}
	flags := slices.Index(r.Header(), "TotalFlags")
	w := cattle(t)
	gates := make(map[string]*fence.Gate)
	plane := fence.NewPlane(orb.Point{-116.2, 43.6})
	var hit, wrong, missed, all int
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		g := gates[fix.Tag]
		if g == nil {
			g = &fence.Gate{}
			gates[strings.Clone(fix.Tag)] = g
		}
		why := fence.Zero
		if !fence.IsZero(fix.P) {
			why = g.Step(fence.Fix{At: fix.At, P: plane.Metres(fix.P), Accuracy: fix.Accuracy, Speed: fix.Speed}, w)
		}
		all++
		switch bad := fix.Row[flags] >= "2"; {
		case bad && why != fence.Kept:
			hit++
		case bad:
			missed++
		case why != fence.Kept:
			wrong++
		}
	}
	precision, recall := float64(hit)/float64(hit+wrong), float64(hit)/float64(hit+missed)
	t.Logf("%d fixes: precision %.3f, recall %.3f (%d found, %d wrong, %d missed)", all, precision, recall, hit, wrong, missed)
	if precision < 0.9 || recall < 0.9 {
		t.Errorf("precision %.3f, recall %.3f; both must be 0.9", precision, recall)
	}
}
