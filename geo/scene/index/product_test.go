package index_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/geo/scene/safe"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// raster is one image to write.
type raster struct {
	path   string
	size   int // pixels a side
	pixel  float64
	dtype  godal.DataType
	epsg   int
	origin [2]float64
	bands  []func(x, y int) float64
}

func flat(v float64) func(x, y int) float64 { return func(int, int) float64 { return v } }

// writeRaster writes a JPEG 2000 file without loss, or a GeoTIFF, by the name.
func writeRaster(t testing.TB, r raster) {
	t.Helper()
	scene.RegisterDrivers()
	must(t, os.MkdirAll(filepath.Dir(r.path), 0o755))
	mem, err := godal.Create(godal.Memory, "", len(r.bands), r.dtype, r.size, r.size)
	must(t, err)
	sr, err := godal.NewSpatialRefFromEPSG(r.epsg)
	must(t, err)
	defer sr.Close()
	must(t, mem.SetSpatialRef(sr))
	must(t, mem.SetGeoTransform([6]float64{r.origin[0], r.pixel, 0, r.origin[1], 0, -r.pixel}))
	buf := make([]float64, r.size*r.size)
	for i, values := range r.bands {
		for k := range buf {
			buf[k] = values(k%r.size, k/r.size)
		}
		must(t, mem.Bands()[i].Write(0, 0, buf, r.size, r.size))
	}
	switches := []string{"-of", "GTiff"}
	if strings.HasSuffix(r.path, ".jp2") {
		switches = []string{"-of", "JP2OpenJPEG", "-co", "QUALITY=100", "-co", "REVERSIBLE=YES"}
	}
	out, err := mem.Translate(r.path, switches, godal.ErrLogger(scene.Failures))
	must(t, err)
	must(t, out.Close())
	must(t, mem.Close())
}

// safeProduct is a synthetic Sentinel-2 product.
type safeProduct struct {
	level, baseline, tile, taken, strip, made string
	epsg                                      int
	origin                                    [2]float64
	offset                                    map[int]int // by band_id; nil: the metadata have no list
	eight                                     bool        // B04 is of 8 bits
	noise                                     bool        // pixels that do not compress away
}

func (p safeProduct) name() string {
	return fmt.Sprintf("S2B_MSI%s_%s_N%s_R065_%s_%s", p.level, p.taken, strings.ReplaceAll(p.baseline, ".", ""), p.tile, p.made)
}

func (p safeProduct) granule() string {
	return fmt.Sprintf("GRANULE/%s_%s_A025604_%s", p.level, p.tile, p.strip)
}

// image is the path of a band below the product.
func (p safeProduct) image(band string, metres int) string {
	if p.level == "L1C" {
		return fmt.Sprintf("%s/IMG_DATA/%s_%s_%s.jp2", p.granule(), p.tile, p.taken, band)
	}
	return fmt.Sprintf("%s/IMG_DATA/R%dm/%s_%s_%s_%dm.jp2", p.granule(), metres, p.tile, p.taken, band, metres)
}

var allOffsets = map[int]int{0: -1000, 1: -1000, 2: -1000, 3: -1000, 4: -1000, 5: -1000, 6: -1000, 7: -1000, 8: -1000, 9: -1000, 10: -1000, 11: -1000, 12: -1000}

var halfBaseline = safeProduct{
	level: "L2A", baseline: "04.00", tile: "T31UFS", taken: "20220131T102209", strip: "20220131T102208", made: "20220131T131045",
	epsg: 32631, origin: [2]float64{600000, 5700000}, offset: allOffsets,
}

// bandsOf lists bands with their resolutions, the finest first.
func (p safeProduct) bandsOf() map[string][]int {
	if p.level == "L1C" {
		return map[string][]int{"B02": {10}, "B04": {10}, "B08": {10}, "B8A": {20}, "B11": {20}, "B01": {60}, "B10": {60}, "TCI": {10}}
	}
	return map[string][]int{"B02": {10, 20, 60}, "B04": {10, 20, 60}, "B08": {10}, "B8A": {20, 60}, "B11": {20, 60}, "B01": {20, 60}, "SCL": {20, 60}, "TCI": {10}}
}

