package app_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store/storetest"
)

const (
	// queue is how many borrowers sign at once.
	queue = 50
	// promised is the time from the signature to money at the bank that 99 of 100 see.
	promised = time.Second
	lent     = money.Fen(2_000_000)
)

// BenchmarkFunds has many borrowers sign and draw at the same moment, by HTTP, in a whole
// house: from the signature until their money is at the bank. It fails when the slowest of
// a hundred waits longer than is promised, or when anybody but the borrowers and the house
// had to do something. Run it on a quiet machine:
//
//	go test ./app -run '^$' -bench Funds -benchtime 1x
func BenchmarkFunds(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		funds(b, "sqlite:"+filepath.Join(b.TempDir(), "furrow.db"))
	})
	b.Run("postgres", func(b *testing.B) { funds(b, storetest.Postgres(b)) })
}

func funds(b *testing.B, dsn string) {
	v := &village{town: &town{TB: b, clock: &sim.Clock{}, tenant: "bank", people: map[string]*apptest.Person{}}, dsn: dsn}
	v.clock.Travel(sowing)
	v.bank = bank.New(v.clock.Now)
	v.App = apptest.Start(b, app.Config{Data: b.TempDir(), DB: dsn, Tenant: v.tenant, Now: v.clock.Now, Rail: v.bank})
	v.db = storetest.Open(b, dsn)
	logins := make([]string, queue)
	for i := range logins {
		logins[i] = fmt.Sprintf("borrower%02d", i)
		v.register(access.Borrower, logins[i], "")
		v.as(logins[i])
	}
	var took []time.Duration
	var out money.Fen
	for b.Loop() {
		b.StopTimer()
		ids := v.offers(logins)
		b.StartTimer()
		took = append(took, v.sprint(logins, ids)...)
		b.StopTimer()
		out += lent * queue
		if moved, _ := v.bank.Moved(); moved != out {
			b.Fatalf("the bank paid %s of %s", moved, out)
		}
		for i, id := range ids {
			v.alone(logins[i], id)
		}
		b.StartTimer()
	}
	slices.Sort(took)
	at := func(share float64) time.Duration { return took[int(share*float64(len(took)-1)+0.5)] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(at(0.5))/1e6, "p50-ms")
	b.ReportMetric(float64(at(0.99))/1e6, "p99-ms")
	b.ReportMetric(float64(len(took)), "loans")
	if p99 := at(0.99); p99 > promised {
		b.Errorf("99 of 100 wait up to %v for their money, %v is promised", p99, promised)
	}
}

// offers gives each borrower a new field and an offer on it.
func (v *village) offers(logins []string) []string {
	v.Helper()
	ids := make([]string, len(logins))
	for i, login := range logins {
		p := v.field(login)
		var a apply.Application
		v.as(login).Post("/farmer/applications", apply.Request{
			Subject: credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, Product: "crop", Asked: lent, TermMonths: 6, Purpose: "购买种子",
			Consents: agreed(v, "decision", "crop"),
		}, &a)
		ids[i] = a.ID
	}
	for i, login := range logins {
		if d := v.answered(login, ids[i]); d.Application.Limit < lent {
			v.Fatalf("%s may borrow %s only", login, d.Application.Limit)
		}
	}
	return ids
}

// sprint has all sign and draw at once and says how long each waited.
func (v *village) sprint(logins, ids []string) []time.Duration {
	v.Helper()
	took, failed := make([]time.Duration, len(ids)), make([]error, len(ids))
	hashes := make([]string, len(ids))
	for i, login := range logins {
		var c apply.Contract
		v.as(login).Get("/farmer/applications/"+ids[i]+"/contract", &c)
		hashes[i] = c.Hash
	}
	var ready, all sync.WaitGroup
	start := make(chan struct{})
	for i, login := range logins {
		who, path := v.as(login), "/farmer/applications/"+ids[i]
		ready.Add(1)
		all.Go(func() {
			ready.Done()
			<-start
			began := time.Now()
			if r := who.Try(path+"/sign", map[string]any{"hash": hashes[i], "seen": map[string]any{"rate_confirmed": true, "read_seconds": 30, "read_to_end": true}}); r.Status != 200 {
				failed[i] = fmt.Errorf("signing: %d %s", r.Status, r.Body)
				return
			}
			r := who.Try(path+"/draw", map[string]any{"amount": lent}, "Idempotency-Key", ident.New())
			took[i] = time.Since(began)
			var l loan.Loan
			if err := json.Unmarshal(r.Body, &l); err != nil || r.Status != 200 || l.State != loan.Active {
				failed[i] = fmt.Errorf("drawing: %d %s", r.Status, r.Body)
			}
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	for i, err := range failed {
		if err != nil {
			v.Fatalf("%s: %v", logins[i], err)
		}
	}
	return took
}

// alone says that only the borrower and the house did something for an application.
func (v *village) alone(login, id string) {
	v.Helper()
	var d apply.Detail
	v.as(login).Get("/farmer/applications/"+id, &d)
	for _, s := range d.Steps {
		if s.Actor != "system" && s.Actor != d.Application.UserID {
			v.Errorf("%s had to do something for %s: %+v", s.ActorName, login, s)
		}
	}
}
