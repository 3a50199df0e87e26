package flow

import (
	"cmp"
	"context"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/flow/profile"
	"github.com/furrowcredit/furrow/money"
)

// Method names the version of the standing: it is frozen into decisions.
const Method = "chain.standing/2"

// seriesMonths is the longest series kept: three years show a season twice and its change.
const seriesMonths = 36

// alone says that a document is of a firm with itself, or with one that it was found to
// be: that is no trade.
func alone(d chain.Document) bool { return d.SellerID == d.BuyerID }

// behind says which payments an invoice stands behind.
func (m Matching) behind() func(id string) bool {
	ids := map[string]bool{}
	for i := range m.Proofs {
		for _, p := range m.Proofs[i].Parts[Money] {
			ids[p.Document.ID] = true
		}
	}
	return func(id string) bool { return ids[id] }
}

// overCapacity judges the invoices of one firm and shows the largest of the month.
func (n *Network) overCapacity(firm chain.Party, docs []chain.Document, today time.Time) []chain.Finding {
	series := profile.Series(rows(docs, firm.ID), money.DateOf(today), seriesMonths)
	found := fraud.Capacity(firm.ID, series, firm.Capital, n.rules.Fraud)
	for i := range found {
		found[i].Documents = fraud.Shown(docs, firm.ID, cmp.Or(found[i].Evidence["month"], found[i].Evidence["to"]), maxShown)
	}
	return found
}

// rows are the invoices of a firm, each once, by date.
func rows(docs []chain.Document, firmID string) []profile.Invoice {
	var out []profile.Invoice
	for i := range docs {
		d := &docs[i]
		at, err := money.ParseDate(d.Date)
		if d.Kind != chain.Invoice || err != nil || d.SellerID == d.BuyerID {
			continue
		}
		r := profile.Invoice{Day: at, Out: d.SellerID == firmID, Void: d.Void, Amount: d.Amount, Tax: d.Tax}
		other := d.SellerID
		if r.Out {
			other = d.BuyerID
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(other))
		r.Other = h.Sum64()
		_, _ = h.Write([]byte("\x00" + numberKey(d.Code) + "\x00" + cmp.Or(numberKey(d.Number), d.ID)))
		r.ID = h.Sum64()
		out = append(out, r)
	}
	return profile.Unique(out)
}

// Standing says what the chain knows about a firm, or about the one that it was found
// to be. It returns chain.ErrFirmNotFound; a firm that nobody names stands as
// "unknown" with the reason, never as a guess.
func (n *Network) Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error) {
	firm, err := n.store.Firm(ctx, tenant, firmID)
	if err == nil && firm.Survivor() != firm.ID {
		firm, err = n.store.Firm(ctx, tenant, firm.Survivor())
	}
	if err != nil {
		return chain.Standing{}, err
	}
	firmID = firm.ID
	docs, err := n.store.Documents(ctx, tenant, firmID, "")
	if err != nil {
		return chain.Standing{}, err
	}
	docs = slices.DeleteFunc(docs, alone)
	now := n.now().UTC()
	out := chain.Standing{
		FirmID: firmID, Status: "unknown", Method: Method, MadeAt: now,
		Anchors: []chain.AnchorShare{}, Monthly: make([]money.Fen, 12), Findings: []chain.Finding{},
		Series: []chain.TradeMonth{}, ConfidenceReasons: []string{},
	}
	reach, err := n.graph.Anchors(ctx, tenant, firmID)
	if err != nil {
		return out, err
	}
	sales := docs[:0:0]
	for _, d := range docs {
		if d.SellerID == firmID {
			sales = append(sales, d)
		}
	}
	today := day(now)
	out.Anchors = shares(reach, sales, today)
	if len(docs) == 0 {
		out.Reason = "no_documents"
		if len(reach) > 0 {
			out.Reason = "listed_only" // an anchor names it as a supplier, without any trade
		}
		out.Figures = unknownFigures(out.Reason)
		return out, nil
	}
	out.Counterparties = counterparties(docs, firmID)
	trade := rows(docs, firmID)
	for _, r := range trade {
		if m := monthsAgo(r.Day.String(), today); r.Out && !r.Void && m >= 0 && m < 12 {
			out.Monthly[11-m] += r.Amount
			out.Invoiced12m += r.Amount
		}
	}
	m := Match(sales, n.rules, today)
	recent := func(p *Proof) bool {
		ago := monthsAgo(p.Invoice.Date, today)
		return ago >= 0 && ago < 12
	}
	out.Flows = Shares(m.Proofs, recent)
	out.Proven = out.Flows.Proven
	out.Series = series(trade, m.Proofs, today)
	out.Figures = figures(docs, firmID, trade, m.Proofs, out, today)
	var cut bool
	if out.Findings, cut, err = n.findingsOf(ctx, tenant, firm, docs, m, today); err != nil {
		return out, err
	}
	out.Confidence, out.ConfidenceReasons = confidence(out.Flows, sales, today)
	if cut {
		out.ConfidenceReasons = append(out.ConfidenceReasons, "ring_not_searched_whole")
	}
	switch {
	case out.Flows.Invoices == 0:
		out.Reason = "no_recent_invoices"
	case out.Confidence < 0.5:
		out.Status, out.Reason = "low_confidence", "thin_evidence"
	case len(out.Findings) > 0:
		out.Status, out.Reason = "low_confidence", string(out.Findings[0].Kind)
	default:
		out.Status = "known"
	}
	return out, nil
}

