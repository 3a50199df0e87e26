package register

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
)

// Importer puts files into the register.
type Importer struct {
	Herds   *iot.Herds
	Species *species.Catalogue
	// Weigh keeps weighings; the same one again changes nothing. Without it files with
	// weighings are refused at each of them.
	Weigh func(ctx context.Context, tenant string, w []iot.Weighing) error
}

// Request is a file for a herd.
type Request struct {
	Tenant, HerdID string
	By             string // who sends it
	Body           []byte
	DryRun         bool // write nothing
	SkipBad        bool // write the good rows although others are refused
}

// Account says what became of a file. Read is Added, Known, Events, Weighings, Devices
// and Refused together.
type Account struct {
	Format      string           `json:"format"` // "table" or "icar-ade"
	Read        int              `json:"read"`
	Added       int              `json:"added"`     // animals
	Known       int              `json:"known"`     // animals, events and devices that were there
	Events      int              `json:"events"`    // of lives
	Weighings   int              `json:"weighings"` // whether new or not
	Devices     int              `json:"devices"`
	Refused     int              `json:"refused"` // rows or resources
	Saved       bool             `json:"saved"`
	Refusals    []RowRefusal     `json:"refusals"`
	Credentials []iot.Credential `json:"credentials"` // of new devices; shown only now
	Herds       []string         `json:"-"`           // that changed
}

// Account is that of a file that was only read: nothing is known, nothing is saved.
func (f File) Account() Account {
	a := Account{Format: f.Format, Read: f.Read, Events: len(f.Events), Weighings: len(f.Weighings), Devices: len(f.Devices),
		Refused: f.refused(), Refusals: append([]RowRefusal{}, f.Refusals...), Credentials: []iot.Credential{}}
	for _, e := range f.Animals {
		if !e.Event {
			a.Added++
		}
	}
	return a
}

// refused counts the places that are refused; a row may be so for several cells.
func (f File) refused() int {
	places := map[Place]bool{}
	for _, r := range f.Refusals {
		places[r.Place] = true
	}
	return len(places)
}

// importing is a file on its way into a herd.
type importing struct {
	*Importer
	Request
	file   File
	out    Account
	herd   iot.Herd
	now    time.Time
	known  map[iot.AnimalID]iot.Animal
	byTag  map[string]iot.Animal
	added  map[iot.AnimalID]string // codes of new animals → ids
	join   *iot.Joining
	lives  map[string][]iot.LifeEvent // of animals that events of the file befall
	fresh  map[string]iot.Animal
	weighs []iot.Weighing
}

// Import reads a file and puts what it says into the herd, in one transaction. With
// refusals nothing is written unless SkipBad. Errors are of the file as a whole or of
// the store.
func (i *Importer) Import(ctx context.Context, q Request) (Account, error) {
	herd, err := i.Herds.Store.Herd(ctx, q.Tenant, q.HerdID)
	if err != nil {
		return Account{}, err
	}
	now := i.Herds.Now().UTC()
	m := &importing{Importer: i, Request: q, herd: herd, now: now, join: i.Herds.Join(herd, now, q.By, "import"),
		added: map[iot.AnimalID]string{}, lives: map[string][]iot.LifeEvent{}, fresh: map[string]iot.Animal{}}
	if m.file, err = Read(q.Body, Options{Species: i.Species, Default: herd.Species, Today: now}); err != nil {
		return Account{}, err
	}
	m.out = Account{Format: m.file.Format, Read: m.file.Read, Credentials: []iot.Credential{}}
	for _, step := range []func(context.Context) error{m.lookUp, m.devices, m.animals, m.events, m.weighings, m.save} {
		if err := step(ctx); err != nil {
			return Account{}, err
		}
	}
	m.out.Refusals = append([]RowRefusal{}, m.file.Refusals...)
	slices.SortStableFunc(m.out.Refusals, func(a, b RowRefusal) int { return cmp.Compare(a.Row, b.Row) })
	return m.out, nil
}

// lookUp finds all animals that the file names.
func (m *importing) lookUp(ctx context.Context) (err error) {
	var all []iot.AnimalID
	for _, e := range m.file.Animals {
		all = append(all, codes(e.Animal)...)
	}
	for _, e := range m.file.Events {
		all = append(all, e.Code)
	}
	for _, w := range m.file.Weighings {
		all = append(all, w.Code)
	}
	if m.known, err = m.Herds.Store.AnimalsByCode(ctx, m.Tenant, all); err != nil {
		return err
	}
	list, err := m.Herds.Store.Animals(ctx, m.Tenant, m.HerdID)
	if err != nil {
		return err
	}
	m.byTag = make(map[string]iot.Animal, len(list))
	here := 0
	for _, a := range list {
		if a.TagID != "" {
			m.byTag[a.TagID] = a
		}
		if a.Here() {
			here++
		}
	}
	return m.room(here)
}

