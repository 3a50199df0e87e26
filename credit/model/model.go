// Package model is the register of the models that score: who made each from what, who
// looked at it and when, which one is in use, and how it fares on the decisions made
// with it.
//
// A version never changes once it is in the register. It goes from draft to review to
// published to retired; a second person reviews before it is published, and again at
// least every three months while it is in use.
package model

import (
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/recall"
)

// What can go wrong.
var (
	ErrNotFound  = fault.New(fault.NotFound, "model.not_found", "there is no model {name}; furrow model list shows those that are")
	ErrTaken     = fault.New(fault.Conflict, "model.taken", "model {name} is there already with other contents; give the new one a new version")
	ErrStatus    = fault.New(fault.Conflict, "model.status", "model {name} is {status}; {do}")
	ErrSame      = fault.New(fault.Forbidden, "model.same_person", "{who} put model {name} into the register; another person must review it")
	ErrStale     = fault.New(fault.Conflict, "model.stale", "somebody else changed model {name} just now; look again")
	ErrField     = fault.New(fault.Invalid, "model.field", "{field}: {why}")
	ErrScoresLow = fault.New(fault.Invalid, "model.scores", "a distribution needs at least {least} scores; there are {count}")
)

// Status is where a version stands.
type Status string

// Statuses.
const (
	Draft     Status = "draft"
	InReview  Status = "in_review"
	Published Status = "published"
	Retired   Status = "retired"
)

// Applicants are the kinds of borrowers that models are for.
func Applicants() []string { return []string{"farmer", "herder", "firm", "any"} }

// Dimensions are what models look at; "whole" is all of it.
func Dimensions() []string {
	return []string{"owner", "firm", "industry", "enhancement", "scene", "whole"}
}

// ScoreModel is one version in the register.
type ScoreModel struct {
	ID        string      `json:"id"` // name@version:hash, as decisions name it
	Name      string      `json:"name"`
	Version   string      `json:"version"`
	Owner     string      `json:"owner"` // who answers for it: a person or a department
	Applicant string      `json:"applicant" enum:"farmer,herder,firm,any"`
	Dimension string      `json:"dimension" enum:"owner,firm,industry,enhancement,scene,whole"`
	Status    Status      `json:"status" enum:"draft,in_review,published,retired"`
	Training  ModelRecord `json:"training"`
	// Reference is how the scores of the training rows lie, nil when nobody gave them.
	Reference   *PointsReference `json:"reference,omitempty"`
	AddedBy     string           `json:"added_by"` // user id
	AddedByName string           `json:"added_by_name"`
	AddedAt     time.Time        `json:"added_at"`
	PublishedAt *time.Time       `json:"published_at,omitempty"`
	RetiredAt   *time.Time       `json:"retired_at,omitempty"`
	Reviews     []ModelReview    `json:"reviews"` // oldest first
	// ReviewDue is when a published model must be looked at again; Overdue that it was not.
	ReviewDue *time.Time `json:"review_due,omitempty"`
	Overdue   bool       `json:"overdue"`

	Seq int64 `json:"-"` // changes so far, for the optimistic lock
}

// ModelRecord is how the model was made.
type ModelRecord struct {
	Data    string             `json:"data"` // SHA-256 of the table
	Rows    int                `json:"rows"`
	Bad     int                `json:"bad"`
	From    string             `json:"from,omitempty"` // first and last day of the rows
	To      string             `json:"to,omitempty"`
	Seed    uint64             `json:"seed"`
	Method  string             `json:"method"`
	Folds   string             `json:"folds,omitempty"`   // how it was measured: "5 folds, seed 42, groups county"
	Figures map[string]float64 `json:"figures,omitempty"` // measured on rows not used
	By      string             `json:"by,omitempty"`      // who made it
	At      string             `json:"at,omitempty"`      // the day
}

// Verdict of a review.
type Verdict string

// Verdicts.
const (
	Approve Verdict = "approve" // fit for use, or still fit
	Return  Verdict = "return"  // not fit: a draft again, or to be retired
)

// ModelReview is one look of a second person.
type ModelReview struct {
	ID      string    `json:"id"`
	By      string    `json:"by"`
	ByName  string    `json:"by_name"`
	At      time.Time `json:"at"`
	Verdict Verdict   `json:"verdict" enum:"approve,return"`
	Note    string    `json:"note"`
}

// ReviewMonths is how long a review of a published model lasts.
const ReviewMonths = 3

