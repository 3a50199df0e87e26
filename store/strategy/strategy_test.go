package strategy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
)

const tenant = "county"

var (
	writer   = access.Actor{UserID: "u1", Name: "Zhao", Tenant: tenant, Role: access.Officer}
	reviewer = access.Actor{UserID: "u2", Name: "Sun", Tenant: tenant, Role: access.Officer}
	stranger = access.Actor{UserID: "u3", Name: "Li", Tenant: "other", Role: access.Officer}
)

// past is a history in memory.
type past []strategy.Record

func (p past) History(_ context.Context, _ string, _ strategy.HistoryFilter, each func(strategy.Record) error) error {
	for _, r := range p {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func service(t *testing.T, db *store.DB, history past) *strategy.Service {
	t.Helper()
	shipped := must[*policy.Set](t)(policy.Load(files(t)))
	at := time.UnixMilli(1_780_000_000_000)
	var mu sync.Mutex
	return strategy.New(strategy.Config{
		Store: strategystore.New(db), Shipped: shipped, History: history,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			at = at.Add(time.Second)
			return at
		},
	})
}

func files(t *testing.T) fs.FS { t.Helper(); return must[fs.FS](t)(catalog.Open("")) }

// text is the shipped policy of plots under another version, with more changed.
func text(t *testing.T, version string, change ...string) string {
	t.Helper()
	s := string(must[[]byte](t)(fs.ReadFile(files(t), "policy/plot.yaml")))
	i := strings.Index(s, "version:")
	j := i + strings.IndexByte(s[i:], '\n')
	s = s[:i] + fmt.Sprintf("version: %q", version) + s[j:]
	after := strings.NewReplacer(change...).Replace(s)
	if len(change) > 0 && after == s {
		t.Fatalf("the policy has no %q", change[0])
	}
	return after
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

// reviewed brings a text to Approved.
func reviewed(t *testing.T, s *strategy.Service, source string) strategy.Version {
	t.Helper()
	ok := must[strategy.Version](t)
	v := ok(s.Draft(t.Context(), writer, source, "why", ""))
	ok(s.Submit(t.Context(), writer, v.ID, "please look"))
	return ok(s.Review(t.Context(), reviewer, v.ID, true, "looked"))
}

func decides(t *testing.T, s *strategy.Service, who string) strategy.Choice {
	t.Helper()
	return must[strategy.Choice](t)(s.Choose(t.Context(), tenant, "plot", credit.Applicant{UserID: who}))
}

func TestLifeOfAVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := service(t, db, nil)
		ctx, ok := t.Context(), must[strategy.Version](t)
		if c := decides(t, s, "w"); c.Decides.VersionID != "" || c.Decides.Policy.Name != "plot" {
			t.Fatalf("before anything is published the catalogue decides, not %+v", c)
		}
		v := ok(s.Draft(ctx, writer, text(t, "a"), "first", ""))
		if v.Number != 1 || v.Label != "a" || v.Status != strategy.Draft {
			t.Fatalf("got %+v", v)
		}
		v = ok(s.Revise(ctx, writer, v.ID, 1, text(t, "b"), "better"))
		if _, err := s.Revise(ctx, reviewer, v.ID, 1, text(t, "c"), "at once"); !errors.Is(err, strategy.ErrChanged) {
			t.Errorf("two revisions of one: %v", err)
		}
		if _, err := s.Revise(ctx, writer, v.ID, 2, strings.Replace(text(t, "b"), "name: plot", "name: yard", 1), "x"); !errors.Is(err, strategy.ErrName) {
			t.Errorf("another name: %v", err)
		}
		if _, err := s.Draft(ctx, writer, "name: plot\nrules: 3", "broken", ""); !errors.Is(err, policy.ErrFile) {
			t.Errorf("a broken text: %v", err)
		}
		if _, err := s.Publish(ctx, writer, v.ID, "now"); !errors.Is(err, strategy.ErrStatus) {
			t.Errorf("published without review: %v", err)
		}
		ok(s.Submit(ctx, writer, v.ID, "look"))
		if _, err := s.Revise(ctx, writer, v.ID, 2, text(t, "d"), "late"); !errors.Is(err, strategy.ErrStatus) {
			t.Errorf("changed under review: %v", err)
		}
		if _, err := s.Review(ctx, writer, v.ID, true, "mine"); !errors.Is(err, strategy.ErrSamePerson) {
			t.Errorf("reviewed by its author: %v", err)
		}
		if _, err := s.Stop(ctx, writer, v.ID, "mine"); !errors.Is(err, strategy.ErrStatus) {
			t.Errorf("approved by stopping it: %v", err)
		}
		if _, err := s.Review(ctx, reviewer, v.ID, true, " "); !errors.Is(err, strategy.ErrNote) {
			t.Errorf("reviewed without a word: %v", err)
		}
		if _, err := s.Review(ctx, stranger, v.ID, true, "from afar"); !errors.Is(err, strategy.ErrNotFound) {
			t.Errorf("reviewed by another house: %v", err)
		}
		ok(s.Review(ctx, reviewer, v.ID, true, "good"))
		ok(s.Publish(ctx, writer, v.ID, "go"))
		if c := decides(t, s, "w"); c.Decides.VersionID != v.ID || c.Decides.Policy.Version != "b" {
			t.Errorf("%+v decides", c)
		}
		next := reviewed(t, s, text(t, "n"))
		ok(s.Publish(ctx, writer, next.ID, "go"))
		if got := ok(s.Version(ctx, tenant, v.ID)); got.Status != strategy.Retired {
			t.Errorf("the one before is %s", got.Status)
		}
		ok(s.Publish(ctx, reviewer, v.ID, "back to it"))
		if c := decides(t, s, "w"); c.Decides.VersionID != v.ID {
			t.Errorf("after the roll back %+v decides", c)
		}
		events := must[[]strategy.VersionEvent](t)(s.Events(ctx, tenant, v.ID))
		var way []strategy.Status
		for _, e := range events {
			way = append(way, e.To)
		}
		want := []strategy.Status{strategy.Draft, strategy.InReview, strategy.Approved, strategy.Champion, strategy.Retired, strategy.Champion}
		if !slices.Equal(way, want) {
			t.Errorf("its way was %v, want %v", way, want)
		}
		list := must[[]strategy.Version](t)(s.Versions(ctx, tenant, "plot", 0, 0))
		if len(list) != 2 || list[0].Number != 2 || list[0].Source != "" {
			t.Errorf("listed %+v", list)
		}
		if again := decides(t, service(t, db, nil), "w"); again.Decides.VersionID != v.ID {
			t.Errorf("another process has %+v decide", again)
		}
	})
}

