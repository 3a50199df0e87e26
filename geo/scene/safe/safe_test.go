package safe_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/safe"
)

// metadata is the least of a product's metadata, in the words of the two levels.
func metadata(level, baseline, rest string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><n1:User_Product xmlns:n1="x"><PRODUCT_URI>S2A_MSI_TEST.SAFE</PRODUCT_URI><PROCESSING_LEVEL>Level-%s</PROCESSING_LEVEL>
		<PROCESSING_BASELINE>%s</PROCESSING_BASELINE><PRODUCT_START_TIME>2019-06-01T03:05:41.024Z</PRODUCT_START_TIME>%s</n1:User_Product>`, level, baseline, rest)
}

func TestReflectanceComesFromMetadata(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, level, baseline, rest string
		scale, offset               float64
		say                         string // of the refusal
	}{
		{"before the offset", "1C", "02.07", `<QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>`, 1e-4, 0, ""},
		// Collection 1 brings the offset to products of 2019: the date says nothing.
		{"reprocessed", "2A", "05.00", `<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>`, 1e-4, -0.1, ""},
		{"offset before its baseline", "1C", "03.01", `<QUANTIFICATION_VALUE>10000</QUANTIFICATION_VALUE><RADIO_ADD_OFFSET band_id="3">-500</RADIO_ADD_OFFSET>`, 1e-4, -0.05, ""},
		{"another quantum", "2A", "05.00", `<BOA_QUANTIFICATION_VALUE>1000</BOA_QUANTIFICATION_VALUE><BOA_ADD_OFFSET band_id="3">-100</BOA_ADD_OFFSET>`, 1e-3, -0.1, ""},
		{"older L2A", "2Ap", "02.06", `<L1C_TOA_QUANTIFICATION_VALUE>5000</L1C_TOA_QUANTIFICATION_VALUE><L2A_BOA_QUANTIFICATION_VALUE>10000</L2A_BOA_QUANTIFICATION_VALUE>`, 1e-4, 0, ""},
		{"offset of another band", "2A", "05.00", `<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><BOA_ADD_OFFSET band_id="4">-1000</BOA_ADD_OFFSET>`, 0, 0, "BOA_ADD_OFFSET band_id=3 (B04)"},
		{"no quantum", "1C", "02.07", "", 0, 0, "QUANTIFICATION_VALUE"},
		{"no baseline", "1C", "", `<QUANTIFICATION_VALUE>10000</QUANTIFICATION_VALUE>`, 0, 0, "PROCESSING_BASELINE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := safe.ParseOptical(strings.NewReader(metadata(c.level, c.baseline, c.rest)))
			if err != nil {
				t.Fatal(err)
			}
			scale, offset, err := p.Reflectance("B04")
			if c.say != "" {
				if !errors.Is(err, scene.ErrOffset) || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), "S2A_MSI_TEST") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || math.Abs(scale-c.scale) > 1e-15 || math.Abs(offset-c.offset) > 1e-15 {
				t.Errorf("scale %v, offset %v, %v", scale, offset, err)
			}
		})
	}
}

func TestDamagedMetadata(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":                    "",
		"cut short":                metadata("2A", "05.00", "")[:200],
		"no level":                 metadata("3", "05.00", ""),
		"a name that is a path":    strings.Replace(metadata("2A", "05.00", ""), "S2A_MSI_TEST", "../../etc/x", 1),
		"offset that is no number": metadata("2A", "05.00", `<BOA_ADD_OFFSET band_id="3">n/a</BOA_ADD_OFFSET>`),
		"unknown band":             metadata("2A", "05.00", `<BOA_ADD_OFFSET band_id="13">-1000</BOA_ADD_OFFSET>`),
		"deep":                     strings.Repeat("<a>", 1000),
	} {
		if _, err := safe.ParseOptical(strings.NewReader(text)); !errors.Is(err, safe.ErrProduct) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOldNamesOfImages(t *testing.T) {
	t.Parallel()
	// Products before December 2016 hold several tiles and name their files otherwise.
	granule := func(tile string) string {
		return "GRANULE/S2A_OPER_MSI_L1C_TL_SGS__20160101T000000_A002734_" + tile + "_N02.01/IMG_DATA/S2A_OPER_MSI_L1C_TL_SGS__20160101T000000_A002734_" + tile
	}
	fsys := fstest.MapFS{
		"S2A_OPER_MTD_SAFL1C_PDMC_20160101T000000_R065_V20160101.xml": {Data: []byte(metadata("1C", "02.01", `<QUANTIFICATION_VALUE>1000</QUANTIFICATION_VALUE>
			<IMAGE_ID>S2A_OPER_MSI_L1C_TL_SGS__20160101T000000_A002734_T32TQM_B04</IMAGE_ID><IMAGE_ID>S2A_OPER_MSI_L1C_TL_SGS__20160101T000000_A002734_T32TQM_B08</IMAGE_ID>`))},
		granule("T32TQM") + "_B04.jp2": {}, granule("T33TUG") + "_B04.jp2": {},
	}
	_, images, missing, err := safe.OpenOptical(fsys)
	if err != nil || len(images) != 2 || images[0].Tile != "T32TQM" || images[1].Tile != "T33TUG" || images[0].Band != "B04" {
		t.Errorf("%+v, %v", images, err)
	}
	if len(missing) != 1 || !strings.HasSuffix(missing[0], "T32TQM_B08.jp2") {
		t.Errorf("missing %v", missing)
	}
}

func TestLUTIsBilinear(t *testing.T) {
	t.Parallel()
	const vector = `<calibrationVector><line>%d</line><pixel count="2">%s</pixel><sigmaNought count="2">%s</sigmaNought></calibrationVector>`
	lut, err := safe.ParseCalibration(strings.NewReader("<a>" + fmt.Sprintf(vector, 0, "0 10", "100 200") + fmt.Sprintf(vector, 100, "0 20", "200 600") + "</a>"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 31)
	for _, c := range []struct {
		line float64
		x    int
		want float64
	}{
		{0, 0, 100}, {0, 5, 150}, {0, 10, 200}, {0, 30, 200}, {-50, 5, 150}, {100, 10, 400}, {900, 30, 600},
		{50, 5, (150 + 300) / 2.0}, {25, 20, 200*0.75 + 600*0.25},
	} {
		lut.At(c.line, out)
		if math.Abs(out[c.x]-c.want) > 1e-9 {
			t.Errorf("line %v, column %d: %v, want %v", c.line, c.x, out[c.x], c.want)
		}
	}
	for name, body := range map[string]string{
		"none":                   "<a/>",
		"uneven":                 "<a>" + fmt.Sprintf(vector, 0, "0 10 20", "1 2") + "</a>",
		"columns fall":           "<a>" + fmt.Sprintf(vector, 0, "10 0", "1 2") + "</a>",
		"a line twice":           "<a>" + fmt.Sprintf(vector, 0, "0 1", "1 2") + fmt.Sprintf(vector, 0, "0 1", "1 2") + "</a>",
		"a value that is naught": "<a>" + fmt.Sprintf(vector, 0, "0 1", "0 2") + "</a>",
	} {
		if _, err := safe.ParseCalibration(strings.NewReader(body)); !errors.Is(err, safe.ErrProduct) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNoiseInNewerWords(t *testing.T) {
	t.Parallel()
	lut, err := safe.ParseNoise(strings.NewReader(`<noise><noiseRangeVectorList><noiseRangeVector><line>0</line><pixel count="2">0 100</pixel>
		<noiseRangeLut count="2">500 700</noiseRangeLut></noiseRangeVector></noiseRangeVectorList><noiseAzimuthVectorList><noiseAzimuthVector>
		<line count="3">0 50 100</line><noiseAzimuthLut count="3">1 1.1 1</noiseAzimuthLut></noiseAzimuthVector></noiseAzimuthVectorList></noise>`))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 101)
	lut.At(40, out)
	if out[50] != 600 {
		t.Errorf("noise %v", out[50])
	}
}

func FuzzParseOptical(f *testing.F) {
	f.Add([]byte(metadata("2A", "05.00", `<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>`)))
	f.Add([]byte("<a><b>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := safe.ParseOptical(strings.NewReader(string(body)))
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("not a fault that a person can act on: %v", err)
			}
			return
		}
		if scale, offset, err := p.Reflectance("B04"); err == nil && !(scale > 0 && !math.IsInf(scale, 0) && !math.IsNaN(offset)) {
			t.Errorf("scale %v, offset %v", scale, offset)
		}
	})
}

func FuzzParseCalibration(f *testing.F) {
	f.Add([]byte(`<a><line>0</line><pixel>0 10</pixel><sigmaNought>1 2</sigmaNought><line>9</line><pixel>0 10</pixel><sigmaNought>1 2</sigmaNought></a>`))
	f.Add([]byte(`<a><line>0</line><pixel>5</pixel><noiseLut>1</noiseLut></a>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		lut, err := safe.ParseCalibration(strings.NewReader(string(body)))
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("not a fault that a person can act on: %v", err)
			}
			return
		}
		out := make([]float64, 20)
		for _, line := range []float64{-1, 0, 4.5, 1e9} {
			lut.At(line, out)
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`<x><startTime>2020-01-15T22:00:00.1</startTime><relativeOrbitNumber>4</relativeOrbitNumber><pass>ASCENDING</pass></x>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := safe.ParseManifest(strings.NewReader(string(body))); err == nil && p.Start.IsZero() {
			t.Error("a product without a time")
		} else if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("not a fault that a person can act on: %v", err)
		}
	})
}
