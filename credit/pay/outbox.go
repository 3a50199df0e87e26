package pay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with an instruction.
var (
	ErrOrder    = fault.New(fault.Invalid, "pay.order", "this payment order is incomplete: it needs a number, a direction, a party and an amount above zero")
	ErrReused   = fault.New(fault.Conflict, "pay.reused", "a payment with this number was given with other content; make a new one")
	ErrNotFound = fault.New(fault.NotFound, "pay.not_found", "there is no such payment order")
)

// Kinds of alert on payments. Their subject is the rail of the house.
const (
	UnknownAlert = "rail_unknown"    // the bank has not said for long what became of an order
	DisputeAlert = "rail_dispute"    // the bank said two things of one order
	StatementGap = "rail_difference" // the bank's statement and the books differ
)

// patience is how long an outcome may stay unknown before a person is told.
const patience = 10 * time.Minute

// Instruction is an order as the outbox keeps it.
type Instruction struct {
	Order    Order   `json:"order"`
	Hash     string  `json:"-"` // SHA-256 of the order
	Outcome  Outcome `json:"outcome"`
	Ref      string  `json:"ref,omitempty"` // the rail's own number
	Reason   string  `json:"reason,omitempty"`
	Attempts int     `json:"attempts"` // times it was sent
	Asked    int     `json:"asked"`    // times its outcome was asked for
	// Told says that who gave the order has booked its outcome.
	Told bool `json:"told"`
	// Disputed says that the rail has told two outcomes; the first stands in the books.
	Disputed  bool       `json:"disputed,omitempty"`
	NextAt    time.Time  `json:"next_at"`              // when it is looked at again
	SettledAt *time.Time `json:"settled_at,omitempty"` // by the rail's clock
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	Notes     int64      `json:"notes"` // how many there are
}

// Final says that the outcome is known.
func (i Instruction) Final() bool { return i.Outcome == Settled || i.Outcome == Failed }

// SettledOn is the bank date of a settled order.
func (i Instruction) SettledOn() (day money.Date, ok bool) {
	if i.Outcome != Settled || i.SettledAt == nil {
		return 0, false
	}
	return money.DateOf(*i.SettledAt), true
}

func (i Instruction) receipt() Receipt {
	r := Receipt{OrderID: i.Order.ID, Outcome: i.Outcome, Ref: i.Ref, Reason: i.Reason}
	if i.SettledAt != nil {
		r.At = *i.SettledAt
	}
	return r
}

