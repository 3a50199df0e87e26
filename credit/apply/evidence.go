package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/forecast"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
)

// Why a part of the evidence is not there.
const (
	NoConsent   = "no_consent"
	NotUploaded = "not_uploaded"
	NotMade     = "not_made"
)

// subject finds who holds what is borrowed on, and what it is called; ErrSubject.
func (s *Service) subject(ctx context.Context, tenant string, sub credit.Subject) (owner, ownerName, name string, err error) {
	switch sub.Kind {
	case credit.PlotSubject:
		p, e := s.cfg.Plots.Plot(ctx, tenant, sub.ID)
		owner, ownerName, name, err = p.OwnerID, p.OwnerName, p.Name, e
	case credit.HerdSubject:
		h, e := s.cfg.Herds.Herd(ctx, tenant, sub.ID)
		owner, ownerName, name, err = h.OwnerID, h.OwnerName, h.Name, e
	case credit.FirmSubject:
		f, e := s.cfg.Firms.Firm(ctx, tenant, sub.ID)
		owner, ownerName, name, err = f.OwnerID, f.Name, f.Name, e
	default:
		err = ErrSubject
	}
	if errors.Is(err, fault.NotFound) {
		err = ErrSubject.At("body.subject.id")
	}
	return owner, ownerName, name, err
}

// consent writes down what came with a request; consent.ErrMissing when the borrower has
// not agreed to a decision at all.
func (s *Service) consent(ctx context.Context, actor access.Actor, owner string, req Request) error {
	how := consent.How{Channel: string(req.Channel), Device: req.Device, By: cmp.Or(req.By.UserID, actor.UserID)}
	if err := s.cfg.Consents.Give(ctx, actor.Tenant, owner, req.Consents, how); err != nil {
		return err
	}
	_, err := s.consents(ctx, actor.Tenant, owner)
	if errors.Is(err, consent.ErrMissing) {
		return consent.ErrMissing.At("body.consents")
	}
	return err
}

// consents are those that stand for deciding; consent.ErrMissing.
func (s *Service) consents(ctx context.Context, tenant, userID string) ([]credit.Consent, error) {
	all, err := s.cfg.Consents.Standing(ctx, tenant, userID, consent.CreditDecision)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(c credit.Consent) bool { return c.Part == consent.Decision }) {
		return nil, consent.ErrMissing
	}
	return all, nil
}

// gathering is evidence on its way.
type gathering struct {
	*Service
	a    Application
	prod product.Product
	ev   credit.Evidence
	// pending says that a report is still being made.
	pending bool
}

// gather takes the evidence of now. Nothing is read before the consents are: what the
// borrower did not agree to, and what the product does not need, is left alone.
// consent.ErrMissing when the borrower does not agree to a decision.
func (s *Service) gather(ctx context.Context, a Application) (ev credit.Evidence, pending bool, err error) {
	g := &gathering{Service: s, a: a, ev: credit.Evidence{
		Applicant: credit.Applicant{UserID: a.UserID, Name: a.UserName},
		Subject:   a.Subject, Product: a.Product, Asked: a.Asked, TermMonths: a.TermMonths,
		Overlaps: []geo.Overlap{}, Alerts: []string{}, TakenAt: s.now(),
	}}
	if g.prod, err = s.cfg.Products.Product(a.Product); err != nil {
		return g.ev, false, err
	}
	if g.ev.Consents, err = s.consents(ctx, a.Tenant, a.UserID); err != nil {
		return g.ev, false, err
	}
	for _, read := range []func(context.Context) error{g.applicant, g.own, g.parts, g.exposure} {
		if err := read(ctx); err != nil {
			return g.ev, false, err
		}
	}
	return g.ev, g.pending, nil
}

// source tells of a part.
func (g *gathering) source(x credit.Source) { g.ev.Sources = append(g.ev.Sources, x) }

// missing tells why a part is not there.
func (g *gathering) missing(part, why string) {
	g.source(credit.Source{Part: part, Uncertainty: 1, Missing: why})
}

