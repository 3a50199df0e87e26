package iot

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// claimLetters are what claim codes are made of: no letter or digit that looks like
// another one. Their number is a prime, so that the check character finds every single
// wrong character and every two neighbours that changed places.
const claimLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// claimLength is with the check character: 15 random ones are 74 bits.
const claimLength = 16

// NewClaimCode returns a code to print beside a device: "XXXX-XXXX-XXXX-XXXX".
func NewClaimCode() string {
	code := make([]byte, 0, claimLength)
	var b [1]byte
	for len(code) < claimLength-1 {
		_, _ = rand.Read(b[:])                                           // crypto/rand never returns an error
		if n := int(b[0]); n < 256/len(claimLetters)*len(claimLetters) { // each letter as often
			code = append(code, claimLetters[n%len(claimLetters)])
		}
	}
	code = append(code, claimCheck(code))
	return string(code[:4]) + "-" + string(code[4:8]) + "-" + string(code[8:12]) + "-" + string(code[12:])
}

// claimCheck is the character that makes Σ (i+1)·cᵢ divisible by 31.
func claimCheck(code []byte) byte {
	const p = len(claimLetters)
	sum := 0
	for i, c := range code {
		sum += (i + 1) * strings.IndexByte(claimLetters, c)
	}
	// 16·c ≡ −sum (mod 31), and 16 is the inverse of 2.
	return claimLetters[(2*(p-sum%p))%p]
}

// ReadClaimCode returns a code as a person typed it in the form in which it is hashed,
// or ErrClaimCode.
func ReadClaimCode(typed string) (string, error) {
	code := make([]byte, 0, claimLength)
	for _, r := range strings.ToUpper((AnimalID{Code: typed}).Normal().Code) {
		switch {
		case r == '-':
		case r < 128 && strings.IndexByte(claimLetters, byte(r)) >= 0 && len(code) < claimLength:
			code = append(code, byte(r))
		default:
			return "", ErrClaimCode
		}
	}
	if len(code) != claimLength || claimCheck(code[:claimLength-1]) != code[claimLength-1] {
		return "", ErrClaimCode
	}
	return string(code), nil
}

// HashClaim is what is stored of the claim code of a device: with its number, so that
// equal codes do not show.
func HashClaim(tenant, device, code string) string {
	sum := sha256.Sum256([]byte(tenant + "\x00" + device + "\x00" + strings.ReplaceAll(code, "-", "")))
	return hex.EncodeToString(sum[:])
}
