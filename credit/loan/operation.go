package loan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// ErrKey is returned for an operation without an idempotency key.
var ErrKey = fault.New(fault.Invalid, "idempotency.absent", "send an Idempotency-Key header of 1 to 200 characters")

func checkKey(key string) error {
	if key == "" || len(key) > 200 {
		return ErrKey.At("header.Idempotency-Key")
	}
	return nil
}

// eventHash covers what a caller asks for; the id and the time of booking are the house's.
func eventHash(what, loanID string, ev servicing.Event, more ...string) string {
	ev.ID, ev.At = "", ev.At.UTC()
	body, err := json.Marshal(struct {
		What, Loan string
		Event      servicing.Event
		More       []string
	}{what, loanID, ev, more})
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return credit.Hash(body)
}

// Apply books ev on a loan: a charge, a waiver, a change of terms, money that came another
// way than the rail, and so on. A zero Date is today; ID and At are set here. The same key
// with the same event gives the loan as it is now. It returns ErrKey, ErrKeyReused,
// ErrNotFound, ErrState, ErrAhead, ErrBackDate, access.ErrRole, ErrSecond for what needs a
// second person (see [Service.Propose]), and what servicing refuses.
func (s *Service) Apply(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event, key string) (Loan, error) {
	if err := checkKey(key); err != nil {
		return Loan{}, err
	}
	hash := eventHash("apply", loanID, ev)
	if l, err := s.applied(ctx, actor.Tenant, key, hash); !errors.Is(err, ErrNotFound) {
		return l, err
	}
	ev, second, err := s.check(ctx, actor, loanID, ev)
	if err != nil {
		return Loan{}, err
	}
	if second {
		return Loan{}, ErrSecond
	}
	l, err := s.book(ctx, actor.Tenant, loanID, Happening{Event: ev, By: actor.UserID, ByName: actor.Name, Key: key, KeyHash: hash}, nil)
	if errors.Is(err, ErrStale) { // the same request sent twice at once
		if l, again := s.applied(ctx, actor.Tenant, key, hash); again == nil {
			return l, nil
		}
	}
	return l, err
}

// Reverse undoes an event of a loan: what came after it is replayed without it.
func (s *Service) Reverse(ctx context.Context, actor access.Actor, loanID, event, key string) (Loan, error) {
	return s.Apply(ctx, actor, loanID, servicing.Event{Kind: servicing.Reverse, Target: event}, key)
}

// applied answers for an event that was booked before: ErrNotFound, ErrKeyReused.
func (s *Service) applied(ctx context.Context, tenant, key, hash string) (Loan, error) {
	h, err := s.cfg.Store.HappeningByKey(ctx, tenant, key)
	if err != nil {
		return Loan{}, err
	}
	if h.KeyHash != hash {
		return Loan{}, ErrKeyReused
	}
	return s.cfg.Store.Loan(ctx, tenant, h.LoanID)
}

// today is the bank date on which something happens to a loan: never behind its day end.
func (s *Service) today(l *Loan) money.Date { return max(money.DateOf(s.cfg.Now()), l.DayEnd) }

// check fills ev and says whether actor may do it and whether that needs a second person.
func (s *Service) check(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event) (servicing.Event, bool, error) {
	l, err := s.cfg.Store.Loan(ctx, actor.Tenant, loanID)
	if err != nil {
		return ev, false, err
	}
	today := s.today(&l)
	if ev.Date == 0 {
		ev.Date = today
	}
	if ev.ID == "" {
		ev.ID = ident.New()
	}
	ev.At = s.now()
	if ev.Kind == servicing.Disburse {
		return ev, false, access.ErrRole
	}
	second, err := s.cfg.Rules.may(actor, &ev, today)
	return ev, second, err
}

// bookable says whether an event can be booked on a loan. One that is written off takes
// recoveries, and its write-off can be undone.
func bookable(l *Loan, kind servicing.Kind) error {
	switch {
	case l.State == Drawing || l.State == Failed:
	case l.State == WrittenOff && kind != servicing.Recovery && kind != servicing.Reverse && kind != servicing.CreditRefund:
	case l.State != WrittenOff && kind == servicing.Recovery:
	default:
		return nil
	}
	return ErrState.With("state", l.State)
}

