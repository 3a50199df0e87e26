package purchase

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// Why an order is refused. Each names its line and tells what to do.
var (
	ErrNotDirected = fault.New(fault.Invalid, "purchase.not_directed", "this product pays you, not a seller; draw the money")
	ErrEmpty       = fault.New(fault.Invalid, "purchase.empty", "an order has 1 to {most} lines")
	ErrCurrency    = fault.New(fault.Invalid, "purchase.currency", "only CNY is lent here, not {currency}")
	ErrTotal       = fault.New(fault.Invalid, "purchase.total", "the lines make {sum} yuan, the order says {amount}")
	ErrUnknown     = fault.New(fault.Invalid, "purchase.goods_unknown", "there are no goods {goods}; choose from the list")
	ErrUnit        = fault.New(fault.Invalid, "purchase.unit", "{goods} is counted in {unit}, not in {given}")
	ErrWhole       = fault.New(fault.Invalid, "purchase.whole", "{goods} comes whole; give a number without decimals")
	ErrPrice       = fault.New(fault.Invalid, "purchase.price", "give a price above zero")
	ErrPurpose     = fault.New(fault.Invalid, "purchase.purpose", "this loan may buy {allowed}; {goods} is none of them")
	ErrNoPrice     = fault.New(fault.Invalid, "purchase.no_price", "no price of {goods} is in force here now; ask your loan officer to enter one")
	ErrTooDear     = fault.New(fault.Invalid, "purchase.price_high", "{goods} costs {low} to {high} yuan a {unit} here; {price} is too much: ask the seller, or another one")
	ErrTooCheap    = fault.New(fault.Invalid, "purchase.price_low", "{goods} costs {low} to {high} yuan a {unit} here; {price} is too little to be true: check the price")
	ErrSeason      = fault.New(fault.Invalid, "purchase.season", "{goods} is bought in months {months} here; order it then")
	ErrTooMuch     = fault.New(fault.Invalid, "purchase.quantity_high", "at most {most} {unit} of {goods} fit {base}, {had} were ordered within a year; order {left} or less")
	ErrNoEvidence  = fault.New(fault.Invalid, "purchase.no_evidence", "it is not known how much {goods} is needed: the loan stands on no {per}; ask your loan officer")

	ErrSellerUnknown  = fault.New(fault.Invalid, "purchase.seller_unknown", "this seller is not enrolled; choose one from the list")
	ErrSellerSuspend  = fault.New(fault.Invalid, "purchase.seller_suspended", "{seller} is suspended; choose another seller")
	ErrSellerPending  = fault.New(fault.Invalid, "purchase.seller_pending", "{seller} is not approved yet; choose another seller or wait")
	ErrSellerDates    = fault.New(fault.Invalid, "purchase.seller_dates", "{seller} is enrolled from {from} to {to}; choose another seller")
	ErrSellerCategory = fault.New(fault.Invalid, "purchase.seller_category", "{seller} is not enrolled for {category}; choose another seller for {goods}")
	ErrSellerRegion   = fault.New(fault.Invalid, "purchase.seller_region", "{seller} does not sell in your county; choose another seller")
	ErrNoRegion       = fault.New(fault.Invalid, "purchase.no_region", "your county is not on record; ask your loan officer to enter it")
	ErrRelated        = fault.New(fault.Invalid, "purchase.related", "you and {seller} belong together ({got}); buy from somebody else")
	ErrLimit          = fault.New(fault.Conflict, "purchase.limit", "{left} yuan of the limit are free; order less")
)

const maxLines = 50

// Buyer is what is known of who orders.
type Buyer struct {
	UserID string
	Name   string
	County string // GB/T 2260, six digits; "" is not known
	// Firm is the one that the loan stands on, if it does.
	Firm *chain.Party
}

// Ground is what the quantity is measured against.
type Ground struct {
	Mu    float64 // 0 is not known
	Heads int
	Crops []string // seen and declared
}

// GroundOf reads the ground from the evidence that the limit stands on.
func GroundOf(e *credit.Evidence) (g Ground) {
	if e == nil {
		return g
	}
	g.Mu = e.AreaM2 * 15 / 10000
	if c := e.Crop; c != nil {
		if g.Mu == 0 {
			g.Mu = c.Mu
		}
		for _, code := range []string{c.Crop, c.Declared} {
			if code != "" && c.Status != geo.Unknown && !slices.Contains(g.Crops, code) {
				g.Crops = append(g.Crops, code)
			}
		}
	}
	if e.Herd != nil && e.Herd.Status != "unknown" {
		g.Heads = e.Herd.Verified
	}
	return g
}

