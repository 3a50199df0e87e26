package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
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
	proofs, err := app.ProveLoans(ctx, dsn())
	if err != nil {
		return err
	}
	sound := true
	for _, a := range audits {
		sound = sound && a.OK()
	}
	for _, p := range proofs {
		sound = sound && p.OK()
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"ok": sound, "books": audits, "loans": proofs})
	} else {
		for _, a := range audits {
			_, err = fmt.Fprintf(std.Out, "%s: %d entries, %d accounts, %d open holds, debits and credits %s yuan each, head %.16s\n",
				a.Tenant, a.Entries, a.Accounts, a.Holds, a.Debits, a.Head)
			for _, x := range a.Faults {
				_, err = fmt.Fprintf(std.Out, "  wrong: entry %d account %q item %q: %s\n", x.Seq, x.Account, x.Item, x.Problem)
			}
			if more := a.Wrong - len(a.Faults); more > 0 {
				_, err = fmt.Fprintf(std.Out, "  and %d more\n", more)
			}
		}
		for _, p := range proofs {
			_, err = fmt.Fprintf(std.Out, "%s: %d loans replayed\n", p.Tenant, p.Loans)
			for _, x := range p.Faults {
				_, err = fmt.Fprintf(std.Out, "  wrong: %s\n", x)
			}
		}
	}
	if err == nil && !sound {
		return errNo
	}
	return err
}

// dateFlag is a bank date of a flag, or zero.
func dateFlag(name, value string) (money.Date, error) {
	if value == "" {
		return 0, nil
	}
	d, err := money.ParseDate(value)
	if err != nil {
		return 0, errUsage.With("why", name+": "+err.Error())
	}
	return d, nil
}

// dateRange reads two such flags.
func dateRange(from, to string) (first, last money.Date, err error) {
	if first, err = dateFlag("--from", from); err != nil {
		return 0, 0, err
	}
	if last, err = dateFlag("--to", to); err != nil {
		return 0, 0, err
	}
	if first != 0 && last != 0 && last < first {
		return 0, 0, errUsage.With("why", "--to is before --from")
	}
	return first, last, nil
}

// theTenants are the one that was named, or all.
func theTenants(named string, all []string) ([]string, error) {
	if named == "" {
		return all, nil
	}
	if !slices.Contains(all, named) {
		return nil, errUsage.With("why", "there is no book of "+named+"; there are "+strings.Join(all, ", "))
	}
	return []string{named}, nil
}

// runLedgerTrial prints trial balances; the answer is no when one does not balance.
func runLedgerTrial(ctx context.Context, args []string, std stdio) error {
	f := newFlags("ledger trial", "[--on DATE | --from DATE --to DATE] [--tenant T] [--lang zh-CN|en] [--catalog DIR] [--db DSN | --data DIR] [--json]", std)
	dsn := booksFlags(f)
	on := f.String("on", "", "bank date up to which everything counts (default: all)")
	from := f.String("from", "", "first bank date of the turnovers; what is before it opens")
	to := f.String("to", "", "last bank date; the same as --on")
	tenant := f.String("tenant", "", "the book of one tenant (default: all)")
	lang := f.String("lang", "zh-CN", "names of the accounts: zh-CN or en")
	folder := f.String("catalog", "", "folder with your own catalogue files, among them accounts.yaml")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	if *on != "" && *to != "" {
		return errUsage.With("why", "--on and --to are the same; give one")
	}
	first, last, err := dateRange(*from, *on+*to)
	if err != nil {
		return err
	}
	trials := []ledger.Trial{}
	err = app.ReadLedger(ctx, dsn(), *folder, func(book *ledger.Service, all []string) error {
		tenants, err := theTenants(*tenant, all)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			trial, err := book.Trial(ctx, t, first, last)
			if err != nil {
				return err
			}
			trials = append(trials, trial)
		}
		return nil
	})
	if err != nil {
		return err
	}
	sound := !slices.ContainsFunc(trials, func(t ledger.Trial) bool { return !t.OK() })
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"ok": sound, "books": trials})
	} else {
		for _, t := range trials {
			if err = printTrialBalance(std.Out, t, *lang); err != nil {
				return err
			}
		}
	}
	if err == nil && !sound {
		return errNo
	}
	return err
}

func printTrialBalance(w io.Writer, t ledger.Trial, lang string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(out, "%s\topening\tdebits\tcredits\tclosing\t\n", t.Tenant) // Flush tells
	for _, l := range t.Lines {
		_, _ = fmt.Fprintf(out, "%s%s %s\t%s\t%s\t%s\t%s\t\n", strings.Repeat("  ", l.Depth), l.Code, l.Name[lang], l.Opening, l.Debits, l.Credits, l.Closing)
	}
	_, _ = fmt.Fprintf(out, "sum\t%s\t%s\t%s\t%s\t\n", t.Opening, t.Debits, t.Credits, t.Closing)
	return out.Flush()
}

// runLedgerJournal writes the entries of a book as CSV.
func runLedgerJournal(ctx context.Context, args []string, std stdio) error {
	f := newFlags("ledger journal", "[--from DATE] [--to DATE] [--item ID] [--tenant T] [--lang zh-CN|en] --out F.csv [--catalog DIR] [--db DSN | --data DIR] [--json]", std)
	dsn := booksFlags(f)
	from := f.String("from", "", "first bank date")
	to := f.String("to", "", "last bank date")
	item := f.String("item", "", "the entries of one loan")
	tenant := f.String("tenant", "", "whose book; needed when there are several")
	lang := f.String("lang", "zh-CN", "headings and names of the accounts: zh-CN or en")
	out := f.String("out", "", "the CSV file; .gz packs it")
	folder := f.String("catalog", "", "folder with your own catalogue files, among them accounts.yaml")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	first, last, err := dateRange(*from, *to)
	if err != nil {
		return err
	}
	if *out == "" {
		return errUsage.With("why", "--out names the file to write")
	}
	var n int64
	err = app.ReadLedger(ctx, dsn(), *folder, func(book *ledger.Service, all []string) error {
		tenants, err := theTenants(*tenant, all)
		if err != nil {
			return err
		}
		if len(tenants) != 1 {
			return errUsage.With("why", fmt.Sprintf("there are %d books; name one by --tenant: %s", len(tenants), strings.Join(tenants, ", ")))
		}
		return writeWhole(*out, func(w io.Writer) (err error) {
			n, err = book.WriteJournal(ctx, w, tenants[0], *lang, ledger.JournalRange{From: first, To: last, Item: *item})
			return err
		})
	})
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"entries": n, "out": *out})
	}
	_, err = fmt.Fprintf(std.Out, "%d entries in %s\n", n, *out)
	return err
}