// room refuses a table that the herd has no room for, before each of its rows is
// worked on; what events of a file bring and take away is known only behind them.
func (m *importing) room(here int) error {
	for _, e := range m.file.Animals {
		if _, there := m.find(e.Animal); !there && !e.Event && (e.Animal.Status == "" || e.Animal.Status == iot.Alive) {
			here++
		}
	}
	if here > iot.MaxHerd && len(m.file.Events) == 0 && !m.SkipBad {
		return iot.ErrHerdTooBig.With("max", iot.MaxHerd)
	}
	return nil
}

// devices adds those that are not there.
func (m *importing) devices(ctx context.Context) error {
	for _, d := range m.file.Devices {
		_, err := m.Herds.Store.Device(ctx, m.Tenant, d.ID)
		switch {
		case err == nil:
			m.out.Known++
			continue
		case !errors.Is(err, iot.ErrDeviceNotFound):
			return err
		}
		if err := m.join.Device(d.Device); err != nil {
			m.file.refuse(d.Place, err)
			continue
		}
		m.out.Devices++
	}
	return nil
}

// animals adds those that are not there.
func (m *importing) animals(ctx context.Context) error {
	first := map[iot.AnimalID]time.Time{}
	for _, e := range m.file.Events {
		if at, ok := first[e.Code]; !ok || e.Event.At.Before(at) {
			first[e.Code] = e.Event.At
		}
	}
	for _, e := range m.file.Animals {
		a, there := m.find(e.Animal)
		for _, c := range codes(e.Animal) {
			// It was there when the first of the file's events befell it.
			if at, ok := first[c]; ok && e.Animal.Since.IsZero() {
				e.Animal.Since = at
			}
		}
		err := m.pen(&e)
		switch {
		case err != nil:
		case there && e.Event:
			continue // its event tells the rest
		case there:
			if err = m.same(a, e.Animal); err == nil {
				m.out.Known++
				continue
			}
		default:
			err = m.add(ctx, e)
		}
		if err != nil {
			if !isFault(err) {
				return err
			}
			m.file.refuse(e.Place, err)
		} else if !e.Event {
			m.out.Added++
		}
	}
	return nil
}

// isFault tells what is wrong with the file from what is wrong with the store.
func isFault(err error) bool {
	return refusal(err).Code != "" && refusal(err).Code != "store.unavailable"
}

// find is the animal that has one of the codes, or else wears the tag in this herd.
func (m *importing) find(n iot.Newcomer) (iot.Animal, bool) {
	for _, c := range codes(n) {
		if a, ok := m.known[c]; ok {
			return a, true
		}
	}
	if len(codes(n)) > 0 || n.TagID == "" {
		return iot.Animal{}, false
	}
	a, ok := m.byTag[n.TagID]
	return a, ok && a.Identity.Code == ""
}

// pen finds the id of the pen that a row names.
func (m *importing) pen(e *Entry) error {
	if e.Pen == "" {
		return nil
	}
	var list []string
	for _, p := range m.herd.Pens {
		if p.ID == e.Pen || clean(p.Name) == e.Pen {
			e.Animal.PenID = p.ID
			return nil
		}
		list = append(list, p.Name)
	}
	return errPen.With("pen", e.Pen).With("pens", cmp.Or(strings.Join(list, ", "), "-"))
}

// same compares a registered animal with what the file says of it; what the file does
// not say is no difference.
func (m *importing) same(a iot.Animal, n iot.Newcomer) error {
	if a.HerdID != m.HerdID {
		return errOther
	}
	for _, c := range codes(n) {
		if other, ok := m.known[c]; !ok || other.ID != a.ID {
			return errDiffers.With("field", "code").With("has", cmp.Or(a.Identity.Code, "-"))
		}
	}
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateOnly)
	}
	for _, x := range []struct{ field, has, says string }{
		{"species", a.Species, n.Species}, {"breed", a.Breed, n.Breed}, {"sex", a.Sex, n.Sex}, {"born", date(a.Born), date(n.Born)},
		{"status", string(a.Status), string(n.Status)}, {"tag", a.TagID, n.TagID}, {"pen", a.PenID, n.PenID}, {"bred", date(a.Bred), date(n.Bred)},
	} {
		if gone := !a.Here() && (x.field == "tag" || x.field == "pen" || x.field == "bred"); x.says != "" && x.says != x.has && !gone {
			return errDiffers.With("field", x.field).With("has", cmp.Or(x.has, "-"))
		}
	}
	return nil
}

