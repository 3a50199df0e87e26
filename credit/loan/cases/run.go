package cases

import (
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Difference is an expected row that was not met, and why.
type Difference struct {
	Event int    `json:"event"` // place in the case's events, from 0
	Of    string `json:"of"`    // "schedule", "periods", "totals", "transactions", "status" or "amount"
	Row   int    `json:"row"`   // place in the event's rows, from 0
	Why   string `json:"why"`
}

// Count is matched and expected rows.
type Count struct {
	Matched  int `json:"matched"`
	Expected int `json:"expected"`
}

// Result is what a case came to.
type Result struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Passed says that everything expected was met and everything in the case understood.
	Passed   bool `json:"passed"`
	Matched  int  `json:"rows_matched"`  // schedule, periods, totals and transactions
	Expected int  `json:"rows_expected"` // of these
	// Of counts by what the rows are of, status and amounts among them.
	Of          map[string]*Count `json:"of"`
	Differences []Difference      `json:"differences"`
	// Extra is what there is beyond the transactions that a case names.
	Extra []Difference `json:"extra,omitempty"`
	// Unknown is what the runner did not understand or the engine refused: it changed
	// nothing, and the rows after it are compared all the same.
	Unknown []Difference `json:"unknown,omitempty"`
}

// run is one case under way.
type run struct {
	result  Result
	c       *Case
	p       *Params
	t       servicing.Terms
	today   money.Date
	events  []servicing.Event
	frozen  map[string]servicing.Transaction // what undone payments were last
	state   *servicing.State
	model   *servicing.Model // of a case that gives its periods
	unnamed money.Date       // due date of the period that a nameless variable meant last
	broken  string           // why nothing after this can be judged
	// recalculated is the last day on which a day end recalculated the interest.
	recalculated money.Date
	tranche      money.Rate // charge on every drawdown
	trancheName  string
	late         map[money.Date]bool // due dates that took a late fee
	config       map[string]string
	at           int
	closed       money.Date // the last day that a day end has closed
	status0      string     // of a loan that is not approved any more
}

// Run replays a case.
func Run(c *Case) Result {
	r := &run{c: c, p: c.Params, frozen: map[string]servicing.Transaction{}, config: map[string]string{}, late: map[money.Date]bool{}}
	r.result = Result{ID: c.ID, Kind: c.Kind, Of: map[string]*Count{}, Differences: []Difference{}}
	if r.p == nil {
		r.p = defaults()
	}
	var err error
	if r.t, err = r.p.terms(); err != nil {
		r.broken = err.Error()
	}
	for _, what := range slices.Concat(c.Unread, r.p.odd()) {
		r.unknown("params", what)
	}
	if n := len(r.p.Periods); n > 0 {
		due := make([]money.Date, n)
		for i, p := range r.p.Periods {
			due[i] = p.Due.Date
		}
		r.model = servicing.NewModel(r.t.Schedule, r.p.Periods[0].From.Date, due)
	}
	if r.p.Submitted.Date != 0 {
		r.today = r.p.Submitted.Date
	}
	for i := range c.Events {
		r.at = i
		e := &c.Events[i]
		for _, what := range e.Unread {
			r.unknown(e.Type, "unknown field "+what)
		}
		if strings.HasPrefix(e.Type, "expect_") {
			r.expect(e)
			continue
		}
		if r.broken != "" {
			continue
		}
		if why := r.do(e); why != "" {
			r.unknown(e.Type, why)
		}
	}
	r.result.Passed = len(r.result.Differences)+len(r.result.Unknown) == 0
	return r.result
}

// unknown tells what was not done.
func (r *run) unknown(of, why string) {
	r.result.Unknown = append(r.result.Unknown, Difference{Event: r.at, Of: of, Why: why})
}

// add books an event of today and replays. One that the engine refuses did not happen.
func (r *run) add(ev servicing.Event) string {
	if ev.ID == "" {
		ev.ID = fmt.Sprintf("%d.%d", r.at, len(r.events))
	}
	r.events = append(r.events, ev)
	before := r.state
	s, err := servicing.Replay(r.t, r.events, r.horizon())
	if err != nil {
		r.events = r.events[:len(r.events)-1]
		return err.Error()
	}
	r.state = s
	if before != nil && before.Status != s.Status && (s.Status == servicing.Closed || s.Status == servicing.Overpaid) {
		return r.accrue(r.endsOn(ev.Date), true)
	}
	return ""
}

// endsOn is the day on which the last income of a loan is booked that something of a day has
// ended: that day, of a progressive loan today, and never after the last due date.
func (r *run) endsOn(d money.Date) money.Date {
	if r.t.Upfront {
		return d
	}
	return min(r.today, r.lastDue())
}

