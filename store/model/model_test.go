package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	modelstore "github.com/furrowcredit/furrow/store/model"
	"github.com/furrowcredit/furrow/store/storetest"
)

func file(t *testing.T, version string, base int) []byte {
	t.Helper()
	m, err := score.New(score.File{
		Format: score.Format, Name: "field", Version: version, Method: "scorecard", Target: "bad", Bad: "1",
		Scale: score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 20}, Base: base,
		Inputs:      []score.Input{{Name: "asked", Kind: score.Number, Bins: []score.Bin{{Points: 5}, {Missing: true}}}},
		Calibration: []score.Knot{{Points: 500, PD: 0.1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Bytes()
}

var (
	ann = access.Actor{UserID: "ann", Name: "Ann", Tenant: "bank"}
	bob = access.Actor{UserID: "bob", Name: "Bob", Tenant: "bank"}
	in  = model.New{Owner: "risk", Applicant: "farmer"}
)

// clock is moved by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = to
}

func open(db *store.DB) (*model.Service, *clock) {
	c := &clock{at: time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)}
	return model.NewService(modelstore.New(db), c.now, ident.New), c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestModelGoesThroughASecondPair(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		svc, clock := open(db)
		entry := must[model.ScoreModel](t)
		e := entry(svc.Add(ctx, ann, file(t, "1", 500), in))
		if again := entry(svc.Add(ctx, ann, file(t, "1", 500), in)); again.ID != e.ID || again.Status != model.Draft {
			t.Errorf("the same file again: %+v", again)
		}
		if _, err := svc.Add(ctx, ann, file(t, "1", 501), in); !errors.Is(err, model.ErrTaken) {
			t.Errorf("another file under the same version: %v", err)
		}
		if _, err := svc.Publish(ctx, bob, "field", "1"); !errors.Is(err, model.ErrStatus) {
			t.Errorf("published as a draft: %v", err)
		}
		entry(svc.Submit(ctx, ann, "field", "1"))
		if _, err := svc.Publish(ctx, bob, "field", "1"); !errors.Is(err, model.ErrStatus) {
			t.Errorf("published without a review: %v", err)
		}
		if _, err := svc.Review(ctx, ann, "field", "1", model.Approve, "mine"); !errors.Is(err, model.ErrSame) {
			t.Errorf("reviewed by its maker: %v", err)
		}
		if e := entry(svc.Review(ctx, bob, "field", "1", model.Return, "no")); e.Status != model.Draft {
			t.Errorf("returned: %+v", e)
		}
		entry(svc.Submit(ctx, ann, "field", "1"))
		if _, err := svc.Publish(ctx, bob, "field", "1"); !errors.Is(err, model.ErrStatus) {
			t.Errorf("published on a refusal: %v", err)
		}
		entry(svc.Review(ctx, bob, "field", "1", model.Approve, "auc and folds looked at"))
		if _, err := svc.Model(ctx, "bank", "field"); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("in use before it is published: %v", err)
		}
		e = entry(svc.Publish(ctx, bob, "field", "1"))
		if e.Status != model.Published || e.Overdue || len(e.Reviews) != 2 || e.Reviews[1].ByName != "Bob" {
			t.Errorf("published: %+v", e)
		}
		if m := must[*score.Model](t)(svc.Model(ctx, "bank", "field")); m.ID() != e.ID {
			t.Errorf("in use: %s, want %s", m.ID(), e.ID)
		}
		clock.move(time.Date(2026, 4, 11, 9, 0, 0, 0, time.UTC))
		if e := entry(svc.Entry(ctx, "bank", "field", "1")); !e.Overdue {
			t.Errorf("three months later: %+v", e)
		}
		if e := entry(svc.Review(ctx, bob, "field", "1", model.Approve, "still fits")); e.Overdue || e.Status != model.Published {
			t.Errorf("looked at again: %+v", e)
		}

		entry(svc.Add(ctx, ann, file(t, "2", 510), in))
		entry(svc.Submit(ctx, ann, "field", "2"))
		entry(svc.Review(ctx, bob, "field", "2", model.Approve, "better"))
		two := entry(svc.Publish(ctx, bob, "field", "2"))
		if one := entry(svc.Entry(ctx, "bank", "field", "1")); one.Status != model.Retired || one.RetiredAt == nil {
			t.Errorf("the one before: %+v", one)
		}
		if m := must[*score.Model](t)(svc.Model(ctx, "bank", "field")); m.ID() != two.ID {
			t.Errorf("in use after a new one: %s", m.ID())
		}
		if list := must[[]model.ScoreModel](t)(svc.List(ctx, "other", model.Filter{})); len(list) != 0 {
			t.Errorf("another bank sees %d models", len(list))
		}
		entry(svc.Retire(ctx, ann, "field", "2"))
		if all := must[[]model.InUse](t)(svc.All(ctx, "bank")); len(all) != 0 {
			t.Errorf("in use after all are retired: %d", len(all))
		}
	})
}

