// Package register reads files that say which animals a herd has: tables (XLSX, CSV in
// UTF-8 or GBK, with Chinese or English headers) and ICAR ADE JSON; and tables of boxes
// of devices. Import puts what a file says into the register of animals.
//
// Nothing is dropped: every row or resource of a file becomes an animal, an event, a
// weighing or a device, is known already, or is refused with its place and the reason.
//
// docs/formats/animals.md and docs/formats/icar-ade.md describe the files.
package register

import (
	"bytes"
	"fmt"
	"github.com/furrowcredit/furrow/sheet"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
)

// What can be wrong with a row or resource as a whole.
var (
	errTwice   = fault.New(fault.Invalid, "import.twice", "the same animal is in the file already, at {first}")
	errBreed   = fault.New(fault.Invalid, "import.breed", "the catalogue has no breed {breed} of this species: write one of {breeds}, or leave it out")
	errSpecies = fault.New(fault.Invalid, "import.species", "the catalogue has no species {species}: write one of {species_list}")
	errDiffers = fault.New(fault.Conflict, "import.differs", "the animal is registered with {field} {has}; report a change as an event of its life")
	errPen     = fault.New(fault.NotFound, "import.pen", "the herd has no pen {pen}; it has {pens}")
	errOther   = fault.New(fault.Conflict, "import.other_herd", "the animal is registered in another herd; move it there")
	errWorn    = fault.New(fault.Conflict, "import.worn", "the tag {tag} is worn by another animal")
)

// Options are what the reader knows besides the file.
type Options struct {
	Species *species.Catalogue // nil knows no words for species and breeds and takes codes as they are
	Default string             // species of animals that say none: the herd's
	Today   time.Time          // later dates are mistakes
}

// File is what a file says. Read is the rows or resources that hold anything: Animals,
// Events, Weighings, Devices, Others and the refused places together.
type File struct {
	Format    string // "table" or "icar-ade"
	Read      int
	Animals   []Entry
	Events    []Event
	Weighings []Weighing
	Devices   []Device
	Refusals  []RowRefusal
	from      map[string]string // animals' codes → the place that had them first
}

// Entry is an animal that a file describes.
type Entry struct {
	Place
	Animal iot.Newcomer
	Pen    string // id or name, as written
	Event  bool   // came with an event that has a line of its own
}

// Event is an event of a life that a file tells of an animal that it names by a code.
type Event struct {
	Place
	Code  iot.AnimalID
	Event iot.LifeEvent
}

// Weighing is a weight of an animal that the file names by a code.
type Weighing struct {
	Place
	Code iot.AnimalID
	iot.Weighing
}

// Device is a device that a file lists.
type Device struct {
	Place
	iot.Device
}

// Place is a row of a table, or the path of a resource.
type Place struct {
	Row  int    `json:"row,omitempty"`  // as a spreadsheet shows it
	Path string `json:"path,omitempty"` // such as "member[3]"
}

func (p Place) String() string {
	if p.Path != "" {
		return p.Path
	}
	return fmt.Sprintf("row %d", p.Row)
}

// RowRefusal says what is wrong at a place of a file.
type RowRefusal struct {
	Place
	Column string            `json:"column,omitempty"` // header text
	Cell   string            `json:"cell,omitempty"`   // "C7"
	Value  string            `json:"value,omitempty"`
	Code   string            `json:"code"`
	Msg    string            `json:"message"`
	Args   map[string]string `json:"args,omitempty"`
	Err    error             `json:"-"`
}

// Read reads a file of animals, or a table of weighings, which has a column of weights
// and one of their days. Mistakes in its rows or resources are in Refusals; an
// error says that the file as a whole cannot be read.
func Read(body []byte, opt Options) (File, error) {
	if len(body) > sheet.MaxBytes {
		return File{}, sheet.ErrTooLarge.With("mib", sheet.MaxBytes>>20)
	}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return readADE(trimmed, opt)
	}
	if f, err := ReadWeighings(body, opt); err == nil {
		return f, nil
	}
	return readAnimals(body, opt)
}

// refuse notes mistakes of a place.
func (f *File) refuse(p Place, err error) {
	r := refusal(err)
	r.Place = p
	f.Refusals = append(f.Refusals, r)
}

