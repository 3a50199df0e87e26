package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/money"
)

// signings opens the pool of an application with its signature and ends it with the
// application, in the transaction that moves it.
type signings struct {
	apply.Store
	pools *collateral.Service
}

// Move implements apply.Store.
func (s signings) Move(ctx context.Context, from apply.State, a apply.Application, st apply.Step, r apply.Record) error {
	by := access.Actor{UserID: st.Actor, Name: st.ActorName, Tenant: a.Tenant}
	if a.State == apply.Signed && from != apply.Signed {
		c, err := s.pools.Open(ctx, collateral.Opening{
			Tenant: a.Tenant, ApplicationID: a.ID, UserID: a.UserID, UserName: a.UserName, Product: a.Product, Limit: a.Limit,
			Subject: a.Subject, Animals: r.Animals, By: by,
		})
		if err != nil {
			return err
		}
		r.Collateral = c
		return s.Store.Move(ctx, from, a, st, r)
	}
	if !slices.Contains([]apply.State{apply.Withdrawn, apply.Expired, apply.Closed, apply.Refused}, a.State) {
		return s.Store.Move(ctx, from, a, st, r)
	}
	for {
		c, err := s.pools.End(ctx, by, a.Tenant, a.ID)
		if err != nil {
			return err
		}
		r.Collateral = c
		err = s.Store.Move(ctx, from, a, st, r)
		switch {
		case errors.Is(err, collateral.ErrStale) && ctx.Err() == nil: // a value moved meanwhile
			continue
		case err != nil || c == nil:
			return err
		}
		return s.pools.Follow(ctx, a.Tenant, a.ID)
	}
}

// owing tells collateral of loans, and brings them money.
type owing struct {
	loans *loan.Service
	rail  pay.Rail
}

// Debts implements collateral.Loans.
func (o owing) Debts(ctx context.Context, tenant, applicationID string) ([]collateral.Debt, error) {
	f := loan.Filter{ApplicationID: applicationID, States: []loan.State{loan.Drawing, loan.Active, loan.Overdue}, Limit: 500}
	var out []collateral.Debt
	for {
		list, err := o.loans.Loans(ctx, tenant, f)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			d := collateral.Debt{LoanID: l.ID, Owed: l.Principal, Drawing: l.State == loan.Drawing, Overdue: l.State == loan.Overdue}
			if !d.Drawing {
				q, err := o.loans.Payoff(ctx, tenant, l.ID)
				if errors.Is(err, loan.ErrState) { // repaid meanwhile
					continue
				}
				if err != nil {
					return nil, err
				}
				d.Owed = q.Total
			}
			out = append(out, d)
		}
		if len(list) < f.Limit {
			slices.Reverse(out)
			return out, nil
		}
		f.Before = list[len(list)-1].ID
	}
}

// Receive implements collateral.Loans. The money is here already, so that it is booked and
// not collected; it counts from the day on which it is booked.
func (o owing) Receive(ctx context.Context, tenant, loanID string, amount money.Fen, _ money.Date, key string) error {
	who := loan.System
	who.Tenant = tenant
	_, err := o.loans.Apply(ctx, who, loanID, servicing.Event{Kind: servicing.Repay, Amount: amount}, key)
	return err
}

var errRemit = fault.New(fault.Unavailable, "collateral.remit", "what is left of the proceeds could not be paid to the borrower yet; the day end tries again")

// Remit implements collateral.Loans.
func (o owing) Remit(ctx context.Context, p collateral.Pool, amount money.Fen, key string) error {
	r := pay.Do(ctx, o.rail, pay.Order{
		ID: key, Tenant: p.Tenant, Direction: pay.Out, Amount: amount, PartyID: p.UserID, PartyName: p.UserName, Purpose: p.ApplicationID,
	})
	if r.Outcome != pay.Settled {
		return errRemit
	}
	return nil
}

// pledgeFinder finds what is pledged in the three rooms of evidence.
type pledgeFinder struct {
	plots   geo.Store
	herds   iot.Registry
	reports *report.Maker
	species *species.Catalogue
	parts   *receivable.Service
	firms   chain.Store
	now     func() time.Time
}

