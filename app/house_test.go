package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
	"github.com/furrowcredit/furrow/sim"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/sim/county"
	"github.com/furrowcredit/furrow/store/storetest"
)

// The tests live in 2026: in June the winter wheat is ripe, in July the river
// floods, and the scenes end in September.
var (
	june      = time.Date(2026, 6, 8, 1, 0, 0, 0, time.UTC)
	september = time.Date(2026, 9, 20, 0, 0, 0, 0, time.UTC)
)

// land is the demo county and the folder of its scene catalogue, made once.
type land struct {
	*county.County
	scenes, catalogue string
}

var scenes struct {
	sync.Once
	dir string
	land
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if scenes.dir != "" {
		_ = os.RemoveAll(scenes.dir)
	}
	os.Exit(code)
}

func demoLand(t *testing.T) land {
	t.Helper()
	scenes.Do(func() {
		if scenes.dir, scenes.err = os.MkdirTemp("", "furrow-scenes-"); scenes.err != nil {
			return
		}
		l := &scenes.land
		l.scenes, l.catalogue = filepath.Join(scenes.dir, "scenes"), filepath.Join(scenes.dir, "catalogue")
		if l.County, scenes.err = county.New(county.Config{Seed: sim.Seed, Now: september}); scenes.err != nil {
			return
		}
		if scenes.err = l.WriteScenes(context.Background(), l.scenes, nil); scenes.err != nil {
			return
		}
		_, scenes.err = index.Run(context.Background(), index.Config{Dir: l.scenes, Out: l.catalogue})
	})
	if scenes.err != nil {
		t.Fatal(scenes.err)
	}
	return scenes.land
}

// flooded is the largest plot that the flood will come over.
func (l land) flooded() county.Plot {
	var found county.Plot
	for _, p := range l.Plots {
		for _, i := range p.Incidents {
			if i.Kind == geo.Flood && p.Crop == "wheat_maize" && p.AreaM2 > found.AreaM2 {
				found = p
			}
		}
	}
	return found
}

// TestHouse lets a farmer, a herder and the owner of a small firm borrow in the
// whole house, through its doors only, once with everything embedded and once on
// PostgreSQL, InfluxDB and Mosquitto.
func TestHouse(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		journey(t, app.Config{Data: dir, MQTT: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(dir, "furrow.db")})
	})
	t.Run("servers", func(t *testing.T) {
		t.Parallel()
		broker, client := apptest.Mosquitto(t), "furrow-"+ident.New()
		t.Cleanup(func() { apptest.Forget(t, broker, client) })
		journey(t, app.Config{
			Data: t.TempDir(), DB: storetest.Postgres(t), Influx: apptest.Influx(t), Broker: app.Broker{URL: broker, ClientID: client},
		})
	})
}

// town is a house with the people of one test.
type town struct {
	testing.TB
	*app.App
	land
	clock  *sim.Clock
	tenant string
	broker string // where devices publish
	open   bool   // that broker knows no devices and takes anybody
	people map[string]*apptest.Person
}

func newTown(t *testing.T, cfg app.Config) *town {
	t.Helper()
	w := &town{TB: t, land: demoLand(t), clock: &sim.Clock{}, tenant: "t" + strings.ReplaceAll(ident.New(), "-", ""), people: map[string]*apptest.Person{}}
	w.clock.Travel(june)
	cfg.Scenes, cfg.Tenant, cfg.Now, cfg.Rail = w.catalogue, w.tenant, w.clock.Now, bank.New(w.clock.Now)
	w.App = apptest.Start(t, cfg)
	if w.broker = w.MQTT(); w.broker == "" {
		w.broker, w.open = cfg.Broker.URL, true
	}
	return w
}

// as is a person at the door, who signs in at the first use.
func (w *town) as(login string) *apptest.Person {
	w.Helper()
	if w.people[login] == nil {
		w.people[login] = apptest.SignIn(w, w.URL(), login)
	}
	return w.people[login]
}

