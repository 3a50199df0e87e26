// Package upload takes the spreadsheets of anchor enterprises: it checks every
// cell, says what is wrong in the reader's own file, and writes the good rows
// into the books so that the same row twice changes nothing.
//
// A check streams the file and keeps its good rows as they were read, so that a commit
// need not read it again. Both go on by themselves when they take longer than their
// caller waits. docs/formats/upload.md describes the files.
package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file as an upload, beside what sheet says of it.
var (
	ErrKind        = fault.New(fault.Invalid, "upload.kind", "there is no kind {kind}; use suppliers, contracts, orders, deliveries, invoices, payments or confirmations")
	ErrHeader      = fault.New(fault.Invalid, "upload.header_missing", "the columns {columns} are missing; use the template")
	ErrHeaderTwice = fault.New(fault.Invalid, "upload.header_twice", "the columns {first} and {second} mean the same; keep one")
)

// What can be wrong with an upload.
var (
	ErrNotAnchor = fault.New(fault.Forbidden, "upload.not_anchor", "only an anchor enterprise may upload trade documents")
	ErrHasErrors = fault.New(fault.Conflict, "upload.has_errors", "{bad} of {rows} rows have errors; mend the file, or commit the good rows only")
	ErrBrokeOff  = fault.New(fault.Unavailable, "upload.broke_off", "the check of this file broke off; send it again")
	ErrFailed    = fault.New(fault.Unavailable, "upload.failed", "this file could not be written and nothing of it was kept; commit it again, and tell the operator when it fails again")
	ErrNoErrors  = fault.New(fault.NotFound, "upload.no_errors", "this upload has no rows with errors")
)

const (
	maxErrors = 1000 // remarks that are kept; Bad counts all rows all the same
	blockRows = 4096 // rows that are judged at once and kept in one part
	filePart  = 4 << 20
	atOnce    = 2               // checks and commits that run beside each other
	tries     = 40              // of a commit; a failure means that another upload got through
	dead      = 3 * time.Minute // without a sign of life, work has broken off
)

// Who is the person that uploads and the anchor enterprise for which. An empty
// AnchorID stands for the bank: it may look at every upload and undo it.
type Who struct {
	Tenant, AnchorID, UserID, UserName string
}

// Config is what the service needs.
type Config struct {
	Store chain.Store
	Now   func() time.Time
	// Patience is how long a check or commit is waited for before it goes on in the
	// background; 0 means 5 seconds, less than 0 not at all.
	Patience time.Duration
	Limits   sheet.Limits // of a file; the zero value means sheet.Large
}

// Service checks, commits and undoes uploads.
type Service struct {
	store    chain.Store
	now      func() time.Time
	patience time.Duration
	limits   sheet.Limits
	slots    chan struct{}

	mu    sync.Mutex
	tasks map[string]*task     // work under way in this process, by upload
	swept map[string]time.Time // when the orphans of a tenant were last looked for
}

// New returns the service.
func New(cfg Config) *Service {
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	if cfg.Limits == (sheet.Limits{}) {
		cfg.Limits = sheet.Large()
	}
	return &Service{store: cfg.Store, now: cfg.Now, patience: cfg.Patience, limits: cfg.Limits, slots: make(chan struct{}, atOnce), tasks: map[string]*task{}, swept: map[string]time.Time{}}
}

// source is a file that can be read at any place.
type source struct {
	io.ReaderAt
	size   int64
	sha256 string
	close  func()
}

// Check is CheckFile for a file that is in memory.
func (s *Service) Check(ctx context.Context, who Who, kind chain.DocKind, fileName string, body []byte) (chain.Upload, error) {
	sum := sha256.Sum256(body)
	return s.checked(ctx, who, kind, fileName, source{bytes.NewReader(body), int64(len(body)), hex.EncodeToString(sum[:]), func() {}})
}

// CheckFile is the dry run: it reads the file and keeps it with its remarks, but
// writes nothing into the books. A file that cannot be read as a table of kind
// is an error and is not kept. A check that takes longer than the service's patience
// goes on: the upload is returned in state chain.UploadChecking, and Get tells how far
// it is.
func (s *Service) CheckFile(ctx context.Context, who Who, kind chain.DocKind, fileName string, file io.Reader) (chain.Upload, error) {
	src, err := receive(file, s.limits.CSV)
	if err != nil {
		return chain.Upload{}, err
	}
	return s.checked(ctx, who, kind, fileName, src)
}

// receive writes a file of at most limit bytes to a temporary one, which goes with its
// last reader.
func receive(file io.Reader, limit int64) (source, error) {
	f, err := os.CreateTemp("", "furrow-upload-*")
	if err != nil {
		return source{}, fmt.Errorf("chain/upload: %w", err)
	}
	drop := func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) } // nothing is lost with it
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(file, limit+1))
	if err == nil && n > limit {
		err = sheet.ErrTooLarge.With("mib", limit>>20)
	}
	if err != nil {
		drop()
		return source{}, fmt.Errorf("chain/upload: %w", err)
	}
	return source{f, n, hex.EncodeToString(h.Sum(nil)), drop}, nil
}

