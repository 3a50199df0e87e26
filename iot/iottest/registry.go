package iottest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

var _ iot.Registry = (*Store)(nil)

// registry is what a Store keeps besides herds, animals and devices.
type registry struct {
	events   map[string][]iot.LifeEvent // by tenant and animal
	lives    map[string]iot.Life
	claims   map[string]iot.Claim // by tenant and device
	failures map[string]failure   // by tenant and device or person
	pledges  []pledge
}

type failure struct {
	n     int
	since time.Time
}

type pledge struct {
	tenant string
	iot.Pledge
}

// Record implements iot.Registry: like the real one it takes all or nothing.
func (s *Store) Record(_ context.Context, tenant string, c iot.Change) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record(tenant, c)
}

func (s *Store) record(tenant string, c iot.Change) ([]string, error) {
	base := map[string]iot.Animal{}
	for _, a := range c.Animals {
		base[a.ID] = a
	}
	events, order := map[string][]iot.LifeEvent{}, []string{}
	keys := map[string]bool{}
	for _, all := range s.reg.events {
		for _, e := range all {
			keys[e.Tenant+"/"+e.Source+"/"+e.Key] = true
		}
	}
	for _, e := range c.Events {
		e.Tenant = tenant
		if _, ok := base[e.AnimalID]; !ok {
			a, ok := s.find(tenant, e.AnimalID)
			if !ok {
				return nil, iot.ErrAnimalNotFound
			}
			base[a.ID] = a
		}
		if k := tenant + "/" + e.Source + "/" + e.Key; e.Key != "" && keys[k] {
			return nil, iot.ErrEventTwice.With("key", e.Key)
		} else if e.Key != "" {
			keys[k] = true
		}
		if events[e.AnimalID] == nil {
			order = append(order, e.AnimalID)
			events[e.AnimalID] = slices.Clone(s.reg.events[tenant+"/"+e.AnimalID])
		}
		events[e.AnimalID] = append(events[e.AnimalID], e)
	}
	lives, herds := map[string]iot.Life{}, []string{}
	for _, id := range order {
		l, err := iot.Derive(base[id], events[id])
		if err != nil {
			return nil, err
		}
		lives[id] = l
		herds = append(herds, base[id].HerdID, l.Animal.HerdID)
	}
	for _, e := range c.Events {
		if err := s.place(tenant, cmp.Or(e.HerdID, lives[e.AnimalID].Animal.HerdID), e.PenID); err != nil {
			return nil, err
		}
	}
	for _, d := range c.Devices {
		if _, ok := s.device(d.Tenant, d.ID); ok {
			return nil, iot.ErrDeviceTaken.With("device", d.ID)
		}
		if d.HerdID != "" {
			herds = append(herds, d.HerdID)
		}
	}
	if err := s.clashes(tenant, lives, order); err != nil {
		return nil, err
	}
	if c.DryRun {
		slices.Sort(herds)
		return slices.Compact(herds), nil
	}
	s.devices = append(s.devices, c.Devices...)
	for _, id := range order {
		s.put(tenant, lives[id], events[id])
	}
	slices.Sort(herds)
	return slices.Compact(herds), nil
}

// put saves a life and takes its animal into its herd.
func (s *Store) put(tenant string, l iot.Life, events []iot.LifeEvent) {
	s.remember(tenant, l, events)
	if s.animals == nil {
		s.animals = make(map[string][]iot.Animal)
	}
	for herd, list := range s.animals {
		if i := slices.IndexFunc(list, func(a iot.Animal) bool { return a.ID == l.Animal.ID }); i >= 0 && herd != tenant+"/"+l.Animal.HerdID {
			s.animals[herd] = slices.Delete(slices.Clone(list), i, i+1)
		}
	}
	herd := tenant + "/" + l.Animal.HerdID
	list := slices.Clone(s.animals[herd])
	if i := slices.IndexFunc(list, func(a iot.Animal) bool { return a.ID == l.Animal.ID }); i >= 0 {
		list[i] = l.Animal
	} else {
		list = append(list, l.Animal)
	}
	s.animals[herd] = list
	for i := range s.devices {
		if d := &s.devices[i]; d.Tenant == tenant && d.ID == l.Animal.TagID {
			d.HerdID = l.Animal.HerdID
		}
	}
}

