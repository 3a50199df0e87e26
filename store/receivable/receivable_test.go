package receivable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	store_ "github.com/furrowcredit/furrow/store/receivable"
	"github.com/furrowcredit/furrow/store/storetest"
)

var start = time.Date(2026, 5, 20, 2, 0, 0, 0, time.UTC)

func code(n int) string {
	org := fmt.Sprintf("MA%06d", n)
	body := "91990000" + org + string(party.OrgCheckChar(org))
	return body + string(party.CheckChar(body))
}

// books has firms of the database and documents of the test.
type books struct {
	*firm.Store
	mu   sync.Mutex
	docs []chain.Document
}

func (b *books) Documents(_ context.Context, _, firmID string, _ chain.DocKind) ([]chain.Document, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []chain.Document
	for _, d := range b.docs {
		if d.SellerID == firmID || d.BuyerID == firmID {
			out = append(out, d)
		}
	}
	return out, nil
}

func (b *books) Between(ctx context.Context, tenant, _ string, creditors []string) (out []chain.Document, err error) {
	for _, id := range creditors {
		docs, err := b.Documents(ctx, tenant, id, "")
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, nil
}

func (b *books) add(d chain.Document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.docs = append(b.docs, d)
}

type house struct {
	*testing.T
	db    *store.DB
	store *store_.Store
	books *books
	svc   *receivable.Service
	mu    sync.Mutex
	at    time.Time
	n     int
}

func open(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{T: t, db: db, store: store_.New(db), books: &books{Store: firm.New(db)}, at: start}
	var firms []chain.Party
	for i, id := range []string{"anchor", "mill", "farm", "smith", "stranger"} {
		firms = append(firms, chain.Party{ID: id, Tenant: "bank", USCC: code(i + 1), Name: id, NameKey: id, CreatedAt: start})
	}
	firms = append(firms, chain.Party{ID: "stall", Tenant: "bank", Name: "stall", NameKey: "stall", CreatedAt: start})
	if err := h.books.SaveFirms(t.Context(), firms); err != nil {
		t.Fatal(err)
	}
	h.books.docs = []chain.Document{
		{ID: "i1", Kind: chain.Invoice, Number: "0001", SellerID: "mill", BuyerID: "anchor", Amount: 100_000, Date: "2026-05-01"},
		{ID: "i2", Kind: chain.Invoice, Number: "0002", SellerID: "mill", BuyerID: "anchor", Amount: 50_000, Date: "2026-05-02", Due: "2026-08-31"},
		{ID: "i3", Kind: chain.Invoice, Number: "0003", SellerID: "mill", BuyerID: "anchor", Amount: 70_000, Date: "2026-05-02", Void: true},
		{ID: "i4", Kind: chain.Invoice, Number: "0004", SellerID: "mill", BuyerID: "anchor", Amount: 70_000, Date: "2026-05-02", Funder: "Other Bank"},
		{ID: "c1", Kind: chain.Confirmation, Number: "QR1", SellerID: "mill", BuyerID: "anchor", Amount: 1_000_000, Date: "2026-05-03"},
	}
	h.svc = receivable.New(receivable.Config{Store: h.store, Firms: h.books, Papers: h.books, Now: h.now})
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) day(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := money.ParseDate(s)
	if err != nil {
		h.Fatal(err)
	}
	h.at = d.Start().Add(8 * time.Hour)
}

func of(firm string) receivable.Who {
	return receivable.Who{Tenant: "bank", UserID: "u-" + firm, Name: firm, Firms: []string{firm}}
}

var officer = receivable.Who{Tenant: "bank", UserID: "officer", Name: "officer", Bank: true}

func (h *house) key() string {
	h.n++
	return fmt.Sprintf("key-%08d", h.n)
}

func (h *house) try(who receivable.Who, id string, c receivable.Command) (receivable.Receivable, error) {
	return h.svc.Do(h.Context(), who, id, h.key(), c)
}

func (h *house) do(who receivable.Who, id string, c receivable.Command) receivable.Receivable {
	h.Helper()
	r, err := h.try(who, id, c)
	if err != nil {
		h.Fatalf("%s by %s: %v", c.Kind, who.Name, err)
	}
	return r
}

func (h *house) propose(p receivable.Proposal) (receivable.Receivable, error) {
	return h.svc.Propose(h.Context(), of("anchor"), "anchor", h.key(), p)
}

// issued is a receivable of the mill that it has accepted.
func (h *house) issued(amount money.Fen, number string) receivable.Receivable {
	h.Helper()
	r, err := h.propose(receivable.Proposal{CreditorID: "mill", Amount: amount, Documents: []receivable.Basis{{Number: number}}})
	if err != nil {
		h.Fatal(err)
	}
	h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Confirm})
	return h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Accept})
}

