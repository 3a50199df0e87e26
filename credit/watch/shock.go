package watch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/money"
)

// Endangered is the kind of the alert on a firm whose loans a shock to another puts
// in danger.
const Endangered = "endangered"

// leastLoss is the part of its output from which a firm's loss is told: less is within
// what trade varies by itself.
const leastLoss = 0.05

// maxTold bounds the firms of a report; the sums count all.
const maxTold = 500

// Shocks asks what becomes of the firms of a chain, and of the loans to them, when some
// of them stop.
type Shocks struct {
	Firms chain.Store
	// Loans are those that are not repaid, to firms.
	Loans  func(ctx context.Context, tenant string) ([]contagion.Exposure, error)
	Inputs *contagion.Inputs // which input a sector cannot do without; nil: each counts by its share
	Desk   *Desk
	Now    func() time.Time
}

// Hit is a firm that a shock reaches.
type Hit struct {
	contagion.Loss
	Name      string   `json:"name"`
	PathNames []string `json:"path_names"` // from the firm that was struck to this one
}

// ShockReport is what a shock does, by supply and orders alone.
type ShockReport struct {
	Struck     []contagion.Shock    `json:"struck"`
	Part       float64              `json:"part"`   // of the chain's yearly trade that is lost
	Amount     money.Fen            `json:"amount"` // of it
	Firms      int                  `json:"firms"`  // with any loss
	Hits       []Hit                `json:"hits"`   // the hardest first, at most 500
	Endangered contagion.Endangered `json:"endangered"`
	Converged  bool                 `json:"converged"`
	Raised     int                  `json:"raised"` // alerts
	Method     string               `json:"method"`
	MadeAt     time.Time            `json:"made_at"`
}

// ShockMethod names the version of the model: it is kept with what it says.
const ShockMethod = "chain.contagion.esri/2"

// Run reckons a shock on the books as they are, and, when raise is set, opens an alert
// on each firm whose loan it endangers. contagion.ErrFirm for one that has no trade.
func (s *Shocks) Run(ctx context.Context, tenant string, shocks []contagion.Shock, raise bool) (ShockReport, error) {
	shocks, err := s.survivors(ctx, tenant, shocks)
	if err != nil {
		return ShockReport{}, err
	}
	net, err := s.network(ctx, tenant)
	if err != nil {
		return ShockReport{}, err
	}
	result, err := net.Run(ctx, shocks, contagion.Params{})
	if err != nil {
		return ShockReport{}, err
	}
	loans, err := s.loans(ctx, tenant)
	if err != nil {
		return ShockReport{}, err
	}
	out := ShockReport{
		Struck: shocks, Part: result.Part, Amount: money.Fen(result.Amount), Firms: result.Firms, Endangered: result.Endangered(loans, leastLoss),
		Converged: result.Converged, Method: ShockMethod, MadeAt: s.Now().UTC(),
	}
	losses := result.Losses(leastLoss, maxTold)
	names, err := s.names(ctx, tenant, losses, out.Endangered, shocks)
	if err != nil {
		return ShockReport{}, err
	}
	out.Hits = make([]Hit, len(losses))
	for i, l := range losses {
		out.Hits[i] = Hit{Loss: l, Name: names[l.FirmID], PathNames: make([]string, len(l.Cause.Path))}
		for k, id := range l.Cause.Path {
			out.Hits[i].PathNames[k] = names[id]
		}
	}
	for i, d := range out.Endangered.Loans {
		out.Endangered.Loans[i].Name = names[d.FirmID]
	}
	if raise {
		out.Raised, err = s.raise(ctx, tenant, names, shocks, out.Endangered)
	}
	return out, err
}

// survivors puts for each firm that is struck the one that it was found to be: the books
// have its trade under that.
func (s *Shocks) survivors(ctx context.Context, tenant string, shocks []contagion.Shock) ([]contagion.Shock, error) {
	ids := make([]string, len(shocks))
	for i, sh := range shocks {
		ids[i] = sh.FirmID
	}
	now, err := s.counted(ctx, tenant, ids)
	out := slices.Clone(shocks)
	for i := range out {
		out[i].FirmID = now[out[i].FirmID]
	}
	return out, err
}

// loans are those to the firms of the books, each to the one that its debtor was found
// to be.
func (s *Shocks) loans(ctx context.Context, tenant string) ([]contagion.Exposure, error) {
	loans, err := s.Loans(ctx, tenant)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(loans))
	for i, l := range loans {
		ids[i] = l.FirmID
	}
	now, err := s.counted(ctx, tenant, ids)
	out := slices.Clone(loans)
	for i := range out {
		out[i].FirmID = now[out[i].FirmID]
	}
	return out, err
}

