package iot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with changes of a herd.
var (
	ErrPenName  = fault.New(fault.Invalid, "pen.name", "give every pen a name of its own, of at most 100 characters")
	ErrPens     = fault.New(fault.Invalid, "pen.too_many", "a herd has at most {max} pens")
	ErrRegion   = fault.New(fault.Invalid, "herd.region", "the county {region} is not a code of GB/T 2260 of six digits")
	ErrSex      = fault.New(fault.Invalid, "animal.sex", "the sex of an animal is f, m, c (castrated) or nothing, not {sex}")
	ErrBred     = fault.New(fault.Invalid, "animal.bred", "only a female animal can be pregnant, since a day that has been: {code}")
	ErrNoCode   = fault.New(fault.Invalid, "animal.no_code", "give the animal a code or a tag")
	ErrBirthKey = fault.New(fault.Invalid, "animal.birth_key",
		"a newborn without an ear number or a tag cannot be told from the same one reported twice: send a new Idempotency-Key with each birth, and the same one with each retry")
	ErrBirthReused = fault.New(fault.Conflict, "animal.birth_reused", "this Idempotency-Key was used for another newborn of the same mother; make a new key")
	ErrDeviceKind  = fault.New(fault.Invalid, "device.kind", "a device is a tag, gateway, camera, gate or network, not {kind}")
	ErrNotTag      = fault.New(fault.Invalid, "device.not_tag", "the device {device} is no tag that an animal of this herd could wear")
)

const maxPens = 500

// ClaimFor is how long a claim code is good for.
const ClaimFor = 365 * 24 * time.Hour

// Patch is what changes of a herd; nil fields stay.
type Patch struct {
	Name    *string
	Holding *string
	Region  *string
	Fence   orb.Polygon
	Pens    *[]Pen // all of them; those without an id are new
}

// Change changes a herd. ErrHerdNotFound, and what Register says of fences and pens.
func (s *Herds) Change(ctx context.Context, tenant, id string, p Patch) (Herd, error) {
	h, err := s.Store.Herd(ctx, tenant, id)
	if err != nil {
		return Herd{}, err
	}
	h.Name, h.Holding, h.Region = or(p.Name, h.Name), or(p.Holding, h.Holding), or(p.Region, h.Region)
	if p.Fence != nil {
		h.Fence = p.Fence
	}
	if p.Pens != nil {
		h.Pens = *p.Pens
	}
	if err := checkGround(&h); err != nil {
		return Herd{}, err
	}
	return h, s.Store.SaveHerd(ctx, h)
}

func or(p *string, old string) string {
	if p == nil {
		return old
	}
	return strings.TrimSpace(*p)
}

// checkGround wants a name and sound fence and pens, and gives new pens their ids.
func checkGround(h *Herd) error {
	h.Name = strings.TrimSpace(h.Name)
	if h.Name == "" || h.OwnerID == "" {
		return ErrHerdName
	}
	if h.Region != "" && !ValidCounty(h.Region) {
		return ErrRegion.With("region", h.Region).At("region")
	}
	if err := checkArea(h.Fence, "fence"); err != nil {
		return err
	}
	if len(h.Pens) > maxPens {
		return ErrPens.With("max", maxPens).At("pens")
	}
	h.Pens = slices.Clone(h.Pens)
	seen := map[string]bool{}
	for i := range h.Pens {
		p := &h.Pens[i]
		p.Name = strings.TrimSpace(p.Name)
		p.ID = cmp.Or(p.ID, ident.New())
		if p.Name == "" || len([]rune(p.Name)) > 100 || seen["name "+p.Name] || seen["id "+p.ID] {
			return ErrPenName.At("pens[%d].name", i)
		}
		seen["name "+p.Name], seen["id "+p.ID] = true, true
		if err := checkArea(p.Area, "pens[%d].area", i); err != nil {
			return err
		}
	}
	return nil
}

// Newcomer is an animal that joins a herd, with codes besides the one it goes by.
type Newcomer struct {
	Animal
	Codes []AnimalID
	Since time.Time // when it joined; zero is when the others do
	Dam   string    // id of its mother, of an animal that is born into the herd
	Entry LifeKind  // how it came, if not simply registered: Birth or Arrival
	// Key tells one report of a birth from another: the same one is the same newborn.
	Key string
}

