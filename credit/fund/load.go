package fund

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// File is where funders and agreements stand in the catalogue.
const File = "funders.yaml"

// SharingAgreement says how loans of some products are shared, from a date on.
type SharingAgreement struct {
	Code     string            `json:"code" yaml:"code"`
	Name     map[string]string `json:"name" yaml:"name"`
	Products []string          `json:"products,omitempty" yaml:"products"` // none: only loans that it is chosen for
	From     money.Date        `json:"from" yaml:"-"`
	Until    money.Date        `json:"until" yaml:"-"` // last day; "" is open
	// Internet says that loans under it are joint internet loans.
	Internet bool `json:"internet,omitempty" yaml:"internet"`
	// OnBreach says what becomes of a drawdown that would break a bound: it is refused, or
	// the bank funds it alone.
	OnBreach    string        `json:"on_breach" yaml:"on_breach" enum:"refuse,own"`
	Parties     []LenderShare `json:"parties" yaml:"parties"` // the lead first
	Pool        *PoolPart     `json:"pool,omitempty" yaml:"pool"`
	Guarantor   *BearerPart   `json:"guarantor,omitempty" yaml:"guarantor"`
	TriggerDays int           `json:"trigger_days,omitempty" yaml:"trigger_days"`

	FromText  string `json:"-" yaml:"from"`
	UntilText string `json:"-" yaml:"until"`
}

// LenderShare is one lender of an agreement.
type LenderShare struct {
	Funder  string `json:"funder" yaml:"funder"`
	ShareBP int64  `json:"share_bp" yaml:"share_bp"` // of the principal
	// InterestBP, FeeBP and PenaltyBP differ from ShareBP only where they are given.
	InterestBP *int64 `json:"interest_bp,omitempty" yaml:"interest_bp"`
	FeeBP      *int64 `json:"fee_bp,omitempty" yaml:"fee_bp"`
	PenaltyBP  *int64 `json:"penalty_bp,omitempty" yaml:"penalty_bp"`
	RateBP     int64  `json:"rate_bp,omitempty" yaml:"rate_bp"`         // a year; 0: that of the loan
	SpreadBP   int64  `json:"spread_bp,omitempty" yaml:"spread_bp"`     // of what the loan brings above it
	ServicerBP int64  `json:"servicer_bp,omitempty" yaml:"servicer_bp"` // a year, paid to the lead
	DrawFeeBP  int64  `json:"draw_fee_bp,omitempty" yaml:"draw_fee_bp"` // once, paid to the lead
}

// BearerPart is a guarantor's part.
type BearerPart struct {
	Funder  string `json:"funder" yaml:"funder"`
	ShareBP int64  `json:"share_bp" yaml:"share_bp"` // of each loss
}

// PoolPart is a pool's part.
type PoolPart struct {
	BearerPart `yaml:",inline"`
	CapFen     money.Fen `json:"cap_fen,omitempty" yaml:"cap_fen"`
	CapBP      int64     `json:"cap_bp,omitempty" yaml:"cap_bp"`   // of the base
	Base       string    `json:"base,omitempty" yaml:"base"`       // "disbursed" or "outstanding"
	Vintage    bool      `json:"vintage,omitempty" yaml:"vintage"` // each year of drawdown has a cap of its own
}

// Catalogue is what funders.yaml says.
type Catalogue struct {
	Capital    *BankCapital       `json:"capital,omitempty"`
	Funders    []Participant      `json:"funders"`
	Agreements []SharingAgreement `json:"agreements"` // versions of one code follow each other
	products   []product.Product
}

// Load reads and checks funders.yaml against the products. It returns every mistake that
// it finds, joined, each an ErrFile with the line.
func Load(fsys fs.FS, products []product.Product) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("fund: %w", err)
	}
	return Parse(b, products)
}

