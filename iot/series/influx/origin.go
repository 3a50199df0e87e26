package influx

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/furrowcredit/furrow/iot"
)

// InfluxDB pays for every field of a point, and the gateway and the source of readings
// are few texts that repeat by the million. So they stand as a code in the low bits of
// the field "received"; what a code means is in the measurement "origin", for each
// tenant and UTC day, so that it expires with what it explains. The code is a hash of
// the texts: processes agree on it without asking. An origin whose code is taken by
// another that day is written out with each of its readings.
const (
	originMeasurement = "origin"
	codeBits          = 20
	codeMask          = 1<<codeBits - 1
	plain             = 1 << 44 // Unix ms are less; a greater "received" has a code
)

// origin is where readings come from.
type origin struct{ gateway, source string }

func (o origin) code() uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.gateway + "\x00" + o.source)) // a hash takes all
	sum := h.Sum32()
	return max(1, (sum>>codeBits^sum)&codeMask) // 0 is none
}

// meaning is a code of a tenant on a day since 1970.
type meaning struct {
	tenant string
	day    int64
	code   uint32
}

func dayOf(t time.Time) int64 { return t.UnixMilli() / (24 * time.Hour).Milliseconds() }

func startOf(day int64) time.Time { return time.Unix(day*int64((24*time.Hour)/time.Second), 0).UTC() }

// maxKnown bounds the memory of a dictionary; it is read again when it was full.
const maxKnown = 200_000

// dictionary is what is known of the codes in the database.
type dictionary struct {
	claiming sync.Mutex // one claim at a time
	mu       sync.RWMutex
	known    map[meaning]origin
}

func (d *dictionary) find(m meaning) (origin, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	o, ok := d.known[m]
	return o, ok
}

func (d *dictionary) learn(m meaning, o origin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxKnown {
		d.known = map[meaning]origin{}
	}
	d.known[m] = o
}

// coder gives the readings of one write their codes. Neighbours often come the same way.
type coder struct {
	s    *Store
	last meaning
	own  origin
	ok   bool
}

// code of a reading's origin, and 0 when it must be written out.
func (c *coder) code(ctx context.Context, r *iot.Reading) (uint32, error) {
	o := origin{r.Gateway, r.Source}
	if r.Received.UnixMilli() <= 0 || r.Received.UnixMilli() >= plain || o == (origin{}) {
		return 0, nil
	}
	if day := dayOf(r.At); !c.ok || c.own != o || c.last.day != day || c.last.tenant != r.Tenant {
		c.last, c.own, c.ok = meaning{r.Tenant, day, o.code()}, o, false
		got, known := c.s.origins.find(c.last)
		if !known {
			var err error
			if got, err = c.s.claim(ctx, c.last, o); err != nil {
				return 0, err
			}
		}
		c.ok = got == o
	}
	if !c.ok {
		return 0, nil
	}
	return c.last.code, nil
}

// claim takes a code for an origin in the database, and returns the origin that has it.
func (s *Store) claim(ctx context.Context, m meaning, o origin) (origin, error) {
	s.origins.claiming.Lock()
	defer s.origins.claiming.Unlock()
	if got, ok := s.origins.find(m); ok {
		return got, nil
	}
	if err := s.readOrigins(ctx, m.tenant, m.day, m.day); err != nil {
		return origin{}, err
	}
	if got, ok := s.origins.find(m); ok {
		return got, nil
	}
	line := append([]byte(originMeasurement+",code="), strconv.FormatUint(uint64(m.code), 10)...)
	line = appendTag(append(line, ",tenant="...), m.tenant)
	line = appendText(append(line, ` known=true`...), `,gateway="`, o.gateway)
	line = appendText(line, `,source="`, o.source)
	line = append(strconv.AppendInt(append(line, ' '), startOf(m.day).UnixMilli(), 10), '\n')
	switch err := s.post(ctx, line); {
	case errors.Is(err, ErrRefused): // the day began before the retention does
		o = origin{}
	case err != nil:
		return origin{}, err
	}
	s.origins.learn(m, o)
	return o, nil
}

// readOrigins learns the codes of a tenant from a day to another.
func (s *Store) readOrigins(ctx context.Context, tenant string, first, last int64) error {
	flux := fmt.Sprintf(`from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %q and r.tenant == %s)`+
		` |> keep(columns: ["_time", "_value", "_field", "code"])`, quote(s.cfg.Bucket), startOf(first).Format(time.RFC3339),
		startOf(last+1).Format(time.RFC3339), originMeasurement, quote(tenant))
	found := map[meaning]origin{}
	err := s.each(ctx, flux, func(rec *query.FluxRecord) {
		text, _ := rec.ValueByKey("code").(string)
		code, err := strconv.ParseUint(text, 10, codeBits)
		if err != nil || !rec.Time().Before(startOf(last+1)) {
			return
		}
		m := meaning{tenant, dayOf(rec.Time()), uint32(code)}
		o := found[m]
		v, _ := rec.Value().(string)
		switch rec.Field() {
		case "gateway":
			o.gateway = v
		case "source":
			o.source = v
		}
		found[m] = o
	})
	if err != nil {
		return err
	}
	for m, o := range found {
		s.origins.learn(m, o)
	}
	return nil
}

// coded is a reading whose origin stands as a code.
type coded struct {
	reading *iot.Reading
	code    uint32
}

// explain gives readings of a tenant their origins. What a lost day's codes meant
// nobody knows: those stay blank.
func (s *Store) explain(ctx context.Context, tenant string, readings []coded) error {
	var unknown []coded
	first, last := int64(0), int64(0)
	for _, c := range readings {
		day := dayOf(c.reading.At)
		if o, ok := s.origins.find(meaning{tenant, day, c.code}); ok {
			c.reading.Gateway, c.reading.Source = o.gateway, o.source
			continue
		}
		if len(unknown) == 0 {
			first, last = day, day
		}
		first, last = min(first, day), max(last, day)
		unknown = append(unknown, c)
	}
	if len(unknown) == 0 {
		return nil
	}
	if err := s.readOrigins(ctx, tenant, first, last); err != nil {
		return err
	}
	for _, c := range unknown {
		o, _ := s.origins.find(meaning{tenant, dayOf(c.reading.At), c.code})
		c.reading.Gateway, c.reading.Source = o.gateway, o.source
	}
	return nil
}
