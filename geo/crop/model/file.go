package model

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// What can be wrong with a model file.
var (
	ErrFile    = fault.New(fault.Invalid, "model.file", "this is not a crop model, or it is damaged: {why}; train it again")
	ErrOpen    = fault.New(fault.Invalid, "model.open", "the crop model cannot be read: {why}")
	ErrSave    = fault.New(fault.Invalid, "model.save", "the crop model cannot be written: {why}")
	ErrVersion = fault.New(fault.Invalid, "model.version", "the crop model is of version {version}; this program reads version {ours}; train it again")
)

const (
	fileFormat  = "furrow-crop-model"
	fileVersion = 1
	// maxFile bounds what a file may unpack to.
	maxFile = 512 << 20
)

// file is a model as it is kept: gzip of one JSON object.
type file struct {
	Format  string       `json:"format"`
	Version int          `json:"version"`
	Record  Record       `json:"record"`
	Cells   [][2]int     `json:"cells"`
	Labels  []string     `json:"labels"`
	Frame   Frame        `json:"frame"`
	Pool    learn.Pool   `json:"pool"`
	Members []memberFile `json:"members"`
}

// memberFile is one member; only the part of its method is filled.
type memberFile struct {
	Method string      `json:"method"`
	Forest *forestFile `json:"forest,omitempty"`
	SVM    *svmFile    `json:"svm,omitempty"`
	Rocket *rocketFile `json:"rocket,omitempty"`
}

// Numbers are kept as little-endian 32-bit values in base64.
type (
	floats []byte
	ints   []byte
)

type forestFile struct {
	Nodes     ints   `json:"nodes"` // of each tree
	Feature   ints   `json:"feature"`
	Threshold floats `json:"threshold"`
	Next      ints   `json:"next"`
}

type svmFile struct {
	Classes ints      `json:"classes"` // of each training row
	Plain   floats    `json:"plain"`   // its values on the grid, band by band
	Seen    floats    `json:"seen"`    // its share of dates seen, for each band
	Weight  floats    `json:"weight"`  // for each class, of each row
	Widths  []float64 `json:"widths"`
}

type rocketFile struct {
	learn.Rocket
	Weight floats `json:"weights"`
}

// Write writes the model. The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
	f := file{Format: fileFormat, Version: fileVersion, Record: m.Record, Cells: m.Cells,
		Labels: m.machine.labels, Frame: m.machine.frame, Pool: m.pool}
	for i, k := range m.machine.members {
		out := memberFile{Method: m.machine.names[i]}
		switch k := k.(type) {
		case *forest:
			out.Forest = packForest((*learn.Forest)(k))
		case *svm:
			out.SVM = &svmFile{Plain: packFloats(k.plain.Data), Seen: packFloats(k.seen.Data), Weight: packFloats(k.kernel.Weight.Data)}
			for _, c := range k.y {
				out.SVM.Classes = binary.LittleEndian.AppendUint32(out.SVM.Classes, uint32(c)) //nolint:gosec // a class
			}
			for _, v := range k.kernel.Views {
				out.SVM.Widths = append(out.SVM.Widths, v.Width)
			}
		case *rocket:
			out.Rocket = &rocketFile{Rocket: learn.Rocket(*k), Weight: packFloats(k.Weight.Data)}
			out.Rocket.Rocket.Weight = nil
		}
		f.Members = append(f.Members, out)
	}
	z := gzip.NewWriter(w)
	if err := json.NewEncoder(z).Encode(f); err != nil {
		return err
	}
	return z.Close()
}

// Save writes the model to a file that is there as a whole or not at all.
func (m *Model) Save(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".crop-model-*")
	if err != nil {
		return ErrSave.With("why", "the folder does not exist or may not be written").At("%s", path).Because(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(m.Write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return ErrSave.With("why", "something else has this name").At("%s", path).Because(err)
	}
	return nil
}

// Open reads a model file. It returns ErrOpen, ErrFile or ErrVersion.
func Open(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ErrOpen.With("why", "it does not exist or may not be opened").At("%s", path).Because(err)
	}
	defer func() { _ = f.Close() }()
	return Read(f, path)
}

