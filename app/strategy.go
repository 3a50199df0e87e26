package app

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
)

// decide has a policy decide as a tenant's house does.
func decide(_ context.Context, _ string, p *policy.Policy, ev credit.Evidence, prod product.Product, at time.Time) (credit.Decision, error) {
	return p.Decide(ev, prod, nil, at)
}