func (p safeProduct) metadata() string {
	var images, offsets strings.Builder
	for band, sizes := range p.bandsOf() {
		for _, m := range sizes {
			fmt.Fprintf(&images, "<IMAGE_FILE>%s</IMAGE_FILE>\n", strings.TrimSuffix(p.image(band, m), ".jp2"))
		}
	}
	element, list, quantum := "BOA_ADD_OFFSET", "BOA_ADD_OFFSET_VALUES_LIST", "<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit=\"none\">10000</BOA_QUANTIFICATION_VALUE><AOT_QUANTIFICATION_VALUE unit=\"none\">1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>"
	if p.level == "L1C" {
		element, list, quantum = "RADIO_ADD_OFFSET", "Radiometric_Offset_List", "<QUANTIFICATION_VALUE unit=\"none\">10000</QUANTIFICATION_VALUE>"
	}
	if p.offset != nil {
		fmt.Fprintf(&offsets, "<%s>", list)
		for id := range 13 {
			if v, ok := p.offset[id]; ok {
				fmt.Fprintf(&offsets, "<%s band_id=\"%d\">%d</%s>", element, id, v, element)
			}
		}
		fmt.Fprintf(&offsets, "</%s>", list)
	}
	start := p.taken[:4] + "-" + p.taken[4:6] + "-" + p.taken[6:11] + ":" + p.taken[11:13] + ":" + p.taken[13:] + ".024Z"
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-%[1]s_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-%[1]s.xsd">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>%[2]s</PRODUCT_START_TIME><PRODUCT_STOP_TIME>%[2]s</PRODUCT_STOP_TIME>
<PRODUCT_URI>%[3]s.SAFE</PRODUCT_URI><PROCESSING_LEVEL>Level-%[4]s</PROCESSING_LEVEL><PROCESSING_BASELINE>%[5]s</PROCESSING_BASELINE>
<GENERATION_TIME>%[6]s</GENERATION_TIME>
<Datatake datatakeIdentifier="GS2B_%[7]s_025604_N%[5]s"><DATATAKE_SENSING_START>%[2]s</DATATAKE_SENSING_START>
<SENSING_ORBIT_NUMBER>65</SENSING_ORBIT_NUMBER><SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION></Datatake>
<Product_Organisation><Granule_List><Granule>%[8]s</Granule></Granule_List></Product_Organisation></Product_Info>
<Product_Image_Characteristics>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
%[9]s%[10]s</Product_Image_Characteristics></n1:General_Info></n1:Level-%[1]s_User_Product>`,
		strings.TrimPrefix(p.level, "L"), start, p.name(), strings.TrimPrefix(p.level, "L"), p.baseline, p.made, p.taken, images.String(), quantum, offsets.String())
}

// side is the width of a product in metres.
const side = 1200

// write lays the product into dir and returns its folder. B04 holds 2000, with no
// data in its first column; SCL has cloud in its first row.
func (p safeProduct) write(t testing.TB, dir string) string {
	t.Helper()
	root := filepath.Join(dir, p.name()+".SAFE")
	must(t, os.MkdirAll(root, 0o755))
	must(t, os.WriteFile(filepath.Join(root, "MTD_MSI"+p.level+".xml"), []byte(p.metadata()), 0o644))
	put := func(name string, metres int, dtype godal.DataType, bands ...func(x, y int) float64) {
		writeRaster(t, raster{filepath.Join(root, filepath.FromSlash(name)), side / metres, float64(metres), dtype, p.epsg, p.origin, bands})
	}
	for band, sizes := range p.bandsOf() {
		for i, m := range sizes {
			dtype, value := godal.UInt16, 2000.0+100*float64(i) // coarser copies differ, to tell them apart
			switch band {
			case "SCL":
				put(p.image(band, m), m, godal.Byte, func(_, y int) float64 { return map[bool]float64{true: 9, false: 4}[y == 0] })
				continue
			case "TCI":
				put(p.image(band, m), m, godal.Byte, flat(50), flat(60), flat(70))
				continue
			case "B04":
				if p.eight {
					dtype, value = godal.Byte, 90
				}
			case "B08":
				value = 5000
			}
			put(p.image(band, m), m, dtype, func(x, y int) float64 {
				if x == 0 {
					return 0
				}
				if p.noise {
					return value + float64((x*7919+y*104729)%997)
				}
				return value
			})
		}
	}
	qi := p.granule() + "/QI_DATA/"
	if p.level == "L2A" {
		put(qi+"MSK_CLDPRB_20m.jp2", 20, godal.Byte, func(x, _ int) float64 { return float64(x % 100) })
		put(qi+"MSK_CLDPRB_60m.jp2", 60, godal.Byte, flat(0))
	} else if p.baseline >= "04.00" {
		one := func(column int) func(x, y int) float64 {
			return func(x, _ int) float64 { return map[bool]float64{true: 1}[x == column] }
		}
		put(qi+"MSK_CLASSI_B00.jp2", 60, godal.Byte, one(3), one(5), one(7))
	}
	return root
}

func run(t testing.TB, cfg index.Config) (*scene.Catalogue, index.Result) {
	t.Helper()
	res, err := index.Run(context.Background(), cfg)
	must(t, err)
	if cfg.Out == "" {
		cfg.Out = cfg.Dir
	}
	cat, err := scene.Open(cfg.Out)
	must(t, err)
	return cat, res
}

func read(t testing.TB, cat *scene.Catalogue, id string, w scene.Window, bands ...string) scene.Block {
	t.Helper()
	it, err := cat.Item(id)
	must(t, err)
	r, err := cat.Reader(it, bands)
	must(t, err)
	defer r.Close()
	b, err := r.Read(context.Background(), w)
	must(t, err)
	return b
}

func near(t testing.TB, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestSentinel2L2A(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	p := halfBaseline
	p.write(t, dir)
	cat, res := run(t, index.Config{Dir: dir, Out: out, CloudProbability: 55})
	// The finest of B01 B02 B04 B08 B8A B11, the classification, the probability.
	if res.Layout != "sentinel-2" || res.Files != 8 || res.Used != 8 || res.Items != 1 || len(res.Refused)+len(res.Ignored) != 0 {
		t.Fatalf("%+v", res)
	}
	it := cat.Items()[0]
	if it.ID != p.name() || it.Collection != "sentinel-2-l2a" || it.Orbit != "descending 65" || it.Time.Format("2006-01-02 15:04:05.000") != "2022-01-31 10:22:09.024" {
		t.Errorf("item %+v", it)
	}
	if it.Grid.Transform != [6]float64{600000, 10, 0, 5700000, 0, -10} || it.Grid.CRS != "EPSG:32631" {
		t.Errorf("grid %+v", it.Grid)
	}
	if px := it.Bands["nir08"].Grid.Transform[1]; px != 20 {
		t.Errorf("B8A is taken at %v m, want its finest, 20", px)
	}
	b := read(t, cat, it.ID, scene.Window{W: 120, H: 4}, "red", "nir", "coastal", "swir16")
	near(t, "red: 2000 with the product's offset, at 10 m", b.Bands[0][1], 0.1)
	near(t, "nir", b.Bands[1][1], 0.4)
	near(t, "no data of red", b.Bands[0][0], math.NaN())
	near(t, "coastal at 20 m", b.Bands[2][2], 0.1)
	// Row 0 and 1 are cloud by SCL; below, from a probability of 55 on.
	for x, want := range map[int]scene.Class{10: scene.Cloud, 119: scene.Cloud} {
		if got := b.Class[x]; got != want {
			t.Errorf("row 0, column %d is %v", x, got)
		}
	}
	for x, want := range map[int]scene.Class{10: scene.Clear, 109: scene.Clear, 110: scene.Cloud, 119: scene.Cloud} {
		if got := b.Class[2*120+x]; got != want {
			t.Errorf("row 2, column %d is %v, want %v", x, got, want)
		}
	}
	if it.CloudShare < 0.05 || it.CloudShare > 0.15 {
		t.Errorf("cloud share %v", it.CloudShare)
	}
}

func TestSentinel2L1C(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := halfBaseline
	p.level = "L1C"
	p.offset = map[int]int{0: -1000, 1: -1000, 2: -1000, 3: -900, 4: -1000, 5: -1000, 6: -1000, 7: -1000, 8: -1000, 9: -1000, 10: -1000, 11: -1000, 12: -1000}
	p.write(t, dir)
	old := p
	old.baseline, old.taken, old.strip, old.offset = "02.09", "20210131T102209", "20210131T102208", nil
	old.write(t, dir)
	cat, res := run(t, index.Config{Dir: dir})
	if res.Items != 2 || len(res.Refused) != 0 {
		t.Fatalf("%+v", res)
	}
	b := read(t, cat, p.name(), scene.Window{W: 120, H: 1}, "red", "blue", "cirrus")
	near(t, "red by its own band's offset", b.Bands[0][50], 0.11)
	near(t, "blue", b.Bands[1][50], 0.1)
	for x, want := range map[int]scene.Class{12: scene.Clear, 18: scene.Cloud, 30: scene.Cloud, 42: scene.Snow, 60: scene.Clear} {
		if b.Class[x] != want {
			t.Errorf("column %d is %v, want %v", x, b.Class[x], want)
		}
	}
	// A baseline before the offset: none is applied, whatever the later ones carry.
	near(t, "red of 2021", read(t, cat, old.name(), scene.Window{W: 120, H: 1}, "red").Bands[0][50], 0.2)
}

func TestSentinel2Refusals(t *testing.T) {
	t.Parallel()
	gone := func(band string, metres int) func(t *testing.T, p safeProduct, root string) {
		return func(t *testing.T, p safeProduct, root string) {
			must(t, os.Remove(filepath.Join(root, p.image(band, metres))))
		}
	}
	short := func(band string, metres int) func(t *testing.T, p safeProduct, root string) {
		return func(t *testing.T, p safeProduct, root string) {
			file := filepath.Join(root, p.image(band, metres))
			info, err := os.Stat(file)
			must(t, err)
			must(t, os.Truncate(file, info.Size()*3/4))
		}
	}
	text := func(old, repl string) func(t *testing.T, p safeProduct, root string) {
		return func(t *testing.T, _ safeProduct, root string) {
			file := filepath.Join(root, "MTD_MSIL2A.xml")
			body, err := os.ReadFile(file)
			must(t, err)
			if !strings.Contains(string(body), old) {
				t.Fatalf("the metadata have no %s", old)
			}
			must(t, os.WriteFile(file, []byte(strings.Replace(string(body), old, repl, 1)), 0o644))
		}
	}
	one := map[int]int{}
	for id, v := range allOffsets {
		if id != 3 {
			one[id] = v
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *safeProduct)
		spoil  func(t *testing.T, p safeProduct, root string)
		is     error
		say    []string
		items  int  // that are left, of this product and a good one
		red    bool // the product keeps its red band
	}{
		{name: "no list of offsets", change: func(p *safeProduct) { p.offset = nil }, is: scene.ErrOffset, say: []string{"BOA_ADD_OFFSET band_id=", "04.00", "S2B_MSIL2A_20220131"}, items: 1},
		{name: "one offset missing", change: func(p *safeProduct) { p.offset = one }, is: scene.ErrOffset, say: []string{"BOA_ADD_OFFSET band_id=3 (B04)"}, items: 1},
		{name: "no baseline", change: func(p *safeProduct) { p.offset = nil }, spoil: text("<PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>", ""), is: scene.ErrOffset, say: []string{"PROCESSING_BASELINE"}, items: 1},
		{name: "no quantification", spoil: text(`<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>`, ""), is: scene.ErrOffset, say: []string{"BOA_QUANTIFICATION_VALUE"}, items: 1},
		{name: "8 bits", change: func(p *safeProduct) { p.eight = true }, is: scene.ErrEightBit, say: []string{"B04_10m.jp2", "picture"}, items: 2},
		{name: "band cut short", spoil: short("B04", 10), is: scene.ErrUnreadable, say: []string{"B04_10m.jp2"}, items: 2},
		{name: "band missing at its finest", spoil: gone("B04", 10), items: 2, red: true},
		{name: "band missing", spoil: gone("B08", 10), is: scene.ErrUnreadable, say: []string{"B08_10m.jp2"}, items: 2, red: true},
		{name: "classification cut short", spoil: short("SCL", 20), is: safe.ErrProduct, say: []string{"clouds would pass as ground"}, items: 1},
		{name: "metadata cut short", spoil: text("</n1:General_Info>", ""), is: safe.ErrProduct, say: []string{"damaged", ".SAFE"}, items: 1},
		{name: "no metadata", spoil: func(t *testing.T, _ safeProduct, root string) {
			must(t, os.Remove(filepath.Join(root, "MTD_MSIL2A.xml")))
		}, is: safe.ErrProduct, say: []string{"MTD_MSIL2A.xml"}, items: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), t.TempDir()
			good := halfBaseline
			good.taken, good.strip = "20220202T102209", "20220202T102208"
			good.write(t, dir)
			p := halfBaseline
			p.noise = true
			if c.change != nil {
				c.change(&p)
			}
			root := p.write(t, dir)
			if c.spoil != nil {
				c.spoil(t, p, root)
			}
			cat, res := run(t, index.Config{Dir: dir, Out: out})
			if res.Items != c.items {
				t.Errorf("%d items, want %d: %+v", res.Items, c.items, res.Refused)
			}
			if c.is == nil && len(res.Refused) > 0 {
				t.Errorf("refused %+v", res.Refused)
			}
			found := false
			var why []string
			for _, r := range res.Refused {
				found = found || errors.Is(r.Err, c.is)
				why = append(why, r.Why)
			}
			if !found && c.is != nil {
				t.Errorf("no refusal of the kind %v: %v", c.is, why)
			}
			for _, s := range c.say {
				if !strings.Contains(strings.Join(why, "\n"), s) {
					t.Errorf("the refusals do not say %q: %v", s, why)
				}
			}
			if it, err := cat.Item(p.name()); err == nil && it.Has("red") != c.red {
				t.Errorf("has red: %v, want %v", it.Has("red"), c.red)
			}
		})
	}
}

func TestLaterProcessingSupersedes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := halfBaseline
	p.write(t, dir)
	later := p
	later.baseline, later.made = "05.10", "20240301T000000"
	later.write(t, dir)
	lower := p
	lower.level = "L1C"
	lower.write(t, dir)
	otherStrip := p // the rest of the tile, from another downlink
	otherStrip.strip, otherStrip.made = "20220131T102230", "20220131T140000"
	otherStrip.write(t, dir)
	cat, res := run(t, index.Config{Dir: dir})
	if len(res.Superseded) != 2 || res.Items != 4 {
		t.Fatalf("%+v", res)
	}
	for _, s := range res.Superseded {
		if s.By != later.name() {
			t.Errorf("%s is superseded by %s", s.Item, s.By)
		}
	}
	if len(cat.Items()) != 2 || len(cat.Superseded()) != 2 {
		t.Errorf("%d items hold, %d are superseded", len(cat.Items()), len(cat.Superseded()))
	}
	old, err := cat.Item(p.name())
	must(t, err)
	if old.SupersededBy != later.name() {
		t.Errorf("the catalogue forgets it: %q", old.SupersededBy)
	}
}

func TestZonesAndHalfPixelsStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := halfBaseline
	p.write(t, dir)
	east := p
	east.tile, east.epsg, east.origin = "T32ULB", 32632, [2]float64{300005, 5700005} // half a pixel off the round
	east.write(t, dir)
	cat, res := run(t, index.Config{Dir: dir})
	if res.Items != 2 || len(res.Superseded) != 0 {
		t.Fatalf("%+v", res)
	}
	a, err := cat.Item(p.name())
	must(t, err)
	b, err := cat.Item(east.name())
	must(t, err)
	if a.Grid.CRS != "EPSG:32631" || b.Grid.CRS != "EPSG:32632" || b.Grid.Transform != [6]float64{300005, 10, 0, 5700005, 0, -10} {
		t.Errorf("grids %+v and %+v", a.Grid, b.Grid)
	}
	// Both lie near 4.5 and 6.1 degrees east: the outlines are of the earth, not of a zone.
	if x := a.Footprint.Bound().Center()[0]; x < 4.3 || x > 4.6 {
		t.Errorf("zone 31 lies at %v", x)
	}
	if x := b.Footprint.Bound().Center()[0]; x < 6 || x > 6.3 {
		t.Errorf("zone 32 lies at %v", x)
	}
	near(t, "red in the other zone", read(t, cat, east.name(), scene.Window{X: 5, Y: 5, W: 1, H: 1}, "red").Bands[0][0], 0.1)
}

func TestZippedProduct(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	p := halfBaseline
	src := t.TempDir()
	p.write(t, src)
	f, err := os.Create(filepath.Join(dir, p.name()+".zip"))
	must(t, err)
	z := zip.NewWriter(f)
	must(t, z.AddFS(os.DirFS(src)))
	must(t, z.Close())
	must(t, f.Close())
	must(t, os.WriteFile(filepath.Join(dir, "S2A_broken.zip"), []byte("PK"), 0o644))
	cat, res := run(t, index.Config{Dir: dir, Out: out})
	if res.Items != 1 || len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Why, "S2A_broken.zip") {
		t.Fatalf("%+v", res)
	}
	near(t, "red out of the archive", read(t, cat, p.name(), scene.Window{X: 3, W: 1, H: 1}, "red").Bands[0][0], 0.1)
}

func TestInterruptedIndexLeavesTheOldCatalogue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := halfBaseline
	p.write(t, dir)
	run(t, index.Config{Dir: dir})
	before, err := os.ReadFile(filepath.Join(dir, "catalog.json"))
	must(t, err)
	p.taken, p.strip = "20220202T102209", "20220202T102208"
	p.write(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	_, err = index.Run(ctx, index.Config{Dir: dir, Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "catalog.json"))
	must(t, err)
	if string(before) != string(after) {
		t.Error("the catalogue changed")
	}
	if cat, err := scene.Open(dir); err != nil || len(cat.Items()) != 1 {
		t.Errorf("the old catalogue is gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "sentinel-2-l2a", p.name()+".json")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a page of the interrupted run was written")
	}
}
