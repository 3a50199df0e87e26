package view

import (
	"time"

	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/iot"
)

// LifeIn is an event of an animal's life as a person reports it.
type LifeIn struct {
	At       time.Time     `json:"at" doc:"when it befell the animal"`
	HerdID   string        `json:"herd_id,omitempty" maxLength:"64" doc:"of an arrival or a move to another herd"`
	PenID    string        `json:"pen_id,omitempty" maxLength:"64" doc:"of an arrival or a move; none means no pen"`
	TagID    string        `json:"tag_id,omitempty" maxLength:"64" doc:"of tag_on and tag_lost"`
	Identity *iot.AnimalID `json:"identity,omitempty" doc:"of identified"`
	Reason   string        `json:"reason,omitempty" maxLength:"40" doc:"why: of death missing, disease...; of departure sale, slaughter...; of tags and codes lost, broken, replaced"`
	Note     string        `json:"note,omitempty" maxLength:"500"`
}

// Event is what the register takes.
func (l LifeIn) Event(animalID string, kind iot.LifeKind) iot.LifeEvent {
	return iot.LifeEvent{
		AnimalID: animalID, Kind: kind, At: l.At.UTC(), HerdID: l.HerdID, PenID: l.PenID, TagID: l.TagID,
		Identity: l.Identity, Reason: l.Reason, Note: l.Note,
	}
}

// AnimalPage is an animal with all that is known of it.
type AnimalPage struct {
	Herd      iot.Herd       `json:"herd"`
	Life      iot.Life       `json:"life"`
	Pledges   []iot.Pledge   `json:"pledges"`             // oldest first
	Weighings []iot.Weighing `json:"weighings,omitempty"` // oldest first; for officers
	// For officers: how the animal is now, absent of one that is not watched, and what
	// is open of it.
	State  *iot.AnimalState `json:"state,omitempty"`
	Alerts []watch.Alert    `json:"alerts,omitempty"`
}