func TestOneOfTwoPublishes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		svc, _ := open(db)
		for i := range 4 {
			v := fmt.Sprint(i)
			must[model.ScoreModel](t)(svc.Add(ctx, ann, file(t, v, 500+i), in))
			must[model.ScoreModel](t)(svc.Submit(ctx, ann, "field", v))
			must[model.ScoreModel](t)(svc.Review(ctx, bob, "field", v, model.Approve, "ok"))
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := svc.Publish(ctx, bob, "field", fmt.Sprint(i%4))
				if err != nil && !errors.Is(err, model.ErrStale) && !errors.Is(err, model.ErrStatus) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if list := must[[]model.ScoreModel](t)(svc.List(ctx, "bank", model.Filter{Status: model.Published})); len(list) != 1 {
			t.Errorf("%d versions are published at once", len(list))
		}
	})
}

func TestObservationsFollowDecisionsToLoans(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(ctx, query, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec(`insert into policies (hash, source) values ('h', 'x')`)
		before := time.Now().Add(-time.Minute)
		const n = 1203
		for i := range n {
			app, first, last := ident.New(), ident.New(), ident.New()
			exec(`insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked, term_months, purpose,
				state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
				values ($1, 'bank', 'u', 'U', 'plot', 'p', 'P', 'x', 1, 1, '', 'active', $2, '', 0, 0, $1, '', 0, 0)`, app, last)
			for _, id := range []string{first, last} {
				body, err := json.Marshal(credit.Decision{ID: id, Scores: []credit.Score{{Model: "m", Points: i}}})
				if err != nil {
					t.Fatal(err)
				}
				exec(`insert into decisions (id, tenant, application_id, body, evidence, product, policy_hash) values ($1, 'bank', $2, $3, '{}', '{}', 'h')`, id, app, string(body))
				if i > 0 {
					break
				}
			}
			if i > 1 {
				continue
			}
			l, err := json.Marshal(loan.Loan{State: loan.Closed, WorstOverdue: 95, DrawnOn: money.NewDate(2025, 5, 1)})
			if err != nil {
				t.Fatal(err)
			}
			exec(`insert into loans (id, tenant, application_id, user_id, subject_id, state, outstanding, overdue_amount, worst_overdue, day_end, updated_at, version, body)
				values ($1, 'bank', $2, 'u', 'p', 'closed', 0, 0, 95, '', 0, 1, $3)`, ident.New(), app, string(l))
		}
		var seen, lent int
		last := ""
		err := modelstore.New(db).Observations(ctx, "bank", before, time.Now().Add(time.Minute), func(o model.Observation) error {
			if o.DecisionID <= last || len(o.Scores) != 1 {
				t.Errorf("out of order or without scores: %+v", o)
			}
			last = o.DecisionID
			seen++
			if o.Loan != nil {
				lent++
				if o.Loan.WorstOverdue != 95 || !o.Loan.Closed || o.Loan.DrawnOn.Year() != 2025 {
					t.Errorf("%+v", o.Loan)
				}
			}
			return nil
		})
		// Of the first application only the last decision was lent on; of the second the
		// decision that the application names is not there.
		if err != nil || seen != n+1 || lent != 1 {
			t.Errorf("%d decisions, %d lent on, %v", seen, lent, err)
		}
		if err := modelstore.New(db).Observations(ctx, "bank", before.Add(-time.Hour), before, func(model.Observation) error {
			t.Error("a decision outside the span")
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
