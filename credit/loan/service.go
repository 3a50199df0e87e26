package loan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// ErrDayEnd is returned for a day end that lies more than three years ahead of the clock.
var ErrDayEnd = fault.New(fault.Invalid, "loan.day_end", "the day end {date} is too far ahead; give a date up to {last}")

// Alerts is where arrears are told: *watch.Desk.
type Alerts interface {
	RaiseAll(ctx context.Context, list []watch.Alert) error
	Clear(ctx context.Context, tenant, kind, subjectID, item, cause string) error
}

// Config is what the service needs. Store, Book, Rail, Alerts and Now are required.
type Config struct {
	Store  Store
	Book   *ledger.Service
	Rail   pay.Rail
	Alerts Alerts
	Now    func() time.Time
	// Rules say who may do what to a loan; without them nobody does anything by hand.
	Rules *Rules
	// Provision foretells losses; without it none are expected.
	Provision *provision.Table
	// Share is told how each operation moved a loan, before it is saved, and gives entries
	// that are posted in the same transaction. It is called again when the operation is
	// tried again, so it must only compute.
	Share func(ctx context.Context, l Loan, moves []Movement) ([]ledger.Entry, error)
	// Batch is how many loans a day end writes in one transaction; 0 means 1000.
	Batch int
	// Admit is asked before the money of a new loan is sent, and may refuse it.
	Admit func(ctx context.Context, l Loan) error
}

// Service lends, takes repayments and runs the day end.
type Service struct {
	cfg     Config
	changed func(ctx context.Context, news []Transition) error
}

// Transition is a loan before and after an operation.
type Transition struct{ Before, After Loan }

// New returns a service.
func New(cfg Config) *Service {
	if cfg.Batch == 0 {
		cfg.Batch = batchSize
	}
	return &Service{cfg: cfg, changed: func(context.Context, []Transition) error { return nil }}
}

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// OnChange has f told of every loan that changed, after it is saved. f must be safe to
// call again for the same change. Call OnChange before the first loan.
// Those who asked before are told first.
func (s *Service) OnChange(f func(ctx context.Context, before, after Loan) error) {
	s.OnChanges(func(ctx context.Context, news []Transition) error {
		for i := range news {
			if err := f(ctx, news[i].Before, news[i].After); err != nil {
				return err
			}
		}
		return nil
	})
}

// OnChanges is OnChange for those who can take many loans at once: a day end tells of all
// that a batch has changed.
func (s *Service) OnChanges(f func(ctx context.Context, news []Transition) error) {
	first := s.changed
	s.changed = func(ctx context.Context, news []Transition) error {
		return errors.Join(first(ctx, news), f(ctx, news))
	}
}

// DrawRequest asks for the money of a signed application.
type DrawRequest struct {
	Loan Loan   // who, what for and the terms; Principal is the amount, of a plan that of its first tranche
	Key  string // idempotency key
	// Most may be owed under the application with this loan. Revolving lets others stand
	// beside it.
	Most      money.Fen
	Revolving bool
	// Payee gets the money of a purchase order; the zero value pays the borrower.
	Payee    pay.Payee
	Purchase string // id of the purchase order
}

