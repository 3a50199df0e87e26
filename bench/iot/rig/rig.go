package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rig holds the servers of one run below one folder.
type Rig struct {
	Dir string
	Bin string // folder of influxd and telegraf
	// Exe is the furrow to run, with what else stands before the command; Env is
	// added to its environment.
	Exe []string
	Env []string

	all []*Process
}

// Close kills everything that still runs.
func (r *Rig) Close() {
	for _, p := range r.all {
		p.Kill()
	}
}

func (r *Rig) add(ctx context.Context, p *Process) error {
	p.Log = filepath.Join(r.Dir, p.Name+".log")
	r.all = append(r.all, p)
	return p.Start(ctx)
}

// Has says which of the servers that are needed are missing.
func (r *Rig) Has(influx, broker bool) error {
	if influx {
		if _, err := r.built("influxd", "drill"); err != nil {
			return err
		}
	}
	if broker {
		if _, err := mosquitto(); err != nil {
			return err
		}
	}
	return nil
}

func mosquitto() (string, error) {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} { // not everybody looks into sbin
		if exe, err := exec.LookPath(name); err == nil {
			return exe, nil
		}
	}
	return "", errors.New("mosquitto is missing: run scripts/install drill")
}

// built finds a program that scripts/install builds.
func (r *Rig) built(name, by string) (string, error) {
	exe := filepath.Join(r.Bin, name)
	if _, err := os.Stat(exe); err != nil {
		return "", fmt.Errorf("%s is missing: run scripts/install %s: %w", name, by, err)
	}
	return exe, nil
}

// FreeAddr is a loopback address that nobody listens on now.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback port is there at once
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (r *Rig) write(name, text string) (string, error) {
	path := filepath.Join(r.Dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// Broker is a Mosquitto.
type Broker struct {
	*Process
	Addr  string // host:port
	State string // the file in which it saves what it holds
}

// Mosquitto starts one that anybody may use, with more lines of configuration.
func (r *Rig) Mosquitto(ctx context.Context, name string, conf ...string) (*Broker, error) {
	exe, err := mosquitto()
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(addr)
	lines := append([]string{"listener " + port + " " + host, "allow_anonymous true", "persistence_location " + dir + "/"}, conf...)
	if os.Getuid() == 0 {
		lines = append(lines, "user root")
	}
	file, err := r.write(name+".conf", strings.Join(lines, "\n")+"\n")
	if err != nil {
		return nil, err
	}
	b := &Broker{Addr: addr, State: filepath.Join(dir, "mosquitto.db"), Process: &Process{Name: name, argv: []string{exe, "-c", file}, env: os.Environ(), up: func(ctx context.Context) error {
		return dial(ctx, addr)
	}}}
	return b, r.add(ctx, b.Process)
}

func dial(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Database is an InfluxDB 1.8.
type Database struct {
	*Process
	URL string
}

// Influx starts one below dir, as deploy/influxdb says; "" means the rig's own folder.
func (r *Rig) Influx(ctx context.Context, name, dir string) (*Database, error) {
	exe, err := r.built("influxd", "drill")
	if err != nil {
		return nil, err
	}
	if dir == "" {
		dir = filepath.Join(r.Dir, name)
	}
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	rpc, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	file, err := r.write(name+".conf", fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  query-log-enabled = false
[http]
  bind-address = %q
  flux-enabled = true
  log-enabled = false
`, rpc, dir+"/meta", dir+"/data", dir+"/wal", addr))
	if err != nil {
		return nil, err
	}
	d := &Database{URL: "http://" + addr}
	d.Process = &Process{Name: name, argv: []string{exe, "-config", file}, env: append(os.Environ(), "GOGC=400"), up: func(ctx context.Context) error {
		_, err := d.Query(ctx, "", "SHOW DATABASES") // /ping answers before it takes statements
		return err
	}}
	if len(r.Exe) > 0 {
		d.before = func(ctx context.Context) error {
			argv := append(slices.Clone(r.Exe), "influx", "mend", "--wal", dir+"/wal")
			cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
			cmd.Env = append(os.Environ(), r.Env...)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		}
	}
	return d, r.add(ctx, d.Process)
}

// Query runs an InfluxQL statement and gives the JSON of the answer.
func (d *Database) Query(ctx context.Context, db, q string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/query?"+url.Values{"db": {db}, "q": {q}, "epoch": {"ms"}}.Encode(), http.NoBody)
	if err != nil {
		return "", err
	}
	body, err := answer(req)
	if err == nil && strings.Contains(body, `"error"`) {
		err = fmt.Errorf("influxdb: %s: %s", q, body)
	}
	return body, err
}

// Get reads a page of a server.
func Get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	return answer(req)
}

var client = &http.Client{Timeout: time.Minute}

func answer(req *http.Request) (string, error) {
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, res.Status, b)
	}
	return string(b), nil
}

// Telegraf starts one with a configuration; it has no port, so it counts as up at once.
func (r *Rig) Telegraf(ctx context.Context, name, conf string) (*Process, error) {
	exe, err := r.built("telegraf", "bench")
	if err != nil {
		return nil, err
	}
	file, err := r.write(name+".conf", conf)
	if err != nil {
		return nil, err
	}
	p := &Process{Name: name, argv: []string{exe, "--config", file}, env: os.Environ(), up: func(context.Context) error { return nil }}
	return p, r.add(ctx, p)
}

// Child starts any other program; up says when it serves.
func (r *Rig) Child(ctx context.Context, name string, argv, env []string, up func(context.Context) error) (*Process, error) {
	p := &Process{Name: name, argv: argv, env: append(os.Environ(), env...), up: up}
	return p, r.add(ctx, p)
}
