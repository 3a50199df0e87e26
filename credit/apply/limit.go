package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrMoved says that an application was decided again while it was being reconsidered.
var ErrMoved = fault.New(fault.Conflict, "application.moved", "this application was decided again meanwhile; load it again")

// Cause is the evidence that moved a limit.
type Cause string

// Causes.
const (
	NewReport   Cause = "report"   // of the plot
	NewAlert    Cause = "alert"    // opened or closed on the subject
	NewStanding Cause = "standing" // of the firm
	NewPayment  Cause = "payment"  // a loan repaid, late or late no more
	NewConsent  Cause = "consent"  // given or taken back
	NewHistory  Cause = "history"  // stated or uploaded of the borrower
)

// Reconsidered is the source of decisions on limits that were approved before; that of
// the others is [Asked].
const (
	Asked        = "asked"
	Reconsidered = "reconsidered"
)

// LimitChange is one move of an approved limit. The list of an application only grows.
type LimitChange struct {
	ApplicationID string    `json:"application_id"`
	From          money.Fen `json:"from"`
	To            money.Fen `json:"to"`
	// DecisionID is that of the decision which moved it, "" when nothing could be decided.
	DecisionID string          `json:"decision_id,omitempty"`
	Cause      Cause           `json:"cause" enum:"report,alert,standing,payment,consent,history"`
	Reasons    []credit.Reason `json:"reasons"`
	At         time.Time       `json:"at"`
}

// Redecision is what a store keeps of an application that was reconsidered.
type Redecision struct {
	Before   Application // as it was read: its state and decision must still hold
	Limit    money.Fen   // what the evidence carries; what is drawn stays covered
	Rate     money.Rate  // of an offer
	Decision *credit.Decision
	Frozen   *strategy.Frozen // inputs of Decision
	Seen     *profile.Seen    // how the limit of Decision counts; nil without one
	Change   LimitChange      // its From and To are the store's
}

// live are the states in which a limit moves.
var live = []State{Offered, Accepted, Signed, Active}

// Touch has the applications whose limits may move reconsidered soon: those on a subject,
// or those of a person, or with neither all on one kind of subject.
func (s *Service) Touch(ctx context.Context, tenant string, f Filter, cause Cause) error {
	ids, err := s.touching(ctx, tenant, f)
	if err != nil {
		return err
	}
	return s.touchAll(ctx, tenant, ids, cause)
}

// touching are the applications with a limit that can move.
func (s *Service) touching(ctx context.Context, tenant string, f Filter) (ids []string, _ error) {
	f.States, f.Limit = live, 500
	for {
		page, err := s.cfg.Store.Applications(ctx, tenant, f)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			ids = append(ids, a.ID)
		}
		if len(page) < f.Limit {
			return ids, nil
		}
		f.Before = page[len(page)-1].ID
	}
}

func (s *Service) touchAll(ctx context.Context, tenant string, ids []string, cause Cause) error {
	if len(ids) == 0 {
		return nil
	}
	if s.cfg.Queue != nil {
		return s.cfg.Queue.Reconsider(ctx, tenant, ids, cause)
	}
	for _, id := range ids {
		if _, err := s.Reconsider(ctx, tenant, id, cause); err != nil {
			return err
		}
	}
	return nil
}

// Reconsider decides anew on the evidence of now, and moves the limit of an application
// that is offered, signed, or active and drawn again and again; others are returned as
// they are: of a loan that is drawn to the end nothing is left to move. It falls at once, yet never below what is drawn. It rises only on an offer of the policy, up to the limit
// that was signed, and not while a loan is overdue or a critical alert is open.
func (s *Service) Reconsider(ctx context.Context, tenant, id string, cause Cause) (Application, error) {
	const tries = 5
	for try := 1; ; try++ {
		a, err := s.cfg.Store.Application(ctx, tenant, id)
		if err != nil || !slices.Contains(live, a.State) {
			return a, err
		}
		after, err := s.reconsider(ctx, a, cause)
		if (errors.Is(err, ErrMoved) || errors.Is(err, ErrState)) && try < tries && ctx.Err() == nil {
			continue
		}
		return after, err
	}
}

func (s *Service) reconsider(ctx context.Context, a Application, cause Cause) (Application, error) {
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return Application{}, err
	}
	if a.State == Active && !prod.Revolving {
		l, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID)
		if err != nil || l.Undrawn == 0 {
			return a, err
		}
	}
	ev, pending, err := s.gather(ctx, a)
	if errors.Is(err, consent.ErrMissing) {
		return s.unconsented(ctx, a, cause)
	}
	if err != nil {
		return Application{}, fmt.Errorf("evidence of application %s: %w", a.ID, err)
	}
	if pending {
		return a, nil // the report that is being made calls again
	}
	drawn, err := s.cfg.Loans.Owed(ctx, a.Tenant, a.ID)
	if err != nil {
		return Application{}, err
	}
	// What is drawn under this approval is not another debt beside it.
	ev.Applicant.Debts -= min(drawn, ev.Applicant.Debts)
	d, frozen, _, err := s.decide(ctx, a, ev, prod)
	if err != nil {
		return Application{}, err
	}
	if err := s.keep(ctx, a, ev); err != nil {
		return Application{}, err
	}
	if a.State == Offered || a.State == Accepted {
		to, err := s.overturned(ctx, a, d)
		if err != nil {
			return Application{}, err
		}
		if to != Offered {
			return s.overturn(ctx, a, to, Record{
				Decision: &d, Frozen: &frozen, Seen: seen(ev, prod), Source: Reconsidered, Change: s.change(a, d, 0, cause),
			})
		}
	}
	ceiling, err := s.ceiling(ctx, a)
	if err != nil {
		return Application{}, err
	}
	calm, err := s.calm(ctx, a)
	if err != nil {
		return Application{}, err
	}
	limit := held(a.Limit, drawn, ceiling, d, calm)
	rate := a.Rate
	if a.State == Offered && limit != a.Limit {
		rate = d.Rate
	}
	return s.hold(ctx, Redecision{
		Before: a, Limit: limit, Rate: rate, Decision: &d, Frozen: &frozen, Seen: seen(ev, prod), Change: *s.change(a, d, limit, cause),
	})
}

