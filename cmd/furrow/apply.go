package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/apply/intake"
)

// runApplyImport enters a table of applications, all of it or its good rows.
func runApplyImport(ctx context.Context, args []string, std stdio) error {
	var cfg app.Config
	fs := newFlags("apply import", "FILE --as LOGIN [--dry-run] [--skip-bad] [--template] [flags] [--json]", std)
	as := fs.String("as", "", "login of the officer or operator who enters them")
	dry := fs.Bool("dry-run", false, "say what would be entered and refused, and write nothing")
	skip := fs.Bool("skip-bad", false, "enter the good rows although others are wrong")
	template := fs.Bool("template", false, "write an empty table to FILE instead")
	asJSON := fs.Bool("json", false, "print one JSON object")
	houseFlags(fs, &cfg)
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) != 1:
		return errUsage.With("why", "give one file")
	case *template:
		body, err := intake.Template()
		if err != nil {
			return err
		}
		return writeWhole(rest[0], func(w io.Writer) error {
			_, err := w.Write(body)
			return err
		})
	case *as == "":
		return errUsage.With("why", "say who enters them: --as LOGIN")
	}
	body, err := readWhole(rest[0])
	if err != nil {
		return err
	}
	if err := secrets(&cfg); err != nil {
		return err
	}
	report, err := app.ImportApplications(ctx, cfg, *as, apply.ImportRequest{Body: body, DryRun: *dry, SkipBad: *skip})
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, report)
	} else {
		err = printIntake(std.Out, report)
	}
	if err == nil && len(report.Remarks) > 0 {
		err = errNo
	}
	return err
}

func printIntake(w io.Writer, r apply.ImportReport) error {
	for _, m := range r.Remarks {
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", m.Cell, m.Column, m.Why); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d rows: %d good, %d of them known before, %d entered\n", r.Rows, r.Good, r.Known, r.Created)
	return err
}

// runContractVerify compares a file, or what is stored, with the signatures in the books.
func runContractVerify(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("contract verify", "FILE.pdf | --id APPLICATION --db DSN [--tenant T] [--json]", std)
	dsn := fs.String("db", os.Getenv("FURROW_DB"), "the books: sqlite:FILE or postgres://... (FURROW_DB)")
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank (FURROW_TENANT)")
	id := fs.String("id", "", "application whose contract it should be")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 1 || len(rest) == 0 && *id == "" || *dsn == "" {
		return errUsage.With("why", "give a PDF or --id, and --db")
	}
	q := apply.Question{ApplicationID: *id}
	if len(rest) == 1 {
		if q.File, err = readWhole(rest[0]); err != nil {
			return err
		}
	}
	v, err := app.VerifyContract(ctx, *dsn, *tenant, q)
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, v)
	} else {
		err = printCheck(std.Out, v)
	}
	if err == nil && !v.Genuine {
		err = errNo
	}
	return err
}

func printCheck(w io.Writer, v apply.ContractCheck) error {
	if !v.Genuine {
		_, err := fmt.Fprintf(w, "no: %s\n", v.Why)
		return err
	}
	if _, err := fmt.Fprintf(w, "yes: the contract of application %s, SHA-256 %s\n", v.ApplicationID, v.Document); err != nil {
		return err
	}
	for _, s := range v.Signatures {
		if _, err := fmt.Fprintf(w, "  %s %s signed as %s by %s\n", s.At.Format("2006-01-02 15:04:05Z"), s.Name, s.Party, s.Identity); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d signatures of the house are an unbroken chain\n", v.Chain)
	return err
}
