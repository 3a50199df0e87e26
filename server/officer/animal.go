package officer

import (
	"cmp"
	"context"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

type animalsIn struct {
	ByID
	After string `query:"after" doc:"cursor"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (f face) animals(ctx context.Context, who access.Actor, in *animalsIn) (*route.Body[route.List[iot.Animal]], error) {
	if _, err := f.Herds.Herd(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	items, err := f.Herds.Animals(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	from, _ := slices.BinarySearchFunc(items, in.After, func(a iot.Animal, id string) int {
		if a.ID == id {
			return -1 // the page begins behind it
		}
		return cmp.Compare(a.ID, id)
	})
	items = items[from:min(len(items), from+in.Limit)]
	return route.Page(items, nil, in.Limit, func(a iot.Animal) string { return a.ID })
}

// mostAlerts is of how many open alerts of a herd an animal's are found.
const mostAlerts = 500

func (f face) animal(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.AnimalPage], error) {
	var p view.AnimalPage
	var err error
	if p.Life, err = f.Herds.Life(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Herd, err = f.Herds.Herd(ctx, who.Tenant, p.Life.Animal.HerdID); err != nil {
		return nil, err
	}
	weighed, err := f.Animals.Weighings(ctx, who.Tenant, []string{in.ID})
	if err != nil {
		return nil, err
	}
	p.Weighings = weighed[in.ID]
	state, watched, err := f.HerdWatch.State(ctx, who.Tenant, p.Herd.ID, in.ID)
	if err != nil {
		return nil, err
	}
	if watched {
		p.State = &state
	}
	open, err := f.Alerts.List(ctx, who.Tenant, watch.Filter{SubjectID: p.Herd.ID, Open: true, Limit: mostAlerts})
	if err != nil {
		return nil, err
	}
	p.Alerts = slices.DeleteFunc(open, func(a watch.Alert) bool { return a.Item != in.ID })
	p.Pledges, err = f.Herds.Pledges(ctx, who.Tenant, []string{in.ID})
	return route.Answer(p, err)
}

type findIn struct {
	Code string `query:"code" required:"true" minLength:"1" maxLength:"80" doc:"any code that the animal has or had, whatever its scheme"`
}

func (f face) findAnimals(ctx context.Context, who access.Actor, in *findIn) (*route.Body[route.List[iot.Animal]], error) {
	var ids []iot.AnimalID
	for _, scheme := range iot.Schemes() {
		ids = append(ids, iot.AnimalID{Scheme: scheme, Code: in.Code}.Normal())
	}
	found, err := f.Herds.AnimalsByCode(ctx, who.Tenant, ids)
	items := []iot.Animal{}
	for _, id := range ids {
		if a, ok := found[id]; ok && !slices.Contains(items, a) {
			items = append(items, a)
		}
	}
	return route.Page(items, err, 0, func(a iot.Animal) string { return a.ID })
}

type quarantineIn struct {
	Code   string `query:"code" maxLength:"100" doc:"only those refused for this reason"`
	Before string `query:"before" doc:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (f face) quarantine(ctx context.Context, who access.Actor, in *quarantineIn) (*route.Body[route.List[iot.Quarantined]], error) {
	items, err := f.Herds.QuarantinedBefore(ctx, who.Tenant, in.Code, in.Before, in.Limit)
	for i, q := range items {
		items[i].Reason = f.Words(route.Lang(ctx), q.Code, q.Reason, q.Args)
	}
	return route.Page(items, err, in.Limit, func(q iot.Quarantined) string { return q.ID })
}

// QuarantineCounts is how many messages are kept, by the code of the reason.
type QuarantineCounts struct {
	Codes map[string]int `json:"codes"`
}

func (f face) quarantineCounts(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[QuarantineCounts], error) {
	counts, err := f.Herds.QuarantineCounts(ctx, who.Tenant)
	return route.Answer(QuarantineCounts{counts}, err)
}
