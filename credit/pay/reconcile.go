package pay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a reconciliation.
var (
	ErrReplayed       = fault.New(fault.Conflict, "pay.replayed", "this message was sent before; sign it anew")
	ErrNoStatement    = fault.New(fault.NotFound, "pay.no_statement", "no statement of that day was compared yet")
	ErrNoDifference   = fault.New(fault.NotFound, "pay.no_difference", "the report of that day has no such difference")
	ErrStatementMoved = fault.New(fault.Conflict, "pay.statement_moved", "the report has changed meanwhile; load it again")
	ErrResolved       = fault.New(fault.Conflict, "pay.resolved", "this difference is {state} and cannot take this")
	ErrNote           = fault.New(fault.Invalid, "pay.note", "say in a few words what the difference was found to be")
	ErrAction         = fault.New(fault.Invalid, "pay.action", "choose explain, or book for a difference of money")
	ErrSecond         = fault.New(fault.Forbidden, "pay.second_person", "whoever proposed the booking cannot confirm it; ask a colleague")
)

// DiffKind is how the statement and our books differ.
type DiffKind string

// Kinds of difference.
const (
	OursOnly       DiffKind = "ours_only"       // settled with us, not on the statement
	TheirsOnly     DiffKind = "theirs_only"     // on the statement, no order of ours
	AmountDiffers  DiffKind = "amount_differs"  // the same order, another amount or direction
	OutcomeDiffers DiffKind = "outcome_differs" // money moved for an order that is unknown or failed with us
	Late           DiffKind = "late"            // the same money on another date: needs nobody
	Twice          DiffKind = "twice"           // one order on two lines
	BooksDiffer    DiffKind = "books_differ"    // the ledger's cash moved by another sum than the orders
)

// States of a difference.
const (
	DiffOpen     = "open"
	DiffProposed = "proposed" // a booking waits for a second person
	DiffResolved = "resolved"
)

