// Package cluster finds which of many millions of names mean one firm, without
// comparing each with each: names that share a key meet in a block, and blocks lie
// sorted on the disk.
package cluster

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain/party"
)

// Source hands out names by number. It must be safe for concurrent use.
type Source interface {
	Len() int
	Name(i int) string
}

// Coded is a source that knows credit codes; "" is none. Names with one sound code are
// one firm, names with two codes never are, and none says nothing.
type Coded interface {
	Source
	Code(i int) string
}

// Options of a run; the zero value is ready.
type Options struct {
	Dir      string // for temporary files, "" for the system's
	Workers  int    // 0 means one a core
	MaxBlock int    // a block of more names tells nothing: 0 means 64
	MaxMaybe int    // pairs kept for a person: 0 means 1000
}

// Pair is two names that may mean one firm, with the reason it was left open.
type Pair struct {
	A, B   uint32
	Reason string // "tie", "slip", "code" when their credit codes differ
}

// Result says which names are one firm.
type Result struct {
	First  []uint32 // name → the first name that means the same firm
	Merged map[string]int
	Maybe  []Pair
	Open   int // pairs that were left open, Maybe among them
	Hot    int // blocks that were too large to tell anything
	Keys   int64
}

// Clusters is the number of firms.
func (r *Result) Clusters() (n int) {
	for i, f := range r.First {
		if int(f) == i {
			n++
		}
	}
	return n
}

// kind is what a key is made of.
type kind uint8

const (
	coded kind = iota
	whole
	homeless
	slip
	short
	kinds
)

// entry is a name under a key. Attributes of the name ride along, so that most
// blocks are decided without reading names.
type entry struct {
	key uint64 // the first bits say the shard
	id  uint32
	tag uint32
}

// What a name has: a legal form, a region, something that is no known word.
const (
	formal uint32 = 1 << iota
	homed
	odd
)

// shards are the parts that keys of a kind are kept in, each sorted in memory: one for
// every value of the first bits of the key. A few names need no more than one.
func shards(names int) (bits, n int) {
	if names < 200_000 {
		return 0, 1
	}
	return 6, 64
}

// Names finds the firms of a source. Memory is 4 bytes a name, 8 more of a Coded source,
// a shard of keys for each worker and what the source takes; the rest is on the disk.
func Names(ctx context.Context, src Source, opt Options) (*Result, error) {
	opt.Workers = cmp.Or(opt.Workers, runtime.GOMAXPROCS(0))
	opt.MaxBlock, opt.MaxMaybe = cmp.Or(opt.MaxBlock, 64), cmp.Or(opt.MaxMaybe, 1000)
	dir, err := os.MkdirTemp(opt.Dir, "names-")
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	bits, n := shards(src.Len())
	r := &run{bits: bits, shards: n, Result: Result{First: make([]uint32, src.Len()), Merged: map[string]int{}}, src: src, opt: opt, dir: dir}
	for i := range r.First {
		r.First[i] = uint32(i)
	}
	if src, ok := src.(Coded); ok {
		r.codes = make([]uint64, src.Len())
		for i := range r.codes {
			if code := party.Clean(src.Code(i)); code != "" {
				r.codes[i] = hash(3, code) | 1 // never 0, which is none
			}
		}
	}
	if err := r.spill(ctx); err != nil {
		return nil, err
	}
	for k := range kinds { // the sure ones first: ties are told by what they leave
		if err := r.decide(ctx, k); err != nil {
			return nil, err
		}
	}
	for i := range r.First {
		r.First[i] = r.find(uint32(i))
	}
	return &r.Result, nil
}

// Cost is what a run is going to take.
type Cost struct {
	Time         time.Duration // of one core that has nothing else to do
	Memory, Disk int64         // bytes, without the names themselves
	KeysPerName  float64
}

// sample is how many names an estimate looks at.
const sample = 20_000

