package fraud

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with fingerprints.
var (
	ErrSalt            = fault.New(fault.Invalid, "fingerprint.salt", "the salt has {bytes} bytes; agree on a secret of at least 16 with the other funders")
	ErrFingerprintFile = fault.New(fault.Invalid, "fingerprint.file", "line {line} of the fingerprints: {problem}")
)

// MinSalt is the shortest salt. Invoice numbers are few enough to try them all, so
// that the salt alone keeps them secret: it must be random and known to members only.
const MinSalt = 16

// Fingerprint is the salted hash by which funders compare what they were promised
// without showing it: HMAC-SHA-256 over what every bank reads on the invoice alike,
// in 64 hex digits. That is the number of a fully digital invoice, and the seller's
// credit code, the number and the date of any other; the amount is left out, so that
// an altered one does not hide the invoice. It is "" when that is not known.
func Fingerprint(salt []byte, d chain.Document, sellerUSCC string) string {
	number := paperNumber(d)
	if d.Kind != chain.Invoice || number == "" {
		return ""
	}
	parts := []string{"furrow.invoice/1", number}
	if len(number) != digital {
		if len(number) > 8 { // a code that was written before it
			number = number[len(number)-8:]
		}
		seller := chain.NumberKey(sellerUSCC)
		if seller == "" || d.Date == "" {
			return ""
		}
		parts = []string{"furrow.invoice/1", number, seller, d.Date}
	}
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h.Sum(nil))
}

// Elsewhere finds invoices of the books that another funder published. salt is the
// members' secret, own the publisher of this bank, code gives a firm's credit code.
func Elsewhere(docs []chain.Document, salt []byte, own string, code func(firmID string) string, published []chain.Fingerprint) []chain.Finding {
	by := map[string][]chain.Fingerprint{}
	for _, p := range published {
		if p.Publisher != own {
			by[p.Hash] = append(by[p.Hash], p)
		}
	}
	var out []chain.Finding
	seen := map[string]int{}
	for _, d := range docs {
		if d.Kind != chain.Invoice || d.Amount < 0 {
			continue
		}
		hash := Fingerprint(salt, d, code(d.SellerID))
		if len(by[hash]) == 0 {
			continue
		}
		if at, ok := seen[hash]; ok {
			out[at].Documents = append(out[at].Documents, d)
			continue
		}
		seen[hash] = len(out)
		var who []string
		for _, p := range by[hash] {
			who = append(who, p.Publisher)
		}
		out = append(out, chain.Finding{
			Kind: chain.InvoiceReused, Severity: chain.Critical, FirmIDs: []string{d.SellerID}, Documents: []chain.Document{d},
			Evidence: map[string]string{
				"number": d.Number, "amount": d.Amount.String(), "publishers": strings.Join(distinct(who), ", "),
				"published": by[hash][0].Published.UTC().Format(time.DateOnly), "hash": hash,
			},
		})
	}
	return out
}

var fingerprintHeader = []string{"hash", "publisher", "published"}

// WriteFingerprints writes a file of fingerprints: CSV with a header, sorted by hash.
func WriteFingerprints(w io.Writer, list []chain.Fingerprint) error {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b chain.Fingerprint) int {
		return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Publisher, b.Publisher))
	})
	c := csv.NewWriter(w)
	_ = c.Write(fingerprintHeader) // told by Error
	for _, f := range list {
		_ = c.Write([]string{f.Hash, f.Publisher, f.Published.UTC().Format(time.DateOnly)})
	}
	c.Flush()
	return c.Error()
}

// ReadFingerprints reads such a file whole or not at all. It returns
// ErrFingerprintFile with the line.
func ReadFingerprints(r io.Reader) ([]chain.Fingerprint, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	var out []chain.Fingerprint
	for n := 0; ; n++ {
		row, err := c.Read()
		if errors.Is(err, io.EOF) && n > 0 {
			return out, nil
		}
		line := 0
		if len(row) > 0 {
			line, _ = c.FieldPos(0)
		}
		bad := func(problem string) error { return ErrFingerprintFile.With("line", line).With("problem", problem) }
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil, ErrFingerprintFile.With("line", 1).With("problem", "the file is empty")
		case errors.As(err, &syntax):
			return nil, ErrFingerprintFile.With("line", syntax.Line).With("problem", syntax.Err.Error())
		case err != nil:
			return nil, fmt.Errorf("fraud: %w", err)
		case n == 0:
			if row[0] = strings.TrimPrefix(row[0], "\ufeff"); !slices.Equal(row, fingerprintHeader) {
				return nil, bad("the header is " + strings.Join(fingerprintHeader, ","))
			}
			continue
		case len(row) != len(fingerprintHeader):
			return nil, bad("three cells are expected")
		}
		raw, err := hex.DecodeString(row[0])
		if err != nil || len(raw) != sha256.Size {
			return nil, bad("the hash is not 64 hex digits")
		}
		day, err := time.Parse(time.DateOnly, row[2])
		if err != nil {
			return nil, bad("the date is not like 2026-05-31")
		}
		if strings.TrimSpace(row[1]) == "" {
			return nil, bad("the publisher is missing")
		}
		out = append(out, chain.Fingerprint{Hash: strings.ToLower(row[0]), Publisher: strings.Clone(strings.TrimSpace(row[1])), Published: day})
	}
}
