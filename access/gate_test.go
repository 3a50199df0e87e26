package access_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
)

// quick keeps the tests fast; DefaultCost takes some 20 ms a password.
var quick = access.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func house(t *testing.T) (*access.Gate, *memory, *clock) {
	t.Helper()
	m, c := newMemory(), &clock{t: time.Date(2026, 5, 31, 8, 0, 0, 0, time.UTC)}
	g := access.NewGate(m, c.now, quick)
	_, err := g.AddUser(t.Context(), access.Actor{Tenant: "bank"}, access.NewUser{
		Login: "Wang", Password: "harvest-2026", Name: "王秀英", Role: access.Borrower,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, m, c
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	g, m, c := house(t)
	token, u, err := g.SignIn(t.Context(), " wang ", "harvest-2026")
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "王秀英" || !strings.HasPrefix(u.Hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("got %+v", u)
	}
	if len(token) != 43 { // 256 bits in base64
		t.Errorf("token %q", token)
	}
	for hash := range m.sessions {
		if strings.Contains(hash, token) || len(hash) != 64 {
			t.Errorf("stored %q for token %q", hash, token)
		}
	}
	who, err := g.Who(t.Context(), token)
	if err != nil || who.UserID != u.ID || who.Tenant != "bank" || who.Role != access.Borrower {
		t.Errorf("got %+v, %v", who, err)
	}
	if _, err := g.Who(t.Context(), token+"x"); !errors.Is(err, access.ErrNoSession) {
		t.Errorf("a made-up token: %v", err)
	}
	c.add(access.SessionFor)
	if _, err := g.Who(t.Context(), token); !errors.Is(err, access.ErrNoSession) {
		t.Errorf("an old token: %v", err)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	g, _, _ := house(t)
	token, _, err := g.SignIn(t.Context(), "wang", "harvest-2026")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Who(t.Context(), token); !errors.Is(err, access.ErrNoSession) {
		t.Errorf("got %v", err)
	}
}

// Twenty wrong passwords end locked, and nothing tells whether the login exists.
func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	g, _, c := house(t)
	answers := map[string][]string{}
	for _, login := range []string{"wang", "nobody"} {
		for range 20 {
			_, _, err := g.SignIn(t.Context(), login, "wrong")
			answers[login] = append(answers[login], err.Error())
		}
		_, _, err := g.SignIn(t.Context(), login, "harvest-2026")
		if !errors.Is(err, access.ErrLocked) || !errors.Is(err, fault.TooMany) {
			t.Errorf("%s, right password while locked: %v", login, err)
		}
	}
	if a, b := strings.Join(answers["wang"], "\n"), strings.Join(answers["nobody"], "\n"); a != b {
		t.Errorf("a login that exists answers otherwise:\n%s\n--\n%s", a, b)
	}
	if got := answers["wang"][9]; got != access.ErrCredentials.Error() {
		t.Errorf("answer 10: %s", got)
	}
	if got := answers["wang"][19]; got != "too many wrong passwords; try again in 15 minutes" {
		t.Errorf("answer 20: %s", got)
	}
	c.add(10*time.Minute + time.Second)
	if _, _, err := g.SignIn(t.Context(), "wang", "x"); err == nil || err.Error() != "too many wrong passwords; try again in 5 minutes" {
		t.Errorf("after 10 minutes: %v", err)
	}
	c.add(5 * time.Minute)
	if _, _, err := g.SignIn(t.Context(), "wang", "harvest-2026"); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestRightPasswordForgivesWrongOnes(t *testing.T) {
	t.Parallel()
	g, _, _ := house(t)
	for range 3 {
		for range access.MaxWrong - 1 {
			if _, _, err := g.SignIn(t.Context(), "wang", "wrong"); !errors.Is(err, access.ErrCredentials) {
				t.Fatal(err)
			}
		}
		if _, _, err := g.SignIn(t.Context(), "wang", "harvest-2026"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAddUserRefuses(t *testing.T) {
	t.Parallel()
	good := access.NewUser{Login: "li.na", Password: "12345678", Name: "李娜", Role: access.Officer}
	for _, tt := range []struct {
		name  string
		spoil func(*access.NewUser)
		want  error
	}{
		{"short login", func(n *access.NewUser) { n.Login = "li" }, access.ErrLogin},
		{"login with blank", func(n *access.NewUser) { n.Login = "li na" }, access.ErrLogin},
		{"no name", func(n *access.NewUser) { n.Name = " " }, access.ErrName},
		{"no such role", func(n *access.NewUser) { n.Role = "king" }, access.ErrBadRole},
		{"anchor without firm", func(n *access.NewUser) { n.Role = access.Anchor }, access.ErrFirmless},
		{"short password", func(n *access.NewUser) { n.Password = "七个字符的密码" }, access.ErrWeak},
		{"taken", func(n *access.NewUser) { n.Login = "WANG" }, access.ErrLoginTaken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, m, _ := house(t)
			n := good
			tt.spoil(&n)
			if _, err := g.AddUser(t.Context(), access.Actor{Tenant: "bank"}, n); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if len(m.users) != 1 {
				t.Errorf("%d people", len(m.users))
			}
		})
	}
}

func TestTenantsDoNotMeet(t *testing.T) {
	t.Parallel()
	g, m, _ := house(t)
	if _, err := g.User(t.Context(), "other", m.users[0].ID); !errors.Is(err, access.ErrUserNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestTrailTellsOfSignIns(t *testing.T) {
	t.Parallel()
	g, m, _ := house(t)
	_, _, _ = g.SignIn(t.Context(), "wang", "wrong")
	if _, _, err := g.SignIn(t.Context(), "wang", "harvest-2026"); err != nil {
		t.Fatal(err)
	}
	if err := g.Record(t.Context(), access.Actor{UserID: "u", Tenant: "bank"}, "officer-approve", "a1", "done"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range m.entries {
		got = append(got, e.Action+" "+e.Result)
	}
	if want := "session-create denied,session-create done,officer-approve done"; strings.Join(got, ",") != want {
		t.Errorf("got %v", got)
	}
	if n, err := access.Verify(t.Context(), m, "bank"); n != 3 || err != nil {
		t.Errorf("verified %d: %v", n, err)
	}
	for name, forge := range map[string]func(){
		"changed": func() { m.entries[1].Result = "denied" },
		"removed": func() { m.entries = append(m.entries[:1:1], m.entries[2:]...) },
		"re-hashed": func() {
			e := m.entries[1]
			e.Actor = "someone else"
			m.entries[1] = e.Chained(m.entries[0])
		},
	} {
		saved := append([]access.Entry(nil), m.entries...)
		forge()
		if _, err := access.Verify(t.Context(), m, "bank"); err == nil {
			t.Errorf("an entry %s, and nobody sees it", name)
		}
		m.entries = saved
	}
}

// The hash written into a golden vector must stay readable for ever: people keep
// their passwords over releases.
func TestOldHashOpens(t *testing.T) {
	t.Parallel()
	g, m, _ := house(t)
	m.users[0].Hash = goldenHash
	if _, _, err := g.SignIn(t.Context(), "wang", "correct horse"); err != nil {
		t.Error(err)
	}
	for name, hash := range map[string]string{
		"empty":        "",
		"other method": strings.Replace(goldenHash, "argon2id", "argon2i", 1),
		"greedy":       strings.Replace(goldenHash, "m=64", "m=4194304", 1),
		"cut":          goldenHash[:40],
	} {
		m.users[0].Hash = hash
		if _, _, err := g.SignIn(t.Context(), "wang", "correct horse"); err == nil || fault.Kind(err) != nil {
			t.Errorf("%s hash: got %v, want an internal error", name, err)
		}
	}
}

// goldenHash is of "correct horse".
const goldenHash = `$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBieXRlcy4uLg$fYCTyptq/GxW1lTX1p0PBoZOlHKCZe1qxMbHoT3ySgA`
