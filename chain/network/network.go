// Package network is the graph service of a tenant: who sells to whom, kept as a
// snapshot that is brought up to date with the books. It finds the small firms
// around an anchor, the anchors of a small firm, and the ways between two firms, each
// with the links that prove it.
package network

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/industry"
)

// Method names the version of the answers.
const Method = "chain.network/1"

// Options of a network; the zero value keeps the graphs in memory and knows no
// industry chains.
type Options struct {
	Dir        string              // of the snapshot files; "" means memory
	Industries *industry.Catalogue // nil: firms are mounted on no nodes
	Now        func() time.Time    // nil means time.Now
	Tenants    int                 // graphs that are kept at once; 0 means 16
}

// Network answers from the graphs of tenants. It is safe for concurrent use.
type Network struct {
	store   chain.Store
	changes chain.Changes // nil: a change of the books means to build anew
	opt     Options

	mu   sync.Mutex
	kept map[string]*tenant
	tick int64
}

// New returns a network over the books. A store that tells its changes (it is a
// chain.Changes) is read whole only once.
func New(store chain.Store, opt Options) *Network {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Tenants <= 0 {
		opt.Tenants = 16
	}
	n := &Network{store: store, opt: opt, kept: map[string]*tenant{}}
	n.changes, _ = store.(chain.Changes)
	return n
}

// tenant is the place of one tenant's graph; its lock lets one caller at a time bring
// it up to date.
type tenant struct {
	mu   sync.Mutex
	now  *state
	used int64
}

// base is a snapshot that several states read. It is unmapped when the last of
// them is let go.
type base struct {
	*graph.Snapshot
	mu   sync.Mutex
	refs int
}

func (b *base) hold() *base {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refs++
	return b
}

func (b *base) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refs--; b.refs == 0 {
		_ = b.Close() // nobody reads it any more; a mapping that stays harms nobody
	}
}

// state is the trade of a tenant at one revision. It never changes once made.
type state struct {
	*graph.View
	base     *base
	revision int64
	anchors  map[uint32]bool
	names    map[string]string // of anchors

	slates sync.Pool // of *[]uint8, all 0

	tiers func() []uint8 // sales hops to the nearest anchor, none when there is no way
	rings func() rings
}

// rings are the strongly connected components of more than one firm.
type rings struct {
	of      []uint32 // 1 + place in members of that of each node; 0 when it is in none
	members [][]string
}

const none = math.MaxUint8

// current returns the graph as the books are now. The caller must release its base.
func (n *Network) current(ctx context.Context, tenantID string) (*state, error) {
	t := n.tenant(tenantID)
	t.mu.Lock()
	defer t.mu.Unlock()
	revision, err := n.store.Revision(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	if t.now == nil || t.now.revision != revision {
		next, err := n.update(ctx, tenantID, t.now, revision)
		if err != nil {
			return nil, err
		}
		if t.now != nil {
			t.now.base.release()
		}
		t.now = next
	}
	t.now.base.hold()
	return t.now, nil
}

// tenant returns the place of a tenant and gives up that of the one unused longest
// when there are too many. Those who read its graph keep it until they are done.
func (n *Network) tenant(id string) *tenant {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tick++
	t := n.kept[id]
	if t == nil {
		t = &tenant{}
		n.kept[id] = t
	}
	t.used = n.tick
	for len(n.kept) > n.opt.Tenants {
		oldest := ""
		for k, o := range n.kept {
			if oldest == "" || o.used < n.kept[oldest].used {
				oldest = k
			}
		}
		o := n.kept[oldest]
		delete(n.kept, oldest)
		go o.close()
	}
	return t
}

func (t *tenant) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil {
		t.now.base.release()
		t.now = nil
	}
}

