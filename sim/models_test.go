package sim

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
)

// The models of the demo tell bad from good on loans not seen, ask for features that
// decisions have, and trust an ordinary borrower.
func TestModelsOfThePast(t *testing.T) {
	t.Parallel()
	for kind, h := range habits {
		t.Run(h.model, func(t *testing.T) {
			t.Parallel()
			today := money.NewDate(2026, time.May, 1)
			made, err := trainPast(context.Background(), kind, today)
			if err != nil {
				t.Fatal(err)
			}
			again, err := trainPast(context.Background(), kind, today)
			if err != nil || !bytes.Equal(made.file, again.file) {
				t.Error("the same past gave another model", err)
			}
			m, err := score.Read(made.file)
			if err != nil {
				t.Fatal(err)
			}
			record := m.File().Training
			if auc := record.Figures["auc"]; auc < 0.65 || auc > 0.95 {
				t.Errorf("AUC %.3f", auc)
			}
			if rate := float64(record.Bad) / float64(record.Rows); rate < 0.02 || rate > 0.1 {
				t.Errorf("%.3f of the loans went bad", rate)
			}
			for _, name := range m.Inputs() {
				if _, ok := feature.Lookup(name); !ok {
					t.Errorf("no decision knows %s", name)
				}
			}
			var res score.Result
			m.Score(slices.Repeat([]score.Value{score.Missing}, len(m.Inputs())), &res) // nothing known
			t.Logf("%d of %d bad, AUC %.3f, nothing known %.3f", record.Bad, record.Rows, record.Figures["auc"], res.PD)
		})
	}
}
