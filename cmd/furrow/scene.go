package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/geo/scene/search"
)

// errUsage is what a wrong command line gets.
var errUsage = fault.New(fault.Invalid, "cli.usage", "{why}; see -h")

// parseArgs reads flags wherever they stand and returns the other arguments.
func parseArgs(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			if err == flag.ErrHelp { //nolint:errorlint // flag returns it bare
				return nil, err
			}
			return nil, errUsage.With("why", err.Error())
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

// newFlags makes the flag set of a command; its help goes to the error stream.
func newFlags(name, use string, std stdio) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(std.Err)
	fs.Usage = func() {
		_, _ = fmt.Fprintf(std.Err, "usage: furrow %s %s\n", name, use)
		fs.PrintDefaults()
	}
	return fs
}

// printJSON writes one object, as --json asks for.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// runSceneIndex writes a STAC catalogue of a folder of rasters and products.
func runSceneIndex(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("scene index", "DIR [--out DIR] [--layout auto|NAME|FILE] [--cloud-probability PER_CENT] [--dilate METRES] [--catalog DIR] [--json]", std)
	out := fs.String("out", "", "folder of the catalogue (default: DIR itself)")
	layout := fs.String("layout", "auto", "auto, the name of a sensor of the catalogue, or the path of a furrow-scenes.json")
	folder := fs.String("catalog", "", "folder with your own catalogue files, among them sensors.yaml")
	probability := fs.Float64("cloud-probability", 0, "per cent from which Sentinel-2's cloud probability masks a pixel; 0 leaves it to the scene classification")
	dilate := fs.Float64("dilate", 0, "metres by which the cloud masks of Sentinel-2 products grow")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errUsage.With("why", "give one folder")
	}
	if !(*probability >= 0 && *probability <= 100) || !(*dilate >= 0 && *dilate <= 10000) {
		return errUsage.With("why", "--cloud-probability is 0 to 100, --dilate 0 to 10000")
	}
	files, err := catalog.Open(*folder)
	if err != nil {
		return err
	}
	sensors, err := index.LoadSensors(files)
	if err != nil {
		return err
	}
	progress := func(done, total int) {
		if done == total || done%10 == 0 {
			_, _ = fmt.Fprintf(std.Err, "scenes looked through: %d of %d\n", done, total)
		}
	}
	if *asJSON {
		progress = nil
	}
	res, err := index.Run(ctx, index.Config{
		Dir: rest[0], Out: *out, Layout: *layout, Sensors: sensors, Progress: progress,
		CloudProbability: *probability, Dilate: *dilate,
	})
	if err != nil {
		for _, r := range res.Refused {
			_, _ = fmt.Fprintf(std.Err, "refused %s\n", r.Why)
		}
		return err
	}
	if *asJSON {
		if err := printJSON(std.Out, res); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(std.Out, "%d scenes from %d of %d rasters (layout %s)\n", res.Items, res.Used, res.Files, res.Layout)
		for _, f := range res.Ignored {
			_, _ = fmt.Fprintf(std.Out, "ignored %s: no pattern of the layout names it\n", f)
		}
		for _, r := range res.Refused {
			_, _ = fmt.Fprintf(std.Out, "refused %s\n", r.Why)
		}
		for _, s := range res.Superseded {
			_, _ = fmt.Fprintf(std.Out, "superseded %s by %s\n", s.Item, s.By)
		}
	}
	if len(res.Refused) > 0 {
		return errNo
	}
	return nil
}

// runSceneSearch asks a STAC API for scenes and writes a catalogue of them.
func runSceneSearch(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("scene search", "--api URL --collections A,B --bbox WEST,SOUTH,EAST,NORTH [--from DAY] [--to DAY] [--max N] --out DIR [--json]", std)
	api := fs.String("api", "", "root of the STAC API")
	collections := fs.String("collections", "", "names of collections, with commas")
	bbox := fs.String("bbox", "", "west,south,east,north in degrees")
	from := fs.String("from", "", "first day, as 2026-04-01 (UTC)")
	to := fs.String("to", "", "last day")
	most := fs.Int("max", 1000, "scenes at most; 0 for all")
	out := fs.String("out", "", "folder of the catalogue")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || *api == "" || *out == "" {
		return errUsage.With("why", "give --api, --collections, --bbox and --out")
	}
	q := search.Query{Max: *most, Collections: strings.FieldsFunc(*collections, func(r rune) bool { return r == ',' || r == ' ' })}
	if q.Bbox, err = parseBbox(*bbox); err != nil {
		return err
	}
	if q.From, err = parseDay(*from); err != nil {
		return err
	}
	if q.To, err = parseDay(*to); err != nil {
		return err
	}
	if !q.To.IsZero() {
		q.To = q.To.Add(24*time.Hour - time.Second) // the whole last day
	}
	client := &search.Client{
		API: *api, HTTP: &http.Client{Timeout: 2 * time.Minute}, Page: 100, Tries: 6, Wait: search.Sleep, Jitter: rand.Float64,
	}
	res, err := client.Save(ctx, q, *out)
	for _, r := range res.Refused {
		_, _ = fmt.Fprintf(std.Err, "refused %s\n", r.Why)
	}
	if err != nil {
		return err
	}
	if *asJSON {
		if err := printJSON(std.Out, res); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(std.Out, "%d of %d scenes kept in %s\n", res.Items, res.Found, *out)
		for _, s := range res.Superseded {
			_, _ = fmt.Fprintf(std.Out, "superseded %s by %s\n", s.Item, s.By)
		}
	}
	if len(res.Refused) > 0 {
		return errNo
	}
	return nil
}

// parseBbox reads four numbers with commas.
func parseBbox(s string) (box [4]float64, err error) {
	parts := strings.Split(s, ",")
	if len(parts) != len(box) {
		return box, errUsage.With("why", "--bbox is west,south,east,north in degrees")
	}
	for i, p := range parts {
		if box[i], err = strconv.ParseFloat(strings.TrimSpace(p), 64); err != nil {
			return box, errUsage.With("why", fmt.Sprintf("--bbox: %q is not a number", p))
		}
	}
	return box, nil
}

// parseDay reads a day; an empty one is the zero time.
func parseDay(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, errUsage.With("why", fmt.Sprintf("%q is not a day like 2026-04-01", s))
	}
	return t, nil
}
