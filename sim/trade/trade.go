// Package trade makes the industry chain of the demo county: two anchor
// enterprises, the small firms that sell to them, the dealers that buy from them, and
// fourteen months of contracts, orders, deliveries, invoices, payments and confirmations,
// as the spreadsheets that the anchors upload.
// The truth is written beside them: one circular trade, one invoice used twice, one
// supplier and one dealer in the same hand, and nothing else that is wrong; and the firms
// that are written in more than one way.
package trade

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// Months of trade, and the number of small firms that sell and of those that buy.
const (
	Months  = 14
	Firms   = 200
	Dealers = 24
)

// File is one spreadsheet of an anchor. The first anchor writes XLSX with Chinese
// headers, the second CSV in GBK as an old ERP would.
type File struct {
	Anchor int           `json:"anchor"` // place in Trade.Anchors
	Kind   chain.DocKind `json:"kind"`
	Name   string        `json:"name"`
	Rows   int           `json:"rows"`
	Bad    int           `json:"bad"` // rows with errors on purpose
	Body   []byte        `json:"-"`
}

// Truth is what a good look at the files must find, and all that it may find.
type Truth struct {
	Seed    uint64  `json:"seed"`
	End     string  `json:"end"` // last day of trade, "2026-05-31"
	Anchors []Firm  `json:"anchors"`
	Firms   []Firm  `json:"firms"`
	Dealers []Firm  `json:"dealers"`
	Files   []File  `json:"files"`
	Circle  Circle  `json:"circular_trade"`
	Reused  Reused  `json:"invoice_reused"`
	Related Related `json:"related_parties"`
	Aliases []Alias `json:"aliases"`
	Totals  []Total `json:"totals"` // by anchor
}

// Circle is the circular trade: each sells to the next, the last to the first.
type Circle struct {
	Firms    []string `json:"firms"` // credit codes
	Invoices []string `json:"invoices"`
}

// Reused is the invoice that serves twice.
type Reused struct {
	Seller  string   `json:"seller"` // credit code
	Number  string   `json:"number"`
	Buyers  []string `json:"buyers"` // credit codes of both anchors
	Funders []string `json:"funders"`
}

// Related are the supplier and the dealer that have one phone, address and representative.
type Related struct {
	Firms    []string `json:"firms"` // credit codes of seller and buyer
	Invoices []string `json:"invoices"`
}

// Alias is another way in which the documents of a deal write a firm, without its code.
type Alias struct {
	USCC string `json:"uscc"` // of the firm
	Name string `json:"name"`
	Way  string `json:"way"` // "short", "bare", "former", "traditional"
	// Twin says that the name alone does not tell the firm: it becomes one of its own
	// until a person joins them.
	Twin bool `json:"twin"`
}

// Total is what an anchor buys and what it sells, the planted invoices included.
type Total struct {
	Anchor   string    `json:"anchor"` // credit code
	Invoiced money.Fen `json:"invoiced"`
	Invoices int       `json:"invoices"`
	Sold     money.Fen `json:"sold"`
}

// Trade is the made-up chain.
type Trade struct {
	Anchors []Firm
	Firms   []Firm
	Dealers []Firm
	Files   []File // in the order in which they should be uploaded
	Draft   File   // a supplier list with mistakes, to be checked and left alone
	Payable []Payable
	Truth   Truth
}

// Payable is an invoice that an anchor has confirmed and not paid yet.
type Payable struct {
	Anchor int // place in Trade.Anchors
	Seller int // place in Trade.Firms
	Number string
	Amount money.Fen
	Due    time.Time
}

// row is a document before it has found its file.
type row struct {
	kind          chain.DocKind
	number, order string
	seller, buyer int    // places among all firms: anchors, small firms, dealers
	alias         string // what the seller is called, "" for its name and code
	amount        money.Fen
	goods, funder string
	date, due     time.Time
	anchor        int    // who uploads it
	contract      string // under which it stands
	invoice       string // what a confirmation is for
}

