package sample_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

const table = `sample_id,label,lon,lat,start,end,step,date,NDVI,EVI,region_year
b,maize,120.5,30.25,2024-04-01,2024-10-01,1,2024-05-03,0.4,,Hebei_2024
b,maize,120.5,30.25,2024-04-01,2024-10-01,2,2024-04-17,0.3,NaN,Hebei_2024
a,,,,,,1,2024-04-17,0.2,0.1,Henan_2024
b,maize,120.5,30.25,2024-04-01,2024-10-01,3,2024-05-19,0.5,0.25,Hebei_2024
`

func read(t *testing.T, text string, opt sample.Options) *sample.Set {
	t.Helper()
	set, err := sample.Read(strings.NewReader(text), "F.csv", opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestReadsSeriesBandsAndGroups(t *testing.T) {
	t.Parallel()
	set := read(t, "\ufeff"+table, sample.Options{})
	if set.Rows != 4 || !slices.Equal(set.Bands, []string{"NDVI", "EVI"}) || !slices.Equal(set.Columns, []string{"region_year"}) {
		t.Fatalf("rows %d, bands %v, columns %v", set.Rows, set.Bands, set.Columns)
	}
	b, a := set.Samples[0], set.Samples[1]
	if b.ID != "b" || b.Label != "maize" || b.At != [2]float64{120.5, 30.25} || b.Groups[0] != "Hebei_2024" {
		t.Errorf("sample b is %+v", b)
	}
	if want := []float64{0.3, 0.4, 0.5}; !slices.Equal(b.Values[0], want) {
		t.Errorf("values by date are %v, want %v", b.Values[0], want)
	}
	if !math.IsNaN(b.Values[1][0]) || !math.IsNaN(b.Values[1][1]) || b.Values[1][2] != 0.25 {
		t.Errorf("missing cells are read as %v", b.Values[1])
	}
	if got := sample.Date(b.Start).Format("2006-01-02"); got != "2024-04-01" {
		t.Errorf("start is %s", got)
	}
	if a.Placed() || !b.Placed() || a.Label != "" || a.Start != a.Days[0] {
		t.Errorf("sample a is %+v", a)
	}
}

func TestTellsBandsFromOtherColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text   string
		opt          sample.Options
		bands, other []string
	}{
		{"a year that never changes within a sample is no band",
			"sample_id,date,x,year\n1,2024-01-01,1,2024\n1,2024-01-02,2,2024\n2,2023-01-01,1,2023\n", sample.Options{}, []string{"x"}, []string{"year"}},
		{"a level series is a band when the model says so",
			"sample_id,date,x\n1,2024-01-01,1\n1,2024-01-02,1\n", sample.Options{Bands: []string{"x"}}, []string{"x"}, nil},
		{"a number is a group when asked for",
			"sample_id,date,x,zone\n1,2024-01-01,1,7\n", sample.Options{Groups: []string{"zone"}}, []string{"x"}, []string{"zone"}},
		{"a long number is a group beside a single date",
			"sample_id,date,x,id_card\n1,2024-01-01,1,410725199001011234\n", sample.Options{}, []string{"x"}, []string{"id_card"}},
		{"an empty column stays a band without data",
			"sample_id,date,x,y\n1,2024-01-01,1,\n1,2024-01-02,2,\n", sample.Options{}, []string{"x", "y"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := read(t, c.text, c.opt)
			if !slices.Equal(set.Bands, c.bands) || !slices.Equal(set.Columns, c.other) {
				t.Errorf("bands %v and columns %v, want %v and %v", set.Bands, set.Columns, c.bands, c.other)
			}
		})
	}
}

