package codec

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

// Major types of RFC 8949.
const (
	cborUint   = 0
	cborNegint = 1
	cborBytes  = 2
	cborText   = 3
	cborArray  = 4
	cborMap    = 5
	cborTag    = 6
	cborSimple = 7
)

// isCBOR tells CBOR from JSON by its first byte: an array, a map or a tag. None of
// them begins a JSON text.
func isCBOR(payload []byte) bool {
	return len(payload) > 0 && payload[0] >= cborArray<<5 && payload[0] < cborSimple<<5
}

// cborReader walks CBOR once. As of decoder, the first failure stays.
type cborReader struct {
	b   []byte
	i   int
	why string
	at  int
}

func (c *cborReader) fail(why string) {
	if c.why == "" {
		c.why, c.at = why, min(c.i, len(c.b))
	}
	c.i = len(c.b)
}

// head reads the first bytes of a value: its major type, how its argument was
// written, and the argument.
func (c *cborReader) head() (major, info byte, arg uint64) {
	if c.i >= len(c.b) {
		c.fail("it ends too early")
		return 0, 0, 0
	}
	major, info = c.b[c.i]>>5, c.b[c.i]&31
	if info >= 28 {
		if info == 31 {
			c.fail("lengths must be given: indefinite ones are not taken")
		} else {
			c.fail("a value has a reserved form")
		}
		return 0, 0, 0
	}
	c.i++
	if info < 24 {
		return major, info, uint64(info)
	}
	size := 1 << (info - 24)
	if len(c.b)-c.i < size {
		c.fail("it ends too early")
		return 0, 0, 0
	}
	for _, b := range c.b[c.i : c.i+size] {
		arg = arg<<8 | uint64(b)
	}
	c.i += size
	return major, info, arg
}

// count reads how many elements of at least size bytes follow.
func (c *cborReader) count(arg uint64, size int) int {
	if arg > uint64((len(c.b)-c.i)/size) {
		c.fail("it ends too early")
		return 0
	}
	return int(arg) // no more than the payload has bytes
}

// bytes reads the content of a text or byte string.
func (c *cborReader) bytes(arg uint64) []byte {
	n := c.count(arg, 1)
	s := c.b[c.i : c.i+n]
	c.i += n
	return s
}

// text reads the content of a text; it must be UTF-8.
func (c *cborReader) text(arg uint64) []byte {
	at := c.i
	s := c.bytes(arg)
	if !utf8.Valid(s) {
		c.i = at
		c.fail("text is not UTF-8")
	}
	return s
}

// number reads a number, a truth or null; anything else is skipped and kindOther.
func (c *cborReader) number() (float64, kind) {
	start := c.i
	major, info, arg := c.head()
	switch {
	case c.why != "":
		return 0, kindBad
	case major == cborUint:
		return float64(arg), kindNumber
	case major == cborNegint:
		return -1 - float64(arg), kindNumber
	case major != cborSimple:
		c.i = start
		c.skip(0)
		return 0, kindOther
	}
	switch info {
	case 20:
		return 0, kindFalse
	case 21:
		return 1, kindTrue
	case 22, 23: // null, undefined
		return 0, kindNull
	case 25:
		return half(uint16(arg)), kindNumber
	case 26:
		return float64(math.Float32frombits(uint32(arg))), kindNumber
	case 27:
		return math.Float64frombits(arg), kindNumber
	}
	if info == 24 && arg < 32 {
		c.fail("a simple value has a reserved form")
	}
	return 0, kindOther
}

// half is the value of a half-precision float (RFC 8949, appendix D).
func half(h uint16) float64 {
	exp, mant := int(h>>10&31), float64(h&1023)
	x := math.Inf(1)
	switch {
	case exp == 0:
		x = math.Ldexp(mant, -24)
	case exp != 31:
		x = math.Ldexp(mant+1024, exp-25)
	case mant != 0:
		x = math.NaN()
	}
	if h>>15 != 0 {
		x = -x
	}
	return x
}

