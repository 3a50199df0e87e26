package scene

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/airbusgeo/godal"
	"golang.org/x/sync/errgroup"
)

// IndexConfig says what to index and where the catalogue goes.
type IndexConfig struct {
	Dir      string                // rasters, also in sub-folders; only read unless Out is the same
	Out      string                // folder of the catalogue; "" means Dir
	Layout   string                // "" or "auto", a name of [LayoutNames], or the path of a sidecar
	Progress func(done, total int) // items; may be nil
}

// IndexResult accounts for every raster of the folder: Files is Used plus Ignored
// plus the files of Refused.
type IndexResult struct {
	Layout  string         `json:"layout"` // what was used: a name, or a path
	Files   int            `json:"files"`
	Used    int            `json:"used"`
	Items   int            `json:"items"`
	Ignored []string       `json:"ignored"` // no pattern names them
	Refused []IndexRefusal `json:"refused"`
}

// IndexRefusal is a file that a pattern names but that cannot be used.
type IndexRefusal struct {
	File string `json:"file"`
	Why  string `json:"why"`
	Err  error  `json:"-"`
}

// Index writes the catalogue of a folder into the folder itself, by its sidecar or
// the first built-in layout that fits.
func Index(ctx context.Context, dir string, progress func(done, total int)) (IndexResult, error) {
	return IndexWith(ctx, IndexConfig{Dir: dir, Progress: progress})
}

// IndexWith writes a catalogue. A bad file is refused by name and the rest goes
// on; without a single item it is an error and nothing is written. The catalogue's
// own page is written last, so that an interrupted run leaves the old one.
func IndexWith(ctx context.Context, cfg IndexConfig) (IndexResult, error) {
	if cfg.Out == "" {
		cfg.Out = cfg.Dir
	}
	names, err := rasterFiles(ctx, cfg.Dir)
	if err != nil {
		return IndexResult{}, err
	}
	layout, which, err := chooseLayout(cfg.Dir, cfg.Layout, names)
	if err != nil {
		return IndexResult{}, err
	}
	ix := &indexer{dir: cfg.Dir, layout: layout, items: map[string]*Item{}, res: IndexResult{Layout: which, Files: len(names), Ignored: []string{}, Refused: []IndexRefusal{}}}
	for _, n := range names {
		if err := ctx.Err(); err != nil {
			return IndexResult{}, err
		}
		ix.file(n)
	}
	items, err := ix.survey(ctx, cfg.Progress)
	if err != nil {
		return IndexResult{}, err
	}
	ix.res.Items = len(items)
	ix.res.Used = ix.res.Files - len(ix.res.Ignored) - ix.refusedFiles()
	if len(items) == 0 {
		if len(ix.res.Refused) > 0 {
			return ix.res, fmt.Errorf("no scene could be used: %w", ix.res.Refused[0].Err)
		}
		return ix.res, ErrNoLayout.At("%s", cfg.Dir)
	}
	if err := writeCatalogue(cfg, layout, items); err != nil {
		return ix.res, ErrOut.At("%s", cfg.Out).Because(err)
	}
	return ix.res, nil
}

func rasterFiles(ctx context.Context, dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ext := strings.ToLower(filepath.Ext(path))
		if d.IsDir() || ext != ".tif" && ext != ".tiff" {
			return ctx.Err()
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		names = append(names, filepath.ToSlash(rel))
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrLayout.At("%s", dir).With("why", "there is no such folder")
	}
	return names, err
}

func chooseLayout(dir, want string, names []string) (Layout, string, error) {
	if want == "" || want == "auto" {
		sidecar := filepath.Join(dir, LayoutFile)
		if _, err := os.Stat(sidecar); err == nil {
			want = sidecar
		} else {
			for _, n := range LayoutNames() {
				l, err := builtinLayout(n)
				if err != nil {
					return Layout{}, "", err
				}
				for i := range l.Files {
					fits := func(name string) bool {
						_, _, _, ok := l.Files[i].match(name)
						return ok
					}
					if slices.ContainsFunc(names, fits) {
						return l, n, nil
					}
				}
			}
			return Layout{}, "", ErrNoLayout.At("%s", dir)
		}
	}
	if !strings.HasSuffix(want, ".json") {
		l, err := builtinLayout(want)
		return l, want, err
	}
	body, err := os.ReadFile(want)
	if err != nil {
		return Layout{}, "", ErrLayout.At("%s", want).With("why", "it cannot be read").Because(err)
	}
	l, err := ParseLayout(body)
	if err != nil {
		return Layout{}, "", fmt.Errorf("%s: %w", want, err)
	}
	return l, want, nil
}

type indexer struct {
	dir    string
	layout Layout
	items  map[string]*Item
	res    IndexResult
}

