package iotbench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"

	"github.com/furrowcredit/furrow/bench/iot/fleet"
	"github.com/furrowcredit/furrow/bench/iot/rig"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/internal/benchtable"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
)

// A county's fleet: how many tags are registered (FURROW_BENCH_TAGS), in herds of so
// many, and how many of them report every five minutes.
const (
	allTags    = 1_000_000
	ofHerd     = 5000
	reporting  = 20 // herds
	every      = 5 * time.Minute
	probes     = 200
	slowest    = time.Second // for an alert to reach the page, p99
	steadyTime = time.Minute
)

// county is a house with registered herds; the last of them is for probes.
type county struct {
	dir     string
	keys    []iot.Credential // of the gateways, by herd
	animals []iot.Animal     // of the last herd
	took    time.Duration
}

// populate registers herds straight into the records, as an import does.
func populate(b *testing.B, herds, size int) county {
	b.Helper()
	c := county{dir: filepath.Join(b.TempDir(), "house")}
	h, err := newRig(b).Furrow(b.Context(), "first", c.dir) // makes the records and the first person
	if err != nil {
		b.Fatal(err)
	}
	if err := h.Stop(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	db, err := store.Open(b.Context(), store.Config{DSN: "sqlite:" + filepath.Join(c.dir, "furrow.db")})
	if err != nil {
		b.Fatal(err)
	}
	s := herd.New(db)
	for g := range herds {
		secret, id := iot.NewSecret(), fmt.Sprint("gw", g)
		at := iot.Herd{ID: ident.New(), Tenant: rig.Tenant, OwnerID: "owner", OwnerName: "owner", Name: fmt.Sprint("herd ", g), Species: "cattle", Fence: rig.Fence, CreatedAt: began}
		c.keys = append(c.keys, iot.Credential{DeviceID: id, Kind: iot.Gateway, Username: rig.Tenant + "/" + id, Secret: secret})
		devices := []iot.Device{{ID: id, Tenant: rig.Tenant, Kind: iot.Gateway, HerdID: at.ID, SecretHash: iot.HashSecret(secret), CreatedAt: began}}
		c.animals = make([]iot.Animal, size)
		for n := range c.animals {
			tag := fleet.TagName(g*size + n)
			c.animals[n] = iot.Animal{ID: ident.New(), HerdID: at.ID, Species: "cattle", Sex: "f", TagID: tag, Born: began.AddDate(-2, 0, 0),
				Identity: iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("2410725%08d", 1+g*size+n)}}
			devices = append(devices, iot.Device{ID: tag, Tenant: rig.Tenant, Kind: iot.TagDevice, HerdID: at.ID, SecretHash: iot.HashSecret(tag), CreatedAt: began})
		}
		if err := s.AddHerd(b.Context(), at, c.animals, devices); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	c.took = time.Since(began)
	return c
}

// watcher is an open page that remembers when it was told of which animal.
type watcher struct {
	conn *websocket.Conn
	mu   sync.Mutex
	told map[string]time.Time // by animal
}

// openPage opens the live line as the operator; a stalled one never reads, and takes as
// little as the kernel lets it.
func openPage(b *testing.B, h *rig.House, token string, stalled bool) *watcher {
	b.Helper()
	dial := websocket.Dialer{NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil && stalled {
			err = conn.(*net.TCPConn).SetReadBuffer(1024)
		}
		return conn, err
	}}
	conn, res, err := dial.DialContext(b.Context(), strings.Replace(h.URL, "http", "ws", 1)+"/api/v1/live", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close() // empty after an upgrade
	w := &watcher{conn: conn, told: map[string]time.Time{}}
	b.Cleanup(func() { _ = conn.Close() })
	if stalled {
		return w
	}
	go func() {
		for {
			_, msg, err := conn.ReadMessage()
			if err != nil {
				return
			}
			var m struct {
				Type  string
				Alert struct{ Kind, Item string }
			}
			if now := time.Now(); json.Unmarshal(msg, &m) == nil && m.Type == "alert" && m.Alert.Kind == string(iot.TagOff) {
				w.mu.Lock()
				if _, there := w.told[m.Alert.Item]; !there {
					w.told[m.Alert.Item] = now
				}
				w.mu.Unlock()
			}
		}
	}()
	return w
}

// watch asks for the positions of a herd.
func (w *watcher) watch(b *testing.B, herdID string) {
	b.Helper()
	if err := w.conn.WriteJSON(map[string]any{"subscribe": map[string]string{"herd": herdID}}); err != nil {
		b.Fatal(err)
	}
}

// probe lets tags of the last herd say one after another, spread over a time, that
// they were cut off, and gives how long each alert took to the page, sorted.
func probe(b *testing.B, h *rig.House, c county, animals []iot.Animal, w *watcher, over time.Duration) []time.Duration {
	b.Helper()
	key := c.keys[len(c.keys)-1]
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + h.MQTT).SetClientID(key.DeviceID).SetUsername(key.Username).SetPassword(key.Secret).SetAutoReconnect(false))
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		b.Fatal(t.Error())
	}
	defer client.Disconnect(50)
	topic := "furrow/v1/" + rig.Tenant + "/" + key.DeviceID + "/telemetry"
	sent := make(map[string]time.Time, len(animals))
	tick := time.NewTicker(over / time.Duration(len(animals)))
	defer tick.Stop()
	for _, a := range animals {
		now := time.Now()
		sent[a.ID] = now
		client.Publish(topic, 1, false, fmt.Sprintf(`{"tag":%q,"ts":%d,"lon":114.405,"lat":35.005,"attached":false}`, a.TagID, now.UnixMilli()))
		<-tick.C
	}
	until(b, 3*time.Minute, "alert of every probe", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for id := range sent {
			if w.told[id].IsZero() {
				return false
			}
		}
		return true
	})
	var took []time.Duration
	for id, at := range sent {
		took = append(took, w.told[id].Sub(at))
	}
	slices.Sort(took)
	return took
}

