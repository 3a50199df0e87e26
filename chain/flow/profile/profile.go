package profile

import (
	"cmp"
	"encoding/csv"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/money"
)

// Method names the version of the profile.
const Method = "chain.profile/1"

// Firm is the profile of a firm from its invoices. Sums are net and with tax; the
// figures without "all" are of the 12 months up to the day of the profile. A figure
// that is not known is null, with the reason in Unknown under its name.
type Firm struct {
	Firm         string             `json:"firm"`
	FirstDate    money.Date         `json:"first_date"`
	LastDate     money.Date         `json:"last_date"`
	Months       int                `json:"months"`        // calendar months from the first invoice to the day
	ActiveMonths int                `json:"active_months"` // with valid invoices written
	LongestGap   int                `json:"longest_gap"`   // months in a row without, from the first one with
	Repeated     int                `json:"repeated"`      // rows that were there already, and count once
	AllSales     Side               `json:"all_sales"`
	AllPurchases Side               `json:"all_purchases"`
	Sales        Side               `json:"sales"`
	Purchases    Side               `json:"purchases"`
	Margin       *float64           `json:"margin"` // sales less purchases, of sales, over all of it
	Growth       *float64           `json:"growth"`
	Variation    *float64           `json:"variation"`
	BuyerHHI     *float64           `json:"buyer_hhi"`
	TopBuyer     *float64           `json:"top_buyer"`
	SupplierHHI  *float64           `json:"supplier_hhi"`
	TopSupplier  *float64           `json:"top_supplier"`
	Repeat       *float64           `json:"repeat"` // part of all sales to buyers with sales in 3 months or more
	VoidShare    *float64           `json:"void_share"`
	Returned     *float64           `json:"returned_share"`
	BackShare    *float64           `json:"back_share"`
	Unknown      map[string]Unknown `json:"unknown"`
	Findings     []chain.Finding    `json:"findings"` // over_capacity
	Series       []chain.TradeMonth `json:"series"`   // up to 36 months
}

// seriesMonths is the longest series kept: three years show a season twice and its change.
const seriesMonths = 36

// Of makes the profile of a firm as of a day. Rows with one ID on one side are one
// invoice. It sorts the rows.
func Of(name string, rows []Invoice, asOf money.Date, rules fraud.Rules) Firm {
	rows = slices.DeleteFunc(rows, func(r Invoice) bool { return r.Day > asOf })
	all := len(rows)
	rows = Unique(rows)
	f := Firm{Firm: name, Repeated: all - len(rows), Unknown: map[string]Unknown{}, Findings: []chain.Finding{}, Series: Series(rows, asOf, seriesMonths)}
	if len(rows) == 0 {
		for _, name := range []string{
			"margin", "growth", "variation", "buyer_hhi", "top_buyer", "supplier_hhi", "top_supplier", "repeat", "void_share", "returned_share", "back_share",
		} {
			f.Unknown[name] = NoInvoices
		}
		return f
	}
	f.FirstDate, f.LastDate = rows[0].Day, rows[len(rows)-1].Day
	f.Months = monthNo(asOf) - monthNo(f.FirstDate) + 1
	year := asOf.AddMonths(-12) + 1
	f.AllSales, f.AllPurchases = Sum(rows, true, f.FirstDate, asOf), Sum(rows, false, f.FirstDate, asOf)
	f.Sales, f.Purchases = Sum(rows, true, year, asOf), Sum(rows, false, year, asOf)
	months := Series(rows, asOf, f.Months)
	gap := 0
	for _, m := range months {
		switch {
		case m.Invoices > 0:
			f.ActiveMonths++
			gap = 0
		case f.ActiveMonths > 0:
			gap++
			f.LongestGap = max(f.LongestGap, gap)
		}
	}
	set := func(to **float64, name string, v float64, why Unknown) {
		if why != "" {
			f.Unknown[name] = why
			return
		}
		*to = &v
	}
	margin, why := 0.0, NoInvoices
	if f.AllSales.Amount > 0 {
		margin, why = 1-float64(f.AllPurchases.Amount)/float64(f.AllSales.Amount), ""
	}
	set(&f.Margin, "margin", margin, why)
	growth, why := Growth(months)
	set(&f.Growth, "growth", growth, why)
	variation, why := Variation(months)
	set(&f.Variation, "variation", variation, why)
	hhi, top, why := Concentration(rows, true, year, asOf)
	set(&f.BuyerHHI, "buyer_hhi", hhi, why)
	set(&f.TopBuyer, "top_buyer", top, why)
	hhi, top, why = Concentration(rows, false, year, asOf)
	set(&f.SupplierHHI, "supplier_hhi", hhi, why)
	set(&f.TopSupplier, "top_supplier", top, why)
	repeat, why := repeated(rows)
	set(&f.Repeat, "repeat", repeat, why)
	v, why := f.Sales.VoidShare()
	set(&f.VoidShare, "void_share", v, why)
	v, why = f.Sales.ReturnedShare()
	set(&f.Returned, "returned_share", v, why)
	v, why = f.Sales.BackShare()
	set(&f.BackShare, "back_share", v, why)
	f.Findings = append(f.Findings, fraud.Capacity(name, months, 0, rules)...)
	return f
}