func TestChallengerGetsItsShare(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := service(t, db, nil)
		ctx := t.Context()
		v := reviewed(t, s, text(t, "c"))
		for _, share := range []int{0, -1, 5001} {
			if _, err := s.Challenge(ctx, writer, v.ID, share, "x"); !errors.Is(err, strategy.ErrShare) {
				t.Errorf("a share of %d: %v", share, err)
			}
		}
		must[strategy.Version](t)(s.Challenge(ctx, writer, v.ID, 2000, "a fifth"))
		if _, err := s.Challenge(ctx, writer, reviewed(t, s, text(t, "c2")).ID, 100, "too"); !errors.Is(err, strategy.ErrDouble) {
			t.Errorf("two challengers: %v", err)
		}
		const people = 4000
		hit := 0
		for i := range people {
			who := fmt.Sprint("p", i)
			c := decides(t, s, who)
			if c.Arm == strategy.Challenger {
				hit++
			}
			if again := decides(t, s, who); again.Arm != c.Arm {
				t.Fatalf("%s is decided by %s and by %s", who, c.Arm, again.Arm)
			}
		}
		if hit < people*18/100 || hit > people*22/100 { // 3 standard deviations are 1.9 %
			t.Errorf("%d of %d fell to the challenger, want a fifth", hit, people)
		}
		must[strategy.Version](t)(s.Stop(ctx, writer, v.ID, "enough"))
		if c := decides(t, s, "p1"); c.Arm != strategy.Champion {
			t.Errorf("after its end the %s decides", c.Arm)
		}
	})
}

func evidence(vigour float64) credit.Evidence {
	clear := time.UnixMilli(1_779_900_000_000).UTC()
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: "w", Name: "Wang"}, Subject: credit.Subject{Kind: credit.PlotSubject, ID: "p"},
		Product: "crop", Asked: 2_000_000, TermMonths: 12, AreaM2: 20_000, TakenAt: time.UnixMilli(1_780_000_000_000).UTC(),
		Overlaps: []geo.Overlap{}, Alerts: []string{},
		Crop: &geo.CropReport{
			Status: geo.Known, Crop: "wheat", Declared: "wheat", Confidence: 0.97, AreaM2: 20_000, Mu: 30, Vigour: vigour, ClearDates: 20, TotalDates: 24,
			LastClear: &clear, Worth: &geo.Worth{Low: 4_000_000, Middle: 5_000_000, High: 6_000_000},
		},
	}
}