// Parse reads the text of funders.yaml; see Load.
func Parse(text []byte, products []product.Product) (*Catalogue, error) {
	var f struct {
		Capital    *BankCapital `yaml:"capital"`
		Funders    []yaml.Node  `yaml:"funders"`
		Agreements []yaml.Node  `yaml:"agreements"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, ErrFile.At(File).With("item", "the file").With("why", err)
	}
	r := reader{c: &Catalogue{Capital: f.Capital, Funders: []Participant{}, Agreements: []SharingAgreement{}, products: products}}
	for i := range f.Funders {
		r.funder(&f.Funders[i])
	}
	for i := range f.Agreements {
		r.agreement(&f.Agreements[i])
	}
	r.capital()
	r.fromProducts()
	return r.c, errors.Join(r.errs...)
}

type reader struct {
	c    *Catalogue
	errs []error
}

func (r *reader) wrong(line int, item, why string, args ...any) {
	r.errs = append(r.errs, ErrFile.At("%s:%d", File, line).With("item", item).With("why", fmt.Sprintf(why, args...)))
}

// decode refuses fields that the type does not have.
func (r *reader) decode(n *yaml.Node, into any) bool {
	text, err := yaml.Marshal(n)
	if err == nil {
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		err = dec.Decode(into)
	}
	if err != nil {
		r.wrong(n.Line, "the entry", "%v", err)
	}
	return err == nil
}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)

func (r *reader) funder(n *yaml.Node) {
	var f Participant
	if !r.decode(n, &f) {
		return
	}
	bad := func(why string) { r.wrong(n.Line, "the funder "+f.Code, "%s", why) }
	if !codeForm.MatchString(f.Code) {
		bad("a code has small letters, digits and underscores")
	}
	if _, known := r.c.Funder(f.Code); known {
		bad("the code stands twice")
	}
	if f.Name["zh-CN"] == "" || f.Name["en"] == "" {
		bad("give it a name in zh-CN and en")
	}
	switch f.Kind {
	case Own:
		if slices.ContainsFunc(r.c.Funders, func(x Participant) bool { return x.Kind == Own }) {
			bad("there is one funder of kind own")
		}
	case Guarantor:
		f.Multiple = cmpOr(f.Multiple, 10)
		if f.NetAssetsFen <= 0 || f.OtherFen < 0 || f.AsOf == "" || f.Source == "" {
			bad("a guarantor has net_assets_fen above zero with as_of and source, and other_fen of zero or more")
		}
		if f.Multiple < 1 || f.Multiple > 15 {
			bad("multiple is 10, or up to 15 for a guarantor that mainly serves farms and small firms (融资担保公司监督管理条例第十五条)")
		}
	case Partner, Trust, Pool, Government:
	default:
		bad("kind must be own, partner, trust, guarantor, pool or government")
	}
	if f.AsOf != "" {
		if _, err := money.ParseDate(f.AsOf); err != nil {
			bad("as_of is a date like 2025-12-31")
		}
	}
	r.c.Funders = append(r.c.Funders, f)
}

func cmpOr(v, otherwise int64) int64 {
	if v == 0 {
		return otherwise
	}
	return v
}

func (r *reader) agreement(n *yaml.Node) {
	var a SharingAgreement
	if !r.decode(n, &a) {
		return
	}
	bad := func(why string, args ...any) { r.wrong(n.Line, "the agreement "+a.Code, why, args...) }
	if !codeForm.MatchString(a.Code) {
		bad("a code has small letters, digits and underscores")
	}
	if a.Name["zh-CN"] == "" || a.Name["en"] == "" {
		bad("give it a name in zh-CN and en")
	}
	var err error
	if a.From, err = money.ParseDate(a.FromText); err != nil {
		bad("from is a date like 2026-01-01")
	}
	if a.UntilText != "" {
		if a.Until, err = money.ParseDate(a.UntilText); err != nil || a.Until < a.From {
			bad("until is a date, not before from")
		}
	}
	if a.OnBreach == "" {
		a.OnBreach = "refuse"
	}
	if a.OnBreach != "refuse" && a.OnBreach != "own" {
		bad("on_breach must be refuse or own")
	}
	for _, code := range a.Products {
		if !slices.ContainsFunc(r.c.products, func(p product.Product) bool { return p.Code == code }) {
			bad("there is no product %s", code)
		}
	}
	for _, o := range r.c.Agreements {
		shares := o.Code == a.Code || slices.ContainsFunc(a.Products, func(p string) bool { return slices.Contains(o.Products, p) })
		if shares && (o.Until == 0 || a.From <= o.Until) && (a.Until == 0 || o.From <= a.Until) {
			bad("its time overlaps that of %s from %s: a loan would have two agreements", o.Code, o.From)
		}
	}
	r.parties(a, bad)
	r.bearing(a, bad)
	r.c.Agreements = append(r.c.Agreements, a)
}

func (r *reader) parties(a SharingAgreement, bad func(string, ...any)) {
	var sum LenderShares
	seen := map[string]bool{}
	for i, p := range a.Parties {
		f, known := r.c.Funder(p.Funder)
		switch {
		case !known:
			bad("there is no funder %s", p.Funder)
		case seen[p.Funder]:
			bad("the funder %s stands twice", p.Funder)
		case (i == 0) != (f.Kind == Own):
			bad("the own bank comes first and once: it leads")
		case !f.Kind.Lends():
			bad("%s is a %s and does not lend", p.Funder, f.Kind)
		}
		seen[p.Funder] = true
		s := p.shares()
		if min(s.Principal, s.Interest, s.Fee, s.Penalty) < 0 || max(s.Principal, s.Interest, s.Fee, s.Penalty) > whole || s.Principal == 0 {
			bad("shares of %s are between 0 and 10000, that of the principal above 0", p.Funder)
		}
		sum = LenderShares{sum.Principal + s.Principal, sum.Interest + s.Interest, sum.Fee + s.Fee, sum.Penalty + s.Penalty}
		if p.RateBP < 0 || p.RateBP > 3600 || p.ServicerBP < 0 || p.ServicerBP > 3600 || p.DrawFeeBP < 0 || p.DrawFeeBP > whole || p.SpreadBP < 0 || p.SpreadBP > whole {
			bad("rate_bp and servicer_bp of %s are between 0 and 3600, spread_bp and draw_fee_bp between 0 and 10000", p.Funder)
		}
		if p.RateBP > 0 && p.ServicerBP > p.RateBP {
			bad("%s would pay more for servicing than it gets", p.Funder)
		}
		if i == 0 && (p.RateBP != 0 || p.ServicerBP != 0 || p.DrawFeeBP != 0 || p.SpreadBP != 0) {
			bad("the lead has no rate or fee of its own: it keeps what is left")
		}
	}
	for _, x := range []struct {
		name string
		sum  int64
	}{{"the principal", sum.Principal}, {"the interest", sum.Interest}, {"the fees", sum.Fee}, {"the penalties", sum.Penalty}} {
		if x.sum != whole {
			bad("shares of %s must sum to 10000, these sum to %d", x.name, x.sum)
		}
	}
	if partners := whole - sumOwn(a); a.Internet && len(a.Parties) > 1 && partners < product.PartnerShareBP {
		bad("partners must give at least %d of 10000 of a joint loan, these give %d: %s", product.PartnerShareBP, partners, articles["share"]["zh-CN"])
	}
	if a.Internet && len(a.Parties) > 1 && r.c.Capital == nil {
		bad("joint internet loans need the capital of the bank in this file: %s", articles["partner"]["zh-CN"])
	}
}

func sumOwn(a SharingAgreement) int64 {
	if len(a.Parties) == 0 {
		return whole
	}
	return a.Parties[0].ShareBP
}

func (r *reader) bearing(a SharingAgreement, bad func(string, ...any)) {
	var borne int64
	of := func(b BearerPart, kind Kind) {
		f, known := r.c.Funder(b.Funder)
		switch {
		case !known:
			bad("there is no funder %s", b.Funder)
		case f.Kind != kind:
			bad("%s is a %s, not a %s", b.Funder, f.Kind, kind)
		}
		if b.ShareBP <= 0 || b.ShareBP > whole {
			bad("share_bp of %s is between 1 and 10000", b.Funder)
		}
		borne += b.ShareBP
	}
	if p := a.Pool; p != nil {
		of(p.BearerPart, Pool)
		if p.CapFen < 0 || p.CapBP < 0 || p.CapBP > whole || p.CapFen == 0 && p.CapBP == 0 {
			bad("a pool has a cap: cap_fen above zero, or cap_bp up to 10000 with a base")
		}
		if (p.CapBP > 0) != (p.Base != "") || p.Base != "" && p.Base != "disbursed" && p.Base != "outstanding" {
			bad("cap_bp is of a base: disbursed or outstanding")
		}
	}
	if a.Guarantor != nil {
		of(*a.Guarantor, Guarantor)
		if a.Pool == nil && borne > whole {
			bad("the guarantor bears more than the whole loss")
		}
	}
	if a.TriggerDays < 0 || a.TriggerDays > 3650 || a.TriggerDays > 0 && a.Guarantor == nil && a.Pool == nil {
		bad("trigger_days is the day on which a guarantor or a pool pays; name one")
	}
}

func (p LenderShare) shares() LenderShares {
	s := LenderShares{p.ShareBP, p.ShareBP, p.ShareBP, p.ShareBP}
	if p.InterestBP != nil {
		s.Interest = *p.InterestBP
	}
	if p.FeeBP != nil {
		s.Fee = *p.FeeBP
	}
	if p.PenaltyBP != nil {
		s.Penalty = *p.PenaltyBP
	}
	return s
}

func (r *reader) capital() {
	c := r.c.Capital
	if c == nil {
		return
	}
	if _, err := money.ParseDate(c.AsOf); err != nil || c.Tier1NetFen <= 0 || c.LoansFen <= 0 || c.Source == "" {
		r.wrong(1, "the capital", "it has tier1_net_fen and loans_fen above zero, as_of and source")
	}
}

// fromProducts checks the funders that products name themselves.
func (r *reader) fromProducts() {
	need := func(p product.Product, code string, kinds ...Kind) {
		f, known := r.c.Funder(code)
		if !known || !slices.Contains(kinds, f.Kind) {
			r.wrong(1, "the product "+p.Code, "there is no funder %s of kind %s", code, kinds[0])
		}
	}
	for _, p := range r.c.products {
		for _, f := range p.Funders {
			if f.Kind == "own" {
				need(p, f.Code, Own)
			} else {
				need(p, f.Code, Partner, Trust)
			}
		}
		if p.RiskPool != nil {
			need(p, p.RiskPool.Code, Pool)
		}
		if p.Subsidy != nil {
			need(p, p.Subsidy.Code, Government)
		}
		if p.Surety != nil && p.Surety.Code != "" {
			need(p, p.Surety.Code, Guarantor)
		}
	}
}

// Funder finds one by its code.
func (c *Catalogue) Funder(code string) (Participant, bool) {
	for _, f := range c.Funders {
		if f.Code == code {
			return f, true
		}
	}
	return Participant{}, false
}

// own is the code of the bank.
func (c *Catalogue) own() string {
	for _, f := range c.Funders {
		if f.Kind == Own {
			return f.Code
		}
	}
	return string(Own)
}

// concerns says whether a product can have loans that somebody shares.
func (c *Catalogue) concerns(code string) bool {
	for _, a := range c.Agreements {
		if slices.Contains(a.Products, code) {
			return true
		}
	}
	for _, p := range c.products {
		if p.Code == code {
			return len(p.Funders) > 1 || p.RiskPool != nil || p.Subsidy != nil || p.Surety != nil && p.Surety.Code != ""
		}
	}
	return false
}

// Terms gives the terms of a loan of a product that is drawn on a day. chosen is an
// agreement that an officer chose for it, or "". It returns ErrAgreement and ErrRate.
func (c *Catalogue) Terms(productCode, chosen string, on money.Date, principal money.Fen, rate money.Rate) (SharingTerms, string, error) {
	t := SharingTerms{Rate: rate, Principal: principal, Parties: []Lender{c.alone()}}
	c.fromProduct(&t, productCode, on)
	a := c.inForce(productCode, chosen, on)
	if a == nil {
		if chosen != "" {
			return t, "", ErrAgreement.With("code", chosen).With("date", on)
		}
		return t, "refuse", t.check()
	}
	t.Agreement, t.From, t.Internet, t.TriggerDays = a.Code, a.From, a.Internet, a.TriggerDays
	t.Parties = make([]Lender, len(a.Parties))
	for i, x := range a.Parties {
		f, _ := c.Funder(x.Funder)
		t.Parties[i] = Lender{
			Code: x.Funder, Kind: f.Kind, Shares: x.shares(), Rate: money.BP(x.RateBP), SpreadBP: x.SpreadBP,
			Servicer: money.BP(x.ServicerBP), DrawFeeBP: x.DrawFeeBP,
		}
	}
	// What the agreement says of losses replaces what the product says.
	if a.Pool != nil {
		t.Pool = &LossBearer{Code: a.Pool.Funder, ShareBP: a.Pool.ShareBP, CapFen: a.Pool.CapFen, CapBP: a.Pool.CapBP, Base: a.Pool.Base, Bucket: a.Pool.Funder}
		if a.Pool.Vintage {
			t.Pool.Bucket += "/" + on.String()[:4]
		}
	}
	if a.Guarantor != nil {
		t.Guarantor = &LossBearer{Code: a.Guarantor.Funder, ShareBP: a.Guarantor.ShareBP}
	}
	return t, a.OnBreach, t.check()
}

// alone is the bank with the whole of a loan.
func (c *Catalogue) alone() Lender {
	return Lender{Code: c.own(), Kind: Own, Shares: LenderShares{whole, whole, whole, whole}}
}

// fromProduct fills in what the product itself says.
func (c *Catalogue) fromProduct(t *SharingTerms, code string, on money.Date) {
	i := slices.IndexFunc(c.products, func(p product.Product) bool { return p.Code == code })
	if i < 0 {
		return
	}
	p := c.products[i]
	if len(p.Funders) > 1 {
		t.Internet, t.Parties = true, nil
		for _, f := range p.Funders {
			known, _ := c.Funder(f.Code)
			x := Lender{Code: f.Code, Kind: known.Kind, Shares: LenderShares{f.ShareBP, f.ShareBP, f.ShareBP, f.ShareBP}}
			if known.Kind == Own { // the lead comes first
				t.Parties = append([]Lender{x}, t.Parties...)
			} else {
				t.Parties = append(t.Parties, x)
			}
		}
	}
	if r := p.RiskPool; r != nil {
		t.Pool = &LossBearer{Code: r.Code, ShareBP: r.ShareBP, CapFen: r.CapFen, Bucket: r.Code}
	}
	if s := p.Surety; s != nil && s.Code != "" {
		t.Guarantor = &LossBearer{Code: s.Code, ShareBP: s.ShareBP}
		t.TriggerDays = s.TriggerDays
	}
	if s := p.Subsidy; s != nil {
		t.Subsidy = &SubsidyGrant{Code: s.Code, ShareBP: s.ShareBP, MaxFen: s.MaxFen, Until: on.AddMonths(s.MaxMonths), MaxMonths: s.MaxMonths}
	}
}

// inForce is the agreement for a loan on a day, or nil.
func (c *Catalogue) inForce(productCode, chosen string, on money.Date) *SharingAgreement {
	for i := range c.Agreements {
		a := &c.Agreements[i]
		if on < a.From || a.Until != 0 && on > a.Until {
			continue
		}
		if chosen == a.Code || chosen == "" && slices.Contains(a.Products, productCode) {
			return a
		}
	}
	return nil
}

// check returns ErrRate when somebody would lend above the price of the loan.
func (t SharingTerms) check() error {
	for _, p := range t.Parties {
		if p.Rate > t.Rate {
			return ErrRate.With("party", p.Code).With("rate", p.Rate).With("price", t.Rate)
		}
	}
	return nil
}