// Unique sorts by date and drops what is there a second time.
func Unique(rows []Invoice) []Invoice {
	slices.SortFunc(rows, func(a, b Invoice) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.ID, b.ID), cmp.Compare(b2i(a.Out), b2i(b.Out)),
			// Of rows that contradict each other the same one counts, whichever came first.
			cmp.Compare(b2i(b.Void), b2i(a.Void)), cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Tax, b.Tax), cmp.Compare(a.Other, b.Other))
	})
	return slices.CompactFunc(rows, func(a, b Invoice) bool { return a.ID == b.ID && a.Out == b.Out && a.Day == b.Day })
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// repeated is the part of sales to buyers that bought in three months or more.
func repeated(rows []Invoice) (float64, Unknown) {
	type buyer struct {
		months, last int
		amount       money.Fen
	}
	by := map[uint64]*buyer{}
	for i := range rows { // in order of time
		r := &rows[i]
		if !r.Out || r.Void {
			continue
		}
		b := by[r.Other]
		if b == nil {
			b = &buyer{last: -1}
			by[r.Other] = b
		}
		if m := monthNo(r.Day); m != b.last {
			b.months, b.last = b.months+1, m
		}
		b.amount += r.Amount
	}
	var all, again money.Fen
	for _, b := range by {
		if b.amount > 0 {
			all += b.amount
			if b.months >= 3 {
				again += b.amount
			}
		}
	}
	return share(float64(again), float64(all))
}

// All makes the profiles of every firm of a book, by name: E2 before E10.
func All(b *Book, asOf money.Date, rules fraud.Rules) []Firm {
	names := b.Firms()
	out := make([]Firm, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() error {
			out[i] = Of(name, b.firms[name], asOf, rules)
			return nil
		})
	}
	_ = g.Wait() // no profile fails
	return out
}

var columns = []string{
	"firm", "first_date", "last_date", "months", "active_months", "longest_gap",
	"all_sales", "all_purchases", "all_sales_tax", "all_purchases_tax", "sales", "purchases", "margin", "growth", "variation",
	"buyers", "suppliers", "buyer_hhi", "top_buyer", "supplier_hhi", "top_supplier", "repeat",
	"invoices_out", "invoices_in", "void_out", "void_in", "returned_out", "returned_in", "back_out", "back_in",
	"void_share", "returned_share", "back_share", "repeated", "findings", "unknown",
}

// WriteCSV writes one row a firm, amounts in yuan; docs/formats/flow.md has the columns.
func WriteCSV(w io.Writer, firms []Firm) error {
	c := csv.NewWriter(w)
	_ = c.Write(columns) // told by Error
	num := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', 4, 64)
	}
	for i := range firms {
		f := &firms[i]
		var kinds, unknown []string
		for _, x := range f.Findings {
			kinds = append(kinds, string(x.Kind)+":"+x.Evidence["against"])
		}
		for name, why := range f.Unknown {
			unknown = append(unknown, name+":"+string(why))
		}
		slices.Sort(unknown)
		_ = c.Write([]string{
			f.Firm, f.FirstDate.String(), f.LastDate.String(), strconv.Itoa(f.Months), strconv.Itoa(f.ActiveMonths), strconv.Itoa(f.LongestGap),
			f.AllSales.Amount.String(), f.AllPurchases.Amount.String(), f.AllSales.Tax.String(), f.AllPurchases.Tax.String(),
			f.Sales.Amount.String(), f.Purchases.Amount.String(), num(f.Margin), num(f.Growth), num(f.Variation),
			strconv.Itoa(f.Sales.Partners), strconv.Itoa(f.Purchases.Partners), num(f.BuyerHHI), num(f.TopBuyer), num(f.SupplierHHI), num(f.TopSupplier), num(f.Repeat),
			strconv.Itoa(f.AllSales.Invoices), strconv.Itoa(f.AllPurchases.Invoices), strconv.Itoa(f.AllSales.Void), strconv.Itoa(f.AllPurchases.Void),
			strconv.Itoa(f.AllSales.Returned), strconv.Itoa(f.AllPurchases.Returned), f.AllSales.Back.String(), f.AllPurchases.Back.String(),
			num(f.VoidShare), num(f.Returned), num(f.BackShare), strconv.Itoa(f.Repeated), strings.Join(kinds, " "), strings.Join(unknown, " "),
		})
	}
	c.Flush()
	return c.Error()
}