func crop(t *testing.T) product.Product {
	t.Helper()
	return must[product.Product](t)(must[*product.Catalogue](t)(product.Load(files(t))).Product("crop"))
}

func TestShadowsAndHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prod := crop(t)
		terms, err := json.Marshal(prod)
		if err != nil {
			t.Fatal(err)
		}
		var history past
		for i := range 10 {
			b, _, err := credit.Canonical(evidence(0.5 + float64(i)/20))
			if err != nil {
				t.Fatal(err)
			}
			history = append(history, strategy.Record{Decision: credit.Decision{ID: fmt.Sprint("h", i), MadeAt: time.UnixMilli(1_780_000_000_000).UTC()}, Evidence: b, Product: terms})
		}
		history = append(history, strategy.Record{Decision: credit.Decision{ID: "odd"}, Evidence: []byte("{"), Product: terms})
		s := service(t, db, history)
		ctx := t.Context()
		strict := reviewed(t, s, text(t, "strict", "round_fen: ", "round_fen: 100"))
		must[strategy.Version](t)(s.Observe(ctx, writer, strict.ID, "watch it"))
		c := decides(t, s, "w")
		if len(c.Shadows) != 1 || c.Decides.VersionID != "" {
			t.Fatalf("got %+v", c)
		}
		ev := evidence(0.9)
		d := must[credit.Decision](t)(c.Decides.Policy.Decide(ev, prod, nil, ev.TakenAt))
		d.ID, d.ApplicationID = "d1", "a1"
		for range 2 { // told twice, kept once
			if err := s.Beside(ctx, tenant, c, ev, prod, d); err != nil {
				t.Fatal(err)
			}
		}
		seen := must[strategy.Comparison](t)(s.Haunting(ctx, tenant, strict.ID))
		if seen.Decisions != 1 || seen.Lowered != 1 || seen.LimitWould >= seen.LimitWas || len(seen.Changes) != 1 {
			t.Errorf("the shadow said %+v", seen)
		}
		back := must[strategy.Comparison](t)(s.BackTest(ctx, tenant, strict.ID, strategy.HistoryFilter{}))
		total := back.Failed
		for _, o := range back.Outcomes {
			total += o.Count
		}
		if back.Decisions != len(history) || total != len(history) || back.Failed != 1 || back.Lowered == 0 || back.Raised != 0 || back.FirstError == "" {
			t.Errorf("history gives %+v", back)
		}
		if _, err := s.BackTest(ctx, "other", strict.ID, strategy.HistoryFilter{}); !errors.Is(err, strategy.ErrNotFound) {
			t.Errorf("another house tests it: %v", err)
		}
		stopped, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.BackTest(stopped, tenant, strict.ID, strategy.HistoryFilter{}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for range strategy.MostShadows - 1 {
			must[strategy.Version](t)(s.Observe(ctx, writer, reviewed(t, s, text(t, "more")).ID, "more"))
		}
		if _, err := s.Observe(ctx, writer, reviewed(t, s, text(t, "more")).ID, "one more"); !errors.Is(err, strategy.ErrMany) {
			t.Errorf("too many shadows: %v", err)
		}
	})
}

func TestNumbersAreNotSharedByDraftsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := service(t, db, nil)
		const n = 6
		numbers := make([]int, n)
		var g sync.WaitGroup
		source := text(t, "x")
		for i := range n {
			g.Go(func() {
				v, err := s.Draft(t.Context(), writer, source, "at once", "")
				if err != nil {
					t.Error(err)
				}
				numbers[i] = v.Number
			})
		}
		g.Wait()
		slices.Sort(numbers)
		if want := []int{1, 2, 3, 4, 5, 6}; !slices.Equal(numbers, want) {
			t.Errorf("numbered %v", numbers)
		}
	})
}

// TestEvidenceGivesALimit holds the evidence of these tests to what it is for.
func TestEvidenceGivesALimit(t *testing.T) {
	t.Parallel()
	p := must[*policy.Policy](t)(policy.Parse("plot", []byte(text(t, "x"))))
	ev := evidence(0.9)
	if d := must[credit.Decision](t)(p.Decide(ev, crop(t), nil, ev.TakenAt)); d.Limit < 10*money.Fen(100_000) {
		t.Errorf("got %+v", d)
	}
}
