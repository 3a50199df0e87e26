package cluster

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/chain/party"
)

const entryBytes = 16

// spill writes the keys of all names into files by kind and shard.
func (r *run) spill(ctx context.Context) error {
	files := make([]*spillFile, int(kinds)*r.shards)
	for i := range files {
		f, err := os.Create(filepath.Join(r.dir, fmt.Sprintf("%d-%02d", i/r.shards, i%r.shards)))
		if err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
		files[i] = &spillFile{f: f}
	}
	const part = 4096
	n := r.src.Len()
	next := make(chan int)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(next)
		for at := 0; at < n; at += part {
			select {
			case next <- at:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range r.opt.Workers {
		g.Go(func() error { return r.write(next, files, part) })
	}
	err := g.Wait()
	for _, f := range files {
		r.Keys += f.n
		if e := f.f.Close(); err == nil && e != nil {
			err = fmt.Errorf("cluster: %w", e)
		}
	}
	return err
}

type spillFile struct {
	mu sync.Mutex
	f  *os.File
	n  int64
}

// write makes the keys of parts of the names, and keeps them in buffers of its own.
func (r *run) write(parts <-chan int, files []*spillFile, part int) error {
	buffers := make([][]byte, len(files))
	flush := func(i int) error {
		files[i].mu.Lock()
		defer files[i].mu.Unlock()
		files[i].n += int64(len(buffers[i]) / entryBytes)
		_, err := files[i].f.Write(buffers[i])
		buffers[i] = buffers[i][:0]
		if err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
		return nil
	}
	var err error
	for at := range parts {
		for i := at; i < min(at+part, r.src.Len()); i++ {
			take := func(k kind, key uint64, tag uint32) {
				to := int(k)*r.shards + int(key>>(64-r.bits))
				b := binary.LittleEndian.AppendUint64(buffers[to], key)
				b = binary.LittleEndian.AppendUint32(b, uint32(i))
				buffers[to] = binary.LittleEndian.AppendUint32(b, tag)
				if len(buffers[to]) >= 32<<10 {
					if e := flush(to); e != nil && err == nil {
						err = e
					}
				}
			}
			if src, ok := r.src.(Coded); ok && party.Check(src.Code(i)).Status != party.Bad {
				take(coded, r.codes[i], 0)
			}
			keys(r.src.Name(i), take)
		}
		if err != nil {
			return err
		}
	}
	for i := range buffers {
		if err := flush(i); err != nil {
			return err
		}
	}
	return nil
}

// decide goes through the blocks of a kind. Shards are sorted side by side and taken
// in order, so that the result is the same on any number of cores.
func (r *run) decide(ctx context.Context, k kind) error {
	type sorted struct {
		entries []entry
		err     error
	}
	ready := make([]chan sorted, r.shards)
	for i := range ready {
		ready[i] = make(chan sorted, 1)
	}
	slots := make(chan struct{}, r.opt.Workers)
	go func() {
		for i := range r.shards {
			slots <- struct{}{}
			go func() {
				e, err := r.load(k, i)
				ready[i] <- sorted{e, err}
			}()
		}
	}()
	var failed error
	for i := range r.shards {
		s := <-ready[i]
		<-slots
		if failed == nil {
			failed = s.err
		}
		if failed == nil {
			failed = ctx.Err()
		}
		if failed == nil {
			r.blocks(k, s.entries)
		}
	}
	return failed
}

func (r *run) load(k kind, shard int) ([]entry, error) {
	f, err := os.Open(filepath.Join(r.dir, fmt.Sprintf("%d-%02d", k, shard)))
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	out := make([]entry, info.Size()/entryBytes)
	in, b := bufio.NewReaderSize(f, 1<<20), [entryBytes]byte{}
	for i := range out {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		out[i] = entry{key: binary.LittleEndian.Uint64(b[:]), id: binary.LittleEndian.Uint32(b[8:]), tag: binary.LittleEndian.Uint32(b[12:])}
	}
	return bySortedKey(out), nil
}

// bySortedKey sorts by key and then name, by digits: first by names, which come nearly
// in order, then by the key but its last 14 bits, which at a hundred million keys still
// leaves less than one chance that two texts share a block.
func bySortedKey(a []entry) []entry {
	b := make([]entry, len(a))
	pass := func(digit func(entry) uint32) {
		var count [1 << 11]int
		for _, e := range a {
			count[digit(e)]++
		}
		at := 0
		for i, n := range count {
			count[i], at = at, at+n
		}
		for _, e := range a {
			d := digit(e)
			b[count[d]] = e
			count[d]++
		}
		a, b = b, a
	}
	for shift := 0; shift < 32; shift += 11 {
		pass(func(e entry) uint32 { return e.id >> shift & (1<<11 - 1) })
	}
	for shift := 14; shift < 64; shift += 11 {
		pass(func(e entry) uint32 { return uint32(e.key>>shift) & (1<<11 - 1) })
	}
	return a
}

// blocks hands on what shares a key.
func (r *run) blocks(k kind, e []entry) {
	const mask = ^uint64(1<<14 - 1)
	for from := 0; from < len(e); {
		to := from + 1
		for to < len(e) && e[to].key&mask == e[from].key&mask {
			to++
		}
		if block := e[from:to]; len(block) > 1 {
			switch {
			case k == coded:
				for _, o := range block[1:] {
					r.union(block[0].id, o.id, "code")
				}
			case k == whole:
				r.whole(block)
			case len(block) > r.opt.MaxBlock:
				r.Hot++
			case k == homeless:
				r.homeless(block)
			case k == slip:
				r.slip(block)
			case k == short:
				r.short(block)
			}
		}
		from = to
	}
}

// whole joins names that differ in their form at most. Where they have several codes,
// those without one may be any of them: they are one firm, beside the others.
func (r *run) whole(block []entry) {
	first, one, several := map[uint64]uint32{}, uint64(0), false
	for _, e := range block {
		if c := r.code(e.id); c != 0 && one == 0 {
			one = c
		} else if c != 0 && c != one {
			several = true
		}
	}
	for _, e := range block {
		c := uint64(0)
		if several {
			c = r.code(e.id)
		}
		if at, ok := first[c]; ok {
			r.union(at, e.id, "form")
			continue
		}
		first[c] = e.id
		if e.id != block[0].id {
			r.open(block[0].id, e.id, "code")
		}
	}
}

// code returns the hash of the credit code of a name's firm, 0 for none.
func (r *run) code(id uint32) uint64 {
	if r.codes == nil {
		return 0
	}
	return r.codes[r.find(id)]
}

// homeless joins names without a region to the only firm of that name that has one.
func (r *run) homeless(block []entry) {
	one, ok := r.only(block, homed)
	for _, e := range block {
		switch {
		case e.tag&homed != 0:
		case ok:
			r.union(one, e.id, "region")
		case one != none:
			r.open(one, e.id, "tie")
		}
	}
}

// short joins short names to the only firm that goes by them.
func (r *run) short(block []entry) {
	one, ok := r.only(block, formal)
	for _, e := range block {
		switch {
		case e.tag&formal != 0:
		case ok:
			r.union(one, e.id, "short")
		case one != none:
			r.open(one, e.id, "tie")
		}
	}
}

const none = ^uint32(0)

// only returns the first name with the tag, and whether all with it are one firm.
func (r *run) only(block []entry, tag uint32) (uint32, bool) {
	one := none
	for _, e := range block {
		if e.tag&tag == 0 {
			continue
		}
		if one == none {
			one = e.id
		} else if r.find(one) != r.find(e.id) {
			return one, false
		}
	}
	return one, one != none
}

// slip joins a name whose words are broken to the only whole one that it is one slip
// of the pen away from. Two whole names that differ in one character are two firms
// more often than not, and stay open.
func (r *run) slip(block []entry) {
	var odds int
	for _, e := range block {
		if e.tag&odd != 0 {
			odds++
		}
	}
	if odds == 0 || odds == len(block) {
		return
	}
	text := make([][]rune, len(block))
	for i, e := range block {
		text[i] = party.KeysOf(r.src.Name(int(e.id))).Text
	}
	for i, a := range block {
		if a.tag&odd == 0 {
			continue
		}
		near := none
		tie := false
		for j, b := range block {
			if b.tag&odd != 0 || !oneSlip(text[i], text[j]) {
				continue
			}
			if near == none {
				near = b.id
			} else if r.find(near) != r.find(b.id) {
				tie = true
			}
		}
		switch {
		case near == none:
		case tie:
			r.open(near, a.id, "tie")
		default:
			r.union(near, a.id, "slip")
		}
	}
}

// oneSlip says that the texts differ by one character dropped, added, or changed
// places with its neighbour; one for another is a different word.
func oneSlip(a, b []rune) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	same := func(x, y []rune) bool { return string(x) == string(y) }
	switch len(a) - len(b) {
	case 0:
		return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && same(a[i+2:], b[i+2:])
	case 1:
		return same(a[i+1:], b[i:])
	case -1:
		return same(a[i:], b[i+1:])
	}
	return false
}
