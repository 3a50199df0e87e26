package codec

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

// Why metrics of Sparkplug cannot be read; each has asked for a rebirth.
var (
	ErrNoBirth = fault.New(fault.Invalid, "sparkplug.no_birth",
		"the metrics {metric} of edge node {edge} are not explained by its birth; it was asked for a rebirth")
	ErrSeq = fault.New(fault.Invalid, "sparkplug.seq",
		"messages {from} to {to} of edge node {edge} are missing, and without them its metrics {metric} cannot be read; it was asked for a rebirth")
	ErrHalfFix = fault.New(fault.Invalid, "sparkplug.half_fix",
		"edge node {edge} sent one half of a position while the other is not known; send both")
)

// sparkplug reads docs/formats/sparkplug.md.
func (h *House) sparkplug(ctx context.Context, a Address, device iot.Device, payload []byte, received time.Time, dst []Item) ([]Item, error) {
	kind, tag, _ := strings.Cut(a.Part, "/")
	switch kind {
	case "STATE", "NCMD", "DCMD": // of hosts to edge nodes
		return dst, nil
	}
	var p *profile.Profile
	if kind != "NDEATH" && kind != "DDEATH" {
		var err error
		if p, err = h.profileOf(ctx, Sparkplug, device, tag); err != nil {
			return dst, err
		}
	}
	group, _, _ := strings.Cut(strings.TrimPrefix(a.Topic, sparkplugRoot), "/")
	m := sparkplug.Message{Tenant: device.Tenant, Group: group, Type: kind, Edge: a.Device, Device: tag, Payload: payload, Received: milli(received)}
	start := len(dst)
	err := h.Sparkplug.Take(ctx, m, func(r sparkplug.Result, fix *sparkplug.Fix) {
		if tag == "" && device.Kind != iot.TagDevice {
			r.Values = nil // a gateway's own state is no reading of an animal
		}
		dst = metrics{edge: a.Device, tag: tag, birth: strings.HasSuffix(kind, "BIRTH"), profile: p, fix: fix}.items(r, dst)
	})
	for i := range dst[start:] {
		dst[start+i].Raw = payload
	}
	var syntax *sparkplug.SyntaxError
	if errors.As(err, &syntax) {
		return dst[:start], ErrPayload.With("why", syntax.Why).With("at", syntax.At)
	}
	if err == nil && (kind == "DBIRTH" || kind == "DDEATH") {
		h.tell(ctx, device, iot.Presence{Tag: tag, Online: kind == "DBIRTH", At: m.Received})
	}
	return dst, err
}

// metrics turns the values of one message into readings.
type metrics struct {
	edge, tag string
	birth     bool
	profile   *profile.Profile
	fix       *sparkplug.Fix
}

func (m metrics) items(r sparkplug.Result, dst []Item) []Item {
	if len(r.Unknown) > 0 {
		why := ErrNoBirth
		if r.Gap {
			why = ErrSeq.With("from", r.From).With("to", r.To)
		}
		names := strings.Join(r.Unknown[:min(len(r.Unknown), maxKeys)], ", ")
		dst = append(dst, Item{Err: why.With("edge", m.edge).With("metric", names)})
	}
	type moment struct {
		found
		historical bool
	}
	byTime := map[int64]*moment{}
	var times []int64
	var strange []string
	for _, v := range r.Values {
		path := strings.ReplaceAll(v.Name, "/", ".")
		if _, known := m.profile.Key(path); !known {
			strange = append(strange, v.Name)
			continue
		}
		ms := v.At.UnixMilli()
		f := byTime[ms]
		if f == nil {
			f = &moment{found: found{reading: iot.Reading{Tag: m.tag, At: milli(v.At), Source: string(Sparkplug)}}}
			byTime[ms] = f
			times = append(times, ms)
		}
		f.historical = f.historical || v.Historical
		f.put(m.profile, path, v.X, kindOf(v))
	}
	if m.birth && len(times) == 0 && len(strange) > 0 && m.tag != "" {
		return append(dst, Item{Err: ErrNoMeasure.With("keys", strings.Join(strange[:min(len(strange), maxKeys)], ", "))})
	}
	if len(times) > MaxReadings {
		return append(dst, Item{Err: ErrTooMany.With("max", MaxReadings)})
	}
	slices.Sort(times)
	for _, ms := range times {
		f := byTime[ms]
		if !m.complete(&f.reading, f.historical) {
			dst = append(dst, Item{Err: ErrHalfFix.With("edge", m.edge)})
			f.reading.Lon, f.reading.Lat = nil, nil
		}
		dst = append(dst, Item{Reading: f.reading, Err: f.check()})
	}
	return dst
}

// complete fills the half of a position that did not change since the last one; not
// of the past, which has no last one. False when the other half is not known.
func (m metrics) complete(r *iot.Reading, historical bool) bool {
	if historical {
		return (r.Lon == nil) == (r.Lat == nil)
	}
	if r.Lon == nil && r.Lat == nil {
		return true
	}
	over(&m.fix.Lon, r.Lon)
	over(&m.fix.Lat, r.Lat)
	if m.fix.Lon == nil || m.fix.Lat == nil {
		return false
	}
	r.Lon, r.Lat = m.fix.Lon, m.fix.Lat
	return true
}

func kindOf(v sparkplug.Value) kind {
	switch {
	case v.Null:
		return kindNull
	case !v.Numeric:
		return kindOther
	case v.Truth && v.X != 0:
		return kindTrue
	case v.Truth:
		return kindFalse
	}
	return kindNumber
}
