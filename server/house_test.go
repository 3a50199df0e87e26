package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/chain/extract/intake"
	"github.com/furrowcredit/furrow/chain/extract/rule"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/timeline"
	herdwatch "github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/live"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/server/view"
	"github.com/furrowcredit/furrow/sheet"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	alertstore "github.com/furrowcredit/furrow/store/alert"
	applicationstore "github.com/furrowcredit/furrow/store/application"
	collateralstore "github.com/furrowcredit/furrow/store/collateral"
	consentstore "github.com/furrowcredit/furrow/store/consent"
	firmstore "github.com/furrowcredit/furrow/store/firm"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	herdstore "github.com/furrowcredit/furrow/store/herd"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	modelstore "github.com/furrowcredit/furrow/store/model"
	paystore "github.com/furrowcredit/furrow/store/pay"
	"github.com/furrowcredit/furrow/store/people"
	plotstore "github.com/furrowcredit/furrow/store/plot"
	profilestore "github.com/furrowcredit/furrow/store/profile"
	purchasestore "github.com/furrowcredit/furrow/store/purchase"
	quotestore "github.com/furrowcredit/furrow/store/quote"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
	remitstore "github.com/furrowcredit/furrow/store/remit"
	"github.com/furrowcredit/furrow/store/storetest"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
	"github.com/furrowcredit/furrow/store/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tableLimits are so small that a test need not send 200 MB to be refused.
var tableLimits = sheet.Limits{CSV: 4 << 20, XLSX: 1 << 20, Unpacked: 16 << 20, Rows: 20_000}

const password = "harvest-2026"

// quick hashing keeps the tests fast.
var quick = access.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}

// jobs remembers what was put into the background.
type jobs struct {
	mu   sync.Mutex
	done []string
}

func (j *jobs) note(what string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done = append(j.done, what)
	return nil
}

func (j *jobs) Report(_ context.Context, _ string, from, to time.Time, ids []string) error {
	return j.note("report " + from.Format(time.RFC3339) + " " + to.Format(time.RFC3339) + " " + strings.Join(ids, ","))
}
func (j *jobs) Scan(context.Context, string) error             { return j.note("scan") }
func (j *jobs) DayEnd(_ context.Context, _, date string) error { return j.note("dayend " + date) }
func (j *jobs) Counts(context.Context) (map[string]int, error) {
	return map[string]int{"completed": 3}, nil
}