func (s *Store) remember(tenant string, l iot.Life, events []iot.LifeEvent) {
	if s.reg.events == nil {
		s.reg.events, s.reg.lives = map[string][]iot.LifeEvent{}, map[string]iot.Life{}
	}
	key := tenant + "/" + l.Animal.ID
	s.reg.events[key], s.reg.lives[key] = events, l
}

// place refuses a herd or a pen that is not there.
func (s *Store) place(tenant, herd, pen string) error {
	i := slices.IndexFunc(s.herds, func(h iot.Herd) bool { return h.Tenant == tenant && h.ID == herd })
	switch {
	case i < 0:
		return iot.ErrHerdNotFound
	case pen != "" && !slices.ContainsFunc(s.herds[i].Pens, func(p iot.Pen) bool { return p.ID == pen }):
		return iot.ErrPenNotFound.With("pen", pen)
	}
	return nil
}

// clashes refuses codes and tags of other animals.
func (s *Store) clashes(tenant string, lives map[string]iot.Life, order []string) error {
	all := map[string]iot.Life{}
	for key, l := range s.reg.lives {
		if key == tenant+"/"+l.Animal.ID {
			all[l.Animal.ID] = l
		}
	}
	for id, l := range lives {
		all[id] = l
	}
	overlap := func(aFrom time.Time, aTo *time.Time, bFrom time.Time, bTo *time.Time) bool {
		return (aTo == nil || bFrom.Before(*aTo)) && (bTo == nil || aFrom.Before(*bTo))
	}
	for _, id := range order {
		for other, o := range all {
			if other == id {
				continue
			}
			for _, x := range lives[id].Identifiers {
				for _, y := range o.Identifiers {
					if x.AnimalID != y.AnimalID || !iot.Forever(x.Scheme) && !overlap(x.From, x.To, y.From, y.To) {
						continue
					}
					if y.To != nil {
						return iot.ErrCodeUsed.With("code", x.Code).With("herd", o.Animal.HerdID).With("until", y.To.Format(time.DateOnly))
					}
					return iot.ErrAnimalTaken.With("code", x.Code).With("herd", o.Animal.HerdID)
				}
			}
			for _, x := range lives[id].Tags {
				for _, y := range o.Tags {
					switch {
					case x.Tag != y.Tag || !overlap(x.From, x.To, y.From, y.To):
					case x.To == nil && y.To == nil:
						return iot.ErrTagTaken.With("tag", x.Tag)
					default:
						return iot.ErrTagWorn.With("tag", x.Tag).With("code", o.Animal.Identity.Code).With("herd", o.Animal.HerdID)
					}
				}
			}
		}
	}
	return nil
}

func (s *Store) find(tenant, id string) (iot.Animal, bool) {
	for _, h := range s.herds {
		for _, a := range s.animals[h.Tenant+"/"+h.ID] {
			if h.Tenant == tenant && a.ID == id {
				return a, true
			}
		}
	}
	return iot.Animal{}, false
}

func (s *Store) device(tenant, id string) (*iot.Device, bool) {
	for i := range s.devices {
		if s.devices[i].Tenant == tenant && s.devices[i].ID == id {
			return &s.devices[i], true
		}
	}
	return nil, false
}

// SaveHerd implements iot.Registry.
func (s *Store) SaveHerd(_ context.Context, h iot.Herd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.herds, func(o iot.Herd) bool { return o.Tenant == h.Tenant && o.ID == h.ID })
	if i < 0 {
		return iot.ErrHerdNotFound
	}
	for _, p := range s.herds[i].Pens {
		n := 0
		for _, a := range s.animals[h.Tenant+"/"+h.ID] {
			if a.PenID == p.ID {
				n++
			}
		}
		for _, d := range s.devices {
			if d.Tenant == h.Tenant && d.HerdID == h.ID && d.PenID == p.ID {
				n++
			}
		}
		if n > 0 && !slices.ContainsFunc(h.Pens, func(q iot.Pen) bool { return q.ID == p.ID }) {
			return iot.ErrPenInUse.With("pen", p.Name).With("n", n)
		}
	}
	s.herds[i] = h
	return nil
}

// Animal implements iot.Registry.
func (s *Store) Animal(_ context.Context, tenant, id string) (iot.Animal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.find(tenant, id)
	if !ok {
		return iot.Animal{}, iot.ErrAnimalNotFound
	}
	return a, nil
}

