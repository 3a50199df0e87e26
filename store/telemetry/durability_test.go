package telemetry_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// The durability test kills a whole process, so the test binary doubles as the
// process: with this variable set it serves instead of testing.
const serveEnv = "FURROW_DURABILITY_SERVE"

const (
	devices = 200
	each    = 100 // readings of each device: 20,000 in all
	tenant  = "x"
)

func TestMain(m *testing.M) {
	if where := os.Getenv(crashEnv); where != "" {
		fmt.Fprintln(os.Stderr, crashWriter(where)) // it is killed before
		os.Exit(1)
	}
	if where := os.Getenv(serveEnv); where != "" {
		if err := serve(where); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// openSeries opens the store that where names: "influx URL DATABASE" or a file.
func openSeries(where string) (series.Store, error) {
	if rest, ok := strings.CutPrefix(where, "influx "); ok {
		url, db, _ := strings.Cut(rest, " ")
		return influx.Open(influx.Config{URL: url, Bucket: db}), nil
	}
	return telemetry.Open(context.Background(), where)
}

func secret(i int) string { return fmt.Sprint("secret-", i) }

// serve is broker, pipeline and store. It prints its address and runs until killed.
func serve(where string) error {
	ctx := context.Background()
	store, err := openSeries(where)
	if err != nil {
		return err
	}
	herds := &iottest.Store{}
	var all []iot.Device
	for i := range devices {
		all = append(all, iot.Device{ID: fmt.Sprint("t", i), Tenant: tenant, Kind: iot.TagDevice, HerdID: "h", SecretHash: iot.HashSecret(secret(i))})
	}
	if err := herds.AddHerd(ctx, iot.Herd{ID: "h", Tenant: tenant}, nil, all); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now, Log: log})
	b := broker.New(broker.Config{Addr: "127.0.0.1:0", Herds: herds, Pipeline: p, Now: time.Now, Log: log})
	if err := b.Listen(ctx); err != nil {
		return err
	}
	fmt.Println("tcp://" + b.Addr())
	return b.Run(ctx)
}

// process is one life of the server.
type process struct {
	cmd *exec.Cmd
	url string
}

func start(t *testing.T, where string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"="+where)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the server did not start: ", err)
	}
	go io.Copy(io.Discard, out)
	p := &process{cmd, strings.TrimSpace(line)}
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // SIGKILL: no handler runs, nothing is flushed
	_ = p.cmd.Wait()
}

// TestKill publishes 20,000 readings at QoS 1 over 200 connections, kills the server
// in the middle with SIGKILL, starts it again and lets the devices resume. Every
// reading that was acknowledged must be stored, and each exactly once.
func TestKill(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		kill(t, filepath.Join(t.TempDir(), "telemetry.db"))
	})
	t.Run("influx", func(t *testing.T) {
		t.Parallel()
		url := os.Getenv("FURROW_TEST_INFLUX")
		if url == "" {
			if os.Getenv("CI") == "true" {
				t.Fatal("InfluxDB is missing: set FURROW_TEST_INFLUX")
			}
			t.Skip("needs an InfluxDB; set FURROW_TEST_INFLUX (scripts/services start)")
		}
		db := "t" + strings.ReplaceAll(ident.New(), "-", "")
		s := influx.Open(influx.Config{URL: url, Bucket: db})
		defer s.Close()
		for try := 0; ; try++ { // InfluxDB may lose one of several databases that are made at once
			if err := s.CreateDatabase(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Count(t.Context(), tenant, ""); err == nil {
				break
			} else if try == 50 {
				t.Fatal(err)
			}
		}
		kill(t, "influx "+url+" "+db)
	})
}

func kill(t *testing.T, where string) {
	server := start(t, where)
	var url atomic.Value
	url.Store(server.url)
	begin := time.Now()
	first := begin.Add(-time.Hour).Truncate(time.Second)

	var acked atomic.Int64
	var ackedOf [devices]atomic.Int64 // readings 0..n-1 of the device are acknowledged
	var failed atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range devices {
		wg.Go(func() {
			id := fmt.Sprint("t", i)
			for ackedOf[i].Load() < each && ctx.Err() == nil {
				if err := session(ctx, url.Load().(string), id, secret(i), first, &ackedOf[i], &acked); err != nil {
					failed.Add(1)
					select { // the server is down: try again soon
					case <-ctx.Done():
					case <-time.After(50 * time.Millisecond):
					}
				}
			}
		})
	}

	for acked.Load() < devices*each/3 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	server.kill()
	var before [devices]int64
	var sum int64
	for i := range before {
		before[i] = ackedOf[i].Load()
		sum += before[i]
	}
	if sum >= devices*each {
		t.Fatal("killed too late to test anything")
	}
	// What was acknowledged is on disk already, before anybody sends again.
	store, err := openSeries(where)
	if err != nil {
		t.Fatal(err)
	}
	for i := range devices {
		got, err := store.Range(t.Context(), tenant, fmt.Sprint("t", i), first, first.Add(time.Hour), 0)
		if err != nil {
			t.Fatal(err)
		}
		have := make(map[time.Time]bool)
		for _, r := range got {
			have[r.At] = true
		}
		for n := range before[i] {
			if !have[first.Add(time.Duration(n)*time.Second).UTC()] {
				t.Errorf("reading %d of tag %d was acknowledged and is lost", n, i)
			}
		}
	}
	if err := store.Close(); err != nil { // the next life of the server needs the file for itself
		t.Fatal(err)
	}
	again := start(t, where)
	url.Store(again.url)
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatalf("not done in time: %d of %d acknowledged", acked.Load(), devices*each)
	}
	again.kill()
	if store, err = openSeries(where); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if n, err := store.Count(t.Context(), tenant, ""); err != nil || n != devices*each {
		t.Errorf("%d readings stored (%v), want %d", n, err, devices*each)
	}
	t.Logf("%d acknowledged before the kill, %d in all, %d lost connections, %.0f msg/s with restart and publisher",
		sum, acked.Load(), failed.Load(), float64(devices*each)/time.Since(begin).Seconds())
}

// session publishes what is not acknowledged yet, with ten messages on the way.
func session(ctx context.Context, url, id, secret string, first time.Time, done, acked *atomic.Int64) error {
	opts := mqtt.NewClientOptions().AddBroker(url).SetClientID(id).SetUsername(tenant + "/" + id).SetPassword(secret).
		SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetCleanSession(true)
	c := mqtt.NewClient(opts)
	defer c.Disconnect(10)
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		return tok.Error()
	}
	const window = 10
	var tokens []mqtt.Token
	next := done.Load()
	for done.Load() < each {
		for ; next < each && len(tokens) < window; next++ {
			payload := codec.Append(nil, iot.Reading{At: first.Add(time.Duration(next) * time.Second), Seq: &next})
			tokens = append(tokens, c.Publish(codec.TopicOf(tenant, id), 1, false, payload))
		}
		select {
		case <-tokens[0].Done():
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(3 * time.Second):
			return errors.New("no PUBACK")
		}
		if err := tokens[0].Error(); err != nil {
			return err
		}
		tokens = tokens[1:]
		done.Add(1)
		acked.Add(1)
	}
	return nil
}
