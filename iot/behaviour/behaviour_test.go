package behaviour_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/behaviour"
)

func cows(tb testing.TB) []behaviour.Segment {
	tb.Helper()
	segments, err := behaviour.Open(filepath.Join(realdata.Dir(tb, "iot"), "accel_cow_behaviour_10hz.csv.gz"), "cow", nil)
	if err != nil {
		tb.Fatal(err)
	}
	return segments
}

// Cows that the model has not seen, every second of them answered. The two longest
// walks of cow 1219 (394 s of its 856 s) look like rest to the eye as well; they count
// against the figure all the same.
func TestTellsBehaviourOfCowsItHasNotSeen(t *testing.T) {
	t.Parallel()
	segments := cows(t)
	grid := []behaviour.Config{{Window: 20, Ridge: 1}, {Window: 20, Ridge: 10}}
	v, err := behaviour.Validate(context.Background(), segments, grid, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("three %.4f (%.3f to %.3f), sure %.4f of %.3f, four %.4f", v.Three.MacroF1, v.Three.Low, v.Three.High, v.Sure.MacroF1, v.Sure.Answered, v.Four.MacroF1)
	if v.Three.MacroF1 < 0.925 || v.Three.Answered != 1 {
		t.Errorf("macro F1 of resting, walking and grazing is %.4f", v.Three.MacroF1)
	}
	if v.Sure.MacroF1 < v.Three.MacroF1 || v.Sure.Answered < 0.85 {
		t.Errorf("doubt does not help: %.4f of %.3f", v.Sure.MacroF1, v.Sure.Answered)
	}
	if v.Four.MacroF1 < 0.82 {
		t.Errorf("with standing %.4f", v.Four.MacroF1)
	}
	var total, told, left float64
	for i := range segments {
		total += segments[i].Seconds()
	}
	for _, c := range v.Four.Classes {
		told += c.Seconds
	}
	for _, s := range v.LeftOut {
		left += s
	}
	if math.Abs(total-told-left) > 1 {
		t.Errorf("of %.0f s, %.0f are measured and %.0f left out", total, told, left)
	}
}

// What the labels of an animal are must change nothing in the model that judges it.
func TestTheAnimalMeasuredIsNotLearntFrom(t *testing.T) {
	t.Parallel()
	segments := made(5, 4)
	grid := []behaviour.Config{{Window: 5, Ridge: 1}, {Window: 10, Ridge: 10}}
	honest, err := behaviour.Validate(context.Background(), segments, grid, 1)
	if err != nil {
		t.Fatal(err)
	}
	swap := map[string]string{"resting": "walking", "walking": "grazing", "grazing": "resting", "standing": "standing"}
	for i := range segments {
		if segments[i].Group == "cow-0" {
			segments[i].Label = swap[segments[i].Label]
		}
	}
	lied, err := behaviour.Validate(context.Background(), segments, grid, 1)
	if err != nil {
		t.Fatal(err)
	}
	a, b := honest.Folds[0], lied.Folds[0]
	if a.Group != "cow-0" || a.Config != b.Config || a.Threshold != b.Threshold {
		t.Errorf("the labels of the animal measured moved its model from %+v to %+v", a, b)
	}
	if a.Accuracy < 0.99 || b.Accuracy > 0.2 {
		t.Errorf("accuracy %.3f with true labels, %.3f with wrong ones", a.Accuracy, b.Accuracy)
	}
}

// One cow whose labels are wrong must not spoil the model of the others.
func TestWrongLabelsAreNotLearnt(t *testing.T) {
	t.Parallel()
	segments := made(5, 4)
	for i := range segments {
		if segments[i].Group == "cow-1" && segments[i].Label == "walking" {
			segments[i].Label = "resting"
		}
	}
	m, err := behaviour.Train(context.Background(), segments, []behaviour.Config{{Window: 10, Ridge: 1}}, 1, "made up")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Record.Doubtful) != 4 || !strings.HasPrefix(m.Record.Doubtful[0], "cow-1/walking") {
		t.Errorf("doubtful segments: %v", m.Record.Doubtful)
	}
}

// made is made-up acceleration at 10 Hz of several cows, every tag turned its own
// way: noise at rest, bobbing at 1.5 Hz when walking, jerks of the head when grazing,
// slow sway when standing.
func made(animals, each int) []behaviour.Segment {
	var out []behaviour.Segment
	for a := range animals {
		rng := rand.New(rand.NewPCG(uint64(a), 7))
		turn := rotation(rng)
		for _, label := range []string{"resting", "walking", "grazing", "standing"} {
			for k := range each {
				does := label
				if label == "resting" && k%2 == 1 {
					does = "chewing"
				}
				x := motion(does, 10, 200+20*k, rng)
				for i := range x {
					x[i] = turned(turn, x[i])
				}
				out = append(out, behaviour.Segment{ID: fmt.Sprintf("%s-%d", label, k), Group: fmt.Sprintf("cow-%d", a), Label: label, Hz: 10, XYZ: x})
			}
		}
	}
	return out
}

