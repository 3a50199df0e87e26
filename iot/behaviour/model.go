package behaviour

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// File is where the catalogue keeps the trained model.
const File = "behaviour.json"

// ErrModel is returned for a model file that cannot be used.
var ErrModel = fault.New(fault.Invalid, "behaviour.model", "this is not a usable behaviour model: {why}")

const (
	format  = "furrow-behaviour-model"
	version = 1
	// Bursts slower than Rate less 2 % lack the movements that the features look
	// for; faster than 1 kHz no tag measures.
	minHz, maxHz = 9.8, 1000
)

// Record says what a model was learnt from.
type Record struct {
	Source   string             `json:"source"` // where the data comes from, and its terms
	Groups   int                `json:"animals"`
	Seconds  map[string]float64 `json:"seconds"`  // by class
	Doubtful []string           `json:"doubtful"` // segments whose label was not believed
	LeftOut  map[string]float64 `json:"left_out"` // seconds by label
	Seed     uint64             `json:"seed"`
	Three    *Score             `json:"three,omitempty"` // with animals left out one at a time
	Sure     *Score             `json:"sure,omitempty"`
	Four     *Score             `json:"four,omitempty"`
}

// Model tells what an animal does from bursts of acceleration. It may be used by
// many goroutines.
type Model struct {
	Format    string   `json:"format"`
	Version   int      `json:"version"`
	Rate      float64  `json:"rate_hz"`
	Config    Config   `json:"config"`
	Threshold float64  `json:"threshold"` // answers less probable than this are not given
	Features  []string `json:"features"`
	Classes   []string `json:"classes"`
	Weights   weights  `json:"weights"`
	Record    Record   `json:"record"`

	pool sync.Pool // of *scratch
}

// Train learns a model from all segments, with the configuration that is best for
// animals left out. The same segments, grid and seed give the same model. ErrLearn.
func Train(ctx context.Context, segments []Segment, grid []Config, seed uint64, source string) (*Model, error) {
	v, err := Validate(ctx, segments, grid, seed)
	if err != nil {
		return nil, err
	}
	byLength, groups, err := prepare(segments, grid)
	if err != nil {
		return nil, err
	}
	c, err := choose(ctx, byLength, groups, grid)
	if err != nil {
		return nil, err
	}
	m := &Model{Format: format, Version: version, Rate: Rate, Config: c.Config, Threshold: c.threshold, Features: features[:], Weights: *c.weights,
		Record: Record{Source: source, Groups: len(groups), Seconds: map[string]float64{}, Doubtful: []string{}, LeftOut: v.LeftOut, Seed: seed,
			Three: &v.Three, Sure: &v.Sure, Four: &v.Four}}
	for _, k := range Four {
		m.Classes = append(m.Classes, k.String())
	}
	for _, w := range byLength[c.Window] {
		m.Record.Seconds[w.class.String()] += w.seconds
	}
	for class, v := range m.Record.Seconds {
		m.Record.Seconds[class] = math.Round(10*v) / 10
	}
	for s := range c.doubtful {
		m.Record.Doubtful = append(m.Record.Doubtful, segments[s].Group+"/"+segments[s].ID)
	}
	slices.Sort(m.Record.Doubtful)
	return m, nil
}

// Save writes the model as JSON (docs/formats/behaviour-model.md).
func (m *Model) Save(w io.Writer) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Load reads the model of the catalogue. ErrModel.
func Load(fsys fs.FS) (*Model, error) {
	f, err := fsys.Open(File)
	if err != nil {
		return nil, ErrModel.With("why", "the file is missing").At(File).Because(err)
	}
	defer func() { _ = f.Close() }() // read only
	return ReadModel(f, File)
}

// maxModel is the largest model file that is read, in bytes.
const maxModel = 4 << 20

// ReadModel reads and checks a model. ErrModel with the place.
func ReadModel(r io.Reader, name string) (*Model, error) {
	bad := func(why string) error { return ErrModel.With("why", why).At("%s", name) }
	b, err := io.ReadAll(io.LimitReader(r, maxModel+1))
	if err != nil {
		return nil, ErrModel.With("why", "it cannot be read").At("%s", name).Because(err)
	}
	if len(b) > maxModel {
		return nil, bad("it is larger than 4 MiB")
	}
	m := new(Model)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, ErrModel.With("why", "it is not JSON of a model").At("%s", name).Because(err)
	}
	switch {
	case m.Format != format || m.Version != version:
		return nil, bad("its format is not furrow-behaviour-model 1")
	case m.Rate != Rate || !slices.Equal(m.Features, features[:]):
		return nil, bad("it was made for other features; train it again")
	case len(m.Classes) != classes || len(m.Weights.Coef) != classes-1:
		return nil, bad("it has other classes")
	case !(m.Threshold >= 0 && m.Threshold <= 1):
		return nil, bad("threshold must be between 0 and 1")
	case !(m.Config.Window >= shortest/Rate && m.Config.Window <= 300):
		return nil, bad("window_s must be between 3 and 300")
	}
	for i, c := range m.Classes {
		if c != Class(i).String() || i < classes-1 && len(m.Weights.Coef[i]) != Features+1 {
			return nil, bad("its coefficients do not fit its classes")
		}
	}
	for _, s := range m.Weights.Scale {
		if !(s > 0) {
			return nil, bad("a scale is not above 0")
		}
	}
	return m, nil
}

// Window is one judged part of a burst.
type Window struct {
	From, To    float64 // seconds from the burst's start
	Class       Class
	Probability float64
	Sure        bool // probable enough to be counted
	Ruminating  bool // rests or stands, and chews
	Activity    float64
}

