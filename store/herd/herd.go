// Package herd keeps herds, animals, devices and the quarantine: the iot.Store on
// SQLite and PostgreSQL.
package herd

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
)

// Store implements iot.Store.
type Store struct {
	db *store.DB
}

var _ iot.Store = (*Store)(nil)

// New returns the store of an open database.
func New(db *store.DB) *Store { return &Store{db} }

// AddHerd implements iot.Store.
func (s *Store) AddHerd(ctx context.Context, h iot.Herd, animals []iot.Animal, devices []iot.Device) error {
	fence, err := json.Marshal(h.Fence)
	if err != nil {
		return fmt.Errorf("store: herd: fence: %w", err)
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := taken(ctx, tx, h.Tenant, animals, devices); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into herd (tenant, id, owner_id, owner_name, name, species, fence, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			h.Tenant, h.ID, h.OwnerID, h.OwnerName, h.Name, h.Species, string(fence), store.Millis(h.CreatedAt))
		if err != nil {
			return fmt.Errorf("store: herd: %w", err)
		}
		for _, a := range animals {
			born := sql.NullInt64{Int64: store.Millis(a.Born), Valid: !a.Born.IsZero()}
			_, err := tx.Exec(ctx, `insert into animal (tenant, id, herd_id, scheme, code, species, sex, born, tag_id)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				h.Tenant, a.ID, a.HerdID, a.Identity.Scheme, a.Identity.Code, a.Species, a.Sex, born,
				sql.NullString{String: a.TagID, Valid: a.TagID != ""})
			if err != nil {
				return fmt.Errorf("store: animal %s: %w", a.Identity.Code, err)
			}
		}
		for _, d := range devices {
			_, err := tx.Exec(ctx, `insert into device (tenant, id, kind, herd_id, secret_hash, revoked, created_at)
				values ($1, $2, $3, $4, $5, $6, $7)`,
				d.Tenant, d.ID, string(d.Kind), d.HerdID, d.SecretHash, d.Revoked, store.Millis(d.CreatedAt))
			if err != nil {
				return fmt.Errorf("store: device %s: %w", d.ID, err)
			}
		}
		return nil
	})
}

// taken names the first animal, tag or device that is already registered. It asks
// before the inserts, because PostgreSQL takes no more questions after a broken key;
// the transaction is serialisable, so nobody comes between.
func taken(ctx context.Context, tx *store.Tx, tenant string, animals []iot.Animal, devices []iot.Device) error {
	one := func(query string, args ...any) (string, error) {
		var found string
		err := tx.QueryRow(ctx, query, args...).Scan(&found)
		if errors.Is(err, sql.ErrNoRows) {
			return "", nil
		}
		return found, err
	}
	for _, a := range animals {
		herd, err := one(`select herd.name from animal join herd on herd.tenant = animal.tenant and herd.id = animal.herd_id
			where animal.tenant = $1 and animal.scheme = $2 and animal.code = $3`, tenant, a.Identity.Scheme, a.Identity.Code)
		if err != nil {
			return fmt.Errorf("store: animal: %w", err)
		}
		if herd != "" {
			return iot.ErrAnimalTaken.With("code", a.Identity.Code).With("herd", herd)
		}
		tag, err := one(`select tag_id from animal where tenant = $1 and tag_id = $2`, tenant, a.TagID)
		if err != nil {
			return fmt.Errorf("store: animal: %w", err)
		}
		if tag != "" {
			return iot.ErrTagTaken.With("tag", tag)
		}
	}
	for _, d := range devices {
		id, err := one(`select id from device where tenant = $1 and id = $2`, tenant, d.ID)
		if err != nil {
			return fmt.Errorf("store: device: %w", err)
		}
		if id != "" {
			return iot.ErrDeviceTaken.With("device", id)
		}
	}
	return nil
}

const herdColumns = `tenant, id, owner_id, owner_name, name, species, fence, created_at`

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

// Animals implements iot.Store.
func (s *Store) Animals(ctx context.Context, tenant, herdID string) ([]iot.Animal, error) {
	return store.Collect(ctx, s.db, func(r store.Row) (iot.Animal, error) {
		var a iot.Animal
		var born sql.NullInt64
		var tag sql.NullString
		err := r.Scan(&a.ID, &a.HerdID, &a.Identity.Scheme, &a.Identity.Code, &a.Species, &a.Sex, &born, &tag)
		if born.Valid {
			a.Born = store.Time(born.Int64)
		}
		a.TagID = tag.String
		return a, err
	}, `select id, herd_id, scheme, code, species, sex, born, tag_id from animal
		where tenant = $1 and herd_id = $2 order by id`, tenant, herdID)
}

const deviceColumns = `tenant, id, kind, herd_id, secret_hash, revoked, created_at`

// Device implements iot.Store.
func (s *Store) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	d, err := scanDevice(s.db.QueryRow(ctx, `select `+deviceColumns+` from device where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	return d, err
}

// Devices implements iot.Store.
func (s *Store) Devices(ctx context.Context, tenant, herdID string) ([]iot.Device, error) {
	return store.Collect(ctx, s.db, scanDevice, `select `+deviceColumns+` from device where tenant = $1 and herd_id = $2 order by id`, tenant, herdID)
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
	if limit <= 0 {
		limit = 50
	}
	return store.Collect(ctx, s.db, func(r store.Row) (iot.Quarantined, error) {
		var q iot.Quarantined
		var received int64
		var args []byte
		if err := r.Scan(&q.Tenant, &q.ID, &q.Topic, &q.Device, &q.Code, &q.Reason, &args, &q.Payload, &received); err != nil {
			return q, err
		}
		q.Received = store.Time(received)
		return q, json.Unmarshal(args, &q.Args)
	}, `select tenant, id, topic, device, code, reason, args, payload, received_at from quarantine
		where tenant = $1 order by id desc limit $2`, tenant, min(limit, 500))
}

func scanHerd(r store.Row) (iot.Herd, error) {
	var h iot.Herd
	var fence string
	var created int64
	if err := r.Scan(&h.Tenant, &h.ID, &h.OwnerID, &h.OwnerName, &h.Name, &h.Species, &fence, &created); err != nil {
		return iot.Herd{}, err
	}
	var p orb.Polygon
	if err := json.Unmarshal([]byte(fence), &p); err != nil {
		return iot.Herd{}, fmt.Errorf("store: herd %s: fence: %w", h.ID, err)
	}
	h.Fence, h.CreatedAt = p, store.Time(created)
	return h, nil
}

func scanDevice(r store.Row) (iot.Device, error) {
	var d iot.Device
	var created int64
	err := r.Scan(&d.Tenant, &d.ID, &d.Kind, &d.HerdID, &d.SecretHash, &d.Revoked, &created)
	d.CreatedAt = store.Time(created)
	return d, err
}
