package influx_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func open(t *testing.T) series.Store {
	t.Helper()
	url := os.Getenv("FURROW_TEST_INFLUX")
	if url == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("InfluxDB is missing: set FURROW_TEST_INFLUX")
		}
		t.Skip("needs an InfluxDB; set FURROW_TEST_INFLUX (scripts/services start)")
	}
	s := influx.Open(influx.Config{URL: url, Bucket: "t" + strings.ReplaceAll(ident.New(), "-", "")})
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
