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

// NumberKey is the number by which the document is known between its two firms. Paper
// invoices count their numbers anew in each code.
func (d Document) NumberKey() string {
	if d.Kind == Invoice && d.Code != "" {
		return NumberKey(d.Code) + NumberKey(d.Number)
	}
	return NumberKey(d.Number)
}

// Variant tells documents of the same number apart: an invoice promised to another
// funder is another row, or the double promise would never be seen, and so is the news
// that it was cancelled. Sums count them once, and not at all where one is void.
func (d Document) Variant() string {
	if d.Void {
		return "!void"
	}
	return strings.ToUpper(norm.NFKC.String(d.Funder))
}

// RowKey is the identity of a document: uploading it again changes nothing.
func RowKey(d Document) string {
	h := sha256.New()
	for _, part := range []string{string(d.Kind), d.NumberKey(), d.SellerID, d.BuyerID, d.Variant()} {
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
