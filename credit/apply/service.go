package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// How long an offer or a signed contract waits before it expires, when its product does
// not say, and a draft; how old a paper may be that is entered later.
const (
	OfferDays  = 30
	DraftDays  = 30
	StatedDays = 30
)

// Config is what the service needs.
type Config struct {
	Store       Store
	Plots       Plots
	Overlaps    Overlaps
	PlotReports PlotReports
	Herds       Herds
	HerdReports HerdReports
	Firms       Firms
	Standings   Standings
	Alerts      Alerts
	Consents    Consents
	Profiles    Profiles
	Products    *product.Catalogue
	Policies    Policies
	Snapshots   Snapshots       // nil keeps none
	Words       *contract.Words // of contracts
	// Find and Wordings are for tables of applications.
	Find     Finder
	Wordings consent.Wordings
	// Font is what contracts are set in; nil looks for one when it is needed first.
	Font   func() (*contract.Font, error)
	House  *contract.House // signs for the lender; nil leaves signatures without its mark
	Loans  *loan.Service
	Queue  Queue    // nil assesses at once
	Notify Notifier // nil tells nobody
	Now    func() time.Time
	// Patience is how long an assessment waits for a report that is being made before it
	// decides without; 0 means two minutes.
	Patience time.Duration
}

// Service takes applications through their states.
type Service struct {
	cfg   Config
	press contract.Press
}

