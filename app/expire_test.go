package app_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
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