func motion(label string, hz float64, n int, rng *rand.Rand) [][3]float64 {
	x := make([][3]float64, n)
	phase := rng.Float64() * 6
	for i := range x {
		t := float64(i)/hz + phase
		noise := func(s float64) float64 { return s * rng.NormFloat64() }
		v := [3]float64{noise(0.03), noise(0.03), -9.81 + noise(0.03)}
		switch label {
		case "walking":
			v[2] += 1.4 * math.Sin(2*math.Pi*1.5*t)
			v[0] += 0.7 * math.Cos(2*math.Pi*0.75*t)
		case "grazing":
			bite := math.Pow(math.Max(0, math.Sin(2*math.Pi*0.9*t)), 8)
			v[0] += 5*bite + noise(1.2)
			v[1] += noise(1.5) + 3*math.Sin(0.5*t)
			v[2] += noise(1.2)
		case "standing":
			v[0] += 0.6*math.Sin(0.9*t) + noise(0.12)
			v[1] += 0.5*math.Sin(0.7*t+1) + noise(0.12)
		case "chewing":
			v[0] += 0.25 * math.Sin(2*math.Pi*1.1*t)
			v[2] += 0.20 * math.Sin(2*math.Pi*1.1*t+0.4)
		}
		x[i] = v
	}
	return x
}

// rotation is a random one, of three Euler angles.
func rotation(rng *rand.Rand) [3][3]float64 {
	s1, c1 := math.Sincos(rng.Float64() * 7)
	s2, c2 := math.Sincos(rng.Float64() * 7)
	s3, c3 := math.Sincos(rng.Float64() * 7)
	return [3][3]float64{
		{c1*c3 - s1*c2*s3, -c1*s3 - s1*c2*c3, s1 * s2},
		{s1*c3 + c1*c2*s3, -s1*s3 + c1*c2*c3, -c1 * s2},
		{s2 * s3, s2 * c3, c2},
	}
}

func turned(r [3][3]float64, v [3]float64) (out [3]float64) {
	for i := range 3 {
		for j := range 3 {
			out[i] += r[i][j] * v[j]
		}
	}
	return out
}

