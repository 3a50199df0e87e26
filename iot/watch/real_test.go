package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// calves are the real fixes of 20 steers in pen 14 as readings, in the order of time,
// and the pen, put on the map around origin.
func calves(tb testing.TB) ([]iot.Reading, orb.Polygon) {
	tb.Helper()
	dir := realdata.Dir(tb, "iot")
	pen, err := fixes.Open(filepath.Join(dir, "rtls_pen_objects.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer pen.Close()
	pens, err := fixes.ReadFence(pen, "rtls_pen_objects.csv", "14")
	if err != nil {
		tb.Fatal(err)
	}
	polygon := pens[0]
	plane, middle := fence.NewPlane(origin), polygon.Bound().Center()
	place := func(p orb.Point) orb.Point { return plane.Degrees(orb.Point{p[0] - middle[0], p[1] - middle[1]}) }
	for i := range polygon[0][:len(polygon[0])-1] {
		polygon[0][i] = place(polygon[0][i])
	}
	polygon[0][len(polygon[0])-1] = polygon[0][0]
	f, err := fixes.Open(filepath.Join(dir, "rtls_calves.csv.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r, err := fixes.NewReader(f, "rtls_calves.csv.gz")
	if err != nil {
		tb.Fatal(err)
	}
	var all []iot.Reading
	for {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		p := place(fix.P)
		all = append(all, iot.Reading{Tenant: "x", Tag: strings.Clone(fix.Tag), At: fix.At, Received: fix.At, Lon: ptr(p[0]), Lat: ptr(p[1])})
	}
	return all, polygon
}

// watched lets an engine live through readings and returns what it told, once each.
func watched(tb testing.TB, readings []iot.Reading, ground orb.Polygon) map[string]iot.Event {
	tb.Helper()
	slices.SortStableFunc(readings, func(a, b iot.Reading) int { return a.At.Compare(b.At) })
	tags := make(map[string]bool)
	for _, r := range readings {
		tags[r.Tag] = true
	}
	var animals []iot.Animal
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		animals = append(animals, iot.Animal{ID: "a" + tag, HerdID: "h", Species: "cattle", Sex: "c", Born: start.AddDate(-9, 0, 0), TagID: tag})
	}
	store := &iottest.Store{}
	if err := store.AddHerd(tb.Context(), iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: ground, CreatedAt: start}, animals, nil); err != nil {
		tb.Fatal(err)
	}
	now := readings[0].At
	told := make(map[string]iot.Event)
	e := watch.New(watch.Config{Herds: store, Series: &seriestest.Memory{}, Species: kinds, Now: func() time.Time { return now },
		Raise: func(_ context.Context, ev iot.Event) error {
			if !ev.Cleared {
				told[fmt.Sprint(ev.Kind, " ", ev.Subject)] = ev
			}
			return nil
		}})
	if err := e.Reload(tb.Context(), "x", "h"); err != nil {
		tb.Fatal(err)
	}
	for i := range readings {
		now = readings[i].Received
		e.Observe(readings[i : i+1])
	}
	return told
}

// TestRealCalvesAreOneEach: 20 calves that lie and walk side by side in a small pen
// for 36 hours are 20, and none is anywhere else or out.
func TestRealCalvesAreOneEach(t *testing.T) {
	t.Parallel()
	readings, pen := calves(t)
	for what, e := range watched(t, readings, pen) {
		t.Error(what, e.Evidence)
	}
}

// TestRealCalfWithTwoTags gives a real calf a second tag with scatter and a rhythm of
// its own; the two are found out, and nobody else.
func TestRealCalfWithTwoTags(t *testing.T) {
	t.Parallel()
	readings, pen := calves(t)
	rng := rand.New(rand.NewPCG(8, 9))
	plane := fence.NewPlane(origin)
	var second []iot.Reading
	for i, r := range readings {
		if r.Tag != "598" && r.Tag != "678" || i+1 == len(readings) || rng.IntN(3) == 0 {
			continue
		}
		p := plane.Metres(orb.Point{*r.Lon, *r.Lat})
		p = plane.Degrees(orb.Point{p[0] + 0.5*rng.NormFloat64(), p[1] + 0.5*rng.NormFloat64()})
		at := r.At.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
		second = append(second, iot.Reading{Tenant: "x", Tag: r.Tag + "b", At: at, Received: at, Lon: ptr(p[0]), Lat: ptr(p[1])})
	}
	told := watched(t, append(readings, second...), pen)
	for _, want := range []string{"two_tags a598", "two_tags a678"} {
		e, ok := told[want]
		if !ok {
			t.Error("not found:", want)
		}
		t.Log(want, e.At, e.Evidence)
		delete(told, want)
	}
	for what, e := range told {
		t.Error(what, e.Evidence)
	}
}
