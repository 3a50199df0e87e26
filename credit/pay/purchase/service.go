package purchase

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// What the service needs of other rooms. Their own services and stores fit.
type (
	// Applications tells what is borrowed on, and lends: *apply.Service.
	Applications interface {
		Application(ctx context.Context, who access.Actor, id string) (apply.Application, error)
		Detail(ctx context.Context, who access.Actor, id string) (apply.Detail, error)
		DrawTo(ctx context.Context, who access.Actor, id string, amount money.Fen, key string, payee pay.Payee, purchase string) (loan.Loan, error)
	}
	// Loans is the loan book as far as a payment stands in it.
	Loans interface {
		// PaymentByKey finds a drawdown by its key; loan.ErrNotFound.
		PaymentByKey(ctx context.Context, tenant, key string) (loan.Payment, error)
		Loan(ctx context.Context, tenant, id string) (loan.Loan, error)
		Payments(ctx context.Context, tenant, id string) ([]loan.Payment, error)
		// Refund books money of a seller on a loan and returns what the loan calls the event.
		// The same key books once.
		Refund(ctx context.Context, tenant, loanID string, amount money.Fen, on money.Date, key string) (event string, err error)
	}
	// Firms finds firms: chain.Store.
	Firms interface {
		Firm(ctx context.Context, tenant, id string) (chain.Party, error)
	}
	// Products finds products: *product.Catalogue.
	Products interface {
		Product(code string) (product.Product, error)
	}
)

// Config is what the service needs. All fields are required.
type Config struct {
	Store        Store
	Goods        *Catalogue
	Products     Products
	Applications Applications
	Loans        Loans
	Firms        Firms
	Rail         pay.Rail // on which refunds come in: the outbox
	Now          func() time.Time
}

// Service takes orders, pays sellers and follows the money.
type Service struct{ cfg Config }

// New returns a service.
func New(cfg Config) *Service { return &Service{cfg} }

func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Days that an order waits: for the seller, and for the goods, before it expires.
const (
	confirmDays = 7
	deliverDays = 60
)

// System is the user of what happens by itself.
const System = "system"

// Request is an order as a buyer asks for it.
type Request struct {
	ApplicationID string
	SellerID      string
	Lines         []Wanted
	Amount        money.Fen // fen; what the lines should make, 0 is not said
	Currency      string    // "" is CNY
	Draft         bool      // keep it without asking the seller
	Lang          string
}

func (r Request) hash() string {
	return credit.Hash(fmt.Appendf(nil, "%q %q %+q %d %q %t", r.ApplicationID, r.SellerID, fmt.Sprint(r.Lines), r.Amount, r.Currency, r.Draft))
}

// facts gathers what an order is checked on. except is an order that is not counted.
func (s *Service) facts(ctx context.Context, who access.Actor, applicationID, sellerID, lang, except string) (*facts, apply.Detail, error) {
	d, err := s.cfg.Applications.Detail(ctx, who, applicationID)
	if err != nil {
		return nil, d, err
	}
	a := d.Application
	f := &facts{
		today: money.DateOf(s.now()), product: d.Product, goods: s.cfg.Goods, had: map[string]Quantity{}, lang: lang,
		buyer: Buyer{UserID: a.UserID, Name: a.UserName}, ground: GroundOf(d.Evidence), free: d.Available,
	}
	if d.Evidence != nil {
		f.buyer.County = d.Evidence.Applicant.Region
	}
	if a.Subject.Kind == credit.FirmSubject {
		own, err := s.cfg.Firms.Firm(ctx, who.Tenant, a.Subject.ID)
		if err != nil {
			return nil, d, err
		}
		f.buyer.Firm = &own
		if f.buyer.County == "" {
			f.buyer.County = own.Region
		}
	}
	if err := s.seller(ctx, who.Tenant, sellerID, f); err != nil {
		return nil, d, err
	}
	return f, d, s.earlier(ctx, a, except, f)
}