// Note is one thing that happened to an instruction; notes are only added.
type Note struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind" enum:"sent,answer,lost,asked,unseen,callback,again,dispute,statement"`
	Outcome Outcome   `json:"outcome,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

// OrderFilter selects instructions, newest first; zero fields do not restrict.
type OrderFilter struct {
	Outcome  Outcome
	Disputed bool       // only those of which the rail told two things
	On       money.Date // settled on this date
	Before   string
	Limit    int // 0 means 50; at most 500, with On 100,000
}

// OutboxStore keeps instructions. Implemented in store/pay.
type OutboxStore interface {
	// Put keeps i unless its order is there already, and returns what is kept.
	Put(ctx context.Context, i Instruction) (Instruction, error)
	// Order returns ErrNotFound.
	Order(ctx context.Context, id string) (Instruction, error)
	// Record changes an instruction in one transaction and adds the notes that f returns.
	// f may run again. ErrNotFound.
	Record(ctx context.Context, id string, f func(i *Instruction) []Note) (Instruction, error)
	// Due returns what is not told and to be looked at by a time, the longest waiting first.
	Due(ctx context.Context, at time.Time, limit int) ([]Instruction, error)
	Orders(ctx context.Context, tenant string, f OrderFilter) ([]Instruction, error)
	Notes(ctx context.Context, id string) ([]Note, error)
}

// Alerts is where a person is told: *watch.Desk.
type Alerts interface {
	Raise(ctx context.Context, a watch.Alert) error
	Clear(ctx context.Context, tenant, kind, subjectID, item, cause string) error
}

// Outbox is a rail in front of a rail: it writes each order down before it sends it, and
// what became of it, so that no crash, lost answer or second answer moves money twice or
// forgets that it moved.
type Outbox struct {
	Store  OutboxStore
	Rail   Rail
	Alerts Alerts
	Now    func() time.Time

	tell []func(ctx context.Context, i Instruction) error
}

var _ Rail = (*Outbox)(nil)

// OnFinal has f told of each outcome that becomes known. f must be safe to call again for
// the same one; while it fails it is called again later. Call OnFinal before the first order.
func (b *Outbox) OnFinal(f func(ctx context.Context, i Instruction) error) {
	b.tell = append(b.tell, f)
}

func (b *Outbox) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }

// backoff is the wait after n looks at an order: 2 s, doubled each time, at most 15 minutes.
func backoff(n int) time.Duration {
	const most = 15 * time.Minute
	if n > 8 {
		return most
	}
	return min(2*time.Second<<max(n-1, 0), most)
}

// settleGrace is the time in which the caller of Send books the outcome by itself.
const settleGrace = time.Minute

// Send implements [Rail]: ErrOrder, ErrReused. The outcome of a rail that does not answer
// is Unknown, without an error: the order is kept and looked after by [Outbox.Work].
func (b *Outbox) Send(ctx context.Context, o Order) (Receipt, error) {
	if o.ID == "" || o.Amount <= 0 || o.PartyID == "" || (o.Direction != In && o.Direction != Out) {
		return Receipt{}, ErrOrder
	}
	now := b.now()
	kept, err := b.Store.Put(ctx, Instruction{
		Order: o, Hash: hash(o), Outcome: Unknown, NextAt: now.Add(backoff(1)), CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return Receipt{}, err
	}
	if kept.Hash != hash(o) {
		return Receipt{}, ErrReused
	}
	if kept.Attempts > 0 && !kept.Final() { // it may have arrived
		var unseen bool
		if kept, unseen, err = b.ask(ctx, kept); err != nil || !unseen {
			return kept.receipt(), err
		}
	}
	if kept.Final() {
		return kept.receipt(), nil
	}
	kept, err = b.send(ctx, kept)
	return kept.receipt(), err
}

// send hands the order to the rail; the attempt is on record before.
func (b *Outbox) send(ctx context.Context, i Instruction) (Instruction, error) {
	i, err := b.Store.Record(ctx, i.Order.ID, func(i *Instruction) []Note {
		now := b.now()
		i.Attempts++
		i.NextAt, i.UpdatedAt = now.Add(backoff(i.Attempts+i.Asked)), now
		return []Note{{At: now, Kind: "sent", Detail: fmt.Sprint(i.Attempts)}}
	})
	if err != nil || i.Final() {
		return i, err
	}
	r, err := b.Rail.Send(ctx, i.Order)
	if err == nil {
		err = fits(i.Order, r)
	}
	if err != nil {
		return b.note(ctx, i.Order.ID, "lost", err.Error())
	}
	return b.take(ctx, r, "answer")
}

// ask looks what became of an order. unseen says that the rail never got it.
func (b *Outbox) ask(ctx context.Context, i Instruction) (_ Instruction, unseen bool, err error) {
	r, err := b.Rail.Query(ctx, i.Order.ID)
	if err == nil {
		err = fits(i.Order, r)
	}
	switch {
	case errors.Is(err, ErrUnseen):
		i, err = b.note(ctx, i.Order.ID, "unseen", "")
		return i, err == nil && !i.Final(), err
	case err != nil:
		i, err = b.note(ctx, i.Order.ID, "lost", err.Error())
	default:
		i, err = b.take(ctx, r, "asked")
	}
	return i, false, err
}

// fits refuses a receipt that is not of the order: an outcome is never guessed from it.
func fits(o Order, r Receipt) error {
	switch {
	case r.OrderID != o.ID:
		return ErrRail.Because(fmt.Errorf("asked for %s, got the receipt of %q", o.ID, r.OrderID))
	case r.Outcome != Settled && r.Outcome != Failed && r.Outcome != Unknown:
		return ErrRail.Because(fmt.Errorf("there is no outcome %q", r.Outcome))
	}
	return nil
}

func (b *Outbox) note(ctx context.Context, id, kind, detail string) (Instruction, error) {
	return b.Store.Record(context.WithoutCancel(ctx), id, func(i *Instruction) []Note {
		now := b.now()
		if kind != "sent" {
			i.Asked++
		}
		i.UpdatedAt = now
		if !i.Final() {
			i.NextAt = now.Add(backoff(i.Attempts + i.Asked))
		}
		return []Note{{At: now, Kind: kind, Detail: short(detail)}}
	})
}

// take puts what the rail says on record: the first final outcome stands. It is done
// even when the one who asked has gone meanwhile.
func (b *Outbox) take(ctx context.Context, r Receipt, kind string) (Instruction, error) {
	ctx = context.WithoutCancel(ctx)
	disputed := false
	i, err := b.Store.Record(ctx, r.OrderID, func(i *Instruction) []Note {
		now := b.now()
		n := Note{At: now, Kind: kind, Outcome: r.Outcome, Detail: short(r.Reason)}
		disputed = false
		if kind == "asked" {
			i.Asked++
		}
		switch {
		case r.Outcome == Unknown:
			if !i.Final() {
				i.NextAt = now.Add(backoff(i.Attempts + i.Asked))
			}
		case !i.Final():
			at := r.At.UTC().Truncate(time.Millisecond)
			if r.At.IsZero() {
				at = now
			}
			i.Outcome, i.Ref, i.Reason, i.SettledAt, i.NextAt = r.Outcome, r.Ref, short(r.Reason), &at, now.Add(settleGrace)
		case i.Outcome == r.Outcome:
			n.Kind = "again"
		default:
			n.Kind, n.Detail = "dispute", short(fmt.Sprintf("%s after %s %s", r.Outcome, i.Outcome, r.Ref))
			i.Disputed, disputed = true, true
		}
		i.UpdatedAt = now
		return []Note{n}
	})
	if err != nil || b.Alerts == nil {
		return i, err
	}
	if disputed {
		return i, b.alert(ctx, i, DisputeAlert, "critical")
	}
	if i.Final() {
		err = b.Alerts.Clear(ctx, i.Order.Tenant, UnknownAlert, "rail", i.Order.ID, "answered")
	}
	return i, err
}

func (b *Outbox) alert(ctx context.Context, i Instruction, kind, severity string) error {
	if b.Alerts == nil || i.Order.Tenant == "" {
		return nil
	}
	return b.Alerts.Raise(ctx, watch.Alert{
		Tenant: i.Order.Tenant, Kind: kind, Severity: severity, SubjectKind: "house", SubjectID: "rail", Item: i.Order.ID,
		Label: i.Order.PartyName, EventAt: i.CreatedAt,
		Evidence: map[string]string{
			"order": i.Order.ID, "amount": i.Order.Amount.String(), "direction": string(i.Order.Direction), "purpose": i.Order.Purpose,
		},
	})
}

// Query implements [Rail]: what is on record, or what the rail says now.
func (b *Outbox) Query(ctx context.Context, orderID string) (Receipt, error) {
	i, err := b.Store.Order(ctx, orderID)
	if errors.Is(err, ErrNotFound) {
		return Receipt{}, ErrUnseen
	}
	if err != nil || i.Final() {
		return i.receipt(), err
	}
	if i.Attempts == 0 {
		return Receipt{}, ErrUnseen
	}
	i, unseen, err := b.ask(ctx, i)
	if unseen {
		return Receipt{}, ErrUnseen
	}
	return i.receipt(), err
}

// Receive takes what the rail tells by itself, and tells who gave the order. The same
// receipt may come any number of times. ErrNotFound, ErrRail for a receipt that fits none.
func (b *Outbox) Receive(ctx context.Context, r Receipt) error {
	i, err := b.Store.Order(ctx, r.OrderID)
	if err != nil {
		return err
	}
	if err := fits(i.Order, r); err != nil {
		return err
	}
	if i, err = b.take(ctx, r, "callback"); err != nil || !i.Final() || i.Told {
		return err
	}
	return b.inform(context.WithoutCancel(ctx), i)
}

// inform tells those who asked for it and puts on record that they know.
func (b *Outbox) inform(ctx context.Context, i Instruction) error {
	for _, f := range b.tell {
		if err := f(ctx, i); err != nil {
			_, late := b.Store.Record(ctx, i.Order.ID, func(i *Instruction) []Note {
				i.NextAt = b.now().Add(settleGrace)
				return nil
			})
			return errors.Join(fmt.Errorf("payment %s: %w", i.Order.ID, err), late)
		}
	}
	_, err := b.Store.Record(ctx, i.Order.ID, func(i *Instruction) []Note {
		i.Told = true
		return nil
	})
	return err
}

// Worked is what one round of [Outbox.Work] did.
type Worked struct {
	Looked  int `json:"looked"`
	Settled int `json:"settled"`
	Failed  int `json:"failed"`
	Unknown int `json:"unknown"` // still
}

// Work looks after what is due: asks for unknown outcomes, sends again what never arrived
// under its own number, and tells known outcomes to who gave the orders. What goes wrong
// with one does not stop the others; the errors are joined.
func (b *Outbox) Work(ctx context.Context) (w Worked, err error) {
	due, err := b.Store.Due(ctx, b.now(), 200)
	if err != nil {
		return w, err
	}
	var failed []error
	for _, i := range due {
		if ctx.Err() != nil {
			return w, ctx.Err()
		}
		w.Looked++
		if i, err = b.settle(ctx, i); err != nil {
			failed = append(failed, err)
		}
		switch i.Outcome {
		case Settled:
			w.Settled++
		case Failed:
			w.Failed++
		default:
			w.Unknown++
		}
	}
	return w, errors.Join(failed...)
}

func (b *Outbox) settle(ctx context.Context, i Instruction) (Instruction, error) {
	var err error
	if !i.Final() {
		unseen := i.Attempts == 0
		if !unseen {
			if i, unseen, err = b.ask(ctx, i); err != nil {
				return i, err
			}
		}
		if unseen {
			if i, err = b.send(ctx, i); err != nil {
				return i, err
			}
		}
	}
	if i.Final() {
		return i, b.inform(context.WithoutCancel(ctx), i)
	}
	if b.now().Sub(i.CreatedAt) >= patience {
		err = b.alert(ctx, i, UnknownAlert, "warning")
	}
	return i, err
}

// Find returns an instruction of a tenant with its notes; ErrNotFound.
func (b *Outbox) Find(ctx context.Context, tenant, id string) (Instruction, []Note, error) {
	i, err := b.Store.Order(ctx, id)
	if err == nil && i.Order.Tenant != tenant {
		err = ErrNotFound
	}
	if err != nil {
		return Instruction{}, nil, err
	}
	notes, err := b.Store.Notes(ctx, id)
	return i, notes, err
}

// Orders lists instructions, newest first.
func (b *Outbox) Orders(ctx context.Context, tenant string, f OrderFilter) ([]Instruction, error) {
	return b.Store.Orders(ctx, tenant, f)
}

// Ask looks at one order now, whatever its time; ErrNotFound.
func (b *Outbox) Ask(ctx context.Context, tenant, id string) (Instruction, error) {
	i, err := b.Store.Order(ctx, id)
	if err == nil && i.Order.Tenant != tenant {
		err = ErrNotFound
	}
	if err != nil || i.Told {
		return i, err
	}
	return b.settle(ctx, i)
}

func hash(o Order) string {
	b, _ := json.Marshal(o) // strings and numbers only
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// short keeps a foreign text within what a note holds.
func short(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
