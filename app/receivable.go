package app

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
)

// VerifyReceivables makes every receivable of a database again from its events and
// compares it with what is kept. It may run beside a working house.
func VerifyReceivables(ctx context.Context, dsn string) ([]receivable.Audit, error) {
	// Opening would make an empty database, and empty books are always sound.
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
	return receivable.New(receivable.Config{Store: receivablestore.New(db), Firms: firm.New(db), Now: time.Now}).Verify(ctx)
}
