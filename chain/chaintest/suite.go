package chaintest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Store is what Exercise tests.
type Store interface {
	chain.Store
	chain.Changes
}

// Exercise holds a store to what chain.Store and chain.Changes promise of links, parts and
// commits. The store must be empty.
func Exercise(t *testing.T, s Store) {
	t.Helper()
	e := &exercise{t, s, 0}
	var firms []chain.Party
	for _, id := range []string{"a", "b", "c", "d"} {
		firms = append(firms, chain.Party{ID: id, Tenant: "t", Name: "firm " + id, AnchorOf: id == "a", CreatedAt: day})
	}
	if err := s.SaveFirms(t.Context(), firms); err != nil {
		t.Fatal(err)
	}
	e.sums()
	e.commits()
	e.parts()
	e.sweeps()
	e.failures()
	e.pages()
}

var day = time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)

type exercise struct {
	*testing.T
	s Store
	n int
}

// upload is a checked upload that knows the books.
func (e *exercise) upload() chain.Upload {
	e.Helper()
	e.n++
	now, err := e.s.Revision(e.Context(), "t")
	if err != nil {
		e.Fatal(err)
	}
	u := chain.Upload{
		ID: fmt.Sprintf("u%03d", e.n), Tenant: "t", AnchorID: "a", Kind: chain.Invoice, FileName: fmt.Sprintf("%d.csv", e.n), SHA256: fmt.Sprint(e.n % 2),
		State: chain.UploadChecked, Errors: []chain.RowError{}, CreatedAt: day.Add(time.Duration(e.n) * time.Second), TouchedAt: day, Revision: now,
	}
	if err := e.s.AddUpload(e.Context(), u); err != nil {
		e.Fatal(err)
	}
	return u
}