// New returns a service, which from now on follows the loans of cfg.Loans.
func New(cfg Config) *Service {
	if cfg.Patience == 0 {
		cfg.Patience = 2 * time.Minute
	}
	if cfg.Font == nil {
		cfg.Font = sync.OnceValues(func() (*contract.Font, error) { return contract.FindFont("") })
	}
	s := &Service{cfg: cfg}
	cfg.Loans.OnChanges(s.loansChanged)
	return s
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Submit saves what a borrower asks for and has it assessed. The same key with the same
// request gives the same application; with another request it is ErrKeyReused. Officers,
// operators and partners submit for the owner of the subject.
func (s *Service) Submit(ctx context.Context, actor access.Actor, req Request, key string) (Application, error) {
	if key == "" || len(key) > 200 {
		return Application{}, ErrKey.At("header.Idempotency-Key")
	}
	req.Purpose = strings.TrimSpace(req.Purpose)
	if utf8.RuneCountInString(req.Purpose) > 200 {
		return Application{}, ErrPurposeLong.At("body.purpose")
	}
	if err := s.check(req); err != nil {
		return Application{}, err
	}
	if err := s.stated(actor, req); err != nil {
		return Application{}, err
	}
	owner, ownerName, name, err := s.subject(ctx, actor.Tenant, req.Subject)
	if err != nil {
		return Application{}, err
	}
	switch {
	case actor.UserID == owner:
		ownerName = actor.Name
	case actor.Role == access.Borrower || owner == "":
		return Application{}, ErrSubject.At("body.subject.id")
	}
	if err := s.consent(ctx, actor, owner, req); err != nil {
		return Application{}, err
	}
	if len(req.Consents) > 0 { // limits may wait for them
		if err := s.Touch(ctx, actor.Tenant, Filter{UserID: owner}, NewConsent); err != nil {
			return Application{}, err
		}
	}
	body, err := json.Marshal(req)
	if err != nil {
		return Application{}, err
	}
	now := s.now()
	a := Application{
		ID: ident.New(), Tenant: actor.Tenant, UserID: owner, UserName: ownerName, Subject: req.Subject, SubjectName: name,
		Product: req.Product, Asked: req.Asked, TermMonths: req.TermMonths, Purpose: req.Purpose, State: Submitted,
		Channel: string(req.Channel), StatedOn: req.StatedOn, StatedWhy: req.Why,
		KeyHash: credit.Hash(body), CreatedAt: now, UpdatedAt: now,
	}
	by := req.By
	if by.UserID == "" {
		by = actor
	}
	if by.UserID != owner {
		a.bring(by)
	}
	a.Key = keyOf(req.Channel, by.UserID, key)
	a, err = s.cfg.Store.Add(ctx, a)
	if err != nil {
		return Application{}, err
	}
	s.tell(a)
	return s.enqueue(ctx, a)
}

// keyOf is a key as it is kept for a borrower. Those of partners and anchors are kept apart,
// so that nobody finds what another brought.
func keyOf(channel product.Channel, by, key string) string {
	if channel == product.API || channel == product.Portal {
		return by + ":" + key
	}
	return key
}

// check says whether the product is offered for what is asked; see [product.Product.Check].
func (s *Service) check(req Request) error {
	prod, err := s.cfg.Products.Product(req.Product)
	if err != nil {
		return err
	}
	if err := prod.Check(req.Subject.Kind, req.Asked, req.TermMonths); err != nil {
		return err
	}
	return prod.CheckChannel(req.Channel)
}

// stated says whether the actor may enter a paper of that day: an operator, within
// [StatedDays], saying why.
func (s *Service) stated(actor access.Actor, req Request) error {
	if req.StatedOn == 0 {
		return nil
	}
	today := money.DateOf(s.now())
	switch {
	case req.StatedOn > today || req.StatedOn < today-StatedDays:
		return ErrStated.At("body.stated_on").With("days", StatedDays)
	case req.StatedOn < today && actor.Role != access.Operator:
		return ErrBackDate
	}
	_, err := checkNote(req.Why)
	return err
}

// enqueue has a submitted application assessed. Sending a request again after a crash
// queues it again, which does no harm: assessing is idempotent.
func (s *Service) enqueue(ctx context.Context, a Application) (Application, error) {
	if a.State != Submitted {
		return a, nil
	}
	if s.cfg.Queue != nil {
		return a, s.cfg.Queue.Assess(ctx, a.Tenant, a.ID)
	}
	after, err := s.Assess(ctx, a.Tenant, a.ID)
	if errors.Is(err, ErrPending) {
		return after, nil
	}
	return after, err
}

func (s *Service) tell(a Application) {
	if s.cfg.Notify != nil {
		s.cfg.Notify.ApplicationChanged(a)
	}
}

// move makes one step of the table, with what is saved along.
func (s *Service) move(ctx context.Context, actor access.Actor, a Application, to State, note string, r Record) (Application, error) {
	if err := may(actor, a.State, to); err != nil {
		return Application{}, err
	}
	from := a.State
	a.State, a.UpdatedAt = to, s.now()
	step := Step{ApplicationID: a.ID, From: from, To: to, Actor: actor.UserID, ActorName: actor.Name, Note: note, At: a.UpdatedAt}
	if err := s.cfg.Store.Move(ctx, from, a, step, r); err != nil {
		return Application{}, err
	}
	s.tell(a)
	return a, nil
}

// get returns the application when the actor may see it; see [Application.VisibleTo].
func (s *Service) get(ctx context.Context, actor access.Actor, id string) (Application, error) {
	a, err := s.cfg.Store.Application(ctx, actor.Tenant, id)
	if err != nil {
		return Application{}, err
	}
	if !a.VisibleTo(actor) {
		return Application{}, ErrNotFound
	}
	return a, nil
}

// Application returns ErrNotFound, also for one that the actor may not see; see
// [Application.VisibleTo].
func (s *Service) Application(ctx context.Context, actor access.Actor, id string) (Application, error) {
	return s.get(ctx, actor, id)
}

// Applications lists applications, newest first; a borrower sees only own ones.
func (s *Service) Applications(ctx context.Context, actor access.Actor, f Filter) ([]Application, error) {
	switch actor.Role {
	case access.Borrower:
		f.UserID = actor.UserID
	case access.Partner, access.Anchor:
		return nil, access.ErrRole
	default:
		if len(f.States) == 0 {
			f.States = sent // what somebody has not sent yet is nobody's business
		}
	}
	return s.cfg.Store.Applications(ctx, actor.Tenant, f)
}

// CountByState counts the tenant's applications.
func (s *Service) CountByState(ctx context.Context, tenant string) (map[State]int, error) {
	return s.cfg.Store.CountByState(ctx, tenant)
}

// PledgedPlots returns the plots that stand behind a contract now.
func (s *Service) PledgedPlots(ctx context.Context, tenant string) ([]string, error) {
	return s.cfg.Store.PledgedPlots(ctx, tenant)
}

// PledgeOf returns the application that holds a subject, or "".
func (s *Service) PledgeOf(ctx context.Context, tenant string, subject credit.Subject) (string, error) {
	return s.cfg.Store.PledgeOf(ctx, tenant, subject)
}

// Assess gathers the evidence, decides and moves the application to offered, referred or
// refused, with the decision and all it saw, in one transaction. An application that is
// past that is returned as it is. ErrPending says that the plot's report is still being
// made: call again soon; after Config.Patience it decides without.
func (s *Service) Assess(ctx context.Context, tenant, id string) (Application, error) {
	a, err := s.cfg.Store.Application(ctx, tenant, id)
	if err != nil || (a.State != Submitted && a.State != Deciding) {
		return a, err
	}
	ev, pending, err := s.gather(ctx, a)
	if err != nil {
		return Application{}, fmt.Errorf("evidence of application %s: %w", id, err)
	}
	if pending && s.now().Sub(a.UpdatedAt) < s.cfg.Patience {
		if a.State == Submitted {
			if a, err = s.move(ctx, system, a, Deciding, "", Record{}); err != nil {
				return Application{}, err
			}
		}
		return a, ErrPending
	}
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return Application{}, err
	}
	d, frozen, choice, err := s.decide(ctx, a, ev, prod)
	if err != nil {
		return Application{}, err
	}
	if err := s.keep(ctx, a, ev); err != nil {
		return Application{}, err
	}
	to := map[credit.Outcome]State{credit.Offer: Offered, credit.Refer: Referred, credit.Refuse: Refused}[d.Outcome]
	a.DecisionID, a.Limit, a.Rate = d.ID, d.Limit, d.Rate
	after, err := s.move(ctx, system, a, to, "", Record{Decision: &d, Frozen: &frozen, Seen: seen(ev, prod)})
	if errors.Is(err, ErrState) {
		return s.cfg.Store.Application(ctx, tenant, id) // somebody else was faster
	}
	if err != nil {
		return after, err
	}
	return after, s.cfg.Policies.Beside(ctx, a.Tenant, choice, ev, prod, d)
}