// applicant is who asks, as the bank keeps it itself.
func (g *gathering) applicant(ctx context.Context) (err error) {
	who := &g.ev.Applicant
	if who.Debts, who.WorstOverdueDays, err = g.cfg.Loans.Record(ctx, g.a.Tenant, g.a.UserID); err != nil {
		return err
	}
	b, err := g.cfg.Profiles.Borrower(ctx, g.a.Tenant, g.a.UserID)
	if errors.Is(err, profile.ErrNotFound) {
		g.missing("applicant", NotUploaded)
		return nil
	}
	if err != nil {
		return err
	}
	who.Kind, who.Region, who.Industry, who.Household, who.Group = b.Kind, b.Region, b.Industry, b.Household, b.Group
	if b.BirthYear > 0 {
		who.Age = g.ev.TakenAt.Year() - b.BirthYear
	}
	g.source(credit.Source{Part: "applicant", From: "this bank", Version: profile.Version, At: &b.UpdatedAt})
	return nil
}

// own is what the bank knows of the subject by itself: pledges and alerts.
func (g *gathering) own(ctx context.Context) error {
	holder, err := g.cfg.Store.PledgeOf(ctx, g.a.Tenant, g.a.Subject)
	if err != nil {
		return err
	}
	if holder != g.a.ID {
		g.ev.Pledged = holder
	}
	alerts, err := g.cfg.Alerts.List(ctx, g.a.Tenant, watch.Filter{Open: true, SubjectID: g.a.Subject.ID, Limit: 500})
	if err != nil {
		return err
	}
	for _, alert := range alerts {
		g.ev.Alerts = append(g.ev.Alerts, alert.Kind)
	}
	slices.Sort(g.ev.Alerts)
	g.ev.Alerts = slices.Compact(g.ev.Alerts)
	if g.a.Subject.Kind != credit.PlotSubject {
		return nil
	}
	p, err := g.cfg.Plots.Plot(ctx, g.a.Tenant, g.a.Subject.ID)
	if err != nil {
		return err
	}
	g.ev.AreaM2 = p.AreaM2
	if g.ev.Overlaps, err = g.pledgedOverlaps(ctx, g.a); err != nil {
		return err
	}
	g.source(credit.Source{Part: "overlaps", From: "this bank", Version: "1", At: &g.ev.TakenAt})
	return nil
}

// parts reads what the product needs and the borrower agreed to.
func (g *gathering) parts(ctx context.Context) error {
	readers := map[string]func(context.Context) error{
		"crop": g.crop, "herd": g.herd, "standing": g.standing, "turnover": g.turnover, "bureau": g.bureau, "bank": g.bank,
	}
	order := []string{"crop", "herd", "standing", "turnover", "bureau", "bank"} // a forecast reads the standing
	for _, part := range order {
		if !g.prod.Reads(part) {
			continue
		}
		agreed := func(c credit.Consent) bool { return c.Part == consent.Of(part) }
		if !slices.ContainsFunc(g.ev.Consents, agreed) {
			g.missing(part, NoConsent)
			continue
		}
		if err := readers[part](ctx); err != nil {
			return err
		}
	}
	// Of the consents that stand, only those are part of the evidence under which it was read.
	g.ev.Consents = slices.DeleteFunc(g.ev.Consents, func(c credit.Consent) bool {
		return c.Part != consent.Decision && !slices.ContainsFunc(order, func(p string) bool { return g.prod.Reads(p) && consent.Of(p) == c.Part })
	})
	return nil
}

func (g *gathering) crop(ctx context.Context) error {
	r, err := g.cfg.PlotReports.LatestReport(ctx, g.a.Tenant, g.a.Subject.ID)
	if errors.Is(err, geo.ErrReportAbsent) {
		g.pending = true
		g.missing("crop", NotMade)
		return nil
	}
	if err != nil {
		return err
	}
	g.ev.Crop = &r
	from := "satellites"
	if len(r.Sources) > 0 {
		from = r.Sources[0]
	}
	g.source(credit.Source{Part: "crop", From: from, Version: r.Method, At: r.LastClear, Uncertainty: unsure(r.Confidence)})
	return nil
}

func (g *gathering) herd(ctx context.Context) error {
	r, err := g.cfg.HerdReports.Report(ctx, g.a.Tenant, g.a.Subject.ID)
	if err != nil {
		return err
	}
	g.ev.Herd = &r
	sure := 0.0
	if r.Registered > 0 {
		sure = float64(r.Verified) / float64(r.Registered)
	}
	g.source(credit.Source{Part: "herd", From: "ear tags", Version: r.Method, At: r.LastHeard, Uncertainty: unsure(sure)})
	return nil
}

