package officer

import (
	"context"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Chain finds the firms around a firm; network.Network is one.
type Chain interface {
	Neighbourhood(ctx context.Context, tenant, firmID string, hops int) (chain.Neighbourhood, error)
	Place(ctx context.Context, tenant, firmID string) (network.FirmPlace, error)
	Suppliers(ctx context.Context, tenant, anchorID string, f network.Filter) (network.SMEPage, error)
	Dealers(ctx context.Context, tenant, anchorID string, f network.Filter) (network.SMEPage, error)
	Paths(ctx context.Context, tenant, from, to string, hops, limit int) ([]network.Way, error)
}

// Shocks reckons what a shock does; watch.Shocks is one.
type Shocks interface {
	Run(ctx context.Context, tenant string, shocks []contagion.Shock, raise bool) (watch.ShockReport, error)
}

func (f face) registerChain(a *route.API, get, post func(id, path, summary string) route.Op) {
	route.Register(a, get("industries", "/industries", "The directions, chains and nodes on which firms are mounted"), f.industries)
	route.Register(a, get("firm-place", "/firms/{id}/place", "The anchors of a firm, each with the way to it, and its nodes"), f.place)
	route.Register(a, get("suppliers", "/anchors/{id}/suppliers", "The firms that sell towards an anchor, by tier, with their proofs"), f.suppliers)
	route.Register(a, get("dealers", "/anchors/{id}/dealers", "The firms that buy from an anchor, by tier, with their proofs"), f.dealers)
	route.Register(a, get("paths", "/paths", "The ways of trade between two firms"), f.paths)
	route.Register(a, post("shock", "/shocks", "Reckon what becomes of firms and loans when a firm stops"), f.shock)
	route.Register(a, get("merges", "/merges", "Merges and splits of firms, newest first"), f.merges)
	route.Register(a, get("merge-suggestions", "/merges/suggestions", "Pairs of firms that may be one"), f.suggestions)
	route.Register(a, post("merge", "/merges", "Say that two firms are one, or are not"), f.merge)
	route.Register(a, post("merge-undo", "/merges/{id}/undo", "Take a merge or split back"), f.undoMerge)
}

// Industries is the catalogue of industry chains.
type Industries struct {
	Directions []industry.Direction `json:"directions"`
	Chains     []industry.Chain     `json:"chains"`
	Nodes      []industry.Node      `json:"nodes"`
}

func (f face) industries(context.Context, access.Actor, *struct{}) (*route.Body[Industries], error) {
	out := Industries{Directions: f.Industries.Directions(), Chains: []industry.Chain{}, Nodes: f.Industries.Nodes()}
	for _, d := range out.Directions {
		out.Chains = append(out.Chains, f.Industries.Chains(d.Code)...)
	}
	return route.Answer(out, nil)
}

func (f face) place(ctx context.Context, who access.Actor, in *ByID) (*route.Body[network.FirmPlace], error) {
	return route.Answer(f.Chain.Place(ctx, who.Tenant, in.ID))
}

type smesIn struct {
	ByID
	Hops      int       `query:"hops" minimum:"1" maximum:"6" default:"3" doc:"tiers"`
	MinAmount money.Fen `query:"min_amount" minimum:"0" doc:"links of less trade, in fen, are not followed"`
	Node      string    `query:"node" maxLength:"100" doc:"only firms on this node, chain or direction"`
	After     string    `query:"after" maxLength:"200" doc:"next of the page before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (in *smesIn) filter() network.Filter {
	return network.Filter{Hops: in.Hops, MinAmount: in.MinAmount, Node: in.Node, After: in.After, Limit: in.Limit}
}

func (f face) suppliers(ctx context.Context, who access.Actor, in *smesIn) (*route.Body[network.SMEPage], error) {
	return route.Answer(f.Chain.Suppliers(ctx, who.Tenant, in.ID, in.filter()))
}

func (f face) dealers(ctx context.Context, who access.Actor, in *smesIn) (*route.Body[network.SMEPage], error) {
	return route.Answer(f.Chain.Dealers(ctx, who.Tenant, in.ID, in.filter()))
}

type pathsIn struct {
	From string `query:"from" required:"true" maxLength:"64"`
	To   string `query:"to" required:"true" maxLength:"64"`
	Hops int    `query:"hops" minimum:"1" maximum:"6" default:"4"`
}

// maxWays is how many ways between two firms a person can read.
const maxWays = 10

func (f face) paths(ctx context.Context, who access.Actor, in *pathsIn) (*route.Body[route.List[network.Way]], error) {
	ways, err := f.Chain.Paths(ctx, who.Tenant, in.From, in.To, in.Hops, maxWays)
	return route.Page(ways, err, 0, nil)
}

type shockIn struct {
	Body struct {
		FirmID string  `json:"firm_id" minLength:"1" maxLength:"64"`
		Part   float64 `json:"part" exclusiveMinimum:"0" maximum:"1" doc:"of its output that is lost"`
		Raise  bool    `json:"raise" doc:"open an alert on each firm whose loan is endangered"`
	}
}

func (f face) shock(ctx context.Context, who access.Actor, in *shockIn) (*route.Body[watch.ShockReport], error) {
	if _, err := f.Firms.Firm(ctx, who.Tenant, in.Body.FirmID); err != nil {
		return nil, err
	}
	return route.Answer(f.Shocks.Run(ctx, who.Tenant, []contagion.Shock{{FirmID: in.Body.FirmID, Part: in.Body.Part}}, in.Body.Raise))
}

// MergeLine is an entry of the log with the names of its firms.
type MergeLine struct {
	Merge party.Merge `json:"merge"`
	Firm  chain.Party `json:"firm"`
	Other chain.Party `json:"other"`
}

// PairLine is a pair of firms that may be one.
type PairLine struct {
	Pair  party.Pair  `json:"pair"`
	Firm  chain.Party `json:"firm"`
	Other chain.Party `json:"other"`
}

type mergesIn struct {
	FirmID string `query:"firm_id" maxLength:"64"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (f face) merges(ctx context.Context, who access.Actor, in *mergesIn) (*route.Body[route.List[MergeLine]], error) {
	log, err := f.Merges.History(ctx, who.Tenant, in.FirmID, in.Limit)
	if err != nil {
		return nil, err
	}
	firms, err := byID(ctx, f, who.Tenant, log, func(m party.Merge) (string, string) { return m.FirmID, m.OtherID })
	lines := make([]MergeLine, len(log))
	for i, m := range log {
		lines[i] = MergeLine{m, firms[m.FirmID], firms[m.OtherID]}
	}
	return route.Page(lines, err, 0, nil)
}

type suggestionsIn struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (f face) suggestions(ctx context.Context, who access.Actor, in *suggestionsIn) (*route.Body[route.List[PairLine]], error) {
	pairs, err := f.Merges.Suggestions(ctx, who.Tenant, in.Limit)
	if err != nil {
		return nil, err
	}
	firms, err := byID(ctx, f, who.Tenant, pairs, func(p party.Pair) (string, string) { return p.FirmID, p.OtherID })
	lines := make([]PairLine, len(pairs))
	for i, p := range pairs {
		lines[i] = PairLine{p, firms[p.FirmID], firms[p.OtherID]}
	}
	return route.Page(lines, err, 0, nil)
}

// byID returns the firms that entries name, two each.
func byID[T any](ctx context.Context, f face, tenant string, entries []T, of func(T) (string, string)) (map[string]chain.Party, error) {
	var ids []string
	for _, e := range entries {
		a, b := of(e)
		ids = append(ids, a, b)
	}
	slices.Sort(ids)
	firms, err := f.Firms.FirmsByID(ctx, tenant, slices.Compact(ids))
	out := make(map[string]chain.Party, len(firms))
	for _, p := range firms {
		out[p.ID] = p
	}
	return out, err
}

type mergeIn struct {
	Body struct {
		FirmID  string `json:"firm_id" minLength:"1" maxLength:"64" doc:"is found to be"`
		OtherID string `json:"other_id" minLength:"1" maxLength:"64" doc:"this one, which survives"`
		Same    bool   `json:"same" doc:"false says that they are two, whatever a machine thinks later"`
		Why     string `json:"why" minLength:"1" maxLength:"500"`
	}
}

func (f face) merge(ctx context.Context, who access.Actor, in *mergeIn) (*route.Body[party.Merge], error) {
	m := party.Merge{
		Tenant: who.Tenant, FirmID: in.Body.FirmID, OtherID: in.Body.OtherID, ByID: who.UserID, ByName: who.Name,
		At: f.Now().UTC(), Why: in.Body.Why,
	}
	if in.Body.Same {
		return route.Answer(f.Merges.Merge(ctx, m))
	}
	return route.Answer(f.Merges.Split(ctx, m))
}

type undoMergeIn struct {
	ByID
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"500"`
	}
}

func (f face) undoMerge(ctx context.Context, who access.Actor, in *undoMergeIn) (*route.Body[party.Merge], error) {
	return route.Answer(f.Merges.Undo(ctx, party.Merge{
		Tenant: who.Tenant, Undoes: in.ID, ByID: who.UserID, ByName: who.Name, At: f.Now().UTC(), Why: in.Body.Why,
	}))
}
