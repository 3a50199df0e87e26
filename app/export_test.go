package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/store"
)

// Expire removes what store keeps no longer, until ctx ends.
func Expire(ctx context.Context, readings series.Store, cfg Config) error {
	return (&App{cfg: cfg, readings: readings}).expire(ctx)
}

// ExpireIn removes what a database keeps no longer, until ctx ends.
func ExpireIn(ctx context.Context, db *store.DB, cfg Config) error {
	return (&App{cfg: cfg, db: db, readings: &seriestest.Memory{}}).expire(ctx)
}

// LookAt makes the house look at its scenes when a test says so, not by the clock.
func (a *App) LookAt(looks <-chan time.Time) {
	a.looks = func(context.Context) <-chan time.Time { return looks }
}

// SeeScenes reads the scenes as a job does.
func (a *App) SeeScenes(ctx context.Context) error {
	_, err := a.pictures.items(ctx)
	return err
}

// Reports counts the reports that were made of a plot.
func (a *App) Reports(ctx context.Context, plotID string) (n int, err error) {
	err = a.db.QueryRow(ctx, `select count(*) from plot_report where plot_id = $1`, plotID).Scan(&n)
	return n, err
}

// Jobs counts those that are not over.
func (a *App) Jobs(ctx context.Context) (n int, err error) {
	counts, err := a.runner.Counts(ctx)
	for _, state := range []string{"available", "running", "retryable", "pending", "scheduled"} {
		n += counts[state]
	}
	return n, err
}

// Told has the bank tell of an order by itself.
func (a *App) Told(ctx context.Context, r pay.Receipt) error {
	return a.payments.outbox.Receive(ctx, r)
}
