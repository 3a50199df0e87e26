package store

import (
	"context"
	"database/sql"
)

// Snapshot runs f on one unmoving state of the database, while others go on writing: a
// transaction that only reads.
func (db *DB) Snapshot(ctx context.Context, f func(q Queryer) error) error {
	tx, err := db.read.BeginTx(ctx, db.dialect.snapshot())
	if err != nil {
		return db.dialect.wrap(err)
	}
	defer tx.Rollback() // nothing was written
	return f(&Tx{tx, db.dialect})
}

func (sqliteDialect) snapshot() *sql.TxOptions { return nil }

func (postgresDialect) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}
