package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/geo/scene/safe"
	"github.com/furrowcredit/furrow/geo/scene/stac"
)

// Result accounts for every item that the API names: Found is Items plus the
// number of Refused.
type Result struct {
	Found      int                `json:"found"`
	Items      int                `json:"items"`
	Refused    []Refusal          `json:"refused"`
	Superseded []index.Superseded `json:"superseded"`
}

// Refusal is an item that cannot be read.
type Refusal struct {
	Item string `json:"item"`
	Why  string `json:"why"`
	Err  error  `json:"-"`
}

// ErrNothing is returned when no scene can be used.
var ErrNothing = ErrQuery.With("why", "no scene answers it; widen the box, the days or the collections")

// Save asks for scenes and writes those that can be read as a static catalogue into
// dir. What an item leaves out is filled in from its product metadata and from the
// heads of its files; one that stays unclear is refused by name and the rest goes on.
func (c *Client) Save(ctx context.Context, q Query, dir string) (Result, error) {
	found, err := c.Items(ctx, q)
	if err != nil {
		return Result{}, err
	}
	res := Result{Found: len(found), Refused: []Refusal{}, Superseded: []index.Superseded{}}
	var items []scene.Item
	var about []stac.Properties
	taken := map[string]string{} // ids, with their collection
	for _, s := range found {
		it, err := c.item(ctx, &s)
		if other, ok := taken[s.ID]; ok && err == nil {
			err = fmt.Errorf("collection %s has a scene of the same id; search one collection at a time", other)
		}
		if ctx.Err() != nil {
			return res, ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", s.ID, err)
			res.Refused = append(res.Refused, Refusal{s.ID, err.Error(), err})
			continue
		}
		taken[s.ID] = s.Collection
		items, about = append(items, it), append(about, s.Properties)
	}
	if len(items) == 0 {
		if len(res.Refused) > 0 {
			return res, fmt.Errorf("no scene could be used: %w", res.Refused[0].Err)
		}
		return res, ErrNothing
	}
	supersede(items, about, &res)
	res.Items = len(items)
	return res, index.Write(dir, index.Title{ID: "search", Title: "Scenes found at " + c.API}, items)
}

// plain keeps ids out of the way of paths: they become names of files.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$`)

// item makes a scene of what the API says of it.
func (c *Client) item(ctx context.Context, s *stac.Item) (scene.Item, error) {
	if !plain.MatchString(s.ID) || !plain.MatchString(s.Collection) || s.ID == "collection" || s.Collection == "catalog.json" {
		return scene.Item{}, errors.New("its id and collection cannot be names of files")
	}
	if err := c.absolute(s); err != nil {
		return scene.Item{}, err
	}
	if err := c.fromProduct(ctx, s); err != nil {
		return scene.Item{}, err
	}
	if err := fromFiles(s); err != nil {
		return scene.Item{}, err
	}
	return scene.ItemOf(*s, "")
}

// absolute turns links of assets that are relative to the item into addresses.
func (c *Client) absolute(s *stac.Item) error {
	base, err := url.Parse(c.API)
	if err != nil {
		return err
	}
	for _, l := range s.Links {
		if l.Rel == "self" {
			if base, err = base.Parse(l.Href); err != nil {
				return fmt.Errorf("its own link %q: %w", l.Href, err)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Assets)) {
		a := s.Assets[k]
		if strings.HasPrefix(a.Href, "s3://") {
			continue
		}
		u, err := base.Parse(a.Href)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			delete(s.Assets, k) // a file of the API's own machine, or of a store that is not read
			continue
		}
		a.Href = u.String()
		s.Assets[k] = a
	}
	return nil
}

// sentinel2 is the name of a band as the product metadata know it.
var sentinel2 = regexp.MustCompile(`^B(0[1-9]|1[0-2]|8A)$`)

