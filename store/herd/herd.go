// Package herd keeps herds, animals, devices and the quarantine: the iot.Registry on
// SQLite and PostgreSQL.
package herd

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
)

// Store implements iot.Registry.
type Store struct {
	db *store.DB
}

var _ iot.Registry = (*Store)(nil)

// New returns the store of an open database.
func New(db *store.DB) *Store { return &Store{db} }

// AddHerd implements iot.Store.
func (s *Store) AddHerd(ctx context.Context, h iot.Herd, animals []iot.Animal, devices []iot.Device) error {
	fence, pens, err := shapes(h)
	if err != nil {
		return err
	}
	c := iot.Change{Animals: animals, Devices: devices}
	for _, a := range animals {
		c.Events = append(c.Events, iot.TakeUp(a, h.CreatedAt, "", "registration")...)
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `insert into herd (tenant, id, owner_id, owner_name, name, species, holding, region, fence, pens, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			h.Tenant, h.ID, h.OwnerID, h.OwnerName, h.Name, h.Species, h.Holding, h.Region, fence, pens, store.Millis(h.CreatedAt))
		if err != nil {
			return fmt.Errorf("store: herd: %w", err)
		}
		_, err = record(ctx, tx, h.Tenant, c)
		return err
	})
}

// shapes are the fence and the pens of a herd as they are stored.
func shapes(h iot.Herd) (fence, pens string, err error) {
	f, err := json.Marshal(h.Fence)
	if err != nil {
		return "", "", fmt.Errorf("store: herd: fence: %w", err)
	}
	p, err := json.Marshal(append([]iot.Pen{}, h.Pens...))
	if err != nil {
		return "", "", fmt.Errorf("store: herd: pens: %w", err)
	}
	return string(f), string(p), nil
}

const herdColumns = `tenant, id, owner_id, owner_name, name, species, holding, region, fence, pens, created_at`

// Herd implements iot.Store.
func (s *Store) Herd(ctx context.Context, tenant, id string) (iot.Herd, error) {
	h, err := scanHerd(s.db.QueryRow(ctx, `select `+herdColumns+` from herd where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return iot.Herd{}, iot.ErrHerdNotFound
	}
	return h, err
}

// Herds implements iot.Store.
func (s *Store) Herds(ctx context.Context, tenant, ownerID string) ([]iot.Herd, error) {
	return store.Collect(ctx, s.db, scanHerd, `select `+herdColumns+` from herd
		where tenant = $1 and ($2 = '' or owner_id = $2) order by id`, tenant, ownerID)
}

// AllHerds implements iot.Store.
func (s *Store) AllHerds(ctx context.Context) ([]iot.Herd, error) {
	return store.Collect(ctx, s.db, scanHerd, `select `+herdColumns+` from herd order by tenant, id`)
}

const animalColumns = `id, herd_id, pen_id, scheme, code, species, breed, sex, born, tag_id, status, bred, heads`

// Animals implements iot.Store.
func (s *Store) Animals(ctx context.Context, tenant, herdID string) ([]iot.Animal, error) {
	return store.Collect(ctx, s.db, scanAnimal, `select `+animalColumns+` from animal
		where tenant = $1 and herd_id = $2 order by id`, tenant, herdID)
}

func scanAnimal(r store.Row) (iot.Animal, error) {
	var a iot.Animal
	var born, bred sql.NullInt64
	var tag sql.NullString
	err := r.Scan(&a.ID, &a.HerdID, &a.PenID, &a.Identity.Scheme, &a.Identity.Code, &a.Species, &a.Breed, &a.Sex, &born, &tag,
		&a.Status, &bred, &a.Heads)
	if born.Valid {
		a.Born = store.Time(born.Int64)
	}
	if bred.Valid {
		a.Bred = store.Time(bred.Int64)
	}
	a.TagID = tag.String
	return a, err
}

const deviceColumns = `tenant, id, kind, herd_id, pen_id, profile, secret_hash, revoked, created_at`

// Device implements iot.Store.
func (s *Store) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	return device(ctx, s.db, tenant, id)
}

// Devices implements iot.Store.
func (s *Store) Devices(ctx context.Context, tenant, herdID string) ([]iot.Device, error) {
	return store.Collect(ctx, s.db, scanDevice, `select `+deviceColumns+` from device where tenant = $1 and herd_id = $2 order by id`, tenant, herdID)
}