// Enrolled is what joined a herd.
type Enrolled struct {
	Animals     []Animal
	Credentials []Credential // of devices that were not there before
}

// Enrol adds animals and devices to a herd that is there, all or none. Tags that the
// house does not know yet become devices; those that it knows must be free and of this
// herd or of none. Devices need an id and a kind. at is when the animals joined; those
// with a dam are born then. by and source are kept with their lives.
func (s *Herds) Enrol(ctx context.Context, tenant, herdID string, at time.Time, by, source string, animals []Newcomer, devices []Device) (Enrolled, error) {
	h, err := s.Store.Herd(ctx, tenant, herdID)
	if err != nil {
		return Enrolled{}, err
	}
	if len(animals) > MaxHerd {
		return Enrolled{}, ErrHerdTooBig.With("max", MaxHerd)
	}
	j := s.Join(h, at, by, source)
	for i, d := range devices {
		if err := j.Device(d); err != nil {
			return Enrolled{}, at1(err, "devices[%d].id", i)
		}
	}
	for i, n := range animals {
		if _, err := j.Animal(ctx, n); err != nil {
			return Enrolled{}, at1(err, "animals[%d]", i)
		}
	}
	if _, err := s.Store.Record(ctx, tenant, j.Change); err != nil {
		return Enrolled{}, err
	}
	return Enrolled{Animals: j.Change.Animals, Credentials: j.Credentials}, nil
}

// Joining gathers what joins a herd: Change is for Registry.Record.
type Joining struct {
	Change      Change
	Credentials []Credential // of devices that were not there before
	herds       *Herds
	herd        Herd
	at, now     time.Time
	by, source  string
	seen        map[string]bool
}

// Join begins to gather what joins h at that time.
func (s *Herds) Join(h Herd, at time.Time, by, source string) *Joining {
	return &Joining{herds: s, herd: h, at: at, now: s.Now().UTC(), by: by, source: source, seen: map[string]bool{}}
}

// Device adds a device that was not there before, with a secret.
func (j *Joining) Device(d Device) error {
	if err := j.herds.checkDevice(d, j.herd, j.seen); err != nil {
		return err
	}
	secret := NewSecret()
	d.Tenant, d.HerdID, d.SecretHash, d.CreatedAt = j.herd.Tenant, j.herd.ID, HashSecret(secret), j.now
	j.Change.Devices = append(j.Change.Devices, d)
	j.Credentials = append(j.Credentials, Credential{DeviceID: d.ID, Kind: d.Kind, Username: d.Tenant + "/" + d.ID, Secret: secret})
	return nil
}

// Animal adds an animal, with its tag when the house does not know that yet.
func (j *Joining) Animal(ctx context.Context, n Newcomer) (Animal, error) {
	n.ID, n.HerdID = cmp.Or(n.bornID(j.herd.Tenant), ident.New()), j.herd.ID
	if err := j.herds.checkNewcomer(&n, j.herd, j.at, j.seen); err != nil {
		return Animal{}, err
	}
	if n.TagID != "" && !slices.ContainsFunc(j.Change.Devices, func(d Device) bool { return d.ID == n.TagID && d.Kind == TagDevice }) {
		known, err := j.herds.tag(ctx, j.herd.Tenant, n.TagID, j.herd.ID)
		if err == nil && !known {
			err = j.Device(Device{ID: n.TagID, Kind: TagDevice})
		}
		if err != nil {
			return Animal{}, err
		}
	}
	j.Change.Animals = append(j.Change.Animals, n.Animal)
	j.Change.Events = append(j.Change.Events, n.events(j.at, j.now, j.by, j.source)...)
	if n.Dam != "" && !j.seen["dam "+n.Dam] { // twins are one calving
		j.seen["dam "+n.Dam] = true
		j.Change.Events = append(j.Change.Events, LifeEvent{ID: ident.New(), AnimalID: n.Dam, Kind: Calving, At: j.at, Recorded: j.now, By: j.by, Source: j.source})
	}
	return n.Animal, nil
}

