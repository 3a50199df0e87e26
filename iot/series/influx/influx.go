// Package influx keeps readings in InfluxDB, 2.x or 1.8 with Flux enabled: the
// series.Store for who outgrows one machine.
//
// The client's own asynchronous writer is not used, because it can lose batches;
// each Write is one request that is done when the server has it on disk.
package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	influxdb "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// ErrName is returned for a tenant or tag that cannot be written in a query.
var ErrName = fault.New(fault.Invalid, "series.name", "the name {name} has characters that the series store does not take")

// ErrRefused is returned for a request that the server will never take as it is. Of a
// write it may have taken a part: so it does with readings that are older than the
// bucket's retention, or whose fields it knows by another type.
var ErrRefused = fault.New(fault.Invalid, "series.refused", "InfluxDB refuses it: {why}")

// Config says which InfluxDB.
type Config struct {
	URL    string // http://host:8086
	Token  string // of 2.x; "user:password" for 1.8, or ""
	Org    string // "" for 1.8
	Bucket string // of 2.x; "database/retention" or "database" for 1.8. It must exist
}

// Store implements series.Store. Readings are points of the measurement "reading"
// with the tags tenant and tag_id; the field "received" is always there: see origin.
// A position is the field "place": see packPlace.
type Store struct {
	cfg    Config
	client influxdb.Client
	query  api.QueryAPI

	writeURL string
	origins  dictionary
}

var _ series.Store = (*Store)(nil)

// Open returns the store. It sends nothing yet: a server that is down makes the
// calls fail, and work again when it is back.
func Open(cfg Config) *Store {
	opts := influxdb.DefaultOptions().SetPrecision(time.Millisecond).SetHTTPRequestTimeout(30).SetUseGZip(false).SetLogLevel(0)
	c := influxdb.NewClientWithOptions(cfg.URL, cfg.Token, opts)
	q := url.Values{"org": {cfg.Org}, "bucket": {cfg.Bucket}, "precision": {"ms"}}
	return &Store{cfg: cfg, client: c, query: c.QueryAPI(cfg.Org),
		writeURL: strings.TrimSuffix(c.HTTPService().ServerAPIURL(), "/") + "/write?" + q.Encode()}
}

// CreateDatabase makes the database of a 1.8 server; one that exists is left alone.
func (s *Store) CreateDatabase(ctx context.Context) error {
	name, _, _ := strings.Cut(s.cfg.Bucket, "/")
	return s.influxQL(ctx, `CREATE DATABASE "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)+`"`)
}

// influxQL posts a statement of the 1.x language.
func (s *Store) influxQL(ctx context.Context, statement string) error {
	name, _, _ := strings.Cut(s.cfg.Bucket, "/")
	q := url.Values{"q": {statement}, "db": {name}}
	err := s.client.HTTPService().DoPostRequest(ctx, strings.TrimSuffix(s.cfg.URL, "/")+"/query?"+q.Encode(), nil, nil, nil)
	if err != nil {
		return wrap(err)
	}
	return nil
}

// Close implements series.Store.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// wrap tells what the server refuses because of what it says from failures that pass.
// Among these are a token that is not valid (401, 403) and a database that is missing
// (404): they say nothing against the readings, which must wait until it is put right.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var e *http.Error
	if errors.As(err, &e) {
		switch e.StatusCode {
		case 400, 413, 422:
			return ErrRefused.With("why", e.Message).Because(err)
		}
	}
	return series.ErrUnavailable.Because(err)
}

// buffers are reused by writes that succeeded. After a failed one the client may
// still be reading its buffer, and it is left to the garbage collector.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Write implements series.Store: one request, all or none of which is acknowledged.
func (s *Store) Write(ctx context.Context, readings []iot.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	buffer, _ := buffers.Get().(*[]byte)
	lines := (*buffer)[:0]
	codes := coder{s: s}
	for i := range readings {
		r := &readings[i]
		if err := series.Check(r); err != nil {
			return err
		}
		if err := checkNames(r.Tenant, r.Tag, r.Gateway, r.Source); err != nil {
			return err
		}
		code, err := codes.code(ctx, r)
		if err != nil {
			return err
		}
		lines = appendLine(lines, r, code)
	}
	if err := s.post(ctx, lines); err != nil {
		return err
	}
	*buffer = lines
	buffers.Put(buffer)
	return nil
}

