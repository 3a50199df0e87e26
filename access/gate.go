package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// Limits of signing in.
const (
	// MinPassword is the fewest characters of a password.
	MinPassword = 8
	// MaxWrong is how many wrong passwords a login may get before it is locked.
	MaxWrong = 10
	// LockFor is how long a login stays locked after the last wrong password, and how
	// long a wrong password is remembered.
	LockFor = 15 * time.Minute
	// SessionFor is how long a session lasts.
	SessionFor = 12 * time.Hour
)

// What can be wrong with a new person.
var (
	ErrLogin    = fault.New(fault.Invalid, "user.login", "a login has 3 to 64 characters: letters, digits, dots, dashes, underscores or @")
	ErrName     = fault.New(fault.Invalid, "user.name", "give the person a name")
	ErrBadRole  = fault.New(fault.Invalid, "user.role", "there is no role {role}")
	ErrFirmless = fault.New(fault.Invalid, "user.firm", "name the firm that an anchor speaks for")
)

// Gate lets people in, tells who holds a session, and writes the audit trail.
type Gate struct {
	store  Store
	now    func() time.Time
	cost   Cost
	decoy  string        // a hash that no password fits, for logins that do not exist
	places chan struct{} // bounds the memory of concurrent hashing
}

// NewGate makes a gate. Cost is of hashing; the zero value means DefaultCost.
func NewGate(store Store, now func() time.Time, cost Cost) *Gate {
	if cost == (Cost{}) {
		cost = DefaultCost
	}
	return &Gate{store: store, now: now, cost: cost, decoy: cost.hash(token()), places: make(chan struct{}, 4)}
}

// NewUser is a person to register.
type NewUser struct {
	ID       string // made when empty
	Login    string
	Password string
	Name     string
	Role     Role
	FirmID   string
}

var loginForm = regexp.MustCompile(`^[\p{L}\p{N}._@-]{3,64}$`)

// Roles returns every role.
func Roles() []Role { return []Role{Officer, Borrower, Anchor, Partner, Auditor, Operator} }

// AddUser registers a person in the tenant of who. It returns ErrLogin, ErrName,
// ErrBadRole, ErrFirmless, ErrWeak or ErrLoginTaken.
func (g *Gate) AddUser(ctx context.Context, who Actor, n NewUser) (User, error) {
	n.Login, n.Name = strings.ToLower(strings.TrimSpace(n.Login)), strings.TrimSpace(n.Name)
	switch {
	case !loginForm.MatchString(n.Login):
		return User{}, ErrLogin.At("body.login")
	case n.Name == "":
		return User{}, ErrName.At("body.name")
	case !slices.Contains(Roles(), n.Role):
		return User{}, ErrBadRole.With("role", n.Role).At("body.role")
	case n.Role == Anchor && n.FirmID == "":
		return User{}, ErrFirmless.At("body.firm_id")
	case utf8.RuneCountInString(n.Password) < MinPassword:
		return User{}, ErrWeak.With("min", MinPassword).At("body.password")
	}
	if n.ID == "" {
		n.ID = ident.New()
	}
	hash, err := g.hash(ctx, n.Password)
	if err != nil {
		return User{}, err
	}
	u := User{
		ID: n.ID, Tenant: who.Tenant, Login: n.Login, Name: n.Name, Role: n.Role,
		FirmID: n.FirmID, Hash: hash, CreatedAt: g.now().UTC(),
	}
	if err := g.store.AddUser(ctx, u); err != nil {
		return User{}, err
	}
	return u, nil
}

// Users lists the people of a tenant.
func (g *Gate) Users(ctx context.Context, tenant string) ([]User, error) {
	return g.store.Users(ctx, tenant)
}

// User finds a person; one of another tenant is ErrUserNotFound.
func (g *Gate) User(ctx context.Context, tenant, id string) (User, error) {
	u, err := g.store.User(ctx, id)
	if err == nil && u.Tenant != tenant {
		return User{}, ErrUserNotFound
	}
	return u, err
}

// Find finds a person of a tenant by id or login; ErrUserNotFound.
func (g *Gate) Find(ctx context.Context, tenant, name string) (User, error) {
	u, err := g.store.User(ctx, name)
	if errors.Is(err, ErrUserNotFound) {
		u, err = g.store.UserByLogin(ctx, strings.ToLower(strings.TrimSpace(name)))
	}
	if err == nil && u.Tenant != tenant {
		return User{}, ErrUserNotFound
	}
	return u, err
}

// SignIn opens a session and returns its token, which is stored nowhere. It returns
// ErrCredentials, and ErrLocked after MaxWrong wrong passwords: both for logins that
// exist and for those that do not, after the same work.
func (g *Gate) SignIn(ctx context.Context, login, password string) (string, User, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	now := g.now().UTC()
	n, last, err := g.store.Attempts(ctx, login, now.Add(-LockFor))
	if err != nil {
		return "", User{}, err
	}
	if n >= MaxWrong {
		minutes := math.Ceil(last.Add(LockFor).Sub(now).Minutes())
		return "", User{}, ErrLocked.With("minutes", max(1, int(minutes)))
	}
	// Counted before the slow part, so that guessing in parallel gains nothing.
	if err := g.store.Attempt(ctx, login, now); err != nil {
		return "", User{}, err
	}
	u, err := g.store.UserByLogin(ctx, login)
	known := err == nil
	if err != nil && !errors.Is(err, ErrUserNotFound) {
		return "", User{}, err
	}
	if !known {
		u.Hash = g.decoy
	}
	fits, err := g.verify(ctx, u.Hash, password)
	switch {
	case err != nil:
		return "", User{}, err
	case !known:
		return "", User{}, ErrCredentials
	case !fits:
		if err := g.Record(ctx, u.Actor(), SignInAction, u.ID, "denied"); err != nil {
			return "", User{}, err
		}
		return "", User{}, ErrCredentials
	}
	if err := g.store.ClearAttempts(ctx, login); err != nil {
		return "", User{}, err
	}
	t := token()
	err = g.store.AddSession(ctx, Session{
		TokenHash: tokenHash(t), UserID: u.ID, Tenant: u.Tenant, CreatedAt: now, ExpiresAt: now.Add(SessionFor),
	})
	if err != nil {
		return "", User{}, err
	}
	return t, u, g.Record(ctx, u.Actor(), SignInAction, u.ID, "done")
}

// SignInAction is the action of the audit trail for signing in.
const SignInAction = "session-create"

// Actor is u as one who asks.
func (u User) Actor() Actor {
	return Actor{UserID: u.ID, Name: u.Name, Tenant: u.Tenant, Role: u.Role, FirmID: u.FirmID}
}

// Who returns the holder of a token, or ErrNoSession. Role and firm are those of
// now, not of the time of signing in.
func (g *Gate) Who(ctx context.Context, token string) (Actor, error) {
	s, u, err := g.store.Session(ctx, tokenHash(token))
	if err != nil {
		return Actor{}, err
	}
	if !g.now().Before(s.ExpiresAt) {
		return Actor{}, ErrNoSession
	}
	return u.Actor(), nil
}

// SignOut ends the session of a token.
func (g *Gate) SignOut(ctx context.Context, token string) error {
	return g.store.DropSession(ctx, tokenHash(token))
}

// token returns 256 random bits as text.
func token() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand never returns an error
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// tokenHash is what is stored of a token. SHA-256 is enough: a token is random.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
