package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/tile"
	"github.com/furrowcredit/furrow/server/view"
)

// lookEvery is how often the catalogue of scenes is looked at for a change.
const lookEvery = 30 * time.Second

// everyLook ticks until ctx ends.
func everyLook(ctx context.Context) <-chan time.Time {
	tick := time.NewTicker(lookEvery)
	context.AfterFunc(ctx, tick.Stop)
	return tick.C
}

// images is what is made from the scenes. A catalogue never changes; when its
// folder does, everything is made anew and exchanged at once.
type images struct {
	a     *App
	crops *crop.Catalogue
	model []report.Option // the trained model, where there is one
	plots geo.Store
	now   atomic.Pointer[imagesOf]
	mu    sync.Mutex // one refresh at a time
}

// imagesOf is one state of the catalogue.
type imagesOf struct {
	scenes  *scene.Catalogue
	since   time.Time // when the catalogue was written
	reports *report.Maker
	tiles   *tile.Renderer
}

func newImages(a *App, crops *crop.Catalogue, plots geo.Store) (*images, error) {
	m := &images{a: a, crops: crops, plots: plots}
	if file := a.cfg.CropModel; file != "" {
		trained, err := model.Open(file)
		if err != nil {
			return nil, err
		}
		m.model = append(m.model, report.WithModel(trained.Name(), trained))
	}
	return m, m.refresh()
}

// refresh reads the catalogue when it was written again. A house without scenes
// works, and says unknown.
func (m *images) refresh() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.now.Load()
	info, err := os.Stat(filepath.Join(m.a.cfg.Scenes, "catalog.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if old == nil {
			m.a.cfg.Log.Warn("no scenes: every plot is unknown", "folder", m.a.cfg.Scenes)
			m.set(scene.New(nil), time.Time{})
		}
		return nil
	case err != nil:
		return err
	case old != nil && info.ModTime().Equal(old.since):
		return nil
	}
	c, err := scene.Open(m.a.cfg.Scenes)
	if err != nil {
		return err
	}
	m.set(c, info.ModTime())
	return nil
}

func (m *images) set(c *scene.Catalogue, since time.Time) {
	m.now.Store(&imagesOf{
		scenes: c, since: since,
		reports: report.New(c, m.crops, m.a.cfg.Now, m.model...),
		tiles:   tile.New(tile.Config{Scenes: c, Fields: m.fields, Crops: cropKinds(m.crops), Now: m.a.cfg.Now}),
	})
}

// watch looks for new scenes at each tick of looks and has the plots beneath them
// judged again, until ctx ends. A catalogue that cannot be read is logged; the one
// before it stays.
func (m *images) watch(ctx context.Context, passes geo.Passes, looks <-chan time.Time) error {
	var queued time.Time // the state whose plots are on their way; a job may see a newer one first
	for {
		err := m.refresh()
		if since := m.now.Load().since; err == nil && !since.Equal(queued) {
			if err = m.a.runner.Scenes(ctx, passes, since); err == nil {
				queued = since
			}
		}
		if err != nil && ctx.Err() == nil {
			m.a.cfg.Log.Error("scenes", "folder", m.a.cfg.Scenes, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-looks:
		}
	}
}

// items are the scenes that there are now, for the jobs: another process may have
// seen the catalogue change first.
func (m *images) items(context.Context) ([]scene.Item, error) {
	err := m.refresh()
	return m.now.Load().scenes.Items(), err
}

// Make makes reports from the newest scenes.
func (m *images) Make(ctx context.Context, plots []geo.Plot, season geo.Season) ([]geo.CropReport, error) {
	return m.now.Load().reports.Make(ctx, plots, season)
}

// Draw draws a map tile from the newest scenes.
func (m *images) Draw(ctx context.Context, r tile.Request) ([]byte, error) {
	return m.now.Load().tiles.Draw(ctx, r)
}

// Legend explains a layer.
func (m *images) Legend(l tile.Layer) ([]tile.Entry, error) { return m.now.Load().tiles.Legend(l) }

// changed forgets the tiles that show an older report.
func (m *images) changed(tenant string) { m.now.Load().tiles.Changed(tenant) }

// fields visits the plots of a tile with their reports.
func (m *images) fields(ctx context.Context, tenant string, b orb.Bound, visit func(tile.Field) error) error {
	const page = 500
	for after := ""; ; {
		plots, err := m.plots.Plots(ctx, tenant, geo.PlotFilter{Bound: &b, After: after, Limit: page})
		if err != nil || len(plots) == 0 {
			return err
		}
		after = plots[len(plots)-1].ID
		ids := make([]string, len(plots))
		for i, p := range plots {
			ids[i] = p.ID
		}
		reports, err := m.plots.LatestReports(ctx, tenant, ids)
		if err != nil {
			return err
		}
		for _, p := range plots {
			f := tile.Field{Polygon: p.Polygon}
			if r, ok := reports[p.ID]; ok {
				f.Report = &r
			}
			if err := visit(f); err != nil {
				return err
			}
		}
		if len(plots) < page {
			return nil
		}
	}
}

func cropKinds(c *crop.Catalogue) []tile.Kind {
	var out []tile.Kind
	for _, k := range c.Crops() {
		out = append(out, tile.Kind{Code: k.Code, Group: k.Group})
	}
	return out
}

// list gives the scenes to the faces, the newest first.
func (m *images) list() []view.Scene {
	items := m.now.Load().scenes.Items()
	out := make([]view.Scene, 0, len(items))
	for i := len(items) - 1; i >= 0; i-- { // the catalogue is in time order
		it := items[i]
		b := it.Footprint.Bound()
		out = append(out, view.Scene{
			ID: it.ID, Date: it.Time, Collection: it.Collection, CloudShare: it.CloudShare,
			BBox: [4]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]},
		})
	}
	return out
}
