package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
)

// runPlotReport makes the satellite report of every plot of a file.
func runPlotReport(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("plot report", "--scenes DIR --plot FILE [--season-start DATE --season-end DATE] [--declared COL] [--inner METRES] [--model FILE] [--out DIR] [--html] [--lang zh-CN|en] [--json]", std)
	scenes := fs.String("scenes", "", "folder of a STAC catalogue, as furrow scene index writes it")
	file := fs.String("plot", "", "land-register file (GeoJSON, GeoPackage, KML, zipped Shapefile)")
	from := fs.String("season-start", "", "first day (default: 13 months before the last day, so that the crop that stood then is seen from its sowing)")
	to := fs.String("season-end", "", "last day (default: the last scene)")
	declared := fs.String("declared", "", "column with the declared crop: code or name of the catalogue")
	catalogue := fs.String("catalog", "", "folder that replaces files of the built-in catalogue")
	inner := fs.Float64("inner", 0, "metres of edge to leave out of every plot, such as 5; 0 measures all of it")
	trained := fs.String("model", "", "crop model of furrow crop train; it names the crop where its samples lie near")
	out := fs.String("out", "", "folder for a file a plot (NUMBER.json, with --html also NUMBER.html)")
	html := fs.Bool("html", false, "write a page a plot; needs --out")
	lang := fs.String("lang", "zh-CN", "language of the pages: zh-CN or en")
	asJSON := fs.Bool("json", false, "print one JSON object with all reports")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	switch {
	case *scenes == "" || *file == "" || len(rest) > 0:
		return errUsage.With("why", "--scenes and --plot are needed, and nothing beside the flags")
	case *html && *out == "":
		return errUsage.With("why", "--html needs --out")
	case !(*inner >= 0 && *inner <= 100):
		return errUsage.With("why", "--inner is metres from 0 to 100")
	case *lang != "zh-CN" && *lang != "en":
		return errUsage.With("why", "--lang is zh-CN or en")
	}
	fsys, err := catalog.Open(*catalogue)
	if err != nil {
		return err
	}
	crops, err := crop.Load(fsys)
	if err != nil {
		return err
	}
	cat, err := scene.Open(*scenes)
	if err != nil {
		return err
	}
	season, err := seasonOf(cat, *from, *to)
	if err != nil {
		return err
	}
	plots, unknown, refusals, err := readPlots(*file, *declared, crops)
	if err != nil {
		return err
	}
	options := []report.Option{report.WithInner(*inner)}
	if *trained != "" {
		m, err := model.Open(*trained)
		if err != nil {
			return err
		}
		options = append(options, report.WithModel(m.Name(), m))
	}
	maker := report.New(cat, crops, time.Now, options...)
	reports, err := maker.Make(ctx, plots, season)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writeReports(ctx, *out, *lang, *html, maker, plots, reports); err != nil {
			return err
		}
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{
			"features": len(plots) + len(refusals), "plots": len(plots), "refusals": refusals, "season": season, "reports": reports,
			"unknown_crops": unknown,
		})
	} else {
		err = printReports(std, crops, *lang, plots, reports, refusals)
		for _, name := range slices.Sorted(maps.Keys(unknown)) {
			_, werr := fmt.Fprintf(std.Out, "%d plot(s) declare %q, which the catalogue does not know: judged as if nothing were declared\n", unknown[name], name)
			err = errors.Join(err, werr)
		}
	}
	if err == nil && len(refusals) > 0 {
		err = errNo
	}
	return err
}

