package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/server/anchor"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
	"github.com/furrowcredit/furrow/store"
	plotstore "github.com/furrowcredit/furrow/store/plot"
	"github.com/furrowcredit/furrow/store/storetest"
)

// report gives a plot the evidence of a good wheat field.
func (h *house) report(tenant string, p geo.Plot) {
	h.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	peak := now.AddDate(0, 0, -20)
	err := plotstore.New(h.db).SaveReport(h.Context(), tenant, geo.CropReport{
		PlotID: p.ID, Season: geo.Season{Name: "now", Start: now.AddDate(0, -6, 0), End: now}, Status: geo.Known,
		AreaM2: p.AreaM2, Mu: p.Mu(), Crop: "winter_wheat", Confidence: 0.95, Declared: p.Crop, Vigour: 1,
		Phenology:  geo.Phenology{Peak: &peak, PeakNDVI: 0.8, Seasons: 1},
		Worth:      &geo.Worth{YieldKgPerMu: [3]float64{350, 420, 480}, PriceFenKg: 240, Low: 8000000, Middle: 9000000, High: 10000000},
		FullPixels: 600, ClearDates: 20, TotalDates: 36, LastClear: &now, Sources: []string{"sentinel-2"}, Method: "rules/2", MadeAt: now,
	})
	if err != nil {
		h.Fatal(err)
	}
}

type subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

type ask struct {
	Subject    subject `json:"subject"`
	Product    string  `json:"product"`
	Asked      int64   `json:"asked"`
	TermMonths int     `json:"term_months"`

	Consents []consent.Agreement `json:"consents,omitempty"`
}

// A farmer's way from the drawing to the last repayment, with every answer given
// again when the same request comes twice; on both databases.
func TestFarmerJourney(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { farmerJourney(t, newHouseOn(t, db)) })
}

