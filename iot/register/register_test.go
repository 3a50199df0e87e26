package register_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/furrowcredit/furrow/sheet"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/iot/species"
)

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func square() orb.Polygon {
	return orb.Polygon{{{113.2, 31.5}, {113.21, 31.5}, {113.21, 31.51}, {113.2, 31.51}, {113.2, 31.5}}}
}

func kinds(t testing.TB) *species.Catalogue {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := species.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// house is a herd "h" of cattle with one animal, and what imports into it.
type house struct {
	*register.Importer
	store *iottest.Store
	herd  iot.Herd
	kg    map[string]float64 // weights by animal and time
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{store: &iottest.Store{}, kg: map[string]float64{}}
	c := kinds(t)
	herds := &iot.Herds{Store: h.store, Known: c.Known, Now: func() time.Time { return now }}
	h.Importer = &register.Importer{Herds: herds, Species: c, Weigh: func(_ context.Context, tenant string, w []iot.Weighing) error {
		for _, x := range w {
			h.kg[fmt.Sprint(tenant, " ", x.AnimalID, " ", x.At.Format(time.DateOnly), " ", x.Method)] = x.Kg
		}
		return nil
	}}
	var err error
	h.herd, _, err = herds.Register(t.Context(), "a", iot.Herd{OwnerID: "u", Name: "one", Species: "cattle", Fence: square(), Pens: []iot.Pen{{Name: "北 圈", Area: square()}}},
		[]iot.Animal{{Identity: iot.AnimalID{Scheme: "cn-67", Code: "215252600000001"}, Sex: "f", TagID: "t1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) send(t testing.TB, body []byte, change ...func(*register.Request)) register.Account {
	t.Helper()
	q := register.Request{Tenant: "a", HerdID: h.herd.ID, By: "op", Body: body}
	for _, c := range change {
		c(&q)
	}
	a, err := h.Import(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if sum := a.Added + a.Known + a.Events + a.Weighings + a.Devices + a.Refused; sum != a.Read {
		t.Errorf("%d read, %d accounted for: %+v", a.Read, sum, a)
	}
	return a
}

func skip(q *register.Request) { q.SkipBad = true }
func dry(q *register.Request)  { q.DryRun = true }

func (h *house) animals(t testing.TB) map[string]iot.Animal {
	t.Helper()
	list, err := h.store.Animals(t.Context(), "a", h.herd.ID)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]iot.Animal{}
	for _, a := range list {
		out[a.Identity.Code] = a
	}
	return out
}

const table = `养殖场牲畜登记表,,,,,,,
*耳标号（15位）,品种,性别,出生日期,圈舍,设备号,状态,妊娠配种日期
２１５２５２６００００００１１,西门塔尔,母,2023年5月6日,北 圈,e11,在群,2026/3/1
215252600000012,,公,20240228,,e12,死亡,

215252600000013,安格斯牛,阉,2024.2.28,,,出售,
`

func TestTable(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"UTF-8": table, "UTF-8 with a mark": "\ufeff" + table, "GBK": gbk, "tabs": strings.ReplaceAll(table, ",", "\t")} {
		h := open(t)
		if a := h.send(t, []byte(body), dry); a.Added != 3 || a.Saved || len(a.Credentials) != 0 || len(h.animals(t)) != 1 {
			t.Errorf("%s: a dry run: %+v", name, a)
		}
		a := h.send(t, []byte(body))
		if a.Read != 3 || a.Added != 3 || !a.Saved || len(a.Credentials) != 2 || a.Herds[0] != h.herd.ID {
			t.Fatalf("%s: %+v", name, a)
		}
		got := h.animals(t)
		one := got["215252600000011"]
		one.ID = ""
		want := iot.Animal{HerdID: h.herd.ID, PenID: h.herd.Pens[0].ID, Identity: iot.AnimalID{Scheme: "cn-67", Code: "215252600000011"}, Species: "cattle",
			Breed: "simmental", Sex: "f", Born: time.Date(2023, 5, 6, 0, 0, 0, 0, time.UTC), TagID: "e11", Status: iot.Alive, Bred: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
		if d := cmp.Diff(want, one); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if a := got["215252600000012"]; a.Status != iot.Dead || a.TagID != "" || a.Sex != "m" {
			t.Errorf("%s: %+v", name, a)
		}
		if a := got["215252600000013"]; a.Status != iot.OffFarm || a.Sex != "c" || a.Breed != "angus" {
			t.Errorf("%s: %+v", name, a)
		}
		before := h.animals(t)
		if a := h.send(t, []byte(body)); a.Known != 3 || a.Added != 0 || len(a.Credentials) != 0 || cmp.Diff(before, h.animals(t)) != "" {
			t.Errorf("%s: the same file again: %+v", name, a)
		}
	}
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{
		{"Ear tag", "Sex", "Date of birth", "RFID", "ISO 11784"},
		{215252600000021, "female", time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC), "E2 80 11 60 60 00 02 09", "156000000000001"},
		{"215252600000022", "male", 45350.5, nil, nil},
	} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	h := open(t)
	if a := h.send(t, b.Bytes()); a.Added != 2 || a.Refused != 0 {
		t.Fatalf("%+v", a)
	}
	day := time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)
	for _, code := range []string{"215252600000021", "215252600000022"} {
		if a := h.animals(t)[code]; !a.Born.Equal(day) {
			t.Errorf("%s is born %s", code, a.Born)
		}
	}
	chip, iso := iot.AnimalID{Scheme: "rfid", Code: "e280116060000209"}, iot.AnimalID{Scheme: "iso-11784", Code: "156000000000001"}
	if found, _ := h.store.AnimalsByCode(t.Context(), "a", []iot.AnimalID{chip, iso}); found[chip].Identity.Code != "215252600000021" || found[iso].ID != found[chip].ID {
		t.Errorf("%+v", found)
	}
}

// TestWorkbookOf1904 has days that are counted from 1904, and formulas with and without
// the value that a spreadsheet leaves beside them.
func TestWorkbookOf1904(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	yes := true
	err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes})
	for i, row := range [][]any{
		{"耳标号", "性别", "出生日期"},
		{"215252600000021", "母", 43888},
		{"215252600000022", "母", 43889},
		{"215252600000023", "母", nil},
	} {
		err = errors.Join(err, f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row))
	}
	err = errors.Join(err, f.SetCellFormula("Sheet1", "C3", "C2+1"), f.SetCellFormula("Sheet1", "C4", "C3+1"))
	var b bytes.Buffer
	if err := errors.Join(err, f.Write(&b)); err != nil {
		t.Fatal(err)
	}
	h := open(t)
	a := h.send(t, b.Bytes(), skip)
	if a.Added != 2 || len(a.Refusals) != 1 || a.Refusals[0].Cell != "C4" || a.Refusals[0].Code != "import.excel_error" {
		t.Fatalf("%+v", a)
	}
	for code, want := range map[string]string{"215252600000021": "2024-02-28", "215252600000022": "2024-02-29"} {
		if a := h.animals(t)[code]; a.Born.Format(time.DateOnly) != want {
			t.Errorf("%s is born %s, want %s", code, a.Born, want)
		}
	}
}