// ends says whether an event of a kind ends a loan, or what it earns.
func ends(kind servicing.Kind) bool {
	return kind == servicing.Payoff || kind == servicing.WriteOff || kind == servicing.ChargeOff
}

// book appends an event to a loan, with the proposal that it came from.
func (s *Service) book(ctx context.Context, tenant, loanID string, h Happening, a *Action) (Loan, error) {
	return s.update(ctx, tenant, loanID, func(b *book) (Change, error) {
		if err := bookable(&b.Loan, h.Event.Kind); err != nil {
			return Change{}, err
		}
		if ends(h.Event.Kind) && b.Paying() != 0 {
			return Change{}, ErrTranchePaying
		}
		list, err := s.add(b, h)
		return Change{Happenings: list, Action: a}, err
	})
}

// add appends events to a book, numbered, and carries it to today. The first names what is
// posted.
func (s *Service) add(b *book, list ...Happening) ([]Happening, error) {
	for i := range list {
		if err := s.append(b, &list[i]); err != nil {
			return nil, err
		}
	}
	first := &list[0].Event
	return list, b.carry(s.today(&b.Loan), "event:"+first.ID, string(first.Kind))
}

func (s *Service) append(b *book, h *Happening) error {
	ev := &h.Event
	if ev.Kind == servicing.Reverse {
		for i := range b.events {
			if b.events[i].ID == ev.Target && b.events[i].Kind == servicing.Disburse {
				return ErrDrawdown
			}
		}
	}
	if ev.Date < b.DrawnOn {
		return servicing.ErrNotDrawn.At("body.date").With("event", ev.ID).With("date", ev.Date)
	}
	if ends(ev.Kind) {
		for i := range b.events {
			if x := &b.events[i]; x.Kind == servicing.Disburse && x.Date > ev.Date {
				return ErrBackDate.At("body.date").With("date", ev.Date).With("first", x.Date)
			}
		}
	}
	if ev.Kind == servicing.CreditRefund {
		if err := s.held(b, ev); err != nil {
			return err
		}
	}
	if r := s.cfg.Rules.rule(ev.Kind); r != nil && r.Restructures && b.live() {
		b.Restructured = max(b.Restructured, ev.Date)
	}
	h.Nr, h.Tenant, h.LoanID, h.At = len(b.events)+1, b.Tenant, b.ID, s.now()
	b.events = append(b.events, *ev)
	return nil
}

// held refuses to pay back more than is held for the borrower, on the day of the event and
// today: ErrCredit.
func (s *Service) held(b *book, ev *servicing.Event) error {
	most := ev.Amount
	for _, day := range []money.Date{ev.Date, s.today(&b.Loan)} {
		st, err := servicing.Replay(b.terms(), b.events, day)
		if err != nil {
			return err
		}
		most = min(most, st.Overpaid)
	}
	if most < ev.Amount {
		return ErrCredit.At("body.amount").With("most", max(most, 0))
	}
	return nil
}

// View is a loan as it would be.
type View struct {
	Event        servicing.Event `json:"event"`
	Second       bool            `json:"second"` // a second person must agree
	Loan         Loan            `json:"loan"`
	Schedule     []Instalment    `json:"schedule"`
	Transactions []Transaction   `json:"transactions"`
	Movements    []Movement      `json:"movements"` // what changes
	Entries      []ledger.Entry  `json:"entries"`   // what would be posted
}

// Preview shows a loan with one more event; nothing is written. It returns what
// [Service.Apply] would, but not ErrSecond.
func (s *Service) Preview(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event) (View, error) {
	ev, second, err := s.check(ctx, actor, loanID, ev)
	if err != nil {
		return View{}, err
	}
	b, err := s.load(ctx, actor.Tenant, loanID)
	if err != nil {
		return View{}, err
	}
	if err := bookable(&b.Loan, ev.Kind); err != nil {
		return View{}, err
	}
	known := b.DayEnd
	if _, err := s.add(b, Happening{Event: ev}); err != nil {
		return View{}, err
	}
	before, err := servicing.Replay(b.terms(), b.events[:b.known], known)
	if err != nil {
		return View{}, fmt.Errorf("loan %s: %w", loanID, err)
	}
	return View{
		Event: ev, Second: second, Loan: b.Loan, Schedule: b.rows(b.state), Transactions: transactions(b.state),
		Movements: diff(b.ID, before.Transactions, b.state.Transactions), Entries: b.entries,
	}, nil
}