func (g *gathering) standing(ctx context.Context) error {
	r, err := g.cfg.Standings.Standing(ctx, g.a.Tenant, g.a.Subject.ID)
	if err != nil {
		return err
	}
	g.ev.Standing = &r
	g.source(credit.Source{Part: "standing", From: "trade with anchors", Version: r.Method, At: &r.MadeAt, Uncertainty: unsure(r.Confidence)})
	return nil
}

// months ahead that sales are foretold for.
const months = 12

// turnover foretells the firm's sales from its own months, as the standing has them, and
// from what moves around it, where that helps.
func (g *gathering) turnover(ctx context.Context) error {
	if g.ev.Standing == nil {
		g.missing("turnover", NotMade)
		return nil
	}
	x, err := g.cfg.Standings.Surroundings(ctx, g.a.Tenant, *g.ev.Standing)
	if err != nil {
		return err
	}
	g.ev.Surroundings = &x
	if x.Industry == nil && len(x.Anchors) == 0 {
		g.missing("surroundings", x.Reason)
	} else {
		g.source(credit.Source{Part: "surroundings", From: "trade of other firms", Version: x.Method, At: &x.MadeAt})
	}
	t := Foretold(g.ev)
	g.ev.Turnover = &t
	if t.Status != "known" {
		g.missing("turnover", t.Reason)
		return nil
	}
	// Half the width of the interval against the middle, over all months.
	var middle, spread float64
	for _, m := range t.Months {
		middle += float64(m.Middle)
		spread += float64(m.High-m.Low) / 2
	}
	sure := 0.0
	if middle > 0 {
		sure = 1 - spread/middle
	}
	g.source(credit.Source{Part: "turnover", From: "forecast of the firm's sales", Version: t.Method, At: &g.ev.Standing.MadeAt, Uncertainty: unsure(sure)})
	return nil
}

// Foretold is the forecast of sales that evidence with a standing gives: nothing but what
// is frozen in it is read.
func Foretold(ev credit.Evidence) credit.Turnover {
	var industry []forecast.IndexPoint
	var anchors []forecast.AnchorSeries
	if x := ev.Surroundings; x != nil {
		if x.Industry != nil {
			industry = points(x.Industry.Level)
		}
		for _, a := range x.Anchors {
			anchors = append(anchors, forecast.AnchorSeries{Share: a.Share, Months: points(a.Level)})
		}
	}
	return forecast.Turnover(ev.Standing.Series, industry, anchors, months)
}

func points(l chain.Level) []forecast.IndexPoint {
	first, err := time.Parse("2006-01", l.First)
	if err != nil {
		return nil
	}
	out := make([]forecast.IndexPoint, len(l.Values))
	for i, v := range l.Values {
		out[i] = forecast.IndexPoint{Month: first.AddDate(0, i, 0).Format("2006-01"), Value: v}
	}
	return out
}

func (g *gathering) bureau(ctx context.Context) error {
	h, err := g.history(ctx, profile.Bureau)
	if err == nil && h != nil {
		g.ev.Bureau = h.Bureau
	}
	return err
}

func (g *gathering) bank(ctx context.Context) error {
	h, err := g.history(ctx, profile.Bank)
	if err == nil && h != nil {
		g.ev.Bank = h.Bank
	}
	return err
}

