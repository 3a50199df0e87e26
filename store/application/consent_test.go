package application_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

var phone = consent.How{Channel: "phone", Device: "test phone", By: farmer.UserID}

// takeBack ends consents of the farmer.
func (b *bench) takeBack(t *testing.T, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err := b.consents.Withdraw(context.Background(), tenant, farmer.UserID, consent.CreditDecision, p, phone); err != nil {
			t.Fatal(err)
		}
	}
}

// source is what the evidence of an application says of a part.
func (b *bench) evidence(t *testing.T, id string) credit.Evidence {
	t.Helper()
	d, err := b.apply.Detail(context.Background(), farmer, id)
	if err != nil || d.Evidence == nil {
		t.Fatalf("no evidence: %v", err)
	}
	return *d.Evidence
}

func source(ev credit.Evidence, part string) credit.Source {
	i := slices.IndexFunc(ev.Sources, func(s credit.Source) bool { return s.Part == part })
	if i < 0 {
		return credit.Source{}
	}
	return ev.Sources[i]
}

func TestNoDecisionWithoutConsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), open(t, db)
		// A plot without a report waits, and meanwhile the farmer thinks otherwise.
		waiting, err := b.apply.Submit(ctx, farmer, plotRequest("new"), "waits")
		if err != nil || waiting.State != apply.Deciding {
			t.Fatalf("%s, %v", waiting.State, err)
		}
		b.takeBack(t, consent.Decision)
		if _, err := b.apply.Assess(ctx, tenant, waiting.ID); !errors.Is(err, consent.ErrMissing) {
			t.Errorf("assessed without consent: %v", err)
		}
		if a, err := b.apply.Application(ctx, farmer, waiting.ID); err != nil || a.DecisionID != "" || a.State != apply.Deciding {
			t.Errorf("the application is %+v, %v", a, err)
		}
		if _, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "refused"); !errors.Is(err, consent.ErrMissing) {
			t.Errorf("submitted without consent: %v", err)
		}
		if list, err := b.apply.Applications(ctx, farmer, apply.Filter{}); err != nil || len(list) != 1 {
			t.Errorf("%d applications, %v", len(list), err)
		}
		req := plotRequest("p1")
		req.Consents = b.consents.Wordings.Answers("en", "decision", "crop")
		if a, err := b.apply.Submit(ctx, farmer, req, "agreed"); err != nil || a.State != apply.Offered {
			t.Errorf("with consent: %s, %v", a.State, err)
		}
	})
}

// What was not agreed to is not read, and the evidence says so.
func TestPartsNeedConsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), open(t, db)
		if _, err := b.profiles.AddBureau(ctx, tenant, "officer", farmer.UserID, credit.Bureau{At: start, Lenders: 2}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.profiles.AddBank(ctx, tenant, "officer", farmer.UserID, credit.Bank{At: start, Months: []credit.BankMonth{{Month: "2026-06", In: 5}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.profiles.Set(ctx, tenant, "officer", profile.Borrower{UserID: farmer.UserID, Kind: "person", BirthYear: 1986, Region: "510105"}); err != nil {
			t.Fatal(err)
		}
		b.takeBack(t, "bank")
		first, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "first")
		if err != nil {
			t.Fatal(err)
		}
		ev := b.evidence(t, first.ID)
		if ev.Crop == nil || ev.Bureau == nil || ev.Bureau.Lenders != 2 || ev.Bank != nil || ev.Herd != nil || ev.Applicant.Age != 40 || ev.Applicant.Region != "510105" {
			t.Errorf("evidence %+v", ev)
		}
		for part, missing := range map[string]string{"applicant": "", "overlaps": "", "crop": "", "bureau": "", "bank": apply.NoConsent, "exposure": ""} {
			if s := source(ev, part); s.Part == "" || s.Missing != missing || missing == "" && (s.From == "" || s.Version == "" && part != "crop" || s.At == nil) {
				t.Errorf("source of %s: %+v", part, s)
			}
		}
		parts := ""
		for _, c := range ev.Consents {
			parts += c.Part + " "
		}
		if parts != "bureau crop decision " {
			t.Errorf("read under %q", parts)
		}
		// The promise of the first counts for the next, but not for itself.
		b.takeBack(t, "crop", "bureau")
		second, err := b.apply.Submit(ctx, farmer, plotRequest("unsure"), "second")
		if err != nil {
			t.Fatal(err)
		}
		ev = b.evidence(t, second.ID)
		if second.State == apply.Offered || ev.Crop != nil || ev.Bureau != nil || source(ev, "crop").Missing != apply.NoConsent {
			t.Errorf("%s on %+v", second.State, ev)
		}
		if ev.Exposure == nil || ev.Exposure.Household != first.Limit || ev.Exposure.Product != first.Limit || ev.Exposure.Region != first.Limit || first.Limit <= 0 {
			t.Errorf("exposure %+v beside a promise of %s", ev.Exposure, first.Limit)
		}
		if _, err := b.apply.Withdraw(ctx, farmer, first.ID); err != nil {
			t.Fatal(err)
		}
		if x, err := b.profiles.Exposure(ctx, tenant, profile.Around{UserID: farmer.UserID, Product: "crop", Region: "510105"}); err != nil || x != (credit.Exposures{}) {
			t.Errorf("after all is withdrawn: %+v, %v", x, err)
		}
	})
}

