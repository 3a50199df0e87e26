package access_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/access"
)

// memory is an access.Store for tests; store/people passes the real suite.
type memory struct {
	mu       sync.Mutex
	users    []access.User
	sessions map[string]access.Session
	attempts map[string][]time.Time
	entries  []access.Entry
}

func newMemory() *memory {
	return &memory{sessions: map[string]access.Session{}, attempts: map[string][]time.Time{}}
}

func (m *memory) AddUser(_ context.Context, u access.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.users, func(o access.User) bool { return o.Login == u.Login }) {
		return access.ErrLoginTaken.With("login", u.Login)
	}
	m.users = append(m.users, u)
	return nil
}

func (m *memory) find(is func(access.User) bool) (access.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.users, is); i >= 0 {
		return m.users[i], nil
	}
	return access.User{}, access.ErrUserNotFound
}

func (m *memory) UserByLogin(_ context.Context, login string) (access.User, error) {
	return m.find(func(u access.User) bool { return u.Login == login })
}

func (m *memory) User(_ context.Context, id string) (access.User, error) {
	return m.find(func(u access.User) bool { return u.ID == id })
}

func (m *memory) Users(_ context.Context, tenant string) ([]access.User, error) {
	var of []access.User
	for _, u := range m.users {
		if u.Tenant == tenant {
			of = append(of, u)
		}
	}
	return of, nil
}

func (m *memory) AddSession(_ context.Context, s access.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.TokenHash] = s
	return nil
}

func (m *memory) Session(_ context.Context, hash string) (access.Session, access.User, error) {
	m.mu.Lock()
	s, ok := m.sessions[hash]
	m.mu.Unlock()
	if !ok {
		return access.Session{}, access.User{}, access.ErrNoSession
	}
	u, err := m.find(func(u access.User) bool { return u.ID == s.UserID })
	if errors.Is(err, access.ErrUserNotFound) {
		err = access.ErrNoSession
	}
	return s, u, err
}

func (m *memory) DropSession(_ context.Context, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, hash)
	return nil
}

func (m *memory) Attempt(_ context.Context, login string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts[login] = append(m.attempts[login], at)
	return nil
}

func (m *memory) Attempts(_ context.Context, login string, since time.Time) (n int, last time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.attempts[login] {
		if at.After(since) {
			n, last = n+1, at
		}
	}
	return n, last, nil
}

func (m *memory) ClearAttempts(_ context.Context, login string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.attempts, login)
	return nil
}

func (m *memory) Append(_ context.Context, e access.Entry) (access.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last access.Entry
	for _, o := range m.entries {
		if o.Tenant == e.Tenant {
			last = o
		}
	}
	e = e.Chained(last)
	m.entries = append(m.entries, e)
	return e, nil
}

func (m *memory) Entries(_ context.Context, tenant string, after int64, limit int) ([]access.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var of []access.Entry
	for _, e := range m.entries {
		if e.Tenant == tenant && e.Seq > after && len(of) < limit {
			of = append(of, e)
		}
	}
	return of, nil
}