// Windows judges a burst of at least 3 s and appends its windows to dst; none when
// it is too short, slower than 9.8 Hz or not finite.
func (m *Model) Windows(hz float64, xyz [][3]float64, dst []Window) []Window {
	if !usable(hz, xyz) {
		return dst
	}
	s, _ := m.pool.Get().(*scratch)
	if s == nil {
		s = new(scratch)
	}
	defer m.pool.Put(s)
	x := resample(xyz, hz)
	bounds := cut(len(x), int(m.Config.Window*Rate))
	var z [Features]float64
	var p [classes]float64
	for k := 1; k < len(bounds); k++ {
		w := x[bounds[k-1]:bounds[k]]
		f := s.extract(w)
		m.Weights.score(&f, &z, &p)
		c := top(p[:])
		out := Window{From: float64(bounds[k-1]) / Rate, To: float64(bounds[k]) / Rate, Class: Class(c), Probability: p[c],
			Sure: p[c] >= m.Threshold, Activity: math.Exp(f[0]) - small}
		out.Ruminating = (out.Class == Resting || out.Class == Standing) && chews(&f)
		dst = append(dst, out)
	}
	return dst
}

func usable(hz float64, xyz [][3]float64) bool {
	if !(hz >= minHz && hz <= maxHz) {
		return false
	}
	for _, x := range xyz {
		for _, v := range x {
			if !(math.Abs(v) <= maxG) {
				return false
			}
		}
	}
	return true
}

// Judge turns the raw acceleration of a reading into what the animal did, and takes
// the acceleration away. Lying, Grazing, Walking and Ruminating become the seconds
// of the burst itself that were judged so: a tag that measures 10 s in every 5 min
// tells of 10 s. Standing and doubtful windows are in none of them; Ruminating is
// counted beside Lying, not instead of it. Activity becomes the mean standard
// deviation of the norm over 5 s parts. What the tag itself has told stays. A burst
// that is too short or too slow to be judged leaves the seconds absent.
func (m *Model) Judge(r *iot.Reading) {
	if r.Motion == nil {
		return
	}
	motion := *r.Motion
	r.Motion = nil
	if a, ok := activity(motion.Hz, motion.XYZ); ok && r.Activity == nil {
		r.Activity = &a
	}
	if r.Lying != nil || r.Grazing != nil || r.Walking != nil {
		return
	}
	var buf [16]Window
	windows := m.Windows(motion.Hz, motion.XYZ, buf[:0])
	if len(windows) == 0 {
		return
	}
	v := new(struct{ lying, grazing, walking, ruminating float64 })
	for _, w := range windows {
		d := w.To - w.From
		if !w.Sure {
			continue
		}
		switch w.Class {
		case Resting:
			v.lying += d
		case Grazing:
			v.grazing += d
		case Walking:
			v.walking += d
		case Standing:
		}
		if w.Ruminating {
			v.ruminating += d
		}
	}
	r.Lying, r.Grazing, r.Walking = &v.lying, &v.grazing, &v.walking
	if r.Ruminating == nil {
		r.Ruminating = &v.ruminating
	}
}

// activity is the mean over parts of about 5 s of the standard deviation of the
// acceleration's norm, in m/s²; at least 2 s at any rate.
func activity(hz float64, xyz [][3]float64) (float64, bool) {
	if !(hz > 0 && hz <= maxHz) || float64(len(xyz)) < 2*hz || len(xyz) < 4 {
		return 0, false
	}
	parts := max(1, int(math.Round(float64(len(xyz))/hz/5)))
	sum := 0.0
	for k := range parts {
		part := xyz[k*len(xyz)/parts : (k+1)*len(xyz)/parts]
		var mean, square float64
		for i, x := range part {
			n := vec(x).norm()
			d := n - mean
			mean += d / float64(i+1)
			square += d * (n - mean)
		}
		sum += math.Sqrt(square / float64(len(part)))
	}
	a := sum / float64(parts)
	return a, a >= 0 && !math.IsInf(a, 0)
}

// The rule for rumination: a body at rest that moves as a jaw does, evenly and at
// 45 to 100 chews a minute (cattle chew the cud about 50 to 75 times a minute, sheep
// up to 100), stronger than breath and heart shake a collar and weaker than steps.
// No labelled data is at hand to set or to measure it: a trend of the same animal
// may be read from it, not a time.
const (
	chewLow, chewHigh = 0.75, 1.7 // Hz
	chewWeak          = 0.08      // m/s², standard deviation
	chewStrong        = 0.6       // m/s²
	chewEven          = 0.4       // autocorrelation
)

func chews(f *[Features]float64) bool {
	rms := math.Max(math.Exp(f[0]), math.Exp(f[4])) - small
	if rms < chewWeak || rms > chewStrong || f[21] < chewEven {
		return false
	}
	hz := 1 / f[22]
	for multiple := 1.0; multiple <= 3; multiple++ { // the highest lag may hold two or three chews
		if v := hz * multiple; v >= chewLow && v <= chewHigh {
			return true
		}
	}
	return false
}

// Day adds up what readings tell of one animal. covered is the time that lying,
// grazing and walking add up to: divide by it for shares, because tags that measure
// in bursts tell of a part of the day only. Ruminating is counted beside them.
func Day(readings []iot.Reading) (lying, grazing, walking, ruminating, covered time.Duration) {
	add := func(to *time.Duration, seconds *float64) {
		if seconds != nil && *seconds > 0 {
			*to += time.Duration(*seconds * float64(time.Second))
		}
	}
	for i := range readings {
		r := &readings[i]
		add(&lying, r.Lying)
		add(&grazing, r.Grazing)
		add(&walking, r.Walking)
		add(&ruminating, r.Ruminating)
	}
	return lying, grazing, walking, ruminating, lying + grazing + walking
}