type maker struct {
	r    *rand.Rand
	end  time.Time
	all  []Firm // anchors, small firms, dealers
	rows []row
	no   int
}

// Make draws the chain from seed, with trade up to and including the day of end.
// The same seed and day give the same files, byte for byte in content.
func Make(seed uint64, end time.Time) (*Trade, error) {
	y, m, d := end.Date()
	k := &maker{r: rand.New(rand.NewPCG(seed, 0x7472616465)), end: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)} //nolint:gosec // repeatable on purpose
	t := &Trade{}
	t.Anchors, t.Firms = firms(k.r, Firms)
	ring, reuser := t.plan()
	t.Dealers = dealers(k.r, t.Anchors, len(t.Anchors)+len(t.Firms), Dealers)
	kin := t.relate()
	k.all = slices.Concat(t.Anchors, t.Firms, t.Dealers)
	for i, f := range t.Firms {
		for _, a := range f.Anchors {
			k.pair(i+len(t.Anchors), a, a)
		}
		for _, b := range f.Buyers {
			k.pair(i+len(t.Anchors), b+len(t.Anchors), t.Firms[b].Anchors[0])
		}
	}
	for i, d := range t.Dealers {
		k.sell(d.Anchors[0], len(t.Anchors)+len(t.Firms)+i)
	}
	t.Truth = Truth{Seed: seed, End: k.end.Format(time.DateOnly), Anchors: t.Anchors}
	t.Truth.Circle = k.circle(ring)
	t.Truth.Reused = k.reuse(reuser)
	t.Truth.Related = k.inOneHand(kin)
	t.Truth.Aliases = t.rename(k)
	t.Truth.Firms, t.Truth.Dealers = t.Firms, t.Dealers
	for a := range t.Anchors {
		t.Truth.Totals = append(t.Truth.Totals, k.total(a))
	}
	for _, x := range k.rows {
		if x.kind == chain.Confirmation {
			t.Payable = append(t.Payable, Payable{x.buyer, x.seller - len(t.Anchors), x.number, x.amount, x.due})
		}
	}
	if err := t.write(k); err != nil {
		return nil, err
	}
	t.Truth.Files = append(slices.Clone(t.Files), t.Draft)
	return t, nil
}

// total sums up what an anchor buys and sells.
func (k *maker) total(anchor int) Total {
	out := Total{Anchor: k.all[anchor].USCC}
	for _, x := range k.rows {
		switch {
		case x.kind != chain.Invoice:
		case x.buyer == anchor:
			out.Invoiced += x.amount
			out.Invoices++
		case x.seller == anchor:
			out.Sold += x.amount
		}
	}
	return out
}

// plan chooses three steady suppliers of the first anchor for the ring and one of
// both anchors to use an invoice twice, and gives nobody else's trade to them.
func (t *Trade) plan() (ring []int, reuser int) {
	reuser = -1
	for i := range t.Firms {
		f := &t.Firms[i]
		if f.Tier != 1 || f.Profile != Steady {
			continue
		}
		switch {
		case len(f.Anchors) == 2 && reuser < 0:
			f.Profile, reuser = Reuser, i
		case len(f.Anchors) == 1 && f.Anchors[0] == 0 && len(ring) < 3 && i%3 == 1:
			f.Profile = Ring
			f.monthly = 120_000
			ring = append(ring, i)
		}
	}
	for i, v := range ring {
		ring[i] = v + len(t.Anchors)
	}
	return ring, reuser + len(t.Anchors)
}

