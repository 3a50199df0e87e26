package uploadbench

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/sheet"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

const suppliers = 20_000

var header = []string{"发票号码", "发票类型", "订单号", "卖方名称", "货物名称", "数量", "单位", "价税合计", "税额", "开票日期"}

func size(tb testing.TB) int {
	tb.Helper()
	n, err := strconv.Atoi(os.Getenv("FURROW_BENCH_ROWS"))
	if err != nil {
		return 1_000_000
	}
	return n
}

// invoice is row i of the file, as people write them.
func invoice(i int) []string {
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i*700/1_000_000)
	yuan := 1000 + i%900_000
	return []string{
		fmt.Sprintf("2637%016d", i), "数电专票", fmt.Sprintf("PO-%07d", i/3), fmt.Sprintf("青穗县第%d粮油有限公司", i*7919%suppliers), "玉米",
		strconv.Itoa(1 + i%90), "吨", fmt.Sprintf("%d,%03d.%02d", yuan/1000, yuan%1000, i%100), fmt.Sprintf("%d.00", yuan/20), day.Format(time.DateOnly),
	}
}

func write(tb testing.TB, form string, n int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "invoices."+form)
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	var (
		row func([]string) error
		end func() error
	)
	if form == "csv" {
		w := csv.NewWriter(f)
		row, end = w.Write, func() error { w.Flush(); return w.Error() }
	} else {
		w, err := sheet.NewWriter(f, "发票", len(header))
		if err != nil {
			tb.Fatal(err)
		}
		row, end = w.Row, w.Close
	}
	err = row(header)
	for i := 0; i < n && err == nil; i++ {
		err = row(invoice(i))
	}
	if err := errors.Join(err, end(), f.Close()); err != nil {
		tb.Fatal(err)
	}
	return path
}

// spent is what a piece of work took.
type spent struct {
	wall, cpu float64 // s
	peak      int     // MiB
}

func (s spent) report(b *testing.B, what string, rows int) {
	b.Helper()
	b.ReportMetric(float64(rows)/s.wall, what+"_rows/s")
	b.ReportMetric(s.wall, what+"_s")
	b.ReportMetric(s.cpu, what+"_cpu_s")
	b.ReportMetric(float64(s.peak), what+"_peak_MiB")
}

func measure(tb testing.TB, work func() error) spent {
	tb.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak of this work alone, where the kernel lets
	began, before := time.Now(), cpu(tb)
	if err := work(); err != nil {
		tb.Fatal(err)
	}
	return spent{time.Since(began).Seconds(), cpu(tb) - before, peak(tb)}
}

func cpu(tb testing.TB) float64 {
	tb.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

func peak(tb testing.TB) int {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		tb.Fatal(err)
	}
	return kib >> 10
}

func BenchmarkImport(b *testing.B) {
	n := size(b)
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, form := range []string{"csv", "xlsx"} {
			b.Run(kind+"/"+form, func(b *testing.B) {
				dsn := "sqlite:" + filepath.Join(b.TempDir(), "furrow.db")
				if kind == "postgres" {
					dsn = storetest.Postgres(b)
				}
				path := write(b, form, n)
				for b.Loop() {
					books(b, storetest.Open(b, dsn), path, n)
				}
			})
		}
	}
}

// books takes a file the whole way: checked, committed, looked at, and once more when all
// of it is known.
func books(b *testing.B, db *store.DB, path string, n int) {
	b.Helper()
	ctx, s := b.Context(), firm.New(db)
	now := func() time.Time { return time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC) }
	if err := s.SaveFirms(ctx, []chain.Party{{ID: "anchor", Tenant: "t", Name: "青穗集团", AnchorOf: true, CreatedAt: now()}}); err != nil {
		b.Fatal(err)
	}
	desk := upload.New(upload.Config{Store: s, Now: now, Patience: time.Hour})
	who := upload.Who{Tenant: "t", AnchorID: "anchor"}
	check := func() (u chain.Upload, err error) {
		f, err := os.Open(path)
		if err != nil {
			return u, err
		}
		defer f.Close()
		return desk.CheckFile(ctx, who, chain.Invoice, filepath.Base(path), f)
	}
	var (
		u   chain.Upload
		err error
	)
	checked := measure(b, func() error { u, err = check(); return err })
	if u.Good != n || u.Bad != 0 {
		b.Fatalf("%d good and %d bad of %d rows: %v", u.Good, u.Bad, n, u.Errors)
	}
	committed := measure(b, func() error { u, err = desk.Commit(ctx, who, u.ID, false); return err })
	if u.State != chain.UploadCommitted {
		b.Fatal(u.State)
	}
	links := 0
	all := measure(b, func() error { return s.AllLinks(ctx, "t", func(chain.Link) error { links++; return nil }) })
	if want := min(n, suppliers); links != want {
		b.Fatalf("%d links, want %d", links, want)
	}
	again := measure(b, func() error { u, err = check(); return err })
	if u.Known != n {
		b.Fatalf("%d of %d rows known", u.Known, n)
	}
	both := spent{checked.wall + committed.wall, checked.cpu + committed.cpu, max(checked.peak, committed.peak)}
	both.report(b, "import", n)
	b.ReportMetric(checked.wall, "check_s")
	b.ReportMetric(checked.cpu, "check_cpu_s")
	b.ReportMetric(committed.wall, "commit_s")
	b.ReportMetric(committed.cpu, "commit_cpu_s")
	b.ReportMetric(all.wall, "all_links_s")
	b.ReportMetric(again.wall, "check_again_s")
}

// BenchmarkPlain is the least that anybody could do: read the CSV, insert the cells as
// they are into a table without any index.
func BenchmarkPlain(b *testing.B) {
	n := size(b)
	path := write(b, "csv", n)
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "plain.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		if err != nil {
			b.Fatal(err)
		}
		measure(b, func() error { return plain(b.Context(), db, raw) }).report(b, "import", n)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func plain(ctx context.Context, db *sql.DB, raw []byte) error {
	if _, err := db.ExecContext(ctx, `create table invoice (a text, b text, c text, d text, e text, f text, g text, h text, i text, j text)`); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(ctx, `insert into invoice values (?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	r := csv.NewReader(bytes.NewReader(raw))
	args := make([]any, len(header))
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return tx.Commit()
		}
		if err != nil {
			return err
		}
		for i, c := range cells {
			args[i] = c
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
}