// house is the whole server over a real SQLite, with people of two banks.
type house struct {
	*testing.T
	url      string
	db       *store.DB
	gate     *access.Gate
	trail    *people.Store
	plots    *geo.Plots
	herds    *iot.Herds
	firms    *firmstore.Store
	desk     *watch.Desk
	hub      *live.Hub
	jobs     *jobs
	logs     *bytes.Buffer
	users    map[string]access.User
	wordings consent.Wordings
	tokens   map[string]string
	mu       sync.Mutex
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newHouse starts a house. People of "bank": officer, auditor, operator, partner,
// wang and li who borrow, and foodco, the person of an anchor; of "other": officer2,
// zhao who borrows, and foodco2.
func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOn(t, storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")))
}

func newHouseOn(t *testing.T, db *store.DB) *house {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	files := must(catalog.Open(""))(t)
	now := time.Now
	h := &house{
		T: t, db: db, trail: people.New(db), firms: firmstore.New(db), jobs: &jobs{}, logs: &bytes.Buffer{},
		users: map[string]access.User{}, tokens: map[string]string{},
	}
	h.gate = access.NewGate(h.trail, now, quick)
	kinds := must(species.Load(files))(t)
	products := must(product.Load(files))(t)
	plots, herds := plotstore.New(db), herdstore.New(db)
	h.plots = &geo.Plots{Store: plots, Now: now}
	h.herds = &iot.Herds{Store: herds, Known: kinds.Known, Now: now}
	series := must(telemetry.Open(ctx, filepath.Join(dir, "telemetry.db")))(t)
	t.Cleanup(func() {
		if err := series.Close(); err != nil {
			t.Error(err)
		}
	})
	h.hub = live.New(live.Config{Herds: herds})
	t.Cleanup(h.hub.Close)
	h.desk = &watch.Desk{Store: alertstore.New(db), Notify: h.hub, Now: now}
	engine := herdwatch.New(herdwatch.Config{Herds: herds, Series: series, Species: kinds, Now: now, OnMove: h.hub.Moved})
	counts := &count.Service{Store: herds, Readings: series, Raise: h.desk.Herd, Now: now}
	maker := &report.Maker{Herds: herds, Watch: engine, Counts: counts, Weighings: herds, Series: series, Species: kinds, Now: now}
	industries := must(industry.Load(files))(t)
	graph := network.New(h.firms, network.Options{Industries: industries, Now: now})
	flows := flow.NewNetwork(h.firms, graph, now)
	flows.Around(industries)
	book := ledger.New(ledgerstore.New(db), must(ledger.LoadChart(files))(t), now)
	outbox := &pay.Outbox{Store: paystore.New(db), Rail: bank.New(now), Alerts: h.desk, Now: now}
	loans := loan.New(loan.Config{
		Store: loanstore.New(db), Book: book,
		Rail: outbox, Alerts: h.desk, Now: now,
	})
	strategies := strategy.New(strategy.Config{
		Store: strategystore.New(db), Shipped: must(policy.Load(files))(t), History: applicationstore.New(db), Now: now,
	})
	snapshots := quotestore.New(db)
	h.wordings = must(consent.Load(files))(t)
	consents := &consent.Book{Store: consentstore.New(db), Wordings: h.wordings, Now: now}
	profiles := &profile.Book{Store: profilestore.New(db), Consents: consents, Now: now}
	desk := apply.New(apply.Config{
		Consents: consents, Profiles: profiles,
		Store: applicationstore.New(db), Plots: plots, Overlaps: h.plots, PlotReports: plots, Herds: herds, HerdReports: maker,
		Firms: h.firms, Standings: flows, Alerts: h.desk, Products: products, Policies: strategies, Snapshots: snapshots,
		Words: must(contract.LoadWords(files))(t), Loans: loans, Notify: h.hub, Now: now,
	})
	s := must(server.New(server.Deps{
		Gate: h.gate, Trail: h.trail,
		Plots: h.plots, PlotStore: plots, Report: func(_ context.Context, _, id string) error { return h.jobs.note("report " + id) },
		Suggest: func(_ context.Context, at orb.Point) (boundary.Suggestion, error) {
			if at[0] < 100 {
				return boundary.Suggestion{}, boundary.ErrCloud.With("n", 1).With("want", 4)
			}
			return boundary.Suggestion{Polygon: square(at[0], at[1], 0.002), AreaM2: 40000, Mu: 60, Confidence: 0.9, Dates: []time.Time{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}, Unreadable: []string{}}, nil
		},
		ReadPlots: func(io.Reader, string) ([]geo.Plot, []operator.Refused, error) {
			return []geo.Plot{{Name: "good", Polygon: square(115.30, 37.30, 0.002)}, {Name: "knot", Polygon: bowtie}},
				[]operator.Refused{{Place: "feature 3", Err: geo.ErrRing}}, nil
		},
		Scenes: func() []view.Scene {
			return []view.Scene{{ID: "cloudy", CloudShare: 0.6}, {ID: "clear", CloudShare: 0.01, BBox: [4]float64{115, 37, 116, 38}}}
		},
		Herds: h.herds, HerdStore: herds, Import: &register.Importer{Herds: h.herds, Species: kinds, Weigh: herds.AddWeighings}, HerdWatch: maker,
		Animals: beasts{counts, herds, engine, series}, Watch: engine.Reload,
		Forget: func(ctx context.Context, tenant, device string) error {
			return errors.Join(series.Delete(ctx, tenant, device), herds.ForgetQuarantined(ctx, tenant, device))
		},
		Firms: h.firms, Partners: h.firms, Standings: flows, Chain: graph, Industries: industries, Merges: h.firms,
		Shocks:      &watch.Shocks{Firms: h.firms, Desk: h.desk, Now: now, Loans: func(context.Context, string) ([]contagion.Exposure, error) { return nil, nil }},
		Facts:       h.firms,
		Documents:   intake.New(intake.Config{Reader: document.Reader{}, Extractor: rule.New(), Firms: h.firms, Store: h.firms, Now: now}),
		Uploads:     upload.New(upload.Config{Store: h.firms, Now: now, Limits: tableLimits}),
		Receivables: receivable.New(receivable.Config{Store: receivablestore.New(db), Papers: receivablestore.New(db), Firms: h.firms, Now: now}),
		Ledger:      book,
		Periods:     &ledger.Periods{Book: book, Store: ledgerstore.New(db), Behind: loans.Behind, Now: now},
		Remittances: remit.New(remit.Config{Store: remitstore.New(db), Book: book, Loans: loans, Rail: outbox, Payees: must(remit.Load(files, products.All()))(t), Now: now}),
		Fund:        fund.New(fund.Config{Store: fundstore.New(db), Catalogue: must(fund.Load(files, products.All()))(t), Book: book, Now: now}),
		Collateral:  collateral.New(collateral.Config{Store: collateralstore.New(db), Book: book, Rules: must(collateral.LoadRules(files))(t), Products: products, Now: now}),
		Purchases: purchase.New(purchase.Config{
			Store: purchasestore.New(db), Goods: must(purchase.Load(files))(t), Products: products, Applications: desk, Loans: lending{loans}, Firms: h.firms, Rail: outbox, Now: now,
		}),
		Payments:   outbox,
		Statements: &pay.Reconciler{Orders: outbox.Store, Store: paystore.New(db), Ledger: book, Alerts: h.desk, Now: now},
		Models:     model.NewService(modelstore.New(db), now, ident.New),
		Strategies: strategies,
		Quotes:     quote.New(quote.Config{Store: snapshots, Strategies: strategies, Products: products, Agreed: consent.Agreed, Now: now}),
		ImportChain: func(context.Context, string, map[string]io.Reader) (reference.Report, error) {
			return reference.Report{}, nil
		},
		Desk: desk, Book: loans, Alerts: h.desk, Jobs: h.jobs,
		Crops: []server.Word{{Code: "winter_wheat", ZH: "冬小麦", EN: "Winter wheat"}}, Products: products.All(),
		Wordings: h.wordings, Consents: consents, Profiles: profiles,
		Live: h.hub, Ready: db.Ping, Log: slog.New(slog.NewJSONHandler(syncWriter{h}, nil)),
	}))(t)
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.Config.ReadHeaderTimeout = 10 * time.Second
	srv.Start()
	t.Cleanup(func() { h.hub.Close(); srv.Close(); http.DefaultClient.CloseIdleConnections() })
	h.url = srv.URL

	h.firm("bank", "foodco", "丰禾食品有限公司", true)
	h.firm("bank", "millco", "金穗面粉有限公司", true)
	h.firm("other", "foodco2", "远方食品有限公司", true)
	for _, p := range []struct {
		tenant, login, firm string
		role                access.Role
	}{
		{"bank", "officer", "", access.Officer},
		{"bank", "auditor", "", access.Auditor},
		{"bank", "operator", "", access.Operator},
		{"bank", "partner", "", access.Partner},
		{"bank", "wang", "", access.Borrower},
		{"bank", "li.na", "", access.Borrower},
		{"bank", "foodco", "foodco", access.Anchor},
		{"bank", "millco", "millco", access.Anchor},
		{"other", "officer2", "", access.Officer},
		{"other", "operator2", "", access.Operator},
		{"other", "zhao", "", access.Borrower},
		{"other", "foodco2", "foodco2", access.Anchor},
	} {
		h.users[p.login] = must(h.gate.AddUser(ctx, access.Actor{Tenant: p.tenant}, access.NewUser{
			Login: p.login, Password: password, Name: "name of " + p.login, Role: p.role, FirmID: p.firm,
		}))(t)
		token, _, err := h.gate.SignIn(ctx, p.login, password)
		if err != nil {
			t.Fatal(err)
		}
		h.tokens[p.login] = token
	}
	return h
}

// lending is purchase.Loans without drawdowns and refunds, which the tests of app make.
type lending struct{ *loan.Service }

func (lending) PaymentByKey(context.Context, string, string) (loan.Payment, error) {
	return loan.Payment{}, loan.ErrNotFound
}

func (lending) Refund(context.Context, string, string, money.Fen, money.Date, string) (string, error) {
	return "", loan.ErrNotFound
}

// beasts is officer.Animals as app wires it.
type beasts struct {
	*count.Service
	weighings
	engine *herdwatch.Engine
	series series.Store
}

type weighings = worth.Weighings

func (b beasts) Timeline(ctx context.Context, tenant string, life iot.Life, from, to time.Time, step time.Duration) (timeline.Timeline, error) {
	return timeline.Of(ctx, b.series, tenant, life, &species.Watch{MaxSpeed: 10, MaxAccuracy: 100}, from, to, step)
}

func (b beasts) Confirm(ctx context.Context, tenant, animalID string, alive bool, by string) error {
	return b.engine.Confirm(ctx, tenant, animalID, alive, by)
}

type syncWriter struct{ h *house }

func (w syncWriter) Write(b []byte) (int, error) {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.h.logs.Write(b)
}

func (h *house) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.logs.String()
}