// refuse notes a file that cannot be used. Every refusal names its file.
func (ix *indexer) refuse(name string, err error) {
	if !strings.Contains(err.Error(), name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	ix.res.Refused = append(ix.res.Refused, IndexRefusal{File: name, Why: err.Error(), Err: err})
}

func (ix *indexer) refusedFiles() int {
	seen := map[string]bool{}
	for _, r := range ix.res.Refused {
		seen[r.File] = true
	}
	return len(seen)
}

// file adds the bands of one raster to their items.
func (ix *indexer) file(name string) {
	for i := range ix.layout.Files {
		rule := &ix.layout.Files[i]
		date, tile, band, ok := rule.match(name)
		if !ok {
			continue
		}
		if err := ix.add(rule, name, date, tile, band); err != nil {
			ix.refuse(name, err)
		}
		return
	}
	ix.res.Ignored = append(ix.res.Ignored, name)
}

func (ix *indexer) add(rule *LayoutRule, name, date, tile, band string) error {
	path, err := filepath.Abs(filepath.Join(ix.dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	var at time.Time
	var dates map[int]time.Time
	if rule.Dates == "" {
		if at, err = parseDate(date); err != nil {
			return err
		}
	} else if dates, err = readDates(filepath.Join(filepath.Dir(path), rule.Dates)); err != nil {
		return err
	}
	r, err := OpenRaster(path)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.complete(); err != nil {
		return err
	}
	type placed struct {
		at time.Time
		b  Band
	}
	var bands []placed
	for i, in := range r.Bands {
		b, ok, err := rule.band(i, band, in)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		b.File, b.Index, b.Grid = path, i+1, r.Grid
		when := at
		if dates != nil {
			if when, ok = dates[i+1]; !ok {
				return ErrLayout.With("why", fmt.Sprintf("%s has no row for band %d", rule.Dates, i+1))
			}
		}
		key := itemID(rule.Collection, tile, when)
		if it := ix.items[key]; it != nil {
			if other, taken := it.Bands[b.Key]; taken {
				return ErrLayout.With("why", fmt.Sprintf("band %s of %s is already given by %s", b.Key, key, filepath.Base(other.File)))
			}
		}
		if slices.ContainsFunc(bands, func(p placed) bool { return p.b.Key == b.Key && p.at.Equal(when) }) {
			return ErrLayout.With("why", fmt.Sprintf("band %s is in the file twice", b.Key))
		}
		bands = append(bands, placed{when, b})
	}
	// Only a file that is whole in every band enters the items.
	for _, p := range bands {
		id := itemID(rule.Collection, tile, p.at)
		it := ix.items[id]
		if it == nil {
			it = &Item{ID: id, Collection: rule.Collection, Time: p.at, Bands: map[string]Band{}}
			ix.items[id] = it
		}
		it.Bands[p.b.Key] = p.b
	}
	return nil
}

func readDates(path string) (map[int]time.Time, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ErrLayout.With("why", "its dates file cannot be read").Because(err)
	}
	defer func() { _ = f.Close() }()
	dates, err := parseDates(f)
	if err != nil {
		return nil, ErrLayout.At("%s", path).With("why", err.Error())
	}
	return dates, nil
}

func itemID(collection, tile string, at time.Time) string {
	stamp := at.Format("20060102T150405")
	stamp = strings.TrimSuffix(stamp, "T000000")
	if tile != "" {
		collection += "_" + tile
	}
	return collection + "_" + stamp
}

// complete checks that every block a TIFF promises lies within the file: a file
// cut short often opens well and fails only when its last rows are read.
func (r *Raster) complete() error {
	info, err := os.Stat(r.Path)
	if err != nil {
		return ErrUnreadable.At("%s", r.Path).Because(err)
	}
	for _, b := range r.bands {
		nx, ny := b.Structure().BlockCount()
		for y := range ny {
			for x := range nx {
				at := strconv.Itoa(x) + "_" + strconv.Itoa(y)
				offset, err := strconv.ParseInt(b.Metadata("BLOCK_OFFSET_"+at, godal.Domain("TIFF")), 10, 64)
				if err != nil {
					continue // a sparse block, or no TIFF
				}
				size, err := strconv.ParseInt(b.Metadata("BLOCK_SIZE_"+at, godal.Domain("TIFF")), 10, 64)
				if err != nil {
					continue
				}
				if offset+size > info.Size() {
					return ErrUnreadable.At("%s", r.Path).Because(fmt.Errorf("block %d,%d ends at byte %d, the file at %d", x, y, offset+size, info.Size()))
				}
			}
		}
		if r.ds.Metadata("INTERLEAVE", godal.Domain("IMAGE_STRUCTURE")) == "PIXEL" {
			break // the bands share their blocks
		}
	}
	return nil
}

// survey completes the items: grid, outline, and how much of them is cloud or
// blank. Items that turn out unusable are refused under the files they come from.
func (ix *indexer) survey(ctx context.Context, progress func(done, total int)) ([]Item, error) {
	ids := slices.Sorted(maps.Keys(ix.items))
	errs := make([]error, len(ids))
	var done atomic.Int64
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range ids {
		group.Go(func() error {
			errs[i] = ix.items[id].survey(gctx)
			if progress != nil {
				progress(int(done.Add(1)), len(ids))
			}
			return gctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var items []Item
	for i, id := range ids {
		if errs[i] == nil {
			items = append(items, *ix.items[id])
			continue
		}
		files := map[string]bool{}
		for _, b := range ix.items[id].Bands {
			files[b.File] = true
		}
		for _, f := range slices.Sorted(maps.Keys(files)) {
			if rel, err := filepath.Rel(ix.dir, f); err == nil {
				f = filepath.ToSlash(rel)
			}
			ix.refuse(f, fmt.Errorf("scene %s: %w", id, errs[i]))
		}
	}
	return items, nil
}

func (it *Item) survey(ctx context.Context) error {
	if err := it.settle(); err != nil {
		return ErrGrid.With("why", err.Error())
	}
	var err error
	if it.Footprint, err = it.Grid.Footprint(); err != nil {
		return err
	}
	var probe []string // one band stands for all that clouds hide: they are seen together
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		b := it.Bands[k]
		switch {
		case b.Kind == Mask:
			continue
		case len(probe) == 0, b.Kind.Hidden() && !it.Bands[probe[0]].Kind.Hidden():
			probe = []string{k}
		}
	}
	if len(probe) == 0 {
		return ErrLayout.With("why", "it has a mask but nothing to look at")
	}
	r, err := New(nil).Reader(*it, probe)
	if err != nil {
		return err
	}
	defer r.Close()
	var data, cloud float64
	const step = 512
	for y := 0; y < it.Grid.Height; y += step {
		for x := 0; x < it.Grid.Width; x += step {
			b, err := r.Read(ctx, Window{x, y, min(step, it.Grid.Width-x), min(step, it.Grid.Height-y)})
			if err != nil {
				return err
			}
			for i, v := range b.Bands[0] {
				if math.IsNaN(v) || b.Class[i] == NoData {
					continue
				}
				data++
				if b.Class[i] == Cloud {
					cloud++
				}
			}
		}
	}
	if data > 0 {
		it.CloudShare = cloud / data
	}
	it.DataShare = data / float64(it.Grid.Width) / float64(it.Grid.Height)
	return nil
}

func writeCatalogue(cfg IndexConfig, layout Layout, items []Item) error {
	byCollection := map[string][]Item{}
	for _, it := range items {
		byCollection[it.Collection] = append(byCollection[it.Collection], it)
	}
	out, err := filepath.Abs(cfg.Out)
	if err != nil {
		return err
	}
	root := stacCatalog{
		Type: "Catalog", Version: stacVersion, ID: layout.Collection, Title: layout.Title,
		Description: cmp.Or(layout.Title, layout.Collection),
		Links:       []stacLink{{Rel: "root", Href: "catalog.json", Type: "application/json"}},
	}
	for _, name := range slices.Sorted(maps.Keys(byCollection)) {
		dir := filepath.Join(out, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// Files beside the catalogue are named relative to it, so that the folder can
		// be moved as a whole; others by their full path.
		href := func(file string) string {
			if rel, err := filepath.Rel(out, file); err == nil && filepath.IsLocal(rel) {
				return "../" + filepath.ToSlash(rel)
			}
			return filepath.ToSlash(file)
		}
		col := collectionOf(name, byCollection[name])
		for _, it := range byCollection[name] {
			if err := writeJSON(filepath.Join(dir, it.ID+".json"), it.stac(href)); err != nil {
				return err
			}
			col.Links = append(col.Links, stacLink{Rel: "item", Href: it.ID + ".json", Type: "application/geo+json"})
		}
		if err := writeJSON(filepath.Join(dir, "collection.json"), col); err != nil {
			return err
		}
		root.Links = append(root.Links, stacLink{Rel: "child", Href: name + "/collection.json", Type: "application/json"})
	}
	return writeJSON(filepath.Join(out, "catalog.json"), root)
}

func collectionOf(name string, items []Item) stacCatalog {
	col := stacCatalog{
		Type: "Collection", Version: stacVersion, ID: name, Description: name, License: "proprietary", Extent: &stacExtent{},
		Links: []stacLink{
			{Rel: "root", Href: "../catalog.json", Type: "application/json"},
			{Rel: "parent", Href: "../catalog.json", Type: "application/json"},
		},
	}
	bound := items[0].Footprint.Bound()
	first, last := items[0].Time, items[0].Time
	for _, it := range items {
		bound = bound.Union(it.Footprint.Bound())
		if it.Time.Before(first) {
			first = it.Time
		}
		if it.Time.After(last) {
			last = it.Time
		}
	}
	col.Extent.Spatial.Bbox = [][4]float64{{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}}
	col.Extent.Temporal.Interval = [][2]string{{first.Format(time.RFC3339), last.Format(time.RFC3339)}}
	return col
}

// writeJSON writes a page as a whole or not at all.
func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".furrow-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(append(body, '\n'))
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	return err
}
