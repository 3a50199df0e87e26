package watch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// bench is one herd of a square pasture of about 1 km, and the clock.
type bench struct {
	t      *testing.T
	engine *watch.Engine
	store  *iottest.Store
	series *seriestest.Memory
	now    time.Time
	mu     sync.Mutex
	events []string // "kind subject opened|cleared"
	refuse bool
	memory watch.Memory // nil without
	reads  series.Store // what engines read; series when nil
	open   func(context.Context, string, string) (map[string][]iot.EventKind, error)
}

// kinds is the built-in catalogue.
var kinds = func() *species.Catalogue {
	files, err := catalog.Open("")
	if err != nil {
		panic(err)
	}
	c, err := species.Load(files)
	if err != nil {
		panic(err)
	}
	return c
}()

// origin is the middle of the pasture.
var origin = orb.Point{113.2, 31.5}

func pasture(half float64) orb.Polygon {
	p := fence.NewPlane(origin)
	var r orb.Ring
	for _, c := range []orb.Point{{-half, -half}, {half, -half}, {half, half}, {-half, half}, {-half, -half}} {
		r = append(r, p.Degrees(c))
	}
	return orb.Polygon{r}
}

// newBench registers n cattle a1.. with tags t1.. in a pasture of 1 km by 1 km.
func newBench(t *testing.T, n int) *bench {
	b := &bench{t: t, now: start, store: &iottest.Store{}, series: &seriestest.Memory{}}
	var animals []iot.Animal
	for i := range n {
		animals = append(animals, iot.Animal{ID: fmt.Sprint("a", i+1), HerdID: "h", Species: "cattle", Sex: "f",
			Born: start.AddDate(-3, 0, 0), TagID: fmt.Sprint("t", i+1)})
	}
	h := iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: pasture(500), CreatedAt: start}
	if err := b.store.AddHerd(t.Context(), h, animals, nil); err != nil {
		t.Fatal(err)
	}
	b.boot(false)
	return b
}

// boot starts a new engine, as after a restart of the process.
func (b *bench) boot(restore bool) {
	var reads series.Store = b.series
	if b.reads != nil {
		reads = b.reads
	}
	b.engine = watch.New(watch.Config{Herds: b.store, Series: reads, Species: kinds, Memory: b.memory, Open: b.open, Now: func() time.Time { return b.now },
		Raise: func(_ context.Context, e iot.Event) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.refuse {
				return errors.New("not now")
			}
			word := "opened"
			if e.Cleared {
				word = "cleared"
			}
			b.events = append(b.events, fmt.Sprint(e.Kind, " ", e.Subject, " ", word))
			return nil
		}})
	if restore {
		if err := b.engine.Restore(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	} else if err := b.engine.Reload(b.t.Context(), "x", "h"); err != nil {
		b.t.Fatal(err)
	}
}

// hear delivers readings of one tag, received at the bench's time.
func (b *bench) hear(readings ...iot.Reading) {
	b.t.Helper()
	for i := range readings {
		readings[i].Tenant, readings[i].Received = "x", b.now
	}
	if err := b.series.Write(b.t.Context(), readings); err != nil {
		b.t.Fatal(err)
	}
	b.engine.Observe(readings)
}

// at is a reading of tag at x, y metres of the middle, at the bench's time.
func (b *bench) at(tag string, x, y float64) iot.Reading {
	p := fence.NewPlane(origin).Degrees(orb.Point{x, y})
	return iot.Reading{Tag: tag, At: b.now, Lon: ptr(p[0]), Lat: ptr(p[1]), Accuracy: ptr(5.0)}
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

func (b *bench) tick() { b.engine.Tick(b.t.Context(), b.now) }

// told returns and forgets the events so far.
func (b *bench) told() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := strings.Join(b.events, ", ")
	b.events = nil
	return s
}

func (b *bench) want(events string) {
	b.t.Helper()
	if got := b.told(); got != events {
		b.t.Errorf("told %q, want %q", got, events)
	}
}

func (b *bench) status(i int, want string) {
	b.t.Helper()
	s, err := b.engine.States(b.t.Context(), "x", "h")
	if err != nil {
		b.t.Fatal(err)
	}
	if s[i-1].Status != want {
		b.t.Errorf("animal %d is %s (%s), want %s", i, s[i-1].Status, s[i-1].Reason, want)
	}
}

