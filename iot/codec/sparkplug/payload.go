// Package sparkplug reads and writes Sparkplug B payloads and keeps what their
// births define: names, aliases and types of metrics (docs/formats/sparkplug.md).
// Source: Eclipse Sparkplug specification 3.0.
package sparkplug

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// DataType is a metric's type, by the numbers of the specification.
type DataType uint32

// The types that hold a number or a truth; others are not decoded.
const (
	Int8     DataType = 1
	Int16    DataType = 2
	Int32    DataType = 3
	Int64    DataType = 4
	UInt8    DataType = 5
	UInt16   DataType = 6
	UInt32   DataType = 7
	UInt64   DataType = 8
	Float    DataType = 9
	Double   DataType = 10
	Boolean  DataType = 11
	String   DataType = 12
	DateTime DataType = 13
)

// Limits of a payload.
const (
	MaxMetrics = 10_000
	maxName    = 1024 // bytes
	maxTime    = 1 << 53
)

// wire says in which member of the payload a metric's value stood.
type wire byte

const (
	wireNone wire = iota
	wireInt
	wireLong
	wireFloat
	wireDouble
	wireBool
	wireOther
)

// Payload is one Sparkplug B message.
type Payload struct {
	Time    time.Time // zero when it has none
	Seq     uint64    // of an absent one 0: protobuf leaves out zeros
	Metrics []Metric
}

// Metric is one value of a payload. Either its name or its alias is there, or both.
type Metric struct {
	Name       string
	Alias      *uint64
	Time       time.Time // zero when it has none of its own
	Type       DataType  // 0 when it is left to the birth
	Historical bool
	Null       bool
	wire       wire
	bits       uint64
}

// NewMetric makes a metric that holds x as the type says.
func NewMetric(name string, t DataType, x float64, at time.Time) Metric {
	m := Metric{Name: name, Type: t, Time: at}
	switch t {
	case Float:
		m.wire, m.bits = wireFloat, uint64(math.Float32bits(float32(x)))
	case Double:
		m.wire, m.bits = wireDouble, math.Float64bits(x)
	case Boolean:
		m.wire = wireBool
		if x != 0 {
			m.bits = 1
		}
	case Int8, Int16, Int32, UInt8, UInt16, UInt32:
		m.wire, m.bits = wireInt, uint64(uint32(int64(x)))
	case Int64:
		m.wire, m.bits = wireLong, uint64(int64(x))
	case UInt64, DateTime:
		m.wire, m.bits = wireLong, uint64(x)
	default:
		m.wire = wireOther
	}
	return m
}

// number reads the metric's value as t; ok is false when the value cannot be of
// that type, as when the edge node has changed its aliases unheard.
func (m Metric) number(t DataType) (x float64, numeric, ok bool) {
	switch t {
	case Int8, Int16, Int32, UInt8, UInt16, UInt32, Int64, UInt64, DateTime:
		if m.wire != wireInt && m.wire != wireLong {
			return 0, false, false
		}
	case Float, Double:
		if m.wire != wireFloat && m.wire != wireDouble {
			return 0, false, false
		}
	case Boolean:
		return float64(m.bits), m.wire == wireBool, m.wire == wireBool
	case 0: // nobody said; a float or a truth speaks for itself, an integer has no sign
		if m.wire == wireInt || m.wire == wireLong || m.wire == wireNone {
			return 0, false, false
		}
	default:
		return 0, false, m.wire == wireOther || m.wire == wireNone
	}
	return m.value(t), m.wire != wireOther, true
}

// value is the number that the metric holds; the type tells the sign of an integer.
func (m Metric) value(t DataType) float64 {
	switch m.wire {
	case wireFloat:
		return float64(math.Float32frombits(uint32(m.bits)))
	case wireDouble:
		return math.Float64frombits(m.bits)
	case wireNone, wireInt, wireLong, wireBool, wireOther:
	}
	switch t {
	case Int8:
		return float64(int8(m.bits))
	case Int16:
		return float64(int16(m.bits))
	case Int32:
		return float64(int32(m.bits))
	case Int64:
		return float64(int64(m.bits))
	default:
		return float64(m.bits)
	}
}

// SyntaxError is a payload that is not Sparkplug B.
type SyntaxError struct {
	Why string
	At  int // byte
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Why, e.At) }

// reader walks the fields of one protobuf message; base is where it begins in the
// payload.
type reader struct {
	b    []byte
	i    int
	base int
}

func (r *reader) bad(why string) error { return &SyntaxError{why, r.base + r.i} }

// field reads a tag; done at the end.
func (r *reader) field() (n protowire.Number, t protowire.Type, done bool, err error) {
	if r.i >= len(r.b) {
		return 0, 0, true, nil
	}
	n, t, size := protowire.ConsumeTag(r.b[r.i:])
	if size < 0 {
		return 0, 0, false, r.bad("a field is malformed")
	}
	r.i += size
	return n, t, false, nil
}

func (r *reader) skip(n protowire.Number, t protowire.Type) error {
	size := protowire.ConsumeFieldValue(n, t, r.b[r.i:])
	if size < 0 {
		return r.bad("a value is malformed")
	}
	r.i += size
	return nil
}

// scalar reads a varint, or a fixed number of the width that t says.
func (r *reader) scalar(t, want protowire.Type) (uint64, error) {
	if t != want {
		return 0, r.bad("a value has the wrong type")
	}
	var v uint64
	size := -1
	switch t {
	case protowire.VarintType:
		v, size = protowire.ConsumeVarint(r.b[r.i:])
	case protowire.Fixed32Type:
		var v32 uint32
		v32, size = protowire.ConsumeFixed32(r.b[r.i:])
		v = uint64(v32)
	case protowire.Fixed64Type:
		v, size = protowire.ConsumeFixed64(r.b[r.i:])
	default: // nothing else is a number
	}
	if size < 0 {
		return 0, r.bad("a value is malformed")
	}
	r.i += size
	return v, nil
}

