package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
)

// oldSuffix is added to the name of a file of the first layout until its readings
// are in the new one.
const oldSuffix = ".rows"

// setAside renames a file of the first layout, which had a row a reading. It returns
// the name of one that is to be migrated, from this start or one that was cut short.
func setAside(ctx context.Context, path string) (old string, err error) {
	old = path + oldSuffix
	if _, err := os.Stat(old); err == nil {
		return old, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	db, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return "", wrap(err)
	}
	var n, busy, frames, moved int
	err = db.QueryRowContext(ctx, `select count(*) from sqlite_schema where type = 'table' and name = 'reading'`).Scan(&n)
	if err == nil && n > 0 {
		// All of it has to be in the one file that is renamed.
		err = db.QueryRowContext(ctx, `pragma wal_checkpoint(truncate)`).Scan(&busy, &frames, &moved)
		if err == nil && busy != 0 {
			err = ErrInUse.With("path", path)
		}
	}
	if err := errors.Join(wrap(err), wrap(db.Close())); err != nil || n == 0 {
		return "", err
	}
	if err := os.Rename(path, old); err != nil {
		return "", unavailable(err)
	}
	return old, nil
}

// migrate copies the readings of a file of the first layout. Cut short, it begins
// again at the next start, which changes nothing of what is copied already.
func (s *Store) migrate(ctx context.Context, old string) error {
	db, err := sql.Open("sqlite", dsn(old, "deferred"))
	if err != nil {
		return wrap(err)
	}
	err = s.copyRows(ctx, db)
	if err = errors.Join(err, wrap(db.Close())); err != nil {
		return err
	}
	s.compacting.Lock()
	defer s.compacting.Unlock()
	if err := s.flush(ctx, nil); err != nil {
		return err
	}
	return unavailable(os.Remove(old))
}

func (s *Store) copyRows(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `select tenant, tag, ts, received, gateway, lon, lat, acc_m, temp_c, ambient_c, activity,
		attached, battery_v, seq from reading`)
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	const atOnce = 5000
	batch := make([]iot.Reading, 0, atOnce)
	for rows.Next() {
		var r iot.Reading
		var ts, received int64
		var gateway sql.NullString
		if err := rows.Scan(&r.Tenant, &r.Tag, &ts, &received, &gateway, &r.Lon, &r.Lat, &r.Accuracy, &r.Temp, &r.Ambient, &r.Activity,
			&r.Attached, &r.Battery, &r.Seq); err != nil {
			return wrap(err)
		}
		r.At, r.Received, r.Gateway = store.Time(ts), store.Time(received), gateway.String
		if batch = append(batch, r); len(batch) == atOnce {
			if err := s.Write(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return wrap(err)
	}
	return s.Write(ctx, batch)
}
