package broker

import (
	"bytes"
	"context"
	"errors"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
)

// hook puts the house's rules into the broker's events.
type hook struct {
	mqtt.HookBase
	*Broker
	ctx context.Context //nolint:containedctx // mochi's hooks take none; it ends with Run
}

// ID implements mqtt.Hook.
func (h *hook) ID() string { return "furrow" }

// Provides implements mqtt.Hook.
func (h *hook) Provides(event byte) bool {
	return bytes.IndexByte([]byte{mqtt.OnConnectAuthenticate, mqtt.OnSessionEstablished, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnWill, mqtt.OnDisconnect}, event) >= 0
}

// OnConnectAuthenticate lets a registered device in.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return false
	}
	d, err := h.signIn(c, string(pk.Connect.Username), string(pk.Connect.Password))
	if err != nil {
		if !errors.Is(err, errRefused) {
			h.cfg.Log.Error("a device could not be looked up", "user", string(pk.Connect.Username), "error", err)
		}
		h.cfg.Log.Warn("a device was refused", "user", string(pk.Connect.Username), "remote", cl.Net.Remote)
		return false
	}
	// A client id belongs to the device that uses it: another device with the same
	// one would throw it out and inherit its session.
	if other, ok := h.server.Clients.Get(cl.ID); ok {
		if o, ok := other.Net.Conn.(*conn); ok && o.session.Load().key() != (device{d.Tenant, d.ID}) {
			h.cfg.Pipeline.Impostor(h.ctx, d, "client id "+cl.ID)
			return false
		}
	}
	s := &session{hook: h, device: d, v5: pk.ProtocolVersion == 5}
	if pk.Connect.WillFlag {
		if _, err := s.address(pk.Connect.WillTopic); err != nil {
			h.blame(s, pk.Connect.WillTopic, err)
			return false
		}
	}
	c.session.Store(s)
	return true
}

// OnSessionEstablished takes note of a device. It comes after the answer to the
// sign-in was sent: of one that did not wait for it, mochi tells no end.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	c, ok := cl.Net.Conn.(*conn)
	if !ok || c.session.Load() == nil {
		return
	}
	key := c.session.Load().key()
	h.mu.Lock()
	defer h.mu.Unlock()
	of := h.sessions[key]
	if of == nil {
		of = make(map[*mqtt.Client]struct{})
		h.sessions[key] = of
	}
	of[cl] = struct{}{}
}

// errRefused is returned for credentials that let nobody in.
var errRefused = errors.New("not a device's credentials")

// signIn finds the device that the credentials belong to: a verified client
// certificate named <tenant>/<device>; else the user name <tenant>/<device> with the
// secret as password; else, as ThingsBoard's devices do, the secret alone as user
// name. errRefused.
func (h *hook) signIn(c *conn, user, secret string) (iot.Device, error) {
	name, certified := c.certificate()
	if certified {
		if user != "" && user != name {
			return iot.Device{}, errRefused
		}
		user = name
	}
	tenant, id, named := cut(user)
	if !named && (secret != "" || user == "" || certified) {
		return iot.Device{}, errRefused
	}
	var d iot.Device
	var err error
	if named {
		d, err = h.cfg.Herds.Device(h.ctx, tenant, id)
	} else {
		secret = user
		d, err = h.cfg.Herds.DeviceBySecret(h.ctx, iot.HashSecret(user))
	}
	if err != nil && !errors.Is(err, iot.ErrDeviceNotFound) {
		return iot.Device{}, err
	}
	// The hash is compared also for a device that does not exist, so that the time
	// of the answer does not tell which do.
	authentic := d.Authentic(secret) || certified && !d.Revoked
	if err != nil || !authentic {
		return iot.Device{}, errRefused
	}
	if named {
		d.Tenant, d.ID = tenant, id
	}
	d.SecretHash = ""
	return d, nil
}

// OnDisconnect implements mqtt.Hook.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	c, ok := cl.Net.Conn.(*conn)
	if !ok || c.session.Load() == nil {
		return
	}
	key := c.session.Load().key()
	h.mu.Lock()
	delete(h.sessions[key], cl)
	if len(h.sessions[key]) == 0 {
		delete(h.sessions, key)
	}
	h.mu.Unlock()
	c.in = nil // mochi keeps the client until its session expires
	if now, ok := h.server.Clients.Get(cl.ID); ok && now == cl && cl.State.Subscriptions.Len() == 0 && cl.State.Inflight.Len() == 0 {
		h.server.Clients.Delete(cl.ID) // a session that holds nothing
	}
}

