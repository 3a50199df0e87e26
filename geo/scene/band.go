package scene

import (
	"regexp"
	"strings"
)

// known is what the name of a band tells by custom.
type known struct {
	key  string // STAC common name where there is one
	kind Kind
}

// sentinel2 gives the common names of the eo extension.
var sentinel2 = map[string]string{
	"b01": "coastal", "b02": "blue", "b03": "green", "b04": "red",
	"b05": "rededge071", "b06": "rededge075", "b07": "rededge078",
	"b08": "nir", "b8a": "nir08", "b09": "nir09", "b10": "cirrus",
	"b11": "swir16", "b12": "swir22",
}

var byCustom = map[string]known{
	"vv": {"vv", Radar}, "vh": {"vh", Radar},
	"ndvi": {"ndvi", Derived}, "evi": {"evi", Derived},
	"scl": {"scl", Mask}, "clm": {"clm", Mask}, "is_valid": {"is_valid", Mask},
	"clp": {"clp", Other}, "cloudprob": {"clp", Other},
	"dem": {"elevation", Other}, "elevation": {"elevation", Other}, "slope": {"slope", Other},
}

// maskOf gives the layout name of the mask that a band of this key is by custom.
var maskOf = map[string]string{"scl": "scl", "clm": "cloud", "is_valid": "valid"}

var (
	bandCode  = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(b(?:0[1-9]|1[0-2]|8a)|vv|vh)$`)
	parenthes = regexp.MustCompile(`\(.*\)$`)
)

// bandByName reads a producer's band name: "S2-L2A-B04", "B04", "red",
// "S1-SIGMA0-VH", "CLM(1=cloud)", "NDVI". What custom does not know keeps its own
// name in lower case and counts as Other.
func bandByName(name string) known {
	n := strings.ToLower(strings.TrimSpace(parenthes.ReplaceAllString(name, "")))
	if m := bandCode.FindStringSubmatch(n); m != nil {
		n = strings.ToLower(m[1])
	}
	if key, ok := sentinel2[n]; ok {
		return known{key, Optical}
	}
	if k, ok := byCustom[n]; ok {
		return k
	}
	for _, common := range sentinel2 {
		if n == common {
			return known{n, Optical}
		}
	}
	return known{n, Other}
}