// skip passes over one value.
func (c *cborReader) skip(depth int) {
	if depth > maxDepth {
		c.fail("it is nested too deeply")
		return
	}
	major, info, arg := c.head()
	switch major {
	case cborBytes:
		c.bytes(arg)
	case cborText:
		c.text(arg)
	case cborArray, cborMap:
		each := int(major - cborArray + 1)
		for n := c.count(arg, each) * each; n > 0 && c.why == ""; n-- {
			c.skip(depth + 1)
		}
	case cborTag:
		c.skip(depth + 1)
	case cborSimple:
		if info == 24 && arg < 32 {
			c.fail("a simple value has a reserved form")
		}
	}
}

// DecodeCBOR reads a message of docs/formats/cbor.md, one map or an array of them,
// and appends its readings to dst. It refuses as [Decode] does.
func DecodeCBOR(payload []byte, dst []Item) ([]Item, error) {
	c := cborReader{b: payload}
	if len(payload) > MaxBytes {
		return dst, errTooLong
	}
	start := len(dst)
	if len(payload) >= 3 && payload[0] == 0xd9 && payload[1] == 0xd9 && payload[2] == 0xf7 {
		c.i = 3 // "this is CBOR": tag 55799
	}
	if c.i < len(c.b) && c.b[c.i]>>5 == cborArray {
		_, _, arg := c.head()
		if arg > MaxReadings {
			return dst, ErrTooMany.With("max", MaxReadings)
		}
		for n := c.count(arg, 1); n > 0 && c.why == ""; n-- {
			dst = append(dst, c.reading())
		}
	} else {
		dst = append(dst, c.reading())
	}
	if c.why == "" && c.i < len(c.b) {
		c.fail("there are bytes after the end")
	}
	if c.why != "" {
		return dst[:start], ErrPayload.With("why", c.why).With("at", c.at)
	}
	return dst, nil
}

// key reads a map's key: a field's number or name; 0 for an unknown one.
func (c *cborReader) key() profile.Field {
	at := c.i
	switch major, _, arg := c.head(); major {
	case cborUint:
		return profile.ByNumber(arg)
	case cborNegint:
	case cborText:
		return profile.ByName(string(c.text(arg)))
	default:
		c.i = at
		c.fail("a key must be a name or a whole number")
	}
	return 0
}

// reading reads one map.
func (c *cborReader) reading() Item {
	var it Item
	start := c.i
	major, _, arg := c.head()
	if c.why == "" && major != cborMap {
		c.i = start
		c.fail("expected a map")
	}
	var seen [profile.Motion + 1]bool
	bad := func(f profile.Field, why string) {
		if it.Err == nil {
			it.Err = ErrField.With("field", f).With("why", why)
		}
	}
	v, hasTime := new(values), false
	it.Reading.Source = string(CBOR)
	for n := c.count(arg, 2); n > 0 && c.why == ""; n-- {
		f := c.key()
		if f != 0 && seen[f] {
			bad(f, "it is given twice")
		}
		seen[f] = true
		switch f {
		case 0:
			c.skip(0)
		case profile.Tag:
			c.tag(&it.Reading, bad)
		case profile.Motion:
			it.Reading.Motion = c.motion(bad)
		default:
			if c.measure(f, &it.Reading, v, bad) && f == profile.Time {
				hasTime = true
			}
		}
	}
	it.check(hasTime)
	it.Raw = c.b[start:c.i]
	return it
}

// measure reads a number into field f; false when it is absent or refused.
func (c *cborReader) measure(f profile.Field, r *iot.Reading, v *values, bad func(profile.Field, string)) bool {
	x, kind := c.number()
	truth := kind == kindTrue || kind == kindFalse
	switch {
	case kind == kindNull || kind == kindBad:
		return false
	case f == profile.Attached && !truth:
		bad(f, "it must be true or false")
	case f != profile.Attached && kind != kindNumber:
		bad(f, "it must be a number")
	case !f.Fits(x):
		bad(f, f.Problem(x))
	default:
		v.set(f, r, x)
		return true
	}
	return false
}

