package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type herds map[string]iot.Herd

func (h herds) Herd(_ context.Context, tenant, id string) (iot.Herd, error) {
	if herd, ok := h[id]; ok && herd.Tenant == tenant {
		return herd, nil
	}
	return iot.Herd{}, iot.ErrHerdNotFound
}

// open starts a hub behind HTTP; who connects is told by query parameters.
func open(t *testing.T, cfg live.Config, alive func(context.Context) error) (*live.Hub, func(who access.Actor) *websocket.Conn) {
	t.Helper()
	cfg.Herds = herds{
		"h1": {ID: "h1", Tenant: "bank", OwnerID: "wang"},
		"h2": {ID: "h2", Tenant: "other", OwnerID: "zhao"},
	}
	if alive == nil {
		alive = func(context.Context) error { return nil }
	}
	hub := live.New(cfg)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		hub.Serve(w, r, access.Actor{UserID: q.Get("user"), Tenant: q.Get("tenant"), Role: access.Role(q.Get("role"))}, alive)
	}))
	t.Cleanup(func() { hub.Close(); srv.Close() })
	return hub, func(who access.Actor) *websocket.Conn {
		t.Helper()
		url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/?user=" + who.UserID + "&tenant=" + who.Tenant + "&role=" + string(who.Role)
		conn, res, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		t.Cleanup(func() { conn.Close() })
		return conn
	}
}

type push struct {
	Type        string             `json:"type"`
	Alert       *watch.Alert       `json:"alert"`
	HerdID      string             `json:"herd_id"`
	States      []iot.AnimalState  `json:"states"`
	Application *apply.Application `json:"application"`
	PlotID      string             `json:"plot_id"`
}

