package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/model"
)

// A row holds what was known when it was decided, and how the loan went; what has no
// outcome yet, or knows more than it could, is left out and counted.
func TestSampleRows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	taken := now.AddDate(-2, 0, 0)
	evidence := func(at time.Time) []byte {
		b, _, err := credit.Canonical(credit.Evidence{TakenAt: taken, Bureau: &credit.Bureau{At: at, Queries6m: 4}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	take := func(id string, l *model.Loan, ev []byte) model.Observation {
		return model.Observation{DecisionID: id, MadeAt: taken, Evidence: ev, Product: []byte(`{"max_fen":500}`), Loan: l}
	}
	var out bytes.Buffer
	var n sampled
	s := sampler{w: csv.NewWriter(&out), names: feature.Names(), now: now, n: &n}
	for _, o := range []model.Observation{
		take("bad", &model.Loan{DrawnOn: now.AddDate(0, -4, 0), WorstOverdue: 91}, evidence(taken)),
		take("good", &model.Loan{DrawnOn: now.AddDate(0, -12, 0), WorstOverdue: 90}, evidence(taken.AddDate(0, 0, -9))),
		take("closed", &model.Loan{DrawnOn: now.AddDate(0, -2, 0), Closed: true}, evidence(taken)),
		take("young", &model.Loan{DrawnOn: now.AddDate(0, -2, 0)}, evidence(taken)),
		take("none", nil, evidence(taken)),
		take("later", &model.Loan{Closed: true}, evidence(taken.AddDate(0, 0, 1))),
	} {
		if err := s.take(o); err != nil {
			t.Fatal(err)
		}
	}
	s.w.Flush()
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	column := map[string]int{}
	for i, name := range s.names {
		column[name] = i + 3
	}
	for i, want := range [][5]string{{"bad", "1", "0", "4", ""}, {"good", "0", "9", "4", ""}, {"closed", "0", "0", "4", ""}} {
		r := rows[i]
		if got := [5]string{r[0], r[2], r[column["bureau_age"]], r[column["queries_6m"]], r[column["worth_low"]]}; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if r[column["max_limit"]] != "500" {
			t.Errorf("max_limit %s", r[column["max_limit"]])
		}
	}
	got, _ := json.Marshal(n)
	if string(got) != `{"decisions":6,"rows":3,"bad":1,"not_lent":1,"too_young":1,"later":1}` {
		t.Errorf("got %s", got)
	}
}