// register registers people; firm is the firm an anchor speaks for.
func (w *town) register(role access.Role, login, firm string) string {
	w.Helper()
	var u access.User
	w.as(apptest.Operator).Post("/operator/users", map[string]any{
		"login": login, "password": apptest.Password, "name": "name of " + login, "role": role, "firm_id": firm,
	}, &u)
	return u.ID
}

// journey is the acceptance of the main job; see TestHouse.
func journey(t *testing.T, cfg app.Config) {
	w := newTown(t, cfg)
	w.register(access.Officer, "officer", "")
	plot := w.plot("farmer")
	herd, stray := w.herd("herder")
	firm, again := w.firm("owner")

	field := w.borrow("farmer", credit.PlotSubject, plot.ID, "crop", 6)
	cattle := w.borrow("herder", credit.HerdSubject, herd.ID, "herd", 12)
	order := w.borrow("owner", credit.FirmSubject, firm.ID, "order", 3)

	stray() // an animal leaves its fence
	w.alert(iot.FenceExit, herd.ID, cattle.ID)
	again() // an invoice is billed to a second anchor
	w.as(apptest.Operator).Post("/operator/scan", nil, nil)
	w.alert(chain.InvoiceReused, firm.ID, order.ID)

	w.clock.Travel(time.Date(2026, 9, 1, 1, 0, 0, 0, time.UTC))
	w.people = map[string]*apptest.Person{} // the sessions are over
	operator := w.as(apptest.Operator)
	operator.Post("/operator/reports", map[string]string{"season_start": "2025-09-01", "season_end": "2026-09-01"}, nil)
	operator.Post("/operator/dayend", map[string]string{"date": "2026-09-01"}, nil)
	w.alert(geo.Flood, plot.ID, field.ID)
	overdue := w.alert(loan.OverdueAlert, order.ID, order.ID)
	if overdue.Evidence["days"] == "" || overdue.Evidence["amount"] == "" {
		t.Errorf("evidence of the arrears: %v", overdue.Evidence)
	}

	// What was decided stays decided, although all evidence has changed since.
	for _, l := range []loan.Loan{field, cattle, order} {
		d := w.replay(l.ApplicationID)
		if d.Decision.Limit < l.Principal {
			t.Errorf("%s lent above the limit %s", l.Principal, d.Decision.Limit)
		}
	}
	w.repay("farmer", field)
	audits, err := app.VerifyLedger(t.Context(), cfg.DB)
	if err != nil {
		t.Fatal(err)
	}
	if len(audits) != 1 || !audits[0].OK() || audits[0].Entries < 7 || audits[0].Tenant != w.tenant {
		t.Errorf("the ledger: %+v", audits)
	}
}

// plot is drawn by its holder.
func (w *town) plot(login string) geo.Plot {
	w.Helper()
	w.register(access.Borrower, login, "")
	var p geo.Plot
	field := w.flooded()
	w.as(login).Post("/farmer/plots", map[string]any{"name": field.Name, "crop": field.Declared, "polygon": field.Polygon}, &p)
	if off := p.AreaM2/field.AreaM2 - 1; off > 0.01 || off < -0.01 {
		w.Errorf("the plot has %.0f m², in truth %.0f", p.AreaM2, field.AreaM2)
	}
	return p
}

const heads = 15

// herd is registered and its gateway publishes; the returned function lets one
// animal out.
func (w *town) herd(login string) (iot.Herd, func()) {
	w.Helper()
	return w.ranch(w.register(access.Borrower, login, ""), 0)
}

