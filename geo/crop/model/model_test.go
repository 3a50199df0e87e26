package model_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/crop/sample"
	"github.com/furrowcredit/furrow/geo/series"
)

var now = time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC)

// curve is the NDVI of a made-up crop: wheat peaks in May, maize in August.
func curve(crop string, day int, shift float64) float64 {
	peak := map[string]float64{"wheat": 130, "maize": 225}[crop] + shift
	d := (float64(day) - peak) / 32
	return 0.15 + 0.65*math.Exp(-d*d/2)
}

// fields makes a table of n fields of each crop over three 1° squares, with a date
// every step days from the first day on.
func fields(n, first, step int, seed uint64, bands ...string) string {
	r := rand.New(rand.NewPCG(seed, 0))
	var b strings.Builder
	fmt.Fprintf(&b, "sample_id,label,lon,lat,start,end,date,%s,place\n", strings.Join(bands, ","))
	jan := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range 2 * n {
		crop := []string{"wheat", "maize"}[i%2]
		shift, lat := 8*r.NormFloat64(), 35.5+0.3*r.Float64()
		for day := first; day < 360; day += step {
			fmt.Fprintf(&b, "f%d,%s,%.3f,%.3f,2024-01-01,2024-12-31,%s", i, crop, 114.2+float64(i/2%3), lat, jan.AddDate(0, 0, day).Format(time.DateOnly))
			for k := range bands {
				if r.Float64() < 0.1 {
					b.WriteString(",") // a cloud
					continue
				}
				fmt.Fprintf(&b, ",%.4f", curve(crop, day, shift)*(1-0.2*float64(k))+0.04*r.NormFloat64())
			}
			fmt.Fprintf(&b, ",county%d\n", i/2%3)
		}
	}
	return b.String()
}

