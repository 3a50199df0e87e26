package app

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	creditprofile "github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/dashboard"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/behaviour"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec/profile"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/ingest/spool"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/iot/species"
	herdwatch "github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/job"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/live"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/alert"
	"github.com/furrowcredit/furrow/store/application"
	collateralstore "github.com/furrowcredit/furrow/store/collateral"
	consentstore "github.com/furrowcredit/furrow/store/consent"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/herd"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	"github.com/furrowcredit/furrow/store/pass"
	"github.com/furrowcredit/furrow/store/people"
	"github.com/furrowcredit/furrow/store/plot"
	profilestore "github.com/furrowcredit/furrow/store/profile"
	"github.com/furrowcredit/furrow/store/queue"
	quotestore "github.com/furrowcredit/furrow/store/quote"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// App is the running house.
type App struct {
	cfg      Config
	db       *store.DB
	readings series.Store
	close    []func() error
	once     sync.Once

	pipeline *ingest.Pipeline
	spool    *spool.Spool
	line     ingest.Line // to the external broker
	herds    *report.Maker
	counted  chan [2]string // tenant and herd of counts that came in
	broker   *broker.Broker
	engine   *herdwatch.Engine
	runner   *job.Runner[*sql.Tx]
	apps     *apply.Service
	gate     *access.Gate
	profiles *creditprofile.Book
	pools    *collateral.Service
	revalues chan pledged
	pictures *images
	payments *payments
	looks    func(ctx context.Context) <-chan time.Time // at the catalogue of scenes
	hub      *live.Hub
	server   *server.Server
	listener net.Listener
}

// catalogue is what a bank edits: every file is read and checked at the start.
type catalogue struct {
	crops    *crop.Catalogue
	species  *species.Catalogue
	profiles *profile.Catalogue
	motion   *behaviour.Model
	products *product.Catalogue
	wordings consent.Wordings
	policies *policy.Set
	industry *industry.Catalogue
	inputs   *contagion.Inputs
	chart    ledger.Chart
	funders  *fund.Catalogue
	payees   remit.Payees
	goods    *purchase.Catalogue
	// Who may do what to a loan, and what it is expected to lose.
	servicing *loan.Rules
	provision *provision.Table
	words     *contract.Words
	cover     collateral.Rules
}

func readCatalogue(dir string) (c catalogue, err error) {
	files, err := catalog.Open(dir)
	if err != nil {
		return c, err
	}
	read := func(f func() error) {
		err = errors.Join(err, f())
	}
	read(func() (e error) { c.crops, e = crop.Load(files); return })
	read(func() (e error) { c.species, e = species.Load(files); return })
	read(func() (e error) { c.profiles, e = profile.Load(files); return })
	read(func() (e error) { c.motion, e = behaviour.Load(files); return })
	read(func() (e error) { c.products, e = product.Load(files); return })
	read(func() (e error) { c.wordings, e = consent.Load(files); return })
	read(func() (e error) { c.policies, e = policy.Load(files); return })
	read(func() (e error) { c.industry, e = industry.Load(files); return })
	read(func() (e error) { c.inputs, e = contagion.LoadInputs(files); return })
	read(func() (e error) { c.chart, e = ledger.LoadChart(files); return })
	read(func() (e error) { c.funders, e = readFunders(files, c.products); return })
	read(func() (e error) { c.payees, e = readPayees(files, c.products); return })
	read(func() (e error) { c.goods, e = purchase.Load(files); return })
	read(func() (e error) { c.servicing, e = loan.LoadRules(files); return })
	read(func() (e error) { c.provision, e = provision.Load(files); return })
	read(func() (e error) { c.words, e = contract.LoadWords(files); return })
	read(func() (e error) { c.cover, e = collateral.LoadRules(files); return })
	return c, err
}