// Born enrols a newborn animal of a dam in a herd of owner, and tells the dam's
// calving. Its tag, if any, is one of the herd's. A birth that was told under the same
// key before gives the animal it made then; ErrBirthReused when that is another one.
// ErrBirthKey without a key of what has no code and no tag. ErrAnimalNotFound for a dam
// that is not in a herd of owner.
func (s *Herds) Born(ctx context.Context, tenant, owner, by string, at time.Time, n Newcomer) (Animal, error) {
	dam, err := s.Store.Animal(ctx, tenant, n.Dam)
	if err != nil {
		return Animal{}, err
	}
	if err := s.owns(ctx, tenant, owner, dam.HerdID); err != nil {
		return Animal{}, ErrAnimalNotFound
	}
	if at.After(s.Now().Add(5 * time.Minute)) {
		return Animal{}, ErrLifeFuture.With("date", day(at)).At("at")
	}
	n.Species, n.Born = dam.Species, at
	if n.Key == "" && n.TagID == "" && n.Identity.Code == "" {
		return Animal{}, ErrBirthKey
	}
	if a, err := s.bornBefore(ctx, tenant, n); a.ID != "" || err != nil {
		return a, err
	}
	if n.TagID != "" {
		if d, err := s.Store.Device(ctx, tenant, n.TagID); err != nil || d.HerdID != dam.HerdID {
			return Animal{}, cmp.Or(err, error(ErrNotTag.With("device", n.TagID).At("tag_id")))
		}
	}
	e, err := s.Enrol(ctx, tenant, dam.HerdID, at, by, "farmer", []Newcomer{n}, nil)
	if err != nil {
		if a, again := s.bornBefore(ctx, tenant, n); a.ID != "" { // by the same request, a moment ago
			return a, again
		}
		return Animal{}, veil(err, owner)
	}
	return e.Animals[0], nil
}

// bornBefore is the animal that the birth's key made before, or none.
func (s *Herds) bornBefore(ctx context.Context, tenant string, n Newcomer) (Animal, error) {
	id := n.bornID(tenant)
	if id == "" {
		return Animal{}, nil
	}
	a, err := s.Store.Animal(ctx, tenant, id)
	switch {
	case errors.Is(err, ErrAnimalNotFound):
		return Animal{}, nil
	case err != nil:
		return Animal{}, err
	case !a.Born.Truncate(time.Millisecond).Equal(n.Born.Truncate(time.Millisecond)) || a.Sex != n.Sex:
		return Animal{}, ErrBirthReused
	}
	return a, nil // breed, code and tag may have changed since
}

// bornID is the id of a newborn by the key of its report, so that no report makes two:
// a UUIDv7 with the time of its mother's and a hash for the rest. "" without a key.
func (n Newcomer) bornID(tenant string) string {
	if n.Key == "" || n.Dam == "" {
		return ""
	}
	const stamp = len("00000000-0000")
	like := n.Dam
	if len(like) != len(ident.At(time.Time{})) {
		like = ident.At(time.Time{})
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{tenant, n.Dam, n.Key}, "\x00")))
	h := hex.EncodeToString(sum[:])
	return like[:stamp] + "-7" + h[:3] + "-" + string("89ab"[sum[16]&3]) + h[3:6] + "-" + h[6:18]
}

// events bring the animal into its herd.
func (n Newcomer) events(at, now time.Time, by, source string) []LifeEvent {
	if !n.Since.IsZero() {
		at = n.Since
	}
	events := TakeUp(n.Animal, at, by, source)
	events[0].Kind, events[0].Other = cmp.Or(n.Entry, events[0].Kind), n.Dam
	if n.Dam != "" {
		events[0].Kind = Birth
	}
	for _, code := range n.Codes {
		events = append(events, LifeEvent{ID: ident.New(), AnimalID: n.ID, Kind: Identified, At: at, By: by, Source: source, Identity: &code})
	}
	for i := range events {
		events[i].Recorded = now
	}
	return events
}

// at1 gives an error that names no place yet the place of a list's element.
func at1(err error, place string, i int) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Place == "" {
		return f.At(place, i)
	}
	return err
}

