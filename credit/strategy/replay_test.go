package strategy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/strategy"
)

// What an earlier version froze replays to the bytes that it decided, although reports
// have more fields now and the herd policy other rules. The files of each folder in
// testdata were written by the version that its name tells, and never change.
func TestReplayOfEarlierVersions(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/*-*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no frozen decisions", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			read := func(name string) []byte {
				b, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			want := read("decision.json")
			var stored credit.Decision
			if err := json.Unmarshal(want, &stored); err != nil {
				t.Fatal(err)
			}
			frozen := strategy.Frozen{Evidence: read("evidence.json"), Product: read("product.json"), Policy: read("policy.yaml")}
			again, err := strategy.Replay(stored, frozen)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(again)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("replayed as\n%s\nit was\n%s", got, want)
			}
			if stored.EvidenceHash != credit.Hash(frozen.Evidence) {
				t.Error("the frozen bytes have another hash than the decision")
			}
			// One figure more in the evidence is another decision's evidence.
			frozen.Evidence = append([]byte(nil), frozen.Evidence...)
			frozen.Evidence[len(frozen.Evidence)-2] ^= 1
			if other, err := strategy.Replay(stored, frozen); err == nil && other.EvidenceHash == stored.EvidenceHash {
				t.Error("changed evidence has the same hash")
			}
		})
	}
}
