package seriestest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// Memory is a series.Store that forgets, for tests of what stands on one.
type Memory struct {
	mu sync.Mutex
	by map[key][]iot.Reading // in time order
	// Fail, when set, is asked before each write.
	Fail func() error
}

type key struct{ tenant, tag string }

var _ series.Store = (*Memory)(nil)

// Write implements series.Store.
func (m *Memory) Write(_ context.Context, readings []iot.Reading) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil {
		if err := m.Fail(); err != nil {
			return err
		}
	}
	if m.by == nil {
		m.by = make(map[key][]iot.Reading)
	}
	for i := range readings {
		if err := series.Check(&readings[i]); err != nil {
			return err
		}
	}
	for _, r := range readings {
		r.Motion = nil // is not kept
		k := key{r.Tenant, r.Tag}
		i, found := m.find(k, r.At)
		if found {
			merge(&m.by[k][i], r)
		} else {
			m.by[k] = slices.Insert(m.by[k], i, r)
		}
	}
	return nil
}

func (m *Memory) find(k key, at time.Time) (int, bool) {
	return slices.BinarySearchFunc(m.by[k], at, func(r iot.Reading, at time.Time) int { return r.At.Compare(at) })
}

func merge(old *iot.Reading, r iot.Reading) {
	old.Received = r.Received
	old.Gateway = cmp.Or(r.Gateway, old.Gateway)
	old.Source = cmp.Or(r.Source, old.Source)
	for _, f := range []struct{ to, from **float64 }{{&old.Lon, &r.Lon}, {&old.Lat, &r.Lat}, {&old.Accuracy, &r.Accuracy},
		{&old.Temp, &r.Temp}, {&old.Ambient, &r.Ambient}, {&old.Activity, &r.Activity}, {&old.Battery, &r.Battery},
		{&old.Lying, &r.Lying}, {&old.Grazing, &r.Grazing}, {&old.Walking, &r.Walking}, {&old.Ruminating, &r.Ruminating}, {&old.Weight, &r.Weight}} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
	if r.Attached != nil {
		old.Attached = r.Attached
	}
	if r.Seq != nil {
		old.Seq = r.Seq
	}
	if r.Heads != nil {
		old.Heads = r.Heads
	}
}

// Latest implements series.Store.
func (m *Memory) Latest(_ context.Context, tenant string, tags []string) (map[string]iot.Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string]iot.Reading)
	for _, tag := range tags {
		if all := m.by[key{tenant, tag}]; len(all) > 0 {
			out[tag] = all[len(all)-1]
		}
	}
	return out, nil
}

// Range implements series.Store.
func (m *Memory) Range(_ context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{tenant, tag}
	i, _ := m.find(k, from)
	j, _ := m.find(k, to)
	if limit > 0 {
		j = min(j, i+limit)
	}
	return slices.Clone(m.by[k][i:max(i, j)]), nil
}

// Since implements series.Store.
func (m *Memory) Since(ctx context.Context, tenant string, from map[string]time.Time, each func(string, []iot.Reading) error) error {
	for _, tag := range slices.Sorted(maps.Keys(from)) {
		readings, err := m.Range(ctx, tenant, tag, from[tag], time.Unix(1<<40, 0), 0)
		if err == nil && len(readings) > 0 {
			err = each(tag, readings)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Windows implements series.Store.
func (m *Memory) Windows(ctx context.Context, tenant string, tags []string, measure series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	if !measure.Valid() {
		return nil, series.ErrMeasure.With("measure", measure)
	}
	out := make(map[string][]series.Window)
	for _, tag := range tags {
		readings, err := m.Range(ctx, tenant, tag, from, to, 0)
		if err != nil {
			return nil, err
		}
		var windows []series.Window
		for i := range readings {
			if v, ok := measure.Of(&readings[i]); ok {
				windows = series.Add(windows, from, max(step, time.Millisecond), readings[i].At, v)
			}
		}
		if windows != nil {
			out[tag] = windows
		}
	}
	return out, nil
}

// Count implements series.Store.
func (m *Memory) Count(_ context.Context, tenant, tag string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var n int64
	for k, all := range m.by {
		if k.tenant == tenant && (tag == "" || k.tag == tag) {
			n += int64(len(all))
		}
	}
	return n, nil
}

// Delete implements series.Store.
func (m *Memory) Delete(_ context.Context, tenant, tag string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.by, key{tenant, tag})
	return nil
}

// Expire implements series.Store.
func (m *Memory) Expire(_ context.Context, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, all := range m.by {
		i, _ := m.find(k, before)
		m.by[k] = slices.Delete(all, 0, i)
	}
	return nil
}

// Close implements series.Store.
func (m *Memory) Close() error { return nil }