// DeviceBySecret implements iot.Store.
func (s *Store) DeviceBySecret(ctx context.Context, secretHash string) (iot.Device, error) {
	if secretHash == "" { // of devices that wait for their claim
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	d, err := scanDevice(s.db.QueryRow(ctx, `select `+deviceColumns+` from device
		where secret_hash = $1 and revoked = $2 order by tenant, id limit 1`, secretHash, false))
	if errors.Is(err, sql.ErrNoRows) {
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	return d, err
}

// Revoke implements iot.Store.
func (s *Store) Revoke(ctx context.Context, tenant, id string) error {
	res, err := s.db.Exec(ctx, `update device set revoked = $3 where tenant = $1 and id = $2`, tenant, id, true)
	if err != nil {
		return fmt.Errorf("store: device: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return iot.ErrDeviceNotFound
}

// Quarantine implements iot.Store.
func (s *Store) Quarantine(ctx context.Context, q iot.Quarantined) error {
	args, err := json.Marshal(q.Args)
	if err != nil {
		return fmt.Errorf("store: quarantine: %w", err)
	}
	if q.Payload == nil { // an empty message; nil would be null
		q.Payload = []byte{}
	}
	_, err = s.db.Exec(ctx, `insert into quarantine (tenant, id, topic, device, code, reason, args, payload, received_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		q.Tenant, q.ID, plain(q.Topic), q.Device, q.Code, plain(q.Reason), plain(string(args)), q.Payload, store.Millis(q.Received))
	if err != nil {
		return fmt.Errorf("store: quarantine: %w", err)
	}
	return nil
}

// plain makes text of strangers fit for PostgreSQL, which takes neither NUL nor
// broken UTF-8.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Quarantined implements iot.Store.
func (s *Store) Quarantined(ctx context.Context, tenant string, limit int) ([]iot.Quarantined, error) {
	return s.QuarantinedBefore(ctx, tenant, "", "", limit)
}

// QuarantinedBefore implements iot.Store.
func (s *Store) QuarantinedBefore(ctx context.Context, tenant, code, before string, limit int) ([]iot.Quarantined, error) {
	if limit <= 0 {
		limit = 50
	}
	query, args := `select tenant, id, topic, device, code, reason, args, payload, received_at from quarantine where tenant = $1`, []any{tenant}
	if code != "" {
		args = append(args, code)
		query += fmt.Sprintf(` and code = $%d`, len(args))
	}
	if before != "" {
		args = append(args, before)
		query += fmt.Sprintf(` and id < $%d`, len(args))
	}
	args = append(args, min(limit, 500))
	return store.Collect(ctx, s.db, func(r store.Row) (iot.Quarantined, error) {
		var q iot.Quarantined
		var received int64
		var args []byte
		if err := r.Scan(&q.Tenant, &q.ID, &q.Topic, &q.Device, &q.Code, &q.Reason, &args, &q.Payload, &received); err != nil {
			return q, err
		}
		q.Received = store.Time(received)
		return q, json.Unmarshal(args, &q.Args)
	}, query+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

// QuarantineCounts implements iot.Store.
func (s *Store) QuarantineCounts(ctx context.Context, tenant string) (map[string]int, error) {
	counts := map[string]int{}
	_, err := store.Collect(ctx, s.db, func(r store.Row) (string, error) {
		var code string
		var n int
		err := r.Scan(&code, &n)
		counts[code] = n
		return code, err
	}, `select code, count(*) from quarantine where tenant = $1 group by code order by code`, tenant)
	return counts, err
}

func scanHerd(r store.Row) (iot.Herd, error) {
	var h iot.Herd
	var fence, pens string
	var created int64
	if err := r.Scan(&h.Tenant, &h.ID, &h.OwnerID, &h.OwnerName, &h.Name, &h.Species, &h.Holding, &h.Region, &fence, &pens, &created); err != nil {
		return iot.Herd{}, err
	}
	var p orb.Polygon
	if err := json.Unmarshal([]byte(fence), &p); err != nil {
		return iot.Herd{}, fmt.Errorf("store: herd %s: fence: %w", h.ID, err)
	}
	if err := json.Unmarshal([]byte(pens), &h.Pens); err != nil {
		return iot.Herd{}, fmt.Errorf("store: herd %s: pens: %w", h.ID, err)
	}
	if len(h.Pens) == 0 {
		h.Pens = nil
	}
	h.Fence, h.CreatedAt = p, store.Time(created)
	return h, nil
}

func scanDevice(r store.Row) (iot.Device, error) {
	var d iot.Device
	var herd sql.NullString
	var created int64
	err := r.Scan(&d.Tenant, &d.ID, &d.Kind, &herd, &d.PenID, &d.Profile, &d.SecretHash, &d.Revoked, &created)
	d.HerdID, d.CreatedAt = herd.String, store.Time(created)
	return d, err
}

// ExpireQuarantined deletes refused messages of all tenants that were received before.
func (s *Store) ExpireQuarantined(ctx context.Context, before time.Time) error {
	return s.expire(ctx, before, `delete from quarantine where (tenant, id) in
		(select tenant, id from quarantine where received_at < $1 order by received_at limit 2000)`)
}

// ExpireHeadcounts deletes counts of all tenants whose windows ended before.
func (s *Store) ExpireHeadcounts(ctx context.Context, before time.Time) error {
	return s.expire(ctx, before, `delete from headcount where (tenant, id) in
		(select tenant, id from headcount where to_at < $1 order by to_at limit 2000)`)
}

// expire runs a statement that deletes some rows older than before until it finds no
// more: between two runs others may write.
func (s *Store) expire(ctx context.Context, before time.Time, some string) error {
	for {
		res, err := s.db.Exec(ctx, some, store.Millis(before))
		if err != nil {
			return fmt.Errorf("store: expire: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}

// ForgetQuarantined deletes what is kept of a device's refused messages.
func (s *Store) ForgetQuarantined(ctx context.Context, tenant, device string) error {
	if _, err := s.db.Exec(ctx, `delete from quarantine where tenant = $1 and device = $2`, tenant, device); err != nil {
		return fmt.Errorf("store: quarantine: %w", err)
	}
	return nil
}
