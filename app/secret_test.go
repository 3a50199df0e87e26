package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/app"
)

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FURROW_T1", "plain")
	t.Setenv("FURROW_T2_FILE", file)
	t.Setenv("FURROW_T3_FILE", file+".absent")
	for name, want := range map[string]string{"FURROW_T1": "plain", "FURROW_T2": "from-file", "FURROW_T0": ""} {
		if got, err := app.Secret(name); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := app.Secret("FURROW_T3"); !errors.Is(err, app.ErrSecret) {
		t.Errorf("an unreadable file gave %v", err)
	}
}

func TestWritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := app.Writable(file); !errors.Is(err, app.ErrData) {
		t.Errorf("a file in the folder's place gave %v", err)
	}
	if err := app.Writable(filepath.Join(t.TempDir(), "new", "folder")); err != nil {
		t.Error(err)
	}
}
