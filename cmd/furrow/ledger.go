package main

import (
	"context"
	"fmt"

	"github.com/furrowcredit/furrow/app"
)

// runLedgerVerify rebuilds every balance from the log; the answer is no when one differs.
func runLedgerVerify(ctx context.Context, args []string, std stdio) error {
	f := newFlags("ledger verify", "[--db DSN | --data DIR] [--json]", std)
	dsn := booksFlags(f)
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	audits, err := app.VerifyLedger(ctx, dsn())
	if err != nil {
		return err
	}
	sound := true
	for _, a := range audits {
		sound = sound && a.OK()
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"ok": sound, "books": audits})
	} else {
		for _, a := range audits {
			_, err = fmt.Fprintf(std.Out, "%s: %d entries, %d accounts, debits and credits %s yuan each, head %.16s\n",
				a.Tenant, a.Entries, a.Accounts, a.Debits, a.Head)
			for _, x := range a.Faults {
				_, err = fmt.Fprintf(std.Out, "  wrong: entry %d account %q item %q: %s\n", x.Seq, x.Account, x.Item, x.Problem)
			}
		}
	}
	if err == nil && !sound {
		return errNo
	}
	return err
}
