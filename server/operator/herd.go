package operator

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// ErrTemplate is returned for a template that is not there.
var ErrTemplate = fault.New(fault.NotFound, "import.template", "there is no template {file}: ask for animals.xlsx or devices.xlsx")

// Herds keeps herds, animals and devices; iot.Herds is one.
type Herds interface {
	Register(ctx context.Context, tenant string, h iot.Herd, animals []iot.Animal, gateways []string) (iot.Herd, []iot.Credential, error)
	Change(ctx context.Context, tenant, id string, p iot.Patch) (iot.Herd, error)
	Enrol(ctx context.Context, tenant, herdID string, at time.Time, by, source string, animals []iot.Newcomer, devices []iot.Device) (iot.Enrolled, error)
	Report(ctx context.Context, tenant, owner, by, source string, events []iot.LifeEvent) ([]string, error)
	AddDevices(ctx context.Context, tenant string, devices []iot.Device) ([]iot.NewClaim, error)
	RenewClaim(ctx context.Context, tenant, device string) (iot.NewClaim, error)
	Rotate(ctx context.Context, tenant, device string) (iot.Credential, error)
	Revoke(ctx context.Context, tenant, device string) error
}

// Importer puts files of animals into a herd; iot/register has one.
type Importer interface {
	Import(ctx context.Context, q register.Request) (register.Account, error)
}

// Devices lists devices that wait for their herd; iot.Registry does.
type Devices interface {
	Unclaimed(ctx context.Context, tenant string) ([]iot.Device, error)
	Device(ctx context.Context, tenant, id string) (iot.Device, error)
}

func (f face) registerHerds(a *route.API, op func(id, method, path, summary string) route.Op, file func(id, path, summary string) route.Op) {
	route.Register(a, op("herd-add", http.MethodPost, "/herds", "Register a herd with its animals and devices"), f.addHerd)
	route.Register(a, op("herd-change", http.MethodPatch, "/herds/{id}", "Change name, holding, county, fence or pens of a herd"), f.changeHerd)
	route.Register(a, op("animals-add", http.MethodPost, "/herds/{id}/animals", "Add animals and devices to a herd"), f.addAnimals)
	route.Register(a, file("animals-import", "/herds/{id}/import", "Add the animals of a table or of ICAR ADE JSON to a herd"), f.importAnimals)
	route.Register(a, op("animal-event", http.MethodPost, "/animals/{id}/events", "Report an event of an animal's life, or take one back"), f.animalEvent)
	route.Register(a, op("template", http.MethodGet, "/templates/{file}", "A table to fill in: animals.xlsx or devices.xlsx"), f.template)
	route.Register(a, file("devices-add", "/devices", "Take up a box of devices by a table and give out their claim codes"), f.addDevices)
	route.Register(a, op("devices", http.MethodGet, "/devices", "Devices that wait to be claimed"), f.unclaimed)
	route.Register(a, op("device-claim", http.MethodPost, "/devices/{id}/claim", "A new claim code for a device that is in no herd or revoked"), f.renewClaim)
	route.Register(a, op("device-rotate", http.MethodPost, "/devices/{id}/rotate", "A new secret for a device; the old one counts no longer"), f.rotate)
	route.Register(a, op("device-revoke", http.MethodPost, "/devices/{id}/revoke", "Take a device's right to publish"), f.revoke)
	route.Register(a, op("device-forget", http.MethodDelete, "/devices/{id}/readings", "Delete all readings of a device, for privacy; they cannot be had back"), f.forget)
}

// ByID is the path of one thing. It is exported because the framework passes over
// unexported embedded fields.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

// PenIn is a piece of a herd's ground.
type PenIn struct {
	ID   string      `json:"id,omitempty" maxLength:"64" doc:"of a pen that is there; none makes a new one"`
	Name string      `json:"name" minLength:"1" maxLength:"100"`
	Area orb.Polygon `json:"area" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84"`
}

func pens(in []PenIn) []iot.Pen {
	out := make([]iot.Pen, len(in))
	for i, p := range in {
		out[i] = iot.Pen(p)
	}
	return out
}