func TestNamesThePlaceOfAMistake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, place string
		want              error
	}{
		{"empty", "", "F.csv:1:1", sample.ErrTable},
		{"header only", "sample_id,date,x\n", "F.csv:2:1", sample.ErrTable},
		{"no id", "date,x\n2024-01-01,1\n", "F.csv:1:1", sample.ErrColumn},
		{"no band", "sample_id,date\n1,2024-01-01\n", "F.csv:1:1", sample.ErrColumn},
		{"two columns of one name", "sample_id,date,x,x\n", "F.csv:1:18", sample.ErrTable},
		{"blank id", "sample_id,date,x\n,2024-01-01,1\n", "F.csv:2:1", sample.ErrCell},
		{"no date", "sample_id,date,x\n1,01.02.2024,1\n", "F.csv:2:3", sample.ErrCell},
		{"a cell too many", "sample_id,date,x\n1,2024-01-01,1,1\n", "F.csv:2:1", sample.ErrTable},
		{"misspelt value", "sample_id,date,x\n1,2024-01-01,1\n1,2024-01-02,2\n1,2024-01-03,o.3\n", "F.csv:4:14", sample.ErrCell},
		{"infinite value", "sample_id,date,x\n1,2024-01-01,1\n1,2024-01-02,Inf\n", "F.csv:3:14", sample.ErrCell},
		{"far longitude", "sample_id,lon,lat,date,x\n1,181,1,2024-01-01,1\n", "F.csv:2:3", sample.ErrCell},
		{"end before start", "sample_id,start,end,date,x\n1,2024-02-01,2024-01-01,2024-01-01,1\n", "F.csv:2:14", sample.ErrCell},
		{"two labels", "sample_id,label,date,x\n1,a,2024-01-01,1\n1,b,2024-01-02,1\n", "F.csv:3:3", sample.ErrVaries},
		{"two places", "sample_id,lon,lat,date,x\n1,1,2,2024-01-01,1\n1,1,3,2024-01-02,1\n", "F.csv:3:5", sample.ErrVaries},
		{"two starts", "sample_id,start,date,x\n1,2024-01-01,2024-01-01,1\n1,,2024-01-02,1\n", "F.csv:3:3", sample.ErrVaries},
		{"two groups", "sample_id,date,x,g\n1,2024-01-01,1,p\n1,2024-01-02,2,q\n", "F.csv:3:16", sample.ErrVaries},
		{"a date twice", "sample_id,date,x\n2,2024-01-01,1\n1,2024-01-01,1\n1,2024-01-01,2\n", "F.csv:4:1", sample.ErrRepeat},
		{"a date twice among dates out of order", "sample_id,date,x\n1,2024-03-01,1\n1,2024-01-01,1\n1,2024-02-01,1\n1,2024-01-01,2\n", "F.csv:5:1", sample.ErrRepeat},
		{"a number for missing", "sample_id,date,x\n1,2024-01-01,1\n1,2024-01-02,9.96921e36\n", "F.csv:3:14", sample.ErrCell},
		{"nothing but huge numbers", "sample_id,date,x\n1,2024-01-01,1e20\n1,2024-01-02,1e400\n", "F.csv:2:14", sample.ErrCell},
		{"a label in GBK", "sample_id,label,date,x\n1,\xd3\xf1\xc3\xd7,2024-01-01,1\n", "F.csv:2:3", sample.ErrText},
		{"a column in GBK", "sample_id,date,x,\xcf\xd8\n1,2024-01-01,1,7\n", "F.csv:1:18", sample.ErrText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := sample.Read(strings.NewReader(c.text), "F.csv", sample.Options{})
			var f *fault.Error
			if !errors.Is(err, c.want) || !errors.As(err, &f) || f.Place != c.place {
				t.Errorf("got %v, want %v at %s", err, c.want, c.place)
			}
		})
	}
}

func TestFoldsAreEvenRepeatableAndKeepGroupsTogether(t *testing.T) {
	t.Parallel()
	labels := strings.Split(strings.Repeat("a", 50)+strings.Repeat("b", 13), "")
	fold, err := sample.Random(labels, 5, 42)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := sample.Random(labels, 5, 42)
	other, _ := sample.Random(labels, 5, 43)
	if !slices.Equal(fold, again) || slices.Equal(fold, other) {
		t.Error("folds must depend on the seed and on nothing else")
	}
	count := map[string][]int{"a": make([]int, 5), "b": make([]int, 5)}
	for i, f := range fold {
		count[labels[i]][f]++
	}
	for l, n := range count {
		if slices.Max(n)-slices.Min(n) > 1 {
			t.Errorf("label %s is spread as %v", l, n)
		}
	}
	groups := make([]string, 100)
	for i := range groups {
		groups[i] = string(rune('a' + i*i%17))
	}
	packed, names, err := sample.Grouped(groups, 3, 1)
	if err != nil || names != nil {
		t.Fatal(err, names)
	}
	of, size := map[string]int{}, make([]int, 3)
	for i, f := range packed {
		if before, ok := of[groups[i]]; ok && before != f {
			t.Fatalf("group %s lies in two folds", groups[i])
		}
		of[groups[i]] = f
		size[f]++
	}
	if slices.Max(size) > 2*slices.Min(size) {
		t.Errorf("folds have %v samples", size)
	}
	single, names, err := sample.Grouped(groups, 0, 1)
	if err != nil || len(names) != len(of) || slices.Max(single) != len(of)-1 {
		t.Errorf("leaving out one group at a time gave %d folds of %d groups: %v", len(names), len(of), err)
	}
	if _, _, err := sample.Grouped([]string{"x", "x"}, 5, 1); !errors.Is(err, sample.ErrFolds) {
		t.Errorf("one group gave %v", err)
	}
}

