package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
)

// SQLite's log (WAL) grows with each commit until its pages are moved into the file: a
// checkpoint. The commit that makes the log longPages does what is left of it, and with
// it the log begins anew; a checkpoint beside the commits has done all but the last few
// by then, so that no commit waits long for the disk.
const (
	// longPages are 16 MB: a page that many commits change is moved once for all of them.
	longPages = 4000
	// commitsApart is after how many commits a checkpoint is made beside them.
	commitsApart = 32
)

// checkpointer makes checkpoints beside the commits.
type checkpointer struct {
	pool    *sql.DB
	commits atomic.Int64
	due     chan struct{} // holds one
	stop    chan struct{}
	done    sync.WaitGroup
}

func newCheckpointer(pool *sql.DB) *checkpointer {
	c := &checkpointer{pool: pool, due: make(chan struct{}, 1), stop: make(chan struct{})}
	c.done.Go(func() {
		for {
			select {
			case <-c.due:
				c.checkpoint()
			case <-c.stop:
				select {
				case <-c.due:
					c.checkpoint()
				default:
				}
				return
			}
		}
	})
	return c
}

// checkpoint waits for nobody: what it cannot move now stays for the next one. A disk that
// fails is told of by the commits.
func (c *checkpointer) checkpoint() {
	_, _ = c.pool.ExecContext(context.Background(), `pragma wal_checkpoint(passive)`)
}

// committed counts a commit; PostgreSQL has no checkpointer.
func (c *checkpointer) committed() {
	if c == nil || c.commits.Add(1)%commitsApart != 0 {
		return
	}
	select {
	case c.due <- struct{}{}:
	default: // one waits already
	}
}

// Close makes the checkpoint that is due and ends the goroutine.
func (c *checkpointer) Close() {
	if c != nil {
		close(c.stop)
		c.done.Wait()
	}
}
