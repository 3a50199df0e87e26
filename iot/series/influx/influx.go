// Package influx keeps readings in InfluxDB, 2.x or 1.8 with Flux enabled: the
// series.Store for who outgrows one machine.
//
// The client's own asynchronous writer is not used, because it can lose batches;
// each Write is one request that is done when the server has it on disk.
package influx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// Config says which InfluxDB.
type Config struct {
	URL    string // http://host:8086
	Token  string // of 2.x; "user:password" for 1.8, or ""
	Org    string // "" for 1.8
	Bucket string // of 2.x; "database/retention" or "database" for 1.8. It must exist
}

// Store implements series.Store. Readings are points of the measurement "reading"
// with the tags tenant and tag_id; the field "received" is always there.
type Store struct {
	cfg    Config
	client influxdb.Client
	write  api.WriteAPIBlocking
	query  api.QueryAPI
}

var _ series.Store = (*Store)(nil)

// Open returns the store. It sends nothing yet: a server that is down makes the
// calls fail, and work again when it is back.
func Open(cfg Config) *Store {
	opts := influxdb.DefaultOptions().SetPrecision(time.Millisecond).SetHTTPRequestTimeout(30).SetUseGZip(false).SetLogLevel(0)
	c := influxdb.NewClientWithOptions(cfg.URL, cfg.Token, opts)
	return &Store{cfg: cfg, client: c, write: c.WriteAPIBlocking(cfg.Org, cfg.Bucket), query: c.QueryAPI(cfg.Org)}
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

// wrap tells failures that pass from those that stay.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var e *http.Error
	if errors.As(err, &e) && e.StatusCode >= 400 && e.StatusCode < 500 && e.StatusCode != 404 && e.StatusCode != 429 {
		return fmt.Errorf("influx: %w", err)
	}
	return series.ErrUnavailable.Because(err)
}

const measurement = "reading"

// Write implements series.Store: one request, all or none of which is acknowledged.
func (s *Store) Write(ctx context.Context, readings []iot.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	lines := make([]byte, 0, 160*len(readings))
	for i := range readings {
		r := &readings[i]
		if err := checkNames(r.Tenant, r.Tag, r.Gateway); err != nil {
			return err
		}
		lines = appendLine(lines, r)
	}
	return wrap(s.write.WriteRecord(ctx, string(lines)))
}

// checkNames refuses what line protocol or Flux cannot carry unharmed. Device ids of
// the register never have it.
func checkNames(names ...string) error {
	for _, n := range names {
		if strings.ContainsAny(n, "\n\r\x00") || strings.Contains(n, "${") || strings.HasSuffix(n, `\`) {
			return ErrName.With("name", strconv.Quote(n))
		}
	}
	return nil
}

// appendLine writes one reading in line protocol.
func appendLine(b []byte, r *iot.Reading) []byte {
	b = append(b, measurement+",tag_id="...)
	b = appendTag(b, r.Tag)
	b = append(b, ",tenant="...)
	b = appendTag(b, r.Tenant)
	b = append(b, " received="...)
	b = strconv.AppendInt(b, r.Received.UnixMilli(), 10)
	b = append(b, 'i')
	if r.Gateway != "" {
		b = append(b, `,gateway="`...)
		for i := range len(r.Gateway) {
			if c := r.Gateway[i]; c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, r.Gateway[i])
		}
		b = append(b, '"')
	}
	for _, f := range floats(r) {
		if *f.value != nil {
			b = append(b, ',')
			b = append(b, f.name...)
			b = append(b, '=')
			b = strconv.AppendFloat(b, **f.value, 'g', -1, 64)
		}
	}
	if r.Attached != nil {
		b = append(b, ",attached="...)
		b = strconv.AppendBool(b, *r.Attached)
	}
	if r.Seq != nil {
		b = append(b, ",seq="...)
		b = strconv.AppendInt(b, *r.Seq, 10)
		b = append(b, 'i')
	}
	b = append(b, ' ')
	b = strconv.AppendInt(b, r.At.UnixMilli(), 10)
	return append(b, '\n')
}

func appendTag(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c == ',' || c == ' ' || c == '=' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}

type floatField struct {
	name  string
	value **float64
}

