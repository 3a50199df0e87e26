package iotbench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/internal/benchtable"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// The herd of these benchmarks: tags that report every five minutes, each with its
// own phase and a clock of whole seconds that is off by one or two; 3 of 100 messages
// are lost. Positions are in 1e-6 degrees, temperatures in tenths.
const (
	seriesTags = 10_000
	perDay     = 24 * 60 / 5
)

var seriesBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// grazers makes the readings of the herd, one round of all tags after the other.
type grazers struct {
	rng   *rand.Rand
	names []string
	lon   []float64
	lat   []float64
	temp  []float64
	vals  []float64
	seqs  []int64
	batch []iot.Reading
}

func newGrazers() *grazers {
	g := &grazers{rng: rand.New(rand.NewPCG(7, 11))}
	for i := range seriesTags {
		g.names = append(g.names, fmt.Sprintf("tag-%05d", i))
		g.lon, g.lat = append(g.lon, 114.4e6+float64(g.rng.IntN(20_000))), append(g.lat, 35.02e6+float64(g.rng.IntN(20_000)))
		g.temp = append(g.temp, 290)
	}
	g.vals, g.seqs = make([]float64, 5*seriesTags), make([]int64, seriesTags)
	return g
}

// round gives the readings of one round; the next call writes over them.
func (g *grazers) round(n int) []iot.Reading {
	g.batch = g.batch[:0]
	for i, name := range g.names {
		if g.rng.IntN(100) < 3 {
			continue
		}
		r := g.rng.Uint64()
		g.lon[i] += float64(r&63) - 31.5 + 0.5
		g.lat[i] += float64(r>>6&63) - 31.5 + 0.5
		g.temp[i] = min(max(g.temp[i]+float64(r>>12&3)-1.5+float64(r>>14&1)*0.5, 270), 310)
		v := g.vals[5*i : 5*i+5]
		v[0], v[1], v[2] = float64(int64(g.lon[i]))/1e6, float64(int64(g.lat[i]))/1e6, float64(int64(g.temp[i]))/10
		v[3], v[4] = float64(r>>16&255)/100, float64(360-n/9000)/100
		g.seqs[i] = int64(n)
		at := seriesBegin.Add(time.Duration(n)*5*time.Minute + time.Duration(i%300+int(r>>24&3))*time.Second)
		reading := iot.Reading{Tenant: "county", Tag: name, At: at, Received: at.Add(time.Duration(200+r>>28&1023) * time.Millisecond),
			Gateway: gatewayNames[i%len(gatewayNames)], Source: "json", Lon: &v[0], Lat: &v[1], Temp: &v[2], Activity: &v[3], Seq: &g.seqs[i]}
		if r>>40&15 == 0 {
			reading.Battery = &v[4]
		}
		g.batch = append(g.batch, reading)
	}
	return g.batch
}

var gatewayNames = []string{"gw-north", "gw-south", "gw-yard", "gw-hill"}

func processorTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// rowStore keeps a row a reading, as the embedded store once did: the peer.
type rowStore struct{ db *sql.DB }

func openRows(b *testing.B, path string) *rowStore {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(b.Context(), `create table if not exists reading (tenant text not null, tag text not null, ts bigint not null,
		received bigint not null, gateway text, source text, lon real, lat real, temp_c real, activity real, battery_v real, seq bigint,
		primary key (tenant, tag, ts)) without rowid`)
	if err != nil {
		b.Fatal(err)
	}
	return &rowStore{db}
}

const rowsOfStatement = 64

