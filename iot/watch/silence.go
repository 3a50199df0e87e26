package watch

import (
	"context"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

const (
	gatewayTags = 3   // a gateway with fewer tags cannot be told from its tags
	outageShare = 0.6 // of a gateway's tags silent at once: it is the gateway
	backShare   = 0.5 // below it the gateway is heard again
)

// backlogGuard is how long nothing may have come from a tag before its device time
// counts: while an outage's backlog pours in, old times are no silence.
const backlogGuard = 2 * time.Minute

// willGuard is how long a gateway may be offline by its own will before it is told of:
// on a mobile network connections break and come back all day.
const willGuard = 2 * time.Minute

// gateway is one way by which tags of a herd are heard. Tags that publish by
// themselves share the gateway "": where most of them fall silent at once it is their
// common network.
type gateway struct {
	id      string
	newest  int64 // device time through it
	open    bool  // it is silent
	unknown bool  // nobody knows what was told of it
	died    int64 // when its will was received, Unix ms; 0 of one that is online, or has none
}

// Connected takes that a gateway of a herd came online, or that the will came which its
// broker holds for it. A will silences the gateway before its tags' rhythm can, unless
// it is back soon; what is heard through it after the will says that it is back, too.
// What a gateway says of its tags counts in the same way, of most of them together: one
// tag out of reach is left to its rhythm. iot.ErrHerdNotFound.
func (e *Engine) Connected(ctx context.Context, tenant, herdID string, p iot.Presence) error {
	h, err := e.lock(ctx, tenant, herdID)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	var left *int64
	if p.Tag == "" {
		left = &h.gateways[h.gatewayOf(p.Gateway)].died
	} else {
		for _, t := range h.heard {
			if t.TagID == p.Tag {
				left = &t.left
			}
		}
	}
	switch {
	case left == nil: // not of the herd, or never heard
		return nil
	case p.Online:
		*left = 0
	case *left == 0:
		*left = p.At.UnixMilli()
	}
	h.dirty = true
	h.wake(1)
	return nil
}

func (h *herd) gatewayOf(id string) uint16 {
	for i := range h.gateways {
		if h.gateways[i].id == id {
			return uint16(i)
		}
	}
	h.gateways = append(h.gateways, gateway{id: id, unknown: h.blank})
	return uint16(len(h.gateways) - 1)
}

// quiet tells whether the tag has been silent for longer than it ever is.
func (t *track) quiet(now int64) bool {
	return now-t.at > t.limit().Milliseconds() && now-t.received > backlogGuard.Milliseconds()
}

// gone is when a tag that its gateway no longer hears counts as silent, Unix ms; 0 while
// it hears it. Gateways that speak to each tag only for a moment say so after every
// reading, so the next one must be overdue.
func (t *track) gone() int64 {
	if t.left == 0 {
		return 0
	}
	usual := t.median()
	if usual == 0 {
		usual = t.limit()
	}
	return max(t.left+willGuard.Milliseconds(), t.at+2*usual.Milliseconds())
}

// roams tells whether two gateways hear the tag by turns: it cannot be counted
// against one of them.
func (t *track) roams() bool {
	return t.via[1].at != 0 && t.at-t.via[1].at <= t.limit().Milliseconds()
}

// group is what a gateway's own tags say of it now.
type group struct {
	tags, quiet int
	outage      bool
}

// wake has the herd looked at again at a time, in Unix ms.
func (h *herd) wake(at int64) {
	if h.next == 0 || at < h.next {
		h.next = at
	}
}

// listen finds the tags and gateways of a herd that fell silent, and says when to look
// again. After a start the house itself was deaf, so a tag gets its whole limit again.
func (h *herd) listen(now, started int64) {
	if h.next == 0 || now < h.next {
		return
	}
	h.next = 0
	groups := make([]group, len(h.gateways))
	waiting := false
	for _, t := range h.heard {
		if t.lost = false; !t.wasHeard() {
			continue
		}
		limit := t.limit().Milliseconds()
		t.lost = t.quiet(now) && (t.received >= started || now-started > limit || t.silent)
		if t.heldSince != 0 && now-t.received > backlogGuard.Milliseconds() {
			t.heldSince = 0
			t.settle()
		}
		if !t.lost {
			due := max(t.at+limit, t.received+backlogGuard.Milliseconds()) + 1
			if t.received < started {
				due = max(due, started+limit+1)
			}
			h.wake(due)
		} else {
			waiting = waiting || !t.silent || t.outage
		}
		if !t.roams() {
			g := &groups[t.via[0].gateway]
			g.tags++
			switch gone := t.gone(); {
			case t.lost, gone != 0 && now >= gone:
				g.quiet++
			case gone != 0:
				h.wake(gone)
			}
		}
	}
	for i := range groups {
		h.outage(i, &groups[i], now, started)
		w := &h.gateways[i]
		if waiting = waiting || w.open; w.died != 0 && !w.open {
			h.wake(w.died + willGuard.Milliseconds())
		}
	}
	for _, t := range h.heard {
		if t.lost {
			h.missing(t, groups)
		}
	}
	if waiting {
		h.wake(now + 1)
	}
}

// outage says whether a gateway is silent.
func (h *herd) outage(i int, g *group, now, started int64) {
	w := &h.gateways[i]
	will := w.died != 0 && now-w.died >= willGuard.Milliseconds()
	if g.tags >= gatewayTags {
		share := float64(g.quiet) / float64(g.tags)
		g.outage = share >= outageShare || w.open && share >= backShare
	}
	g.outage = g.outage || will
	switch {
	case g.outage && !w.open, !g.outage && w.open:
	case w.unknown && !g.outage && g.quiet == 0 && w.newest >= started:
		// after a start without memory: what was told before is over
	default:
		return
	}
	w.open, w.unknown, h.dirty, h.urgent = g.outage, false, true, true
	subject, label := w.id, w.id
	if w.id == "" {
		subject, label = h.ID, h.Name
	}
	at, evidence := w.newest, map[string]string{"gateway": w.id, "tags": strconv.Itoa(g.tags), "silent": strconv.Itoa(g.quiet)}
	if w.newest != 0 {
		evidence["last_heard"] = unix(w.newest).Format(time.RFC3339)
	}
	if will {
		at, evidence["offline_since"] = max(at, w.died), unix(w.died).Format(time.RFC3339)
	}
	if at == 0 {
		at = now // online again before it brought anything
	}
	h.outbox.add(iot.Event{Tenant: h.Tenant, Kind: iot.GatewaySilent, HerdID: h.ID, Subject: subject, Label: label,
		At: unix(at), Severity: "warning", Cleared: !g.outage, Evidence: evidence})
}

// missing decides about a tag that is lost: alone, or with its gateway. A tag is
// silent alone when a gateway of its own brought others since. While none did, it may
// be the gateway: wait until enough tags say so.
func (h *herd) missing(t *track, groups []group) {
	if t.silent && !t.outage {
		return // told already
	}
	limit := t.limit().Milliseconds()
	ways := t.via[:1]
	if t.roams() {
		ways = t.via[:]
	}
	outage, alone := true, false
	for _, v := range ways {
		newest, g := h.gateways[v.gateway].newest, groups[v.gateway]
		outage = outage && g.outage && newest-t.at <= limit
		alone = alone || newest-t.at > limit/2 || g.tags < gatewayTags && !g.outage
	}
	switch {
	case outage:
		t.silent, t.outage = true, true
	case alone:
		t.silent, t.outage = true, false
		t.set(silenceMatter, true)
	}
}
