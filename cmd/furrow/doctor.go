package main

import (
	"context"
	"fmt"

	"github.com/furrowcredit/furrow/app"
)

// runDoctor says what is installed, reachable and migrated, and what to do about the
// rest. It answers no when something that is configured does not work.
func runDoctor(ctx context.Context, args []string, std stdio) error {
	var cfg app.Config
	f := newFlags("doctor", "[flags]", std)
	asJSON := f.Bool("json", false, "print one JSON object")
	f.StringVar(&cfg.MosquittoConf, "mosquitto-conf", "", "configuration of the external broker to look at; default /etc/mosquitto/mosquitto.conf when --broker is on this machine")
	houseFlags(f, &cfg)
	if err := noWords(f, args); err != nil {
		return err
	}
	if err := secrets(&cfg); err != nil {
		return err
	}
	findings := app.Doctor(ctx, cfg)
	sick := false
	for _, x := range findings {
		sick = sick || !x.OK
	}
	if *asJSON {
		if err := printJSON(std.Out, map[string]any{"ok": !sick, "findings": findings}); err != nil {
			return err
		}
	} else {
		for _, x := range findings {
			mark := "ok  "
			if !x.OK {
				mark = "LOOK"
			}
			_, _ = fmt.Fprintf(std.Out, "%s  %-16s %s\n", mark, x.Name, x.Detail)
			if x.Advice != "" {
				_, _ = fmt.Fprintf(std.Out, "      %-16s -> %s\n", "", x.Advice)
			}
		}
	}
	if sick {
		return errNo
	}
	return nil
}
