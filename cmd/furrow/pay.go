package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
)

// runPayReconcile compares a bank's statement with the books; the answer is no while a
// difference waits for a person.
func runPayReconcile(ctx context.Context, args []string, std stdio) error {
	f := newFlags("pay reconcile", "--statement F.csv --day 2026-05-31 [--tenant BANK] [--db DSN | --data DIR] [--json]", std)
	dsn := booksFlags(f)
	file := f.String("statement", "", "the bank's statement of one day, CSV (UTF-8, GBK) or XLSX")
	date := f.String("day", "", "its day")
	tenant := f.String("tenant", env("FURROW_TENANT", "bank"), "whose books (FURROW_TENANT)")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	if *file == "" || *date == "" {
		return errUsage.With("why", "name the file with --statement and its day with --day")
	}
	day, err := money.ParseDate(*date)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(*file)
	if err != nil {
		return errUsage.With("why", err.Error())
	}
	r, err := app.ReconcileStatement(ctx, dsn(), *tenant, pay.Statement{Name: filepath.Base(*file), Body: body, Day: day})
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"ok": r.Open() == 0, "report": r})
	} else {
		_, err = fmt.Fprintf(std.Out, "%s: %d lines, %d orders, %d agree; the bank in %s out %s, ours in %s out %s, cash %s yuan\n",
			r.Day, r.Lines, r.Orders, r.Matched, r.BankIn, r.BankOut, r.OursIn, r.OursOut, r.Cash)
		for _, d := range r.Differences {
			_, err = fmt.Fprintf(std.Out, "  %s %s row %d order %q ref %q: the bank %s, ours %s %s\n", d.State, d.Kind, d.Row, d.OrderID, d.Ref, d.Bank, d.Ours, d.Detail)
		}
	}
	if err == nil && r.Open() > 0 {
		return errNo
	}
	return err
}
