package app

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/store/firm"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
	"github.com/furrowcredit/furrow/store/storetest"
)

// funder is a house of the circle as far as it compares invoices.
type funder struct {
	dsn   string
	cfg   Config
	books *firm.Store
	flows *flow.Network
	notes *receivable.Service
}

func newFunder(t *testing.T, name, salt, csv string) *funder {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC) }
	f := &funder{dsn: "sqlite:" + filepath.Join(t.TempDir(), "furrow.db"), cfg: Config{Tenant: name, InvoiceSalt: salt}}
	db := storetest.Open(t, f.dsn)
	f.books = firm.New(db)
	if err := f.books.SaveFirms(t.Context(), []chain.Party{
		{ID: "anchor", Tenant: name, USCC: "91350900587527783P", Name: "青穗集团", AnchorOf: true, CreatedAt: now()},
		{ID: "mill", Tenant: name, USCC: "91440300192317458F", Name: "丰岭厂", CreatedAt: now()},
	}); err != nil {
		t.Fatal(err)
	}
	desk := upload.New(upload.Config{Store: f.books, Now: now})
	who := upload.Who{Tenant: name, AnchorID: "anchor", UserID: "u"}
	u, err := desk.Check(t.Context(), who, chain.Invoice, "x.csv", []byte(csv))
	if err == nil {
		_, err = desk.Commit(t.Context(), who, u.ID, false)
	}
	if err != nil {
		t.Fatal(err, u.Errors)
	}
	f.flows = flow.NewNetwork(f.books, network.New(f.books, network.Options{Now: now}), now)
	f.flows.Join(f.cfg.members(f.books))
	papers := receivablestore.New(db)
	f.notes = receivable.New(receivable.Config{Store: papers, Papers: papers, Firms: f.books, Promises: f.cfg.promises(f.books), Now: now})
	return f
}

// TestTwoHousesCompareInvoices: what one bank was promised and published shows on the
// standing at the other, which was promised the same; without the secret nothing does.
func TestTwoHousesCompareInvoices(t *testing.T) {
	t.Parallel()
	const salt = "a secret of the circle"
	head := "发票号码,卖方,买方,金额,开票日期,融资方\n"
	first := newFunder(t, "first", salt, head+"00000001,丰岭厂,青穗集团,1000,2026-05-01,first\n00000002,丰岭厂,青穗集团,700,2026-05-02,\n")
	second := newFunder(t, "second", salt, head+"00000001,丰岭厂,青穗集团,1000,2026-05-01,second\n00000002,丰岭厂,青穗集团,700,2026-05-02,second\n00000003,丰岭厂,青穗集团,50,2026-05-03,\n")
	reused := func(f *funder) (n int) {
		t.Helper()
		s, err := f.flows.Standing(t.Context(), f.cfg.Tenant, "mill")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range s.Findings {
			if x.Kind == chain.InvoiceReused {
				n++
				if x.Evidence["publishers"] != "first" || x.Evidence["number"] != "00000001" || x.Severity != chain.Critical {
					t.Errorf("%+v", x)
				}
			}
		}
		all, err := f.flows.Findings(t.Context(), f.cfg.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if x.Kind == chain.InvoiceReused {
				n--
			}
		}
		if n != 0 {
			t.Errorf("the standing and the scan of all firms differ by %d", n)
		}
		return len(s.Findings) // of any kind
	}
	before := reused(second)
	list, without, err := Fingerprints{DSN: first.dsn, Tenant: "first", Salt: []byte(salt), Publisher: "first"}.Export(t.Context(), time.Now())
	if err != nil || len(list) != 1 || without != 0 {
		t.Fatal(err, list, without)
	}
	for _, want := range []int{1, 0} {
		if added, err := (Fingerprints{DSN: second.dsn, Tenant: "second"}).Import(t.Context(), list); err != nil || added != want {
			t.Fatal(err, added)
		}
	}
	if after := reused(second); after != before+1 {
		t.Errorf("%d findings, %d before", after, before)
	}
	// What came back to the house that published it is its own.
	if _, err := (Fingerprints{DSN: first.dsn, Tenant: "first"}).Import(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if found, err := (Fingerprints{DSN: first.dsn, Tenant: "first", Salt: []byte(salt), Publisher: "first"}).Check(t.Context()); err != nil || len(found) != 0 {
		t.Error(err, found)
	}
	second.flows.Join(Config{Tenant: "second"}.members(second.books))
	if alone := reused(second); alone != before {
		t.Errorf("without the secret: %d findings, %d before", alone, before)
	}
	if err := (&Config{Data: t.TempDir(), Serve: true, InvoiceSalt: "short"}).prepare(); !errors.Is(err, fraud.ErrSalt) {
		t.Errorf("a short secret: %v", err)
	}
}
