package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/furrowcredit/furrow/credit/forecast"
)

// forecastFlags are what both tools of forecasting take.
type forecastFlags struct {
	table, gaps     *string
	horizon, season *int
	asJSON          *bool
}

// read parses the flags and reads the table.
func (f *forecastFlags) read(parse func() ([]string, error), std stdio) ([]forecast.Series, error) {
	rest, err := parse()
	if err != nil {
		return nil, err
	}
	if *f.table == "" || len(rest) > 0 {
		return nil, errUsage.With("why", "give --series and --horizon")
	}
	if *f.horizon < 1 || *f.horizon > 1000 {
		return nil, errUsage.With("why", "--horizon is 1 to 1000")
	}
	if *f.season < 0 || *f.season > 366 {
		return nil, errUsage.With("why", "--season is 1 to 366, or 0 for the usual one of the dates")
	}
	g := forecast.Gaps(*f.gaps)
	switch g {
	case forecast.GapsMissing, forecast.GapsZero, forecast.GapsRefused:
	default:
		return nil, errUsage.With("why", "--gaps is missing, zero or refuse")
	}
	return forecast.ReadFile(*f.table, std.In, g)
}

// runForecastValidate holds out the end of every series and says how far off the
// forecasts were, beside the theta and naive methods.
func runForecastValidate(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("forecast validate", "--series F.csv[.gz] --horizon H [--season M] [--gaps missing|zero|refuse] [--json]", std)
	f := forecastFlags{
		table:   fs.String("series", "", "CSV with the columns series_id, date, value; - for standard input"),
		horizon: fs.Int("horizon", 0, "values held out at the end of each series"),
		season:  fs.Int("season", 0, "steps in a season; 0 for the usual one of the dates: 12 months, 4 quarters"),
		gaps:    fs.String("gaps", "missing", "what steps are that the table leaves out within a series"),
		asJSON:  fs.Bool("json", false, "print one JSON object"),
	}
	series, err := f.read(func() ([]string, error) { return parseArgs(fs, args) }, std)
	if err != nil {
		return err
	}
	v, err := forecast.Validate(ctx, series, *f.horizon, *f.season)
	if err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, v)
	}
	_, _ = fmt.Fprintf(std.Out, "%d series, the last %d values of each held out\n", v.Series, v.Horizon)
	for why, n := range v.Skipped {
		_, _ = fmt.Fprintf(std.Out, "left out as %s: %d\n", why, n)
	}
	if v.Unscaled > 0 {
		_, _ = fmt.Fprintf(std.Out, "without MASE, as their history never changes: %d\n", v.Unscaled)
	}
	_, _ = fmt.Fprintf(std.Out, "%-16s %8s %8s\n", "", "sMAPE", "MASE")
	for _, row := range []struct {
		name string
		a    forecast.Accuracy
	}{{"furrow", v.Accuracy}, {"theta", v.Theta}, {"naive", v.Naive}, {"seasonal naive", v.SeasonalNaive}} {
		_, _ = fmt.Fprintf(std.Out, "%-16s %8.3f %8.4f\n", row.name, row.a.SMAPE, row.a.MASE)
	}
	_, _ = fmt.Fprintf(std.Out, "in the 80 %% interval %.1f %%, in the 95 %% interval %.1f %%\n", 100*v.Coverage80, 100*v.Coverage95)
	return nil
}

// runForecastRun forecasts every series of a table.
func runForecastRun(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("forecast run", "--series F.csv[.gz] --horizon H [--season M] [--gaps missing|zero|refuse] [--out F.csv] [--json]", std)
	f := forecastFlags{
		table:   fs.String("series", "", "CSV with the columns series_id, date, value; - for standard input"),
		horizon: fs.Int("horizon", 0, "values to forecast"),
		season:  fs.Int("season", 0, "steps in a season; 0 for the usual one of the dates"),
		gaps:    fs.String("gaps", "missing", "what steps are that the table leaves out within a series"),
		asJSON:  fs.Bool("json", false, "print one JSON object"),
	}
	out := fs.String("out", "", "CSV to write (default: standard output)")
	series, err := f.read(func() ([]string, error) { return parseArgs(fs, args) }, std)
	if err != nil {
		return err
	}
	outlooks, err := forecast.All(ctx, series, *f.horizon, *f.season)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writeWhole(*out, func(w io.Writer) error { return writeOutlooks(w, outlooks) }); err != nil {
			return err
		}
	}
	if *f.asJSON {
		return printJSON(std.Out, map[string]any{"horizon": *f.horizon, "series": outlooks})
	}
	if *out == "" {
		return writeOutlooks(std.Out, outlooks)
	}
	return nil
}

// writeOutlooks writes one row for each value to come, and one with the reason for
// each series without a forecast.
func writeOutlooks(w io.Writer, outlooks []forecast.Outlook) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"series_id", "date", "middle", "low_80", "high_80", "low_95", "high_95", "reason"}); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }
	for _, o := range outlooks {
		if o.Reason != "" {
			if err := c.Write([]string{o.ID, "", "", "", "", "", "", o.Reason}); err != nil {
				return err
			}
		}
		for i, p := range o.Points {
			if err := c.Write([]string{o.ID, o.Dates[i].String(), number(p.Middle), number(p.Low80), number(p.High80), number(p.Low95), number(p.High95), ""}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
