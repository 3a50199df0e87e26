package ledgerbench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/internal/benchtable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

// book holds what the benchmarks of the run found.
var book benchtable.Book

func TestMain(m *testing.M) { os.Exit(book.Run(m)) }

const (
	batch   = 1000
	posters = 2  // who post batches
	callers = 64 // who post one by one
	loans   = 20_000
)

// The targets on two cores: postings a second, and how many times the plain inserts' time
// the ledger may take.
const (
	wantBatches  = 5000
	wantOneByOne = 1000
	mostTimes    = 2.5
)

var chart = ledger.Chart{{Code: "cash", Class: ledger.Asset}, {Code: "loan_principal", Class: ledger.Asset, Limit: ledger.CreditsLimited}}

// entries are drawdowns that all go out of one hot account.
func entries(tenant string, n int) []ledger.Entry {
	ids := make([]string, loans)
	for i := range ids {
		ids[i] = ident.New()
	}
	today := money.DateOf(time.Now())
	out := make([]ledger.Entry, n)
	for i := range out {
		id, amount := ids[i%loans], money.Fen(100+i%9000)
		out[i] = ledger.Entry{
			Tenant: tenant, Key: fmt.Sprintf("draw:%s:%07d", id, i), Kind: "draw", Item: id, Date: today,
			Postings: []ledger.Posting{{Account: "loan_principal", Item: id, Amount: amount}, {Account: "cash", Amount: -amount}},
		}
	}
	return out
}

func count(tb testing.TB) int {
	tb.Helper()
	s := os.Getenv("FURROW_BENCH_ENTRIES")
	if s == "" {
		return 100_000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < callers*batch/10 {
		tb.Fatalf("FURROW_BENCH_ENTRIES is %q", s)
	}
	return n
}

// each runs body on both databases; open gives a fresh one.
func each(b *testing.B, body func(b *testing.B, name string, open func() *store.DB)) {
	b.Run("postgres", func(b *testing.B) {
		body(b, "PostgreSQL", func() *store.DB { return storetest.Open(b, storetest.Postgres(b)) })
	})
	b.Run("sqlite", func(b *testing.B) {
		body(b, "SQLite", func() *store.DB { return storetest.Open(b, "sqlite:"+filepath.Join(b.TempDir(), "f.db")) })
	})
}

// race has several do the parts of a work at once and gives the time of all.
func race(b *testing.B, workers, parts int, do func(part int) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return
				}
				if err := do(part); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// rows are what the ledger wrote, for the plain inserts.
type rows struct {
	tenant  string
	entries []ledger.Entry
}

func written(b *testing.B, db *store.DB, tenant string) rows {
	b.Helper()
	out := rows{tenant: tenant}
	err := ledgerstore.New(db).Read(context.Background(), tenant, func(r ledger.Reader) error {
		return r.EachEntry(context.Background(), func(e ledger.Entry) error { out.entries = append(out.entries, e); return nil })
	})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func verify(b *testing.B, book *ledger.Service, tenant string, n int) {
	b.Helper()
	audit, err := book.Verify(context.Background(), tenant)
	if err != nil || !audit.OK() || audit.Entries != int64(n) {
		b.Fatalf("after the run: %d entries, %v %v", audit.Entries, audit.Faults, err)
	}
}

func BenchmarkLedger(b *testing.B) {
	table := book.Page("The ledger, two postings an entry, one account in all of them", "entries", "best time", "entries a second", "CPU a second", "times plain inserts")
	each(b, func(b *testing.B, name string, open func() *store.DB) {
		n, turns := count(b), benchtable.Turns(b, 3)
		single := n / 10
		var batches, plain, ones, plainOnes measured
		for turn := range turns {
			tenant, db := fmt.Sprint("t", turn), open()
			books, work := ledger.New(ledgerstore.New(db), chart, time.Now), entries(tenant, n)
			ctx := context.Background()
			batches.best(func() time.Duration {
				return race(b, posters, n/batch, func(part int) error {
					_, err := books.PostAll(ctx, work[part*batch:(part+1)*batch])
					return err
				})
			})
			verify(b, books, tenant, n/batch*batch)
			all := written(b, db, tenant)
			bare := open()
			plain.best(func() time.Duration {
				return race(b, posters, n/batch, func(part int) error { return all.insert(ctx, bare, part*batch, (part+1)*batch) })
			})

			tenant, db = tenant+"s", open()
			books, work = ledger.New(ledgerstore.New(db), chart, time.Now), entries(tenant, single)
			ones.best(func() time.Duration {
				return race(b, callers, single, func(i int) error {
					_, err := books.Post(ctx, work[i])
					return err
				})
			})
			verify(b, books, tenant, single)
			all, bare = written(b, db, tenant), open()
			plainOnes.best(func() time.Duration {
				return race(b, callers, single, func(i int) error { return all.insert(ctx, bare, i, i+1) })
			})
		}
		row := func(what string, m, peer measured, n, want int) {
			perSecond, times := float64(n)/m.took.Seconds(), m.took.Seconds()/peer.took.Seconds()
			target, missed := "", false
			if name == "PostgreSQL" {
				target = fmt.Sprintf("at least %d a second, at most %.1f times", want, mostTimes)
				missed = perSecond < float64(want) || times > mostTimes
			}
			table.Add(b, benchtable.Row{What: name + ", " + what, Values: []string{
				strconv.Itoa(n), m.took.Round(time.Millisecond).String(), fmt.Sprintf("%.0f", perSecond), fmt.Sprintf("%.2f", m.cpu.Seconds()/m.took.Seconds()), fmt.Sprintf("%.2f", times),
			}, Target: target, Missed: missed})
		}
		row(fmt.Sprintf("batches of %d", batch), batches, plain, n/batch*batch, wantBatches)
		row(fmt.Sprintf("one by one, %d callers", callers), ones, plainOnes, single, wantOneByOne)
		table.Add(b, benchtable.Row{What: name + ", plain inserts in batches", Values: plain.values(n / batch * batch)})
		table.Add(b, benchtable.Row{What: name + ", plain inserts one by one", Values: plainOnes.values(single)})
	})
}

// measured is the best of some turns.
type measured struct{ took, cpu time.Duration }

func (m *measured) best(run func() time.Duration) {
	before := benchtable.CPU()
	took := run()
	cpu := benchtable.CPU() - before
	if m.took == 0 || took < m.took {
		m.took, m.cpu = took, cpu
	}
}

func (m *measured) values(n int) []string {
	return []string{strconv.Itoa(n), m.took.Round(time.Millisecond).String(), fmt.Sprintf("%.0f", float64(n)/m.took.Seconds()), fmt.Sprintf("%.2f", m.cpu.Seconds()/m.took.Seconds()), "1"}
}
