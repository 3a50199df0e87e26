package purchase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Refund has the seller give money of some lines back: it is taken from the seller's
// account and goes to the loan, never to the buyer. ErrState, ErrRefunding, ErrRefund.
func (s *Service) Refund(ctx context.Context, who access.Actor, id string, lines []RefundLine, reason, key string) (Order, error) {
	if len(key) < 8 || len(key) > 128 {
		return Order{}, ErrKey.At("header.Idempotency-Key")
	}
	o, err := s.sold(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	hash := credit.Hash(fmt.Appendf(nil, "%v %q", lines, reason))
	if i := slices.IndexFunc(o.Refunds, func(r Refund) bool { return r.Key == key }); i >= 0 {
		if o.Refunds[i].Hash != hash {
			return Order{}, ErrKeyReused
		}
		if o.State == Refunding {
			return s.refund(ctx, o)
		}
		return o, nil
	}
	if o.State == Refunding {
		return Order{}, ErrRefunding
	}
	if o.State != Paid {
		return Order{}, ErrState.With("state", o.State)
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 2000 {
		return Order{}, ErrReason.At("body.reason")
	}
	r := Refund{ID: ident.New(), Lines: lines, Reason: reason, Outcome: pay.Unknown, By: who.UserID, At: s.now(), Key: key, Hash: hash}
	if r.Amount, err = refundable(o, lines); err != nil {
		return Order{}, err
	}
	o.State, o.Refunds = Refunding, append(slices.Clone(o.Refunds), r)
	if o, err = s.save(ctx, Change{Order: o, Events: []Event{s.event("refund", Refunding, who.UserID, r.Amount.String())}}); err != nil {
		return Order{}, err
	}
	return s.refund(ctx, o)
}

// refundable sums the lines of a refund; ErrRefund.
func refundable(o Order, lines []RefundLine) (sum money.Fen, err error) {
	if len(lines) == 0 {
		return 0, ErrRefund.At("body.lines").With("left", o.Amount-o.Refunded)
	}
	asked := map[int]money.Fen{}
	for i, l := range lines {
		at := slices.IndexFunc(o.Lines, func(x Line) bool { return x.Nr == l.Nr })
		if at < 0 {
			return 0, ErrRefund.At("body.lines[%d].nr", i).With("left", money.Fen(0))
		}
		left := o.Lines[at].Amount - o.Lines[at].Refunded - asked[l.Nr]
		if l.Amount <= 0 || l.Amount > left {
			return 0, ErrRefund.At("body.lines[%d].amount", i).With("left", left)
		}
		asked[l.Nr] += l.Amount
		sum += l.Amount
	}
	return sum, nil
}

// refund goes on with the refund that is under way: the money in by the rail, then onto
// the loan, each under its own number, so that doing it again moves nothing twice.
func (s *Service) refund(ctx context.Context, o Order) (Order, error) {
	ctx = context.WithoutCancel(ctx)
	o.Refunds = slices.Clone(o.Refunds)
	r := &o.Refunds[len(o.Refunds)-1]
	if r.Outcome == pay.Unknown {
		got := pay.Settle(ctx, s.cfg.Rail, pay.Order{ID: r.ID, Tenant: o.Tenant, Direction: pay.In, Amount: r.Amount, Purpose: o.ID}.With(o.Payee))
		switch got.Outcome {
		case pay.Settled:
			r.Outcome, r.Ref = got.Outcome, got.Ref
		case pay.Failed:
			r.Outcome, r.Failure = got.Outcome, got.Reason
			o.State = Paid
			return s.again(ctx, Change{Order: o, Events: []Event{s.event("unrefunded", Paid, System, got.Reason)}})
		default:
			return o, nil
		}
		var err error
		if o, err = s.again(ctx, Change{Order: o}); err != nil || o.State != Refunding {
			return o, err
		}
		o.Refunds = slices.Clone(o.Refunds)
		r = &o.Refunds[len(o.Refunds)-1]
	}
	event, err := s.cfg.Loans.Refund(ctx, o.Tenant, o.LoanID, r.Amount, money.DateOf(s.now()), "refund:"+r.ID)
	if err != nil {
		return o, fmt.Errorf("refund %s: %w", r.ID, err) // the money is here: it is booked in the next round
	}
	r.Event = event
	o.Lines = slices.Clone(o.Lines)
	for _, l := range r.Lines {
		o.Lines[l.Nr-1].Refunded += l.Amount
	}
	if o.Refunded += r.Amount; o.Refunded == o.Amount {
		o.State = Refunded
	} else {
		o.State = Paid
	}
	return s.again(ctx, Change{Order: o, Events: []Event{s.event("refunded", o.State, System, r.Amount.String())}})
}

// TracePart is one drawdown followed to what it bought.
type TracePart struct {
	PaymentID string      `json:"payment_id"`
	Ref       string      `json:"ref"` // the bank's own number
	Outcome   pay.Outcome `json:"outcome"`
	Date      money.Date  `json:"date"`
	Amount    money.Fen   `json:"amount"`
	PaidTo    string      `json:"paid_to"`
	Order     *Order      `json:"order,omitempty"` // nil: it was not for goods
	Traced    money.Fen   `json:"traced"`          // what the lines of the order account for
	Delivered money.Fen   `json:"delivered"`
	Refunded  money.Fen   `json:"refunded"`
	// Gaps are what does not agree: "no_order", "lines_differ", "not_delivered",
	// "refund_not_booked", "other_payee".
	Gaps []string `json:"gaps"`
}

// Trace follows the money of a loan to goods.
type Trace struct {
	LoanID    string      `json:"loan_id"`
	Drawn     money.Fen   `json:"drawn"`
	Traced    money.Fen   `json:"traced"`   // to lines of orders
	Untraced  money.Fen   `json:"untraced"` // Drawn less Traced
	Delivered money.Fen   `json:"delivered"`
	Refunded  money.Fen   `json:"refunded"` // by sellers, booked on the loan
	Parts     []TracePart `json:"parts"`
}

// Trace follows every drawdown of a loan to its order, the lines, the delivery and the
// refunds; what cannot be followed is listed as a gap. A borrower sees own loans only.
func (s *Service) Trace(ctx context.Context, who access.Actor, loanID string) (Trace, error) {
	l, err := s.cfg.Loans.Loan(ctx, who.Tenant, loanID)
	if err == nil && who.Role == access.Borrower && l.UserID != who.UserID {
		err = loan.ErrNotFound
	}
	if err != nil {
		return Trace{}, err
	}
	payments, err := s.cfg.Loans.Payments(ctx, who.Tenant, loanID)
	if err != nil {
		return Trace{}, err
	}
	t := Trace{LoanID: loanID, Parts: []TracePart{}}
	for _, p := range payments {
		if p.Direction != pay.Out || p.Refund || p.Outcome == pay.Failed { // p.Refund: what the borrower overpaid goes back
			continue
		}
		part, err := s.part(ctx, who.Tenant, l, p)
		if err != nil {
			return Trace{}, err
		}
		t.Parts = append(t.Parts, part)
		t.Drawn += part.Amount
		t.Traced += part.Traced
		t.Delivered += part.Delivered
		t.Refunded += part.Refunded
	}
	t.Untraced = t.Drawn - t.Traced
	return t, nil
}

func (s *Service) part(ctx context.Context, tenant string, l loan.Loan, p loan.Payment) (TracePart, error) {
	part := TracePart{PaymentID: p.ID, Ref: p.Ref, Outcome: p.Outcome, Date: p.Date, Amount: p.Amount, PaidTo: l.UserName, Gaps: []string{}}
	gap := func(code string) { part.Gaps = append(part.Gaps, code) }
	if p.Payee != nil {
		part.PaidTo = p.Payee.Name
	}
	if p.Purchase == "" {
		gap("no_order")
		return part, nil
	}
	o, err := s.cfg.Store.Order(ctx, tenant, p.Purchase)
	if errors.Is(err, ErrNotFound) {
		gap("no_order")
		return part, nil
	}
	if err != nil {
		return part, err
	}
	part.Order = &o
	var sum, booked money.Fen
	for _, x := range o.Lines {
		sum += x.Amount
	}
	for _, r := range o.Refunds {
		switch {
		case r.Event != "":
			booked += r.Amount
		case r.Outcome == pay.Settled:
			gap("refund_not_booked")
		}
	}
	part.Traced, part.Refunded = min(sum, p.Amount), booked
	if sum != p.Amount {
		gap("lines_differ")
	}
	if p.Payee == nil || p.Payee.ID != o.FirmID {
		gap("other_payee")
		part.Traced = 0
	}
	if o.Delivery != nil {
		part.Delivered = part.Traced
	} else {
		gap("not_delivered")
	}
	return part, nil
}

// OnPayment follows a payment whose outcome became known: it is for the outbox to tell.
func (s *Service) OnPayment(ctx context.Context, i pay.Instruction) error {
	if i.Order.Direction != pay.In {
		return nil
	}
	o, err := s.cfg.Store.Order(ctx, i.Order.Tenant, i.Order.Purpose)
	if errors.Is(err, ErrNotFound) {
		return nil // a repayment
	}
	if err != nil || o.State != Refunding {
		return err
	}
	_, err = s.refund(ctx, o)
	return err
}

// Stuck are orders whose payment or refund waits for the bank for longer than a time.
func (s *Service) Stuck(ctx context.Context, tenant string, than time.Duration) ([]Order, error) {
	list, err := s.cfg.Store.Orders(ctx, tenant, Filter{States: []State{Paying, Refunding}, Limit: 500})
	return slices.DeleteFunc(list, func(o Order) bool { return s.now().Sub(o.UpdatedAt) < than }), err
}
