package scene

import "strings"

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

// maskByName returns the classes of the masks that a layout can name.
func maskByName(name string) ([]ClassOf, bool) {
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

// classByName reads the class from the words of a STAC classification, so that
// catalogues of other makers can be read.
func classByName(name string) Class {
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
	case has("no_data", "nodata", "no data", "defective", "saturated"):
		return NoData
	case has("snow", "ice_"):
		return Snow
	case has("not_cloud", "no_cloud", "cloud_free"):
		return Clear
	case has("cloud", "shadow", "cirrus", "haze"):
		return Cloud
	}
	return Clear
}

// classTable turns the list into a table by value. Values that the list does not
// name are no data: an unknown class must not pass as clear.
func classTable(list []ClassOf) func(v float64) Class {
	var table [256]Class
	for i := range table {
		table[i] = NoData
	}
	for _, c := range list {
		if c.Value >= 0 && c.Value < len(table) {
			table[c.Value] = c.Class
		}
	}
	return func(v float64) Class {
		if i := int(v); v >= 0 && v < float64(len(table)) && float64(i) == v {
			return table[i]
		}
		return NoData
	}
}
