package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/furrowcredit/furrow/credit/loan/cases"
)

// runScheduleRun replays loan cases and compares every row that they expect.
func runScheduleRun(_ context.Context, args []string, std stdio) (err error) {
	fs := newFlags("schedule run", "CASES.json [--id ID] [--json]", std)
	id := fs.String("id", "", "only the case with this id")
	asJSON := fs.Bool("json", false, "print one JSON object")
	paths, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return errUsage.With("why", "give one file of cases")
	}
	f, err := os.Open(paths[0])
	if err != nil {
		return errUsage.With("why", err.Error())
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list, err := cases.Read(paths[0], f)
	if err != nil {
		return err
	}
	report := cases.RunAll(list, *id)
	if *id != "" && len(report.Cases) == 0 {
		return errUsage.With("why", "there is no case "+*id)
	}
	if *asJSON {
		if err := printJSON(std.Out, report); err != nil {
			return err
		}
	} else {
		printCases(std, report)
	}
	if report.Passed < len(report.Cases) {
		return errNo
	}
	return nil
}

// printCases writes a line for each case and below it every row that was not met.
func printCases(std stdio, report cases.Report) {
	for _, c := range report.Cases {
		_, _ = fmt.Fprintf(std.Out, "%s %s: %d of %d rows\n", c.Kind, c.ID, c.Matched, c.Expected)
		for _, d := range c.Differences {
			_, _ = fmt.Fprintf(std.Out, "  event %d, %s row %d: %s\n", d.Event, d.Of, d.Row, d.Why)
		}
		for _, d := range c.Unknown {
			_, _ = fmt.Fprintf(std.Out, "  event %d, not done: %s: %s\n", d.Event, d.Of, d.Why)
		}
		for _, d := range c.Extra {
			_, _ = fmt.Fprintf(std.Out, "  event %d, not counted: %s\n", d.Event, d.Why)
		}
	}
	for _, kind := range report.Order() {
		n := report.Kinds[kind]
		_, _ = fmt.Fprintf(std.Out, "%s: %d of %d rows\n", kind, n.Matched, n.Expected)
	}
	for _, of := range cases.Expectations {
		if n := report.Of[of]; n != nil {
			_, _ = fmt.Fprintf(std.Out, "%s: %d of %d\n", of, n.Matched, n.Expected)
		}
	}
	_, _ = fmt.Fprintf(std.Out, "cases: %d of %d without a difference or anything unknown\n", report.Passed, len(report.Cases))
	_, _ = fmt.Fprintf(std.Out, "all: %d of %d rows\n", report.Matched, report.Expected)
}
