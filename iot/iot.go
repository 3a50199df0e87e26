// Package iot holds what tags and cameras tell about a herd: where each animal is,
// whether it lives, and what the verified herd is worth.
//
// The root package has the shared values; codec, ingest, broker, series, watch,
// count and worth are the methods.
package iot

import (
	"context"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with herds and devices.
var (
	ErrHerdNotFound   = fault.New(fault.NotFound, "herd.not_found", "there is no such herd")
	ErrDeviceNotFound = fault.New(fault.NotFound, "device.not_found", "there is no such device")
	ErrAnimalTaken    = fault.New(fault.Conflict, "animal.taken", "the animal {code} is already registered in herd {herd}")
	ErrDeviceTaken    = fault.New(fault.Conflict, "device.taken", "the device number {device} is already in use")
	ErrTagTaken       = fault.New(fault.Conflict, "tag.taken", "the tag {tag} is already worn by another animal")
)

// AnimalID is an animal's identity: a scheme ("cn-67", "iso-11784") and its code.
type AnimalID struct {
	Scheme string `json:"scheme"`
	Code   string `json:"code"`
}

// Animal is one head, or a whole house of poultry. Species is a code of the species
// catalogue, Breed one of that species' breeds or "".
type Animal struct {
	ID       string       `json:"id"`
	HerdID   string       `json:"herd_id"`
	PenID    string       `json:"pen_id,omitempty"` // where it belongs; "" anywhere in the herd's ground
	Identity AnimalID     `json:"identity"`         // the code it goes by now
	Species  string       `json:"species"`
	Breed    string       `json:"breed,omitempty"`
	Sex      string       `json:"sex"` // "f", "m", ""; "c" castrated
	Born     time.Time    `json:"born"`
	TagID    string       `json:"tag_id"`           // the device it wears now
	Status   AnimalStatus `json:"status,omitempty"` // "" means alive
	Bred     time.Time    `json:"bred,omitzero"`    // of the pregnancy it carries; zero when it is not known to
	Heads    int          `json:"heads,omitempty"`  // of a house of poultry at its start; 0 means one animal
}

// AnimalStatus says whether an animal still stands behind its loan.
type AnimalStatus string

// Statuses, after ICAR ADE's icarAnimalStatusType.
const (
	Alive   AnimalStatus = "alive"
	Dead    AnimalStatus = "dead"
	OffFarm AnimalStatus = "off_farm" // sold or moved away
)

// Here tells whether the animal is believed to be with its herd.
func (a Animal) Here() bool { return a.Status == "" || a.Status == Alive }

// Herd is a group of animals on one holding, inside its fence and its pens.
type Herd struct {
	ID        string      `json:"id"`
	Tenant    string      `json:"-"`
	OwnerID   string      `json:"owner_id"`
	OwnerName string      `json:"owner_name"`
	Name      string      `json:"name"`
	Species   string      `json:"species"`
	Holding   string      `json:"holding,omitempty"` // number of the holding, as the authority writes it
	Region    string      `json:"region,omitempty"`  // county code of GB/T 2260, for prices; "" unknown
	Fence     orb.Polygon `json:"fence"`             // WGS84; holes are forbidden ground
	Pens      []Pen       `json:"pens,omitempty"`    // the herd's ground is the fence and all pens together
	CreatedAt time.Time   `json:"created_at"`
}

// Pen is a named piece of the herd's ground: a paddock, a yard or a house.
type Pen struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Area orb.Polygon `json:"area"` // WGS84
}

// DeviceKind says what may publish.
type DeviceKind string

// Kinds of device.
const (
	TagDevice DeviceKind = "tag"     // publishes its own readings
	Gateway   DeviceKind = "gateway" // publishes for the tags of its herd
	Network   DeviceKind = "network" // a network server (ChirpStack): publishes for all tags of its tenant
	Camera    DeviceKind = "camera"  // counts heads in its pen
	Gate      DeviceKind = "gate"    // counts passages
)

// Device is something that publishes or is heard. Secret is never stored or shown:
// SecretHash is the SHA-256 of a random 256-bit secret.
type Device struct {
	ID         string     `json:"id"` // tag or gateway number, unique in the tenant
	Tenant     string     `json:"-"`
	Kind       DeviceKind `json:"kind"`
	HerdID     string     `json:"herd_id"`           // "" of a network server, or before the device is claimed
	PenID      string     `json:"pen_id,omitempty"`  // of a camera or gate
	Profile    string     `json:"profile,omitempty"` // how its bytes are decoded: a device profile of the catalogue
	SecretHash string     `json:"-"`
	Revoked    bool       `json:"revoked"`
	CreatedAt  time.Time  `json:"created_at"`
}

