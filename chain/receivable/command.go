package receivable

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/money"
)

// Command is what somebody wants to be done. Which fields count depends on the kind.
type Command struct {
	Kind         Kind        `json:"kind"`
	PartID       string      `json:"part_id,omitempty"`      // "" is the root
	Amount       money.Fen   `json:"amount,omitempty"`       // transfer, set_off, ask, freeze: 0 means all that is free; pay
	Amounts      []money.Fen `json:"amounts,omitempty"`      // split
	To           string      `json:"to,omitempty"`           // transfer: a firm
	Funder       string      `json:"funder,omitempty"`       // pledge
	Ref          string      `json:"ref,omitempty"`          // pledge: loan or application; pay: the bank transfer
	Owed         money.Fen   `json:"owed,omitempty"`         // pledge, owe
	Registration string      `json:"registration,omitempty"` // file
	Date         money.Date  `json:"date,omitzero"`          // pay: when the money moved; today when ""
	Note         string      `json:"note,omitempty"`
}

// Who asks: a person, and the firms that the person speaks for, or the bank.
type Who struct {
	Tenant, UserID, Name string
	Firms                []string
	Bank                 bool
}

// Env is what a decision depends on beside the state and the command.
type Env struct {
	Who   Who
	Now   time.Time
	Rules Rules
	NewID func() string
	// Same is the firm that a firm was found to be, or itself; nil means itself.
	Same func(firmID string) string
}

func (v Env) same(firmID string) string {
	if v.Same == nil {
		return firmID
	}
	return v.Same(firmID)
}

// speaks says whether the actor speaks for a firm.
func (v Env) speaks(firmID string) bool {
	return slices.ContainsFunc(v.Who.Firms, func(f string) bool { return v.same(f) == v.same(firmID) })
}

// side is who may do a thing.
type side string

const (
	obligor side = "the firm that owes it"
	holder  side = "the holder"
	bank    side = "the bank"
	either  side = "the firm that owes it or the holder"
)

// move is one row of the table of moves.
type move struct {
	by   side
	from []State
	hold []HoldKind // what the part must be; "" is free; nil: it does not matter
	open bool       // only before the due date
}

const free HoldKind = ""

// moves is the one table of who may do what, and when. Each row is held by a test.
var moves = map[Kind]move{
	Confirm:  {by: obligor, from: []State{Proposed}, open: true},
	Accept:   {by: holder, from: []State{Confirmed}, open: true},
	Cancel:   {by: either, from: []State{Proposed, Confirmed, Accepted}},
	Split:    {by: holder, from: []State{Accepted}, hold: []HoldKind{free}, open: true},
	Transfer: {by: holder, from: []State{Accepted}, hold: []HoldKind{free}, open: true},
	SetOff:   {by: holder, from: []State{Accepted}, hold: []HoldKind{free}},
	Ask:      {by: holder, from: []State{Accepted}, hold: []HoldKind{free}, open: true},
	Unask:    {by: holder, from: []State{Accepted}, hold: []HoldKind{Asked}},
	Pledge:   {by: bank, from: []State{Accepted}, hold: []HoldKind{Asked}, open: true},
	Owe:      {by: bank, from: []State{Accepted}, hold: []HoldKind{Pledged}},
	File:     {by: bank, from: []State{Accepted, Redeemed}, hold: []HoldKind{Pledged}},
	Freeze:   {by: bank, from: []State{Accepted}, hold: []HoldKind{free}},
	Release:  {by: bank, from: []State{Accepted, Redeemed}, hold: []HoldKind{Asked, Pledged, Frozen}},
	Pay:      {by: obligor, from: []State{Confirmed, Accepted}},
}

