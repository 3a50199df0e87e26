// Package worth values the animals of a herd that are known to be there: what each
// weighs by the curve of its kind and its own weighings, times the price of its class
// in its county, less expected deaths and the cost of a forced sale.
package worth

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/worth/growth"
	"github.com/furrowcredit/furrow/money"
)

// Method names the method and its version in reports.
const Method = "own-weight-class-price/2"

// ErrSpecies is returned for an animal of a species that the catalogue lacks.
var ErrSpecies = fault.New(fault.Invalid, "worth.species", "the catalogue has no species {species}")

// Why a value is of low confidence.
const (
	NoPrice  = "no_price"  // some animals have none: they count for nothing
	OldPrice = "price_old" // some prices are older than their species' may be
)

// Input is what is known of the animals to value.
type Input struct {
	Animals   []iot.Animal              // verified: the caller vouches for each
	Weighings map[string][]iot.Weighing // by animal, in any order
	Houses    map[string]House          // by the animal that is a house of poultry
	Region    string                    // county code of GB/T 2260, for prices; "" the country's
	At        time.Time
	Cap       *int // how many animals the counts support; nil as many as are verified
	CapLow    *int // the same with confidence; nil is Cap
}

// House is what was last counted in a house of poultry.
type House struct {
	Heads int64
	At    time.Time
}

// Value is what the animals would bring. Low and High are the bounds of a two-sided
// interval of 90 %: they would bring less than Low one time in twenty.
type Value struct {
	Low, Middle, High money.Fen
	Grams             int64            // summed live weight of all animals
	Weighed           int              // animals whose weight rests on weighings of their own
	Counted           int              // animals that Middle pays for: all, or Cap
	Terms             []iot.ValueTerms // by species and class, of all animals, in the order of codes
	Doubts            []string         // NoPrice, OldPrice; none when the value is known
}

// one is a whole in basis points.
const one = 10_000

// sure is the quantile of Low and High of the normal distribution.
const sure = 1.6449

// entry is one animal's value. Its expected value is milli × survives × keeps / scale.
type entry struct {
	value *big.Int // in units of 1/scale fen
	// Relative errors, as standard deviations. Own errors average out over animals;
	// the others are one error for all animals of their kind.
	own, herd, price, deaths float64
	kind                     string // the species
}

// scale is how many units of an entry are a fen: thousandths of a fen, twice basis points.
var scale = big.NewInt(1000 * one * one)

// Of values the animals:
//
//	value = Σ weight × price per kg (or price per head) + what the unborn add
//	        each × (1 − mortality until disposal) × (1 − haircut)
//
// exactly, rounded once at the end, HALF_EVEN. Weight is the forecast of
// growth.Model from the animal's own weighings, around the curve of its breed and
// sex moved by what all weighings of the herd say of it. The interval adds up the
// variances of four errors: of each animal's weight and survival, which average out,
// and of the herd's curve, of the price and of a bad year's deaths, which do not:
//
//	sd² = Σᵢ(vᵢ·ownᵢ)² + Σ over species [(Σvᵢ·herdᵢ)² + (Σvᵢ·price)² + (Σvᵢ·deathsᵢ)²]
//
// Low = base × (1 − 1.645 sd/base). Where the counts support fewer animals than are
// verified, Middle is the mean value times Cap, and Low rests on the CapLow animals
// that are worth least. ErrSpecies; money.ErrOverflow beyond 64 bits.
func Of(c *species.Catalogue, in Input) (Value, error) {
	byKind := make(map[string][]iot.Animal)
	for _, a := range in.Animals {
		byKind[a.Species] = append(byKind[a.Species], a)
	}
	kinds := make([]string, 0, len(byKind))
	for code := range byKind {
		kinds = append(kinds, code)
	}
	slices.Sort(kinds)
	s := sums{v: Value{Terms: []iot.ValueTerms{}, Doubts: []string{}}, terms: make(map[[2]string]*term)}
	for _, code := range kinds {
		sp, ok := c.Get(code)
		if !ok {
			return Value{}, ErrSpecies.With("species", code)
		}
		weights := Weights(sp, byKind[code], in.Weighings, in.At)
		for i, a := range byKind[code] {
			s.add(c, sp, a, weights[i], in)
		}
	}
	return s.value(in)
}