// pair makes the trade of a seller with a buyer, which anchor uploads.
func (k *maker) pair(seller, buyer, anchor int) {
	f := k.all[seller]
	from, to := 0, Months
	switch f.Profile {
	case Young:
		from = Months - 4
	case Stopped:
		to = Months - 6
	case Listed:
		return
	case Steady, Growing, Ring, Reuser, Kin:
	}
	terms := 30 + k.r.IntN(4)*15 // days of payment
	contract, before := fmt.Sprintf("HT-%04d-%d", seller, buyer), len(k.rows)
	for m := from; m < to; m++ {
		month := k.end.AddDate(0, 0, -30*(Months-m)+1)
		season := 1 + 0.25*math.Sin(2*math.Pi*float64(month.YearDay())/365)
		if f.Profile == Growing {
			season *= 0.6 + 0.8*float64(m)/Months
		}
		for range 1 + k.r.IntN(2) {
			yuan := f.monthly / float64(len(f.Anchors)+len(f.Buyers)) * season * (0.6 + 0.5*k.r.Float64()) / 1.5
			k.deal(seller, buyer, anchor, money.Fen(yuan*100), month.AddDate(0, 0, k.r.IntN(28)), terms, f.Goods)
		}
	}
	k.frame(contract, before)
}

// frame is the contract of the orders since a row: signed a week before the first, and
// a tenth larger than all of them.
func (k *maker) frame(number string, from int) {
	var c row
	for i := from; i < len(k.rows); i++ {
		x := &k.rows[i]
		if x.kind != chain.Order {
			continue
		}
		if c.kind == "" || x.date.Before(c.date) {
			sum := c.amount
			c = *x
			c.kind, c.number, c.order, c.amount = chain.Contract, number, "", sum
		}
		c.amount += x.amount
		x.contract = number
	}
	if c.kind != "" {
		c.date, c.amount = c.date.AddDate(0, 0, -7), c.amount/10*11
		c.due = c.date.AddDate(2, 0, 0)
		k.rows = append(k.rows, c)
	}
}

// deal makes an order with what follows it. One in fifty deliveries is not on
// paper, and the last payments are not due yet: clean trade is not perfect trade.
func (k *maker) deal(seller, buyer, anchor int, amount money.Fen, day time.Time, terms int, goods string) {
	k.no++
	order := fmt.Sprintf("PO%02d%06d", day.Year()%100, k.no)
	base := row{order: order, seller: seller, buyer: buyer, amount: amount, goods: goods, anchor: anchor}
	add := func(kind chain.DocKind, number string, date time.Time) {
		if date.After(k.end) {
			return
		}
		x := base
		x.kind, x.number, x.date = kind, number, date
		k.rows = append(k.rows, x)
	}
	delivered := day.AddDate(0, 0, 4+k.r.IntN(8))
	invoiced := delivered.AddDate(0, 0, 1+k.r.IntN(6))
	add(chain.Order, order, day)
	if k.r.IntN(50) > 0 {
		add(chain.Delivery, fmt.Sprintf("SH%02d%06d", delivered.Year()%100, k.no), delivered)
	}
	number := invoiceNumber(invoiced, k.no)
	add(chain.Invoice, number, invoiced)
	paid := invoiced.AddDate(0, 0, terms+k.r.IntN(7))
	add(chain.Payment, fmt.Sprintf("FK%02d%06d", invoiced.Year()%100, k.no), paid)
	// What is not paid yet the anchors have confirmed, but for one in three.
	if said := invoiced.AddDate(0, 0, 2); buyer == anchor && paid.After(k.end) && !said.After(k.end) && k.no%3 > 0 {
		x := base
		x.kind, x.number, x.invoice, x.date, x.due = chain.Confirmation, fmt.Sprintf("QR%02d%06d", said.Year()%100, k.no), number, said, paid
		k.rows = append(k.rows, x)
	}
}

// invoiceNumber has the twenty digits of a digital invoice: year, region, series.
func invoiceNumber(day time.Time, n int) string {
	return fmt.Sprintf("%02d999000%012d", day.Year()%100, n)
}

