// Package queue gives River, the job queue, its place in the project's database.
package queue

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/furrowcredit/furrow/store"
)

// Driver migrates River's own tables and returns its driver. On SQLite it shares
// the one writing connection, so that River never meets a locked database.
func Driver(ctx context.Context, db *store.DB) (riverdriver.Driver[*sql.Tx], error) {
	var d riverdriver.Driver[*sql.Tx] = riverdatabasesql.New(db.Pool())
	if db.Kind() == "sqlite" {
		d = riversqlite.New(db.Pool())
	}
	m, err := rivermigrate.New(d, nil)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("queue: migrate: %w", err)
	}
	return d, nil
}