// Transaction is what an event did to a loan.
type Transaction struct {
	Event     string         `json:"event"`
	Kind      servicing.Kind `json:"kind"`
	Date      money.Date     `json:"date"`
	Amount    money.Fen      `json:"amount"`
	Principal money.Fen      `json:"principal"`
	Interest  money.Fen      `json:"interest"`
	Fee       money.Fen      `json:"fee"`
	Penalty   money.Fen      `json:"penalty"`
	Excess    money.Fen      `json:"excess"`   // kept for the borrower
	Balance   money.Fen      `json:"balance"`  // principal out after it
	Reversed  bool           `json:"reversed"` // undone by a later event
}

func transactions(st *servicing.State) []Transaction {
	out := make([]Transaction, len(st.Transactions))
	for i := range st.Transactions {
		t := &st.Transactions[i]
		out[i] = Transaction{
			t.Event, t.Kind, t.Date, t.Amount, t.Principal, t.Interest, t.Fee, t.Penalty, t.Excess, t.Balance, t.Reversed,
		}
	}
	return out
}

// load reads a loan with its events.
func (s *Service) load(ctx context.Context, tenant, id string) (*book, error) {
	b, _, err := s.read(ctx, tenant, id)
	return b, err
}

func (s *Service) read(ctx context.Context, tenant, id string) (*book, []Happening, error) {
	l, err := s.cfg.Store.Loan(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	past, err := s.cfg.Store.Happenings(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	return s.open(l, past[id]), past[id], nil
}

// at replays a loan to a day; nil before anything was drawn.
func (s *Service) at(ctx context.Context, tenant, id string, day money.Date) (*book, *servicing.State, error) {
	b, err := s.load(ctx, tenant, id)
	if err != nil || len(b.events) == 0 {
		return b, nil, err
	}
	if day == 0 {
		day = b.DayEnd
	}
	st, err := servicing.Replay(b.terms(), b.events, day)
	return b, st, err
}

// Schedule returns the rows of a loan; ErrNotFound.
func (s *Service) Schedule(ctx context.Context, tenant, id string) ([]Instalment, error) {
	b, st, err := s.at(ctx, tenant, id, 0)
	if err != nil || st == nil {
		return []Instalment{}, err
	}
	return b.rows(st), nil
}

// Transactions returns what the events of a loan did, in the order of their dates; ErrNotFound.
func (s *Service) Transactions(ctx context.Context, tenant, id string) ([]Transaction, error) {
	_, st, err := s.at(ctx, tenant, id, 0)
	if err != nil || st == nil {
		return []Transaction{}, err
	}
	return transactions(st), nil
}

// Happenings returns the events of a loan in the order in which they were booked; ErrNotFound.
func (s *Service) Happenings(ctx context.Context, tenant, id string) ([]Happening, error) {
	if _, err := s.cfg.Store.Loan(ctx, tenant, id); err != nil {
		return nil, err
	}
	past, err := s.cfg.Store.Happenings(ctx, tenant, id)
	if err != nil || past[id] == nil {
		return []Happening{}, err
	}
	return past[id], nil
}

// Payoff says what ends the loan today; ErrNotFound, ErrState.
func (s *Service) Payoff(ctx context.Context, tenant, id string) (Quote, error) {
	return s.PayoffOn(ctx, tenant, id, 0)
}

// PayoffOn says what ends the loan on a day, if nothing is paid until then; 0 is today.
// ErrNotFound, ErrState, ErrDayEnd for a day beyond three years.
func (s *Service) PayoffOn(ctx context.Context, tenant, id string, day money.Date) (Quote, error) {
	b, err := s.load(ctx, tenant, id)
	if err != nil {
		return Quote{}, err
	}
	if !b.live() {
		return Quote{}, ErrState.With("state", b.State)
	}
	today := s.today(&b.Loan)
	if day == 0 {
		day = today
	}
	if last := today.AddMonths(36); day > last {
		return Quote{}, ErrDayEnd.At("query.date").With("date", day).With("last", last)
	}
	if day < b.DrawnOn {
		return Quote{}, ErrBackDate.At("query.date").With("date", day).With("first", b.DrawnOn)
	}
	return b.quote(day)
}
