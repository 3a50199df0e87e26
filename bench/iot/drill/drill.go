// Package drill kills a house under load, again and again, and then looks whether
// every reading that was acknowledged is stored, and stored once.
//
// Gateways publish at QoS 1 and send again what was not acknowledged; meanwhile the
// processes of a set-up are killed with SIGKILL in a random order that follows from
// a seed, some while others are still down. In the end everything runs, the gateways
// get their last PUBACK, and the store is compared with what was acknowledged,
// reading by reading.
package drill

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/bench/iot/fleet"
	"github.com/furrowcredit/furrow/bench/iot/rig"
	"github.com/furrowcredit/furrow/iot"
)

// Setup names which processes make the house.
type Setup string

// The set-ups.
const (
	Embedded  Setup = "embedded"  // furrow alone: broker, ingest and database in one process
	Influx    Setup = "influx"    // furrow's broker and ingest, InfluxDB
	Mosquitto Setup = "mosquitto" // Mosquitto, one furrow that reads from it, InfluxDB
	Shared    Setup = "shared"    // Mosquitto, two furrows that share its messages ($share), InfluxDB
)

// Setups are all of them.
var Setups = []Setup{Embedded, Influx, Mosquitto, Shared}

// Config of a drill.
type Config struct {
	Setup Setup
	Kills int
	Seed  uint64
	// Spare names processes that are not killed.
	Spare []string
	// Full is a folder on a small file system of its own: the data lie there, and
	// every fifth blow fills it for a while instead of killing. "" leaves it out.
	Full string
	// ClockSteps makes the tags' clocks jump by up to two hours, back and forth.
	ClockSteps    bool
	MosquittoConf []string      // lines of its configuration instead of [MosquittoConf]
	Rate          float64       // messages a second
	Pause         time.Duration // between two blows, on average; 0 means 600 ms
	Rig           *rig.Rig
	Say           io.Writer // progress
}

// The fleet of a drill.
const (
	gateways = 8
	perGate  = 25
	window   = 100
)

// Report is what a drill found. It is passed when nothing is lost beside what
// Mosquitto itself may lose, nothing doubled and nothing altered.
type Report struct {
	Setup   Setup          `json:"setup"`
	Seed    uint64         `json:"seed"`
	Kills   map[string]int `json:"kills"`
	Fills   int            `json:"disk_filled,omitempty"`
	Refused int            `json:"starts_tried_again"` // because what it needs was down
	Acked   int64          `json:"acknowledged"`
	Again   int64          `json:"sent_again"`
	Dropped int64          `json:"connections_lost"`
	Stored  int64          `json:"stored"`
	Lost    int64          `json:"lost"` // acknowledged and not stored
	// Broker of those were acknowledged by Mosquitto, and forgotten: in the moment
	// before it was killed, or after it came back and before anybody subscribed again.
	Broker int64 `json:"lost_by_mosquitto"`
	// Unsaved is the longest time before a kill of which Mosquitto had saved nothing.
	Unsaved string   `json:"mosquitto_unsaved,omitempty"`
	Doubled int64    `json:"doubled"`
	Altered int64    `json:"altered"` // stored with other values
	Took    string   `json:"took"`
	First   []string `json:"first_faults,omitempty"` // some of what is wrong, in words
}

// Passed says whether the house kept its word.
func (r Report) Passed() bool {
	return r.Lost == r.Broker && r.Doubled == 0 && r.Altered == 0 && r.Acked > 0
}

