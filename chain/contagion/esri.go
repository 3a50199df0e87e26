package contagion

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Result is what a shock does to a supply network. It keeps 32 bytes a firm.
type Result struct {
	Part      float64 // of all output that is lost, 0 to 1: the index of the shock
	Amount    float64 // output lost in a year, in the unit of the links
	Firms     int     // firms with any loss, the struck ones included
	Rounds    int
	Converged bool // false: MaxRounds came first, losses are too low

	net      *Network
	down, up *wave
}

// Run spreads a shock both ways. A firm's loss is the larger of what it cannot make
// for want of inputs and what it cannot sell for want of orders. It returns ErrFirm,
// ErrShock or ctx's error.
func (n *Network) Run(ctx context.Context, shocks []Shock, p Params) (*Result, error) {
	strikes, err := n.struck(shocks)
	if err != nil {
		return nil, err
	}
	r := &Result{net: n, down: newWave(n, downstream), up: newWave(n, upstream)}
	if err := r.spread(ctx, strikes, p); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Result) spread(ctx context.Context, strikes []strike, p Params) error {
	r.Rounds, r.Converged = 0, true
	for _, w := range []*wave{r.down, r.up} {
		rounds, ok, err := w.run(ctx, strikes, p)
		if err != nil {
			return err
		}
		r.Rounds, r.Converged = max(r.Rounds, rounds), r.Converged && ok
	}
	r.Firms, r.Amount = 0, 0
	r.touched(func(i uint32) {
		r.Firms++
		r.Amount += r.net.volume[i] * r.loss(i)
	})
	r.Part = min(part(r.Amount, r.net.total), 1)
	return nil
}

// touched visits every firm with a loss once.
func (r *Result) touched(visit func(i uint32)) {
	for _, i := range r.down.touched {
		visit(i)
	}
	for _, i := range r.up.touched {
		if r.down.loss[i] == 0 {
			visit(i)
		}
	}
}

func (r *Result) loss(i uint32) float64 { return max(r.down.loss[i], r.up.loss[i]) }

// Each returns the Economic Systemic Risk Index of every firm: the part of all output
// that is lost when it stops. progress, which may be nil, hears how many are done; it
// is called from several goroutines. It returns ctx's error when cancelled.
//
// converged tells how many of the indices are not cut off by MaxRounds.
func (n *Network) Each(ctx context.Context, p Params, progress func(done int)) (index []float64, converged int, err error) {
	workers := p.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p.Workers = 1
	index = make([]float64, n.Len())
	var next, done, good atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for k := range workers {
		wg.Go(func() {
			r := &Result{net: n, down: newWave(n, downstream), up: newWave(n, upstream)}
			for i := next.Add(1) - 1; i < int64(n.Len()); i = next.Add(1) - 1 {
				if errs[k] = r.spread(ctx, []strike{{uint32(i), 1}}, p); errs[k] != nil {
					return
				}
				index[i] = r.Part
				if r.Converged {
					good.Add(1)
				}
				r.down.clear()
				r.up.clear()
				if at := done.Add(1); progress != nil {
					progress(int(at))
				}
			}
		})
	}
	wg.Wait()
	for _, e := range errs {
		if e != nil {
			return nil, 0, e
		}
	}
	return index, int(good.Load()), nil
}

// Loss is what one firm loses. Downstream comes from suppliers, Upstream from buyers.
type Loss struct {
	FirmID     string  `json:"firm_id"`
	Sector     string  `json:"sector,omitempty"`
	Loss       float64 `json:"loss"` // part of its output, 0 to 1: the larger of the two
	Downstream float64 `json:"downstream"`
	Upstream   float64 `json:"upstream"`
	Amount     float64 `json:"amount"` // output lost in a year, in the unit of the links
	Cause      Cause   `json:"cause"`
}

// Causes of a loss.
const (
	Struck  = "shock"   // the shock itself
	Supply  = "supply"  // an input that is missing
	Demand  = "demand"  // orders that are missing
	Payment = "payment" // a debtor that does not pay
)