func all(docs []chain.Document) iter.Seq2[chain.Document, error] {
	return func(yield func(chain.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func committed(u chain.Upload) chain.Upload {
	u.State, u.DoneAt = chain.UploadCommitted, &day
	return u
}

func (e *exercise) commit(leans map[string]int, docs ...chain.Document) chain.Upload {
	e.Helper()
	u := committed(e.upload())
	for i := range docs {
		docs[i].ID, docs[i].Tenant = fmt.Sprintf("%s-%d", u.ID, i), "t"
	}
	if _, err := e.s.CommitUpload(e.Context(), u, all(docs), func() []chain.Party { return nil }, leans, func(int) {}); err != nil {
		e.Fatal(err)
	}
	return u
}

func (e *exercise) undo(u chain.Upload) error {
	u.State = chain.UploadUndone
	return e.s.UndoUpload(e.Context(), u)
}

func doc(kind chain.DocKind, number, seller, buyer string, amount money.Fen, date string) chain.Document {
	return chain.Document{Kind: kind, Number: number, SellerID: seller, BuyerID: buyer, Amount: amount, Date: date}
}

// links are all links and those that changed since a revision.
func (e *exercise) links(since int64) (now, changed []chain.Link, revision int64) {
	e.Helper()
	keep := func(into *[]chain.Link) func(chain.Link) error {
		return func(l chain.Link) error { *into = append(*into, l); return nil }
	}
	if err := e.s.AllLinks(e.Context(), "t", keep(&now)); err != nil {
		e.Fatal(err)
	}
	revision, err := e.s.ChangedLinks(e.Context(), "t", since, keep(&changed))
	if err != nil {
		e.Fatal(err)
	}
	for _, l := range [][]chain.Link{now, changed} {
		slices.SortFunc(l, func(a, b chain.Link) int { return cmpText(a.SellerID+">"+a.BuyerID, b.SellerID+">"+b.BuyerID) })
	}
	return now, changed, revision
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (e *exercise) same(what string, want, got any) {
	e.Helper()
	if d := cmp.Diff(want, got); d != "" {
		e.Errorf("%s: %s", what, d)
	}
}

func (e *exercise) sums() {
	_, _, start := e.links(0)
	promised, again, void := doc(chain.Invoice, "I1", "b", "a", 1000, "2026-01-05"), doc(chain.Invoice, "I1", "b", "a", 1000, "2026-01-05"), doc(chain.Invoice, "I2", "b", "a", 400, "2026-01-06")
	promised.Funder, again.Funder = "甲保理", "乙银行"
	cancelled := void
	cancelled.Void = true
	red := doc(chain.Invoice, "I3", "b", "a", -300, "2026-02-01")
	red.InvoiceNo = "I1"
	paper, other := doc(chain.Invoice, "00000001", "b", "a", 70, "2026-02-02"), doc(chain.Invoice, "00000001", "b", "a", 50, "2026-02-02")
	paper.Code, other.Code = "3700000001", "3700000002"
	under, over := doc(chain.Order, "O1", "b", "a", 600, "2026-01-01"), doc(chain.Order, "O2", "b", "a", 200, "2026-01-02")
	under.ContractNo, over.ContractNo = "c-1", "C9" // C9 is not in the books
	first := e.commit(nil, promised, again, void, cancelled, red, paper, other, under, over,
		doc(chain.Contract, "C1", "b", "a", 5000, "2025-12-01"), doc(chain.Delivery, "D1", "b", "a", 1000, "2026-01-04"),
		doc(chain.Payment, "P1", "b", "a", 900, "2026-03-01"), doc(chain.Payment, "P2", "b", "a", -100, "2026-03-02"),
		doc(chain.Confirmation, "Q1", "b", "a", 1000, "2026-01-07"), doc(chain.Suppliers, "", "c", "a", 0, "2020-01-01"))
	ba := chain.Link{SellerID: "b", BuyerID: "a", Seller: "firm b", Buyer: "firm a", Contracts: 1, Orders: 2, Deliveries: 1, Invoices: 4, Payments: 2, Confirmations: 1,
		Ordered: 5200, Invoiced: 820, Paid: 800, FirstDate: "2025-12-01", LastDate: "2026-03-02"}
	ca := chain.Link{SellerID: "c", BuyerID: "a", Seller: "firm c", Buyer: "firm a"}
	now, changed, revision := e.links(start)
	e.same("all links", []chain.Link{ba, ca}, now)
	e.same("changed links", []chain.Link{ba, ca}, changed)
	for id, want := range map[string][]chain.Link{"a": {ba, ca}, "b": {ba}, "c": {ca}, "d": nil} {
		got, err := e.s.Links(e.Context(), "t", id)
		if err != nil {
			e.Fatal(err)
		}
		e.same("links of "+id, want, got)
	}
	second := e.commit(nil, doc(chain.Invoice, "I9", "c", "a", 10, "2026-04-01"), doc(chain.Order, "O9", "a", "d", 10, "2026-04-01"))
	ca.Invoices, ca.Invoiced, ca.FirstDate, ca.LastDate = 1, 10, "2026-04-01", "2026-04-01"
	ad := chain.Link{SellerID: "a", BuyerID: "d", Seller: "firm a", Buyer: "firm d", Orders: 1, Ordered: 10, FirstDate: "2026-04-01", LastDate: "2026-04-01"}
	_, changed, later := e.links(revision)
	e.same("changed by the second", []chain.Link{ad, ca}, changed)
	if err := e.undo(second); err != nil {
		e.Fatal(err)
	}
	gone := chain.Link{SellerID: "a", BuyerID: "d", Seller: "firm a", Buyer: "firm d"}
	now, changed, _ = e.links(later)
	listed := chain.Link{SellerID: "c", BuyerID: "a", Seller: "firm c", Buyer: "firm a"}
	e.same("after the undo", []chain.Link{ba, listed}, now)
	for i := range changed { // who the ends of a link that is no more were, nobody need know
		if changed[i].SellerID == "a" {
			changed[i].Seller, changed[i].Buyer = gone.Seller, gone.Buyer
		}
	}
	e.same("changed by the undo", []chain.Link{gone, listed}, changed)
	known, err := e.s.KnownDocuments(e.Context(), "t", []chain.Document{promised, doc(chain.Invoice, "i-1", "b", "a", 1, "2026-01-05"), red, doc(chain.Invoice, "I9", "c", "a", 10, "")})
	if err != nil {
		e.Fatal(err)
	}
	e.same("known", []chain.KnownDocument{{There: true, Amount: 1000, UploadID: first.ID}, {}, {There: true, Amount: -300, UploadID: first.ID}, {}}, known)
	docs, err := e.s.Documents(e.Context(), "t", "b", chain.Order)
	if err != nil || len(docs) != 2 {
		e.Fatal(err, docs)
	}
	under.ID, under.Tenant, under.UploadID, under.AnchorID = docs[0].ID, "t", first.ID, "a"
	under.Key = chain.RowKey(under)
	e.same("document", under, docs[0])
	e.leans(first)
	if err := e.undo(first); err != nil {
		e.Fatal(err)
	}
	if now, _, _ := e.links(0); len(now) != 0 {
		e.Errorf("left after all was undone: %+v", now)
	}
}

// leans: what a later upload brought again cannot be undone before it.
func (e *exercise) leans(first chain.Upload) {
	later := e.commit(map[string]int{first.ID: 3})
	if err := e.undo(first); !errors.Is(err, chain.ErrUploadNeeded) {
		e.Errorf("undone under a later one: %v", err)
	}
	if err := e.undo(later); err != nil {
		e.Error(err)
	}
}

func (e *exercise) commits() {
	ctx := e.Context()
	none := func() []chain.Party { return nil }
	u := committed(e.upload())
	stale := u
	stale.Revision--
	if _, err := e.s.CommitUpload(ctx, stale, all(nil), none, nil, func(int) {}); !errors.Is(err, chain.ErrUploadRaced) {
		e.Errorf("committed against old books: %v", err)
	}
	broken := errors.New("broken")
	_, err := e.s.CommitUpload(ctx, u, func(yield func(chain.Document, error) bool) {
		_ = yield(chain.Document{ID: "x", Tenant: "t", Kind: chain.Order, Number: "1", SellerID: "b", BuyerID: "a", Date: "2026-01-01"}, nil) && yield(chain.Document{}, broken)
	}, none, nil, func(int) {})
	if !errors.Is(err, broken) {
		e.Errorf("a commit whose documents end early: %v", err)
	}
	kept, err := e.s.Upload(ctx, "t", u.ID)
	if err != nil || kept.State != chain.UploadChecked {
		e.Errorf("after a commit that failed: %v %s", err, kept.State)
	}
	if docs, err := e.s.Documents(ctx, "t", "b", ""); err != nil || len(docs) != 0 {
		e.Errorf("half a commit stays: %v %v", err, docs)
	}
	told := 0
	n, err := e.s.CommitUpload(ctx, u, all([]chain.Document{doc(chain.Order, "1", "b", "a", 1, "2026-01-01"), doc(chain.Order, "1", "b", "a", 1, "2026-01-01")}),
		none, nil, func(done int) { told = done })
	if err != nil || n != 1 || told != 2 {
		e.Errorf("%v: %d known, %d told", err, n, told)
	}
	if _, err := e.s.CommitUpload(ctx, u, all(nil), none, nil, func(int) {}); !errors.Is(err, chain.ErrUploadState) {
		e.Errorf("committed twice: %v", err)
	}
	if err := e.s.AbortUpload(ctx, u); !errors.Is(err, chain.ErrUploadState) {
		e.Errorf("aborted what is committed: %v", err)
	}
	if err := e.undo(u); err != nil {
		e.Error(err)
	}
	if err := e.undo(u); !errors.Is(err, chain.ErrUploadState) {
		e.Errorf("undone twice: %v", err)
	}
}

func (e *exercise) parts() {
	ctx, u := e.Context(), e.upload()
	for n, body := range []string{"one", "two"} {
		if err := e.s.AddPart(ctx, u, chain.GoodPart, n, []byte(body)); err != nil {
			e.Fatal(err)
		}
	}
	read := func() (got []string) {
		for _, stream := range []chain.PartStream{chain.FilePart, chain.GoodPart} {
			if err := e.s.Parts(ctx, u, stream, func(b []byte) error { got = append(got, string(b)); return nil }); err != nil {
				e.Fatal(err)
			}
		}
		return got
	}
	e.same("parts", []string{"one", "two"}, read())
	u.State, u.Errors = chain.UploadRefused, []chain.RowError{{Code: "c"}}
	if err := e.s.MoveUpload(ctx, u, chain.UploadChecking); !errors.Is(err, chain.ErrUploadState) {
		e.Errorf("moved from a state that it is not in: %v", err)
	}
	if err := e.s.MoveUpload(ctx, u, chain.UploadChecked); err != nil {
		e.Fatal(err)
	}
	if kept, err := e.s.Upload(ctx, "t", u.ID); err != nil || kept.State != chain.UploadRefused || len(kept.Errors) != 1 {
		e.Errorf("%v %+v", err, kept)
	}
	if err := e.s.DropUpload(ctx, u); err != nil {
		e.Fatal(err)
	}
	if _, err := e.s.Upload(ctx, "t", u.ID); !errors.Is(err, chain.ErrUploadNotFound) || len(read()) != 0 {
		e.Errorf("dropped, but there: %v", err)
	}
}

// sweeps: parts of a check that died go, those of saved uploads and of young ones stay.
func (e *exercise) sweeps() {
	ctx, saved := e.Context(), e.upload()
	old, young := saved, saved
	old.ID, young.ID = ident.At(day.Add(-time.Hour)), ident.At(day.Add(time.Hour))
	for _, u := range []chain.Upload{saved, old, young} {
		if err := e.s.AddPart(ctx, u, chain.GoodPart, 0, []byte("x")); err != nil {
			e.Fatal(err)
		}
	}
	for range 2 {
		if err := e.s.SweepParts(ctx, "t", day); err != nil {
			e.Fatal(err)
		}
	}
	for want, u := range map[int]chain.Upload{0: old, 1: saved} {
		got := 0
		if err := e.s.Parts(ctx, u, chain.GoodPart, func([]byte) error { got++; return nil }); err != nil || got != want {
			e.Errorf("%s has %d parts, want %d: %v", u.ID, got, want, err)
		}
	}
	got := 0
	if err := e.s.Parts(ctx, young, chain.GoodPart, func([]byte) error { got++; return nil }); err != nil || got != 1 {
		e.Errorf("the parts of a check that may be under way are gone: %v", err)
	}
}

// failures: why a commit failed is kept until the next one.
func (e *exercise) failures() {
	ctx, u := e.Context(), e.upload()
	u.Failure = &chain.UploadFailure{Code: "c", Msg: "m", Args: map[string]string{"a": "1"}, At: day}
	if err := e.s.MoveUpload(ctx, u, chain.UploadChecked); err != nil {
		e.Fatal(err)
	}
	kept, err := e.s.Upload(ctx, "t", u.ID)
	if err != nil {
		e.Fatal(err)
	}
	e.same("failure", u.Failure, kept.Failure)
	kept.Failure = nil
	if _, err := e.s.CommitUpload(ctx, committed(kept), all(nil), func() []chain.Party { return nil }, nil, func(int) {}); err != nil {
		e.Fatal(err)
	}
	if kept, err = e.s.Upload(ctx, "t", u.ID); err != nil || kept.Failure != nil || kept.State != chain.UploadCommitted {
		e.Errorf("%v %+v", err, kept)
	}
}

func (e *exercise) pages() {
	var want, got []string
	for range 5 {
		want = append(want, e.upload().ID)
	}
	slices.Reverse(want)
	for before := ""; len(got) < 5; {
		page, err := e.s.Uploads(e.Context(), "t", chain.UploadFilter{AnchorID: "a", Before: before, Limit: 2})
		if err != nil || len(page) != 2 {
			e.Fatal(err, len(page))
		}
		for _, u := range page {
			got = append(got, u.ID)
		}
		before = page[1].ID
	}
	e.same("pages", want, got[:5])
	twin, err := e.s.Uploads(e.Context(), "t", chain.UploadFilter{SHA256: "1", Limit: 1})
	if err != nil || len(twin) != 1 || twin[0].SHA256 != "1" {
		e.Error(err, twin)
	}
	if other, err := e.s.Uploads(context.Background(), "other", chain.UploadFilter{}); err != nil || len(other) != 0 {
		e.Error(err, other)
	}
}
