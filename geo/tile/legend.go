package tile

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/geo"
)

// Kind is a crop as the legend orders it: crops of a group have colours that are
// alike.
type Kind struct{ Code, Group string }

// Entry is a line of a legend: a code, or the lower end of a span of values.
type Entry struct {
	Code   string   `json:"code,omitempty"`
	From   *float64 `json:"from,omitempty"` // NDVI, or interquartile ranges above the median of the peers
	Colour string   `json:"colour"`         // #rrggbb
}

// Legend says what the colours of a layer mean; true colour has none. It returns
// [ErrLayer].
func (r *Renderer) Legend(l Layer) ([]Entry, error) {
	switch l {
	case TrueColor:
		return []Entry{}, nil
	case NDVI:
		bounds := make([]float64, len(ramp))
		for i := range bounds {
			bounds[i] = float64(i) / float64(len(ramp)-1)
		}
		return spans(ramp, bounds), nil
	case Growth:
		return append(spans(growthRamp, slices.Clone(growthSteps)), Entry{Code: "unknown", Colour: hex(unknown)}), nil
	case Hazard:
		var out []Entry
		for _, k := range []geo.HazardKind{geo.Flood, geo.Drought, geo.VigourLoss, geo.EarlyHarvest, geo.NeverSown, geo.Abandoned} {
			out = append(out, Entry{Code: string(k), Colour: hex(hazardColours[k])})
		}
		return out, nil
	case Crop:
		var out []Entry
		for _, k := range r.cfg.Crops {
			out = append(out, Entry{Code: k.Code, Colour: hex(r.crops.of(k.Code))})
		}
		return append(out, Entry{Code: "fallow", Colour: hex(fallow)}, Entry{Code: "unknown", Colour: hex(unknown)}), nil
	}
	return nil, ErrLayer.With("layer", string(l))
}

// spans are the colours of a ramp with the value at which each begins; the first
// has no lower end where there is one bound less than colours.
func spans(colours []color.NRGBA, bounds []float64) []Entry {
	out := make([]Entry, len(colours))
	for i, c := range colours {
		out[i].Colour = hex(c)
		if at := i - (len(colours) - len(bounds)); at >= 0 {
			out[i].From = &bounds[at]
		}
	}
	return out
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

var (
	unknown = color.NRGBA{0x9a, 0x9a, 0x9a, 0x70}
	fallow  = color.NRGBA{0xd8, 0xc8, 0xa8, 0xe0}
)

// growthRamp runs from red over yellow to blue (ColorBrewer's RdYlBu), growthSteps
// are the bounds between its colours.
var (
	growthRamp = []color.NRGBA{
		{0xd7, 0x19, 0x1c, 0xe0}, {0xfd, 0xae, 0x61, 0xe0}, {0xff, 0xff, 0xbf, 0xe0}, {0xab, 0xd9, 0xe9, 0xe0}, {0x2c, 0x7b, 0xb6, 0xe0},
	}
	growthSteps = []float64{-1.5, -0.5, 0.5, 1.5}
)

func growthColour(standing float64) color.NRGBA {
	i := 0
	for i < len(growthSteps) && standing >= growthSteps[i] {
		i++
	}
	return growthRamp[i]
}

// hazardColours are those of Okabe and Ito (2008), which people with any common
// colour blindness can tell apart.
var hazardColours = map[geo.HazardKind]color.NRGBA{
	geo.Flood:        {0x00, 0x72, 0xb2, 255},
	geo.Drought:      {0xe6, 0x9f, 0x00, 255},
	geo.VigourLoss:   {0xd5, 0x5e, 0x00, 255},
	geo.EarlyHarvest: {0xcc, 0x79, 0xa7, 255},
	geo.NeverSown:    {0x55, 0x55, 0x55, 255},
	geo.Abandoned:    {0xf0, 0xe4, 0x42, 255},
}

// palette gives every crop a colour: a hue for each group, a lightness within it.
type palette map[string]color.NRGBA

func newPalette(crops []Kind) palette {
	p := palette{"fallow": fallow}
	hue, inGroup := map[string]float64{}, map[string]int{}
	const golden = 137.508 // degrees: hues of any number of groups stay apart
	for _, k := range crops {
		if _, ok := hue[k.Group]; !ok {
			hue[k.Group] = math.Mod(float64(len(hue))*golden+90, 360)
		}
		lightness := []float64{0.45, 0.62, 0.33, 0.54, 0.70, 0.39}[inGroup[k.Group]%6]
		inGroup[k.Group]++
		p[k.Code] = hsl(hue[k.Group], 0.60, lightness)
	}
	return p
}

func (p palette) of(crop string) color.NRGBA {
	if c, ok := p[crop]; ok {
		return c
	}
	return unknown
}

// hsl turns hue in degrees, saturation and lightness into a colour (Smith 1978).
func hsl(h, s, l float64) color.NRGBA {
	a := s * min(l, 1-l)
	f := func(n float64) uint8 {
		k := math.Mod(n+h/30, 12)
		return uint8(math.Round(255 * (l - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return color.NRGBA{f(0), f(8), f(4), 255}
}
