// Command crashdrill kills a house under load and checks that nothing acknowledged
// is lost and nothing doubled; scripts/crash-drill builds and runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/furrowcredit/furrow/bench/iot/drill"
	"github.com/furrowcredit/furrow/bench/iot/rig"
)

const about = `Kills a house under load with SIGKILL, many times and in random order, while
gateways publish and send again what was not acknowledged; then looks whether every
acknowledged reading is stored, once and unaltered. Exit code 0: it is; 1: it is not.

The servers are private ones on free loopback ports, their data in a temporary folder.

  embedded  furrow alone: broker, ingest and database in one process
  influx    furrow's broker and ingest, and an InfluxDB
  mosquitto Mosquitto, one furrow that reads from it, and an InfluxDB
  shared    Mosquitto, two furrows that share its messages ($share), and an InfluxDB

In the first two set-ups a PUBACK means "on disk": nothing may be lost, whatever is
killed. In the others a PUBACK is Mosquitto's own, which is given before it has saved
its queue: what it acknowledged after its last save before it was killed itself may be
gone. After a start it also forgets shared subscriptions, and acknowledges and drops
what comes until a furrow is back. Both are counted apart; a kill of ingest or
database may lose nothing there either. --spare mosquitto leaves it alone.

InfluxDB starts as deploy/influxdb says, after furrow influx mend. After a full disk
InfluxDB 1.8 refuses writes until it is started again; with
--disk-full the drill does so once at the end, when the spool of furrow is to empty.

flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "crash-drill:", err)
		os.Exit(1) //nolint:gocritic // what stop would undo ends with the process
	}
}

type options struct {
	setup, furrow, bin, keep, spare, conf string
	full, asJSON                          bool
	drill                                 drill.Config
}

func parse(args []string, errs io.Writer) (o options, err error) {
	f := flag.NewFlagSet("crash-drill", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Usage = func() {
		_, _ = fmt.Fprint(errs, "usage: scripts/crash-drill [flags]\n\n", about)
		f.PrintDefaults()
	}
	f.StringVar(&o.setup, "setup", "all", "embedded, influx, mosquitto, shared or all")
	f.IntVar(&o.drill.Kills, "kills", 50, "how many blows")
	f.Uint64Var(&o.drill.Seed, "seed", rand.Uint64N(1_000_000), "the order of the blows follows from it")
	f.Float64Var(&o.drill.Rate, "rate", 2000, "messages a second, at most 10000")
	f.StringVar(&o.spare, "spare", "", "processes that are not killed, with commas: mosquitto, influxd, furrow, ingest-a, ingest-b")
	f.BoolVar(&o.full, "disk-full", false, "keep the data on a small file system, and fill it every fifth time instead of killing")
	f.BoolVar(&o.drill.ClockSteps, "clock-steps", false, "let the tags' clocks jump by up to two hours, back and forth")
	f.StringVar(&o.keep, "keep", "", "folder for data and logs, which stay there; otherwise a temporary one")
	f.StringVar(&o.conf, "mosquitto", "", "file with lines for Mosquitto's configuration instead of saving once a second")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	f.StringVar(&o.furrow, "furrow", "bin/furrow", "the furrow to drill")
	f.StringVar(&o.bin, "bin", ".cache/bin", "folder of influxd")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is too much", f.Args())
	}
	if o.setup != "all" && !slices.Contains(drill.Setups, drill.Setup(o.setup)) {
		return o, fmt.Errorf("there is no set-up %q: embedded, influx, mosquitto, shared or all", o.setup)
	}
	if o.drill.Kills < 1 || o.drill.Rate <= 0 || o.drill.Rate > 10_000 {
		return o, errors.New("give at least one kill and a rate between 1 and 10000")
	}
	if o.conf != "" {
		b, err := os.ReadFile(o.conf)
		if err != nil {
			return o, err
		}
		o.drill.MosquittoConf = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	if o.spare != "" {
		o.drill.Spare = strings.Split(o.spare, ",")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	o, err := parse(args, errs)
	if err != nil {
		return err
	}
	if o.full && os.Getenv(mounted) == "" {
		return again(ctx, args, out, errs)
	}
	setups := drill.Setups
	if o.setup != "all" {
		setups = []drill.Setup{drill.Setup(o.setup)}
	}
	exe, err := filepath.Abs(o.furrow)
	if err != nil {
		return err
	}
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	var reports []drill.Report
	passed := true
	for _, s := range setups {
		_, _ = fmt.Fprintf(errs, "%s: %d blows, seed %d\n", s, o.drill.Kills, o.drill.Seed)
		r, err := one(ctx, o, s, exe, bin, errs)
		if err != nil {
			return fmt.Errorf("%s, seed %d: %w", s, o.drill.Seed, err)
		}
		reports = append(reports, r)
		passed = passed && r.Passed()
		if !o.asJSON {
			show(out, r)
		}
	}
	if o.asJSON {
		if err := json.NewEncoder(out).Encode(map[string]any{"passed": passed, "drills": reports}); err != nil {
			return err
		}
	}
	if !passed {
		return errors.New("the house did not keep its word")
	}
	return nil
}

func one(ctx context.Context, o options, s drill.Setup, exe, bin string, errs io.Writer) (_ drill.Report, err error) {
	dir, cfg := "", o.drill
	if o.keep != "" {
		dir = filepath.Join(o.keep, string(s))
		err = os.MkdirAll(dir, 0o700)
	} else {
		dir, err = os.MkdirTemp("", "crash-drill-")
		defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	}
	if err != nil {
		return drill.Report{}, err
	}
	cfg.Setup, cfg.Say = s, errs
	if o.full {
		cfg.Full = filepath.Join(dir, "small")
		if err := small(ctx, cfg.Full); err != nil {
			return drill.Report{}, err
		}
		defer func() { _ = syscall.Unmount(cfg.Full, syscall.MNT_DETACH) }() // it goes with the process anyhow
	}
	cfg.Rig = &rig.Rig{Dir: dir, Bin: bin, Exe: []string{exe}}
	defer cfg.Rig.Close()
	return drill.Run(ctx, cfg)
}

func show(w io.Writer, r drill.Report) {
	word := "passed"
	if !r.Passed() {
		word = "FAILED"
	}
	_, _ = fmt.Fprintf(w, "%s %s in %s (seed %d): killed %v, disk filled %d times, %d starts tried again; %d connections lost, %d messages sent again; "+
		"%d acknowledged, %d stored, %d lost (%d of them by Mosquitto), %d doubled, %d altered\n",
		r.Setup, word, r.Took, r.Seed, r.Kills, r.Fills, r.Refused, r.Dropped, r.Again, r.Acked, r.Stored, r.Lost, r.Broker, r.Doubled, r.Altered)
	if r.Unsaved != "" {
		_, _ = fmt.Fprintf(w, "   Mosquitto was killed up to %s after it had saved its state\n", r.Unsaved)
	}
	for _, f := range r.First {
		_, _ = fmt.Fprintln(w, "  ", f)
	}
}

// mounted says that this process may mount a small file system that nobody else sees.
const mounted = "CRASH_DRILL_MOUNTED"

// again runs this program in a mount namespace of its own; who is not root gets one
// with a user namespace around it.
func again(ctx context.Context, args []string, out, errs io.Writer) error {
	argv := []string{"--mount"}
	if os.Getuid() != 0 {
		argv = []string{"--user", "--map-root-user", "--mount"}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "unshare", append(append(argv, "--", self), args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), mounted+"=1"), out, errs
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return errors.New("see above")
	}
	if err != nil {
		return fmt.Errorf("a small file system cannot be made here: %w; run as root, or allow user namespaces", err)
	}
	return nil
}

// smallSize leaves a house the 512 MB that it wants free at its start, and some.
const smallSize = "size=900m"

func small(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if b, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", smallSize, "crash-drill", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, b)
	}
	return nil
}