// circle makes the ring sell the same goods round, five days apart, at a price that
// creeps up; nothing is delivered.
func (k *maker) circle(ring []int) Circle {
	c := Circle{}
	amount := money.Fen(48_600_000)
	day := k.end.AddDate(0, 0, -75)
	for i, seller := range ring {
		k.no++
		c.Firms = append(c.Firms, k.all[seller].USCC)
		number := invoiceNumber(day, k.no)
		c.Invoices = append(c.Invoices, number)
		base := row{
			order: fmt.Sprintf("HT%06d", k.no), seller: seller, buyer: ring[(i+1)%len(ring)], amount: amount, goods: "大豆油", anchor: 0,
		}
		order, invoice, payment := base, base, base
		order.kind, order.number, order.date = chain.Order, base.order, day.AddDate(0, 0, -2)
		invoice.kind, invoice.number, invoice.date = chain.Invoice, number, day
		payment.kind, payment.number, payment.date = chain.Payment, fmt.Sprintf("ZZ%06d", k.no), day.AddDate(0, 0, 2)
		k.rows = append(k.rows, order, invoice, payment)
		amount += amount / 100
		day = day.AddDate(0, 0, 5)
	}
	return c
}

// reuse makes a seller bill one invoice to both anchors and promise it to two funders.
func (k *maker) reuse(seller int) Reused {
	k.no++
	day := k.end.AddDate(0, 0, -40)
	out := Reused{Seller: k.all[seller].USCC, Number: invoiceNumber(day, k.no), Funders: []string{County + "商业保理有限公司", County + "农信供应链金融中心"}}
	for a, funder := range out.Funders {
		k.rows = append(k.rows, row{
			kind: chain.Invoice, number: out.Number, seller: seller, buyer: a, amount: 32_880_000, goods: k.all[seller].Goods,
			funder: funder, date: day, anchor: a,
		})
		out.Buyers = append(out.Buyers, k.all[a].USCC)
	}
	return out
}

// write lays the rows out as the files of both anchors.
func (t *Trade) write(k *maker) error {
	slices.SortStableFunc(k.rows, func(a, b row) int { return cmp.Or(a.date.Compare(b.date), cmp.Compare(a.number, b.number)) })
	for a := range t.Anchors {
		for _, kind := range upload.Kinds() {
			columns, err := upload.Columns(kind)
			if err != nil {
				return err
			}
			table := [][]string{headers(columns)}
			if kind == chain.Suppliers {
				for _, f := range t.Firms {
					if slices.Contains(f.Anchors, a) {
						table = append(table, cells(columns, t.listed(f, a, k.end)))
					}
				}
				for _, d := range t.Dealers {
					if slices.Contains(d.Anchors, a) {
						v := t.listed(d, a, k.end)
						v["role"] = "经销商"
						table = append(table, cells(columns, v))
					}
				}
			}
			for _, x := range k.rows {
				if x.kind == kind && x.anchor == a {
					table = append(table, cells(columns, k.fields(x, a)))
				}
			}
			if len(table) == 1 {
				continue // the county keeps no documents of this kind
			}
			f := File{Anchor: a, Kind: kind, Rows: len(table) - 1}
			if a == 0 {
				f.Name = string(kind) + ".xlsx"
				f.Body, err = sheet.Write(string(kind), table)
			} else {
				f.Name = string(kind) + ".csv"
				f.Body, err = gbk(table)
			}
			if err != nil {
				return err
			}
			t.Files = append(t.Files, f)
		}
	}
	var err error
	t.Draft, err = draft(t)
	return err
}

// listed is what an anchor's list of parties says of a firm. Only the second anchor knows
// what firms were called before.
func (t *Trade) listed(f Firm, anchor int, end time.Time) map[string]string {
	v := supplier(f, end)
	for _, a := range t.Truth.Aliases {
		if a.USCC == f.USCC && a.Way == former && anchor == 1 {
			v["former_names"] = a.Name
		}
	}
	return v
}

