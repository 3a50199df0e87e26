package contagion

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// direction says which way a wave runs through the supply network.
type direction int

const (
	downstream direction = iota // from suppliers to buyers: inputs are missing
	upstream                    // from buyers to suppliers: orders are missing
)

// wave is one spreading of losses and the memory for it: 24 bytes a firm. Only what
// is touched is worked on and cleaned, so one wave serves many shocks.
type wave struct {
	net     *Network
	dir     direction
	loss    []float64 // lost part of each firm's output, 1-h of the papers
	felt    []float64 // what its partners feel of it: downstream only what others of the sector cannot replace
	first   []uint32  // round of the first loss; 0 = struck itself or without loss
	touched []uint32  // firms with a loss, in the order of their first loss
	mark    []uint32  // stamp of the last round in which the firm was to be reckoned
	stamp   uint32

	lost    []float64  // of each sector, output lost; downstream only
	losers  [][]uint32 // of each sector
	sectors []uint32   // with losers
	dirty   []bool     // sectors that changed in the round

	spread, active, changed []uint32
	jump                    *leap // memory of leaps, made when first needed
}

func newWave(net *Network, dir direction) *wave {
	n := net.Len()
	w := &wave{
		net: net, dir: dir, loss: make([]float64, n), felt: make([]float64, n), first: make([]uint32, n), mark: make([]uint32, n),
	}
	if dir == downstream {
		w.lost = make([]float64, len(net.output))
		w.losers = make([][]uint32, len(net.output))
		w.dirty = make([]bool, len(net.output))
	}
	return w
}

// clear forgets the last spreading.
func (w *wave) clear() {
	for _, i := range w.touched {
		w.loss[i], w.felt[i], w.first[i] = 0, 0, 0
	}
	w.touched = w.touched[:0]
	for _, k := range w.sectors {
		w.lost[k], w.losers[k] = 0, w.losers[k][:0]
	}
	w.sectors = w.sectors[:0]
}

// run spreads the strikes. Each round reckons, from the values of the round before,
// every firm a partner of which changed; losses only grow. It ends when no loss grew
// by more than the tolerance. Results do not depend on the number of workers.
func (w *wave) run(ctx context.Context, strikes []strike, p Params) (rounds int, converged bool, err error) {
	w.changed = w.changed[:0]
	for _, s := range strikes {
		w.grow(s.firm, s.part, 0)
		w.changed = append(w.changed, s.firm)
	}
	// A change below the tolerance is kept back until it has added up to more: shares
	// sum to 1, so what all partners of a firm keep back costs it no more than that.
	quiet := p.tolerance()
	for rounds < p.rounds() {
		if err := ctx.Err(); err != nil {
			return rounds, false, err
		}
		if rounds > 0 && rounds%patience == 0 {
			w.leap(strikes, p)
		}
		w.publish(quiet)
		if len(w.spread) == 0 {
			return rounds, true, nil
		}
		rounds++
		dense := w.activate()
		if w.reckon(dense, uint32(rounds), quiet, p.Workers) <= p.tolerance() {
			return rounds, true, nil
		}
	}
	return rounds, false, nil
}

// grow sets a larger loss of a firm.
func (w *wave) grow(i uint32, loss float64, round uint32) {
	if w.loss[i] == 0 {
		w.touched = append(w.touched, i)
		w.first[i] = round
		if w.dir == downstream {
			k := w.net.sector[i]
			if len(w.losers[k]) == 0 {
				w.sectors = append(w.sectors, k)
			}
			w.losers[k] = append(w.losers[k], i)
		}
	}
	if w.dir == downstream {
		w.lost[w.net.sector[i]] += w.net.volume[i] * (loss - w.loss[i])
	}
	w.loss[i] = loss
}

