// Package index finds the scenes of a folder and writes their static STAC
// catalogue (docs/formats/stac.md): GeoTIFFs and other rasters named by a layout
// (docs/formats/scene-folder.md) and the SAFE products of Sentinel-1 and
// Sentinel-2, which say themselves what they hold.
package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Config says what to index and where the catalogue goes.
type Config struct {
	Dir      string                // rasters and products, also in sub-folders; only read unless Out is the same
	Out      string                // folder of the catalogue; "" means Dir
	Layout   string                // "" or "auto", a name of the sensors, or the path of a sidecar
	Sensors  Sensors               // nil means those of the binary
	Progress func(done, total int) // scenes; may be nil

	// CloudProbability, in per cent, makes the cloud probability of Sentinel-2 L2A a
	// mask beside its scene classification; 0 leaves it as the plain band clp.
	CloudProbability float64
	Dilate           float64 // metres by which the masks of SAFE products grow
}

// Result accounts for every raster of the folder: Files is Used plus Ignored plus
// the files of Refused. Of a SAFE product those rasters count that hold the finest
// pixels of a band, or a mask; coarser copies and pictures do not.
type Result struct {
	Layout     string       `json:"layout"` // what was used: names, or a path
	Files      int          `json:"files"`
	Used       int          `json:"used"`
	Items      int          `json:"items"`
	Ignored    []string     `json:"ignored"` // no pattern names them
	Refused    []Refusal    `json:"refused"`
	Superseded []Superseded `json:"superseded"`
}

// Refusal is a file that cannot be used though a pattern or a product names it.
type Refusal struct {
	File string `json:"file"`
	Why  string `json:"why"`
	Err  error  `json:"-"`
}

// Superseded is a scene that is kept but not looked at, since a later processing
// of the same sight is there.
type Superseded struct {
	Item string `json:"item"`
	By   string `json:"by"`
}

// Run writes a catalogue. A bad file is refused by name and the rest goes on;
// without a single scene it is an error. Nothing is written before every scene has
// been looked through, and the catalogue's own page is written last, so that an
// interrupted run leaves the old one.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Out == "" {
		cfg.Out = cfg.Dir
	}
	if cfg.Sensors == nil {
		var err error
		if cfg.Sensors, err = builtinSensors(); err != nil {
			return Result{}, err
		}
	}
	found, err := discover(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	layouts, err := chooseLayouts(cfg)
	if err != nil {
		return Result{}, err
	}
	ix := &indexer{
		cfg: cfg, layouts: layouts, items: map[string]*scene.Item{}, files: map[string]bool{}, used: map[string]bool{}, sights: map[string]sight{},
		res: Result{Ignored: []string{}, Refused: []Refusal{}, Superseded: []Superseded{}},
	}
	for _, n := range found.rasters {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		ix.file(n)
	}
	for _, p := range found.products {
		if err := ix.product(ctx, p); err != nil {
			return Result{}, err
		}
	}
	items, err := ix.survey(ctx)
	if err != nil {
		return Result{}, err
	}
	ix.supersede(items)
	ix.account(len(items))
	if len(items) == 0 {
		if len(ix.res.Refused) > 0 {
			return ix.res, fmt.Errorf("no scene could be used: %w", ix.res.Refused[0].Err)
		}
		return ix.res, ErrNoLayout.At("%s", cfg.Dir)
	}
	root := Title{ID: items[0].Collection}
	for _, l := range layouts {
		if ix.used[l.Name] {
			root = Title{ID: l.Collection, Title: l.Title}
			break
		}
	}
	return ix.res, Write(cfg.Out, root, items)
}

// discovered is what a folder holds, by name in order.
type discovered struct {
	rasters  []string // relative to the folder, with slashes
	products []product
}

var rasterExts = map[string]bool{".tif": true, ".tiff": true, ".jp2": true, ".hdf": true, ".nc": true}

