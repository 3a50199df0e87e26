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

// TestDayOfBeijing counts the chunks of a day's readings as people count days: in one
// of a new file, and in a file of old, which goes on by the days of UTC, in two. Both
// give the same readings, now and when they are opened again.
func TestDayOfBeijing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		old    bool
		chunks int
	}{{"new", false, 1}, {"old", true, 2}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "telemetry.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if c.old {
				schema, err := os.ReadFile("schema.sql")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), "pragma page_size = 16384; pragma journal_mode = wal;"+string(schema)); err != nil {
					t.Fatal(err)
				}
			}
			from := time.Date(2026, 5, 1, 0, 0, 0, 0, time.FixedZone("", 8*3600))
			var want []iot.Reading
			for i := range 24 {
				at := from.Add(time.Duration(i) * time.Hour).UTC()
				want = append(want, iot.Reading{Tenant: "a", Tag: "t", At: at, Received: at, Temp: ptr(float64(i))})
			}
			s := open(t, path)
			if err := s.Write(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if err := s.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var chunks int
			if err := db.QueryRowContext(t.Context(), `select count(*) from chunk`).Scan(&chunks); err != nil || chunks != c.chunks {
				t.Errorf("a day lies in %d chunks, %v; want %d", chunks, err, c.chunks)
			}
			s = open(t, path)
			defer s.Close()
			got, err := s.Range(t.Context(), "a", "t", from, from.AddDate(0, 0, 1), 0)
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Error(err, d)
			}
		})
	}
}

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
