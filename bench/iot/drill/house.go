package drill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/bench/iot/fleet"
	"github.com/furrowcredit/furrow/bench/iot/rig"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/influx"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// house is a set-up that runs.
type house struct {
	addr    string // where the gateways publish
	keys    []iot.Credential
	victims []*victim
	// open gives the store for the audit; the house may have to end for it.
	open func(ctx context.Context) (series.Store, error)
}

// victim is a process that may be killed; up is held while it is down.
type victim struct {
	*rig.Process
	mosquitto, database bool
	state               string // where Mosquitto saves what it holds
	up                  sync.Mutex
}

// MosquittoConf loses least of what Mosquitto can keep and stays quick: it saves once
// a second. To save after every change (autosave_on_changes) writes all that waits
// for each message: with 20,000 waiting it takes some dozens a second.
var MosquittoConf = []string{"persistence true", "autosave_interval 1", "max_inflight_messages 0", "max_queued_messages 1000000"}

// Bucket is the database of the drill in InfluxDB.
const Bucket = "drill"

func start(ctx context.Context, cfg Config) (*house, error) {
	r := cfg.Rig
	data := r.Dir
	if cfg.Full != "" {
		data = cfg.Full
	}
	dir := filepath.Join(data, "house")
	first, err := r.Furrow(ctx, "register", dir)
	if err != nil {
		return nil, err
	}
	h := &house{}
	if h.keys, err = first.Register(ctx, gateways, perGate); err != nil {
		return nil, err
	}
	if err := first.Stop(); err != nil {
		return nil, err
	}
	if cfg.Setup == Embedded {
		f, err := h.furrow(ctx, r, "furrow", dir)
		if err != nil {
			return nil, err
		}
		h.addr = f.MQTT
		h.open = func(ctx context.Context) (series.Store, error) {
			if err := f.Stop(); err != nil {
				return nil, err
			}
			return telemetry.Open(ctx, filepath.Join(dir, "telemetry.db"))
		}
		return h, nil
	}
	db, err := r.Influx(ctx, "influxd", filepath.Join(data, "influxd"))
	if err != nil {
		return nil, err
	}
	if _, err := db.Query(ctx, "", "CREATE DATABASE "+Bucket); err != nil {
		return nil, err
	}
	h.victims = append(h.victims, &victim{Process: db.Process, database: true})
	h.open = func(context.Context) (series.Store, error) {
		return influx.Open(influx.Config{URL: db.URL, Bucket: Bucket}), nil
	}
	flags := []string{"--influx", db.URL, "--influx-bucket", Bucket}
	if cfg.Setup == Influx {
		f, err := h.furrow(ctx, r, "furrow", dir, flags...)
		if err != nil {
			return nil, err
		}
		h.addr = f.MQTT
		return h, nil
	}
	conf := cfg.MosquittoConf
	if conf == nil {
		conf = MosquittoConf
	}
	m, err := r.Mosquitto(ctx, "mosquitto", append([]string{"log_type subscribe"}, conf...)...)
	if err != nil {
		return nil, err
	}
	h.addr = m.Addr
	h.victims = append(h.victims, &victim{Process: m.Process, mosquitto: true, state: m.State})
	flags = append(flags, "--mqtt", "-", "--broker", "tcp://"+m.Addr)
	if cfg.Setup == Mosquitto {
		_, err := h.furrow(ctx, r, "furrow", dir, flags...)
		return h, err
	}
	for _, name := range []string{"ingest-a", "ingest-b"} {
		// Each has its own records, with the same herds; a bank has one PostgreSQL.
		own := filepath.Join(data, name)
		if err := os.CopyFS(own, os.DirFS(dir)); err != nil {
			return nil, err
		}
		more := append([]string{"--broker-id", name, "--broker-share", "drill"}, flags...)
		if _, err := h.furrow(ctx, r, name, own, more...); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *house) furrow(ctx context.Context, r *rig.Rig, name, dir string, flags ...string) (*rig.House, error) {
	f, err := r.Furrow(ctx, name, dir, flags...)
	if err != nil {
		return nil, err
	}
	h.victims = append(h.victims, &victim{Process: f.Process})
	return f, nil
}

// audit compares the store with what was acknowledged. What an external broker still
// holds gets the time to come, as long as more comes.
func (h *house) audit(ctx context.Context, cfg fleet.Config, f *fleet.Fleet, gaps []gap, out *Report) error {
	s, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // it was only read
	if err := arrived(ctx, s, out); err != nil {
		return err
	}
	for g := range cfg.Gateways {
		flights := f.Flights(g)
		for tag := range cfg.Tags {
			if err := h.tag(ctx, s, cfg, g, tag, flights, gaps, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// patience is how long the audit waits for one more reading: longer than the longest
// pause of an ingest that connects again.
const patience = 75 * time.Second

func arrived(ctx context.Context, s series.Store, out *Report) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for last := time.Now(); time.Since(last) < patience; {
		n, err := s.Count(ctx, rig.Tenant, "")
		if err != nil {
			return err
		}
		if n > out.Stored {
			out.Stored, last = n, time.Now()
		}
		if n >= out.Acked {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// tag looks at the readings of one tag.
func (h *house) tag(ctx context.Context, s series.Store, cfg fleet.Config, g, tag int, flights []fleet.Flight, gaps []gap, out *Report) error {
	name := fleet.TagName(g*cfg.Tags + tag)
	got, err := s.Range(ctx, cfg.Tenant, name, cfg.First.Add(-24*time.Hour), cfg.First.Add(30*24*time.Hour), 0)
	if err != nil {
		return err
	}
	count, err := s.Count(ctx, cfg.Tenant, name)
	if err != nil {
		return err
	}
	if count != int64(len(got)) {
		out.fault("%s counts %d readings and has %d", name, count, len(got))
		out.Doubled += max(count-int64(len(got)), 1)
	}
	at := make(map[int64]iot.Reading, len(got))
	for _, r := range got {
		if _, twice := at[r.At.UnixMilli()]; twice {
			out.Doubled++
			out.fault("%s has %v twice", name, r.At)
		}
		at[r.At.UnixMilli()] = r
	}
	for n := tag; n < len(flights); n += cfg.Tags {
		want := cfg.Reading(g, n)
		r, there := at[want.At.UnixMilli()]
		delete(at, want.At.UnixMilli())
		switch {
		case there && !same(r, want):
			out.Altered++
			out.fault("%s at %v was altered", name, want.At)
		case !there && !flights[n].Acked.IsZero():
			out.Lost++
			if in(flights[n], gaps) {
				out.Broker++
				continue
			}
			out.fault("%s at %v was acknowledged at %v and is lost", name, want.At, flights[n].Acked.Format(time.StampMilli))
		}
	}
	for ms := range at {
		out.Doubled++
		out.fault("%s has a reading at %v that nobody sent", name, time.UnixMilli(ms).UTC())
	}
	return nil
}

// in says whether the broker may have taken the message in one of the gaps: some time
// between its sending and its acknowledgement.
func in(f fleet.Flight, gaps []gap) bool {
	return slices.ContainsFunc(gaps, func(g gap) bool { return !f.Acked.Before(g.from) && !f.Sent.After(g.to) })
}

func (r *Report) fault(format string, args ...any) {
	if len(r.First) < 10 {
		r.First = append(r.First, fmt.Sprintf(format, args...))
	}
}
