package decision

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/internal/benchtable"
	"github.com/furrowcredit/furrow/store"
	quotestore "github.com/furrowcredit/furrow/store/quote"
	"github.com/furrowcredit/furrow/store/storetest"
)

const tenant = "bench"

// evidence of the n-th of many borrowers, each with a plot of winter wheat.
func evidence(n int, at time.Time) credit.Evidence {
	clear, month := at.AddDate(0, 0, -3), at.AddDate(0, -1, 0)
	clear, at = clear.UTC().Truncate(time.Second), at.UTC().Truncate(time.Second)
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: fmt.Sprintf("u%07d", n), Name: "王", Kind: "person", Age: 30 + n%30, Region: "410725"},
		Subject:   credit.Subject{Kind: credit.PlotSubject, ID: fmt.Sprintf("plot%07d", n)},
		Product:   "crop", Asked: 2_000_000, TermMonths: 12, AreaM2: 20_000, TakenAt: at, Overlaps: []geo.Overlap{}, Alerts: []string{},
		Exposure: &credit.Exposures{},
		Consents: []credit.Consent{
			{ID: "c1", Purpose: "credit_decision", Part: "decision", GivenAt: month}, {ID: "c2", Purpose: "credit_decision", Part: "crop", GivenAt: month},
		},
		Sources: []credit.Source{
			{Part: "applicant", From: "this bank", Version: "1", At: &at}, {Part: "crop", From: "sentinel-2", Version: "crop@3", At: &clear, Uncertainty: 0.03},
			{Part: "exposure", From: "this bank", Version: "1", At: &at},
		},
		Crop: &geo.CropReport{
			Status: geo.Known, Crop: "winter_wheat", Declared: "winter_wheat", Confidence: 0.9 + float64(n%10)/100, AreaM2: 20_000, Mu: 30,
			Vigour: 0.3 + float64(n%8)/10, ClearDates: 20, TotalDates: 24, LastClear: &clear, MadeAt: at,
			Worth: &geo.Worth{Low: 4_000_000, Middle: 5_000_000, High: 6_000_000},
		},
	}
}

// fill keeps the evidence of n borrowers, and gives the ids of the snapshots.
func fill(b *testing.B, db *store.DB, n int) []string {
	b.Helper()
	kept := quotestore.New(db)
	now := time.Now()
	var ids []string
	batch := make([]quote.Snapshot, 0, 2000)
	flush := func() {
		if err := kept.Put(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		batch = batch[:0]
	}
	for i := range n {
		s, err := quote.Freeze(tenant, evidence(i, now))
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, s.ID)
		if batch = append(batch, s); len(batch) == cap(batch) {
			flush()
		}
	}
	flush()
	return ids
}

