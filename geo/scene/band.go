package scene

import (
	"math"
	"regexp"
	"strings"
)

// Band is one measured layer of an item.
type Band struct {
	Key       string    // common name in lower case: "red", "nir", "vv", "ndvi", "scl"
	Name      string    // the producer's name: "B04"
	File      string    // path of the raster, or a name of GDAL's virtual file systems
	Index     int       // band in the file, from 1
	Kind      Kind      //
	Transform Transform //
	Scale     float64   //
	Offset    float64   //
	NoData    *float64  // stored number that means nothing was seen; nil if none
	DataType  string    // stored type in STAC words: "uint16"
	Grid      Grid      // of the file

	// Of masks only; ClassAt says how they go together.
	Classes   []ClassOf  // the values that have a meaning
	Bits      []BitClass // fields of bits that have a meaning
	Threshold float64    // > 0: stored numbers from here on are cloud, those below are clear
	Dilate    float64    // metres by which cloud grows into the clear pixels around it
}

// BitClass gives the class of the pixels whose field of bits holds a value.
type BitClass struct {
	Bit   int // lowest bit of the field, from 0
	Width int // bits in the field, from 1
	Value int // of the field
	Name  string
	Class Class
}

// holds says whether the field of v has the value.
func (c BitClass) holds(v uint64) bool {
	return v>>c.Bit&(1<<c.Width-1) == uint64(c.Value)
}

// maxBits is the widest mask whose bits a float64 holds exactly.
const maxBits = 32

// ClassAt is the class of a stored value of a mask band. A threshold goes before
// bits, bits before values. Of bits the worst class holds and no match is clear,
// as producers name only what is wrong; a value that Classes does not name is no
// data, as an unknown class must not pass as clear. So are NaN and the band's
// NoData.
func (b Band) ClassAt(v float64) Class {
	if math.IsNaN(v) || b.NoData != nil && v == *b.NoData {
		return NoData
	}
	switch {
	case b.Threshold > 0:
		if v >= b.Threshold {
			return Cloud
		}
		return Clear
	case len(b.Bits) > 0:
		if v < 0 || v >= 1<<maxBits || v != math.Trunc(v) {
			return NoData
		}
		worst := Clear
		for _, c := range b.Bits {
			if c.Class > worst && c.holds(uint64(v)) {
				worst = c.Class
			}
		}
		return worst
	}
	for _, c := range b.Classes {
		if float64(c.Value) == v {
			return c.Class
		}
	}
	return NoData
}

// Custom is what the name of a band tells by custom.
type Custom struct {
	Key  string // STAC common name where there is one
	Kind Kind
	Mask string // name for [MaskByName] of what is a mask by custom
}

// sentinel2 gives the common names of the eo extension.
var sentinel2 = map[string]string{
	"b01": "coastal", "b02": "blue", "b03": "green", "b04": "red",
	"b05": "rededge071", "b06": "rededge075", "b07": "rededge078",
	"b08": "nir", "b8a": "nir08", "b09": "nir09", "b10": "cirrus",
	"b11": "swir16", "b12": "swir22",
}

var byCustom = map[string]Custom{
	"vv": {Key: "vv", Kind: Radar}, "vh": {Key: "vh", Kind: Radar},
	"ndvi": {Key: "ndvi", Kind: Derived}, "evi": {Key: "evi", Kind: Derived},
	"scl": {"scl", Mask, "scl"}, "clm": {"clm", Mask, "cloud"}, "is_valid": {"is_valid", Mask, "valid"},
	"clp": {Key: "clp", Kind: Other}, "cloudprob": {Key: "clp", Kind: Other},
	"dem": {Key: "elevation", Kind: Other}, "elevation": {Key: "elevation", Kind: Other}, "slope": {Key: "slope", Kind: Other},
}

var (
	bandCode  = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(b(?:0[1-9]|1[0-2]|8a)|vv|vh)$`)
	pixelSize = regexp.MustCompile(`_[126]0m$`)
	parenthes = regexp.MustCompile(`\(.*\)$`)
)

// BandByName reads a producer's band name: "S2-L2A-B04", "B04", "red",
// "B04_10m", "S1-SIGMA0-VH", "CLM(1=cloud)", "NDVI". What custom does not know keeps its own
// name in lower case and counts as Other.
func BandByName(name string) Custom {
	n := strings.ToLower(strings.TrimSpace(parenthes.ReplaceAllString(name, "")))
	n = pixelSize.ReplaceAllString(n, "")
	if m := bandCode.FindStringSubmatch(n); m != nil {
		n = strings.ToLower(m[1])
	}
	if key, ok := sentinel2[n]; ok {
		return Custom{Key: key, Kind: Optical}
	}
	if k, ok := byCustom[n]; ok {
		return k
	}
	for _, common := range sentinel2 {
		if n == common {
			return Custom{Key: n, Kind: Optical}
		}
	}
	return Custom{Key: n, Kind: Other}
}