func (h *house) whole(id string) receivable.Receivable {
	h.Helper()
	r, err := h.store.Receivable(h.Context(), "bank", id)
	if err != nil {
		h.Fatal(err)
	}
	return r
}

// sound holds every receivable against its history, and the totals against both.
func (h *house) sound() {
	h.Helper()
	audits, err := h.svc.Verify(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	for _, a := range audits {
		for _, f := range a.Faults {
			h.Errorf("%s: %s", f.ReceivableID, f.Problem)
		}
	}
}

func last(r receivable.Receivable) receivable.Part { return r.Parts[len(r.Parts)-1] }

func TestLifeOfAReceivable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		r := h.issued(100_000, "0001")
		if r.State != receivable.Accepted || r.Due.String() != "2026-11-20" || r.Issued.String() != "2026-05-20" || r.Outstanding() != 100_000 {
			t.Fatalf("issued as %+v", r)
		}
		r = h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 40_000})
		farm := last(r)
		r = h.do(of("farm"), r.ID, receivable.Command{Kind: receivable.Transfer, PartID: farm.ID, To: "smith", Amount: 10_000})
		smith := last(r)
		r = h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Ask, Amount: 30_000})
		asked := last(r)
		if _, err := h.try(of("mill"), r.ID, receivable.Command{Kind: receivable.Transfer, PartID: asked.ID, To: "farm"}); !errors.Is(err, receivable.ErrHeld) {
			t.Errorf("what is asked for moves: %v", err)
		}
		pledge := receivable.Command{Kind: receivable.Pledge, PartID: asked.ID, Funder: "bank", Ref: "loan-1", Owed: 25_000}
		h.do(officer, r.ID, pledge)
		if _, err := h.try(officer, r.ID, pledge); !errors.Is(err, receivable.ErrHeld) {
			t.Errorf("a second pledge: %v", err)
		}
		r = h.do(officer, r.ID, receivable.Command{Kind: receivable.File, PartID: asked.ID, Registration: "04712345000987654321"})
		if p, _ := r.Part(asked.ID); p.Hold.Registration != "04712345000987654321" {
			t.Errorf("registered as %+v", p.Hold)
		}
		exposures, err := h.svc.Exposures(t.Context(), "bank")
		if err != nil || len(exposures) != 1 || exposures[0].Outstanding != 100_000 || exposures[0].Financed != 25_000 || exposures[0].Count != 1 || exposures[0].Overdue != 0 {
			t.Errorf("exposure %+v, %v", exposures, err)
		}
		// The obligor is 7 fen short of half, then pays the rest.
		h.day("2026-11-21")
		r = h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Pay, Ref: "wire-1", Amount: 49_993})
		if r.Paid != 49_993 || !r.Overdue(h.svc.Today()) {
			t.Errorf("after part of the payment: %+v", r)
		}
		r = h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Pay, Ref: "wire-2", Amount: 50_007})
		if r.State != receivable.Redeemed || r.Outstanding() != 0 {
			t.Errorf("after all of it: %+v", r)
		}
		events, err := h.svc.Events(t.Context(), officer, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]money.Fen{}
		for _, e := range events {
			if e.Payment == nil {
				continue
			}
			for _, s := range e.Payment.Shares {
				got[s.HolderID] += s.ToHolder
				got[s.Funder] += s.ToFunder
			}
		}
		if diff := cmp.Diff(map[string]money.Fen{"mill": 30_000 + 5_000, "farm": 30_000, "smith": 10_000, "bank": 25_000, "": 0}, got); diff != "" {
			t.Errorf("who got what: %s", diff)
		}
		if way := r.Chain(smith.ID); len(way) != 3 || way[0].HolderID != "mill" || way[1].HolderID != "farm" || way[2].HolderID != "smith" {
			t.Errorf("the way of a part: %+v", way)
		}
		h.sound()
	})
}

