package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// How long an answer about a device is believed. A device that is not known is
// asked for again soon, because it may be registered at any moment.
const (
	knownFor   = 30 * time.Second
	unknownFor = 2 * time.Second
	maxCached  = 200_000
)

// deviceCache keeps devices for a while, so that a reading costs no database query.
type deviceCache struct {
	store iot.Store
	now   func() time.Time
	mu    sync.RWMutex
	by    map[deviceKey]cached
}

type deviceKey struct{ tenant, id string }

type cached struct {
	device iot.Device
	err    error // nil or iot.ErrDeviceNotFound
	until  time.Time
}

func (c *deviceCache) init(store iot.Store, now func() time.Time) {
	c.store, c.now, c.by = store, now, make(map[deviceKey]cached)
}

func (c *deviceCache) get(ctx context.Context, tenant, id string) (iot.Device, error) {
	key, now := deviceKey{tenant, id}, c.now()
	c.mu.RLock()
	hit, ok := c.by[key]
	c.mu.RUnlock()
	if ok && now.Before(hit.until) {
		return hit.device, hit.err
	}
	d, err := c.store.Device(ctx, tenant, id)
	hit = cached{device: d, err: err, until: now.Add(knownFor)}
	if errors.Is(err, iot.ErrDeviceNotFound) {
		hit.err, hit.until = iot.ErrDeviceNotFound, now.Add(unknownFor)
	} else if err != nil {
		return iot.Device{}, err
	}
	c.mu.Lock()
	if len(c.by) >= maxCached {
		clear(c.by) // strangers' numbers must not fill the memory
	}
	c.by[key] = hit
	c.mu.Unlock()
	return hit.device, hit.err
}

// quota lets each device have so many of something in a minute.
type quota struct {
	most   int
	mu     sync.Mutex
	minute int64
	used   map[deviceKey]int
}

func (q *quota) take(d iot.Device, at time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := at.Unix() / 60; m != q.minute || q.used == nil {
		q.minute, q.used = m, make(map[deviceKey]int)
	}
	key := deviceKey{d.Tenant, d.ID}
	q.used[key]++
	return q.used[key] <= q.most
}
