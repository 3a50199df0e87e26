package remit

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Loans tell what borrowers have paid of fees for others: *loan.Service.
type Loans interface {
	Passed(ctx context.Context, tenant string, payee cost.Payee, through money.Date, ids []string) ([]loan.Passed, error)
}

// Config is what the service needs; all of it is required.
type Config struct {
	Store  Store
	Book   *ledger.Service
	Loans  Loans
	Rail   pay.Rail
	Payees Payees
	Now    func() time.Time
}

// Service pays collected fees out.
type Service struct{ cfg Config }

// New returns a service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Payees are those of the catalogue.
func (s *Service) Payees() Payees { return s.cfg.Payees }

// Statement says what a payee is owed of what was collected up to and with a day, 0 for
// today: ErrPayee, ErrAhead.
func (s *Service) Statement(ctx context.Context, tenant, code string, through money.Date) (PayeeStatement, error) {
	p, err := s.cfg.Payees.Find(code)
	if err != nil {
		return PayeeStatement{}, err
	}
	today := money.DateOf(s.cfg.Now())
	if through == 0 {
		through = today
	}
	if through > today {
		return PayeeStatement{}, ErrAhead.At("through").With("through", through).With("today", today)
	}
	st := PayeeStatement{Payee: p, Through: through, Loans: []PayeeLoan{}}
	due, err := s.due(ctx, tenant, p, through)
	if err != nil {
		return st, err
	}
	for _, d := range due {
		if d.Open != 0 {
			st.Loans = append(st.Loans, d)
		}
		st.Open += max(0, d.Open)
		st.Claim += max(0, -d.Open)
	}
	slices.SortStableFunc(st.Loans, func(a, b PayeeLoan) int { return sign(a.Open) - sign(b.Open) })
	st.Due = max(0, st.Open-st.Claim)
	open, err := s.cfg.Store.Remittances(ctx, tenant, Filter{Payee: code, Limit: 1})
	if err == nil && len(open) == 1 && (open[0].State == Asked || open[0].State == Sending) {
		st.Pending = open[0].Amount
	}
	return st, err
}

func sign(x money.Fen) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	default:
		return 0
	}
}

