package receivable

import (
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Kind is what was done.
type Kind string

// Kinds of command and of the event that it makes.
const (
	Propose  Kind = "propose"
	Confirm  Kind = "confirm"
	Accept   Kind = "accept"
	Cancel   Kind = "cancel" // or ask for it, while the other side must agree
	Split    Kind = "split"
	Transfer Kind = "transfer"
	SetOff   Kind = "set_off"
	Ask      Kind = "ask"     // for finance
	Unask    Kind = "unask"   // no longer
	Pledge   Kind = "pledge"  // finance what was asked for
	Owe      Kind = "owe"     // what the holder owes the funder now
	File     Kind = "file"    // the pledge has its number in the public register
	Freeze   Kind = "freeze"  // by the bank
	Release  Kind = "release" // a pledge, a freeze or what was asked
	Pay      Kind = "pay"
)

// Terms are fixed when a receivable is proposed.
type Terms struct {
	Number     string     `json:"number"`
	ObligorID  string     `json:"obligor_id"`
	CreditorID string     `json:"creditor_id"`
	Amount     money.Fen  `json:"amount"`
	Due        money.Date `json:"due"`
	Documents  []Support  `json:"documents"`
	Batch      string     `json:"batch,omitempty"`
}

// NewPart is a part that an event makes below the part it is about.
type NewPart struct {
	ID       string    `json:"id"`
	HolderID string    `json:"holder_id"`
	Amount   money.Fen `json:"amount"`
}

// Event is one thing that happened to a receivable, with who and when. Events are only
// ever added; each carries the hash of the one before.
type Event struct {
	ReceivableID string      `json:"receivable_id"`
	Seq          int64       `json:"seq"` // 1, 2, ... without gaps
	Kind         Kind        `json:"kind"`
	At           time.Time   `json:"at"`
	UserID       string      `json:"user_id"`
	UserName     string      `json:"user_name"`
	FirmID       string      `json:"firm_id,omitempty"` // for whom; "" is the bank
	PartID       string      `json:"part_id,omitempty"`
	Terms        *Terms      `json:"terms,omitempty"`
	Parts        []NewPart   `json:"parts,omitempty"`
	Hold         *Hold       `json:"hold,omitempty"` // of the part, or of the part that was made
	Payment      *Redemption `json:"payment,omitempty"`
	Final        bool        `json:"final,omitempty"` // of cancel: both agree
	Note         string      `json:"note,omitempty"`
	Prev         string      `json:"prev"`
	Hash         string      `json:"hash"`
}

// Seal sets Prev and Hash.
func Seal(e Event, prev string) (Event, error) {
	e.Prev, e.Hash = prev, ""
	var err error
	if e.Hash, err = ident.Hash(e); err != nil {
		return Event{}, fmt.Errorf("receivable: %w", err)
	}
	return e, nil
}

// Replay makes the state from all events of one receivable. It returns ErrBroken for
// a history that has a gap, a wrong hash or breaks an invariant.
func Replay(tenant string, events []Event) (Receivable, error) {
	var r Receivable
	for _, e := range events {
		sealed, err := Seal(e, e.Prev)
		if err != nil {
			return Receivable{}, err
		}
		if sealed.Hash != e.Hash {
			return Receivable{}, broken(e, "the hash is another")
		}
		if r, err = Apply(r, e); err != nil {
			return Receivable{}, err
		}
	}
	r.Tenant = tenant
	return r, nil
}

func broken(e Event, why string) error {
	return ErrBroken.With("id", e.ReceivableID).With("seq", e.Seq).With("why", why)
}

// Apply returns the state after e; r is not changed. It holds no business rule, only
// what must be true of every history: ErrBroken otherwise.
func Apply(r Receivable, e Event) (Receivable, error) {
	if e.Seq != r.Version+1 || e.Prev != r.Head || (r.Version > 0) != (e.Kind != Propose) || (r.Version > 0 && e.ReceivableID != r.ID) {
		return Receivable{}, broken(e, "it does not follow the one before")
	}
	if e.Kind == Propose {
		if e.Terms == nil {
			return Receivable{}, broken(e, "it has no terms")
		}
		r = proposed(e)
	} else {
		r.Parts, r.Payments = slices.Clone(r.Parts), slices.Clone(r.Payments)
		i := r.index(e.PartID)
		if i < 0 {
			return Receivable{}, broken(e, "there is no such part")
		}
		if err := change(&r, i, e); err != nil {
			return Receivable{}, err
		}
	}
	r.Version, r.Head, r.UpdatedAt = e.Seq, e.Hash, e.At
	if why := r.unsound(); why != "" {
		return Receivable{}, broken(e, why)
	}
	return r, nil
}

func proposed(e Event) Receivable {
	t := e.Terms
	return Receivable{
		ID: e.ReceivableID, Number: t.Number, ObligorID: t.ObligorID, CreditorID: t.CreditorID, Amount: t.Amount, Due: t.Due,
		Documents: slices.Clone(t.Documents), Note: e.Note, Batch: t.Batch, State: Proposed, ProposedAt: e.At, Payments: []Redemption{},
		Parts: []Part{{ID: e.ReceivableID, Number: t.Number, HolderID: t.CreditorID, Amount: t.Amount, Remaining: t.Amount, MadeAt: e.At}},
	}
}

func change(r *Receivable, i int, e Event) error {
	switch e.Kind {
	case Confirm:
		r.State, r.Issued = Confirmed, money.DateOf(e.At)
	case Accept:
		r.State = Accepted
	case Cancel:
		if r.CancelAskedBy = e.FirmID; e.Final {
			r.State, r.CancelAskedBy = Cancelled, ""
		}
	case Split, Transfer, Ask, Freeze, SetOff:
		for _, p := range e.Parts {
			r.grow(i, p, e)
		}
		r.CancelAskedBy = ""
	case Pledge, Owe, File:
		r.Parts[i].Hold = e.Hold
	case Unask, Release:
		r.Parts[i].Hold = nil
	case Pay:
		return pay(r, e)
	default:
		return broken(e, "nobody knows this kind")
	}
	r.redeem()
	return nil
}

// grow puts a part below part i.
func (r *Receivable) grow(i int, n NewPart, e Event) {
	r.Parts[i].Remaining -= n.Amount
	p := Part{
		ID: n.ID, Number: fmt.Sprintf("%s-%d", r.Number, len(r.Parts)), ParentID: r.Parts[i].ID, HolderID: n.HolderID,
		Amount: n.Amount, Remaining: n.Amount, Hold: e.Hold, MadeAt: e.At,
	}
	if e.Kind == SetOff {
		p.Paid = n.Amount
		r.SetOff += n.Amount
	}
	r.Parts = append(r.Parts, p)
}

func pay(r *Receivable, e Event) error {
	if e.Payment == nil {
		return broken(e, "it has no payment")
	}
	var sum money.Fen
	for _, s := range e.Payment.Shares {
		j := r.index(s.PartID)
		if j < 0 || s.PartID == "" {
			return broken(e, "a share goes to no part")
		}
		p := &r.Parts[j]
		if s.ToFunder < 0 || s.ToHolder < 0 || (s.ToFunder > 0 && (p.Hold == nil || p.Hold.Kind != Pledged || p.Hold.Owed < s.ToFunder)) {
			return broken(e, "a share is nobody's")
		}
		if s.ToFunder > 0 {
			hold := *p.Hold
			hold.Owed -= s.ToFunder
			p.Hold = &hold
		}
		p.Paid += s.ToFunder + s.ToHolder
		sum += s.ToFunder + s.ToHolder
	}
	if sum != e.Payment.Amount {
		return broken(e, "the shares are not the payment")
	}
	r.Paid += sum
	kept := *e.Payment
	kept.Shares = nil
	r.Payments = append(r.Payments, kept)
	r.redeem()
	return nil
}

func (r *Receivable) redeem() {
	if (r.State == Accepted || r.State == Confirmed) && r.Paid+r.SetOff == r.Amount {
		r.State = Redeemed
	}
}

// unsound says which invariant the state breaks, "" when it breaks none.
func (r Receivable) unsound() string {
	children := make(map[string]money.Fen, len(r.Parts))
	var remaining, paid, moved money.Fen
	known := make(map[string]bool, len(r.Parts))
	for i, p := range r.Parts {
		switch {
		case known[p.ID]:
			return "two parts have one id"
		case (i == 0) != (p.ParentID == ""), i > 0 && !known[p.ParentID]:
			return "a part has no parent"
		case p.Amount <= 0, p.Remaining < 0, p.Paid < 0, p.Paid > p.Remaining:
			return "a part has more or less than it may"
		}
		known[p.ID] = true
		children[p.ParentID] += p.Amount
		remaining += p.Remaining
		paid += p.Paid
	}
	for _, p := range r.Parts {
		if p.Remaining+children[p.ID] != p.Amount {
			return "a part is not what remains and its children"
		}
	}
	for _, p := range r.Payments {
		moved += p.Amount
	}
	switch {
	case remaining != r.Amount:
		return "the parts are not the whole"
	case paid != r.Paid+r.SetOff, moved != r.Paid:
		return "the parts got more or less than was paid"
	}
	return ""
}
