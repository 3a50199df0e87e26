package telemetry

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// cell is what is stored of one tag and one day: chunks, oldest first, then the
// points of the heads in the order of their writing.
type cell struct {
	tag    int // place in the scan's tags
	day    int64
	chunks [][]byte
	points []point
}

// scan walks the cells of some tags between two times, tag by tag, and of each tag
// day by day.
type scan struct {
	s        *Store
	tenant   string
	tags     []string
	from, to func(tag int) int64 // Unix ms; from <= time < to
	newest   bool                // only the last day of each tag
	batch    int                 // cells that are read at once
}

// cellsAtOnce bounds the cells of a batch: some megabytes of chunks.
const cellsAtOnce = 512

// each tells each cell that holds something.
func (q *scan) each(ctx context.Context, f func(*cell) error) error {
	if q.batch == 0 {
		q.batch = cellsAtOnce
	}
	at := cursor{day: math.MinInt64}
	for at.tag < len(q.tags) {
		if err := ctx.Err(); err != nil {
			return err
		}
		cells, next, err := q.read(ctx, at)
		if err != nil {
			return err
		}
		for i := range cells {
			if c := &cells[i]; len(c.chunks)+len(c.points) > 0 {
				if err := f(c); err != nil {
					return err
				}
			}
		}
		at = next
	}
	return nil
}

// cursor is where a scan goes on.
type cursor struct {
	tag int
	day int64 // the first that is not read
}

// read reads the next batch of cells, each as it was at one moment.
func (q *scan) read(ctx context.Context, at cursor) (cells []cell, next cursor, err error) {
	s := q.s
	s.chunks.RLock()
	defer s.chunks.RUnlock()
	var keys []int64
	for at.tag < len(q.tags) && len(cells) < q.batch {
		k := key{q.tenant, q.tags[at.tag]}
		points, err := s.inHeads(k, q.from(at.tag), q.to(at.tag))
		if err != nil {
			return nil, at, err
		}
		known := s.tags[k]
		first, last := q.days(at, known, points)
		n := min(last-first+1, int64(q.batch-len(cells)))
		for day := first; day < first+n; day++ {
			c := cell{tag: at.tag, day: day}
			for len(points) > 0 && q.s.days.day(points[0].at) < day {
				points = points[1:]
			}
			end := 0
			for end < len(points) && q.s.days.day(points[end].at) == day {
				end++
			}
			c.points, points = points[:end], points[end:]
			if known != nil && day >= known.first && day <= known.last {
				keys = append(keys, chunkID(day, known.id))
			}
			cells = append(cells, c)
		}
		if first+n <= last {
			at.day = first + n
			break
		}
		at = cursor{at.tag + 1, math.MinInt64}
	}
	chunks, err := s.readChunks(ctx, keys)
	if err != nil {
		return nil, at, err
	}
	for i := range cells {
		c := &cells[i]
		known := s.tags[key{q.tenant, q.tags[c.tag]}]
		if known == nil || c.day < known.first || c.day > known.last {
			continue
		}
		id := chunkID(c.day, known.id)
		n, _ := slices.BinarySearchFunc(chunks, id, func(st stored, id int64) int { return cmp.Compare(st.id, id) })
		for ; n < len(chunks) && chunks[n].id>>seqBits == id>>seqBits; n++ {
			c.chunks = append(c.chunks, chunks[n].body)
		}
	}
	return cells, at, nil
}

// days are the days of a tag that the scan has still to read.
func (q *scan) days(at cursor, known *tagEntry, points []point) (first, last int64) {
	c := q.s.days
	first, last = math.MaxInt64, math.MinInt64
	if known != nil {
		first, last = known.first, known.last
	}
	if len(points) > 0 {
		first, last = min(first, c.day(points[0].at)), max(last, c.day(points[len(points)-1].at))
	}
	first, last = max(first, c.day(q.from(at.tag)), at.day), min(last, c.day(q.to(at.tag)-1))
	if q.newest {
		first = max(first, last)
	}
	if first > last {
		return 0, -1
	}
	return first, last
}

