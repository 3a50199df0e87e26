package watch_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/watch"
)

// calves returns the real fixes of 20 steers in pen 14, by tag in time order.
func calves(t *testing.T) (map[string][]watch.Fix, *watch.Fence) {
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
	by := make(map[string][]watch.Fix)
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		by[fix.Tag] = append(by[fix.Tag], watch.Fix{At: fix.At, P: fix.P, Accuracy: fix.Accuracy})
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
	return by, watch.NewLocalFence(p)
}

// TestRealPen replays 36 hours in which nobody left the pen. The thresholds are the
// catalogue's for all cattle; nothing is fitted to this file.
func TestRealPen(t *testing.T) {
	t.Parallel()
	by, fence := calves(t)
	cattle, _ := load(t).Get("cattle")
	margins := watch.NewMargins(cattle.Watch, fence)
	raw, false3, seen := 0, 0, 0
	for _, all := range by {
		gate, presence, inside := watch.NewGate(cattle.Watch), watch.Presence{}, true
		for _, f := range all {
			d := fence.Distance(f.P)
			if d > 0 && inside {
				raw++
			}
			inside = d <= 0
			if gate.Step(f) == watch.Kept && presence.Step(d, f.Accuracy, margins) && presence.Place() == watch.Outside {
				false3++
			}
			seen++
		}
		if presence.Place() != watch.Inside {
			t.Errorf("a steer ends at place %v", presence.Place())
		}
	}
	t.Logf("%d fixes of %d tags: %d raw exits, %d after cleaning; fence size %.1f m, margin %.1f m", seen, len(by), raw, false3, fence.Size(), margins.Out)
	if len(by) != 20 || seen < 80_000 || raw < 500 {
		t.Errorf("the data is not what it was: %d tags, %d fixes, %d raw exits", len(by), seen, raw)
	}
	if false3 != 0 {
		t.Errorf("%d false exits", false3)
	}
}

// TestRealPenTrueExit lets each steer walk away from a random moment on, with its own
// real scatter and rhythm, and wants the exit within three fixes beyond the margin.
func TestRealPenTrueExit(t *testing.T) {
	t.Parallel()
	by, fence := calves(t)
	cattle, _ := load(t).Get("cattle")
	margins := watch.NewMargins(cattle.Watch, fence)
	rng := rand.New(rand.NewPCG(1, 2))
	for tag, all := range by {
		gate, presence := watch.NewGate(cattle.Watch), watch.Presence{}
		from := len(all)/4 + rng.IntN(len(all)/2)
		beyond, found := 0, false
		for i, f := range all {
			if i >= from {
				walked := min(1.2*f.At.Sub(all[from].At).Seconds(), 400) // m at 1.2 m/s, north-east
				f.P = orb.Point{f.P[0] + walked*0.7071, f.P[1] + walked*0.7071}
			}
			d := fence.Distance(f.P)
			if i >= from && d > margins.Out {
				beyond++
			}
			if gate.Step(f) == watch.Kept && presence.Step(d, 0, margins) && presence.Place() == watch.Outside {
				found = i >= from
				break
			}
		}
		if !found || beyond > 3 {
			t.Errorf("tag %s: found %v after %d fixes beyond the margin", tag, found, beyond)
		}
	}
}

// TestRealGPS cleans 1,714 raw fixes of range cows. Each fix has error flags of
// others; two or more are usual for errors, and also for the morning on which the
// cows were driven to the range at 20 to 30 m/s: those fixes are true, but no animal
// walks so. What is believed must be free of zeros and of single jumps.
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
	cattle, _ := load(t).Get("cattle")
	gates := make(map[string]*watch.Gate)
	plane := watch.NewPlane(orb.Point{-116.2, 43.6})
	var zero, dropped, kept, flagged, both int
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
			n := watch.NewGate(cattle.Watch)
			g, gates[fix.Tag] = &n, &n
		}
		bad := fix.Row[flags] >= "2"
		if bad {
			flagged++
		}
		switch {
		case watch.IsZero(fix.P):
			zero++
			continue
		case g.Step(watch.Fix{At: fix.At, P: plane.Metres(fix.P)}) != watch.Kept:
			dropped++
			if bad {
				both++
			}
		default:
			kept++
		}
	}
	t.Logf("%d kept, %d dropped, %d zero; of the dropped %d have two flags or more, of %d in all", kept, dropped, zero, both, flagged)
	if zero != 4 || kept+dropped+zero != 1714 {
		t.Errorf("%d kept, %d dropped, %d zero of 1714", kept, dropped, zero)
	}
	if dropped == 0 || float64(both) < 0.8*float64(dropped) {
		t.Errorf("of %d dropped fixes only %d are flagged", dropped, both)
	}
}