func TestWhatEachSees(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		r, err := h.propose(receivable.Proposal{CreditorID: "mill", Amount: 1000, Documents: []receivable.Basis{{Number: "QR1"}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.svc.Get(t.Context(), of("mill"), r.ID); !errors.Is(err, receivable.ErrNotFound) {
			t.Errorf("a proposal is shown to the supplier: %v", err)
		}
		h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Confirm})
		h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Accept})
		h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 300})
		r = h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Transfer, To: "smith", Amount: 200})
		for who, want := range map[string]string{"anchor": "mill farm smith", "mill": "mill farm smith", "farm": "mill farm", "smith": "mill smith"} {
			seen, err := h.svc.Get(t.Context(), of(who), r.ID)
			var holders []string
			for _, p := range seen.Parts {
				holders = append(holders, p.HolderID)
			}
			if got := strings.Join(holders, " "); err != nil || got != want {
				t.Errorf("%s sees %q, want %q (%v)", who, got, want, err)
			}
		}
		if _, err := h.svc.Get(t.Context(), of("stranger"), r.ID); !errors.Is(err, receivable.ErrNotFound) {
			t.Errorf("a stranger: %v", err)
		}
		other := officer
		other.Tenant = "bank2"
		if _, err := h.svc.Get(t.Context(), other, r.ID); !errors.Is(err, receivable.ErrNotFound) {
			t.Errorf("another bank: %v", err)
		}
		if list, err := h.svc.Held(t.Context(), of("farm"), receivable.Filter{}); err != nil || len(list) != 1 || len(list[0].Parts) != 2 {
			t.Errorf("what the farm holds: %+v %v", list, err)
		}
		if list, err := h.svc.Held(t.Context(), receivable.Who{Tenant: "bank"}, receivable.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("who speaks for no firm sees %+v %v", list, err)
		}
		if events, err := h.svc.Events(t.Context(), of("farm"), r.ID); err != nil || len(events) != 0 {
			t.Errorf("the farm did nothing and sees %+v %v", events, err)
		}
	})
}

func TestDocumentsBearNoMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		ask := func(amount money.Fen, numbers ...string) error {
			p := receivable.Proposal{CreditorID: "mill", Amount: amount}
			for _, n := range numbers {
				p.Documents = append(p.Documents, receivable.Basis{Number: n})
			}
			_, err := h.propose(p)
			return err
		}
		short := receivable.Proposal{CreditorID: "mill", Amount: 10, Due: date(t, "2026-09-01"), Documents: []receivable.Basis{{Number: "0002"}}}
		if _, err := h.propose(short); !errors.Is(err, receivable.ErrStretched) {
			t.Errorf("a term beyond the invoice's: %v", err)
		}
		for _, tt := range []struct {
			want   error
			amount money.Fen
			number string
		}{
			{nil, 60_000, "0001"}, {receivable.ErrUnsupported, 40_001, "0001"}, {nil, 40_000, "0001"}, {receivable.ErrUnsupported, 1, "０００１"},
			{receivable.ErrVoid, 1, "0003"}, {receivable.ErrPledged, 1, "0004"}, {receivable.ErrDocument, 1, "0009"}, {receivable.ErrDocument, 1, ""},
		} {
			if err := ask(tt.amount, tt.number); !errors.Is(err, tt.want) && (err != nil || tt.want != nil) {
				t.Errorf("%s on %q: %v, want %v", tt.amount, tt.number, err, tt.want)
			}
		}
		if err := ask(1); !errors.Is(err, receivable.ErrNoDocument) {
			t.Errorf("no document: %v", err)
		}
		// What is cancelled gives its invoice back.
		list, err := h.svc.Owed(t.Context(), of("anchor"), receivable.Filter{})
		if err != nil || len(list) != 2 {
			t.Fatalf("%d receivables, %v", len(list), err)
		}
		h.do(of("anchor"), list[0].ID, receivable.Command{Kind: receivable.Cancel})
		if err := ask(40_000, "0001"); err != nil {
			t.Errorf("after a cancellation: %v", err)
		}
		// A red-letter invoice and a payment leave less, also for what is only proposed.
		h.books.add(chain.Document{ID: "r1", Kind: chain.Invoice, Number: "0101", InvoiceNo: "0001", SellerID: "mill", BuyerID: "anchor", Amount: -30_000, Date: "2026-05-10"})
		if _, err := h.try(of("anchor"), list[1].ID, receivable.Command{Kind: receivable.Confirm}); !errors.Is(err, receivable.ErrUnsupported) {
			t.Errorf("confirmed although part of the invoice was taken back: %v", err)
		}
		h.sound()
	})
}