func TestBlocksAreSquaresOfDegrees(t *testing.T) {
	t.Parallel()
	set := read(t, "sample_id,lon,lat,date,x\n1,-54.2,-14.1,2024-01-01,1\n2,-54.9,-14.9,2024-01-01,1\n3,-55.1,-14.9,2024-01-01,1\n", sample.Options{})
	got, err := set.Blocks(1)
	if err != nil || !slices.Equal(got, []string{"-55,-15", "-55,-15", "-56,-15"}) {
		t.Errorf("blocks are %v, %v", got, err)
	}
	if _, err := read(t, table, sample.Options{}).Blocks(1); !errors.Is(err, sample.ErrPlaces) {
		t.Errorf("a sample without a place gave %v", err)
	}
}

// The figures of this table are worked out by hand.
func TestMeasuresAgreement(t *testing.T) {
	t.Parallel()
	answers := []sample.Answer{
		{Truth: "a", Probability: []float64{0.9, 0.1}},
		{Truth: "a", Probability: []float64{0.8, 0.2}},
		{Truth: "a", Probability: []float64{0.3, 0.7}, Fold: 1},
		{Truth: "b", Probability: []float64{0.4, 0.6}, Fold: 1},
		{Truth: "b", Fold: 1}, // no data
		{Truth: "c", Probability: []float64{0.6, 0.4}, Fold: 1},
	}
	s := sample.Measure(answers, []string{"a", "b"}, []string{"x", "y"})
	if diff := cmp.Diff([][]int{{2, 1, 0, 0}, {0, 1, 0, 1}, {1, 0, 0, 0}}, s.Confusion); diff != "" {
		t.Error(diff)
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	near("accuracy", s.Accuracy, 0.5)
	near("F1 of a", s.Classes[0].F1, 2./3)
	near("producer's accuracy of a", s.Classes[0].Producer, 2./3)
	near("user's accuracy of b", s.Classes[1].User, 0.5)
	near("macro F1", s.MacroF1, (2./3+0.5+0)/3)
	near("kappa", s.Kappa, (0.5-13./36)/(1-13./36))
	near("fold x", s.Folds[0].Accuracy, 1)
	near("fold y", s.Folds[1].Accuracy, 0.25)
	near("Brier", s.Calibration.Brier, (0.02+0.08+0.98+0.32+1.52)/5)
	near("ECE", s.Calibration.ECE, (0.1+0.2+0.7+math.Abs(1.2-1))/5)
	if s.NoData != 1 {
		t.Errorf("%d without data", s.NoData)
	}
	last := s.Abstention[17] // 0.85
	near("coverage at 0.85", last.Coverage, 1./6)
	near("accuracy at 0.85", last.Accuracy, 1)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(table))
	f.Add([]byte("sample_id,date,x\n1,2024-01-01,\n1,2024-01-02,NaN\n"))
	f.Add([]byte("sample_id,lon,lat,date,\"x\n\"\n1,9e9,,0000-01-01,1e400\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := sample.Read(bytes.NewReader(text), "F.csv", sample.Options{})
		if err != nil {
			if fault.Kind(err) == nil {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		rows := 0
		for _, s := range set.Samples {
			rows += len(s.Days)
			if len(s.Values) != len(set.Bands) || len(s.Groups) != len(set.Columns) || !slices.IsSorted(s.Days) {
				t.Fatalf("a crooked sample: %+v", s)
			}
			for _, v := range s.Values {
				if len(v) != len(s.Days) {
					t.Fatalf("%d values of %d days", len(v), len(s.Days))
				}
			}
		}
		if rows != set.Rows || rows == 0 {
			t.Fatalf("%d of %d rows kept", rows, set.Rows)
		}
	})
}
