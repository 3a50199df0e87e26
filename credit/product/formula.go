package product

import (
	"slices"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/money"
)

// formulas are the limits that a product can name, with their parameters. Each is linear
// in its evidence and takes the low end of an estimate.
var formulas = map[string]struct {
	params []string
	part   string // that it reads, "" for none
}{
	"fixed":        {[]string{"fen"}, ""},                          // fen
	"crop_worth":   {[]string{"advance_bp"}, "crop"},               // low worth × advance
	"crop_area":    {[]string{"fen_per_mu"}, "crop"},               // area seen, in mu × fen
	"herd_value":   {[]string{"advance_bp"}, "herd"},               // low value × advance
	"proven_sales": {[]string{"advance_bp"}, "standing"},           // 12 months' invoices × proven share × advance
	"turnover":     {[]string{"advance_bp", "months"}, "turnover"}, // low forecast of the months to come × advance
	"bank_inflow":  {[]string{"advance_bp", "months"}, "bank"},     // money in, of the last months × advance
	"bank_surplus": {[]string{"advance_bp", "months"}, "bank"},     // money in less money out, of the last months × advance
}

// Formulas lists the names that a product can use.
func Formulas() []string {
	names := make([]string, 0, len(formulas))
	for n := range formulas {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Part is the evidence that f reads, "" for none.
func (f Formula) Part() string { return formulas[f.Name].part }

// Allow is what f gives on the evidence, at least 0 and rounded down; known is false when the evidence is
// missing or says nothing.
func (f Formula) Allow(ev credit.Evidence) (fen money.Fen, known bool) {
	var base money.Fen
	switch {
	case f.Name == "fixed":
		return money.Fen(f.Params["fen"]), true
	case f.Name == "crop_area" && ev.Crop != nil:
		return money.Fen(ev.Crop.Mu * float64(f.Params["fen_per_mu"])), true
	case f.Name == "crop_worth" && ev.Crop != nil && ev.Crop.Worth != nil:
		base = ev.Crop.Worth.Low
	case f.Name == "herd_value" && ev.Herd != nil && ev.Herd.Status != "unknown":
		base = ev.Herd.ValueLow
	case f.Name == "proven_sales" && ev.Standing != nil && ev.Standing.Status != "unknown":
		base = money.Fen(float64(ev.Standing.Invoiced12m) * min(max(ev.Standing.Proven, 0), 1))
	case f.Name == "turnover" && ev.Turnover != nil && ev.Turnover.Status == "known":
		months := ev.Turnover.Months
		for _, m := range months[:min(len(months), f.months())] {
			base += m.Low
		}
	case (f.Name == "bank_inflow" || f.Name == "bank_surplus") && ev.Bank != nil && len(ev.Bank.Months) > 0:
		months := ev.Bank.Months
		for _, m := range months[max(0, len(months)-f.months()):] {
			base += m.In
			if f.Name == "bank_surplus" {
				base -= m.Out
			}
		}
	default:
		return 0, false
	}
	base, bp := max(base, 0), money.Fen(f.Params["advance_bp"])
	return base/10_000*bp + base%10_000*bp/10_000, true // rounded down, without a product that could overflow
}

func (f Formula) months() int { return int(f.Params["months"]) }
