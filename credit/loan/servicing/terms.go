// Package servicing is the life of a loan after it is signed: contract terms and a list
// of events make rows, transactions and balances. It is pure: no clock, no store, and the
// same input gives the same fen. An event that comes late or is undone is not patched in;
// the whole list is replayed in the order of the value dates.
package servicing

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with an event or the terms.
var (
	ErrAmount   = fault.New(fault.Invalid, "servicing.amount", "event {event}: give an amount above zero")
	ErrKind     = fault.New(fault.Invalid, "servicing.kind", "event {event}: unknown kind {kind}")
	ErrTarget   = fault.New(fault.Invalid, "servicing.target", "event {event}: there is no event {target} that it could refer to")
	ErrNotDrawn = fault.New(fault.Conflict, "servicing.not_drawn", "event {event}: nothing was paid out by {date}, so this cannot happen yet")
	ErrDate     = fault.New(fault.Invalid, "servicing.date", "event {event}: {why}")
)

// Part of what is owed.
type Part string

// Parts.
const (
	Penalty   Part = "penalty"
	Fee       Part = "fee"
	Interest  Part = "interest"
	Principal Part = "principal"
)

// When a row is due, seen from the day of a payment.
type When string

// Times.
const (
	PastDue   When = "past_due"
	Due       When = "due"
	InAdvance When = "in_advance"
)

// Slot is a place in the order in which money is taken.
type Slot struct {
	When When `json:"when"`
	Part Part `json:"part"`
}

// Future says which of the rows that are not due yet takes money first.
type Future string

// Rules for money in advance.
const (
	Next        Future = "next"         // the row that is due next
	Last        Future = "last"         // the last row
	Reamortised Future = "re_amortised" // spread over all of them
)

// Allocation is the order in which a payment is taken.
type Allocation struct {
	// Order lists every slot once; nil is past due before due before in advance, and in each
	// penalty, fee, interest, principal.
	Order []Slot `json:"order,omitempty"`
	// Vertical takes a part over all rows before the next part. Otherwise a row is
	// settled, in the order of the parts that share its When, before the next.
	Vertical bool   `json:"vertical,omitempty"`
	Future   Future `json:"future,omitempty"` // "" is Next
	// ChargesFirst pays fees and penalties of a row in advance before the rest of it, each up
	// to the charges of the loan whose own due date has come and that are not paid in full.
	ChargesFirst bool `json:"charges_first,omitempty"`
	// Ahead pays what is not due even where Prepayment is Hold.
	Ahead bool `json:"ahead,omitempty"`
}

// Order builds the twelve slots of three lists of parts.
func Order(past, due, advance []Part) []Slot {
	o := make([]Slot, 0, len(past)+len(due)+len(advance))
	for _, p := range past {
		o = append(o, Slot{PastDue, p})
	}
	for _, p := range due {
		o = append(o, Slot{Due, p})
	}
	for _, p := range advance {
		o = append(o, Slot{InAdvance, p})
	}
	return o
}

// Prepayment says what money does that exceeds what is due.
type Prepayment string

// Prepayments. The first three need Recalculation.
const (
	// Lower keeps the due dates and makes the later instalments smaller.
	Lower Prepayment = "lower"
	// Shorten keeps the instalment, so that there are fewer.
	Shorten Prepayment = "shorten"
	// Move counts the money for the next instalments, which fall due smaller or not at all.
	Move Prepayment = "move"
	// Hold keeps the money for the borrower until the next due date. Only a payoff pays
	// what is not due. This is what Chinese banks do.
	Hold Prepayment = "hold"
)

// AtChargeOff is what a charge-off does to the plan of a progressive loan; "" is nothing.
type AtChargeOff string

// Kinds of it.
const (
	NoInterest AtChargeOff = "no_interest" // nothing is earned from the day on
	AllDue     AtChargeOff = "all_due"     // all that is left falls due on the day
)

// Recalculation makes interest follow the balance that is really out, day by day.
type Recalculation struct {
	// ByInstalment counts a change of the balance from the next due date on only, instead
	// of from its day.
	ByInstalment bool `json:"by_instalment,omitempty"`
	// PayoffFullPeriod charges the interest of the running period on a payoff, instead of
	// up to its day.
	PayoffFullPeriod bool `json:"payoff_full_period,omitempty"`
	// KeepEnded leaves a period that has ended when money comes as it was laid out, as
	// where interest is recalculated when money moves and not by the day.
	KeepEnded bool `json:"keep_ended,omitempty"`
}

// PenaltyTerms is penalty interest by day on what is overdue, never on penalty.
type PenaltyTerms struct {
	Rate     money.Rate     `json:"rate,omitempty"` // a year; 0 is none
	DayCount money.DayCount `json:"day_count,omitempty"`
	// Grace is the number of days after a due date that cost nothing if the row is paid
	// by then. A row that is paid later pays for those days too.
	Grace int `json:"grace,omitempty"`
	// OnInterest charges overdue interest as well as overdue principal.
	OnInterest bool `json:"on_interest,omitempty"`
}

// Terms are what the contract says, frozen with the loan.
type Terms struct {
	// Schedule gives rate, method, calendar and number of rows. Principal and Start are
	// taken from the drawdowns. Where it plans tranches, each drawdown adds what the contract
	// promises more with it, whenever and however much it was.
	Schedule schedule.Terms `json:"schedule"`
	// Commitment is the amount that the instalment is computed for when it is drawn in
	// parts; 0 is what was drawn.
	Commitment money.Fen `json:"commitment,omitempty"`
	// Seed is the day that due dates count from; 0 is the first drawdown.
	Seed       money.Date `json:"seed,omitzero"`
	Allocation Allocation `json:"allocation,omitzero"`
	// Special gives kinds of payments an allocation of their own.
	Special map[Kind]Allocation `json:"special,omitempty"`
	// Upfront lays out the drawdowns and charges of the whole life before any payment is
	// taken, so that money that came early pays what was drawn later. Otherwise everything
	// happens in the order of its date.
	Upfront    bool       `json:"upfront,omitempty"`
	Prepayment Prepayment `json:"prepayment,omitempty"`
	// Progressive lets recalculated interest follow a plan of equal instalments, in which
	// the last that is not paid takes what the others leave.
	Progressive bool `json:"progressive,omitempty"`
	// AtChargeOff is what a charge-off does to a progressive loan.
	AtChargeOff   AtChargeOff    `json:"at_charge_off,omitempty"`
	Recalculation *Recalculation `json:"recalculation,omitempty"`
	Penalty       PenaltyTerms   `json:"penalty,omitzero"`
	// Chargeback is the order in which money that is claimed back is owed again; nil puts
	// all of it to principal.
	Chargeback []Part `json:"chargeback,omitempty"`
}