// inHeads gives the points of a tag that are in heads, day by day, and within a day
// in the order of their writing.
func (s *Store) inHeads(k key, from, to int64) (points []point, err error) {
	type part struct {
		view
		last int32
	}
	var parts [2]part
	n := 0
	s.heads.RLock()
	for _, h := range [...]*head{s.frozen, s.live} {
		if h == nil {
			continue
		}
		if last, ok := h.last[k]; ok {
			parts[n] = part{h.view(), last}
			n++
		}
	}
	s.heads.RUnlock()
	for _, p := range parts[:n] {
		if points, err = p.points(points, p.last); err != nil {
			return nil, err
		}
	}
	points = slices.DeleteFunc(points, func(p point) bool { return p.at < from || p.at >= to })
	byDay := func(a, b point) int { return cmp.Compare(s.days.day(a.at), s.days.day(b.at)) }
	if !slices.IsSortedFunc(points, byDay) {
		slices.SortStableFunc(points, byDay)
	}
	return points, nil
}

// stored is a row of the table chunk.
type stored struct {
	id   int64
	body []byte
}

// readChunks reads the chunks of days of tags, by the first ids that they may have,
// in the order of their ids.
func (s *Store) readChunks(ctx context.Context, lowest []int64) ([]stored, error) {
	if len(lowest) == 0 {
		return nil, nil
	}
	slices.Sort(lowest) // the order in which they lie in the file
	text, err := json.Marshal(lowest)
	if err != nil {
		return nil, err
	}
	// A batch takes some milliseconds and is not ended half-way: watching for that
	// would cost as much as a small batch itself.
	rows, err := s.find.QueryContext(context.WithoutCancel(ctx), string(text), 1<<seqBits-1)
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	out := make([]stored, 0, len(lowest))
	var arena []byte
	var body sql.RawBytes
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id, &body); err != nil {
			return nil, wrap(err)
		}
		if len(body) > cap(arena)-len(arena) {
			const usual = 4 << 10 // bytes of a chunk
			arena = make([]byte, 0, max(len(body), min(usual*(len(lowest)-len(out)), 1<<18)))
		}
		start := len(arena)
		arena = append(arena, body...)
		out = append(out, stored{id, arena[start:len(arena):len(arena)]})
	}
	slices.SortFunc(out, func(a, b stored) int { return cmp.Compare(a.id, b.id) })
	return out, wrap(rows.Err())
}

// findChunks finds the chunks of days of tags, by the first ids that they may have.
const findChunks = `select c.id, c.body from json_each(?) k cross join chunk c on c.id between k.value and k.value + ?`

// scratch is what decoding needs; a read takes one and gives it back.
type scratch struct {
	chunkReader
	points []point
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func borrow() *scratch {
	d, _ := scratches.Get().(*scratch)
	return d
}

func (d *scratch) release() {
	if d.points = d.points[:0]; cap(d.points) <= 4*mostPoints {
		scratches.Put(d)
	}
}

// settled appends the readings of a cell within the scan's times, in order.
func (q *scan) settled(to []point, d *chunkReader, c *cell) ([]point, error) {
	start := len(to)
	for _, body := range c.chunks {
		ch, err := openChunk(body)
		if err != nil {
			return to, q.damaged(c, err)
		}
		if to, err = d.points(to, &ch, q.from(c.tag), q.to(c.tag)); err != nil {
			return to, q.damaged(c, err)
		}
	}
	to = append(to, c.points...) // inHeads kept to the times
	return to[:start+len(settle(to[start:]))], nil
}

func (q *scan) damaged(c *cell, err error) error {
	return fmt.Errorf("%s: tag %s, day %s: %w: restore the file from a copy", q.s.path, q.tags[c.tag],
		time.UnixMilli(q.s.days.begin(c.day)).UTC().Format(time.RFC3339), err)
}

func always(ms int64) func(int) int64 { return func(int) int64 { return ms } }

// ceilMillis is the first whole millisecond at or after t.
func ceilMillis(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// endOfTime is beyond what can be stored.
const endOfTime = 1 << 43

// Latest implements series.Store.
func (s *Store) Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error) {
	q := scan{s: s, tenant: tenant, tags: tags, from: always(0), to: always(endOfTime), newest: true}
	out := make(map[string]iot.Reading, len(tags))
	d := borrow()
	defer d.release()
	return out, q.each(ctx, func(c *cell) (err error) {
		if d.points, err = q.settled(d.points[:0], &d.chunkReader, c); err != nil {
			return err
		}
		if n := len(d.points); n > 0 {
			out[tags[c.tag]] = readings(tenant, tags[c.tag], d.points[n-1:])[0]
		}
		return nil
	})
}

// Range implements series.Store.
func (s *Store) Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error) {
	q := scan{s: s, tenant: tenant, tags: []string{tag}, from: always(ceilMillis(from)), to: always(ceilMillis(to))}
	if limit > 0 {
		q.batch = 8
	}
	d := borrow()
	defer d.release()
	err := q.each(ctx, func(c *cell) (err error) {
		d.points, err = q.settled(d.points, &d.chunkReader, c)
		if err == nil && limit > 0 && len(d.points) >= limit {
			d.points, err = d.points[:limit], errEnough
		}
		return err
	})
	if err != nil && err != errEnough { //nolint:errorlint // it is never wrapped
		return nil, err
	}
	return readings(tenant, tag, d.points), nil
}