// due is what every loan has for a payee, in order of loan: those on whose account of the
// kind something was charged or paid out.
func (s *Service) due(ctx context.Context, tenant string, p FeePayee, through money.Date) ([]PayeeLoan, error) {
	remitted := map[string]money.Fen{}
	add := func(b ledger.Balance) error {
		remitted[b.Item] += b.Amount
		return nil
	}
	if err := s.cfg.Book.Subs(ctx, tenant, account(p.Kind), add); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(remitted))
	for id := range remitted {
		ids = append(ids, id)
	}
	err := s.cfg.Book.Subs(ctx, tenant, strings.Replace(account(p.Kind), "_remitted", "_payable", 1), func(b ledger.Balance) error {
		if _, known := remitted[b.Item]; !known && b.Amount != 0 {
			ids = append(ids, b.Item)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	passed, err := s.cfg.Loans.Passed(ctx, tenant, p.Kind, through, ids)
	if err != nil {
		return nil, err
	}
	out := make([]PayeeLoan, 0, len(passed))
	for _, x := range passed {
		if s.cfg.Payees.of(p.Kind, x.To) == p.Code {
			out = append(out, PayeeLoan{
				LoanID: x.LoanID, Borrower: x.Borrower, Product: x.Product, Charged: x.Charged, Collected: x.Paid,
				Remitted: remitted[x.LoanID], Open: x.Paid - remitted[x.LoanID],
			})
		}
	}
	return out, nil
}

// Propose asks to pay out what a payee is owed up to and with a day, less what it was paid
// too much before. The same key gives the same payout. ErrPayee, ErrAhead, ErrNothing,
// ErrOpen, ErrWhy, ErrKey.
func (s *Service) Propose(ctx context.Context, who access.Actor, code string, through money.Date, memo, key string) (Remittance, error) {
	memo = strings.TrimSpace(memo)
	if utf8.RuneCountInString(memo) > 500 {
		return Remittance{}, ErrWhy.At("body.memo")
	}
	if key == "" || len(key) > 200 {
		return Remittance{}, loan.ErrKey.At("header.Idempotency-Key")
	}
	hash := credit.Hash([]byte("remit\n" + code + "\n" + through.String() + "\n" + memo))
	known := func() (Remittance, error) {
		r, err := s.cfg.Store.ByKey(ctx, who.Tenant, key)
		if err == nil && r.KeyHash != hash {
			err = ErrKey
		}
		return r, err
	}
	if r, err := known(); !errors.Is(err, ErrNotFound) {
		return r, err
	}
	st, err := s.Statement(ctx, who.Tenant, code, through)
	if err != nil {
		return Remittance{}, err
	}
	if st.Due == 0 {
		return Remittance{}, ErrNothing.With("through", st.Through).With("open", st.Open).With("claim", st.Claim)
	}
	now := s.now()
	r := Remittance{
		ID: ident.New(), Tenant: who.Tenant, Payee: code, Through: st.Through, Amount: st.Due, Loans: len(st.Loans), State: Asked, Memo: memo,
		AskedBy: who.UserID, AskedName: who.Name, AskedAt: now, UpdatedAt: now, Key: key, KeyHash: hash,
	}
	parts := make([]RemittancePart, len(st.Loans))
	for i, d := range st.Loans {
		parts[i] = RemittancePart{LoanID: d.LoanID, Borrower: d.Borrower, Product: d.Product, Amount: d.Open}
	}
	switch err := s.cfg.Store.Add(ctx, r, parts); {
	case errors.Is(err, ErrTaken): // the same request sent twice at once
		return known()
	case errors.Is(err, ErrOpen):
		return Remittance{}, ErrOpen.With("payee", code)
	default:
		return r, err
	}
}

// Refuse ends a payout that was asked for; who asked may do so too. ErrNotFound, ErrState, ErrWhy.
func (s *Service) Refuse(ctx context.Context, who access.Actor, id, note string) (Remittance, error) {
	note = strings.TrimSpace(note)
	if note == "" || utf8.RuneCountInString(note) > 500 {
		return Remittance{}, ErrWhy.At("body.note")
	}
	r, err := s.cfg.Store.Remittance(ctx, who.Tenant, id)
	if err == nil && r.State != Asked {
		err = ErrState
	}
	if err != nil {
		return r, err
	}
	r = s.decided(r, who, Refused)
	r.Note = note
	return r, s.cfg.Store.Move(ctx, r, Asked)
}

func (s *Service) decided(r Remittance, who access.Actor, state string) Remittance {
	now := s.now()
	r.State, r.DecidedBy, r.DecidedName, r.DecidedAt, r.UpdatedAt = state, who.UserID, who.Name, &now, now
	return r
}

// Agree has another person agree: what is owed is held, the bank is told to pay, and what it
// says is booked. A payout that comes back sending is looked after until the bank has said
// more. Asking again by the same person changes nothing. ErrNotFound, ErrSecond, ErrState,
// ErrChanged.
func (s *Service) Agree(ctx context.Context, who access.Actor, id string) (Remittance, error) {
	r, err := s.cfg.Store.Remittance(ctx, who.Tenant, id)
	switch {
	case err != nil:
		return r, err
	case r.State == Sending && r.DecidedBy == who.UserID:
		return s.send(ctx, r)
	case (r.State == Paid || r.State == Failed) && r.DecidedBy == who.UserID:
		return r, nil
	case r.State != Asked:
		return r, ErrState
	case r.AskedBy == who.UserID:
		return r, ErrSecond
	}
	if err := s.stands(ctx, r); err != nil {
		return r, err
	}
	r = s.decided(r, who, Sending)
	if err := s.cfg.Store.Move(ctx, r, Asked); err != nil {
		return r, err
	}
	return s.send(ctx, r)
}

// stands says whether every part is owed still: ErrChanged.
func (s *Service) stands(ctx context.Context, r Remittance) error {
	p, err := s.cfg.Payees.Find(r.Payee)
	if err != nil {
		return err
	}
	due, err := s.due(ctx, r.Tenant, p, r.Through)
	if err != nil {
		return err
	}
	now := make(map[string]money.Fen, len(due))
	for _, d := range due {
		now[d.LoanID] = d.Open
	}
	parts, err := s.cfg.Store.Parts(ctx, r.Tenant, r.ID)
	if err != nil {
		return err
	}
	for _, x := range parts {
		if now[x.LoanID] != x.Amount {
			return ErrChanged.With("loan", x.LoanID)
		}
	}
	return nil
}

// send holds what is paid out and tells the bank, which carries an order out once however
// often it is sent.
func (s *Service) send(ctx context.Context, r Remittance) (Remittance, error) {
	p, err := s.cfg.Payees.Find(r.Payee)
	if err != nil {
		return r, err
	}
	if err := s.hold(ctx, r, p); err != nil {
		return r, err
	}
	o := pay.Order{ID: r.ID, Tenant: r.Tenant, Direction: pay.Out, Amount: r.Amount, Purpose: "remittance " + r.Through.String()}
	return s.settle(ctx, r, pay.Do(ctx, s.cfg.Rail, o.With(pay.Payee{ID: p.Code, Name: p.Name["zh-CN"], Account: p.Account, Bank: p.Bank})))
}

// sides is how many parts fit into an entry of the ledger beside the cash.
const sides = 999

// keys of the entries of a payout.
func holdKey(id string, n int) string { return fmt.Sprintf("remit:%s:%d:hold", id, n) }

// hold keeps the money of a payout, once.
func (s *Service) hold(ctx context.Context, r Remittance, p FeePayee) error {
	if _, err := s.cfg.Book.Entry(ctx, r.Tenant, holdKey(r.ID, 1)); !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	parts, err := s.cfg.Store.Parts(ctx, r.Tenant, r.ID)
	if err != nil {
		return err
	}
	var group []ledger.Entry
	for chunk := range slices.Chunk(parts, sides) {
		e := ledger.Entry{
			Tenant: r.Tenant, Key: holdKey(r.ID, len(group)+1), Kind: "remittance", Item: r.ID, Date: money.DateOf(*r.DecidedAt), Op: ledger.Held,
		}
		var sum money.Fen
		for _, x := range chunk {
			sum += x.Amount
			e.Postings = append(e.Postings, ledger.Posting{Account: account(p.Kind), Item: x.LoanID, Amount: x.Amount})
		}
		if sum != 0 {
			e.Postings = append(e.Postings, ledger.Posting{Account: loan.Cash, Item: p.Code, Amount: -sum})
		}
		group = append(group, e)
	}
	_, err = s.cfg.Book.PostAll(ctx, group)
	return err
}

// settle books what the bank has said of a payout. It may run twice for the same receipt.
func (s *Service) settle(ctx context.Context, r Remittance, got pay.Receipt) (Remittance, error) {
	now := s.now()
	r.UpdatedAt = now
	op := ledger.Settle
	switch got.Outcome {
	case pay.Settled:
		r.State, r.Ref, r.PaidOn = Paid, got.Ref, money.DateOf(cmpTime(got.At, now))
	case pay.Failed:
		op = ledger.Void
		r.State, r.Reason = Failed, got.Reason
	default:
		return r, s.cfg.Store.Move(ctx, r, Sending)
	}
	if err := s.end(ctx, &r, op); err != nil {
		return r, err
	}
	err := s.cfg.Store.Move(ctx, r, Sending)
	if errors.Is(err, ErrState) { // somebody else has booked it
		return s.cfg.Store.Remittance(ctx, r.Tenant, r.ID)
	}
	return r, err
}

func cmpTime(at, otherwise time.Time) time.Time {
	if at.IsZero() {
		return otherwise
	}
	return at
}

// end ends what is held: booked, or free again. Where the day of the payment is closed in
// the book already, today counts.
func (s *Service) end(ctx context.Context, r *Remittance, op ledger.Op) error {
	book := func(day money.Date) error {
		var group []ledger.Entry
		for n := 1; ; n++ {
			e, err := s.cfg.Book.Ending(ctx, ledger.End{
				Tenant: r.Tenant, Key: fmt.Sprintf("remit:%s:%d", r.ID, n), Hold: holdKey(r.ID, n), Date: day, Memo: r.Ref,
			}, op)
			if n > 1 && errors.Is(err, ledger.ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
			group = append(group, e)
		}
		_, err := s.cfg.Book.PostAll(ctx, group)
		return err
	}
	if done, err := s.cfg.Book.Entry(ctx, r.Tenant, fmt.Sprintf("remit:%s:1", r.ID)); !errors.Is(err, ledger.ErrNotFound) {
		if r.State == Paid {
			r.PaidOn = done.Date
		}
		return err
	}
	day := r.PaidOn
	if day == 0 {
		day = money.DateOf(s.cfg.Now())
	}
	err := book(day)
	if errors.Is(err, ledger.ErrClosed) && r.State == Paid {
		r.PaidOn = money.DateOf(s.cfg.Now())
		err = book(r.PaidOn)
	}
	return err
}

// OnPayment books an outcome that became known later: pay.Outbox.OnFinal. Orders of others
// are left alone.
func (s *Service) OnPayment(ctx context.Context, i pay.Instruction) error {
	r, err := s.cfg.Store.Remittance(ctx, i.Order.Tenant, i.Order.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || r.State != Sending {
		return err
	}
	got := pay.Receipt{OrderID: r.ID, Outcome: i.Outcome, Ref: i.Ref, Reason: i.Reason}
	if i.SettledAt != nil {
		got.At = *i.SettledAt
	}
	_, err = s.settle(ctx, r, got)
	return err
}

// Work takes up payouts that were left between the agreement and the bank, and asks for those
// that it has not told of. What goes wrong with one does not stop the others.
func (s *Service) Work(ctx context.Context) (n int, err error) {
	list, err := s.cfg.Store.Sending(ctx, s.now().Add(-time.Minute), 100)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, r := range list {
		if _, err := s.send(ctx, r); err != nil {
			failed = append(failed, fmt.Errorf("remittance %s: %w", r.ID, err))
		}
	}
	return len(list), errors.Join(failed...)
}

// Remittances lists payouts, newest first.
func (s *Service) Remittances(ctx context.Context, tenant string, f Filter) ([]Remittance, error) {
	return s.cfg.Store.Remittances(ctx, tenant, f)
}

// Remittance returns a payout with its parts; ErrNotFound.
func (s *Service) Remittance(ctx context.Context, tenant, id string) (Remittance, []RemittancePart, error) {
	r, err := s.cfg.Store.Remittance(ctx, tenant, id)
	if err != nil {
		return r, nil, err
	}
	parts, err := s.cfg.Store.Parts(ctx, tenant, id)
	return r, parts, err
}

// WriteCSV writes the loans of a statement and a last row with what is to be paid out.
func (st PayeeStatement) WriteCSV(w io.Writer) error {
	rows := [][]string{{"loan_id", "borrower", "product", "charged", "collected", "remitted", "open"}}
	for _, d := range st.Loans {
		rows = append(rows, []string{
			d.LoanID, ledger.Cell(d.Borrower), d.Product, d.Charged.String(), d.Collected.String(), d.Remitted.String(), d.Open.String(),
		})
	}
	rows = append(rows, []string{"total", "", "", "", "", "", (st.Open - st.Claim).String()})
	return csv.NewWriter(w).WriteAll(rows)
}