// discover walks the folder. Folders and archives of SAFE products are not entered.
func discover(ctx context.Context, cfg Config) (discovered, error) {
	var d discovered
	radar, err := filepath.Abs(filepath.Join(cfg.Out, radarCollection))
	if err != nil {
		return d, err
	}
	err = filepath.WalkDir(cfg.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(cfg.Dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case e.IsDir() && abs == radar:
			return filepath.SkipDir // our own geocoded radar
		case e.IsDir() && isProduct(os.DirFS(path), e.Name()):
			d.products = append(d.products, product{name: rel, abs: abs})
			return filepath.SkipDir
		case e.IsDir():
			return nil
		case archived(e.Name()):
			d.products = append(d.products, product{name: rel, abs: abs, zipped: true})
		case rasterExts[strings.ToLower(filepath.Ext(path))]:
			d.rasters = append(d.rasters, rel)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return d, ErrLayout.At("%s", cfg.Dir).With("why", "there is no such folder")
	}
	return d, err
}

// chooseLayouts returns the layouts to try for every file, in order.
func chooseLayouts(cfg Config) ([]Layout, error) {
	want := cfg.Layout
	if want == "" || want == "auto" {
		sidecar := filepath.Join(cfg.Dir, LayoutFile)
		if _, err := os.Stat(sidecar); err != nil {
			return cfg.Sensors, nil
		}
		want = sidecar
	}
	if !strings.HasSuffix(want, ".json") {
		l, err := cfg.Sensors.find(want)
		return []Layout{l}, err
	}
	body, err := os.ReadFile(want)
	if err != nil {
		return nil, ErrLayout.At("%s", want).With("why", "it cannot be read").Because(err)
	}
	l, err := ParseLayout(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", want, err)
	}
	l.Name = want
	return []Layout{l}, nil
}

type indexer struct {
	cfg     Config
	layouts []Layout
	items   map[string]*scene.Item
	files   map[string]bool  // that a pattern or a product names
	used    map[string]bool  // layouts, and kinds of products
	sights  map[string]sight // by item, of products
	res     Result
}

// refuse notes a file that cannot be used. Every refusal names its file.
func (ix *indexer) refuse(name string, err error) {
	if !strings.Contains(err.Error(), name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	ix.files[name] = true
	ix.res.Refused = append(ix.res.Refused, Refusal{File: name, Why: err.Error(), Err: err})
}

// account fills in the counts.
func (ix *indexer) account(items int) {
	refused := map[string]bool{}
	for _, r := range ix.res.Refused {
		refused[r.File] = true
	}
	ix.res.Items = items
	ix.res.Files = len(ix.files) + len(ix.res.Ignored)
	ix.res.Used = len(ix.files) - len(refused)
	var names []string
	for _, l := range ix.layouts {
		if ix.used[l.Name] {
			names = append(names, l.Name)
		}
	}
	for _, kind := range []string{"sentinel-2", "sentinel-1"} {
		if ix.used[kind] {
			names = append(names, kind)
		}
	}
	ix.res.Layout = strings.Join(names, ",")
}

// file adds the bands of one raster to their items.
func (ix *indexer) file(name string) {
	for l := range ix.layouts {
		for i := range ix.layouts[l].Files {
			rule := &ix.layouts[l].Files[i]
			date, tile, band, ok := rule.match(name)
			if !ok {
				continue
			}
			switch n, err := ix.add(rule, name, date, tile, band); {
			case err != nil:
				ix.refuse(name, err)
			case n == 0: // the layout leaves out all it holds
				ix.res.Ignored = append(ix.res.Ignored, name)
				return
			}
			ix.files[name] = true
			ix.used[ix.layouts[l].Name] = true
			return
		}
	}
	ix.res.Ignored = append(ix.res.Ignored, name)
}

// placed is a band with the item it belongs to.
type placed struct {
	id string
	at time.Time
	b  scene.Band
}

// add puts the bands of a file into their items and returns how many there are.
// Only a file that is whole in every band enters them.
func (ix *indexer) add(rule *Rule, name, date, tile, band string) (int, error) {
	path, err := filepath.Abs(filepath.Join(ix.cfg.Dir, filepath.FromSlash(name)))
	if err != nil {
		return 0, err
	}
	var at time.Time
	var dates map[int]time.Time
	if rule.Dates == "" {
		if at, err = parseDate(date); err != nil {
			return 0, err
		}
	} else if dates, err = readDates(filepath.Join(filepath.Dir(path), rule.Dates)); err != nil {
		return 0, err
	}
	layers, err := layersOf(path)
	if err != nil {
		return 0, err
	}
	var bands []placed
	for i, in := range layers {
		b, ok, err := rule.band(i, band, in.RasterBand)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		b.File, b.Index, b.Grid = in.file, in.index, in.grid
		when := at
		if dates != nil {
			if when, ok = dates[i+1]; !ok {
				return 0, ErrLayout.With("why", fmt.Sprintf("%s has no row for band %d", rule.Dates, i+1))
			}
		}
		id := itemID(rule.Collection, tile, when)
		if it := ix.items[id]; it != nil {
			if other, taken := it.Bands[b.Key]; taken {
				return 0, ErrLayout.With("why", fmt.Sprintf("band %s of %s is already given by %s", b.Key, id, filepath.Base(other.File)))
			}
		}
		if slices.ContainsFunc(bands, func(p placed) bool { return p.b.Key == b.Key && p.id == id }) {
			return 0, ErrLayout.With("why", fmt.Sprintf("band %s is in the file twice", b.Key))
		}
		bands = append(bands, placed{id, when, b})
	}
	for _, p := range bands {
		it := ix.items[p.id]
		if it == nil {
			it = &scene.Item{ID: p.id, Collection: rule.Collection, Time: p.at, Bands: map[string]scene.Band{}}
			ix.items[p.id] = it
		}
		it.Bands[p.b.Key] = p.b
	}
	return len(bands), nil
}

// layer is one band of a file, or of a layer within a container such as HDF.
type layer struct {
	scene.RasterBand
	file  string
	index int
	grid  scene.Grid
}

// layersOf opens a file and lists what is in it.
func layersOf(path string) ([]layer, error) {
	names, err := subdatasets(path)
	if err != nil {
		return nil, scene.ErrUnreadable.At("%s", path).Because(err)
	}
	if len(names) == 0 {
		return layersIn(path)
	}
	var out []layer
	for _, n := range names {
		in, err := layersIn(n)
		if errors.Is(err, scene.ErrGrid) {
			continue // a table or an axis beside the images
		}
		if err != nil {
			return nil, err
		}
		for i := range in { // told by the name of the layer, which the producer documents
			in[i].Description = strings.Trim(n[strings.LastIndex(n, ":")+1:], `"`)
		}
		out = append(out, in...)
	}
	return out, nil
}

func layersIn(path string) ([]layer, error) {
	r, err := scene.OpenRaster(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.Complete(); err != nil {
		return nil, err
	}
	out := make([]layer, len(r.Bands))
	for i, b := range r.Bands {
		out[i] = layer{b, path, i + 1, r.Grid}
	}
	return out, nil
}

// subdatasets lists the layers of an HDF or netCDF file by their GDAL names.
func subdatasets(path string) ([]string, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".hdf", ".nc":
	default:
		return nil, nil
	}
	return scene.Subdatasets(path)
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

// survey completes the items: grid, outline, and how much of them is cloud or
// blank. Items that turn out unusable are refused under the files they come from.
func (ix *indexer) survey(ctx context.Context) ([]scene.Item, error) {
	ids := slices.Sorted(maps.Keys(ix.items))
	errs := make([]error, len(ids))
	var done atomic.Int64
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range ids {
		group.Go(func() error {
			errs[i] = survey(gctx, ix.items[id])
			if ix.cfg.Progress != nil {
				ix.cfg.Progress(int(done.Add(1)), len(ids))
			}
			return gctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var items []scene.Item
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
			ix.refuse(ix.relative(f), fmt.Errorf("scene %s: %w", id, errs[i]))
		}
	}
	return items, nil
}

// relative is the name of a file below the folder.
func (ix *indexer) relative(file string) string {
	dir, err := filepath.Abs(ix.cfg.Dir)
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// survey reads one band for all that clouds hide, as they are seen together, and
// the masks. It takes the coarsest such band, so that large products stay quick.
func survey(ctx context.Context, it *scene.Item) error {
	if err := it.Settle(); err != nil {
		return scene.ErrGrid.With("why", err.Error())
	}
	var err error
	if it.Footprint, err = it.Grid.Footprint(); err != nil {
		return err
	}
	var probe string
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		b, best := it.Bands[k], it.Bands[probe]
		switch {
		case b.Kind == scene.Mask:
		case probe == "", b.Kind.Hidden() && !best.Kind.Hidden(),
			b.Kind.Hidden() && b.Grid.PixelM2() > best.Grid.PixelM2():
			probe = k
		}
	}
	if probe == "" {
		return ErrLayout.With("why", "it has a mask but nothing to look at")
	}
	small := scene.Item{ID: it.ID, Bands: map[string]scene.Band{probe: it.Bands[probe]}}
	for _, m := range it.Masks() {
		small.Bands[m.Key] = m
	}
	if err := small.Settle(); err != nil {
		return err
	}
	r, err := scene.New(nil).Reader(small, []string{probe})
	if err != nil {
		return err
	}
	defer r.Close()
	var data, cloud float64
	const step = 1024 // of the blocks of Sentinel-2 tiles
	g := small.Grid
	for y := 0; y < g.Height; y += step {
		for x := 0; x < g.Width; x += step {
			b, err := r.Read(ctx, scene.Window{X: x, Y: y, W: min(step, g.Width-x), H: min(step, g.Height-y)})
			if err != nil {
				return err
			}
			for i, v := range b.Bands[0] {
				if math.IsNaN(v) || b.Class[i] == scene.NoData {
					continue
				}
				data++
				if b.Class[i] == scene.Cloud {
					cloud++
				}
			}
		}
	}
	if data > 0 {
		it.CloudShare = cloud / data
	}
	it.DataShare = data / float64(g.Width) / float64(g.Height)
	return nil
}
