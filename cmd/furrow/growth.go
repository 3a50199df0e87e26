package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/worth/growth"
)

// paths are the values of a flag that may be repeated.
type paths []string

// String implements flag.Value.
func (p *paths) String() string { return strings.Join(*p, " ") }

// Set implements flag.Value.
func (p *paths) Set(s string) error {
	*p = append(*p, s)
	return nil
}

// runHerdGrowth foretells the last weighing of each animal of a file from its earlier
// ones, with the curve of the others.
func runHerdGrowth(_ context.Context, args []string, std stdio) error {
	fs := newFlags("herd growth", "--weights F.csv[.gz] [--weights G.csv ...] [--unit month] [--folds 10] [--forecasts] [--json]", std)
	var files paths
	fs.Var(&files, "weights", "CSV of weighings: animal, age (age_months, month, age_days, day, week) and weight_kg or weight; - for standard input; may be repeated")
	unit := fs.String("unit", "month", "of an age whose column does not say: day, week, month or year")
	folds := fs.Int("folds", 10, "parts that the animals are dealt into; each is foretold from a fit of the others")
	each := fs.Bool("forecasts", false, "print the forecast of each animal too")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(files) == 0 || len(rest) > 0:
		return errUsage.With("why", "give --weights")
	case *folds < 2 || *folds > 10_000:
		return errUsage.With("why", fmt.Sprintf("--folds is %d; it must be from 2 to 10000", *folds))
	case !slices.Contains([]string{"day", "week", "month", "year"}, *unit):
		return errUsage.With("why", fmt.Sprintf("--unit is %q; it must be day, week, month or year", *unit))
	}
	var herd growth.Herd
	for _, name := range files {
		if err := readWeights(&herd, name, *unit, std); err != nil {
			return err
		}
	}
	trial, err := growth.Try(herd.Animals(), *folds)
	if err != nil {
		return err
	}
	if *asJSON {
		if !*each {
			trial.Forecasts = nil
		}
		return printJSON(std.Out, struct {
			growth.Trial
			Missing int `json:"rows_without_weight"`
		}{trial, herd.Missing})
	}
	printTrial(std.Out, trial, *each)
	return nil
}

func readWeights(herd *growth.Herd, name, unit string, std stdio) error {
	if name == "-" {
		return herd.Read(std.In, "stdin", unit)
	}
	f, err := fixes.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(herd.Read(f, name, unit), f.Close())
}

func printTrial(w io.Writer, t growth.Trial, each bool) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	if each {
		slices.SortFunc(t.Forecasts, func(a, b growth.LastWeight) int { return cmp.Compare(a.Animal, b.Animal) })
		for _, f := range t.Forecasts {
			say("%-16s at %5.1f months, %4.1f after the weighing before: %.4g kg, foretold %.4g (%.4g to %.4g), %+.1f %%\n",
				f.Animal, f.Age, f.Ahead, f.Kg, f.Forecast, f.Low, f.High, 100*f.Error)
		}
	}
	say("%d weighings of %d animals; the last of %d foretold from the earlier ones, %d folds\n", t.Weighings, t.Animals, t.Tested, t.Folds)
	say("mean error %.2f %%, median %.2f %%, root mean square %.3g kg; %.0f %% inside the %.0f %% interval; %d weighings not used as implausible\n",
		100*t.MAPE, 100*t.Median, t.RMSE, 100*t.Coverage, 100*t.Level, t.Implausible)
	say("beside it: curve of the others %.2f %%, scaled by the last 3 weights %.2f %%, last weight carried forward %.2f %%\n",
		100*t.Peers.Curve, 100*t.Peers.Scaled, 100*t.Peers.Last)
	for _, h := range t.Horizons {
		to := fmt.Sprintf("to %.0f", h.To)
		if h.To == 0 {
			to = "and more"
		}
		say("  %2.0f %-8s months ahead: %5.2f %% of %d, %.0f %% inside\n", h.From, to, 100*h.MAPE, h.N, 100*h.Coverage)
	}
}