// sums gathers entries and terms.
type sums struct {
	v       Value
	entries []entry
	terms   map[[2]string]*term
	noPrice bool
	old     bool
}

// term is one line of the terms while it grows.
type term struct {
	iot.ValueTerms
	grams int64
}

// add values one animal or house.
func (s *sums) add(c *species.Catalogue, sp species.Species, a iot.Animal, w Weight, in Input) {
	months := sp.Growth.UnknownMonths
	if !a.Born.IsZero() {
		months = growth.Months(a.Born, in.At)
	}
	class := sp.Class(a.Sex, months)
	heads := int64(1)
	if sp.House {
		heads = housed(sp, a, in)
	}
	q, priced := c.Quote(sp.Code, class.Code, in.Region, in.At)
	s.noPrice = s.noPrice || !priced
	s.old = s.old || q.Stale
	mortality := sp.Mortality.BP
	if class.MortalityBP > 0 {
		mortality = class.MortalityBP
	}
	unborn := Unborn(sp, a, in.At)

	// Thousandths of a fen, before mortality and haircut.
	amount := new(big.Int).Mul(big.NewInt(w.Grams), big.NewInt(int64(q.FenPerKg)))
	amount.Add(amount, new(big.Int).Mul(big.NewInt(1000), big.NewInt(int64(q.FenPerHead))))
	amount.Mul(amount, big.NewInt(heads))
	if priced {
		amount.Add(amount, new(big.Int).Mul(big.NewInt(1000), big.NewInt(int64(unborn))))
	}
	amount.Mul(amount, big.NewInt(one-mortality))
	amount.Mul(amount, big.NewInt(one-sp.Haircut.BP))

	e := entry{value: amount, kind: sp.Code, price: float64(sp.Price.SpreadBP) / one}
	dies := float64(mortality) / one
	if q.FenPerKg > 0 {
		e.own, e.herd = w.Own, w.Herd
	}
	if lives := 1 - dies; lives > 0 {
		e.own = math.Hypot(e.own, math.Sqrt(dies/lives/float64(max(1, heads))))
		e.deaths = float64(max(0, sp.Mortality.BadBP-sp.Mortality.BP)) / one / sure / lives
	}
	s.entries = append(s.entries, e)
	s.v.Grams += w.Grams * heads
	if w.Weighings > 0 {
		s.v.Weighed++
	}
	s.tell(sp, class, w, q, heads, mortality, unborn)
}

// tell adds the animal to the terms of its class.
func (s *sums) tell(sp species.Species, class species.Class, w Weight, q species.Quote, heads, mortality int64, unborn money.Fen) {
	key := [2]string{sp.Code, class.Code}
	t := s.terms[key]
	if t == nil {
		t = &term{ValueTerms: iot.ValueTerms{Species: sp.Code, Class: class.Code, PriceFenKg: q.FenPerKg, PriceFenHead: q.FenPerHead,
			PriceRegion: q.Region, PriceDate: q.Date, PriceSource: q.Source, MortalityBP: mortality, HaircutBP: sp.Haircut.BP}}
		s.terms[key] = t
	}
	t.Heads += int(heads)
	t.grams += w.Grams * heads
	t.Kg = t.grams / 1000
	t.Unborn += unborn
	if w.Weighings > 0 {
		t.Weighed++
	}
}

