package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestStrangers walks every operation of partners, borrowers and anchors as a second one of
// the same house, with the ids of the first: each answer is that to an id which does not
// exist, to the byte, lists tell nothing, and afterwards all is as it was before. The
// operations are those of the table of roles with the paths of the description, so that a
// new one is walked too, or fails here until it is known whose thing it is about.
func TestStrangers(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dsn string) {
		v := newVillage(t, dsn, func(cfg *app.Config) { cfg.Catalog = inThreeParts(t) })
		own := v.belongings()
		v.dayEnd(v.clock.Now().Format(time.DateOnly)) // what it does while the stranger walks is no stranger's
		for _, face := range []struct {
			role            access.Role
			owner, stranger string
		}{{access.Partner, "shop", "rival"}, {access.Borrower, "wang", "li.na"}, {access.Anchor, "mill", "dairy"}} {
			v.walk(face.role, face.owner, face.stranger, own)
		}
		v.clean()
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, storetest.Postgres(t)) })
}

// belongings are ids of what wang has, the partner "shop" brought and the anchor "mill" deals
// with, by the part of a path or the field of a body that takes them.
func (v *village) belongings() map[string]string {
	v.Helper()
	wang := v.register(access.Borrower, "wang", "")
	v.register(access.Borrower, "li.na", "")
	v.register(access.Partner, "shop", "")
	v.register(access.Partner, "rival", "")
	operator := v.as(apptest.Operator)
	var mill, dairy, farm chain.Party
	operator.Post("/operator/firms", map[string]any{"uscc": creditCode(5), "name": "青穗县惠农农资有限公司", "anchor": true}, &mill)
	operator.Post("/operator/firms", map[string]any{"uscc": creditCode(6), "name": "青穗县北坡乳业有限公司", "anchor": true}, &dairy)
	operator.Post("/operator/firms", map[string]any{"uscc": creditCode(7), "name": "青穗县王家磨坊", "owner_id": wang}, &farm)
	v.register(access.Anchor, "mill", mill.ID)
	v.register(access.Anchor, "dairy", dairy.ID)
	var herd struct {
		Herd    iot.Herd
		Animals []iot.Animal
	}
	operator.Post("/operator/herds", map[string]any{
		"owner_id": wang, "name": "北坡牛场", "species": "cattle",
		"fence":   orb.Polygon{{{114.4, 35.02}, {114.41, 35.02}, {114.41, 35.03}, {114.4, 35.03}, {114.4, 35.02}}},
		"animals": []any{map[string]any{"identity": map[string]string{"scheme": iot.SchemeCN67, "code": "241072500009001"}, "sex": "f", "born": "2024-03-01"}},
	}, &herd)
	var animals route.List[struct {
		Animal iot.Animal `json:"animal"`
		ID     string     `json:"id"`
	}]
	v.as("wang").Get("/farmer/herds/"+herd.Herd.ID+"/animals", &animals)

	seasonal := v.brought("shop", wang, "crop_season", v.field("wang").ID)
	var l loan.Loan
	v.as("wang").Post("/farmer/applications/"+seasonal.ID+"/draw", map[string]money.Fen{"amount": seasonal.Limit}, &l)
	directed := v.brought("shop", wang, "inputs", v.field("wang").ID)
	var seller purchase.Seller
	v.as("officer").Post("/officer/sellers", map[string]any{
		"firm_id": mill.ID, "categories": []string{"seed"}, "account": "6222000012345679", "bank": "青穗银行", "from": "2026-01-01", "to": "2027-12-31",
	}, &seller)
	v.must("second", "/officer/sellers/"+seller.ID+"/approve", nil)
	var o purchase.Order
	v.as("shop").Post("/partner/purchases", map[string]any{
		"application_id": directed.ID, "seller_id": seller.ID, "lines": []any{map[string]any{"goods": "wheat_seed", "quantity": "20", "price": 500}},
	}, &o)
	var kept route.List[quote.Snapshot]
	if v.as("shop").Get("/partner/borrowers/"+wang+"/snapshots", &kept); len(kept.Items) != 2 {
		v.Fatalf("the partner who brought two applications sees %+v", kept)
	}
	var draft apply.Application
	v.as("wang").Post("/farmer/drafts", apply.Partial{Asked: 1_000_000}, &draft)

	v.upload("mill", chain.Invoice, "xlsx", []map[string]string{{
		"number": "2637200001", "seller": farm.Name, "seller_uscc": farm.USCC, "amount": "1000.00", "date": v.clock.Now().Format(time.DateOnly),
	}})
	var uploads route.List[chain.Upload]
	v.as("mill").Get("/anchor/uploads", &uploads)
	var batch receivable.Batch
	v.as("mill").Upload("/anchor/receivable-files", nil, "a.csv", []byte("统一社会信用代码,发票号码,金额\n"+farm.USCC+",2637200001,800\n")).Read(v, &batch)
	v.must("mill", "/anchor/receivable-files/"+batch.ID+"/confirm", nil)
	var debts route.List[view.ReceivableLine]
	v.as("mill").Get("/anchor/receivables", &debts)
	if len(uploads.Items) != 1 || len(debts.Items) != 1 || len(animals.Items) != 1 {
		v.Fatalf("%+v, %+v, %+v", uploads, debts, animals)
	}
	debt := debts.Items[0].Receivable.ID
	return map[string]string{
		"/applications/": directed.ID, "/borrowers/": wang, "/loans/": l.ID, "/purchases/": o.ID, "/drafts/": draft.ID,
		"/guarantees/": directed.ID, "/herds/": herd.Herd.ID, "/animals/": animals.Items[0].ID + animals.Items[0].Animal.ID, "/plots/": directed.Subject.ID,
		"/receivables/": debt, "/holdings/": debt, "/receivable-files/": batch.ID, "/sales/": o.ID, "/suppliers/": farm.ID, "/uploads/": uploads.Items[0].ID,
		"application_id": directed.ID, "snapshot_id": kept.Items[0].ID, "firm_id": farm.ID,
	}
}