// New opens every part and takes the addresses, so that what is wrong shows before
// anything runs. Close it in any case.
func New(ctx context.Context, cfg Config) (_ *App, err error) {
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, looks: everyLook}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if cfg.Serve { // ports first: nothing is opened for a house that cannot be reached
		if a.listener, err = listen(ctx, cfg.Addr, "--addr"); err != nil {
			return nil, err
		}
		a.close = append(a.close, func() error { return ignoreClosed(a.listener.Close()) })
		if cfg.MQTT != "" {
			if err := free(ctx, cfg.MQTT, "--mqtt"); err != nil {
				return nil, err
			}
		}
	}
	books, err := readCatalogue(cfg.Catalog)
	if err != nil {
		return nil, err
	}
	if a.db, err = store.Open(ctx, store.Config{DSN: cfg.DB}); err != nil {
		return nil, err
	}
	a.close = append(a.close, a.db.Close)
	if a.readings, err = a.openSeries(ctx); err != nil {
		return nil, err
	}
	a.close = append(a.close, a.readings.Close)
	return a, a.wire(ctx, books)
}

// listen takes an address that a flag gave: ErrPort, ErrAddr.
func listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, ErrPort.With("addr", addr).With("flag", flag)
	case err != nil:
		return nil, ErrAddr.With("addr", addr).With("flag", flag).Because(err)
	}
	return l, nil
}

// free says whether the house could listen there, before anything is made for it.
func free(ctx context.Context, addr, flag string) error {
	l, err := listen(ctx, addr, flag)
	if err != nil {
		return err
	}
	return l.Close()
}

func (a *App) openSeries(ctx context.Context) (series.Store, error) {
	if a.cfg.Influx.URL == "" {
		return telemetry.Open(ctx, filepath.Join(a.cfg.Data, "telemetry.db"))
	}
	i := a.cfg.Influx
	return influx.Open(influx.Config{URL: i.URL, Token: i.Token, Org: i.Org, Bucket: i.Bucket}), nil
}