// AnimalsByCode implements iot.Registry.
func (s *Store) AnimalsByCode(_ context.Context, tenant string, codes []iot.AnimalID) (map[iot.AnimalID]iot.Animal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, since := map[iot.AnimalID]iot.Animal{}, map[iot.AnimalID]time.Time{}
	for key, l := range s.reg.lives {
		for _, x := range l.Identifiers {
			if key == tenant+"/"+l.Animal.ID && slices.Contains(codes, x.AnimalID) && !x.From.Before(since[x.AnimalID]) {
				out[x.AnimalID], since[x.AnimalID] = l.Animal, x.From
			}
		}
	}
	return out, nil
}

// Life implements iot.Registry.
func (s *Store) Life(_ context.Context, tenant, animalID string) (iot.Life, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.reg.lives[tenant+"/"+animalID]
	if !ok {
		return iot.Life{}, iot.ErrAnimalNotFound
	}
	return l, nil
}

// Lives implements iot.Registry.
func (s *Store) Lives(_ context.Context, tenant, herdID string, from, to time.Time) ([]iot.Life, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []iot.Life{}
	for key, l := range s.reg.lives {
		if key == tenant+"/"+l.Animal.ID && slices.ContainsFunc(s.reg.events[key], func(e iot.LifeEvent) bool {
			return slices.Contains(iot.Passages(), e.Kind) && e.At.After(from) && !e.At.After(to)
		}) && slices.ContainsFunc(l.Stays, func(x iot.Stay) bool { return x.HerdID == herdID }) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b iot.Life) int { return cmp.Compare(a.Animal.ID, b.Animal.ID) })
	return out, nil
}

// KnownEvents implements iot.Registry.
func (s *Store) KnownEvents(_ context.Context, tenant, source string, keys []string) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{}
	for _, events := range s.reg.events {
		for _, e := range events {
			if e.Tenant == tenant && e.Source == source && e.Key != "" && slices.Contains(keys, e.Key) {
				known[e.Key] = true
			}
		}
	}
	return known, nil
}

// Wearers implements iot.Registry.
func (s *Store) Wearers(_ context.Context, tenant, tag string) ([]iot.Wearing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []iot.Wearing
	for key, l := range s.reg.lives {
		for _, w := range l.Tags {
			if key == tenant+"/"+l.Animal.ID && w.Tag == tag {
				out = append(out, w)
			}
		}
	}
	slices.SortFunc(out, func(a, b iot.Wearing) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Animal, b.Animal)) })
	return out, nil
}

// Handed implements iot.Store.
func (s *Store) Handed(ctx context.Context, tenant, herdID string) (map[string]time.Time, error) {
	animals, err := s.Animals(ctx, tenant, herdID)
	out := map[string]time.Time{}
	for _, a := range animals {
		wearers, err := s.Wearers(ctx, tenant, a.TagID)
		if err != nil {
			return nil, err
		}
		if n := len(wearers); n > 1 && wearers[n-1].Animal == a.ID {
			out[a.TagID] = wearers[n-1].From
		}
	}
	return out, err
}

// WearerAt implements iot.Registry.
func (s *Store) WearerAt(ctx context.Context, tenant, tag string, at time.Time) (string, error) {
	wearers, err := s.Wearers(ctx, tenant, tag)
	for _, w := range wearers {
		if w.Holds(at) {
			return w.Animal, err
		}
	}
	return "", iot.ErrAnimalNotFound
}

// AddDevices implements iot.Registry.
func (s *Store) AddDevices(_ context.Context, devices []iot.Device, claims []iot.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range devices {
		if _, ok := s.device(d.Tenant, d.ID); ok {
			return iot.ErrDeviceTaken.With("device", d.ID)
		}
	}
	s.devices = append(s.devices, devices...)
	for _, c := range claims {
		s.claimable(devices[0].Tenant, c)
	}
	return nil
}

func (s *Store) claimable(tenant string, c iot.Claim) {
	if s.reg.claims == nil {
		s.reg.claims = map[string]iot.Claim{}
	}
	s.reg.claims[tenant+"/"+c.Device] = c
}