// load sends requests at a rate over so many connections, and gives when each was
// answered after the moment when it was due. body gives the n-th.
func load(ctx context.Context, b *testing.B, addr, path, token string, rate, connections int, span time.Duration, body func(n int) string) []time.Duration {
	b.Helper()
	total := int(span.Seconds()) * rate
	took := make([]time.Duration, total)
	begin := time.Now().Add(50 * time.Millisecond)
	var wait sync.WaitGroup
	for c := range connections {
		wait.Go(func() {
			var dialer net.Dialer
			conn, err := dialer.DialContext(ctx, "tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for n := c; n < total; n += connections {
				due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
				time.Sleep(time.Until(due))
				text := body(n)
				_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: furrow\r\nAuthorization: Bearer "+token+
					"\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(text))+"\r\n\r\n"+text)
				if err != nil {
					b.Error(err)
					return
				}
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					b.Errorf("%s: %v %.300s", resp.Status, err, answer)
					return
				}
				took[n] = time.Since(due)
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	return took
}

// spell is how long the house is asked: 20, or FURROW_BENCH_SECONDS.
func spell(b *testing.B) time.Duration {
	b.Helper()
	s := os.Getenv("FURROW_BENCH_SECONDS")
	if s == "" {
		return 20 * time.Second
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("FURROW_BENCH_SECONDS is %q", s)
	}
	return time.Duration(n) * time.Second
}

// BenchmarkQuotes asks the whole house for decisions at 3,200 a second for 20 seconds: it
// finds who asks, reads the evidence, decides, writes the decision with all it saw and
// the line of the audit trail to the disk, and answers. The generator shares the
// processors. Beside it a server that answers and does nothing else. FURROW_BENCH_DB names
// the one database to ask.
func BenchmarkQuotes(b *testing.B) {
	defer app.Roomy()() // as furrow serve
	const borrowers, rate, connections = 20_000, 3_200, 64
	span := spell(b)
	t := book.Page(fmt.Sprintf("decisions over HTTP: %d a second over %d connections, %d borrowers", rate, connections, borrowers), "a second", "p50", "p99", "CPU each", "of PostgreSQL", "KB written each", "decisions kept")
	for b.Loop() {
		idle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "{}")
		}))
		measure(b, t, "a server that does nothing", idle.URL, "/", "", rate, connections, span, func(int) string { return "{}" }, nil)
		idle.Close()
		for _, kind := range []string{"sqlite", "postgres"} {
			if only := os.Getenv("FURROW_BENCH_DB"); only != "" && only != kind {
				continue
			}
			dsn := "sqlite:" + filepath.Join(b.TempDir(), "furrow.db")
			if kind == "postgres" {
				dsn = storetest.Postgres(b) + "&application_name=" + ident.New()
			}
			house := apptest.Start(b, app.Config{Data: b.TempDir(), DB: dsn, Tenant: tenant})
			db, err := store.Open(b.Context(), store.Config{DSN: dsn})
			if err != nil {
				b.Fatal(err)
			}
			ids := fill(b, db, borrowers)
			operator := apptest.SignIn(b, house.URL(), apptest.Operator)
			operator.Post("/operator/users", map[string]string{"login": "partner", "password": apptest.Password, "name": "Partner", "role": "partner"}, nil)
			asker := apptest.SignIn(b, house.URL(), "partner")
			token := asker.Token()
			if _, err := db.Exec(b.Context(), `insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product,
				asked, term_months, purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at, brought_by)
				select id, tenant, user_id, '', subject_kind, subject_id, '', product, 0, 0, '', 'withdrawn', '', '', 0, 0, id, '', 0, 0, $1 from snapshot`, asker.ID); err != nil {
				b.Fatal(err)
			}
			body := func(n int) string { return `{"snapshot_id":"` + ids[n*7919%len(ids)] + `"}` }
			load(b.Context(), b, strings.TrimPrefix(house.URL(), "http://"), "/api/v1/partner/quotes", token, rate/4, connections, 3*time.Second, body) // warm
			measure(b, t, "the house on "+kind, house.URL(), "/api/v1/partner/quotes", token, rate, connections, span, body, db)
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func measure(b *testing.B, t *benchtable.Table, what, url, path, token string, rate, connections int, span time.Duration, body func(n int) string, db *store.DB) {
	b.Helper()
	before, begin, spent := costs(b, db), time.Now(), benchtable.CPU()
	took := load(b.Context(), b, strings.TrimPrefix(url, "http://"), path, token, rate, connections, span, body)
	wall, cpu := time.Since(begin), benchtable.CPU()-spent
	n := len(took)
	p99 := took[n*99/100]
	each := func(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d.Microseconds())/float64(n)) }
	r := benchtable.Row{What: what, Values: []string{fmt.Sprintf("%.0f", float64(n)/wall.Seconds()), ms(took[n/2]), ms(p99), each(cpu), "", "", ""}}
	if db != nil {
		after := costs(b, db)
		kept := after.quotes - before.quotes
		if db.Kind() == "postgres" {
			r.Values[4] = each(after.server - before.server)
		}
		r.Values[5] = fmt.Sprintf("%.1f", float64(after.written-before.written)/1000/float64(n))
		r.Values[6] = strconv.Itoa(kept)
		r.Target = "3,000 a second, p99 under 25 ms, all kept"
		r.Missed = float64(n)/wall.Seconds() < 3000 || p99 >= 25*time.Millisecond || kept != n
	}
	t.Add(b, r)
}

// cost is what a database has done so far.
type cost struct {
	quotes  int
	written int64         // bytes: by this process to the disk, or to PostgreSQL's log
	server  time.Duration // of the processors, by PostgreSQL's processes for this house
}

func costs(b *testing.B, db *store.DB) (c cost) {
	b.Helper()
	if db == nil {
		return c
	}
	read := func(query string, into any) {
		if err := db.QueryRow(b.Context(), query).Scan(into); err != nil {
			b.Fatal(err)
		}
	}
	read(`select count(*) from quote`, &c.quotes)
	if db.Kind() == "sqlite" {
		io, _ := os.ReadFile("/proc/self/io") // another system has none, and writes 0 bytes
		for line := range strings.Lines(string(io)) {
			if n, ok := strings.CutPrefix(line, "write_bytes: "); ok {
				c.written, _ = strconv.ParseInt(strings.TrimSpace(n), 10, 64)
			}
		}
		return c
	}
	read(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint`, &c.written)
	var pids string
	read(`select coalesce(string_agg(pid::text, ' '), '') from pg_stat_activity where application_name = current_setting('application_name')`, &pids)
	for pid := range strings.FieldsSeq(pids) {
		stat, _ := os.ReadFile("/proc/" + pid + "/stat") // a server elsewhere has none here
		if f := strings.Fields(string(stat)); len(f) > 14 {
			for _, ticks := range f[13:15] { // of 10 ms: user and system
				n, _ := strconv.Atoi(ticks)
				c.server += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return c
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