// Find implements collateral.Evidence.
func (f pledgeFinder) Find(ctx context.Context, tenant string, named []collateral.Named) ([]collateral.Asset, error) {
	out := make([]collateral.Asset, len(named))
	animals, err := f.animals(ctx, tenant, named)
	if err != nil {
		return nil, err
	}
	for i, n := range named {
		switch n.Kind {
		case collateral.Crop:
			out[i], err = f.crop(ctx, tenant, n.Ref)
		case collateral.Animal:
			out[i] = animals[n.Ref]
		case collateral.Receivable:
			out[i], err = f.part(ctx, tenant, n)
		default:
			err = collateral.ErrKind.With("kind", n.Kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Owned implements collateral.Evidence.
func (f pledgeFinder) Owned(ctx context.Context, tenant, userID string, k collateral.Kind) (out []collateral.Named, err error) {
	switch k {
	case collateral.Crop:
		err = f.ownedPlots(ctx, tenant, userID, func(n collateral.Named) { out = append(out, n) })
	case collateral.Animal:
		err = f.ownedAnimals(ctx, tenant, userID, func(n collateral.Named) { out = append(out, n) })
	case collateral.Receivable:
		err = f.ownedParts(ctx, tenant, userID, func(n collateral.Named) { out = append(out, n) })
	default:
	}
	slices.SortFunc(out, func(a, b collateral.Named) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Ref, b.Ref))
	})
	return out, err
}

func (f pledgeFinder) ownedPlots(ctx context.Context, tenant, userID string, add func(collateral.Named)) error {
	for q := (geo.PlotFilter{OwnerID: userID, Limit: 1000}); ; {
		plots, err := f.plots.Plots(ctx, tenant, q)
		if err != nil || len(plots) == 0 {
			return err
		}
		for _, p := range plots {
			add(collateral.Named{Kind: collateral.Crop, Ref: p.ID, Label: p.Name})
		}
		q.After = plots[len(plots)-1].ID
	}
}

func (f pledgeFinder) ownedAnimals(ctx context.Context, tenant, userID string, add func(collateral.Named)) error {
	herds, err := f.herds.Herds(ctx, tenant, userID)
	if err != nil {
		return err
	}
	for _, h := range herds {
		animals, err := f.herds.Animals(ctx, tenant, h.ID)
		if err != nil {
			return err
		}
		for _, a := range animals {
			if a.Here() {
				add(collateral.Named{Kind: collateral.Animal, Ref: a.ID, Parent: h.ID, Label: h.Name + " · " + a.Identity.Code})
			}
		}
	}
	return nil
}

func (f pledgeFinder) ownedParts(ctx context.Context, tenant, userID string, add func(collateral.Named)) error {
	firms, err := f.firms.Firms(ctx, tenant, chain.PartyFilter{OwnerID: userID})
	if err != nil || len(firms) == 0 {
		return err
	}
	who := bankOf(tenant)
	for _, p := range firms {
		who.Firms = append(who.Firms, p.ID)
	}
	for q := (receivable.Filter{Limit: 500}); ; {
		list, err := f.parts.Held(ctx, who, q)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			for _, p := range r.Parts {
				if slices.Contains(who.Firms, p.HolderID) && p.Free() > 0 {
					add(collateral.Named{Kind: collateral.Receivable, Ref: p.ID, Parent: r.ID, Label: p.Number, Amount: p.Free()})
				}
			}
		}
		q.Before = list[len(list)-1].ID
	}
}

func (f pledgeFinder) crop(ctx context.Context, tenant, id string) (collateral.Asset, error) {
	p, err := f.plots.Plot(ctx, tenant, id)
	if err != nil {
		return collateral.Asset{}, err
	}
	a := collateral.Asset{
		Kind: collateral.Crop, Ref: id, Label: p.Name, OwnerID: p.OwnerID, Mark: "plot/" + tenant + "/" + id, Ground: p.Polygon,
	}
	r, err := f.plots.LatestReport(ctx, tenant, id)
	switch {
	case errors.Is(err, geo.ErrReportAbsent):
		a.Value.Reason = collateral.NoReport
		return a, nil
	case err != nil:
		return a, err
	}
	a.Value = collateral.OfCrop(r)
	return a, nil
}

// animals finds those of the named that are animals, each valued in the herd where it is.
func (f pledgeFinder) animals(ctx context.Context, tenant string, named []collateral.Named) (map[string]collateral.Asset, error) {
	out := map[string]collateral.Asset{}
	owners := map[string]string{}
	values := map[string]map[string]collateral.Valuation{} // by herd, then animal
	for _, n := range named {
		if n.Kind != collateral.Animal {
			continue
		}
		x, err := f.herds.Animal(ctx, tenant, n.Ref)
		if err != nil {
			return nil, err
		}
		if values[x.HerdID] == nil {
			if owners[x.HerdID], values[x.HerdID], err = f.herd(ctx, tenant, x.HerdID); err != nil {
				return nil, err
			}
		}
		a := collateral.Asset{
			Kind: collateral.Animal, Ref: x.ID, Parent: x.HerdID, Label: x.Identity.Code, OwnerID: owners[x.HerdID],
			Mark: "animal/" + x.Identity.Scheme + "/" + x.Identity.Code,
		}
		if !iot.Forever(x.Identity.Scheme) || x.Identity.Code == "" { // the code may be somebody else's tomorrow
			a.Mark = "animal/" + tenant + "/" + x.ID
		}
		v, ok := values[x.HerdID][x.ID]
		switch {
		case ok:
			a.Value = v
		case x.Status == iot.Dead:
			a.Value = collateral.Valuation{Known: true, Reason: collateral.Died, On: money.DateOf(f.now()), Source: "herd_register"}
		case !x.Here():
			a.Value = collateral.Valuation{Known: true, Reason: collateral.Gone, On: money.DateOf(f.now()), Source: "herd_register"}
		default:
			a.Value.Reason = collateral.NoReport
		}
		out[n.Ref] = a
	}
	return out, nil
}

