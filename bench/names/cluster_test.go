package names

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/party/cluster"
	"github.com/furrowcredit/furrow/chain/party/partytest"
	"github.com/furrowcredit/furrow/internal/benchtable"
)

// held keeps made-up names as a table of firms would: one block of text.
type held struct {
	text []byte
	end  []uint32
}

func hold(b *testing.B, n int) (*held, *partytest.Names) {
	b.Helper()
	src, err := partytest.New(n)
	if err != nil {
		b.Fatal(err)
	}
	h := &held{end: make([]uint32, 1, n+1)}
	for i := range n {
		h.text = append(h.text, src.Name(i)...)
		h.end = append(h.end, uint32(len(h.text)))
	}
	return h, src
}

func (h *held) Len() int          { return len(h.end) - 1 }
func (h *held) Name(i int) string { return string(h.text[h.end[i]:h.end[i+1]]) }

// BenchmarkCluster matches names against themselves at growing sizes, to show that the
// cost of a name does not grow with them, and says what 21 million would take.
// FURROW_BENCH_NAMES adds a size.
func BenchmarkCluster(b *testing.B) {
	s := book.Page("Names against themselves", "CPU", "CPU a name", "wall", "foretold time", "most memory", "keys a name", "found", "wrong", "firms")
	sizes := []int{500_000, 1_000_000, 2_000_000}
	if n, err := strconv.Atoi(os.Getenv("FURROW_BENCH_NAMES")); err == nil {
		sizes = append(sizes, n)
	}
	var last, first float64
	for _, n := range sizes {
		src, truth := hold(b, n)
		opt := cluster.Options{Dir: b.TempDir()}
		cost, err := cluster.Estimate(b.Context(), src, opt)
		if err != nil {
			b.Fatal(err)
		}
		start, began := benchtable.CPU(), time.Now()
		r, err := cluster.Names(b.Context(), src, opt)
		if err != nil {
			b.Fatal(err)
		}
		took := benchtable.CPU() - start
		found, wrong := score(truth, r)
		last = took.Seconds() / float64(n)
		if first == 0 {
			first = last
		}
		s.Add(b, benchtable.Row{What: strconv.Itoa(n), Values: []string{
			took.Round(time.Millisecond).String(), perName(took, n), time.Since(began).Round(time.Millisecond).String(),
			cost.Time.Round(time.Second).String(), mib(benchtable.Resident()), fmt.Sprintf("%.1f", float64(r.Keys)/float64(n)),
			fmt.Sprintf("%.4f", found), fmt.Sprintf("%.5f", wrong), strconv.Itoa(r.Clusters()),
		}})
	}
	// The cost of a name grows a little from size to size; it is taken to grow so on, and
	// the second core not to help.
	const all = 21_000_000
	growth := last / first
	each := last * growth * growth
	total := time.Duration(each * all * float64(time.Second))
	s.Add(b, benchtable.Row{What: "21000000, foretold", Values: []string{
		total.Round(time.Second).String(), fmt.Sprintf("%.2f µs", each*1e6), total.Round(time.Second).String(), "", "", "", "", "", "",
	}, Target: "an hour", Missed: total > time.Hour})
}

// score returns the share of other writings that found their firm, and of those joined
// that found a wrong one.
func score(truth *partytest.Names, r *cluster.Result) (found, wrong float64) {
	whole := func(i int) string { return party.KeysOf(truth.Name(truth.Firm(i))).Whole }
	var others, right, bad, joined int
	for i, first := range r.First {
		if i%37 > 4 { // a sample: the truth costs as much as the answer
			continue
		}
		joins := int(first) != i
		same := joins && whole(i) == whole(int(first))
		if joins {
			joined++
		}
		if joins && !same {
			bad++
		}
		if truth.Firm(i) != i {
			others++
			if first == r.First[truth.Firm(i)] {
				right++
			}
		}
	}
	return float64(right) / float64(max(others, 1)), float64(bad) / float64(max(joined, 1))
}
