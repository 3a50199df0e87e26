package contagion

import (
	"cmp"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// Network is a supply network made ready for shocks: 24 bytes a link and about 50 a
// firm, immutable, read by any number of goroutines.
type Network struct {
	firms  []Firm
	byID   map[string]uint32
	sector []uint32  // of each firm
	volume []float64 // yearly output of each firm, the larger of Size and its visible sales
	output []float64 // of each sector
	total  float64   // of all firms
	in     rows      // suppliers of each buyer, in groups
	out    rows      // buyers of each supplier
}

// rows are weighted neighbours in compressed rows. In the suppliers of a buyer the
// first of each group carries newGroup, those that are not essential carry useful.
type rows struct {
	start []uint32
	to    []uint32
	share []float64
}

const (
	newGroup uint32 = 1 << 31
	useful   uint32 = 1 << 30
	idMask          = useful - 1
)

func (r rows) of(v uint32) (to []uint32, share []float64) {
	a, b := r.start[v], r.start[v+1]
	return r.to[a:b], r.share[a:b]
}

// NewNetwork checks firms and links and builds their network. ErrTwice, ErrFirm,
// ErrSelf, ErrAmount, ErrOwners and ErrTooMany say what is wrong.
//
// Shares follow Diem et al. 2022: of an essential input what a supplier gives of all
// essential inputs of its sector to the buyer, of others what it gives of all inputs.
func NewNetwork(firms []Firm, links []Link) (*Network, error) {
	if len(firms) >= maxFirms || len(links) >= math.MaxUint32 {
		return nil, ErrTooMany.With("count", max(len(firms), len(links))).With("max", maxFirms-1)
	}
	n := &Network{firms: firms, byID: make(map[string]uint32, len(firms)), volume: make([]float64, len(firms))}
	for i, f := range firms {
		if f.ID == "" {
			return nil, ErrFirm.With("id", `""`)
		}
		if _, ok := n.byID[f.ID]; ok {
			return nil, ErrTwice.With("id", f.ID)
		}
		if !(f.Size >= 0) || math.IsInf(f.Size, 0) {
			return nil, ErrAmount.With("value", f.Size).With("what", "size of "+f.ID).With("why", "give 0 or more")
		}
		n.byID[f.ID] = uint32(i)
	}
	if _, bad := checkOwners(firms, n.byID); bad != nil {
		return nil, bad
	}
	if err := n.checkLinks(links); err != nil {
		return nil, err
	}
	n.nameSectors()
	n.out = pack(len(firms), links, func(l Link) (uint32, uint32, float64) { return l.Supplier, l.Buyer, l.Amount })
	n.measure()
	n.in = pack(len(firms), links, func(l Link) (uint32, uint32, float64) {
		return l.Buyer, l.Supplier | uint32(l.Need)<<30, l.Amount
	})
	n.group()
	return n, nil
}

// Len is the number of firms, Links that of links.
func (n *Network) Len() int { return len(n.firms) }

// Links is the number of links.
func (n *Network) Links() int { return len(n.out.to) }

// Volume is the yearly output of all firms together.
func (n *Network) Volume() float64 { return n.total }

// Firm returns the firm at a place.
func (n *Network) Firm(i uint32) Firm { return n.firms[i] }

// Find returns the place of a firm.
func (n *Network) Find(id string) (uint32, bool) {
	i, ok := n.byID[id]
	return i, ok
}

func (n *Network) checkLinks(links []Link) error {
	for _, l := range links {
		switch {
		case int(l.Supplier) >= len(n.firms) || int(l.Buyer) >= len(n.firms):
			return ErrFirm.With("id", max(l.Supplier, l.Buyer))
		case l.Supplier == l.Buyer:
			return ErrSelf.With("id", n.firms[l.Buyer].ID)
		case !(l.Amount >= 0) || math.IsInf(l.Amount, 0):
			return ErrAmount.With("value", l.Amount).With("why", "give 0 or more").
				With("what", "amount from "+n.firms[l.Supplier].ID+" to "+n.firms[l.Buyer].ID)
		}
	}
	return nil
}

// nameSectors numbers the sectors in the order of their first firm.
func (n *Network) nameSectors() {
	n.sector = make([]uint32, len(n.firms))
	number := map[string]uint32{}
	next := uint32(0)
	for i, f := range n.firms {
		k, ok := number[f.Sector]
		if !ok || f.Sector == "" {
			k = next
			next++
			number[f.Sector] = k
		}
		n.sector[i] = k
	}
	n.output = make([]float64, next)
}

// pack is a counting sort of links or debts by one end; share holds the amounts.
func pack[T any](n int, links []T, ends func(T) (from, to uint32, amount float64)) rows {
	start := make([]uint32, n+2)
	for _, l := range links {
		from, _, _ := ends(l)
		start[from+2]++
	}
	for v := 2; v < len(start); v++ {
		start[v] += start[v-1]
	}
	r := rows{to: make([]uint32, len(links)), share: make([]float64, len(links))}
	for _, l := range links {
		from, to, amount := ends(l)
		at := start[from+1]
		r.to[at], r.share[at] = to, amount
		start[from+1]++
	}
	r.start = start[:n+1]
	return r
}

// measure takes volumes, and turns the amounts of sales into shares of volume.
func (n *Network) measure() {
	for i := range n.firms {
		_, amounts := n.out.of(uint32(i))
		sold := 0.0
		for _, a := range amounts {
			sold += a
		}
		n.volume[i] = max(sold, n.firms[i].Size)
		n.output[n.sector[i]] += n.volume[i]
		n.total += n.volume[i]
		for k := range amounts {
			amounts[k] = part(amounts[k], n.volume[i])
		}
	}
}

// part is a/b; nothing of nothing is nothing.
func part(a, b float64) float64 {
	if b > 0 {
		return a / b
	}
	return 0
}

// input is one supplier of a buyer while its inputs are grouped.
type input struct {
	to     uint32 // with the need in the two high bits
	amount float64
}

// group orders the suppliers of each buyer into groups that cannot replace each
// other, essential ones by sector and then the rest, and turns amounts into shares.
func (n *Network) group() {
	var list []input
	for v := range n.firms {
		to, amounts := n.in.of(uint32(v))
		list = list[:0]
		all := 0.0
		for k := range to {
			list = append(list, input{to[k], amounts[k]})
			all += amounts[k]
		}
		slices.SortStableFunc(list, func(a, b input) int {
			return cmp.Or(cmp.Compare(n.rank(a.to), n.rank(b.to)), cmp.Compare(a.to&idMask, b.to&idMask))
		})
		for a := 0; a < len(list); {
			b, rank, sum := a, n.rank(list[a].to), 0.0
			for ; b < len(list) && n.rank(list[b].to) == rank; b++ {
				sum += list[b].amount
			}
			if rank == lastRank {
				sum = all
			}
			for k := a; k < b; k++ {
				to[k], amounts[k] = list[k].to&idMask, part(list[k].amount, sum)
				switch Need(list[k].to >> 30) {
				case Useful:
					to[k] |= useful
				case Negligible:
					to[k] |= useful
					amounts[k] = 0
				case Essential:
				}
			}
			to[a] |= newGroup
			a = b
		}
	}
}

const lastRank = math.MaxUint32

// rank orders inputs by group: the sector of an essential one, the last for others.
func (n *Network) rank(to uint32) uint32 {
	if Need(to>>30) == Essential {
		return n.sector[to&idMask]
	}
	return lastRank
}

// checkOwners refuses owners that nobody knows and circles of them; at is a firm of
// whom it is true.
func checkOwners(firms []Firm, byID map[string]uint32) (at uint32, bad *fault.Error) {
	const walking, done = 1, 2
	state := map[uint32]uint8{}
	for i, f := range firms {
		if f.Owner == "" {
			continue
		}
		var path []uint32
		for v := uint32(i); state[v] != done; {
			if state[v] == walking {
				return v, ErrOwners.With("firms", circle(firms, path, v))
			}
			state[v] = walking
			path = append(path, v)
			if firms[v].Owner == "" {
				break
			}
			up, ok := byID[firms[v].Owner]
			if !ok {
				return v, ErrFirm.With("id", firms[v].Owner)
			}
			v = up
		}
		for _, v := range path {
			state[v] = done
		}
	}
	return 0, nil
}

func circle(firms []Firm, path []uint32, from uint32) string {
	s := ""
	for _, v := range path[slices.Index(path, from):] {
		s += firms[v].ID + ", "
	}
	return s + firms[from].ID
}

// Group adds to the shocks one of the same part for every firm that a struck firm
// owns, directly or through others. A firm with a shock of its own keeps the larger.
func (n *Network) Group(shocks []Shock) ([]Shock, error) {
	struck, err := n.struck(shocks)
	if err != nil {
		return nil, err
	}
	part := make(map[uint32]float64, len(struck))
	for _, s := range struck {
		part[s.firm] = s.part
	}
	var out []Shock
	for i := range n.firms {
		most := 0.0
		for v, ok := uint32(i), true; ok; v, ok = n.byID[n.firms[v].Owner] {
			most = max(most, part[v])
		}
		if most > 0 {
			out = append(out, Shock{n.firms[i].ID, most})
		}
	}
	return out, nil
}

// strike is a shock by place.
type strike struct {
	firm uint32
	part float64
}

// struck finds the firms of the shocks, in order of place; of several shocks to one
// firm the largest counts.
func (n *Network) struck(shocks []Shock) ([]strike, error) {
	most := map[uint32]float64{}
	for _, s := range shocks {
		i, ok := n.byID[s.FirmID]
		if !ok {
			return nil, ErrFirm.With("id", s.FirmID)
		}
		if !(s.Part > 0 && s.Part <= 1) {
			return nil, ErrShock.With("value", s.Part)
		}
		most[i] = max(most[i], s.Part)
	}
	out := make([]strike, 0, len(most))
	for i, p := range most {
		out = append(out, strike{i, p})
	}
	slices.SortFunc(out, func(a, b strike) int { return cmp.Compare(a.firm, b.firm) })
	return out, nil
}
