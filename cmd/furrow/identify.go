package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// identified is a small firm, from whichever source.
type identified struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Tier       int      `json:"tier"`
	Confidence float64  `json:"confidence"`
	Amount     string   `json:"amount,omitempty"`
	OfBuyer    float64  `json:"of_buyer,omitempty"`
	OfSeller   float64  `json:"of_seller,omitempty"`
	Months     int      `json:"months,omitempty"`
	Via        string   `json:"via"` // the firm one tier nearer
	Evidence   string   `json:"evidence"`
	Reasons    []string `json:"reasons"`
	Nodes      []string `json:"nodes"`
}

// runChainIdentify finds the small firms around an anchor. The answer is no when
// there are none.
func runChainIdentify(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain identify", "--anchor ID|NAME (--graph FILE | --reference DIR | --invoices FILE...) [--tiers 3] [--dealers] [--limit 200] [--json] [--out F.csv]", std)
	var (
		anchor    = fs.String("anchor", "", "id, code or name of the anchor")
		graphFile = fs.String("graph", "", "a graph that chain import --out wrote")
		ref       = fs.String("reference", "", "a folder with the public reference chain, or with Company.csv, Product.csv and Company_fundTrans_Company.csv")
		invoices  = fs.Bool("invoices", false, "the arguments are tables of invoices (CSV, XLSX, also .gz)")
		tiers     = fs.Int("tiers", 3, "how many tiers, 1 to 6")
		dealers   = fs.Bool("dealers", false, "whom the anchor supplies instead of who supplies it")
		least     = fs.String("min-amount", "0", "yuan of trade below which a link is not followed")
		node      = fs.String("node", "", "only firms on this node, sub-chain or direction of the catalogue")
		limit     = fs.Int("limit", 200, "firms at most")
		folder    = fs.String("catalog", "", "folder whose files replace those of the catalogue")
		out       = fs.String("out", "", "write a table here")
		asJSON    = fs.Bool("json", false, "print one JSON object")
	)
	files, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	sources := 0
	for _, given := range []bool{*graphFile != "", *ref != "", *invoices} {
		if given {
			sources++
		}
	}
	amount, amountErr := money.ParseFen(*least)
	switch {
	case *anchor == "":
		return errUsage.With("why", "name the anchor with --anchor")
	case sources != 1:
		return errUsage.With("why", "give one of --graph, --reference and --invoices")
	case *invoices == (len(files) == 0):
		return errUsage.With("why", "--invoices, and only it, wants files")
	case *tiers < 1 || *tiers > 6 || *limit < 1:
		return errUsage.With("why", "--tiers must be 1 to 6 and --limit at least 1")
	case amountErr != nil:
		return errUsage.With("why", "--min-amount must be an amount in yuan")
	case *ref != "" && (*dealers || amount > 0):
		return errUsage.With("why", "a reference chain has no trade: --dealers and --min-amount do not go with it")
	}
	industries, err := openIndustries(*folder)
	if err != nil {
		return err
	}
	filter := network.Filter{Hops: *tiers, MinAmount: amount, Node: *node, Limit: min(*limit, 200)}
	var list []identified
	switch {
	case *ref != "":
		list, err = identifyReference(ctx, *ref, *anchor, *node, *tiers, *limit, industries)
	case *graphFile != "":
		list, err = identifyGraph(ctx, *graphFile, *anchor, filter, *limit, *dealers, industries)
	default:
		list, err = identifyInvoices(ctx, files, *anchor, filter, *limit, *dealers, industries)
	}
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writeWhole(*out, func(w io.Writer) error { return writeIdentified(w, list) }); err != nil {
			return err
		}
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{"anchor": *anchor, "count": len(list), "firms": list})
	} else {
		for _, f := range list {
			_, _ = fmt.Fprintf(std.Out, "%d  %.3f  %s  %s  %s  %s\n", f.Tier, f.Confidence, f.Name, f.Evidence, strings.Join(f.Reasons, " "), strings.Join(f.Nodes, " "))
		}
		_, _ = fmt.Fprintf(std.Out, "%d firms\n", len(list))
	}
	if err == nil && len(list) == 0 {
		_, _ = fmt.Fprintln(std.Err, nobody(*anchor, *node, *ref, *dealers, amount))
		err = errNo
	}
	return err
}