// Reading is one message of one tag. Absent measurements are nil, never zero.
type Reading struct {
	Tenant   string    `json:"-"`
	Tag      string    `json:"tag"`
	At       time.Time `json:"ts"`          // device time
	Received time.Time `json:"received_at"` // when the house took it
	Gateway  string    `json:"gateway,omitempty"`
	Lon      *float64  `json:"lon,omitempty"`
	Lat      *float64  `json:"lat,omitempty"`
	Accuracy *float64  `json:"acc_m,omitempty"`     // m, 1 sigma
	Temp     *float64  `json:"temp_c,omitempty"`    // tag temperature, °C
	Ambient  *float64  `json:"ambient_c,omitempty"` // °C, where the tag or gateway measures it
	Activity *float64  `json:"activity,omitempty"`  // m/s², 5 s standard deviation of the acceleration norm
	Attached *bool     `json:"attached,omitempty"`  // the tag's own cut or clip contact
	Battery  *float64  `json:"battery_v,omitempty"`
	Seq      *int64    `json:"seq,omitempty"`
	// What the animal did since the reading before, in seconds, of tags that tell or
	// whose Motion was judged.
	Lying      *float64 `json:"lying_s,omitempty"`
	Grazing    *float64 `json:"grazing_s,omitempty"`
	Walking    *float64 `json:"walking_s,omitempty"`
	Ruminating *float64 `json:"ruminating_s,omitempty"`
	Weight     *float64 `json:"weight_kg,omitempty"` // of a scale; the mean of a poultry house
	Heads      *int64   `json:"heads,omitempty"`     // of a poultry house
	Source     string   `json:"source,omitempty"`    // the payload format it came in: "json", "cbor", "thingsboard", "chirpstack", "sparkplug"
	Motion     *Motion  `json:"-"`                   // raw acceleration, judged on arrival and not kept
}

// Motion is a burst of raw acceleration.
type Motion struct {
	Hz  float64      `json:"hz"`
	XYZ [][3]float64 `json:"xyz"` // m/s², gravity included, in the tag's own axes
}

// Presence is what a gateway, or the broker that holds its will, says of being reachable:
// of the gateway itself, or of a tag that it hears.
type Presence struct {
	Gateway string
	Tag     string // "" the gateway itself
	Online  bool
	At      time.Time // when it was received
}

// Headcount is what a camera, a gate or a person counted in a herd or one of its pens.
type Headcount struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"-"`
	HerdID   string    `json:"herd_id"`
	PenID    string    `json:"pen_id,omitempty"` // "" the whole herd
	Device   string    `json:"device"`           // camera or gate; the person's id
	Kind     CountKind `json:"kind"`
	From     time.Time `json:"from"` // the window it was counted in; From = To of one picture
	To       time.Time `json:"to"`
	Seen     int       `json:"seen"`              // heads in the picture, or that passed
	Out      int       `json:"out,omitempty"`     // of a gate: of those, outward
	Matched  *int      `json:"matched,omitempty"` // of those, with a tag that was read at the same place and moment
	Picture  string    `json:"picture,omitempty"` // SHA-256 of the picture, hex
	Received time.Time `json:"received_at"`
}

// CountKind says who counted.
type CountKind string

// Kinds of counts.
const (
	ByCamera CountKind = "camera"
	ByGate   CountKind = "gate"
	ByPerson CountKind = "person"
)

// Weighing is one weight of one animal.
type Weighing struct {
	Tenant   string    `json:"-"`
	AnimalID string    `json:"animal_id"`
	At       time.Time `json:"at"`
	Kg       float64   `json:"kg"`
	Method   string    `json:"method"` // "scale", "walk_over", "tape", "estimate"
}

// AnimalState is what the watch believes of one animal now.
type AnimalState struct {
	AnimalID  string     `json:"animal_id"`
	Code      string     `json:"code"`
	TagID     string     `json:"tag_id"`
	Status    string     `json:"status"` // "inside", "outside", "never_entered", "silent", "unverified", "no_data"
	Lon       *float64   `json:"lon,omitempty"`
	Lat       *float64   `json:"lat,omitempty"`
	LastFix   *time.Time `json:"last_fix,omitempty"`
	LastHeard *time.Time `json:"last_heard,omitempty"`
	Temp      *float64   `json:"temp_c,omitempty"`
	Activity  *float64   `json:"activity,omitempty"`
	Battery   *float64   `json:"battery_v,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why not inside: a code such as "tag_off", "stillness", "gateway_silent"
	PenID     string     `json:"pen_id,omitempty"` // where it is
	Signs     []string   `json:"signs,omitempty"`  // what is open of it beside its status: kinds of events, such as "fever"
}

