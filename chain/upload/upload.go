// Package upload takes the spreadsheets of anchor enterprises: it checks every
// cell, says what is wrong in the reader's own file, and writes the good rows
// into the books so that the same row twice changes nothing.
//
// docs/formats/upload.md describes the files.
package upload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"github.com/furrowcredit/furrow/sheet"
	"path/filepath"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a file as an upload, beside what sheet says of it.
var (
	ErrKind        = fault.New(fault.Invalid, "upload.kind", "there is no kind {kind}; use suppliers, orders, deliveries, invoices or payments")
	ErrHeader      = fault.New(fault.Invalid, "upload.header_missing", "the columns {columns} are missing; use the template")
	ErrHeaderTwice = fault.New(fault.Invalid, "upload.header_twice", "the columns {first} and {second} mean the same; keep one")
)

// What can be wrong with an upload.
var (
	ErrNotAnchor = fault.New(fault.Forbidden, "upload.not_anchor", "only an anchor enterprise may upload trade documents")
	ErrHasErrors = fault.New(fault.Conflict, "upload.has_errors", "{bad} of {rows} rows have errors; mend the file, or commit the good rows only")
)

// maxErrors bounds the remarks that are kept; Bad counts all rows all the same.
const maxErrors = 1000

// Who is the person that uploads and the anchor enterprise for which. An empty
// AnchorID stands for the bank: it may look at every upload and undo it.
type Who struct {
	Tenant, AnchorID, UserID, UserName string
}

// Config is what the service needs.
type Config struct {
	Store chain.Store
	Now   func() time.Time
}

// Service checks, commits and undoes uploads.
type Service struct {
	store chain.Store
	now   func() time.Time
}

// New returns the service.
func New(cfg Config) *Service { return &Service{store: cfg.Store, now: cfg.Now} }

