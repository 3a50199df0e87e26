package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
)

// runPlotImport reads a land-register file into plots and accounts for every
// feature of it; with --db it registers them.
func runPlotImport(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("plot import", "FILE [--crs CRS] [--whole] [--out F.geojson] [--db DSN [--tenant T] [--owner ID]] [--json]", std)
	crs := fs.String("crs", "", "the system in which the file lies, instead of what it says: an EPSG code, gcj02 or bd09")
	whole := fs.Bool("whole", false, "refuse features with several parts instead of making a plot of each part")
	out := fs.String("out", "", "write the plots as GeoJSON in WGS84, with area and mu")
	dsn := fs.String("db", "", "register the plots there: sqlite:FILE or postgres://...; without it nothing is saved")
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank that registers them (FURROW_TENANT)")
	owner := fs.String("owner", "", "user id of the holder of all plots (default: the holder's code in the file)")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errUsage.With("why", "give one land-register file")
	}
	files, err := catalog.Open("")
	if err != nil {
		return err
	}
	crops, err := crop.Load(files)
	if err != nil {
		return err
	}
	step := func(format string, a ...any) {
		if !*asJSON {
			_, _ = fmt.Fprintf(std.Err, format+"\n", a...)
		}
	}
	res, err := register.LoadFile(rest[0], register.Options{CRS: *crs, Split: !*whole})
	if err != nil {
		return err
	}
	step("read %d features of %s", res.Features, rest[0])
	res.NameCrops(crops)
	saved := 0
	if *dsn != "" {
		if saved, err = savePlots(ctx, *dsn, *tenant, *owner, &res); err != nil {
			return err
		}
		step("saved %d plots in one transaction", saved)
	}
	if *out != "" {
		if err := writePlots(*out, res.Plots); err != nil {
			return err
		}
	}
	if *asJSON {
		err = printJSON(std.Out, importAccount(res, *dsn != "", saved))
	} else {
		err = printImport(std, res)
	}
	if err == nil && len(res.Refusals) > 0 {
		err = errNo
	}
	return err
}

// savePlots registers the plots; those that are not become refusals of the file.
func savePlots(ctx context.Context, dsn, tenant, owner string, res *register.Result) (int, error) {
	for i := range res.Plots {
		if owner != "" {
			res.Plots[i].OwnerID = owner
		}
		if p := res.Plots[i]; p.OwnerID == "" {
			return 0, errUsage.With("why", fmt.Sprintf("feature %d (%s) does not say its holder's code; give --owner", res.Numbers[i], p.Name))
		}
	}
	saved, refused, err := app.ImportPlots(ctx, dsn, tenant, res.Plots)
	if err != nil {
		return 0, err
	}
	dropped := map[int]bool{}
	for _, r := range refused {
		dropped[r.Index] = true
		res.Refusals = append(res.Refusals, register.Refusal{Feature: res.Numbers[r.Index], Name: res.Plots[r.Index].Name, Why: r.Err.Error(), Err: r.Err})
	}
	slices.SortStableFunc(res.Refusals, func(a, b register.Refusal) int { return a.Feature - b.Feature })
	var numbers []int
	for i, n := range res.Numbers {
		if !dropped[i] {
			numbers = append(numbers, n)
		}
	}
	res.Plots, res.Numbers = saved, numbers
	return len(saved), nil
}

func importAccount(res register.Result, db bool, saved int) map[string]any {
	m2, claimed := totals(res.Plots)
	out := map[string]any{
		"features": res.Features, "extra_parts": res.Extra, "plots": len(res.Plots), "refusals": res.Refusals,
		"repairs": append([]register.Repair{}, res.Repairs...), "notes": append([]register.Note{}, res.Notes...),
		"crs": res.CRS, "encoding": res.Encoding, "area_m2": m2, "mu": m2 / geo.M2PerMu, "claimed_mu": claimed / geo.M2PerMu,
	}
	if db {
		out["saved"] = saved
	}
	return out
}

func totals(plots []geo.Plot) (m2, claimed float64) {
	for _, p := range plots {
		m2, claimed = m2+p.AreaM2, claimed+p.ClaimedM2
	}
	return m2, claimed
}

func printImport(std stdio, res register.Result) error {
	m2, claimed := totals(res.Plots)
	_, err := fmt.Fprintf(std.Out, "%d features: %d plots with %.1f mu, %d refused\n", res.Features, len(res.Plots), m2/geo.M2PerMu, len(res.Refusals))
	if res.Extra > 0 {
		_, err = fmt.Fprintf(std.Out, "features with several parts gave %d more\n", res.Extra)
	}
	if claimed > 0 {
		_, err = fmt.Fprintf(std.Out, "claimed: %.1f mu\n", claimed/geo.M2PerMu)
	}
	for _, n := range res.Notes {
		_, err = fmt.Fprintf(std.Out, "note (%s): %s\n", n.What, n.Detail)
	}
	for _, r := range res.Repairs {
		_, err = fmt.Fprintf(std.Out, "mended feature %d %s: %s", r.Feature, r.Name, r.What)
		if r.At != "" {
			_, err = fmt.Fprintf(std.Out, " near %s", r.At)
		}
		if r.M2 > 0 {
			_, err = fmt.Fprintf(std.Out, ", %.2f m² cut off", r.M2)
		}
		_, _ = fmt.Fprintln(std.Out)
	}
	for _, r := range res.Refusals {
		part := ""
		if r.Part > 0 {
			part = fmt.Sprintf(" part %d", r.Part)
		}
		_, err = fmt.Fprintf(std.Out, "refused feature %d%s %s: %s\n", r.Feature, part, r.Name, r.Why)
	}
	return err
}