func (s *Herds) checkDevice(d Device, h Herd, seen map[string]bool) error {
	switch {
	case !ValidDeviceID(d.ID):
		return ErrDeviceID.With("device", d.ID)
	case seen[d.ID]:
		return ErrTwice.With("what", d.ID)
	case d.Kind != TagDevice && d.Kind != Gateway && d.Kind != Camera && d.Kind != Gate:
		return ErrDeviceKind.With("kind", d.Kind)
	case d.PenID != "" && !h.hasPen(d.PenID):
		return ErrPenNotFound.With("pen", d.PenID)
	}
	seen[d.ID] = true
	return s.checkProfile(d)
}

func (s *Herds) checkProfile(d Device) error {
	if d.Profile == "" || s.Profile == nil {
		return nil
	}
	return s.Profile(d.Profile)
}

func (h Herd) hasPen(id string) bool {
	return slices.ContainsFunc(h.Pens, func(p Pen) bool { return p.ID == id })
}

// checkNewcomer makes an animal whole and says what is wrong with it.
func (s *Herds) checkNewcomer(n *Newcomer, h Herd, at time.Time, seen map[string]bool) error {
	n.Species = cmp.Or(n.Species, h.Species)
	if s.Known != nil && !s.Known(n.Species) {
		return ErrHerdSpecies.With("species", n.Species)
	}
	codes := append([]AnimalID{n.Identity}, n.Codes...)
	if n.Identity == (AnimalID{}) {
		if codes = n.Codes; len(codes) == 0 && n.TagID == "" && n.Dam == "" {
			return ErrNoCode
		}
	}
	for i := range codes {
		codes[i] = codes[i].Normal()
		if err := codes[i].Validate(n.Species); err != nil {
			return err
		}
		key := codes[i].Scheme + " " + codes[i].Code
		if seen[key] {
			return ErrTwice.With("what", codes[i].Code)
		}
		seen[key] = true
	}
	if n.Identity != (AnimalID{}) {
		n.Identity, n.Codes = codes[0], codes[1:]
	} else {
		n.Codes = codes
	}
	if !slices.Contains([]string{"", "f", "m", "c"}, n.Sex) {
		return ErrSex.With("sex", n.Sex)
	}
	if !n.Bred.IsZero() && (n.Sex == "m" || n.Sex == "c" || n.Bred.After(at)) {
		return ErrBred.With("code", n.Identity.Code)
	}
	if n.Since.After(at) {
		return ErrLifeFuture.With("date", day(n.Since))
	}
	if n.Born.After(s.Now()) {
		return ErrBorn.With("code", n.Identity.Code).With("date", n.Born.Format(time.DateOnly))
	}
	return nil
}

// tag tells whether the house knows a tag that an animal of the herd can wear.
func (s *Herds) tag(ctx context.Context, tenant, id, herd string) (known bool, err error) {
	d, err := s.Store.Device(ctx, tenant, id)
	switch {
	case errors.Is(err, ErrDeviceNotFound):
		return false, nil
	case err != nil:
		return false, err
	case d.Kind != TagDevice || d.HerdID != "" && d.HerdID != herd:
		return false, ErrNotTag.With("device", id)
	case d.Revoked:
		return false, ErrRevoked.With("device", id)
	}
	return true, nil
}

// Report takes events of animals that are registered and returns the herds they
// changed. owner "" speaks for every herd; another one only for those of that person:
// animals of others are not found. It fills in who told it and when.
func (s *Herds) Report(ctx context.Context, tenant, owner, by, source string, events []LifeEvent) ([]string, error) {
	now := s.Now().UTC()
	events = slices.Clone(events)
	for i := range events {
		e := &events[i]
		e.ID, e.Tenant, e.Recorded, e.By, e.Source = ident.New(), tenant, now, by, source
		if err := s.checkEvent(ctx, e, owner, now); err != nil {
			return nil, err
		}
	}
	herds, err := s.Store.Record(ctx, tenant, Change{Events: events})
	return herds, veil(err, owner)
}

