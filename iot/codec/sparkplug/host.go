package sparkplug

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Birth is what one birth message defined: of the edge node itself (Device "") or of
// one of its devices.
type Birth struct {
	Group   string
	Edge    string
	Device  string
	BdSeq   *uint64   // number of the edge node's connection; nil of a device, or untold
	At      time.Time // when it was received
	Metrics []Definition
}

// Definition is a metric of a birth.
type Definition struct {
	Name  string   `json:"name"`
	Alias *uint64  `json:"alias,omitempty"`
	Type  DataType `json:"type"`
}

// Births keeps the last birth of every edge node and device, so that aliases are
// known after a restart and to other processes. Implemented in store/herd.
type Births interface {
	// SaveBirth replaces the birth; that of an edge node forgets its devices' births.
	SaveBirth(ctx context.Context, tenant string, b Birth) error
	// Births returns those of an edge node, its own first, then its devices' by
	// name; none is no error.
	Births(ctx context.Context, tenant, group, edge string) ([]Birth, error)
}

// Host is the consuming side of Sparkplug. Its zero value keeps births in memory
// only and asks nobody for a rebirth. Messages of one edge node must come in order, so
// its topics are never read through a shared subscription ($share).
type Host struct {
	Births Births
	// Rebirth sends payload on topic, to ask an edge node for its births again. It is
	// called at most once a minute for an edge node. May be nil.
	Rebirth func(ctx context.Context, tenant, topic string, payload []byte)
	// Edge is told when an edge node comes online or dies. May be nil.
	Edge func(ctx context.Context, tenant, edge string, online bool, at time.Time)

	mu    sync.Mutex
	edges map[edgeKey]*edge
	known int // definitions of all edges
}

// How often an edge node may be asked for a rebirth, how often the kept births are
// looked at for an alias that is not known, and how much is remembered.
const (
	rebirthEvery = time.Minute
	reloadEvery  = time.Second
	maxEdges     = 100_000
	maxDevices   = 20_000    // of one edge node
	maxNodeKnown = 200_000   // definitions of one edge node, its devices' included
	maxKnown     = 4_000_000 // of all, some 150 bytes each
)

type edgeKey struct{ tenant, group, name string }

// edge is what is known of one edge node.
type edge struct {
	mu      sync.Mutex
	key     edgeKey
	loaded  time.Time // when Births was asked last
	born    bool      // a birth is known
	trusted bool      // and came in this run: none can have been missed meanwhile
	online  bool
	bdSeq   *uint64
	death   *uint64 // of a connection whose birth has not come yet
	hasSeq  bool
	seq     uint64
	asked   time.Time
	devices map[string]*device // "" is the node itself
	known   int                // definitions of all devices
}

type device struct {
	byAlias map[uint64]Definition
	byName  map[string]DataType
	fix     Fix
}

// size is how many definitions the device holds; names and aliases may repeat.
func (d *device) size() int {
	if d == nil {
		return 0
	}
	return max(len(d.byName), len(d.byAlias))
}

// Fix is a device's last position as far as it is surely known: edge nodes report
// only what changed. It is the caller's to keep; the host forgets it whenever a
// message may have been missed.
type Fix struct{ Lon, Lat *float64 }

// Message is one message of an edge node or of a device behind it.
type Message struct {
	Tenant, Group, Type, Edge, Device string // Type is "NBIRTH", "DDATA" and so on
	Payload                           []byte
	Received                          time.Time
}

// Value is a metric whose name and type are known.
type Value struct {
	Name       string
	At         time.Time
	Historical bool // not of now: it must not change what is believed of now
	Null       bool
	Numeric    bool
	Truth      bool // of the numeric: 0 or 1 of a Boolean
	X          float64
}

// Result is what a message held.
type Result struct {
	Values  []Value
	Unknown []string // metrics that no known birth explains
	// From and To are the first and last sequence number missing before the message,
	// when Gap says that some are.
	Gap      bool
	From, To uint64
}

