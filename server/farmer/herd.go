package farmer

import (
	"context"
	"net/http"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Herders keep their own animals and devices; iot.Herds is one.
type Herders interface {
	Report(ctx context.Context, tenant, owner, by, source string, events []iot.LifeEvent) ([]string, error)
	Born(ctx context.Context, tenant, owner, by string, at time.Time, n iot.Newcomer) (iot.Animal, error)
	Claim(ctx context.Context, tenant, owner, herdID, penID, device, code, animalID string) (iot.Credential, error)
}

func (f face) registerHerds(a *route.API, op func(id, method, path, summary string) route.Op) {
	route.Register(a, op("herd", http.MethodGet, "/herds/{id}", "A herd of mine: what of it counts, and where its animals are"), f.herd)
	route.Register(a, op("animals", http.MethodGet, "/herds/{id}/animals", "The animals of a herd of mine"), f.animals)
	route.Register(a, op("animal", http.MethodGet, "/animals/{id}", "An animal of mine with its life"), f.animal)
	route.Register(a, op("animal-event", http.MethodPost, "/animals/{id}/events", "Report what befell an animal of mine"), f.animalEvent)
	route.Register(a, op("birth", http.MethodPost, "/animals/{id}/births", "Report the young of an animal of mine"), f.birth)
	route.Register(a, op("device-claim", http.MethodPost, "/herds/{id}/devices", "Take a device into a herd of mine by its number and claim code"), f.claim)
}

// own returns iot.ErrHerdNotFound for a herd of somebody else.
func (f face) own(ctx context.Context, who access.Actor, herdID string) (iot.Herd, error) {
	h, err := f.Herds.Herd(ctx, who.Tenant, herdID)
	if err == nil && h.OwnerID != who.UserID {
		return iot.Herd{}, iot.ErrHerdNotFound
	}
	return h, err
}

// HerdPage is a herd of mine as it is now.
type HerdPage struct {
	Herd     iot.Herd          `json:"herd"`
	Report   iot.HerdReport    `json:"report"`
	States   []iot.AnimalState `json:"states"`    // of the animals that are believed to be there
	FreeTags []string          `json:"free_tags"` // tags of the herd that none of its animals wears
}

func (f face) herd(ctx context.Context, who access.Actor, in *ByID) (*route.Body[HerdPage], error) {
	if _, err := f.own(ctx, who, in.ID); err != nil {
		return nil, err
	}
	now, err := f.HerdReports.Evidence(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	p := HerdPage{Herd: now.Herd, Report: now.Report, States: now.States}
	devices, err := f.Herds.Devices(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	p.FreeTags = free(devices, now.Animals)
	return route.Answer(p, nil)
}

// free are the tags among the devices that none of the animals wears.
func free(devices []iot.Device, animals []iot.Animal) []string {
	worn := make(map[string]bool, len(animals))
	for _, a := range animals {
		worn[a.TagID] = true
	}
	tags := []string{}
	for _, d := range devices {
		if d.Kind == iot.TagDevice && !d.Revoked && !worn[d.ID] {
			tags = append(tags, d.ID)
		}
	}
	return tags
}

func (f face) animals(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[iot.Animal]], error) {
	if _, err := f.own(ctx, who, in.ID); err != nil {
		return nil, err
	}
	items, err := f.Herds.Animals(ctx, who.Tenant, in.ID)
	return route.Page(items, err, 0, func(a iot.Animal) string { return a.ID })
}

func (f face) animal(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.AnimalPage], error) {
	var p view.AnimalPage
	var err error
	if p.Life, err = f.Herds.Life(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Herd, err = f.own(ctx, who, p.Life.Animal.HerdID); err != nil {
		return nil, iot.ErrAnimalNotFound
	}
	p.Pledges, err = f.Herds.Pledges(ctx, who.Tenant, []string{in.ID})
	return route.Answer(p, err)
}

// AnimalEvent is an event of the life of an animal. That it is pregnant adds to what it
// is worth, so somebody else than its owner must have found it.
type AnimalEvent struct {
	view.LifeIn
	Kind iot.LifeKind `json:"kind" enum:"departure,death,move,tag_on,tag_lost,identified,service,not_bred"`
}

type eventIn struct {
	ByID
	Body AnimalEvent
}

// Told says which herds an event changed.
type Told struct {
	Herds []string `json:"herds"`
}

func (f face) animalEvent(ctx context.Context, who access.Actor, in *eventIn) (*route.Body[Told], error) {
	herds, err := f.Herders.Report(ctx, who.Tenant, who.UserID, who.UserID, "farmer", []iot.LifeEvent{in.Body.Event(in.ID, in.Body.Kind)})
	if err != nil {
		return nil, err
	}
	for _, id := range herds {
		if err := f.Watch(ctx, who.Tenant, id); err != nil {
			return nil, err
		}
	}
	return route.Answer(Told{herds}, nil)
}

type birthIn struct {
	ByID
	Key  string `header:"Idempotency-Key" minLength:"8" maxLength:"128" doc:"a new one for each birth, the same one for each retry; needed of a newborn that has neither an ear tag nor a device"`
	Body struct {
		At       time.Time     `json:"at"`
		Sex      string        `json:"sex,omitempty" enum:"f,m"`
		Breed    string        `json:"breed,omitempty" maxLength:"50" doc:"breed code of the catalogue"`
		Identity *iot.AnimalID `json:"identity,omitempty" doc:"its ear tag, which it must have within 30 days"`
		TagID    string        `json:"tag_id,omitempty" maxLength:"64" doc:"a device of the herd"`
		PenID    string        `json:"pen_id,omitempty" maxLength:"64"`
	}
}

func (f face) birth(ctx context.Context, who access.Actor, in *birthIn) (*route.Body[iot.Animal], error) {
	b := in.Body
	n := iot.Newcomer{Animal: iot.Animal{Sex: b.Sex, Breed: b.Breed, TagID: b.TagID, PenID: b.PenID}, Dam: in.ID, Key: in.Key}
	if b.Identity != nil {
		n.Identity = *b.Identity
	}
	a, err := f.Herders.Born(ctx, who.Tenant, who.UserID, who.UserID, b.At.UTC(), n)
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, a.ID)
	return route.Answer(a, f.Watch(ctx, who.Tenant, a.HerdID))
}

type claimIn struct {
	ByID
	Body struct {
		DeviceID string `json:"device_id" minLength:"1" maxLength:"64"`
		Code     string `json:"code" minLength:"1" maxLength:"40" doc:"claim code of the device's label"`
		AnimalID string `json:"animal_id,omitempty" maxLength:"64" doc:"the animal that wears it from now"`
		PenID    string `json:"pen_id,omitempty" maxLength:"64" doc:"of a camera or gate"`
	}
}

// claim gives out what the device signs in with; it is shown only now.
func (f face) claim(ctx context.Context, who access.Actor, in *claimIn) (*route.Body[iot.Credential], error) {
	b := in.Body
	c, err := f.Herders.Claim(ctx, who.Tenant, who.UserID, in.ID, b.PenID, b.DeviceID, b.Code, b.AnimalID)
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, c.DeviceID)
	return route.Answer(c, f.Watch(ctx, who.Tenant, in.ID))
}
