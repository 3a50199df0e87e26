package consent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
)

func shipped(t testing.TB) consent.Wordings {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w, err := consent.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every part that a shipped product reads has words, and what is sensitive is asked for
// by itself.
func TestShippedWordings(t *testing.T) {
	t.Parallel()
	w := shipped(t)
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	products, err := product.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range products.All() {
		got := map[string]bool{}
		for _, a := range w.All("en", p) {
			got[a.Part] = len(a.Text) == 64
		}
		for _, n := range p.Needs() {
			if !got[consent.Of(n.Part)] {
				t.Errorf("%s reads %s without asking", p.Code, n.Part)
			}
		}
		if !got[consent.Decision] {
			t.Errorf("%s decides without asking", p.Code)
		}
	}
	for _, x := range w {
		if sensitive := x.Part == "bureau" || x.Part == "bank"; x.Separate != sensitive {
			t.Errorf("%s: separate is %v", x.Part, x.Separate)
		}
		if x.Hash["zh-CN"] == x.Hash["en"] {
			t.Errorf("%s has one hash for two languages", x.Part)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	one := func(part string) string {
		return "  - {part: " + part + ", purpose: credit_decision, version: '1', text: {zh-CN: 同意, en: yes}}\n"
	}
	good := "texts:\n"
	for _, p := range []string{"decision", "crop", "herd", "standing", "bureau", "bank"} {
		good += one(p)
	}
	if _, err := consent.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a part is missing":   strings.Replace(good, one("bank"), "", 1),
		"a part stands twice": good + one("crop"),
		"an unknown part":     good + one("diary"),
		"an unknown purpose":  strings.Replace(good, "credit_decision", "marketing", 1),
		"no version":          strings.Replace(good, "'1'", "''", 1),
		"one language":        strings.Replace(good, ", en: yes", "", 1),
		"an unknown field":    strings.Replace(good, "version:", "edition:", 1),
		"nothing":             "",
		"not a list":          "texts: yes",
	} {
		if _, err := consent.Parse([]byte(text)); !errors.Is(err, consent.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("texts: [{part: decision, purpose: credit_decision, version: '1', text: {zh-CN: a, en: b}}]"))
	f.Add([]byte("texts: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := consent.Parse(b)
		if err != nil && !errors.Is(err, consent.ErrFile) {
			t.Fatalf("an error without a place: %v", err)
		}
		for _, x := range w {
			if len(x.Hash["en"]) != 64 || len(x.Hash["zh-CN"]) != 64 {
				t.Fatalf("no hash of %q", x.Part)
			}
		}
	})
}

// A consent ends with the next withdrawal of its part and purpose, not with another's, and
// a later one does not revive it.
func TestEnded(t *testing.T) {
	t.Parallel()
	at := func(h int) time.Time { return time.Date(2026, 5, 1, h, 0, 0, 0, time.UTC) }
	act := func(id string, kind consent.Kind, purpose, part string, h int) consent.Act {
		return consent.Act{ID: id, Kind: kind, Purpose: purpose, Part: part, At: at(h)}
	}
	history := []consent.Act{
		act("bank", consent.Given, consent.CreditDecision, "bank", 1),
		act("after", consent.Given, consent.PostLoan, "bank", 2),
		act("bureau", consent.Given, consent.CreditDecision, "bureau", 2),
		act("-", consent.Withdrawn, consent.CreditDecision, "bank", 3),
		act("again", consent.Given, consent.CreditDecision, "bank", 4),
		act("-", consent.Withdrawn, consent.CreditDecision, "bureau", 5),
	}
	for id, want := range map[string]time.Time{"bank": at(3), "after": {}, "bureau": at(5), "again": {}, "unknown": {}, "": {}} {
		if got, ended := consent.Ended(history, id); got != want || ended != !want.IsZero() {
			t.Errorf("%s ended %v, %v", id, got, ended)
		}
	}
	if !consent.Open(history, "bank") || consent.Open(history, "bureau") || consent.Open(nil, "bank") {
		t.Error("what may be read is wrong")
	}
}
