package apply

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Partial is a draft as far as it is filled in. It names no consents: those are given when
// it is sent.
type Partial struct {
	Subject    credit.Subject `json:"subject,omitzero"`
	Product    string         `json:"product,omitempty" maxLength:"50"`
	Asked      money.Fen      `json:"asked,omitempty" minimum:"0" doc:"fen"`
	TermMonths int            `json:"term_months,omitempty" minimum:"0" maximum:"360"`
	Purpose    string         `json:"purpose,omitempty" maxLength:"500"`
}

// StartDraft saves what is filled in so far. The same key with the same content gives the
// same draft. Who brings it for a borrower names the subject, whose owner it will be.
func (s *Service) StartDraft(ctx context.Context, actor access.Actor, p Partial, channel product.Channel, key string) (Application, error) {
	if key == "" || len(key) > 200 {
		return Application{}, ErrKey.At("header.Idempotency-Key")
	}
	body, err := json.Marshal(p)
	if err != nil {
		return Application{}, err
	}
	now := s.now()
	a := Application{
		ID: ident.New(), Tenant: actor.Tenant, State: Draft, Key: keyOf(channel, actor.UserID, key), KeyHash: credit.Hash(body), Channel: string(channel),
		CreatedAt: now, UpdatedAt: now,
	}
	if actor.Role == access.Borrower {
		a.UserID, a.UserName = actor.UserID, actor.Name
	} else {
		a.bring(actor)
	}
	if a, err = s.fill(ctx, a, p); err != nil {
		return Application{}, err
	}
	if a.UserID == "" {
		return Application{}, ErrSubject.At("body.subject.id")
	}
	a, err = s.cfg.Store.Add(ctx, a)
	if err == nil {
		s.tell(a)
	}
	return a, err
}

// ReviseDraft replaces what a draft says. ErrState when it was sent already.
func (s *Service) ReviseDraft(ctx context.Context, actor access.Actor, id string, p Partial) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if a.State != Draft {
		return Application{}, ErrState.With("state", a.State).With("to", Draft)
	}
	if actor.Role != access.Borrower && !a.broughtBy(actor) {
		return Application{}, access.ErrRole
	}
	if a, err = s.fill(ctx, a, p); err != nil {
		return Application{}, err
	}
	a.UpdatedAt = s.now()
	return a, s.cfg.Store.Revise(ctx, a)
}

// fill puts p into a draft. What is there must be right already, so far as it can be told:
// a product that exists, a subject of the borrower, a purpose that is not too long.
func (s *Service) fill(ctx context.Context, a Application, p Partial) (Application, error) {
	p.Purpose = strings.TrimSpace(p.Purpose)
	if utf8.RuneCountInString(p.Purpose) > 200 {
		return a, ErrPurposeLong.At("body.purpose")
	}
	if p.Product != "" {
		if _, err := s.cfg.Products.Product(p.Product); err != nil {
			return a, err
		}
	}
	a.Subject, a.SubjectName = p.Subject, ""
	a.Product, a.Asked, a.TermMonths, a.Purpose = p.Product, p.Asked, p.TermMonths, p.Purpose
	if p.Subject.ID == "" {
		return a, nil
	}
	owner, ownerName, name, err := s.subject(ctx, a.Tenant, p.Subject)
	switch {
	case err != nil:
		return a, err
	case owner == "" || a.UserID != "" && owner != a.UserID:
		return a, ErrSubject.At("body.subject.id")
	case a.UserID == "":
		a.UserID, a.UserName = owner, ownerName
	}
	a.SubjectName = name
	return a, nil
}

// SendDraft checks all of a draft and has it assessed, as [Service.Submit] does at once.
// Sending it again gives it as it is by then. ErrDraft names what is missing.
func (s *Service) SendDraft(ctx context.Context, actor access.Actor, id string, given []consent.Agreement, device string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if a.State != Draft {
		if slices.Contains([]State{Withdrawn, Expired}, a.State) {
			return Application{}, ErrState.With("state", a.State).With("to", Submitted)
		}
		return a, nil // the answer was lost
	}
	if err := may(actor, a.State, Submitted); err != nil {
		return Application{}, err
	}
	if actor.Role != access.Borrower && !a.broughtBy(actor) {
		return Application{}, access.ErrRole
	}
	if missing := a.missing(); missing != "" {
		return Application{}, ErrDraft.With("missing", missing)
	}
	channel := product.Channel(a.Channel)
	if actor.Role == access.Borrower {
		channel = product.Phone // whoever began it, the borrower sends it
	}
	if err := s.check(Request{Subject: a.Subject, Product: a.Product, Asked: a.Asked, TermMonths: a.TermMonths, Channel: channel}); err != nil {
		return Application{}, err
	}
	if err := s.consent(ctx, actor, a.UserID, Request{Consents: given, Channel: channel, Device: device}); err != nil {
		return Application{}, err
	}
	if len(given) > 0 {
		if err := s.Touch(ctx, actor.Tenant, Filter{UserID: a.UserID}, NewConsent); err != nil {
			return Application{}, err
		}
	}
	if a, err = s.move(ctx, actor, a, Submitted, "", Record{}); err != nil {
		return Application{}, err
	}
	return s.enqueue(ctx, a)
}

// missing names the fields that a draft lacks, "" for none.
func (a Application) missing() string {
	var out []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"subject", a.Subject.ID != "" && a.Subject.Kind != ""}, {"product", a.Product != ""},
		{"asked", a.Asked > 0}, {"term_months", a.TermMonths > 0},
	} {
		if !f.is {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, ", ")
}