// ValueTerms are the figures behind the value of the animals of one species and class.
type ValueTerms struct {
	Species      string    `json:"species"`
	Class        string    `json:"class"` // of the market, a code of the species catalogue
	Heads        int       `json:"heads"`
	Kg           int64     `json:"kg"`      // summed live weight
	Weighed      int       `json:"weighed"` // animals whose weight rests on weighings of their own, not on the curve alone
	PriceFenKg   money.Fen `json:"price_fen_per_kg"`
	PriceFenHead money.Fen `json:"price_fen_per_head"` // where the market pays by the head; else 0
	PriceRegion  string    `json:"price_region"`       // code of GB/T 2260 that the price is of; "" the country
	PriceDate    string    `json:"price_date"`
	PriceSource  string    `json:"price_source"`
	Unborn       money.Fen `json:"unborn"` // what pregnancies add, before mortality and haircut
	MortalityBP  int64     `json:"mortality_bp"`
	HaircutBP    int64     `json:"haircut_bp"`
}

// HerdCount is how many animals are there by tags and counts together.
type HerdCount struct {
	Status   string     `json:"status"`           // "known", "low_confidence", "unknown"
	Reason   string     `json:"reason,omitempty"` // of not known: "no_counts", "counts_old", "counts_disagree"
	Tags     int        `json:"tags"`             // heard in the windows of the counts
	Seen     int        `json:"seen"`             // heads that cameras, gates and people counted
	Estimate float64    `json:"estimate"`         // animals there
	Low      int        `json:"low"`              // interval of Level around it
	High     int        `json:"high"`
	Level    float64    `json:"level"`   // 0.95
	Most     int        `json:"-"`       // that there are more has a probability of at most 0.001
	Windows  int        `json:"windows"` // that it rests on
	LastAt   *time.Time `json:"last_at,omitempty"`
	Method   string     `json:"method"`
}

// HerdHealth sums up what the animals' baselines say.
type HerdHealth struct {
	Judged  int `json:"judged"` // animals with a baseline of their own
	Fever   int `json:"fever"`
	Oestrus int `json:"oestrus"`
	Still   int `json:"still"` // maybe dead
	Idle    int `json:"idle"`  // ruminate or graze far less than they use to
}

// Integrity sums up what speaks against the tags themselves.
type Integrity struct {
	Silent    int `json:"silent"`
	TagOff    int `json:"tag_off"`
	Carrier   int `json:"carrier"`    // tags that move on something that is not their animal
	TwoTags   int `json:"two_tags"`   // animals that seem to wear two
	TwoPlaces int `json:"two_places"` // codes heard in two places at once
	Impostors int `json:"impostors"`  // devices that published as others
}

// HerdReport is the tag evidence of one herd: a fact for credit.
type HerdReport struct {
	HerdID     string       `json:"herd_id"`
	Status     string       `json:"status"` // "known", "low_confidence", "unknown"
	Reason     string       `json:"reason,omitempty"`
	Species    string       `json:"species"`
	Registered int          `json:"registered"`
	Verified   int          `json:"verified"` // heard lately, inside, alive, and no more than the counts support
	Tagged     int          `json:"tagged"`   // what the tags alone verify
	Outside    int          `json:"outside"`
	Silent     int          `json:"silent"`
	Unverified int          `json:"unverified"` // maybe dead or tag off: worth nothing until a person looks
	NoData     int          `json:"no_data"`
	Value      money.Fen    `json:"value"` // of verified animals, after mortality and haircut
	ValueLow   money.Fen    `json:"value_low"`
	ValueHigh  money.Fen    `json:"value_high"`
	Terms      []ValueTerms `json:"terms"` // how the value was reached
	Count      HerdCount    `json:"count"`
	Health     HerdHealth   `json:"health"`
	Integrity  Integrity    `json:"integrity"`
	LastHeard  *time.Time   `json:"last_heard,omitempty"`
	Method     string       `json:"method"`
	MadeAt     time.Time    `json:"made_at"`
}

