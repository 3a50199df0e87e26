package mosquitto_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/app/mosquitto"
)

const packet = 525_312

// safe is the configuration that docs/formats/mosquitto.md gives, on this machine only.
func safe(acl string) string {
	return `# comment
listener 1883 127.0.0.1
allow_anonymous false
password_file /etc/mosquitto/passwd
acl_file ` + acl + `
persistence true
autosave_on_changes true
autosave_interval 1
max_inflight_messages 0
max_queued_messages 1000000
max_packet_size 525312
`
}

const goodACL = "pattern write furrow/v1/%u/telemetry\nuser furrow\ntopic read furrow/v1/#\n"

func codes(found []mosquitto.Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, to string // a change of the safe configuration
		acl, version   string
		want           []string
	}{
		{name: "safe"},
		{name: "no persistence", from: "persistence true\n", want: []string{"persistence"}},
		{name: "persistence off", from: "persistence true", to: "persistence false", want: []string{"persistence"}},
		{name: "saved every second", from: "autosave_on_changes true\n"},
		{name: "saved by the half hour", from: "autosave_on_changes true\nautosave_interval 1\n", want: []string{"autosave"}},
		{name: "saved by the minute", from: "autosave_on_changes true\nautosave_interval 1", to: "autosave_interval 60", want: []string{"autosave"}},
		{name: "saved at the end only", from: "autosave_interval 1", to: "autosave_interval 0", want: []string{"autosave"}},
		{name: "saved after many changes", from: "autosave_interval 1", to: "autosave_interval 1000", want: []string{"autosave"}},
		{name: "few in flight by default", from: "max_inflight_messages 0\n", want: []string{"inflight"}},
		{name: "few in flight", from: "max_inflight_messages 0", to: "max_inflight_messages 100", want: []string{"inflight"}},
		{name: "a short queue by default", from: "max_queued_messages 1000000\n", want: []string{"queued"}},
		{name: "an endless queue", from: "max_queued_messages 1000000", to: "max_queued_messages 0", want: []string{"queued"}},
		{name: "an endless queue of the version that drops it", from: "max_queued_messages 1000000", to: "max_queued_messages 0",
			version: "mosquitto version 2.0.16", want: []string{"version"}},
		{name: "a queue that is no number", from: "max_queued_messages 1000000", to: "max_queued_messages many", want: []string{"number"}},
		{name: "few bytes", from: "persistence true", to: "persistence true\nmax_queued_bytes 1000000", want: []string{"queued_bytes"}},
		{name: "small packets", from: "max_packet_size 525312", to: "max_packet_size 65536", want: []string{"packet"}},
		{name: "short sessions", from: "persistence true", to: "persistence true\npersistent_client_expiration 12h", want: []string{"expiry"}},
		{name: "long sessions", from: "persistence true", to: "persistence true\npersistent_client_expiration 2m"},
		{name: "anybody", from: "allow_anonymous false", to: "allow_anonymous true", want: []string{"anonymous"}},
		{name: "no passwords", from: "password_file /etc/mosquitto/passwd\n", want: []string{"passwords"}},
		{name: "no ACL", from: "acl_file ACL\n", want: []string{"acl"}},
		{name: "an ACL by client id", acl: "pattern write furrow/v1/bank/%c/telemetry\n", want: []string{"acl_client"}},
		{name: "an ACL for everybody", acl: "topic write furrow/v1/#\n", want: []string{"acl_wide"}},
		{name: "an ACL for everything", acl: "topic #\n", want: []string{"acl_wide"}},
		{name: "an ACL for the ingest", acl: goodACL + "topic readwrite furrow/v1/#\n"},
		{name: "in the clear", from: "1883 127.0.0.1", to: "1883", want: []string{"tls"}},
		{name: "encrypted", from: "1883 127.0.0.1", to: "8883\ncertfile a\nkeyfile b"},
		{name: "certificates of nobody", from: "1883 127.0.0.1", to: "8883\ncertfile a\nkeyfile b\nrequire_certificate true", want: []string{"identity"}},
		{name: "certificates", from: "password_file /etc/mosquitto/passwd", to: "certfile a\nrequire_certificate true\nuse_identity_as_username true"},
		{name: "the second listener in the clear", from: "persistence true", to: "persistence true\nlistener 1884 0.0.0.0", want: []string{"tls"}},
		{name: "settings of one listener", from: "listener 1883 127.0.0.1", to: "per_listener_settings true\nlistener 1883 127.0.0.1"},
		{name: "settings above the listener", from: "listener 1883 127.0.0.1\nallow_anonymous false", to: "per_listener_settings true\nallow_anonymous false\nlistener 1883 127.0.0.1",
			want: []string{"per_listener"}},
		{name: "a second listener without settings", from: "persistence true", to: "per_listener_settings true\npersistence true\nlistener 1884 127.0.0.1",
			want: []string{"acl", "passwords"}},
		{name: "the version that drops", version: "2.0.16", want: []string{"version"}},
		{name: "an old version", version: "mosquitto version 1.6.9", want: []string{"version"}},
		{name: "a good version", version: "mosquitto version 2.0.11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			acl := filepath.Join(t.TempDir(), "acl")
			if err := os.WriteFile(acl, []byte(max(tt.acl, map[bool]string{true: goodACL}[tt.acl == ""])), 0o600); err != nil {
				t.Fatal(err)
			}
			text := safe("ACL")
			if tt.from != "" {
				if !strings.Contains(text, tt.from) {
					t.Fatalf("the safe configuration has no %q", tt.from)
				}
				text = strings.Replace(text, tt.from, tt.to, 1)
			}
			c, err := mosquitto.Parse(strings.NewReader(strings.Replace(text, "ACL", acl, 1)), "mosquitto.conf")
			if err != nil {
				t.Fatal(err)
			}
			found := c.Judge(tt.version, packet)
			if d := cmp.Diff(tt.want, codes(found)); d != "" {
				t.Errorf("findings (-want +got):\n%s%+v", d, found)
			}
			for _, f := range found {
				if f.What == "" || f.Advice == "" {
					t.Errorf("%s says nothing of use: %+v", f.Code, f)
				}
			}
		})
	}
}

