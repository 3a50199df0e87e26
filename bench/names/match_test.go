package names

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/internal/benchtable"
)

// BenchmarkMatch finds names in a registry beside the plain way: the cosine of the
// bigrams of characters, weighed by how rare they are.
func BenchmarkMatch(b *testing.B) {
	s := book.Page("Names against a registry of 20000 firms", "CPU a name", "CPU a pair read", "right")
	const n = 25_000
	src, truth := hold(b, n)
	var entries []party.Entry
	var firms, asked []int
	for i := range n {
		if truth.Firm(i) == i {
			entries, firms = append(entries, party.Entry{Name: src.Name(i)}), append(firms, i)
		} else if len(asked) < 1000 {
			asked = append(asked, i)
		}
	}
	m := party.NewIndex(entries).Matcher()
	start, right := benchtable.CPU(), 0
	for _, i := range asked {
		if got := m.Match(src.Name(i)); got.Best >= 0 && firms[got.Best] == truth.Firm(i) {
			right++
		}
	}
	ours := benchtable.CPU() - start
	s.Add(b, benchtable.Row{What: "noisy channel", Values: []string{
		perName(ours, len(asked)), fmt.Sprintf("%.0f ns", float64(ours.Nanoseconds())/float64(len(asked)*party.Readings)), fmt.Sprintf("%.4f", float64(right)/float64(len(asked))),
	}})
	p := newPlain(entries)
	start, right = benchtable.CPU(), 0
	few := asked[:100]
	for _, i := range few {
		if firms[p.best(src.Name(i))] == truth.Firm(i) {
			right++
		}
	}
	plain := benchtable.CPU() - start
	s.Add(b, benchtable.Row{What: "bigram cosine, every pair", Values: []string{
		perName(plain, len(few)), fmt.Sprintf("%.0f ns", float64(plain.Nanoseconds())/float64(len(few)*len(entries))), fmt.Sprintf("%.4f", float64(right)/float64(len(few))),
	}})
	pairs := time.Duration(float64(plain.Nanoseconds()) / float64(len(few)*len(entries)) * 21e6 * 21e6 / 2)
	s.Add(b, benchtable.Row{What: "bigram cosine, 21 million against themselves", Values: []string{fmt.Sprintf("%.0f CPU years", pairs.Hours()/24/365), "", ""}})
}

type plain struct {
	weight  map[string]float64
	vectors []map[string]float64
}

func newPlain(entries []party.Entry) *plain {
	p := &plain{weight: map[string]float64{}}
	for _, e := range entries {
		for g := range grams(e.Name) {
			p.weight[g]++
		}
	}
	for g, n := range p.weight {
		p.weight[g] = math.Log(float64(len(entries)) / n)
	}
	for _, e := range entries {
		p.vectors = append(p.vectors, p.vector(e.Name))
	}
	return p
}

func grams(name string) map[string]float64 {
	out, r := map[string]float64{}, []rune(party.Normalise(name))
	for i := range r {
		out[string(r[i])]++
		if i > 0 {
			out[string(r[i-1:i+1])]++
		}
	}
	return out
}

func (p *plain) vector(name string) map[string]float64 {
	v, sum := grams(name), 0.0
	for g := range v {
		v[g] *= p.weight[g]
		sum += v[g] * v[g]
	}
	for g := range v {
		v[g] /= math.Sqrt(sum)
	}
	return v
}

func (p *plain) best(name string) (at int) {
	v, most := p.vector(name), -1.0
	for i, u := range p.vectors {
		dot := 0.0
		for g, x := range v {
			dot += x * u[g]
		}
		if dot > most {
			at, most = i, dot
		}
	}
	return at
}
