package watch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// still lets the tag lie still and cold for so many hours.
func (b *bench) still(tag string, hours int) {
	for range 6 * hours {
		r := b.live(tag, 0.02)
		r.Temp = ptr(15.5)
		b.hear(r)
		b.pass(10 * time.Minute)
	}
}

func TestAPersonLooks(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.memory = &remembered{}
	b.boot(false)
	b.hear(b.live("t1", 1.5))
	b.pass(10 * time.Minute)
	b.still("t1", 6)
	b.want("stillness a1 opened")
	// It sleeps in the snow.
	if err := b.engine.Confirm(t.Context(), "x", "a1", true, "u7"); err != nil {
		t.Fatal(err)
	}
	b.want("stillness a1 cleared")
	b.status(1, watch.StatusInside)
	b.still("t1", 4)
	b.want("")
	b.still("t1", 2)
	b.want("stillness a1 opened")
	// Now it is dead, and birds move it.
	if err := b.engine.Confirm(t.Context(), "x", "a1", false, "u7"); err != nil {
		t.Fatal(err)
	}
	b.boot(true)
	for range 5 {
		b.hear(b.live("t1", 1.5))
		b.pass(time.Minute)
	}
	b.status(1, watch.StatusUnverified)
	if got := b.told(); strings.Contains(got, "stillness a1 cleared") {
		t.Error("a dead animal lives again:", got)
	}
	if err := b.engine.Confirm(t.Context(), "x", "a9", true, "u7"); !errors.Is(err, iot.ErrAnimalNotFound) {
		t.Error("an animal that is not there:", err)
	}
	if err := b.engine.Confirm(t.Context(), "y", "a1", true, "u7"); !errors.Is(err, iot.ErrAnimalNotFound) {
		t.Error("another tenant's animal:", err)
	}
}

func TestHotAirTellsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	for i := range 9 * 6 {
		r := b.live("t1", 0.1) // a long rest
		if i == 0 {
			r.Activity = ptr(1.5)
		}
		r.Temp, r.Ambient = ptr(35.0), ptr(34.0)
		b.hear(r)
		b.pass(10 * time.Minute)
	}
	b.want("")
}

// TestHistoryIsNoAlarm: after an outage of its gateway a tag's own memory pours in. It
// was out of the fence and back: that is no alarm any more.
func TestHistoryIsNoAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.hear(b.at("t1", 400, 0))
	b.pass(12 * time.Hour)
	now := b.now
	backlog := func(hoursAgo, x float64) {
		r := b.at("t1", x, 0)
		r.At = now.Add(-time.Duration(hoursAgo * float64(time.Hour)))
		b.hear(r)
		b.pass(time.Second)
		b.tick()
	}
	for i := range 12 {
		backlog(11-float64(i)/6, 640)
	}
	backlog(5, 420)
	backlog(4, 400)
	backlog(0, 400)
	b.want("")
	b.status(1, watch.StatusInside)
	// The same, and it never came back: the end of the backlog tells.
	b.pass(12 * time.Hour)
	now = b.now
	for i := range 12 {
		backlog(11-float64(i)/6, 640)
	}
	b.want("")
	b.pass(3 * time.Minute)
	b.tick()
	if got := b.told(); !strings.HasPrefix(got, "fence_exit a1 opened") {
		t.Errorf("told %q", got)
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	var exit iot.Event
	e := watch.New(watch.Config{Herds: b.store, Series: b.series, Species: kinds, Now: func() time.Time { return b.now },
		Raise: func(_ context.Context, ev iot.Event) error {
			exit = ev
			return nil
		}})
	if err := e.Reload(t.Context(), "x", "h"); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		r := b.at("t1", 400+1200*float64(max(0, i-1)), 0)
		r.Tenant, r.Received = "x", b.now
		e.Observe([]iot.Reading{r})
		b.pass(time.Minute)
	}
	if exit.Kind != iot.FenceExit || exit.Evidence["transport"] != "true" || exit.Evidence["speed_mps"] == "" {
		t.Errorf("%+v", exit)
	}
}

func TestCopiedTag(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	for i := range 30 {
		b.hear(b.at("t1", float64(i%2)*9000, 0))
		b.pass(5 * time.Minute)
	}
	got := b.told()
	if !strings.Contains(got, "two_places a1 opened") || strings.Contains(got, "fence_exit") {
		t.Errorf("told %q", got)
	}
	b.status(1, watch.StatusUnverified)
	for range 100 { // the copy is gone
		b.hear(b.at("t1", 0, 0))
		b.pass(5 * time.Minute)
	}
	b.want("two_places a1 cleared")
}