func TestExit(t *testing.T) {
	t.Parallel()
	const open, cleared = "fence_exit a1 opened", "fence_exit a1 cleared"
	for _, c := range []struct {
		name string
		x    []float64 // metres east, one fix a minute; the fence is at 500
		acc  float64
		want string
	}{
		{"far outside is told at once", []float64{400, 640}, 5, open},
		{"within three fixes otherwise", []float64{400, 480, 545, 550, 555}, 5, open},
		{"two fixes are not enough", []float64{400, 480, 545, 550, 490}, 5, ""},
		{"inside the margin is not outside", []float64{490, 510, 520, 525, 515, 520}, 5, ""},
		{"a fix that may be inside is not outside", []float64{490, 550, 550, 550, 550}, 60, ""},
		{"hysteresis: the margin is not back inside", []float64{400, 640, 510, 520, 510, 505}, 5, open},
		{"back deep inside ends it", []float64{400, 640, 420}, 5, open + ", " + cleared},
		{"back at the line needs three", []float64{400, 640, 495, 490, 495}, 5, open + ", " + cleared},
		{"two at the line do not", []float64{400, 640, 495, 490}, 5, open},
		{"told once, not at every fix", []float64{400, 640, 660, 680, 700, 720}, 5, open},
		{"and again after ten minutes", []float64{400, 640, 640, 640, 640, 640, 640, 640, 640, 640, 640, 640, 640}, 5, open + ", " + open},
		{"an impossible jump is not believed", []float64{400, 5000, 400, 410}, 5, ""},
		{"unless it stays there", []float64{400, 5000, 5100, 5200}, 5, open},
		{"a lorry", []float64{400, 1600, 2800, 4000}, 5, open},
		{"an inaccurate fix says nothing", []float64{400, 640, 700, 800, 900}, 150, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			for i, x := range c.x {
				r := b.at("t1", x, 0)
				if r.Accuracy = &c.acc; i == 0 {
					r.Accuracy = ptr(5.0)
				}
				b.hear(r)
				b.pass(time.Minute)
			}
			b.want(c.want)
		})
	}
}

func TestZeroCoordinatesAndNoFix(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.hear(b.at("t1", 0, 0))
	for range 5 {
		b.pass(time.Minute)
		b.hear(iot.Reading{Tag: "t1", At: b.now, Lon: ptr(0.0), Lat: ptr(0.0)})
		b.hear(iot.Reading{Tag: "t1", At: b.now.Add(time.Second)})
	}
	b.want("")
	b.status(1, watch.StatusInside)
}

func TestNeverEntered(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.status(1, watch.StatusNoData)
	for range 4 {
		b.hear(b.at("t1", 900, 0)) // the market where it was bought
		b.pass(time.Minute)
	}
	b.want("")
	b.status(1, watch.StatusNeverEntered)
	b.pass(30 * time.Minute)
	b.hear(b.at("t1", 0, 0))
	b.status(1, watch.StatusInside)
	b.pass(30 * time.Minute)
	b.hear(b.at("t1", 900, 0))
	b.want("fence_exit a1 opened")
}

func TestLateReadingsChangeNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.pass(time.Hour)
	b.hear(b.at("t1", 0, 0))
	old := b.at("t1", 900, 0)
	for i := range 5 {
		old.At = b.now.Add(-time.Duration(50-i) * time.Minute)
		old.Attached = ptr(false)
		b.hear(old)
	}
	b.want("")
	b.status(1, watch.StatusInside)
	s, _ := b.engine.States(t.Context(), "x", "h")
	if !s[0].LastHeard.Equal(b.now) || !s[0].LastFix.Equal(b.now) {
		t.Error("a late reading moved the latest back:", s[0].LastHeard, s[0].LastFix)
	}
}

// live is a grazing or resting reading of a living animal.
func (b *bench) live(tag string, activity float64) iot.Reading {
	r := b.at(tag, 0, 0)
	r.Temp, r.Ambient, r.Activity, r.Attached = ptr(30.0), ptr(15.0), &activity, ptr(true)
	return r
}

