// Package worth values a herd: the weight that each verified animal should have at
// its age, times the price of live weight, less expected deaths and the cost of a
// forced sale.
package worth

import (
	"math"
	"math/big"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/money"
)

// Method names the method and its version in reports.
const Method = "gompertz-live-weight/1"

// month is the mean Gregorian month.
const month = 365.2425 * 24 / 12 * float64(time.Hour)

// Value is what the animals would bring, with its range.
type Value struct {
	Low, Middle, High money.Fen
	Grams             int64 // summed live weight
	Terms             iot.ValueTerms
}

// Grams is the live weight that the species' growth curve gives an animal of that
// sex at that time, to the gram. Females and animals of unknown sex take the lower
// curve; an animal of unknown birth counts as just weaned.
func Grams(s species.Species, a iot.Animal, at time.Time) int64 {
	curve := s.Growth.Female
	if a.Sex == "m" {
		curve = s.Growth.Male
	}
	months := s.Growth.UnknownMonths
	if !a.Born.IsZero() {
		months = max(0, float64(at.Sub(a.Born))/month)
	}
	return int64(math.Round(1000 * curve.A * math.Exp(-curve.B*math.Exp(-curve.K*months))))
}

// Of values the animals of one species at a time:
// Σ grams × price/1000 × (1 − mortality) × (1 − haircut), rounded once, HALF_EVEN.
// Low and High are the same with the curve's error on either side. It returns
// money.ErrOverflow for sums beyond 64 bits.
func Of(s species.Species, animals []iot.Animal, at time.Time) (Value, error) {
	v := Value{}
	for _, a := range animals {
		v.Grams += Grams(s, a, at)
	}
	const one = 10_000 // basis points
	value := func(spread int64) (money.Fen, error) {
		num := big.NewInt(v.Grams)
		den := big.NewInt(1000)
		for _, f := range []int64{one - s.MortalityBP, one - s.HaircutBP, one + spread} {
			num.Mul(num, big.NewInt(f))
			den.Mul(den, big.NewInt(one))
		}
		return ratio(num.Mul(num, big.NewInt(int64(s.Price.FenPerKg))), den)
	}
	for _, v := range []struct {
		spread int64
		to     *money.Fen
	}{{-s.Growth.SpreadBP, &v.Low}, {0, &v.Middle}, {s.Growth.SpreadBP, &v.High}} {
		var err error
		if *v.to, err = value(v.spread); err != nil {
			return Value{}, err
		}
	}
	v.Terms = iot.ValueTerms{
		Species: s.Code, Heads: len(animals), Kg: v.Grams / 1000, PriceFenKg: s.Price.FenPerKg, PriceDate: s.Price.Date,
		PriceSource: s.Price.Source, MortalityBP: s.MortalityBP, HaircutBP: s.HaircutBP,
	}
	return v, nil
}

// ratio is num/den rounded HALF_EVEN, for values of any length.
func ratio(num, den *big.Int) (money.Fen, error) {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int)) // both are positive
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
