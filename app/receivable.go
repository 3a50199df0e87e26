package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/chain/flow"
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

// members are those with whom the house compares invoices, nil without a secret.
func (c Config) members(firms *firm.Store) *flow.Members {
	if c.InvoiceSalt == "" {
		return nil
	}
	return &flow.Members{Fingerprints: firms, Salt: []byte(c.InvoiceSalt), Own: c.Tenant}
}

// promises is what receivables are checked against before they are financed.
func (c Config) promises(firms *firm.Store) receivable.Promises {
	if c.InvoiceSalt == "" {
		return nil
	}
	return receivable.Published{Firms: firms, Fingerprints: firms, Salt: []byte(c.InvoiceSalt), Own: c.Tenant}
}