func TestStillness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		hours int
		read  func(hour float64, r *iot.Reading)
		want  string
	}{
		{"a night's rest is no death: it is warm", 10, func(_ float64, r *iot.Reading) { r.Activity = ptr(0.2) }, ""},
		{"cold and still", 10, func(h float64, r *iot.Reading) {
			r.Activity, r.Temp = ptr(0.02), ptr(15+15/(1+h*h))
		}, "stillness a1 opened"},
		{"not before five hours", 4, func(_ float64, r *iot.Reading) { r.Activity, r.Temp = ptr(0.02), ptr(15.5) }, ""},
		{"cold but moving", 10, func(h float64, r *iot.Reading) {
			r.Temp = ptr(15.0)
			if int(h)%2 == 0 {
				r.Activity = ptr(1.5)
			}
		}, "carrier a1 opened"},
		{"no ambient: far below its own warmth", 10, func(h float64, r *iot.Reading) {
			if r.Ambient = nil; h > 1 {
				r.Activity, r.Temp = ptr(0.02), ptr(18.0)
			}
		}, "stillness a1 opened"},
		{"no temperature at all takes twice as long", 9, func(_ float64, r *iot.Reading) { r.Activity, r.Temp, r.Ambient = ptr(0.02), nil, nil }, ""},
		{"and then speaks", 11, func(_ float64, r *iot.Reading) { r.Activity, r.Temp, r.Ambient = ptr(0.02), nil, nil }, "stillness a1 opened"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			for i := range 6 * c.hours {
				r := b.live("t1", 1.5)
				if i > 0 {
					c.read(float64(i)/6, &r)
				}
				b.hear(r)
				b.pass(10 * time.Minute)
			}
			b.want(c.want)
			if c.want == "" {
				return
			}
			b.status(1, watch.StatusUnverified)
			if c.want != "stillness a1 opened" {
				return
			}
			b.hear(b.live("t1", 1.5)) // a bird
			b.pass(5 * time.Minute)
			b.hear(b.live("t1", 0.02))
			b.told()
			b.pass(time.Minute)
			b.hear(b.live("t1", 1.5))
			b.pass(time.Minute)
			b.hear(b.live("t1", 1.5))
			b.want("stillness a1 cleared")
		})
	}
}

func TestTagOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.hear(b.live("t1", 1))
	b.pass(time.Minute)
	cut := b.live("t1", 3)
	cut.Attached = ptr(false)
	b.hear(cut)
	b.want("tag_off a1 opened")
	b.status(1, watch.StatusUnverified)
	for range 3 {
		b.want("")
		b.pass(time.Minute)
		b.hear(b.live("t1", 1))
	}
	b.want("tag_off a1 cleared")
}

func TestSilenceByOwnRhythm(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	for i := range 20 { // t1 speaks every ten minutes, t2 every minute
		if i%10 == 0 {
			b.hear(b.live("t1", 1))
		}
		b.hear(b.live("t2", 1))
		b.pass(time.Minute)
	}
	b.pass(11 * time.Minute)
	b.tick()
	b.want("silence a2 opened")
	b.status(1, watch.StatusInside)
	b.status(2, watch.StatusSilent)
	b.tick()
	b.want("")
	b.pass(50 * time.Minute)
	b.hear(b.live("t2", 1))
	b.tick()
	b.want("silence a2 cleared, silence a1 opened")
}

func TestGatewayOutageIsOneEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t, 10)
	say := func(from, to int, gateway string) {
		for i := from; i <= to; i++ {
			r := b.live(fmt.Sprint("t", i), 1)
			r.Gateway = gateway
			b.hear(r)
			b.pass(time.Second)
		}
	}
	for range 20 {
		say(1, 6, "g1")
		say(7, 10, "g2")
		b.pass(50 * time.Second)
	}
	// One tag of g1 alone.
	for range 15 {
		say(2, 6, "g1")
		say(7, 10, "g2")
		b.pass(51 * time.Second)
		b.tick()
	}
	b.want("silence a1 opened")
	// All of g1.
	for range 20 {
		say(7, 10, "g2")
		b.pass(56 * time.Second)
		b.tick()
	}
	b.want("gateway_silent g1 opened")
	b.status(3, watch.StatusSilent)
	b.status(8, watch.StatusInside)
	// It comes back, one of its tags does not.
	for range 15 {
		say(2, 5, "g1")
		say(7, 10, "g2")
		b.pass(52 * time.Second)
		b.tick()
	}
	b.want("gateway_silent g1 cleared, silence a6 opened")
}

