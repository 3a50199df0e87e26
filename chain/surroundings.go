package chain

import "time"

// Level is how a thing moves from month to month, 1 being its mean. No amount can be
// read from it.
type Level struct {
	First  string    `json:"first"` // month of the first value, "2023-06"
	Values []float64 `json:"values"`
}

// IndustryLevel is the proven sales of the firms on one node, or one sub-chain, each
// firm counting alike.
type IndustryLevel struct {
	Node  string `json:"node"` // "automotive.tyre.cord", or "automotive.tyre" when its node has too few
	Zh    string `json:"zh"`
	En    string `json:"en"`
	Firms int    `json:"firms"`
	Level
}

// AnchorLevel is what an anchor buys in all.
type AnchorLevel struct {
	AnchorID string  `json:"anchor_id"`
	Name     string  `json:"name"`
	Share    float64 `json:"share"` // of the firm's sales, 0..1
	Level
}

// Surroundings are what moves around a firm: a fact for credit. Without an industry
// Reason says why.
type Surroundings struct {
	FirmID   string         `json:"firm_id"`
	Industry *IndustryLevel `json:"industry,omitempty"`
	Reason   string         `json:"reason,omitempty"` // "no_node", "few_firms"
	Anchors  []AnchorLevel  `json:"anchors"`          // largest share first
	Method   string         `json:"method"`
	MadeAt   time.Time      `json:"made_at"`
}
