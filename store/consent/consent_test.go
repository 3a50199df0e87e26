package consent_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/store"
	consentstore "github.com/furrowcredit/furrow/store/consent"
	"github.com/furrowcredit/furrow/store/storetest"
)

var (
	start = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)
	phone = consent.How{Channel: "phone", Device: "test phone", By: "wang"}
	paper = consent.How{Channel: "api", Device: "partner/1", By: "partner"}
)

func open(t *testing.T, db *store.DB, now *time.Time) *consent.Book {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w, err := consent.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return &consent.Book{Store: consentstore.New(db), Wordings: w, Now: func() time.Time { return *now }}
}

func standing(t *testing.T, b *consent.Book, user string) string {
	t.Helper()
	all, err := b.Standing(context.Background(), "bank", user, consent.CreditDecision)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, c := range all {
		out += c.Part + " "
	}
	return out
}

func TestGivenAndTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		b := open(t, db, &now)
		give := func(lang string, how consent.How, parts ...string) {
			t.Helper()
			if err := b.Give(ctx, "bank", "wang", b.Wordings.Answers(lang, parts...), how); err != nil {
				t.Fatal(err)
			}
		}
		give("zh-CN", phone, "decision", "crop", "bank")
		give("zh-CN", phone, "decision", "crop", "bank") // again: nothing new
		if got := standing(t, b, "wang"); got != "bank crop decision " {
			t.Errorf("stand: %q", got)
		}
		now = now.Add(time.Hour)
		if err := b.Withdraw(ctx, "bank", "wang", consent.CreditDecision, "bank", phone); err != nil {
			t.Fatal(err)
		}
		if err := b.Withdraw(ctx, "bank", "wang", consent.CreditDecision, "bank", phone); !errors.Is(err, consent.ErrNone) {
			t.Errorf("taken back twice: %v", err)
		}
		if got := standing(t, b, "wang"); got != "crop decision " {
			t.Errorf("after taking back: %q", got)
		}
		// A paper of before, brought late, does not undo that; a new word does.
		late := b.Wordings.Answers("zh-CN", "bank")
		at := start.Add(30 * time.Minute)
		late[0].Proof, late[0].At = "contract 7", &at
		if err := b.Give(ctx, "bank", "wang", late, paper); err != nil {
			t.Fatal(err)
		}
		if got := standing(t, b, "wang"); got != "crop decision " {
			t.Errorf("an old paper brought back: %q", got)
		}
		now = now.Add(time.Hour)
		give("en", phone, "bank")
		if got := standing(t, b, "wang"); got != "bank crop decision " {
			t.Errorf("agreed again: %q", got)
		}
		history, err := b.History(ctx, "bank", "wang")
		if err != nil || len(history) != 5 {
			t.Fatalf("%d acts, %v", len(history), err)
		}
		if last := history[4]; last.Kind != consent.Given || last.Device != "test phone" || last.Channel != "phone" || last.Version != "1" || !last.At.Equal(now) {
			t.Errorf("got %+v", last)
		}
		if got := standing(t, b, "li"); got != "" {
			t.Errorf("another person agreed to %q", got)
		}
		if all, err := b.Standing(ctx, "other bank", "wang", consent.CreditDecision); err != nil || len(all) != 0 {
			t.Errorf("another bank reads %v, %v", all, err)
		}
		if all, err := b.Standing(ctx, "bank", "wang", "post_loan"); err != nil || len(all) != 0 {
			t.Errorf("another purpose: %v, %v", all, err)
		}
	})
}

func TestGiveRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := start
		b := open(t, db, &now)
		soon, old, good := start.Add(time.Hour), start.AddDate(0, 0, -31), start.Add(-time.Hour)
		answer := func(change func(*consent.Agreement)) []consent.Agreement {
			a := b.Wordings.Answers("en", "decision", "crop")
			for i := range a {
				a[i].Proof, a[i].At = "contract 7", &good
			}
			change(&a[1])
			return a
		}
		for name, c := range map[string]struct {
			change func(*consent.Agreement)
			how    consent.How
			want   error
		}{
			"other words":   {func(a *consent.Agreement) { a.Text = strings.Repeat("0", 64) }, phone, consent.ErrText},
			"unknown part":  {func(a *consent.Agreement) { a.Part = "diary" }, phone, consent.ErrUnknown},
			"no proof":      {func(a *consent.Agreement) { a.Proof = "" }, paper, consent.ErrProof},
			"no time":       {func(a *consent.Agreement) { a.At = nil }, paper, consent.ErrProof},
			"in the future": {func(a *consent.Agreement) { a.At = &soon }, paper, consent.ErrTime},
			"too old":       {func(a *consent.Agreement) { a.At = &old }, paper, consent.ErrTime},
		} {
			err := b.Give(context.Background(), "bank", "wang", answer(c.change), c.how)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if got := standing(t, b, "wang"); got != "" {
				t.Errorf("%s: half of it stands: %q", name, got)
			}
		}
	})
}

// Two phones at once: both are heard, in some order, and no line is lost.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := start
		b := open(t, db, &now)
		var wg sync.WaitGroup
		for _, part := range []string{"decision", "crop", "herd", "standing", "bureau", "bank"} {
			wg.Go(func() {
				if err := b.Give(context.Background(), "bank", "wang", b.Wordings.Answers("en", part), phone); err != nil {
					t.Errorf("%s: %v", part, err)
				}
			})
		}
		wg.Wait()
		if got := standing(t, b, "wang"); got != "bank bureau crop decision herd standing " {
			t.Errorf("stand: %q", got)
		}
	})
}