// lastDue is the due date of the last row.
func (r *run) lastDue() (last money.Date) {
	for i := range r.state.Rows {
		last = max(last, r.state.Rows[i].DueOn)
	}
	return last
}

// horizon is the last day that counts: today, or the last day booked.
func (r *run) horizon() money.Date {
	d := r.today
	if r.t.Recalculation != nil {
		d = r.recalculated // interest is recalculated when something happens, not by the clock
	}
	for i := range r.events {
		d = max(d, r.events[i].Date)
	}
	return d
}

var payments = map[string]servicing.Kind{
	"repayment": servicing.Repay, "goodwill_credit": servicing.Goodwill, "merchant_issued_refund": servicing.MerchantRefund,
	"payout_refund": servicing.PayoutRefund, "credit_balance_refund": servicing.CreditRefund, "recovery": servicing.Recovery,
	"interest_payment_waiver": servicing.InterestWaiver, "interest_refund": servicing.InterestRefund, "capitalized_income": servicing.Capitalise,
}

// do carries out an event; it returns why it cannot.
func (r *run) do(e *Event) string {
	if k, ok := payments[e.Type]; ok {
		if r.today != 0 && r.on(e) > r.today {
			return "the date lies after the business date"
		}
		return r.add(servicing.Event{Kind: k, Date: r.on(e), Amount: e.Amount.Fen})
	}
	switch e.Type {
	case "business_date":
		r.today = e.Date.Date
	case "create_default_loan":
		r.p = defaults()
		r.t, _ = r.p.terms()
		r.p.Submitted = e.Date
		r.today = max(r.today, e.Date.Date)
	case "approve":
		r.approve(e.Amount.Fen)
	case "disburse":
		return r.disburse(e)
	case "pay_off":
		return r.payOff(e)
	case "add_charge":
		return r.charge(e.Charge, e.DueDate.Date, e.Amount.Fen)
	case "chargeback":
		return r.chargeback(e)
	case "undo_contract_termination":
		return r.undoLast(servicing.Terminate)
	case "write_off":
		return r.add(servicing.Event{Kind: servicing.WriteOff, Date: r.on(e)})
	case "waive_charge":
		return r.waive(nil, nil)
	case "undo_charge_off":
		return r.undoLast(servicing.ChargeOff)
	case "undo_disbursal", "undo_last_disbursal":
		return r.undoDraw(e.Type == "undo_last_disbursal")
	case "re_amortize":
		return r.add(servicing.Event{Kind: servicing.ReAmortise, Date: r.on(e)})
	case "re_age":
		return r.reAge(nil, e)
	case "reschedule":
		return r.reschedule(nil, e)
	case "interest_pause":
		return r.add(servicing.Event{Kind: servicing.PauseInterest, Date: r.today, Change: &servicing.Change{From: e.Date.Date, To: e.DueDate.Date}})
	case "contract_termination":
		return r.add(servicing.Event{Kind: servicing.Terminate, Date: r.on(e)})
	case "charge_off":
		return r.add(servicing.Event{Kind: servicing.ChargeOff, Date: r.on(e)})
	case "close_of_business":
		return r.dayEnd()
	case "set_allocation_rule":
		return r.rule(e)
	case "undo_repayment":
		return r.undoRepayment(e.Nth)
	case "undo_transaction":
		for k, name := range kindNames {
			if name == e.Of {
				return r.undo(e.Nth, e.Date.Date, k)
			}
		}
		return "unknown transaction " + e.Of
	case "step":
		return r.step(e)
	default:
		return "this kind of event is not known"
	}
	return ""
}

// on is the day of an event.
func (r *run) on(e *Event) money.Date {
	if e.Date.Date != 0 {
		return e.Date.Date
	}
	return r.today
}

func (r *run) disburse(e *Event) string {
	d := r.on(e)
	if r.model != nil {
		return reason(r.model.Draw(d, e.Amount.Fen))
	}
	if why := r.add(servicing.Event{Kind: servicing.Disburse, Date: d, Amount: e.Amount.Fen}); why != "" {
		return why
	}
	if r.tranche > 0 {
		if why := r.trancheFee(d, e.Amount.Fen); why != "" {
			return why
		}
	}
	if r.p.Terms.AutoDown {
		return r.autoDown(d, e.Amount.Fen)
	}
	return ""
}

// approve makes a loan that may be drawn up to an amount.
func (r *run) approve(amount money.Fen) {
	r.status0 = ""
	if r.p.Terms.Multi && r.t.Recalculation != nil {
		r.t.Commitment = amount
	}
}

