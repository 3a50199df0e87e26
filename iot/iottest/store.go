// Package iottest has an iot.Registry in memory, for tests of what stands on one.
package iottest

import (
	"context"
	"slices"
	"sync"

	"github.com/furrowcredit/furrow/iot"
)

// Store is an iot.Registry that forgets.
type Store struct {
	mu          sync.Mutex
	herds       []iot.Herd
	animals     map[string][]iot.Animal // by tenant and herd
	devices     []iot.Device
	quarantined []iot.Quarantined
	reg         registry
	// Fail, when set, is asked before each Device and Quarantine.
	Fail func() error
}

// AddHerd implements iot.Store, without looking for what is taken.
func (s *Store) AddHerd(_ context.Context, h iot.Herd, animals []iot.Animal, devices []iot.Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.animals == nil {
		s.animals = make(map[string][]iot.Animal)
	}
	s.herds = append(s.herds, h)
	s.animals[h.Tenant+"/"+h.ID] = slices.Clone(animals)
	s.devices = append(s.devices, devices...)
	for _, a := range animals {
		// What the watch's tests make up need not be a life that could be.
		events := iot.TakeUp(a, h.CreatedAt, "", "registration")
		for i := range events {
			events[i].Tenant = h.Tenant
		}
		if l, err := iot.Derive(a, events); err == nil && a.ID != "" {
			s.remember(h.Tenant, l, events)
		}
	}
	return nil
}

// Herd implements iot.Store.
func (s *Store) Herd(_ context.Context, tenant, id string) (iot.Herd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.herds {
		if h.Tenant == tenant && h.ID == id {
			return h, nil
		}
	}
	return iot.Herd{}, iot.ErrHerdNotFound
}

// Herds implements iot.Store.
func (s *Store) Herds(_ context.Context, tenant, ownerID string) ([]iot.Herd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []iot.Herd
	for _, h := range s.herds {
		if h.Tenant == tenant && (ownerID == "" || h.OwnerID == ownerID) {
			out = append(out, h)
		}
	}
	return out, nil
}

// AllHerds implements iot.Store.
func (s *Store) AllHerds(context.Context) ([]iot.Herd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.herds), nil
}

// Animals implements iot.Store.
func (s *Store) Animals(_ context.Context, tenant, herdID string) ([]iot.Animal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.animals[tenant+"/"+herdID]), nil
}

// Device implements iot.Store.
func (s *Store) Device(_ context.Context, tenant, id string) (iot.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Fail != nil {
		if err := s.Fail(); err != nil {
			return iot.Device{}, err
		}
	}
	for _, d := range s.devices {
		if d.Tenant == tenant && d.ID == id {
			return d, nil
		}
	}
	return iot.Device{}, iot.ErrDeviceNotFound
}

// Devices implements iot.Store.
func (s *Store) Devices(_ context.Context, tenant, herdID string) ([]iot.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []iot.Device
	for _, d := range s.devices {
		if d.Tenant == tenant && d.HerdID == herdID {
			out = append(out, d)
		}
	}
	return out, nil
}

// Revoke implements iot.Store.
func (s *Store) Revoke(_ context.Context, tenant, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.devices {
		if s.devices[i].Tenant == tenant && s.devices[i].ID == id {
			s.devices[i].Revoked = true
			return nil
		}
	}
	return iot.ErrDeviceNotFound
}

// Quarantine implements iot.Store.
func (s *Store) Quarantine(_ context.Context, q iot.Quarantined) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Fail != nil {
		if err := s.Fail(); err != nil {
			return err
		}
	}
	s.quarantined = append(s.quarantined, q)
	return nil
}

// DeviceBySecret implements iot.Store.
func (s *Store) DeviceBySecret(_ context.Context, secretHash string) (iot.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if secretHash != "" && d.SecretHash == secretHash && !d.Revoked {
			return d, nil
		}
	}
	return iot.Device{}, iot.ErrDeviceNotFound
}

// Quarantined implements iot.Store, without the limit.
func (s *Store) Quarantined(ctx context.Context, tenant string, _ int) ([]iot.Quarantined, error) {
	return s.QuarantinedBefore(ctx, tenant, "", "", 0)
}

// QuarantinedBefore implements iot.Store; 0 is no limit.
func (s *Store) QuarantinedBefore(_ context.Context, tenant, code, before string, limit int) ([]iot.Quarantined, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []iot.Quarantined
	for _, q := range slices.Backward(s.quarantined) {
		if q.Tenant == tenant && (code == "" || q.Code == code) && (before == "" || q.ID < before) && (limit <= 0 || len(out) < limit) {
			out = append(out, q)
		}
	}
	return out, nil
}

// QuarantineCounts implements iot.Store.
func (s *Store) QuarantineCounts(_ context.Context, tenant string) (map[string]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, q := range s.quarantined {
		if q.Tenant == tenant {
			counts[q.Code]++
		}
	}
	return counts, nil
}
