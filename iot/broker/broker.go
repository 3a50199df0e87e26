// Package broker is the MQTT broker inside the process. Devices sign in with the
// credentials of their registration and may publish on their own topic only, and a
// PUBACK means that the readings are on disk.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
)

// What keeps a broker from starting.
var (
	ErrPortTaken = fault.New(fault.Conflict, "broker.port_taken",
		"the MQTT address {addr} is in use: stop the other program or choose another address")
	ErrListen = fault.New(fault.Invalid, "broker.listen", "the broker cannot listen on {addr}")
)

// Config wires a Broker.
type Config struct {
	Addr     string      // host:port; port 0 takes a free one
	TLS      *tls.Config // nil for plain TCP
	Herds    iot.Store
	Pipeline *ingest.Pipeline
	Now      func() time.Time
	Log      *slog.Logger
}

// Broker serves devices until its context ends.
type Broker struct {
	cfg      Config
	listener *listener
}

// New returns a broker that does not listen yet.
func New(cfg Config) *Broker {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Broker{cfg: cfg}
}

// Listen takes the address, so that a taken port is known before anything else
// starts; Run serves it. ErrPortTaken, ErrListen.
func (b *Broker) Listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", b.cfg.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ErrPortTaken.With("addr", b.cfg.Addr)
	case err != nil:
		return ErrListen.With("addr", b.cfg.Addr).Because(err)
	}
	if b.cfg.TLS != nil {
		l = tls.NewListener(l, b.cfg.TLS)
	}
	b.listener = &listener{Listener: l, open: make(map[net.Conn]struct{})}
	return nil
}

// Addr is the address that Listen took, or "".
func (b *Broker) Addr() string {
	if b.listener == nil {
		return ""
	}
	return b.listener.Addr().String()
}

// Run serves devices until ctx ends, and listens first where Listen was not called.
// Messages that are being saved when ctx ends are either saved and acknowledged or
// neither. It returns nil after a clean stop.
func (b *Broker) Run(ctx context.Context) error {
	if b.listener == nil {
		if err := b.Listen(ctx); err != nil {
			return err
		}
	}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = codec.MaxBytes + 1024
	caps.MaximumSessionExpiryInterval = 3600 // devices keep no subscriptions worth more
	caps.RetainAvailable = 0
	server := mqtt.New(&mqtt.Options{Capabilities: caps, Logger: slog.New(slog.DiscardHandler)})
	h := &hook{ctx: ctx, cfg: b.cfg, server: server, devices: make(map[*mqtt.Client]iot.Device)}
	if err := server.AddHook(h, nil); err != nil {
		return errors.Join(err, b.listener.Close())
	}
	if err := server.AddListener(listeners.NewNet("mqtt", b.listener)); err != nil {
		return errors.Join(err, b.listener.Close())
	}
	if err := server.Serve(); err != nil {
		return errors.Join(err, server.Close())
	}
	<-ctx.Done()
	// Devices notice the closed connection and come back to whoever serves next;
	// a client that never finished signing in must not hold up the end.
	b.listener.closeAll()
	return server.Close()
}

// hook puts the house's rules into the broker's events.
type hook struct {
	mqtt.HookBase
	ctx    context.Context //nolint:containedctx // mochi's hooks take none; it ends with Run
	cfg    Config
	server *mqtt.Server

	mu      sync.RWMutex
	devices map[*mqtt.Client]iot.Device
}

// ID implements mqtt.Hook.
func (h *hook) ID() string { return "furrow" }

// Provides implements mqtt.Hook.
func (h *hook) Provides(event byte) bool {
	switch event {
	case mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnDisconnect:
		return true
	}
	return false
}

// OnConnectAuthenticate lets a registered device in: user name "<tenant>/<device>",
// password its secret.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	tenant, id, ok := strings.Cut(string(pk.Connect.Username), "/")
	if !ok {
		return false
	}
	d, err := h.cfg.Herds.Device(h.ctx, tenant, id)
	if err != nil && !errors.Is(err, iot.ErrDeviceNotFound) {
		h.cfg.Log.Error("a device could not be looked up", "tenant", tenant, "device", id, "error", err)
		return false
	}
	// The hash is compared also for a device that does not exist, so that the time
	// of the answer does not tell which do.
	if authentic := d.Authentic(string(pk.Connect.Password)); err != nil || !authentic {
		h.cfg.Log.Warn("a device was refused", "tenant", tenant, "device", id, "remote", cl.Net.Remote)
		return false
	}
	// A client id belongs to the device that uses it: another device with the same
	// one would throw it out and inherit its session.
	if other, ok := h.server.Clients.Get(cl.ID); ok && string(other.Properties.Username) != string(pk.Connect.Username) {
		h.cfg.Pipeline.Impostor(h.ctx, d, "client id "+cl.ID)
		return false
	}
	h.mu.Lock()
	h.devices[cl] = d
	h.mu.Unlock()
	return true
}

// OnDisconnect implements mqtt.Hook.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	h.mu.Lock()
	delete(h.devices, cl)
	h.mu.Unlock()
}

func (h *hook) device(cl *mqtt.Client) (iot.Device, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	d, ok := h.devices[cl]
	return d, ok
}

// OnACLCheck allows a device to write its own topic and nothing else. A device that
// writes another's is reported; mochi then refuses or disconnects it.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	d, ok := h.device(cl)
	if !ok || !write {
		return false
	}
	if topic == codec.TopicOf(d.Tenant, d.ID) {
		return true
	}
	h.cfg.Pipeline.Impostor(h.ctx, d, topic)
	return false
}

// OnPublish runs before the PUBACK. An error here must end the connection without
// one, so that the device sends the message again: mochi would acknowledge after
// any error but ErrRejectPacket.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	d, ok := h.device(cl)
	if !ok {
		cl.Stop(packets.ErrNotAuthorized)
		return pk, packets.ErrRejectPacket
	}
	if err := h.cfg.Pipeline.Submit(h.ctx, pk.TopicName, d, pk.Payload, h.cfg.Now()); err != nil {
		if h.ctx.Err() == nil {
			h.cfg.Log.Error("a message could not be taken; the device must send it again", "tenant", d.Tenant, "device", d.ID, "error", err)
		}
		cl.Stop(packets.ErrImplementationSpecificError)
		return pk, packets.ErrRejectPacket
	}
	pk.FixedHeader.Retain = false
	pk.Ignore = true // nobody subscribes here
	return pk, nil
}

// listener remembers its open connections, to close them all at the end.
type listener struct {
	net.Listener
	mu    sync.Mutex
	open  map[net.Conn]struct{}
	ended bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	l.open[c] = struct{}{}
	return &conn{Conn: c, from: l}, nil
}

func (l *listener) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	_ = l.Close() // mochi closes it again; neither needs the answer
	for c := range l.open {
		_ = c.Close()
	}
}

// conn takes itself off the list when it closes.
type conn struct {
	net.Conn
	from *listener
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.from.mu.Lock()
	delete(c.from.open, c.Conn)
	c.from.mu.Unlock()
	return c.Conn.Close()
}
