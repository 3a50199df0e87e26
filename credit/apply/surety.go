package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/contract"
)

// Guarantor is a person or firm who answers for a loan. One with a user id signs on an own
// phone; of another, such as a guarantee company, an officer brings the letter.
type Guarantor struct {
	Nr       int        `json:"nr"` // 1, 2, ...
	UserID   string     `json:"user_id,omitempty"`
	Name     string     `json:"name"`
	Code     string     `json:"code,omitempty" doc:"credit code of a firm"`
	SignedAt *time.Time `json:"signed_at,omitempty"`
}

// String is how a contract names it.
func (x Guarantor) String() string {
	if x.Code == "" {
		return x.Name
	}
	return x.Name + " (" + x.Code + ")"
}

// maxSureties is how many may answer for one loan, where the product says nothing.
const maxSureties = 10

// SetSureties names who answers for an application, before anybody has signed. An officer
// does so. ErrSurety, ErrState.
func (s *Service) SetSureties(ctx context.Context, actor access.Actor, id string, list []Guarantor) ([]Guarantor, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if actor.Role != access.Officer {
		return nil, access.ErrRole
	}
	if !slices.Contains([]State{Draft, Submitted, Deciding, Referred, Offered}, a.State) {
		return nil, ErrState.With("state", a.State).With("to", Accepted)
	}
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return nil, err
	}
	most := 0
	if prod.Surety != nil {
		if most = prod.Surety.MaxParties; most == 0 {
			most = maxSureties
		} else if prod.Surety.Kind == "joint" {
			most-- // the borrower is one of them
		}
	}
	if len(list) > most {
		return nil, ErrSurety.At("body.guarantors").With("why", "the product takes none or fewer")
	}
	for i := range list {
		x := &list[i]
		x.Nr, x.SignedAt, x.Name, x.Code = i+1, nil, strings.TrimSpace(x.Name), strings.TrimSpace(x.Code)
		same := func(o Guarantor) bool {
			return o.Name == x.Name && o.Code == x.Code || x.UserID != "" && o.UserID == x.UserID
		}
		switch {
		case x.Name == "" || utf8.RuneCountInString(x.Name) > 100 || len(x.Code) > 18:
			return nil, ErrSurety.At("body.guarantors[%d].name", i).With("why", "give a name of up to 100 characters and a credit code of 18")
		case x.UserID == a.UserID:
			return nil, ErrSurety.At("body.guarantors[%d].user_id", i).With("why", "it is the borrower")
		case slices.ContainsFunc(list[:i], same):
			return nil, ErrSurety.At("body.guarantors[%d]", i).With("why", "it stands here twice")
		}
	}
	if err := s.cfg.Store.SetSureties(ctx, a.Tenant, id, list); err != nil {
		return nil, err
	}
	return s.cfg.Store.Sureties(ctx, a.Tenant, id)
}

// Guarantee is a loan for which somebody answers.
type Guarantee struct {
	Application Application `json:"application"`
	Guarantor   Guarantor   `json:"guarantor"`
}

// Guarantees are the loans for which the actor answers or is asked to, newest first.
func (s *Service) Guarantees(ctx context.Context, actor access.Actor) ([]Guarantee, error) {
	ids, err := s.cfg.Store.Answered(ctx, actor.Tenant, actor.UserID)
	if err != nil {
		return nil, err
	}
	out := []Guarantee{}
	for _, id := range ids {
		a, err := s.cfg.Store.Application(ctx, actor.Tenant, id)
		if err != nil {
			return nil, err
		}
		list, err := s.cfg.Store.Sureties(ctx, actor.Tenant, id)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			if x.UserID == actor.UserID {
				out = append(out, Guarantee{a, x})
			}
		}
	}
	return out, nil
}

// SignSurety takes the signature of one who answers for the loan: their own on a phone, or
// by the paper that an officer brings. The last one makes the contract. ErrContract when
// by.Hash is not of the contract that the borrower signed, ErrSurety for somebody else.
func (s *Service) SignSurety(ctx context.Context, actor access.Actor, id string, nr int, by Signing) (Application, error) {
	a, err := s.readable(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	list, err := s.cfg.Store.Sureties(ctx, a.Tenant, id)
	if err != nil {
		return Application{}, err
	}
	i := slices.IndexFunc(list, func(x Guarantor) bool { return x.Nr == nr })
	switch {
	case i < 0:
		return Application{}, ErrSurety.With("why", "nobody with this number answers for it")
	case actor.Role == access.Borrower && list[i].UserID != actor.UserID:
		return Application{}, ErrSurety.With("why", "it is somebody else")
	case actor.Role == access.Officer && (list[i].UserID != "" || strings.TrimSpace(by.Proof) == ""):
		return Application{}, ErrSurety.With("why", "who has a phone signs on it; of others give the number or hash of the letter")
	case actor.Role != access.Borrower && actor.Role != access.Officer:
		return Application{}, access.ErrRole
	}
	c, err := s.signed(ctx, a)
	if errors.Is(err, ErrNotFound) {
		return Application{}, ErrNoContract.With("state", a.State)
	} else if err != nil {
		return Application{}, err
	}
	if by.Hash != c.Hash && by.Hash != c.Document {
		return Application{}, ErrContract
	}
	if a.State != Accepted {
		if list[i].SignedAt != nil {
			return a, nil // the answer was lost
		}
		return Application{}, ErrState.With("state", a.State).With("to", Signed)
	}
	if list[i].SignedAt == nil {
		sig := evidence(actor, c, by, s.now())
		sig.Party, sig.UserID, sig.Name = contract.Guarantor, list[i].UserID, list[i].String()
		r, err := s.sealing(sig)
		if err != nil {
			return Application{}, err
		}
		r.Surety = nr
		if err := s.cfg.Store.Witness(ctx, a, r); err != nil {
			return Application{}, err
		}
	}
	// Others may have signed meanwhile, so that it is asked again who is left.
	if list, err = s.cfg.Store.Sureties(ctx, a.Tenant, id); err != nil {
		return Application{}, err
	}
	if slices.ContainsFunc(list, func(x Guarantor) bool { return x.SignedAt == nil }) {
		return a, nil
	}
	after, err := s.conclude(ctx, actor, a, Record{})
	if errors.Is(err, ErrState) {
		return s.cfg.Store.Application(ctx, a.Tenant, id)
	}
	return after, err
}