// sexes, statuses and kinds are the words of tables; the first of each list is the code.
var (
	sexes = [][]string{
		{"f", "母", "雌", "♀", "female", "雌性", "母畜", "cow", "ewe", "sow"},
		{"m", "公", "雄", "♂", "male", "雄性", "公畜", "bull", "ram", "boar"},
		{"c", "阉", "阉割", "去势", "castrated", "steer", "wether", "barrow", "neuter"},
		{"?", "不详", "未知", "unknown", "-"},
	}
	statuses = [][]string{
		{"alive", "在群", "存栏", "在栏", "正常", "在场", "活", "active", "present"},
		{"dead", "死亡", "死", "died"},
		{"off_farm", "离场", "出售", "已售", "售出", "出栏", "淘汰", "转出", "sold", "off farm", "offfarm", "off-farm", "left"},
	}
	kinds = [][]string{
		{"tag", "耳标", "电子耳标", "智能耳标", "项圈", "collar", "ear tag"},
		{"gateway", "网关", "基站", "gw"},
		{"camera", "摄像头", "相机", "摄像机"},
		{"gate", "通道", "门", "计数门"},
		{"network", "网络服务器", "lorawan", "network server"},
	}
)

func readAnimals(body []byte, opt Options) (File, error) {
	columns, needed := animalColumns(), []string{"code", "iso", "chip", "eui", "tag"}
	t, err := sheet.Read(body, func(t *sheet.Table) bool { _, err := find(t, columns, needed...); return err == nil })
	if err != nil {
		return File{}, err
	}
	if len(t.Rows) == 0 {
		return File{}, sheet.ErrEmpty
	}
	l, err := find(t, columns, needed...)
	if err != nil {
		return File{}, err
	}
	f := File{Format: "table", from: map[string]string{}}
	for _, r := range t.Rows[l.row+1:] {
		f.Read++
		line := line{Row: r, layout: &l}
		e := line.animal(t.From1904, opt)
		if len(line.refused) > 0 {
			f.Refusals = append(f.Refusals, line.refused...)
			continue
		}
		f.addAnimal(e)
	}
	return f, nil
}

// addAnimal takes an animal unless one of its codes stands in the file already.
func (f *File) addAnimal(e Entry) {
	for _, k := range names(e.Animal) {
		if first, twice := f.from[k]; twice {
			f.refuse(e.Place, errTwice.With("first", first))
			return
		}
	}
	for _, k := range names(e.Animal) {
		f.from[k] = e.String()
	}
	f.Animals = append(f.Animals, e)
}

// names are what an animal is told apart by: its codes and its tag.
func names(n iot.Newcomer) []string {
	var out []string
	for _, c := range codes(n) {
		out = append(out, c.Scheme+" "+c.Code)
	}
	if n.TagID != "" {
		out = append(out, "tag "+n.TagID)
	}
	return out
}

// codes are all codes of an animal, the one it goes by first.
func codes(n iot.Newcomer) []iot.AnimalID {
	if n.Identity.Code == "" {
		return n.Codes
	}
	return append([]iot.AnimalID{n.Identity}, n.Codes...)
}

// animal reads the cells of a row, each by itself.
func (l *line) animal(from1904 bool, opt Options) Entry {
	e := Entry{Place: Place{Row: l.Number}}
	a := &e.Animal.Animal
	var err error
	if a.Species, a.Breed, err = opt.kind(l.cell("species"), ""); err != nil {
		l.fail("species", err)
	} else if _, a.Breed, err = opt.kind(a.Species, l.cell("breed")); err != nil {
		l.fail("breed", err)
	}
	var all []iot.AnimalID
	for _, c := range []struct{ field, scheme string }{
		{"code", iot.SchemeCN67}, {"iso", iot.SchemeISO}, {"chip", iot.SchemeChip}, {"eui", iot.SchemeEUI},
	} {
		text := l.number(c.field)
		if text == "" {
			continue
		}
		// Only a column of its own says another scheme: 15 digits alone do not tell.
		if s := strings.ToLower(l.cell("scheme")); c.field == "code" && s != "" {
			c.scheme = s
		}
		id := iot.AnimalID{Scheme: c.scheme, Code: text}.Normal()
		if err := id.Validate(a.Species); err != nil {
			l.fail(c.field, err)
		}
		all = append(all, id)
	}
	if len(all) > 0 {
		a.Identity, e.Animal.Codes = all[0], all[1:]
	}
	if a.TagID = l.number("tag"); a.TagID != "" && !iot.ValidDeviceID(a.TagID) {
		l.fail("tag", iot.ErrDeviceID.With("device", a.TagID))
	}
	if len(all) == 0 && a.TagID == "" && len(l.refused) == 0 {
		l.fail("code", iot.ErrNoCode)
	}
	a.Sex = strings.TrimSuffix(l.word("sex", append([][]string{{"f", "f"}, {"m", "m"}, {"c", "c"}}, sexes...)), "?")
	a.Status = iot.AnimalStatus(l.word("status", append([][]string{{"alive", "alive"}, {"dead", "dead"}, {"off_farm", "off_farm"}}, statuses...)))
	a.Born, a.Bred = l.date("born", from1904, opt.Today), l.date("bred", from1904, opt.Today)
	e.Animal.Since = l.date("since", from1904, opt.Today)
	if !a.Born.IsZero() && a.Born.After(a.Bred) && !a.Bred.IsZero() || !a.Bred.IsZero() && (a.Sex == "m" || a.Sex == "c") {
		l.fail("bred", iot.ErrBred.With("code", a.Identity.Code))
	}
	if !e.Animal.Since.IsZero() && e.Animal.Since.Before(a.Born) {
		l.fail("since", iot.ErrLifeBeforeBorn.With("code", a.Identity.Code).With("born", a.Born.Format(time.DateOnly)).With("date", e.Animal.Since.Format(time.DateOnly)))
	}
	if s := l.cell("heads"); s != "" {
		n := 0
		if _, err := fmt.Sscanf(s, "%d", &n); err != nil || fmt.Sprint(n) != s || n < 1 || n > 1_000_000 {
			l.fail("heads", errNumber.With("min", 1).With("max", 1_000_000))
		}
		if a.Heads = n; n == 1 {
			a.Heads = 0 // one animal
		}
	}
	e.Pen = l.cell("pen")
	return e
}