// update makes the state of a revision: from the one before and what changed since,
// from the file, or from all links.
func (n *Network) update(ctx context.Context, tenantID string, old *state, revision int64) (*state, error) {
	var view *graph.View
	var b *base
	switch {
	case n.changes == nil:
	case old != nil && old.Revision() <= revision:
		view, b = old.View, old.base.hold()
	default:
		if s := n.read(tenantID, revision); s != nil {
			b = &base{Snapshot: s, refs: 1}
			view = graph.NewView(s)
		}
	}
	if view != nil && view.Revision() < revision {
		next, err := n.apply(ctx, tenantID, view)
		if err != nil {
			b.release()
			return nil, err
		}
		view = next
	}
	if view == nil { // nothing to begin with, or too much has changed
		if b != nil {
			b.release()
		}
		s, err := n.build(ctx, tenantID, revision)
		if err != nil {
			return nil, err
		}
		b, view = n.keep(tenantID, s)
	} else if view.Changed() > mergeAt+view.Len()/8 {
		merged := view.Merge()
		b.release()
		b, view = n.keep(tenantID, merged)
	}
	s := &state{View: view, base: b, revision: revision, anchors: map[uint32]bool{}, names: map[string]string{}}
	if err := n.anchors(ctx, tenantID, s); err != nil {
		b.release()
		return nil, err
	}
	s.tiers = sync.OnceValue(s.findTiers)
	s.rings = sync.OnceValue(s.findRings)
	return s, nil
}

// Fewer changed nodes than mergeAt are never worth another file; more changes of
// links that nobody trades on than maxProbes are dearer to look into than all links.
const (
	mergeAt   = 2000
	maxProbes = 200
)

// read maps the tenant's file; nil when there is none that can be used.
func (n *Network) read(tenantID string, revision int64) *graph.Snapshot {
	if n.opt.Dir == "" {
		return nil
	}
	s, err := graph.Open(n.path(tenantID))
	if err != nil { // not there, or damaged: it is made again from the books
		return nil
	}
	if s.Revision > revision { // of other books
		_ = s.Close()
		return nil
	}
	return s
}

// path is the file of a tenant.
func (n *Network) path(tenantID string) string {
	for _, r := range tenantID {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			sum := sha256.Sum256([]byte(tenantID))
			tenantID = hex.EncodeToString(sum[:16])
			break
		}
	}
	return filepath.Join(n.opt.Dir, tenantID+".graph")
}

// keep writes a snapshot to the tenant's file and maps it from there. Where that does
// not work, memory serves as well.
func (n *Network) keep(tenantID string, s *graph.Snapshot) (*base, *graph.View) {
	if n.opt.Dir != "" {
		if err := os.MkdirAll(n.opt.Dir, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			if s.Write(n.path(tenantID)) == nil {
				if mapped, err := graph.Open(n.path(tenantID)); err == nil {
					s = mapped
				}
			}
		}
	}
	return &base{Snapshot: s, refs: 1}, graph.NewView(s)
}

// build reads all links. A change while they are read comes again as a change, since
// the revision is the one from before.
func (n *Network) build(ctx context.Context, tenantID string, revision int64) (*graph.Snapshot, error) {
	return snapshot(ctx, n.store, tenantID, revision)
}

