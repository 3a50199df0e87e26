package anchor

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/server/route"
)

// Collateral tells an anchor which of its debts are pledged; collateral.Service does.
type Collateral interface {
	Notices(ctx context.Context, tenant, firmID string) ([]collateral.Notice, error)
}

// pledgeNotices are the receivables that the anchor now owes to a funder.
func (f face) pledgeNotices(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[collateral.Notice]], error) {
	list, err := f.Collateral.Notices(ctx, who.Tenant, who.FirmID)
	return route.Page(list, err, 0, func(n collateral.Notice) string { return n.AssetID })
}
