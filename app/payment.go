package app

import (
	"context"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/rail"
	"github.com/furrowcredit/furrow/server/partner"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	paystore "github.com/furrowcredit/furrow/store/pay"
	purchasestore "github.com/furrowcredit/furrow/store/purchase"
	remitstore "github.com/furrowcredit/furrow/store/remit"
)

// Rail is a bank that is reached by HTTP.
type Rail struct {
	URL    string // "https://bank.example/furrow"
	KeyID  string
	Secret string // shared with the bank, at least rail.MinSecret bytes
	// Timeout of one request; 0 means 10 s.
	Timeout time.Duration
}

func (r Rail) key() rail.Key { return rail.Key{ID: r.KeyID, Secret: []byte(r.Secret)} }

// payments is the bank as the house sees it: the outbox before it, its statements, what is
// bought with directed money, the fees that are paid out to others.
type payments struct {
	outbox      *pay.Outbox
	statements  *pay.Reconciler
	purchases   *purchase.Service
	remittances *remit.Service
	callback    *rail.Callback // nil without a bank that calls
}

// openRail puts the outbox before the bank of the configuration.
func (a *App) openRail(alerts pay.Alerts) (*payments, error) {
	cfg, kept := a.cfg, paystore.New(a.db)
	p := &payments{outbox: &pay.Outbox{Store: kept, Rail: cfg.rail(), Alerts: alerts, Now: cfg.Now}}
	if cfg.RailHTTP.URL == "" {
		return p, nil
	}
	h, err := rail.New(rail.Config{URL: cfg.RailHTTP.URL, Key: cfg.RailHTTP.key(), Timeout: cfg.RailHTTP.Timeout, Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	p.outbox.Rail = h
	p.callback = &rail.Callback{Key: cfg.RailHTTP.key(), Once: kept.Once, Order: kept.Order, Receive: p.outbox.Receive, Now: cfg.Now}
	return p, nil
}

// join hands the payments what tells and books them.
func (p *payments) join(a *App, goods *purchase.Catalogue, products *product.Catalogue, apps *apply.Service, loans *loan.Service, book *ledger.Service, firms chain.Store) {
	now := a.cfg.Now
	p.purchases = purchase.New(purchase.Config{
		Store: purchasestore.New(a.db), Goods: goods, Products: products, Applications: apps,
		Loans: lending{loans, loanstore.New(a.db)}, Firms: firms, Rail: p.outbox, Now: now,
	})
	p.statements = &pay.Reconciler{
		Orders: p.outbox.Store, Store: paystore.New(a.db), Ledger: book, Cash: cashOf(book), Alerts: p.outbox.Alerts, Now: now,
	}
	p.outbox.OnFinal(func(ctx context.Context, i pay.Instruction) error {
		return loans.Settled(ctx, i.Order.Tenant, i.Order.ID)
	})
	p.outbox.OnFinal(p.purchases.OnPayment)
}

// passOn pays out the fees that are collected for others.
func (p *payments) passOn(a *App, payees remit.Payees, loans *loan.Service, book *ledger.Service) {
	p.remittances = remit.New(remit.Config{Store: remitstore.New(a.db), Book: book, Loans: loans, Rail: p.outbox, Payees: payees, Now: a.cfg.Now})
	p.outbox.OnFinal(p.remittances.OnPayment)
}

// callbacks is what the API offers a bank: nil where none calls.
func (p *payments) callbacks() partner.Callbacks {
	if p.callback == nil {
		return nil
	}
	return p.callback
}

// lending is the loan book as purchases see it.
type lending struct {
	*loan.Service
	store *loanstore.Store
}

// PaymentByKey implements purchase.Loans.
func (l lending) PaymentByKey(ctx context.Context, tenant, key string) (loan.Payment, error) {
	return l.store.PaymentByKey(ctx, tenant, key)
}

// Refund implements purchase.Loans: money of a seller is an event of the loan, found by its
// key.
func (l lending) Refund(ctx context.Context, tenant, loanID string, amount money.Fen, _ money.Date, key string) (string, error) {
	who := loan.System
	who.Tenant = tenant
	_, err := l.Apply(ctx, who, loanID, servicing.Event{Kind: servicing.MerchantRefund, Amount: amount}, key)
	return key, err
}

// cashOf is by how much the cash account moved over a day.
func cashOf(book *ledger.Service) func(ctx context.Context, tenant string, day money.Date) (money.Fen, error) {
	return func(ctx context.Context, tenant string, day money.Date) (money.Fen, error) {
		after, err := book.AsOf(ctx, tenant, pay.CashAccount, nil, ledger.Moment{Date: day})
		if err != nil {
			return 0, err
		}
		before, err := book.AsOf(ctx, tenant, pay.CashAccount, nil, ledger.Moment{Date: day - 1})
		return after - before, err
	}
}

// follow looks after payments whose outcome is open, and what waits for them, until ctx ends.
func (p *payments) follow(ctx context.Context, a *App) error {
	const every = 2 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := p.outbox.Work(ctx)
		_, more := p.purchases.Work(ctx)
		_, fees := p.remittances.Work(ctx)
		if err = errors.Join(err, more, fees); err != nil && ctx.Err() == nil {
			a.cfg.Log.WarnContext(ctx, "payments are looked at again", "error", err)
		}
	}
}

// statementSource is a bank that hands out its statements.
type statementSource interface {
	Statement(ctx context.Context, day money.Date) ([]byte, error)
}

// compareDay compares the statement of a day at its end, where the bank hands it out. A
// bank that has none yet does not stop the day end; a person may bring the file.
func (p *payments) compareDay(ctx context.Context, a *App, tenant string, day money.Date) error {
	source, ok := p.outbox.Rail.(statementSource)
	if !ok {
		return nil
	}
	body, err := source.Statement(ctx, day)
	if err != nil {
		a.cfg.Log.WarnContext(ctx, "the bank gave no statement", "day", day.String(), "error", err)
		return nil
	}
	_, err = p.statements.Run(ctx, tenant, purchase.System, pay.Statement{Name: "statement-" + day.String() + ".csv", Body: body, Day: day})
	if errors.Is(err, fault.Invalid) {
		a.cfg.Log.WarnContext(ctx, "the bank's statement cannot be read", "day", day.String(), "error", err)
		return nil
	}
	return err
}

// statementDays is the day end of loans, and behind it the statement of a day that is over.
type statementDays struct {
	dayEnds
	app *App
}

// DayEnd implements job.Work.Loans.
func (d statementDays) DayEnd(ctx context.Context, tenant string, date money.Date) (loan.DayEndReport, error) {
	report, err := d.dayEnds.DayEnd(ctx, tenant, date)
	if date < money.DateOf(d.app.cfg.Now()) {
		err = errors.Join(err, d.app.payments.compareDay(ctx, d.app, tenant, date))
	}
	return report, err
}

// ReconcileStatement compares a statement with the books of a database.
func ReconcileStatement(ctx context.Context, dsn, tenant string, s pay.Statement) (r pay.Report, err error) {
	err = ReadLedger(ctx, dsn, "", func(book *ledger.Service, _ []string) error {
		return withDB(ctx, dsn, func(db *store.DB) error {
			kept := paystore.New(db)
			c := &pay.Reconciler{Orders: kept, Store: kept, Ledger: ledger.New(ledgerstore.New(db), book.Chart(), time.Now), Cash: cashOf(book), Now: time.Now}
			r, err = c.Run(ctx, tenant, "furrow pay reconcile", s)
			return err
		})
	})
	return r, err
}