func writePlots(path string, plots []geo.Plot) error {
	fc := geojson.NewFeatureCollection()
	for _, p := range plots {
		f := geojson.NewFeature(p.Polygon)
		f.Properties = geojson.Properties{
			"name": p.Name, "owner_name": p.OwnerName, "owner_id": p.OwnerID, "region": p.Region, "crop": p.Crop,
			"area_m2": p.AreaM2, "mu": p.Mu(), "claimed_m2": p.ClaimedM2, "source": p.Source, "source_crs": p.SourceCRS,
		}
		fc.Append(f)
	}
	body, err := fc.MarshalJSON()
	if err != nil {
		return err
	}
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(append(body, '\n'))
		return err
	})
}

// runPlotOverlaps finds plots of different holders that share ground, in a file or
// in the register; the answer is no when there are any.
func runPlotOverlaps(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("plot overlaps", "FILE [--crs CRS] | --db DSN [--tenant T] [--min-share 0.01] [--json]", std)
	crs := fs.String("crs", "", "the system in which the file lies, instead of what it says")
	dsn := fs.String("db", "", "compare the registered plots: sqlite:FILE or postgres://...")
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank that registered them (FURROW_TENANT)")
	least := fs.Float64("min-share", 0.01, "least part of the smaller plot that both share, 0 to 1")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 1 || (len(rest) == 1) == (*dsn != "") || !(*least >= 0 && *least <= 1) {
		return errUsage.With("why", "give one land-register file or --db, and a --min-share from 0 to 1")
	}
	var clashes []geo.Clash
	account := map[string]any{}
	if *dsn != "" {
		clashes, err = app.PlotClashes(ctx, *dsn, *tenant, *least)
	} else {
		var res register.Result
		if res, err = register.LoadFile(rest[0], register.Options{CRS: *crs, Split: true}); err == nil {
			for i, n := range res.Numbers {
				res.Plots[i].ID = fmt.Sprint(n)
			}
			for _, r := range res.Refusals {
				_, _ = fmt.Fprintf(std.Err, "feature %d %s is no plot: %s\n", r.Feature, r.Name, r.Why)
			}
			account["features"], account["extra_parts"], account["plots"], account["refusals"] = res.Features, res.Extra, len(res.Plots), res.Refusals
			clashes, err = geo.Clashes(ctx, res.Plots, *least)
		}
	}
	if err != nil {
		return err
	}
	if *asJSON {
		account["overlaps"] = clashes
		err = printJSON(std.Out, account)
	} else {
		_, err = fmt.Fprintf(std.Out, "%d pairs of plots of different holders share ground\n", len(clashes))
		for _, c := range clashes {
			_, err = fmt.Fprintf(std.Out, "%s %s (%s) and %s %s (%s): %.1f m², %.1f %% of the smaller one\n",
				c.A.ID, c.A.Name, c.A.OwnerName, c.B.ID, c.B.Name, c.B.OwnerName, c.M2, c.Share*100)
		}
	}
	if err == nil && len(clashes) > 0 {
		err = errNo
	}
	return err
}

// runPlotSuggest outlines the field at a place.
func runPlotSuggest(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("plot suggest", "--scenes DIR --at LON,LAT [--season-start DATE --season-end DATE] [--json]", std)
	scenes := fs.String("scenes", "", "folder of a STAC catalogue, as furrow scene index writes it")
	at := fs.String("at", "", "longitude and latitude in degrees (WGS84), with a comma between")
	from := fs.String("season-start", "", "first day (default: as furrow plot report)")
	to := fs.String("season-end", "", "last day (default: the last scene)")
	asJSON := fs.Bool("json", false, "print one JSON object")
	if err := noWords(fs, args); err != nil {
		return err
	}
	if *scenes == "" || *at == "" {
		return errUsage.With("why", "--scenes and --at are needed")
	}
	lon, lat, _ := strings.Cut(*at, ",")
	var place orb.Point
	for i, s := range []string{lon, lat} {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return errUsage.With("why", fmt.Sprintf("--at %q is no place such as 114.33,35.02", *at))
		}
		place[i] = v
	}
	cat, err := scene.Open(*scenes)
	if err != nil {
		return err
	}
	season, err := seasonOf(cat, *from, *to)
	if err != nil {
		return err
	}
	got, err := boundary.New(func() *scene.Catalogue { return cat }).Suggest(ctx, place, season)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, got)
	}
	for _, id := range got.Unreadable {
		_, _ = fmt.Fprintf(std.Err, "scene %s cannot be read\n", id)
	}
	if _, err := fmt.Fprintf(std.Out, "%.2f mu, %d corners, confidence %.0f %%, seen on %d dates from %s to %s\n", got.Mu, len(got.Polygon[0])-1,
		got.Confidence*100, len(got.Dates), got.Dates[0].Format(time.DateOnly), got.Dates[len(got.Dates)-1].Format(time.DateOnly)); err != nil {
		return err
	}
	body, err := geojson.NewGeometry(got.Polygon).MarshalJSON()
	if err == nil {
		_, err = fmt.Fprintf(std.Out, "%s\n", body)
	}
	return err
}
