package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
)

// reconciled is what count reconcile prints.
type reconciled struct {
	iot.HerdCount
	Pens  []count.PenCount `json:"pens"`
	Short bool             `json:"short"` // more tags were heard than the counts support
}

// runCountReconcile sets counts of a file against the tags heard. More tags than the
// counts support is the answer no.
func runCountReconcile(_ context.Context, args []string, std stdio) error {
	fs := newFlags("count reconcile", "--counts F.csv[.gz] --tags F.csv[.gz] [--at TIME] [--json]", std)
	countFile := fs.String("counts", "", "CSV of counts: device, kind, from, seen, and maybe to, pen, out, matched, picture; - for standard input")
	tagFile := fs.String("tags", "", "CSV of tags heard: tag, time, and maybe pen")
	at := fs.String("at", "", "moment of the estimate, such as 2026-05-31T08:00:00Z (default: the end of the last count)")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *countFile == "" || *tagFile == "" || len(rest) > 0 {
		return errUsage.With("why", "give --counts and --tags")
	}
	var now time.Time
	if *at != "" {
		if now, err = time.Parse(time.RFC3339, *at); err != nil {
			return errUsage.With("why", "--at is a time such as 2026-05-31T08:00:00Z")
		}
	}
	counts, heard, err := readCounts(*countFile, *tagFile, std)
	if err != nil {
		return err
	}
	if *at == "" {
		for _, h := range counts {
			if h.To.After(now) {
				now = h.To
			}
		}
	}
	cfg := count.DefaultConfig()
	var out reconciled
	out.HerdCount, out.Pens = cfg.Reconcile(cfg.FromFiles(counts, heard), now)
	out.Short = out.Status != "unknown" && out.Tags > out.High
	if *asJSON {
		err = printJSON(std.Out, out)
	} else {
		printCount(std, out)
	}
	if err == nil && out.Short {
		return errNo
	}
	return err
}

func readCounts(countFile, tagFile string, std stdio) ([]iot.Headcount, []count.Heard, error) {
	f, err := count.Open(countFile, std.In)
	if err != nil {
		return nil, nil, err
	}
	counts, err := count.ReadCounts(f, countFile)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, nil, err
	}
	if f, err = count.Open(tagFile, std.In); err != nil {
		return nil, nil, err
	}
	heard, err := count.ReadHeard(f, tagFile)
	return counts, heard, errors.Join(err, f.Close())
}

func printCount(std stdio, c reconciled) {
	_, _ = fmt.Fprintf(std.Out, "%s %s: %d tags heard; the counts support %d to %d animals (%.0f %%), about %.0f; %d windows\n",
		c.Status, c.Reason, c.Tags, c.Low, c.High, 100*c.Level, c.Estimate, c.Windows)
	for _, p := range c.Pens {
		name := p.PenID
		if name == "" {
			name = "whole herd"
		}
		_, _ = fmt.Fprintf(std.Out, "  %-12s %d tags, %d to %d animals, about %.0f\n", name, p.Tags, p.Low, p.High, p.Estimate)
		for _, d := range p.Devices {
			_, _ = fmt.Fprintf(std.Out, "    %-12s %-7s %3d windows, %d seen, counts %.2f an animal, believed to lie %.0f %%\n",
				d.Device, d.Kind, d.Windows, d.Seen, d.Ratio, 100*d.Lies)
		}
	}
	if c.Short {
		_, _ = fmt.Fprintf(std.Out, "short: %d tags claim more than the %d animals that the counts support at most\n", c.Tags, c.High)
	}
}