func quantiles(took []time.Duration) (p50, p99 time.Duration) {
	return took[len(took)/2], took[len(took)*99/100]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }

// memory is what a process holds now, in bytes.
func memory(b *testing.B, p *rig.Process) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	var kib int64
	if _, err := fmt.Sscan(string(rest), &kib); err != nil {
		b.Fatal(err)
	}
	return kib << 10
}

// BenchmarkFleet registers a million tags, lets a hundred thousand of them report
// every five minutes and then all at once, as after an outage, and meanwhile measures
// how soon an alert is on an open page.
func BenchmarkFleet(b *testing.B) {
	tags := allTags
	if v := os.Getenv("FURROW_BENCH_TAGS"); v != "" {
		var err error
		if tags, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	herds := max(tags/ofHerd, reporting+1)
	c := populate(b, herds, ofHerd)
	began := time.Now()
	h := serve(b, newRig(b), c.dir)
	start := time.Since(began)
	idle := memory(b, h.Process)
	who, err := h.Operator(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	w := openPage(b, h, who.Token, false)
	load := fleet.Config{Addr: h.MQTT, Tenant: rig.Tenant, Gateways: c.keys[:reporting], Tags: ofHerd, Window: inFlight, Step: every, First: time.Now()}

	s := book.Page(fmt.Sprintf("A house of %d registered tags, %d of them reporting every %v; registered in %.0f s, up in %.1f s", herds*ofHerd, reporting*ofHerd, every, c.took.Seconds(), start.Seconds()),
		"readings/s", "CPU of one core", "RSS MB", "alert p50", "alert p99")
	s.Add(b, benchtable.Row{What: "nothing comes", Values: []string{"0", "", fmt.Sprint(idle >> 20), "", ""}})
	run := func(what string, animals []iot.Animal, over time.Duration) {
		before, began := h.Usage(), time.Now()
		done := make(chan fleet.Result, 1)
		go func() { done <- publish(b, load) }()
		p50, p99 := quantiles(probe(b, h, c, animals, w, over))
		sent := <-done
		took := time.Since(began)
		s.Add(b, benchtable.Row{What: what, Target: "alert p99 at most 1 s", Missed: p99 > slowest, Values: []string{
			fmt.Sprintf("%.0f", float64(sent.Acked)/sent.Ended.Sub(sent.Began).Seconds()),
			fmt.Sprintf("%.1f %%", 100*(h.Usage().CPU-before.CPU).Seconds()/took.Seconds()),
			fmt.Sprint(memory(b, h.Process) >> 20), ms(p50), ms(p99),
		}})
	}
	load.Rate = float64(reporting*ofHerd) / every.Seconds()
	load.Messages = int(load.Rate * steadyTime.Seconds() / reporting)
	run("every five minutes", c.animals[:probes], steadyTime)
	load.Rate, load.Messages, load.First = 0, ofHerd, time.Now().Add(-every) // one round of every tag
	run("all at once, after an outage", c.animals[probes:2*probes], 4*time.Second)
}

// BenchmarkStalled floods a house while pages are open that never read.
func BenchmarkStalled(b *testing.B) {
	const stalled = 50
	type found struct {
		rate     float64
		p50, p99 time.Duration
	}
	c := populate(b, gateways+1, perGate)
	best := map[int]found{}
	for turn := range benchtable.Turns(b, 3) {
		for _, n := range []int{0, stalled} {
			b.Run(fmt.Sprintf("stalled=%d", n), func(b *testing.B) {
				r := newRig(b)
				own := filepath.Join(r.Dir, "house")
				if err := rig.Copy(c.dir, own); err != nil {
					b.Fatal(err)
				}
				h := serve(b, r, own)
				who, err := h.Operator(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				w := openPage(b, h, who.Token, false)
				herds := c.animals[0].HerdID
				w.watch(b, herds)
				for range n {
					openPage(b, h, who.Token, true).watch(b, herds)
				}
				load := fleet.Config{Addr: h.MQTT, Tenant: rig.Tenant, Gateways: c.keys[:gateways], Tags: perGate, Messages: 6 * perGate, Window: inFlight,
					First: time.Now().Add(-time.Hour), Step: every}
				done := make(chan fleet.Result, 1)
				go func() { done <- publish(b, load) }()
				p50, p99 := quantiles(probe(b, h, c, c.animals[:probes], w, 4*time.Second))
				sent := <-done
				f := found{rate: float64(sent.Acked) / sent.Ended.Sub(sent.Began).Seconds(), p50: p50, p99: p99}
				if old, ok := best[n]; turn > 0 && ok {
					f = found{rate: max(f.rate, old.rate), p50: min(f.p50, old.p50), p99: min(f.p99, old.p99)}
				}
				best[n] = f
			})
		}
	}
	s := book.Page("Ingest and alerts beside pages that never read", "readings/s", "alert p50", "alert p99")
	for _, n := range []int{0, stalled} {
		f := best[n]
		s.Add(b, benchtable.Row{What: fmt.Sprintf("%d stalled pages", n), Target: "alert p99 at most 1 s, 0.8 of the rate without", Missed: f.p99 > slowest || f.rate < 0.8*best[0].rate,
			Values: []string{fmt.Sprintf("%.0f", f.rate), ms(f.p50), ms(f.p99)}})
	}
}