// veil keeps from an owner in whose herd a code or tag is that is not theirs to see.
func veil(err error, owner string) error {
	var f *fault.Error
	if owner == "" || !errors.As(err, &f) {
		return err
	}
	const elsewhere = "***"
	switch {
	case errors.Is(err, ErrAnimalTaken):
		return ErrAnimalTaken.With("code", f.Args["code"]).With("herd", elsewhere)
	case errors.Is(err, ErrCodeUsed):
		return ErrCodeUsed.With("code", f.Args["code"]).With("herd", elsewhere).With("until", f.Args["until"])
	case errors.Is(err, ErrTagWorn):
		return ErrTagWorn.With("tag", f.Args["tag"]).With("code", elsewhere).With("herd", elsewhere).With("date", f.Args["date"])
	}
	return err
}

func (s *Herds) checkEvent(ctx context.Context, e *LifeEvent, owner string, now time.Time) error {
	a, err := s.Store.Animal(ctx, e.Tenant, e.AnimalID)
	if err != nil {
		return err
	}
	if err := s.owns(ctx, e.Tenant, owner, a.HerdID); err != nil {
		return ErrAnimalNotFound
	}
	if e.HerdID != "" {
		if err := s.owns(ctx, e.Tenant, owner, e.HerdID); err != nil {
			return err
		}
	}
	if _, ok := ranks[e.Kind]; !ok || e.Kind == Registered || e.Kind == Birth {
		return ErrLifeKind.With("kind", e.Kind)
	}
	if e.At.After(now.Add(5 * time.Minute)) {
		return ErrLifeFuture.With("date", day(e.At)).At("at")
	}
	if reasons := Reasons(e.Kind); e.Reason != "" && !slices.Contains(reasons, e.Reason) {
		return ErrLifeReason.With("reason", e.Reason).With("reasons", strings.Join(reasons, ", ")).At("reason")
	}
	if e.Kind == TagOn {
		d, err := s.Store.Device(ctx, e.Tenant, e.TagID)
		if err == nil && owner != "" && d.HerdID == "" {
			err = ErrNotTag.With("device", e.TagID) // it wants its claim code
		}
		if err == nil {
			_, err = s.tag(ctx, e.Tenant, e.TagID, cmp.Or(e.HerdID, a.HerdID))
		}
		if err != nil {
			return err
		}
	}
	if e.Identity == nil && e.Kind == Identified {
		return ErrNoCode.At("identity")
	}
	if e.Identity != nil {
		id := e.Identity.Normal()
		if err := id.Validate(a.Species); err != nil {
			return err
		}
		e.Identity = &id
	}
	return nil
}

// owns returns ErrHerdNotFound for a herd of somebody else.
func (s *Herds) owns(ctx context.Context, tenant, owner, herdID string) error {
	if owner == "" {
		return nil
	}
	h, err := s.Store.Herd(ctx, tenant, herdID)
	if err == nil && h.OwnerID != owner {
		return ErrHerdNotFound
	}
	return err
}

// NewClaim is a device with the code to print beside it; it is shown only now. A
// network server has no herd to be claimed for and gets its credential at once.
type NewClaim struct {
	DeviceID   string      `json:"device_id"`
	Kind       DeviceKind  `json:"kind"`
	Profile    string      `json:"profile,omitempty"`
	Code       string      `json:"claim_code,omitempty"`
	Expires    *time.Time  `json:"expires_at,omitempty"`
	Credential *Credential `json:"credential,omitempty"`
}

// AddDevices takes up a box of devices, all or none, and returns their claim codes.
func (s *Herds) AddDevices(ctx context.Context, tenant string, devices []Device) ([]NewClaim, error) {
	now := s.Now().UTC()
	seen := map[string]bool{}
	devices = slices.Clone(devices)
	var claims []Claim
	out := make([]NewClaim, len(devices))
	for i := range devices {
		d := &devices[i]
		d.Tenant, d.CreatedAt = tenant, now
		out[i] = NewClaim{DeviceID: d.ID, Kind: d.Kind, Profile: d.Profile}
		if d.Kind == Network {
			if !ValidDeviceID(d.ID) || seen[d.ID] {
				return nil, ErrDeviceID.With("device", d.ID).At("devices[%d]", i)
			}
			seen[d.ID] = true
			if err := s.checkProfile(*d); err != nil {
				return nil, at1(err, "devices[%d].profile", i)
			}
			secret := NewSecret()
			d.SecretHash = HashSecret(secret)
			out[i].Credential = &Credential{DeviceID: d.ID, Kind: d.Kind, Username: tenant + "/" + d.ID, Secret: secret}
			continue
		}
		if err := s.checkDevice(*d, Herd{}, seen); err != nil {
			return nil, at1(err, "devices[%d]", i)
		}
		c, code := s.newClaim(tenant, d.ID)
		claims = append(claims, c)
		out[i].Code, out[i].Expires = code, &c.Expires
	}
	return out, s.Store.AddDevices(ctx, devices, claims)
}