func read(t *testing.T, c *websocket.Conn) push {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, b, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var p push
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// subscribe waits for the answer, so that what comes later is for a client that is
// in the hub for sure.
func subscribe(t *testing.T, c *websocket.Conn, herd string) string {
	t.Helper()
	if err := c.WriteJSON(map[string]any{"subscribe": map[string]string{"herd": herd}}); err != nil {
		t.Fatal(err)
	}
	p := read(t, c)
	if p.Type != "subscribed" {
		t.Fatalf("got %q, want subscribed", p.Type)
	}
	return p.HerdID
}

var (
	officer = access.Actor{UserID: "lin", Tenant: "bank", Role: access.Officer}
	auditor = access.Actor{UserID: "gao", Tenant: "bank", Role: access.Auditor}
	farmer  = access.Actor{UserID: "wang", Tenant: "bank", Role: access.Borrower}
	other   = access.Actor{UserID: "sun", Tenant: "bank", Role: access.Borrower}
	foreign = access.Actor{UserID: "zhou", Tenant: "other", Role: access.Officer}
)

func TestEachSeesWhatItMay(t *testing.T) {
	t.Parallel()
	hub, dial := open(t, live.Config{}, nil)
	conns := map[string]*websocket.Conn{}
	for name, who := range map[string]access.Actor{"officer": officer, "auditor": auditor, "farmer": farmer, "other": other, "foreign": foreign} {
		conns[name] = dial(who)
		subscribe(t, conns[name], "")
	}
	hub.AlertChanged(watch.Alert{ID: "a1", Tenant: "bank"})
	hub.ApplicationChanged(apply.Application{ID: "p1", Tenant: "bank", UserID: "wang"})
	hub.PlotChanged("bank", "sun", "f1")
	hub.AlertChanged(watch.Alert{ID: "a2", Tenant: "other"})
	// Each client reads its last message by asking once more: the answer comes after.
	want := map[string][]string{
		"officer": {"alert a1", "application p1", "plot f1"},
		"auditor": {"alert a1", "application p1", "plot f1"},
		"farmer":  {"application p1"},
		"other":   {"plot f1"},
		"foreign": {"alert a2"},
	}
	for name, c := range conns {
		if err := c.WriteJSON(map[string]any{"subscribe": map[string]string{}}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for p := read(t, c); p.Type != "subscribed"; p = read(t, c) {
			switch {
			case p.Alert != nil:
				got = append(got, p.Type+" "+p.Alert.ID)
			case p.Application != nil:
				got = append(got, p.Type+" "+p.Application.ID)
			default:
				got = append(got, p.Type+" "+p.PlotID)
			}
		}
		if strings.Join(got, ",") != strings.Join(want[name], ",") {
			t.Errorf("%s got %v, want %v", name, got, want[name])
		}
	}
}

func TestPositionsOfTheSubscribedHerd(t *testing.T) {
	t.Parallel()
	hub, dial := open(t, live.Config{}, nil)
	for _, tt := range []struct {
		name string
		who  access.Actor
		herd string
		want string
	}{
		{"officer", officer, "h1", "h1"},
		{"owner", farmer, "h1", "h1"},
		{"another borrower", other, "h1", ""},
		{"another tenant", foreign, "h1", ""},
		{"no such herd", officer, "h9", ""},
	} {
		if got := subscribe(t, dial(tt.who), tt.herd); got != tt.want {
			t.Errorf("%s: subscribed to %q, want %q", tt.name, got, tt.want)
		}
	}
	c := dial(officer)
	subscribe(t, c, "h1")
	hub.Moved("h2", iot.AnimalState{AnimalID: "x"})
	hub.Moved("h1", iot.AnimalState{AnimalID: "a"})
	if p := read(t, c); p.Type != "positions" || p.HerdID != "h1" || len(p.States) != 1 || p.States[0].AnimalID != "a" {
		t.Errorf("got %+v", p)
	}
	subscribe(t, c, "")
	hub.Moved("h1", iot.AnimalState{AnimalID: "b"})
	hub.AlertChanged(watch.Alert{ID: "a1", Tenant: "bank"})
	if p := read(t, c); p.Type != "alert" {
		t.Errorf("a herd that is watched no more still moves: %+v", p)
	}
}

// A herd of thousands that moves at once is one message, with the newest of each animal,
// so that it does not throw out a page that reads.
func TestPositionsComeTogether(t *testing.T) {
	t.Parallel()
	hub, dial := open(t, live.Config{Queue: 4, Step: time.Second}, nil)
	c := dial(officer)
	subscribe(t, c, "h1")
	const animals = 10_000
	for round := range 3 {
		for i := range animals {
			lon := float64(round)
			hub.Moved("h1", iot.AnimalState{AnimalID: strconv.Itoa(i), Lon: &lon})
		}
	}
	newest, messages := make(map[string]float64), 0
	for len(newest) < animals || newest["9999"] != 2 {
		p := read(t, c)
		messages++
		for _, s := range p.States {
			newest[s.AnimalID] = *s.Lon
		}
	}
	if messages > 4 {
		t.Errorf("%d messages", messages)
	}
	for id, round := range newest {
		if round != 2 {
			t.Fatalf("%s is where it was in round %v", id, round)
		}
	}
}

// A client that does not read is dropped; the others get everything, and the one
// who pushes never waits.
func TestStalledClientDelaysNobody(t *testing.T) {
	t.Parallel()
	hub, dial := open(t, live.Config{Queue: 16}, nil)
	stalled := dial(officer)
	subscribe(t, stalled, "")
	reader := dial(auditor)
	subscribe(t, reader, "")
	big := map[string]string{"x": strings.Repeat("x", 256<<10)}
	sent := 0
	for ; hub.Clients() > 1; sent++ {
		if sent > 5000 {
			t.Fatal("the stalled client is never dropped")
		}
		began := time.Now()
		hub.AlertChanged(watch.Alert{ID: "a", Tenant: "bank", Evidence: big})
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("a push waited %v", took)
		}
		if p := read(t, reader); p.Type != "alert" {
			t.Fatalf("got %+v", p)
		}
	}
	hub.AlertChanged(watch.Alert{ID: "last", Tenant: "bank"})
	if p := read(t, reader); p.Alert.ID != "last" {
		t.Errorf("got %+v", p.Alert.ID)
	}
}

// The session is asked for with every ping; the line ends with it, not before.
func TestEndedSessionIsHungUp(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	_, dial := open(t, live.Config{Ping: 5 * time.Millisecond}, func(context.Context) error {
		if asked.Add(1) == 5 {
			return errors.New("signed out")
		}
		return nil
	})
	c := dial(officer)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the line stays open without a session: %v", err)
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("hung up after %d pings", n)
	}
}

func TestCloseEndsAllClients(t *testing.T) {
	t.Parallel()
	hub, dial := open(t, live.Config{}, nil)
	c := dial(officer)
	subscribe(t, c, "h1")
	hub.Close()
	if n := hub.Clients(); n != 0 {
		t.Errorf("%d clients left", n)
	}
	if _, _, err := c.ReadMessage(); err == nil {
		t.Error("the line stays open")
	}
}

func TestForeignPageIsRefused(t *testing.T) {
	t.Parallel()
	hub := live.New(live.Config{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.Serve(w, r, officer, nil)
	}))
	defer srv.Close()
	_, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), http.Header{"Origin": {"http://evil.example"}})
	if res == nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v", res, err)
	}
}