// brought is a signed contract about a plot that a partner brought.
func (v *village) brought(partner, borrower, code, plot string) apply.Application {
	v.Helper()
	consents, at := agreed(v, "decision", "crop"), v.clock.Now().Add(-time.Hour)
	for i := range consents {
		consents[i].Proof, consents[i].At = "SQ-1", &at
	}
	var a apply.Application
	v.as(partner).Post("/partner/applications", map[string]any{
		"user_id": borrower, "subject": credit.Subject{Kind: credit.PlotSubject, ID: plot}, "product": code,
		"asked": 2_000_000, "term_months": 9, "consents": consents,
	}, &a)
	v.answered("wang", a.ID)
	return v.sign("wang", a.ID)
}

// walk sends what the stranger may send, about what is the owner's.
func (v *village) walk(role access.Role, owner, stranger string, own map[string]string) {
	v.Helper()
	seen := map[string]string{} // what the owner reads, by path
	ops := operations(v, role)
	for _, op := range ops {
		path, _ := op.about(v, own, false)
		if op.method == http.MethodGet && !strings.HasSuffix(path, ".pdf") {
			r := v.as(owner).Send(http.MethodGet, path, "", nil)
			if seen[path] = string(plain(r.Body)); r.Status != 200 && !strings.Contains(path, "/holdings/") && !strings.HasSuffix(path, "/errors") {
				v.Errorf("%s GET %s: %d %s", owner, path, r.Status, r.Body)
			}
		}
	}
	walked := 0
	for _, op := range ops {
		path, body := op.about(v, own, false)
		none, nothing := op.about(v, own, true)
		if path == none && bytes.Equal(body, nothing) { // it is about the one who asks
			if op.method != http.MethodGet {
				continue
			}
			r := v.as(stranger).Send(http.MethodGet, path, "", nil)
			for what, id := range own {
				if strings.Contains(string(r.Body), id) {
					v.Errorf("%s GET %s tells of %s: %s", stranger, path, what, r.Body)
				}
			}
			continue
		}
		walked++
		send := func(path string, body []byte) apptest.Reply {
			return v.as(stranger).Send(op.method, path, "application/json", bytes.NewReader(body), "Idempotency-Key", "stranger-"+ident.New())
		}
		got, absent := send(path, body), send(none, nothing)
		if got.Status != absent.Status || !bytes.Equal(plain(got.Body), plain(absent.Body)) {
			v.Errorf("%s %s %s: %d %s, where nothing is there: %d %s", stranger, op.method, path, got.Status, got.Body, absent.Status, absent.Body)
		}
		if empty := string(plain(got.Body)) == `{"items":[],"next":""}`; got.Status != 404 && (got.Status != 200 || !empty) && (path != none || got.Status != 422) {
			v.Errorf("%s %s %s: %d %s", stranger, op.method, path, got.Status, got.Body)
		}
	}
	if walked == 0 {
		v.Errorf("nothing is walked as %s", role)
	}
	for path, before := range seen {
		if after := string(plain(v.as(owner).Send(http.MethodGet, path, "", nil).Body)); after != before {
			v.Errorf("after a stranger tried, %s reads at %s\n%s", owner, path, cmp.Diff(before, after))
		}
	}
}

