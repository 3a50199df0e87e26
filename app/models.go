package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
	modelstore "github.com/furrowcredit/furrow/store/model"
)

// newModels makes the register of models on a database.
func newModels(db *store.DB, now func() time.Time) *model.Service {
	return model.NewService(modelstore.New(db), now, ident.New)
}

// WithModels opens the register of models of a database that is there already.
func WithModels(ctx context.Context, dsn string, use func(*model.Service) error) error {
	return withDB(ctx, dsn, func(db *store.DB) error { return use(newModels(db, time.Now)) })
}
