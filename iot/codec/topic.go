package codec

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/iot"
)

// Format names a payload format; it is kept with each reading as its source.
type Format string

// The formats.
const (
	JSON        Format = "json"        // Furrow JSON
	CBOR        Format = "cbor"        // the same fields in CBOR, on the same topic
	ThingsBoard Format = "thingsboard" // v1/devices/me/telemetry, v1/gateway/telemetry
	ChirpStack  Format = "chirpstack"  // application/<id>/device/<devEUI>/event/<event>
	Sparkplug   Format = "sparkplug"   // spBv1.0/<group>/<type>/<edge>[/<device>]
	Counts      Format = "count"       // furrow/v1/<tenant>/<device>/count
)

// Address is what a topic says.
type Address struct {
	Topic  string
	Format Format // of furrow/v1/.../telemetry it is JSON; its payload may be CBOR
	Tenant string // "" where the topic names none: the connection or the subscription knows it
	Device string // who publishes: a tag, a gateway, an edge node, a camera; "" where only the connection knows ("me")
	Part   string // the format's own: "up" of ChirpStack, "DDATA/<device>" of Sparkplug, "gateway" of ThingsBoard, "status" of JSON
}

const (
	furrowRoot    = "furrow/v1/"
	sparkplugRoot = "spBv1.0/"
)

// Topic returns the tenant and the device that a telemetry topic names.
func Topic(topic string) (tenant, device string, err error) {
	tenant, device, leaf, ok := furrowTopic(topic)
	if !ok || leaf != "telemetry" {
		return "", "", ErrTopic
	}
	return tenant, device, nil
}

// furrowTopic splits furrow/v1/<tenant>/<device>/<leaf>.
func furrowTopic(topic string) (tenant, device, leaf string, ok bool) {
	rest, ok := strings.CutPrefix(topic, furrowRoot)
	if !ok {
		return "", "", "", false
	}
	tenant, rest, _ = strings.Cut(rest, "/")
	device, leaf, ok = strings.Cut(rest, "/")
	if !ok || tenant == "" || strings.ContainsAny(tenant, "+#") || !iot.ValidDeviceID(device) {
		return "", "", "", false
	}
	return tenant, device, leaf, true
}

// TopicOf is the topic that a device publishes on.
func TopicOf(tenant, device string) string {
	return furrowRoot + tenant + "/" + device + "/telemetry"
}

// CountTopicOf is the topic that a camera or gate publishes its counts on.
func CountTopicOf(tenant, device string) string {
	return furrowRoot + tenant + "/" + device + "/count"
}

// Parts of ThingsBoard's gateway API and of Furrow's own topics.
const (
	partGateway    = "gateway" // several devices in one payload
	partConnect    = "connect"
	partDisconnect = "disconnect"
	partStatus     = "status" // of Furrow's own
)

// Parse reads a topic. ErrTopic for one that no format uses.
func Parse(topic string) (Address, error) {
	a := Address{Topic: topic}
	switch topic {
	case "v1/devices/me/telemetry", "v2/t", "v2/t/j":
		a.Format = ThingsBoard
		return a, nil
	case "v1/gateway/telemetry":
		a.Format, a.Part = ThingsBoard, partGateway
		return a, nil
	case "v1/gateway/connect":
		a.Format, a.Part = ThingsBoard, partConnect
		return a, nil
	case "v1/gateway/disconnect":
		a.Format, a.Part = ThingsBoard, partDisconnect
		return a, nil
	}
	head, rest, _ := strings.Cut(topic, "/")
	ok := false
	switch head {
	case "furrow":
		ok = a.furrow()
	case "application":
		ok = a.chirpstack(rest)
	case "spBv1.0":
		ok = a.sparkplug(rest)
	}
	if !ok {
		return Address{}, ErrTopic
	}
	return a, nil
}

func (a *Address) furrow() (ok bool) {
	var leaf string
	if a.Tenant, a.Device, leaf, ok = furrowTopic(a.Topic); !ok {
		return false
	}
	switch leaf {
	case "telemetry":
		a.Format = JSON
	case "count":
		a.Format = Counts
	case "thingsboard":
		a.Format = ThingsBoard
	case "status":
		a.Format, a.Part = JSON, partStatus
	case "thingsboard/gateway", "thingsboard/connect", "thingsboard/disconnect":
		a.Format, a.Part = ThingsBoard, strings.TrimPrefix(leaf, "thingsboard/")
	default:
		return false
	}
	return true
}

// chirpstack reads <application>/device/<devEUI>/event/<event>.
func (a *Address) chirpstack(rest string) bool {
	level := strings.Split(rest, "/")
	if len(level) != 5 || level[0] == "" || level[1] != "device" || level[3] != "event" || !slices.Contains(chirpstackEvents, level[4]) {
		return false
	}
	if b, err := hex.DecodeString(level[2]); err != nil || len(b) != 8 {
		return false
	}
	a.Format, a.Device, a.Part = ChirpStack, strings.ToLower(level[2]), level[4]
	return true
}

// sparkplug reads <group>/<type>/<edge>[/<device>] or STATE/<host>.
func (a *Address) sparkplug(rest string) bool {
	level := strings.Split(rest, "/")
	if slices.ContainsFunc(level, func(s string) bool { return s == "" || strings.ContainsAny(s, "+#") }) {
		return false
	}
	a.Format = Sparkplug
	if len(level) == 2 && level[0] == "STATE" {
		a.Part = "STATE"
		return true
	}
	if len(level) < 3 || !iot.ValidDeviceID(level[2]) {
		return false
	}
	a.Device, a.Part = level[2], level[1]
	switch level[1] {
	case "NBIRTH", "NDATA", "NDEATH", "NCMD":
		return len(level) == 3
	case "DBIRTH", "DDATA", "DDEATH", "DCMD":
		if len(level) != 4 || !iot.ValidDeviceID(level[3]) {
			return false
		}
		a.Part += "/" + level[3]
		return true
	}
	return false
}

// Filters returns the topic filters by which an external broker hands over the
// messages of the formats, without repetition. ThingsBoard's own topics name no
// device, so of it only the topics that do are read.
func Filters(formats ...Format) []string {
	var filters []string
	for _, f := range formats {
		for _, filter := range filtersOf(f) {
			if !slices.Contains(filters, filter) {
				filters = append(filters, filter)
			}
		}
	}
	return filters
}

func filtersOf(f Format) []string {
	switch f {
	case JSON, CBOR:
		return []string{"furrow/v1/+/+/telemetry", "furrow/v1/+/+/status"}
	case ThingsBoard:
		return []string{"furrow/v1/+/+/thingsboard", "furrow/v1/+/+/thingsboard/gateway",
			"furrow/v1/+/+/thingsboard/connect", "furrow/v1/+/+/thingsboard/disconnect"}
	case ChirpStack:
		return []string{"application/+/device/+/event/+"}
	case Sparkplug:
		return []string{"spBv1.0/+/NBIRTH/+", "spBv1.0/+/NDATA/+", "spBv1.0/+/NDEATH/+",
			"spBv1.0/+/DBIRTH/+/+", "spBv1.0/+/DDATA/+/+", "spBv1.0/+/DDEATH/+/+"}
	case Counts:
		return []string{"furrow/v1/+/+/count"}
	}
	return nil
}
