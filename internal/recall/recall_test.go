package recall_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/furrowcredit/furrow/internal/recall"
)

// slow answers with how often it was asked, and takes a second for it.
func slow(asked *int) *recall.Memory[int] {
	return &recall.Memory[int]{
		For: 10 * time.Second,
		Now: time.Now,
		Ask: func(context.Context, string, int) (int, error) {
			time.Sleep(time.Second)
			*asked++
			return *asked, nil
		},
	}
}

func get(t *testing.T, m *recall.Memory[int], want int, wait time.Duration) {
	t.Helper()
	began := time.Now()
	got, err := m.Get(t.Context(), "a")
	if err != nil || got != want || time.Since(began) != wait {
		t.Errorf("got %d (%v) after %v, want %d after %v", got, err, time.Since(began), want, wait)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked int
		m := slow(&asked)
		get(t, m, 1, time.Second)
		time.Sleep(8 * time.Second)
		get(t, m, 1, 0) // 9 s old
		time.Sleep(time.Second)
		go get(t, m, 2, time.Second) // 10 s old
		synctest.Wait()
		get(t, m, 1, 0) // the others do not wait
		time.Sleep(time.Second)
		synctest.Wait() // the answer is due at this very instant
		get(t, m, 2, 0)
		time.Sleep(20 * time.Second) // too old for anybody
		go get(t, m, 3, time.Second)
		synctest.Wait()
		get(t, m, 3, time.Second)
	})
}

func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked int
		m := slow(&asked)
		go get(t, m, 1, time.Second)
		synctest.Wait()
		m.Forget("a") // while it is on its way
		get(t, m, 2, time.Second)
		if v, err := m.Get(t.Context(), "b"); err != nil || v != 3 {
			t.Errorf("another key: %d, %v", v, err)
		}
	})
}

func TestMemoryKeepsNoError(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	var asked int
	m := &recall.Memory[string]{
		For: time.Hour,
		Now: time.Now,
		Ask: func(_ context.Context, key, have string) (string, error) {
			if asked++; asked == 1 {
				return "half", down
			}
			return have + key, nil
		},
	}
	if v, err := m.Get(t.Context(), "a"); !errors.Is(err, down) || v != "" {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := m.Get(t.Context(), "a"); err != nil || v != "a" {
		t.Errorf("got %q, %v", v, err)
	}
}