// judge fills what follows from the clock.
func (e *ScoreModel) judge(now time.Time) {
	if e.Status != Published || e.PublishedAt == nil {
		return
	}
	last := *e.PublishedAt
	for _, r := range e.Reviews {
		if r.Verdict == Approve && r.At.After(last) {
			last = r.At
		}
	}
	due := last.AddDate(0, ReviewMonths, 0)
	e.ReviewDue, e.Overdue = &due, now.After(due)
}

// approved tells whether the last review says yes.
func (e *ScoreModel) approved() bool {
	return len(e.Reviews) > 0 && e.Reviews[len(e.Reviews)-1].Verdict == Approve
}

// Filter selects entries; zero fields do not restrict.
type Filter struct {
	Name      string
	Applicant string
	Status    Status
}

// Store keeps the register. Implemented in store/model.
type Store interface {
	// Add keeps a version with its file; ErrTaken when the name and version are there.
	Add(ctx context.Context, tenant string, e ScoreModel, file []byte) error
	// Entries come by name, then newest first, with their reviews.
	Entries(ctx context.Context, tenant string, f Filter) ([]ScoreModel, error)
	// File returns the bytes of a version; ErrNotFound.
	File(ctx context.Context, tenant, name, version string) ([]byte, error)
	// Save writes the entry's status and times, a review when there is one, and retires
	// the version of the same name that was published when e now is. All or none.
	// ErrStale: e.Seq is not the one in the store.
	Save(ctx context.Context, tenant string, e ScoreModel, r *ModelReview) error
	// Observations calls f for each decision of a span of time, oldest first.
	Observations(ctx context.Context, tenant string, from, to time.Time, f func(Observation) error) error
}

// Service is the register.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() string

	inUse recall.Memory[[]InUse] // by tenant
}

// NewService returns the register on a store, with a clock and a maker of ids.
func NewService(store Store, now func() time.Time, newID func() string) *Service {
	s := &Service{Store: store, Now: now, NewID: newID}
	s.inUse = recall.Memory[[]InUse]{Ask: s.published, For: keep, Now: now}
	return s
}

// New is what a person puts into the register besides the file.
type New struct {
	Owner     string
	Applicant string
	Dimension string // that of the file when empty
	Folds     string
	By, At    string // who made it and when, when known
	Scores    []int  // of the training rows, or none
}

// Add puts a version into the register as a draft. The same file again answers with
// what is there. It returns score.ErrModel, ErrField, ErrScoresLow and ErrTaken.
func (s *Service) Add(ctx context.Context, who access.Actor, file []byte, in New) (ScoreModel, error) {
	m, err := score.Read(file)
	if err != nil {
		return ScoreModel{}, err
	}
	f := m.File()
	if in.Dimension == "" {
		in.Dimension = f.Dimension
	}
	if in.Dimension == "" {
		in.Dimension = "whole"
	}
	switch {
	case in.Owner == "":
		return ScoreModel{}, ErrField.With("field", "owner").With("why", "say who answers for the model")
	case !slices.Contains(Applicants(), in.Applicant):
		return ScoreModel{}, ErrField.With("field", "applicant").With("why", "it is farmer, herder, firm or any")
	case !slices.Contains(Dimensions(), in.Dimension):
		return ScoreModel{}, ErrField.With("field", "dimension").With("why", "it is owner, firm, industry, enhancement, scene or whole")
	}
	e := ScoreModel{
		ID: m.ID(), Name: f.Name, Version: f.Version, Owner: in.Owner, Applicant: in.Applicant, Dimension: in.Dimension,
		Status: Draft, AddedBy: who.UserID, AddedByName: who.Name, AddedAt: s.Now().UTC(), Reviews: []ModelReview{},
		Training: ModelRecord{Method: f.Method, Folds: in.Folds, By: in.By, At: in.At},
	}
	if t := f.Training; t != nil {
		e.Training.Data, e.Training.Rows, e.Training.Bad, e.Training.Seed = t.Data, t.Rows, t.Bad, t.Seed
		e.Training.From, e.Training.To, e.Training.Figures = t.From, t.To, t.Figures
	}
	if len(in.Scores) > 0 {
		if e.Reference, err = NewReference(in.Scores); err != nil {
			return ScoreModel{}, err
		}
	}
	old, err := s.get(ctx, who.Tenant, e.Name, e.Version)
	switch {
	case err == nil && old.ID == e.ID:
		return old, nil
	case err == nil:
		return ScoreModel{}, ErrTaken.With("name", e.Name+"@"+e.Version)
	}
	if err := s.Store.Add(ctx, who.Tenant, e, m.Bytes()); err != nil {
		return ScoreModel{}, err
	}
	return e, nil
}

