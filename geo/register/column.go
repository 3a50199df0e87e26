package register

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/geo"
)

// The columns in which files name what we need, in the order in which they are
// tried: ours, those of the Chinese land-contract survey (NY/T 2539), plain ones.
var columns = map[string][]string{
	"name":     {"name", "dkmc", "地块名称", "名称", "地块名", "dkbm", "地块编码", "地块代码", "id"},
	"owner":    {"owner_name", "owner", "holder", "farmer", "cbfmc", "承包方名称", "承包方代表", "承包方", "承包人", "户主", "户主姓名", "农户姓名", "农户", "姓名"},
	"owner_id": {"owner_id", "holder_id", "farmer_id", "cbfbm", "承包方编码", "承包方代码", "农户编码", "农户编号", "户编号"},
	"region":   {"region", "xzqdm", "行政区代码", "县代码", "区划代码"},
	"crop":     {"crop", "declared_crop", "zzzw", "作物", "作物名称", "种植作物", "种植作物名称", "种植品种"},
}

// areas are the columns with the area that is claimed, the contracted one before
// the measured one, with their unit in m²; 0 where the header does not say.
var areas = []struct {
	name string
	m2   float64
}{
	{"claimed_m2", 1}, {"claimed_mu", geo.M2PerMu},
	{"htmjm", geo.M2PerMu}, {"htmj", 1}, {"合同面积", 0}, {"合同面积亩", geo.M2PerMu}, {"承包面积", 0}, {"承包面积亩", geo.M2PerMu},
	{"确权面积", 0}, {"确权面积亩", geo.M2PerMu}, {"投保面积", 0}, {"申报面积", 0}, {"种植面积", 0},
	{"scmjm", geo.M2PerMu}, {"scmj", 1}, {"实测面积亩", geo.M2PerMu}, {"实测面积", 0},
	{"area_mu", geo.M2PerMu}, {"mu", geo.M2PerMu}, {"亩数", geo.M2PerMu}, {"面积亩", geo.M2PerMu},
	{"area_m2", 1}, {"area_ha", 10000}, {"公顷", 10000}, {"面积", 0}, {"area", 0},
}

// units are how headers and cells write them, longest first.
var units = []struct {
	word string
	m2   float64
}{
	{"平方米", 1}, {"公顷", 10000}, {"市亩", geo.M2PerMu}, {"sqm", 1}, {"m2", 1}, {"ha", 10000}, {"mu", geo.M2PerMu}, {"亩", geo.M2PerMu}, {"㎡", 1}, {"m²", 1},
}

// header is what a column says of itself: its name in the form of the tables above
// and the unit in m² that it states in brackets or at its end, 0 for none.
func header(s string) (name string, unit float64) {
	s = strings.ToLower(strings.TrimSpace(width.Narrow.String(strings.ToValidUTF8(s, ""))))
	s = strings.ReplaceAll(s, "m^2", "m2")
	if i := strings.IndexAny(s, "([【/"); i > 0 {
		inside := strings.Trim(s[i:], "()[]【】/ ")
		for _, u := range units {
			if inside == u.word || strings.HasPrefix(u.word, inside) && len(inside) >= 3 { // Shapefiles cut names off
				unit = u.m2
				break
			}
		}
		s = s[:i]
	}
	return strings.TrimSpace(s), unit
}

// finder knows in which columns of a file things stand.
type finder struct {
	names map[string][]string // what we need -> columns, in the order to try
	areas []areaColumn
}

type areaColumn struct {
	key  string
	unit float64 // m²; 0 when nothing says it
}

// find looks the columns of a file up, whatever their case.
func find(keys []string) finder {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	f := finder{names: map[string][]string{}}
	type column struct {
		key, name string
		unit      float64
	}
	var all []column
	for _, k := range keys {
		name, unit := header(k)
		all = append(all, column{k, name, unit})
	}
	for what, wanted := range columns {
		for _, w := range wanted {
			for _, c := range all {
				if c.name == w {
					f.names[what] = append(f.names[what], c.key)
				}
			}
		}
	}
	for _, w := range areas {
		for _, c := range all {
			if c.name == w.name {
				unit := w.m2
				if c.unit != 0 {
					unit = c.unit
				}
				f.areas = append(f.areas, areaColumn{c.key, unit})
			}
		}
	}
	return f
}

// field is the first value that is filled in.
func (f finder) field(ft Feature, what string) string {
	for _, k := range f.names[what] {
		if v := ft.Fields[k]; v != "" {
			return v
		}
	}
	return ""
}

// claim is an area as a file states it, in m² when unit is known.
type claim struct {
	value  float64
	column int     // of finder.areas
	unit   float64 // m²; 0 when nothing says it
}

// claimed is the area that the first filled column states; false when none does.
func (f finder) claimed(ft Feature) (claim, bool) {
	for i, c := range f.areas {
		v, unit, ok := quantity(ft.Fields[c.key])
		if !ok {
			continue
		}
		if unit == 0 {
			unit = c.unit
		}
		return claim{v, i, unit}, true
	}
	return claim{}, false
}

// quantity reads "3.52", "1,234.5 ㎡" or "３．５亩": a positive number and its unit
// in m², 0 where there is none.
func quantity(s string) (v, unit float64, ok bool) {
	s = strings.ToLower(strings.TrimSpace(width.Narrow.String(s)))
	for _, u := range units {
		if t, found := strings.CutSuffix(s, u.word); found {
			s, unit = strings.TrimSpace(t), u.m2
			break
		}
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil || !(v > 0 && v < 1e12) {
		return 0, 0, false
	}
	return v, unit, true
}

// unitOf guesses the unit of a column that does not say it from how its numbers
// stand to the drawn areas: the unit in which the middle one of the quotients is
// nearest to one, if it is within a factor of three; else 0.
func unitOf(ratios []float64) float64 {
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	middle := ratios[len(ratios)/2]
	best, off := 0.0, math.Log(3)
	for _, u := range []float64{1, geo.M2PerMu, 10000} {
		if d := math.Abs(math.Log(middle * u)); d < off {
			best, off = u, d
		}
	}
	return best
}