// Decide says what a command makes of a receivable: an event that is not sealed yet.
// It changes nothing. Whether the firm c.To is known and verified is the caller's to say.
func Decide(r Receivable, c Command, v Env) (Event, error) {
	m, ok := moves[c.Kind]
	if !ok {
		return Event{}, ErrCommand.With("kind", c.Kind)
	}
	if utf8.RuneCountInString(c.Note) > maxText {
		return Event{}, ErrNote.With("max", maxText)
	}
	p, ok := r.Part(c.PartID)
	if !ok {
		return Event{}, ErrPart
	}
	e := Event{
		ReceivableID: r.ID, Seq: r.Version + 1, Kind: c.Kind, At: v.Now.UTC().Truncate(time.Millisecond),
		UserID: v.Who.UserID, UserName: v.Who.Name, PartID: p.ID, Note: strings.TrimSpace(c.Note),
	}
	switch {
	case m.by == bank && v.Who.Bank:
	case (m.by == obligor || m.by == either) && v.speaks(r.ObligorID):
		e.FirmID = r.ObligorID
	case (m.by == holder || m.by == either) && v.speaks(p.HolderID):
		e.FirmID = p.HolderID
	default:
		return Event{}, ErrNotYours.With("want", m.by)
	}
	if !slices.Contains(m.from, r.State) {
		return Event{}, ErrState.With("state", r.State)
	}
	if m.open && money.DateOf(v.Now) >= r.Due {
		return Event{}, ErrPastDue.With("due", r.Due)
	}
	if err := checkHold(m, p); err != nil {
		return Event{}, err
	}
	return e, r.fill(&e, p, c, v)
}

func checkHold(m move, p Part) error {
	var is HoldKind
	if p.Hold != nil {
		is = p.Hold.Kind
	}
	switch {
	case m.hold == nil || slices.Contains(m.hold, is):
		return nil
	case is != free:
		return ErrHeld.With("state", is)
	}
	return ErrNotHeld.With("state", m.hold[0])
}

// fill completes the event of a command that its actor may give now.
func (r Receivable) fill(e *Event, p Part, c Command, v Env) error {
	switch c.Kind {
	case Confirm:
		return v.Rules.check(money.DateOf(v.Now), r.Due, r.Note)
	case Cancel:
		return r.cancel(e, p, v)
	case Split:
		return r.take(e, p, v, p.HolderID, c.Amounts...)
	case Transfer:
		switch to := v.same(c.To); to {
		case v.same(r.ObligorID):
			return ErrOwnDebt
		case v.same(p.HolderID), "":
			return ErrSelf
		default:
			return r.take(e, p, v, to, or(c.Amount, p.Free()))
		}
	case SetOff:
		return r.take(e, p, v, r.ObligorID, or(c.Amount, p.Free()))
	case Ask:
		e.Hold = &Hold{Kind: Asked, Since: e.At, Note: e.Note}
		return r.take(e, p, v, p.HolderID, or(c.Amount, p.Free()))
	case Freeze:
		if e.Note == "" {
			return ErrWhy
		}
		e.Hold = &Hold{Kind: Frozen, Since: e.At, Note: e.Note}
		return r.take(e, p, v, p.HolderID, or(c.Amount, p.Free()))
	case Pledge:
		return r.pledge(e, p, c, v)
	case Owe:
		if c.Owed < 0 || c.Owed > MaxAmount {
			return ErrAmount.With("max", MaxAmount)
		}
		hold := *p.Hold
		hold.Owed, e.Hold = c.Owed, &hold
	case File:
		return file(e, p, c)
	case Release:
		if p.Hold.Owed > 0 && e.Note == "" { // who gives up a claim says why
			return ErrWhy
		}
	case Pay:
		return r.payment(e, c, v)
	case Propose, Accept, Unask:
	}
	return nil
}

func or(amount, all money.Fen) money.Fen {
	if amount == 0 {
		return all
	}
	return amount
}

// take puts parts for a firm below p.
func (r Receivable) take(e *Event, p Part, v Env, to string, amounts ...money.Fen) error {
	if len(amounts) == 0 {
		return ErrAmount.With("max", MaxAmount)
	}
	if len(r.Parts)+len(amounts) > MaxParts {
		return ErrParts.With("max", MaxParts)
	}
	left := p.Free()
	for _, a := range amounts {
		if a <= 0 || a > MaxAmount {
			return ErrAmount.With("max", MaxAmount)
		}
		if a > left {
			return ErrTooMuch.With("free", p.Free())
		}
		left -= a
		e.Parts = append(e.Parts, NewPart{ID: v.NewID(), HolderID: to, Amount: a})
	}
	return nil
}

