package influx

import (
	"math"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/iot"
)

const measurement = "reading"

// checkNames refuses what line protocol or Flux cannot carry unharmed. Device ids of
// the register never have it.
func checkNames(names ...string) error {
	for _, n := range names {
		if !clean(n) {
			return ErrName.With("name", strconv.Quote(n))
		}
	}
	return nil
}

func clean(name string) bool {
	for i := range len(name) {
		switch name[i] {
		case '\n', '\r', 0:
			return false
		case '$':
			if strings.HasPrefix(name[i:], "${") {
				return false
			}
		}
	}
	return !strings.HasSuffix(name, `\`)
}

// appendLine writes one reading in line protocol, its origin as a code where it has
// one. Its tags stand in the order of their names, as the server sorts them.
func appendLine(b []byte, r *iot.Reading, code uint32) []byte {
	b = append(b, measurement+",tag_id="...)
	b = appendTag(b, r.Tag)
	b = append(b, ",tenant="...)
	b = appendTag(b, r.Tenant)
	b = append(b, " received="...)
	received := r.Received.UnixMilli()
	if code != 0 {
		received = received<<codeBits | int64(code)
	}
	b = strconv.AppendInt(b, received, 10)
	b = append(b, 'i')
	if code == 0 {
		b = appendText(b, `,gateway="`, r.Gateway)
		b = appendText(b, `,source="`, r.Source)
	}
	place, packed := packPlace(r)
	if packed {
		b = strconv.AppendInt(append(b, ","+placeField+"="...), place, 10)
		b = append(b, 'i')
	}
	for i, f := range floats(r) {
		if v := *f.value; v != nil && (!packed || i >= 2) {
			b = append(b, ',')
			b = append(b, f.name...)
			b = append(b, '=')
			b = appendNumber(b, *v)
		}
	}
	if r.Attached != nil {
		b = append(b, ",attached="...)
		b = append(b, "ft"[btoi(*r.Attached)])
	}
	b = appendCount(b, ",seq=", r.Seq)
	b = appendCount(b, ",heads=", r.Heads)
	b = append(b, ' ')
	b = strconv.AppendInt(b, r.At.UnixMilli(), 10)
	return append(b, '\n')
}

func btoi(v bool) int {
	if v {
		return 1
	}
	return 0
}

func appendTag(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c == ',' || c == ' ' || c == '=' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}

// appendText writes a text field that begins with start; nothing for "".
func appendText(b []byte, start, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, start...)
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func appendCount(b []byte, start string, v *int64) []byte {
	if v == nil {
		return b
	}
	b = append(b, start...)
	b = strconv.AppendInt(b, *v, 10)
	return append(b, 'i')
}

// A position stands in one whole number, because InfluxDB pays for every field: its
// longitude and latitude in units of 1e-7 degrees (1 cm), counted from the south-west
// corner of the world, the latitude in the low bits. A position that is finer or
// outside the world stands in the two fields lon and lat, as all did before.
const (
	placeField = "place"
	placeUnit  = 1e7
	latBits    = 31
	lonWest    = 180 * placeUnit
	latSouth   = 90 * placeUnit
)

// packPlace is the field of a reading's position; false when it has none or would not
// read back to the bit.
func packPlace(r *iot.Reading) (int64, bool) {
	if r.Lon == nil || r.Lat == nil {
		return 0, false
	}
	x, okX := units(*r.Lon, lonWest)
	y, okY := units(*r.Lat, latSouth)
	return (x+lonWest)<<latBits | (y + latSouth), okX && okY
}

// units is v in units of 1e-7, if it is a whole number of them and at most so many.
func units(v float64, most int64) (int64, bool) {
	n, ok := whole(v)
	return n, ok && -most <= n && n <= most
}

// unpackPlace reads what packPlace made.
func unpackPlace(place int64) (lon, lat float64) {
	return float64(place>>latBits-lonWest) / placeUnit, float64(place&(1<<latBits-1)-latSouth) / placeUnit
}

// decimals is how many digits after the point appendNumber writes without looking
// for the shortest text: those of a position in units of 1 cm.
const decimals = 7

// appendNumber writes v so that it reads back as v. Nearly every measurement is a
// whole number of ten-millionths: such a text is made several times faster than the
// shortest one is found, and is the same.
func appendNumber(b []byte, v float64) []byte {
	const unit = placeUnit
	n, ok := whole(v)
	if !ok {
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/unit, 10)
	rest := n % unit
	if rest == 0 {
		return b
	}
	var digits [decimals]byte
	for i := decimals - 1; i >= 0; i-- {
		digits[i] = byte('0' + rest%10)
		rest /= 10
	}
	last := decimals
	for digits[last-1] == '0' {
		last--
	}
	b = append(b, '.')
	return append(b, digits[:last]...)
}

// whole is v in ten-millionths; false when it is no whole number of them.
func whole(v float64) (int64, bool) {
	scaled := v * placeUnit
	if !(math.Abs(scaled) < 1<<53) || v == 0 && math.Signbit(v) {
		return 0, false
	}
	n := int64(math.Round(scaled))
	return n, float64(n)/placeUnit == v
}

type floatField struct {
	name  string
	value **float64
}

// floats are the fields that hold a number with a fraction; the position comes first.
func floats(r *iot.Reading) [12]floatField {
	return [...]floatField{{"lon", &r.Lon}, {"lat", &r.Lat}, {"acc_m", &r.Accuracy}, {"temp_c", &r.Temp},
		{"ambient_c", &r.Ambient}, {"activity", &r.Activity}, {"battery_v", &r.Battery}, {"lying_s", &r.Lying},
		{"grazing_s", &r.Grazing}, {"walking_s", &r.Walking}, {"ruminating_s", &r.Ruminating}, {"weight_kg", &r.Weight}}
}