// Draw lends and sends the money. The loan that comes back is active when the bank has
// paid; drawing while nobody can tell, to be asked again with the same key or by the
// day end. ErrPayment says that the bank refused: nothing was lent, and a new key may try.
func (s *Service) Draw(ctx context.Context, req DrawRequest) (Loan, error) {
	now := s.cfg.Now().UTC()
	l := req.Loan
	if l.Principal <= 0 {
		return Loan{}, ErrAmount.At("body.amount")
	}
	l.State, l.Tranches = Drawing, slices.Clone(l.Tranches)
	l.plan("", now)
	hash := bodyHash("draw", l.ApplicationID, l.Committed())
	if req.Purchase != "" {
		hash = credit.Hash([]byte(hash + "\n" + req.Purchase + "\n" + req.Payee.ID + "\n" + req.Payee.Account))
	}
	if p, err := s.known(ctx, l.Tenant, req.Key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	l.ID, l.State, l.Class, l.CreatedAt, l.UpdatedAt = ident.New(), Drawing, Normal, now, now
	terms := l.terms()
	l.Position.Terms = &terms
	// Terms that make no schedule must fail before money moves.
	first := []servicing.Event{{ID: "draw", Kind: servicing.Disburse, Date: money.DateOf(now), Amount: l.Principal}}
	if _, err := servicing.Replay(terms, first, money.DateOf(now)); err != nil {
		return Loan{}, err
	}
	if _, err := charges(&l, terms.Schedule, l.Principal, money.DateOf(now)); err != nil {
		return Loan{}, err
	}
	p := Payment{
		ID: ident.New(), Tenant: l.Tenant, LoanID: l.ID, Direction: pay.Out, Amount: l.Principal, Outcome: pay.Unknown,
		Date: money.DateOf(now), Key: req.Key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
	}
	if req.Purchase != "" {
		p.Payee, p.Purchase = &req.Payee, req.Purchase
	}
	if len(l.Tranches) > 0 {
		l.Tranches[0].State, l.Tranches[0].Drawn, p.Tranche = TranchePaying, l.Principal, 1
	}
	if s.cfg.Admit != nil {
		if err := s.cfg.Admit(ctx, l); err != nil {
			return Loan{}, err
		}
	}
	if _, err := s.cfg.Store.Save(ctx, Change{Loan: l, New: true, Payment: &p, Most: req.Most, Revolving: req.Revolving}); err != nil {
		return s.rival(ctx, l.Tenant, req.Key, hash, err)
	}
	return s.settle(ctx, p, pay.Do(ctx, s.cfg.Rail, order(l, p)))
}

// Repay collects amount from the borrower and takes it for penalty, interest and
// principal, oldest first. The Payment tells how it was taken.
func (s *Service) Repay(ctx context.Context, tenant, loanID string, amount money.Fen, key string) (Loan, error) {
	if amount <= 0 {
		return Loan{}, ErrAmount.At("body.amount")
	}
	hash := bodyHash("repay", loanID, amount)
	if p, err := s.known(ctx, tenant, key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	now := s.cfg.Now().UTC()
	var p Payment
	l, err := s.update(ctx, tenant, loanID, func(b *book) (Change, error) {
		if !b.live() {
			return Change{}, ErrState.With("state", b.State)
		}
		p = Payment{
			ID: ident.New(), Tenant: tenant, LoanID: loanID, Direction: pay.In, Amount: amount, Outcome: pay.Unknown,
			Date: s.today(&b.Loan), Key: key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		return Change{Payment: &p}, nil
	})
	if err != nil {
		return s.rival(ctx, tenant, key, hash, err)
	}
	return s.settle(ctx, p, pay.Do(ctx, s.cfg.Rail, order(l, p)))
}

// Refund pays money of the borrower back, all of it or a part: an overpayment, or what a
// seller returned. It is taken from the loan before the bank is told, and put back when the
// bank refuses. ErrCredit when there is less.
func (s *Service) Refund(ctx context.Context, actor access.Actor, loanID string, amount money.Fen, key string) (Loan, error) {
	if amount <= 0 {
		return Loan{}, ErrAmount.At("body.amount")
	}
	if err := checkKey(key); err != nil {
		return Loan{}, err
	}
	hash := bodyHash("refund", loanID, amount)
	if p, err := s.known(ctx, actor.Tenant, key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	now := s.now()
	var p Payment
	l, err := s.update(ctx, actor.Tenant, loanID, func(b *book) (Change, error) {
		if err := bookable(&b.Loan, servicing.CreditRefund); err != nil {
			return Change{}, err
		}
		today := s.today(&b.Loan)
		p = Payment{
			ID: ident.New(), Tenant: b.Tenant, LoanID: loanID, Direction: pay.Out, Refund: true, Amount: amount, Credit: -amount,
			Outcome: pay.Unknown, Date: today, Key: key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		if err := b.carry(today, "day:"+p.ID, "day_end"); err != nil {
			return Change{}, err
		}
		if b.Credit < amount {
			return Change{}, ErrCredit.At("body.amount").With("most", b.Credit)
		}
		h := Happening{
			Event: servicing.Event{ID: p.ID, Kind: servicing.CreditRefund, Date: today, At: now, Amount: amount},
			By:    actor.UserID, ByName: actor.Name, Key: "payment:" + p.ID, KeyHash: hash,
		}
		list, err := s.add(b, h)
		return Change{Payment: &p, Happenings: list}, err
	})
	if err != nil {
		return s.rival(ctx, actor.Tenant, key, hash, err)
	}
	return s.settle(ctx, p, pay.Do(ctx, s.cfg.Rail, order(l, p)))
}

// rival looks whether err came from the same request that was sent twice at once.
func (s *Service) rival(ctx context.Context, tenant, key, hash string, err error) (Loan, error) {
	if errors.Is(err, fault.Conflict) {
		if p, other := s.known(ctx, tenant, key, hash); other == nil {
			return s.finish(ctx, p)
		}
	}
	return Loan{}, err
}

func order(l Loan, p Payment) pay.Order {
	o := pay.Order{
		ID: p.ID, Tenant: p.Tenant, Direction: p.Direction, Amount: p.Amount, PartyID: l.UserID, PartyName: l.UserName, Purpose: l.ID,
	}
	if p.Payee != nil {
		return o.With(*p.Payee)
	}
	return o
}

func bodyHash(kind, id string, amount money.Fen) string {
	return credit.Hash([]byte(kind + "\n" + id + "\n" + strconv.FormatInt(int64(amount), 10)))
}

// known returns the payment that was made with key: ErrNotFound, ErrKeyReused.
func (s *Service) known(ctx context.Context, tenant, key, hash string) (Payment, error) {
	p, err := s.cfg.Store.PaymentByKey(ctx, tenant, key)
	if err == nil && p.KeyHash != hash {
		return Payment{}, ErrKeyReused
	}
	return p, err
}

// finish answers for a payment that was made before, and asks the bank if that is open.
func (s *Service) finish(ctx context.Context, p Payment) (Loan, error) {
	l, err := s.cfg.Store.Loan(ctx, p.Tenant, p.LoanID)
	if err != nil {
		return Loan{}, err
	}
	switch p.Outcome {
	case pay.Settled:
		return l, nil
	case pay.Failed:
		return Loan{}, ErrPayment.With("refusal", p.Reason)
	default:
		return s.settle(ctx, p, pay.Settle(ctx, s.cfg.Rail, order(l, p)))
	}
}

// settle books what the bank said of p. It may run twice for the same receipt: the
// second finds the payment settled.
func (s *Service) settle(ctx context.Context, p Payment, r pay.Receipt) (Loan, error) {
	if r.Outcome == pay.Unknown {
		return s.cfg.Store.Loan(ctx, p.Tenant, p.LoanID)
	}
	p.Outcome, p.Ref, p.Reason = r.Outcome, r.Ref, r.Reason
	l, err := s.update(ctx, p.Tenant, p.LoanID, func(b *book) (Change, error) {
		current, err := s.cfg.Store.PaymentByKey(ctx, p.Tenant, p.Key)
		if err != nil {
			return Change{}, err
		}
		if current.Outcome != pay.Unknown {
			return Change{}, errNothing
		}
		p := p
		p.UpdatedAt = s.now()
		var list []Happening
		switch {
		case r.Outcome == pay.Failed && p.Refund:
			list = []Happening{s.happening(p, servicing.Event{ID: p.ID + ":failed", Kind: servicing.Reverse, Target: p.ID})}
		case r.Outcome == pay.Failed && p.Tranche > 1:
			b.unpaid(&p)
		case r.Outcome == pay.Failed && p.Direction == pay.Out:
			b.State = Failed
		case r.Outcome == pay.Failed || p.Refund:
		case p.Tranche > 1:
			list = s.part(b, &p)
		case p.Direction == pay.Out:
			list, err = s.start(b, &p)
		case p.StepBack:
			list = s.back(b, p)
		default:
			list, err = s.take(b, &p)
		}
		if err == nil && len(list) > 0 {
			list, err = s.add(b, list...)
		}
		if err == nil && len(list) > 0 && p.Direction == pay.In {
			p.told(b.transaction(list[0].Event.ID))
		}
		return Change{Payment: &p, Happenings: list}, err
	})
	if err != nil {
		return Loan{}, err
	}
	if r.Outcome == pay.Failed {
		return Loan{}, ErrPayment.With("refusal", r.Reason)
	}
	return l, nil
}

// happening is what a payment does to its loan.
func (s *Service) happening(p Payment, ev servicing.Event) Happening {
	ev.At = s.now()
	return Happening{Event: ev, By: System.UserID, ByName: System.Name, Key: "payment:" + ev.ID, KeyHash: p.KeyHash}
}

// start lends on the day on which the bank has paid out, and books the fees of the contract
// on their days.
func (s *Service) start(b *book, p *Payment) ([]Happening, error) {
	p.Date = s.today(&b.Loan)
	b.DrawnOn, b.DayEnd = p.Date, p.Date
	b.drawn(p)
	fees, err := b.fees(p)
	if err != nil {
		return nil, err
	}
	list := []Happening{s.happening(*p, servicing.Event{ID: p.ID, Kind: servicing.Disburse, Date: p.Date, Amount: p.Amount})}
	for _, ev := range fees {
		list = append(list, s.happening(*p, ev))
	}
	return list, nil
}

// take books money of the borrower. It ends the loan when, with what is held, it covers
// all that is owed on the day.
func (s *Service) take(b *book, p *Payment) ([]Happening, error) {
	// The bank's date never goes back behind a day end that is done.
	p.Date = s.today(&b.Loan)
	ev := servicing.Event{ID: p.ID, Kind: servicing.Repay, Date: p.Date, Amount: p.Amount}
	switch {
	case b.State == WrittenOff:
		ev.Kind = servicing.Recovery
	case b.live():
		q, err := b.quote(p.Date)
		if err != nil {
			return nil, err
		}
		// A tranche that is on its way keeps the loan open.
		if p.Amount >= q.Total && b.Paying() == 0 {
			ev.Kind = servicing.Payoff
		}
	}
	return []Happening{s.happening(*p, ev)}, nil
}

// told notes how a repayment was taken.
func (p *Payment) told(t *servicing.Transaction) {
	if t != nil {
		p.Penalty, p.Fee, p.Interest, p.Principal = t.Penalty, t.Fee, t.Interest, t.Principal
		p.Credit = p.Amount - t.Penalty - t.Fee - t.Interest - t.Principal
	}
}

// errNothing says that there is nothing left to change.
var errNothing = errors.New("nothing to change")

// update changes a loan, again from the start when somebody else was faster. f adds to the
// book and says what else is written.
func (s *Service) update(ctx context.Context, tenant, id string, f func(*book) (Change, error)) (Loan, error) {
	const tries = 20
	for try := 1; ; try++ {
		b, err := s.load(ctx, tenant, id)
		if err != nil {
			return Loan{}, err
		}
		before := b.stood
		c, err := f(b)
		if errors.Is(err, errNothing) {
			return before, nil
		}
		if err != nil {
			return Loan{}, err
		}
		if err := s.complete(ctx, b, &c); err != nil {
			return Loan{}, fmt.Errorf("loan %s: %w", id, err)
		}
		after, err := s.cfg.Store.Save(ctx, c)
		if errors.Is(err, ErrStale) && try < tries && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return Loan{}, err
		}
		news := []Transition{{before, after}}
		return after, errors.Join(s.tell(ctx, news), s.changed(ctx, news))
	}
}

// complete turns what a book gathered into what is written.
func (s *Service) complete(ctx context.Context, b *book, c *Change) error {
	b.plan(System.UserID, s.now())
	c.Loan = b.Loan
	c.Loan.UpdatedAt = s.now()
	switch {
	case c.Loan.State != Closed && c.Loan.State != WrittenOff:
		c.Loan.ClosedAt = nil
	case c.Loan.ClosedAt == nil:
		c.Loan.ClosedAt = &c.Loan.UpdatedAt
	}
	c.Entries = b.entries
	c.Tier = b.tierMove(c.Loan.UpdatedAt)
	if s.cfg.Share != nil && len(b.moves) > 0 {
		shared, err := s.cfg.Share(ctx, c.Loan, b.moves)
		if err != nil {
			return err
		}
		c.Entries = append(c.Entries, shared...)
	}
	var err error
	for i := range c.Entries {
		if c.Entries[i], err = s.cfg.Book.Prepare(c.Entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// OverdueAlert is the kind of the alert on arrears.
const OverdueAlert = "loan_overdue"

// tell keeps the alerts on loans that are overdue up to date, and clears them when the
// arrears are paid.
func (s *Service) tell(ctx context.Context, news []Transition) error {
	var late []watch.Alert
	for i := range news {
		after := &news[i].After
		if after.State == Overdue {
			late = append(late, s.arrears(after))
		} else if news[i].Before.State == Overdue {
			if err := s.cfg.Alerts.Clear(ctx, after.Tenant, OverdueAlert, after.ID, "", "paid"); err != nil {
				return err
			}
		}
	}
	if len(late) == 0 {
		return nil
	}
	return s.cfg.Alerts.RaiseAll(ctx, late)
}

func (s *Service) arrears(l *Loan) watch.Alert {
	severity := "warning"
	if l.Class != SpecialMention {
		severity = "critical"
	}
	return watch.Alert{
		Tenant: l.Tenant, Kind: OverdueAlert, Severity: severity, SubjectKind: "loan", SubjectID: l.ID,
		Label: l.UserName + " · " + l.SubjectName, LoanID: l.ID, EventAt: s.cfg.Now().UTC(),
		Evidence: map[string]string{
			"days": strconv.Itoa(l.OverdueDays), "amount": l.OverdueAmount.String(), "class": string(l.Class),
		},
	}
}

// Loan returns ErrNotFound.
func (s *Service) Loan(ctx context.Context, tenant, id string) (Loan, error) {
	return s.cfg.Store.Loan(ctx, tenant, id)
}

// Loans lists loans, newest first.
func (s *Service) Loans(ctx context.Context, tenant string, f Filter) ([]Loan, error) {
	return s.cfg.Store.Loans(ctx, tenant, f)
}

// Owed is the principal that is out, or on its way, under an application.
func (s *Service) Owed(ctx context.Context, tenant, applicationID string) (money.Fen, error) {
	return s.cfg.Store.Owed(ctx, tenant, applicationID)
}

// ByApplication returns the newest loan of an application that did not fail; ErrNotFound.
func (s *Service) ByApplication(ctx context.Context, tenant, applicationID string) (Loan, error) {
	return s.cfg.Store.ByApplication(ctx, tenant, applicationID)
}

// Payments returns the payments of a loan in order; ErrNotFound.
func (s *Service) Payments(ctx context.Context, tenant, id string) ([]Payment, error) {
	if _, err := s.cfg.Store.Loan(ctx, tenant, id); err != nil {
		return nil, err
	}
	return s.cfg.Store.Payments(ctx, tenant, id)
}

// Entries returns the postings of a loan in order.
func (s *Service) Entries(ctx context.Context, tenant, id string) ([]ledger.Entry, error) {
	return s.cfg.Book.Entries(ctx, tenant, ledger.Filter{Item: id, Limit: 1000})
}

// Behind is the earliest day to which a running loan has been brought, 0 when none runs.
func (s *Service) Behind(ctx context.Context, tenant string) (money.Date, error) {
	return s.cfg.Store.Behind(ctx, tenant)
}

// Totals sums the book of a tenant.
func (s *Service) Totals(ctx context.Context, tenant string) (Totals, error) {
	return s.cfg.Store.Totals(ctx, tenant)
}

// Record returns what a person owes and the worst days overdue of the last 24 months.
func (s *Service) Record(ctx context.Context, tenant, userID string) (money.Fen, int, error) {
	return s.cfg.Store.Debts(ctx, tenant, userID, s.cfg.Now().AddDate(-2, 0, 0))
}
