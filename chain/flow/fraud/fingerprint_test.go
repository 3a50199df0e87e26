package fraud_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/fault"
)

var salt = []byte("sixteen bytes or more")

const uscc = "91990100MA3700017X"

func TestFingerprint(t *testing.T) {
	t.Parallel()
	paper := doc(chain.Invoice, "00000001", "s", "b", 1000, "2026-01-01")
	print := func(d chain.Document, uscc string) string { return fraud.Fingerprint(salt, d, uscc) }
	base := print(paper, uscc)
	if len(base) != 64 || strings.Contains(base, "00000001") {
		t.Fatal(base)
	}
	long := doc(chain.Invoice, "26992000000000000017", "s", "b", 1000, "2026-01-01")
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"other amount, buyer and firm id": {base, print(doc(chain.Invoice, "No. 00000001"[4:], "s2", "b2", 5, "2026-01-01"), strings.ToLower(uscc)), true},
		"the code before the number":      {base, print(with(paper, func(d *chain.Document) { d.Code, d.Number = "4400211130", "440021113000000001" }), uscc), true},
		"full width":                      {base, print(with(paper, func(d *chain.Document) { d.Number = "００００ ０００１" }), uscc), true},
		"other number":                    {base, print(doc(chain.Invoice, "00000002", "s", "b", 1000, "2026-01-01"), uscc), false},
		"other day":                       {base, print(doc(chain.Invoice, "00000001", "s", "b", 1000, "2026-01-02"), uscc), false},
		"other seller":                    {base, print(paper, "91990100MA3700025R"), false},
		"digital, seller not known":       {print(long, uscc), print(long, ""), true},
		"other salt":                      {base, fraud.Fingerprint([]byte("another sixteen bytes"), paper, uscc), false},
		"no seller, no fingerprint":       {print(paper, ""), "", true},
		"no number, no fingerprint":       {print(doc(chain.Invoice, "-", "s", "b", 1, "2026-01-01"), uscc), "", true},
		"an order has none":               {print(doc(chain.Order, "1", "s", "b", 1, "2026-01-01"), uscc), "", true},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: %q and %q", name, c.a, c.b)
		}
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	docs := []chain.Document{doc(chain.Invoice, "00000001", "s", "b", 1000, "2026-01-01"), doc(chain.Invoice, "00000002", "s", "b", 1000, "2026-01-01")}
	code := func(string) string { return uscc }
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	published := []chain.Fingerprint{
		{Hash: fraud.Fingerprint(salt, docs[0], uscc), Publisher: "乙银行", Published: day},
		{Hash: fraud.Fingerprint(salt, docs[1], uscc), Publisher: "本行", Published: day},
	}
	got := fraud.Elsewhere(docs, salt, "本行", code, published)
	if len(got) != 1 || got[0].Kind != chain.InvoiceReused || got[0].Documents[0].Number != "00000001" || got[0].Evidence["publishers"] != "乙银行" {
		t.Errorf("%+v", got)
	}
}

func TestFingerprintFile(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	list := []chain.Fingerprint{{Hash: strings.Repeat("ab", 32), Publisher: "乙银行, 分行", Published: day}, {Hash: strings.Repeat("0f", 32), Publisher: "甲", Published: day}}
	var b bytes.Buffer
	if err := fraud.WriteFingerprints(&b, list); err != nil {
		t.Fatal(err)
	}
	back, err := fraud.ReadFingerprints(strings.NewReader("\ufeff" + b.String()))
	if d := cmp.Diff([]chain.Fingerprint{list[1], list[0]}, back); err != nil || d != "" {
		t.Error(err, d)
	}
	for name, file := range map[string]string{
		"empty": "", "no header": "x,y\n", "hash": "hash,publisher,published\nzz,a,2026-01-05\n", "date": "hash,publisher,published\n" + strings.Repeat("ab", 32) + ",a,5.1.26\n",
		"short": "hash,publisher,published\nab\n", "quote": "hash,publisher,published\n\"ab\n", "publisher": "hash,publisher,published\n" + strings.Repeat("ab", 32) + ", ,2026-01-05\n",
	} {
		if list, err := fraud.ReadFingerprints(strings.NewReader(file)); !errors.Is(err, fraud.ErrFingerprintFile) || !errors.Is(err, fault.Invalid) || list != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadFingerprints(f *testing.F) {
	f.Add("hash,publisher,published\n" + strings.Repeat("ab", 32) + ",a,2026-01-05\n")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := fraud.ReadFingerprints(strings.NewReader(s))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := fraud.WriteFingerprints(&b, list); err != nil {
			t.Fatal(err)
		}
		if again, err := fraud.ReadFingerprints(&b); err != nil || len(again) != len(list) {
			t.Fatal(err, len(again), len(list))
		}
	})
}