// set is [profile.Field.Set] with the memory of v for what most readings have.
func (v *values) set(f profile.Field, r *iot.Reading, x float64) {
	put := func(to **float64, at *float64) { *at, *to = x, at }
	switch f {
	case profile.Lon:
		put(&r.Lon, &v.lon)
	case profile.Lat:
		put(&r.Lat, &v.lat)
	case profile.Accuracy:
		put(&r.Accuracy, &v.acc)
	case profile.Temp:
		put(&r.Temp, &v.temp)
	case profile.Ambient:
		put(&r.Ambient, &v.ambient)
	case profile.Activity:
		put(&r.Activity, &v.activity)
	case profile.Battery:
		put(&r.Battery, &v.battery)
	case profile.Attached:
		v.attached, r.Attached = x != 0, &v.attached
	case profile.Seq:
		v.seq, r.Seq = int64(x), &v.seq
	default:
		f.Set(r, x)
	}
}

func (c *cborReader) tag(r *iot.Reading, bad func(profile.Field, string)) {
	start := c.i
	major, info, arg := c.head()
	switch {
	case c.why != "" || major == cborSimple && (info == 22 || info == 23):
	case major != cborText:
		c.i = start
		c.skip(0)
		bad(profile.Tag, "it must be text")
	default:
		if tag := string(c.text(arg)); iot.ValidDeviceID(tag) {
			r.Tag = tag
		} else {
			bad(profile.Tag, whyTag)
		}
	}
}

// motion reads {"hz": 10, "xyz": [[x, y, z], ...]}, or with the keys 1 and 2.
func (c *cborReader) motion(bad func(profile.Field, string)) *iot.Motion {
	start := c.i
	major, info, arg := c.head()
	if major != cborMap {
		if major == cborSimple && (info == 22 || info == 23) {
			return nil
		}
		c.i = min(start, c.i)
		c.skip(0)
		bad(profile.Motion, "it must be a map")
		return nil
	}
	m, why := &iot.Motion{}, ""
	for n := c.count(arg, 2); n > 0 && c.why == ""; n-- {
		at := c.i
		major, _, arg := c.head()
		name := ""
		switch {
		case major == cborText:
			name = string(c.text(arg))
		case major == cborUint && arg == 1:
			name = "hz"
		case major == cborUint && arg == 2:
			name = "xyz"
		case major != cborUint && major != cborNegint:
			c.i = at
			c.fail("a key must be a name or a whole number")
		}
		switch name {
		case "hz":
			x, kind := c.number()
			if kind != kindNumber {
				why = "hz must be a number"
			}
			m.Hz = x
		case "xyz":
			if !c.samples(m) {
				why = "xyz must be a list of at most 3000 samples of three numbers"
			}
		default:
			c.skip(0)
		}
	}
	if why == "" {
		why = profile.MotionProblem(m)
	}
	if why != "" {
		bad(profile.Motion, why)
		return nil
	}
	return m
}

// samples reads [[x, y, z], ...]; false when it is something else or too long.
func (c *cborReader) samples(m *iot.Motion) (ok bool) {
	start := c.i
	major, _, arg := c.head()
	if major != cborArray || arg > profile.MaxSamples {
		c.i = min(start, c.i)
		c.skip(0)
		return false
	}
	m.XYZ = make([][3]float64, c.count(arg, 1))
	ok = true
	for i := range m.XYZ {
		at := c.i
		major, _, arg := c.head()
		if major != cborArray || arg != 3 {
			c.i = min(at, c.i)
			c.skip(0)
			ok = false
			continue
		}
		for axis := range 3 {
			x, kind := c.number()
			ok = ok && kind == kindNumber
			m.XYZ[i][axis] = x
		}
	}
	return ok
}