func supplier(f Firm, end time.Time) map[string]string {
	return map[string]string{
		"seller": f.Name, "seller_uscc": f.USCC, "legal_rep": f.LegalRep, "phone": f.Phone, "region": f.Region, "industry": f.Industry,
		"address": f.Address,
		"date":    end.AddDate(0, -Months, 0).Format(time.DateOnly),
	}
}

// fields names both sides only where the anchor is not the buyer, and writes dates
// and amounts as the anchor's people would.
func (k *maker) fields(x row, anchor int) map[string]string {
	out := map[string]string{
		"number": x.number, "order_no": x.order, "seller": k.all[x.seller].Name, "seller_uscc": k.all[x.seller].USCC,
		"amount": x.amount.String(), "date": x.date.Format(time.DateOnly), "goods": x.goods, "funder": x.funder,
		"contract_no": x.contract, "invoice_no": x.invoice,
	}
	if !x.due.IsZero() {
		out["due"] = x.due.Format(time.DateOnly)
	}
	if x.alias != "" {
		out["seller"], out["seller_uscc"] = x.alias, ""
	}
	if x.buyer != anchor {
		out["buyer"], out["buyer_uscc"] = k.all[x.buyer].Name, k.all[x.buyer].USCC
	}
	if anchor == 1 {
		out["date"] = x.date.Format("2006/1/2")
		out["amount"] = "￥" + thousands(x.amount)
	}
	return out
}

// thousands writes 1234567.89 as "1,234,567.89".
func thousands(f money.Fen) string {
	s := f.String()
	for i := len(s) - 6; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func headers(columns []upload.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Zh
	}
	return out
}

func cells(columns []upload.Column, value map[string]string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = value[c.Field]
	}
	return out
}

func gbk(table [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(simplifiedchinese.GBK.NewEncoder().Writer(&out))
	if err := w.WriteAll(table); err != nil {
		return nil, fmt.Errorf("sim/trade: %w", err)
	}
	return out.Bytes(), nil
}

// draft is a supplier list with the mistakes that people make.
func draft(t *Trade) (File, error) {
	columns, err := upload.Columns(chain.Suppliers)
	if err != nil {
		return File{}, err
	}
	end, _ := time.Parse(time.DateOnly, t.Truth.End)
	table := [][]string{headers(columns)}
	bad := 0
	for i, f := range t.Firms[len(t.Firms)-8:] {
		v := supplier(f, end)
		switch i {
		case 1: // two characters swapped
			v["seller_uscc"] = f.USCC[:10] + f.USCC[11:12] + f.USCC[10:11] + f.USCC[12:]
			v["seller_uscc"] = v["seller_uscc"][:17] + other(f.USCC[17])
		case 3:
			v["seller"] = ""
		case 5:
			v["date"] = "2026-02-30"
		case 6:
			v["seller_uscc"] = "#N/A"
		default:
			bad--
		}
		bad++
		table = append(table, cells(columns, v))
	}
	body, err := sheet.Write("供应商", table)
	return File{Anchor: 0, Kind: chain.Suppliers, Name: "供应商补充名单.xlsx", Rows: len(table) - 1, Bad: bad, Body: body}, err
}

// other is another character of the alphabet of credit codes.
func other(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

// Write puts the files of each anchor into a folder of its own, and truth.json.
func (t *Trade) Write(dir string) error {
	for _, f := range append(slices.Clone(t.Files), t.Draft) {
		to := filepath.Join(dir, fmt.Sprintf("anchor%d", f.Anchor+1))
		if err := os.MkdirAll(to, 0o750); err != nil {
			return fmt.Errorf("sim/trade: %w", err)
		}
		if err := os.WriteFile(filepath.Join(to, f.Name), f.Body, 0o600); err != nil {
			return fmt.Errorf("sim/trade: %w", err)
		}
	}
	truth, err := json.MarshalIndent(t.Truth, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "truth.json"), truth, 0o600)
	}
	if err != nil {
		return fmt.Errorf("sim/trade: %w", err)
	}
	return nil
}
