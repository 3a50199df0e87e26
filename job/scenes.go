package job

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/riverqueue/river"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
)

// scenesArgs asks that the plots of a tenant be judged on the scenes that are new
// to them. Since tells apart the changes of the catalogue: each is worked once,
// however many processes see it.
type scenesArgs struct {
	Tenant string    `json:"tenant"`
	Since  time.Time `json:"since"`
}

func (scenesArgs) Kind() string { return "scenes" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (scenesArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// Scenes queues the reports that new scenes call for, for every tenant. since is
// when the catalogue of scenes last changed.
func (r *Runner[TTx]) Scenes(ctx context.Context, passes geo.Passes, since time.Time) error {
	tenants, err := passes.Tenants(ctx)
	for _, tenant := range tenants {
		if err == nil {
			err = r.insert(ctx, scenesArgs{tenant, since.UTC().Truncate(time.Millisecond)}, bulk)
		}
	}
	return err
}

// scenes queues the reports of exactly the plots beneath the new scenes. Scenes are
// marked last: a crash before it only asks for reports again, and those made since
// the scenes came are left out.
func (w Work) scenes(ctx context.Context, a scenesArgs, add func(context.Context, river.JobArgs, string) error) error {
	items, err := w.Scenes(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(items))
	byID := make(map[string]scene.Item, len(items))
	for i, it := range items {
		ids[i], byID[it.ID] = it.ID, it
	}
	fresh, err := w.Passes.NewScenes(ctx, a.Tenant, ids)
	if err != nil || len(fresh) == 0 {
		return err
	}
	due := map[string]bool{}
	done := map[orb.Bound]bool{} // scenes of one track lie on the same ground
	for _, id := range fresh {
		it := byID[id]
		if b := it.Footprint.Bound(); !done[b] {
			done[b] = true
			if err := w.beneath(ctx, a, it, due); err != nil {
				return err
			}
		}
	}
	season := w.Season()
	for some := range slices.Chunk(slices.Sorted(maps.Keys(due)), batch) {
		if err := add(ctx, reportArgs{a.Tenant, season.Start, season.End, some}, bulk); err != nil {
			return err
		}
	}
	return w.Passes.Passed(ctx, a.Tenant, fresh, a.Since)
}

// beneath adds the plots that a scene shows and whose report is older than it. A
// plot without any report has one on its way.
func (w Work) beneath(ctx context.Context, a scenesArgs, it scene.Item, due map[string]bool) error {
	bound := it.Footprint.Bound()
	for after := ""; ; {
		plots, err := w.Plots.Plots(ctx, a.Tenant, geo.PlotFilter{Bound: &bound, After: after, Limit: batch})
		if err != nil || len(plots) == 0 {
			return err
		}
		after = plots[len(plots)-1].ID
		var ids []string
		for _, p := range plots {
			if !due[p.ID] && geo.OverlapM2(p.Polygon, it.Footprint) > 0 {
				ids = append(ids, p.ID)
			}
		}
		reports, err := w.Plots.LatestReports(ctx, a.Tenant, ids)
		if err != nil {
			return err
		}
		for id, r := range reports {
			if r.MadeAt.Before(a.Since) {
				due[id] = true
			}
		}
	}
}
