package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// openSQLite opens a pool whose connections keep the statements that they prepared:
// SQLite parses a text once for a connection and not once for each time that it is run.
func openSQLite(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{c}), nil
}

type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keeper{sqliteConn: conn.(sqliteConn), idle: make(map[string]sqliteStmt)}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keeper is a connection with the statements that are prepared and not running. One that
// runs is not among them, so that a text may be asked again while its rows are read.
type keeper struct {
	sqliteConn
	idle map[string]sqliteStmt
}

// mostKept bounds the statements of a connection, keptText the length of their text.
const mostKept, keptText = 256, 16 << 10

func (k *keeper) take(ctx context.Context, query string) (sqliteStmt, error) {
	if s, ok := k.idle[query]; ok {
		delete(k.idle, query)
		return s, nil
	}
	s, err := k.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.(sqliteStmt), nil
}

// give takes a statement back that has ended without an error.
func (k *keeper) give(query string, s sqliteStmt) error {
	if _, twice := k.idle[query]; twice || len(query) > keptText {
		return s.Close()
	}
	if len(k.idle) >= mostKept {
		for text, old := range k.idle {
			delete(k.idle, text)
			if err := old.Close(); err != nil {
				return err
			}
			break
		}
	}
	k.idle[query] = s
	return nil
}

// ExecContext implements driver.ExecerContext.
func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	if err != nil {
		_ = s.Close() // what it failed with says more
		return nil, err
	}
	return res, k.give(query, s)
}

// QueryContext implements driver.QueryerContext.
func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = s.Close() // what it failed with says more
		return nil, err
	}
	return &keptRows{Rows: rows, done: func() error { return k.give(query, s) }}, nil
}

// Close implements driver.Conn.
func (k *keeper) Close() error {
	for _, s := range k.idle {
		_ = s.Close() // the connection goes with all of them
	}
	k.idle = nil
	return k.sqliteConn.Close()
}

// keptRows give their statement back when they are closed.
type keptRows struct {
	driver.Rows
	done func() error
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	if r.done == nil {
		return nil
	}
	done := r.done
	r.done = nil
	if err := r.Rows.Close(); err != nil {
		return err
	}
	return done()
}