// post writes lines.
func (s *Store) post(ctx context.Context, lines []byte) error {
	if err := s.client.HTTPService().DoPostRequest(ctx, s.writeURL, bytes.NewReader(lines), nil, nil); err != nil {
		return wrap(err)
	}
	return nil
}

// quote writes a Flux text.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// The bounds of "all time": Flux knows no open range.
var (
	beginning = time.Unix(0, 0)
	end       = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// from starts a Flux query of a tenant's readings.
func (s *Store) from(tenant, where string, from, to time.Time) string {
	return fmt.Sprintf(`from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %q and r.tenant == %s%s)`,
		quote(s.cfg.Bucket), from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano), measurement, quote(tenant), where)
}

func ofTag(tag string) string { return ` and r.tag_id == ` + quote(tag) }

func (s *Store) each(ctx context.Context, flux string, f func(*query.FluxRecord)) error {
	res, err := s.query.Query(ctx, flux)
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = res.Close() }() // read only
	for res.Next() {
		f(res.Record())
	}
	return wrap(res.Err())
}

// set puts one field of a record into a reading, and returns the code of its origin if
// that is what the field has.
func set(r *iot.Reading, rec *query.FluxRecord) (code uint32) {
	switch v := rec.Value().(type) {
	case float64:
		for _, f := range floats(r) {
			if f.name == rec.Field() {
				*f.value = &v
			}
		}
	case int64:
		switch rec.Field() {
		case "received":
			if v >= plain {
				code, v = uint32(v&codeMask), v>>codeBits
			}
			r.Received = time.UnixMilli(v).UTC()
		case placeField:
			lon, lat := unpackPlace(v)
			r.Lon, r.Lat = &lon, &lat
		case "seq":
			r.Seq = &v
		case "heads":
			r.Heads = &v
		}
	case bool:
		r.Attached = &v
	case string:
		switch rec.Field() {
		case "gateway":
			r.Gateway = v
		case "source":
			r.Source = v
		}
	}
	return code
}

// tagsAtOnce bounds the length of a query.
const tagsAtOnce = 200

// anyOf is the condition that a record is of one of the tags.
func anyOf(tags []string) string {
	either := make([]string, len(tags))
	for i, tag := range tags {
		either[i] = "r.tag_id == " + quote(tag)
	}
	return " and (" + strings.Join(either, " or ") + ")"
}

// The columns that the answers are made of; the rest is not sent.
const (
	keepReading = ` |> keep(columns: ["_time", "_value", "_field", "tag_id"])`
	keepValue   = ` |> keep(columns: ["_time", "_value", "tag_id"])`
)

func tagOf(rec *query.FluxRecord) string {
	tag, _ := rec.ValueByKey("tag_id").(string)
	return tag
}

// Latest implements series.Store. It asks for the last value of every field: those
// of the newest time are the newest reading, older ones belong to older readings.
func (s *Store) Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error) {
	out := make(map[string]iot.Reading, len(tags))
	for part := range slices.Chunk(tags, tagsAtOnce) {
		if err := checkNames(append([]string{tenant}, part...)...); err != nil {
			return nil, err
		}
		var records []*query.FluxRecord
		err := s.each(ctx, s.from(tenant, anyOf(part), beginning, end)+` |> last()`+keepReading, func(rec *query.FluxRecord) {
			records = append(records, rec)
			tag := tagOf(rec)
			if r, ok := out[tag]; !ok || rec.Time().After(r.At) {
				out[tag] = iot.Reading{Tenant: tenant, Tag: tag, At: rec.Time().UTC()}
			}
		})
		if err != nil {
			return nil, err
		}
		codes := make(map[string]uint32, len(part))
		for _, rec := range records {
			tag := tagOf(rec)
			if r := out[tag]; rec.Time().Equal(r.At) {
				if code := set(&r, rec); code != 0 {
					codes[tag] = code
				}
				out[tag] = r
			}
		}
		for tag, code := range codes {
			r := out[tag]
			if err := s.explain(ctx, tenant, []coded{{&r, code}}); err != nil {
				return nil, err
			}
			out[tag] = r
		}
	}
	return out, nil
}

