package index

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/safe"
)

// product is a SAFE folder, or an archive of one.
type product struct {
	name   string // relative to the folder that is indexed
	abs    string
	zipped bool
}

var archive = regexp.MustCompile(`(?i)^S[12][A-D]_.*\.zip$`)

// archived says whether a file's name is that of a zipped product.
func archived(name string) bool { return archive.MatchString(name) }

// isProduct says whether a folder is a SAFE product, be it a broken one.
func isProduct(fsys fs.FS, name string) bool {
	if strings.EqualFold(path.Ext(name), ".safe") || safe.IsRadar(fsys) {
		return true
	}
	_, ok := safe.MetadataFile(fsys)
	return ok
}

// open returns the product's files and the name that GDAL puts before theirs.
func (p product) open() (fsys fs.FS, prefix string, done func(), err error) {
	if !p.zipped {
		return os.DirFS(p.abs), filepath.ToSlash(p.abs), func() {}, nil
	}
	z, err := zip.OpenReader(p.abs)
	if err != nil {
		return nil, "", nil, scene.ErrUnreadable.At("%s", p.abs).Because(err)
	}
	root := "."
	if tops, err := fs.ReadDir(z, "."); err == nil && len(tops) == 1 && tops[0].IsDir() {
		root = tops[0].Name()
	}
	if fsys, err = fs.Sub(z, root); err != nil {
		_ = z.Close()
		return nil, "", nil, scene.ErrUnreadable.At("%s", p.abs).Because(err)
	}
	return fsys, path.Join("/vsizip/{"+filepath.ToSlash(p.abs)+"}", root), func() { _ = z.Close() }, nil
}

// product adds the scenes of a SAFE product. What is wrong with it is refused by
// name; the error is that of the context.
func (ix *indexer) product(ctx context.Context, p product) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fsys, prefix, done, err := p.open()
	if err != nil {
		ix.refuse(p.name, err)
		return nil
	}
	defer done()
	if safe.IsRadar(fsys) {
		return ix.radar(ctx, p, fsys, prefix)
	}
	ix.optical(p, fsys, prefix)
	return nil
}

// sight tells which scenes show the same, and which of them is the later processing.
type sight struct {
	of                         string // datatake, datastrip and tile
	level, baseline, generated string
}

// optical adds the tiles of a Sentinel-2 product.
func (ix *indexer) optical(p product, fsys fs.FS, prefix string) {
	meta, images, missing, err := safe.OpenOptical(fsys)
	for _, m := range missing {
		ix.refuse(path.Join(p.name, m), scene.ErrUnreadable.Because(fs.ErrNotExist))
	}
	if err != nil {
		ix.refuse(p.name, err)
		return
	}
	tiles := map[string][]safe.Image{}
	for _, im := range images {
		tiles[im.Tile] = append(tiles[im.Tile], im)
	}
	for _, tile := range slices.Sorted(maps.Keys(tiles)) {
		id := meta.Name
		if len(tiles) > 1 {
			id += "_" + tile
		}
		if ix.items[id] != nil {
			ix.refuse(p.name, safe.ErrProduct.With("why", "the folder holds the product "+id+" twice; remove one"))
			continue
		}
		bands, err := ix.opticalBands(p, meta, tiles[tile], prefix)
		if err != nil {
			ix.refuse(p.name, err)
			continue
		}
		if meta.Level == "L2A" && bands["scl"].File == "" && slices.ContainsFunc(missing, func(m string) bool { return strings.Contains(m, "_SCL") }) {
			ix.refuse(p.name, errBlind)
			continue
		}
		if len(bands) == 0 {
			continue // every file of it is refused by name
		}
		ix.items[id] = &scene.Item{
			ID: id, Collection: "sentinel-2-" + strings.ToLower(meta.Level), Time: meta.Sensed, Orbit: meta.Orbit, Bands: bands,
		}
		ix.used["sentinel-2"] = true
		ix.sights[id] = sight{strings.Join([]string{meta.Datatake, meta.Datastrip, tile}, " "), meta.Level, meta.Baseline, meta.Generated}
	}
}

// errBlind keeps clouds from passing as ground.
var errBlind = safe.ErrProduct.With("why", "its scene classification is missing or damaged, and without it clouds would pass as ground; fetch the product again")