// TestGatewayDiesByItsWill long before its tags' rhythm tells: one event, unless it is
// back soon; also over a restart, and when nobody heard that it came back.
func TestGatewayDiesByItsWill(t *testing.T) {
	t.Parallel()
	b := newBench(t, 5)
	b.memory = &remembered{}
	b.boot(false)
	say := func(rounds int) {
		t.Helper()
		for range rounds {
			for i := range 5 {
				r := b.live(fmt.Sprint("t", i+1), 1)
				r.Gateway = "g1"
				b.hear(r)
			}
			b.pass(time.Minute)
			b.tick()
		}
	}
	connected := func(online bool) {
		t.Helper()
		if err := b.engine.Connected(t.Context(), "x", "h", iot.Presence{Gateway: "g1", Online: online, At: b.now}); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(minutes int) {
		for range minutes {
			b.pass(time.Minute)
			b.tick()
		}
	}
	say(20)
	connected(false)
	wait(1)
	connected(true) // a break of the line
	wait(3)
	say(5)
	b.want("")

	connected(false)
	wait(1)
	b.want("")
	wait(1)
	b.want("gateway_silent g1 opened")
	if err := b.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.boot(true)
	wait(120)
	b.want("")
	b.status(1, watch.StatusSilent)
	connected(true)
	say(3)
	b.want("gateway_silent g1 cleared")
	b.status(1, watch.StatusInside)

	connected(false)
	wait(2)
	say(1) // its birth was missed
	b.want("gateway_silent g1 opened, gateway_silent g1 cleared")

	if err := b.engine.Connected(t.Context(), "x", "none", iot.Presence{Gateway: "g1", At: b.now}); !errors.Is(err, iot.ErrHerdNotFound) {
		t.Error(err)
	}
}

// TestGatewayLosesItsTags has a gateway that is online and says that it hears its tags no
// longer: one event of most of them together, none of one, and none where it says so
// after every reading.
func TestGatewayLosesItsTags(t *testing.T) {
	t.Parallel()
	b := newBench(t, 5)
	connected := func(online bool, tags ...int) {
		t.Helper()
		for _, i := range tags {
			p := iot.Presence{Gateway: "g1", Tag: fmt.Sprint("t", i), Online: online, At: b.now}
			if err := b.engine.Connected(t.Context(), "x", "h", p); err != nil {
				t.Fatal(err)
			}
		}
	}
	say := func(rounds, from, to int, leave bool) {
		t.Helper()
		for range rounds {
			for i := from; i <= to; i++ {
				r := b.live(fmt.Sprint("t", i), 1)
				r.Gateway = "g1"
				b.hear(r)
				if leave {
					connected(false, i)
				}
			}
			for range 5 {
				b.pass(time.Minute)
				b.tick()
			}
		}
	}
	say(10, 1, 5, false)
	say(10, 1, 5, true) // speaks to each for a moment
	connected(true, 1, 2, 3, 4, 5)
	connected(false, 1)
	connected(false, 9) // nobody's
	say(3, 2, 5, false)
	say(1, 1, 5, false)
	b.want("")

	connected(false, 2, 3)
	say(1, 4, 5, false)
	b.want("")
	connected(false, 4)
	say(3, 5, 5, false)
	b.want("gateway_silent g1 opened") // with tags that report every five minutes, within ten
	say(2, 1, 5, false)
	b.want("gateway_silent g1 cleared")
}

// TestOutageOverARestart is not told to be over and told again.
func TestOutageOverARestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, 5)
	b.memory = &remembered{}
	b.boot(false)
	for range 20 {
		for i := range 5 {
			b.hear(b.live(fmt.Sprint("t", i+1), 1))
		}
		b.pass(time.Minute)
	}
	silent := func() {
		for range 120 {
			b.pass(time.Minute)
			b.tick()
		}
	}
	silent()
	b.want("gateway_silent h opened")
	if err := b.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.boot(true)
	silent()
	b.want("")
}

// TestTagsWithoutGateway fall silent together: one event of the herd.
func TestTagsWithoutGateway(t *testing.T) {
	t.Parallel()
	b := newBench(t, 20)
	for range 20 {
		for i := range 20 {
			b.hear(b.live(fmt.Sprint("t", i+1), 1))
			b.pass(time.Second)
		}
	}
	for range 200 {
		b.pass(5 * time.Second)
		b.tick()
	}
	b.want("gateway_silent h opened")
}

