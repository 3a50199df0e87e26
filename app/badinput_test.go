package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/xuri/excelize/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
	"github.com/furrowcredit/furrow/sheet"
)

// The bad input of the acceptance that must get through real rooms to be refused:
// files, and what a tag sends. server's tests hold the refusals of single requests
// (bad polygons, dates, passwords, bodies that are too long).

// books is a house with an officer and an anchor.
func books(t *testing.T, scenes string) *town {
	t.Helper()
	w := &town{TB: t, tenant: "bank", people: map[string]*apptest.Person{}}
	w.App = apptest.Start(t, app.Config{Data: t.TempDir(), MQTT: "127.0.0.1:0", Tenant: w.tenant, Scenes: scenes})
	w.broker = w.MQTT()
	w.register(access.Officer, "officer", "")
	var p chain.Party
	w.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(0), "name": "青穗县核心企业有限公司", "anchor": true}, &p)
	w.register(access.Anchor, "anchor", p.ID)
	return w
}

// counts is what the house holds, as its pages show it.
func (w *town) counts() string {
	w.Helper()
	var home, uploads json.RawMessage
	w.as("officer").Get("/officer/home", &home)
	w.as("anchor").Get("/anchor/uploads", &uploads)
	return string(home) + string(uploads)
}

// says checks a refusal in both languages.
func says(t testing.TB, name, code, zh, en string, send func(lang string) apptest.Reply) {
	t.Helper()
	for lang, want := range map[string]string{"zh-CN": zh, "en": en} {
		r := send(lang)
		var p apptest.Problem
		if r.Read(t, &p); r.Status != 422 || p.Code != code || !strings.Contains(p.Text(), want) {
			t.Errorf("%s in %s: %d %s; want %s and %q", name, lang, r.Status, r.Body, code, want)
		}
	}
}

func supplierRow(name string, n int, since string) map[string]string {
	return map[string]string{"seller": name, "seller_uscc": creditCode(n), "date": since}
}