// drawWithout pays out and leaves the down payment to the borrower.
func (r *run) drawWithout(e *Event) string {
	return r.add(servicing.Event{Kind: servicing.Disburse, Date: r.on(e), Amount: e.Amount.Fen})
}

// dayEnd closes the day before today.
func (r *run) dayEnd() string {
	r.closed = max(r.closed, r.today-1)
	if r.config["LOAN_INTEREST_RECALCULATION"] == "on" {
		if why := r.recalculate(); why != "" {
			return why
		}
	}
	if why := r.lateFees(); why != "" {
		return why
	}
	return r.accrueDue(r.today - 1)
}

// recalculate lets what is overdue earn interest up to today.
func (r *run) recalculate() string {
	if r.state == nil {
		return ""
	}
	r.recalculated = r.today
	s, err := servicing.Replay(r.t, r.events, r.horizon())
	if err != nil {
		return err.Error()
	}
	r.state = s
	return ""
}

// accrueDue books the income of a loan that runs, up to a day and no later than the last due
// date; apart for each due date, or at once where the loan is progressive.
func (r *run) accrueDue(to money.Date) string {
	if r.state == nil || r.state.Status != servicing.Active {
		return ""
	}
	for i := range r.state.Rows {
		if d := r.state.Rows[i].DueOn; d <= to && r.t.Upfront {
			if why := r.accrue(d, false); why != "" {
				return why
			}
		}
	}
	return r.accrue(min(to, r.lastDue()), false)
}

// latePercent is what upstream's products with a charge on overdue instalments take.
const latePercent = "1.5"

// lateFees charges each overdue instalment once, where the product says so by its name:
// on principal, or principal and interest.
func (r *run) lateFees() string {
	if r.state == nil || !strings.Contains(r.p.Product, "OVERDUE_FROM_AMOUNT") {
		return ""
	}
	pct, err := rate(latePercent)
	if err != nil {
		return err.Error()
	}
	for _, row := range r.state.Rows {
		if row.DueOn >= r.today || row.Kind != servicing.Instalment || row.Open().Total() == 0 || r.late[row.DueOn] {
			continue
		}
		base := row.Open().Principal
		if strings.HasSuffix(r.p.Product, "AMOUNT_INTEREST") {
			base += row.Open().Interest
		}
		x, err := money.Portion(base, pct, 1, 1)
		if err != nil {
			return err.Error()
		}
		r.late[row.DueOn] = true
		if why := r.charge("LATE_FEE", row.DueOn, x); why != "" {
			return why
		}
	}
	return ""
}

// autoDown pays the down payment of a drawdown at once, as far as money that was overpaid
// has not paid it.
func (r *run) autoDown(d money.Date, amount money.Fen) string {
	down := money.Fen(0)
	for i := range r.state.Rows {
		if row := &r.state.Rows[i]; row.Kind == servicing.DownRow && row.DueOn == d {
			down = row.Due.Principal
		}
	}
	for _, tx := range r.state.Transactions {
		switch {
		case tx.Kind != servicing.Disburse || tx.Date != d || tx.Amount != amount:
		case !r.t.Upfront:
			down += min(tx.Excess, 0)
		case r.state.Overpaid > 0:
			down = 0
		default:
			down -= max(amount-tx.Balance, 0)
		}
	}
	if down <= 0 {
		return ""
	}
	return r.add(servicing.Event{Kind: servicing.DownPaid, Date: d, Amount: down})
}

func (r *run) payOff(e *Event) string {
	if r.t.Recalculation == nil && r.state != nil { // all that the schedule asks for
		return r.add(servicing.Event{Kind: servicing.Repay, Date: r.on(e), Amount: r.state.Outstanding.Total()})
	}
	q, err := servicing.Quote(r.t, r.events, r.on(e))
	if err != nil {
		return err.Error()
	}
	return r.add(servicing.Event{Kind: servicing.Repay, Date: r.on(e), Amount: q.Total()})
}

func (r *run) charge(name string, due money.Date, amount money.Fen) string {
	if due == 0 {
		due = r.today
	}
	return r.add(servicing.Event{Kind: servicing.Charged, Date: r.today, Amount: amount,
		Charge: &servicing.Charge{Name: name, DueOn: due, Penalty: strings.Contains(name, "NSF") || strings.Contains(name, "PENALTY") || strings.Contains(name, "LATE")}})
}

