package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/product"
)

// Signing is a signature as it comes from a device.
type Signing struct {
	Hash   string // of the words or of the PDF that was shown
	Device string // user agent
	Remote string // network address; kept only as a hash
	Seen   contract.Seen
	Proof  string // of a paper, when an officer brings it
	// Declaration is the SHA-256 of what a guarantor agreed to, hex.
	Declaration string
}

// Accept takes an offer whose product gives time to think before the signature. Doing it
// again changes nothing.
func (s *Service) Accept(ctx context.Context, actor access.Actor, id string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil || a.State == Accepted {
		return a, err
	}
	return s.move(ctx, actor, a, Accepted, "", Record{})
}

// Sign takes the contract whose words or PDF have a hash, in either language and any of
// the product's ways, and the pledge of the subject with it. Where others answer for the
// loan, the application is accepted until they have signed too. ErrContract when the
// contract is another one by now, ErrPledged when another application was faster or ground
// is pledged under another plot meanwhile, iot.ErrPledged when an animal of the herd is,
// ErrUnaccepted while there is still time to think, ErrSureties when too few answer.
func (s *Service) Sign(ctx context.Context, actor access.Actor, id string, by Signing) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	switch c, err := s.signed(ctx, a); {
	case err == nil && (by.Hash == c.Hash || by.Hash == c.Document) && (a.State == Signed || a.State == Accepted):
		return a, nil // signed already: the answer was lost
	case err == nil && a.State == Accepted:
		return Application{}, ErrContract
	case err != nil && !errors.Is(err, ErrNotFound):
		return Application{}, err
	}
	if err := may(actor, a.State, Signed); err != nil {
		return Application{}, err
	}
	if actor.Role != access.Borrower && actor.Role != access.Partner {
		return Application{}, access.ErrRole // an officer brings papers of guarantors only
	}
	o, err := s.offer(ctx, a)
	if err != nil {
		return Application{}, err
	}
	if err := s.ready(o); err != nil {
		return Application{}, err
	}
	c, body, err := o.find(by.Hash)
	if err != nil {
		return Application{}, err
	}
	now := s.now()
	c.SignedBy, c.SignedAt, c.Device = actor.UserID, &now, by.Device
	c.Document = credit.Hash(body)
	sig := o.signature(actor, c, by, now)
	r, err := s.sealing(sig)
	if err != nil {
		return Application{}, err
	}
	r.Contract, r.Document = &c, body
	if len(o.sureties) == 0 {
		return s.conclude(ctx, actor, a, r)
	}
	if a.State == Accepted {
		return a, s.cfg.Store.Witness(ctx, a, r)
	}
	return s.move(ctx, actor, a, Accepted, "", r)
}

// ready says whether an offer may be signed now: ErrUnaccepted, ErrSureties.
func (s *Service) ready(o offer) error {
	if hours := o.product.ThinkHours; hours > 0 {
		from := s.now()
		if o.a.State == Accepted {
			from = o.a.UpdatedAt
		}
		if from = from.Add(time.Duration(hours) * time.Hour); o.a.State != Accepted || s.now().Before(from) {
			return ErrUnaccepted.With("time", from.Format(time.RFC3339))
		}
	}
	if n := needed(o.product); len(o.sureties) < n {
		return ErrSureties.With("needed", n).With("named", len(o.sureties))
	}
	return nil
}

// conclude moves an application to signed, with the pledge.
func (s *Service) conclude(ctx context.Context, actor access.Actor, a Application, r Record) (_ Application, err error) {
	if r.Rivals, err = s.rivals(ctx, a); err != nil {
		return Application{}, err
	}
	if r.Animals, err = s.animals(ctx, a); err != nil {
		return Application{}, err
	}
	return s.move(ctx, actor, a, Signed, "", r)
}

// signature is the evidence of the borrower's.
func (o offer) signature(actor access.Actor, c Contract, by Signing, at time.Time) contract.Signature {
	sig := evidence(actor, c, by, at)
	sig.Party, sig.UserID, sig.Name = contract.Borrower, o.a.UserID, o.a.UserName
	for _, x := range o.consents {
		sig.Consents = append(sig.Consents, x.Text)
	}
	slices.Sort(sig.Consents)
	return sig
}

// evidence is what every signature under c has.
func evidence(actor access.Actor, c Contract, by Signing, at time.Time) contract.Signature {
	sig := contract.Signature{
		Tenant: actor.Tenant, ApplicationID: c.ApplicationID, By: actor.UserID, At: at, Device: by.Device,
		Address: contract.Address(c.ApplicationID, by.Remote), Identity: contract.ByPassword, Document: c.Document,
		Text: c.Hash, Language: c.Language, Consents: []string{}, Seen: by.Seen,
	}
	switch actor.Role {
	case access.Partner:
		sig.Identity = contract.ByPartner
	case access.Officer:
		sig.Identity, sig.Proof = contract.OnPaper, by.Proof
	default: // signed in by password
	}
	return sig
}

// sealing is the record of a signature.
func (s *Service) sealing(sig contract.Signature) (r Record, err error) {
	r = Record{Signature: &sig, Seal: s.seal}
	if h := s.cfg.House; h != nil {
		r.KeyID = h.ID
		r.Key, err = contract.PublicPEM(h.Public())
	}
	return r, err
}

// seal puts a signature at the end of the tenant's chain.
func (s *Service) seal(sig contract.Signature, nr int64, hash string) (contract.Signature, error) {
	return contract.Seal(sig, nr, hash, s.cfg.House)
}

// Signatures are those of an application, in order; a borrower sees only own ones and
// those of the loans for which they answer.
func (s *Service) Signatures(ctx context.Context, actor access.Actor, id string) ([]contract.Signature, error) {
	if _, err := s.readable(ctx, actor, id); err != nil {
		return nil, err
	}
	return s.cfg.Store.Signatures(ctx, actor.Tenant, id, 0, 500)
}

// readable is get, for those who answer for the application too.
func (s *Service) readable(ctx context.Context, actor access.Actor, id string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if actor.Role != access.Borrower || !errors.Is(err, ErrNotFound) {
		return a, err
	}
	sureties, e := s.cfg.Store.Sureties(ctx, actor.Tenant, id)
	if e != nil || !slices.ContainsFunc(sureties, func(x Guarantor) bool { return x.UserID == actor.UserID }) {
		return a, errors.Join(err, e)
	}
	return s.cfg.Store.Application(ctx, actor.Tenant, id)
}

// needed is how many must answer for a loan besides its borrower.
func needed(p product.Product) int {
	switch {
	case p.Surety == nil:
		return 0
	case p.Surety.Kind == "joint":
		return max(p.Surety.MinParties-1, 1) // the borrower is one of them
	}
	return max(p.Surety.MinParties, 1)
}