// nobody says what the source lacks when no firm was found, and what to give instead.
func nobody(anchor, node, ref string, dealers bool, least money.Fen) string {
	switch {
	case node != "":
		return "none of the firms that were looked at is on node " + node + "; leave --node out to see them all"
	case ref != "" && funds(ref):
		return "no firm has " + anchor + " as its main customer in Company_fundTrans_Company.csv; name another anchor, or give this one's own invoices with --invoices"
	case ref != "":
		return "the reference chain has no product of " + anchor + " together with a material of it that another company makes; " +
			"give the firm's own trade with --invoices or --graph, or name an anchor whose products the chain knows"
	case least > 0:
		return "no trade with " + anchor + " reaches " + least.String() + " yuan; lower --min-amount"
	case dealers:
		return anchor + " sells to nobody here; leave --dealers out to ask who supplies it"
	}
	return "nobody sells to " + anchor + " here; --dealers asks whom it supplies"
}

// funds says whether a folder has transfers of money in place of a reference chain.
func funds(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "Company_fundTrans_Company.csv"))
	return err == nil
}

func openIndustries(folder string) (*industry.Catalogue, error) {
	fsys, err := catalog.Open(folder)
	if err != nil {
		return nil, err
	}
	return industry.Load(fsys)
}

func writeIdentified(w io.Writer, list []identified) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"tier", "id", "name", "confidence", "amount", "of_buyer", "of_seller", "months", "via", "evidence", "reasons", "nodes"}}
	for _, f := range list {
		rows = append(rows, []string{
			strconv.Itoa(f.Tier), f.ID, f.Name, ratio(f.Confidence), f.Amount, ratio(f.OfBuyer), ratio(f.OfSeller), strconv.Itoa(f.Months),
			f.Via, f.Evidence, strings.Join(f.Reasons, " "), strings.Join(f.Nodes, " "),
		})
	}
	return out.WriteAll(rows)
}