// EventKind names what the watch sees.
type EventKind string

// Events of the watch.
const (
	FenceExit     EventKind = "fence_exit"
	Stillness     EventKind = "stillness"      // maybe dead
	TagOff        EventKind = "tag_off"        // cut or dropped
	Silence       EventKind = "silence"        // one tag, against its own rhythm
	GatewaySilent EventKind = "gateway_silent" // one event, not one a tag; of the herd when its tags publish by themselves
	Impostor      EventKind = "impostor"       // a device published as another
	Carrier       EventKind = "carrier"        // a tag at the air's temperature that moves: on something else
	Fever         EventKind = "fever"          // against the animal's own baseline and the herd's
	Oestrus       EventKind = "oestrus"        // probable
	Idleness      EventKind = "idleness"       // ruminates or grazes far less than it uses to
	TwoTags       EventKind = "two_tags"       // two tags move as one body
	TwoPlaces     EventKind = "two_places"     // one code heard in two places at once
	CountShort    EventKind = "count_short"    // counts support fewer animals than the tags claim
	StoreDown     EventKind = "store_down"     // readings go to the spool because their store does not answer
)

// Event opens, updates or clears one matter of one subject (an animal or a gateway).
type Event struct {
	Tenant   string            `json:"-"`
	Kind     EventKind         `json:"kind"`
	HerdID   string            `json:"herd_id"`
	Subject  string            `json:"subject"` // animal id, or gateway id
	Label    string            `json:"label"`   // what a person calls it
	At       time.Time         `json:"at"`      // device time of the evidence
	Cleared  bool              `json:"cleared"`
	Severity string            `json:"severity"` // "info", "warning", "critical"
	Evidence map[string]string `json:"evidence"`
}

// Quarantined is a payload that was refused but kept.
type Quarantined struct {
	ID       string            `json:"id"`
	Tenant   string            `json:"-"`
	Topic    string            `json:"topic"`
	Device   string            `json:"device"`
	Code     string            `json:"code"` // fault code, such as "reading.future"
	Reason   string            `json:"reason"`
	Args     map[string]string `json:"args,omitempty"` // values of the reason's text, by name
	Payload  []byte            `json:"payload"`
	Received time.Time         `json:"received_at"`
}

// Store keeps herds, animals, devices and the quarantine. Implemented in store/herd.
type Store interface {
	// AddHerd saves the herd with its animals and devices, all or none.
	// ErrAnimalTaken, ErrTagTaken, ErrDeviceTaken.
	AddHerd(ctx context.Context, h Herd, animals []Animal, devices []Device) error
	// Herd returns ErrHerdNotFound when the tenant has none of that id.
	Herd(ctx context.Context, tenant, id string) (Herd, error)
	// Herds returns all herds of the tenant in id order; ownerID "" means every owner.
	Herds(ctx context.Context, tenant, ownerID string) ([]Herd, error)
	// AllHerds returns the herds of every tenant, for the watch at start.
	AllHerds(ctx context.Context) ([]Herd, error)
	Animals(ctx context.Context, tenant, herdID string) ([]Animal, error)
	// Handed tells of the tags of a herd's animals that were worn before, by another
	// animal or on another occasion, since when their present wearers have them.
	Handed(ctx context.Context, tenant, herdID string) (map[string]time.Time, error)
	// Device returns ErrDeviceNotFound.
	Device(ctx context.Context, tenant, id string) (Device, error)
	Devices(ctx context.Context, tenant, herdID string) ([]Device, error)
	// DeviceBySecret finds the device, of any tenant, that signs in with the secret of
	// this HashSecret. ErrDeviceNotFound, for a revoked device as well.
	DeviceBySecret(ctx context.Context, secretHash string) (Device, error)
	// Revoke takes a device's right to publish; ErrDeviceNotFound.
	Revoke(ctx context.Context, tenant, id string) error
	Quarantine(ctx context.Context, q Quarantined) error
	// Quarantined returns the newest first, at most limit (0 means 50, at most 500).
	Quarantined(ctx context.Context, tenant string, limit int) ([]Quarantined, error)
	// QuarantinedBefore is Quarantined of one code ("" every), of ids before the cursor.
	QuarantinedBefore(ctx context.Context, tenant, code, before string, limit int) ([]Quarantined, error)
	// QuarantineCounts tells how many payloads are kept by code.
	QuarantineCounts(ctx context.Context, tenant string) (map[string]int, error)
}
