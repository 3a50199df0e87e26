package store_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// Long before the log is long, its pages are in the file: what the index of the log
// ("WAL-Index Format" of SQLite's documents) says of it at byte 96.
func TestLogIsMovedBesideCommits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.db")
	other := storetest.Open(t, "sqlite:"+path) // while it is open the log stays
	moved := func() uint32 {
		b, err := os.ReadFile(path + "-shm")
		if err != nil || len(b) < 100 {
			t.Fatalf("%d bytes of index: %v", len(b), err)
		}
		return binary.NativeEndian.Uint32(b[96:])
	}
	if _, err := other.Exec(t.Context(), `create table t (n bigint)`); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	before := moved()
	for n := range 40 {
		if _, err := db.Exec(t.Context(), `insert into t (n) values ($1)`, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil { // it waits for the checkpoint
		t.Fatal(err)
	}
	if after := moved(); after < before+30 {
		t.Errorf("%d pages of the log were in the file, %d are", before, after)
	}
}
