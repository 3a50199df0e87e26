package geo

import (
	"context"
	"time"
)

// Passes remembers which satellite scenes have been passed on to the plots beneath
// them. Implemented in store/pass.
type Passes interface {
	// Tenants lists those who have plots.
	Tenants(ctx context.Context) ([]string, error)
	// NewScenes returns those of the scene ids that the tenant's plots have not been
	// judged on, in their order.
	NewScenes(ctx context.Context, tenant string, ids []string) ([]string, error)
	// Passed marks scenes; one that is marked already stays.
	Passed(ctx context.Context, tenant string, ids []string, at time.Time) error
}