// value adds everything up.
func (s *sums) value(in Input) (Value, error) {
	slices.SortStableFunc(s.entries, func(a, b entry) int { return a.value.Cmp(b.value) })
	n := len(s.entries)
	capped := n
	if in.Cap != nil {
		capped = min(n, max(0, *in.Cap))
	}
	low := capped
	if in.CapLow != nil {
		low = min(capped, max(0, *in.CapLow))
	}
	total, least := new(big.Int), new(big.Int)
	for i, e := range s.entries {
		total.Add(total, e.value)
		if i < low {
			least.Add(least, e.value)
		}
	}
	s.v.Counted = capped
	all := big.NewInt(int64(max(1, n)))
	middle, share := new(big.Int).Mul(total, big.NewInt(int64(capped))), new(big.Int).Mul(scale, all)
	var err error
	if s.v.Middle, err = ratio(middle, share); err != nil {
		return Value{}, err
	}
	if s.v.Low, err = spread(least, scale, 1-sure*deviation(s.entries[:low])); err != nil {
		return Value{}, err
	}
	if s.v.High, err = spread(middle, share, 1+sure*deviation(s.entries)); err != nil {
		return Value{}, err
	}
	s.v.Low = min(s.v.Low, s.v.Middle)
	for _, t := range s.terms {
		s.v.Terms = append(s.v.Terms, t.ValueTerms)
	}
	slices.SortFunc(s.v.Terms, func(a, b iot.ValueTerms) int {
		return cmp.Or(cmp.Compare(a.Species, b.Species), cmp.Compare(a.Class, b.Class))
	})
	if s.noPrice {
		s.v.Doubts = append(s.v.Doubts, NoPrice)
	}
	if s.old {
		s.v.Doubts = append(s.v.Doubts, OldPrice)
	}
	return s.v, nil
}

// deviation is the relative standard deviation of the summed value.
func deviation(entries []entry) float64 {
	type shared struct{ herd, price, deaths float64 }
	kinds := make(map[string]*shared)
	var order []*shared // so that the sum has one order
	var total, own float64
	for _, e := range entries {
		v, _ := new(big.Float).SetInt(e.value).Float64()
		k := kinds[e.kind]
		if k == nil {
			k = &shared{}
			kinds[e.kind], order = k, append(order, k)
		}
		total += v
		own += v * e.own * v * e.own
		k.herd += v * e.herd
		k.price += v * e.price
		k.deaths += v * e.deaths
	}
	if total == 0 {
		return 0
	}
	for _, k := range order {
		own += k.herd*k.herd + k.price*k.price + k.deaths*k.deaths
	}
	return math.Sqrt(own) / total
}

// spread is num/den × share, the share to a millionth and not below nothing.
func spread(num, den *big.Int, share float64) (money.Fen, error) {
	const parts = 1_000_000
	p := big.NewInt(int64(math.Floor(max(0, share) * parts)))
	return ratio(p.Mul(p, num), new(big.Int).Mul(den, big.NewInt(parts)))
}

// Unborn is what the pregnancy of an animal adds: the value of the young at term,
// in proportion to the days since it was bred, from the day on that a pregnancy can
// be told. Nothing once it is a tenth over its time.
func Unborn(sp species.Species, a iot.Animal, at time.Time) money.Fen {
	p := sp.Pregnancy
	if a.Bred.IsZero() || a.Sex != "f" || p.Days == 0 {
		return 0
	}
	days := int64(at.Sub(a.Bred) / (24 * time.Hour))
	if days < p.From || days*10 > p.Days*11 {
		return 0
	}
	return p.Young * money.Fen(min(days, p.Days)) / money.Fen(p.Days)
}

// housed is how many birds a house holds: the last count, or what was put in when it
// was begun, less the deaths of the weeks since.
func housed(sp species.Species, a iot.Animal, in Input) int64 {
	heads, since := int64(max(1, a.Heads)), a.Born
	if h, ok := in.Houses[a.ID]; ok && !h.At.After(in.At) {
		heads, since = h.Heads, h.At
	}
	if since.IsZero() || since.After(in.At) {
		return max(0, heads)
	}
	weeks := in.At.Sub(since).Hours() / (7 * 24)
	return int64(math.Floor(float64(max(0, heads))*math.Pow(1-float64(sp.Mortality.WeeklyBP)/one, weeks) + 1e-9))
}

// ratio is num/den rounded HALF_EVEN, for values of any length.
func ratio(num, den *big.Int) (money.Fen, error) {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int)) // neither is negative
	switch new(big.Int).Lsh(r, 1).Cmp(den) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	if !q.IsInt64() {
		return 0, money.ErrOverflow
	}
	return money.Fen(q.Int64()), nil
}