// OnACLCheck lets a device read its own commands. What it may write is decided where
// the payload is at hand, so that it can be kept as evidence.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	c, ok := cl.Net.Conn.(*conn)
	if !ok || c.session.Load() == nil {
		return false
	}
	return write || mayRead(c.session.Load().device, topic)
}

// OnPublish takes the messages that the connection leaves to mochi: those of QoS 2.
// Nothing is passed on to other clients.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c, ok := cl.Net.Conn.(*conn)
	if !ok || c.session.Load() == nil {
		cl.Stop(packets.ErrNotAuthorized)
		return pk, packets.ErrRejectPacket
	}
	s := c.session.Load()
	if pk.FixedHeader.Qos < 2 {
		if err := c.publish(s, pk.TopicName, pk.Payload, pk.FixedHeader.Qos, pk.PacketID); err != nil {
			cl.Stop(err)
		}
		return pk, packets.ErrRejectPacket
	}
	m, err := s.message(pk.TopicName, pk.Payload)
	switch {
	case errors.Is(err, errRevoked):
		cl.Stop(packets.ErrNotAuthorized)
		return pk, packets.ErrRejectPacket
	case err == nil:
		err = h.cfg.Pipeline.SubmitMessage(c.done, m)
	case s.v5:
		if err = h.refuse(c.done, s, m, err); err == nil {
			id := pk.PacketID
			if _, err = c.Write([]byte{packets.Pubrec << 4, 3, byte(id >> 8), byte(id), packets.ErrNotAuthorized.Code}); err == nil {
				return pk, packets.ErrRejectPacket
			}
		}
	default:
		err = h.refuse(c.done, s, m, err)
	}
	if err != nil {
		// mochi would acknowledge after any error but ErrRejectPacket.
		h.again(c.done, s, err)
		cl.Stop(packets.ErrImplementationSpecificError)
		return pk, packets.ErrRejectPacket
	}
	pk.FixedHeader.Retain = false
	pk.Ignore = true // nobody subscribes to readings here
	return pk, nil
}

// OnWill takes the last will of a device that is gone: an edge node's death.
func (h *hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	if c, ok := cl.Net.Conn.(*conn); ok && c.session.Load() != nil && h.ctx.Err() == nil {
		s := c.session.Load()
		m, err := s.message(will.TopicName, will.Payload)
		if err == nil {
			err = h.cfg.Pipeline.Take(h.ctx, m, 0, nil)
		}
		if err != nil {
			h.cfg.Log.Warn("a last will could not be taken", "tenant", s.device.Tenant, "device", s.device.ID, "error", err)
		}
	}
	return will, nil
}

// refuse keeps what a device may not publish, and reports it when it was another's.
func (h *hook) refuse(ctx context.Context, s *session, m ingest.Message, why error) error {
	h.blame(s, m.Address.Topic, why)
	return h.cfg.Pipeline.Refuse(ctx, m, why)
}

func (h *hook) blame(s *session, topic string, why error) {
	if errors.Is(why, errForbidden) {
		h.cfg.Pipeline.Impostor(h.ctx, s.device, topic)
	}
}

// again logs that a message could not be taken, unless its connection is gone.
func (h *hook) again(ctx context.Context, s *session, err error) {
	if ctx.Err() == nil {
		h.cfg.Log.Error("a message could not be taken; the device must send it again",
			"tenant", s.device.Tenant, "device", s.device.ID, "error", err)
	}
}

// session is a signed-in device.
type session struct {
	hook   *hook
	device iot.Device
	v5     bool
	// The last topic and its address: a device seldom has two.
	last codec.Address
}

func (s *session) key() device {
	if s == nil {
		return device{}
	}
	return device{s.device.Tenant, s.device.ID}
}

// message addresses a payload. The error says why the device may not publish it; the
// message is then good for the quarantine.
func (s *session) message(topic string, payload []byte) (ingest.Message, error) {
	m := ingest.Message{Address: codec.Address{Topic: topic}, Device: s.device, Payload: payload, Received: s.hook.cfg.Now()}
	a, err := s.address(topic)
	if err != nil {
		return m, err
	}
	m.Address = a
	// The right may have ended since the sign-in. While that cannot be looked up, what
	// was true then counts.
	d, err := s.hook.cfg.Pipeline.Device(s.hook.ctx, s.device.Tenant, s.device.ID)
	switch {
	case errors.Is(err, iot.ErrDeviceNotFound), err == nil && d.Revoked:
		return m, errRevoked
	case err == nil:
		m.Device = d
	}
	return m, nil
}

// errRevoked ends the connection.
var errRevoked = errors.New("the device may publish no more")