// Read reads a model; name stands in the place of errors.
func Read(r io.Reader, name string) (*Model, error) {
	bad := func(why string) error { return ErrFile.With("why", why).At("%s", name) }
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, bad("it is not packed as one")
	}
	text, err := io.ReadAll(io.LimitReader(z, maxFile+1))
	if err != nil || len(text) > maxFile {
		return nil, bad("it is cut short, or too large")
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&f); err != nil {
		return nil, bad("its text is broken")
	}
	if f.Format != fileFormat {
		return nil, bad("it is another kind of file")
	}
	if f.Version != fileVersion {
		return nil, ErrVersion.With("version", f.Version).With("ours", fileVersion).At("%s", name)
	}
	m, why := f.restore()
	if why != "" {
		return nil, bad(why)
	}
	return m, nil
}

// restore checks every part against the others, so that a model which was read can
// answer, and says what is wrong.
func (f *file) restore() (m *Model, why string) {
	switch {
	case len(f.Labels) < 2 || !slices.IsSorted(f.Labels) || len(slices.Compact(slices.Clone(f.Labels))) != len(f.Labels):
		return nil, "its labels are not two or more different ones"
	case !f.Frame.sound():
		return nil, "its bands and dates do not fit together"
	case len(f.Members) == 0 || len(f.Pool.Heat) != len(f.Members) || len(f.Pool.Weight) != len(f.Members) || !f.Pool.Sound():
		return nil, "its members do not fit together"
	case !(f.Record.Threshold >= 0 && f.Record.Threshold <= 1):
		return nil, "its threshold is no probability"
	}
	m = &Model{Record: f.Record, Cells: f.Cells, pool: f.Pool, threshold: f.Record.Threshold,
		machine: &machine{frame: f.Frame, labels: f.Labels}}
	for _, k := range f.Members {
		var got member
		switch {
		case k.Method == Forest && k.Forest != nil:
			got = k.Forest.restore(len(f.Labels), f.Frame.richCols())
		case sightsOf[k.Method] != nil && k.SVM != nil:
			got = k.SVM.restore(k.Method, len(f.Labels), &f.Frame)
		case k.Method == Rocket && k.Rocket != nil:
			got = k.Rocket.restore(len(f.Labels), &f.Frame)
		}
		if got == nil {
			return nil, "its method " + k.Method + " is not whole"
		}
		m.machine.names, m.machine.members = append(m.machine.names, k.Method), append(m.machine.members, got)
	}
	return m, ""
}

// sound says whether a frame that was read can make features.
func (f *Frame) sound() bool {
	steps := len(f.Grid.Offset)
	if len(f.Bands) == 0 || len(f.Bands) > sample.MaxBands || len(f.Usual) != len(f.Bands) || len(f.Middle) != len(f.Bands) || len(f.Spread) != len(f.Bands) || steps == 0 || steps > maxSteps+1 ||
		f.Grid.Anchor < -1 || f.Grid.Anchor > 365 {
		return false
	}
	for i, o := range f.Grid.Offset {
		if abs(o) > 1e6 || i > 0 && o <= f.Grid.Offset[i-1] {
			return false
		}
	}
	if slices.ContainsFunc(f.Spread, func(v float64) bool { return !(v > 0) }) {
		return false
	}
	for _, u := range f.Usual {
		if len(u) != steps {
			return false
		}
	}
	return true
}

func (f *Frame) plainCols() int { return len(f.Bands) * len(f.Grid.Offset) }
func (f *Frame) richCols() int  { return len(richFeatures(len(f.Bands), len(f.Grid.Offset))) }

func packForest(f *learn.Forest) *forestFile {
	var out forestFile
	for _, t := range f.Trees {
		out.Nodes = binary.LittleEndian.AppendUint32(out.Nodes, uint32(len(t.Feature))) //nolint:gosec // fewer than 2^31
		for i := range t.Feature {
			out.Feature = binary.LittleEndian.AppendUint32(out.Feature, uint32(t.Feature[i])) //nolint:gosec // kept as bits
			out.Threshold = binary.LittleEndian.AppendUint32(out.Threshold, math.Float32bits(t.Threshold[i]))
			out.Next = binary.LittleEndian.AppendUint32(out.Next, uint32(t.Next[i])) //nolint:gosec // kept as bits
		}
	}
	return &out
}