// opticalBands describes the bands of one tile. A damaged band is refused by name
// and left out; a damaged mask, or metadata that do not say what the numbers mean,
// make the whole tile an error.
func (ix *indexer) opticalBands(p product, meta safe.Optical, images []safe.Image, prefix string) (map[string]scene.Band, error) {
	bands := map[string]scene.Band{}
	for _, im := range images {
		file, name := path.Join(prefix, im.Path), path.Join(p.name, im.Path)
		ix.files[name] = true
		isMask := im.Band == "SCL" || im.Band == "CLASSI"
		list, err := ix.opticalBand(meta, im, file)
		switch {
		case errors.Is(err, scene.ErrOffset):
			delete(ix.files, name)
			return nil, err
		case err != nil && isMask:
			ix.refuse(name, err)
			return nil, errBlind
		case err != nil:
			ix.refuse(name, err)
			continue
		}
		for _, b := range list {
			bands[b.Key] = b
		}
	}
	return bands, nil
}

// classi names the bands of MSK_CLASSI, the cloud mask of L1C since baseline 04.00.
var classi = []struct {
	key   string
	class []scene.ClassOf
}{
	{"opaque_clouds", scene.CloudMask()},
	{"cirrus_clouds", scene.CloudMask()},
	{"snow_ice", []scene.ClassOf{{Value: 0, Name: "clear", Class: scene.Clear}, {Value: 1, Name: "snow", Class: scene.Snow}}},
}

// opticalBand opens an image and describes what is in it.
func (ix *indexer) opticalBand(meta safe.Optical, im safe.Image, file string) ([]scene.Band, error) {
	layers, err := layersIn(file)
	if err != nil {
		return nil, err
	}
	one := scene.Band{
		Name: im.Band, File: file, Index: 1, Scale: 1, Grid: layers[0].grid, DataType: layers[0].DataType, Kind: scene.Mask,
		Dilate: ix.cfg.Dilate,
	}
	switch im.Band {
	case "SCL":
		one.Key, one.Classes = "scl", scene.SCL()
		return []scene.Band{one}, nil
	case "CLDPRB":
		one.Key, one.Threshold = "clp", ix.cfg.CloudProbability
		if one.Threshold <= 0 {
			one.Kind, one.Dilate = scene.Other, 0
		}
		return []scene.Band{one}, nil
	case "CLASSI":
		if len(layers) != len(classi) {
			return nil, safe.ErrProduct.With("why", fmt.Sprintf("%s has %d bands instead of %d", path.Base(file), len(layers), len(classi)))
		}
		out := make([]scene.Band, len(classi))
		for i, c := range classi {
			out[i] = one
			out[i].Key, out[i].Name, out[i].Index, out[i].Classes = c.key, c.key, i+1, c.class
		}
		return out, nil
	}
	scale, offset, err := meta.Reflectance(im.Band)
	if err != nil {
		return nil, err
	}
	if one.DataType == "uint8" {
		return nil, scene.ErrEightBit.With("band", im.Band)
	}
	custom, nodata := scene.BandByName(im.Band), meta.NoData
	one.Key, one.Kind, one.Dilate = custom.Key, custom.Kind, 0
	one.Scale, one.Offset, one.NoData = scale, offset, &nodata
	return []scene.Band{one}, nil
}

// supersede keeps of every sight the latest processing: the higher level, then the
// later baseline, then the later run. The others stay in the catalogue, marked.
func (ix *indexer) supersede(items []scene.Item) {
	best := map[string]string{}
	for _, it := range items {
		s, ok := ix.sights[it.ID]
		if !ok {
			continue
		}
		if b, taken := best[s.of]; !taken || ix.sights[b].before(s) {
			best[s.of] = it.ID
		}
	}
	for i := range items {
		s, ok := ix.sights[items[i].ID]
		if by := best[s.of]; ok && by != items[i].ID {
			items[i].SupersededBy = by
			ix.res.Superseded = append(ix.res.Superseded, Superseded{items[i].ID, by})
		}
	}
}

func (s sight) before(t sight) bool {
	return cmp.Or(strings.Compare(s.level, t.level), strings.Compare(s.baseline, t.baseline), strings.Compare(s.generated, t.generated)) < 0
}
