package app

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/plot"
)

// ImportPlots registers the plots of a land register in a database, all that can be
// in one transaction; the others come back with the reason.
func ImportPlots(ctx context.Context, dsn, tenant string, plots []geo.Plot) (saved []geo.Plot, refused []geo.Refused, err error) {
	err = withPlots(ctx, dsn, func(reg *geo.Plots) error {
		saved, refused, err = reg.Import(ctx, tenant, plots)
		return err
	})
	return saved, refused, err
}

// PlotClashes finds the plots of different holders of a tenant that share at least
// the given part of the smaller one.
func PlotClashes(ctx context.Context, dsn, tenant string, least float64) (clashes []geo.Clash, err error) {
	err = withPlots(ctx, dsn, func(reg *geo.Plots) error {
		clashes, err = reg.Clashes(ctx, tenant, least)
		return err
	})
	return clashes, err
}

// withPlots opens the plot register of a database.
func withPlots(ctx context.Context, dsn string, use func(*geo.Plots) error) error {
	return withDB(ctx, dsn, func(db *store.DB) error { return use(&geo.Plots{Store: plot.New(db), Now: time.Now}) })
}

// withDB opens a database that is there already: a mistyped path must not make an
// empty one.
func withDB(ctx context.Context, dsn string, use func(*store.DB) error) error {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return ErrNoDatabase.With("path", path)
		}
	}
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return err
	}
	err = use(db)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}
