package safe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Radar is a Sentinel-1 ground range detected product.
type Radar struct {
	Name   string
	Start  time.Time
	Orbit  string // "descending 65"
	Images []RadarImage
}

// RadarImage is one polarisation of a product: paths within it.
type RadarImage struct {
	Polarisation string // "vv", "vh"
	Measurement  string
	Calibration  string
	Noise        string // "" when the product has none
}

// IsRadar says whether the folder is a Sentinel-1 product.
func IsRadar(fsys fs.FS) bool {
	info, err := fs.Stat(fsys, "annotation/calibration")
	return err == nil && info.IsDir()
}

// radarFile takes a measurement's name apart:
// s1a-iw-grd-vv-20200101t053345-20200101t053410-030600-038159-001.tiff.
var radarFile = regexp.MustCompile(`(?i)^s1[a-d]-[a-z0-9]+-grd-(vv|vh|hh|hv)-.*\.tiff?$`)

// OpenRadar reads a Sentinel-1 GRD product: its manifest and what belongs to each
// polarisation, in order.
func OpenRadar(fsys fs.FS) (Radar, error) {
	f, err := fsys.Open("manifest.safe")
	if err != nil {
		return Radar{}, ErrProduct.With("why", "manifest.safe cannot be read").Because(err)
	}
	defer func() { _ = f.Close() }()
	p, err := ParseManifest(f)
	if err != nil {
		return Radar{}, fmt.Errorf("manifest.safe: %w", err)
	}
	entries, err := fs.ReadDir(fsys, "measurement")
	if err != nil {
		return Radar{}, ErrProduct.With("why", "it has no folder measurement").Because(err)
	}
	for _, e := range entries {
		m := radarFile.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		stem := strings.TrimSuffix(e.Name(), path.Ext(e.Name())) + ".xml"
		im := RadarImage{Polarisation: strings.ToLower(m[1]), Measurement: "measurement/" + e.Name()}
		im.Calibration = "annotation/calibration/calibration-" + stem
		if noise := "annotation/calibration/noise-" + stem; exists(fsys, noise) {
			im.Noise = noise
		}
		p.Images = append(p.Images, im)
	}
	if len(p.Images) == 0 {
		return Radar{}, ErrProduct.With("why", "it has no ground range detected image; only GRD products can be used")
	}
	return p, nil
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// ParseManifest reads manifest.safe of a Sentinel-1 product: start, orbit.
func ParseManifest(r io.Reader) (Radar, error) {
	var p Radar
	var orbit, pass string
	err := elements(r, func(e element) error {
		var err error
		switch e.name {
		case "startTime":
			p.Start, err = stamp(e.text)
		case "relativeOrbitNumber":
			if orbit == "" {
				orbit = e.text
			}
		case "pass":
			pass = strings.ToLower(e.text)
		}
		return err
	})
	if err != nil {
		return Radar{}, ErrProduct.With("why", "its metadata are damaged: "+err.Error()).Because(err)
	}
	if p.Start.IsZero() {
		return Radar{}, ErrProduct.With("why", "its manifest states no startTime")
	}
	p.Orbit = strings.TrimSpace(pass + " " + orbit)
	return p, nil
}

// LUT is a table over the pixels of a radar image: values at some columns of some
// lines, bilinear between them and constant beyond.
type LUT struct {
	Lines []LUTLine // by Line, rising
}

// LUTLine is one line of a table.
type LUTLine struct {
	Line   float64
	Pixel  []float64 // columns, rising
	Values []float64
}

// At fills out with the values along a line from column 0 on.
func (t LUT) At(line float64, out []float64) {
	j, found := slices.BinarySearchFunc(t.Lines, line, func(l LUTLine, at float64) int {
		switch {
		case l.Line < at:
			return -1
		case l.Line > at:
			return 1
		}
		return 0
	})
	switch {
	case j == 0 || found:
		t.Lines[j].along(1, out)
		return
	case j == len(t.Lines):
		t.Lines[j-1].along(1, out)
		return
	}
	a, b := t.Lines[j-1], t.Lines[j]
	w := (line - a.Line) / (b.Line - a.Line)
	for i := range out {
		out[i] = 0
	}
	a.add(1-w, out)
	b.add(w, out)
}

func (l LUTLine) along(w float64, out []float64) {
	for i := range out {
		out[i] = 0
	}
	l.add(w, out)
}

// add adds w times the line's values.
func (l LUTLine) add(w float64, out []float64) {
	k := 0
	for x := range out {
		at := float64(x)
		for k+1 < len(l.Pixel) && l.Pixel[k+1] <= at {
			k++
		}
		v := l.Values[k]
		if at > l.Pixel[k] && k+1 < len(l.Pixel) {
			v += (l.Values[k+1] - v) * (at - l.Pixel[k]) / (l.Pixel[k+1] - l.Pixel[k])
		}
		out[x] += w * v
	}
}

// ParseCalibration reads the sigma nought table of a calibration annotation:
// sigma nought = number² / value².
func ParseCalibration(r io.Reader) (LUT, error) {
	t, err := parseLUT(r, "sigmaNought")
	if err != nil {
		return t, ErrProduct.With("why", "its calibration is damaged: "+err.Error()).Because(err)
	}
	for _, l := range t.Lines {
		if slices.ContainsFunc(l.Values, func(v float64) bool { return v <= 0 }) {
			return LUT{}, ErrProduct.With("why", fmt.Sprintf("its calibration holds a value that is not above 0 in line %v", l.Line))
		}
	}
	return t, nil
}

// ParseNoise reads the thermal noise of a noise annotation, which is subtracted
// from number². The older noiseVector and the newer noiseRangeVector are read; the
// gain along the flight, noiseAzimuthVector, is not.
func ParseNoise(r io.Reader) (LUT, error) {
	t, err := parseLUT(r, "noiseRangeLut", "noiseLut")
	if err != nil {
		return t, ErrProduct.With("why", "its noise table is damaged: "+err.Error()).Because(err)
	}
	return t, nil
}

// parseLUT reads the vectors whose values stand in one of the elements.
func parseLUT(r io.Reader, values ...string) (LUT, error) {
	var t LUT
	var l LUTLine
	err := elements(r, func(e element) error {
		var err error
		switch {
		case e.name == "line":
			l = LUTLine{}
			if !strings.ContainsAny(e.text, " \t\n") { // a list of lines is the gain along the flight
				l.Line, err = number(e)
			}
		case e.name == "pixel":
			l.Pixel, err = numbers(e)
		case slices.Contains(values, e.name):
			l.Values, err = numbers(e)
			if err != nil {
				return err
			}
			if len(l.Pixel) == 0 || len(l.Pixel) != len(l.Values) {
				return fmt.Errorf("line %v has %d columns and %d values", l.Line, len(l.Pixel), len(l.Values))
			}
			if !rising(l.Pixel) {
				return fmt.Errorf("the columns of line %v do not rise", l.Line)
			}
			t.Lines = append(t.Lines, l)
			l = LUTLine{}
		}
		return err
	})
	if err != nil {
		return LUT{}, err
	}
	if len(t.Lines) == 0 {
		return LUT{}, errors.New("it has no " + strings.Join(values, " or "))
	}
	for i := 1; i < len(t.Lines); i++ {
		if t.Lines[i].Line <= t.Lines[i-1].Line {
			return LUT{}, fmt.Errorf("its lines do not rise at %v", t.Lines[i].Line)
		}
	}
	return t, nil
}

func rising(v []float64) bool {
	for i := 1; i < len(v); i++ {
		if v[i] <= v[i-1] {
			return false
		}
	}
	return true
}

func numbers(e element) ([]float64, error) {
	words := strings.Fields(e.text)
	out := make([]float64, len(words))
	for i, w := range words {
		f, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s holds %q, which is not a number", e.name, w)
		}
		out[i] = f
	}
	return out, nil
}