// herd values the animals of a herd by its report of now.
func (f pledgeFinder) herd(ctx context.Context, tenant, id string) (owner string, values map[string]collateral.Valuation, err error) {
	e, err := f.reports.Evidence(ctx, tenant, id)
	if err != nil {
		return "", nil, err
	}
	list := make([]collateral.HerdAnimal, len(e.Animals))
	for i, a := range e.Animals {
		list[i] = collateral.HerdAnimal{Animal: a, Verified: e.States[i].Status == watch.StatusInside}
		if !list[i].Verified {
			continue
		}
		v, err := worth.Of(f.species, worth.Input{Animals: []iot.Animal{a}, Region: e.Herd.Region, At: f.now()})
		if err != nil {
			return "", nil, err
		}
		list[i].Weight = v.Middle
	}
	return e.Herd.OwnerID, collateral.OfHerd(e.Report, list), nil
}

func (f pledgeFinder) part(ctx context.Context, tenant string, n collateral.Named) (collateral.Asset, error) {
	r, err := f.parts.Get(ctx, bankOf(tenant), n.Parent)
	if err != nil {
		return collateral.Asset{}, err
	}
	p, ok := r.Part(n.Ref)
	if !ok {
		return collateral.Asset{}, receivable.ErrPart
	}
	firm, err := f.firms.Firm(ctx, tenant, p.HolderID)
	if err != nil {
		return collateral.Asset{}, err
	}
	return collateral.Asset{
		Kind: collateral.Receivable, Ref: p.ID, Parent: r.ID, Label: p.Number, OwnerID: firm.OwnerID, ObligorID: r.ObligorID,
		Mark: "receivable/" + p.ID, Value: collateral.OfReceivable(r, p.ID, f.now()),
	}, nil
}

func bankOf(tenant string) receivable.Who {
	return receivable.Who{Tenant: tenant, UserID: collateral.System.UserID, Name: collateral.System.Name, Bank: true}
}

// partDesk keeps the holds on parts of receivables in step with the register.
type partDesk struct {
	parts  *receivable.Service
	funder string
}

// Hold implements collateral.Desk: its holder has asked for it.
func (d partDesk) Hold(ctx context.Context, tenant, applicationID string, a collateral.Asset, _ money.Fen) error {
	r, err := d.parts.Get(ctx, bankOf(tenant), a.Parent)
	if err != nil {
		return err
	}
	p, _ := r.Part(a.Ref)
	if h := p.Hold; h != nil && h.Kind == receivable.Pledged && h.Ref == applicationID {
		return nil
	}
	_, err = d.parts.Do(ctx, bankOf(tenant), a.Parent, fmt.Sprintf("hold-%s-%d", a.Ref, r.Version), receivable.Command{
		// All of it is paid to the funder first; what is more than the debt goes on to the borrower.
		Kind: receivable.Pledge, PartID: a.Ref, Funder: d.funder, Ref: applicationID, Owed: p.Open(), Note: "押品登记",
	})
	return err
}

// Free implements collateral.Desk.
func (d partDesk) Free(ctx context.Context, tenant, applicationID string, a collateral.Asset) error {
	r, err := d.parts.Get(ctx, bankOf(tenant), a.Parent)
	if err != nil {
		return err
	}
	p, _ := r.Part(a.Ref)
	if h := p.Hold; h == nil || h.Kind != receivable.Pledged || h.Ref != applicationID {
		return nil
	}
	_, err = d.parts.Do(ctx, bankOf(tenant), a.Parent, fmt.Sprintf("free-%s-%d", a.Ref, r.Version), receivable.Command{
		Kind: receivable.Release, PartID: a.Ref, Note: "押品解除",
	})
	return err
}

// financed is the room of receivables with what the register of collateral does beside it:
// a pledge under an application counts there, what is held there is released there, and
// what an obligor pays on it goes to the loan.
type financed struct {
	*receivable.Service
	pools *collateral.Service
}

