// Package safe reads the metadata of SAFE products, the folders in which ESA
// delivers Sentinel-1 and Sentinel-2: what a product is, where its images lie and
// what their numbers mean. It touches no pixel.
package safe

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// ErrProduct is returned for a product whose metadata cannot be used.
var ErrProduct = fault.New(fault.Invalid, "scene.product", "the Sentinel product cannot be used: {why}")

// Optical is a Sentinel-2 product of level 1C or 2A.
type Optical struct {
	Name       string // product name without .SAFE
	Level      string // "L1C", "L2A"
	Baseline   string // processing baseline: "04.00"
	Sensed     time.Time
	Datatake   string // start of the datatake, which all tiles of an overflight share
	Datastrip  string // of the granule
	Generated  string
	Orbit      string             // "descending 65"
	Quantum    float64            // reflectance = (number + offset) / Quantum
	Offsets    map[string]float64 // by band: "B04"
	NoData     float64
	Listed     []string // images that the metadata list, as paths or names without extension
	offsetName string
}

// element is one XML element with text, whatever its depth.
type element struct {
	name, text string
	attr       func(name string) string
}

// maxDepth and maxElements bound what a damaged or hostile file can cost.
const (
	maxDepth    = 64
	maxElements = 4 << 20
)

// elements calls do for every element that holds text and no other element, and
// for empty ones. Names are without prefixes.
func elements(r io.Reader, do func(element) error) error {
	dec := xml.NewDecoder(r)
	var stack []xml.StartElement
	var text strings.Builder
	leaf := false
	for n := 0; ; n++ {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) > 0 || n == 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		if n > maxElements || len(stack) > maxDepth {
			return errors.New("it is too large or too deep for metadata of a product")
		}
		switch t := tok.(type) {
		case xml.StartElement:
			stack = append(stack, t.Copy())
			text.Reset()
			leaf = true
		case xml.CharData:
			if leaf {
				text.Write(t)
			}
		case xml.EndElement:
			if leaf {
				el := stack[len(stack)-1]
				if err := do(element{el.Name.Local, strings.TrimSpace(text.String()), func(name string) string {
					i := slices.IndexFunc(el.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
					if i < 0 {
						return ""
					}
					return el.Attr[i].Value
				}}); err != nil {
					return err
				}
			}
			stack = stack[:len(stack)-1]
			leaf = false
		}
	}
}

// bandNames gives the names of the bands in the order of their ids.
var bandNames = []string{"B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"}

func bandName(id string) (string, error) {
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 || n >= len(bandNames) {
		return "", fmt.Errorf("band_id %q is not one of 0 to %d", id, len(bandNames)-1)
	}
	return bandNames[n], nil
}

