package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/furrowcredit/furrow/sheet"
	"io"
	"math"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with ICAR ADE resources.
var (
	ErrADE        = fault.New(fault.Invalid, "import.ade", "this is not ICAR ADE JSON: {why}")
	errResource   = fault.New(fault.Invalid, "import.ade_type", "resources of the type {type} are not taken")
	errScheme     = fault.New(fault.Invalid, "import.ade_scheme", "the identifier scheme {scheme} is not known: use cn-67, iso-11784, rfid or dev-eui")
	errField      = fault.New(fault.Invalid, "import.ade_field", "the field {field} is missing or of the wrong kind")
	errWeight     = fault.New(fault.Invalid, "import.ade_weight", "the weight must be more than 0 and at most 3000 kg, in KGM, GRM, LBR or TNE")
	errStranger   = fault.New(fault.NotFound, "import.stranger", "no animal has the code {code}: send the animal first")
	errUnassigned = fault.New(fault.Invalid, "import.ade_group", "a weight of a group is none of one animal")
)

const maxDepth = 4 // of collections in collections

// adeID is an icarIdentifierType.
type adeID struct {
	ID     string `json:"id"`
	Scheme string `json:"scheme"`
}

// adeAnimal is what is read of an icarAnimalCoreResource.
type adeAnimal struct {
	Identifier   *adeID  `json:"identifier"`
	Alternative  []adeID `json:"alternativeIdentifiers"`
	Specie       string  `json:"specie"`
	Gender       string  `json:"gender"`
	BirthDate    string  `json:"birthDate"`
	PrimaryBreed *adeID  `json:"primaryBreed"`
	Status       string  `json:"status"`
	Management   string  `json:"managementTag"`
	Parentage    []struct {
		Gender     string `json:"gender"`
		Identifier adeID  `json:"identifier"`
	} `json:"parentage"`
}

// adeResource is a resource of any type that is read.
type adeResource struct {
	Type      string     `json:"resourceType"`
	EventType string     `json:"eventType"`
	ID        string     `json:"id"`
	Animal    *adeID     `json:"animal"`
	At        string     `json:"eventDateTime"`
	Detail    *adeAnimal `json:"animalDetail"`

	DeathReason     string `json:"deathReason"`
	Explanation     string `json:"explanation"`
	ArrivalReason   string `json:"arrivalReason"`
	DepartureReason string `json:"departureReason"`
	DepartureKind   string `json:"departureKind"`
	Weight          *struct {
		Measurement *float64 `json:"measurement"`
		Units       string   `json:"units"`
		Method      string   `json:"method"`
	} `json:"weight"`
	Result string `json:"result"` // of a pregnancy check
	Serial string `json:"serial"`

	adeAnimal
	Member []json.RawMessage `json:"member"`
}

// kind is the type without the parts that every type has: "MovementDeathEvent".
func (r adeResource) kind() string {
	t := r.Type
	if t == "" {
		t = r.EventType
	}
	t = t[strings.LastIndexAny(t, "/:")+1:]
	t = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(t, "icar"), "Resource"), "Collection")
	switch {
	case t == "AnimalCore" || t == "" && r.Identifier != nil:
		return "Animal"
	case t == "" && r.Weight != nil:
		return "WeightEvent"
	}
	return t
}

