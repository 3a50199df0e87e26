package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the newest version: each file of migrations, in
// name order, once, in a transaction of its own.
func (db *DB) migrate(ctx context.Context) error {
	_, err := db.write.ExecContext(ctx, `create table if not exists schema_version (
		name text primary key, applied_at bigint not null)`)
	if err != nil && !Conflict(db.dialect.wrap(err)) { // two processes may create it at once
		return fmt.Errorf("store: migrate: %w", db.dialect.wrap(err))
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	for _, name := range names {
		if err := db.apply(ctx, name); err != nil {
			return fmt.Errorf("store: migrate %s: %w", name, err)
		}
	}
	return nil
}

func (db *DB) apply(ctx context.Context, name string) error {
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return db.dialect.wrap(err)
	}
	defer tx.Rollback()
	if err := db.dialect.lock(ctx, tx); err != nil {
		return db.dialect.wrap(err)
	}
	var n int
	if err := tx.QueryRowContext(ctx, `select count(*) from schema_version where name = $1`, name).Scan(&n); err != nil {
		return db.dialect.wrap(err)
	}
	if n > 0 {
		return nil
	}
	types := strings.NewReplacer("{{blob}}", db.dialect.blob(), "{{json}}", db.dialect.json())
	for _, stmt := range strings.Split(types.Replace(string(text)), ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("%w in:\n%s", db.dialect.wrap(err), stmt)
		}
	}
	_, err = tx.ExecContext(ctx, `insert into schema_version (name, applied_at) values ($1, $2)`, name, Millis(time.Now()))
	if err != nil {
		return db.dialect.wrap(err)
	}
	return db.dialect.wrap(tx.Commit())
}

// Pending returns the migrations that are not applied yet, without applying them.
func Pending(ctx context.Context, cfg Config) ([]string, error) {
	db, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	var pending []string
	for _, name := range names {
		var n int
		err := db.QueryRow(ctx, `select count(*) from schema_version where name = $1`, name).Scan(&n)
		if err != nil || n == 0 { // without the table everything is pending
			pending = append(pending, name)
		}
	}
	return pending, nil
}
