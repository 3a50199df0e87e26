// Package contagion reckons what a shock to some firms does to the others: through
// supply (the Economic Systemic Risk Index, Diem et al. 2022), through losses on
// credit (DebtRank, Battiston et al. 2012 and Bardoscia et al. 2015) and through
// payments that are not made (Eisenberg & Noe 2001, Rogers & Veraart 2013).
//
// It takes plain firms and links and touches no store. docs/formats/contagion.md has
// the formulas, the files and an example.
package contagion

import (
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a scenario.
var (
	ErrFirm    = fault.New(fault.Invalid, "contagion.unknown_firm", "there is no firm {id}; it must be in the list of firms or have a link")
	ErrTwice   = fault.New(fault.Invalid, "contagion.firm_twice", "the firm {id} is there twice; keep one of the two")
	ErrSelf    = fault.New(fault.Invalid, "contagion.self_link", "the firm {id} has a link to itself; remove it")
	ErrAmount  = fault.New(fault.Invalid, "contagion.amount", "{value} is not usable as {what}: {why}")
	ErrShock   = fault.New(fault.Invalid, "contagion.shock", "a shock is a part of 1, above 0 and at most 1; {value} is not")
	ErrOwners  = fault.New(fault.Invalid, "contagion.ownership_cycle", "these firms own each other in a circle: {firms}; correct the owners")
	ErrTooMany = fault.New(fault.TooLarge, "contagion.too_large", "there are too many firms or links: {count}, at most {max}; cut the network to what is near the shock")
)

// Need says how a buyer depends on what a supplier delivers.
type Need uint8

// Needs. Without an essential input the buyer makes nothing; without the others it
// makes less, in proportion to their share of all inputs; negligible ones it can do
// without.
const (
	Negligible Need = iota
	Useful
	Essential
)

var needNames = [...]string{"negligible", "non_essential", "essential"}

// String is the word of files and JSON.
func (n Need) String() string { return needNames[n] }

// MarshalText implements encoding.TextMarshaler.
func (n Need) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Firm is a node. Sector is its industry code; firms of one sector can stand in for
// each other, and "" is a sector of its own for each such firm.
type Firm struct {
	ID     string
	Sector string
	Size   float64 // yearly turnover in the unit of the links; 0 = what its links show
	Owner  string  // the firm that controls it, "" for none
}

// Link is what a supplier sells to a buyer in a year. Supplier and Buyer are places
// in the list of firms. Several links of one pair add up.
type Link struct {
	Supplier, Buyer uint32
	Amount          float64
	Need            Need
}

// Shock takes a part of a firm's capacity (of its equity or cash in the models of
// credit and payment); 1 stops it.
type Shock struct {
	FirmID string  `json:"firm_id"`
	Part   float64 `json:"part"` // above 0, at most 1
}

// Params bound the work of a model. The zero value means the defaults.
type Params struct {
	Tolerance float64 // largest change of a round at which it ends; 0 means 1e-10
	MaxRounds int     // 0 means 10,000
	Workers   int     // goroutines; 0 means one a core
}

const (
	defaultTolerance = 1e-10
	defaultRounds    = 10_000
	maxFirms         = 1 << 30
)

func (p Params) tolerance() float64 {
	if p.Tolerance > 0 {
		return p.Tolerance
	}
	return defaultTolerance
}

func (p Params) rounds() int {
	if p.MaxRounds > 0 {
		return p.MaxRounds
	}
	return defaultRounds
}