// Range implements series.Store.
func (s *Store) Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error) {
	all, err := s.ranges(ctx, tenant, []string{tag}, from, to, limit)
	out := all[tag]
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, err
}

// ranges returns the readings of some tags, oldest first; of each field the first
// limit points (0 means all).
func (s *Store) ranges(ctx context.Context, tenant string, tags []string, from, to time.Time, limit int) (map[string][]iot.Reading, error) {
	if err := checkNames(append([]string{tenant}, tags...)...); err != nil {
		return nil, err
	}
	if from.Before(beginning) {
		from = beginning
	}
	if to.After(end) {
		to = end
	}
	if !from.Before(to) {
		return nil, nil // Flux refuses an empty range
	}
	flux := s.from(tenant, anyOf(tags), from, to)
	if limit > 0 {
		// The first n points of every field hold all fields of the first n readings.
		flux += fmt.Sprintf(" |> limit(n: %d)", limit)
	}
	type point struct {
		tag string
		ms  int64
	}
	type of struct {
		point
		code uint32
	}
	var codes []of
	at := make(map[point]int)
	out := make(map[string][]iot.Reading, len(tags))
	err := s.each(ctx, flux+keepReading, func(rec *query.FluxRecord) {
		if !rec.Time().Before(to) {
			return // 1.8 counts the end of a range in
		}
		p := point{tagOf(rec), rec.Time().UnixMilli()}
		i, ok := at[p]
		if !ok {
			i = len(out[p.tag])
			at[p] = i
			out[p.tag] = append(out[p.tag], iot.Reading{Tenant: tenant, Tag: p.tag, At: rec.Time().UTC()})
		}
		if code := set(&out[p.tag][i], rec); code != 0 {
			codes = append(codes, of{p, code})
		}
	})
	if err != nil {
		return nil, err
	}
	packed := make([]coded, len(codes))
	for i, c := range codes {
		packed[i] = coded{&out[c.tag][at[c.point]], c.code}
	}
	if err := s.explain(ctx, tenant, packed); err != nil {
		return nil, err
	}
	for _, readings := range out {
		slices.SortFunc(readings, func(a, b iot.Reading) int { return a.At.Compare(b.At) })
	}
	return out, nil
}

// daysAtOnce bounds the memory of one query: so many days of one tag.
const daysAtOnce = 200

// heard returns those of the tags, in order, that have a reading at or after their time.
// To read Flux costs the server more than to look a tag up, so one question is for many.
func (s *Store) heard(ctx context.Context, tenant string, from map[string]time.Time) ([]string, error) {
	var out []string
	for part := range slices.Chunk(slices.Sorted(maps.Keys(from)), tagsAtOnce) {
		if err := checkNames(append([]string{tenant}, part...)...); err != nil {
			return nil, err
		}
		earliest := end
		for _, tag := range part {
			if from[tag].Before(earliest) {
				earliest = from[tag]
			}
		}
		if earliest.Before(beginning) {
			earliest = beginning
		}
		newest := make(map[string]time.Time, len(part))
		flux := s.from(tenant, anyOf(part)+` and r._field == "received"`, earliest, end) + ` |> last()` + keepValue
		if err := s.each(ctx, flux, func(rec *query.FluxRecord) { newest[tagOf(rec)] = rec.Time() }); err != nil {
			return nil, err
		}
		for _, tag := range part {
			if at, ok := newest[tag]; ok && !at.Before(from[tag]) {
				out = append(out, tag)
			}
		}
	}
	return out, nil
}

