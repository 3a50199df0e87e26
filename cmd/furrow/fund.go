package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/fund"
)

// runFundCheck makes every share again from the ledger; the answer is no when one differs.
func runFundCheck(ctx context.Context, args []string, std stdio) error {
	f := newFlags("fund check", "[--db DSN | --data DIR] [--catalog DIR] [--json]", std)
	dsn := booksFlags(f)
	folder := f.String("catalog", "", "folder with your own catalogue files, among them funders.yaml")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	reports, sound := []fund.CheckReport{}, true
	err := app.WithFund(ctx, dsn(), *folder, func(tenant string, s *fund.Service) error {
		r, err := s.Check(ctx, tenant)
		reports, sound = append(reports, r), sound && r.OK()
		return err
	})
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"ok": sound, "books": reports})
	} else {
		for _, r := range reports {
			_, err = fmt.Fprintf(std.Out, "%s: %d shared loans, %d entries, %d postings\n", r.Tenant, r.Loans, r.Entries, r.Lines)
			for _, x := range r.Faults {
				_, err = fmt.Fprintf(std.Out, "  wrong: loan %q funder %q entry %q: %s\n", x.LoanID, x.Party, x.Key, x.Problem)
			}
		}
	}
	if err == nil && !sound {
		return errNo
	}
	return err
}

var quarterForm = regexp.MustCompile(`^\d{4}Q\d$`)

// runFundStatement prints a funder's month, or what a government owes for a quarter.
func runFundStatement(ctx context.Context, args []string, std stdio) error {
	f := newFlags("fund statement", "FUNDER 2026-05|2026Q2 [--out FILE.csv] [--tenant NAME] [--db DSN | --data DIR] [--catalog DIR] [--json]", std)
	dsn := booksFlags(f)
	folder := f.String("catalog", "", "folder with your own catalogue files, among them funders.yaml")
	only := f.String("tenant", "", "of this bank only; needed where the database has several")
	out := f.String("out", "", "write the CSV there; default: print it")
	asJSON := f.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return errUsage.With("why", "give a funder and a month like 2026-05, or a quarter like 2026Q2 for what a government owes")
	}
	var found []csvTable
	err = app.WithFund(ctx, dsn(), *folder, func(tenant string, s *fund.Service) error {
		if *only != "" && tenant != *only {
			return nil
		}
		t, err := statementOf(ctx, s, tenant, rest[0], rest[1])
		found = append(found, t)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return errUsage.With("why", "these books have no such tenant, or nothing was posted yet")
	case len(found) > 1:
		return errUsage.With("why", "the database has several tenants; choose one with --tenant")
	case *asJSON:
		return printJSON(std.Out, found[0])
	}
	var buf bytes.Buffer
	if err := found[0].WriteCSV(&buf); err != nil {
		return err
	}
	if *out != "" {
		return writeWhole(*out, func(w io.Writer) error {
			_, err := w.Write(buf.Bytes())
			return err
		})
	}
	_, err = std.Out.Write(buf.Bytes())
	return err
}

// csvTable is a statement or a list of claims.
type csvTable interface{ WriteCSV(w io.Writer) error }

func statementOf(ctx context.Context, s *fund.Service, tenant, funder, span string) (csvTable, error) {
	if quarterForm.MatchString(span) {
		return s.SubsidyClaims(ctx, tenant, funder, span)
	}
	return s.Statement(ctx, tenant, funder, span)
}