// saved is when a Mosquitto that is dead saved its state for the last time; began
// when it never did. It acknowledges nothing while it saves, so that it forgot just
// what it acknowledged later. That may be more than autosave_interval says: a save
// takes its time, and one that the kill cut short does not count.
func (v *victim) saved(began time.Time) (time.Time, error) {
	info, err := os.Stat(v.state)
	if errors.Is(err, fs.ErrNotExist) {
		return began, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// gap is a time in which Mosquitto acknowledges what it may forget.
type gap struct{ from, to time.Time }

// Run does one drill.
func Run(ctx context.Context, cfg Config) (_ Report, err error) {
	cfg.Pause = cmp.Or(cfg.Pause, 600*time.Millisecond)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	h, err := start(ctx, cfg)
	if err != nil {
		return Report{}, err
	}
	load := fleet.Config{Addr: h.addr, Tenant: rig.Tenant, Gateways: h.keys, Tags: perGate, Messages: 1 << 18, Window: window,
		First: time.Now().Add(-7 * 24 * time.Hour).Truncate(time.Second), Step: time.Second, Rate: cfg.Rate}
	if cfg.ClockSteps {
		load.Steps = 20
	}
	f := fleet.New(load)
	var sent fleet.Result
	done := make(chan error, 1)
	go func() {
		var err error
		sent, err = f.Run(ctx)
		done <- err
	}()
	b := &blows{cfg: cfg, house: h, fleet: f, rand: rand.New(rand.NewPCG(cfg.Seed, 1)), kills: map[string]int{}} //nolint:gosec // chosen by chance, not to be secret
	if err := b.run(ctx); err != nil {
		return Report{}, err
	}
	f.Finish()
	select {
	case err = <-done:
	case <-time.After(3 * time.Minute):
		cancel()
		err = fmt.Errorf("drill: the gateways wait for their last acknowledgements: %w", <-done)
	}
	if err != nil {
		return Report{}, err
	}
	out := Report{Setup: cfg.Setup, Seed: cfg.Seed, Kills: b.kills, Fills: b.fills, Refused: b.refused, Acked: sent.Acked, Again: sent.Again, Dropped: sent.Dropped}
	if b.unsaved > 0 {
		out.Unsaved = b.unsaved.Round(10 * time.Millisecond).String()
	}
	if err := h.audit(ctx, load, f, b.gaps, &out); err != nil {
		return Report{}, err
	}
	out.Took = time.Since(began).Round(time.Second).String()
	return out, nil
}

// blows kills processes and fills the disk.
type blows struct {
	cfg   Config
	house *house
	fleet *fleet.Fleet
	rand  *rand.Rand

	kills   map[string]int
	fills   int
	gaps    []gap         // of Mosquitto; guarded by mu
	unsaved time.Duration // the longest time before a kill that Mosquitto had not saved
	last    int64         // acknowledged at the blow before
	disk    sync.RWMutex  // held while the disk is full: nobody starts then
	back    sync.WaitGroup
	mu      sync.Mutex
	failed  error
	refused int // starts that failed and were tried again
}

func (b *blows) run(ctx context.Context) error {
	defer b.back.Wait()
	targets := slices.DeleteFunc(slices.Clone(b.house.victims), func(v *victim) bool { return slices.Contains(b.cfg.Spare, v.Name) })
	for i := range b.cfg.Kills {
		// Some blows fall while the one before still hurts.
		if b.rand.IntN(3) > 0 {
			if err := b.progress(ctx); err != nil {
				return fmt.Errorf("blow %d: %w", i+1, err)
			}
		}
		pause(ctx, time.Duration(b.rand.Float64()*2*float64(b.cfg.Pause)))
		down := time.Duration(b.rand.Float64() * float64(b.cfg.Pause))
		v := targets[b.rand.IntN(len(targets))]
		if b.cfg.Full != "" && i%5 == 4 {
			if err := b.fill(ctx, down+b.cfg.Pause); err != nil {
				return err
			}
			b.say("%3d  the disk was full", i+1)
			continue
		}
		v.up.Lock() // until it is back from the blow before
		if err := b.error(); err != nil {
			v.up.Unlock()
			return err
		}
		var log int64
		if v.mosquitto {
			log = size(v.Log)
		}
		killed := time.Now()
		v.Kill()
		var from time.Time
		if v.mosquitto {
			var err error
			if from, err = v.saved(b.fleet.Result().Began); err != nil {
				v.up.Unlock()
				return err
			}
			b.unsaved = max(b.unsaved, killed.Sub(from))
		}
		b.kills[v.Name]++
		b.say("%3d  %-10s killed, %d acknowledged", i+1, v.Name, b.fleet.Result().Acked)
		b.back.Go(func() {
			defer v.up.Unlock()
			pause(ctx, down)
			if err := b.restart(ctx, v); err != nil {
				b.mu.Lock()
				b.failed = cmp.Or(b.failed, err)
				b.mu.Unlock()
			}
			if v.mosquitto {
				subscribed(ctx, v.Log, log)
				b.mu.Lock()
				b.gaps = append(b.gaps, gap{from, time.Now()})
				b.mu.Unlock()
			}
		})
	}
	b.back.Wait()
	if err := b.error(); err != nil || b.fills == 0 {
		return err
	}
	return b.heal(ctx)
}

// heal starts InfluxDB again after the disk was full: 1.8 then refuses every write to
// the shard that met it, until it is started again. Furrow keeps the readings in its
// spool meanwhile.
func (b *blows) heal(ctx context.Context) error {
	for _, v := range b.house.victims {
		if v.database {
			v.Kill()
			if err := b.restart(ctx, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// subscribed waits until Mosquitto's log tells of a subscription behind from.
func subscribed(ctx context.Context, log string, from int64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if b, err := os.ReadFile(log); err == nil && from <= int64(len(b)) && bytes.Contains(b[from:], []byte("telemetry")) {
			return
		}
		<-tick.C
	}
}

// restart starts a process as a service manager does: again and again for a while,
// and not while the disk is full.
func (b *blows) restart(ctx context.Context, v *victim) error {
	b.disk.RLock()
	defer b.disk.RUnlock()
	limit := time.Now().Add(2 * time.Minute)
	for {
		err := v.Start(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(limit) {
			return err
		}
		b.mu.Lock()
		b.refused++
		b.mu.Unlock()
		pause(ctx, 500*time.Millisecond)
	}
}

func (b *blows) error() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *blows) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.cfg.Say, format+"\n", args...)
}

// progress waits until something was acknowledged since the last blow.
func (b *blows) progress(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(90 * time.Second)
	for {
		if n := b.fleet.Result().Acked; n > b.last {
			b.last = n
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("drill: nothing was acknowledged for 90 s")
		case <-tick.C:
			if err := b.error(); err != nil {
				return err
			}
		}
	}
}

// fill takes all room of the small file system for a while.
func (b *blows) fill(ctx context.Context, hold time.Duration) error {
	b.disk.Lock()
	defer b.disk.Unlock()
	path := filepath.Join(b.cfg.Full, "filler")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for size := len(block); size > 0; {
		if _, err := f.Write(block[:size]); err != nil {
			size /= 2 // to the last byte
		}
	}
	b.fills++
	pause(ctx, hold)
	if err := f.Close(); err != nil {
		return err
	}
	return os.Remove(path)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// same says whether a stored reading has the values that were published.
func same(a, b iot.Reading) bool {
	eq := func(x, y *float64) bool { return x != nil && y != nil && *x == *y }
	return eq(a.Lon, b.Lon) && eq(a.Lat, b.Lat) && eq(a.Temp, b.Temp) && eq(a.Activity, b.Activity)
}
