package profile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	profilestore "github.com/furrowcredit/furrow/store/profile"
	"github.com/furrowcredit/furrow/store/storetest"
)

const tenant = "bank"

var start = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

func open(db *store.DB, now *time.Time) *profile.Book {
	return &profile.Book{Store: profilestore.New(db), Consents: agreed{}, Now: func() time.Time { return *now }}
}

// agreed is a bank whose borrowers agreed to everything but shy, who agreed to nothing,
// and late, who agreed only to what comes after the loan.
type agreed struct{}

func (agreed) Standing(_ context.Context, _, userID, purpose string) ([]credit.Consent, error) {
	if userID == "shy" || userID == "late" && purpose != "post_loan" {
		return nil, nil
	}
	return []credit.Consent{{ID: purpose + "/bureau", Purpose: purpose, Part: "bureau"}, {ID: purpose + "/bank", Purpose: purpose, Part: "bank"}}, nil
}

// Nothing is kept of who did not agree, and what is kept names the consent.
func TestHistoriesNeedConsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(db, &now)
		var told []string
		b.Changed = func(_ context.Context, _ string, ids []string) { told = append(told, ids...) }
		if _, err := b.AddBureau(ctx, tenant, "officer", "shy", credit.Bureau{At: start}); !errors.Is(err, profile.ErrConsent) {
			t.Errorf("kept of who did not agree: %v", err)
		}
		find := func(_ context.Context, _, name string) (string, bool, error) { return name, true, nil }
		up := func(dry bool, text string) profile.UploadReport {
			r, err := b.Import(ctx, tenant, profile.Upload{Kind: profile.Bank, File: "a.csv", Body: []byte("borrower,month,in,out\n" + text), By: "officer", DryRun: dry}, find)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := up(false, "wang,2026-05,1,2\nshy,2026-05,1,2\n"); r.Saved != 0 || len(r.Remarks) != 1 || r.Remarks[0].Cell != "A3" {
			t.Errorf("a table with who did not agree: %+v", r)
		}
		if r := up(true, "wang,2026-05,1,2\nlate,2026-05,1,2\n"); r.Saved != 0 || r.Borrowers != 2 || len(r.Remarks) != 0 || !r.DryRun || told != nil {
			t.Errorf("a dry run: %+v, told %v", r, told)
		}
		for _, who := range []string{"wang", "late", "shy"} {
			if all, err := b.Histories(ctx, tenant, who); err != nil || len(all) != 0 {
				t.Errorf("kept of %s: %+v, %v", who, all, err)
			}
		}
		if r := up(false, "wang,2026-05,1,2\nlate,2026-05,1,2\n"); r.Saved != 2 || len(told) != 2 {
			t.Errorf("%+v, told %v", r, told)
		}
		if r := up(false, "wang,2026-05,1,2\n"); r.Saved != 0 || len(told) != 2 {
			t.Errorf("the same again: %+v, told %v", r, told)
		}
		for who, purpose := range map[string]string{"wang": "credit_decision", "late": "post_loan"} {
			if h, err := b.Newest(ctx, tenant, who, profile.Bank); err != nil || h.Purpose != purpose || h.ConsentID != purpose+"/bank" {
				t.Errorf("of %s: %+v, %v", who, h, err)
			}
		}
	})
}