// TestMoreThanAHerd is refused as a whole, before the rows are worked on.
func TestMoreThanAHerd(t *testing.T) {
	t.Parallel()
	h := open(t)
	rows := [][]string{{"耳标号", "状态"}}
	for i := range iot.MaxHerd {
		rows = append(rows, []string{fmt.Sprintf("2152527%08d", i+1), ""})
	}
	book, err := sheet.Write("x", rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Import(t.Context(), register.Request{Tenant: "a", HerdID: h.herd.ID, By: "op", Body: book}); !errors.Is(err, iot.ErrHerdTooBig) {
		t.Error(err)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	body, err := register.Template(false)
	if err != nil {
		t.Fatal(err)
	}
	f, err := register.Read(body, register.Options{Species: kinds(t), Today: now})
	if err != nil || len(f.Animals) != 1 || len(f.Refusals) != 0 || f.Animals[0].Animal.Breed != "simmental" {
		t.Errorf("the template's own sample: %+v %v", f, err)
	}
	if body, err = register.Template(true); err != nil {
		t.Fatal(err)
	}
	if f, err := register.ReadBox(body); err != nil || len(f.Devices) != 1 || f.Devices[0].Kind != iot.TagDevice {
		t.Errorf("%+v %v", f, err)
	}
}

// TestRefusals: what is wrong is named where it stands, and the good rows wait for it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const header = "耳标号,品种,性别,出生日期,圈舍,设备号,状态,芯片号\n"
	const good = "215252600000030,,,,,,,\n"
	for name, c := range map[string]struct{ row, cell, code string }{
		"digits":           {"21525260000003,,,,,,,", "A3", "animal.digits"},
		"no such province": {"299252600000031,,,,,,,", "A3", "animal.county"},
		"a pig":            {"115252600000031,,,,,,,", "A3", "animal.species_digit"},
		"rounded":          {"2.152526E+14,,,,,,,", "A3", "import.rounded"},
		"breed":            {"215252600000031,哈士奇,,,,,,", "B3", "import.breed"},
		"sex":              {"215252600000031,,两者,,,,,", "C3", "import.word"},
		"30 February":      {"215252600000031,,,2024-02-30,,,,", "D3", "import.no_such_day"},
		"tomorrow":         {"215252600000031,,,2026-06-02,,,,", "D3", "import.future"},
		"no date":          {"215252600000031,,,去年,,,,", "D3", "import.date"},
		"pen":              {"215252600000031,,,,南圈,,,", "", "import.pen"},
		"device":           {"215252600000031,,,,,a/b,,", "F3", "device.id"},
		"worn":             {"215252600000031,,,,,t1,,", "", "import.worn"},
		"status":           {"215252600000031,,,,,,飞走,", "G3", "import.word"},
		"chip":             {"215252600000031,,,,,,,xyz", "H3", "animal.chip"},
		"nothing":          {",安格斯牛,,,,,,", "A3", "animal.no_code"},
		"excel error":      {"215252600000031,,#N/A,,,,,", "C3", "import.excel_error"},
		"twice":            {"215252600000030,,,,,,,", "", "import.twice"},
		"differs":          {"215252600000001,,公,,,,,", "", "import.differs"},
	} {
		h := open(t)
		body := []byte(header + good + c.row + "\n")
		a := h.send(t, body)
		if a.Refused != 1 || len(a.Refusals) != 1 || a.Saved || len(h.animals(t)) != 1 {
			t.Errorf("%s: %+v", name, a)
			continue
		}
		if r := a.Refusals[0]; r.Row != 3 || r.Cell != c.cell || r.Code != c.code || r.Msg == "" || (r.Cell != "") != (r.Column != "") {
			t.Errorf("%s: %+v", name, r)
		}
		if a := h.send(t, body, skip); !a.Saved || a.Added != 1 || len(h.animals(t)) != 2 {
			t.Errorf("%s, the good rows only: %+v", name, a)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"nothing":       {" \n", sheet.ErrEmpty},
		"header only":   {"耳标号\n", sheet.ErrEmpty},
		"no code":       {"品种,性别\n安格斯牛,公\n", register.ErrHeader},
		"two codes":     {"耳标号,ear_tag\n1,2\n", register.ErrHeaderTwice},
		"old excel":     {"\xd0\xcf\x11\xe0abc", sheet.ErrOldExcel},
		"broken zip":    {"PK\x03\x04abc", sheet.ErrDamaged},
		"quotes":        {"耳标号\n\"a\"b\n", sheet.ErrQuotes},
		"picture":       {"\x89PNG\r\n\x1a\n\x00\x00", sheet.ErrFormat},
		"broken JSON":   {`{"member": [`, register.ErrADE},
		"two documents": {`{} {}`, register.ErrADE},
		"deep":          {strings.Repeat("[", 6) + strings.Repeat("]", 6), register.ErrADE},
		"merged":        {mergedBook(t), sheet.ErrMerged},
	} {
		_, err := h.Import(t.Context(), register.Request{Tenant: "a", HerdID: h.herd.ID, Body: []byte(c.body)})
		if !errors.Is(err, c.want) || fault.Kind(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Import(t.Context(), register.Request{Tenant: "b", HerdID: h.herd.ID, Body: []byte(table)}); !errors.Is(err, iot.ErrHerdNotFound) {
		t.Errorf("into another bank's herd: %v", err)
	}
}

// mergedBook is a herd in which one mother stands for two animals.
func mergedBook(t *testing.T) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{{"耳标号", "母亲耳标"}, {"215252600000021", "215252600000001"}, {"215252600000022"}} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.MergeCell("Sheet1", "B2", "B3"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func animal(code, more string) string {
	return `{"resourceType":"icarAnimalCoreResource","identifier":{"scheme":"cn-67","id":"` + code + `"},"specie":"Cattle","gender":"Female"` + more + `}`
}

func event(kind, id, code, at, more string) string {
	return fmt.Sprintf(`{"resourceType":"icar%sEventResource","id":%q,"animal":{"scheme":"cn-67","id":%q},"eventDateTime":%q%s}`, kind, id, code, at, more)
}

func TestADE(t *testing.T) {
	t.Parallel()
	doc := `{"member":[` + strings.Join([]string{
		event("Weight", "w1", "215252600000041", "2026-05-01T08:00:00+08:00", `,"weight":{"measurement":500,"units":"LBR","method":"LoadCell"}`),
		animal("215252600000041", `,"birthDate":"2023-05-06T00:00:00Z","primaryBreed":{"scheme":"org.icar","id":"Angus"},"status":"Alive",
			"alternativeIdentifiers":[{"scheme":"org.icar.iso11784","id":"156000000000041"},{"scheme":"com.example.farm","id":"Bella"}]`),
		event("MovementDeath", "d1", "215252600000041", "2026-05-20T00:00:00Z", `,"deathReason":"Missing","explanation":"not seen since the flood"`),
		event("MovementArrival", "a1", "215252600000042", "2026-04-01T00:00:00Z", `,"arrivalReason":"Purchase","animalDetail":`+animal("215252600000042", "")),
		event("MovementDeparture", "o1", "215252600000042", "2026-04-20T00:00:00Z", `,"departureReason":"Sale"`),
		event("MovementBirth", "", "215252600000043", "2026-05-02T00:00:00Z", `,"animalDetail":`+animal("215252600000043", "")),
		`{"resourceType":"icarDeviceResource","id":"collar-7"}`,
		event("Weight", "w2", "215252600000001", "2026-05-01T00:00:00Z", `,"weight":{"measurement":412.5}`),
	}, ",") + `]}`
	h := open(t)
	if a := h.send(t, []byte(doc), dry); a.Refused != 0 || len(h.animals(t)) != 1 {
		t.Fatalf("%+v", a)
	}
	a := h.send(t, []byte(doc))
	if a.Read != 8 || a.Added != 1 || a.Events != 4 || a.Weighings != 2 || a.Devices != 1 || !a.Saved {
		t.Fatalf("%+v", a)
	}
	got := h.animals(t)
	dead := got["215252600000041"]
	life, err := h.store.Life(t.Context(), "a", dead.ID)
	if err != nil || dead.Status != iot.Dead || dead.Breed != "angus" || len(life.Identifiers) != 2 {
		t.Errorf("%+v %v", life, err)
	}
	if e := life.Events[len(life.Events)-1]; e.Reason != "missing" || e.Note != "not seen since the flood" || e.Key != "d1" || e.By != "op" || e.Source != "import" {
		t.Errorf("%+v", e)
	}
	if a := got["215252600000042"]; a.Status != iot.OffFarm {
		t.Errorf("%+v", a)
	}
	if a := got["215252600000043"]; !a.Born.Equal(time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)) || !a.Here() {
		t.Errorf("%+v", a)
	}
	want := map[string]float64{"a " + dead.ID + " 2026-05-01 scale": 226.796, "a " + got["215252600000001"].ID + " 2026-05-01 scale": 412.5}
	if d := cmp.Diff(want, h.kg); d != "" {
		t.Error(d)
	}
	again := h.send(t, []byte(doc))
	if again.Added != 0 || again.Events != 0 || again.Devices != 0 || again.Refused != 0 || cmp.Diff(got, h.animals(t)) != "" || cmp.Diff(want, h.kg) != "" {
		t.Errorf("the same file again: %+v", again)
	}
}

func TestADERefusals(t *testing.T) {
	t.Parallel()
	const at = "2026-05-01T00:00:00Z"
	for name, c := range map[string]struct{ resource, path, code string }{
		"type":      {`{"resourceType":"icarMilkPredictionResource"}`, "[0]", "import.ade_type"},
		"no type":   {`{}`, "[0]", "import.ade_type"},
		"wrong":     {`{"resourceType":"icarDeviceResource","id":7}`, "[0]", "import.ade_field"},
		"number":    {`7`, "[0]", "import.ade_field"},
		"scheme":    {strings.Replace(animal("1", ""), "cn-67", "uk.gov", 1), "[0].identifier", "import.ade_scheme"},
		"code":      {animal("215252600000", ""), "[0].identifier", "animal.digits"},
		"alternate": {animal("215252600000041", `,"alternativeIdentifiers":[{"scheme":"iso11784","id":"999000000000041"}]`), "[0].alternativeIdentifiers[0]", "animal.iso"},
		"species":   {strings.Replace(animal("215252600000041", ""), "Cattle", "Elk", 1), "[0].specie", "import.species"},
		"gender":    {strings.Replace(animal("215252600000041", ""), "Female", "Both", 1), "[0].gender", "import.ade_field"},
		"status":    {animal("215252600000041", `,"status":"Flown"`), "[0].status", "import.ade_field"},
		"born":      {animal("215252600000041", `,"birthDate":"spring"`), "[0].birthDate", "import.date"},
		"stranger":  {event("MovementDeath", "x", "215252600000099", at, ""), "[0]", "import.stranger"},
		"no animal": {`{"resourceType":"icarWeightEventResource","eventDateTime":"` + at + `"}`, "[0].animal", "import.ade_field"},
		"reason":    {event("MovementDeath", "x", "215252600000001", at, `,"deathReason":"Boredom"`), "[0].deathReason", "life.reason"},
		"future":    {event("MovementDeath", "x", "215252600000001", "2027-01-01T00:00:00Z", ""), "[0].eventDateTime", "import.future"},
		"too early": {event("MovementDeath", "x", "215252600000001", at, ""), "[0]", "life.before_entry"},
		"weight":    {event("Weight", "x", "215252600000001", at, `,"weight":{"measurement":-1}`), "[0].weight", "import.ade_weight"},
		"units":     {event("Weight", "x", "215252600000001", at, `,"weight":{"measurement":1,"units":"STONE"}`), "[0].weight", "import.ade_weight"},
		"group":     {event("Weight", "x", "215252600000001", at, `,"weight":{"measurement":1,"method":"GroupAverage"}`), "[0].weight", "import.ade_group"},
		"steer":     {event("ReproInsemination", "x", "", at, ""), "[0].animal", "animal.digits"},
	} {
		h := open(t)
		a := h.send(t, []byte("["+c.resource+","+animal("215252600000030", "")+"]"))
		if len(a.Refusals) != 1 || a.Refusals[0].Path != c.path || a.Refusals[0].Code != c.code || a.Saved || a.Refused != 1 || a.Read != 2 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestBox(t *testing.T) {
	t.Parallel()
	f, err := register.ReadBox([]byte("设备号,设备类型,型号\nE1,耳标,p1\nG1,网关,\nC1,camera,\nE1,,\nx/y,,\nE2,飞碟,\n"))
	if err != nil || f.Read != 6 || len(f.Devices) != 3 || len(f.Refusals) != 3 {
		t.Fatalf("%+v %v", f, err)
	}
	if d := f.Devices[0]; d.Row != 2 || d.ID != "E1" || d.Kind != iot.TagDevice || d.Profile != "p1" || f.Devices[1].Kind != iot.Gateway || f.Devices[2].Kind != iot.Camera {
		t.Errorf("%+v", f.Devices)
	}
	for i, want := range []string{"herd.twice", "device.id", "import.word"} {
		if f.Refusals[i].Code != want || f.Refusals[i].Row != 5+i {
			t.Errorf("%+v", f.Refusals[i])
		}
	}
}

func check(t *testing.T, f register.File) {
	t.Helper()
	places := map[register.Place]bool{}
	for _, r := range f.Refusals {
		if r.Code == "" || r.Msg == "" {
			t.Errorf("%+v", r)
		}
		places[r.Place] = true
	}
	own := 0
	for _, a := range f.Animals {
		if !a.Event {
			own++
		}
		for _, id := range append([]iot.AnimalID{a.Animal.Identity}, a.Animal.Codes...) {
			if err := id.Validate(a.Animal.Species); id.Code != "" && err != nil {
				t.Errorf("%+v: %v", a, err)
			}
		}
		if a.Animal.Born.After(now) {
			t.Errorf("born %s", a.Animal.Born)
		}
	}
	for _, w := range f.Weighings {
		if !(w.Kg >= 0 && w.Kg <= 3000) {
			t.Errorf("%v kg", w.Kg)
		}
	}
	if got := own + len(f.Events) + len(f.Weighings) + len(f.Devices) + len(places); got < f.Read {
		t.Errorf("%d read, %d accounted for", f.Read, got)
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte(table))
	f.Add([]byte("ear_tag\tdob\n215252600000001\t45350\n"))
	f.Add([]byte("设备号,设备类型\nE1,耳标\n"))
	c := kinds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, err := register.Read(body, register.Options{Species: c, Default: "cattle", Today: now}); err == nil {
			check(t, got)
		} else if fault.Kind(err) == nil {
			t.Error(err)
		}
		if got, err := register.ReadBox(body); err == nil {
			check(t, got)
		}
	})
}

func FuzzADE(f *testing.F) {
	f.Add([]byte(animal("215252600000041", "")))
	f.Add([]byte(`{"member":[` + event("Weight", "", "215252600000041", "2026-05-01T00:00:00Z", `,"weight":{"measurement":1e300}`) + `]}`))
	f.Add([]byte(`[{"resourceType":"icarMovementBirthEventResource"}]`))
	c := kinds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		body = append([]byte("["), append(body, ']')...)
		got, err := register.Read(body, register.Options{Species: c, Default: "cattle", Today: now})
		if err == nil {
			check(t, got)
			if !json.Valid(body) {
				t.Error("what is no JSON was read")
			}
		}
	})
}