// facts is all that an order is checked on.
type facts struct {
	today   money.Date
	product product.Product
	goods   *Catalogue
	seller  *Seller      // nil: there is none
	firm    *chain.Party // of the seller
	buyer   Buyer
	ground  Ground
	had     map[string]Quantity // of goods, on the same subject within a year
	free    money.Fen           // of the limit
	lang    string
}

func (f *facts) name(g Goods) string {
	if n := g.Name[f.lang]; n != "" {
		return n
	}
	return g.Name["en"]
}

func (f *facts) unit(code string) string {
	for _, u := range f.goods.Units {
		if u.Code == code && u.Name[f.lang] != "" {
			return u.Name[f.lang]
		}
	}
	return code
}

func (f *facts) category(code string) string {
	for _, c := range f.goods.Categories {
		if c.Code == code && c.Name[f.lang] != "" {
			return c.Name[f.lang]
		}
	}
	return code
}

// Wanted is one line as it is asked for.
type Wanted struct {
	Goods    string
	Quantity string // decimal, at most two decimals
	Unit     string // "" takes the catalogue's
	Price    money.Fen
}

// check prices the lines and gathers everything that speaks against them, by line.
func (f *facts) check(wanted []Wanted, amount money.Fen, currency string) (lines []Line, sum money.Fen, no []*fault.Error) {
	refuse := func(e *fault.Error) { no = append(no, e) }
	if !f.product.Directed {
		refuse(ErrNotDirected.At("body.application_id"))
	}
	if currency != "" && currency != "CNY" {
		refuse(ErrCurrency.At("body.currency").With("currency", currency))
	}
	if len(wanted) == 0 || len(wanted) > maxLines {
		refuse(ErrEmpty.At("body.lines").With("most", maxLines))
		return nil, 0, no
	}
	f.checkSeller(refuse)
	taken := map[string]Quantity{}
	for i, w := range wanted {
		l, ok := f.line(w, fmt.Sprintf("body.lines[%d]", i), taken, refuse)
		l.Nr = i + 1
		lines = append(lines, l)
		if ok {
			sum += l.Amount
		}
	}
	if amount != 0 && amount != sum {
		refuse(ErrTotal.At("body.amount").With("sum", sum).With("amount", amount))
	}
	if sum > f.free {
		refuse(ErrLimit.At("body.lines").With("left", max(f.free, 0)))
	}
	return lines, sum, no
}

func (f *facts) checkSeller(refuse func(*fault.Error)) {
	const place = "body.seller_id"
	s := f.seller
	if s == nil {
		refuse(ErrSellerUnknown.At(place))
		return
	}
	switch {
	case s.State == Suspended:
		refuse(ErrSellerSuspend.At(place).With("seller", s.Name))
	case s.State != Enrolled:
		refuse(ErrSellerPending.At(place).With("seller", s.Name))
	case f.today < s.From || f.today > s.To:
		refuse(ErrSellerDates.At(place).With("seller", s.Name).With("from", s.From).With("to", s.To))
	}
	switch {
	case len(s.Regions) > 0 && f.buyer.County == "":
		refuse(ErrNoRegion.At(place))
	case !within(f.buyer.County, s.Regions):
		refuse(ErrSellerRegion.At(place).With("seller", s.Name))
	}
	if how := related(f.buyer, f.firm); how != "" {
		refuse(ErrRelated.At(place).With("seller", s.Name).With("got", how))
	}
}

// related says what ties a buyer to a seller's firm, "" for nothing: the same person or
// firm, or the same person behind both.
func related(b Buyer, seller *chain.Party) string {
	if seller == nil {
		return ""
	}
	same := func(a, b string) bool { a, b = bare(a), bare(b); return a != "" && a == b }
	if seller.OwnerID != "" && seller.OwnerID == b.UserID {
		return "same_owner"
	}
	behind := []string{seller.LegalRep, seller.Controller}
	for _, n := range behind {
		if same(n, b.Name) {
			return "same_person"
		}
	}
	if own := b.Firm; own != nil {
		if own.ID == seller.ID || own.Survivor() == seller.Survivor() || own.USCC != "" && own.USCC == seller.USCC {
			return "same_firm"
		}
		if own.OwnerID != "" && own.OwnerID == seller.OwnerID {
			return "same_owner"
		}
		for _, n := range behind {
			if same(n, own.LegalRep) || same(n, own.Controller) || same(n, own.Name) {
				return "same_representative"
			}
		}
		if same(own.Controller, seller.Name) {
			return "same_representative"
		}
	}
	return ""
}

func bare(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(width.Narrow.String(s)), ""))
}