func TestBorrower(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(db, &now)
		if _, err := b.Borrower(ctx, tenant, "wang"); !errors.Is(err, profile.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		want, err := b.Set(ctx, tenant, "officer", profile.Borrower{UserID: "wang", Kind: "person", BirthYear: 1980, Region: "510105", Industry: "A0111", Household: " h1 "})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Borrower(ctx, tenant, "wang"); err != nil || got != want || got.Household != "h1" || got.UpdatedBy != "officer" {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := b.Borrower(ctx, "other", "wang"); !errors.Is(err, profile.ErrNotFound) {
			t.Errorf("of another bank: %v", err)
		}
		for name, change := range map[string]func(*profile.Borrower){
			"kind":       func(p *profile.Borrower) { p.Kind = "cow" },
			"child":      func(p *profile.Borrower) { p.BirthYear = 2020 },
			"old firm":   func(p *profile.Borrower) { p.Kind = "firm" },
			"region":     func(p *profile.Borrower) { p.Region = "51" },
			"industry":   func(p *profile.Borrower) { p.Industry = "farming" },
			"long group": func(p *profile.Borrower) { p.Group = strings.Repeat("家", 65) },
		} {
			p := want
			change(&p)
			if _, err := b.Set(ctx, tenant, "officer", p); !errors.Is(err, profile.ErrField) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestNewestHistoryWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(db, &now)
		add := func(at time.Time, balance money.Fen) profile.History {
			t.Helper()
			h, err := b.AddBureau(ctx, tenant, "officer", "wang", credit.Bureau{At: at, Balance: balance})
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
			return h
		}
		first := add(start.AddDate(0, -1, 0), 100)
		add(start.AddDate(0, -6, 0), 200) // an older report that came later
		if h, err := b.Newest(ctx, tenant, "wang", profile.Bureau); err != nil || h.ID != first.ID || h.Bureau.Balance != 100 {
			t.Errorf("newest %+v, %v", h, err)
		}
		if again := add(start.AddDate(0, -1, 0), 100); again.ID != first.ID {
			t.Error("the same report was saved twice")
		}
		corrected := add(start.AddDate(0, -1, 0), 300) // of the same day: the later word
		if h, err := b.Newest(ctx, tenant, "wang", profile.Bureau); err != nil || h.ID != corrected.ID {
			t.Errorf("corrected %+v, %v", h, err)
		}
		if all, err := b.Histories(ctx, tenant, "wang"); err != nil || len(all) != 3 {
			t.Errorf("%d in the history, %v", len(all), err)
		}
		if _, err := b.Newest(ctx, tenant, "wang", profile.Bank); !errors.Is(err, profile.ErrAbsent) {
			t.Errorf("no bank history: %v", err)
		}
		for name, r := range map[string]credit.Bureau{
			"future":   {At: start.AddDate(0, 0, 5)},
			"no day":   {},
			"negative": {At: start, Balance: -1},
			"months":   {At: start, OverdueMonths: 25},
		} {
			if _, err := b.AddBureau(ctx, tenant, "officer", "wang", r); !errors.Is(err, profile.ErrField) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestImport(t *testing.T) {
	t.Parallel()
	find := func(_ context.Context, _, name string) (string, bool, error) {
		id, ok := map[string]string{"wang": "u1", "u1": "u1", "li.na": "u2"}[name]
		return id, ok, nil
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(db, &now)
		load := func(text string) profile.UploadReport {
			t.Helper()
			r, err := b.Import(ctx, tenant, profile.Upload{Kind: profile.Bank, File: "accounts.csv", Body: []byte("borrower,month,in,out\n" + text), By: "officer"}, find)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := load("wang,2026-05,1,1\nnobody,2026-05,1,1\n"); len(r.Remarks) != 1 || r.Remarks[0].Cell != "A3" || r.Saved != 0 {
			t.Errorf("an unknown borrower: %+v", r)
		}
		if r := load("wang,2026-05,1,1\nu1,2026-04,1,1\n"); len(r.Remarks) != 1 || r.Remarks[0].Cell != "A3" {
			t.Errorf("one borrower under two names: %+v", r)
		}
		if r := load("wang,2027-05,1,1\n"); len(r.Remarks) != 1 {
			t.Errorf("a month to come: %+v", r)
		}
		if _, err := b.Newest(ctx, tenant, "u1", profile.Bank); !errors.Is(err, profile.ErrAbsent) {
			t.Errorf("a table with remarks left something: %v", err)
		}
		good := "wang,2026-05,2,1\nwang,2026-03,1,1\nli.na,2026-05,5,4\n"
		if r := load(good); len(r.Remarks) != 0 || r.Saved != 2 || r.Borrowers != 2 || r.Rows != 3 {
			t.Errorf("good: %+v", r)
		}
		if r := load(good); r.Saved != 0 {
			t.Errorf("the same again: %+v", r)
		}
		h, err := b.Newest(ctx, tenant, "u1", profile.Bank)
		if err != nil || h.File != "accounts.csv" || len(h.FileHash) != 64 || len(h.Bank.Months) != 2 || h.Bank.Months[0].Month != "2026-03" || h.Bank.Months[1].In != 200 {
			t.Errorf("got %+v, %v", h, err)
		}
	})
}

// Uploads are listed by borrower, page by page, each kind once.
func TestUploads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(db, &now)
		for i, who := range []string{"b", "a", "c", "a"} {
			if _, err := b.AddBureau(ctx, tenant, "officer", who, credit.Bureau{At: start.AddDate(0, -i, 0), Lenders: i}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.AddBank(ctx, tenant, "officer", "a", credit.Bank{At: start, Months: []credit.BankMonth{{Month: "2026-05"}}}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for after := ""; ; {
			page, err := b.Uploads(ctx, tenant, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, k := range page[0].Kinds {
				got = append(got, fmt.Sprint(page[0].UserID, k.Kind, k.Count, k.Newest.Format("0102"), k.SavedAt.Equal(start)))
			}
			after = page[0].UserID
		}
		if want := "[abank10720true abureau20620true bbureau10720true cbureau10520true]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

// world is what the sums should be, the slow way.
type world struct {
	t    *testing.T
	db   *store.DB
	book *profile.Book
	apps map[string]*app
	who  map[string]profile.Borrower
}

type app struct {
	user, product, state, anchor string
	limit, lent                  int64
	revolving                    bool
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), query, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) save(id string, a app) {
	w.t.Helper()
	if w.apps[id] == nil {
		w.exec(`insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked, term_months,
			purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
			values ($1, $2, $3, '', 'plot', '', '', $4, 0, 6, '', 'submitted', '', '', 0, 0, $1, '', 0, 0)`, id, tenant, a.user, a.product)
		w.exec(`insert into loans (id, tenant, application_id, user_id, subject_id, state, outstanding, overdue_amount, worst_overdue, day_end,
			updated_at, version, body) values ($1, $2, $1, $3, '', 'active', 0, 0, 0, '', 0, 1, '{}')`, id, tenant, a.user)
	}
	err := w.db.Tx(context.Background(), func(tx *store.Tx) error {
		ctx := context.Background()
		if _, err := tx.Exec(ctx, `update applications set state = $2, credit_limit = $3 where id = $1`, id, a.state, a.limit); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update loans set outstanding = $2 where id = $1`, id, a.lent); err != nil {
			return err
		}
		return profilestore.Follow(ctx, tx, tenant, id, &profile.Seen{AnchorID: a.anchor, Revolving: a.revolving})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.apps[id] = &a
}

func (a app) amounts() (out, granted money.Fen) {
	limit, lent := money.Fen(a.limit), money.Fen(a.lent)
	switch {
	case a.state != "offered" && a.state != "signed" && a.state != "active":
		return 0, 0
	case a.revolving:
		return lent, max(limit, lent)
	case a.state == "active":
		return lent, lent
	}
	return limit, limit
}

// want sums over every application.
func (w *world) want(x profile.Around) credit.Exposures {
	out := credit.Exposures{AnchorID: x.AnchorID}
	for id, a := range w.apps {
		if id == x.Except {
			continue
		}
		who := w.who[a.user]
		n, whole := a.amounts()
		out.Total += n
		out.Granted.Total += whole
		add := func(to, granted *money.Fen, asked, of string) {
			if asked != "" && asked == of {
				*to += n
				*granted += whole
			}
		}
		if x.Household == "" {
			add(&out.Household, &out.Granted.Household, x.UserID, a.user)
		}
		add(&out.Household, &out.Granted.Household, x.Household, who.Household)
		add(&out.Group, &out.Granted.Group, x.Group, who.Group)
		add(&out.Anchor, &out.Granted.Anchor, x.AnchorID, a.anchor)
		add(&out.Product, &out.Granted.Product, x.Product, a.product)
		add(&out.Region, &out.Granted.Region, x.Region, who.Region)
	}
	return out
}

// Whatever happens to loans and people, the kept sums are those of all applications.
func TestExposureIsTheSum(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		w := &world{t, db, open(db, &now), map[string]*app{}, map[string]profile.Borrower{}}
		r := rand.New(rand.NewPCG(42, 1)) //nolint:gosec // a test that repeats
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		users := []string{"u0", "u1", "u2", "u3"}
		for i := range 150 {
			if i%6 == 5 {
				u := pick(users...)
				p, err := w.book.Set(ctx, tenant, "officer", profile.Borrower{
					UserID: u, Kind: "person", Region: pick("", "510105", "510106"), Household: pick("", "h1", "h2"), Group: pick("", "g1"),
				})
				if err != nil {
					t.Fatal(err)
				}
				w.who[u] = p
			} else {
				id := fmt.Sprintf("a%d", r.IntN(12))
				a := app{user: pick(users...), product: pick("crop", "herd"), anchor: pick("f1", "f2"), revolving: r.IntN(2) == 0}
				if was := w.apps[id]; was != nil {
					a = *was
				}
				a.state = pick("submitted", "offered", "signed", "active", "closed", "withdrawn", "refused", "referred")
				a.limit, a.lent = r.Int64N(1000), r.Int64N(500)
				if a.state == "closed" {
					a.lent = 0
				}
				w.save(id, a)
			}
			u := pick(users...)
			around := profile.Around{UserID: u, Household: w.who[u].Household, Group: pick("", "g1"), AnchorID: pick("", "f1", "f2"),
				Product: pick("crop", "herd"), Region: pick("", "510105"), Except: pick("", "a0", "a1", "a2", "none")}
			got, err := w.book.Exposure(ctx, tenant, around)
			if err != nil {
				t.Fatal(err)
			}
			if want := w.want(around); got != want {
				t.Fatalf("step %d, %+v:\ngot  %+v\nwant %+v", i, around, got, want)
			}
		}
		if got, err := w.book.Exposure(ctx, "other", profile.Around{UserID: "u1", Product: "crop"}); err != nil || got != (credit.Exposures{}) {
			t.Errorf("another bank: %+v, %v", got, err)
		}
	})
}

// Many loans of one product at once add up.
func TestExposureAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := start
		w := &world{t, db, open(db, &now), map[string]*app{}, map[string]profile.Borrower{}}
		var ids []string
		for i := range 12 {
			id := fmt.Sprintf("a%d", i)
			ids = append(ids, id)
			w.save(id, app{user: "u", product: "crop", state: "submitted"})
		}
		var wg sync.WaitGroup
		for _, id := range slices.Clone(ids) {
			wg.Go(func() {
				err := db.Tx(context.Background(), func(tx *store.Tx) error {
					if _, err := tx.Exec(context.Background(), `update applications set state = 'offered', credit_limit = 10 where id = $1`, id); err != nil {
						return err
					}
					return profilestore.Follow(context.Background(), tx, tenant, id, nil)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := w.book.Exposure(context.Background(), tenant, profile.Around{UserID: "u", Product: "crop"})
		if err != nil || got.Product != 120 || got.Total != 120 || got.Household != 120 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
