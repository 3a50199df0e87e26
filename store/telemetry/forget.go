package telemetry

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/iot/series"
)

// Delete implements series.Store. The journal is emptied into chunks without the
// tag's readings, the tag's chunks are deleted, and what SQLite keeps of them, in
// free pages and in its own log, is overwritten.
func (s *Store) Delete(ctx context.Context, tenant, tag string) error {
	s.compacting.Lock()
	defer s.compacting.Unlock()
	k := key{tenant, tag}
	if s.inJournal(k) {
		if err := s.flush(ctx, func(other key, _ int64) bool { return other == k }); err != nil {
			return err
		}
	}
	if t := s.tags[k]; t != nil { // only who compacts changes the directory
		if err := s.deleteChunks(ctx, k, *t); err != nil {
			return wrap(err)
		}
	}
	return s.scrub(ctx)
}

func (s *Store) inJournal(k key) bool {
	s.heads.RLock()
	defer s.heads.RUnlock()
	for _, h := range [...]*head{s.frozen, s.live} {
		if h != nil {
			if _, ok := h.last[k]; ok {
				return true
			}
		}
	}
	return false
}

func (s *Store) deleteChunks(ctx context.Context, k key, t tagEntry) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after Commit
	m := mover{tx: tx, prepared: &s.prepared}
	for day := t.first; day <= t.last; day++ {
		lowest := chunkID(day, t.id)
		if err := m.exec(ctx, dropChunks, lowest, lowest+1<<seqBits-1); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `delete from tag where id = ?`, t.id); err != nil {
		return err
	}
	s.chunks.Lock()
	defer s.chunks.Unlock()
	if err := tx.Commit(); err != nil {
		return err
	}
	delete(s.tags, k)
	return nil
}

// scrub moves SQLite's write-ahead log into the database and empties it. No read is
// under way meanwhile.
func (s *Store) scrub(ctx context.Context) error {
	s.chunks.Lock()
	defer s.chunks.Unlock()
	var busy, frames, moved int
	if err := s.write.QueryRowContext(ctx, `pragma wal_checkpoint(truncate)`).Scan(&busy, &frames, &moved); err != nil {
		return wrap(err)
	}
	if busy != 0 {
		return series.ErrUnavailable
	}
	return nil
}

// Expire implements series.Store: whole days go.
func (s *Store) Expire(ctx context.Context, before time.Time) error {
	s.compacting.Lock()
	defer s.compacting.Unlock()
	from := s.days.day(ceilMillis(before))
	if err := s.flush(ctx, func(_ key, day int64) bool { return day < from }); err != nil {
		return err
	}
	for {
		gone, err := s.expireDay(ctx, from)
		if err != nil {
			return wrap(err)
		}
		if gone {
			break
		}
	}
	return s.scrub(ctx)
}

// expireDay deletes the oldest day before from, or tells that there is none and
// brings the directory up to date.
func (s *Store) expireDay(ctx context.Context, from int64) (done bool, err error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // a no-op after Commit
	var oldest int64
	if err := tx.QueryRowContext(ctx, `select coalesce(min(id), ?) from chunk`, chunkID(from, 0)).Scan(&oldest); err != nil {
		return false, err
	}
	day := oldest >> (tagBits + seqBits)
	if day < from {
		m := mover{tx: tx, prepared: &s.prepared}
		if err := m.exec(ctx, dropChunks, chunkID(day, 0), chunkID(day+1, 0)-1); err != nil {
			return false, err
		}
	} else {
		if _, err := tx.ExecContext(ctx, `delete from tag where last < ?`, from); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, `update tag set first = ? where first < ?`, from, from); err != nil {
			return false, err
		}
	}
	s.chunks.Lock()
	defer s.chunks.Unlock()
	if err := tx.Commit(); err != nil || day < from {
		return false, err
	}
	for k, t := range s.tags {
		if t.last < from {
			delete(s.tags, k)
		} else {
			t.first = max(t.first, from)
		}
	}
	return true, nil
}
