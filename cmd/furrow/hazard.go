package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/furrowcredit/furrow/geo/hazard/flood"
)

// runHazardFlood maps the water of a flood.
func runHazardFlood(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("hazard flood", "--s1 F.tif [--s2 F.tif] [--s1-before F.tif] [--permanent F.tif] [--clouds F.tif] --out MASK.tif [--truth F.tif] [--json]", std)
	var cfg flood.Config
	fs.StringVar(&cfg.S1, "s1", "", "Sentinel-1 VV and VH in dB")
	fs.StringVar(&cfg.S2, "s2", "", "Sentinel-2, on the pixels of --s1")
	fs.StringVar(&cfg.S1Before, "s1-before", "", "Sentinel-1 of the same orbit before the flood")
	fs.StringVar(&cfg.Permanent, "permanent", "", "mask of water that is always there (not 0)")
	fs.StringVar(&cfg.Clouds, "clouds", "", "mask of what --s2 does not see (not 0)")
	fs.StringVar(&cfg.Out, "out", "", "GeoTIFF to write: 0 dry, 1 water, 255 no data")
	fs.StringVar(&cfg.Truth, "truth", "", "labels to compare with: 1 water, 0 dry, others unknown")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return errUsage.With("why", fmt.Sprintf("%q is one argument too many", rest[0]))
	case cfg.S1 == "" && cfg.S2 == "":
		return errUsage.With("why", "--s1 or --s2 is needed")
	case cfg.Out == "" && cfg.Truth == "":
		return errUsage.With("why", "--out is needed")
	}
	res, err := flood.Map(ctx, cfg)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, struct {
			flood.Result
			Out string `json:"out,omitempty"`
		}{res, cfg.Out})
	}
	_, _ = fmt.Fprintf(std.Out, "water on %.1f %% of %d judged pixels (%d by radar and light, %d by radar only, %d by light only), %d without data\n",
		res.WaterShare*100, res.Water+res.Dry, res.Fused, res.RadarOnly, res.LightOnly, res.NoData)
	for _, name := range slices.Sorted(maps.Keys(res.Thresholds)) {
		t := res.Thresholds[name]
		from := fmt.Sprintf("from %d pixels along the water", t.Pixels)
		if t.Usual {
			from = "usual: no rim of water found"
		}
		_, _ = fmt.Fprintf(std.Out, "  %-13s above %.3f (%s)\n", name, t.Value, from)
	}
	if s := res.Score; s != nil {
		_, _ = fmt.Fprintf(std.Out, "against the truth: IoU %.4f, precision %.4f, recall %.4f on %d pixels\n", s.IoU, s.Precision, s.Recall, s.Judged)
	}
	return nil
}
