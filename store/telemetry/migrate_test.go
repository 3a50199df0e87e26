package telemetry_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot"
)

// TestOldLayout opens a file that has a row a reading, as files of the first layout.
func TestOldLayout(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telemetry.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`create table reading (tenant text not null, tag text not null, ts bigint not null, received bigint not null, gateway text,
			lon real, lat real, acc_m real, temp_c real, ambient_c real, activity real, attached boolean, battery_v real, seq bigint,
			primary key (tenant, tag, ts)) without rowid`,
		`with recursive n(i) as (select 0 union all select i + 1 from n where i < 11999)
			insert into reading (tenant, tag, ts, received, temp_c) select 'a', 'many', 1780000000000 + i * 60000, 1780000000000, i / 10.0 from n`,
		`insert into reading values ('a', 't', 1780000000123, 1780000000456, 'g', 1.5, 2.5, 3, 29.1, 20, 0.5, 1, 3.6, 42)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	defer s.Close()
	if n, err := s.Count(t.Context(), "a", "many"); err != nil || n != 12000 {
		t.Errorf("%d readings, %v", n, err)
	}
	got, err := s.Latest(t.Context(), "a", []string{"t"})
	at := time.UnixMilli(1780000000123).UTC()
	want := iot.Reading{Tenant: "a", Tag: "t", At: at, Received: at.Add(333 * time.Millisecond), Gateway: "g", Lon: ptr(1.5), Lat: ptr(2.5),
		Accuracy: ptr(3.0), Temp: ptr(29.1), Ambient: ptr(20.0), Activity: ptr(0.5), Attached: ptr(true), Battery: ptr(3.6), Seq: ptr(int64(42))}
	if d := cmp.Diff(want, got["t"]); err != nil || d != "" {
		t.Error(err, d)
	}
	if _, err := os.Stat(path + ".rows"); err == nil {
		t.Error("the old file is left")
	}
}