// counted says for whom each firm counts: itself when nothing else is known.
func (s *Shocks) counted(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		out[id] = id
	}
	firms, err := s.Firms.FirmsByID(ctx, tenant, slices.Sorted(maps.Keys(out)))
	for _, p := range firms {
		out[p.ID] = p.Survivor()
	}
	return out, err
}

// network reads the trade of a tenant, each link as what it comes to in a year.
func (s *Shocks) network(ctx context.Context, tenant string) (*contagion.Network, error) {
	var (
		firms []contagion.Firm
		links []contagion.Link
		at    = map[string]uint32{}
	)
	place := func(id string) uint32 {
		k, ok := at[id]
		if !ok {
			k = uint32(len(firms))
			at[id] = k
			firms = append(firms, contagion.Firm{ID: id})
		}
		return k
	}
	today := s.Now()
	err := s.Firms.AllLinks(ctx, tenant, func(l chain.Link) error {
		amount := cmp.Or(max(l.Invoiced, 0), max(l.Ordered, 0), max(l.Paid, 0))
		if amount > 0 && l.SellerID != l.BuyerID {
			links = append(links, contagion.Link{Supplier: place(l.SellerID), Buyer: place(l.BuyerID), Amount: float64(amount) / years(l, today), Need: contagion.Useful})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.sectors(ctx, tenant, firms); err != nil {
		return nil, err
	}
	if s.Inputs != nil {
		for i, l := range links {
			links[i].Need = s.Inputs.Need(firms[l.Supplier].Sector, firms[l.Buyer].Sector)
		}
	}
	return contagion.NewNetwork(firms, links)
}

// sectors fills in the industry codes of the firms.
func (s *Shocks) sectors(ctx context.Context, tenant string, firms []contagion.Firm) error {
	ids := make([]string, len(firms))
	at := make(map[string]int, len(firms))
	for i, f := range firms {
		ids[i], at[f.ID] = f.ID, i
	}
	found, err := s.Firms.FirmsByID(ctx, tenant, ids)
	for _, p := range found {
		firms[at[p.ID]].Sector = p.IndustryCode
	}
	return err
}

// years is how long a link has lasted until today, at least one: a short one is not
// blown up, and a date that is still to come thins nothing.
func years(l chain.Link, today time.Time) float64 {
	first, err1 := time.Parse(time.DateOnly, l.FirstDate)
	last, err2 := time.Parse(time.DateOnly, l.LastDate)
	if err1 != nil || err2 != nil {
		return 1
	}
	if last.After(today) {
		last = today
	}
	return max(1, last.Sub(first).Hours()/24/365)
}

func (s *Shocks) names(ctx context.Context, tenant string, losses []contagion.Loss, e contagion.Endangered, shocks []contagion.Shock) (map[string]string, error) {
	names := map[string]string{}
	for _, sh := range shocks {
		names[sh.FirmID] = ""
	}
	paths := func(id string, path []string) {
		names[id] = ""
		for _, id := range path {
			names[id] = ""
		}
	}
	for _, l := range losses {
		paths(l.FirmID, l.Cause.Path)
	}
	for _, d := range e.Loans {
		paths(d.FirmID, d.Cause.Path)
	}
	firms, err := s.Firms.FirmsByID(ctx, tenant, slices.Sorted(maps.Keys(names)))
	for _, p := range firms {
		names[p.ID] = p.Name
	}
	return names, err
}

// raise opens an alert on each firm that has an endangered loan.
func (s *Shocks) raise(ctx context.Context, tenant string, names map[string]string, shocks []contagion.Shock, e contagion.Endangered) (int, error) {
	origin := shocks[0].FirmID
	text := names[origin]
	if len(shocks) > 1 {
		text = fmt.Sprintf("%s +%d", text, len(shocks)-1)
	}
	facts := contagion.Facts(text, e)
	for _, f := range facts {
		a := Alert{
			Tenant: tenant, Kind: Endangered, Severity: f.Severity, SubjectKind: "firm", SubjectID: f.FirmID, Item: origin,
			Label: names[f.FirmID], LoanID: f.LoanIDs[0], Evidence: named(f.Evidence, names),
		}
		if err := s.Desk.Raise(ctx, a); err != nil {
			return 0, err
		}
	}
	return len(facts), nil
}

// named puts names where the evidence has ids of firms.
func named(evidence, names map[string]string) map[string]string {
	if name := names[evidence["from"]]; name != "" {
		evidence["from"] = name
	}
	delete(evidence, "path") // the report has it; here it would be a row of ids
	return evidence
}
