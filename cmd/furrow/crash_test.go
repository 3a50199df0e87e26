package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/bench/iot/drill"
	"github.com/furrowcredit/furrow/bench/iot/rig"
)

// TestServeKilled is the crash drill of scripts/crash-drill, shortened: processes
// are killed with SIGKILL while gateways publish, and start again on the same data
// and ports. Every acknowledged reading must be stored, once and unaltered.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		setup drill.Setup
		kills int
		spare []string
	}{
		{drill.Embedded, 6, nil},
		{drill.Influx, 3, nil},
		{drill.Shared, 3, []string{"mosquitto"}}, // which acknowledges what it has not saved
	} {
		t.Run(string(tt.setup), func(t *testing.T) {
			t.Parallel()
			r := &rig.Rig{Dir: t.TempDir(), Bin: filepath.Join("..", "..", ".cache", "bin"), Exe: []string{os.Args[0]}, Env: []string{asFurrow + "=1"}}
			defer r.Close()
			if err := r.Has(tt.setup != drill.Embedded, tt.setup == drill.Shared); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			out, err := drill.Run(t.Context(), drill.Config{
				Setup: tt.setup, Kills: tt.kills, Seed: 7, Spare: tt.spare, ClockSteps: true, Rate: 1500, Pause: 300 * time.Millisecond, Rig: r, Say: t.Output(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if !out.Passed() {
				t.Errorf("the house did not keep its word: %+v", out)
			}
			if out.Dropped == 0 && tt.setup != drill.Shared {
				t.Error("no gateway noticed a kill: nothing was tested")
			}
			t.Logf("killed %v: %d acknowledged, %d stored, %d sent again, in %s", out.Kills, out.Acked, out.Stored, out.Again, out.Took)
		})
	}
}
