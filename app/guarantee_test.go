package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/store/storetest"
)

// refused checks a refusal in both languages: its status and code, and that each reader
// gets a sentence in their own letters with every value filled in.
func refused(t testing.TB, name string, status int, code string, send func(lang ...string) apptest.Reply) {
	t.Helper()
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	for lang, chinese := range map[string]bool{"zh-CN": true, "en": false} {
		r := send("Accept-Language", lang)
		var p apptest.Problem
		r.Read(t, &p)
		if r.Status != status || p.Code != code {
			t.Errorf("%s in %s: %d %s; want %d %s", name, lang, r.Status, r.Body, status, code)
		}
		for _, e := range p.Errors {
			if e.Message == "" || e.Location == "" || han(e.Message) != chinese {
				t.Errorf("%s in %s: at %q it says %q", name, lang, e.Location, e.Message)
			}
		}
		if p.Detail == "" || han(p.Detail) != chinese || strings.ContainsAny(p.Text(), "{}") {
			t.Errorf("%s in %s: %q", name, lang, p.Detail)
		}
	}
}

// vouched is a catalogue in which somebody answers for half of a crop loan.
func vouched(t testing.TB) string {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(files, "products.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const head = "  - code: crop\n"
	dir := t.TempDir()
	text := strings.Replace(string(b), head, head+"    surety: {kind: person, share_bp: 5000, min_parties: 1, max_parties: 3}\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "products.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestGuarantee asks a neighbour, who declines after the borrower has signed; another one
// answers, and only then is there money. Each of them sees their own part and no more.
func TestGuarantee(t *testing.T) {
	t.Parallel()
	run := func(name string, dsn func(t *testing.T) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVillage(t, dsn(t), func(c *app.Config) { c.Catalog = vouched(t) })
			guarantee(t, v)
		})
	}
	run("sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "furrow.db") })
	run("postgres", func(t *testing.T) string { return storetest.Postgres(t) })
}

func guarantee(t *testing.T, v *village) {
	for _, login := range []string{"wang", "zhao", "li.na"} {
		v.register(access.Borrower, login, "")
	}
	p := v.field("wang")
	id := v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 1_000_000, 6).Application.ID
	own, house := "/farmer/applications/"+id, "/officer/applications/"+id
	name := func(people ...map[string]string) func(header ...string) apptest.Reply {
		return func(header ...string) apptest.Reply {
			return v.as("officer").Try(house+"/guarantors", map[string]any{"guarantors": people}, header...)
		}
	}
	post := func(login, path string, body any) func(header ...string) apptest.Reply {
		return func(header ...string) apptest.Reply { return v.as(login).Try(path, body, header...) }
	}
	refused(t, "the borrower", 422, "surety.self", name(map[string]string{"user_id": "wang"}))
	refused(t, "twice", 422, "surety.twice", name(map[string]string{"user_id": "zhao"}, map[string]string{"user_id": "zhao"}))
	refused(t, "nobody", 422, "surety.name", name(map[string]string{}))
	refused(t, "a stranger", 404, "user.not_found", name(map[string]string{"user_id": "officer"}))
	refused(t, "too many", 422, "surety.most", name(map[string]string{"name": "a"}, map[string]string{"name": "b"}, map[string]string{"name": "c"}, map[string]string{"name": "d"}))
	var c apply.Contract
	v.as("wang").Get(own+"/contract", &c)
	refused(t, "without a guarantor", 409, "application.sureties", post("wang", own+"/sign", map[string]string{"hash": c.Hash}))

	if r := name(map[string]string{"user_id": "zhao"})(); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	mine := func(login string) apply.Guarantee {
		t.Helper()
		var l route.List[apply.Guarantee]
		v.as(login).Get("/farmer/guarantees", &l)
		if len(l.Items) != 1 {
			t.Fatalf("%s is asked for %+v", login, l.Items)
		}
		return l.Items[0]
	}
	g := mine("zhao")
	if g.Borrower != "name of wang" || g.Ready || g.ShareBP != 5000 || g.AtMost != g.Amount/2 || g.Declaration == "" || g.Guarantor.Nr != 1 {
		t.Errorf("before the borrower signs: %+v", g)
	}
	vouch := "/farmer/guarantees/" + id + "/1"
	refused(t, "before the borrower", 409, "contract.none", post("zhao", vouch+"/sign", map[string]string{"hash": c.Hash, "declaration": g.DeclarationHash}))
	if a := v.sign("wang", id); a.State != apply.Accepted {
		t.Fatalf("signed by the borrower alone: %s", a.State)
	}
	refused(t, "drawn before", 409, "application.state", post("wang", own+"/draw", map[string]int{"amount": 100_000}))
	refused(t, "by a stranger", 404, "application.not_found", post("li.na", vouch+"/sign", map[string]string{"hash": c.Hash}))
	refused(t, "by the borrower", 404, "surety.not_found", post("wang", vouch+"/decline", map[string]string{}))
	refused(t, "by an officer", 422, "surety.paper", post("officer", house+"/guarantors/1/sign", map[string]string{"hash": c.Hash, "proof": "letter 7"}))
	if r := v.as("zhao").Send("GET", own, "", nil); r.Status != 404 {
		t.Errorf("a guarantor reads the application: %d %s", r.Status, r.Body)
	}

	// The first one declines: the signed offer goes back to a person of the bank.
	refused(t, "a long reason", 422, "surety.reason", post("zhao", vouch+"/decline", map[string]string{"reason": strings.Repeat("长", 201)}))
	for range 2 { // the answer may be lost
		if r := v.as("zhao").Try(vouch+"/decline", map[string]string{"reason": "今年自己也要借"}); r.Status != 200 || !strings.Contains(string(r.Body), "referred") {
			t.Fatalf("declined: %d %s", r.Status, r.Body)
		}
	}
	refused(t, "signed after the no", 409, "surety.declined", post("zhao", vouch+"/sign", map[string]string{"hash": c.Hash, "declaration": g.DeclarationHash}))
	for login, path := range map[string]string{"wang": own, "officer": house} {
		var d apply.Detail
		v.as(login).Get(path, &d)
		if d.Application.State != apply.Referred || len(d.Sureties) != 1 || d.Sureties[0].DeclinedAt == nil || d.Sureties[0].Reason != "今年自己也要借" || d.Contract != nil {
			t.Errorf("%s sees %s, %+v", login, d.Application.State, d.Sureties)
		}
	}

	// Another one is found, and the new contract names her.
	if r := name(map[string]string{"user_id": "li.na"})(); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	v.must("officer", house+"/approve", map[string]string{"note": "李娜愿意担保"})
	if a := v.sign("wang", id); a.State != apply.Accepted {
		t.Fatalf("signed by the borrower alone: %s", a.State)
	}
	v.as("li.na").Get(own+"/contract", &c)
	if g = mine("li.na"); !g.Ready || !strings.Contains(c.Text, "name of li.na") || strings.Contains(c.Text, "zhao") || !strings.Contains(c.Text, g.Declaration) {
		t.Errorf("what she is to sign: %+v\n%s", g, c.Text)
	}
	paper := v.as("li.na").Send("GET", own+"/contract.pdf", "", nil)
	if hash := paper.Header.Get("Content-SHA256"); paper.Status != 200 || hash != c.Document {
		t.Fatalf("%d, %s of %s", paper.Status, hash, c.Document)
	}
	refused(t, "another paper", 409, "contract.changed", post("li.na", vouch+"/sign", map[string]string{"hash": strings.Repeat("0", 64), "declaration": g.DeclarationHash}))
	refused(t, "without the declaration", 422, "surety.declaration", post("li.na", vouch+"/sign", map[string]string{"hash": c.Document}))
	body := map[string]any{"hash": c.Document, "declaration": g.DeclarationHash, "seen": contract.Seen{Seconds: 20, End: true}}
	for range 2 {
		if r := v.as("li.na").Try(vouch+"/sign", body, "User-Agent", "phone of li.na"); r.Status != 200 || !strings.Contains(string(r.Body), "signed") {
			t.Fatalf("signed: %d %s", r.Status, r.Body)
		}
	}
	refused(t, "declined after the signature", 409, "surety.signed", post("li.na", vouch+"/decline", map[string]string{}))
	var marks route.List[contract.Signature]
	v.as("officer").Get(house+"/signatures", &marks)
	last := marks.Items[len(marks.Items)-1]
	if last.Party != contract.Guarantor || last.Name != "name of li.na" || last.Device != "phone of li.na" || last.Document != c.Document || last.At.IsZero() ||
		len(last.Consents) != 1 || last.Consents[0] != g.DeclarationHash || !last.Seen.End {
		t.Errorf("the evidence of the guarantor: %+v", last)
	}
	var check apply.ContractCheck
	v.as("officer").Upload("/officer/contracts/verify", map[string]string{"application_id": id}, "c.pdf", paper.Body).Read(t, &check)
	if !check.Genuine || len(check.Signatures) != 2 {
		t.Errorf("checked: %+v", check)
	}
	var l loan.Loan
	v.as("wang").Post(own+"/draw", map[string]money.Fen{"amount": 100_000}, &l)
	if g = mine("li.na"); g.Loan == nil || g.Loan.Outstanding != 100_000 || g.Loan.State != loan.Active {
		t.Errorf("while the loan runs: %+v", g.Loan)
	}
	v.clean()
}
