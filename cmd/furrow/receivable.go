package main

import (
	"context"
	"fmt"

	"github.com/furrowcredit/furrow/app"
)

// runReceivableVerify makes every receivable again from its events; the answer is no
// when one differs from what is kept.
func runReceivableVerify(ctx context.Context, args []string, std stdio) error {
	f := newFlags("receivable verify", "[--db DSN | --data DIR] [--json]", std)
	dsn := booksFlags(f)
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	audits, err := app.VerifyReceivables(ctx, dsn())
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
			_, err = fmt.Fprintf(std.Out, "%s: %d receivables, %d events, %s yuan issued, %s paid, %s set off, %s outstanding\n",
				a.Tenant, a.Receivables, a.Events, a.Issued, a.Paid, a.SetOff, a.Outstanding)
			for _, x := range a.Faults {
				_, err = fmt.Fprintf(std.Out, "  wrong: receivable %q: %s\n", x.ReceivableID, x.Problem)
			}
		}
	}
	if err == nil && !sound {
		return errNo
	}
	return err
}
