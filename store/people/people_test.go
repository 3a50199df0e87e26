package people_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/people"
	"github.com/furrowcredit/furrow/store/storetest"
)

var noon = time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)

func person(id, tenant, login string) access.User {
	return access.User{ID: id, Tenant: tenant, Login: login, Name: "王秀英", Role: access.Borrower, Hash: "h", CreatedAt: noon}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := people.New(db), t.Context()
		want := person("u1", "bank", "wang")
		if err := s.AddUser(ctx, want); err != nil {
			t.Fatal(err)
		}
		if err := s.AddUser(ctx, person("u2", "other", "wang")); !errors.Is(err, access.ErrLoginTaken) {
			t.Errorf("second login: got %v", err)
		}
		if err := s.AddUser(ctx, person("u0", "bank", "li")); err != nil {
			t.Fatal(err)
		}
		if err := s.AddUser(ctx, person("u3", "other", "zhao")); err != nil {
			t.Fatal(err)
		}
		for name, get := range map[string]func() (access.User, error){
			"by login": func() (access.User, error) { return s.UserByLogin(ctx, "wang") },
			"by id":    func() (access.User, error) { return s.User(ctx, "u1") },
		} {
			got, err := get()
			if err != nil || got != want {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
		if _, err := s.UserByLogin(ctx, "nobody"); !errors.Is(err, access.ErrUserNotFound) {
			t.Errorf("absent login: got %v", err)
		}
		got, err := s.Users(ctx, "bank")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]access.User{person("u0", "bank", "li"), want}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := people.New(db), t.Context()
		if err := s.AddUser(ctx, person("u1", "bank", "wang")); err != nil {
			t.Fatal(err)
		}
		old := access.Session{TokenHash: "old", UserID: "u1", Tenant: "bank", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
		want := access.Session{TokenHash: "new", UserID: "u1", Tenant: "bank", CreatedAt: noon.Add(time.Hour), ExpiresAt: noon.Add(2 * time.Hour)}
		for _, a := range []access.Session{old, want} {
			if err := s.AddSession(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if got, who, err := s.Session(ctx, "new"); err != nil || got != want || who != person("u1", "bank", "wang") {
			t.Errorf("got %v of %v, %v", got, who, err)
		}
		if _, _, err := s.Session(ctx, "old"); !errors.Is(err, access.ErrNoSession) {
			t.Errorf("an ended session is kept: %v", err)
		}
		if err := s.DropSession(ctx, "new"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Session(ctx, "new"); !errors.Is(err, access.ErrNoSession) {
			t.Errorf("a dropped session is kept: %v", err)
		}
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := people.New(db), t.Context()
		for i := range 3 {
			if err := s.Attempt(ctx, "wang", noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		n, last, err := s.Attempts(ctx, "wang", noon)
		if n != 2 || !last.Equal(noon.Add(2*time.Minute)) || err != nil {
			t.Errorf("got %d, %v, %v; want the 2 after noon", n, last, err)
		}
		if n, _, err := s.Attempts(ctx, "li", noon); n != 0 || err != nil {
			t.Errorf("another login: got %d, %v", n, err)
		}
		if err := s.ClearAttempts(ctx, "wang"); err != nil {
			t.Fatal(err)
		}
		if n, _, err := s.Attempts(ctx, "wang", noon); n != 0 || err != nil {
			t.Errorf("cleared: got %d, %v", n, err)
		}
	})
}

func TestTrail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := people.New(db), t.Context()
		const writers, each = 4, 10
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					e := access.Entry{Tenant: "bank", Actor: fmt.Sprint("u", w), Action: "officer-approve", Object: fmt.Sprint(i), Result: "done", At: noon.Add(time.Millisecond + 7)}
					if _, err := s.Append(context.WithoutCancel(ctx), e); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if _, err := s.Append(ctx, access.Entry{Tenant: "other", Action: "x", At: noon}); err != nil {
			t.Fatal(err)
		}
		n, err := access.Verify(ctx, s, "bank")
		if n != writers*each || err != nil {
			t.Fatalf("verified %d entries: %v", n, err)
		}
		page, err := s.Entries(ctx, "bank", 5, 3)
		if err != nil || len(page) != 3 || page[0].Seq != 6 {
			t.Errorf("page after 5: %v, %v", page, err)
		}
		if _, err := db.Exec(ctx, `update audit set object = 'forged' where tenant = 'bank' and seq = 7`); err != nil {
			t.Fatal(err)
		}
		if n, err := access.Verify(ctx, s, "bank"); err == nil || n != 6 {
			t.Errorf("a changed entry went unseen: %d, %v", n, err)
		}
	})
}
