// Package broker is the MQTT broker inside the process. Devices sign in with the
// secret or the certificate of their registration and may publish on their own
// topics only; a PUBACK means that what the message holds is on disk.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net"
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

// What keeps a broker from starting, and what keeps a command from its device.
var (
	ErrPortTaken = fault.New(fault.Conflict, "broker.port_taken",
		"the MQTT address {addr} is in use: stop the other program or choose another address")
	ErrListen   = fault.New(fault.Invalid, "broker.listen", "the broker cannot listen on {addr}")
	ErrNoReader = fault.New(fault.Unavailable, "broker.no_reader", "the device {device} does not listen for commands now: try again when it is connected")
)

// Config wires a Broker.
type Config struct {
	Addr string // host:port; port 0 takes a free one
	// TLS is nil for plain TCP. With ClientCAs and ClientAuth set, a device whose
	// certificate is named <tenant>/<device> needs no secret.
	TLS      *tls.Config
	Herds    iot.Store
	Pipeline *ingest.Pipeline
	Now      func() time.Time
	Log      *slog.Logger
}

// Broker serves devices until its context ends.
type Broker struct {
	cfg      Config
	listener *listener

	mu       sync.RWMutex
	server   *mqtt.Server
	sessions map[device]map[*mqtt.Client]struct{}
}

// device is who a connection belongs to.
type device struct{ tenant, id string }

// New returns a broker that does not listen yet.
func New(cfg Config) *Broker {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Broker{cfg: cfg, sessions: make(map[device]map[*mqtt.Client]struct{})}
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
	b.listener = &listener{Listener: l, open: make(map[*conn]struct{})}
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
// A message that is being saved when ctx ends may be saved and not acknowledged:
// then it comes again and changes nothing. Run returns nil after a clean stop.
func (b *Broker) Run(ctx context.Context) error {
	if b.listener == nil {
		if err := b.Listen(ctx); err != nil {
			return err
		}
	}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = maxPacket
	caps.MaximumSessionExpiryInterval = 3600 // devices keep no subscriptions worth more
	caps.RetainAvailable = 0
	caps.TopicAliasMaximum = 0          // a right is checked by the whole name
	caps.MaximumClientWritesPending = 8 // a queue is made for each connection, however idle
	caps.ReceiveMaximum = window
	server := mqtt.New(&mqtt.Options{Capabilities: caps, Logger: slog.New(slog.DiscardHandler),
		ClientNetReadBufferSize: 512, // the connection has a buffer of its own
		SysTopicResendInterval:  math.MaxInt32})
	b.listener.ctx = ctx
	h := &hook{ctx: ctx, Broker: b}
	if err := server.AddHook(h, nil); err != nil {
		return errors.Join(err, b.listener.Close())
	}
	if err := server.AddListener(listeners.NewNet("mqtt", b.listener)); err != nil {
		return errors.Join(err, b.listener.Close())
	}
	b.mu.Lock()
	b.server = server
	b.mu.Unlock()
	if err := server.Serve(); err != nil {
		return errors.Join(err, server.Close())
	}
	<-ctx.Done()
	// Devices notice the closed connection and come back to whoever serves next;
	// a client that never finished signing in must not hold up the end.
	b.listener.closeAll()
	return server.Close()
}

// Connections is how many devices are signed in.
func (b *Broker) Connections() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := 0
	for _, of := range b.sessions {
		n += len(of)
	}
	return n
}

// Disconnect ends the connections of a device and makes its rights be looked up
// again. Call it when it was revoked or its secret was changed.
func (b *Broker) Disconnect(tenant, id string) {
	b.cfg.Pipeline.Forget(tenant, id)
	for _, cl := range b.clients(device{tenant, id}) {
		cl.Stop(packets.ErrNotAuthorized)
	}
}

func (b *Broker) clients(of device) []*mqtt.Client {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]*mqtt.Client, 0, len(b.sessions[of]))
	for cl := range b.sessions[of] {
		out = append(out, cl)
	}
	return out
}

// Command sends a message to a device that has subscribed to the topic, and to no
// other, with QoS 0 as Sparkplug wants it. ErrNoReader.
func (b *Broker) Command(tenant, id, topic string, payload []byte) error {
	b.mu.RLock()
	server := b.server
	b.mu.RUnlock()
	err := error(ErrNoReader.With("device", id))
	if server == nil {
		return err
	}
	readers := server.Topics.Subscribers(topic).Subscriptions
	for _, cl := range b.clients(device{tenant, id}) {
		if _, ok := readers[cl.ID]; !ok {
			continue
		}
		if e := cl.WritePacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: topic, Payload: payload}); e == nil {
			err = nil
		}
	}
	return err
}

// maxPacket is the largest MQTT packet that is read: the largest payload with its
// topic and properties.
const maxPacket = codec.MaxBytes + 4096