// Take reads one message: births and deaths change what is known, births and data
// give values, which are handed to use with the device's position while its edge
// node is locked. Errors are *SyntaxError, or those of Births; after the latter the
// message can be taken again.
func (h *Host) Take(ctx context.Context, m Message, use func(Result, *Fix)) error {
	p, err := Decode(m.Payload)
	if err != nil {
		return err
	}
	e := h.edge(edgeKey{m.Tenant, m.Group, m.Edge})
	var after []func()
	defer func() {
		for _, f := range after {
			f()
		}
	}()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := h.load(ctx, e, m.Received, false); err != nil {
		return err
	}
	t := &taking{host: h, edge: e, m: m, p: p}
	switch m.Type {
	case "NBIRTH", "DBIRTH":
		err = t.birth(ctx)
	case "NDATA", "DDATA":
		err = t.data(ctx)
	case "NDEATH":
		err = t.nodeDeath()
	case "DDEATH":
		t.sequence()
		h.forget(e, m.Device)
	}
	if err != nil {
		return err
	}
	if t.ask && (e.asked.IsZero() || m.Received.Sub(e.asked).Abs() >= rebirthEvery) {
		e.asked = m.Received
		if h.Rebirth != nil {
			after = append(after, func() {
				h.Rebirth(ctx, m.Tenant, "spBv1.0/"+m.Group+"/NCMD/"+m.Edge, rebirth(m.Received))
			})
		}
	}
	if t.turned && h.Edge != nil {
		online := e.online
		after = append(after, func() { h.Edge(ctx, m.Tenant, m.Edge, online, m.Received) })
	}
	if len(t.result.Values) > 0 || len(t.result.Unknown) > 0 {
		fix := &Fix{}
		if d := e.devices[m.Device]; d != nil {
			fix = &d.fix
		}
		use(t.result, fix)
	}
	return nil
}

// rebirth is the command that asks an edge node for its births.
func rebirth(at time.Time) []byte {
	return Append(nil, Payload{Time: at, Metrics: []Metric{NewMetric("Node Control/Rebirth", Boolean, 1, at)}})
}

func (h *Host) edge(k edgeKey) *edge {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.edges[k]
	if e == nil {
		if h.edges == nil {
			h.edges = make(map[edgeKey]*edge)
		}
		if len(h.edges) >= maxEdges || h.known >= maxKnown {
			clear(h.edges) // what births said is kept in Births
			h.known = 0
		}
		e = &edge{key: k, devices: make(map[string]*device)}
		h.edges[k] = e
	}
	return e
}

// load reads the births that are kept: at the first message, and when again says so
// once the last answer is a second old.
func (h *Host) load(ctx context.Context, e *edge, now time.Time, again bool) error {
	if h.Births == nil || !e.loaded.IsZero() && (!again || now.Sub(e.loaded).Abs() < reloadEvery) {
		return nil
	}
	births, err := h.Births.Births(ctx, e.key.tenant, e.key.group, e.key.name)
	if err != nil {
		return err
	}
	e.loaded = now
	for _, b := range births {
		if b.Device == "" {
			e.born, e.bdSeq = true, b.BdSeq
		}
		h.define(e, b)
	}
	return nil
}

// define makes a birth what is known of its device.
func (h *Host) define(e *edge, b Birth) {
	h.forget(e, b.Device)
	d := &device{byAlias: make(map[uint64]Definition), byName: make(map[string]DataType, len(b.Metrics))}
	for _, m := range b.Metrics {
		d.byName[m.Name] = m.Type
		if m.Alias != nil {
			d.byAlias[*m.Alias] = m
		}
	}
	e.devices[b.Device] = d
	h.count(e, d.size())
}

// forget ends what is known of a device.
func (h *Host) forget(e *edge, name string) {
	if d := e.devices[name]; d != nil {
		h.count(e, -d.size())
		delete(e.devices, name)
	}
}

// count keeps the number of definitions that are in memory.
func (h *Host) count(e *edge, n int) {
	e.known += n
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.edges[e.key] == e {
		h.known += n
	}
}

// taking is the work on one message.
type taking struct {
	host   *Host
	edge   *edge
	m      Message
	p      Payload
	result Result
	ask    bool // for a rebirth
	turned bool // online or offline
}

// sequence checks that no message of the edge node was missed.
func (t *taking) sequence() {
	e, seq := t.edge, t.p.Seq
	defer func() { e.hasSeq, e.seq = true, seq }()
	if !e.hasSeq || seq == e.seq || seq == (e.seq+1)&255 {
		return
	}
	t.result.Gap, t.result.From, t.result.To = true, (e.seq+1)&255, (seq+255)&255
	t.ask = true
	for _, d := range e.devices {
		d.fix = Fix{}
	}
}