// history is the newest upload of a kind that may be read, or nil. Once the contract is
// signed, what was uploaded later is read only with consent to look after the loan; what
// was there before stays under that of the decision.
func (g *gathering) history(ctx context.Context, k profile.Kind) (*profile.History, error) {
	h, err := g.cfg.Profiles.Newest(ctx, g.a.Tenant, g.a.UserID, k)
	if errors.Is(err, profile.ErrAbsent) {
		g.missing(string(k), NotUploaded)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if g.a.State == Signed || g.a.State == Active {
		if h, err = g.afterSigning(ctx, h); err != nil {
			return nil, err
		}
		if h.ID == "" {
			g.missing(string(k), NoConsent)
			return nil, nil
		}
	}
	g.source(credit.Source{Part: string(k), From: "upload " + h.FileHash, Version: profile.Version, At: &h.At})
	return &h, nil
}

// afterSigning is newest, or without consent to look after the loan the newest upload of
// before the contract; none has no ID.
func (g *gathering) afterSigning(ctx context.Context, newest profile.History) (profile.History, error) {
	c, err := g.signed(ctx, g.a)
	if err != nil || c.SignedAt == nil || !newest.SavedAt.After(*c.SignedAt) {
		return newest, err
	}
	stand, err := g.cfg.Consents.Standing(ctx, g.a.Tenant, g.a.UserID, consent.PostLoan)
	if err != nil {
		return profile.History{}, err
	}
	for _, x := range stand {
		if x.Part == string(newest.Kind) {
			g.ev.Consents = append(g.ev.Consents, x)
			return newest, nil
		}
	}
	all, err := g.cfg.Profiles.Histories(ctx, g.a.Tenant, g.a.UserID)
	for _, h := range all {
		if h.Kind == newest.Kind && !h.SavedAt.After(*c.SignedAt) {
			return h, err
		}
	}
	return profile.History{}, err
}

// evidence is what the decision on an application saw.
func (s *Service) evidence(ctx context.Context, a Application) (credit.Evidence, error) {
	frozen, err := s.cfg.Store.Frozen(ctx, a.Tenant, a.DecisionID)
	if err != nil {
		return credit.Evidence{}, err
	}
	return credit.Read(frozen.Evidence)
}

// withdrawn are the consents of evidence that do not stand any more.
func (s *Service) withdrawn(ctx context.Context, a Application, ev credit.Evidence) (map[string]time.Time, error) {
	acts, err := s.cfg.Consents.History(ctx, a.Tenant, a.UserID)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, c := range ev.Consents {
		if at, ended := consent.Ended(acts, c.ID); ended {
			out[c.ID] = at
		}
	}
	return out, nil
}

// around says whose exposures bound an application: the applicant's on that evidence,
// without the application itself.
func around(a Application, ev credit.Evidence) profile.Around {
	who := ev.Applicant
	return profile.Around{
		UserID: a.UserID, Household: who.Household, Group: who.Group, AnchorID: nearest(ev), Product: a.Product,
		Region: who.Region, Except: a.ID,
	}
}

// exposure is what is lent or promised around the applicant.
func (g *gathering) exposure(ctx context.Context) error {
	x, err := g.cfg.Profiles.Exposure(ctx, g.a.Tenant, around(g.a, g.ev))
	if err != nil {
		return err
	}
	g.ev.Exposure = &x
	g.source(credit.Source{Part: "exposure", From: "this bank", Version: profile.Version, At: &g.ev.TakenAt})
	return nil
}

// nearest is the anchor of the smallest tier, of those the one with the largest share.
func nearest(ev credit.Evidence) string {
	if ev.Standing == nil || len(ev.Standing.Anchors) == 0 {
		return ""
	}
	best := ev.Standing.Anchors[0]
	for _, a := range ev.Standing.Anchors[1:] {
		if a.Tier < best.Tier || a.Tier == best.Tier && (a.Share > best.Share || a.Share == best.Share && a.AnchorID < best.AnchorID) {
			best = a
		}
	}
	return best.AnchorID
}

// seen says how a limit on this evidence counts.
func seen(ev credit.Evidence, prod product.Product) *profile.Seen {
	out := &profile.Seen{Revolving: prod.Revolving}
	if ev.Exposure != nil {
		out.AnchorID = ev.Exposure.AnchorID
	}
	return out
}

// unsure is the uncertainty of what is that sure, within 0 and 1.
func unsure(sure float64) float64 { return min(max(1-sure, 0), 1) }

// pledgedOverlaps are the pledged plots that share ground with the subject, largest
// share first.
func (s *Service) pledgedOverlaps(ctx context.Context, a Application) ([]geo.Overlap, error) {
	p, err := s.cfg.Plots.Plot(ctx, a.Tenant, a.Subject.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.cfg.Overlaps.Overlaps(ctx, a.Tenant, p.Polygon, p.ID)
	out := []geo.Overlap{}
	if err != nil || len(all) == 0 {
		return out, err
	}
	pledged, err := s.cfg.Store.PledgedPlots(ctx, a.Tenant)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if slices.Contains(pledged, o.PlotID) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b geo.Overlap) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	return out, nil
}
