package fund

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Config is what the service needs.
type Config struct {
	Store     Store
	Catalogue *Catalogue
	Book      *ledger.Service
	// Related tells who belongs to a debtor, for the bound on related parties; nil knows of
	// nobody.
	Related func(ctx context.Context, tenant, debtor string) ([]string, error)
	// Pay sends what a funder is owed and returns the bank's reference; nil leaves the
	// payment to people, who enter it.
	Pay func(ctx context.Context, tenant string, f Participant, amount money.Fen, key string) (ref string, err error)
	Now func() time.Time
}

// Service shares the loans of a house.
type Service struct{ cfg Config }

// New returns a service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Catalogue returns funders and agreements.
func (s *Service) Catalogue() *Catalogue { return s.cfg.Catalogue }

// Admit freezes how a loan is shared, before its money is sent: l has its id, product,
// principal and rate. A drawdown that would break a bound returns ErrBound or ErrShare
// with the article, unless its agreement has the bank fund such loans alone. What a
// guarantor may not answer for is always refused. Calling it again changes nothing.
func (s *Service) Admit(ctx context.Context, l loan.Loan) error {
	chosen, err := s.cfg.Store.Chosen(ctx, l.Tenant, l.ApplicationID)
	if err != nil || chosen == "" && !s.cfg.Catalogue.concerns(l.Product) {
		return err
	}
	now := s.cfg.Now().UTC()
	on := l.DrawnOn
	if on == 0 {
		on = money.DateOf(now)
	}
	related, err := s.related(ctx, l.Tenant, debtor(l))
	if err != nil {
		return err
	}
	_, err = s.cfg.Store.Freeze(ctx, SharedLoan{
		Tenant: l.Tenant, LoanID: l.ID, ApplicationID: l.ApplicationID, Product: l.Product, FrozenAt: now,
	}, func(e Exposure) (SharingTerms, error) { return s.decide(l, chosen, on, e, related) })
	return err
}

func (s *Service) decide(l loan.Loan, chosen string, on money.Date, e Exposure, related func(string) []string) (SharingTerms, error) {
	t, breach, err := s.cfg.Catalogue.Terms(l.Product, chosen, on, l.Committed(), l.Rate)
	t.Debtor = debtor(l)
	if err == nil {
		err = s.cfg.Catalogue.Admit(t, e, related)
	}
	if err == nil || breach != "own" || !t.Joint() {
		return t, err
	}
	t.Fallback = err.Error()
	t.Parties, t.Internet = []Lender{s.cfg.Catalogue.alone()}, false
	return t, s.cfg.Catalogue.Admit(t, e, related)
}

// debtor is who owes: the firm, or the person.
func debtor(l loan.Loan) string {
	if l.Subject.Kind == credit.FirmSubject {
		return l.Subject.ID
	}
	return l.UserID
}

// related looks up who belongs to the debtor of a new loan, before a transaction begins.
func (s *Service) related(ctx context.Context, tenant, of string) (func(string) []string, error) {
	if s.cfg.Related == nil {
		return nil, nil
	}
	list, err := s.cfg.Related(ctx, tenant, of)
	return func(debtor string) []string {
		if debtor == of {
			return list
		}
		return nil
	}, err
}

// Share gives the ledger entries that divide what an operation moved, to be posted with
// it: loan.Config.Share. The store that posts them calls store/fund.Follow.
func (s *Service) Share(ctx context.Context, l loan.Loan, moves []Movement) ([]ledger.Entry, error) {
	if !slices.ContainsFunc(moves, func(m Movement) bool { return reason(m) != "" }) {
		return nil, nil
	}
	f, err := s.frozen(ctx, l, moves)
	if err != nil || !f.Terms.Shared() {
		return nil, err
	}
	lines, err := s.cfg.Store.Lines(ctx, l.Tenant, LineFilter{LoanID: l.ID})
	if err != nil {
		return nil, err
	}
	room, err := s.room(ctx, f, moves)
	if err != nil {
		return nil, err
	}
	var out []ledger.Entry
	for _, m := range moves {
		m.LoanID = l.ID
		for _, e := range Share(f.Terms, lines, m, room) {
			e.Tenant = l.Tenant
			out = append(out, e)
			for _, x := range Lines(e) {
				lines = append(lines, x)
				if x.Account == PoolMoney {
					room -= x.Amount
				}
			}
		}
	}
	return out, nil
}

