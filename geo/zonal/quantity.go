package zonal

import "math"

// Quantity is something measured at every pixel. Where an item offers several
// ways to it, the first form whose bands the item has is taken.
type Quantity struct {
	Name  string
	Forms []Form
}

// Form computes a quantity from physical band values, given in the order of
// Bands; NaN means that the pixel says nothing. Bands without a value never
// reach Of. Without Of it is the value of the only band.
type Form struct {
	Bands      []string
	Of         func(v []float64) float64
	difference bool // Of is normalised: known without a call for each pixel
}

// Band is the value of one band itself: reflectance, or dB of radar. The mean of
// radar is that of the power, in dB: speckle is noise of the power, and a mean of
// decibels lies below it, by 2.5 dB in the extreme.
func Band(key string) Quantity {
	return Quantity{Name: key, Forms: []Form{{Bands: []string{key}}}}
}

// Where is 1 where test holds and 0 elsewhere, so that its mean is the share of
// the plot on which it holds.
func Where(name string, bands []string, test func(v []float64) bool) Quantity {
	return Quantity{Name: name, Forms: []Form{{Bands: bands, Of: func(v []float64) float64 {
		if test(v) {
			return 1
		}
		return 0
	}}}}
}

// Difference is the normalised difference (a-b)/(a+b) of two bands. Where the sum
// is not positive it says nothing.
func Difference(name, a, b string) Quantity {
	return Quantity{Name: name, Forms: []Form{{Bands: []string{a, b}, Of: normalised, difference: true}}}
}

func normalised(v []float64) float64 {
	s := v[0] + v[1]
	if s <= 0 {
		return math.NaN()
	}
	return (v[0] - v[1]) / s
}

// NDVI is (nir-red)/(nir+red), or the band "ndvi" where the item brings it
// ready-made (Rouse 1974).
func NDVI() Quantity {
	q := Difference("ndvi", "nir", "red")
	q.Forms = append(q.Forms, Band("ndvi").Forms...)
	return q
}

// NDWI is (green-nir)/(green+nir), for open water (McFeeters 1996).
func NDWI() Quantity { return Difference("ndwi", "green", "nir") }

// MNDWI is (green-swir16)/(green+swir16), for open water beside buildings
// (Xu 2006).
func MNDWI() Quantity { return Difference("mndwi", "green", "swir16") }

// NDMI is (nir-swir16)/(nir+swir16), the moisture of leaves (Gao 1996).
func NDMI() Quantity { return Difference("ndmi", "nir", "swir16") }