// publish works out what partners feel of the firms that changed and lists in spread
// those of whom they feel more than before. Downstream a firm that has lost anything
// changes with its whole sector: the less the others still make, the less they can
// stand in for it.
func (w *wave) publish(quiet float64) {
	w.spread = w.spread[:0]
	tell := func(i uint32, felt float64) {
		if felt-w.felt[i] > quiet {
			w.felt[i] = felt
			w.spread = append(w.spread, i)
		}
	}
	if w.dir == upstream {
		for _, i := range w.changed {
			tell(i, w.loss[i])
		}
		return
	}
	for _, i := range w.changed {
		k := w.net.sector[i]
		if w.dirty[k] {
			continue
		}
		w.dirty[k] = true
		for _, j := range w.losers[k] {
			tell(j, w.net.marketShare(j, w.lost[k])*w.loss[j])
		}
	}
	for _, i := range w.changed {
		w.dirty[w.net.sector[i]] = false
	}
}

// marketShare is the part of a firm's output that its sector cannot replace when lost
// of the sector's output is gone (Diem et al. 2022: min(s_i / sum of s_j h_j, 1)).
func (n *Network) marketShare(i uint32, lost float64) float64 {
	left := n.output[n.sector[i]] - lost
	if v := n.volume[i]; v < left {
		return v / left
	}
	return 1
}

// activate lists the firms that feel the spread. When that is a good part of all it
// returns true: reckoning every firm is cheaper then, and gives the same.
func (w *wave) activate() (dense bool) {
	w.active = w.active[:0]
	partners := &w.net.out
	if w.dir == upstream {
		partners = &w.net.in
	}
	reach := 0
	for _, i := range w.spread {
		reach += int(partners.start[i+1] - partners.start[i])
	}
	if reach > len(partners.to)/4 {
		return true
	}
	if w.stamp == math.MaxUint32 {
		clear(w.mark)
		w.stamp = 0
	}
	w.stamp++
	for _, i := range w.spread {
		for _, to := range partners.to[partners.start[i]:partners.start[i+1]] {
			if j := to & idMask; w.mark[j] != w.stamp {
				w.mark[j] = w.stamp
				w.active = append(w.active, j)
			}
		}
	}
	return false
}

const chunk = 4096

// rise is a firm whose loss grew.
type rise struct {
	firm uint32
	loss float64
}

// reckon works out the active firms, or all, and returns the largest growth of a loss.
func (w *wave) reckon(dense bool, round uint32, quiet float64, workers int) float64 {
	n := len(w.active)
	if dense {
		n = w.net.Len()
	}
	risen := make([][]rise, (n+chunk-1)/chunk)
	inParts(len(risen), workers, func(c int) {
		for at := c * chunk; at < min(n, (c+1)*chunk); at++ {
			i := uint32(at)
			if !dense {
				i = w.active[at]
			}
			if loss := min(w.brought(i), 1); loss-w.loss[i] > quiet {
				risen[c] = append(risen[c], rise{i, loss})
			}
		}
	})
	w.changed = w.changed[:0]
	most := 0.0
	for _, part := range risen {
		for _, r := range part {
			most = max(most, r.loss-w.loss[r.firm])
			w.grow(r.firm, r.loss, round)
			w.changed = append(w.changed, r.firm)
		}
	}
	return most
}

// inParts runs the parts, on several goroutines when there are many.
func inParts(parts, workers int, do func(part int)) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers = min(workers, parts); workers <= 1 {
		for c := range parts {
			do(c)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for c := int(next.Add(1)) - 1; c < parts; c = int(next.Add(1)) - 1 {
				do(c)
			}
		})
	}
	wg.Wait()
}

// brought is the loss that a firm's partners bring it. Downstream the group of inputs
// that lacks most decides; upstream the orders lost add up.
func (w *wave) brought(i uint32) float64 {
	if w.dir == upstream {
		to, share := w.net.out.of(i)
		sum := 0.0
		for k, j := range to {
			sum += share[k] * w.felt[j]
		}
		return sum
	}
	to, share := w.net.in.of(i)
	worst, sum := 0.0, 0.0
	for k, t := range to {
		if t&newGroup != 0 {
			worst, sum = max(worst, sum), 0
		}
		sum += share[k] * w.felt[t&idMask]
	}
	return max(worst, sum)
}
