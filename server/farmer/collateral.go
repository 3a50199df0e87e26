package farmer

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Collateral is what a borrower sees and asks of what is pledged; collateral.Service is one.
type Collateral interface {
	Picture(ctx context.Context, who access.Actor, applicationID string) (collateral.Picture, error)
	Plan(ctx context.Context, who access.Actor, applicationID string, pay money.Fen, ids []string) (collateral.ReleasePlan, error)
	Do(ctx context.Context, who access.Actor, applicationID, key string, a collateral.PoolAct) (collateral.Answer, error)
}

func (f face) registerCollateral(a *route.API, op func(id, method, path, summary string) route.Op) {
	const one = "/applications/{id}/collateral"
	route.Register(a, op("collateral", http.MethodGet, one, "What I pledged, and what may leave now"), f.collateral)
	route.Register(a, op("collateral-plan", http.MethodGet, one+"/plan", "What repaying an amount frees, and what I must repay for things to be free"), f.collateralPlan)
	route.Register(a, op("collateral-release", http.MethodPost, one+"/release", "Ask for things to be released: done, to be confirmed by the bank, or refused with what must be repaid first"),
		f.collateralRelease)
}

func (f face) collateral(ctx context.Context, who access.Actor, in *ByID) (*route.Body[collateral.Picture], error) {
	return route.Answer(f.Collateral.Picture(ctx, who, in.ID))
}

type collateralPlanIn struct {
	ByID
	Pay    money.Fen `query:"pay" minimum:"0" doc:"fen to repay"`
	Assets []string  `query:"assets" maxItems:"500" doc:"ids of things that shall leave"`
}

func (f face) collateralPlan(ctx context.Context, who access.Actor, in *collateralPlanIn) (*route.Body[collateral.ReleasePlan], error) {
	return route.Answer(f.Collateral.Plan(ctx, who, in.ID, in.Pay, in.Assets))
}

type collateralReleaseIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each request, the same one for each retry"`
	Body struct {
		Assets []string `json:"assets" minItems:"1" maxItems:"1000"`
		Note   string   `json:"note,omitempty" maxLength:"500"`
	}
}

func (f face) collateralRelease(ctx context.Context, who access.Actor, in *collateralReleaseIn) (*route.Body[collateral.Answer], error) {
	return route.Answer(f.Collateral.Do(ctx, who, in.ID, in.Key, collateral.PoolAct{Kind: collateral.Release, Assets: in.Body.Assets, Note: in.Body.Note}))
}
