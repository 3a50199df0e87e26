package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// 8 gateways hear 25 tags each, and each tag is heard 100 times: 20,000 readings,
// each a message of its own.
const (
	gateways = 8
	heard    = 25
	times    = 100
	perGate  = heard * times
	readings = gateways * perGate
	window   = 40 // messages of a gateway on the way
)

// TestServeKilled kills furrow serve with SIGKILL while gateways publish, starts it
// again on the same data and ports and lets the gateways send again what was not
// acknowledged. Every acknowledged reading must be stored, each exactly once.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killed(t, dir, nil, func() (series.Store, error) {
			return telemetry.Open(context.Background(), filepath.Join(dir, "telemetry.db"))
		})
	})
	t.Run("influx", func(t *testing.T) {
		t.Parallel()
		db := apptest.Influx(t)
		killed(t, t.TempDir(), []string{"--influx", db.URL, "--influx-bucket", db.Bucket}, func() (series.Store, error) {
			return influx.Open(influx.Config{URL: db.URL, Bucket: db.Bucket}), nil
		})
	})
}

func killed(t *testing.T, dir string, flags []string, open func() (series.Store, error)) {
	addr, broker := freePort(t), freePort(t)
	url := "http://" + addr
	args := append([]string{"serve", "--data", dir, "--addr", addr, "--mqtt", broker, "--tenant", "bank"}, flags...)
	env := []string{"FURROW_OPERATOR_PASSWORD=" + apptest.Password}
	serve := start(t, env, args...)
	serve.ready(url)
	keys := registerRanch(t, url)

	first := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	fleet := make([]*gateway, gateways)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the race detector makes SQLite slow
	defer cancel()
	var sent sync.WaitGroup
	began := time.Now()
	for g := range fleet {
		fleet[g] = &gateway{url: "tcp://" + broker, key: keys[g], first: first}
		sent.Go(func() { fleet[g].run(ctx) })
	}
	acked := func() (n int64) {
		for _, g := range fleet {
			n += g.acked.Load()
		}
		return n
	}
	apptest.Poll(t, 5*time.Minute, "third of the readings", func() bool { return acked() > readings/3 })
	serve.signal(syscall.SIGKILL)
	if code := serve.code(); code != -1 {
		t.Fatalf("it ended by itself: %d\n%s", code, serve.log)
	}
	before := make([]int64, gateways)
	for g := range fleet {
		before[g] = fleet[g].acked.Load()
	}
	if acked() == readings {
		t.Fatal("killed too late to test anything")
	}
	stored := audit(t, open, first, before)

	restarted := time.Now()
	serve = start(t, env, args...)
	serve.ready(url)
	back := time.Since(restarted)
	sent.Wait()
	took := time.Since(began)
	if ctx.Err() != nil {
		t.Fatalf("%d of %d acknowledged in time\n%s", acked(), readings, serve.log)
	}
	apptest.SignIn(t, url, apptest.Operator) // the house is whole, not only its telemetry
	serve.signal(os.Interrupt)
	if code := serve.code(); code != 0 {
		t.Errorf("stopped with %d:\n%s", code, serve.log)
	}
	for g := range before {
		before[g] = perGate
	}
	if n := audit(t, open, first, before); n != readings {
		t.Errorf("%d readings are stored, want %d", n, readings)
	}
	var lost, again int64
	for _, g := range fleet {
		lost += g.lost.Load()
		again += g.again.Load()
	}
	t.Logf("%d stored at the kill; back in %.1f s; %d connections lost, %d messages sent again; %d acknowledged and stored once in %.1f s",
		stored, back.Seconds(), lost, again, readings, took.Seconds())
}