// TestPayables: what is offered to choose from is what a proposal takes, to the fen.
func TestPayables(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		h.books.add(chain.Document{ID: "c2", Kind: chain.Confirmation, Number: "QR2", InvoiceNo: "0002", SellerID: "mill", BuyerID: "anchor", Amount: 45_000, Date: "2026-05-04"})
		h.books.add(chain.Document{ID: "p1", Kind: chain.Payment, Number: "P1", InvoiceNo: "0001", SellerID: "mill", BuyerID: "anchor", Amount: 30_000, Date: "2026-05-06"})
		h.books.add(chain.Document{ID: "i5", Kind: chain.Invoice, Number: "0005", SellerID: "mill", BuyerID: "anchor", Amount: 9_000, Date: "2026-03-01", Due: "2026-05-20"})
		list := func() []receivable.Payable {
			got, err := h.svc.Payables(t.Context(), of("anchor"), "anchor", "mill")
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := []receivable.Payable{
			{DocumentID: "i2", Kind: chain.Invoice, Number: "0002", Date: "2026-05-02", Due: "2026-08-31", Amount: 50_000, Free: 45_000, Confirmed: true},
			{DocumentID: "c1", Kind: chain.Confirmation, Number: "QR1", Date: "2026-05-03", Amount: 1_000_000, Free: 1_000_000, Confirmed: true},
			{DocumentID: "i1", Kind: chain.Invoice, Number: "0001", Date: "2026-05-01", Amount: 100_000, Free: 70_000},
		}
		if d := cmp.Diff(want, list()); d != "" {
			t.Error(d)
		}
		for _, p := range want {
			ask := receivable.Proposal{CreditorID: "mill", Amount: p.Free + 1, Documents: []receivable.Basis{{DocumentID: p.DocumentID}}}
			if p.Due != "" {
				ask.Due = date(t, p.Due)
			}
			if _, err := h.propose(ask); !errors.Is(err, receivable.ErrUnsupported) {
				t.Errorf("%s bears more than %s: %v", p.Number, p.Free, err)
			}
			ask.Amount--
			if _, err := h.propose(ask); err != nil {
				t.Errorf("%s does not bear %s: %v", p.Number, p.Free, err)
			}
		}
		if left := list(); len(left) != 0 {
			t.Errorf("used up, and yet offered: %+v", left)
		}
		if _, err := h.svc.Payables(t.Context(), of("stranger"), "anchor", "mill"); !errors.Is(err, receivable.ErrNotYours) {
			t.Errorf("a stranger reads what the anchor owes: %v", err)
		}
		if got, err := h.svc.Payables(t.Context(), of("anchor"), "anchor", "nobody"); err != nil || got == nil || len(got) != 0 {
			t.Errorf("of nobody, as of a firm that sold nothing: %v, %v", got, err)
		}
	})
}