func (m *importing) add(ctx context.Context, e Entry) error {
	if _, worn := m.byTag[e.Animal.TagID]; worn && e.Animal.TagID != "" {
		return errWorn.With("tag", e.Animal.TagID)
	}
	before := len(m.join.Change.Events)
	a, err := m.join.Animal(ctx, e.Animal)
	if err != nil {
		return err
	}
	events := m.join.Change.Events[before:]
	if _, err := iot.Derive(a, events); err != nil {
		m.join.Change.Events = m.join.Change.Events[:before]
		m.join.Change.Animals = m.join.Change.Animals[:len(m.join.Change.Animals)-1]
		return err
	}
	for _, c := range codes(e.Animal) {
		m.added[c] = a.ID
	}
	m.fresh[a.ID], m.lives[a.ID] = a, slices.Clone(events)
	return nil
}

// animalOf is the animal of a code, new or known.
func (m *importing) animalOf(c iot.AnimalID) (id string, err error) {
	if id, ok := m.added[c]; ok {
		return id, nil
	}
	if a, ok := m.known[c]; ok {
		return a.ID, nil
	}
	return "", errStranger.With("code", c.Code)
}

// events tells what befell animals, in the order of time: each must fit the life that
// the animal has with those before.
func (m *importing) events(ctx context.Context) error {
	slices.SortStableFunc(m.file.Events, func(a, b Event) int { return a.Event.At.Compare(b.Event.At) })
	var keys []string
	for _, e := range m.file.Events {
		keys = append(keys, e.Event.Key)
	}
	told, err := m.Herds.Store.KnownEvents(ctx, m.Tenant, "import", keys)
	if err != nil {
		return err
	}
	for _, e := range m.file.Events {
		if told[e.Event.Key] {
			m.out.Known++
			continue
		}
		if err := m.event(ctx, e); err != nil {
			if !isFault(err) {
				return err
			}
			m.file.refuse(e.Place, err)
			continue
		}
		told[e.Event.Key] = true
		m.out.Events++
	}
	return nil
}

func (m *importing) event(ctx context.Context, e Event) error {
	id, err := m.animalOf(e.Code)
	if err != nil {
		return err
	}
	x := e.Event
	x.ID, x.AnimalID, x.Recorded, x.By, x.Source = ident.New(), id, m.now, m.By, "import"
	if x.Kind == iot.Birth || x.Kind == iot.Arrival {
		x.HerdID = m.HerdID
		// An animal that came with this event has it as its entry already.
		if first := m.entry(id); first != nil && first.Kind == x.Kind && first.At.Equal(x.At) {
			first.Key, first.Reason, first.Note = x.Key, x.Reason, x.Note
			return nil
		}
	}
	a, fresh := m.fresh[id]
	if !fresh {
		if a, err = m.Herds.Store.Animal(ctx, m.Tenant, id); err != nil {
			return err
		}
		if a.HerdID != m.HerdID && x.Kind != iot.Arrival {
			return errOther
		}
		if m.lives[id] == nil {
			l, err := m.Herds.Store.Life(ctx, m.Tenant, id)
			if err != nil {
				return err
			}
			m.lives[id] = l.Events
		}
	}
	with := append(slices.Clone(m.lives[id]), x)
	if _, err := iot.Derive(a, with); err != nil {
		return err
	}
	m.lives[id] = with
	m.join.Change.Events = append(m.join.Change.Events, x)
	return nil
}

// entry is the event that brings a new animal into the herd.
func (m *importing) entry(id string) *iot.LifeEvent {
	if _, ok := m.fresh[id]; !ok {
		return nil
	}
	for i := range m.join.Change.Events {
		if e := &m.join.Change.Events[i]; e.ID == id {
			return e
		}
	}
	return nil
}

// weighings names the animals of weights.
func (m *importing) weighings(context.Context) error {
	for _, w := range m.file.Weighings {
		id, err := m.animalOf(w.Code)
		if err == nil && m.Weigh == nil {
			err = errResource.With("type", "WeightEvent")
		}
		if err != nil {
			m.file.refuse(w.Place, err)
			continue
		}
		w.Tenant, w.AnimalID = m.Tenant, id
		m.weighs = append(m.weighs, w.Weighing)
		m.out.Weighings++
	}
	return nil
}

// save writes all of it, or tries to.
func (m *importing) save(ctx context.Context) error {
	m.out.Refused = m.file.refused()
	c := m.join.Change
	c.DryRun = m.DryRun || m.out.Refused > 0 && !m.SkipBad
	herds, err := m.Herds.Store.Record(ctx, m.Tenant, c)
	if err != nil || c.DryRun {
		return err
	}
	m.out.Saved, m.out.Herds, m.out.Credentials = true, herds, append(m.out.Credentials, m.join.Credentials...)
	if len(m.weighs) == 0 {
		return nil
	}
	return m.Weigh(ctx, m.Tenant, m.weighs)
}