// decide has the version in force decide, and gives the decision, what it saw and who
// decided.
func (s *Service) decide(ctx context.Context, a Application, ev credit.Evidence, prod product.Product) (credit.Decision, strategy.Frozen, strategy.Choice, error) {
	fail := func(err error) (credit.Decision, strategy.Frozen, strategy.Choice, error) {
		return credit.Decision{}, strategy.Frozen{}, strategy.Choice{}, err
	}
	evidence, hash, err := credit.Canonical(ev)
	if err != nil {
		return fail(err)
	}
	choice, err := s.cfg.Policies.Choose(ctx, a.Tenant, prod.Policy, ev.Applicant)
	if err != nil {
		return fail(err)
	}
	terms, err := json.Marshal(prod)
	if err != nil {
		return fail(err)
	}
	start := s.cfg.Now()
	d, frozen, err := s.cfg.Policies.Decide(ctx, a.Tenant, choice.Decides.Policy, ev, prod, s.now())
	if err != nil {
		return fail(err)
	}
	d.Micros = s.cfg.Now().Sub(start).Microseconds()
	if d.Raises, err = s.cfg.Policies.Raises(ctx, a.Tenant, choice.Decides.Policy, ev, prod); err != nil {
		return fail(err)
	}
	d.ID, d.ApplicationID, d.EvidenceHash = ident.New(), a.ID, hash
	frozen.Evidence, frozen.Product = evidence, terms
	return d, frozen, choice, nil
}

// keep has the evidence kept for quotes.
func (s *Service) keep(ctx context.Context, a Application, ev credit.Evidence) error {
	if s.cfg.Snapshots == nil {
		return nil
	}
	snap, err := quote.Freeze(a.Tenant, ev)
	if err != nil {
		return err
	}
	return s.cfg.Snapshots.Put(ctx, []quote.Snapshot{snap})
}

// Replay makes a stored decision again from its stored evidence, product and policy. The
// id, the times and the application are carried over; everything else is compared byte
// for byte. ErrNotFound.
func (s *Service) Replay(ctx context.Context, actor access.Actor, decisionID string) (ReplayResult, error) {
	stored, err := s.cfg.Store.Decision(ctx, actor.Tenant, decisionID)
	if err != nil {
		return ReplayResult{}, err
	}
	frozen, err := s.cfg.Store.Frozen(ctx, actor.Tenant, decisionID)
	if err != nil {
		return ReplayResult{}, err
	}
	again, err := strategy.Replay(stored, frozen)
	if err != nil {
		return ReplayResult{}, err
	}
	a, err := json.Marshal(stored)
	if err != nil {
		return ReplayResult{}, err
	}
	b, err := json.Marshal(again)
	return ReplayResult{Same: bytes.Equal(a, b), Stored: stored, Replayed: again}, err
}

