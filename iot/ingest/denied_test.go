package ingest_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// blame collects who was reported, as tenant/device as topic.
type blame struct {
	mu    sync.Mutex
	told  []string
	began bool // of the client that only shows that the log is followed
}

func (b *blame) raise(_ context.Context, e iot.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Subject == "mosquitto:began" {
		b.began = true
	} else if e.Kind == iot.Impostor {
		b.told = append(b.told, e.Tenant+"/"+e.Subject+" as "+e.Evidence["as"])
	}
	return nil
}

func (b *blame) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.told)
}

// follow reports what the log at path refuses from now on.
func follow(t *testing.T, path, tenant string) *blame {
	t.Helper()
	_, herds := herdOf(t, 2)
	b := &blame{}
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Raise: b.raise, Now: time.Now})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ingest.FollowDenials(ctx, ingest.DenialsConfig{Path: path, Tenant: tenant, Log: slog.New(slog.DiscardHandler)}, p)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.Drain()
	})
	return b
}

// TestMosquittoTellsOfImpostors has a device publish as another through Mosquitto with
// the configuration of deploy/mosquitto and its log: it is reported under its name.
func TestMosquittoTellsOfImpostors(t *testing.T) {
	t.Parallel()
	tenant, _ := herdOf(t, 2)
	log := filepath.Join(t.TempDir(), "mosquitto.log")
	m, _ := secured(t, tenant, "log_dest file "+log+"\nlog_type notice\nlog_type debug\n")
	b := follow(t, log, "house")
	c, err := join(t, m.url(0), tenant+"/t0", "pw-"+tenant+"/t0", nil)
	if err != nil {
		t.Fatal(err)
	}
	payload := codec.Append(nil, iot.Reading{At: time.Now()})
	for _, topic := range []string{codec.TopicOf(tenant, "t0"), codec.TopicOf(tenant, "t1")} {
		if tok := c.Publish(topic, 1, false, payload); tok.Wait() && tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	eventually(t, "the alert", func() bool { return len(b.list()) > 0 })
	if want := []string{tenant + "/t0 as " + codec.TopicOf(tenant, "t1")}; !slices.Equal(b.list(), want) {
		t.Errorf("told %q, want %q", b.list(), want)
	}
}

// TestDenialsOfALog reads logs as Mosquitto writes them, and as somebody would like it
// to have written them.
func TestDenialsOfALog(t *testing.T) {
	t.Parallel()
	const topic = "furrow/v1/t/b/telemetry"
	in := func(id, user string) string {
		return "1795386331: New client connected from 127.0.0.1:49752 as " + id + " (p2, c1, k60, u'" + user + "').\n"
	}
	no := refusal
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"who signed in before is known":    {in("c", "t/a"), no("c", topic), []string{"t/a as " + topic}},
		"old refusals are not told again":  {in("c", "t/a") + no("c", "furrow/v1/t/old/telemetry"), no("c", topic), []string{"t/a as " + topic}},
		"the newest user of a client":      {in("c", "t/z") + in("c", "t/a"), no("c", topic), []string{"t/a as " + topic}},
		"a client id with spaces":          {in(`dev "x (y`, "t/a"), no(`dev "x (y`, topic), []string{"t/a as " + topic}},
		"a client id that quotes a victim": {in("v", "t/v") + in("v (d0, q1, r0, m1, 'x", "t/a"), no("v (d0, q1, r0, m1, 'x", topic), []string{"t/a as " + topic}},
		"who is not known":                 {"", no("c", topic), []string{"house/mosquitto:c as " + topic}},
		"a line that was cut":              {"", "1: Denied PUBLISH from ccc\n", []string{"house/mosquitto:? as ccc"}},
		"its own topic, and nobody's":      {in("c", "t/a"), no("c", "furrow/v1/t/a/count") + no("c", "some/where") + no("c", topic), []string{"t/a as " + topic}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			add(t, path, c.before)
			b := follow(t, path, "house")
			begin(t, path, b)
			add(t, path, c.after)
			eventually(t, "what is told", func() bool { return len(b.list()) >= len(c.want) })
			if !slices.Equal(b.list(), c.want) {
				t.Errorf("told %q, want %q", b.list(), c.want)
			}
		})
	}
	t.Run("a log that is rotated and emptied", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "log")
		add(t, path, in("c", "t/a"))
		b := follow(t, path, "house")
		begin(t, path, b)
		first := no("c", topic)
		add(t, path, first[:40])
		add(t, path, first[40:])
		eventually(t, "the first", func() bool { return len(b.list()) == 1 })
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		add(t, path, no("c", topic))
		eventually(t, "the next file", func() bool { return len(b.list()) == 2 })
		if err := os.WriteFile(path, []byte(no("c", "furrow/v1/t/z/count")), 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the same file, written anew", func() bool { return len(b.list()) == 3 })
		if got := b.list()[2]; got != "t/a as furrow/v1/t/z/count" {
			t.Errorf("told %q", got)
		}
	})
}

// refusal is the line of a refused publish.
func refusal(id, topic string) string {
	return "1795386331: Denied PUBLISH from " + id + " (d0, q1, r0, m1, '" + topic + "', ... (2 bytes))\n"
}

// add appends to a log.
func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// begin waits until the log is followed: a refusal that is told shows it.
func begin(t *testing.T, path string, b *blame) {
	t.Helper()
	eventually(t, "the beginning", func() bool {
		add(t, path, refusal("began", "furrow/v1/t/began/telemetry"))
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.began
	})
}