// ParseOptical reads MTD_MSIL1C.xml or MTD_MSIL2A.xml.
func ParseOptical(r io.Reader) (Optical, error) {
	p := Optical{Offsets: map[string]float64{}}
	var special string
	var orbit, pass string
	err := elements(r, func(e element) error {
		var err error
		switch e.name {
		case "PRODUCT_URI", "PRODUCT_URI_1C", "PRODUCT_URI_2A":
			p.Name = strings.TrimSuffix(e.text, ".SAFE")
		case "PROCESSING_LEVEL":
			p.Level = map[string]string{"Level-1C": "L1C", "Level-2A": "L2A", "Level-2Ap": "L2A"}[e.text]
		case "PROCESSING_BASELINE":
			p.Baseline = e.text
		case "PRODUCT_START_TIME":
			p.Sensed, err = stamp(e.text)
		case "DATATAKE_SENSING_START":
			p.Datatake = e.text
		case "GENERATION_TIME":
			p.Generated = e.text
		case "SENSING_ORBIT_NUMBER":
			orbit = e.text
		case "SENSING_ORBIT_DIRECTION":
			pass = strings.ToLower(e.text)
		case "QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE", "L1C_TOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE":
			if e.name == "L1C_TOA_QUANTIFICATION_VALUE" && p.Quantum > 0 {
				break
			}
			p.Quantum, err = number(e)
		case "BOA_ADD_OFFSET", "RADIO_ADD_OFFSET":
			var band string
			if band, err = bandName(e.attr("band_id")); err == nil {
				p.Offsets[band], err = number(e)
			}
		case "SPECIAL_VALUE_TEXT":
			special = e.text
		case "SPECIAL_VALUE_INDEX":
			if special == "NODATA" {
				p.NoData, err = number(e)
			}
		case "IMAGE_FILE", "IMAGE_FILE_2A", "IMAGE_ID", "IMAGE_ID_2A":
			if e.text != "" {
				p.Listed = append(p.Listed, e.text)
			}
		}
		return err
	})
	if err != nil {
		return Optical{}, ErrProduct.With("why", "its metadata are damaged: "+err.Error()).Because(err)
	}
	p.Orbit = strings.TrimSpace(pass + " " + orbit)
	p.offsetName = map[string]string{"L1C": "RADIO_ADD_OFFSET", "L2A": "BOA_ADD_OFFSET"}[p.Level]
	switch {
	case p.Level == "":
		return Optical{}, ErrProduct.With("why", "its metadata name no PROCESSING_LEVEL of 1C or 2A")
	case !plain.MatchString(p.Name):
		return Optical{}, ErrProduct.With("why", fmt.Sprintf("PRODUCT_URI %q is not the name of a product", p.Name))
	case p.Sensed.IsZero():
		return Optical{}, ErrProduct.With("why", "its metadata state no PRODUCT_START_TIME")
	case p.Datatake == "":
		p.Datatake = p.Sensed.Format(time.RFC3339)
	}
	return p, nil
}

// plain keeps names of products out of the way of paths.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$`)

func number(e element) (float64, error) {
	f, err := strconv.ParseFloat(e.text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%s is %q, which is not a number", e.name, e.text)
	}
	return f, nil
}

func stamp(s string) (time.Time, error) {
	for _, l := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", s)
}

// offsetSince is the baseline from which products carry an offset for every band.
const offsetSince = 4.0

// Reflectance returns scale and offset of a band: reflectance = number × scale +
// offset. They come from the product's metadata alone: since baseline 04.00 a
// product without its offset is refused ([scene.ErrOffset]), as is one that does not
// state its baseline or its quantification.
func (p Optical) Reflectance(band string) (scale, offset float64, err error) {
	missing := func(element string) error {
		return scene.ErrOffset.With("product", p.Name).With("baseline", p.Baseline).With("element", element)
	}
	if !(p.Quantum >= 1) { // what is less cannot be counts of a reflectance
		return 0, 0, missing(map[string]string{"L1C": "QUANTIFICATION_VALUE", "L2A": "BOA_QUANTIFICATION_VALUE"}[p.Level])
	}
	add, ok := p.Offsets[band]
	if !ok {
		baseline, err := strconv.ParseFloat(p.Baseline, 64)
		if err != nil {
			return 0, 0, missing("PROCESSING_BASELINE")
		}
		if baseline >= offsetSince {
			return 0, 0, missing(fmt.Sprintf("%s band_id=%d (%s)", p.offsetName, slices.Index(bandNames, band), band))
		}
	}
	return 1 / p.Quantum, add / p.Quantum, nil
}

// Image is a raster of a product.
type Image struct {
	Path       string // within the product
	Tile       string // "T31UFS"; "" where the name does not tell
	Band       string // "B04", "SCL", "CLDPRB", "CLASSI"
	Resolution int    // metres; 0 where the name does not tell
}

var (
	opticalImage = regexp.MustCompile(`(?i)_(B0[1-9]|B1[0-2]|B8A|SCL)(?:_([1-6]0)m)?\.jp2$`)
	maskImage    = regexp.MustCompile(`(?i)^MSK_(CLDPRB|CLASSI)_(?:B00|([1-6]0)m)\.jp2$`)
	tileName     = regexp.MustCompile(`(?i)_(T\d{2}[A-Z]{3})(?:_|$)`)
)