// List returns the register.
func (s *Service) List(ctx context.Context, tenant string, f Filter) ([]ScoreModel, error) {
	list, err := s.Store.Entries(ctx, tenant, f)
	for i := range list {
		list[i].judge(s.Now())
	}
	return list, err
}

// Entry returns one version; ErrNotFound.
func (s *Service) Entry(ctx context.Context, tenant, name, version string) (ScoreModel, error) {
	return s.get(ctx, tenant, name, version)
}

// File returns the model of a version; ErrNotFound.
func (s *Service) File(ctx context.Context, tenant, name, version string) (*score.Model, error) {
	b, err := s.Store.File(ctx, tenant, name, version)
	if err != nil {
		return nil, err
	}
	return score.Read(b)
}

func (s *Service) get(ctx context.Context, tenant, name, version string) (ScoreModel, error) {
	list, err := s.List(ctx, tenant, Filter{Name: name})
	if err != nil {
		return ScoreModel{}, err
	}
	for _, e := range list {
		if e.Version == version {
			return e, nil
		}
	}
	return ScoreModel{}, ErrNotFound.With("name", name+"@"+version)
}

// Submit asks for a review of a draft.
func (s *Service) Submit(ctx context.Context, who access.Actor, name, version string) (ScoreModel, error) {
	return s.change(ctx, who, name, version, func(e *ScoreModel) (*ModelReview, error) {
		if e.Status != Draft {
			return nil, status(e, "only a draft is handed in")
		}
		e.Status = InReview
		return nil, nil
	})
}

// Review records the look of a second person at a version in review or in use. One
// that is returned is a draft again; one in use stays so until it is retired.
func (s *Service) Review(ctx context.Context, who access.Actor, name, version string, v Verdict, note string) (ScoreModel, error) {
	return s.change(ctx, who, name, version, func(e *ScoreModel) (*ModelReview, error) {
		switch {
		case v != Approve && v != Return:
			return nil, ErrField.With("field", "verdict").With("why", "it is approve or return")
		case note == "":
			return nil, ErrField.With("field", "note").With("why", "say what you looked at and found")
		case e.Status != InReview && e.Status != Published:
			return nil, status(e, "only a version handed in for review, or in use, is reviewed")
		case who.UserID == e.AddedBy:
			return nil, ErrSame.With("who", e.AddedByName).With("name", e.Name+"@"+e.Version)
		}
		if e.Status == InReview && v == Return {
			e.Status = Draft
		}
		return &ModelReview{ID: s.NewID(), By: who.UserID, ByName: who.Name, At: s.Now().UTC(), Verdict: v, Note: note}, nil
	})
}

// Publish puts a version in use whose last review approves; the one in use under the
// same name is retired.
func (s *Service) Publish(ctx context.Context, who access.Actor, name, version string) (ScoreModel, error) {
	return s.change(ctx, who, name, version, func(e *ScoreModel) (*ModelReview, error) {
		if e.Status != InReview || !e.approved() {
			return nil, status(e, "a second person must approve it first")
		}
		now := s.Now().UTC()
		e.Status, e.PublishedAt = Published, &now
		return nil, nil
	})
}

// Retire takes a version out of use.
func (s *Service) Retire(ctx context.Context, who access.Actor, name, version string) (ScoreModel, error) {
	return s.change(ctx, who, name, version, func(e *ScoreModel) (*ModelReview, error) {
		if e.Status == Retired {
			return nil, status(e, "nothing is left to do")
		}
		now := s.Now().UTC()
		e.Status, e.RetiredAt = Retired, &now
		return nil, nil
	})
}

func status(e *ScoreModel, do string) error {
	return ErrStatus.With("name", e.Name+"@"+e.Version).With("status", e.Status).With("do", do)
}

// change applies one step and forgets what was kept of the models in use.
func (s *Service) change(ctx context.Context, who access.Actor, name, version string, step func(*ScoreModel) (*ModelReview, error)) (ScoreModel, error) {
	e, err := s.get(ctx, who.Tenant, name, version)
	if err != nil {
		return ScoreModel{}, err
	}
	r, err := step(&e)
	if err != nil {
		return ScoreModel{}, err
	}
	if err := s.Store.Save(ctx, who.Tenant, e, r); err != nil {
		return ScoreModel{}, err
	}
	s.inUse.Forget(who.Tenant)
	return s.get(ctx, who.Tenant, name, version)
}
