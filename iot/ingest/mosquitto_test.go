package ingest_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// private is a Mosquitto of one test, which it may kill.
type private struct {
	t     *testing.T
	conf  string
	ports []int
	cmd   *exec.Cmd
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it is TCP
}

// ownMosquitto starts a Mosquitto with a configuration in which every @port stands
// for a free one.
func ownMosquitto(t *testing.T, dir, conf string) *private {
	t.Helper()
	mosquitto(t) // where there are no services there is no Mosquitto
	m := &private{t: t, conf: filepath.Join(dir, "mosquitto.conf")}
	for strings.Contains(conf, "@port") {
		port := freePort(t)
		m.ports = append(m.ports, port)
		conf = strings.Replace(conf, "@port", fmt.Sprint(port), 1)
	}
	if os.Geteuid() == 0 {
		conf += "\nuser root\n" // it would give up root, and with it the test's folder
	}
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *private) start() {
	m.t.Helper()
	exe, err := exec.LookPath("mosquitto")
	if err != nil {
		exe = "/usr/sbin/mosquitto"
	}
	m.cmd = exec.CommandContext(context.Background(), exe, "-c", m.conf) //nolint:gosec // a test's own server
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	for _, port := range m.ports {
		eventually(m.t, "Mosquitto listens", func() bool {
			c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	}
}

func (m *private) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

func (m *private) url(i int) string { return fmt.Sprint("tcp://127.0.0.1:", m.ports[i]) }

// TestBrokerKilled kills the broker under load, twice: the reader comes back by
// itself, and what it had not acknowledged comes again.
func TestBrokerKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := ownMosquitto(t, dir, "listener @port 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location "+dir+
		"/\nautosave_on_changes true\nautosave_interval 1\nmax_inflight_messages 0\nmax_queued_messages 0\n")
	tenant, herds := herdOf(t, 1)
	store := &seriestest.Memory{}
	var hold atomic.Bool
	gate := make(chan struct{})
	store.Fail = func() error {
		if hold.Load() {
			<-gate
		}
		return nil
	}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now})
	r := subscribe(t, ingest.SubscribeConfig{URL: m.url(0), ClientID: "house"}, p)
	at := time.Now().Add(-time.Hour)
	n := 0
	publish := func(count int) {
		t.Helper()
		pub := publisher(t, m.url(0))
		defer pub.Disconnect(10)
		for range count {
			n++
			payload := codec.Append(nil, iot.Reading{At: at.Add(time.Duration(n) * time.Second)})
			if tok := pub.Publish(codec.TopicOf(tenant, "t0"), 1, false, payload); tok.Wait() && tok.Error() != nil {
				t.Fatal(tok.Error())
			}
		}
	}
	saved := func() int64 { c, _ := store.Count(t.Context(), tenant, ""); return c }
	publish(20)
	eventually(t, "the first messages", func() bool { return saved() == 20 })
	hold.Store(true)
	publish(30) // delivered, not saved, not acknowledged by the house
	m.kill()
	m.start()
	hold.Store(false)
	close(gate)
	publish(20)
	eventually(t, "everything after the kill", func() bool { return saved() == 70 })
	m.kill()
	m.start()
	publish(10)
	eventually(t, "everything after the second kill", func() bool { return saved() == 80 })
	r.end(t)
	p.Drain()
}

// secured starts Mosquitto with the configuration of deploy/mosquitto, moved to
// folders and ports of the test, with two tags, a gateway and the house; more stands
// above its listeners.
func secured(t *testing.T, tenant string, more ...string) (*private, *iottest.Authority) {
	t.Helper()
	dir := t.TempDir()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "mosquitto", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	conf := strings.NewReplacer("/etc/mosquitto", dir, "/var/lib/mosquitto", dir,
		"listener 1883 127.0.0.1", "listener @port 127.0.0.1", "listener 8883", "listener @port 127.0.0.1", "listener 8884", "listener @port 127.0.0.1").Replace(strings.Join(more, "") + read("mosquitto.conf"))
	ca := newAuthority(t)
	server := issue(t, ca, "127.0.0.1")
	files := map[string][]byte{"acl": []byte(read("acl")), "passwd": nil}
	files["ca.crt"] = ca.PEM()
	var err error
	if files["server.crt"], files["server.key"], err = iottest.PEM(server); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mosquitto(t)
	for _, user := range []string{tenant + "/t0", tenant + "/t1", "furrow", "chirpstack"} {
		if out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", "-b", filepath.Join(dir, "passwd"), user, "pw-"+user).CombinedOutput(); err != nil { //nolint:gosec // a test's own file
			t.Fatalf("%v: %s", err, out)
		}
	}
	return ownMosquitto(t, dir, conf), ca
}

