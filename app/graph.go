package app

import (
	"context"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
)

// ErrNoLinks is returned for books without any trade between firms.
var ErrNoLinks = fault.New(fault.NotFound, "app.no_links", "the books of {tenant} have no trade between firms; name another bank with --tenant")

// ChainGraph reads who sells to whom from the books of a bank, in a database that is
// there already. It may run beside a working house. ErrNoLinks.
func ChainGraph(ctx context.Context, dsn, tenant string) (g *graph.Snapshot, err error) {
	err = withDB(ctx, dsn, func(db *store.DB) error {
		g, err = network.Snapshot(ctx, firm.New(db), tenant)
		return err
	})
	if err == nil && g.Size() == 0 {
		return nil, ErrNoLinks.With("tenant", tenant)
	}
	return g, err
}