func TestBacklogIsNoSilence(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	now := b.now
	for i := range 48 { // two days of history arrive within a minute
		r := b.live("t1", 1)
		r.At = now.Add(time.Duration(i-48) * time.Hour)
		b.hear(r)
		b.pass(time.Second)
		b.tick()
	}
	b.want("")
	b.status(1, watch.StatusInside)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, 4)
	b.hear(b.at("t1", 200, 0), b.at("t2", 200, 0), b.at("t4", 0, 0))
	b.pass(time.Minute)
	b.hear(b.at("t1", 400, 0), b.at("t2", 400, 0), b.at("t4", 0, 0))
	b.pass(time.Minute)
	b.hear(b.at("t1", 640, 0), b.at("t2", 640, 0))
	b.want("fence_exit a1 opened, fence_exit a2 opened")

	// The process dies after a reading was saved and before it was watched.
	b.pass(time.Minute)
	back := b.at("t2", 420, 0)
	back.Tenant, back.Received = "x", b.now
	if err := b.series.Write(t.Context(), []iot.Reading{back}); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	b.boot(true)
	b.status(1, watch.StatusOutside)
	b.status(2, watch.StatusInside)
	b.status(3, watch.StatusNoData)
	b.status(4, watch.StatusInside)
	b.tick()
	got := b.told()
	for _, e := range []string{"fence_exit a1 opened", "fence_exit a2 cleared"} {
		if !strings.Contains(got, e) {
			t.Errorf("after the restart %q is missing in %q", e, got)
		}
	}
	if strings.Contains(got, "a4") || strings.Contains(got, "a3") {
		t.Errorf("told of animals that nothing happened to: %q", got)
	}
	// The house was deaf for a day: that is nobody's silence.
	b.pass(24 * time.Hour)
	b.boot(true)
	b.tick()
	if got := b.told(); strings.Contains(got, "silence") || strings.Contains(got, "a4") {
		t.Errorf("silence right after the start: %q", got)
	}
	// An animal that left long ago has not "never entered".
	b.status(1, watch.StatusOutside)
	b.pass(2 * time.Hour)
	b.tick()
	if got := b.told(); !strings.Contains(got, "gateway_silent h opened") || strings.Contains(got, "silence a") {
		t.Errorf("all still silent after their limits, told %q", got)
	}
}

// TestOnlyOpenMattersAreToldOver starts a watch without memory on a herd of which one
// exit is open: of the others there is nothing to take back.
func TestOnlyOpenMattersAreToldOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, 3)
	b.open = func(_ context.Context, tenant, herd string) (map[string][]iot.EventKind, error) {
		if tenant != "x" || herd != "h" {
			t.Error(tenant, herd)
		}
		return map[string][]iot.EventKind{"a2": {iot.FenceExit, iot.StoreDown}}, nil
	}
	b.boot(true)
	for range 3 {
		b.hear(b.at("t1", 0, 0), b.at("t2", 0, 0), b.at("t3", 0, 0))
		b.pass(time.Minute)
		b.tick()
	}
	b.want("fence_exit a2 cleared")
}

func TestRefusedEventIsToldAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.hear(b.at("t1", 400, 0))
	b.pass(time.Minute)
	b.refuse = true
	b.hear(b.at("t1", 640, 0))
	b.tick()
	b.want("")
	b.refuse = false
	b.tick()
	b.want("fence_exit a1 opened")
	b.tick()
	b.want("")
}

func TestStates(t *testing.T) {
	t.Parallel()
	b := newBench(t, 7)
	for range 12 {
		for _, tag := range []string{"t1", "t2", "t3", "t4", "t5"} {
			b.hear(b.live(tag, 1))
		}
		b.pass(time.Minute)
	}
	cut := b.live("t3", 1)
	cut.Attached = ptr(false)
	b.hear(b.live("t1", 1), b.live("t2", 1), cut, b.at("t4", 800, 0))
	b.hear(b.at("t6", 3000, 0)) // never came
	b.pass(11 * time.Minute)
	b.hear(b.live("t1", 1), b.live("t2", 1))
	w, err := b.engine.Watched(t.Context(), "x", "h")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range w.States {
		got = append(got, s.Status)
	}
	// t4 and t6 were last heard outside, once each: that they fell silent is what is sure.
	want := []string{watch.StatusInside, watch.StatusInside, watch.StatusUnverified, watch.StatusSilent, watch.StatusSilent, watch.StatusSilent, watch.StatusNoData}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := b.engine.Watched(t.Context(), "other", "h"); !errors.Is(err, iot.ErrHerdNotFound) {
		t.Error("another tenant's herd:", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, 8)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				r := iot.Reading{Tenant: "x", Tag: fmt.Sprint("t", w*2+i%2+1), At: start.Add(time.Duration(i) * time.Second), Received: start,
					Lon: ptr(113.2), Lat: ptr(31.5)}
				b.engine.Observe([]iot.Reading{r})
				b.engine.Tick(context.Background(), start)
				if _, err := b.engine.States(context.Background(), "x", "h"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.want("")
}
