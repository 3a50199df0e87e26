package fraud

import (
	"slices"
	"strconv"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Capacity finds that a firm invoices more than it can have sold, from its calendar
// months, oldest first and none left out, and its registered capital, 0 when not
// known. A month is a jump when it is Rules.JumpTimes the largest of the year before
// it and at least Rules.JumpMin, with a year of history, so that a harvest sold in
// one month is no jump; it is a finding when purchases that used to go with the sales
// did not follow. Sales of 12 months by Rules.CapitalTimes of the capital are one
// too. The newest month counts only when whole; documents are the caller's.
func Capacity(firmID string, months []chain.TradeMonth, capital money.Fen, rules Rules) []chain.Finding {
	var out []chain.Finding
	if len(months) > 0 && months[len(months)-1].Partial {
		months = months[:len(months)-1]
	}
	for i := len(months) - 1; i >= max(rules.JumpMonths, len(months)-12); i-- {
		f, ok := jump(months[:i+1], rules)
		if !ok {
			continue
		}
		f.FirmIDs = []string{firmID}
		if capital > 0 {
			f.Evidence["capital"] = capital.String()
		}
		out = append(out, f)
		break
	}
	var year money.Fen
	for _, m := range months[max(0, len(months)-12):] {
		year += m.Sales
	}
	if capital > 0 && year >= rules.CapitalAmount && int64(year)/int64(capital) >= rules.CapitalTimes {
		out = append(out, chain.Finding{
			Kind: chain.OverCapacity, Severity: chain.Warning, FirmIDs: []string{firmID},
			Evidence: map[string]string{
				"against": "capital", "capital": capital.String(), "sales": year.String(), "times": strconv.FormatInt(int64(year)/int64(capital), 10),
				"from": months[max(0, len(months)-12)].Month, "to": months[len(months)-1].Month,
			},
		})
	}
	return out
}

// jump judges the last of the months.
func jump(months []chain.TradeMonth, rules Rules) (chain.Finding, bool) {
	last := len(months) - 1
	now, before := months[last], months[:last]
	active := 0
	var most money.Fen
	for _, m := range before {
		if m.Sales > 0 {
			active++
		}
	}
	for _, m := range before[max(0, last-13):] { // the same season a month later too
		most = max(most, m.Sales)
	}
	if active < rules.JumpMonths/2 || now.Sales < rules.JumpMin || float64(now.Sales) < rules.JumpTimes*float64(most) {
		return chain.Finding{}, false
	}
	// What is sold was bought in the same month or shortly before.
	const lead = 2
	var sales, purchases, recent, sold money.Fen
	bought := 0
	for i, m := range before {
		sales, purchases = sales+m.Sales, purchases+m.Purchases
		if m.Purchases > 0 {
			bought++
		}
		if i >= last-lead {
			recent, sold = recent+m.Purchases, sold+m.Sales
		}
	}
	recent, sold = recent+now.Purchases, sold+now.Sales
	usual := 0.0
	if sales > 0 {
		usual = float64(purchases) / float64(sales)
	}
	// A firm whose purchases are not in the books, or that grows what it sells, has
	// none to compare with; then only the jump speaks, and a person is asked.
	against := "history"
	if bought >= rules.JumpMonths/2 && usual >= 0.3 {
		against = "purchases"
		if float64(recent) >= usual*float64(sold)/rules.InputTimes {
			return chain.Finding{}, false
		}
	}
	return chain.Finding{
		Kind: chain.OverCapacity, Severity: chain.Warning,
		Evidence: map[string]string{
			"against": against, "month": now.Month, "sales": now.Sales.String(), "largest_before": most.String(),
			"purchases": recent.String(), "usual_purchases": ratio(usual),
		},
	}, true
}

// Shown picks the documents that show a month of a seller: its largest invoices.
func Shown(docs []chain.Document, sellerID, month string, n int) []chain.Document {
	var out []chain.Document
	for _, d := range docs {
		if d.Kind == chain.Invoice && !d.Void && d.SellerID == sellerID && len(d.Date) >= 7 && d.Date[:7] == month {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b chain.Document) int { return int(max(-1, min(1, b.Amount-a.Amount))) })
	return out[:min(n, len(out))]
}
