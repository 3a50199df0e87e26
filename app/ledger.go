package app

import (
	"context"
	"os"
	"strings"
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
func VerifyLedger(ctx context.Context, dsn string) ([]ledger.Audit, error) {
	// Opening would make an empty database, and an empty book is always sound.
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, ErrNoDatabase.With("path", path)
		}
	}
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // nothing was written
	books := ledgerstore.New(db)
	tenants, err := books.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	book := ledger.New(books, nil, time.Now)
	audits := make([]ledger.Audit, 0, len(tenants))
	for _, tenant := range tenants {
		a, err := book.Verify(ctx, tenant)
		if err != nil {
			return nil, err
		}
		audits = append(audits, a)
	}
	return audits, nil
}