func (s *Service) seller(ctx context.Context, tenant, id string, f *facts) error {
	if id == "" {
		return nil
	}
	got, err := s.cfg.Store.Seller(ctx, tenant, id)
	if errors.Is(err, ErrSellerNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	firm, err := s.cfg.Firms.Firm(ctx, tenant, got.FirmID)
	f.seller, f.firm = &got, &firm
	return err
}

// earlier counts what the buyer ordered on the same subject within a year, and what is
// reserved of the limit.
func (s *Service) earlier(ctx context.Context, a apply.Application, except string, f *facts) error {
	since := s.now().AddDate(-1, 0, 0)
	for before := ""; ; {
		page, err := s.cfg.Store.Orders(ctx, a.Tenant, Filter{UserID: a.UserID, Before: before, Limit: 500})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			if o.ID == except {
				continue
			}
			if o.ApplicationID == a.ID && o.State.Reserves() && o.LoanID == "" {
				f.free -= o.Amount // a drawdown under way is counted by the loans
			}
			if o.Subject != a.Subject || o.CreatedAt.Before(since) || !o.State.Reserves() && o.State != Paid && o.State != Refunding {
				continue
			}
			for _, l := range o.Lines {
				if l.Refunded < l.Amount {
					f.had[l.Goods] += l.Quantity
				}
			}
		}
		before = page[len(page)-1].ID
	}
}

// Check says what an order would come to, and everything that speaks against it; nothing
// is kept.
func (s *Service) Check(ctx context.Context, who access.Actor, r Request) (lines []Line, sum money.Fen, no []*fault.Error, err error) {
	f, _, err := s.facts(ctx, who, r.ApplicationID, r.SellerID, r.Lang, "")
	if err != nil {
		return nil, 0, nil, err
	}
	lines, sum, no = f.check(r.Lines, r.Amount, r.Currency)
	return lines, sum, no, nil
}

// Place keeps an order and asks the seller, or keeps it as a draft. *Refused has all that
// speaks against it; a draft is refused only for what cannot be kept. The same key and
// order give the same answer; ErrKeyReused for another order.
func (s *Service) Place(ctx context.Context, who access.Actor, r Request, key string) (Order, error) {
	if len(key) < 8 || len(key) > 128 {
		return Order{}, ErrKey.At("header.Idempotency-Key")
	}
	f, d, err := s.facts(ctx, who, r.ApplicationID, r.SellerID, r.Lang, "")
	if err != nil {
		return Order{}, err
	}
	key, hash := d.Application.UserID+":"+key, r.hash()
	if known, err := s.known(ctx, d.Application, key, hash); err == nil || !errors.Is(err, ErrNotFound) {
		return known, err
	}
	if err := drawable(d); err != nil {
		return Order{}, err
	}
	lines, sum, no := f.check(r.Lines, r.Amount, r.Currency)
	if len(no) > 0 && (!r.Draft || f.seller == nil || sum <= 0 || !priced(lines)) {
		return Order{}, &Refused{no}
	}
	a, now := d.Application, s.now()
	o := Order{
		ID: ident.New(), Tenant: a.Tenant, ApplicationID: a.ID, UserID: a.UserID, UserName: a.UserName, Subject: a.Subject,
		Product: d.Product.Code, Rule: d.Product.Delivery, SellerID: f.seller.ID, FirmID: f.seller.FirmID, Payee: f.seller.Party(),
		Lines: lines, Amount: sum, Currency: "CNY", State: Submitted, ExpiresAt: now.AddDate(0, 0, confirmDays),
		CreatedAt: now, UpdatedAt: now, Key: key, KeyHash: hash,
	}
	c := Change{Order: o, Most: d.Available, Events: []Event{s.event("submit", Submitted, who.UserID, "")}}
	if r.Draft {
		c.Order.State, c.Most, c.Events = Draft, 0, []Event{s.event("draft", Draft, who.UserID, "")}
	}
	return s.cfg.Store.Save(ctx, c)
}

func priced(lines []Line) bool {
	return !slices.ContainsFunc(lines, func(l Line) bool { return l.Amount <= 0 })
}

// drawable says that the application may be drawn on at all.
func drawable(d apply.Detail) error {
	if d.Application.State != apply.Signed && d.Application.State != apply.Active {
		return apply.ErrState.With("state", d.Application.State).With("to", apply.Active)
	}
	return nil
}