var passing = regexp.MustCompile(`"(request_id|event)":"[^"]*"|"\d{4}-\d\d-\d\dT[^"]*"`)

// plain is an answer without what differs each time: the numbers of a request and of what
// is only tried, and moments.
func plain(body []byte) []byte { return bytes.TrimSpace(passing.ReplaceAll(body, nil)) }

// operation is one of the API, with what it needs.
type operation struct {
	id, method, path string
	query            []parameter
	body             map[string]any // schema
	schemas          map[string]any // by name
}

type parameter struct {
	Name, In string
	Required bool
	Schema   map[string]any
}

// operations are those that a role may call of its own face, from the table of roles and the
// description that the server is compared with.
func operations(t testing.TB, role access.Role) (ops []operation) {
	t.Helper()
	b, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]struct {
			ID         string `yaml:"operationId"`
			Parameters []parameter
			Body       struct {
				Content map[string]struct{ Schema map[string]any }
			} `yaml:"requestBody"`
		}
		Components struct{ Schemas map[string]any }
	}
	if err := yaml.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	roles := server.Roles()
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		for method, op := range spec.Paths[path] {
			if may := roles[op.ID]; !slices.Contains(may, role) || len(may) == len(access.Roles()) {
				continue
			}
			o := operation{id: op.ID, method: strings.ToUpper(method), path: path, schemas: spec.Components.Schemas}
			o.query = slices.DeleteFunc(op.Parameters, func(p parameter) bool { return p.In != "query" || !p.Required })
			for kind, c := range op.Body.Content {
				if o.body = c.Schema; kind != "application/json" {
					o.body = nil
				}
			}
			ops = append(ops, o)
		}
	}
	return ops
}

// about is the path and a valid body of a call about what is somebody's, or with none about
// what nobody has.
func (o operation) about(t testing.TB, own map[string]string, none bool) (string, []byte) {
	t.Helper()
	nobody := "0197f3a2-0000-7000-8000-000000000001"
	path := o.path
	if before, after, ok := strings.Cut(path, "{id}"); ok {
		id := own[before[strings.LastIndex(strings.TrimSuffix(before, "/"), "/"):]]
		if id == "" {
			t.Errorf("%s is about nothing that a stranger could try: add it to what wang, shop or mill have", o.id)
		}
		if none {
			id = nobody
		}
		path = before + id + after
	}
	path = strings.NewReplacer("{nr}", "1", "{part}", "crop", "{file}", "invoices.xlsx").Replace(path)
	if strings.Contains(path, "{") {
		t.Errorf("%s: nothing is known for a part of %s", o.id, o.path)
	}
	id := func(field string) string {
		if known := own[field]; known != "" && none {
			return nobody
		}
		return own[field]
	}
	query := url.Values{}
	for _, p := range o.query {
		query.Set(p.Name, fmt.Sprint(o.example(p.Schema, p.Name, id)))
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if o.body == nil {
		return path, nil
	}
	body, err := json.Marshal(o.example(o.body, "", id))
	if err != nil {
		t.Fatal(err)
	}
	return path, body
}

// example is the least that a schema takes; id gives the value of a field that names a thing.
func (o operation) example(schema map[string]any, field string, id func(field string) string) any {
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = o.schemas[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
	}
	if some, ok := schema["enum"].([]any); ok {
		return some[0]
	}
	if some, ok := schema["examples"].([]any); ok {
		return some[0]
	}
	kind := schema["type"]
	if several, ok := kind.([]any); ok {
		kind = several[0]
	}
	least := func(name string) int { n, _ := schema[name].(int); return n }
	switch kind {
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			field := fmt.Sprint(name)
			p, _ := properties[field].(map[string]any)
			out[field] = o.example(p, field, id)
		}
		return out
	case "array":
		items, _ := schema["items"].(map[string]any)
		out := []any{}
		for range least("minItems") {
			out = append(out, o.example(items, field, id))
		}
		return out
	case "integer", "number":
		return least("minimum")
	case "boolean":
		return false
	}
	if s := id(field); s != "" {
		return s
	}
	switch {
	case schema["format"] == "date-time":
		return sowing.Format(time.RFC3339)
	case field == "month":
		return "2026-09"
	}
	return strings.Repeat("0", max(least("minLength"), 1))
}
