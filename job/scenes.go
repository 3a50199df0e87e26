package job

import (
	"context"
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
// marked last: a crash before it only looks for such plots again, and those whose
// report knows the scenes already are left out.
func (w Work) scenes(ctx context.Context, a scenesArgs, add func(context.Context, river.JobArgs, string) error) error {
	items, err := w.Scenes(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	ids, err = w.Passes.NewScenes(ctx, a.Tenant, ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	season := w.Season()
	fresh := slices.DeleteFunc(slices.Clone(items), func(it scene.Item) bool { return !slices.Contains(ids, it.ID) })
	for _, it := range fresh {
		if it.Time.After(season.End) { // its day has not come: a later season will hold it
			ids = slices.DeleteFunc(ids, func(id string) bool { return id == it.ID })
		}
	}
	due, err := w.beneath(ctx, a.Tenant, fresh, season)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(due, batch) {
		if err := add(ctx, reportArgs{a.Tenant, season.Start, season.End, some}, bulk); err != nil {
			return err
		}
	}
	return w.Passes.Passed(ctx, a.Tenant, ids, a.Since)
}

// beneath lists the plots that one of the scenes of a season shows and whose report
// does not know it. A plot without any report has one on its way.
func (w Work) beneath(ctx context.Context, tenant string, items []scene.Item, season geo.Season) ([]string, error) {
	var bound orb.Bound
	var shown []scene.Item
	for _, it := range items {
		if len(it.Footprint) == 0 || it.Time.Before(season.Start) || it.Time.After(season.End) {
			continue
		}
		if len(shown) == 0 {
			bound = it.Footprint.Bound()
		}
		bound = bound.Union(it.Footprint.Bound())
		shown = append(shown, it)
	}
	if len(shown) == 0 {
		return nil, nil
	}
	var due []string
	for after := ""; ; {
		plots, err := w.Plots.Plots(ctx, tenant, geo.PlotFilter{Bound: &bound, After: after, Limit: batch})
		if err != nil || len(plots) == 0 {
			return due, err
		}
		after = plots[len(plots)-1].ID
		ids := make([]string, len(plots))
		for i, p := range plots {
			ids[i] = p.ID
		}
		reports, err := w.Plots.LatestReports(ctx, tenant, ids)
		if err != nil {
			return nil, err
		}
		for _, p := range plots {
			if r, ok := reports[p.ID]; ok && slices.ContainsFunc(shown, func(it scene.Item) bool { return !slices.Contains(r.Scenes, it.ID) && shows(it, p) }) {
				due = append(due, p.ID)
			}
		}
	}
}

func shows(it scene.Item, p geo.Plot) bool {
	return it.Footprint.Bound().Intersects(p.Polygon.Bound()) && geo.OverlapM2(p.Polygon, it.Footprint) > 0
}
