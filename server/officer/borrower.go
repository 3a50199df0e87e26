package officer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
)

// Profiles keeps what the bank states and uploads of borrowers; profile.Book is one.
type Profiles interface {
	profile.Store
	Set(ctx context.Context, tenant, by string, b profile.Borrower) (profile.Borrower, error)
	AddBureau(ctx context.Context, tenant, by, userID string, r credit.Bureau) (profile.History, error)
	AddBank(ctx context.Context, tenant, by, userID string, r credit.Bank) (profile.History, error)
	Import(ctx context.Context, tenant string, up profile.Upload, find profile.Find) (profile.UploadReport, error)
}

// Consents tells what borrowers agreed to; consent.Book is one.
type Consents interface {
	History(ctx context.Context, tenant, userID string) ([]consent.Act, error)
}

// People finds people; access.Gate is one.
type People interface {
	// User returns access.ErrUserNotFound.
	User(ctx context.Context, tenant, id string) (access.User, error)
	// Find takes an id or a login.
	Find(ctx context.Context, tenant, name string) (access.User, error)
}

func (f face) registerBorrowers(a *route.API) {
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "officer-" + id, Method: method, Path: "/officer" + path, Summary: summary, Tag: "officer"}
	}
	route.Register(a, op("borrower", http.MethodGet, "/borrowers/{id}", "A borrower: profile, uploaded histories, consents, what is lent around them"), f.borrower)
	route.Register(a, op("borrower-set", http.MethodPut, "/borrowers/{id}", "State who a borrower is"), f.setBorrower)
	route.Register(a, op("borrower-bureau", http.MethodPost, "/borrowers/{id}/bureau", "Enter a credit bureau's report"), f.addBureau)
	route.Register(a, op("borrower-bank", http.MethodPost, "/borrowers/{id}/bank", "Enter months of a borrower's accounts"), f.addBank)
	route.Register(a, op("histories", http.MethodGet, "/histories", "Borrowers of whom bureau reports or accounts were uploaded, by id"), f.histories)
	route.Register(a, op("histories-import", http.MethodPost, "/histories", "Upload a table of bureau reports or account months"), f.importHistories)
	route.Register(a, op("reviews", http.MethodGet, "/reviews", "Borrowers who ask for a person's review, oldest first"), f.reviews)
	route.Register(a, op("review-close", http.MethodPost, "/reviews/{id}/close", "Answer a review whose decision stands"), f.closeReview)
}

// HistoryLine is an upload with what became of the consent that it was kept under.
type HistoryLine struct {
	profile.History
	// WithdrawnAt is when that consent was taken back; Closed that no other stands in its
	// place, so that the upload is not read any more.
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
	Closed      bool       `json:"closed,omitempty"`
}

// UploadsLine is a borrower in the list of uploads.
type UploadsLine struct {
	profile.Uploads
	Name string `json:"name"`
	// Closed are the kinds that nothing may be read of any more.
	Closed []profile.Kind `json:"closed"`
}