// registerRanch registers eight herds of 25 cattle with one gateway each, and gives
// the gateways' credentials.
func registerRanch(t *testing.T, url string) []iot.Credential {
	t.Helper()
	operator := apptest.SignIn(t, url, apptest.Operator)
	var owner struct{ ID string }
	operator.Post("/operator/users", map[string]string{"login": "herder", "password": apptest.Password, "name": "herder", "role": "borrower"}, &owner)
	keys := make([]iot.Credential, gateways)
	for g := range keys {
		animals := make([]map[string]any, heard)
		for n := range animals {
			animals[n] = map[string]any{
				"identity": map[string]string{"scheme": iot.SchemeCN67, "code": fmt.Sprintf("2410725%08d", 1+g*heard+n)},
				"born":     "2024-03-01", "tag_id": tagName(g, n),
			}
		}
		var out struct{ Credentials []iot.Credential }
		operator.Post("/operator/herds", map[string]any{
			"owner_id": owner.ID, "name": fmt.Sprint("herd ", g), "species": "cattle", "animals": animals, "gateways": []string{fmt.Sprint("gw", g)},
			"fence": orb.Polygon{{{114.4, 35}, {114.41, 35}, {114.41, 35.01}, {114.4, 35.01}, {114.4, 35}}},
		}, &out)
		for _, c := range out.Credentials {
			if c.Kind == iot.Gateway {
				keys[g] = c
			}
		}
	}
	return keys
}

func tagName(gateway, n int) string { return fmt.Sprintf("tag%d-%02d", gateway, n) }

// gateway publishes its readings in order. It counts one as done only when its
// PUBACK has come, and after a lost connection goes on behind the last of those.
type gateway struct {
	url   string
	key   iot.Credential
	first time.Time
	acked atomic.Int64 // readings 0..acked-1 are acknowledged
	lost  atomic.Int64 // connections
	again atomic.Int64 // messages sent more than once
}

func (g *gateway) run(ctx context.Context) {
	for g.acked.Load() < perGate && ctx.Err() == nil {
		if err := g.session(ctx); err != nil {
			g.lost.Add(1)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

func (g *gateway) session(ctx context.Context) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(g.url).SetClientID(g.key.DeviceID).SetUsername(g.key.Username).
		SetPassword(g.key.Secret).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
	if err := wait(ctx, client.Connect()); err != nil {
		return err
	}
	defer client.Disconnect(10)
	var way []mqtt.Token
	for next := g.acked.Load(); g.acked.Load() < perGate; {
		for ; next < perGate && len(way) < window; next++ {
			way = append(way, client.Publish(codec.TopicOf("bank", g.key.DeviceID), 1, false, g.payload(next)))
		}
		if err := wait(ctx, way[0]); err != nil {
			g.again.Add(int64(len(way)))
			return err
		}
		way = way[1:]
		g.acked.Add(1)
	}
	return nil
}

// payload is the nth reading of the gateway: its tags speak in turn, once a second.
func (g *gateway) payload(n int64) []byte {
	lon, lat, activity := 114.405, 35.005, 1.1
	var number int
	_, _ = fmt.Sscanf(g.key.DeviceID, "gw%d", &number)
	return codec.Append(nil, iot.Reading{
		Tag: tagName(number, int(n%heard)), At: g.first.Add(time.Duration(n/heard) * time.Second), Seq: &n, Lon: &lon, Lat: &lat, Activity: &activity,
	})
}

func wait(ctx context.Context, token mqtt.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
		return errors.New("no answer of the broker")
	}
}

// audit looks for every acknowledged reading in the store, and that no tag has one
// twice; it gives the number of all readings there.
func audit(t *testing.T, open func() (series.Store, error), first time.Time, acked []int64) (all int64) {
	t.Helper()
	store, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := t.Context()
	for g := range acked {
		for n := range heard {
			tag := tagName(g, n)
			got, err := store.Range(ctx, "bank", tag, first.Add(-time.Hour), first.Add(time.Hour), 0)
			if err != nil {
				t.Fatal(err)
			}
			count, err := store.Count(ctx, "bank", tag)
			if err != nil || count != int64(len(got)) {
				t.Fatalf("tag %s counts %d (%v), but has %d", tag, count, err, len(got))
			}
			all += count
			at := make(map[time.Time]int64, len(got))
			for _, r := range got {
				if _, twice := at[r.At]; twice {
					t.Errorf("tag %s has %v twice", tag, r.At)
				}
				at[r.At] = *r.Seq
			}
			for i := int64(n); i < acked[g]; i += heard {
				if seq, there := at[first.Add(time.Duration(i/heard)*time.Second)]; !there || seq != i {
					t.Errorf("reading %d of gateway %d was acknowledged and is lost", i, g)
				}
			}
		}
	}
	return all
}
