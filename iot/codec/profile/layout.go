package profile

import (
	"fmt"
	"math"

	"github.com/furrowcredit/furrow/iot"
)

// layoutText is how the payload of one port is packed, as written in the file.
type layoutText struct {
	Size   int        `yaml:"size"`   // bytes of a payload
	Endian string     `yaml:"endian"` // "big" (default) or "little"
	Fields []partText `yaml:"fields"`
}

type partText struct {
	Field  string   `yaml:"field"`
	At     int      `yaml:"at"`   // first byte
	Type   string   `yaml:"type"` // u8 i8 u16 i16 u24 i24 u32 i32 f32
	Bits   []int    `yaml:"bits"` // first and last bit of it, 0 is the lowest
	Scale  *float64 `yaml:"scale"`
	Offset float64  `yaml:"offset"`
	None   *int64   `yaml:"none"` // the raw value that means "not measured"
}

// layout is a checked layoutText.
type layout struct {
	size   int
	little bool
	parts  []part
}

type part struct {
	key       Key
	at, bytes int
	signed    bool
	float     bool
	shift     int
	mask      uint32 // 0 takes all bits
	none      int64
	hasNone   bool
}

var types = map[string]part{
	"u8": {bytes: 1}, "i8": {bytes: 1, signed: true},
	"u16": {bytes: 2}, "i16": {bytes: 2, signed: true},
	"u24": {bytes: 3}, "i24": {bytes: 3, signed: true},
	"u32": {bytes: 4}, "i32": {bytes: 4, signed: true},
	"f32": {bytes: 4, float: true},
}

// maxPayload is the longest application payload of LoRaWAN, in bytes.
const maxPayload = 242

func (t *layoutText) compile() (layout, error) {
	if t == nil || t.Size < 1 || t.Size > maxPayload {
		return layout{}, wrong("a port needs its size, 1 to 242 bytes", "size")
	}
	if t.Endian != "" && t.Endian != "big" && t.Endian != "little" {
		return layout{}, wrong(`endian is "big" or "little"`, "endian")
	}
	if len(t.Fields) == 0 {
		return layout{}, wrong("a port needs at least one field", "fields")
	}
	l := layout{size: t.Size, little: t.Endian == "little"}
	seen := map[Field]bool{}
	for i, ft := range t.Fields {
		p, why := ft.compile(t.Size)
		if why == "" && seen[p.key.Field] {
			why = ft.Field + " is given twice"
		}
		if why != "" {
			return layout{}, wrong(why, "fields", i)
		}
		seen[p.key.Field] = true
		l.parts = append(l.parts, p)
	}
	if seen[Lon] != seen[Lat] {
		return layout{}, wrong("lon and lat go together", "fields")
	}
	return l, nil
}

func (t partText) compile(size int) (p part, why string) {
	p, known := types[t.Type]
	scale := 1.0
	if t.Scale != nil {
		scale = *t.Scale
	}
	f := ByName(t.Field)
	switch {
	case !f.measurable():
		return p, fmt.Sprintf("%q is not a field of a reading", t.Field)
	case !known:
		return p, fmt.Sprintf("type %q is not known; it is one of u8 i8 u16 i16 u24 i24 u32 i32 f32", t.Type)
	case t.At < 0 || t.At+p.bytes > size:
		return p, fmt.Sprintf("%s at %d is beyond the %d bytes of the payload", t.Type, t.At, size)
	case !usable(scale, t.Offset):
		return p, "scale must be a number other than 0, offset a number"
	case t.None != nil && p.float:
		return p, "none is for whole numbers; a float that is not a number is not measured anyway"
	}
	p.key, p.at = Key{f, newLinear(scale, t.Offset)}, t.At
	if t.Bits != nil {
		if p.signed || p.float {
			return p, "bits are taken of unsigned types only"
		}
		if len(t.Bits) != 2 || t.Bits[0] < 0 || t.Bits[1] < t.Bits[0] || t.Bits[1] >= 8*p.bytes {
			return p, fmt.Sprintf("bits are the first and the last, within 0 to %d", 8*p.bytes-1)
		}
		p.shift = t.Bits[0]
		p.mask = uint32(1<<(t.Bits[1]-t.Bits[0]+1) - 1)
	}
	if t.None != nil {
		p.none, p.hasNone = *t.None, true
	}
	return p, ""
}

// Decode reads the bytes that a device sent on a LoRaWAN port into r; what the
// profile says nothing of stays as it is. ErrNone, ErrPort, ErrBytes.
func (p *Profile) Decode(port int, data []byte, r *iot.Reading) error {
	if p == nil {
		return ErrNone
	}
	bad := func(why string) error {
		return ErrBytes.With("profile", p.Code).With("port", port).With("why", why)
	}
	l, ok := p.ports[port]
	switch {
	case !ok && p.lpp:
		if why := p.decodeLPP(data, r); why != "" {
			return bad(why)
		}
		return nil
	case !ok && len(p.ports) == 0:
		return ErrNone
	case !ok:
		return ErrPort.With("profile", p.Code).With("port", port)
	case len(data) != l.size:
		return bad(fmt.Sprintf("there are %d bytes, and it says %d", len(data), l.size))
	}
	for _, part := range l.parts {
		x, measured := part.value(data, l.little)
		if !measured {
			continue
		}
		if why := part.key.Set(r, x); why != "" {
			return bad(part.key.Field.String() + ": " + why)
		}
	}
	if (r.Lon == nil) != (r.Lat == nil) {
		return bad("lon and lat go together")
	}
	return nil
}

// value reads the raw number; false when it says "not measured".
func (p part) value(data []byte, little bool) (float64, bool) {
	raw := number(data[p.at:p.at+p.bytes], little)
	if p.float {
		x := float64(math.Float32frombits(raw))
		return x, !math.IsNaN(x)
	}
	n := int64(raw)
	if p.signed {
		n = signed(raw, p.bytes)
	}
	if p.mask != 0 {
		n = int64(raw >> p.shift & p.mask)
	}
	return float64(n), !p.hasNone || n != p.none
}

// number puts up to four bytes together.
func number(b []byte, little bool) (n uint32) {
	for i := range b {
		if little {
			n |= uint32(b[i]) << (8 * i)
		} else {
			n = n<<8 | uint32(b[i])
		}
	}
	return n
}

// signed reads raw as two's complement of so many bytes.
func signed(raw uint32, bytes int) int64 {
	unused := 32 - 8*bytes
	return int64(int32(raw<<unused) >> unused)
}
