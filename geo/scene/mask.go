package scene

import (
	"regexp"
	"strings"
)

// Class is what a mask says of a pixel.
type Class uint8

// The classes, from best to worst: where masks disagree the greater one holds.
const (
	Clear Class = iota
	Snow
	Cloud // cloud, its shadow, or haze
	NoData
)

// ClassOf names one value of a mask band.
type ClassOf struct {
	Value int
	Name  string
	Class Class
}

// SCL is the scene classification of Sentinel-2 L2A. Dropped are no data,
// defective, shadow, the three clouds and, reported apart, snow.
func SCL() []ClassOf {
	return []ClassOf{
		{0, "no_data", NoData},
		{1, "saturated_or_defective", NoData},
		{2, "dark_area", Clear},
		{3, "cloud_shadow", Cloud},
		{4, "vegetation", Clear},
		{5, "not_vegetated", Clear},
		{6, "water", Clear},
		{7, "unclassified", Clear},
		{8, "cloud_medium_probability", Cloud},
		{9, "cloud_high_probability", Cloud},
		{10, "thin_cirrus", Cloud},
		{11, "snow", Snow},
	}
}

// CloudMask is a mask with 1 where there is cloud.
func CloudMask() []ClassOf {
	return []ClassOf{{0, "clear", Clear}, {1, "cloud", Cloud}}
}

// ValidMask is a mask with 1 where the pixel can be used. What it rejects is
// counted as cloud: such masks do not tell why.
func ValidMask() []ClassOf {
	return []ClassOf{{0, "cloud_or_invalid", Cloud}, {1, "clear", Clear}}
}

// MaskByName returns the classes of the masks that a layout can name.
func MaskByName(name string) ([]ClassOf, bool) {
	switch name {
	case "scl":
		return SCL(), true
	case "cloud":
		return CloudMask(), true
	case "valid":
		return ValidMask(), true
	}
	return nil, false
}

// denial is a word for the absence of something: "not_cloud". "no_data" is none.
var denial = regexp.MustCompile(`^(?:not?|low)[ _](?:cloud|snow|shadow|cirrus|haze|fill|dilated|saturat)`)

// ClassByName reads the class from the words of a STAC classification, so that
// catalogues of other makers can be read.
func ClassByName(name string) Class {
	n := strings.ToLower(name)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(n, w) {
				return true
			}
		}
		return false
	}
	switch {
	case denial.MatchString(n), has("cloud_free"):
		return Clear
	case has("no_data", "nodata", "no data", "defective", "saturated", "fill"):
		return NoData
	case has("snow", "ice_"):
		return Snow
	case has("cloud", "shadow", "cirrus", "haze"):
		return Cloud
	}
	return Clear
}