// wire makes the rooms and hands each what it needs.
func (a *App) wire(ctx context.Context, books catalogue) error {
	cfg, now := a.cfg, a.cfg.Now
	var (
		plotStore   = plot.New(a.db)
		passStore   = pass.New(a.db)
		herdStore   = herd.New(a.db)
		firmStore   = firm.New(a.db)
		loanStore   = loanstore.New(a.db)
		bookStore   = ledgerstore.New(a.db)
		alertStore  = alert.New(a.db)
		askedStore  = application.New(a.db)
		peopleStore = people.New(a.db)
		consents    = &consent.Book{Store: consentstore.New(a.db), Wordings: books.wordings, Now: now}
		profiles    = &creditprofile.Book{Store: profilestore.New(a.db), Consents: consents, Now: now}
	)
	if _, err := firmStore.RefreshNames(ctx); err != nil {
		return err
	}
	if err := bookStore.Complete(ctx); err != nil {
		return err
	}
	pictures, err := newImages(a, books.crops, plotStore)
	if err != nil {
		return err
	}
	a.hub = live.New(live.Config{Herds: herdStore, Log: cfg.Log})
	a.close = append(a.close, func() error { a.hub.Close(); return nil })

	desk := &watch.Desk{Store: alertStore, Notify: a.hub, Now: now}
	if a.payments, err = a.openRail(desk); err != nil {
		return err
	}
	var (
		gate  = access.NewGate(peopleStore, now, access.Cost{})
		plots = &geo.Plots{Store: plotStore, Now: now}
		firms = network.New(firmStore, network.Options{Dir: filepath.Join(cfg.Data, "chain"), Industries: books.industry, Now: now})
		flows = flow.NewNetwork(firmStore, firms, now)
		book  = ledger.New(bookStore, books.chart, now)
		share = newFund(a.db, books.funders, book, now)
		loans = loan.New(loan.Config{Store: loanStore, Book: book, Share: share.Share, Admit: share.Admit, Rail: a.payments.outbox, Alerts: desk, Rules: books.servicing, Provision: books.provision, Now: now})
	)
	loans.OnChange(share.Changed)
	firmStore.Changed, profiles.Changed = a.tradeMoved, a.profilesMoved
	desk.LoanOf, desk.FirmNames, desk.Moved = loanOf(loans), firmNames(firmStore), a.alertMoved
	flows.Join(cfg.members(firmStore))
	flows.Around(books.industry)
	a.engine = herdwatch.New(herdwatch.Config{
		Herds: herdStore, Series: a.readings, Species: books.species, Memory: herdStore, Raise: desk.Herd, Open: openOf(desk), OnMove: a.hub.Moved, Now: now, Log: cfg.Log,
	})
	counts := &count.Service{Store: herdStore, Lives: herdStore.Lives, Readings: a.readings, Raise: desk.Herd, Now: now}
	a.herds = &report.Maker{
		Herds: herdStore, Watch: a.engine, Counts: counts, Weighings: herdStore, Series: a.readings, Species: books.species,
		Impostors: impostors(desk), Now: now,
	}
	models := newModels(a.db, now)
	strategies := strategy.New(strategy.Config{
		Store: strategystore.New(a.db), Shipped: books.policies, History: askedStore, Models: models, Now: now,
	})
	snapshots := quotestore.New(a.db)
	consents.OnWithdraw = func(ctx context.Context, tenant, userID string) error {
		return errors.Join(snapshots.Drop(ctx, tenant, userID), a.apps.Touch(ctx, tenant, apply.Filter{UserID: userID}, apply.NewConsent))
	}
	parts := receivable.New(receivable.Config{Store: receivablestore.New(a.db), Papers: receivablestore.New(a.db), Firms: firmStore, Promises: cfg.promises(firmStore), Now: now})
	a.revalues = make(chan pledged, 1024)
	a.pools = collateral.New(collateral.Config{
		Store: collateralstore.New(a.db), Book: book, Loans: owing{loans, a.payments.outbox}, Desk: partDesk{parts, books.cover.Funder}, Alerts: desk,
		Evidence: pledgeFinder{plots: plotStore, herds: herdStore, reports: a.herds, species: books.species, parts: parts, firms: firmStore, now: now},
		Rules:    books.cover, Products: books.products, Now: now,
	})
	house, err := cfg.house()
	if err != nil {
		return err
	}
	a.gate, a.profiles = gate, profiles
	apps := apply.New(apply.Config{
		Store: signings{askedStore, a.pools}, Plots: plotStore, Overlaps: plots, PlotReports: plotStore, Herds: herdStore, HerdReports: a.herds,
		Firms: firmStore, Standings: flows, Alerts: desk, Products: books.products, Policies: strategies, Snapshots: snapshots, Words: books.words, Loans: loans,
		Consents: consents, Profiles: profiles, Wordings: books.wordings, Find: naming{gate, plotStore, herdStore, firmStore},
		Font: sync.OnceValues(font), House: house,
		Queue: queued{a}, Notify: a.hub, Now: now,
	})
	a.apps = apps
	loans.OnChange(a.owesOther)
	a.payments.join(a, books.goods, books.products, apps, loans, book, firmStore)
	a.payments.passOn(a, books.payees, loans, book)

	driver, err := queue.Driver(ctx, a.db)
	if err != nil {
		return err
	}
	a.runner, err = job.New(driver, job.Work{
		Applications: apps, Asked: askedStore, Plots: plotStore, Reports: pictures, Chain: flows, Alerts: desk, Loans: statementDays{dayEnds{apps, a.pools}, a},
		Twins: party.Twins{Firms: firmStore, Merges: firmStore, Now: now},
		Holds: book, Scenes: pictures.items, Passes: passStore, PlotChanged: a.plotChanged(plotStore, pictures), Season: a.season,
	}, job.Options{Work: cfg.Work, Log: cfg.Log})
	if err != nil {
		return err
	}
	a.pictures = pictures
	if err := a.firstOperator(ctx, gate); err != nil {
		return err
	}
	if !cfg.Serve {
		return nil
	}

	if err := a.openIngest(ctx, books, herdStore, counts, desk); err != nil {
		return err
	}
	herds := &iot.Herds{Store: herdStore, Known: books.species.Known, Now: now, Revoked: a.cutOff, Profile: func(code string) error {
		_, err := books.profiles.Profile(code)
		return err
	}}
	registry := prometheus.NewRegistry()
	a.countIngest(registry)
	documents, err := a.openIntake(firmStore, registry)
	if err != nil {
		return err
	}
	srv, err := server.New(server.Deps{
		Gate: gate, Trail: peopleStore,
		Plots: plots, PlotStore: plotStore, Report: a.reportPlot, ReadPlots: readPlots(books.crops),
		Scenes: pictures.list, Tiles: pictures, Suggest: a.suggest(pictures),
		Herds: herds, Import: importer(herds, books.species, herdStore),
		HerdStore: herdStore, HerdWatch: a.herds, Animals: animals{counts, herdStore, herdStore, a}, Watch: a.herdTold, Forget: a.forget(herdStore),
		Firms: firmStore, Partners: firmStore, Standings: flows, Chain: firms, Industries: books.industry, Merges: firmStore,
		Shocks:      &watch.Shocks{Firms: firmStore, Loans: firmLoans(loans), Inputs: books.inputs, Desk: desk, Now: now},
		Documents:   documents,
		Facts:       firmStore,
		Uploads:     uploads{upload.New(upload.Config{Store: firmStore, Now: now}), a},
		Receivables: financed{parts, a.pools}, Collateral: a.pools, Ledger: book, Fund: share,
		Periods:     &ledger.Periods{Book: book, Store: bookStore, Behind: loans.Behind, Now: now},
		Remittances: a.payments.remittances,
		Purchases:   a.payments.purchases, Payments: a.payments.outbox, Statements: a.payments.statements, Callbacks: a.payments.callbacks(),
		Strategies:  strategies,
		Quotes:      quote.New(quote.Config{Store: snapshots, Strategies: strategies, Products: books.products, Agreed: consent.Agreed, Now: now}),
		ImportChain: importChain(firmStore),
		Models:      models,
		Desk:        apps, Book: loans, Alerts: desk, Jobs: a.runner,
		Crops: cropWords(books.crops), Species: speciesWords(books.species), Products: books.products.All(),
		Goods: goodsWords(books.goods), Units: unitWords(books.goods),
		Wordings: books.wordings, Consents: consents, Profiles: profiles,
		Live: a.hub, Faces: dashboard.Faces(), Registry: registry, Ready: a.ready, Log: cfg.Log, Now: now, TLS: cfg.Secure,
	})
	if err != nil {
		return err
	}
	a.server = srv
	return nil
}