func date(t *testing.T, s string) money.Date {
	t.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSameKeySameAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		ctx := t.Context()
		p := receivable.Proposal{CreditorID: "mill", Amount: 1000, Documents: []receivable.Basis{{Number: "0001"}}}
		first, err := h.svc.Propose(ctx, of("anchor"), "anchor", "proposal-1", p)
		if err != nil {
			t.Fatal(err)
		}
		h.day("2026-05-25")
		h.do(of("anchor"), first.ID, receivable.Command{Kind: receivable.Confirm})
		h.do(of("mill"), first.ID, receivable.Command{Kind: receivable.Accept})
		again, err := h.svc.Propose(ctx, of("anchor"), "anchor", "proposal-1", p)
		if err != nil || text(t, again) != text(t, first) {
			t.Errorf("the same proposal again: %s, %v, want %s", text(t, again), err, text(t, first))
		}
		p.Amount++
		if _, err := h.svc.Propose(ctx, of("anchor"), "anchor", "proposal-1", p); !errors.Is(err, receivable.ErrKeyReused) {
			t.Errorf("the key with another proposal: %v", err)
		}
		c := receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 100}
		one, err := h.svc.Do(ctx, of("mill"), first.ID, "transfer-1", c)
		if err != nil {
			t.Fatal(err)
		}
		h.do(of("mill"), first.ID, receivable.Command{Kind: receivable.Transfer, To: "farm", Amount: 900})
		two, err := h.svc.Do(ctx, of("mill"), first.ID, "transfer-1", c)
		if err != nil || text(t, one) != text(t, two) {
			t.Errorf("the same transfer again: %s, %v, want %s", text(t, two), err, text(t, one))
		}
		if _, err := h.svc.Do(ctx, of("mill"), first.ID, "transfer-1", receivable.Command{Kind: receivable.Transfer, To: "smith", Amount: 100}); !errors.Is(err, receivable.ErrKeyReused) {
			t.Errorf("the key with another transfer: %v", err)
		}
		if _, err := h.svc.Do(ctx, of("mill"), first.ID, "short", c); !errors.Is(err, receivable.ErrNoKey) {
			t.Errorf("a short key: %v", err)
		}
		h.sound()
	})
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRivals: many who use the same fen at once; none is used twice, and a key used by
// many at once does one thing.
func TestRivals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		ctx := t.Context()
		const rivals = 8
		var wait sync.WaitGroup
		// Proposals on one invoice of 100,000: three of 30,000 fit.
		errs := make([]error, rivals)
		for i := range rivals {
			wait.Go(func() {
				_, errs[i] = h.svc.Propose(ctx, of("anchor"), "anchor", fmt.Sprintf("proposal-%d", i),
					receivable.Proposal{CreditorID: "mill", Amount: 30_000, Documents: []receivable.Basis{{Number: "0001"}}})
			})
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, receivable.ErrUnsupported) {
				t.Error(err)
			}
		}
		if won != 3 {
			t.Errorf("%d proposals on one invoice, want 3", won)
		}
		// Moves of one receivable of 10,000, each of 4,000: two fit.
		r := h.issued(10_000, "QR1")
		kinds := []receivable.Command{
			{Kind: receivable.Transfer, To: "farm", Amount: 4000}, {Kind: receivable.Ask, Amount: 4000},
			{Kind: receivable.Transfer, To: "smith", Amount: 4000}, {Kind: receivable.Split, Amounts: []money.Fen{2000, 2000}},
		}
		for i := range rivals {
			wait.Go(func() {
				_, errs[i] = h.svc.Do(ctx, of("mill"), r.ID, fmt.Sprintf("rivalry-%d", i), kinds[i%len(kinds)])
			})
		}
		wait.Wait()
		won = 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, receivable.ErrTooMuch) {
				t.Error(err)
			}
		}
		if root := h.whole(r.ID).Parts[0]; won != 2 || root.Remaining != 2000 {
			t.Errorf("%d moves, %s left", won, root.Remaining)
		}
		// One payment that is sent many times at once, and many payments of all.
		answers := make([]string, rivals)
		for i := range rivals {
			wait.Go(func() {
				paid, err := h.svc.Do(ctx, of("anchor"), r.ID, "one-payment", receivable.Command{Kind: receivable.Pay, Ref: "wire", Amount: 6000})
				if errs[i] = err; err == nil {
					answers[i] = text(t, paid)
				}
			})
		}
		wait.Wait()
		for i := range rivals {
			if errs[i] != nil || answers[i] != answers[0] {
				t.Errorf("the same payment: %v, %s", errs[i], answers[i])
			}
		}
		for i := range rivals {
			wait.Go(func() {
				_, errs[i] = h.svc.Do(ctx, of("anchor"), r.ID, fmt.Sprintf("payment-%d", i), receivable.Command{Kind: receivable.Pay, Ref: fmt.Sprint(i), Amount: 4000})
			})
		}
		wait.Wait()
		if got := h.whole(r.ID); got.Paid != 10_000 || got.State != receivable.Redeemed || len(got.Payments) != 2 {
			t.Errorf("paid %s in %d payments", got.Paid, len(got.Payments))
		}
		h.sound()
	})
}

