package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/sim"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/sim/county"
)

// ErrNotDemo protects a folder that holds something else from --reset.
var ErrNotDemo = fault.New(fault.Invalid, "demo.folder",
	"{dir} holds files but no demo; choose an empty folder with --data")

// DemoConfig says where the demo lives.
type DemoConfig struct {
	Data, Addr, MQTT string
	Reset            bool   // throw the old county away
	Password         string // of every login; "" makes one and keeps it
	Out              io.Writer
}

// demoState is what the demo remembers between starts.
type demoState struct {
	Password string    `json:"password"`
	Made     time.Time `json:"made"`    // the county's first day
	Settled  bool      `json:"settled"` // false: the first start was interrupted
}

// operatorLogin is the first person of the demo.
const operatorLogin = "operator"

// Demo runs the whole house on one machine with a county made for it, until ctx ends.
func Demo(ctx context.Context, cfg DemoConfig) (err error) {
	// The ports first: a demo that runs in the folder must not lose its files to a second.
	if err := errors.Join(free(ctx, cfg.Addr, "--addr"), free(ctx, cfg.MQTT, "--mqtt")); err != nil {
		return err
	}
	if err := Writable(cfg.Data); err != nil {
		return err
	}
	state, err := openDemo(cfg)
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(cfg.Data, "furrow.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	log := slog.New(slog.NewJSONHandler(logFile, nil))
	show := newProgress(cfg.Out)

	land, err := county.New(county.Config{Seed: sim.Seed, Now: state.Made})
	if err != nil {
		return err
	}
	if !state.Settled {
		if err := makeScenes(ctx, cfg.Data, land, show); err != nil {
			return err
		}
	}
	clock := &sim.Clock{}
	vault, err := bank.Open(filepath.Join(cfg.Data, "bank.jsonl"), clock.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	vault.Answer = bank.Magic
	rail, shut, err := serveBank(ctx, vault)
	if err != nil {
		return err
	}
	defer shut()
	a, err := New(ctx, Config{
		Data: cfg.Data, Addr: cfg.Addr, MQTT: cfg.MQTT, Work: true, Serve: true,
		Operator: operatorLogin, OperatorPassword: state.Password, RailHTTP: rail, Now: clock.Now, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	opt := sim.Options{
		URL: a.URL(), MQTT: a.MQTT(), Operator: operatorLogin, Password: state.Password, Dir: cfg.Data,
		County: land, Clock: clock, Statement: vault.Statement, Progress: show.step,
	}
	live := make(chan error, 1)
	go func() { live <- liveCounty(ctx, cfg, opt, &state, show) }()

	select {
	case err = <-done: // the house ended by itself, or by Ctrl-C
		stop()
		return errors.Join(err, canceled(<-live))
	case err = <-live: // the county ended: an error, or Ctrl-C
		stop()
		return errors.Join(canceled(err), <-done)
	}
}

// serveBank puts the sandbox bank behind the HTTP that a real one speaks, on this machine,
// with a secret that lives as long as the process.
func serveBank(ctx context.Context, vault *bank.Bank) (Rail, func(), error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Rail{}, nil, fmt.Errorf("demo: %w", err)
	}
	r := Rail{URL: "http://" + l.Addr().String(), KeyID: "demo", Secret: NewPassword() + NewPassword()}
	srv := &http.Server{Handler: &bank.Server{Bank: vault, Key: r.key()}, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }() // it ends with shut
	return r, func() { _ = srv.Close() }, nil
}

// liveCounty settles the county at the first start, says where to look, and then
// lets the animals live on.
func liveCounty(ctx context.Context, cfg DemoConfig, opt sim.Options, state *demoState, show *progress) error {
	if !state.Settled {
		if err := sim.Settle(ctx, opt); err != nil {
			return err
		}
		state.Settled = true
		if err := state.save(cfg.Data); err != nil {
			return err
		}
	}
	show.end()
	greet(cfg.Out, opt)
	return sim.Live(ctx, opt)
}

func canceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func greet(w io.Writer, opt sim.Options) {
	_, _ = fmt.Fprintf(w, `
Furrow is ready. Everybody's password: %s

  officer   %s/officer/   officer01, officer02 (approves), auditor01 (reads only)
  farmer    %s/farmer/    farmer01 ..., herder01 ..., owner01 ...
  anchor    %s/anchor/    anchor01, anchor02, seller01 (a shop)
  operator  %s/api/v1     %s
  MQTT      %s

Ctrl-C stops it; the county stays in %s.
`, opt.Password, opt.URL, opt.URL, opt.URL, opt.URL, operatorLogin, opt.MQTT, opt.Dir)
}

// openDemo reads the state of the folder; a folder that was never settled is
// cleared, so that nothing is half there.
func openDemo(cfg DemoConfig) (demoState, error) {
	var s demoState
	body, err := os.ReadFile(filepath.Join(cfg.Data, "demo.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if files, err := os.ReadDir(cfg.Data); err != nil || len(files) > 0 {
			return s, errors.Join(err, ErrNotDemo.With("dir", cfg.Data))
		}
	case err != nil:
		return s, fmt.Errorf("demo: %w", err)
	default:
		if err := json.Unmarshal(body, &s); err != nil {
			return s, ErrNotDemo.With("dir", cfg.Data).Because(err)
		}
	}
	if s.Settled && !cfg.Reset {
		return s, nil
	}
	if err := clearDemo(cfg.Data); err != nil {
		return s, err
	}
	s = demoState{Password: cfg.Password, Made: time.Now().UTC()}
	if s.Password == "" {
		s.Password = NewPassword()
	}
	return s, s.save(cfg.Data)
}

// clearDemo removes what a demo writes, by name.
func clearDemo(dir string) error {
	var err error
	for _, pattern := range []string{
		"demo.json", "furrow.db*", "telemetry.db*", "bank.jsonl", "furrow.log", "scenes", "catalogue", "truth-*.json", "devices.json", "trade",
	} {
		names, e := filepath.Glob(filepath.Join(dir, pattern))
		err = errors.Join(err, e)
		for _, n := range names {
			err = errors.Join(err, os.RemoveAll(n))
		}
	}
	return err
}

func (s demoState) save(dir string) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "demo.json")
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return os.Rename(name+".new", name)
}

// makeScenes writes the satellite scenes and their catalogue.
func makeScenes(ctx context.Context, data string, land *county.County, show *progress) error {
	dir := filepath.Join(data, "scenes")
	err := land.WriteScenes(ctx, dir, func(done, total int) { show.step("satellite scenes", done, total) })
	if err != nil {
		return err
	}
	_, err = index.Run(ctx, index.Config{
		Dir: dir, Out: filepath.Join(data, "catalogue"),
		Progress: func(done, total int) { show.step("scene catalogue", done, total) },
	})
	return err
}