func builtin(tb testing.TB) *behaviour.Model {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := behaviour.Load(files)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// A tag that sits another way round must be judged the same.
func TestTurningTheTagChangesNothing(t *testing.T) {
	t.Parallel()
	m := builtin(t)
	rng := rand.New(rand.NewPCG(3, 3))
	for _, s := range cows(t)[:120] {
		r := rotation(rng)
		other := make([][3]float64, len(s.XYZ))
		for i, x := range s.XYZ {
			other[i] = turned(r, x)
		}
		a, b := m.Windows(s.Hz, s.XYZ, nil), m.Windows(s.Hz, other, nil)
		if len(a) != len(b) {
			t.Fatal(len(a), len(b))
		}
		for i := range a {
			if a[i].Class != b[i].Class || math.Abs(a[i].Probability-b[i].Probability) > 1e-6 || a[i].Ruminating != b[i].Ruminating {
				t.Fatalf("segment %s: %+v turned is %+v", s.ID, a[i], b[i])
			}
		}
	}
}

// A faster tag tells the same story.
func TestFasterTagsAreAveragedDown(t *testing.T) {
	t.Parallel()
	m := builtin(t)
	var same, all float64
	for i, s := range cows(t) {
		for _, hz := range []float64{12.5, 25, 50, 104}[i%4 : i%4+1] {
			fast := faster(s.XYZ, hz/s.Hz)
			a, b := m.Windows(s.Hz, s.XYZ, nil), m.Windows(hz, fast, nil)
			for i := range a {
				if i < len(b) {
					all++
					if a[i].Class == b[i].Class {
						same++
					}
				}
			}
		}
	}
	if same < 0.93*all {
		t.Errorf("%.0f of %.0f windows are judged the same at other rates", same, all)
	}
}

// faster puts samples between samples: the band-limited curve through them.
func faster(x [][3]float64, times float64) [][3]float64 {
	out := make([][3]float64, int(float64(len(x))*times))
	for i := range out {
		at := float64(i) / times
		weight := 0.0
		for j := max(int(at)-12, 0); j < min(int(at)+13, len(x)); j++ {
			d := float64(j) - at
			w := 0.5 + 0.5*math.Cos(math.Pi*d/13)
			if d != 0 {
				w *= math.Sin(math.Pi*d) / (math.Pi * d)
			}
			weight += w
			for a := range 3 {
				out[i][a] += w * x[j][a]
			}
		}
		for a := range 3 {
			out[i][a] /= weight
		}
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	m, err := behaviour.Train(context.Background(), made(4, 4), []behaviour.Config{{Window: 20, Ridge: 1}}, 1, "made up")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	told := 7.0
	burst := func(label string, hz float64, n int) *iot.Motion {
		return &iot.Motion{Hz: hz, XYZ: motion(label, hz, n, rng)}
	}
	for name, c := range map[string]struct {
		in                                  iot.Reading
		lying, grazing, walking, ruminating float64 // -1 absent
		activity                            [2]float64
	}{
		"rest":            {iot.Reading{Motion: burst("resting", 10, 300)}, 30, 0, 0, 0, [2]float64{0.02, 0.04}},
		"cud":             {iot.Reading{Motion: burst("chewing", 25, 750)}, 30, 0, 0, 30, [2]float64{0.05, 0.3}},
		"graze":           {iot.Reading{Motion: burst("grazing", 10, 400)}, 0, 40, 0, 0, [2]float64{1, 4}},
		"walk":            {iot.Reading{Motion: burst("walking", 50, 1000)}, 0, 0, 20, 0, [2]float64{0.8, 1.2}},
		"too short":       {iot.Reading{Motion: burst("walking", 10, 25)}, -1, -1, -1, -1, [2]float64{0.5, 1.5}},
		"too slow":        {iot.Reading{Motion: burst("walking", 5, 100)}, -1, -1, -1, -1, [2]float64{0.5, 1.5}},
		"nothing":         {iot.Reading{Motion: &iot.Motion{Hz: 10}}, -1, -1, -1, -1, [2]float64{-1, -1}},
		"no rate":         {iot.Reading{Motion: &iot.Motion{XYZ: make([][3]float64, 100)}}, -1, -1, -1, -1, [2]float64{-1, -1}},
		"not a number":    {iot.Reading{Motion: &iot.Motion{Hz: 10, XYZ: [][3]float64{{math.NaN()}, 49: {}}}}, -1, -1, -1, -1, [2]float64{-1, -1}},
		"the tag told":    {iot.Reading{Motion: burst("grazing", 10, 300), Lying: &told, Activity: &told}, 7, -1, -1, -1, [2]float64{7, 7}},
		"told rumination": {iot.Reading{Motion: burst("resting", 10, 300), Ruminating: &told}, 30, 0, 0, 7, [2]float64{0.02, 0.04}},
		"no motion":       {iot.Reading{}, -1, -1, -1, -1, [2]float64{-1, -1}},
	} {
		r := c.in
		m.Judge(&r)
		if r.Motion != nil {
			t.Errorf("%s: the raw acceleration stayed", name)
		}
		got := [4]float64{val(r.Lying), val(r.Grazing), val(r.Walking), val(r.Ruminating)}
		if want := [4]float64{c.lying, c.grazing, c.walking, c.ruminating}; got != want {
			t.Errorf("%s: lying, grazing, walking, ruminating %v, want %v", name, got, want)
		}
		if a := val(r.Activity); !(a >= c.activity[0] && a <= c.activity[1]) {
			t.Errorf("%s: activity %.3f, want within %v", name, a, c.activity)
		}
	}
}

func val(p *float64) float64 {
	if p == nil {
		return -1
	}
	return math.Round(*p*1000) / 1000
}

func TestTheModelSurvivesItsFile(t *testing.T) {
	t.Parallel()
	m := builtin(t)
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	again, err := behaviour.ReadModel(bytes.NewReader(b.Bytes()), "m.json")
	if err != nil {
		t.Fatal(err)
	}
	var c bytes.Buffer
	if err := again.Save(&c); err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
		t.Error(err, cmp.Diff(b.String(), c.String()))
	}
	for _, text := range []string{"", "{}", "[]", strings.Replace(b.String(), `"version": 1`, `"version": 2`, 1),
		strings.Replace(b.String(), "norm_std", "other", 1), strings.Replace(b.String(), `"resting"`, `"walking"`, 1), b.String()[:b.Len()/2]} {
		if _, err := behaviour.ReadModel(strings.NewReader(text), "m.json"); !errors.Is(err, behaviour.ErrModel) || !strings.Contains(err.Error(), "m.json") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestReadNamesThePlaceOfAMistake(t *testing.T) {
	t.Parallel()
	const head = "segment,behaviour,cow,time,ax,ay,az\n"
	const row = "1,Walking,7,2024-05-15 13:30:48.0,0,0,-9.8\n"
	for name, c := range map[string]struct{ in, want string }{
		"empty":          {"", "f.csv:1:1: "},
		"no rows":        {head, "no rows"},
		"column":         {"cow,time,ax,ay\n", "f.csv:1"},
		"number":         {head + row + "1,Walking,7,2024-05-15 13:30:48.1,0,x,-9.8\n", "f.csv:3:37"},
		"too strong":     {head + "1,Walking,7,2024-05-15 13:30:48.0,0,0,-9800\n", "f.csv:2"},
		"time":           {head + "1,Walking,7,noon,0,0,-9.8\n", "f.csv:2:13"},
		"backwards":      {head + row + row, "f.csv:3"},
		"no animal":      {head + "1,Walking,,2024-05-15 13:30:48.0,0,0,-9.8\n", "f.csv:2:11"},
		"ragged":         {head + "1,Walking\n", "f.csv:2"},
		"slow":           {head + row + "1,Walking,7,2024-05-15 13:30:49.0,0,0,-9.8\n", "1 Hz"},
		"one row a time": {head + row + "2,Walking,7,2024-05-15 13:30:49.0,0,0,-9.8\n", "follow"},
	} {
		_, err := behaviour.Read(strings.NewReader(c.in), "f.csv", "cow")
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRunsEndAtGaps(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("Time,AX,ay,az,animal\n")
	at := time.Date(2024, 5, 15, 13, 0, 0, 0, time.UTC)
	for i := range 50 {
		if i == 20 {
			at = at.Add(time.Minute)
		}
		fmt.Fprintf(&b, "%d,0,0,9.8,%d\n", at.UnixMilli(), i/40)
		at = at.Add(100 * time.Millisecond)
	}
	got, err := behaviour.Read(strings.NewReader(b.String()), "f.csv", "animal")
	if err != nil || len(got) != 3 || len(got[0].XYZ) != 20 || len(got[1].XYZ) != 20 || len(got[2].XYZ) != 10 || got[2].Group != "1" || math.Abs(got[0].Hz-10) > 1e-9 {
		t.Errorf("%v %+v", err, got)
	}
}

func TestNothingIsLearntFromTwoAnimals(t *testing.T) {
	t.Parallel()
	_, err := behaviour.Validate(context.Background(), made(2, 2), behaviour.Grid(), 1)
	if !errors.Is(err, behaviour.ErrLearn) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("segment,behaviour,cow,time,ax,ay,az\n1,Walking,7,2024-05-15 13:30:48.0,0,0,-9.8\n1,Walking,7,2024-05-15 13:30:48.1,0,0,-9.8\n")
	f.Add("cow,time,ax,ay,az\n1,1700000000000,1,2,3\n1,1700000000100,1,2,3\n")
	f.Fuzz(func(t *testing.T, in string) {
		segments, err := behaviour.Read(strings.NewReader(in), "f.csv", "cow")
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Error(err)
		}
		for _, s := range segments {
			if len(s.XYZ) == 0 || !(s.Hz > 9 && s.Hz < 1001) {
				t.Errorf("%+v", s)
			}
		}
	})
}

func FuzzReadModel(f *testing.F) {
	var b bytes.Buffer
	if err := builtin(f).Save(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"furrow-behaviour-model","version":1}`))
	x := motion("walking", 10, 60, rand.New(rand.NewPCG(1, 1)))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := behaviour.ReadModel(bytes.NewReader(in), "m.json")
		if err != nil {
			return
		}
		if got := m.Windows(10, x, nil); len(got) == 0 {
			t.Error("a model that was taken judges nothing")
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	m := builtin(b)
	x := motion("grazing", 10, 100, rand.New(rand.NewPCG(1, 1)))
	b.ReportAllocs()
	for b.Loop() {
		r := iot.Reading{Motion: &iot.Motion{Hz: 10, XYZ: x}}
		m.Judge(&r)
	}
}

// A day of bursts: 10 s in every 5 min.
func ExampleDay() {
	lie, graze, none := 10.0, 8.0, 0.0
	lying, grazing, walking, ruminating, covered := behaviour.Day([]iot.Reading{
		{Lying: &lie, Grazing: &none, Walking: &none, Ruminating: &lie},
		{Lying: &none, Grazing: &graze, Walking: &none, Ruminating: &none},
		{}, // a reading without motion
	})
	fmt.Println(lying, grazing, walking, ruminating, covered)
	fmt.Printf("%.0f %% of the day lying\n", 100*lying.Seconds()/covered.Seconds())
	// Output:
	// 10s 8s 0s 10s 18s
	// 56 % of the day lying
}