// Unclaimed implements iot.Registry.
func (s *Store) Unclaimed(_ context.Context, tenant string) ([]iot.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []iot.Device
	for _, d := range s.devices {
		if d.Tenant == tenant && d.HerdID == "" && d.Kind != iot.Network {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b iot.Device) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// RenewClaim implements iot.Registry.
func (s *Store) RenewClaim(_ context.Context, tenant string, c iot.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.device(tenant, c.Device)
	if !ok {
		return iot.ErrDeviceNotFound
	}
	worn := false
	for _, a := range s.animals[tenant+"/"+d.HerdID] {
		worn = worn || a.TagID == d.ID
	}
	if d.HerdID != "" && (!d.Revoked || worn) || d.Kind == iot.Network {
		return iot.ErrClaimed.With("device", d.ID)
	}
	d.HerdID, d.PenID, d.SecretHash, d.Revoked = "", "", "", false
	s.claimable(tenant, c)
	return nil
}

// Claim implements iot.Registry.
func (s *Store) Claim(_ context.Context, t iot.ClaimTry) (iot.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	subjects := []string{t.Tenant + "/device/" + t.Device, t.Tenant + "/person/" + t.By}
	for _, k := range subjects {
		f := s.reg.failures[k]
		if left := f.since.Add(iot.ClaimWindow).Sub(t.At); f.n >= iot.ClaimTries && left > 0 {
			return iot.Device{}, iot.ErrClaimTooMany.With("minutes", int((left+time.Minute-1)/time.Minute))
		}
	}
	c, ok := s.reg.claims[t.Tenant+"/"+t.Device]
	d, _ := s.device(t.Tenant, t.Device)
	if !ok || c.CodeHash != t.CodeHash || c.Expires.Before(t.At) || d.Revoked {
		for _, k := range subjects {
			f := s.reg.failures[k]
			if !f.since.After(t.At.Add(-iot.ClaimWindow)) {
				f = failure{since: t.At}
			}
			f.n++
			if s.reg.failures == nil {
				s.reg.failures = map[string]failure{}
			}
			s.reg.failures[k] = f
		}
		return iot.Device{}, iot.ErrClaim
	}
	if t.Event != nil && d.Kind != iot.TagDevice {
		return iot.Device{}, iot.ErrNotTag.With("device", d.ID)
	}
	if t.Event != nil {
		if _, err := s.record(t.Tenant, iot.Change{Events: []iot.LifeEvent{*t.Event}}); err != nil {
			return iot.Device{}, err
		}
	}
	d.HerdID, d.PenID, d.SecretHash = t.HerdID, t.PenID, t.SecretHash
	delete(s.reg.claims, t.Tenant+"/"+t.Device)
	return *d, nil
}

// Rotate implements iot.Registry.
func (s *Store) Rotate(_ context.Context, tenant, id, secretHash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.device(tenant, id)
	switch {
	case !ok:
		return iot.ErrDeviceNotFound
	case d.Revoked:
		return iot.ErrRevoked.With("device", id)
	}
	d.SecretHash = secretHash
	return nil
}

// Pledge implements iot.Registry.
func (s *Store) Pledge(_ context.Context, tenant, ref string, animals []string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var added []pledge
	for _, id := range animals {
		a, ok := s.find(tenant, id)
		if !ok {
			return iot.ErrAnimalNotFound
		}
		standing := slices.IndexFunc(append(slices.Clone(s.reg.pledges), added...), func(p pledge) bool { return p.tenant == tenant && p.AnimalID == id && p.Until == nil })
		switch {
		case standing < 0 && a.Status != iot.Alive && a.Status != "":
			return iot.ErrPledgeGone.With("code", a.Identity.Code)
		case standing < 0:
			added = append(added, pledge{tenant, iot.Pledge{AnimalID: id, HerdID: a.HerdID, Ref: ref, Since: at}})
		case standing < len(s.reg.pledges) && s.reg.pledges[standing].Ref != ref:
			return iot.ErrPledged.With("code", a.Identity.Code).With("herd", a.HerdID).With("application", s.reg.pledges[standing].Ref)
		}
	}
	s.reg.pledges = append(s.reg.pledges, added...)
	return nil
}

// Release implements iot.Registry.
func (s *Store) Release(_ context.Context, tenant, ref string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.reg.pledges {
		if p := &s.reg.pledges[i]; p.tenant == tenant && p.Ref == ref && p.Until == nil {
			p.Until = &at
		}
	}
	return nil
}

// Pledges implements iot.Registry.
func (s *Store) Pledges(_ context.Context, tenant string, animals []string) ([]iot.Pledge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []iot.Pledge{}
	for _, p := range s.reg.pledges {
		if p.tenant == tenant && slices.Contains(animals, p.AnimalID) {
			out = append(out, p.Pledge)
		}
	}
	return out, nil
}
