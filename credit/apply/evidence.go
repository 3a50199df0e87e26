package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
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

// gather takes the evidence of now. pending says that a report is still being made.
func (s *Service) gather(ctx context.Context, a Application) (ev credit.Evidence, pending bool, err error) {
	ev = credit.Evidence{
		Applicant: credit.Applicant{UserID: a.UserID, Name: a.UserName},
		Subject:   a.Subject, Product: a.Product, Asked: a.Asked, TermMonths: a.TermMonths,
		Overlaps: []geo.Overlap{}, Alerts: []string{}, TakenAt: s.now(),
	}
	if ev.Applicant.Debts, ev.Applicant.WorstOverdueDays, err = s.cfg.Loans.Record(ctx, a.Tenant, a.UserID); err != nil {
		return ev, false, err
	}
	holder, err := s.cfg.Store.PledgeOf(ctx, a.Tenant, a.Subject)
	if err != nil {
		return ev, false, err
	}
	if holder != a.ID {
		ev.Pledged = holder
	}
	alerts, err := s.cfg.Alerts.List(ctx, a.Tenant, watch.Filter{Open: true, SubjectID: a.Subject.ID, Limit: 500})
	if err != nil {
		return ev, false, err
	}
	for _, alert := range alerts {
		ev.Alerts = append(ev.Alerts, alert.Kind)
	}
	slices.Sort(ev.Alerts)
	ev.Alerts = slices.Compact(ev.Alerts)
	pending, err = s.report(ctx, a, &ev)
	return ev, pending, err
}

// report adds what the subject's own room tells.
func (s *Service) report(ctx context.Context, a Application, ev *credit.Evidence) (pending bool, err error) {
	switch a.Subject.Kind {
	case credit.PlotSubject:
		p, err := s.cfg.Plots.Plot(ctx, a.Tenant, a.Subject.ID)
		if err != nil {
			return false, err
		}
		ev.AreaM2 = p.AreaM2
		if ev.Overlaps, err = s.pledgedOverlaps(ctx, a); err != nil {
			return false, err
		}
		r, err := s.cfg.PlotReports.LatestReport(ctx, a.Tenant, p.ID)
		if errors.Is(err, geo.ErrReportAbsent) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		ev.Crop = &r
	case credit.HerdSubject:
		r, err := s.cfg.HerdReports.Report(ctx, a.Tenant, a.Subject.ID)
		if err != nil {
			return false, err
		}
		ev.Herd = &r
	case credit.FirmSubject:
		r, err := s.cfg.Standings.Standing(ctx, a.Tenant, a.Subject.ID)
		if err != nil {
			return false, err
		}
		ev.Standing = &r
	}
	return false, nil
}

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