// AnimalIn is one head to register.
type AnimalIn struct {
	Identity iot.AnimalID   `json:"identity"`
	Codes    []iot.AnimalID `json:"codes,omitempty" maxItems:"10" doc:"further codes that it has now"`
	Species  string         `json:"species,omitempty" maxLength:"50" doc:"the herd's when absent"`
	Breed    string         `json:"breed,omitempty" maxLength:"50" doc:"breed code of the catalogue"`
	Sex      string         `json:"sex,omitempty" enum:"f,m,c" doc:"c is castrated"`
	Born     string         `json:"born" format:"date"`
	TagID    string         `json:"tag_id,omitempty" maxLength:"64"`
	PenID    string         `json:"pen_id,omitempty" maxLength:"64"`
	Bred     string         `json:"bred,omitempty" format:"date" doc:"of the pregnancy it carries"`
	Heads    int            `json:"heads,omitempty" minimum:"1" maximum:"1000000" doc:"of a house of poultry"`
}

func (a AnimalIn) newcomer(i int) (iot.Newcomer, error) {
	n := iot.Newcomer{Animal: iot.Animal{
		Identity: a.Identity, Species: a.Species, Breed: a.Breed, Sex: a.Sex, TagID: a.TagID, PenID: a.PenID, Heads: a.Heads,
	}, Codes: a.Codes}
	born, err := money.ParseDate(a.Born)
	if err != nil {
		return n, money.ErrDate.With("text", a.Born).At("body.animals[%d].born", i)
	}
	n.Born = born.Start()
	if a.Bred != "" {
		bred, err := money.ParseDate(a.Bred)
		if err != nil {
			return n, money.ErrDate.With("text", a.Bred).At("body.animals[%d].bred", i)
		}
		n.Bred = bred.Start()
	}
	return n, nil
}

type herdIn struct {
	Body struct {
		OwnerID  string      `json:"owner_id" maxLength:"64"`
		Name     string      `json:"name" minLength:"1" maxLength:"100"`
		Species  string      `json:"species" maxLength:"50"`
		Holding  string      `json:"holding,omitempty" maxLength:"40" doc:"number of the holding, as the authority writes it"`
		Region   string      `json:"region,omitempty" maxLength:"6" doc:"GB/T 2260 county code"`
		Fence    orb.Polygon `json:"fence" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84; holes are forbidden ground"`
		Pens     []PenIn     `json:"pens,omitempty" maxItems:"500"`
		Animals  []AnimalIn  `json:"animals"`
		Gateways []string    `json:"gateways,omitempty"`
	}
}

// NewHerd is a herd with what its devices sign in with; that is shown only now.
type NewHerd struct {
	Herd        iot.Herd         `json:"herd"`
	Credentials []iot.Credential `json:"credentials"`
}

func (f face) addHerd(ctx context.Context, who access.Actor, in *herdIn) (*route.Body[NewHerd], error) {
	b := in.Body
	owner, err := f.People.User(ctx, who.Tenant, b.OwnerID)
	if err != nil {
		return nil, err
	}
	animals := make([]iot.Animal, len(b.Animals))
	for i, a := range b.Animals {
		n, err := a.newcomer(i)
		if err != nil {
			return nil, err
		}
		animals[i] = n.Animal
	}
	h, credentials, err := f.Herds.Register(ctx, who.Tenant, iot.Herd{
		OwnerID: owner.ID, OwnerName: owner.Name, Name: b.Name, Species: b.Species, Holding: b.Holding, Region: b.Region, Fence: b.Fence, Pens: pens(b.Pens),
	}, animals, b.Gateways)
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, h.ID)
	return route.Answer(NewHerd{h, credentials}, f.Watch(ctx, who.Tenant, h.ID))
}

type changeIn struct {
	ByID
	Body struct {
		Name    *string     `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Holding *string     `json:"holding,omitempty" maxLength:"40"`
		Region  *string     `json:"region,omitempty" maxLength:"6" doc:"GB/T 2260 county code"`
		Fence   orb.Polygon `json:"fence,omitempty" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84"`
		Pens    []PenIn     `json:"pens,omitempty" maxItems:"500" doc:"all pens; those that are left out go"`
	}
}

