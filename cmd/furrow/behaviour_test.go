package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// Every second of the file must end up judged, doubtful or not judged, by the model
// of the catalogue and by one window a line.
func TestBehaviourPredictAccountsForEverySecond(t *testing.T) {
	t.Parallel()
	data := filepath.Join(realdata.Dir(t, "iot"), "accel_cow_behaviour_10hz.csv.gz")
	out := filepath.Join(t.TempDir(), "P.csv.gz")
	text, _, err := call(t, runBehaviourPredict, "--data", data, "--out", out, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var sum behaviourSum
	if err := json.Unmarshal([]byte(text), &sum); err != nil {
		t.Fatal(err)
	}
	if total := sum.Judged + sum.Doubtful + sum.NotJudged; total < 18416 || total > 18417 {
		t.Errorf("%.1f s of 18416.4", total)
	}
	if s := sum.Seconds; s["grazing"] < 6500 || s["resting"] < 4500 || s["walking"] < 2000 {
		t.Errorf("%+v", sum)
	}
}

func TestBehaviourSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--data"},
		{[]string{"--data", "missing.csv"}, "missing.csv"},
		{[]string{"--data", "missing.csv", "--json"}, "--out"},
		{[]string{"--data", "x.csv", "--model", "missing.json"}, "missing.json"},
	} {
		_, _, err := call(t, runBehaviourPredict, c.args...)
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}
