package telemetry

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"slices"
)

// How chunks grow. What a head has of a tag and day becomes a chunk of its own; when
// the newest chunks of the day that are not full become tailChunks, or the day is
// over, they are merged.
const (
	fullPoints  = 1024
	piecePoints = 2048 // a merge makes chunks of at most so many
	tailChunks  = 8
)

// Sizes of the transactions: some milliseconds.
const (
	tagsAtOnce   = 256
	pointsAtOnce = 16 << 10
)

// Ids of chunks.
const (
	seqBits = 16
	tagBits = 30
)

// chunkID is the first id of the chunks of a tag's day; all lie below
// chunkID + 1<<seqBits.
func chunkID(day, tag int64) int64 { return day<<(tagBits+seqBits) | tag<<seqBits }

// compact moves the frozen head into chunks, in the background.
func (s *Store) compact() {
	s.compacting.Lock()
	defer s.compacting.Unlock()
	_ = s.drain(s.closing, nil) // kept in s.failed
}

// drain moves the frozen head, if there is one, into chunks and removes its part of
// the journal. Readings of the tag without, if it is not nil, are forgotten, and
// those of days before from. compacting is held.
func (s *Store) drain(ctx context.Context, forget func(k key, day int64) bool) error {
	s.heads.RLock()
	h := s.frozen
	s.heads.RUnlock()
	if h == nil {
		return nil
	}
	err := s.move(ctx, h, forget)
	if err == nil {
		err = unavailable(s.journal.remove(h.segments))
	}
	s.chunks.Lock()
	defer s.chunks.Unlock()
	s.heads.Lock()
	defer s.heads.Unlock()
	if s.failed = err; err == nil {
		s.frozen = nil
	}
	select {
	case <-s.drained: // a failed one before has closed it
	default:
		close(s.drained)
	}
	return err
}

// flush moves everything that was written before the call into chunks. compacting
// is held.
func (s *Store) flush(ctx context.Context, forget func(k key, day int64) bool) error {
	for {
		if err := s.drain(ctx, forget); err != nil {
			return err
		}
		s.writing.Lock()
		s.heads.Lock()
		frozen := s.frozen == nil // else a writer was quicker
		var err error
		if frozen {
			err = s.freeze()
		}
		s.heads.Unlock()
		s.writing.Unlock()
		if err != nil {
			return unavailable(err)
		}
		if frozen {
			return s.drain(ctx, forget)
		}
	}
}

// The statements that write chunks, prepared once.
const (
	saveTag = iota
	listChunks
	readChunks
	dropChunks
	addChunk
	statements
)

var statementTexts = [statements]string{
	saveTag: `insert into tag (id, tenant, name, first, last) values (?, ?, ?, ?, ?)
		on conflict (id) do update set first = excluded.first, last = excluded.last`,
	listChunks: `select id, n from chunk where id between ? and ? order by id`,
	readChunks: `select body from chunk where id between ? and ? order by id`,
	dropChunks: `delete from chunk where id between ? and ?`,
	addChunk:   `insert into chunk (id, n, body) values (?, ?, ?)`,
}

func (s *Store) prepare(ctx context.Context) error {
	for i, text := range statementTexts {
		var err error
		s.prepared[i], err = s.write.PrepareContext(ctx, text) //nolint:sqlclosecheck // Close does
		if err != nil {
			return wrap(err)
		}
	}
	var err error
	s.find, err = s.read.PrepareContext(ctx, findChunks)
	return wrap(err)
}

func (m *mover) exec(ctx context.Context, statement int, args ...any) error {
	_, err := m.tx.StmtContext(ctx, m.prepared[statement]).ExecContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
	return err
}

func (m *mover) query(ctx context.Context, statement int, args ...any) (*sql.Rows, error) {
	return m.tx.StmtContext(ctx, m.prepared[statement]).QueryContext(ctx, args...) //nolint:sqlclosecheck // ends with the transaction
}

// mover writes chunks.
type mover struct {
	tx       *sql.Tx
	prepared *[statements]*sql.Stmt
	days     calendar
	out      chunkWriter
	in       chunkReader
	body     []byte
	points   []point
}

// moved is what a transaction changes in the directory.
type moved struct {
	key
	tagEntry
}

// move writes the readings of a head into chunks, tags in the order of their ids.
func (s *Store) move(ctx context.Context, h *head, forget func(k key, day int64) bool) error {
	v := h.view()
	tags := make([]moved, 0, len(h.last))
	var fresh int
	next := int64(1)
	for _, t := range s.tags { // only who compacts changes it
		next = max(next, t.id+1)
	}
	for _, k := range slices.SortedFunc(maps.Keys(h.last), key.compare) {
		t := moved{key: k}
		if known := s.tags[k]; known != nil {
			t.tagEntry = *known
		} else {
			t.tagEntry = tagEntry{id: next + int64(fresh), first: 1, last: 0}
			fresh++
		}
		tags = append(tags, t)
	}
	slices.SortFunc(tags, func(a, b moved) int { return cmp.Compare(a.id, b.id) })
	m := &mover{prepared: &s.prepared, days: s.days}
	for len(tags) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.moveSome(ctx, m, &v, h, tags, forget)
		if err != nil {
			return wrap(err)
		}
		tags = tags[n:]
	}
	return nil
}