func (f face) changeHerd(ctx context.Context, who access.Actor, in *changeIn) (*route.Body[iot.Herd], error) {
	b := in.Body
	p := iot.Patch{Name: b.Name, Holding: b.Holding, Region: b.Region, Fence: b.Fence}
	if b.Pens != nil {
		list := pens(b.Pens)
		p.Pens = &list
	}
	h, err := f.Herds.Change(ctx, who.Tenant, in.ID, p)
	if err != nil {
		return nil, err
	}
	return route.Answer(h, f.Watch(ctx, who.Tenant, h.ID))
}

// DeviceIn is a device to register in a herd.
type DeviceIn struct {
	ID      string         `json:"id" maxLength:"64"`
	Kind    iot.DeviceKind `json:"kind" enum:"tag,gateway,camera,gate"`
	Profile string         `json:"profile,omitempty" maxLength:"50" doc:"how its bytes are decoded"`
	PenID   string         `json:"pen_id,omitempty" maxLength:"64" doc:"of a camera or gate"`
}

type animalsIn struct {
	ByID
	Body struct {
		Animals []AnimalIn `json:"animals,omitempty"`
		Devices []DeviceIn `json:"devices,omitempty"`
	}
}

// Joined is what joined a herd; credentials are shown only now.
type Joined struct {
	Animals     []iot.Animal     `json:"animals"`
	Credentials []iot.Credential `json:"credentials"`
}

func (f face) addAnimals(ctx context.Context, who access.Actor, in *animalsIn) (*route.Body[Joined], error) {
	animals, devices := make([]iot.Newcomer, len(in.Body.Animals)), make([]iot.Device, len(in.Body.Devices))
	for i, a := range in.Body.Animals {
		var err error
		if animals[i], err = a.newcomer(i); err != nil {
			return nil, err
		}
	}
	for i, d := range in.Body.Devices {
		devices[i] = iot.Device{ID: d.ID, Kind: d.Kind, Profile: d.Profile, PenID: d.PenID}
	}
	e, err := f.Herds.Enrol(ctx, who.Tenant, in.ID, f.Now().UTC(), who.UserID, "operator", animals, devices)
	if err != nil {
		return nil, err
	}
	return route.Answer(Joined{e.Animals, e.Credentials}, f.Watch(ctx, who.Tenant, in.ID))
}

type animalFileIn struct {
	ByID
	RawBody huma.MultipartFormFiles[struct {
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"XLSX, CSV (UTF-8, GBK) or ICAR ADE JSON"`
		DryRun  bool          `form:"dry_run" required:"false" doc:"check only"`
		SkipBad bool          `form:"skip_bad" required:"false" doc:"write the good rows although others are refused"`
	}]
}

func (f face) importAnimals(ctx context.Context, who access.Actor, in *animalFileIn) (*route.Body[register.Account], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	if f.Import == nil {
		return nil, route.ErrPartAbsent.With("part", "import")
	}
	body, err := io.ReadAll(form.File)
	if err != nil {
		return nil, route.ErrUnreadable.Because(err)
	}
	account, err := f.Import.Import(ctx, register.Request{
		Tenant: who.Tenant, HerdID: in.ID, By: who.UserID, Body: body, DryRun: form.DryRun, SkipBad: form.SkipBad,
	})
	if err != nil {
		return nil, err
	}
	account.Refusals = f.worded(ctx, account.Refusals)
	return route.Answer(account, f.changed(ctx, who.Tenant, account.Herds))
}

// worded puts refusals into the reader's language.
func (f face) worded(ctx context.Context, refusals []register.RowRefusal) []register.RowRefusal {
	out := slices.Clone(refusals)
	for i, r := range out {
		out[i].Msg = f.Words(route.Lang(ctx), r.Err)
	}
	return out
}

// changed tells the watch of herds whose animals changed.
func (f face) changed(ctx context.Context, tenant string, herds []string) error {
	for _, id := range herds {
		if err := f.Watch(ctx, tenant, id); err != nil {
			return err
		}
	}
	return nil
}

// AnimalEvent is an event of an animal's life.
type AnimalEvent struct {
	view.LifeIn
	Kind     iot.LifeKind `json:"kind" enum:"arrival,departure,death,move,tag_on,tag_lost,identified,service,pregnancy,not_bred,calving,correction"`
	Corrects string       `json:"corrects,omitempty" maxLength:"80" doc:"of a correction: the event that is taken back"`
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
	e := in.Body.Event(in.ID, in.Body.Kind)
	e.Corrects = in.Body.Corrects
	herds, err := f.Herds.Report(ctx, who.Tenant, "", who.UserID, "operator", []iot.LifeEvent{e})
	if err != nil {
		return nil, err
	}
	return route.Answer(Told{herds}, f.changed(ctx, who.Tenant, herds))
}

type templateIn struct {
	File string `path:"file" doc:"animals.xlsx or devices.xlsx"`
}

type fileOut struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (f face) template(_ context.Context, _ access.Actor, in *templateIn) (*fileOut, error) {
	if in.File != "animals.xlsx" && in.File != "devices.xlsx" {
		return nil, ErrTemplate.With("file", in.File)
	}
	b, err := register.Template(in.File == "devices.xlsx")
	if err != nil {
		return nil, err
	}
	return &fileOut{
		Type:        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		Disposition: `attachment; filename="` + in.File + `"`,
		Body:        b,
	}, nil
}

type boxIn struct {
	RawBody huma.MultipartFormFiles[struct {
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"XLSX or CSV with number, kind and profile"`
		DryRun  bool          `form:"dry_run" required:"false" doc:"check only"`
		SkipBad bool          `form:"skip_bad" required:"false" doc:"take the good rows although others are refused"`
	}]
}