// AppendCBOR writes r as one map with the fields' numbers as keys, without the
// fields that the house adds.
func AppendCBOR(dst []byte, r iot.Reading) []byte {
	type entry struct {
		f profile.Field
		x float64
	}
	var entries []entry
	number := func(f profile.Field, v *float64) {
		if v != nil {
			entries = append(entries, entry{f, *v})
		}
	}
	number(profile.Lon, r.Lon)
	number(profile.Lat, r.Lat)
	number(profile.Accuracy, r.Accuracy)
	number(profile.Temp, r.Temp)
	number(profile.Ambient, r.Ambient)
	number(profile.Activity, r.Activity)
	number(profile.Battery, r.Battery)
	if r.Seq != nil {
		entries = append(entries, entry{profile.Seq, float64(*r.Seq)})
	}
	number(profile.Lying, r.Lying)
	number(profile.Grazing, r.Grazing)
	number(profile.Walking, r.Walking)
	number(profile.Ruminating, r.Ruminating)
	number(profile.Weight, r.Weight)
	if r.Heads != nil {
		entries = append(entries, entry{profile.Heads, float64(*r.Heads)})
	}
	n := len(entries) + 1
	for _, present := range []bool{r.Tag != "", r.Attached != nil, r.Motion != nil} {
		if present {
			n++
		}
	}
	dst = appendHead(dst, cborMap, uint64(n))
	if r.Tag != "" {
		dst = appendHead(append(dst, byte(profile.Tag)), cborText, uint64(len(r.Tag)))
		dst = append(dst, r.Tag...)
	}
	dst = appendNumber(append(dst, byte(profile.Time)), float64(r.At.UnixMilli()))
	for _, e := range entries {
		dst = appendNumber(append(dst, byte(e.f)), e.x)
	}
	if r.Attached != nil {
		dst = append(dst, byte(profile.Attached), cborSimple<<5|20)
		if *r.Attached {
			dst[len(dst)-1]++
		}
	}
	if r.Motion != nil {
		dst = append(dst, byte(profile.Motion), cborMap<<5|2, 1)
		dst = appendNumber(dst, r.Motion.Hz)
		dst = appendHead(append(dst, 2), cborArray, uint64(len(r.Motion.XYZ)))
		for _, s := range r.Motion.XYZ {
			dst = append(dst, cborArray<<5|3)
			for _, a := range s {
				dst = appendNumber(dst, a)
			}
		}
	}
	return dst
}

// AppendAllCBOR writes readings as one array.
func AppendAllCBOR(dst []byte, readings []iot.Reading) []byte {
	dst = appendHead(dst, cborArray, uint64(len(readings)))
	for _, r := range readings {
		dst = AppendCBOR(dst, r)
	}
	return dst
}

func appendHead(dst []byte, major byte, arg uint64) []byte {
	switch {
	case arg < 24:
		return append(dst, major<<5|byte(arg))
	case arg <= math.MaxUint8:
		return append(dst, major<<5|24, byte(arg))
	case arg <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major<<5|25), uint16(arg))
	case arg <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major<<5|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(dst, major<<5|27), arg)
}

// appendNumber writes x in the fewest bytes that keep it exact.
func appendNumber(dst []byte, x float64) []byte {
	switch {
	case x == math.Trunc(x) && math.Abs(x) <= 1<<53:
		if x < 0 {
			return appendHead(dst, cborNegint, uint64(-1-x))
		}
		return appendHead(dst, cborUint, uint64(x))
	case float64(float32(x)) == x:
		return binary.BigEndian.AppendUint32(append(dst, cborSimple<<5|26), math.Float32bits(float32(x)))
	}
	return binary.BigEndian.AppendUint64(append(dst, cborSimple<<5|27), math.Float64bits(x))
}