// kind finds the codes of a species and a breed by code or by name in either language.
func (o Options) kind(sp, breed string) (string, string, error) {
	if sp == "" {
		sp = o.Default
	}
	if o.Species == nil {
		return sp, breed, nil
	}
	all := o.Species.All()
	i := slices.IndexFunc(all, func(s species.Species) bool { return named(sp, s.Code, s.Name) })
	if i < 0 {
		var list []string
		for _, s := range all {
			list = append(list, s.Name["zh-CN"])
		}
		return "", "", errSpecies.With("species", sp).With("species_list", strings.Join(list, ", "))
	}
	if breed == "" {
		return all[i].Code, "", nil
	}
	var list []string
	for _, b := range all[i].Breeds {
		if named(breed, b.Code, b.Name) {
			return all[i].Code, b.Code, nil
		}
		list = append(list, b.Name["zh-CN"])
	}
	return all[i].Code, "", errBreed.With("breed", breed).With("breeds", strings.Join(list, ", "))
}

func named(text, code string, names map[string]string) bool {
	text = strings.ToLower(text)
	if text == code {
		return true
	}
	for _, n := range names {
		// 西门塔尔 is called 西门塔尔牛 as well.
		if n = strings.ToLower(n); text == n || len(text) >= 6 && strings.TrimRight(n, "牛羊猪鸡种") == strings.TrimRight(text, "牛羊猪鸡种") {
			return true
		}
	}
	return false
}

// ReadBox reads a table of devices: number, kind and profile. Read = Devices + refused.
func ReadBox(body []byte) (File, error) {
	columns := boxColumns()
	t, err := sheet.Read(body, func(t *sheet.Table) bool { _, err := find(t, columns, "device"); return err == nil })
	if err != nil {
		return File{}, err
	}
	if len(t.Rows) == 0 {
		return File{}, sheet.ErrEmpty
	}
	l, err := find(t, columns, "device")
	if err != nil {
		return File{}, err
	}
	f := File{Format: "table", from: map[string]string{}}
	for _, r := range t.Rows[l.row+1:] {
		f.Read++
		line := line{Row: r, layout: &l}
		d := Device{Place: Place{Row: r.Number}, Device: iot.Device{ID: line.number("device"), Profile: line.cell("profile")}}
		words := append([][]string{{"tag", "tag"}, {"gateway", "gateway"}, {"camera", "camera"}, {"gate", "gate"}, {"network", "network"}}, kinds...)
		if d.Kind = iot.DeviceKind(line.word("kind", words)); d.Kind == "" {
			d.Kind = iot.TagDevice
		}
		if !iot.ValidDeviceID(d.ID) && len(line.refused) == 0 {
			line.fail("device", iot.ErrDeviceID.With("device", d.ID))
		}
		if first, twice := f.from[d.ID]; twice && len(line.refused) == 0 {
			line.fail("device", iot.ErrTwice.With("what", d.ID+" ("+first+")"))
		}
		if len(line.refused) > 0 {
			f.Refusals = append(f.Refusals, line.refused...)
			continue
		}
		f.from[d.ID] = d.String()
		f.Devices = append(f.Devices, d)
	}
	return f, nil
}

// Template makes the XLSX to fill in: animals, or a box of devices.
func Template(devices bool) ([]byte, error) {
	columns, name := animalColumns(), "牲畜"
	if devices {
		columns, name = boxColumns(), "设备"
	}
	header, sample := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		header[i], sample[i] = c.zh, c.sample
	}
	return sheet.Write(name, [][]string{header, sample})
}
