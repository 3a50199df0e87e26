package app

import (
	"context"
	"io/fs"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/store"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
)

// newFund makes the room that shares loans.
func newFund(db *store.DB, funders *fund.Catalogue, book *ledger.Service, now func() time.Time) *fund.Service {
	shares := fundstore.New(db)
	return fund.New(fund.Config{Store: shares, Catalogue: funders, Book: book, Related: shares.Related, Now: now})
}

// readFunders reads who funds loans, after the products, which name some of them.
func readFunders(files fs.FS, products *product.Catalogue) (*fund.Catalogue, error) {
	if products == nil {
		return nil, nil // what is wrong with the products is told already
	}
	return fund.Load(files, products.All())
}

// readPayees reads who gets fees, after the products, which name some of them.
func readPayees(files fs.FS, products *product.Catalogue) (remit.Payees, error) {
	if products == nil {
		return nil, nil
	}
	return remit.Load(files, products.All())
}

// WithFund opens the shared loans of a database that is there already, with the funders
// of a catalogue folder ("" for the built-in one). use is called for each tenant.
func WithFund(ctx context.Context, dsn, folder string, use func(tenant string, s *fund.Service) error) error {
	files, err := catalog.Open(folder)
	if err != nil {
		return err
	}
	products, err := product.Load(files)
	if err != nil {
		return err
	}
	funders, err := readFunders(files, products)
	if err != nil {
		return err
	}
	chart, err := ledger.LoadChart(files)
	if err != nil {
		return err
	}
	return withDB(ctx, dsn, func(db *store.DB) error {
		books := ledgerstore.New(db)
		s := newFund(db, funders, ledger.New(books, chart, time.Now), time.Now)
		tenants, err := books.Tenants(ctx)
		if err != nil {
			return err
		}
		for _, tenant := range tenants {
			if err := use(tenant, s); err != nil {
				return err
			}
		}
		return nil
	})
}
