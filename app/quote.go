package app

import (
	"context"
	"runtime"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/application"
	quotestore "github.com/furrowcredit/furrow/store/quote"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
)

// RedecideRequest says about whom.
type RedecideRequest struct {
	Catalogue string // folder over the embedded one
	Tenant    string
	Product   string // code; "" is all
	RunID     string // goes on with a run that stopped
	Workers   int    // 0 means one a processor
}

// Redecide decides about everybody of a tenant on the evidence that is kept, by the
// policies in force, and tells of each step. It may run beside a working house.
func Redecide(ctx context.Context, dsn string, r RedecideRequest, tell func(quote.Run)) (run quote.Run, err error) {
	books, err := readCatalogue(r.Catalogue)
	if err != nil {
		return run, err
	}
	if r.Workers <= 0 {
		r.Workers = runtime.GOMAXPROCS(0)
	}
	err = withDB(ctx, dsn, func(db *store.DB) error {
		strategies := strategy.New(strategy.Config{
			Store: strategystore.New(db), Shipped: books.policies, History: application.New(db), Models: newModels(db, time.Now), Now: time.Now,
		})
		quotes := quote.New(quote.Config{
			Store: quotestore.New(db), Strategies: strategies, Products: books.products, Agreed: consent.Agreed, Now: time.Now,
		})
		id := r.RunID
		if id == "" {
			begun, err := quotes.Start(ctx, access.Actor{UserID: "system", Tenant: r.Tenant}, r.Product)
			if err != nil {
				return err
			}
			tell(begun)
			id = begun.ID
		}
		run, err = quotes.Go(ctx, r.Tenant, id, r.Workers, tell)
		return err
	})
	return run, err
}