// series is the trade by month, with what of the sales is proven.
func series(trade []profile.Invoice, proofs []Proof, today time.Time) []chain.TradeMonth {
	out := profile.Series(trade, money.DateOf(today), seriesMonths)
	at := map[string]int{}
	for i, m := range out {
		at[m.Month] = i
	}
	for i := range proofs {
		p := &proofs[i]
		if n, ok := at[p.Invoice.Date[:min(7, len(p.Invoice.Date))]]; ok && p.Proven() {
			out[n].Verified += p.Net
		}
	}
	return out
}

// findingsOf finds what weighs on one firm, critical findings first. For reuse the
// invoices that it wrote suffice, since its buyers are victims; a circle can only
// run through the firms of its strongly connected component.
func (n *Network) findingsOf(ctx context.Context, tenant string, firm chain.Party, docs []chain.Document, m Matching, today time.Time) ([]chain.Finding, bool, error) {
	var sales []chain.Document
	for _, d := range docs {
		if d.SellerID == firm.ID {
			sales = append(sales, d)
		}
	}
	out := append([]chain.Finding{}, fraud.Reused(sales)...)
	twice, err := n.elsewhere(ctx, tenant, sales)
	if err != nil {
		return nil, false, err
	}
	out = append(out, twice...)
	out = append(out, fraud.Withdrawn(sales)...)
	inside, cut, err := n.ringDocuments(ctx, tenant, firm.ID, docs)
	if err != nil {
		return nil, false, err
	}
	if len(inside) > 0 {
		round := fraud.Circles(inside, n.rules.Fraud)
		round = append(round, fraud.CashReturned(inside, Match(inside, n.rules, today).behind(), n.rules.Fraud)...)
		for _, f := range round {
			if slices.Contains(f.FirmIDs, firm.ID) {
				out = append(out, f)
			}
		}
	}
	related, err := n.relationsOf(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	for _, f := range related.byFirm[firm.ID] {
		// Its suppliers may be related to each other; that weighs on them.
		if f.Evidence["sides"] == "buyer_seller" || f.FirmIDs[len(f.FirmIDs)-1] != firm.ID {
			out = append(out, withTrade([]chain.Finding{f}, newestOf([]chain.Finding{f}, docs))...)
		}
	}
	out = append(out, n.overCapacity(firm, docs, today)...)
	return append(out, Unmatched(m, n.rules)...), cut, nil
}

// ringDocuments are the documents among the firms with which a firm can be on a
// circle. Of a large ring those are read that it trades with, and then others up to
// maxRing; cut says that there were more.
func (n *Network) ringDocuments(ctx context.Context, tenant, firmID string, docs []chain.Document) (inside []chain.Document, cut bool, err error) {
	ids, err := n.graph.Ring(ctx, tenant, firmID)
	if err != nil {
		return nil, false, err
	}
	if cut = len(ids) > maxRing; cut {
		near := map[string]bool{firmID: true}
		for _, d := range docs {
			near[d.SellerID], near[d.BuyerID] = true, true
		}
		some := append(make([]string, 0, maxRing), firmID)
		for _, first := range []bool{true, false} {
			for _, id := range ids {
				if id != firmID && near[id] == first && len(some) < maxRing {
					some = append(some, id)
				}
			}
		}
		ids = some
	}
	members, seen := map[string]bool{}, map[string]bool{}
	for _, id := range ids {
		members[id] = true
	}
	for _, id := range ids {
		docs, err := n.store.Documents(ctx, tenant, id, "")
		if err != nil {
			return nil, false, err
		}
		for _, d := range docs {
			if members[d.SellerID] && members[d.BuyerID] && !seen[d.ID] {
				seen[d.ID] = true
				inside = append(inside, d)
			}
		}
	}
	return inside, cut, nil
}

// confidence is 0..1: four tenths for proven flows, three for a year of trade,
// three for a dozen invoices, halved when the last sale is over 90 days old. The
// reasons say what it lost.
func confidence(flows chain.FlowShares, sales []chain.Document, today time.Time) (float64, []string) {
	months := map[string]bool{}
	last, asOf := noDay, int(money.DateOf(today))
	for _, d := range sales {
		// A date that is still to come is no sign of trade.
		if at, err := money.ParseDate(d.Date); err == nil && int(at) <= asOf && !d.Void {
			months[d.Date[:7]] = true
			last = max(last, int(at))
		}
	}
	reasons := []string{}
	lose := func(when bool, reason string) {
		if when {
			reasons = append(reasons, reason)
		}
	}
	lose(flows.Proven < 0.9, "flows_unproven")
	lose(len(months) < 12, "short_history")
	lose(flows.Invoices < 12, "few_invoices")
	c := 0.4*flows.Proven + 0.3*min(1, float64(len(months))/12) + 0.3*min(1, float64(flows.Invoices)/12)
	if asOf-last > 90 {
		c /= 2
		reasons = append(reasons, "no_sale_in_90_days")
	}
	return math.Round(c*1000) / 1000, reasons
}

// unknownFigures says of every figure that it is not known.
func unknownFigures(why string) chain.StandingFigures {
	u := chain.Figure{Reason: why}
	return chain.StandingFigures{
		Dependence: u, Tenure: u, Variation: u, Growth: u, BuyerHHI: u, SupplierHHI: u, PaymentDays: u, OverdueDays: u,
		ReturnShare: u, ReturnedCount: u, VoidShare: u,
	}
}

// source tells on which documents a figure rests.
func source(docs []chain.Document, keep func(*chain.Document) bool) chain.Figure {
	var f chain.Figure
	uploads := map[string]bool{}
	for i := range docs {
		d := &docs[i]
		if !keep(d) {
			continue
		}
		f.Documents++
		if d.UploadID != "" {
			uploads[d.UploadID] = true
		}
		if f.From == "" || d.Date < f.From {
			f.From = d.Date
		}
		f.To = max(f.To, d.Date)
	}
	f.Uploads = len(uploads)
	return f
}

// figures puts the figures of a standing together; those of a year are of the 12
// months before today.
func figures(docs []chain.Document, firmID string, trade []profile.Invoice, proofs []Proof, s chain.Standing, today time.Time) chain.StandingFigures {
	asOf := money.DateOf(today)
	year := asOf.AddMonths(-12) + 1
	since := year.String()
	sold := func(d *chain.Document) bool { return d.Kind == chain.Invoice && d.SellerID == firmID }
	soldLately := func(d *chain.Document) bool { return sold(d) && d.Date >= since }
	boughtLately := func(d *chain.Document) bool {
		return d.Kind == chain.Invoice && d.BuyerID == firmID && d.Date >= since
	}
	figure := func(keep func(*chain.Document) bool, v float64, why profile.Unknown) chain.Figure {
		f := source(docs, keep)
		if f.Reason = string(why); why == "" {
			v = math.Round(v*1e4) / 1e4
			f.Value = &v
		}
		return f
	}
	var out chain.StandingFigures
	none := profile.Unknown("")
	if s.Flows.Invoices == 0 {
		none = profile.NoInvoices
	}
	largest := 0.0
	for _, a := range s.Anchors {
		largest = max(largest, a.Share)
	}
	out.Dependence = figure(sold, largest, none)
	all := func(*chain.Document) bool { return true }
	tenure := source(docs, all)
	months, why := float64(monthsAgo(tenure.From, today)), profile.Unknown("")
	if months < 0 {
		why = profile.ShortHistory
	}
	out.Tenure = figure(all, months, why)
	v, why := profile.Variation(s.Series)
	out.Variation = figure(sold, v, why)
	v, why = profile.Growth(s.Series)
	out.Growth = figure(sold, v, why)
	v, _, why = profile.Concentration(trade, true, year, asOf)
	out.BuyerHHI = figure(soldLately, v, why)
	v, _, why = profile.Concentration(trade, false, year, asOf)
	out.SupplierHHI = figure(boughtLately, v, why)
	side := profile.Sum(trade, true, year, asOf)
	v, why = side.BackShare()
	out.ReturnShare = figure(soldLately, v, why)
	v, why = side.ReturnedShare()
	out.ReturnedCount = figure(soldLately, v, why)
	v, why = side.VoidShare()
	out.VoidShare = figure(soldLately, v, why)
	out.PaymentDays, out.OverdueDays = delays(proofs, since)
	return out
}

// delays are the days from invoice and from due date to payment, median by amount,
// over the invoices since a date. What is not paid yet has none.
func delays(proofs []Proof, since string) (paid, overdue chain.Figure) {
	var days, late []float64
	var weight, lateWeight []money.Fen
	var docs, lateDocs []chain.Document
	for i := range proofs {
		p := &proofs[i]
		from, err := money.ParseDate(p.Invoice.Date)
		if err != nil || p.Invoice.Date < since {
			continue
		}
		due, dueErr := money.ParseDate(p.Invoice.Due)
		for _, part := range p.Parts[Money] {
			at, err := money.ParseDate(part.Document.Date)
			if err != nil {
				continue
			}
			days, weight, docs = append(days, float64(at-from)), append(weight, part.Amount), append(docs, *part.Document)
			if dueErr == nil {
				late, lateWeight, lateDocs = append(late, float64(at-due)), append(lateWeight, part.Amount), append(lateDocs, *part.Document)
			}
		}
	}
	figure := func(values []float64, weights []money.Fen, docs []chain.Document, why string) chain.Figure {
		seen := map[string]bool{}
		f := source(docs, func(d *chain.Document) bool {
			twice := seen[d.ID]
			seen[d.ID] = true
			return !twice
		})
		if len(values) == 0 {
			f.Reason = why
			return f
		}
		v := profile.Median(values, weights)
		f.Value = &v
		return f
	}
	return figure(days, weight, docs, "no_payments"), figure(late, lateWeight, lateDocs, "no_due_dates")
}
