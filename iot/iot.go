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

// Animal is one head. Species is "cattle" or "sheep" (the species catalogue).
type Animal struct {
	ID       string    `json:"id"`
	HerdID   string    `json:"herd_id"`
	Identity AnimalID  `json:"identity"`
	Species  string    `json:"species"`
	Sex      string    `json:"sex"` // "f", "m", ""
	Born     time.Time `json:"born"`
	TagID    string    `json:"tag_id"` // the device it wears now
}

// Herd is a group of animals inside one fence.
type Herd struct {
	ID        string      `json:"id"`
	Tenant    string      `json:"-"`
	OwnerID   string      `json:"owner_id"`
	OwnerName string      `json:"owner_name"`
	Name      string      `json:"name"`
	Species   string      `json:"species"`
	Fence     orb.Polygon `json:"fence"` // WGS84
	CreatedAt time.Time   `json:"created_at"`
}

// DeviceKind says what may publish.
type DeviceKind string

// Kinds of device.
const (
	TagDevice DeviceKind = "tag"     // publishes its own readings
	Gateway   DeviceKind = "gateway" // publishes for the tags of its herd
)

// Device is something that publishes or is heard. Secret is never stored or shown:
// SecretHash is the SHA-256 of a random 256-bit secret.
type Device struct {
	ID         string     `json:"id"` // tag or gateway number, unique in the tenant
	Tenant     string     `json:"-"`
	Kind       DeviceKind `json:"kind"`
	HerdID     string     `json:"herd_id"`
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
}

// ValueTerms are the figures behind the value of the animals of one species.
type ValueTerms struct {
	Species     string    `json:"species"`
	Heads       int       `json:"heads"`
	Kg          int64     `json:"kg"` // summed live weight by age
	PriceFenKg  money.Fen `json:"price_fen_per_kg"`
	PriceDate   string    `json:"price_date"`
	PriceSource string    `json:"price_source"`
	MortalityBP int64     `json:"mortality_bp"`
	HaircutBP   int64     `json:"haircut_bp"`
}

// HerdReport is the tag evidence of one herd: a fact for credit.
type HerdReport struct {
	HerdID     string       `json:"herd_id"`
	Status     string       `json:"status"` // "known", "low_confidence", "unknown"
	Reason     string       `json:"reason,omitempty"`
	Species    string       `json:"species"`
	Registered int          `json:"registered"`
	Verified   int          `json:"verified"` // heard lately, inside, alive
	Outside    int          `json:"outside"`
	Silent     int          `json:"silent"`
	Unverified int          `json:"unverified"` // maybe dead or tag off: worth nothing until a person looks
	NoData     int          `json:"no_data"`
	Value      money.Fen    `json:"value"` // of verified animals, after mortality and haircut
	ValueLow   money.Fen    `json:"value_low"`
	ValueHigh  money.Fen    `json:"value_high"`
	Terms      []ValueTerms `json:"terms"` // how the value was reached
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
	// Device returns ErrDeviceNotFound.
	Device(ctx context.Context, tenant, id string) (Device, error)
	Devices(ctx context.Context, tenant, herdID string) ([]Device, error)
	// Revoke takes a device's right to publish; ErrDeviceNotFound.
	Revoke(ctx context.Context, tenant, id string) error
	Quarantine(ctx context.Context, q Quarantined) error
	// Quarantined returns the newest first, at most limit (0 means 50, at most 500).
	Quarantined(ctx context.Context, tenant string, limit int) ([]Quarantined, error)
}