// TestSeveralGateways: tags that two gateways hear by turns are no sign of an outage of
// one of them, and are not silent when it is.
func TestSeveralGateways(t *testing.T) {
	t.Parallel()
	b := newBench(t, 8)
	say := func(i int, gateway string) {
		r := b.live(fmt.Sprint("t", i), 1)
		r.Gateway = gateway
		b.hear(r)
		b.pass(time.Second)
	}
	for n := range 30 { // t1..t3 by g1, t4..t6 by g2, t7 and t8 by both
		for i := 1; i <= 3; i++ {
			say(i, "g1")
			say(i+3, "g2")
		}
		say(7, []string{"g1", "g2"}[n%2])
		say(8, []string{"g2", "g1"}[n%2])
		b.pass(52 * time.Second)
		b.tick()
	}
	b.want("")
	for range 20 { // g1 dies: what roams is heard by g2
		for i := 4; i <= 8; i++ {
			say(i, "g2")
		}
		b.pass(55 * time.Second)
		b.tick()
	}
	b.want("gateway_silent g1 opened")
	b.status(1, watch.StatusSilent)
	b.status(7, watch.StatusInside)
}

func TestPens(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	square := func(x, y, half float64) orb.Polygon {
		p := fence.NewPlane(origin)
		var r orb.Ring
		for _, c := range []orb.Point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
			r = append(r, p.Degrees(orb.Point{x + c[0]*half, y + c[1]*half}))
		}
		return orb.Polygon{r}
	}
	h := iot.Herd{ID: "p", Tenant: "x", Species: "cattle", Fence: square(0, 0, 100), CreatedAt: start,
		Pens: []iot.Pen{{ID: "yard", Area: square(-50, 0, 40)}, {ID: "far", Area: square(3000, 0, 100)}}}
	dead := iot.Animal{ID: "p2", HerdID: "p", Species: "cattle", TagID: "pt2", Status: iot.Dead}
	house := iot.Animal{ID: "p3", HerdID: "p", Species: "cattle", TagID: "pt3", Heads: 9000}
	if err := b.store.AddHerd(t.Context(), h, []iot.Animal{{ID: "p1", HerdID: "p", Species: "cattle", TagID: "pt1"}, dead, house}, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.engine.Reload(t.Context(), "x", "p"); err != nil {
		t.Fatal(err)
	}
	state := func() iot.AnimalState {
		s, err := b.engine.States(t.Context(), "x", "p")
		if err != nil || len(s) != 2 {
			t.Fatal(len(s), err)
		}
		return s[0]
	}
	for _, c := range []struct {
		x    float64
		pen  string
		hour bool // passes before
	}{
		{-50, "yard", false}, {-12, "yard", false}, {-8, "yard", false}, {-12, "yard", false}, {50, "yard", false}, {50, "yard", false},
		{50, "", false}, {3000, "far", true},
	} {
		if c.hour {
			b.pass(time.Hour)
		}
		b.pass(time.Minute)
		b.hear(b.at("pt1", c.x, 0), b.at("pt2", 9000, 0), b.at("pt3", 9000, 0))
		if s := state(); s.PenID != c.pen || s.Status != watch.StatusInside {
			t.Errorf("at %v m it is in %q (%s), want %q", c.x, s.PenID, s.Status, c.pen)
		}
	}
	b.want("") // the pen far away is ground too, the dead one is not watched, and a house has no fence
}

func TestRestingAnimalDoesNotDance(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	plane := fence.NewPlane(origin)
	for _, x := range []float64{0, 3, -2, 45, 1, 2, -40, 0} {
		b.hear(b.at("t1", x, 0))
		b.pass(time.Minute)
		s, err := b.engine.States(t.Context(), "x", "h")
		if err != nil {
			t.Fatal(err)
		}
		if p := plane.Metres(orb.Point{*s[0].Lon, *s[0].Lat}); p[0] < -3 || p[0] > 4 {
			t.Errorf("after %v m it is shown at %.1f m", x, p[0])
		}
	}
}

// TestSecondTagAmongCompanions has three companions come along with an animal and fall
// silent before anything can be said of them: they do not keep the watch from finding the
// second tag that the animal wears from then on.
func TestSecondTagAmongCompanions(t *testing.T) {
	t.Parallel()
	b := newBench(t, 5)
	rng := rand.New(rand.NewPCG(3, 4))
	x, y := 0.0, 0.0
	beside := map[string]orb.Point{"t3": {9, 0}, "t4": {0, 9}, "t5": {-9, 0}}
	walk := func(tags ...string) {
		x, y = max(-400, min(400, x+30*rng.NormFloat64())), max(-400, min(400, y+30*rng.NormFloat64()))
		for _, tag := range tags {
			p := beside[tag]
			b.hear(b.at(tag, x+p[0]+rng.NormFloat64(), y+p[1]+rng.NormFloat64()))
		}
		b.pass(5 * time.Minute)
	}
	for range 12 {
		walk("t1", "t3", "t4", "t5")
	}
	for range 27 * 12 {
		walk("t1", "t2")
	}
	if got := b.told(); !strings.Contains(got, "two_tags a1 opened") {
		t.Errorf("told %q", got)
	}
}
