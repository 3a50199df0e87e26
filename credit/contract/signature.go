package contract

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with signatures.
var (
	ErrKey    = fault.New(fault.Invalid, "contract.key", "the signing key of the house in {file} cannot be used: {why}")
	ErrChain  = fault.New(fault.Conflict, "contract.chain", "signature {nr} is not as it was made: {why}")
	ErrAbsent = fault.New(fault.NotFound, "contract.not_found", "there is no such signed contract")
)

// Party is as what somebody signs.
type Party string

// Parties.
const (
	Borrower  Party = "borrower"
	Guarantor Party = "guarantor"
)

// Ways in which it was checked who signs.
const (
	ByPassword = "password" // signed in with login and password
	ByPartner  = "partner"  // the partner's system answers for it
	OnPaper    = "paper"    // an officer saw the paper; Proof names it
)

// Seen is what the signer was shown, as the device tells.
type Seen struct {
	// Rate says that the signer confirmed the yearly cost on a screen of its own.
	Rate bool `json:"rate_confirmed"`
	// Seconds is how long the contract lay open, End whether it was read to its end.
	Seconds int  `json:"read_seconds"`
	End     bool `json:"read_to_end"`
}

// Signature is the evidence of one signature. The signatures of a tenant are a chain: each
// carries the hash of the one before, and the house signs each.
type Signature struct {
	Tenant        string    `json:"tenant"`
	Nr            int64     `json:"nr"` // 1, 2, ... of the tenant
	ApplicationID string    `json:"application_id"`
	Party         Party     `json:"party"`
	UserID        string    `json:"user_id"`
	Name          string    `json:"name"`
	By            string    `json:"by"` // user id of who brought it: the signer, or an officer
	At            time.Time `json:"at"`
	Device        string    `json:"device"`  // user agent
	Address       string    `json:"address"` // SHA-256 of application id and network address, hex; "" when it is not known
	Identity      string    `json:"identity" enum:"password,partner,paper"`
	Proof         string    `json:"proof,omitempty"`
	Document      string    `json:"document"` // SHA-256 of the PDF, hex
	Text          string    `json:"text"`     // SHA-256 of its words, hex
	Language      string    `json:"language"`
	Consents      []string  `json:"consents"` // SHA-256 of the consents that stood, hex
	Seen          Seen      `json:"seen"`
	Previous      string    `json:"previous"` // hash of the signature before, "" of the first
	Hash          string    `json:"hash"`     // SHA-256 of all of the above, hex
	KeyID         string    `json:"key_id"`   // of the house, "" without one
	House         string    `json:"house"`    // its Ed25519 signature of Hash, base64
}

// Address hides a network address in evidence, and lets a claimed one be compared.
func Address(applicationID, remote string) string {
	if remote == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(applicationID + "\n" + remote))
	return hex.EncodeToString(sum[:])
}

// sum is the hash of s without what is made from it.
func (s Signature) sum() (string, error) {
	s.Hash, s.KeyID, s.House = "", "", ""
	s.At = s.At.UTC()
	b, err := json.Marshal(s)
	return credit.Hash(b), err
}

// Seal puts s at the end of a chain whose last signature has nr and hash; house may be nil.
func Seal(s Signature, nr int64, hash string, house *House) (Signature, error) {
	s.Nr, s.Previous = nr+1, hash
	sum, err := s.sum()
	if err != nil {
		return s, err
	}
	s.Hash = sum
	if house != nil {
		s.KeyID = house.ID
		s.House = base64.StdEncoding.EncodeToString(ed25519.Sign(house.key, []byte(sum)))
	}
	return s, nil
}

// Check says whether s is as it was made after one with hash previous: ErrChain. The keys
// are public ones of the house by id.
func (s Signature) Check(previous string, keys map[string]ed25519.PublicKey) error {
	bad := func(why string) error { return ErrChain.With("nr", s.Nr).With("why", why) }
	sum, err := s.sum()
	switch {
	case err != nil:
		return err
	case sum != s.Hash:
		return bad("its content has another hash")
	case s.Previous != previous:
		return bad("it does not follow the one before")
	case s.KeyID == "":
		return nil
	}
	mark, err := base64.StdEncoding.DecodeString(s.House)
	key, known := keys[s.KeyID]
	switch {
	case !known:
		return bad("the house's key " + s.KeyID + " is not known")
	case err != nil || !ed25519.Verify(key, []byte(s.Hash), mark):
		return bad("the house did not sign it")
	}
	return nil
}

// House signs for the lender.
type House struct {
	ID  string // the first half of the SHA-256 of the public key, hex
	key ed25519.PrivateKey
}

// Public returns the key with which others check.
func (h *House) Public() ed25519.PublicKey { return h.key.Public().(ed25519.PublicKey) }

// KeyID names a public key.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:16])
}

// ReadHouse takes a private key in PEM (PKCS #8, Ed25519), as openssl genpkey writes it.
// ErrKey; file is for errors only.
func ReadHouse(file string, text []byte) (*House, error) {
	bad := func(why string) (*House, error) { return nil, ErrKey.With("file", file).With("why", why) }
	block, _ := pem.Decode(text)
	if block == nil {
		return bad("it is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return bad("it is no PKCS #8 key")
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return bad("it is no Ed25519 key; make one with openssl genpkey -algorithm ed25519")
	}
	h := &House{key: private}
	h.ID = KeyID(h.Public())
	return h, nil
}

// OpenHouse reads the key in a file, and makes one there first when there is none. ErrKey.
func OpenHouse(file string) (*House, error) {
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		return ReadHouse(file, text)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, ErrKey.With("file", file).With("why", "it cannot be read").Because(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	if err := keep(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, ErrKey.With("file", file).With("why", "it cannot be written").Because(err)
	}
	text, err = os.ReadFile(file) // another process may have been faster
	if err != nil {
		return nil, ErrKey.With("file", file).With("why", "it cannot be read").Because(err)
	}
	return ReadHouse(file, text)
}

// keep writes a new file whole or not at all; one that is there already stays.
func keep(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // readable by its owner only
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already, or left over
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// PublicPEM is a public key as others read it.
func PublicPEM(key ed25519.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("contract: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ReadPublic reads what PublicPEM wrote. ErrKey.
func ReadPublic(text string) (ed25519.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, ErrKey.With("file", "the books").With("why", "it is not PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if public, ok := key.(ed25519.PublicKey); err == nil && ok {
		return public, nil
	}
	return nil, ErrKey.With("file", "the books").With("why", "it is no Ed25519 key")
}
