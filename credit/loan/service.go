package loan

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
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
	Raise(ctx context.Context, a watch.Alert) error
	Clear(ctx context.Context, tenant, kind, subjectID, item, cause string) error
}

// Config is what the service needs. All fields are required.
type Config struct {
	Store  Store
	Book   *ledger.Service
	Rail   pay.Rail
	Alerts Alerts
	Now    func() time.Time
}

// Service lends, takes repayments and runs the day end.
type Service struct {
	cfg     Config
	changed func(ctx context.Context, before, after Loan) error
}

// New returns a service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, changed: func(context.Context, Loan, Loan) error { return nil }}
}

// OnChange has f told of every loan that changed, after it is saved. f must be safe to
// call again for the same change. Call OnChange before the first loan.
func (s *Service) OnChange(f func(ctx context.Context, before, after Loan) error) { s.changed = f }

// DrawRequest asks for the money of a signed application.
type DrawRequest struct {
	Loan Loan   // who, what for and the terms; Principal is the amount
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
	hash := bodyHash("draw", l.ApplicationID, l.Principal)
	if req.Purchase != "" {
		hash = credit.Hash([]byte(hash + "\n" + req.Purchase + "\n" + req.Payee.ID + "\n" + req.Payee.Account))
	}
	if p, err := s.known(ctx, l.Tenant, req.Key, hash); err == nil {
		return s.finish(ctx, p)
	} else if !errors.Is(err, ErrNotFound) {
		return Loan{}, err
	}
	l.ID, l.State, l.Class, l.CreatedAt, l.UpdatedAt = ident.New(), Drawing, Normal, now, now
	// Terms that make no schedule must fail before money moves.
	if err := open(l, nil).start("", money.DateOf(now)); err != nil {
		return Loan{}, err
	}
	p := Payment{
		ID: ident.New(), Tenant: l.Tenant, LoanID: l.ID, Direction: pay.Out, Amount: l.Principal, Outcome: pay.Unknown,
		Date: money.DateOf(now), Key: req.Key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
	}
	if req.Purchase != "" {
		p.Payee, p.Purchase = &req.Payee, req.Purchase
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
	l, err := s.update(ctx, tenant, loanID, func(l Loan) (Change, error) {
		if l.State != Active && l.State != Overdue {
			return Change{}, ErrState.With("state", l.State)
		}
		p = Payment{
			ID: ident.New(), Tenant: tenant, LoanID: loanID, Direction: pay.In, Amount: amount, Outcome: pay.Unknown,
			Date: max(money.DateOf(now), l.DayEnd), Key: key, KeyHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		return Change{Loan: l, Payment: &p}, nil
	})
	if err != nil {
		return s.rival(ctx, tenant, key, hash, err)
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
		return Loan{}, ErrPayment.With("reason", p.Reason)
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
	l, err := s.update(ctx, p.Tenant, p.LoanID, func(l Loan) (Change, error) {
		now := s.cfg.Now().UTC()
		current, err := s.cfg.Store.PaymentByKey(ctx, p.Tenant, p.Key)
		if err != nil {
			return Change{}, err
		}
		if current.Outcome != pay.Unknown {
			return Change{}, errNothing
		}
		p := p
		p.UpdatedAt = now
		if r.Outcome == pay.Failed {
			if p.Direction == pay.Out {
				l.State = Failed
			}
			return Change{Loan: l, Payment: &p}, nil
		}
		rows, err := s.cfg.Store.Rows(ctx, p.Tenant, l.ID)
		if err != nil {
			return Change{}, err
		}
		b := open(l, rows)
		// The bank's date never goes back behind a day end that is done.
		p.Date = max(money.DateOf(now), l.DayEnd)
		if p.Direction == pay.Out {
			err = b.start(p.ID, p.Date)
		} else {
			err = errors.Join(b.to(p.Date), b.repay(&p))
		}
		return Change{Loan: b.Loan, Rows: b.rows, Entries: b.entries, Payment: &p}, err
	})
	if err != nil {
		return Loan{}, err
	}
	if r.Outcome == pay.Failed {
		return Loan{}, ErrPayment.With("reason", r.Reason)
	}
	return l, nil
}

// errNothing says that there is nothing left to change.
var errNothing = errors.New("nothing to change")

// update changes a loan, again from the start when somebody else was faster.
func (s *Service) update(ctx context.Context, tenant, id string, f func(Loan) (Change, error)) (Loan, error) {
	const tries = 10
	for try := 1; ; try++ {
		before, err := s.cfg.Store.Loan(ctx, tenant, id)
		if err != nil {
			return Loan{}, err
		}
		c, err := f(before)
		if errors.Is(err, errNothing) {
			return before, nil
		}
		if err != nil {
			return Loan{}, err
		}
		c.Loan.UpdatedAt = s.cfg.Now().UTC()
		if c.Loan.State == Closed && c.Loan.ClosedAt == nil {
			c.Loan.ClosedAt = &c.Loan.UpdatedAt
		}
		for i := range c.Entries {
			if c.Entries[i], err = s.cfg.Book.Prepare(c.Entries[i]); err != nil {
				return Loan{}, fmt.Errorf("loan %s: %w", id, err)
			}
		}
		after, err := s.cfg.Store.Save(ctx, c)
		if errors.Is(err, ErrStale) && try < tries && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return Loan{}, err
		}
		return after, errors.Join(s.tell(ctx, before, after), s.changed(ctx, before, after))
	}
}

// OverdueAlert is the kind of the alert on arrears.
const OverdueAlert = "loan_overdue"

// tell keeps the alert on a loan that is overdue up to date, and clears it when the
// arrears are paid. Each day end repeats it, so that none is lost with a crash.
func (s *Service) tell(ctx context.Context, before, after Loan) error {
	if after.State != Overdue {
		if before.State == Overdue {
			return s.cfg.Alerts.Clear(ctx, after.Tenant, OverdueAlert, after.ID, "", "paid")
		}
		return nil
	}
	severity := "warning"
	if after.Class != SpecialMention {
		severity = "critical"
	}
	now := s.cfg.Now().UTC()
	return s.cfg.Alerts.Raise(ctx, watch.Alert{
		Tenant: after.Tenant, Kind: OverdueAlert, Severity: severity, SubjectKind: "loan", SubjectID: after.ID,
		Label: after.UserName + " · " + after.SubjectName, LoanID: after.ID, EventAt: now,
		Evidence: map[string]string{
			"days": strconv.Itoa(after.OverdueDays), "amount": after.OverdueAmount.String(), "class": string(after.Class),
		},
	})
}

// DayEndReport is what a day end did.
type DayEndReport struct {
	Date    money.Date `json:"date"`
	Loans   int        `json:"loans"`   // brought to the date
	Overdue int        `json:"overdue"` // of them overdue now
	Settled int        `json:"settled"` // payments whose outcome became known
	Failed  []string   `json:"failed"`  // loans that could not be brought to the date
}

// DayEnd brings every open loan of the tenant to the end of a date and asks the bank
// for payments whose outcome is open. It does days that were missed, and for a date
// that is done it does nothing. A loan that fails does not stop the others; its error is
// joined into the result. ErrDayEnd is for a date beyond reason.
func (s *Service) DayEnd(ctx context.Context, tenant string, date money.Date) (DayEndReport, error) {
	report := DayEndReport{Date: date, Failed: []string{}}
	if last := money.DateOf(s.cfg.Now()).AddMonths(36); date > last {
		return report, ErrDayEnd.At("body.date").With("date", date).With("last", last)
	}
	open, err := s.cfg.Store.Unsettled(ctx, tenant)
	if err != nil {
		return report, err
	}
	var failed []error
	for _, p := range open {
		if _, err := s.finish(ctx, p); err != nil && !errors.Is(err, ErrPayment) {
			failed = append(failed, err)
			continue
		}
		report.Settled++
	}
	for after := ""; ; {
		ids, err := s.cfg.Store.Open(ctx, tenant, date, after, 200)
		if err != nil {
			return report, err
		}
		if len(ids) == 0 {
			return report, errors.Join(failed...)
		}
		for _, id := range ids {
			if ctx.Err() != nil {
				return report, ctx.Err()
			}
			l, err := s.dayEnd(ctx, tenant, id, date)
			if err != nil {
				report.Failed = append(report.Failed, id)
				failed = append(failed, err)
				continue
			}
			report.Loans++
			if l.State == Overdue {
				report.Overdue++
			}
		}
		after = ids[len(ids)-1]
	}
}

func (s *Service) dayEnd(ctx context.Context, tenant, id string, date money.Date) (Loan, error) {
	return s.update(ctx, tenant, id, func(l Loan) (Change, error) {
		if l.DayEnd >= date || (l.State != Active && l.State != Overdue) {
			return Change{}, errNothing
		}
		rows, err := s.cfg.Store.Rows(ctx, tenant, id)
		if err != nil {
			return Change{}, err
		}
		b := open(l, rows)
		err = b.to(date)
		return Change{Loan: b.Loan, Rows: b.rows, Entries: b.entries}, err
	})
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

// Schedule returns the rows of a loan; ErrNotFound.
func (s *Service) Schedule(ctx context.Context, tenant, id string) ([]Instalment, error) {
	if _, err := s.cfg.Store.Loan(ctx, tenant, id); err != nil {
		return nil, err
	}
	return s.cfg.Store.Rows(ctx, tenant, id)
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

// Totals sums the book of a tenant.
func (s *Service) Totals(ctx context.Context, tenant string) (Totals, error) {
	return s.cfg.Store.Totals(ctx, tenant)
}

// Record returns what a person owes and the worst days overdue of the last 24 months.
func (s *Service) Record(ctx context.Context, tenant, userID string) (money.Fen, int, error) {
	return s.cfg.Store.Debts(ctx, tenant, userID, s.cfg.Now().AddDate(-2, 0, 0))
}

// Payoff says what ends the loan today; ErrNotFound, ErrState.
func (s *Service) Payoff(ctx context.Context, tenant, id string) (Quote, error) {
	l, err := s.cfg.Store.Loan(ctx, tenant, id)
	if err != nil {
		return Quote{}, err
	}
	if l.State != Active && l.State != Overdue {
		return Quote{}, ErrState.With("state", l.State)
	}
	rows, err := s.cfg.Store.Rows(ctx, tenant, id)
	if err != nil {
		return Quote{}, err
	}
	b := open(l, rows)
	if err := b.to(max(money.DateOf(s.cfg.Now()), l.DayEnd)); err != nil {
		return Quote{}, err
	}
	return b.quote(), nil
}
