package iot

import (
	"cmp"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with an event of an animal's life.
var (
	ErrLifeKind       = fault.New(fault.Invalid, "life.kind", "there is no event of the kind {kind}")
	ErrLifeReason     = fault.New(fault.Invalid, "life.reason", "the reason {reason} is not one of: {reasons}")
	ErrLifeFuture     = fault.New(fault.Invalid, "life.future", "the event cannot lie in the future: {date}")
	ErrLifeBeforeBorn = fault.New(fault.Invalid, "life.before_birth", "the animal {code} was born on {born}, after {date}")
	ErrLifeEntry      = fault.New(fault.Conflict, "life.before_entry", "on {date} the animal {code} was not yet in any herd: report its birth or arrival first, or mend the date")
	ErrLifeDead       = fault.New(fault.Conflict, "life.after_death", "the animal {code} died on {died}, nothing can befall it on {date}: take the wrong event back first")
	ErrLifeGone       = fault.New(fault.Conflict, "life.gone", "the animal {code} had left its herd before {date}: report its arrival first, or take its departure back")
	ErrLifeBirth      = fault.New(fault.Conflict, "life.birth", "the birth of animal {code} must come before everything else that befell it")
	ErrLifeTag        = fault.New(fault.Conflict, "life.tag", "on {date} the animal {code} wore {worn}, not what the event says")
	ErrLifeSex        = fault.New(fault.Invalid, "life.sex", "the animal {code} is not female")
	ErrLifeCorrection = fault.New(fault.Conflict, "life.correction", "only an event of the same animal that still stands can be taken back, and no correction")
)

// LifeKind names what befell an animal.
type LifeKind string

// Kinds of events of a life.
const (
	Registered LifeKind = "registered" // first taken up: where it stands, its code, its tag
	Birth      LifeKind = "birth"      // into a herd; Other is its dam
	Arrival    LifeKind = "arrival"    // bought or brought
	Departure  LifeKind = "departure"  // sold, or moved off the holding
	Death      LifeKind = "death"
	Move       LifeKind = "move"       // to another pen or herd of the tenant
	TagOn      LifeKind = "tag_on"     // wears TagID from now; the tag before ends for Reason
	TagLost    LifeKind = "tag_lost"   // wears none any more
	Identified LifeKind = "identified" // has Identity from now; the code before of the same scheme ends for Reason
	Service    LifeKind = "service"    // mated or inseminated
	Pregnancy  LifeKind = "pregnancy"  // found pregnant, of the service before
	NotBred    LifeKind = "not_bred"   // found empty, or lost the calf
	Calving    LifeKind = "calving"    // offspring are animals of their own, each with its birth
	Correction LifeKind = "correction" // takes the event Corrects back
)

// ranks order events of one moment, so that a life does not depend on who wrote first.
var ranks = map[LifeKind]int{
	Birth: 0, Registered: 1, Arrival: 2, Move: 3, Identified: 4, TagLost: 5, TagOn: 6,
	Service: 7, Pregnancy: 8, NotBred: 9, Calving: 10, Departure: 11, Death: 12, Correction: 13,
}

// Passages are the kinds of events that change where an animal is.
func Passages() []LifeKind { return []LifeKind{Birth, Arrival, Departure, Death, Move} }

// Reasons are the reasons that an event of a kind may have besides none; a kind that
// is absent takes none. Those of deaths follow ICAR ADE's icarDeathReasonType.
func Reasons(kind LifeKind) []string {
	switch kind {
	case Death:
		return []string{"missing", "parturition", "disease", "accident", "consumption", "culled", "predator", "other", "unknown"}
	case Departure:
		return []string{"sale", "move", "slaughter", "theft", "mistake", "other"}
	case Arrival:
		return []string{"purchase", "move", "return", "other"}
	case TagOn, TagLost, Identified:
		return []string{"lost", "broken", "replaced", "first", "other"}
	case NotBred:
		return []string{"empty", "abortion", "other"}
	case Registered, Birth, Move, Service, Pregnancy, Calving, Correction:
	}
	return nil
}

// LifeEvent is one line of an animal's life. Lines are appended and never changed.
type LifeEvent struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"-"`
	AnimalID string    `json:"animal_id"`
	Kind     LifeKind  `json:"kind"`
	At       time.Time `json:"at"`            // when it befell the animal
	Recorded time.Time `json:"recorded_at"`   // when the house was told
	By       string    `json:"by,omitempty"`  // the person who told it
	Source   string    `json:"source"`        // "registration", "operator", "farmer", "import"
	Key      string    `json:"key,omitempty"` // number of the event in the system it came from
	HerdID   string    `json:"herd_id,omitempty"`
	PenID    string    `json:"pen_id,omitempty"`
	TagID    string    `json:"tag_id,omitempty"`
	Identity *AnimalID `json:"identity,omitempty"`
	Reason   string    `json:"reason,omitempty"` // one of Reasons(Kind)
	Note     string    `json:"note,omitempty"`
	Other    string    `json:"other,omitempty"`    // id of another animal: the dam
	Corrects string    `json:"corrects,omitempty"` // id of the event that is taken back
}

// Identifier is a code while it was an animal's.
type Identifier struct {
	AnimalID
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to,omitempty"` // nil of one that it has now
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"` // who ended it, or gave it while it stands
}