// Do implements the room's own.
func (f financed) Do(ctx context.Context, who receivable.Who, id, key string, c receivable.Command) (receivable.Receivable, error) {
	if c.Kind == receivable.Release {
		if err := f.mayRelease(ctx, who, id, c.PartID); err != nil {
			return receivable.Receivable{}, err
		}
	}
	r, err := f.Service.Do(ctx, who, id, key, c)
	if err != nil {
		return r, err
	}
	switch c.Kind {
	case receivable.Pledge:
		_, err = f.pools.Do(ctx, access.Actor{UserID: who.UserID, Name: who.Name, Tenant: who.Tenant, Role: access.Officer}, c.Ref, "part-"+c.PartID,
			collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Receivable, Ref: c.PartID, Parent: id}}})
		if errors.Is(err, collateral.ErrNotFound) { // lent elsewhere
			err = nil
		}
	case receivable.Pay:
		err = f.paid(ctx, who.Tenant, id, c.Ref)
	default:
	}
	return r, err
}

func (f financed) mayRelease(ctx context.Context, who receivable.Who, id, part string) error {
	r, err := f.Get(ctx, who, id)
	if err != nil {
		return err
	}
	p, ok := r.Part(part)
	if !ok || p.Hold == nil || p.Hold.Kind != receivable.Pledged {
		return nil
	}
	pools, err := f.pools.Pools(ctx, who.Tenant, collateral.Filter{Open: true, Kind: collateral.Receivable, Ref: p.ID, Limit: 1})
	if err == nil && len(pools) > 0 {
		err = collateral.ErrInPool.With("application", pools[0].Pool.ApplicationID)
	}
	return err
}

// paid brings what a payment gave to funders to the loans behind it.
func (f financed) paid(ctx context.Context, tenant, id, ref string) error {
	events, err := f.Events(ctx, bankOf(tenant), id)
	if err != nil {
		return err
	}
	r, err := f.Get(ctx, bankOf(tenant), id)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range events {
		if e.Payment == nil || e.Payment.Ref != ref {
			continue
		}
		for _, s := range e.Payment.Shares {
			if s.ToFunder > 0 {
				errs = append(errs, f.pools.Paid(ctx, tenant, s.PartID, s.ToFunder, e.Payment.Date, r.ObligorID, id+"/"+ref))
			}
		}
	}
	return errors.Join(errs...)
}

// dayEnds runs the day end of collateral after that of the loans.
type dayEnds struct {
	*apply.Service
	pools *collateral.Service
}

// DayEnd implements job.Work.Loans.
func (d dayEnds) DayEnd(ctx context.Context, tenant string, date money.Date) (loan.DayEndReport, error) {
	r, err := d.Service.DayEnd(ctx, tenant, date)
	return r, errors.Join(err, d.pools.DayEnd(ctx, tenant))
}

// pledged is news of a plot, of a herd or of what an application owes.
type pledged struct{ tenant, plot, herd, application string }

// valuePause gathers the news of a few moments into one valuation.
const valuePause = 2 * time.Second

// revalue has what is pledged looked at soon. When too much waits, the day end does it.
func (a *App) revalue(x pledged) {
	select {
	case a.revalues <- x:
	default:
	}
}

// valuePledges values what is pledged anew after news of it, until ctx ends.
func (a *App) valuePledges(ctx context.Context) error {
	waiting := map[pledged]bool{}
	var soon <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-a.revalues:
			waiting[x] = true
			if soon == nil {
				soon = time.After(valuePause)
			}
		case <-soon:
			for x := range waiting {
				if err := a.valuePledge(ctx, x); err != nil && ctx.Err() == nil {
					a.cfg.Log.WarnContext(ctx, "what is pledged could not be valued now; the day end does", "news", x, "error", err)
				}
			}
			clear(waiting)
			soon = nil
		}
	}
}

// herdTold tells the watch, and what is lent on it, of a herd that changed.
func (a *App) herdTold(ctx context.Context, tenant, herdID string) error {
	a.revalue(pledged{tenant: tenant, herd: herdID})
	return a.engine.Reload(ctx, tenant, herdID)
}

func (a *App) valuePledge(ctx context.Context, x pledged) error {
	switch {
	case x.plot != "":
		return a.pools.PlotChanged(ctx, x.tenant, x.plot)
	case x.herd != "":
		return a.pools.HerdChanged(ctx, x.tenant, x.herd)
	}
	return a.pools.LoanChanged(ctx, x.tenant, x.application)
}

// owesOther notes that what an application owes has changed.
func (a *App) owesOther(_ context.Context, _, l loan.Loan) error {
	a.revalue(pledged{tenant: l.Tenant, application: l.ApplicationID})
	return nil
}