// Localise returns d with its words in lang, "zh-CN" or "en".
func (s *Service) Localise(ctx context.Context, actor access.Actor, d credit.Decision, lang string) (credit.Decision, error) {
	return s.cfg.Policies.Localise(ctx, actor.Tenant, d, lang)
}

// DetailIn is Detail with its reasons in the words of lang, "zh-CN" or "en".
func (s *Service) DetailIn(ctx context.Context, actor access.Actor, id, lang string) (Detail, error) {
	d, err := s.Detail(ctx, actor, id)
	if err != nil {
		return Detail{}, err
	}
	if d.Decision != nil {
		worded, err := s.Localise(ctx, actor, *d.Decision, lang)
		if err != nil {
			return Detail{}, err
		}
		d.Decision = &worded
	}
	for i, c := range d.LimitChanges {
		worded, err := s.Localise(ctx, actor, credit.Decision{Reasons: c.Reasons}, lang)
		if err != nil {
			return Detail{}, err
		}
		d.LimitChanges[i].Reasons = worded.Reasons
	}
	return d, nil
}

// Approve offers a referred application the limit that its evidence gives. An officer
// says why. ErrNoLimit when there is none.
func (s *Service) Approve(ctx context.Context, actor access.Actor, id, note string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if note, err = checkNote(note); err != nil {
		return Application{}, err
	}
	if err := may(actor, a.State, Offered); err != nil {
		return Application{}, err
	}
	if a.Limit <= 0 {
		return Application{}, ErrNoLimit
	}
	return s.move(ctx, actor, a, Offered, note, Record{})
}

// Refuse ends a referred application. An officer says why.
func (s *Service) Refuse(ctx context.Context, actor access.Actor, id, note string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if note, err = checkNote(note); err != nil {
		return Application{}, err
	}
	if a.State == Offered { // only evidence takes an offer back
		return Application{}, ErrState.With("state", a.State).With("to", Refused)
	}
	return s.move(ctx, actor, a, Refused, note, Record{})
}

func checkNote(note string) (string, error) {
	note = strings.TrimSpace(note)
	if note == "" || utf8.RuneCountInString(note) > 1000 {
		return "", ErrNote.At("body.note")
	}
	return note, nil
}

// Reassess has a referred application decided anew on the evidence of now.
func (s *Service) Reassess(ctx context.Context, actor access.Actor, id string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if a, err = s.move(ctx, actor, a, Submitted, "", Record{}); err != nil {
		return Application{}, err
	}
	return s.enqueue(ctx, a)
}

// Withdraw takes an application back as long as no money is out. A limit that is drawn
// again and again ends with it when all is repaid.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, id string) (Application, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Application{}, err
	}
	if a.State == Active {
		return s.endLine(ctx, actor, a)
	}
	return s.move(ctx, actor, a, Withdrawn, "", Record{})
}

// Expire ends drafts that nobody went on with for [DraftDays], offers and signed contracts
// that nobody used for as long as their product says or [OfferDays], and limits that are
// drawn again and again at the end of their term, and returns how many. The day end calls it.
func (s *Service) Expire(ctx context.Context, tenant string) (int, error) {
	n := 0
	for f := (Filter{States: []State{Draft, Offered, Accepted, Signed}, Limit: 500}); ; {
		list, err := s.cfg.Store.Applications(ctx, tenant, f)
		if err != nil {
			return n, err
		}
		if len(list) == 0 {
			ended, err := s.expireLines(ctx, tenant)
			return n + ended, err
		}
		for _, a := range list {
			over, err := s.stale(ctx, a)
			if err != nil {
				return n, err
			}
			if !over {
				continue
			}
			_, err = s.move(ctx, system, a, Expired, "", Record{})
			switch {
			case err == nil:
				n++
			case !errors.Is(err, ErrState): // a draw or a withdrawal was faster
				return n, err
			}
		}
		f.Before = list[len(list)-1].ID
	}
}

// stale says whether an application has waited for its borrower too long.
func (s *Service) stale(ctx context.Context, a Application) (bool, error) {
	if !s.now().After(s.Until(a).Add(-time.Millisecond)) {
		return false, nil
	}
	if prod, err := s.cfg.Products.Product(a.Product); err == nil && prod.Revolving && a.State == Signed {
		return s.over(ctx, a) // it waits to be drawn
	}
	return true, nil
}