func (s *Herds) newClaim(tenant, device string) (Claim, string) {
	code := NewClaimCode()
	return Claim{Device: device, CodeHash: HashClaim(tenant, device, code), Expires: s.Now().UTC().Add(ClaimFor)}, code
}

// RenewClaim gives a device that is in no herd, or revoked in one, a new claim code.
func (s *Herds) RenewClaim(ctx context.Context, tenant, device string) (NewClaim, error) {
	d, err := s.Store.Device(ctx, tenant, device)
	if err != nil {
		return NewClaim{}, err
	}
	c, code := s.newClaim(tenant, device)
	if err := s.Store.RenewClaim(ctx, tenant, c); err != nil {
		return NewClaim{}, err
	}
	return NewClaim{DeviceID: d.ID, Kind: d.Kind, Profile: d.Profile, Code: code, Expires: &c.Expires}, nil
}

// Claim takes a device into a herd of owner by its number and code, puts it on the
// animal when there is one, and returns what it signs in with.
func (s *Herds) Claim(ctx context.Context, tenant, owner, herdID, penID, device, code, animalID string) (Credential, error) {
	if err := s.owns(ctx, tenant, owner, herdID); err != nil {
		return Credential{}, err
	}
	h, err := s.Store.Herd(ctx, tenant, herdID)
	if err != nil {
		return Credential{}, err
	}
	if penID != "" && !h.hasPen(penID) {
		return Credential{}, ErrPenNotFound.With("pen", penID).At("pen_id")
	}
	if code, err = ReadClaimCode(code); err != nil {
		return Credential{}, ErrClaimCode.At("code")
	}
	now, secret := s.Now().UTC(), NewSecret()
	t := ClaimTry{Tenant: tenant, Device: device, CodeHash: HashClaim(tenant, device, code), HerdID: herdID, PenID: penID,
		SecretHash: HashSecret(secret), By: owner, At: now}
	if animalID != "" {
		a, err := s.Store.Animal(ctx, tenant, animalID)
		if err == nil && a.HerdID != herdID {
			err = ErrAnimalNotFound
		}
		if err != nil {
			return Credential{}, err
		}
		t.Event = &LifeEvent{ID: ident.New(), Tenant: tenant, AnimalID: animalID, Kind: TagOn, At: now, Recorded: now, By: owner, Source: "farmer",
			TagID: device, Reason: "replaced"}
	}
	d, err := s.Store.Claim(ctx, t)
	if err != nil {
		return Credential{}, err
	}
	return Credential{DeviceID: d.ID, Kind: d.Kind, Username: tenant + "/" + d.ID, Secret: secret}, nil
}

// Rotate gives a device a new secret; who signed in with the old one is cut off.
func (s *Herds) Rotate(ctx context.Context, tenant, device string) (Credential, error) {
	d, err := s.Store.Device(ctx, tenant, device)
	if err != nil {
		return Credential{}, err
	}
	if d.HerdID == "" && d.Kind != Network {
		return Credential{}, ErrClaim // it has none before it is claimed
	}
	secret := NewSecret()
	if err := s.Store.Rotate(ctx, tenant, device, HashSecret(secret)); err != nil {
		return Credential{}, err
	}
	s.cutOff(tenant, device)
	return Credential{DeviceID: d.ID, Kind: d.Kind, Username: tenant + "/" + d.ID, Secret: secret}, nil
}

// Revoke takes a device's right to publish, now and for good. ErrDeviceNotFound.
func (s *Herds) Revoke(ctx context.Context, tenant, device string) error {
	if err := s.Store.Revoke(ctx, tenant, device); err != nil {
		return err
	}
	s.cutOff(tenant, device)
	return nil
}

func (s *Herds) cutOff(tenant, device string) {
	if s.Revoked != nil {
		s.Revoked(tenant, device)
	}
}