func TestChannel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := open(t, db)
		req := plotRequest("p1")
		req.Product, req.Asked, req.TermMonths, req.Channel = "relief", 1_000_000, 12, product.Phone
		if _, err := b.apply.Submit(context.Background(), farmer, req, "k"); !errors.Is(err, product.ErrChannel) {
			t.Errorf("a product of the counter on the phone: %v", err)
		}
		req.Channel = product.Counter
		if _, err := b.apply.Submit(context.Background(), farmer, req, "k"); err != nil {
			t.Error(err)
		}
	})
}

// What is uploaded after the contract is signed is read only with consent to look after
// the loan; what was there before stays.
func TestLaterUploadsNeedTheirOwnConsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), open(t, db)
		add := func(lenders int) {
			t.Helper()
			b.clock.add(time.Hour)
			if _, err := b.profiles.AddBureau(ctx, tenant, "officer", farmer.UserID, credit.Bureau{At: b.clock.now(), Lenders: lenders}); err != nil {
				t.Fatal(err)
			}
		}
		add(1)
		a := b.signed(t, farmer, plotRequest("p1"), "k")
		add(2)
		lenders := func() int {
			t.Helper()
			b.clock.add(time.Hour)
			b.see(t, worth(money.Fen(900_000+b.clock.now().Unix()%1000)))
			ev := b.detail(t, a.ID).Evidence
			if ev.Bureau == nil {
				return 0
			}
			return ev.Bureau.Lenders
		}
		if n := lenders(); n != 1 {
			t.Errorf("without consent the report with %d lenders was read", n)
		}
		after := b.consents.Wordings[slices.IndexFunc(b.consents.Wordings, func(w consent.Wording) bool { return w.Purpose == consent.PostLoan && w.Part == "bureau" })]
		err := b.consents.Give(ctx, tenant, farmer.UserID, []consent.Agreement{{Part: "bureau", Purpose: consent.PostLoan, Text: after.Hash["en"]}},
			consent.How{Channel: "phone", Device: "test", By: farmer.UserID})
		if err != nil {
			t.Fatal(err)
		}
		if n := lenders(); n != 2 {
			t.Errorf("with consent the report with %d lenders was read", n)
		}
		if c := b.detail(t, a.ID).Evidence.Consents; !slices.ContainsFunc(c, func(c credit.Consent) bool { return c.Purpose == consent.PostLoan }) {
			t.Errorf("the consent is not in the evidence: %+v", c)
		}
		if err := b.consents.Withdraw(ctx, tenant, farmer.UserID, consent.PostLoan, "bureau", consent.How{By: farmer.UserID}); err != nil {
			t.Fatal(err)
		}
		if n := lenders(); n != 1 {
			t.Errorf("after it was taken back the report with %d lenders was read", n)
		}
	})
}