type uploadsIn struct {
	Q     string `query:"q" maxLength:"64" doc:"id or login of one borrower"`
	After string `query:"after" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (f face) histories(ctx context.Context, who access.Actor, in *uploadsIn) (*route.Body[route.List[UploadsLine]], error) {
	all, err := f.uploads(ctx, who, in)
	lines := make([]UploadsLine, 0, len(all))
	for _, u := range all {
		line := UploadsLine{Uploads: u, Name: u.UserID, Closed: []profile.Kind{}}
		switch user, err := f.People.User(ctx, who.Tenant, u.UserID); {
		case err == nil:
			line.Name = user.Name
		case !errors.Is(err, access.ErrUserNotFound):
			return nil, err
		}
		acts, err := f.Consents.History(ctx, who.Tenant, u.UserID)
		if err != nil {
			return nil, err
		}
		for _, k := range u.Kinds {
			if !consent.Open(acts, string(k.Kind)) {
				line.Closed = append(line.Closed, k.Kind)
			}
		}
		lines = append(lines, line)
	}
	return route.Page(lines, err, in.Limit, func(l UploadsLine) string { return l.UserID })
}

// uploads are those of everybody, or of the one who is asked for.
func (f face) uploads(ctx context.Context, who access.Actor, in *uploadsIn) ([]profile.Uploads, error) {
	if in.Q == "" {
		return f.Profiles.Uploads(ctx, who.Tenant, in.After, in.Limit)
	}
	u, err := f.People.Find(ctx, who.Tenant, in.Q)
	if errors.Is(err, access.ErrUserNotFound) || err == nil && u.Role != access.Borrower {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []profile.Uploads{{UserID: u.ID, Kinds: []profile.UploadsKind{}}}, nil
}

// BorrowerPage is all that the bank keeps of a borrower besides their applications.
type BorrowerPage struct {
	UserID    string            `json:"user_id"`
	Name      string            `json:"name"`
	Profile   *profile.Borrower `json:"profile,omitempty"` // absent until it is stated
	Histories []HistoryLine     `json:"histories"`         // newest first
	Consents  []consent.Act     `json:"consents"`          // oldest first
	Exposure  credit.Exposures  `json:"exposure"`
}

// person returns access.ErrUserNotFound for who is no borrower.
func (f face) person(ctx context.Context, who access.Actor, id string) (access.User, error) {
	u, err := f.People.User(ctx, who.Tenant, id)
	if err == nil && u.Role != access.Borrower {
		return access.User{}, access.ErrUserNotFound
	}
	return u, err
}

func (f face) borrower(ctx context.Context, who access.Actor, in *ByID) (*route.Body[BorrowerPage], error) {
	u, err := f.person(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	page := BorrowerPage{UserID: u.ID, Name: u.Name}
	around := profile.Around{UserID: u.ID}
	switch b, err := f.Profiles.Borrower(ctx, who.Tenant, u.ID); {
	case err == nil:
		page.Profile = &b
		around.Household, around.Group, around.Region = b.Household, b.Group, b.Region
	case !errors.Is(err, profile.ErrNotFound):
		return nil, err
	}
	if page.Consents, err = f.Consents.History(ctx, who.Tenant, u.ID); err != nil {
		return nil, err
	}
	all, err := f.Profiles.Histories(ctx, who.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	page.Histories = make([]HistoryLine, len(all))
	for i, h := range all {
		page.Histories[i] = HistoryLine{History: h, Closed: !consent.Open(page.Consents, string(h.Kind))}
		if at, ended := consent.Ended(page.Consents, h.ConsentID); ended {
			page.Histories[i].WithdrawnAt = &at
		}
	}
	page.Exposure, err = f.Profiles.Exposure(ctx, who.Tenant, around)
	return route.Answer(page, err)
}

type borrowerIn struct {
	ByID
	Body struct {
		Kind      string `json:"kind" enum:"person,firm"`
		BirthYear int    `json:"birth_year,omitempty"`
		Region    string `json:"region,omitempty" maxLength:"6" doc:"county, six digits of GB/T 2260"`
		Industry  string `json:"industry,omitempty" maxLength:"5" doc:"code of GB/T 4754"`
		Household string `json:"household,omitempty" maxLength:"64" doc:"who share a purse have the same"`
		Group     string `json:"group,omitempty" maxLength:"64" doc:"who stand for each other have the same"`
	}
}

func (f face) setBorrower(ctx context.Context, who access.Actor, in *borrowerIn) (*route.Body[profile.Borrower], error) {
	u, err := f.person(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	return route.Answer(f.Profiles.Set(ctx, who.Tenant, who.UserID, profile.Borrower{
		UserID: u.ID, Kind: b.Kind, BirthYear: b.BirthYear, Region: b.Region, Industry: b.Industry, Household: b.Household, Group: b.Group,
	}))
}

type bureauIn struct {
	ByID
	Body credit.Bureau
}

func (f face) addBureau(ctx context.Context, who access.Actor, in *bureauIn) (*route.Body[profile.History], error) {
	u, err := f.person(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Profiles.AddBureau(ctx, who.Tenant, who.UserID, u.ID, in.Body))
}

type bankIn struct {
	ByID
	Body credit.Bank
}

func (f face) addBank(ctx context.Context, who access.Actor, in *bankIn) (*route.Body[profile.History], error) {
	u, err := f.person(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Profiles.AddBank(ctx, who.Tenant, who.UserID, u.ID, in.Body))
}

type historiesIn struct {
	RawBody huma.MultipartFormFiles[struct {
		Kind   string        `form:"kind" required:"true" enum:"bureau,bank"`
		DryRun bool          `form:"dry_run" required:"false" doc:"say what would be kept and what is wrong, and keep nothing"`
		File   huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"XLSX or CSV"`
	}]
}

func (f face) importHistories(ctx context.Context, who access.Actor, in *historiesIn) (*route.Body[profile.UploadReport], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	body, err := io.ReadAll(io.LimitReader(form.File, sheet.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, form.File.Filename)
	find := func(ctx context.Context, tenant, name string) (string, bool, error) {
		u, err := f.People.Find(ctx, tenant, name)
		if errors.Is(err, access.ErrUserNotFound) {
			return "", false, nil
		}
		return u.ID, u.Role == access.Borrower, err
	}
	return route.Answer(f.Profiles.Import(ctx, who.Tenant, profile.Upload{
		Kind: profile.Kind(form.Kind), File: form.File.Filename, Body: body, By: who.UserID, DryRun: form.DryRun,
	}, find))
}

type reviewsIn struct {
	All   bool   `query:"all" doc:"also those that are answered"`
	After string `query:"after" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) reviews(ctx context.Context, who access.Actor, in *reviewsIn) (*route.Body[route.List[apply.Review]], error) {
	items, err := f.Desk.Reviews(ctx, who.Tenant, apply.ReviewFilter{Open: !in.All, After: in.After, Limit: in.Limit})
	next := ""
	if len(items) == in.Limit {
		next = items[len(items)-1].ID
	}
	return route.Answer(route.List[apply.Review]{Items: items, Next: next}, err)
}

type closeReviewIn struct {
	ByID
	Body struct {
		Answer string `json:"answer" maxLength:"2000" doc:"what the borrower is told"`
	}
}

func (f face) closeReview(ctx context.Context, who access.Actor, in *closeReviewIn) (*route.Body[apply.Review], error) {
	return route.Answer(f.Desk.CloseReview(ctx, who, in.ID, in.Body.Answer))
}
