package server_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/route"
	applystore "github.com/furrowcredit/furrow/store/application"
	quotestore "github.com/furrowcredit/furrow/store/quote"
)

type operation struct{ id, method, path string }

// operations reads every operation of the committed description, and the WebSocket.
func operations(t *testing.T) []operation {
	t.Helper()
	b, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]struct {
			ID string `yaml:"operationId"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	ops := []operation{{"live", "GET", "/live"}}
	for path, methods := range spec.Paths {
		for method, op := range methods {
			ops = append(ops, operation{op.ID, strings.ToUpper(method), path})
		}
	}
	return ops
}

// Every place in a path is read: an input that embeds a type which is not exported would
// find an empty id in each request.
func TestPathsAreRead(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]struct {
			ID         string `yaml:"operationId"`
			Parameters []struct{ Name, In string }
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`\{([a-z_]+)\}`)
	for path, methods := range spec.Paths {
		for _, op := range methods {
			for _, m := range place.FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.In == "path" && p.Name == m[1] }) {
					t.Errorf("%s does not read {%s}", op.ID, m[1])
				}
			}
		}
	}
}

// Every operation, with every role and with none: the table is what happens.
func TestRolesTable(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	table := server.Roles()
	ops := operations(t)
	if len(ops) != len(table) {
		t.Errorf("%d operations, %d in the table", len(ops), len(table))
	}
	logins := map[string]access.Role{
		"officer": access.Officer, "auditor": access.Auditor, "operator": access.Operator,
		"partner": access.Partner, "wang": access.Borrower, "foodco": access.Anchor,
	}
	fill := strings.NewReplacer("{id}", "none", "{nr}", "1", "{code}", "own", "{day}", "2026-05-31", "{layer}", "ndvi", "{item}", "none", "{z}", "1", "{x}", "1", "{y}", "1.png", "{file}", "suppliers.xlsx")
	for _, op := range ops {
		path := "/api/v1" + fill.Replace(op.path)
		roles := table[op.id]
		send := func(login string) (int, string) {
			r := h.do(call{Method: op.method, Path: path, Login: login})
			code := ""
			if r.status >= 400 && strings.Contains(r.header.Get("Content-Type"), "json") {
				code = r.problem(t).Code
			}
			return r.status, code
		}
		if slices.Contains(roles, route.Anyone) {
			if status, code := send(""); code == "session.absent" || status == http.StatusForbidden {
				t.Errorf("%s is open to anyone, got %d", op.id, status)
			}
			continue
		}
		if status, code := send(""); status != http.StatusUnauthorized || code != "session.absent" {
			t.Errorf("%s without a session: %d %s", op.id, status, code)
		}
		if op.id == "session-end" {
			continue // it would end the sessions of this test
		}
		for login, role := range logins {
			status, code := send(login)
			allowed := slices.Contains(roles, role)
			switch {
			case !allowed && (status != http.StatusForbidden || code != "session.role"):
				t.Errorf("%s as %s: %d %s, want 403", op.id, role, status, code)
			case allowed && (status == http.StatusUnauthorized || code == "session.role" || status >= 500 && status != http.StatusServiceUnavailable):
				t.Errorf("%s as %s: %d %s, want it allowed", op.id, role, status, code)
			}
		}
	}
}

// What was done and what was denied stands in the trail; reading does not.
func TestAuditTrail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.get("officer", "/officer/home")
	plot := decode[struct{ ID string }](h, h.post("wang", "/farmer/plots", map[string]any{"name": "north", "polygon": square(115.2, 37.2, 0.003)}))
	h.post("wang", "/officer/applications/a1/approve", map[string]string{})
	h.post("wang", "/farmer/plots", map[string]any{"name": "knot", "polygon": bowtie}) // refused as wrong, not as denied
	h.firm("bank", "shop", "小店", false)
	if err := h.trail.AddUser(t.Context(), access.User{ID: "keeper", Tenant: "bank", Login: "keeper", Name: "k", Role: access.Anchor, FirmID: "shop", Hash: h.users["wang"].Hash}); err != nil {
		t.Fatal(err)
	}
	h.tokens["keeper"], _, _ = h.gate.SignIn(t.Context(), "keeper", password)
	if r := h.upload("keeper", "/anchor/uploads", "a.csv", []byte("x"), map[string]string{"kind": "invoices"}); r.status != 403 {
		t.Errorf("a firm that is no anchor uploads: %d %s", r.status, r.body)
	}
	now := time.Now().UTC()
	ev := credit.Evidence{
		Applicant: credit.Applicant{UserID: h.users["wang"].ID, Name: "Wang", Kind: "person"}, Subject: credit.Subject{Kind: credit.PlotSubject, ID: plot.ID},
		Product: "crop", Asked: 2_000_000, TermMonths: 12, TakenAt: now, Consents: []credit.Consent{{ID: "c", Purpose: "credit_decision", Part: "decision", GivenAt: now.Add(-time.Hour)}},
	}
	agreed := must(quote.Freeze("bank", ev))(t)
	ev.Consents, ev.Subject.ID = nil, "another"
	silent := must(quote.Freeze("bank", ev))(t)
	if err := quotestore.New(h.db).Put(t.Context(), []quote.Snapshot{agreed, silent}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []quote.Snapshot{agreed, silent} {
		if _, err := applystore.New(h.db).Add(t.Context(), apply.Application{
			ID: x.ID, Tenant: "bank", UserID: x.UserID, Subject: x.Subject, Product: x.Product, State: apply.Withdrawn, Key: x.ID,
			BroughtBy: h.users["partner"].ID, CreatedAt: now, UpdatedAt: now,
		}); err != nil {
			t.Fatal(err)
		}
	}
	quoted := decode[credit.Decision](h, h.post("partner", "/partner/quotes", map[string]string{"snapshot_id": agreed.ID}))
	if r := h.post("partner", "/partner/quotes", map[string]string{"snapshot_id": silent.ID}); r.status != 403 {
		t.Errorf("a quote without consent: %d %s", r.status, r.body)
	}
	entries := decode[route.List[access.Entry]](h, h.get("auditor", "/officer/audit?limit=1000")).Items
	var got []string
	for _, e := range entries {
		if e.Action != access.SignInAction {
			got = append(got, strings.Join([]string{e.Actor, e.Action, e.Object, e.Result}, " "))
		}
	}
	wang := h.users["wang"].ID
	want := []string{wang + " farmer-plot-add " + plot.ID + " done", wang + " officer-approve a1 denied", "keeper anchor-upload  denied",
		h.users["partner"].ID + " partner-quote " + quoted.ID + " done", h.users["partner"].ID + " partner-quote  denied"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := access.Verify(t.Context(), h.trail, "bank"); err != nil {
		t.Error(err)
	}
	first := decode[route.List[access.Entry]](h, h.get("auditor", "/officer/audit?limit=1"))
	second := decode[route.List[access.Entry]](h, h.get("auditor", "/officer/audit?limit=1&after="+first.Next))
	if len(second.Items) != 1 || second.Items[0].Prev != first.Items[0].Hash {
		t.Errorf("the second page does not follow the first: %+v", second)
	}
}

// An id of another tenant, or of another person's, is not found.
func TestTenantsAndOwnersDoNotMeet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plot, foreign := h.plot("wang", 115.40), h.plot("zhao", 115.41)
	herd, foreignHerd := h.herd("wang", "t"), h.herd("zhao", "z")
	app := decode[struct{ ID string }](h, h.post("wang", "/farmer/applications", map[string]any{
		"subject": map[string]string{"kind": "plot", "id": plot.ID}, "product": "crop", "asked": 1000000, "term_months": 6,
		"consents": h.agreed("decision", "crop"),
	}, "Idempotency-Key", "key-of-wang-1"))
	for _, tt := range []struct {
		login, path string
		want        int
	}{
		{"officer", "/officer/plots/" + plot.ID, 200},
		{"officer", "/officer/plots/" + foreign.ID, 404},
		{"officer2", "/officer/plots/" + plot.ID, 404},
		{"officer", "/officer/herds/" + herd.ID, 200},
		{"officer", "/officer/herds/" + foreignHerd.ID, 404},
		{"officer2", "/officer/herds/" + herd.ID, 404},
		{"officer", "/officer/firms/foodco", 200},
		{"officer", "/officer/firms/foodco2", 404},
		{"officer2", "/officer/firms/foodco", 404},
		{"officer", "/officer/applications/" + app.ID, 200},
		{"officer2", "/officer/applications/" + app.ID, 404},
		{"wang", "/farmer/applications/" + app.ID, 200},
		{"li.na", "/farmer/applications/" + app.ID, 404},
		{"zhao", "/farmer/applications/" + app.ID, 404},
		{"li.na", "/farmer/applications/" + app.ID + "/contract", 404},
		{"wang", "/farmer/plots/" + plot.ID, 200},
		{"li.na", "/farmer/plots/" + plot.ID, 404},
		{"zhao", "/farmer/plots/" + plot.ID, 404},
		{"wang", "/farmer/loans/none", 404},
	} {
		if r := h.get(tt.login, tt.path); r.status != tt.want {
			t.Errorf("%s GET %s: %d %s, want %d", tt.login, tt.path, r.status, r.body, tt.want)
		}
	}
	for _, tt := range []struct{ login, path string }{
		{"li.na", "/farmer/applications/" + app.ID + "/withdraw"},
		{"officer2", "/officer/applications/" + app.ID + "/approve"},
		{"officer2", "/officer/applications/" + app.ID + "/refuse"},
	} {
		if r := h.post(tt.login, tt.path, map[string]string{"note": "x"}); r.status != 404 {
			t.Errorf("%s POST %s: %d %s", tt.login, tt.path, r.status, r.body)
		}
	}
	// Another's plot cannot be borrowed on.
	r := h.post("li.na", "/farmer/applications", map[string]any{
		"subject": map[string]string{"kind": "plot", "id": plot.ID}, "product": "crop", "asked": 1000000, "term_months": 6,
	}, "Idempotency-Key", "key-of-li-1")
	if r.status/100 != 4 {
		t.Errorf("borrowing on another's plot: %d %s", r.status, r.body)
	}
	// Lists hold one's own only.
	for login, path := range map[string]string{"officer2": "/officer/applications", "li.na": "/farmer/home"} {
		if r := h.get(login, path); r.status != 200 || strings.Contains(string(r.body), app.ID) || strings.Contains(string(r.body), plot.ID) {
			t.Errorf("%s sees another's: %s", login, r.body)
		}
	}
	// An operator registers nothing for a person of another bank.
	if r := h.post("operator2", "/operator/plots", map[string]any{"owner_id": h.users["wang"].ID, "name": "x", "polygon": square(115.6, 37.2, 0.003)}); r.status != 404 {
		t.Errorf("a plot for a foreigner: %d %s", r.status, r.body)
	}
	if r := h.post("operator2", "/operator/users", map[string]any{"login": "spy", "password": password, "name": "x", "role": "anchor", "firm_id": "foodco"}); r.status != 404 {
		t.Errorf("an anchor of a foreign firm: %d %s", r.status, r.body)
	}
}