// seasonOf reads the period. By default it ends with the last scene and is the 13
// months that the server judges too: a year of crops and the sowing before it. What
// lies before is the plots' own past.
func seasonOf(cat *scene.Catalogue, from, to string) (geo.Season, error) {
	items := cat.Items()
	if len(items) == 0 {
		return geo.Season{}, scene.ErrCatalogue.At("%s", cat.Dir())
	}
	day := func(flag, s string) (time.Time, error) {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return t, errUsage.With("why", fmt.Sprintf("--%s %q is not a date such as 2026-05-31", flag, s))
		}
		return t, nil
	}
	s := geo.Season{End: items[len(items)-1].Time}
	var err error
	if to != "" {
		if s.End, err = day("season-end", to); err != nil {
			return s, err
		}
		s.End = s.End.Add(24*time.Hour - time.Second)
	}
	if s.Start = s.End.AddDate(-1, -1, 0); s.Start.Before(items[0].Time) {
		s.Start = items[0].Time
	}
	if from != "" {
		if s.Start, err = day("season-start", from); err != nil {
			return s, err
		}
	}
	if s.End.Before(s.Start) {
		return s, errUsage.With("why", "the season ends before it starts")
	}
	s.Name = s.Start.Format("2006-01") + "/" + s.End.Format("2006-01")
	return s, nil
}

// readPlots reads the register; a plot's id is its number in the file. unknown counts
// the plots of each declared crop that the catalogue does not know.
func readPlots(path, declared string, crops *crop.Catalogue) (plots []geo.Plot, unknown map[string]int, refusals []register.Refusal, err error) {
	plots, refusals, err = register.ReadFile(path)
	if err != nil {
		return nil, nil, nil, err
	}
	src, err := register.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	codes := map[string]string{}
	for _, k := range crops.Crops() {
		for _, name := range []string{k.Code, k.Zh, k.En} {
			codes[strings.ToLower(name)] = k.Code
		}
	}
	unknown = map[string]int{}
	refused := map[int]bool{}
	for _, r := range refusals {
		refused[r.Feature] = true
	}
	i := 0
	for _, f := range src.Features {
		if refused[f.Number] || i >= len(plots) {
			continue
		}
		p := &plots[i]
		i++
		p.ID = fmt.Sprint(f.Number)
		name := p.Crop
		if declared != "" {
			v, ok := f.Fields[declared]
			if !ok {
				return nil, nil, nil, errUsage.At("%s, feature %d", path, f.Number).With("why", fmt.Sprintf("it has no column %q", declared))
			}
			name = v
		}
		name = strings.TrimSpace(name)
		if p.Crop = codes[strings.ToLower(name)]; p.Crop == "" && name != "" {
			unknown[name]++
		}
	}
	return plots, unknown, refusals, nil
}

func writeReports(ctx context.Context, dir, lang string, html bool, maker *report.Maker, plots []geo.Plot, reports []geo.CropReport) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, r := range reports {
		stem := filepath.Join(dir, fmt.Sprintf("%04s", r.PlotID))
		f, err := os.Create(stem + ".json")
		if err != nil {
			return err
		}
		err = printJSON(f, r)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil || !html {
			if err != nil {
				return err
			}
			continue
		}
		if f, err = os.Create(stem + ".html"); err != nil {
			return err
		}
		err = maker.HTML(ctx, f, plots[i], r, lang)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printReports(std stdio, crops *crop.Catalogue, lang string, plots []geo.Plot, reports []geo.CropReport, refusals []register.Refusal) error {
	for i, r := range reports {
		what := "-"
		if r.Crop != "" {
			what = fmt.Sprintf("%s %.0f %%", crops.Name(r.Crop, lang), r.Confidence*100)
		}
		var hazards []string
		for _, h := range r.Hazards {
			hazards = append(hazards, fmt.Sprintf("%s %s", h.Kind, h.Start.Format(time.DateOnly)))
		}
		if _, err := fmt.Fprintf(std.Out, "%s\t%s\t%.2f mu\t%d/%d clear\t%s\t%s\t%s\t%s\n",
			r.PlotID, plots[i].Name, r.Mu, r.ClearDates, r.TotalDates, r.Status, r.Reason, what, strings.Join(hazards, ", ")); err != nil {
			return err
		}
		portrait, err := report.Portrait(r, lang)
		if err != nil {
			return err
		}
		for _, line := range portrait {
			if _, err := fmt.Fprintf(std.Out, "\t%s\n", line); err != nil {
				return err
			}
		}
	}
	for _, r := range refusals {
		if _, err := fmt.Fprintf(std.Out, "feature %d %s: %s\n", r.Feature, r.Name, r.Why); err != nil {
			return err
		}
	}
	return nil
}
