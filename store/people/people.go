// Package people stores who may sign in, their sessions, and the audit trail.
package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

// Store is an access.Store.
type Store struct {
	db       *store.DB
	sessions *store.Gather[string, *session]
	entries  *store.Gather[access.Entry, access.Entry]
}

var _ access.Store = (*Store)(nil)

// New returns a store on db.
func New(db *store.DB) *Store {
	const most = 256
	s := &Store{db: db}
	// Every request asks who it is from, and every change has its line in the trail:
	// those that come at once go together.
	s.sessions, s.entries = store.NewGather(most, s.readSessions).Apart(time.Millisecond), store.NewGather(most, s.append)
	return s
}

func distinct(keys []string) []string { return slices.Compact(slices.Sorted(slices.Values(keys))) }

// AddUser implements access.Store.
func (s *Store) AddUser(ctx context.Context, u access.User) error {
	_, err := s.db.Exec(ctx, `insert into person (id, tenant, login, name, role, firm_id, hash, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		u.ID, u.Tenant, u.Login, u.Name, u.Role, u.FirmID, u.Hash, store.Millis(u.CreatedAt))
	if store.Conflict(err) {
		return access.ErrLoginTaken.With("login", u.Login)
	}
	return wrap("add person", err)
}

const personColumns = `id, tenant, login, name, role, firm_id, hash, created_at`

func scanPerson(row interface{ Scan(...any) error }) (access.User, error) {
	var u access.User
	var created int64
	err := row.Scan(&u.ID, &u.Tenant, &u.Login, &u.Name, &u.Role, &u.FirmID, &u.Hash, &created)
	u.CreatedAt = store.Time(created)
	if errors.Is(err, sql.ErrNoRows) {
		return access.User{}, access.ErrUserNotFound
	}
	return u, wrap("read person", err)
}

// UserByLogin implements access.Store.
func (s *Store) UserByLogin(ctx context.Context, login string) (access.User, error) {
	return scanPerson(s.db.QueryRow(ctx, `select `+personColumns+` from person where login = $1`, login))
}

// User implements access.Store.
func (s *Store) User(ctx context.Context, id string) (access.User, error) {
	return scanPerson(s.db.QueryRow(ctx, `select `+personColumns+` from person where id = $1`, id))
}

// Users implements access.Store.
func (s *Store) Users(ctx context.Context, tenant string) ([]access.User, error) {
	rows, err := s.db.Query(ctx, `select `+personColumns+` from person where tenant = $1 order by id`, tenant)
	if err != nil {
		return nil, wrap("list people", err)
	}
	defer func() { _ = rows.Close() }()
	var users []access.User
	for rows.Next() {
		u, err := scanPerson(rows)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, wrap("list people", rows.Err())
}

// AddSession implements access.Store. It also sweeps out the sessions that have
// ended, so that the table holds only what is in use.
func (s *Store) AddSession(ctx context.Context, a access.Session) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from session where expires_at <= $1`, store.Millis(a.CreatedAt)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into session (token_hash, person_id, tenant, created_at, expires_at)
			values ($1, $2, $3, $4, $5)`,
			a.TokenHash, a.UserID, a.Tenant, store.Millis(a.CreatedAt), store.Millis(a.ExpiresAt))
		return err
	})
	return wrap("add session", err)
}

// session is one that is there, with whose it is.
type session struct {
	access.Session
	user access.User
}

// Session implements access.Store.
func (s *Store) Session(ctx context.Context, tokenHash string) (access.Session, access.User, error) {
	a, err := s.sessions.Do(ctx, tokenHash)
	switch {
	case err != nil:
		return access.Session{}, access.User{}, err
	case a == nil:
		return access.Session{}, access.User{}, access.ErrNoSession
	}
	return a.Session, a.user, nil
}

func (s *Store) readSessions(ctx context.Context, hashes []string) ([]*session, error) {
	in, args := store.In(nil, distinct(hashes))
	found, err := store.Collect(ctx, s.db, func(r store.Row) (a session, err error) {
		var created, expires, born int64
		u := &a.user
		err = r.Scan(&a.TokenHash, &a.UserID, &a.Tenant, &created, &expires,
			&u.ID, &u.Tenant, &u.Login, &u.Name, &u.Role, &u.FirmID, &u.Hash, &born)
		a.CreatedAt, a.ExpiresAt, u.CreatedAt = store.Time(created), store.Time(expires), store.Time(born)
		return a, err
	}, `select s.token_hash, s.person_id, s.tenant, s.created_at, s.expires_at,
			p.id, p.tenant, p.login, p.name, p.role, p.firm_id, p.hash, p.created_at
		from session s join person p on p.id = s.person_id where s.token_hash in `+in, args...)
	of := make(map[string]*session, len(found))
	for i := range found {
		of[found[i].TokenHash] = &found[i]
	}
	out := make([]*session, len(hashes))
	for i, h := range hashes {
		out[i] = of[h]
	}
	return out, wrap("read sessions", err)
}

// DropSession implements access.Store.
func (s *Store) DropSession(ctx context.Context, tokenHash string) error {
	_, err := s.db.Exec(ctx, `delete from session where token_hash = $1`, tokenHash)
	return wrap("drop session", err)
}

// Attempt implements access.Store. Attempts of a day before are swept out.
func (s *Store) Attempt(ctx context.Context, login string, at time.Time) error {
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from sign_in_attempt where login = $1 and at < $2`, login, store.Millis(at.AddDate(0, 0, -1))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into sign_in_attempt (id, login, at) values ($1, $2, $3)`, ident.New(), login, store.Millis(at))
		return err
	})
	return wrap("record attempt", err)
}

// Attempts implements access.Store.
func (s *Store) Attempts(ctx context.Context, login string, since time.Time) (int, time.Time, error) {
	var n int
	var last int64
	err := s.db.QueryRow(ctx, `select count(*), coalesce(max(at), 0) from sign_in_attempt where login = $1 and at > $2`,
		login, store.Millis(since)).Scan(&n, &last)
	return n, store.Time(last), wrap("count attempts", err)
}

// ClearAttempts implements access.Store.
func (s *Store) ClearAttempts(ctx context.Context, login string) error {
	_, err := s.db.Exec(ctx, `delete from sign_in_attempt where login = $1`, login)
	return wrap("clear attempts", err)
}

const entryColumns = `seq, tenant, actor, action, object, result, at, prev, hash`

func scanEntry(row interface{ Scan(...any) error }) (access.Entry, error) {
	var e access.Entry
	var at int64
	err := row.Scan(&e.Seq, &e.Tenant, &e.Actor, &e.Action, &e.Object, &e.Result, &at, &e.Prev, &e.Hash)
	e.At = store.Time(at)
	return e, err
}

// Append implements access.Store.
func (s *Store) Append(ctx context.Context, e access.Entry) (access.Entry, error) {
	return s.entries.Do(ctx, e)
}

// append adds entries to the trails of their tenants, in one transaction.
func (s *Store) append(ctx context.Context, entries []access.Entry) (saved []access.Entry, err error) {
	err = s.db.Tx(ctx, func(tx *store.Tx) (err error) {
		saved, err = Append(ctx, tx, entries)
		return err
	})
	return saved, wrap("append to audit trail", err)
}

// Append chains entries to the trails of their tenants within a transaction, for those
// who write lines of the trail together with what the lines are about.
func Append(ctx context.Context, tx *store.Tx, entries []access.Entry) ([]access.Entry, error) {
	saved := make([]access.Entry, len(entries))
	last := make(map[string]access.Entry)
	in := tx.Insert("audit", []string{"seq", "tenant", "actor", "action", "object", "result", "at", "prev", "hash"}, "")
	for i, e := range entries {
		prev, known := last[e.Tenant]
		if !known {
			var err error
			prev, err = scanEntry(tx.QueryRow(ctx, `select `+entryColumns+` from audit where tenant = $1 order by seq desc limit 1`, e.Tenant))
			if errors.Is(err, sql.ErrNoRows) {
				prev, err = access.Entry{}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		x := e.Chained(prev)
		x.At = store.Time(store.Millis(x.At)) // as it will be read
		saved[i], last[e.Tenant] = x, x
		if err := in.Add(ctx, x.Seq, x.Tenant, x.Actor, x.Action, x.Object, x.Result, store.Millis(x.At), x.Prev, x.Hash); err != nil {
			return nil, err
		}
	}
	_, err := in.Close(ctx)
	return saved, err
}

// Entries implements access.Store.
func (s *Store) Entries(ctx context.Context, tenant string, after int64, limit int) ([]access.Entry, error) {
	rows, err := s.db.Query(ctx, `select `+entryColumns+` from audit where tenant = $1 and seq > $2 order by seq limit $3`, tenant, after, limit)
	if err != nil {
		return nil, wrap("read audit trail", err)
	}
	defer func() { _ = rows.Close() }()
	var entries []access.Entry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, wrap("read audit trail", err)
		}
		entries = append(entries, e)
	}
	return entries, wrap("read audit trail", rows.Err())
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store/people: %s: %w", what, err)
}
