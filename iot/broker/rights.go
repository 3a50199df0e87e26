package broker

import (
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// errForbidden is returned for a topic of another device, or of another kind.
var errForbidden = fault.New(fault.Forbidden, "reading.topic_forbidden", "the device {device} may not publish on {topic}")

// cut splits a user name <tenant>/<device>.
func cut(user string) (tenant, id string, ok bool) {
	tenant, id, ok = strings.Cut(user, "/")
	return tenant, id, ok && tenant != "" && id != ""
}

// address reads a topic that the device publishes on. errForbidden, codec.ErrTopic.
func (s *session) address(topic string) (codec.Address, error) {
	if topic == s.last.Topic && topic != "" {
		return s.last, nil
	}
	a, err := codec.Parse(topic)
	if err != nil {
		return a, err
	}
	if !mayWrite(s.device, a) {
		return a, errForbidden.With("device", s.device.ID).With("topic", topic)
	}
	s.last = a
	return a, nil
}

// mayWrite tells whether a device may publish at an address: as itself, and in the
// formats of its kind.
func mayWrite(d iot.Device, a codec.Address) bool {
	if a.Tenant != "" {
		return a.Tenant == d.Tenant && a.Device == d.ID
	}
	switch a.Format {
	case codec.ThingsBoard: // names nobody but the connection
		return a.Part == "" || d.Kind == iot.Gateway
	case codec.ChirpStack:
		return d.Kind == iot.Network
	case codec.Sparkplug:
		return d.Kind == iot.Gateway && a.Device == d.ID && !strings.HasSuffix(a.Part, "CMD") && !strings.HasPrefix(a.Part, "DCMD")
	case codec.JSON, codec.CBOR, codec.Counts:
	}
	return false
}

// mayRead tells whether a device may subscribe to a filter: its own commands, and
// those of an edge node to itself and its devices.
func mayRead(d iot.Device, filter string) bool {
	if filter == "furrow/v1/"+d.Tenant+"/"+d.ID+"/command" {
		return true
	}
	level := strings.Split(filter, "/")
	if d.Kind != iot.Gateway || len(level) < 4 || level[0] != "spBv1.0" || level[3] != d.ID {
		return false
	}
	return level[2] == "NCMD" && len(level) == 4 || level[2] == "DCMD" && len(level) == 5 && level[4] != ""
}
