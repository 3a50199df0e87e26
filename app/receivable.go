package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	receivablestore "github.com/furrowcredit/furrow/store/receivable"
)

// VerifyReceivables makes every receivable of a database again from its events and
// compares it with what is kept. It may run beside a working house.
func VerifyReceivables(ctx context.Context, dsn string) (audits []receivable.Audit, err error) {
	err = withDB(ctx, dsn, func(db *store.DB) error {
		audits, err = receivable.New(receivable.Config{Store: receivablestore.New(db), Firms: firm.New(db), Now: time.Now}).Verify(ctx)
		return err
	})
	return audits, err
}
