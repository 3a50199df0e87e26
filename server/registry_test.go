package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

func (h *house) patch(login, path string, body any) reply {
	h.Helper()
	return h.do(call{Method: "PATCH", Path: "/api/v1" + path, Login: login, Body: body})
}

const animalTable = "耳标号,品种,性别,出生日期,设备号\n215252400000011,西门塔尔牛,母,2023-05-06,E11\n215252400000012,,公,2024-02-30,E12\n"

// TestHerdGrows takes a herd through what may happen to it: it changes, gains animals by
// form and by file, and tells the whole life of one of them.
func TestHerdGrows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	herd := h.herd("wang", "t")
	base := "/operator/herds/" + herd.ID
	changed := decode[iot.Herd](h, h.patch("operator", base, map[string]any{
		"name": "北牧场", "region": "152524", "pens": []map[string]any{{"name": "一号圈", "area": square(116.001, 43.001, 0.005)}},
	}))
	if changed.Name != "北牧场" || changed.Region != "152524" || len(changed.Pens) != 1 || changed.Pens[0].ID == "" || len(changed.Fence) != 1 {
		t.Fatalf("%+v", changed)
	}
	if r := h.patch("operator", base, map[string]any{"pens": []map[string]any{{"name": "结", "area": bowtie}}}); r.status != 422 || !strings.Contains(string(r.body), "pens[0].area") || !strings.Contains(string(r.body), "不要打结") {
		t.Errorf("%d %s", r.status, r.body)
	}
	joined := decode[operator.Joined](h, h.post("operator", base+"/animals", map[string]any{
		"animals": []map[string]any{{"identity": map[string]string{"scheme": "cn-67", "code": "215252400000002"}, "born": "2024-01-01", "sex": "f", "tag_id": "t2", "pen_id": changed.Pens[0].ID}},
		"devices": []map[string]any{{"id": "cam1", "kind": "camera", "pen_id": changed.Pens[0].ID}},
	}))
	if len(joined.Animals) != 1 || len(joined.Credentials) != 2 {
		t.Fatalf("%+v", joined)
	}

	file := func(fields map[string]string) register.Account {
		return decode[register.Account](h, h.upload("operator", base+"/import", "a.csv", []byte(animalTable), fields))
	}
	if a := file(nil); a.Saved || a.Read != 2 || a.Refused != 1 || a.Refusals[0].Cell != "D3" || a.Refusals[0].Code != "import.no_such_day" || a.Refusals[0].Msg != "没有这一天：2024-02-30" {
		t.Errorf("%+v", a)
	}
	if a := file(map[string]string{"dry_run": "true", "skip_bad": "true"}); a.Saved || a.Added != 1 {
		t.Errorf("%+v", a)
	}
	if a := file(map[string]string{"skip_bad": "true"}); !a.Saved || a.Added != 1 || len(a.Credentials) != 1 {
		t.Errorf("%+v", a)
	}
	if a := file(map[string]string{"skip_bad": "true"}); a.Known != 1 || a.Added != 0 {
		t.Errorf("the same file again: %+v", a)
	}
	if r := h.upload("operator", base+"/import", "a.csv", []byte("品种\n牛\n"), nil); r.status != 422 || r.problem(t).Code != "import.header" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.get("operator", "/operator/templates/animals.xlsx"); r.status != 200 || string(r.body[:2]) != "PK" {
		t.Errorf("%d", r.status)
	}

	// The watch heard of all of it.
	page := decode[struct {
		States []iot.AnimalState `json:"states"`
	}](h, h.get("officer", "/officer/herds/"+herd.ID))
	if len(page.States) != 3 {
		t.Errorf("the watch follows %d animals", len(page.States))
	}
	list := decode[route.List[iot.Animal]](h, h.get("officer", "/officer/herds/"+herd.ID+"/animals?limit=2"))
	rest := decode[route.List[iot.Animal]](h, h.get("officer", "/officer/herds/"+herd.ID+"/animals?limit=2&after="+list.Next))
	if len(list.Items) != 2 || len(rest.Items) != 1 || rest.Next != "" {
		t.Errorf("%d and %d animals", len(list.Items), len(rest.Items))
	}

	if r := h.do(call{Method: "DELETE", Path: "/api/v1/operator/devices/t2/readings", Login: "operator"}); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.do(call{Method: "DELETE", Path: "/api/v1/operator/devices/t2/readings", Login: "operator2"}); r.status != 404 {
		t.Errorf("another bank's device: %d %s", r.status, r.body)
	}
	cow := joined.Animals[0].ID
	event := func(login string, body map[string]any) reply {
		return h.post(login, "/"+map[string]string{"operator": "operator", "wang": "farmer", "li.na": "farmer"}[login]+"/animals/"+cow+"/events", body)
	}
	at := time.Now().UTC()
	if r := event("wang", map[string]any{"kind": "identified", "at": at, "identity": map[string]string{"scheme": "cn-67", "code": "215252400000099"}, "reason": "lost"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	found := decode[route.List[iot.Animal]](h, h.get("operator", "/officer/animals?code=215252400000002"))
	if len(found.Items) != 1 || found.Items[0].ID != cow || found.Items[0].Identity.Code != "215252400000099" {
		t.Errorf("the old code finds %+v", found.Items)
	}
	// Its old code is never another's.
	r := h.post("operator", base+"/animals", map[string]any{"animals": []map[string]any{{"identity": map[string]string{"scheme": "cn-67", "code": "215252400000002"}, "born": "2024-01-01"}}})
	if p := r.problem(t); r.status != 409 || p.Code != "animal.code_used" || !strings.Contains(p.Detail, "北牧场") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := event("wang", map[string]any{"kind": "death", "at": at.Add(time.Second), "reason": "boredom"}); r.status != 422 || r.problem(t).Code != "life.reason" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := event("wang", map[string]any{"kind": "death", "at": at.Add(time.Hour)}); r.status != 422 || r.problem(t).Code != "life.future" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := event("wang", map[string]any{"kind": "death", "at": time.Now().UTC(), "reason": "missing"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := event("wang", map[string]any{"kind": "move", "at": time.Now().UTC()}); r.status != 409 || r.problem(t).Code != "life.after_death" || !strings.Contains(string(r.body), "死亡") {
		t.Errorf("%d %s", r.status, r.body)
	}
	whole := decode[view.AnimalPage](h, h.get("officer", "/officer/animals/"+cow))
	if whole.State != nil {
		t.Errorf("the dead are watched: %+v", whole.State)
	}
	if l := whole.Life; l.Animal.Status != iot.Dead || len(l.Identifiers) != 2 || len(l.Tags) != 1 || l.Tags[0].To == nil || len(l.Events) != 3 || l.Events[2].By != h.users["wang"].ID || whole.Herd.ID != herd.ID {
		t.Errorf("%+v", l)
	}
	death := whole.Life.Events[2].ID
	if r := event("operator", map[string]any{"kind": "correction", "at": time.Now().UTC(), "corrects": death}); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	births, young := "/farmer/animals/"+cow+"/births", map[string]any{"at": time.Now().UTC(), "sex": "f"}
	if r := h.post("wang", births, young); r.status != 422 || r.problem(t).Code != "animal.birth_key" {
		t.Errorf("%d %s", r.status, r.body)
	}
	calf := decode[iot.Animal](h, h.post("wang", births, young, "Idempotency-Key", "calf-of-today"))
	if again := decode[iot.Animal](h, h.post("wang", births, young, "Idempotency-Key", "calf-of-today")); again.ID != calf.ID {
		t.Errorf("one birth made %s and %s", calf.ID, again.ID)
	}
	if p := decode[view.AnimalPage](h, h.get("officer", "/officer/animals/"+calf.ID)); p.State == nil || p.State.AnimalID != calf.ID || p.State.Status != watch.StatusNoData {
		t.Errorf("%+v", p.State)
	}
	if l := decode[view.AnimalPage](h, h.get("wang", "/farmer/animals/"+calf.ID)); l.Life.Dam != cow || l.Life.Animal.HerdID != herd.ID {
		t.Errorf("%+v", l.Life)
	}
}

// TestHerdOfMine: a herder sees where the own animals are and which tags are to be had.
func TestHerdOfMine(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	herd := h.herd("wang", "t")
	page := func() farmer.HerdPage {
		return decode[farmer.HerdPage](h, h.get("wang", "/farmer/herds/"+herd.ID))
	}
	p := page()
	if p.Herd.ID != herd.ID || p.Report.Registered != 1 || len(p.States) != 1 || p.States[0].TagID != "t1" || len(p.FreeTags) != 0 {
		t.Fatalf("%+v", p)
	}
	if r := h.get("officer", "/farmer/herds/"+herd.ID); r.status != 403 {
		t.Errorf("an officer reads as a herder: %d", r.status)
	}
	// A tag that came off is there for another animal.
	if r := h.post("wang", "/farmer/animals/"+p.States[0].AnimalID+"/events", map[string]any{"kind": "tag_lost", "at": time.Now().UTC(), "reason": "broken"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if p = page(); !slices.Equal(p.FreeTags, []string{"t1"}) || p.States[0].TagID != "" || p.Report.NoData != 1 {
		t.Errorf("%+v", p)
	}
	// A dead animal is no longer among those that are there.
	if r := h.post("wang", "/farmer/animals/"+p.States[0].AnimalID+"/events", map[string]any{"kind": "death", "at": time.Now().UTC(), "reason": "disease"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if p = page(); len(p.States) != 0 || p.Report.Registered != 0 {
		t.Errorf("%+v", p)
	}
}

// TestOthersAnimals: what belongs to another person or bank is not found, and nothing
// of it changes.
func TestOthersAnimals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	herd := h.herd("wang", "t")
	cow := decode[route.List[iot.Animal]](h, h.get("wang", "/farmer/herds/"+herd.ID+"/animals")).Items[0].ID
	for _, login := range []string{"li.na", "zhao"} {
		for _, path := range []string{"/farmer/herds/" + herd.ID, "/farmer/herds/" + herd.ID + "/animals", "/farmer/animals/" + cow} {
			if r := h.get(login, path); r.status != 404 {
				t.Errorf("%s %s: %d %s", login, path, r.status, r.body)
			}
		}
		for path, body := range map[string]map[string]any{
			"/farmer/animals/" + cow + "/events":    {"kind": "death", "at": time.Now().UTC()},
			"/farmer/animals/" + cow + "/births":    {"at": time.Now().UTC()},
			"/farmer/herds/" + herd.ID + "/devices": {"device_id": "E1", "code": iot.NewClaimCode()},
		} {
			if r := h.post(login, path, body); r.status != 404 {
				t.Errorf("%s %s: %d %s", login, path, r.status, r.body)
			}
		}
	}
	for _, path := range []string{"/officer/animals/" + cow, "/officer/herds/" + herd.ID + "/animals"} {
		if r := h.get("officer2", path); r.status != 404 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if found := decode[route.List[iot.Animal]](h, h.get("operator2", "/officer/animals?code=215252400000001")); len(found.Items) != 0 {
		t.Errorf("%+v", found.Items)
	}
	for _, path := range []string{"/operator/devices/t1/revoke", "/operator/devices/t1/rotate", "/operator/devices/t1/claim"} {
		if r := h.post("operator2", path, map[string]any{}); r.status != 404 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	// Whose herd holds a code is the bank's to know, not another herder's.
	_, _, err := h.herds.Register(h.Context(), "bank", iot.Herd{OwnerID: h.users["li.na"].ID, Name: "秘密牧场", Species: "cattle", Fence: square(117, 43, 0.02)},
		[]iot.Animal{{Identity: iot.AnimalID{Scheme: "cn-67", Code: "215252400000077"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := h.post("wang", "/farmer/animals/"+cow+"/events", map[string]any{"kind": "identified", "at": time.Now().UTC(), "identity": map[string]string{"scheme": "cn-67", "code": "215252400000077"}})
	if r.status != 409 || r.problem(t).Code != "animal.taken" || strings.Contains(string(r.body), "秘密") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if page := decode[view.AnimalPage](h, h.get("wang", "/farmer/animals/"+cow)); len(page.Life.Events) != 1 {
		t.Errorf("%+v", page.Life.Events)
	}
}

// TestBoxOfDevices goes from the operator's table to a farmer's herd and back.
func TestBoxOfDevices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	herd := h.herd("wang", "t")
	cow := decode[route.List[iot.Animal]](h, h.get("wang", "/farmer/herds/"+herd.ID+"/animals")).Items[0].ID
	box := func(body string) operator.Box {
		return decode[operator.Box](h, h.upload("operator", "/operator/devices", "box.csv", []byte(body), nil))
	}
	if b := box("设备号,类型\nE1,耳标\nE 2,飞碟\n"); b.Saved || len(b.Devices) != 0 || b.Refusals[0].Row != 3 || !strings.Contains(b.Refusals[0].Msg, "请填写其中之一") {
		t.Errorf("%+v", b)
	}
	b := box("设备号,类型,型号\nE1,耳标,p1\nns,network,\n")
	if !b.Saved || b.Devices[0].Code == "" || b.Devices[1].Credential == nil {
		t.Fatalf("%+v", b)
	}
	if r := h.upload("operator", "/operator/devices", "box.csv", []byte("设备号\nE1\n"), nil); r.status != 409 || r.problem(t).Code != "device.taken" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if d := decode[route.List[iot.Device]](h, h.get("operator", "/operator/devices")); len(d.Items) != 1 || d.Items[0].ID != "E1" {
		t.Errorf("%+v", d.Items)
	}
	claim := func(code string) reply {
		return h.post("wang", "/farmer/herds/"+herd.ID+"/devices", map[string]any{"device_id": "E1", "code": code, "animal_id": cow})
	}
	if r := claim("AAAA-BBBB"); r.status != 422 || r.problem(t).Code != "claim.mistyped" || !strings.Contains(string(r.body), "校验") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := claim(iot.NewClaimCode()); r.status != 422 || r.problem(t).Code != "claim.wrong" {
		t.Errorf("%d %s", r.status, r.body)
	}
	c := decode[iot.Credential](h, claim(strings.ToLower(b.Devices[0].Code)))
	if c.Username != "bank/E1" || len(c.Secret) < 40 {
		t.Errorf("%+v", c)
	}
	page := decode[view.AnimalPage](h, h.get("wang", "/farmer/animals/"+cow))
	if l := page.Life; l.Animal.TagID != "E1" || len(l.Tags) != 2 || l.Tags[0].Tag != "t1" || l.Tags[0].To == nil {
		t.Errorf("%+v", l.Tags)
	}
	for range 4 {
		claim(iot.NewClaimCode())
	}
	if r := claim(iot.NewClaimCode()); r.status != 429 || r.problem(t).Code != "claim.too_many" {
		t.Errorf("%d %s", r.status, r.body)
	}
	again := decode[iot.Credential](h, h.post("operator", "/operator/devices/E1/rotate", map[string]any{}))
	if again.Secret == c.Secret {
		t.Error("the secret stayed")
	}
	if r := h.post("operator", "/operator/devices/E1/revoke", map[string]any{}); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.post("operator", "/operator/devices/E1/rotate", map[string]any{}); r.status != 409 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.post("operator", "/operator/devices/E1/claim", map[string]any{}); r.status != 409 || r.problem(t).Code != "device.claimed" {
		t.Errorf("a worn tag is given away: %d %s", r.status, r.body)
	}
}
