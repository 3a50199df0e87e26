package influx_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/iot/series/influx/wal"
)

// server is an InfluxDB of the test's own, to be killed.
type server struct {
	t        *testing.T
	exe, dir string
	addr     string
	cmd      *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	exe, err := filepath.Abs("../../../.cache/bin/influxd")
	if err == nil {
		_, err = os.Stat(exe)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("InfluxDB is missing: ", err)
		}
		t.Skip("needs .cache/bin/influxd (scripts/services start builds it)")
	}
	s := &server{t: t, exe: exe, dir: t.TempDir(), addr: freeAddr(t)}
	conf := fmt.Sprintf("reporting-disabled = true\nbind-address = %q\n[meta]\ndir = %q\n[data]\ndir = %q\nwal-dir = %q\n[http]\nbind-address = %q\nflux-enabled = true\nlog-enabled = false\n",
		freeAddr(t), s.dir+"/meta", s.dir+"/data", s.dir+"/wal", s.addr)
	if err := os.WriteFile(s.dir+"/conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	s.start()
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts it as deploy/influxdb says: a kill may tear the log too.
func (s *server) start() {
	s.t.Helper()
	if _, _, err := wal.Mend(s.dir + "/wal"); err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(s.exe, "-config", s.dir+"/conf")
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// open makes a database, and gives its store and what calls a function until the
// server is there for it.
func (s *server) open(bucket string) (*influx.Store, func(f func() error)) {
	s.t.Helper()
	store := influx.Open(influx.Config{URL: "http://" + s.addr, Bucket: bucket})
	s.t.Cleanup(func() { _ = store.Close() })
	tick := time.NewTicker(20 * time.Millisecond)
	s.t.Cleanup(tick.Stop)
	retry := func(f func() error) {
		s.t.Helper()
		for end := time.Now().Add(60 * time.Second); ; <-tick.C {
			err := f()
			if err == nil {
				return
			}
			if !errors.Is(err, fault.Unavailable) || time.Now().After(end) {
				s.t.Fatal(err)
			}
		}
	}
	retry(func() error { return store.CreateDatabase(s.t.Context()) })
	return store, retry
}

// TestServerKilled kills the server with SIGKILL while batches are written and writes
// again what failed. Every acknowledged reading must be there, each once.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	own := newServer(t)
	s, retry := own.open("kill")
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const batches, size = 60, 500
	for i := range batches {
		var batch []iot.Reading
		for j := range size {
			batch = append(batch, iot.Reading{Tenant: "a", Tag: fmt.Sprint("t", j), At: at.Add(time.Duration(i) * time.Minute), Received: at, Temp: ptr(float64(i))})
		}
		if i%20 == 10 {
			wait := time.AfterFunc(time.Duration(i%7)*time.Millisecond, func() { _ = own.cmd.Process.Kill() })
			_ = s.Write(t.Context(), batch) // acknowledged or not: it is written again
			wait.Stop()
			own.kill()
			own.start()
		}
		retry(func() error { return s.Write(t.Context(), batch) })
	}
	own.kill()
	own.start()
	retry(func() error {
		n, err := s.Count(t.Context(), "a", "")
		if err == nil && n != batches*size {
			t.Fatalf("%d readings, want %d", n, batches*size)
		}
		return err
	})
	windows, err := s.Windows(t.Context(), "a", []string{"t0", "t499"}, series.Temp, at, at.Add(time.Hour), time.Hour)
	if w := windows["t499"]; err != nil || len(w) != 1 || w[0].Count != batches || w[0].Max != batches-1 {
		t.Error(windows, err)
	}
}

// TestTornLog tears the end of the server's log, as a full disk or a power cut does.
// What is acknowledged afterwards must outlive the next kill. Without Mend it does not:
// the server writes on behind the torn end, and takes that for the end at its next start.
func TestTornLog(t *testing.T) {
	t.Parallel()
	own := newServer(t)
	s, retry := own.open("torn")
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		retry(func() error {
			return s.Write(t.Context(), []iot.Reading{{Tenant: "a", Tag: "t", At: at.Add(time.Duration(i) * time.Minute), Received: at, Temp: ptr(38.5)}})
		})
		if _, _, err := wal.Mend(own.dir + "/wal"); !errors.Is(err, wal.ErrRunning) {
			t.Fatalf("mended while the server runs: %v", err)
		}
		own.kill()
		logs, err := filepath.Glob(own.dir + "/wal/torn/*/*/_*.wal")
		if err != nil || len(logs) != 1 {
			t.Fatal(logs, err)
		}
		f, err := os.OpenFile(logs[0], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte{1, 0, 0, 4, 0, 'c', 'u', 't'}); err != nil { // of 1,024 bytes
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if cuts, n, err := wal.Mend(own.dir + "/wal"); err != nil || n == 0 || len(cuts) != 1 || cuts[0].Torn != 8 {
			t.Fatalf("mended %+v of %d: %v", cuts, n, err)
		}
		own.start()
	}
	retry(func() error {
		n, err := s.Count(t.Context(), "a", "")
		if err == nil && n != 3 {
			t.Fatalf("%d readings, want 3", n)
		}
		return err
	})
}

func ptr[T any](v T) *T { return &v }