// Until is when an application that waits for its borrower expires; zero for others.
func (s *Service) Until(a Application) time.Time {
	days := OfferDays
	switch a.State {
	case Draft:
		days = DraftDays
	case Offered, Accepted, Signed:
		if prod, err := s.cfg.Products.Product(a.Product); err == nil && prod.OfferDays > 0 {
			days = prod.OfferDays
		}
	default:
		return time.Time{}
	}
	return a.UpdatedAt.AddDate(0, 0, days)
}

// DayEnd brings the tenant's loans to the end of a date and ends offers that nobody used.
// See [loan.Service.DayEnd].
func (s *Service) DayEnd(ctx context.Context, tenant string, date money.Date) (loan.DayEndReport, error) {
	report, err := s.cfg.Loans.DayEnd(ctx, tenant, date)
	_, expired := s.Expire(ctx, tenant)
	return report, errors.Join(err, expired)
}

// animals are those of a herd that are there to be pledged.
func (s *Service) animals(ctx context.Context, a Application) ([]string, error) {
	if a.Subject.Kind != credit.HerdSubject {
		return nil, nil
	}
	all, err := s.cfg.Herds.Animals(ctx, a.Tenant, a.Subject.ID)
	var ids []string
	for _, x := range all {
		if x.Here() {
			ids = append(ids, x.ID)
		}
	}
	return ids, err
}

// rivals are the plots that share more than a tenth of their ground with the subject.
func (s *Service) rivals(ctx context.Context, a Application) ([]string, error) {
	if a.Subject.Kind != credit.PlotSubject {
		return nil, nil
	}
	p, err := s.cfg.Plots.Plot(ctx, a.Tenant, a.Subject.ID)
	if err != nil {
		return nil, err
	}
	overlaps, err := s.cfg.Overlaps.Overlaps(ctx, a.Tenant, p.Polygon, p.ID)
	var ids []string
	for _, o := range overlaps {
		if o.Share > 0.1 {
			ids = append(ids, o.PlotID)
		}
	}
	return ids, err
}

// Draw lends amount under a signed contract and sends the money. See [loan.Service.Draw]
// for what comes back while the bank has not answered.
func (s *Service) Draw(ctx context.Context, actor access.Actor, id string, amount money.Fen, key string) (loan.Loan, error) {
	return s.draw(ctx, actor, id, amount, key, pay.Payee{}, "")
}

// DrawTo is Draw for a directed product: the money goes to payee, the seller of a purchase.
func (s *Service) DrawTo(ctx context.Context, actor access.Actor, id string, amount money.Fen, key string, payee pay.Payee, purchase string) (loan.Loan, error) {
	return s.draw(ctx, actor, id, amount, key, payee, purchase)
}