func (t *taking) birth(ctx context.Context) error {
	e, b := t.edge, Birth{Group: t.m.Group, Edge: t.m.Edge, Device: t.m.Device, At: t.m.Received}
	for _, m := range t.p.Metrics {
		if m.Name == bdSeq && t.m.Device == "" {
			b.BdSeq = m.session()
		}
		if m.Name != "" {
			b.Metrics = append(b.Metrics, Definition{m.Name, m.Alias, m.Type})
		}
	}
	if e.devices[b.Device] == nil && b.Device != "" && len(e.devices) >= maxDevices {
		return &SyntaxError{"the edge node has more than 20000 devices", 0}
	}
	if b.Device != "" && e.known-e.devices[b.Device].size()+len(b.Metrics) > maxNodeKnown {
		return &SyntaxError{"the edge node has more than 200000 metrics", 0}
	}
	if t.host.Births != nil {
		if err := t.host.Births.SaveBirth(ctx, t.m.Tenant, b); err != nil {
			return err
		}
	}
	if t.m.Device == "" {
		t.host.count(e, -e.known)
		clear(e.devices)
		dead := e.death != nil && b.BdSeq != nil && *e.death == *b.BdSeq
		e.born, e.trusted, e.bdSeq, e.death = true, true, b.BdSeq, nil
		e.hasSeq, e.seq = true, t.p.Seq
		t.turned, e.online = !dead, !dead
	} else {
		t.sequence()
		t.ask = t.ask || !e.born
	}
	t.host.define(e, b)
	t.resolve()
	return nil
}

func (t *taking) data(ctx context.Context) error {
	e := t.edge
	t.resolve()
	if len(t.result.Unknown) > 0 {
		// Another process may have taken the birth meanwhile.
		before := e.loaded
		if err := t.host.load(ctx, e, t.m.Received, true); err != nil {
			return err
		}
		if e.loaded != before {
			t.resolve()
		}
	}
	t.sequence() // last, so that a message which is taken again is not its own repetition
	// A birth may have been missed while nobody listened, and a dead node that
	// speaks has come back unheard.
	if !e.born || !e.trusted || !e.online || len(t.result.Unknown) > 0 {
		t.ask = true
	}
	return nil
}

const bdSeq = "bdSeq"

// session is the number of a connection that a bdSeq metric holds.
func (m Metric) session() *uint64 {
	if m.wire != wireInt && m.wire != wireLong {
		return nil
	}
	n := m.bits
	return &n
}

// nodeDeath ends the connection that the will belongs to. A will may be late (its
// connection has been replaced: nothing happens) or early (it overtook its birth).
func (t *taking) nodeDeath() error {
	e := t.edge
	var n *uint64
	for _, m := range t.p.Metrics {
		if m.Name == bdSeq {
			n = m.session()
		}
	}
	if n == nil {
		return &SyntaxError{"a death must hold bdSeq", len(t.m.Payload)}
	}
	if e.bdSeq != nil && *e.bdSeq != *n {
		if ahead := (*n - *e.bdSeq) & 255; ahead > 127 {
			return nil
		}
		e.death = n
	}
	if !e.born {
		e.death = n
	}
	e.online, t.turned = false, true
	for _, d := range e.devices {
		d.fix = Fix{}
	}
	return nil
}

// resolve finds name, type and time of every metric.
func (t *taking) resolve() {
	t.result.Values, t.result.Unknown = nil, nil
	for _, m := range t.p.Metrics {
		def, ok := t.edge.definition(t.m.Device, m)
		if !ok {
			t.result.Unknown = append(t.result.Unknown, label(m))
			continue
		}
		v := Value{Name: def.Name, At: m.Time, Historical: m.Historical, Null: m.Null, Truth: m.wire == wireBool}
		for _, at := range []time.Time{t.p.Time, t.m.Received} {
			if v.At.IsZero() {
				v.At = at
			}
		}
		if !m.Null {
			if v.X, v.Numeric, ok = m.number(def.Type); !ok {
				t.result.Unknown = append(t.result.Unknown, label(m))
				continue
			}
		}
		t.result.Values = append(t.result.Values, v)
	}
}

func label(m Metric) string {
	if m.Name == "" && m.Alias != nil {
		return fmt.Sprintf("alias %d", *m.Alias)
	}
	return m.Name
}

// definition finds what a metric is: by its name, else by its alias, of which an
// edge node has one set for itself and all its devices.
func (e *edge) definition(name string, m Metric) (Definition, bool) {
	d, node := e.devices[name], e.devices[""]
	if m.Name != "" {
		t := m.Type
		if t == 0 && d != nil {
			t = d.byName[m.Name]
		}
		return Definition{Name: m.Name, Type: t}, true
	}
	if m.Alias == nil {
		return Definition{}, false
	}
	for _, d := range []*device{d, node} {
		if d == nil {
			continue
		}
		if def, ok := d.byAlias[*m.Alias]; ok {
			return def, true
		}
	}
	return Definition{}, false
}
