package fund

import "github.com/furrowcredit/furrow/money"

// Layer bears losses before the lenders do. The first of a list bears first.
type Layer struct {
	Party   string
	ShareBP int64     // of each loss
	Left    money.Fen // what it can still bear; a layer without a cap has NoCap
}

// NoCap is what is left of a layer that bears its share of any loss.
const NoCap money.Fen = 1 << 62

// Absorb divides a loss over layers in their order: each bears its share of the loss, no
// more than it has left and no more than the layers before it have left over. The last
// amount is the lenders'. The amounts sum to the loss.
func Absorb(layers []Layer, loss money.Fen) []money.Fen {
	out := make([]money.Fen, len(layers)+1)
	rest := loss
	for i, l := range layers {
		part := Allocate([]int64{l.ShareBP, whole - l.ShareBP}, loss)[0]
		out[i] = max(0, min(part, l.Left, rest))
		rest -= out[i]
	}
	out[len(layers)] = rest
	return out
}

// Recover divides money that came back over those who bore a loss, in reverse order: the
// last is made whole first. over is what exceeds all that was borne.
func Recover(borne []money.Fen, amount money.Fen) (back []money.Fen, over money.Fen) {
	back = make([]money.Fen, len(borne))
	for i := len(borne) - 1; i >= 0; i-- {
		back[i] = max(0, min(borne[i], amount))
		amount -= back[i]
	}
	return back, amount
}