// Since implements series.Store: tags whose times are alike share a query.
func (s *Store) Since(ctx context.Context, tenant string, from map[string]time.Time, each func(string, []iot.Reading) error) error {
	tags, err := s.heard(ctx, tenant, from)
	if err != nil {
		return err
	}
	for len(tags) > 0 {
		n, earliest := 0, end
		for n < min(len(tags), tagsAtOnce) {
			first := from[tags[n]]
			if first.After(earliest) {
				first = earliest
			}
			days := int(time.Since(first).Hours()/24) + 1
			if n > 0 && (n+1)*days > daysAtOnce {
				break
			}
			earliest = first
			n++
		}
		got, err := s.ranges(ctx, tenant, tags[:n], earliest, end, 0)
		if err != nil {
			return err
		}
		for _, tag := range tags[:n] {
			readings := got[tag]
			i, _ := slices.BinarySearchFunc(readings, from[tag], func(r iot.Reading, at time.Time) int { return r.At.Compare(at) })
			if i == len(readings) {
				continue
			}
			if err := each(tag, readings[i:]); err != nil {
				return err
			}
		}
		tags = tags[n:]
	}
	return nil
}

// Windows implements series.Store. It sums up on this side, so that steps start
// where the caller says and not where the server's calendar does.
func (s *Store) Windows(ctx context.Context, tenant string, tags []string, m series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	if !m.Valid() {
		return nil, series.ErrMeasure.With("measure", m)
	}
	if !from.Before(to) {
		return nil, nil
	}
	out := make(map[string][]series.Window, len(tags))
	for part := range slices.Chunk(tags, tagsAtOnce) {
		if err := checkNames(append([]string{tenant}, part...)...); err != nil {
			return nil, err
		}
		flux := s.from(tenant, anyOf(part)+` and r._field == `+quote(string(m)), from, to) + keepValue
		err := s.each(ctx, flux, func(rec *query.FluxRecord) {
			if !rec.Time().Before(to) {
				return // 1.8 counts the end of a range in
			}
			var v float64
			switch n := rec.Value().(type) {
			case float64:
				v = n
			case int64:
				if m == series.Received && n >= plain {
					n >>= codeBits
				}
				v = float64(n)
			}
			tag := tagOf(rec)
			out[tag] = series.Add(out[tag], from, max(step, time.Millisecond), rec.Time(), v)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Count implements series.Store.
func (s *Store) Count(ctx context.Context, tenant, tag string) (int64, error) {
	if err := checkNames(tenant, tag); err != nil {
		return 0, err
	}
	where := ` and r._field == "received"`
	if tag != "" {
		where += ofTag(tag)
	}
	var n int64
	err := s.each(ctx, s.from(tenant, where, beginning, end)+` |> count()`, func(rec *query.FluxRecord) {
		v, _ := rec.Value().(int64)
		n += v
	})
	return n, err
}

// Delete implements series.Store. InfluxDB 1.8 has no delete of the 2.x kind, so it
// is asked in its own language.
func (s *Store) Delete(ctx context.Context, tenant, tag string) error {
	if err := checkNames(tenant, tag); err != nil {
		return err
	}
	if s.cfg.Org != "" {
		err := s.client.DeleteAPI().DeleteWithName(ctx, s.cfg.Org, s.cfg.Bucket, beginning, end,
			fmt.Sprintf(`_measurement=%q AND tenant=%s AND tag_id=%s`, measurement, quote(tenant), quote(tag)))
		return wrap(err)
	}
	text := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	return s.influxQL(ctx, fmt.Sprintf(`DROP SERIES FROM %q WHERE "tenant" = '%s' AND "tag_id" = '%s'`,
		measurement, text.Replace(tenant), text.Replace(tag)))
}

// Expire implements series.Store. A 2.x server deletes by tags only within one
// measurement. Its retention policy does the same by itself.
func (s *Store) Expire(ctx context.Context, before time.Time) error {
	for of, before := range map[string]time.Time{measurement: before, originMeasurement: startOf(dayOf(before))} {
		err := s.older(ctx, of, before)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) older(ctx context.Context, of string, before time.Time) error {
	if s.cfg.Org != "" {
		return wrap(s.client.DeleteAPI().DeleteWithName(ctx, s.cfg.Org, s.cfg.Bucket, beginning, before.Add(-time.Nanosecond),
			fmt.Sprintf(`_measurement=%q`, of)))
	}
	return s.influxQL(ctx, fmt.Sprintf(`DELETE FROM %q WHERE time < %d`, of, before.UnixNano()))
}
