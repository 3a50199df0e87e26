package watch

import (
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

const (
	gatewayTags = 3   // a gateway with fewer tags cannot be told from its tags
	outageShare = 0.6 // of a gateway's tags silent at once: it is the gateway
	backShare   = 0.5 // below it the gateway is heard again
)

// listen finds the tags and gateways of a herd that fell silent. After a start the
// house itself was deaf, so a tag gets its whole limit again. Tags that publish by
// themselves count as the gateway "" of their herd: where most of them fall silent
// at once it is their common network.
func (e *Engine) listen(h *herd, now time.Time) {
	type group struct {
		tags  []*tag
		quiet int
		at    time.Time // newest device time through it
	}
	groups := make(map[string]*group)
	lost := make(map[*tag]bool)
	for _, t := range h.animals {
		if !t.heard {
			continue
		}
		g := groups[t.gateway]
		if g == nil {
			g = &group{}
			groups[t.gateway] = g
		}
		g.tags = append(g.tags, t)
		if t.at.After(g.at) {
			g.at = t.at
		}
		if t.quiet(now) && (!t.received.Before(e.started) || now.Sub(e.started) > t.limit()) {
			lost[t] = true
			g.quiet++
		}
	}
	for id, g := range groups {
		outage := false
		if len(g.tags) >= gatewayTags {
			share := float64(g.quiet) / float64(len(g.tags))
			m := h.gateways[id]
			if m == nil {
				m = &matter{}
				if h.fresh {
					m.state = toldClosed
				}
				h.gateways[id] = m
			}
			outage = share >= outageShare || m.open && share >= backShare
			if outage || m.open || m.state == neverTold && g.quiet == 0 && !g.at.Before(e.started) {
				m.set(outage, g.at, func() iot.Event {
					subject, label := id, id
					if id == "" {
						subject, label = h.ID, h.Name
					}
					return iot.Event{Tenant: h.Tenant, Kind: iot.GatewaySilent, HerdID: h.ID, Subject: subject, Label: label,
						At: g.at, Severity: "warning", Evidence: map[string]string{
							"gateway": id, "tags": strconv.Itoa(len(g.tags)), "silent": strconv.Itoa(g.quiet),
							"last_heard": g.at.UTC().Format(time.RFC3339)}}
				})
			}
		}
		for _, t := range g.tags {
			if !lost[t] {
				continue // a reading ends silence, not the clock
			}
			// A tag alone is silent when its gateway brought others since. While it did
			// not, it may be the gateway: wait until enough tags say so.
			alone := len(g.tags) < gatewayTags || g.at.Sub(t.at) > t.limit()/2
			switch {
			case t.silent && !t.outage: // told already
			case outage && g.at.Sub(t.at) <= t.limit():
				t.silent, t.outage = true, true
			case alone:
				t.silent, t.outage = true, false
				t.set(silenceMatter, true)
			}
		}
	}
}
