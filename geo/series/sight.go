package series

import "github.com/furrowcredit/furrow/geo"

// Sight is one observation of a plot with what other bands say about it. A value
// that the scene cannot give is NaN.
type Sight struct {
	geo.Observation
	Water    float64 // share of the clear part under open water, 0..1
	Moisture float64 // NDMI of the leaves (Gao 1996)
	Yellow   float64 // NDYI, (green-blue)/(green+blue): rapeseed in flower (Sulik and Long 2016)
	VV       float64 // radar backscatter in dB
	VH       float64 // the same, cross-polarised
	Bare     float64 // share of the clear part with NDVI under 0.3, 0..1
}