func join(t *testing.T, url, user, password string, secure *tls.Config) (mqtt.Client, error) {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("c-" + user + fmt.Sprint(time.Now().UnixNano())).SetUsername(user).SetPassword(password).
		SetTLSConfig(secure).SetConnectTimeout(5 * time.Second).SetAutoReconnect(false).SetProtocolVersion(4))
	tok := c.Connect()
	tok.Wait()
	t.Cleanup(func() { c.Disconnect(10) })
	return c, tok.Error()
}

// TestMosquittoRights has a reader that may see everything: what a device publishes
// for another never arrives, by password or by certificate.
func TestMosquittoRights(t *testing.T) {
	t.Parallel()
	tenant, herds := herdOf(t, 2)
	m, ca := secured(t, tenant)
	secureURL := fmt.Sprint("ssl://127.0.0.1:", m.ports[1])
	secure := func(name string) *tls.Config {
		c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool}
		if name != "" {
			c.Certificates = []tls.Certificate{issue(t, ca, name)}
		}
		return c
	}
	store := &seriestest.Memory{}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now})
	// The house itself comes with a certificate.
	r := subscribe(t, ingest.SubscribeConfig{URL: secureURL, ClientID: "house", TLS: secure("furrow")}, p)
	defer func() { r.end(t); p.Drain() }()
	reader, err := join(t, m.url(0), "furrow", "pw-furrow", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 100)
	if tok := reader.Subscribe("furrow/v1/+/+/telemetry", 1, func(_ mqtt.Client, m mqtt.Message) { seen <- m.Topic() }); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t0, err := join(t, m.url(0), tenant+"/t0", "pw-"+tenant+"/t0", nil)
	if err != nil {
		t.Fatal(err)
	}
	certified, err := join(t, secureURL, "", "", secure(tenant+"/t0"))
	if err != nil {
		t.Fatal(err)
	}
	private, err := join(t, fmt.Sprint("ssl://127.0.0.1:", m.ports[2]), tenant+"/t0", "pw-"+tenant+"/t0", secure(""))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	for i, c := range []mqtt.Client{t0, certified, private} {
		for j, topic := range []string{codec.TopicOf(tenant, "t1"), codec.TopicOf("other", "t0"), codec.TopicOf(tenant, "t0")} {
			payload := codec.Append(nil, iot.Reading{At: at.Add(time.Duration(3*i+j) * time.Second)})
			if tok := c.Publish(topic, 1, false, payload); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
				t.Error("MQTT 3.1.1 acknowledges also what it drops:", tok.Error())
			}
		}
		if topic := <-seen; topic != codec.TopicOf(tenant, "t0") {
			t.Errorf("the reader saw %s", topic)
		}
	}
	eventually(t, "the device's own readings", func() bool { n, _ := store.Count(t.Context(), tenant, "t0"); return n == 3 })
	if n, _ := store.Count(t.Context(), tenant, "t1"); n != 0 || len(seen) != 0 {
		t.Errorf("%d readings in another's name, %d more seen", n, len(seen))
	}
	for name, try := range map[string]func() (mqtt.Client, error){
		"no password":        func() (mqtt.Client, error) { return join(t, m.url(0), "", "", nil) },
		"another's password": func() (mqtt.Client, error) { return join(t, m.url(0), tenant+"/t0", "pw-"+tenant+"/t1", nil) },
		"no certificate":     func() (mqtt.Client, error) { return join(t, secureURL, tenant+"/t0", "pw-"+tenant+"/t0", secure("")) },
		"another authority's certificate": func() (mqtt.Client, error) {
			c := secure("")
			c.Certificates = []tls.Certificate{issue(t, newAuthority(t), tenant+"/t0")}
			return join(t, secureURL, "", "", c)
		},
	} {
		if _, err := try(); err == nil {
			t.Errorf("signed in with %s", name)
		}
	}
	spy, err := join(t, m.url(0), tenant+"/t1", "pw-"+tenant+"/t1", nil)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	spy.Subscribe("#", 1, func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() }).Wait()
	spy.Subscribe(codec.TopicOf(tenant, "t0"), 1, func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() }).Wait()
	if tok := t0.Publish(codec.TopicOf(tenant, "t0"), 1, false, codec.Append(nil, iot.Reading{At: at.Add(time.Minute)})); tok.Wait() && tok.Error() != nil {
		t.Error(tok.Error())
	}
	<-seen
	if tok := reader.Publish("furrow/v1/"+tenant+"/t1/command", 1, false, "hello"); tok.Wait() && tok.Error() != nil {
		t.Error(tok.Error())
	}
	if topic := <-heard; topic != "furrow/v1/"+tenant+"/t1/command" || len(heard) != 0 {
		t.Errorf("a device heard %s", topic)
	}
	forbiddenInMQTT5(t, m.ports[0], tenant)
}