// Box says what became of a table of devices; claim codes are shown only now.
type Box struct {
	Read     int                   `json:"read"`
	Added    int                   `json:"added"`
	Saved    bool                  `json:"saved"`
	Devices  []iot.NewClaim        `json:"devices"`
	Refusals []register.RowRefusal `json:"refusals"`
}

func (f face) addDevices(ctx context.Context, who access.Actor, in *boxIn) (*route.Body[Box], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	body, err := io.ReadAll(form.File)
	if err != nil {
		return nil, route.ErrUnreadable.Because(err)
	}
	file, err := register.ReadBox(body)
	if err != nil {
		return nil, err
	}
	devices := make([]iot.Device, len(file.Devices))
	for i, d := range file.Devices {
		devices[i] = d.Device
	}
	out := Box{Read: file.Read, Added: len(devices), Devices: []iot.NewClaim{}, Refusals: f.worded(ctx, file.Refusals)}
	if form.DryRun || len(out.Refusals) > 0 && !form.SkipBad {
		return route.Answer(out, nil)
	}
	if out.Devices, err = f.Herds.AddDevices(ctx, who.Tenant, devices); err != nil {
		return nil, err
	}
	out.Saved = true
	route.Touch(ctx, form.File.Filename)
	return route.Answer(out, nil)
}

func (f face) unclaimed(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[iot.Device]], error) {
	items, err := f.Devices.Unclaimed(ctx, who.Tenant)
	return route.Page(items, err, 0, func(d iot.Device) string { return d.ID })
}

func (f face) renewClaim(ctx context.Context, who access.Actor, in *ByID) (*route.Body[iot.NewClaim], error) {
	return route.Answer(f.Herds.RenewClaim(ctx, who.Tenant, in.ID))
}

func (f face) rotate(ctx context.Context, who access.Actor, in *ByID) (*route.Body[iot.Credential], error) {
	return route.Answer(f.Herds.Rotate(ctx, who.Tenant, in.ID))
}

// Revoked says that a device may publish no longer.
type Revoked struct {
	Revoked bool `json:"revoked"`
}

// Forgotten says that the readings of a device are gone.
type Forgotten struct {
	Forgotten bool `json:"forgotten"`
}

func (f face) forget(ctx context.Context, who access.Actor, in *ByID) (*route.Body[Forgotten], error) {
	if _, err := f.Devices.Device(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	return route.Answer(Forgotten{true}, f.Forget(ctx, who.Tenant, in.ID))
}

func (f face) revoke(ctx context.Context, who access.Actor, in *ByID) (*route.Body[Revoked], error) {
	return route.Answer(Revoked{true}, f.Herds.Revoke(ctx, who.Tenant, in.ID))
}