// Estimate runs over the first names of a source and says what all of them would
// take. Keys, sorting and blocks grow with the number of names; sorting a shard by
// digits has no logarithm.
func Estimate(ctx context.Context, src Source, opt Options) (Cost, error) {
	n := min(src.Len(), sample)
	if n == 0 {
		return Cost{}, nil
	}
	start := time.Now()
	opt.Workers = 1
	r, err := Names(ctx, head{src, n}, opt)
	if err != nil {
		return Cost{}, err
	}
	times := float64(src.Len()) / float64(n)
	_, parts := shards(src.Len())
	keys := float64(r.Keys) / float64(n)
	return Cost{
		Time: time.Duration(float64(time.Since(start)) * times), KeysPerName: keys,
		Memory: int64(src.Len())*4 + 2*int64(keys*float64(src.Len()))*entryBytes*2/int64(parts),
		Disk:   int64(keys*float64(src.Len())) * entryBytes,
	}, nil
}

type head struct {
	Source
	n int
}

func (h head) Len() int { return h.n }

func (h head) Code(i int) string {
	if src, ok := h.Source.(Coded); ok {
		return src.Code(i)
	}
	return ""
}

type run struct {
	Result
	src Source
	opt Options
	dir string

	bits, shards int
	codes        []uint64 // by first name: hash of the firm's credit code, 0 for none
}

// find returns the first name of a firm, and shortens the way to it.
func (r *run) find(i uint32) uint32 {
	for r.First[i] != i {
		r.First[i] = r.First[r.First[i]]
		i = r.First[i]
	}
	return i
}

func (r *run) union(a, b uint32, why string) {
	a, b = r.find(a), r.find(b)
	if a == b {
		return
	}
	if r.codes != nil {
		x, y := r.codes[a], r.codes[b]
		if x != 0 && y != 0 && x != y {
			r.open(a, b, "code")
			return
		}
		r.codes[min(a, b)] = max(x, y)
	}
	r.First[max(a, b)] = min(a, b)
	r.Merged[why]++
}

func (r *run) open(a, b uint32, why string) {
	if r.Open++; len(r.Maybe) < r.opt.MaxMaybe {
		r.Maybe = append(r.Maybe, Pair{A: min(a, b), B: max(a, b), Reason: why})
	}
}

// keys calls f with each key of a name.
func keys(name string, f func(k kind, key uint64, tag uint32)) {
	k := party.KeysOf(name)
	if k.Whole == "" {
		return // blank names are nobody's
	}
	var tag uint32
	if k.Class != "" {
		tag |= formal
	}
	if k.Region != "" {
		tag |= homed
	}
	if k.Odd {
		tag |= odd
	}
	if k.Class != "" {
		f(whole, hash(0, k.Whole), tag)
		f(homeless, hash(1, k.Homeless), tag)
	}
	for _, s := range k.Shorts {
		f(short, hash(2, s), tag)
	}
	if n := len(k.Text); n >= 6 && n <= 24 {
		// A slip changes one place: without the character there, or one beside it,
		// both names are the same text.
		hashes := deletions(k.Text)
		for i, h := range hashes {
			if !slices.Contains(hashes[:i], h) {
				f(slip, h, tag)
			}
		}
	}
}

func hash(seed uint64, s string) uint64 {
	h := 14695981039346656037 ^ seed*0x9E3779B97F4A7C15
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// deletions returns the hash of the text and of the text without each of its
// characters: polynomial hashes, so that all of them take one pass.
func deletions(text []rune) []uint64 {
	const base = 0x9E3779B97F4A7C15
	n := len(text)
	out := make([]uint64, 0, n+1)
	var suffix [25]uint64 // hash of text[i:], and base to its length
	var power [25]uint64
	power[n] = 1
	for i := n - 1; i >= 0; i-- {
		suffix[i] = suffix[i+1] + mix(uint64(text[i]))*power[i+1]
		power[i] = power[i+1] * base
	}
	prefix := uint64(0)
	for i := range n {
		out = append(out, mix(prefix*power[i+1]+suffix[i+1]))
		prefix = prefix*base + mix(uint64(text[i]))
	}
	return append(out, mix(prefix))
}