// line checks one line; ok says that it has an amount.
func (f *facts) line(w Wanted, place string, taken map[string]Quantity, refuse func(*fault.Error)) (l Line, ok bool) {
	g, known := f.goods.Find(w.Goods)
	if !known {
		refuse(ErrUnknown.At("%s.goods", place).With("goods", w.Goods))
		return l, false
	}
	name, unit := f.name(g), f.unit(g.Unit)
	l = Line{Goods: g.Code, Category: g.Category, Unit: g.Unit, Price: w.Price}
	ok = true
	q, err := ParseQuantity(w.Quantity)
	switch {
	case err != nil:
		refuse(ErrQuantity.At("%s.quantity", place).With("value", w.Quantity))
		ok = false
	case g.Whole && q%100 != 0:
		refuse(ErrWhole.At("%s.quantity", place).With("goods", name))
		ok = false
	}
	l.Quantity = q
	if w.Unit != "" && w.Unit != g.Unit {
		refuse(ErrUnit.At("%s.unit", place).With("goods", name).With("unit", unit).With("given", w.Unit))
	}
	f.purpose(g, name, place, refuse)
	f.price(g, name, unit, w.Price, place, refuse)
	if months := g.Months(f.buyer.County, f.ground.Crops); len(months) > 0 && !slices.Contains(months, f.month()) {
		refuse(ErrSeason.At("%s.goods", place).With("goods", name).With("months", strings.Trim(strings.ReplaceAll(fmt.Sprint(months), " ", ", "), "[]")))
	}
	if ok {
		f.quantity(g, name, unit, q, place, taken, refuse)
	}
	if w.Price <= 0 || !ok {
		return l, false
	}
	amount, err := money.Mul(w.Price, int64(q), 100)
	if err != nil || amount <= 0 {
		refuse(ErrPrice.At("%s.price", place))
		return l, false
	}
	l.Amount = amount
	return l, true
}

func (f *facts) month() int { return int(f.today.Start().In(money.China).Month()) }

func (f *facts) purpose(g Goods, name, place string, refuse func(*fault.Error)) {
	var allowed []string
	for _, p := range f.product.Purposes {
		allowed = append(allowed, p.Goods...)
	}
	if f.product.Directed && !slices.Contains(allowed, g.Category) {
		for i := range allowed {
			allowed[i] = f.category(allowed[i])
		}
		refuse(ErrPurpose.At("%s.goods", place).With("goods", name).With("allowed", strings.Join(allowed, ", ")))
	}
	if s := f.seller; s != nil && !slices.Contains(s.Categories, g.Category) {
		refuse(ErrSellerCategory.At("%s.goods", place).With("seller", s.Name).With("category", f.category(g.Category)).With("goods", name))
	}
}

func (f *facts) price(g Goods, name, unit string, price money.Fen, place string, refuse func(*fault.Error)) {
	if price <= 0 {
		refuse(ErrPrice.At("%s.price", place))
		return
	}
	band, ok := g.Price(f.buyer.County, f.today)
	fill := func(e *fault.Error) *fault.Error {
		return e.At("%s.price", place).With("goods", name).With("low", band.Low).With("high", band.High).With("unit", unit).With("price", price)
	}
	switch {
	case !ok:
		refuse(ErrNoPrice.At("%s.goods", place).With("goods", name))
	case price > band.High:
		refuse(fill(ErrTooDear))
	case price < band.Low:
		refuse(fill(ErrTooCheap))
	}
}

// quantity holds what is ordered of goods within a year against the ground or the herd.
func (f *facts) quantity(g Goods, name, unit string, q Quantity, place string, taken map[string]Quantity, refuse func(*fault.Error)) {
	if g.Per == "" {
		return
	}
	base, text := f.ground.Mu, fmt.Sprintf("%.1f mu", f.ground.Mu)
	if g.Per == PerHead {
		base, text = float64(f.ground.Heads), fmt.Sprintf("%d head", f.ground.Heads)
	}
	if f.lang == "zh-CN" {
		text = strings.NewReplacer("mu", "亩", "head", "头").Replace(text)
	}
	if base <= 0 {
		refuse(ErrNoEvidence.At("%s.quantity", place).With("goods", name).With("per", g.Per))
		return
	}
	most, _ := f.most(g)
	had := f.had[g.Code] + taken[g.Code]
	taken[g.Code] += q
	if had+q > most {
		refuse(ErrTooMuch.At("%s.quantity", place).With("goods", name).With("most", most).With("unit", unit).
			With("base", text).With("had", had).With("left", max(most-had, 0)))
	}
}

// Refused is everything that speaks against an order.
type Refused struct { //nolint:errname // it is what it says
	Faults []*fault.Error
}

// Error gives all faults, one a line.
func (r *Refused) Error() string {
	lines := []string{ErrRefused.With("count", len(r.Faults)).Error()}
	for _, f := range r.Faults {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the summary first, then every fault.
func (r *Refused) Unwrap() []error {
	all := []error{ErrRefused.With("count", len(r.Faults))}
	for _, f := range r.Faults {
		all = append(all, f)
	}
	return all
}
