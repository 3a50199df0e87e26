package index

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/stac"
)

// Title names a catalogue.
type Title struct{ ID, Title string }

// page is a document on its way to the disk.
type page struct {
	path string
	body []byte
}

// Write writes the catalogue of items into a folder. Every page is made before the
// first is written, each is written as a whole, and the catalogue's own page comes
// last. The error is [ErrOut].
func Write(dir string, title Title, items []scene.Item) error {
	out, err := filepath.Abs(dir)
	if err != nil {
		return ErrOut.At("%s", dir).Because(err)
	}
	pages, err := pagesOf(out, title, items)
	if err != nil {
		return ErrOut.At("%s", dir).Because(err)
	}
	for _, p := range pages {
		if err := writePage(p); err != nil {
			return ErrOut.At("%s", dir).Because(err)
		}
	}
	return nil
}

func pagesOf(out string, title Title, items []scene.Item) ([]page, error) {
	byCollection := map[string][]scene.Item{}
	for _, it := range items {
		byCollection[it.Collection] = append(byCollection[it.Collection], it)
	}
	root := stac.Catalog{
		Type: "Catalog", Version: stac.Version, ID: title.ID, Title: title.Title,
		Description: cmp.Or(title.Title, title.ID),
		Links:       []stac.Link{{Rel: "root", Href: "catalog.json", Type: "application/json"}},
	}
	// Files beside the catalogue are named relative to it, so that the folder can be
	// moved as a whole; others by their full path or address.
	href := func(file string) string {
		if rel, err := filepath.Rel(out, file); err == nil && filepath.IsLocal(rel) {
			return "../" + filepath.ToSlash(rel)
		}
		return filepath.ToSlash(scene.Href(file))
	}
	var pages []page
	add := func(path string, v any) error {
		body, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		pages = append(pages, page{path, append(body, '\n')})
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(byCollection)) {
		col := collectionOf(name, byCollection[name])
		for _, it := range byCollection[name] {
			if err := add(filepath.Join(out, name, it.ID+".json"), it.STAC(href)); err != nil {
				return nil, err
			}
			col.Links = append(col.Links, stac.Link{Rel: "item", Href: it.ID + ".json", Type: "application/geo+json"})
		}
		if err := add(filepath.Join(out, name, "collection.json"), col); err != nil {
			return nil, err
		}
		root.Links = append(root.Links, stac.Link{Rel: "child", Href: name + "/collection.json", Type: "application/json"})
	}
	return pages, add(filepath.Join(out, "catalog.json"), root)
}

func collectionOf(name string, items []scene.Item) stac.Catalog {
	col := stac.Catalog{
		Type: "Collection", Version: stac.Version, ID: name, Description: name, License: "proprietary", Extent: &stac.Extent{},
		Links: []stac.Link{
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

// writePage writes a page as a whole or not at all.
func writePage(p page) error {
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(p.path), ".furrow-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(p.body)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), p.path)
	}
	return err
}
