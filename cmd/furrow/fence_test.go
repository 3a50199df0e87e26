package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/internal/realdata"
)

// shell runs a command line and returns its exit code, output and messages.
func shell(t *testing.T, in string, args ...string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, stdio{strings.NewReader(in), &out, &errs})
	return code, out.String(), errs.String()
}

func write(t *testing.T, name, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if strings.HasSuffix(name, ".gz") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		body = b.String()
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type replayed struct {
	Fixes   int `json:"fixes"`
	Raw     int `json:"raw_exits"`
	Tags    int `json:"tags"`
	Entries []entry
	Exits   []struct {
		Tag      string     `json:"tag"`
		Left     time.Time  `json:"left"`
		Returned *time.Time `json:"returned"`
	} `json:"exits"`
}

func replayFixes(t *testing.T, args ...string) replayed {
	t.Helper()
	code, out, errs := shell(t, "", append([]string{"fence", "replay", "--json"}, args...)...)
	var r replayed
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	return r
}

func TestFenceReplayRealPen(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	r := replayFixes(t, "--fixes", filepath.Join(dir, "rtls_calves.csv.gz"), "--fence", filepath.Join(dir, "rtls_pen_objects.csv"), "--pen", "14")
	if r.Fixes != 83855 || r.Tags != 20 || len(r.Entries) != 20 || len(r.Exits) != 0 || r.Raw < 700 {
		t.Errorf("%d fixes, %d tags, %d entries, %d exits, %d raw exits", r.Fixes, r.Tags, len(r.Entries), len(r.Exits), r.Raw)
	}
}

// Without a pen all three are the ground: nobody left them either.
func TestFenceReplayAllPens(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	r := replayFixes(t, "--fixes", filepath.Join(dir, "rtls_calves.csv.gz"), "--fence", filepath.Join(dir, "rtls_pen_objects.csv"))
	if r.Fixes != 83855 || len(r.Entries) != 20 || len(r.Exits) != 0 {
		t.Errorf("%d fixes, %d entries, exits %+v", r.Fixes, len(r.Entries), r.Exits)
	}
}

const square = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[113.2,31.5],[113.21,31.5],[113.21,31.51],[113.2,31.51],[113.2,31.5]]]}}]}`

func TestFenceReplayDegrees(t *testing.T) {
	t.Parallel()
	// Tag b leaves and comes back, tag a does not; rows are out of order.
	fixes := "tag,time,lon,lat\n"
	for i, lon := range []float64{113.205, 113.206, 113.214, 113.216, 113.206, 113.205} {
		fixes += fmt.Sprintf("b,2026-06-01T08:%02d:00Z,%g,31.505\n", 10*i, lon)
	}
	for i := 5; i >= 0; i-- {
		fixes += fmt.Sprintf("a,2026-06-01T08:%02d:00Z,%g,31.505\n", 10*i, 113.207+0.002*float64(i))
	}
	r := replayFixes(t, "--fixes", write(t, "f.csv.gz", fixes), "--fence", write(t, "f.geojson", square))
	if len(r.Exits) != 2 || r.Exits[0].Tag != "b" || r.Exits[0].Returned == nil || r.Exits[0].Left.Minute() != 20 || r.Exits[0].Returned.Minute() != 40 ||
		r.Exits[1].Tag != "a" || r.Exits[1].Returned != nil {
		t.Errorf("%+v", r.Exits)
	}
}

func TestFenceReplayBadInput(t *testing.T) {
	t.Parallel()
	good := write(t, "f.geojson", square)
	for name, c := range map[string]struct {
		fixes, fence, says string
	}{
		"no such file":     {"/none.csv", good, "/none.csv"},
		"bad time":         {write(t, "a.csv", "tag,time,lon,lat\nx,2026-06-01T08:00:00Z,113,31\nx,yesterday,113,31\n"), good, "a.csv:3:3"},
		"30 February":      {write(t, "a.csv", "tag,time,lon,lat\nx,2026-02-30T08:00:00Z,113,31\n"), good, "a.csv:2:3"},
		"latitude of 91":   {write(t, "a.csv", "tag,time,lon,lat\nx,2026-06-01T08:00:00Z,113,91\n"), good, "a.csv:2:28"},
		"no latitude":      {write(t, "a.csv", "tag,time,lon\nx,2026-06-01T08:00:00Z,113\n"), good, "lat or latitude or y"},
		"short row":        {write(t, "a.csv", "tag,time,lon,lat\nx,1\n"), good, "a.csv:2"},
		"empty":            {write(t, "a.csv", ""), good, "empty"},
		"not gzip":         {write(t, "a.csv", "x") + ".gz", good, "gz"},
		"fence no polygon": {write(t, "a.csv", "tag,time,lon,lat\n"), write(t, "f.json", `{"type":"Point","coordinates":[1,2]}`), "no polygon"},
		"fence no JSON":    {write(t, "a.csv", "tag,time,lon,lat\n"), write(t, "f.json", `{`), "not GeoJSON"},
		"fence of a line":  {write(t, "a.csv", "tag,time,x,y\n"), write(t, "f.csv", "x,y\n1,1\n2,2\n"), "three corners"},
		"fence of words":   {write(t, "a.csv", "tag,time,x,y\n"), write(t, "f.csv", "x,y\n1,one\n"), "f.csv:2:3"},
	} {
		code, out, errs := shell(t, "", "fence", "replay", "--fixes", c.fixes, "--fence", c.fence)
		if code != 2 || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d, says %q; want exit 2 and %q", name, code, errs, c.says)
		}
	}
	if code, _, _ := shell(t, "", "fence", "replay", "--fixes", "x", "--fence", good, "--species", "unicorn"); code != 2 {
		t.Error("an unknown species exits", code)
	}
}

func TestTrackClean(t *testing.T) {
	t.Parallel()
	in := "\uFEFFtag,time,lat,lon,note\nx,2026-06-01T08:00:00Z,31.5,113.2,a\nx,2026-06-01T08:01:00Z,31.9,113.2,far\nx,2026-06-01T08:02:00Z,0,0,zero\n" +
		"x,2026-06-01T08:03:00Z,31.5001,113.2,\"b, c\"\nx,2026-06-01T08:03:00Z,31.5001,113.2,again\nx,2026-06-01T08:02:30Z,31.5,113.2,late\n"
	code, out, errs := shell(t, in, "track", "clean", "--fixes", "-")
	want := "tag,time,lat,lon,note,keep,reason\nx,2026-06-01T08:00:00Z,31.5,113.2,a,1,\nx,2026-06-01T08:01:00Z,31.9,113.2,far,0,speed\nx,2026-06-01T08:02:00Z,0,0,zero,0,zero\n" +
		"x,2026-06-01T08:03:00Z,31.5001,113.2,\"b, c\",1,\nx,2026-06-01T08:03:00Z,31.5001,113.2,again,0,duplicate\nx,2026-06-01T08:02:30Z,31.5,113.2,late,0,late\n"
	if code != 0 || out != want {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
}

func TestTrackCleanWritesWholeFilesOnly(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "out.csv")
	bad := write(t, "a.csv", "tag,time,lon,lat\nx,2026-06-01T08:00:00Z,113,31\nx,never,113,31\n")
	if code, _, errs := shell(t, "", "track", "clean", "--fixes", bad, "--out", to); code != 2 {
		t.Errorf("exit %d: %s", code, errs)
	}
	if left, _ := filepath.Glob(to + "*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	code, out, errs := shell(t, "tag,time,x,y\na,2026-06-01T08:00:00Z,1,2\n", "track", "clean", "--fixes", "-", "--out", to, "--json")
	if code != 0 || !strings.Contains(out, `"kept": 1`) {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	f, err := os.ReadFile(to)
	if rows, _ := csv.NewReader(bytes.NewReader(f)).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("%q, %v", f, err)
	}
}

func TestTagReplayPlan(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	code, out, errs := shell(t, "", "tag", "replay", "--plan", "--fixes", filepath.Join(dir, "rtls_calves.csv.gz"),
		"--fence", filepath.Join(dir, "rtls_pen_objects.csv"), "--pen", "14", "--map", "114.4,35.02")
	var plan struct {
		Fence   [][][2]float64 `json:"fence"`
		Animals []struct {
			TagID string `json:"tag_id"`
		} `json:"animals"`
	}
	if err := json.Unmarshal([]byte(out), &plan); code != 0 || err != nil || len(plan.Animals) != 20 || plan.Animals[0].TagID == "" {
		t.Fatalf("exit %d, %v, %d animals %s", code, err, len(plan.Animals), errs)
	}
	for _, c := range plan.Fence[0] { // the pen is some 50 m wide
		if c[0] < 114.399 || c[0] > 114.401 || c[1] < 35.019 || c[1] > 35.021 {
			t.Errorf("a corner of the pen lies at %v", c)
		}
	}
	for _, bad := range [][]string{{"--map", "east"}, {"--speed", "0"}, {"--credentials", "/none.json"}} {
		args := append([]string{"tag", "replay", "--fixes", filepath.Join(dir, "rtls_calves.csv.gz"), "--fence", filepath.Join(dir, "rtls_pen_objects.csv"), "--credentials", "/none"}, bad...)
		if code, _, _ := shell(t, "", args...); code != 2 {
			t.Errorf("%v: exit %d", bad, code)
		}
	}
}
