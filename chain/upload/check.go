package upload

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/sheet"
)

// runCheck checks a file and keeps it, or what is wrong with it.
func (s *Service) runCheck(ctx context.Context, t *task, src source) error {
	c := &checker{s: s, t: t, u: t.view(), first: map[[16]byte]firstRow{}, parts: map[chain.PartStream]int{}}
	s.sweep(ctx, c.u.Tenant)
	err := c.check(ctx, src)
	if err == nil {
		return c.keep(ctx, src)
	}
	t.mu.Lock()
	left, saved := t.left, t.saved
	t.mu.Unlock()
	switch {
	case left: // nobody hears the error: the upload tells it
		u, refused := s.refuse(ctx, c.u, err)
		t.set(u)
		return errors.Join(err, refused)
	case saved:
		err = errors.Join(err, s.store.DropUpload(ctx, c.u))
	}
	t.set(chain.Upload{})
	return err
}

// checker goes through the rows of one file.
type checker struct {
	s      *Service
	t      *task
	u      chain.Upload
	anchor chain.Party
	l      layout
	firms  *firms
	first  map[[16]byte]firstRow // row key → the first row with it

	good, bad []byte
	parts     map[chain.PartStream]int // written or waiting
	waiting   []part
	held      int // bytes of waiting
	told      time.Time
}

type firstRow struct {
	number int
	amount int64
}

type part struct {
	stream chain.PartStream
	n      int
	body   []byte
}

func (s *Service) anchorOf(ctx context.Context, u chain.Upload) (chain.Party, error) {
	anchor, err := s.store.Firm(ctx, u.Tenant, u.AnchorID)
	if errors.Is(err, chain.ErrFirmNotFound) || (err == nil && !anchor.AnchorOf) {
		err = ErrNotAnchor
	}
	return anchor, err
}

