package watch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with alerts.
var (
	ErrClosed = fault.New(fault.Conflict, "alert.closed", "this alert is closed already")
	ErrCause  = fault.New(fault.Invalid, "alert.cause", "say in a few words why the alert is closed")
	errNobody = fault.New(fault.Invalid, "alert.incomplete", "an alert needs a tenant, a kind, a severity and a subject")
)

// System closes alerts by itself, as ClosedBy.
const System = "system"

// Raise opens the matter, or updates the one that is open for the same kind, subject
// and item, and tells the notifier.
func (d *Desk) Raise(ctx context.Context, a Alert) error {
	a, err := d.complete(ctx, a)
	if err != nil {
		return err
	}
	saved, opened, err := d.Store.Raise(ctx, a)
	if err != nil {
		return err
	}
	d.told(ctx, saved, opened)
	return nil
}

// RaiseAll is Raise for alerts of different matters, in one transaction.
func (d *Desk) RaiseAll(ctx context.Context, list []Alert) error {
	full := make([]Alert, len(list))
	for i := range list {
		var err error
		if full[i], err = d.complete(ctx, list[i]); err != nil {
			return err
		}
	}
	saved, opened, err := d.Store.RaiseAll(ctx, full)
	if err != nil {
		return err
	}
	for i := range saved {
		d.told(ctx, saved[i], opened[i])
	}
	return nil
}

// complete fills what an alert does not say.
func (d *Desk) complete(ctx context.Context, a Alert) (Alert, error) {
	if a.Tenant == "" || a.Kind == "" || a.SubjectID == "" || a.SubjectKind == "" || a.Severity == "" {
		return a, errNobody
	}
	a.OpenedAt = d.Now().UTC()
	a.UpdatedAt = a.OpenedAt
	if a.EventAt.IsZero() {
		a.EventAt = a.OpenedAt
	}
	if a.Evidence == nil {
		a.Evidence = map[string]string{}
	}
	if a.LoanID == "" && d.LoanOf != nil {
		id, err := d.LoanOf(ctx, a.Tenant, a.SubjectID)
		if err != nil {
			return a, fmt.Errorf("alert on %s: %w", a.SubjectID, err)
		}
		a.LoanID = id
	}
	return a, nil
}

func (d *Desk) told(ctx context.Context, a Alert, opened bool) {
	d.tell(a)
	if opened {
		d.moved(ctx, a)
	}
}

func (d *Desk) tell(a Alert) {
	if d.Notify != nil {
		d.Notify.AlertChanged(a)
	}
}

func (d *Desk) moved(ctx context.Context, a Alert) {
	if d.Moved != nil {
		d.Moved(ctx, a)
	}
}

// Clear closes the matter by itself, when it is open.
func (d *Desk) Clear(ctx context.Context, tenant, kind, subjectID, item, cause string) error {
	a, ok, err := d.Store.Clear(ctx, tenant, kind, subjectID, item, d.Now().UTC(), System, cause)
	if err != nil || !ok {
		return err
	}
	d.tell(a)
	d.moved(ctx, a)
	return nil
}

// Close closes an alert by a person, who says why: ErrNotFound, ErrClosed, ErrCause.
func (d *Desk) Close(ctx context.Context, actor access.Actor, id, cause string) (Alert, error) {
	cause = strings.TrimSpace(cause)
	if cause == "" || len(cause) > 2000 {
		return Alert{}, ErrCause.At("body.cause")
	}
	a, err := d.Store.Close(ctx, actor.Tenant, id, d.Now().UTC(), actor.UserID, cause)
	if err != nil {
		return Alert{}, err
	}
	d.tell(a)
	d.moved(ctx, a)
	return a, nil
}

// List lists alerts, newest first.
func (d *Desk) List(ctx context.Context, tenant string, f Filter) ([]Alert, error) {
	return d.Store.Alerts(ctx, tenant, f)
}

// CountOpen counts open alerts by severity.
func (d *Desk) CountOpen(ctx context.Context, tenant string) (map[string]int, error) {
	return d.Store.CountOpen(ctx, tenant)
}

// Herd raises or clears what the watch of a herd saw. It fits iot/watch as it is.
func (d *Desk) Herd(ctx context.Context, e iot.Event) error {
	a := FromHerd(e)
	if e.Cleared {
		return d.Clear(ctx, a.Tenant, a.Kind, a.SubjectID, a.Item, "back to normal")
	}
	return d.Raise(ctx, a)
}

