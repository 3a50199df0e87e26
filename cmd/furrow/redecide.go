package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/quote"
)

// runRedecide decides about everybody again. A run that was stopped goes on with --run.
func runRedecide(ctx context.Context, args []string, std stdio) error {
	f := newFlags("redecide", "--tenant ID [--product CODE] [--run ID] [--db DSN | --data DIR] [--catalog DIR] [--json]", std)
	dsn := booksFlags(f)
	var r app.RedecideRequest
	f.StringVar(&r.Tenant, "tenant", env("FURROW_TENANT", ""), "whose borrowers (FURROW_TENANT)")
	f.StringVar(&r.Product, "product", "", "code of the only product; default all")
	f.StringVar(&r.RunID, "run", "", "go on with a run that was stopped")
	f.StringVar(&r.Catalogue, "catalog", env("FURROW_CATALOG", ""), "folder whose files replace the built-in catalogue (FURROW_CATALOG)")
	f.IntVar(&r.Workers, "workers", 0, "decide on so many processors; 0 means all")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	if r.Tenant == "" {
		return errUsage.With("why", "name the tenant with --tenant")
	}
	began := time.Now()
	var last quote.Run
	run, err := app.Redecide(ctx, dsn(), r, func(now quote.Run) {
		last = now
		if !*asJSON {
			_, _ = fmt.Fprintf(std.Err, "\r%d decided, %.0f a second ", now.Done, float64(now.Done)/time.Since(began).Seconds())
		}
	})
	if !*asJSON {
		_, _ = fmt.Fprintln(std.Err)
	}
	if err != nil {
		if last.ID != "" {
			err = errors.Join(err, fmt.Errorf("%d are decided; go on with --run %s", last.Done, last.ID))
		}
		return err
	}
	if *asJSON {
		return printJSON(std.Out, run)
	}
	_, err = fmt.Fprintf(std.Out, "run %s: %d decided: %d offers, %d to a person, %d refusals, %d could not be; %d limits rose, %d fell\n",
		run.ID, run.Done, run.Offers, run.Referrals, run.Refusals, run.Failed, run.Raised, run.Lowered)
	return err
}
