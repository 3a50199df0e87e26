package collateral

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/money"
)

// columns of the export; docs/formats/collateral.md describes them.
var columns = []string{
	"application_id", "borrower", "product", "asset_id", "kind", "label", "ref", "parent", "status", "rank", "prior_yuan",
	"value_low_yuan", "value_middle_yuan", "value_high_yuan", "valued_on", "source", "reason", "advance_bp", "advance_yuan", "held_at", "ended_at",
	"owed_yuan", "cover_bp", "call_repay_yuan", "call_due",
}

// WriteCSV writes one line for each asset of the pools, UTF-8, amounts in yuan.
func WriteCSV(w io.Writer, list []Answer) error {
	c := csv.NewWriter(w)
	if err := c.Write(columns); err != nil {
		return err
	}
	for _, x := range list {
		p := x.Pool
		due, repay := "", ""
		if p.Call != nil {
			due, repay = p.Call.Due.String(), p.Terms.repay(x.Cover).String()
		}
		for _, a := range p.Assets {
			ended := ""
			if a.EndedAt != nil {
				ended = money.DateOf(*a.EndedAt).String()
			}
			v := a.Value
			if err := c.Write([]string{
				p.ApplicationID, plain(p.UserName), p.Product, a.ID, string(a.Kind), plain(a.Label), a.Ref, a.Parent, string(a.Status),
				strconv.Itoa(a.Rank), a.Prior.String(), v.Low.String(), v.Middle.String(), v.High.String(), v.On.String(), plain(v.Source), v.Reason,
				strconv.FormatInt(a.AdvanceBP, 10), a.Advance().String(), money.DateOf(a.HeldAt).String(), ended,
				x.Cover.Owed.String(), coverText(x.Cover), repay, due,
			}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// plain keeps a spreadsheet from taking text for a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