// readADE reads a resource, an array of them or a collection.
func readADE(body []byte, opt Options) (File, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var doc json.RawMessage
	if err := dec.Decode(&doc); err != nil {
		return File{}, ErrADE.With("why", why(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return File{}, ErrADE.With("why", "something follows the document")
	}
	f := File{Format: "icar-ade", from: map[string]string{}}
	if err := f.walk(doc, "", opt, 0); err != nil {
		return File{}, err
	}
	if f.Read == 0 {
		return File{}, sheet.ErrEmpty
	}
	return f, nil
}

func why(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("at byte %d: %v", syntax.Offset, err)
	}
	return err.Error()
}

// walk goes through arrays and collections down to the resources.
func (f *File) walk(doc json.RawMessage, path string, opt Options, depth int) error {
	if depth > maxDepth {
		return ErrADE.With("why", "collections stand in collections too deep").At("%s", path)
	}
	list := func(items []json.RawMessage, at string) error {
		for i, item := range items {
			if err := f.walk(item, fmt.Sprintf("%s[%d]", at, i), opt, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(doc), []byte("[")) {
		var items []json.RawMessage
		if err := json.Unmarshal(doc, &items); err != nil {
			return ErrADE.With("why", why(err))
		}
		return list(items, path)
	}
	var r adeResource
	err := json.Unmarshal(doc, &r)
	if r.Member != nil {
		if path != "" {
			path += "."
		}
		return list(r.Member, path+"member")
	}
	if f.Read++; f.Read > sheet.MaxRows {
		return sheet.ErrTooManyRows.With("max", sheet.MaxRows)
	}
	if path == "" {
		path = "$"
	}
	if err != nil {
		var typed *json.UnmarshalTypeError
		field := "?"
		if errors.As(err, &typed) {
			field = typed.Field
		}
		f.refuse(Place{Path: path}, errField.With("field", field))
		return nil
	}
	if err := f.resource(r, Place{Path: path}, opt); err != nil {
		var at *placed
		if errors.As(err, &at) {
			path += "." + at.field
		}
		f.refuse(Place{Path: path}, err)
	}
	return nil
}

// placed is an error of a field.
type placed struct {
	error
	field string
}

func (p *placed) Unwrap() error { return p.error }

func in(field string, err error) error {
	if err == nil {
		return nil
	}
	return &placed{err, field}
}

// resource takes one resource.
func (f *File) resource(r adeResource, p Place, opt Options) error {
	kind := r.kind()
	switch kind {
	case "Animal":
		n, err := opt.adeAnimal(r.adeAnimal)
		if err != nil {
			return err
		}
		f.addAnimal(Entry{Place: p, Animal: n})
		return nil
	case "Device":
		if r.ID == "" {
			return in("id", errField.With("field", "id"))
		}
		d := iot.Device{ID: r.ID, Kind: iot.TagDevice}
		if !iot.ValidDeviceID(d.ID) {
			return in("id", iot.ErrDeviceID.With("device", d.ID))
		}
		if first, twice := f.from["device "+d.ID]; twice {
			return in("id", errTwice.With("first", first))
		}
		f.from["device "+d.ID] = p.String()
		f.Devices = append(f.Devices, Device{Place: p, Device: d})
		return nil
	case "GroupWeightEvent":
		return errUnassigned
	}
	e := iot.LifeEvent{Key: r.ID, Note: r.Explanation}
	switch kind {
	case "MovementArrivalEvent":
		e.Kind, e.Reason = iot.Arrival, arrivals[r.ArrivalReason]
	case "MovementDepartureEvent":
		e.Kind, e.Reason = iot.Departure, departures[r.DepartureReason]
		if by := departures[r.DepartureKind]; e.Reason == "" || e.Reason == "other" && by != "" {
			e.Reason = by
		}
	case "MovementDeathEvent":
		e.Kind, e.Reason = iot.Death, strings.ToLower(r.DeathReason)
		if reasons := iot.Reasons(iot.Death); e.Reason != "" && !contains(reasons, e.Reason) {
			return in("deathReason", iot.ErrLifeReason.With("reason", r.DeathReason).With("reasons", strings.Join(reasons, ", ")))
		}
	case "MovementBirthEvent":
		e.Kind = iot.Birth
	case "ReproInseminationEvent", "ReproInsemonationEvent":
		e.Kind = iot.Service
	case "ReproPregnancyCheckEvent":
		switch r.Result {
		case "Pregnant", "Multiple":
			e.Kind = iot.Pregnancy
		case "Empty":
			e.Kind, e.Reason = iot.NotBred, "empty"
		default:
			return in("result", errField.With("field", "result"))
		}
	case "ReproAbortionEvent":
		e.Kind, e.Reason = iot.NotBred, "abortion"
	case "ReproParturitionEvent":
		e.Kind = iot.Calving
	case "WeightEvent":
	default:
		if kind == "" {
			kind = "?"
		}
		return errResource.With("type", clip(kind))
	}
	return f.event(r, e, p, opt)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// event takes a movement, a step of reproduction or a weight.
func (f *File) event(r adeResource, e iot.LifeEvent, p Place, opt Options) error {
	at, err := adeTime(r.At, opt.Today)
	if err != nil {
		return in("eventDateTime", err)
	}
	if r.Animal == nil && r.Detail != nil {
		r.Animal = r.Detail.Identifier
	}
	if r.Animal == nil {
		return in("animal", errField.With("field", "animal"))
	}
	code, err := r.Animal.identity("")
	if err != nil {
		return in("animal", err)
	}
	if e.Kind == "" {
		kg, method, err := r.weight()
		if err != nil {
			return in("weight", err)
		}
		f.Weighings = append(f.Weighings, Weighing{p, code, iot.Weighing{At: at, Kg: kg, Method: method}})
		return nil
	}
	e.At = at
	if e.Key == "" { // so that the same file again changes nothing
		e.Key = fmt.Sprintf("%s %s %s %d", code.Scheme, code.Code, e.Kind, at.UnixMilli())
	}
	if r.Detail != nil && (e.Kind == iot.Birth || e.Kind == iot.Arrival) {
		n, err := opt.adeAnimal(*r.Detail)
		if err != nil {
			return in("animalDetail", err)
		}
		if !contains(names(n), code.Scheme+" "+code.Code) {
			n.Codes = append(n.Codes, code)
		}
		n.Since, n.Entry = at, e.Kind
		if e.Kind == iot.Birth {
			n.Born = at
		}
		if _, listed := f.from[code.Scheme+" "+code.Code]; !listed {
			f.addAnimal(Entry{Place: p, Animal: n, Event: true})
		}
	}
	f.Events = append(f.Events, Event{p, code, e})
	return nil
}

// weight is the weight in kilograms and how it was taken.
func (r adeResource) weight() (kg float64, method string, err error) {
	if r.Weight == nil || r.Weight.Measurement == nil {
		return 0, "", errField.With("field", "weight.measurement")
	}
	// UN/CEFACT recommendation 20; the pound is exactly 0.45359237 kg.
	factor, ok := map[string]float64{"": 1, "KGM": 1, "GRM": 0.001, "LBR": 0.45359237, "TNE": 1000}[r.Weight.Units]
	kg = *r.Weight.Measurement * factor
	if !ok || !(kg > 0 && kg <= 3000) {
		return 0, "", errWeight
	}
	switch r.Weight.Method {
	case "", "LoadCell":
		method = "scale"
	case "WalkOver", "FrontEndCorrelated":
		method = "walk_over"
	case "Girth":
		method = "tape"
	case "Assessed", "Predicted", "Imaged":
		method = "estimate"
	case "GroupAverage":
		return 0, "", errUnassigned
	default:
		return 0, "", errField.With("field", "weight.method")
	}
	return math.Round(kg*1000) / 1000, method, nil
}

// adeTime reads a moment, or a day.
func adeTime(s string, today time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, s); err != nil {
			return time.Time{}, errDate
		}
	}
	switch at = at.UTC().Truncate(time.Millisecond); {
	case at.After(today):
		return time.Time{}, errFuture.With("date", at.Format(time.DateOnly))
	case at.Year() < 1980:
		return time.Time{}, errOld.With("date", at.Format(time.DateOnly))
	}
	return at, nil
}

// identity reads an identifier. Schemes of ICAR are reverse domain names; those whose
// codes are ISO 11784 numbers are named after it.
func (id adeID) identity(species string) (iot.AnimalID, error) {
	scheme := strings.ToLower(strings.TrimSpace(id.Scheme))
	switch {
	case strings.HasSuffix(scheme, "iso11784") || strings.HasSuffix(scheme, "iso-11784") || strings.HasSuffix(scheme, "iso.11784"):
		scheme = iot.SchemeISO
	case strings.HasSuffix(scheme, "cn-67") || strings.HasSuffix(scheme, "cn.67"):
		scheme = iot.SchemeCN67
	case strings.HasSuffix(scheme, "rfid") || strings.HasSuffix(scheme, "epc"):
		scheme = iot.SchemeChip
	case strings.HasSuffix(scheme, "dev-eui") || strings.HasSuffix(scheme, "deveui"):
		scheme = iot.SchemeEUI
	default:
		return iot.AnimalID{}, errScheme.With("scheme", clip(id.Scheme))
	}
	out := iot.AnimalID{Scheme: scheme, Code: id.ID}.Normal()
	return out, out.Validate(species)
}

// adeAnimal reads an animal. Alternative identifiers of unknown schemes are names that
// somebody else gave it; the main one must be known.
func (o Options) adeAnimal(a adeAnimal) (n iot.Newcomer, err error) {
	if a.Identifier == nil {
		return n, in("identifier", errField.With("field", "identifier"))
	}
	if a.Specie == "" {
		return n, in("specie", errField.With("field", "specie"))
	}
	sp := strings.ToLower(a.Specie)
	if sp == "cattle" && o.Default == "dairy" {
		sp = o.Default
	}
	if n.Species, _, err = o.kind(sp, ""); err != nil {
		return n, in("specie", err)
	}
	if b := a.PrimaryBreed; b != nil {
		// Breed codes of other lists are not ours: an unknown one is no mistake.
		if _, code, err := o.kind(n.Species, strings.ToLower(b.ID)); err == nil {
			n.Breed = code
		}
	}
	if n.Identity, err = a.Identifier.identity(n.Species); err != nil {
		return n, in("identifier", err)
	}
	for i, alt := range a.Alternative {
		id, err := alt.identity(n.Species)
		if errors.Is(err, errScheme) {
			continue
		}
		if err != nil {
			return n, in(fmt.Sprintf("alternativeIdentifiers[%d]", i), err)
		}
		if !contains(names(n), id.Scheme+" "+id.Code) {
			n.Codes = append(n.Codes, id)
		}
	}
	sex, ok := map[string]string{"Female": "f", "FemaleNeuter": "c", "Freemartin": "f", "Male": "m", "MaleCryptorchid": "m", "MaleNeuter": "c", "Unknown": ""}[a.Gender]
	if !ok {
		return n, in("gender", errField.With("field", "gender"))
	}
	n.Sex = sex
	if a.BirthDate != "" {
		if n.Born, err = adeTime(a.BirthDate, o.Today); err != nil {
			return n, in("birthDate", err)
		}
		n.Born = n.Born.Truncate(24 * time.Hour)
	}
	switch a.Status {
	case "", "Alive", "Unknown":
	case "Dead":
		n.Status = iot.Dead
	case "OffFarm":
		n.Status = iot.OffFarm
	default:
		return n, in("status", errField.With("field", "status"))
	}
	return n, nil
}

// arrivals and departures bring ICAR's reasons to ours.
var (
	arrivals = map[string]string{
		"": "", "Purchase": "purchase", "Imported": "purchase", "InternalTransfer": "move", "Agistment": "move",
		"StudServiceReturn": "return", "AgistmentReturn": "return", "ShowReturn": "return", "SaleReturn": "return",
		"StudService": "other", "Slaughter": "other", "Show": "other", "Sale": "other", "Other": "other",
	}
	departures = map[string]string{
		"Sale": "sale", "Slaughter": "slaughter", "InternalTransfer": "move", "Agistment": "move", "Export": "sale",
		"StudService": "move", "StudServiceReturn": "move", "AgistmentReturn": "move", "Show": "move", "ShowReturn": "move", "SaleReturn": "move",
		"Newborn": "sale", "Age": "other", "Superfluous": "other", "LegOrClaw": "other", "Nutrition": "other", "Parturition": "other", "Mastitis": "other",
		"Fertility": "other", "Health": "other", "Production": "other", "MilkingAbility": "other", "BadType": "other", "Behaviour": "other",
		"Other": "other", "Unknown": "other", "Metabolic": "other", "MaternalAbility": "other", "ReproductiveFailure": "other",
		"BreedingIndex": "other", "BodyCondition": "other", "Oral": "other", "Accident": "other",
	}
)
