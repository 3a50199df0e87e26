package officer

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/timeline"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// HerdWatch tells how a herd is now; iot/report.Maker is one.
type HerdWatch interface {
	Report(ctx context.Context, tenant, herdID string) (iot.HerdReport, error)
	// Recent is Report, at most some seconds old.
	Recent(ctx context.Context, tenant, herdID string) (iot.HerdReport, error)
	Evidence(ctx context.Context, tenant, herdID string) (report.Evidence, error)
	Review(ctx context.Context, tenant, herdID string) error
	// State tells how one animal is; false of one that is not watched.
	State(ctx context.Context, tenant, herdID, animalID string) (iot.AnimalState, bool, error)
}

// Animals tells of single animals and takes what people saw and weighed.
type Animals interface {
	Timeline(ctx context.Context, tenant string, life iot.Life, from, to time.Time, step time.Duration) (timeline.Timeline, error)
	// Confirm takes that somebody saw an animal alive, or dead.
	Confirm(ctx context.Context, tenant, animalID string, alive bool, by string) error
	AddHeadcounts(ctx context.Context, counts []iot.Headcount) error
	Headcounts(ctx context.Context, tenant, herdID string, from, to time.Time) ([]iot.Headcount, error)
	AddWeighings(ctx context.Context, tenant string, weighings []iot.Weighing) error
	Weighings(ctx context.Context, tenant string, animals []string) (map[string][]iot.Weighing, error)
}

func (f face) herds(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[view.HerdLine]], error) {
	herds, err := f.Herds.Herds(ctx, who.Tenant, "")
	if err != nil {
		return nil, err
	}
	lines := make([]view.HerdLine, len(herds))
	for i, h := range herds {
		report, err := f.HerdWatch.Recent(ctx, who.Tenant, h.ID)
		if err != nil {
			return nil, err
		}
		lines[i] = view.HerdLine{Herd: h, Report: report}
	}
	return route.Page(lines, nil, 0, func(l view.HerdLine) string { return l.Herd.ID })
}

// HerdPage is a herd with all that is known of it.
type HerdPage struct {
	Herd    iot.Herd          `json:"herd"`
	Report  iot.HerdReport    `json:"report"`
	States  []iot.AnimalState `json:"states"`
	Pens    []count.PenCount  `json:"pens"`   // what the counts support, by pen
	Counts  []iot.Headcount   `json:"counts"` // the latest, newest first
	Alerts  []watch.Alert     `json:"alerts"`
	Devices []iot.Device      `json:"devices"`
}

// The counts of a herd's page.
const (
	countDays    = 14
	latestCounts = 100
)

func (f face) herd(ctx context.Context, who access.Actor, in *ByID) (*route.Body[HerdPage], error) {
	all, err := f.HerdWatch.Evidence(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	p := HerdPage{Herd: all.Herd, Report: all.Report, States: all.States, Pens: all.Pens}
	counts, err := f.Animals.Headcounts(ctx, who.Tenant, in.ID, f.Now().AddDate(0, 0, -countDays), f.Now().Add(time.Minute))
	if err != nil {
		return nil, err
	}
	p.Counts = make([]iot.Headcount, 0, min(len(counts), latestCounts))
	for i := len(counts) - 1; i >= 0 && len(p.Counts) < latestCounts; i-- {
		p.Counts = append(p.Counts, counts[i])
	}
	if p.Alerts, err = f.alertsOf(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	p.Devices, err = f.Herds.Devices(ctx, who.Tenant, in.ID)
	return route.Answer(p, err)
}

type countIn struct {
	ByID
	Body struct {
		PenID string    `json:"pen_id,omitempty" maxLength:"64" doc:"none means the whole herd"`
		At    time.Time `json:"at" doc:"when the animals were counted"`
		Seen  int       `json:"seen" minimum:"0" maximum:"100000"`
	}
}

// addCount takes a count that an officer made on the spot.
func (f face) addCount(ctx context.Context, who access.Actor, in *countIn) (*route.Body[iot.HerdCount], error) {
	h, err := f.Herds.Herd(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	if !hasPen(h, in.Body.PenID) {
		return nil, iot.ErrPenNotFound.With("pen", in.Body.PenID).At("body.pen_id")
	}
	if in.Body.At.After(f.Now().Add(time.Minute)) {
		return nil, errLater.At("body.at")
	}
	at := in.Body.At.UTC()
	err = f.Animals.AddHeadcounts(ctx, []iot.Headcount{{
		Tenant: who.Tenant, HerdID: in.ID, PenID: in.Body.PenID, Device: who.UserID, Kind: iot.ByPerson, From: at, To: at, Seen: in.Body.Seen,
	}})
	if err != nil {
		return nil, err
	}
	if err := f.HerdWatch.Review(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	r, err := f.HerdWatch.Report(ctx, who.Tenant, in.ID)
	return route.Answer(r.Count, err)
}

func hasPen(h iot.Herd, id string) bool {
	if id == "" {
		return true
	}
	for _, p := range h.Pens {
		if p.ID == id {
			return true
		}
	}
	return false
}

var errLater = fault.New(fault.Invalid, "request.later", "this time is still to come")

type timelineIn struct {
	ByID
	From time.Time `query:"from" required:"true" doc:"RFC 3339"`
	To   time.Time `query:"to" required:"true" doc:"RFC 3339"`
	Step int       `query:"step_s" minimum:"60" maximum:"86400" default:"3600" doc:"seconds"`
}

func (f face) timeline(ctx context.Context, who access.Actor, in *timelineIn) (*route.Body[timeline.Timeline], error) {
	life, err := f.Herds.Life(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := f.Animals.Timeline(ctx, who.Tenant, life, in.From, in.To, time.Duration(in.Step)*time.Second)
	return route.Answer(t, err)
}

type confirmIn struct {
	ByID
	Body struct {
		Alive bool `json:"alive" doc:"whether the animal that was looked at lives"`
	}
}

// confirm takes what somebody saw who looked at an animal in doubt.
func (f face) confirm(ctx context.Context, who access.Actor, in *confirmIn) (*route.Body[iot.Animal], error) {
	a, err := f.Herds.Animal(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return route.Answer(a, f.Animals.Confirm(ctx, who.Tenant, in.ID, in.Body.Alive, who.UserID))
}

type weighIn struct {
	ByID
	Body struct {
		At     time.Time `json:"at"`
		Kg     float64   `json:"kg" minimum:"0.01" maximum:"5000"`
		Method string    `json:"method" enum:"scale,walk_over,tape,estimate"`
	}
}

// weigh takes a weighing of an animal.
func (f face) weigh(ctx context.Context, who access.Actor, in *weighIn) (*route.Body[route.List[iot.Weighing]], error) {
	if _, err := f.Herds.Animal(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if in.Body.At.After(f.Now().Add(time.Minute)) {
		return nil, errLater.At("body.at")
	}
	err := f.Animals.AddWeighings(ctx, who.Tenant, []iot.Weighing{{
		Tenant: who.Tenant, AnimalID: in.ID, At: in.Body.At.UTC(), Kg: in.Body.Kg, Method: in.Body.Method,
	}})
	if err != nil {
		return nil, err
	}
	all, err := f.Animals.Weighings(ctx, who.Tenant, []string{in.ID})
	return route.Page(all[in.ID], err, 0, func(w iot.Weighing) string { return w.At.String() })
}
