package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"github.com/furrowcredit/furrow/sheet"
	"io"
	"os"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/iot/species"
)

// runHerdImport reads a file of animals and accounts for every row or resource of it;
// with --db it puts them into a herd.
func runHerdImport(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("herd import", "FILE [--species CODE] [--db DSN --herd ID [--tenant T] [--dry-run] [--skip-bad]] [--catalog DIR] [--template animals|devices] [--json]", std)
	kind := fs.String("species", "cattle", "species of animals that say none; with --db it is the herd's")
	dsn := fs.String("db", "", "put them into a herd there: sqlite:FILE or postgres://...; without it the file is only read")
	herd := fs.String("herd", "", "id of the herd")
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank that has the herd (FURROW_TENANT)")
	dry := fs.Bool("dry-run", false, "say what would be taken and refused, and write nothing")
	skip := fs.Bool("skip-bad", false, "write the good rows although others are refused")
	folder := fs.String("catalog", "", "folder with your own catalogue files, among them species.yaml and breeds.yaml")
	template := fs.String("template", "", "write an empty table to FILE instead: animals or devices")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) != 1:
		return errUsage.With("why", "give one file")
	case *template != "" && *template != "animals" && *template != "devices":
		return errUsage.With("why", "--template is animals or devices")
	case (*dsn != "") != (*herd != ""):
		return errUsage.With("why", "--db and --herd go together")
	}
	if *template != "" {
		body, err := register.Template(*template == "devices")
		if err != nil {
			return err
		}
		return writeWhole(rest[0], func(w io.Writer) error {
			_, err := w.Write(body)
			return err
		})
	}
	body, err := readWhole(rest[0])
	if err != nil {
		return err
	}
	var account register.Account
	if *dsn == "" {
		account, err = readHerd(*folder, *kind, body)
	} else {
		account, err = app.ImportAnimals(ctx, *dsn, *folder, register.Request{
			Tenant: *tenant, HerdID: *herd, By: "command line", Body: body, DryRun: *dry, SkipBad: *skip,
		})
	}
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.Out, account)
	} else {
		err = printHerd(std.Out, account)
	}
	if err == nil && account.Refused > 0 {
		err = errNo
	}
	return err
}

// maxFile is more than the register reads, so that it says what is too large.
const maxFile = 32 << 20

// readWhole reads a file, unpacked when its name ends in .gz.
func readWhole(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errUsage.With("why", err.Error())
	}
	defer func() { _ = f.Close() }() // read only
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, sheet.ErrDamaged.At("%s", path).Because(err)
		}
	}
	body, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, sheet.ErrDamaged.At("%s", path).Because(err)
	}
	return body, nil
}

// readHerd accounts for a file by itself.
func readHerd(folder, kind string, body []byte) (register.Account, error) {
	files, err := catalog.Open(folder)
	if err != nil {
		return register.Account{}, err
	}
	kinds, err := species.Load(files)
	if err != nil {
		return register.Account{}, err
	}
	if !kinds.Known(kind) {
		return register.Account{}, iot.ErrHerdSpecies.With("species", kind)
	}
	f, err := register.Read(body, register.Options{Species: kinds, Default: kind, Today: time.Now().UTC()})
	return f.Account(), err
}

func printHerd(w io.Writer, a register.Account) error {
	_, err := fmt.Fprintf(w, "%d read: %d animals, %d events, %d weighings, %d devices, %d known, %d refused\n",
		a.Read, a.Added, a.Events, a.Weighings, a.Devices, a.Known, a.Refused)
	if a.Saved {
		_, err = fmt.Fprintln(w, "saved")
	}
	for _, r := range a.Refusals {
		where := r.String()
		if r.Column != "" {
			where += fmt.Sprintf(", %s (%s) %q", r.Column, r.Cell, r.Value)
		}
		_, err = fmt.Fprintf(w, "refused %s: %s\n", where, r.Msg)
	}
	for _, c := range a.Credentials {
		_, err = fmt.Fprintf(w, "device %s signs in as %s with %s\n", c.DeviceID, c.Username, c.Secret)
	}
	return err
}
