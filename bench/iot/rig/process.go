// Package rig runs the real servers of a bench or a drill: brokers, databases and
// furrow itself, each a process of its own on a loopback port of its own, to be
// killed and started again, and reads what they used.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Usage is what the lives of a process took together.
type Usage struct {
	CPU  time.Duration // user and system, all threads
	Peak int64         // bytes in memory at most
}

// Process is a server that can be killed and started again with the same arguments.
type Process struct {
	Name string
	Log  string // file of what it wrote
	argv []string
	env  []string
	// before runs ahead of every start; nil for nothing.
	before func(ctx context.Context) error
	// up says whether it serves.
	up func(ctx context.Context) error

	mu    sync.Mutex
	cmd   *exec.Cmd
	done  chan struct{}
	ended time.Duration // CPU of the lives that ended
	peak  int64
}

// Start starts it and waits until it serves.
func (p *Process) Start(ctx context.Context) error {
	if p.before != nil {
		if err := p.before(ctx); err != nil {
			return fmt.Errorf("%s: before its start: %w", p.Name, err)
		}
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()            // the server has its own
	cmd := exec.Command(p.argv[0], p.argv[1:]...) //nolint:noctx // it outlives the context that it is started in
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the drill alone
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(done)
	}()
	return p.Ready(ctx)
}

// startLimit is how long a server may take until it serves.
const startLimit = 3 * time.Minute

// Ready waits until it serves.
func (p *Process) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.up(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %s\n%s", p.Name, p.cmd.ProcessState, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w\n%s", p.Name, err, p.tail())
		case <-tick.C:
		}
	}
}

// tail is the end of its log.
func (p *Process) tail() string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-4000):]))
}

// Pid is its number while it runs.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Kill ends it with SIGKILL, as a power cut would.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// stopLimit is how long a server may take to end by itself.
const stopLimit = 60 * time.Second

// Stop asks it to end, and kills it when it does not.
func (p *Process) Stop() error {
	if code := p.end(syscall.SIGTERM); code != 0 {
		return fmt.Errorf("%s ended with %d\n%s", p.Name, code, p.tail())
	}
	return nil
}

func (p *Process) end(s syscall.Signal) int {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return 0
	}
	u, err := p.now()
	_ = cmd.Process.Signal(s) // it may be gone
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		_ = cmd.Process.Kill()
		<-done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = nil
	state := cmd.ProcessState
	p.ended += state.UserTime() + state.SystemTime()
	if err == nil {
		p.peak = max(p.peak, u.Peak)
	}
	if s == syscall.SIGTERM && state.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM {
		return 0 // it does not catch the signal
	}
	return state.ExitCode()
}

// Usage is what all its lives took until now.
func (p *Process) Usage() Usage {
	now, _ := p.now() // of a dead one, nothing
	p.mu.Lock()
	defer p.mu.Unlock()
	return Usage{CPU: now.CPU + p.ended, Peak: max(now.Peak, p.peak)}
}

// now reads what the present life took from /proc.
func (p *Process) now() (u Usage, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return u, errors.New("rig: it does not run")
	}
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, err
	}
	if u.CPU, err = cpu(string(stat)); err != nil {
		return u, err
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return u, err
	}
	u.Peak = kib << 10
	return u, nil
}

// tick is the unit of /proc/PID/stat: USER_HZ, 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu reads user and system time out of /proc/PID/stat: fields 14 and 15, counted
// behind the name, which may hold anything.
func cpu(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("rig: %q is no /proc/PID/stat", stat)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, err
}
