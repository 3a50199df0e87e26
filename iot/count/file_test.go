package count_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/count"
)

func TestReadCountsNamesThePlaceOfAMistake(t *testing.T) {
	t.Parallel()
	const head = "device,kind,from,to,seen,out,matched,picture,pen\n"
	got, err := count.ReadCounts(strings.NewReader(head+"cam,camera,2026-05-31T08:00:00Z,,12,,9,,p1\n"), "c.csv")
	if err != nil || len(got) != 1 || got[0].Seen != 12 || *got[0].Matched != 9 || got[0].PenID != "p1" || !got[0].To.Equal(got[0].From) {
		t.Fatal(err, got)
	}
	for name, c := range map[string]struct{ in, want string }{
		"empty":   {"", "c.csv:1:1: "},
		"quote":   {"device,\"kind\"s\n", "c.csv:1:13: the file cannot be read: extraneous"},
		"column":  {"device,kind,from\n", "c.csv:1"},
		"time":    {head + "cam,camera,noon,,1,,,,\n", "c.csv:2:12"},
		"number":  {head + "cam,camera,2026-05-31T08:00:00Z,,x,,,,\n", "c.csv:2:34"},
		"nothing": {head + "cam,camera,2026-05-31T08:00:00Z,,,,,,\n", "empty"},
		"kind":    {head + "cam,drone,2026-05-31T08:00:00Z,,1,,,,\n", "c.csv:2"},
		"matched": {head + "cam,camera,2026-05-31T08:00:00Z,,1,,2,,\n", "c.csv:2"},
		"ragged":  {head + "cam\n", "c.csv:2"},
	} {
		if _, err := count.ReadCounts(strings.NewReader(c.in), "c.csv"); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, in := range []string{"", "tag\n", "tag,time\n,2026-05-31T08:00:00Z\n", "tag,time\na,b\n"} {
		if _, err := count.ReadHeard(strings.NewReader(in), "t.csv"); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "t.csv") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzReadCounts(f *testing.F) {
	f.Add("device,kind,from,seen\ncam,camera,2026-05-31T08:00:00Z,12\n")
	f.Add("device,kind,from,seen,out,matched\ng,gate,1780000000000,12,3,4\n")
	f.Fuzz(func(t *testing.T, in string) {
		counts, err := count.ReadCounts(strings.NewReader(in), "c.csv")
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Error(err)
		}
		for i := range counts {
			if count.Check(&counts[i]) != nil {
				t.Errorf("%+v", counts[i])
			}
		}
	})
}

func FuzzReadHeard(f *testing.F) {
	f.Add("tag,time,pen\na,2026-05-31T08:00:00Z,p\n")
	f.Fuzz(func(t *testing.T, in string) {
		heard, err := count.ReadHeard(strings.NewReader(in), "t.csv")
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Error(err)
		}
		for _, h := range heard {
			if h.Tag == "" || h.At.IsZero() {
				t.Errorf("%+v", h)
			}
		}
	})
}
