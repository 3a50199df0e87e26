package servicing

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// Replay makes the state of a loan at the end of a day from its terms and events. Events
// after that day do not count yet. Those of one date keep the order of the list, which is
// the order in which they were booked. Errors name the event; the state is nil then.
func Replay(t Terms, events []Event, to money.Date) (*State, error) {
	e := engine{t: &t, to: to, events: events}
	if err := e.run(); err != nil {
		return nil, err
	}
	return e.finish()
}

// run lets all events happen and all days pass.
func (e *engine) run() error {
	if err := e.order(); err != nil {
		return err
	}
	// What was planned to go out is not what went out.
	e.inParts, e.t.Schedule.Tranches = len(e.t.Schedule.Tranches) > 0, nil
	e.txs = make([]Transaction, 0, len(e.queue))
	e.agreed()
	if e.t.Upfront {
		if err := e.layAhead(); err != nil {
			return err
		}
	}
	for _, i := range e.queue {
		if err := e.advance(e.events[i].effective()); err != nil {
			return err
		}
		if err := e.changes(e.events[i].Date); err != nil {
			return err
		}
		if err := e.apply(i); err != nil {
			return err
		}
	}
	if err := e.advance(e.to); err != nil {
		return err
	}
	if e.pg != nil {
		if err := e.changes(e.pg.spans[len(e.pg.spans)-1].due); err != nil {
			return err
		}
		if !e.isOff {
			if err := e.pg.late(e.to, e.wholePeriods()); err != nil {
				return err
			}
		}
		e.sync(e.to)
		return nil
	}
	if e.recalculates() && len(e.rows) > 0 {
		return e.relay(e.to)
	}
	return nil
}

// engine is one replay.
type engine struct {
	t      *Terms
	to     money.Date
	events []Event
	queue  []int32 // indices of events that count, in the order of their effect
	undone []bool  // by index: reversed

	rows     []Row
	charges  []charge
	draws    []draw
	laid     []bool // by index: laid out ahead
	txs      []Transaction
	balance  money.Fen // principal out
	drawn    money.Fen
	overpaid money.Fen
	written  Parts
	accrued  Parts
	up       Parts // charges that a payment may pay before what is not due
	basis    schedule.Basis
	re       recalc
	pg       *progress  // of a progressive loan
	ops      []op       // changes of the plan to come
	broken   error      // an overflow within a payment
	moves    []Change   // of due dates, rates and rows, in the order of their booking
	day      money.Date // the days up to it have passed, see advance
	pauses   []Change   // of penalty, From and To included
	off      money.Date // charged off on
	isOff    bool
	isGone   bool // written off
	inParts  bool // the contract plans tranches
}

type draw struct {
	date   money.Date
	amount money.Fen
}

// effective is the date on which an event takes its place: a charge counts from its
// booking, or from its due date if that lies before.
func (e *Event) effective() money.Date {
	if e.Kind == Charged && e.Charge != nil && e.Charge.DueOn < e.Date {
		return e.Charge.DueOn
	}
	return e.Date
}

// order checks the events and puts them into the order of their effect.
func (e *engine) order() error {
	e.queue = make([]int32, 0, len(e.events))
	e.undone = make([]bool, 2*len(e.events))
	e.undone, e.laid = e.undone[:len(e.events)], e.undone[len(e.events):]
	sorted := true
	var last money.Date
	for i := range e.events {
		ev := &e.events[i]
		if ev.Date > e.to {
			continue
		}
		if ev.Kind == Reverse {
			k, err := e.find(i, ev.Target)
			if err != nil {
				return err
			}
			e.undone[k] = true
			continue
		}
		if err := check(ev); err != nil {
			return err
		}
		d := ev.effective()
		sorted = sorted && d >= last
		last = d
		e.queue = append(e.queue, int32(i))
	}
	if !sorted {
		slices.SortStableFunc(e.queue, func(a, b int32) int {
			return cmp.Compare(e.events[a].effective(), e.events[b].effective())
		})
	}
	return nil
}

// find is the index of the event with an id, which must have been booked before event i.
func (e *engine) find(i int, id string) (int, error) {
	for k := i - 1; k >= 0; k-- {
		if e.events[k].ID == id && id != "" {
			return k, nil
		}
	}
	return 0, ErrTarget.With("event", e.events[i].ID).With("target", id)
}

// free are kinds without an amount, or where 0 means all of it.
func (k Kind) free() bool {
	switch k {
	case Payoff, Waive, RateChange, Reschedule, Extend, ReAge, ReAmortise, PausePenalty, PauseInterest,
		Terminate, ChargeOff, WriteOff, WaiveInterest, Chargeback:
		return true
	default:
		return false
	}
}

func (k Kind) known() bool {
	switch k {
	case Disburse, Repay, DownPaid, Charged, AdjustCharge, Goodwill, MerchantRefund, PayoutRefund,
		Capitalise, InterestWaiver, InterestRefund, CreditRefund, Recovery, Reverse, Accrue:
		return true
	default:
		return k.free()
	}
}

// maxRows bounds the rows of a loan.
const maxRows = 1200

func (c *Change) sane() bool {
	for _, n := range [...]int{c.N, c.Every, c.Extra, c.GracePrincipal, c.GraceInterest} {
		if n < 0 || n > maxRows {
			return false
		}
	}
	return true
}

