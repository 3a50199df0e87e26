package app_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

// stubborn keeps everything.
type stubborn struct{ seriestest.Memory }

func (*stubborn) Expire(context.Context, time.Time) error {
	return errors.New("the token may not delete")
}

type told chan string

func (c told) Write(b []byte) (int, error) {
	c <- string(b)
	return len(b), nil
}

// TestExpireFails wants the house to live on when its store removes nothing.
func TestExpireFails(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log, done := make(told, 1), make(chan error, 1)
	go func() {
		done <- app.Expire(ctx, &stubborn{}, app.Config{Keep: time.Hour, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil))})
	}()
	select {
	case <-log:
	case err := <-done:
		t.Fatal("it ended:", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestExpire removes messages and counts that are kept no longer, and refuses to keep
// counts for less than is learnt from.
func TestExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		herds, now := herd.New(db), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		for _, age := range []time.Duration{0, 100 * 24 * time.Hour} {
			q := iot.Quarantined{ID: ident.New(), Tenant: "x", Device: "g", Code: "reading.payload", Received: now.Add(-age)}
			c := iot.Headcount{ID: ident.New(), Tenant: "x", HerdID: "h", Device: "cam", Kind: iot.ByCamera, From: q.Received, To: q.Received, Seen: 3}
			if err := errors.Join(herds.Quarantine(t.Context(), q), herds.AddHeadcounts(t.Context(), []iot.Headcount{c})); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		cfg := app.Config{KeepRefused: 90 * 24 * time.Hour, KeepCounts: 91 * 24 * time.Hour, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
		go func() { done <- app.ExpireIn(ctx, db, cfg) }()
		apptest.Poll(t, 10*time.Second, "old counts are gone", func() bool {
			left, err := herds.Headcounts(t.Context(), "x", "h", "", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
			return err == nil && len(left) == 1 && left[0].To.Equal(now)
		})
		if left, err := herds.Quarantined(t.Context(), "x", 0); err != nil || len(left) != 1 || !left[0].Received.Equal(now) {
			t.Error("of the quarantine is left", left, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	_, err := app.New(t.Context(), app.Config{Data: t.TempDir(), Serve: true, KeepCounts: time.Hour})
	if !errors.Is(err, app.ErrKeepCounts) {
		t.Error(err)
	}
}