func (r *reader) bytes(t protowire.Type) ([]byte, error) {
	if t != protowire.BytesType {
		return nil, r.bad("a value has the wrong type")
	}
	v, size := protowire.ConsumeBytes(r.b[r.i:])
	if size < 0 {
		return nil, r.bad("a value is malformed")
	}
	r.i += size
	return v, nil
}

func (r *reader) time(t protowire.Type) (time.Time, error) {
	ms, err := r.scalar(t, protowire.VarintType)
	if err == nil && ms > maxTime {
		err = r.bad("a time is beyond all calendars")
	}
	return time.UnixMilli(int64(ms)).UTC(), err
}

// Decode reads a payload. Errors are *SyntaxError.
func Decode(b []byte) (Payload, error) {
	var p Payload
	r := &reader{b: b}
	for {
		n, t, done, err := r.field()
		if done || err != nil {
			return p, err
		}
		switch n {
		case 1:
			p.Time, err = r.time(t)
		case 2:
			if len(p.Metrics) == MaxMetrics {
				return p, r.bad("there are more than 10000 metrics")
			}
			var inner []byte
			if inner, err = r.bytes(t); err == nil {
				var m Metric
				m, err = decodeMetric(&reader{b: inner, base: r.i - len(inner)})
				p.Metrics = append(p.Metrics, m)
			}
		case 3:
			p.Seq, err = r.scalar(t, protowire.VarintType)
			if err == nil && p.Seq > 255 {
				err = r.bad("seq must be 0 to 255")
			}
		default:
			err = r.skip(n, t)
		}
		if err != nil {
			return p, err
		}
	}
}

func decodeMetric(r *reader) (m Metric, err error) {
	for {
		n, t, done, err := r.field()
		if done || err != nil {
			return m, err
		}
		value := func(w wire, want protowire.Type) {
			m.wire = w
			m.bits, err = r.scalar(t, want)
		}
		var flag uint64
		switch n {
		case 1:
			var name []byte
			name, err = r.bytes(t)
			if err == nil && (len(name) > maxName || !utf8.Valid(name)) {
				err = r.bad("a metric's name is too long or not UTF-8")
			}
			m.Name = string(name)
		case 2:
			var alias uint64
			alias, err = r.scalar(t, protowire.VarintType)
			m.Alias = &alias
		case 3:
			m.Time, err = r.time(t)
		case 4:
			flag, err = r.scalar(t, protowire.VarintType)
			m.Type = DataType(min(flag, math.MaxUint32))
		case 5:
			flag, err = r.scalar(t, protowire.VarintType)
			m.Historical = flag != 0
		case 7:
			flag, err = r.scalar(t, protowire.VarintType)
			m.Null = flag != 0
		case 10:
			value(wireInt, protowire.VarintType)
			m.bits = uint64(uint32(m.bits)) // as protobuf does with a longer number
		case 11:
			value(wireLong, protowire.VarintType)
		case 12:
			value(wireFloat, protowire.Fixed32Type)
		case 13:
			value(wireDouble, protowire.Fixed64Type)
		case 14:
			value(wireBool, protowire.VarintType)
			m.bits = min(m.bits, 1)
		case 15, 16, 17, 18, 19: // text, bytes, data sets, templates, extensions
			m.wire, m.bits = wireOther, 0 // of several values the last counts
			err = r.skip(n, t)
		default: // metadata, properties
			err = r.skip(n, t)
		}
		if err != nil {
			return m, err
		}
	}
}

// Append writes a payload.
func Append(dst []byte, p Payload) []byte {
	varint := func(n protowire.Number, v uint64) {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.VarintType), v)
	}
	if !p.Time.IsZero() {
		varint(1, uint64(p.Time.UnixMilli()))
	}
	for _, m := range p.Metrics {
		dst = protowire.AppendBytes(protowire.AppendTag(dst, 2, protowire.BytesType), appendMetric(nil, m))
	}
	varint(3, p.Seq)
	return dst
}

func appendMetric(dst []byte, m Metric) []byte {
	varint := func(n protowire.Number, v uint64) {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, n, protowire.VarintType), v)
	}
	if m.Name != "" {
		dst = protowire.AppendString(protowire.AppendTag(dst, 1, protowire.BytesType), m.Name)
	}
	if m.Alias != nil {
		varint(2, *m.Alias)
	}
	if !m.Time.IsZero() {
		varint(3, uint64(m.Time.UnixMilli()))
	}
	if m.Type != 0 {
		varint(4, uint64(m.Type))
	}
	if m.Historical {
		varint(5, 1)
	}
	if m.Null {
		varint(7, 1)
		return dst
	}
	switch m.wire {
	case wireInt:
		varint(10, m.bits)
	case wireLong:
		varint(11, m.bits)
	case wireFloat:
		dst = protowire.AppendFixed32(protowire.AppendTag(dst, 12, protowire.Fixed32Type), uint32(m.bits))
	case wireDouble:
		dst = protowire.AppendFixed64(protowire.AppendTag(dst, 13, protowire.Fixed64Type), m.bits)
	case wireBool:
		varint(14, m.bits)
	case wireOther:
		dst = protowire.AppendString(protowire.AppendTag(dst, 15, protowire.BytesType), "")
	case wireNone:
	}
	return dst
}