func (f *forestFile) restore(classes, features int) member {
	nodes, feature, threshold, next := f.Nodes.unpack(), f.Feature.unpack(), f.Threshold.unpack(), f.Next.unpack()
	if len(nodes) == 0 || len(threshold) != len(feature) || len(next) != len(feature) {
		return nil
	}
	out := &learn.Forest{Classes: classes, Features: features}
	at := 0
	for _, n := range nodes {
		if n <= 0 || int(n) > len(feature)-at {
			return nil
		}
		t := learn.Tree{Feature: feature[at : at+int(n)], Next: next[at : at+int(n)], Threshold: make([]float32, n)}
		for i, k := range t.Feature {
			t.Threshold[i] = float32(threshold[at+i])
			leaf := k == -1 && t.Next[i] >= 0 && int(t.Next[i]) < classes
			// Children come later, so that no walk goes round for ever.
			node := k >= 0 && int(k) < features && int(t.Next[i]) > i && t.Next[i] < n-1
			if !leaf && !node {
				return nil
			}
		}
		out.Trees = append(out.Trees, t)
		at += int(n)
	}
	if at != len(feature) {
		return nil
	}
	return (*forest)(out)
}

func (f *svmFile) restore(name string, classes int, frame *Frame) member {
	y, plain, seen, weight := f.Classes.unpack(), f.Plain.unpack(), f.Seen.unpack(), f.Weight.unpack()
	n := len(y)
	if n == 0 || n > 2*learn.MaxKernelRows || len(plain) != n*frame.plainCols() || len(seen) != n*len(frame.Bands) || len(weight) != n*classes ||
		len(f.Widths) != len(sightsOf[name]) || !finite(plain, seen, weight) {
		return nil
	}
	for _, w := range f.Widths {
		if !(w > 0) || math.IsInf(w, 0) {
			return nil
		}
	}
	m := &svm{name: name, plain: &learn.Matrix{Rows: n, Cols: frame.plainCols(), Data: plain}, seen: &learn.Matrix{Rows: n, Cols: len(frame.Bands), Data: seen}}
	for _, c := range y {
		if c < 0 || int(c) >= classes {
			return nil
		}
		m.y = append(m.y, int(c))
	}
	richer := learn.NewMatrix(n, frame.richCols())
	for i := range n {
		copy(richer.Row(i), frame.rich(m.plain.Row(i), m.seen.Row(i)))
	}
	var err error
	m.kernel, err = learn.RestoreKernel(context.Background(), views(name, m.plain, richer), m.y, f.Widths, &learn.Matrix{Rows: classes, Cols: n, Data: weight})
	if err != nil {
		return nil
	}
	return m
}

func (f *rocketFile) restore(classes int, frame *Frame) member {
	r := f.Rocket
	r.Weight = &learn.Matrix{Rows: classes, Cols: len(r.Mean) + 1, Data: f.Weight.unpack()}
	if r.Classes != classes || r.Bands != len(frame.Bands) || r.Steps != len(frame.Grid.Offset) || !r.Sound() {
		return nil
	}
	return (*rocket)(&r)
}

func finite(lists ...[]float64) bool {
	for _, l := range lists {
		for _, v := range l {
			if math.IsNaN(v) || math.Abs(v) > sample.MaxValue {
				return false
			}
		}
	}
	return true
}

func packFloats(v []float64) floats {
	out := make(floats, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(x)))
	}
	return out
}

func (f floats) unpack() []float64 {
	out := make([]float64, len(f)/4)
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(f[4*i:])))
	}
	return out
}

func (f ints) unpack() []int32 {
	out := make([]int32, len(f)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(f[4*i:])) //nolint:gosec // the same bits
	}
	return out
}