// fromProduct fills in scale and offset of Sentinel-2 items that leave them out, from
// the metadata file that the producer delivers with every product.
func (c *Client) fromProduct(ctx context.Context, s *stac.Item) error {
	var meta *safe.Optical
	for _, k := range slices.Sorted(maps.Keys(s.Assets)) {
		a := s.Assets[k]
		names, layers := a.Both()
		changed := false
		for i := range names {
			band := bandName(names[i].Name, k)
			if band == "" || a.Picture() || layers[i].Scale != nil || strings.HasPrefix(layers[i].DataType, "float") {
				continue
			}
			if meta == nil {
				var err error
				if meta, err = c.product(ctx, s.Assets); err != nil || meta == nil {
					return err
				}
			}
			scale, offset, err := meta.Reflectance(band)
			if err != nil {
				return err
			}
			noData := stac.Number(meta.NoData)
			layers[i].Scale, layers[i].Offset, changed = &scale, &offset, true
			if layers[i].NoData == nil {
				layers[i].NoData = &noData
			}
		}
		if changed {
			a.EO, a.Raster, a.Bands = names, layers, nil
			s.Assets[k] = a
		}
	}
	return nil
}

func bandName(names ...string) string {
	for _, n := range names {
		if n, _, _ = strings.Cut(n, "_"); sentinel2.MatchString(n) {
			return n
		}
	}
	return ""
}

// product reads the metadata of the product that an item was made of; nil where no
// asset is that file or it lies in a store.
func (c *Client) product(ctx context.Context, assets map[string]stac.Asset) (*safe.Optical, error) {
	for _, k := range slices.Sorted(maps.Keys(assets)) {
		u, err := url.Parse(assets[k].Href)
		if err != nil || u.Scheme == "s3" {
			continue
		}
		if name := path.Base(u.Path); name != "MTD_MSIL2A.xml" && name != "MTD_MSIL1C.xml" {
			continue
		}
		body, err := c.ask(ctx, request{method: http.MethodGet, url: assets[k].Href})
		if err != nil {
			return nil, err
		}
		p, err := safe.ParseOptical(bytes.NewReader(body))
		return &p, err
	}
	return nil, nil
}

// fromFiles fills in the grids and types that an item leaves out, from the heads of
// its files.
func fromFiles(s *stac.Item) error {
	for _, k := range slices.Sorted(maps.Keys(s.Assets)) {
		a := s.Assets[k]
		g := a.Within(s.Properties.Grid)
		if len(a.EO)+len(a.Raster)+len(a.Bands) == 0 || a.Picture() || g.CRS() != "" && len(g.Shape) == 2 && len(g.Transform) >= 6 {
			continue
		}
		r, err := scene.OpenRaster(scene.Path(a.Href, ""))
		if err != nil {
			return fmt.Errorf("asset %s: %w", k, err)
		}
		t := r.Grid.Transform
		a.Grid = stac.Grid{
			WKT: r.Grid.CRS, Shape: []int{r.Grid.Height, r.Grid.Width},
			Transform: []float64{t[1], t[2], t[0], t[4], t[5], t[3]},
		}
		if code, ok := strings.CutPrefix(r.Grid.CRS, "EPSG:"); ok {
			if n, err := strconv.Atoi(code); err == nil {
				a.EPSG, a.WKT = &n, ""
			}
		}
		names, layers := a.Both()
		for i := range layers {
			if layers[i].DataType == "" && i < len(r.Bands) {
				layers[i].DataType = r.Bands[i].DataType
			}
		}
		r.Close()
		a.EO, a.Raster, a.Bands = names, layers, nil
		s.Assets[k] = a
	}
	return nil
}

// supersede marks, of Sentinel-2 items of the same tile and time, all but the one of
// the latest baseline.
func supersede(items []scene.Item, about []stac.Properties, res *Result) {
	best := map[string]int{}
	sight := func(i int) string {
		if about[i].Tile == "" || about[i].Baseline == "" {
			return ""
		}
		return items[i].Collection + " " + about[i].Tile + " " + items[i].Time.String()
	}
	for i := range items {
		k := sight(i)
		if b, taken := best[k]; !taken || about[b].Baseline < about[i].Baseline {
			best[k] = i
		}
	}
	for i := range items {
		k := sight(i)
		if b := best[k]; k != "" && b != i {
			items[i].SupersededBy = items[b].ID
			res.Superseded = append(res.Superseded, index.Superseded{Item: items[i].ID, By: items[b].ID})
		}
	}
}