func check(ev *Event) error {
	switch {
	case !ev.Kind.known():
		return ErrKind.With("event", ev.ID).With("kind", string(ev.Kind))
	case ev.Amount < 0 || ev.Amount == 0 && !ev.Kind.free():
		return ErrAmount.With("event", ev.ID)
	case ev.Kind == Charged && ev.Charge == nil:
		return ErrDate.With("event", ev.ID).With("why", "a charge needs a due date")
	case ev.Change != nil && !ev.Change.sane():
		return ErrDate.With("event", ev.ID).With("why", "the numbers of rows and units must be between 0 and 1200")
	}
	return nil
}

// apply books event i.
func (e *engine) apply(i int32) error {
	ev := &e.events[i]
	if e.undone[i] {
		e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Amount: ev.Amount, Reversed: true})
		return nil
	}
	if len(e.draws) == 0 && ev.Kind != Disburse && ev.Kind != Charged && ev.Kind != Reschedule && ev.Kind != Accrue {
		return ErrNotDrawn.With("event", ev.ID).With("date", ev.Date.String())
	}
	switch ev.Kind {
	case Disburse:
		return e.disburse(i)
	case Repay, DownPaid, Goodwill, PayoutRefund, AdjustCharge, InterestWaiver, InterestRefund:
		return e.repay(ev)
	case Capitalise:
		return e.capitalise(ev)
	case Terminate:
		return e.terminate(ev)
	case MerchantRefund:
		return e.refund(ev)
	case Charged:
		return e.fee(i)
	case Payoff:
		return e.payoff(ev)
	case WaiveInterest:
		e.waiveOpen(ev, Interest)
	case PausePenalty:
		if ev.Change == nil || ev.Change.To < ev.Date {
			return ErrDate.With("event", ev.ID).With("why", "a pause needs a last day")
		}
		e.pauses = append(e.pauses, Change{From: ev.Date, To: ev.Change.To})
		e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Balance: e.balance})
	case Recovery:
		e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: ev.Kind, Date: ev.Date, Amount: ev.Amount, Balance: e.balance})
	case Waive:
		if ev.Target == "" { // penalty by day belongs to no charge
			e.waiveOpen(ev, Penalty)
			return nil
		}
		return e.waive(int(i))
	case Chargeback, CreditRefund:
		return e.credit(int(i))
	case ChargeOff:
		return e.chargeOff(ev)
	case WriteOff:
		if e.daily() {
			e.cut(ev.Date) // what is not earned is not lost
		}
		e.writeOff(ev)
	case ReAge, ReAmortise:
		if e.pg != nil {
			return e.renewPlan(ev)
		}
		if ev.Kind == ReAge {
			e.reAge(ev)
		} else {
			e.reAmortise(ev)
		}
	case PauseInterest:
		if e.pg == nil || ev.Change == nil || ev.Change.To < ev.Change.From {
			return ErrDate.With("event", ev.ID).With("why", "interest stands still from a day to a later one, and only on a progressive loan")
		}
	case Reschedule, Extend, RateChange:
		if !e.laid[i] {
			return ErrDate.With("event", ev.ID).With("why", "it says no change")
		}
	case Accrue:
		e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: Accrue, Date: ev.Date, Amount: ev.Amount, Parts: ev.Split, Balance: e.balance})
		e.accrued = e.accrued.Plus(ev.Split)
	default:
		return ErrKind.With("event", ev.ID).With("kind", string(ev.Kind))
	}
	return nil
}

// disburse pays out and lays out the rows.
func (e *engine) disburse(i int32) error {
	ev := &e.events[i]
	e.balance += ev.Amount
	e.drawn += ev.Amount
	e.txs = append(e.txs, Transaction{Event: ev.ID, Kind: Disburse, Date: ev.Date, Amount: ev.Amount, Balance: e.balance})
	e.paidAtDraw(ev)
	e.re.moved = append(e.re.moved, draw{ev.Date, ev.Amount})
	if e.laid[i] {
		return nil
	}
	if e.progressive() {
		return e.drawProgressive(ev)
	}
	if err := e.draw(ev); err != nil {
		return err
	}
	if err := e.drawRecalculated(ev.Date); err != nil {
		return err
	}
	if e.overpaid > 0 {
		return e.drawOverpaid(len(e.txs) - 1)
	}
	return nil
}

func (e *engine) finish() (*State, error) {
	e.trim()
	s := &State{Date: e.to, Rows: e.rows, Transactions: e.txs, Disbursed: e.drawn, Overpaid: e.overpaid,
		WrittenOff: e.written, Status: Active, Recognised: e.accrued, ChargedOff: e.off, Accrued: e.accruedBy(e.to), PassedOn: e.passedOn()}
	left := e.drawn
	first := money.Date(0)
	for i := range e.rows {
		r := &e.rows[i]
		left -= r.Due.Principal - r.Credited
		r.Balance = left
		open := r.Open()
		s.Outstanding = s.Outstanding.Plus(open)
		switch total := open.Total(); {
		case total <= 0:
		case r.DueOn < e.to:
			s.Overdue = s.Overdue.Plus(open)
			if first == 0 {
				first = r.DueOn
			}
		case s.NextDue == 0 || r.DueOn == s.NextDue:
			s.NextDue, s.NextAmount = r.DueOn, s.NextAmount+total
		}
	}
	if first != 0 {
		s.OverdueDays = int(e.to - first)
	}
	switch {
	case e.isGone:
		s.Status = WrittenOff
	case len(e.draws) == 0:
		s.Status = Approved
	case s.Outstanding.Total() > 0:
	case s.Overpaid > 0:
		s.Status = Overpaid
	default:
		s.Status = Closed
	}
	return s, nil
}
