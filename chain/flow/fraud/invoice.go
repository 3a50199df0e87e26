package fraud

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/chain"
)

// digital is the number of digits of a fully digital invoice's number, which is the
// only one of its kind in the country; paper numbers of 8 are that only with their code.
const digital = 20

// Reused finds invoices that serve twice: one number of one seller that was
// promised to different funders, or billed to different buyers; or one digital
// number that different sellers promised to different funders. The same row
// uploaded again, by whomever, is one invoice and no finding. Two invoices of one
// day and amount with different numbers are two: sellers split what is too large
// for one. The order of the documents changes nothing but the order of findings.
func Reused(docs []chain.Document) []chain.Finding {
	groups := map[string][]chain.Document{}
	var order []string
	for _, d := range docs {
		number := paperNumber(d)
		if d.Kind != chain.Invoice || number == "" || d.Amount < 0 {
			continue
		}
		k := number
		if len(number) != digital {
			k = d.SellerID + "\x00" + number
		}
		if len(groups[k]) == 0 {
			order = append(order, k)
		}
		groups[k] = append(groups[k], d)
	}
	var out []chain.Finding
	for _, k := range order {
		if len(groups[k]) < 2 {
			continue
		}
		for _, docs := range bySeries(groups[k]) {
			if f, ok := reused(docs); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// paperNumber is the number of an invoice without the code that some write before
// it: 10 or 12 digits of code and 8 of number.
func paperNumber(d chain.Document) string {
	n, code := chain.NumberKey(d.Number), chain.NumberKey(d.Code)
	if code != "" && len(n) > len(code) && strings.HasPrefix(n, code) {
		return n[len(code):]
	}
	return n
}

// bySeries parts invoices of one number by their code; one without a code goes with
// the first.
func bySeries(docs []chain.Document) [][]chain.Document {
	docs = slices.Clone(docs)
	slices.SortStableFunc(docs, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID), cmp.Compare(a.Funder, b.Funder), cmp.Compare(a.ID, b.ID))
	})
	var codes []string
	for _, d := range docs {
		if c := chain.NumberKey(d.Code); c != "" && !slices.Contains(codes, c) {
			codes = append(codes, c)
		}
	}
	if len(codes) < 2 {
		return [][]chain.Document{docs}
	}
	out := make([][]chain.Document, len(codes))
	for _, d := range docs {
		i := max(0, slices.Index(codes, chain.NumberKey(d.Code)))
		out[i] = append(out[i], d)
	}
	return out
}

func reused(docs []chain.Document) (chain.Finding, bool) {
	var funders, buyers, sellers, anchors []string
	for _, d := range docs {
		sellers, buyers, anchors = append(sellers, d.SellerID), append(buyers, d.BuyerID), append(anchors, d.AnchorID)
		if d.Funder != "" {
			funders = append(funders, d.Funder)
		}
	}
	funders, buyers, sellers, anchors = folded(funders), distinct(buyers), distinct(sellers), distinct(anchors)
	if len(funders) < 2 && (len(buyers) < 2 || len(sellers) > 1) {
		return chain.Finding{}, false
	}
	f := chain.Finding{
		Kind: chain.InvoiceReused, Severity: chain.Critical, Documents: docs,
		FirmIDs: append(slices.Clone(sellers), slices.DeleteFunc(slices.Clone(buyers), func(b string) bool { return slices.Contains(sellers, b) })...),
		Evidence: map[string]string{
			"number": docs[0].Number, "amount": docs[0].Amount.String(), "times": strconv.Itoa(len(docs)),
			"buyers": strconv.Itoa(len(buyers)), "uploaders": strconv.Itoa(len(anchors)),
		},
	}
	if len(sellers) > 1 {
		f.Evidence["sellers"] = strconv.Itoa(len(sellers))
	}
	if len(funders) > 0 {
		f.Evidence["funders"] = strings.Join(funders, ", ")
	}
	return f, true
}

// folded lists distinct funders as they are written, those that differ in width,
// case and signs once.
func folded(names []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(distinct(names), func(s string) bool {
		k := chain.NumberKey(s)
		twice := seen[k]
		seen[k] = true
		return twice
	})
}

// Withdrawn finds invoices that a funder was promised and that are worth nothing:
// cancelled, or taken back whole by red-letter invoices that name them.
func Withdrawn(docs []chain.Document) []chain.Finding {
	type id struct{ seller, number string }
	promised := map[id][]chain.Document{}
	var order []id
	for _, d := range docs {
		k := id{d.SellerID, paperNumber(d)}
		if d.Kind != chain.Invoice || d.Funder == "" || k.number == "" || d.Amount <= 0 {
			continue
		}
		if len(promised[k]) == 0 {
			order = append(order, k)
		}
		promised[k] = append(promised[k], d)
	}
	if len(order) == 0 {
		return nil
	}
	against, void := map[id][]chain.Document{}, map[id][]chain.Document{}
	for _, d := range docs {
		if d.Kind != chain.Invoice {
			continue
		}
		if k := (id{d.SellerID, chain.NumberKey(d.InvoiceNo)}); d.Amount < 0 && !d.Void && k.number != "" && len(promised[k]) > 0 {
			against[k] = append(against[k], d)
		}
		if k := (id{d.SellerID, paperNumber(d)}); d.Void && len(promised[k]) > 0 {
			void[k] = append(void[k], d)
		}
	}
	var out []chain.Finding
	for _, k := range order {
		all := slices.Concat(promised[k], against[k])
		first := promised[k][0]
		left := first.Amount
		seen := map[string]bool{}
		for _, d := range against[k] {
			if n := chain.NumberKey(d.Number); n == "" || !seen[n] {
				seen[n] = true
				left += d.Amount
			}
		}
		var how string
		switch {
		case len(void[k]) > 0:
			how = "void"
			for _, d := range void[k] {
				if d.Funder == "" {
					all = append(all, d)
				}
			}
		case len(against[k]) > 0 && left <= 0:
			how = "red_letter"
		default:
			continue
		}
		out = append(out, chain.Finding{
			Kind: chain.InvoiceWithdrawn, Severity: chain.Critical, Documents: all, FirmIDs: distinct([]string{first.SellerID, first.BuyerID}),
			Evidence: map[string]string{"number": first.Number, "amount": first.Amount.String(), "funders": first.Funder, "how": how},
		})
	}
	return out
}