func (s *Service) known(ctx context.Context, a apply.Application, key, hash string) (Order, error) {
	for before := ""; ; {
		page, err := s.cfg.Store.Orders(ctx, a.Tenant, Filter{ApplicationID: a.ID, Before: before, Limit: 500})
		if err != nil {
			return Order{}, err
		}
		if len(page) == 0 {
			return Order{}, ErrNotFound
		}
		for _, o := range page {
			if o.Key != key {
				continue
			}
			if o.KeyHash != hash {
				return Order{}, ErrKeyReused
			}
			return o, nil
		}
		before = page[len(page)-1].ID
	}
}

func (s *Service) event(kind string, state State, user, detail string) Event {
	return Event{Kind: kind, State: state, At: s.now(), UserID: user, Detail: detail}
}

// Submit asks the seller of a draft; the draft is checked again, *Refused.
func (s *Service) Submit(ctx context.Context, who access.Actor, id, lang string) (Order, error) {
	o, err := s.mine(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	if o.State != Draft {
		if o.State == Submitted {
			return o, nil
		}
		return Order{}, ErrState.With("state", o.State)
	}
	f, d, err := s.facts(ctx, who, o.ApplicationID, o.SellerID, lang, o.ID)
	if err != nil {
		return Order{}, err
	}
	if err := drawable(d); err != nil {
		return Order{}, err
	}
	if _, _, no := f.check(wanted(o), o.Amount, o.Currency); len(no) > 0 {
		return Order{}, &Refused{no}
	}
	o.State, o.ExpiresAt, o.Payee = Submitted, s.now().AddDate(0, 0, confirmDays), f.seller.Party()
	return s.save(ctx, Change{Order: o, Most: d.Available, Events: []Event{s.event("submit", Submitted, who.UserID, "")}})
}

func wanted(o Order) []Wanted {
	list := make([]Wanted, len(o.Lines))
	for i, l := range o.Lines {
		list[i] = Wanted{Goods: l.Goods, Quantity: l.Quantity.String(), Unit: l.Unit, Price: l.Price}
	}
	return list
}

func (s *Service) save(ctx context.Context, c Change) (Order, error) {
	c.Order.UpdatedAt = s.now()
	return s.cfg.Store.Save(ctx, c)
}

// mine returns an order under an application that who asks may see; ErrNotFound.
func (s *Service) mine(ctx context.Context, who access.Actor, id string) (Order, error) {
	o, err := s.cfg.Store.Order(ctx, who.Tenant, id)
	if err != nil {
		return Order{}, err
	}
	if _, err := s.cfg.Applications.Application(ctx, who, o.ApplicationID); errors.Is(err, apply.ErrNotFound) {
		return Order{}, ErrNotFound
	} else if err != nil {
		return Order{}, err
	}
	return o, nil
}

// sold returns an order that the firm of who asks has to deliver.
func (s *Service) sold(ctx context.Context, who access.Actor, id string) (Order, error) {
	o, err := s.cfg.Store.Order(ctx, who.Tenant, id)
	if err == nil && (who.FirmID == "" || o.FirmID != who.FirmID) || err == nil && o.State == Draft {
		err = ErrNotFound
	}
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// Order returns an order of the buyer, of who brought the application, or of the seller,
// and any for the house; ErrNotFound.
func (s *Service) Order(ctx context.Context, who access.Actor, id string) (Order, []Event, error) {
	find := s.mine
	if who.Role == access.Anchor {
		find = s.sold
	}
	o, err := find(ctx, who, id)
	if err != nil {
		return Order{}, nil, err
	}
	events, err := s.cfg.Store.Events(ctx, who.Tenant, id)
	return o, events, err
}

// Orders lists orders, newest first: a buyer's own, a seller's to deliver, all for the house.
func (s *Service) Orders(ctx context.Context, who access.Actor, f Filter) ([]Order, error) {
	switch who.Role {
	case access.Borrower:
		f.UserID = who.UserID
	case access.Anchor:
		if f.FirmID = who.FirmID; f.FirmID == "" {
			return []Order{}, nil
		}
		if len(f.States) == 0 {
			f.States = []State{Submitted, Confirmed, Delivered, Paying, Paid, Refunding, Refunded, Cancelled, Expired}
		}
		f.States = slices.DeleteFunc(slices.Clone(f.States), func(s State) bool { return s == Draft })
		if len(f.States) == 0 {
			return []Order{}, nil
		}
	default: // the house sees all of its tenant
	}
	return s.cfg.Store.Orders(ctx, who.Tenant, f)
}

// Confirm is the seller's word that the goods can be had at the price. With a product that
// does not wait for the delivery it pays at once.
func (s *Service) Confirm(ctx context.Context, who access.Actor, id string) (Order, error) {
	o, err := s.sold(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	if o.State != Submitted {
		if o.State != Draft && o.State != Cancelled && o.State != Expired {
			return o, nil // said before
		}
		return Order{}, ErrState.With("state", o.State)
	}
	seller, err := s.cfg.Store.Seller(ctx, who.Tenant, o.SellerID)
	if err != nil {
		return Order{}, err
	}
	if seller.State != Enrolled {
		return Order{}, ErrSellerState.With("state", seller.State)
	}
	o.State, o.Payee, o.ExpiresAt = Confirmed, seller.Party(), s.now().AddDate(0, 0, deliverDays)
	o, err = s.save(ctx, Change{Order: o, Events: []Event{s.event("confirm", Confirmed, who.UserID, "")}})
	if err != nil || o.Rule != "" {
		return o, err
	}
	return s.pay(ctx, o, who.UserID)
}

var sha = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// Deliver says that the goods are there: the buyer, or, where the product takes it, the
// seller with the hash of the receipt that the buyer signed. It pays where the product
// waits for it.
func (s *Service) Deliver(ctx context.Context, who access.Actor, id, receiptHash string) (Order, error) {
	by, find := "buyer", s.mine
	if who.Role == access.Anchor {
		by, find = "seller", s.sold
	}
	o, err := find(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	if o.Delivery != nil {
		return o, nil
	}
	if by == "seller" && o.Rule == product.BuyerDelivery {
		return Order{}, ErrBuyerOnly
	}
	if (by == "seller" || receiptHash != "") && !sha.MatchString(receiptHash) {
		return Order{}, ErrReceipt.At("body.receipt_hash")
	}
	if o.State != Confirmed && o.State != Paying && o.State != Paid {
		return Order{}, ErrState.With("state", o.State)
	}
	o.Delivery = &Delivery{By: by, UserID: who.UserID, At: s.now(), ReceiptHash: strings.ToLower(receiptHash)}
	if o.State == Confirmed {
		o.State = Delivered
	}
	o, err = s.save(ctx, Change{Order: o, Events: []Event{s.event("deliver", o.State, who.UserID, by)}})
	if err != nil || o.State != Delivered || o.Rule == "" && o.Attempt > 0 {
		return o, err
	}
	return s.pay(ctx, o, who.UserID)
}

// Cancel ends an order before its money moves: the buyer until the goods are there, the
// seller at any time. ErrState.
func (s *Service) Cancel(ctx context.Context, who access.Actor, id, reason string) (Order, error) {
	find, may := s.mine, []State{Draft, Submitted, Confirmed}
	if who.Role != access.Borrower && who.Role != access.Partner {
		may = append(may, Delivered)
	}
	if who.Role == access.Anchor {
		find = s.sold
	}
	o, err := find(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	if o.State == Cancelled {
		return o, nil
	}
	if !slices.Contains(may, o.State) {
		return Order{}, ErrState.With("state", o.State)
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 2000 {
		return Order{}, ErrReason.At("body.reason")
	}
	o.State, o.Reason = Cancelled, reason
	return s.save(ctx, Change{Order: o, Events: []Event{s.event("cancel", Cancelled, who.UserID, reason)}})
}

// Pay tries a payment again that the bank or the loan book refused; buyer only.
func (s *Service) Pay(ctx context.Context, who access.Actor, id string) (Order, error) {
	o, err := s.mine(ctx, who, id)
	if err != nil {
		return Order{}, err
	}
	switch {
	case o.State == Paid || o.State == Refunded || o.State == Refunding:
		return o, nil
	case o.State == Paying:
		return s.resume(ctx, o)
	case o.State == Delivered, o.State == Confirmed && o.Rule == "":
		return s.pay(ctx, o, who.UserID)
	}
	return Order{}, ErrState.With("state", o.State)
}

// pay draws the money for the seller. The order says that it is being paid before
// anything moves, and under which number.
func (s *Service) pay(ctx context.Context, o Order, by string) (Order, error) {
	o.State, o.Reason = Paying, ""
	o.Attempt++
	o, err := s.save(ctx, Change{Order: o, Events: []Event{s.event("pay", Paying, by, fmt.Sprint(o.Attempt))}})
	if err != nil {
		return Order{}, err
	}
	return s.draw(ctx, o)
}

func (o Order) drawKey() string { return fmt.Sprintf("purchase:%s:%d", o.ID, o.Attempt) }

func (s *Service) draw(ctx context.Context, o Order) (Order, error) {
	buyer := access.Actor{UserID: o.UserID, Name: o.UserName, Tenant: o.Tenant, Role: access.Borrower}
	_, err := s.cfg.Applications.DrawTo(ctx, buyer, o.ApplicationID, o.Amount, o.drawKey(), o.Payee, o.ID)
	// What the loan book has on record decides, whatever the call said: a payment that is
	// there may have moved money.
	ctx = context.WithoutCancel(ctx)
	p, known := s.cfg.Loans.PaymentByKey(ctx, o.Tenant, o.UserID+":"+o.drawKey())
	switch {
	case errors.Is(known, loan.ErrNotFound) && fault.Kind(err) != nil && !errors.Is(err, fault.Unavailable):
		back, saved := s.unpaid(ctx, o, err.Error())
		return back, errors.Join(err, saved)
	case errors.Is(known, loan.ErrNotFound):
		return o, err // nothing was begun: it is tried again
	case known != nil:
		return o, known
	}
	return s.settle(ctx, o, p)
}

// resume goes on with an order that is being paid.
func (s *Service) resume(ctx context.Context, o Order) (Order, error) {
	p, err := s.cfg.Loans.PaymentByKey(ctx, o.Tenant, o.UserID+":"+o.drawKey())
	if errors.Is(err, loan.ErrNotFound) {
		return s.draw(ctx, o)
	}
	if err != nil {
		return o, err
	}
	return s.settle(ctx, o, p)
}

// settle follows what the loan book has of the payment.
func (s *Service) settle(ctx context.Context, o Order, p loan.Payment) (Order, error) {
	switch p.Outcome {
	case pay.Settled:
		now := s.now()
		o.State, o.LoanID, o.PaidAt = Paid, p.LoanID, &now
		return s.again(ctx, Change{Order: o, Events: []Event{s.event("paid", Paid, System, p.LoanID)}})
	case pay.Failed:
		return s.unpaid(ctx, o, p.Reason)
	default:
	}
	if o.LoanID == p.LoanID {
		return o, nil
	}
	o.LoanID = p.LoanID
	return s.again(ctx, Change{Order: o})
}

// again saves what is known of a payment; who was faster has saved the same.
func (s *Service) again(ctx context.Context, c Change) (Order, error) {
	o, err := s.save(ctx, c)
	if errors.Is(err, ErrStale) {
		return s.cfg.Store.Order(ctx, c.Order.Tenant, c.Order.ID)
	}
	return o, err
}

func (s *Service) unpaid(ctx context.Context, o Order, why string) (Order, error) {
	o.State, o.Reason, o.LoanID = Confirmed, why, ""
	if o.Delivery != nil {
		o.State = Delivered
	}
	return s.again(ctx, Change{Order: o, Events: []Event{s.event("unpaid", o.State, System, why)}})
}

// Worked is what one round of [Service.Work] did.
type Worked struct {
	Looked  int `json:"looked"`
	Moved   int `json:"moved"`
	Expired int `json:"expired"`
}

// Work goes on with payments and refunds whose outcome is known meanwhile, and ends orders
// that nobody answered. One that fails does not stop the others.
func (s *Service) Work(ctx context.Context) (w Worked, err error) {
	list, err := s.cfg.Store.Waiting(ctx, s.now(), 200)
	if err != nil {
		return w, err
	}
	var failed []error
	for _, o := range list {
		if ctx.Err() != nil {
			return w, ctx.Err()
		}
		w.Looked++
		var after Order
		switch o.State {
		case Paying:
			after, err = s.resume(ctx, o)
		case Refunding:
			after, err = s.refund(ctx, o)
		default:
			o.State, o.Reason = Expired, ""
			if after, err = s.again(ctx, Change{Order: o, Events: []Event{s.event("expire", Expired, System, "")}}); err == nil {
				w.Expired++
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("purchase %s: %w", o.ID, err))
		} else if after.State != o.State {
			w.Moved++
		}
	}
	return w, errors.Join(failed...)
}
