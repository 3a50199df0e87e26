package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/flow/profile"
	"github.com/furrowcredit/furrow/money"
)

// runChainProfile reads exports of invoices and writes the profile of each firm.
func runChainProfile(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain profile", "--invoices DIR|FILE... [--as-of DATE] [--out FILE.csv] [--json]", std)
	invoices := fs.String("invoices", "", "a folder with invoice*.csv or .csv.gz, or files, separated by commas")
	day := fs.String("as-of", "", "the day of the profile, 2026-05-31 (default: that of the newest invoice)")
	out := fs.String("out", "", "write one row a firm to this file")
	asJSON := fs.Bool("json", false, "print one JSON object")
	paths, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *invoices != "" {
		paths = append(strings.Split(*invoices, ","), paths...)
	}
	if len(paths) == 0 {
		return errUsage.With("why", "name a folder or files with --invoices")
	}
	var asOf money.Date
	if *day != "" {
		if asOf, err = money.ParseDate(*day); err != nil {
			return err
		}
	}
	book, err := profile.Read(ctx, paths...)
	if err != nil {
		return err
	}
	if asOf == 0 {
		asOf = book.LastDay()
	}
	firms := profile.All(book, asOf, fraud.DefaultRules())
	if *out != "" {
		if err := writeWhole(*out, func(w io.Writer) error { return profile.WriteCSV(w, firms) }); err != nil {
			return err
		}
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"as_of": asOf, "files": book.Files, "firms": firms, "method": profile.Method})
	}
	report := std.Err
	if *out == "" {
		if err := profile.WriteCSV(std.Out, firms); err != nil {
			return err
		}
	} else {
		report = std.Out
	}
	for _, f := range book.Files {
		_, _ = fmt.Fprintf(report, "%-28s %-8s %8d rows, %8d read, %6d refused\n", f.File, map[string]string{"out": "written", "in": "received", "both": "both"}[f.Side], f.In, f.Out, f.In-f.Out)
		for _, why := range slices.Sorted(maps.Keys(f.Refused)) {
			_, _ = fmt.Fprintf(report, "  refused for the %s: %d, first on line %d\n", why, f.Refused[why].Rows, f.Refused[why].Line)
		}
	}
	_, _ = fmt.Fprintf(report, "%d firms as of %s\n", len(firms), asOf)
	return nil
}
