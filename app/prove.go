package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
)

// ProveLoans replays every loan of a database and compares it with the ledger, tenant by
// tenant. Operations that run meanwhile show as differences.
func ProveLoans(ctx context.Context, dsn string) (proofs []loan.Proof, err error) {
	err = withDB(ctx, dsn, func(db *store.DB) error {
		tenants, err := ledgerstore.New(db).Tenants(ctx)
		if err != nil {
			return err
		}
		loans := loan.New(loan.Config{Store: loanstore.New(db), Now: time.Now})
		for _, tenant := range tenants {
			p, err := loans.Prove(ctx, tenant)
			if err != nil {
				return err
			}
			proofs = append(proofs, p)
		}
		return nil
	})
	return proofs, err
}
