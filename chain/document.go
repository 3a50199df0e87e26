package chain

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NumberKey makes the key by which document numbers are compared: half width,
// upper case, letters and digits only. "ｉnv-001 " and "INV001" are one number.
func NumberKey(number string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(number))
}

// RowKey is the identity of a document: uploading it again changes nothing. An
// invoice promised to another funder is another row, or the double promise would
// never be seen; sums count both once.
func RowKey(d Document) string {
	h := sha256.New()
	for _, part := range []string{string(d.Kind), NumberKey(d.Number), d.SellerID, d.BuyerID, strings.ToUpper(norm.NFKC.String(d.Funder))} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// NodeView is a firm in a picture of its neighbourhood.
type NodeView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Anchor bool   `json:"anchor"`
	Tier   int    `json:"tier"` // sales hops to the nearest anchor; 0 is an anchor, -1 reaches none
}

// Neighbourhood is the trade around a firm. Cut says that it was too large to
// give whole: the nearest firms with the largest trade are kept.
type Neighbourhood struct {
	Nodes []NodeView `json:"nodes"`
	Links []Link     `json:"links"`
	Cut   bool       `json:"cut,omitempty"`
}