// Difference is one thing that does not agree.
type Difference struct {
	ID      string    `json:"id"` // the same when the statement is compared again
	Kind    DiffKind  `json:"kind" enum:"ours_only,theirs_only,amount_differs,outcome_differs,late,twice,books_differ"`
	Row     int       `json:"row,omitempty"` // of the statement
	OrderID string    `json:"order_id,omitempty"`
	Ref     string    `json:"ref,omitempty"`
	Party   string    `json:"party,omitempty"`
	Bank    money.Fen `json:"bank"` // as the account moved by the statement: in above zero
	Ours    money.Fen `json:"ours"` // as we have it
	Detail  string    `json:"detail,omitempty"`

	State       string     `json:"state" enum:"open,proposed,resolved"`
	Action      string     `json:"action,omitempty" enum:"explain,book,system"`
	Note        string     `json:"note,omitempty"`
	By          string     `json:"by,omitempty"`
	At          *time.Time `json:"at,omitempty"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	EntryKey    string     `json:"entry_key,omitempty"` // of the booking
}

// Report is what a statement says against the books.
type Report struct {
	Day         money.Date   `json:"day"`
	File        string       `json:"file"`
	FileHash    string       `json:"file_hash"` // SHA-256
	By          string       `json:"by"`
	At          time.Time    `json:"at"`
	Lines       int          `json:"lines"`
	Orders      int          `json:"orders"` // of ours that settled on the day
	Matched     int          `json:"matched"`
	BankIn      money.Fen    `json:"bank_in"`
	BankOut     money.Fen    `json:"bank_out"`
	OursIn      money.Fen    `json:"ours_in"`
	OursOut     money.Fen    `json:"ours_out"`
	Cash        money.Fen    `json:"cash"` // the ledger's account over the day, in above zero
	Differences []Difference `json:"differences"`
	Version     int64        `json:"-"`
}

// Open counts what waits for a person.
func (r Report) Open() int {
	n := 0
	for _, d := range r.Differences {
		if d.State != DiffResolved {
			n++
		}
	}
	return n
}

// StatementStore keeps reports, one a day. Implemented in store/pay.
type StatementStore interface {
	// Statement returns ErrNoStatement. day is "2026-05-31".
	Statement(ctx context.Context, tenant string, day string) (Report, error)
	// Statements lists reports before a day ("" for all), newest first.
	Statements(ctx context.Context, tenant, before string, limit int) ([]Report, error)
	// SaveStatement adds the report (Version 0) or replaces the one of that version;
	// ErrStatementMoved.
	SaveStatement(ctx context.Context, tenant string, r Report) error
}

// Ledger books what a person resolved: *ledger.Service.
type Ledger interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Entry, error)
}

// Accounts of a booking.
const (
	CashAccount     = "cash"
	SuspenseAccount = "rail_suspense" // money whose owner is being found
)

// Reconciler compares statements with the orders and the ledger.
type Reconciler struct {
	Orders OutboxStore
	Store  StatementStore
	Ledger Ledger
	// Cash is by how much the ledger's cash account moved over a day.
	Cash   func(ctx context.Context, tenant string, day money.Date) (money.Fen, error)
	Alerts Alerts
	Now    func() time.Time
}

// Statement is a file of the bank.
type Statement struct {
	Name string
	Body []byte
	Day  money.Date
}

// Run compares a statement with our books and keeps the report: what was resolved before
// stays so. It returns the errors of [ParseStatement], joined.
func (c *Reconciler) Run(ctx context.Context, tenant, by string, s Statement) (Report, error) {
	lines, errs := ParseStatement(s.Name, s.Body, s.Day)
	if errs != nil {
		return Report{}, errors.Join(errs...)
	}
	sum := sha256.Sum256(s.Body)
	r := Report{Day: s.Day, File: s.Name, FileHash: hex.EncodeToString(sum[:]), By: by, At: c.Now().UTC().Truncate(time.Millisecond), Lines: len(lines)}
	if err := c.compare(ctx, tenant, lines, &r); err != nil {
		return Report{}, err
	}
	before, err := c.Store.Statement(ctx, tenant, s.Day.String())
	switch {
	case err == nil:
		r.Version = before.Version
		keep(before, &r)
	case !errors.Is(err, ErrNoStatement):
		return Report{}, err
	}
	if err := c.save(ctx, tenant, r); err != nil {
		return Report{}, err
	}
	return r, c.found(ctx, r)
}

// keep carries what people did on a difference over to the same difference.
func keep(before Report, r *Report) {
	for i := range r.Differences {
		d := &r.Differences[i]
		for _, old := range before.Differences {
			if old.ID == d.ID && old.State != DiffOpen {
				*d = old
			}
		}
	}
	for _, old := range before.Differences { // a booking is never forgotten
		if old.EntryKey != "" && !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.ID == old.ID }) {
			r.Differences = append(r.Differences, old)
		}
	}
}

func (c *Reconciler) save(ctx context.Context, tenant string, r Report) error {
	if err := c.Store.SaveStatement(ctx, tenant, r); err != nil {
		return err
	}
	if c.Alerts == nil {
		return nil
	}
	if n := r.Open(); n > 0 {
		return c.Alerts.Raise(ctx, watch.Alert{
			Tenant: tenant, Kind: StatementGap, Severity: "warning", SubjectKind: "house", SubjectID: "rail", Item: r.Day.String(),
			Label: r.File, Evidence: map[string]string{"day": r.Day.String(), "count": fmt.Sprint(n)},
		})
	}
	return c.Alerts.Clear(ctx, tenant, StatementGap, "rail", r.Day.String(), "resolved")
}

// book of a run: ours by number, and which of them a line has met.
type matching struct {
	byID, byRef map[string]*Instruction
	met         map[string]bool
}

func (c *Reconciler) compare(ctx context.Context, tenant string, lines []Line, r *Report) error {
	ours, err := c.Orders.Orders(ctx, tenant, OrderFilter{On: r.Day})
	if err != nil {
		return err
	}
	m := matching{byID: map[string]*Instruction{}, byRef: map[string]*Instruction{}, met: map[string]bool{}}
	for i := range ours {
		o := &ours[i]
		m.byID[o.Order.ID] = o
		if o.Ref != "" {
			m.byRef[o.Ref] = o
		}
		if o.Order.Direction == In {
			r.OursIn += o.Order.Amount
		} else {
			r.OursOut += o.Order.Amount
		}
	}
	r.Orders, r.Differences = len(ours), []Difference{}
	for _, l := range lines {
		if l.Direction == In {
			r.BankIn += l.Amount
		} else {
			r.BankOut += l.Amount
		}
		d, err := c.line(ctx, tenant, &m, l)
		if err != nil {
			return err
		}
		if d == nil {
			r.Matched++
			continue
		}
		r.add(*d)
	}
	for _, o := range ours {
		if !m.met[o.Order.ID] {
			d := Difference{Kind: OursOnly, OrderID: o.Order.ID, Ref: o.Ref, Party: o.Order.PartyName, Ours: signed(o.Order.Direction, o.Order.Amount)}
			if day, ok := c.elsewhere(ctx, tenant, r.Day, o.Order.ID); ok {
				d.Kind, d.Detail = Late, day.String()
			}
			r.add(d)
		}
	}
	if c.Cash != nil {
		if r.Cash, err = c.Cash(ctx, tenant, r.Day); err != nil {
			return err
		}
		if net := r.OursIn - r.OursOut; r.Cash != net {
			r.add(Difference{Kind: BooksDiffer, Bank: net, Ours: r.Cash})
		}
	}
	slices.SortStableFunc(r.Differences, func(a, b Difference) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.ID, b.ID)) })
	return nil
}

// add numbers a difference by what it is about. What is only late needs nobody.
func (r *Report) add(d Difference) {
	n := 0
	for {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n%d\n%d", r.Day, d.Kind, d.OrderID, d.Ref, d.Bank, d.Ours, n))
		d.ID = hex.EncodeToString(sum[:8])
		if !slices.ContainsFunc(r.Differences, func(o Difference) bool { return o.ID == d.ID }) {
			break
		}
		n++ // two lines with nothing to tell them apart
	}
	d.State = DiffOpen
	if d.Kind == Late {
		at := r.At
		d.State, d.Action, d.By, d.At = DiffResolved, "system", watch.System, &at
	}
	r.Differences = append(r.Differences, d)
}

// line finds the order of a line; nil when they agree.
func (c *Reconciler) line(ctx context.Context, tenant string, m *matching, l Line) (*Difference, error) {
	d := Difference{Row: l.Row, OrderID: l.OrderID, Ref: l.Ref, Party: l.Party, Bank: l.Signed()}
	o := m.byID[l.OrderID]
	if o == nil && l.OrderID == "" {
		o = m.byRef[l.Ref]
	}
	today := o != nil
	if !today && l.OrderID != "" {
		known, err := c.Orders.Order(ctx, l.OrderID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil && known.Order.Tenant == tenant {
			o = &known
		}
	}
	if o == nil {
		d.Kind = TheirsOnly
		return &d, nil
	}
	d.OrderID = o.Order.ID
	if m.met[o.Order.ID] {
		d.Kind = Twice
		return &d, nil
	}
	m.met[o.Order.ID] = true
	settled, isSettled := o.SettledOn()
	if isSettled {
		d.Ours = signed(o.Order.Direction, o.Order.Amount)
	}
	switch {
	case !isSettled:
		d.Kind, d.Detail = OutcomeDiffers, string(o.Outcome)
	case d.Ours != d.Bank:
		d.Kind = AmountDiffers
	case !today:
		d.Kind, d.Detail = Late, settled.String()
		return &d, c.arrived(ctx, tenant, settled, l)
	default:
		return nil, nil //nolint:nilnil // they agree
	}
	return &d, nil
}

// elsewhere looks whether the statement of the next days has an order that is missing here.
func (c *Reconciler) elsewhere(ctx context.Context, tenant string, day money.Date, orderID string) (money.Date, bool) {
	for next := day - 1; next <= day+5; next++ {
		r, err := c.Store.Statement(ctx, tenant, next.String())
		if err != nil || next == day {
			continue
		}
		for _, d := range r.Differences {
			if d.OrderID == orderID && d.Kind == Late {
				return next, true
			}
		}
	}
	return 0, false
}

// arrived closes, in the report of the day on which an order settled with us, that it was
// missing on the statement.
func (c *Reconciler) arrived(ctx context.Context, tenant string, day money.Date, l Line) error {
	r, err := c.Store.Statement(ctx, tenant, day.String())
	if errors.Is(err, ErrNoStatement) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		if d.OrderID == l.OrderID && d.Kind == OursOnly && d.State == DiffOpen {
			at := c.Now().UTC().Truncate(time.Millisecond)
			d.Kind, d.State, d.Action, d.By, d.At, d.Detail = Late, DiffResolved, "system", watch.System, &at, l.Date.String()
			return c.save(ctx, tenant, r)
		}
	}
	return nil
}

// found has orders asked for at once that the bank carried out by its statement, while
// their outcome is unknown here: a statement is a hint, the bank's answer settles.
func (c *Reconciler) found(ctx context.Context, r Report) error {
	for _, d := range r.Differences {
		if d.Kind != OutcomeDiffers || d.Detail != string(Unknown) {
			continue
		}
		if _, err := c.Orders.Record(ctx, d.OrderID, func(i *Instruction) []Note {
			i.NextAt = c.Now().UTC()
			return []Note{{At: i.NextAt, Kind: "statement", Detail: r.Day.String()}}
		}); err != nil {
			return err
		}
	}
	return nil
}

// Resolve says what a difference was found to be. "explain" settles it; "book" proposes to
// move the difference between cash and the suspense account, which a second person confirms.
func (c *Reconciler) Resolve(ctx context.Context, who access.Actor, day money.Date, id, action, note string) (Report, error) {
	note = strings.TrimSpace(note)
	if note == "" || len(note) > 2000 {
		return Report{}, ErrNote.At("body.note")
	}
	return c.change(ctx, who, day, id, func(d *Difference, now time.Time) error {
		if d.State != DiffOpen {
			return ErrResolved.With("state", d.State)
		}
		switch {
		case action == "explain":
			d.State = DiffResolved
		case action == "book" && d.Bank != d.Ours && d.Kind != BooksDiffer:
			d.State = DiffProposed
		default:
			return ErrAction.At("body.action")
		}
		d.Action, d.Note, d.By, d.At = action, note, who.UserID, &now
		return nil
	})
}

// Confirm books a proposed difference; ErrSecond for who proposed it.
func (c *Reconciler) Confirm(ctx context.Context, who access.Actor, day money.Date, id string) (Report, error) {
	return c.change(ctx, who, day, id, func(d *Difference, now time.Time) error {
		switch {
		case d.State != DiffProposed:
			return ErrResolved.With("state", d.State)
		case d.By == who.UserID:
			return ErrSecond
		}
		d.EntryKey = "reconcile:" + day.String() + ":" + d.ID
		delta := d.Bank - d.Ours
		_, err := c.Ledger.Post(ctx, ledger.Entry{
			Tenant: who.Tenant, Key: d.EntryKey, Kind: "reconcile", Item: "rail", Date: day, Memo: d.Note,
			Postings: []ledger.Posting{
				{Account: CashAccount, Item: "rail", Amount: delta},
				{Account: SuspenseAccount, Item: "rail", Amount: -delta},
			},
		})
		d.State, d.ConfirmedBy, d.ConfirmedAt = DiffResolved, who.UserID, &now
		return err
	})
}

// Reject sends a proposed booking back.
func (c *Reconciler) Reject(ctx context.Context, who access.Actor, day money.Date, id string) (Report, error) {
	return c.change(ctx, who, day, id, func(d *Difference, _ time.Time) error {
		if d.State != DiffProposed {
			return ErrResolved.With("state", d.State)
		}
		d.State, d.Action, d.By, d.At = DiffOpen, "", "", nil
		return nil
	})
}

func (c *Reconciler) change(ctx context.Context, who access.Actor, day money.Date, id string, f func(*Difference, time.Time) error) (Report, error) {
	r, err := c.Store.Statement(ctx, who.Tenant, day.String())
	if err != nil {
		return Report{}, err
	}
	i := slices.IndexFunc(r.Differences, func(d Difference) bool { return d.ID == id })
	if i < 0 {
		return Report{}, ErrNoDifference
	}
	if err := f(&r.Differences[i], c.Now().UTC().Truncate(time.Millisecond)); err != nil {
		return Report{}, err
	}
	if err := c.save(ctx, who.Tenant, r); err != nil {
		return Report{}, err
	}
	return c.Store.Statement(ctx, who.Tenant, day.String())
}

// Report returns the report of a day; ErrNoStatement.
func (c *Reconciler) Report(ctx context.Context, tenant string, day money.Date) (Report, error) {
	return c.Store.Statement(ctx, tenant, day.String())
}

// Reports lists reports, newest first.
func (c *Reconciler) Reports(ctx context.Context, tenant, before string, limit int) ([]Report, error) {
	return c.Store.Statements(ctx, tenant, before, limit)
}
