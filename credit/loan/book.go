package loan

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Contract gives the terms that follow from what a loan says of itself: what is due is
// taken penalty first, then fees, interest and principal, each from the oldest row on;
// money beyond that waits for the next due date unless it ends the loan; what a seller
// refunds makes the principal smaller at once, from the last row back, because the goods are
// returned; penalty interest runs by the day on principal and interest, ACT/360.
func Contract(l *Loan) servicing.Terms {
	var order []servicing.Slot
	for _, part := range []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal} {
		order = append(order, servicing.Slot{When: servicing.PastDue, Part: part}, servicing.Slot{When: servicing.Due, Part: part})
	}
	returned := append(slices.Clone(order), servicing.Slot{When: servicing.InAdvance, Part: servicing.Principal})
	for _, part := range []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal} {
		order = append(order, servicing.Slot{When: servicing.InAdvance, Part: part})
	}
	return servicing.Terms{
		Schedule:   schedule.Terms{Principal: l.Principal, Rate: l.Rate, Method: l.Method, DayCount: l.DayCount, N: l.TermMonths},
		Allocation: servicing.Allocation{Vertical: true, Order: order},
		Special: map[servicing.Kind]servicing.Allocation{
			servicing.MerchantRefund: {Vertical: true, Order: returned, Future: servicing.Last, Ahead: true},
		},
		Prepayment: servicing.Hold,
		Penalty:    servicing.PenaltyTerms{Rate: l.PenaltyRate, DayCount: money.Act360, OnInterest: true},
	}
}

func (l *Loan) terms() servicing.Terms {
	if l.Position.Terms != nil {
		return *l.Position.Terms
	}
	return Contract(l)
}

// book is a loan with its events and what an operation adds to them.
type book struct {
	Loan
	cfg    *Config
	events []servicing.Event
	known  int  // events that were there before
	stood  Loan // as it was then
	state  *servicing.State
	// observed says that the time of observation after a relief runs.
	observed bool
	// entries and moves gather what the operation books.
	entries []ledger.Entry
	moves   []Movement
}

func (s *Service) open(l Loan, past []Happening) *book {
	b := &book{Loan: l, stood: l, cfg: &s.cfg, known: len(past), events: make([]servicing.Event, 0, len(past)+1)}
	b.Tranches = slices.Clone(l.Tranches)
	for i := range past {
		b.events = append(b.events, past[i].Event)
	}
	return b
}

// carry brings the loan to a day: its figures follow from the replay of its events, and
// the ledger moves by the difference between what they say and what was posted.
func (b *book) carry(to money.Date, key, kind string) error {
	terms := b.terms()
	st, err := servicing.Replay(terms, b.events, to)
	if err != nil {
		return err
	}
	b.state = st
	if b.cfg.Share != nil && (len(b.events) > b.known || b.stood.Credit != 0) { // else time alone has moved nothing
		if b.moves, err = b.movements(terms); err != nil {
			return err
		}
	}
	b.settle(st, to)
	goal, earned, err := target(st, b.ExpectedLoss)
	if err != nil {
		return err
	}
	pos := &b.Position
	if p := pos.Posted.with(pos.Earned).postings(goal, &b.Loan); len(p) > 0 {
		b.entries = append(b.entries, ledger.Entry{Tenant: b.Tenant, Key: key, Kind: kind, Item: b.ID, Date: to, Postings: p})
	}
	pos.Posted, pos.Earned, pos.Events = goal.with(-earned), earned, len(b.events)
	pos.Segment = segment(&b.Loan, st, to, b.next(to))
	return nil
}