// hold saves what was found, and tells when it moved the limit.
func (s *Service) hold(ctx context.Context, r Redecision) (Application, error) {
	after, err := s.cfg.Store.Redecide(ctx, r)
	if err == nil && after.Limit != r.Before.Limit {
		s.tell(after)
	}
	return after, err
}

// held is the limit after a decision.
func held(now, drawn, ceiling money.Fen, d credit.Decision, calm bool) money.Fen {
	carried := min(d.Limit, ceiling)
	if d.Outcome == credit.Refuse {
		carried = 0
	}
	if carried > now && (d.Outcome != credit.Offer || !calm) {
		carried = now
	}
	return max(carried, drawn)
}

// overturned says what becomes of an offer: it stays one as long as the policy makes it,
// or an officer has approved it and the evidence still carries something.
func (s *Service) overturned(ctx context.Context, a Application, d credit.Decision) (State, error) {
	switch {
	case d.Outcome == credit.Refuse:
		return Refused, nil
	case d.Limit <= 0:
		return Referred, nil
	case d.Outcome == credit.Offer:
		return Offered, nil
	}
	before, err := s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID)
	if before.Outcome == credit.Refer {
		return Offered, err
	}
	return Referred, err
}

// overturn takes an offer back that the evidence does not carry any more.
func (s *Service) overturn(ctx context.Context, a Application, to State, r Record) (Application, error) {
	a.DecisionID, a.Limit, a.Rate = r.Decision.ID, r.Decision.Limit, r.Decision.Rate
	r.Change.To = a.Limit
	return s.move(ctx, system, a, to, "", r)
}

// unconsented holds what is drawn: without consent nothing is read, so nothing more is
// lent. An offer was decided while the consent stood; it waits as it is.
func (s *Service) unconsented(ctx context.Context, a Application, cause Cause) (Application, error) {
	if a.State == Offered || a.State == Accepted {
		return a, nil
	}
	drawn, err := s.cfg.Loans.Owed(ctx, a.Tenant, a.ID)
	if err != nil {
		return Application{}, err
	}
	return s.hold(ctx, Redecision{Before: a, Limit: min(drawn, a.Limit), Rate: a.Rate, Change: LimitChange{
		ApplicationID: a.ID, Cause: cause, At: s.now(),
		Reasons: []credit.Reason{{Code: "limit.no_consent", Effect: "lower", Msg: "You took back your consent to credit decisions; nothing more can be drawn until you give it again."}},
	}})
}

// ceiling is the most that a limit may rise to: what was signed, or of an offer what was
// asked for.
func (s *Service) ceiling(ctx context.Context, a Application) (money.Fen, error) {
	if a.State == Offered {
		return a.Asked, nil
	}
	c, err := s.signed(ctx, a)
	if a.State == Accepted && errors.Is(err, ErrNotFound) {
		return a.Asked, nil // taken, and not signed yet
	}
	return c.Limit, err
}

// calm says that no loan of the borrower is overdue and no critical alert open.
func (s *Service) calm(ctx context.Context, a Application) (bool, error) {
	late, err := s.cfg.Loans.Loans(ctx, a.Tenant, loan.Filter{UserID: a.UserID, States: []loan.State{loan.Overdue}, Limit: 1})
	if err != nil || len(late) > 0 {
		return false, err
	}
	alerts, err := s.cfg.Alerts.List(ctx, a.Tenant, watch.Filter{Open: true, SubjectID: a.Subject.ID, Limit: 500})
	return !slices.ContainsFunc(alerts, func(x watch.Alert) bool { return x.Severity == "critical" }), err
}

func (s *Service) change(a Application, d credit.Decision, to money.Fen, cause Cause) *LimitChange {
	return &LimitChange{
		ApplicationID: a.ID, From: a.Limit, To: to, DecisionID: d.ID, Cause: cause, Reasons: because(d, to < a.Limit), At: s.now(),
	}
}

// because picks the reasons of a decision that tell why a limit fell or rose: those that
// pull that way, and the rules that bind it now.
func because(d credit.Decision, fell bool) []credit.Reason {
	pulls := []string{"refuse", "refer", "lower"}
	if !fell {
		pulls = []string{"raise", "info"}
	}
	out := []credit.Reason{}
	for _, r := range d.Reasons {
		if slices.Contains(pulls, r.Effect) {
			out = append(out, r)
		}
	}
	if d.Outcome == credit.Refuse {
		return out
	}
	for _, x := range d.Allowances {
		told := func(r credit.Reason) bool { return r.Code == x.Code }
		if !x.Binding || slices.ContainsFunc(out, told) {
			continue
		}
		args := map[string]string{"yuan": x.Amount.String()}
		for k, v := range x.Args {
			args[k] = v
		}
		out = append(out, credit.Reason{Code: x.Code, Effect: "info", Msg: x.Msg, Args: args, Amount: x.Amount})
	}
	if len(out) == 0 {
		return slices.Clone(d.Reasons)
	}
	return out
}
