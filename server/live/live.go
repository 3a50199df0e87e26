// Package live pushes what changes to the open pages over WebSocket: alerts,
// applications, new plot reports and, for the herd a page looks at, positions.
// docs/formats/live.md describes the messages.
package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/iot"
)

// Herds finds a herd, to see who may watch it; iot.Store is one.
type Herds interface {
	Herd(ctx context.Context, tenant, id string) (iot.Herd, error)
}

// Config of a hub. The zero durations and sizes mean the defaults.
type Config struct {
	Herds Herds
	Log   *slog.Logger
	// Queue is how many messages may wait for a client before it is dropped; 0 means 256.
	Queue int
	// WriteWait bounds one write; 0 means 10 s.
	WriteWait time.Duration
	// Ping is how often the line and the session are checked; 0 means 30 s.
	Ping time.Duration
	// Step is how long positions of a herd are gathered before they are sent
	// together, the newest of each animal; 0 means 200 ms.
	Step time.Duration
}

// Hub holds the clients. Its methods never wait for any of them.
type Hub struct {
	cfg      Config
	upgrader websocket.Upgrader

	mu      sync.RWMutex
	clients map[string]map[*client]bool // by tenant
	herds   map[string]map[*client]bool // by the herd that they watch
	closed  bool
	running sync.WaitGroup

	gather sync.Mutex
	moved  map[string]map[string]iot.AnimalState // by herd and animal, to be sent with the next step
}

var (
	_ watch.Notifier = (*Hub)(nil)
	_ apply.Notifier = (*Hub)(nil)
)

// New returns a hub without clients.
func New(cfg Config) *Hub {
	if cfg.Queue == 0 {
		cfg.Queue = 256
	}
	if cfg.WriteWait == 0 {
		cfg.WriteWait = 10 * time.Second
	}
	if cfg.Ping == 0 {
		cfg.Ping = 30 * time.Second
	}
	if cfg.Step == 0 {
		cfg.Step = 200 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Hub{
		cfg: cfg,
		// Without a CheckOrigin of its own the upgrader takes pages of this host only.
		upgrader: websocket.Upgrader{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 1 << 10, WriteBufferSize: 4 << 10},
		clients:  map[string]map[*client]bool{},
		herds:    map[string]map[*client]bool{},
		moved:    map[string]map[string]iot.AnimalState{},
	}
}

// client is one open page.
type client struct {
	hub   *Hub
	who   access.Actor
	conn  *websocket.Conn
	queue chan []byte
	done  chan struct{}
	once  sync.Once
	herd  string // the one it watches; guarded by Hub.mu
}

// drop ends the client; whatever waits for it is lost.
func (c *client) drop() {
	c.once.Do(func() {
		close(c.done)
		_ = c.conn.Close() // wakes its reader and writer
	})
}

// send queues b, or drops a client that does not keep up.
func (c *client) send(b []byte) {
	select {
	case c.queue <- b:
	default:
		c.hub.cfg.Log.Warn("live client too slow", "user", c.who.UserID)
		c.drop()
	}
}

// Serve turns the request of who into a WebSocket and serves it until either side
// ends. Alive is asked with every ping whether the session still holds.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who access.Actor, alive func(context.Context) error) {
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := &client{hub: h, who: who, conn: conn, queue: make(chan []byte, h.cfg.Queue), done: make(chan struct{})}
	if !h.add(c) {
		c.drop()
		return
	}
	defer h.remove(c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	go c.write(ctx, alive)
	c.read(ctx)
}

func (h *Hub) add(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running.Add(2) // reader and writer
	put(h.clients, c.who.Tenant, c)
	return true
}

func (h *Hub) remove(c *client) {
	c.drop()
	h.mu.Lock()
	cut(h.clients, c.who.Tenant, c)
	cut(h.herds, c.herd, c)
	h.mu.Unlock()
	h.running.Done()
}

func put(m map[string]map[*client]bool, key string, c *client) {
	if m[key] == nil {
		m[key] = map[*client]bool{}
	}
	m[key][c] = true
}

func cut(m map[string]map[*client]bool, key string, c *client) {
	delete(m[key], c)
	if len(m[key]) == 0 {
		delete(m, key)
	}
}

// Close drops all clients and waits until their goroutines have ended.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	for _, of := range h.clients {
		for c := range of {
			c.drop()
		}
	}
	h.mu.Unlock()
	h.running.Wait()
}

// Clients counts the open pages.
func (h *Hub) Clients() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, of := range h.clients {
		n += len(of)
	}
	return n
}

