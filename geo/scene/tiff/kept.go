package tiff

// square is the side of the squares of pixels in which rasters are mostly read.
const square = 1024

// keep is how many bytes of blocks serve whoever reads windows row by row over the
// whole width, or square by square, of all bands in turn, so that no block is
// decoded twice.
func (f *File) keep() int {
	row := f.across * f.bytes
	down := min(f.down, (square+f.blockH-1)/f.blockH)
	across := min(f.across, (square+f.blockW-1)/f.blockW)
	return max(row, across*down*f.bytes) * (f.Bands / f.perBlock)
}

// kept are decoded blocks that other windows or bands will ask for: the youngest, as
// many as its limit.
type kept struct {
	limit  int
	blocks map[int]*[]byte
	order  []int // ids, a ring once it is full
	next   int   // the oldest in the ring
}

func (k *kept) get(id int) ([]byte, bool) {
	b, ok := k.blocks[id]
	if !ok {
		return nil, false
	}
	return *b, true
}

// room makes room for a block, in the memory of the oldest once there are enough.
func (k *kept) room(id int) *[]byte {
	if k.blocks == nil {
		k.blocks = map[int]*[]byte{}
	}
	if len(k.order) < k.limit {
		b := new([]byte)
		k.blocks[id], k.order = b, append(k.order, id)
		return b
	}
	old := k.order[k.next]
	b := k.blocks[old]
	delete(k.blocks, old)
	if b == nil { // it was dropped
		b = new([]byte)
	}
	k.blocks[id], k.order[k.next] = b, id
	k.next = (k.next + 1) % k.limit
	return b
}

// drop forgets a block that could not be read.
func (k *kept) drop(id int) { delete(k.blocks, id) }