// Snapshot reads the graph of a tenant from the books as they are, for a tool that looks
// at it once.
func Snapshot(ctx context.Context, store chain.Store, tenantID string) (*graph.Snapshot, error) {
	revision, err := store.Revision(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	return snapshot(ctx, store, tenantID, revision)
}

func snapshot(ctx context.Context, store chain.Store, tenantID string, revision int64) (*graph.Snapshot, error) {
	index := graph.NewIndex()
	var links []graph.Link
	err := store.AllLinks(ctx, tenantID, func(l chain.Link) error {
		links = append(links, graph.Link{From: index.Add(l.SellerID), To: index.Add(l.BuyerID), Trade: graph.TradeOf(l)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &graph.Snapshot{Graph: graph.BuildLinks(index.Len(), links), Index: index, Revision: revision}, nil
}

// apply lays over a view what changed since; nil when it is better to build anew.
func (n *Network) apply(ctx context.Context, tenantID string, view *graph.View) (*graph.View, error) {
	var changes []graph.Change
	var bare []int // without trade: no more, or only named
	revision, err := n.changes.ChangedLinks(ctx, tenantID, view.Revision(), func(l chain.Link) error {
		c := graph.Change{From: l.SellerID, To: l.BuyerID, Trade: graph.TradeOf(l)}
		if c.Trade == (graph.Trade{}) {
			bare = append(bare, len(changes))
		}
		changes = append(changes, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	named, ok, err := n.named(ctx, tenantID, changes, bare)
	if err != nil || !ok {
		return nil, err
	}
	for _, i := range bare {
		changes[i].Removed = !named[[2]string{changes[i].From, changes[i].To}]
	}
	return view.Apply(changes, revision), nil
}

// named says which of the changed links without trade are still there because a list
// names them. It asks for the links of the fewer: an anchor's list of ten thousand
// suppliers is one question.
func (n *Network) named(ctx context.Context, tenantID string, changes []graph.Change, bare []int) (map[[2]string]bool, bool, error) {
	sellers, buyers := map[string]bool{}, map[string]bool{}
	for _, i := range bare {
		sellers[changes[i].From], buyers[changes[i].To] = true, true
	}
	ask := buyers
	if len(sellers) < len(buyers) {
		ask = sellers
	}
	if len(ask) > maxProbes {
		return nil, false, nil
	}
	out := map[[2]string]bool{}
	for id := range ask {
		links, err := n.store.Links(ctx, tenantID, id)
		if err != nil {
			return nil, false, err
		}
		for _, l := range links {
			out[[2]string{l.SellerID, l.BuyerID}] = true
		}
	}
	return out, true, nil
}

// anchors finds the anchor enterprises, page by page.
func (n *Network) anchors(ctx context.Context, tenantID string, s *state) error {
	for after := ""; ; {
		page, err := n.store.Firms(ctx, tenantID, chain.PartyFilter{Anchors: true, After: after, Limit: 1000})
		if err != nil {
			return err
		}
		for _, a := range page {
			s.names[a.Survivor()] = a.Name
			if v, ok := s.Find(a.Survivor()); ok {
				s.anchors[v] = true
			}
		}
		if len(page) < 1000 {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

func (s *state) findTiers() []uint8 {
	s.base.hold()
	defer s.base.release()
	out := make([]uint8, s.Len())
	for i := range out {
		out[i] = none
	}
	var seeds []uint32
	for v := range s.anchors {
		seeds = append(seeds, v)
	}
	s.Walk(seeds, none-1, graph.Upstream, func(step graph.Step) bool {
		out[step.ID] = uint8(step.Hops) //nolint:gosec // bounded by the walk
		return true
	})
	return out
}

func (s *state) findRings() rings {
	s.base.hold()
	defer s.base.release()
	label, components := s.Strong()
	size := make([]int32, components)
	for _, c := range label {
		size[c]++
	}
	out := rings{of: make([]uint32, len(label))}
	place := make([]uint32, components)
	for v, c := range label {
		if size[c] < 2 {
			continue
		}
		if place[c] == 0 {
			out.members = append(out.members, make([]string, 0, size[c]))
			place[c] = uint32(len(out.members)) //nolint:gosec // nodes fit 32 bits
		}
		out.of[v] = place[c]
		out.members[place[c]-1] = append(out.members[place[c]-1], s.ID(uint32(v))) //nolint:gosec // as above
	}
	// By their ids: the nodes of a graph that follows the books come in another order.
	for _, ids := range out.members {
		slices.Sort(ids)
	}
	return out
}

// find returns the graph, the firm that a firm counts for, and its node. The caller
// must release the state's base when err is nil.
func (n *Network) find(ctx context.Context, tenantID, firmID string) (s *state, firm chain.Party, v uint32, linked bool, err error) {
	if firm, err = n.store.Firm(ctx, tenantID, firmID); err != nil {
		return nil, firm, 0, false, err
	}
	if id := firm.Survivor(); id != firmID {
		if firm, err = n.store.Firm(ctx, tenantID, id); err != nil {
			return nil, firm, 0, false, err
		}
	}
	if s, err = n.current(ctx, tenantID); err != nil {
		return nil, firm, 0, false, err
	}
	v, linked = s.Find(firm.ID)
	return s, firm, v, linked, nil
}

// Ring returns the firms of the circle of trade that a firm is in: its strongly
// connected component, itself included, in the order of their ids; nothing when it is in none. It
// returns chain.ErrFirmNotFound.
func (n *Network) Ring(ctx context.Context, tenantID, firmID string) ([]string, error) {
	s, _, v, linked, err := n.find(ctx, tenantID, firmID)
	if err != nil {
		return nil, err
	}
	defer s.base.release()
	if r := s.rings(); linked && r.of[v] > 0 {
		return slices.Clone(r.members[r.of[v]-1]), nil
	}
	return []string{}, nil
}

// Rings returns the circles of trade of a tenant: the strongly connected components of
// more than one firm, each in the order of the ids.
func (n *Network) Rings(ctx context.Context, tenantID string) ([][]string, error) {
	s, err := n.current(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	defer s.base.release()
	out := slices.Clone(s.rings().members)
	slices.SortFunc(out, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	for i := range out {
		out[i] = slices.Clone(out[i])
	}
	return out, nil
}
