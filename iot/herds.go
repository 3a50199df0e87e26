package iot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with a registration.
var (
	ErrHerdName    = fault.New(fault.Invalid, "herd.name", "give the herd a name and an owner")
	ErrHerdSpecies = fault.New(fault.Invalid, "herd.species", "the species {species} is not in the catalogue")
	ErrHerdEmpty   = fault.New(fault.Invalid, "herd.empty", "list at least one animal")
	ErrHerdTooBig  = fault.New(fault.TooLarge, "herd.too_big", "register at most {max} animals in one herd")
	ErrFence       = fault.New(fault.Invalid, "herd.fence", "draw the fence with three to {max} corners and close the line")
	ErrFencePlace  = fault.New(fault.Invalid, "herd.fence_place", "the fence must lie at longitudes -180 to 180 and latitudes -90 to 90")
	ErrFenceCross  = fault.New(fault.Invalid, "herd.fence_crossing", "the sides of the fence cross each other: draw it without a knot")
	ErrTwice       = fault.New(fault.Invalid, "herd.twice", "{what} is listed twice")
	ErrDeviceID    = fault.New(fault.Invalid, "device.id",
		"the device number {device} must be 1 to 64 letters, digits, dots, dashes or underscores")
	ErrBorn = fault.New(fault.Invalid, "animal.born", "the animal {code} cannot be born on {date}")
)

// MaxHerd is the largest number of animals of one herd.
const MaxHerd = 20_000

// Herds registers herds and their devices.
type Herds struct {
	Store Registry
	Known func(species string) bool // whether the species catalogue has it; nil takes any
	// Profile refuses a device profile that its catalogue lacks; nil takes any.
	Profile func(code string) error
	Now     func() time.Time
	// Revoked is told of a device whose secret counts no longer, so that a broker ends
	// its connection; nil when there is none.
	Revoked func(tenant, device string)
}

// Credential is what a device signs in with; it is shown once, at registration.
// The MQTT user name is "<tenant>/<device>", the password is Secret.
type Credential struct {
	DeviceID string     `json:"device_id"`
	Kind     DeviceKind `json:"kind"`
	Username string     `json:"username"`
	Secret   string     `json:"secret"`
}

// Register saves a herd, its animals and its gateways, all or none, and returns a
// credential for each device: one per gateway, and one per animal's tag. Species
// of animals may be left empty and are then the herd's.
func (s *Herds) Register(ctx context.Context, tenant string, h Herd, animals []Animal, gateways []string) (Herd, []Credential, error) {
	h.Tenant, h.ID, h.CreatedAt = tenant, ident.New(), s.Now().UTC()
	animals = slices.Clone(animals) // their codes are brought into one form
	if err := s.check(&h, animals, gateways); err != nil {
		return Herd{}, nil, err
	}
	devices := make([]Device, 0, len(animals)+len(gateways))
	creds := make([]Credential, 0, cap(devices))
	add := func(id string, kind DeviceKind) {
		secret := NewSecret()
		devices = append(devices, Device{ID: id, Tenant: tenant, Kind: kind, HerdID: h.ID,
			SecretHash: HashSecret(secret), CreatedAt: h.CreatedAt})
		creds = append(creds, Credential{DeviceID: id, Kind: kind, Username: tenant + "/" + id, Secret: secret})
	}
	for _, g := range gateways {
		add(g, Gateway)
	}
	saved := make([]Animal, len(animals))
	for i, a := range animals {
		a.ID, a.HerdID = ident.New(), h.ID
		if a.Species == "" {
			a.Species = h.Species
		}
		saved[i] = a
		if a.TagID != "" {
			add(a.TagID, TagDevice)
		}
	}
	if err := s.Store.AddHerd(ctx, h, saved, devices); err != nil {
		return Herd{}, nil, err
	}
	return h, creds, nil
}