// ranch is the nth herd, of an owner who is registered.
func (w *town) ranch(owner string, n int) (iot.Herd, func()) {
	w.Helper()
	lon, lat, side := 114.40+0.1*float64(n), 35.02, 0.01
	tag, gw := func(i int) string { return fmt.Sprintf("tag%d-%02d", n, i) }, fmt.Sprintf("gw%d", n+1)
	fence := orb.Polygon{{{lon, lat}, {lon + side, lat}, {lon + side, lat + side}, {lon, lat + side}, {lon, lat}}}
	animals := make([]map[string]any, heads)
	for i := range animals {
		animals[i] = map[string]any{
			"identity": map[string]string{"scheme": iot.SchemeCN67, "code": fmt.Sprintf("2410725%08d", 1000*n+i+1)},
			"sex":      "f", "born": "2024-03-01", "tag_id": tag(i),
		}
	}
	var out struct {
		Herd        iot.Herd
		Credentials []iot.Credential
	}
	w.as(apptest.Operator).Post("/operator/herds", map[string]any{
		"owner_id": owner, "name": "北坡牛场", "species": "cattle", "fence": fence, "animals": animals, "gateways": []string{gw},
	}, &out)
	var key iot.Credential
	for _, c := range out.Credentials {
		if c.Kind == iot.Gateway {
			key = c
		}
	}
	if w.open {
		key.Secret = ""
	}
	gateway := apptest.Connect(w, w.broker, w.tenant, key)
	reading := func(i int, at time.Time, lon, lat float64) iot.Reading {
		activity, temp, ambient, accuracy := 1.1, 33.0, 14.0, 4.0
		return iot.Reading{
			Tag: tag(i), At: at, Lon: &lon, Lat: &lat,
			Activity: &activity, Temp: &temp, Ambient: &ambient, Accuracy: &accuracy,
		}
	}
	began := w.clock.Now()
	var inside []iot.Reading
	for minute := 60; minute >= 0; minute -= 10 {
		for i := range heads {
			inside = append(inside, reading(i, began.Add(-time.Duration(minute)*time.Minute), lon+side*0.4, lat+side*(0.2+0.04*float64(i))))
		}
	}
	// A gateway repeats what it kept: an outer broker drops what comes before the
	// house has subscribed, and the same reading twice is one.
	var page struct{ Report iot.HerdReport }
	apptest.Poll(w, 30*time.Second, "verified herd", func() bool {
		gateway.Publish(inside...)
		w.as("officer").Get("/officer/herds/"+out.Herd.ID, &page)
		return page.Report.Verified == heads
	})
	return out.Herd, func() {
		w.clock.Travel(w.clock.Now().Add(20 * time.Minute)) // nobody runs as fast as the test
		gateway.Publish(reading(7, w.clock.Now(), lon-0.005, lat+side/2))
	}
}

// firm sells to an anchor, whose books tell of it; the returned function has another
// anchor upload an invoice that the first has uploaded already.
func (w *town) firm(login string) (chain.Party, func()) {
	w.Helper()
	operator := w.as(apptest.Operator)
	for i, anchor := range []string{"anchor1", "anchor2"} {
		var p chain.Party
		operator.Post("/operator/firms", map[string]any{"uscc": creditCode(i), "name": "青穗县核心企业" + anchor + "有限公司", "anchor": true}, &p)
		w.register(access.Anchor, anchor, p.ID)
	}
	const name, months = "青穗县禾岭粮油有限公司", 13
	code := creditCode(2)
	rows := map[chain.DocKind][]map[string]string{chain.Suppliers: {{"seller": name, "seller_uscc": code, "date": "2024-01-01"}}}
	for m := range months {
		day := time.Date(2025, time.Month(5+m), 1, 0, 0, 0, 0, time.UTC)
		for kind, days := range map[chain.DocKind]int{chain.Order: 0, chain.Delivery: 5, chain.Invoice: 9, chain.Payment: 20} {
			rows[kind] = append(rows[kind], map[string]string{
				"number": fmt.Sprintf("%s-%02d", kind, m), "order_no": fmt.Sprintf("%s-%02d", chain.Order, m), "seller": name, "seller_uscc": code,
				"goods": "面粉", "amount": "100000.00", "date": day.AddDate(0, 0, days).Format(time.DateOnly),
			})
		}
	}
	for _, kind := range upload.Kinds() {
		if len(rows[kind]) == 0 {
			continue
		}
		form := "xlsx"
		if kind == chain.Delivery || kind == chain.Payment {
			form = "gbk"
		}
		w.upload("anchor1", kind, form, rows[kind])
	}
	owner := w.register(access.Borrower, login, "")
	var firm chain.Party
	operator.Post("/operator/firms", map[string]any{"uscc": code, "name": name, "owner_id": owner}, &firm)
	return firm, func() { w.upload("anchor2", chain.Invoice, "xlsx", rows[chain.Invoice][months-1:]) }
}