// imageOf reads the name of an image.
func imageOf(name string) (Image, bool) {
	dir, base := path.Split(name)
	im := Image{Path: name}
	m := opticalImage.FindStringSubmatch(base)
	if m == nil {
		m = maskImage.FindStringSubmatch(base)
	}
	if m == nil {
		return im, false
	}
	im.Band = strings.ToUpper(m[1])
	im.Resolution, _ = strconv.Atoi(m[2]) // "" is 0
	if t := tileName.FindStringSubmatch(base); t != nil {
		im.Tile = strings.ToUpper(t[1])
	} else { // masks are told by the granule's folder
		for _, part := range strings.Split(dir, "/") {
			if t := tileName.FindStringSubmatch(part); t != nil {
				im.Tile = strings.ToUpper(t[1])
			}
		}
	}
	return im, true
}

// MetadataFile finds the metadata of a product at the root of fsys: "" and false
// where there is none.
func MetadataFile(fsys fs.FS) (string, bool) {
	for _, name := range []string{"MTD_MSIL2A.xml", "MTD_MSIL1C.xml"} {
		if _, err := fs.Stat(fsys, name); err == nil {
			return name, true
		}
	}
	old, err := fs.Glob(fsys, "S2?_*_MTD_*.xml") // before 2016-12
	if err != nil || len(old) != 1 {
		return "", false
	}
	return old[0], true
}

// OpenOptical reads a Sentinel-2 product and lists, of every tile, the images with
// the finest pixels of each band, in order. Bands that the metadata list but the
// product lacks come back as missing, by the name of the file.
func OpenOptical(fsys fs.FS) (p Optical, images []Image, missing []string, err error) {
	name, ok := MetadataFile(fsys)
	if !ok {
		return p, nil, nil, ErrProduct.With("why", "it has no MTD_MSIL1C.xml or MTD_MSIL2A.xml")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return p, nil, nil, ErrProduct.With("why", name+" cannot be read").Because(err)
	}
	defer func() { _ = f.Close() }()
	if p, err = ParseOptical(f); err != nil {
		return p, nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	type key struct{ tile, band string }
	best := map[key]Image{}
	err = fs.WalkDir(fsys, "GRANULE", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if m := datastrip.FindStringSubmatch(e.Name()); m != nil && p.Datastrip == "" {
				p.Datastrip = m[1]
			}
			return nil
		}
		im, ok := imageOf(name)
		if !ok {
			return nil
		}
		k := key{im.Tile, im.Band}
		if b, taken := best[k]; !taken || im.Resolution < b.Resolution {
			best[k] = im
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, nil, nil, ErrProduct.With("why", "its folder GRANULE cannot be read").Because(err)
	}
	for _, l := range p.Listed {
		im, ok := imageOf(l + ".jp2")
		if !ok {
			continue
		}
		k := key{im.Tile, im.Band}
		if _, there := best[k]; !there && !slices.ContainsFunc(missing, func(m string) bool {
			other, _ := imageOf(m)
			return other.Band == im.Band && other.Tile == im.Tile
		}) {
			missing = append(missing, l+".jp2")
		}
	}
	for _, im := range best {
		images = append(images, im)
	}
	slices.SortFunc(images, func(a, b Image) int { return strings.Compare(a.Tile+a.Band, b.Tile+b.Band) })
	if len(images) == 0 {
		return p, nil, missing, ErrProduct.With("why", "no image lies in its folder GRANULE")
	}
	return p, images, missing, nil
}

// datastrip finds the granule's sensing time in its folder's name:
// L2A_T31UFS_A025604_20220131T102208.
var datastrip = regexp.MustCompile(`^L(?:1C|2A)_T\d{2}[A-Z]{3}_A\d+_(\d{8}T\d{6})$`)