// moveSome moves the first of the tags in one transaction, and tells how many.
func (s *Store) moveSome(ctx context.Context, m *mover, v *view, h *head, tags []moved, forget func(k key, day int64) bool) (int, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // a no-op after Commit
	m.tx = tx
	n, points := 0, 0
	for n < min(len(tags), tagsAtOnce) && points < pointsAtOnce {
		t := &tags[n]
		m.points, err = v.points(m.points[:0], h.last[t.key])
		if err != nil {
			return 0, err
		}
		if forget != nil {
			m.points = slices.DeleteFunc(m.points, func(p point) bool { return forget(t.key, s.days.day(p.at)) })
		}
		points += len(m.points)
		n++
		if len(m.points) == 0 {
			continue
		}
		if err := m.tag(ctx, t, settle(m.points)); err != nil {
			return 0, err
		}
	}
	s.chunks.Lock()
	defer s.chunks.Unlock()
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	for _, t := range tags[:n] {
		if t.first <= t.last {
			known := t.tagEntry
			s.tags[t.key] = &known
		}
	}
	return n, nil
}

// tag writes the settled points of a tag, and closes the day that was its last when
// a later one begins.
func (m *mover) tag(ctx context.Context, t *moved, points []point) error {
	before := t.tagEntry
	known := before.first <= before.last
	first, last := m.days.day(points[0].at), m.days.day(points[len(points)-1].at)
	closing := known && last > before.last
	for i := 0; i < len(points); {
		day, n := m.days.day(points[i].at), i+1
		for n < len(points) && m.days.day(points[n].at) == day {
			n++
		}
		var err error
		if known && day >= before.first && day <= before.last {
			closing = closing && day != before.last
			err = m.day(ctx, t.id, day, points[i:n], day < max(last, before.last))
		} else {
			err = m.pieces(ctx, chunkID(day, t.id), points[i:n])
		}
		if err != nil {
			return err
		}
		i = n
	}
	if closing {
		if err := m.day(ctx, t.id, before.last, nil, true); err != nil {
			return err
		}
	}
	if known {
		t.first, t.last = min(t.first, first), max(t.last, last)
	} else {
		t.first, t.last = first, last
	}
	if t.tagEntry == before {
		return nil
	}
	return m.exec(ctx, saveTag, t.id, t.tenant, t.tag, t.first, t.last)
}

// day adds settled points to a day that may have chunks. A day that is over is left
// with its chunks merged.
func (m *mover) day(ctx context.Context, tag, day int64, points []point, over bool) error {
	lowest := chunkID(day, tag)
	next, tail, err := m.tail(ctx, lowest)
	if err != nil {
		return err
	}
	some := 0
	if len(points) > 0 {
		some = 1
	}
	if parts := some + len(tail); parts < tailChunks && (!over || parts <= 1) {
		return m.pieces(ctx, next, points)
	}
	all, err := m.merged(ctx, tail, points)
	if err != nil {
		return err
	}
	if len(tail) > 0 {
		next = tail[0]
		if err := m.exec(ctx, dropChunks, next, tail[len(tail)-1]); err != nil {
			return err
		}
	}
	return m.pieces(ctx, next, all)
}

// tail gives the ids of the newest chunks that are not full, and the next free id.
func (m *mover) tail(ctx context.Context, lowest int64) (next int64, tail []int64, err error) {
	rows, err := m.query(ctx, listChunks, lowest, lowest+1<<seqBits-1)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	next = lowest
	for rows.Next() {
		var id, n int64
		if err := rows.Scan(&id, &n); err != nil {
			return 0, nil, err
		}
		next = id + 1
		if tail = append(tail, id); n >= fullPoints {
			tail = tail[:0]
		}
	}
	return next, tail, rows.Err()
}

// merged gives the readings of chunks and points together.
func (m *mover) merged(ctx context.Context, ids []int64, points []point) ([]point, error) {
	if len(ids) == 0 {
		return points, nil
	}
	var all []point
	rows, err := m.query(ctx, readChunks, ids[0], ids[len(ids)-1])
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	for rows.Next() {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		c, err := openChunk(body)
		if err != nil {
			return nil, err
		}
		if all, err = m.in.points(all, &c, math.MinInt64, math.MaxInt64); err != nil {
			return nil, err
		}
	}
	return settle(append(all, points...)), rows.Err()
}

var errTooMany = errors.New("too many readings of one tag in one day")

// pieces writes points as chunks from an id on.
func (m *mover) pieces(ctx context.Context, id int64, points []point) error {
	for left := (len(points) + piecePoints - 1) / piecePoints; left > 0; left-- {
		n := (len(points) + left - 1) / left
		if id>>seqBits != (id+1)>>seqBits {
			return errTooMany
		}
		m.body = m.out.append(m.body[:0], points[:n])
		if err := m.exec(ctx, addChunk, id, n, m.body); err != nil {
			return err
		}
		points = points[n:]
		id++
	}
	return nil
}
