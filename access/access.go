// Package access says who may do what and who did: people, roles, tenants,
// sessions and the audit trail.
package access

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// Role of a person in a tenant.
type Role string

// Roles.
const (
	Officer  Role = "officer"  // loan officer of the bank
	Borrower Role = "borrower" // farmer, herder or owner of a small firm
	Anchor   Role = "anchor"   // anchor enterprise
	Partner  Role = "partner"  // another system, over the API
	Auditor  Role = "auditor"  // reads everything, changes nothing
	Operator Role = "operator" // runs the house: people, herds, devices, imports
)

// What can be wrong with signing in.
var (
	ErrCredentials  = fault.New(fault.Unauthorized, "session.credentials", "login or password is wrong")
	ErrLocked       = fault.New(fault.TooMany, "session.locked", "too many wrong passwords; try again in {minutes} minutes")
	ErrNoSession    = fault.New(fault.Unauthorized, "session.absent", "sign in first")
	ErrRole         = fault.New(fault.Forbidden, "session.role", "your role may not do this")
	ErrLoginTaken   = fault.New(fault.Conflict, "user.login_taken", "the login {login} is taken")
	ErrWeak         = fault.New(fault.Invalid, "user.password_weak", "choose a password of at least {min} characters")
	ErrUserNotFound = fault.New(fault.NotFound, "user.not_found", "there is no such person")
)

// User is a person or a system that signs in.
type User struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	Login     string    `json:"login"`
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	FirmID    string    `json:"firm_id,omitempty"` // the firm an anchor or a partner speaks for
	Hash      string    `json:"-"`                 // argon2id, PHC string
	CreatedAt time.Time `json:"created_at"`
}

// Actor is who asks: passed to every domain call that needs to know.
type Actor struct {
	UserID string
	Name   string
	Tenant string
	Role   Role
	FirmID string
}

// Session is one sign-in. Only the SHA-256 of its token is stored.
type Session struct {
	TokenHash string
	UserID    string
	Tenant    string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Entry is one line of the audit trail; Hash chains over Prev and the content.
type Entry struct {
	Seq    int64     `json:"seq"`
	Tenant string    `json:"-"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"` // operation id
	Object string    `json:"object"`
	Result string    `json:"result"`
	At     time.Time `json:"at"`
	Prev   string    `json:"prev"`
	Hash   string    `json:"hash"`
}

// Store keeps people, sessions and the audit trail. Implemented in store/people.
type Store interface {
	// AddUser returns ErrLoginTaken.
	AddUser(ctx context.Context, u User) error
	// UserByLogin and User return ErrUserNotFound.
	UserByLogin(ctx context.Context, login string) (User, error)
	User(ctx context.Context, id string) (User, error)
	Users(ctx context.Context, tenant string) ([]User, error)
	AddSession(ctx context.Context, s Session) error
	// Session returns a session and whose it is; ErrNoSession.
	Session(ctx context.Context, tokenHash string) (Session, User, error)
	DropSession(ctx context.Context, tokenHash string) error
	// Attempt records a try to sign in; Attempts counts those of a login after a time
	// and tells when the last was; ClearAttempts forgets them.
	Attempt(ctx context.Context, login string, at time.Time) error
	Attempts(ctx context.Context, login string, since time.Time) (n int, last time.Time, err error)
	ClearAttempts(ctx context.Context, login string) error
	// Append adds an audit entry; it sets Seq, Prev and Hash.
	Append(ctx context.Context, e Entry) (Entry, error)
	Entries(ctx context.Context, tenant string, after int64, limit int) ([]Entry, error)
}