// Check is the dry run: it reads the file and keeps it with its remarks, but
// writes nothing into the books. A file that cannot be read as a table of kind
// is an error and is not kept.
func (s *Service) Check(ctx context.Context, who Who, kind chain.DocKind, fileName string, body []byte) (chain.Upload, error) {
	u := chain.Upload{
		ID: ident.New(), Tenant: who.Tenant, AnchorID: who.AnchorID, UserID: who.UserID, UserName: who.UserName,
		Kind: kind, FileName: clip(strings.ToValidUTF8(text(filepath.Base(strings.ReplaceAll(fileName, `\`, "/"))), "")), SHA256: digest(body), State: chain.UploadChecked,
		CreatedAt: s.now().UTC(),
	}
	if _, _, err := s.read(ctx, &u, body); err != nil {
		return chain.Upload{}, err
	}
	if err := s.store.AddPart(ctx, u, chain.FilePart, 0, body); err != nil {
		return chain.Upload{}, err
	}
	return u, s.store.AddUpload(ctx, u)
}

// Commit writes the good rows of a checked upload. With bad rows it refuses unless
// skipBad. Committing twice changes nothing.
func (s *Service) Commit(ctx context.Context, who Who, uploadID string, skipBad bool) (chain.Upload, error) {
	const tries = 16 // each failure means that another upload got through
	for try := 1; ; try++ {
		u, err := s.commit(ctx, who, uploadID, skipBad)
		raced := errors.Is(err, chain.ErrUploadRaced) || (errors.Is(err, chain.ErrUploadState) && u.State != chain.UploadUndone)
		if !raced || try == tries {
			return u, err
		}
	}
}

// commit reads the file again, because the books may have changed since the check,
// and fails with chain.ErrUploadRaced when they change while it does.
func (s *Service) commit(ctx context.Context, who Who, uploadID string, skipBad bool) (chain.Upload, error) {
	u, err := s.Get(ctx, who, uploadID)
	if err != nil {
		return u, err
	}
	switch u.State {
	case chain.UploadCommitted:
		return u, nil
	case chain.UploadUndone:
		return u, chain.ErrUploadState.With("state", u.State)
	case chain.UploadChecked:
	}
	var body []byte
	if err := s.store.Parts(ctx, u, chain.FilePart, func(b []byte) error { body = append(body, b...); return nil }); err != nil {
		return u, err
	}
	firms, docs, err := s.read(ctx, &u, body)
	if err != nil {
		return u, err
	}
	if u.Bad > 0 && !skipBad {
		return u, ErrHasErrors.With("bad", u.Bad).With("rows", u.Rows)
	}
	done := s.now().UTC()
	u.State, u.DoneAt = chain.UploadCommitted, &done
	known, err := s.store.CommitUpload(ctx, u, firms, func(yield func(chain.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}, nil)
	u.Known += known
	u.Good -= known
	return u, err
}

// Undo takes out what a committed upload brought.
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
	if err == nil && who.AnchorID != "" && u.AnchorID != who.AnchorID {
		err = chain.ErrUploadNotFound
	}
	if err != nil {
		return chain.Upload{}, err
	}
	return u, nil
}

// List returns the uploads of the anchor, newest first, without their remarks.
func (s *Service) List(ctx context.Context, who Who) ([]chain.Upload, error) {
	return s.store.Uploads(ctx, who.Tenant, chain.UploadFilter{AnchorID: who.AnchorID})
}

// read fills in the counts and remarks of u and returns what a commit would write.
func (s *Service) read(ctx context.Context, u *chain.Upload, body []byte) ([]chain.Party, []chain.Document, error) {
	u.Rows, u.Good, u.Known, u.Bad, u.Errors = 0, 0, 0, 0, []chain.RowError{}
	var err error
	if u.Revision, err = s.store.Revision(ctx, u.Tenant); err != nil {
		return nil, nil, err
	}
	anchor, err := s.store.Firm(ctx, u.Tenant, u.AnchorID)
	if errors.Is(err, chain.ErrFirmNotFound) || (err == nil && !anchor.AnchorOf) {
		return nil, nil, ErrNotAnchor
	}
	if err != nil {
		return nil, nil, err
	}
	t, l, err := open(body, u.Kind)
	if err != nil {
		return nil, nil, err
	}
	data := t.Rows[l.row+1:]
	if len(data) > sheet.MaxRows {
		return nil, nil, sheet.ErrTooManyRows.With("max", sheet.MaxRows)
	}
	var (
		res   = party.NewResolver(s.store, u.Tenant)
		rows  = make([]*row, len(data))
		docs  = make([]chain.Document, len(data))
		first = map[string]int{} // row key → place of the first row with it
		keys  []string
	)
	now := s.now()
	for i, tr := range data {
		r := l.read(tr, t.From1904, now)
		rows[i] = r
		if r.bad() {
			continue
		}
		if docs[i], err = l.document(ctx, r, tr, res, anchor); err != nil {
			return nil, nil, err
		}
		if r.bad() {
			continue
		}
		docs[i].ID, docs[i].UploadID = ident.New(), u.ID
		docs[i].Key = chain.RowKey(docs[i])
		if _, twice := first[docs[i].Key]; !twice {
			first[docs[i].Key] = i
			keys = append(keys, docs[i].Key)
		}
	}
	var asked []chain.Document
	for _, k := range keys {
		asked = append(asked, docs[first[k]])
	}
	found, err := s.store.KnownDocuments(ctx, u.Tenant, asked)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]money.Fen{}
	for i, k := range found {
		if k.There {
			known[keys[i]] = k.Amount
		}
	}
	var out []chain.Document
	used := map[string]bool{}
	for i, r := range rows {
		u.Rows++
		key := docs[i].Key
		amount, there := known[key]
		if !r.bad() {
			switch f := first[key]; {
			case there && amount != docs[i].Amount:
				l.fail(r, "amount", l.raw(data[i], "amount"), errDiffers.With("amount", amount))
			case f != i && docs[f].Amount != docs[i].Amount:
				l.fail(r, "amount", l.raw(data[i], "amount"), errTwice.With("row", rows[f].number))
			}
		}
		if !r.bad() {
			used[docs[i].SellerID], used[docs[i].BuyerID] = true, true
		}
		switch {
		case r.bad():
			u.Bad++
		case there || first[key] != i:
			u.Known++
		default:
			u.Good++
			out = append(out, docs[i])
		}
		u.Errors = append(u.Errors, r.errs[:min(len(r.errs), maxErrors-len(u.Errors))]...)
	}
	var firms []chain.Party
	for _, p := range res.Touched() {
		if !used[p.ID] { // only bad rows mention it
			continue
		}
		if p.CreatedAt.IsZero() {
			p.CreatedAt = now.UTC()
		}
		firms = append(firms, p)
	}
	return firms, out, nil
}

// open reads the file as a table of kind.
func open(body []byte, kind chain.DocKind) (*sheet.Table, layout, error) {
	columns, err := Columns(kind)
	if err != nil {
		return nil, layout{}, err
	}
	t, err := sheet.Read(body, func(t *sheet.Table) bool {
		l, err := find(t, kind, columns)
		return err == nil || (errors.Is(err, sheet.ErrEmpty) && len(l.at) > 0)
	})
	if err != nil {
		return nil, layout{}, err
	}
	l, err := find(t, kind, columns)
	return t, l, err
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