func (h *house) firm(tenant, id, name string, anchor bool) {
	h.Helper()
	err := h.firms.SaveFirms(h.Context(), []chain.Party{{
		ID: id, Tenant: tenant, Name: name, NameKey: party.Normalise(name), AnchorOf: anchor, CreatedAt: time.Now(),
	}})
	if err != nil {
		h.Fatal(err)
	}
}

// reply is an answer of the house.
type reply struct {
	status int
	header http.Header
	body   []byte
}

type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	RequestID                 string `json:"request_id"`
	Errors                    []struct {
		Location, Message string
		Value             any
	}
}

func (r reply) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return p
}

func decode[T any](h *house, r reply) T {
	h.Helper()
	var v T
	if r.status/100 != 2 {
		h.Fatalf("got %d: %s", r.status, r.body)
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		h.Fatalf("%s: %v", r.body, err)
	}
	return v
}

// call is a request; the zero Login is nobody, Body is sent as JSON.
type call struct {
	Method, Path, Login string
	Body                any
	Raw                 io.Reader
	Header              map[string]string
}

func (h *house) do(c call) reply {
	h.Helper()
	return h.doLength(c, 0)
}

// doLength sends Raw with a Content-Length; -1 sends it in chunks, 0 as it is.
func (h *house) doLength(c call, length int64) reply {
	h.Helper()
	body := c.Raw
	if body == nil && c.Body != nil {
		b, err := json.Marshal(c.Body)
		if err != nil {
			h.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(h.Context(), c.Method, h.url+c.Path, body)
	if err != nil {
		h.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Login != "" {
		req.Header.Set("Authorization", "Bearer "+h.tokens[c.Login])
	}
	for k, v := range c.Header {
		req.Header.Set(k, v)
	}
	if length != 0 {
		req.ContentLength = length
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, b}
}

func (h *house) get(login, path string) reply {
	h.Helper()
	return h.do(call{Method: "GET", Path: "/api/v1" + path, Login: login})
}

func (h *house) post(login, path string, body any, header ...string) reply {
	h.Helper()
	c := call{Method: "POST", Path: "/api/v1" + path, Login: login, Body: body, Header: map[string]string{}}
	for i := 0; i+1 < len(header); i += 2 {
		c.Header[header[i]] = header[i+1]
	}
	return h.do(c)
}

// upload sends a file as a form.
func (h *house) upload(login, path, name string, file []byte, fields map[string]string, header ...string) reply {
	h.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			h.Fatal(err)
		}
	}
	field := "file"
	if strings.HasSuffix(path, "/reference") {
		field = "files"
	}
	part := must(w.CreateFormFile(field, name))(h)
	if _, err := part.Write(file); err != nil {
		h.Fatal(err)
	}
	if err := w.Close(); err != nil {
		h.Fatal(err)
	}
	c := call{Method: "POST", Path: "/api/v1" + path, Login: login, Raw: &b, Header: map[string]string{"Content-Type": w.FormDataContentType()}}
	for i := 0; i+1 < len(header); i += 2 {
		c.Header[header[i]] = header[i+1]
	}
	return h.do(c)
}

func square(lon, lat, side float64) orb.Polygon {
	return orb.Polygon{{{lon, lat}, {lon + side, lat}, {lon + side, lat + side}, {lon, lat + side}, {lon, lat}}}
}

var bowtie = orb.Polygon{{{115.5, 37.5}, {115.502, 37.502}, {115.502, 37.5}, {115.5, 37.502}, {115.5, 37.5}}}

// plot registers a plot of a person.
// agreed says yes to parts of the evidence, in the words of the catalogue.
func (h *house) agreed(parts ...string) []consent.Agreement {
	return h.wordings.Answers("zh-CN", parts...)
}

func (h *house) plot(login string, lon float64) geo.Plot {
	h.Helper()
	u := h.users[login]
	return must(h.plots.Add(h.Context(), u.Tenant, geo.Plot{
		OwnerID: u.ID, OwnerName: u.Name, Name: "plot of " + login, Crop: "winter_wheat", Polygon: square(lon, 37.2, 0.003),
	}))(h)
}

// herd registers a herd of a person with two head.
func (h *house) herd(login string, tag string) iot.Herd {
	h.Helper()
	u := h.users[login]
	herd, _, err := h.herds.Register(h.Context(), u.Tenant, iot.Herd{
		OwnerID: u.ID, OwnerName: u.Name, Name: "herd of " + login, Species: "cattle", Fence: square(116, 43, 0.02),
	}, []iot.Animal{
		{Identity: iot.AnimalID{Scheme: "cn-67", Code: "215252400000001"}, Sex: "f", Born: time.Now().AddDate(-2, 0, 0), TagID: tag + "1"},
	}, []string{tag + "gw"})
	if err != nil {
		h.Fatal(err)
	}
	return herd
}