// Plot raises the hazards of a report and clears those that an earlier report told and
// this one, being known, does not.
func (d *Desk) Plot(ctx context.Context, p geo.Plot, r geo.CropReport) error {
	seen := map[string]bool{}
	for _, h := range r.Hazards {
		a := FromHazard(p, h)
		seen[a.Kind] = true
		if err := d.Raise(ctx, a); err != nil {
			return err
		}
	}
	if r.Status == geo.Unknown {
		return nil
	}
	for _, kind := range []geo.HazardKind{geo.Flood, geo.Drought, geo.VigourLoss, geo.EarlyHarvest, geo.NeverSown, geo.Abandoned} {
		if seen[string(kind)] {
			continue
		}
		if err := d.Clear(ctx, p.Tenant, string(kind), p.ID, "", "not in the newest report"); err != nil {
			return err
		}
	}
	return nil
}

// Findings raises what a scan of the chain found. The alerts are labelled with the names
// of their firms when the desk can ask for them, else with the documents.
func (d *Desk) Findings(ctx context.Context, tenant string, found []chain.Finding) error {
	names := map[string]string{}
	if d.FirmNames != nil {
		var ids []string
		for _, f := range found {
			ids = append(ids, f.FirmIDs...)
		}
		slices.Sort(ids)
		var err error
		if names, err = d.FirmNames(ctx, tenant, slices.Compact(ids)); err != nil {
			return err
		}
	}
	for _, f := range found {
		for _, a := range FromFinding(f) {
			a.Tenant, a.Label = tenant, cmp.Or(names[a.SubjectID], a.Label)
			if err := d.Raise(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// FromHerd is the alert of an event: on the herd, with the animal or gateway as item;
// on the house itself where the event is of no herd.
func FromHerd(e iot.Event) Alert {
	a := Alert{
		Tenant: e.Tenant, Kind: string(e.Kind), Severity: e.Severity, SubjectKind: "herd", SubjectID: e.HerdID,
		Item: e.Subject, Label: e.Label, Evidence: maps.Clone(e.Evidence), EventAt: e.At,
	}
	if e.HerdID == "" {
		a.SubjectKind, a.SubjectID = "house", e.Subject
	}
	return a
}

// FromHazard is the alert of a hazard on a plot. Half a plot or more is critical, and so
// are a harvest before its time and a plot that was never sown.
func FromHazard(p geo.Plot, h geo.Hazard) Alert {
	severity := "warning"
	if h.Share >= 0.5 || h.Kind == geo.EarlyHarvest || h.Kind == geo.NeverSown {
		severity = "critical"
	}
	evidence := map[string]string{
		"start": h.Start.Format(time.DateOnly), "end": h.End.Format(time.DateOnly),
		"share": fmt.Sprintf("%.2f", h.Share), "confidence": fmt.Sprintf("%.2f", h.Confidence),
	}
	maps.Copy(evidence, h.Evidence)
	return Alert{
		Tenant: p.Tenant, Kind: string(h.Kind), Severity: severity, SubjectKind: "plot", SubjectID: p.ID,
		Label: p.Name, Evidence: evidence, EventAt: h.Start,
	}
}

// FromFinding gives one alert for each firm of a pattern. The documents that show it are
// the item, so that two patterns of one firm stay two alerts.
func FromFinding(f chain.Finding) []Alert {
	ids := make([]string, 0, len(f.Documents))
	names := make([]string, 0, len(f.Documents))
	var last string
	for _, doc := range f.Documents {
		ids = append(ids, doc.ID)
		names = append(names, doc.Number)
		last = max(last, doc.Date)
	}
	slices.Sort(ids)
	slices.Sort(names)
	names = slices.Compact(names)
	evidence := map[string]string{"documents": strings.Join(names[:min(len(names), 20)], ", ")}
	maps.Copy(evidence, f.Evidence)
	label := strings.Join(names[:min(len(names), 3)], ", ")
	at, err := time.Parse(time.DateOnly, last)
	if err != nil {
		at = time.Time{} // the desk puts the present
	}
	out := make([]Alert, 0, len(f.FirmIDs))
	for _, id := range f.FirmIDs {
		out = append(out, Alert{
			Kind: string(f.Kind), Severity: f.Severity, SubjectKind: "firm", SubjectID: id,
			Item: digest(ids), Label: label, Evidence: maps.Clone(evidence), EventAt: at,
		})
	}
	return out
}

// digest shortens a list of ids to one stable word.
func digest(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	return hex.EncodeToString(sum[:8])
}
