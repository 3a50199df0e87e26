package tiff

import (
	"math"
	"unsafe"
)

// Number is a type of numbers that files store.
type Number interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32 | float32 | float64
}

// memory is the word for the type of a slice of numbers, its bytes, and one number
// for pixels that a file leaves out: nodata, or zero where there is none. No number
// comes back where the type cannot hold nodata. Other values give no word.
func memory(slice any, nodata *float64) (word string, b, fill []byte) {
	switch v := slice.(type) {
	case []uint8:
		return "uint8", raw(v), whole[uint8](nodata, 0, math.MaxUint8)
	case []int8:
		return "int8", raw(v), whole[int8](nodata, math.MinInt8, math.MaxInt8)
	case []uint16:
		return "uint16", raw(v), whole[uint16](nodata, 0, math.MaxUint16)
	case []int16:
		return "int16", raw(v), whole[int16](nodata, math.MinInt16, math.MaxInt16)
	case []uint32:
		return "uint32", raw(v), whole[uint32](nodata, 0, math.MaxUint32)
	case []int32:
		return "int32", raw(v), whole[int32](nodata, math.MinInt32, math.MaxInt32)
	case []float32:
		return "float32", raw(v), float[float32](nodata)
	case []float64:
		return "float64", raw(v), float[float64](nodata)
	}
	return "", nil, nil
}

// raw gives the bytes of numbers, in place.
func raw[T Number](v []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(one)))
}

func whole[T Number](nodata *float64, low, high float64) []byte {
	if nodata == nil {
		return raw([]T{0})
	}
	if !(*nodata >= low && *nodata <= high) || *nodata != math.Trunc(*nodata) {
		return nil
	}
	return raw([]T{T(*nodata)})
}

func float[T float32 | float64](nodata *float64) []byte {
	if nodata == nil {
		return raw([]T{0})
	}
	v := T(*nodata)
	if math.IsInf(float64(v), 0) {
		return nil
	}
	return raw([]T{v})
}