func (s *Service) checked(ctx context.Context, who Who, kind chain.DocKind, fileName string, src source) (chain.Upload, error) {
	u := chain.Upload{
		ID: ident.New(), Tenant: who.Tenant, AnchorID: who.AnchorID, UserID: who.UserID, UserName: who.UserName,
		Kind: kind, FileName: clip(strings.ToValidUTF8(text(filepath.Base(strings.ReplaceAll(fileName, `\`, "/"))), "")),
		SHA256: src.sha256, State: chain.UploadChecking, CreatedAt: s.now().UTC(), Errors: []chain.RowError{},
	}
	t := newTask(u)
	t.detach = func(ctx context.Context) error { return t.save(ctx, s.store) }
	return s.wait(ctx, t, func(ctx context.Context) error {
		defer src.close()
		return s.runCheck(ctx, t, src)
	})
}

// Commit writes the good rows of a checked upload. With bad rows it refuses unless
// skipBad. Committing twice changes nothing. A commit that takes longer than the
// service's patience goes on: the upload is returned in state chain.UploadCommitting.
func (s *Service) Commit(ctx context.Context, who Who, uploadID string, skipBad bool) (chain.Upload, error) {
	u, err := s.Get(ctx, who, uploadID)
	if err != nil {
		return u, err
	}
	switch u.State {
	case chain.UploadCommitted:
		return u, nil
	case chain.UploadChecked:
		u.State, u.RowsDone, u.RowsTotal = chain.UploadCommitting, 0, u.Good+u.Known
		u.Failure = nil
		t := newTask(u)
		t.detach = func(ctx context.Context) error { return s.keepFailure(ctx, t) }
		return s.wait(ctx, t, func(ctx context.Context) error {
			err := s.runCommit(ctx, t, skipBad)
			t.fail(err)
			return errors.Join(err, s.keepFailure(ctx, t))
		})
	case chain.UploadCommitting:
		if t := s.running(u.ID); t != nil {
			return s.wait(ctx, t, nil)
		}
		return u, nil // another process does it
	case chain.UploadChecking, chain.UploadRefused, chain.UploadUndone, chain.UploadLapsed:
	}
	return u, chain.ErrUploadState.With("state", u.State)
}

// Undo takes out what a committed upload brought. It returns chain.ErrUploadNeeded when
// later uploads brought some of its rows again: they go first.
func (s *Service) Undo(ctx context.Context, who Who, uploadID string) (chain.Upload, error) {
	u, err := s.Get(ctx, who, uploadID)
	if err != nil {
		return u, err
	}
	if u.State != chain.UploadCommitted {
		return u, chain.ErrUploadState.With("state", u.State)
	}
	done := s.now().UTC()
	u.State, u.DoneAt = chain.UploadUndone, &done
	return u, s.store.UndoUpload(ctx, u)
}

// Get returns an upload of the anchor, or chain.ErrUploadNotFound.
func (s *Service) Get(ctx context.Context, who Who, uploadID string) (chain.Upload, error) {
	u, err := s.store.Upload(ctx, who.Tenant, uploadID)
	t := s.running(uploadID)
	if err == nil && t == nil && (u.State == chain.UploadChecking || u.State == chain.UploadCommitting) {
		// The work may have ended since: then its end is in the store.
		u, err = s.store.Upload(ctx, who.Tenant, uploadID)
	}
	if t != nil && (err == nil || errors.Is(err, chain.ErrUploadNotFound)) {
		now := t.view()
		if err == nil && now.Tenant == who.Tenant {
			u.State, u.RowsDone, u.RowsTotal, u.TouchedAt = now.State, now.RowsDone, now.RowsTotal, time.Now()
		}
	}
	if err == nil && who.AnchorID != "" && u.AnchorID != who.AnchorID {
		err = chain.ErrUploadNotFound
	}
	if err != nil {
		return chain.Upload{}, err
	}
	return s.revive(ctx, u)
}

// revive ends work that broke off with its process: a commit is taken back, a check must
// be sent again.
func (s *Service) revive(ctx context.Context, u chain.Upload) (chain.Upload, error) {
	if s.running(u.ID) != nil || time.Since(u.TouchedAt) < dead { // processes live by the wall clock
		return u, nil
	}
	switch u.State {
	case chain.UploadCommitting:
		u.Failure = s.failure(chain.ErrUploadBroken)
		if err := s.store.AbortUpload(ctx, u); err != nil && !errors.Is(err, chain.ErrUploadState) {
			return u, err
		}
		return s.store.Upload(ctx, u.Tenant, u.ID)
	case chain.UploadChecking:
		return s.refuse(ctx, u, ErrBrokeOff)
	case chain.UploadChecked, chain.UploadCommitted, chain.UploadRefused, chain.UploadUndone, chain.UploadLapsed:
	}
	return u, nil
}

// failure tells a person why a commit failed; what no fault names is no business of theirs.
func (s *Service) failure(err error) *chain.UploadFailure {
	f := ErrFailed
	if named := (*fault.Error)(nil); errors.As(err, &named) {
		f = named
	}
	return &chain.UploadFailure{Code: f.Code, Msg: f.Msg, Args: f.Args, At: s.now().UTC()}
}

// keepFailure writes down why a commit failed whose caller waits no longer. Whoever comes
// last, the caller that leaves or the work that ends, does it.
func (s *Service) keepFailure(ctx context.Context, t *task) error {
	err := t.unheard()
	if err == nil {
		return nil
	}
	u, uerr := s.store.Upload(ctx, t.view().Tenant, t.view().ID)
	if uerr != nil || u.State != chain.UploadChecked { // another process committed it
		return uerr
	}
	u.Failure = s.failure(err)
	return s.store.MoveUpload(ctx, u, chain.UploadChecked)
}

// sweep removes what checks left behind that died with their process, at most once an
// hour. It is of no consequence to the check that comes by: what fails is tried again.
func (s *Service) sweep(ctx context.Context, tenant string) {
	now := time.Now() // ids are made by the wall clock
	s.mu.Lock()
	due := now.Sub(s.swept[tenant]) >= time.Hour
	if due {
		s.swept[tenant] = now
	}
	s.mu.Unlock()
	if due {
		_ = s.store.SweepParts(ctx, tenant, now.Add(-longest))
	}
}

// longest is more than any check takes.
const longest = 24 * time.Hour

// refuse keeps of an upload only that its file was no good.
func (s *Service) refuse(ctx context.Context, u chain.Upload, reason error) (chain.Upload, error) {
	done := s.now().UTC()
	u.State, u.DoneAt = chain.UploadRefused, &done
	u.Rows, u.Good, u.Known, u.Bad = 0, 0, 0, 0
	e := chain.RowError{Code: ErrBrokeOff.Code, Msg: ErrBrokeOff.Msg}
	var f *fault.Error
	if errors.As(reason, &f) {
		e = chain.RowError{Code: f.Code, Msg: f.Msg, Args: f.Args}
	}
	u.Errors = []chain.RowError{e}
	if err := s.store.DropUpload(ctx, u); err != nil {
		return u, err
	}
	return u, s.store.AddUpload(ctx, u)
}

// List returns the uploads of the anchor, newest first, without their remarks; before is
// the id of the last one of the page before, limit 0 means 100.
func (s *Service) List(ctx context.Context, who Who, before string, limit int) ([]chain.Upload, error) {
	items, err := s.store.Uploads(ctx, who.Tenant, chain.UploadFilter{AnchorID: who.AnchorID, Before: before, Limit: limit})
	for i := range items {
		if err != nil {
			break
		}
		switch items[i].State {
		case chain.UploadChecking, chain.UploadCommitting:
			items[i], err = s.Get(ctx, who, items[i].ID)
		case chain.UploadChecked, chain.UploadCommitted, chain.UploadRefused, chain.UploadUndone, chain.UploadLapsed:
		}
	}
	return items, err
}

// WriteErrors writes an XLSX of the bad rows of an upload as they came, with what is wrong
// in a last column of that title: to mend and send again. words gives the text of a
// remark. Without bad rows it returns ErrNoErrors.
func (s *Service) WriteErrors(ctx context.Context, who Who, uploadID string, w io.Writer, title string, words func(chain.RowError) string) error {
	u, err := s.Get(ctx, who, uploadID)
	if err != nil {
		return err
	}
	var (
		out   *sheet.Writer
		width int
	)
	err = s.store.Parts(ctx, u, chain.BadPart, func(packed []byte) error {
		rows, err := badRows(packed)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if out == nil { // the header
				width = len(r.Cells)
				if out, err = sheet.NewWriter(w, "错误行", width+1); err == nil {
					err = out.Row(append(r.Cells, title))
				}
			} else {
				err = out.Row(append(padded(r.Cells, width), remarks(r.Remarks, words)))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && out == nil {
		return ErrNoErrors
	}
	if err != nil {
		return err
	}
	return out.Close()
}

func padded(cells []string, width int) []string {
	out := make([]string, width, width+1)
	copy(out, cells)
	return out
}

func remarks(errs []chain.RowError, words func(chain.RowError) string) string {
	var out []string
	for _, e := range errs {
		text := words(e)
		if e.Column != "" {
			text = e.Column + ": " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
