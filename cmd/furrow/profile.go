package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/flow/profile"
	credit "github.com/furrowcredit/furrow/credit/profile"
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

// runProfileImport keeps a table of histories, all of it or nothing.
func runProfileImport(ctx context.Context, args []string, std stdio) error {
	var cfg app.Config
	fs := newFlags("profile import", "bureau|bank FILE --as LOGIN [--dry-run] [flags] [--json]", std)
	as := fs.String("as", "", "login of the officer or operator who brings it")
	dry := fs.Bool("dry-run", false, "say what would be kept and what is wrong, and keep nothing")
	asJSON := fs.Bool("json", false, "print one JSON object")
	houseFlags(fs, &cfg)
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) != 2 || rest[0] != string(credit.Bureau) && rest[0] != string(credit.Bank):
		return errUsage.With("why", "say bureau FILE or bank FILE")
	case *as == "":
		return errUsage.With("why", "say who brings it: --as LOGIN")
	}
	body, err := readWhole(rest[1])
	if err != nil {
		return err
	}
	if err := secrets(&cfg); err != nil {
		return err
	}
	report, err := app.ImportHistories(ctx, cfg, *as, credit.Upload{Kind: credit.Kind(rest[0]), File: filepath.Base(rest[1]), Body: body, DryRun: *dry})
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, report)
	} else {
		for _, m := range report.Remarks {
			_, _ = fmt.Fprintf(std.Out, "%s %s: %s\n", m.Cell, m.Column, m.Why)
		}
		_, err = fmt.Fprintf(std.Out, "%d rows of %d borrowers, %d kept\n", report.Rows, report.Borrowers, report.Saved)
	}
	if err == nil && len(report.Remarks) > 0 {
		err = errNo
	}
	return err
}

// runFingerprints compares the invoices that this bank was promised with what other
// funders were, without showing any. The answer of check is no when one is promised twice.
func runFingerprints(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain fingerprints", "export|import|check [FILE] [--salt FILE] [--publisher NAME] [--db DSN | --data DIR] [--tenant T] [--json]", std)
	salt := fs.String("salt", "", "file with the secret that all members share, at least 16 bytes (export, check)")
	publisher := fs.String("publisher", "", "name of this bank among the members (export, check)")
	dsn := booksFlags(fs)
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank (FURROW_TENANT)")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 || len(rest) > 2 || (rest[0] == "check") != (len(rest) == 1) {
		return errUsage.With("why", "say export FILE, import FILE or check")
	}
	f := app.Fingerprints{DSN: dsn(), Tenant: *tenant, Publisher: *publisher}
	if rest[0] != "import" {
		if *publisher == "" || *salt == "" {
			return errUsage.With("why", rest[0]+" needs --salt and --publisher")
		}
		if f.Salt, err = os.ReadFile(*salt); err != nil {
			return errUsage.With("why", "the salt cannot be read: "+err.Error())
		}
		f.Salt = bytes.TrimSpace(f.Salt)
	}
	switch rest[0] {
	case "export":
		return exportFingerprints(ctx, f, rest[1], *asJSON, std)
	case "import":
		return importFingerprints(ctx, f, rest[1], *asJSON, std)
	case "check":
		found, err := f.Check(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			err = printJSON(std.Out, map[string]any{"findings": append([]chain.Finding{}, found...)})
		} else {
			for _, x := range found {
				_, err = fmt.Fprintf(std.Out, "invoice %s of %s yuan is promised to %s too, since %s\n", x.Evidence["number"], x.Evidence["amount"], x.Evidence["publishers"], x.Evidence["published"])
			}
		}
		if err == nil && len(found) > 0 {
			err = errNo
		}
		return err
	}
	return errUsage.With("why", "say export FILE, import FILE or check")
}

func exportFingerprints(ctx context.Context, f app.Fingerprints, file string, asJSON bool, std stdio) error {
	list, without, err := f.Export(ctx, time.Now())
	if err != nil {
		return err
	}
	if err := writeWhole(file, func(w io.Writer) error { return fraud.WriteFingerprints(w, list) }); err != nil {
		return err
	}
	if asJSON {
		return printJSON(std.Out, map[string]int{"fingerprints": len(list), "without": without})
	}
	_, err = fmt.Fprintf(std.Out, "%d fingerprints; %d promised invoices have none, their seller's credit code or their date is not known\n", len(list), without)
	return err
}

func importFingerprints(ctx context.Context, f app.Fingerprints, file string, asJSON bool, std stdio) error {
	r, err := os.Open(file) //nolint:gosec // the person names the file
	if err != nil {
		return errUsage.With("why", "the fingerprints cannot be read: "+err.Error())
	}
	defer func() { _ = r.Close() }()
	list, err := fraud.ReadFingerprints(r)
	if err != nil {
		return err
	}
	added, err := f.Import(ctx, list)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(std.Out, map[string]int{"fingerprints": len(list), "added": added})
	}
	_, err = fmt.Fprintf(std.Out, "%d fingerprints, %d of them new\n", len(list), added)
	return err
}
