package telemetry

import (
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/iot"
)

// head holds the blocks that are not in chunks yet, and finds the readings of a tag
// in them. It is only ever added to, so that a view of it stays true.
type head struct {
	blocks   []block
	entries  []entry
	last     map[key]int32 // newest entry of the tag
	bytes    int64
	segments []string // files of the journal that hold the blocks
}

// entry is one reading: its row, and the entry of the same tag before it (-1: none).
type entry struct {
	block, row uint32
	before     int32
}

func newHead() *head { return &head{last: make(map[key]int32)} }

func (h *head) enter(k key, row uint32) {
	before, ok := h.last[k]
	if !ok {
		before = -1
		k = key{strings.Clone(k.tenant), strings.Clone(k.tag)} // the caller's may be part of something large
	}
	h.last[k] = int32(len(h.entries))
	h.entries = append(h.entries, entry{uint32(len(h.blocks)), row, before})
}

// add takes the block of readings, whose rows begin at the offsets.
func (h *head) add(b block, size int, readings []iot.Reading, offsets []uint32) {
	for i := range readings {
		h.enter(key{readings[i].Tenant, readings[i].Tag}, offsets[i])
	}
	h.blocks = append(h.blocks, b)
	h.bytes += int64(size)
}

// replay takes a block of the journal.
func (h *head) replay(body []byte) error {
	b, err := openBlock(body)
	if err != nil {
		return err
	}
	var p point
	for at := 0; at < len(b.rows); {
		tenant, tag, next, err := b.row(at, &p)
		if err != nil {
			return err
		}
		h.enter(key{tenant, string(tag)}, uint32(at))
		at = next
	}
	h.blocks = append(h.blocks, b)
	h.bytes += int64(len(body))
	return nil
}

// view is a head at a moment.
type view struct {
	blocks  []block
	entries []entry
}

func (h *head) view() view { return view{h.blocks, h.entries} }

// points appends the readings of the tag whose newest entry is last, in the order of
// their writing.
func (v *view) points(to []point, last int32) ([]point, error) {
	first := len(to)
	for i := last; i >= 0; i = v.entries[i].before {
		e := v.entries[i]
		to = append(to, point{})
		if _, _, _, err := v.blocks[e.block].row(int(e.row), &to[len(to)-1]); err != nil {
			return to, err
		}
	}
	slices.Reverse(to[first:])
	return to, nil
}
