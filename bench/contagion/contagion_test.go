// Package contagionbench measures the index of supply, DebtRank and clearing beside the plain way to reckon
// it: all links in every round, from the same formulas, until no loss grows by more
// than the same tolerance. Rates are per second of processor time, in one run on one
// machine; results must agree.
//
//	go test -run '^$' -bench . -benchtime 1x ./bench/contagion
package contagionbench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain/contagion"
)

// network has few firms that buy much and many that buy little, 300 sectors, and
// inputs of all three kinds.
func network(n, m int) ([]contagion.Firm, []contagion.Link) {
	rng := rand.New(rand.NewPCG(1, 2))
	firms := make([]contagion.Firm, n)
	for i := range firms {
		firms[i] = contagion.Firm{ID: fmt.Sprint(i), Sector: fmt.Sprintf("s%03d", rng.IntN(300))}
	}
	links := make([]contagion.Link, 0, m)
	for len(links) < m {
		u, v := rng.Float64(), rng.Float64()
		l := contagion.Link{
			Supplier: uint32(float64(n) * v * v), Buyer: uint32(float64(n) * u * u * u),
			Amount: math.Exp(2 * rng.NormFloat64()), Need: contagion.Need(rng.IntN(3)),
		}
		if l.Supplier != l.Buyer {
			links = append(links, l)
		}
	}
	return firms, links
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plain holds what the plain way needs of a network.
type plain struct {
	links        []contagion.Link
	sector       []int
	sold, bought []float64
	given        []float64 // of each link: essential inputs of its buyer from its supplier's sector
	group        []int     // of each link: number of that group
	groups       int
	tolerance    float64
}

func newPlain(firms []contagion.Firm, links []contagion.Link, tolerance float64) *plain {
	p := &plain{links: links, tolerance: tolerance, sold: make([]float64, len(firms)), bought: make([]float64, len(firms))}
	number := map[string]int{}
	for _, f := range firms {
		if _, ok := number[f.Sector]; !ok {
			number[f.Sector] = len(number)
		}
		p.sector = append(p.sector, number[f.Sector])
	}
	key := map[[2]int]int{}
	var sums []float64
	for _, l := range links {
		p.sold[l.Supplier] += l.Amount
		p.bought[l.Buyer] += l.Amount
		k := [2]int{int(l.Buyer), p.sector[l.Supplier]}
		if _, ok := key[k]; !ok {
			key[k] = len(sums)
			sums = append(sums, 0)
		}
		p.group = append(p.group, key[k])
		if l.Need == contagion.Essential {
			sums[key[k]] += l.Amount
		}
	}
	for _, g := range p.group {
		p.given = append(p.given, sums[g])
	}
	p.groups = len(sums)
	return p
}

// index reckons the index of one firm.
func (p *plain) index(struck int) float64 {
	down, up := p.spread(struck, p.downstream), p.spread(struck, p.upstream)
	lost, all := 0.0, 0.0
	for i, s := range p.sold {
		lost += s * max(down[i], up[i])
		all += s
	}
	return lost / all
}

func (p *plain) spread(struck int, round func(loss, next []float64)) []float64 {
	loss, next := make([]float64, len(p.sold)), make([]float64, len(p.sold))
	loss[struck] = 1
	for {
		clear(next)
		round(loss, next)
		next[struck] = 1
		most := 0.0
		for i := range next {
			most = max(most, next[i]-loss[i])
		}
		loss, next = next, loss
		if most <= p.tolerance {
			return loss
		}
	}
}

func (p *plain) upstream(loss, next []float64) {
	for _, l := range p.links {
		next[l.Supplier] += l.Amount / p.sold[l.Supplier] * loss[l.Buyer]
	}
}

func (p *plain) downstream(loss, next []float64) {
	left := make([]float64, len(p.sold))
	for i, s := range p.sold {
		left[p.sector[i]] += s * (1 - loss[i])
	}
	lacks, rest := make([]float64, p.groups), make([]float64, len(p.sold))
	for k, l := range p.links {
		felt := loss[l.Supplier]
		if s := p.sold[l.Supplier]; s < left[p.sector[l.Supplier]] {
			felt *= s / left[p.sector[l.Supplier]]
		}
		switch l.Need {
		case contagion.Essential:
			lacks[p.group[k]] += l.Amount / p.given[k] * felt
			next[l.Buyer] = max(next[l.Buyer], lacks[p.group[k]])
		case contagion.Useful:
			rest[l.Buyer] += l.Amount / p.bought[l.Buyer] * felt
			next[l.Buyer] = max(next[l.Buyer], rest[l.Buyer])
		case contagion.Negligible:
		}
	}
}

// BenchmarkIndex reckons the index of a sample of 10,000 firms, one after the other as
// for all, and compares with the plain way.
func BenchmarkIndex(b *testing.B) {
	const n, m, sample, tolerance = 10_000, 40_000, 20, 1e-10
	firms, links := network(n, m)
	net, err := contagion.NewNetwork(firms, links)
	if err != nil {
		b.Fatal(err)
	}
	p := newPlain(firms, links, tolerance)
	for range b.N {
		var ours, theirs time.Duration
		worst := 0.0
		for k := range sample {
			i := k * n / sample
			start := processor()
			res, err := net.Run(b.Context(), []contagion.Shock{{FirmID: firms[i].ID, Part: 1}}, contagion.Params{Tolerance: tolerance, Workers: 1})
			if err != nil || !res.Converged {
				b.Fatal(err)
			}
			middle := processor()
			worst = max(worst, math.Abs(p.index(i)-res.Part))
			ours, theirs = ours+middle-start, theirs+processor()-middle
		}
		ratio := theirs.Seconds() / ours.Seconds()
		b.ReportMetric(sample/ours.Seconds(), "firms/core-s")
		b.ReportMetric(sample/theirs.Seconds(), "plain-firms/core-s")
		b.ReportMetric(ratio, "times-plain")
		b.ReportMetric(worst, "largest-difference")
		if worst > 1e-7 || ratio < 2 {
			b.Errorf("%.1f times the plain way, promised 2; largest difference %g", ratio, worst)
		}
	}
}

// BenchmarkShock stops one anchor among a million firms with six million links.
func BenchmarkShock(b *testing.B) {
	firms, links := network(1_000_000, 6_000_000)
	start := processor()
	net, err := contagion.NewNetwork(firms, links)
	if err != nil {
		b.Fatal(err)
	}
	build := processor() - start
	for range b.N {
		for _, c := range []struct {
			id        string
			tolerance float64
		}{{"0", 1e-10}, {"0", 1e-6}, {"1000", 1e-6}, {"999999", 1e-6}} {
			start, clock := processor(), time.Now()
			res, err := net.Run(b.Context(), []contagion.Shock{{FirmID: c.id, Part: 1}}, contagion.Params{Tolerance: c.tolerance})
			if err != nil || !res.Converged {
				b.Fatal(err)
			}
			took, wall := processor()-start, time.Since(clock)
			start = processor()
			top := res.Losses(0.01, 50)
			b.Logf("firm %s, tolerance %g: index %.6f, %d firms touched, %d rounds: %.2f core-s, %.2f s; first %d with reasons %.3f core-s",
				c.id, c.tolerance, res.Part, res.Firms, res.Rounds, took.Seconds(), wall.Seconds(), len(top), (processor() - start).Seconds())
		}
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	b.ReportMetric(build.Seconds(), "build-core-s")
	b.ReportMetric(float64(mem.HeapAlloc>>20), "MiB-held")
	runtime.KeepAlive(net)
}