// frozen are the terms of a loan. A loan whose money went out without them, because
// nobody asked Admit, gets them now; what would break a bound the bank has funded alone.
func (s *Service) frozen(ctx context.Context, l loan.Loan, moves []Movement) (SharedLoan, error) {
	f, err := s.cfg.Store.Frozen(ctx, l.Tenant, l.ID)
	if !errors.Is(err, ErrNotFound) {
		return f, err
	}
	if !slices.ContainsFunc(moves, func(m Movement) bool { return m.Kind == servicing.Disburse }) {
		return SharedLoan{}, nil
	}
	switch err := s.Admit(ctx, l); {
	case errors.Is(err, ErrBound), errors.Is(err, ErrShare), errors.Is(err, ErrRate), errors.Is(err, ErrAgreement):
		return SharedLoan{}, nil
	case err != nil:
		return SharedLoan{}, err
	}
	f, err = s.cfg.Store.Frozen(ctx, l.Tenant, l.ID)
	if errors.Is(err, ErrNotFound) {
		return SharedLoan{}, nil
	}
	return f, err
}

// room is what the pool of a loan can still bear. It is counted only for movements that
// the pool may pay for.
func (s *Service) room(ctx context.Context, f SharedLoan, moves []Movement) (money.Fen, error) {
	pays := func(m Movement) bool {
		return m.Kind == servicing.WriteOff || m.Kind == Claimed || m.Kind == servicing.Chargeback || m.Principal < 0 || m.Amount < 0
	}
	if f.Terms.Pool == nil || !slices.ContainsFunc(moves, pays) {
		return 0, nil
	}
	p, err := s.cfg.Store.Pool(ctx, f.Tenant, f.Terms.Pool.Bucket)
	if err != nil {
		return 0, err
	}
	limit := f.Terms.Pool.Cap(p)
	return max(0, limit-p.Used), s.cfg.Store.SetCap(ctx, f.Tenant, p.Bucket, limit)
}

// Cap is what a pool may pay in all, as it stands.
func (b LossBearer) Cap(p PoolState) money.Fen {
	limit := NoCap
	if b.CapFen > 0 {
		limit = b.CapFen
	}
	if b.CapBP > 0 {
		base := p.Disbursed
		if b.Base == "outstanding" {
			base = p.Outstanding
		}
		limit = min(limit, base/money.Fen(whole)*money.Fen(b.CapBP)+base%money.Fen(whole)*money.Fen(b.CapBP)/money.Fen(whole))
	}
	return limit
}

