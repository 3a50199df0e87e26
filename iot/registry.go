package iot

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with the register of animals, devices and pledges.
var (
	ErrAnimalNotFound = fault.New(fault.NotFound, "animal.not_found", "there is no such animal")
	ErrCodeUsed       = fault.New(fault.Conflict, "animal.code_used",
		"the code {code} belonged to another animal of herd {herd} until {until}: a code is never given again")
	ErrTagWorn      = fault.New(fault.Conflict, "tag.worn", "the tag {tag} was worn by the animal {code} of herd {herd} on {date}: end that first")
	ErrPenNotFound  = fault.New(fault.NotFound, "pen.not_found", "the herd has no pen {pen}")
	ErrPenInUse     = fault.New(fault.Conflict, "pen.in_use", "the pen {pen} cannot go: {n} animals or devices belong to it; move them first")
	ErrEventTwice   = fault.New(fault.Conflict, "life.twice", "the event {key} is recorded already")
	ErrPledged      = fault.New(fault.Conflict, "animal.pledged", "the animal {code} of herd {herd} is pledged already under application {application}")
	ErrPledgeGone   = fault.New(fault.Conflict, "animal.pledge_gone", "the animal {code} is dead, sold or moved away: leave it out of the pledge")
	ErrRevoked      = fault.New(fault.Conflict, "device.revoked", "the device {device} is revoked")
	ErrClaimed      = fault.New(fault.Conflict, "device.claimed", "the device {device} belongs to a herd already; revoke it there first")
	ErrClaim        = fault.New(fault.Invalid, "claim.wrong", "the device number and its claim code do not fit each other, or the code was used or is too old: compare both with the label")
	ErrClaimCode    = fault.New(fault.Invalid, "claim.mistyped", "the claim code is mistyped: it has 16 letters and digits, and the last one checks the others")
	ErrClaimTooMany = fault.New(fault.TooMany, "claim.too_many", "too many wrong claim codes; try again in {minutes} minutes")
)

// Change is what befalls the register at once, all or none.
type Change struct {
	Animals []Animal    // that were not there before, each with an event that brings it into a herd
	Events  []LifeEvent // of the new animals and of others
	Devices []Device    // that were not there before
	DryRun  bool        // only says what would be refused
}

// Pledge ties an animal to what is lent on it.
type Pledge struct {
	AnimalID string     `json:"animal_id"`
	HerdID   string     `json:"herd_id"`     // at the time of the pledge
	Ref      string     `json:"application"` // the bank's own application
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until,omitempty"` // nil of the pledge that stands
}

// Claim is the right to take a device into a herd, waiting for its code.
type Claim struct {
	Device   string
	CodeHash string // HashClaim of the code
	Expires  time.Time
}

// ClaimTry is somebody's attempt to take a device into a herd.
type ClaimTry struct {
	Tenant, Device string
	CodeHash       string
	HerdID, PenID  string
	SecretHash     string // what the device signs in with from now
	By             string // who tries
	At             time.Time
	Event          *LifeEvent // the animal that it is put on, or nil
}

// Limits of wrong claim codes: so many for a device and for a person in a window.
const (
	ClaimTries  = 5
	ClaimWindow = time.Hour
)

// Registry keeps who is who: animals with their lives, devices with their rights, and
// pledges. Implemented in store/herd; the Store reads what it keeps.
type Registry interface {
	Store

	// SaveHerd changes name, owner, holding, region, fence and pens of a herd.
	// ErrHerdNotFound; ErrPenInUse when animals or devices belong to a pen that goes.
	SaveHerd(ctx context.Context, h Herd) error
	// Record takes a change and derives the present state of every animal in it by all
	// of its events. It returns the herds that changed, those that were left included.
	// It returns what [Derive] does, and ErrAnimalTaken, ErrCodeUsed, ErrTagWorn,
	// ErrTagTaken, ErrDeviceTaken, ErrAnimalNotFound, ErrHerdNotFound, ErrPenNotFound,
	// ErrHerdTooBig, and ErrEventTwice for the key of an event that the source sent before.
	Record(ctx context.Context, tenant string, c Change) (herds []string, err error)
	// Animal returns ErrAnimalNotFound.
	Animal(ctx context.Context, tenant, id string) (Animal, error)
	// AnimalsByCode finds animals by any code that they have or had, at most one each.
	// Codes that nobody has are absent.
	AnimalsByCode(ctx context.Context, tenant string, codes []AnimalID) (map[AnimalID]Animal, error)
	// Life returns ErrAnimalNotFound.
	Life(ctx context.Context, tenant, animalID string) (Life, error)
	// Lives are those of the animals that came to a herd, left it or changed their pen
	// there after from and until to; not of those that were only taken up then.
	Lives(ctx context.Context, tenant, herdID string, from, to time.Time) ([]Life, error)
	// KnownEvents are those of the keys that the source sent before.
	KnownEvents(ctx context.Context, tenant, source string, keys []string) (map[string]bool, error)
	// Wearers are the animals that wore the tag, oldest first.
	Wearers(ctx context.Context, tenant, tag string) ([]Wearing, error)
	// WearerAt is the animal that wore the tag at that time; ErrAnimalNotFound.
	WearerAt(ctx context.Context, tenant, tag string, at time.Time) (string, error)

	// AddDevices saves devices without a herd, with their claims; ErrDeviceTaken.
	AddDevices(ctx context.Context, devices []Device, claims []Claim) error
	// Unclaimed are the devices that wait for their code, in id order.
	Unclaimed(ctx context.Context, tenant string) ([]Device, error)
	// RenewClaim replaces the code of a device that belongs to no herd; of a revoked one
	// it ends its herd. ErrDeviceNotFound, ErrClaimed.
	RenewClaim(ctx context.Context, tenant string, c Claim) error
	// Claim takes a device into a herd and on its animal, and uses the code up. ErrClaim
	// for a wrong, used or old code and for a device that nobody may claim, all alike;
	// ErrClaimTooMany; and what Record returns.
	Claim(ctx context.Context, t ClaimTry) (Device, error)
	// Rotate replaces a secret. ErrDeviceNotFound, ErrRevoked.
	Rotate(ctx context.Context, tenant, id, secretHash string) error

	// Pledge ties animals to ref, all or none; again for the same ref it changes nothing.
	// ErrPledged names where an animal is pledged already, ErrPledgeGone one that is no
	// more on the farm. ErrAnimalNotFound.
	Pledge(ctx context.Context, tenant, ref string, animals []string, at time.Time) error
	// Release ends the pledges of ref.
	Release(ctx context.Context, tenant, ref string, at time.Time) error
	// Pledges are all pledges of the animals, oldest first, those that ended included.
	Pledges(ctx context.Context, tenant string, animals []string) ([]Pledge, error)
}
