// Package seriestest is the suite that every series.Store passes, and a store in
// memory for tests.
package seriestest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

var t0 = time.Date(2026, 6, 1, 8, 0, 0, int(123*time.Millisecond), time.UTC)

func ptr[T any](v T) *T { return &v }

func reading(tenant, tag string, at time.Time) iot.Reading {
	return iot.Reading{Tenant: tenant, Tag: tag, At: at, Received: at.Add(2 * time.Second)}
}

// Run runs the suite. open returns an empty store; it is called once per subtest.
func Run(t *testing.T, open func(t *testing.T) series.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, series.Store){
		"round trip":     roundTrip,
		"idempotent":     idempotent,
		"latest":         latest,
		"range":          ranges,
		"window":         window,
		"since":          since,
		"delete":         deletes,
		"expire":         expire,
		"unfit readings": unfit,
		"strange names":  strangeNames,
		"many at once":   manyAtOnce,
		"large batch":    largeBatch,
		"ended context":  endedContext,
		"nothing stored": nothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, s)
		})
	}
}

func write(t *testing.T, s series.Store, readings ...iot.Reading) {
	t.Helper()
	if err := s.Write(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s series.Store, tenant, tag string, want int64) {
	t.Helper()
	got, err := s.Count(t.Context(), tenant, tag)
	if err != nil || got != want {
		t.Errorf("count of %s/%s is %d, %v; want %d", tenant, tag, got, err, want)
	}
}

func all(t *testing.T, s series.Store, tag string) []iot.Reading {
	t.Helper()
	got, err := s.Range(t.Context(), "a", tag, t0.Add(-time.Hour), t0.Add(1000*time.Hour), 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func roundTrip(t *testing.T, s series.Store) {
	full := iot.Reading{Tenant: "a", Tag: "t1", At: t0, Received: t0.Add(5 * time.Second), Gateway: "g-1",
		Lon: ptr(113.123456789012), Lat: ptr(-31.5), Accuracy: ptr(4.5), Temp: ptr(29.1), Ambient: ptr(-12.0),
		Activity: ptr(0.0), Attached: ptr(false), Battery: ptr(3.61), Seq: ptr(int64(1)<<53 + 1),
		Lying: ptr(120.5), Grazing: ptr(0.1 + 0.2), Walking: ptr(5e-324), Ruminating: ptr(math.MaxFloat64), Weight: ptr(431.25),
		Heads: ptr(int64(20_000)), Source: "chirpstack"}
	bare := reading("a", "t1", t0.Add(time.Millisecond))
	yes := reading("a", "t2", t0)
	yes.Attached = ptr(true)
	write(t, s, bare, full, yes)
	if d := cmp.Diff([]iot.Reading{full, bare}, all(t, s, "t1")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]iot.Reading{yes}, all(t, s, "t2")); d != "" {
		t.Error(d)
	}
}

func idempotent(t *testing.T, s series.Store) {
	a, b := reading("a", "t1", t0), reading("a", "t1", t0)
	a.Temp, b.Activity = ptr(20.0), ptr(0.5)
	for range 3 {
		write(t, s, a, a)
	}
	count(t, s, "a", "t1", 1)
	write(t, s, b)
	a.Activity = b.Activity
	if d := cmp.Diff([]iot.Reading{a}, all(t, s, "t1")); d != "" {
		t.Error("the two halves were not merged:", d)
	}
	// The same time of another tag or tenant is another reading.
	write(t, s, reading("a", "t2", t0), reading("b", "t1", t0))
	count(t, s, "a", "", 2)
	count(t, s, "b", "", 1)
}

func latest(t *testing.T, s series.Store) {
	newest := reading("a", "t1", t0.Add(time.Minute))
	newest.Battery = ptr(3.0)
	older := reading("a", "t1", t0)
	older.Temp, older.Lon, older.Lat, older.Gateway = ptr(20.0), ptr(1.0), ptr(2.0), "g"
	write(t, s, newest)
	write(t, s, older) // arrives late: must neither replace nor mix into the newest
	write(t, s, reading("a", "t2", t0), reading("b", "t3", t0.Add(time.Hour)))
	got, err := s.Latest(t.Context(), "a", []string{"t1", "t2", "t3", "none"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]iot.Reading{"t1": newest, "t2": reading("a", "t2", t0)}, got); d != "" {
		t.Error(d)
	}
}

func ranges(t *testing.T, s series.Store) {
	var in []iot.Reading
	for i := range 10 {
		in = append(in, reading("a", "t1", t0.Add(time.Duration(i)*time.Second)))
	}
	write(t, s, in...)
	for _, c := range []struct {
		from, to int // seconds
		limit    int
		want     []iot.Reading
	}{
		{0, 10, 0, in}, {2, 5, 0, in[2:5]}, {2, 5, 2, in[2:4]}, {5, 5, 0, nil}, {20, 30, 0, nil}, {5, 2, 0, nil},
	} {
		got, err := s.Range(t.Context(), "a", "t1", t0.Add(time.Duration(c.from)*time.Second), t0.Add(time.Duration(c.to)*time.Second), c.limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.want)+len(got) > 0 && cmp.Diff(c.want, got) != "" {
			t.Errorf("[%d, %d) limit %d: %s", c.from, c.to, c.limit, cmp.Diff(c.want, got))
		}
	}
}

func window(t *testing.T, s series.Store) {
	for i, v := range []float64{10, 12, 20, 40} {
		r := reading("a", "t1", t0.Add(time.Duration(i)*20*time.Second))
		r.Temp = ptr(v)
		write(t, s, r)
	}
	write(t, s, reading("a", "t1", t0.Add(70*time.Second))) // has no temperature
	late := reading("a", "t1", t0.Add(10*time.Minute))
	late.Temp = ptr(-5.0)
	write(t, s, late)
	other := reading("a", "t2", t0)
	other.Temp, other.Heads = ptr(7.0), ptr(int64(900))
	write(t, s, other, reading("a", "t3", t0))
	from := t0.Add(-time.Second)
	got, err := s.Windows(t.Context(), "a", []string{"t1", "t2", "t3", "none"}, series.Temp, from, t0.Add(time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]series.Window{
		"t1": {
			{Start: from, Min: 10, Mean: 14, Max: 20, Count: 3},
			{Start: from.Add(time.Minute), Min: 40, Mean: 40, Max: 40, Count: 1},
			{Start: from.Add(10 * time.Minute), Min: -5, Mean: -5, Max: -5, Count: 1},
		},
		"t2": {{Start: from, Min: 7, Mean: 7, Max: 7, Count: 1}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got, err = s.Windows(t.Context(), "a", []string{"t1", "t2"}, series.Heads, from, t0.Add(time.Hour), time.Hour)
	if d := cmp.Diff(map[string][]series.Window{"t2": {{Start: from, Min: 900, Mean: 900, Max: 900, Count: 1}}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	took := float64(t0.Add(2 * time.Second).UnixMilli())
	got, err = s.Windows(t.Context(), "a", []string{"t3", "none"}, series.Received, from, t0.Add(time.Hour), time.Hour)
	if d := cmp.Diff(map[string][]series.Window{"t3": {{Start: from, Min: took, Mean: took, Max: took, Count: 1}}}, got); d != "" || err != nil {
		t.Error("of a reading that measured nothing:", d, err)
	}
	for _, to := range []time.Time{from, from.Add(-time.Hour)} {
		if got, err := s.Windows(t.Context(), "a", []string{"t1"}, series.Temp, from, to, time.Minute); err != nil || len(got) != 0 {
			t.Error("an empty range:", got, err)
		}
	}
	if _, err := s.Windows(t.Context(), "a", []string{"t1"}, "password", from, t0, time.Minute); !errors.Is(err, series.ErrMeasure) {
		t.Error("a measure that does not exist:", err)
	}
}

func since(t *testing.T, s series.Store) {
	var in []iot.Reading
	for i := range 600 {
		r := reading("a", fmt.Sprint("t", i%3), t0.Add(time.Duration(i)*time.Hour))
		r.Temp = ptr(float64(i))
		in = append(in, r)
	}
	write(t, s, in...)
	write(t, s, reading("b", "t0", t0.Add(time.Minute)))
	want := make(map[string][]iot.Reading)
	from := map[string]time.Time{"t1": t0.Add(301 * time.Hour), "t0": t0.Add(-time.Hour), "t2": t0.Add(10_000 * time.Hour), "none": t0}
	for _, r := range in {
		if !r.At.Before(from[r.Tag]) {
			want[r.Tag] = append(want[r.Tag], r)
		}
	}
	got := make(map[string][]iot.Reading)
	var order []string
	err := s.Since(t.Context(), "a", from, func(tag string, readings []iot.Reading) error {
		if len(order) == 0 || order[len(order)-1] != tag {
			order = append(order, tag)
		}
		got[tag] = append(got[tag], readings...)
		return nil
	})
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if d := cmp.Diff([]string{"t0", "t1"}, order); d != "" {
		t.Error("not tag by tag:", d)
	}
	enough := errors.New("enough")
	calls := 0
	if err := s.Since(t.Context(), "a", from, func(string, []iot.Reading) error { calls++; return enough }); !errors.Is(err, enough) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func expire(t *testing.T, s series.Store) {
	day := t0.Truncate(24 * time.Hour)
	for d := range 5 {
		at := day.AddDate(0, 0, d).Add(12 * time.Hour)
		write(t, s, reading("a", "t1", at), reading("b", "t2", at), reading("a", fmt.Sprint("only on ", d), at))
	}
	if err := s.Expire(t.Context(), day.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	count(t, s, "a", "t1", 3)
	count(t, s, "b", "t2", 3)
	count(t, s, "a", "only on 1", 0)
	count(t, s, "a", "only on 2", 1)
	count(t, s, "a", "", 6)
	got := all(t, s, "t1")
	if len(got) != 3 || !got[0].At.Equal(day.AddDate(0, 0, 2).Add(12*time.Hour)) {
		t.Error(got)
	}
	// What has expired can come again.
	write(t, s, reading("a", "only on 1", t0))
	count(t, s, "a", "only on 1", 1)
	if err := s.Expire(t.Context(), day.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	count(t, s, "a", "", 0)
	if got, err := s.Latest(t.Context(), "b", []string{"t2"}); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

// unfit readings must be refused with the whole batch, not kept as something else.
func unfit(t *testing.T, s series.Store) {
	for _, at := range []time.Time{{}, time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2140, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if err := s.Write(t.Context(), []iot.Reading{reading("a", "t1", t0), reading("a", "t1", at)}); !errors.Is(err, series.ErrTime) {
			t.Errorf("%v: %v", at, err)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		r := reading("a", "t1", t0)
		r.Weight = &v
		if err := s.Write(t.Context(), []iot.Reading{reading("a", "t1", t0), r}); !errors.Is(err, series.ErrNumber) {
			t.Errorf("%v: %v", v, err)
		}
	}
	count(t, s, "a", "", 0)
	first, last := time.Unix(0, 0).UTC(), time.Date(2139, 12, 31, 23, 59, 59, int(999*time.Millisecond), time.UTC)
	write(t, s, reading("a", "t1", first), reading("a", "t1", last))
	got, err := s.Range(t.Context(), "a", "t1", first, last.Add(time.Millisecond), 0)
	if err != nil || len(got) != 2 || !got[0].At.Equal(first) || !got[1].At.Equal(last) {
		t.Error(got, err)
	}
}

func deletes(t *testing.T, s series.Store) {
	write(t, s, reading("a", "t1", t0), reading("a", "t1", t0.Add(time.Hour)), reading("a", "t2", t0), reading("b", "t1", t0))
	if err := s.Delete(t.Context(), "a", "t1"); err != nil {
		t.Fatal(err)
	}
	count(t, s, "a", "t1", 0)
	count(t, s, "a", "t2", 1)
	count(t, s, "b", "t1", 1)
}

// strangeNames must neither break a query nor reach another's readings.
func strangeNames(t *testing.T, s series.Store) {
	names := []string{`o"r 1==1`, `back\slash`, `com,ma=eq`, "中文", `'; drop table reading --`, "UPPER", "upper"}
	for i, n := range names {
		r := reading(n, n, t0.Add(time.Duration(i)*time.Second))
		r.Gateway = n
		write(t, s, r)
	}
	for i, n := range names {
		count(t, s, n, n, 1)
		got, err := s.Latest(t.Context(), n, []string{n})
		if err != nil || len(got) != 1 || got[n].Gateway != n || !got[n].At.Equal(t0.Add(time.Duration(i)*time.Second)) {
			t.Errorf("%q: %+v, %v", n, got, err)
		}
	}
}

func manyAtOnce(t *testing.T, s series.Store) {
	const writers, each = 8, 50
	errs := make(chan error, writers)
	for w := range writers {
		go func() {
			for i := range each {
				// Two writers share each tag and write the same times.
				r := reading("a", fmt.Sprint("t", w/2), t0.Add(time.Duration(i)*time.Second))
				if err := s.Write(context.Background(), []iot.Reading{r}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	count(t, s, "a", "", writers/2*each)
}

func largeBatch(t *testing.T, s series.Store) {
	const n = 6000
	batch := make([]iot.Reading, n)
	tags := make([]string, 300)
	for i := range batch {
		tag := fmt.Sprint("t", i%300)
		tags[i%300] = tag
		batch[i] = reading("a", tag, t0.Add(time.Duration(i)*time.Second))
	}
	write(t, s, batch...)
	count(t, s, "a", "", n)
	got, err := s.Latest(t.Context(), "a", tags)
	if err != nil || len(got) != 300 || !got["t299"].At.Equal(batch[n-1].At) {
		t.Errorf("%d latest readings, %v, %v", len(got), got["t299"].At, err)
	}
}

func endedContext(t *testing.T, s series.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, []iot.Reading{reading("a", "t1", t0)}); err == nil {
		// A store may ignore the context, but then it must have saved.
		count(t, s, "a", "t1", 1)
	}
}

func nothing(t *testing.T, s series.Store) {
	write(t, s)
	count(t, s, "a", "", 0)
	if got, err := s.Latest(t.Context(), "a", nil); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	if got, err := s.Latest(t.Context(), "a", []string{"t"}); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	if got := all(t, s, "t"); len(got) != 0 {
		t.Error(got)
	}
	if err := s.Delete(t.Context(), "a", "t"); err != nil {
		t.Error(err)
	}
}