// Changed looks at a loan that an operation has changed: one whose money was never sent
// is released, and one that is overdue for as long as its agreement says is claimed from
// pool and guarantor. It is safe to call again: loan.Service.OnChange.
func (s *Service) Changed(ctx context.Context, _, after loan.Loan) error {
	if after.State == loan.Failed {
		return s.cfg.Store.Release(ctx, after.Tenant, after.ID)
	}
	if after.OverdueDays == 0 || after.Outstanding == 0 {
		return nil
	}
	f, err := s.cfg.Store.Frozen(ctx, after.Tenant, after.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || f.Terms.TriggerDays == 0 || after.OverdueDays < f.Terms.TriggerDays {
		return err
	}
	m := Movement{LoanID: after.ID, Event: "claim", Kind: Claimed, Date: after.DayEnd, Principal: after.Outstanding}
	return s.retry(ctx, func() error {
		lines, err := s.cfg.Store.Lines(ctx, after.Tenant, LineFilter{LoanID: after.ID})
		if err != nil {
			return err
		}
		room, err := s.room(ctx, f, []Movement{m})
		if err != nil {
			return err
		}
		return s.post(ctx, after.Tenant, len(lines), LineFilter{LoanID: after.ID}, Share(f.Terms, lines, m, room))
	})
}

func (s *Service) post(ctx context.Context, tenant string, seen int, f LineFilter, entries []ledger.Entry) error {
	for i := range entries {
		entries[i].Tenant = tenant
		e, err := s.cfg.Book.Prepare(entries[i])
		if err != nil {
			return err
		}
		entries[i] = e
	}
	if len(entries) == 0 {
		return nil
	}
	return s.cfg.Store.Post(ctx, seen, f, entries)
}

// retry does f again while rivals are faster.
func (s *Service) retry(ctx context.Context, f func() error) error {
	const tries = 10
	for try := 1; ; try++ {
		err := f()
		if !errors.Is(err, loan.ErrStale) || try == tries || ctx.Err() != nil {
			return err
		}
	}
}

// Choose has an application shared by an agreement that its product does not name, from
// the next drawdown on; "" goes back to the product's. ErrAgreement.
func (s *Service) Choose(ctx context.Context, tenant, applicationID, agreement, userID string) error {
	now := s.cfg.Now().UTC()
	if on := money.DateOf(now); agreement != "" && s.cfg.Catalogue.inForce("", agreement, on) == nil {
		return ErrAgreement.At("body.agreement").With("code", agreement).With("date", on)
	}
	return s.cfg.Store.Choose(ctx, tenant, applicationID, agreement, userID, now)
}

// AgreementChoice is by which agreement an application is shared from its next drawdown on.
type AgreementChoice struct {
	Chosen string   `json:"chosen"` // "" for that of its product
	Open   []string `json:"open"`   // codes of the agreements in force, any of which may be chosen
}

// Chosen tells what [Service.Choose] was last asked, and what it takes today.
func (s *Service) Chosen(ctx context.Context, tenant, applicationID string) (AgreementChoice, error) {
	out := AgreementChoice{Open: []string{}}
	today := money.DateOf(s.cfg.Now())
	for _, a := range s.cfg.Catalogue.Agreements {
		if s.cfg.Catalogue.inForce("", a.Code, today) != nil && !slices.Contains(out.Open, a.Code) {
			out.Open = append(out.Open, a.Code)
		}
	}
	var err error
	out.Chosen, err = s.cfg.Store.Chosen(ctx, tenant, applicationID)
	return out, err
}

// Bounds shows how far each rule is used.
func (s *Service) Bounds(ctx context.Context, tenant string) ([]BoundUse, error) {
	e, err := s.cfg.Store.Exposure(ctx, tenant, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	known := map[string][]string{}
	if s.cfg.Related != nil {
		for _, by := range e.Liability {
			for d := range by {
				if known[d], err = s.cfg.Related(ctx, tenant, d); err != nil {
					return nil, err
				}
			}
		}
	}
	return s.cfg.Catalogue.Bounds(e, func(d string) []string { return known[d] }), nil
}

// PoolUse is a pool, or one vintage of it, with its cap.
type PoolUse struct {
	PoolState
	Cap   money.Fen `json:"cap"`   // by what stands under it now
	Money money.Fen `json:"money"` // paid in and not paid out
}

// Pools shows how far each pool is used.
func (s *Service) Pools(ctx context.Context, tenant string) ([]PoolUse, error) {
	buckets, err := s.cfg.Store.Buckets(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := make([]PoolUse, 0, len(buckets))
	for _, b := range buckets {
		p, err := s.cfg.Store.Pool(ctx, tenant, b)
		if err != nil {
			return nil, err
		}
		held, err := s.cfg.Store.Balance(ctx, tenant, PoolMoney, b)
		if err != nil {
			return nil, err
		}
		out = append(out, PoolUse{PoolState: p, Cap: s.cfg.Catalogue.pool(b).Cap(p), Money: -held})
	}
	return out, nil
}

// pool is the part of a pool as the catalogue has it now, for what is shown.
func (c *Catalogue) pool(bucket string) LossBearer {
	code, _, _ := strings.Cut(bucket, "/")
	for _, a := range slices.Backward(c.Agreements) {
		if a.Pool != nil && a.Pool.Funder == code {
			return LossBearer{Code: code, CapFen: a.Pool.CapFen, CapBP: a.Pool.CapBP, Base: a.Pool.Base}
		}
	}
	for _, p := range c.products {
		if p.RiskPool != nil && p.RiskPool.Code == code {
			return LossBearer{Code: code, CapFen: p.RiskPool.CapFen}
		}
	}
	return LossBearer{Code: code}
}

// Loan shows how one loan is shared. ErrNotFound.
func (s *Service) Loan(ctx context.Context, tenant, loanID string) (SharedLoan, []ShareLine, error) {
	f, err := s.cfg.Store.Frozen(ctx, tenant, loanID)
	if err != nil {
		return f, nil, err
	}
	lines, err := s.cfg.Store.Lines(ctx, tenant, LineFilter{LoanID: loanID})
	return f, lines, err
}

// FundSettlement is money that passed between the bank and a funder.
type FundSettlement struct {
	Funder string     `json:"funder"`
	Bucket string     `json:"bucket,omitempty"` // of a pool with vintages
	Amount money.Fen  `json:"amount"`           // above zero the bank pays, below zero the funder does
	Date   money.Date `json:"date"`
	Ref    string     `json:"ref"` // of the bank's transfer
	Key    string     `json:"-"`   // idempotency key
}

// Settle books money that passed: what a lender is owed or owes, what a guarantor or a
// government pays, what is paid into a pool or back out of it. No more than is open can be
// settled, but anything can be paid into a pool. It returns ErrFunder, ErrKind, ErrAmount
// and the errors of the ledger.
func (s *Service) Settle(ctx context.Context, tenant string, x FundSettlement) (FundSettlement, error) {
	f, known := s.cfg.Catalogue.Funder(x.Funder)
	if !known {
		return x, ErrFunder.At("body.funder").With("code", x.Funder)
	}
	account, item := settlementAccount(f.Kind), x.Funder
	if account == "" {
		return x, ErrKind.At("body.funder").With("code", x.Funder).With("kind", f.Kind)
	}
	if x.Bucket != "" {
		if f.Kind != Pool || !strings.HasPrefix(x.Bucket, x.Funder+"/") {
			return x, ErrFunder.At("body.bucket").With("code", x.Bucket)
		}
		item = x.Bucket
	}
	key := EntryKey("", x.Key, Settle, 1)
	done, err := s.cfg.Store.Lines(ctx, tenant, LineFilter{Party: item, Kind: Settle})
	if err != nil {
		return x, err
	}
	again := slices.ContainsFunc(done, func(l ShareLine) bool { return l.Key == key })
	if !again && s.cfg.Pay != nil && x.Amount > 0 {
		if err := s.open(ctx, tenant, account, item, f.Kind, x.Amount); err != nil {
			return x, err
		}
		if x.Ref, err = s.cfg.Pay(ctx, tenant, f, x.Amount, x.Key); err != nil {
			return x, err
		}
	}
	return x, s.retry(ctx, func() error {
		lines, err := s.cfg.Store.Lines(ctx, tenant, LineFilter{Party: item})
		if err != nil {
			return err
		}
		if !again {
			if err := s.open(ctx, tenant, account, item, f.Kind, x.Amount); err != nil {
				return err
			}
		}
		return s.post(ctx, tenant, len(lines), LineFilter{Party: item}, []ledger.Entry{{
			Key: key, Kind: Settle, Date: x.Date, Memo: x.Ref, Postings: []ledger.Posting{
				{Account: account, Item: item, Amount: x.Amount}, {Account: cash, Item: item, Amount: -x.Amount},
			},
		}})
	})
}

// settlementAccount holds what is open with a funder; "" for the bank itself.
func settlementAccount(k Kind) string {
	switch k {
	case Partner, Trust:
		return Payable
	case Guarantor:
		return Claim
	case Pool:
		return PoolMoney
	case Government:
		return SubsidyClaim
	default:
		return ""
	}
}

// open returns ErrAmount when more than is open would be settled.
func (s *Service) open(ctx context.Context, tenant, account, item string, kind Kind, amount money.Fen) error {
	balance, err := s.cfg.Store.Balance(ctx, tenant, account, item) // below zero the bank owes
	if err != nil {
		return err
	}
	left := max(0, -balance)
	if amount < 0 {
		left = max(0, balance)
		if kind == Pool {
			left = NoCap
		}
	}
	if amount == 0 || amount > left || -amount > left {
		return ErrAmount.At("body.amount").With("open", left)
	}
	return nil
}
