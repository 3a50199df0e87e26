package app

import (
	"context"
	"time"

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
	err = withDB(ctx, dsn, func(db *store.DB) error {
		books := ledgerstore.New(db)
		if err := books.Complete(ctx); err != nil {
			return err
		}
		tenants, err := books.Tenants(ctx)
		if err != nil {
			return err
		}
		book := ledger.New(books, nil, time.Now)
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
