package herd_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestWatchMemory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), herd.New(db)
		if _, state, err := s.LoadWatch(ctx, "a", "h"); err != nil || len(state) != 0 {
			t.Fatal("a herd that was never saved:", state, err)
		}
		big := bytes.Repeat([]byte{0, 1, 255}, 1<<20)
		for i, state := range [][]byte{{1, 0, 2}, big, {}} {
			at := now.Add(time.Duration(i) * time.Hour)
			if err := s.SaveWatch(ctx, "a", "h", at, state); err != nil {
				t.Fatal(err)
			}
			got, back, err := s.LoadWatch(ctx, "a", "h")
			if err != nil || !got.Equal(at) || !bytes.Equal(back, state) {
				t.Errorf("save %d comes back as %d bytes of %v, %v", i, len(back), got, err)
			}
		}
		if _, state, err := s.LoadWatch(ctx, "b", "h"); err != nil || len(state) != 0 {
			t.Error("another tenant sees the state:", err)
		}
	})
}
