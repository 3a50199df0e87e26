package upload

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/ident"
)

// runCommit commits as often as others get in between.
func (s *Service) runCommit(ctx context.Context, t *task, skipBad bool) error {
	for try := 1; ; try++ {
		u, err := s.commit(ctx, t, skipBad)
		raced, busy := errors.Is(err, chain.ErrUploadRaced), errors.Is(err, chain.ErrUploadBusy)
		if !raced && !busy || try == tries {
			t.set(u)
			return err
		}
		if busy {
			select {
			case <-time.After(time.Duration(try) * 20 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// commit writes the rows that the check kept. When the books have changed since, it
// compares them again first.
func (s *Service) commit(ctx context.Context, t *task, skipBad bool) (chain.Upload, error) {
	checked := t.view()
	u, err := s.store.Upload(ctx, checked.Tenant, checked.ID)
	if err != nil {
		return checked, err
	}
	switch u.State {
	case chain.UploadCommitted:
		return u, nil
	case chain.UploadChecked:
	case chain.UploadCommitting:
		return u, chain.ErrUploadBusy
	case chain.UploadChecking, chain.UploadRefused, chain.UploadUndone, chain.UploadLapsed:
		return u, chain.ErrUploadState.With("state", u.State)
	}
	u.Failure = nil
	c := &committer{s: s, u: u, skip: map[int]bool{}, leans: map[string]int{}}
	if err := c.prepare(ctx); err != nil {
		return u, err
	}
	if c.u.Bad > 0 && !skipBad {
		return c.u, ErrHasErrors.With("bad", c.u.Bad).With("rows", c.u.Rows)
	}
	done := s.now().UTC()
	c.u.State, c.u.DoneAt, c.u.RowsTotal = chain.UploadCommitted, &done, c.u.Rows-c.u.Bad
	c.u.RowsDone, c.u.TouchedAt = c.u.RowsTotal, time.Now()
	_, err = s.store.CommitUpload(ctx, c.u, c.documents(ctx), c.touched, c.leans, func(done int) {
		now := t.view()
		now.RowsDone, now.RowsTotal = done, c.u.RowsTotal
		t.set(now)
	})
	if err != nil {
		return u, err
	}
	return c.u, nil
}

// committer goes through the rows that a check kept.
type committer struct {
	s      *Service
	u      chain.Upload
	anchor chain.Party
	l      layout
	firms  *firms
	skip   map[int]bool   // rows that went bad since the check
	leans  map[string]int // documents that other uploads had brought
}

func (c *committer) prepare(ctx context.Context) error {
	columns, err := Columns(c.u.Kind)
	if err != nil {
		return err
	}
	if c.anchor, err = c.s.anchorOf(ctx, c.u); err != nil {
		return err
	}
	now, err := c.s.store.Revision(ctx, c.u.Tenant)
	if err != nil {
		return err
	}
	c.l = newLayout(c.u.Kind, columns, c.s.now())
	if now == c.u.Revision && c.u.Known == 0 {
		return nil
	}
	c.u.Revision = now
	return c.compare(ctx)
}

// compare counts anew what the books know, and finds the rows that they now contradict.
func (c *committer) compare(ctx context.Context) error {
	kept, known, bad := 0, 0, 0
	firms := newFirms(&c.l, c.anchor, c.s.store)
	err := c.rows(ctx, func(rows []row) error {
		if err := firms.prefetch(ctx, rows); err != nil {
			return err
		}
		var (
			docs []chain.Document
			at   []int
		)
		kept += len(rows)
		for i := range rows {
			r := &rows[i]
			d := c.l.document(r.cells, c.anchor)
			if err := firms.resolve(ctx, r, &d); err != nil {
				return err
			}
			if !r.bad {
				docs, at = append(docs, d), append(at, i)
			}
		}
		there, err := c.s.store.KnownDocuments(ctx, c.u.Tenant, docs)
		if err != nil {
			return err
		}
		for j, k := range there {
			switch {
			case k.There && k.Amount != docs[j].Amount:
				c.l.fail(&rows[at[j]], c.l.field["amount"], errDiffers.With("amount", k.Amount))
			case k.There:
				known++
				c.leans[k.UploadID]++
			}
		}
		for _, r := range rows {
			if r.bad {
				bad++
				c.skip[r.number] = true
				c.u.Errors = append(c.u.Errors, r.errs[:min(len(r.errs), maxErrors-len(c.u.Errors))]...)
			}
		}
		return nil
	})
	repeated := c.u.Rows - c.u.Bad - kept
	c.u.Bad += bad
	c.u.Known, c.u.Good = repeated+known, kept-known-bad
	delete(c.leans, "")
	return err
}

// rows hands on the kept rows, a part at a time.
func (c *committer) rows(ctx context.Context, f func([]row) error) error {
	return c.s.store.Parts(ctx, c.u, chain.GoodPart, func(packed []byte) error {
		rows, err := goodRows(packed, len(c.l.columns))
		if err != nil {
			return err
		}
		return f(rows)
	})
}

// documents makes the documents of the kept rows, while those before are written.
func (c *committer) documents(ctx context.Context) func(yield func(chain.Document, error) bool) {
	return func(yield func(chain.Document, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		c.firms = newFirms(&c.l, c.anchor, c.s.store)
		blocks := make(chan []chain.Document, 2)
		var failed error
		go func() {
			defer close(blocks)
			failed = c.rows(ctx, func(rows []row) error {
				docs, err := c.resolved(ctx, rows)
				if err != nil {
					return err
				}
				select {
				case blocks <- docs:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}()
		for docs := range blocks {
			for _, d := range docs {
				if !yield(d, nil) {
					return
				}
			}
		}
		if failed != nil {
			yield(chain.Document{}, failed)
		}
	}
}

func (c *committer) resolved(ctx context.Context, rows []row) ([]chain.Document, error) {
	if err := c.firms.prefetch(ctx, rows); err != nil {
		return nil, err
	}
	docs := make([]chain.Document, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		if c.skip[r.number] {
			continue
		}
		d := c.l.document(r.cells, c.anchor)
		if err := c.firms.resolve(ctx, r, &d); err != nil {
			return nil, err
		}
		if r.bad { // the books changed while this was read
			return nil, chain.ErrUploadRaced
		}
		c.firms.listed(*r, d)
		d.ID, d.UploadID = ident.New(), c.u.ID
		docs = append(docs, d)
	}
	return docs, nil
}

// touched are the firms that the documents made or changed.
func (c *committer) touched() []chain.Party {
	out := c.firms.res.Touched()
	for i := range out {
		if out[i].CreatedAt.IsZero() {
			out[i].CreatedAt = c.s.now().UTC()
		}
	}
	return out
}
