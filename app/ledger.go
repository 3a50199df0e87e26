package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
)

// ErrNoDatabase is returned for a database file that is not there.
var ErrNoDatabase = fault.New(fault.Invalid, "ledger.no_database", "there is no database at {path}")

// VerifyLedger rebuilds the book of every tenant in a database and compares it with the
// saved balances. It may run beside a working house.
func VerifyLedger(ctx context.Context, dsn string) (audits []ledger.Audit, err error) {
	err = ReadLedger(ctx, dsn, "", func(book *ledger.Service, tenants []string) error {
		audits = make([]ledger.Audit, 0, len(tenants))
		for _, tenant := range tenants {
			a, err := book.Verify(ctx, tenant)
			if err != nil {
				return err
			}
			audits = append(audits, a)
		}
		return nil
	})
	return audits, err
}

// ReadLedger hands the books of a database to use, with the chart of the catalogue in a
// folder ("" is the built-in one) and the tenants that have a book: ErrNoDatabase.
func ReadLedger(ctx context.Context, dsn, folder string, use func(book *ledger.Service, tenants []string) error) error {
	files, err := catalog.Open(folder)
	if err != nil {
		return err
	}
	chart, err := ledger.LoadChart(files)
	if err != nil {
		return err
	}
	return withDB(ctx, dsn, func(db *store.DB) error {
		books := ledgerstore.New(db)
		if err := books.Complete(ctx); err != nil {
			return err
		}
		tenants, err := books.Tenants(ctx)
		if err != nil {
			return err
		}
		return use(ledger.New(books, chart, time.Now), tenants)
	})
}
