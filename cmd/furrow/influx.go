package main

import (
	"context"
	"fmt"

	"github.com/furrowcredit/furrow/iot/series/influx/wal"
)

// runInfluxMend cuts the torn ends off InfluxDB's logs before it starts.
func runInfluxMend(_ context.Context, args []string, std stdio) error {
	f := newFlags("influx mend", "[--wal DIR] [--json]", std)
	dir := f.String("wal", "/var/lib/influxdb/wal", "wal-dir of influxdb.conf; InfluxDB must not run")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := noWords(f, args); err != nil {
		return err
	}
	cuts, logs, err := wal.Mend(*dir)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"logs": logs, "cuts": append([]wal.Cut{}, cuts...)})
	}
	for _, c := range cuts {
		_, _ = fmt.Fprintf(std.Out, "%s: cut %d bytes off behind %d: %s\n", c.Path, c.Torn, c.Whole, c.Why)
	}
	_, _ = fmt.Fprintf(std.Out, "%d logs below %s, %d mended\n", logs, *dir, len(cuts))
	return nil
}