func (c *checker) check(ctx context.Context, src source) (err error) {
	columns, err := Columns(c.u.Kind)
	if err != nil {
		return err
	}
	if c.anchor, err = c.s.anchorOf(ctx, c.u); err != nil {
		return err
	}
	if c.u.Revision, err = c.s.store.Revision(ctx, c.u.Tenant); err != nil {
		return err
	}
	if err := c.same(ctx); err != nil {
		return err
	}
	now := c.s.now()
	r, err := sheet.Open(src, src.size, c.s.limits, func(head *sheet.Table) bool {
		l, err := find(head, c.u.Kind, columns, now)
		return err == nil || errors.Is(err, sheet.ErrEmpty) && l.named()
	})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	if c.l, err = find(r.Head(), c.u.Kind, columns, now); err != nil {
		return err
	}
	c.firms = newFirms(&c.l, c.anchor, c.s.store)
	c.u.RowsTotal = max(0, r.Total-r.Head().Rows[c.l.row].Number)
	if c.bad, err = appendBad(nil, badRow{Cells: slices.Clone(c.l.header)}); err != nil {
		return err
	}
	// One goroutine reads and cleans rows while another judges those before.
	blocks := make(chan []row, 2)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(blocks)
		return c.read(ctx, r, blocks)
	})
	g.Go(func() error {
		for rows := range blocks {
			if err := c.judge(ctx, rows); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// same remembers a committed upload of the very same file.
func (c *checker) same(ctx context.Context) error {
	items, err := c.s.store.Uploads(ctx, c.u.Tenant, chain.UploadFilter{AnchorID: c.u.AnchorID, SHA256: c.u.SHA256})
	for _, u := range items {
		if u.State == chain.UploadCommitted && u.Kind == c.u.Kind {
			c.u.SameAs = u.ID
			break
		}
	}
	return err
}

// read hands on the cleaned rows below the header, some at a time.
func (c *checker) read(ctx context.Context, r *sheet.Reader, blocks chan<- []row) error {
	some, above := make([]row, 0, blockRows), c.l.row+1
	header := r.Head().Rows[c.l.row].Number
	send := func() error {
		select {
		case blocks <- some:
			some = make([]row, 0, blockRows)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for n := 0; ; n++ {
		in, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if n < above {
			continue
		}
		if n-above == c.s.limits.Rows {
			return sheet.ErrTooManyRows.With("max", c.s.limits.Rows)
		}
		if some = append(some, c.l.read(in.Number, slices.Clone(in.Cells))); len(some) == blockRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := r.Split(header); err != nil {
		return err
	}
	return send()
}

// judge resolves the firms of rows, compares them with those above and with the books,
// and puts them where they belong.
func (c *checker) judge(ctx context.Context, rows []row) error {
	if err := c.firms.prefetch(ctx, rows); err != nil {
		return err
	}
	var (
		docs []chain.Document
		at   []int
		keep = make([]bool, len(rows))
	)
	for i := range rows {
		r := &rows[i]
		if r.bad {
			continue
		}
		d := c.l.document(r.cells, c.anchor)
		if err := c.firms.resolve(ctx, r, &d); err != nil {
			return err
		}
		if r.bad {
			continue
		}
		key := rowKey(d)
		if f, twice := c.first[key]; twice {
			if f.amount != int64(d.Amount) {
				c.l.fail(r, c.l.field["amount"], errTwice.With("row", f.number))
			}
			continue
		}
		c.first[key] = firstRow{r.number, int64(d.Amount)}
		docs, at, keep[i] = append(docs, d), append(at, i), true
	}
	known, err := c.s.store.KnownDocuments(ctx, c.u.Tenant, docs)
	if err != nil {
		return err
	}
	for j, k := range known {
		r := &rows[at[j]]
		switch {
		case k.There && k.Amount != docs[j].Amount:
			c.l.fail(r, c.l.field["amount"], errDiffers.With("amount", k.Amount))
		case k.There:
			c.u.Known++
		default:
			c.u.Good++
		}
	}
	for i, r := range rows {
		c.u.Rows++
		c.u.Errors = append(c.u.Errors, r.errs[:min(len(r.errs), maxErrors-len(c.u.Errors))]...)
		switch {
		case r.bad:
			c.u.Bad++
			if c.bad, err = appendBad(c.bad, badRow{r.number, r.raw, r.errs}); err != nil {
				return err
			}
		case keep[i]:
			c.good = appendRow(c.good, r)
		default: // it stands above already
			c.u.Known++
		}
	}
	return c.flush(ctx, false)
}

func rowKey(d chain.Document) (key [16]byte) {
	_, _ = hex.Decode(key[:], []byte(chain.RowKey(d))) // it is hexadecimal
	return key
}

// flush makes parts of what was collected, and writes them once they are many.
func (c *checker) flush(ctx context.Context, last bool) error {
	for stream, raw := range map[chain.PartStream]*[]byte{chain.GoodPart: &c.good, chain.BadPart: &c.bad} {
		enough := len(*raw) > 0 && (last || stream == chain.GoodPart || len(*raw) > filePart)
		if stream == chain.BadPart && c.u.Bad == 0 {
			enough = false
		}
		if !enough {
			continue
		}
		body, err := pack(*raw)
		if err != nil {
			return err
		}
		c.waiting = append(c.waiting, part{stream, c.parts[stream], body})
		c.parts[stream]++
		c.held += len(body)
		*raw = (*raw)[:0]
	}
	c.u.RowsDone = c.u.Rows
	c.u.RowsTotal = max(c.u.RowsTotal, c.u.RowsDone)
	c.t.set(c.u)
	if !last && c.held < 1<<20 {
		return nil
	}
	if err := c.t.save(ctx, c.s.store); err != nil {
		return err
	}
	for _, p := range c.waiting {
		if err := c.s.store.AddPart(ctx, c.u, p.stream, p.n, p.body); err != nil {
			return err
		}
	}
	c.waiting, c.held = c.waiting[:0], 0
	if time.Since(c.told) > 2*time.Second {
		c.told = time.Now()
		u := c.u
		u.TouchedAt = c.told
		return c.s.store.MoveUpload(ctx, u, chain.UploadChecking)
	}
	return nil
}

// keep saves the file and its verdict.
func (c *checker) keep(ctx context.Context, src source) error {
	if err := c.flush(ctx, true); err != nil {
		return err
	}
	raw := make([]byte, min(src.size, filePart))
	for n := 0; int64(n)*filePart < src.size; n++ {
		size, err := src.ReadAt(raw, int64(n)*filePart)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		body, err := pack(raw[:size])
		if err != nil {
			return err
		}
		if err := c.s.store.AddPart(ctx, c.u, chain.FilePart, n, body); err != nil {
			return err
		}
	}
	c.u.State, c.u.RowsTotal, c.u.TouchedAt = chain.UploadChecked, c.u.Rows, time.Now()
	c.t.set(c.u)
	return c.s.store.MoveUpload(ctx, c.u, chain.UploadChecking)
}