// TestNothingHalfWritten takes one table after the other away in the middle of an act.
func TestNothingHalfWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		ctx := t.Context()
		r := h.issued(10_000, "0001")
		before := text(t, h.whole(r.ID))
		for _, table := range []string{"receivable_support", "receivable_event", "receivable_request", "receivable_part"} {
			if _, err := db.Exec(ctx, `alter table `+table+` rename to gone`); err != nil {
				t.Fatal(err)
			}
			_, err := h.try(of("anchor"), r.ID, receivable.Command{Kind: receivable.Pay, Ref: "wire", Amount: 500})
			if err == nil && table != "receivable_support" {
				t.Errorf("paid without %s", table)
			}
			_, err = h.propose(receivable.Proposal{CreditorID: "mill", Amount: 10, Documents: []receivable.Basis{{Number: "0001"}}})
			if err == nil {
				t.Errorf("proposed without %s", table)
			}
			if _, err := db.Exec(ctx, `alter table gone rename to `+table); err != nil {
				t.Fatal(err)
			}
			if table == "receivable_support" { // a payment does not need it
				before = text(t, h.whole(r.ID))
			}
			if got := text(t, h.whole(r.ID)); got != before {
				t.Errorf("without %s it became %s", table, got)
			}
			h.sound()
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		limit := money.Fen(15_000)
		if err := h.svc.SetLimit(t.Context(), "bank", "anchor", &limit); err != nil {
			t.Fatal(err)
		}
		first := h.issued(10_000, "0001")
		second, err := h.propose(receivable.Proposal{CreditorID: "mill", Amount: 5001, Documents: []receivable.Basis{{Number: "0001"}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.try(of("anchor"), second.ID, receivable.Command{Kind: receivable.Confirm}); !errors.Is(err, receivable.ErrLimit) {
			t.Errorf("over the limit: %v", err)
		}
		h.do(of("anchor"), first.ID, receivable.Command{Kind: receivable.Pay, Ref: "early", Amount: 1})
		h.do(of("anchor"), second.ID, receivable.Command{Kind: receivable.Confirm})
		x, err := h.svc.Exposures(t.Context(), "bank")
		if err != nil || len(x) != 1 || *x[0].Limit != limit || x[0].Outstanding != limit || x[0].Count != 2 {
			t.Errorf("exposure %+v %v", x, err)
		}
		if err := h.svc.SetLimit(t.Context(), "bank", "nobody", &limit); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Errorf("the limit of nobody: %v", err)
		}
		h.sound()
	})
}

func TestListsTurnPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		var want []string
		for range 7 {
			want = append([]string{h.issued(100, "0001").ID}, want...)
		}
		h.do(of("anchor"), want[0], receivable.Command{Kind: receivable.Pay, Ref: "x", Amount: 100})
		var got []string
		for f := (receivable.Filter{Limit: 3}); ; {
			list, err := h.svc.Owed(t.Context(), of("anchor"), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				got = append(got, r.ID)
			}
			if len(list) < 3 {
				break
			}
			f.Before = list[2].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		h.day("2026-12-01")
		count := func(f receivable.Filter) int {
			list, err := h.svc.Owed(t.Context(), officer, f)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if n := count(receivable.Filter{OverdueOn: h.svc.Today()}); n != 6 {
			t.Errorf("%d overdue", n)
		}
		if n := count(receivable.Filter{States: []receivable.State{receivable.Redeemed}}); n != 1 {
			t.Errorf("%d redeemed", n)
		}
		if n := count(receivable.Filter{DueFrom: date(t, "2026-11-20"), DueTo: date(t, "2026-11-20")}); n != 7 {
			t.Errorf("%d due that day", n)
		}
		if n := count(receivable.Filter{Number: h.whole(want[3]).Number}); n != 1 {
			t.Errorf("%d of a number", n)
		}
		if n := count(receivable.Filter{ObligorIDs: []string{"mill"}}); n != 0 {
			t.Errorf("the mill owes %d", n)
		}
		if n := count(receivable.Filter{Hold: receivable.Pledged}); n != 0 {
			t.Errorf("%d pledged", n)
		}
	})
}

// TestPromisedElsewhere: what another funder published is not financed here.
func TestPromisedElsewhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		salt := []byte("a secret of the members, long enough")
		if _, err := h.books.SaveFingerprints(t.Context(), "bank", []chain.Fingerprint{
			{Hash: fraud.Fingerprint(salt, h.books.docs[0], code(2)), Publisher: "River Bank", Published: start},
		}); err != nil {
			t.Fatal(err)
		}
		h.svc = receivable.New(receivable.Config{
			Store: h.store, Firms: h.books, Papers: h.books, Now: h.now,
			Promises: receivable.Published{Firms: h.books, Fingerprints: h.books, Salt: salt, Own: "us"},
		})
		for number, want := range map[string]error{"0001": receivable.ErrPledged, "QR1": nil} {
			r := h.issued(1000, number)
			r = h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Ask})
			pledge := receivable.Command{Kind: receivable.Pledge, PartID: last(r).ID, Funder: "us", Ref: "loan", Owed: 10}
			if _, err := h.try(officer, r.ID, pledge); !errors.Is(err, want) && (err != nil || want != nil) {
				t.Errorf("on %s: %v, want %v", number, err, want)
			}
			if pledge.Funder = "River Bank"; want != nil { // that funder may
				h.do(officer, r.ID, pledge)
			}
		}
		h.sound()
	})
}
