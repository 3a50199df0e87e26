// Package scene turns satellite files into a static STAC catalogue and reads
// their pixels back as physical values: reflectance, decibel, index, with clouds
// told apart from snow and from nothing at all.
//
// A catalogue is a folder of JSON files (docs/formats/stac.md) that [Open] reads;
// packages index and search write it. Scale, offset and nodata come from metadata,
// never from a date: a Sentinel-2 product says itself which offset it carries.
package scene

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with scenes.
var (
	ErrUnreadable = fault.New(fault.Invalid, "scene.unreadable", "the raster cannot be read: it is missing, cut short or damaged; copy it again")
	ErrCatalogue  = fault.New(fault.Invalid, "scene.catalogue", "this is not a readable STAC catalogue; write it with furrow scene index")
	ErrNoScale    = fault.New(fault.Invalid, "scene.no_scale", "band {band} holds integers and nothing says their scale and offset; state them in furrow-scenes.json")
	ErrNoBand     = fault.New(fault.NotFound, "scene.no_band", "the scene has no band {band}")
	ErrNoItem     = fault.New(fault.NotFound, "scene.no_item", "there is no scene {id}")
	ErrEightBit   = fault.New(fault.Invalid, "scene.eight_bit", "band {band} holds numbers of 8 bits: that is a picture for eyes, not reflectance; use the product's own band files")
	ErrOffset     = fault.New(fault.Invalid, "scene.offset", "product {product} of baseline {baseline} does not state {element}, without which its reflectance may be wrong by 0.1; fetch its metadata again")
	ErrGrid       = fault.New(fault.Invalid, "scene.grid", "the raster has no usable position on the earth: {why}")
)

// Kind says what a band measures, and so which masks concern it.
type Kind string

// The kinds of bands. Clouds hide optical and index bands; radar sees through.
const (
	Optical Kind = "optical" // reflectance
	Derived Kind = "index"   // computed from optical bands, such as NDVI
	Radar   Kind = "radar"   // backscatter in dB
	Mask    Kind = "mask"    // classes of pixels, see Band.Classes
	Other   Kind = "other"   // terrain, weather
)

// Hidden says whether clouds hide bands of the kind.
func (k Kind) Hidden() bool { return k == Optical || k == Derived }

// Transform says how a stored number becomes the physical value.
type Transform string

// The transforms.
const (
	Linear  Transform = ""     // number × scale + offset
	Decibel Transform = "db20" // 20·log10(number × scale) + offset, of amplitudes; numbers ≤ 0 are no data
)

// Item is what one satellite saw at one time.
type Item struct {
	ID         string
	Collection string
	Time       time.Time
	Footprint  orb.Polygon // WGS84
	Grid       Grid        // the finest of its bands; blocks are read on it
	Bands      map[string]Band
	CloudShare float64 // of the pixels that hold data, 0..1; 0 when no mask tells
	DataShare  float64 // of the grid that holds data, 0..1
	// SupersededBy is the id of a later processing of the same sight, "" for the one
	// that holds.
	SupersededBy string
	Orbit        string // "descending 65": pass and relative orbit; "" when not stated
}

// Has says whether the item has every one of the bands.
func (it Item) Has(keys ...string) bool {
	for _, k := range keys {
		if _, ok := it.Bands[k]; !ok {
			return false
		}
	}
	return true
}

// Masks returns the mask bands, in order of their keys.
func (it Item) Masks() []Band {
	var out []Band
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		if b := it.Bands[k]; b.Kind == Mask {
			out = append(out, b)
		}
	}
	return out
}

// Catalogue is a readable set of items. It is immutable and safe for concurrent use.
type Catalogue struct {
	dir   string
	items []Item
	old   []Item // superseded
	byID  map[string]Item
}

// New makes a catalogue of items, ordered by time and id.
func New(items []Item) *Catalogue {
	all := slices.Clone(items)
	slices.SortFunc(all, func(a, b Item) int {
		if d := a.Time.Compare(b.Time); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	c := &Catalogue{byID: make(map[string]Item, len(items))}
	for _, it := range all {
		c.byID[it.ID] = it
		if it.SupersededBy != "" {
			c.old = append(c.old, it)
		} else {
			c.items = append(c.items, it)
		}
	}
	return c
}

// Dir is the folder the catalogue was opened from; "" when made by [New].
func (c *Catalogue) Dir() string { return c.dir }

// Items returns the items by time, then id, without the superseded ones, so that no
// sight counts twice. The caller must not change them.
func (c *Catalogue) Items() []Item { return c.items }

// Superseded returns the items that a later processing replaces, by time, then id.
func (c *Catalogue) Superseded() []Item { return c.old }

// Item returns the item of that id, also a superseded one, or [ErrNoItem].
func (c *Catalogue) Item(id string) (Item, error) {
	it, ok := c.byID[id]
	if !ok {
		return Item{}, ErrNoItem.With("id", id)
	}
	return it, nil
}

// Between returns the items from start to end, both included.
func (c *Catalogue) Between(start, end time.Time) []Item {
	var out []Item
	for _, it := range c.items {
		if !it.Time.Before(start) && !it.Time.After(end) {
			out = append(out, it)
		}
	}
	return out
}
