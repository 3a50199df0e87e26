package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/ingest/spool"
)

func open(t testing.TB, dir string, most int64) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// drain takes all records out, marking each as done.
func drain(t testing.TB, s *spool.Spool) []string {
	t.Helper()
	var out []string
	for {
		b, err := s.Next()
		if errors.Is(err, spool.ErrEmpty) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
		if err := s.Done(); err != nil {
			t.Fatal(err)
		}
	}
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRecordsComeOutInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, 1<<30)
	if _, err := s.Next(); !errors.Is(err, spool.ErrEmpty) {
		t.Error(err)
	}
	var want []string
	add := func(n int) {
		for range n {
			r := fmt.Sprint("record ", len(want), strings.Repeat("x", 3<<20)) // a segment holds five
			want = append(want, r)
			if err := s.Append([]byte(r)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(7)
	for range 2 { // the same until it is done
		if b, err := s.Next(); err != nil || string(b) != want[0] {
			t.Fatal(err)
		}
	}
	_ = s.Done()
	add(5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(segments(t, dir)) < 2 {
		t.Fatal("one segment only: this tests nothing")
	}
	s = open(t, dir, 1<<30) // done ones may come again, in their order
	got := drain(t, s)
	if !slices.Equal(got, want) {
		t.Errorf("%d records, want %d in order", len(got), len(want))
	}
	if s.Bytes() != 0 || len(segments(t, dir)) != 0 {
		t.Errorf("%d bytes in %v are left", s.Bytes(), segments(t, dir))
	}
	if err := s.Append([]byte("again")); err != nil {
		t.Error(err)
	}
	if got := drain(t, s); len(got) != 1 || got[0] != "again" {
		t.Error(got)
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 100)
	for i := range 5 {
		err := s.Append([]byte("0123456789ab")) // 20 bytes with the header
		if err != nil {
			t.Fatal(i, err)
		}
	}
	if err := s.Append([]byte("x")); !errors.Is(err, spool.ErrFull) || !errors.Is(err, fault.Unavailable) || s.Bytes() != 100 {
		t.Errorf("%v with %d bytes", err, s.Bytes())
	}
	if got := drain(t, s); len(got) != 5 {
		t.Error(got)
	}
	if err := s.Append([]byte("x")); err != nil {
		t.Error("no room after all was done:", err)
	}
}

func TestOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, 100)
	if _, err := spool.Open(dir, 100); !errors.Is(err, spool.ErrBusy) {
		t.Error(err)
	}
	_ = s.Close()
	open(t, dir, 100)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(file, 100); !errors.Is(err, spool.ErrOpen) {
		t.Error(err)
	}
}

// TestTornEnd cuts the last segment at every byte, as a kill may: whole records stay.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	records := []string{"first", "second one", "3"}
	ends := []int{0}
	for _, r := range records {
		if err := s.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, ends[len(ends)-1]+8+len(r))
	}
	_ = s.Close()
	name := filepath.Base(segments(t, dir)[0])
	whole, err := os.ReadFile(segments(t, dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		for _, tail := range [][]byte{nil, make([]byte, 30)} { // a crash may leave zeros
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), slices.Concat(whole[:cut], tail), 0o600); err != nil {
				t.Fatal(err)
			}
			n := 0
			for n < len(records) && ends[n+1] <= cut {
				n++
			}
			s := open(t, dir, 1<<20)
			if err := s.Append([]byte("after")); err != nil {
				t.Fatal(err)
			}
			got := drain(t, s)
			if want := append(slices.Clone(records[:n]), "after"); !slices.Equal(got, want) {
				t.Fatalf("cut at %d: %q, want %q", cut, got, want)
			}
			_ = s.Close()
		}
	}
}

// TestDamage flips a byte inside a record: the others come out and the file is kept.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	for _, r := range []string{"first", "second", "third"} {
		if err := s.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	file := segments(t, dir)[0]
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("second"))] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 1<<20)
	if got := drain(t, s); len(got) != 2 || got[0] != "first" || got[1] != "third" {
		t.Error(got)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.bad"))
	if err != nil || len(kept) != 1 || s.Damaged() != 1 {
		t.Errorf("kept %v, %d counted, %v", kept, s.Damaged(), err)
	}
}

