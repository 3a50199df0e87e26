package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Guarantor is a person or firm who answers for a loan. One with a user id signs on an own
// phone; of another, such as a guarantee company, an officer brings the letter.
type Guarantor struct {
	Nr       int        `json:"nr"` // 1, 2, ...
	UserID   string     `json:"user_id,omitempty"`
	Name     string     `json:"name"`
	Code     string     `json:"code,omitempty" doc:"credit code of a firm"`
	SignedAt *time.Time `json:"signed_at,omitempty"`
	// DeclinedAt is when they said no, Reason why.
	DeclinedAt *time.Time `json:"declined_at,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

// What can be wrong with those who answer for a loan.
var (
	ErrSuretyMost     = fault.New(fault.Invalid, "surety.most", "the product takes at most {most} who answer for the loan; {named} are named")
	ErrSuretyName     = fault.New(fault.Invalid, "surety.name", "give a name of up to 100 characters, and of a firm its credit code of 18")
	ErrSuretySelf     = fault.New(fault.Invalid, "surety.self", "a borrower cannot answer for the own loan; name somebody else")
	ErrSuretyTwice    = fault.New(fault.Invalid, "surety.twice", "this person or firm stands in the list twice")
	ErrSuretyOther    = fault.New(fault.NotFound, "surety.not_found", "you are not asked to answer for this loan under this number")
	ErrSuretyPaper    = fault.New(fault.Invalid, "surety.paper", "who has an account signs on the own phone; of others give the number or hash of the letter")
	ErrSuretyWords    = fault.New(fault.Invalid, "surety.declaration", "read the guarantor's declaration and agree to it; send the SHA-256 of the words that were shown")
	ErrSuretyDeclined = fault.New(fault.Conflict, "surety.declined", "this guarantee was declined; the bank must ask again before it can be signed")
	ErrSuretyReason   = fault.New(fault.Invalid, "surety.reason", "say in at most 200 characters why you decline")
	ErrSuretySigned   = fault.New(fault.Conflict, "surety.signed", "this guarantee is signed and cannot be declined; speak to the bank")
)

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
// does so. ErrSuretyMost, ErrSuretyName, ErrSuretySelf, ErrSuretyTwice, ErrState.
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
		return nil, ErrSuretyMost.At("body.guarantors").With("most", most).With("named", len(list))
	}
	for i := range list {
		x := &list[i]
		x.Nr, x.SignedAt, x.DeclinedAt, x.Name, x.Code = i+1, nil, nil, strings.TrimSpace(x.Name), strings.TrimSpace(x.Code)
		same := func(o Guarantor) bool {
			return o.Name == x.Name && o.Code == x.Code || x.UserID != "" && o.UserID == x.UserID
		}
		switch {
		case x.Name == "" || utf8.RuneCountInString(x.Name) > 100 || len(x.Code) > 18:
			return nil, ErrSuretyName.At("body.guarantors[%d].name", i)
		case x.UserID == a.UserID:
			return nil, ErrSuretySelf.At("body.guarantors[%d].user_id", i)
		case slices.ContainsFunc(list[:i], same):
			return nil, ErrSuretyTwice.At("body.guarantors[%d]", i)
		}
	}
	if err := s.cfg.Store.SetSureties(ctx, a.Tenant, id, list); err != nil {
		return nil, err
	}
	return s.cfg.Store.Sureties(ctx, a.Tenant, id)
}

// Guarantee is a loan for which somebody answers or is asked to: what they must know of it
// before they sign, and nothing else of its borrower.
type Guarantee struct {
	ApplicationID string     `json:"application_id"`
	State         State      `json:"state"`
	Borrower      string     `json:"borrower"`
	Product       string     `json:"product"`
	Purpose       string     `json:"purpose"`
	Amount        money.Fen  `json:"amount"` // the limit; before a decision, what is asked for
	Rate          money.Rate `json:"rate"`
	TermMonths    int        `json:"term_months"`
	// ShareBP of principal, interest and penalty is answered for; AtMost is that share of Amount.
	ShareBP   int64     `json:"share_bp"`
	AtMost    money.Fen `json:"at_most"`
	Guarantor Guarantor `json:"guarantor"`
	Others    []string  `json:"others"` // who answers besides
	// Ready says that the borrower has signed, so that the guarantor may.
	Ready bool `json:"ready"`
	// Declaration is what is agreed to in signing, in the language of the contract, and its SHA-256.
	Declaration     string    `json:"declaration"`
	DeclarationHash string    `json:"declaration_hash"`
	Loan            *Answered `json:"loan,omitempty"` // once drawn
}

// Answered is how a loan stands for which somebody answers.
type Answered struct {
	State       loan.State `json:"state"`
	Outstanding money.Fen  `json:"outstanding"` // principal
	OverdueDays int        `json:"overdue_days"`
	NextDue     money.Date `json:"next_due"` // "" when nothing is left
	NextAmount  money.Fen  `json:"next_amount"`
}

// Guarantees are the loans for which the actor answers or is asked to, newest first, in a
// language.
func (s *Service) Guarantees(ctx context.Context, actor access.Actor, lang string) ([]Guarantee, error) {
	ids, err := s.cfg.Store.Answered(ctx, actor.Tenant, actor.UserID)
	if err != nil {
		return nil, err
	}
	out := []Guarantee{}
	for _, id := range ids {
		g, err := s.guarantee(ctx, actor, id, lang)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

func (s *Service) guarantee(ctx context.Context, actor access.Actor, id, lang string) (Guarantee, error) {
	a, err := s.cfg.Store.Application(ctx, actor.Tenant, id)
	if err != nil {
		return Guarantee{}, err
	}
	list, err := s.cfg.Store.Sureties(ctx, actor.Tenant, id)
	if err != nil {
		return Guarantee{}, err
	}
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return Guarantee{}, err
	}
	g := Guarantee{
		ApplicationID: a.ID, State: a.State, Borrower: a.UserName, Product: a.Product, Purpose: a.Purpose,
		Amount: cmp.Or(a.Limit, a.Asked), Rate: a.Rate, TermMonths: a.TermMonths, Others: []string{},
	}
	if prod.Surety != nil {
		g.ShareBP = prod.Surety.ShareBP
		if g.AtMost, err = money.Mul(g.Amount, g.ShareBP, 10_000); err != nil {
			return Guarantee{}, err
		}
	}
	for _, x := range list {
		if x.UserID == actor.UserID {
			g.Guarantor = x
		} else {
			g.Others = append(g.Others, x.String())
		}
	}
	switch c, err := s.signed(ctx, a); {
	case err == nil:
		g.Ready, lang = a.State == Accepted, c.Language
	case !errors.Is(err, ErrNotFound):
		return Guarantee{}, err
	}
	g.Declaration, g.DeclarationHash = s.cfg.Words.Declaration(contract.Language(lang))
	switch l, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID); {
	case err == nil:
		g.Loan = &Answered{l.State, l.Outstanding, l.OverdueDays, l.NextDue, l.NextAmount}
	case !errors.Is(err, loan.ErrNotFound):
		return Guarantee{}, err
	}
	return g, nil
}

// asked finds the one who is to answer under a number: ErrSuretyOther for somebody else.
func (s *Service) asked(ctx context.Context, actor access.Actor, id string, nr int) (Application, Guarantor, error) {
	a, err := s.readable(ctx, actor, id)
	if err != nil {
		return a, Guarantor{}, err
	}
	list, err := s.cfg.Store.Sureties(ctx, a.Tenant, id)
	if err != nil {
		return a, Guarantor{}, err
	}
	i := slices.IndexFunc(list, func(x Guarantor) bool { return x.Nr == nr })
	if i < 0 || actor.Role == access.Borrower && list[i].UserID != actor.UserID {
		return a, Guarantor{}, ErrSuretyOther
	}
	return a, list[i], nil
}

// DeclineSurety takes the no of one who is asked to answer for a loan. An offer, also one
// that its borrower has signed, goes back to an officer, who finds somebody else or refuses.
// Doing it again changes nothing. ErrSuretyOther, ErrSuretySigned, ErrState, ErrSuretyReason.
func (s *Service) DeclineSurety(ctx context.Context, actor access.Actor, id string, nr int, reason string) (Application, error) {
	if actor.Role != access.Borrower {
		return Application{}, access.ErrRole
	}
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) > 200 {
		return Application{}, ErrSuretyReason.At("body.reason")
	}
	a, x, err := s.asked(ctx, actor, id, nr)
	if err != nil {
		return Application{}, err
	}
	now := s.now()
	r := Record{Surety: nr, Declined: &now, Reason: reason}
	switch {
	case x.DeclinedAt != nil:
		return a, nil
	case x.SignedAt != nil:
		return Application{}, ErrSuretySigned
	case a.State == Offered || a.State == Accepted:
		return s.move(ctx, system, a, Referred, strings.TrimSuffix(x.String()+": "+reason, ": "), r)
	case slices.Contains([]State{Draft, Submitted, Deciding, Referred}, a.State):
		return a, s.cfg.Store.Witness(ctx, a, r)
	}
	return Application{}, ErrState.With("state", a.State).With("to", Referred)
}

// SignSurety takes the signature of one who answers for the loan: their own on a phone, or
// by the paper that an officer brings. The last one makes the contract. ErrContract when
// by.Hash is not of the contract that the borrower signed, ErrSuretyOther for somebody else,
// ErrSuretyWords without the declaration, ErrSuretyDeclined.
func (s *Service) SignSurety(ctx context.Context, actor access.Actor, id string, nr int, by Signing) (Application, error) {
	a, x, err := s.asked(ctx, actor, id, nr)
	switch {
	case err != nil:
		return Application{}, err
	case actor.Role == access.Officer && (x.UserID != "" || strings.TrimSpace(by.Proof) == ""):
		return Application{}, ErrSuretyPaper.At("body.proof")
	case actor.Role != access.Borrower && actor.Role != access.Officer:
		return Application{}, access.ErrRole
	case x.DeclinedAt != nil:
		return Application{}, ErrSuretyDeclined
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
		if x.SignedAt != nil {
			return a, nil // the answer was lost
		}
		return Application{}, ErrState.With("state", a.State).With("to", Signed)
	}
	if x.SignedAt == nil {
		sig := evidence(actor, c, by, s.now())
		sig.Party, sig.UserID, sig.Name = contract.Guarantor, x.UserID, x.String()
		if actor.Role == access.Borrower {
			if _, hash := s.cfg.Words.Declaration(c.Language); by.Declaration != hash {
				return Application{}, ErrSuretyWords.At("body.declaration")
			}
			sig.Consents = []string{by.Declaration}
		}
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
	list, err := s.cfg.Store.Sureties(ctx, a.Tenant, id)
	if err != nil {
		return Application{}, err
	}
	if slices.ContainsFunc(list, func(x Guarantor) bool { return x.SignedAt == nil && x.DeclinedAt == nil }) {
		return a, nil
	}
	after, err := s.conclude(ctx, actor, a, Record{})
	if errors.Is(err, ErrState) {
		return s.cfg.Store.Application(ctx, a.Tenant, id)
	}
	return after, err
}