func (s *Herds) check(h *Herd, animals []Animal, gateways []string) error {
	if err := checkGround(h); err != nil {
		return err
	}
	switch {
	case len(animals) == 0:
		return ErrHerdEmpty
	case len(animals) > MaxHerd:
		return ErrHerdTooBig.With("max", MaxHerd)
	}
	known := func(species string) error {
		if species == "" || (s.Known != nil && !s.Known(species)) {
			return ErrHerdSpecies.With("species", species)
		}
		return nil
	}
	if err := known(h.Species); err != nil {
		return err
	}
	seen := make(map[string]bool, len(animals)*2+len(gateways))
	once := func(what string) error {
		if seen[what] {
			return ErrTwice.With("what", what)
		}
		seen[what] = true
		return nil
	}
	device := func(id string) error {
		if !ValidDeviceID(id) {
			return ErrDeviceID.With("device", id)
		}
		return once(id)
	}
	for _, g := range gateways {
		if err := device(g); err != nil {
			return err
		}
	}
	for i := range animals {
		animals[i].Identity = animals[i].Identity.Normal()
		a := animals[i]
		if a.PenID != "" && !h.hasPen(a.PenID) {
			return ErrPenNotFound.With("pen", a.PenID).At("animals[%d].pen_id", i)
		}
		species := a.Species
		if species == "" {
			species = h.Species
		}
		if err := known(species); err != nil {
			return err
		}
		if err := a.Identity.Validate(species); err != nil {
			return err
		}
		if err := once(a.Identity.Scheme + " " + a.Identity.Code); err != nil {
			return err
		}
		if a.Born.After(h.CreatedAt) {
			return ErrBorn.With("code", a.Identity.Code).With("date", a.Born.Format(time.DateOnly)).At("animals[%d].born", i)
		}
		if a.TagID == "" {
			continue
		}
		if err := device(a.TagID); err != nil {
			return err
		}
	}
	return nil
}

// ValidDeviceID tells whether id can name a device: it is a level of an MQTT topic,
// so slashes and wildcards are out.
func ValidDeviceID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}

// NewSecret returns 256 random bits as text.
func NewSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand never returns an error
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashSecret is what is stored of a secret. A plain SHA-256 is enough because the
// secret has 256 random bits: there is nothing to guess.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Authentic compares a secret with the device's hash in constant time. A revoked
// device is never authentic.
func (d Device) Authentic(secret string) bool {
	same := subtle.ConstantTimeCompare([]byte(HashSecret(secret)), []byte(d.SecretHash)) == 1
	return same && !d.Revoked
}

// checkArea wants closed rings of at least three corners, inside WGS84 bounds, that do
// not cross themselves; place says what of the request it is.
func checkArea(p orb.Polygon, place string, args ...any) error {
	const most = 2000
	if len(p) == 0 {
		return ErrFence.With("max", most).At(place, args...)
	}
	for _, r := range p {
		if len(r) < 4 || len(r) > most+1 || r[0] != r[len(r)-1] {
			return ErrFence.With("max", most).At(place, args...)
		}
		for _, c := range r {
			if !(math.Abs(c[0]) <= 180 && math.Abs(c[1]) <= 90) { // also refuses NaN
				return ErrFencePlace.At(place, args...)
			}
		}
		if crosses(r) {
			return ErrFenceCross.At(place, args...)
		}
	}
	return nil
}

// crosses tells whether two sides of a closed ring that are not neighbours meet.
func crosses(r orb.Ring) bool {
	side := func(a, b, c orb.Point) float64 {
		return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
	}
	n := len(r) - 1
	for i := range n {
		for j := i + 2; j < n; j++ {
			if i == 0 && j == n-1 {
				continue // the first and the last side share a corner
			}
			a, b, c, d := r[i], r[i+1], r[j], r[j+1]
			if side(a, b, c)*side(a, b, d) <= 0 && side(c, d, a)*side(c, d, b) <= 0 &&
				math.Max(a[0], b[0]) >= math.Min(c[0], d[0]) && math.Max(c[0], d[0]) >= math.Min(a[0], b[0]) &&
				math.Max(a[1], b[1]) >= math.Min(c[1], d[1]) && math.Max(c[1], d[1]) >= math.Min(a[1], b[1]) {
				return true
			}
		}
	}
	return false
}
