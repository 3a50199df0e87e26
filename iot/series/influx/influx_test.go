package influx_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	influxdb "github.com/influxdata/influxdb-client-go/v2"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// address is where the InfluxDB of the tests answers.
func address(t *testing.T) string {
	t.Helper()
	url := os.Getenv("FURROW_TEST_INFLUX")
	if url == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("InfluxDB is missing: set FURROW_TEST_INFLUX")
		}
		t.Skip("needs an InfluxDB; set FURROW_TEST_INFLUX (scripts/services start)")
	}
	return url
}

func name() string { return "t" + strings.ReplaceAll(ident.New(), "-", "") }

func open(t *testing.T) series.Store {
	t.Helper()
	s := influx.Open(influx.Config{URL: address(t), Bucket: name()})
	// InfluxDB may lose one of several databases that are made at once.
	for try := 0; ; try++ {
		if err := s.CreateDatabase(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Count(context.Background(), "a", "")
		if err == nil {
			return s
		}
		if try == 50 {
			t.Fatal(err)
		}
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	seriestest.Run(t, open)
}

func TestServerDown(t *testing.T) {
	t.Parallel()
	s := influx.Open(influx.Config{URL: "http://127.0.0.1:1", Bucket: "x"})
	err := s.Write(t.Context(), []iot.Reading{{Tenant: "a", Tag: "t", At: time.Now(), Received: time.Now()}})
	if !errors.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := s.Latest(t.Context(), "a", []string{"t"}); !errors.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestDatabaseMissingIsAnError(t *testing.T) {
	t.Parallel()
	_ = open(t)
	s := influx.Open(influx.Config{URL: os.Getenv("FURROW_TEST_INFLUX"), Bucket: "nobody-made-this"})
	if err := s.Write(t.Context(), []iot.Reading{{Tenant: "a", Tag: "t", At: time.Now(), Received: time.Now()}}); !errors.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	s := influx.Open(influx.Config{URL: "http://127.0.0.1:1", Bucket: "x"})
	for _, name := range []string{"a\nreading", "${x}", `end\`} {
		if _, err := s.Count(t.Context(), "a", name); !errors.Is(err, influx.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestRefused tells what is wrong with readings from what is wrong with the server:
// the first would come again for ever, the second must not throw readings away.
func TestRefused(t *testing.T) {
	t.Parallel()
	for status, refused := range map[int]bool{400: true, 401: false, 403: false, 404: false, 413: true, 422: true, 429: false, 500: false, 503: false} {
		server := answer(t, status)
		s := influx.Open(influx.Config{URL: server, Bucket: "x"})
		err := s.Write(t.Context(), []iot.Reading{{Tenant: "a", Tag: "t", At: time.Now(), Received: time.Now()}})
		if errors.Is(err, influx.ErrRefused) != refused || errors.Is(err, fault.Unavailable) == refused {
			t.Errorf("%d: %v", status, err)
		}
		_ = s.Close()
	}
}

// answer is a server that gives every request the same answer.
func answer(t *testing.T, status int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = fmt.Fprintf(c, "HTTP/1.1 %d No\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 25\r\n\r\n{\"error\":\"partial write\"}", status)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestOlderThanRetention wants a reading that the bucket does not keep refused, and
// the others of its write taken.
func TestOlderThanRetention(t *testing.T) {
	t.Parallel()
	url := address(t)
	c := influxdb.NewClient(url, "")
	defer c.Close()
	now := time.Now()
	readings := []iot.Reading{{Tenant: "a", Tag: "old", At: now.AddDate(0, 0, -20), Received: now}, {Tenant: "a", Tag: "new", At: now, Received: now}}
	// Of several databases that are made at once InfluxDB may lose one, or how long it keeps readings.
	for try := 0; ; try++ {
		bucket := name()
		create := "CREATE DATABASE " + bucket + " WITH DURATION 24h REPLICATION 1"
		if err := c.HTTPService().DoPostRequest(t.Context(), url+"/query?q="+neturl.QueryEscape(create), nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		s := influx.Open(influx.Config{URL: url, Bucket: bucket})
		err := s.Write(t.Context(), readings)
		if !errors.Is(err, influx.ErrRefused) && try < 50 {
			continue
		}
		if !errors.Is(err, influx.ErrRefused) || !strings.Contains(err.Error(), "retention") {
			t.Error(err)
		}
		if n, err := s.Count(t.Context(), "a", "new"); err != nil || n != 1 {
			t.Error(n, err)
		}
		return
	}
}

// TestOrigins wants the gateway and the source of readings back: from another process,
// of several days, of two origins with one code, and as an older version wrote them.
func TestOrigins(t *testing.T) {
	t.Parallel()
	first := open(t).(*influx.Store)
	now := time.Now().UTC().Truncate(time.Millisecond)
	a, b := influx.SameCode(t)
	want := map[string]iot.Reading{}
	var batch []iot.Reading
	for i, from := range [][2]string{{a, "json"}, {b, "json"}, {"g1", ""}, {"", "cbor"}, {"", ""}, {"g1", "json"}} {
		for day := range 3 {
			r := iot.Reading{Tenant: "a", Tag: fmt.Sprintf("t%d%d", i, day), At: now.AddDate(0, 0, -day), Received: now, Gateway: from[0], Source: from[1], Temp: ptr(1.5)}
			want[r.Tag] = r
			batch = append(batch, r)
		}
	}
	if err := first.Write(t.Context(), batch[:9]); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*influx.Store{"the same": first, "another": influx.Again(first)} {
		if err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		var tags []string
		for tag, r := range want {
			tags = append(tags, tag)
			got, err := s.Range(t.Context(), "a", tag, r.At, r.At.Add(time.Millisecond), 0)
			if err != nil || len(got) != 1 || cmp.Diff(r, got[0]) != "" {
				t.Errorf("%s process: %s: %v %s", name, tag, err, cmp.Diff([]iot.Reading{r}, got))
			}
		}
		got, err := influx.Again(s).Latest(t.Context(), "a", tags)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s process: %v %s", name, err, d)
		}
		windows, err := s.Windows(t.Context(), "a", []string{"t00", "t30"}, series.Received, now.Add(-time.Hour), now.Add(time.Hour), time.Hour)
		for tag, w := range windows {
			if at := float64(now.UnixMilli()); len(w) != 1 || w[0].Min != at || w[0].Max != at {
				t.Errorf("%s: received %v, want %v", tag, w, at)
			}
		}
		if err != nil || len(windows) != 2 {
			t.Error(windows, err)
		}
	}
}

// TestPlaces wants positions back to the bit, however fine, also those that an older
// version wrote; the same reading written again is one reading.
func TestPlaces(t *testing.T) {
	t.Parallel()
	s := open(t).(*influx.Store)
	at := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	reading := func(tag string, lon, lat float64) iot.Reading {
		return iot.Reading{Tenant: "a", Tag: tag, At: at, Received: at, Lon: &lon, Lat: &lat, Temp: ptr(38.5)}
	}
	batch := []iot.Reading{reading("old", 114.401234, 35.021234), reading("gps", -113.5000001, -35.25), reading("survey", 114.40123456789, 35.02), reading("corner", 180, -90)}
	line := fmt.Sprintf("reading,tag_id=old,tenant=a received=%di,lon=114.401234,lat=35.021234,temp_c=38.5 %d\n", at.UnixMilli(), at.UnixMilli())
	if err := influx.Post(t.Context(), s, line); err != nil {
		t.Fatal(err)
	}
	check := func(tags ...string) {
		t.Helper()
		latest, err := s.Latest(t.Context(), "a", tags)
		if err != nil || len(latest) != len(tags) {
			t.Fatal(latest, err)
		}
		for _, want := range batch {
			if !slices.Contains(tags, want.Tag) {
				continue
			}
			got, err := s.Range(t.Context(), "a", want.Tag, at, at.Add(time.Second), 0)
			if d := cmp.Diff([]iot.Reading{want}, got); err != nil || d != "" {
				t.Error(err, d)
			}
			if d := cmp.Diff(want, latest[want.Tag]); d != "" {
				t.Error(d)
			}
		}
	}
	check("old")
	for range 2 {
		if err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	check("old", "gps", "survey", "corner")
	if n, err := s.Count(t.Context(), "a", ""); n != 4 || err != nil {
		t.Error(n, err)
	}
}