// Wearing is a tag while an animal wore it: readings of that time are the animal's.
type Wearing struct {
	Tag    string     `json:"tag"`
	Animal string     `json:"animal_id"`
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to,omitempty"` // nil of the tag that it wears now
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"`
}

// Holds tells whether the tag was worn at that time; the end is not part of it.
func (w Wearing) Holds(at time.Time) bool {
	return !at.Before(w.From) && (w.To == nil || at.Before(*w.To))
}

// Life is an animal with all that is known of it.
type Life struct {
	Animal      Animal       `json:"animal"`
	Identifiers []Identifier `json:"identifiers"`
	Tags        []Wearing    `json:"tags"`
	Events      []LifeEvent  `json:"events"` // by the day they befell it, those taken back included
	Dam         string       `json:"dam,omitempty"`
	Stays       []Stay       `json:"-"` // in herds and pens, in the order of time
}

// Stay is a time that an animal was in one herd and pen.
type Stay struct {
	HerdID, PenID string
	From          time.Time
	To            *time.Time // nil of the one that goes on
	Taken         bool       // it was only taken up then: it may have been there before
}

// life is a Life while it is told.
type life struct {
	Life
	entered bool
	gone    bool
	died    time.Time
	served  time.Time
	event   LifeEvent // that is being told
}

// Derive tells the life of an animal by its events, whatever order they come in. a
// gives what does not change: id, species, breed, sex, birth, heads. It returns an
// error for events that cannot all be true: the first, by date, that clashes with
// those before.
func Derive(a Animal, events []LifeEvent) (Life, error) {
	l := life{Life: Life{Animal: Animal{
		ID: a.ID, Species: a.Species, Breed: a.Breed, Sex: a.Sex, Born: a.Born, Heads: a.Heads, Status: Alive,
	}, Identifiers: []Identifier{}, Tags: []Wearing{}, Events: slices.Clone(events)}}
	slices.SortFunc(l.Events, func(x, y LifeEvent) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(ranks[x.Kind], ranks[y.Kind]), cmp.Compare(x.ID, y.ID))
	})
	void, err := corrected(l.Events)
	if err != nil {
		return Life{}, err
	}
	for _, e := range l.Events {
		if e.Kind == Correction || void[e.ID] {
			continue
		}
		l.event = e
		if err := l.tell(e); err != nil {
			return Life{}, err
		}
		l.stay(e)
	}
	if !l.entered {
		return Life{}, ErrLifeEntry.With("code", l.code()).With("date", day(a.Born))
	}
	l.Animal.Identity = l.main()
	return l.Life, nil
}

