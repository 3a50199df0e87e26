package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app/apptest"
)

// Some tests kill a whole furrow, so the test binary doubles as one: with this
// variable set it is the command instead of the tests.
const asFurrow = "FURROW_TEST_AS_FURROW"

func TestMain(m *testing.M) {
	if os.Getenv(asFurrow) != "" {
		main() // does not return
	}
	if where := os.Getenv(asBank); where != "" {
		fmt.Fprintln(os.Stderr, runBank(where)) // does not return by itself
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// process is one life of a furrow.
type process struct {
	testing.TB
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
}

// output is what the process wrote.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs a furrow that sees no other FURROW_ variable than env.
func start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{TB: t, cmd: exec.Command(os.Args[0], args...), log: &output{}, done: make(chan struct{})}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FURROW_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(append(p.cmd.Env, asFurrow+"=1"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the code is in ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
	})
	return p
}

func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) } // it may be gone

// code waits for the end and gives the exit code, -1 after a signal.
func (p *process) code() int {
	p.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		p.Fatalf("furrow does not end:\n%s", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

// ready waits until the process answers at url.
func (p *process) ready(url string) {
	p.Helper()
	apptest.Poll(p, 60*time.Second, "answer of "+url, func() bool {
		select {
		case <-p.done:
			p.Fatalf("furrow ended: %d\n%s", p.cmd.ProcessState.ExitCode(), p.log)
		default:
		}
		res, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
}

// freePort is an address that nobody listens on now.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A house stops cleanly on Ctrl-C and by its service manager, and can start again
// on what it left.
func TestServeStops(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freePort(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := start(t, []string{"FURROW_OPERATOR_PASSWORD=" + apptest.Password}, "serve", "--data", dir, "--addr", addr, "--mqtt", "127.0.0.1:0")
		p.ready("http://" + addr)
		apptest.SignIn(t, "http://"+addr, apptest.Operator)
		p.signal(signal)
		if code := p.code(); code != 0 {
			t.Errorf("%v ends it with %d:\n%s", signal, code, p.log)
		}
		if !strings.Contains(p.log.String(), "Furrow serves on http://"+addr) {
			t.Errorf("it does not say where it serves:\n%s", p.log)
		}
	}
}

// What keeps a house from starting is said in one clear line, with exit code 2
// where another command line would help.
func TestServeRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	addr := taken.Addr().String()
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, command string
		args, says    []string
		env           []string
	}{
		{"HTTP port taken", "serve", []string{"--addr", addr}, []string{addr, "taken", "--addr"}, nil},
		{"MQTT port taken", "serve", []string{"--mqtt", addr}, []string{addr, "taken", "--mqtt"}, nil},
		{"data in a file", "serve", []string{"--data", file}, []string{file, "--data"}, nil},
		{"data below a file", "serve", []string{"--data", filepath.Join(file, "sub")}, []string{file, "--data"}, nil},
		{"data where nobody can write", "serve", []string{"--data", "/proc/furrow"}, []string{"/proc/furrow", "--data"}, nil},
		{"demo on a taken HTTP port", "demo", []string{"--addr", addr}, []string{addr, "taken", "--addr"}, nil},
		{"demo on a taken MQTT port", "demo", []string{"--mqtt", addr}, []string{addr, "taken", "--mqtt"}, nil},
		{"demo in a folder of other things", "demo", []string{"--data", filepath.Dir(file)}, []string{filepath.Dir(file), "no demo", "--data"}, nil},
		{"unknown command", "sreve", nil, []string{`no command "sreve`, "furrow serve"}, nil},
		{"unknown flag", "serve", []string{"--adr", addr}, []string{"-adr"}, nil},
		{"a word too much", "serve", []string{"now"}, []string{`"now"`}, nil},
		{"a bad address", "serve", []string{"--addr", "nowhere"}, []string{"nowhere", "--addr"}, nil},
		{"a bad broker address", "serve", []string{"--mqtt", "nowhere"}, []string{"nowhere", "--mqtt"}, nil},
		{"a secret that is not there", "serve", nil, []string{"FURROW_DB_FILE", "/absent"}, []string{"FURROW_DB_FILE=/absent"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := []string{tt.command, "--addr", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data")}
			p := start(t, tt.env, append(args, tt.args...)...) // the last flag counts
			code, said := p.code(), p.log.String()
			if code != 2 {
				t.Errorf("ends with %d:\n%s", code, said)
			}
			for _, s := range tt.says {
				if !strings.Contains(said, s) {
					t.Errorf("says nothing of %q:\n%s", s, said)
				}
			}
		})
	}
	t.Cleanup(func() {
		if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
			t.Errorf("the file is now %q, %v", b, err)
		}
	})
}
