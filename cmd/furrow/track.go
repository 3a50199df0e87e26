package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// runTrackClean flags each fix of a file: kept, or why not.
func runTrackClean(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("track clean", "--fixes F.csv[.gz] [--out F.csv[.gz]] [--species cattle] [--json]", std)
	in := fs.String("fixes", "", "CSV of fixes: tag, time, and lon, lat or x, y; - for standard input")
	out := fs.String("out", "", "CSV to write: the input's columns, keep and reason (default: standard output)")
	kind := fs.String("species", "cattle", "species of the catalogue, for its thresholds")
	dir := fs.String("catalog", "", "folder that replaces files of the built-in catalogue")
	asJSON := fs.Bool("json", false, "print one JSON object about the run")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *in == "" || len(rest) > 0 {
		return errUsage.With("why", "give --fixes")
	}
	if *asJSON && *out == "" {
		return errUsage.With("why", "--json needs --out, because both would go to standard output")
	}
	w, err := thresholds(*kind, *dir)
	if err != nil {
		return err
	}
	r, closer, err := openFixes(*in, std)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }() // read only

	var counts map[fence.Reason]int
	if *out == "" {
		counts, err = clean(ctx, r, std.Out, w)
	} else {
		err = writeWhole(*out, func(to io.Writer) (err error) {
			counts, err = clean(ctx, r, to, w)
			return err
		})
	}
	if err != nil {
		return err
	}
	kept, total := counts[fence.Kept], 0
	for _, n := range counts {
		total += n
	}
	delete(counts, fence.Kept)
	if *asJSON {
		return printJSON(std.Out, map[string]any{"fixes": total, "kept": kept, "dropped": counts})
	}
	_, _ = fmt.Fprintf(std.Err, "%d fixes, %d kept, %d dropped %v\n", total, kept, total-kept, counts)
	return nil
}

// clean copies rows with two more columns, and counts the reasons.
func clean(ctx context.Context, r *fixes.Reader, to io.Writer, w species.Watch) (map[fence.Reason]int, error) {
	counts := make(map[fence.Reason]int)
	out := csv.NewWriter(to)
	if err := out.Write(append(append([]string(nil), r.Header()...), "keep", "reason")); err != nil {
		return nil, err
	}
	type follower struct {
		gate  fence.Gate
		plane fence.Plane // around the tag's first fix
	}
	tags := make(map[string]*follower)
	var row []string
	for n := 0; ; n++ {
		fix, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		why := fence.Zero
		if r.Local() || !fence.IsZero(fix.P) {
			t := tags[fix.Tag]
			if t == nil {
				t = &follower{fence.Gate{}, fence.NewPlane(fix.P)}
				tags[strings.Clone(fix.Tag)] = t
			}
			p := fix.P
			if !r.Local() {
				p = t.plane.Metres(p)
			}
			why = t.gate.Step(fence.Fix{At: fix.At, P: p, Accuracy: fix.Accuracy, Speed: fix.Speed}, &w)
		}
		counts[why]++
		keep := "0"
		if why == fence.Kept {
			keep = "1"
		}
		row = append(append(row[:0], fix.Row...), keep, string(why))
		if err := out.Write(row); err != nil {
			return nil, err
		}
	}
	out.Flush()
	return counts, out.Error()
}

// writeWhole writes a file beside its place and moves it there when it is whole;
// a name that ends in .gz is packed.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name + ".part")
	if err != nil {
		return errUsage.With("why", "the output cannot be written: "+err.Error())
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
			return
		}
		err = os.Rename(f.Name(), name)
	}()
	if !strings.HasSuffix(name, ".gz") {
		return write(f)
	}
	z := gzip.NewWriter(f)
	return errors.Join(write(z), z.Close())
}