// Write saves readings in one transaction, 64 rows a statement.
func (s *rowStore) Write(ctx context.Context, readings []iot.Reading) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const one = `(?,?,?,?,?,?,?,?,?,?,?,?)`
	stmt, err := tx.PrepareContext(ctx, `insert into reading values `+strings.Repeat(one+`,`, rowsOfStatement-1)+one+` on conflict do nothing`)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for part := range slices.Chunk(readings, rowsOfStatement) {
		args := make([]any, 0, 12*rowsOfStatement)
		for i := range part {
			r := &part[i]
			args = append(args, r.Tenant, r.Tag, r.At.UnixMilli(), r.Received.UnixMilli(), r.Gateway, r.Source, *r.Lon, *r.Lat, *r.Temp, *r.Activity, nil, *r.Seq)
			if r.Battery != nil {
				args[len(args)-2] = *r.Battery
			}
		}
		if len(part) == rowsOfStatement {
			_, err = stmt.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, `insert into reading values `+strings.Repeat(one+`,`, len(part)-1)+one+` on conflict do nothing`, args...)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// day reads the day of some tags, every column, and counts the rows.
func (s *rowStore) day(ctx context.Context, tags []string, from, to time.Time) (n int, err error) {
	stmt, err := s.db.PrepareContext(ctx, `select ts, received, gateway, source, lon, lat, temp_c, activity, battery_v, seq from reading
		where tenant = ? and tag = ? and ts >= ? and ts < ? order by ts`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	for _, tag := range tags {
		rows, err := stmt.QueryContext(ctx, "county", tag, from.UnixMilli(), to.UnixMilli())
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			var r iot.Reading
			var ts, received int64
			if err := rows.Scan(&ts, &received, &r.Gateway, &r.Source, &r.Lon, &r.Lat, &r.Temp, &r.Activity, &r.Battery, &r.Seq); err != nil {
				return 0, err
			}
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // in a loop
			return 0, err
		}
	}
	return n, nil
}

// windows sums up one measure of some tags by the quarter hour, and counts the windows.
func (s *rowStore) windows(ctx context.Context, tags []string, column string, from, to time.Time) (n int, err error) {
	stmt, err := s.db.PrepareContext(ctx, `select (ts - ?) / 900000, min(`+column+`), avg(`+column+`), max(`+column+`), count(`+column+`) from reading
		where tenant = ? and tag = ? and ts >= ? and ts < ? and `+column+` is not null group by 1 order by 1`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	for _, tag := range tags {
		rows, err := stmt.QueryContext(ctx, from.UnixMilli(), "county", tag, from.UnixMilli(), to.UnixMilli())
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			var w series.Window
			var step int64
			if err := rows.Scan(&step, &w.Min, &w.Mean, &w.Max, &w.Count); err != nil {
				return 0, err
			}
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // in a loop
			return 0, err
		}
	}
	return n, nil
}

// sizeOf is the size of the files whose names begin with path.
func sizeOf(b *testing.B, path string) (bytes int64) {
	b.Helper()
	err := fs.WalkDir(os.DirFS(filepath.Dir(path)), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(name, filepath.Base(path)) {
			info, err := d.Info()
			if err != nil {
				return err
			}
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// forgetPages drops what the kernel holds of a file, so that the next read is from the disk.
func forgetPages(b *testing.B, path string) {
	b.Helper()
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if _, _, e := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); e != 0 {
		b.Fatal(e)
	}
}

func openSeriesFile(b *testing.B, path string) *telemetry.Store {
	b.Helper()
	s, err := telemetry.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// settled compacts what a store has in its journal: nothing is old enough to expire.
func settled(b *testing.B, s *telemetry.Store) {
	b.Helper()
	if err := s.Expire(b.Context(), seriesBegin.AddDate(-1, 0, 0)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSeriesWrite writes batches of readings of many tags, each on disk when the
// call returns, compaction included.
func BenchmarkSeriesWrite(b *testing.B) {
	p := book.Page("series: write", "batch", "CPU µs/reading", "readings/s", "p99 of a write", "bytes/reading")
	for b.Loop() {
		for _, size := range []int{500, 5000} {
			dir := b.TempDir()
			s := openSeriesFile(b, filepath.Join(dir, "telemetry.db"))
			spent, took, wall, n := writeRounds(b, s.Write, size, 100)
			begin := processorTime()
			settled(b, s)
			spent += processorTime() - begin
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			cost := float64(spent.Nanoseconds()) / 1e3 / float64(n)
			p.Add(b, benchtable.Row{What: "chunks (embedded store)", Values: []string{strconv.Itoa(size), fmt.Sprintf("%.2f", cost), fmt.Sprintf("%.0f", float64(n)/wall.Seconds()),
				took[len(took)*99/100].Round(100 * time.Microsecond).String(), fmt.Sprintf("%.1f", float64(sizeOf(b, filepath.Join(dir, "telemetry.db")))/float64(n))},
				Target: "at most 3 µs", Missed: cost > 3})

			rows := openRows(b, filepath.Join(dir, "rows.db"))
			spent, took, wall, n = writeRounds(b, rows.Write, size, 10)
			if err := rows.db.Close(); err != nil {
				b.Fatal(err)
			}
			p.Add(b, benchtable.Row{What: "a row a reading (SQLite)", Values: []string{strconv.Itoa(size), fmt.Sprintf("%.2f", float64(spent.Nanoseconds())/1e3/float64(n)),
				fmt.Sprintf("%.0f", float64(n)/wall.Seconds()), took[len(took)*99/100].Round(100 * time.Microsecond).String(),
				fmt.Sprintf("%.1f", float64(sizeOf(b, filepath.Join(dir, "rows.db")))/float64(n))}})
		}
	}
}

// writeRounds writes rounds of the herd; what making them costs is left out.
func writeRounds(b *testing.B, write func(context.Context, []iot.Reading) error, size, rounds int) (spent time.Duration, took []time.Duration, wall time.Duration, n int) {
	b.Helper()
	g := newGrazers()
	for i := range rounds {
		all := g.round(i)
		begin := processorTime()
		for part := range slices.Chunk(all, size) {
			start := time.Now()
			if err := write(b.Context(), part); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
			wall += took[len(took)-1]
			n += len(part)
		}
		spent += processorTime() - begin
	}
	slices.Sort(took)
	return spent, took, wall, n
}

// BenchmarkHerdDay builds FURROW_BENCH_DAYS days (365 for the year of the promise; 7
// unless told) of 10,000 tags at five minutes, and asks for one day of the tags of a
// herd: all their readings, or three measures by the quarter hour. The peer has two
// days, written in the order of its key, which is the best it can have. The promise is
// held against processor time, which bears a busy machine; on an idle one the clock
// shows no more.
func BenchmarkHerdDay(b *testing.B) {
	defer app.Roomy()() // as furrow serve
	days := 7
	if s := os.Getenv("FURROW_BENCH_DAYS"); s != "" {
		var err error
		if days, err = strconv.Atoi(s); err != nil || days < 2 {
			b.Fatalf("FURROW_BENCH_DAYS is %q", s)
		}
	}
	dir := b.TempDir()
	path, peer := filepath.Join(dir, "telemetry.db"), filepath.Join(dir, "rows.db")
	p := book.Page(fmt.Sprintf("series: a herd's day of %d days of %d tags at 5 minutes", days, seriesTags), "tags", "CPU", "warm p50", "warm p99", "cold p50", "cold p99", "answers")
	for b.Loop() {
		s := openSeriesFile(b, path)
		g := newGrazers()
		n := 0
		begin := processorTime()
		for round := range days * perDay {
			all := g.round(round)
			for part := range slices.Chunk(all, 5000) {
				if err := s.Write(b.Context(), part); err != nil {
					b.Fatal(err)
				}
			}
			n += len(all)
			if round == perDay {
				b.Logf("%d readings of the first day: %v of CPU with making them", n, processorTime()-begin)
			}
		}
		settled(b, s)
		b.Logf("%d readings in %.1f bytes each, %v of CPU with making them", n, float64(sizeOf(b, path))/float64(n), processorTime()-begin)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		peerRows := buildPeer(b, peer)
		p.Add(b, benchtable.Row{What: fmt.Sprintf("bytes/reading: %.1f in chunks, %.1f in rows", float64(sizeOf(b, path))/float64(n), float64(sizeOf(b, peer))/float64(peerRows)),
			Values: []string{"", "", "", "", "", "", strconv.Itoa(n)}})
		herd := make([]string, 0, 500)
		for i := range 500 {
			herd = append(herd, g.names[i*seriesTags/500]) // strewn over the day's chunks
		}
		rng := rand.New(rand.NewPCG(1, 1))
		anyDay := func(days int) (from, to time.Time) {
			from = seriesBegin.AddDate(0, 0, rng.IntN(days)).Add(-8 * time.Hour) // a day of Beijing
			return from, from.AddDate(0, 0, 1)
		}
		asks := []struct {
			what   string
			tags   []string
			rows   bool
			target time.Duration
			ask    func(s *telemetry.Store, r *rowStore, tags []string) (int, error)
		}{
			{"all readings, chunks", herd, false, 100 * time.Millisecond, func(s *telemetry.Store, _ *rowStore, tags []string) (n int, err error) {
				from, to := anyDay(days)
				for _, tag := range tags {
					got, err := s.Range(b.Context(), "county", tag, from, to, 0)
					if err != nil {
						return 0, err
					}
					n += len(got)
				}
				return n, nil
			}},
			{"all readings, rows", herd, true, 0, func(_ *telemetry.Store, r *rowStore, tags []string) (int, error) {
				from, to := anyDay(2)
				return r.day(b.Context(), tags, from, to)
			}},
			{"3 measures by 15 min, chunks", herd, false, 100 * time.Millisecond, chunkWindows(b, func() (from, to time.Time) { return anyDay(days) })},
			{"3 measures by 15 min, rows", herd, true, 0, rowWindows(b, func() (from, to time.Time) { return anyDay(2) })},
			{"3 measures by 15 min, chunks", g.names, false, 0, chunkWindows(b, func() (from, to time.Time) { return anyDay(days) })},
			{"3 measures by 15 min, rows", g.names, true, 0, rowWindows(b, func() (from, to time.Time) { return anyDay(2) })},
		}
		for _, a := range asks {
			warm, cold := 40, 8
			switch { // the peer takes seconds for all tags
			case len(a.tags) > 1000 && a.rows:
				warm, cold = 1, 1
			case len(a.tags) > 1000:
				warm, cold = 8, 3
			}
			var s *telemetry.Store
			var r *rowStore
			reopen := func() {
				if s != nil {
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
					s = nil
				}
				if r != nil {
					if err := r.db.Close(); err != nil {
						b.Fatal(err)
					}
					r = nil
				}
				if a.rows {
					forgetPages(b, peer)
					r = openRows(b, peer)
				} else {
					forgetPages(b, path)
					s = openSeriesFile(b, path)
				}
			}
			answers := 0
			timed := func(n int, before func()) (took []time.Duration) {
				for range n {
					before()
					start := time.Now()
					got, err := a.ask(s, r, a.tags)
					took = append(took, time.Since(start))
					if err != nil {
						b.Fatal(err)
					}
					answers = max(answers, got)
				}
				slices.Sort(took)
				return took
			}
			colds := timed(cold, reopen)
			timed(warm/4, func() {})
			runtime.GC()
			begin := processorTime()
			warms := timed(warm, func() {})
			spent := (processorTime() - begin) / time.Duration(warm)
			cell := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }
			line := benchtable.Row{What: a.what, Values: []string{strconv.Itoa(len(a.tags)), cell(spent), cell(warms[len(warms)/2]), cell(warms[len(warms)*99/100]),
				cell(colds[len(colds)/2]), cell(colds[len(colds)*99/100]), strconv.Itoa(answers)}}
			if a.target > 0 {
				line.Target = "under " + a.target.String() + " of CPU"
				line.Missed = spent > a.target
			}
			p.Add(b, line)
			if s != nil {
				_ = s.Close()
			} else {
				_ = r.db.Close()
			}
		}
	}
}

var threeMeasures = []series.Measure{series.Temp, series.Activity, series.Battery}

func chunkWindows(b *testing.B, day func() (from, to time.Time)) func(*telemetry.Store, *rowStore, []string) (int, error) {
	return func(s *telemetry.Store, _ *rowStore, tags []string) (n int, err error) {
		from, to := day()
		for _, m := range threeMeasures {
			got, err := s.Windows(b.Context(), "county", tags, m, from, to, 15*time.Minute)
			if err != nil {
				return 0, err
			}
			for _, w := range got {
				n += len(w)
			}
		}
		return n, nil
	}
}

func rowWindows(b *testing.B, day func() (from, to time.Time)) func(*telemetry.Store, *rowStore, []string) (int, error) {
	return func(_ *telemetry.Store, r *rowStore, tags []string) (n int, err error) {
		from, to := day()
		for _, m := range threeMeasures {
			got, err := r.windows(b.Context(), tags, string(m), from, to)
			if err != nil {
				return 0, err
			}
			n += got
		}
		return n, nil
	}
}

// buildPeer writes two days of the herd in the order of the peer's key.
func buildPeer(b *testing.B, path string) (n int) {
	b.Helper()
	r := openRows(b, path)
	defer r.db.Close()
	rng := rand.New(rand.NewPCG(7, 11))
	v := [...]float64{114.401234, 35.021234, 29.1, 0.57, 3.59}
	seq := int64(70_000)
	batch := make([]iot.Reading, 0, 20*perDay)
	for i := range seriesTags {
		for round := range 2 * perDay {
			if rng.IntN(100) < 3 {
				continue
			}
			at := seriesBegin.Add(time.Duration(round)*5*time.Minute + time.Duration(i%300+rng.IntN(4))*time.Second)
			reading := iot.Reading{Tenant: "county", Tag: fmt.Sprintf("tag-%05d", i), At: at, Received: at.Add(time.Second), Gateway: gatewayNames[i%4],
				Source: "json", Lon: &v[0], Lat: &v[1], Temp: &v[2], Activity: &v[3], Seq: &seq}
			if rng.IntN(16) == 0 {
				reading.Battery = &v[4]
			}
			batch = append(batch, reading)
		}
		if i%10 == 9 || i == seriesTags-1 {
			if err := r.Write(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			n += len(batch)
			batch = batch[:0]
		}
	}
	return n
}