// write sends what is queued, and pings.
func (c *client) write(ctx context.Context, alive func(context.Context) error) {
	defer c.hub.running.Done()
	defer c.drop()
	ping := time.NewTicker(c.hub.cfg.Ping)
	defer ping.Stop()
	for {
		kind, b := websocket.PingMessage, []byte(nil)
		select {
		case <-c.done:
			return
		case b = <-c.queue:
			kind = websocket.TextMessage
		case <-ping.C:
			if alive(ctx) != nil {
				return
			}
		}
		_ = c.conn.SetWriteDeadline(time.Now().Add(c.hub.cfg.WriteWait)) // fails only on a closed line, as the write will
		if c.conn.WriteMessage(kind, b) != nil {
			return
		}
	}
}

// order is what a page may ask for.
type order struct {
	Subscribe struct {
		Herd string `json:"herd"`
	} `json:"subscribe"`
}

// maxOrder is far above what an order takes, in bytes.
const maxOrder = 4 << 10

func (c *client) read(ctx context.Context) {
	c.conn.SetReadLimit(maxOrder)
	silence := c.hub.cfg.Ping + c.hub.cfg.WriteWait
	extend := func() { _ = c.conn.SetReadDeadline(time.Now().Add(silence)) } // fails only on a closed line, as the read will
	extend()
	c.conn.SetPongHandler(func(string) error { extend(); return nil })
	for {
		_, b, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		extend()
		var o order
		if json.Unmarshal(b, &o) != nil {
			continue // an order of a newer page; what it asks for is not there
		}
		c.subscribe(ctx, o.Subscribe.Herd)
	}
}

// subscribe watches a herd instead of the one before; "" watches none. A herd that
// the person may not see is as if it did not exist.
func (c *client) subscribe(ctx context.Context, herd string) {
	if herd != "" {
		h, err := c.hub.cfg.Herds.Herd(ctx, c.who.Tenant, herd)
		if err != nil || (!house(c.who.Role) && h.OwnerID != c.who.UserID) {
			herd = ""
		}
	}
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	cut(c.hub.herds, c.herd, c)
	if c.herd = herd; herd != "" {
		put(c.hub.herds, herd, c)
	}
	b, _ := json.Marshal(message{Type: "subscribed", HerdID: &herd}) // plain values always encode
	c.send(b)
}

// house says whether a role sees all of its tenant.
func house(r access.Role) bool {
	return r == access.Officer || r == access.Auditor || r == access.Operator
}

// message is one push; Type says which of the other fields are there.
type message struct {
	Type        string             `json:"type"`
	Alert       *watch.Alert       `json:"alert,omitempty"`
	HerdID      *string            `json:"herd_id,omitempty"`
	States      []iot.AnimalState  `json:"states,omitempty"`
	Application *apply.Application `json:"application,omitempty"`
	PlotID      string             `json:"plot_id,omitempty"`
}

// AlertChanged pushes an alert to the house.
func (h *Hub) AlertChanged(a watch.Alert) {
	h.push(a.Tenant, "", message{Type: "alert", Alert: &a})
}

// ApplicationChanged pushes an application to the house and to its borrower.
func (h *Hub) ApplicationChanged(a apply.Application) {
	h.push(a.Tenant, a.UserID, message{Type: "application", Application: &a})
}

// PlotChanged tells the house and the holder that a plot has a new report.
func (h *Hub) PlotChanged(tenant, ownerID, plotID string) {
	h.push(tenant, ownerID, message{Type: "plot", PlotID: plotID})
}

// push sends m to the house of a tenant and to one other person.
func (h *Hub) push(tenant, userID string, m message) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.clients[tenant]) == 0 {
		return
	}
	b, err := json.Marshal(m)
	if err != nil {
		h.cfg.Log.Error("live message", "type", m.Type, "error", err)
		return
	}
	for c := range h.clients[tenant] {
		if house(c.who.Role) || (userID != "" && c.who.UserID == userID) {
			c.send(b)
		}
	}
}

// Moved pushes the state of an animal to those who watch its herd; that they may was
// seen when they subscribed. What moves within one step goes out together, so that a
// herd of thousands costs a page a few messages a second and not thousands.
func (h *Hub) Moved(herdID string, s iot.AnimalState) {
	h.mu.RLock()
	watched := len(h.herds[herdID]) > 0 && !h.closed
	h.mu.RUnlock()
	if !watched {
		return
	}
	h.gather.Lock()
	defer h.gather.Unlock()
	states := h.moved[herdID]
	if states == nil {
		states = make(map[string]iot.AnimalState)
		h.moved[herdID] = states
		time.AfterFunc(h.cfg.Step, func() { h.step(herdID) })
	}
	states[s.AnimalID] = s
}

// step sends what moved in a herd since the step before.
func (h *Hub) step(herdID string) {
	h.gather.Lock()
	moved := h.moved[herdID]
	delete(h.moved, herdID)
	h.gather.Unlock()
	b, err := json.Marshal(message{Type: "positions", HerdID: &herdID, States: slices.Collect(maps.Values(moved))})
	if err != nil {
		h.cfg.Log.Error("live message", "type", "positions", "error", err)
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for c := range h.herds[herdID] {
		c.send(b)
	}
}