func set(t testing.TB, text string) *sample.Set {
	t.Helper()
	s, err := sample.Read(strings.NewReader(text), "F.csv", sample.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func trained(t testing.TB, method string) *model.Model {
	t.Helper()
	m, err := model.Train(context.Background(), set(t, fields(30, 4, 16, 1, "NDVI")), model.Training{Config: model.Config{Method: method, Seed: 42}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encoded(t testing.TB, m *model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestModelOfEveryMethodIsTheSameTwiceAndAfterItsFile(t *testing.T) {
	t.Parallel()
	for _, method := range model.Methods() {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			m := trained(t, method)
			file := encoded(t, m)
			if !bytes.Equal(file, encoded(t, trained(t, method))) {
				t.Error("the same samples and seed gave another file")
			}
			back, err := model.Read(bytes.NewReader(file), "M")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(file, encoded(t, back)) {
				t.Error("the file changed by being read and written")
			}
			// Other fields, on other dates, twice as dense.
			fresh := set(t, fields(20, 1, 8, 2, "NDVI"))
			before, err := m.AnswerAll(context.Background(), fresh)
			if err != nil {
				t.Fatal(err)
			}
			after, err := back.AnswerAll(context.Background(), fresh)
			if err != nil {
				t.Fatal(err)
			}
			right := 0
			for i, a := range before {
				if fmt.Sprint(a) != fmt.Sprint(after[i]) {
					t.Fatalf("sample %d: %v before and %v after the file", i, a, after[i])
				}
				if a.Crop == fresh.Samples[i].Label {
					right++
				}
			}
			if len(before) != 40 || right < 37 {
				t.Errorf("%d of %d right", right, len(before))
			}
			r := back.Record
			if r.Samples != 60 || r.Counts["wheat"] != 30 || r.SHA256 == "" || r.Random.Overall < 0.9 || r.Spatial == nil || r.Calibration != model.Blocks || r.Made != "2026-06-01" {
				t.Errorf("the record is %+v", r)
			}
		})
	}
}

func TestImportanceFindsTheDatesThatTellCropsApart(t *testing.T) {
	t.Parallel()
	im := trained(t, model.Forest).Record.Importance
	sum := func(from, to int) (s float64) {
		for i := from; i < to; i++ {
			s += im.Dates[i]
		}
		return s
	}
	if len(im.Dates) != 23 || sum(5, 18) < 0.75 || math.Abs(im.Bands["NDVI"]-1) > 0.01 {
		t.Errorf("importance is %v of %d dates; the crops differ from March to October", im.Dates, len(im.Dates))
	}
}

func TestCoversTheLandOfItsSamples(t *testing.T) {
	t.Parallel()
	m := trained(t, model.Forest) // squares 114,35 to 116,35
	for at, want := range map[orb.Point]bool{
		{115.5, 35.5}: true, {113.6, 35.5}: true, {113.4, 35.5}: false, {117.5, 36.4}: true, {115.5, 37}: false,
	} {
		if m.Covers(at) != want {
			t.Errorf("covers %v: %v", at, !want)
		}
	}
}

func TestSaysWhyItIsSilent(t *testing.T) {
	t.Parallel()
	m := trained(t, model.Default)
	head := "sample_id,lon,lat,start,end,date,NDVI\n"
	row := func(id string, lon float64, day int, v string) string {
		return fmt.Sprintf("%s,%g,35.5,2025-01-01,2025-12-31,%s,%s\n", id, lon, time.Date(2025, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), v)
	}
	var b strings.Builder
	b.WriteString(head)
	for day := 0; day < 360; day += 10 {
		wheat := fmt.Sprintf("%.3f", curve("wheat", day, 0))
		b.WriteString(row("inside", 115, day, wheat) + row("far", 90, day, wheat) + row("cloud", 115, day, ""))
		if day < 60 {
			b.WriteString(row("short", 115, day, wheat))
		}
		b.WriteString(row("between", 115, day, fmt.Sprintf("%.3f", (curve("wheat", day, 0)+curve("maize", day, 0))/2)))
	}
	s, err := sample.Read(strings.NewReader(b.String()), "F.csv", sample.Options{Bands: m.Bands()})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := m.AnswerAll(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{
		"inside": {"wheat", ""}, "far": {"wheat", model.Outside}, "cloud": {"", model.NoData}, "short": {"", model.FewData},
	}
	for i, a := range answers {
		if w, ok := want[s.Samples[i].ID]; ok && (a.Crop != w[0] || a.Reason != w[1]) {
			t.Errorf("%s: %q because of %q, want %v", s.Samples[i].ID, a.Crop, a.Reason, w)
		}
		if id := s.Samples[i].ID; id == "between" && a.Guesses[0].Probability > answers[0].Guesses[0].Probability {
			t.Errorf("a curve between both crops is surer than one of them: %v", a.Guesses)
		}
	}
	if _, err := m.AnswerAll(context.Background(), set(t, "sample_id,date,EVI\n1,2024-01-01,1\n1,2024-01-02,2\n")); !errors.Is(err, model.ErrBands) {
		t.Errorf("a table without the band gave %v", err)
	}
}

func TestClassifiesTheSightsOfAPlot(t *testing.T) {
	t.Parallel()
	m := trained(t, model.Default)
	start := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	var sights []series.Sight
	for day := 59; day < 330; day += 7 {
		o := geo.Observation{Date: time.Date(2025, 1, 1+day, 0, 0, 0, 0, time.UTC), NDVI: curve("maize", day, 3), Valid: day%14 != 0, Coverage: 1}
		sights = append(sights, series.Sight{Observation: o, Moisture: math.NaN()})
	}
	guesses, unsure, err := m.Classify(sights, start, start.AddDate(0, 9, 0))
	if err != nil || unsure != "" || guesses[0].Crop != "maize" || len(guesses) != 2 {
		t.Errorf("got %v, %q, %v", guesses, unsure, err)
	}
	if _, unsure, err := m.Classify(nil, start, start.AddDate(0, 9, 0)); err != nil || unsure != model.NoData {
		t.Errorf("no sights gave %q, %v", unsure, err)
	}
	two, err := model.Train(context.Background(), set(t, fields(12, 4, 16, 1, "NDVI", "EVI")), model.Training{Config: model.Config{Method: model.Forest}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := two.Classify(sights, start, start.AddDate(0, 9, 0)); !errors.Is(err, model.ErrBands) || !strings.Contains(err.Error(), "EVI") {
		t.Errorf("a model that wants EVI gave %v", err)
	}
}

// Such a model knows no calendar: where the season of a plot began it cannot guess.
func TestModelOfSeasonsAllOverTheYear(t *testing.T) {
	t.Parallel()
	s := set(t, fields(30, 4, 16, 1, "NDVI"))
	for i := range s.Samples {
		k, shift := &s.Samples[i], i%12*30
		k.Start, k.End = k.Start+shift, k.End+shift
		for j := range k.Days {
			k.Days[j] += shift
		}
	}
	m, err := model.Train(context.Background(), s, model.Training{Config: model.Config{Method: model.SVM}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := m.AnswerAll(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, a := range answers {
		if a.Crop == s.Samples[i].Label {
			right++
		}
	}
	if right < 57 {
		t.Errorf("%d of 60 right, each counted from its own start", right)
	}
	jan := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	if _, _, err := m.Classify(nil, jan, jan.AddDate(1, 0, 0)); !errors.Is(err, model.ErrSeason) {
		t.Errorf("a plot got %v", err)
	}
}

func TestValidatesByGroupsWithoutLettingThemLeak(t *testing.T) {
	t.Parallel()
	s := set(t, fields(30, 4, 16, 1, "NDVI"))
	r, err := model.Validate(context.Background(), s, model.Config{Method: model.Forest, Folds: 5, Group: "place", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.FoldsOf != 3 || r.Folds[0].Name != "county0" || r.Folds[0].Samples != 20 {
		t.Errorf("folds are %+v", r.Folds)
	}
	for _, c := range []struct {
		group string
		want  error
	}{{"village", sample.ErrGroup}, {"block:wide", model.ErrGroupBy}, {"block:99deg", sample.ErrBlock}} {
		if _, err := model.Validate(context.Background(), s, model.Config{Folds: 5, Group: c.group}); !errors.Is(err, c.want) {
			t.Errorf("--group %s gave %v", c.group, err)
		}
	}
}

// One field far from the others must not keep a bank from its model, and a fold
// that leaves nothing to learn from is named.
func TestFoldsThatLeaveTooLittle(t *testing.T) {
	t.Parallel()
	s := set(t, fields(20, 4, 16, 1, "NDVI"))
	for i := range s.Samples {
		s.Samples[i].At[0] = 114
	}
	s.Samples[0].At[0] = 120
	m, err := model.Train(context.Background(), s, model.Training{Config: model.Config{Method: model.SVM, Folds: 3}, Now: now})
	if err != nil || m.Record.Spatial != nil || m.Record.Calibration != "random" {
		t.Fatalf("one field far away: %v", err)
	}
	for _, method := range model.Methods() {
		if _, err := model.Validate(context.Background(), s, model.Config{Method: method, Group: model.Blocks}); !errors.Is(err, model.ErrThin) {
			t.Errorf("%s, asked to leave out nearly all: %v", method, err)
		}
	}
	for i := range s.Samples {
		k := &s.Samples[i]
		if k.At[0] = 114; i%4 < 2 { // half of either crop
			k.At[0] = 120
			for j := range k.Values[0] {
				k.Values[0][j] = math.NaN()
			}
		}
	}
	if _, err := model.Check(s); err != nil {
		t.Fatal(err)
	}
	for _, method := range model.Methods() {
		if _, err := model.Validate(context.Background(), s, model.Config{Method: method, Group: model.Blocks}); !errors.Is(err, model.ErrThin) {
			t.Errorf("%s, with no data in the other square: %v", method, err)
		}
	}
}

// A label that says nothing of the curve must score like chance: if it does not,
// the truth leaks.
func TestRandomLabelsScoreLikeChance(t *testing.T) {
	t.Parallel()
	s := set(t, fields(60, 4, 16, 1, "NDVI"))
	r := rand.New(rand.NewPCG(9, 0))
	for i := range s.Samples {
		s.Samples[i].Label = []string{"a", "b"}[r.IntN(2)]
	}
	for _, method := range model.Methods() {
		got, err := model.Validate(context.Background(), s, model.Config{Method: method, Folds: 5, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Accuracy-0.5) > 0.16 {
			t.Errorf("%s reaches %.2f on labels drawn by lot", method, got.Accuracy)
		}
	}
}

func TestRefusesWhatCannotBeTrained(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "M")
	for _, c := range []struct {
		name, text, method string
		want               error
		says               string
	}{
		{"one label", strings.ReplaceAll(fields(10, 4, 16, 1, "NDVI"), "maize", "wheat"), "", model.ErrClasses, "1 label"},
		{"too few of a label", fields(10, 4, 16, 1, "NDVI") + "x,rice,114,35,2024-01-01,2024-12-31,2024-05-01,0.3,c\n", "", model.ErrFew, `"rice" has 1`},
		{"unknown method", fields(10, 4, 16, 1, "NDVI"), "magic", model.ErrMethod, "ensemble"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := model.Train(context.Background(), set(t, c.text), model.Training{Config: model.Config{Method: c.method}, Now: now})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	m := trained(t, model.Forest)
	if err := m.Save(filepath.Join(path, "no", "folder")); err == nil {
		t.Error("a folder that is not there was written to")
	}
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".crop-model-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := model.Open(path); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(path)
	for cut := range 7 {
		if _, err := model.Read(bytes.NewReader(text[:len(text)*cut/7]), "M"); !errors.Is(err, model.ErrFile) {
			t.Errorf("a file cut to %d/7 gave %v", cut, err)
		}
	}
}

func pack(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

func TestNamesAModelOfAnotherVersion(t *testing.T) {
	t.Parallel()
	_, err := model.Read(bytes.NewReader(pack(`{"format":"furrow-crop-model","version":9}`)), "M")
	if !errors.Is(err, model.ErrVersion) {
		t.Errorf("got %v", err)
	}
}

// oneTree leaves a model's forest its first tree, so that the fuzzer has a small one.
func oneTree(t testing.TB, text []byte) []byte {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	forest, ok := file["members"].([]any)[0].(map[string]any)["forest"].(map[string]any)
	if !ok {
		return text
	}
	cells := map[string][]byte{}
	for k, v := range forest {
		b, err := base64.StdEncoding.DecodeString(v.(string))
		if err != nil {
			t.Fatal(err)
		}
		cells[k] = b
	}
	for k, b := range cells {
		n := binary.LittleEndian.Uint32(cells["nodes"])
		if k == "nodes" {
			n = 1
		}
		forest[k] = base64.StdEncoding.EncodeToString(b[:4*n])
	}
	small, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return small
}

// FuzzRead takes the unpacked text, so that the fuzzer reaches what is inside.
func FuzzRead(f *testing.F) {
	for _, method := range []string{model.Whitened, model.Forest} {
		m, err := model.Train(context.Background(), set(f, fields(6, 4, 90, 1, "NDVI")), model.Training{Config: model.Config{Method: method}, Now: now})
		if err != nil {
			f.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(encoded(f, m)))
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(oneTree(f, text)))
	}
	fresh := set(f, fields(1, 4, 40, 3, "NDVI"))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := model.Read(bytes.NewReader(pack(text)), "M")
		if err != nil {
			if fault.Kind(err) == nil {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		if answers, err := m.AnswerAll(context.Background(), fresh); err == nil && len(answers) != 2 {
			t.Fatalf("%d answers", len(answers))
		}
	})
}

func ExampleValidate() {
	table := fields(30, 4, 16, 1, "NDVI")
	s, err := sample.Read(strings.NewReader(table), "F.csv", sample.Options{})
	if err != nil {
		panic(err)
	}
	r, err := model.Validate(context.Background(), s, model.Config{Folds: 5, Group: model.Blocks, Seed: 42})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d samples, %d squares, right on more than 95 %%: %v\n", r.Samples, r.FoldsOf, r.Accuracy > 0.95)
	// Output: 60 samples, 3 squares, right on more than 95 %: true
}