// floats are the fields that hold a number with a fraction.
func floats(r *iot.Reading) [7]floatField {
	return [...]floatField{{"lon", &r.Lon}, {"lat", &r.Lat}, {"acc_m", &r.Accuracy}, {"temp_c", &r.Temp},
		{"ambient_c", &r.Ambient}, {"activity", &r.Activity}, {"battery_v", &r.Battery}}
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

// set puts one field of a record into a reading.
func set(r *iot.Reading, rec *query.FluxRecord) {
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
			r.Received = time.UnixMilli(v).UTC()
		case "seq":
			r.Seq = &v
		}
	case bool:
		r.Attached = &v
	case string:
		r.Gateway = v
	}
}

// tagsAtOnce bounds the length of a query.
const tagsAtOnce = 200

// Latest implements series.Store. It asks for the last value of every field: those
// of the newest time are the newest reading, older ones belong to older readings.
func (s *Store) Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error) {
	out := make(map[string]iot.Reading, len(tags))
	for part := range slices.Chunk(tags, tagsAtOnce) {
		if err := checkNames(append([]string{tenant}, part...)...); err != nil {
			return nil, err
		}
		either := make([]string, len(part))
		for i, tag := range part {
			either[i] = "r.tag_id == " + quote(tag)
		}
		var records []*query.FluxRecord
		err := s.each(ctx, s.from(tenant, " and ("+strings.Join(either, " or ")+")", beginning, end)+` |> last()`, func(rec *query.FluxRecord) {
			records = append(records, rec)
			tag, _ := rec.ValueByKey("tag_id").(string)
			if r := out[tag]; rec.Time().After(r.At) {
				out[tag] = iot.Reading{Tenant: tenant, Tag: tag, At: rec.Time().UTC()}
			}
		})
		if err != nil {
			return nil, err
		}
		for _, rec := range records {
			tag, _ := rec.ValueByKey("tag_id").(string)
			if r := out[tag]; rec.Time().Equal(r.At) {
				set(&r, rec)
				out[tag] = r
			}
		}
	}
	return out, nil
}

// Range implements series.Store.
func (s *Store) Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error) {
	if err := checkNames(tenant, tag); err != nil {
		return nil, err
	}
	if !from.Before(to) {
		return nil, nil // Flux refuses an empty range
	}
	flux := s.from(tenant, ofTag(tag), from, to)
	if limit > 0 {
		// The first n points of every field hold all fields of the first n readings.
		flux += fmt.Sprintf(" |> limit(n: %d)", limit)
	}
	at := make(map[int64]int)
	var out []iot.Reading
	err := s.each(ctx, flux, func(rec *query.FluxRecord) {
		if !rec.Time().Before(to) {
			return // 1.8 counts the end of a range in
		}
		ms := rec.Time().UnixMilli()
		i, ok := at[ms]
		if !ok {
			i = len(out)
			at[ms] = i
			out = append(out, iot.Reading{Tenant: tenant, Tag: tag, At: rec.Time().UTC()})
		}
		set(&out[i], rec)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b iot.Reading) int { return a.At.Compare(b.At) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

// Window implements series.Store. It sums up on this side, so that steps start
// where the caller says and not where the server's calendar does.
func (s *Store) Window(ctx context.Context, tenant, tag string, m series.Measure, from, to time.Time, step time.Duration) ([]series.Window, error) {
	if !m.Valid() {
		return nil, series.ErrMeasure.With("measure", m)
	}
	if err := checkNames(tenant, tag); err != nil {
		return nil, err
	}
	if !from.Before(to) {
		return nil, nil
	}
	step = max(step, time.Millisecond)
	var out []series.Window
	err := s.each(ctx, s.from(tenant, ofTag(tag)+` and r._field == `+quote(string(m)), from, to), func(rec *query.FluxRecord) {
		if !rec.Time().Before(to) {
			return // 1.8 counts the end of a range in
		}
		v, _ := rec.Value().(float64)
		start := from.Add(rec.Time().Sub(from) / step * step)
		if n := len(out); n == 0 || !out[n-1].Start.Equal(start) {
			out = append(out, series.Window{Start: start, Min: v, Max: v})
		}
		w := &out[len(out)-1]
		w.Min, w.Max = min(w.Min, v), max(w.Max, v)
		w.Count++
		w.Mean += (v - w.Mean) / float64(w.Count)
	})
	return out, err
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