// A refused application goes to a person when its borrower asks, once.
func TestReview(t *testing.T) {
	t.Parallel()
	officer := access.Actor{UserID: "officer", Name: "Officer", Tenant: tenant, Role: access.Officer}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), open(t, db)
		a, err := b.apply.Submit(ctx, farmer, plotRequest("unsure"), "k")
		if err != nil || a.State != apply.Referred {
			t.Fatalf("%s, %v", a.State, err)
		}
		if a, err = b.apply.Refuse(ctx, officer, a.ID, "no"); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			who    access.Actor
			reason string
			want   error
		}{
			"no reason":  {farmer, "  ", apply.ErrReason},
			"a stranger": {other, "I want it", apply.ErrNotFound},
			"an officer": {officer, "for them", access.ErrRole},
		} {
			if _, err := b.apply.AskReview(ctx, c.who, a.ID, c.reason); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r, err := b.apply.AskReview(ctx, farmer, a.ID, "I sowed late because of the flood")
		if err != nil {
			t.Fatal(err)
		}
		d, err := b.apply.Detail(ctx, farmer, a.ID)
		if err != nil || d.Application.State != apply.Referred || d.Review == nil || d.Review.ID != r.ID || d.Review.ClosedAt != nil {
			t.Fatalf("%s, %+v, %v", d.Application.State, d.Review, err)
		}
		if last := d.Steps[len(d.Steps)-1]; last.From != apply.Refused || last.Note != r.Reason || last.Actor != farmer.UserID {
			t.Errorf("the history ends with %+v", last)
		}
		if _, err := b.apply.AskReview(ctx, farmer, a.ID, "again"); !errors.Is(err, apply.ErrReviewed) {
			t.Errorf("asked twice: %v", err)
		}
		if open, err := b.apply.Reviews(ctx, tenant, apply.ReviewFilter{Open: true}); err != nil || len(open) != 1 {
			t.Errorf("%d open, %v", len(open), err)
		}
		if _, err := b.apply.Refuse(ctx, officer, a.ID, "seen in the field: nothing grows"); err != nil {
			t.Fatal(err)
		}
		d, err = b.apply.Detail(ctx, farmer, a.ID)
		if err != nil || d.Review == nil || d.Review.Answer != "seen in the field: nothing grows" || d.Review.ClosedBy != officer.UserID {
			t.Errorf("the review is %+v, %v", d.Review, err)
		}
		if _, err := b.apply.AskReview(ctx, farmer, a.ID, "once more"); !errors.Is(err, apply.ErrReviewed) {
			t.Errorf("asked about the same decision: %v", err)
		}
		if d, err := b.apply.Detail(ctx, farmer, a.ID); err != nil || d.Application.State != apply.Refused {
			t.Errorf("a second request moved it to %s, %v", d.Application.State, err)
		}
		if _, err := b.apply.CloseReview(ctx, officer, r.ID, "late"); !errors.Is(err, apply.ErrReviewAbsent) {
			t.Errorf("closed twice: %v", err)
		}

		// An offer stays an offer while a person looks.
		offer, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "k2")
		if err != nil || offer.State != apply.Offered {
			t.Fatalf("%s, %v", offer.State, err)
		}
		r, err = b.apply.AskReview(ctx, farmer, offer.ID, "the limit is low")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.apply.CloseReview(ctx, officer, r.ID, "it follows the crop"); err != nil || got.Answer != "it follows the crop" || got.ClosedAt == nil {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := b.apply.Application(ctx, farmer, offer.ID); err != nil || got.State != apply.Offered {
			t.Errorf("the offer is %s, %v", got.State, err)
		}
	})
}

// A decision keeps what it saw when a consent is taken back, tells so, and nothing is read
// under it again.
func TestWithdrawnConsentIsMarked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), open(t, db)
		if _, err := b.profiles.AddBureau(ctx, tenant, "officer", farmer.UserID, credit.Bureau{At: start, Lenders: 2}); err != nil {
			t.Fatal(err)
		}
		a := b.signed(t, farmer, plotRequest("p1"), "marked")
		before, err := b.apply.Detail(ctx, officer, a.ID)
		if err != nil || before.Evidence.Bureau == nil || len(before.Withdrawn) != 0 {
			t.Fatalf("%+v, %v", before.Withdrawn, err)
		}
		b.clock.add(time.Hour)
		b.takeBack(t, "bureau")
		after, err := b.apply.Detail(ctx, officer, a.ID)
		if err != nil || after.Decision.EvidenceHash != before.Decision.EvidenceHash {
			t.Fatalf("the decision moved: %v", err)
		}
		for _, c := range after.Evidence.Consents {
			if at, gone := after.Withdrawn[c.ID]; gone != (c.Part == "bureau") || gone && !at.Equal(b.clock.now()) {
				t.Errorf("consent on %s: %v at %s", c.Part, gone, at)
			}
		}
		if _, err := b.apply.Reconsider(ctx, tenant, a.ID, apply.NewConsent); err != nil {
			t.Fatal(err)
		}
		if ev := b.evidence(t, a.ID); ev.Bureau != nil || source(ev, "bureau").Missing != apply.NoConsent {
			t.Errorf("read again: %+v", ev.Bureau)
		}
	})
}
