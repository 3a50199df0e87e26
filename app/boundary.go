package app

import (
	"context"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/geo/scene"
)

// suggest outlines fields by the newest scenes, on the season in which plots are
// judged.
func (a *App) suggest(pictures *images) func(ctx context.Context, at orb.Point) (boundary.Suggestion, error) {
	finder := boundary.New(func() *scene.Catalogue { return pictures.now.Load().scenes })
	return func(ctx context.Context, at orb.Point) (boundary.Suggestion, error) {
		return finder.Suggest(ctx, at, a.season())
	}
}