func ratio(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// identifyReference finds candidates, and the candidates of candidates, in a public
// chain. Where the folder has transfers of money, main customers prove supply.
func identifyReference(ctx context.Context, dir, anchor, node string, tiers, limit int, industries *industry.Catalogue) ([]identified, error) {
	if funds(dir) {
		return identifyFunds(dir, anchor, tiers)
	}
	sources, closeAll, err := reference.Files(dir)
	defer closeAll()
	if err != nil {
		return nil, err
	}
	c, _, err := reference.Import(ctx, sources, nil)
	if err != nil {
		return nil, err
	}
	var self []chain.RefNode
	for _, n := range c.Find(anchor) {
		if n.Kind == chain.RefCompany {
			self = append(self, n)
		}
	}
	if len(self) != 1 {
		return nil, errUsage.With("why", fmt.Sprintf("%d companies of the reference chain are called %s; give the full name or the stock code", len(self), anchor))
	}
	find, matcher := reference.NewCandidates(c, industries), industries.Matcher()
	out := []identified{}
	seen := map[int64]bool{self[0].ID: true}
	type firm struct {
		id         int64
		confidence float64
	}
	nearer := []firm{{self[0].ID, 1}}
	for tier := 1; tier <= tiers && len(out) < limit; tier++ {
		var next []firm
		var found []identified
		for _, buyer := range nearer {
			for _, x := range find.Suppliers(buyer.id) {
				confidence := x.Confidence * buyer.confidence
				if seen[x.SupplierID] || confidence < leastCandidate {
					continue
				}
				seen[x.SupplierID] = true
				f := identified{
					ID: x.SupplierCode, Name: x.Supplier, Tier: tier, Confidence: confidence, Via: x.Buyer, Reasons: x.Reasons,
					Evidence: x.Material + " → " + x.Product, Nodes: []string{},
				}
				for _, m := range c.Mount(matcher, x.SupplierID).Mounts {
					f.Nodes = append(f.Nodes, m.Node)
				}
				next = append(next, firm{x.SupplierID, confidence})
				if onNode(f.Nodes, node) {
					found = append(found, f)
				}
			}
		}
		slices.SortStableFunc(found, func(a, b identified) int { return cmp.Compare(b.Confidence, a.Confidence) })
		out = append(out, found[:min(len(found), limit-len(out))]...)
		nearer = next
	}
	return out, nil
}

// leastCandidate is the confidence below which a candidate is noise.
const leastCandidate = 0.02

func onNode(nodes []string, node string) bool {
	return node == "" || slices.ContainsFunc(nodes, func(n string) bool { return n == node || strings.HasPrefix(n, node+".") })
}

func identifyFunds(dir, anchor string, tiers int) ([]identified, error) {
	f, err := reference.ReadFunds(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	if _, ok := f.Names[anchor]; !ok {
		for id, name := range f.Names {
			if name == anchor {
				anchor = id
			}
		}
	}
	if _, ok := f.Names[anchor]; !ok {
		return nil, errUsage.With("why", "no firm of Company.csv has the id or name "+anchor)
	}
	out := []identified{}
	tier := map[string]int{anchor: 0}
	for hop := 1; hop <= tiers; hop++ {
		for _, m := range f.MainSupply() {
			if at, ok := tier[m.Buyer]; !ok || at != hop-1 {
				continue
			}
			if _, known := tier[m.Supplier]; known {
				continue
			}
			tier[m.Supplier] = hop
			out = append(out, identified{
				ID: m.Supplier, Name: f.Names[m.Supplier], Tier: hop, Confidence: m.Share, Amount: (money.Fen(m.Paid) * 100).String(), OfSeller: m.Share,
				Via: f.Names[m.Buyer], Evidence: m.Material + " → " + m.Product, Reasons: []string{"main_supply"}, Nodes: []string{},
			})
		}
	}
	return out, nil
}

// fileBooks are the books of a command: firms, links and goods from files. It has of
// chain.Store what a network asks for.
type fileBooks struct {
	chain.Store
	firms map[string]chain.Party
	links []chain.Link
	docs  map[string][]chain.Document
}

func (b *fileBooks) Firm(_ context.Context, _, id string) (chain.Party, error) {
	p, ok := b.firms[id]
	if !ok {
		return p, chain.ErrFirmNotFound
	}
	return p, nil
}

func (b *fileBooks) FirmsByID(_ context.Context, _ string, ids []string) ([]chain.Party, error) {
	var out []chain.Party
	for _, id := range ids {
		if p, ok := b.firms[id]; ok {
			out = append(out, p)
		}
	}
	return out, nil
}

func (b *fileBooks) Firms(context.Context, string, chain.PartyFilter) ([]chain.Party, error) {
	return nil, nil
}

func (b *fileBooks) Revision(context.Context, string) (int64, error) { return 1, nil }

func (b *fileBooks) AllLinks(_ context.Context, _ string, f func(chain.Link) error) error {
	for _, l := range b.links {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

func (b *fileBooks) Documents(_ context.Context, _, id string, _ chain.DocKind) ([]chain.Document, error) {
	return b.docs[id], nil
}

// identifyBooks pages through the small firms of an anchor.
func identifyBooks(ctx context.Context, b *fileBooks, anchor string, f network.Filter, limit int, dealers bool, opt network.Options) ([]identified, error) {
	n := network.New(b, opt)
	out := []identified{}
	for {
		find := n.Suppliers
		if dealers {
			find = n.Dealers
		}
		page, err := find(ctx, "", anchor, f)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Firms {
			if len(out) == limit {
				return out, nil
			}
			row := identified{ID: s.FirmID, Name: s.Name, Tier: s.Tier, Confidence: s.Confidence, Amount: s.Amount.String(), Months: s.Months, Reasons: s.Reasons, Nodes: []string{}}
			for i, l := range s.Links {
				if i == 0 {
					row.Via, row.OfBuyer, row.OfSeller = l.Name, l.OfBuyer, l.OfSeller
					row.Evidence = fmt.Sprintf("%d documents %s..%s", l.Documents, l.First, l.Last)
				}
			}
			for _, m := range s.Mounts {
				row.Nodes = append(row.Nodes, m.Node)
			}
			out = append(out, row)
		}
		if f.After = page.Next; f.After == "" {
			return out, nil
		}
	}
}

// identifyGraph takes a snapshot. A graph has no names: its firms are their ids.
func identifyGraph(ctx context.Context, file, anchor string, f network.Filter, limit int, dealers bool, industries *industry.Catalogue) ([]identified, error) {
	s, err := graph.Open(file)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // it was only read
	if _, ok := s.Find(anchor); !ok {
		return nil, errUsage.With("why", "the graph has no firm "+anchor+"; give its id")
	}
	b := &fileBooks{firms: make(map[string]chain.Party, s.Len())}
	last := int32(0)
	for v := range uint32(s.Len()) { //nolint:gosec // nodes fit 32 bits
		id := s.ID(v)
		b.firms[id] = chain.Party{ID: id, Name: id}
		for i, w := range s.Out(v) {
			t := s.OutTrade(v, i)
			last = max(last, t.Last)
			b.links = append(b.links, linkOf(id, s.ID(w), t))
		}
	}
	return identifyBooks(ctx, b, anchor, f, limit, dealers, asOf(last, industries))
}

// asOf makes the last day of the files today: old files are not old trade.
func asOf(last int32, industries *industry.Catalogue) network.Options {
	now := time.Unix(int64(last)*86400, 0)
	return network.Options{Industries: industries, Now: func() time.Time { return now }}
}

// linkOf is a link whose trade is t.
func linkOf(seller, buyer string, t graph.Trade) chain.Link {
	l := chain.Link{SellerID: seller, BuyerID: buyer, FirstDate: graph.Date(t.First), LastDate: graph.Date(t.Last)}
	rest := int(t.Count)
	for i, n := range []*int{&l.Contracts, &l.Orders, &l.Deliveries, &l.Invoices, &l.Payments, &l.Confirmations} {
		if t.Kinds>>i&1 == 0 {
			continue
		}
		*n = 1
		rest--
		if t.Kinds>>(i+1) == 0 { // the last kind has all the others
			*n += rest
		}
	}
	if l.Invoices > 0 {
		l.Invoiced = money.Fen(t.Amount)
	} else {
		l.Ordered = money.Fen(t.Amount)
	}
	return l
}

// identifyInvoices sums tables of invoices into links. A firm is its credit code, or
// its name where there is none.
func identifyInvoices(ctx context.Context, files []string, anchor string, f network.Filter, limit int, dealers bool, industries *industry.Catalogue) ([]identified, error) {
	b := &fileBooks{firms: map[string]chain.Party{}, docs: map[string][]chain.Document{}}
	sum := map[[2]string]*chain.Link{}
	for _, name := range files {
		if err := readInvoices(name, func(d chain.Document, seller, buyer string) {
			for id, n := range map[string]string{d.SellerID: seller, d.BuyerID: buyer} {
				if p, ok := b.firms[id]; !ok || p.Name == "" {
					b.firms[id] = chain.Party{ID: id, Name: n}
				}
			}
			l := sum[[2]string{d.SellerID, d.BuyerID}]
			if l == nil {
				l = &chain.Link{SellerID: d.SellerID, BuyerID: d.BuyerID, FirstDate: d.Date}
				sum[[2]string{d.SellerID, d.BuyerID}] = l
			}
			l.Invoices++
			l.Invoiced += d.Amount
			l.FirstDate, l.LastDate = min(l.FirstDate, d.Date), max(l.LastDate, d.Date)
			if d.Goods != "" {
				b.docs[d.SellerID] = append(b.docs[d.SellerID], d)
			}
		}); err != nil {
			return nil, err
		}
	}
	last := int32(0)
	for _, l := range sum {
		b.links = append(b.links, *l)
		last = max(last, graph.Day(l.LastDate))
	}
	slices.SortFunc(b.links, func(x, y chain.Link) int {
		return cmp.Or(cmp.Compare(x.SellerID, y.SellerID), cmp.Compare(x.BuyerID, y.BuyerID))
	})
	id, err := findParty(b.firms, anchor)
	if err != nil {
		return nil, err
	}
	return identifyBooks(ctx, b, id, f, limit, dealers, asOf(last, industries))
}

func findParty(firms map[string]chain.Party, anchor string) (string, error) {
	if _, ok := firms[party.Clean(anchor)]; ok {
		return party.Clean(anchor), nil
	}
	var found []string
	for id, p := range firms {
		if party.Normalise(p.Name) == party.Normalise(anchor) || id == anchor {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return "", errUsage.With("why", fmt.Sprintf("%d firms of the invoices are called %s; give the credit code or the whole name", len(found), anchor))
	}
	return found[0], nil
}

// readInvoices streams a table of invoices; headers are those of the upload template.
func readInvoices(name string, take func(d chain.Document, seller, buyer string)) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return errTable.With("file", name).With("why", aFolder)
	}
	file, size, done, err := openNames(name)
	if err != nil {
		return inFile(name, err)
	}
	defer done()
	rows, err := sheet.Open(file, size, sheet.Large(), anySheet)
	if err != nil {
		return inFile(name, err)
	}
	defer rows.Close() //nolint:errcheck // it was only read
	columns, err := upload.Columns(chain.Invoice)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return inFile(name, err)
		}
		if len(at) == 0 {
			at = header(row.Cells, columns)
			continue
		}
		cell := func(field string) string {
			if i, ok := at[field]; ok && i < len(row.Cells) {
				return strings.TrimSpace(row.Cells[i])
			}
			return ""
		}
		amount, err := money.ParseFen(strings.NewReplacer(",", "", "¥", "", "￥", "", "元", "").Replace(cell("amount")))
		day, ok := sheet.Day(cell("date"), rows.From1904)
		seller, buyer := firmID(cell("seller_uscc"), cell("seller")), firmID(cell("buyer_uscc"), cell("buyer"))
		if err != nil || !ok || seller == "" || buyer == "" {
			return errUsage.With("why", fmt.Sprintf("%s, row %d: seller, buyer, amount and date are needed", name, row.Number))
		}
		take(chain.Document{
			Kind: chain.Invoice, SellerID: seller, BuyerID: buyer, Amount: amount, Date: day.Format(time.DateOnly), Goods: cell("goods"),
		}, cell("seller"), cell("buyer"))
	}
	if len(at) == 0 {
		return errUsage.With("why", name+": there is no row with the headers seller, buyer, amount and date (卖方名称, 买方名称, 金额, 开票日期)")
	}
	return nil
}

func anySheet(*sheet.Table) bool { return true }

func firmID(code, name string) string {
	return cmp.Or(party.Clean(code), party.Normalise(name))
}

// header finds the columns in the row that has them; nothing in another row.
func header(cells []string, columns []upload.Column) map[string]int {
	at := map[string]int{}
	for i, c := range cells {
		key := party.Normalise(c)
		for _, col := range columns {
			for _, h := range append([]string{col.Zh, col.En}, col.Aliases...) {
				if _, there := at[col.Field]; !there && key != "" && key == party.Normalise(h) {
					at[col.Field] = i
				}
			}
		}
	}
	_, amount := at["amount"]
	_, date := at["date"]
	_, seller := at["seller"]
	_, sellerCode := at["seller_uscc"]
	_, buyer := at["buyer"]
	_, buyerCode := at["buyer_uscc"]
	if amount && date && (seller || sellerCode) && (buyer || buyerCode) {
		return at
	}
	return map[string]int{}
}