// Cause explains a loss by the partner that brought most of it. Path leads from a
// struck firm to this one, each step the partner that brought most among those hit
// before; a partner hit later can only have made it worse.
type Cause struct {
	Kind  string   `json:"kind"`
	From  string   `json:"from,omitempty"`  // the partner, "" when struck
	Need  string   `json:"need,omitempty"`  // of an input: essential or non_essential
	Part  float64  `json:"part,omitempty"`  // what this partner alone takes of the firm's output
	Share float64  `json:"share,omitempty"` // of the inputs (of this kind) or of the sales that goes through it
	Path  []string `json:"path"`
}

// Of tells the loss of one firm; ErrFirm when there is no such firm.
func (r *Result) Of(firmID string) (Loss, error) {
	i, ok := r.net.Find(firmID)
	if !ok {
		return Loss{}, ErrFirm.With("id", firmID)
	}
	return r.explain(i), nil
}

// Losses lists firms that lose at least a part of their output, the greatest loss
// first, then the greatest amount. limit 0 lists all.
func (r *Result) Losses(least float64, limit int) []Loss {
	top := ranking{limit: limit, before: func(a, b uint32) bool {
		switch {
		case r.loss(a) != r.loss(b):
			return r.loss(a) > r.loss(b)
		case r.lostAmount(a) != r.lostAmount(b):
			return r.lostAmount(a) > r.lostAmount(b)
		}
		return r.net.firms[a].ID < r.net.firms[b].ID
	}}
	r.touched(func(i uint32) {
		if r.loss(i) >= least {
			top.add(i)
		}
	})
	out := make([]Loss, 0, len(top.heap))
	for _, i := range top.sorted() {
		out = append(out, r.explain(i))
	}
	return out
}

func (r *Result) lostAmount(i uint32) float64 { return r.net.volume[i] * r.loss(i) }

func (r *Result) explain(i uint32) Loss {
	l := Loss{
		FirmID: r.net.firms[i].ID, Sector: r.net.firms[i].Sector, Loss: r.loss(i),
		Downstream: r.down.loss[i], Upstream: r.up.loss[i], Amount: r.lostAmount(i),
	}
	if l.Loss == 0 {
		l.Cause.Path = []string{}
		return l
	}
	w := r.down
	if r.up.loss[i] > r.down.loss[i] {
		w = r.up
	}
	l.Cause = w.cause(i)
	return l
}

// cause walks back from i to a struck firm.
func (w *wave) cause(i uint32) Cause {
	c := Cause{Kind: Struck}
	path := []string{w.net.firms[i].ID}
	for at := i; w.first[at] > 0; {
		from, brought, share, need := w.bringer(at)
		if at == i {
			c.From, c.Part, c.Share = w.net.firms[from].ID, brought, share
			c.Kind = Demand
			if w.dir == downstream {
				c.Kind, c.Need = Supply, need.String()
			}
		}
		path = append(path, w.net.firms[from].ID)
		at = from
	}
	for a, b := 0, len(path)-1; a < b; a, b = a+1, b-1 {
		path[a], path[b] = path[b], path[a]
	}
	c.Path = path
	return c
}

// bringer finds the partner that brought most of a loss among those hit earlier. One
// exists for every firm that was not struck, for its first loss came from somewhere.
// Downstream the group that lacks most is looked at before the others.
func (w *wave) bringer(i uint32) (from uint32, brought, share float64, need Need) {
	brought = -1
	worst := math.Inf(-1)
	try := func(to []uint32, shares []float64) {
		sum, best, at := 0.0, -1.0, 0
		for k, t := range to {
			j := t & idMask
			b := shares[k] * w.felt[j]
			sum += b
			if b > best && w.loss[j] > 0 && w.first[j] < w.first[i] {
				best, at = b, k
			}
		}
		if best > 0 && sum > worst {
			worst, from, brought, share, need = sum, to[at]&idMask, best, shares[at], Essential
			if to[at]&useful != 0 {
				need = Useful
			}
		}
	}
	if w.dir == upstream {
		to, shares := w.net.out.of(i)
		try(to, shares)
		return from, brought, share, need
	}
	to, shares := w.net.in.of(i)
	for a := 0; a < len(to); {
		b := a + 1
		for b < len(to) && to[b]&newGroup == 0 {
			b++
		}
		try(to[a:b], shares[a:b])
		a = b
	}
	return from, brought, share, need
}
