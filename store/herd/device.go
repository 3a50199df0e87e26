package herd

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
)

// AddDevices implements iot.Registry.
func (s *Store) AddDevices(ctx context.Context, devices []iot.Device, claims []iot.Claim) error {
	if len(devices) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := addDevices(ctx, tx, devices); err != nil {
			return err
		}
		rows := make([][]any, len(claims))
		for i, c := range claims {
			rows[i] = []any{devices[0].Tenant, c.Device, c.CodeHash, store.Millis(c.Expires)}
		}
		return insert(ctx, tx, `device_claim (tenant, device_id, code_hash, expires_at)`, rows)
	})
}

// Unclaimed implements iot.Registry.
func (s *Store) Unclaimed(ctx context.Context, tenant string) ([]iot.Device, error) {
	return store.Collect(ctx, s.db, scanDevice, `select `+deviceColumns+` from device
		where tenant = $1 and herd_id is null and kind <> $2 order by id`, tenant, string(iot.Network))
}

// RenewClaim implements iot.Registry.
func (s *Store) RenewClaim(ctx context.Context, tenant string, c iot.Claim) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		d, err := device(ctx, tx, tenant, c.Device)
		if err != nil {
			return err
		}
		var wearer string
		err = tx.QueryRow(ctx, `select id from animal where tenant = $1 and tag_id = $2`, tenant, d.ID).Scan(&wearer)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if d.HerdID != "" && (!d.Revoked || wearer != "") || d.Kind == iot.Network {
			return iot.ErrClaimed.With("device", d.ID)
		}
		if _, err := tx.Exec(ctx, `update device set herd_id = null, pen_id = '', secret_hash = '', revoked = $3 where tenant = $1 and id = $2`,
			tenant, d.ID, false); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into device_claim (tenant, device_id, code_hash, expires_at) values ($1, $2, $3, $4)
			on conflict (tenant, device_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at`,
			tenant, c.Device, c.CodeHash, store.Millis(c.Expires))
		return err
	})
}

// Claim implements iot.Registry. A failure is counted, so the transaction commits.
func (s *Store) Claim(ctx context.Context, t iot.ClaimTry) (iot.Device, error) {
	var d iot.Device
	var refused error
	err := s.db.Tx(ctx, func(tx *store.Tx) (err error) {
		d, refused, err = claim(ctx, tx, t)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return iot.Device{}, err
	}
	return d, nil
}

func claim(ctx context.Context, tx *store.Tx, t iot.ClaimTry) (d iot.Device, refused, err error) {
	subjects := []string{"device/" + t.Device, "person/" + t.By}
	for _, subject := range subjects {
		n, since, err := failures(ctx, tx, t.Tenant, subject)
		if err != nil {
			return d, nil, err
		}
		if left := since.Add(iot.ClaimWindow).Sub(t.At); n >= iot.ClaimTries && left > 0 {
			return d, iot.ErrClaimTooMany.With("minutes", int((left+time.Minute-1)/time.Minute)), nil
		}
	}
	var hash string
	var expires int64
	err = tx.QueryRow(ctx, `select code_hash, expires_at from device_claim where tenant = $1 and device_id = $2`, t.Tenant, t.Device).Scan(&hash, &expires)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return d, nil, err
	}
	if d, err = device(ctx, tx, t.Tenant, t.Device); err != nil && !errors.Is(err, iot.ErrDeviceNotFound) {
		return d, nil, err
	}
	if subtle.ConstantTimeCompare([]byte(hash), []byte(t.CodeHash)) != 1 || store.Time(expires).Before(t.At) || d.Revoked {
		for _, subject := range subjects {
			if err := failed(ctx, tx, t, subject); err != nil {
				return d, nil, err
			}
		}
		return d, iot.ErrClaim, nil
	}
	if t.Event != nil && d.Kind != iot.TagDevice {
		return d, iot.ErrNotTag.With("device", d.ID), nil
	}
	d.HerdID, d.PenID, d.SecretHash = t.HerdID, t.PenID, t.SecretHash
	if _, err := tx.Exec(ctx, `update device set herd_id = $3, pen_id = $4, secret_hash = $5 where tenant = $1 and id = $2`,
		t.Tenant, t.Device, t.HerdID, t.PenID, t.SecretHash); err != nil {
		return d, nil, fmt.Errorf("store: device: %w", err)
	}
	if _, err := tx.Exec(ctx, `delete from device_claim where tenant = $1 and device_id = $2`, t.Tenant, t.Device); err != nil {
		return d, nil, err
	}
	if t.Event != nil {
		if _, err := record(ctx, tx, t.Tenant, iot.Change{Events: []iot.LifeEvent{*t.Event}}); err != nil {
			return d, nil, err
		}
	}
	return d, nil, nil
}

func failures(ctx context.Context, tx *store.Tx, tenant, subject string) (n int, since time.Time, err error) {
	var ms int64
	err = tx.QueryRow(ctx, `select n, since from claim_failure where tenant = $1 and subject = $2`, tenant, subject).Scan(&n, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	return n, store.Time(ms), err
}

// failed counts a wrong code; the count begins anew when its window has passed.
func failed(ctx context.Context, tx *store.Tx, t iot.ClaimTry, subject string) error {
	_, err := tx.Exec(ctx, `insert into claim_failure (tenant, subject, n, since) values ($1, $2, 1, $3)
		on conflict (tenant, subject) do update set
			n = case when claim_failure.since <= $4 then 1 else claim_failure.n + 1 end,
			since = case when claim_failure.since <= $4 then excluded.since else claim_failure.since end`,
		t.Tenant, subject, store.Millis(t.At), store.Millis(t.At.Add(-iot.ClaimWindow)))
	return err
}

// Rotate implements iot.Registry.
func (s *Store) Rotate(ctx context.Context, tenant, id, secretHash string) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		d, err := device(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if d.Revoked {
			return iot.ErrRevoked.With("device", id)
		}
		_, err = tx.Exec(ctx, `update device set secret_hash = $3 where tenant = $1 and id = $2`, tenant, id, secretHash)
		return err
	})
}

func device(ctx context.Context, q store.Queryer, tenant, id string) (iot.Device, error) {
	d, err := scanDevice(q.QueryRow(ctx, `select `+deviceColumns+` from device where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	return d, err
}