func farmerJourney(t *testing.T, h *house) {
	field := square(115.05, 37.05, 0.003)
	check := decode[geo.PlotCheck](h, h.post("wang", "/farmer/plots/check", map[string]any{"polygon": field}))
	if check.Mu < 100 || check.Mu > 150 || check.PerimeterM < 1000 {
		t.Errorf("got %+v", check)
	}
	seen := decode[boundary.Suggestion](h, h.post("wang", "/farmer/plots/suggest", map[string]float64{"lon": 115.05, "lat": 37.05}))
	if len(seen.Polygon) != 1 || seen.Confidence != 0.9 || len(seen.Dates) != 1 {
		t.Errorf("got %+v", seen)
	}
	if r := h.post("wang", "/farmer/plots/suggest", map[string]float64{"lon": 15, "lat": 37}); r.status != 404 || r.problem(t).Code != "boundary.cloud" || !strings.Contains(r.problem(t).Detail, "1 幅影像") {
		t.Errorf("under cloud: %d %s", r.status, r.body)
	}
	sketch := map[string]any{"name": "北坡地", "crop": "winter_wheat", "polygon": field}
	plot := decode[geo.Plot](h, h.post("wang", "/farmer/plots", sketch, "Idempotency-Key", "plot-of-wang-1"))
	if same := decode[geo.Plot](h, h.post("wang", "/farmer/plots", sketch, "Idempotency-Key", "plot-of-wang-1")); same.ID != plot.ID {
		t.Errorf("the same plot sent twice is %s and %s", plot.ID, same.ID)
	}
	sketch["name"] = "南坡地"
	if r := h.post("wang", "/farmer/plots", sketch, "Idempotency-Key", "plot-of-wang-1"); r.status != 409 || r.problem(t).Code != "plot.key" {
		t.Errorf("another plot with the same key: %d %s", r.status, r.body)
	}
	if plot.OwnerID != h.users["wang"].ID || plot.Source != "drawn" || !slices.Contains(h.jobs.done, "report "+plot.ID) {
		t.Errorf("got %+v, jobs %v", plot, h.jobs.done)
	}
	again := decode[geo.PlotCheck](h, h.post("li.na", "/farmer/plots/check", map[string]any{"polygon": field}))
	if len(again.Overlaps) != 1 || again.Overlaps[0].PlotID != plot.ID || again.Overlaps[0].Share < 0.99 {
		t.Errorf("overlaps %+v", again.Overlaps)
	}
	page := decode[map[string]any](h, h.get("wang", "/farmer/plots/"+plot.ID))
	if _, there := page["report"]; there {
		t.Errorf("a report before one was made: %v", page)
	}
	h.report("bank", plot)

	form := ask{subject{"plot", plot.ID}, "crop", 2000000, 6, nil}
	if r := h.post("wang", "/farmer/applications", form, "Idempotency-Key", "wang-no-consent"); r.status != 422 || r.problem(t).Code != "consent.missing" {
		t.Errorf("an application without consent: %d %s", r.status, r.body)
	}
	form.Consents = h.agreed("decision", "crop")
	app := decode[apply.Application](h, h.post("wang", "/farmer/applications", form, "Idempotency-Key", "wang-first-one"))
	if same := decode[apply.Application](h, h.post("wang", "/farmer/applications", form, "Idempotency-Key", "wang-first-one")); same.ID != app.ID {
		t.Errorf("the same request made %s and %s", app.ID, same.ID)
	}
	form.Asked++
	if r := h.post("wang", "/farmer/applications", form, "Idempotency-Key", "wang-first-one"); r.status != 409 || r.problem(t).Code != "idempotency.reused" {
		t.Errorf("another request with the same key: %d %s", r.status, r.body)
	}
	detail := decode[apply.Detail](h, h.get("wang", "/farmer/applications/"+app.ID))
	if detail.Application.State != apply.Offered || detail.Decision == nil || detail.Decision.Limit <= 0 || detail.Evidence == nil || detail.Evidence.Crop == nil {
		t.Fatalf("%s: %+v", detail.Application.State, detail.Decision)
	}
	if len(detail.Decision.Reasons) == 0 || !strings.ContainsAny(detail.Decision.Reasons[0].Msg, "的按额") {
		t.Errorf("reasons are not in Chinese: %+v", detail.Decision.Reasons)
	}
	english := decode[apply.Detail](h, h.do(call{Method: "GET", Path: "/api/v1/farmer/applications/" + app.ID, Login: "wang", Header: map[string]string{"Accept-Language": "en"}}))
	if strings.ContainsAny(english.Decision.Reasons[0].Msg, "的按额") {
		t.Errorf("reasons are not in English: %+v", english.Decision.Reasons[0])
	}
	replay := decode[apply.ReplayResult](h, h.post("auditor", "/officer/decisions/"+detail.Decision.ID+"/replay", nil))
	if !replay.Same {
		t.Errorf("the replay differs: %+v", replay)
	}

	contract := decode[apply.Contract](h, h.get("wang", "/farmer/applications/"+app.ID+"/contract"))
	if r := h.post("wang", "/farmer/applications/"+app.ID+"/sign", map[string]string{"hash": strings.Repeat("0", 64)}); r.status != 409 {
		t.Errorf("signing something else: %d %s", r.status, r.body)
	}
	signed := decode[apply.Application](h, h.post("wang", "/farmer/applications/"+app.ID+"/sign", map[string]string{"hash": contract.Hash}))
	if signed.State != apply.Signed {
		t.Errorf("%+v", signed)
	}
	plotPage := decode[struct {
		ApplicationID string `json:"application_id"`
	}](h, h.get("officer", "/officer/plots/"+plot.ID))
	if plotPage.ApplicationID != app.ID {
		t.Errorf("pledged to %q", plotPage.ApplicationID)
	}
	money := map[string]int64{"amount": int64(signed.Limit)}
	drawn := decode[loan.Loan](h, h.post("wang", "/farmer/applications/"+app.ID+"/draw", money, "Idempotency-Key", "draw-it-all-1"))
	if same := decode[loan.Loan](h, h.post("wang", "/farmer/applications/"+app.ID+"/draw", money, "Idempotency-Key", "draw-it-all-1")); same.ID != drawn.ID || drawn.State != loan.Active {
		t.Errorf("drawn %+v, then %+v", drawn, same)
	}
	if r := h.get("li.na", "/farmer/loans/"+drawn.ID); r.status != 404 {
		t.Errorf("another's loan: %d", r.status)
	}
	if r := h.post("li.na", "/farmer/loans/"+drawn.ID+"/repay", money, "Idempotency-Key", "not-mine-at-all"); r.status != 404 {
		t.Errorf("another's repayment: %d", r.status)
	}
	mine := decode[struct {
		Loan     loan.Loan
		Schedule []loan.Instalment
	}](h, h.get("wang", "/farmer/loans/"+drawn.ID))
	if len(mine.Schedule) == 0 || mine.Loan.Outstanding != signed.Limit {
		t.Errorf("got %+v", mine)
	}
	part := map[string]int64{"amount": 50000}
	repaid := decode[loan.Loan](h, h.post("wang", "/farmer/loans/"+drawn.ID+"/repay", part, "Idempotency-Key", "repay-some-1"))
	if again := decode[loan.Loan](h, h.post("wang", "/farmer/loans/"+drawn.ID+"/repay", part, "Idempotency-Key", "repay-some-1")); again.Outstanding != repaid.Outstanding || again.Credit != repaid.Credit {
		t.Errorf("repaid twice: %+v, %+v", repaid, again)
	}
	book := decode[struct {
		Entries  []ledger.Entry
		Payments []loan.Payment
	}](h, h.get("officer", "/officer/loans/"+drawn.ID))
	if len(book.Entries) < 2 || len(book.Payments) != 2 {
		t.Errorf("%d entries, %d payments", len(book.Entries), len(book.Payments))
	}
	home := decode[struct {
		Applications map[string]int
		Loans        map[string]int
		Plots        int
		Outstanding  int64 `json:"outstanding_fen"`
	}](h, h.get("officer", "/officer/home"))
	if home.Applications["active"] != 1 || home.Loans["active"] != 1 || home.Plots != 1 || home.Outstanding != int64(repaid.Outstanding) {
		t.Errorf("home %+v", home)
	}
	own := string(h.get("wang", "/farmer/home").body)
	for _, id := range []string{plot.ID, app.ID, drawn.ID} {
		if !strings.Contains(own, id) {
			t.Errorf("the own home lacks %s", id)
		}
	}
}

