package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
)

// The doctor names what is unsafe about an external broker and what to write instead.
func TestDoctorMosquitto(t *testing.T) {
	t.Parallel()
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, []byte("listener 1883\nallow_anonymous true\nmax_queued_messages 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := broker(t, app.Config{MosquittoConf: conf}, "Mosquitto")
	for _, want := range []string{"persistence true", "max_inflight_messages 0", "max_queued_messages 1000000", "allow_anonymous false", "acl_file", "certfile"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if said := broker(t, app.Config{MosquittoConf: conf + ".absent"}, "Mosquitto"); !strings.Contains(said, "--mosquitto-conf") {
		t.Errorf("it does not say which file to give:\n%s", said)
	}
	if said := broker(t, app.Config{}, "Mosquitto") + broker(t, app.Config{}, "impostors"); said != "" {
		t.Errorf("without an external broker it says:\n%s", said)
	}
}

// From outside it learns the version, and that a broker lets anybody in.
func TestDoctorKnocks(t *testing.T) {
	t.Parallel()
	said := broker(t, app.Config{Broker: app.Broker{URL: apptest.Mosquitto(t)}}, "Mosquitto")
	if !strings.Contains(said, "lets anybody in") {
		t.Errorf("it does not notice that anybody may come in:\n%s", said)
	}
}

// It says whether anybody is told of a publish that the broker refuses.
func TestDoctorTellsOfDenials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf, log := filepath.Join(dir, "mosquitto.conf"), filepath.Join(dir, "log")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	see := func(want, file string) {
		t.Helper()
		if said := broker(t, app.Config{MosquittoConf: conf, Broker: app.Broker{DebugLog: file}}, "impostors"); !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	write(conf, "listener 1883\n")
	see("no alert tells of the attempt", "")
	see("no such file", log)
	write(log, "")
	see("writes no notices and debug messages", log)
	write(conf, "listener 1883\nlog_dest file "+log+"\nlog_type notice\nlog_type debug\n")
	see("an alert tells of", log)
	write(conf, "listener 1883\nlog_dest file "+log+"\nlog_type all\nconnection_messages false\n")
	see("writes no notices", log)
}

func broker(t *testing.T, cfg app.Config, name string) (said string) {
	t.Helper()
	cfg.Data = t.TempDir()
	for _, f := range app.Doctor(t.Context(), cfg) {
		if f.Name == name {
			said += f.Detail + " -> " + f.Advice + "\n"
		}
	}
	return said
}