// corrected are the events that were taken back.
func corrected(events []LifeEvent) (map[string]bool, error) {
	kinds, void := map[string]LifeKind{}, map[string]bool{}
	for _, e := range events {
		kinds[e.ID] = e.Kind
	}
	for _, e := range events {
		if e.Kind != Correction {
			continue
		}
		if kind, ok := kinds[e.Corrects]; !ok || kind == Correction || void[e.Corrects] {
			return nil, ErrLifeCorrection
		}
		void[e.Corrects] = true
	}
	return void, nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// code is what errors call the animal.
func (l *life) code() string { return cmp.Or(l.main().Code, l.Animal.ID) }

// main is the code that the animal goes by: its present one of the first scheme.
func (l *life) main() (id AnimalID) {
	best := len(Schemes())
	for _, x := range l.Identifiers {
		if i := slices.Index(Schemes(), x.Scheme); x.To == nil && i >= 0 && i < best {
			id, best = x.AnimalID, i
		}
	}
	return id
}

func (l *life) refuse(err *fault.Error) error {
	return err.With("code", l.code()).With("date", day(l.event.At))
}

// tell takes one event.
func (l *life) tell(e LifeEvent) error {
	switch {
	case !l.died.IsZero():
		return l.refuse(ErrLifeDead.With("died", day(l.died)))
	// A day of birth has no hour, and the animal may be born in another time zone.
	case !l.Animal.Born.IsZero() && e.At.Before(l.Animal.Born.Add(-24*time.Hour)):
		return l.refuse(ErrLifeBeforeBorn.With("born", day(l.Animal.Born)))
	}
	switch e.Kind {
	case Registered, Birth, Arrival:
		return l.enter(e)
	case Service, Pregnancy, NotBred, Calving:
		return l.breed(e)
	case Departure, Death, Move, TagOn, TagLost, Identified:
	case Correction:
		return nil
	default:
		return ErrLifeKind.With("kind", e.Kind)
	}
	switch {
	case !l.entered:
		return l.refuse(ErrLifeEntry)
	case l.gone && e.Kind != Death && e.Kind != Identified:
		return l.refuse(ErrLifeGone)
	}
	switch e.Kind {
	case Departure:
		l.gone, l.Animal.Status, l.Animal.PenID = true, OffFarm, ""
		l.untag(e)
	case Death:
		l.died, l.Animal.Status, l.Animal.PenID, l.Animal.Bred = e.At, Dead, "", time.Time{}
		l.untag(e)
	case Move:
		l.place(e)
	case TagOn:
		return l.tag(e)
	case TagLost:
		if l.Animal.TagID == "" || e.TagID != "" && e.TagID != l.Animal.TagID {
			return l.refuse(ErrLifeTag.With("worn", cmp.Or(l.Animal.TagID, "-")))
		}
		l.untag(e)
	case Identified:
		l.identify(e)
	case Registered, Birth, Arrival, Service, Pregnancy, NotBred, Calving, Correction: // told above
	}
	return nil
}

func (l *life) enter(e LifeEvent) error {
	if e.Kind == Birth {
		if l.entered {
			return l.refuse(ErrLifeBirth)
		}
		l.Dam = e.Other
	}
	if !l.entered && e.HerdID == "" {
		return l.refuse(ErrLifeEntry)
	}
	l.entered, l.gone, l.Animal.Status = true, false, Alive
	l.place(e)
	if e.Identity != nil {
		l.identify(e)
	}
	if e.TagID != "" && e.TagID != l.Animal.TagID {
		return l.tag(e)
	}
	return nil
}

// stay ends the present stay and begins another one when the event changed it. One of
// no duration never was.
func (l *life) stay(e LifeEvent) {
	here := l.entered && !l.gone && l.died.IsZero()
	first := e.Kind == Registered && len(l.Stays) == 0
	if n := len(l.Stays); n > 0 && l.Stays[n-1].To == nil {
		last := &l.Stays[n-1]
		if here && last.HerdID == l.Animal.HerdID && last.PenID == l.Animal.PenID {
			return
		}
		at := e.At
		if last.To = &at; !last.From.Before(at) {
			first, l.Stays = last.Taken, l.Stays[:n-1]
		}
	}
	if here {
		l.Stays = append(l.Stays, Stay{HerdID: l.Animal.HerdID, PenID: l.Animal.PenID, From: e.At, Taken: first})
	}
}

// place puts the animal where the event says. Another herd has other pens.
func (l *life) place(e LifeEvent) {
	if e.HerdID != "" && e.HerdID != l.Animal.HerdID {
		l.Animal.HerdID, l.Animal.PenID = e.HerdID, ""
	}
	if e.PenID != "" || e.Kind == Move {
		l.Animal.PenID = e.PenID
	}
}

func (l *life) tag(e LifeEvent) error {
	if e.TagID == "" || e.TagID == l.Animal.TagID {
		return l.refuse(ErrLifeTag.With("worn", cmp.Or(l.Animal.TagID, "-")))
	}
	l.untag(e)
	l.Animal.TagID = e.TagID
	l.Tags = append(l.Tags, Wearing{Tag: e.TagID, Animal: l.Animal.ID, From: e.At, By: e.By})
	return nil
}

// untag ends the present tag. A tag of no duration was never worn.
func (l *life) untag(e LifeEvent) {
	if l.Animal.TagID == "" {
		return
	}
	l.Animal.TagID = ""
	last := len(l.Tags) - 1
	if !l.Tags[last].From.Before(e.At) {
		l.Tags = l.Tags[:last]
		return
	}
	at := e.At
	l.Tags[last].To, l.Tags[last].Reason, l.Tags[last].By = &at, cmp.Or(e.Reason, string(e.Kind)), e.By
}

// identify gives the animal a code and ends the one before of its scheme.
func (l *life) identify(e LifeEvent) {
	for i := range l.Identifiers {
		if x := &l.Identifiers[i]; x.To == nil && x.Scheme == e.Identity.Scheme {
			if x.Code == e.Identity.Code {
				return // it has it already
			}
			at := e.At
			x.To, x.Reason, x.By = &at, cmp.Or(e.Reason, "replaced"), e.By
		}
	}
	l.Identifiers = append(l.Identifiers, Identifier{AnimalID: *e.Identity, From: e.At, By: e.By})
}

// breed follows pregnancies. A service alone is none: an animal counts as bred once
// somebody found it pregnant, and then since its last service.
func (l *life) breed(e LifeEvent) error {
	if l.Animal.Sex == "m" || l.Animal.Sex == "c" {
		return l.refuse(ErrLifeSex)
	}
	switch e.Kind {
	case Service:
		l.served = e.At
	case Pregnancy:
		l.Animal.Bred = l.served
		if l.served.IsZero() {
			l.Animal.Bred = e.At // at the latest
		}
	default: // empty, or calved
		l.served, l.Animal.Bred = time.Time{}, time.Time{}
	}
	return nil
}

// TakeUp are the events that bring an animal into its herd as it is described: its
// code, tag and pen, the pregnancy it carries and whether it is there. They are told at
// that time by that person; the first of them has the animal's own id.
func TakeUp(a Animal, at time.Time, by, source string) []LifeEvent {
	line := func(suffix string, kind LifeKind, at time.Time) LifeEvent {
		return LifeEvent{ID: a.ID + suffix, AnimalID: a.ID, Kind: kind, At: at, Recorded: at, By: by, Source: source}
	}
	first := line("", Registered, at)
	first.HerdID, first.PenID, first.TagID = a.HerdID, a.PenID, a.TagID
	if a.Identity.Code != "" {
		id := a.Identity
		first.Identity = &id
	}
	out := []LifeEvent{first}
	if !a.Bred.IsZero() {
		out = append(out, line("-s", Service, a.Bred), line("-p", Pregnancy, at))
	}
	switch a.Status {
	case Dead:
		out = append(out, line("-d", Death, at))
	case OffFarm:
		out = append(out, line("-d", Departure, at))
	case Alive:
	}
	return out
}
