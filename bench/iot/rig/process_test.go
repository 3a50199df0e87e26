package rig

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCPU(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stat string
		want time.Duration
		bad  bool
	}{
		{"7 (furrow) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0", 2 * time.Second, false},
		{"7 (a ) name) R 1 7 7 0 -1 4194304 100 0 0 0 1 2 0 0 20 0", 30 * time.Millisecond, false},
		{"7 (short) S 1 2", 0, true},
		{"", 0, true},
		{"7 (furrow) S 1 7 7 0 -1 4194304 100 0 0 0 x 50 0 0 20 0", 0, true},
	} {
		if got, err := cpu(tt.stat); got != tt.want && err == nil || (err != nil) != tt.bad {
			t.Errorf("cpu(%q) = %v, %v", tt.stat, got, err)
		}
	}
}

// A process that is killed can be started again, and what its lives used adds up; one
// that ends by itself at the start says why.
func TestProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	r := &Rig{Dir: dir}
	defer r.Close()
	up := func(context.Context) error { _, err := os.Stat(mark); return err }
	p, err := r.Child(t.Context(), "child", []string{"/bin/sh", "-c", "echo up >>" + mark + "; read never </dev/zero"}, nil, up)
	if err != nil {
		t.Fatal(err)
	}
	first := p.Pid()
	p.Kill()
	if err := p.Start(t.Context()); err != nil || p.Pid() == first {
		t.Errorf("it does not start again: %v", err)
	}
	if p.Usage().Peak == 0 {
		t.Error("it uses no memory")
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := r.Child(t.Context(), "bad", []string{"/bin/sh", "-c", "echo no room; exit 3"}, nil, func(context.Context) error { return errors.New("down") }); err == nil {
		t.Error("a process that ended counts as up")
	}
}
