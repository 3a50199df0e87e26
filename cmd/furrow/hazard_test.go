package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func TestHazardFlood(t *testing.T) {
	t.Parallel()
	dir, out := realdata.Dir(t, "geo", "flood"), filepath.Join(t.TempDir(), "mask.tif")
	s1, s2, label := filepath.Join(dir, "spain_S1Hand.tif"), filepath.Join(dir, "spain_S2Hand.tif"), filepath.Join(dir, "spain_LabelHand.tif")
	for _, c := range []struct {
		more  []string
		floor float64 // of the best single threshold tuned on the chip
	}{{[]string{"--s2", s2}, 0.649}, {nil, 0.493}} {
		text, _, err := call(t, runHazardFlood, append(c.more, "--s1", s1, "--truth", label, "--out", out, "--json")...)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			IoU        float64                                    `json:"iou"`
			Judged     int                                        `json:"judged_pixels"`
			Thresholds map[string]struct{ Value, Spread float64 } `json:"thresholds"`
			Out        string                                     `json:"out"`
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.IoU <= c.floor || got.Judged != 256*512-39 || got.Out != out || !(got.Thresholds["radar"].Value > 0) {
			t.Errorf("%v: got %+v, want an IoU above %.3f", c.more, got, c.floor)
		}
		if _, err := os.Stat(out); err != nil {
			t.Error(err)
		}
	}
	text, _, err := call(t, runHazardFlood, "--s1", s1, "--out", out)
	if err != nil || !strings.Contains(text, "water on 15.4 %") || !strings.Contains(text, "radar") || strings.Contains(text, "truth") {
		t.Errorf("in words: %q %v", text, err)
	}
	for _, args := range [][]string{{}, {"--s1", s1}, {"--out", out}, {"--s1", s1, "--out", out, "more"}, {"--s1", label + ".none", "--out", out}, {"--nonsense"}} {
		if _, _, err := call(t, runHazardFlood, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%v gave %v", args, err)
		}
	}
}