// creditCode is a valid code that no firm has: no place is called 990100.
func creditCode(n int) string {
	org := fmt.Sprintf("MA%06d", 470_001+n)
	body := "91990100" + org + string(party.OrgCheckChar(org))
	return body + string(party.CheckChar(body))
}

// table lays rows out under the headers of a kind, in XLSX or in GBK.
func table(t testing.TB, kind chain.DocKind, form string, rows []map[string]string) []byte {
	t.Helper()
	columns, err := upload.Columns(kind)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]string, 1+len(rows))
	for _, c := range columns {
		out[0] = append(out[0], c.Zh)
		for i, r := range rows {
			out[i+1] = append(out[i+1], r[c.Field])
		}
	}
	var b bytes.Buffer
	if form == "gbk" {
		err = csv.NewWriter(simplifiedchinese.GBK.NewEncoder().Writer(&b)).WriteAll(out)
	} else {
		var book []byte
		book, err = sheet.Write("表", out)
		b.Write(book)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload has an anchor upload a file and commit it.
func (w *town) upload(anchor string, kind chain.DocKind, form string, rows []map[string]string) {
	w.Helper()
	var u chain.Upload
	name := string(kind) + map[string]string{"gbk": ".csv", "xlsx": ".xlsx"}[form]
	r := w.as(anchor).Upload("/anchor/uploads", map[string]string{"kind": string(kind)}, name, table(w, kind, form, rows))
	if r.Read(w, &u); u.Good != len(rows) || u.Bad != 0 {
		w.Fatalf("%s: %d %s", name, r.Status, r.Body)
	}
	w.as(anchor).Post("/anchor/uploads/"+u.ID+"/commit", map[string]bool{"skip_bad": false}, &u)
	if u.State != chain.UploadCommitted {
		w.Fatalf("%s: %+v", name, u)
	}
}

// agreed says yes to parts of the evidence, in the words of the built-in catalogue.
func agreed(tb testing.TB, parts ...string) []consent.Agreement {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	w, err := consent.Load(files)
	if err != nil {
		tb.Fatal(err)
	}
	return w.Answers("zh-CN", parts...)
}

// borrow goes from the application to the money, and checks what each step leaves.
func (w *town) borrow(login string, kind credit.SubjectKind, subject, product string, months int) loan.Loan {
	w.Helper()
	who := w.as(login)
	var a apply.Application
	who.Post("/farmer/applications", apply.Request{
		Subject: credit.Subject{Kind: kind, ID: subject}, Product: product, Asked: 3_000_000, TermMonths: months, Purpose: "购买生产资料",
		Consents: agreed(w, "decision", "crop", "herd", "standing"),
	}, &a)
	path := "/farmer/applications/" + a.ID
	var d apply.Detail
	apptest.Poll(w, 60*time.Second, "decision on the "+string(kind), func() bool {
		who.Get(path, &d)
		return d.Application.State != apply.Submitted && d.Application.State != apply.Deciding
	})
	if d.Application.State != apply.Offered || d.Decision == nil || d.Evidence == nil {
		w.Fatalf("%s is %s: %+v", kind, d.Application.State, d.Decision)
	}
	if d.Decision.Limit < 1_000_000 || d.Decision.Rate <= 0 || len(d.Decision.Reasons) == 0 || d.Decision.Policy == "" {
		w.Errorf("%s: a poor decision: %+v", kind, d.Decision)
	}
	for _, r := range d.Decision.Reasons {
		if r.Code == "" || r.Msg == "" {
			w.Errorf("%s: a reason without words: %+v", kind, r)
		}
	}
	_, hash, err := credit.Canonical(*d.Evidence)
	if err != nil || hash != d.Decision.EvidenceHash {
		w.Errorf("%s: the snapshot hashes to %s (%v), the decision saw %s", kind, hash, err, d.Decision.EvidenceHash)
	}
	w.evidence(kind, *d.Evidence)

	var c apply.Contract
	who.Get(path+"/contract", &c)
	who.Post(path+"/sign", map[string]string{"hash": c.Hash}, &a)
	if a.State != apply.Signed || c.Limit != d.Decision.Limit || !strings.Contains(c.Text, c.Limit.String()) {
		w.Errorf("%s: signed %+v of %+v", kind, a, c)
	}
	var l loan.Loan
	who.Post(path+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
	if l.State != loan.Active || l.Principal != a.Limit || l.Rate != d.Decision.Rate {
		w.Fatalf("%s: drawn %+v", kind, l)
	}
	var book struct {
		Schedule []loan.Instalment
		Entries  []ledger.Entry
		Payments []loan.Payment
	}
	w.as("officer").Get("/officer/loans/"+l.ID, &book)
	var principal, sum money.Fen
	for _, row := range book.Schedule {
		principal += row.Principal
	}
	for _, e := range book.Entries {
		for _, p := range e.Postings {
			sum += p.Amount
		}
	}
	if principal != l.Principal || len(book.Entries) == 0 || sum != 0 || len(book.Payments) != 1 {
		w.Errorf("%s: schedule of %s, %d entries that sum to %s, %d payments", kind, principal, len(book.Entries), sum, len(book.Payments))
	}
	w.replay(a.ID)
	return l
}

// evidence checks that the decision saw the real thing.
func (w *town) evidence(kind credit.SubjectKind, e credit.Evidence) {
	w.Helper()
	ok := false
	switch kind {
	case credit.PlotSubject:
		ok = e.Crop != nil && e.Crop.Status != geo.Unknown && e.Crop.Doubts() == 0 && e.Crop.Crop == w.flooded().Crop && e.Crop.ClearDates > 5 && e.Crop.Worth != nil
	case credit.HerdSubject:
		ok = e.Herd != nil && e.Herd.Verified == heads && e.Herd.ValueLow > 0
	case credit.FirmSubject:
		ok = e.Standing != nil && e.Standing.Proven > 0.9 && e.Standing.Invoiced12m == 120_000_000
	}
	if !ok {
		w.Errorf("%s decided on %+v %+v %+v", kind, e.Crop, e.Herd, e.Standing)
	}
}

// replay has a decision made again from its stored snapshot.
func (w *town) replay(application string) apply.Detail {
	w.Helper()
	var d apply.Detail
	w.as("officer").Get("/officer/applications/"+application, &d)
	var r apply.ReplayResult
	w.as("officer").Post("/officer/decisions/"+d.Application.DecisionID+"/replay", nil, &r)
	if !r.Same || r.Replayed.Limit != r.Stored.Limit || r.Replayed.EvidenceHash != d.Decision.EvidenceHash {
		w.Errorf("replayed as %+v", r)
	}
	return d
}

// alert waits for the open alert of a kind on a subject and checks that it names the loan.
func (w *town) alert(kind any, subject, loanID string) watch.Alert {
	w.Helper()
	var found watch.Alert
	apptest.Poll(w, 30*time.Second, fmt.Sprint("alert ", kind), func() bool {
		var list route.List[watch.Alert]
		w.as("officer").Get(fmt.Sprintf("/officer/alerts?open=true&kind=%v", kind), &list)
		for _, a := range list.Items {
			if a.SubjectID == subject {
				found = a
				return true
			}
		}
		return false
	})
	if found.LoanID != loanID {
		w.Errorf("the alert %v names the loan %q, not %s", kind, found.LoanID, loanID)
	}
	return found
}

// repay pays a loan back in full.
func (w *town) repay(login string, l loan.Loan) {
	w.Helper()
	var page struct{ Payoff struct{ Total money.Fen } } // of today, however far the day end has come
	w.as(login).Get("/farmer/loans/"+l.ID, &page)
	owed := page.Payoff.Total
	var after loan.Loan
	w.as(login).Post("/farmer/loans/"+l.ID+"/repay", map[string]money.Fen{"amount": owed}, &after)
	if after.State != loan.Closed || after.Outstanding != 0 || after.Credit != 0 || owed <= l.Principal {
		w.Errorf("repaid %s: %+v", owed, after)
	}
}
