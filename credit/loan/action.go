package loan

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// What can be wrong with a proposed action.
var (
	ErrActionNotFound = fault.New(fault.NotFound, "loan.action_not_found", "there is no such proposal")
	ErrActionState    = fault.New(fault.Conflict, "loan.action_state", "this proposal is {state} already")
	ErrSamePerson     = fault.New(fault.Forbidden, "loan.same_person", "who proposes cannot approve; ask a colleague")
	ErrReason         = fault.New(fault.Invalid, "loan.reason", "give a reason, up to 500 characters")
)

// ActionState of a proposal.
type ActionState string

// States of a proposal.
const (
	Proposed ActionState = "proposed"
	Approved ActionState = "approved"
	Refused  ActionState = "refused"
)

// Action is an operation that one person proposes and another approves or refuses.
type Action struct {
	ID          string          `json:"id"`
	Tenant      string          `json:"-"`
	LoanID      string          `json:"loan_id"`
	Event       servicing.Event `json:"event"`
	Reason      string          `json:"reason"`
	State       ActionState     `json:"state"`
	By          string          `json:"by"`
	ByName      string          `json:"by_name"`
	At          time.Time       `json:"at"`
	Decided     string          `json:"decided,omitempty"` // by whom
	DecidedName string          `json:"decided_name,omitempty"`
	Note        string          `json:"note,omitempty"`
	DecidedAt   *time.Time      `json:"decided_at,omitempty"`
	Key         string          `json:"-"`
	KeyHash     string          `json:"-"`
}

// ActionFilter selects proposals, newest first; zero fields do not restrict.
type ActionFilter struct {
	LoanID string
	State  ActionState
	Before string
	Limit  int // 0 means 50; at most 500
}

// Propose keeps an operation for a second person. It must be possible now; see [Service.Preview]
// for the errors. ErrReason, ErrKeyReused.
func (s *Service) Propose(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event, reason, key string) (Action, error) {
	if n := len([]rune(reason)); n == 0 || n > 500 {
		return Action{}, ErrReason.At("body.reason")
	}
	if err := checkKey(key); err != nil {
		return Action{}, err
	}
	hash := eventHash("propose", loanID, ev, reason)
	known := func() (Action, error) {
		a, err := s.cfg.Store.ActionByKey(ctx, actor.Tenant, key)
		if err == nil && a.KeyHash != hash {
			return Action{}, ErrKeyReused
		}
		return a, err
	}
	if a, err := known(); !errors.Is(err, ErrActionNotFound) {
		return a, err
	}
	view, err := s.Preview(ctx, actor, loanID, ev)
	if err != nil {
		return Action{}, err
	}
	a := Action{
		ID: ident.New(), Tenant: actor.Tenant, LoanID: loanID, Event: view.Event, Reason: reason, State: Proposed,
		By: actor.UserID, ByName: actor.Name, At: s.now(), Key: key, KeyHash: hash,
	}
	if err := s.cfg.Store.SaveAction(ctx, a); err != nil {
		if errors.Is(err, ErrStale) {
			return known()
		}
		return Action{}, err
	}
	return a, nil
}

// Approve has another person agree to a proposal, which is carried out with it, all or
// nothing. ErrSamePerson, ErrActionState, and what the operation itself can say.
func (s *Service) Approve(ctx context.Context, actor access.Actor, id, note string) (Action, error) {
	a, err := s.decide(ctx, actor, id, note, Approved)
	if err != nil || a.State != Proposed {
		return a, err
	}
	a.State = Approved
	h := Happening{
		Event: a.Event, By: a.By, ByName: a.ByName, Second: actor.UserID, SecondName: actor.Name, Note: a.Reason,
		Key: "action:" + a.ID, KeyHash: a.KeyHash,
	}
	if _, err := s.book(ctx, actor.Tenant, a.LoanID, h, &a); err != nil {
		if now, again := s.cfg.Store.Action(ctx, actor.Tenant, id); again == nil && now.State != Proposed { // somebody was faster
			return s.decide(ctx, actor, id, note, Approved)
		}
		return Action{}, err
	}
	return a, nil
}

// Refuse ends a proposal.
func (s *Service) Refuse(ctx context.Context, actor access.Actor, id, note string) (Action, error) {
	a, err := s.decide(ctx, actor, id, note, Refused)
	if err != nil || a.State != Proposed {
		return a, err
	}
	a.State = Refused
	return a, s.cfg.Store.SaveAction(ctx, a)
}

// decide readies a proposal to go to a state; one that is in it already comes back as it is.
func (s *Service) decide(ctx context.Context, actor access.Actor, id, note string, to ActionState) (Action, error) {
	a, err := s.cfg.Store.Action(ctx, actor.Tenant, id)
	switch {
	case err != nil:
		return Action{}, err
	case a.State == to && a.Decided == actor.UserID:
		return a, nil // the answer was lost
	case a.State != Proposed:
		return Action{}, ErrActionState.With("state", a.State)
	case a.By == actor.UserID && to == Approved:
		return Action{}, ErrSamePerson
	case actor.Role != access.Officer:
		return Action{}, access.ErrRole
	}
	now := s.now()
	a.Decided, a.DecidedName, a.Note, a.DecidedAt = actor.UserID, actor.Name, note, &now
	return a, nil
}

// Actions lists proposals, newest first.
func (s *Service) Actions(ctx context.Context, tenant string, f ActionFilter) ([]Action, error) {
	return s.cfg.Store.Actions(ctx, tenant, f)
}