func (s *Service) draw(ctx context.Context, actor access.Actor, id string, amount money.Fen, key string, payee pay.Payee, purchase string) (loan.Loan, error) {
	if key == "" || len(key) > 200 {
		return loan.Loan{}, ErrKey.At("header.Idempotency-Key")
	}
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return loan.Loan{}, err
	}
	if a.State != Signed && a.State != Active {
		return loan.Loan{}, ErrState.With("state", a.State).With("to", Active)
	}
	if actor.Role != access.Borrower && actor.Role != access.Partner {
		return loan.Loan{}, access.ErrRole
	}
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return loan.Loan{}, err
	}
	if prod.Directed != (purchase != "") {
		return loan.Loan{}, ErrDirected.With("product", prod.Code)
	}
	c, err := s.cfg.Store.Contract(ctx, a.Tenant, a.ID)
	if err != nil {
		return loan.Loan{}, err
	}
	if len(c.Tranches) > 0 && purchase != "" {
		if l, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID); err == nil && l.State != loan.Drawing {
			return s.nextTranche(ctx, l, amount, a.UserID+":"+key, payee, purchase)
		} else if err != nil && !errors.Is(err, loan.ErrNotFound) {
			return loan.Loan{}, err
		}
	}
	most, err := s.most(ctx, a)
	if err != nil {
		return loan.Loan{}, err
	}
	term := a.TermMonths
	if !prod.Revolving && amount > a.Limit {
		return loan.Loan{}, ErrAboveLimit.At("body.amount").With("limit", a.Limit)
	}
	if prod.Revolving {
		end, err := s.lineEnd(ctx, a)
		if err != nil {
			return loan.Loan{}, err
		}
		if term, err = monthsLeft(money.DateOf(s.now()), end); err != nil {
			return loan.Loan{}, err
		}
	}
	fees, err := s.feesOf(ctx, a, c.Fees)
	if err != nil {
		return loan.Loan{}, err
	}
	l := loan.Loan{
		Fees: fees, CoolingDays: c.CoolingDays,
		Tenant: a.Tenant, ApplicationID: a.ID, UserID: a.UserID, UserName: a.UserName, Subject: a.Subject,
		SubjectName: a.SubjectName, Product: a.Product, Principal: amount, Rate: a.Rate,
		PenaltyRate: prod.PenaltyRate(a.Rate), Method: loan.Method(c.Method), DayCount: prod.DayCount, TermMonths: term,
	}
	// The plan that was signed holds, not what the product says by now.
	prod.Tranches = c.Tranches
	d := product.Drawing{Principal: amount, Rate: a.Rate, Months: term, Start: money.DateOf(s.now()), Method: l.Method}
	if purchase != "" && len(prod.Tranches) > 0 { // of the whole limit; the order takes what it needs of the first
		d.Principal = a.Limit
	}
	if l.Tranches = s.cfg.Products.Tranches(prod, d); len(l.Tranches) > 0 {
		l.Principal = l.Tranches[0].Amount
		if purchase != "" {
			if amount > l.Principal {
				return loan.Loan{}, loan.ErrTrancheAmount.At("body.amount").With("nr", 1).With("most", l.Principal)
			}
			l.Principal = amount
		}
	}
	terms := loan.Contract(&l)
	terms.Schedule = s.cfg.Products.ScheduleTerms(prod, d)
	l.Position.Terms = &terms
	l, err = s.cfg.Loans.Draw(ctx, loan.DrawRequest{
		Key: a.UserID + ":" + key, Most: most, Revolving: prod.Revolving, Payee: payee, Purchase: purchase, Loan: l,
	})
	if err != nil {
		return loan.Loan{}, err
	}
	// The loan tells of itself, but not when this is an answer given again.
	return l, s.follows(ctx, l)
}

// Repay collects money for a loan; a borrower only for an own one.
func (s *Service) Repay(ctx context.Context, actor access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error) {
	if key == "" || len(key) > 200 {
		return loan.Loan{}, ErrKey.At("header.Idempotency-Key")
	}
	l, err := s.Loan(ctx, actor, loanID)
	if err != nil {
		return loan.Loan{}, err
	}
	return s.cfg.Loans.Repay(ctx, actor.Tenant, loanID, amount, l.UserID+":"+key)
}

// StepBack gives the money of a loan back within its days of cooling off, for the sum that
// [loan.Service.Cooling] says; a borrower only of an own one.
func (s *Service) StepBack(ctx context.Context, actor access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error) {
	if key == "" || len(key) > 200 {
		return loan.Loan{}, ErrKey.At("header.Idempotency-Key")
	}
	l, err := s.Loan(ctx, actor, loanID)
	if err != nil {
		return loan.Loan{}, err
	}
	return s.cfg.Loans.StepBack(ctx, actor.Tenant, loanID, amount, l.UserID+":"+key)
}

// Loan returns loan.ErrNotFound; a borrower sees only own ones, a partner those of the
// applications that it brought.
func (s *Service) Loan(ctx context.Context, actor access.Actor, id string) (loan.Loan, error) {
	l, err := s.cfg.Loans.Loan(ctx, actor.Tenant, id)
	if err != nil {
		return loan.Loan{}, err
	}
	if actor.Role == access.Borrower && l.UserID != actor.UserID {
		return loan.Loan{}, loan.ErrNotFound
	}
	if actor.Role == access.Partner {
		a, err := s.cfg.Store.Application(ctx, l.Tenant, l.ApplicationID)
		if err != nil {
			return loan.Loan{}, err
		}
		if !a.VisibleTo(actor) {
			return loan.Loan{}, loan.ErrNotFound
		}
	}
	return l, nil
}