func TestBadSpreadsheets(t *testing.T) {
	t.Parallel()
	w := books(t, "")
	good := []map[string]string{supplierRow("青穗县禾岭粮油有限公司", 1, "2024-01-01"), supplierRow("青穗县丰泽面粉厂", 2, "2024-02-01")}
	goodFile := table(t, chain.Suppliers, "xlsx", good)
	book, err := excelize.OpenReader(bytes.NewReader(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := book.MergeCell(book.GetSheetName(0), "A2", "A3"); err != nil {
		t.Fatal(err)
	}
	merged, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	empty := w.counts()
	for _, tt := range []struct {
		name, file   string
		body         []byte
		code, zh, en string
	}{
		{"merged cells", "a.xlsx", merged.Bytes(), sheet.ErrMerged.Code, "A2:A3 是合并单元格", "A2:A3 are merged"},
		{"half a workbook", "a.xlsx", goodFile[:len(goodFile)/2], sheet.ErrDamaged.Code, "文件已损坏", "damaged"},
		{"neither UTF-8 nor GBK", "a.csv", []byte("供应商名称,\xff\xff\xff\n"), sheet.ErrEncoding.Code, "GBK", "neither UTF-8 nor GBK"},
	} {
		says(t, tt.name, tt.code, tt.zh, tt.en, func(lang string) apptest.Reply {
			return w.as("anchor").Upload("/anchor/uploads", map[string]string{"kind": "suppliers"}, tt.file, tt.body, "Accept-Language", lang)
		})
	}
	if now := w.counts(); now != empty {
		t.Errorf("a refused file left something: %s, before %s", now, empty)
	}

	// A date that does not exist is shown at its cell, and its row is left out.
	bad := append([]map[string]string{supplierRow("青穗县芃川包装有限公司", 3, "2026-02-30")}, good...)
	var u chain.Upload
	w.as("anchor").Upload("/anchor/uploads", map[string]string{"kind": "suppliers"}, "供应商.csv", table(t, chain.Suppliers, "gbk", bad)).Read(t, &u)
	if u.State != chain.UploadChecked || u.Rows != 3 || u.Bad != 1 {
		t.Errorf("checked as %+v", u)
	}
	for lang, want := range map[string]string{"zh-CN": "没有这一天：2026-02-30", "en": "2026-02-30"} {
		var page chain.Upload
		w.as("anchor").Send("GET", "/anchor/uploads/"+u.ID, "", nil, "Accept-Language", lang).Read(t, &page)
		if len(page.Errors) != 1 || page.Errors[0].Row != 2 || page.Errors[0].Cell != "P2" || !strings.Contains(page.Errors[0].Msg, want) ||
			(lang == "en") != !strings.Contains(page.Errors[0].Msg, "没有") {
			t.Errorf("in %s: %+v", lang, page.Errors)
		}
	}
	w.as("anchor").Post("/anchor/uploads/"+u.ID+"/commit", map[string]bool{"skip_bad": true}, &u)
	var firms route.List[chain.Party]
	w.as("officer").Get("/officer/firms", &firms)
	names := map[string]bool{}
	for _, f := range firms.Items {
		names[f.Name] = true
	}
	if len(names) != 3 || !names["青穗县禾岭粮油有限公司"] || !names["青穗县丰泽面粉厂"] || u.Good != 2 {
		t.Errorf("the good rows of a GBK file gave %v, %+v", names, u)
	}
}

func TestBadLandRegister(t *testing.T) {
	t.Parallel()
	w := books(t, "")
	owner := w.register(access.Borrower, "farmer", "")
	feature := func(name string, p orb.Polygon) string {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"type":"Feature","properties":{"name":%q},"geometry":{"type":"Polygon","coordinates":%s}}`, name, b)
	}
	square := func(lon, side float64) orb.Polygon {
		return orb.Polygon{{{lon, 35}, {lon + side, 35}, {lon + side, 35 + side}, {lon, 35 + side}, {lon, 35}}}
	}
	good := feature("good", square(114.3, 0.002))
	bad := []string{
		feature("knot", orb.Polygon{{{114.4, 35}, {114.402, 35.002}, {114.402, 35}, {114.4, 35.002}, {114.4, 35}}}),
		feature("tiny", square(114.5, 0.0000175)), // 3 m²
	}
	send := func(lang string, features ...string) apptest.Reply {
		file := `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
		return w.as(apptest.Operator).Upload("/operator/plots/import", map[string]string{"owner_id": owner}, "plots.geojson", []byte(file), "Accept-Language", lang)
	}
	empty := w.counts()
	for lang, want := range map[string][2]string{"zh-CN": {"交叉", "平方米"}, "en": {"crosses itself", "100 m²"}} {
		var got operator.PlotImport
		r := send(lang, bad...)
		if r.Read(t, &got); got.Read != 2 || got.Saved != 0 || len(got.Refusals) != 2 {
			t.Fatalf("in %s: %s", lang, r.Body)
		}
		for i, code := range []string{"plot.self_crossing", "plot.too_small"} {
			if f := got.Refusals[i]; f.Code != code || !strings.Contains(f.Reason, want[i]) || f.Place == "" {
				t.Errorf("in %s: %+v, want %s and %q", lang, f, code, want[i])
			}
		}
	}
	says(t, "half a file", "register.file", "读不懂", "cannot be read", func(lang string) apptest.Reply { return send(lang, good[:len(good)/2]) })
	if now := w.counts(); now != empty {
		t.Errorf("refused plots left something: %s, before %s", now, empty)
	}
	var got operator.PlotImport
	send("en", append(bad, good)...).Read(t, &got)
	if got.Read != 3 || got.Saved != 1 || len(got.Refusals) != 2 || got.Plots[0].OwnerID != owner {
		t.Errorf("%+v", got)
	}
}

// A tag whose clock is 40 days ahead is heard, kept apart with the reason, and
// believed in nothing.
func TestTagFromTheFuture(t *testing.T) {
	t.Parallel()
	w := books(t, "")
	owner := w.register(access.Borrower, "herder", "")
	var out struct {
		Herd        iot.Herd
		Credentials []iot.Credential
	}
	w.as(apptest.Operator).Post("/operator/herds", map[string]any{
		"owner_id": owner, "name": "东场", "species": "cattle",
		"fence":   orb.Polygon{{{114.4, 35}, {114.41, 35}, {114.41, 35.01}, {114.4, 35.01}, {114.4, 35}}},
		"animals": []map[string]any{{"identity": iot.AnimalID{Scheme: iot.SchemeCN67, Code: "241072500000001"}, "born": "2024-03-01", "tag_id": "tag1"}},
	}, &out)
	before := w.counts()
	lon, lat := 114.405, 35.005
	at := time.Now().AddDate(0, 0, 40)
	apptest.Connect(t, w.broker, w.tenant, out.Credentials[0]).Publish(iot.Reading{At: at, Lon: &lon, Lat: &lat})
	var kept route.List[iot.Quarantined]
	w.as("officer").Get("/officer/quarantine", &kept)
	if len(kept.Items) != 1 {
		t.Fatalf("quarantine: %+v", kept)
	}
	q := kept.Items[0]
	if q.Code != "reading.future" || q.Device != "tag1" || !strings.Contains(q.Reason, "超前 5 分钟以上") || !strings.Contains(string(q.Payload), fmt.Sprint(at.UnixMilli())) {
		t.Errorf("quarantined as %+v", q)
	}
	var page struct{ States []iot.AnimalState }
	w.as("officer").Get("/officer/herds/"+out.Herd.ID, &page)
	if len(page.States) != 1 || page.States[0].LastHeard != nil || page.States[0].Lon != nil {
		t.Errorf("the herd believes it: %+v", page.States)
	}
	if now := w.counts(); now != before {
		t.Errorf("it left %s, before %s", now, before)
	}
}

// One raster that was cut short on its way is named and left out; the house starts
// with the others, and the catalogue of before stays when nothing can be read.
func TestTruncatedScene(t *testing.T) {
	t.Parallel()
	l := demoLand(t)
	dir, out := t.TempDir(), t.TempDir()
	files, err := filepath.Glob(filepath.Join(l.scenes, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var cut string
	kept := 0
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f)
		switch {
		case !strings.HasPrefix(name, "S2_T50SKD_202606") && filepath.Ext(name) == ".tif":
			continue
		case strings.HasSuffix(name, "_10m.tif"):
			if kept++; cut == "" {
				cut, body = name, body[:len(body)*2/3]
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	res, err := index.Run(t.Context(), index.Config{Dir: dir, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Refused) != 1 || filepath.Base(res.Refused[0].File) != cut || !strings.Contains(res.Refused[0].Why, cut) || res.Used != 3*kept-1 {
		t.Errorf("%s is cut short, but: %+v", cut, res)
	}
	w := books(t, out)
	var list route.List[view.Scene]
	w.as("officer").Get("/officer/scenes", &list)
	if len(list.Items) != res.Items || res.Items < kept-1 {
		t.Errorf("the house shows %d scenes of %d, %d were copied", len(list.Items), res.Items, kept)
	}

	before, err := os.ReadFile(filepath.Join(out, "catalog.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Join(dir, filepath.Base(f)); filepath.Ext(f) == ".tif" {
			if err := os.Truncate(name, 100); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	if _, err := index.Run(t.Context(), index.Config{Dir: dir, Out: out}); err == nil {
		t.Error("a folder of broken rasters was taken")
	}
	if after, err := os.ReadFile(filepath.Join(out, "catalog.json")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old catalogue is gone: %v", err)
	}
}