// Debian's own file and nothing else: safe from nothing.
func TestReadDebian(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf, more := filepath.Join(dir, "mosquitto.conf"), filepath.Join(dir, "conf.d")
	if err := os.Mkdir(more, 0o700); err != nil {
		t.Fatal(err)
	}
	debian := "pid_file /run/mosquitto/mosquitto.pid\npersistence true\npersistence_location /var/lib/mosquitto/\nlog_dest file /var/log/mosquitto/mosquitto.log\ninclude_dir " + more + "\n"
	if err := os.WriteFile(conf, []byte(debian), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := mosquitto.Read(conf)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acl", "anonymous", "autosave", "inflight", "queued"}, codes(c.Judge("2.0.11", packet))); d != "" {
		t.Error(d)
	}
	if l := c.Listeners(); len(l) != 1 || !l[0].Local() || l[0].Port != 1883 {
		t.Errorf("listeners %+v", l)
	}
	if err := os.WriteFile(filepath.Join(more, "local.conf"), []byte("listener 8883\nallow_anonymous true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = mosquitto.Read(conf); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Judge("", packet) {
		if f.Code == "tls" && !strings.Contains(f.What, filepath.Join(more, "local.conf")+":1") {
			t.Errorf("it does not name the place: %+v", f)
		}
	}
	if l := c.Listeners(); len(l) != 1 || l[0].Local() || l[0].Port != 8883 {
		t.Errorf("listeners %+v", l)
	}
}

// What the house gives people to copy is safe.
func TestJudgeDeployed(t *testing.T) {
	t.Parallel()
	c, err := mosquitto.Read(filepath.Join("..", "..", "deploy", "mosquitto", "mosquitto.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Judge("mosquitto version 2.0.11", packet) {
		if f.Code != "acl_file" { // the ACL is where people will have copied it to
			t.Errorf("%s: %s", f.Code, f.What)
		}
	}
}

// A folder that includes itself ends.
func TestReadLoop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf := filepath.Join(dir, "a.conf")
	if err := os.WriteFile(conf, []byte("include_dir "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mosquitto.Read(conf); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(safe("/tmp/acl"), "2.0.16")
	f.Add("listener 0 /run/m.sock\nport x\nper_listener_settings true", "mosquitto version 1")
	f.Add("persistent_client_expiration 99999999999999y\nmax_queued_bytes -1", "a.b.c.d")
	f.Fuzz(func(t *testing.T, text, version string) {
		c, err := mosquitto.Parse(strings.NewReader(strings.ReplaceAll(text, "acl_file", "acl")), "f")
		if err != nil {
			return
		}
		if len(c.Listeners()) == 0 {
			t.Error("no listener")
		}
		for _, finding := range c.Judge(version, packet) {
			if finding.What == "" || finding.Advice == "" {
				t.Errorf("%+v", finding)
			}
		}
	})
}
