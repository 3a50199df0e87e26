package application_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/application"
	"github.com/furrowcredit/furrow/store/storetest"
)

// What was signed is given back byte for byte, and another byte anywhere is found.
func TestSignedDocumentIsVerified(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "k")
		if err != nil {
			t.Fatal(err)
		}
		shown, c, err := b.apply.Document(ctx, farmer, a.ID, "zh-CN", "")
		if err != nil {
			t.Fatal(err)
		}
		seen := contract.Seen{Rate: true, Seconds: 30, End: true}
		for range 2 { // the second answers a retry
			if a, err = b.apply.Sign(ctx, farmer, a.ID, apply.Signing{Hash: c.Document, Device: "phone", Remote: "192.0.2.1:5", Seen: seen}); err != nil || a.State != apply.Signed {
				t.Fatalf("%s %v", a.State, err)
			}
		}
		kept, again, err := b.apply.Document(ctx, farmer, a.ID, "en", "")
		if err != nil || !bytes.Equal(kept, shown) || again.Document != c.Document {
			t.Fatalf("another file than the one that was signed: %v", err)
		}
		if _, _, err := b.apply.Document(ctx, other, a.ID, "zh-CN", ""); !errors.Is(err, apply.ErrNotFound) {
			t.Errorf("somebody else reads it: %v", err)
		}
		v, err := b.apply.Verify(ctx, tenant, apply.Question{File: kept})
		if err != nil || !v.Genuine || len(v.Signatures) != 1 || v.Signatures[0].UserID != farmer.UserID || v.Signatures[0].Seen != seen || v.ApplicationID != a.ID {
			t.Fatalf("%+v %v", v, err)
		}
		for _, at := range []int{0, len(kept) / 2, len(kept) - 1} {
			changed := bytes.Clone(kept)
			changed[at] ^= 1
			for _, id := range []string{"", a.ID} {
				if v, err := b.apply.Verify(ctx, tenant, apply.Question{File: changed, ApplicationID: id}); err != nil || v.Genuine || v.Why == "" {
					t.Errorf("byte %d: %+v %v", at, v, err)
				}
			}
		}
		// Each change in the books is found by the check that is for it.
		for _, c := range []struct{ check, change, back string }{
			{"mark", `replace(body, '"house":"', '"house":"A')`, `replace(body, '"house":"A', '"house":"')`},
			{"chain", `replace(body, 'phone', 'other')`, `replace(body, 'other', 'phone')`},
			{"", "body", "body"},
		} {
			alter := func(to string) {
				if _, err := db.Exec(ctx, `update contract_signature set body = `+to+` where tenant = $1`, tenant); err != nil {
					t.Fatal(err)
				}
			}
			alter(c.change)
			v, err := b.apply.Verify(ctx, tenant, apply.Question{ApplicationID: a.ID})
			if err != nil || v.Genuine != (c.check == "") {
				t.Fatalf("%s: %+v %v", c.check, v, err)
			}
			if last := v.Checks[len(v.Checks)-1]; last.Holds != v.Genuine || !last.Holds && last.Name != c.check {
				t.Errorf("%q: found by %+v", c.check, v.Checks)
			}
			alter(c.back)
		}
	})
}

// Several processes sign at once: the chain of the tenant has each signature once, in one line.
func TestProcessesShareOneChain(t *testing.T) {
	t.Parallel()
	const processes, each = 8, 6
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/f.db" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, ctx := dsn(t), context.Background()
			b := open(t, storetest.Open(t, where))
			var asked []apply.Application
			for i := range processes * each {
				a, err := b.apply.Submit(ctx, farmer, requests["herd"], fmt.Sprint(i))
				if err != nil {
					t.Fatal(err)
				}
				asked = append(asked, a)
			}
			var wg sync.WaitGroup
			for i := range processes {
				s := application.New(storetest.Open(t, where))
				for _, a := range asked[i*each : (i+1)*each] {
					wg.Go(func() {
						err := s.Witness(ctx, a, apply.Record{
							Signature: &contract.Signature{Tenant: tenant, ApplicationID: a.ID, Party: contract.Guarantor, Document: a.ID, At: start},
							Seal: func(sig contract.Signature, nr int64, hash string) (contract.Signature, error) {
								return contract.Seal(sig, nr, hash, nil)
							},
						})
						if err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
			chain, err := application.New(storetest.Open(t, where)).Signatures(ctx, tenant, "", 0, 1000)
			if err != nil || len(chain) != len(asked) {
				t.Fatalf("%d signatures of %d, %v", len(chain), len(asked), err)
			}
			previous := ""
			for i, s := range chain {
				if err := s.Check(previous, nil); err != nil || s.Nr != int64(i+1) {
					t.Fatalf("signature %d: %v", i, err)
				}
				previous = s.Hash
			}
		})
	}
}

func TestDraftIsResumedAndExpires(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a, err := b.apply.StartDraft(ctx, farmer, apply.Partial{Asked: 100_000}, product.Phone, "draft")
		if err != nil || a.State != apply.Draft {
			t.Fatalf("%+v %v", a, err)
		}
		if same, err := b.apply.StartDraft(ctx, farmer, apply.Partial{Asked: 100_000}, product.Phone, "draft"); err != nil || same.ID != a.ID {
			t.Errorf("a retry: %+v %v", same, err)
		}
		if _, err := b.apply.StartDraft(ctx, farmer, apply.Partial{Asked: 200_000}, product.Phone, "draft"); !errors.Is(err, apply.ErrKeyReused) {
			t.Errorf("the key with another body: %v", err)
		}
		want := plotRequest("p1")
		if _, err := b.apply.SendDraft(ctx, farmer, a.ID, want.Consents, "phone"); !errors.Is(err, apply.ErrDraft) {
			t.Errorf("half a draft: %v", err)
		}
		if list, err := b.apply.Applications(ctx, access.Actor{UserID: "officer", Tenant: tenant, Role: access.Officer}, apply.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("an officer sees what was not sent: %+v %v", list, err)
		}
		full := apply.Partial{Subject: want.Subject, Product: want.Product, Asked: want.Asked, TermMonths: want.TermMonths}
		if _, err := b.apply.ReviseDraft(ctx, farmer, a.ID, full); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if sent, err := b.apply.SendDraft(ctx, farmer, a.ID, want.Consents, "phone"); err != nil || sent.State != apply.Offered {
				t.Fatalf("%+v %v", sent, err)
			}
		}
		old, err := b.apply.StartDraft(ctx, farmer, apply.Partial{}, product.Phone, "old")
		if err != nil {
			t.Fatal(err)
		}
		b.clock.add(apply.DraftDays * 24 * 3600e9)
		if n, err := b.apply.Expire(ctx, tenant); err != nil || n != 2 { // the offer too
			t.Errorf("%d expired, %v", n, err)
		}
		if old, err = b.apply.Application(ctx, farmer, old.ID); err != nil || old.State != apply.Expired {
			t.Errorf("%+v %v", old, err)
		}
	})
}
