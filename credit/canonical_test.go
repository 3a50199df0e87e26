package credit_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// Frozen bytes read back and written again are the same bytes, whatever is in them.
func TestCanonicalIsStable(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 8*3600)
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at"))
		f := func(name string) float64 { return rapid.Float64Range(-1e15, 1e15).Draw(t, name) }
		ev := credit.Evidence{
			Applicant: credit.Applicant{UserID: rapid.String().Draw(t, "user"), Debts: money.Fen(rapid.Int64().Draw(t, "debts"))},
			Product:   rapid.String().Draw(t, "product"), TakenAt: at.In(zone), AreaM2: f("area"),
			Alerts: rapid.SliceOf(rapid.String()).Draw(t, "alerts"),
		}
		if rapid.Bool().Draw(t, "crop") {
			clear := at.UTC()
			ev.Crop = &geo.CropReport{
				Confidence: f("confidence"), LastClear: &clear,
				Hazards: []geo.Hazard{{Kind: geo.Flood, Share: f("share"), Evidence: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "evidence")}},
			}
		}
		if rapid.Bool().Draw(t, "firm") {
			ev.Standing = &chain.Standing{Proven: f("proven"), Monthly: []money.Fen{1, 2}}
		}
		first, hash, err := credit.Canonical(ev)
		if err != nil {
			t.Fatal(err)
		}
		back, err := credit.Read(first)
		if err != nil {
			t.Fatal(err)
		}
		again, hash2, err := credit.Canonical(back)
		if err != nil || string(first) != string(again) || hash != hash2 || hash != credit.Hash(first) {
			t.Fatalf("%v\n%s\n%s", err, first, again)
		}
		ev.Asked++
		if _, other, _ := credit.Canonical(ev); other == hash {
			t.Fatal("other evidence has the same hash")
		}
	})
}

func TestCanonicalRefusesWhatHasNoForm(t *testing.T) {
	t.Parallel()
	if _, _, err := credit.Canonical(credit.Evidence{AreaM2: math.NaN()}); !errors.Is(err, credit.ErrEvidence) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	b, _, _ := credit.Canonical(credit.Evidence{})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := credit.Read(b)
		if err != nil {
			return
		}
		one, _, err := credit.Canonical(ev)
		if err != nil {
			return
		}
		back, err := credit.Read(one)
		if err != nil {
			t.Fatal(err)
		}
		if two, _, _ := credit.Canonical(back); string(one) != string(two) {
			t.Errorf("%s\n%s", one, two)
		}
	})
}