// What the machine does not decide, an officer does; an auditor only looks.
func TestOfficerDecides(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, end := range []string{"approve", "refuse"} {
		plot := h.plot("wang", 115.5+float64(i)/100)
		plot.Crop = "cotton" // declared so, while the satellites see wheat
		h.report("bank", plot)
		app := decode[apply.Application](h, h.post("wang", "/farmer/applications", ask{subject{"plot", plot.ID}, "crop", 1000000, 6, h.agreed("decision", "crop")}, "Idempotency-Key", "not-as-declared-"+end))
		queue := decode[route.List[apply.Application]](h, h.get("officer", "/officer/applications?state=referred"))
		if len(queue.Items) != 1 || queue.Items[0].ID != app.ID {
			t.Fatalf("queue %+v; the application is %+v", queue, decode[apply.Detail](h, h.get("officer", "/officer/applications/"+app.ID)).Decision)
		}
		path := "/officer/applications/" + app.ID + "/" + end
		if r := h.post("auditor", path, map[string]string{"note": "x"}); r.status != 403 {
			t.Errorf("an auditor may %s: %d", end, r.status)
		}
		done := decode[apply.Application](h, h.post("officer", path, map[string]string{"note": "looked at it myself"}))
		want := map[string]apply.State{"approve": apply.Offered, "refuse": apply.Refused}[end]
		if done.State != want {
			t.Errorf("%s gives %s", end, done.State)
		}
		if r := h.post("officer", path, map[string]string{"note": "again"}); r.status != 409 || r.problem(t).Code != "application.state" {
			t.Errorf("%s again: %d %s", end, r.status, r.body)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plot := h.plot("wang", 115.6)
	for _, kind := range []string{"flood", "drought", "vigour_loss"} {
		if err := h.desk.Raise(t.Context(), watch.Alert{Tenant: "bank", Kind: kind, Severity: "warning", SubjectKind: "plot", SubjectID: plot.ID, Label: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	for next := ""; ; {
		page := decode[route.List[watch.Alert]](h, h.get("officer", "/officer/alerts?open=true&limit=2&before="+next))
		for _, a := range page.Items {
			seen = append(seen, a.Kind)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	slices.Sort(seen)
	if strings.Join(seen, ",") != "drought,flood,vigour_loss" {
		t.Errorf("pages hold %v", seen)
	}
	flood := decode[route.List[watch.Alert]](h, h.get("officer", "/officer/alerts?kind=flood"))
	closed := decode[watch.Alert](h, h.post("officer", "/officer/alerts/"+flood.Items[0].ID+"/close", map[string]string{"cause": "water has gone"}))
	if closed.ClosedAt == nil || closed.ClosedBy != h.users["officer"].ID || closed.Cause != "water has gone" {
		t.Errorf("%+v", closed)
	}
	if r := h.post("officer2", "/officer/alerts/"+flood.Items[0].ID+"/close", map[string]string{"cause": "x"}); r.status != 404 {
		t.Errorf("another bank closes it: %d", r.status)
	}
	if open := decode[route.List[watch.Alert]](h, h.get("officer", "/officer/alerts?open=true")); len(open.Items) != 2 {
		t.Errorf("%d open", len(open.Items))
	}
}

func TestPlotsOnTheMap(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, h.plot("wang", 115.1+float64(i)/10).ID)
	}
	h.report("bank", geo.Plot{ID: ids[0], AreaM2: 1000})
	type line struct {
		Plot   geo.Plot
		Status geo.Status
		Crop   string
		Mu     float64
	}
	var seen []string
	for after := ""; ; {
		page := decode[route.List[line]](h, h.get("officer", "/officer/plots?limit=2&after="+after))
		for _, l := range page.Items {
			seen = append(seen, l.Plot.ID)
			if (l.Plot.ID == ids[0]) != (l.Crop == "winter_wheat") || (l.Crop == "") != (l.Status == geo.Unknown) || l.Mu <= 0 {
				t.Errorf("got %+v", l)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	slices.Sort(ids)
	if !slices.Equal(seen, ids) {
		t.Errorf("pages hold %v, want %v", seen, ids)
	}
	boxed := decode[route.List[line]](h, h.get("officer", "/officer/plots?bbox=115.05,37,115.15,38"))
	if len(boxed.Items) != 1 {
		t.Errorf("%d plots in the box", len(boxed.Items))
	}
	for _, bad := range []string{"1,2,3", "a,b,c,d", "3,3,1,1", "-999,0,1,1", "NaN,0,1,1"} {
		if r := h.get("officer", "/officer/plots?bbox="+bad); r.status != 422 || r.problem(t).Code != "request.bbox" {
			t.Errorf("%s: %d %s", bad, r.status, r.body)
		}
	}
	for _, bad := range []string{"/officer/plots?limit=0", "/officer/plots?limit=99999", "/officer/plots?limit=x", "/officer/audit?after=x"} {
		if r := h.get("officer", bad); r.status != 422 {
			t.Errorf("%s: %d %s", bad, r.status, r.body)
		}
	}
}

func TestAnchorJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	template := h.get("foodco", "/anchor/templates/suppliers.xlsx")
	if template.status != 200 || !strings.HasPrefix(string(template.body), "PK") || !strings.Contains(template.header.Get("Content-Disposition"), "suppliers.xlsx") {
		t.Fatalf("%d %v", template.status, template.header)
	}
	for _, path := range []string{"/anchor/templates/poems.xlsx", "/anchor/templates/suppliers.pdf"} {
		if r := h.get("foodco", path); r.status/100 != 4 || r.status == 401 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	columns, err := upload.Columns(chain.Invoice)
	if err != nil {
		t.Fatal(err)
	}
	row := func(date string, n int) []string {
		cells := make([]string, len(columns))
		for i, c := range columns {
			if cells[i] = c.Sample; strings.Contains(c.Zh, "日期") {
				cells[i] = date
			}
			if strings.Contains(c.Zh, "号") && !strings.Contains(c.Zh, "代码") {
				cells[i] = fmt.Sprintf("%s%d", c.Sample, n)
			}
		}
		return cells
	}
	var head []string
	for _, c := range columns {
		head = append(head, c.Zh)
	}
	sheet, err := sheet.Write("发票", [][]string{head, row("2026-03-01", 1), row("2026-02-30", 2)})
	if err != nil {
		t.Fatal(err)
	}
	before := h.rows()
	checked := decode[chain.Upload](h, h.upload("foodco", "/anchor/uploads", "发票.xlsx", sheet, map[string]string{"kind": "invoices"}))
	if checked.State != chain.UploadChecked || checked.Rows != 2 || checked.Bad != 1 || checked.FileName != "发票.xlsx" {
		t.Errorf("got %+v", checked)
	}
	i := slices.IndexFunc(checked.Errors, func(e chain.RowError) bool { return e.Code == "cell.date_not_exist" })
	if i < 0 || checked.Errors[i].Row != 3 || checked.Errors[i].Msg != "没有这一天：2026-02-30" {
		t.Errorf("mistakes %+v", checked.Errors)
	}
	if after := h.rows(); strings.ReplaceAll(after, "trade_upload 1", "trade_upload 0") != before {
		t.Errorf("a check wrote: %s, before %s", after, before)
	}
	path := "/anchor/uploads/" + checked.ID
	if r := h.get("millco", path); r.status != 404 {
		t.Errorf("another anchor sees it: %d", r.status)
	}
	if r := h.post("millco", path+"/commit", map[string]bool{"skip_bad": true}); r.status != 404 {
		t.Errorf("another anchor commits it: %d", r.status)
	}
	if r := h.post("foodco", path+"/commit", map[string]bool{}); r.status != 409 || r.problem(t).Code != "upload.has_errors" {
		t.Errorf("committing bad rows: %d %s", r.status, r.body)
	}
	committed := decode[chain.Upload](h, h.post("foodco", path+"/commit", map[string]bool{"skip_bad": true}))
	if committed.State != chain.UploadCommitted || committed.Good != 1 {
		t.Errorf("got %+v", committed)
	}
	if again := decode[chain.Upload](h, h.post("foodco", path+"/commit", map[string]bool{"skip_bad": true})); again.State != chain.UploadCommitted {
		t.Errorf("committed again: %+v", again)
	}
	suppliers := decode[anchor.SupplierPage](h, h.get("foodco", "/anchor/suppliers"))
	if len(suppliers.Items) != 1 || suppliers.Items[0].Link.BuyerID != "foodco" || suppliers.Items[0].StandingStatus == "" || suppliers.Total != 1 || suppliers.Invoiced <= 0 {
		t.Errorf("suppliers %+v", suppliers)
	}
	seller := suppliers.Items[0].Firm
	brief := decode[anchor.SupplierPage](h, h.get("foodco", "/anchor/suppliers?standing=false&sort=tenure&limit=1000&q="+url.QueryEscape(seller.Name)))
	if len(brief.Items) != 1 || brief.Items[0].StandingStatus != "" {
		t.Errorf("suppliers without standings %+v", brief)
	}
	if names := decode[route.List[anchor.SupplierName]](h, h.get("foodco", "/anchor/supplier-names?q=zzz")); len(names.Items) != 0 {
		t.Errorf("names %+v", names)
	}
	if names := decode[route.List[anchor.SupplierName]](h, h.get("foodco", "/anchor/supplier-names")); len(names.Items) != 1 || names.Items[0].ID != seller.ID {
		t.Errorf("names %+v", names)
	}
	if r := h.get("foodco", "/anchor/suppliers?after=nowhere"); r.status != 422 || r.problem(t).Code != "partners.after" {
		t.Errorf("a place that no page gave: %d %s", r.status, r.body)
	}
	firm := decode[struct {
		Documents     []chain.Document
		Neighbourhood chain.Neighbourhood
	}](h, h.get("officer", "/officer/firms/foodco"))
	if len(firm.Documents) != 1 || len(firm.Neighbourhood.Nodes) != 2 {
		t.Errorf("firm page %+v", firm)
	}
	undone := decode[chain.Upload](h, h.post("foodco", path+"/undo", nil))
	if undone.State != chain.UploadUndone {
		t.Errorf("got %+v", undone)
	}
	if list := decode[route.List[chain.Upload]](h, h.get("foodco", "/anchor/uploads")); len(list.Items) != 1 {
		t.Errorf("list %+v", list)
	}
	for name, file := range map[string]string{"junk.xlsx": "PK\x03\x04junk", "empty.csv": "", "picture.png": "\x89PNG"} {
		if r := h.upload("foodco", "/anchor/uploads", name, []byte(file), map[string]string{"kind": "invoices"}); r.status != 422 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := h.upload("foodco", "/anchor/uploads", "a.csv", []byte("x"), map[string]string{"kind": "poems"}); r.status != 422 {
		t.Errorf("a kind that is none: %d %s", r.status, r.body)
	}
}

func TestOperatorJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	user := decode[struct{ ID string }](h, h.post("operator", "/operator/users", map[string]any{"login": "herder", "password": password, "name": "巴特尔", "role": "borrower"}))
	list := h.get("operator", "/operator/users")
	if !strings.Contains(string(list.body), user.ID) || strings.Contains(string(list.body), "argon2") || strings.Contains(string(list.body), h.users["zhao"].ID) {
		t.Errorf("users %s", list.body)
	}
	herd := decode[struct {
		Herd        iot.Herd
		Credentials []iot.Credential
	}](h, h.post("operator", "/operator/herds", map[string]any{
		"owner_id": user.ID, "name": "东场", "species": "cattle", "fence": square(116, 43, 0.02), "gateways": []string{"gw1"},
		"animals": []map[string]any{{"identity": map[string]string{"scheme": "cn-67", "code": "215252400000001"}, "sex": "f", "born": "2024-04-01", "tag_id": "t1"}},
	}))
	if herd.Herd.OwnerName != "巴特尔" || len(herd.Credentials) != 2 || herd.Credentials[0].Secret == "" {
		t.Errorf("got %+v", herd)
	}
	page := h.get("officer", "/officer/herds/"+herd.Herd.ID)
	if page.status != 200 || !strings.Contains(string(page.body), "215252400000001") || strings.Contains(string(page.body), "secret") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if r := h.post("operator", "/operator/herds", map[string]any{
		"owner_id": h.users["zhao"].ID, "name": "x", "species": "cattle", "fence": square(116, 43, 0.02), "animals": []any{},
	}); r.status != 404 || r.problem(t).Code != "user.not_found" {
		t.Errorf("a herd of a foreigner: %d %s", r.status, r.body)
	}
	firm := decode[chain.Party](h, h.post("operator", "/operator/firms", map[string]any{"name": "新面粉厂", "uscc": "91110000802100433B", "owner_id": user.ID}))
	twice := decode[chain.Party](h, h.post("operator", "/operator/firms", map[string]any{"name": "新面粉厂有限公司", "uscc": "91110000802100433b"}))
	if twice.ID != firm.ID {
		t.Errorf("one code, two firms: %s, %s", firm.ID, twice.ID)
	}
	imported := decode[struct {
		Read, Saved int
		Refusals    []struct{ Place, Code, Reason string }
	}](h, h.upload("operator", "/operator/plots/import", "plots.geojson", []byte("{}"), map[string]string{"owner_id": user.ID}))
	if imported.Read != 3 || imported.Saved != 1 || len(imported.Refusals) != 2 || imported.Refusals[0].Place != "feature 3" || imported.Refusals[1].Code != "plot.self_crossing" {
		t.Errorf("got %+v", imported)
	}
	for _, tt := range []struct {
		path string
		body any
		job  string
	}{
		{"/operator/reports", map[string]any{"season_start": "2026-03-01", "season_end": "2026-06-30"}, "report 2026-02-28T16:00:00Z 2026-06-29T16:00:00Z "},
		{"/operator/scan", nil, "scan"},
		{"/operator/dayend", map[string]string{"date": "2026-05-31"}, "dayend 2026-05-31"},
	} {
		if r := h.post("operator", tt.path, tt.body); r.status != http.StatusOK || !slices.Contains(h.jobs.done, tt.job) {
			t.Errorf("%s: %d %s; jobs %q", tt.path, r.status, r.body, h.jobs.done)
		}
	}
	if n := decode[struct{ States map[string]int }](h, h.get("operator", "/operator/jobs")); n.States["completed"] != 3 {
		t.Errorf("got %+v", n)
	}
	if r := h.upload("operator", "/operator/reference", "ckg_company.jsonl", []byte("{}"), nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestPartnerJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plot := h.plot("wang", 115.8)
	h.report("bank", plot)
	body := map[string]any{
		"user_id": h.users["wang"].ID, "subject": subject{"plot", plot.ID}, "product": "crop", "asked": 1000000, "term_months": 6,
	}
	given := h.agreed("decision", "crop")
	body["consents"] = given
	if r := h.post("partner", "/partner/applications", body, "Idempotency-Key", "without-a-paper"); r.status != 422 || r.problem(t).Code != "consent.proof" {
		t.Errorf("a consent that nobody can show: %d %s", r.status, r.body)
	}
	signed := time.Now().Add(-time.Hour)
	for i := range given {
		given[i].Proof, given[i].At = "contract 2026-0117", &signed
	}
	app := decode[apply.Application](h, h.post("partner", "/partner/applications", body, "Idempotency-Key", "from-a-partner"))
	if app.UserID != h.users["wang"].ID {
		t.Errorf("got %+v", app)
	}
	if got := decode[apply.Application](h, h.get("partner", "/partner/applications/"+app.ID)); got.State != apply.Offered {
		t.Errorf("got %+v", got)
	}
	for login, code := range map[string]string{"zhao": "user.not_found", "officer": "user.not_found"} {
		body["user_id"] = h.users[login].ID
		if r := h.post("partner", "/partner/applications", body, "Idempotency-Key", "from-a-partner-"+login); r.problem(t).Code != code {
			t.Errorf("for %s: %d %s", login, r.status, r.body)
		}
	}
}