var errEnough = fmt.Errorf("enough")

// Since implements series.Store: a call a day and tag.
func (s *Store) Since(ctx context.Context, tenant string, from map[string]time.Time, each func(tag string, readings []iot.Reading) error) error {
	q := scan{s: s, tenant: tenant, tags: slices.Sorted(maps.Keys(from)), to: always(endOfTime)}
	begin := make([]int64, len(q.tags))
	for i, tag := range q.tags {
		begin[i] = ceilMillis(from[tag])
	}
	q.from = func(i int) int64 { return begin[i] }
	d := borrow()
	defer d.release()
	return q.each(ctx, func(c *cell) (err error) {
		d.points, err = q.settled(d.points[:0], &d.chunkReader, c)
		if err != nil || len(d.points) == 0 {
			return err
		}
		return each(q.tags[c.tag], readings(tenant, q.tags[c.tag], d.points))
	})
}

// parallel splits tags among the processors and gives each part to f.
func parallel(tags []string, f func(part int, tags []string) error) error {
	const least = 64 // tags of a part: fewer are not worth a goroutine
	n := max(1, min(runtime.GOMAXPROCS(0), readers, len(tags)/least))
	var g errgroup.Group
	for i := range n {
		g.Go(func() error { return f(i, tags[len(tags)*i/n:len(tags)*(i+1)/n]) })
	}
	return g.Wait()
}

// sample is a value of one measure.
type sample struct {
	at int64
	v  float64
}

// Windows implements series.Store.
func (s *Store) Windows(ctx context.Context, tenant string, tags []string, m series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	if !m.Valid() {
		return nil, series.ErrMeasure.With("measure", m)
	}
	parts := make([]map[string][]series.Window, readers)
	err := parallel(tags, func(part int, tags []string) error {
		w := windower{field: measured(m), from: ceilMillis(from), to: ceilMillis(to), start: from, step: max(step.Milliseconds(), 1)}
		q := scan{s: s, tenant: tenant, tags: tags, from: always(w.from), to: always(w.to)}
		out := make(map[string][]series.Window, len(tags))
		parts[part] = out
		tag := -1
		finish := func() {
			if len(w.windows) > 0 {
				out[tags[tag]] = slices.Clone(w.windows)
			}
			w.windows = w.windows[:0]
		}
		err := q.each(ctx, func(c *cell) error {
			if c.tag != tag {
				finish()
				tag = c.tag
			}
			if err := w.cell(c); err != nil {
				return q.damaged(c, err)
			}
			return nil
		})
		finish()
		return err
	})
	if err != nil {
		return nil, err
	}
	out := parts[0]
	for _, part := range parts[1:] {
		maps.Copy(out, part)
	}
	return out, nil
}

// windower sums up one measure of a tag at a time.
type windower struct {
	field    int
	from, to int64
	start    time.Time
	step     int64
	windows  []series.Window
	until    int64 // the end of the last window

	d       chunkReader
	times   []int64
	samples []sample
}