// URL is where the faces are.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() }

// MQTT is the address of the embedded broker, or "".
func (a *App) MQTT() string {
	if a.broker == nil {
		return ""
	}
	return "tcp://" + a.broker.Addr()
}

// Run serves until ctx ends, then stops in order: no new work, then what runs, then
// the stores (by Close).
func (a *App) Run(ctx context.Context) error {
	if a.cfg.Serve {
		if err := a.engine.Restore(ctx); err != nil {
			return err
		}
	}
	if err := a.runner.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.pictures.watch(ctx, pass.New(a.db), a.looks(ctx)) })
	g.Go(func() error { return a.valuePledges(ctx) })
	if a.cfg.Serve {
		g.Go(func() error { return a.server.Serve(ctx, a.listener) })
		g.Go(func() error { return a.engine.Run(ctx) })
		g.Go(func() error { return a.reviewCounts(ctx) })
		g.Go(func() error { return a.expire(ctx) })
		g.Go(func() error { return a.payments.follow(ctx, a) })
		if a.broker != nil {
			g.Go(func() error { return a.broker.Run(ctx) })
		}
		if a.cfg.Broker.URL != "" {
			g.Go(func() error { return a.subscribe(ctx) })
		}
		if log := a.cfg.Broker.DebugLog; log != "" {
			g.Go(func() error {
				return ingest.FollowDenials(ctx, ingest.DenialsConfig{Path: log, Tenant: a.cfg.Tenant, Log: a.cfg.Log}, a.pipeline)
			})
		}
	}
	g.Go(func() error { <-ctx.Done(); return nil })
	err := g.Wait()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if stopErr := a.runner.Stop(grace); err == nil {
		err = stopErr
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close releases everything; it may be called more than once.
func (a *App) Close() (err error) {
	a.once.Do(func() {
		for i := len(a.close) - 1; i >= 0; i-- {
			err = errors.Join(err, a.close[i]())
		}
	})
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// ready says what keeps the house from serving.
func (a *App) ready(ctx context.Context) error {
	return a.db.Ping(ctx)
}

// season is the time on which a plot is judged: the last thirteen months, so that a
// winter crop is seen from its sowing.
func (a *App) season() geo.Season {
	end := a.cfg.Now().UTC()
	return geo.Season{Name: end.Format("2006-01"), Start: end.AddDate(-1, -1, 0), End: end}
}
