package upload

import (
	"context"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
)

// task is a check or a commit under way.
type task struct {
	done   chan struct{}
	detach func(context.Context) error // when its caller waits no longer

	mu    sync.Mutex
	u     chain.Upload
	saved bool  // the upload is in the store
	left  bool  // its caller waits no longer
	wrong error // why a commit failed, until it is written down
	err   error
}

// view is how far it is.
func (t *task) view() chain.Upload {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.u
}

func (t *task) set(u chain.Upload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.u = u
}

// fail notes why a commit failed.
func (t *task) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = err
}

// unheard returns, once, why a commit failed whose caller waits no longer.
func (t *task) unheard() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.left {
		return nil
	}
	err := t.wrong
	t.wrong = nil
	return err
}

// save puts the upload into the store as being checked, once.
func (t *task) save(ctx context.Context, store chain.Store) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved {
		return nil
	}
	u := t.u
	u.State, u.TouchedAt = chain.UploadChecking, time.Now()
	if err := store.AddUpload(ctx, u); err != nil {
		return err
	}
	t.saved = true
	return nil
}

func newTask(u chain.Upload) *task {
	return &task{u: u, done: make(chan struct{}), detach: func(context.Context) error { return nil }}
}

func (s *Service) running(id string) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[id]
}

// wait runs work and waits for it; with work nil it waits for a task that runs. When
// that takes too long, the task goes on by itself.
func (s *Service) wait(ctx context.Context, t *task, work func(context.Context) error) (chain.Upload, error) {
	if work != nil {
		id := t.view().ID
		s.mu.Lock()
		if other := s.tasks[id]; other != nil { // somebody was faster
			s.mu.Unlock()
			return s.wait(ctx, other, nil)
		}
		s.tasks[id] = t
		s.mu.Unlock()
		go s.run(context.WithoutCancel(ctx), t, id, work)
	}
	patience := time.NewTimer(max(s.patience, 0))
	defer patience.Stop()
	select {
	case <-t.done:
		return t.view(), t.err
	case <-ctx.Done():
	case <-patience.C:
	}
	t.mu.Lock()
	t.left = true
	t.mu.Unlock()
	select { // it may have ended just now
	case <-t.done:
		return t.view(), t.err
	default:
	}
	if err := t.detach(context.WithoutCancel(ctx)); err != nil {
		return t.view(), err
	}
	return t.view(), ctx.Err()
}

func (s *Service) run(ctx context.Context, t *task, id string, work func(context.Context) error) {
	s.slots <- struct{}{}
	t.err = work(ctx)
	<-s.slots
	s.mu.Lock()
	delete(s.tasks, id)
	s.mu.Unlock()
	close(t.done)
}