// settle takes the figures of the loan from a state.
func (b *book) settle(st *servicing.State, to money.Date) {
	l := &b.Loan
	l.DayEnd = to
	l.Outstanding, l.Accrued, l.Fee, l.Penalty = st.Outstanding.Principal, st.Accrued, st.Outstanding.Fee, st.Outstanding.Penalty
	l.OverdueAmount, l.OverdueDays, l.Credit = st.Overdue.Total(), st.OverdueDays, st.Overpaid
	l.NextDue, l.NextAmount, l.ChargedOff = st.NextDue, st.NextAmount, st.ChargedOff
	l.WorstOverdue = max(l.WorstOverdue, l.OverdueDays)
	if n := len(st.Rows); n > 0 {
		l.DueOn = st.Rows[n-1].DueOn
	}
	switch st.Status {
	case servicing.WrittenOff:
		l.State = WrittenOff
	case servicing.Closed, servicing.Overpaid:
		l.State = Closed
	default:
		l.State = Active
		if l.OverdueDays > 0 {
			l.State = Overdue
		}
	}
	b.judge(st, to)
}

// judge gives the loan its stage, its expected loss and its tier.
func (b *book) judge(st *servicing.State, to money.Date) {
	l := &b.Loan
	l.Stage, l.ExpectedLoss = 0, 0
	if !l.live() {
		l.Class = Normal
		if l.State == WrittenOff {
			l.Class = Loss
		}
		return
	}
	b.observed = l.Restructured != 0 && to < l.Restructured.AddMonths(b.cfg.Rules.observation())
	owed := l.Accrued + l.Fee + l.Penalty
	if b.cfg.Provision != nil && l.ChargedOff == 0 {
		x := provision.Exposure{
			Product: l.Product, Date: to, OverdueDays: l.OverdueDays, Increased: b.observed, Impaired: l.Position.Floor.NonPerforming(),
			Rate: l.Rate, Principal: l.Outstanding, Interest: owed, Shares: make([]provision.Share, 0, len(st.Rows)),
		}
		for i := range st.Rows {
			if r := &st.Rows[i]; r.DueOn > to {
				x.Shares = append(x.Shares, provision.Share{DueOn: r.DueOn, Principal: r.Open().Principal})
			}
		}
		loss := b.cfg.Provision.Loss(x)
		l.Stage, l.ExpectedLoss = loss.Stage, loss.Amount
	}
	l.Class = Tier(Standing{
		OverdueDays: l.OverdueDays, Balance: l.Outstanding + owed, ExpectedLoss: l.ExpectedLoss, Stage: l.Stage, Observed: b.observed,
		Floor: l.Position.Floor,
	})
}

// segment is the row that runs on a day, if until its due date nothing but interest can
// happen by itself: nothing is due and unpaid, no money is held, nothing of the running
// interest is paid, and the next event that is booked ahead (0 for none) lies beyond it.
func segment(l *Loan, st *servicing.State, to, next money.Date) Segment {
	if l.State != Active || l.Credit != 0 || l.ChargedOff != 0 {
		return Segment{}
	}
	var running *servicing.Row
	for i := range st.Rows {
		r := &st.Rows[i]
		if r.DueOn <= to {
			if r.Open().Total() != 0 {
				return Segment{}
			}
			continue
		}
		if r.Paid.Interest != 0 || r.Waived.Interest != 0 || r.Written.Interest != 0 {
			return Segment{}
		}
		if running == nil {
			running = r
		}
	}
	if running == nil || running.From > to || next != 0 && next <= running.DueOn {
		return Segment{}
	}
	from, interest := running.Growing()
	return Segment{from, running.DueOn, interest}
}

// earned is the interest of the segment up to a day before its end, HALF_EVEN.
func (g Segment) earned(day money.Date) (money.Fen, error) {
	if day <= g.From {
		return 0, nil
	}
	return money.Mul(g.Interest, int64(day-g.From), int64(g.To-g.From))
}

// movements is what the replay to the present day says of events otherwise than the last
// one did.
func (b *book) movements(terms servicing.Terms) ([]Movement, error) {
	var before []servicing.Transaction
	if b.known > 0 {
		st, err := servicing.Replay(terms, b.events[:b.known], b.stood.DayEnd)
		if err != nil {
			return nil, err
		}
		before = st.Transactions
	}
	return diff(b.ID, before, b.state.Transactions), nil
}

