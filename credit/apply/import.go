package apply

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply/intake"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Finder resolves what a table names; ok is false for what is not there, or not only once.
type Finder interface {
	// Person takes the id or login of a borrower.
	Person(ctx context.Context, tenant, name string) (userID string, ok bool, err error)
	// Thing takes the id or name of a plot, herd or firm of a person.
	Thing(ctx context.Context, tenant, userID string, kind credit.SubjectKind, name string) (id string, ok bool, err error)
}

// ImportRequest is a table of applications with what to do with it.
type ImportRequest struct {
	Body    []byte
	DryRun  bool // only say what would happen
	SkipBad bool // take the good rows although others are wrong
	// May narrows what the rows may be about; a fault becomes a remark on the subject.
	// nil allows all.
	May func(ctx context.Context, subject credit.Subject) error
}

// Imported is what became of one row.
type Imported struct {
	Row           int    `json:"row"` // in the spreadsheet
	Borrower      string `json:"borrower"`
	ApplicationID string `json:"application_id,omitempty"`
	State         State  `json:"state,omitempty"`
	Known         bool   `json:"known"` // it was there before
}

// ImportReport is what became of a table of applications.
type ImportReport struct {
	Hash    string          `json:"hash"` // SHA-256 of the file, hex
	DryRun  bool            `json:"dry_run"`
	Rows    int             `json:"rows"`
	Good    int             `json:"good"`
	Known   int             `json:"known"`   // of Good, that were there before
	Created int             `json:"created"` // of Good, that are there now
	Remarks []intake.Remark `json:"remarks"`
	Items   []Imported      `json:"items"` // of good rows
}

// Import takes a table of applications that somebody of the house or a partner brings:
// all of them, or nothing while a cell is wrong, or the good rows. Every row is tried as
// [Service.Submit] would before the first is saved. The same wish in the same words is one
// application, in whatever file it stands, so that a file that broke off may be sent again.
func (s *Service) Import(ctx context.Context, actor access.Actor, r ImportRequest) (ImportReport, error) {
	f, err := intake.Read(r.Body, s.productNamed)
	if err != nil {
		return ImportReport{}, err
	}
	out := ImportReport{Hash: credit.Hash(r.Body), DryRun: r.DryRun, Rows: len(f.Rows), Items: []Imported{}}
	requests := map[int]Request{}
	for i := range f.Rows {
		if f.Rows[i].Bad {
			continue
		}
		req, known, err := s.imported(ctx, actor, f, i, r.May)
		if err != nil {
			return ImportReport{}, err
		}
		if f.Rows[i].Bad {
			continue
		}
		item := Imported{Row: f.Rows[i].Number, Borrower: f.Rows[i].Borrower, ApplicationID: known.ID, State: known.State, Known: known.ID != ""}
		out.Good++
		if item.Known {
			out.Known++
		}
		requests[len(out.Items)] = req
		out.Items = append(out.Items, item)
	}
	out.Remarks = f.Remarks
	if r.DryRun || len(out.Remarks) > 0 && !r.SkipBad {
		return out, nil
	}
	for i := range out.Items {
		item := &out.Items[i]
		if item.Known {
			continue
		}
		a, err := s.Submit(ctx, actor, requests[i], requests[i].key)
		if err != nil {
			return out, err
		}
		item.ApplicationID, item.State = a.ID, a.State
		out.Created++
	}
	return out, nil
}

// imported makes the request of a row and tries it, with the application that it made
// before. What is wrong becomes a remark.
func (s *Service) imported(ctx context.Context, actor access.Actor, f *intake.File, i int, may func(context.Context, credit.Subject) error) (req Request, known Application, err error) {
	row := f.Rows[i]
	user, ok, err := s.cfg.Find.Person(ctx, actor.Tenant, row.Borrower)
	if err != nil {
		return req, known, err
	}
	if !ok {
		f.Remark(i, "borrower", intake.ErrBorrower)
		return req, known, nil
	}
	thing, ok, err := s.cfg.Find.Thing(ctx, actor.Tenant, user, row.Kind, row.Subject)
	if err != nil {
		return req, known, err
	}
	if !ok {
		f.Remark(i, "subject", intake.ErrSubject)
		return req, known, nil
	}
	if may != nil {
		switch err := may(ctx, credit.Subject{Kind: row.Kind, ID: thing}); {
		case fault.Kind(err) != nil:
			f.Remark(i, "subject", err)
			return req, known, nil
		case err != nil:
			return req, known, err
		}
	}
	at := row.AgreedOn.Add(-8 * time.Hour) // the day begins in China
	req = Request{
		Subject: credit.Subject{Kind: row.Kind, ID: thing}, Product: row.Product, Asked: row.Asked, TermMonths: row.TermMonths,
		Purpose: row.Purpose, Channel: channelOf(actor), StatedOn: row.StatedOn, Why: row.Why, key: "file:" + row.Hash(),
	}
	for _, a := range s.cfg.Wordings.Answers("zh-CN", row.Parts...) {
		a.Proof, a.At = row.Proof, &at
		req.Consents = append(req.Consents, a)
	}
	if known, err = s.cfg.Store.ByKey(ctx, actor.Tenant, user, keyOf(req.Channel, actor.UserID, req.key)); err == nil || !errors.Is(err, ErrNotFound) {
		return req, known, err
	}
	for _, try := range []struct {
		field string
		err   error
	}{
		{"product", s.checkKind(req)}, {"asked", s.check(req)}, {"stated_on", s.stated(actor, req)}, {"agreed_on", s.agreedThen(at)},
	} {
		if try.err != nil {
			field := try.field
			switch {
			case errors.Is(try.err, product.ErrTerm):
				field = "term"
			case errors.Is(try.err, product.ErrChannel):
				field = "product"
			case errors.Is(try.err, ErrNote):
				field = "reason"
			}
			f.Remark(i, field, try.err)
			return req, known, nil
		}
	}
	return req, known, nil
}

// checkKind says whether the product lends on the kind of subject.
func (s *Service) checkKind(req Request) error {
	p, err := s.cfg.Products.Product(req.Product)
	if err == nil && p.SubjectKind != req.Subject.Kind {
		err = product.ErrSubject.With("want", p.SubjectKind).With("got", req.Subject.Kind)
	}
	return err
}

// agreedThen says whether a consent on paper may be of that time.
func (s *Service) agreedThen(at time.Time) error {
	now := s.now()
	if money.DateOf(at) > money.DateOf(now) || at.Before(now.AddDate(0, 0, -consent.OldDays)) {
		return consent.ErrTime.With("days", consent.OldDays)
	}
	return nil
}

// channelOf is how somebody who is not the borrower brings applications.
func channelOf(actor access.Actor) product.Channel {
	switch actor.Role {
	case access.Partner:
		return product.API
	case access.Anchor:
		return product.Portal
	default:
		return product.Counter
	}
}

// productNamed gives the code of a product by code or name, "" for none.
func (s *Service) productNamed(name string) string {
	for _, p := range s.cfg.Products.All() {
		if p.Code == name || p.Name["zh-CN"] == name || p.Name["en"] == name {
			return p.Code
		}
	}
	return ""
}