// cell takes the values of a cell. A value that was written again counts as it was
// written last, and one that only the first writing had still counts.
func (w *windower) cell(c *cell) error {
	w.samples = w.samples[:0]
	for _, body := range c.chunks {
		if err := w.chunk(body); err != nil {
			return err
		}
	}
	for i := range c.points {
		if p := &c.points[i]; w.field == receipt {
			w.samples = append(w.samples, sample{p.at, float64(p.received)})
		} else if p.has&(1<<w.field) != 0 {
			w.samples = append(w.samples, sample{p.at, number(w.field, p.val[w.field])})
		}
	}
	sorted := true
	for i := 1; i < len(w.samples) && sorted; i++ {
		sorted = w.samples[i-1].at < w.samples[i].at
	}
	if !sorted {
		slices.SortStableFunc(w.samples, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	}
	for i, v := range w.samples {
		if i+1 < len(w.samples) && w.samples[i+1].at == v.at || v.at < w.from || v.at >= w.to {
			continue
		}
		w.add(v)
	}
	return nil
}

func (w *windower) chunk(body []byte) error {
	ch, err := openChunk(body)
	if err != nil {
		return err
	}
	if w.field != receipt && ch.columns[columnFields+w.field] == nil {
		return nil // most tags never cross a scale
	}
	times, err := w.d.times(&ch)
	if err != nil {
		return err
	}
	w.times = append(w.times[:0], times...) // the next column is read into the same place
	if w.field == receipt {
		late, err := w.d.whole(&ch, columnReceived)
		for i, ms := range late {
			w.samples = append(w.samples, sample{w.times[i], float64(w.times[i] + ms)})
		}
		return err
	}
	vals, present, ok, err := w.d.field(&ch, w.field)
	if err != nil || !ok {
		return err
	}
	if present == nil {
		for i, v := range vals {
			w.samples = append(w.samples, sample{w.times[i], number(w.field, v)})
		}
		return nil
	}
	n := 0
	for i, at := range w.times {
		if present[i>>3]>>(i&7)&1 != 0 {
			w.samples = append(w.samples, sample{at, number(w.field, vals[n])})
			n++
		}
	}
	return nil
}

func (w *windower) add(v sample) {
	if len(w.windows) == 0 || v.at >= w.until {
		begin := (v.at - w.from) / w.step * w.step
		w.windows = append(w.windows, series.Window{Start: w.start.Add(time.Duration(begin) * time.Millisecond), Min: v.v, Max: v.v})
		w.until = w.from + begin + w.step
	}
	to := &w.windows[len(w.windows)-1]
	to.Min, to.Max = min(to.Min, v.v), max(to.Max, v.v)
	to.Count++
	to.Mean += (v.v - to.Mean) / float64(to.Count)
}

// Count implements series.Store. It reads the times of all that it counts.
func (s *Store) Count(ctx context.Context, tenant, tag string) (int64, error) {
	tags := []string{tag}
	if tag == "" {
		tags = s.tagsOf(tenant)
	}
	q := scan{s: s, tenant: tenant, tags: tags, from: always(0), to: always(endOfTime)}
	var d chunkReader
	var n int64
	var times []int64
	return n, q.each(ctx, func(c *cell) error {
		times = times[:0]
		for _, body := range c.chunks {
			ch, err := openChunk(body)
			if err != nil {
				return q.damaged(c, err)
			}
			if len(c.chunks) == 1 && len(c.points) == 0 {
				n += int64(ch.n)
				return nil
			}
			part, err := d.times(&ch)
			if err != nil {
				return q.damaged(c, err)
			}
			times = append(times, part...)
		}
		for i := range c.points {
			times = append(times, c.points[i].at)
		}
		slices.Sort(times)
		n += int64(len(slices.Compact(times)))
		return nil
	})
}

// tagsOf are the tags of a tenant that have readings, in order.
func (s *Store) tagsOf(tenant string) []string {
	have := make(map[string]struct{})
	s.chunks.RLock()
	for k := range s.tags {
		if k.tenant == tenant {
			have[k.tag] = struct{}{}
		}
	}
	s.heads.RLock()
	for _, h := range [...]*head{s.frozen, s.live} {
		if h == nil {
			continue
		}
		for k := range h.last {
			if k.tenant == tenant {
				have[k.tag] = struct{}{}
			}
		}
	}
	s.heads.RUnlock()
	s.chunks.RUnlock()
	return slices.Sorted(maps.Keys(have))
}
