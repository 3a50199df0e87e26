package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// sampled counts what became of the decisions of a span of time.
type sampled struct {
	Decisions int `json:"decisions"`
	Rows      int `json:"rows"`
	Bad       int `json:"bad"`
	NotLent   int `json:"not_lent"`  // no money was lent on them
	TooYoung  int `json:"too_young"` // neither bad nor closed, and not old enough to say
	Later     int `json:"later"`     // with evidence from after the decision: refused
}

// runScoreSample writes the features of stored decisions with their outcome: a table to
// train a model on, made by the code that decides.
func runScoreSample(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("score sample", "--out F.csv[.gz] [--from DAY] [--to DAY] [--db DSN | --data DIR] [--tenant T] [--json]", std)
	dsn := booksFlags(fs)
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank (FURROW_TENANT)")
	out := fs.String("out", "", "the table to write")
	from := fs.String("from", "", "first day of decisions (default: five years before the last)")
	to := fs.String("to", "", "last day of decisions (default: today)")
	asJSON := fs.Bool("json", false, "print one JSON object")
	if err := noWords(fs, args); err != nil {
		return err
	}
	if *out == "" {
		return errUsage.With("why", "say with --out where the table goes")
	}
	now := time.Now()
	last := money.DateOf(now)
	var err error
	if *to != "" {
		if last, err = money.ParseDate(*to); err != nil {
			return err
		}
	}
	first := last.AddMonths(-60)
	if *from != "" {
		if first, err = money.ParseDate(*from); err != nil {
			return err
		}
	}
	if first > last {
		return errUsage.With("why", "--from is after --to")
	}
	var n sampled
	err = app.WithModels(ctx, dsn(), func(s *model.Service) error {
		return writeWhole(*out, func(w io.Writer) error {
			t := sampler{w: csv.NewWriter(w), names: feature.Names(), now: now, n: &n}
			if err := t.w.Write(append([]string{"decision_id", "made_at", "bad"}, t.names...)); err != nil {
				return err
			}
			if err := s.Store.Observations(ctx, *tenant, first.Start(), (last + 1).Start(), t.take); err != nil {
				return err
			}
			t.w.Flush()
			return t.w.Error()
		})
	})
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, n)
	}
	_, err = fmt.Fprintf(std.Out, "%d decisions: %d rows, %d of them bad; left out: %d without a loan, %d too young, %d with later evidence\n",
		n.Decisions, n.Rows, n.Bad, n.NotLent, n.TooYoung, n.Later)
	return err
}

// sampler writes one row for each decision with an outcome.
type sampler struct {
	w     *csv.Writer
	names []string
	now   time.Time
	n     *sampled
}

// outcome says whether a loan went bad, and whether that can be said already.
func (t *sampler) outcome(l *model.Loan) (bad, known bool) {
	bad = l.WorstOverdue > model.BadDays
	return bad, bad || l.Closed || !t.now.Before(l.DrawnOn.AddDate(0, model.OutcomeMonths, 0))
}

func (t *sampler) take(o model.Observation) error {
	t.n.Decisions++
	if o.Loan == nil {
		t.n.NotLent++
		return nil
	}
	bad, known := t.outcome(o.Loan)
	if !known {
		t.n.TooYoung++
		return nil
	}
	ev, err := credit.Read(o.Evidence)
	if err != nil {
		return err
	}
	if feature.Check(&ev) != nil {
		t.n.Later++
		return nil
	}
	var prod product.Product
	if err := json.Unmarshal(o.Product, &prod); err != nil {
		return fmt.Errorf("product of decision %s: %w", o.DecisionID, err)
	}
	facts := feature.Gather(ev, feature.Terms{Min: prod.MinFen, Max: prod.MaxFen})
	mark := "0"
	if bad {
		mark = "1"
		t.n.Bad++
	}
	t.n.Rows++
	row := []string{o.DecisionID, o.MadeAt.UTC().Format(time.RFC3339), mark}
	return t.w.Write(append(row, feature.Row(&facts, t.names)...))
}
