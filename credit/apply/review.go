package apply

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with reviews.
var (
	ErrReviewed     = fault.New(fault.Conflict, "review.again", "a person's review of this decision was asked for already")
	ErrNothing      = fault.New(fault.Conflict, "review.nothing", "there is no decision to review while the application is {state}")
	ErrReviewAbsent = fault.New(fault.NotFound, "review.not_found", "there is no such review that is open")
	ErrReason       = fault.New(fault.Invalid, "review.reason", "say in up to 1000 characters what the person should look at")
)

// Review is a borrower's request that a person looks at a decision. Whoever is decided on
// by a machine may ask for it (Personal Information Protection Law, article 24).
type Review struct {
	ID            string     `json:"id"`
	Tenant        string     `json:"-"`
	ApplicationID string     `json:"application_id"`
	DecisionID    string     `json:"decision_id"`
	UserID        string     `json:"user_id"`
	UserName      string     `json:"user_name"`
	Reason        string     `json:"reason"`
	OpenedAt      time.Time  `json:"opened_at"`
	ClosedAt      *time.Time `json:"closed_at,omitempty"`
	ClosedBy      string     `json:"closed_by,omitempty"` // user id of the officer
	Answer        string     `json:"answer,omitempty"`    // what the officer tells the borrower
}

// ReviewFilter selects reviews, oldest first; zero fields do not restrict.
type ReviewFilter struct {
	Open          bool
	ApplicationID string
	After         string // keyset: ids greater than this
	Limit         int    // 0 means 50; at most 500
}

// AskReview opens a task for an officer. A refused application goes back to a person; one
// that is offered, referred, taken, signed or drawn stays where it is: of a limit that
// moved, or a draw that it does not carry, the borrower may ask as well. ErrReviewed when it was asked for this
// decision before, ErrNothing without a decision that a review could change.
func (s *Service) AskReview(ctx context.Context, actor access.Actor, id, reason string) (Review, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Review{}, err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > 1000 {
		return Review{}, ErrReason.At("body.reason")
	}
	r := Review{
		ID: ident.New(), Tenant: a.Tenant, ApplicationID: a.ID, DecisionID: a.DecisionID,
		UserID: actor.UserID, UserName: actor.Name, Reason: reason, OpenedAt: s.now(),
	}
	switch {
	case a.DecisionID == "":
		return Review{}, ErrNothing.With("state", a.State)
	case a.State == Refused:
		_, err = s.move(ctx, actor, a, Referred, reason, Record{Review: &r})
	case slices.Contains([]State{Offered, Referred, Accepted, Signed, Active}, a.State):
		err = s.cfg.Store.AddReview(ctx, r)
	default:
		return Review{}, ErrNothing.With("state", a.State)
	}
	if err != nil {
		return Review{}, err
	}
	return r, nil
}

// Reviews lists requests for review.
func (s *Service) Reviews(ctx context.Context, tenant string, f ReviewFilter) ([]Review, error) {
	return s.cfg.Store.Reviews(ctx, tenant, f)
}

// CloseReview ends a review whose decision stands, with the officer's answer. Approving
// or refusing a referred application ends its review with the note. ErrReviewAbsent.
func (s *Service) CloseReview(ctx context.Context, actor access.Actor, id, answer string) (Review, error) {
	answer, err := checkNote(answer)
	if err != nil {
		return Review{}, err
	}
	now := s.now()
	return s.cfg.Store.CloseReview(ctx, Review{Tenant: actor.Tenant, ID: id, ClosedAt: &now, ClosedBy: actor.UserID, Answer: answer})
}

// review adds the request of the decision that holds.
func (s *Service) review(ctx context.Context, a Application, d *Detail) error {
	all, err := s.cfg.Store.Reviews(ctx, a.Tenant, ReviewFilter{ApplicationID: a.ID, Limit: 500})
	for i := range all {
		if all[i].DecisionID == a.DecisionID {
			d.Review = &all[i]
		}
	}
	return err
}