// The child of the tests below appends numbered records until it dies, and prints
// the number of each one that is safe.
const childDir, childLimit = "FURROW_SPOOL_CHILD", "FURROW_SPOOL_LIMIT"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := spool.Open(dir, 1<<30)
	if err != nil {
		panic(err)
	}
	limited := os.Getenv(childLimit) != ""
	if limited {
		limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
	for i := 0; ; i++ {
		err := s.Append(fmt.Appendf(nil, "%08d%s", i, strings.Repeat("r", 1000+i%5000)))
		switch {
		case err == nil:
			fmt.Println(i)
		case errors.Is(err, spool.ErrDisk) && limited:
			fmt.Println("full")
			return
		default:
			panic(err)
		}
	}
}

func child(t *testing.T, dir string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self) //nolint:gosec // this test's own binary
	c.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	return c
}

// safe reads the numbers that a child printed.
func safe(t *testing.T, out string) int {
	t.Helper()
	return strings.Count(out, "\n") - strings.Count(out, "full")
}

func checkNumbered(t *testing.T, dir string, n int) {
	t.Helper()
	s := open(t, dir, 1<<30)
	got := drain(t, s)
	if len(got) < n || len(got) > n+1 { // the last may be safe and not yet told
		t.Errorf("%d records of %d that were safe", len(got), n)
	}
	for i, r := range got {
		if !strings.HasPrefix(r, fmt.Sprintf("%08d", i)) || len(r) != 8+1000+i%5000 {
			t.Fatalf("record %d is %.20q", i, r)
		}
	}
	_ = s.Close()
}

func TestKill(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		dir := t.TempDir()
		c := child(t, dir)
		var out bytes.Buffer
		pipe, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 64)
		for out.Len() < 50+97*round {
			n, err := pipe.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(b[:n])
		}
		_ = c.Process.Kill()
		_, _ = out.ReadFrom(pipe)
		_ = c.Wait()
		checkNumbered(t, dir, safe(t, out.String()))
	}
}

// TestFileLimit lets the system refuse to make the file longer in the middle of a
// record, as a full disk does.
func TestFileLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := child(t, dir, childLimit+"=1").Output()
	if err != nil || !strings.HasSuffix(string(out), "full\n") {
		t.Fatalf("%v: %.100s", err, out)
	}
	n := safe(t, string(out))
	if n < 100 {
		t.Errorf("only %d records fit", n)
	}
	checkNumbered(t, dir, n)
}

// TestDiskFull fills a small file system of its own, where mounting is allowed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("needs the right to mount a file system:", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := open(t, dir, 1<<30)
	var want []string
	var err error
	for err == nil {
		r := fmt.Sprintf("%06d%s", len(want), strings.Repeat("f", 3000))
		if err = s.Append([]byte(r)); err == nil {
			want = append(want, r)
		}
	}
	if !errors.Is(err, spool.ErrDisk) || !errors.Is(err, fault.Unavailable) || len(want) < 50 {
		t.Fatalf("%v after %d records", err, len(want))
	}
	if err := s.Append([]byte(strings.Repeat("f", 50_000))); !errors.Is(err, spool.ErrDisk) {
		t.Error("the full disk took more:", err)
	}
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Errorf("%d records of %d", len(got), len(want))
	}
	if err := s.Append([]byte("room again")); err != nil {
		t.Error(err)
	}
	if got := drain(t, s); len(got) != 1 || got[0] != "room again" {
		t.Error(got)
	}
}

// FuzzSegment wants any file to be opened, read to an end and appended to.
func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	s := open(f, dir, 1<<20)
	for _, r := range []string{"first", "second", "third"} {
		if err := s.Append([]byte(r)); err != nil {
			f.Fatal(err)
		}
	}
	_ = s.Close()
	b, err := os.ReadFile(segments(f, dir)[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add([]byte{})
	f.Add(make([]byte, 64))
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000001.spool"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, 1<<30)
		if err := s.Append([]byte("new")); err != nil {
			t.Fatal(err)
		}
		got := drain(t, s)
		if len(got) == 0 || got[len(got)-1] != "new" {
			t.Errorf("the new record is not the last of %q", got)
		}
		_ = s.Close()
	})
}
