package watch

import (
	"math"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

func (m *member) label() string {
	if m.Identity.Code != "" {
		return m.Identity.Code
	}
	return m.TagID
}

// event builds the event of a matter with its evidence in plain text.
func (t *track) event(kind iot.EventKind) iot.Event {
	e := iot.Event{Tenant: t.herd.Tenant, Kind: kind, HerdID: t.herd.ID, Subject: t.ID, Label: t.label(),
		At: unix(t.at), Severity: "warning", Evidence: map[string]string{"tag": t.TagID}}
	number := func(name string, v float64, decimals int) {
		if !math.IsNaN(v) {
			e.Evidence[name] = strconv.FormatFloat(v, 'f', decimals, 64)
		}
	}
	body := t.body.Numbers()
	switch kind {
	case iot.FenceExit:
		e.Severity = "critical" // somebody may be taking it away
		if last := t.gate.Last; !last.At.IsZero() {
			place := t.herd.ground.Plane().Degrees(last.P)
			number("distance_m", t.herd.ground.Distance(last.P), 0)
			number("margin_m", t.margins.Out, 0)
			number("accuracy_m", last.Accuracy, 0)
			number("lon", place[0], 6)
			number("lat", place[1], 6)
		}
		if t.carried != 0 && t.at-t.carried <= (30*time.Minute).Milliseconds() {
			e.Evidence["transport"] = "true" // faster than an animal goes by itself
			number("speed_mps", float64(t.pace), 1)
		}
	case iot.Stillness:
		number("still_hours", float64(t.at-t.stillSince)/3.6e6, 1)
		number("temp_c", float64(t.temp), 1)
		number("burst", t.w.Burst, 2)
	case iot.Silence:
		e.Evidence["last_heard"] = unix(t.at).Format(time.RFC3339)
		number("usual_minutes", t.median().Minutes(), 1)
		number("limit_minutes", t.limit().Minutes(), 0)
	case iot.TagOff:
		e.Severity = "critical"
		e.Evidence["attached"] = strconv.FormatBool(!t.off)
	case iot.Carrier:
		number("hours", float64(t.at-t.coldSince)/3.6e6, 1)
		number("temp_c", float64(t.temp), 1)
		number("own_temp_c", float64(t.own), 1)
		number("moves", float64(t.coldMoves), 0)
	case iot.Fever:
		number("rise_c", body.Rise, 2)
		number("hours", float64(body.Hours), 0)
		number("limit_c", t.w.FeverRise, 1)
		number("temp_c", float64(t.temp), 1)
	case iot.Oestrus:
		e.Severity = "info"
		e.Evidence["certainty"] = "probable"
		number("active_percent", 100*body.Active, 0)
		number("rise_c", body.Rise, 2)
	case iot.Idleness:
		number("percent_of_week", 100*body.Ratio, 0)
		number("limit_percent", 100*(1-t.w.IdleDrop), 0)
	case iot.TwoTags:
		e.Severity = "critical" // one animal pledged as two
		if p := t.twin(); p != nil {
			e.Evidence["other_tag"], e.Evidence["other"] = p.other.TagID, p.other.label()
			number("hours", p.pair.Hours(), 0)
			number("moves", float64(p.pair.Moves()), 0)
			number("correlation", p.pair.Correlation(), 4)
		}
	case iot.TwoPlaces:
		e.Severity = "critical" // a copied tag
		if t.places != nil {
			number("apart_m", t.places.Apart(), 0)
			number("turns", float64(t.places.Turns()), 0)
		}
	case iot.GatewaySilent, iot.Impostor, iot.CountShort, iot.StoreDown: // not of a tag
	}
	return e
}
