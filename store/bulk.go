package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Inserter writes many rows of one table with statements of several rows each, which the
// connection keeps prepared.
// It is for one transaction and one goroutine; Close writes the last rows.
type Inserter struct {
	tx      *Tx
	into    string // "t (a, b)"
	tail    string // "on conflict ..."
	columns int
	rows    int    // of a full statement
	full    string // its text
	args    []any
	written int64
}

// Insert prepares to write rows into a table; tail is what follows the values, such as
// "on conflict do nothing".
func (tx *Tx) Insert(table string, columns []string, tail string) *Inserter {
	n := tx.dialect.rows(len(columns))
	return &Inserter{tx: tx, into: table + " (" + strings.Join(columns, ", ") + ")", tail: tail, columns: len(columns), rows: n}
}

// Add writes a row, at once or with later ones. The values must not change after.
func (in *Inserter) Add(ctx context.Context, values ...any) error {
	if len(values) != in.columns {
		return fmt.Errorf("store: %d values for %s", len(values), in.into)
	}
	in.args = append(in.args, values...)
	if len(in.args) < in.rows*in.columns {
		return nil
	}
	if in.full == "" {
		in.full = in.text(in.rows)
	}
	res, err := in.tx.tx.ExecContext(calm(ctx), in.full, in.args...)
	in.args = in.args[:0]
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return in.count(res, err)
}

// Close writes what is left and returns how many rows were written, without those that
// were there.
func (in *Inserter) Close(ctx context.Context) (int64, error) {
	if n := len(in.args) / in.columns; n > 0 {
		res, err := in.tx.tx.ExecContext(ctx, in.text(n), in.args...)
		in.args = in.args[:0]
		if err := in.count(res, err); err != nil {
			return in.written, err
		}
	}
	return in.written, nil
}

// calm is ctx for a short statement: SQLite's driver starts a goroutine for each statement
// whose context may end, and the transaction ends with its own all the same.
func calm(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func (in *Inserter) count(res sql.Result, err error) error {
	if err != nil {
		return in.tx.dialect.wrap(err)
	}
	n, err := res.RowsAffected()
	in.written += n
	return err
}

func (in *Inserter) text(rows int) string {
	var b strings.Builder
	b.WriteString("insert into " + in.into + " values ")
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range in.columns {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(in.tx.dialect.mark(i*in.columns + j + 1))
		}
		b.WriteByte(')')
	}
	return b.String() + " " + in.tail
}

// Prepare readies a SELECT that is asked many times with other values.
func (db *DB) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt, err := db.read.PrepareContext(ctx, query)
	return stmt, db.dialect.wrap(err)
}
