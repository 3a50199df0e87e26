package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// How long an answer about a device is believed. A publisher is asked for often, so
// that a right taken by another process ends soon; a tag that a gateway speaks for
// is asked for by each of its readings and changes rarely. A number that is not
// known is asked for again soon, because it may be registered at any moment.
const (
	publisherFor = 30 * time.Second
	tagFor       = 5 * time.Minute
	unknownFor   = 2 * time.Second
)

// maxStrangers bounds what numbers that nobody registered may take of the memory;
// those that are registered are all kept.
const maxStrangers = 50_000

// deviceCache keeps what the house knows of devices, so that a reading costs no
// database query. A million of them take about 120 MB: the texts that many share are
// kept once.
type deviceCache struct {
	store iot.Store
	now   func() time.Time

	mu        sync.RWMutex
	tenants   map[string]map[string]entry // by tenant and device
	strangers map[deviceKey]int64         // not registered, and when that was asked
	words     []string                    // herds, pens, profiles and kinds that entries point to
	wordAt    map[string]uint32
}

type deviceKey struct{ tenant, id string }

// entry is a device without its texts.
type entry struct {
	asked                    int64 // Unix seconds
	kind, herd, pen, profile uint32
	revoked                  bool
}

func (c *deviceCache) init(store iot.Store, now func() time.Time) {
	c.store, c.now = store, now
	c.tenants, c.strangers = make(map[string]map[string]entry), make(map[deviceKey]int64)
	c.wordAt = make(map[string]uint32)
}

// get returns a device as it was at most within ago; iot.ErrDeviceNotFound. It has
// no secret.
func (c *deviceCache) get(ctx context.Context, tenant, id string, within time.Duration) (iot.Device, error) {
	now := c.now().Unix()
	c.mu.RLock()
	e, ok := c.tenants[tenant][id]
	if ok && fresh(e.asked, now, within) {
		d := c.device(tenant, id, e)
		c.mu.RUnlock()
		return d, nil
	}
	asked, stranger := c.strangers[deviceKey{tenant, id}]
	c.mu.RUnlock()
	if stranger && fresh(asked, now, unknownFor) {
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	d, err := c.store.Device(ctx, tenant, id)
	switch {
	case errors.Is(err, iot.ErrDeviceNotFound):
		c.forget(tenant, id)
		c.mu.Lock()
		if len(c.strangers) >= maxStrangers {
			clear(c.strangers)
		}
		c.strangers[deviceKey{tenant, id}] = now
		c.mu.Unlock()
		return iot.Device{}, iot.ErrDeviceNotFound
	case err != nil:
		return iot.Device{}, err
	}
	d.Tenant, d.ID, d.SecretHash = tenant, id, ""
	c.put(d, now)
	return d, nil
}

// fresh is false also for an answer of the future: the clock was set back since.
func fresh(asked, now int64, within time.Duration) bool {
	age := now - asked
	return age >= 0 && age < int64(within/time.Second)
}

func (c *deviceCache) device(tenant, id string, e entry) iot.Device {
	return iot.Device{ID: id, Tenant: tenant, Kind: iot.DeviceKind(c.words[e.kind]), HerdID: c.words[e.herd],
		PenID: c.words[e.pen], Profile: c.words[e.profile], Revoked: e.revoked}
}

func (c *deviceCache) put(d iot.Device, now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := c.tenants[d.Tenant]
	if by == nil {
		by = make(map[string]entry)
		c.tenants[d.Tenant] = by
	}
	by[d.ID] = entry{asked: now, kind: c.word(string(d.Kind)), herd: c.word(d.HerdID), pen: c.word(d.PenID),
		profile: c.word(d.Profile), revoked: d.Revoked}
	delete(c.strangers, deviceKey{d.Tenant, d.ID})
}

func (c *deviceCache) word(s string) uint32 {
	at, ok := c.wordAt[s]
	if !ok {
		at = uint32(len(c.words)) //nolint:gosec // fewer herds, pens and profiles than 2^32
		c.words, c.wordAt[s] = append(c.words, s), at
	}
	return at
}

func (c *deviceCache) forget(tenant, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tenants[tenant], id)
	delete(c.strangers, deviceKey{tenant, id})
}

// quota lets each device have so much of something in a minute or a day.
type quota struct {
	most int
	unit time.Duration

	mu     sync.Mutex
	period int64
	used   map[deviceKey]int
}

func (q *quota) take(of deviceKey, n int, at time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p := at.Unix() / int64(q.unit/time.Second); p != q.period || q.used == nil {
		q.period, q.used = p, make(map[deviceKey]int)
	}
	if len(q.used) >= maxStrangers { // whoever has so many names gets no more for each
		of = deviceKey{}
	}
	q.used[of] += n
	return q.used[of] <= q.most
}
