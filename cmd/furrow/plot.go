package main

import (
	"context"
	"fmt"
	"os"

	"github.com/paulmach/orb/geojson"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/register"
)

// runPlotImport reads a land-register file into plots and accounts for every
// feature of it.
func runPlotImport(_ context.Context, args []string, std stdio) error {
	fs := newFlags("plot import", "FILE [--out F.geojson] [--json]", std)
	out := fs.String("out", "", "write the plots as GeoJSON in WGS84, with area and mu")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errUsage.With("why", "give one land-register file")
	}
	plots, refusals, err := register.ReadFile(rest[0])
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writePlots(*out, plots); err != nil {
			return err
		}
	}
	var m2 float64
	for _, p := range plots {
		m2 += p.AreaM2
	}
	features := len(plots) + len(refusals)
	if *asJSON {
		err = printJSON(std.Out, map[string]any{
			"features": features, "plots": len(plots), "refusals": refusals, "area_m2": m2, "mu": m2 / geo.M2PerMu,
		})
	} else {
		_, err = fmt.Fprintf(std.Out, "%d features: %d plots with %.1f mu, %d refused\n", features, len(plots), m2/geo.M2PerMu, len(refusals))
		for _, r := range refusals {
			_, _ = fmt.Fprintf(std.Out, "feature %d %s: %s\n", r.Feature, r.Name, r.Why)
		}
	}
	if err == nil && len(refusals) > 0 {
		err = errNo
	}
	return err
}

func writePlots(path string, plots []geo.Plot) error {
	fc := geojson.NewFeatureCollection()
	for _, p := range plots {
		f := geojson.NewFeature(p.Polygon)
		f.Properties = geojson.Properties{
			"name": p.Name, "owner_name": p.OwnerName, "region": p.Region, "crop": p.Crop,
			"area_m2": p.AreaM2, "mu": p.Mu(), "source": p.Source, "source_crs": p.SourceCRS,
		}
		fc.Append(f)
	}
	body, err := fc.MarshalJSON()
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644)
}