func diff(loanID string, before, after []servicing.Transaction) []Movement {
	type key struct {
		event string
		kind  servicing.Kind
	}
	at := map[key]int{}
	var moves []Movement
	add := func(t *servicing.Transaction, sign money.Fen) {
		if t.Reversed {
			return
		}
		k := key{t.Event, t.Kind}
		i, ok := at[k]
		if !ok {
			i = len(moves)
			at[k] = i
			moves = append(moves, Movement{LoanID: loanID, Event: t.Event, Kind: t.Kind, Date: t.Date})
		}
		m := &moves[i]
		m.Amount += sign * t.Amount
		m.Principal += sign * t.Principal
		if t.Kind == servicing.Disburse { // a transaction tells the parts of what is paid back only
			m.Principal += sign * t.Amount
		}
		m.Interest += sign * t.Interest
		m.Fee += sign * (t.Fee - t.Passed) // product fees for others are no penalties
		m.Passed += sign * t.Passed
		m.Penalty += sign * t.Penalty
		m.Excess += sign * t.Excess
	}
	for i := range before {
		add(&before[i], -1)
	}
	for i := range after {
		add(&after[i], 1)
	}
	return slices.DeleteFunc(moves, func(m Movement) bool {
		return m.Amount == 0 && m.Principal == 0 && m.Interest == 0 && m.Fee == 0 && m.Penalty == 0 && m.Passed == 0 && m.Excess == 0
	})
}

// transaction returns what an event did, or nil.
func (b *book) transaction(event string) *servicing.Transaction {
	for i := range b.state.Transactions {
		if t := &b.state.Transactions[i]; t.Event == event && !t.Reversed {
			return t
		}
	}
	return nil
}

// Quote is what ends a loan on a day.
type Quote struct {
	Date      money.Date `json:"date"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"` // earned to the day and not paid
	Fee       money.Fen  `json:"fee"`
	Penalty   money.Fen  `json:"penalty"`
	Credit    money.Fen  `json:"credit"` // held for the borrower already
	Total     money.Fen  `json:"total"`  // to pay now
}

func (b *book) quote(on money.Date) (Quote, error) {
	st, err := servicing.Replay(b.terms(), b.events, on)
	if err != nil {
		return Quote{}, err
	}
	q, err := servicing.Quote(b.terms(), b.events, on)
	if err != nil {
		return Quote{}, err
	}
	out := Quote{Date: on, Principal: q.Principal, Interest: q.Interest, Fee: q.Fee, Penalty: q.Penalty, Credit: st.Overpaid}
	out.Total = max(0, q.Total()-st.Overpaid)
	return out, nil
}

// instalments shows the rows of a state as of a day.
func instalments(rows []servicing.Row, day money.Date) []Instalment {
	out := make([]Instalment, len(rows))
	for i := range rows {
		r := &rows[i]
		x := Instalment{
			Nr: r.Nr, Kind: string(r.Kind), From: r.From, DueOn: r.DueOn, Days: r.Days(), Principal: r.Due.Principal, Interest: r.Due.Interest,
			Fee: r.Due.Fee, Due: r.Due.Principal + r.Due.Interest + r.Due.Fee, Balance: r.Balance, Penalty: r.Due.Penalty,
			PaidPrincipal: r.Paid.Principal, PaidInterest: r.Paid.Interest, PaidPenalty: r.Paid.Penalty, PaidFee: r.Paid.Fee,
			InAdvance: r.InAdvance.Total(), Late: r.Late.Total(), Waived: r.Waived.Plus(r.Written).Total(),
		}
		switch {
		case r.Open().Total() <= 0:
			x.Status = "paid"
		case r.DueOn < day:
			x.Status = "overdue"
		case r.DueOn == day:
			x.Status = "due"
		default:
			x.Status = "future"
		}
		out[i] = x
	}
	return out
}