// cancel: a proposal by who made it; what is confirmed but not taken by the supplier,
// or, after the due date, by the obligor; else by both.
func (r Receivable) cancel(e *Event, p Part, v Env) error {
	if len(r.Parts) > 1 || len(r.Payments) > 0 || p.Hold != nil {
		return ErrMoved
	}
	owes, holds := v.speaks(r.ObligorID), v.speaks(p.HolderID)
	switch {
	case r.State == Proposed && owes,
		r.State == Confirmed && (holds || money.DateOf(v.Now) > r.Due),
		owes && holds,
		r.CancelAskedBy != "" && v.same(r.CancelAskedBy) != v.same(e.FirmID):
		e.Final = true
	case r.State == Proposed: // nobody else knows of it
		return ErrNotFound
	case r.CancelAskedBy != "":
		return ErrAsked
	}
	return nil
}

func (r Receivable) pledge(e *Event, p Part, c Command, v Env) error {
	switch {
	case strings.TrimSpace(c.Funder) == "" || utf8.RuneCountInString(c.Funder) > maxText:
		return ErrFunder
	case strings.TrimSpace(c.Ref) == "" || utf8.RuneCountInString(c.Ref) > maxText:
		return ErrRef
	case c.Owed <= 0 || c.Owed > MaxAmount:
		return ErrAmount.With("max", MaxAmount)
	case c.Owed > p.Open():
		return ErrTooMuch.With("free", p.Open())
	case r.Due > r.Issued.AddMonths(v.Rules.TermMonths) && e.Note == "":
		// The bank looks at terms beyond the usual one before it lends on them.
		return ErrReview.With("months", v.Rules.TermMonths)
	}
	e.Hold = &Hold{Kind: Pledged, Since: e.At, Funder: strings.TrimSpace(c.Funder), Ref: strings.TrimSpace(c.Ref), Owed: c.Owed, Note: e.Note}
	return nil
}

func file(e *Event, p Part, c Command) error {
	n := strings.ToUpper(strings.TrimSpace(c.Registration))
	wrong := func(x rune) bool { return (x < '0' || x > '9') && (x < 'A' || x > 'Z') && x != '-' }
	switch {
	case len(n) < 8, len(n) > 40, strings.ContainsFunc(n, wrong):
		return ErrRegNumber
	case p.Hold.Registration != "":
		return ErrRegistered.With("number", p.Hold.Registration)
	}
	hold := *p.Hold
	hold.Registration, e.Hold = n, &hold
	return nil
}

func (r Receivable) payment(e *Event, c Command, v Env) error {
	ref := strings.TrimSpace(c.Ref)
	day := c.Date
	if day == 0 {
		day = money.DateOf(v.Now)
	}
	switch {
	case ref == "" || utf8.RuneCountInString(ref) > maxText:
		return ErrRef
	case c.Amount <= 0 || c.Amount > MaxAmount:
		return ErrAmount.With("max", MaxAmount)
	case c.Amount > r.Outstanding():
		return ErrOverpaid.With("open", r.Outstanding())
	case day < r.Issued || day > money.DateOf(v.Now):
		return ErrPayDate.With("from", r.Issued)
	case slices.ContainsFunc(r.Payments, func(p Redemption) bool { return p.Ref == ref }):
		return ErrRefUsed.With("ref", ref)
	}
	e.PartID = r.ID
	e.Payment = &Redemption{Ref: ref, Amount: c.Amount, Date: day, Shares: r.shares(c.Amount)}
	return nil
}

// check holds a term against the rules.
func (l Rules) check(from, due money.Date, reason string) error {
	switch latest := from.AddMonths(l.MaxMonths); {
	case due <= from:
		return ErrDue.With("day", from)
	case due > latest:
		return ErrTerm.With("latest", latest).With("months", l.MaxMonths)
	case due > from.AddMonths(l.TermMonths) && strings.TrimSpace(reason) == "":
		return ErrReason.With("months", l.TermMonths)
	}
	return nil
}