// loansChanged moves applications along with their loans, and has the limits of borrowers
// looked at who paid or are late.
func (s *Service) loansChanged(ctx context.Context, news []loan.Transition) error {
	ids := map[string][]string{}
	for i := range news {
		before, after := &news[i].Before, &news[i].After
		if err := s.follows(ctx, *after); err != nil {
			return err
		}
		late := (before.State == loan.Overdue) != (after.State == loan.Overdue)
		if !late && after.Outstanding >= before.Outstanding {
			continue
		}
		of, err := s.touching(ctx, after.Tenant, Filter{UserID: after.UserID})
		if err != nil {
			return err
		}
		for _, id := range of {
			if !slices.Contains(ids[after.Tenant], id) {
				ids[after.Tenant] = append(ids[after.Tenant], id)
			}
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(ids)) {
		if err := s.touchAll(ctx, tenant, ids[tenant], NewPayment); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) follows(ctx context.Context, l loan.Loan) error {
	if !slices.Contains([]loan.State{loan.Active, loan.Overdue, loan.Closed}, l.State) {
		return nil
	}
	a, err := s.cfg.Store.Application(ctx, l.Tenant, l.ApplicationID)
	if err != nil {
		return err
	}
	if a.State == Signed {
		a.LoanID = l.ID
		if a, err = s.follow(ctx, a, Active); err != nil {
			return err
		}
	}
	if a.State != Active || l.State != loan.Closed || l.Paying() > 0 {
		return nil
	}
	if prod, err := s.cfg.Products.Product(a.Product); err == nil && prod.Revolving {
		if over, err := s.over(ctx, a); err != nil || !over {
			return err
		}
	}
	_, err = s.follow(ctx, a, Closed)
	return err
}

// follow moves a, or finds that another process has done so.
func (s *Service) follow(ctx context.Context, a Application, to State) (Application, error) {
	after, err := s.move(ctx, system, a, to, "", Record{})
	if errors.Is(err, ErrState) {
		return s.cfg.Store.Application(ctx, a.Tenant, a.ID)
	}
	return after, err
}

// Detail is everything about one application; a borrower sees only own ones.
func (s *Service) Detail(ctx context.Context, actor access.Actor, id string) (Detail, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Application: a, Schedule: []loan.Instalment{}, LimitChanges: []LimitChange{}, Sureties: []Guarantor{}}
	if until := s.Until(a); !until.IsZero() {
		d.ExpiresAt = &until
	}
	if a.Product != "" { // a draft may have none
		if d.Product, err = s.cfg.Products.Product(a.Product); err != nil {
			return Detail{}, err
		}
	}
	if d.Steps, err = s.cfg.Store.Steps(ctx, a.Tenant, id); err != nil {
		return Detail{}, err
	}
	if a.DecisionID == "" {
		return d, nil
	}
	if d.LimitChanges, err = s.cfg.Store.LimitChanges(ctx, a.Tenant, id); err != nil {
		return Detail{}, err
	}
	if err := s.drawnOf(ctx, a, &d); err != nil {
		return Detail{}, err
	}
	decision, err := s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID)
	if err != nil {
		return Detail{}, err
	}
	d.Decision = &decision
	if err := s.review(ctx, a, &d); err != nil {
		return Detail{}, err
	}
	ev, err := s.evidence(ctx, a)
	if err != nil {
		return Detail{}, err
	}
	d.Evidence = &ev
	if d.Withdrawn, err = s.withdrawn(ctx, a, ev); err != nil {
		return Detail{}, err
	}
	if d.Sureties, err = s.cfg.Store.Sureties(ctx, a.Tenant, id); err != nil {
		return Detail{}, err
	}
	if c, err := s.signed(ctx, a); err == nil {
		d.Contract = &c
	} else if !errors.Is(err, ErrNotFound) {
		return Detail{}, err
	}
	return d, s.schedule(ctx, a, &d)
}

// schedule adds the loan and its rows, or before that the rows of an offer.
func (s *Service) schedule(ctx context.Context, a Application, d *Detail) error {
	l, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID)
	switch {
	case err == nil:
		d.Loan = &l
		rows, err := s.cfg.Loans.Schedule(ctx, a.Tenant, l.ID)
		d.Schedule = rows
		return err
	case !errors.Is(err, loan.ErrNotFound):
		return err
	case a.State != Offered && a.State != Accepted && a.State != Signed, a.Limit <= 0: // a limit may have fallen to nothing
		return nil
	}
	// The whole limit, drawn on the day of the decision.
	rows, _, err := costOf(s.cfg.Products.ScheduleTerms(d.Product, product.Drawing{
		Principal: a.Limit, Rate: a.Rate, Months: a.TermMonths, Start: money.DateOf(d.Decision.MadeAt),
	}), d.Product.Fees)
	d.Schedule = loan.Planned(rows)
	return err
}