// chargeback claims back the last repayment, or a part of it; else the last other payment.
func (r *run) chargeback(e *Event) string {
	target, repaid := "", false
	for i := range r.events {
		switch ev := &r.events[i]; ev.Kind {
		case servicing.Repay:
			repaid, target = true, ev.ID
		case servicing.Goodwill, servicing.MerchantRefund, servicing.PayoutRefund, servicing.DownPaid:
			if !repaid {
				target = ev.ID
			}
		default:
		}
	}
	return r.add(servicing.Event{Kind: servicing.Chargeback, Date: r.on(e), Amount: e.Amount.Fen, Target: target})
}

// rule sets what money in advance pays first. It holds for loans of the product made
// afterwards; the cases set it before the loan.
func (r *run) rule(e *Event) string {
	f, ok := futures[e.Future]
	if !ok {
		return "unknown rule " + e.Future
	}
	if e.Product != r.p.Product || len(r.events) > 0 {
		return ""
	}
	kinds := map[string]servicing.Kind{"GOODWILL_CREDIT": servicing.Goodwill, "MERCHANT_ISSUED_REFUND": servicing.MerchantRefund,
		"PAYOUT_REFUND": servicing.PayoutRefund, "REPAYMENT": servicing.Repay}
	if k, ok := kinds[e.Tx]; ok && r.t.Special != nil {
		a := r.t.Allocation
		a.Future = f
		r.t.Special[k] = a
		return ""
	}
	r.t.Allocation.Future = f
	return ""
}

// undo reverses the nth transaction of a day, of some kinds or any.
func (r *run) undo(nth int, on money.Date, kinds ...servicing.Kind) string {
	n := 0
	for i := range r.events {
		ev := &r.events[i]
		if ev.Date != on || ev.Kind == servicing.Charged || ev.Kind == servicing.Reverse {
			continue
		}
		ok := len(kinds) == 0
		for _, k := range kinds {
			ok = ok || k == ev.Kind
		}
		if !ok {
			continue
		}
		if n++; n == max(nth, 1) {
			return r.reverse(ev.ID)
		}
	}
	return fmt.Sprintf("there is no transaction %d on %s", nth, on)
}

// undoRepayment reverses the nth repayment of the loan in the order of their dates.
func (r *run) undoRepayment(nth int) string {
	n := 0
	for _, tx := range r.state.Transactions {
		if tx.Kind != servicing.Repay {
			continue
		}
		if n++; n == max(nth, 1) {
			return r.reverse(tx.Event)
		}
	}
	return fmt.Sprintf("there is no repayment %d", nth)
}

func (r *run) reversed(id string) bool {
	for i := range r.events {
		if r.events[i].Kind == servicing.Reverse && r.events[i].Target == id {
			return true
		}
	}
	return false
}

// reverse undoes an event and keeps what it was.
func (r *run) reverse(id string) string {
	for _, tx := range r.state.Transactions {
		if tx.Event == id {
			tx.Reversed = true
			r.frozen[id] = tx
		}
	}
	return r.add(servicing.Event{Kind: servicing.Reverse, Date: r.today, Target: id})
}

// accrue books income: what was earned up to a day, or all of it when the loan closes.
func (r *run) accrue(to money.Date, all bool) string {
	if r.state == nil || r.state.ChargedOff != 0 || r.state.Disbursed == 0 || len(r.state.Rows) == 0 {
		return ""
	}
	earned := r.earned(to, all).Minus(r.state.Recognised)
	if earned.Interest < 0 || earned.Fee < 0 || earned.Penalty < 0 || earned.Total() <= 0 {
		return ""
	}
	return r.add(servicing.Event{Kind: servicing.Accrue, Date: to, Amount: earned.Total(), Split: earned})
}

// earned is the income of the bank up to a day.
func (r *run) earned(to money.Date, all bool) (out servicing.Parts) {
	for i := range r.state.Rows {
		row := &r.state.Rows[i]
		switch {
		case all || row.DueOn <= to:
			out.Interest += row.Due.Interest
		case row.From < to && row.Days() > 0:
			x, _ := money.Mul(row.Due.Interest, int64(to-row.From), int64(row.Days()))
			out.Interest += x
		}
	}
	for i := range r.events {
		ev := &r.events[i]
		if ev.Kind != servicing.Charged || ev.Charge.AtDisbursement {
			continue
		}
		on := ev.Charge.DueOn
		if r.config["charge-accrual-date"] == "submitted-date" {
			on = ev.Date
		}
		if on > to && !all || r.reversed(ev.ID) {
			continue
		}
		if ev.Charge.Penalty {
			out.Penalty += ev.Amount
		} else {
			out.Fee += ev.Amount
		}
	}
	return out
}
