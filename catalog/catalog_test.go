package catalog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
)

func TestOpenBuiltin(t *testing.T) {
	t.Parallel()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(fsys, "crops.yaml"); err != nil {
		t.Fatal(err)
	}
}

func TestOpenOverlay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"crops.yaml": "mine", "policy/own.yaml": "own", "extra.yaml": "new"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fsys, err := catalog.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := fs.ReadFile(fsys, "crops.yaml"); string(got) != "mine" {
		t.Errorf("the folder's file must replace the built-in one, got %q", got)
	}
	for pattern, want := range map[string]string{"policy/*.yaml": "policy/own.yaml", "*.yaml": "extra.yaml", "policy/*.md": "policy/README.md"} {
		got, err := fs.Glob(fsys, pattern)
		if err != nil || !slices.Contains(got, want) {
			t.Errorf("Glob(%s) = %v, %v; want %s among them", pattern, got, err, want)
		}
	}
}

func TestOpenNoFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, file + "-missing"} {
		if _, err := catalog.Open(dir); !errors.Is(err, catalog.ErrFolder) || !errors.Is(err, fault.Invalid) {
			t.Errorf("Open(%s) = %v, want ErrFolder", dir, err)
		}
	}
}
