package bank

import (
	"hash/fnv"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
)

// Conduct is how the bank treats one order. The zero value settles it at once.
type Conduct struct {
	Refuse string // why it is refused; "" settles it
	Drop   int    // the first sends that never arrive
	Lost   bool   // it is carried out, and the answer to the send is lost
	Hold   int    // the first answers that say "unknown", of sends and of questions
	Twice  bool   // the outcome is told twice
	// Contradict has the second telling say the opposite of the first.
	Contradict bool
	// Delay is how long the answer to the send takes; the order is carried out before.
	Delay time.Duration
}

// Refusals as a bank gives them: a code of ISO 20022 and its own words.
const (
	closed  = "AC04 the payee's account is closed"
	noCover = "AM04 the account has no cover"
)

// Trouble that the last two digits of an amount in fen ask for, as in the sandboxes of
// real banks. Slow is longer than a payer waits.
//
//	13  refused: the payee's account is closed
//	14  paid, the answer lost
//	15  the first message never arrives
//	16  pending for three answers, then paid
//	17  paid, and told twice
//	18  paid, the answer comes after slow
//	19  pending for two answers, then refused
//	21  the first message never arrives, then paid and the answer lost
//	23  paid, and later told to have failed
func Trouble(slow time.Duration) func(o pay.Order) Conduct {
	return func(o pay.Order) Conduct {
		switch o.Amount % 100 {
		case 13:
			return Conduct{Refuse: closed}
		case 14:
			return Conduct{Lost: true}
		case 15:
			return Conduct{Drop: 1}
		case 16:
			return Conduct{Hold: 3}
		case 17:
			return Conduct{Twice: true}
		case 18:
			return Conduct{Delay: slow}
		case 19:
			return Conduct{Hold: 2, Refuse: closed}
		case 21:
			return Conduct{Drop: 1, Lost: true}
		case 23:
			return Conduct{Twice: true, Contradict: true}
		}
		return Conduct{}
	}
}

// Random draws a conduct for each order from the seed and the order's number: share of
// 1000 orders meet trouble. The same orders meet the same, in whatever order they come.
func Random(seed uint64, share int) func(o pay.Order) Conduct {
	return func(o pay.Order) Conduct {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strconv.FormatUint(seed, 10) + "\n" + o.ID)) // never fails
		n := h.Sum64()
		n ^= n >> 31
		if int(n%1000) >= share {
			return Conduct{}
		}
		n /= 1000
		bit := func(i uint) bool { return n>>i&1 == 1 }
		c := Conduct{Lost: bit(0), Twice: bit(1)}
		if bit(2) {
			c.Drop = 1 + int(n>>8%2)
		}
		if bit(3) {
			c.Hold = 1 + int(n>>10%3)
		}
		if bit(4) && bit(5) {
			c.Refuse = noCover
		}
		return c
	}
}