// forbiddenInMQTT5 wants reason code 0x87 for another's topic.
func forbiddenInMQTT5(t *testing.T, port int, tenant string) {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) } //nolint:gosec // short
	send := func(first byte, parts ...[]byte) {
		var body []byte
		for _, p := range parts {
			body = append(body, p...)
		}
		if _, err := c.Write(append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)); err != nil {
			t.Fatal(err)
		}
	}
	receive := func() []byte {
		h := make([]byte, 2)
		if _, err := io.ReadFull(c, h); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, h[1])
		if _, err := io.ReadFull(c, body); err != nil {
			t.Fatal(err)
		}
		return append(h[:1], body...)
	}
	user := tenant + "/t0"
	send(0x10, text("MQTT"), []byte{5, 0xc2, 0, 60, 0}, text("five"), text(user), text("pw-"+user))
	if got := receive(); got[0] != 0x20 || got[2] != 0 {
		t.Fatalf("connack %x", got)
	}
	send(0x32, text(codec.TopicOf(tenant, "t1")), []byte{0, 9, 0}, []byte("{}"))
	if got := receive(); got[0] != 0x40 || len(got) < 4 || got[3] != 0x87 {
		t.Errorf("answered %x, want reason code 87", got)
	}
}

// TestFormatsOverMosquitto reads a network server's topic, which names no tenant.
func TestFormatsOverMosquitto(t *testing.T) {
	t.Parallel()
	cfg := ingest.SubscribeConfig{Share: "g", Formats: []codec.Format{codec.JSON, codec.ChirpStack, codec.Sparkplug}}
	filters := strings.Join(cfg.Filters(), " ")
	if !strings.Contains(filters, "$share/g/furrow/v1/+/+/telemetry") || !strings.Contains(filters, "$share/g/application/") || strings.Contains(filters, "$share/g/spBv1.0") || !strings.Contains(filters, "spBv1.0/") {
		t.Errorf("filters %s", filters)
	}
	tenant, herds := herdOf(t, 0)
	eui := "0102030405060708"
	if err := herds.AddHerd(t.Context(), iot.Herd{ID: "h2", Tenant: tenant}, nil, []iot.Device{{ID: eui, Tenant: tenant, Kind: iot.TagDevice, HerdID: "h2"}}); err != nil {
		t.Fatal(err)
	}
	m, _ := secured(t, tenant)
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Now: time.Now})
	line := &ingest.Line{}
	if err := line.Publish("spBv1.0/g/NCMD/e", nil); err == nil {
		t.Error("a command was sent without a connection")
	}
	r := subscribe(t, ingest.SubscribeConfig{URL: m.url(0), ClientID: "house", Username: "furrow", Password: "pw-furrow", Line: line, Tenant: tenant,
		Formats: []codec.Format{codec.JSON, codec.ChirpStack, codec.Sparkplug}}, p)
	defer func() { r.end(t); p.Drain() }()
	server, err := join(t, m.url(0), "chirpstack", "pw-chirpstack", nil)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(topic, payload string) {
		t.Helper()
		if tok := server.Publish(topic, 1, false, payload); tok.Wait() && tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	publish("application/1/device/"+eui+"/event/up", "no JSON")
	publish("application/1/device/ffffffffffffffff/event/up", "{}")
	eventually(t, "both in quarantine", func() bool {
		q, _ := herds.Quarantined(t.Context(), tenant, 0)
		return len(q) == 2 && q[1].Device == eui && q[0].Code == "reading.unknown_device"
	})
	// A command passes through the same connection.
	got := make(chan string, 1)
	reader, err := join(t, m.url(0), "furrow", "pw-furrow", nil)
	if err != nil {
		t.Fatal(err)
	}
	if tok := reader.Subscribe("spBv1.0/#", 0, func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() + " " + string(m.Payload()) }); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	if err := line.Publish("spBv1.0/g/NCMD/e", []byte("rebirth")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "spBv1.0/g/NCMD/e rebirth" {
		t.Errorf("sent %q", s)
	}
}

func TestBadBrokerAddress(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://host", "::", "ws://host:1"} {
		err := ingest.Subscribe(t.Context(), ingest.SubscribeConfig{URL: url, ClientID: "x"}, ingest.New(ingest.Config{Now: time.Now}))
		if err == nil || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func newAuthority(t *testing.T) *iottest.Authority {
	t.Helper()
	a, err := iottest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *iottest.Authority, name string) tls.Certificate {
	t.Helper()
	c, err := a.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