// Pledge implements iot.Registry.
func (s *Store) Pledge(ctx context.Context, tenant, ref string, animals []string, at time.Time) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return Pledge(ctx, tx, tenant, ref, animals, at) })
}

// Pledge is [Store.Pledge] inside a transaction of another store, so that a contract
// and the pledge of its animals are signed together.
func Pledge(ctx context.Context, tx store.Queryer, tenant, ref string, animals []string, at time.Time) error {
	return chunks(animals, func(ids []string) error {
		list, args := store.In([]any{tenant}, ids)
		herds, gone := map[string]string{}, map[string]bool{}
		_, err := store.Collect(ctx, tx, func(r store.Row) (struct{}, error) {
			var id, herd, status string
			err := r.Scan(&id, &herd, &status)
			herds[id], gone[id] = herd, iot.AnimalStatus(status) != iot.Alive
			return struct{}{}, err
		}, `select id, herd_id, status from animal where tenant = $1 and id in `+list, args...)
		if err != nil {
			return err
		}
		standing := map[string]string{}
		_, err = store.Collect(ctx, tx, func(r store.Row) (struct{}, error) {
			var id, by string
			err := r.Scan(&id, &by)
			standing[id] = by
			return struct{}{}, err
		}, `select animal_id, ref from pledge where tenant = $1 and until is null and animal_id in `+list, args...)
		if err != nil {
			return err
		}
		var rows [][]any
		for _, id := range ids {
			if _, ok := herds[id]; !ok {
				return iot.ErrAnimalNotFound
			}
			by := standing[id]
			if by == "" && gone[id] {
				code, _, err := nameOf(ctx, tx, tenant, id)
				if err != nil {
					return err
				}
				return iot.ErrPledgeGone.With("code", code)
			}
			switch by {
			case "":
				rows = append(rows, []any{tenant, id, ref, herds[id], store.Millis(at)})
				standing[id] = ref
			case ref:
			default:
				code, herd, err := nameOf(ctx, tx, tenant, id)
				if err != nil {
					return err
				}
				return iot.ErrPledged.With("code", code).With("herd", herd).With("application", by)
			}
		}
		return insert(ctx, tx, `pledge (tenant, animal_id, ref, herd_id, since)`, rows)
	})
}

// Release implements iot.Registry.
func (s *Store) Release(ctx context.Context, tenant, ref string, at time.Time) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error { return Release(ctx, tx, tenant, ref, at) })
}

// ReleaseAnimals ends the pledges of some animals of ref, inside a transaction of another
// store.
func ReleaseAnimals(ctx context.Context, tx store.Queryer, tenant, ref string, animals []string, at time.Time) error {
	return chunks(animals, func(ids []string) error {
		list, args := store.In([]any{tenant, ref, store.Millis(at)}, ids)
		_, err := tx.Exec(ctx, `update pledge set until = $3 where tenant = $1 and ref = $2 and until is null and animal_id in `+list, args...)
		return err
	})
}

// Release is [Store.Release] inside a transaction of another store.
func Release(ctx context.Context, tx store.Queryer, tenant, ref string, at time.Time) error {
	_, err := tx.Exec(ctx, `update pledge set until = $3 where tenant = $1 and ref = $2 and until is null`, tenant, ref, store.Millis(at))
	return err
}

// Pledges implements iot.Registry.
func (s *Store) Pledges(ctx context.Context, tenant string, animals []string) ([]iot.Pledge, error) {
	out := []iot.Pledge{}
	err := chunks(animals, func(ids []string) error {
		list, args := store.In([]any{tenant}, ids)
		found, err := store.Collect(ctx, s.db, func(r store.Row) (iot.Pledge, error) {
			var p iot.Pledge
			var since int64
			var until sql.NullInt64
			err := r.Scan(&p.AnimalID, &p.HerdID, &p.Ref, &since, &until)
			p.Since, p.Until = store.Time(since), store.NullTime(until)
			return p, err
		}, `select animal_id, herd_id, ref, since, until from pledge where tenant = $1 and animal_id in `+list+` order by since, animal_id`, args...)
		out = append(out, found...)
		return err
	})
	return out, err
}
